-- What is refused, with its own SQLSTATE, and that nothing is lost or half written by it.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''key'' || ''.pem'', false) IS NOT NULL AS has_key;'
-- without a ledger there is nothing to sign for, and no node or key by default
SELECT ecert.append('energy', '{}');
SELECT ecert.this_node();
SELECT ecert.public_key();
\set who certifier
\set key certifier
:become
SELECT ecert.origin();
SELECT ecert.create_ledger('');
SELECT ecert.create_ledger('admission.test', '{"coefficients": []}');
SELECT ecert.create_ledger('admission.test') IS NOT NULL AS made;
SELECT ecert.create_ledger('another.test');
-- a second genesis is refused however it comes
INSERT INTO ledger.package (package) SELECT ecert.sign_genesis('another.test', jsonb_set(jsonb_set(ecert.body(package), '{origin}', '"another.test"'), '{name}', '"x"')) FROM ledger.package WHERE kind = 'genesis';
SELECT ecert.enroll('plant-a', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem')) IS NOT NULL AS enrolled;
SELECT ecert.enroll('plant-a', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-b.pub.pem'));
SELECT ecert.enroll('plant-b', '{applicant}', 'no key');
SELECT ecert.enroll('plant-b', '{boss}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-b.pub.pem'));
SELECT ecert.enroll('plant-b', '{applicant,auditor}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-b.pub.pem')) IS NOT NULL AS enrolled;
SELECT ecert.rotate_key('plant-c', pg_read_file(:'abs_srcdir' || '/test/keys/plant-c.pub.pem'));

