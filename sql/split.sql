-- Sealings of several parts, signed by hand: what is under any part is covered by the last one, and by none while that is missing.
\getenv abs_srcdir PG_ABS_SRCDIR
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
\set keys_sql :abs_srcdir '/test/keys/keys.sql'
\set ECHO none
\i :keys_sql
\set ECHO all
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
CALL test_keys.be('certifier');
SELECT ecert.create_ledger('split.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant}', test_keys.public(n))) FROM unnest('{a,b,c}'::text[]) AS n;
CREATE FUNCTION pg_temp.energy(node text, first integer, last integer) RETURNS bigint LANGUAGE sql AS $$
  SELECT test_keys.become(node);
  SELECT count(ecert.append('energy', jsonb_build_object('period', jsonb_build_array(1704067200 + 3600 * g, 1704067200 + 3600 * (g + 1)),
                            'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 5}]'::jsonb))) FROM generate_series(first, last) AS g;
$$;
CREATE FUNCTION pg_temp.mth(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  n integer := cardinality(leaves);
  k integer := 1;
BEGIN
  IF n = 1 THEN RETURN leaves[1]; END IF;
  WHILE k * 2 < n LOOP k := k * 2; END LOOP;
  RETURN sha256('\x01'::bytea || pg_temp.mth(leaves[1:k]) || pg_temp.mth(leaves[k + 1:n]));
END $$;
-- the leaves of what is sealed, and of what heads name beyond
CREATE FUNCTION pg_temp.leaves(heads jsonb) RETURNS bytea[] LANGUAGE sql AS $$
  SELECT array_agg(l.hash ORDER BY l.index, l.seq) FROM (
    SELECT 0 AS index, 0 AS seq, ecert.genesis_hash() AS hash
    UNION ALL SELECT r.first_index, p.seq, p.hash FROM ledger.leaf_range r JOIN ledger.package p ON p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq
    UNION ALL SELECT 1000 + h.ordinality, p.seq, p.hash FROM jsonb_array_elements(heads) WITH ORDINALITY AS h
      JOIN ledger.package p ON p.issuer = h.value ->> 0 AND p.kind = h.value ->> 1 AND p.seq <= (h.value ->> 2)::bigint AND ecert.sealed_by(p.issuer, p.kind, p.seq) IS NULL) AS l $$;
-- the body of a part, behind what the parts before it name
CREATE FUNCTION pg_temp.part(i integer, n integer, heads jsonb, named jsonb DEFAULT '[]') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object('size', cardinality(l), 'root', encode(pg_temp.mth(l), 'hex'), 'tree', 1, 'heads', heads, 'part', CASE WHEN n > 1 THEN jsonb_build_array(i, n) END,
                            'seals', jsonb_build_array(ecert.seal_root(cardinality(l), pg_temp.mth(l)))))
    FROM pg_temp.leaves(named || heads) AS l $$;
CREATE VIEW pg_temp.sealed AS SELECT issuer, kind, first_seq, last_seq, first_index, checkpoint_seq FROM ledger.leaf_range ORDER BY first_index;
CREATE VIEW pg_temp.checkpoints AS SELECT checkpoint_seq AS seq, part, tree_size, package_count, feed_count, outcome, detail FROM ledger.checkpoint ORDER BY 1;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT pg_temp.energy('a', 0, 2), pg_temp.energy('b', 0, 1), pg_temp.energy('c', 0, 0);
CALL test_keys.be('certifier');

