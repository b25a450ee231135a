-- What stands against a certificate, one thing at a time, and certificates that somebody made up.
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
CREATE SCHEMA obstacles_test;
CREATE FUNCTION obstacles_test.policy(change jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT ecert.default_policy() || '{"coefficients": [{"source": "fuel", "unit": "kgce", "kgce": 1}, {"source": "steam", "unit": "GJ", "kgce": 34.12}],
        "audit": {"required": [{"as": "upstream", "count": 1}], "upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01}, "peer": {"k": 3, "floor": 0, "band": 0.2, "minimum": 3}, "audit_days": 30},
        "certificate": {"threshold": 0.05, "denominator": "baseline", "valid_days": 365, "witnesses": 0, "strict": false, "baseline": {"rule": "year_before"}, "attribution": {"rule": "direct"}, "electricity": "calorific", "confirmed_min": {"energy": 0.8, "output": 0.8}, "seal_within": 3600, "automatic": {"on": true, "days": 36500}}}' || change
$$;
SELECT ecert.create_ledger('obstacles.test', obstacles_test.policy()) IS NOT NULL AS made;
SELECT count(ecert.enroll(n, '{applicant,auditor}', test_keys.public(n), 'Works ' || n, effective => '2020-01-01'))
  FROM unnest(ARRAY['plant', 'unaudited', 'shared', 'idle', 'gone', 'empty', 'supplier']) AS n;
SELECT count(ecert.relate('supplier', n, 'upstream')) FROM unnest(ARRAY['plant', 'shared', 'idle', 'gone', 'empty']) AS n;
CREATE FUNCTION obstacles_test.declare(applicant text, kind text, period tstzrange, lines jsonb, replaces bigint DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    PERFORM test_keys.become(applicant, true);
    PERFORM ecert.append(kind, jsonb_build_object('period', ecert.period_json(period), 'lines', lines)
        || ecert.correction((SELECT p.hash FROM ledger.package p WHERE p.issuer = applicant AND p.kind = kind AND p.seq = replaces), CASE WHEN replaces IS NOT NULL THEN 'corrected' END));
    PERFORM test_keys.become('certifier', true);
END $$;
CREATE FUNCTION obstacles_test.fuel(quantity numeric, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array('{"source": "fuel", "unit": "kgce"}'::jsonb || jsonb_build_object('quantity', quantity) || more) $$;
CREATE FUNCTION obstacles_test.steel(quantity numeric) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array('{"product": "steel", "unit": "t"}'::jsonb || jsonb_build_object('output', quantity, 'qualified', quantity)) $$;
CREATE FUNCTION obstacles_test.submit(applicant text, period tstzrange) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    submitted bytea;
BEGIN
    PERFORM test_keys.become('supplier', true);
    submitted := ecert.submit_audit(applicant, period, 'upstream');
    PERFORM test_keys.become('certifier', true);
    RETURN (SELECT format('%s %s', ecert.body(p.package) ->> 'verdict', ecert.body(p.package) -> 'checked' #>> '{}') FROM ledger.package p WHERE p.hash = submitted);
END $$;
CREATE VIEW obstacles_test.month AS
    SELECT y, m, tstzrange(make_timestamptz(y, m, 1, 0, 0, 0), make_timestamptz(y, m + 1, 1, 0, 0, 0)) AS period FROM generate_series(2023, 2024) AS y, generate_series(1, 3) AS m;

-- nobody, and somebody who has nothing
SELECT * FROM ecert.obstacles('nobody', '[2024-01-01,2024-04-01)') ORDER BY 1, 2;
SELECT * FROM ecert.obstacles('empty', '[2024-01-01,2024-04-01)') ORDER BY 1, 2;

-- a quarter of two years, a package a month: 100 kgce/t before, 90 after
SELECT count(obstacles_test.declare(p.n, 'energy', p.period, obstacles_test.fuel(CASE p.y WHEN 2023 THEN 1000 ELSE 900 END))),
       count(obstacles_test.declare(p.n, 'product', p.period, obstacles_test.steel(10)))
  FROM (SELECT n, y, m, period FROM unnest(ARRAY['plant', 'unaudited']) AS n, obstacles_test.month ORDER BY n, y, m) AS p (n, y, m, period);
INSERT INTO ledger.delivery (node, applicant, source, unit, period_start, period_end, quantity)
SELECT 'supplier', 'plant', 'fuel', 'kgce', lower(p.period), upper(p.period), CASE p.y WHEN 2023 THEN 1000 ELSE 900 END FROM obstacles_test.month AS p;
SELECT * FROM ecert.obstacles('unaudited', '[2024-01-01,2024-04-01)') ORDER BY 1, 2;
SELECT obstacles_test.submit('plant', '[2023-01-01,2023-04-01)') LIKE 'pass%' AS passed;
SELECT obstacles_test.submit('plant', '[2024-01-01,2024-03-01)') LIKE 'pass%' AS passed;
-- one month without audit
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)');
-- periods
SELECT obstacle, detail FROM unnest(ARRAY['[2024-01-01,)', 'empty', '(,2024-04-01)']::tstzrange[]) AS p CROSS JOIN LATERAL ecert.obstacles('plant', p);
SELECT obstacle FROM ecert.obstacles('plant', NULL);
SELECT obstacle FROM ecert.obstacles('plant', '[2024-01-01,2024-03-01)', '[2023-01-01,)');
SELECT obstacle, detail FROM ecert.obstacles('plant', '[2024-01-01,2090-01-01)') WHERE obstacle = 'period_not_over';
SELECT obstacle FROM ecert.obstacles('plant', '[2024-01-01,2024-03-01)', '[2023-03-01,2024-02-01)') WHERE obstacle = 'periods_overlap';
SELECT obstacle, detail FROM ecert.obstacles('plant', '[2024-03-01,2024-05-01)') WHERE obstacle LIKE '%covered';
SELECT obstacle, detail FROM ecert.obstacles('plant', '[2024-01-15,2024-03-01)', '[2023-01-01,2023-03-01)') WHERE obstacle = 'package_straddles' ORDER BY 2;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-03-01)', method => 'weight');
-- a method that needs values, where none are declared
SELECT obstacle, detail FROM ecert.obstacles('plant', '[2024-01-01,2024-03-01)', method => 'value');

-- a correction overtakes the audit that covered it, and the new audit takes in January alone, though March stands between
SELECT obstacles_test.declare('plant', 'energy', '[2024-01-01,2024-02-01)', obstacles_test.fuel(890), 3);
SELECT period_start, verdict, overtaken FROM ledger.audit ORDER BY period_start;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)');
SELECT regexp_replace(obstacles_test.submit('plant', '[2024-01-01,2024-02-01)'), '[0-9a-f]{64}', '<hash>', 'g') AS said;
SELECT check_name, declared_quantity, found_quantity, ok FROM ledger.audit_check WHERE audit_hash = (SELECT encode(hash, 'hex') FROM ledger.package WHERE kind = 'audit' ORDER BY seq DESC LIMIT 1);
SELECT obstacle, regexp_replace(detail, '[0-9a-f]{64}', '<hash>') AS detail FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)') ORDER BY 1, 2;
-- the supplier was right; corrected again, audited again
SELECT obstacles_test.declare('plant', 'energy', '[2024-01-01,2024-02-01)', obstacles_test.fuel(900), 6);
SELECT regexp_replace(obstacles_test.submit('plant', '[2024-01-01,2024-04-01)'), '[0-9a-f]{64}', '<hash>', 'g') AS said;
SELECT period_start, period_end, verdict, overtaken, package_count FROM ledger.audit ORDER BY period_start, period_end;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)');

