-- What the plants know goes into their own tables, unsigned; each then signs it, a package a month and kind.
SELECT set_config('demo.keys', :'keys', false) \g /dev/null

\i shared/readings.sql

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
