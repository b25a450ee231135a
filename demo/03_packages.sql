-- What the plants know goes into their own tables, unsigned; each then signs it, a package a month and kind.
SELECT set_config('demo.keys', :'keys', false) \g /dev/null

INSERT INTO ledger.reading (node, source, unit, supplier, interval_start, interval_end, quantity)
SELECT n.node, m.energy_source, m.energy_unit, only_one.node,
       m.period_start AT TIME ZONE 'UTC', m.period_end AT TIME ZONE 'UTC', m.energy_qty
  FROM demo.plant_month m JOIN demo.node n ON n.producer = m.producer
  -- the line names its supplier where only one delivered that source in that month
  LEFT JOIN LATERAL (SELECT min(demo.slug(r.supplier)) AS node FROM demo.receipt r
                      WHERE r.producer = m.producer AND r.energy_source = m.energy_source AND r.period_start = m.period_start
                     HAVING count(DISTINCT r.supplier) = 1) AS only_one ON true
 WHERE m.energy_qty IS NOT NULL;

INSERT INTO ledger.production (node, product, unit, period_start, period_end, output, qualified)
SELECT DISTINCT n.node, m.product, m.product_unit, m.period_start AT TIME ZONE 'UTC', m.period_end AT TIME ZONE 'UTC', m.output_qty, m.qualified_qty
  FROM demo.plant_month m JOIN demo.node n ON n.producer = m.producer;

DO $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT DISTINCT p.node, tstzrange(p.period_start, p.period_end) AS period FROM ledger.production p ORDER BY 1, 2 LOOP
        PERFORM demo.act_as(m.node);
        PERFORM ecert.pack_energy(m.period);
        PERFORM ecert.pack_product(m.period);
    END LOOP;
END
$$;

\echo 'Unit energy by year, the first five of the twenty:'
SELECT n.name AS plant, u.unit_energy_2020 AS "kgce/MWh 2020", u.unit_energy_2024 AS "2024", u.packages
  FROM (SELECT e.applicant,
               round(sum(e.kgce_quantity) FILTER (WHERE e.period_start < '2021-01-01') /
                     nullif(sum(e.qualified_quantity) FILTER (WHERE e.period_start < '2021-01-01'), 0), 1) AS unit_energy_2020,
               round(sum(e.kgce_quantity) FILTER (WHERE e.period_start >= '2021-01-01') /
                     nullif(sum(e.qualified_quantity) FILTER (WHERE e.period_start >= '2021-01-01'), 0), 1) AS unit_energy_2024,
               2 * count(*) AS packages
          FROM ledger.unit_energy e GROUP BY e.applicant) AS u
  JOIN demo.node n ON n.node = u.applicant ORDER BY n.name LIMIT 5;
