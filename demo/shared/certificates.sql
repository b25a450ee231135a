-- January to November 2024 against the same months of 2020. Whoever nothing stands against gets a certificate.
-- Variable: against, a plant that gets none.
CREATE TABLE demo.assessment AS
    SELECT p.node, p.plant_name AS name, p.producer, a.*
      FROM demo.producer p JOIN ledger.node n ON n.node = p.node
     CROSS JOIN LATERAL ecert.assess(p.node, '[2024-01-01 00:00+00, 2024-12-01 00:00+00)') AS a
     WHERE a.product IS NOT NULL;
CREATE TABLE demo.obstacle AS
    SELECT p.node, p.plant_name AS name, o.*
      FROM demo.producer p JOIN ledger.node n ON n.node = p.node
     CROSS JOIN LATERAL ecert.obstacles(p.node, '[2024-01-01 00:00+00, 2024-12-01 00:00+00)') WITH ORDINALITY AS o;

SELECT count(*) FILTER (WHERE (a.base_kgce, a.base_output, a.base_unit_energy, a.now_kgce, a.now_output, a.status) = (e.base_kgce, e.base_output, e.base_e, e.now_kgce, e.now_output, e.status)
                          AND (a.now_unit_energy, a.saving_kgce, a.saving_rate) IS NOT DISTINCT FROM (e.now_e, e.saving_kgce, e.saving_rate))
       || ' of ' || count(*) || ' assessments equal, to the last digit, those of an independent program.' AS same
  FROM demo.assessment a JOIN demo.expected e ON e.producer = a.producer \gset
\echo :same

SELECT ecert.certify(a.node, '[2024-01-01 00:00+00, 2024-12-01 00:00+00)')
  FROM demo.assessment a WHERE a.node NOT IN (SELECT o.node FROM demo.obstacle o) ORDER BY a.node \g /dev/null
SELECT ecert.reward() \g /dev/null

\echo
\echo 'Certificates (unit energy in kgce/MWh; a minus is more energy used than by the baseline):'
SELECT c.certificate_number AS number, c.applicant_name AS plant, round(p.base_kgce_per_unit, 2) AS "before", round(p.now_kgce_per_unit, 2) AS now,
       to_char(c.saving_tce, 'FM999,999,990.0') AS "saving, tce", round(100 * c.saving_rate, 2) AS "rate, %", c.verdict, c.audit_count AS audits
  FROM ledger.certificate c JOIN ledger.certificate_product p ON p.certificate_hash = c.certificate_hash
 ORDER BY c.saving_rate DESC;

\echo 'No certificate, since something stands against it:'
SELECT a.name AS plant, round(a.base_unit_energy, 2) AS "before", round(a.now_unit_energy, 2) AS now, round(100 * a.saving_rate, 2) AS "rate, %",
       (SELECT count(*) FROM demo.obstacle o WHERE o.node = a.node) AS obstacles,
       (SELECT string_agg(DISTINCT o.obstacle, ', ') FROM demo.obstacle o WHERE o.node = a.node) AS kinds
  FROM demo.assessment a WHERE a.node IN (SELECT o.node FROM demo.obstacle o) ORDER BY a.saving_rate DESC NULLS LAST;

SELECT p.plant_name AS against_name FROM demo.producer p WHERE p.node = :'against' \gset
\echo 'What stands against ':against_name', by ecert.obstacles():'
SELECT o.obstacle, regexp_replace(regexp_replace(o.detail, '"([0-9-]{10}) 00:00:00\+00"', '\1', 'g'), '([0-9a-f]{12})[0-9a-f]{52}', '\1...') AS detail FROM demo.obstacle o WHERE o.node = :'against' ORDER BY o.ordinality;
