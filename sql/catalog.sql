-- What the extension shows to the outside: comments, privileges, types that BI tools can read.
\getenv abs_srcdir PG_ABS_SRCDIR
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
\set keys_sql :abs_srcdir '/test/keys/keys.sql'
\set ECHO none
\i :keys_sql
\set ECHO all
DROP SCHEMA IF EXISTS ledger CASCADE;
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key;
SELECT ecert.create_ledger('catalog.test') IS NOT NULL AS made;
-- every function, type, operator, table, view and column has a comment
SELECT p.oid::regprocedure AS uncommented FROM pg_proc p WHERE p.pronamespace = 'ecert'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT t.oid::regtype AS uncommented FROM pg_type t WHERE t.typnamespace = 'ecert'::regnamespace AND t.typtype = 'b' AND t.typelem = 0 AND obj_description(t.oid, 'pg_type') IS NULL;
SELECT o.oid::regoperator AS uncommented FROM pg_operator o WHERE o.oprnamespace = 'ecert'::regnamespace AND obj_description(o.oid, 'pg_operator') IS NULL;
SELECT c.oid::regclass AS uncommented FROM pg_class c WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL;
SELECT c.oid::regclass || '.' || a.attname AS uncommented FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'v') AND col_description(c.oid, a.attnum) IS NULL ORDER BY 1;
SELECT name FROM pg_settings WHERE name LIKE 'ecert.%' AND short_desc = '';
-- views have plain types only, and numerics say their precision
SELECT c.relname || '.' || a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'v'
   AND (a.atttypid NOT IN ('text'::regtype, 'bigint'::regtype, 'integer'::regtype, 'boolean'::regtype, 'date'::regtype, 'timestamptz'::regtype, 'numeric'::regtype)
        OR a.atttypid = 'numeric'::regtype AND a.atttypmod = -1) ORDER BY 1;
-- the views that tools are promised
SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'v' ORDER BY relname COLLATE "C";
-- PUBLIC may call nothing that writes or signs
SELECT p.oid::regprocedure AS callable FROM pg_proc p
 WHERE p.pronamespace = 'ecert'::regnamespace AND p.provolatile = 'v' AND p.prorettype <> 'trigger'::regtype AND has_function_privilege('public', p.oid, 'EXECUTE');
-- functions that read the ledger do not depend on the caller's search_path: they set it, or are parsed when made, or are C, or
-- name the schema of every operator because they must be inlined
SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace = 'ecert'::regnamespace AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
   AND NOT coalesce(array_to_string(p.proconfig, ' ') LIKE '%search_path=pg_catalog, pg_temp%', false) ORDER BY 1;
