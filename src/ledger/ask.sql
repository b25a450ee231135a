-- Asking other servers: for what replication does not tell, and before this server signs for the first time.
--
-- What a peer says is its word: it counts as far as signed packages show it.

CREATE FUNCTION ecert.ask(connection text, question text, seconds integer DEFAULT 0) RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_ask';
COMMENT ON FUNCTION ecert.ask(text, text, integer) IS 'internal: run a query (with qualified names) on another server and return its rows as a JSON array of objects, at most 32 MiB, within that many seconds (0: ecert.peer_timeout). EC113 when it does not answer in time or answers too much, 08001 when it cannot be reached, 08006 when it hangs up, else the SQLSTATE of the other server. Whoever may call it connects as the operating system''s user of this server';

CREATE FUNCTION ecert.ask_all(peers text[], connections text[], question text, OUT peer text, OUT answer text, OUT code text, OUT problem text, OUT reason text) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_ask_all';
COMMENT ON FUNCTION ecert.ask_all(text[], text[], text) IS 'internal: ask peers a question at once; all have ecert.peer_timeout together. A row for each: the answer of ecert.ask() as text; or, where there is none, the SQLSTATE (code), what is wrong, and the reason as far as it is known. Hangs up on servers that were not asked since the last call';

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

CREATE FUNCTION ecert.ask_peers(question text, only_peer text DEFAULT NULL, OUT peer text, OUT answer text, OUT code text, OUT problem text, OUT reason text) RETURNS SETOF record
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.*
      FROM (SELECT array_agg(p.peer ORDER BY p.peer) AS peers, array_agg(c.connection ORDER BY p.peer) AS connections
              FROM ledger.peer p CROSS JOIN LATERAL ecert.peer_connection(p.peer) AS c (connection)
             WHERE (only_peer IS NULL OR p.peer = only_peer) AND c.connection IS NOT NULL) AS n
     CROSS JOIN LATERAL ecert.ask_all(n.peers, n.connections, question) AS a
$$;
COMMENT ON FUNCTION ecert.ask_peers(text, text) IS 'internal: ecert.ask_all() of a peer (NULL: all) that this server subscribes to';

CREATE UNLOGGED TABLE ecert_internal.signer (
    node text COLLATE "C" NOT NULL,
    genesis_hash bytea NOT NULL,
    server_started_at timestamptz NOT NULL,
    identity text COLLATE "C" NOT NULL,
    heads jsonb NOT NULL,
    confirmed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT signer_pkey PRIMARY KEY (node, genesis_hash)
);
COMMENT ON TABLE ecert_internal.signer IS 'as which nodes this server has been allowed to sign since it was started; see ecert.check_own_head(). Unlogged: a dump, a base backup and a promoted standby have none';
COMMENT ON COLUMN ecert_internal.signer.node IS 'node id';
COMMENT ON COLUMN ecert_internal.signer.genesis_hash IS 'ledger for which that holds';
COMMENT ON COLUMN ecert_internal.signer.server_started_at IS 'start of the server for which that holds';
COMMENT ON COLUMN ecert_internal.signer.identity IS 'ecert.moved_identity() for which that holds: a ledger that was restored in its place, or whose trigger was off, has another';
COMMENT ON COLUMN ecert_internal.signer.heads IS 'the ends of its feeds at that time: kind, seq and hash, hexadecimal';
COMMENT ON COLUMN ecert_internal.signer.confirmed_at IS 'when peers were asked';

CREATE UNLOGGED TABLE ecert_internal.unproved (
    peer text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    claim text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT unproved_pkey PRIMARY KEY (peer, topic)
);
COMMENT ON TABLE ecert_internal.unproved IS 'what peers have said and not shown; deleted when they show it or say it no more';
COMMENT ON COLUMN ecert_internal.unproved.peer IS 'node id of the other server';
COMMENT ON COLUMN ecert_internal.unproved.topic IS 'own feeds: of the feeds of this node; feeds: of the heads of any feed';
COMMENT ON COLUMN ecert_internal.unproved.claim IS 'what it says';
COMMENT ON COLUMN ecert_internal.unproved.claimed_at IS 'when it said so last';

