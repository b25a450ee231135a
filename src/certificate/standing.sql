-- Which certificates stand: a cache that tells without judging what this node found against each, and whether it still stands.

CREATE FUNCTION ecert.certificate_standing(p ecert.package, OUT standing text, OUT why text, OUT since timestamptz) RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_certificate_standing';
COMMENT ON FUNCTION ecert.certificate_standing(ecert.package) IS 'whether a certificate still stands by all that is on this ledger now: void (one of its packages or audits is void by now), replaced (one of its packages was), overtaken (an audit under it is), disputed (an audit that its checkpoint does not cover, and that counts, says fail of one of its packages), or stands; why in words, and since when; NULLs when its checkpoint is not on this ledger';

-- how far feeds have been looked at; what is lost, or another server's, is looked at again
CREATE UNLOGGED TABLE ecert_internal.certificate_seen (
    issuer text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    last_seq bigint NOT NULL,
    last_hash bytea NOT NULL,
    CONSTRAINT certificate_seen_pkey PRIMARY KEY (issuer, kind)
) USING heap;
COMMENT ON TABLE ecert_internal.certificate_seen IS 'how far ecert.judge_certificates() has looked at feeds that can move certificates';
COMMENT ON COLUMN ecert_internal.certificate_seen.issuer IS 'issuer of the feed';
COMMENT ON COLUMN ecert_internal.certificate_seen.kind IS 'kind of the feed: energy, product, audit, node or certificate';
COMMENT ON COLUMN ecert_internal.certificate_seen.last_seq IS 'last package of the feed that was looked at';
COMMENT ON COLUMN ecert_internal.certificate_seen.last_hash IS 'hash of that package: of a feed that has another in its place, all is looked at again';

CREATE FUNCTION ecert.create_certificate_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($table$CREATE TABLE ledger.certificate_state (  -- what this node found against each certificate, and whether it still stands; a cache, see ecert.rebuild_certificates()
        certificate_hash bytea NOT NULL,  -- hash of the certificate package
        applicant text COLLATE "C" NOT NULL,  -- node id of the applicant
        recomputation text COLLATE "C",  -- agrees, differs or not checkable here; NULL: its checkpoint has not been computed here yet
        problem text,  -- what is wrong with it, as of its checkpoint; NULL: nothing that this node knows of
        is_final boolean NOT NULL,  -- was it judged since the checkpoint that covers it was computed; that verdict does not change
        standing text COLLATE "C",  -- stands, disputed, overtaken, replaced, void; unsound: something is wrong with it, so that it does not count; not checkable here; NULL: not judged yet
        why text,  -- why it does not stand, in words
        since timestamptz,  -- since when it has this standing: when what brought it was issued
        judged_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when this node last found something new
        CONSTRAINT certificate_state_pkey PRIMARY KEY (certificate_hash)
    )$table$);
    CREATE INDEX certificate_state_applicant ON ledger.certificate_state (applicant);
    CREATE INDEX certificate_state_open ON ledger.certificate_state (certificate_hash) WHERE recomputation IS NULL;
    CREATE INDEX certificate_state_standing ON ledger.certificate_state (standing) WHERE standing NOT IN ('stands', 'not checkable here');
    -- what a checkpoint covers is judged for good when it is computed
    CREATE TRIGGER ecert_judge_sealed AFTER INSERT ON ledger.sealing FOR EACH ROW EXECUTE FUNCTION ecert.judge_sealed();
    ALTER TABLE ledger.sealing ENABLE ALWAYS TRIGGER ecert_judge_sealed;
$$;
COMMENT ON FUNCTION ecert.create_certificate_tables() IS 'internal: makes ledger.certificate_state, and has certificates judged when a checkpoint was computed';

