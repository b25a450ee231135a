-- The assessment: baseline against reporting period, exact.
--
-- The arithmetic is in src/rules; what is here finds the packages. assess() has no SET clause and names
-- every operator's schema, so that the planner sees through it: a query over all applicants reads the policy once,
-- keeps one plan for their packages, and may run in parallel workers. An aggregate in a LATERAL subquery may not,
-- so bodies are collected in a function of their own.

CREATE FUNCTION ecert.default_baseline(period tstzrange, policy jsonb) RETURNS tstzrange
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_default_baseline';
COMMENT ON FUNCTION ecert.default_baseline(tstzrange, jsonb) IS 'the baseline where the caller names none, by the policy''s rule: the same civil dates of the year before (ecert.calendar_before()), of so many years before, or a fixed period; empty where the period has no end';

CREATE FUNCTION ecert.missing_coefficient(policy jsonb, applicant text, within tstzrange,
                                          OUT source text, OUT unit text, OUT line_count bigint) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT l.source, l.unit, pg_catalog.count(*)
      FROM ecert.live_packages(missing_coefficient.applicant, 'energy', within) AS p
     CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l
     WHERE NOT EXISTS (SELECT FROM ecert.coefficients(policy) AS c WHERE c.source OPERATOR(pg_catalog.=) l.source AND c.unit OPERATOR(pg_catalog.=) l.unit)
     GROUP BY l.source, l.unit ORDER BY l.source, l.unit
$$;
COMMENT ON FUNCTION ecert.missing_coefficient(jsonb, text, tstzrange) IS 'internal: sources and units that an applicant used within a range and a policy cannot convert';

CREATE TYPE ecert.package_bodies;

CREATE FUNCTION ecert.package_bodies_in(cstring) RETURNS ecert.package_bodies
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_bodies_in';
COMMENT ON FUNCTION ecert.package_bodies_in(cstring) IS 'refuses: bodies are collected by ecert.collect_bodies(); 0A000';

CREATE FUNCTION ecert.package_bodies_out(ecert.package_bodies) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_bodies_out';
COMMENT ON FUNCTION ecert.package_bodies_out(ecert.package_bodies) IS 'the bytes as \x and hexadecimal';

