-- Which feeds have moved: what a transaction leaves, what keepers are told, what is forgotten, and what nobody may lose.
\getenv abs_srcdir PG_ABS_SRCDIR
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
\set keys_sql :abs_srcdir '/test/keys/keys.sql'
\set ECHO none
\i :keys_sql
\set ECHO all
DROP SCHEMA IF EXISTS ledger CASCADE;
TRUNCATE ecert_internal.moved;
SET TimeZone = 'UTC';
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key;
SELECT set_config('moved_test.key', current_setting('ecert.signing_key'), false) IS NOT NULL AS kept;
SELECT ecert.create_ledger('moved.test') IS NOT NULL AS made;
SELECT count(ecert.enroll('plant ' || n, '{applicant}', test_keys.public('plant ' || n))) AS enrolled FROM generate_series(1, 300) AS n;
CREATE SCHEMA moved_test;
-- the next packages of feeds
CREATE FUNCTION moved_test.put(plants integer[], times integer DEFAULT 1) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plant integer;
    hour bigint;
    made bigint := 0;
BEGIN
    FOREACH plant IN ARRAY plants LOOP
        PERFORM test_keys.become('plant ' || plant, true);
        hour := coalesce((SELECT max(p.seq) + 1 FROM ledger.package p WHERE p.issuer = 'plant ' || plant AND p.kind = 'energy'), 0);
        FOR i IN 1 .. times LOOP
            PERFORM ecert.append('energy', jsonb_build_object('period', jsonb_build_array(1704067200 + 3600 * hour, 1704067200 + 3600 * (hour + 1)),
                                 'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 5}]'::jsonb));
            hour := hour + 1;
            made := made + 1;
        END LOOP;
    END LOOP;
    PERFORM set_config('ecert.node', 'certifier', true), set_config('ecert.signing_key', current_setting('moved_test.key'), true);
    RETURN made;
END $$;
-- rows of this test alone
CREATE VIEW moved_test.rows AS SELECT m.issuer, m.kind, count(*) AS rows, count(DISTINCT m.moved_by) AS transactions FROM ecert_internal.moved m GROUP BY m.issuer, m.kind;
CREATE VIEW moved_test.told AS SELECT m.issuer, m.kind FROM ecert.moved('sealing') AS m;
-- whoever looks at every feed finds the same as who looks at what has moved
CREATE VIEW moved_test.missed AS (SELECT u.* FROM ecert.unsealed() AS u EXCEPT SELECT u.* FROM ecert.unsealed_moved() AS u) UNION ALL (SELECT u.* FROM ecert.unsealed_moved() AS u EXCEPT SELECT u.* FROM ecert.unsealed() AS u);

-- who has never looked is told every feed
SELECT count(*) = (SELECT count(*) FROM ecert.feeds()) AS every_feed FROM moved_test.told;
SELECT ecert.checkpoint() IS NOT NULL AS made;
-- then only what has moved: the checkpoint itself
SELECT * FROM moved_test.told;
SELECT ecert.forget_moved() >= 0 AS done;
SELECT * FROM moved_test.told;
-- one row for each transaction and feed, however many packages
SELECT moved_test.put('{1}', 1000), moved_test.put('{2,3}');
BEGIN;
SELECT moved_test.put('{1}');
SELECT moved_test.put('{2}', 3);
SELECT moved_test.put('{1,2}', 2);
COMMIT;
SELECT * FROM moved_test.rows WHERE issuer LIKE 'plant%' ORDER BY 1, 2;
SELECT * FROM moved_test.told ORDER BY 1, 2;
SELECT * FROM moved_test.missed;
-- COPY of many feeds, several packages of each
SELECT current_setting('data_directory') || '/moved_test.copy' AS path \gset
BEGIN;
SELECT moved_test.put(ARRAY(SELECT generate_series(10, 300)), 2);
COPY (SELECT package FROM ledger.package WHERE kind = 'energy' AND substr(issuer, 7)::integer >= 10 ORDER BY seq, issuer) TO :'path';
ROLLBACK;
SELECT count(*) AS of_what_was_rolled_back FROM moved_test.rows WHERE issuer = 'plant 10';
COPY ledger.package (package) FROM :'path';
SELECT count(*) AS feeds, sum(rows) AS rows, max(transactions) AS transactions FROM moved_test.rows WHERE issuer LIKE 'plant%' AND substr(issuer, 7)::integer >= 10;
SELECT * FROM moved_test.missed;
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT * FROM ecert.unsealed();
-- a subtransaction that is rolled back takes its row along, and the feed is noted again
BEGIN;
SAVEPOINT s;
SELECT moved_test.put('{1}');
ROLLBACK TO s;
SELECT count(*) AS rows FROM ecert_internal.moved WHERE moved_by = pg_current_xact_id();
SELECT moved_test.put('{1}');
SAVEPOINT s;
SELECT moved_test.put('{1,2}');
RELEASE s;
COMMIT;
DO $$ BEGIN
    PERFORM moved_test.put('{3}');
    BEGIN
        PERFORM moved_test.put('{3,4}');
        RAISE EXCEPTION 'back';
    EXCEPTION WHEN raise_exception THEN
        PERFORM moved_test.put('{4}');
    END;
    PERFORM moved_test.put('{5}');
