-- Which certificates stand: what comes after one can dispute it, or take away what it rests on. The view judges nothing while it is read.
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
SET DateStyle = 'ISO';
SELECT set_config('ecert.node', 'certifier', false) AS node, set_config('ecert.signing_key', :'abs_srcdir' || '/test/keys/certifier.pem', false) IS NOT NULL AS has_key;
SELECT ecert.create_ledger('standing.test', ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}], "upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01},
    "peer": {"k": 3, "floor": 0, "band": 0.2, "minimum": 3}, "audit_days": 30}}') IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant}', test_keys.public(n), 'Works ' || n)) FROM unnest('{plant,works}'::text[]) AS n;
SELECT count(ecert.enroll(n, '{auditor}', test_keys.public(n))) FROM unnest('{supplier,rival,quitter}'::text[]) AS n;
SELECT count(ecert.relate(a, n, r)) FROM (VALUES ('supplier', 'upstream'), ('rival', 'peer'), ('quitter', 'peer')) AS v (a, r), unnest('{plant,works}'::text[]) AS n;
CREATE SCHEMA standing_test;
CREATE FUNCTION standing_test.declare(applicant text, kind text, period tstzrange, lines jsonb, replaces bytea DEFAULT NULL) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    made bytea;
BEGIN
    PERFORM test_keys.become(applicant, true);
    made := ecert.append(kind, jsonb_build_object('period', ecert.period_json(period), 'lines', lines) || ecert.correction(replaces, CASE WHEN replaces IS NOT NULL THEN 'corrected' END));
    PERFORM test_keys.become('certifier', true);
    RETURN made;
END $$;
CREATE FUNCTION standing_test.fuel(applicant text, period tstzrange, quantity numeric, replaces bytea DEFAULT NULL) RETURNS bytea LANGUAGE sql AS $$
    SELECT standing_test.declare(applicant, 'energy', period, jsonb_build_array('{"source": "electricity", "unit": "kWh"}'::jsonb || jsonb_build_object('quantity', quantity)), replaces) $$;
-- an auditor says of the live energy packages of a time what it is told to say
CREATE FUNCTION standing_test.audit(auditor text, as_role text, applicant text, period tstzrange, verdict text) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    PERFORM test_keys.become(auditor, true);
    PERFORM ecert.append('audit', jsonb_build_object('applicant', applicant, 'period', ecert.period_json(period), 'as', as_role, 'verdict', verdict, 'checks', '[]'::jsonb,
        'policy', encode(ecert.policy_hash(), 'hex'), 'checked', jsonb_build_array(jsonb_build_object('kind', 'energy', 'first', p.first, 'last', p.last, 'hash', p.hash))), applicant)
       FROM (SELECT min(l.seq), max(l.seq), encode((array_agg(l.hash ORDER BY l.seq DESC))[1], 'hex') FROM ecert.live_packages(applicant, 'energy', period) AS l) AS p (first, last, hash);
    PERFORM test_keys.become('certifier', true);
    RETURN true;
END $$;
CREATE VIEW standing_test.shown AS
    SELECT certificate_number, applicant, recomputation, standing, regexp_replace(standing_reason, '[0-9a-f]{64}', '<hash>', 'g') AS reason, standing_since IS NOT NULL AS has_since, status FROM ledger.certificate;
CREATE VIEW standing_test.health AS
    SELECT state, value, regexp_replace(detail, '[0-9a-f]{64}', '<hash>', 'g') AS detail FROM ledger.health WHERE item = 'certificate';
SELECT count(standing_test.fuel(n, m, q)), count(standing_test.declare(n, 'product', m, '[{"product": "steel", "unit": "t", "output": 10, "qualified": 10}]')),
       count(standing_test.audit('supplier', 'upstream', n, m, 'pass'))
  FROM (SELECT n, m::tstzrange, q FROM unnest('{plant,works}'::text[]) AS n, (VALUES ('[2023-01-01,2023-02-01)', 1000), ('[2024-01-01,2024-02-01)', 900)) AS v (m, q) ORDER BY n, m) AS d (n, m, q);
SELECT count(standing_test.audit('quitter', 'peer', n, '[2024-01-01,2024-02-01)', 'pass')) FROM unnest('{plant,works}'::text[]) AS n;
SELECT count(ecert.certify(n, '[2024-01-01,2024-02-01)')) FROM unnest('{plant,works}'::text[]) AS n;
SELECT * FROM standing_test.shown ORDER BY 1;
SELECT * FROM standing_test.health;
SELECT ecert.judge_certificates() AS have_another_standing;
-- for good, when a checkpoint covers them
SELECT count(*) FILTER (WHERE is_final) FROM ledger.certificate_state;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FILTER (WHERE is_final) FROM ledger.certificate_state;