CREATE FUNCTION ecert.note_claim(peer text, topic text, claim text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM ecert_internal.unproved u WHERE u.peer = note_claim.peer AND u.topic = note_claim.topic;
    INSERT INTO ecert_internal.unproved (peer, topic, claim) SELECT note_claim.peer, note_claim.topic, left(note_claim.claim, 2000) WHERE note_claim.claim IS NOT NULL;
$$;
COMMENT ON FUNCTION ecert.note_claim(text, text, text) IS 'internal: write down what a peer says and does not show; NULL: nothing any more';

CREATE FUNCTION ecert.claims(OUT peer text, OUT topics text, OUT claims text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- a standby has no unlogged tables
    IF NOT pg_is_in_recovery() THEN
        RETURN QUERY SELECT u.peer::text, string_agg(u.topic, ', ' ORDER BY u.topic), string_agg(u.claim, '; ' ORDER BY u.topic)
                       FROM ecert_internal.unproved u GROUP BY u.peer ORDER BY u.peer;
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.claims() IS 'what peers have said and not shown: about which feeds (own feeds, feeds), and what; none on a standby';

CREATE FUNCTION ecert.is_said_by(package bytea, issuer text, kind text, seq bigint) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_is_said_by';
COMMENT ON FUNCTION ecert.is_said_by(bytea, text, text, bigint) IS 'internal: whether bytes are the package of this ledger with that issuer, kind and seq, rightly signed: with a key that the issuer has had, as far as is known here, or with this server''s own. False for anything else, malformed bytes included';

CREATE FUNCTION ecert.check_claim(peer text, node text, kind text, last_seq bigint, package bytea) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    hash bytea := sha256(E'\\x00'::bytea || package);
    own_seq bigint := coalesce((SELECT p.seq FROM ledger.package p WHERE p.issuer = node AND p.kind = kind ORDER BY p.seq DESC LIMIT 1), -1);
    own_hash bytea := (SELECT p.hash FROM ledger.package p WHERE p.issuer = node AND p.kind = kind AND p.seq = last_seq);
BEGIN
    IF own_hash = hash THEN
        RETURN true;
    ELSIF NOT coalesce(ecert.is_said_by(package, node, kind, last_seq), false) THEN
        RETURN false;
    ELSIF last_seq > own_seq THEN
        RAISE EXCEPTION USING ERRCODE = 'EC098', MESSAGE = format('peer "%s" holds newer packages of feed "%s" of this node', peer, kind),
            DETAIL = format('The feed ends at seq %s here and at seq %s there: this server seems to have been restored from a backup. A package signed now would contradict what is there.', own_seq, last_seq),
            HINT = 'Fetch what is missing with SELECT ecert.resume(), then sign again.';
    ELSIF NOT current_setting('ecert.sign_unconfirmed')::boolean AND NOT EXISTS (SELECT FROM ledger.equivocation e WHERE hash IN (e.first_hash, e.second_hash)) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC098', MESSAGE = format('peer "%s" holds another package of feed "%s" of this node', peer, kind),
            DETAIL = format('Seq %s is %s there and %s here, and this node has signed both.', last_seq, encode(hash, 'hex'), encode(own_hash, 'hex')),
            HINT = 'Find out who signed which package. A superuser who knows it sets ecert.sign_unconfirmed and signs again.';
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION ecert.check_claim(text, text, text, bigint, bytea) IS 'internal: a peer says that this package ends the feed of this node: true when it is here, or known as another story; false when it is not shown that the node has signed it; EC098 when this server must not go on from what it has';

CREATE FUNCTION ecert.check_answer(peer text, node text, answer text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    head record;
    unproved text;
BEGIN
    BEGIN
        FOR head IN SELECT t.kind, t.seq, decode(substr(t.package, 3), 'hex') AS package FROM jsonb_to_recordset(answer::jsonb) AS t (kind text, seq bigint, package text)
                     LIMIT cardinality(ecert.kinds()) LOOP
            IF NOT ecert.check_claim(peer, node, head.kind, head.seq, head.package) THEN
                unproved := concat_ws('; ', unproved, format('feed "%s" of this node has seq %s', left(head.kind, 100), head.seq));
            END IF;
        END LOOP;
    EXCEPTION
        WHEN SQLSTATE 'EC098' THEN
            RAISE;
        WHEN OTHERS THEN
            unproved := format('what cannot be read: %s', SQLERRM);
    END;
    PERFORM ecert.note_claim(peer, 'own feeds', unproved);
END
$$;
COMMENT ON FUNCTION ecert.check_answer(text, text, text) IS 'internal: what a peer answers about the feeds of this node: EC098 when it shows that they go on elsewhere; what it does not show stops nobody and is written down';

CREATE FUNCTION ecert.check_peers(node text, OUT asked integer, OUT answered integer, OUT problems text) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    question text := format(
        'SELECT k.kind, h.seq, h.package::text AS package FROM pg_catalog.unnest(%L::text[]) AS k (kind)
          CROSS JOIN LATERAL (SELECT p.seq, p.package FROM ledger.package p WHERE p.issuer = %L AND p.kind = k.kind ORDER BY p.seq DESC LIMIT 1) AS h', ecert.kinds(), node);
    said record;
BEGIN
    asked := 0;
    answered := 0;
    FOR said IN SELECT a.* FROM ecert.ask_peers(question) AS a LOOP
        asked := asked + 1;
        IF said.code IS NULL THEN
            PERFORM ecert.check_answer(said.peer, node, said.answer);
            answered := answered + 1;
        ELSE
            problems := concat_ws('; ', problems, format('%s%s', said.problem, ': ' || rtrim(said.reason, '.')));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.check_peers(text) IS 'internal: ask all peers at once how far the feeds of this node have got: how many were asked, how many have answered, why the others have not; EC098 when one shows that they go on elsewhere';

CREATE FUNCTION ecert.own_heads(node text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('kind', k.kind, 'seq', h.seq, 'hash', encode(h.hash, 'hex'))), '[]')
      FROM unnest(ecert.kinds()) AS k (kind)
     CROSS JOIN LATERAL (SELECT p.seq, p.hash FROM ledger.package p WHERE p.issuer = own_heads.node AND p.kind = k.kind ORDER BY p.seq DESC LIMIT 1) AS h
$$;
COMMENT ON FUNCTION ecert.own_heads(text) IS 'internal: where the feeds of a node end here: kind, seq and hash of each';

CREATE FUNCTION ecert.may_be_restored(mark ecert_internal.signer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT (i.before)[1:2] = (i.now)[1:2] AND (i.before)[3] <> (i.now)[3]
        OR EXISTS (SELECT FROM jsonb_to_recordset(mark.heads) AS h (kind text, seq bigint, hash text)
                    WHERE NOT EXISTS (SELECT FROM ledger.package p WHERE p.issuer = mark.node AND p.kind = h.kind AND p.seq = h.seq AND p.hash = decode(h.hash, 'hex')))
      FROM (SELECT string_to_array(mark.identity, ' ') AS before, string_to_array(ecert.moved_identity(), ' ') AS now) AS i
$$;
COMMENT ON FUNCTION ecert.may_be_restored(ecert_internal.signer) IS 'internal: whether packages that this server signed may be missing: its ledger was made again in its place, or has lost what it had when peers were asked';

CREATE FUNCTION ecert.check_own_head(node text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    genesis_hash bytea := ecert.genesis_hash();
    identity text := ecert.moved_identity();
    mark ecert_internal.signer := (SELECT s FROM ecert_internal.signer s WHERE s.node = node AND s.genesis_hash = genesis_hash);
    may_guess boolean := current_setting('ecert.sign_unconfirmed')::boolean;
    peers record;
BEGIN
    IF mark.server_started_at = pg_postmaster_start_time() AND mark.identity = identity THEN
        RETURN;
    END IF;
    peers := ecert.check_peers(node);
    IF peers.asked > 0 AND peers.answered = 0 AND NOT may_guess THEN
        RAISE EXCEPTION USING ERRCODE = 'EC099', MESSAGE = format('could not confirm feed heads of node "%s": no peer is reachable', node),
            DETAIL = peers.problems || '.',
            HINT = 'After each start a node asks a peer once before it signs. Wait until a peer is reachable; a superuser who knows that no package was lost sets ecert.sign_unconfirmed.';
    ELSIF peers.asked = 0 AND ecert.may_be_restored(mark) AND NOT may_guess THEN
        RAISE EXCEPTION USING ERRCODE = 'EC099', MESSAGE = format('could not confirm feed heads of node "%s": the ledger is not the one that it signed on, and there is no peer to ask', node),
            DETAIL = format('Since %s the tables in schema ledger were restored or made again, or have lost packages. A package signed now would contradict one that is missing.', mark.confirmed_at),
            HINT = 'Put back the packages that the node has signed since the backup, from whoever holds them. A superuser who knows that none is missing sets ecert.sign_unconfirmed and signs once.';
    END IF;
    INSERT INTO ecert_internal.signer (node, genesis_hash, server_started_at, identity, heads)
    SELECT node, genesis_hash, pg_postmaster_start_time(), identity, ecert.own_heads(node) WHERE identity IS NOT NULL
    ON CONFLICT ON CONSTRAINT signer_pkey DO UPDATE
       SET server_started_at = EXCLUDED.server_started_at, identity = EXCLUDED.identity, heads = EXCLUDED.heads, confirmed_at = clock_timestamp();
END
$$;
COMMENT ON FUNCTION ecert.check_own_head(text) IS 'internal: before this server signs as a node for the first time since it was started, or since the ledger was restored in its place, ask its peers how far that node''s feeds have got: EC098 when signed packages show that they go on elsewhere, as after a restore from an old backup; EC099 when no peer answers, or there is none and the ledger is not the one that was signed on. A server without peers that has just been started signs';
