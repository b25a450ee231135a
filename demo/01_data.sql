-- The reported figures, as plain tables; and who the nodes of the ledger will be.
CREATE EXTENSION ecert;
CREATE EXTENSION pgcrypto;
CREATE SCHEMA demo;

CREATE TABLE demo.producer (producer text PRIMARY KEY, eia_plant_id text, plant_name text, operator_id text, operator_name text, state text,
    nerc_region text, balancing_authority text, naics text, eia_sector_no text, sector text, chp text, main_fuel text, years text);
CREATE TABLE demo.plant_month (producer text, period_start date, period_end date, product text, product_unit text, output_qty numeric,
    qualified_qty numeric, output_value numeric, energy_source text, energy_unit text, energy_qty numeric, energy_qty_elec numeric,
    energy_mmbtu numeric, energy_mmbtu_elec numeric, netgen_from_source_mwh numeric);
CREATE TABLE demo.receipt (receipt_no integer, producer text, period_start date, period_end date, supplier text, energy_source text, fuel_group text,
    energy_unit text, received_qty numeric, mmbtu_per_unit numeric, received_mmbtu numeric, cost_cents_per_mmbtu numeric, delivered_cost_usd numeric,
    purchase_type text, mine_msha_id text, mine_name text, mine_state text, transport_mode text, regulated text);
CREATE TABLE demo.coefficient (energy_source text, energy_unit text, kgce_per_unit numeric, mmbtu_per_unit_observed numeric,
    mmbtu_per_unit_table numeric, si_unit text, si_per_unit numeric, basis text);
CREATE TABLE demo.expected (producer text, base_from date, base_to date, now_from date, now_to date, base_months integer, now_months integer,
    base_kgce numeric, base_output numeric, base_e numeric, now_kgce numeric, now_output numeric, now_e numeric, saving_kgce numeric, saving_rate numeric,
    base_kgce_heat numeric, now_kgce_heat numeric, saving_kgce_heat numeric, saving_rate_heat numeric, status text);
\copy demo.producer FROM 'data/producers.csv' WITH (FORMAT csv, HEADER)
\copy demo.plant_month FROM 'data/plant_month_sample.csv' WITH (FORMAT csv, HEADER)
\copy demo.receipt FROM 'data/fuel_receipts_sample.csv' WITH (FORMAT csv, HEADER)
\copy demo.coefficient FROM 'data/coefficients.csv' WITH (FORMAT csv, HEADER)
\copy demo.expected FROM 'data/expected_2020_vs_2024_sample.csv' WITH (FORMAT csv, HEADER)

CREATE FUNCTION demo.slug(name text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN trim(BOTH '-' FROM regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'));
COMMENT ON FUNCTION demo.slug(text) IS 'a name as a readable node id';

CREATE TABLE demo.node AS
    SELECT demo.slug(p.plant_name) AS node, p.plant_name AS name, ARRAY['applicant', 'auditor'] AS roles, p.producer,
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