-- what cannot be attributed, does not run, is not made any more
SELECT count(obstacles_test.declare('shared', 'energy', p.period, obstacles_test.fuel(1000))),
       count(obstacles_test.declare('shared', 'product', p.period, obstacles_test.steel(10) || '[{"product": "slag", "unit": "t", "output": 3, "qualified": 3}]')),
       count(obstacles_test.declare('idle', 'energy', p.period, obstacles_test.fuel(10))),
       count(obstacles_test.declare('idle', 'product', p.period, obstacles_test.steel(CASE p.y WHEN 2023 THEN 10 ELSE -1 END))),
       count(obstacles_test.declare('gone', 'energy', p.period, obstacles_test.fuel(10, '{"product": "steel"}') || CASE p.y WHEN 2023 THEN obstacles_test.fuel(5, '{"product": "slag"}') ELSE '[]' END)),
       count(obstacles_test.declare('gone', 'product', p.period, obstacles_test.steel(10) || CASE p.y WHEN 2023 THEN '[{"product": "slag", "unit": "t", "output": 3, "qualified": 3}]'::jsonb ELSE '[]' END))
  FROM (SELECT * FROM obstacles_test.month ORDER BY y, m) AS p;
SELECT n AS applicant, obstacle, detail FROM unnest(ARRAY['shared', 'idle', 'gone']) AS n CROSS JOIN LATERAL ecert.obstacles(n, '[2024-01-01,2024-04-01)')
 WHERE obstacle <> 'audit_missing' ORDER BY 1, 2, 3;