-- a good package of plant-a, kept aside as text, and what can be made of it
CREATE SCHEMA admission_test;
CREATE TABLE admission_test.package (name text PRIMARY KEY, bytes bytea);
CREATE FUNCTION admission_test.month(n int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('period', ecert.period_json(tstzrange('2024-01-01'::timestamptz + n * '1 month'::interval, '2024-01-01'::timestamptz + (n + 1) * '1 month'::interval)),
                              'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1.50}]'::jsonb)
$$;
\set who plant-a
\set key plant-a
:become
INSERT INTO admission_test.package SELECT 'good', ecert.sign('energy', admission_test.month(0))::bytea;
-- size and strict form
INSERT INTO ledger.package (package) SELECT substring(bytes FOR octet_length(bytes) - 1)::ecert.package FROM admission_test.package;
INSERT INTO ledger.package (package) SELECT (bytes || '\x00')::ecert.package FROM admission_test.package;
INSERT INTO ledger.package (package) SELECT (bytes || decode(repeat('00', 65535), 'hex'))::ecert.package FROM admission_test.package;
INSERT INTO ledger.package (package) VALUES ('\x');
INSERT INTO ledger.package (package) VALUES ('no hex');
INSERT INTO ledger.package (package) VALUES ('\xd28');
INSERT INTO ledger.package (package) VALUES (NULL);
INSERT INTO ledger.package (issuer, kind, seq) VALUES ('plant-a', 'energy', 0);
-- body schema
SELECT ecert.append('energy', admission_test.month(0) || '{"colour": "red"}');
SELECT ecert.append('energy', admission_test.month(0) - 'lines');
SELECT ecert.append('energy', admission_test.month(0) || '{"period": [5, 5]}');
SELECT ecert.append('energy', admission_test.month(0) || '{"lines": []}');
SELECT ecert.append('energy', admission_test.month(0) || '{"lines": [{"source": "electricity", "unit": "kWh", "quantity": -0.01}]}');
SELECT ecert.append('energy', admission_test.month(0) || '{"lines": [{"source": "electricity", "unit": "kWh", "series": {"step": 900, "values": [1, 2]}}]}');
SELECT ecert.append('energy', admission_test.month(0) || '{"lines": [{"source": "electricity", "unit": "kWh", "quantity": 1000000000000000.1}]}');
SELECT ecert.append('energy', admission_test.month(0) || '{"lines": [{"source": "electricity", "unit": "kWh", "quantity": 1e-30}]}');
SELECT ecert.append('energy', admission_test.month(0) || '{"lines": [{"source": "electricity", "unit": "kWh", "quantity": 1e40}]}');
SELECT ecert.append('product', admission_test.month(0) || '{"lines": [{"product": "x", "unit": "t", "output": 1, "qualified": 1.01}]}');
SELECT ecert.append('weather', '{}');
SELECT ecert.append('energy', '[]');
SELECT ecert.append('energy', admission_test.month(0) || '{"ext": {"colour": "red"}}');
-- reserved for later versions, which is no fault of form
SELECT ecert.append('plan', '{}');
-- issuer, role, key
\set who stranger
:become
SELECT ecert.append('energy', admission_test.month(0));
\set who plant-a
\set key plant-a
:become
SELECT ecert.append('policy', ecert.policy());
SELECT ecert.append('audit', jsonb_build_object('applicant', 'plant-b', 'period', '[0, 1]'::jsonb, 'as', 'peer', 'verdict', 'pass', 'checks', '[]'::jsonb,
  'policy', encode(ecert.policy_hash(), 'hex'), 'checked', jsonb_build_array(jsonb_build_object('kind', 'energy', 'first', 0, 'last', 0, 'hash', repeat('0', 64)))), 'plant-b');
\set key plant-b
:become
SELECT ecert.append('energy', admission_test.month(0));
\set key plant-a
:become
-- the subject is the one that the body is about
SELECT ecert.append('energy', admission_test.month(0), 'plant-b');
-- a source that the policy cannot convert
SELECT ecert.append('energy', admission_test.month(0) || '{"lines": [{"source": "gold", "unit": "kWh", "quantity": 1}]}');
-- an algorithm that is not the key's: the header's -19 turned into -9, and the s of the signature made small enough for that
INSERT INTO ledger.package (package) SELECT set_byte(set_byte(bytes, 6, 40), octet_length(bytes) - 32, 0)::ecert.package FROM admission_test.package;
-- signature: one changed byte of the body, one of the signature
INSERT INTO ledger.package (package) SELECT overlay(bytes placing '\x33' from octet_length(bytes) - 66 for 1)::ecert.package FROM admission_test.package;
INSERT INTO ledger.package (package) SELECT set_byte(bytes, octet_length(bytes) - 1, get_byte(bytes, octet_length(bytes) - 1) # 1)::ecert.package FROM admission_test.package;
-- the feed: gap, fork, the same again
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'good';
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'good';
INSERT INTO admission_test.package SELECT 'second', ecert.sign('energy', admission_test.month(1))::bytea;
INSERT INTO admission_test.package SELECT 'other second', ecert.sign('energy', admission_test.month(1) || '{"reason": "another story"}')::bytea;
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'second';
INSERT INTO admission_test.package SELECT 'third', ecert.sign('energy', admission_test.month(2))::bytea;
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'other second';
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'good';
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'third';
INSERT INTO admission_test.package SELECT 'fourth', ecert.sign('energy', admission_test.month(3))::bytea;
-- periods: overlap, backwards, and replaces
SELECT ecert.append('energy', admission_test.month(2));
SELECT ecert.append('energy', admission_test.month(-9));
SELECT ecert.append('energy', admission_test.month(2) || jsonb_build_object('replaces', jsonb_build_array(repeat('0', 64))));
SELECT ecert.append('energy', admission_test.month(2) || jsonb_build_object('replaces', jsonb_build_array(encode(hash, 'hex')))) FROM ledger.package WHERE kind = 'energy' AND seq = 0;
SELECT ecert.append('energy', admission_test.month(0) || jsonb_build_object('replaces', jsonb_build_array(encode(hash, 'hex')))) IS NOT NULL AS replaced FROM ledger.package WHERE kind = 'energy' AND seq = 0;
SELECT ecert.append('energy', admission_test.month(0) || jsonb_build_object('replaces', jsonb_build_array(encode(hash, 'hex')))) FROM ledger.package WHERE kind = 'energy' AND seq = 0;
-- signed before that correction, and so no longer the next
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'fourth';

-- what the user gives for the other columns does not count
INSERT INTO ledger.package (issuer, kind, seq, subject, hash, issued_at, recorded_at, package) SELECT 'nobody', 'reward', 77, 'x', '\x00', '1999-01-01', '1999-01-01', ecert.sign('energy', admission_test.month(4));
SELECT issuer, kind, seq, subject, hash = ecert.hash(package) AS hashed, issued_at = ecert.issued_at(package) AS timed, recorded_at > '2020-01-01' AS recorded FROM ledger.package WHERE kind = 'energy' ORDER BY seq DESC LIMIT 1;
-- several in one statement, savepoints, rollbacks: the feed goes on where it stands
BEGIN;
SELECT ecert.append('energy', admission_test.month(5)) IS NOT NULL AS appended;
SAVEPOINT s;
SELECT ecert.append('energy', admission_test.month(6)) IS NOT NULL AS appended;
ROLLBACK TO s;
SELECT ecert.append('energy', admission_test.month(7)) IS NOT NULL AS appended;
SAVEPOINT s;
SELECT ecert.append('energy', admission_test.month(7));
ROLLBACK TO s;
SELECT ecert.append('energy', admission_test.month(8)) IS NOT NULL AS appended;
COMMIT;
BEGIN;
SELECT ecert.append('energy', admission_test.month(9)) IS NOT NULL AS appended;
ROLLBACK;
SELECT count(ecert.append('energy', admission_test.month(n))) FROM generate_series(9, 12) AS n;
-- a batch signed ahead by somebody else, in one INSERT: one bad row leaves nothing of it
CREATE TABLE admission_test.batch (n bigint, package bytea);
BEGIN;
SELECT count(ecert.append('energy', admission_test.month(n))) FROM generate_series(13, 16) AS n;
SELECT string_agg(seq || ' ' || encode(package::bytea, 'hex'), ',' ORDER BY seq) AS ahead FROM (SELECT seq, package FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy' ORDER BY seq DESC LIMIT 4) AS p \gset
ROLLBACK;
INSERT INTO admission_test.batch SELECT split_part(p, ' ', 1)::bigint, decode(split_part(p, ' ', 2), 'hex') FROM regexp_split_to_table(:'ahead', ',') AS p;
INSERT INTO ledger.package (package) SELECT b.package::ecert.package FROM (SELECT b.n, CASE b.n WHEN max(b.n) OVER () THEN set_byte(b.package, octet_length(b.package) - 1, get_byte(b.package, octet_length(b.package) - 1) # 1) ELSE b.package END AS package FROM admission_test.batch b ORDER BY b.n) AS b;
SELECT max(seq) AS head FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy';
INSERT INTO ledger.package (package) SELECT package::ecert.package FROM admission_test.batch ORDER BY n DESC;
INSERT INTO ledger.package (package) SELECT package::ecert.package FROM admission_test.batch ORDER BY n;
SELECT max(seq) AS head FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy';
-- isolation above READ COMMITTED works as long as nobody else writes the feed
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(ecert.append('energy', admission_test.month(n))) FROM generate_series(17, 18) AS n;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(ecert.append('energy', admission_test.month(n))) FROM generate_series(19, 20) AS n;
COMMIT;
-- what comes by replication is checked all the same, but it raises nothing: two stories end in quarantine, with the proof
SET session_replication_role = replica;
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'other second';
SELECT issuer, kind, seq, sqlstate, reason FROM ledger.quarantine;
SELECT issuer, kind, seq FROM ledger.equivocation;
UPDATE ledger.package SET seq = 9;
DELETE FROM ledger.package;
TRUNCATE ledger.package;
RESET session_replication_role;
UPDATE ledger.package SET seq = 9;
DELETE FROM ledger.package;
DELETE FROM ledger.package WHERE false;
TRUNCATE ledger.package;
INSERT INTO ledger.package (package) SELECT package FROM ledger.package WHERE kind = 'energy' ORDER BY seq LIMIT 1 ON CONFLICT DO NOTHING;

-- keys: rotated, revoked, enrolled again
\set who certifier
\set key certifier
:become
SELECT ecert.rotate_key('plant-a', pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem'));
SELECT ecert.rotate_key('plant-a', pg_read_file(:'abs_srcdir' || '/test/keys/plant-c.pub.pem')) IS NOT NULL AS rotated;
\set who plant-a
\set key plant-a
:become
SELECT ecert.append('energy', admission_test.month(21));
\set key plant-c
:become
SELECT ecert.append('energy', admission_test.month(21)) IS NOT NULL AS appended;
-- old packages stay valid
SELECT count(*) FROM ecert.problems();
\set who certifier
\set key certifier
:become
SELECT ecert.revoke_node('plant-a', 'key published by mistake') IS NOT NULL AS revoked;
\set who plant-a
\set key plant-c
:become
SELECT ecert.append('energy', admission_test.month(22));
SELECT count(*) FROM ecert.problems();
\set who certifier
\set key certifier
:become
SELECT node, status, reason, key_count FROM ledger.node ORDER BY node;
SELECT ecert.revoke_node('plant-a', 'twice');
SELECT ecert.enroll('plant-a', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-c.pub.pem'));
SELECT ecert.enroll('plant-a', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/stranger.pub.pem')) IS NOT NULL AS enrolled;
\set who plant-a
\set key stranger
:become
SELECT ecert.append('energy', admission_test.month(22)) IS NOT NULL AS appended;
SELECT count(*) FROM ecert.problems();
-- revoked from a time in the past: what was issued since then becomes a problem that is named
\set who certifier
\set key certifier
:become
SELECT ecert.revoke_node('plant-a', 'stolen an hour ago', now() - interval '1 hour') IS NOT NULL AS revoked;
SELECT kind, count(*), min(problem) LIKE 'node "plant-a" is revoked%' AS said FROM ecert.problems() GROUP BY kind;
-- and stays one when the node is enrolled again
BEGIN;
SELECT ecert.enroll('plant-a', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/buyer.pub.pem')) IS NOT NULL AS enrolled;
SELECT kind, count(*), min(problem) LIKE 'key of node "plant-a" is no longer in use%' AS said FROM ecert.problems() GROUP BY kind;
ROLLBACK;
-- an enrolment that is rolled back leaves nothing in the key cache
BEGIN;
SELECT ecert.enroll('plant-d', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/supplier.pub.pem')) IS NOT NULL AS enrolled;
\set who plant-d
\set key supplier
:become
SELECT ecert.append('energy', admission_test.month(0)) IS NOT NULL AS appended;
ROLLBACK;
SELECT ecert.append('energy', admission_test.month(0));
-- times: issued_at in the future
\set who certifier
\set key certifier
:become
SELECT ecert.rotate_key('plant-b', pg_read_file(:'abs_srcdir' || '/test/keys/buyer.pub.pem'), now() + interval '1 day') IS NOT NULL AS rotated;
\set who plant-b
\set key buyer
:become
SELECT ecert.append('energy', admission_test.month(0));
\set key plant-b
:become
SELECT ecert.append('energy', admission_test.month(0)) IS NOT NULL AS appended;
-- policies that contradict themselves, relations that cannot be
\set who certifier
\set key certifier
:become
SELECT ecert.set_policy(jsonb_set(ecert.policy(), '{coefficients}', (ecert.policy() -> 'coefficients') || (ecert.policy() -> 'coefficients')));
SELECT ecert.set_policy(jsonb_set(ecert.policy(), '{units}', '[{"unit": "MWh", "base": "kWh", "factor": 0}]'));
SELECT ecert.set_policy(jsonb_set(ecert.policy(), '{units}', '[{"unit": "kWh", "base": "MJ", "factor": 3.6}]') || '{"coefficients": [{"source": "x", "unit": "kWh", "kgce": 1}, {"source": "x", "unit": "MJ", "kgce": 1}]}');
SELECT ecert.set_policy(ecert.policy() - 'units');
SELECT ecert.relate('plant-b', 'plant-b', 'peer');
SELECT ecert.relate('plant-b', 'nobody', 'peer');
SELECT ecert.relate('plant-b', 'plant-a', 'friend');
SELECT ecert.relate('plant-b', 'plant-a', 'peer', '2024-02-01', '2024-01-01');
SELECT ecert.append('node', ecert.node_state('plant-b') || jsonb_build_object('keys', jsonb_build_array((ecert.node_state('plant-b') -> 'keys') -> 0)));

-- packages of another ledger, be it of another name or of the same
INSERT INTO admission_test.package SELECT 'of the first ledger', package::bytea FROM ledger.package WHERE issuer = 'plant-b' AND kind = 'energy' AND seq = 0;
DROP SCHEMA ledger CASCADE;
SELECT ecert.create_ledger('other.test') IS NOT NULL AS made;
SELECT ecert.enroll('plant-b', '{applicant,auditor}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-b.pub.pem')) IS NOT NULL AS enrolled;
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'of the first ledger';
DROP SCHEMA ledger CASCADE;
SELECT ecert.create_ledger('admission.test', jsonb_set(ecert.default_policy(), '{certificate,valid_days}', '366')) IS NOT NULL AS made;
-- with a key that counts from the beginning of time, so that only the genesis speaks against the package
SELECT ecert.append('node', jsonb_build_object('node', 'plant-b', 'roles', '["applicant"]'::jsonb, 'status', 'active', 'effective', 0,
    'keys', jsonb_build_array(ecert.key_entry(pg_read_file(:'abs_srcdir' || '/test/keys/plant-b.pub.pem')) || '{"effective": 0}'))) IS NOT NULL AS enrolled;
INSERT INTO ledger.package (package) SELECT bytes::ecert.package FROM admission_test.package WHERE name = 'of the first ledger';
DROP SCHEMA admission_test CASCADE;
DROP SCHEMA ledger CASCADE;
