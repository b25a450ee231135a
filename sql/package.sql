-- The type: conversions, accessors, digits, malformed input; and signing with each sort of key.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
-- a package that was made once, by the signing tool: every accessor
CREATE TEMP TABLE known (package ecert.package);
\set package `cat "$PG_ABS_SRCDIR/test/data/known_package.hex"`
INSERT INTO known VALUES (:'package');
SELECT ecert.issuer(package), ecert.kind(package), ecert.seq(package), ecert.subject(package), ecert.audience(package), ecert.issued_at(package), ecert.period(package), ecert.alg(package) FROM known;
SELECT encode(ecert.kid(package), 'hex') AS kid, encode(ecert.prev(package), 'hex') AS prev FROM known;
SELECT encode(ecert.hash(package), 'hex') AS hash, ecert.hash(package) = digest('\x00'::bytea || package::bytea, 'sha256') AS is_rfc9162_leaf FROM known;
SELECT jsonb_pretty(package::jsonb) FROM known;
SELECT ecert.is_signed_by(package, pg_read_file(:'abs_srcdir' || '/test/keys/plant-a.pub.pem')) AS by_plant_a, ecert.is_signed_by(package, pg_read_file(:'abs_srcdir' || '/test/keys/plant-b.pub.pem')) AS by_plant_b,
       ecert.is_signed_by(package, pg_read_file(:'abs_srcdir' || '/test/keys/plant-es256.pub.pem')) AS by_another_sort FROM known;
SELECT ecert.is_signed_by(package, 'no key') FROM known;
-- the signed bytes are the COSE Sig_structure over header and body
SELECT substring(ecert.signed_bytes(package) FOR 12) = '\x846a5369676e617475726531' AS sig_structure FROM known;
-- equality, grouping, text and bytes back and forth
SELECT package = package::text::ecert.package AS text, package = package::bytea::ecert.package AS bytes, package <> package AS other FROM known;
SELECT count(DISTINCT k.package) FROM known k, generate_series(1, 3);
SELECT count(*) FROM (SELECT package FROM known UNION SELECT package FROM known) AS u;
SELECT count(*) FROM known a JOIN known b ON a.package = b.package;
SELECT package < package AS less, package <= package AS not_more, package > package AS more, package >= package AS not_less FROM known;
-- malformed text and bytes: what, and at which byte
SELECT 'd284'::ecert.package;
SELECT '\xd2840'::ecert.package;
SELECT '\xd28g'::ecert.package;
SELECT '\x'::ecert.package;
SELECT '\xd2845fff'::ecert.package;
SELECT '\xf97e00'::bytea::ecert.package;
SELECT '\xd28440a0a040'::bytea::ecert.package;
SELECT (decode(repeat('00', 65536), 'hex'))::ecert.package;
SELECT overlay(package::bytea placing '\xff' from 30 for 1)::ecert.package FROM known;
-- of every truncation, and of every change of a byte, none is taken for the same package; a crash would end the test
SELECT set_config('ecert_test.key', :'abs_srcdir' || '/test/keys/plant-a.pub.pem', false) IS NOT NULL AS set;
DO $$
DECLARE
    bytes bytea := (SELECT package::bytea FROM known);
    key text := pg_read_file(current_setting('ecert_test.key'));
    tried ecert.package;
    refused int := 0;
    unsigned int := 0;
    taken int := 0;
