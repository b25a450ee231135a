-- The supplier delivers in some months only, so it audits years at a time: those in which it delivered.
SELECT ecert.submit_audit(d.applicant, y.period, 'upstream')
  FROM (VALUES ('[2020-01-01 00:00+00, 2021-01-01 00:00+00)'::tstzrange), ('[2024-01-01 00:00+00, 2024-12-01 00:00+00)')) AS y (period)
  JOIN LATERAL (SELECT DISTINCT applicant FROM ledger.delivery WHERE tstzrange(period_start, period_end) <@ y.period) AS d ON true
 ORDER BY y.period, d.applicant \g /dev/null
-- its round of duties finds the months that are left, and abstains
CALL ecert.run_duties();
