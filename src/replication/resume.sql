-- Catching up: what replication has lost is pulled, feed by feed, by comparing heads

-- What a peer says of its heads is believed as far as packages come: a feed of which nothing comes is left alone.

CREATE UNLOGGED TABLE ecert_internal.heard (
    peer text COLLATE "C" NOT NULL,
    ahead jsonb,
    code text COLLATE "C",
    problem text,
    reason text,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT heard_pkey PRIMARY KEY (peer)
);
COMMENT ON TABLE ecert_internal.heard IS 'what peers have answered when they were last asked where their feeds end; see ecert.hear()';
COMMENT ON COLUMN ecert_internal.heard.peer IS 'node id of the other server';
COMMENT ON COLUMN ecert_internal.heard.ahead IS 'feeds [{issuer, kind, last_seq}] that go on further there than they did here, by its word, the first 10,000; NULL: no answer';
COMMENT ON COLUMN ecert_internal.heard.code IS 'SQLSTATE for which there is no answer; NULL: there is one';
COMMENT ON COLUMN ecert_internal.heard.problem IS 'what is wrong then';
COMMENT ON COLUMN ecert_internal.heard.reason IS 'and why, as far as it is known';
COMMENT ON COLUMN ecert_internal.heard.heard_at IS 'when it was asked';

CREATE FUNCTION ecert.heads_ahead(answer jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(a)), '[]')
      FROM (SELECT t.issuer, t.kind, t.last_seq
              FROM jsonb_to_recordset(answer) AS t (issuer text, kind text, last_seq bigint)
              LEFT JOIN ecert.feeds() AS o ON o.issuer = t.issuer AND o.kind = t.kind
             WHERE t.last_seq > coalesce(o.last_seq, -1) AND t.kind = ANY (ecert.kinds()) AND ecert.holds(t.kind, t.issuer)
             -- what others rest on comes first
             ORDER BY array_position(ecert.kinds(), t.kind), t.issuer
             LIMIT 10000) AS a
$$;
COMMENT ON FUNCTION ecert.heads_ahead(jsonb) IS 'internal: of heads [{issuer, kind, last_seq}] those of feeds that this node holds and that do not go as far here; the first 10,000';

