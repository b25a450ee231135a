-- Which feeds have moved: for sealing, duties and comparison, which would otherwise look at every feed each time.
--
-- Each transaction that admits packages leaves a row for each feed (moved.c). Whoever wants to know what has moved, a keeper,
-- keeps the snapshot with which it last looked, and is told the feeds whose rows that snapshot did not show: what was committed
-- since, in whatever order, however long a transaction was open. Who has no snapshot to rely on is told every feed.
--
-- Both tables are unlogged: a row costs no WAL, and after a crash, in a base backup or at a promoted standby both are empty,
-- so that everything has moved. They belong to the extension: a dump leaves them out.

CREATE SCHEMA ecert_internal;
COMMENT ON SCHEMA ecert_internal IS 'run-time state of this server, which no dump has; see ecert.moved()';

CREATE UNLOGGED TABLE ecert_internal.moved (
    moved_by xid8 NOT NULL,
    issuer text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL
) USING heap;
COMMENT ON TABLE ecert_internal.moved IS 'which transactions moved which feeds: one row for each transaction and feed, written with its first package; deleted when every keeper has seen it';
COMMENT ON COLUMN ecert_internal.moved.moved_by IS 'the transaction';
COMMENT ON COLUMN ecert_internal.moved.issuer IS 'issuer of the feed';
COMMENT ON COLUMN ecert_internal.moved.kind IS 'kind of the feed';
-- what a snapshot did not show is found without reading what it did, also while a long transaction keeps dead rows from being vacuumed
CREATE INDEX moved_by ON ecert_internal.moved (moved_by) WITH (deduplicate_items = off);

CREATE UNLOGGED TABLE ecert_internal.keeper (
    keeper text COLLATE "C" NOT NULL,
    snapshot pg_snapshot NOT NULL,
    taken_by xid8 NOT NULL,
    identity text COLLATE "C" NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT keeper_pkey PRIMARY KEY (keeper)
);
COMMENT ON TABLE ecert_internal.keeper IS 'up to where those who look for what has moved have looked; who has no row is told every feed';
COMMENT ON COLUMN ecert_internal.keeper.keeper IS 'sealing, or compare and a peer; forgotten: its snapshot shows the rows of ecert_internal.moved that have been deleted';
COMMENT ON COLUMN ecert_internal.keeper.snapshot IS 'snapshot with which it last looked';
COMMENT ON COLUMN ecert_internal.keeper.taken_by IS 'transaction that looked: the snapshot shows what it did itself, also what it did later';
COMMENT ON COLUMN ecert_internal.keeper.identity IS 'ecert.moved_identity() at that time; where that is another one now the snapshot means nothing';
COMMENT ON COLUMN ecert_internal.keeper.kept_at IS 'when it last looked';

CREATE TYPE ecert.feed AS (issuer text COLLATE "C", kind text COLLATE "C");
COMMENT ON TYPE ecert.feed IS 'internal: a feed';

CREATE FUNCTION ecert.moved_identity() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%s %s %s %s', s.system_identifier, d.oid, t.oid, t.xmin)
      FROM pg_control_system() AS s
      JOIN pg_database d ON d.datname = current_database()
      JOIN pg_trigger t ON t.tgrelid = to_regclass('ledger.package') AND t.tgname = 'ecert_admit' AND t.tgenabled = 'A' AND t.tgfoid = 'ecert.admit()'::regprocedure
$$;
COMMENT ON FUNCTION ecert.moved_identity() IS 'internal: of what the rows of ecert_internal.moved tell: this system, database and ledger, whose trigger ecert_admit has been in force since; NULL when it is not';

