-- Verification: the whole ledger again from its stored bytes.

CREATE FUNCTION ecert.verify_registry(OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_verify_registry';
COMMENT ON FUNCTION ecert.verify_registry() IS 'internal: verifies genesis and the certifier''s node feed one after the other and keeps the keys so found for ecert.verify_feed(); returns the problems';

CREATE FUNCTION ecert.verify_feed(feed_issuer text, feed_kind text, first_seq bigint, last_seq bigint,
                                  OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_verify_feed';
COMMENT ON FUNCTION ecert.verify_feed(text, text, bigint, bigint) IS 'internal: checks the packages first_seq .. last_seq of a feed from their bytes (form, derived columns, issuer, key, link, order, signature); returns the problems';

CREATE FUNCTION ecert.is_checkable(p ecert.package) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    checkable boolean := true;
BEGIN
    IF ecert.kind(p) IN ('audit', 'certificate', 'status', 'reward') AND EXISTS (SELECT FROM ledger.peer l WHERE l.is_hub AND (l.issuers IS NOT NULL OR l.kinds IS NOT NULL)) THEN
        EXECUTE format('SELECT coalesce(bool_and(ecert.holds(n.kind, n.issuer)), true) FROM ecert.%I($1) AS n', 'needs_' || ecert.kind(p)) INTO checkable USING p;
    END IF;
    RETURN checkable;
END
$$;
COMMENT ON FUNCTION ecert.is_checkable(ecert.package) IS 'whether this node can check the rule of a package''s kind: false when the package rests on others that this node is not sent, because it filters';

CREATE FUNCTION ecert.rule_problem(p ecert.package) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    said text;
BEGIN
    IF NOT ecert.is_checkable(p) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT ecert.%I($1, false)', 'rule_' || ecert.kind(p)) USING p;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
    RETURN SQLERRM || CASE WHEN said <> '' THEN ' (' || said || ')' ELSE '' END;
END
$$;
COMMENT ON FUNCTION ecert.rule_problem(ecert.package) IS 'internal: why a stored package breaks the rule of its kind (node, relation, policy, audit, certificate, status, reward, witness); NULL when it does not, or when that cannot be told here';

CREATE FUNCTION ecert.feeds(OUT issuer text, OUT kind text, OUT last_seq bigint) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    -- from one feed to the next by the primary key, not through every row
    WITH RECURSIVE f (issuer, kind) AS (
        (SELECT p.issuer, p.kind FROM ledger.package p ORDER BY p.issuer, p.kind LIMIT 1)
        UNION ALL
        SELECT n.issuer, n.kind FROM f CROSS JOIN LATERAL (
            SELECT p.issuer, p.kind FROM ledger.package p
             WHERE (p.issuer, p.kind) > (f.issuer, f.kind) ORDER BY p.issuer, p.kind LIMIT 1) AS n)
    SELECT f.issuer, f.kind, h.seq FROM f CROSS JOIN LATERAL (
        SELECT p.seq FROM ledger.package p WHERE p.issuer = f.issuer AND p.kind = f.kind ORDER BY p.seq DESC LIMIT 1) AS h
$$;
COMMENT ON FUNCTION ecert.feeds() IS 'the feeds on this ledger and the seq each has reached, by issuer and kind in byte order';

CREATE FUNCTION ecert.feed_problems(feed_issuer text, feed_kind text, first_seq bigint, last_seq bigint,
                                    OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT v.issuer, v.kind, v.seq, v.problem FROM ecert.verify_feed(feed_issuer, feed_kind, first_seq, last_seq) AS v;
    IF feed_kind = 'checkpoint' AND first_seq = 0 THEN
        -- each stands on all before it, so they are checked together
        RETURN QUERY SELECT v.issuer, v.kind, v.seq, v.problem FROM ecert.verify_checkpoints(ecert.holds_all()) AS v WHERE v.issuer = feed_issuer;
    END IF;
    IF feed_kind IN ('node', 'relation', 'policy', 'audit', 'certificate', 'status', 'reward', 'witness') THEN
        RETURN QUERY
        SELECT p.issuer, p.kind, p.seq, r.problem
          FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.rule_problem(p.package)) AS r (problem)
         WHERE p.issuer = feed_issuer AND p.kind = feed_kind AND p.seq BETWEEN first_seq AND last_seq
           AND r.problem IS NOT NULL ORDER BY p.seq;
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.feed_problems(text, text, bigint, bigint) IS 'internal: ecert.verify_feed() and the rules of the feed''s kind; of checkpoints, all of them with the range that begins at seq 0';

CREATE FUNCTION ecert.problems(OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    feed record;
BEGIN
    RETURN QUERY SELECT v.issuer, v.kind, v.seq, v.problem FROM ecert.verify_registry() AS v;
    FOR feed IN SELECT f.issuer, f.kind, f.last_seq FROM ecert.feeds() AS f LOOP
        RETURN QUERY SELECT v.issuer, v.kind, v.seq, v.problem
                       FROM ecert.feed_problems(feed.issuer, feed.kind, 0, feed.last_seq) AS v;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.problems() IS 'checks every package of the ledger again from its stored bytes: form, derived columns, issuer, role, key, links, order, signature, the rules of its kind, recomputation of certificates and of the roots of checkpoints; one row per problem, none when the ledger is clean. EC090';

CREATE FUNCTION ecert.create_verification_tables() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CREATE TABLE ledger.verification (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at timestamptz,
        package_count bigint NOT NULL,
        checked_count bigint NOT NULL DEFAULT 0,
        problem_count bigint NOT NULL DEFAULT 0,
        reached_issuer text COLLATE "C",
        reached_kind text COLLATE "C",
        reached_seq bigint
    );
    COMMENT ON TABLE ledger.verification IS 'runs of ecert.verify_ledger(): progress while it runs, result afterwards';
    COMMENT ON COLUMN ledger.verification.id IS 'number of the run';
    COMMENT ON COLUMN ledger.verification.started_at IS 'when it began';
    COMMENT ON COLUMN ledger.verification.updated_at IS 'when it last got on';
    COMMENT ON COLUMN ledger.verification.finished_at IS 'when it was done; NULL: running, or interrupted and resumed by the next call';
    COMMENT ON COLUMN ledger.verification.package_count IS 'packages on the ledger when it began';
    COMMENT ON COLUMN ledger.verification.checked_count IS 'packages checked so far';
    COMMENT ON COLUMN ledger.verification.problem_count IS 'problems found so far';
    COMMENT ON COLUMN ledger.verification.reached_issuer IS 'issuer of the feed it is in';
    COMMENT ON COLUMN ledger.verification.reached_kind IS 'kind of the feed it is in';
    COMMENT ON COLUMN ledger.verification.reached_seq IS 'last seq checked in that feed';
    CREATE TABLE ledger.verification_problem (
        verification_id bigint NOT NULL REFERENCES ledger.verification (id),
        number bigint NOT NULL,
        issuer text COLLATE "C",
        kind text COLLATE "C",
        seq bigint,
        problem text NOT NULL,
        PRIMARY KEY (verification_id, number)
    );
    COMMENT ON TABLE ledger.verification_problem IS 'what the runs of ecert.verify_ledger() found wrong';
    COMMENT ON COLUMN ledger.verification_problem.verification_id IS 'the run';
    COMMENT ON COLUMN ledger.verification_problem.number IS 'order in which it was found, from 1';
    COMMENT ON COLUMN ledger.verification_problem.issuer IS 'issuer of the package that is wrong';
    COMMENT ON COLUMN ledger.verification_problem.kind IS 'kind of the package that is wrong';
    COMMENT ON COLUMN ledger.verification_problem.seq IS 'seq of the package that is wrong';
    COMMENT ON COLUMN ledger.verification_problem.problem IS 'what is wrong with it';
END
$$;
COMMENT ON FUNCTION ecert.create_verification_tables() IS 'internal: makes ledger.verification and ledger.verification_problem';

CREATE FUNCTION ecert.verify_range(run bigint, feed_issuer text, feed_kind text, first_seq bigint, last_seq bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found bigint;
BEGIN
    INSERT INTO ledger.verification_problem (verification_id, number, issuer, kind, seq, problem)
    SELECT run, v.problem_count + f.ordinality, f.issuer, f.kind, f.seq, f.problem
      FROM ledger.verification v
     CROSS JOIN ecert.feed_problems(feed_issuer, feed_kind, first_seq, last_seq) WITH ORDINALITY AS f
     WHERE v.id = run;
    GET DIAGNOSTICS found = ROW_COUNT;
    UPDATE ledger.verification
       SET updated_at = clock_timestamp(), problem_count = problem_count + found,
           checked_count = checked_count + (SELECT count(*) FROM ledger.package p
                                             WHERE p.issuer = feed_issuer AND p.kind = feed_kind AND p.seq BETWEEN first_seq AND last_seq),
           reached_issuer = feed_issuer, reached_kind = feed_kind, reached_seq = last_seq
     WHERE id = run;
END
$$;
COMMENT ON FUNCTION ecert.verify_range(bigint, text, text, bigint, bigint) IS 'internal: one step of ecert.verify_ledger(): checks a range of a feed and writes down problems and progress';

CREATE PROCEDURE ecert.verify_ledger(commit_every bigint DEFAULT 10000)
    LANGUAGE plpgsql
AS $$
DECLARE
    run ledger.verification;
    feed record;
    first_wrong record;
    next_seq bigint;
    uncommitted bigint := 0;
BEGIN
    SELECT * INTO run FROM ledger.verification WHERE finished_at IS NULL ORDER BY id DESC LIMIT 1;
    IF run.id IS NULL THEN
        INSERT INTO ledger.verification (package_count) SELECT pg_catalog.count(*) FROM ledger.package RETURNING * INTO run;
        INSERT INTO ledger.verification_problem (verification_id, number, issuer, kind, seq, problem)
        SELECT run.id, v.ordinality, v.issuer, v.kind, v.seq, v.problem FROM ecert.verify_registry() WITH ORDINALITY AS v;
        UPDATE ledger.verification
           SET problem_count = (SELECT pg_catalog.count(*) FROM ledger.verification_problem WHERE verification_id = run.id)
         WHERE id = run.id;
    ELSE
        RAISE NOTICE 'resuming verification % after % of % packages', run.id, run.checked_count, run.package_count;
        PERFORM ecert.verify_registry();
    END IF;
    COMMIT;
    FOR feed IN
        SELECT f.issuer, f.kind, f.last_seq FROM ecert.feeds() AS f
         WHERE run.reached_issuer IS NULL
            OR (f.issuer COLLATE "C", f.kind COLLATE "C") >= (run.reached_issuer, run.reached_kind)
    LOOP
        next_seq := CASE WHEN feed.issuer = run.reached_issuer AND feed.kind = run.reached_kind THEN run.reached_seq + 1 ELSE 0 END;
        WHILE next_seq <= feed.last_seq LOOP
            PERFORM ecert.verify_range(run.id, feed.issuer, feed.kind, next_seq, least(next_seq + commit_every - 1, feed.last_seq));
            uncommitted := uncommitted + least(commit_every, feed.last_seq - next_seq + 1);
            next_seq := next_seq + commit_every;
            IF uncommitted >= commit_every THEN
                COMMIT;
                uncommitted := 0;
            END IF;
        END LOOP;
    END LOOP;
    UPDATE ledger.verification SET finished_at = pg_catalog.clock_timestamp() WHERE id = run.id RETURNING * INTO run;
    COMMIT;
    SELECT p.issuer, p.kind, p.seq, p.problem INTO first_wrong
      FROM ledger.verification_problem p WHERE p.verification_id = run.id
     -- a package that is wrong in itself comes before those that are wrong because of it
     ORDER BY p.problem ~ '^(package is|body is|stored|signature)' DESC, p.number LIMIT 1;
    IF FOUND THEN
        RAISE WARNING USING ERRCODE = 'EC030',
            MESSAGE = pg_catalog.format('the ledger does not verify: %s problems in %s packages', run.problem_count, run.checked_count),
            DETAIL = pg_catalog.format('First: issuer "%s", %s, seq %s: %s.', first_wrong.issuer, first_wrong.kind, first_wrong.seq, pg_catalog.rtrim(first_wrong.problem, '.')),
            HINT = pg_catalog.format('SELECT * FROM ledger.verification_problem WHERE verification_id = %s', run.id);
    ELSE
        RAISE NOTICE 'the ledger verifies: % packages checked, no problem', run.checked_count;
    END IF;
    IF EXISTS (SELECT FROM ecert.late_packages()) THEN
        RAISE WARNING USING MESSAGE = pg_catalog.format('%s packages came under a checkpoint only after their key was rotated or revoked', (SELECT pg_catalog.count(*) FROM ecert.late_packages())),
            HINT = 'They are late, or back-dated with a stolen key: SELECT * FROM ecert.late_packages()';
    END IF;
END
$$;
COMMENT ON PROCEDURE ecert.verify_ledger(bigint) IS 'ecert.problems() for big ledgers: commits every so many packages, so that other connections see the progress in ledger.verification, and an interrupted run is resumed by the next call; problems go to ledger.verification_problem, the first wrong package into a warning';

CREATE FUNCTION ecert.check_chain(OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $check$
DECLARE
    pgcrypto_schema text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgcrypto');
BEGIN
    IF pgcrypto_schema IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_function', MESSAGE = 'ecert.check_chain() computes with pgcrypto, which is not installed',
            HINT = 'CREATE EXTENSION pgcrypto;';
    END IF;
    -- seq and prev are cut out of the bytes where docs/format.md says they end the protected header:
    -- -65601 (3a00010040) seq, -65602 (3a00010041) bstr of 32 (5820) prev
    RETURN QUERY EXECUTE format($sql$
        WITH raw AS (
            SELECT p.issuer, p.kind, p.seq, p.hash, p.package::bytea AS b FROM ledger.package p),
        framed AS (
            SELECT r.*, %1$I.digest('\x00'::bytea || r.b, 'sha256') AS computed,
                   CASE get_byte(r.b, 2) WHEN 88 THEN 4 + get_byte(r.b, 3)
                        WHEN 89 THEN 5 + get_byte(r.b, 3) * 256 + get_byte(r.b, 4) END AS header_end
              FROM raw r),
        cut AS (
            SELECT f.*, CASE WHEN f.kind <> 'genesis' THEN substring(f.b FROM f.header_end - 31 FOR 32) END AS prev,
                   CASE WHEN f.kind <> 'genesis' THEN f.header_end - 39 ELSE f.header_end END AS seq_end
              FROM framed f),
        read AS (
            SELECT c.*, (SELECT CASE WHEN w.width = 1 THEN get_byte(c.b, c.seq_end - 1)::bigint
                                     ELSE ('x' || lpad(encode(substring(c.b FROM c.seq_end - w.width + 2 FOR w.width - 1), 'hex'), 16, '0'))::bit(64)::bigint END
                           FROM (VALUES (1), (2), (3), (5), (9)) AS w (width)
                          WHERE substring(c.b FROM c.seq_end - w.width - 4 FOR 5) = '\x3a00010040' LIMIT 1) AS signed_seq
              FROM cut c),
        chained AS (
            SELECT r.*, lag(r.computed) OVER feed AS expected_prev, lag(r.seq) OVER feed AS seq_before,
                   (SELECT g.hash FROM ledger.package g WHERE g.kind = 'genesis') AS genesis
              FROM read r WINDOW feed AS (PARTITION BY r.issuer, r.kind ORDER BY r.seq))
        SELECT c.issuer::text, c.kind::text, c.seq, w.problem
          FROM chained c CROSS JOIN LATERAL (VALUES
               (c.computed <> c.hash, 'stored hash is not SHA-256(0x00 || package)'),
               (c.signed_seq IS DISTINCT FROM c.seq, 'stored seq is not the signed one'),
               (c.seq <> coalesce(c.seq_before + 1, 0), 'seq leaves a gap'),
               (c.kind <> 'genesis' AND c.prev <> coalesce(c.expected_prev, c.genesis), 'prev is not the hash of the package before')) AS w (wrong, problem)
         WHERE w.wrong ORDER BY 1, 2, 3
    $sql$, pgcrypto_schema);
END
$check$;
COMMENT ON FUNCTION ecert.check_chain() IS 'a second opinion on hashes and links that uses none of our C but the cast to bytea: SQL and pgcrypto''s digest() over the stored bytes; no rows when every chain holds. Does not verify signatures';

REVOKE ALL ON FUNCTION ecert.verify_registry(), ecert.verify_feed(text, text, bigint, bigint), ecert.rule_problem(ecert.package),
    ecert.feed_problems(text, text, bigint, bigint), ecert.problems(), ecert.create_verification_tables(),
    ecert.verify_range(bigint, text, text, bigint, bigint) FROM PUBLIC;
REVOKE ALL ON PROCEDURE ecert.verify_ledger(bigint) FROM PUBLIC;
