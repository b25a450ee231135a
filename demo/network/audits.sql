-- What the auditors signed, as the certifier's server has received it.
\echo
\echo 'Audits, as the certifier reads them:'
SELECT a.as_role AS "audit as", a.auditor, a.applicant, extract(year FROM a.period_start) AS year, a.verdict, count(*) AS audits, sum(a.package_count) AS packages
  FROM ledger.audit a GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
\echo 'What the supplier compared, in tce:'
SELECT a.applicant, extract(year FROM a.period_start) AS year, c.source AS fuel, round(c.declared_quantity / 1000) AS burnt, round(c.found_quantity / 1000) AS delivered, c.ok, c.note
  FROM ledger.audit a JOIN ledger.audit_check c ON c.audit_hash = a.audit_hash
 WHERE a.as_role = 'upstream' AND c.check_name = 'energy_against_deliveries' ORDER BY 1, 2, 3;
