-- One calendar, the policy's: packages, certificates, baselines and numbers follow it, whatever the zone of server and session.
\getenv abs_srcdir PG_ABS_SRCDIR
SELECT set_config('ecert.seal_key', :'abs_srcdir' || '/test/keys/seal.pem', false) AS seal_key \gset
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'America/St_Johns';
SET check_function_bodies = off;
CREATE EXTENSION IF NOT EXISTS ecert;
CREATE SCHEMA calendar_test;
SELECT set_config('calendar_test.keys', :'abs_srcdir' || '/test/keys/', false) IS NOT NULL AS keys;
CREATE FUNCTION calendar_test.become(node text, key text) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('ecert.node', node, false), set_config('ecert.signing_key', current_setting('calendar_test.keys') || key || '.pem', false) $$;
-- a ledger whose policy has that calendar, and asks for no audits
CREATE FUNCTION calendar_test.start(zone text, changes jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    policy jsonb := ecert.default_policy(zone);
BEGIN
    DROP SCHEMA IF EXISTS ledger CASCADE;
    PERFORM calendar_test.become('certifier', 'certifier');
    PERFORM ecert.create_ledger('calendar.test', jsonb_set(jsonb_set(jsonb_set(policy, '{calendar}', policy -> 'calendar' || changes), '{audit,required}', '[]'), '{certificate,automatic,days}', '36500'));
    PERFORM ecert.enroll('plant', '{applicant}', pg_read_file(current_setting('calendar_test.keys') || 'plant-a.pub.pem'), effective => '2025-02-01 00:00+08');
END $$;
-- days of a plant, by its clocks: 100 kWh and 10 t a day, from then on 90 kWh
CREATE FUNCTION calendar_test.days(zone text, first_day date, last_day date, better_from date) RETURNS void LANGUAGE sql AS $$
    INSERT INTO ledger.reading (node, source, unit, product, interval_start, interval_end, quantity)
    SELECT 'plant', 'electricity', 'kWh', 'steel', d::timestamp AT TIME ZONE zone, (d::date + 1)::timestamp AT TIME ZONE zone, CASE WHEN d < better_from THEN 100 ELSE 90 END
      FROM generate_series(first_day::timestamp, last_day, '1 day') AS d;
    INSERT INTO ledger.production (node, product, unit, period_start, period_end, output, qualified)
    SELECT 'plant', 'steel', 't', d::timestamp AT TIME ZONE zone, (d::date + 1)::timestamp AT TIME ZONE zone, 10, 10
      FROM generate_series(first_day::timestamp, last_day, '1 day') AS d;
$$;
CREATE FUNCTION calendar_test.shown(period tstzrange, zone text) RETURNS text LANGUAGE sql AS $$
    SELECT to_char(lower(period) AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI') || ' .. ' || to_char(upper(period) AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI') $$;
CREATE FUNCTION calendar_test.certificates(zone text) RETURNS TABLE (number text, period text, baseline text, energy_packages text, saving_rate numeric, verdict text, recomputation text) LANGUAGE sql AS $$
    SELECT c.certificate_number, calendar_test.shown(p.period, zone), calendar_test.shown(p.baseline, zone),
           (SELECT count(*) FROM ledger.package e WHERE e.kind = 'energy' AND e.period <@ p.period) || ' and ' || (SELECT count(*) FROM ledger.package e WHERE e.kind = 'energy' AND e.period <@ p.baseline),
           c.saving_rate, c.verdict, c.recomputation
      FROM ledger.certificate c CROSS JOIN LATERAL (SELECT tstzrange(c.period_start, c.period_end), tstzrange(c.baseline_start, c.baseline_end)) AS p (period, baseline) ORDER BY 1 $$;

-- months of a plant in China, packed and certified by sessions elsewhere
SELECT calendar_test.start('Asia/Shanghai', '{"statistics": "month"}');
SELECT calendar_test.days('Asia/Shanghai', '2024-01-01', '2025-03-31', '2025-01-01');
SELECT calendar_test.become('plant', 'plant-a');
CALL ecert.run_duties();
SELECT count(*), min(calendar_test.shown(period, 'Asia/Shanghai')) AS first, max(calendar_test.shown(period, 'Asia/Shanghai')) AS last,
       bool_and(period = ecert.calendar_span(ecert.policy(), 'month', lower(period))) AS are_months
  FROM ledger.package WHERE kind IN ('energy', 'product') GROUP BY kind;
SELECT calendar_test.become('certifier', 'certifier');
SET timezone = 'Pacific/Kiritimati';
CALL ecert.run_duties();
-- what a peer compares a month with is the same month of the year before
SELECT product, unit_energy, note FROM ecert.unit_energy_before(ecert.policy(), 'plant', ecert.calendar_span(ecert.policy(), 'month', '2025-02-10')) AS b (product, unit, unit_energy, note);
-- by itself for months that ended after the plant was enrolled; for others a person does
SELECT * FROM calendar_test.certificates('Asia/Shanghai');
SELECT ecert.certify('plant', ecert.calendar_span(ecert.policy(), 'month', '2025-01-10')) IS NOT NULL AS january;
SELECT * FROM calendar_test.certificates('Asia/Shanghai');
SELECT duty, subject, outcome FROM ledger.duty_log WHERE sqlstate IS NOT NULL;
-- what cannot be certified is said in one sentence, in dates of the ledger, with the statement that shows all
SELECT ecert.do_duty('certify', 'plant', NULL, ecert.calendar_span(ecert.policy(), 'month', '2024-06-10'));
SELECT duty, subject, sqlstate, outcome FROM ledger.duty_log WHERE sqlstate IS NOT NULL;
-- what is withdrawn stays withdrawn, until a person certifies again
SELECT ecert.set_status(decode(certificate_hash, 'hex'), 'withdrawn', 'a mistake') IS NOT NULL AS withdrawn FROM ledger.certificate WHERE certificate_number = 'EC-2025-000002';
CALL ecert.run_duties();
SELECT certificate_number, status FROM ledger.certificate ORDER BY 1;
SELECT ecert.certify('plant', ecert.calendar_span(ecert.policy(), 'month', '2025-03-10')) IS NOT NULL AS march;
SELECT certificate_number, status FROM ledger.certificate ORDER BY 1;
-- a period that is not over is not signed
SELECT calendar_test.become('plant', 'plant-a');
SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json('[2030-01-01,2030-02-01)'), 'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1}]'::jsonb));
SELECT * FROM ecert.problems();

