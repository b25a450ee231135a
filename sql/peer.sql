-- What comes from peers: in any order it ends as the same ledger; what is known is skipped, what cannot be is kept as evidence.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
CREATE SCHEMA peer_test;
SELECT set_config('peer_test.keys', :'abs_srcdir' || '/test/keys/', false) IS NOT NULL AS keys;
CREATE FUNCTION peer_test.become(node text, key text) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('ecert.node', node, false), set_config('ecert.signing_key', current_setting('peer_test.keys') || key || '.pem', false) $$;
CREATE FUNCTION peer_test.key(key text) RETURNS text LANGUAGE sql AS $$ SELECT pg_read_file(current_setting('peer_test.keys') || key || '.pub.pem') $$;

-- a ledger with a package of every kind that has a rule
SELECT FROM peer_test.become('certifier', 'certifier');
SELECT ecert.create_ledger('peer.test', jsonb_set(jsonb_set(ecert.default_policy(), '{calendar,statistics}', '"month"'), '{certificate,automatic,days}', '36500') || '{"audit": {"required": [{"as": "upstream", "count": 1}],
    "upstream": {"tolerance": 0.02}, "downstream": {"tolerance": 0.02}, "peer": {"k": 3, "floor": 0, "band": 0.3, "minimum": 3}, "audit_days": 30}}') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant,auditor}', peer_test.key(k), effective => '2024-06-01')) FROM (VALUES ('plant', 'plant-a'), ('mine', 'plant-c')) AS e (n, k);
SELECT ecert.relate('mine', 'plant', 'upstream') IS NOT NULL AS related;
SELECT ecert.set_policy(ecert.policy()) IS NOT NULL AS policy;
SELECT FROM peer_test.become('plant', 'plant-a');
INSERT INTO ledger.reading (source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
    ('raw_coal', 't', 'steel', 'mine', '2024-01-01', '2024-02-01', 1000), ('raw_coal', 't', 'steel', 'mine', '2025-01-01', '2025-02-01', 1050);
INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES
    ('steel', 't', '2024-01-01', '2024-02-01', 5100, 5000), ('steel', 't', '2025-01-01', '2025-02-01', 5660, 5600);
CALL ecert.run_duties();
-- a correction, so that a package replaces another
SELECT ecert.pack_energy('[2025-01-01,2025-02-01)', p.hash, 'meter read again') IS NOT NULL AS corrected FROM ledger.package p WHERE p.kind = 'energy' AND p.seq = 1;
SELECT FROM peer_test.become('mine', 'plant-c');
INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity) VALUES
    ('plant', 'raw_coal', 't', '2024-01-01', '2024-02-01', 1004), ('plant', 'raw_coal', 't', '2025-01-01', '2025-02-01', 1047);
CALL ecert.run_duties();
SELECT FROM peer_test.become('certifier', 'certifier');
CALL ecert.run_duties();
SELECT ecert.set_status(hash, 'suspended', 'a question') IS NOT NULL AS suspended FROM ledger.package WHERE kind = 'certificate';
SELECT duty, subject, coalesce(sqlstate, 'done') AS state, outcome FROM ledger.duty_log ORDER BY duty, subject;
CREATE TABLE peer_test.package AS SELECT row_number() OVER (ORDER BY recorded_at, issuer, kind, seq) AS n, kind, hash, package::bytea AS bytes FROM ledger.package;
SELECT kind, count(*) FROM peer_test.package GROUP BY kind ORDER BY kind;

-- another node's copy of it, filled in twelve orders: forwards, backwards, and by chance
CREATE FUNCTION peer_test.fill(seed text) RETURNS TABLE (admitted bigint, pending bigint, quarantined bigint, left_over bigint, equal boolean, problems bigint)
LANGUAGE plpgsql AS $$
DECLARE
    p record;
    became text;
BEGIN
    DROP SCHEMA IF EXISTS ledger CASCADE;
    PERFORM ecert.join_ledger((SELECT ecert.package(bytes) FROM peer_test.package WHERE kind = 'genesis'));
    admitted := 0; pending := 0; quarantined := 0;
    FOR p IN SELECT * FROM peer_test.package WHERE kind <> 'genesis'
              ORDER BY CASE seed WHEN 'forwards' THEN lpad(n::text, 9, '0') WHEN 'backwards' THEN lpad((1000 - n)::text, 9, '0') ELSE md5(seed || n) END LOOP
        became := ecert.admit_from_peer(p.bytes, 'hub');
        admitted := admitted + (became = 'admitted')::integer;
        pending := pending + (became = 'pending')::integer;
        quarantined := quarantined + (became = 'quarantined')::integer;
    END LOOP;
    SELECT count(*) INTO left_over FROM ledger.pending;
    SELECT bool_and(l.hash IS NOT NULL) INTO equal FROM peer_test.package t LEFT JOIN ledger.package l ON l.hash = t.hash;
    SELECT count(*) INTO problems FROM ecert.problems();
    RETURN NEXT;
