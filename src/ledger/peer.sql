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
        OR (kinds IS NULL OR of_kind = ANY (kinds))
           AND (issuers IS NULL OR coalesce(of_issuer = ANY (issuers) OR of_issuer = certifier, false));
COMMENT ON FUNCTION ecert.is_sent(text, text[], text[], text, text, text) IS 'internal: whether a node that asked for these issuers and kinds (NULL: all) is sent the feed of an issuer and kind: the basic kinds, its own packages, and of the kinds asked for those of the issuers asked for and of the certifier. ecert.feed_filter() is the same as a row filter';

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

CREATE FUNCTION ecert.woken(OUT waits_for text) RETURNS SETOF text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT w.waits_for FROM ledger.pending w
     WHERE CASE WHEN w.waits_for ~ '^[a-z]+ [0-9]+ of '
                THEN EXISTS (SELECT FROM ledger.package p
                              WHERE p.issuer = substr(w.waits_for, strpos(w.waits_for, ' of ') + 4) AND p.kind = split_part(w.waits_for, ' ', 1)
                                AND p.seq = split_part(w.waits_for, ' ', 2)::bigint)
                WHEN w.waits_for ~ '^[a-z]+ [0-9a-f]{64}$'
                THEN EXISTS (SELECT FROM ledger.package p WHERE p.hash = decode(split_part(w.waits_for, ' ', 2), 'hex'))
                WHEN starts_with(w.waits_for, 'key of ') THEN ecert.node_state(substr(w.waits_for, 8)) IS NOT NULL
                ELSE true END
$$;
COMMENT ON FUNCTION ecert.woken() IS 'internal: what packages in ledger.pending wait for although it is here';

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
        IF ecert.admit_from_peer(taken.bytes, coalesce(taken.peer, '')) = 'admitted' THEN
            admitted := admitted + 1;
        END IF;
    END LOOP;
    RETURN admitted;
END
$$;
COMMENT ON FUNCTION ecert.retry_quarantined(bytea) IS 'judge quarantined packages (that of the hash, or all) once more, for instance after rows of ledger.package that had been lost are back; returns how many were admitted. What still cannot be admitted is quarantined again';

CREATE FUNCTION ecert.admit_equivocation() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_hash bytea := sha256('\x00'::bytea || NEW.first_package);
    second_hash bytea := sha256('\x00'::bytea || NEW.second_package);
BEGIN
    IF NOT ecert.is_equivocation(NEW.first_package, NEW.second_package) THEN
        IF current_setting('session_replication_role') <> 'replica' THEN
            RAISE EXCEPTION USING ERRCODE = 'EC021', MESSAGE = 'the two packages do not prove an equivocation',
                HINT = 'They must have the same issuer, kind and seq, say different things, and both be signed by that issuer.';
        END IF;
        -- perhaps a key has not come yet: each of the two goes its own way, and they meet again
        PERFORM ecert.admit_from_peer(NEW.first_package, ''), ecert.admit_from_peer(NEW.second_package, '');
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
COMMENT ON FUNCTION ecert.admit_equivocation() IS 'trigger of ledger.equivocation: checks the proof with ecert.is_equivocation() and derives the other columns; one that comes by replication and proves nothing here is not stored, its two packages are judged one by one. EC021';

