-- Witnesses: auditors who put their name to it that the checkpoints they saw are one ledger. And forks, where they are not.

CREATE FUNCTION ecert.cosign(size bigint, root bytea, seconds bigint) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_cosign';
COMMENT ON FUNCTION ecert.cosign(bigint, bytea, bigint) IS 'internal: this node''s C2SP cosignature line (tlog-cosignature), by the key of ecert.witness_key, over the note of a checkpoint of that size and root, made at a time in seconds since 1970 UTC; NULL when that is not set or not Ed25519, or this node''s id or the origin has white space or a plus sign';

CREATE FUNCTION ecert.read_note(note text, OUT origin text, OUT size bigint, OUT root bytea, OUT is_signed boolean) RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_read_note';
COMMENT ON FUNCTION ecert.read_note(text) IS 'what a C2SP signed note with a checkpoint says (origin, size, root of 32 bytes), and whether the certifier of this ledger has signed it; NULL when it is none. Reads 16 signatures of 5 kB and more; 54000 for a note beyond 128 kB';

CREATE FUNCTION ecert.note_key(witness text DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_note_key';
COMMENT ON FUNCTION ecert.note_key(text) IS 'the verifier key that C2SP tools are given: of the log (its name is the origin, its key the certifier''s for seals), or of a node that cosigns its notes (its witness key); NULL where there is none in use, or it is not Ed25519, or the name has white space or a plus sign';

CREATE FUNCTION ecert.is_certifiers_checkpoint(p ecert.package) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_is_certifiers_checkpoint';
COMMENT ON FUNCTION ecert.is_certifiers_checkpoint(ecert.package) IS 'whether a package is a checkpoint of this ledger, whole in itself, and signed and sealed with keys of the certifier; whether it is on this ledger is another question';

-- Witnessing

CREATE FUNCTION ecert.last_witnessed(OUT checkpoint_hash bytea, OUT size bigint, OUT root bytea) RETURNS record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.checkpoint_hash, s.size, s.root
      FROM (SELECT w.checkpoint_hash, w.size, w.root FROM ledger.witnessed w WHERE w.node = ecert.this_node()
            UNION ALL
            -- a backup may bring back an older memory; what this node signed comes back from its peers
            SELECT decode(n.body ->> 'checkpoint', 'hex'), (n.body ->> 'size')::bigint, decode(n.body ->> 'root', 'hex')
              FROM (SELECT ecert.body(p.package) AS body FROM ledger.package p WHERE p.issuer = ecert.this_node() AND p.kind = 'witness' ORDER BY p.seq DESC LIMIT 1) AS n) AS s
     ORDER BY s.size DESC LIMIT 1
$$;
COMMENT ON FUNCTION ecert.last_witnessed() IS 'internal: the checkpoint that this node witnessed last, by its memory or its own packages, whichever goes further; NULL when it never did';

CREATE FUNCTION ecert.check_against_witnessed(size bigint, root bytea) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen record;
    connection text;
    proof bytea[];
    doubt text;
BEGIN
    SELECT w.* INTO seen FROM ecert.last_witnessed() AS w;
    IF seen.size IS NULL OR seen.size = check_against_witnessed.size AND seen.root = check_against_witnessed.root THEN
        RETURN;
    ELSIF seen.size >= check_against_witnessed.size THEN
        doubt := 'It is not larger than the one before.';
    ELSIF ecert.holds_all() THEN
        proof := ecert.consistency(seen.size, check_against_witnessed.size);
    ELSE
        -- without a tree of its own a node takes the hub's word, and checks it
        connection := (SELECT ecert.peer_connection(p.peer) FROM ledger.peer p WHERE p.is_hub);
        IF connection IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = 'this node is not sent all feeds, and has no hub to ask for a proof';
        END IF;
        proof := ARRAY(SELECT h.value::bytea FROM jsonb_array_elements_text(ecert.ask(connection,
                    format('SELECT ecert.consistency(%s, %s) AS proof', seen.size, check_against_witnessed.size)) -> 0 -> 'proof') WITH ORDINALITY AS h ORDER BY h.ordinality);
    END IF;
    IF NOT ecert.verify_consistency(seen.size, seen.root, check_against_witnessed.size, check_against_witnessed.root, proof) THEN
        doubt := 'No proof shows that it goes on from the one before.';
    END IF;
    IF doubt IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC105', MESSAGE = 'the checkpoint is not consistent with the one that this node witnessed before',
            DETAIL = format('%s Before: size %s, root %s; now: size %s, root %s.', doubt, seen.size, encode(seen.root, 'hex'),
                            check_against_witnessed.size, encode(check_against_witnessed.root, 'hex')),
            HINT = 'Compare checkpoints with other nodes: SELECT * FROM ecert.compare_checkpoint(...). Two that contradict each other are a proof.';
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.check_against_witnessed(bigint, bytea) IS 'internal: raises EC105 when a checkpoint of that size and root is not consistent (RFC 9162 section 2.1.4) with the one that this node witnessed last; from its own tree, or with a proof of its hub';

CREATE FUNCTION ecert.witness(cosignature text DEFAULT NULL) RETURNS bytea
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
    me text := ecert.this_node();
    newest record;
    size bigint;
    root bytea;
    now_seconds bigint := ecert.unix_seconds(clock_timestamp());
    taken record;
BEGIN
    SELECT n.* INTO newest FROM ecert.newest_checkpoint() AS n;
    IF newest.hash IS NULL OR newest.hash = (SELECT w.checkpoint_hash FROM ecert.last_witnessed() AS w) THEN
        RETURN NULL;
    END IF;
    size := (newest.body ->> 'size')::bigint;
    root := decode(newest.body ->> 'root', 'hex');
    PERFORM ecert.take_up_checkpoints();
    SELECT s.outcome, s.detail INTO taken FROM ledger.sealing s WHERE s.checkpoint_seq = newest.seq;
    IF taken.outcome IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC102', MESSAGE = 'the newest checkpoint has not been computed here yet',
            DETAIL = format('Checkpoint %s; another session is at it.', newest.seq), HINT = 'Try again when it is done.';
    ELSIF taken.outcome = 'differs' THEN
        RAISE EXCEPTION USING ERRCODE = 'EC105', MESSAGE = 'this node does not witness a checkpoint that its own ledger does not make',
            DETAIL = format('Checkpoint %s: %s.', newest.seq, taken.detail),
            HINT = 'ledger.checkpoint and ledger.health show where they differ.';
    END IF;
    PERFORM ecert.check_against_witnessed(size, root);
    -- what is witnessed is written down before the answer is signed, and both become visible together
    INSERT INTO ledger.witnessed (node, checkpoint_hash, size, root, witnessed_at) VALUES (me, newest.hash, size, root, clock_timestamp())
    ON CONFLICT ON CONSTRAINT witnessed_pkey DO UPDATE
       SET checkpoint_hash = EXCLUDED.checkpoint_hash, size = EXCLUDED.size, root = EXCLUDED.root, witnessed_at = EXCLUDED.witnessed_at;
    RETURN ecert.append('witness', jsonb_strip_nulls(jsonb_build_object(
        'checkpoint', encode(newest.hash, 'hex'), 'size', size, 'root', encode(root, 'hex'),
        'cosignature', coalesce(cosignature, ecert.cosign(size, root, now_seconds)))));
END
$$;
COMMENT ON FUNCTION ecert.witness(text) IS 'auditor: put this node''s name to the newest checkpoint, when it is consistent with the one that it witnessed before and, where this node is sent all feeds, with its own ledger. The package carries a C2SP cosignature: this node''s own, or the given line of a witness that is no node. Returns the hash of the witness package, NULL when there is nothing to witness. EC011, EC102, EC105, EC106';

CREATE FUNCTION ecert.witness_is_due() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT n.hash IS NOT NULL AND n.hash IS DISTINCT FROM (SELECT w.checkpoint_hash FROM ecert.last_witnessed() AS w)
      FROM ecert.newest_checkpoint() AS n
$$;
COMMENT ON FUNCTION ecert.witness_is_due() IS 'auditor: whether there is a checkpoint newer than the one that this node witnessed last';

-- Forks

CREATE FUNCTION ecert.read_checkpoint(checkpoint bytea, OUT seq bigint, OUT size bigint, OUT root bytea) RETURNS record
    LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    p ecert.package;
    note record;
BEGIN
    -- a tagged COSE_Sign1 begins with d2, a note with its origin
    IF get_byte(checkpoint || E'\\x00'::bytea, 0) = 210 THEN
        p := ecert.package(checkpoint);
        IF ecert.is_certifiers_checkpoint(p) THEN
            SELECT ecert.seq(p), (ecert.body(p) ->> 'size')::bigint, decode(ecert.body(p) ->> 'root', 'hex') INTO seq, size, root;
        END IF;
    ELSE
        SELECT n.* INTO note FROM ecert.read_note(convert_from(checkpoint, 'UTF8')) AS n;
        IF note.is_signed AND note.origin = ecert.origin() THEN
            size := note.size;
            root := note.root;
        END IF;
    END IF;
EXCEPTION WHEN SQLSTATE 'EC001' OR SQLSTATE 'EC002' OR SQLSTATE 'EC003' OR SQLSTATE 'EC100' OR character_not_in_repertoire THEN
    RETURN;
END
$$;
COMMENT ON FUNCTION ecert.read_checkpoint(bytea) IS 'internal: size and root of a checkpoint that the certifier of this ledger signed, as a package (with its seq) or as a C2SP note; NULLs for anything else; 54000 for a note that is larger than can be read';

CREATE FUNCTION ecert.is_fork(first_checkpoint bytea, second_checkpoint bytea, other_root bytea, proof bytea[]) RETURNS boolean
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(f.root <> other_root AND ecert.verify_consistency(f.size, other_root, s.size, s.root, proof), false)
      FROM ecert.read_checkpoint(first_checkpoint) AS f CROSS JOIN ecert.read_checkpoint(second_checkpoint) AS s
$$;
COMMENT ON FUNCTION ecert.is_fork(bytea, bytea, bytea, bytea[]) IS 'whether two checkpoints (bytes of packages or C2SP notes) convict the certifier of two ledgers: it signed both, and by the consistency proof (RFC 9162) the tree of the second has at the first one''s size another root than the first says. Rows of ledger.fork are such proofs';

CREATE FUNCTION ecert.note_fork(first_checkpoint bytea, second_checkpoint bytea, other_root bytea, proof bytea[]) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO ledger.fork (first_hash, second_hash, first_size, second_size, first_checkpoint, second_checkpoint, other_root, proof)
    SELECT sha256(note_fork.first_checkpoint), sha256(note_fork.second_checkpoint), f.size, s.size, note_fork.first_checkpoint, note_fork.second_checkpoint, note_fork.other_root, note_fork.proof
      FROM ecert.read_checkpoint(note_fork.first_checkpoint) AS f CROSS JOIN ecert.read_checkpoint(note_fork.second_checkpoint) AS s
    ON CONFLICT ON CONSTRAINT fork_pkey DO NOTHING
$$;
COMMENT ON FUNCTION ecert.note_fork(bytea, bytea, bytea, bytea[]) IS 'internal: keep a proof that ecert.is_fork() accepts';

CREATE FUNCTION ecert.compare_checkpoint(checkpoint bytea, OUT outcome text, OUT detail text) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen record;
    ours record;
    our_root bytea;
BEGIN
    BEGIN
        SELECT r.* INTO seen FROM ecert.read_checkpoint(checkpoint) AS r;
    EXCEPTION WHEN program_limit_exceeded THEN
        SELECT 'not checkable here', SQLERRM INTO outcome, detail;
        RETURN;
    END;
    IF seen.size IS NULL THEN
        SELECT 'not a checkpoint', 'neither a package nor a C2SP note of this ledger that its certifier signed' INTO outcome, detail;
        RETURN;
    END IF;
    IF seen.seq IS NOT NULL AND EXISTS (SELECT FROM ledger.package p WHERE p.issuer = ecert.certifier() AND p.kind = 'checkpoint' AND p.seq = seen.seq
                                           AND ecert.signed_bytes(p.package) <> ecert.signed_bytes(ecert.package(checkpoint))) THEN
        -- two packages with one seq: that proof travels to every node
        PERFORM ecert.admit_from_peer(checkpoint, '');
        SELECT 'fork', format('the certifier signed another checkpoint with seq %s; see ledger.equivocation', seen.seq) INTO outcome, detail;
    END IF;
    -- the newest checkpoint here whose tree reaches so far
    SELECT p.package, s.size, decode(ecert.body(p.package) ->> 'root', 'hex') AS root INTO ours
      FROM ledger.sealing s JOIN ledger.package p ON p.issuer = ecert.certifier() AND p.kind = 'checkpoint' AND p.seq = s.checkpoint_seq
     WHERE s.size >= seen.size AND (s.outcome = 'agrees' OR s.outcome = 'not checkable here' AND s.size = seen.size) ORDER BY s.checkpoint_seq DESC LIMIT 1;
    IF ours.size IS NULL THEN
        outcome := coalesce(outcome, CASE WHEN ecert.holds_all() THEN 'ahead' ELSE 'not checkable here' END);
        detail := coalesce(detail, format('no checkpoint here is of size %s or more', seen.size));
        RETURN;
    END IF;
    our_root := CASE WHEN ours.size = seen.size THEN ours.root ELSE ecert.tree_root(seen.size) END;
    IF our_root = seen.root THEN
        outcome := coalesce(outcome, 'consistent');
        detail := coalesce(detail, format('this ledger has that root at size %s', seen.size));
        RETURN;
    END IF;
    PERFORM ecert.note_fork(checkpoint, ours.package, our_root,
                            CASE WHEN ours.size = seen.size THEN '{}'::bytea[] ELSE ecert.consistency(seen.size, ours.size) END);
    outcome := 'fork';
    detail := concat_ws('; ', detail, format('at size %s this ledger has root %s, the checkpoint says %s; see ledger.fork', seen.size, encode(our_root, 'hex'), encode(seen.root, 'hex')));
END
$$;
COMMENT ON FUNCTION ecert.compare_checkpoint(bytea) IS 'compare a checkpoint seen elsewhere (bytes of the package, or of a C2SP note) with this ledger: consistent; fork: the certifier signed two that no one ledger can have, and the proof is kept in ledger.fork or ledger.equivocation; ahead: larger than any here; not checkable here; not a checkpoint of this ledger''s certifier';

-- Counting witnesses

CREATE FUNCTION ecert.witness_count(sealed_from bigint) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    -- from one witness to the next by an index, and of each the newest statement: there may be many old ones
    WITH RECURSIVE w (witness) AS (
        SELECT (SELECT p.issuer FROM ledger.package p WHERE p.kind = 'witness' ORDER BY p.issuer LIMIT 1)
        UNION ALL
        SELECT (SELECT p.issuer FROM ledger.package p WHERE p.kind = 'witness' AND p.issuer > w.witness ORDER BY p.issuer LIMIT 1) FROM w WHERE w.witness IS NOT NULL)
    SELECT count(*)
      FROM w CROSS JOIN LATERAL (SELECT ecert.body(p.package) ->> 'checkpoint' AS checkpoint FROM ledger.package p
                                  WHERE p.issuer = w.witness AND p.kind = 'witness' ORDER BY p.seq DESC LIMIT 1) AS n
      JOIN ledger.package c ON c.hash = decode(n.checkpoint, 'hex') AND c.issuer = ecert.certifier() AND c.kind = 'checkpoint'
     WHERE c.seq >= witness_count.sealed_from
$$;
COMMENT ON FUNCTION ecert.witness_count(bigint) IS 'internal: how many nodes'' newest witness statements are of the checkpoint with that seq or a later one, which covers all that it covers';

CREATE FUNCTION ecert.sealed_by(of_issuer text, of_kind text, of_seq bigint) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.checkpoint_seq
      FROM (SELECT l.first_seq, l.checkpoint_seq FROM ledger.leaf_range l
             WHERE l.issuer = of_issuer AND l.kind = of_kind AND l.last_seq >= of_seq ORDER BY l.last_seq LIMIT 1) AS r WHERE r.first_seq <= of_seq
$$;
COMMENT ON FUNCTION ecert.sealed_by(text, text, bigint) IS 'seq of the checkpoint that first covers a package (issuer, kind, seq); NULL while none does';

CREATE FUNCTION ecert.late_packages(OUT issuer text, OUT kind text, OUT seq bigint, OUT issued_at timestamptz, OUT key_ended_at timestamptz, OUT checkpoint_seq bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH ended AS (
        SELECT n.subject AS node, k ->> 'kid' AS kid, min(n.seq) AS seq,
               ecert.from_unix_seconds(min(coalesce((k ->> 'until')::bigint, (b.body ->> 'effective')::bigint))) AS ended_at
          FROM ledger.package n CROSS JOIN LATERAL (SELECT ecert.body(n.package)) AS b (body) CROSS JOIN LATERAL jsonb_array_elements(b.body -> 'keys') AS k
         WHERE n.kind = 'node' AND n.issuer = ecert.certifier() AND (k ? 'until' OR b.body ->> 'status' = 'revoked')
         GROUP BY n.subject, k ->> 'kid')
    SELECT p.issuer, p.kind, p.seq, p.issued_at, e.ended_at, r.checkpoint_seq
      FROM ended e CROSS JOIN LATERAL (SELECT ecert.sealed_by(ecert.certifier(), 'node', e.seq)) AS s (checkpoint_seq)
      JOIN ledger.leaf_range r ON r.issuer = e.node AND r.checkpoint_seq > s.checkpoint_seq
      JOIN ledger.package p ON p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq
     WHERE encode(ecert.kid(p.package), 'hex') = e.kid
     ORDER BY p.issuer, p.kind, p.seq
$$;
COMMENT ON FUNCTION ecert.late_packages() IS 'packages that say they were signed before their key was rotated or revoked, but came under a checkpoint only after one that covers the rotation or revocation: late, or back-dated with a stolen key. key_ended_at is when the key ended';

CREATE FUNCTION ecert.create_checkpoint_views() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.checkpoint AS  -- the certifier's checkpoints: signed Merkle roots (RFC 9162) over all packages so far, and what this node found when it computed them
    SELECT p.seq AS checkpoint_seq,  -- number in the certifier's feed of checkpoints, from 0
           encode(p.hash, 'hex') AS checkpoint_hash,  -- hash of the checkpoint package, hexadecimal
           (b.body ->> 'size')::bigint AS tree_size,  -- packages under it, the genesis package included
           b.body ->> 'root' AS root,  -- root of their Merkle tree, hexadecimal
           p.issued_at,  -- when the certifier says it signed it
           EXTRACT(epoch FROM clock_timestamp() - p.issued_at)::bigint AS age_seconds,  -- seconds since then
           CASE WHEN n.covers THEN (b.body ->> 'size')::bigint - coalesce((
               -- what covers nothing is no size to go on from
               SELECT (ecert.body(o.package) ->> 'size')::bigint FROM ledger.package o LEFT JOIN ledger.sealing so ON so.checkpoint_seq = o.seq
                WHERE o.issuer = p.issuer AND o.kind = p.kind AND o.seq < p.seq AND (so.sealing_seq IS NOT NULL OR o.seq > t.newest) ORDER BY o.seq DESC LIMIT 1), 0)
                ELSE 0 END AS package_count,  -- packages that it covers, a part those that it adds, and none before it did
           jsonb_array_length(b.body -> 'heads') AS feed_count,  -- feeds that moved
           (SELECT count(DISTINCT w.issuer) FROM ledger.package w WHERE w.kind = 'witness' AND ecert.reference(w.package) = p.hash) AS witness_count,  -- nodes that have witnessed this very checkpoint
           coalesce((ecert.policy() -> 'certificate' ->> 'witnesses')::bigint, 0) AS witnesses_required,  -- witnesses that the policy in force asks for, for a certificate
           coalesce(s.outcome, CASE WHEN p.seq < t.newest THEN 'incomplete' ELSE 'not computed yet' END) AS outcome,  -- agrees; differs: this ledger makes another root; not checkable here: this node is not sent all feeds; incomplete: of its sealing the last part did not come, so it covers nothing; not computed yet
           s.detail,  -- in what it differs
           b.body ->> 'note' AS note,  -- the same checkpoint as a C2SP signed note (tlog-checkpoint); NULL where the certifier's key or the origin do not allow one, and in a part that is not the last
           (b.body -> 'part' ->> 0) || ' of ' || (b.body -> 'part' ->> 1) AS part  -- which part of its sealing it is; NULL: the whole
      FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body)
     CROSS JOIN (SELECT coalesce((SELECT o.checkpoint_seq FROM ledger.sealing o ORDER BY o.checkpoint_seq DESC LIMIT 1), -1)) AS t (newest)
      LEFT JOIN ledger.sealing s ON s.checkpoint_seq = p.seq
     CROSS JOIN LATERAL (SELECT s.sealing_seq IS NOT NULL OR p.seq > t.newest) AS n (covers)
     WHERE p.kind = 'checkpoint' AND p.issuer = ecert.certifier()$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.witness AS  -- who has witnessed which checkpoint
    SELECT p.issuer AS witness,  -- node id of the witness
           b.body ->> 'checkpoint' AS checkpoint_hash,  -- hash of the checkpoint package, hexadecimal
           (b.body ->> 'size')::bigint AS tree_size,  -- packages under the checkpoint
           b.body ->> 'root' AS root,  -- its root, hexadecimal
           p.issued_at,  -- when the witness says it signed
           b.body ->> 'cosignature' AS cosignature,  -- C2SP cosignature line (tlog-cosignature) over the checkpoint's note, where there is one
           encode(p.hash, 'hex') AS witness_hash  -- hash of the witness package, hexadecimal
      FROM ledger.package p CROSS JOIN LATERAL (SELECT ecert.body(p.package)) AS b (body) WHERE p.kind = 'witness'$view$);