END $$;
SELECT FROM peer_test.become('reader', 'plant-a');
SELECT * FROM peer_test.fill('forwards');
-- what waits is found in the indexes, row by row: the pages of a bitmap are read by another process from PostgreSQL 18 on
BEGIN;
SELECT pending > 10 AS most_wait, quarantined, left_over, equal, problems FROM peer_test.fill('backwards');
SELECT pg_stat_get_xact_tuples_fetched('ledger.pending_waits_for'::regclass) > 0 AS by_what_it_waits_for, pg_stat_get_xact_tuples_fetched('ledger.pending_pkey'::regclass) > 0 AS by_hash;
COMMIT;
SELECT bool_or(f.pending > 0) AS some_wait, sum(f.quarantined) AS quarantined, sum(f.left_over) AS left_over, bool_and(f.equal) AS equal, sum(f.problems) AS problems
  FROM generate_series(1, 10) AS seed CROSS JOIN LATERAL peer_test.fill(seed::text) AS f;
-- everything once more is known
SELECT ecert.admit_from_peer(bytes, 'hub') AS became, count(*) FROM peer_test.package GROUP BY 1;
-- a row that somebody has moved here is found, and the true one comes back
ALTER TABLE ledger.package DISABLE TRIGGER USER;
UPDATE ledger.package SET seq = 99 WHERE kind = 'product' AND seq = 1;
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit;
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row;
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_statement;
SELECT seq, split_part(problem, '(', 1) AS problem FROM ecert.problems() WHERE kind = 'product';
SELECT ecert.admit_from_peer(bytes, 'hub') AS became FROM peer_test.package WHERE kind = 'product' AND ecert.seq(ecert.package(bytes)) = 1;
SELECT seq, split_part(problem, '(', 1) AS problem FROM ecert.problems() WHERE kind = 'product';
-- what something keeps from being stored is said, and nothing hangs
SELECT admitted > 10 AS admitted, left_over FROM peer_test.fill('forwards');
ALTER TABLE ledger.package DISABLE TRIGGER USER;
DELETE FROM ledger.package WHERE kind = 'product' AND seq = 1;
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit;
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row;
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_statement;
CREATE FUNCTION peer_test.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION peer_test.swallow();
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER swallow;
SELECT ecert.admit_from_peer(bytes, 'hub') AS became FROM peer_test.package WHERE kind = 'product' AND ecert.seq(ecert.package(bytes)) = 1;
SELECT kind, seq, sqlstate, reason FROM ledger.quarantine;
-- what waits says for what
SELECT admitted, left_over FROM peer_test.fill('forwards');
DROP SCHEMA ledger CASCADE;
SELECT ecert.join_ledger((SELECT ecert.package(bytes) FROM peer_test.package WHERE kind = 'genesis'));
SELECT ecert.admit_from_peer(bytes, 'hub') AS became, count(*) FROM peer_test.package WHERE kind IN ('energy', 'audit', 'status', 'reward', 'relation', 'certificate') GROUP BY 1;
SELECT kind, seq, sqlstate, regexp_replace(waits_for, '[0-9a-f]{64}', '<hash>') AS waits_for, peer FROM ledger.pending ORDER BY kind, seq;
SELECT ecert.drain_pending() AS nothing_yet;
SELECT item, state, value FROM ledger.health WHERE item IN ('pending', 'quarantine');

-- what can never be admitted: one changed byte anywhere, in every kind
SELECT admitted, left_over FROM peer_test.fill('forwards');
DROP SCHEMA ledger CASCADE;
SELECT ecert.join_ledger((SELECT ecert.package(bytes) FROM peer_test.package WHERE kind = 'genesis'));
SELECT p.kind, count(*) FILTER (WHERE r.became = 'admitted') AS admitted, count(*) > 0 AS tried
  FROM peer_test.package p CROSS JOIN LATERAL (SELECT ecert.admit_from_peer(set_byte(p.bytes, at, (get_byte(p.bytes, at) + 1) % 256), 'hub') AS became
         FROM generate_series(0, octet_length(p.bytes) - 1, greatest(octet_length(p.bytes) / 40, 1)) AS at) AS r GROUP BY p.kind ORDER BY p.kind;
