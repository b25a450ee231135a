-- Rewards: who is paid for which audit, how much, and how often.
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
CREATE SCHEMA reward_test;
CREATE FUNCTION reward_test.newest() RETURNS text LANGUAGE sql AS $$ SELECT encode((ecert.newest_checkpoint()).hash, 'hex') $$;
CREATE FUNCTION reward_test.policy(reward jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT ecert.default_policy() || '{"coefficients": [{"source": "fuel", "unit": "kgce", "kgce": 1}],
        "audit": {"required": [], "upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01}, "peer": {"k": 3, "floor": 0, "band": 0.2, "minimum": 1}, "audit_days": 30}}' || jsonb_build_object('reward', reward)
$$;
SELECT ecert.create_ledger('reward.test', reward_test.policy('{"upstream": 5, "peer": 3, "downstream": 0, "unit": "point"}')) IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant,auditor}', test_keys.public(n))) FROM unnest(ARRAY['plant', 'neighbour', 'supplier', 'other supplier', 'buyer']) AS n;
SELECT count(ecert.relate(r.auditor, 'plant', r.as_role))
  FROM (VALUES ('supplier', 'upstream'), ('supplier', 'downstream'), ('other supplier', 'upstream'), ('neighbour', 'peer'), ('buyer', 'downstream')) AS r (auditor, as_role);
CREATE FUNCTION reward_test.declare(kind text, period tstzrange, line jsonb, replaces bytea DEFAULT NULL) RETURNS bytea LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    hash bytea;
BEGIN
    PERFORM test_keys.become('plant', true);
    hash := ecert.append(kind, jsonb_build_object('period', ecert.period_json(period), 'lines', jsonb_build_array(line))
        || ecert.correction(replaces, CASE WHEN replaces IS NOT NULL THEN 'corrected' END));
    PERFORM test_keys.become('certifier', true);
    RETURN hash;
END $$;
-- what an audit is called by: auditor, role, months, verdict
CREATE FUNCTION reward_test.submit(auditor text, period tstzrange, as_role text) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    submitted bytea;
BEGIN
    PERFORM test_keys.become(auditor, true);
    submitted := ecert.submit_audit('plant', period, as_role);
    PERFORM test_keys.become('certifier', true);
    RETURN (SELECT ecert.body(p.package) ->> 'verdict' FROM ledger.package p WHERE p.hash = submitted);
END $$;
CREATE VIEW reward_test.paid AS
    SELECT r.auditor, a.as_role, a.verdict, a.period_start::date, a.period_end::date, trim_scale(r.amount) AS amount
      FROM ledger.reward r JOIN ledger.audit a ON a.audit_hash = r.audit_hash;

SELECT count(reward_test.declare('energy', m.period, '{"source": "fuel", "unit": "kgce", "quantity": 100}')), count(reward_test.declare('product', m.period, '{"product": "steel", "unit": "t", "output": 1, "qualified": 1}'))
  FROM (SELECT tstzrange(make_timestamptz(2024, m, 1, 0, 0, 0), make_timestamptz(2024, m + 1, 1, 0, 0, 0)) AS period FROM generate_series(1, 4) AS m ORDER BY m) AS m;
INSERT INTO ledger.delivery (node, applicant, source, unit, period_start, period_end, quantity) VALUES
 ('supplier', 'plant', 'fuel', 'kgce', '2024-01-01', '2024-02-01', 100), ('supplier', 'plant', 'fuel', 'kgce', '2024-02-01', '2024-03-01', 130), ('supplier', 'plant', 'fuel', 'kgce', '2024-03-01', '2024-04-01', 100);
INSERT INTO ledger.purchase (node, applicant, product, unit, period_start, period_end, quantity) VALUES ('buyer', 'plant', 'steel', 't', '2024-01-01', '2024-02-01', 1);

-- nothing to pay
SELECT count(*) AS not_sealed FROM ecert.reward();
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
-- pass and fail are paid alike; who abstains has not completed an audit; nothing is paid where the policy gives nothing
SELECT reward_test.submit('supplier', '[2024-01-01,2024-02-01)', 'upstream');
SELECT reward_test.submit('supplier', '[2024-02-01,2024-03-01)', 'upstream');
SELECT reward_test.submit('other supplier', '[2024-01-01,2024-02-01)', 'upstream');
SELECT reward_test.submit('buyer', '[2024-01-01,2024-02-01)', 'downstream');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
SELECT * FROM reward_test.paid ORDER BY 1, 2, 4, 5;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();

-- the same two months again in one audit cover nothing new; with a month more they do
SELECT reward_test.submit('supplier', '[2024-01-01,2024-03-01)', 'upstream');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
\set VERBOSITY sqlstate
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', auditor, 'amount', 5, 'checkpoint', reward_test.newest()), auditor) FROM ledger.audit WHERE package_count = 2;
\set VERBOSITY terse
SELECT reward_test.submit('supplier', '[2024-01-01,2024-04-01)', 'upstream');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
-- two audits at once over one month: the first is paid
SELECT reward_test.submit('neighbour', '[2024-04-01,2024-05-01)', 'peer');
SELECT reward_test.submit('neighbour', '[2024-03-01,2024-05-01)', 'peer');
SELECT reward_test.submit('neighbour', '[2024-03-01,2024-04-01)', 'peer');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
SELECT * FROM reward_test.paid ORDER BY 1, 2, 4, 5;

-- a package is replaced, its audits are overtaken, and can be done and paid again; the others not
SELECT reward_test.declare('energy', '[2024-02-01,2024-03-01)', '{"source": "fuel", "unit": "kgce", "quantity": 130}', (SELECT hash FROM ledger.package WHERE issuer = 'plant' AND kind = 'energy' AND seq = 1)) IS NOT NULL AS corrected;
SELECT auditor, as_role, period_start::date, period_end::date, verdict, overtaken FROM ledger.audit ORDER BY 1, 2, 3, 4;
SELECT reward_test.submit('supplier', '[2024-02-01,2024-03-01)', 'upstream');
SELECT reward_test.submit('supplier', '[2024-01-01,2024-02-01)', 'upstream');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
-- the policy's amount of the day; what was paid before stays
SELECT ecert.set_policy(reward_test.policy('{"upstream": 5.5, "peer": 3, "downstream": 2, "unit": "point"}')) IS NOT NULL AS set;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
SELECT reward_test.submit('supplier', '[2024-03-01,2024-04-01)', 'upstream');
INSERT INTO ledger.delivery (node, applicant, source, unit, period_start, period_end, quantity) VALUES ('supplier', 'plant', 'fuel', 'kgce', '2024-04-01', '2024-05-01', 100);
SELECT reward_test.submit('supplier', '[2024-04-01,2024-05-01)', 'upstream');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
SELECT * FROM reward_test.paid ORDER BY 1, 2, 4, 5, 6;
SELECT auditor, reward_count, trim_scale(amount) AS amount FROM ledger.reward_balance ORDER BY 1;

-- made-up rewards: of an audit paid already, of somebody else's, of none, of an abstention, of another amount, by somebody who is no certifier
\set VERBOSITY sqlstate
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', auditor, 'amount', 5.5, 'checkpoint', reward_test.newest()), auditor) FROM ledger.reward WHERE auditor = 'supplier' LIMIT 1;
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', 'buyer', 'amount', 5.5, 'checkpoint', reward_test.newest()), 'buyer') FROM ledger.reward WHERE auditor = 'supplier' LIMIT 1;
SELECT ecert.append('reward', jsonb_build_object('audit', repeat('0', 64), 'auditor', 'buyer', 'amount', 2, 'checkpoint', reward_test.newest()), 'buyer');
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', auditor, 'amount', 5.5, 'checkpoint', reward_test.newest()), auditor) FROM ledger.audit WHERE verdict = 'abstain';
SELECT reward_test.declare('energy', '[2024-05-01,2024-06-01)', '{"source": "fuel", "unit": "kgce", "quantity": 100}') IS NOT NULL AS declared;
INSERT INTO ledger.delivery (node, applicant, source, unit, period_start, period_end, quantity) VALUES ('supplier', 'plant', 'fuel', 'kgce', '2024-05-01', '2024-06-01', 100);
SELECT reward_test.submit('supplier', '[2024-05-01,2024-06-01)', 'upstream');
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', auditor, 'amount', 55, 'checkpoint', reward_test.newest()), auditor) FROM ledger.audit WHERE period_start = '2024-05-01';
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', auditor, 'amount', 5.5, 'checkpoint', reward_test.newest()), 'plant') FROM ledger.audit WHERE period_start = '2024-05-01';
CALL test_keys.be('supplier');
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', auditor, 'amount', 5.5, 'checkpoint', reward_test.newest()), auditor) FROM ledger.audit WHERE period_start = '2024-05-01';
SELECT ecert.reward();
\set VERBOSITY terse
CALL test_keys.be('certifier');
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', auditor, 'amount', 5.50, 'checkpoint', reward_test.newest()), auditor) IS NOT NULL AS by_hand FROM ledger.audit WHERE period_start = '2024-05-01';
SELECT * FROM ecert.problems();
DROP SCHEMA reward_test CASCADE;
DROP SCHEMA ledger CASCADE;
