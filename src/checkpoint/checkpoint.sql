-- Checkpoints: sealing what was admitted, and taking up what the certifier sealed.
--
-- ledger.leaf_range, ledger.tile and ledger.sealing are caches: a checkpoint is a package like any other, and they
-- can be made again from the ledger (ecert.rebuild_tree()). One session at a time writes them, under a
-- lock that no insert waits for.

CREATE FUNCTION ecert.append_leaves(sealing_seq bigint, old_size bigint, new_size bigint) RETURNS bytea
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_append_leaves';
COMMENT ON FUNCTION ecert.append_leaves(bigint, bigint, bigint) IS 'internal: append the packages of a sealing''s ledger.leaf_range, up to a size, to the tree of old_size leaves in ledger.tile (0: the genesis package first); returns the root (RFC 9162), NULL when one of the packages is not on this ledger';

CREATE FUNCTION ecert.tree_root(size bigint) RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_tree_root';
COMMENT ON FUNCTION ecert.tree_root(bigint) IS 'root (RFC 9162 section 2.1.1) of the tree of the first size leaves, from ledger.tile. EC103 when this node has no such tree, 22023 for sizes below 1';

CREATE FUNCTION ecert.consistency(old_size bigint, new_size bigint) RETURNS bytea[]
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_consistency';
COMMENT ON FUNCTION ecert.consistency(bigint, bigint) IS 'consistency proof (RFC 9162 section 2.1.4.1): hashes of 32 bytes which show that the tree of new_size leaves begins with that of old_size; empty when the sizes are equal. EC103 when this node has no such tree, 22023 unless 0 < old_size <= new_size';

CREATE FUNCTION ecert.verify_consistency(old_size bigint, old_root bytea, new_size bigint, new_root bytea, proof bytea[]) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_verify_consistency';
COMMENT ON FUNCTION ecert.verify_consistency(bigint, bytea, bigint, bytea, bytea[]) IS 'whether a proof shows (RFC 9162 section 2.1.4.2) that the tree (new_size, new_root) begins with the tree (old_size, old_root). 22023 for an array that is no proof';

CREATE FUNCTION ecert.seal_root(size bigint, root bytea) RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_seal_root';
COMMENT ON FUNCTION ecert.seal_root(bigint, bytea) IS 'internal: a seal of a checkpoint (alg, kid, signature): the signature of a tree''s size and root as RFC 9942 receipts carry it, by the key of ecert.seal_key; EC094';

CREATE FUNCTION ecert.sign_note(size bigint, root bytea) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_sign_note';
COMMENT ON FUNCTION ecert.sign_note(bigint, bytea) IS 'internal: a checkpoint as C2SP signed note (tlog-checkpoint), signed with the key of ecert.seal_key; NULL when that is not Ed25519, or the origin has white space or a plus sign';

CREATE FUNCTION ecert.verify_checkpoints(with_roots boolean, OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_verify_checkpoints';
COMMENT ON FUNCTION ecert.verify_checkpoints(boolean) IS 'internal: checks every checkpoint of the certifier after ecert.verify_registry(): heads, seal and note, and, with_roots, size and root from the bytes of the packages that they cover; returns the problems';

CREATE FUNCTION ecert.leaf_ranges_agree(rewrite boolean) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_leaf_ranges_agree';
COMMENT ON FUNCTION ecert.leaf_ranges_agree(boolean) IS 'internal: whether ledger.leaf_range has the rows that the heads of the certifier''s sound checkpoints make, after ecert.verify_registry(); rewrite: make it so';

CREATE FUNCTION ecert.create_checkpoint_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($table$CREATE TABLE ledger.tile (  -- the Merkle tree over the packages that are under checkpoints, in tiles of 256 hashes (C2SP tlog-tiles); a cache, see ecert.rebuild_tree()
        level integer NOT NULL,  -- 0: package hashes; l: roots of complete subtrees of 256^l packages
        index bigint NOT NULL,  -- number of the tile in its level, from 0
        hashes bytea NOT NULL,  -- up to 256 hashes of 32 bytes; only the last tile of a level has fewer
        CONSTRAINT tile_pkey PRIMARY KEY (level, index)
    )$table$);
    ALTER TABLE ledger.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

    SELECT ecert.create_described($table$CREATE TABLE ledger.sealing (  -- what this node found when it computed the checkpoints again; a cache, see ecert.rebuild_tree()
        checkpoint_seq bigint NOT NULL,  -- seq of the checkpoint in the certifier's feed
        sealing_seq bigint,  -- seq of the last part of its sealing, its own where it is whole; NULL: it continues none and covers nothing
        size bigint NOT NULL,  -- leaves that the heads named so far make
        root bytea,  -- root of the packages of this ledger; NULL when they are not all here
        outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('agrees', 'differs', 'not checkable here')),  -- agrees; differs: the certifier has signed another tree than this ledger makes; not checkable here: this node is not sent all feeds
        detail text,  -- in what it differs
        taken_up_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it was computed
        CONSTRAINT sealing_pkey PRIMARY KEY (checkpoint_seq)
    )$table$);
    CREATE INDEX sealing_differs ON ledger.sealing (checkpoint_seq) WHERE outcome = 'differs';

    SELECT ecert.create_described($table$CREATE TABLE ledger.fork (  -- pairs of checkpoints that the certifier signed and that no one ledger can have; each row proves itself: ecert.is_fork()
        first_hash bytea NOT NULL,  -- SHA-256 of first_checkpoint
        second_hash bytea NOT NULL,  -- SHA-256 of second_checkpoint
        first_size bigint NOT NULL,  -- size of the smaller tree
        second_size bigint NOT NULL,  -- size of the larger tree, or the same
        first_checkpoint bytea NOT NULL,  -- the checkpoint of the smaller tree: bytes of a package, or of a C2SP note
        second_checkpoint bytea NOT NULL,  -- the checkpoint of the larger tree: bytes of a package, or of a C2SP note
        other_root bytea NOT NULL,  -- root that the larger tree has at the smaller size
        proof bytea[] NOT NULL,  -- consistency proof (RFC 9162) from other_root to the larger tree
        found_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when this node found it
        CONSTRAINT fork_pkey PRIMARY KEY (first_hash, second_hash)
    )$table$);
    SELECT ecert.make_append_only('ledger.fork');

    SELECT ecert.create_described($table$CREATE TABLE ledger.witnessed (  -- the last checkpoint that this node put its name to as a witness: the next one must be consistent with it
        node text COLLATE "C" NOT NULL,  -- node id of the witness
        checkpoint_hash bytea NOT NULL,  -- hash of the checkpoint package
        size bigint NOT NULL,  -- its size
        root bytea NOT NULL,  -- its root
        witnessed_at timestamptz NOT NULL,  -- when
        CONSTRAINT witnessed_pkey PRIMARY KEY (node)
    )$table$);

    -- the function looks at the kind, as that of ecert_drain does
    CREATE TRIGGER ecert_take_up AFTER INSERT ON ledger.package FOR EACH ROW WHEN (NEW.period IS NULL) EXECUTE FUNCTION ecert.take_up_new();
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_take_up;
$$;
COMMENT ON FUNCTION ecert.create_checkpoint_tables() IS 'internal: makes ledger.tile, sealing, fork and witnessed, and takes up checkpoints behind their insert';

