-- Catching up: what replication has lost is pulled, feed by feed, by comparing heads

CREATE FUNCTION ecert.catch_up(peer text DEFAULT NULL, only_behind jsonb DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link record;
    feed record;
    pulled record;
    admitted bigint := 0;
BEGIN
    FOR link IN SELECT p.peer, ecert.peer_connection(p.peer) AS connection FROM ledger.peer p
                 WHERE (peer IS NULL OR p.peer = peer) AND p.subscription IS NOT NULL ORDER BY p.is_hub DESC, p.peer LOOP
        FOR feed IN SELECT b.* FROM ecert.behind(link.connection) AS b
                     WHERE only_behind IS NULL OR EXISTS (SELECT FROM jsonb_to_recordset(only_behind) AS o (issuer text, kind text, last_seq bigint)
                                                          WHERE o.issuer = b.issuer AND o.kind = b.kind AND o.last_seq > b.own_seq) LOOP
            FOR pulled IN SELECT decode(substr(a ->> 'package', 3), 'hex') AS bytes
                            FROM generate_series(feed.own_seq + 1, feed.last_seq, 1000) AS s (first_seq)
                           CROSS JOIN LATERAL jsonb_array_elements(ecert.ask(link.connection, format(
                                'SELECT p.package::text AS package FROM ledger.package p WHERE p.issuer = %L AND p.kind = %L AND p.seq BETWEEN %s AND %s ORDER BY p.seq',
                                feed.issuer, feed.kind, s.first_seq, least(s.first_seq + 999, feed.last_seq)))) AS a LOOP
                admitted := admitted + (ecert.admit_from_peer(pulled.bytes, link.peer) = 'admitted')::integer;
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
     ORDER BY array_position(ecert.kinds(), t.kind), t.issuer
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