CREATE FUNCTION ecert.note_standing(certificate bytea, applicant text, recomputation text, problem text, is_final boolean, standing text, why text, since timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO ledger.certificate_state AS s (certificate_hash, applicant, recomputation, problem, is_final, standing, why, since)
    VALUES (note_standing.certificate, note_standing.applicant, note_standing.recomputation, note_standing.problem, note_standing.is_final, note_standing.standing, note_standing.why, note_standing.since)
    ON CONFLICT ON CONSTRAINT certificate_state_pkey DO UPDATE
       SET recomputation = EXCLUDED.recomputation, problem = EXCLUDED.problem, is_final = EXCLUDED.is_final,
           standing = EXCLUDED.standing, why = EXCLUDED.why, since = EXCLUDED.since, judged_at = EXCLUDED.judged_at
     WHERE (s.recomputation, s.problem, s.is_final, s.standing, s.why, s.since) IS DISTINCT FROM
           (EXCLUDED.recomputation, EXCLUDED.problem, EXCLUDED.is_final, EXCLUDED.standing, EXCLUDED.why, EXCLUDED.since);
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ecert.note_standing(bytea, text, text, text, boolean, text, text, timestamptz) IS 'internal: write down in ledger.certificate_state what was found of a certificate; false: it was there';

CREATE FUNCTION ecert.judge_certificate(certificate bytea, anew boolean) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
    p record;
    known record;
    stood record;
    recomputation text;
    problem text;
    is_final boolean;
BEGIN
    SELECT q.* INTO p FROM ledger.package q WHERE q.hash = certificate AND q.kind = 'certificate';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT s.* INTO known FROM ledger.certificate_state s WHERE s.certificate_hash = certificate;
    is_final := coalesce(known.is_final, false);
    recomputation := known.recomputation;
    problem := known.problem;
    IF anew OR NOT is_final THEN
        is_final := EXISTS (SELECT FROM ledger.sealing s WHERE s.checkpoint_seq = ecert.sealed_by(p.issuer, p.kind, p.seq));
        recomputation := NULL;
        problem := NULL;
        -- all that its checkpoint covers is here, or will not come
        IF is_final OR EXISTS (SELECT FROM ledger.package c JOIN ledger.sealing s ON s.checkpoint_seq = c.seq
                                WHERE c.hash = decode(ecert.body(p.package) ->> 'checkpoint', 'hex') AND c.kind = 'checkpoint' AND c.issuer = p.issuer) THEN
            -- under a checkpoint that was taken up it was judged just now
            problem := CASE WHEN is_final AND NOT anew THEN (SELECT f.problem FROM ledger.finding f WHERE f.issuer = p.issuer AND f.kind = p.kind AND f.seq = p.seq)
                       ELSE ecert.finding_of(p.package) END;
            -- where nothing is wrong the figures agree too
            recomputation := CASE WHEN problem IS NOT NULL THEN ecert.recomputation(p.package) WHEN ecert.is_checkable(p.package) THEN 'agrees' ELSE 'not checkable here' END;
        END IF;
    END IF;
    IF problem IS NOT NULL THEN
        SELECT 'unsound' AS standing, problem AS why, p.issued_at AS since INTO stood;
    ELSIF recomputation IS NULL THEN
        SELECT NULL::text AS standing, NULL::text AS why, NULL::timestamptz AS since INTO stood;
    ELSE
        SELECT CASE WHEN recomputation = 'not checkable here' AND coalesce(s.standing, 'stands') = 'stands' THEN recomputation ELSE s.standing END AS standing, s.why, s.since
          INTO stood FROM ecert.certificate_standing(p.package) AS s;
    END IF;
    RETURN ecert.note_standing(certificate, p.subject, recomputation, problem, is_final, stood.standing, stood.why, stood.since)
       AND (stood.standing IS DISTINCT FROM known.standing OR stood.why IS DISTINCT FROM known.why);
END
$$;
COMMENT ON FUNCTION ecert.judge_certificate(bytea, boolean) IS 'internal: look at one certificate and write down in ledger.certificate_state what was found; its verdict only where that is open, or anew. Returns whether its standing is another one than before';

CREATE FUNCTION ecert.judge_behind(p ecert.package) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM ecert.judge_certificate(ecert.hash(p), false);
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING USING MESSAGE = format('certificate %s could not be judged: %s', ecert.seq(p), SQLERRM), ERRCODE = SQLSTATE,
        HINT = 'Run SELECT ecert.rebuild_certificates().';
END
$$;
COMMENT ON FUNCTION ecert.judge_behind(ecert.package) IS 'internal: ecert.judge_certificate() behind a certificate that has come from a peer; raises nothing';

CREATE FUNCTION ecert.judge_sealed() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    due bytea[] := ARRAY(
        SELECT p.hash FROM ledger.leaf_range r
          JOIN ledger.package p ON p.issuer = r.issuer AND p.kind = r.kind AND p.seq BETWEEN r.first_seq AND r.last_seq
         WHERE r.issuer = ecert.certifier() AND r.kind = 'certificate' AND r.checkpoint_seq = NEW.checkpoint_seq
         UNION
        SELECT s.certificate_hash FROM ledger.certificate_state s WHERE s.recomputation IS NULL ORDER BY 1);
BEGIN
    IF cardinality(due) > 0 THEN
        BEGIN
            PERFORM ecert.judge_certificate(d.certificate, true) FROM unnest(due) AS d (certificate);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING USING MESSAGE = format('certificates under checkpoint %s could not be judged: %s', NEW.checkpoint_seq, SQLERRM), ERRCODE = SQLSTATE,
                HINT = 'Run SELECT ecert.rebuild_certificates().';
        END;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ecert.judge_sealed() IS 'trigger of ledger.sealing: judges the certificates that a checkpoint covers first, and those that waited for its packages; raises nothing';

CREATE FUNCTION ecert.note_issued(certificate bytea) RETURNS bytea
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    -- its rule was judged when it was made, over all that its checkpoint covers
    INSERT INTO ledger.certificate_state (certificate_hash, applicant, recomputation, is_final, standing, since)
    SELECT p.hash, p.subject, 'agrees', false, 'stands', p.issued_at FROM ledger.package p WHERE p.hash = note_issued.certificate
    ON CONFLICT DO NOTHING;
    SELECT note_issued.certificate
$$;
COMMENT ON FUNCTION ecert.note_issued(bytea) IS 'internal: a certificate that was issued in this transaction agrees and stands; returns its hash';

-- What comes later

CREATE FUNCTION ecert.moves_certificates(feeds ecert.feed[], OUT issuer text, OUT kind text, OUT seen_seq bigint, OUT last_seq bigint, OUT last_hash bytea) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.issuer, m.kind, coalesce(s.last_seq, -1), h.seq, h.hash
      FROM unnest(feeds) AS m
      LEFT JOIN ecert_internal.certificate_seen s ON s.issuer = m.issuer AND s.kind = m.kind
           AND EXISTS (SELECT FROM ledger.package p WHERE p.issuer = s.issuer AND p.kind = s.kind AND p.seq = s.last_seq AND p.hash = s.last_hash)
     CROSS JOIN LATERAL (SELECT p.seq, p.hash FROM ledger.package p WHERE p.issuer = m.issuer AND p.kind = m.kind ORDER BY p.seq DESC LIMIT 1) AS h
     WHERE CASE m.kind WHEN 'audit' THEN true WHEN 'certificate' THEN true WHEN 'node' THEN true
                       WHEN 'energy' THEN EXISTS (SELECT FROM ledger.certificate_state c WHERE c.applicant = m.issuer)
                       WHEN 'product' THEN EXISTS (SELECT FROM ledger.certificate_state c WHERE c.applicant = m.issuer) ELSE false END
       AND h.seq > coalesce(s.last_seq, -1)
$$;
COMMENT ON FUNCTION ecert.moves_certificates(ecert.feed[]) IS 'internal: of these feeds, those whose packages behind seen_seq, up to last_seq, have not been looked at and can take a certificate away, dispute it or make a new one';

CREATE FUNCTION ecert.moved_certificates(of_issuer text, of_kind text, seen_seq bigint) RETURNS SETOF bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    -- others were judged when they came, or were issued here
    SELECT p.hash FROM ledger.package p WHERE of_kind = 'certificate' AND p.issuer = of_issuer AND p.kind = of_kind AND p.seq > seen_seq
       AND NOT EXISTS (SELECT FROM ledger.certificate_state c WHERE c.certificate_hash = p.hash)
    UNION ALL
    -- only what replaces another takes anything away, also by the audits that were over both
    SELECT c.certificate_hash FROM ledger.certificate_state c
     WHERE of_kind IN ('energy', 'product') AND c.applicant = of_issuer
       AND EXISTS (SELECT FROM ledger.package p WHERE p.issuer = of_issuer AND p.kind = of_kind AND p.seq > seen_seq
                      AND EXISTS (SELECT FROM ledger.package o WHERE o.subject = p.subject AND o.kind = p.kind AND lower(o.period) = lower(p.period) AND o.issuer = p.issuer AND o.seq < p.seq))
    UNION ALL
    SELECT c.certificate_hash FROM ledger.certificate_state c
     WHERE of_kind = 'audit'
       AND c.applicant IN (SELECT p.subject FROM ledger.package p WHERE p.issuer = of_issuer AND p.kind = of_kind AND p.seq > seen_seq)
    UNION ALL
    -- of a node whose keys ended: its own, and those of whom it has audited
    SELECT c.certificate_hash FROM ledger.certificate_state c
     WHERE of_kind = 'node'
       AND c.applicant IN (SELECT t.applicant FROM ledger.package p
                            CROSS JOIN LATERAL (SELECT p.subject UNION ALL SELECT a.subject FROM ledger.package a WHERE a.issuer = p.subject AND a.kind = 'audit') AS t (applicant)
                            WHERE p.issuer = of_issuer AND p.kind = of_kind AND p.seq > seen_seq AND jsonb_path_exists(ecert.body(p.package), '$.keys[*].until'))
$$;
COMMENT ON FUNCTION ecert.moved_certificates(text, text, bigint) IS 'internal: the certificates, some perhaps twice, that packages of a feed behind a seq can have moved';

CREATE FUNCTION ecert.judge_certificates() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    look ecert.look;
    feed record;
    due bytea[] := '{}';
    changed bigint;
BEGIN
    -- whoever is at it looks for all
    IF NOT ecert.try_lock('certificates') THEN
        RETURN 0;
    END IF;
    look := ecert.look_moved('certificates');
    PERFORM ecert.keep_moved(look);
    -- what comes meanwhile is looked at again the next time
    FOR feed IN SELECT m.* FROM ecert.moves_certificates(look.feeds) AS m LOOP
        due := due || ARRAY(SELECT ecert.moved_certificates(feed.issuer, feed.kind, feed.seen_seq));
        INSERT INTO ecert_internal.certificate_seen AS s (issuer, kind, last_seq, last_hash) VALUES (feed.issuer, feed.kind, feed.last_seq, feed.last_hash)
        ON CONFLICT ON CONSTRAINT certificate_seen_pkey DO UPDATE SET last_seq = EXCLUDED.last_seq, last_hash = EXCLUDED.last_hash;
        -- certificates that were exchanged for those of another story
        DELETE FROM ledger.certificate_state c WHERE feed.kind = 'certificate' AND feed.seen_seq < 0 AND NOT EXISTS (SELECT FROM ledger.package p WHERE p.hash = c.certificate_hash);
    END LOOP;
    SELECT count(*) FILTER (WHERE ecert.judge_certificate(d.certificate, false)) INTO changed FROM (SELECT DISTINCT u FROM unnest(due) AS u ORDER BY 1) AS d (certificate);
    RETURN changed;
END
$$;
COMMENT ON FUNCTION ecert.judge_certificates() IS 'find out which certificates still stand, looking only at what has moved since the last time: corrections, audits, ended keys, new certificates; returns how many have another standing than before. Every round of duties does it';

CREATE FUNCTION ecert.rebuild_certificates() RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
BEGIN
    PERFORM ecert.take_lock('certificates');
    DELETE FROM ledger.certificate_state;
    DELETE FROM ecert_internal.certificate_seen;
    PERFORM ecert.forget_keeper('certificates');
    PERFORM ecert.judge_certificate(p.hash, true) FROM ledger.package p WHERE p.issuer = ecert.certifier() AND p.kind = 'certificate';
    RETURN (SELECT count(*) FROM ledger.certificate_state);
END
$$;
COMMENT ON FUNCTION ecert.rebuild_certificates() IS 'make ledger.certificate_state anew from the ledger, for instance after lost packages have come back; returns the number of certificates';

CREATE FUNCTION ecert.certificate_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'certificate', NULL::text,
           CASE WHEN count(*) = 0 THEN 'ok' WHEN bool_or(w.me IN (f.issuer, f.subject)) THEN 'alarm' ELSE 'warning' END, count(*)::text,
           (array_agg(format('%s of "%s" %s: %s. Next: %s', f.body ->> 'number', f.subject, CASE WHEN f.standing IN ('replaced', 'void') THEN 'rests on what is ' || f.standing ELSE 'is ' || f.standing END, f.why,
                             CASE WHEN w.me IS DISTINCT FROM f.issuer THEN format('ask "%s" about it', f.issuer)
                                  WHEN f.standing = 'disputed' THEN 'settle it with that auditor; SELECT ecert.set_status(...) suspends or withdraws the certificate'
                                  ELSE 'SELECT ecert.set_status(...) withdraws it; seal, and ecert.certify() makes another' END)
                      ORDER BY coalesce(w.me IN (f.issuer, f.subject), false) DESC, f.since DESC))[1]
      FROM (SELECT p.issuer, p.subject, s.standing, s.why, s.since, ecert.body(p.package) AS body
              FROM ledger.certificate_state s JOIN ledger.package p ON p.hash = s.certificate_hash
             WHERE s.standing NOT IN ('stands', 'not checkable here') AND (ecert.certificate_status(s.certificate_hash)).status <> 'withdrawn') AS f
     CROSS JOIN (SELECT current_setting('ecert.node', true)) AS w (me)
     WHERE ecert.from_unix_seconds((f.body -> 'valid' ->> 1)::bigint) > clock_timestamp()
$$;
COMMENT ON FUNCTION ecert.certificate_health() IS 'internal: the part of ecert.health() about certificates that are valid, not withdrawn, and disputed or do not stand any more';