CREATE FUNCTION ecert.holds_all() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT NOT EXISTS (SELECT FROM ledger.peer p WHERE p.is_hub AND (p.issuers IS NOT NULL OR p.kinds IS NOT NULL)) $$;
COMMENT ON FUNCTION ecert.holds_all() IS 'whether this node is sent all feeds, so that it can compute the roots of checkpoints';

-- Taking up a checkpoint

CREATE FUNCTION ecert.heads(body jsonb, OUT number bigint, OUT issuer text, OUT kind text, OUT seq bigint) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT h.ordinality, h.value ->> 0, h.value ->> 1, (h.value ->> 2)::bigint
      FROM jsonb_array_elements(body -> 'heads') WITH ORDINALITY AS h
$$;
COMMENT ON FUNCTION ecert.heads(jsonb) IS 'internal: the heads [issuer, kind, seq] that a checkpoint''s body names, numbered from 1';

CREATE FUNCTION ecert.sealing_at(checkpoint_seq bigint, OUT first_seq bigint, OUT last_seq bigint, OUT problem text) RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_sealing_at';
COMMENT ON FUNCTION ecert.sealing_at(bigint) IS 'internal: seqs of the first and the last part of a checkpoint''s sealing, complete when it is that last one; or why it continues none and covers nothing';

CREATE FUNCTION ecert.cover(sealing_seq bigint, heads jsonb) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO ledger.leaf_range (issuer, kind, first_seq, last_seq, first_index, checkpoint_seq)
    SELECT n.issuer, n.kind, n.first_seq, n.seq,
           b.leaves + (sum(n.seq - n.first_seq + 1) OVER (ORDER BY n.number ROWS UNBOUNDED PRECEDING))::bigint - (n.seq - n.first_seq + 1), cover.sealing_seq
      FROM (SELECT coalesce((SELECT r.first_index + r.last_seq - r.first_seq + 1 FROM ledger.leaf_range r
                              ORDER BY r.checkpoint_seq DESC, r.first_index DESC LIMIT 1), 1)) AS b (leaves)
     CROSS JOIN (SELECT h.number, h.issuer, h.kind, h.seq,
                        coalesce((SELECT r.last_seq FROM ledger.leaf_range r WHERE r.issuer = h.issuer AND r.kind = h.kind ORDER BY r.last_seq DESC LIMIT 1), -1) + 1 AS first_seq
                   FROM ecert.heads(jsonb_build_object('heads', heads)) AS h) AS n
     WHERE n.first_seq <= n.seq
       -- by the index, whatever the planner thinks of how many rows a sealing has
       AND (SELECT r.checkpoint_seq FROM ledger.leaf_range r WHERE r.checkpoint_seq = cover.sealing_seq ORDER BY r.first_index LIMIT 1) IS NULL
$$;
COMMENT ON FUNCTION ecert.cover(bigint, jsonb) IS 'internal: what a sealing covers first, by the heads of all its parts, in ledger.leaf_range under its last part; nothing when that is there already';

CREATE FUNCTION ecert.heads_between(first_seq bigint, last_seq bigint) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_agg(h.value ORDER BY p.seq, h.ordinality)
      FROM ledger.package p CROSS JOIN LATERAL jsonb_array_elements(ecert.body(p.package) -> 'heads') WITH ORDINALITY AS h
     WHERE p.issuer = ecert.certifier() AND p.kind = 'checkpoint' AND p.seq BETWEEN first_seq AND last_seq
$$;
COMMENT ON FUNCTION ecert.heads_between(bigint, bigint) IS 'internal: the heads that checkpoints name, those of one behind those of the other';

CREATE FUNCTION ecert.cover_sealing(checkpoint_seq bigint) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.cover(s.last_seq, ecert.heads_between(s.first_seq, s.last_seq)) FROM ecert.sealing_at(checkpoint_seq) AS s WHERE s.last_seq = checkpoint_seq
$$;
COMMENT ON FUNCTION ecert.cover_sealing(bigint) IS 'internal: ecert.cover() for the sealing that a checkpoint on the ledger completes; nothing when it completes none';

