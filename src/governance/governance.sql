-- What the certifier decides about nodes, keys, relations and policy: each decision is a package of its own.

CREATE FUNCTION ecert.enroll(node text, roles text[], public_key text, name text DEFAULT NULL, witness_key text DEFAULT NULL, effective timestamptz DEFAULT now()) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    since_seconds bigint := ecert.unix_seconds(enroll.effective);
    state jsonb := ecert.node_state(enroll.node);
    entries jsonb := jsonb_build_array(ecert.key_entry(enroll.public_key))
                     || CASE WHEN enroll.witness_key IS NULL THEN '[]' ELSE jsonb_build_array(ecert.key_entry(enroll.witness_key, 'witness')) END;
    old_keys jsonb := coalesce(state -> 'keys', '[]');
    used text;
BEGIN
    IF state ->> 'status' = 'active' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC081', MESSAGE = format('node "%s" is enrolled already', node),
            DETAIL = format('Its roles are %s.', state ->> 'roles'),
            HINT = 'Give it a new key with ecert.rotate_key(), or end it with ecert.revoke_node() first.';
    END IF;
    SELECT e ->> 'kid' INTO used FROM jsonb_array_elements(entries) AS e JOIN jsonb_array_elements(old_keys) AS k ON k ->> 'kid' = e ->> 'kid' LIMIT 1;
    IF used IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC095', MESSAGE = format('key was used by node "%s" before it was revoked', node),
            DETAIL = format('Key %s.', used), HINT = 'Enroll the node with a new key.';
    END IF;
    RETURN ecert.append('node', jsonb_strip_nulls(jsonb_build_object(
        'node', node, 'name', name, 'roles', to_jsonb(roles), 'status', 'active', 'effective', since_seconds,
        'keys', old_keys || (SELECT jsonb_agg(e || jsonb_build_object('effective', since_seconds)) FROM jsonb_array_elements(entries) AS e))), node);
END
$$;
COMMENT ON FUNCTION ecert.enroll(text, text[], text, text, text, timestamptz) IS 'certifier: enroll a node under an id (1 to 200 bytes), with roles out of applicant and auditor, its public key (PEM: ecert.public_key() there), a name for people and, for an auditor that cosigns checkpoints, its witness key (PEM: ecert.public_key(''witness'')), and from when on it takes part: certificates are issued by themselves for periods that end later; returns the hash of the node package. EC081 when it is enrolled already, EC095 when the key is not usable';

CREATE FUNCTION ecert.rotate_key(node text, public_key text, effective timestamptz DEFAULT now(), use text DEFAULT 'package') RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state jsonb := ecert.node_state(rotate_key.node);
    entry jsonb := ecert.key_entry(rotate_key.public_key, rotate_key.use);
    -- never before what the old key has signed: old packages stay valid
    -- and of the certifier's keys none ends before the package that says so is issued
    change_seconds bigint := ecert.unix_seconds(greatest(rotate_key.effective, ecert.last_issued_at(rotate_key.node),
                                                         CASE WHEN rotate_key.node = ecert.certifier() THEN clock_timestamp() + interval '1 second' END));
    keys jsonb;
BEGIN
    IF state IS NULL OR state ->> 'status' <> 'active' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC081', MESSAGE = format('node "%s" is not enrolled', node),
            HINT = 'Enroll it with ecert.enroll().';
    END IF;
    IF EXISTS (SELECT FROM jsonb_array_elements(state -> 'keys') AS k WHERE k ->> 'kid' = entry ->> 'kid') THEN
        RAISE EXCEPTION USING ERRCODE = 'EC095', MESSAGE = format('key is or was a key of node "%s"', node),
            DETAIL = format('Key %s.', entry ->> 'kid'), HINT = 'Rotate to a new key.';
    END IF;
    -- the keys of other uses stay
    SELECT jsonb_agg(CASE WHEN k.value ? 'until' OR k.value ->> 'use' <> rotate_key.use THEN k.value
                          ELSE k.value || jsonb_build_object('until', greatest(change_seconds, (k.value ->> 'effective')::bigint)) END
                     ORDER BY k.ordinality)
      INTO keys FROM jsonb_array_elements(state -> 'keys') WITH ORDINALITY AS k;
    RETURN ecert.append('node', state || jsonb_build_object(
        'keys', keys || (entry || jsonb_build_object('effective', change_seconds)),
        'effective', change_seconds), node);
END
$$;
COMMENT ON FUNCTION ecert.rotate_key(text, text, timestamptz, text) IS 'certifier: from that time on (but not before the node''s newest package) the node signs with this key (PEM): its packages, or what the use says: seal (the certifier''s checkpoints and receipts), witness (cosignatures; also the first such key of a node). What the old key of that use signed stays valid. Returns the hash of the node package; EC081, EC095';

CREATE FUNCTION ecert.revoke_node(node text, reason text, effective timestamptz DEFAULT now()) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state jsonb := ecert.node_state(revoke_node.node);
    effective_seconds bigint := ecert.unix_seconds(revoke_node.effective);
    keys jsonb;
BEGIN
    IF state IS NULL OR state ->> 'status' <> 'active' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC081', MESSAGE = format('node "%s" is not enrolled, or revoked already', node);
    END IF;
    -- also of keys that were rotated away later than that
    SELECT jsonb_agg(k.value || jsonb_build_object('until', least((k.value ->> 'until')::bigint, effective_seconds)) ORDER BY k.ordinality)
      INTO keys FROM jsonb_array_elements(state -> 'keys') WITH ORDINALITY AS k;
    RETURN ecert.append('node', state || jsonb_build_object(
        'status', 'revoked', 'effective', effective_seconds, 'reason', reason, 'keys', keys), node);
END
$$;
COMMENT ON FUNCTION ecert.revoke_node(text, text, timestamptz) IS 'certifier: from that time on nothing more is admitted from the node; with a time in the past, what it issued since then is void once a checkpoint covers that (ledger.void): it stays on the ledger and does not count. Returns the hash of the node package; EC081';

CREATE FUNCTION ecert.relate(auditor text, applicant text, as_role text, valid_from timestamptz DEFAULT '-infinity',
                             valid_to timestamptz DEFAULT NULL) RETURNS bytea
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.append('relation', jsonb_strip_nulls(jsonb_build_object(
        'auditor', auditor, 'applicant', applicant, 'as', as_role,
        'from', CASE WHEN valid_from = '-infinity' THEN 0 ELSE greatest(ecert.unix_seconds(valid_from), 0) END,
        'to', CASE WHEN valid_to < 'infinity' THEN ecert.unix_seconds(valid_to) END)), applicant)
$$;
COMMENT ON FUNCTION ecert.relate(text, text, text, timestamptz, timestamptz) IS 'certifier: auditor audits applicant as upstream, peer or downstream from .. to (NULL: no end). A relation of the three counts until the next one is issued, so relate again with an end to end one; audits issued before keep theirs. Returns the hash of the relation package; EC081, EC051';

CREATE FUNCTION ecert.set_policy(policy jsonb) RETURNS bytea
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT ecert.append('policy', set_policy.policy, ecert.origin()) $$;
COMMENT ON FUNCTION ecert.set_policy(jsonb) IS 'certifier: put a policy in force (docs/format.md, policy: coefficients in kgce per unit, units, audit, certificate, reward); returns the hash of the policy package. EC003, EC080';
