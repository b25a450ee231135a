-- Strict form of signatures, and algorithms: an ES256 signature has one form, -8 and -7 are read as -19 and -9, others are not supported.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal-es256.pem', false) AS seal_key \gset
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
CREATE SCHEMA strict_test;
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''who'' || ''.pem'', false) IS NOT NULL AS has_key;'
-- n - s in the place of the s that the bytes end with, as anybody can write it
CREATE FUNCTION strict_test.turn_over(bytes bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    n constant bytea := '\xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551';
    digit integer;
    borrow integer := 0;
BEGIN
    FOR i IN REVERSE 31..0 LOOP
        digit := get_byte(n, i) - get_byte(bytes, octet_length(bytes) - 32 + i) - borrow;
        borrow := (digit < 0)::integer;
        bytes := set_byte(bytes, octet_length(bytes) - 32 + i, digit & 255);
    END LOOP;
    RETURN bytes;
END $$;
-- a ledger whose certifier has an ES256 key
\set who plant-es256
:become
SELECT ecert.create_ledger('strict.test') IS NOT NULL AS made;
SELECT ecert.enroll('plant-a', '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem')) IS NOT NULL AS enrolled;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
CREATE TABLE strict_test.package AS SELECT kind, package::bytea AS bytes, strict_test.turn_over(package::bytea) AS twin FROM ledger.package;
-- the twin is no package, wherever it comes from
SELECT ecert.package(twin) FROM strict_test.package WHERE kind = 'checkpoint';
SELECT kind, ecert.is_equivocation(bytes, twin) AS convicts, ecert.admit_from_peer(twin, 'hub') AS became, strict_test.turn_over(twin) = bytes AS turned_back
  FROM strict_test.package ORDER BY kind COLLATE "C";
SELECT sqlstate, regexp_replace(reason, 'byte [0-9]+', 'byte <n>') AS reason, count(*) FROM ledger.quarantine GROUP BY 1, 2;
SELECT ecert.compare_checkpoint(twin) FROM strict_test.package WHERE kind = 'checkpoint';
-- the rest of the ledger is sound, and nobody is accused
SELECT * FROM ecert.problems();
SELECT count(*) AS stories FROM ledger.equivocation;
SELECT outcome FROM ledger.checkpoint;
SELECT ecert.admit_from_peer(bytes, 'hub') AS became, count(*) FROM strict_test.package GROUP BY 1;
-- a seal has the same strict form
SELECT ecert.append('checkpoint', jsonb_set(c.body, '{seals,0,signature}', to_jsonb(encode(strict_test.turn_over(decode(c.body #>> '{seals,0,signature}', 'hex')), 'hex'))))
  FROM (SELECT ecert.body(package)::jsonb AS body FROM ledger.package WHERE kind = 'checkpoint') AS c;
-- -7 is read as -9, also in a key that a later node package repeats
SELECT ecert.alg(ecert.package(set_byte(bytes, 6, 38))) AS alg, get_byte(bytes, 6) = 40 AS is_written_as_9 FROM strict_test.package WHERE kind = 'node';
SELECT ecert.append('node', jsonb_set(ecert.node_state('plant-a'), '{keys,0,alg}', '-8'), 'plant-a') IS NOT NULL AS repeated;
SELECT ecert.rotate_key('plant-a', pg_read_file(:'abs_srcdir' || '/test/keys/plant-b.pub.pem')) IS NOT NULL AS rotated;
SELECT k ->> 'alg' AS alg FROM jsonb_array_elements(ecert.node_state('plant-a') -> 'keys') AS k;
-- others are not supported, which is not the same as malformed
SELECT ecert.package(set_byte(bytes, 6, 55)) FROM strict_test.package WHERE kind = 'node';
SELECT ecert.admit_from_peer(set_byte(bytes, 6, 55), 'hub') AS became FROM strict_test.package WHERE kind = 'node';
SELECT sqlstate, reason FROM ledger.quarantine WHERE sqlstate <> 'EC001';
SELECT ecert.append('node', jsonb_set(ecert.node_state('plant-a'), '{keys,0,alg}', '-49'), 'plant-a');
SELECT ecert.append('node', jsonb_set(ecert.node_state('plant-a'), '{keys,0,public}', '"0011"'), 'plant-a');
-- one public key belongs to one node: not to another too, be it of the certifier or one that was given up, and has one use
SELECT ecert.enroll('mine', '{auditor}', pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem'));
SELECT ecert.enroll('mine', '{auditor}', ecert.public_key());
SELECT ecert.enroll('mine', '{auditor}', pg_read_file(:'abs_srcdir' || '/test/keys/supplier.pub.pem')) IS NOT NULL AS enrolled;
SELECT ecert.rotate_key('mine', pg_read_file(:'abs_srcdir' || '/test/keys/plant-b.pub.pem'));
SELECT ecert.append('node', jsonb_set(s.state, '{keys}', (s.state -> 'keys') || (s.state -> 'keys')), 'mine') FROM ecert.node_state('mine') AS s (state);
SELECT array_length(ecert.kids(package), 1) AS keys FROM ledger.package WHERE kind = 'node' ORDER BY seq DESC LIMIT 1;
-- one that got onto the ledger all the same is named; what repeats the key is not
CREATE FUNCTION strict_test.slip_in(body jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p ecert.package := ecert.sign('node', body);
BEGIN
    ALTER TABLE ledger.package DISABLE TRIGGER USER;
    INSERT INTO ledger.package VALUES (ecert.issuer(p), ecert.kind(p), ecert.seq(p), ecert.subject(p), ecert.period(p), ecert.issued_at(p), ecert.hash(p), p, now());
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_statement;
END $$;
SELECT strict_test.slip_in(jsonb_build_object('node', 'works', 'roles', '["applicant"]'::jsonb, 'status', 'active', 'effective', 0,
    'keys', jsonb_build_array(ecert.key_entry(pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem')) || '{"effective": 0}')));
SELECT strict_test.slip_in(jsonb_build_object('node', 'works', 'roles', '["applicant","auditor"]'::jsonb, 'status', 'active', 'effective', 0,
    'keys', jsonb_build_array(ecert.key_entry(pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem')) || '{"effective": 0}')));
SELECT * FROM ecert.problems();
-- the question goes by its index
SET enable_seqscan = off;
SET plan_cache_mode = force_generic_plan;
PREPARE holder AS SELECT p.subject FROM ledger.package p WHERE ecert.kids(p.package) @> ARRAY[$1::bytea];
EXPLAIN (COSTS OFF) EXECUTE holder ('\x00');
RESET plan_cache_mode;
RESET enable_seqscan;
-- one value has one form, as far as its digits are kept
SELECT n, ecert.encode_body(jsonb_build_object('a', n)) AS bytes, ecert.decode_body(ecert.encode_body(jsonb_build_object('a', n))) AS again
  FROM unnest('{5, 5.0, 1e3, 1250.50, 9223372036854775807, 922337203685477581e1, 1e20, -1e27, 0.000}'::numeric[]) AS n;
SELECT ecert.decode_body('\xa16161c4820005');
SELECT ecert.decode_body('\xa16161c4820105');
SELECT ecert.decode_body('\xa161611b8000000000000000');
SELECT ecert.decode_body('\xa16161626100');
-- nothing unseen in an id
SELECT ecert.append('node', jsonb_set(ecert.node_state('plant-a'), '{node}', to_jsonb(E'plant\u202e-a'::text)), 'plant-a');
SET ecert.node = E'plant\u200b-a';
DROP SCHEMA strict_test CASCADE;
DROP SCHEMA ledger CASCADE;
