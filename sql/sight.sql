-- Questions about the ledger see what their statement sees, also when PL/pgSQL asks again in one transaction; and they are answered
-- from the indexes that ecert made, or not at all.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key;
SELECT ecert.create_ledger('sight.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant,auditor}', pg_read_file(:'abs_srcdir' || '/test/keys/' || n || '.pub.pem'))) FROM unnest(ARRAY['plant-a', 'plant-b']) AS n;
CREATE SCHEMA sight_test;
-- whether plant-b is related to plant-a: asked three times by one expression, before which something is written each time;
-- of the first time nothing stays
CREATE FUNCTION sight_test.look() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    is_related boolean;
BEGIN
    FOR i IN 1..3 LOOP
        BEGIN
            IF i <> 2 THEN
                PERFORM ecert.relate('plant-b', 'plant-a', 'peer');
            END IF;
            is_related := ecert.related('plant-b', 'plant-a', 'peer', now() + interval '1 minute');
            RETURN NEXT format('%s: %s', i, is_related);
            IF i = 1 THEN
                RAISE EXCEPTION 'taken back';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            RETURN NEXT 'taken back';
        END;
    END LOOP;
END $$;
BEGIN;
SELECT sight_test.look();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT sight_test.look();
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT sight_test.look();
ROLLBACK;
SELECT ecert.related('plant-b', 'plant-a', 'peer', now());
-- and of a ledger that was made anew in between
DO $$
DECLARE
    hash bytea;
BEGIN
    FOR i IN 1..2 LOOP
        PERFORM ecert.coverage_gaps('plant-a', 'energy', '[2024-01-01,2024-02-01)');
        hash := ecert.policy_hash();
        DROP SCHEMA ledger CASCADE;
        PERFORM ecert.create_ledger(format('sight.test.%s', i));
        IF hash = ecert.policy_hash() THEN
            RAISE EXCEPTION 'the ledger before';
        END IF;
    END LOOP;
END $$;
SELECT ecert.origin();

-- an index that has the name, and other columns, another method or a part of the rows
SET ecert.allow_ledger_ddl = on;
CREATE FUNCTION sight_test.with_index(gone text, made text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE gone;
    EXECUTE made;
    PERFORM ecert.is_overtaken(sha256('')), ecert.related('plant-b', 'plant-a', 'peer', now()), count(*) FROM ecert.problems();
    RAISE EXCEPTION 'answered';
EXCEPTION WHEN undefined_object THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT SQLERRM || ': ' || detail;
END $$;
SELECT sight_test.with_index('DROP INDEX ledger.package_hash', 'CREATE INDEX package_hash ON ledger.package (hash)');
SELECT sight_test.with_index('DROP INDEX ledger.package_hash', 'CREATE INDEX package_hash ON ledger.package USING hash (recorded_at)');
SELECT sight_test.with_index('DROP INDEX ledger.package_hash', 'CREATE INDEX package_hash ON ledger.package USING hash (hash) WHERE seq > 0');
SELECT sight_test.with_index('DROP INDEX ledger.package_hash', 'CREATE INDEX package_hash ON ledger.feed USING hash (issuer)');
SELECT sight_test.with_index('ALTER TABLE ledger.package DROP CONSTRAINT package_pkey', 'ALTER TABLE ledger.package ADD CONSTRAINT package_pkey PRIMARY KEY (seq, issuer, kind)');
SELECT sight_test.with_index('ALTER TABLE ledger.package DROP CONSTRAINT package_pkey', 'SELECT 1');
SELECT sight_test.with_index('DROP INDEX ledger.package_subject_kind_period', 'CREATE INDEX package_subject_kind_period ON ledger.package (subject, seq, kind)');
SELECT sight_test.with_index('DROP INDEX ledger.package_kind', 'SELECT 1');
SELECT count(*) FROM ecert.problems();
DROP SCHEMA sight_test CASCADE;
DROP SCHEMA ledger CASCADE;
