-- A small ledger with packages of every kind, evidence, books and caches, and values of every type that functions take: for
-- t/080_calls.pl and its like. psql -v keys=FOLDER, as a superuser, in a database without a ledger.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS ecert;
CREATE SCHEMA calls;
SELECT set_config('calls.keys', :'keys', false) AS keys, set_config('ecert.seal_key', :'keys' || '/seal.pem', false) AS seal_key \gset
CREATE FUNCTION calls.public(key text) RETURNS text LANGUAGE sql SET search_path = pg_catalog AS $$ SELECT pg_read_file(current_setting('calls.keys') || '/' || key || '.pub.pem') $$;
CREATE PROCEDURE calls.be(node text) LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT set_config('ecert.node', node, false), set_config('ecert.signing_key', current_setting('calls.keys') || '/' || node || '.pem', false),
           set_config('ecert.witness_key', CASE WHEN node IN ('buyer', 'supplier') THEN current_setting('calls.keys') || '/' || node || '-witness.pem' ELSE '' END, false) $$;

CALL calls.be('certifier');
SELECT ecert.create_ledger('calls.test', ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}, {"as": "downstream", "count": 1}],
  "upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01}, "peer": {"k": 3, "floor": 0, "band": 0.5, "minimum": 1}, "audit_days": 30},
  "reward": {"upstream": 5, "peer": 3, "downstream": 2.5, "unit": "point"}}') AS x \gset
SELECT count(ecert.enroll(n.node, n.roles, calls.public(n.node), n.name, witness_key => CASE WHEN n.node IN ('buyer', 'supplier') THEN calls.public(n.node || '-witness') END)) AS x
  FROM (VALUES ('plant-a', '{applicant}'::text[], 'Plant A'), ('plant-b', '{applicant,auditor}', 'Plant B'), ('plant-es256', '{applicant}', 'Plant E'), ('plant-sm2', '{applicant}', 'Plant S'),
               ('supplier', '{auditor}', 'Coal and gas'), ('buyer', '{auditor}', 'Buyer'), ('stranger', '{auditor}', 'Stranger')) AS n (node, roles, name) \gset
SELECT count(ecert.relate(r.auditor, 'plant-a', r.as_role)) AS x FROM (VALUES ('supplier', 'upstream'), ('buyer', 'downstream'), ('plant-b', 'peer')) AS r (auditor, as_role) \gset
SELECT ecert.set_policy(ecert.policy()) AS x \gset
SELECT ecert.checkpoint() AS x \gset

CALL calls.be('plant-a');
INSERT INTO ledger.reading (point, source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
 ('m1', 'raw_coal', 't', 'A', 'supplier', '2023-01-01', '2023-02-01', 1000), ('m2', 'electricity', 'GWh', 'A', NULL, '2023-01-01', '2023-02-01', 2),
 ('m3', 'natural_gas', 'm3', 'B', NULL, '2023-01-01', '2023-02-01', 300000), ('m4', 'electricity', 'MWh', NULL, NULL, '2023-01-01', '2023-02-01', 1500),
 ('m1', 'raw_coal', 't', 'A', 'supplier', '2024-01-01', '2024-02-01', 1050), ('m2', 'electricity', 'GWh', 'A', NULL, '2024-01-01', '2024-02-01', 2.1),
 ('m3', 'natural_gas', 'm3', 'B', NULL, '2024-01-01', '2024-02-01', 260000), ('m4', 'electricity', 'MWh', NULL, NULL, '2024-01-01', '2024-02-01', 1400),
 ('m1', 'raw_coal', 't', 'A', 'supplier', '2024-02-01', '2024-03-01', 7), ('m1', 'raw_coal', 't', 'A', 'supplier', '2024-03-01', '2024-03-05', 7);
INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified, value, currency, deliveries) VALUES
 ('A', 't', '2023-01-01', '2023-02-01', 5100, 5000, 20000, '10^4 CNY', '[{"buyer": "buyer", "quantity": 4000}]'), ('B', 't', '2023-01-01', '2023-02-01', 2050, 2000, 10000, '10^4 CNY', NULL),
 ('A', 't', '2024-01-01', '2024-02-01', 5660, 5600, 22400, '10^4 CNY', '[{"buyer": "buyer", "quantity": 4400}]'), ('B', 't', '2024-01-01', '2024-02-01', 1840, 1800, 9000, '10^4 CNY', NULL),
 ('A', 't', '2024-02-01', '2024-03-01', 10, 10, 10, '10^4 CNY', NULL);
