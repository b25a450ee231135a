-- Certificates: obstacles, computation, status, rewards.
--
-- Functions that gather from many rules at once set jit = off: the planner takes them for big queries, and
-- compiling them takes many times what running them does.

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
    -- a correction stands behind other periods in the feed: one range for each run of seqs
    SELECT i.kind, i.is_baseline, min(i.seq), max(i.seq), (array_agg(i.hash ORDER BY i.seq DESC))[1], count(*)
      FROM (SELECT k.kind, w.is_baseline, l.seq, l.hash, l.seq - row_number() OVER (PARTITION BY k.kind, w.is_baseline ORDER BY l.seq) AS island
              FROM (VALUES ('energy', energy_last_seq), ('product', product_last_seq)) AS k (kind, last_seq)
             CROSS JOIN (VALUES (true, baseline), (false, period)) AS w (is_baseline, within)
             CROSS JOIN LATERAL ecert.live_packages(package_ranges.applicant, k.kind, w.within, k.last_seq) AS l) AS i
     GROUP BY i.kind, i.is_baseline, i.island ORDER BY i.kind, i.is_baseline DESC, min(i.seq)
$$;
COMMENT ON FUNCTION ecert.package_ranges(text, tstzrange, tstzrange, bigint, bigint) IS 'internal: which packages of an applicant''s energy and product feeds an assessment uses: the runs of live ones in the baseline and in the period, with first and last seq, the last one''s hash, their number';

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

