-- What ecert made in the database, and what health says when it is not as it was: each fault with the statements that mend it, which are run.
\getenv abs_srcdir PG_ABS_SRCDIR
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key,
       set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) IS NOT NULL AS has_seal_key;
SELECT ecert.create_ledger('structure.test') IS NOT NULL AS made;
CREATE SCHEMA structure_test;
-- a fresh ledger has no fault, so the list of what is expected is that of what is made
SELECT * FROM ecert.structure_health();
SELECT sort, count(*) FROM ecert.expected_structure() GROUP BY sort ORDER BY sort;

-- do something to it, see what health says, and do what it says; what remains is the second answer
CREATE FUNCTION structure_test.after(VARIADIC done text[]) RETURNS TABLE (subject text, value text, detail text, mended text) LANGUAGE plpgsql AS $$
DECLARE
    statement text;
    left_over text;
BEGIN
    FOREACH statement IN ARRAY done LOOP
        EXECUTE statement;
    END LOOP;
    FOR subject, value, detail IN SELECT h.subject, h.value, h.detail FROM ecert.health() AS h WHERE h.item = 'structure' AND h.state <> 'ok' ORDER BY h.subject LOOP
        statement := substr(detail, strpos(detail, 'Next: ') + 6);
        IF statement NOT LIKE 'nothing %' THEN
            EXECUTE statement;
        END IF;
        mended := CASE WHEN EXISTS (SELECT FROM ecert.structure_health() AS h WHERE h.subject = after.subject) THEN 'no' ELSE 'yes' END;
        RETURN NEXT;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = 'undone';
EXCEPTION WHEN SQLSTATE 'P0099' THEN
    RETURN;
END $$;
\x on
SELECT * FROM structure_test.after('ALTER TABLE ledger.package DISABLE TRIGGER ecert_admit');
SELECT * FROM structure_test.after('ALTER TABLE ledger.package ENABLE TRIGGER ecert_take_up');
SELECT * FROM structure_test.after('DROP TRIGGER ecert_refuse_statement ON ledger.package', 'ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_drain');
SELECT * FROM structure_test.after('CREATE OR REPLACE TRIGGER ecert_refuse_row BEFORE UPDATE OR DELETE ON ledger.package FOR EACH ROW WHEN (false) EXECUTE FUNCTION ecert.refuse_change()',
                                   'ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row');
SELECT * FROM structure_test.after('CREATE OR REPLACE TRIGGER ecert_refuse_row BEFORE UPDATE OF subject OR DELETE ON ledger.package FOR EACH ROW EXECUTE FUNCTION ecert.refuse_change()',
                                   'ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row');
SELECT * FROM structure_test.after('CREATE FUNCTION structure_test.admit() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END''',
                                   'CREATE OR REPLACE TRIGGER ecert_admit BEFORE INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION structure_test.admit()', 'ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit');
SELECT * FROM structure_test.after('CREATE TRIGGER swallow BEFORE INSERT ON ledger.package FOR EACH ROW WHEN (NEW.kind = ''status'') EXECUTE FUNCTION suppress_redundant_updates_trigger()');
SELECT * FROM structure_test.after('CREATE OR REPLACE FUNCTION ecert.admit() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END''');
SELECT * FROM structure_test.after('ALTER FUNCTION ecert.refuse_change() SET work_mem = ''1MB''', 'ALTER FUNCTION ecert.take_up_new() STRICT', 'ALTER FUNCTION ecert.drain_waiting() SECURITY DEFINER');
SELECT * FROM structure_test.after('ALTER EXTENSION ecert DROP FUNCTION ecert.admit()');
SELECT * FROM structure_test.after('ALTER TABLE ledger.package ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', 'CREATE POLICY hide ON ledger.package USING (kind <> ''audit'')');
SELECT * FROM structure_test.after('CREATE RULE swallow AS ON INSERT TO ledger.package WHERE NEW.kind = ''status'' DO INSTEAD NOTHING');
SELECT * FROM structure_test.after('CREATE TABLE structure_test.child () INHERITS (ledger.package)');
SELECT * FROM structure_test.after('CREATE TABLE structure_test.parent (hash bytea)', 'ALTER TABLE ledger.package INHERIT structure_test.parent');
SELECT * FROM structure_test.after('ALTER TABLE ledger.package ADD CONSTRAINT no_status CHECK (kind <> ''status'') NOT VALID');
SELECT * FROM structure_test.after('ALTER TABLE ledger.package DROP CONSTRAINT package_pkey');
SELECT * FROM structure_test.after('ALTER TABLE ledger.package ADD COLUMN note text');
SELECT * FROM structure_test.after('ALTER TABLE ledger.package ALTER subject DROP NOT NULL', 'ALTER TABLE ledger.package DROP COLUMN recorded_at CASCADE');
SELECT * FROM structure_test.after('DROP INDEX ledger.package_kids, ledger.package_subject_kind_period');
SELECT * FROM structure_test.after('DROP INDEX ledger.package_hash', 'CREATE INDEX package_hash ON ledger.package (hash)');
SELECT * FROM structure_test.after('UPDATE pg_index SET indisvalid = false WHERE indexrelid = ''ledger.leaf_range_feed''::regclass');
SELECT * FROM structure_test.after('CREATE UNIQUE INDEX one_status ON ledger.package (kind) WHERE kind = ''status''', 'CREATE INDEX mine ON ledger.package (recorded_at)');
SELECT * FROM structure_test.after('DROP VIEW ledger.health CASCADE', 'DROP VIEW ledger.head');
SELECT * FROM structure_test.after('ALTER PUBLICATION ecert DROP TABLE ledger.package', 'ALTER TABLE ledger.package SET UNLOGGED');
SELECT * FROM structure_test.after('DROP TABLE ledger.reading', 'DROP TABLE ledger.pending');
\x off

