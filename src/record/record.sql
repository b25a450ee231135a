-- The record: the table of all packages, and the rows by which writers of a feed exclude each other.

-- Locks between sessions, which nobody else can take

CREATE FUNCTION ecert.take_lock(name text, is_shared boolean DEFAULT false) RETURNS void
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'ecert_sql_take_lock';
COMMENT ON FUNCTION ecert.take_lock(text, boolean) IS 'internal: wait for a lock of that name and hold it, alone or shared, until the transaction ends. pg_locks shows it as advisory, objsubid 236; pg_advisory_lock() and its like cannot take it';

CREATE FUNCTION ecert.try_lock(name text, for_session boolean DEFAULT false) RETURNS boolean
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'ecert_sql_try_lock';
COMMENT ON FUNCTION ecert.try_lock(text, boolean) IS 'internal: take a lock as ecert.take_lock() does, if nobody else has it, until the transaction ends or, for_session, until ecert.release_lock() or the end of the session; false: somebody has it';

CREATE FUNCTION ecert.release_lock(name text) RETURNS void
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'ecert_sql_release_lock';
COMMENT ON FUNCTION ecert.release_lock(text) IS 'internal: give back the lock of this session of that name; a warning when it has none';

CREATE FUNCTION ecert.create_described(definition text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    head text[] := regexp_match(definition, E'^CREATE (?:OR REPLACE )?(TABLE|VIEW) (ledger\\.\\w+) [^\\n]*?  -- ([^\\n]*)', 'n');
    -- a table's column begins its line; a view's is named last in it, before a comma
    described text := CASE head[1] WHEN 'TABLE' THEN E'^ +(\\w+) [^\\n]*?  -- ([^\\n]*)$' ELSE E'^ [^\\n]*?(\\w+),?  -- ([^\\n]*)$' END;
    statement text;
BEGIN
    EXECUTE definition;
    EXECUTE format('COMMENT ON %s %s IS %L', head[1], head[2], head[3]);
    FOR statement IN SELECT format('COMMENT ON COLUMN %s.%I IS %L', head[2], m[1], m[2]) FROM regexp_matches(definition, described, 'gn') AS m LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.create_described(text) IS 'internal: runs a CREATE TABLE or CREATE VIEW; what stands behind -- in its first line becomes the comment on the table or view, in others that on the column of the line';

CREATE FUNCTION ecert.record_indexes(OUT of_table text, OUT name text, OUT definition text) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    VALUES
    -- equal hashes are equal packages, which the primary key refuses; a B-tree of hashes costs twice as much a package,
    -- and more the longer the ledger, since every entry goes to another page
    ('ledger.package', 'ledger.package_hash', 'CREATE INDEX package_hash ON ledger.package USING hash (hash)'),
    ('ledger.package', 'ledger.package_subject_kind_period', 'CREATE INDEX package_subject_kind_period ON ledger.package USING btree (subject, kind, lower(period)) WITH (deduplicate_items=off)'),
    ('ledger.package', 'ledger.package_genesis', 'CREATE UNIQUE INDEX package_genesis ON ledger.package USING btree (kind) WHERE (kind = ''genesis''::text)'),
    -- each further index is a piece of every single insert: these hold few packages, and the first two serve several kinds
    ('ledger.package', 'ledger.package_reference', 'CREATE INDEX package_reference ON ledger.package USING btree (ecert.reference(package)) WHERE (ecert.reference(package) IS NOT NULL)'),
    ('ledger.package', 'ledger.package_kind', 'CREATE INDEX package_kind ON ledger.package USING btree (kind, issuer, seq) WHERE (kind = ANY (ARRAY[''audit''::text, ''witness''::text]))'),
    -- which node has a key: one public key belongs to one node
    ('ledger.package', 'ledger.package_kids', 'CREATE INDEX package_kids ON ledger.package USING gin (ecert.kids(package)) WITH (fastupdate=off) WHERE (ecert.kids(package) IS NOT NULL)'),
    ('ledger.leaf_range', 'ledger.leaf_range_checkpoint', 'CREATE INDEX leaf_range_checkpoint ON ledger.leaf_range USING btree (checkpoint_seq, first_index)'),
    -- how far a feed is covered as of a checkpoint
    ('ledger.leaf_range', 'ledger.leaf_range_feed', 'CREATE UNIQUE INDEX leaf_range_feed ON ledger.leaf_range USING btree (issuer, kind, checkpoint_seq)')
$$;
COMMENT ON FUNCTION ecert.record_indexes() IS 'internal: the indexes of the record''s tables beside their primary keys, each as the statement that makes it, in the words in which PostgreSQL gives it back';

CREATE FUNCTION ecert.create_record_tables() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    definition text;
BEGIN
    IF to_regclass('ledger.package') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC091', MESSAGE = 'there is a ledger in this database already',
            HINT = 'A database holds one ledger; make another database for another one.';
    END IF;
    IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC090', MESSAGE = 'a ledger needs a database in UTF8',
            DETAIL = format('This one is in %s.', pg_catalog.getdatabaseencoding());
    END IF;
    CREATE SCHEMA IF NOT EXISTS ledger;
    COMMENT ON SCHEMA ledger IS 'the ecert ledger: ledger.package is the record, the views are derived from it';

    PERFORM ecert.create_described($table$CREATE TABLE ledger.package (  -- the ledger: one signed package a row, append-only; insert the column package alone
        issuer text COLLATE "C" NOT NULL,  -- node id of the signer; derived
        kind text COLLATE "C" NOT NULL,  -- kind of package; derived
        seq bigint NOT NULL,  -- number in the feed (issuer, kind), from 0; derived
        subject text COLLATE "C" NOT NULL,  -- whom the package is about; derived
        period tstzrange,  -- the body's period, half open, where it has one; derived
        issued_at timestamptz NOT NULL,  -- when the issuer says it signed; derived
        hash bytea NOT NULL,  -- SHA-256(0x00 || package), 32 bytes; derived
        package ecert.package NOT NULL,  -- exactly what the issuer signed
        recorded_at timestamptz NOT NULL,  -- when this server admitted it; not signed
        CONSTRAINT package_pkey PRIMARY KEY (issuer, kind, seq)
    )$table$);
    -- how few packages are in that index, when the table has been analysed
    CREATE STATISTICS ledger.package_reference ON (ecert.reference(package)) FROM ledger.package;
    ALTER TABLE ledger.package ALTER COLUMN package SET STORAGE EXTERNAL;

    PERFORM ecert.create_described($table$CREATE TABLE ledger.feed (  -- one row per feed written here, never updated: the row that a writer locks
        issuer text COLLATE "C" NOT NULL,  -- node id
        kind text COLLATE "C" NOT NULL,  -- kind of package
        CONSTRAINT feed_pkey PRIMARY KEY (issuer, kind)
    )$table$);

    PERFORM ecert.create_described($table$CREATE TABLE ledger.leaf_range (  -- which packages which checkpoint covers first, and which leaves of the tree they are: a row for each feed that a checkpoint moves; a cache, see ecert.rebuild_tree()
        issuer text COLLATE "C" NOT NULL,  -- issuer of the feed
        kind text COLLATE "C" NOT NULL,  -- kind of the feed
        last_seq bigint NOT NULL,  -- last package of the feed that the checkpoint takes in: the head that it names
        first_seq bigint NOT NULL,  -- first one
        first_index bigint NOT NULL,  -- leaf of the first one; the others follow
        checkpoint_seq bigint NOT NULL,  -- seq of the checkpoint in the certifier's feed: of a sealing of several parts the last
        CONSTRAINT leaf_range_pkey PRIMARY KEY (issuer, kind, last_seq)
    )$table$);

    PERFORM ecert.create_described($table$CREATE TABLE ledger.finding (  -- what was found against packages that a checkpoint covers, as of it: they are on the ledger, and do not count; a cache, see ecert.problems()
        issuer text COLLATE "C" NOT NULL,  -- its issuer
        kind text COLLATE "C" NOT NULL,  -- its kind
        seq bigint NOT NULL,  -- its number in the feed
        problem text,  -- what is wrong with it; NULL: it is judged when all that the checkpoint covers is here
        found_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it was admitted, or judged
        CONSTRAINT finding_pkey PRIMARY KEY (issuer, kind, seq)
    )$table$);
    FOR definition IN SELECT i.definition FROM ecert.record_indexes() AS i LOOP
        EXECUTE definition;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.create_record_tables() IS 'internal: makes schema ledger with the tables package, feed, leaf_range and finding, without triggers; EC091 when they are there';
