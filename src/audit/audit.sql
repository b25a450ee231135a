-- Audits: an auditor's private records against what an applicant has signed.

CREATE FUNCTION ecert.create_audit_tables() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CREATE TABLE ledger.delivery (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        node text COLLATE "C" NOT NULL DEFAULT current_setting('ecert.node'),
        applicant text COLLATE "C" NOT NULL,
        source text COLLATE "C" NOT NULL,
        unit text COLLATE "C" NOT NULL,
        period_start timestamptz NOT NULL,
        period_end timestamptz NOT NULL,
        quantity numeric NOT NULL,
        stock_change numeric NOT NULL DEFAULT 0,
        CHECK (period_start < period_end)
    );
    CREATE INDEX delivery_node_applicant ON ledger.delivery (node, applicant, period_start);
    COMMENT ON TABLE ledger.delivery IS 'local and private to an upstream auditor: the energy it delivered to applicants';
    COMMENT ON COLUMN ledger.delivery.id IS 'number of the record';
    COMMENT ON COLUMN ledger.delivery.node IS 'the auditor whose record it is';
    COMMENT ON COLUMN ledger.delivery.applicant IS 'node id of the applicant it went to';
    COMMENT ON COLUMN ledger.delivery.source IS 'energy source';
    COMMENT ON COLUMN ledger.delivery.unit IS 'unit of the quantities';
    COMMENT ON COLUMN ledger.delivery.period_start IS 'start of the period delivered in';
    COMMENT ON COLUMN ledger.delivery.period_end IS 'end of the period, exclusive';
    COMMENT ON COLUMN ledger.delivery.quantity IS 'delivered, in unit';
    COMMENT ON COLUMN ledger.delivery.stock_change IS 'taken out of the applicant''s stock of these deliveries (negative: put in), as far as the auditor knows: use = quantity + stock_change';
    CREATE TABLE ledger.purchase (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        node text COLLATE "C" NOT NULL DEFAULT current_setting('ecert.node'),
        applicant text COLLATE "C" NOT NULL,
        product text COLLATE "C" NOT NULL,
        unit text COLLATE "C" NOT NULL,
        period_start timestamptz NOT NULL,
        period_end timestamptz NOT NULL,
        quantity numeric NOT NULL,
        value numeric,
        CHECK (period_start < period_end)
    );
    CREATE INDEX purchase_node_applicant ON ledger.purchase (node, applicant, period_start);
    COMMENT ON TABLE ledger.purchase IS 'local and private to a downstream auditor: what it bought from applicants';
    COMMENT ON COLUMN ledger.purchase.id IS 'number of the record';
    COMMENT ON COLUMN ledger.purchase.node IS 'the auditor whose record it is';
    COMMENT ON COLUMN ledger.purchase.applicant IS 'node id of the applicant it was bought from';
    COMMENT ON COLUMN ledger.purchase.product IS 'product';
    COMMENT ON COLUMN ledger.purchase.unit IS 'unit of the quantity';
    COMMENT ON COLUMN ledger.purchase.period_start IS 'start of the period bought in';
    COMMENT ON COLUMN ledger.purchase.period_end IS 'end of the period, exclusive';
    COMMENT ON COLUMN ledger.purchase.quantity IS 'bought, in unit';
    COMMENT ON COLUMN ledger.purchase.value IS 'paid, in the currency the applicant declares in';
END
$$;
COMMENT ON FUNCTION ecert.create_audit_tables() IS 'internal: makes ledger.delivery and ledger.purchase';