SELECT count(ecert.pack_energy(r)) + count(ecert.pack_product(r)) AS x FROM unnest('{"[2023-01-01,2023-02-01)", "[2024-01-01,2024-02-01)"}'::tstzrange[]) AS r \gset
SELECT ecert.pack_energy('[2024-01-01,2024-02-01)', p.hash, 'meter read again') AS x FROM ledger.package p WHERE p.kind = 'energy' AND p.seq = 1 \gset
SELECT ecert.append('energy', '{"period": [1709251200, 1711929600], "lines": [{"source": "electricity", "unit": "kWh", "series": {"step": 669600, "exp": -3, "values": [1000, 2, 500, 7]}}]}') AS x \gset
SELECT ecert.append('point', '{"points": [{"point": "m1", "type": "scale", "source": "raw_coal", "unit": "t", "product": "A", "from": 1600000000}]}') AS x \gset
CALL calls.be('plant-es256');
SELECT ecert.append('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1.5}]}') AS x \gset
SELECT ecert.append('product', '{"period": [1704067200, 1706745600], "lines": [{"product": "A", "unit": "t", "output": 1, "qualified": 1}]}') AS x \gset
CALL calls.be('plant-sm2');
SELECT ecert.append('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 99999999999}]}') AS x \gset
CALL calls.be('supplier');
INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity, stock_change) VALUES
 ('plant-a', 'raw_coal', 'kg', '2023-01-01', '2023-02-01', 1005000, 0), ('plant-a', 'raw_coal', 't', '2024-01-01', '2024-02-01', 1050, 0);
SELECT count(ecert.submit_audit('plant-a', r, 'upstream')) AS x FROM unnest('{"[2023-01-01,2023-02-01)", "[2024-01-01,2024-02-01)"}'::tstzrange[]) AS r \gset
CALL calls.be('buyer');
INSERT INTO ledger.purchase (applicant, product, unit, period_start, period_end, quantity, value) VALUES
 ('plant-a', 'A', 't', '2023-01-01', '2023-02-01', 4000, 16000), ('plant-a', 'A', 't', '2024-01-01', '2024-02-01', 4400, 17600);
SELECT count(ecert.submit_audit('plant-a', r, 'downstream')) AS x FROM unnest('{"[2023-01-01,2023-02-01)", "[2024-01-01,2024-02-01)"}'::tstzrange[]) AS r \gset
CALL calls.be('plant-b');
SELECT ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'peer') AS x \gset

CALL calls.be('certifier');
SELECT ecert.certify('plant-a', '[2024-01-01,2024-02-01)', '[2023-01-01,2023-02-01)') AS x \gset
SELECT ecert.checkpoint() AS x \gset
SELECT count(*) AS x FROM ecert.reward() \gset
SELECT ecert.set_status(hash, 'suspended', 'a question') AS x FROM ledger.package WHERE kind = 'certificate' \gset
SELECT ecert.checkpoint() AS x \gset
CALL calls.be('buyer');
SELECT ecert.witness() AS x \gset

