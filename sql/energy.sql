-- Readings to packages: series, sums, corrections, refusals; views for BI tools.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''who'' || ''.pem'', false) IS NOT NULL AS has_key;'
\set who certifier
:become
SELECT ecert.create_ledger('energy.test') IS NOT NULL AS made;
SELECT ecert.enroll('plant-a', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem')) IS NOT NULL AS enrolled;
\set who plant-a
:become

-- two weeks of quarter-hours of a steel works, packed by day in its own time zone: one series a day
CREATE SCHEMA energy_test;
CREATE TABLE energy_test.interval (producer text, interval_start timestamptz, interval_end timestamptz, energy_source text, energy_unit text, energy_qty numeric);
\set f :abs_srcdir '/test/data/steel_15min_sample_2weeks.csv'
COPY energy_test.interval FROM :'f' CSV HEADER;
INSERT INTO ledger.reading (point, source, unit, interval_start, interval_end, quantity) SELECT 'main', energy_source, energy_unit, interval_start, interval_end, energy_qty FROM energy_test.interval;
CREATE TABLE energy_test.day (period date, intervals int, kwh numeric, kgce numeric);
\set f :abs_srcdir '/test/data/steel_expected_day.csv'
COPY energy_test.day FROM :'f' CSV HEADER;
SELECT count(ecert.pack_energy(tstzrange(d.period::timestamp AT TIME ZONE '9 hours'::interval, (d.period + 1)::timestamp AT TIME ZONE '9 hours'::interval))) FROM (SELECT * FROM energy_test.day ORDER BY period) AS d;
SELECT count(*) AS days, bool_and(u.quantity = d.kwh AND u.kgce_quantity = d.kgce) AS sums_agree,
       bool_and((SELECT count(*) FROM ecert.energy_series(p.package)) = d.intervals) AS intervals_agree
  FROM energy_test.day d
  JOIN ledger.energy_use u ON u.period_start = d.period::timestamp AT TIME ZONE '9 hours'::interval
  JOIN ledger.package p ON encode(p.hash, 'hex') = u.package_hash;
-- every reading comes back out of the signed packages with its digits
SELECT count(*) AS readings, count(*) FILTER (WHERE s.quantity = i.energy_qty) AS agree
  FROM energy_test.interval i LEFT JOIN (SELECT s.* FROM ledger.package p CROSS JOIN LATERAL ecert.energy_series(p.package) AS s WHERE p.kind = 'energy') AS s
    ON s.interval_start = i.interval_start AND s.interval_end = i.interval_end;
SELECT octet_length(p.package::bytea) < 700 AS small, ecert.body(p.package) #> '{lines,0,series,exp}' AS exp, ecert.body(p.package) #> '{lines,0,series,step}' AS step
  FROM ledger.package p WHERE p.kind = 'energy' AND p.seq = 0;

-- uneven or single readings become a sum; sources, products, suppliers and meters keep lines of their own
INSERT INTO ledger.reading (point, source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
 ('m1', 'electricity', 'kWh', 'steel', 'grid', '2024-01-01', '2024-01-11', 10.50), ('m1', 'electricity', 'kWh', 'steel', 'grid', '2024-01-11', '2024-02-01', 0.25),
 ('m2', 'raw_coal', 't', NULL, NULL, '2024-01-01', '2024-02-01', 3), ('', 'coke', 'kg', 'steel', NULL, '2024-01-05', '2024-01-06', 7);
INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified, value, currency) VALUES
 ('steel', 't', '2024-01-01', '2024-01-15', 100, 99, 5, 'CNY'), ('steel', 't', '2024-01-15', '2024-02-01', 100, 98.5, 6, 'CNY'), ('slag', 't', '2024-01-01', '2024-02-01', -1, -1, NULL, NULL);
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)') IS NOT NULL AS packed;
SELECT ecert.pack_product('[2024-01-01,2024-02-01)') IS NOT NULL AS packed;
SELECT line_number, source, unit, product, supplier, point, trim_scale(quantity) AS quantity, trim_scale(kgce_quantity) AS kgce FROM ledger.energy_use WHERE period_start = '2024-01-01' ORDER BY 1;
SELECT line_number, product, unit, trim_scale(output_quantity) AS output, trim_scale(qualified_quantity) AS qualified, trim_scale(output_value) AS value, currency FROM ledger.product_output ORDER BY 1;

