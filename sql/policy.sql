-- The built-in policy, unit multiples, and what a change of policy does to figures.
\getenv abs_srcdir PG_ABS_SRCDIR
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
\set keys_sql :abs_srcdir '/test/keys/keys.sql'
\set ECHO none
\i :keys_sql
\set ECHO all
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
-- each row says which table of which edition it is from, and whether it was checked
SELECT count(*) AS coefficients, count(DISTINCT c ->> 'source') AS sources, bool_and((c ->> 'kgce')::numeric > 0) AS positive,
       count(*) FILTER (WHERE NOT c ? 'edition') AS by_definition, bool_and(c ->> 'edition' = 'GB/T 2589-2020') AS one_edition, bool_and(c ->> 'citation' ~ '^(table A\.[12]|annex B), .*; (FOUND|PARTIAL): ' OR NOT c ? 'edition') AS status_in_citation,
       count(*) FILTER (WHERE c ->> 'citation' LIKE '%PARTIAL: not checked against the printed standard') AS not_checked
  FROM jsonb_array_elements(ecert.default_policy() -> 'coefficients') AS c;
SELECT c ->> 'source' AS source, c ->> 'unit' AS unit, (c ->> 'kgce')::numeric AS kgce, c ->> 'citation' AS citation
  FROM jsonb_array_elements(ecert.default_policy() -> 'coefficients') AS c WHERE c ->> 'citation' LIKE '%FOUND%' ORDER BY 1;
SELECT ecert.check_policy(ecert.default_policy());
-- one unit of ... in kgce, unit multiples included; what is not there is not zero
SELECT v.source, v.unit, trim_scale(ecert.coefficient_kgce(ecert.default_policy(), v.source, v.unit)) AS kgce
  FROM (VALUES ('raw_coal', 'kg'), ('raw_coal', 't'), ('raw_coal', '10^4 t'), ('electricity', 'kWh'), ('electricity', 'MWh'), ('electricity', 'GWh'), ('electricity', '10^4 kWh'),
               ('natural_gas', 'm3'), ('natural_gas', '10^4 m3'), ('heat', 'MJ'), ('heat', 'GJ'), ('heat', 'TJ'), ('new_water', 't'), ('new_water', 'kt'),
               ('raw_coal', 'kWh'), ('new_water', 'kg'), ('gold', 't'), (NULL, NULL)) AS v (source, unit);
-- what is on bills elsewhere: a barrel of oil equivalent is no unit, a ton of it is; a therm of gas is its heat
SELECT v.source, v.unit, trim_scale(ecert.coefficient_kgce(ecert.default_policy(), v.source, v.unit)) AS kgce
  FROM (VALUES ('electricity', 'Wh'), ('electricity', 'TWh'), ('raw_coal', 'lb'), ('natural_gas', 'Nm3'), ('natural_gas', 'CCF'), ('natural_gas', 'Mcf'), ('natural_gas', 'therm'), ('natural_gas', 'MMBtu'), ('heat', 'kcal'), ('heat', 'Gcal'), ('diesel', 'GJ'),
               ('crude_oil', 'toe'), ('crude_oil', 'tce'), ('raw_coal', 'tce'), ('diesel', 'gal'), ('crude_oil', 'boe')) AS v (source, unit);
-- exactly: a tonne of oil equivalent is 10^7 kcal, one of standard coal 7 * 10^6
SELECT 41868 / 29307.6 = 10000000::numeric / 7000000 AS toe_is_ten_gigacalories, 105.505585262 * 10 = 1055.05585262 AS ten_therms_are_a_mmbtu;
-- never two answers
SELECT source, unit FROM ecert.coefficients(ecert.default_policy()) GROUP BY source, unit HAVING count(*) > 1;

-- policies that contradict themselves are refused
SELECT ecert.check_policy(jsonb_set(ecert.default_policy(), '{coefficients}', '[{"source": "x", "unit": "kg", "kgce": 1}, {"source": "x", "unit": "kg", "kgce": 1}]'));
SELECT ecert.check_policy(jsonb_set(ecert.default_policy(), '{coefficients}', '[{"source": "x", "unit": "kg", "kgce": 1}, {"source": "x", "unit": "t", "kgce": 1000}]'));
SELECT ecert.check_policy(jsonb_set(ecert.default_policy(), '{units}', '[{"unit": "t", "base": "kg", "factor": 0}]'));
SELECT ecert.check_policy(jsonb_set(ecert.default_policy(), '{units}', '[{"unit": "t", "base": "kg", "factor": 1000}, {"unit": "t", "base": "kg", "factor": 1000}]'));
SELECT ecert.check_policy(jsonb_set(ecert.default_policy(), '{units}', '[{"unit": "kg", "base": "kg", "factor": 1}]'));
SELECT ecert.check_policy(jsonb_set(ecert.default_policy(), '{audit,required}', '[{"as": "peer", "count": 1}, {"as": "peer", "count": 2}]'));

-- a new policy counts at once, for every period; what loses its coefficient becomes unknown, not zero
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key;
SELECT ecert.create_ledger('policy.test') IS NOT NULL AS made;
SELECT ecert.enroll('plant-a', '{applicant}', test_keys.public('plant-a')) IS NOT NULL AS enrolled;
CALL test_keys.be('plant-a');
SELECT count(ecert.append('energy', jsonb_build_object('period', ecert.period_json(w.period), 'lines',
           '[{"source": "raw_coal", "unit": "t", "quantity": 10}, {"source": "electricity", "unit": "MWh", "quantity": 100}]'::jsonb))),
       count(ecert.append('product', jsonb_build_object('period', ecert.period_json(w.period), 'lines',
           jsonb_build_array(jsonb_build_object('product', 'steel', 'unit', 't', 'output', w.output, 'qualified', w.output)))))
  FROM (VALUES ('[2023-01-01,2024-01-01)'::tstzrange, 100), ('[2024-01-01,2025-01-01)', 110)) AS w (period, output);
