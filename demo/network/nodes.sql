-- Who takes part, as the buyer's server has received it.
\echo
\echo 'Who takes part, as the buyer\'s server has received it:'
SELECT n.node, n.name, concat_ws(', ', CASE WHEN n.is_certifier THEN 'certifier' END, CASE WHEN n.is_applicant THEN 'applicant' END, CASE WHEN n.is_auditor THEN 'auditor' END) AS roles,
       (SELECT r.as_role || ' of ' || string_agg(r.applicant, ', ' ORDER BY r.applicant) FROM ledger.relation r WHERE r.auditor = n.node GROUP BY r.as_role) AS audits
  FROM ledger.node n ORDER BY n.is_certifier DESC, n.is_auditor, n.node;