-- a source that the policy in force no longer converts
BEGIN;
SELECT ecert.set_policy(obstacles_test.policy('{"coefficients": [{"source": "steam", "unit": "GJ", "kgce": 34.12}]}')) IS NOT NULL AS set;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)') ORDER BY 1, 2;
ROLLBACK;
-- more auditors than there are
BEGIN;
SELECT ecert.set_policy(obstacles_test.policy('{"audit": {"required": [{"as": "upstream", "count": 2}, {"as": "peer", "count": 1}], "upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01}, "peer": {"k": 3, "floor": 0, "band": 0.2, "minimum": 3}, "audit_days": 30}}')) IS NOT NULL AS set;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)') ORDER BY 1, 2;
ROLLBACK;
-- an applicant who is no longer one
BEGIN;
SELECT ecert.revoke_node('plant', 'closed') IS NOT NULL AS revoked;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)');
ROLLBACK;
-- a feed in which somebody with every right has changed a byte
BEGIN;
ALTER TABLE ledger.package DISABLE TRIGGER USER;
UPDATE ledger.package SET package = set_byte(package::bytea, octet_length(package::bytea) - 1, get_byte(package::bytea, octet_length(package::bytea) - 1) # 1)::ecert.package
 WHERE issuer = 'plant' AND kind = 'product' AND seq = 2;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)');
DELETE FROM ledger.package WHERE issuer = 'plant' AND kind = 'product' AND seq = 2;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)') WHERE obstacle <> 'audit_missing' ORDER BY 1, 2;
ROLLBACK;
SELECT * FROM ecert.obstacles('plant', '[2024-01-01,2024-04-01)');

-- made-up certificates: each is what certify() would make but for one thing
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
CREATE FUNCTION obstacles_test.forged(change jsonb DEFAULT '{}', at text[] DEFAULT NULL, value jsonb DEFAULT NULL, period tstzrange DEFAULT '[2024-01-01,2024-04-01)') RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    base tstzrange := ecert.default_baseline(period, '{}');
    issued bigint := ecert.unix_seconds(clock_timestamp());
    body jsonb := ecert.certificate_figures('plant', period, base, 'product')
        || jsonb_build_object('number', 'EC-2024-000001', 'name', 'Works plant', 'valid', jsonb_build_array(issued, issued + 365 * 86400)) || change;
    said text;
BEGIN
    IF at IS NOT NULL THEN
        body := jsonb_set(body, at, value);
    END IF;
    PERFORM ecert.append('certificate', body, 'plant');
    RETURN 'admitted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
    RETURN SQLSTATE || ' ' || said;
