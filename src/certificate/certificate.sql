-- Certificates: what stands against one, issuing one, its status, rewards. The rules are src/rules, asked by certificate.c.

CREATE FUNCTION ecert.certificate_status(certificate bytea, before bigint DEFAULT NULL,
                                         OUT status text, OUT reason text, OUT since timestamptz) RETURNS record
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_certificate_status';
COMMENT ON FUNCTION ecert.certificate_status(bytea, bigint) IS 'active, suspended or withdrawn, with the reason and since when: the newest status package of a certificate (before that seq of the status feed, when given), active when there is none; NULLs when the hash names no certificate';

CREATE FUNCTION ecert.live_certificate(applicant text, period tstzrange, before bigint DEFAULT NULL) RETURNS bytea
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_live_certificate';
COMMENT ON FUNCTION ecert.live_certificate(text, tstzrange, bigint) IS 'hash of a certificate of an applicant for an overlapping statistics period that is not withdrawn (suspended ones count); NULL when there is none';

CREATE FUNCTION ecert.obstacles_between(applicant text, period tstzrange, baseline tstzrange, method text) RETURNS TABLE (obstacle text, detail text)
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_obstacles';
COMMENT ON FUNCTION ecert.obstacles_between(text, tstzrange, tstzrange, text) IS 'internal: ecert.obstacles() with the baseline named';