CREATE FUNCTION ecert.audited_kinds(as_role text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE as_role WHEN 'upstream' THEN '{energy}'::text[] WHEN 'downstream' THEN '{product}'::text[]
                        WHEN 'peer' THEN '{energy,product}'::text[] END;
COMMENT ON FUNCTION ecert.audited_kinds(text) IS 'kinds of packages that an auditor in a role reads: upstream energy, downstream product, peer both; NULL for no role';

-- Checks common to all roles: what the packages themselves show

CREATE FUNCTION ecert.coverage_gaps(applicant text, of_kind text, within tstzrange, last_seq bigint DEFAULT NULL) RETURNS tstzmultirange
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.tstzmultirange(within) OPERATOR(pg_catalog.-)
           coalesce(pg_catalog.range_agg(p.period), '{}'::pg_catalog.tstzmultirange)
      FROM ecert.live_packages(coverage_gaps.applicant, of_kind, within, last_seq) AS p
$$;
COMMENT ON FUNCTION ecert.coverage_gaps(text, text, tstzrange, bigint) IS 'the parts of a range that an applicant''s packages of a kind do not cover; empty when they cover all of it. Overlaps cannot be: admission refuses them';

CREATE FUNCTION ecert.check_structure(applicant text, period tstzrange, as_role text,
                                      OUT check_name text, OUT product text, OUT source text, OUT declared numeric, OUT found numeric,
                                      OUT deviation numeric, OUT tolerance numeric, OUT ok boolean, OUT note text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'coverage_' || k.kind, NULL::text, NULL::text, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric,
           isempty(g.gaps), CASE WHEN isempty(g.gaps) THEN NULL ELSE 'not covered: ' || g.gaps::text END
      FROM unnest(ecert.audited_kinds(as_role)) AS k (kind)
     CROSS JOIN LATERAL (SELECT ecert.coverage_gaps(check_structure.applicant, k.kind, period)) AS g (gaps)
    UNION ALL
    SELECT 'source_known', NULL, m.source, NULL, NULL, NULL, NULL, false, format('unit "%s" has no coefficient in the policy in force', m.unit)
      FROM ecert.missing_coefficient(ecert.policy(), check_structure.applicant, period) AS m
     WHERE 'energy' = ANY (ecert.audited_kinds(as_role))
    UNION ALL
    -- a meter that was never named before, beside meters that were
    SELECT 'meter_known', NULL, n.source, NULL, NULL, NULL, NULL, h.meter IS NOT NULL,
           CASE WHEN h.meter IS NULL THEN format('meter "%s" appears for the first time', n.meter) END
      FROM (SELECT DISTINCT l.source, l.meter
              FROM ecert.live_packages(check_structure.applicant, 'energy', period) AS p
             CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l WHERE l.meter IS NOT NULL) AS n
      LEFT JOIN (SELECT DISTINCT l.meter
              FROM ecert.live_packages(check_structure.applicant, 'energy', tstzrange('1970-01-01 00:00:00+00', lower(period))) AS p
             CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l WHERE l.meter IS NOT NULL) AS h ON h.meter = n.meter
     WHERE 'energy' = ANY (ecert.audited_kinds(as_role))
       AND EXISTS (SELECT FROM ecert.live_packages(check_structure.applicant, 'energy', tstzrange('1970-01-01 00:00:00+00', lower(period))) AS p
                   CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l WHERE l.meter IS NOT NULL)
     ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION ecert.check_structure(text, tstzrange, text) IS 'internal: the checks that every role makes on the packages it reads: no gap in the period, every source with a coefficient, no meter out of nowhere. Overlaps and negative quantities are refused at admission';

-- Upstream: declared use against deliveries

CREATE FUNCTION ecert.check_upstream(auditor text, applicant text, period tstzrange,
                                     OUT check_name text, OUT product text, OUT source text, OUT declared numeric, OUT found numeric,
                                     OUT deviation numeric, OUT tolerance numeric, OUT ok boolean, OUT note text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    -- everything in kgce, so that units of both sides may differ
    WITH factor AS (SELECT c.source, c.unit, c.kgce FROM ecert.coefficients(ecert.policy()) AS c),
    delivered AS (
        SELECT d.source, sum(d.quantity * f.kgce) AS quantity, sum(d.stock_change * f.kgce) AS stock_change
          FROM ledger.delivery d JOIN factor f ON f.source = d.source AND f.unit = d.unit
         WHERE d.node = check_upstream.auditor AND d.applicant = check_upstream.applicant
           AND d.period_start >= lower(period) AND d.period_end <= upper(period)
         GROUP BY d.source),
    lines AS (
        SELECT l.source, l.supplier, l.quantity * f.kgce AS quantity
          FROM ecert.live_packages(check_upstream.applicant, 'energy', period) AS p
         CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l JOIN factor f ON f.source = l.source AND f.unit = l.unit),
    declared AS (
        SELECT l.source, sum(l.quantity) FILTER (WHERE l.supplier = check_upstream.auditor) AS own,
               sum(l.quantity) FILTER (WHERE l.supplier IS NULL) AS unnamed
          FROM lines l GROUP BY l.source),
    compared AS (
        SELECT coalesce(d.source, v.source) AS source, d.own, d.unnamed, v.quantity, v.stock_change,
               coalesce(d.own, 0) + coalesce(d.unnamed, 0) AS declared,
               v.quantity + v.stock_change AS found,
               d.unnamed IS NULL AS named,
               (SELECT (ecert.policy() -> 'audit' -> 'upstream' ->> 'tolerance')::numeric) AS tolerance
          FROM delivered v FULL JOIN declared d ON d.source = v.source
         WHERE v.source IS NOT NULL OR d.own IS NOT NULL)
    SELECT 'energy_against_deliveries', NULL, c.source, trim_scale(round(c.declared, 4)), trim_scale(round(c.found, 4)),
           trim_scale(round(c.declared - c.found, 4)), trim_scale(round(c.tolerance * c.quantity, 4)),
           CASE WHEN c.quantity IS NULL THEN NULL
                WHEN c.named THEN abs(c.declared - c.found) <= c.tolerance * abs(c.quantity)
                ELSE c.declared >= c.found - c.tolerance * abs(c.quantity) END,
           CASE WHEN c.quantity IS NULL THEN 'the applicant names this supplier, who has no record'
                WHEN c.named THEN 'kgce; every line names its supplier: both sides within tolerance'
                ELSE 'kgce; lines name no supplier: declared must not be less than delivered' END
      FROM compared c
     ORDER BY c.source
$$;
COMMENT ON FUNCTION ecert.check_upstream(text, text, tstzrange) IS 'internal: per source, declared energy against delivered plus stock change, in kgce, within tolerance times delivered (policy audit.upstream). Two-sided where every line of the source names its supplier; where lines name none, another supplier may stand behind them, and only the suspicious side counts: declared less than delivered';

-- Downstream: declared output against purchases

CREATE FUNCTION ecert.check_downstream(auditor text, applicant text, period tstzrange,
                                       OUT check_name text, OUT product text, OUT source text, OUT declared numeric, OUT found numeric,
                                       OUT deviation numeric, OUT tolerance numeric, OUT ok boolean, OUT note text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH bought AS (
        SELECT b.product, b.unit, sum(b.quantity) AS quantity, CASE WHEN count(b.value) = count(*) THEN sum(b.value) END AS value
          FROM ledger.purchase b
         WHERE b.node = check_downstream.auditor AND b.applicant = check_downstream.applicant
           AND b.period_start >= lower(period) AND b.period_end <= upper(period)
         GROUP BY b.product, b.unit),
    packages AS (SELECT p.package FROM ecert.live_packages(check_downstream.applicant, 'product', period) AS p),
    declared AS (
        SELECT l.product, l.unit, sum(l.qualified) AS qualified, CASE WHEN count(l.value) = count(*) THEN sum(l.value) END AS value
          FROM packages p CROSS JOIN LATERAL ecert.product_lines(p.package) AS l GROUP BY l.product, l.unit),
    delivered AS (
        SELECT l ->> 'product' AS product, l ->> 'unit' AS unit, sum((d ->> 'quantity')::numeric) AS quantity, sum((d ->> 'value')::numeric) AS value
          FROM packages p CROSS JOIN LATERAL jsonb_array_elements(ecert.body(p.package) -> 'lines') AS l
         CROSS JOIN LATERAL jsonb_array_elements(l -> 'deliveries') AS d
         WHERE d ->> 'buyer' = check_downstream.auditor GROUP BY l ->> 'product', l ->> 'unit'),
    rule AS (SELECT (ecert.policy() -> 'audit' -> 'downstream' ->> 'tolerance')::numeric AS tolerance),
    compared AS (
        SELECT 'output_against_purchases' AS check_name, b.product, d.qualified AS declared, b.quantity AS found, r.tolerance * d.qualified AS margin,
               b.quantity <= d.qualified * (1 + r.tolerance) AS ok, format('%s; bought must not be more than declared', b.unit) AS note
          FROM bought b LEFT JOIN declared d ON d.product = b.product AND d.unit = b.unit CROSS JOIN rule r
        UNION ALL
        SELECT 'value_against_purchases', b.product, d.value, b.value, r.tolerance * d.value, b.value <= d.value * (1 + r.tolerance),
               'value; paid must not be more than declared'
          FROM bought b JOIN declared d ON d.product = b.product AND d.unit = b.unit CROSS JOIN rule r WHERE b.value IS NOT NULL AND d.value IS NOT NULL
        UNION ALL
        SELECT 'deliveries_against_purchases', coalesce(v.product, b.product), v.quantity, b.quantity, r.tolerance * coalesce(b.quantity, 0),
               abs(coalesce(v.quantity, 0) - coalesce(b.quantity, 0)) <= r.tolerance * coalesce(b.quantity, 0),
               'deliveries declared to this buyer, both sides within tolerance'
          FROM delivered v FULL JOIN bought b ON b.product = v.product AND b.unit = v.unit CROSS JOIN rule r
         WHERE EXISTS (SELECT FROM delivered))
    SELECT c.check_name, c.product, NULL, trim_scale(round(c.declared, 4)), trim_scale(round(c.found, 4)),
           trim_scale(round(c.declared - c.found, 4)), trim_scale(round(c.margin, 4)),
           coalesce(c.ok, false), CASE WHEN c.declared IS NULL THEN 'the applicant declares no such product' ELSE c.note END
      FROM compared c ORDER BY c.product, c.check_name
$$;
COMMENT ON FUNCTION ecert.check_downstream(text, text, tstzrange) IS 'internal: per product, what this node bought against declared qualified output and value, times 1 + tolerance (policy audit.downstream), and against the deliveries that the applicant declares to this buyer';

-- Peer: unit energy against peers and against history

CREATE FUNCTION ecert.unit_energy_of(policy jsonb, applicant text, within tstzrange,
                                     OUT product text, OUT unit text, OUT unit_energy numeric) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.product, e.unit, ecert.quotient(e.kgce_numerator, e.kgce_denominator * e.qualified, 9)
      FROM ecert.energy_by_product(policy, unit_energy_of.applicant, within, NULL, NULL) AS e
     WHERE e.qualified > 0 AND e.attributable
$$;
COMMENT ON FUNCTION ecert.unit_energy_of(jsonb, text, tstzrange) IS 'internal: unit product energy (kgce per unit, 9 decimals) of each product of an applicant within a range; products without positive output are left out';

CREATE FUNCTION ecert.check_peer(auditor text, applicant text, period tstzrange,
                                 OUT check_name text, OUT product text, OUT source text, OUT declared numeric, OUT found numeric,
                                 OUT deviation numeric, OUT tolerance numeric, OUT ok boolean, OUT note text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH rule AS (
        SELECT p.policy, (p.policy -> 'audit' -> 'peer' ->> 'k')::numeric AS k, (p.policy -> 'audit' -> 'peer' ->> 'band')::numeric AS band,
               (p.policy -> 'audit' -> 'peer' ->> 'minimum')::integer AS minimum,
               ecert.default_baseline(period, p.policy) AS before
          FROM (SELECT ecert.policy()) AS p (policy)),
    own AS (
        SELECT u.product, u.unit, u.unit_energy FROM rule r CROSS JOIN LATERAL ecert.unit_energy_of(r.policy, check_peer.applicant, period) AS u),
    peers AS (
        SELECT DISTINCT b.body ->> 'auditor' AS node
          FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body)
         WHERE p.subject = check_peer.applicant AND p.kind = 'relation' AND b.body ->> 'as' = 'peer' AND b.body ->> 'auditor' <> check_peer.applicant
           AND ecert.related(b.body ->> 'auditor', check_peer.applicant, 'peer', upper(check_peer.period))),
    theirs AS (
        SELECT p.node, u.product, u.unit, u.unit_energy
          FROM peers p CROSS JOIN rule r CROSS JOIN LATERAL ecert.unit_energy_of(r.policy, p.node, period) AS u),
    middle AS (
        SELECT o.product, o.unit, count(*) AS peers,
               ecert.median(array_agg(t.unit_energy)) AS median
          FROM own o JOIN theirs t ON t.product = o.product AND t.unit = o.unit GROUP BY o.product, o.unit),
    spread AS (
        SELECT m.product, m.unit, m.peers, m.median, ecert.median(array_agg(abs(t.unit_energy - m.median))) AS mad
          FROM middle m JOIN theirs t ON t.product = m.product AND t.unit = m.unit GROUP BY m.product, m.unit, m.peers, m.median),
    history AS (
        SELECT 'history_of_applicant' AS check_name, u.product, u.unit, u.unit_energy
          FROM rule r CROSS JOIN LATERAL ecert.unit_energy_of(r.policy, check_peer.applicant, r.before) AS u
        UNION ALL
        SELECT 'history_of_peer', u.product, u.unit, u.unit_energy
          FROM rule r CROSS JOIN LATERAL ecert.unit_energy_of(r.policy, check_peer.auditor, r.before) AS u)
    SELECT 'unit_energy_against_peers', o.product, NULL, trim_scale(o.unit_energy), trim_scale(round(s.median, 9)), trim_scale(round(o.unit_energy - s.median, 9)),
           trim_scale(round(r.k * s.mad, 9)),
           CASE WHEN coalesce(s.peers, 0) >= r.minimum THEN abs(o.unit_energy - s.median) <= r.k * s.mad END,
           format('kgce/%s; median of %s peers, k times their median absolute deviation', o.unit, coalesce(s.peers, 0))
           || CASE WHEN coalesce(s.peers, 0) < r.minimum THEN format('; at least %s are needed', r.minimum) ELSE '' END
      FROM own o CROSS JOIN rule r LEFT JOIN spread s ON s.product = o.product AND s.unit = o.unit
    UNION ALL
    SELECT 'unit_energy_against_' || h.check_name, o.product, NULL, trim_scale(o.unit_energy), trim_scale(h.unit_energy), trim_scale(o.unit_energy - h.unit_energy),
           trim_scale(round(r.band * h.unit_energy, 9)), abs(o.unit_energy - h.unit_energy) <= r.band * h.unit_energy,
           format('kgce/%s; band round the same months of the year before', o.unit)
      FROM own o CROSS JOIN rule r JOIN history h ON h.product = o.product AND h.unit = o.unit
     ORDER BY 2, 1
$$;
COMMENT ON FUNCTION ecert.check_peer(text, text, tstzrange) IS 'internal: unit product energy of the period inside median +- k times the median absolute deviation of the applicant''s peers with that product (left open below policy audit.peer.minimum of them), and inside a relative band round the applicant''s and this peer''s own history';

CREATE FUNCTION ecert.median(figures numeric[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT pg_catalog.trim_scale(pg_catalog.avg(m.figure))
              FROM (SELECT f.figure, pg_catalog.row_number() OVER (ORDER BY f.figure) AS place, pg_catalog.count(*) OVER () AS all_of
                      FROM pg_catalog.unnest(figures) AS f (figure)) AS m
             WHERE m.place IN ((m.all_of + 1) / 2, (m.all_of + 2) / 2));
COMMENT ON FUNCTION ecert.median(numeric[]) IS 'the median, exact: the mean of the two in the middle of an even number; NULL of none';

-- What auditors call

CREATE FUNCTION ecert.audit(applicant text, period tstzrange, as_role text)
    RETURNS TABLE (check_name text, product text, source text, declared numeric, found numeric, deviation numeric, tolerance numeric, ok boolean, note text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    auditor text := ecert.this_node();
BEGIN
    IF ecert.audited_kinds(as_role) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is not a role of auditors', as_role),
            HINT = 'Roles are upstream, peer and downstream.';
    END IF;
    RETURN QUERY SELECT c.* FROM ecert.check_structure(audit.applicant, audit.period, as_role) AS c;
    IF as_role = 'upstream' THEN
        RETURN QUERY SELECT c.* FROM ecert.check_upstream(auditor, audit.applicant, audit.period) AS c;
    ELSIF as_role = 'downstream' THEN
        RETURN QUERY SELECT c.* FROM ecert.check_downstream(auditor, audit.applicant, audit.period) AS c;
    ELSE
        RETURN QUERY SELECT c.* FROM ecert.check_peer(auditor, audit.applicant, audit.period) AS c;
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.audit(text, tstzrange, text) IS 'auditor: the checks of this node (ecert.node) on an applicant''s packages of a period in the role upstream (from ledger.delivery), peer or downstream (from ledger.purchase): declared on the ledger, found in the records, their difference, the tolerance, and ok; NULL where there are not enough records';

CREATE FUNCTION ecert.audited_ranges(applicant text, period tstzrange, as_role text) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('kind', r.kind, 'first', r.first, 'last', r.last,
               'hash', (SELECT pg_catalog.encode(p.hash, 'hex') FROM ledger.package p
                         WHERE p.issuer = audited_ranges.applicant AND p.kind = r.kind AND p.seq = r.last)) ORDER BY r.kind)
      FROM (SELECT k.kind, pg_catalog.min(p.seq) AS first, pg_catalog.max(p.seq) AS last
              FROM pg_catalog.unnest(ecert.audited_kinds(as_role)) AS k (kind)
              JOIN ledger.package p ON p.subject = audited_ranges.applicant AND p.issuer = audited_ranges.applicant AND p.kind = k.kind
               AND pg_catalog.lower(p.period) >= pg_catalog.lower(audited_ranges.period)
               AND pg_catalog.lower(p.period) < pg_catalog.upper(audited_ranges.period)
               AND pg_catalog.upper(p.period) <= pg_catalog.upper(audited_ranges.period)
             GROUP BY k.kind) AS r
$$;
COMMENT ON FUNCTION ecert.audited_ranges(text, tstzrange, text) IS 'internal: the ranges [{kind, first, last, hash}] of an applicant''s feeds with the packages of a period that a role audits; NULL when there are none';

CREATE FUNCTION ecert.submit_audit(applicant text, period tstzrange, as_role text) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ranges jsonb := ecert.audited_ranges(submit_audit.applicant, submit_audit.period, as_role);
    checks jsonb;
    verdict text;
BEGIN
    IF ranges IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC052', MESSAGE = format('there is nothing of "%s" to audit in the period', submit_audit.applicant),
            DETAIL = format('The period is %s.', submit_audit.period);
    END IF;
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('check', a.check_name, 'product', a.product, 'source', a.source, 'note', a.note))
                     || jsonb_build_object('declared', a.declared, 'found', a.found, 'deviation', a.deviation, 'tolerance', a.tolerance, 'ok', a.ok)), '[]'),
           CASE WHEN bool_or(NOT a.ok) THEN 'fail'
                WHEN bool_or(a.ok AND a.found IS NOT NULL) THEN 'pass' ELSE 'abstain' END
      INTO checks, verdict
      FROM ecert.audit(submit_audit.applicant, submit_audit.period, as_role) AS a;
    RETURN ecert.append('audit', jsonb_build_object('applicant', submit_audit.applicant, 'period', ecert.period_json(submit_audit.period),
        'as', as_role, 'verdict', verdict, 'packages', ranges, 'checks', checks), submit_audit.applicant);
END
$$;
COMMENT ON FUNCTION ecert.submit_audit(text, tstzrange, text) IS 'auditor: make the checks of ecert.audit() and put the signed result on the ledger: fail when a check is not ok, pass when records bear it out, abstain when there are not enough. Returns the hash of the audit package. EC050 to EC053';

-- The rule of the kind

CREATE FUNCTION ecert.rule_audit(p ecert.package, first_admission boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    body jsonb := ecert.body(p);
    audited tstzrange := ecert.period_of_json(body -> 'period');
    wrong text;
    other bytea;
BEGIN
    IF ecert.issuer(p) = body ->> 'applicant' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC051', MESSAGE = format('node "%s" may not audit itself', ecert.issuer(p));
    END IF;
    IF NOT ecert.related(ecert.issuer(p), body ->> 'applicant', body ->> 'as', ecert.issued_at(p)) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC050',
            MESSAGE = format('node "%s" is not related to "%s" as %s', ecert.issuer(p), body ->> 'applicant', body ->> 'as'),
            DETAIL = format('The audit was issued at %s.', ecert.issued_at(p)),
            HINT = 'The certifier relates auditors to applicants with ecert.relate().';
    END IF;
    SELECT format('Range %s %s..%s: %s.', r ->> 'kind', r ->> 'first', r ->> 'last',
                  CASE WHEN NOT r ->> 'kind' = ANY (ecert.audited_kinds(body ->> 'as')) THEN 'not for this role'
                       WHEN (r ->> 'first')::bigint > (r ->> 'last')::bigint THEN 'first is after last'
                       WHEN l.hash IS NULL THEN 'the last package is not on the ledger'
                       WHEN encode(l.hash, 'hex') <> r ->> 'hash' THEN 'hash is not that of the last package'
                       ELSE 'a package of it lies outside the audited period' END)
      INTO wrong
      FROM jsonb_array_elements(body -> 'packages') AS r
      LEFT JOIN ledger.package l ON l.issuer = body ->> 'applicant' AND l.kind = r ->> 'kind' AND l.seq = (r ->> 'last')::bigint
     WHERE NOT r ->> 'kind' = ANY (ecert.audited_kinds(body ->> 'as')) OR (r ->> 'first')::bigint > (r ->> 'last')::bigint
        OR l.hash IS NULL OR encode(l.hash, 'hex') <> r ->> 'hash'
        OR (SELECT count(*) FROM ledger.package m
             WHERE m.issuer = body ->> 'applicant' AND m.kind = r ->> 'kind'
               AND m.seq BETWEEN (r ->> 'first')::bigint AND (r ->> 'last')::bigint AND m.period <@ audited)
           <> (r ->> 'last')::bigint - (r ->> 'first')::bigint + 1
     LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC052', MESSAGE = 'the audited packages are not what the audit says', DETAIL = wrong;
    END IF;
    SELECT a.hash INTO other FROM ledger.package a
     WHERE a.issuer = ecert.issuer(p) AND a.kind = 'audit' AND a.subject = body ->> 'applicant' AND a.seq < ecert.seq(p)
       AND ecert.body(a.package) ->> 'as' = body ->> 'as' AND ecert.body(a.package) -> 'packages' = body -> 'packages' LIMIT 1;
    IF other IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC053', MESSAGE = 'these packages are audited by this node in this role already',
            DETAIL = format('Audit %s.', encode(other, 'hex')), HINT = 'They can be audited again when one of them has been replaced.';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.rule_audit(ecert.package, boolean) IS 'rule of kind audit: not of oneself (EC051), related in that role when issued (EC050), ranges that exist with exactly that hash and lie in the audited period (EC052), not the same packages twice (EC053)';

CREATE FUNCTION ecert.audits(applicant text, energy_last_seq bigint DEFAULT NULL, product_last_seq bigint DEFAULT NULL,
                             OUT hash bytea, OUT auditor text, OUT as_role text, OUT verdict text, OUT period tstzrange, OUT issued_at timestamptz,
                             OUT kind text, OUT first_seq bigint, OUT last_seq bigint, OUT void boolean) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.hash, a.issuer, b.body ->> 'as', b.body ->> 'verdict', a.period, a.issued_at,
           r ->> 'kind', (r ->> 'first')::bigint, (r ->> 'last')::bigint,
           -- a later package of the feed for a period that one in the range has
           pg_catalog.bool_or(EXISTS (
               SELECT FROM ledger.package n
                 JOIN ledger.package o ON o.subject = n.subject AND o.kind = n.kind AND o.issuer = n.issuer
                  AND pg_catalog.lower(o.period) = pg_catalog.lower(n.period)
                  AND o.seq BETWEEN (r ->> 'first')::bigint AND (r ->> 'last')::bigint
                WHERE n.subject = audits.applicant AND n.kind = r ->> 'kind' AND n.issuer = audits.applicant
                  AND n.seq > (r ->> 'last')::bigint
                  AND n.seq <= coalesce(CASE r ->> 'kind' WHEN 'energy' THEN energy_last_seq ELSE product_last_seq END, 9223372036854775807)
                  AND pg_catalog.lower(n.period) >= pg_catalog.lower(a.period) AND pg_catalog.lower(n.period) < pg_catalog.upper(a.period)))
           OVER (PARTITION BY a.hash)
      FROM ledger.package a CROSS JOIN LATERAL (SELECT ecert.body(a.package)) AS b (body)
     CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(b.body -> 'packages') AS r
     WHERE a.subject = audits.applicant AND a.kind = 'audit'
$$;
COMMENT ON FUNCTION ecert.audits(text, bigint, bigint) IS 'internal: the audits of an applicant, one row per audited range; void when one of the audited packages has been replaced since (up to the given last seqs of the applicant''s feeds, when given)';

CREATE FUNCTION ecert.create_audit_views() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CREATE OR REPLACE VIEW ledger.audit AS
    SELECT encode(a.hash, 'hex') AS audit_hash, a.issuer AS auditor, a.subject AS applicant, b.body ->> 'as' AS as_role,
           b.body ->> 'verdict' AS verdict, lower(a.period) AS period_start, upper(a.period) AS period_end, a.issued_at,
           (SELECT sum((r ->> 'last')::bigint - (r ->> 'first')::bigint + 1)::bigint FROM jsonb_array_elements(b.body -> 'packages') AS r) AS package_count,
           jsonb_array_length(b.body -> 'checks') AS check_count,
           (SELECT count(*)::bigint FROM jsonb_array_elements(b.body -> 'checks') AS c WHERE c -> 'ok' = 'false') AS failed_check_count,
           (SELECT bool_or(v.void) FROM ecert.audits(a.subject) AS v WHERE v.hash = a.hash) AS void,
           b.body ->> 'comment' AS comment
      FROM ledger.package a CROSS JOIN LATERAL (SELECT ecert.body(a.package)) AS b (body)
     WHERE a.kind = 'audit';
    COMMENT ON VIEW ledger.audit IS 'the audits on the ledger, one row each';
    COMMENT ON COLUMN ledger.audit.audit_hash IS 'hash of the audit package, hexadecimal';
    COMMENT ON COLUMN ledger.audit.auditor IS 'node id of the auditor';
    COMMENT ON COLUMN ledger.audit.applicant IS 'node id of the applicant audited';
    COMMENT ON COLUMN ledger.audit.as_role IS 'upstream, peer or downstream';
    COMMENT ON COLUMN ledger.audit.verdict IS 'pass, fail or abstain (not enough records)';
    COMMENT ON COLUMN ledger.audit.period_start IS 'start of the audited period';
    COMMENT ON COLUMN ledger.audit.period_end IS 'end of the audited period, exclusive';
    COMMENT ON COLUMN ledger.audit.issued_at IS 'when the auditor issued it';
    COMMENT ON COLUMN ledger.audit.package_count IS 'packages audited';
    COMMENT ON COLUMN ledger.audit.check_count IS 'checks made';
    COMMENT ON COLUMN ledger.audit.failed_check_count IS 'checks that were not ok';
    COMMENT ON COLUMN ledger.audit.void IS 'has one of the audited packages been replaced since';
    COMMENT ON COLUMN ledger.audit.comment IS 'what the auditor adds';

    CREATE OR REPLACE VIEW ledger.audit_check AS
    SELECT encode(a.hash, 'hex') AS audit_hash, c.ordinality AS check_number, c.value ->> 'check' AS check_name, c.value ->> 'product' AS product,
           c.value ->> 'source' AS source, (c.value ->> 'declared')::numeric(38,9) AS declared_quantity, (c.value ->> 'found')::numeric(38,9) AS found_quantity,
           (c.value ->> 'deviation')::numeric(38,9) AS deviation_quantity, (c.value ->> 'tolerance')::numeric(38,9) AS tolerance_quantity,
           (c.value ->> 'ok')::boolean AS ok, c.value ->> 'note' AS note
      FROM ledger.package a CROSS JOIN LATERAL jsonb_array_elements(ecert.body(a.package) -> 'checks') WITH ORDINALITY AS c
     WHERE a.kind = 'audit';
    COMMENT ON VIEW ledger.audit_check IS 'the single checks of the audits';
    COMMENT ON COLUMN ledger.audit_check.audit_hash IS 'hash of the audit package, hexadecimal';
    COMMENT ON COLUMN ledger.audit_check.check_number IS 'number of the check in the audit, from 1';
    COMMENT ON COLUMN ledger.audit_check.check_name IS 'what was compared';
    COMMENT ON COLUMN ledger.audit_check.product IS 'product it is about';
    COMMENT ON COLUMN ledger.audit_check.source IS 'energy source it is about';
    COMMENT ON COLUMN ledger.audit_check.declared_quantity IS 'what the applicant declared; the note names the unit';
    COMMENT ON COLUMN ledger.audit_check.found_quantity IS 'what the auditor found';
    COMMENT ON COLUMN ledger.audit_check.deviation_quantity IS 'declared less found';
    COMMENT ON COLUMN ledger.audit_check.tolerance_quantity IS 'what was allowed';
    COMMENT ON COLUMN ledger.audit_check.ok IS 'within tolerance; NULL: not enough records';
    COMMENT ON COLUMN ledger.audit_check.note IS 'unit and rule';
END
$$;
COMMENT ON FUNCTION ecert.create_audit_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';

REVOKE ALL ON FUNCTION ecert.create_audit_tables(), ecert.create_audit_views(), ecert.submit_audit(text, tstzrange, text) FROM PUBLIC;
