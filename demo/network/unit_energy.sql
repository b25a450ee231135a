-- What the plants signed, as the buyer's server has received it.
\echo
\echo 'Unit energy in kgce/MWh, January to November, as the buyer reads it:'
SELECT n.name AS plant, count(*) AS months,
       round(sum(e.kgce_quantity) FILTER (WHERE e.period_start < '2020-12-01') / sum(e.qualified_quantity) FILTER (WHERE e.period_start < '2020-12-01'), 2) AS "2020",
       round(sum(e.kgce_quantity) FILTER (WHERE e.period_start >= '2024-01-01') / sum(e.qualified_quantity) FILTER (WHERE e.period_start >= '2024-01-01'), 2) AS "2024"
  FROM ledger.unit_energy e JOIN ledger.node n ON n.node = e.applicant WHERE e.period_start <> '2020-12-01' GROUP BY n.name ORDER BY n.name;