CREATE TYPE ecert.package_bodies (
    INPUT = ecert.package_bodies_in,
    OUTPUT = ecert.package_bodies_out,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE ecert.package_bodies IS 'internal: the bodies of an applicant''s energy and product packages, on their way to an assessment';

CREATE FUNCTION ecert.collect_body(internal, kind text, seq bigint, period tstzrange, package ecert.package) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_collect_body';
COMMENT ON FUNCTION ecert.collect_body(internal, text, bigint, tstzrange, ecert.package) IS 'internal: step of ecert.collect_bodies()';

CREATE FUNCTION ecert.collected_bodies(internal) RETURNS ecert.package_bodies
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_collected_bodies';
COMMENT ON FUNCTION ecert.collected_bodies(internal) IS 'internal: last step of ecert.collect_bodies()';

CREATE AGGREGATE ecert.collect_bodies(kind text, seq bigint, period tstzrange, package ecert.package) (
    SFUNC = ecert.collect_body, STYPE = internal, SSPACE = 16384, FINALFUNC = ecert.collected_bodies, FINALFUNC_MODIFY = READ_WRITE, PARALLEL = SAFE);
COMMENT ON AGGREGATE ecert.collect_bodies(text, bigint, tstzrange, ecert.package) IS 'internal: the bodies of energy and product packages, for ecert.assess_bodies(); NULL of no rows';

CREATE FUNCTION ecert.declared_bodies(applicant text, period tstzrange, baseline tstzrange, energy_last_seq bigint, product_last_seq bigint) RETURNS ecert.package_bodies
    LANGUAGE sql STABLE PARALLEL SAFE COST 2000
AS $$
    -- one scan of the index for both ranges; what lies within neither is passed over in C, so that no period is
    -- looked at twice
    SELECT ecert.collect_bodies(p.kind, p.seq, p.period, p.package) FROM ledger.package p
     WHERE p.subject OPERATOR(pg_catalog.=) applicant AND p.kind OPERATOR(pg_catalog.=) ANY ('{energy,product}'::pg_catalog.text[])
       AND p.issuer OPERATOR(pg_catalog.=) p.subject
       AND pg_catalog.lower(p.period) OPERATOR(pg_catalog.>=) LEAST(pg_catalog.lower(declared_bodies.period), pg_catalog.lower(baseline))
       AND pg_catalog.lower(p.period) OPERATOR(pg_catalog.<) GREATEST(pg_catalog.upper(declared_bodies.period), pg_catalog.upper(baseline))
       AND (pg_catalog.lower(p.period) OPERATOR(pg_catalog.<) LEAST(pg_catalog.upper(declared_bodies.period), pg_catalog.upper(baseline))
            OR pg_catalog.lower(p.period) OPERATOR(pg_catalog.>=) GREATEST(pg_catalog.lower(declared_bodies.period), pg_catalog.lower(baseline)))
       AND (energy_last_seq IS NULL OR p.kind OPERATOR(pg_catalog.<>) 'energy' OR p.seq OPERATOR(pg_catalog.<=) energy_last_seq)
       AND (product_last_seq IS NULL OR p.kind OPERATOR(pg_catalog.<>) 'product' OR p.seq OPERATOR(pg_catalog.<=) product_last_seq)
$$;
COMMENT ON FUNCTION ecert.declared_bodies(text, tstzrange, tstzrange, bigint, bigint) IS 'internal: an applicant''s energy and product packages that begin within the period or the baseline (up to the last seqs of the feeds, when given), those that others replace among them; NULL when there are none';

CREATE FUNCTION ecert.use_by_product(policy jsonb, bodies ecert.package_bodies, within tstzrange,
                                     OUT product text, OUT unit text, OUT currency text, OUT qualified numeric, OUT value numeric,
                                     OUT kgce numeric, OUT unit_energy numeric, OUT has_output boolean, OUT attributable boolean) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 2 AS 'MODULE_PATHNAME', 'ecert_use_by_product';
COMMENT ON FUNCTION ecert.use_by_product(jsonb, ecert.package_bodies, tstzrange) IS 'internal: per product of the given packages of one applicant within a range, qualified output, value, energy in kgce and unit energy (9 decimals): direct energy plus a share, to 24 decimals, of what is declared for no product, in proportion to direct energy, where there is none to value, and all of it where there is one product; not attributable otherwise. Energy that is not attributable, or has no coefficient, is NULL';

CREATE FUNCTION ecert.unit_energy_of(policy jsonb, applicant text, within tstzrange,
                                     OUT product text, OUT unit text, OUT unit_energy numeric) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.product, e.unit, e.unit_energy
      FROM ecert.use_by_product(policy, ecert.declared_bodies(unit_energy_of.applicant, within, within, NULL, NULL), within) AS e
     WHERE e.qualified > 0 AND e.attributable
       AND NOT EXISTS (SELECT FROM ecert.missing_coefficient(policy, unit_energy_of.applicant, within))
$$;
COMMENT ON FUNCTION ecert.unit_energy_of(jsonb, text, tstzrange) IS 'internal: unit product energy (kgce per unit, 9 decimals) of each product of an applicant within a range; products without positive output are left out, and all of them where a source has no coefficient';

CREATE FUNCTION ecert.assess_bodies(policy jsonb, applicant text, bodies ecert.package_bodies, period tstzrange, baseline tstzrange, method text,
                                      OUT product text, OUT unit text, OUT base_kgce numeric, OUT base_output numeric, OUT base_unit_energy numeric,
                                      OUT now_kgce numeric, OUT now_output numeric, OUT now_unit_energy numeric,
                                      OUT saving_kgce numeric, OUT saving_rate numeric, OUT status text,
                                      OUT adjusted_base_kgce numeric, OUT structure_kgce numeric,
                                      OUT saving_tce numeric, OUT passes boolean) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 2 AS 'MODULE_PATHNAME', 'ecert_assess_bodies';
COMMENT ON FUNCTION ecert.assess_bodies(jsonb, text, ecert.package_bodies, tstzrange, tstzrange, text) IS 'ecert.assess() of the given packages of one applicant under a given policy, with what a certificate needs beside: adjusted baseline e0 * M1, the structure term (saving by one enterprise-wide intensity minus the saving product by product), the saving in tce, and in the total whether the rate, before it is rounded, reaches the policy''s threshold (is above it, where the policy is strict). A policy that is NULL has no coefficients. Status ok, no_baseline, no_reporting, base_output_not_positive, now_output_not_positive, base_intensity_zero, shared_energy_not_attributable, the baseline looked at first. EC042';

CREATE FUNCTION ecert.assess_under(policy jsonb, applicant text, period tstzrange, baseline tstzrange, method text,
                                   energy_last_seq bigint DEFAULT NULL, product_last_seq bigint DEFAULT NULL,
                                   OUT product text, OUT unit text, OUT base_kgce numeric, OUT base_output numeric, OUT base_unit_energy numeric,
                                   OUT now_kgce numeric, OUT now_output numeric, OUT now_unit_energy numeric,
                                   OUT saving_kgce numeric, OUT saving_rate numeric, OUT status text,
                                   OUT adjusted_base_kgce numeric, OUT structure_kgce numeric,
                                   OUT saving_tce numeric, OUT passes boolean) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
AS $$
    SELECT a.product, a.unit, a.base_kgce, a.base_output, a.base_unit_energy, a.now_kgce, a.now_output, a.now_unit_energy,
           a.saving_kgce, a.saving_rate, a.status, a.adjusted_base_kgce, a.structure_kgce, a.saving_tce, a.passes
      FROM ecert.assess_bodies(policy, assess_under.applicant,
                               ecert.declared_bodies(assess_under.applicant, period, baseline, energy_last_seq, product_last_seq),
                               period, baseline, method) AS a
$$;
COMMENT ON FUNCTION ecert.assess_under(jsonb, text, tstzrange, tstzrange, text, bigint, bigint) IS 'ecert.assess() under a given policy, and as of the given last seqs of the energy and product feeds, with the further columns of ecert.assess_bodies(). EC042';

CREATE FUNCTION ecert.assess(applicant text, period tstzrange, baseline tstzrange DEFAULT NULL, method text DEFAULT 'product')
    RETURNS TABLE (product text, unit text, base_kgce numeric, base_output numeric, base_unit_energy numeric,
                   now_kgce numeric, now_output numeric, now_unit_energy numeric, saving_kgce numeric, saving_rate numeric, status text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
AS $$
    -- (SELECT ecert.policy()) depends on no applicant: it is run once in a query, however many it is about
    SELECT a.product, a.unit, a.base_kgce, a.base_output, a.base_unit_energy, a.now_kgce, a.now_output, a.now_unit_energy,
           a.saving_kgce, a.saving_rate, a.status
      FROM ecert.assess_bodies((SELECT ecert.policy()), assess.applicant,
                               ecert.declared_bodies(assess.applicant, assess.period,
                                                     coalesce(assess.baseline, ecert.default_baseline(assess.period, (SELECT ecert.policy()))), NULL, NULL),
                               assess.period, coalesce(assess.baseline, ecert.default_baseline(assess.period, (SELECT ecert.policy()))), assess.method) AS a
$$;
COMMENT ON FUNCTION ecert.assess(text, tstzrange, tstzrange, text) IS 'energy saving of an applicant from the ledger alone: one row per product, then the total with product NULL. E = sum of quantity times coefficient (kgce), unit energy e = E / M, saving S = (e0 - e1) * M1, rate = S / (e0 * M1), or S / (e1 * M1) where the policy says reporting (GB/T 13234; positive = saved). Method product divides by qualified output, value by its value. kgce to 4 decimals, unit energies and rates to 9, rounded once. Undefined figures are NULL with a status. EC042 names a source and unit without coefficient';
