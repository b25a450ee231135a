-- Audits: an auditor's private records against what an applicant has signed.
--
-- Functions here and elsewhere that gather from many rules at once set jit = off: the planner takes them for big queries,
-- and compiling them takes many times what running them does.

CREATE FUNCTION ecert.create_audit_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($table$CREATE TABLE ledger.delivery (  -- local and private to an upstream auditor: the energy it delivered to applicants
        node text COLLATE "C" NOT NULL DEFAULT current_setting('ecert.node'),  -- the auditor whose record it is
        applicant text COLLATE "C" NOT NULL,  -- node id of the applicant it went to
        source text COLLATE "C" NOT NULL,  -- energy source
        unit text COLLATE "C" NOT NULL,  -- unit of the quantities
        document text COLLATE "C" NOT NULL DEFAULT '',  -- number of the delivery note, ticket or bill; empty: there is one of its source, unit and period alone
        period_start timestamptz NOT NULL,  -- start of the period delivered in
        period_end timestamptz NOT NULL,  -- end of the period, exclusive
        quantity numeric NOT NULL,  -- delivered, in unit
        stock_change numeric NOT NULL DEFAULT 0,  -- taken out of the applicant's stock of these deliveries (negative: put in), as far as the auditor knows: use = quantity + stock_change
        -- what is loaded twice is refused
        CONSTRAINT delivery_pkey PRIMARY KEY (node, applicant, period_start, period_end, source, unit, document),
        CONSTRAINT delivery_figures_are_numbers CHECK (quantity > '-Infinity' AND quantity < 'Infinity' AND stock_change > '-Infinity' AND stock_change < 'Infinity'),
        CONSTRAINT delivery_period_is_right CHECK (period_start < period_end AND isfinite(period_start) AND isfinite(period_end))
    )$table$);
    SELECT ecert.create_described($table$CREATE TABLE ledger.purchase (  -- local and private to a downstream auditor: what it bought from applicants
        node text COLLATE "C" NOT NULL DEFAULT current_setting('ecert.node'),  -- the auditor whose record it is
        applicant text COLLATE "C" NOT NULL,  -- node id of the applicant it was bought from
        product text COLLATE "C" NOT NULL,  -- product
        unit text COLLATE "C" NOT NULL,  -- unit of the quantity
        document text COLLATE "C" NOT NULL DEFAULT '',  -- number of the invoice or delivery note; empty: there is one of its product, unit and period alone
        period_start timestamptz NOT NULL,  -- start of the period bought in
        period_end timestamptz NOT NULL,  -- end of the period, exclusive
        quantity numeric NOT NULL,  -- bought, in unit
        value numeric,  -- paid, in the currency the applicant declares in
        CONSTRAINT purchase_pkey PRIMARY KEY (node, applicant, period_start, period_end, product, unit, document),
        CONSTRAINT purchase_figures_are_numbers CHECK (quantity > '-Infinity' AND quantity < 'Infinity' AND coalesce(value > '-Infinity' AND value < 'Infinity', true)),
        CONSTRAINT purchase_period_is_right CHECK (period_start < period_end AND isfinite(period_start) AND isfinite(period_end))
    )$table$);
$$;
COMMENT ON FUNCTION ecert.create_audit_tables() IS 'internal: makes ledger.delivery and ledger.purchase';

