-- From readings to a certificate: two products, three auditors, every obstacle on the way (oracle O3).
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ecert;
DROP SCHEMA IF EXISTS ledger CASCADE;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\set become 'SELECT set_config(''ecert.node'', :''who'', false) AS node, set_config(''ecert.signing_key'', :''abs_srcdir'' || ''/test/keys/'' || :''who'' || ''.pem'', false) IS NOT NULL AS has_key;'
\set who certifier
:become
SELECT ecert.create_ledger('certificate.test', ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}, {"as": "downstream", "count": 1}],
  "upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01}, "peer": {"k": 3, "floor": 0, "band": 0.5, "minimum": 1}, "audit_days": 30},
  "reward": {"upstream": 5, "peer": 3, "downstream": 2.5, "unit": "point"}}') IS NOT NULL AS made;
SELECT count(ecert.enroll(n.node, n.roles, pg_read_file(:'abs_srcdir' || '/test/keys/' || n.node || '.pub.pem'), n.name))
  FROM (VALUES ('plant-a', '{applicant}'::text[], 'Plant A'), ('plant-b', '{applicant,auditor}', 'Plant B'),
               ('supplier', '{auditor}', 'Coal and gas'), ('buyer', '{auditor}', 'Buyer'), ('stranger', '{auditor}', 'Stranger')) AS n (node, roles, name);
SELECT count(ecert.relate(r.auditor, 'plant-a', r.as_role)) FROM (VALUES ('supplier', 'upstream'), ('buyer', 'downstream'), ('plant-b', 'peer')) AS r (auditor, as_role);

-- the applicant packs what the meters and the shop floor delivered: 2023 and 2024, a month each for brevity
\set who plant-a
:become
INSERT INTO ledger.reading (point, source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
 ('m1', 'raw_coal', 't', 'A', 'supplier', '2023-01-01', '2023-02-01', 1000), ('m2', 'electricity', 'GWh', 'A', NULL, '2023-01-01', '2023-02-01', 2),
 ('m3', 'natural_gas', 'm3', 'B', NULL, '2023-01-01', '2023-02-01', 300000), ('m4', 'electricity', 'MWh', 'B', NULL, '2023-01-01', '2023-02-01', 1500),
 ('m1', 'raw_coal', 't', 'A', 'supplier', '2024-01-01', '2024-02-01', 1050), ('m2', 'electricity', 'GWh', 'A', NULL, '2024-01-01', '2024-02-01', 2.1),
 ('m3', 'natural_gas', 'm3', 'B', NULL, '2024-01-01', '2024-02-01', 260000), ('m4', 'electricity', 'MWh', 'B', NULL, '2024-01-01', '2024-02-01', 1400);
INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified, value, currency, deliveries) VALUES
 ('A', 't', '2023-01-01', '2023-02-01', 5100, 5000, 20000, '10^4 CNY', '[{"buyer": "buyer", "quantity": 4000}]'), ('B', 't', '2023-01-01', '2023-02-01', 2050, 2000, 10000, '10^4 CNY', NULL),
 ('A', 't', '2024-01-01', '2024-02-01', 5660, 5600, 22400, '10^4 CNY', '[{"buyer": "buyer", "quantity": 4400}]'), ('B', 't', '2024-01-01', '2024-02-01', 1840, 1800, 9000, '10^4 CNY', NULL);
SELECT ecert.pack_energy('[2023-01-01,2023-02-01)') IS NOT NULL AS packed;
SELECT ecert.pack_product('[2023-01-01,2023-02-01)') IS NOT NULL AS packed;
SELECT * FROM ecert.assess('plant-a', '[2024-01-01,2024-02-01)');
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)') IS NOT NULL AS packed;
-- packed twice is refused
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)');
SELECT * FROM ecert.obstacles('plant-a', '[2024-01-01,2024-02-01)') ORDER BY 1, 2;
SELECT ecert.pack_product('[2024-01-01,2024-02-01)') IS NOT NULL AS packed;
SELECT * FROM ecert.assess('plant-a', '[2024-01-01,2024-02-01)');
SELECT * FROM ecert.assess('plant-a', '[2024-01-01,2024-02-01)', method => 'value');
-- nobody audits himself, nobody audits without a relation, and not in another role
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'peer');
\set who stranger
:become
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'upstream');
\set who buyer
:become
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'upstream');
SELECT ecert.audit('plant-a', '[2024-01-01,2024-02-01)', 'sideways');