CREATE FUNCTION ecert.create_peer_tables() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CREATE TABLE ledger.pending (
        hash bytea NOT NULL,
        issuer text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        seq bigint NOT NULL,
        package ecert.package NOT NULL,
        waits_for text COLLATE "C" NOT NULL,
        sqlstate text COLLATE "C" NOT NULL,
        reason text NOT NULL,
        peer text COLLATE "C",
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT pending_pkey PRIMARY KEY (hash)
    );
    CREATE INDEX pending_waits_for ON ledger.pending (waits_for);
    ALTER TABLE ledger.pending ALTER COLUMN package SET STORAGE EXTERNAL;
    COMMENT ON TABLE ledger.pending IS 'packages from peers that came before something they depend on; they are admitted by themselves when it comes';
    COMMENT ON COLUMN ledger.pending.hash IS 'hash of the package';
    COMMENT ON COLUMN ledger.pending.issuer IS 'its issuer';
    COMMENT ON COLUMN ledger.pending.kind IS 'its kind';
    COMMENT ON COLUMN ledger.pending.seq IS 'its number in the feed';
    COMMENT ON COLUMN ledger.pending.package IS 'the package as it came';
    COMMENT ON COLUMN ledger.pending.waits_for IS 'what it waits for: "energy 7 of plant" (that package of the feed), "key of plant" (a node package), "relation of mine to plant as upstream", "policy <hash>", "audit <hash>", "certificate <hash>"';
    COMMENT ON COLUMN ledger.pending.sqlstate IS 'SQLSTATE of class EC that it would have been refused with';
    COMMENT ON COLUMN ledger.pending.reason IS 'why it waits';
    COMMENT ON COLUMN ledger.pending.peer IS 'node it came from; NULL: from an ordinary session';
    COMMENT ON COLUMN ledger.pending.received_at IS 'when it came, or was looked at last';

    CREATE TABLE ledger.quarantine (
        hash bytea NOT NULL,
        issuer text COLLATE "C",
        kind text COLLATE "C",
        seq bigint,
        bytes bytea NOT NULL,
        sqlstate text COLLATE "C" NOT NULL,
        reason text NOT NULL,
        peer text COLLATE "C",
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT quarantine_pkey PRIMARY KEY (hash)
    );
    ALTER TABLE ledger.quarantine ALTER COLUMN bytes SET STORAGE EXTERNAL;
    COMMENT ON TABLE ledger.quarantine IS 'what peers sent and can never be admitted: evidence';
    COMMENT ON COLUMN ledger.quarantine.hash IS 'SHA-256(0x00 || what came)';
    COMMENT ON COLUMN ledger.quarantine.issuer IS 'issuer that it claims; empty when it is no package';
    COMMENT ON COLUMN ledger.quarantine.kind IS 'kind that it claims; empty when it is no package';
    COMMENT ON COLUMN ledger.quarantine.seq IS 'number in the feed that it claims; -1 when it is no package';
    COMMENT ON COLUMN ledger.quarantine.bytes IS 'what came, the first 65,536 bytes';
    COMMENT ON COLUMN ledger.quarantine.sqlstate IS 'SQLSTATE that it is refused with';
    COMMENT ON COLUMN ledger.quarantine.reason IS 'why';
    COMMENT ON COLUMN ledger.quarantine.peer IS 'node it came from; NULL: from an ordinary session';
    COMMENT ON COLUMN ledger.quarantine.received_at IS 'when it came';

    CREATE TABLE ledger.equivocation (
        issuer text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        seq bigint NOT NULL,
        first_hash bytea NOT NULL,
        second_hash bytea NOT NULL,
        first_package bytea NOT NULL,
        second_package bytea NOT NULL,
        found_at timestamptz NOT NULL,
        CONSTRAINT equivocation_pkey PRIMARY KEY (first_hash, second_hash)
    );
    COMMENT ON TABLE ledger.equivocation IS 'proofs that an issuer told two stories: two packages with one seq, both signed by it. Each row proves itself (ecert.is_equivocation) and travels to every node';
    COMMENT ON COLUMN ledger.equivocation.issuer IS 'who signed both; derived';
    COMMENT ON COLUMN ledger.equivocation.kind IS 'kind of both; derived';
    COMMENT ON COLUMN ledger.equivocation.seq IS 'seq of both; derived';
    COMMENT ON COLUMN ledger.equivocation.first_hash IS 'hash of the one, the smaller hash; derived';
    COMMENT ON COLUMN ledger.equivocation.second_hash IS 'hash of the other; derived';
    COMMENT ON COLUMN ledger.equivocation.first_package IS 'the one package, whole';
    COMMENT ON COLUMN ledger.equivocation.second_package IS 'the other package, whole';
    COMMENT ON COLUMN ledger.equivocation.found_at IS 'when this node learned of it; not signed';
    CREATE TRIGGER ecert_admit_equivocation BEFORE INSERT ON ledger.equivocation FOR EACH ROW EXECUTE FUNCTION ecert.admit_equivocation();
    ALTER TABLE ledger.equivocation ENABLE ALWAYS TRIGGER ecert_admit_equivocation;

    CREATE TABLE ledger.peer (
        peer text COLLATE "C" NOT NULL,
        this_node text COLLATE "C" NOT NULL,
        is_hub boolean NOT NULL,
        subscription text COLLATE "C",
        publication text COLLATE "C",
        issuers text[],
        kinds text[],
        own_connection text,
        below text[] NOT NULL DEFAULT '{}',
        behind jsonb NOT NULL DEFAULT '[]',
        was_disabled boolean NOT NULL DEFAULT false,
        not_there bigint NOT NULL DEFAULT 0,
        linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        compare_round bigint NOT NULL DEFAULT 0,
        compared_at timestamptz,
        CONSTRAINT peer_pkey PRIMARY KEY (peer)
    );
    CREATE UNIQUE INDEX peer_hub ON ledger.peer (is_hub) WHERE is_hub;
    COMMENT ON TABLE ledger.peer IS 'the servers this one replicates with: its hub, and as a hub the nodes below it. Connections are in pg_subscription';
    COMMENT ON COLUMN ledger.peer.peer IS 'node id of the other server';
    COMMENT ON COLUMN ledger.peer.this_node IS 'node id of this server when it was linked';
    COMMENT ON COLUMN ledger.peer.is_hub IS 'true: it sends everyone''s packages here and is sent those from here; false: a node below this hub';
    COMMENT ON COLUMN ledger.peer.subscription IS 'subscription here that reads from it; NULL: not made yet';
    COMMENT ON COLUMN ledger.peer.publication IS 'publication of the hub''s that the one of the two reads from the other: here when it is a node below, there when it is the hub';
    COMMENT ON COLUMN ledger.peer.issuers IS 'issuers that the lower of the two is sent; NULL: all';
    COMMENT ON COLUMN ledger.peer.kinds IS 'kinds that the lower of the two is sent beside the basic ones; NULL: all';
    COMMENT ON COLUMN ledger.peer.own_connection IS 'connection string by which the hub is to reach this server, for the duties to have the hub''s half done; NULL: the hub''s own people do it';
    COMMENT ON COLUMN ledger.peer.below IS 'nodes below a node below this hub, as it last said';
    COMMENT ON COLUMN ledger.peer.behind IS 'feeds [{issuer, kind, last_seq}] that went on further there when it was last asked; what has not come until the next time is pulled';
    COMMENT ON COLUMN ledger.peer.was_disabled IS 'the last round of duties found the subscription disabled and enabled it; when that does not last it is made anew';
    COMMENT ON COLUMN ledger.peer.not_there IS 'packages signed here or below that the hub did not have yet when it was last compared with';
    COMMENT ON COLUMN ledger.peer.linked_at IS 'when it was linked';
    COMMENT ON COLUMN ledger.peer.compare_round IS 'how often it has been compared with; older packages take turns';
    COMMENT ON COLUMN ledger.peer.compared_at IS 'when it was last compared with';
END
$$;
COMMENT ON FUNCTION ecert.create_peer_tables() IS 'internal: makes ledger.pending, quarantine, equivocation and peer';

REVOKE ALL ON FUNCTION ecert.admit_from_peer(bytea, text), ecert.drain_pending(), ecert.is_equivocation(bytea, bytea),
    ecert.retry_quarantined(bytea), ecert.create_peer_tables() FROM PUBLIC;
