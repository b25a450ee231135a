-- Verification: the whole ledger is checked again from its stored bytes: rows, checkpoints, rules of the kinds.

CREATE FUNCTION ecert.chunk_problems(first ecert.row_place, last ecert.row_place, was_wrong boolean,
                                     OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH w AS MATERIALIZED (
        SELECT c.issuer, c.kind, c.seq, c.problems FROM ecert.check_rows(first, last) AS c),
    -- where a feed is as it should be, the package before tells how far its periods reach
    suspect (issuer, kind) AS (
        SELECT w.issuer, w.kind FROM w WHERE w.kind IN ('energy', 'product')
        UNION SELECT first.issuer, first.kind WHERE was_wrong AND first.kind IN ('energy', 'product'))
    SELECT f.issuer, f.kind, f.seq, f.problem
      FROM (SELECT w.issuer, w.kind, w.seq, 0, u.ordinality, u.problem FROM w CROSS JOIN LATERAL unnest(w.problems) WITH ORDINALITY AS u (problem)
            UNION ALL
            SELECT v.issuer, v.kind, v.seq, 0, 100, v.problem
              FROM suspect s CROSS JOIN LATERAL ecert.period_problems(s.issuer, s.kind,
                       CASE WHEN (s.issuer, s.kind) = (first.issuer, first.kind) THEN first.seq ELSE 0 END,
                       CASE WHEN (s.issuer, s.kind) = (last.issuer, last.kind) THEN last.seq ELSE 9223372036854775807 END) AS v
            UNION ALL
            -- each checkpoint stands on all before it, so they are checked together, where their feed begins
            SELECT v.issuer, v.kind, v.seq, 1, v.ordinality, v.problem
              FROM w CROSS JOIN LATERAL ecert.verify_checkpoints(w.kind = 'checkpoint' AND ecert.holds_all()) WITH ORDINALITY AS v
             WHERE w.kind = 'checkpoint' AND v.issuer = w.issuer
               AND w.seq = (SELECT min(p.seq) FROM ledger.package p WHERE p.issuer = w.issuer AND p.kind = 'checkpoint')
            UNION ALL
            SELECT w.issuer, w.kind, w.seq, CASE w.kind WHEN 'checkpoint' THEN 0 ELSE 2 END, 101, r.problem
              FROM w JOIN ledger.package p USING (issuer, kind, seq) CROSS JOIN LATERAL (SELECT ecert.rule_problem(p.package)) AS r (problem)
             WHERE w.kind NOT IN ('energy', 'product') AND r.problem IS NOT NULL
           ) AS f (issuer, kind, seq, step, number, problem)
     ORDER BY f.issuer COLLATE "C", f.kind COLLATE "C", f.step, f.seq, f.number;
END
$$;
COMMENT ON FUNCTION ecert.chunk_problems(ecert.row_place, ecert.row_place, boolean) IS 'internal: ecert.check_rows() and all that it leaves open: periods, checkpoints, the rules of the kinds; was_wrong: problems were found in the part of the first row''s feed that came before';

CREATE FUNCTION ecert.begin_verification(OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT v.issuer, v.kind, v.seq, v.problem FROM ecert.verify_registry() AS v;
    -- as of which checkpoint a package is judged is looked up in a cache
    IF ecert.verified_registry() IS NOT NULL AND NOT ecert.leaf_ranges_agree(false) THEN
        problem := 'ledger.leaf_range does not say what the checkpoints cover: run SELECT ecert.rebuild_tree()';
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.begin_verification() IS 'internal: ecert.verify_registry(), and whether ledger.leaf_range, which is a cache, has what the checkpoints say; returns the problems';

CREATE FUNCTION ecert.problems(OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT v.issuer, v.kind, v.seq, v.problem FROM ecert.begin_verification() AS v;
    -- without a sound genesis package nothing else can be verified
    IF ecert.verified_registry() IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT c.issuer, c.kind, c.seq, c.problem
      FROM (SELECT (p.issuer, p.kind, p.seq)::ecert.row_place AS place FROM ledger.package p ORDER BY p.issuer, p.kind, p.seq LIMIT 1) AS f
     CROSS JOIN (SELECT (p.issuer, p.kind, p.seq)::ecert.row_place AS place FROM ledger.package p ORDER BY p.issuer DESC, p.kind DESC, p.seq DESC LIMIT 1) AS l
     CROSS JOIN LATERAL ecert.chunk_problems(f.place, l.place, false) AS c;
END
$$;
COMMENT ON FUNCTION ecert.problems() IS 'checks every package of the ledger again from its stored bytes: form, derived columns, issuer, role, key, links, order, signature, the rules of its kind, recomputation of certificates and of the roots of checkpoints; one row per problem, none when the ledger is clean. By as many processes as PostgreSQL gives to a query. EC090';

CREATE FUNCTION ecert.create_verification_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($table$CREATE TABLE ledger.verification (  -- runs of ecert.verify_ledger(): progress while it runs, result afterwards
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- number of the run
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it began
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it last got on
        finished_at timestamptz,  -- when it was done; NULL: running, or interrupted and resumed by the next call
        package_count bigint NOT NULL,  -- packages on the ledger when it began
        checked_count bigint NOT NULL DEFAULT 0,  -- packages checked so far
        problem_count bigint NOT NULL DEFAULT 0,  -- problems found so far
        reached_issuer text COLLATE "C",  -- issuer of the feed it is in
        reached_kind text COLLATE "C",  -- kind of the feed it is in
        reached_seq bigint,  -- last seq checked in that feed
        identity text COLLATE "C"  -- ecert.moved_identity() when it began: what was restored since, or had its triggers off, has not been verified
    )$table$);
    SELECT ecert.create_described($table$CREATE TABLE ledger.verification_problem (  -- what the runs of ecert.verify_ledger() found wrong
        verification_id bigint NOT NULL REFERENCES ledger.verification (id),  -- the run
        number bigint NOT NULL,  -- order in which it was found, from 1
        issuer text COLLATE "C",  -- issuer of the package that is wrong
        kind text COLLATE "C",  -- kind of the package that is wrong
        seq bigint,  -- seq of the package that is wrong
        problem text NOT NULL,  -- what is wrong with it
        PRIMARY KEY (verification_id, number)
    )$table$);
$$;
COMMENT ON FUNCTION ecert.create_verification_tables() IS 'internal: makes ledger.verification and ledger.verification_problem';

CREATE FUNCTION ecert.is_verifying() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM pg_locks l WHERE l.relation = 'ledger.verification'::regclass AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
                      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
$$;
COMMENT ON FUNCTION ecert.is_verifying() IS 'internal: whether a session is at a step of ecert.verify_ledger(), which locks ledger.verification for each';

CREATE FUNCTION ecert.verify_chunk(run bigint, row_count bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    v ledger.verification;
    first ecert.row_place;
    last ecert.row_place;
    checked bigint := row_count;
    found_count bigint;
BEGIN
    LOCK TABLE ledger.verification IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT * INTO v FROM ledger.verification WHERE id = run;
    SELECT p.issuer, p.kind, p.seq INTO first FROM ledger.package p
     WHERE v.reached_issuer IS NULL OR (p.issuer, p.kind, p.seq) > (v.reached_issuer, v.reached_kind, v.reached_seq)
     ORDER BY p.issuer, p.kind, p.seq LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT p.issuer, p.kind, p.seq INTO last FROM ledger.package p
     WHERE (p.issuer, p.kind, p.seq) >= (first.issuer, first.kind, first.seq)
     ORDER BY p.issuer, p.kind, p.seq OFFSET row_count - 1 LIMIT 1;
    IF NOT FOUND THEN
        SELECT p.issuer, p.kind, p.seq INTO last FROM ledger.package p ORDER BY p.issuer DESC, p.kind DESC, p.seq DESC LIMIT 1;
        SELECT count(*) INTO checked FROM ledger.package p
         WHERE (p.issuer, p.kind, p.seq) >= (first.issuer, first.kind, first.seq) AND (p.issuer, p.kind, p.seq) <= (last.issuer, last.kind, last.seq);
    END IF;
    INSERT INTO ledger.verification_problem (verification_id, number, issuer, kind, seq, problem)
    SELECT run, v.problem_count + f.ordinality, f.issuer, f.kind, f.seq, f.problem
      FROM ecert.chunk_problems(first, last, EXISTS (SELECT FROM ledger.verification_problem b
               WHERE b.verification_id = run AND b.issuer = first.issuer AND b.kind = first.kind)) WITH ORDINALITY AS f;
    GET DIAGNOSTICS found_count = ROW_COUNT;
    UPDATE ledger.verification
       SET updated_at = clock_timestamp(), problem_count = problem_count + found_count, checked_count = checked_count + checked,
           reached_issuer = last.issuer, reached_kind = last.kind, reached_seq = last.seq
     WHERE id = run;
    RETURN checked = row_count;
END
$$;
COMMENT ON FUNCTION ecert.verify_chunk(bigint, bigint) IS 'internal: one step of ecert.verify_ledger(): checks the next so many packages in the order of the primary key and writes down problems and progress; false when these were the last';

CREATE PROCEDURE ecert.verify_ledger(commit_every bigint DEFAULT 50000)
    LANGUAGE plpgsql
AS $$
DECLARE
    run ledger.verification;
    first_wrong record;
BEGIN
    -- each step has this lock: two sessions take turns, and health knows a run that is under way from one that was interrupted
    LOCK TABLE ledger.verification IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT * INTO run FROM ledger.verification WHERE finished_at IS NULL AND identity = ecert.moved_identity() ORDER BY id DESC LIMIT 1;
    IF run.id IS NULL THEN
        INSERT INTO ledger.verification (package_count, identity) SELECT pg_catalog.count(*), ecert.moved_identity() FROM ledger.package RETURNING * INTO run;
        INSERT INTO ledger.verification_problem (verification_id, number, issuer, kind, seq, problem)
        SELECT run.id, v.ordinality, v.issuer, v.kind, v.seq, v.problem FROM ecert.begin_verification() WITH ORDINALITY AS v;
        UPDATE ledger.verification
           SET problem_count = (SELECT pg_catalog.count(*) FROM ledger.verification_problem WHERE verification_id = run.id)
         WHERE id = run.id;
    ELSE
        RAISE NOTICE 'resuming verification % after % of % packages', run.id, run.checked_count, run.package_count;
        PERFORM ecert.verify_registry();
    END IF;
    COMMIT;
    WHILE ecert.verified_registry() IS NOT NULL AND ecert.verify_chunk(run.id, greatest(commit_every, 1)) LOOP
        COMMIT;
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
            HINT = pg_catalog.format('Run SELECT * FROM ledger.verification_problem WHERE verification_id = %s.', run.id);
    ELSE
        RAISE NOTICE 'the ledger verifies: % packages checked, no problem', run.checked_count;
    END IF;
    IF ecert.verified_registry() IS NOT NULL AND EXISTS (SELECT FROM ecert.late_packages()) THEN
        RAISE WARNING USING MESSAGE = pg_catalog.format('%s packages came under a checkpoint only after their key was rotated or revoked', (SELECT pg_catalog.count(*) FROM ecert.late_packages())),
            HINT = 'They are late, or back-dated with a stolen key. Run SELECT * FROM ecert.late_packages().';
    END IF;
END
$$;
COMMENT ON PROCEDURE ecert.verify_ledger(bigint) IS 'ecert.problems() for big ledgers: commits every so many packages, so that other connections see the progress in ledger.verification, and an interrupted run is resumed by the next call, unless the ledger was restored since or its triggers were off; each such step is shared among as many processes as PostgreSQL gives to a query (max_parallel_workers_per_gather); problems go to ledger.verification_problem, the first wrong package into a warning';

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
            SELECT r.*, %1$I.digest(E'\\x00'::bytea || r.b, 'sha256') AS computed,
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
                          WHERE substring(c.b FROM c.seq_end - w.width - 4 FOR 5) = E'\\x3a00010040' LIMIT 1) AS signed_seq
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
