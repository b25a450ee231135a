-- Certificates: obstacles, computation, status, rewards.

-- The state of what is on the ledger

CREATE FUNCTION ecert.certificate_status(certificate bytea, before bigint DEFAULT NULL,
                                         OUT status text, OUT reason text, OUT since timestamptz) RETURNS record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(s.status, 'active'), s.reason, coalesce(s.issued_at, c.issued_at)
      FROM ledger.package c
      LEFT JOIN LATERAL (
            SELECT b.body ->> 'status' AS status, b.body ->> 'reason' AS reason, p.issued_at
              FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body)
             WHERE p.subject = c.subject AND p.kind = 'status' AND b.body ->> 'certificate' = pg_catalog.encode(c.hash, 'hex')
               AND (certificate_status.before IS NULL OR p.seq < certificate_status.before)
             ORDER BY p.seq DESC LIMIT 1) AS s ON true
     WHERE c.hash = certificate_status.certificate AND c.kind = 'certificate'
$$;
COMMENT ON FUNCTION ecert.certificate_status(bytea, bigint) IS 'active, suspended or withdrawn, with the reason and since when: the newest status package of a certificate (before that seq of the status feed, when given), active when there is none; NULLs when the hash names no certificate';

CREATE FUNCTION ecert.live_certificate(applicant text, period tstzrange, before bigint DEFAULT NULL) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.hash FROM ledger.package c
     WHERE c.subject = live_certificate.applicant AND c.kind = 'certificate'
       AND c.period OPERATOR(pg_catalog.&&) live_certificate.period
       AND (live_certificate.before IS NULL OR c.seq < live_certificate.before)
       AND (SELECT s.status FROM ecert.certificate_status(c.hash) AS s) <> 'withdrawn'
     ORDER BY c.seq LIMIT 1
$$;
COMMENT ON FUNCTION ecert.live_certificate(text, tstzrange, bigint) IS 'hash of a certificate of an applicant for an overlapping statistics period that is not withdrawn (suspended ones count); NULL when there is none';

CREATE FUNCTION ecert.package_ranges(applicant text, period tstzrange, baseline tstzrange,
                                     energy_last_seq bigint DEFAULT NULL, product_last_seq bigint DEFAULT NULL,
                                     OUT kind text, OUT is_baseline boolean, OUT first_seq bigint, OUT last_seq bigint,
                                     OUT hash bytea, OUT package_count bigint) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.kind, r.is_baseline, r.first_seq, r.last_seq,
           (SELECT p.hash FROM ledger.package p WHERE p.issuer = package_ranges.applicant AND p.kind = r.kind AND p.seq = r.last_seq), r.package_count
      FROM (SELECT k.kind, w.is_baseline, pg_catalog.min(l.seq) AS first_seq, pg_catalog.max(l.seq) AS last_seq, pg_catalog.count(*) AS package_count
              FROM (VALUES ('energy', energy_last_seq), ('product', product_last_seq)) AS k (kind, last_seq)
             CROSS JOIN (VALUES (true, baseline), (false, period)) AS w (is_baseline, within)
             CROSS JOIN LATERAL ecert.live_packages(package_ranges.applicant, k.kind, w.within, k.last_seq) AS l
             GROUP BY k.kind, w.is_baseline) AS r
     ORDER BY r.kind, r.is_baseline DESC
$$;
COMMENT ON FUNCTION ecert.package_ranges(text, tstzrange, tstzrange, bigint, bigint) IS 'internal: which packages of an applicant''s energy and product feeds an assessment uses: first and last seq of the live ones in the baseline and in the period, the last one''s hash, their number';