-- what takes nothing away: later months, an audit that passes, one of the month after, a new key
SELECT standing_test.fuel('plant', '[2024-02-01,2024-03-01)', 900) IS NOT NULL AS declared, standing_test.audit('rival', 'peer', 'plant', '[2024-02-01,2024-03-01)', 'fail'),
       standing_test.audit('rival', 'peer', 'plant', '[2024-01-01,2024-02-01)', 'pass');
SELECT issuer, kind, seen_seq, last_seq FROM ecert.moves_certificates(ARRAY(SELECT (m.issuer, m.kind)::ecert.feed FROM ecert.moved('certificates') AS m)) WHERE kind <> 'node' ORDER BY 1, 2;
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT * FROM standing_test.shown ORDER BY 1;
-- an audit that says fail and that the checkpoint does not cover
SELECT standing_test.audit('rival', 'peer', 'plant', '[2023-01-01,2023-02-01)', 'fail');
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT * FROM standing_test.shown ORDER BY 1;
SELECT * FROM standing_test.health;
-- another node's screen, and the applicant's
SELECT test_keys.become('rival');
SELECT * FROM standing_test.health;
SELECT test_keys.become('plant');
SELECT state, value FROM standing_test.health;
SELECT test_keys.become('certifier');
-- a package that was corrected: that is graver
SELECT standing_test.fuel('plant', '[2024-01-01,2024-02-01)', 950, (SELECT hash FROM ecert.live_packages('plant', 'energy', '[2024-01-01,2024-02-01)'))) IS NOT NULL AS corrected;
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT * FROM standing_test.shown ORDER BY 1;
-- an auditor whose key had ended before it audited
SELECT ecert.revoke_node('quitter', 'key stolen', now() - interval '1 day') IS NOT NULL AS revoked;
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT * FROM standing_test.shown ORDER BY 1;
SELECT state, value FROM standing_test.health;
-- anew it comes out the same, and so it does by itself
SELECT c.* INTO TEMP before FROM ledger.certificate AS c;
SELECT ecert.rebuild_certificates() AS certificates;
SELECT count(*) FROM (TABLE before EXCEPT TABLE ledger.certificate) AS differs;
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT s.standing = c.standing AND s.why = c.standing_reason AND s.since = c.standing_since AS same
  FROM ledger.certificate AS c JOIN ledger.package p ON encode(p.hash, 'hex') = c.certificate_hash CROSS JOIN LATERAL ecert.certificate_standing(p.package) AS s;
SELECT * FROM ecert.certificate_standing((SELECT package FROM ledger.package WHERE kind = 'genesis'));
-- what is withdrawn is nobody's alarm
SELECT count(ecert.set_status(hash, 'withdrawn', 'rests on a void audit')) FROM ledger.package WHERE kind = 'certificate';
SELECT certificate_number, standing, status FROM standing_test.shown ORDER BY 1;
SELECT * FROM standing_test.health;
-- nothing of it is a problem
SELECT * FROM ecert.problems();
-- a new one, over what is live now
SELECT standing_test.audit('supplier', 'upstream', 'plant', '[2024-01-01,2024-02-01)', 'pass');
SELECT ecert.certify('works', '[2024-01-01,2024-02-01)') IS NOT NULL AS certified;
SELECT certificate_number, standing, status FROM standing_test.shown ORDER BY 1;
SELECT * FROM standing_test.health;

-- an audit over it that is overtaken, because a package that it checked beside was corrected
SELECT ecert.set_status(hash, 'withdrawn', 'to be audited further') IS NOT NULL AS withdrawn FROM ledger.package WHERE kind = 'certificate' AND seq = 2;
SELECT standing_test.fuel('works', '[2024-02-01,2024-03-01)', 900) IS NOT NULL AS declared, standing_test.audit('rival', 'peer', 'works', '[2024-01-01,2024-03-01)', 'pass');
SELECT ecert.certify('works', '[2024-01-01,2024-02-01)') IS NOT NULL AS certified;
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT standing_test.fuel('works', '[2024-02-01,2024-03-01)', 800, (SELECT hash FROM ecert.live_packages('works', 'energy', '[2024-02-01,2024-03-01)'))) IS NOT NULL AS corrected;
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT * FROM standing_test.shown WHERE status = 'active';