CREATE FUNCTION ecert.note_heard(peer text, answer text, code text, problem text, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    ahead jsonb;
BEGIN
    BEGIN
        ahead := ecert.heads_ahead(answer::jsonb);
    EXCEPTION WHEN OTHERS THEN
        code := 'EC113';
        problem := format('the answer of peer "%s" cannot be read', peer);
        reason := SQLERRM;
    END;
    DELETE FROM ecert_internal.heard h WHERE h.peer = peer;
    INSERT INTO ecert_internal.heard (peer, ahead, code, problem, reason) VALUES (peer, ahead, code, problem, reason);
END
$$;
COMMENT ON FUNCTION ecert.note_heard(text, text, text, text, text) IS 'internal: keep what a peer has answered in ecert_internal.heard';

CREATE FUNCTION ecert.hear(peer text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    DELETE FROM ecert_internal.heard h WHERE peer IS NULL OR h.peer = peer;
    PERFORM ecert.note_heard(a.peer, a.answer, a.code, a.problem, a.reason)
       FROM ecert.ask_peers('SELECT f.issuer, f.kind, f.last_seq FROM ecert.feeds() AS f', peer) AS a;
    RETURN (SELECT count(*) FROM ecert_internal.heard h WHERE h.code IS NULL AND (peer IS NULL OR h.peer = peer));
END
$$;
COMMENT ON FUNCTION ecert.hear(text) IS 'internal: ask a peer (NULL: all, at once) where its feeds end, and keep the answers in ecert_internal.heard; how many have answered';

CREATE FUNCTION ecert.check_heard(peer text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    heard ecert_internal.heard := (SELECT h FROM ecert_internal.heard h WHERE h.peer = check_heard.peer);
BEGIN
    IF heard.code IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = heard.code, MESSAGE = heard.problem, DETAIL = coalesce(heard.reason, '');
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_heard(text) IS 'internal: raises what the peer could not be asked for when it was last asked';

CREATE FUNCTION ecert.behind(peer text, OUT issuer text, OUT kind text, OUT own_seq bigint, OUT last_seq bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.issuer, t.kind, coalesce(o.seq, -1), t.last_seq
      FROM ecert_internal.heard h
     CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(h.ahead) AS (issuer text, kind text, last_seq bigint)) WITH ORDINALITY AS t (issuer, kind, last_seq, place)
      LEFT JOIN LATERAL (SELECT p.seq FROM ledger.package p WHERE p.issuer = t.issuer AND p.kind = t.kind ORDER BY p.seq DESC LIMIT 1) AS o ON true
     WHERE h.peer = behind.peer AND t.last_seq > coalesce(o.seq, -1)
     ORDER BY t.place
$$;
COMMENT ON FUNCTION ecert.behind(text) IS 'internal: the feeds that this node holds and that go on further at a peer, as it said last (ecert.hear()): seq reached here (-1: none) and there; the first 10,000';

CREATE FUNCTION ecert.pull_block(connection text, peer text, feeds jsonb, OUT feed_count bigint, OUT package_count bigint, OUT admitted bigint) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    pulled record;
    byte_count bigint := 0;
    reached integer := 0;
BEGIN
    package_count := 0;
    admitted := 0;
    FOR pulled IN SELECT t.place, decode(substr(t.package, 3), 'hex') AS bytes
                    FROM jsonb_to_recordset(ecert.ask(connection, format(
                         -- at most 1000 packages, and of 4 MB as many as begin there, without sorting those that do not fit
                         'SELECT b.place, b.package::text AS package
                            FROM (SELECT l.place, l.package, sum(octet_length(l.package::bytea)) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - octet_length(l.package::bytea) AS byte_count
                                    FROM (SELECT f.place, p.package FROM pg_catalog.jsonb_to_recordset(%L) AS f (place integer, issuer text, kind text, own_seq bigint, last_seq bigint)
                                           CROSS JOIN LATERAL (SELECT p.package, p.seq FROM ledger.package p WHERE p.issuer = f.issuer AND p.kind = f.kind AND p.seq > f.own_seq
                                                                ORDER BY p.seq LIMIT 1000) AS p LIMIT 1000) AS l) AS b
                           WHERE b.byte_count < 4000000', feeds))) AS t (place integer, package text) LOOP
        admitted := admitted + (ecert.admit_from_peer(pulled.bytes, peer) = 'admitted')::integer;
        package_count := package_count + 1;
        byte_count := byte_count + length(pulled.bytes);
        reached := greatest(reached, pulled.place);
    END LOOP;
    -- the block may have ended before the feeds behind the last that it has something of
    feed_count := CASE WHEN package_count >= 1000 OR byte_count >= 4000000 THEN least(reached, jsonb_array_length(feeds)) ELSE jsonb_array_length(feeds) END;
END
$$;
COMMENT ON FUNCTION ecert.pull_block(text, text, jsonb) IS 'internal: ask a peer for a block of packages of feeds [{place, issuer, kind, own_seq}] (place: 1, 2 ...) behind what is here, and admit them as from a peer: of how many feeds, from the first on, the block has all that it could have, how many packages came, and how many were admitted';

CREATE FUNCTION ecert.pull(peer text, feeds jsonb, until timestamptz DEFAULT 'infinity') RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    connection text := ecert.peer_connection(peer);
    left_over jsonb := feeds;
    asked jsonb;
    block record;
    admitted bigint := 0;
    silent bigint := 0;
    claim text;
BEGIN
    WHILE jsonb_array_length(left_over) > 0 AND clock_timestamp() < until LOOP
        SELECT jsonb_agg(f.value || jsonb_build_object('place', f.ordinality) ORDER BY f.ordinality) INTO asked
          FROM jsonb_array_elements(left_over) WITH ORDINALITY AS f WHERE f.ordinality <= 100;
        SELECT b.* INTO block FROM ecert.pull_block(connection, peer, asked) AS b;
        admitted := admitted + block.admitted;
        WITH done AS (
            SELECT a.place, a.issuer, a.kind, a.own_seq, a.last_seq,
                   coalesce((SELECT p.seq FROM ledger.package p WHERE p.issuer = a.issuer AND p.kind = a.kind ORDER BY p.seq DESC LIMIT 1), -1) AS now_seq
              FROM jsonb_to_recordset(asked) AS a (place bigint, issuer text, kind text, own_seq bigint, last_seq bigint)
             WHERE a.place <= greatest(block.feed_count, 1)),
        -- a feed that brings nothing that it can be continued with is left for the next round
        further AS (SELECT d.place, jsonb_build_object('issuer', d.issuer, 'kind', d.kind, 'own_seq', d.now_seq, 'last_seq', d.last_seq) AS feed
                      FROM done d WHERE d.now_seq > d.own_seq AND d.now_seq < d.last_seq)
        SELECT (SELECT coalesce(jsonb_agg(u.feed ORDER BY u.place), '[]') FROM (
                    SELECT f.place, f.feed FROM further f
                    UNION ALL SELECT f.ordinality, f.value FROM jsonb_array_elements(left_over) WITH ORDINALITY AS f WHERE f.ordinality > greatest(block.feed_count, 1)) AS u),
               silent + count(*) FILTER (WHERE d.now_seq = d.own_seq),
               coalesce(claim, min(format('feed "%s" of "%s" has seq %s', d.kind, d.issuer, d.last_seq)) FILTER (WHERE d.now_seq = d.own_seq))
          INTO left_over, silent, claim FROM done d;
    END LOOP;
    PERFORM ecert.note_claim(peer, 'feeds', CASE WHEN silent > 0 THEN format('%s, and sends nothing that goes on from here%s', claim, CASE WHEN silent > 1 THEN format('; and so of %s more feeds', silent - 1) ELSE '' END) END);
    RETURN admitted;
END
$$;
COMMENT ON FUNCTION ecert.pull(text, jsonb, timestamptz) IS 'internal: pull feeds [{issuer, kind, own_seq, last_seq}] from a peer, block by block, until they have got to last_seq, bring nothing more, or it is that late; how many packages were admitted. Of what a peer said and did not send is a note in ecert_internal.unproved';

CREATE FUNCTION ecert.proofs_at(connection text, behind text, OUT proof text) RETURNS SETOF text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a ->> 'proof' FROM jsonb_array_elements(ecert.ask(connection, format(
           'SELECT pg_catalog.encode(e.first_hash || e.second_hash, ''hex'') AS proof FROM ledger.equivocation e
             WHERE (e.first_hash, e.second_hash) > (pg_catalog.decode(%L, ''hex''), pg_catalog.decode(%L, ''hex'')) ORDER BY e.first_hash, e.second_hash LIMIT 1000',
           left(behind, 64), substr(behind, 65)))) AS a
$$;
COMMENT ON FUNCTION ecert.proofs_at(text, text) IS 'internal: the next 1000 proofs of equivocation that another server holds, by the hexadecimal hashes of their packages, behind one of them (empty: from the first on)';

CREATE FUNCTION ecert.pull_proofs(connection text, missing text[], until timestamptz, OUT pulled bigint, OUT refused bigint) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    proof record;
BEGIN
    pulled := 0;
    refused := 0;
    -- a proof has up to 128 kB
    FOR place IN 1..cardinality(missing) BY 20 LOOP
        EXIT WHEN clock_timestamp() > until;
        FOR proof IN SELECT a.one, a.other FROM jsonb_to_recordset(ecert.ask(connection, format(
                'SELECT pg_catalog.encode(e.first_package, ''hex'') AS one, pg_catalog.encode(e.second_package, ''hex'') AS other FROM ledger.equivocation e
                  JOIN pg_catalog.unnest(%L::pg_catalog.text[]) AS m (proof)
                    ON e.first_hash = pg_catalog.decode(pg_catalog.left(m.proof, 64), ''hex'') AND e.second_hash = pg_catalog.decode(pg_catalog.substr(m.proof, 65), ''hex'')',
                missing[place:place + 19]))) AS a (one text, other text) LOOP
            IF (CASE WHEN proof.one ~ '^([0-9a-f]{2})+$' AND proof.other ~ '^([0-9a-f]{2})+$' THEN ecert.is_equivocation(decode(proof.one, 'hex'), decode(proof.other, 'hex')) END) THEN
                INSERT INTO ledger.equivocation (first_package, second_package) VALUES (decode(proof.one, 'hex'), decode(proof.other, 'hex'));
                pulled := pulled + FOUND::integer;
            ELSE
                refused := refused + 1;
            END IF;
        END LOOP;
        -- it may have no end of them
        EXIT WHEN refused > 100;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.pull_proofs(text, text[], timestamptz) IS 'internal: fetch proofs of equivocation, named by the hexadecimal hashes of their packages, from another server, until it is that late, and keep those that are proofs here too; returns how many are kept and how many are none';

CREATE FUNCTION ecert.compare_proofs(peer text, connection text, digest_there text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    began timestamptz := clock_timestamp();
    until timestamptz := CASE WHEN digest_there IS NULL THEN 'infinity' ELSE began + current_setting('ecert.peer_timeout')::interval END;
    there text[] := '{}';
    page text[];
    is_whole boolean := false;
    pulled bigint := 0;
    refused bigint := 0;
    gone bigint := 0;
BEGIN
    IF digest_there IS DISTINCT FROM (SELECT d.digest FROM ecert.proof_digest() AS d) THEN
        FOR page_number IN 1..100 LOOP
            page := ARRAY(SELECT p.proof FROM ecert.proofs_at(connection, coalesce(there[cardinality(there)], '')) AS p
                           WHERE p.proof ~ '^[0-9a-f]{128}$' AND p.proof COLLATE "C" > coalesce(there[cardinality(there)], '') ORDER BY p.proof COLLATE "C");
            is_whole := cardinality(page) = 0;
            EXIT WHEN is_whole OR clock_timestamp() > until;
            there := there || page;
        END LOOP;
        SELECT p.pulled, p.refused INTO pulled, refused
          FROM ecert.pull_proofs(connection, ARRAY(SELECT m.proof FROM unnest(there) AS m (proof)
                 WHERE NOT EXISTS (SELECT FROM ledger.equivocation e WHERE e.first_hash = decode(left(m.proof, 64), 'hex') AND e.second_hash = decode(substr(m.proof, 65), 'hex'))), until) AS p;
        -- what was found here since the last comparison may be on its way
        SELECT count(*) INTO gone FROM ledger.equivocation e JOIN ledger.peer p ON p.peer = peer AND p.is_hub AND e.found_at < p.compared_at
         WHERE is_whole AND encode(e.first_hash || e.second_hash, 'hex') <> ALL (there);
        IF refused + gone > 0 THEN
            PERFORM ecert.put_difference(peer, '', 'equivocation', -1, concat_ws(', ',
                        CASE WHEN refused > 0 THEN format('%s of its proofs of equivocation prove nothing here', refused) END,
                        CASE WHEN gone > 0 THEN format('%s proofs of equivocation are gone there', gone) END));
        END IF;
    END IF;
    UPDATE ledger.difference d SET gone_at = clock_timestamp() WHERE d.peer = peer AND d.kind = 'equivocation' AND d.first_seq = -1 AND d.gone_at IS NULL AND d.seen_at < began;
    RETURN pulled;
END
$$;
COMMENT ON FUNCTION ecert.compare_proofs(text, text, text) IS 'internal: fetch the proofs of equivocation that a peer holds and this node does not, unless its digest of all says that there are none, within ecert.peer_timeout where that is given, and write down in ledger.difference those that prove nothing here, and at a hub those that it has lost; returns how many were fetched';

CREATE FUNCTION ecert.catch_up(peer text DEFAULT NULL, only_behind jsonb DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link record;
    admitted bigint := 0;
BEGIN
    IF only_behind IS NULL AND ecert.hear(peer) > 0 AND peer IS NULL THEN
        -- some answer: they are not kept waiting
        FOR link IN SELECT h.problem, h.reason FROM ecert_internal.heard h WHERE h.code IS NOT NULL ORDER BY h.peer LOOP
            RAISE WARNING USING MESSAGE = link.problem, DETAIL = coalesce(link.reason, '');
        END LOOP;
    ELSE
        PERFORM ecert.check_heard(h.peer) FROM ecert_internal.heard h WHERE peer IS NULL OR h.peer = peer;
    END IF;
    FOR link IN SELECT p.peer FROM ledger.peer p JOIN ecert_internal.heard h ON h.peer = p.peer AND h.code IS NULL
                 WHERE (peer IS NULL OR p.peer = peer) AND p.subscription IS NOT NULL ORDER BY p.is_hub DESC, p.peer LOOP
        admitted := admitted + ecert.pull(link.peer,
            (SELECT coalesce(jsonb_agg(to_jsonb(b)), '[]') FROM ecert.behind(link.peer) AS b
              WHERE only_behind IS NULL OR EXISTS (SELECT FROM jsonb_to_recordset(only_behind) AS o (issuer text, kind text, last_seq bigint)
                                                   WHERE o.issuer = b.issuer AND o.kind = b.kind AND o.last_seq > b.own_seq)),
            CASE WHEN only_behind IS NULL THEN 'infinity' ELSE clock_timestamp() + current_setting('ecert.peer_timeout')::interval END);
        IF only_behind IS NULL THEN
            PERFORM ecert.compare_proofs(link.peer, ecert.peer_connection(link.peer));
        END IF;
    END LOOP;
    RETURN admitted;
END
$$;
COMMENT ON FUNCTION ecert.catch_up(text, jsonb) IS 'pull from a peer (NULL: from all) what it holds beyond the ends of the feeds here, and admit it as from a peer, and the proofs of equivocation that are not here; returns how many packages were admitted. Replication does this by itself; it is for what a lost slot, a restored backup or a promoted standby has left out. only_behind: of these feeds [{issuer, kind, last_seq}] alone, when they have not got there yet, as the peer said when it was asked last, and no longer than ecert.peer_timeout. EC113 and the like when a peer does not answer';

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
        -- duties call this, and other peers are not kept waiting
        PERFORM ecert.make_slot(link.connection, link.subscription, 0);
    END LOOP;
    LOCK TABLE ledger.peer IN SHARE ROW EXCLUSIVE MODE;
    FOR link IN SELECT p.subscription, p.is_hub, p.publication, coalesce(connection, ecert.peer_connection(p.peer)) AS connection FROM ledger.peer p
                 WHERE (peer IS NULL OR p.peer = peer) AND p.subscription IS NOT NULL LOOP
        PERFORM ecert.unsubscribe(link.subscription);
        PERFORM ecert.subscribe(link.subscription, link.connection, CASE WHEN link.is_hub THEN link.publication ELSE 'ecert_up' END, false);
    END LOOP;
    RETURN ecert.catch_up(peer);
END
$$;
COMMENT ON FUNCTION ecert.resume(text, text) IS 'after a restore, a promotion or a move of this server or of a peer: begin replication with the peer (NULL: all) anew and pull what is missing here, this node''s own packages included, so that its feeds go on where they had got to; connection is the peer''s new connection string, when it has one. Returns how many packages came. To be called on both sides of a link. EC016, EC110';
