-- Verification is shared among the processes of a parallel query, and finds the same however many there are and whatever the steps.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''key'' || ''.pem'', false) IS NOT NULL AS has_key;'
\set who certifier
\set key certifier
:become
SELECT ecert.create_ledger('parallel.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant,auditor}', pg_read_file(:'abs_srcdir' || '/test/keys/' || n || '.pub.pem'))) FROM unnest(ARRAY['plant-a', 'plant-b']) AS n;
SELECT ecert.relate('plant-b', 'plant-a', 'peer') IS NOT NULL AS related;
CREATE SCHEMA parallel_test;
CREATE FUNCTION parallel_test.energy(began date, until date, replaced bytea DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('period', ecert.period_json(tstzrange(began::timestamptz, until::timestamptz)), 'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1250}]'::jsonb)
           || CASE WHEN replaced IS NULL THEN '{}' ELSE jsonb_build_object('replaces', jsonb_build_array(encode(replaced, 'hex')), 'reason', 'read wrong') END
$$;
\set who plant-a
\set key plant-a
:become
SELECT count(ecert.append('energy', parallel_test.energy('2024-01-01'::date + n, '2024-01-02'::date + n))) FROM generate_series(0, 699) AS n;
-- corrections, and a package behind them
SELECT count(ecert.append('energy', parallel_test.energy('2024-01-01'::date + n, '2024-01-02'::date + n, (SELECT p.hash FROM ledger.package p WHERE p.issuer = 'plant-a' AND p.kind = 'energy' AND p.seq = n)))) FROM generate_series(400, 419) AS n;
SELECT ecert.append('energy', parallel_test.energy('2026-01-01', '2026-02-01')) IS NOT NULL AS appended;
\set who plant-b
\set key plant-b
:become
SELECT count(ecert.append('energy', parallel_test.energy('2024-01-01'::date + n, '2024-01-02'::date + n))) FROM generate_series(0, 9) AS n;
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-01-11)', 'peer') IS NOT NULL AS audited;
\set who certifier
\set key certifier
:become
SELECT ecert.checkpoint() IS NOT NULL AS sealed;

-- the statement of a step, as it stands in the function, runs in workers, what it calls for each row included
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET min_parallel_index_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE FUNCTION parallel_test.plan() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    statement text := (SELECT substring(prosrc FROM 'RETURN QUERY\s+(SELECT .*\));\s*END') FROM pg_proc WHERE oid = 'ecert.check_rows'::regproc);
BEGIN
    statement := regexp_replace(statement, '(first)\.(issuer|kind)', '''a''', 'g');
    statement := regexp_replace(statement, '(last)\.(issuer|kind)', '''z''', 'g');
    RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || regexp_replace(statement, '(first|last)\.seq', '0', 'g');
END $$;
WITH p (number, line) AS (SELECT row_number() OVER (), trim(p) FROM parallel_test.plan() AS p)
SELECT (SELECT number FROM p WHERE line = 'Gather' OR line LIKE '%-> %Gather') < (SELECT number FROM p WHERE line LIKE '%ProjectSet') AS in_workers,
       EXISTS (SELECT FROM p WHERE line LIKE '%Parallel Index Scan using package_pkey on package p') AS by_primary_key;
RESET enable_seqscan;
RESET enable_bitmapscan;

CREATE TABLE parallel_test.found (way text, issuer text, kind text, seq bigint, problem text);
-- ecert.problems() with no worker, with workers alone, with workers and leader; and in steps of several sizes
CREATE PROCEDURE parallel_test.look() LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE parallel_test.found;
    PERFORM set_config('max_parallel_workers_per_gather', '0', true);
    INSERT INTO parallel_test.found SELECT 'alone', p.* FROM ecert.problems() AS p;
    PERFORM set_config('max_parallel_workers_per_gather', '1', true), set_config('parallel_leader_participation', 'off', true);
    INSERT INTO parallel_test.found SELECT 'one worker', p.* FROM ecert.problems() AS p;
    PERFORM set_config('max_parallel_workers_per_gather', '4', true);
    INSERT INTO parallel_test.found SELECT 'workers', p.* FROM ecert.problems() AS p;
    PERFORM set_config('parallel_leader_participation', 'on', true);
    INSERT INTO parallel_test.found SELECT 'all', p.* FROM ecert.problems() AS p;
