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
-- a table that has the name and is another sort of table, or has other columns: refused in words whoever asks, and nothing is read from it
CREATE FUNCTION sight_test.with_table(VARIADIC done text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    statement text;
    detail text;
    answered integer := 0;
BEGIN
    FOREACH statement IN ARRAY done LOOP
        EXECUTE statement;
    END LOOP;
    FOREACH statement IN ARRAY ARRAY[
        'SELECT ecert.enroll(''plant-z'', ''{applicant}'', ecert.public_key())', 'SELECT count(*) FROM ecert.problems()', 'SELECT ecert.checkpoint()', 'SELECT ecert.genesis_hash()',
        'SELECT ecert.is_overtaken(sha256(''''))', 'SELECT ecert.admit_from_peer((SELECT package::bytea FROM ledger.old LIMIT 1), ''x'')', 'INSERT INTO ledger.package (package) SELECT package FROM ledger.old LIMIT 1',
        'SELECT count(*) FROM ledger.certificate', 'SELECT count(*) FROM ledger.node', 'SELECT ecert.rule_problem(package) FROM ledger.old', 'SELECT ecert.is_false(''certifier'', ''node'', 0)'] LOOP
        BEGIN
            EXECUTE statement;
            answered := answered + 1;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            RETURN NEXT SQLSTATE || ' ' || SQLERRM || coalesce(': ' || nullif(detail, ''), '');
        END;
    END LOOP;
    RETURN NEXT format('%s answered', answered);
    RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = 'undone';
EXCEPTION WHEN SQLSTATE 'P0099' THEN
    RETURN;
END $$;
CREATE VIEW sight_test.partitioned AS SELECT ARRAY['ALTER TABLE ledger.package RENAME TO old', 'ALTER TABLE ledger.old RENAME CONSTRAINT package_pkey TO old_pkey',
    'ALTER INDEX ledger.package_hash RENAME TO old_hash', 'ALTER INDEX ledger.package_genesis RENAME TO old_genesis', 'ALTER INDEX ledger.package_subject_kind_period RENAME TO old_subject',
    'CREATE TABLE ledger.package (LIKE ledger.old, CONSTRAINT package_pkey PRIMARY KEY (issuer, kind, seq)) PARTITION BY LIST (kind)', 'CREATE TABLE ledger.part PARTITION OF ledger.package DEFAULT',
    'CREATE INDEX package_hash ON ledger.package USING hash (hash)', 'CREATE UNIQUE INDEX package_genesis ON ledger.package (kind) WHERE kind = ''genesis''',
    'CREATE INDEX package_subject_kind_period ON ledger.package (subject, kind, lower(period))', 'INSERT INTO ledger.package SELECT * FROM ledger.old',
    'CREATE TRIGGER ecert_admit BEFORE INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION ecert.admit()'] AS done;
SELECT DISTINCT t FROM sight_test.partitioned p CROSS JOIN LATERAL sight_test.with_table(VARIADIC p.done) AS t ORDER BY 1;
SELECT DISTINCT t FROM sight_test.with_table('ALTER TABLE ledger.package RENAME TO old', 'CREATE VIEW ledger.package AS TABLE ledger.old') AS t ORDER BY 1;
SELECT DISTINCT t FROM sight_test.with_table('ALTER TABLE ledger.package RENAME TO old', 'CREATE TABLE ledger.package (LIKE ledger.old INCLUDING ALL)', 'ALTER TABLE ledger.package ALTER hash TYPE integer USING 7') AS t WHERE t NOT LIKE '23502 %' ORDER BY 1;
SELECT DISTINCT t FROM sight_test.with_table('CREATE TABLE ledger.old AS TABLE ledger.package', 'DROP TABLE ledger.finding', 'CREATE TABLE ledger.finding (issuer text, kind text, seq bigint, problem integer, found_at timestamptz, PRIMARY KEY (issuer, kind, seq)) PARTITION BY LIST (kind)') AS t ORDER BY 1;
SELECT DISTINCT t FROM sight_test.with_table('CREATE TABLE ledger.old AS TABLE ledger.package', 'ALTER TABLE ledger.leaf_range ALTER last_seq TYPE text') AS t ORDER BY 1;
SELECT DISTINCT t FROM sight_test.with_table('CREATE TABLE ledger.old AS TABLE ledger.package', 'ALTER TABLE ledger.feed ALTER kind TYPE integer USING 7') AS t ORDER BY 1;
SELECT count(*) FROM ecert.problems();
DROP SCHEMA sight_test CASCADE;
DROP SCHEMA ledger CASCADE;
