-- Verification names what has been tampered with, by our C and by plain SQL, and can be resumed.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''key'' || ''.pem'', false) IS NOT NULL AS has_key;'
\set who certifier
\set key certifier
:become
SELECT * FROM ecert.problems();
SELECT ecert.create_ledger('verify.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant,auditor}', pg_read_file(:'abs_srcdir' || '/test/keys/' || n || '.pub.pem'))) FROM unnest(ARRAY['plant-a', 'plant-b']) AS n;
SELECT ecert.relate('plant-b', 'plant-a', 'peer') IS NOT NULL AS related;
\set who plant-a
\set key plant-a
:become
SELECT count(ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange('2024-01-01'::timestamptz + n * '1 day'::interval, '2024-01-02'::timestamptz + n * '1 day'::interval)),
    'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1250}]'::jsonb))) FROM generate_series(0, 299) AS n;
SELECT count(ecert.append('product', jsonb_build_object('period', ecert.period_json(tstzrange('2024-01-01'::timestamptz + n * '1 day'::interval, '2024-01-02'::timestamptz + n * '1 day'::interval)),
    'lines', '[{"product": "x", "unit": "t", "output": 5, "qualified": 5}]'::jsonb))) FROM generate_series(0, 9) AS n;
\set who plant-b
\set key plant-b
:become
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-01-11)', 'peer') IS NOT NULL AS audited;
\set who certifier
\set key certifier
:become
-- clean, in one go and in small steps
SELECT * FROM ecert.problems();
SELECT * FROM ecert.check_chain();
SET client_min_messages = notice;
CALL ecert.verify_ledger();
CALL ecert.verify_ledger(7);
SELECT id, package_count, checked_count, problem_count, finished_at IS NOT NULL AS finished, reached_kind, reached_seq FROM ledger.verification ORDER BY id;
-- a run that was interrupted is taken up where it stopped
UPDATE ledger.verification SET finished_at = NULL, checked_count = 100, reached_issuer = 'plant-a', reached_kind = 'energy', reached_seq = 149 WHERE id = 2;
CALL ecert.verify_ledger(7);
SELECT id, checked_count, finished_at IS NOT NULL AS finished FROM ledger.verification ORDER BY id;
SET client_min_messages = warning;

-- a superuser who puts the triggers aside is seen, whatever is changed
CREATE SCHEMA verify_test;
CREATE FUNCTION verify_test.after(what text) RETURNS TABLE (who text, kind text, seq bigint, problem text) LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE ledger.package DISABLE TRIGGER ALL;
    EXECUTE what;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit;
    RETURN QUERY SELECT p.issuer, p.kind, p.seq, regexp_replace(p.problem, '[0-9a-f]{64}', '<hash>', 'g') FROM ecert.problems() AS p;
    RETURN QUERY SELECT c.issuer, c.kind, c.seq, 'check_chain: ' || c.problem FROM ecert.check_chain() AS c;
END $$;
CREATE FUNCTION verify_test.changed(p ecert.package, find text, put text) RETURNS ecert.package LANGUAGE sql AS $$
    SELECT overlay(p::bytea placing put::bytea from position(find::bytea in p::bytea) for octet_length(put::bytea))::ecert.package
$$;
BEGIN;
-- a digit of a quantity (1250 = 0x1904e2), hash column left alone, and hash column made to fit
SELECT * FROM verify_test.after($$UPDATE ledger.package SET package = verify_test.changed(package, '\x1904e2', '\x1904e1') WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 10$$);
ROLLBACK;
BEGIN;
SELECT * FROM verify_test.after($$UPDATE ledger.package SET (package, hash) = (SELECT p, ecert.hash(p) FROM (SELECT verify_test.changed(package, '\x1904e2', '\x1904e1') AS p) AS c) WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 10$$);
ROLLBACK;
BEGIN;
-- a byte of the signature
SELECT * FROM verify_test.after($$UPDATE ledger.package SET package = set_byte(package::bytea, octet_length(package::bytea) - 5, get_byte(package::bytea, octet_length(package::bytea) - 5) # 1)::ecert.package WHERE issuer = 'plant-a' AND kind = 'product' AND seq = 3$$);
ROLLBACK;
BEGIN;
-- derived columns
SELECT * FROM verify_test.after($$UPDATE ledger.package SET subject = 'plant-b' WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 7$$);
ROLLBACK;
BEGIN;
SELECT * FROM verify_test.after($$UPDATE ledger.package SET period = '[2023-01-01,2023-01-02)', issued_at = '2023-01-01' WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 7$$);
ROLLBACK;
BEGIN;
-- a package taken out of the middle
SELECT * FROM verify_test.after($$DELETE FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 100$$);
ROLLBACK;
BEGIN;
-- two packages put in each other's place
SELECT * FROM verify_test.after($$UPDATE ledger.package p SET package = (SELECT q.package FROM ledger.package q WHERE q.issuer = p.issuer AND q.kind = p.kind AND q.seq = 11 - p.seq) WHERE issuer = 'plant-a' AND kind = 'product' AND seq IN (5, 6)$$);
ROLLBACK;
BEGIN;
-- an audit whose packages have gone
SELECT * FROM verify_test.after($$DELETE FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'product' AND seq = 9$$);
ROLLBACK;
BEGIN;
-- a node that was never enrolled, and one whose enrolment has gone
SELECT who, kind, count(*), min(problem) AS problem FROM verify_test.after($$DELETE FROM ledger.package WHERE kind = 'node' AND subject = 'plant-b'$$) GROUP BY who, kind ORDER BY 1, 2;
ROLLBACK;
BEGIN;
-- the genesis
SELECT who, kind, seq, problem FROM verify_test.after($$DELETE FROM ledger.package WHERE kind = 'genesis'$$) WHERE kind IS NULL;
ROLLBACK;
BEGIN;
-- a node package that vouches for itself: the certifier's next one, brought by a key that only it names
CREATE TABLE verify_test.forged AS SELECT n.seq, n.hash, ecert.node_state('certifier') AS state FROM ledger.package n WHERE n.kind = 'node' ORDER BY seq DESC LIMIT 1;
\set key stranger
:become
ALTER TABLE ledger.package DISABLE TRIGGER ALL;
INSERT INTO ledger.package (issuer, kind, seq, subject, issued_at, hash, package, recorded_at)
SELECT 'certifier', 'node', ecert.seq(s.p), ecert.subject(s.p), ecert.issued_at(s.p), ecert.hash(s.p), s.p, now()
  FROM (SELECT ecert.sign('node', f.state || jsonb_build_object('keys', (f.state -> 'keys') || jsonb_build_array(ecert.key_entry(ecert.public_key()) || '{"effective": 0}'))) AS p FROM verify_test.forged f) AS s;
SELECT p.issuer, p.kind, p.seq, regexp_replace(regexp_replace(p.problem, '[0-9a-f]{64}', '<hash>', 'g'), 'issued at \d{4}[-0-9: +]+\.', 'issued at <time>.') AS problem FROM ecert.problems() AS p;
ROLLBACK;
\set key certifier
:become
-- whole again
SELECT * FROM ecert.problems();
-- what was found stays in the table
ALTER TABLE ledger.package DISABLE TRIGGER ALL;
UPDATE ledger.package SET package = verify_test.changed(package, '\x1904e2', '\x1904e1') WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 200;
CALL ecert.verify_ledger(50);
SELECT issuer, kind, seq, left(problem, 32) AS problem FROM ledger.verification_problem ORDER BY verification_id, number;
DROP SCHEMA verify_test CASCADE;
DROP SCHEMA ledger CASCADE;
