-- The reported figures, as plain tables; and who the nodes of the ledger will be.
CREATE EXTENSION ecert;
CREATE EXTENSION pgcrypto;
\set plants true
\set receipts true
\i shared/tables.sql
\i shared/certifier.sql

CREATE TABLE demo.node AS
    SELECT p.node, p.plant_name AS name, ARRAY['applicant', 'auditor'] AS roles, p.producer,
           -- the plants of one fuel are each other's peers, coal of any rank with coal
           CASE WHEN p.main_fuel IN ('BIT', 'SUB', 'LIG', 'WC') THEN 'coal' WHEN p.main_fuel = 'NG' THEN 'gas'
                WHEN p.main_fuel = 'RFO' THEN 'oil' ELSE p.main_fuel END AS fuel,
           (SELECT sum(o.output_qty) FROM (SELECT DISTINCT m.period_start, m.output_qty FROM demo.plant_month m
                                            WHERE m.producer = p.producer AND m.period_start < '2021-01-01') AS o) AS output
      FROM demo.producer p
    UNION ALL
    SELECT demo.slug(s.supplier), regexp_replace(s.supplier, ' +', ' ', 'g'), ARRAY['auditor'], NULL, NULL, NULL
      FROM (SELECT DISTINCT r.supplier FROM demo.receipt r) AS s
    UNION ALL
    SELECT 'certifier', 'The certifier', ARRAY['certifier'], NULL, NULL, NULL;
ALTER TABLE demo.node ADD PRIMARY KEY (node);