-- packages of a day: 29 February is in the baseline of February
SELECT calendar_test.start('Asia/Shanghai', '{"pack": "day", "statistics": "month"}');
SELECT calendar_test.days('Asia/Shanghai', '2024-02-01', '2024-02-29', '2025-01-01'), calendar_test.days('Asia/Shanghai', '2025-02-01', '2025-02-28', '2025-01-01');
SELECT calendar_test.become('plant', 'plant-a');
CALL ecert.run_duties();
SELECT calendar_test.become('certifier', 'certifier');
CALL ecert.run_duties();
SELECT * FROM calendar_test.certificates('Asia/Shanghai');

-- weeks: 52 weeks before
SELECT calendar_test.start('Asia/Shanghai', '{"pack": "week", "statistics": "week"}');
SELECT calendar_test.days('Asia/Shanghai', '2024-01-01', '2024-01-07', '2025-01-01'), calendar_test.days('Asia/Shanghai', '2024-02-05', '2024-02-11', '2025-01-01'),
       calendar_test.days('Asia/Shanghai', '2024-12-30', '2025-01-05', '2024-12-30'), calendar_test.days('Asia/Shanghai', '2025-02-03', '2025-02-09', '2024-12-30');
SELECT calendar_test.become('plant', 'plant-a');
CALL ecert.run_duties();
SELECT calendar_test.become('certifier', 'certifier');
CALL ecert.run_duties();
SELECT ecert.certify('plant', ecert.calendar_span(ecert.policy(), 'statistics', '2024-12-30 12:00+08')) IS NOT NULL AS first_week;
SELECT * FROM calendar_test.certificates('Asia/Shanghai');

-- a fiscal year from July; clocks that go forward and back
SELECT calendar_test.start('Europe/Berlin', '{"year_start": 7}');
SELECT calendar_test.days('Europe/Berlin', '2023-07-01', '2025-06-30', '2024-07-01');
SELECT calendar_test.become('plant', 'plant-a');
CALL ecert.run_duties();
SELECT calendar_test.become('certifier', 'certifier');
CALL ecert.run_duties();
SELECT * FROM calendar_test.certificates('Europe/Berlin');
SELECT * FROM ecert.problems();

-- baselines of the policy: two years before, and a fixed one
SELECT calendar_test.shown(ecert.default_baseline('[2025-01-31 16:00+00,2025-02-28 16:00+00)', p.policy), 'Asia/Shanghai') AS baseline
  FROM (SELECT jsonb_set(ecert.default_policy('Asia/Shanghai'), '{certificate,baseline}', b) AS policy FROM (VALUES ('{"rule": "year_before"}'::jsonb), ('{"rule": "years_before", "years": 5}'), ('{"rule": "fixed", "period": [1672502400, 1675180800]}')) AS r (b)) AS p;
SELECT ecert.check_policy(jsonb_set(ecert.default_policy('Asia/Shanghai'), '{certificate,baseline}', '{"rule": "named"}'));
-- days far from Greenwich are of their own year; half an hour counts
SELECT z.zone, calendar_test.shown(ecert.calendar_span(ecert.default_policy(z.zone), 'year', z.at), z.zone) AS year, calendar_test.shown(ecert.calendar_span(ecert.default_policy(z.zone), 'day', z.at), z.zone) AS day
  FROM (VALUES ('Pacific/Kiritimati', timestamptz '2025-01-01 00:30+14'), ('Pacific/Tongatapu', '2025-01-01 00:30+13'), ('Pacific/Pago_Pago', '2024-12-31 23:30-11'), ('Asia/Kolkata', '2025-01-01 00:00+05:30'), ('Asia/Kathmandu', '2024-12-31 23:59:59+05:45')) AS z (zone, at);
SELECT calendar_test.shown(ecert.calendar_span(ecert.default_policy('Europe/Berlin'), 'day', '2024-03-31 12:00+00'), 'UTC') AS short, calendar_test.shown(ecert.calendar_span(ecert.default_policy('Europe/Berlin'), 'day', '2024-10-27 12:00+00'), 'UTC') AS long;
SELECT ecert.calendar_text(ecert.default_policy('Asia/Kolkata'), p.period) FROM (VALUES (tstzrange('2024-12-31 18:30+00', '2025-01-31 18:30+00')), ('[2025-01-01 00:00+05:30,2025-01-01 12:15:30+05:30)'), ('[2025-01-01,)'), ('empty')) AS p (period);
-- and what is no span
SELECT ecert.calendar_span(ecert.default_policy('UTC'), 'fortnight', '2025-01-01');
SELECT ecert.calendar_span(ecert.default_policy('UTC'), 'day', 'infinity') IS NULL AS without_end, ecert.calendar_before(ecert.default_policy('UTC'), '[2025-01-01,)') IS NULL AS open, ecert.calendar_before(ecert.default_policy('UTC'), '[2025-01-01,2025-02-01)', -1) IS NULL AS backwards;
DROP SCHEMA ledger CASCADE;
DROP SCHEMA calendar_test CASCADE;