-- the supplier's books agree for 2023, and say more than is declared for 2024
\set who supplier
:become
INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity, stock_change) VALUES
 ('plant-a', 'raw_coal', 'kg', '2023-01-01', '2023-02-01', 1005000, 0), ('plant-a', 'raw_coal', 't', '2024-01-01', '2024-02-01', 1200, 0);
SELECT check_name, source, declared, found, deviation, tolerance, ok, note FROM ecert.audit('plant-a', '[2023-01-01,2023-02-01)', 'upstream');
SELECT check_name, source, declared, found, deviation, tolerance, ok FROM ecert.audit('plant-a', '[2024-01-01,2024-02-01)', 'upstream');
SELECT ecert.submit_audit('plant-a', '[2023-01-01,2023-02-01)', 'upstream') IS NOT NULL AS submitted;
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'upstream') IS NOT NULL AS submitted;
-- the same packages again in the same role are refused
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'upstream');
\set who buyer
:become
INSERT INTO ledger.purchase (applicant, product, unit, period_start, period_end, quantity, value) VALUES
 ('plant-a', 'A', 't', '2023-01-01', '2023-02-01', 4000, 16000), ('plant-a', 'A', 't', '2024-01-01', '2024-02-01', 4400, 17600);
SELECT check_name, product, declared, found, deviation, tolerance, ok, note FROM ecert.audit('plant-a', '[2024-01-01,2024-02-01)', 'downstream');
SELECT ecert.submit_audit('plant-a', r, 'downstream') IS NOT NULL AS submitted FROM unnest(ARRAY['[2023-01-01,2023-02-01)', '[2024-01-01,2024-02-01)']::tstzrange[]) AS r;
\set who certifier
:become
SELECT obstacle, regexp_replace(detail, '[0-9a-f]{64}', '<hash>') AS detail FROM ecert.obstacles('plant-a', '[2024-01-01,2024-02-01)') ORDER BY 1, 2;
\set VERBOSITY sqlstate
SELECT ecert.certify('plant-a', '[2024-01-01,2024-02-01)');
\set VERBOSITY terse

-- the applicant corrects the coal of 2024, which overtakes the audit that said fail
\set who plant-a
:become
UPDATE ledger.reading SET quantity = 1200 WHERE source = 'raw_coal' AND interval_start = '2024-01-01';
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)', (SELECT hash FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 1), 'weighbridge read wrongly') IS NOT NULL AS corrected;
SELECT auditor, as_role, verdict, overtaken, package_count, failed_check_count FROM ledger.audit ORDER BY 1, 2, period_start;
UPDATE ledger.reading SET quantity = 1050 WHERE source = 'raw_coal' AND interval_start = '2024-01-01';
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)', (SELECT hash FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 2), 'it was right') IS NOT NULL AS corrected;
\set who supplier
:become
UPDATE ledger.delivery SET stock_change = -150 WHERE period_start = '2024-01-01';
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'upstream') IS NOT NULL AS submitted;
SELECT auditor, as_role, verdict, overtaken, package_count, failed_check_count FROM ledger.audit ORDER BY 1, 2, period_start, issued_at, overtaken DESC;

-- nothing stands against it any more
\set who certifier
:become
SELECT * FROM ecert.obstacles('plant-a', '[2024-01-01,2024-02-01)');
CREATE FUNCTION pg_temp.certificate_valid() RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(t, t + 365 * 86400) FROM (SELECT ecert.unix_seconds(clock_timestamp())) AS n (t) $$;
-- a certificate with other numbers is refused, whoever signs it
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT ecert.append('certificate', f.figures || jsonb_build_object('number', 'EC-2024-000001', 'name', 'Plant A', 'valid', pg_temp.certificate_valid(),
           'figures', jsonb_set(f.figures -> 'figures', '{2,saving_kgce}', '74363')), 'plant-a')
  FROM (SELECT ecert.certificate_figures('plant-a', '[2024-01-01,2024-02-01)', '[2023-01-01,2023-02-01)', 'product')) AS f (figures);
-- and so is one that leaves out its audits
SELECT ecert.append('certificate', f.figures || jsonb_build_object('number', 'EC-2024-000001', 'name', 'Plant A', 'valid', pg_temp.certificate_valid(), 'audits', '{"count": 0, "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}'::jsonb), 'plant-a')
  FROM (SELECT ecert.certificate_figures('plant-a', '[2024-01-01,2024-02-01)', '[2023-01-01,2023-02-01)', 'product')) AS f (figures);
