-- Asking another server by dblink: for what replication does not tell, and before this server signs for the first time.

CREATE FUNCTION ecert.ask(connection text, question text) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dblink text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'dblink');
    target text := connection;
    answer jsonb;
BEGIN
    IF dblink IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = 'ecert asks other servers by dblink, which is not installed',
            HINT = 'CREATE EXTENSION dblink;';
    END IF;
    IF connection !~ '^postgres(ql)?://' AND connection !~ 'connect_timeout' THEN
        target := connection || ' connect_timeout=10';
    END IF;
    -- a question that was cancelled has left its connection open
    EXECUTE format('SELECT %s.dblink_disconnect(c) FROM unnest(%1$s.dblink_get_connections()) AS c WHERE c = %L', dblink, 'ecert.ask');
    EXECUTE format('SELECT %s.dblink_connect(%L, $1)', dblink, 'ecert.ask') USING target;
    BEGIN
        EXECUTE format('SELECT %s.dblink_exec(%L, %L)', dblink, 'ecert.ask', 'SET search_path = pg_catalog, pg_temp');
        EXECUTE format('SELECT d.answer FROM %s.dblink(%L, $1) AS d (answer jsonb)', dblink, 'ecert.ask')
           INTO answer USING format('SELECT coalesce(jsonb_agg(to_jsonb(q)), ''[]'') FROM (%s) AS q', question);
    EXCEPTION WHEN OTHERS THEN
        EXECUTE format('SELECT %s.dblink_disconnect(%L)', dblink, 'ecert.ask');
        RAISE;
    END;
    EXECUTE format('SELECT %s.dblink_disconnect(%L)', dblink, 'ecert.ask');
    RETURN answer;
END
$$;
COMMENT ON FUNCTION ecert.ask(text, text) IS 'internal: run a query (with qualified names) on another server, by dblink, and return its rows as a JSON array of objects. EC110 without dblink, 08001 when the server cannot be reached, else the SQLSTATE of the other server';

CREATE FUNCTION ecert.subscription_oid(subscription text) RETURNS oid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.oid FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
     WHERE s.subname = subscription_oid.subscription AND d.datname = current_database()
$$;
COMMENT ON FUNCTION ecert.subscription_oid(text) IS 'internal: OID of this database''s subscription of that name; NULL when there is none';

CREATE FUNCTION ecert.peer_connection(peer text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.subconninfo FROM ledger.peer p JOIN pg_subscription s ON s.oid = ecert.subscription_oid(p.subscription)
     WHERE p.peer = peer_connection.peer
$$;
COMMENT ON FUNCTION ecert.peer_connection(text) IS 'internal: connection string of the server of a node that this one subscribes to, from pg_subscription; NULL when there is none';

CREATE FUNCTION ecert.check_own_head(node text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link record;
    head record;
    database oid := (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
    answers integer := 0;
    unreachable text;
BEGIN
    IF EXISTS (SELECT FROM ledger.signer s WHERE s.node = node AND s.server_started_at = pg_postmaster_start_time() AND s.database_oid = database) THEN
        RETURN;
    END IF;
    FOR link IN SELECT p.peer, p.is_hub, ecert.peer_connection(p.peer) AS connection FROM ledger.peer p
                 WHERE p.subscription IS NOT NULL ORDER BY p.is_hub DESC, p.peer LOOP
        BEGIN
            FOR head IN
                SELECT t.kind, t.last_seq, decode(t.hash, 'hex') AS hash, h.last_seq AS own_seq, o.hash AS own_hash
                  FROM jsonb_to_recordset(ecert.ask(link.connection, format(
                        'SELECT f.kind, f.last_seq, pg_catalog.encode(p.hash, ''hex'') AS hash FROM ecert.feeds() AS f
                           JOIN ledger.package p ON p.issuer = f.issuer AND p.kind = f.kind AND p.seq = f.last_seq WHERE f.issuer = %L', node)))
                       AS t (kind text, last_seq bigint, hash text)
                  LEFT JOIN ecert.feeds() AS h ON h.issuer = node AND h.kind = t.kind
                  LEFT JOIN ledger.package o ON o.issuer = node AND o.kind = t.kind AND o.seq = t.last_seq
            LOOP
                IF head.last_seq > coalesce(head.own_seq, -1) THEN
                    RAISE EXCEPTION USING ERRCODE = 'EC098', MESSAGE = format('peer "%s" holds newer packages of feed "%s" of this node', link.peer, head.kind),
                        DETAIL = format('The feed ends at seq %s here and at seq %s there: this server seems to have been restored from a backup. A package signed now would contradict what is there.',
                                        coalesce(head.own_seq, -1), head.last_seq),
                        HINT = 'Fetch what is missing with SELECT ecert.resume(), then sign again.';
                ELSIF head.hash IS DISTINCT FROM head.own_hash THEN
                    RAISE EXCEPTION USING ERRCODE = 'EC098', MESSAGE = format('peer "%s" holds another package of feed "%s" of this node', link.peer, head.kind),
                        DETAIL = format('Seq %s is %s there and %s here.', head.last_seq, encode(head.hash, 'hex'), coalesce(encode(head.own_hash, 'hex'), 'missing')),
                        HINT = 'Find out who signed which package before you sign again: SELECT * FROM ledger.equivocation.';
                END IF;
            END LOOP;
            answers := answers + 1;
        EXCEPTION WHEN connection_exception OR sqlclient_unable_to_establish_sqlconnection OR connection_does_not_exist OR cannot_connect_now OR admin_shutdown OR crash_shutdown THEN
            unreachable := concat_ws('; ', unreachable, format('%s: %s', link.peer, SQLERRM));
        END;
        -- a hub has everything that left this node
        EXIT WHEN link.is_hub AND answers > 0;
    END LOOP;
    IF unreachable IS NOT NULL AND answers = 0 AND NOT current_setting('ecert.sign_unconfirmed')::boolean THEN
        RAISE EXCEPTION USING ERRCODE = 'EC099', MESSAGE = format('could not confirm feed heads of node "%s": no peer is reachable', node),
            DETAIL = unreachable || '.',
            HINT = 'After each start a node asks a peer once before it signs. Wait until a peer is reachable; a superuser who knows that no package was lost sets ecert.sign_unconfirmed.';
    END IF;
    INSERT INTO ledger.signer (node, server_started_at, database_oid) VALUES (node, pg_postmaster_start_time(), database)
    ON CONFLICT ON CONSTRAINT signer_pkey DO UPDATE SET server_started_at = EXCLUDED.server_started_at, database_oid = EXCLUDED.database_oid, confirmed_at = clock_timestamp();
END
$$;
COMMENT ON FUNCTION ecert.check_own_head(text) IS 'internal: before this server signs as a node for the first time since it was started, ask its peers how far that node''s feeds have got: EC098 when they go on elsewhere, as after a restore from an old backup, EC099 when no peer answers. Does nothing without peers';
