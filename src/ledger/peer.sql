-- What comes from peers: pending, quarantine, equivocation, and which feeds this node is sent.

CREATE FUNCTION ecert.drain_waiting() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'ecert_drain_waiting';
COMMENT ON FUNCTION ecert.drain_waiting() IS 'trigger of ledger.package: behind a node or relation package that is first admitted here, admits what has waited for it in ledger.pending';

CREATE FUNCTION ecert.admit_from_peer(package bytea, peer text) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_admit_from_peer';
COMMENT ON FUNCTION ecert.admit_from_peer(bytea, text) IS 'give a package that another server holds its place, as replication does: admitted, known (it was here), pending (came before what it depends on) or quarantined (can never be admitted); peer is the node it comes from. Raises nothing that is the package''s fault';

CREATE FUNCTION ecert.drain_pending() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_drain_pending';
COMMENT ON FUNCTION ecert.drain_pending() IS 'rescan ledger.pending for packages whose dependency is on the ledger by now, and settle them; returns how many were admitted. Happens by itself with whatever comes from a peer, and in every round of duties';

CREATE FUNCTION ecert.is_equivocation(one bytea, other bytea) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_is_equivocation';
COMMENT ON FUNCTION ecert.is_equivocation(bytea, bytea) IS 'whether two packages (bytes) convict their issuer of telling two stories: same issuer, kind and seq of this ledger, different statements, both signed with keys of that issuer. False for anything else, malformed bytes included';

CREATE FUNCTION ecert.basic_kinds() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{genesis,node,relation,policy,checkpoint,witness}'::text[];
COMMENT ON FUNCTION ecert.basic_kinds() IS 'kinds of package that every node is sent, however it filters: nothing can be checked without them';

