-- Readings, packing, and what the energy and product packages say.

CREATE FUNCTION ecert.points_of(applicant text, within tstzrange) RETURNS SETOF text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT l.point FROM ecert.live_packages(points_of.applicant, 'energy', within) AS p
     CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l WHERE l.point IS NOT NULL
$$;
COMMENT ON FUNCTION ecert.points_of(text, tstzrange) IS 'internal: the metering points that an applicant''s energy packages within a range name';

CREATE FUNCTION ecert.create_energy_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($table$CREATE TABLE ledger.reading (  -- local and unsigned: what meters and bills deliver before ecert.pack_energy() signs it; one row per point, source, product, supplier and start
        node text COLLATE "C" NOT NULL DEFAULT current_setting('ecert.node'),  -- applicant whose point it is
        point text COLLATE "C" NOT NULL DEFAULT '',  -- metering point: a meter, or an account, tank or scale; empty when the figure comes from the books
        source text COLLATE "C" NOT NULL,  -- energy source as the policy names it
        unit text COLLATE "C" NOT NULL,  -- unit of quantity
        product text COLLATE "C",  -- product it was used for; NULL: shared by all products
        supplier text COLLATE "C",  -- node id of the supplier, where known
        interval_start timestamptz NOT NULL,  -- start of the interval
        interval_end timestamptz NOT NULL,  -- end of the interval, exclusive
        quantity numeric NOT NULL,  -- energy used in the interval, in unit; never negative
        CONSTRAINT reading_quantity_is_number CHECK (quantity >= 0 AND quantity < 'Infinity'),
        CONSTRAINT reading_interval_is_right CHECK (interval_start < interval_end AND isfinite(interval_start) AND isfinite(interval_end))
    )$table$);
    -- the books may divide one source among products and suppliers without a point for each
    CREATE UNIQUE INDEX reading_key ON ledger.reading (node, interval_start, point, source, coalesce(product, ''), coalesce(supplier, ''));
    -- the longest reading bounds how far back one that reaches into a period can begin
    CREATE INDEX reading_length ON ledger.reading (node, (interval_end - interval_start));
    SELECT ecert.create_described($table$CREATE TABLE ledger.production (  -- local and unsigned: what the shop floor delivers before ecert.pack_product() signs it
        node text COLLATE "C" NOT NULL DEFAULT current_setting('ecert.node'),  -- applicant that produced
        product text COLLATE "C" NOT NULL,  -- product
        unit text COLLATE "C" NOT NULL,  -- unit of output and qualified
        period_start timestamptz NOT NULL,  -- start of the period
        period_end timestamptz NOT NULL,  -- end of the period, exclusive
        output numeric NOT NULL,  -- output, in unit; negative for net consumption of a standing plant
        qualified numeric NOT NULL,  -- of it, qualified, in unit
        value numeric,  -- value of the qualified output, in currency
        currency text COLLATE "C",  -- unit of value
        deliveries jsonb,  -- to whom, in unit and currency of the row: [{"buyer", "quantity", "value"}], optional
        CONSTRAINT production_figures_are_numbers CHECK (output > '-Infinity' AND output < 'Infinity' AND qualified > '-Infinity' AND qualified < 'Infinity'
            AND coalesce(value > '-Infinity' AND value < 'Infinity', true)),
        CONSTRAINT production_period_is_right CHECK (period_start < period_end AND isfinite(period_start) AND isfinite(period_end)),
        CONSTRAINT production_qualified_at_most_output CHECK (qualified <= output OR output <= 0),
        CONSTRAINT production_pkey PRIMARY KEY (node, product, period_start)
    )$table$);
$$;
COMMENT ON FUNCTION ecert.create_energy_tables() IS 'internal: makes ledger.reading and ledger.production';

CREATE FUNCTION ecert.pack_line(first_start timestamptz, last_end timestamptz, quantities numeric[], even_step interval, period tstzrange) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    -- equal steps that fill the period stay a series, at the finest decimal any of them uses; else the sum.  Zeros behind
    -- the last digit, which divisions leave, say nothing and may not fit
    SELECT CASE WHEN even_step IS NOT NULL AND cardinality(quantities) > 1
                 AND first_start = lower(period) AND last_end = upper(period)
                THEN (SELECT jsonb_build_object('series', jsonb_strip_nulls(jsonb_build_object(
                                 'step', EXTRACT(epoch FROM even_step)::bigint,
                                 'exp', CASE WHEN s.decimals > 0 THEN -s.decimals END,
                                 'values', (SELECT jsonb_agg((q * power(10::numeric, s.decimals))::bigint ORDER BY n)
                                              FROM unnest(quantities) WITH ORDINALITY AS v (q, n)))))
                        FROM (SELECT max(min_scale(q)) FROM unnest(quantities) AS q) AS s (decimals))
                ELSE (SELECT jsonb_build_object('quantity', trim_scale(sum(q))) FROM unnest(quantities) AS q) END
