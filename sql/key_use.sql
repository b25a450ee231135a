-- Keys have a use: packages, seals and cosignatures are signed with keys of their own.
\getenv abs_srcdir PG_ABS_SRCDIR
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
DROP SCHEMA IF EXISTS key_test CASCADE;
CREATE SCHEMA key_test;
SET TimeZone = 'UTC';
SELECT set_config('key_test.keys', :'abs_srcdir' || '/test/keys/', false) AS keys \gset
CREATE FUNCTION key_test.file(name text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN name <> '' THEN current_setting('key_test.keys') || name || '.pem' ELSE '' END $$;
CREATE FUNCTION key_test.public(name text) RETURNS text LANGUAGE sql AS $$ SELECT pg_read_file(current_setting('key_test.keys') || name || '.pub.pem') $$;
-- a node with its keys for packages, seals and cosignatures
CREATE FUNCTION key_test.become(node text, signing text, seal text DEFAULT '', witness text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT set_config('ecert.node', node, false), set_config('ecert.signing_key', key_test.file(signing), false),
           set_config('ecert.seal_key', key_test.file(seal), false), set_config('ecert.witness_key', key_test.file(witness), false);
    SELECT node $$;
CREATE FUNCTION key_test.append_to_node(node text, what jsonb) RETURNS boolean LANGUAGE sql AS $$ SELECT ecert.append('node', ecert.node_state(node) || what, node) IS NOT NULL $$;

-- whoever makes a ledger needs two keys, and is told how to make the second
SELECT key_test.become('certifier', 'certifier');
\set VERBOSITY default
SELECT ecert.create_ledger('keys.test');
\set VERBOSITY terse
SELECT key_test.become('certifier', 'certifier', 'nowhere');
SELECT ecert.create_ledger('keys.test');
SELECT key_test.become('certifier', 'certifier', 'certifier');
SELECT ecert.create_ledger('keys.test');
SELECT key_test.become('certifier', 'certifier', 'seal');
SELECT ecert.create_ledger('keys.test', ecert.default_policy()) IS NOT NULL AS made;
SELECT ecert.public_key('seal') = key_test.public('seal') AS of_seals, ecert.public_key() = key_test.public('certifier') AS of_packages, ecert.public_key('witness') AS of_cosignatures;
SELECT ecert.public_key('open');
SELECT k ->> 'use' AS use, k ->> 'kid' = ecert.key_entry(ecert.public_key(k ->> 'use')) ->> 'kid' AS is_this_servers FROM jsonb_array_elements(ecert.node_state('certifier') -> 'keys') AS k;
SELECT key_kid = ecert.key_entry(ecert.public_key()) ->> 'kid' AS is_the_key_for_packages, key_count FROM ledger.node;

-- auditors that cosign have a second key too; one key has one use
SELECT ecert.enroll('buyer', '{auditor}', key_test.public('buyer'), witness_key => key_test.public('buyer'));
SELECT ecert.enroll('buyer', '{auditor}', key_test.public('buyer'), witness_key => key_test.public('seal'));
SELECT ecert.enroll('buyer', '{auditor}', key_test.public('buyer'), 'The buyer', key_test.public('buyer-witness')) IS NOT NULL AS enrolled;
SELECT ecert.enroll('supplier', '{auditor}', key_test.public('supplier')) IS NOT NULL AS enrolled;
SELECT n.node, k ->> 'use' AS use FROM ledger.node n CROSS JOIN LATERAL jsonb_array_elements(ecert.node_state(n.node) -> 'keys') AS k ORDER BY 1, 2;
-- what a key is for does not change
SELECT key_test.append_to_node('buyer', jsonb_build_object('keys', jsonb_set(ecert.node_state('buyer') -> 'keys', '{1,use}', '"package"')));
-- uses and roles of later versions are not malformed
SELECT key_test.append_to_node('buyer', jsonb_build_object('keys', jsonb_set(ecert.node_state('buyer') -> 'keys', '{1,use}', '"open"')));
SELECT key_test.append_to_node('buyer', jsonb_build_object('keys', jsonb_set(ecert.node_state('buyer') -> 'keys', '{1,use}', '"any"')));
SELECT key_test.append_to_node('buyer', '{"roles": ["auditor", "observer"]}');
SELECT key_test.append_to_node('buyer', '{"roles": ["overseer"]}');

-- seals are by the key for seals, and so are receipts and notes
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT ecert.verify_receipt(p.package, ecert.receipt(p.hash), key_test.public('seal')) AS under_the_seal_key, ecert.verify_receipt(p.package, ecert.receipt(p.hash), key_test.public('certifier')) AS under_that_of_packages
  FROM ledger.package p WHERE p.kind = 'genesis';
SELECT (ecert.read_note(ecert.body(p.package) ->> 'note')).is_signed FROM ledger.package p WHERE p.kind = 'checkpoint';
CREATE TABLE key_test.checkpoint AS SELECT ecert.body(package)::jsonb AS body, hash FROM ledger.package WHERE kind = 'checkpoint';
SELECT ecert.append('checkpoint', body || '{"tree": 2}') FROM key_test.checkpoint;
SELECT ecert.append('checkpoint', jsonb_set(body, '{seals}', (body -> 'seals') || (body -> 'seals'))) FROM key_test.checkpoint;
SELECT ecert.append('checkpoint', jsonb_set(body, '{seals,0,alg}', '-9')) FROM key_test.checkpoint;
-- with the key for packages, or a key of somebody else
SELECT key_test.become('certifier', 'certifier', 'certifier');
SELECT ecert.enroll('plant', '{applicant}', key_test.public('plant-a')) IS NOT NULL AS enrolled;
\set VERBOSITY default
SELECT ecert.checkpoint();
\set VERBOSITY terse
SELECT key_test.become('certifier', 'certifier', 'stranger');
SELECT ecert.checkpoint();
-- and packages are not by the key for seals
SELECT key_test.become('certifier', 'seal', 'seal');
\set VERBOSITY default
SELECT ecert.set_policy(ecert.default_policy());
\set VERBOSITY terse
SELECT ecert.checkpoint();

-- a witness without such a key does not cosign; with one that nobody enrolled it is told
SELECT key_test.become('buyer', 'buyer', '', '');
SELECT key_test.become('supplier', 'supplier', '', 'supplier-witness');
\set VERBOSITY default
SELECT ecert.witness();
\set VERBOSITY terse
SELECT key_test.become('supplier', 'supplier');
SELECT ecert.witness() IS NOT NULL AS witnessed;
SELECT key_test.become('buyer', 'buyer', '', 'buyer-witness');
SELECT ecert.witness() IS NOT NULL AS witnessed;
SELECT witness, cosignature IS NOT NULL AS cosigned FROM ledger.witness ORDER BY witness;
SELECT ecert.note_key('buyer') IS NOT NULL AS of_who_cosigns, ecert.note_key('supplier') IS NOT NULL AS of_who_does_not;
-- a cosignature with the key for packages
SELECT key_test.become('buyer', 'buyer', '', 'buyer');
SELECT ecert.append('witness', ecert.body(w.package)::jsonb || jsonb_build_object('cosignature', ecert.cosign((c.body ->> 'size')::bigint, decode(c.body ->> 'root', 'hex'), 1)))
  FROM ledger.package w CROSS JOIN key_test.checkpoint c WHERE w.kind = 'witness' AND w.issuer = 'buyer';
-- a witness gets its first such key later
SELECT key_test.become('certifier', 'certifier', 'seal');
SELECT ecert.rotate_key('supplier', key_test.public('supplier-witness'), use => 'witness') IS NOT NULL AS given;
SELECT ecert.rotate_key('supplier', key_test.public('supplier-witness'), use => 'open');
SELECT k ->> 'use' AS use, k ? 'until' AS has_ended FROM jsonb_array_elements(ecert.node_state('supplier') -> 'keys') AS k;

-- a new key for seals ends the one before, and no other
SELECT ecert.note_key() AS before_key \gset
SELECT ecert.rotate_key('certifier', key_test.public('stranger'), use => 'seal') IS NOT NULL AS rotated;
SELECT k ->> 'use' AS use, k ? 'until' AS has_ended FROM jsonb_array_elements(ecert.node_state('certifier') -> 'keys') AS k;
SELECT ecert.note_key() <> :'before_key' AS note_key_is_new;
DO $$ BEGIN PERFORM pg_sleep(2.1); END $$;
SELECT ecert.checkpoint();
SELECT key_test.become('certifier', 'certifier', 'stranger');
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT ecert.verify_receipt(p.package, ecert.receipt(p.hash), key_test.public('stranger')) AS under_the_new_key FROM ledger.package p WHERE p.kind = 'genesis';
SELECT key_test.become('supplier', 'supplier', '', 'supplier-witness');
SELECT ecert.witness() IS NOT NULL AS witnessed;
SELECT witness, count(cosignature) AS cosignatures FROM ledger.witness GROUP BY witness ORDER BY witness;
SELECT * FROM ecert.problems();

-- where they come from a peer in another order, checkpoints and cosignatures wait for the keys that they are signed with
CREATE TABLE key_test.package AS SELECT issuer, kind, seq, package::bytea AS bytes FROM ledger.package;
DROP SCHEMA ledger CASCADE;
SELECT set_config('ecert.node', 'reader', false) AS node;
SELECT ecert.join_ledger(bytes::ecert.package) FROM key_test.package WHERE kind = 'genesis';
SELECT issuer, kind, seq, ecert.admit_from_peer(bytes, 'hub') AS became FROM key_test.package WHERE kind = 'checkpoint' ORDER BY seq;
SELECT issuer, kind, seq, waits_for FROM ledger.pending ORDER BY issuer, kind, seq;
SELECT issuer, seq, ecert.admit_from_peer(bytes, 'hub') AS became FROM key_test.package WHERE kind = 'node' AND seq < 3 ORDER BY seq;
SELECT issuer, seq, ecert.admit_from_peer(bytes, 'hub') AS became FROM key_test.package WHERE kind = 'witness' ORDER BY issuer, seq;
SELECT issuer, kind, seq, waits_for FROM ledger.pending ORDER BY issuer, kind, seq;
SELECT issuer, seq, ecert.admit_from_peer(bytes, 'hub') AS became FROM key_test.package WHERE kind = 'node' AND seq >= 3 ORDER BY seq;
SELECT issuer, kind, seq FROM ledger.pending UNION ALL SELECT issuer, kind, seq FROM ledger.quarantine;
SELECT count(*) = (SELECT count(*) FROM key_test.package) AS all_are_here FROM ledger.package;
SELECT * FROM ecert.problems();
DROP SCHEMA key_test CASCADE;