END $$;
SELECT obstacles_test.forged(at => '{figures,1,saving_rate}', value => '0.2');
SELECT obstacles_test.forged(at => '{figures,1,structure_kgce}', value => 'null');
SELECT obstacles_test.forged(at => '{figures,0,base_output}', value => '31');
SELECT obstacles_test.forged(at => '{figures,0,status}', value => '"no_baseline"');
SELECT obstacles_test.forged(at => '{figures,2,energy_packages}', value => '4');
SELECT obstacles_test.forged(at => '{conventions,denominator}', value => '"reporting"');
SELECT obstacles_test.forged('{"threshold": 0.01}');
SELECT obstacles_test.forged('{"verdict": "fail"}');
SELECT obstacles_test.forged('{"method": {"name": "value"}}');
SELECT obstacles_test.forged(at => '{baseline,0}', value => '1675209600');
SELECT obstacles_test.forged(at => '{packages,digest}', value => to_jsonb(repeat('0', 64)));
SELECT obstacles_test.forged(at => '{audits,count}', value => '1');
SELECT obstacles_test.forged(jsonb_build_object('checkpoint', repeat('0', 64)));
SELECT obstacles_test.forged(jsonb_build_object('policy', repeat('0', 64)));
SELECT obstacles_test.forged('{"number": "EC-2024-000002"}');
SELECT obstacles_test.forged('{"valid": [1700000000, 1731536000]}');
SELECT obstacles_test.forged('{"valid": [4000000000, 4000000001]}');
SELECT obstacles_test.forged('{"name": "Somebody else"}');
SELECT obstacles_test.forged('{"names": {"en": "Somebody else", "zh": ""}}');
SELECT obstacles_test.forged('{"site": "Elsewhere"}');
SELECT obstacles_test.forged('{"issuer_name": "A ministry"}');
SELECT obstacles_test.forged('{"title": {"en": "Certificate of merit", "zh": ""}}');
SELECT obstacles_test.forged('{"calendar": "Asia/Shanghai"}');
SELECT obstacles_test.forged('{"rate": 0.5}');
SELECT obstacles_test.forged(jsonb_build_object('baseline_replaced', jsonb_build_array(repeat('0', 64))));
-- with what comes in a later version, and with what never does
SELECT obstacles_test.forged('{"safe_rate": 0.05}');
SELECT obstacles_test.forged('{"verdict": "pass_unconfirmed"}');
SELECT obstacles_test.forged('{"exceptions": [{"accepts": "new_product", "product": "steel", "reason": "a new line"}]}');
SELECT obstacles_test.forged('{"exceptions": [{"accepts": "feed_broken", "reason": "never mind"}]}');
SELECT obstacles_test.forged(at => '{figures,1}', value => '{"of": "confirmed", "now_energy": 1, "now_output": 1, "base_energy": 1, "base_output": 1}');
SELECT obstacles_test.forged(at => '{figures,1}', value => '{"of": "rumour"}');
SELECT obstacles_test.forged(jsonb_build_object('replaces', repeat('0', 64)));
-- for a period that nothing was declared for, or audited
SELECT obstacles_test.forged(period => '[2024-02-01,2024-05-01)');
SELECT count(*) FROM ledger.package WHERE kind = 'certificate';
-- the honest one
SELECT obstacles_test.forged();
-- put on the ledger past certify(), it is judged with what has moved
SELECT recomputation_agrees, standing FROM ledger.certificate;
SELECT ecert.judge_certificates() AS have_another_standing;
SELECT certificate_number, saving_tce, saving_rate, threshold, verdict, audit_count, recomputation_agrees, standing FROM ledger.certificate;
-- the packages and audits that it rests on, by count and digest
SELECT c.body -> 'packages' ->> 'count' AS packages, c.body -> 'packages' ->> 'digest' = encode(sha256(p.hashes), 'hex') AS packages_agree,
       c.body -> 'audits' ->> 'count' AS audits, c.body -> 'audits' ->> 'digest' = encode(sha256(a.hashes), 'hex') AS audits_agree
  FROM (SELECT ecert.body(package) FROM ledger.package WHERE kind = 'certificate') AS c (body),
       (SELECT string_agg(l.hash, '' ORDER BY l.hash) FROM unnest('{energy,product}'::text[]) AS k (kind),
               unnest('{"[2023-01-01,2023-04-01)","[2024-01-01,2024-04-01)"}'::tstzrange[]) AS w (period),
               ecert.live_packages('plant', k.kind, w.period) AS l) AS p (hashes),
       (SELECT string_agg(decode(audit_hash, 'hex'), '' ORDER BY audit_hash) FROM ledger.audit WHERE NOT void AND NOT overtaken AND applicant = 'plant') AS a (hashes);
SELECT obstacle FROM ecert.obstacles('plant', '[2024-02-01,2024-04-01)') ORDER BY 1;

-- a baseline that was corrected long after, and names that came later
SELECT obstacles_test.declare('unaudited', 'energy', '[2023-01-01,2023-02-01)', obstacles_test.fuel(1500), 0);
SELECT obstacles_test.declare('unaudited', 'energy', '[2023-01-01,2023-02-01)', obstacles_test.fuel(1000), (SELECT max(seq) FROM ledger.package WHERE issuer = 'unaudited' AND kind = 'energy'));
SELECT ecert.append('node', ecert.body(package) || '{"names": {"en": "Unaudited works", "zh": "-"}, "attributes": {"site": "Mill Road 1"}}', 'unaudited') IS NOT NULL AS said
  FROM ledger.package WHERE kind = 'node' AND subject = 'unaudited' ORDER BY seq DESC LIMIT 1;
SELECT ecert.append('node', ecert.body(package) -> 'node' || '{"name": "Certification body"}', 'certifier') IS NOT NULL AS said FROM ledger.package WHERE kind = 'genesis';

