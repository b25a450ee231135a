-- (f) The assessment of all producers by hand-written SQL: the savings of a reporting period against a baseline from normalised, indexed tables.
CREATE TABLE bench.coefficient (
	source text COLLATE "C" NOT NULL,
	unit text COLLATE "C" NOT NULL,
	kgce numeric NOT NULL,
	PRIMARY KEY (source, unit)
);
CREATE TABLE bench.product_line (
	producer text COLLATE "C" NOT NULL,
	seq bigint NOT NULL,
	line integer NOT NULL,
	period_start timestamptz NOT NULL,
	product text COLLATE "C" NOT NULL,
	qualified numeric NOT NULL,
	PRIMARY KEY (producer, seq, line)
);
CREATE INDEX ON bench.product_line (producer, period_start);
INSERT INTO bench.coefficient SELECT source, unit, kgce FROM ecert.coefficients(ecert.policy());
INSERT INTO bench.energy_line SELECT applicant, seq, line_number, period_start, period_end, source, unit, trim_scale(quantity) FROM ledger.energy_use;
INSERT INTO bench.product_line SELECT applicant, seq, line_number, period_start, product, trim_scale(qualified_quantity) FROM ledger.product_output;
VACUUM ANALYZE bench.coefficient, bench.energy_line, bench.product_line;
CREATE FUNCTION bench.savings(who text, now_start timestamptz, now_end timestamptz, base_start timestamptz, base_end timestamptz)
RETURNS TABLE (producer text, base_kgce numeric, base_output numeric, now_kgce numeric, now_output numeric, saving_kgce numeric) LANGUAGE sql STABLE AS $$
	WITH used AS (
		SELECT e.producer,
			   sum(e.quantity * c.kgce) FILTER (WHERE e.period_start >= base_start AND e.period_start < base_end) AS base,
			   sum(e.quantity * c.kgce) FILTER (WHERE e.period_start >= now_start AND e.period_start < now_end) AS now
		  FROM bench.energy_line e JOIN bench.coefficient c USING (source, unit)
		 WHERE who IS NULL OR e.producer = who
		 GROUP BY e.producer),
	made AS (
		SELECT p.producer,
			   sum(p.qualified) FILTER (WHERE p.period_start >= base_start AND p.period_start < base_end) AS base,
			   sum(p.qualified) FILTER (WHERE p.period_start >= now_start AND p.period_start < now_end) AS now
		  FROM bench.product_line p
		 WHERE who IS NULL OR p.producer = who
		 GROUP BY p.producer)
	SELECT u.producer, u.base, m.base, u.now, m.now, round(u.base * m.now / m.base - u.now, 4)
	  FROM used u JOIN made m USING (producer) WHERE u.now IS NOT NULL AND u.base > 0 AND m.base > 0 AND m.now > 0
$$;