CREATE FUNCTION ecert.unassessed_obstacles(policy jsonb, applicant text, period tstzrange, baseline tstzrange) RETURNS TABLE (obstacle text, detail text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    state jsonb := ecert.node_state(unassessed_obstacles.applicant);
BEGIN
    IF state IS NULL OR NOT state -> 'roles' ? 'applicant' OR state ->> 'status' <> 'active' THEN
        RETURN QUERY SELECT 'applicant_not_enrolled', format('node "%s" is not an active applicant', unassessed_obstacles.applicant);
    END IF;
    RETURN QUERY SELECT o.obstacle, o.detail FROM ecert.period_obstacles(unassessed_obstacles.applicant, unassessed_obstacles.period, unassessed_obstacles.baseline) AS o;
    RETURN QUERY SELECT o.obstacle, o.detail FROM ecert.feed_obstacles(unassessed_obstacles.applicant) AS o;
    RETURN QUERY SELECT o.obstacle, o.detail
                   FROM ecert.audit_obstacles(unassessed_obstacles.policy, unassessed_obstacles.applicant, unassessed_obstacles.period, unassessed_obstacles.baseline) AS o;
END
$$;
COMMENT ON FUNCTION ecert.unassessed_obstacles(jsonb, text, tstzrange, tstzrange) IS 'internal: the obstacles that can be told without an assessment: applicant, periods, feeds, audits';

CREATE FUNCTION ecert.obstacles(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product')
    RETURNS TABLE (obstacle text, detail text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    policy jsonb := ecert.policy();
    base tstzrange := coalesce(obstacles.baseline, ecert.default_baseline(obstacles.period, policy));
    unknown_sources bigint;
BEGIN
    IF NOT coalesce(ecert.is_bounded(obstacles.period) AND ecert.is_bounded(base), false) THEN
        RETURN QUERY SELECT 'period_invalid', format('statistics period %s and baseline %s must have a beginning and an end', obstacles.period, base);
        RETURN;
    END IF;
    RETURN QUERY SELECT o.obstacle, o.detail FROM ecert.unassessed_obstacles(policy, obstacles.applicant, obstacles.period, base) AS o;
    RETURN QUERY SELECT 'certificate_exists', format('certificate %s is live', encode(c.hash, 'hex'))
                   FROM (SELECT ecert.live_certificate(obstacles.applicant, obstacles.period)) AS c (hash) WHERE c.hash IS NOT NULL;
    RETURN QUERY SELECT 'coefficient_unknown', format('source "%s" in unit "%s", used in %s', m.source, m.unit, w.within)
                   FROM (VALUES (base), (obstacles.period)) AS w (within)
                  CROSS JOIN LATERAL ecert.missing_coefficient(policy, obstacles.applicant, w.within) AS m;
    GET DIAGNOSTICS unknown_sources = ROW_COUNT;
    IF unknown_sources = 0 THEN
        RETURN QUERY
        WITH assessed AS MATERIALIZED (
            SELECT a.product, a.status, a.saving_kgce
              FROM ecert.assess_under(policy, obstacles.applicant, obstacles.period, base, obstacles.method) AS a),
        standing AS MATERIALIZED (
            SELECT a.status, a.product FROM assessed a WHERE a.product IS NOT NULL AND a.status NOT IN ('ok', 'no_baseline'))
        SELECT t.status, format('product "%s"', t.product) FROM standing t
        UNION ALL
        SELECT a.status, 'nothing can be assessed' FROM assessed a
         WHERE a.product IS NULL AND a.saving_kgce IS NULL AND NOT EXISTS (SELECT FROM standing);
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.obstacles(text, tstzrange, tstzrange, text) IS 'everything that stands against a certificate: period_invalid, period_not_over, periods_overlap, baseline_not_covered, period_not_covered, package_straddles, feed_broken, certificate_exists, audit_missing, audit_failed, coefficient_unknown, applicant_not_enrolled, and the statuses of ecert.assess() that are not ok or no_baseline (no_baseline when nothing at all has one); no row: ecert.certify() can go on';

CREATE FUNCTION ecert.is_bounded(period tstzrange) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN NOT pg_catalog.isempty(period) AND pg_catalog.isfinite(pg_catalog.lower(period)) AND pg_catalog.isfinite(pg_catalog.upper(period));
COMMENT ON FUNCTION ecert.is_bounded(tstzrange) IS 'internal: whether a period has a beginning and an end; NULL when one is missing';

-- The certificate

CREATE FUNCTION ecert.certificate_figures(applicant text, period tstzrange, baseline tstzrange, method text, policy_hash bytea,
                                          energy_last_seq bigint DEFAULT NULL, product_last_seq bigint DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off
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
          LEFT JOIN (SELECT c.kind, c.is_baseline, sum(c.package_count)::bigint AS package_count FROM ranges c GROUP BY c.kind, c.is_baseline) AS r
            ON r.kind = k.kind AND r.is_baseline = k.is_baseline)
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
                        'saving_tce', t.saving_tce, 'saving_rate', t.saving_rate,
                        'structure_kgce', t.structure_kgce)
                     FROM rows t WHERE t.product IS NULL),
        'completeness', counts.counts,
        'threshold', rule.policy -> 'certificate' -> 'threshold',
        'verdict', (SELECT CASE WHEN t.passes THEN 'pass' ELSE 'fail' END FROM rows t WHERE t.product IS NULL),
        'policy', encode(certificate_figures.policy_hash, 'hex'),
        'packages', (SELECT jsonb_agg(jsonb_build_object('kind', r.kind, 'first', r.first_seq, 'last', r.last_seq, 'hash', encode(r.hash, 'hex'))
                        ORDER BY r.kind, r.is_baseline DESC, r.first_seq) FROM ranges r))
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

CREATE FUNCTION ecert.certificate_before(applicant text, period tstzrange, before bigint DEFAULT NULL) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.hash FROM ledger.package c
     WHERE c.subject = certificate_before.applicant AND c.kind = 'certificate' AND c.period && certificate_before.period
       AND (certificate_before.before IS NULL OR c.seq < certificate_before.before)
     ORDER BY c.seq DESC LIMIT 1
$$;
COMMENT ON FUNCTION ecert.certificate_before(text, tstzrange, bigint) IS 'internal: hash of the newest certificate of an applicant for an overlapping period (before that seq, when given), which a new one replaces; NULL when it is the first';