-- evidence: two stories of one seq, one that waits, one that cannot be
CALL calls.be('plant-b');
BEGIN;
SELECT ecert.append('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}') AS x \gset
SELECT ecert.append('energy', '{"period": [1706745600, 1709251200], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}') AS x \gset
SELECT encode(package::bytea, 'hex') AS one FROM ledger.package WHERE issuer = 'plant-b' AND kind = 'energy' AND seq = 0 \gset
SELECT encode(package::bytea, 'hex') AS waits FROM ledger.package WHERE issuer = 'plant-b' AND kind = 'energy' AND seq = 1 \gset
SELECT ecert.append('energy', '{"period": [1709251200, 1711929600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}') AS x \gset
SELECT encode(package::bytea, 'hex') AS later FROM ledger.package WHERE issuer = 'plant-b' AND kind = 'energy' AND seq = 2 \gset
ROLLBACK;
BEGIN;
SELECT ecert.append('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 2}]}') AS x \gset
SELECT encode(package::bytea, 'hex') AS other FROM ledger.package WHERE issuer = 'plant-b' AND kind = 'energy' AND seq = 0 \gset
ROLLBACK;
BEGIN;
SELECT ecert.append('energy', '{"period": [1704067200, 1706745600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 3}]}') AS x \gset
SELECT encode(package::bytea, 'hex') AS third FROM ledger.package WHERE issuer = 'plant-b' AND kind = 'energy' AND seq = 0 \gset
ROLLBACK;
-- a third story that nobody has heard yet
CREATE TABLE calls.story AS SELECT decode(:'third', 'hex') AS bytes;
SELECT ecert.admit_from_peer(decode(:'one', 'hex'), 'hub') AS x \gset
SELECT ecert.admit_from_peer(decode(:'other', 'hex'), 'hub') AS x \gset
SELECT ecert.admit_from_peer(decode(:'later', 'hex'), 'hub') AS x \gset
SELECT ecert.admit_from_peer(overlay(decode(:'other', 'hex') PLACING '\xff' FROM octet_length(decode(:'other', 'hex')) - 3), 'hub') AS x \gset
SELECT ecert.admit_from_peer(overlay(decode(:'waits', 'hex') PLACING '\x00' FROM 40), 'hub') AS x \gset
INSERT INTO ledger.peer (peer, this_node, is_hub, subscription, publication, own_connection) VALUES ('hub', 'plant-b', true, 'ecert_nowhere', 'ecert', 'host=/nonexistent');
CALL calls.be('certifier');
CALL ecert.verify_ledger();
CALL calls.be('plant-a');
CALL ecert.run_duties();
CALL calls.be('certifier');
CALL ecert.run_duties();
SELECT ecert.checkpoint() AS x \gset

-- values: what is right, and the same with some bytes wrong that still has the form of its type
CREATE TABLE calls.package_value (n integer GENERATED ALWAYS AS IDENTITY, v ecert.package);
-- what a worker of replication would put into a column of somebody's own: any bytes at all
CREATE FUNCTION calls.unchecked(bytes bytea) RETURNS ecert.package LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
INSERT INTO calls.package_value (v)
SELECT calls.unchecked(CASE f.n WHEN 0 THEN substr(p.package::bytea, 1, octet_length(p.package::bytea) / 2) WHEN 1 THEN substr(p.package::bytea, 1, 3) WHEN 2 THEN overlay(p.package::bytea PLACING '\xff' FROM 9) ELSE p.package::bytea || '\x00' END)
  FROM ledger.package p CROSS JOIN generate_series(0, 3) AS f (n) WHERE p.seq = 0;
INSERT INTO calls.package_value (v) VALUES (calls.unchecked('')), (calls.unchecked('\x00')), (calls.unchecked(decode(repeat('9f', 70000), 'hex')));
CREATE TABLE calls.text_value (n integer GENERATED ALWAYS AS IDENTITY, v text);
INSERT INTO calls.text_value (v)
SELECT calls.public(k) FROM unnest('{plant-a,plant-es256,plant-sm2,seal,buyer-witness}'::text[]) AS k UNION ALL SELECT left(calls.public('plant-a'), 90) UNION ALL SELECT 'not ' || calls.public('plant-a')
 UNION ALL SELECT ecert.note_key() UNION ALL SELECT cosignature FROM ledger.witness;
CREATE TABLE calls.bytea_value (n integer GENERATED ALWAYS AS IDENTITY, v bytea);
CREATE TABLE calls.jsonb_value (n integer GENERATED ALWAYS AS IDENTITY, v jsonb);
CREATE FUNCTION calls.as_package(bytes bytea) RETURNS ecert.package LANGUAGE plpgsql AS $$
BEGIN RETURN bytes::ecert.package; EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$;
INSERT INTO calls.package_value (v) SELECT package FROM ledger.package ORDER BY issuer, kind, seq;
INSERT INTO calls.package_value (v)
SELECT d.v FROM (SELECT calls.as_package(overlay(p.package::bytea PLACING f.bytes FROM 20 + (hashtextextended(format('%s %s %s %s', p.issuer, p.kind, p.seq, f.n), 0) & 65535)::integer % (octet_length(p.package::bytea) - 30))) AS v
                   FROM ledger.package p CROSS JOIN (SELECT n, decode(lpad(to_hex(n * 37 % 256), 2, '0'), 'hex') AS bytes FROM generate_series(1, 40) AS n) AS f) AS d
 WHERE d.v IS NOT NULL;
