-- Servers that hold one ledger together: links between a hub and the nodes below it, by logical replication.
--
-- Slots are made by asking the publishing server for them, since CREATE SUBSCRIPTION that makes its own slot cannot run
-- inside a function. That is done before this transaction writes anything: a new slot waits for every writer of its server.

CREATE FUNCTION ecert.plain_name(node text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.left(pg_catalog.regexp_replace(pg_catalog.lower(node), '[^a-z0-9]+', '_', 'g'), 16);
COMMENT ON FUNCTION ecert.plain_name(text) IS 'internal: what can be read of a node id in the names of subscriptions and roles: at most 16 letters, digits and underscores';

CREATE FUNCTION ecert.link_name(subscriber text, publisher text, genesis_hash bytea DEFAULT ecert.genesis_hash()) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    -- readable where ids are plain words, and never the same for two links, also of two ledgers on one server
    SELECT format('ecert_%s_from_%s_%s', ecert.plain_name(subscriber), ecert.plain_name(publisher),
                  left(encode(sha256(link_name.genesis_hash || sha256(convert_to(subscriber, 'UTF8')) || sha256(convert_to(publisher, 'UTF8'))), 'hex'), 12))
$$;
COMMENT ON FUNCTION ecert.link_name(text, text, bytea) IS 'name of the subscription by which one node reads from another, of its slot at the other and, where it filters, of its publication there';

-- Publications

CREATE FUNCTION ecert.feed_filter(node text, issuers text[], kinds text[], certifier text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.format('kind = ANY (%L) OR issuer = %L OR (%s AND %s)', ecert.basic_kinds(), node,
                  CASE WHEN kinds IS NULL THEN 'true' ELSE pg_catalog.format('kind = ANY (%L)', kinds || CASE WHEN 'certificate' = ANY (kinds) THEN '{status}'::text[] END) END,
                  CASE WHEN issuers IS NULL THEN 'true' ELSE pg_catalog.format('issuer = ANY (%L)', issuers || certifier) END);
COMMENT ON FUNCTION ecert.feed_filter(text, text[], text[], text) IS 'internal: the row filter of a publication for a node that asked for these issuers and kinds (NULL: all); says what ecert.is_sent() says';

CREATE FUNCTION ecert.publish(publication text, row_filter text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error
AS $$
DECLARE
    -- the package alone: whoever receives it derives the rest
    tables text := format('TABLE ledger.package (package)%s, TABLE ledger.equivocation (first_package, second_package)', ' WHERE (' || row_filter || ')');
BEGIN
    -- one of all tables cannot be made one of some
    IF EXISTS (SELECT FROM pg_publication p WHERE p.pubname = publication AND p.puballtables) THEN
        EXECUTE format('DROP PUBLICATION %I', publication);
    END IF;
    IF EXISTS (SELECT FROM pg_publication p WHERE p.pubname = publication) THEN
        EXECUTE format('ALTER PUBLICATION %I SET %s', publication, tables);
        EXECUTE format('ALTER PUBLICATION %I SET (publish = %L)', publication, 'insert');
    ELSE
        EXECUTE format('CREATE PUBLICATION %I FOR %s WITH (publish = %L)', publication, tables, 'insert');
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.publish(text, text) IS 'internal: make or renew a publication of packages and equivocations, inserts only';

CREATE FUNCTION ecert.issuers_below() RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT ecert.this_node() UNION SELECT p.peer FROM ledger.peer p WHERE NOT p.is_hub
                 UNION SELECT b.issuer FROM ledger.peer p CROSS JOIN LATERAL unnest(p.below) AS b (issuer) WHERE NOT p.is_hub ORDER BY 1)
$$;
COMMENT ON FUNCTION ecert.issuers_below() IS 'the nodes whose packages this server sends up to its hub: itself, the nodes below it and those below these';

CREATE FUNCTION ecert.publish_up() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.publish('ecert_up', format('issuer = ANY (%L)', ecert.issuers_below()));
    COMMENT ON PUBLICATION ecert_up IS 'what this node sends up to its hub: its own packages, and those of nodes below it';
$$;
COMMENT ON FUNCTION ecert.publish_up() IS 'internal: make or renew the publication that this node''s hub reads';

-- Slots

CREATE FUNCTION ecert.make_slot(connection text, slot text, seconds integer DEFAULT 600) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN jsonb_array_length(ecert.ask(connection, format(
        'SELECT (pg_catalog.pg_create_logical_replication_slot(%L, ''pgoutput'')).slot_name WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = %1$L)', slot), seconds)) > 0;
EXCEPTION WHEN SQLSTATE 'EC113' THEN
    RAISE EXCEPTION USING ERRCODE = 'EC113', MESSAGE = SQLERRM, DETAIL = 'A new slot waits for all transactions that write on that server.',
        HINT = 'Call again when they have ended. They are there in: SELECT pid, xact_start, query FROM pg_stat_activity WHERE backend_xid IS NOT NULL';
END
$$;
COMMENT ON FUNCTION ecert.make_slot(text, text, integer) IS 'internal: make a replication slot at another server unless it is there; true when it was made. It waits for all transactions that write there, for that many seconds (0: ecert.peer_timeout); EC113 when they have not ended then';

CREATE FUNCTION ecert.drop_slot(connection text, slot text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- whoever reads it goes on for a moment after its subscription has ended
    FOR attempt IN 1..100 LOOP
        IF jsonb_array_length(ecert.ask(connection, format('SELECT 1 FROM pg_catalog.pg_replication_slots WHERE slot_name = %L', slot))) = 0 THEN
            RETURN;
        END IF;
        PERFORM ecert.ask(connection, format(
            'SELECT (SELECT pg_catalog.pg_terminate_backend(s.active_pid, 1000) FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = %1$L AND s.active),
                    (SELECT count(pg_catalog.pg_drop_replication_slot(s.slot_name)) FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = %1$L AND NOT s.active)', slot));
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'object_in_use', MESSAGE = format('replication slot "%s" is in use and does not become free', slot);
END
$$;
COMMENT ON FUNCTION ecert.drop_slot(text, text) IS 'internal: end whoever reads a replication slot at another server, and drop it; does nothing when there is none. 55006 when it stays in use';

CREATE FUNCTION ecert.check_same_ledger(connection text, expected_hash bytea, expected_node text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    there jsonb;
BEGIN
    there := ecert.ask(connection, 'SELECT pg_catalog.current_setting(''ecert.node'', true) AS node, pg_catalog.encode(g.hash, ''hex'') AS genesis FROM ledger.package g WHERE g.kind = ''genesis''') -> 0;
    IF there ->> 'genesis' IS DISTINCT FROM encode(expected_hash, 'hex') THEN
        RAISE EXCEPTION USING ERRCODE = 'EC016', MESSAGE = 'the other server holds another ledger',
            DETAIL = format('Its genesis is %s, expected %s.', coalesce(there ->> 'genesis', 'missing'), encode(expected_hash, 'hex'));
    END IF;
    IF coalesce(there ->> 'node', '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC093', MESSAGE = 'the other server does not say which node it is',
            HINT = 'Set ecert.node there for the whole server or database, with the library in shared_preload_libraries or session_preload_libraries.';
    END IF;
    IF there ->> 'node' <> expected_node THEN
        RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = format('the other server is node "%s"', there ->> 'node'),
            DETAIL = format('Expected "%s".', expected_node);
    END IF;
    RETURN there ->> 'node';
END
$$;
COMMENT ON FUNCTION ecert.check_same_ledger(text, bytea, text) IS 'internal: node id of another server, which must hold this ledger and, when given, be that node; EC016, EC093, EC110';

-- What a node calls

CREATE FUNCTION ecert.unlink(peer text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link ledger.peer := (SELECT p FROM ledger.peer p WHERE p.peer = peer);
    connection text := ecert.peer_connection(peer);
BEGIN
    IF link.subscription IS NOT NULL THEN
        PERFORM ecert.unsubscribe(link.subscription);
        BEGIN
            PERFORM ecert.drop_slot(connection, link.subscription);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING USING MESSAGE = format('slot "%s" is left at "%s" and keeps its WAL', link.subscription, peer), DETAIL = SQLERRM,
                HINT = format('There: SELECT pg_drop_replication_slot(%L)', link.subscription);
        END;
    END IF;
    DELETE FROM ledger.peer p WHERE p.peer = peer;
    IF NOT EXISTS (SELECT FROM ledger.peer) THEN
        PERFORM ecert.drop_receiver(link.this_node);
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.unlink(text) IS 'internal: end the subscription to a peer, its slot there, and forget the peer; behind the last one the role that received goes too. A slot that cannot be dropped is named in a warning';

CREATE FUNCTION ecert.leave_ledger() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hub text := (SELECT p.peer FROM ledger.peer p WHERE p.is_hub);
BEGIN
    IF hub IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = 'this node has no hub to leave';
    END IF;
    PERFORM ecert.unlink(hub);
    DROP PUBLICATION IF EXISTS ecert_up;
    RAISE NOTICE 'the ledger as it is stays here; the hub has to run: SELECT ecert.dismiss_node(%)', quote_literal(ecert.this_node());
END
$$;
COMMENT ON FUNCTION ecert.leave_ledger() IS 'a node: stop replicating with the hub. The packages that are here stay, for evidence and for joining again; nothing new comes or goes. EC110 without a hub';

-- What a hub calls

CREATE FUNCTION ecert.admit_node(node text, connection text, issuers text[] DEFAULT NULL, kinds text[] DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    me text := ecert.this_node();
    link text := ecert.link_name(me, node);
    publication text := CASE WHEN issuers IS NULL AND kinds IS NULL THEN 'ecert' ELSE ecert.link_name(node, me) END;
    present ledger.peer := (SELECT p FROM ledger.peer p WHERE p.peer = node);
    is_there boolean := false;
    made_slot boolean := false;
BEGIN
    IF node = me OR present.is_hub THEN
        RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = format('node "%s" cannot be admitted below this one', node),
            DETAIL = CASE WHEN node = me THEN 'It is this node.' ELSE 'It is the hub of this node.' END;
    END IF;
    IF connection IS NOT NULL AND present.subscription IS NULL THEN
        BEGIN
            PERFORM ecert.check_same_ledger(connection, ecert.genesis_hash(), node);
            is_there := jsonb_array_length(ecert.ask(connection, 'SELECT 1 FROM pg_catalog.pg_publication p WHERE p.pubname = ''ecert_up''')) > 0;
        EXCEPTION WHEN undefined_table OR invalid_schema_name OR undefined_object THEN
            is_there := false;
        END;
        made_slot := is_there AND ecert.make_slot(connection, link);
    END IF;
    BEGIN
        LOCK TABLE ledger.peer IN SHARE ROW EXCLUSIVE MODE;
        IF publication <> 'ecert' THEN
            PERFORM ecert.publish(publication, ecert.feed_filter(node, issuers, kinds, ecert.certifier()));
        END IF;
        INSERT INTO ledger.peer (peer, this_node, is_hub, subscription, publication, issuers, kinds)
        VALUES (node, me, false, CASE WHEN is_there THEN link END, publication, issuers, kinds)
        ON CONFLICT ON CONSTRAINT peer_pkey DO UPDATE SET subscription = coalesce(peer.subscription, EXCLUDED.subscription),
            publication = EXCLUDED.publication, issuers = EXCLUDED.issuers, kinds = EXCLUDED.kinds;
        IF EXISTS (SELECT FROM ledger.peer p WHERE p.is_hub) THEN
            PERFORM ecert.publish_up();
        END IF;
        IF is_there THEN
            PERFORM ecert.subscribe(link, connection, 'ecert_up', true);
        ELSIF connection IS NOT NULL AND present.subscription IS NOT NULL THEN
            EXECUTE format('ALTER SUBSCRIPTION %I CONNECTION %L', present.subscription, connection);
        ELSIF connection IS NOT NULL THEN
            RAISE NOTICE USING MESSAGE = format('node "%s" has not joined with this hub yet', node),
                DETAIL = format('Its publication "%s" is ready.', publication), HINT = 'Call ecert.admit_node() again when it has.';
        END IF;
    EXCEPTION WHEN OTHERS THEN
        IF made_slot THEN
            PERFORM ecert.drop_slot(connection, link);
        END IF;
        RAISE;
    END;
END
$$;
COMMENT ON FUNCTION ecert.admit_node(text, text, text[], text[]) IS 'hub: the other half of ecert.join_ledger(): subscribe to what a node signs, and publish what it is to be sent (issuers, kinds as there). connection is the connection string of the node''s server, with a role that may replicate and read ledger.package (NULL: only make its publication, so that it can join). Call again to change the connection or what it is sent. EC016, EC093, EC110';

CREATE FUNCTION ecert.dismiss_node(node text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    present ledger.peer := (SELECT p FROM ledger.peer p WHERE p.peer = node AND NOT p.is_hub);
    slot text := ecert.link_name(node, ecert.this_node());
BEGIN
    IF present.peer IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = format('node "%s" is not below this hub', node);
    END IF;
    PERFORM ecert.unlink(node);
    PERFORM pg_terminate_backend(s.active_pid, 5000) FROM pg_replication_slots s WHERE s.slot_name = slot AND s.active;
    PERFORM pg_drop_replication_slot(s.slot_name) FROM pg_replication_slots s WHERE s.slot_name = slot AND NOT s.active;
    IF present.publication <> 'ecert' THEN
        EXECUTE format('DROP PUBLICATION IF EXISTS %I', present.publication);
    END IF;
    IF EXISTS (SELECT FROM ledger.peer p WHERE p.is_hub) THEN
        PERFORM ecert.publish_up();
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.dismiss_node(text) IS 'hub: undo ecert.admit_node(): no longer subscribe to a node, drop its slot here and its publication. What it signed stays on the ledger. EC110';

CREATE FUNCTION ecert.create_replication_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($table$CREATE TABLE ledger.difference (  -- where a peer holds something else than this node, found by ecert.compare_with()
        peer text COLLATE "C" NOT NULL,  -- node id of the other server
        issuer text COLLATE "C" NOT NULL,  -- feed; empty: the server as a whole
        kind text COLLATE "C" NOT NULL,  -- feed; empty: the server as a whole; equivocation, without issuer: its proofs
        first_seq bigint NOT NULL,  -- where in the feed it begins (the block of 1000 for bytes that differ); -1: the server as a whole
        problem text NOT NULL,  -- what is different there
        found_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it was first found
        seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it was last seen
        gone_at timestamptz,  -- when it was found equal again; NULL: it stands
        CONSTRAINT difference_pkey PRIMARY KEY (peer, issuer, kind, first_seq)
    )$table$);
    SELECT ecert.publish('ecert');
    COMMENT ON PUBLICATION ecert IS 'everything on this ledger, for nodes below this one';
$$;
COMMENT ON FUNCTION ecert.create_replication_tables() IS 'internal: makes ledger.difference and the publication ecert';