$$;
COMMENT ON FUNCTION ecert.pack_line(timestamptz, timestamptz, numeric[], interval, tstzrange) IS 'internal: the quantity or series of one energy line from its readings in the order of time; even_step is their common length when they join without gap, else NULL';

CREATE FUNCTION ecert.pack_covered(covered interval, period tstzrange, what text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN EXTRACT(epoch FROM covered) < EXTRACT(epoch FROM upper(period) - lower(period))
                THEN jsonb_build_object('covered', greatest(1, floor(EXTRACT(epoch FROM covered)))::bigint, 'note', format('no %s for the rest of the period', what)) ELSE '{}' END
$$;
COMMENT ON FUNCTION ecert.pack_covered(interval, tstzrange, text) IS 'internal: the fields of a line that say so when its point, or product, is covered for less time than the period; what: readings or production';

CREATE FUNCTION ecert.check_pack_period(period tstzrange) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT coalesce(isfinite(lower(period)) AND isfinite(upper(period)), false) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'a period to pack must have a beginning and an end',
            DETAIL = format('The period is %s.', coalesce(period::text, 'NULL'));
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_pack_period(tstzrange) IS 'internal: raises 22023 when a period has no beginning or no end';

CREATE FUNCTION ecert.check_readings(node text, period tstzrange) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    period_start timestamptz := lower(period);
    period_end timestamptz := upper(period);
    longest interval := (SELECT max(r.interval_end - r.interval_start) FROM ledger.reading r WHERE r.node = check_readings.node);
    odd record;
BEGIN
    -- a day more, because days of an interval are those of the session's time zone
    SELECT r.* INTO odd FROM ledger.reading r
     WHERE r.node = check_readings.node AND r.interval_start > period_start - longest - interval '1 day' AND r.interval_start < period_end
       AND r.interval_end > period_start AND (r.interval_start < period_start OR r.interval_end > period_end)
     ORDER BY r.interval_start LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC040', MESSAGE = 'a reading reaches over the edge of the period',
            DETAIL = format('Source "%s", point "%s", %s to %s; the period is %s.', odd.source, odd.point, odd.interval_start, odd.interval_end, check_readings.period),
            HINT = 'Pack a period that begins and ends where readings do.';
    END IF;
    -- a meter may pass from one product or supplier to another without leaving a gap; what the books say without
    -- a meter stands for itself
    SELECT a.source, a.point, a.interval_start, coalesce(a.overlapped, a.covered) AS before, a.overlapped IS NOT NULL AS overlaps INTO odd
      FROM (SELECT r.source, r.point, r.interval_start,
                   max(r.interval_end) OVER (PARTITION BY r.source, r.point, CASE r.point WHEN '' THEN r.product END, CASE r.point WHEN '' THEN r.supplier END
                                             ORDER BY r.interval_start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered,
                   CASE WHEN max(r.interval_end) OVER line > r.interval_start THEN max(r.interval_end) OVER line END AS overlapped
              FROM ledger.reading r
             WHERE r.node = check_readings.node AND r.interval_start >= period_start AND r.interval_start < period_end
            WINDOW line AS (PARTITION BY r.source, r.point, r.product, r.supplier
                            ORDER BY r.interval_start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS a
     WHERE a.overlapped IS NOT NULL OR a.covered < a.interval_start ORDER BY a.interval_start, a.source, a.point LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC040',
            MESSAGE = CASE WHEN odd.overlaps THEN 'readings overlap within the period' ELSE 'readings leave a gap within the period' END,
            DETAIL = format('Source "%s", point "%s": one ends at %s, the next begins at %s.', odd.source, odd.point, odd.before, odd.interval_start),
            HINT = 'Put in the missing readings (quantity 0 where nothing was used), or correct them.';
    END IF;
    SELECT r.source, r.point, min(r.quantity) AS quantity, max(min_scale(r.quantity)) AS decimals INTO odd
      FROM ledger.reading r
     WHERE r.node = check_readings.node AND r.interval_start >= period_start AND r.interval_start < period_end
     GROUP BY r.source, r.unit, r.product, r.supplier, r.point
    HAVING max(min_scale(r.quantity)) > 18 OR max(r.quantity) * power(10::numeric, max(min_scale(r.quantity))) > 9223372036854775807 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC097', MESSAGE = 'readings have more digits than a package can hold',
            DETAIL = format('Source "%s", point "%s": %s decimals are used; a number has at most 18, and its digits without the point are within 64 bits.',
                            odd.source, odd.point, odd.decimals),
            HINT = 'Round the readings before they are packed.';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_readings(text, tstzrange) IS 'internal: raises EC040 when readings of a node overlap, leave a gap between two of one point, or reach over the edge of a period, EC097 when they have too many digits';

CREATE FUNCTION ecert.energy_body(node text, period tstzrange) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lines jsonb;
BEGIN
    PERFORM ecert.check_pack_period(period);
    PERFORM ecert.check_readings(node, period);
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('source', g.source, 'unit', g.unit, 'product', g.product,
                         'supplier', g.supplier, 'point', nullif(g.point, '')))
                     || ecert.pack_line(g.first_start, g.last_end, g.quantities, g.even_step, energy_body.period)
                     || ecert.pack_covered(g.covered, energy_body.period, 'readings')
                     ORDER BY g.source, g.unit, g.product, g.supplier, g.point)
      INTO lines
      FROM (SELECT r.source, r.unit, r.product, r.supplier, r.point, min(r.interval_start) AS first_start, max(r.interval_end) AS last_end,
                   array_agg(r.quantity ORDER BY r.interval_start) AS quantities,
                   -- a point has no gap, and may pass from one line to another
                   CASE r.point WHEN '' THEN sum(r.interval_end - r.interval_start)
                        ELSE max(max(r.interval_end)) OVER (PARTITION BY r.source, r.point) - min(min(r.interval_start)) OVER (PARTITION BY r.source, r.point) END AS covered,
                   CASE WHEN min(r.interval_end - r.interval_start) = max(r.interval_end - r.interval_start)
                         AND sum(r.interval_end - r.interval_start) = max(r.interval_end) - min(r.interval_start)
                         AND EXTRACT(epoch FROM min(r.interval_end - r.interval_start)) % 1 = 0
                        THEN min(r.interval_end - r.interval_start) END AS even_step
              FROM ledger.reading r
             WHERE r.node = energy_body.node AND r.interval_start >= lower(energy_body.period) AND r.interval_start < upper(energy_body.period)
             GROUP BY r.source, r.unit, r.product, r.supplier, r.point) AS g;
    IF lines IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC096', MESSAGE = format('there are no readings of node "%s" in the period', node),
            DETAIL = format('The period is %s.', period), HINT = 'Readings are rows of ledger.reading.';
    END IF;
    RETURN jsonb_build_object('period', ecert.period_json(period), 'lines', lines);
END
$$;
COMMENT ON FUNCTION ecert.energy_body(text, tstzrange) IS 'internal: the energy body that the readings of a node in a period make; EC040 and EC097 of ecert.check_readings(), EC096 when there are none';

CREATE FUNCTION ecert.correction(replaces bytea, reason text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'replaces', CASE WHEN replaces IS NOT NULL THEN pg_catalog.jsonb_build_array(pg_catalog.encode(replaces, 'hex')) END, 'reason', reason))
$$;
COMMENT ON FUNCTION ecert.correction(bytea, text) IS 'internal: the fields of a body that replaces another package';

CREATE FUNCTION ecert.pack_energy(period tstzrange, replaces bytea DEFAULT NULL, reason text DEFAULT NULL) RETURNS bytea
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.append('energy', ecert.energy_body(ecert.this_node(), pack_energy.period)
                                  OPERATOR(pg_catalog.||) ecert.correction(pack_energy.replaces, pack_energy.reason))
$$;
COMMENT ON FUNCTION ecert.pack_energy(tstzrange, bytea, text) IS 'applicant: sign this node''s readings (ledger.reading) of a period as one energy package and append it; equal intervals that fill the period stay a series, others become their sum; a line whose point was read for less than the period says how long (covered). replaces names the package that this one corrects (same period), reason says why. Returns the hash. EC002 when a series is too long (pack shorter periods), EC040, EC041, EC042, EC096, EC097';

CREATE FUNCTION ecert.product_body(node text, period tstzrange) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    odd record;
    lines jsonb;
    deliveries jsonb;
BEGIN
    PERFORM ecert.check_pack_period(period);
    SELECT r.* INTO odd FROM ledger.production r
     WHERE r.node = product_body.node AND tstzrange(r.period_start, r.period_end) && product_body.period
       AND NOT tstzrange(r.period_start, r.period_end) <@ product_body.period ORDER BY r.period_start LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC040', MESSAGE = 'a production row reaches over the edge of the period',
            DETAIL = format('Product "%s", %s to %s; the period is %s.', odd.product, odd.period_start, odd.period_end, product_body.period),
            HINT = 'Pack a period that begins and ends where production rows do.';
    END IF;
    SELECT a.* INTO odd
      FROM (SELECT r.product, r.period_start,
                   max(r.period_end) OVER (PARTITION BY r.product ORDER BY r.period_start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
              FROM ledger.production r
             WHERE r.node = product_body.node AND tstzrange(r.period_start, r.period_end) <@ product_body.period) AS a
     WHERE a.before > a.period_start ORDER BY a.period_start, a.product LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC040', MESSAGE = 'production rows overlap within the period',
            DETAIL = format('Product "%s": one ends at %s, the next begins at %s.', odd.product, odd.before, odd.period_start),
            HINT = 'Declare each stretch of time once.';
    END IF;
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('product', g.product, 'unit', g.unit, 'output', g.output,
                         'qualified', g.qualified, 'value', g.value, 'currency', g.currency))
                     || ecert.pack_covered(g.covered, product_body.period, 'production')
                     ORDER BY g.product, g.unit, g.currency)
      INTO lines
      FROM (SELECT r.product, r.unit, r.currency, trim_scale(sum(r.output)) AS output, trim_scale(sum(r.qualified)) AS qualified, sum(sum(r.period_end - r.period_start)) OVER (PARTITION BY r.product) AS covered,
                   CASE WHEN count(r.value) = count(*) THEN trim_scale(sum(r.value)) END AS value
              FROM ledger.production r
             WHERE r.node = product_body.node AND tstzrange(r.period_start, r.period_end) <@ product_body.period
             GROUP BY r.product, r.unit, r.currency) AS g;
    IF lines IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC096', MESSAGE = format('there is no production of node "%s" in the period', node),
            DETAIL = format('The period is %s.', period), HINT = 'Production is rows of ledger.production.';
    END IF;
    SELECT jsonb_agg(jsonb_build_object('product', r.product, 'unit', r.unit) || d.delivery ORDER BY r.product, r.period_start, d.place) INTO deliveries
      FROM ledger.production r CROSS JOIN jsonb_array_elements(r.deliveries) WITH ORDINALITY AS d (delivery, place)
     WHERE r.node = product_body.node AND tstzrange(r.period_start, r.period_end) <@ product_body.period;
    RETURN jsonb_strip_nulls(jsonb_build_object('period', ecert.period_json(period), 'lines', lines, 'deliveries', deliveries));