CREATE FUNCTION ecert.audited_kinds(as_role text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE as_role WHEN 'upstream' THEN '{energy}'::text[] WHEN 'downstream' THEN '{product}'::text[]
                        WHEN 'peer' THEN '{energy,product}'::text[] END;
COMMENT ON FUNCTION ecert.audited_kinds(text) IS 'kinds of packages that an auditor in a role reads: upstream energy, downstream product, peer both; NULL for no role';

CREATE TYPE ecert.audit_check AS (check_name text, product text, source text, unit text, declared numeric, found numeric, deviation numeric, tolerance numeric,
                                  ok boolean, note text);
COMMENT ON TYPE ecert.audit_check IS 'what one check of an audit found';

-- Checks common to all roles: what the packages themselves show

CREATE FUNCTION ecert.check_structure(applicant text, period tstzrange, as_role text) RETURNS SETOF ecert.audit_check
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH named AS MATERIALIZED (SELECT m.point FROM ecert.points_of(check_structure.applicant, period) AS m (point)),
    before AS MATERIALIZED (SELECT m.point FROM ecert.points_of(check_structure.applicant, tstzrange('-infinity', lower(period))) AS m (point))
    SELECT 'coverage_' || k.kind, NULL::text, NULL::text, NULL::text, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric,
           isempty(g.gaps), CASE WHEN isempty(g.gaps) THEN NULL ELSE 'not covered: ' || g.gaps::text END
      FROM unnest(ecert.audited_kinds(as_role)) AS k (kind)
     CROSS JOIN LATERAL (SELECT ecert.coverage_gaps(check_structure.applicant, k.kind, period)) AS g (gaps)
    UNION ALL
    SELECT 'source_known', NULL, m.source, m.unit, NULL, NULL, NULL, NULL, false, format('unit "%s" has no coefficient in the policy in force', m.unit)
      FROM ecert.missing_coefficient(ecert.policy(), check_structure.applicant, period) AS m
     WHERE 'energy' = ANY (ecert.audited_kinds(as_role))
    UNION ALL
    SELECT 'point_known', NULL, NULL, NULL, NULL, NULL, NULL, NULL, m.unknown IS NULL AND m.missing IS NULL,
           nullif(concat_ws('; ', 'never named before: ' || m.unknown,
                            'named for these months a year before, not now: ' || m.missing || ' (declare 0 for a point that stands still)'), '')
      FROM (SELECT (SELECT left(string_agg(format('"%s"', n.point), ', ' ORDER BY n.point COLLATE "C"), 500)
                      FROM named n WHERE n.point NOT IN (SELECT b.point FROM before b)),
                   (SELECT left(string_agg(format('"%s"', y.point), ', ' ORDER BY y.point COLLATE "C"), 500)
                      FROM ecert.points_of(check_structure.applicant, ecert.calendar_before(ecert.policy(), period)) AS y (point) WHERE y.point NOT IN (SELECT n.point FROM named n))
           ) AS m (unknown, missing)
     WHERE 'energy' = ANY (ecert.audited_kinds(as_role)) AND EXISTS (SELECT FROM before)
     ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION ecert.check_structure(text, tstzrange, text) IS 'internal: the checks that every role makes on the packages it reads: no gap in the period, every source with a coefficient, no point out of nowhere and none left out. Overlaps and negative quantities are refused at admission';

-- Upstream: declared use against deliveries

CREATE FUNCTION ecert.check_upstream(auditor text, applicant text, period tstzrange) RETURNS SETOF ecert.audit_check
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    -- everything in kgce, so that units of both sides may differ
    WITH factor AS (SELECT c.source, c.unit, c.kgce FROM ecert.coefficients(ecert.policy()) AS c WHERE c.kgce > 0),
    delivered AS (
        SELECT d.source, sum(d.quantity * f.kgce) AS quantity, sum(d.stock_change * f.kgce) AS stock_change,
               bool_and(f.kgce IS NOT NULL) AS convertible, bool_and(d.period_start >= lower(period) AND d.period_end <= upper(period)) AS inside
          FROM ledger.delivery d LEFT JOIN factor f ON f.source = d.source AND f.unit = d.unit
         WHERE d.node = check_upstream.auditor AND d.applicant = check_upstream.applicant
           AND d.period_start < upper(period) AND d.period_end > lower(period)
         GROUP BY d.source),
    declared AS (
        SELECT l.source, sum(l.quantity * f.kgce) FILTER (WHERE l.supplier = check_upstream.auditor) AS own,
               sum(l.quantity * f.kgce) FILTER (WHERE l.supplier IS NULL) AS unnamed
          FROM ecert.live_packages(check_upstream.applicant, 'energy', period) AS p
         CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l JOIN factor f ON f.source = l.source AND f.unit = l.unit
         GROUP BY l.source),
    compared AS (
        SELECT coalesce(d.source, v.source) AS source, d.unnamed IS NULL AS two_sided,
               coalesce(d.own, 0) + coalesce(d.unnamed, 0) AS declared,
               CASE WHEN EXISTS (SELECT FROM delivered) THEN coalesce(v.quantity + v.stock_change, 0) END AS found,
               r.tolerance * abs(coalesce(v.quantity, 0)) AS tolerance,
               coalesce(v.convertible, true) AS convertible, coalesce(v.inside, true) AS inside
          FROM delivered v FULL JOIN declared d ON d.source = v.source
         CROSS JOIN (SELECT (ecert.policy() -> 'audit' -> 'upstream' ->> 'tolerance')::numeric) AS r (tolerance)
         WHERE v.source IS NOT NULL OR d.own IS NOT NULL)
    SELECT 'energy_against_deliveries', NULL, c.source, 'kgce', trim_scale(round(c.declared, 4)), trim_scale(round(c.found, 4)),
           trim_scale(round(c.declared - c.found, 4)), trim_scale(round(c.tolerance, 4)),
           CASE WHEN c.found IS NULL OR NOT c.convertible OR NOT c.inside THEN NULL
                WHEN c.two_sided THEN abs(c.declared - c.found) <= c.tolerance
                ELSE c.declared >= c.found - c.tolerance END,
           CASE WHEN c.found IS NULL THEN 'the applicant names this supplier, who has no record'
                WHEN NOT c.convertible THEN 'a delivery is in a unit without coefficient'
                WHEN NOT c.inside THEN 'a delivery reaches over the edge of the period'
                WHEN c.two_sided THEN 'kgce; lines that name this supplier: both sides within tolerance'
                ELSE 'kgce; some lines name no supplier: declared must not be less than delivered' END
      FROM compared c
     ORDER BY c.source
$$;
COMMENT ON FUNCTION ecert.check_upstream(text, text, tstzrange) IS 'internal: per source, declared energy against delivered plus stock change, in kgce, within tolerance times delivered (policy audit.upstream). Lines that name another supplier are left out. Where all lines left name this one, both sides; where some name none, another supplier may stand behind them, and only the suspicious side counts: declared less than delivered. Left open without any delivery in the period, and where a delivery has no coefficient or reaches over the edge';

-- Downstream: declared output against purchases

CREATE FUNCTION ecert.base_unit(policy jsonb, unit text, OUT base text, OUT factor numeric) RETURNS record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(u ->> 'base', base_unit.unit), coalesce((u ->> 'factor')::numeric, 1)
      FROM (VALUES (policy -> 'units')) AS p (units)
      LEFT JOIN jsonb_array_elements(p.units) AS u
        ON u ->> 'unit' = base_unit.unit AND NOT EXISTS (SELECT FROM jsonb_array_elements(p.units) AS o WHERE o ->> 'unit' = u ->> 'base')
     ORDER BY 1 LIMIT 1
$$;
COMMENT ON FUNCTION ecert.base_unit(jsonb, text) IS 'internal: what a policy''s units convert a unit to in the end, and by which factor; the unit itself and 1 where they do not name it';

CREATE FUNCTION ecert.check_downstream(auditor text, applicant text, period tstzrange) RETURNS SETOF ecert.audit_check
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    -- both sides in the base of their units; shown in the applicant's
    WITH rule AS (
        SELECT p.policy, (p.policy -> 'audit' -> 'downstream' ->> 'tolerance')::numeric AS tolerance FROM (SELECT ecert.policy()) AS p (policy)),
    bought AS (
        SELECT b.product, u.base, (array_agg(b.unit ORDER BY u.factor))[1] AS unit, min(u.factor) AS factor, sum(b.quantity * u.factor) AS quantity,
               CASE WHEN count(b.value) = count(*) THEN sum(b.value) END AS value,
               bool_and(b.period_start >= lower(period) AND b.period_end <= upper(period)) AS inside
          FROM rule r CROSS JOIN ledger.purchase b CROSS JOIN LATERAL ecert.base_unit(r.policy, b.unit) AS u
         WHERE b.node = check_downstream.auditor AND b.applicant = check_downstream.applicant
           AND b.period_start < upper(period) AND b.period_end > lower(period)
         GROUP BY b.product, u.base),
    packages AS MATERIALIZED (SELECT p.package FROM ecert.live_packages(check_downstream.applicant, 'product', period) AS p),
    declared AS (
        SELECT l.product, u.base, (array_agg(l.unit ORDER BY u.factor))[1] AS unit, min(u.factor) AS factor, sum(l.qualified * u.factor) AS quantity,
               CASE WHEN count(l.value) = count(*) THEN sum(l.value) END AS value
          FROM rule r CROSS JOIN packages p CROSS JOIN LATERAL ecert.product_lines(p.package) AS l
         CROSS JOIN LATERAL ecert.base_unit(r.policy, l.unit) AS u GROUP BY l.product, u.base),
    delivered AS (
        SELECT d ->> 'product' AS product, u.base, (array_agg(d ->> 'unit' ORDER BY u.factor))[1] AS unit, min(u.factor) AS factor,
               sum((d ->> 'quantity')::numeric * u.factor) AS quantity
          FROM rule r CROSS JOIN packages p CROSS JOIN LATERAL jsonb_array_elements(ecert.body(p.package) -> 'deliveries') AS d
         CROSS JOIN LATERAL ecert.base_unit(r.policy, d ->> 'unit') AS u
         WHERE d ->> 'buyer' = check_downstream.auditor GROUP BY d ->> 'product', u.base),
    compared AS (
        SELECT 'output_against_purchases' AS check_name, b.product, coalesce(d.factor, b.factor) AS factor, coalesce(d.unit, b.unit) AS unit, d.quantity AS declared, b.quantity AS found,
               r.tolerance * d.quantity AS margin, coalesce(b.quantity <= d.quantity * (1 + r.tolerance), false) AS ok, b.inside,
               CASE WHEN d.product IS NULL THEN 'the applicant declares no such product'
                    ELSE format('%s; bought must not be more than declared', d.unit) END AS note
          FROM bought b LEFT JOIN declared d ON d.product = b.product AND d.base = b.base CROSS JOIN rule r
        UNION ALL
        SELECT 'value_against_purchases', b.product, 1, NULL, d.value, b.value, r.tolerance * d.value, b.value <= d.value * (1 + r.tolerance), b.inside,
               'value; paid must not be more than declared'
          FROM bought b JOIN declared d ON d.product = b.product AND d.base = b.base CROSS JOIN rule r WHERE b.value IS NOT NULL AND d.value IS NOT NULL
        UNION ALL
        SELECT 'deliveries_against_purchases', coalesce(v.product, b.product), coalesce(v.factor, b.factor), coalesce(v.unit, b.unit), coalesce(v.quantity, 0),
               CASE WHEN EXISTS (SELECT FROM bought) THEN coalesce(b.quantity, 0) END, r.tolerance * coalesce(b.quantity, 0),
               CASE WHEN EXISTS (SELECT FROM bought)
                    THEN abs(coalesce(v.quantity, 0) - coalesce(b.quantity, 0)) <= r.tolerance * coalesce(b.quantity, 0) END, coalesce(b.inside, true),
               CASE WHEN EXISTS (SELECT FROM bought) THEN format('%s; deliveries declared to this buyer, both sides within tolerance', coalesce(v.unit, b.unit))
                    ELSE 'the applicant names this buyer, who has no record' END
          FROM delivered v FULL JOIN bought b ON b.product = v.product AND b.base = v.base CROSS JOIN rule r
         WHERE EXISTS (SELECT FROM delivered))
    SELECT c.check_name, c.product, NULL, c.unit, trim_scale(round(c.declared / c.factor, 4)), trim_scale(round(c.found / c.factor, 4)),
           trim_scale(round((c.declared - c.found) / c.factor, 4)), trim_scale(round(c.margin / c.factor, 4)),
           CASE WHEN c.inside THEN c.ok END, CASE WHEN c.inside THEN c.note ELSE 'a purchase reaches over the edge of the period' END
      FROM compared c ORDER BY c.product, c.check_name
$$;
COMMENT ON FUNCTION ecert.check_downstream(text, text, tstzrange) IS 'internal: per product, what this node bought against declared qualified output and value, times 1 + tolerance (policy audit.downstream), and against the deliveries that the applicant declares to this buyer; units are converted by the policy''s units. Left open where the buyer has no purchase in the period, or one that reaches over its edge';

-- Peer: unit energy against peers and against history


CREATE FUNCTION ecert.unit_energy_before(policy jsonb, applicant text, period tstzrange,
                                         OUT product text, OUT unit text, OUT unit_energy numeric, OUT basis text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH year AS MATERIALIZED (
        SELECT u.product, u.unit, u.unit_energy FROM ecert.calendar_before(policy, period) AS b CROSS JOIN LATERAL ecert.unit_energy_of(policy, unit_energy_before.applicant, b) AS u
         WHERE NOT b && period)
    SELECT y.product, y.unit, y.unit_energy, 'the same months of the year before' FROM year y
    UNION ALL
    SELECT u.product, u.unit, u.unit_energy, 'all before the period'
      FROM ecert.unit_energy_of(policy, unit_energy_before.applicant, tstzrange('-infinity', lower(period))) AS u
     WHERE NOT EXISTS (SELECT FROM year y WHERE y.product = u.product AND y.unit = u.unit)
$$;
COMMENT ON FUNCTION ecert.unit_energy_before(jsonb, text, tstzrange) IS 'internal: an applicant''s unit product energies in the same months of the year before, or, of products without, over all packages before the period';

CREATE FUNCTION ecert.check_peer(auditor text, applicant text, period tstzrange) RETURNS SETOF ecert.audit_check
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    WITH rule AS (
        SELECT p.policy, (p.policy -> 'audit' -> 'peer' ->> 'k')::numeric AS k, (p.policy -> 'audit' -> 'peer' ->> 'band')::numeric AS band,
               (p.policy -> 'audit' -> 'peer' ->> 'floor')::numeric AS floor, (p.policy -> 'audit' -> 'peer' ->> 'minimum')::integer AS minimum
          FROM (SELECT ecert.policy()) AS p (policy)),
    own AS (
        SELECT u.product, u.unit, u.unit_energy FROM rule r CROSS JOIN LATERAL ecert.unit_energy_of(r.policy, check_peer.applicant, period) AS u),
    peers AS (
        SELECT check_peer.auditor AS node
        UNION
        SELECT b.body ->> 'auditor' AS node
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
        SELECT m.product, m.unit, m.peers, m.median,
               greatest(r.k * ecert.median(array_agg(abs(t.unit_energy - m.median))), r.floor * abs(m.median)) AS allowed
          FROM middle m JOIN theirs t ON t.product = m.product AND t.unit = m.unit CROSS JOIN rule r
         GROUP BY m.product, m.unit, m.peers, m.median, r.k, r.floor),
    past AS MATERIALIZED (SELECT u.* FROM rule r CROSS JOIN LATERAL ecert.unit_energy_before(r.policy, check_peer.auditor, period) AS u),
    history AS (
        SELECT 'history_of_applicant' AS check_name, u.* FROM rule r CROSS JOIN LATERAL ecert.unit_energy_before(r.policy, check_peer.applicant, period) AS u
        UNION ALL
        SELECT 'history_of_peer', u.* FROM past u
        UNION ALL
        -- a peer whose packages begin with this period still knows what it used itself
        SELECT 'history_of_peer', t.product, t.unit, t.unit_energy, 'this peer''s own of the period' FROM theirs t
         WHERE t.node = check_peer.auditor AND NOT EXISTS (SELECT FROM past p WHERE p.product = t.product AND p.unit = t.unit))
    SELECT 'unit_energy_against_peers', o.product, NULL, format('kgce/%s', o.unit), trim_scale(o.unit_energy), trim_scale(round(s.median, 9)), trim_scale(round(o.unit_energy - s.median, 9)),
           trim_scale(round(s.allowed, 9)),
           CASE WHEN coalesce(s.peers, 0) >= r.minimum THEN abs(o.unit_energy - s.median) <= s.allowed END,
           format('kgce/%s; median of %s peers, k times their median absolute deviation or the floor', o.unit, coalesce(s.peers, 0))
           || CASE WHEN coalesce(s.peers, 0) < r.minimum THEN format('; at least %s are needed', r.minimum) ELSE '' END
      FROM own o CROSS JOIN rule r LEFT JOIN spread s ON s.product = o.product AND s.unit = o.unit
    UNION ALL
    SELECT 'unit_energy_against_' || h.check_name, o.product, NULL, format('kgce/%s', o.unit), trim_scale(o.unit_energy), trim_scale(h.unit_energy), trim_scale(o.unit_energy - h.unit_energy),
           trim_scale(round(r.band * h.unit_energy, 9)), abs(o.unit_energy - h.unit_energy) <= r.band * h.unit_energy,
           format('kgce/%s; band round %s', o.unit, h.basis)
      FROM own o CROSS JOIN rule r JOIN history h ON h.product = o.product AND h.unit = o.unit
     ORDER BY 2, 1
$$;
COMMENT ON FUNCTION ecert.check_peer(text, text, tstzrange) IS 'internal: unit product energy of the period inside median +- k times the median absolute deviation of the applicant''s peers with that product, or the policy''s floor times the median where that is more (left open below policy audit.peer.minimum of them), and inside a relative band round the applicant''s and this peer''s own history: the same months of the year before, or all before the period; of the peer, where it has none, the period itself';

CREATE FUNCTION ecert.median(figures numeric[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT pg_catalog.trim_scale(pg_catalog.avg(m.figure))
              FROM (SELECT f.figure, pg_catalog.row_number() OVER (ORDER BY f.figure) AS place, pg_catalog.count(*) OVER () AS all_of
                      FROM pg_catalog.unnest(figures) AS f (figure)) AS m
             WHERE m.place IN ((m.all_of + 1) / 2, (m.all_of + 2) / 2));
COMMENT ON FUNCTION ecert.median(numeric[]) IS 'the median, exact: the mean of the two in the middle of an even number; NULL of none';

-- What auditors call

CREATE FUNCTION ecert.audit(applicant text, period tstzrange, as_role text) RETURNS SETOF ecert.audit_check
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    auditor text := ecert.this_node();
BEGIN
    IF ecert.audited_kinds(as_role) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is not a role of auditors', as_role),
            HINT = 'Roles are upstream, peer and downstream.';
    END IF;
    RETURN QUERY SELECT c.* FROM ecert.check_structure(audit.applicant, audit.period, as_role) AS c;
    RETURN QUERY SELECT c.* FROM ecert.check_upstream(auditor, audit.applicant, audit.period) AS c WHERE as_role = 'upstream';
    RETURN QUERY SELECT c.* FROM ecert.check_downstream(auditor, audit.applicant, audit.period) AS c WHERE as_role = 'downstream';
    RETURN QUERY SELECT c.* FROM ecert.check_peer(auditor, audit.applicant, audit.period) AS c WHERE as_role = 'peer';
END
$$;
COMMENT ON FUNCTION ecert.audit(text, tstzrange, text) IS 'auditor: the checks of this node (ecert.node) on an applicant''s packages of a period in the role upstream (from ledger.delivery), peer or downstream (from ledger.purchase): declared on the ledger, found in the records, their difference, the tolerance, and ok; NULL where there are not enough records';

CREATE FUNCTION ecert.audited_ranges(applicant text, period tstzrange, as_role text) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    -- a correction of one month stands behind other months in the feed: one range for each run of seqs
    SELECT jsonb_agg(jsonb_build_object('kind', r.kind, 'first', r.first, 'last', r.last, 'hash', r.hash) ORDER BY r.kind, r.first)
      FROM (SELECT i.kind, min(i.seq) AS first, max(i.seq) AS last, encode((array_agg(i.hash ORDER BY i.seq DESC))[1], 'hex') AS hash
              FROM (SELECT p.kind, p.seq, p.hash, p.seq - row_number() OVER (PARTITION BY p.kind ORDER BY p.seq) AS island
                      FROM unnest(ecert.audited_kinds(as_role)) AS k (kind)
                      JOIN ledger.package p ON p.subject = audited_ranges.applicant AND p.issuer = audited_ranges.applicant AND p.kind = k.kind
                       AND lower(p.period) >= lower(audited_ranges.period) AND lower(p.period) < upper(audited_ranges.period)
                       AND upper(p.period) <= upper(audited_ranges.period)) AS i
             GROUP BY i.kind, i.island) AS r
$$;
COMMENT ON FUNCTION ecert.audited_ranges(text, tstzrange, text) IS 'internal: the ranges [{kind, first, last, hash}] of an applicant''s feeds that hold the packages of a period that a role audits, replaced ones included, and no others; NULL when there are none';

CREATE FUNCTION ecert.submit_audit(applicant text, period tstzrange, as_role text) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ranges jsonb;
    checks jsonb;
    verdict text;
BEGIN
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('check', a.check_name, 'product', a.product, 'source', a.source, 'unit', a.unit, 'note', a.note))
                     || jsonb_build_object('ok', a.ok)
                     || CASE WHEN num_nonnulls(a.declared, a.found, a.deviation, a.tolerance) = 0 THEN '{}'
                             ELSE jsonb_build_object('figures', jsonb_build_array(jsonb_build_object('of', 'period', 'declared', a.declared,
                                      'found', a.found, 'deviation', a.deviation, 'tolerance', a.tolerance))) END), '[]'),
           CASE WHEN bool_or(NOT a.ok) THEN 'fail'
                WHEN bool_or(a.ok AND a.found IS NOT NULL) THEN 'pass' ELSE 'abstain' END
      INTO checks, verdict
      FROM ecert.audit(submit_audit.applicant, submit_audit.period, as_role) AS a;
    ranges := ecert.audited_ranges(submit_audit.applicant, submit_audit.period, as_role);
    IF ranges IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC052', MESSAGE = format('there is nothing of "%s" to audit in the period', submit_audit.applicant),
            DETAIL = format('The period is %s.', submit_audit.period);
    END IF;
    RETURN ecert.append('audit', jsonb_build_object('applicant', submit_audit.applicant, 'period', ecert.period_json(submit_audit.period),
        'as', as_role, 'verdict', verdict, 'policy', encode(ecert.policy_hash(), 'hex'), 'checked', ranges, 'checks', checks), submit_audit.applicant);