END $$;
SELECT * FROM moved_test.told ORDER BY 1, 2;
SELECT * FROM moved_test.missed;
-- what a transaction does behind its own checkpoint is not lost, neither in the feed that it had moved before
SELECT ecert.checkpoint() IS NOT NULL AS made;
BEGIN;
SELECT moved_test.put('{6}');
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT moved_test.put('{6}');
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT moved_test.put('{6,7}');
COMMIT;
SELECT * FROM ecert.unsealed();
SELECT * FROM moved_test.missed;
-- a checkpoint that is rolled back has not looked
BEGIN;
SELECT ecert.checkpoint() IS NOT NULL AS made;
ROLLBACK;
SELECT * FROM moved_test.told ORDER BY 1, 2;
-- with nothing but its own feed unsealed there is no other one, and the feed comes under the next
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT ecert.checkpoint() = (SELECT hash FROM ledger.package WHERE kind = 'checkpoint' ORDER BY seq DESC LIMIT 1) AS same_again FROM generate_series(1, 3);
SELECT * FROM moved_test.told;
SELECT moved_test.put('{7}');
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT issuer, kind FROM ledger.leaf_range WHERE checkpoint_seq = (SELECT max(checkpoint_seq) FROM ledger.sealing) ORDER BY first_index;
SELECT * FROM moved_test.missed;

-- two keepers: rows that the slower one has not seen stay
SELECT cardinality(ecert.take_moved('other')) > 300 AS every_feed;
SELECT moved_test.put('{8}');
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT ecert.forget_moved() >= 0 AS done;
SELECT * FROM ecert.moved('other') ORDER BY 1, 2;
SELECT (f).* FROM unnest(ecert.take_moved('other')) AS f ORDER BY 1, 2;
SELECT * FROM ecert.moved('other');
-- a keeper that is not done with a feed is told it again; so are the others
SELECT ecert.note_moved('{"(plant 9,energy)"}');
SELECT * FROM ecert.moved('other');
-- an old snapshot keeps nothing
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT (f).* FROM unnest(ecert.take_moved('other')) AS f;
COMMIT;
SELECT * FROM ecert.moved('other');
SELECT ecert.forget_keeper('other');
SELECT ecert.forget_moved() >= 0 AS done;
-- sealing is told what is not sealed, and no more; that is kept in rounds of duties
SELECT moved_test.put('{1}');
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT ecert.note_moved('{"(plant 2,energy)"}');
SELECT * FROM moved_test.told ORDER BY 1, 2;
SELECT ecert.follow_sealings();
SELECT * FROM moved_test.told ORDER BY 1, 2;
-- a keeper that is more than a million rows behind is forgotten: to look at every feed is less
SELECT cardinality(ecert.take_moved('slow')) > 300 AS every_feed;
INSERT INTO ecert_internal.moved SELECT pg_current_xact_id(), 'plant 1', 'energy' FROM generate_series(1, 1000000);
SELECT cardinality(ecert.take_moved('sealing')) AS feeds;
SELECT ecert.forget_moved() >= 0 AS done;
SELECT count(*) AS still_there FROM ecert_internal.keeper WHERE keeper = 'slow';
SELECT moved_test.put('{1}');
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT ecert.forget_moved() >= 0 AS done;
SELECT count(*) AS still_there FROM ecert_internal.keeper WHERE keeper = 'slow';
-- of a peer that is gone too
SELECT cardinality(ecert.take_moved('compare nobody')) > 300 AS every_feed;
SELECT ecert.forget_moved() >= 0 AS done;
SELECT keeper FROM ecert_internal.keeper WHERE keeper <> 'forgotten' ORDER BY 1;