CREATE FUNCTION ecert.is_sent(node text, issuers text[], kinds text[], certifier text, of_kind text, of_issuer text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN of_kind = ANY (ecert.basic_kinds()) OR coalesce(of_issuer = node, false)
        -- whether a certificate still holds is what its statuses say
        OR (kinds IS NULL OR of_kind = ANY (kinds) OR of_kind = 'status' AND 'certificate' = ANY (kinds))
           AND (issuers IS NULL OR coalesce(of_issuer = ANY (issuers) OR of_issuer = certifier, false));
COMMENT ON FUNCTION ecert.is_sent(text, text[], text[], text, text, text) IS 'internal: whether a node that asked for these issuers and kinds (NULL: all) is sent the feed of an issuer and kind: the basic kinds, its own packages, and of the kinds asked for, with statuses where certificates are asked for, those of the issuers asked for and of the certifier. ecert.feed_filter() is the same as a row filter';

CREATE FUNCTION ecert.holds(of_kind text, of_issuer text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(bool_or(ecert.is_sent(p.this_node, p.issuers, p.kinds, ecert.certifier(), of_kind, of_issuer)), true)
      FROM ledger.peer p WHERE p.is_hub
$$;
COMMENT ON FUNCTION ecert.holds(text, text) IS 'whether this node is sent the feed of an issuer (NULL: of anybody) and kind; true for all of them where it does not filter. What rests on feeds that it does not hold is not checkable here';

CREATE FUNCTION ecert.peer_of(subscription text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce((SELECT p.peer FROM ledger.peer p WHERE p.subscription = peer_of.subscription), nullif(peer_of.subscription, '')) $$;
COMMENT ON FUNCTION ecert.peer_of(text) IS 'internal: node id of the server behind a subscription; the name itself when it is none of ecert''s, NULL when empty';

CREATE FUNCTION ecert.is_other_story(waits_for text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    -- a proof may have come without its packages; the same statement under two signatures is no proof
    SELECT CASE WHEN waits_for ~ '^[a-z]+ [0-9a-f]{64}$' THEN (
        SELECT EXISTS (SELECT FROM ledger.equivocation e WHERE h.hash IN (e.first_hash, e.second_hash))
            OR EXISTS (SELECT FROM ledger.quarantine q JOIN ledger.package p ON p.issuer = q.issuer AND p.kind = q.kind AND p.seq = q.seq WHERE q.hash = h.hash AND q.sqlstate IN ('EC021', 'EC022'))
          FROM (SELECT decode(split_part(waits_for, ' ', 2), 'hex')) AS h (hash)) ELSE false END
$$;
COMMENT ON FUNCTION ecert.is_other_story(text) IS 'internal: whether what a package in ledger.pending waits for, by its hash, is known as another package for a place that is taken: it will not come';

CREATE FUNCTION ecert.woken(OUT waits_for text) RETURNS SETOF text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT w.waits_for FROM ledger.pending w
     WHERE CASE WHEN w.waits_for ~ '^[a-z]+ [0-9]+ of '
                THEN EXISTS (SELECT FROM ledger.package p
                              WHERE p.issuer = substr(w.waits_for, strpos(w.waits_for, ' of ') + 4) AND p.kind = split_part(w.waits_for, ' ', 1)
                                AND p.seq = split_part(w.waits_for, ' ', 2)::bigint)
                WHEN w.waits_for ~ '^[a-z]+ [0-9a-f]{64}$'
                THEN EXISTS (SELECT FROM ledger.package p WHERE p.hash = decode(split_part(w.waits_for, ' ', 2), 'hex')) OR ecert.is_other_story(w.waits_for)
                -- the key of a node package that does not count tells who signed, too
                WHEN starts_with(w.waits_for, 'key of ')
                THEN EXISTS (SELECT FROM ledger.package p WHERE p.subject = substr(w.waits_for, 8) AND p.kind = 'node' AND p.issuer || '' = ecert.certifier())
                  OR substr(w.waits_for, 8) = ecert.certifier()
                WHEN starts_with(w.waits_for, 'time ')
                THEN substr(w.waits_for, 6)::timestamptz <= clock_timestamp() + current_setting('ecert.max_clock_skew')::interval
                ELSE true END
$$;
COMMENT ON FUNCTION ecert.woken() IS 'internal: what packages in ledger.pending wait for although it is here, or never will be';

CREATE FUNCTION ecert.settle_covered(covered_by bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken record;
BEGIN
    FOR taken IN
        WITH waiting AS (
            DELETE FROM ledger.pending w USING ledger.leaf_range r
             WHERE r.checkpoint_seq = covered_by AND w.issuer = r.issuer AND w.kind = r.kind AND w.seq BETWEEN r.first_seq AND r.last_seq
            RETURNING w.issuer, w.kind, w.seq, w.package::bytea AS bytes, w.peer),
        refused AS (
            DELETE FROM ledger.quarantine q USING ledger.leaf_range r
             WHERE r.checkpoint_seq = covered_by AND q.issuer = r.issuer AND q.kind = r.kind AND q.seq BETWEEN r.first_seq AND r.last_seq
            RETURNING q.issuer, q.kind, q.seq, q.bytes, q.peer)
        SELECT b.bytes, b.peer FROM (TABLE waiting UNION ALL TABLE refused) AS b ORDER BY b.kind IN ('node', 'relation') DESC, b.issuer, b.kind, b.seq
    LOOP
        PERFORM ecert.admit_from_peer(taken.bytes, coalesce(taken.peer, ''));
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.settle_covered(bigint) IS 'internal: packages that wait or were refused, and that a checkpoint covers, are judged again: they are admitted unless their form, signature or link is wrong';

CREATE FUNCTION ecert.exchange(story bytea, covered_by bigint) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_exchange';
COMMENT ON FUNCTION ecert.exchange(bytea, bigint) IS 'internal: put the package with that hash, in ledger.quarantine because its seq is taken, in the place of the one that is on the ledger, and judge anew what follows either in the feed, and what the checkpoint covers';

CREATE FUNCTION ecert.retry_quarantined(quarantined bytea DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken record;
    admitted bigint := 0;
BEGIN
    FOR taken IN
        DELETE FROM ledger.quarantine q WHERE quarantined IS NULL OR q.hash = quarantined RETURNING q.bytes, q.peer, q.issuer, q.seq
    LOOP
        admitted := admitted + (ecert.admit_from_peer(taken.bytes, coalesce(taken.peer, '')) = 'admitted')::integer;
    END LOOP;
    RETURN admitted;
END
$$;
COMMENT ON FUNCTION ecert.retry_quarantined(bytea) IS 'judge quarantined packages (that of the hash, or all) once more, for instance after rows of ledger.package that had been lost are back; returns how many were admitted. What still cannot be admitted is quarantined again';

CREATE FUNCTION ecert.admit_equivocation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_hash bytea := sha256(E'\\x00'::bytea || NEW.first_package);
    second_hash bytea := sha256(E'\\x00'::bytea || NEW.second_package);
BEGIN
    IF NOT ecert.is_equivocation(NEW.first_package, NEW.second_package) THEN
        IF current_setting('session_replication_role') <> 'replica' THEN
            RAISE EXCEPTION USING ERRCODE = 'EC021', MESSAGE = 'the two packages do not prove an equivocation',
                HINT = 'They must have the same issuer, kind and seq, say different things, and both be signed by that issuer.';
        END IF;
        -- perhaps a key has not come yet; a round of duties fetches what is missing.  Its packages are evidence, not what the peer holds
        RETURN NULL;
    END IF;
    SELECT least(first_hash, second_hash), greatest(first_hash, second_hash),
           CASE WHEN first_hash < second_hash THEN NEW.first_package ELSE NEW.second_package END,
           CASE WHEN first_hash < second_hash THEN NEW.second_package ELSE NEW.first_package END
      INTO NEW.first_hash, NEW.second_hash, NEW.first_package, NEW.second_package;
    IF EXISTS (SELECT FROM ledger.equivocation e WHERE e.first_hash = NEW.first_hash AND e.second_hash = NEW.second_hash) THEN
        RETURN NULL;
    END IF;
    NEW.issuer := ecert.issuer(ecert.package(NEW.first_package));
    NEW.kind := ecert.kind(ecert.package(NEW.first_package));
    NEW.seq := ecert.seq(ecert.package(NEW.first_package));
    NEW.found_at := clock_timestamp();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION ecert.admit_equivocation() IS 'trigger of ledger.equivocation: checks the proof with ecert.is_equivocation() and derives the other columns; one that comes by replication and proves nothing here, perhaps because a key has not come yet, is not stored: the duties fetch proofs that a peer holds and this node does not. EC021';

CREATE FUNCTION ecert.create_ledger_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    CREATE TRIGGER ecert_admit BEFORE INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION ecert.admit();
    -- packages that have waited for this node or relation are admitted behind it; packages from peers do that without a trigger.
    -- The function looks at the kind: a condition on the kind would be read from its text in each statement, and energy and
    -- product packages, the most frequent ones, are left out by their period
    CREATE TRIGGER ecert_drain AFTER INSERT ON ledger.package FOR EACH ROW WHEN (NEW.period IS NULL) EXECUTE FUNCTION ecert.drain_waiting();
    -- what replication writes is checked like everything else
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit;
    SELECT ecert.make_append_only('ledger.package');

    SELECT ecert.create_described($table$CREATE TABLE ledger.pending (  -- packages from peers that came before something they depend on; they are admitted by themselves when it comes
        hash bytea NOT NULL,  -- hash of the package
        issuer text COLLATE "C" NOT NULL,  -- its issuer
        kind text COLLATE "C" NOT NULL,  -- its kind
        seq bigint NOT NULL,  -- its number in the feed
        package ecert.package NOT NULL,  -- the package as it came
        waits_for text COLLATE "C" NOT NULL,  -- what it waits for: "energy 7 of plant" (that package of the feed), "key of plant" (a node package), "relation of mine to plant as upstream", "policy <hash>", "audit <hash>", "certificate <hash>", "sealing 7" (all that the checkpoint covers), "time 2090-01-01 00:00:00+00" (this server''s clock, ecert.max_clock_skew before that)
        sqlstate text COLLATE "C" NOT NULL,  -- SQLSTATE of class EC that it would have been refused with
        reason text NOT NULL,  -- why it waits
        peer text COLLATE "C",  -- node it came from; NULL: from an ordinary session
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it came, or was looked at last
        CONSTRAINT pending_pkey PRIMARY KEY (hash)
    )$table$);
    CREATE INDEX pending_waits_for ON ledger.pending (waits_for);
    ALTER TABLE ledger.pending ALTER COLUMN package SET STORAGE EXTERNAL;

    SELECT ecert.create_described($table$CREATE TABLE ledger.quarantine (  -- what peers sent and can never be admitted: evidence
        hash bytea NOT NULL,  -- SHA-256(0x00 || what came)
        issuer text COLLATE "C",  -- issuer that it claims; empty when it is no package
        kind text COLLATE "C",  -- kind that it claims; empty when it is no package
        seq bigint,  -- number in the feed that it claims; -1 when it is no package
        bytes bytea NOT NULL,  -- what came, the first 65,536 bytes
        sqlstate text COLLATE "C" NOT NULL,  -- SQLSTATE that it is refused with
        reason text NOT NULL,  -- why
        peer text COLLATE "C",  -- node it came from; NULL: from an ordinary session
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it came
        CONSTRAINT quarantine_pkey PRIMARY KEY (hash)
    )$table$);
    ALTER TABLE ledger.quarantine ALTER COLUMN bytes SET STORAGE EXTERNAL;

    SELECT ecert.create_described($table$CREATE TABLE ledger.equivocation (  -- proofs that an issuer told two stories: two packages with one seq, both signed by it. Each row proves itself (ecert.is_equivocation) and travels to every node
        issuer text COLLATE "C" NOT NULL,  -- who signed both; derived
        kind text COLLATE "C" NOT NULL,  -- kind of both; derived
        seq bigint NOT NULL,  -- seq of both; derived
        first_hash bytea NOT NULL,  -- hash of the one, the smaller hash; derived
        second_hash bytea NOT NULL,  -- hash of the other; derived
        first_package bytea NOT NULL,  -- the one package, whole
        second_package bytea NOT NULL,  -- the other package, whole
        found_at timestamptz NOT NULL,  -- when this node learned of it; not signed
        CONSTRAINT equivocation_pkey PRIMARY KEY (first_hash, second_hash)
    )$table$);
    CREATE TRIGGER ecert_admit_equivocation BEFORE INSERT ON ledger.equivocation FOR EACH ROW EXECUTE FUNCTION ecert.admit_equivocation();
    ALTER TABLE ledger.equivocation ENABLE ALWAYS TRIGGER ecert_admit_equivocation;
    SELECT ecert.make_append_only('ledger.equivocation');

    SELECT ecert.create_described($table$CREATE TABLE ledger.peer (  -- the servers this one replicates with: its hub, and as a hub the nodes below it. Connections are in pg_subscription
        peer text COLLATE "C" NOT NULL,  -- node id of the other server
        this_node text COLLATE "C" NOT NULL,  -- node id of this server when it was linked
        is_hub boolean NOT NULL,  -- true: it sends everyone's packages here and is sent those from here; false: a node below this hub
        subscription text COLLATE "C",  -- subscription here that reads from it; NULL: not made yet
        publication text COLLATE "C",  -- publication of the hub's that the one of the two reads from the other: here when it is a node below, there when it is the hub
        issuers text[],  -- issuers that the lower of the two is sent; NULL: all
        kinds text[],  -- kinds that the lower of the two is sent beside the basic ones; NULL: all
        own_connection text,  -- connection string by which the hub is to reach this server, for the duties to have the hub's half done; NULL: the hub's own people do it
        below text[] NOT NULL DEFAULT '{}',  -- nodes below a node below this hub, as it last said
        behind jsonb NOT NULL DEFAULT '[]',  -- feeds [{issuer, kind, own_seq, last_seq}] that went on further there when it was last asked: seq here (-1: none) and there; what has not come until the next time is pulled
        refused text,  -- what its publication had beside inserts into the two tables that are replicated, when it was last asked; nothing of that is subscribed to. NULL: nothing
        was_disabled boolean NOT NULL DEFAULT false,  -- the last round of duties found the subscription disabled and enabled it; when that does not last it is made anew
        idle_rounds integer NOT NULL DEFAULT 0,  -- rounds in a row in which all that had been ahead there had to be pulled, although the subscription is enabled; from the third on it is made anew
        not_there bigint NOT NULL DEFAULT 0,  -- packages signed here or below that the hub did not have yet when it was last compared with
        linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it was linked
        compare_from jsonb NOT NULL DEFAULT '{}',  -- place {issuer, kind, seq} on this ledger from which on packages are compared with it next; all take turns
        compared_at timestamptz,  -- when it was last compared with
        CONSTRAINT peer_pkey PRIMARY KEY (peer)
    )$table$);
    CREATE UNIQUE INDEX peer_hub ON ledger.peer (is_hub) WHERE is_hub;
$$;
COMMENT ON FUNCTION ecert.create_ledger_tables() IS 'internal: puts admission, and the refusal of changes, on ledger.package, and makes ledger.pending, quarantine, equivocation and peer';
