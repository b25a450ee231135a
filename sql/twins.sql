-- Of two stories under one seq a node holds the first that comes, until a checkpoint covers the other one: then it has that, whatever came first.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
CREATE SCHEMA twins_test;
SELECT set_config('twins_test.keys', :'abs_srcdir' || '/test/keys/', false) IS NOT NULL AS keys;
CREATE FUNCTION twins_test.become(node text, key text) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('ecert.node', node, false), set_config('ecert.signing_key', current_setting('twins_test.keys') || key || '.pem', false) $$;
CREATE FUNCTION twins_test.key(key text) RETURNS text LANGUAGE sql AS $$ SELECT pg_read_file(current_setting('twins_test.keys') || key || '.pub.pem') $$;

-- what an issuer has signed: the story that the certifier seals, and others
CREATE TABLE twins_test.package (n bigint GENERATED ALWAYS AS IDENTITY, story text, bytes bytea);
-- energy of so many days, signed and put on the ledger; told is undone again when its packages have been written down
CREATE PROCEDURE twins_test.tell(told text, first_day date, days integer, quantity numeric) LANGUAGE plpgsql AS $$
DECLARE
    signed bytea[];
BEGIN
    BEGIN
        PERFORM ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(d, d + interval '1 day')),
                                                          'lines', jsonb_build_array(jsonb_build_object('source', 'electricity', 'unit', 'kWh', 'quantity', quantity))))
           FROM generate_series(first_day::timestamptz, first_day + (days - 1) * interval '1 day', interval '1 day') AS d;
        signed := ARRAY(SELECT p.package::bytea FROM ledger.package p WHERE p.issuer = ecert.this_node() AND p.kind = 'energy' ORDER BY p.seq DESC LIMIT days);
        IF told IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'TW001';
        END IF;
    EXCEPTION WHEN SQLSTATE 'TW001' THEN
    END;
    INSERT INTO twins_test.package (story, bytes) SELECT told, s FROM unnest(signed) WITH ORDINALITY AS s (s, place) WHERE told IS NOT NULL ORDER BY place DESC;
END $$;

SELECT FROM twins_test.become('certifier', 'certifier');
SELECT ecert.create_ledger('twins.test', ecert.default_policy()) IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant}', twins_test.key(k))) FROM (VALUES ('plant', 'plant-a'), ('mine', 'plant-c')) AS e (n, k);
SELECT FROM twins_test.become('plant', 'plant-a');
CALL twins_test.tell(NULL, '2025-01-01', 2, 100);
CALL twins_test.tell('other', '2025-01-03', 3, 7);
CALL twins_test.tell('third', '2025-01-03', 1, 8);
CALL twins_test.tell(NULL, '2025-01-03', 1, 100);
CALL twins_test.tell('branch', '2025-01-04', 2, 9);
CALL twins_test.tell(NULL, '2025-01-04', 5, 100);
SELECT FROM twins_test.become('mine', 'plant-c');
CALL twins_test.tell('mine', '2025-01-01', 2, 3);
CALL twins_test.tell(NULL, '2025-01-01', 3, 200);
SELECT FROM twins_test.become('certifier', 'certifier');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT FROM twins_test.become('plant', 'plant-a');
CALL twins_test.tell('late', '2025-01-09', 2, 5);
CALL twins_test.tell(NULL, '2025-01-09', 3, 100);
SELECT FROM twins_test.become('certifier', 'certifier');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
INSERT INTO twins_test.package (story, bytes) SELECT NULL, p.package::bytea FROM ledger.package p ORDER BY recorded_at, issuer, kind, seq;
SELECT coalesce(story, 'sealed') AS story, count(*) FROM twins_test.package GROUP BY 1 ORDER BY 1;

-- another node, which the packages reach in that order
CREATE FUNCTION twins_test.fill(in_order text, OUT is_sealed boolean, OUT roots text, OUT pending bigint, OUT refused bigint, OUT are_proved boolean, OUT problems bigint)
LANGUAGE plpgsql AS $$
DECLARE
    p record;
BEGIN
    DROP SCHEMA IF EXISTS ledger CASCADE;
    PERFORM ecert.join_ledger((SELECT ecert.package(bytes) FROM twins_test.package WHERE ecert.kind(bytes::ecert.package) = 'genesis'));
    FOR p IN SELECT t.bytes FROM (SELECT bytes, n, story, ecert.kind(bytes::ecert.package) AS kind, ecert.seq(bytes::ecert.package) AS seq FROM twins_test.package) AS t
              WHERE t.kind <> 'genesis'
              ORDER BY CASE in_order WHEN 'others first' THEN CASE WHEN t.kind = 'node' THEN 0 WHEN t.story IS NOT NULL THEN 1 ELSE 2 END
                                     WHEN 'checkpoints between' THEN CASE WHEN t.kind = 'node' THEN 0 WHEN t.story IS NOT NULL THEN 1 WHEN t.kind = 'checkpoint' THEN 2 ELSE 3 END
                                     WHEN 'backwards' THEN CASE WHEN t.kind = 'node' THEN 0 WHEN t.story IS NOT NULL THEN 1 WHEN t.kind = 'checkpoint' THEN 2 ELSE 1000 - t.seq END
                                     WHEN 'others last' THEN CASE WHEN t.story IS NULL THEN 0 ELSE 1 END END,
                       CASE WHEN in_order ~ '^[0-9]+$' THEN md5(in_order || t.n) END, t.n LOOP
        PERFORM ecert.admit_from_peer(p.bytes, 'hub');
    END LOOP;
    -- as a round of duties does
    PERFORM ecert.drain_pending();
    PERFORM ecert.take_up_checkpoints();
    SELECT bool_and((l.hash IS NOT NULL) = (t.story IS NULL)) INTO is_sealed FROM twins_test.package t LEFT JOIN ledger.package l ON l.package::bytea = t.bytes;
    SELECT string_agg(s.outcome, ' ' ORDER BY s.checkpoint_seq) INTO roots FROM ledger.sealing s;
    SELECT count(*) INTO pending FROM ledger.pending;
    SELECT count(*) INTO refused FROM ledger.quarantine;
    SELECT count(DISTINCT (issuer, seq)) > 4 INTO are_proved FROM ledger.equivocation;
    SELECT count(*) INTO problems FROM ecert.problems();