-- options of storage, and tables and views of one's own, are nobody's business
SELECT * FROM structure_test.after('ALTER INDEX ledger.package_hash SET (fillfactor = 80)', 'ALTER TABLE ledger.package SET (autovacuum_enabled = off)', 'CREATE VIEW ledger.mine AS SELECT 1 AS a', 'CREATE TABLE ledger.books (a int)');

-- whatever is missing, the rest of health answers
BEGIN;
DROP TABLE ledger.pending, ledger.verification, ledger.verification_problem, ledger.duty_log;
SELECT item, subject, state, value, detail FROM ecert.health() WHERE item IN ('feeds', 'health', 'structure', 'publication');
ROLLBACK;
CREATE ROLE structure_test_reader;
GRANT USAGE ON SCHEMA ecert, ledger TO structure_test_reader;
GRANT SELECT ON ledger.package TO structure_test_reader;
SET ROLE structure_test_reader;
SELECT item, subject, state, value, detail FROM ecert.health() WHERE item = 'health' OR state = 'ok' AND item IN ('feeds', 'structure');
RESET ROLE;

-- a verification is under way while it has its lock, and otherwise was interrupted
INSERT INTO ledger.verification (package_count, checked_count, updated_at, identity) VALUES (100, 40, '2025-01-01Z', ecert.moved_identity());
SELECT state, value, detail FROM ecert.verification_health();
BEGIN;
LOCK TABLE ledger.verification IN SHARE UPDATE EXCLUSIVE MODE;
SELECT state, value, detail FROM ecert.verification_health();
ROLLBACK;
CALL ecert.verify_ledger();
SELECT state, value <> 'never' AS has_time, detail FROM ecert.verification_health();

-- why no round is done; and what was not tried in the last one is not due any more
SELECT state, value, detail FROM ecert.duty_health();
CALL ecert.run_duties();
INSERT INTO ledger.duty_log (duty, subject, node, tried_at, sqlstate, outcome) VALUES
    ('audit', 'gone as peer', 'certifier', now() - interval '2 days', 'EC052', 'nothing to audit'), ('audit', 'of another node', 'somebody', now() - interval '2 days', 'EC052', 'nothing to audit');
CALL ecert.run_duties();
SELECT state, value <> 'never' AS has_time, detail FROM ecert.duty_health();
SELECT ecert.log_duty('certify', 'now', 'not yet', 'EC062');
CALL ecert.run_duties();
SELECT state, detail FROM ecert.duty_health();
CALL ecert.run_duties();
SELECT state, detail FROM ecert.duty_health();
SELECT duty, subject, node, outcome FROM ledger.duty_log WHERE sqlstate IS NOT NULL;

-- books that are gone are one duty that cannot be done
SELECT ecert.enroll('plant-a', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem')) IS NOT NULL AS enrolled;
BEGIN;
DROP TABLE ledger.reading CASCADE;
SELECT set_config('ecert.node', 'plant-a', true) AS node;
SELECT d.duty, d.subject FROM ecert.due_duties() AS d WHERE d.duty = 'pack';
SELECT ecert.do_duty('pack', 'energy', NULL, NULL), ecert.do_duty('pack', 'product', NULL, NULL);
SELECT state, detail FROM ecert.duty_health();
ROLLBACK;

-- settings that are for one session
ALTER ROLE structure_test_reader SET ecert.allow_ledger_ddl = on;
SET ecert.sign_unconfirmed = on;
SELECT * FROM ecert.set_up_health() WHERE subject IN ('ecert.allow_ledger_ddl', 'ecert.sign_unconfirmed');
RESET ecert.sign_unconfirmed;

-- why to preload the library: without the guard this takes every signature, with a NOTICE
BEGIN;
DROP EXTENSION ecert CASCADE;
SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'ledger.package'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
ROLLBACK;
SELECT state FROM ecert.structure_health();
DROP SCHEMA structure_test CASCADE;
DROP SCHEMA ledger CASCADE;
DROP OWNED BY structure_test_reader;
DROP ROLE structure_test_reader;