SELECT count(*) > 100 AS many, bool_and(sqlstate ~ '^EC0(0[1-46]|1[0-7]|2[0-3]|30|4[01])$') AS each_says_why FROM ledger.quarantine;
-- the true packages are admitted all the same, and what waited for the false ones is judged
SELECT ecert.admit_from_peer(bytes, 'hub') AS became, count(*) FROM peer_test.package GROUP BY 1 ORDER BY 1;
SELECT count(*) AS on_the_ledger FROM ledger.package;
SELECT count(*) FROM ecert.problems();
SELECT count(*) AS proofs FROM ledger.equivocation;
-- bytes that are no package; of another ledger; another genesis; what is too large is kept in part
SELECT ecert.admit_from_peer('', 'hub'), ecert.admit_from_peer('\x00', 'hub'), ecert.admit_from_peer(decode(repeat('00', 70000), 'hex'), 'hub');
SELECT sqlstate, reason, octet_length(bytes) AS kept_bytes FROM ledger.quarantine WHERE kind = '' AND octet_length(bytes) IN (0, 1, 65536) ORDER BY octet_length(bytes);
CREATE TABLE peer_test.here AS SELECT package::bytea AS bytes FROM ledger.package WHERE kind IN ('genesis', 'node');
DROP SCHEMA ledger CASCADE;
SELECT FROM peer_test.become('certifier', 'certifier');
SELECT ecert.create_ledger('other.test') IS NOT NULL AS made;
SELECT ecert.admit_from_peer(bytes, 'hub') FROM peer_test.here;
SELECT kind, sqlstate, reason, peer FROM ledger.quarantine ORDER BY kind, seq;
SELECT ecert.retry_quarantined() AS admitted, (SELECT count(*) FROM ledger.quarantine) AS still_there;

-- the enrolment arrives after what the node has signed with the key: nobody has to call anything
SELECT FROM peer_test.become('late', 'plant-a');
SELECT ecert.sign('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}')::bytea AS early \gset
SELECT ecert.admit_from_peer(:'early', 'late');
SELECT waits_for FROM ledger.pending;
SELECT FROM peer_test.become('certifier', 'certifier');
SELECT ecert.append('node', jsonb_build_object('node', 'late', 'name', 'late', 'roles', '["applicant"]'::jsonb, 'status', 'active', 'effective', since,
    'keys', jsonb_build_array(ecert.key_entry(peer_test.key('plant-a')) || jsonb_build_object('effective', since))), 'late') IS NOT NULL AS enrolled
  FROM ecert.unix_seconds(ecert.issued_at((:'early'::bytea)::ecert.package)) AS since;
SELECT count(*) AS pending, (SELECT count(*) FROM ledger.package WHERE issuer = 'late') AS admitted FROM ledger.pending;

-- a row filter and its twin in SQL say the same
SELECT bool_and(a.sent = f.sent) AS agree, count(*) AS feeds
  FROM (VALUES (NULL::text[], NULL::text[]), ('{plant}', '{energy}'), ('{plant}', NULL), (NULL, '{product,audit}'), (NULL, '{certificate}'), ('{mine}', '{energy,certificate}'), ('{}', '{}')) AS w (issuers, kinds)
 CROSS JOIN unnest('{genesis,node,relation,policy,energy,product,audit,certificate,status,reward,checkpoint,witness}'::text[]) AS k (kind)
 CROSS JOIN unnest('{plant,mine,me,certifier}'::text[]) AS i (issuer)
 CROSS JOIN LATERAL (SELECT ecert.is_sent('me', w.issuers, w.kinds, 'certifier', k.kind, i.issuer) AS sent) AS a
 CROSS JOIN LATERAL (SELECT (xpath('/table/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM (VALUES (%L, %L)) AS p (kind, issuer) WHERE %s',
        k.kind, i.issuer, ecert.feed_filter('me', w.issuers, w.kinds, 'certifier')), true, false, '')))[1]::text = '1' AS sent) AS f;
-- names of links: whatever the ids, fit for slots, and never the same
SELECT bool_and(l ~ '^[a-z0-9_]{1,63}$') AS fit, count(DISTINCT l) AS names
  FROM (VALUES ('plant', 'hub'), ('hub', 'plant'), ('Plant', 'hub'), (E'\u7535\u5382 "1"', 'hub'), (repeat('x', 200), repeat('y', 200))) AS n (a, b) CROSS JOIN LATERAL ecert.link_name(n.a, n.b) AS l;
-- links that cannot be
SELECT ecert.join_ledger((SELECT ecert.package(bytes) FROM peer_test.package WHERE kind = 'genesis'));
SELECT ecert.join_ledger((SELECT ecert.package(bytes) FROM peer_test.package WHERE kind = 'energy' LIMIT 1));
SELECT ecert.leave_ledger();
SELECT ecert.dismiss_node('nobody');
SELECT ecert.admit_node('certifier', NULL);
SELECT ecert.compare_with('nobody');
SELECT ecert.resume(NULL, 'host=nowhere');
SELECT ecert.catch_up() AS pulled;
DROP SCHEMA ledger CASCADE;
DROP SCHEMA peer_test CASCADE;