CREATE FUNCTION ecert.uncovered_packages(policy jsonb, applicant text, period tstzrange, baseline tstzrange,
                                         energy_last_seq bigint DEFAULT NULL, product_last_seq bigint DEFAULT NULL, only_audits bytea[] DEFAULT NULL,
                                         OUT as_role text, OUT kind text, OUT required integer, OUT package_count bigint, OUT first_period tstzrange) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH passed AS MATERIALIZED (
        SELECT DISTINCT a.auditor, a.as_role, a.kind, a.first_seq, a.last_seq, a.period
          FROM ecert.audits(uncovered_packages.applicant, energy_last_seq, product_last_seq) AS a
         WHERE a.verdict = 'pass' AND NOT a.void AND (only_audits IS NULL OR a.hash = ANY (only_audits)))
    SELECT q.as_role, k.kind, q.required, pg_catalog.count(*), (pg_catalog.array_agg(l.period ORDER BY l.period))[1]
      FROM (SELECT r ->> 'as' AS as_role, (r ->> 'count')::integer AS required
              FROM pg_catalog.jsonb_array_elements(policy -> 'audit' -> 'required') AS r) AS q
     CROSS JOIN LATERAL pg_catalog.unnest(ecert.audited_kinds(q.as_role)) AS k (kind)
     CROSS JOIN (VALUES (baseline), (period)) AS w (within)
     CROSS JOIN LATERAL ecert.live_packages(uncovered_packages.applicant, k.kind, w.within,
                                            CASE k.kind WHEN 'energy' THEN energy_last_seq ELSE product_last_seq END) AS l
     WHERE (SELECT pg_catalog.count(DISTINCT a.auditor) FROM passed a
             WHERE a.as_role = q.as_role AND a.kind = k.kind AND l.seq BETWEEN a.first_seq AND a.last_seq
               AND l.period OPERATOR(pg_catalog.<@) a.period) < q.required
     GROUP BY q.as_role, k.kind, q.required ORDER BY q.as_role, k.kind
$$;
COMMENT ON FUNCTION ecert.uncovered_packages(jsonb, text, tstzrange, tstzrange, bigint, bigint, bytea[]) IS 'internal: per required role and kind, how many live packages of the period and the baseline are not covered by the required number of auditors with a passing audit (of the given ones, when given). An audit covers the packages in its ranges; when one of them is replaced the whole audit is void';

-- Obstacles

