-- Catching up: what replication has lost is pulled, feed by feed, by comparing heads

CREATE FUNCTION ecert.catch_up(peer text DEFAULT NULL, only_behind jsonb DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link record;
    feed record;
    pulled record;
    next_seq bigint;
    admitted bigint := 0;
BEGIN
    FOR link IN SELECT p.peer, ecert.peer_connection(p.peer) AS connection FROM ledger.peer p
                 WHERE (peer IS NULL OR p.peer = peer) AND p.subscription IS NOT NULL ORDER BY p.is_hub DESC, p.peer LOOP
        FOR feed IN SELECT b.* FROM ecert.behind(link.connection) AS b
                     WHERE only_behind IS NULL OR EXISTS (SELECT FROM jsonb_to_recordset(only_behind) AS o (issuer text, kind text, last_seq bigint)
                                                          WHERE o.issuer = b.issuer AND o.kind = b.kind AND o.last_seq > b.own_seq) LOOP
            next_seq := feed.own_seq + 1;
            WHILE next_seq <= feed.last_seq LOOP
                FOR pulled IN SELECT decode(substr(a ->> 'package', 3), 'hex') AS bytes
                                FROM jsonb_array_elements(ecert.ask(link.connection, format(
                                    'SELECT p.package::text AS package FROM ledger.package p WHERE p.issuer = %L AND p.kind = %L AND p.seq BETWEEN %s AND %s ORDER BY p.seq',
                                    feed.issuer, feed.kind, next_seq, least(next_seq + 999, feed.last_seq)))) AS a LOOP
                    IF ecert.admit_from_peer(pulled.bytes, link.peer) = 'admitted' THEN
                        admitted := admitted + 1;
                    END IF;
                END LOOP;
                next_seq := next_seq + 1000;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN admitted;
END
$$;
COMMENT ON FUNCTION ecert.catch_up(text, jsonb) IS 'pull from a peer (NULL: from all) what it holds beyond the ends of the feeds here, and admit it as from a peer; returns how many packages were admitted. Replication does this by itself; it is for what a lost slot, a restored backup or a promoted standby has left out. only_behind: of these feeds [{issuer, kind, last_seq}] alone, when they have not got there yet';

CREATE FUNCTION ecert.behind(connection text, OUT issuer text, OUT kind text, OUT own_seq bigint, OUT last_seq bigint) RETURNS SETOF record
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.issuer, t.kind, coalesce(o.last_seq, -1), t.last_seq
      FROM jsonb_to_recordset(ecert.ask(connection, 'SELECT f.issuer, f.kind, f.last_seq FROM ecert.feeds() AS f')) AS t (issuer text, kind text, last_seq bigint)
      LEFT JOIN ecert.feeds() AS o ON o.issuer = t.issuer AND o.kind = t.kind
     WHERE t.last_seq > coalesce(o.last_seq, -1) AND ecert.holds(t.kind, t.issuer)
     -- what others rest on comes first
     ORDER BY array_position(ARRAY['genesis','node','policy','relation','energy','product','audit','certificate','status','reward','checkpoint','witness'], t.kind), t.issuer
$$;
COMMENT ON FUNCTION ecert.behind(text) IS 'internal: the feeds that this node holds and that go on further at another server: seq reached here (-1: none) and there';

CREATE FUNCTION ecert.resume(peer text DEFAULT NULL, connection text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link record;
BEGIN
    IF connection IS NOT NULL AND peer IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'a new connection needs the peer whose it is';
    END IF;
    -- every slot anew, before anything is written here: positions of another server''s life mean nothing
    FOR link IN SELECT p.subscription, p.peer, coalesce(connection, ecert.peer_connection(p.peer)) AS connection FROM ledger.peer p
                 WHERE (peer IS NULL OR p.peer = peer) AND p.subscription IS NOT NULL LOOP
        PERFORM ecert.check_same_ledger(link.connection, ecert.genesis_hash(), link.peer);
        PERFORM ecert.drop_slot(link.connection, link.subscription);
        PERFORM ecert.make_slot(link.connection, link.subscription);
    END LOOP;
    FOR link IN SELECT p.subscription, p.is_hub, p.publication, coalesce(connection, ecert.peer_connection(p.peer)) AS connection FROM ledger.peer p
                 WHERE (peer IS NULL OR p.peer = peer) AND p.subscription IS NOT NULL LOOP
        PERFORM ecert.unsubscribe(link.subscription);
        PERFORM ecert.subscribe(link.subscription, link.connection, CASE WHEN link.is_hub THEN link.publication ELSE 'ecert_up' END, false);
    END LOOP;
    RETURN ecert.catch_up(peer);
END
$$;
COMMENT ON FUNCTION ecert.resume(text, text) IS 'after a restore, a promotion or a move of this server or of a peer: begin replication with the peer (NULL: all) anew and pull what is missing here, this node''s own packages included, so that its feeds go on where they had got to; connection is the peer''s new connection string, when it has one. Returns how many packages came. To be called on both sides of a link. EC016, EC110';

-- A signer asks before it goes on

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
                    RAISE EXCEPTION USING ERRCODE = 'EC098', MESSAGE = format('feed "%s" of this node goes on at "%s"', head.kind, link.peer),
                        DETAIL = format('It ends at seq %s here and at seq %s there: this server seems to have been restored from a backup. Signing now would tell a second story.',
                                        coalesce(head.own_seq, -1), head.last_seq),
                        HINT = 'Fetch what is missing with SELECT ecert.resume(), then sign again.';
                ELSIF head.hash IS DISTINCT FROM head.own_hash THEN
                    RAISE EXCEPTION USING ERRCODE = 'EC098', MESSAGE = format('"%s" holds another package of feed "%s" of this node', link.peer, head.kind),
                        DETAIL = format('Seq %s is %s there and %s here.', head.last_seq, encode(head.hash, 'hex'), coalesce(encode(head.own_hash, 'hex'), 'missing')),
                        HINT = 'Find out who signed what before anything else is signed: SELECT * FROM ledger.equivocation.';
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
        RAISE EXCEPTION USING ERRCODE = 'EC099', MESSAGE = format('nobody can be asked how far the feeds of "%s" have got', node),
            DETAIL = unreachable || '.',
            HINT = 'After each start a node asks a peer once before it signs. Wait until one can be reached; a superuser who knows that nothing was lost sets ecert.sign_unconfirmed.';
    END IF;
    INSERT INTO ledger.signer (node, server_started_at, database_oid) VALUES (node, pg_postmaster_start_time(), database)
    ON CONFLICT ON CONSTRAINT signer_pkey DO UPDATE SET server_started_at = EXCLUDED.server_started_at, database_oid = EXCLUDED.database_oid, confirmed_at = clock_timestamp();
END
$$;
COMMENT ON FUNCTION ecert.check_own_head(text) IS 'internal: before this server signs as a node for the first time since it was started, ask its peers how far that node''s feeds have got: EC098 when they go on elsewhere, as after a restore from an old backup, EC099 when no peer answers. Does nothing without peers';

REVOKE ALL ON FUNCTION ecert.catch_up(text, jsonb), ecert.behind(text), ecert.resume(text, text), ecert.check_own_head(text) FROM PUBLIC;
