-- The policy that ecert.create_ledger() takes when it is given none, and coefficients as rows.

CREATE FUNCTION ecert.zone_offsets(zone text) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first timestamptz := '2000-01-01 00:00:00Z';
    before integer := extract(epoch FROM (first AT TIME ZONE zone) - (first AT TIME ZONE 'UTC'));
    offsets jsonb := jsonb_build_array(jsonb_build_array(extract(epoch FROM first)::bigint, before));
    change record;
    low bigint;
    high bigint;
    middle bigint;
BEGIN
    -- weeks at whose end the offset is another than at their beginning, and then to the second; no zone changes twice in a week
    FOR change IN
        SELECT extract(epoch FROM d.week)::bigint AS upto, d.seconds
          FROM (SELECT g.week, g.seconds, lag(g.seconds, 1, before) OVER (ORDER BY g.week) AS earlier
                  FROM (SELECT s.week, extract(epoch FROM (s.week AT TIME ZONE zone) - (s.week AT TIME ZONE 'UTC'))::integer AS seconds
                          FROM generate_series(first, '2101-01-07 00:00:00Z', interval '168 hours') AS s (week)) AS g) AS d
         WHERE d.seconds <> d.earlier ORDER BY d.week
    LOOP
        low := change.upto - 604800;
        high := change.upto;
        WHILE high - low > 1 LOOP
            middle := (low + high) / 2;
            IF extract(epoch FROM (to_timestamp(middle) AT TIME ZONE zone) - (to_timestamp(middle) AT TIME ZONE 'UTC')) = change.seconds
            THEN high := middle; ELSE low := middle; END IF;
        END LOOP;
        offsets := offsets || jsonb_build_array(jsonb_build_array(high, change.seconds));
    END LOOP;
    RETURN offsets;
END
$$;
COMMENT ON FUNCTION ecert.zone_offsets(text) IS 'internal: how far a time zone is ahead of UTC from 2000 to 2100, [[from, seconds] ...] in seconds since 1970, by PostgreSQL''s own data; 22023 when there is no such zone';

CREATE FUNCTION ecert.server_zone() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- what a client asks for when it connects covers what this server says
    zone text := (SELECT regexp_replace(o.option, '^timezone=', '', 'i') FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS o (option)
                   WHERE s.setrole = 0 AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) AND o.option ~* '^timezone='
                   ORDER BY s.setdatabase DESC LIMIT 1);
BEGIN
    IF zone IS NULL AND has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE') THEN
        zone := (SELECT f.setting FROM pg_file_settings f WHERE lower(f.name) = 'timezone' AND f.applied ORDER BY f.seqno DESC LIMIT 1);
    END IF;
    RETURN coalesce(zone, (SELECT s.reset_val FROM pg_settings s WHERE s.name = 'TimeZone'));
END
$$;
COMMENT ON FUNCTION ecert.server_zone() IS 'internal: the time zone of this database or server, whatever zone the client has; where the configuration may not be read, the one that RESET TimeZone gives';