END
$$;
COMMENT ON FUNCTION ecert.submit_audit(text, tstzrange, text) IS 'auditor: make the checks of ecert.audit() and put the signed result on the ledger: fail when a check is not ok, pass when records bear it out, abstain when there are not enough. Returns the hash of the audit package. EC050 to EC053';

CREATE FUNCTION ecert.create_audit_views() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.audit AS  -- the audits on the ledger, one row each
    SELECT encode(a.hash, 'hex') AS audit_hash,  -- hash of the audit package, hexadecimal
           a.issuer AS auditor,  -- node id of the auditor
           a.subject AS applicant,  -- node id of the applicant audited
           b.body ->> 'as' AS as_role,  -- upstream, peer or downstream
           b.body ->> 'verdict' AS verdict,  -- pass, fail or abstain (not enough records)
           lower(a.period) AS period_start,  -- start of the audited period
           upper(a.period) AS period_end,  -- end of the audited period, exclusive
           a.issued_at,  -- when the auditor issued it
           (SELECT coalesce(sum((r ->> 'last')::bigint - (r ->> 'first')::bigint + 1), 0)::bigint FROM jsonb_array_elements(b.body -> 'checked') AS r) AS package_count,  -- packages audited
           jsonb_array_length(b.body -> 'checks') AS check_count,  -- checks made
           (SELECT count(*)::bigint FROM jsonb_array_elements(b.body -> 'checks') AS c WHERE c -> 'ok' = 'false') AS failed_check_count,  -- checks that were not ok
           ecert.is_void(a.hash) AS void,  -- had its key ended before it was issued: it does not count
           CASE WHEN ecert.is_checkable(a.package) THEN ecert.is_overtaken(a.hash) END AS overtaken,  -- has one of the audited packages been replaced since; NULL: not checkable here
           b.body ->> 'policy' AS policy_hash,  -- hash of the policy it was made under, hexadecimal
           b.body ->> 'comment' AS comment  -- what the auditor adds
      FROM ledger.package a CROSS JOIN LATERAL (SELECT ecert.body(a.package)) AS b (body)
     WHERE a.kind = 'audit'$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.audit_check AS  -- the single checks of the audits
    SELECT encode(a.hash, 'hex') AS audit_hash,  -- hash of the audit package, hexadecimal
           c.ordinality AS check_number,  -- number of the check in the audit, from 1
           c.value ->> 'check' AS check_name,  -- what was compared
           c.value ->> 'product' AS product,  -- product it is about
           c.value ->> 'source' AS source,  -- energy source it is about
           c.value ->> 'point' AS point,  -- metering point it is about
           c.value ->> 'unit' AS unit,  -- unit of the quantities
           (f.period ->> 'declared')::numeric(38,9) AS declared_quantity,  -- what the applicant declared for the period, in unit
           (f.period ->> 'found')::numeric(38,9) AS found_quantity,  -- what the auditor found
           (f.period ->> 'deviation')::numeric(38,9) AS deviation_quantity,  -- declared less found
           (f.period ->> 'tolerance')::numeric(38,9) AS tolerance_quantity,  -- what was allowed
           (c.value ->> 'ok')::boolean AS ok,  -- within tolerance; NULL: not enough records
           c.value ->> 'note' AS note  -- rule, and what was missing
      FROM ledger.package a CROSS JOIN LATERAL jsonb_array_elements(ecert.body(a.package) -> 'checks') WITH ORDINALITY AS c
      LEFT JOIN LATERAL (SELECT x FROM jsonb_array_elements(c.value -> 'figures') AS x WHERE x ->> 'of' = 'period' LIMIT 1) AS f (period) ON true
     WHERE a.kind = 'audit'$view$);
$$;
COMMENT ON FUNCTION ecert.create_audit_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';
