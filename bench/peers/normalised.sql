-- What a ledger's packages say as plain rows, and the queries over them that ecert's are measured against: what a
-- careful engineer would write by hand, with keys, statistics, the same columns and the same rounding.
--
--   psql -d DATABASE -v base_start=... -v base_end=... -v now_start=... -v now_end=... -f bench/peers/normalised.sql
--
-- in a database with a filled ledger makes schema normalised anew. The four times (timestamptz; by default January to
-- November of 2020 and 2024, the real plants' years) are those of normalised.assessment. Then compare, both with or
-- both without max_parallel_workers_per_gather:
--
--   normalised.reading_by_month      readings as rows                  with   normalised.ledger_by_month
--   normalised.line_by_month         one row for each package line     with   normalised.ledger_by_month
--   normalised.assessment            set-based SQL                     with   normalised.ledger_assessment
--   normalised.savings()             one figure of it, of one or all   with   ecert.assess()
--
-- Each is a view: time e.g. SELECT count(*), sum(quantity), sum(kgce_quantity) FROM normalised.line_by_month. Of
-- assessment sum up every figure, or columns that are not asked for are not computed. Rows of a pair are equal:
-- TABLE a EXCEPT ALL TABLE b has none. normalised.reading holds only lines that came as a series, so its pair is equal
-- where all lines did.
\set ON_ERROR_STOP on
\if :{?base_start} \else \set base_start '2020-01-01 00:00+00' \endif
\if :{?base_end} \else \set base_end '2020-12-01 00:00+00' \endif
\if :{?now_start} \else \set now_start '2024-01-01 00:00+00' \endif
\if :{?now_end} \else \set now_end '2024-12-01 00:00+00' \endif
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS normalised CASCADE;
CREATE SCHEMA normalised;

CREATE TABLE normalised.node (node text COLLATE "C" PRIMARY KEY);
INSERT INTO normalised.node SELECT node FROM ledger.node;

CREATE TABLE normalised.coefficient (source text, unit text, kgce numeric NOT NULL, PRIMARY KEY (source, unit));
INSERT INTO normalised.coefficient SELECT source, unit, kgce FROM ecert.coefficients(ecert.policy());

CREATE TABLE normalised.energy_line (
    applicant text COLLATE "C", period_start timestamptz, line integer, period_end timestamptz NOT NULL,
    source text NOT NULL, unit text NOT NULL, product text, supplier text, point text, quantity numeric NOT NULL,
    PRIMARY KEY (applicant, period_start, line));
INSERT INTO normalised.energy_line
SELECT applicant, period_start, line_number, period_end, source, unit, product, supplier, point, trim_scale(quantity) FROM ledger.energy_use;

CREATE TABLE normalised.product_line (
    applicant text COLLATE "C", period_start timestamptz, line integer, period_end timestamptz NOT NULL,
    product text NOT NULL, unit text NOT NULL, output numeric NOT NULL, qualified numeric NOT NULL, value numeric, currency text,
    PRIMARY KEY (applicant, period_start, line));
INSERT INTO normalised.product_line
SELECT applicant, period_start, line_number, period_end, product, unit, trim_scale(output_quantity), trim_scale(qualified_quantity),
       trim_scale(output_value), currency FROM ledger.product_output;

CREATE TABLE normalised.reading (
    applicant text COLLATE "C", line integer, interval_start timestamptz, interval_end timestamptz NOT NULL,
    source text NOT NULL, unit text NOT NULL, quantity numeric NOT NULL,
    PRIMARY KEY (applicant, line, interval_start));
INSERT INTO normalised.reading
SELECT p.issuer, s.line, s.interval_start, s.interval_end, s.source, s.unit, s.quantity
  FROM ledger.package p CROSS JOIN LATERAL ecert.energy_series(p.package) AS s
 WHERE p.kind = 'energy' AND NOT EXISTS (SELECT FROM ledger.package n WHERE ecert.reference(n.package) = p.hash);

-- energy use by month and source

CREATE VIEW normalised.reading_by_month AS
SELECT date_trunc('month', r.interval_start) AS month, r.source, r.unit,
       sum(r.quantity::numeric(38,18)) AS quantity, sum((r.quantity * c.kgce)::numeric(38,9)) AS kgce_quantity
  FROM normalised.reading r LEFT JOIN normalised.coefficient c ON c.source = r.source AND c.unit = r.unit
 GROUP BY 1, 2, 3;

CREATE VIEW normalised.line_by_month AS
SELECT date_trunc('month', l.period_start) AS month, l.source, l.unit,
       sum(l.quantity::numeric(38,18)) AS quantity, sum((l.quantity * c.kgce)::numeric(38,9)) AS kgce_quantity
  FROM normalised.energy_line l LEFT JOIN normalised.coefficient c ON c.source = l.source AND c.unit = l.unit
 GROUP BY 1, 2, 3;

CREATE VIEW normalised.ledger_by_month AS
SELECT date_trunc('month', u.period_start) AS month, u.source, u.unit, sum(u.quantity) AS quantity, sum(u.kgce_quantity) AS kgce_quantity
  FROM ledger.energy_use u GROUP BY 1, 2, 3;

-- the assessment of every node, by method product

CREATE VIEW normalised.assessment AS
WITH side (is_base, period_start, period_end) AS (
    VALUES (true, :'base_start'::timestamptz, :'base_end'::timestamptz), (false, :'now_start'::timestamptz, :'now_end'::timestamptz)),
used AS (
    SELECT l.applicant, s.is_base, l.product, sum(l.quantity * c.kgce) AS kgce
      FROM side s
      JOIN normalised.energy_line l ON l.period_start >= s.period_start AND l.period_start < s.period_end AND l.period_end <= s.period_end
      LEFT JOIN normalised.coefficient c ON c.source = l.source AND c.unit = l.unit
     GROUP BY l.applicant, s.is_base, l.product),
made AS (
    SELECT l.applicant, s.is_base, l.product,
           CASE WHEN min(l.unit) = max(l.unit) THEN min(l.unit) END AS unit,
           CASE WHEN min(l.unit) = max(l.unit) THEN sum(l.qualified) END AS qualified,
           CASE WHEN count(l.value) = count(*) THEN sum(l.value) END AS value
      FROM side s
      JOIN normalised.product_line l ON l.period_start >= s.period_start AND l.period_start < s.period_end AND l.period_end <= s.period_end
     GROUP BY l.applicant, s.is_base, l.product),
both_sides AS (
    SELECT applicant, is_base, product, m.unit, m.qualified, m.value, coalesce(u.kgce, 0) AS direct
      FROM made m FULL JOIN (SELECT * FROM used WHERE product IS NOT NULL) u USING (applicant, is_base, product)),
attributed AS (
    -- energy for no product: all to the only product, else in proportion to direct energy, else to value
    SELECT b.*, CASE WHEN coalesce(s.kgce, 0) = 0 THEN b.direct
                     WHEN count(*) OVER w = 1 THEN b.direct + s.kgce
                     WHEN sum(b.direct) OVER w > 0 THEN b.direct + s.kgce * b.direct / sum(b.direct) OVER w
                     WHEN count(b.value) OVER w = count(*) OVER w AND min(b.value) OVER w >= 0 AND sum(b.value) OVER w > 0
                     THEN s.kgce * b.value / sum(b.value) OVER w END AS kgce
      FROM both_sides b LEFT JOIN used s ON s.applicant = b.applicant AND s.is_base = b.is_base AND s.product IS NULL
    WINDOW w AS (PARTITION BY b.applicant, b.is_base)),
pair AS (
    SELECT applicant, product, coalesce(n.unit, b.unit) AS unit, b.kgce AS base_kgce, b.qualified AS base_output, n.kgce AS now_kgce, n.qualified AS now_output,
           CASE WHEN (b.applicant IS NOT NULL AND b.kgce IS NULL) OR (n.applicant IS NOT NULL AND n.kgce IS NULL) THEN 'shared_energy_not_attributable'
                WHEN b.qualified IS NULL THEN 'no_baseline'
                WHEN n.qualified IS NULL OR n.unit <> b.unit THEN 'no_reporting'
                WHEN b.qualified <= 0 THEN 'base_output_not_positive'
                WHEN n.qualified <= 0 THEN 'now_output_not_positive'
                WHEN b.kgce = 0 THEN 'base_intensity_zero'
                ELSE 'ok' END AS status
      FROM (SELECT * FROM attributed WHERE is_base) b FULL JOIN (SELECT * FROM attributed WHERE NOT is_base) n USING (applicant, product)),
product AS (
    SELECT p.*, CASE WHEN p.status = 'ok' THEN p.base_kgce * p.now_output / p.base_output END AS adjusted FROM pair p),
counted AS (
    SELECT p.*, bool_or(p.status = 'ok') OVER (PARTITION BY p.applicant) AS any_ok FROM product p),
total AS (
    SELECT a.node AS applicant, count(c.applicant) AS products, bool_or(c.any_ok) AS any_ok,
           min(c.status) FILTER (WHERE c.status NOT IN ('ok', 'no_baseline')) AS wrong,
           CASE WHEN count(DISTINCT c.unit) FILTER (WHERE t.counts) = 1 THEN min(c.unit) FILTER (WHERE t.counts) END AS unit,
           count(DISTINCT coalesce(c.unit, '')) FILTER (WHERE t.counts) = 1 AND count(c.unit) FILTER (WHERE t.counts) = count(*) FILTER (WHERE t.counts) AS one_unit,
           sum(c.base_kgce) FILTER (WHERE t.counts) AS base_kgce, sum(c.base_output) FILTER (WHERE t.counts) AS base_output,
           sum(c.now_kgce) FILTER (WHERE t.counts) AS now_kgce, sum(c.now_output) FILTER (WHERE t.counts) AS now_output, sum(c.adjusted) AS adjusted
      FROM normalised.node a LEFT JOIN counted c ON c.applicant = a.node
     CROSS JOIN LATERAL (SELECT c.status = 'ok' OR NOT c.any_ok AS counts) t
     GROUP BY a.node),
figures AS (
    SELECT p.applicant, p.product, p.unit, p.base_kgce, p.base_output, p.now_kgce, p.now_output, p.adjusted,
           p.adjusted - CASE WHEN p.status = 'ok' THEN p.now_kgce END AS saving, p.status FROM product p
    UNION ALL
    SELECT t.applicant, NULL, t.unit, t.base_kgce, CASE WHEN t.one_unit THEN t.base_output END, t.now_kgce, CASE WHEN t.one_unit THEN t.now_output END,
           CASE WHEN x.status = 'ok' THEN t.adjusted END, CASE WHEN x.status = 'ok' THEN t.adjusted - t.now_kgce END, x.status
      FROM total t
     CROSS JOIN LATERAL (SELECT CASE WHEN t.products = 0 THEN 'no_reporting' WHEN t.wrong IS NOT NULL THEN t.wrong WHEN t.any_ok THEN 'ok' ELSE 'no_baseline' END) AS x (status))
SELECT f.applicant AS node, f.product, f.unit, round(f.base_kgce, 4) AS base_kgce, f.base_output,
       CASE WHEN f.base_output > 0 THEN round(f.base_kgce / f.base_output, 9) END AS base_unit_energy,
       round(f.now_kgce, 4) AS now_kgce, f.now_output,
       CASE WHEN f.now_output > 0 THEN round(f.now_kgce / f.now_output, 9) END AS now_unit_energy,
       round(f.saving, 4) AS saving_kgce, round(f.saving / nullif(f.adjusted, 0), 9) AS saving_rate, f.status
  FROM figures f;

CREATE VIEW normalised.ledger_assessment AS
SELECT n.node, a.*
  FROM ledger.node n
 CROSS JOIN LATERAL ecert.assess(n.node, tstzrange(:'now_start', :'now_end'), tstzrange(:'base_start', :'base_end')) AS a;

-- What one would write who knows that there is no shared energy and nothing undefined, and wants the saving alone; NULL: of all

CREATE FUNCTION normalised.savings(who text, now_start timestamptz, now_end timestamptz, base_start timestamptz, base_end timestamptz)
RETURNS TABLE (applicant text, base_kgce numeric, base_output numeric, now_kgce numeric, now_output numeric, saving_kgce numeric) LANGUAGE sql STABLE AS $$
    WITH used AS (
        SELECT l.applicant,
               sum(l.quantity * c.kgce) FILTER (WHERE l.period_start >= base_start AND l.period_start < base_end) AS base,
               sum(l.quantity * c.kgce) FILTER (WHERE l.period_start >= now_start AND l.period_start < now_end) AS now
          FROM normalised.energy_line l JOIN normalised.coefficient c USING (source, unit)
         WHERE who IS NULL OR l.applicant = who
         GROUP BY l.applicant),
    made AS (
        SELECT l.applicant,
               sum(l.qualified) FILTER (WHERE l.period_start >= base_start AND l.period_start < base_end) AS base,
               sum(l.qualified) FILTER (WHERE l.period_start >= now_start AND l.period_start < now_end) AS now
          FROM normalised.product_line l
         WHERE who IS NULL OR l.applicant = who
         GROUP BY l.applicant)
    SELECT u.applicant, u.base, m.base, u.now, m.now, round(u.base * m.now / m.base - u.now, 4)
      FROM used u JOIN made m USING (applicant) WHERE u.now IS NOT NULL AND u.base > 0 AND m.base > 0 AND m.now > 0
$$;

VACUUM ANALYZE ledger.package, normalised.node, normalised.coefficient, normalised.energy_line, normalised.product_line, normalised.reading;