CALL test_keys.be('certifier');
SELECT period_start::date AS period_start, trim_scale(kgce_quantity) AS kgce, trim_scale(qualified_quantity) AS qualified, kgce_per_unit FROM ledger.unit_energy ORDER BY 1;
SELECT base_kgce, now_unit_energy, saving_kgce, saving_rate FROM ecert.assess('plant-a', '[2024-01-01,2025-01-01)') WHERE product IS NULL;
SELECT ecert.set_policy(jsonb_set(ecert.default_policy(), '{coefficients}', '[{"source": "raw_coal", "unit": "kg", "kgce": 0.7}, {"source": "electricity", "unit": "kWh", "kgce": 0.3}]')) IS NOT NULL AS in_force;
SELECT base_kgce, now_unit_energy, saving_kgce, saving_rate FROM ecert.assess('plant-a', '[2024-01-01,2025-01-01)') WHERE product IS NULL;
SELECT source, unit, trim_scale(kgce) AS kgce, edition, citation FROM ledger.coefficient ORDER BY source;
SELECT ecert.set_policy(jsonb_set(ecert.default_policy(), '{coefficients}', '[{"source": "raw_coal", "unit": "kg", "kgce": 0.7}]')) IS NOT NULL AS in_force;
SELECT period_start::date AS period_start, source, trim_scale(kgce_quantity) AS kgce FROM ledger.energy_use ORDER BY 1, 2;
SELECT period_start::date AS period_start, kgce_quantity, trim_scale(qualified_quantity) AS qualified, kgce_per_unit FROM ledger.unit_energy ORDER BY 1;
\set VERBOSITY terse
SELECT count(*) FROM ecert.assess('plant-a', '[2024-01-01,2025-01-01)');
-- a baseline named by the policy stands for the year before
SELECT ecert.set_policy(jsonb_set(ecert.default_policy(), '{certificate,baseline}', jsonb_build_object('rule', 'fixed', 'period', ecert.period_json('[2024-01-01,2025-01-01)')))) IS NOT NULL AS in_force;
SELECT base_output, now_output, saving_kgce FROM ecert.assess('plant-a', '[2023-01-01,2024-01-01)') WHERE product IS NULL;
SELECT ecert.default_baseline('[2024-02-29,2024-03-01)', ecert.default_policy()) AS leap_day, ecert.default_baseline('[2024-01-01,2024-12-01)', ecert.default_policy()) AS months;
-- a calendar by PostgreSQL's own data: a zone without summer time, one with, and none
SELECT ecert.zone_offsets('Asia/Shanghai');
SELECT jsonb_array_length(ecert.zone_offsets('Europe/Berlin')) > 100 AS many, o.* FROM jsonb_array_elements(ecert.zone_offsets('Europe/Berlin')) WITH ORDINALITY AS o WHERE o.ordinality < 4;
SELECT bool_and(to_timestamp((o ->> 0)::bigint) AT TIME ZONE 'America/New_York' - to_timestamp((o ->> 0)::bigint) AT TIME ZONE 'UTC' = make_interval(secs => (o ->> 1)::int)
                AND to_timestamp((o ->> 0)::bigint - 1) AT TIME ZONE 'America/New_York' - to_timestamp((o ->> 0)::bigint - 1) AT TIME ZONE 'UTC' <> make_interval(secs => (o ->> 1)::int)) AS to_the_second
  FROM jsonb_array_elements(ecert.zone_offsets('America/New_York')) WITH ORDINALITY AS a (o, n) WHERE n > 1;
SELECT ecert.default_policy('Asia/Shanghai') -> 'calendar' AS calendar;
\set VERBOSITY default
SELECT ecert.default_policy('No/Where');
SELECT ecert.check_policy(jsonb_set(ecert.default_policy('UTC'), '{calendar,statistics}', '"week"'));
SELECT ecert.check_policy(jsonb_set(ecert.default_policy('UTC'), '{calendar,offsets}', '[[946684800, 0], [946684800, 3600]]'));
-- what later versions will follow is not ignored by this one
SELECT ecert.set_policy(jsonb_set(ecert.default_policy('UTC'), '{certificate,attribution}', '{"rule": "value"}'));
SELECT ecert.set_policy(jsonb_set(ecert.default_policy('UTC'), '{certificate,baseline}', '{"rule": "named"}'));
SELECT ecert.set_policy(ecert.default_policy('UTC') || '{"co2": {}}');
\set VERBOSITY terse
-- a field that a policy does not have is named, unless its name is no plain ASCII
\set VERBOSITY terse
SELECT ecert.set_policy(ecert.default_policy() || '{"foo": 1}');
SELECT ecert.set_policy(jsonb_set(ecert.default_policy(), '{certificate,bar}', '1'));
SELECT ecert.set_policy(ecert.default_policy() || '{"höhe": 1}');
\set VERBOSITY sqlstate
SELECT count(*) AS problems FROM ecert.problems();
DROP SCHEMA ledger CASCADE;
