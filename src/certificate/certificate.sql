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

CREATE FUNCTION ecert.certificate_figures(applicant text, period tstzrange, baseline tstzrange, method text) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_certificate_figures';
COMMENT ON FUNCTION ecert.certificate_figures(text, tstzrange, tstzrange, text) IS 'what a certificate''s body says that can be computed, as of the newest checkpoint and the policy in force then: figures, rate, threshold, verdict, calendar, the packages of the baseline that were replaced after the statistics period began, and count and digest of the packages and audits it rests on; NULL when there is no checkpoint or a period has no end. EC042, EC097';

CREATE FUNCTION ecert.has_unsealed_about(applicant text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM ecert.unsealed_moved() AS u
         WHERE u.issuer = applicant
            OR u.kind IN ('audit', 'status', 'node', 'relation') AND EXISTS (
                SELECT FROM ledger.package p
                 WHERE p.issuer = u.issuer AND p.kind = u.kind AND p.seq BETWEEN u.first_seq AND u.last_seq
                   AND (p.subject = applicant
                        OR p.kind = 'node' AND p.subject = ecert.certifier()
                        OR p.kind = 'node' AND p.subject IN (SELECT r.auditor FROM ledger.relation r WHERE r.applicant = has_unsealed_about.applicant))))
$$;
COMMENT ON FUNCTION ecert.has_unsealed_about(text) IS 'internal: whether something that bears on a certificate of an applicant is under no checkpoint yet: its packages, audits and statuses, node and relation packages of it and its auditors, node packages of the certifier';

CREATE FUNCTION ecert.rest_on_checkpoint(must_seal boolean) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held bytea := ecert.hold_checkpoint();
    newest record;
BEGIN
    SELECT n.hash, n.issued_at INTO newest FROM ecert.newest_checkpoint() AS n;
    -- half of the time is for what is signed on it; a policy counts from when it is sealed
    IF must_seal OR held IS DISTINCT FROM newest.hash OR held IS NULL
       OR EXISTS (SELECT FROM ecert.unsealed_in(ARRAY[(ecert.certifier(), 'policy')::ecert.feed]))
       OR newest.issued_at < clock_timestamp() - ecert.seal_within() / 2 THEN
        PERFORM ecert.seal_moved(true);
    END IF;
    RETURN ecert.hold_checkpoint();
END
$$;
COMMENT ON FUNCTION ecert.rest_on_checkpoint(boolean) IS 'internal: the hash of the checkpoint that a certificate, status or reward issued in this transaction rests on; seals first when that must be, when a policy is unsealed, or when the newest checkpoint is too old for it. No other comes behind it until the transaction ends. EC011, EC101, 25000';

CREATE FUNCTION ecert.issue_certificate(applicant text, period tstzrange, baseline tstzrange, method text) RETURNS bytea
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_issue_certificate';
COMMENT ON FUNCTION ecert.issue_certificate(text, tstzrange, tstzrange, text) IS 'internal: ecert.certify() with the baseline named';

