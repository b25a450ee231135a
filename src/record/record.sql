-- The record: the table of all packages, and the rows by which writers of a feed exclude each other.

CREATE FUNCTION ecert.create_record_tables() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
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

    CREATE TABLE ledger.package (
        issuer text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        seq bigint NOT NULL,
        subject text COLLATE "C" NOT NULL,
        period tstzrange,
        issued_at timestamptz NOT NULL,
        hash bytea NOT NULL,
        package ecert.package NOT NULL,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT package_pkey PRIMARY KEY (issuer, kind, seq)
    );
    -- equal hashes are equal packages, which the primary key refuses; a B-tree of hashes costs twice as much a package,
    -- and more the longer the ledger, since every entry goes to another page
    CREATE INDEX package_hash ON ledger.package USING hash (hash);
    CREATE INDEX package_subject_kind_period ON ledger.package (subject, kind, lower(period)) WITH (deduplicate_items = off);
    CREATE UNIQUE INDEX package_genesis ON ledger.package (kind) WHERE kind = 'genesis';
    -- each further index is a piece of every single insert: these two hold few packages, and serve several kinds.  The statistics
    -- tell, when the table has been analysed, how few
    CREATE INDEX package_reference ON ledger.package (ecert.reference(package)) WHERE ecert.reference(package) IS NOT NULL;
    CREATE STATISTICS ledger.package_reference ON (ecert.reference(package)) FROM ledger.package;
    CREATE INDEX package_kind ON ledger.package (kind, issuer, seq) WHERE kind IN ('audit', 'witness');
    ALTER TABLE ledger.package ALTER COLUMN package SET STORAGE EXTERNAL;
    COMMENT ON TABLE ledger.package IS 'the ledger: one signed package a row, append-only; insert the column package alone';
    COMMENT ON COLUMN ledger.package.issuer IS 'node id of the signer; derived';
    COMMENT ON COLUMN ledger.package.kind IS 'kind of package; derived';
    COMMENT ON COLUMN ledger.package.seq IS 'number in the feed (issuer, kind), from 0; derived';
    COMMENT ON COLUMN ledger.package.subject IS 'whom the package is about; derived';
    COMMENT ON COLUMN ledger.package.period IS 'the body''s period, half open, where it has one; derived';
    COMMENT ON COLUMN ledger.package.issued_at IS 'when the issuer says it signed; derived';
    COMMENT ON COLUMN ledger.package.hash IS 'SHA-256(0x00 || package), 32 bytes; derived';
    COMMENT ON COLUMN ledger.package.package IS 'exactly what the issuer signed';
    COMMENT ON COLUMN ledger.package.recorded_at IS 'when this server admitted it; not signed';

    CREATE TABLE ledger.feed (
        issuer text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        CONSTRAINT feed_pkey PRIMARY KEY (issuer, kind)
    );
    COMMENT ON TABLE ledger.feed IS 'one row per feed written here, never updated: the row that a writer locks';
    COMMENT ON COLUMN ledger.feed.issuer IS 'node id';
    COMMENT ON COLUMN ledger.feed.kind IS 'kind of package';
END
$$;
COMMENT ON FUNCTION ecert.create_record_tables() IS 'internal: makes schema ledger with the tables package and feed, without triggers; EC091 when they are there';

REVOKE ALL ON FUNCTION ecert.create_record_tables() FROM PUBLIC;