-- bodies are parsed under the caller's standard_conforming_strings: a backslash stands in E'' alone, or in a comment
SELECT p.oid::regprocedure AS backslash FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace IN ('ecert'::regnamespace, 'ecert_internal'::regnamespace) AND l.lanname IN ('sql', 'plpgsql')
   AND strpos(regexp_replace(regexp_replace(p.prosrc, $$\mE'([^'\\]|\\.|'')*'$$, '', 'g'), '--[^\n]*', '', 'g'), chr(92)) > 0 ORDER BY 1;
-- each C function says itself what it does with NULL: those that are not STRICT are meant to be asked with one
SELECT string_agg(p.proname, ' ' ORDER BY p.proname) AS takes_null FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace IN ('ecert'::regnamespace, 'ecert_internal'::regnamespace) AND l.lanname = 'c' AND NOT p.proisstrict AND p.pronargs > 0;
-- the genesis package follows none, and may be asked about like every other one
SELECT ecert.finding_of(package) IS NULL AS sound FROM ledger.package WHERE kind = 'genesis';
-- settings are checked when they are set
SET ecert.packing_delay = '-1 day';
SET ecert.packing_delay = 'soon';
SET ecert.packing_delay = 'P1DT12H';
SET ecert.packing_delay = '5 days 12:00';
SET ecert.node = E'a\u202eb';
SET ecert.signing_key = E'/etc/a\n/etc/b';
SET ecert.signing_key_passphrase_command = E'echo \x07';
ALTER SYSTEM SET ecert.worker_database = 'a', 'b', 'a';
ALTER SYSTEM SET ecert.worker_interval = -1;
RESET ecert.packing_delay;
-- locks of a class that pg_advisory_lock() has not; t/090_callers.pl has more
SELECT ecert.begin_round('own') AS begun;
SELECT locktype, objsubid, mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid > 2;
-- taken twice by one session it is given back once
SELECT ecert.begin_round('own') AS begun_again;
SELECT FROM ecert.end_round('own');
SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND objsubid > 2;
-- a role that may append and read, and no more
CREATE ROLE ecert_test_clerk;
GRANT USAGE ON SCHEMA ecert, ledger TO ecert_test_clerk;
SET ROLE ecert_test_clerk;
SELECT ecert.enroll('x', '{applicant}', 'y');
SELECT * FROM ledger.package;
INSERT INTO ledger.package (package) VALUES (NULL);
SHOW ecert.signing_key;
SET ecert.signing_key = '/elsewhere';
RESET ROLE;

GRANT INSERT (package) ON ledger.package TO ecert_test_clerk;
GRANT EXECUTE ON FUNCTION ecert.append(text, jsonb, text), ecert.pack_energy(tstzrange, bytea, text) TO ecert_test_clerk;
SELECT ecert.enroll('plant-a', '{applicant}', test_keys.public('plant-a')) IS NOT NULL AS enrolled;
CALL test_keys.be('plant-a');
SET ROLE ecert_test_clerk;
-- to append takes EXECUTE on the function and INSERT of the one column, and nothing to read
SELECT ecert.append('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}') IS NOT NULL AS appended;
SELECT count(*) FROM ledger.package;
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO ecert_test_clerk;
SET ROLE ecert_test_clerk;
SELECT kind, count(*) FROM ledger.package GROUP BY kind ORDER BY kind;
SELECT applicant, source, trim_scale(quantity) AS quantity FROM ledger.energy_use;
-- what reads the ledger's rows without a query needs the same rights
SELECT seq FROM ecert.live_packages('plant-a', 'energy', '[2024-01-01 00:00+00,2024-02-01 00:00+00)');
RESET ROLE;
REVOKE SELECT ON ledger.package FROM ecert_test_clerk;
SET ROLE ecert_test_clerk;
SELECT seq FROM ecert.live_packages('plant-a', 'energy', '[2024-01-01 00:00+00,2024-02-01 00:00+00)');
RESET ROLE;
GRANT SELECT ON ledger.package TO ecert_test_clerk;
SET ecert.allow_ledger_ddl = on;
ALTER TABLE ledger.package ENABLE ROW LEVEL SECURITY;
SET ROLE ecert_test_clerk;
SELECT seq FROM ecert.live_packages('plant-a', 'energy', '[2024-01-01 00:00+00,2024-02-01 00:00+00)');
RESET ROLE;
ALTER TABLE ledger.package DISABLE ROW LEVEL SECURITY;
RESET ecert.allow_ledger_ddl;
SET ROLE ecert_test_clerk;
UPDATE ledger.package SET seq = 1;
UPDATE ledger.feed SET kind = 'x';
DELETE FROM ledger.package;
-- objects of one's own before everything else change nothing
RESET ROLE;
CREATE SCHEMA ecert_test_trap AUTHORIZATION ecert_test_clerk;
SET ROLE ecert_test_clerk;
CREATE FUNCTION ecert_test_trap.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE OPERATOR ecert_test_trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = ecert_test_trap.trap);
CREATE FUNCTION ecert_test_trap.lower(tstzrange) RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE FUNCTION ecert_test_trap.jsonb_array_elements(jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
SET search_path = ecert_test_trap, pg_catalog;
SELECT ecert.append('energy', '{"period": [1706745600, 1709251200], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 2}]}') IS NOT NULL AS appended;
SELECT saving_kgce, status FROM ecert.assess('plant-a', '[2024-02-01 00:00+00,2024-03-01 00:00+00)', '[2024-01-01 00:00+00,2024-02-01 00:00+00)');
SELECT count(*) FROM ecert.live_packages('plant-a', 'energy', '[2024-01-01 00:00+00,2025-01-01 00:00+00)');
SELECT count(*) FROM ecert.coefficients(ecert.policy());
SELECT obstacle FROM ecert.obstacles('plant-a', '[2024-02-01 00:00+00,2024-03-01 00:00+00)') ORDER BY obstacle COLLATE "C";
RESET search_path;
RESET ROLE;
DROP SCHEMA ecert_test_trap CASCADE;
DROP SCHEMA ledger CASCADE;
DROP OWNED BY ecert_test_clerk;
DROP ROLE ecert_test_clerk;
