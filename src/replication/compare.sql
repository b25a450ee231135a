-- Comparing with a peer: only inserts travel, so what was changed elsewhere shows when somebody looks.

CREATE FUNCTION ecert.range_digests(ranges jsonb, OUT issuer text, OUT kind text, OUT first_seq bigint, OUT last_seq bigint,
                                    OUT package_count bigint, OUT digest text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.issuer, r.kind, r.first_seq, r.last_seq, count(p.seq),
           encode(sha256(coalesce(string_agg(sha256(E'\\x00'::bytea || p.package::bytea), ''::bytea ORDER BY p.seq), '')), 'hex')
      FROM jsonb_to_recordset(ranges) AS r (issuer text, kind text, first_seq bigint, last_seq bigint)
      LEFT JOIN ledger.package p ON p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq
     GROUP BY r.issuer, r.kind, r.first_seq, r.last_seq
$$;
COMMENT ON FUNCTION ecert.range_digests(jsonb) IS 'how many packages there are in ranges of feeds [{issuer, kind, first_seq, last_seq}] and SHA-256 over their hashes, computed from their bytes: two servers that hold the same give the same';

CREATE FUNCTION ecert.proof_digest(OUT proof_count bigint, OUT digest text) RETURNS record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(*), encode(sha256(coalesce(string_agg(e.first_hash || e.second_hash, ''::bytea ORDER BY e.first_hash, e.second_hash), '')), 'hex') FROM ledger.equivocation e
$$;
COMMENT ON FUNCTION ecert.proof_digest() IS 'how many proofs of equivocation there are and SHA-256, hexadecimal, over the hashes of their packages: two servers that hold the same proofs give the same';

CREATE FUNCTION ecert.put_difference(at_peer text, in_issuer text, in_kind text, from_seq bigint, what text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO ledger.difference (peer, issuer, kind, first_seq, problem) VALUES (at_peer, in_issuer, in_kind, from_seq, what)
    ON CONFLICT ON CONSTRAINT difference_pkey DO UPDATE SET problem = EXCLUDED.problem, seen_at = clock_timestamp(), gone_at = NULL,
        found_at = CASE WHEN difference.gone_at IS NULL THEN difference.found_at ELSE clock_timestamp() END
$$;
COMMENT ON FUNCTION ecert.put_difference(text, text, text, bigint, text) IS 'internal: write down in ledger.difference what is different at a peer';

CREATE FUNCTION ecert.block_difference(connection text, in_issuer text, in_kind text, from_seq bigint, to_seq bigint) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%s packages differ there; the first, seq %s, %s', count(*), min(d.seq),
                  (array_agg(d.what ORDER BY d.seq))[1])
      FROM (SELECT o.seq, CASE WHEN t.hash IS NULL THEN 'is missing' ELSE 'has other bytes' END AS what
              FROM ledger.package o
              LEFT JOIN jsonb_to_recordset(ecert.ask(connection, format(
                   'SELECT p.seq, pg_catalog.encode(pg_catalog.sha256(pg_catalog.decode(''00'', ''hex'') || p.package::bytea), ''hex'') AS hash FROM ledger.package p
                     WHERE p.issuer = %L AND p.kind = %L AND p.seq BETWEEN %s AND %s', in_issuer, in_kind, from_seq, to_seq))) AS t (seq bigint, hash text) ON t.seq = o.seq
             WHERE o.issuer = in_issuer AND o.kind = in_kind AND o.seq BETWEEN from_seq AND to_seq
               AND t.hash IS DISTINCT FROM encode(o.hash, 'hex')) AS d
$$;
COMMENT ON FUNCTION ecert.block_difference(text, text, text, bigint, bigint) IS 'internal: in a range of a feed whose digest differs, how many packages differ and which is the first';

CREATE FUNCTION ecert.blocks_in_turn(start jsonb, package_count bigint, OUT issuer text, OUT kind text, OUT block bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    first ecert.row_place := (coalesce(start ->> 'issuer', ''), coalesce(start ->> 'kind', ''), coalesce((start ->> 'seq')::bigint, 0));
    place ecert.row_place := first;
    last_seq bigint;
    is_behind_end boolean := false;
    counted bigint := 0;
BEGIN
    WHILE counted < package_count LOOP
        SELECT p.issuer, p.kind, p.seq / 1000 INTO issuer, kind, block FROM ledger.package p
         WHERE (p.issuer, p.kind, p.seq) >= (place.issuer, place.kind, place.seq) ORDER BY p.issuer, p.kind, p.seq LIMIT 1;
        IF issuer IS NULL THEN
            EXIT WHEN is_behind_end;
            is_behind_end := true;
            place := ('', '', 0);
            CONTINUE;
        END IF;
        EXIT WHEN is_behind_end AND (issuer COLLATE "C", kind COLLATE "C", block * 1000) >= (first.issuer, first.kind, first.seq);
        RETURN NEXT;
        last_seq := (SELECT p.seq FROM ledger.package p WHERE p.issuer = issuer AND p.kind = kind ORDER BY p.seq DESC LIMIT 1);
        counted := counted + least(last_seq - block * 1000 + 1, 1000);
        place := (issuer, kind, (block + 1) * 1000);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.blocks_in_turn(jsonb, bigint) IS 'internal: blocks of 1000 packages of feeds from a place {issuer, kind, seq} on, round the end of the ledger, until they have that many packages or all have been named';

CREATE FUNCTION ecert.heads_there(connection text, feeds ecert.feed[], OUT issuer text, OUT kind text, OUT own_seq bigint, OUT last_seq bigint) RETURNS SETOF record
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT f.issuer, f.kind, o.seq, coalesce(t.last_seq, -1)
      FROM unnest(feeds) AS f
     CROSS JOIN LATERAL (SELECT p.seq FROM ledger.package p WHERE p.issuer = f.issuer AND p.kind = f.kind ORDER BY p.seq DESC LIMIT 1) AS o
      LEFT JOIN jsonb_to_recordset(CASE WHEN cardinality(feeds) > 0 THEN ecert.ask(connection, format(
           'SELECT f.issuer, f.kind, h.seq AS last_seq FROM pg_catalog.jsonb_to_recordset(%L) AS f (issuer text, kind text)
              CROSS JOIN LATERAL (SELECT p.seq FROM ledger.package p WHERE p.issuer = f.issuer AND p.kind = f.kind ORDER BY p.seq DESC LIMIT 1) AS h', to_jsonb(feeds))) END)
           AS t (issuer text, kind text, last_seq bigint) ON t.issuer = f.issuer AND t.kind = f.kind
$$;
COMMENT ON FUNCTION ecert.heads_there(text, ecert.feed[]) IS 'internal: where these feeds end here and at another server (-1: it has none of it)';

CREATE FUNCTION ecert.digests_there(connection text, ranges jsonb, OUT issuer text, OUT kind text, OUT first_seq bigint, OUT digest text) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- a question is of as many blocks as a peer has read well within ecert.peer_timeout
    part constant integer := 100;
BEGIN
    FOR start IN 0 .. jsonb_array_length(ranges) - 1 BY part LOOP
        RETURN QUERY
        SELECT t.issuer, t.kind, t.first_seq, t.digest
          FROM jsonb_to_recordset(ecert.ask(connection, format('SELECT r.issuer, r.kind, r.first_seq, r.digest FROM ecert.range_digests(%L) AS r',
                   (SELECT jsonb_agg(g.value) FROM jsonb_array_elements(ranges) WITH ORDINALITY AS g WHERE g.ordinality > start AND g.ordinality <= start + part))))
               AS t (issuer text, kind text, first_seq bigint, digest text);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.digests_there(text, jsonb) IS 'internal: the digests of ecert.range_digests() at another server, asked for in parts';

CREATE FUNCTION ecert.compare_with(peer text, whole boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
    link ledger.peer := (SELECT p FROM ledger.peer p WHERE p.peer = peer);
    connection text := ecert.peer_connection(peer);
    began timestamptz := clock_timestamp();
    mine text[] := ecert.issuers_below();
    moved ecert.feed[];
    in_turn jsonb := '[]';
    standing jsonb;
    there jsonb;
    heads jsonb;
    ranges jsonb;
    block record;
BEGIN
    IF connection IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = format('there is no peer "%s" to compare with', peer);
    END IF;
    there := ecert.ask(connection,
        'SELECT (SELECT count(*) FROM pg_catalog.pg_trigger t WHERE t.tgrelid = pg_catalog.to_regclass(''ledger.package'') AND t.tgenabled = ''A''
                    AND t.tgname IN (''ecert_admit'', ''ecert_refuse_row'', ''ecert_refuse_statement'')) AS triggers,
                pg_catalog.to_regclass(''ledger.package'') IS NOT NULL AS has_table, (SELECT d.digest FROM ecert.proof_digest() AS d) AS proofs') -> 0;
    PERFORM ecert.compare_proofs(peer, connection, there ->> 'proofs');
    IF NOT (there ->> 'has_table')::boolean THEN
        PERFORM ecert.put_difference(peer, '', '', -1, 'its table ledger.package is gone');
    ELSE
        IF (there ->> 'triggers')::integer < 3 THEN
            PERFORM ecert.put_difference(peer, '', '', -1, 'its ledger is open: triggers of ledger.package are missing or disabled');
        END IF;
        -- what has moved, what differed before, and a part of everything in turn
        moved := CASE WHEN whole THEN ARRAY(SELECT (f.issuer, f.kind)::ecert.feed FROM ecert.feeds() AS f) ELSE ecert.take_moved('compare ' || peer) END;
        SELECT coalesce(jsonb_agg(jsonb_build_object('issuer', d.issuer, 'kind', d.kind, 'block', d.first_seq / 1000)), '[]') INTO standing
          FROM ledger.difference d WHERE d.peer = peer AND d.gone_at IS NULL AND d.first_seq >= 0;
        IF NOT whole THEN
            SELECT coalesce(jsonb_agg(to_jsonb(b)), '[]') INTO in_turn FROM ecert.blocks_in_turn(link.compare_from, 10000) AS b;
        END IF;
        SELECT coalesce(jsonb_agg(to_jsonb(h)), '[]') INTO heads
          FROM ecert.heads_there(connection, ARRAY(
               SELECT (m.issuer, m.kind)::ecert.feed FROM unnest(moved) AS m
                UNION SELECT (b.issuer, b.kind)::ecert.feed FROM jsonb_to_recordset(standing || in_turn) AS b (issuer text, kind text))) AS h;
        -- what this node or one below it has signed may be on its way; everything else came from the hub or was seen there
        PERFORM ecert.put_difference(peer, h.issuer, h.kind, h.last_seq + 1,
                    format('%s packages are gone there, from seq %s on', h.own_seq - h.last_seq, h.last_seq + 1))
           FROM jsonb_to_recordset(heads) AS h (issuer text, kind text, own_seq bigint, last_seq bigint)
          WHERE link.is_hub AND h.last_seq < h.own_seq AND NOT h.issuer = ANY (mine);
        UPDATE ledger.peer p
           SET not_there = (SELECT coalesce(sum(h.own_seq - h.last_seq), 0)
                              FROM jsonb_to_recordset(heads) AS h (issuer text, kind text, own_seq bigint, last_seq bigint)
                             WHERE h.issuer = ANY (mine) AND h.last_seq < h.own_seq)
         WHERE p.peer = peer;
        -- until it is there it is looked for in each round
        IF NOT whole THEN
            PERFORM ecert.note_moved(ARRAY(SELECT (h.issuer, h.kind)::ecert.feed FROM jsonb_to_recordset(heads) AS h (issuer text, kind text, own_seq bigint, last_seq bigint)
                                            WHERE h.issuer = ANY (mine) AND h.last_seq < h.own_seq));
        END IF;
        -- in blocks of 1000: of what has moved the newest
        SELECT coalesce(jsonb_agg(jsonb_build_object('issuer', b.issuer, 'kind', b.kind, 'first_seq', b.block * 1000, 'last_seq', least(b.block * 1000 + 999, b.last_seq))), '[]')
          INTO ranges
          FROM (SELECT DISTINCT h.issuer, h.kind, least(h.own_seq, h.last_seq) AS last_seq, k.block
                  FROM jsonb_to_recordset(heads) AS h (issuer text, kind text, own_seq bigint, last_seq bigint)
                 CROSS JOIN LATERAL (
                       SELECT s.block FROM generate_series(0, least(h.own_seq, h.last_seq) / 1000) AS s (block) WHERE whole
                        UNION ALL SELECT least(h.own_seq, h.last_seq) / 1000
                        UNION ALL SELECT b.block FROM jsonb_to_recordset(standing || in_turn) AS b (issuer text, kind text, block bigint) WHERE b.issuer = h.issuer AND b.kind = h.kind) AS k (block)
                 WHERE k.block * 1000 <= least(h.own_seq, h.last_seq)) AS b;
        FOR block IN
            SELECT o.issuer, o.kind, o.first_seq, o.last_seq, t.digest IS DISTINCT FROM o.digest AS differs
              FROM ecert.range_digests(ranges) AS o
              LEFT JOIN ecert.digests_there(connection, ranges) AS t
                ON t.issuer = o.issuer AND t.kind = o.kind AND t.first_seq = o.first_seq
        LOOP
            IF block.differs THEN
                PERFORM ecert.put_difference(peer, block.issuer, block.kind, block.first_seq,
                            ecert.block_difference(connection, block.issuer, block.kind, block.first_seq, block.last_seq));
            ELSE
                UPDATE ledger.difference d SET gone_at = clock_timestamp()
                 WHERE d.peer = peer AND d.issuer = block.issuer AND d.kind = block.kind AND d.gone_at IS NULL AND d.seen_at < began
                   AND d.first_seq BETWEEN block.first_seq AND block.last_seq;
            END IF;
        END LOOP;
    END IF;
    UPDATE ledger.difference d SET gone_at = clock_timestamp() WHERE d.peer = peer AND d.kind = '' AND d.first_seq = -1 AND d.gone_at IS NULL AND d.seen_at < began;
    UPDATE ledger.peer p
       SET compared_at = clock_timestamp(),
           compare_from = coalesce((SELECT jsonb_build_object('issuer', b.value ->> 'issuer', 'kind', b.value ->> 'kind', 'seq', 1000 * ((b.value ->> 'block')::bigint + 1))
                                      FROM jsonb_array_elements(in_turn) WITH ORDINALITY AS b ORDER BY b.ordinality DESC LIMIT 1), p.compare_from)
     WHERE p.peer = peer;
    RETURN (SELECT count(*) FROM ledger.difference d WHERE d.peer = peer AND d.gone_at IS NULL);
END
$$;
COMMENT ON FUNCTION ecert.compare_with(text, boolean) IS 'compare what a peer holds with what is here, by digests over the bytes of blocks of 1000 packages: of each feed that has moved since the last time the newest block, the blocks that differed, and 10,000 packages of the whole ledger in turn (whole: all blocks of all feeds), whether packages are gone there, all proofs of equivocation, of which those that are not here are fetched, and whether its triggers are in force. Returns how many differences stand in ledger.difference. EC110';
