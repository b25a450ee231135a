-- What subtransactions took that were rolled back is free again, however many there are in one transaction.
\getenv abs_srcdir PG_ABS_SRCDIR
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS ecert;
\set keys_sql :abs_srcdir '/test/keys/keys.sql'
\set ECHO none
\i :keys_sql
\set ECHO all
DROP SCHEMA IF EXISTS ledger CASCADE;
SELECT test_keys.become('certifier') AS node;
SELECT ecert.create_ledger('aborted.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant,auditor}', test_keys.public(n))) FROM unnest('{plant,mine}'::text[]) AS n;
SELECT ecert.relate('mine', 'plant', 'upstream') IS NOT NULL AS related;
CREATE SCHEMA aborted_test;
CREATE FUNCTION aborted_test.month(n integer, source text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('period', ecert.period_json(tstzrange(m, m + interval '1 month')), 'lines', jsonb_build_array(jsonb_build_object('source', source, 'unit', 'kWh', 'quantity', 1)))
      FROM (SELECT timestamptz '2000-01-01 00:00+00' + n * interval '1 month') AS t (m) $$;
-- a package for the end of the feed, and one that does not follow
CREATE TABLE aborted_test.package (what text, package ecert.package);
SELECT test_keys.become('plant') AS node;
SELECT ecert.append('energy', aborted_test.month(0, 'electricity')) IS NOT NULL AS appended;
INSERT INTO aborted_test.package SELECT 'known', package FROM ledger.package WHERE kind = 'energy';
-- a statement so many times, each in a subtransaction that fails; kB of the transaction's memory that are not free behind them
CREATE FUNCTION aborted_test.grows(statement text, expected text, times integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    state text;
BEGIN
    FOR i IN 0 .. times LOOP
        BEGIN
            EXECUTE statement;
            RAISE EXCEPTION USING ERRCODE = 'AB001';
        EXCEPTION WHEN OTHERS THEN
            state := SQLSTATE;
        END;
        IF state <> expected THEN
            RAISE EXCEPTION '% instead of %', state, expected;
        END IF;
        -- caches have filled by then
        IF i = times / 10 THEN
            SELECT sum(c.total_bytes) INTO before FROM pg_backend_memory_contexts AS c;
        END IF;
    END LOOP;
    RETURN (SELECT sum(c.total_bytes) - before > 256 * 1024 FROM pg_backend_memory_contexts AS c);
END $$;
SELECT aborted_test.grows($$SELECT ecert.append('energy', aborted_test.month(1, 'unheard of'))$$, 'EC042', 400) AS coefficient_unknown;
SELECT aborted_test.grows($$SELECT ecert.append('energy', aborted_test.month(1, 'electricity'))$$, 'AB001', 400) AS undone;
-- the same where the transaction has feeds of its own, which it locks and notes again behind each
BEGIN;
SELECT ecert.append('energy', aborted_test.month(1, 'electricity')) IS NOT NULL AS appended;
SELECT ecert.append('product', aborted_test.month(1, 'electricity') || '{"lines": [{"product": "steel", "unit": "t", "output": 1, "qualified": 1}]}') IS NOT NULL AS appended;
CREATE FUNCTION aborted_test.in_turn(times integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
BEGIN
    FOR i IN 2 .. times LOOP
        PERFORM ecert.append('energy', aborted_test.month(i, 'electricity'));
        PERFORM ecert.append('product', aborted_test.month(i, 'electricity') || '{"lines": [{"product": "steel", "unit": "t", "output": 1, "qualified": 1}]}');
        BEGIN
            PERFORM ecert.append('energy', aborted_test.month(i + 1, 'unheard of'));
        EXCEPTION WHEN SQLSTATE 'EC042' THEN
        END;
        IF i = times / 10 THEN
            SELECT sum(c.total_bytes) INTO before FROM pg_backend_memory_contexts AS c;
        END IF;
    END LOOP;
    RETURN (SELECT sum(c.total_bytes) - before > 256 * 1024 FROM pg_backend_memory_contexts AS c);
END $$;
SELECT aborted_test.in_turn(300) AS in_turn;
ROLLBACK;
SELECT aborted_test.grows($$INSERT INTO ledger.package (package) SELECT package FROM aborted_test.package$$, 'EC022', 400) AS known;
SELECT aborted_test.grows($$SELECT ecert.sign('energy', '{"lines": 1}')$$, 'EC003', 400) AS body_invalid;
SELECT aborted_test.grows($$SELECT ecert.package(set_byte(package::bytea, 3, 255)) FROM aborted_test.package$$, 'EC001', 400) AS malformed;
SELECT aborted_test.grows($$SELECT ecert.key_entry('-----BEGIN PUBLIC KEY-----x')$$, 'EC095', 400) AS no_key;
SELECT aborted_test.grows($$SELECT * FROM ecert.assess('plant', '[2000-01-01,2000-02-01)')$$, 'AB001', 200) AS assessed;
SELECT test_keys.become('mine') AS node;
SELECT aborted_test.grows($$SELECT ecert.submit_audit('plant', '[2030-01-01,2030-02-01)', 'upstream')$$, 'EC052', 100) AS nothing_to_audit;
SELECT test_keys.become('certifier') AS node;
SELECT aborted_test.grows($$SELECT ecert.certify('plant', '[2000-01-01,2000-02-01)')$$, 'EC062', 30) AS obstacles;
SELECT aborted_test.grows($$SELECT ecert.enroll('other', '{applicant}', test_keys.public('plant'))$$, 'EC095', 100) AS same_key;
SELECT aborted_test.grows($$SELECT count(*) FROM ecert.verify_registry()$$, 'AB001', 100) AS verified;
SELECT aborted_test.grows($$SELECT ecert.checkpoint()$$, 'AB001', 30) AS sealed;
-- and the ledger is as it was
SELECT kind, count(*) FROM ledger.package GROUP BY kind ORDER BY kind COLLATE "C";
SELECT count(*) AS problems FROM ecert.problems();
DROP SCHEMA aborted_test CASCADE;
DROP SCHEMA ledger CASCADE;