CREATE FUNCTION ecert.moved(keeper text, OUT issuer text, OUT kind text) RETURNS SETOF record
    -- the rows that the snapshot did not show and no others, whatever the planner believes of a table that nobody has analysed
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    kept ecert_internal.keeper;
BEGIN
    IF NOT pg_is_in_recovery() THEN
        SELECT k.* INTO kept FROM ecert_internal.keeper k WHERE k.keeper = moved.keeper AND k.identity = ecert.moved_identity();
    END IF;
    IF kept.snapshot IS NULL THEN
        RETURN QUERY SELECT f.issuer, f.kind FROM ecert.feeds() AS f;
    ELSE
        RETURN QUERY
        SELECT m.issuer, m.kind FROM ecert_internal.moved m WHERE m.moved_by >= pg_snapshot_xmax(kept.snapshot)
         UNION
        SELECT m.issuer, m.kind FROM ecert_internal.moved m WHERE m.moved_by = ANY (ARRAY(SELECT pg_snapshot_xip(kept.snapshot)))
         UNION
        SELECT m.issuer, m.kind FROM ecert_internal.moved m WHERE m.moved_by = kept.taken_by;
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.moved(text) IS 'internal: the feeds that have moved since a keeper last took them, as far as the calling statement sees them; every feed when it never did, after a crash, on a standby or another server';

CREATE TYPE ecert.look AS (keeper text, snapshot pg_snapshot, identity text, feeds ecert.feed[]);
COMMENT ON TYPE ecert.look IS 'internal: what a keeper has been told, and with which snapshot';

CREATE FUNCTION ecert.look_moved(keeper text) RETURNS ecert.look
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    valid text := ecert.moved_identity();
    look ecert.look;
BEGIN
    look.keeper := keeper;
    -- only READ COMMITTED sees what was committed before the rows could be deleted
    IF current_setting('transaction_isolation') = 'read committed'
       AND (EXISTS (SELECT FROM ecert_internal.keeper k WHERE k.keeper = look_moved.keeper AND k.identity = valid)
            -- a prepared transaction outlives a crash, its rows do not
            OR NOT EXISTS (SELECT FROM pg_prepared_xacts x WHERE x.database = current_database())) THEN
        look.identity := valid;
    END IF;
    -- ecert.forget_moved() does not know of a keeper that is not committed yet
    PERFORM ecert.take_lock('moved', true);
    look.snapshot := pg_current_snapshot();
    look.feeds := ARRAY(SELECT (m.issuer, m.kind)::ecert.feed FROM ecert.moved(look_moved.keeper) AS m);
    RETURN look;
END
$$;
COMMENT ON FUNCTION ecert.look_moved(text) IS 'internal: the feeds of ecert.moved(). What the next statement sees of them is all that had been committed, and perhaps more';

CREATE FUNCTION ecert.keep_moved(look ecert.look) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO ecert_internal.keeper (keeper, snapshot, taken_by, identity)
    SELECT look.keeper, look.snapshot, pg_current_xact_id(), look.identity WHERE look.identity IS NOT NULL AND cardinality(look.feeds) > 0
    ON CONFLICT ON CONSTRAINT keeper_pkey DO UPDATE SET snapshot = EXCLUDED.snapshot, taken_by = EXCLUDED.taken_by, identity = EXCLUDED.identity, kept_at = clock_timestamp()
$$;
COMMENT ON FUNCTION ecert.keep_moved(ecert.look) IS 'internal: the keeper is not told again what it was told by ecert.look_moved() in this transaction, unless this is rolled back or they move again';

CREATE FUNCTION ecert.take_moved(keeper text) RETURNS ecert.feed[]
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    look ecert.look := ecert.look_moved(keeper);
BEGIN
    PERFORM ecert.keep_moved(look);
    RETURN look.feeds;
END
$$;
COMMENT ON FUNCTION ecert.take_moved(text) IS 'internal: ecert.look_moved() and ecert.keep_moved()';

CREATE FUNCTION ecert.note_moved(feeds ecert.feed[]) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO ecert_internal.moved (moved_by, issuer, kind)
    SELECT pg_current_xact_id(), f.issuer, f.kind FROM unnest(feeds) AS f
