-- What suppliers delivered goes into their own tables.
INSERT INTO ledger.delivery (node, applicant, source, unit, period_start, period_end, quantity)
SELECT demo.slug(r.supplier), p.node, r.energy_source, r.energy_unit, r.period_start AT TIME ZONE 'UTC', r.period_end AT TIME ZONE 'UTC', sum(r.received_qty)
  FROM demo.receipt r JOIN demo.producer p ON p.producer = r.producer
 GROUP BY 1, 2, 3, 4, 5, 6;