-- nothing is lost: rows taken away, the trigger off for a while, another server, a tree made anew
SELECT moved_test.put('{1}');
DELETE FROM ecert_internal.moved;
SELECT count(*) > 300 AS every_feed FROM moved_test.told;
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT moved_test.put('{2}');
TRUNCATE ecert_internal.moved;
SELECT count(*) > 300 AS every_feed FROM moved_test.told;
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT moved_test.put('{3}');
UPDATE ecert_internal.moved SET issuer = 'plant 4';
SELECT count(*) > 300 AS every_feed FROM moved_test.told;
SELECT ecert.checkpoint() IS NOT NULL AS made;
-- rows that every keeper had seen are of no use to anybody
DELETE FROM ecert_internal.moved m USING ecert_internal.keeper k WHERE k.keeper = 'sealing' AND pg_visible_in_snapshot(m.moved_by, k.snapshot) AND m.moved_by <> k.taken_by;
SELECT * FROM moved_test.told;
-- a package that comes while the trigger is off is not seen by anybody, until it is on again
CREATE TABLE moved_test.aside AS SELECT * FROM ledger.package WHERE issuer = 'plant 3' ORDER BY seq DESC LIMIT 1;
ALTER TABLE ledger.package DISABLE TRIGGER USER;
DELETE FROM ledger.package p USING moved_test.aside a WHERE p.hash = a.hash;
SELECT count(*) > 300 AS every_feed FROM moved_test.told;
INSERT INTO ledger.package SELECT * FROM moved_test.aside;
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit, ENABLE ALWAYS TRIGGER ecert_refuse_row, ENABLE ALWAYS TRIGGER ecert_refuse_statement, ENABLE ALWAYS TRIGGER ecert_take_up, ENABLE TRIGGER ecert_drain;
SELECT count(*) > 300 AS every_feed FROM moved_test.told;
SELECT ecert.checkpoint() IS NOT NULL AS made;
UPDATE ecert_internal.keeper SET identity = regexp_replace(identity, '^\d+', '1') WHERE keeper = 'sealing';
SELECT count(*) > 300 AS every_feed FROM moved_test.told;
SELECT moved_test.put('{4}');
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT * FROM moved_test.told;
SELECT ecert.rebuild_tree() > 0 AS rebuilt;
SELECT count(*) > 300 AS every_feed FROM moved_test.told;
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT * FROM moved_test.missed;
-- without the table nothing is admitted
ALTER TABLE ecert_internal.moved RENAME TO not_moved;
SELECT moved_test.put('{1}');
ALTER TABLE ecert_internal.not_moved RENAME TO moved;
CREATE INDEX another ON ecert_internal.moved (issuer);
SELECT moved_test.put('{1}');
DROP INDEX ecert_internal.another;
SELECT moved_test.put('{1}');

-- blocks to compare, in turn round the end of the ledger
SELECT * FROM ecert.blocks_in_turn('{"issuer": "plant 1", "kind": "energy", "seq": 0}', 1006);
SELECT * FROM ecert.blocks_in_turn('{"issuer": "plant 99", "kind": "energy", "seq": 1000}', 3);
SELECT count(*) AS blocks, count(DISTINCT b) AS different, count(DISTINCT (b.issuer, b.kind)) = (SELECT count(*) FROM ecert.feeds()) AS of_every_feed
  FROM ecert.blocks_in_turn('{"issuer": "plant 1", "kind": "energy", "seq": 1000}', 1000000) AS b;

-- A certifier that leaves packages out: checkpoints over every feed but one
SELECT * FROM ecert.passed_over();
SELECT moved_test.put('{20}', 2);
CREATE FUNCTION moved_test.seal_without(plant text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    heads jsonb := (SELECT jsonb_agg(jsonb_build_array(u.issuer, u.kind, u.last_seq)) FROM ecert.unsealed() AS u WHERE u.issuer <> plant);
BEGIN
    PERFORM ecert.take_lock('tree');
    RETURN ecert.seal((SELECT max(p.seq) + 1 FROM ledger.package p WHERE p.kind = 'checkpoint'), heads) IS NOT NULL;
END $$;
CREATE VIEW moved_test.health AS SELECT h.item, h.state, h.value, regexp_replace(h.detail, 'since .*', 'since then') AS detail FROM ecert.health() AS h WHERE h.item = 'passed over';
-- as if what is here had come so long ago, of all or of one
CREATE FUNCTION moved_test.age(age interval, plant text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE ledger.package DISABLE TRIGGER ecert_refuse_row;
    ALTER TABLE ledger.package DISABLE TRIGGER ecert_refuse_statement;
    UPDATE ledger.package SET recorded_at = n.now - age FROM (SELECT clock_timestamp()) AS n (now) WHERE plant IS NULL OR issuer = plant;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_statement;
END $$;
SELECT moved_test.put('{1}'), moved_test.age('2 hours');
SELECT moved_test.seal_without('plant 20') AS sealed;
-- one may have missed it
SELECT * FROM moved_test.health;
SELECT moved_test.put('{1}');
SELECT moved_test.seal_without('plant 20') AS sealed;
SELECT issuer, kind, first_seq, last_seq FROM ecert.passed_over();
SELECT * FROM moved_test.health;
SELECT moved_test.put('{1}');
SELECT moved_test.seal_without('plant 20') AS sealed;
SELECT * FROM moved_test.health;
-- also when rounds of duties go on
SELECT ecert.follow_sealings(), ecert.forget_moved() >= 0 AS done;
SELECT count(*) < 10 AS few FROM moved_test.told;
SELECT * FROM moved_test.health;
-- less than ecert.seal_within() ago it may still come
SELECT ecert.seal_within();
SELECT moved_test.age('59 minutes', 'plant 20');
SELECT * FROM moved_test.health;
SELECT moved_test.age('61 minutes', 'plant 20');
SELECT state FROM moved_test.health;
-- sealed after all
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT * FROM moved_test.health;
SELECT * FROM moved_test.missed;
SELECT * FROM ecert.problems();
DROP SCHEMA moved_test CASCADE;
DROP SCHEMA ledger CASCADE;
