-- The ledger: its table, admission, append, create.

CREATE FUNCTION ecert.admit() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'ecert_admit';
COMMENT ON FUNCTION ecert.admit() IS 'trigger of ledger.package: checks a package (strict form, body schema, issuer, role, key, time, feed link, signature, rules of its kind) and derives the other columns; SQLSTATEs of class EC';

CREATE FUNCTION ecert.refuse_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'ecert_refuse_change';
COMMENT ON FUNCTION ecert.refuse_change() IS 'trigger of ledger.package: refuses UPDATE, DELETE and TRUNCATE; EC092';

CREATE FUNCTION ecert.sign(kind text, body jsonb, subject text DEFAULT NULL) RETURNS ecert.package
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_sign';
COMMENT ON FUNCTION ecert.sign(text, jsonb, text) IS 'the next package of this node''s feed of a kind, signed with this node''s key, not stored; subject by default what the kind and body say. EC003, EC093, EC094, EC097';

CREATE FUNCTION ecert.append(kind text, body jsonb, subject text DEFAULT NULL) RETURNS bytea
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_append';
COMMENT ON FUNCTION ecert.append(text, jsonb, text) IS 'sign the next package of this node''s feed of a kind and insert it; returns its hash. The feed stays locked until the transaction ends';

CREATE FUNCTION ecert.sign_genesis(origin text, body jsonb) RETURNS ecert.package
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_sign_genesis';
COMMENT ON FUNCTION ecert.sign_genesis(text, jsonb) IS 'internal: the genesis package of a new ledger, signed with this node''s key';

CREATE FUNCTION ecert.create_ledger_tables() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('ledger.package') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC091', MESSAGE = 'there is a ledger in this database already',
            HINT = 'A database holds one ledger; make another database for another one.';
    END IF;
    IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC090', MESSAGE = 'a ledger needs a database in UTF8',
            DETAIL = format('This one is in %s.', pg_catalog.getdatabaseencoding());
    END IF;
    CREATE SCHEMA IF NOT EXISTS ledger;
    COMMENT ON SCHEMA ledger IS 'the ecert ledger: ledger.package is the record, the views are derived from it';

    CREATE TABLE ledger.package (
        issuer text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        seq bigint NOT NULL,
        subject text COLLATE "C" NOT NULL,
        period tstzrange,
        issued_at timestamptz NOT NULL,
        hash bytea NOT NULL,
        package ecert.package NOT NULL,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT package_pkey PRIMARY KEY (issuer, kind, seq)
    );
    -- equal hashes are equal packages, which the primary key refuses; a B-tree of hashes costs twice as much a package,
    -- and more the longer the ledger, since every entry goes to another page
    CREATE INDEX package_hash ON ledger.package USING hash (hash);
    CREATE INDEX package_subject_kind_period ON ledger.package (subject, kind, lower(period)) WITH (deduplicate_items = off);
    CREATE UNIQUE INDEX package_genesis ON ledger.package (kind) WHERE kind = 'genesis';
    -- each further index is a piece of every single insert: these two hold few packages, and serve several kinds.  The statistics
    -- tell, when the table has been analysed, how few
    CREATE INDEX package_names ON ledger.package (ecert.names(package)) WHERE ecert.names(package) IS NOT NULL;
    CREATE STATISTICS ledger.package_names ON (ecert.names(package)) FROM ledger.package;
    CREATE INDEX package_kind ON ledger.package (kind, issuer, seq) WHERE kind IN ('audit', 'witness');
    ALTER TABLE ledger.package ALTER COLUMN package SET STORAGE EXTERNAL;
    COMMENT ON TABLE ledger.package IS 'the ledger: one signed package a row, append-only; insert the column package alone';
    COMMENT ON COLUMN ledger.package.issuer IS 'node id of the signer; derived';
    COMMENT ON COLUMN ledger.package.kind IS 'kind of package; derived';
    COMMENT ON COLUMN ledger.package.seq IS 'number in the feed (issuer, kind), from 0; derived';
    COMMENT ON COLUMN ledger.package.subject IS 'whom the package is about; derived';
    COMMENT ON COLUMN ledger.package.period IS 'the body''s period, half open, where it has one; derived';
    COMMENT ON COLUMN ledger.package.issued_at IS 'when the issuer says it signed; derived';
    COMMENT ON COLUMN ledger.package.hash IS 'SHA-256(0x00 || package), 32 bytes; derived';
    COMMENT ON COLUMN ledger.package.package IS 'exactly what the issuer signed';
    COMMENT ON COLUMN ledger.package.recorded_at IS 'when this server admitted it; not signed';

    CREATE TABLE ledger.feed (
        issuer text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        CONSTRAINT feed_pkey PRIMARY KEY (issuer, kind)
    );
    COMMENT ON TABLE ledger.feed IS 'one row per feed written here, never updated: the row that a writer locks';
    COMMENT ON COLUMN ledger.feed.issuer IS 'node id';
    COMMENT ON COLUMN ledger.feed.kind IS 'kind of package';

    CREATE TRIGGER ecert_admit BEFORE INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION ecert.admit();
    -- who has waited for this node or relation comes behind it; what peers send does that by itself.  Each looks at the kind
    -- itself: energy and product packages, of which there are most, have a period, and a condition on the kind would have to
    -- be read from its text once a statement
    CREATE TRIGGER ecert_drain AFTER INSERT ON ledger.package FOR EACH ROW WHEN (NEW.period IS NULL) EXECUTE FUNCTION ecert.drain_waiting();
    CREATE TRIGGER ecert_take_up AFTER INSERT ON ledger.package FOR EACH ROW WHEN (NEW.period IS NULL) EXECUTE FUNCTION ecert.take_up_new();
    CREATE TRIGGER ecert_refuse_row BEFORE UPDATE OR DELETE ON ledger.package FOR EACH ROW EXECUTE FUNCTION ecert.refuse_change();
    CREATE TRIGGER ecert_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.package
        FOR EACH STATEMENT EXECUTE FUNCTION ecert.refuse_change();
    -- what replication writes is checked like everything else
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_take_up;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_statement;
END
$$;
COMMENT ON FUNCTION ecert.create_ledger_tables() IS 'internal: makes schema ledger with its tables and triggers; EC091 when they are there';

