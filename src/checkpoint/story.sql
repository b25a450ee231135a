-- Stories: of two packages with one seq a node holds the first that comes, and the ledger has the one that a checkpoint
-- covers. Heads do not name hashes: which story a checkpoint covers, its root tells.

-- what a crash empties, or another server fills, is tried again
CREATE UNLOGGED TABLE ecert_internal.tried_story (
    checkpoint_seq bigint NOT NULL,
    held bytea NOT NULL,
    CONSTRAINT tried_story_pkey PRIMARY KEY (checkpoint_seq, held)
) USING heap;
COMMENT ON TABLE ecert_internal.tried_story IS 'sealings for which this node need not look for other stories again';
COMMENT ON COLUMN ecert_internal.tried_story.checkpoint_seq IS 'seq of its last part in the certifier''s feed';
COMMENT ON COLUMN ecert_internal.tried_story.held IS 'digest of what this node had of the feeds that it covers, see ecert.held_of(), when it agreed with none of the stories: they are tried again when that is another; at a node that is not sent all feeds the hash of a package that a receipt has proved to be under it';

CREATE FUNCTION ecert.holds_heads(of_sealing bigint) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT EXISTS (SELECT FROM ledger.leaf_range r
                        WHERE r.checkpoint_seq = of_sealing AND NOT EXISTS (SELECT FROM ledger.package p WHERE p.issuer = r.issuer AND p.kind = r.kind AND p.seq = r.last_seq))
$$;
COMMENT ON FUNCTION ecert.holds_heads(bigint) IS 'internal: whether the packages that a sealing covers, by its last part, are on this ledger up to its heads';

CREATE FUNCTION ecert.other_stories(of_sealing bigint, OUT issuer text, OUT kind text, OUT seq bigint, OUT hash bytea) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT q.issuer, q.kind, q.seq, q.hash
      FROM ledger.leaf_range r
      JOIN ledger.quarantine q ON q.issuer = r.issuer AND q.kind = r.kind AND q.seq BETWEEN r.first_seq AND r.last_seq AND q.sqlstate IN ('EC021', 'EC022')
      JOIN ledger.package p ON p.issuer = q.issuer AND p.kind = q.kind AND p.seq = q.seq
     -- without a checkpoint of another story this one would not be here
     WHERE r.checkpoint_seq = of_sealing AND r.kind <> 'checkpoint' AND ecert.prev(q.bytes::ecert.package) = coalesce(
            (SELECT b.hash FROM ledger.package b WHERE b.issuer = q.issuer AND b.kind = q.kind AND b.seq = q.seq - 1), ecert.prev(p.package))
     ORDER BY q.issuer COLLATE "C", q.kind COLLATE "C", q.seq, q.hash
$$;
COMMENT ON FUNCTION ecert.other_stories(bigint) IS 'internal: the packages in ledger.quarantine that could be what a sealing covers, by its last part, in the place of those that this node holds: of the same seq, behind the same package';

CREATE FUNCTION ecert.held_of(of_sealing bigint) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN bool_and(w.reaches) THEN sha256(string_agg(w.hashes, '' ORDER BY r.first_index)) END
      FROM ledger.leaf_range r
     CROSS JOIN LATERAL (
        SELECT string_agg(h.where_it_is || h.hash, '' ORDER BY h.where_it_is, h.hash), coalesce(bool_or(h.seq = r.last_seq), false)
          FROM ((SELECT E'\\x00'::bytea, p.hash, p.seq FROM ledger.package p WHERE p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq ORDER BY p.seq DESC LIMIT 1)
                UNION ALL
                SELECT E'\\x01', q.hash, q.seq FROM ledger.quarantine q WHERE q.issuer = r.issuer AND q.kind = r.kind AND q.seq BETWEEN r.first_seq AND r.last_seq
                UNION ALL
                SELECT E'\\x02', w.hash, w.seq FROM ledger.pending w WHERE w.issuer = r.issuer AND w.kind = r.kind AND w.seq BETWEEN r.first_seq AND r.last_seq) AS h (where_it_is, hash, seq)) AS w (hashes, reaches)
     WHERE r.checkpoint_seq = of_sealing
$$;
COMMENT ON FUNCTION ecert.held_of(bigint) IS 'internal: a digest of what this node has of the feeds that a sealing covers, by its last part: where they end, what is refused and what waits; NULL when of one of them the last package that it covers has not come';

