-- Queries over the whole ledger run in parallel workers, and say the same with and without.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key;
SELECT ecert.create_ledger('parallel.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/' || n || '.pub.pem'))) FROM unnest(ARRAY['plant-a', 'plant-b', 'plant-c']) AS n;
CREATE SCHEMA parallel_test;
-- two years of months: three sources, two products, one month of energy corrected
CREATE FUNCTION parallel_test.fill(who text, use integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    month jsonb;
    filled bigint := 0;
    replaced bytea;
BEGIN
    PERFORM set_config('ecert.node', who, false), set_config('ecert.signing_key', regexp_replace(current_setting('ecert.signing_key'), '[^/]*$', who || '.pem'), false);
    FOR n IN 0 .. 23 LOOP
        month := ecert.period_json(tstzrange('2023-01-01Z'::timestamptz + make_interval(months => n), '2023-01-01Z'::timestamptz + make_interval(months => n + 1)));
        replaced := ecert.append('energy', jsonb_build_object('period', month, 'lines', jsonb_build_array(
            jsonb_build_object('source', 'electricity', 'unit', 'kWh', 'quantity', use + 7.25 * n, 'product', 'steel'),
            jsonb_build_object('source', 'raw_coal', 'unit', 't', 'quantity', use + 3 * n, 'product', 'wire'),
            jsonb_build_object('source', 'electricity', 'unit', 'kWh', 'quantity', 100 + n))));
        PERFORM ecert.append('product', jsonb_build_object('period', month, 'lines', jsonb_build_array(
            jsonb_build_object('product', 'steel', 'unit', 't', 'output', 50 + n, 'qualified', 49 + n),
            jsonb_build_object('product', 'wire', 'unit', 't', 'output', 20.5, 'qualified', 20.25))));
        filled := filled + 2;
    END LOOP;
    PERFORM ecert.append('energy', jsonb_build_object('period', month, 'replaces', jsonb_build_array(encode(replaced, 'hex')), 'reason', 'read wrong',
        'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1.5, "product": "steel"}]'::jsonb));
    RETURN filled + 1;
END $$;
SELECT parallel_test.fill('plant-a', 1000), parallel_test.fill('plant-b', 2000), parallel_test.fill('plant-c', 3000);
-- and some who are not on the ledger, so that there is something to share
CREATE TABLE parallel_test.applicant AS SELECT node FROM ledger.node WHERE is_applicant UNION ALL SELECT 'nobody-' || n FROM generate_series(1, 600) AS n;
VACUUM ANALYZE ledger.package, parallel_test.applicant;

CREATE VIEW parallel_test.by_month AS
SELECT date_trunc('month', period_start) AS month, source, unit, count(*) AS lines, sum(quantity) AS quantity, sum(kgce_quantity) AS kgce_quantity
  FROM ledger.energy_use GROUP BY 1, 2, 3;
CREATE VIEW parallel_test.output AS
SELECT product, unit, sum(output_quantity) AS output, sum(qualified_quantity) AS qualified FROM ledger.product_output GROUP BY 1, 2;
CREATE VIEW parallel_test.saving AS
SELECT n.node, a.* FROM parallel_test.applicant n CROSS JOIN LATERAL ecert.assess(n.node, '[2024-01-01Z,2025-01-01Z)', '[2023-01-01Z,2024-01-01Z)') AS a;
CREATE FUNCTION parallel_test.is_parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
    found boolean := false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        found := found OR line ~ '^ *(-> +)?Gather( Merge)?$';
    END LOOP;
    RETURN found;
END $$;
-- a table as small as this one is not worth a worker unless they cost nothing
CREATE PROCEDURE parallel_test.use_workers(number integer) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('max_parallel_workers_per_gather', number::text, false), set_config('parallel_setup_cost', '0', false), set_config('parallel_tuple_cost', '0', false),
        set_config('min_parallel_table_scan_size', '0', false), set_config('min_parallel_index_scan_size', '0', false);
END $$;
CALL parallel_test.use_workers(2);
SELECT v AS of_view, parallel_test.is_parallel('TABLE parallel_test.' || v) FROM unnest(ARRAY['by_month', 'output', 'saving']) AS v;
CALL parallel_test.use_workers(0);
SELECT v AS of_view, parallel_test.is_parallel('TABLE parallel_test.' || v) FROM unnest(ARRAY['by_month', 'output', 'saving']) AS v;
CREATE TABLE parallel_test.by_month_alone AS TABLE parallel_test.by_month;
CREATE TABLE parallel_test.output_alone AS TABLE parallel_test.output;
CREATE TABLE parallel_test.saving_alone AS TABLE parallel_test.saving;
SELECT count(*) AS months, sum(lines) AS lines, sum(quantity)::numeric(20,2) AS quantity, sum(kgce_quantity) AS kgce FROM parallel_test.by_month_alone;
SELECT node, product, saving_kgce, saving_rate, status FROM parallel_test.saving_alone WHERE status <> 'no_reporting' ORDER BY node COLLATE "C", product COLLATE "C";
-- with the leader's help, and by workers alone
CALL parallel_test.use_workers(2);
CREATE FUNCTION parallel_test.differences() RETURNS TABLE (of_view text, rows_of_workers bigint, differing bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH of_view IN ARRAY ARRAY['by_month', 'output', 'saving'] LOOP
        EXECUTE format('CREATE TABLE parallel_test.shared AS TABLE parallel_test.%I', of_view);
        EXECUTE format('SELECT (SELECT count(*) FROM parallel_test.shared), count(*) FROM ((TABLE parallel_test.shared EXCEPT ALL TABLE parallel_test.%1$I)
                        UNION ALL (TABLE parallel_test.%1$I EXCEPT ALL TABLE parallel_test.shared)) AS d', of_view || '_alone') INTO rows_of_workers, differing;
        DROP TABLE parallel_test.shared;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT * FROM parallel_test.differences();
SET parallel_leader_participation = off;
SELECT * FROM parallel_test.differences();
-- what goes wrong in a worker is said as it is without
SELECT sum(ecert.line_kgce(l.line, '\x00')) FROM (SELECT ecert.lines(package) AS line FROM ledger.package WHERE kind = 'energy') AS l;
DROP SCHEMA parallel_test CASCADE;
DROP SCHEMA ledger CASCADE;