END
$$;
COMMENT ON FUNCTION ecert.product_body(text, tstzrange) IS 'internal: the product body that a node''s production in a period makes; EC040, EC096';

CREATE FUNCTION ecert.pack_product(period tstzrange, replaces bytea DEFAULT NULL, reason text DEFAULT NULL) RETURNS bytea
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.append('product', ecert.product_body(ecert.this_node(), pack_product.period)
                                   OPERATOR(pg_catalog.||) ecert.correction(pack_product.replaces, pack_product.reason))
$$;
COMMENT ON FUNCTION ecert.pack_product(tstzrange, bytea, text) IS 'applicant: sign this node''s production (ledger.production) of a period as one product package and append it; a line whose product has rows for less than the period says for how long (covered). replaces and reason as in ecert.pack_energy(). Returns the hash. EC040, EC041, EC096';

CREATE FUNCTION ecert.create_energy_views() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.coefficient AS  -- conversion to standard coal under the policy in force; unit multiples of the policy come on top
    SELECT c ->> 'source' AS source,  -- energy source
           c ->> 'unit' AS unit,  -- unit it is counted in
           (c ->> 'kgce')::numeric(38,18) AS kgce,  -- kilograms of standard coal equivalent (29307.6 kJ) per unit
           c ->> 'edition' AS edition,  -- standard and edition
           c ->> 'citation' AS citation,  -- where the figure comes from
           encode(ecert.policy_hash(), 'hex') AS policy_hash  -- hash of the policy in force, hexadecimal
      FROM jsonb_array_elements(ecert.policy() -> 'coefficients') AS c$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.energy_use AS  -- the lines of all energy packages that no later one replaces
    SELECT l.applicant,  -- node id of the applicant
           l.seq,  -- number of the package in the applicant's energy feed
           l.period_start,  -- start of the package's period
           l.period_end,  -- end of the package's period, exclusive
           ecert.line_number(l.line) AS line_number,  -- line in the package, from 1
           ecert.line_text(l.line, 'source') AS source,  -- energy source
           ecert.line_text(l.line, 'unit') AS unit,  -- unit of quantity
           ecert.line_text(l.line, 'product') AS product,  -- product it was used for; NULL: shared by all
           ecert.line_text(l.line, 'supplier') AS supplier,  -- node id of the supplier, where named
           ecert.line_text(l.line, 'point') AS point,  -- metering point, where named
           ecert.line_quantity(l.line)::numeric(38,18) AS quantity,  -- energy used, in unit
           ecert.line_kgce(l.line, (SELECT ecert.policy_hash()))::numeric(38,9) AS kgce_quantity,  -- the same in kilograms of standard coal under the policy in force; NULL when it has no coefficient
           encode(l.hash, 'hex') AS package_hash  -- hash of the package, hexadecimal
      FROM (SELECT p.issuer AS applicant, p.seq, lower(p.period) AS period_start, upper(p.period) AS period_end, p.hash, ecert.lines(p.package) AS line
              FROM ledger.package p
             WHERE p.kind = 'energy'
               AND NOT EXISTS (SELECT FROM ledger.package n WHERE n.kind = 'energy' AND ecert.reference(n.package) IS NOT NULL AND ecert.reference(n.package) = p.hash)) AS l$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.product_output AS  -- the lines of all product packages that no later one replaces
    SELECT l.applicant,  -- node id of the applicant
           l.seq,  -- number of the package in the applicant's product feed
           l.period_start,  -- start of the package's period
           l.period_end,  -- end of the package's period, exclusive
           ecert.line_number(l.line) AS line_number,  -- line in the package, from 1
           ecert.line_text(l.line, 'product') AS product,  -- product
           ecert.line_text(l.line, 'unit') AS unit,  -- unit of the quantities
           ecert.line_amount(l.line, 'output')::numeric(38,18) AS output_quantity,  -- output, in unit
           ecert.line_amount(l.line, 'qualified')::numeric(38,18) AS qualified_quantity,  -- of it, qualified, in unit: what unit energy is divided by
           ecert.line_amount(l.line, 'value')::numeric(38,18) AS output_value,  -- value of the qualified output, in currency; NULL when not declared
           ecert.line_text(l.line, 'currency') AS currency,  -- unit of output_value
           encode(l.hash, 'hex') AS package_hash  -- hash of the package, hexadecimal
      FROM (SELECT p.issuer AS applicant, p.seq, lower(p.period) AS period_start, upper(p.period) AS period_end, p.hash, ecert.lines(p.package) AS line
              FROM ledger.package p
             WHERE p.kind = 'product'
               AND NOT EXISTS (SELECT FROM ledger.package n WHERE n.kind = 'product' AND ecert.reference(n.package) IS NOT NULL AND ecert.reference(n.package) = p.hash)) AS l$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.unit_energy AS  -- unit product energy of each period that has both an energy and a product package, by the arithmetic of ecert.assess(); total = sum(kgce_quantity) / sum(qualified_quantity), never an average of kgce_per_unit
    SELECT p.applicant,  -- node id of the applicant
           u.product,  -- product
           u.unit,  -- unit of the product; NULL when its lines differ
           lower(p.period) AS period_start,  -- start of the period
           upper(p.period) AS period_end,  -- end of the period, exclusive
           -- one absurd declaration must not break the view for everybody: a figure that does not fit is NULL
           (CASE WHEN u.kgce < 1e28 THEN u.kgce END)::numeric(38,9) AS kgce_quantity,  -- numerator: energy used for the product with its share of what is declared for no product, kgce under the policy in force; NULL, not smaller, when a source of it has no coefficient, or when nothing says how to share
           u.qualified::numeric(38,18) AS qualified_quantity,  -- denominator: qualified output, in unit; NULL when units of its lines differ
           (CASE WHEN u.unit_energy < 1e28 THEN u.unit_energy END)::numeric(38,9) AS kgce_per_unit  -- unit product energy (GB/T 13234), kgce per unit; NULL when output is not positive, or kgce_quantity or qualified_quantity NULL
      FROM (SELECT e.issuer AS applicant, e.period, ecert.collect_bodies(e.kind, e.seq, e.period, e.package) AS bodies
              FROM ledger.package e WHERE e.kind IN ('energy', 'product')
             GROUP BY e.issuer, e.period HAVING count(DISTINCT e.kind) = 2) AS p
     CROSS JOIN LATERAL ecert.use_by_product((SELECT ecert.policy()), p.bodies, p.period) AS u
     WHERE u.has_output$view$);
$$;
COMMENT ON FUNCTION ecert.create_energy_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';