-- a first part alone covers nothing
SELECT ecert.append('checkpoint', pg_temp.part(1, 2, '[["a", "energy", 2]]')) IS NOT NULL AS first_part;
SELECT * FROM pg_temp.sealed;
SELECT * FROM pg_temp.checkpoints;
SELECT (ecert.newest_checkpoint()).seq AS newest, ecert.sealed_by('a', 'energy', 0) AS covered_by;
SELECT * FROM ecert.problems();
-- what does not go on from it is refused
SELECT ecert.append('checkpoint', pg_temp.part(1, 2, '[["b", "energy", 1]]'));
SELECT ecert.append('checkpoint', pg_temp.part(2, 3, '[["b", "energy", 1]]', '[["a", "energy", 2]]'));
SELECT ecert.append('checkpoint', pg_temp.part(1, 1, '[["b", "energy", 1]]'));
SELECT ecert.append('checkpoint', pg_temp.part(2, 2, '[["a", "energy", 2]]', '[["a", "energy", 2]]'));
-- nor what no ledger can have
SELECT ecert.append('checkpoint', pg_temp.part(2, 2, '[["b", "energy", 9223372036854775807]]', '[["a", "energy", 2]]'));
SELECT ecert.append('checkpoint', pg_temp.part(1, 2000000, '[["b", "energy", 1]]'));
-- of this ledger its size and root have to be, too
SELECT ecert.append('checkpoint', pg_temp.part(2, 2, '[["b", "energy", 1]]'));
-- the last part covers what all of them name
SELECT ecert.append('checkpoint', pg_temp.part(2, 2, '[["b", "energy", 1], ["c", "energy", 0]]', '[["a", "energy", 2]]')) IS NOT NULL AS last_part;
SELECT * FROM pg_temp.sealed;
SELECT * FROM pg_temp.checkpoints;
SELECT (ecert.newest_checkpoint()).seq AS newest, ecert.sealed_by('a', 'energy', 0) AS covered_by;
SELECT bool_and(ecert.verify_receipt(package, ecert.receipt(hash), ecert.public_key('seal'))) AS receipts_verify FROM ledger.package WHERE kind = 'energy';
SELECT count(DISTINCT issued_at) AS times FROM ledger.package WHERE kind = 'checkpoint' AND seq IN (1, 2);
SELECT * FROM ecert.problems();
SELECT ecert.append('checkpoint', pg_temp.part(2, 2, '[["certifier", "checkpoint", 2]]'));

-- one that was begun, as after a restore, is completed before anything else is sealed
SELECT pg_temp.energy('a', 3, 3), pg_temp.energy('c', 1, 1);
CALL test_keys.be('certifier');
SELECT ecert.append('checkpoint', pg_temp.part(1, 3, '[["a", "energy", 3]]')) IS NOT NULL AS first_part;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT p.seq, ecert.body(p.package) -> 'part' AS part, ecert.body(p.package) -> 'heads' AS heads, ecert.body(p.package) ? 'note' AS has_note FROM ledger.package p WHERE kind = 'checkpoint' AND seq > 2 ORDER BY seq;
SELECT * FROM pg_temp.checkpoints;
SELECT * FROM ecert.problems();
-- or not yet
SELECT ecert.append('checkpoint', pg_temp.part(1, 3, '[["certifier", "checkpoint", 4]]')) IS NOT NULL AS first_part;
SELECT ecert.checkpoint();
SELECT ecert.enroll('d', '{applicant}', test_keys.public('d')) IS NOT NULL AS enrolled;
SELECT pg_temp.energy('c', 2, 2), pg_temp.energy('d', 0, 0);
CALL test_keys.be('certifier');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT * FROM pg_temp.checkpoints WHERE seq > 5;
SELECT * FROM pg_temp.sealed WHERE checkpoint_seq > 5;

-- from a peer what does not go on is kept with its finding, and covers nothing; the next sealing goes on from the last complete one
CREATE FUNCTION pg_temp.bring(body jsonb) RETURNS text LANGUAGE sql AS $$ SELECT ecert.admit_from_peer(ecert.sign('checkpoint', body)::bytea, '') $$;
SELECT pg_temp.energy('a', 4, 4), pg_temp.energy('b', 2, 2);
CALL test_keys.be('certifier');
SELECT pg_temp.bring(pg_temp.part(2, 2, '[["a", "energy", 4]]')) AS without_the_first;
SELECT pg_temp.bring(pg_temp.part(1, 2, '[["a", "energy", 4]]')) AS first_part;
SELECT pg_temp.bring(pg_temp.part(1, 1, '[["a", "energy", 4]]')) AS whole_behind_it;
SELECT pg_temp.bring(pg_temp.part(1, 1, '[["a", "energy", 4]]')) AS whole_behind_that;
SELECT * FROM pg_temp.checkpoints WHERE seq > 9;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT * FROM pg_temp.checkpoints WHERE seq > 9;
SELECT item, state, detail FROM ledger.health WHERE item = 'checkpoint';
SELECT * FROM ecert.problems();
-- caches made anew say the same
CREATE TABLE pg_temp.before AS SELECT * FROM pg_temp.sealed;
SELECT ecert.rebuild_tree() AS checkpoints;
SELECT count(*) AS others FROM (TABLE pg_temp.before EXCEPT SELECT issuer, kind, first_seq, last_seq, first_index, checkpoint_seq FROM ledger.leaf_range) AS o;
SELECT * FROM pg_temp.checkpoints WHERE seq > 9;
SELECT * FROM ecert.problems() WHERE problem LIKE '%leaf_range%';
-- nothing rests on a checkpoint that covers nothing: a part that is not the last, one whose last never came, one that does not go on
CREATE FUNCTION pg_temp.status(on_seq bigint) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('certificate', repeat('00', 32), 'status', 'suspended', 'reason', 'why', 'checkpoint', encode(p.hash, 'hex')) FROM ledger.package p WHERE p.kind = 'checkpoint' AND p.seq = on_seq $$;
SELECT ecert.append('status', pg_temp.status(7), 'a');
SELECT ecert.append('status', pg_temp.status(11), 'a');
SELECT ecert.append('status', pg_temp.status(12), 'a');
SELECT ecert.append('status', pg_temp.status(13), 'a');
SELECT ecert.append('status', pg_temp.status(14), 'a');