CREATE FUNCTION ecert.default_policy(zone text DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.jsonb_build_object(
        'coefficients', (
            SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('source', c.source, 'unit', c.unit, 'kgce', c.kgce,
                       'edition', c.edition, 'citation', c.citation)) ORDER BY c.source, c.unit)
              FROM (SELECT t.source, t.unit, t.kgce, 'GB/T 2589-2020' AS edition, t.citation FROM (VALUES
        ('raw_coal', 'kg', 0.7143, 'table A.1, raw coal; FOUND: value found in a published copy'),
        ('cleaned_coal', 'kg', 0.9000, 'table A.1, cleaned (washed) coal; PARTIAL: not checked against the printed standard'),
        ('middlings', 'kg', 0.2857, 'table A.1, washed middlings; PARTIAL: not checked against the printed standard'),
        ('coal_slime_min', 'kg', 0.2857, 'table A.1, coal slime (lower bound); PARTIAL: not checked against the printed standard'),
        ('coal_slime_max', 'kg', 0.4286, 'table A.1, coal slime (upper bound); PARTIAL: not checked against the printed standard'),
        ('gangue', 'kg', 0.2857, 'table A.1, coal gangue (used as energy); PARTIAL: not checked against the printed standard'),
        ('coke', 'kg', 0.9714, 'table A.1, coke (dry); PARTIAL: not checked against the printed standard'),
        ('coal_tar', 'kg', 1.1429, 'table A.1, coal tar; PARTIAL: not checked against the printed standard'),
        ('crude_oil', 'kg', 1.4286, 'table A.1, crude oil; PARTIAL: not checked against the printed standard'),
        ('fuel_oil', 'kg', 1.4286, 'table A.1, fuel oil; PARTIAL: not checked against the printed standard'),
        ('gasoline', 'kg', 1.4714, 'table A.1, gasoline; PARTIAL: not checked against the printed standard'),
        ('kerosene', 'kg', 1.4714, 'table A.1, kerosene; PARTIAL: not checked against the printed standard'),
        ('diesel', 'kg', 1.4571, 'table A.1, diesel; PARTIAL: not checked against the printed standard'),
        ('natural_gas', 'm3', 1.3300, 'table A.1, natural gas (upper bound; the usual default); FOUND: value found in a published copy'),
        ('lng', 'kg', 1.7572, 'table A.1, liquefied natural gas; PARTIAL: not checked against the printed standard'),
        ('lpg', 'kg', 1.7143, 'table A.1, liquefied petroleum gas; PARTIAL: not checked against the printed standard'),
        ('refinery_gas', 'kg', 1.5714, 'table A.1, refinery dry gas; PARTIAL: not checked against the printed standard'),
        ('coke_oven_gas_min', 'm3', 0.5714, 'table A.1, coke-oven gas (lower bound); PARTIAL: not checked against the printed standard'),
        ('coke_oven_gas_max', 'm3', 0.6143, 'table A.1, coke-oven gas (upper bound); PARTIAL: not checked against the printed standard'),
        ('blast_furnace_gas', 'm3', 0.1286, 'table A.1, blast-furnace gas; PARTIAL: not checked against the printed standard'),
        ('producer_gas', 'm3', 0.1786, 'table A.1, producer gas; PARTIAL: not checked against the printed standard'),
        ('heavy_oil_catalytic_gas', 'm3', 0.6571, 'table A.1, heavy-oil catalytic-cracking gas; PARTIAL: not checked against the printed standard'),
        ('heavy_oil_thermal_gas', 'm3', 1.2143, 'table A.1, heavy-oil thermal-cracking gas; PARTIAL: not checked against the printed standard'),
        ('coke_gas', 'm3', 0.5571, 'table A.1, gas made from coke; PARTIAL: not checked against the printed standard'),
        ('pressure_gasification_gas', 'm3', 0.5143, 'table A.1, pressurised-gasification gas; PARTIAL: not checked against the printed standard'),
        ('water_gas', 'm3', 0.3571, 'table A.1, water gas; PARTIAL: not checked against the printed standard'),
        ('electricity', 'kWh', 0.1229, 'table A.2, electricity, calorific (energy-equivalent) value; FOUND: value found in a published copy'),
        ('heat', 'MJ', 0.03412, 'table A.2, heat, calorific value; FOUND: value found in a published copy'),
        ('new_water', 't', 0.2571, 'annex B, fresh water (energy-consuming medium); FOUND: value found in a published copy'),
        ('soft_water', 't', 0.4857, 'annex B, softened water; PARTIAL: not checked against the printed standard'),
        ('deoxygenated_water', 't', 0.9714, 'annex B, deoxygenated water; PARTIAL: not checked against the printed standard'),
        ('compressed_air', 'm3', 0.0400, 'annex B, compressed air; PARTIAL: not checked against the printed standard'),
        ('oxygen', 'm3', 0.4000, 'annex B, oxygen; PARTIAL: not checked against the printed standard'),
        ('acetylene', 'm3', 8.3143, 'annex B, acetylene; PARTIAL: not checked against the printed standard'),
        ('calcium_carbide', 'kg', 2.0786, 'annex B, calcium carbide; PARTIAL: not checked against the printed standard')) AS t (source, unit, kgce, citation)
                    UNION ALL
                    -- fuels by their heat: what a kilogram of standard coal is
                    SELECT f.source, h.unit, h.kgce, NULL, 'standard coal has 29.3076 MJ/kg; by low calorific value'
                      FROM (VALUES ('raw_coal'), ('coke'), ('crude_oil'), ('fuel_oil'), ('gasoline'), ('diesel'), ('natural_gas'), ('lng'), ('lpg')) AS f (source)
                     CROSS JOIN (VALUES ('MJ', 0.034120842375356563), ('kgce', 1)) AS h (unit, kgce)) AS c),
        'units', (
            SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('unit', u.unit, 'base', u.base, 'factor', u.factor))
              FROM (VALUES
        ('t', 'kg', 1000), ('kt', 'kg', 1000000), ('10^4 t', 'kg', 10000000),
        ('kt', 't', 1000), ('10^4 t', 't', 10000),
        ('10^3 m3', 'm3', 1000), ('10^4 m3', 'm3', 10000),
        ('lb', 'kg', 0.45359237), ('Nm3', 'm3', 1), ('L', 'm3', 0.001), ('gal', 'm3', 0.003785411784), ('CCF', 'm3', 2.8316846592), ('Mcf', 'm3', 28.316846592),
        ('Wh', 'kWh', 0.001), ('MWh', 'kWh', 1000), ('GWh', 'kWh', 1000000), ('10^4 kWh', 'kWh', 10000), ('TWh', 'kWh', 1000000000),
        ('kJ', 'MJ', 0.001), ('GJ', 'MJ', 1000), ('TJ', 'MJ', 1000000), ('kcal', 'MJ', 0.0041868), ('Mcal', 'MJ', 4.1868), ('Gcal', 'MJ', 4186.8),
        ('therm', 'MJ', 105.505585262), ('MMBtu', 'MJ', 1055.05585262), ('toe', 'MJ', 41868), ('tce', 'kgce', 1000)) AS u (unit, base, factor)),
        'calendar', (
            SELECT pg_catalog.jsonb_build_object('zone', z.zone, 'offsets', ecert.zone_offsets(z.zone), 'year_start', 1, 'pack', 'month', 'statistics', 'year')
              FROM (SELECT coalesce(default_policy.zone, ecert.server_zone())) AS z (zone)),
        'completeness', '{"covered_min": 0.95, "estimated_max": 0.05, "signed_within": 31, "packing_deadline": 15}'::pg_catalog.jsonb,
        'audit', '{"required": [{"as": "upstream", "count": 1}, {"as": "peer", "count": 1}],
                   "upstream": {"tolerance": 0.02}, "downstream": {"tolerance": 0.02},
                   "peer": {"k": 3, "floor": 0.05, "band": 0.3, "minimum": 3}, "audit_days": 30}'::pg_catalog.jsonb,
        'certificate', '{"threshold": 0, "strict": true, "denominator": "baseline", "attribution": {"rule": "direct"}, "electricity": "calorific",
                         "baseline": {"rule": "year_before"}, "confirmed_min": {"energy": 0.8, "output": 0.8}, "valid_days": 365, "witnesses": 0,
                         "seal_within": 3600, "automatic": {"on": true, "days": 366}}'::pg_catalog.jsonb,
        'reward', '{"upstream": 1, "peer": 1, "downstream": 1, "unit": "point"}'::pg_catalog.jsonb)
