-- The assessment: baseline against reporting period, exact.
--
-- Sums first, then one division, at every level. What is a quotient on the way (energy that was
-- shared out, e0 * M1) is carried as numerator and denominator, so that a verdict never hangs on a
-- rounded figure.

CREATE FUNCTION ecert.add_fraction(sum numeric[], numerator numeric, denominator numeric) RETURNS numeric[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN numerator IS NULL OR denominator IS NULL THEN sum
                WHEN sum[2] = denominator THEN ARRAY[sum[1] + numerator, denominator]
                ELSE ARRAY[sum[1] * denominator + numerator * sum[2], sum[2] * denominator] END;
COMMENT ON FUNCTION ecert.add_fraction(numeric[], numeric, numeric) IS 'internal: {n, d} + numerator / denominator, exact';

CREATE AGGREGATE ecert.sum_fraction(numerator numeric, denominator numeric) (
    SFUNC = ecert.add_fraction, STYPE = numeric[], INITCOND = '{0,1}', PARALLEL = SAFE);
COMMENT ON AGGREGATE ecert.sum_fraction(numeric, numeric) IS 'exact sum of fractions as {numerator, denominator}; {0,1} of no rows';

CREATE FUNCTION ecert.quotient(numerator numeric, denominator numeric, decimals integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.trim_scale(pg_catalog.round(pg_catalog.round(numerator, 40 + pg_catalog.scale(denominator)) / nullif(denominator, 0), decimals));
COMMENT ON FUNCTION ecert.quotient(numeric, numeric, integer) IS 'numerator / denominator divided to 40 decimals and more, then rounded once, half away from zero, without trailing zeros; NULL when the denominator is 0';

CREATE FUNCTION ecert.default_baseline(period tstzrange, policy jsonb) RETURNS tstzrange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        ecert.period_of_json(policy -> 'certificate' -> 'baseline'),
        pg_catalog.tstzrange(((pg_catalog.lower(period) AT TIME ZONE 'UTC') - '1 year'::interval) AT TIME ZONE 'UTC',
                             ((pg_catalog.upper(period) AT TIME ZONE 'UTC') - '1 year'::interval) AT TIME ZONE 'UTC'));
COMMENT ON FUNCTION ecert.default_baseline(tstzrange, jsonb) IS 'the baseline where the caller names none: the policy''s, or the same months of the year before (UTC)';

CREATE FUNCTION ecert.missing_coefficient(policy jsonb, applicant text, within tstzrange, last_seq bigint DEFAULT NULL,
                                          OUT source text, OUT unit text, OUT line_count bigint) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT l.source, l.unit, pg_catalog.count(*)
      FROM ecert.live_packages(missing_coefficient.applicant, 'energy', within, last_seq) AS p
     CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l
     WHERE NOT EXISTS (SELECT FROM ecert.coefficients(policy) AS c WHERE c.source OPERATOR(pg_catalog.=) l.source AND c.unit OPERATOR(pg_catalog.=) l.unit)
     GROUP BY l.source, l.unit ORDER BY l.source, l.unit
$$;
COMMENT ON FUNCTION ecert.missing_coefficient(jsonb, text, tstzrange, bigint) IS 'internal: sources and units that an applicant used within a range and a policy cannot convert';

CREATE FUNCTION ecert.energy_by_product(policy jsonb, applicant text, within tstzrange, energy_last_seq bigint, product_last_seq bigint,
                                        OUT product text, OUT unit text, OUT currency text, OUT qualified numeric, OUT value numeric,
                                        OUT kgce_numerator numeric, OUT kgce_denominator numeric, OUT attributable boolean) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH used AS (
        SELECT l.product, pg_catalog.sum(l.quantity OPERATOR(pg_catalog.*) c.kgce) AS kgce
          FROM ecert.live_packages(energy_by_product.applicant, 'energy', within, energy_last_seq) AS p
         CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l
          JOIN ecert.coefficients(policy) AS c ON c.source OPERATOR(pg_catalog.=) l.source AND c.unit OPERATOR(pg_catalog.=) l.unit
         GROUP BY l.product),
    made AS (
        SELECT l.product, CASE WHEN pg_catalog.count(DISTINCT l.unit) OPERATOR(pg_catalog.=) 1 THEN pg_catalog.min(l.unit) END AS unit,
               CASE WHEN pg_catalog.count(DISTINCT coalesce(l.currency, '')) OPERATOR(pg_catalog.=) 1 THEN pg_catalog.min(l.currency) END AS currency,
               CASE WHEN pg_catalog.count(DISTINCT l.unit) OPERATOR(pg_catalog.=) 1 THEN pg_catalog.sum(l.qualified) END AS qualified,
               CASE WHEN pg_catalog.count(l.value) OPERATOR(pg_catalog.=) pg_catalog.count(*) AND pg_catalog.count(DISTINCT coalesce(l.currency, '')) OPERATOR(pg_catalog.=) 1 THEN pg_catalog.sum(l.value) END AS value
          FROM ecert.live_packages(energy_by_product.applicant, 'product', within, product_last_seq) AS p
         CROSS JOIN LATERAL ecert.product_lines(p.package) AS l
         GROUP BY l.product),
    both_sides AS (
        SELECT coalesce(m.product, u.product) AS product, m.unit, m.currency, m.qualified, m.value, coalesce(u.kgce, 0) AS direct
          FROM made m FULL JOIN (SELECT used.product, used.kgce FROM used WHERE used.product IS NOT NULL) u ON u.product OPERATOR(pg_catalog.=) m.product),
    shared AS (
        SELECT (SELECT coalesce(pg_catalog.sum(s.kgce), 0) FROM used s WHERE s.product IS NULL) AS kgce,
               pg_catalog.count(*) AS products, pg_catalog.sum(b.direct) AS direct, pg_catalog.sum(b.value) AS value,
               pg_catalog.count(*) OPERATOR(pg_catalog.=) pg_catalog.count(b.value) AND coalesce(pg_catalog.min(b.value), -1) OPERATOR(pg_catalog.>=) 0 AND pg_catalog.count(DISTINCT coalesce(b.currency, '')) OPERATOR(pg_catalog.<=) 1 AS valued
          FROM both_sides b)
    SELECT b.product, b.unit, b.currency, b.qualified, b.value,
           CASE WHEN s.kgce OPERATOR(pg_catalog.=) 0 THEN b.direct
                WHEN s.products OPERATOR(pg_catalog.=) 1 THEN b.direct OPERATOR(pg_catalog.+) s.kgce
                WHEN s.direct OPERATOR(pg_catalog.>) 0 THEN b.direct OPERATOR(pg_catalog.*) (s.direct OPERATOR(pg_catalog.+) s.kgce)
                WHEN s.valued AND s.value OPERATOR(pg_catalog.>) 0 THEN s.kgce OPERATOR(pg_catalog.*) b.value END,
           CASE WHEN s.kgce OPERATOR(pg_catalog.=) 0 OR s.products OPERATOR(pg_catalog.=) 1 THEN 1
                WHEN s.direct OPERATOR(pg_catalog.>) 0 THEN s.direct
                WHEN s.valued AND s.value OPERATOR(pg_catalog.>) 0 THEN s.value END,
           s.kgce OPERATOR(pg_catalog.=) 0 OR s.products OPERATOR(pg_catalog.=) 1 OR s.direct OPERATOR(pg_catalog.>) 0 OR (s.valued AND s.value OPERATOR(pg_catalog.>) 0)
      FROM both_sides b CROSS JOIN shared s
$$;
COMMENT ON FUNCTION ecert.energy_by_product(jsonb, text, tstzrange, bigint, bigint) IS 'internal: per product of an applicant within a range, qualified output, value, and energy in kgce as an exact fraction: direct energy plus a share of what is declared for no product, in proportion to direct energy, where there is none to value, and all of it where there is one product; not attributable otherwise';

CREATE FUNCTION ecert.assess_products(policy jsonb, applicant text, period tstzrange, baseline tstzrange, method text,
                                      energy_last_seq bigint, product_last_seq bigint,
                                      OUT product text, OUT unit text, OUT status text,
                                      OUT base_amount numeric, OUT now_amount numeric,
                                      OUT base_numerator numeric, OUT base_denominator numeric,
                                      OUT now_numerator numeric, OUT now_denominator numeric) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT coalesce(n.product, b.product),
           CASE method WHEN 'value' THEN coalesce(n.currency, b.currency) ELSE coalesce(n.unit, b.unit) END,
           CASE WHEN NOT coalesce(b.attributable, true) OR NOT coalesce(n.attributable, true) THEN 'shared_energy_not_attributable'
                WHEN a.base IS NULL THEN 'no_baseline'
                WHEN a.now IS NULL OR (method OPERATOR(pg_catalog.=) 'product' AND n.unit OPERATOR(pg_catalog.<>) b.unit) OR (method OPERATOR(pg_catalog.=) 'value' AND coalesce(n.currency, '') OPERATOR(pg_catalog.<>) coalesce(b.currency, '')) THEN 'no_reporting'
                WHEN a.base OPERATOR(pg_catalog.<=) 0 THEN 'base_output_not_positive'
                WHEN a.now OPERATOR(pg_catalog.<=) 0 THEN 'now_output_not_positive'
                WHEN b.kgce_numerator OPERATOR(pg_catalog.=) 0 THEN 'base_intensity_zero'
                ELSE 'ok' END,
           a.base, a.now, b.kgce_numerator, b.kgce_denominator, n.kgce_numerator, n.kgce_denominator
      FROM ecert.energy_by_product(policy, assess_products.applicant, baseline, energy_last_seq, product_last_seq) AS b
      FULL JOIN ecert.energy_by_product(policy, assess_products.applicant, period, energy_last_seq, product_last_seq) AS n ON n.product OPERATOR(pg_catalog.=) b.product
     CROSS JOIN LATERAL (SELECT CASE method WHEN 'value' THEN b.value ELSE b.qualified END,
                                CASE method WHEN 'value' THEN n.value ELSE n.qualified END) AS a (base, now)
$$;
COMMENT ON FUNCTION ecert.assess_products(jsonb, text, tstzrange, tstzrange, text, bigint, bigint) IS 'internal: baseline against reporting period of each product, unrounded: amount is qualified output (method product) or its value (method value), energy an exact fraction in kgce; status ok, no_baseline, no_reporting, base_output_not_positive, now_output_not_positive, base_intensity_zero, shared_energy_not_attributable, the baseline looked at first';

CREATE FUNCTION ecert.assess_under(policy jsonb, applicant text, period tstzrange, baseline tstzrange, method text,
                                   energy_last_seq bigint DEFAULT NULL, product_last_seq bigint DEFAULT NULL,
                                   OUT product text, OUT unit text, OUT base_kgce numeric, OUT base_output numeric, OUT base_unit_energy numeric,
                                   OUT now_kgce numeric, OUT now_output numeric, OUT now_unit_energy numeric,
                                   OUT saving_kgce numeric, OUT saving_rate numeric, OUT status text,
                                   OUT adjusted_base_kgce numeric, OUT structure_kgce numeric,
                                   OUT saving_numerator numeric, OUT saving_denominator numeric,
                                   OUT rate_numerator numeric, OUT rate_denominator numeric) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    missing record;
BEGIN
    IF method NOT IN ('product', 'value') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('method "%s" is not known', method),
            HINT = 'Methods are product and value.';
    END IF;
    SELECT m.source, m.unit INTO missing
      FROM (SELECT baseline UNION ALL SELECT period) AS r (range)
     CROSS JOIN LATERAL ecert.missing_coefficient(policy, assess_under.applicant, r.range, energy_last_seq) AS m LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC042',
            MESSAGE = format('energy source "%s" in unit "%s" has no coefficient', missing.source, missing.unit),
            DETAIL = format('Applicant "%s" used it within the baseline %s or the period %s.', assess_under.applicant, baseline, period),
            HINT = 'See ledger.coefficient; the certifier adds coefficients with ecert.set_policy().';
    END IF;
    RETURN QUERY
    WITH products AS (
        -- saving = e0 * M1 - E1 and adjusted base = e0 * M1, e0 = E0 / M0; each as one fraction
        SELECT a.*,
               a.base_numerator * a.now_amount * a.now_denominator - a.now_numerator * a.base_denominator * a.base_amount AS s_numerator,
               a.base_denominator * a.base_amount * a.now_denominator AS s_denominator,
               f.numerator AS adjusted_numerator, f.amount * a.base_denominator AS adjusted_denominator, f.amount AS adjusted_amount
          FROM ecert.assess_products(policy, assess_under.applicant, period, baseline, method, energy_last_seq, product_last_seq) AS a
         -- over a whole number, so that no decimals pile up in the sum
         CROSS JOIN LATERAL (SELECT power(10::numeric, min_scale(a.base_amount))) AS d (shift)
         CROSS JOIN LATERAL (SELECT trim_scale(a.base_numerator * a.now_amount * d.shift), trim_scale(a.base_amount * d.shift)) AS f (numerator, amount)),
    overall AS (
        SELECT CASE WHEN count(*) = 0 THEN 'no_reporting'
                    WHEN bool_and(p.status IN ('ok', 'no_baseline')) AND bool_or(p.status = 'ok') THEN 'ok'
                    ELSE min(p.status COLLATE "C") FILTER (WHERE p.status NOT IN ('ok', 'no_baseline')) END AS status,
               bool_or(p.status = 'ok') AS any_ok
          FROM products p),
    counted AS (
        -- the total is over what can be assessed; where nothing can, over all there is
        SELECT p.* FROM products p CROSS JOIN overall o WHERE p.status = 'ok' OR NOT o.any_ok),
    total AS (
        SELECT coalesce(o.status, 'no_baseline') AS status,
               CASE WHEN count(DISTINCT c.unit) = 1 AND count(c.unit) = count(*) THEN min(c.unit) END AS unit,
               -- values may come without a currency; amounts in different units do not add up
               count(DISTINCT coalesce(c.unit, '')) = 1 AND (method = 'value' OR count(c.unit) = count(*)) AS one_unit,
               ecert.sum_fraction(c.base_numerator, c.base_denominator) AS base, ecert.sum_fraction(c.now_numerator, c.now_denominator) AS now,
               sum(c.base_amount) AS base_amount, sum(c.now_amount) AS now_amount,
               -- an applicant's shared energy is spread by one denominator: left out of the sum, it does not multiply
               ecert.sum_fraction(c.adjusted_numerator, c.adjusted_amount) AS adjusted_by_amount, min(c.base_denominator) AS base_denominator,
               count(c.base_numerator) > 0 AS has_base, count(c.now_numerator) > 0 AS has_now
          FROM overall o LEFT JOIN counted c ON true GROUP BY o.status),
    adjusted AS (
        SELECT t.*, ARRAY[t.adjusted_by_amount[1], t.adjusted_by_amount[2] * t.base_denominator] AS adjusted FROM total t),
    rated AS (
        -- the sum of all e0 * M1 less that of all E1
        SELECT t.*, ARRAY[t.adjusted[1] * t.now[2] - t.now[1] * t.adjusted[2], t.adjusted[2] * t.now[2]] AS saving,
               CASE WHEN policy -> 'certificate' ->> 'denominator' = 'reporting' THEN t.now ELSE t.adjusted END AS rate_base FROM adjusted t)
    SELECT p.product, p.unit,
           ecert.quotient(p.base_numerator, p.base_denominator, 4), trim_scale(p.base_amount),
           CASE WHEN p.base_amount > 0 THEN ecert.quotient(p.base_numerator, p.base_denominator * p.base_amount, 9) END,
           ecert.quotient(p.now_numerator, p.now_denominator, 4), trim_scale(p.now_amount),
           CASE WHEN p.now_amount > 0 THEN ecert.quotient(p.now_numerator, p.now_denominator * p.now_amount, 9) END,
           CASE WHEN p.status = 'ok' THEN ecert.quotient(p.s_numerator, p.s_denominator, 4) END,
           CASE WHEN p.status = 'ok' THEN
               CASE WHEN policy -> 'certificate' ->> 'denominator' = 'reporting'
                    THEN ecert.quotient(p.s_numerator * p.now_denominator, p.s_denominator * p.now_numerator, 9)
                    ELSE ecert.quotient(p.s_numerator * p.adjusted_denominator, p.s_denominator * p.adjusted_numerator, 9) END END,
           p.status,
           CASE WHEN p.status = 'ok' THEN ecert.quotient(p.adjusted_numerator, p.adjusted_denominator, 4) END, NULL::numeric,
           CASE WHEN p.status = 'ok' THEN p.s_numerator END, CASE WHEN p.status = 'ok' THEN p.s_denominator END,
           NULL::numeric, NULL::numeric
      FROM (SELECT q.* FROM products q ORDER BY q.product COLLATE "C") AS p
    UNION ALL
    SELECT NULL, r.unit,
           CASE WHEN r.has_base THEN ecert.quotient(r.base[1], r.base[2], 4) END, CASE WHEN r.one_unit THEN trim_scale(r.base_amount) END,
           CASE WHEN r.has_base AND r.one_unit AND r.base_amount > 0 THEN ecert.quotient(r.base[1], r.base[2] * r.base_amount, 9) END,
           CASE WHEN r.has_now THEN ecert.quotient(r.now[1], r.now[2], 4) END, CASE WHEN r.one_unit THEN trim_scale(r.now_amount) END,
           CASE WHEN r.has_now AND r.one_unit AND r.now_amount > 0 THEN ecert.quotient(r.now[1], r.now[2] * r.now_amount, 9) END,
           CASE WHEN r.status = 'ok' THEN ecert.quotient(r.saving[1], r.saving[2], 4) END,
           CASE WHEN r.status = 'ok' THEN ecert.quotient(r.saving[1] * r.rate_base[2], r.saving[2] * r.rate_base[1], 9) END,
           r.status,
           CASE WHEN r.status = 'ok' THEN ecert.quotient(r.adjusted[1], r.adjusted[2], 4) END,
           -- one intensity over all products (E0 / M0) * M1 - E1, less the saving product by product
           CASE WHEN r.status = 'ok' AND r.one_unit AND r.base_amount > 0 THEN
               ecert.quotient((r.base[1] * r.now_amount * r.now[2] - r.now[1] * r.base[2] * r.base_amount) * r.saving[2]
                              - r.saving[1] * (r.base[2] * r.base_amount * r.now[2]),
                              r.base[2] * r.base_amount * r.now[2] * r.saving[2], 4) END,
           CASE WHEN r.status = 'ok' THEN r.saving[1] END, CASE WHEN r.status = 'ok' THEN r.saving[2] END,
           CASE WHEN r.status = 'ok' THEN r.saving[1] * r.rate_base[2] END, CASE WHEN r.status = 'ok' THEN r.saving[2] * r.rate_base[1] END
      FROM rated r;
END
$$;
COMMENT ON FUNCTION ecert.assess_under(jsonb, text, tstzrange, tstzrange, text, bigint, bigint) IS 'ecert.assess() under a given policy, and as of the given last seqs of the energy and product feeds, with what a certificate needs beside: adjusted baseline e0 * M1, the structure term (saving by one enterprise-wide intensity minus the saving product by product), and exact fractions for verdicts. EC042';

CREATE FUNCTION ecert.assess(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product')
    RETURNS TABLE (product text, unit text, base_kgce numeric, base_output numeric, base_unit_energy numeric,
                   now_kgce numeric, now_output numeric, now_unit_energy numeric, saving_kgce numeric, saving_rate numeric, status text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.product, a.unit, a.base_kgce, a.base_output, a.base_unit_energy, a.now_kgce, a.now_output, a.now_unit_energy,
           a.saving_kgce, a.saving_rate, a.status
      FROM (SELECT ecert.policy()) AS p (policy)
     CROSS JOIN LATERAL ecert.assess_under(p.policy, assess.applicant, assess.period,
                                           coalesce(assess.baseline, ecert.default_baseline(assess.period, p.policy)), assess.method) AS a
$$;
COMMENT ON FUNCTION ecert.assess(text, tstzrange, tstzrange, text) IS 'energy saving of an applicant from the ledger alone: one row per product, then the total with product NULL. E = sum of quantity times coefficient (kgce), unit energy e = E / M, saving S = (e0 - e1) * M1, rate = S / (e0 * M1), or S / (e1 * M1) where the policy says reporting (GB/T 13234; positive = saved). Method product divides by qualified output, value by its value. kgce to 4 decimals, unit energies and rates to 9, rounded once. Undefined figures are NULL with a status. EC042 names a source and unit without coefficient';
