-- The buyer has what it bought. The form names no buyers: this one is made up, and buys 40 % of what both plants generate.
\set plants 'producer IN (''EIA-3459'', ''EIA-55299'')'
\set receipts false
\i shared/tables.sql
INSERT INTO ledger.purchase (applicant, product, unit, period_start, period_end, quantity)
SELECT DISTINCT p.node, m.product, m.product_unit, m.period_start AT TIME ZONE 'UTC', m.period_end AT TIME ZONE 'UTC', round(0.4 * m.qualified_qty, 3)
  FROM demo.plant_month m JOIN demo.producer p ON p.producer = m.producer;
-- which is all that it knows of them
DROP TABLE demo.plant_month;
