-- Keys, relations and policies inside transactions: what is taken back, whole or to a savepoint, is forgotten by this session at once.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''key'' || ''.pem'', false) IS NOT NULL AS has_key;'
\set energy 'SELECT ecert.append(''energy'', jsonb_build_object(''period'', jsonb_build_array(:month * 86400, (:month + 1) * 86400), ''lines'', ''[{"source": "electricity", "unit": "kWh", "quantity": 1.50}]''::jsonb)) IS NOT NULL AS appended;'
\set who certifier
\set key certifier
:become
SELECT ecert.create_ledger('registry.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant,auditor}', pg_read_file(:'abs_srcdir' || '/test/keys/' || n || '.pub.pem'), 'The ' || n)) FROM unnest(ARRAY['plant-a', 'plant-b']) AS n;
-- an enrolment taken back to a savepoint after its key was used: the key is unknown again, in the same transaction and after it
BEGIN;
SAVEPOINT s;
SELECT ecert.enroll('plant-c', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-c.pub.pem')) IS NOT NULL AS enrolled;
\set who plant-c
\set key plant-c
\set month 0
:become
:energy
ROLLBACK TO s;
:become
:energy
ROLLBACK;
:become
:energy
-- a rotation taken back: the old key signs again, the new one does not
\set who certifier
\set key certifier
:become
BEGIN;
SAVEPOINT s;
SELECT ecert.rotate_key('plant-a', pg_read_file(:'abs_srcdir' || '/test/keys/buyer.pub.pem')) IS NOT NULL AS rotated;
\set who plant-a
\set key buyer
:become
:energy
ROLLBACK TO s;
\set key plant-a
:become
:energy
COMMIT;
\set key buyer
\set month 1
:become
:energy
-- a revocation taken back: the node goes on
\set who certifier
\set key certifier
:become
BEGIN;
SAVEPOINT s;
SELECT ecert.revoke_node('plant-a', 'by mistake') IS NOT NULL AS revoked;
\set who plant-a
\set key plant-a
:become
SAVEPOINT t;
:energy
ROLLBACK TO s;
:become
:energy
COMMIT;
-- a policy taken back: what it could not convert is converted again
\set who certifier
\set key certifier
:become
BEGIN;
SELECT ecert.set_policy(jsonb_set(ecert.policy(), '{coefficients}', '[{"source": "peat", "unit": "t", "kgce": 300}]')) IS NOT NULL AS set;
\set who plant-b
\set key plant-b
\set month 0
:become
SAVEPOINT s;
:energy
ROLLBACK;
:become
:energy
-- several savepoints deep, one released and one taken back
\set who certifier
\set key certifier
:become
BEGIN;
SAVEPOINT a;
SELECT ecert.relate('plant-b', 'plant-a', 'upstream', '2024-01-01') IS NOT NULL AS related;
SAVEPOINT b;
SELECT ecert.relate('plant-a', 'plant-b', 'peer', '2024-01-01', '2025-01-01') IS NOT NULL AS related;
RELEASE b;
SAVEPOINT c;
SELECT ecert.relate('plant-a', 'plant-b', 'downstream', '2024-01-01') IS NOT NULL AS related;
ROLLBACK TO c;
COMMIT;
SELECT auditor, applicant, as_role, valid_from, valid_to FROM ledger.relation ORDER BY auditor;
SELECT node, name, status, key_count FROM ledger.node ORDER BY node;
SELECT issuer, kind, count(*), max(seq) AS head FROM ledger.package GROUP BY issuer, kind ORDER BY issuer, kind;
SELECT * FROM ecert.problems();
DROP SCHEMA ledger CASCADE;