CREATE FUNCTION ecert.certify(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product') RETURNS bytea
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.rest_on_checkpoint(ecert.has_unsealed_about(certify.applicant)
                                    -- a period is over as of the checkpoint
                                    OR upper(certify.period) <= clock_timestamp() AND upper(certify.period) > (ecert.newest_checkpoint()).issued_at);
    SELECT ecert.note_issued(ecert.issue_certificate(certify.applicant, certify.period, coalesce(certify.baseline, ecert.default_baseline(certify.period, ecert.policy())), certify.method))
$$;
COMMENT ON FUNCTION ecert.certify(text, tstzrange, tstzrange, text) IS 'certifier: assess an applicant for a statistics period, as of a checkpoint (one is made first when something about the applicant is unsealed, or the period was not over yet), and put the signed certificate on the ledger; its verdict is pass when the total saving rate reaches the policy''s threshold (is above it, where the policy is strict), fail when not. Baseline by default the policy''s, or the same months of the year before. Returns the hash of the certificate package. EC062 lists every obstacle';

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
    RETURN ecert.append('status', jsonb_build_object('certificate', encode(certificate, 'hex'), 'status', status, 'reason', reason,
        'checkpoint', encode(ecert.rest_on_checkpoint(NOT EXISTS (
            SELECT FROM ledger.package p
             WHERE p.hash = set_status.certificate AND p.kind = 'certificate' AND ecert.sealed_by(p.issuer, p.kind, p.seq) IS NOT NULL)), 'hex')), certified);
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
    rests_on bytea;
    rule jsonb;
BEGIN
    -- of two who pay at once the second sees what the first one paid
    rests_on := ecert.rest_on_checkpoint(false);
    -- the policy as of that checkpoint
    rule := coalesce((SELECT ecert.body(p.package) FROM ledger.package p
                       WHERE p.issuer = ecert.certifier() AND p.kind = 'policy' AND ecert.sealed_by(p.issuer, p.kind, p.seq) IS NOT NULL AND NOT ecert.is_false(p.issuer, p.kind, p.seq) ORDER BY p.seq DESC LIMIT 1),
                     (SELECT ecert.body(g.package) -> 'policy' FROM ledger.package g WHERE g.kind = 'genesis')) -> 'reward';
    FOR due IN
        SELECT a.hash, a.issuer, a.kind, a.seq, (rule ->> (b.body ->> 'as'))::numeric AS amount
          FROM ledger.package a CROSS JOIN LATERAL (SELECT ecert.body(a.package)) AS b (body)
         WHERE a.kind = 'audit' AND b.body ->> 'verdict' <> 'abstain'
           AND NOT EXISTS (SELECT FROM ledger.package r WHERE r.kind = 'reward' AND ecert.reference(r.package) = a.hash)
         ORDER BY a.issuer, a.seq
    LOOP
        IF due.amount > 0 AND ecert.sealed_by(due.issuer, due.kind, due.seq) IS NOT NULL AND ecert.has_unrewarded(due.hash) THEN
            RETURN NEXT ecert.append('reward', jsonb_build_object('audit', encode(due.hash, 'hex'), 'auditor', due.issuer, 'amount', due.amount,
                'checkpoint', encode(rests_on, 'hex')), due.issuer);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.reward() IS 'certifier: reward every completed audit under a checkpoint that has none yet and is not void with the policy''s amount for its role, whether it says pass or fail; who abstains has not completed it. Packages count once per auditor and role, so an audit that covers none but rewarded ones gets nothing, one of a replaced package gets its reward again. Returns the hashes of the reward packages';

CREATE FUNCTION ecert.create_certificate_views() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.certificate AS  -- the certificates, one row each, with their status now, whether this node's recomputation agrees, and whether they stand; judges nothing
    SELECT encode(p.hash, 'hex') AS certificate_hash,  -- hash of the certificate package, hexadecimal
           b.body ->> 'number' AS certificate_number,  -- number for people
           p.issuer,  -- node id of the certifier
           p.subject AS applicant,  -- node id of the applicant
           b.body ->> 'name' AS applicant_name,  -- name of the applicant when it was issued
           b.body -> 'method' ->> 'name' AS method,  -- product: per qualified output; value: per its value
           b.body -> 'conventions' ->> 'denominator' AS denominator,  -- baseline: saving_rate = saving_kgce / adjusted_base_kgce; reporting: saving_kgce / now_kgce
           lower(p.period) AS period_start,  -- start of the statistics period
           upper(p.period) AS period_end,  -- end of the statistics period, exclusive
           lower(ecert.period_of_json(b.body -> 'baseline')) AS baseline_start,  -- start of the baseline
           upper(ecert.period_of_json(b.body -> 'baseline')) AS baseline_end,  -- end of the baseline, exclusive
           (t.total ->> 'adjusted_base_kgce')::numeric(38,4) AS adjusted_base_kgce,  -- sum over products of e0 * M1: energy the reporting output would have taken at baseline intensity, kgce; denominator of saving_rate by default
           (t.total ->> 'now_kgce')::numeric(38,4) AS now_kgce,  -- energy of the statistics period, kgce
           (t.total ->> 'saving_kgce')::numeric(38,4) AS saving_kgce,  -- total saving, sum over products of (e0 - e1) * M1, kgce; positive = saved; numerator of saving_rate
           (t.total ->> 'saving_tce')::numeric(38,4) AS saving_tce,  -- the same in tonnes of standard coal
           (t.total ->> 'saving_rate')::numeric(38,9) AS saving_rate,  -- total saving rate; of several certificates sum(saving_kgce) / sum(adjusted_base_kgce), never an average
           (t.total ->> 'structure_kgce')::numeric(38,4) AS structure_kgce,  -- saving by one intensity over all products, less saving_kgce: the effect of the product mix; NULL where products have different units
           (b.body ->> 'threshold')::numeric(38,18) AS threshold,  -- saving rate that the policy asks for
           b.body ->> 'verdict' AS verdict,  -- pass when the unrounded rate reaches the threshold, or is above it where the policy is strict; else fail
           p.issued_at,  -- when it was issued
           ecert.from_unix_seconds((b.body -> 'valid' ->> 0)::bigint) AS valid_from,  -- valid from
           ecert.from_unix_seconds((b.body -> 'valid' ->> 1)::bigint) AS valid_until,  -- valid until, exclusive
           s.status,  -- active, suspended or withdrawn
           s.reason AS status_reason,  -- why, where it is not active from the beginning
           s.since AS status_since,  -- since when it has this status
           b.body ->> 'policy' AS policy_hash,  -- hash of the policy it was computed under, hexadecimal
           (b.body -> 'audits' ->> 'count')::bigint AS audit_count,  -- audits that counted over its packages, whatever they say
           b.body ->> 'checkpoint' AS checkpoint_hash,  -- hash of the checkpoint as of which it was computed, hexadecimal
           b.body ->> 'replaces' AS replaces_hash,  -- hash of the certificate it takes the place of, hexadecimal
           CASE f.recomputation WHEN 'agrees' THEN true WHEN 'differs' THEN false END AS recomputation_agrees,  -- did the figures equal their recomputation from this node's ledger, as of their checkpoint; NULL: not checkable here, or not judged yet
           f.recomputation,  -- the same in words: agrees, differs, or not checkable here, when this node is not sent the packages that the certificate rests on; NULL: its checkpoint has not been computed here yet
           f.problem AS finding,  -- what is wrong with it as of its checkpoint: it does not count; NULL: nothing that this node knows of (ecert.problems() judges it again)
           f.standing,  -- stands, or by what came later: disputed, overtaken, replaced, void; unsound: it has a finding; not checkable here; NULL: not judged yet. ecert.judge_certificates() keeps it up to date
           f.why AS standing_reason,  -- why it does not stand: the package or audit and what became of it
           f.since AS standing_since,  -- since when it has this standing
           c.seq AS checkpoint_seq,  -- the first checkpoint that covers it; NULL: it is not sealed yet
           CASE WHEN c.seq IS NULL THEN 0 ELSE ecert.witness_count(c.seq) END AS witness_count,  -- nodes that have witnessed that checkpoint or a later one
           coalesce((ecert.policy_body(decode(b.body ->> 'policy', 'hex')) -> 'certificate' ->> 'witnesses')::bigint, 0) AS witnesses_required  -- witnesses that its policy asks for before anybody should rely on it
      FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package) OFFSET 0) AS b (body)
     CROSS JOIN LATERAL (SELECT jsonb_path_query_first(b.body, '$.figures[*] ? (@.of == "total")') OFFSET 0) AS t (total)
     CROSS JOIN LATERAL ecert.certificate_status(p.hash) AS s
     CROSS JOIN LATERAL (SELECT ecert.sealed_by(p.issuer, p.kind, p.seq) OFFSET 0) AS c (seq)
      LEFT JOIN ledger.certificate_state f ON f.certificate_hash = p.hash
     WHERE p.kind = 'certificate'$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.certificate_product AS  -- the products of the certificates: baseline, now, saving
    SELECT encode(p.hash, 'hex') AS certificate_hash,  -- hash of the certificate package, hexadecimal
           p.subject AS applicant,  -- node id of the applicant
           r ->> 'product' AS product,  -- product
           r ->> 'unit' AS unit,  -- unit of output; of method value the currency
           (r ->> 'base_kgce')::numeric(38,4) AS base_kgce,  -- energy of the baseline, kgce: numerator of base_kgce_per_unit
           (r ->> 'base_output')::numeric(38,9) AS base_output_quantity,  -- qualified output (or its value) of the baseline: denominator
           (r ->> 'base_unit_energy')::numeric(38,9) AS base_kgce_per_unit,  -- unit energy of the baseline
           (r ->> 'now_kgce')::numeric(38,4) AS now_kgce,  -- energy of the statistics period, kgce: numerator of now_kgce_per_unit
           (r ->> 'now_output')::numeric(38,9) AS now_output_quantity,  -- qualified output (or its value) of the statistics period: denominator
           (r ->> 'now_unit_energy')::numeric(38,9) AS now_kgce_per_unit,  -- unit energy of the statistics period
           (r ->> 'saving_kgce')::numeric(38,4) AS saving_kgce,  -- (e0 - e1) * M1, kgce; positive = saved: numerator of saving_rate
           ((r ->> 'saving_kgce')::numeric + (r ->> 'now_kgce')::numeric)::numeric(38,4) AS adjusted_base_kgce,  -- e0 * M1, kgce, from the rounded figures: denominator of saving_rate by default
           (r ->> 'saving_rate')::numeric(38,9) AS saving_rate,  -- saving rate of the product
           r ->> 'status' AS status  -- ok, or why there is no saving
      FROM ledger.package p CROSS JOIN LATERAL jsonb_array_elements(ecert.body(p.package) -> 'figures') AS r
     WHERE p.kind = 'certificate' AND r ->> 'of' = 'product'$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.reward AS  -- the rewards of auditors
    SELECT encode(p.hash, 'hex') AS reward_hash,  -- hash of the reward package, hexadecimal
           b.body ->> 'audit' AS audit_hash,  -- hash of the audit it is for, hexadecimal
           b.body ->> 'auditor' AS auditor,  -- node id of the auditor
           (b.body ->> 'amount')::numeric(38,9) AS amount,  -- amount in the policy's reward unit
           p.issued_at  -- when it was given
      FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body) WHERE p.kind = 'reward'$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.reward_balance AS  -- what each auditor has been given
    SELECT r.auditor,  -- node id of the auditor
           count(*)::bigint AS reward_count,  -- number of rewards
           sum(r.amount)::numeric(38,9) AS amount  -- their sum, in the policy's reward unit
      FROM ledger.reward r GROUP BY r.auditor$view$);
$$;
COMMENT ON FUNCTION ecert.create_certificate_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';
