-- Nodes, keys, relations and the policy in force: all of them packages of the certifier.

CREATE FUNCTION ecert.key_entry(public_key text) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_key_entry';
COMMENT ON FUNCTION ecert.key_entry(text) IS 'a public key (SubjectPublicKeyInfo PEM) as a node package lists it: alg (COSE number), kid (RFC 9679 thumbprint, hex), public (raw key, hex); EC095 when it is no usable key';

CREATE FUNCTION ecert.origin() RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_origin';
COMMENT ON FUNCTION ecert.origin() IS 'the name of this database''s ledger; EC090 when there is none';

CREATE FUNCTION ecert.genesis_hash() RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_genesis_hash';
COMMENT ON FUNCTION ecert.genesis_hash() IS 'hash (32 bytes) of the genesis package: the ledger''s id';

CREATE FUNCTION ecert.certifier() RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_certifier';
COMMENT ON FUNCTION ecert.certifier() IS 'node id of the certifier that made this ledger';

CREATE FUNCTION ecert.unix_seconds(t timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.floor(EXTRACT(epoch FROM t))::bigint;
COMMENT ON FUNCTION ecert.unix_seconds(timestamptz) IS 'seconds since 1970 UTC, rounded down: how bodies write times';

CREATE FUNCTION ecert.from_unix_seconds(seconds bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.to_timestamp(seconds);
COMMENT ON FUNCTION ecert.from_unix_seconds(bigint) IS 'a time of a body as timestamptz';

CREATE FUNCTION ecert.period_json(period tstzrange) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.jsonb_build_array(ecert.unix_seconds(pg_catalog.lower(period)), ecert.unix_seconds(pg_catalog.upper(period)));
COMMENT ON FUNCTION ecert.period_json(tstzrange) IS 'a period as bodies write it: [start, end) in seconds since 1970 UTC';

CREATE FUNCTION ecert.period_of_json(period jsonb) RETURNS tstzrange
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.tstzrange(pg_catalog.to_timestamp((period ->> 0)::bigint), pg_catalog.to_timestamp((period ->> 1)::bigint));
COMMENT ON FUNCTION ecert.period_of_json(jsonb) IS 'the reverse of ecert.period_json()';

CREATE FUNCTION ecert.year_before(period tstzrange) RETURNS tstzrange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.tstzrange(((pg_catalog.lower(period) AT TIME ZONE 'UTC') - '1 year'::interval) AT TIME ZONE 'UTC',
                                ((pg_catalog.upper(period) AT TIME ZONE 'UTC') - '1 year'::interval) AT TIME ZONE 'UTC');
COMMENT ON FUNCTION ecert.year_before(tstzrange) IS 'internal: the same months of the year before (UTC)';

-- State

CREATE FUNCTION ecert.node_state(node text, before bigint DEFAULT NULL) RETURNS jsonb
    -- not in SQL, whose functions are planned anew at each call
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(
        (SELECT ecert.body(p.package) FROM ledger.package p
          -- || '' keeps the primary key away, by which the planner, as long as the table is not analysed, walks back through
          -- all nodes: 21 ms instead of 0.07 ms a call at 20,000 nodes (src/record/subject.c is the same for C)
          WHERE p.subject = node_state.node AND p.kind = 'node' AND p.issuer || '' = ecert.certifier()
            AND (node_state.before IS NULL OR p.seq < node_state.before)
          ORDER BY p.seq DESC LIMIT 1),
        (SELECT ecert.body(g.package) -> 'node' FROM ledger.package g
          -- genesis enrols the certifier alone, and is long
          WHERE node_state.node = ecert.certifier() AND g.kind = 'genesis' AND ecert.body(g.package) -> 'node' ->> 'node' = node_state.node));
END
$$;
COMMENT ON FUNCTION ecert.node_state(text, bigint) IS 'body of the newest node package about a node (before that seq of the certifier''s node feed, when given): its whole present state; NULL when it is not enrolled';

CREATE FUNCTION ecert.policy_hash() RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT p.hash FROM ledger.package p
          WHERE p.issuer = ecert.certifier() AND p.kind = 'policy' ORDER BY p.seq DESC LIMIT 1),
        ecert.genesis_hash())
$$;
COMMENT ON FUNCTION ecert.policy_hash() IS 'hash of the package that holds the policy in force: the newest policy package, or genesis';

CREATE FUNCTION ecert.policy_body(hash bytea) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE p.kind WHEN 'genesis' THEN ecert.body(p.package) -> 'policy' ELSE ecert.body(p.package) END
      FROM ledger.package p WHERE p.hash = policy_body.hash AND p.kind IN ('genesis', 'policy')
$$;
COMMENT ON FUNCTION ecert.policy_body(bytea) IS 'the policy in the package of that hash; NULL when the hash names no policy on this ledger';

CREATE FUNCTION ecert.policy() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT ecert.policy_body(ecert.policy_hash()) $$;
COMMENT ON FUNCTION ecert.policy() IS 'the policy in force (docs/format.md, policy)';