INSERT INTO calls.bytea_value (v)
SELECT hash FROM ledger.package UNION ALL SELECT ecert.receipt(hash) FROM ledger.package WHERE ecert.is_checkable(package) AND kind IN ('certificate', 'energy') AND seq = 0
 UNION ALL SELECT ecert.transparent(hash) FROM ledger.package WHERE kind IN ('certificate', 'energy') AND seq = 0 UNION ALL SELECT ecert.policy_hash()
 UNION ALL SELECT ecert.encode_body(ecert.body(package)) FROM ledger.package WHERE seq = 0 UNION ALL SELECT ecert.kid(package) FROM ledger.package WHERE kind = 'checkpoint'
 UNION ALL SELECT package::bytea FROM ledger.package UNION ALL SELECT root FROM ledger.sealing UNION ALL SELECT bytes FROM ledger.quarantine;
INSERT INTO calls.bytea_value (v) SELECT ecert.verified_registry() FROM (SELECT count(*) FROM ecert.verify_registry()) AS n;
INSERT INTO calls.bytea_value (v)
SELECT CASE f.n % 3 WHEN 0 THEN substr(b.v, 1, f.at) WHEN 1 THEN overlay(b.v PLACING decode(lpad(to_hex(f.n * 73 % 256), 2, '0'), 'hex') FROM f.at) ELSE overlay(b.v PLACING '\xffffffffffffffff' FROM f.at) END
  FROM calls.bytea_value b CROSS JOIN LATERAL (SELECT n, 1 + (hashtextextended(format('%s %s', b.n, n), 0) & 65535)::integer % octet_length(b.v) AS at FROM generate_series(1, CASE WHEN octet_length(b.v) > 32 THEN 12 ELSE 1 END) AS n) AS f
 WHERE octet_length(b.v) > 0;
INSERT INTO calls.jsonb_value (v)
SELECT ecert.body(package) FROM ledger.package UNION ALL SELECT ecert.policy() UNION ALL SELECT ecert.default_policy() UNION ALL SELECT ecert.node_state('plant-a') UNION ALL SELECT ecert.jsonb(package) FROM ledger.package WHERE seq = 0;
INSERT INTO calls.jsonb_value (v)
SELECT CASE f.n % 4 WHEN 0 THEN b.v - k.key WHEN 1 THEN jsonb_set(b.v, ARRAY[k.key], 'null') WHEN 2 THEN jsonb_set(b.v, ARRAY[k.key], (ARRAY['-1', '1e400', '""', '[]', '{}', 'true', '9223372036854775807', '[null]', '{"a": [[[]]]}', '0.1', '[-1, 1e30]'])[1 + f.n % 11]::jsonb)
            ELSE jsonb_set(b.v, ARRAY[k.key, '0'], '-1', true) END
  FROM calls.jsonb_value b CROSS JOIN LATERAL jsonb_object_keys(b.v) AS k (key) CROSS JOIN LATERAL generate_series(1, 3) AS s (n) CROSS JOIN LATERAL (SELECT (hashtextextended(format('%s %s %s', b.n, k.key, s.n), 0) & 65535)::integer AS n) AS f
 WHERE jsonb_typeof(b.v) = 'object';
CREATE ROLE ecert_caller LOGIN;
CREATE ROLE ecert_reader LOGIN;
GRANT USAGE ON SCHEMA ecert, ecert_internal, ledger, calls TO ecert_caller, ecert_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA calls TO ecert_caller, ecert_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO ecert_reader;
SELECT (SELECT count(*) FROM ledger.package) AS packages, (SELECT count(DISTINCT kind) FROM ledger.package) AS kinds, (SELECT count(*) FROM ledger.equivocation) AS equivocations,
       (SELECT count(*) FROM ledger.pending) AS pending, (SELECT count(*) FROM ledger.quarantine) AS quarantined,
       (SELECT count(*) FROM calls.package_value) AS package_values, (SELECT count(*) FROM calls.bytea_value) AS bytea_values, (SELECT count(*) FROM calls.jsonb_value) AS jsonb_values;