-- two checkpoints with one seq, and a certificate on the one that is not this ledger's
SELECT ecert.set_status(hash, 'withdrawn', 'to be told twice') IS NOT NULL AS withdrawn FROM ledger.package WHERE kind = 'certificate' AND seq = 3;
BEGIN;
SELECT ecert.certify('works', '[2024-01-01,2024-02-01)') IS NOT NULL AS certified;
SELECT encode(hash, 'hex') AS other_hash, package::bytea AS other_checkpoint FROM ledger.package WHERE kind = 'checkpoint' ORDER BY seq DESC LIMIT 1 \gset
SELECT package::bytea AS certificate FROM ledger.package WHERE kind = 'certificate' ORDER BY seq DESC LIMIT 1 \gset
ROLLBACK;
SELECT ecert.relate('rival', 'works', 'peer') IS NOT NULL AS related, ecert.checkpoint() IS NOT NULL AS sealed;
CREATE TABLE standing_test.package AS SELECT package::bytea AS bytes, recorded_at, ecert.kind(package) AS kind FROM ledger.package;
-- the certifier has it under its next checkpoint, past its own server's rules
SET ecert.allow_ledger_ddl = on;
ALTER TABLE ledger.package DISABLE TRIGGER ecert_admit;
INSERT INTO ledger.package (issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)
SELECT ecert.issuer(p), ecert.kind(p), ecert.seq(p), ecert.subject(p), ecert.period(p), ecert.issued_at(p), ecert.hash(p), p, now() FROM (SELECT ecert.package(:'certificate'::bytea)) AS c (p);
ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit;
SELECT ecert.note_moved(ARRAY[('certifier', 'certificate')::ecert.feed]), ecert.checkpoint() IS NOT NULL AS sealed;
SELECT certificate_number, standing, reason FROM standing_test.shown WHERE status = 'active';
SELECT package::bytea AS covering FROM ledger.package WHERE kind = 'checkpoint' ORDER BY seq DESC LIMIT 1 \gset
-- a node that has this ledger's story: it waits, until the other story is known
CREATE FUNCTION standing_test.join() RETURNS TABLE (became text, count bigint) LANGUAGE plpgsql AS $$
BEGIN
    DROP SCHEMA ledger CASCADE;
    PERFORM ecert.join_ledger((SELECT ecert.package(bytes) FROM standing_test.package p WHERE p.kind = 'genesis'));
    RETURN QUERY SELECT ecert.admit_from_peer(p.bytes, 'hub'), count(*) FROM (SELECT * FROM standing_test.package ORDER BY recorded_at) AS p WHERE p.kind <> 'genesis' GROUP BY 1;
END $$;
SELECT test_keys.become('reader');
DROP VIEW standing_test.shown, standing_test.health;
SELECT * FROM standing_test.join();
SELECT ecert.admit_from_peer(:'certificate', 'hub');
SELECT kind, sqlstate, waits_for = 'checkpoint ' || :'other_hash' AS waits_for_it FROM ledger.pending;
SELECT ecert.drain_pending() AS nothing_yet, ecert.admit_from_peer(:'other_checkpoint', 'hub');
SELECT kind, sqlstate, regexp_replace(reason, '[0-9a-f]{64}', '<hash>') AS reason FROM ledger.quarantine ORDER BY kind;
SELECT count(*) AS waiting, (SELECT count(*) FROM ledger.equivocation) AS proofs FROM ledger.pending;
-- covered, it is kept and never counts
SELECT ecert.admit_from_peer(:'covering', 'hub');
SELECT certificate_number, standing, regexp_replace(standing_reason, '[0-9a-f]{64}', '<hash>', 'g') AS reason FROM ledger.certificate WHERE status = 'active' ORDER BY 1;
-- what a node that joins is told of the others, once its duties have looked
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT certificate_number, recomputation, finding IS NOT NULL AS has_finding, standing FROM ledger.certificate ORDER BY 1;
SELECT kind FROM ledger.quarantine;
SELECT outcome, count(*) FROM ledger.sealing GROUP BY 1;
-- the other story first
SELECT * FROM standing_test.join();
SELECT ecert.admit_from_peer(:'other_checkpoint', 'hub'), ecert.admit_from_peer(:'certificate', 'hub');
SELECT kind, sqlstate FROM ledger.quarantine ORDER BY kind;
-- the proof alone, as it comes by replication
SELECT first_package AS one, second_package AS other FROM ledger.equivocation \gset
SELECT * FROM standing_test.join();
SELECT ecert.admit_from_peer(:'certificate', 'hub');
INSERT INTO ledger.equivocation (first_package, second_package) VALUES (:'one', :'other');
SELECT ecert.drain_pending() AS admitted;
SELECT count(*) AS waiting FROM ledger.pending;
SELECT kind, sqlstate FROM ledger.quarantine ORDER BY kind;
DROP SCHEMA ledger CASCADE;
DROP SCHEMA standing_test CASCADE;
DROP SCHEMA test_keys CASCADE;
