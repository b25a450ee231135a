-- Stories: of two packages with one seq a node holds the first that comes, and the ledger has the one that a checkpoint
-- covers. Heads do not name hashes: which story a checkpoint covers, its root tells.

CREATE FUNCTION ecert.other_stories(of_checkpoint bigint, OUT issuer text, OUT kind text, OUT seq bigint, OUT hash bytea) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT q.issuer, q.kind, q.seq, q.hash
      FROM ledger.leaf_range r
      JOIN ledger.quarantine q ON q.issuer = r.issuer AND q.kind = r.kind AND q.seq BETWEEN r.first_seq AND r.last_seq AND q.sqlstate IN ('EC021', 'EC022')
      JOIN ledger.package p ON p.issuer = q.issuer AND p.kind = q.kind AND p.seq = q.seq
     -- without a checkpoint of another story this one would not be here
     WHERE r.checkpoint_seq = of_checkpoint AND r.kind <> 'checkpoint' AND ecert.prev(q.bytes::ecert.package) = ecert.prev(p.package)
       -- all of it is here, as far as can be told
       AND (q.seq = r.last_seq
            OR EXISTS (SELECT FROM ledger.quarantine e WHERE e.issuer = r.issuer AND e.kind = r.kind AND e.seq = r.last_seq)
            OR EXISTS (SELECT FROM ledger.pending e WHERE e.issuer = r.issuer AND e.kind = r.kind AND e.seq = r.last_seq))
     ORDER BY q.issuer COLLATE "C", q.kind COLLATE "C", q.seq, q.hash
$$;
COMMENT ON FUNCTION ecert.other_stories(bigint) IS 'internal: the packages in ledger.quarantine that could be what a checkpoint covers, in the place of those that this node holds: of the same seq, behind the same package';

CREATE FUNCTION ecert.held_of(of_checkpoint bigint) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT sha256(string_agg(w.hash, '' ORDER BY w.hash))
      FROM ledger.leaf_range r
     CROSS JOIN LATERAL ((SELECT p.hash FROM ledger.package p WHERE p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq ORDER BY p.seq DESC LIMIT 1)
                          UNION ALL
                         SELECT q.hash FROM ledger.quarantine q WHERE q.issuer = r.issuer AND q.kind = r.kind AND q.seq BETWEEN r.first_seq AND r.last_seq
                          UNION ALL
                         SELECT w.hash FROM ledger.pending w WHERE w.issuer = r.issuer AND w.kind = r.kind AND w.seq BETWEEN r.first_seq AND r.last_seq) AS w
     WHERE r.checkpoint_seq = of_checkpoint
$$;
COMMENT ON FUNCTION ecert.held_of(bigint) IS 'internal: a digest of what this node has of the feeds that a checkpoint covers: where they end, what is refused and what waits; NULL when it has nothing';

CREATE FUNCTION ecert.agrees_with(checkpoint_seq bigint, body jsonb) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    SELECT t.* INTO made FROM ecert.take_up(checkpoint_seq, body) AS t;
    IF made.fault IS NOT NULL OR made.root IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'transaction_rollback';
    END IF;
    RETURN true;
EXCEPTION WHEN transaction_rollback THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION ecert.agrees_with(bigint, jsonb) IS 'internal: ecert.take_up(), undone unless the checkpoint agrees with what this node holds; whether it does';

CREATE FUNCTION ecert.find_story(checkpoint_seq bigint, body jsonb, behind text, INOUT tries integer, OUT is_found boolean) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    story record;
    place text;
BEGIN
    is_found := ecert.agrees_with(checkpoint_seq, body);
    FOR story IN SELECT o.* FROM ecert.other_stories(checkpoint_seq) AS o LOOP
        EXIT WHEN is_found OR tries <= 0;
        -- in the order of places, so that of several feeds each choice is tried once
        place := format('%s %s %s', story.issuer, story.kind, lpad(story.seq::text, 19, '0'));
        CONTINUE WHEN place COLLATE "C" <= behind;
        tries := tries - 1;
        BEGIN
            PERFORM ecert.exchange(story.hash);
            SELECT f.tries, f.is_found INTO tries, is_found FROM ecert.find_story(checkpoint_seq, body, place, tries) AS f;
            IF NOT is_found THEN
                RAISE EXCEPTION USING ERRCODE = 'transaction_rollback';
            END IF;
        EXCEPTION WHEN transaction_rollback THEN
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.find_story(bigint, jsonb, text, integer) IS 'internal: whether the checkpoint agrees with what this node holds, or with other stories of feeds behind a place, which then are exchanged; tries: how many may still be looked at';

CREATE FUNCTION ecert.take_up_story(checkpoint_seq bigint, body jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    -- six feeds with two stories each
    most_tries CONSTANT integer := 64;
BEGIN
    IF NOT ecert.holds_all() OR NOT EXISTS (SELECT FROM ecert.other_stories(checkpoint_seq))
       OR NOT (SELECT f.is_found FROM ecert.find_story(checkpoint_seq, body, '', most_tries) AS f) THEN
        PERFORM ecert.take_up(checkpoint_seq, body);
        UPDATE ledger.sealing s SET held = ecert.held_of(checkpoint_seq) WHERE s.checkpoint_seq = take_up_story.checkpoint_seq AND s.outcome = 'differs';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.take_up_story(bigint, jsonb) IS 'internal: ecert.take_up(); where the checkpoint covers packages that were refused because others have their seq, these are exchanged, at most 64 choices of them being tried';

CREATE FUNCTION ecert.look_again() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    differing bigint;
    held bytea;
BEGIN
    SELECT s.checkpoint_seq, s.held INTO differing, held FROM ledger.sealing s WHERE s.outcome = 'differs' ORDER BY s.checkpoint_seq LIMIT 1;
    IF NOT FOUND OR ecert.held_of(differing) IS NOT DISTINCT FROM held THEN
        RETURN;
    END IF;
    DELETE FROM ledger.sealing s WHERE s.checkpoint_seq >= differing;
    -- what they cover was judged as of another story, or a part of it
    INSERT INTO ledger.finding (issuer, kind, seq)
    SELECT p.issuer, p.kind, p.seq FROM ledger.leaf_range r JOIN ledger.package p ON p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq
     WHERE r.checkpoint_seq >= differing AND r.kind NOT IN ('energy', 'product')
    ON CONFLICT ON CONSTRAINT finding_pkey DO NOTHING;
    UPDATE ledger.finding f SET problem = NULL WHERE f.problem IS NOT NULL AND ecert.sealed_by(f.issuer, f.kind, f.seq) >= differing;
END
$$;
COMMENT ON FUNCTION ecert.look_again() IS 'internal: the first checkpoint that differs, and those behind it, are taken up again when packages have come since that it may cover';
