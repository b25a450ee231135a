-- The reported figures as plain tables of schema demo: all plants, and of their months and of what was delivered to them
-- the rows that a server is to have. Variables: data, the folder of the figures; plants and receipts, SQL conditions.
CREATE SCHEMA demo;

CREATE FUNCTION demo.slug(name text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN trim(BOTH '-' FROM regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'));
COMMENT ON FUNCTION demo.slug(text) IS 'a name as a readable node id';

CREATE TABLE demo.producer (producer text PRIMARY KEY, eia_plant_id text, plant_name text, operator_id text, operator_name text, state text,
    nerc_region text, balancing_authority text, naics text, eia_sector_no text, sector text, chp text, main_fuel text, years text,
    node text GENERATED ALWAYS AS (demo.slug(plant_name)) STORED);
CREATE TABLE demo.plant_month (producer text, period_start date, period_end date, product text, product_unit text, output_qty numeric,
    qualified_qty numeric, output_value numeric, energy_source text, energy_unit text, energy_qty numeric, energy_qty_elec numeric,
    energy_mmbtu numeric, energy_mmbtu_elec numeric, netgen_from_source_mwh numeric);
CREATE TABLE demo.receipt (receipt_no integer, producer text, period_start date, period_end date, supplier text, energy_source text, fuel_group text,
    energy_unit text, received_qty numeric, mmbtu_per_unit numeric, received_mmbtu numeric, cost_cents_per_mmbtu numeric, delivered_cost_usd numeric,
    purchase_type text, mine_msha_id text, mine_name text, mine_state text, transport_mode text, regulated text);

\set producers_csv :data /producers.csv
\set months_csv :data /plant_month_sample.csv
\set receipts_csv :data /fuel_receipts_sample.csv
COPY demo.producer FROM :'producers_csv' WITH (FORMAT csv, HEADER);
COPY demo.plant_month FROM :'months_csv' WITH (FORMAT csv, HEADER) WHERE (:plants);
COPY demo.receipt FROM :'receipts_csv' WITH (FORMAT csv, HEADER) WHERE (:receipts);