-- refusals, each with its own SQLSTATE
\set VERBOSITY sqlstate
-- nothing to pack
SELECT ecert.pack_energy('[2024-02-01,2024-03-01)');
SELECT ecert.pack_product('[2024-02-01,2024-03-01)');
-- packed already
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)');
-- a reading reaches over the edge, readings leave a gap, readings overlap
INSERT INTO ledger.reading (source, unit, interval_start, interval_end, quantity) VALUES ('raw_coal', 't', '2024-02-20', '2024-03-02', 1);
SELECT ecert.pack_energy('[2024-02-01,2024-03-01)');
SELECT ecert.pack_energy('[2024-03-01,2024-04-01)');
SELECT ecert.pack_energy('[2024-02-25,2024-02-26)');
DELETE FROM ledger.reading WHERE interval_start = '2024-02-20';
INSERT INTO ledger.reading (source, unit, interval_start, interval_end, quantity) VALUES ('raw_coal', 't', '2024-02-01', '2024-02-10', 1), ('raw_coal', 't', '2024-02-11', '2024-03-01', 1);
SELECT ecert.pack_energy('[2024-02-01,2024-03-01)');
UPDATE ledger.reading SET interval_end = '2024-02-12' WHERE interval_start = '2024-02-01';
SELECT ecert.pack_energy('[2024-02-01,2024-03-01)');
UPDATE ledger.reading SET interval_end = '2024-02-11' WHERE interval_start = '2024-02-01';
-- no coefficient for the source
UPDATE ledger.reading SET source = 'gold' WHERE interval_start >= '2024-02-01';
SELECT ecert.pack_energy('[2024-02-01,2024-03-01)');
-- a number that no package can hold
UPDATE ledger.reading SET source = 'raw_coal', quantity = 0.1234567890123456789 WHERE interval_start >= '2024-02-01';
SELECT ecert.pack_energy('[2024-02-01,2024-03-01)');
-- a reading below zero does not get into the table
INSERT INTO ledger.reading (source, unit, interval_start, interval_end, quantity) VALUES ('raw_coal', 't', '2024-03-01', '2024-04-01', -1);
-- a correction that names a package of another period
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)', (SELECT hash FROM ledger.package WHERE kind = 'energy' AND seq = 0), 'wrong one');
\set VERBOSITY terse
-- nothing of all that is on the ledger
SELECT kind, count(*), max(seq) FROM ledger.package WHERE issuer = 'plant-a' GROUP BY kind ORDER BY kind;
-- a correction takes the place of the package in every view
UPDATE ledger.reading SET quantity = 4 WHERE source = 'raw_coal' AND interval_start = '2024-01-01';
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)', (SELECT hash FROM ledger.package WHERE kind = 'energy' AND period = '[2024-01-01,2024-02-01)'), 'one lorry forgotten') IS NOT NULL AS corrected;
SELECT seq, trim_scale(quantity) AS quantity FROM ledger.energy_use WHERE source = 'raw_coal';
-- replaced already
\set VERBOSITY sqlstate
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)', (SELECT hash FROM ledger.package WHERE kind = 'energy' AND period = '[2024-01-01,2024-02-01)' ORDER BY seq LIMIT 1), 'again');
\set VERBOSITY terse
-- the books divide a source among products and suppliers without a meter for each, every part a line of its own
INSERT INTO ledger.reading (source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
 ('raw_coal', 't', 'steel', 'mine-a', '2025-01-01', '2025-02-01', 1500 / 300.0), ('raw_coal', 't', 'steel', 'mine-b', '2025-01-01', '2025-02-01', 6), ('raw_coal', 't', 'slag', 'mine-a', '2025-01-01', '2025-01-11', 7), ('raw_coal', 't', 'slag', 'mine-c', '2025-01-21', '2025-02-01', 8);
-- a meter passes from one product to another and back without leaving a gap
INSERT INTO ledger.reading (point, source, unit, product, interval_start, interval_end, quantity)
SELECT 'm1', 'electricity', 'kWh', CASE WHEN extract(day FROM d) BETWEEN 11 AND 20 THEN 'slag' ELSE 'steel' END, d, d + interval '1 day', 1.5 FROM generate_series('2025-01-01'::timestamptz, '2025-01-31', '1 day') AS d;
SELECT ecert.pack_energy('[2025-01-01,2025-02-01)') IS NOT NULL AS packed;
SELECT line_number, source, product, supplier, point, trim_scale(quantity) AS quantity FROM ledger.energy_use WHERE period_start = '2025-01-01' ORDER BY 1;
-- the same part twice is not
\set VERBOSITY sqlstate
INSERT INTO ledger.reading (source, unit, product, supplier, interval_start, interval_end, quantity) VALUES ('raw_coal', 'kg', 'steel', 'mine-a', '2025-01-01', '2025-01-02', 5);
-- a day of 23 hours, where the clocks go forward
\set VERBOSITY terse
SET TimeZone = 'Europe/Berlin';
INSERT INTO ledger.reading (point, source, unit, interval_start, interval_end, quantity)
SELECT 'm3', 'electricity', 'kWh', h, h + interval '1 hour', 2 FROM generate_series('2025-03-30'::timestamptz, '2025-03-31'::timestamptz - interval '1 hour', '1 hour') AS h;
SELECT ecert.pack_energy('[2025-03-30,2025-03-31)') IS NOT NULL AS packed;
SELECT count(*) AS hours, sum(s.quantity) AS kwh FROM ledger.package p CROSS JOIN LATERAL ecert.energy_series(p.package) AS s WHERE p.kind = 'energy' AND lower(p.period) = '2025-03-30'::timestamptz;
SET TimeZone = 'UTC';
-- more refusals: a meter with a gap whoever it served, a period without beginning or end, too many digits, too long a series
INSERT INTO ledger.reading (point, source, unit, product, interval_start, interval_end, quantity) VALUES ('m1', 'electricity', 'kWh', 'steel', '2025-04-01', '2025-04-11', 1), ('m1', 'electricity', 'kWh', 'slag', '2025-04-12', '2025-05-01', 1);
SELECT ecert.pack_energy('[2025-04-01,2025-05-01)');
\set VERBOSITY sqlstate
SELECT ecert.pack_energy('[2025-04-01,)');
SELECT ecert.pack_energy('empty');
SELECT ecert.pack_energy(NULL);
SELECT ecert.pack_product('(,2025-05-01)');
DELETE FROM ledger.reading WHERE interval_start >= '2025-04-01';
INSERT INTO ledger.reading (source, unit, interval_start, interval_end, quantity) VALUES ('raw_coal', 't', '2025-04-01', '2025-04-02', 123456789012.123456789), ('raw_coal', 't', '2025-04-02', '2025-04-03', 1);
SELECT ecert.pack_energy('[2025-04-01,2025-04-03)');
DELETE FROM ledger.reading WHERE interval_start >= '2025-04-01';
INSERT INTO ledger.reading (source, unit, interval_start, interval_end, quantity) SELECT 'electricity', 'kWh', m, m + interval '1 minute', 100.25 FROM generate_series('2025-04-01'::timestamptz, '2025-04-30 23:59', '1 minute') AS m;
SELECT ecert.pack_energy('[2025-04-01,2025-05-01)');
-- production rows that overlap
INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES ('steel', 't', '2025-01-01', '2025-02-01', 10, 9), ('steel', 't', '2025-01-15', '2025-01-16', 1, 1);
SELECT ecert.pack_product('[2025-01-01,2025-02-01)');
DELETE FROM ledger.production WHERE period_start = '2025-01-15';
\set VERBOSITY terse
SELECT ecert.pack_product('[2025-01-01,2025-02-01)') IS NOT NULL AS packed;
-- unit energy: with its share of what several products share, here by direct energy, which slag has none of
SELECT period_start::date AS period_start, product, trim_scale(kgce_quantity) AS kgce, trim_scale(qualified_quantity) AS qualified, trim_scale(kgce_per_unit) AS kgce_per_unit FROM ledger.unit_energy ORDER BY 1, 2;
SELECT source, unit, kgce, edition FROM ledger.coefficient WHERE source IN ('electricity', 'raw_coal', 'natural_gas') ORDER BY source;
-- half a month is not signed as a month
BEGIN;
INSERT INTO ledger.reading (point, source, unit, interval_start, interval_end, quantity) VALUES ('half', 'electricity', 'kWh', '2025-09-01', '2025-09-16', 45), ('whole', 'electricity', 'kWh', '2025-09-01', '2025-10-01', 30);
INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES ('steel', 't', '2025-09-01', '2025-09-11', 10, 9), ('steel', 't', '2025-09-20', '2025-09-26', 5, 5);
SELECT l FROM jsonb_array_elements(ecert.energy_body(ecert.this_node(), '[2025-09-01,2025-10-01)') -> 'lines') AS l;
SELECT l FROM jsonb_array_elements(ecert.product_body(ecert.this_node(), '[2025-09-01,2025-10-01)') -> 'lines') AS l;
SELECT ecert.pack_energy('[2025-09-01,2025-10-01)') IS NOT NULL AS energy, ecert.pack_product('[2025-09-01,2025-10-01)') IS NOT NULL AS product;
ROLLBACK;
-- a meter that passes from one supplier to another, or a product whose currency changes, is covered by both lines together
BEGIN;
INSERT INTO ledger.reading (point, supplier, source, unit, interval_start, interval_end, quantity) VALUES ('passed on', 'one', 'electricity', 'kWh', '2025-09-01', '2025-09-16', 45), ('passed on', 'other', 'electricity', 'kWh', '2025-09-16', '2025-10-01', 30),
    ('too short', 'one', 'electricity', 'kWh', '2025-09-01', '2025-09-16', 45), ('too short', 'other', 'electricity', 'kWh', '2025-09-16', '2025-09-20', 30);
INSERT INTO ledger.production (product, unit, currency, period_start, period_end, output, qualified, value) VALUES ('steel', 't', 'HRK', '2025-09-01', '2025-09-16', 10, 9, 7), ('steel', 't', 'EUR', '2025-09-16', '2025-10-01', 5, 5, 1);
SELECT l ->> 'point' AS point, l ->> 'supplier' AS supplier, l -> 'covered' AS covered FROM jsonb_array_elements(ecert.energy_body(ecert.this_node(), '[2025-09-01,2025-10-01)') -> 'lines') AS l ORDER BY 1, 2;
SELECT l ->> 'product' AS product, l ->> 'currency' AS currency, l -> 'covered' AS covered FROM jsonb_array_elements(ecert.product_body(ecert.this_node(), '[2025-09-01,2025-10-01)') -> 'lines') AS l ORDER BY 1, 2;
ROLLBACK;
-- books hold numbers and times that there are
INSERT INTO ledger.reading (source, unit, interval_start, interval_end, quantity) VALUES ('electricity', 'kWh', '2025-08-01', '2025-08-02', 'NaN');
INSERT INTO ledger.reading (source, unit, interval_start, interval_end, quantity) VALUES ('electricity', 'kWh', '2025-08-01', '2025-08-02', 'Infinity');
INSERT INTO ledger.reading (source, unit, interval_start, interval_end, quantity) VALUES ('electricity', 'kWh', '2025-08-01', 'infinity', 1);
INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES ('steel', 't', '2025-08-01', '2025-09-01', 'NaN', 1);
INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified, value) VALUES ('steel', 't', '2025-08-01', '2025-09-01', 1, 1, 'NaN');
INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity) VALUES ('plant', 'electricity', 'kWh', '2025-08-01', '2025-08-02', 'NaN');
INSERT INTO ledger.purchase (applicant, product, unit, period_start, period_end, quantity) VALUES ('plant', 'steel', 't', '-infinity', '2025-08-02', 1);
SELECT * FROM ecert.problems();
DROP SCHEMA energy_test CASCADE;
DROP SCHEMA ledger CASCADE;
