-- Nodes, keys, relations and the policy in force: all of them packages of the certifier.

CREATE FUNCTION ecert.key_entry(public_key text, use text DEFAULT 'package') RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_key_entry';
COMMENT ON FUNCTION ecert.key_entry(text, text) IS 'a public key (SubjectPublicKeyInfo PEM) as a node package lists it: use (package, seal or witness), alg (COSE number), kid (RFC 9679 thumbprint, hex), public (raw key, hex); EC095 when it is no usable key';

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

CREATE FUNCTION ecert.forget_registry() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_forget_registry';
COMMENT ON FUNCTION ecert.forget_registry() IS 'internal: every session looks keys, roles and policy up anew, because ledger.finding says something else of their packages';

CREATE FUNCTION ecert.is_false(of_issuer text, of_kind text, of_seq bigint) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_is_false';
COMMENT ON FUNCTION ecert.is_false(text, text, bigint) IS 'internal: whether something was found against a package, so that it does not count';

-- State

CREATE FUNCTION ecert.node_state(node text, before bigint DEFAULT NULL) RETURNS jsonb
    -- not in SQL, whose functions are planned anew at each call
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(
        (SELECT ecert.body(p.package) FROM ledger.package p
          -- || '' keeps the primary key away, by which the planner, as long as the table is not analysed, walks back through
          -- all nodes: 21 ms instead of 0.07 ms a call at 20,000 nodes (src/registry/cache.c is the same for C)
          WHERE p.subject = node_state.node AND p.kind = 'node' AND p.issuer || '' = ecert.certifier()
            AND (node_state.before IS NULL OR p.seq < node_state.before) AND NOT ecert.is_false(p.issuer, p.kind, p.seq)
          ORDER BY p.seq DESC LIMIT 1),
        (SELECT ecert.body(g.package) -> 'node' FROM ledger.package g
          -- genesis enrols the certifier alone, and is long
          WHERE node_state.node = ecert.certifier() AND g.kind = 'genesis' AND ecert.body(g.package) -> 'node' ->> 'node' = node_state.node));
END
$$;
COMMENT ON FUNCTION ecert.node_state(text, bigint) IS 'body of the newest node package about a node that counts (before that seq of the certifier''s node feed, when given): its whole present state; NULL when it is not enrolled';

CREATE FUNCTION ecert.policy_hash() RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT p.hash FROM ledger.package p
          WHERE p.issuer = ecert.certifier() AND p.kind = 'policy' AND NOT ecert.is_false(p.issuer, p.kind, p.seq) ORDER BY p.seq DESC LIMIT 1),
        ecert.genesis_hash())
$$;
COMMENT ON FUNCTION ecert.policy_hash() IS 'hash of the package that holds the policy in force: the newest policy package that counts, or genesis';

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

CREATE FUNCTION ecert.kinds() RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_kinds';
COMMENT ON FUNCTION ecert.kinds() IS 'internal: the names of all kinds of packages, those that others rest on first';