-- brought to another node, checkpoints before what they cover and one by one, all is the same
CREATE TABLE pg_temp.told AS SELECT issuer, kind, seq, hash, package::bytea AS bytes FROM ledger.package;
CREATE TABLE pg_temp.found AS SELECT checkpoint_seq, sealing_seq, size, root, outcome, detail FROM ledger.sealing;
DROP SCHEMA ledger CASCADE;
CALL test_keys.be('a');
SELECT ecert.join_ledger(bytes::ecert.package, NULL) IS NOT NULL AS joined FROM pg_temp.told WHERE kind = 'genesis';
SELECT kind, seq, ecert.admit_from_peer(bytes, 'certifier') AS became FROM pg_temp.told WHERE issuer = 'certifier' AND kind = 'node' AND seq < 3 ORDER BY seq;
SELECT kind, seq, ecert.admit_from_peer(bytes, 'certifier') AS became FROM pg_temp.told WHERE kind = 'checkpoint' AND seq < 2 ORDER BY seq;
-- here too a part covers nothing while the last one is missing
SELECT ecert.sealed_by('a', 'energy', 0) AS covered_by, (SELECT count(*) FROM ledger.sealing) AS computed;
SELECT kind, seq, ecert.admit_from_peer(bytes, 'certifier') AS became FROM pg_temp.told WHERE kind = 'checkpoint' AND seq = 2;
SELECT ecert.sealed_by('a', 'energy', 0) AS covered_by, (SELECT count(*) FROM ledger.sealing) AS computed;
SELECT issuer, kind, seq, ecert.admit_from_peer(bytes, 'certifier') AS became FROM pg_temp.told WHERE kind = 'energy' AND issuer IN ('a', 'b') AND seq < 2 ORDER BY issuer DESC, seq;
SELECT count(*) AS computed FROM ledger.sealing;
SELECT issuer, kind, seq, ecert.admit_from_peer(bytes, 'certifier') AS became FROM pg_temp.told WHERE kind = 'energy' AND (issuer, seq) IN (('a', 2), ('c', 0)) ORDER BY issuer DESC;
SELECT checkpoint_seq, outcome FROM ledger.sealing ORDER BY 1;
SELECT count(ecert.admit_from_peer(bytes, 'certifier')) AS brought FROM (SELECT * FROM pg_temp.told WHERE kind = 'checkpoint' AND seq > 2 ORDER BY seq) AS t;
SELECT count(ecert.admit_from_peer(bytes, 'certifier')) AS brought FROM (SELECT * FROM pg_temp.told t WHERE kind <> 'genesis' AND NOT EXISTS (SELECT FROM ledger.package p WHERE p.hash = t.hash) ORDER BY issuer DESC, kind, seq) AS t;
SELECT ecert.take_up_checkpoints() AS left_to_compute;
SELECT count(*) AS others FROM (TABLE pg_temp.before EXCEPT SELECT issuer, kind, first_seq, last_seq, first_index, checkpoint_seq FROM ledger.leaf_range) AS o;
SELECT count(*) AS others FROM (TABLE pg_temp.found EXCEPT SELECT checkpoint_seq, sealing_seq, size, root, outcome, detail FROM ledger.sealing) AS o;
SELECT issuer, kind, seq FROM ecert.problems();
DROP SCHEMA ledger CASCADE;