BEGIN
    FOR i IN 0 .. octet_length(bytes) - 1 LOOP
        FOR change IN 0 .. 3 LOOP
            BEGIN
                tried := CASE change WHEN 0 THEN substring(bytes FOR i) ELSE set_byte(bytes, i, get_byte(bytes, i) # (ARRAY[1, 32, 128])[change]) END::ecert.package;
                IF ecert.is_signed_by(tried, key) THEN taken := taken + 1; ELSE unsigned := unsigned + 1; END IF;
                PERFORM tried::jsonb, ecert.energy_lines(tried), ecert.product_lines(tried), ecert.period(tried), ecert.replaces(tried);
            EXCEPTION WHEN OTHERS THEN
                IF SQLSTATE NOT LIKE 'EC0%' THEN RAISE; END IF;
                refused := refused + 1;
            END;
        END LOOP;
    END LOOP;
    RAISE WARNING 'taken for genuine: %, refused some: %', taken, refused > 0 AND unsigned > 0;
END $$;

-- bodies: jsonb to CBOR and back gives the same document, digits included
SELECT d.doc, ecert.decode_body(ecert.encode_body(d.doc))::text = d.doc::text AS same
  FROM (VALUES ('{}'::jsonb), ('{"a": 1.50, "b": -0.000, "c": 1e18, "d": 9223372036854775807, "e": -9223372036854775808, "f": 0.123456789012345678}'),
               ('{"text": "\u00e9\u4e2d\ud83d\ude00 \"quoted\"", "list": [[], {}, null, true, false, [1, [2, [3]]]], "": "empty key"}'),
               ('{"100000000000000000000000": 100000000000000000000000}')) AS d (doc);
SELECT encode(ecert.encode_body('{"bb": 2, "a": 1.50, "ccc": [true, null, -1]}'), 'hex');
SELECT ecert.encode_body('{"a": 0.1234567890123456789}');
SELECT ecert.encode_body('{"a": 12345678901234567890.5}');
SELECT ecert.encode_body('[1]');
SELECT ecert.encode_body(('{"a": ' || repeat('[', 16) || repeat(']', 16) || '}')::jsonb);
SELECT ecert.encode_body(jsonb_build_object('a', repeat('x', 70000)));
SELECT ecert.decode_body('\xa1616100ff');
SELECT ecert.decode_body('\xa2616200616100');
SELECT ecert.decode_body('\xa161611800');
SELECT ecert.decode_body('\xa16161f90000');
SELECT ecert.decode_body('\xa1616140');
SELECT ecert.decode_body('\xa10000');
SELECT ecert.decode_body('\x80');

-- signing: Ed25519, ES256, SM2, and a key with a passphrase
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''who'' || ''.pem'', false) IS NOT NULL AS has_key;'
\set VERBOSITY sqlstate
\set who certifier
:become
SELECT ecert.create_ledger('package.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant}', pg_read_file(:'abs_srcdir' || '/test/keys/' || n || '.pub.pem'))) FROM unnest(ARRAY['plant-a', 'plant-es256', 'plant-sm2', 'plant-encrypted']) AS n;
\set energy '{"period": [0, 86400], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}'
\set who plant-a
:become
SELECT ecert.append('energy', :'energy') IS NOT NULL AS appended;
\set who plant-es256
:become
SELECT ecert.append('energy', :'energy') IS NOT NULL AS appended;
\set who plant-sm2
:become
SELECT ecert.append('energy', :'energy') IS NOT NULL AS appended;
\set who plant-encrypted
:become
SELECT ecert.append('energy', :'energy');
SET ecert.signing_key_passphrase_command = 'echo wrong';
SELECT ecert.append('energy', :'energy');
SET ecert.signing_key_passphrase_command = 'exit 1';
SELECT ecert.append('energy', :'energy');
SET ecert.signing_key_passphrase_command = 'echo correct horse';
SELECT ecert.append('energy', :'energy') IS NOT NULL AS appended;
RESET ecert.signing_key_passphrase_command;
SET ecert.signing_key = '/nowhere/key.pem';
SELECT ecert.append('energy', :'energy');
SET ecert.signing_key = '';
SELECT ecert.append('energy', :'energy');
SELECT issuer, ecert.alg(package), ecert.is_signed_by(package, pg_read_file(:'abs_srcdir' || '/test/keys/' || issuer || '.pub.pem')) AS by_its_key
  FROM ledger.package WHERE kind = 'energy' ORDER BY issuer;
SELECT * FROM ecert.problems();
-- binary COPY, out and in again
BEGIN;
CREATE TEMP TABLE copied (package ecert.package);
COPY ledger.package (package) TO PROGRAM 'cat > "$PWD/ecert_copy_test.bin"' (FORMAT binary);
COPY copied FROM PROGRAM 'cat "$PWD/ecert_copy_test.bin"; rm "$PWD/ecert_copy_test.bin"' (FORMAT binary);
SELECT count(*) AS copied FROM copied c JOIN ledger.package p ON p.package = c.package;
ROLLBACK;
DROP SCHEMA ledger CASCADE;
