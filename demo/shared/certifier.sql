-- What the certifier brings: coefficients, its policy, and the results that it is compared with. Variable: data.
CREATE TABLE demo.coefficient (energy_source text, energy_unit text, kgce_per_unit numeric, mmbtu_per_unit_observed numeric,
    mmbtu_per_unit_table numeric, si_unit text, si_per_unit numeric, basis text);
CREATE TABLE demo.expected (producer text, base_from date, base_to date, now_from date, now_to date, base_months integer, now_months integer,
    base_kgce numeric, base_output numeric, base_e numeric, now_kgce numeric, now_output numeric, now_e numeric, saving_kgce numeric, saving_rate numeric,
    base_kgce_heat numeric, now_kgce_heat numeric, saving_kgce_heat numeric, saving_rate_heat numeric, status text);
\set coefficients_csv :data /coefficients.csv
\set expected_csv :data /expected_2020_vs_2024_sample.csv
COPY demo.coefficient FROM :'coefficients_csv' WITH (FORMAT csv, HEADER);
COPY demo.expected FROM :'expected_csv' WITH (FORMAT csv, HEADER);

CREATE FUNCTION demo.policy(required jsonb) RETURNS jsonb LANGUAGE sql STABLE
    RETURN jsonb_build_object(
        'coefficients', (SELECT jsonb_agg(jsonb_build_object('source', c.energy_source, 'unit', c.energy_unit, 'kgce', c.kgce_per_unit,
                                    'edition', 'EIA-923, 2020 and 2024', 'citation', c.basis) ORDER BY c.energy_source) FROM demo.coefficient c),
        'units', '[]'::jsonb,
        -- The tolerances are wide: the twenty plants were drawn from the whole country, and stocks, which nobody reports,
        -- lie between what was delivered and what was burnt.
        'audit', jsonb_build_object('required', required) ||
                 '{"upstream": {"tolerance": 0.05}, "downstream": {"tolerance": 0.05}, "peer": {"k": 5, "floor": 0, "band": 0.5, "minimum": 5}, "audit_days": 30}'::jsonb,
        -- months and years of the data are those of UTC
        'calendar', ecert.default_policy('UTC') -> 'calendar', 'completeness', ecert.default_policy('UTC') -> 'completeness',
        'certificate', ecert.default_policy('UTC') -> 'certificate' || jsonb_build_object(
            'baseline', jsonb_build_object('rule', 'fixed', 'period', ecert.period_json('[2020-01-01 00:00+00, 2020-12-01 00:00+00)'))),
        'reward', '{"upstream": 2, "peer": 1, "downstream": 2, "unit": "point"}'::jsonb);
COMMENT ON FUNCTION demo.policy(jsonb) IS 'the policy, with the audits that it requires of every package';