CREATE FUNCTION ecert.obstacles(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product')
    RETURNS TABLE (obstacle text, detail text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT o.obstacle, o.detail
      FROM ecert.obstacles_between(obstacles.applicant, obstacles.period, coalesce(obstacles.baseline, ecert.default_baseline(obstacles.period, ecert.policy())),
                                   obstacles.method) AS o
$$;
COMMENT ON FUNCTION ecert.obstacles(text, tstzrange, tstzrange, text) IS 'everything that stands against a certificate: period_invalid, period_not_over, periods_overlap, baseline_not_covered, period_not_covered, package_straddles, feed_broken, certificate_exists, audit_missing, audit_failed, coefficient_unknown, applicant_not_enrolled, and the statuses of ecert.assess() that are not ok or no_baseline (no_baseline when nothing at all has one); no row: ecert.certify() can go on';

CREATE FUNCTION ecert.certificate_figures(applicant text, period tstzrange, baseline tstzrange, method text, policy_hash bytea,
                                          energy_last_seq bigint DEFAULT NULL, product_last_seq bigint DEFAULT NULL) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_certificate_figures';
COMMENT ON FUNCTION ecert.certificate_figures(text, tstzrange, tstzrange, text, bytea, bigint, bigint) IS 'what a certificate''s body says that can be computed: products, totals, completeness, threshold, verdict and the packages used, under the policy of that hash and as of the given last seqs of the energy and product feeds; NULL when the hash names no policy or a period has no end. EC042, EC097';

CREATE FUNCTION ecert.passing_audits(applicant text, period tstzrange, baseline tstzrange) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_passing_audits';
COMMENT ON FUNCTION ecert.passing_audits(text, tstzrange, tstzrange) IS 'internal: hashes of the passing, not void audits that touch the period or the baseline';

CREATE FUNCTION ecert.issue_certificate(applicant text, period tstzrange, baseline tstzrange, method text) RETURNS bytea
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_issue_certificate';
COMMENT ON FUNCTION ecert.issue_certificate(text, tstzrange, tstzrange, text) IS 'internal: ecert.certify() with the baseline named';

CREATE FUNCTION ecert.certify(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product') RETURNS bytea
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.issue_certificate(certify.applicant, certify.period, coalesce(certify.baseline, ecert.default_baseline(certify.period, ecert.policy())), certify.method)
$$;
COMMENT ON FUNCTION ecert.certify(text, tstzrange, tstzrange, text) IS 'certifier: assess an applicant for a statistics period and put the signed certificate on the ledger; its verdict is pass when the total saving rate reaches the policy''s threshold, fail when not. Baseline by default the policy''s, or the same months of the year before. Returns the hash of the certificate package. EC062 lists every obstacle';

CREATE FUNCTION ecert.certificate_agrees(p ecert.package) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_certificate_agrees';
COMMENT ON FUNCTION ecert.certificate_agrees(ecert.package) IS 'whether a certificate''s figures equal their recomputation from this node''s ledger';

CREATE FUNCTION ecert.recomputation(p ecert.package) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN ecert.is_checkable(p) THEN CASE WHEN ecert.certificate_agrees(p) THEN 'agrees' ELSE 'differs' END ELSE 'not checkable here' END
$$;
COMMENT ON FUNCTION ecert.recomputation(ecert.package) IS 'what this node finds when it computes a certificate again: agrees, differs, or not checkable here when it is not sent the feeds that the certificate rests on';

CREATE FUNCTION ecert.set_status(certificate bytea, status text, reason text) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    certified text := (SELECT p.subject FROM ledger.package p WHERE p.hash = set_status.certificate AND p.kind = 'certificate');
BEGIN
    IF certified IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC063', MESSAGE = 'there is no such certificate', DETAIL = format('Hash %s.', encode(certificate, 'hex'));
    END IF;
    RETURN ecert.append('status', jsonb_build_object('certificate', encode(certificate, 'hex'), 'status', status, 'reason', reason), certified);
END
$$;
COMMENT ON FUNCTION ecert.set_status(bytea, text, text) IS 'certifier: suspend, withdraw or make active again the certificate of that hash, with the reason; withdrawn is final. Returns the hash of the status package. EC063, EC064';

-- Rewards

CREATE FUNCTION ecert.has_unrewarded(audit bytea, before bigint DEFAULT NULL) RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_has_unrewarded';
COMMENT ON FUNCTION ecert.has_unrewarded(bytea, bigint) IS 'internal: whether an audit covers a package for which its auditor has not been rewarded in that role yet (before that seq of the reward feed, when given)';

CREATE FUNCTION ecert.reward() RETURNS SETOF bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    due record;
    rule jsonb := ecert.policy() -> 'reward';
BEGIN
    -- of two who pay at once the second sees what the first one paid
    PERFORM 1 FROM ledger.feed f WHERE f.issuer = ecert.this_node() AND f.kind = 'reward' FOR NO KEY UPDATE;
    FOR due IN
        SELECT a.hash, a.issuer, (rule ->> (b.body ->> 'as'))::numeric AS amount
          FROM ledger.package a CROSS JOIN LATERAL (SELECT ecert.body(a.package)) AS b (body)
         WHERE a.kind = 'audit' AND b.body ->> 'verdict' <> 'abstain'
           AND NOT EXISTS (SELECT FROM ledger.package r WHERE r.kind = 'reward' AND ecert.reference(r.package) = a.hash)
         ORDER BY a.issuer, a.seq
    LOOP
        IF due.amount > 0 AND ecert.has_unrewarded(due.hash) THEN
            RETURN NEXT ecert.append('reward', jsonb_build_object('audit', encode(due.hash, 'hex'), 'auditor', due.issuer, 'amount', due.amount), due.issuer);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.reward() IS 'certifier: reward every completed audit that has none yet with the policy''s amount for its role, whether it says pass or fail; who abstains has not completed it. Packages count once per auditor and role, so an audit that covers none but rewarded ones gets nothing, one of a replaced package gets its reward again. Returns the hashes of the reward packages';

CREATE FUNCTION ecert.create_certificate_views() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CREATE OR REPLACE VIEW ledger.certificate AS
    SELECT encode(p.hash, 'hex') AS certificate_hash, b.body ->> 'number' AS certificate_number, p.issuer, p.subject AS applicant, b.body ->> 'name' AS applicant_name,
           b.body ->> 'method' AS method, b.body -> 'conventions' ->> 'denominator' AS denominator,
           lower(p.period) AS period_start, upper(p.period) AS period_end,
           lower(ecert.period_of_json(b.body -> 'baseline')) AS baseline_start, upper(ecert.period_of_json(b.body -> 'baseline')) AS baseline_end,
           (b.body -> 'totals' ->> 'adjusted_base_kgce')::numeric(38,4) AS adjusted_base_kgce, (b.body -> 'totals' ->> 'now_kgce')::numeric(38,4) AS now_kgce,
           (b.body -> 'totals' ->> 'saving_kgce')::numeric(38,4) AS saving_kgce, (b.body -> 'totals' ->> 'saving_tce')::numeric(38,4) AS saving_tce,
           (b.body -> 'totals' ->> 'saving_rate')::numeric(38,9) AS saving_rate, (b.body -> 'totals' ->> 'structure_kgce')::numeric(38,4) AS structure_kgce,
           (b.body ->> 'threshold')::numeric(38,18) AS threshold, b.body ->> 'verdict' AS verdict,
           p.issued_at, ecert.from_unix_seconds((b.body -> 'valid' ->> 0)::bigint) AS valid_from, ecert.from_unix_seconds((b.body -> 'valid' ->> 1)::bigint) AS valid_until,
           s.status, s.reason AS status_reason, s.since AS status_since, b.body ->> 'policy' AS policy_hash,
           jsonb_array_length(b.body -> 'audits') AS audit_count, b.body ->> 'replaces' AS replaces_hash,
           CASE r.found WHEN 'agrees' THEN true WHEN 'differs' THEN false END AS recomputation_agrees, r.found AS recomputation,
           c.seq AS checkpoint_seq, CASE WHEN c.seq IS NULL THEN 0 ELSE ecert.witness_count(c.seq) END AS witness_count,
           coalesce((ecert.policy_body(decode(b.body ->> 'policy', 'hex')) -> 'certificate' ->> 'witnesses')::bigint, 0) AS witnesses_required
      FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body)
     CROSS JOIN LATERAL ecert.certificate_status(p.hash) AS s
     CROSS JOIN LATERAL (SELECT ecert.recomputation(p.package) OFFSET 0) AS r (found)
     CROSS JOIN LATERAL (SELECT ecert.sealed_by(p.issuer, p.kind, p.seq) OFFSET 0) AS c (seq)
     WHERE p.kind = 'certificate';
    COMMENT ON VIEW ledger.certificate IS 'the certificates, one row each, with their status now and whether this node''s recomputation agrees';
    COMMENT ON COLUMN ledger.certificate.certificate_hash IS 'hash of the certificate package, hexadecimal';
    COMMENT ON COLUMN ledger.certificate.certificate_number IS 'number for people';
    COMMENT ON COLUMN ledger.certificate.issuer IS 'node id of the certifier';
    COMMENT ON COLUMN ledger.certificate.applicant IS 'node id of the applicant';
    COMMENT ON COLUMN ledger.certificate.applicant_name IS 'name of the applicant when it was issued';
    COMMENT ON COLUMN ledger.certificate.method IS 'product: per qualified output; value: per its value';
    COMMENT ON COLUMN ledger.certificate.denominator IS 'baseline: saving_rate = saving_kgce / adjusted_base_kgce; reporting: saving_kgce / now_kgce';
    COMMENT ON COLUMN ledger.certificate.period_start IS 'start of the statistics period';
    COMMENT ON COLUMN ledger.certificate.period_end IS 'end of the statistics period, exclusive';
    COMMENT ON COLUMN ledger.certificate.baseline_start IS 'start of the baseline';
    COMMENT ON COLUMN ledger.certificate.baseline_end IS 'end of the baseline, exclusive';
    COMMENT ON COLUMN ledger.certificate.adjusted_base_kgce IS 'sum over products of e0 * M1: energy the reporting output would have taken at baseline intensity, kgce; denominator of saving_rate by default';
    COMMENT ON COLUMN ledger.certificate.now_kgce IS 'energy of the statistics period, kgce';
    COMMENT ON COLUMN ledger.certificate.saving_kgce IS 'total saving, sum over products of (e0 - e1) * M1, kgce; positive = saved; numerator of saving_rate';
    COMMENT ON COLUMN ledger.certificate.saving_tce IS 'the same in tonnes of standard coal';
    COMMENT ON COLUMN ledger.certificate.saving_rate IS 'total saving rate; of several certificates sum(saving_kgce) / sum(adjusted_base_kgce), never an average';
    COMMENT ON COLUMN ledger.certificate.structure_kgce IS 'saving by one intensity over all products, less saving_kgce: the effect of the product mix; NULL where products have different units';
    COMMENT ON COLUMN ledger.certificate.threshold IS 'saving rate that the policy asks for';
    COMMENT ON COLUMN ledger.certificate.verdict IS 'pass when the unrounded rate reaches the threshold, else fail';
    COMMENT ON COLUMN ledger.certificate.issued_at IS 'when it was issued';
    COMMENT ON COLUMN ledger.certificate.valid_from IS 'valid from';
    COMMENT ON COLUMN ledger.certificate.valid_until IS 'valid until, exclusive';
    COMMENT ON COLUMN ledger.certificate.status IS 'active, suspended or withdrawn';
    COMMENT ON COLUMN ledger.certificate.status_reason IS 'why, where it is not active from the beginning';
    COMMENT ON COLUMN ledger.certificate.status_since IS 'since when it has this status';
    COMMENT ON COLUMN ledger.certificate.policy_hash IS 'hash of the policy it was computed under, hexadecimal';
    COMMENT ON COLUMN ledger.certificate.audit_count IS 'audits it rests on';
    COMMENT ON COLUMN ledger.certificate.replaces_hash IS 'hash of the certificate it takes the place of, hexadecimal';
    COMMENT ON COLUMN ledger.certificate.recomputation_agrees IS 'do the figures equal their recomputation from this node''s ledger; NULL: not checkable here';
    COMMENT ON COLUMN ledger.certificate.recomputation IS 'the same in words: agrees, differs, or not checkable here, when this node is not sent the packages that the certificate rests on';
    COMMENT ON COLUMN ledger.certificate.checkpoint_seq IS 'the first checkpoint that covers it; NULL: it is not sealed yet';
    COMMENT ON COLUMN ledger.certificate.witness_count IS 'nodes that have witnessed that checkpoint or a later one';
    COMMENT ON COLUMN ledger.certificate.witnesses_required IS 'witnesses that its policy asks for before anybody should rely on it';

    CREATE OR REPLACE VIEW ledger.certificate_product AS
    SELECT encode(p.hash, 'hex') AS certificate_hash, p.subject AS applicant, r ->> 'product' AS product, r ->> 'unit' AS unit,
           (r ->> 'base_kgce')::numeric(38,4) AS base_kgce, (r ->> 'base_output')::numeric(38,9) AS base_output_quantity, (r ->> 'base_unit_energy')::numeric(38,9) AS base_kgce_per_unit,
           (r ->> 'now_kgce')::numeric(38,4) AS now_kgce, (r ->> 'now_output')::numeric(38,9) AS now_output_quantity, (r ->> 'now_unit_energy')::numeric(38,9) AS now_kgce_per_unit,
           (r ->> 'saving_kgce')::numeric(38,4) AS saving_kgce,
           ((r ->> 'saving_kgce')::numeric + (r ->> 'now_kgce')::numeric)::numeric(38,4) AS adjusted_base_kgce,
           (r ->> 'saving_rate')::numeric(38,9) AS saving_rate, r ->> 'status' AS status
      FROM ledger.package p CROSS JOIN LATERAL jsonb_array_elements(ecert.body(p.package) -> 'products') AS r
     WHERE p.kind = 'certificate';
    COMMENT ON VIEW ledger.certificate_product IS 'the products of the certificates: baseline, now, saving';
    COMMENT ON COLUMN ledger.certificate_product.certificate_hash IS 'hash of the certificate package, hexadecimal';
    COMMENT ON COLUMN ledger.certificate_product.applicant IS 'node id of the applicant';
    COMMENT ON COLUMN ledger.certificate_product.product IS 'product';
    COMMENT ON COLUMN ledger.certificate_product.unit IS 'unit of output; of method value the currency';
    COMMENT ON COLUMN ledger.certificate_product.base_kgce IS 'energy of the baseline, kgce: numerator of base_kgce_per_unit';
    COMMENT ON COLUMN ledger.certificate_product.base_output_quantity IS 'qualified output (or its value) of the baseline: denominator';
    COMMENT ON COLUMN ledger.certificate_product.base_kgce_per_unit IS 'unit energy of the baseline';
    COMMENT ON COLUMN ledger.certificate_product.now_kgce IS 'energy of the statistics period, kgce: numerator of now_kgce_per_unit';
    COMMENT ON COLUMN ledger.certificate_product.now_output_quantity IS 'qualified output (or its value) of the statistics period: denominator';
    COMMENT ON COLUMN ledger.certificate_product.now_kgce_per_unit IS 'unit energy of the statistics period';
    COMMENT ON COLUMN ledger.certificate_product.saving_kgce IS '(e0 - e1) * M1, kgce; positive = saved: numerator of saving_rate';
    COMMENT ON COLUMN ledger.certificate_product.adjusted_base_kgce IS 'e0 * M1, kgce, from the rounded figures: denominator of saving_rate by default';
    COMMENT ON COLUMN ledger.certificate_product.saving_rate IS 'saving rate of the product';
    COMMENT ON COLUMN ledger.certificate_product.status IS 'ok, or why there is no saving';

    CREATE OR REPLACE VIEW ledger.reward AS
    SELECT encode(p.hash, 'hex') AS reward_hash, b.body ->> 'audit' AS audit_hash, b.body ->> 'auditor' AS auditor,
           (b.body ->> 'amount')::numeric(38,9) AS amount, p.issued_at
      FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body) WHERE p.kind = 'reward';
    COMMENT ON VIEW ledger.reward IS 'the rewards of auditors';
    COMMENT ON COLUMN ledger.reward.reward_hash IS 'hash of the reward package, hexadecimal';
    COMMENT ON COLUMN ledger.reward.audit_hash IS 'hash of the audit it is for, hexadecimal';
    COMMENT ON COLUMN ledger.reward.auditor IS 'node id of the auditor';
    COMMENT ON COLUMN ledger.reward.amount IS 'amount in the policy''s reward unit';
    COMMENT ON COLUMN ledger.reward.issued_at IS 'when it was given';

    CREATE OR REPLACE VIEW ledger.reward_balance AS
    SELECT r.auditor, count(*)::bigint AS reward_count, sum(r.amount)::numeric(38,9) AS amount FROM ledger.reward r GROUP BY r.auditor;
    COMMENT ON VIEW ledger.reward_balance IS 'what each auditor has been given';
    COMMENT ON COLUMN ledger.reward_balance.auditor IS 'node id of the auditor';
    COMMENT ON COLUMN ledger.reward_balance.reward_count IS 'number of rewards';
    COMMENT ON COLUMN ledger.reward_balance.amount IS 'their sum, in the policy''s reward unit';
END
$$;
COMMENT ON FUNCTION ecert.create_certificate_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';

REVOKE ALL ON FUNCTION ecert.certify(text, tstzrange, tstzrange, text), ecert.issue_certificate(text, tstzrange, tstzrange, text), ecert.set_status(bytea, text, text), ecert.reward(),
    ecert.create_certificate_views() FROM PUBLIC;