$$;
COMMENT ON FUNCTION ecert.default_policy(text) IS 'the built-in policy: coefficients of GB/T 2589-2020 (low calorific values; electricity and heat by calorific value; of natural gas the upper bound, the usual default), each with the status of its figure in the citation, and fuels by their heat (low calorific value, 29.3076 MJ a kgce); units with exact factors (pound, US gallon, cubic foot, calorie and Btu of the International Table, toe of 41.868 GJ; volumes of gas as they are, whatever their temperature and pressure); the calendar of a time zone, of this server unless another is named; one upstream and one peer audit required; threshold 0, which the rate has to be above. Equivalent values and rows known from memory only are left out: add yours with ecert.set_policy()';

CREATE FUNCTION ecert.calendar_span(policy jsonb, span text, at timestamptz) RETURNS tstzrange
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_calendar_span';
COMMENT ON FUNCTION ecert.calendar_span(jsonb, text, timestamptz) IS 'the span of a policy''s calendar that a time lies in: day, week (from Monday), month, quarter or year (of the fiscal year), or pack or statistics, which the policy names; by the offsets of the calendar, whatever the zone of server and session. A day begins when its date is reached for good. NULL for times that no calendar has; 22023';

CREATE FUNCTION ecert.calendar_before(policy jsonb, period tstzrange, years integer DEFAULT 1) RETURNS tstzrange
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_calendar_before';
COMMENT ON FUNCTION ecert.calendar_before(jsonb, tstzrange, integer) IS 'the same civil dates and times so many years before, by a policy''s calendar: 29 February has 28 February before it, and where statistics are by week a year is 52 weeks. NULL for a period without end';