END $$;
CREATE PROCEDURE parallel_test.steps(row_count bigint) LANGUAGE plpgsql AS $$
BEGIN
    CALL ecert.verify_ledger(row_count);
    INSERT INTO parallel_test.found SELECT 'steps of ' || row_count, p.issuer, p.kind, p.seq, p.problem FROM ledger.verification_problem p
     WHERE p.verification_id = (SELECT max(id) FROM ledger.verification);
END $$;
-- each way's rows that another way has not
CREATE FUNCTION parallel_test.differences() RETURNS TABLE (way text, problems bigint, not_alone bigint, only_alone bigint) LANGUAGE sql AS $$
    SELECT w.way, (SELECT count(*) FROM parallel_test.found f WHERE f.way = w.way),
           (SELECT count(*) FROM (SELECT f.issuer, f.kind, f.seq, f.problem FROM parallel_test.found f WHERE f.way = w.way
            EXCEPT ALL SELECT f.issuer, f.kind, f.seq, f.problem FROM parallel_test.found f WHERE f.way = 'alone') AS d),
           (SELECT count(*) FROM (SELECT f.issuer, f.kind, f.seq, f.problem FROM parallel_test.found f WHERE f.way = 'alone'
            EXCEPT ALL SELECT f.issuer, f.kind, f.seq, f.problem FROM parallel_test.found f WHERE f.way = w.way) AS d)
      FROM (VALUES (1, 'alone'), (2, 'one worker'), (3, 'workers'), (4, 'all'), (5, 'steps of 1'), (6, 'steps of 90'), (7, 'steps of 50000')) AS w (number, way) ORDER BY w.number
$$;
CALL parallel_test.look();
SELECT count(*) FROM parallel_test.found;

-- all that can be wrong, at once
ALTER TABLE ledger.package DISABLE TRIGGER ALL;
CREATE FUNCTION parallel_test.changed(p ecert.package, find text, put text) RETURNS ecert.package LANGUAGE sql AS $$
    SELECT overlay(p::bytea placing put::bytea from position(find::bytea in p::bytea) for octet_length(put::bytea))::ecert.package
$$;
CREATE FUNCTION parallel_test.put(p ecert.package) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO ledger.package (issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)
    VALUES (ecert.issuer(p), ecert.kind(p), ecert.seq(p), ecert.subject(p), ecert.period(p), ecert.issued_at(p), ecert.hash(p), p, now()) RETURNING seq