CREATE FUNCTION ecert.create_tables() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM ecert.create_ledger_tables();
    PERFORM ecert.create_peer_tables();
    PERFORM ecert.create_verification_tables();
    PERFORM ecert.create_checkpoint_tables();
    PERFORM ecert.create_witness_tables();
    PERFORM ecert.create_energy_tables();
    PERFORM ecert.create_audit_tables();
    PERFORM ecert.create_replication_tables();
    PERFORM ecert.create_duty_tables();
END
$$;
COMMENT ON FUNCTION ecert.create_tables() IS 'internal: makes schema ledger, everything in it but the views';

CREATE FUNCTION ecert.create_ledger(origin text, policy jsonb DEFAULT NULL) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    the_policy jsonb := coalesce(create_ledger.policy, ecert.default_policy());
    now_seconds bigint := ecert.unix_seconds(clock_timestamp());
    genesis_hash bytea;
BEGIN
    PERFORM ecert.check_policy(the_policy);
    PERFORM ecert.create_tables();
    INSERT INTO ledger.package (package)
    VALUES (ecert.sign_genesis(create_ledger.origin, jsonb_build_object(
        'origin', create_ledger.origin, 'name', create_ledger.origin, 'policy', the_policy,
        'node', jsonb_build_object('node', ecert.this_node(), 'roles', jsonb_build_array('certifier'), 'status', 'active',
            'effective', now_seconds,
            'keys', jsonb_build_array(ecert.key_entry(ecert.public_key()) || jsonb_build_object('effective', now_seconds))))))
    RETURNING hash INTO genesis_hash;
    PERFORM ecert.upgrade_ledger();
    RETURN genesis_hash;
END
$$;
COMMENT ON FUNCTION ecert.create_ledger(text, jsonb) IS 'certifier, with ecert.node and ecert.signing_key set: make this database''s ledger under an origin (its name, 1 to 200 bytes) and a policy (default ecert.default_policy()); returns the hash of the genesis package, the ledger''s id. EC080, EC091, EC093, EC094';

REVOKE ALL ON FUNCTION ecert.sign(text, jsonb, text), ecert.append(text, jsonb, text), ecert.sign_genesis(text, jsonb),
    ecert.create_ledger_tables(),
    ecert.create_tables(), ecert.create_ledger(text, jsonb) FROM PUBLIC;