END $$;
SELECT FROM twins_test.become('reader', 'plant-b');
SELECT * FROM twins_test.fill('others last');
SELECT * FROM twins_test.fill('others first');
SELECT issuer, kind, seq, sqlstate, count(*) FROM ledger.quarantine GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3;
SELECT * FROM twins_test.fill('checkpoints between');
SELECT * FROM twins_test.fill('backwards');
SELECT bool_and(f.is_sealed) AS is_sealed, string_agg(DISTINCT f.roots, ', ') AS roots, sum(f.pending) AS pending, string_agg(DISTINCT f.refused::text, ', ') AS refused, sum(f.problems) AS problems
  FROM generate_series(1, 6) AS seed CROSS JOIN LATERAL twins_test.fill(seed::text) AS f;
-- nothing is exchanged again, and what was exchanged stays so when it comes again
SELECT ecert.admit_from_peer(bytes, 'hub') AS became, story IS NULL AS is_sealed, count(*) FROM twins_test.package GROUP BY 1, 2 ORDER BY 1, 2;
SELECT ecert.take_up_checkpoints() AS taken_up, (SELECT count(*) FROM ledger.finding) AS findings;
-- a twin in the certifier's feed of nodes, with another key of the node: what was signed with it has no key any more, which is no proof, and stops nobody
SELECT FROM twins_test.become('certifier', 'certifier');
DROP SCHEMA ledger CASCADE;
TRUNCATE twins_test.package;
SELECT ecert.create_ledger('twins.test', ecert.default_policy()) IS NOT NULL AS made;
CREATE FUNCTION twins_test.enroll_other() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    signed bytea[];
BEGIN
    BEGIN
        PERFORM ecert.enroll('plant', '{applicant}', twins_test.key('plant-c'));
        PERFORM twins_test.become('plant', 'plant-c');
        PERFORM ecert.append('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}');
        signed := ARRAY(SELECT p.package::bytea FROM ledger.package p WHERE p.kind <> 'genesis' ORDER BY p.kind DESC);
        RAISE EXCEPTION USING ERRCODE = 'TW001';
    EXCEPTION WHEN SQLSTATE 'TW001' THEN
    END;
    INSERT INTO twins_test.package (story, bytes) SELECT 'other', s FROM unnest(signed) AS s;
END $$;
SELECT FROM twins_test.enroll_other();
SELECT ecert.enroll('plant', '{applicant}', twins_test.key('plant-a')) IS NOT NULL AS enrolled;
SELECT FROM twins_test.become('plant', 'plant-a');
CALL twins_test.tell(NULL, '2025-01-01', 1, 100);
SELECT FROM twins_test.become('certifier', 'certifier');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
INSERT INTO twins_test.package (story, bytes) SELECT NULL, p.package::bytea FROM ledger.package p ORDER BY recorded_at, issuer, kind, seq;
SELECT FROM twins_test.become('reader', 'plant-b');
SELECT f.is_sealed, f.roots, f.problems FROM twins_test.fill('others last') AS f;
SELECT kind, seq, waits_for FROM ledger.pending;
DROP SCHEMA ledger CASCADE;
SELECT ecert.join_ledger((SELECT ecert.package(bytes) FROM twins_test.package WHERE ecert.kind(bytes::ecert.package) = 'genesis'));
SELECT coalesce(story, 'sealed') AS story, ecert.kind(bytes::ecert.package) AS kind, ecert.admit_from_peer(bytes, 'hub') AS became FROM (SELECT * FROM twins_test.package ORDER BY n) AS p WHERE ecert.kind(bytes::ecert.package) <> 'genesis';
SELECT ecert.drain_pending() IS NOT NULL AS drained, ecert.take_up_checkpoints() AS taken_up, (SELECT string_agg(outcome, ' ') FROM ledger.sealing) AS roots, (SELECT count(*) FROM ecert.problems()) AS problems;
-- only that way: the ledger stays append-only, before and after
DELETE FROM ledger.package WHERE kind = 'energy';
DROP SCHEMA ledger CASCADE;
DROP SCHEMA twins_test CASCADE;