CREATE FUNCTION ecert.note_late(covered_by bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    sealed_at timestamptz := (SELECT c.issued_at FROM ledger.package c WHERE c.issuer = ecert.certifier() AND c.kind = 'checkpoint' AND c.seq = covered_by);
BEGIN
    -- the certifier makes one that is not there yet
    IF sealed_at IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO ledger.finding (issuer, kind, seq)
    SELECT p.issuer, p.kind, p.seq
      FROM ledger.leaf_range r
      -- times of a feed do not run back, but where that is found, too: then the last one tells of all
     CROSS JOIN LATERAL (SELECT h.issued_at FROM ledger.package h WHERE h.issuer = r.issuer AND h.kind = r.kind AND h.seq <= r.last_seq ORDER BY h.seq DESC LIMIT 1) AS h
      JOIN ledger.package p ON p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq AND p.issued_at > sealed_at
     WHERE r.checkpoint_seq = covered_by AND r.kind <> 'node'
       AND (h.issued_at > sealed_at OR EXISTS (SELECT FROM ledger.finding f WHERE f.issuer = r.issuer AND f.kind = r.kind AND f.seq BETWEEN r.first_seq AND r.last_seq))
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION ecert.note_late(bigint) IS 'internal: packages that were admitted before a checkpoint covered them, and that are issued later than it, are to be judged: by how much that may be is for the rules';

CREATE FUNCTION ecert.sealing_fault(of_checkpoint bigint) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    -- behind one that differs sizes and roots are not compared
    SELECT s.detail FROM ledger.sealing s
     WHERE s.checkpoint_seq = of_checkpoint AND s.outcome = 'differs'
       AND (s.sealing_seq IS NULL OR s.detail LIKE 'checkpoint''s head %'
            OR NOT EXISTS (SELECT FROM ledger.sealing b WHERE b.checkpoint_seq < of_checkpoint AND b.outcome = 'differs' AND b.sealing_seq IS NOT NULL))
$$;
COMMENT ON FUNCTION ecert.sealing_fault(bigint) IS 'internal: in what a checkpoint that was taken up is the first to differ from this ledger; NULL: in nothing';

CREATE FUNCTION ecert.judge_those(covered_by bigint, rested_on boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    certifier text := ecert.certifier();
    seen bigint := coalesce((SELECT r.last_seq FROM ledger.leaf_range r
                              WHERE r.issuer = certifier AND r.kind = 'node' AND r.checkpoint_seq <= covered_by ORDER BY r.checkpoint_seq DESC LIMIT 1), -1);
    knows_more boolean := EXISTS (SELECT FROM ledger.package n WHERE n.issuer = certifier AND n.kind = 'node' AND n.seq > seen);
BEGIN
    WITH covered AS (
        SELECT r.issuer, r.kind, r.first_seq, r.last_seq FROM ledger.leaf_range r WHERE r.checkpoint_seq = covered_by),
    judged AS MATERIALIZED (
        SELECT p.issuer, p.kind, p.seq, coalesce(ecert.finding_of(p.package), CASE p.kind WHEN 'checkpoint' THEN ecert.sealing_fault(p.seq) END) AS problem
          FROM covered c JOIN ledger.package p ON p.issuer = c.issuer AND p.kind = c.kind AND p.seq BETWEEN c.first_seq AND c.last_seq
         WHERE (c.kind IN ('policy', 'relation')) = rested_on AND c.kind NOT IN ('node', 'energy', 'product')
        UNION
        SELECT f.issuer, f.kind, f.seq, ecert.finding_of(p.package)
          FROM covered c
          JOIN ledger.finding f ON f.issuer = c.issuer AND f.kind = c.kind AND f.seq BETWEEN c.first_seq AND c.last_seq
          JOIN ledger.package p ON p.issuer = f.issuer AND p.kind = f.kind AND p.seq = f.seq
         WHERE NOT rested_on AND c.kind IN ('energy', 'product')
        UNION
        -- admitted by a node package that the checkpoint does not cover
        SELECT p.issuer, p.kind, p.seq, ecert.finding_of(p.package)
          FROM covered c JOIN ledger.package p ON p.issuer = c.issuer AND p.kind = c.kind AND p.seq BETWEEN c.first_seq AND c.last_seq
         WHERE knows_more AND NOT rested_on AND c.kind IN ('energy', 'product')
           AND EXISTS (SELECT FROM ledger.package n WHERE n.subject = c.issuer AND n.kind = 'node' AND n.issuer || '' = certifier AND n.seq > seen)),
    wrong AS (
        INSERT INTO ledger.finding AS f (issuer, kind, seq, problem)
        SELECT j.issuer, j.kind, j.seq, j.problem FROM judged j WHERE j.problem IS NOT NULL
        ON CONFLICT ON CONSTRAINT finding_pkey DO UPDATE SET problem = EXCLUDED.problem, found_at = EXCLUDED.found_at WHERE f.problem IS DISTINCT FROM EXCLUDED.problem)
    DELETE FROM ledger.finding f USING judged j WHERE f.issuer = j.issuer AND f.kind = j.kind AND f.seq = j.seq AND j.problem IS NULL;
END
$$;
COMMENT ON FUNCTION ecert.judge_those(bigint, boolean) IS 'internal: of the packages that a checkpoint covers, policies and relations, or the others, are judged as of it';

CREATE FUNCTION ecert.judge_covered(covered_by bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM ecert.note_late(covered_by);
    -- what others rest on comes first; node packages were judged when they came
    IF EXISTS (SELECT FROM ledger.leaf_range r WHERE r.checkpoint_seq = covered_by AND r.kind IN ('policy', 'relation')) THEN
        PERFORM ecert.judge_those(covered_by, true);
        PERFORM ecert.forget_registry();
    END IF;
    PERFORM ecert.judge_those(covered_by, false);
END
$$;
COMMENT ON FUNCTION ecert.judge_covered(bigint) IS 'internal: what a checkpoint covers, and is here, is judged as of it, and ledger.finding has what is found; of energy and product packages those that were admitted because of it, or by what is said of their issuer later';

CREATE FUNCTION ecert.waits_for_packages(of_checkpoint bigint) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM ledger.leaf_range r
         -- nobody sends the certifier what it has sealed
         WHERE r.checkpoint_seq = of_checkpoint AND current_setting('ecert.node', true) IS DISTINCT FROM ecert.certifier() AND ecert.holds(r.kind, r.issuer)
           AND NOT EXISTS (SELECT FROM ledger.package p WHERE p.issuer = r.issuer AND p.kind = r.kind AND p.seq = r.last_seq)
           -- what was refused will not come, nor what follows it
           AND NOT EXISTS (SELECT FROM ledger.quarantine q WHERE q.issuer = r.issuer AND q.kind = r.kind AND q.seq <= r.last_seq))
$$;
COMMENT ON FUNCTION ecert.waits_for_packages(bigint) IS 'internal: whether packages that a checkpoint covers are not here and may still come';

CREATE FUNCTION ecert.check_tree(checkpoint_seq bigint, old_size bigint, old_root bytea) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    covered bigint;
BEGIN
    SELECT r.first_index + r.last_seq - r.first_seq + 1 INTO covered FROM ledger.leaf_range r
     WHERE r.checkpoint_seq < check_tree.checkpoint_seq ORDER BY r.checkpoint_seq DESC, r.first_index DESC LIMIT 1;
    IF coalesce(covered, 1) <> old_size THEN
        RAISE EXCEPTION USING ERRCODE = 'EC103', MESSAGE = 'this node''s tree is damaged',
            DETAIL = format('By ledger.leaf_range the checkpoints before %s cover %s packages, by ledger.sealing %s.', checkpoint_seq, coalesce(covered, 1), old_size),
            HINT = 'Run SELECT ecert.rebuild_tree().';
    END IF;
    IF old_root IS NOT NULL AND ecert.holds_all() AND ecert.tree_root(old_size) <> old_root THEN
        RAISE EXCEPTION USING ERRCODE = 'EC103', MESSAGE = 'this node''s tree is damaged',
            DETAIL = format('Of size %s it has root %s by ledger.tile, and %s by ledger.sealing.', old_size, encode(ecert.tree_root(old_size), 'hex'), encode(old_root, 'hex')),
            HINT = 'Run SELECT ecert.rebuild_tree().';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_tree(bigint, bigint, bytea) IS 'internal: raises EC103 when tiles and leaf ranges are not what was found for the sealing before a checkpoint';

CREATE FUNCTION ecert.take_up(checkpoint_seq bigint, body jsonb, OUT size bigint, OUT root bytea, OUT fault text) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    part bigint := coalesce((body -> 'part' ->> 0)::bigint, 1);
    parts bigint := coalesce((body -> 'part' ->> 1)::bigint, 1);
    sealing_seq bigint := checkpoint_seq + parts - part;
    before ledger.sealing := (SELECT s FROM ledger.sealing s WHERE s.checkpoint_seq < take_up.checkpoint_seq AND s.sealing_seq IS NOT NULL ORDER BY s.checkpoint_seq DESC LIMIT 1);
    old_size bigint := coalesce(before.size, 1);
    is_unknown boolean := NOT ecert.holds_all();
BEGIN
    IF EXISTS (SELECT FROM ledger.leaf_range r WHERE r.checkpoint_seq > coalesce(before.sealing_seq, -1) AND r.checkpoint_seq < take_up.checkpoint_seq) THEN
        RAISE EXCEPTION USING ERRCODE = 'EC100', MESSAGE = format('checkpoint %s cannot be taken up before the one before it', checkpoint_seq),
            HINT = 'Run SELECT ecert.take_up_checkpoints().';
    END IF;
    IF part = 1 THEN
        PERFORM ecert.check_tree(checkpoint_seq, old_size, before.root);
    END IF;
    SELECT format('checkpoint''s head %s of "%s" does not advance (it names seq %s, an earlier checkpoint %s)', h.kind, h.issuer, h.seq, r.last_seq) INTO fault
      FROM ecert.heads(body) AS h
     CROSS JOIN LATERAL (SELECT l.last_seq FROM ledger.leaf_range l
                          WHERE l.issuer = h.issuer AND l.kind = h.kind AND l.checkpoint_seq < take_up.checkpoint_seq ORDER BY l.checkpoint_seq DESC LIMIT 1) AS r
     WHERE r.last_seq >= h.seq ORDER BY h.number LIMIT 1;
    -- leaves of one part lie behind those of another, as heads do
    SELECT old_size + coalesce(sum(r.last_seq - r.first_seq + 1), 0)::bigint INTO size
      FROM ledger.leaf_range r
     WHERE r.checkpoint_seq = sealing_seq
       AND (parts = 1 OR r.first_index >= old_size AND (r.issuer, r.kind) <= ((body #>> '{heads,-1,0}') COLLATE "C", (body #>> '{heads,-1,1}') COLLATE "C"));
    IF fault IS NULL AND size <> (body ->> 'size')::bigint THEN
        fault := format('checkpoint''s size is %s, the packages it covers make %s', body ->> 'size', size);
    END IF;
    -- behind a package that is not here there is no tree to go on from
    IF NOT is_unknown AND (before.checkpoint_seq IS NULL OR before.root IS NOT NULL) THEN
        root := ecert.append_leaves(sealing_seq, CASE WHEN before.checkpoint_seq IS NULL THEN 0 ELSE old_size END, size);
        IF root IS NULL THEN
            fault := coalesce(fault, (
                SELECT format('checkpoint names %s %s of "%s", which is not on the ledger', h.kind, h.seq, h.issuer) FROM ecert.heads(body) AS h
                 WHERE NOT EXISTS (SELECT FROM ledger.package p WHERE p.issuer = h.issuer AND p.kind = h.kind AND p.seq = h.seq) ORDER BY h.number LIMIT 1),
                'a package that the checkpoint covers is not on the ledger');
        ELSIF fault IS NULL AND root <> decode(body ->> 'root', 'hex') THEN
            fault := format('checkpoint''s root is not that of the packages it covers (signed %s, computed %s)', body ->> 'root', encode(root, 'hex'));
        END IF;
    END IF;
    -- where an earlier one could not be computed, there is no tree to go on from either
    is_unknown := is_unknown OR coalesce(before.outcome = 'not checkable here', false);
    IF part = parts THEN
        PERFORM ecert.judge_covered(sealing_seq);
    END IF;
    INSERT INTO ledger.sealing (checkpoint_seq, sealing_seq, size, root, outcome, detail) VALUES (checkpoint_seq, sealing_seq, size, root,
           CASE WHEN fault IS NOT NULL THEN 'differs' WHEN root IS NOT NULL THEN 'agrees' WHEN is_unknown THEN 'not checkable here' ELSE 'differs' END,
           CASE WHEN fault IS NOT NULL THEN fault WHEN root IS NOT NULL THEN NULL
                WHEN NOT is_unknown THEN 'an earlier checkpoint differs'
                WHEN ecert.holds_all() THEN 'this node was not sent all feeds before: run SELECT ecert.rebuild_tree()' END);
    -- the certifier makes one that is not there yet
    INSERT INTO ledger.finding (issuer, kind, seq, problem)
    SELECT p.issuer, p.kind, p.seq, f.problem FROM ecert.sealing_fault(checkpoint_seq) AS f (problem)
      JOIN ledger.package p ON p.issuer = ecert.certifier() AND p.kind = 'checkpoint' AND p.seq = take_up.checkpoint_seq
     WHERE fault IS NOT NULL AND f.problem IS NOT NULL ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION ecert.take_up(bigint, jsonb) IS 'internal: append the packages of a checkpoint whose sealing is in ledger.leaf_range to the tree and write down in ledger.sealing what was found; returns the size that the heads make, the root (NULL: not all packages are here) and in what the checkpoint differs (NULL: in nothing that can be told here)';

CREATE FUNCTION ecert.take_up_parts(first_seq bigint, last_seq bigint) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(ecert.take_up(c.seq, c.body))
      FROM (SELECT p.seq, ecert.body(p.package) AS body FROM ledger.package p
             WHERE p.issuer = ecert.certifier() AND p.kind = 'checkpoint' AND p.seq BETWEEN first_seq AND last_seq ORDER BY p.seq) AS c
$$;
COMMENT ON FUNCTION ecert.take_up_parts(bigint, bigint) IS 'internal: ecert.take_up() of checkpoints on the ledger, in their order; returns how many';

CREATE FUNCTION ecert.leave_out(checkpoint_seq bigint, problem text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO ledger.sealing (checkpoint_seq, size, outcome, detail)
    SELECT leave_out.checkpoint_seq, coalesce((SELECT s.size FROM ledger.sealing s WHERE s.sealing_seq IS NOT NULL ORDER BY s.checkpoint_seq DESC LIMIT 1), 1), 'differs', problem;
    INSERT INTO ledger.finding (issuer, kind, seq, problem) VALUES (ecert.certifier(), 'checkpoint', leave_out.checkpoint_seq, leave_out.problem)
    ON CONFLICT ON CONSTRAINT finding_pkey DO UPDATE SET problem = EXCLUDED.problem
$$;
COMMENT ON FUNCTION ecert.leave_out(bigint, text) IS 'internal: write down that a checkpoint covers nothing, and why; the tree stays as it is';

CREATE FUNCTION ecert.take_up_checkpoints() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    next record;
    taken_up bigint := 0;
BEGIN
    -- who has the lock does it, or the next round of duties will: replication waits for nobody here
    IF NOT ecert.try_lock('tree') THEN
        RETURN 0;
    END IF;
    PERFORM ecert.look_again();
    FOR next IN
        SELECT p.seq, s.first_seq, s.last_seq, s.problem FROM ledger.package p CROSS JOIN LATERAL ecert.sealing_at(p.seq) AS s
         WHERE p.issuer = ecert.certifier() AND p.kind = 'checkpoint'
           AND p.seq > coalesce((SELECT s.checkpoint_seq FROM ledger.sealing s ORDER BY s.checkpoint_seq DESC LIMIT 1), -1) ORDER BY p.seq
    LOOP
        -- what an exchange of stories brings may have had it taken up already
        CONTINUE WHEN EXISTS (SELECT FROM ledger.sealing s WHERE s.checkpoint_seq = next.seq);
        IF next.problem IS NOT NULL THEN
            PERFORM ecert.leave_out(next.seq, next.problem);
            taken_up := taken_up + 1;
        ELSIF next.seq = next.last_seq THEN
            PERFORM ecert.cover(next.last_seq, ecert.heads_between(next.first_seq, next.last_seq));
            IF NOT ecert.exchange_stories(next.first_seq, next.last_seq) THEN
                EXIT WHEN ecert.waits_for_packages(next.last_seq);
                PERFORM ecert.take_up_parts(next.first_seq, next.last_seq);
            END IF;
            taken_up := taken_up + next.last_seq - next.first_seq + 1;
        END IF;
    END LOOP;
    -- what came behind its checkpoint, because it had been refused before
    PERFORM ecert.judge_covered(n.checkpoint_seq)
       FROM (SELECT DISTINCT ecert.sealed_by(f.issuer, f.kind, f.seq) FROM ledger.finding f WHERE f.problem IS NULL ORDER BY 1) AS n (checkpoint_seq)
       JOIN ledger.sealing s USING (checkpoint_seq);
    RETURN taken_up;
END
$$;
COMMENT ON FUNCTION ecert.take_up_checkpoints() IS 'compute the checkpoints that this node has and has not computed yet, and compare their roots, those of a sealing of several parts when the last has come; happens by itself when a checkpoint comes and in every round of duties. Returns how many; 0 also when another session is at it';

CREATE FUNCTION ecert.rebuild_tree() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    PERFORM ecert.take_lock('tree');
    DELETE FROM ledger.tile;
    DELETE FROM ledger.leaf_range;
    DELETE FROM ledger.sealing;
    -- what was sealed may not be any more
    PERFORM ecert.forget_keeper('sealing');
    -- what a checkpoint covers is known before its packages, and those before it, are here
    FOR made IN SELECT p.seq FROM ledger.package p WHERE p.issuer = ecert.certifier() AND p.kind = 'checkpoint' ORDER BY p.seq LOOP
        PERFORM ecert.cover_sealing(made.seq);
    END LOOP;
    RETURN ecert.take_up_checkpoints();
END
$$;
COMMENT ON FUNCTION ecert.rebuild_tree() IS 'make the Merkle tree anew from the ledger, for instance after lost packages have come back, or when this node is sent all feeds from now on; returns the number of checkpoints. Who asks for a receipt meanwhile sees the old tree';

CREATE FUNCTION ecert.take_up_behind() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM ecert.take_up_checkpoints();
EXCEPTION WHEN OTHERS THEN
    -- a tree that somebody has damaged must not stop what brings packages
    RAISE WARNING USING MESSAGE = format('checkpoints could not be computed: %s', SQLERRM), ERRCODE = SQLSTATE,
        HINT = 'Run SELECT ecert.rebuild_tree().';
END
$$;
COMMENT ON FUNCTION ecert.take_up_behind() IS 'internal: ecert.take_up_checkpoints() behind a checkpoint that has come; raises nothing';

CREATE FUNCTION ecert.take_up_new() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'ecert_take_up_new';
COMMENT ON FUNCTION ecert.take_up_new() IS 'trigger of ledger.package: computes a checkpoint that has come';

-- Admission

CREATE FUNCTION ecert.try_part(p ecert.package, body jsonb, OUT size bigint, OUT root bytea, OUT fault text) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seq bigint := ecert.seq(p);
    part bigint := coalesce((body -> 'part' ->> 0)::bigint, 1);
    parts bigint := coalesce((body -> 'part' ->> 1)::bigint, 1);
BEGIN
    PERFORM ecert.cover(seq + parts - part, coalesce(ecert.heads_between(seq - part + 1, seq - 1), '[]') || (body -> 'heads'));
    PERFORM ecert.take_up_parts(seq - part + 1, seq - 1);
    SELECT t.* INTO size, root, fault FROM ecert.take_up(seq, body) AS t;
    IF part < parts THEN
        -- while the last part is missing the others cover nothing
        RAISE EXCEPTION USING ERRCODE = 'EC101';
    END IF;
EXCEPTION WHEN SQLSTATE 'EC101' THEN
    RETURN;
END
$$;
COMMENT ON FUNCTION ecert.try_part(ecert.package, jsonb) IS 'internal: ecert.take_up() for a checkpoint that is to be admitted; of a part that is not the last nothing stays but what was found';

CREATE FUNCTION ecert.check_sealing(p ecert.package) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    body jsonb := ecert.body(p);
    made record;
BEGIN
    SELECT s.size, s.root, s.detail AS fault INTO made FROM ledger.sealing s WHERE s.checkpoint_seq = ecert.seq(p);
    IF NOT FOUND THEN
        PERFORM ecert.take_lock('tree');
        PERFORM ecert.take_up_checkpoints();
        SELECT t.* INTO made FROM ecert.try_part(p, body) AS t;
    END IF;
    IF made.fault IS NOT NULL OR made.root IS NULL OR made.size <> (body ->> 'size')::bigint OR made.root <> decode(body ->> 'root', 'hex') THEN
        RAISE EXCEPTION USING ERRCODE = 'EC101', MESSAGE = 'checkpoint is not of this ledger',
            DETAIL = coalesce(made.fault || '.', format('It states size %s and root %s; the ledger makes %s and %s.', body ->> 'size', body ->> 'root', made.size, encode(made.root, 'hex'))),
            HINT = 'ecert.checkpoint() makes checkpoints.';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_sealing(ecert.package) IS 'internal: where a checkpoint is first admitted, its size and root are those of the packages that it covers; EC101';

-- Making one

CREATE FUNCTION ecert.unsealed_in(feeds ecert.feed[], OUT issuer text, OUT kind text, OUT first_seq bigint, OUT last_seq bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT f.issuer, f.kind, f.first_seq, f.last_seq
      FROM (SELECT m.issuer, m.kind, h.seq AS last_seq,
                   coalesce((SELECT r.last_seq FROM ledger.leaf_range r WHERE r.issuer = m.issuer AND r.kind = m.kind ORDER BY r.last_seq DESC LIMIT 1), -1) + 1 AS first_seq
              FROM unnest(feeds) AS m
             CROSS JOIN LATERAL (SELECT p.seq FROM ledger.package p WHERE p.issuer = m.issuer AND p.kind = m.kind ORDER BY p.seq DESC LIMIT 1) AS h
             WHERE m.kind <> 'genesis') AS f
     WHERE f.first_seq <= f.last_seq ORDER BY f.issuer COLLATE "C", f.kind COLLATE "C"
$$;
COMMENT ON FUNCTION ecert.unsealed_in(ecert.feed[]) IS 'internal: of these feeds, those of ecert.unsealed()';

CREATE FUNCTION ecert.unsealed(OUT issuer text, OUT kind text, OUT first_seq bigint, OUT last_seq bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT u.* FROM ecert.unsealed_in(ARRAY(SELECT (f.issuer, f.kind)::ecert.feed FROM ecert.feeds() AS f)) AS u $$;
COMMENT ON FUNCTION ecert.unsealed() IS 'the feeds with packages that are under no checkpoint yet, by issuer and kind in byte order, and the first and last of these; looks at every feed';

CREATE FUNCTION ecert.unsealed_moved(OUT issuer text, OUT kind text, OUT first_seq bigint, OUT last_seq bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT u.* FROM ecert.unsealed_in(ARRAY(SELECT (m.issuer, m.kind)::ecert.feed FROM ecert.moved('sealing') AS m)) AS u $$;
COMMENT ON FUNCTION ecert.unsealed_moved() IS 'internal: the same as ecert.unsealed(), looking only at feeds that have moved since all that was there was sealed';

CREATE FUNCTION ecert.follow_sealings() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    look ecert.look;
    unsealed ecert.feed[];
BEGIN
    -- whoever seals, or makes the tree anew, keeps for itself
    IF ecert.try_lock('tree') THEN
        look := ecert.look_moved('sealing');
        unsealed := ARRAY(SELECT (u.issuer, u.kind)::ecert.feed FROM ecert.unsealed_in(look.feeds) AS u);
        -- where none has been sealed there is nothing to write down
        IF cardinality(unsealed) < cardinality(look.feeds) THEN
            PERFORM ecert.keep_moved(look);
            PERFORM ecert.note_moved(unsealed);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.follow_sealings() IS 'internal: from now on, of the feeds that moved, sealing is told only those with packages that are under no checkpoint yet';

CREATE FUNCTION ecert.check_leaf_ranges(feeds ecert.feed[]) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    since timestamptz;
    damaged bigint;
BEGIN
    -- what came before the newest checkpoint and is unsealed was committed behind it, or its rows are lost: only then are rows counted
    SELECT min((SELECT p.recorded_at FROM ledger.package p WHERE p.issuer = u.issuer AND p.kind = u.kind AND p.seq = u.first_seq)) INTO since
      FROM ecert.unsealed_in(feeds) AS u;
    SELECT s.checkpoint_seq INTO damaged
      FROM ledger.package c
      JOIN ledger.sealing s ON s.checkpoint_seq = c.seq
      LEFT JOIN LATERAL (SELECT o.size FROM ledger.sealing o WHERE o.checkpoint_seq < s.checkpoint_seq AND o.sealing_seq < s.sealing_seq ORDER BY o.checkpoint_seq DESC LIMIT 1) AS b ON true
     WHERE s.sealing_seq = s.checkpoint_seq AND c.issuer = ecert.certifier() AND c.kind = 'checkpoint' AND c.recorded_at > since
       AND s.size - coalesce(b.size, 1) <> (SELECT coalesce(sum(r.last_seq - r.first_seq + 1), 0) FROM ledger.leaf_range r WHERE r.checkpoint_seq = s.checkpoint_seq)
     ORDER BY s.checkpoint_seq LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'EC103', MESSAGE = 'this node''s tree is damaged',
            DETAIL = format('In ledger.leaf_range rows of checkpoint %s are missing or changed.', damaged), HINT = 'Run SELECT ecert.rebuild_tree().';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_leaf_ranges(ecert.feed[]) IS 'internal: before these feeds are sealed, that none of their packages is taken for unsealed because rows of ledger.leaf_range are lost; EC103';

CREATE FUNCTION ecert.seal(next_seq bigint, heads jsonb, part jsonb DEFAULT NULL) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    IF part IS NULL THEN
        PERFORM ecert.cover(next_seq, heads);
    END IF;
    SELECT t.* INTO made FROM ecert.take_up(next_seq, jsonb_strip_nulls(jsonb_build_object('heads', heads, 'part', part))) AS t;
    IF made.root IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC101', MESSAGE = 'this ledger cannot be sealed', DETAIL = coalesce(made.fault, 'An earlier checkpoint differs from it') || '.',
            HINT = 'SELECT * FROM ecert.problems() tells what is wrong with it.';
    END IF;
    RETURN ecert.append('checkpoint', jsonb_strip_nulls(jsonb_build_object(
        'size', made.size, 'root', encode(made.root, 'hex'), 'tree', 1, 'heads', heads, 'part', part,
        'seals', jsonb_build_array(ecert.seal_root(made.size, made.root)),
        -- who reads notes knows nothing of parts
        'note', CASE WHEN part IS NULL OR part -> 0 = part -> 1 THEN ecert.sign_note(made.size, made.root) END)));
END
$$;
COMMENT ON FUNCTION ecert.seal(bigint, jsonb, jsonb) IS 'internal: the next checkpoint of this node''s feed, over these heads [[issuer, kind, seq]]; as part [i, n] of a sealing all of whose heads ecert.cover() has been given, or whole. Returns its hash. EC101';

CREATE FUNCTION ecert.unsealed_heads(feeds ecert.feed[]) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    moved record;
    heads jsonb[] := '{}';
    bytes bigint := 0;
BEGIN
    -- one snapshot of all of them
    FOR moved IN SELECT u.issuer, u.kind, u.last_seq FROM ecert.unsealed_in(feeds) AS u LOOP
        -- at most in CBOR: [ issuer, kind, seq ]; of the 65535 bytes of a package 50000 are for heads
        bytes := bytes + octet_length(moved.issuer) + octet_length(moved.kind) + 14;
        IF bytes > 50000 THEN
            RETURN NEXT to_jsonb(heads);
            heads := '{}';
            bytes := octet_length(moved.issuer) + octet_length(moved.kind) + 14;
        END IF;
        heads := heads || jsonb_build_array(moved.issuer, moved.kind, moved.last_seq);
    END LOOP;
    IF cardinality(heads) > 0 THEN
        RETURN NEXT to_jsonb(heads);
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.unsealed_heads(ecert.feed[]) IS 'internal: of these feeds, the heads [[issuer, kind, seq]] of those with packages that are under no checkpoint yet, as many in a row as a package holds';

CREATE FUNCTION ecert.complete_sealing(newest_seq bigint, feeds ecert.feed[]) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    begun record;
    named jsonb;
    heads jsonb[];
    missing bigint;
BEGIN
    SELECT s.first_seq, s.last_seq INTO begun FROM ecert.sealing_at(newest_seq) AS s WHERE s.last_seq > newest_seq;
    IF NOT FOUND THEN
        RETURN newest_seq;
    END IF;
    named := ecert.heads_between(begun.first_seq, newest_seq);
    missing := begun.last_seq - newest_seq;
    heads := ARRAY(SELECT jsonb_build_array(u.issuer, u.kind, u.last_seq) FROM ecert.unsealed_in(feeds) AS u
                    WHERE (u.issuer, u.kind) > ((named #>> '{-1,0}') COLLATE "C", (named #>> '{-1,1}') COLLATE "C")
                    ORDER BY u.issuer COLLATE "C", u.kind COLLATE "C" LIMIT missing);
    IF cardinality(heads) < missing THEN
        RAISE EXCEPTION USING ERRCODE = 'EC101', MESSAGE = format('the sealing that checkpoint %s began cannot be completed yet', begun.first_seq),
            DETAIL = format('It takes %s feeds behind %s of "%s", in byte order, with packages that are under no checkpoint; there are %s.',
                            missing, named #>> '{-1,1}', named #>> '{-1,0}', cardinality(heads)),
            HINT = 'The parts that are missing were lost; what was in them comes again from those who issued it.';
    END IF;
    PERFORM ecert.cover(begun.last_seq, named || to_jsonb(heads));
    PERFORM ecert.take_up_parts(begun.first_seq, newest_seq);
    FOR n IN 1 .. missing LOOP
        PERFORM ecert.seal(newest_seq + n, jsonb_build_array(heads[n]), jsonb_build_array(newest_seq + n - begun.first_seq + 1, begun.last_seq - begun.first_seq + 1));
    END LOOP;
    RETURN begun.last_seq;
END
$$;
COMMENT ON FUNCTION ecert.complete_sealing(bigint, ecert.feed[]) IS 'internal: make the parts that are missing of a sealing that the newest checkpoint does not complete, as after a restore, each over one of these feeds; returns the seq of the newest checkpoint then. EC101';

CREATE FUNCTION ecert.seal_moved(anyway boolean) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    me text := ecert.this_node();
    next_seq bigint;
    look ecert.look;
    heads jsonb[];
    parts integer;
    newest bytea;
BEGIN
    IF me <> ecert.certifier() THEN
        RAISE EXCEPTION USING ERRCODE = 'EC011', MESSAGE = format('node "%s" may not issue checkpoint packages', me),
            DETAIL = format('The certifier is "%s".', ecert.certifier());
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- an old snapshot does not see what has been sealed meanwhile
        RAISE EXCEPTION USING ERRCODE = 'invalid_transaction_state', MESSAGE = 'a checkpoint is made in READ COMMITTED',
            DETAIL = format('This transaction is %s.', upper(current_setting('transaction_isolation'))), HINT = 'Run SELECT ecert.checkpoint() in a transaction of its own before this one.';
    END IF;
    -- two who seal at once wait for each other, and who issues what rests on a checkpoint waits for them; no insert of another kind does
    PERFORM ecert.hold_checkpoint();
    PERFORM ecert.take_lock('tree');
    PERFORM ecert.take_up_checkpoints();
    SELECT coalesce(max(p.seq) + 1, 0) INTO next_seq FROM ledger.package p WHERE p.issuer = me AND p.kind = 'checkpoint';
    look := ecert.look_moved('sealing');
    PERFORM ecert.check_leaf_ranges(look.feeds);
    next_seq := ecert.complete_sealing(next_seq - 1, look.feeds) + 1;
    heads := ARRAY(SELECT ecert.unsealed_heads(look.feeds));
    parts := cardinality(heads);
    -- the newest checkpoint itself gives no reason for another one, but that it is too old
    IF parts > 0 AND (anyway OR heads[1] <> jsonb_build_array(jsonb_build_array(me, 'checkpoint', next_seq - 1))) THEN
        PERFORM ecert.keep_moved(look);
        PERFORM ecert.cover(next_seq + parts - 1, (SELECT jsonb_agg(h.value ORDER BY p.ordinality, h.ordinality)
                                                     FROM unnest(heads) WITH ORDINALITY AS p (heads, ordinality) CROSS JOIN LATERAL jsonb_array_elements(p.heads) WITH ORDINALITY AS h))
          WHERE parts > 1;
        FOR part IN 1 .. parts LOOP
            newest := ecert.seal(next_seq + part - 1, heads[part], CASE WHEN parts > 1 THEN jsonb_build_array(part, parts) END);
        END LOOP;
        RETURN newest;
    END IF;
    PERFORM ecert.follow_sealings();
    RETURN (SELECT p.hash FROM ledger.package p WHERE p.issuer = me AND p.kind = 'checkpoint' AND p.seq = next_seq - 1);
END
$$;
COMMENT ON FUNCTION ecert.seal_moved(boolean) IS 'internal: ecert.checkpoint(); anyway: also when nothing but the newest checkpoint itself is unsealed';

CREATE FUNCTION ecert.checkpoint() RETURNS bytea
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT ecert.seal_moved(false) $$;
COMMENT ON FUNCTION ecert.checkpoint() IS 'certifier: seal what was admitted since the last checkpoint: append its leaves to the Merkle tree, sign the root, put the checkpoint on the ledger. Feeds that do not fit in one go into several, parts of one sealing, made at once. Returns the hash of the newest checkpoint, NULL when there is none and nothing to seal. Takes no lock that an insert waits for, but of certificates, statuses and rewards. EC011, EC094, EC101, EC103, 25000 in another isolation level than READ COMMITTED';

CREATE FUNCTION ecert.has_unsealed() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM ecert.unsealed_moved() AS u WHERE u.kind NOT IN ('checkpoint', 'witness')) $$;
COMMENT ON FUNCTION ecert.has_unsealed() IS 'whether something is under no checkpoint yet, other than checkpoints and their witnesses, which alone give no reason for another one';

CREATE FUNCTION ecert.seal_within() RETURNS interval
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
-- of more than a hundred years an interval of seconds need not be made
AS $$ SELECT make_interval(secs => least((ecert.policy() -> 'certificate' ->> 'seal_within')::double precision, 3155760000)) $$;
COMMENT ON FUNCTION ecert.seal_within() IS 'how long after its checkpoint a certificate, status or reward may be issued, and how long checkpoints may pass a package over that has come: the policy''s certificate.seal_within';

CREATE FUNCTION ecert.passed_over(OUT issuer text, OUT kind text, OUT first_seq bigint, OUT last_seq bigint, OUT recorded_at timestamptz) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    -- by this server's clock, which the certifier does not set
    WITH newest AS MATERIALIZED (
        SELECT c.recorded_at FROM ledger.sealing s
          JOIN ledger.package c ON c.issuer = ecert.certifier() AND c.kind = 'checkpoint' AND c.seq = s.checkpoint_seq
         WHERE s.sealing_seq = s.checkpoint_seq ORDER BY s.checkpoint_seq DESC LIMIT 2)
    SELECT u.issuer, u.kind, u.first_seq, u.last_seq, p.recorded_at
      FROM (SELECT min(n.recorded_at), max(n.recorded_at) FROM newest n HAVING count(*) = 2) AS t (earlier, later)
     CROSS JOIN LATERAL ecert.unsealed_moved() AS u
      JOIN ledger.package p ON p.issuer = u.issuer AND p.kind = u.kind AND p.seq = u.first_seq
     WHERE p.recorded_at < t.earlier AND p.recorded_at < t.later - ecert.seal_within()
     ORDER BY p.recorded_at, u.issuer, u.kind
$$;
COMMENT ON FUNCTION ecert.passed_over() IS 'the feeds with packages that this node holds and that two sealings have passed over, the later one having come more than ecert.seal_within() after them: first_seq, when it came, and last_seq. The certifier leaves them out, or they do not reach it';

CREATE FUNCTION ecert.newest_checkpoint(OUT seq bigint, OUT hash bytea, OUT issued_at timestamptz, OUT body jsonb) RETURNS record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.seq, p.hash, p.issued_at, ecert.body(p.package) FROM ledger.package p
     WHERE p.issuer = ecert.certifier() AND p.kind = 'checkpoint'
       AND p.seq = (SELECT r.checkpoint_seq FROM ledger.leaf_range r ORDER BY r.checkpoint_seq DESC LIMIT 1)
$$;
COMMENT ON FUNCTION ecert.newest_checkpoint() IS 'internal: the newest checkpoint on this ledger that covers something, of a sealing of several parts the last; NULLs when there is none';

CREATE FUNCTION ecert.checkpoint_is_due() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN i.seconds > 0
                 AND coalesce((SELECT n.issued_at FROM ecert.newest_checkpoint() AS n), '-infinity') <= clock_timestamp() - make_interval(secs => i.seconds)
                THEN ecert.has_unsealed() ELSE false END
      FROM (SELECT s.setting::integer FROM pg_settings s WHERE s.name = 'ecert.checkpoint_interval') AS i (seconds)
$$;
COMMENT ON FUNCTION ecert.checkpoint_is_due() IS 'certifier: whether ecert.checkpoint_interval is over since the last checkpoint and something but checkpoints and witnesses is new';

-- Receipts

CREATE FUNCTION ecert.receipt(hash bytea) RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_receipt';
COMMENT ON FUNCTION ecert.receipt(bytea) IS 'the COSE receipt of inclusion (RFC 9942, RFC9162_SHA256) of the package with that hash under the newest checkpoint that this node has found right; whoever has it and the public half of the certifier''s seal key can check offline that the package is on the ledger. EC102 when it is under no checkpoint yet, EC103 when this node has no tree or a damaged one, P0002 when there is no such package';

CREATE FUNCTION ecert.transparent(hash bytea) RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_transparent';
COMMENT ON FUNCTION ecert.transparent(bytea) IS 'the transparent statement (RFC 9943) of the package with that hash: the package with its receipt in the unprotected header (394); what the holder of a certificate keeps on file. Errors as ecert.receipt()';

CREATE FUNCTION ecert.verify_receipt(package ecert.package, receipt bytea, public_key text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_verify_receipt';
COMMENT ON FUNCTION ecert.verify_receipt(ecert.package, bytea, text) IS 'whether receipt is a COSE receipt (RFC 9942) that proves that the package is in a tree of its ledger whose root the owner of the public key (PEM) has signed; false for anything else, malformed receipts included; NULL for one that cannot be checked here: of an algorithm or data structure that is not known, with several proofs, larger than 8 kB. EC095 for a text that is no public key';

CREATE FUNCTION ecert.receipt_root(receipt bytea, hash bytea, OUT size bigint, OUT root bytea) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_receipt_root';
COMMENT ON FUNCTION ecert.receipt_root(bytea, bytea) IS 'internal: size and root of the tree to which a receipt leads from the package with that hash; NULLs when it leads to none. Who has signed the receipt is not looked at';

CREATE FUNCTION ecert.verify_transparent(statement bytea, public_key text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_verify_transparent';
COMMENT ON FUNCTION ecert.verify_transparent(bytea, text) IS 'whether a receipt in a transparent statement holds under the public key (PEM): one is enough, whatever else is in the unprotected header, which nobody has signed. False when none holds and one that names the key is wrong, or when it is no statement; NULL when nothing in it can be checked under that key. ecert.statement_parts() gives the reasons; the package''s own signature is ecert.is_signed_by()''s business. EC095';

CREATE FUNCTION ecert.statement_parts(statement bytea, public_key text, OUT part text, OUT outcome text, OUT detail text) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_statement_parts';
COMMENT ON FUNCTION ecert.statement_parts(bytea, text) IS 'what ecert.verify_transparent() found for each receipt, and for each other entry of the unprotected header: holds, wrong (it names the key and does not hold), not checked; and why. EC095; EC001 for what is no transparent statement, 54000 for one that is nested deeper than can be read here';

CREATE FUNCTION ecert.statement_package(statement bytea) RETURNS ecert.package
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_statement_package';
COMMENT ON FUNCTION ecert.statement_package(bytea) IS 'the package of a transparent statement, as it was signed. EC001, 54000';
