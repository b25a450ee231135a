-- Making this database's ledger: a new one, or the copy of one that other nodes hold. The only SQL that knows every folder.

CREATE FUNCTION ecert.create_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_record_tables();
    SELECT ecert.create_ledger_tables();
    SELECT ecert.create_checkpoint_tables();
    SELECT ecert.create_energy_tables();
    SELECT ecert.create_audit_tables();
    SELECT ecert.create_certificate_tables();
    SELECT ecert.create_verification_tables();
    SELECT ecert.create_replication_tables();
    SELECT ecert.create_duty_tables();
$$;
COMMENT ON FUNCTION ecert.create_tables() IS 'internal: makes schema ledger, everything in it but the views';

CREATE FUNCTION ecert.enable_triggers() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    off record;
BEGIN
    -- after a restore of data alone they fire where replication does not write
    FOR off IN SELECT t.tgrelid::regclass AS relation, t.tgname
                 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid AND c.relnamespace = 'ledger'::regnamespace
                 JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
                 JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ecert'
                WHERE NOT t.tgisinternal AND t.tgname <> 'ecert_drain' AND t.tgenabled <> 'A' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', off.relation, off.tgname);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.enable_triggers() IS 'internal: let the triggers that have to fire always do so again, as after a restore of data alone';

-- Views come from SQL that runs again after an extension update, and what a rule said may be said otherwise now.
CREATE FUNCTION ecert.upgrade_ledger() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('ledger.package') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC090', MESSAGE = 'there is no ledger in this database',
            HINT = 'Make one with ecert.create_ledger().';
    END IF;
    PERFORM ecert.enable_triggers();
    PERFORM ecert.create_registry_views();
    PERFORM ecert.create_energy_views();
    PERFORM ecert.create_audit_views();
    PERFORM ecert.create_checkpoint_views();
    PERFORM ecert.create_certificate_views();
    PERFORM ecert.create_health_views();
    PERFORM ecert.rebuild_certificates();
END
$$;
COMMENT ON FUNCTION ecert.upgrade_ledger() IS 'make or renew the views of schema ledger and ledger.certificate_state, and let its triggers fire always; call it after ALTER EXTENSION ecert UPDATE, and after a restore of data alone. EC090 when there is no ledger';

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
            'keys', jsonb_build_array(ecert.key_entry(ecert.public_key()) || jsonb_build_object('effective', now_seconds),
                                      ecert.key_entry(ecert.public_key('seal'), 'seal') || jsonb_build_object('effective', now_seconds))))))
    RETURNING hash INTO genesis_hash;
    PERFORM ecert.upgrade_ledger();
    RETURN genesis_hash;
END
$$;
COMMENT ON FUNCTION ecert.create_ledger(text, jsonb) IS 'certifier, with ecert.node, ecert.signing_key and ecert.seal_key set: make this database''s ledger under an origin (its name, 1 to 200 bytes) and a policy (default ecert.default_policy()); returns the hash of the genesis package, the ledger''s id. EC080, EC091, EC093, EC094';