CREATE FUNCTION ecert.certify(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product') RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
    policy_hash bytea := ecert.policy_hash();
    policy jsonb := ecert.policy_body(policy_hash);
    base tstzrange := coalesce(baseline, ecert.default_baseline(period, policy));
    now_seconds bigint := ecert.unix_seconds(clock_timestamp());
    standing text;
    next_seq bigint;
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
    RETURN ecert.append('certificate',
        ecert.certificate_figures(applicant, period, base, method, policy_hash)
        || jsonb_strip_nulls(jsonb_build_object(
            'number', ecert.certificate_number(period, next_seq), 'name', ecert.node_state(applicant) -> 'name',
            'valid', jsonb_build_array(now_seconds, now_seconds + (policy -> 'certificate' ->> 'valid_days')::bigint * 86400),
            'audits', ecert.passing_audits(applicant, period, base), 'replaces', encode(ecert.certificate_before(applicant, period), 'hex'))), applicant);
END
$$;
COMMENT ON FUNCTION ecert.certify(text, tstzrange, tstzrange, text) IS 'certifier: assess an applicant for a statistics period and put the signed certificate on the ledger; its verdict is pass when the total saving rate reaches the policy''s threshold, fail when not. Baseline by default the policy''s, or the same months of the year before. Returns the hash of the certificate package. EC062 lists every obstacle';

-- Rules of the kinds

CREATE FUNCTION ecert.first_difference(expected jsonb, stated jsonb, OUT field text, OUT computed jsonb, OUT stated_value jsonb) RETURNS record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    -- its planned cost is far above its real one: compiling it would take most of the time of a certificate
    -- down to the single figure: paths like totals.saving_kgce or products.0.now_kgce
    WITH RECURSIVE pairs AS (
        SELECT NULL::text AS path, first_difference.expected AS e, first_difference.stated AS s
        UNION ALL
        SELECT concat_ws('.', p.path, k.name), k.e, k.s
          FROM pairs p
         CROSS JOIN LATERAL (
               SELECT m.key AS name, m.value AS e, p.s -> m.key AS s
                 FROM jsonb_each(CASE WHEN jsonb_typeof(p.e) = 'object' AND jsonb_typeof(p.s) = 'object' THEN p.e ELSE '{}' END) AS m
               UNION ALL
               SELECT (m.ordinality - 1)::text, m.value, p.s -> (m.ordinality - 1)::integer
                 FROM jsonb_array_elements(CASE WHEN jsonb_typeof(p.e) = 'array' AND jsonb_typeof(p.s) = 'array'
                                                 AND jsonb_array_length(p.e) = jsonb_array_length(p.s) THEN p.e ELSE '[]' END) WITH ORDINALITY AS m) AS k
         WHERE k.e IS DISTINCT FROM coalesce(k.s, 'null'))
    SELECT d.path, d.e, d.s FROM pairs d
     WHERE d.path IS NOT NULL AND NOT EXISTS (SELECT FROM pairs c WHERE starts_with(c.path, d.path || '.'))
     ORDER BY d.path COLLATE "C" LIMIT 1
$$;
COMMENT ON FUNCTION ecert.first_difference(jsonb, jsonb) IS 'internal: the field, down to the single figure, in which what a body states differs from what is expected; NULLs when all that is expected is stated. Fields that are not expected are not looked at';

CREATE FUNCTION ecert.check_figures(body jsonb, at_present boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    policy_hash bytea := decode(body ->> 'policy', 'hex');
    expected jsonb;
    wrong record;
BEGIN
    IF ecert.policy_body(policy_hash) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = 'the certificate names a policy that is not on the ledger', DETAIL = format('Policy %s.', body ->> 'policy');
    END IF;
    expected := ecert.certificate_figures(body ->> 'applicant', ecert.period_of_json(body -> 'period'), ecert.period_of_json(body -> 'baseline'),
                                          body ->> 'method', policy_hash,
                                          CASE WHEN NOT at_present THEN ecert.last_used(body -> 'packages', 'energy') END,
                                          CASE WHEN NOT at_present THEN ecert.last_used(body -> 'packages', 'product') END);
    SELECT d.* INTO wrong FROM ecert.first_difference(expected, body) AS d;
    IF wrong.field IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = format('certificate differs from its recomputation in "%s"', wrong.field),
            DETAIL = left(format('Stated %s, computed %s.', coalesce(wrong.stated_value, 'null'), coalesce(wrong.computed, 'null')), 2000),
            HINT = 'ecert.certify() computes certificates from the ledger.';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_figures(jsonb, boolean) IS 'internal: computes a certificate''s figures again from the packages, as of the ranges it names (at_present: as of now, so that a new one leaves no correction out), under the policy it names; EC061 with the first field that differs';

CREATE FUNCTION ecert.last_used(packages jsonb, of_kind text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce((SELECT pg_catalog.max((r ->> 'last')::bigint) FROM pg_catalog.jsonb_array_elements(packages) AS r WHERE r ->> 'kind' = of_kind), -1);
COMMENT ON FUNCTION ecert.last_used(jsonb, text) IS 'internal: the last seq of a kind that a body''s packages [{kind, first, last, hash}] name, -1 when none: the state of the feed that a certificate was computed at';

CREATE FUNCTION ecert.check_terms(body jsonb, seq bigint, issued_at timestamptz) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    period tstzrange := ecert.period_of_json(body -> 'period');
    valid_seconds bigint := (ecert.policy_body(decode(body ->> 'policy', 'hex')) -> 'certificate' ->> 'valid_days')::bigint * 86400;
    wrong record;
BEGIN
    SELECT d.* INTO wrong FROM ecert.first_difference(jsonb_build_object(
        'number', ecert.certificate_number(period, seq),
        'replaces', encode(ecert.certificate_before(body ->> 'applicant', period, seq), 'hex'),
        'valid', jsonb_build_array(body -> 'valid' -> 0, (body -> 'valid' ->> 0)::bigint + valid_seconds)), body) AS d;
    -- a day to either side: the clocks of what makes the body and of what signs it
    IF wrong.field IS NULL AND abs((body -> 'valid' ->> 0)::bigint - ecert.unix_seconds(issued_at)) > 86400 THEN
        SELECT 'valid.0' AS field, to_jsonb(ecert.unix_seconds(issued_at)) AS computed, body -> 'valid' -> 0 AS stated_value INTO wrong;
    END IF;
    IF wrong.field IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = format('certificate states another "%s" than its place in the feed and the policy give', wrong.field),
            DETAIL = format('Stated %s, expected %s.', coalesce(wrong.stated_value, 'null'), wrong.computed);
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_terms(jsonb, bigint, timestamptz) IS 'internal: a certificate''s number, what it replaces and how long it is valid follow from its seq, issue date and policy; EC061';

CREATE FUNCTION ecert.check_audits(body jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
    applicant text := body ->> 'applicant';
    period tstzrange := ecert.period_of_json(body -> 'period');
    baseline tstzrange := ecert.period_of_json(body -> 'baseline');
    energy_last bigint := ecert.last_used(body -> 'packages', 'energy');
    product_last bigint := ecert.last_used(body -> 'packages', 'product');
    audits bytea[] := ARRAY(SELECT decode(a, 'hex') FROM jsonb_array_elements_text(body -> 'audits') AS a);
    lacking record;
    unfit text;
BEGIN
    SELECT encode(a.hash, 'hex') INTO unfit FROM unnest(audits) AS a (hash)
     WHERE NOT EXISTS (SELECT FROM ecert.audits(applicant, energy_last, product_last) AS d
                        WHERE d.hash = a.hash AND d.verdict = 'pass' AND NOT d.void) LIMIT 1;
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = 'the certificate names an audit that does not bear it out',
            DETAIL = format('%s is no passing, not void audit of "%s".', unfit, applicant);
    END IF;
    SELECT u.* INTO lacking FROM ecert.uncovered_packages(ecert.policy_body(decode(body ->> 'policy', 'hex')), applicant, period, baseline,
                                                          energy_last, product_last, audits) AS u LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC062', MESSAGE = 'the audits that the certificate names do not cover its packages',
            DETAIL = format('%s %s packages lack %s passing %s audit(s).', lacking.package_count, lacking.kind, lacking.required, lacking.as_role);
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_audits(jsonb) IS 'internal: every audit that a certificate names is a passing, not void audit of its applicant (EC061), and together they cover its packages as its policy requires (EC062), as of the ranges it names';

CREATE FUNCTION ecert.check_obstacles(body jsonb, issued_at timestamptz, first_admission boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    period tstzrange := ecert.period_of_json(body -> 'period');
    baseline tstzrange := ecert.period_of_json(body -> 'baseline');
    standing text;
BEGIN
    SELECT o.obstacle || ': ' || o.detail INTO standing FROM (
        SELECT 'period_not_over' AS obstacle, format('the statistics period ends at %s', upper(period)) AS detail WHERE upper(period) > issued_at
        UNION ALL
        SELECT 'periods_overlap', format('statistics period %s, baseline %s', period, baseline) WHERE period && baseline
        UNION ALL
        SELECT w.name || '_not_covered', format('%s packages are missing for %s', k.kind, g.gaps)
          FROM (VALUES ('baseline', baseline), ('period', period)) AS w (name, within)
         CROSS JOIN (VALUES ('energy'), ('product')) AS k (kind)
         CROSS JOIN LATERAL (SELECT ecert.coverage_gaps(body ->> 'applicant', k.kind, w.within, ecert.last_used(body -> 'packages', k.kind))) AS g (gaps)
         WHERE NOT isempty(g.gaps)
        UNION ALL
        SELECT p ->> 'status', format('product "%s"', p ->> 'product') FROM jsonb_array_elements(body -> 'products') AS p
         WHERE p ->> 'status' NOT IN ('ok', 'no_baseline')
        UNION ALL
        SELECT 'no_baseline', 'nothing can be assessed' WHERE body -> 'totals' -> 'saving_kgce' = 'null'
        UNION ALL
        -- what has come to the ledger since does not undo a certificate: of the present state only when first admitted
        SELECT n.* FROM ecert.unassessed_obstacles(ecert.policy(), body ->> 'applicant', period, baseline) AS n WHERE first_admission) AS o LIMIT 1;
    IF standing IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC062', MESSAGE = format('"%s" cannot be certified for %s', body ->> 'applicant', period),
            DETAIL = standing || '.', HINT = 'SELECT * FROM ecert.obstacles(...) lists what stands against it.';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_obstacles(jsonb, timestamptz, boolean) IS 'internal: the first obstacle to the certificate with that body, as of the packages it names, and at first admission as of now; EC062';

CREATE FUNCTION ecert.rule_certificate(p ecert.package, first_admission boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    body jsonb := ecert.body(p);
    other bytea;
BEGIN
    -- what has been withdrawn by now may have been live then, and another policy in force: judged when first admitted
    IF first_admission THEN
        other := ecert.live_certificate(body ->> 'applicant', ecert.period_of_json(body -> 'period'), ecert.seq(p));
        IF other IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'EC060', MESSAGE = format('"%s" has a live certificate for this period', body ->> 'applicant'),
                DETAIL = format('Certificate %s.', encode(other, 'hex')), HINT = 'Withdraw it first with ecert.set_status().';
        END IF;
        IF decode(body ->> 'policy', 'hex') <> ecert.policy_hash() THEN
            RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = 'the certificate names another policy than the one in force',
                DETAIL = format('Stated %s, in force %s.', body ->> 'policy', encode(ecert.policy_hash(), 'hex'));
        END IF;
    END IF;
    PERFORM ecert.check_figures(body, first_admission);
    PERFORM ecert.check_terms(body, ecert.seq(p), ecert.issued_at(p));
    PERFORM ecert.check_audits(body);
    PERFORM ecert.check_obstacles(body, ecert.issued_at(p), first_admission);
    IF first_admission AND body ->> 'name' IS DISTINCT FROM ecert.node_state(body ->> 'applicant') ->> 'name' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC061', MESSAGE = 'the certificate names the applicant otherwise than the ledger does',
            DETAIL = format('Stated "%s", enrolled as "%s".', body ->> 'name', ecert.node_state(body ->> 'applicant') ->> 'name');
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.rule_certificate(ecert.package, boolean) IS 'rule of kind certificate: no second live one for the applicant and period (EC060), every figure, the number and the validity as recomputed under the policy in force, audits that pass (EC061) and cover the packages, nothing that stands against it (EC062)';

CREATE FUNCTION ecert.needs_hash(hash text, of_kind text, from_issuer text, OUT waits_for text, OUT kind text, OUT issuer text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT of_kind || ' ' || needs_hash.hash, of_kind, from_issuer
     WHERE NOT EXISTS (SELECT FROM ledger.package l WHERE l.hash = decode(needs_hash.hash, 'hex'))
$$;
COMMENT ON FUNCTION ecert.needs_hash(text, text, text) IS 'internal: one row when the package of that hash (hexadecimal; NULL: none) is not on this ledger (yet), as ledger.pending.waits_for says it, with the feed that would bring it';

CREATE FUNCTION ecert.needs_certificate(p ecert.package, OUT waits_for text, OUT kind text, OUT issuer text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT n.waits_for, n.kind, n.issuer FROM ecert.needs_ranges(ecert.body(p) ->> 'applicant', ecert.body(p) -> 'packages') AS n
    UNION ALL
    SELECT n.waits_for, n.kind, n.issuer FROM (SELECT ecert.body(p) ->> 'policy' AS hash) AS b
     CROSS JOIN LATERAL ecert.needs_hash(b.hash, 'policy', ecert.certifier()) AS n WHERE b.hash <> encode(ecert.genesis_hash(), 'hex')
    UNION ALL
    SELECT n.waits_for, n.kind, n.issuer FROM jsonb_array_elements_text(ecert.body(p) -> 'audits') AS a (hash)
     CROSS JOIN LATERAL ecert.needs_hash(a.hash, 'audit', NULL) AS n
$$;
COMMENT ON FUNCTION ecert.needs_certificate(ecert.package) IS 'internal: what a certificate rests on and is not on this ledger (yet): the packages, the policy and the audits that it names';

CREATE FUNCTION ecert.needs_status(p ecert.package, OUT waits_for text, OUT kind text, OUT issuer text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT n.waits_for, n.kind, n.issuer
      FROM (VALUES (ecert.body(p) ->> 'certificate'), (ecert.body(p) ->> 'replaced_by')) AS b (hash)
     CROSS JOIN LATERAL ecert.needs_hash(b.hash, 'certificate', ecert.certifier()) AS n WHERE b.hash IS NOT NULL
$$;
COMMENT ON FUNCTION ecert.needs_status(ecert.package) IS 'internal: what a status package rests on and is not on this ledger (yet): the certificates that it names';

CREATE FUNCTION ecert.needs_reward(p ecert.package, OUT waits_for text, OUT kind text, OUT issuer text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT n.waits_for, n.kind, n.issuer FROM ecert.needs_hash(ecert.body(p) ->> 'audit', 'audit', ecert.body(p) ->> 'auditor') AS n $$;
COMMENT ON FUNCTION ecert.needs_reward(ecert.package) IS 'internal: what a reward package rests on and is not on this ledger (yet): its audit';

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
    IF body ? 'replaced_by' AND NOT EXISTS (
        SELECT FROM ledger.package c WHERE c.hash = decode(body ->> 'replaced_by', 'hex') AND c.kind = 'certificate' AND c.subject = certified) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC063', MESSAGE = 'the certificate is replaced by none of this applicant', DETAIL = format('Hash %s.', body ->> 'replaced_by');
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

CREATE FUNCTION ecert.has_unrewarded(audit bytea, before bigint DEFAULT NULL) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH this AS (
        SELECT a.issuer, a.subject, b.body ->> 'as' AS as_role, b.body -> 'packages' AS packages
          FROM ledger.package a CROSS JOIN LATERAL (SELECT ecert.body(a.package)) AS b (body)
         WHERE a.hash = has_unrewarded.audit AND a.kind = 'audit'),
    paid AS (
        SELECT r ->> 'kind' AS kind, range_agg(int8range((r ->> 'first')::bigint, (r ->> 'last')::bigint, '[]')) AS seqs
          FROM this t JOIN ledger.package a ON a.issuer = t.issuer AND a.kind = 'audit' AND a.subject = t.subject
         CROSS JOIN LATERAL (SELECT ecert.body(a.package)) AS b (body) CROSS JOIN LATERAL jsonb_array_elements(b.body -> 'packages') AS r
         WHERE b.body ->> 'as' = t.as_role
           AND EXISTS (SELECT FROM ledger.package w WHERE w.kind = 'reward' AND ecert.reference(w.package) = a.hash
                          AND (has_unrewarded.before IS NULL OR w.seq < has_unrewarded.before))
         GROUP BY r ->> 'kind')
    SELECT EXISTS (SELECT FROM this t CROSS JOIN LATERAL jsonb_array_elements(t.packages) AS r LEFT JOIN paid p ON p.kind = r ->> 'kind'
                    WHERE NOT coalesce(p.seqs, '{}') @> int8range((r ->> 'first')::bigint, (r ->> 'last')::bigint, '[]'))
$$;
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

CREATE FUNCTION ecert.rule_reward(p ecert.package, first_admission boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    body jsonb := ecert.body(p);
    said jsonb;
    amount numeric;
BEGIN
    SELECT ecert.body(a.package) INTO said FROM ledger.package a
     WHERE a.hash = decode(body ->> 'audit', 'hex') AND a.kind = 'audit' AND a.issuer = body ->> 'auditor';
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC071', MESSAGE = 'the reward is for no audit of this auditor on the ledger',
            DETAIL = format('Audit %s, auditor "%s".', body ->> 'audit', body ->> 'auditor');
    END IF;
    IF said ->> 'verdict' = 'abstain' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC071', MESSAGE = 'the reward is for an audit that abstains', DETAIL = format('Audit %s.', body ->> 'audit');
    END IF;
    -- the policy may change later: the amount is judged when first admitted
    amount := (ecert.policy() -> 'reward' ->> (said ->> 'as'))::numeric;
    IF first_admission AND amount <> (body ->> 'amount')::numeric THEN
        RAISE EXCEPTION USING ERRCODE = 'EC071', MESSAGE = 'the reward is not what the policy gives for this role',
            DETAIL = format('Amount %s, the policy gives %s.', body ->> 'amount', amount);
    END IF;
    IF NOT ecert.has_unrewarded(decode(body ->> 'audit', 'hex'), ecert.seq(p)) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC070', MESSAGE = 'this auditor has been rewarded for these packages in this role already',
            DETAIL = format('Audit %s.', body ->> 'audit'), HINT = 'A package that replaces one of them can be audited, and rewarded, again.';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.rule_reward(ecert.package, boolean) IS 'rule of kind reward: for a completed audit of that auditor, with the policy''s amount (EC071), packages not rewarded before to it in that role (EC070)';

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

REVOKE ALL ON FUNCTION ecert.certify(text, tstzrange, tstzrange, text), ecert.set_status(bytea, text, text), ecert.reward(),
    ecert.create_certificate_views() FROM PUBLIC;