CREATE FUNCTION ecert.last_issued_at(node text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT max(h.issued_at)
      FROM unnest(ARRAY['genesis','node','relation','policy','energy','product','audit','certificate','status','reward','checkpoint','witness']) AS k (kind)
     CROSS JOIN LATERAL (SELECT p.issued_at FROM ledger.package p
                          WHERE p.issuer = last_issued_at.node AND p.kind = k.kind
                          ORDER BY p.seq DESC LIMIT 1) AS h
$$;
COMMENT ON FUNCTION ecert.last_issued_at(text) IS 'issued_at of the newest package of a node over all its feeds; NULL when it has issued none';

-- Views

CREATE FUNCTION ecert.create_registry_views() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CREATE OR REPLACE VIEW ledger.node AS
    SELECT n.node, n.body ->> 'name' AS name,
           n.body -> 'roles' ? 'certifier' AS is_certifier, n.body -> 'roles' ? 'applicant' AS is_applicant,
           n.body -> 'roles' ? 'auditor' AS is_auditor, n.body ->> 'status' AS status,
           ecert.from_unix_seconds((n.body ->> 'effective')::bigint) AS status_since, n.body ->> 'reason' AS reason,
           (SELECT k ->> 'kid' FROM jsonb_array_elements(n.body -> 'keys') AS k ORDER BY (k ->> 'effective')::bigint DESC LIMIT 1) AS key_kid,
           (SELECT CASE k ->> 'alg' WHEN '-8' THEN 'Ed25519' WHEN '-19' THEN 'Ed25519' WHEN '-65600' THEN 'SM2' ELSE 'ES256' END
              FROM jsonb_array_elements(n.body -> 'keys') AS k ORDER BY (k ->> 'effective')::bigint DESC LIMIT 1) AS key_alg,
           jsonb_array_length(n.body -> 'keys') AS key_count, encode(n.hash, 'hex') AS package_hash
      -- that no newer one follows is asked of an index, so that whoever wants the ids alone decodes no body
      FROM (SELECT p.subject AS node, ecert.body(p.package) AS body, p.hash FROM ledger.package p
             WHERE p.issuer = ecert.certifier() AND p.kind = 'node'
               AND NOT EXISTS (SELECT FROM ledger.package l WHERE l.subject = p.subject AND l.kind = 'node' AND l.issuer = p.issuer AND l.seq > p.seq)
            UNION ALL
            SELECT g.issuer, ecert.body(g.package) -> 'node', g.hash FROM ledger.package g
             WHERE g.kind = 'genesis'
               AND NOT EXISTS (SELECT FROM ledger.package l WHERE l.subject = g.issuer AND l.kind = 'node' AND l.issuer = g.issuer)) AS n;
    COMMENT ON VIEW ledger.node IS 'the nodes as their newest node packages describe them, one row each';
    COMMENT ON COLUMN ledger.node.node IS 'node id';
    COMMENT ON COLUMN ledger.node.name IS 'name for people';
    COMMENT ON COLUMN ledger.node.is_certifier IS 'has the role certifier';
    COMMENT ON COLUMN ledger.node.is_applicant IS 'has the role applicant: may issue energy and product packages';
    COMMENT ON COLUMN ledger.node.is_auditor IS 'has the role auditor: may issue audits where a relation allows it';
    COMMENT ON COLUMN ledger.node.status IS 'active or revoked';
    COMMENT ON COLUMN ledger.node.status_since IS 'from when the newest node package counts';
    COMMENT ON COLUMN ledger.node.reason IS 'why the node was revoked';
    COMMENT ON COLUMN ledger.node.key_kid IS 'newest key: RFC 9679 thumbprint, hexadecimal';
    COMMENT ON COLUMN ledger.node.key_alg IS 'newest key: Ed25519, ES256 or SM2';
    COMMENT ON COLUMN ledger.node.key_count IS 'keys the node has had';
    COMMENT ON COLUMN ledger.node.package_hash IS 'hash of the package that says so, hexadecimal';

    CREATE OR REPLACE VIEW ledger.relation AS
    SELECT DISTINCT ON (r.auditor, r.applicant, r.as_role) r.auditor, r.applicant, r.as_role, r.valid_from, r.valid_to, r.package_hash
      FROM (SELECT b.body ->> 'auditor' AS auditor, b.body ->> 'applicant' AS applicant, b.body ->> 'as' AS as_role,
                   ecert.from_unix_seconds((b.body ->> 'from')::bigint) AS valid_from,
                   ecert.from_unix_seconds((b.body ->> 'to')::bigint) AS valid_to,
                   encode(p.hash, 'hex') AS package_hash, p.seq
              FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body)
             WHERE p.issuer = ecert.certifier() AND p.kind = 'relation') AS r
     ORDER BY r.auditor, r.applicant, r.as_role, r.seq DESC;
    COMMENT ON VIEW ledger.relation IS 'who audits whom in which role: the newest relation package of each three';
    COMMENT ON COLUMN ledger.relation.auditor IS 'node id of the auditor';
    COMMENT ON COLUMN ledger.relation.applicant IS 'node id of the applicant';
    COMMENT ON COLUMN ledger.relation.as_role IS 'upstream, peer or downstream';
    COMMENT ON COLUMN ledger.relation.valid_from IS 'from when; 1970-01-01 UTC: always';
    COMMENT ON COLUMN ledger.relation.valid_to IS 'until when, exclusive; NULL: no end';
    COMMENT ON COLUMN ledger.relation.package_hash IS 'hash of the relation package, hexadecimal';

    CREATE OR REPLACE VIEW ledger.policy AS
    SELECT encode(p.hash, 'hex') AS policy_hash, p.issued_at, p.hash = ecert.policy_hash() AS in_force,
           jsonb_array_length(b.policy -> 'coefficients') AS coefficient_count,
           (SELECT string_agg(format('%s %s', r ->> 'count', r ->> 'as'), ', ') FROM jsonb_array_elements(b.policy -> 'audit' -> 'required') AS r) AS required_audits,
           (b.policy -> 'audit' -> 'upstream' ->> 'tolerance')::numeric(38,18) AS upstream_tolerance,
           (b.policy -> 'audit' -> 'downstream' ->> 'tolerance')::numeric(38,18) AS downstream_tolerance,
           (b.policy -> 'audit' -> 'peer' ->> 'k')::numeric(38,18) AS peer_k,
           (b.policy -> 'audit' -> 'peer' ->> 'band')::numeric(38,18) AS peer_band,
           (b.policy -> 'audit' -> 'peer' ->> 'minimum')::integer AS peer_minimum_count,
           (b.policy -> 'certificate' ->> 'threshold')::numeric(38,18) AS threshold,
           b.policy -> 'certificate' ->> 'denominator' AS denominator,
           (b.policy -> 'certificate' ->> 'valid_days')::integer AS valid_days,
           (b.policy -> 'reward' ->> 'upstream')::numeric(38,9) AS upstream_reward_amount,
           (b.policy -> 'reward' ->> 'peer')::numeric(38,9) AS peer_reward_amount,
           (b.policy -> 'reward' ->> 'downstream')::numeric(38,9) AS downstream_reward_amount,
           b.policy -> 'reward' ->> 'unit' AS reward_unit
      FROM ledger.package p
     CROSS JOIN LATERAL (SELECT CASE p.kind WHEN 'genesis' THEN ecert.body(p.package) -> 'policy' ELSE ecert.body(p.package) END) AS b (policy)
     WHERE p.issuer = ecert.certifier() AND p.kind IN ('genesis', 'policy');
    COMMENT ON VIEW ledger.policy IS 'the policies so far, genesis'' own first; coefficients are in ledger.coefficient';
    COMMENT ON COLUMN ledger.policy.policy_hash IS 'hash of the package that holds the policy, hexadecimal: what certificates pin';
    COMMENT ON COLUMN ledger.policy.issued_at IS 'when the certifier issued it';
    COMMENT ON COLUMN ledger.policy.in_force IS 'is it the newest';
    COMMENT ON COLUMN ledger.policy.coefficient_count IS 'number of coefficients';
    COMMENT ON COLUMN ledger.policy.required_audits IS 'passing audits that each package of both periods needs, e.g. "1 upstream, 2 peer"; NULL: none';
    COMMENT ON COLUMN ledger.policy.upstream_tolerance IS 'relative tolerance of upstream audits';
    COMMENT ON COLUMN ledger.policy.downstream_tolerance IS 'relative tolerance of downstream audits';
    COMMENT ON COLUMN ledger.policy.peer_k IS 'peer audits: allowed distance from the median in median absolute deviations';
    COMMENT ON COLUMN ledger.policy.peer_band IS 'peer audits: relative band round own history';
    COMMENT ON COLUMN ledger.policy.peer_minimum_count IS 'peer audits: least number of peers for the median';
    COMMENT ON COLUMN ledger.policy.threshold IS 'saving rate from which a certificate''s verdict is pass';
    COMMENT ON COLUMN ledger.policy.denominator IS 'baseline or reporting: what the total saving rate is divided by';
    COMMENT ON COLUMN ledger.policy.valid_days IS 'days a certificate is valid';
    COMMENT ON COLUMN ledger.policy.upstream_reward_amount IS 'reward of an upstream audit, in reward_unit';
    COMMENT ON COLUMN ledger.policy.peer_reward_amount IS 'reward of a peer audit, in reward_unit';
    COMMENT ON COLUMN ledger.policy.downstream_reward_amount IS 'reward of a downstream audit, in reward_unit';
    COMMENT ON COLUMN ledger.policy.reward_unit IS 'unit of the rewards';
END
$$;
COMMENT ON FUNCTION ecert.create_registry_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';

REVOKE ALL ON FUNCTION ecert.create_registry_views() FROM PUBLIC;
