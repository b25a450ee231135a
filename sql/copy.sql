-- Packages signed ahead come in by COPY, text or binary, all or none.
\getenv abs_srcdir PG_ABS_SRCDIR
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
\set keys_sql :abs_srcdir '/test/keys/keys.sql'
\set ECHO none
\i :keys_sql
\set ECHO all
DROP SCHEMA IF EXISTS ledger CASCADE;
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key;
SELECT ecert.create_ledger('copy.test') IS NOT NULL AS made;
SELECT ecert.enroll('plant-a', '{applicant}', test_keys.public('plant-a')) IS NOT NULL AS enrolled;
CALL test_keys.be('plant-a');
-- twenty days, signed ahead and taken back
BEGIN;
SELECT count(ecert.append('energy', jsonb_build_object('period', jsonb_build_array(n * 86400, (n + 1) * 86400), 'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1.50}]'::jsonb))) FROM generate_series(1, 20) AS n;
COPY (SELECT package FROM ledger.package WHERE kind = 'energy' ORDER BY seq) TO PROGRAM 'cat > "$PWD/ecert_copy_test.txt"';
COPY (SELECT package FROM ledger.package WHERE kind = 'energy' ORDER BY seq) TO PROGRAM 'cat > "$PWD/ecert_copy_test.bin"' (FORMAT binary);
ROLLBACK;
-- a last row that is no package, one that is there already, one missing in the middle, the wrong order: nothing stays
COPY ledger.package (package) FROM PROGRAM 'cat "$PWD/ecert_copy_test.txt"; echo d284';
COPY ledger.package (package) FROM PROGRAM 'cat "$PWD/ecert_copy_test.txt"; head -n 1 "$PWD/ecert_copy_test.txt"';
COPY ledger.package (package) FROM PROGRAM 'sed 10d "$PWD/ecert_copy_test.txt"';
COPY ledger.package (package) FROM PROGRAM 'tac "$PWD/ecert_copy_test.txt"';
SELECT count(*) FROM ledger.package WHERE kind = 'energy';
-- whole it comes in: in binary form, taken back, and then as text in two halves
BEGIN;
COPY ledger.package (package) FROM PROGRAM 'cat "$PWD/ecert_copy_test.bin"' (FORMAT binary);
SELECT count(*), max(seq) AS head FROM ledger.package WHERE kind = 'energy';
ROLLBACK;
COPY ledger.package (package) FROM PROGRAM 'head -n 10 "$PWD/ecert_copy_test.txt"';
COPY ledger.package (package) FROM PROGRAM 'tail -n 10 "$PWD/ecert_copy_test.txt"; rm "$PWD/ecert_copy_test.txt" "$PWD/ecert_copy_test.bin"';
SELECT count(*), max(seq) AS head FROM ledger.package WHERE kind = 'energy';
SELECT * FROM ecert.problems();
DROP SCHEMA ledger CASCADE;