CREATE FUNCTION ecert.calendar_text(policy jsonb, period tstzrange) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_calendar_text';
COMMENT ON FUNCTION ecert.calendar_text(jsonb, tstzrange) IS 'a period in civil dates of a policy''s calendar, [2025-03-01,2025-04-01), with times where these are not midnight; the same in every session. NULL for a period without end';

CREATE FUNCTION ecert.coefficients(policy jsonb, OUT source text, OUT unit text, OUT kgce numeric) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
AS $$
    SELECT c OPERATOR(pg_catalog.->>) 'source', c OPERATOR(pg_catalog.->>) 'unit', (c OPERATOR(pg_catalog.->>) 'kgce')::numeric
      FROM pg_catalog.jsonb_array_elements(policy OPERATOR(pg_catalog.->) 'coefficients') AS c
    UNION ALL
    SELECT c OPERATOR(pg_catalog.->>) 'source', u OPERATOR(pg_catalog.->>) 'unit', (c OPERATOR(pg_catalog.->>) 'kgce')::numeric OPERATOR(pg_catalog.*) (u OPERATOR(pg_catalog.->>) 'factor')::numeric
      FROM pg_catalog.jsonb_array_elements(policy OPERATOR(pg_catalog.->) 'coefficients') AS c
      JOIN pg_catalog.jsonb_array_elements(policy OPERATOR(pg_catalog.->) 'units') AS u ON (u OPERATOR(pg_catalog.->>) 'base') OPERATOR(pg_catalog.=) (c OPERATOR(pg_catalog.->>) 'unit')
$$;
COMMENT ON FUNCTION ecert.coefficients(jsonb) IS 'every source and unit that a policy can convert, directly or through a unit multiple, with kgce (kilograms of standard coal, 29307.6 kJ each) per unit';

CREATE FUNCTION ecert.coefficient_kgce(policy jsonb, source text, unit text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.kgce FROM ecert.coefficients(policy) AS c
     WHERE c.source = coefficient_kgce.source AND c.unit = coefficient_kgce.unit
$$;
COMMENT ON FUNCTION ecert.coefficient_kgce(jsonb, text, text) IS 'kgce (kilograms of standard coal, 29307.6 kJ each) of one unit of a source under a policy, directly or through a unit multiple; NULL when the policy has none';

CREATE FUNCTION ecert.line_kgce(line ecert.package_line, policy_hash bytea) RETURNS numeric
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_line_kgce';
COMMENT ON FUNCTION ecert.line_kgce(ecert.package_line, bytea) IS 'quantity of an energy line in kgce under the policy of that hash, not rounded; NULL when the policy has no coefficient for its source and unit. 22023 when the hash names no policy, EC003 when the line has no quantity';