SELECT ecert.certify('plant-a', '[2024-01-01,2024-02-01)') IS NOT NULL AS certified;
SELECT certificate_number, applicant_name, adjusted_base_kgce, now_kgce, saving_kgce, saving_tce, saving_rate, structure_kgce, verdict, status, audit_count, recomputation_agrees FROM ledger.certificate;
SELECT product, unit, base_kgce, base_kgce_per_unit, now_kgce, now_kgce_per_unit, saving_kgce, saving_rate, status FROM ledger.certificate_product ORDER BY 1;
-- no second one for the period, be it certify or a package of one's own
SELECT obstacle FROM ecert.obstacles('plant-a', '[2024-01-01,2024-02-01)');
\set VERBOSITY sqlstate
SELECT ecert.certify('plant-a', '[2024-01-01,2024-02-01)');
SELECT ecert.append('certificate', ecert.body(package) || '{"number": "EC-2024-000002"}', 'plant-a') FROM ledger.package WHERE kind = 'certificate';
\set VERBOSITY terse

-- status: suspended, active again, withdrawn for good
SELECT ecert.set_status('\x00', 'suspended', 'there is none');
SELECT ecert.set_status(hash, 'suspended', 'complaint of a neighbour') IS NOT NULL AS done FROM ledger.package WHERE kind = 'certificate';
SELECT status, status_reason FROM ledger.certificate;
SELECT ecert.set_status(hash, 'suspended', 'again') FROM ledger.package WHERE kind = 'certificate';
SELECT obstacle FROM ecert.obstacles('plant-a', '[2024-01-01,2024-02-01)');
SELECT ecert.set_status(hash, 'active', 'settled') IS NOT NULL AS done FROM ledger.package WHERE kind = 'certificate';
SELECT ecert.set_status(hash, 'withdrawn', 'issued by mistake') IS NOT NULL AS done FROM ledger.package WHERE kind = 'certificate';
\set VERBOSITY sqlstate
SELECT ecert.set_status(hash, 'active', 'no way back') FROM ledger.package WHERE kind = 'certificate';
\set VERBOSITY terse
-- re-issue names what it replaces
SELECT ecert.certify('plant-a', '[2024-01-01,2024-02-01)') IS NOT NULL AS certified;
SELECT certificate_number, status, replaces_hash = (SELECT certificate_hash FROM ledger.certificate WHERE certificate_number = 'EC-2024-000001') AS replaces_first
  FROM ledger.certificate ORDER BY 1;

-- a policy counts from when it is sealed: what gives a checkpoint more time than the one in force did does not help before that
BEGIN;
SELECT ecert.set_policy(jsonb_set(ecert.policy(), '{certificate,seal_within}', '1')) IS NOT NULL AS put_in_force;
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT ecert.set_policy(jsonb_set(ecert.policy(), '{certificate,seal_within}', '1000000000000000')) IS NOT NULL AS put_in_force;
SELECT FROM pg_sleep(2.1);
SELECT ecert.set_status(hash, 'suspended', 'a question') IS NOT NULL AS done FROM ledger.package WHERE kind = 'certificate' AND seq = 1;
SELECT * FROM ecert.passed_over();
SELECT * FROM ecert.problems();
ROLLBACK;
-- rewards: each completed audit once, whatever its verdict; a renewed audit again
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT count(*) FROM ecert.reward();
SELECT count(*) FROM ecert.reward();
SELECT auditor, reward_count, amount FROM ledger.reward_balance ORDER BY 1;
\set VERBOSITY sqlstate
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', auditor, 'amount', 5, 'checkpoint', encode((ecert.newest_checkpoint()).hash, 'hex')), auditor) FROM ledger.audit WHERE auditor = 'supplier' LIMIT 1;
SELECT ecert.append('reward', jsonb_build_object('audit', audit_hash, 'auditor', 'buyer', 'amount', 5, 'checkpoint', encode((ecert.newest_checkpoint()).hash, 'hex')), 'buyer') FROM ledger.audit WHERE auditor = 'supplier' LIMIT 1;
SELECT ecert.append('reward', jsonb_build_object('audit', repeat('0', 64), 'auditor', 'buyer', 'amount', 5, 'checkpoint', encode((ecert.newest_checkpoint()).hash, 'hex')), 'buyer');
\set VERBOSITY terse
-- later corrections do not undo what was certified as of its packages
\set who plant-a
:become
UPDATE ledger.reading SET quantity = 900 WHERE source = 'raw_coal' AND interval_start = '2024-01-01';
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)', (SELECT hash FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 3), 'once more') IS NOT NULL AS corrected;
SELECT certificate_number, recomputation_agrees FROM ledger.certificate ORDER BY 1;
SELECT * FROM ecert.problems();
DROP SCHEMA ledger CASCADE;