$$;
COMMENT ON FUNCTION ecert.note_moved(ecert.feed[]) IS 'internal: tell every keeper of these feeds as if they had moved: a keeper that is not done with a feed that it has taken is told again';

CREATE FUNCTION ecert.forget_keeper(keeper text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ DELETE FROM ecert_internal.keeper k WHERE k.keeper = forget_keeper.keeper $$;
COMMENT ON FUNCTION ecert.forget_keeper(text) IS 'internal: a keeper is told every feed the next time';

CREATE FUNCTION ecert.forget_moved() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
    now pg_snapshot;
    gone xid8;
    below xid8;
    deleted bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' OR NOT ecert.try_lock('moved') THEN
        RETURN 0;
    END IF;
    now := pg_current_snapshot();
    -- whoever has not looked for so long is sooner told every feed than what has moved
    DELETE FROM ecert_internal.keeper k
     WHERE k.identity IS DISTINCT FROM ecert.moved_identity()
        OR k.keeper LIKE 'compare %' AND NOT EXISTS (SELECT FROM ledger.peer p WHERE k.keeper = 'compare ' || p.peer)
        OR k.keeper <> 'forgotten'
           AND (SELECT count(*) FROM (SELECT FROM ecert_internal.moved m WHERE m.moved_by >= pg_snapshot_xmax(k.snapshot) LIMIT 1000001) AS l) > 1000000;
    SELECT pg_snapshot_xmin(k.snapshot) INTO gone FROM ecert_internal.keeper k WHERE k.keeper = 'forgotten';
    -- transactions below the oldest that a keeper has not seen the end of have been seen by all
    SELECT pg_snapshot_xmin(k.snapshot) INTO below FROM ecert_internal.keeper k WHERE k.keeper <> 'forgotten' ORDER BY 1 LIMIT 1;
    below := coalesce(below, pg_snapshot_xmin(now));
    -- not over those deleted before, which nobody may have been able to vacuum
    DELETE FROM ecert_internal.moved m WHERE m.moved_by >= coalesce(gone, '0') AND m.moved_by < below;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    IF deleted > 0 THEN
        INSERT INTO ecert_internal.keeper AS k (keeper, snapshot, taken_by, identity)
        SELECT 'forgotten', format('%s:%1$s:', below)::pg_snapshot, pg_current_xact_id(), i.identity FROM ecert.moved_identity() AS i (identity) WHERE i.identity IS NOT NULL
        ON CONFLICT ON CONSTRAINT keeper_pkey DO UPDATE SET snapshot = EXCLUDED.snapshot, taken_by = EXCLUDED.taken_by, identity = EXCLUDED.identity, kept_at = clock_timestamp();
    END IF;
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION ecert.forget_moved() IS 'internal: delete the rows of ecert_internal.moved that every keeper has seen; returns how many. Does nothing while a keeper is looking';

-- Somebody else's change of the rows: who has not seen what is gone has to look at every feed
CREATE FUNCTION ecert.moved_changed() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM ecert_internal.keeper;
    ELSE
        DELETE FROM ecert_internal.keeper k
         WHERE EXISTS (SELECT FROM gone g WHERE NOT pg_visible_in_snapshot(g.moved_by, k.snapshot) OR g.moved_by = k.taken_by) AND k.keeper <> 'forgotten';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ecert.moved_changed() IS 'trigger of ecert_internal.moved: keepers that had not seen rows which were changed, deleted or truncated are forgotten';
CREATE TRIGGER changed_delete AFTER DELETE ON ecert_internal.moved REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ecert.moved_changed();
CREATE TRIGGER changed_update AFTER UPDATE ON ecert_internal.moved REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ecert.moved_changed();
CREATE TRIGGER changed_truncate AFTER TRUNCATE ON ecert_internal.moved FOR EACH STATEMENT EXECUTE FUNCTION ecert.moved_changed();