-- the policy decides: no audits, the reporting denominator, a threshold that is missed by what rounding would hide
SELECT ecert.set_policy(obstacles_test.policy('{"audit": {"required": [], "upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01}, "peer": {"k": 3, "floor": 0, "band": 0.2, "minimum": 3}, "audit_days": 30},
    "certificate": {"threshold": 0.1111111111112, "denominator": "reporting", "valid_days": 30, "witnesses": 0, "strict": false, "baseline": {"rule": "year_before"}, "attribution": {"rule": "direct"}, "electricity": "calorific", "confirmed_min": {"energy": 0.8, "output": 0.8}, "seal_within": 3600, "automatic": {"on": true, "days": 36500}, "title": {"en": "Certificate of energy saved", "zh": "-"}}}')) IS NOT NULL AS set;
SELECT ecert.certify('unaudited', '[2024-01-01,2024-04-01)') IS NOT NULL AS certified;
SELECT b.body - 'figures' - 'baseline_replaced' - 'valid' - 'policy' - 'checkpoint' - 'packages' - 'audits' AS body, jsonb_array_length(b.body -> 'baseline_replaced') AS replaced,
       b.body -> 'baseline_replaced' = (SELECT jsonb_agg(encode(hash, 'hex') ORDER BY hash) FROM ledger.package l
           WHERE l.issuer = 'unaudited' AND l.kind = 'energy' AND EXISTS (SELECT FROM ledger.package r WHERE r.issuer = l.issuer AND ecert.replaces(r.package) = l.hash)) AS are_those
  FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body) WHERE p.kind = 'certificate' AND p.subject = 'unaudited';
SELECT certificate_number, denominator, saving_kgce, now_kgce, adjusted_base_kgce, saving_rate, verdict, valid_until - valid_from AS valid, audit_count FROM ledger.certificate WHERE applicant = 'unaudited';
-- of reporting energy that is zero there is no rate, which is said
BEGIN;
SELECT count(obstacles_test.declare('unaudited', 'energy', p.period, obstacles_test.fuel(p.fuel))), count(obstacles_test.declare('unaudited', 'product', p.period, obstacles_test.steel(10)))
  FROM (VALUES ('[2024-05-01,2024-06-01)'::tstzrange, 1000), ('[2025-05-01,2025-06-01)', 0)) AS p (period, fuel);
SELECT ecert.certify('unaudited', '[2025-05-01,2025-06-01)') IS NOT NULL AS certified;
SELECT c.saving_kgce, c.now_kgce, c.saving_rate, c.verdict, b.body -> 'rate' AS rate, c.recomputation_agrees
  FROM ledger.certificate c JOIN ledger.package p ON p.hash = decode(c.certificate_hash, 'hex') CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body) WHERE c.saving_rate IS NULL;
ROLLBACK;
-- what was certified under the policy before stays as it was
SELECT applicant, recomputation_agrees FROM ledger.certificate ORDER BY certificate_number;
SELECT * FROM ecert.problems();
-- a period that has ended just now can be declared and certified, one that ends later cannot
BEGIN;
SELECT tstzrange('2024-04-01', date_trunc('second', clock_timestamp())) AS over, tstzrange('2024-04-01', date_trunc('second', clock_timestamp()) + interval '1 hour') AS under_way \gset
SELECT DISTINCT obstacle FROM ecert.obstacles('unaudited', :'under_way', '[2023-01-01,2023-04-01)') WHERE obstacle LIKE 'period%' ORDER BY 1;
SELECT obstacles_test.declare('unaudited', 'energy', :'over', obstacles_test.fuel(900)), obstacles_test.declare('unaudited', 'product', :'over', obstacles_test.steel(10));
SELECT ecert.checkpoint() IS NOT NULL AS sealed;
SELECT obstacle FROM ecert.obstacles('unaudited', :'over', '[2023-01-01,2023-04-01)');
SELECT ecert.certify('unaudited', :'over', '[2023-01-01,2023-04-01)') IS NOT NULL AS certified;
SELECT * FROM ecert.problems();
ROLLBACK;
-- whether certificates are issued without being asked for is the policy's choice
SELECT count(*) > 0 AS uncertified, count(*) = (SELECT count(*) FROM ecert.due_duties() WHERE duty = 'certify') AS all_are_due FROM ecert.uncertified();
SELECT ecert.set_policy(jsonb_set(ecert.policy(), '{certificate,automatic,on}', 'false')) IS NOT NULL AS set;
SELECT count(*) > 0 AS uncertified, (SELECT count(*) FROM ecert.due_duties() WHERE duty = 'certify') AS due FROM ecert.uncertified();
DROP SCHEMA obstacles_test CASCADE;
-- periods are signed in whole seconds, and half open
SELECT ecert.obstacles('plant', '[2024-01-01,2024-04-01]', '[2023-01-01,2023-04-01)');
SELECT ecert.certify('plant', '[2024-01-01 00:00:00.5,2024-04-01)', '[2023-01-01,2023-04-01)');
SELECT ecert.certify('plant', '[2024-01-01,2024-04-01)', '(2023-01-01,2023-04-01)');
-- and packages lie in periods as they are written
SELECT ecert.coverage_gaps('plant', 'energy', '(2023-01-01,2023-02-01]'), ecert.coverage_gaps('plant', 'energy', '[0044-01-01 BC,2023-02-01)');
DROP SCHEMA ledger CASCADE;
