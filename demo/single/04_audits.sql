-- The suppliers compare what they delivered with what the plants say they burnt; peers compare unit energies.
SELECT set_config('demo.keys', :'keys', false) \g /dev/null

\i shared/deliveries.sql

DO $$
DECLARE
    a record;
BEGIN
    FOR a IN
        SELECT y.auditor, y.applicant, y.as_role, y.period
          FROM (SELECT r.auditor, r.applicant, r.as_role, p.period
                  FROM ledger.relation r CROSS JOIN (VALUES ('[2020-01-01 00:00+00, 2021-01-01 00:00+00)'::tstzrange),
                                                            ('[2024-01-01 00:00+00, 2024-12-01 00:00+00)')) AS p (period)) AS y
         -- a supplier says nothing about a year in which it delivered nothing
         WHERE y.as_role = 'peer' OR EXISTS (SELECT FROM ledger.delivery d WHERE d.node = y.auditor AND d.applicant = y.applicant
                                                AND tstzrange(d.period_start, d.period_end) <@ y.period)
         ORDER BY y.auditor, y.applicant, y.as_role, y.period
    LOOP
        PERFORM demo.act_as(a.auditor);
        PERFORM ecert.submit_audit(a.applicant, a.period, a.as_role);
    END LOOP;
END
$$;

SELECT a.as_role AS "audit as", a.verdict, count(*) AS audits FROM ledger.audit a GROUP BY 1, 2 ORDER BY 1, 2;

\echo 'Three audits that fail, the widest apart:'
SELECT au.name AS auditor, ap.name AS plant, extract(year FROM a.period_start) AS year, c.source AS fuel,
       round(c.declared_quantity / 1000) AS "burnt, tce", round(c.found_quantity / 1000) AS "delivered, tce"
  FROM ledger.audit a JOIN ledger.audit_check c ON c.audit_hash = a.audit_hash AND NOT c.ok AND c.found_quantity IS NOT NULL
  JOIN demo.node au ON au.node = a.auditor JOIN demo.node ap ON ap.node = a.applicant
 WHERE a.as_role = 'upstream' ORDER BY abs(c.deviation_quantity) DESC LIMIT 3;
