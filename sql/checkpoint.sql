-- Checkpoints, receipts, witnesses and forks on one server.
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
SET TimeZone = 'UTC';
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''who'' || ''.pem'', false) IS NOT NULL AS has_key, set_config(''ecert.witness_key'', CASE WHEN :''who'' IN (''buyer'', ''supplier'') THEN :''abs_srcdir'' || ''/test/keys/'' || :''who'' || ''-witness.pem'' ELSE '''' END, false) <> '''' AS has_witness_key;'
\set who certifier
:become
SELECT ecert.create_ledger('checkpoint.test', ecert.default_policy() || '{"certificate": {"threshold": 0, "denominator": "baseline", "valid_days": 365, "witnesses": 2, "strict": false, "baseline": {"rule": "year_before"}, "attribution": {"rule": "direct"}, "electricity": "calorific", "confirmed_min": {"energy": 0.8, "output": 0.8}, "seal_within": 3600, "automatic": {"on": true, "days": 366}}}') IS NOT NULL AS made;
SELECT count(ecert.enroll(n.node, n.roles, pg_read_file(:'abs_srcdir' || '/test/keys/' || n.node || '.pub.pem'),
                          witness_key => CASE WHEN n.node IN ('buyer', 'supplier') THEN pg_read_file(:'abs_srcdir' || '/test/keys/' || n.node || '-witness.pub.pem') END))
  FROM (VALUES ('plant-a', '{applicant}'::text[]), ('plant-es256', '{applicant,auditor}'), ('buyer', '{auditor}'), ('supplier', '{auditor}')) AS n (node, roles);
CREATE FUNCTION pg_temp.energy(first integer, last integer) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(ecert.append('energy', jsonb_build_object('period', jsonb_build_array(1704067200 + 3600 * g, 1704067200 + 3600 * (g + 1)),
                            'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 5}]'::jsonb))) FROM generate_series(first, last) AS g $$;
CREATE VIEW pg_temp.checkpoints AS SELECT checkpoint_seq AS seq, tree_size, package_count, feed_count, witness_count, witnesses_required, outcome FROM ledger.checkpoint;
-- nothing is sealed before the first checkpoint
SELECT ecert.receipt(ecert.genesis_hash());
SELECT ecert.receipt('\x00');
SELECT ecert.consistency(1, 1);
SELECT * FROM ecert.sealing_at(-1);
-- the certifier seals; leaf 0 is the genesis package, the others come in the order of feeds
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT * FROM pg_temp.checkpoints;
SELECT issuer, kind, first_seq, last_seq, first_index, checkpoint_seq FROM ledger.leaf_range ORDER BY first_index;
-- the root is that of RFC 9162 over the hashes, computed here by SQL
CREATE FUNCTION pg_temp.mth(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  n integer := cardinality(leaves);
  k integer := 1;
BEGIN
  IF n = 1 THEN RETURN leaves[1]; END IF;
  WHILE k * 2 < n LOOP k := k * 2; END LOOP;
  RETURN sha256('\x01'::bytea || pg_temp.mth(leaves[1:k]) || pg_temp.mth(leaves[k + 1:n]));
END $$;
CREATE FUNCTION pg_temp.leaves(size bigint) RETURNS bytea[] LANGUAGE sql AS $$
  SELECT array_agg(l.hash ORDER BY l.index) FROM (
    SELECT 0 AS index, ecert.genesis_hash() AS hash
    UNION ALL SELECT r.first_index + p.seq - r.first_seq, p.hash FROM ledger.leaf_range r JOIN ledger.package p ON p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq) AS l
   WHERE l.index < size $$;
SELECT encode(pg_temp.mth(pg_temp.leaves(tree_size)), 'hex') = root AS same_root FROM ledger.checkpoint;
-- with nothing new there is no other one
SELECT ecert.checkpoint() = (SELECT hash FROM ledger.package WHERE kind = 'checkpoint') AS same_again;
-- more than a tile, several feeds
\set who plant-a
:become
SELECT pg_temp.energy(0, 599) AS packed;
-- an applicant does not seal
SELECT ecert.checkpoint();
\set who plant-es256
:become
SELECT pg_temp.energy(0, 9) AS packed;
\set who certifier
:become
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT * FROM pg_temp.checkpoints ORDER BY seq;
SELECT encode(pg_temp.mth(pg_temp.leaves(tree_size)), 'hex') = root AS same_root FROM ledger.checkpoint ORDER BY checkpoint_seq;
SELECT level, index, octet_length(hashes) / 32 AS hashes FROM ledger.tile ORDER BY level, index;
SELECT * FROM ecert.problems();
-- the tiles of the large tree serve every smaller one
SELECT count(*) AS sizes, bool_and(ecert.tree_root(n) = pg_temp.mth(pg_temp.leaves(n))) AS same_roots FROM unnest('{1,2,3,4,5,6,7,8,9,100,255,256,257,511,512,513,600}'::bigint[]) AS n;
SELECT count(*) AS pairs, bool_and(ecert.verify_consistency(o, ecert.tree_root(o), n, ecert.tree_root(n), ecert.consistency(o, n))) AS consistent,
       bool_or(ecert.verify_consistency(o, ecert.tree_root(o), n, set_byte(ecert.tree_root(n), 5, (get_byte(ecert.tree_root(n), 5) + 1) % 256), ecert.consistency(o, n))) AS with_another_root
  FROM unnest('{1,2,3,6,7,8,255,256,257,512,616}'::bigint[]) AS o JOIN unnest('{1,2,3,6,7,8,255,256,257,512,616}'::bigint[]) AS n ON o <= n;
SELECT ecert.consistency(0, 5);
SELECT ecert.consistency(6, 5);
SELECT ecert.consistency(5, 100000);
SELECT ecert.verify_consistency(5, ecert.tree_root(5), 6, ecert.tree_root(6), '{"\\x00"}');
-- every sealed package has a receipt that verifies with the certifier's public key alone
SELECT ecert.public_key('seal') AS seal_key \gset
SELECT count(*) AS receipts, bool_and(ecert.verify_receipt(p.package, ecert.receipt(p.hash), :'seal_key')) AS verify
  FROM ledger.package p WHERE NOT (p.kind = 'checkpoint' AND p.seq = 1);
SELECT count(*) AS statements, bool_and(ecert.verify_transparent(ecert.transparent(p.hash), :'seal_key')) AS verify,
       bool_and(ecert.statement_package(ecert.transparent(p.hash))::bytea = p.package::bytea) AS give_the_package
  FROM ledger.package p WHERE p.seq IN (0, 255, 599) AND p.kind <> 'checkpoint';
-- the newest checkpoint is under none yet
SELECT ecert.receipt(hash) FROM ledger.package WHERE kind = 'checkpoint' AND seq = 1;
-- not with another package, another key, a changed receipt
SELECT hash AS some, package AS some_package, ecert.receipt(hash) AS some_receipt FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 300 \gset
SELECT ecert.verify_receipt(p.package, :'some_receipt', :'seal_key') AS verifies FROM ledger.package p WHERE p.issuer = 'plant-a' AND p.kind = 'energy' AND p.seq = 301;
SELECT ecert.verify_receipt(:'some_package', :'some_receipt', pg_read_file(:'abs_srcdir' || '/test/keys/buyer.pub.pem')) AS verifies;
SELECT ecert.verify_receipt(:'some_package', :'some_receipt', pg_read_file(:'abs_srcdir' || '/test/keys/plant-es256.pub.pem')) AS verifies;
SELECT ecert.verify_receipt(:'some_package', :'some_receipt', 'no key');
SELECT count(*) AS bits, count(*) FILTER (WHERE ecert.verify_receipt(:'some_package', set_bit(:'some_receipt'::bytea, b, 1 - get_bit(:'some_receipt'::bytea, b)), :'seal_key')) AS verify
  FROM generate_series(0, 8 * octet_length(:'some_receipt'::bytea) - 1) AS b;
SELECT count(*) AS cut, count(*) FILTER (WHERE ecert.verify_receipt(:'some_package', substring(:'some_receipt'::bytea FOR n), :'seal_key')) AS verify
  FROM generate_series(0, octet_length(:'some_receipt'::bytea) - 1) AS n;
SELECT count(*) AS bits, count(*) FILTER (WHERE ecert.verify_transparent(set_bit(s, b, 1 - get_bit(s, b)), :'seal_key')) AS verify
  FROM (SELECT ecert.transparent(:'some')) AS t (s) CROSS JOIN LATERAL generate_series(0, 8 * octet_length(s) - 1) AS b;
-- a plain package has no receipt, and so does not verify either
SELECT ecert.verify_transparent(:'some_package'::ecert.package::bytea, :'seal_key') AS without_receipt;
SELECT ecert.statement_package('\xd28443a0');
SELECT ecert.verify_transparent('\xd28443a0', :'seal_key') AS no_statement;
-- one receipt that holds is enough, whatever stands beside it: nobody has signed the unprotected header
CREATE FUNCTION pg_temp.wrapped(b bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT '\x59'::bytea || int2send(octet_length(b)::int2) || b $$;
CREATE FUNCTION pg_temp.statement(p bytea, header bytea) RETURNS bytea LANGUAGE sql AS $$
    SELECT substring(p FOR 4 + get_byte(p, 3)) || header || substring(p FROM 6 + get_byte(p, 3))
$$;
-- a receipt by somebody else
CREATE FUNCTION pg_temp.foreign(header bytea) RETURNS bytea LANGUAGE sql AS $$
    SELECT '\xd28458'::bytea || set_byte('\x00', 0, octet_length(header)) || header || '\xa0f65840' || decode(repeat('00', 64), 'hex')
$$;
SELECT pg_temp.foreign('\xa2012619018b02') AS foreign_structure, pg_temp.foreign('\xa20139010019018b01') AS foreign_algorithm \gset
CREATE TABLE pg_temp.headers AS
SELECT n, name, header FROM (SELECT pg_temp.wrapped(:'some_receipt'), pg_temp.wrapped(set_byte(:'some_receipt', octet_length(:'some_receipt'::bytea) - 1, get_byte(:'some_receipt', octet_length(:'some_receipt'::bytea) - 1) # 1))) AS r (ours, wrong),
       LATERAL (VALUES (1, 'ours', '\xa119018a81'::bytea || ours),
                       (2, 'junk, ours', '\xa119018a8243010203'::bytea || ours),
                       (3, 'foreign vds, ours', '\xa119018a82'::bytea || pg_temp.wrapped(:'foreign_structure') || ours),
                       (4, 'ours, foreign algorithm', '\xa119018a82'::bytea || ours || pg_temp.wrapped(:'foreign_algorithm')),
                       (5, 'wrong, ours', '\xa119018a82'::bytea || wrong || ours),
                       (6, 'x5chain beside receipts', '\xa3182182423082423082'::bytea || '\x19018a81' || ours || '\x6176fb3ff0000000000000'),
                       (7, 'wrong alone', '\xa119018a81'::bytea || wrong),
                       (8, 'foreign alone', '\xa119018a81'::bytea || pg_temp.wrapped(:'foreign_structure')),
                       (9, 'too large', '\xa119018a81'::bytea || pg_temp.wrapped(convert_to(repeat('x', 8193), 'UTF8')))) AS h (n, name, header);
SELECT h.name, ecert.verify_transparent(s.statement, :'seal_key') AS verifies, ecert.statement_package(s.statement)::bytea = :'some_package'::ecert.package::bytea AS package,
       p.part, p.outcome, p.detail
  FROM pg_temp.headers h CROSS JOIN LATERAL (SELECT pg_temp.statement(:'some_package'::ecert.package::bytea, h.header)) AS s (statement)
  LEFT JOIN LATERAL ecert.statement_parts(s.statement, :'seal_key') AS p ON true ORDER BY h.n, p.part;
-- of a package of the certifier's the receipt's issuer is known too
SELECT p.part, p.outcome, p.detail FROM ledger.package c CROSS JOIN LATERAL ecert.statement_parts(ecert.transparent(c.hash), :'seal_key') AS p WHERE c.kind = 'node' AND c.seq = 0;
-- neither right nor wrong: what is larger than can be read, or of another data structure
SELECT ecert.verify_receipt(:'some_package', convert_to(repeat('x', 8193), 'UTF8'), :'seal_key') AS too_large,
       ecert.verify_receipt(:'some_package', :'foreign_structure', :'seal_key') AS another_structure,
       ecert.verify_receipt(:'some_package', '\x010203', :'seal_key') AS junk;
-- nested deeper than can be read
SELECT ecert.verify_transparent(s, :'seal_key') AS verifies FROM (SELECT pg_temp.statement(:'some_package'::ecert.package::bytea, '\xa101' || decode(repeat('81', 200), 'hex') || '\x00')) AS t (s);
SELECT ecert.statement_package(s) FROM (SELECT pg_temp.statement(:'some_package'::ecert.package::bytea, '\xa101' || decode(repeat('81', 200), 'hex') || '\x00')) AS t (s);
-- hand-made checkpoints: refused when they are not of this ledger, and nothing of them stays
SELECT ecert.body(package) AS good FROM ledger.package WHERE kind = 'checkpoint' AND seq = 1 \gset
CREATE TABLE pg_temp.caches AS SELECT (SELECT count(*) FROM ledger.leaf_range) AS ranges, (SELECT sum(octet_length(hashes)) FROM ledger.tile) AS tiles, (SELECT count(*) FROM ledger.sealing) AS sealings;
SELECT ecert.append('checkpoint', :'good');
SELECT ecert.append('checkpoint', jsonb_set(:'good', '{heads}', '[["certifier", "checkpoint", 1]]'));
SELECT ecert.append('checkpoint', jsonb_build_object('size', 617, 'root', repeat('00', 32), 'heads', '[["certifier", "checkpoint", 1]]'::jsonb, 'tree', 1, 'seals', jsonb_build_array(ecert.seal_root(617, decode(repeat('00', 32), 'hex')))));
SELECT ecert.append('checkpoint', jsonb_build_object('size', 617, 'root', repeat('00', 32), 'heads', '[["certifier", "checkpoint", 1]]'::jsonb, 'tree', 1, 'seals', jsonb_build_array(ecert.seal_root(617, decode(repeat('00', 32), 'hex')) || jsonb_build_object('signature', repeat('00', 64)))));
SELECT ecert.append('checkpoint', jsonb_build_object('size', 618, 'root', repeat('00', 32), 'heads', '[["certifier", "checkpoint", 1], ["certifier", "checkpoint", 1]]'::jsonb, 'tree', 1, 'seals', jsonb_build_array(ecert.seal_root(618, decode(repeat('00', 32), 'hex')))));
SELECT ecert.append('checkpoint', jsonb_build_object('size', 617, 'root', repeat('00', 32), 'heads', '[["nobody", "energy", 0]]'::jsonb, 'tree', 1, 'seals', jsonb_build_array(ecert.seal_root(617, decode(repeat('00', 32), 'hex')))));
SELECT ecert.append('checkpoint', jsonb_build_object('size', 617, 'root', repeat('00', 32), 'heads', '[["certifier", "genesis", 0]]'::jsonb, 'tree', 1, 'seals', jsonb_build_array(ecert.seal_root(617, decode(repeat('00', 32), 'hex')))));
SELECT ecert.append('checkpoint', jsonb_build_object('size', 617, 'root', encode(ecert.tree_root(616), 'hex'), 'heads', '[["certifier", "checkpoint", 1]]'::jsonb,
  'tree', 1, 'seals', jsonb_build_array(ecert.seal_root(617, ecert.tree_root(616))), 'note', ecert.sign_note(616, ecert.tree_root(616))));
SELECT c.ranges = (SELECT count(*) FROM ledger.leaf_range) AND c.tiles = (SELECT sum(octet_length(hashes)) FROM ledger.tile) AND c.sealings = (SELECT count(*) FROM ledger.sealing) AS nothing_stays FROM pg_temp.caches c;
-- a right one that was made by hand, as a certifier does whose key is elsewhere
SELECT encode(pg_temp.mth(pg_temp.leaves(616) || ARRAY(SELECT hash FROM ledger.package WHERE kind = 'checkpoint' AND seq = 1)), 'hex') AS next_root \gset
SELECT ecert.append('checkpoint', jsonb_build_object('size', 617, 'root', :'next_root', 'heads', '[["certifier", "checkpoint", 1]]'::jsonb, 'tree', 1, 'seals', jsonb_build_array(ecert.seal_root(617, decode(:'next_root', 'hex'))))) IS NOT NULL AS admitted;
SELECT * FROM pg_temp.checkpoints ORDER BY seq;
-- another one
\set who plant-es256
:become
SELECT pg_temp.energy(10, 10) AS packed;
\set who certifier
:become
SELECT ecert.checkpoint() IS NOT NULL AS made;
-- witnesses: the policy asks for two, whoever they are, once each
SELECT ecert.witness();
\set who buyer
:become
SELECT ecert.witness_is_due() AS due;
SELECT ecert.witness() IS NOT NULL AS witnessed;
SELECT ecert.witness_is_due() AS due, ecert.witness() IS NULL AS nothing_new;
\set who plant-es256
:become
-- without a witness key there is no cosignature
SELECT ecert.witness() IS NOT NULL AS witnessed;
\set who supplier
:become
-- one brings the line of a witness that is no node
SELECT ecert.witness('not a line');
SELECT ecert.witness((SELECT replace(cosignature, ' buyer ', ' witness.example ') FROM ledger.witness WHERE witness = 'buyer')) IS NOT NULL AS witnessed;
SELECT witness, tree_size, cosignature ~ '^— (buyer|witness.example) [A-Za-z0-9+/]+=*$' AS cosigned FROM ledger.witness ORDER BY witness;
SELECT * FROM pg_temp.checkpoints ORDER BY seq;
SELECT ecert.note_key() AS of_the_log, ecert.note_key('buyer') AS of_a_witness, ecert.note_key('plant-es256') AS of_one_without, ecert.note_key('nobody') AS of_nobody;
-- somebody else's line under one's own name is none
SELECT ecert.append('witness', jsonb_build_object('checkpoint', checkpoint_hash, 'size', tree_size, 'root', root, 'cosignature', replace(cosignature, 'witness.example', 'supplier'))) FROM ledger.witness WHERE witness = 'supplier';
SELECT ecert.append('witness', jsonb_build_object('checkpoint', checkpoint_hash, 'size', tree_size + 1, 'root', root)) FROM ledger.witness WHERE witness = 'supplier';
SELECT ecert.append('witness', jsonb_build_object('checkpoint', repeat('00', 32), 'size', tree_size, 'root', root)) FROM ledger.witness WHERE witness = 'supplier';
-- checkpoints and witnesses alone give no reason for another checkpoint
\set who certifier
:become
SELECT ecert.checkpoint_is_due() AS due;
\set who plant-a
:become
SELECT pg_temp.energy(600, 600) AS packed;
\set who certifier
:become
SELECT ecert.has_unsealed() AS something_is_new;
-- two stories: the certifier seals, takes it back, and seals something else
BEGIN;
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT package AS other_package, convert_to(ecert.body(package) ->> 'note', 'UTF8') AS other_note FROM ledger.package WHERE kind = 'checkpoint' ORDER BY seq DESC LIMIT 1 \gset
ROLLBACK;
SELECT outcome, detail FROM ecert.compare_checkpoint(:'other_note');
\set who plant-a
:become
SELECT pg_temp.energy(601, 700) AS packed;
\set who certifier
:become
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT outcome FROM ecert.compare_checkpoint(:'other_note');
SELECT outcome FROM ecert.compare_checkpoint(:'other_package'::ecert.package::bytea);
SELECT first_size, second_size, ecert.is_fork(first_checkpoint, second_checkpoint, other_root, proof) AS convicts,
       ecert.is_fork(second_checkpoint, first_checkpoint, other_root, proof) AS turned_round, ecert.is_fork(first_checkpoint, second_checkpoint, other_root, '{}') AS without_proof,
       ecert.is_fork(set_byte(first_checkpoint, 20, get_byte(first_checkpoint, 20) # 1), second_checkpoint, other_root, proof) AS with_a_changed_byte FROM ledger.fork;
SELECT issuer, kind, seq FROM ledger.equivocation;
SELECT item, state, regexp_replace(detail, '[0-9a-f]{64}', 'hash') AS detail FROM ledger.health WHERE item IN ('checkpoint', 'fork', 'equivocation') ORDER BY item;
-- what is no checkpoint of this certifier proves nothing
SELECT outcome FROM ecert.compare_checkpoint('');
SELECT outcome FROM ecert.compare_checkpoint('\xff');
-- a note may have many signatures of others, of any size; one that is larger than can be read is not wrong
SELECT convert_to(n.note || string_agg(format(E'\u2014 other.example/w%s %s\n', i, translate(encode(decode(repeat('ab', 4900), 'hex'), 'base64'), E'\n', '')), ''), 'UTF8') AS long_note
  FROM (SELECT body.body ->> 'note' AS note FROM ledger.package p CROSS JOIN LATERAL ecert.body(p.package) AS body (body) WHERE p.kind = 'checkpoint' AND p.seq = 0) AS n,
       generate_series(1, 15) AS i GROUP BY n.note \gset
SELECT outcome FROM ecert.compare_checkpoint(:'long_note');
SELECT outcome, detail FROM ecert.compare_checkpoint(:'long_note'::bytea || convert_to(repeat(E'\u2014 o AAAAAAAA\n', 3000), 'UTF8'));
SELECT outcome FROM ecert.compare_checkpoint(set_byte(:'other_note', 60, get_byte(:'other_note', 60) # 1));
SELECT outcome FROM ecert.compare_checkpoint((SELECT package::bytea FROM ledger.package WHERE kind = 'genesis'));
SELECT outcome FROM ecert.compare_checkpoint((SELECT package::bytea FROM ledger.package WHERE kind = 'checkpoint' AND seq = 0));
-- a witness that saw the other story does not sign this one
\set who buyer
:become
UPDATE ledger.witnessed SET size = 619, root = sha256('other') WHERE node = 'buyer';
SELECT ecert.witness();
UPDATE ledger.witnessed SET size = 100000 WHERE node = 'buyer';
SELECT ecert.witness();
-- what comes under a checkpoint only after its key has ended is late, or back-dated: it is said, and is no problem
\set who plant-a
:become
SELECT ecert.sign('energy', jsonb_build_object('period', jsonb_build_array(1704067200 + 3600 * 701, 1704067200 + 3600 * 702),
       'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 5}]'::jsonb)) AS signed_before \gset
\set who certifier
:become
SELECT ecert.rotate_key('plant-a', pg_read_file(:'abs_srcdir' || '/test/keys/plant-c.pub.pem')) IS NOT NULL AS rotated;
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT * FROM ecert.late_packages();
SELECT ecert.admit_from_peer(:'signed_before'::ecert.package::bytea, 'plant-a') AS became;
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT issuer, kind, seq, checkpoint_seq FROM ecert.late_packages();
SELECT * FROM ecert.problems();
-- the caches can be made anew, and are what they were
\set who certifier
:become
CREATE TABLE pg_temp.tiles AS SELECT * FROM ledger.tile;
-- (with a damaged tile nobody is given a receipt that does not hold)
UPDATE ledger.tile SET hashes = set_byte(hashes, 40, (get_byte(hashes, 40) + 1) % 256) WHERE level = 0 AND index = 0;
SELECT ecert.receipt(hash) FROM ledger.package WHERE issuer = 'certifier' AND kind = 'node' AND seq = 1;
SELECT * FROM ecert.problems();
SELECT ecert.rebuild_tree() AS checkpoints;
SELECT count(*) AS tiles, count(*) FILTER (WHERE t.hashes = l.hashes) AS same FROM pg_temp.tiles t FULL JOIN ledger.tile l USING (level, index);
SELECT ecert.verify_receipt(package, ecert.receipt(hash), :'seal_key') AS verifies FROM ledger.package WHERE issuer = 'certifier' AND kind = 'node' AND seq = 1;
-- a damaged tile is said
DELETE FROM ledger.tile WHERE level = 0 AND index = 0;
SELECT ecert.receipt(hash) FROM ledger.package WHERE issuer = 'certifier' AND kind = 'node' AND seq = 1;
SELECT ecert.rebuild_tree() AS checkpoints;
-- a node that was sent a part of the feeds has no tree, and has one when it is sent everything and makes it
INSERT INTO ledger.peer (peer, this_node, is_hub, kinds) VALUES ('hub', 'certifier', true, '{certificate}');
SELECT ecert.rebuild_tree() AS checkpoints;
SELECT checkpoint_seq, outcome, detail FROM ledger.checkpoint ORDER BY checkpoint_seq DESC LIMIT 2;
SELECT count(*) AS tiles FROM ledger.tile;
SELECT ecert.receipt(ecert.genesis_hash());
DELETE FROM ledger.peer;
DELETE FROM ledger.leaf_range WHERE checkpoint_seq = 6;
DELETE FROM ledger.sealing WHERE checkpoint_seq = 6;
SELECT ecert.take_up_checkpoints() AS checkpoints;
SELECT checkpoint_seq, outcome, detail FROM ledger.checkpoint ORDER BY checkpoint_seq DESC LIMIT 2;
SELECT state FROM ledger.health WHERE item = 'checkpoint';
SELECT ecert.rebuild_tree() AS checkpoints;
SELECT checkpoint_seq, outcome, detail FROM ledger.checkpoint ORDER BY checkpoint_seq DESC LIMIT 2;
-- where a checkpoint waits for its packages, what those behind it cover is known all the same
BEGIN;
CREATE TEMP TABLE ranges ON COMMIT DROP AS SELECT * FROM ledger.leaf_range;
SELECT set_config('ecert.node', 'reader', true) AS node;
ALTER TABLE ledger.package DISABLE TRIGGER USER;
DELETE FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy';
SELECT ecert.rebuild_tree() AS checkpoints;
SELECT count(*) > 10 AND count(*) = count(*) FILTER (WHERE r = l) AS same FROM pg_temp.ranges r FULL JOIN ledger.leaf_range l USING (issuer, kind, last_seq);
ROLLBACK;
-- nothing is sealed over tiles and leaf ranges that somebody has damaged
BEGIN;
UPDATE ledger.tile SET hashes = set_byte(hashes, 10, (get_byte(hashes, 10) + 1) % 256) WHERE level = 0 AND index = (SELECT max(index) FROM ledger.tile WHERE level = 0);
SELECT ecert.append('node', ecert.node_state('supplier'), 'supplier') IS NOT NULL AS appended;
SAVEPOINT damaged;
SELECT ecert.checkpoint();
ROLLBACK;
BEGIN;
DELETE FROM ledger.leaf_range;
SAVEPOINT damaged;
SELECT ecert.checkpoint();
ROLLBACK;
BEGIN;
DELETE FROM ledger.leaf_range WHERE issuer = 'certifier' AND kind = 'node';
SELECT ecert.append('node', ecert.node_state('supplier'), 'supplier') IS NOT NULL AS appended;
SAVEPOINT damaged;
SELECT ecert.checkpoint();
ROLLBACK TO damaged;
SELECT ecert.rebuild_tree() AS checkpoints;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT * FROM ecert.problems();
ROLLBACK;
-- removing the newest packages of a feed is seen now
ALTER TABLE ledger.package DISABLE TRIGGER USER;
DELETE FROM ledger.package WHERE issuer = 'plant-es256' AND kind = 'energy' AND seq = 10;
ALTER TABLE ledger.package ENABLE TRIGGER USER;
SELECT * FROM ecert.problems();
SELECT ecert.rebuild_tree() AS checkpoints;
SELECT checkpoint_seq, outcome, detail FROM ledger.checkpoint ORDER BY checkpoint_seq;
-- and such a ledger is not sealed again
\set who buyer
:become
DELETE FROM ledger.witnessed;
SELECT ecert.append('witness', jsonb_build_object('checkpoint', checkpoint_hash, 'size', tree_size, 'root', root)) IS NOT NULL AS appended FROM ledger.checkpoint WHERE checkpoint_seq = 0;
\set who certifier
:become
SELECT ecert.checkpoint();
DROP SCHEMA ledger CASCADE;
-- more feeds than fit in one package: one sealing of as many parts as it takes, of one look at the ledger
SELECT ecert.create_ledger('many.test') IS NOT NULL AS made;
SELECT count(ecert.enroll(rpad('plant-' || n, 200, '.'), '{applicant}', test_keys.public(rpad('plant-' || n, 200, '.')))) FROM generate_series(1, 600) AS n;
SELECT count(*) FROM (SELECT test_keys.become(rpad('plant-' || n, 200, '.')),
  ecert.append('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}') FROM generate_series(1, 600) AS n) AS a;
CALL test_keys.be('certifier');
SELECT ecert.checkpoint() AS newest \gset
SELECT seq, hash = :'newest' AS is_given_back FROM ledger.package WHERE kind = 'checkpoint' ORDER BY seq;
SELECT checkpoint_seq, part, tree_size, package_count, feed_count, outcome, note IS NOT NULL AS has_note FROM ledger.checkpoint ORDER BY 1;
SELECT count(DISTINCT issued_at) AS times FROM ledger.package WHERE kind = 'checkpoint';
SELECT checkpoint_seq, count(*) AS feeds FROM ledger.leaf_range GROUP BY 1;
SELECT * FROM ecert.problems();
SELECT count(*) AS receipts, bool_and(ecert.verify_receipt(package, ecert.receipt(hash), ecert.public_key('seal'))) AS verify FROM ledger.package WHERE kind = 'energy';
-- then nothing is new but the checkpoints
SELECT ecert.has_unsealed() AS something_is_new;
SELECT ecert.checkpoint() IS NOT NULL AS made;
SELECT checkpoint_seq, tree_size, package_count, feed_count, outcome FROM ledger.checkpoint ORDER BY 1;
DROP SCHEMA ledger CASCADE;