CREATE FUNCTION ecert.agrees_with(first_seq bigint, last_seq bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM ecert.take_up_parts(first_seq, last_seq);
    IF EXISTS (SELECT FROM ledger.sealing s WHERE s.checkpoint_seq BETWEEN first_seq AND last_seq AND s.outcome <> 'agrees') THEN
        RAISE EXCEPTION USING ERRCODE = 'transaction_rollback';
    END IF;
    RETURN true;
EXCEPTION WHEN transaction_rollback THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION ecert.agrees_with(bigint, bigint) IS 'internal: ecert.take_up_parts(), undone unless the parts agree with what this node holds; whether they do';

CREATE FUNCTION ecert.find_story(first_seq bigint, last_seq bigint, behind text, INOUT tries integer, OUT is_found boolean) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    story record;
    place text;
BEGIN
    is_found := ecert.agrees_with(first_seq, last_seq);
    FOR story IN SELECT o.* FROM ecert.other_stories(last_seq) AS o LOOP
        EXIT WHEN is_found OR tries <= 0;
        -- in the order of places, so that of several feeds each choice is tried once
        place := format('%s %s %s', story.issuer, story.kind, lpad(story.seq::text, 19, '0'));
        CONTINUE WHEN place COLLATE "C" <= behind;
        tries := tries - 1;
        BEGIN
            PERFORM ecert.exchange(story.hash, last_seq);
            SELECT f.tries, f.is_found INTO tries, is_found FROM ecert.find_story(first_seq, last_seq, place, tries) AS f;
            IF NOT is_found THEN
                RAISE EXCEPTION USING ERRCODE = 'transaction_rollback';
            END IF;
        EXCEPTION WHEN transaction_rollback THEN
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.find_story(bigint, bigint, text, integer) IS 'internal: whether a sealing of these parts agrees with what this node holds, or with other stories of feeds behind a place, which then are exchanged; tries: how many may still be looked at';

CREATE FUNCTION ecert.exchange_stories(first_seq bigint, last_seq bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    -- four feeds with two stories each
    most_tries CONSTANT integer := 16;
    held bytea;
BEGIN
    -- behind one that differs none can agree
    IF NOT ecert.holds_all() OR NOT EXISTS (SELECT FROM ecert.other_stories(last_seq))
       OR (SELECT s.outcome FROM ledger.sealing s WHERE s.checkpoint_seq < first_seq AND s.sealing_seq IS NOT NULL ORDER BY s.checkpoint_seq DESC LIMIT 1) <> 'agrees' THEN
        RETURN false;
    END IF;
    held := ecert.held_of(last_seq);
    IF held IS NULL OR EXISTS (SELECT FROM ecert_internal.tried_story t WHERE t.checkpoint_seq = last_seq AND t.held = held) THEN
        RETURN false;
    END IF;
    IF (SELECT f.is_found FROM ecert.find_story(first_seq, last_seq, '', most_tries) AS f) THEN
        -- checkpoints that had waited for the other story cover more
        PERFORM ecert.settle_covered(p.seq) FROM ledger.package p WHERE p.issuer = ecert.certifier() AND p.kind = 'checkpoint' AND p.seq > last_seq;
        RETURN true;
    END IF;
    DELETE FROM ecert_internal.tried_story t WHERE t.checkpoint_seq = last_seq;
    INSERT INTO ecert_internal.tried_story (checkpoint_seq, held) VALUES (last_seq, held);
    RETURN false;
END
$$;
COMMENT ON FUNCTION ecert.exchange_stories(bigint, bigint) IS 'internal: where a sealing of these parts covers packages that were refused because others have their seq, try up to 16 choices of them, and take it up with the one that agrees; whether there is one. Nothing is tried twice with the same packages, nor before all feeds are here up to their heads, be it in ledger.pending';

CREATE FUNCTION ecert.look_again() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    differing ledger.sealing;
BEGIN
    SELECT s.* INTO differing FROM ledger.sealing s WHERE s.outcome = 'differs' AND s.sealing_seq IS NOT NULL ORDER BY s.checkpoint_seq LIMIT 1;
    -- something was missing then that is here now; or there are other stories that were not tried
    IF NOT FOUND OR NOT (differing.root IS NULL AND ecert.holds_heads(differing.sealing_seq)
                         OR EXISTS (SELECT FROM ecert.other_stories(differing.sealing_seq))
                            AND ecert.held_of(differing.sealing_seq) IS NOT NULL
                            AND NOT EXISTS (SELECT FROM ecert_internal.tried_story t WHERE t.checkpoint_seq = differing.sealing_seq AND t.held = ecert.held_of(differing.sealing_seq))) THEN
        RETURN;
    END IF;
    -- what they cover is judged with them
    WITH undone AS (
        DELETE FROM ledger.sealing s WHERE s.checkpoint_seq >= (SELECT min(f.checkpoint_seq) FROM ledger.sealing f WHERE f.sealing_seq = differing.sealing_seq)
        RETURNING s.checkpoint_seq)
    DELETE FROM ledger.finding f USING undone u WHERE f.issuer = ecert.certifier() AND f.kind = 'checkpoint' AND f.seq = u.checkpoint_seq;
END
$$;
COMMENT ON FUNCTION ecert.look_again() IS 'internal: the first sealing that differs, and those behind it, are taken up again when packages have come since that it may cover';

-- A node that is not sent everything has no tree: it goes by receipts

CREATE FUNCTION ecert.is_under_checkpoint(hash bytea, receipt bytea) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM ecert.receipt_root(receipt, is_under_checkpoint.hash) AS r
                     JOIN ledger.sealing s ON s.size = r.size AND s.sealing_seq IS NOT NULL AND s.outcome <> 'differs'
                     JOIN ledger.package c ON c.issuer = ecert.certifier() AND c.kind = 'checkpoint' AND c.seq = s.checkpoint_seq
                    WHERE ecert.body(c.package) ->> 'root' = encode(r.root, 'hex'))
$$;
COMMENT ON FUNCTION ecert.is_under_checkpoint(bytea, bytea) IS 'internal: whether a receipt proves that the package with that hash is under a checkpoint that this node holds: it leads to the checkpoint''s own size and root, so it does not matter who gives it';

CREATE FUNCTION ecert.unproved_stories(OUT issuer text, OUT kind text, OUT seq bigint, OUT other bytea, OUT held bytea, OUT sealing_seq bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT o.issuer, o.kind, o.seq, o.hash, p.hash, r.checkpoint_seq
      FROM (SELECT DISTINCT l.checkpoint_seq FROM ledger.quarantine q
              JOIN ledger.leaf_range l ON l.issuer = q.issuer AND l.kind = q.kind AND q.seq BETWEEN l.first_seq AND l.last_seq
             WHERE q.sqlstate IN ('EC021', 'EC022') AND NOT ecert.holds_all()) AS r
     CROSS JOIN LATERAL ecert.other_stories(r.checkpoint_seq) AS o
      JOIN ledger.package p ON p.issuer = o.issuer AND p.kind = o.kind AND p.seq = o.seq
     WHERE NOT EXISTS (SELECT FROM ecert_internal.tried_story t WHERE t.checkpoint_seq = r.checkpoint_seq AND t.held = p.hash)
     ORDER BY r.checkpoint_seq, o.issuer COLLATE "C", o.kind COLLATE "C", o.seq, o.hash
$$;
COMMENT ON FUNCTION ecert.unproved_stories() IS 'internal: at a node that is not sent all feeds, the packages in ledger.quarantine that a sealing may cover in the place of those that this node holds, where no receipt has told which; none at other nodes';

CREATE FUNCTION ecert.settle_by_receipts(receipts jsonb) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    story record;
    exchanged bigint := 0;
BEGIN
    FOR story IN
        SELECT u.other, u.held, u.sealing_seq, ecert.is_under_checkpoint(u.other, decode(a.receipt, 'hex')) AS other_is_sealed, ecert.is_under_checkpoint(u.held, decode(b.receipt, 'hex')) AS held_is_sealed
          FROM ecert.unproved_stories() AS u
          LEFT JOIN jsonb_to_recordset(receipts) AS a (hash text, receipt text) ON a.hash = encode(u.other, 'hex')
          LEFT JOIN jsonb_to_recordset(receipts) AS b (hash text, receipt text) ON b.hash = encode(u.held, 'hex')
    LOOP
        IF story.held_is_sealed THEN
            INSERT INTO ecert_internal.tried_story (checkpoint_seq, held) VALUES (story.sealing_seq, story.held) ON CONFLICT DO NOTHING;
        ELSIF story.other_is_sealed AND EXISTS (SELECT FROM ledger.quarantine q WHERE q.hash = story.other) THEN
            PERFORM ecert.exchange(story.other, story.sealing_seq);
            exchanged := exchanged + 1;
        END IF;
    END LOOP;
    RETURN exchanged;
END
$$;
COMMENT ON FUNCTION ecert.settle_by_receipts(jsonb) IS 'internal: given receipts [{hash, receipt}], hexadecimal, put packages that a checkpoint of this ledger covers in the place of those with the same seq that this node holds; returns how many';
