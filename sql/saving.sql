-- The assessment: worked examples, properties, and 40 real plants to the printed digit.
\getenv abs_srcdir PG_ABS_SRCDIR
\set VERBOSITY terse
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
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key;
CREATE SCHEMA saving_test;
\set f :abs_srcdir '/demo/data/coefficients.csv'
CREATE TABLE saving_test.coefficient (energy_source text, energy_unit text, kgce numeric, a text, b text, c text, d text, basis text);
COPY saving_test.coefficient FROM :'f' CSV HEADER;
SELECT ecert.create_ledger('saving.test', jsonb_set(ecert.default_policy(), '{coefficients}',
           (SELECT jsonb_agg(jsonb_build_object('source', energy_source, 'unit', energy_unit, 'kgce', kgce)) FROM saving_test.coefficient)
           -- heat: 1 MMBtu = 1055055.85262 kJ over 29307.6 kJ/kgce = 35.999394444..., rounded up in the 17th decimal: no decimal is
           -- exact, and so the figures that lie just on a half go up, as with the exact fraction
           || (SELECT jsonb_agg(jsonb_build_object('source', energy_source, 'unit', 'MMBtu', 'kgce', 35.99939444444444445)) FROM saving_test.coefficient)
           || '[{"source": "coal", "unit": "tce", "kgce": 1000}, {"source": "fuel", "unit": "kgce", "kgce": 1},
                {"source": "raw_coal", "unit": "kg", "kgce": 0.7143}, {"source": "electricity", "unit": "kWh", "kgce": 0.1229}, {"source": "natural_gas", "unit": "m3", "kgce": 1.33}]')) IS NOT NULL AS made;
-- every applicant here signs with the same test key: what is tested is arithmetic
CREATE FUNCTION saving_test.declare(applicant text, period tstzrange, energy jsonb, product jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM test_keys.become(applicant, true);
    IF energy IS NOT NULL THEN PERFORM ecert.append('energy', jsonb_build_object('period', ecert.period_json(period), 'lines', energy)); END IF;
    IF product IS NOT NULL THEN PERFORM ecert.append('product', jsonb_build_object('period', ecert.period_json(period), 'lines', product)); END IF;
    PERFORM test_keys.become('certifier', true);
END $$;
CREATE FUNCTION saving_test.used(source text, unit text, quantity numeric, product text DEFAULT NULL) RETURNS jsonb LANGUAGE sql
AS $$ SELECT jsonb_strip_nulls(jsonb_build_object('source', source, 'unit', unit, 'quantity', quantity, 'product', product)) $$;
CREATE FUNCTION saving_test.made(product text, qualified numeric, value numeric DEFAULT NULL, output numeric DEFAULT NULL) RETURNS jsonb LANGUAGE sql
AS $$ SELECT jsonb_strip_nulls(jsonb_build_object('product', product, 'unit', 't', 'output', coalesce(output, qualified), 'qualified', qualified, 'value', value)) $$;
CREATE FUNCTION saving_test.enroll(applicant text) RETURNS boolean LANGUAGE sql AS $$ SELECT ecert.enroll(applicant, '{applicant}', test_keys.public(applicant)) IS NOT NULL $$;
-- the rate before it is rounded, to 18 decimals: it reaches what it begins with, and not 10^-18 more
CREATE FUNCTION saving_test.rate_is(applicant text, denominator text, rate numeric) RETURNS boolean LANGUAGE sql AS $$
    SELECT bool_and(a.passes = t.passes)
      FROM (VALUES (trunc(rate, 18), true), (trunc(rate, 18) + 1e-18, false)) AS t (threshold, passes)
     CROSS JOIN LATERAL ecert.assess_under(jsonb_set(jsonb_set(ecert.policy(), '{certificate,denominator}', to_jsonb(denominator)), '{certificate,threshold}', to_jsonb(t.threshold)),
                                           rate_is.applicant, '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product') AS a WHERE a.product IS NULL
$$;

-- O1: 22 400 tce over 56 000 against 29 640 tce over 78 000: e0 0.4 tce, e1 0.38 tce, saving 1560 tce, rate 5 %
SELECT saving_test.enroll('O1');
SELECT saving_test.declare('O1', '[2023-01-01,2024-01-01)', jsonb_build_array(saving_test.used('coal', 'tce', 22400)), jsonb_build_array(saving_test.made('x', 56000)));
SELECT saving_test.declare('O1', '[2024-01-01,2025-01-01)', jsonb_build_array(saving_test.used('coal', 'tce', 29640)), jsonb_build_array(saving_test.made('x', 78000)));
SELECT product, base_unit_energy, now_unit_energy, saving_kgce, saving_rate, status FROM ecert.assess('O1', '[2024-01-01,2025-01-01)');
-- r' = 1/19 with the reporting denominator; r' = r/(1-r)
SELECT a.product, a.saving_rate, round(1::numeric / 19, 9) AS one_nineteenth
  FROM ecert.assess_under(jsonb_set(ecert.policy(), '{certificate,denominator}', '"reporting"'), 'O1', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product') AS a;

-- O3: two products; total 74 362 kgce, r = 4.646675... %, r' = 4.873113... %
SELECT saving_test.enroll(n) FROM unnest(ARRAY['O3', 'O3 halved', 'O3 permuted', 'O4']) AS n;
SELECT saving_test.declare(n, '[2023-01-01,2024-01-01)',
         jsonb_build_array(saving_test.used('raw_coal', 't', 1000, 'A'), saving_test.used('electricity', 'GWh', 2, 'A'), saving_test.used('natural_gas', 'm3', 300000, 'B'), saving_test.used('electricity', 'GWh', 1.5, 'B')),
         jsonb_build_array(saving_test.made('A', 5000, 20000, 5100), saving_test.made('B', 2000, 10000, 2050))),
       saving_test.declare(n, '[2024-01-01,2025-01-01)',
         jsonb_build_array(saving_test.used('natural_gas', 'm3', 260000, 'B'), saving_test.used('electricity', 'GWh', 1.4, 'B'), saving_test.used('raw_coal', 'kg', 1050000, 'A'), saving_test.used('electricity', 'MWh', 2100, 'A')),
         jsonb_build_array(saving_test.made('B', 1800, 9000, 1840), saving_test.made('A', 5600, 22400, 5660))) FROM unnest(ARRAY['O3']) AS n;
SELECT * FROM ecert.assess('O3', '[2024-01-01,2025-01-01)');
SELECT product, base_unit_energy, saving_kgce, saving_rate FROM ecert.assess('O3', '[2024-01-01,2025-01-01)', NULL, 'value');
SELECT a.saving_rate AS reporting_rate, saving_test.rate_is('O3', 'reporting', 74362::numeric(40,30) / 1525965) AS exact
  FROM ecert.assess_under(jsonb_set(ecert.policy(), '{certificate,denominator}', '"reporting"'), 'O3', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product') AS a WHERE a.product IS NULL;
-- r' = r/(1-r), before rounding
SELECT saving_test.rate_is('O3', 'baseline', r.rate) AS baseline, saving_test.rate_is('O3', 'reporting', r.rate / (1 - r.rate)) AS reporting
  FROM (VALUES (74362::numeric(40,30) / 1600327)) AS r (rate);
-- one intensity over the whole enterprise by value: 51.448... to 48.597..., saving 89 512.6667
SELECT a.base_unit_energy, a.now_unit_energy, a.saving_kgce + a.structure_kgce AS by_one_intensity
  FROM ecert.assess_under(ecert.policy(), 'O3', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'value') AS a WHERE a.product IS NULL;
-- electricity at 0.30 in place of its calorific value: 90 301, 4.03829676 % and 4.20823790 %
SELECT a.saving_kgce, a.saving_rate, d.denominator
  FROM (VALUES ('baseline'), ('reporting')) AS d (denominator)
 CROSS JOIN LATERAL ecert.assess_under(jsonb_set(jsonb_set(ecert.policy(), '{certificate,denominator}', to_jsonb(d.denominator)), '{coefficients}',
                        '[{"source": "raw_coal", "unit": "kg", "kgce": 0.7143}, {"source": "electricity", "unit": "kWh", "kgce": 0.30}, {"source": "natural_gas", "unit": "m3", "kgce": 1.33}]'),
                        'O3', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product') AS a WHERE a.product IS NULL;
-- scaling every coefficient scales the saving and leaves the rate
SELECT a.saving_kgce = 74362 * 2 AS scaled, a.saving_rate
  FROM ecert.assess_under(jsonb_set(ecert.policy(), '{coefficients}', (SELECT jsonb_agg(c || jsonb_build_object('kgce', (c ->> 'kgce')::numeric * 2)) FROM jsonb_array_elements(ecert.policy() -> 'coefficients') AS c)),
                          'O3', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product') AS a WHERE a.product IS NULL;
-- splitting a product into two identical halves changes no total
SELECT saving_test.declare('O3 halved', '[2023-01-01,2024-01-01)',
         jsonb_build_array(saving_test.used('raw_coal', 't', 500, 'A1'), saving_test.used('raw_coal', 't', 500, 'A2'), saving_test.used('electricity', 'GWh', 1, 'A1'), saving_test.used('electricity', 'GWh', 1, 'A2'), saving_test.used('natural_gas', 'm3', 300000, 'B'), saving_test.used('electricity', 'GWh', 1.5, 'B')),
         jsonb_build_array(saving_test.made('A1', 2500), saving_test.made('A2', 2500), saving_test.made('B', 2000))),
       saving_test.declare('O3 halved', '[2024-01-01,2025-01-01)',
         jsonb_build_array(saving_test.used('raw_coal', 't', 525, 'A1'), saving_test.used('raw_coal', 't', 525, 'A2'), saving_test.used('electricity', 'GWh', 1.05, 'A1'), saving_test.used('electricity', 'GWh', 1.05, 'A2'), saving_test.used('natural_gas', 'm3', 260000, 'B'), saving_test.used('electricity', 'GWh', 1.4, 'B')),
         jsonb_build_array(saving_test.made('A1', 2800), saving_test.made('A2', 2800), saving_test.made('B', 1800)));
SELECT saving_kgce, saving_rate, status FROM ecert.assess('O3 halved', '[2024-01-01,2025-01-01)') WHERE product IS NULL;
-- nor do packages in another division of time, and lines in another order
SELECT saving_test.declare('O3 permuted', '[2023-01-01,2023-07-01)', jsonb_build_array(saving_test.used('electricity', 'GWh', 1.5, 'B'), saving_test.used('raw_coal', 't', 1000, 'A')), jsonb_build_array(saving_test.made('B', 2000))),
       saving_test.declare('O3 permuted', '[2023-07-01,2024-01-01)', jsonb_build_array(saving_test.used('natural_gas', 'm3', 300000, 'B'), saving_test.used('electricity', 'kWh', 2000000, 'A')), jsonb_build_array(saving_test.made('A', 5000))),
       saving_test.declare('O3 permuted', '[2024-01-01,2024-03-01)', jsonb_build_array(saving_test.used('electricity', 'GWh', 2.1, 'A'), saving_test.used('electricity', 'GWh', 1.4, 'B')), jsonb_build_array(saving_test.made('A', 5000), saving_test.made('B', 1800))),
       saving_test.declare('O3 permuted', '[2024-03-01,2025-01-01)', jsonb_build_array(saving_test.used('raw_coal', 't', 1050, 'A'), saving_test.used('natural_gas', 'm3', 260000, 'B')), jsonb_build_array(saving_test.made('A', 600)));
SELECT saving_kgce, saving_rate, status FROM ecert.assess('O3 permuted', '[2024-01-01,2025-01-01)') WHERE product IS NULL;

-- O4, the product mix: +100 product by product, -700 by one intensity, structure term -800
SELECT saving_test.declare('O4', '[2023-01-01,2024-01-01)', jsonb_build_array(saving_test.used('fuel', 'kgce', 900, 'A'), saving_test.used('fuel', 'kgce', 300, 'B')), jsonb_build_array(saving_test.made('A', 900), saving_test.made('B', 100))),
       saving_test.declare('O4', '[2024-01-01,2025-01-01)', jsonb_build_array(saving_test.used('fuel', 'kgce', 475, 'A'), saving_test.used('fuel', 'kgce', 1425, 'B')), jsonb_build_array(saving_test.made('A', 500), saving_test.made('B', 500)));
SELECT a.saving_kgce, a.saving_rate, a.structure_kgce, a.saving_kgce + a.structure_kgce AS by_one_intensity
  FROM ecert.assess_under(ecert.policy(), 'O4', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product') AS a WHERE a.product IS NULL;

-- splitting into 300 identical parts, each with its share of shared energy (to 24 decimals), leaves the rate
SELECT saving_test.enroll(n) FROM unnest(ARRAY['whole', 'parts', 'chain', 'currency']) AS n;
SELECT saving_test.declare(n.node, w.period, jsonb_build_array(saving_test.used('raw_coal', 'kg', 777.7)) || (SELECT jsonb_agg(saving_test.used('electricity', 'kWh', w.kwh * (300 / n.parts), 'p' || g)) FROM generate_series(1, n.parts) AS g),
                           (SELECT jsonb_agg(saving_test.made('p' || g, w.output * (300 / n.parts))) FROM generate_series(1, n.parts) AS g))
  FROM (VALUES ('whole', 1), ('parts', 300)) AS n (node, parts) CROSS JOIN (VALUES ('[2023-01-01,2024-01-01)'::tstzrange, 3.013, 0.77), ('[2024-01-01,2025-01-01)', 2.989, 0.7907)) AS w (period, kwh, output);
SELECT count(*) AS products, bool_and(p.saving_rate = t.saving_rate) AS equal_rates, min(p.saving_kgce) = max(p.saving_kgce) AS equal_savings
  FROM ecert.assess('parts', '[2024-01-01,2025-01-01)') AS p, ecert.assess('whole', '[2024-01-01,2025-01-01)') AS t WHERE p.product IS NOT NULL AND t.product IS NULL;
SELECT w.saving_kgce, w.saving_rate, p.saving_kgce = w.saving_kgce AS equal_saving, saving_test.rate_is('whole', 'baseline', r.rate) AS of_whole, saving_test.rate_is('parts', 'baseline', r.rate) AS of_parts
  FROM ecert.assess_under(ecert.policy(), 'parts', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product') AS p,
       ecert.assess_under(ecert.policy(), 'whole', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product') AS w,
       (VALUES (1 - (0.7143 * 777.7 + 0.1229 * 2.989 * 300)::numeric(40,30) * 0.77 / ((0.7143 * 777.7 + 0.1229 * 3.013 * 300) * 0.7907))) AS r (rate)
 WHERE p.product IS NULL AND w.product IS NULL;
-- the view computes the same, shared energy spread
SELECT count(*) AS rows, bool_and((v.kgce_quantity, v.qualified_quantity, v.kgce_per_unit) IS NOT DISTINCT FROM (round(u.kgce, 9), u.qualified, u.unit_energy)) AS equal,
       bool_and(u.unit_energy = a.now_unit_energy) AS equal_to_assessment
  FROM ledger.unit_energy v
 CROSS JOIN LATERAL (SELECT tstzrange(v.period_start, v.period_end)) AS p (period)
 CROSS JOIN LATERAL ecert.use_by_product(ecert.policy(), ecert.declared_bodies(v.applicant, p.period, p.period, NULL, NULL), p.period) AS u
  JOIN LATERAL ecert.assess(v.applicant, '[2024-01-01,2025-01-01)') AS a ON a.product = u.product
 WHERE v.applicant IN ('O1', 'O3', 'O3 halved', 'O4', 'whole', 'parts') AND v.period_start = '2024-01-01' AND u.product = v.product;
-- of one absurd declaration a figure that does not fit is NULL, and so is energy that nothing says how to share
SELECT saving_test.enroll(n) FROM unnest(ARRAY['absurd', 'unshared']) AS n;
SELECT saving_test.declare('absurd', '[2024-01-01,2025-01-01)', jsonb_build_array(saving_test.used('coal', 'tce', 900000000000000, 'x')), jsonb_build_array(saving_test.made('x', 0.000000000000000001))),
       saving_test.declare('unshared', '[2024-01-01,2025-01-01)', jsonb_build_array(saving_test.used('coal', 'tce', 1)), jsonb_build_array(saving_test.made('x', 1), saving_test.made('y', 1)));
SELECT applicant, product, kgce_quantity, qualified_quantity, kgce_per_unit FROM ledger.unit_energy WHERE applicant IN ('absurd', 'unshared') ORDER BY 1, 2;

-- a fixed base against a chain: 72 and 6 % in the fourth year, 44 + 36 - 12 from year to year
SELECT saving_test.declare('chain', tstzrange(make_timestamptz(y.year, 1, 1, 0, 0, 0), make_timestamptz(y.year + 1, 1, 1, 0, 0, 0)),
                           jsonb_build_array(saving_test.used('fuel', 'kgce', y.unit_energy * y.output)), jsonb_build_array(saving_test.made('x', y.output)))
  FROM (VALUES (2021, 100, 10), (2022, 96, 11), (2023, 93, 12), (2024, 94, 12)) AS y (year, unit_energy, output);
SELECT saving_kgce, saving_rate FROM ecert.assess('chain', '[2024-01-01,2025-01-01)', '[2021-01-01,2022-01-01)') WHERE product IS NULL;
SELECT string_agg(trim_scale(a.saving_kgce)::text, ' ' ORDER BY y) AS chain
  FROM generate_series(2022, 2024) AS y CROSS JOIN LATERAL ecert.assess('chain', tstzrange(make_timestamptz(y, 1, 1, 0, 0, 0), make_timestamptz(y + 1, 1, 1, 0, 0, 0))) AS a WHERE a.product IS NULL;
-- the months of a baseline are summed first and divided then: never a mean of unit energies
SELECT base_kgce, base_output, base_unit_energy FROM ecert.assess('chain', '[2024-01-01,2025-01-01)', '[2021-01-01,2024-01-01)') WHERE product IS NULL;
-- as of an earlier seq of the feeds, the ledger says what it said then
SELECT a.now_output, a.status FROM ecert.assess_under(ecert.policy(), 'chain', '[2024-01-01,2025-01-01)', '[2021-01-01,2022-01-01)', 'product', 3, 3) AS a WHERE a.product IS NULL;
SELECT a.now_output, a.status FROM ecert.assess_under(ecert.policy(), 'chain', '[2024-01-01,2025-01-01)', '[2021-01-01,2022-01-01)', 'product', 2, 2) AS a WHERE a.product IS NULL;

-- values in another currency, output in another unit, are not compared
SELECT saving_test.declare('currency', w.period, jsonb_build_array(saving_test.used('fuel', 'kgce', 10, 'a'), saving_test.used('fuel', 'kgce', 10, 'b')),
                           jsonb_build_array(saving_test.made('a', 10, 5) || jsonb_build_object('currency', w.currency), saving_test.made('b', 10) || jsonb_build_object('unit', w.unit)))
  FROM (VALUES ('[2023-01-01,2024-01-01)'::tstzrange, 'CNY', 't'), ('[2024-01-01,2025-01-01)', 'USD', 'kg')) AS w (period, currency, unit);
SELECT m.method, a.product, a.unit, a.saving_kgce, a.status FROM unnest(ARRAY['product', 'value']) AS m (method) CROSS JOIN LATERAL ecert.assess('currency', '[2024-01-01,2025-01-01)', NULL, m.method) AS a;

-- shared energy follows direct energy; where there is none, value; one product takes all; else it says so
SELECT saving_test.enroll(n) FROM unnest(ARRAY['shared direct', 'shared value', 'shared single', 'shared nowhere']) AS n;
SELECT saving_test.declare(n.node, w.period,
         jsonb_build_array(saving_test.used('fuel', 'kgce', 100)) || n.direct, n.made)
  FROM (VALUES ('shared direct', jsonb_build_array(saving_test.used('fuel', 'kgce', 30, 'A'), saving_test.used('fuel', 'kgce', 10, 'B')), jsonb_build_array(saving_test.made('A', 7), saving_test.made('B', 3))),
               ('shared value', '[]', jsonb_build_array(saving_test.made('A', 7, 100), saving_test.made('B', 3, 200))),
               ('shared single', '[]', jsonb_build_array(saving_test.made('A', 7))),
               ('shared nowhere', '[]', jsonb_build_array(saving_test.made('A', 7), saving_test.made('B', 3)))) AS n (node, direct, made)
 CROSS JOIN (VALUES ('[2023-01-01,2024-01-01)'::tstzrange), ('[2024-01-01,2025-01-01)')) AS w (period);
SELECT n AS applicant, a.product, a.base_kgce, a.base_unit_energy, a.saving_kgce, a.saving_rate, a.status
  FROM unnest(ARRAY['shared direct', 'shared value', 'shared single', 'shared nowhere']) AS n CROSS JOIN LATERAL ecert.assess(n, '[2024-01-01,2025-01-01)') AS a;

-- statuses: what is undefined is NULL and says why
SELECT saving_test.enroll(n) FROM unnest(ARRAY['statuses', 'nobody']) AS n;
SELECT saving_test.declare('statuses', '[2023-01-01,2024-01-01)', jsonb_build_array(saving_test.used('fuel', 'kgce', 10, 'good'), saving_test.used('fuel', 'kgce', 10, 'gone'), saving_test.used('fuel', 'kgce', 10, 'base standing'), saving_test.used('fuel', 'kgce', 10, 'now standing')),
         jsonb_build_array(saving_test.made('good', 10), saving_test.made('gone', 10), saving_test.made('base standing', -1), saving_test.made('now standing', 10), saving_test.made('free', 10))),
       saving_test.declare('statuses', '[2024-01-01,2025-01-01)', jsonb_build_array(saving_test.used('fuel', 'kgce', 9, 'good'), saving_test.used('fuel', 'kgce', 9, 'new'), saving_test.used('fuel', 'kgce', 9, 'base standing'), saving_test.used('fuel', 'kgce', 9, 'now standing'), saving_test.used('fuel', 'kgce', 9, 'free')),
         jsonb_build_array(saving_test.made('good', 10), saving_test.made('new', 10), saving_test.made('base standing', 10), saving_test.made('now standing', 0), saving_test.made('free', 10)));
SELECT * FROM ecert.assess('statuses', '[2024-01-01,2025-01-01)');
SELECT * FROM ecert.assess('nobody', '[2024-01-01,2025-01-01)');
SELECT * FROM ecert.assess('O1', '[2024-01-01,2025-01-01)', method => 'weight');
-- a source without coefficient is an error that names it, never zero
SELECT count(*) FROM ecert.assess_under(jsonb_set(ecert.policy(), '{coefficients}', '[{"source": "coal", "unit": "t", "kgce": 1}]'), 'O1', '[2024-01-01,2025-01-01)', '[2023-01-01,2024-01-01)', 'product');

-- 40 real plants, by quantity times coefficient and by reported heat
CREATE TABLE saving_test.month (producer text, period_start date, period_end date, product text, product_unit text, output_qty numeric, qualified_qty numeric, output_value numeric,
    energy_source text, energy_unit text, energy_qty numeric, energy_qty_elec numeric, energy_mmbtu numeric, energy_mmbtu_elec numeric, netgen_from_source_mwh numeric);
\set f :abs_srcdir '/demo/data/plant_month_sample.csv'
COPY saving_test.month FROM :'f' CSV HEADER;
\set f :abs_srcdir '/test/data/alaska_sample_36m.csv'
COPY saving_test.month FROM :'f' CSV HEADER;
CREATE TABLE saving_test.expected (producer text, base_from date, base_to date, now_from date, now_to date, base_months int, now_months int, base_kgce numeric, base_output numeric, base_e numeric, now_kgce numeric, now_output numeric, now_e numeric,
    saving_kgce numeric, saving_rate numeric, base_kgce_heat numeric, now_kgce_heat numeric, saving_kgce_heat numeric, saving_rate_heat numeric, status text);
\set f :abs_srcdir '/demo/data/expected_2020_vs_2024_sample.csv'
COPY saving_test.expected FROM :'f' CSV HEADER;
\set f :abs_srcdir '/test/data/alaska_sample_expected.csv'
COPY saving_test.expected FROM :'f' CSV HEADER;
SELECT count(saving_test.enroll(p.producer || h.suffix)) FROM (SELECT DISTINCT producer FROM saving_test.month) AS p CROSS JOIN (VALUES (''), (' by heat')) AS h (suffix);
SELECT count(saving_test.declare(m.producer || h.suffix, m.period, CASE h.suffix WHEN '' THEN m.energy ELSE m.heat END, m.output))
  FROM (SELECT producer, tstzrange(period_start::timestamptz, period_end::timestamptz) AS period,
               jsonb_agg(saving_test.used(energy_source, energy_unit, energy_qty)) AS energy, jsonb_agg(saving_test.used(energy_source, 'MMBtu', energy_mmbtu)) AS heat,
               jsonb_build_array(jsonb_build_object('product', min(product), 'unit', min(product_unit), 'output', min(output_qty), 'qualified', min(qualified_qty))) AS output
          FROM saving_test.month GROUP BY producer, period_start, period_end ORDER BY producer, period_start) AS m
 CROSS JOIN (VALUES (''), (' by heat')) AS h (suffix);
SELECT count(*) AS expected_rows, count(*) FILTER (WHERE
           (a.base_kgce, a.base_output, a.base_unit_energy, a.now_kgce, a.now_output, a.now_unit_energy, a.saving_kgce, a.saving_rate, a.status)
           IS NOT DISTINCT FROM (e.base_kgce, e.base_output, e.base_e, e.now_kgce, e.now_output, e.now_e, e.saving_kgce, e.saving_rate, e.status)) AS equal_rows,
       count(*) FILTER (WHERE (h.base_kgce, h.now_kgce, h.saving_kgce, h.saving_rate)
           IS NOT DISTINCT FROM (e.base_kgce_heat, e.now_kgce_heat, e.saving_kgce_heat, e.saving_rate_heat)) AS equal_rows_by_heat,
       count(*) FILTER (WHERE (t.saving_kgce, t.saving_rate, t.status) IS NOT DISTINCT FROM (e.saving_kgce, e.saving_rate, e.status)) AS equal_totals
  FROM saving_test.expected e
  LEFT JOIN LATERAL ecert.assess(e.producer, tstzrange(e.now_from::timestamptz, e.now_to::timestamptz), tstzrange(e.base_from::timestamptz, e.base_to::timestamptz)) AS a ON a.product IS NOT NULL
  LEFT JOIN LATERAL ecert.assess(e.producer, tstzrange(e.now_from::timestamptz, e.now_to::timestamptz), tstzrange(e.base_from::timestamptz, e.base_to::timestamptz)) AS t ON t.product IS NULL
  LEFT JOIN LATERAL ecert.assess(e.producer || ' by heat', tstzrange(e.now_from::timestamptz, e.now_to::timestamptz), tstzrange(e.base_from::timestamptz, e.base_to::timestamptz)) AS h ON h.product IS NOT NULL;
-- for people to read beside the file
SELECT e.producer, a.base_kgce, a.base_unit_energy, a.now_kgce, a.now_unit_energy, a.saving_kgce, a.saving_rate, a.status
  FROM saving_test.expected e
 CROSS JOIN LATERAL ecert.assess(e.producer, tstzrange(e.now_from::timestamptz, e.now_to::timestamptz), tstzrange(e.base_from::timestamptz, e.base_to::timestamptz)) AS a
 WHERE a.product IS NOT NULL AND e.now_from = '2024-01-01' ORDER BY e.producer COLLATE "C";
SELECT count(*) FROM ecert.problems();
DROP SCHEMA saving_test CASCADE;
DROP SCHEMA ledger CASCADE;