CREATE FUNCTION ecert.last_issued_at(node text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT max(h.issued_at)
      FROM unnest(ecert.kinds()) AS k (kind)
     CROSS JOIN LATERAL (SELECT p.issued_at FROM ledger.package p
                          WHERE p.issuer = last_issued_at.node AND p.kind = k.kind
                          ORDER BY p.seq DESC LIMIT 1) AS h
$$;
COMMENT ON FUNCTION ecert.last_issued_at(text) IS 'issued_at of the newest package of a node over all its feeds; NULL when it has issued none';

-- Views

CREATE FUNCTION ecert.create_registry_views() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.node AS  -- the nodes as their newest node packages that count describe them, one row each
    SELECT n.node,  -- node id
           n.body ->> 'name' AS name,  -- name for people
           n.body -> 'roles' ? 'certifier' AS is_certifier,  -- has the role certifier
           n.body -> 'roles' ? 'applicant' AS is_applicant,  -- has the role applicant: may issue energy and product packages
           n.body -> 'roles' ? 'auditor' AS is_auditor,  -- has the role auditor: may issue audits where a relation allows it
           n.body ->> 'status' AS status,  -- active or revoked
           ecert.from_unix_seconds((n.body ->> 'effective')::bigint) AS status_since,  -- from when the newest node package counts
           n.body ->> 'reason' AS reason,  -- why the node was revoked
           (SELECT k ->> 'kid' FROM jsonb_array_elements(n.body -> 'keys') AS k WHERE k ->> 'use' = 'package' ORDER BY (k ->> 'effective')::bigint DESC LIMIT 1) AS key_kid,  -- newest key for packages: RFC 9679 thumbprint, hexadecimal
           (SELECT CASE k ->> 'alg' WHEN '-19' THEN 'Ed25519' WHEN '-8' THEN 'Ed25519' WHEN '-65600' THEN 'SM2' ELSE 'ES256' END
              FROM jsonb_array_elements(n.body -> 'keys') AS k WHERE k ->> 'use' = 'package' ORDER BY (k ->> 'effective')::bigint DESC LIMIT 1) AS key_alg,  -- newest key for packages: Ed25519, ES256 or SM2
           jsonb_array_length(n.body -> 'keys') AS key_count,  -- keys the node has had, of every use
           encode(n.hash, 'hex') AS package_hash  -- hash of the package that says so, hexadecimal
      -- that no newer one follows is asked of an index, so that whoever wants the ids alone decodes no body
      FROM (SELECT p.subject AS node, ecert.body(p.package) AS body, p.hash FROM ledger.package p
             WHERE p.issuer = ecert.certifier() AND p.kind = 'node' AND NOT ecert.is_false(p.issuer, p.kind, p.seq)
               AND NOT EXISTS (SELECT FROM ledger.package l WHERE l.subject = p.subject AND l.kind = 'node' AND l.issuer = p.issuer AND l.seq > p.seq AND NOT ecert.is_false(l.issuer, l.kind, l.seq))
            UNION ALL
            SELECT g.issuer, ecert.body(g.package) -> 'node', g.hash FROM ledger.package g
             WHERE g.kind = 'genesis'
               AND NOT EXISTS (SELECT FROM ledger.package l WHERE l.subject = g.issuer AND l.kind = 'node' AND l.issuer = g.issuer AND NOT ecert.is_false(l.issuer, l.kind, l.seq))) AS n$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.relation AS  -- who audits whom in which role: the newest relation package that counts of each three
    SELECT DISTINCT ON (r.auditor, r.applicant, r.as_role) r.auditor,  -- node id of the auditor
           r.applicant,  -- node id of the applicant
           r.as_role,  -- upstream, peer or downstream
           r.valid_from,  -- from when; 1970-01-01 UTC: always
           r.valid_to,  -- until when, exclusive; NULL: no end
           r.package_hash  -- hash of the relation package, hexadecimal
      FROM (SELECT b.body ->> 'auditor' AS auditor, b.body ->> 'applicant' AS applicant, b.body ->> 'as' AS as_role,
                   ecert.from_unix_seconds((b.body ->> 'from')::bigint) AS valid_from,
                   ecert.from_unix_seconds((b.body ->> 'to')::bigint) AS valid_to,
                   encode(p.hash, 'hex') AS package_hash, p.seq
              FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body)
             WHERE p.issuer = ecert.certifier() AND p.kind = 'relation' AND NOT ecert.is_false(p.issuer, p.kind, p.seq)) AS r
     ORDER BY r.auditor, r.applicant, r.as_role, r.seq DESC$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.policy AS  -- the policies so far, genesis' own first; coefficients are in ledger.coefficient
    SELECT encode(p.hash, 'hex') AS policy_hash,  -- hash of the package that holds the policy, hexadecimal: what certificates pin
           p.issued_at,  -- when the certifier issued it
           p.hash = ecert.policy_hash() AS in_force,  -- is it the newest
           jsonb_array_length(b.policy -> 'coefficients') AS coefficient_count,  -- number of coefficients
           (SELECT string_agg(format('%s %s', r ->> 'count', r ->> 'as'), ', ') FROM jsonb_array_elements(b.policy -> 'audit' -> 'required') AS r) AS required_audits,  -- passing audits that each package of both periods needs, e.g. "1 upstream, 2 peer"; NULL: none
           (b.policy -> 'audit' -> 'upstream' ->> 'tolerance')::numeric(38,18) AS upstream_tolerance,  -- relative tolerance of upstream audits
           (b.policy -> 'audit' -> 'downstream' ->> 'tolerance')::numeric(38,18) AS downstream_tolerance,  -- relative tolerance of downstream audits
           (b.policy -> 'audit' -> 'peer' ->> 'k')::numeric(38,18) AS peer_k,  -- peer audits: allowed distance from the median in median absolute deviations
           (b.policy -> 'audit' -> 'peer' ->> 'floor')::numeric(38,18) AS peer_floor,  -- peer audits: the allowed distance is at least so much of the median
           (b.policy -> 'audit' -> 'peer' ->> 'band')::numeric(38,18) AS peer_band,  -- peer audits: relative band round own history
           (b.policy -> 'audit' -> 'peer' ->> 'minimum')::integer AS peer_minimum_count,  -- peer audits: least number of peers for the median
           (b.policy -> 'certificate' ->> 'threshold')::numeric(38,18) AS threshold,  -- saving rate that decides about a certificate's verdict
           (b.policy -> 'certificate' ->> 'strict')::boolean AS strict,  -- has the rate to be above the threshold, or at least it
           b.policy -> 'certificate' ->> 'denominator' AS denominator,  -- baseline or reporting: what the total saving rate is divided by
           (b.policy -> 'certificate' ->> 'valid_days')::integer AS valid_days,  -- days a certificate is valid
           b.policy -> 'certificate' ->> 'electricity' AS electricity,  -- calorific or equivalent: how the coefficient of electricity is meant
           b.policy -> 'certificate' -> 'baseline' ->> 'rule' AS baseline_rule,  -- how a certificate's baseline follows from its period
           b.policy -> 'calendar' ->> 'zone' AS calendar_zone,  -- time zone of the ledger's civil dates
           (b.policy -> 'reward' ->> 'upstream')::numeric(38,9) AS upstream_reward_amount,  -- reward of an upstream audit, in reward_unit
           (b.policy -> 'reward' ->> 'peer')::numeric(38,9) AS peer_reward_amount,  -- reward of a peer audit, in reward_unit
           (b.policy -> 'reward' ->> 'downstream')::numeric(38,9) AS downstream_reward_amount,  -- reward of a downstream audit, in reward_unit
           b.policy -> 'reward' ->> 'unit' AS reward_unit  -- unit of the rewards
      FROM ledger.package p
     CROSS JOIN LATERAL (SELECT CASE p.kind WHEN 'genesis' THEN ecert.body(p.package) -> 'policy' ELSE ecert.body(p.package) END) AS b (policy)
     WHERE p.issuer = ecert.certifier() AND p.kind IN ('genesis', 'policy')$view$);
$$;
COMMENT ON FUNCTION ecert.create_registry_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';
