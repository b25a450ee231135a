-- Audits check by check: peers against the median and history, structure, one-sided and two-sided deliveries.
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
SELECT ecert.create_ledger('audit.test', ecert.default_policy() || '{"audit": {"required": [], "upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01}, "peer": {"k": 3, "floor": 0, "band": 0.2, "minimum": 3}, "audit_days": 30},
  "coefficients": [{"source": "fuel", "unit": "kgce", "kgce": 1}, {"source": "raw_coal", "unit": "kg", "kgce": 0.7143}]}') IS NOT NULL AS made;
-- five plants with one product
SELECT count(ecert.enroll(n, '{applicant,auditor}', test_keys.public(n))) FROM unnest(ARRAY['p1', 'p2', 'p3', 'p4', 'p5', 'supplier 1', 'supplier 2', 'buyer']) AS n;
SELECT count(ecert.relate(a, 'p1', 'peer')) FROM unnest(ARRAY['p2', 'p3', 'p4']) AS a;
SELECT count(ecert.relate(a, 'p5', 'peer')) FROM unnest(ARRAY['p2', 'p3', 'p4']) AS a;
SELECT count(ecert.relate(a, 'p1', 'upstream')) FROM unnest(ARRAY['supplier 1', 'supplier 2']) AS a;
SELECT ecert.relate('buyer', 'p1', 'downstream') IS NOT NULL AS related;
CREATE SCHEMA audit_test;
CREATE FUNCTION audit_test.declare(applicant text, period tstzrange, energy jsonb, product jsonb, delivered numeric DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM test_keys.become(applicant, true);
    PERFORM ecert.append('energy', jsonb_build_object('period', ecert.period_json(period), 'lines', energy));
    PERFORM ecert.append('product', jsonb_build_object('period', ecert.period_json(period), 'lines', product)
        || CASE WHEN delivered IS NULL THEN '{}' ELSE jsonb_build_object('deliveries', jsonb_build_array(jsonb_build_object('product', 'steel', 'unit', 't', 'buyer', 'buyer', 'quantity', delivered))) END);
    PERFORM test_keys.become('certifier', true);
END $$;
CREATE FUNCTION audit_test.verdict(auditor text, applicant text, period tstzrange, as_role text) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    submitted bytea;
    said text;
BEGIN
    PERFORM test_keys.become(auditor, true);
    submitted := ecert.submit_audit(applicant, period, as_role);
    SELECT ecert.body(p.package) ->> 'verdict' INTO said FROM ledger.package p WHERE p.hash = submitted;
    PERFORM test_keys.become('certifier', true);
    RETURN said;
END $$;
-- unit energies in 2023: all 100; in 2024: 90, 95, 100, 104, 400 kgce/t
SELECT count(audit_test.declare(p.node, w.period, jsonb_build_array(jsonb_build_object('source', 'fuel', 'unit', 'kgce', 'quantity', w.quantity)),
         '[{"product": "steel", "unit": "t", "output": 10, "qualified": 10, "value": 7}]'))
  FROM (VALUES ('p1', 900), ('p2', 950), ('p3', 1000), ('p4', 1040), ('p5', 4000)) AS p (node, quantity)
 CROSS JOIN LATERAL (VALUES (1, '[2023-01-01,2024-01-01)'::tstzrange, 1000), (2, '[2024-01-01,2025-01-01)', p.quantity)) AS w (n, period, quantity);
CALL test_keys.be('p2');
-- inside the median of its peers and inside both histories
SELECT check_name, product, declared, found, deviation, tolerance, ok, note FROM ecert.audit('p1', '[2024-01-01,2025-01-01)', 'peer');
-- far outside of all
SELECT check_name, product, declared, found, deviation, tolerance, ok FROM ecert.audit('p5', '[2024-01-01,2025-01-01)', 'peer');
-- of 2023 there is no history to go by, and of 2024, with one relation ended, no median
CALL test_keys.be('certifier');
SELECT ecert.relate('p4', 'p1', 'peer', valid_to => '2024-06-01') IS NOT NULL AS relation_ended;
SELECT audit_test.verdict('p2', 'p1', '[2023-01-01,2024-01-01)', 'peer');
SELECT audit_test.verdict('p3', 'p1', '[2024-01-01,2025-01-01)', 'peer');
SELECT audit_test.verdict('p2', 'p5', '[2024-01-01,2025-01-01)', 'peer');
SELECT auditor, applicant, as_role, verdict, package_count, check_count, failed_check_count, overtaken FROM ledger.audit ORDER BY applicant, auditor, period_start;
SELECT check_number, check_name, ok FROM ledger.audit_check WHERE audit_hash = (SELECT audit_hash FROM ledger.audit WHERE applicant = 'p5') ORDER BY 1;
-- whose relation has ended may not audit any more; whose role is another neither
SELECT audit_test.verdict('p4', 'p1', '[2024-01-01,2025-01-01)', 'peer');
SELECT audit_test.verdict('p2', 'p1', '[2024-01-01,2025-01-01)', 'downstream');

-- two suppliers of one source: lines that name none are judged on the suspicious side only
CALL test_keys.be('certifier');
SELECT count(audit_test.declare('p1', w.period, w.energy, '[{"product": "steel", "unit": "t", "output": 10, "qualified": 10, "value": 7, "currency": "CNY"}]', 6))
  FROM (VALUES (1, '[2025-01-01,2025-02-01)'::tstzrange, '[{"source": "raw_coal", "unit": "t", "quantity": 100}]'::jsonb),
               (2, '[2025-02-01,2025-03-01)', '[{"source": "raw_coal", "unit": "t", "quantity": 50, "supplier": "supplier 1", "point": "m1"}, {"source": "raw_coal", "unit": "t", "quantity": 30, "supplier": "supplier 2"}]'),
               (3, '[2025-03-01,2025-04-01)', '[{"source": "raw_coal", "unit": "t", "quantity": 50, "supplier": "supplier 1", "point": "m9"}]')) AS w (n, period, energy);
INSERT INTO ledger.delivery (node, applicant, source, unit, period_start, period_end, quantity) VALUES
 ('supplier 1', 'p1', 'raw_coal', 't', '2025-01-01', '2025-02-01', 60), ('supplier 2', 'p1', 'raw_coal', 'kg', '2025-01-01', '2025-02-01', 110000),
 ('supplier 1', 'p1', 'raw_coal', 't', '2025-02-01', '2025-03-01', 40), ('supplier 2', 'p1', 'raw_coal', 't', '2025-02-01', '2025-03-01', 30.2);
CALL test_keys.be('supplier 1');
SELECT check_name, source, declared, found, tolerance, ok, note FROM ecert.audit('p1', '[2025-01-01,2025-02-01)', 'upstream');
SELECT check_name, source, declared, found, tolerance, ok, note FROM ecert.audit('p1', '[2025-02-01,2025-03-01)', 'upstream');
-- a meter out of nowhere, and a supplier that is named but has no record
SELECT check_name, source, declared, found, tolerance, ok, note FROM ecert.audit('p1', '[2025-03-01,2025-04-01)', 'upstream');
-- a month without package is a gap
SELECT check_name, ok, note FROM ecert.audit('p1', '[2025-03-01,2025-05-01)', 'upstream') WHERE check_name LIKE 'coverage%';
CALL test_keys.be('supplier 2');
SELECT check_name, source, declared, found, tolerance, ok FROM ecert.audit('p1', '[2025-01-01,2025-02-01)', 'upstream') WHERE check_name NOT LIKE 'coverage%';
SELECT check_name, source, declared, found, tolerance, ok FROM ecert.audit('p1', '[2025-02-01,2025-03-01)', 'upstream') WHERE check_name NOT LIKE 'coverage%';
-- trucks of one day have documents of their own; a file that is loaded twice is refused, whole
BEGIN;
INSERT INTO ledger.delivery (node, applicant, source, unit, document, period_start, period_end, quantity) VALUES
 ('supplier 1', 'p1', 'raw_coal', 't', 'ticket 1', '2025-05-05', '2025-05-06', 20), ('supplier 1', 'p1', 'raw_coal', 't', 'ticket 2', '2025-05-05', '2025-05-06', 21);
SAVEPOINT once;
INSERT INTO ledger.delivery (node, applicant, source, unit, document, period_start, period_end, quantity) VALUES
 ('supplier 1', 'p1', 'raw_coal', 't', 'ticket 3', '2025-05-05', '2025-05-06', 19), ('supplier 1', 'p1', 'raw_coal', 't', 'ticket 2', '2025-05-05', '2025-05-06', 21);
ROLLBACK TO once;
SELECT count(*), sum(quantity) FROM ledger.delivery WHERE document <> '';
ROLLBACK;
-- over-declared output is not what a buyer can see, under-declared is
INSERT INTO ledger.purchase (node, applicant, product, unit, period_start, period_end, quantity, value) VALUES
 ('buyer', 'p1', 'steel', 't', '2025-01-01', '2025-02-01', 6, 4), ('buyer', 'p1', 'steel', 't', '2025-02-01', '2025-03-01', 11, 9), ('buyer', 'p1', 'slag', 't', '2025-02-01', '2025-03-01', 1, NULL);
CALL test_keys.be('buyer');
SELECT check_name, product, declared, found, tolerance, ok, note FROM ecert.audit('p1', '[2025-01-01,2025-02-01)', 'downstream');
SELECT check_name, product, declared, found, tolerance, ok, note FROM ecert.audit('p1', '[2025-02-01,2025-03-01)', 'downstream');

-- beside a line that names this supplier another names none: it may be of this supplier too, so only the suspicious side counts
CALL test_keys.be('certifier');
SELECT count(audit_test.declare('p1', w.period, w.energy, w.product, w.delivered)) FROM (VALUES
  (1, '[2025-04-01,2025-05-01)'::tstzrange, '[{"source": "raw_coal", "unit": "t", "quantity": 50, "supplier": "supplier 1", "point": "m1"}, {"source": "raw_coal", "unit": "t", "quantity": 30}]'::jsonb,
      '[{"product": "steel", "unit": "t", "output": 10, "qualified": 10}]'::jsonb, 9),
  (2, '[2026-02-01,2026-03-01)', '[{"source": "raw_coal", "unit": "t", "quantity": 50, "point": "m9"}, {"source": "fuel", "unit": "kgce", "quantity": 50, "supplier": "supplier 1"}]',
      '[{"product": "steel", "unit": "t", "output": 10, "qualified": 10}]', NULL)) AS w (n, period, energy, product, delivered);
INSERT INTO ledger.delivery (node, applicant, source, unit, period_start, period_end, quantity) VALUES
 ('supplier 1', 'p1', 'raw_coal', 't', '2025-04-01', '2025-05-01', 40), ('supplier 2', 'p1', 'raw_coal', 't', '2025-03-20', '2025-04-20', 10),
 ('supplier 1', 'p1', 'raw_coal', 'barrow', '2026-02-01', '2026-03-01', 40);
CALL test_keys.be('supplier 1');
SELECT check_name, source, declared, found, tolerance, ok, note FROM ecert.audit('p1', '[2025-04-01,2025-05-01)', 'upstream');
-- a delivery that cannot be laid to the period, or converted, accuses nobody; what is declared of a supplier that delivered other things does
CALL test_keys.be('supplier 2');
SELECT check_name, source, declared, found, tolerance, ok, note FROM ecert.audit('p1', '[2025-04-01,2025-05-01)', 'upstream') WHERE source IS NOT NULL;
CALL test_keys.be('supplier 1');
SELECT check_name, source, declared, found, tolerance, ok, note FROM ecert.audit('p1', '[2026-02-01,2026-03-01)', 'upstream');
-- a buyer without record of the month abstains, and may come back when there is one, in kilograms
SELECT audit_test.verdict('buyer', 'p1', '[2025-04-01,2025-05-01)', 'downstream');
SELECT audit_test.verdict('buyer', 'p1', '[2025-04-01,2025-05-01)', 'downstream');
INSERT INTO ledger.purchase (node, applicant, product, unit, period_start, period_end, quantity) VALUES ('buyer', 'p1', 'steel', 'kg', '2025-04-01', '2025-05-01', 8950);
CALL test_keys.be('buyer');
SELECT check_name, product, declared, found, deviation, tolerance, ok, note FROM ecert.audit('p1', '[2025-04-01,2025-05-01)', 'downstream');
SELECT audit_test.verdict('buyer', 'p1', '[2025-04-01,2025-05-01)', 'downstream');
SELECT audit_test.verdict('buyer', 'p1', '[2025-04-01,2025-05-01)', 'downstream');
-- a policy that fixes the baseline does not make a period its own history: 2024 is held against 2023
CALL test_keys.be('certifier');
SELECT ecert.set_policy(ecert.policy() || jsonb_build_object('certificate', ecert.policy() -> 'certificate' || jsonb_build_object('baseline', jsonb_build_object('rule', 'fixed', 'period', ecert.period_json('[2024-01-01,2025-01-01)'))))) IS NOT NULL AS set;
CALL test_keys.be('p2');
SELECT check_name, declared, found, ok, note FROM ecert.audit('p1', '[2024-01-01,2025-01-01)', 'peer') WHERE product IS NOT NULL;
-- January 2025 has no January 2024 of its own: all before it counts
SELECT check_name, declared, found, ok, note FROM ecert.audit('p1', '[2025-01-01,2025-02-01)', 'peer') WHERE product IS NOT NULL;

-- forged audits: ranges that do not exist, hash of another package, outside the period, for another role
CALL test_keys.be('supplier 1');
CREATE FUNCTION audit_test.forged(change jsonb) RETURNS bytea LANGUAGE sql AS $$
    SELECT ecert.append('audit', jsonb_build_object('applicant', 'p1', 'period', ecert.period_json('[2025-01-01,2025-02-01)'), 'as', 'upstream', 'verdict', 'pass', 'checks', '[]'::jsonb,
        'policy', encode(ecert.policy_hash(), 'hex'), 'checked', ecert.audited_ranges('p1', '[2025-01-01,2025-02-01)', 'upstream')) || change)
$$;
SELECT audit_test.forged('{"checked": [{"kind": "energy", "first": 2, "last": 99, "hash": "0000000000000000000000000000000000000000000000000000000000000000"}]}');
SELECT audit_test.forged('{"checked": [{"kind": "energy", "first": 2, "last": 2, "hash": "0000000000000000000000000000000000000000000000000000000000000000"}]}');
SELECT audit_test.forged(jsonb_build_object('checked', ecert.audited_ranges('p1', '[2025-02-01,2025-03-01)', 'upstream')));
SELECT audit_test.forged(jsonb_build_object('checked', ecert.audited_ranges('p1', '[2025-01-01,2025-02-01)', 'downstream')));
-- the same packages in two ranges, or one package twice
SELECT audit_test.forged(jsonb_build_object('period', ecert.period_json('[2025-01-01,2025-03-01)'), 'checked', ecert.audited_ranges('p1', '[2025-02-01,2025-03-01)', 'upstream') || ecert.audited_ranges('p1', '[2025-01-01,2025-03-01)', 'upstream')));
SELECT audit_test.forged('{"checked": [{"kind": "energy", "first": 3, "last": 2, "hash": "0000000000000000000000000000000000000000000000000000000000000000"}]}');
SELECT audit_test.forged('{"verdict": "excellent"}');
-- under no policy of this ledger, or under one that is past; of nothing, which only an abstention may be; in place of another audit
SELECT audit_test.forged(jsonb_build_object('policy', repeat('0', 64)));
SELECT audit_test.forged(jsonb_build_object('policy', encode(ecert.genesis_hash(), 'hex')));
SELECT audit_test.forged('{"checked": []}');
SELECT audit_test.forged(jsonb_build_object('replaces', repeat('0', 64)));
SELECT audit_test.verdict('supplier 1', 'p1', '[2030-01-01,2030-02-01)', 'upstream');
-- a role that there is not
SELECT ecert.submit_audit('p1', '[2025-01-01,2025-02-01)', 'sideways');
CALL test_keys.be('certifier');
SELECT * FROM ecert.problems();
DROP SCHEMA audit_test CASCADE;
DROP SCHEMA ledger CASCADE;
