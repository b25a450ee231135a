-- Rows of ledger.package are checked again from their bytes; src/verify puts it together with all else that can be wrong.

CREATE FUNCTION ecert.verify_registry(OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_verify_registry';
COMMENT ON FUNCTION ecert.verify_registry() IS 'internal: verifies genesis and the certifier''s node feed one after the other and keeps the keys so found for ecert.check_rows(); returns the problems';

CREATE FUNCTION ecert.verified_registry() RETURNS bytea
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_verified_registry';
COMMENT ON FUNCTION ecert.verified_registry() IS 'internal: what ecert.verify_registry() has kept in this session, as one value that can be given to parallel workers; NULL without a sound genesis package';

-- The cost is that of a signature, 50 microseconds
CREATE FUNCTION ecert.row_problems(issuer text, kind text, seq bigint, subject text, period tstzrange, issued_at timestamptz,
                                   hash bytea, package ecert.package, registry bytea) RETURNS SETOF text[]
    LANGUAGE c STABLE PARALLEL SAFE COST 4000 ROWS 1 AS 'MODULE_PATHNAME', 'ecert_sql_row_problems';
COMMENT ON FUNCTION ecert.row_problems(text, text, bigint, text, tstzrange, timestamptz, bytea, ecert.package, bytea) IS 'internal: what is wrong with a row of ledger.package by its bytes (form, derived columns, issuer, key, link, order, signature), under ecert.verified_registry(); no array when nothing is. An empty one: the rule of its kind is still to be checked (ecert.rule_problem()), or its period (ecert.period_problems())';

CREATE FUNCTION ecert.period_problems(feed_issuer text, feed_kind text, first_seq bigint, last_seq bigint,
                                      OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_period_problems';
COMMENT ON FUNCTION ecert.period_problems(text, text, bigint, bigint) IS 'internal: walks a feed from its beginning and tells which of the packages first_seq .. last_seq follow it with a period that begins before it may';

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

CREATE TYPE ecert.row_place AS (issuer text COLLATE "C", kind text COLLATE "C", seq bigint);
COMMENT ON TYPE ecert.row_place IS 'internal: a place in the primary key of ledger.package';

CREATE FUNCTION ecert.check_rows(first ecert.row_place, last ecert.row_place,
                                 OUT issuer text, OUT kind text, OUT seq bigint, OUT problems text[]) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    -- in the order of the primary key; a page of rows is worth a worker; the plan is made for these very rows
    SET enable_seqscan = off SET enable_bitmapscan = off SET min_parallel_table_scan_size = 0 SET min_parallel_index_scan_size = 0
    SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT p.issuer, p.kind, p.seq, ecert.row_problems(p.issuer, p.kind, p.seq, p.subject, p.period, p.issued_at, p.hash, p.package,
                                                       (SELECT ecert.verified_registry()))
      FROM ledger.package p
     WHERE (p.issuer, p.kind, p.seq) >= (first.issuer, first.kind, first.seq)
       AND (p.issuer, p.kind, p.seq) <= (last.issuer, last.kind, last.seq);
END
$$;
COMMENT ON FUNCTION ecert.check_rows(ecert.row_place, ecert.row_place) IS 'internal: ecert.row_problems() of the rows of ledger.package from one place to another, in the order of the primary key, by as many processes as PostgreSQL gives (max_parallel_workers_per_gather) after ecert.verify_registry()';