CREATE FUNCTION ecert.link_statements(is_enrolled boolean, issuers text[], kinds text[], own_connection text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN is_enrolled THEN '' ELSE format(E'SELECT ecert.enroll(%L, %L, %L%s);  -- with the roles it is to have\n', ecert.this_node(), '{applicant,auditor}', ecert.public_key(),
                       coalesce(', witness_key => ' || quote_literal(ecert.public_key('witness')), '')) END
        || format('SELECT ecert.admit_node(%L, %L%s);', ecert.this_node(),
                  coalesce(own_connection, format('host=<this server> port=%s dbname=%s user=<a role that may replicate>', current_setting('port'), current_database())),
                  CASE WHEN issuers IS NOT NULL OR kinds IS NOT NULL THEN format(', %L, %L', issuers, kinds) ELSE '' END)
$$;
COMMENT ON FUNCTION ecert.link_statements(boolean, text[], text[], text) IS 'internal: what the hub has to run so that this node takes part';

CREATE FUNCTION ecert.join_ledger(genesis ecert.package, hub text DEFAULT NULL, issuers text[] DEFAULT NULL, kinds text[] DEFAULT NULL,
                                  own_connection text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    me text := ecert.this_node();
    hash bytea := ecert.hash(genesis);
    hub_node text;
    link text;
    made_slot boolean := false;
    is_filtered boolean := issuers IS NOT NULL OR kinds IS NOT NULL;
    is_enrolled boolean;
BEGIN
    IF ecert.kind(genesis) <> 'genesis' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = 'a ledger is joined with its genesis package',
            DETAIL = format('The package is of kind %s.', ecert.kind(genesis));
    END IF;
    IF hub IS NOT NULL THEN
        hub_node := ecert.check_same_ledger(hub, hash);
        link := ecert.link_name(me, hub_node, hash);
        is_enrolled := jsonb_array_length(ecert.ask(hub, format('SELECT 1 FROM ledger.node n WHERE n.node = %L AND n.status = ''active''', me))) > 0;
        IF is_filtered THEN
            BEGIN
                PERFORM ecert.ask(hub, format('SELECT ecert.admit_node(%L, NULL, %L, %L) IS NULL', me, issuers, kinds));
            EXCEPTION WHEN insufficient_privilege THEN
                IF jsonb_array_length(ecert.ask(hub, format('SELECT 1 FROM pg_catalog.pg_publication p WHERE p.pubname = %L', link))) = 0 THEN
                    RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = format('hub "%s" has no publication for this node yet', hub_node),
                        DETAIL = format(E'Let it run:\n%s', ecert.link_statements(is_enrolled, issuers, kinds, own_connection)),
                        HINT = 'Then join again.';
                END IF;
            END;
        END IF;
        made_slot := ecert.make_slot(hub, link);
    END IF;
    BEGIN
        IF to_regclass('ledger.package') IS NULL THEN
            PERFORM ecert.create_tables();
            INSERT INTO ledger.package (package) VALUES (genesis);
            PERFORM ecert.upgrade_ledger();
        ELSIF ecert.genesis_hash() <> hash OR hub IS NULL OR EXISTS (SELECT FROM ledger.peer p WHERE p.is_hub) THEN
            RAISE EXCEPTION USING ERRCODE = 'EC091', MESSAGE = 'there is a ledger in this database already',
                DETAIL = format('Its genesis is %s.', encode(ecert.genesis_hash(), 'hex')),
                HINT = 'A database holds one ledger, and it has one hub; leave the hub with ecert.leave_ledger() first.';
        END IF;
        IF hub IS NOT NULL THEN
            LOCK TABLE ledger.peer IN SHARE ROW EXCLUSIVE MODE;
            INSERT INTO ledger.peer (peer, this_node, is_hub, subscription, publication, issuers, kinds, own_connection)
            VALUES (hub_node, me, true, link, CASE WHEN is_filtered THEN link ELSE 'ecert' END, issuers, kinds, own_connection);
            PERFORM ecert.publish_up();
            PERFORM ecert.subscribe(link, hub, CASE WHEN is_filtered THEN link ELSE 'ecert' END, true);
            RAISE NOTICE USING MESSAGE = format('hub "%s" has to run, as a superuser:', hub_node),
                DETAIL = ecert.link_statements(is_enrolled, issuers, kinds, own_connection),
                HINT = CASE WHEN own_connection IS NULL THEN 'With own_connection given, this node''s duties run ecert.admit_node() there, if they may.'
                            ELSE 'This node''s duties run ecert.admit_node() there, if they may.' END;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        IF made_slot THEN
            PERFORM ecert.drop_slot(hub, link);
        END IF;
        RAISE;
    END;
END
$$;
COMMENT ON FUNCTION ecert.join_ledger(ecert.package, text, text[], text[], text) IS 'any node but the certifier, with ecert.node set: make this database''s copy of the ledger that begins with a genesis package, which must have come by a way that is trusted. hub is the connection string of the server that sends the others'' packages and takes this node''s (a role that may replicate and read ledger.package there; NULL: none yet, call again to link later). issuers, kinds: be sent only these beside node, relation, policy, checkpoint, statuses of certificates and what this node signs (NULL: all). Prints what the hub has to run; with own_connection, the connection string of this server as the hub is to use it, this node''s duties have ecert.admit_node() run there where their role may. EC016, EC091, EC093, EC110';

-- PUBLIC may call nothing that writes, signs or asks other servers: all that is VOLATILE; nor what tells how this server is set up or verified
DO $$
DECLARE
    writing regprocedure;
BEGIN
    FOR writing IN SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'ecert'::regnamespace
                   AND p.provolatile = 'v' AND p.prorettype <> 'trigger'::regtype LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', writing);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION ecert.link_statements(boolean, text[], text[], text), ecert.peer_connection(text), ecert.take_up_new(), ecert.rule_problem(ecert.package),
    ecert.verified_registry(), ecert.row_problems(text, text, bigint, text, tstzrange, timestamptz, bytea, ecert.package, bytea) FROM PUBLIC;
