-- The certifier says who audits whom.
SELECT ecert.relate(r.auditor, a.applicant, r.as_role)
  FROM unnest('{sabine,channel-energy-center-llc}'::text[]) AS a (applicant)
 CROSS JOIN (VALUES ('kinder-morgan', 'upstream'), ('gulf-clean-energy-center', 'peer'), ('buyer', 'downstream')) AS r (auditor, as_role) \g /dev/null
