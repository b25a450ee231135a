-- What plants know goes into their own tables, unsigned.
INSERT INTO ledger.reading (node, source, unit, supplier, interval_start, interval_end, quantity)
SELECT p.node, m.energy_source, m.energy_unit, only_one.node,
       m.period_start AT TIME ZONE 'UTC', m.period_end AT TIME ZONE 'UTC', m.energy_qty
  FROM demo.plant_month m JOIN demo.producer p ON p.producer = m.producer
  -- the line names its supplier where only one delivered that source in that month
  LEFT JOIN LATERAL (SELECT min(demo.slug(r.supplier)) AS node FROM demo.receipt r
                      WHERE r.producer = m.producer AND r.energy_source = m.energy_source AND r.period_start = m.period_start
                     HAVING count(DISTINCT r.supplier) = 1) AS only_one ON true
 WHERE m.energy_qty IS NOT NULL;

INSERT INTO ledger.production (node, product, unit, period_start, period_end, output, qualified)
SELECT DISTINCT p.node, m.product, m.product_unit, m.period_start AT TIME ZONE 'UTC', m.period_end AT TIME ZONE 'UTC', m.output_qty, m.qualified_qty
  FROM demo.plant_month m JOIN demo.producer p ON p.producer = m.producer;