CREATE FUNCTION ecert.feed_obstacles(applicant text) RETURNS TABLE (obstacle text, detail text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'feed_broken', pg_catalog.format('%s feed, seq %s: %s', b.kind, b.seq, b.why)
      FROM (SELECT c.kind, c.seq,
                   CASE WHEN c.seq <> coalesce(c.seq_before + 1, 0) THEN 'a package is missing before it'
                        WHEN ecert.prev(c.package) <> coalesce(c.hash_before, ecert.genesis_hash()) THEN 'it does not name the package before it'
                        WHEN ecert.hash(c.package) <> c.hash THEN 'its bytes have been changed' END AS why
              FROM (SELECT p.kind, p.seq, p.package, p.hash,
                           pg_catalog.lag(p.seq) OVER feed AS seq_before, pg_catalog.lag(p.hash) OVER feed AS hash_before
                      FROM ledger.package p WHERE p.issuer = feed_obstacles.applicant AND p.kind IN ('energy', 'product')
                    WINDOW feed AS (PARTITION BY p.kind ORDER BY p.seq)) AS c) AS b
     WHERE b.why IS NOT NULL ORDER BY b.kind, b.seq LIMIT 10
$$;
COMMENT ON FUNCTION ecert.feed_obstacles(text) IS 'internal: the first ten broken links of an applicant''s energy and product feeds';

CREATE FUNCTION ecert.period_obstacles(applicant text, period tstzrange, baseline tstzrange) RETURNS TABLE (obstacle text, detail text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'period_not_over', pg_catalog.format('the statistics period ends at %s', pg_catalog.upper(period))
     WHERE pg_catalog.upper(period) > pg_catalog.clock_timestamp()
    UNION ALL
    SELECT 'periods_overlap', pg_catalog.format('statistics period %s, baseline %s', period, baseline)
     WHERE period OPERATOR(pg_catalog.&&) baseline
    UNION ALL
    SELECT w.name || '_not_covered', pg_catalog.format('%s packages are missing for %s', k.kind, g.gaps)
      FROM (VALUES ('baseline', baseline), ('period', period)) AS w (name, within)
     CROSS JOIN (VALUES ('energy'), ('product')) AS k (kind)
     CROSS JOIN LATERAL (SELECT ecert.coverage_gaps(period_obstacles.applicant, k.kind, w.within)) AS g (gaps)
     WHERE NOT pg_catalog.isempty(g.gaps)
    UNION ALL
    SELECT 'package_straddles', pg_catalog.format('%s package seq %s of %s reaches over the edge of %s', p.kind, p.seq, p.period, w.within)
      FROM (VALUES (baseline), (period)) AS w (within)
      JOIN ledger.package p ON p.subject = period_obstacles.applicant AND p.issuer = p.subject AND p.kind IN ('energy', 'product')
       AND p.period OPERATOR(pg_catalog.&&) w.within AND NOT p.period OPERATOR(pg_catalog.<@) w.within
$$;
COMMENT ON FUNCTION ecert.period_obstacles(text, tstzrange, tstzrange) IS 'internal: obstacles in the periods and in how packages cover them';

CREATE FUNCTION ecert.audit_obstacles(policy jsonb, applicant text, period tstzrange, baseline tstzrange) RETURNS TABLE (obstacle text, detail text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'audit_missing', pg_catalog.format('%s %s packages lack %s passing %s audit(s), the first for %s', u.package_count, u.kind, u.required, u.as_role, u.first_period)
      FROM ecert.uncovered_packages(policy, audit_obstacles.applicant, period, baseline) AS u
    UNION ALL
    SELECT 'audit_failed', pg_catalog.format('"%s" as %s says fail for %s (audit %s)', a.auditor, a.as_role, a.period, pg_catalog.encode(a.hash, 'hex'))
      FROM (SELECT DISTINCT d.hash, d.auditor, d.as_role, d.period FROM ecert.audits(audit_obstacles.applicant) AS d
             WHERE d.verdict = 'fail' AND NOT d.void
               AND (d.period OPERATOR(pg_catalog.&&) audit_obstacles.period OR d.period OPERATOR(pg_catalog.&&) baseline)) AS a
$$;
COMMENT ON FUNCTION ecert.audit_obstacles(jsonb, text, tstzrange, tstzrange) IS 'internal: audits that the policy requires and that are missing, and audits that say fail and are not void';

CREATE FUNCTION ecert.obstacles(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product')
    RETURNS TABLE (obstacle text, detail text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    policy jsonb := ecert.policy();
    base tstzrange := coalesce(obstacles.baseline, ecert.default_baseline(obstacles.period, policy));
    state jsonb := ecert.node_state(obstacles.applicant);
    unknown_sources bigint;
BEGIN
    IF state IS NULL OR NOT state -> 'roles' ? 'applicant' OR state ->> 'status' <> 'active' THEN
        RETURN QUERY SELECT 'applicant_not_enrolled', format('node "%s" is not an active applicant', obstacles.applicant);
    END IF;
    RETURN QUERY SELECT o.obstacle, o.detail FROM ecert.period_obstacles(obstacles.applicant, obstacles.period, base) AS o;
    RETURN QUERY SELECT o.obstacle, o.detail FROM ecert.feed_obstacles(obstacles.applicant) AS o;
    RETURN QUERY SELECT 'certificate_exists', format('certificate %s is live', encode(c.hash, 'hex'))
                   FROM (SELECT ecert.live_certificate(obstacles.applicant, obstacles.period)) AS c (hash) WHERE c.hash IS NOT NULL;
    RETURN QUERY SELECT o.obstacle, o.detail FROM ecert.audit_obstacles(policy, obstacles.applicant, obstacles.period, base) AS o;
    RETURN QUERY SELECT 'coefficient_unknown', format('source "%s" in unit "%s", used in %s', m.source, m.unit, w.within)
                   FROM (VALUES (base), (obstacles.period)) AS w (within)
                  CROSS JOIN LATERAL ecert.missing_coefficient(policy, obstacles.applicant, w.within) AS m;
    GET DIAGNOSTICS unknown_sources = ROW_COUNT;
    IF unknown_sources = 0 THEN
        RETURN QUERY SELECT coalesce(nullif(a.status, 'ok'), 'no_baseline'),
                            CASE WHEN a.product IS NULL THEN 'nothing can be assessed' ELSE format('product "%s"', a.product) END
                       FROM ecert.assess_under(policy, obstacles.applicant, obstacles.period, base, obstacles.method) AS a
                      WHERE a.product IS NOT NULL AND a.status NOT IN ('ok', 'no_baseline')
                         OR a.product IS NULL AND a.status IN ('no_baseline', 'no_reporting');
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.obstacles(text, tstzrange, tstzrange, text) IS 'everything that stands against a certificate: period_not_over, periods_overlap, baseline_not_covered, period_not_covered, package_straddles, feed_broken, certificate_exists, audit_missing, audit_failed, coefficient_unknown, applicant_not_enrolled, and the statuses of ecert.assess() that are not ok or no_baseline; no row: ecert.certify() can go on';

-- The certificate

CREATE FUNCTION ecert.certificate_figures(applicant text, period tstzrange, baseline tstzrange, method text, policy_hash bytea,
                                          energy_last_seq bigint DEFAULT NULL, product_last_seq bigint DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH rule AS (SELECT ecert.policy_body(certificate_figures.policy_hash) AS policy),
    rows AS (
        SELECT a.* FROM rule CROSS JOIN LATERAL ecert.assess_under(rule.policy, certificate_figures.applicant, certificate_figures.period,
                    certificate_figures.baseline, certificate_figures.method, energy_last_seq, product_last_seq) AS a),
    ranges AS (
        SELECT r.* FROM ecert.package_ranges(certificate_figures.applicant, certificate_figures.period, certificate_figures.baseline,
                    energy_last_seq, product_last_seq) AS r),
    counts AS (
        SELECT jsonb_object_agg(CASE WHEN k.is_baseline THEN 'base_' ELSE '' END || k.kind || '_packages', coalesce(r.package_count, 0)) AS counts
          FROM (VALUES ('energy', true), ('energy', false), ('product', true), ('product', false)) AS k (kind, is_baseline)
          LEFT JOIN ranges r ON r.kind = k.kind AND r.is_baseline = k.is_baseline)
    SELECT jsonb_build_object(
        'applicant', certificate_figures.applicant,
        'period', ecert.period_json(certificate_figures.period),
        'baseline', ecert.period_json(certificate_figures.baseline),
        'method', certificate_figures.method,
        'conventions', jsonb_build_object('saving', 'baseline_minus_reporting', 'denominator', rule.policy -> 'certificate' -> 'denominator',
                                          'electricity', 'as the coefficients of the policy state'),
        'products', (SELECT jsonb_agg(jsonb_build_object('product', p.product, 'unit', coalesce(p.unit, '-'), 'base_kgce', p.base_kgce, 'base_output', p.base_output,
                        'base_unit_energy', p.base_unit_energy, 'now_kgce', p.now_kgce, 'now_output', p.now_output, 'now_unit_energy', p.now_unit_energy,
                        'saving_kgce', p.saving_kgce, 'saving_rate', p.saving_rate, 'status', p.status) ORDER BY p.product COLLATE "C")
                       FROM rows p WHERE p.product IS NOT NULL),
        'totals', (SELECT jsonb_build_object('adjusted_base_kgce', t.adjusted_base_kgce, 'now_kgce', t.now_kgce, 'saving_kgce', t.saving_kgce,
                        'saving_tce', ecert.quotient(t.saving_numerator, t.saving_denominator * 1000, 4), 'saving_rate', t.saving_rate,
                        'structure_kgce', t.structure_kgce)
                     FROM rows t WHERE t.product IS NULL),
        'completeness', counts.counts,
        'threshold', rule.policy -> 'certificate' -> 'threshold',
        -- on the exact fraction, not on the rounded rate
        'verdict', (SELECT CASE WHEN t.rate_denominator > 0
                                 AND t.rate_numerator >= (rule.policy -> 'certificate' ->> 'threshold')::numeric * t.rate_denominator
                                THEN 'pass' ELSE 'fail' END FROM rows t WHERE t.product IS NULL),
        'policy', encode(certificate_figures.policy_hash, 'hex'),
        'packages', (SELECT jsonb_agg(jsonb_build_object('kind', r.kind, 'first', r.first_seq, 'last', r.last_seq, 'hash', encode(r.hash, 'hex'))
                        ORDER BY r.kind, r.is_baseline DESC) FROM ranges r))
      FROM rule CROSS JOIN counts
$$;
COMMENT ON FUNCTION ecert.certificate_figures(text, tstzrange, tstzrange, text, bytea, bigint, bigint) IS 'what a certificate''s body says that can be computed: products, totals, completeness, threshold, verdict and the packages used, under the policy of that hash and as of the given last seqs of the energy and product feeds';

CREATE FUNCTION ecert.certificate_number(period tstzrange, seq bigint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.format('EC-%s-%s', EXTRACT(year FROM pg_catalog.lower(period) AT TIME ZONE 'UTC'), pg_catalog.lpad((seq + 1)::text, 6, '0'));
COMMENT ON FUNCTION ecert.certificate_number(tstzrange, bigint) IS 'number of the certificate with that seq: EC-<year of the statistics period>-<seq + 1>';

CREATE FUNCTION ecert.passing_audits(applicant text, period tstzrange, baseline tstzrange) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(pg_catalog.jsonb_agg(a.hash ORDER BY a.hash), '[]')
      FROM (SELECT DISTINCT pg_catalog.encode(d.hash, 'hex') AS hash FROM ecert.audits(passing_audits.applicant) AS d
             WHERE d.verdict = 'pass' AND NOT d.void
               AND (d.period OPERATOR(pg_catalog.&&) passing_audits.period OR d.period OPERATOR(pg_catalog.&&) passing_audits.baseline)) AS a
$$;
COMMENT ON FUNCTION ecert.passing_audits(text, tstzrange, tstzrange) IS 'internal: hashes of the passing, not void audits that touch the period or the baseline';

CREATE FUNCTION ecert.certify(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product') RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    policy_hash bytea := ecert.policy_hash();
    policy jsonb := ecert.policy_body(policy_hash);
    base tstzrange := coalesce(baseline, ecert.default_baseline(period, policy));
    now_seconds bigint := ecert.unix_seconds(clock_timestamp());
    standing text;
    next_seq bigint;
    replaced bytea;
BEGIN
    -- of two who certify at once the second sees the first one's certificate
    PERFORM 1 FROM ledger.feed f WHERE f.issuer = ecert.this_node() AND f.kind = 'certificate' FOR NO KEY UPDATE;
    SELECT string_agg(format('%s: %s', o.obstacle, o.detail), '; ') INTO standing
      FROM ecert.obstacles(applicant, period, base, method) AS o;
    IF standing IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC062', MESSAGE = format('"%s" cannot be certified for %s', applicant, period),
            DETAIL = standing || '.', HINT = 'SELECT * FROM ecert.obstacles(...) lists what stands against it.';
    END IF;
    SELECT coalesce(max(p.seq) + 1, 0) INTO next_seq FROM ledger.package p WHERE p.issuer = ecert.this_node() AND p.kind = 'certificate';
    SELECT c.hash INTO replaced FROM ledger.package c
     WHERE c.subject = applicant AND c.kind = 'certificate' AND c.period && period ORDER BY c.seq DESC LIMIT 1;
    RETURN ecert.append('certificate',
        ecert.certificate_figures(applicant, period, base, method, policy_hash)
        || jsonb_strip_nulls(jsonb_build_object(
            'number', ecert.certificate_number(period, next_seq), 'name', ecert.node_state(applicant) -> 'name',
            'valid', jsonb_build_array(now_seconds, now_seconds + (policy -> 'certificate' ->> 'valid_days')::bigint * 86400),
            'audits', ecert.passing_audits(applicant, period, base), 'replaces', encode(replaced, 'hex'))), applicant);
END
$$;
COMMENT ON FUNCTION ecert.certify(text, tstzrange, tstzrange, text) IS 'certifier: assess an applicant for a statistics period and put the signed certificate on the ledger; its verdict is pass when the total saving rate reaches the policy''s threshold, fail when not. Baseline by default the policy''s, or the same months of the year before. Returns the hash of the certificate package. EC062 lists every obstacle';

-- Rules of the kinds

CREATE FUNCTION ecert.check_figures(body jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    energy_last bigint := (SELECT max((r ->> 'last')::bigint) FROM jsonb_array_elements(body -> 'packages') AS r WHERE r ->> 'kind' = 'energy');
    product_last bigint := (SELECT max((r ->> 'last')::bigint) FROM jsonb_array_elements(body -> 'packages') AS r WHERE r ->> 'kind' = 'product');
    policy_hash bytea := decode(body ->> 'policy', 'hex');
    expected jsonb;
    wrong record;
BEGIN
    IF ecert.policy_body(policy_hash) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = 'the certificate names a policy that is not on the ledger', DETAIL = format('Policy %s.', body ->> 'policy');
    END IF;
    expected := ecert.certificate_figures(body ->> 'applicant', ecert.period_of_json(body -> 'period'), ecert.period_of_json(body -> 'baseline'),
                                          body ->> 'method', policy_hash, coalesce(energy_last, -1), coalesce(product_last, -1));
    SELECT e.key, e.value AS computed, body -> e.key AS stated INTO wrong
      FROM jsonb_each(expected) AS e WHERE e.value IS DISTINCT FROM coalesce(body -> e.key, 'null') ORDER BY e.key LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = format('certificate differs from its recomputation in "%s"', wrong.key),
            DETAIL = left(format('Stated %s, computed %s.', wrong.stated, wrong.computed), 2000),
            HINT = 'ecert.certify() computes certificates from the ledger.';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_figures(jsonb) IS 'internal: computes a certificate''s figures again from the packages, as of the ranges it names, and under the policy it names; EC061 with the first field that differs';

CREATE FUNCTION ecert.rule_certificate(p ecert.package, first_admission boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    body jsonb := ecert.body(p);
    period tstzrange := ecert.period_of_json(body -> 'period');
    baseline tstzrange := ecert.period_of_json(body -> 'baseline');
    policy jsonb := ecert.policy_body(decode(body ->> 'policy', 'hex'));
    audits bytea[] := ARRAY(SELECT decode(a, 'hex') FROM jsonb_array_elements_text(body -> 'audits') AS a);
    other bytea;
    lacking record;
BEGIN
    -- what has been withdrawn by now may have been live then: judged when first admitted
    IF first_admission THEN
        other := ecert.live_certificate(body ->> 'applicant', period, ecert.seq(p));
        IF other IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'EC060', MESSAGE = format('"%s" has a live certificate for this period', body ->> 'applicant'),
                DETAIL = format('Certificate %s.', encode(other, 'hex')), HINT = 'Withdraw it first with ecert.set_status().';
        END IF;
        IF upper(period) > ecert.issued_at(p) OR period && baseline THEN
            RAISE EXCEPTION USING ERRCODE = 'EC062', MESSAGE = 'the statistics period is not over, or overlaps the baseline',
                DETAIL = format('Period %s, baseline %s.', period, baseline);
        END IF;
    END IF;
    PERFORM ecert.check_figures(body);
    IF body ->> 'number' <> ecert.certificate_number(period, ecert.seq(p)) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = 'certificate has another number than its place in the feed gives',
            DETAIL = format('Stated %s, expected %s.', body ->> 'number', ecert.certificate_number(period, ecert.seq(p)));
    END IF;
    IF (body -> 'valid' ->> 1)::bigint - (body -> 'valid' ->> 0)::bigint <> (policy -> 'certificate' ->> 'valid_days')::bigint * 86400 THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = 'certificate is valid for another time than the policy gives',
            DETAIL = format('The policy gives %s days.', policy -> 'certificate' ->> 'valid_days');
    END IF;
    SELECT u.* INTO lacking FROM ecert.uncovered_packages(policy, body ->> 'applicant', period, baseline,
        (SELECT max((r ->> 'last')::bigint) FROM jsonb_array_elements(body -> 'packages') AS r WHERE r ->> 'kind' = 'energy'),
        (SELECT max((r ->> 'last')::bigint) FROM jsonb_array_elements(body -> 'packages') AS r WHERE r ->> 'kind' = 'product'), audits) AS u LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC062', MESSAGE = 'the audits that the certificate names do not cover its packages',
            DETAIL = format('%s %s packages lack %s passing %s audit(s).', lacking.package_count, lacking.kind, lacking.required, lacking.as_role);
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.rule_certificate(ecert.package, boolean) IS 'rule of kind certificate: every figure equals its recomputation (EC061), the named audits pass and cover the packages as the policy requires (EC062), no second live certificate for the applicant and period (EC060)';

CREATE FUNCTION ecert.certificate_agrees(p ecert.package) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM ecert.check_figures(ecert.body(p));
    RETURN true;
EXCEPTION WHEN SQLSTATE 'EC061' OR SQLSTATE 'EC042' THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION ecert.certificate_agrees(ecert.package) IS 'whether a certificate''s figures equal their recomputation from this node''s ledger';

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

CREATE FUNCTION ecert.rule_status(p ecert.package, first_admission boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    body jsonb := ecert.body(p);
    certified text;
    present record;
BEGIN
    SELECT c.subject INTO certified FROM ledger.package c WHERE c.hash = decode(body ->> 'certificate', 'hex') AND c.kind = 'certificate';
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC063', MESSAGE = 'there is no such certificate', DETAIL = format('Hash %s.', body ->> 'certificate');
    END IF;
    IF certified <> ecert.subject(p) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC017', MESSAGE = 'subject of the status package is not the certificate''s applicant',
            DETAIL = format('Subject "%s", expected "%s".', ecert.subject(p), certified);
    END IF;
    SELECT s.* INTO present FROM ecert.certificate_status(decode(body ->> 'certificate', 'hex'), ecert.seq(p)) AS s;
    IF present.status IN ('withdrawn', body ->> 'status') THEN
        RAISE EXCEPTION USING ERRCODE = 'EC064', MESSAGE = format('a certificate that is %s cannot become %s', present.status, body ->> 'status'),
            DETAIL = format('It is %s since %s.', present.status, present.since), HINT = 'Withdrawn is final; issue a new certificate.';
    END IF;
    IF body ->> 'status' = 'active' AND first_admission AND EXISTS (
        SELECT FROM ledger.package c WHERE c.hash = decode(body ->> 'certificate', 'hex')
           AND ecert.live_certificate(certified, c.period) <> c.hash) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC060', MESSAGE = 'another certificate for this period is live';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.rule_status(ecert.package, boolean) IS 'rule of kind status: of a certificate on the ledger (EC063) and its applicant (EC017), a change, and none after withdrawn (EC064)';

-- Rewards

CREATE FUNCTION ecert.reward() RETURNS SETOF bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    due record;
    rule jsonb := ecert.policy() -> 'reward';
BEGIN
    FOR due IN
        SELECT a.hash, a.issuer, (rule ->> (ecert.body(a.package) ->> 'as'))::numeric AS amount
          FROM ledger.package a
         WHERE a.kind = 'audit'
           AND NOT EXISTS (SELECT FROM ledger.package r WHERE r.kind = 'reward' AND ecert.body(r.package) ->> 'audit' = encode(a.hash, 'hex'))
         ORDER BY a.issuer, a.seq
    LOOP
        IF due.amount > 0 THEN
            RETURN NEXT ecert.append('reward', jsonb_build_object('audit', encode(due.hash, 'hex'), 'auditor', due.issuer, 'amount', due.amount), due.issuer);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.reward() IS 'certifier: reward every audit that has none yet with the policy''s amount for its role, whatever its verdict; returns the hashes of the reward packages';

CREATE FUNCTION ecert.rule_reward(p ecert.package, first_admission boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    body jsonb := ecert.body(p);
    audit ledger.package;
    amount numeric;
BEGIN
    SELECT a.* INTO audit FROM ledger.package a WHERE a.hash = decode(body ->> 'audit', 'hex') AND a.kind = 'audit';
    IF NOT FOUND OR audit.issuer <> body ->> 'auditor' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC071', MESSAGE = 'the reward is for no audit of this auditor on the ledger',
            DETAIL = format('Audit %s, auditor "%s".', body ->> 'audit', body ->> 'auditor');
    END IF;
    -- the policy may change later: the amount is judged when first admitted
    amount := (ecert.policy() -> 'reward' ->> (ecert.body(audit.package) ->> 'as'))::numeric;
    IF first_admission AND amount <> (body ->> 'amount')::numeric THEN
        RAISE EXCEPTION USING ERRCODE = 'EC071', MESSAGE = 'the reward is not what the policy gives for this role',
            DETAIL = format('Amount %s, the policy gives %s.', body ->> 'amount', amount);
    END IF;
    IF EXISTS (SELECT FROM ledger.package r
                WHERE r.kind = 'reward' AND ecert.body(r.package) ->> 'audit' = body ->> 'audit' AND r.issuer = ecert.issuer(p) AND r.seq < ecert.seq(p)) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC070', MESSAGE = 'this audit has been rewarded already', DETAIL = format('Audit %s.', body ->> 'audit');
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.rule_reward(ecert.package, boolean) IS 'rule of kind reward: for an audit of that auditor, with the policy''s amount (EC071), once (EC070)';

CREATE FUNCTION ecert.create_certificate_indexes() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CREATE INDEX IF NOT EXISTS package_reward_audit ON ledger.package ((ecert.body(package) ->> 'audit')) WHERE kind = 'reward';
    CREATE INDEX IF NOT EXISTS package_audit ON ledger.package (issuer, seq) WHERE kind = 'audit';
END
$$;
COMMENT ON FUNCTION ecert.create_certificate_indexes() IS 'internal: indexes by which rewards find their audits';

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
           ecert.certificate_agrees(p.package) AS recomputation_agrees
      FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body)
     CROSS JOIN LATERAL ecert.certificate_status(p.hash) AS s
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
    COMMENT ON COLUMN ledger.certificate.recomputation_agrees IS 'do the figures equal their recomputation from this node''s ledger';

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
    PERFORM ecert.create_certificate_indexes();
END
$$;
COMMENT ON FUNCTION ecert.create_certificate_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';

REVOKE ALL ON FUNCTION ecert.certify(text, tstzrange, tstzrange, text), ecert.set_status(bytea, text, text), ecert.reward(),
    ecert.create_certificate_indexes(), ecert.create_certificate_views() FROM PUBLIC;