$$;
COMMENT ON FUNCTION ecert.create_checkpoint_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';

CREATE FUNCTION ecert.checkpoint_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT 'checkpoint', NULL::text,
           CASE WHEN d.outcome IS NOT NULL THEN 'alarm'
                WHEN c.seq IS NULL AND i.seconds > 0 OR c.seq IS NOT NULL AND s.outcome IS NULL OR s.outcome = 'not checkable here' AND ecert.holds_all() THEN 'warning'
                -- old, though there is something to seal; or not witnessed as the policy asks
                WHEN i.seconds > 0 AND clock_timestamp() > c.issued_at + make_interval(secs => 3 * i.seconds + 600) AND (w.count < w.required OR ecert.has_unsealed()) THEN 'warning'
                ELSE 'ok' END,
           coalesce(c.issued_at::text, 'none yet'),
           CASE WHEN d.outcome IS NOT NULL THEN format('checkpoint %s: %s', d.checkpoint_seq, d.detail)
                WHEN c.seq IS NOT NULL THEN format('checkpoint %s, %s packages, %s witnesses, %s asked for; root %s', c.seq, c.body ->> 'size',
                    w.count, w.required, concat_ws(': ', coalesce(s.outcome, 'not computed yet'), s.detail)) END
      FROM ecert.newest_checkpoint() AS c
      LEFT JOIN ledger.sealing s ON s.checkpoint_seq = c.seq
      LEFT JOIN LATERAL (SELECT l.checkpoint_seq, l.outcome, l.detail FROM ledger.sealing l WHERE l.outcome = 'differs' ORDER BY l.checkpoint_seq LIMIT 1) AS d ON true
     CROSS JOIN (SELECT g.setting::integer FROM pg_settings g WHERE g.name = 'ecert.checkpoint_interval') AS i (seconds)
     CROSS JOIN LATERAL (SELECT ecert.witness_count(c.seq), coalesce((ecert.policy() -> 'certificate' ->> 'witnesses')::bigint, 0)) AS w (count, required)
    UNION ALL
    SELECT 'fork', NULL, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
           (SELECT format('the certifier signed two trees that contradict each other at size %s', l.first_size) FROM ledger.fork l ORDER BY l.found_at DESC LIMIT 1)
      FROM ledger.fork f
$$;
COMMENT ON FUNCTION ecert.checkpoint_health() IS 'internal: the part of ecert.health() about checkpoints and forks';