$$;
CREATE VIEW parallel_test.energy_of_a AS SELECT * FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy';
UPDATE parallel_test.energy_of_a SET package = parallel_test.changed(package, '\x1904e2', '\x1904e1') WHERE seq IN (10, 340);
UPDATE parallel_test.energy_of_a SET package = set_byte(package::bytea, octet_length(package::bytea) - 5, get_byte(package::bytea, octet_length(package::bytea) - 5) # 1)::ecert.package WHERE seq = 150;
UPDATE parallel_test.energy_of_a SET hash = sha256('wrong') WHERE seq = 200;
UPDATE parallel_test.energy_of_a SET period = '[2023-01-01,2033-01-02)', subject = 'plant-b' WHERE seq = 250;
UPDATE parallel_test.energy_of_a p SET package = (SELECT q.package FROM parallel_test.energy_of_a q WHERE q.seq = 601 - p.seq) WHERE seq IN (300, 301);
DELETE FROM parallel_test.energy_of_a WHERE seq IN (350, 500, 501, 502);
-- a row where no package of the feed can be
UPDATE parallel_test.energy_of_a SET seq = 100000 WHERE seq = 720;
UPDATE ledger.package SET kind = 'product' WHERE issuer = 'plant-b' AND kind = 'energy' AND seq = 9;
DELETE FROM ledger.package WHERE kind = 'node' AND seq = 1;
\set who plant-b
\set key plant-b
:become
-- a period that reaches far, those that it covers, and a correction among them that nothing can be said of
SELECT parallel_test.put(ecert.sign('energy', parallel_test.energy('2025-01-01', '2026-01-01')));
SELECT parallel_test.put(ecert.sign('energy', parallel_test.energy('2025-01-01'::date + n, '2025-01-02'::date + n))) FROM generate_series(0, 2) AS n;
SELECT parallel_test.put(ecert.sign('energy', parallel_test.energy('2025-06-01', '2025-06-02', sha256('nothing'))));
SELECT parallel_test.put(ecert.sign('energy', parallel_test.energy('2025-12-31', '2026-01-01')));
SELECT parallel_test.put(ecert.sign('energy', parallel_test.energy('2026-01-01', '2026-01-02')));
-- the same by an issuer who is known, so that the times of his packages count
\set who plant-a
\set key plant-a
:become
CREATE FUNCTION parallel_test.output(began date, until date) RETURNS jsonb LANGUAGE sql AS $$
    SELECT parallel_test.energy(began, until) || '{"lines": [{"product": "steel", "unit": "t", "output": 1, "qualified": 1}]}'
$$;
SELECT parallel_test.put(ecert.sign('product', parallel_test.output('2025-01-01', '2026-01-01')));
SELECT parallel_test.put(ecert.sign('product', parallel_test.output('2025-01-01'::date + n, '2025-01-02'::date + n))) FROM generate_series(0, 2) AS n;
SELECT parallel_test.put(ecert.sign('product', parallel_test.output('2025-12-31', '2026-01-01')));
SELECT parallel_test.put(ecert.sign('product', parallel_test.output('2026-01-01', '2026-01-02')));
CALL parallel_test.look();
CALL parallel_test.steps(1);
CALL parallel_test.steps(90);
CALL parallel_test.steps(50000);
SELECT issuer, kind, min(seq) AS seq, count(*), regexp_replace(regexp_replace(problem, '[0-9a-f]{64}', '<hash>', 'g'), 'was issued at [^)]*', 'was issued at <time>') AS problem FROM parallel_test.found WHERE way = 'alone' GROUP BY 1, 2, 5 ORDER BY 1, 2, 3, 5;
SELECT * FROM parallel_test.differences();

-- a registry that is none: any one byte of it, any length of it, nothing, and a seal without anything before it
SELECT * FROM ecert.row_problems('a', 'energy', 0, 'a', NULL, now(), '\x', NULL, '\x00');
SELECT * FROM ecert.row_problems('a', 'energy', 0, 'a', NULL, now(), '\x', NULL, '');
CREATE FUNCTION parallel_test.taken(registry bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ecert.row_problems('a', 'energy', 0, 'a', NULL, now(), '\x', NULL, registry);
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT parallel_test.taken(ecert.verified_registry()) AS whole;
SELECT parallel_test.taken(overlay(r.v PLACING set_byte('\x00', 0, get_byte(r.v, n) # 1) FROM n + 1)) AS one_byte, count(*) > 100 AS many
  FROM (SELECT ecert.verified_registry() AS v) AS r CROSS JOIN LATERAL generate_series(0, octet_length(r.v) - 1, 13) AS n GROUP BY 1;
SELECT parallel_test.taken(substr(r.v, 1, n)) AS shorter, count(*) > 100 AS many FROM (SELECT ecert.verified_registry() AS v) AS r CROSS JOIN LATERAL generate_series(0, octet_length(r.v) - 1, 13) AS n GROUP BY 1;
SELECT parallel_test.taken(r.v || '\x00') AS longer, parallel_test.taken(overlay(r.v PLACING '\xffffffffffffffff' FROM 441)) AS eight_bytes, parallel_test.taken(right_part.v) AS seal_alone
  FROM (SELECT ecert.verified_registry() AS v) AS r CROSS JOIN LATERAL (SELECT substr(r.v, octet_length(r.v) - 31) AS v) AS right_part;
SELECT * FROM ecert.row_problems('a', 'energy', 0, 'a', NULL, now(), '\x', NULL, NULL);
SELECT * FROM ecert.row_problems('a', 'energy', 0, 'a', NULL, now(), NULL, NULL, ecert.verified_registry());
DROP SCHEMA parallel_test CASCADE;
DROP SCHEMA ledger CASCADE;
