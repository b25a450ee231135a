-- What packages are measured against, and where packages wait to be inserted. All peers have the columns, keys and indexes of ledger.package.
CREATE SCHEMA bench;

-- Packages that pgbench's clients insert: each peer looks one up by its number and pays the same for that.
CREATE UNLOGGED TABLE bench.staged (
	n integer PRIMARY KEY,
	issuer text COLLATE "C" NOT NULL,
	kind text COLLATE "C" NOT NULL,
	seq bigint NOT NULL,
	subject text COLLATE "C" NOT NULL,
	period tstzrange,
	issued_at timestamptz NOT NULL,
	hash bytea NOT NULL,
	bytes bytea NOT NULL,
	package ecert.package NOT NULL
);
-- The next package of one feed that several clients write: who has this row is next, until it has committed.
CREATE TABLE bench.queue (n integer NOT NULL);
INSERT INTO bench.queue VALUES (0);

-- (a) A plain table: keeps what it is given. Nothing is verified, nothing is chained.
CREATE TABLE bench.plain (
	issuer text COLLATE "C" NOT NULL,
	kind text COLLATE "C" NOT NULL,
	seq bigint NOT NULL,
	subject text COLLATE "C" NOT NULL,
	period tstzrange,
	issued_at timestamptz NOT NULL,
	hash bytea NOT NULL CHECK (octet_length(hash) = 32),
	package bytea NOT NULL,
	recorded_at timestamptz NOT NULL,
	PRIMARY KEY (issuer, kind, seq)
);
CREATE INDEX ON bench.plain USING hash (hash);
CREATE INDEX ON bench.plain (subject, kind, lower(period));
CREATE UNIQUE INDEX ON bench.plain (kind) WHERE kind = 'genesis';
ALTER TABLE bench.plain ALTER COLUMN package SET STORAGE EXTERNAL;

-- (b) The usual recipe: one hash chain over the table. The lock makes writers take turns until they have committed; the
-- head is found by the chain's own number, which is given out under the lock. Signatures are not verified: pgcrypto
-- has none of these algorithms.
CREATE TABLE bench.chained (LIKE bench.plain INCLUDING ALL);
ALTER TABLE bench.chained ADD place bigint NOT NULL UNIQUE, ADD prev bytea NOT NULL;

CREATE FUNCTION bench.chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	head record;
BEGIN
	PERFORM pg_advisory_xact_lock(4711);
	SELECT c.place, c.hash INTO head FROM bench.chained c ORDER BY c.place DESC LIMIT 1;
	NEW.place := coalesce(head.place + 1, 0);
	NEW.prev := coalesce(head.hash, '\x');
	NEW.hash := digest(NEW.prev || NEW.package, 'sha256');
	RETURN NEW;
END
$$;
CREATE TRIGGER chain BEFORE INSERT ON bench.chained FOR EACH ROW EXECUTE FUNCTION bench.chain();

-- (c) The same with a chain for each issuer: writers of different issuers do not wait for each other.
CREATE TABLE bench.chained_by_issuer (LIKE bench.plain INCLUDING ALL);
ALTER TABLE bench.chained_by_issuer ADD place bigint NOT NULL, ADD prev bytea NOT NULL, ADD UNIQUE (issuer, place);

CREATE FUNCTION bench.chain_by_issuer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	head record;
BEGIN
	PERFORM pg_advisory_xact_lock(4711, hashtext(NEW.issuer));
	SELECT c.place, c.hash INTO head FROM bench.chained_by_issuer c WHERE c.issuer = NEW.issuer ORDER BY c.place DESC LIMIT 1;
	NEW.place := coalesce(head.place + 1, 0);
	NEW.prev := coalesce(head.hash, '\x');
	NEW.hash := digest(NEW.prev || NEW.package, 'sha256');
	RETURN NEW;
END
$$;
CREATE TRIGGER chain_by_issuer BEFORE INSERT ON bench.chained_by_issuer FOR EACH ROW EXECUTE FUNCTION bench.chain_by_issuer();

-- (e) Readings as rows with a primary key: as they are delivered, by name; and as small as it can be, by numbers of tables beside it.
CREATE TABLE bench.reading (
	producer text COLLATE "C" NOT NULL,
	source text COLLATE "C" NOT NULL,
	unit text COLLATE "C" NOT NULL,
	interval_start timestamptz NOT NULL,
	quantity numeric NOT NULL,
	PRIMARY KEY (producer, source, interval_start)
);
CREATE TABLE bench.small_reading (
	meter integer NOT NULL,
	interval_start timestamptz NOT NULL,
	quantity numeric NOT NULL,
	PRIMARY KEY (meter, interval_start)
);
