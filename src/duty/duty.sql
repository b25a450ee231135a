-- What a node has to do by itself, round after round: pack, audit, certify, reward, and keep its links alive.
--
-- A round is a list of duties (ecert.due_duties) and one transaction for each (ecert.do_duty). What cannot be done is
-- written down in ledger.duty_log with its reason and is due again in the next round.

CREATE FUNCTION ecert.log_duty(duty text, subject text, outcome text, sqlstate text DEFAULT NULL) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO ledger.duty_log (duty, subject, node, done_at, sqlstate, outcome)
    VALUES (log_duty.duty, log_duty.subject, ecert.this_node(), CASE WHEN log_duty.sqlstate IS NULL THEN clock_timestamp() END, log_duty.sqlstate, log_duty.outcome)
    ON CONFLICT ON CONSTRAINT duty_log_pkey DO UPDATE
       SET tried_at = clock_timestamp(), attempt_count = duty_log.attempt_count + 1,
           done_at = EXCLUDED.done_at, sqlstate = EXCLUDED.sqlstate, outcome = EXCLUDED.outcome
$$;
COMMENT ON FUNCTION ecert.log_duty(text, text, text, text) IS 'internal: write down how a duty went; sqlstate NULL: it is done';

CREATE FUNCTION ecert.clear_duty(duty text, subject text, outcome text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE ledger.duty_log l SET sqlstate = NULL, outcome = clear_duty.outcome, done_at = clock_timestamp(), tried_at = clock_timestamp()
     WHERE l.duty = clear_duty.duty AND l.subject = clear_duty.subject AND l.sqlstate IS NOT NULL
$$;
COMMENT ON FUNCTION ecert.clear_duty(text, text, text) IS 'internal: a duty that could not be done the last time can be done now; does nothing when there was no trouble';

CREATE FUNCTION ecert.has_role(node text, role text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT s.state -> 'roles' ? has_role.role AND s.state ->> 'status' = 'active' FROM ecert.node_state(has_role.node) AS s (state)), false)
$$;
COMMENT ON FUNCTION ecert.has_role(text, text) IS 'whether a node is active and has a role';

-- Applicants

CREATE FUNCTION ecert.unpacked(of_kind text, OUT period tstzrange) RETURNS SETOF tstzrange
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    me text := ecert.this_node();
    policy jsonb := ecert.policy();
    delay interval := current_setting('ecert.packing_delay')::interval;
    reached timestamptz;
    next_start timestamptz;
BEGIN
    SELECT upper(p.period) INTO reached FROM ledger.package p
     WHERE p.subject = me AND p.kind = of_kind AND p.issuer = me ORDER BY lower(p.period) DESC LIMIT 1;
    LOOP
        next_start := CASE of_kind
            WHEN 'energy' THEN (SELECT min(r.interval_start) FROM ledger.reading r WHERE r.node = me AND r.interval_start >= coalesce(reached, '-infinity'))
            ELSE (SELECT min(r.period_start) FROM ledger.production r WHERE r.node = me AND r.period_start >= coalesce(reached, '-infinity')) END;
        EXIT WHEN next_start IS NULL;
        period := ecert.calendar_span(policy, 'pack', next_start);
        -- an earlier policy may have had another calendar
        period := tstzrange(greatest(lower(period), reached), upper(period));
        EXIT WHEN upper(period) + delay > clock_timestamp();
        RETURN NEXT;
        reached := upper(period);
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.unpacked(text) IS 'applicant: the periods of the policy''s calendar (pack) that are over since ecert.packing_delay, have readings (kind energy) or production (kind product) of this node, and lie behind its last package; in the order of time';

CREATE FUNCTION ecert.pack_duty(of_kind text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    due tstzrange;
    packed bigint := 0;
BEGIN
    FOR due IN SELECT u.period FROM ecert.unpacked(of_kind) AS u LOOP
        BEGIN
            PERFORM CASE of_kind WHEN 'energy' THEN ecert.pack_energy(due) ELSE ecert.pack_product(due) END;
            packed := packed + 1;
            PERFORM ecert.log_duty('pack', of_kind, format('packed %s periods, the last %s', packed, ecert.calendar_text(ecert.policy(), due)));
        EXCEPTION WHEN OTHERS THEN
            -- a later period packed first would shut this one out for good
            PERFORM ecert.log_duty('pack', of_kind, format('%s: %s', ecert.calendar_text(ecert.policy(), due), SQLERRM), SQLSTATE);
            RETURN;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.pack_duty(text) IS 'internal: pack every period that is due, in the order of time, up to the first that cannot be packed';

-- Auditors

CREATE FUNCTION ecert.unaudited(OUT applicant text, OUT as_role text, OUT period tstzrange) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH mine AS MATERIALIZED (
        SELECT r.applicant, r.as_role FROM ledger.relation r
         WHERE r.auditor = ecert.this_node() AND ecert.related(r.auditor, r.applicant, r.as_role, clock_timestamp())),
    done AS MATERIALIZED (
        SELECT m.applicant, m.as_role, a.kind, a.first_seq, a.last_seq
          FROM mine m CROSS JOIN LATERAL ecert.audits(m.applicant) AS a
         WHERE a.auditor = ecert.this_node() AND a.as_role = m.as_role AND a.verdict <> 'abstain' AND NOT a.void AND NOT a.overtaken
           AND a.hash <> ALL (ARRAY(SELECT p.hash FROM ledger.finding f JOIN ledger.package p ON p.issuer = f.issuer AND p.kind = f.kind AND p.seq = f.seq
                                     WHERE f.issuer = ecert.this_node() AND f.kind = 'audit' AND f.problem IS NOT NULL)))
    SELECT m.applicant, m.as_role, p.period
      FROM mine m JOIN ledger.package p ON p.issuer = m.applicant AND p.subject = m.applicant AND p.kind = (ecert.audited_kinds(m.as_role))[1]
     WHERE NOT EXISTS (SELECT FROM ledger.package n WHERE n.subject = p.subject AND n.issuer = p.issuer AND n.kind = p.kind
                          AND lower(n.period) = lower(p.period) AND n.seq > p.seq)
       -- of every kind that the role reads something has come for that time
       AND NOT EXISTS (SELECT FROM unnest(ecert.audited_kinds(m.as_role)) AS k (kind)
                        WHERE NOT EXISTS (SELECT FROM ledger.package o WHERE o.subject = p.subject AND o.issuer = p.issuer AND o.kind = k.kind
                                             AND lower(o.period) = lower(p.period) AND upper(o.period) = upper(p.period)))
       AND EXISTS (SELECT FROM unnest(ecert.audited_kinds(m.as_role)) AS k (kind)
                     JOIN ledger.package o ON o.subject = p.subject AND o.issuer = p.issuer AND o.kind = k.kind
                      AND lower(o.period) = lower(p.period) AND upper(o.period) = upper(p.period)
                    WHERE NOT EXISTS (SELECT FROM ledger.package n WHERE n.subject = o.subject AND n.issuer = o.issuer AND n.kind = o.kind
                                         AND lower(n.period) = lower(o.period) AND n.seq > o.seq)
                      AND NOT EXISTS (SELECT FROM done d WHERE d.applicant = m.applicant AND d.as_role = m.as_role AND d.kind = o.kind
                                         AND o.seq BETWEEN d.first_seq AND d.last_seq))
     ORDER BY lower(p.period), m.applicant, m.as_role
$$;
COMMENT ON FUNCTION ecert.unaudited() IS 'auditor: what is to be audited by this node: applicant, role and period of packages that have no audit by it in that role, or none but such as abstain, are void or overtaken, or have a finding';

-- Certifier

CREATE FUNCTION ecert.enrolled_at(node text) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT to_timestamp((ecert.body(p.package) ->> 'effective')::bigint) FROM ledger.package p
     WHERE p.subject = enrolled_at.node AND p.kind = 'node' AND p.issuer = ecert.certifier() AND NOT ecert.is_false(p.issuer, p.kind, p.seq)
     ORDER BY p.seq LIMIT 1
$$;
COMMENT ON FUNCTION ecert.enrolled_at(text) IS 'internal: from when on a node takes part, as its first node package that counts says; NULL when it has none';

CREATE FUNCTION ecert.uncertified(OUT applicant text, OUT period tstzrange) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH rule AS MATERIALIZED (
        SELECT p.policy, clock_timestamp() AS now, clock_timestamp() - make_interval(days => (p.policy -> 'certificate' -> 'automatic' ->> 'days')::integer) AS oldest
          FROM ecert.policy() AS p (policy))
    SELECT n.node, w.period
      FROM ledger.node n
     CROSS JOIN rule r
     CROSS JOIN LATERAL (SELECT DISTINCT ecert.calendar_span(r.policy, 'statistics', lower(p.period)) AS period
                           FROM ledger.package p WHERE p.issuer = n.node AND p.subject = n.node AND p.kind = 'product' AND lower(p.period) >= r.oldest - interval '1 year') AS w
     WHERE n.is_applicant AND n.status = 'active' AND upper(w.period) <= r.now AND upper(w.period) > r.oldest AND upper(w.period) > ecert.enrolled_at(n.node)
       -- where there was one that was withdrawn, a person decides
       AND NOT EXISTS (SELECT FROM ledger.package c WHERE c.subject = n.node AND c.kind = 'certificate' AND c.issuer = ecert.certifier() AND c.period && w.period)
     ORDER BY n.node, w.period
$$;
COMMENT ON FUNCTION ecert.uncertified() IS 'certifier: applicants, and the statistics periods of the policy''s calendar for which it issues certificates by itself: those that are over, that the applicant has product packages for, that ended after it was enrolled and within certificate.automatic.days, and that no certificate was issued for, withdrawn ones included';

-- Links

CREATE FUNCTION ecert.look_at_link(peer text, OUT has_slot boolean, OUT proof_digest text, OUT refused text, OUT problem text, OUT is_disabled boolean) RETURNS record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link ledger.peer := (SELECT p FROM ledger.peer p WHERE p.peer = peer);
    publication text := CASE WHEN link.is_hub THEN link.publication ELSE 'ecert_up' END;
    there jsonb := ecert.ask(ecert.peer_connection(peer), format(
        'SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = %L AND s.wal_status <> ''lost'') AS has_slot,
                (SELECT d.digest FROM ecert.proof_digest() AS d) AS proof_digest, p.* FROM (%s) AS p', link.subscription, ecert.publication_question(publication))) -> 0;
BEGIN
    has_slot := coalesce((there ->> 'has_slot')::boolean, false)
        AND EXISTS (SELECT FROM pg_subscription s WHERE s.oid = ecert.subscription_oid(link.subscription) AND s.subslotname = link.subscription);
    proof_digest := there ->> 'proof_digest';
    refused := ecert.publication_problem(publication, there);
    problem := ecert.subscribed_problem(link.subscription);
    is_disabled := NOT (SELECT s.subenabled FROM pg_subscription s WHERE s.oid = ecert.subscription_oid(link.subscription));
END
$$;
COMMENT ON FUNCTION ecert.look_at_link(text) IS 'internal: how a link is: whether the slot is there and the subscription''s, the digest of the peer''s proofs, what it publishes beyond inserts into the ledger''s two tables, what is wrong with the tables that are subscribed to here, whether the subscription is disabled';

CREATE FUNCTION ecert.begin_anew(peer text, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    pulled bigint := ecert.resume(peer);
BEGIN
    UPDATE ledger.peer p SET was_disabled = false, idle_rounds = least(p.idle_rounds, 1), behind = '[]' WHERE p.peer = peer;
    PERFORM ecert.log_duty('link', peer, format('%s; began anew and pulled %s packages', reason, pulled));
END
$$;
COMMENT ON FUNCTION ecert.begin_anew(text, text) IS 'internal: ecert.resume() as a duty: the reason is written into ledger.duty_log';

CREATE FUNCTION ecert.keep_stream(peer text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link ledger.peer := (SELECT p FROM ledger.peer p WHERE p.peer = peer);
    now record;
    rights text;
BEGIN
    SELECT l.* INTO now FROM ecert.look_at_link(peer) AS l;
    IF now.problem IS NOT NULL AND (now.refused IS NULL OR NOT now.is_disabled) THEN
        -- after pg_upgrade, a restored dump or a REFRESH by hand. Where the publication is not to be subscribed to, nothing is
        PERFORM ecert.begin_anew(peer, now.problem);
        RETURN false;
    ELSIF now.refused IS NULL AND (NOT now.has_slot OR now.is_disabled AND link.was_disabled OR link.idle_rounds > 2) THEN
        -- behind a transaction of the peer that can never be applied, a new slot begins
        PERFORM ecert.begin_anew(peer, CASE WHEN NOT now.has_slot THEN 'the slot there was lost, or the subscription had another' WHEN now.is_disabled THEN 'the subscription was disabled again by an error'
                                            ELSE 'the subscription brought nothing' END);
        RETURN false;
    END IF;
    rights := ecert.receiver_problem(link.subscription, link.this_node);
    IF rights IS NOT NULL THEN
        PERFORM ecert.log_duty('link', peer, rights || '; given to it');
        PERFORM ecert.give_to_receiver(link.subscription, link.this_node);
    END IF;
    IF now.refused IS NOT NULL AND (now.is_disabled OR NOT now.has_slot) THEN
        PERFORM ecert.catch_up(peer, (SELECT coalesce(jsonb_agg(to_jsonb(b)), '[]') FROM ecert.behind(peer) AS b));
    ELSIF now.is_disabled THEN
        EXECUTE format('ALTER SUBSCRIPTION %I ENABLE', link.subscription);
        PERFORM ecert.log_duty('link', peer, 'the subscription was disabled by an error (see the server''s log) and is enabled again');
    END IF;
    UPDATE ledger.peer p SET was_disabled = now.is_disabled, refused = now.refused
     WHERE p.peer = peer AND (p.was_disabled, p.refused) IS DISTINCT FROM (now.is_disabled, now.refused);
    IF NOT link.is_hub THEN
        -- of the hub's, ecert.compare_with() does
        PERFORM ecert.compare_proofs(peer, ecert.peer_connection(peer), now.proof_digest);
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION ecert.keep_stream(text) IS 'internal: the part of ecert.link_duty() about the subscription: whose it is, which tables it has, whether it is enabled; false when replication began anew, with which all is done';

CREATE FUNCTION ecert.pull_behind(peer text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link ledger.peer := (SELECT p FROM ledger.peer p WHERE p.peer = peer);
    has_moved boolean := EXISTS (SELECT FROM jsonb_to_recordset(link.behind) AS b (issuer text, kind text, own_seq bigint)
                                   JOIN ledger.package p ON p.issuer = b.issuer AND p.kind = b.kind AND p.seq = b.own_seq + 1);
    is_streaming boolean := EXISTS (SELECT FROM pg_subscription s WHERE s.oid = ecert.subscription_oid(link.subscription) AND s.subenabled
                                       AND NOT EXISTS (SELECT FROM pg_subscription_rel l WHERE l.srsubid = s.oid AND l.srsubstate <> 'r'));
    pulled bigint := 0;
    behind jsonb;
    idle integer;
BEGIN
    -- what was ahead there at the last round and has not come by now will not come by itself
    IF link.behind <> '[]' THEN
        pulled := ecert.catch_up(peer, link.behind);
        IF pulled > 0 THEN
            PERFORM ecert.log_duty('link', peer, format('pulled %s packages that replication had not brought', pulled));
        END IF;
    END IF;
    behind := (SELECT coalesce(jsonb_agg(to_jsonb(b)), '[]') FROM ecert.behind(peer) AS b);
    idle := CASE WHEN is_streaming AND pulled > 0 AND NOT has_moved THEN link.idle_rounds + 1 ELSE 0 END;
    UPDATE ledger.peer p SET behind = behind, idle_rounds = idle WHERE p.peer = peer AND (p.behind, p.idle_rounds) IS DISTINCT FROM (behind, idle);
END
$$;
COMMENT ON FUNCTION ecert.pull_behind(text) IS 'internal: the part of ecert.link_duty() about feeds: pull what was ahead at the peer in the last round and has not come since, note what is ahead there now, by what it said in this round, and count the rounds in which replication brought none of it';

CREATE FUNCTION ecert.link_duty(peer text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    link ledger.peer := (SELECT p FROM ledger.peer p WHERE p.peer = peer);
    connection text := ecert.peer_connection(peer);
    differences bigint;
BEGIN
    IF connection IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC110', MESSAGE = format('this server does not subscribe to "%s"', peer),
            HINT = CASE WHEN link.subscription IS NULL THEN 'When the node has joined: SELECT ecert.admit_node(...).'
                        ELSE format('Its subscription is gone: SELECT ecert.resume(%L, ''<connection string>'').', peer) END;
    END IF;
    -- the hub's half, which makes a slot here: before anything is written, or it would wait for us
    IF link.own_connection IS NOT NULL AND jsonb_array_length(ecert.ask(connection, format(
            'SELECT 1 FROM ledger.peer p WHERE p.peer = %L AND p.subscription IS NOT NULL', link.this_node))) = 0 THEN
        PERFORM ecert.ask(connection, format('SELECT ecert.admit_node(%L, %L, %L, %L) IS NULL', link.this_node, link.own_connection, link.issuers, link.kinds));
        PERFORM ecert.log_duty('link', peer, 'the hub has admitted this node');
        RETURN;
    END IF;
    IF NOT ecert.keep_stream(peer) THEN
        RETURN;
    END IF;
    PERFORM ecert.pull_behind(peer);
    -- nodes below a node below
    IF NOT link.is_hub THEN
        UPDATE ledger.peer p SET below = t.below
          FROM (SELECT ARRAY(SELECT jsonb_array_elements_text(ecert.ask(connection, 'SELECT ecert.issuers_below() AS below') -> 0 -> 'below') EXCEPT SELECT peer ORDER BY 1)) AS t (below)
         WHERE p.peer = peer AND p.below <> t.below;
        IF FOUND AND EXISTS (SELECT FROM ledger.peer p WHERE p.is_hub) THEN
            PERFORM ecert.publish_up();
        END IF;
    END IF;
    IF link.is_hub THEN
        differences := ecert.compare_with(peer);
        IF differences > 0 AND ecert.fetch_stories(peer) > 0 THEN
            PERFORM ecert.take_up_checkpoints();
        END IF;
        BEGIN
            PERFORM ecert.ask_receipts(peer);
            PERFORM ecert.clear_duty('receipts', peer, 'the hub gives receipts');
        EXCEPTION WHEN OTHERS THEN
            -- the rest of the link does not depend on it
            PERFORM ecert.log_duty('receipts', peer, SQLERRM, SQLSTATE);
        END;
        IF differences > 0 THEN
            PERFORM ecert.log_duty('compare', peer, (SELECT format('%s differences, the first: %s %s %s', count(*), min(d.issuer), min(d.kind), min(d.problem))
                                                       FROM ledger.difference d WHERE d.peer = peer AND d.gone_at IS NULL), 'EC112');
        ELSE
            PERFORM ecert.clear_duty('compare', peer, 'no difference');
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.link_duty(text) IS 'internal: keep the link to a peer alive: make its subscription what it has to be, enable it when an error has disabled it, begin anew where it has no slot or not its tables or brings nothing, pull what does not come by itself, send up what nodes further below sign, compare with the hub';

-- What a backup brings back of another server's life

CREATE UNLOGGED TABLE ecert_internal.life (
    identity text COLLATE "C" NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ecert_internal.life IS 'the ledger that this server''s run-time state is about, one row. None after a restore, in a base backup, at a promoted standby, and after a crash';
COMMENT ON COLUMN ecert_internal.life.identity IS 'ecert.moved_identity() of it';
COMMENT ON COLUMN ecert_internal.life.began_at IS 'since when';

CREATE FUNCTION ecert.is_new_life() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT i.identity IS NOT NULL AND NOT EXISTS (SELECT FROM ecert_internal.life l WHERE l.identity = i.identity) FROM ecert.moved_identity() AS i (identity) $$;
COMMENT ON FUNCTION ecert.is_new_life() IS 'internal: whether the run-time state in schema ledger may be that of another server, brought back by a backup';

CREATE FUNCTION ecert.begin_life() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE ledger.peer SET behind = DEFAULT, refused = DEFAULT, was_disabled = DEFAULT, idle_rounds = DEFAULT, not_there = DEFAULT, compared_at = DEFAULT;
    DELETE FROM ledger.duty_log;
    DELETE FROM ecert_internal.life;
    INSERT INTO ecert_internal.life (identity) VALUES (ecert.moved_identity());
$$;
COMMENT ON FUNCTION ecert.begin_life() IS 'internal: forget what was found out about peers and duties by a server whose backup this is';

-- A round

CREATE FUNCTION ecert.due_duties(part text DEFAULT NULL, OUT duty text, OUT subject text, OUT as_role text, OUT period tstzrange) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    me text := ecert.this_node();
BEGIN
    IF part IS DISTINCT FROM 'links' THEN
        RETURN QUERY SELECT d.* FROM ecert.own_duties(me) AS d;
    END IF;
    IF part IS DISTINCT FROM 'own' THEN
        RETURN QUERY SELECT d.* FROM ecert.link_duties(me) AS d;
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.due_duties(text) IS 'what this node (ecert.node) has to do now, its own work first. part: own, what asks no other server (begin and drain as any node; pack as an applicant (subject: the kind), audit as an auditor (subject: the applicant), certify, reward and checkpoint as the certifier; take up checkpoints as any node, witness them as an auditor; judge which certificates stand; forget what has moved when everybody has seen it); links, what does (ask, link; witness where this node is not sent all feeds); NULL: both';

CREATE FUNCTION ecert.own_duties(me text, OUT duty text, OUT subject text, OUT as_role text, OUT period tstzrange) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT 'begin', 'life', NULL::text, NULL::tstzrange WHERE ecert.is_new_life();
    RETURN QUERY SELECT 'drain', 'pending', NULL::text, NULL::tstzrange WHERE EXISTS (SELECT FROM ledger.pending);
    IF ecert.has_role(me, 'applicant') THEN
        -- the duty itself looks whether there is something: what is wrong with the books is then in its row of ledger.duty_log
        RETURN QUERY SELECT 'pack', k.kind, NULL::text, NULL::tstzrange FROM unnest('{energy,product}'::text[]) AS k (kind);
    END IF;
    IF ecert.has_role(me, 'auditor') THEN
        RETURN QUERY SELECT 'audit', u.applicant, u.as_role, u.period FROM ecert.unaudited() AS u;
    END IF;
    IF me = ecert.certifier() THEN
        -- what is issued rests on a checkpoint: one for all of the round
        RETURN QUERY SELECT 'checkpoint', 'ledger', NULL::text, NULL::tstzrange WHERE ecert.checkpoint_is_due();
        RETURN QUERY SELECT 'certify', u.applicant, NULL::text, u.period FROM ecert.uncertified() AS u
                      WHERE (ecert.policy() -> 'certificate' -> 'automatic' ->> 'on')::boolean;
        RETURN QUERY SELECT 'reward', 'auditors', NULL::text, NULL::tstzrange;
    END IF;
    RETURN QUERY SELECT 'take up', 'checkpoints', NULL::text, NULL::tstzrange
                  WHERE coalesce((SELECT n.seq FROM ecert.newest_checkpoint() AS n), -1) > coalesce((SELECT max(s.checkpoint_seq) FROM ledger.sealing s), -1);
    IF ecert.has_role(me, 'auditor') THEN
        RETURN QUERY SELECT 'witness', 'checkpoint', NULL::text, NULL::tstzrange WHERE ecert.witness_is_due() AND ecert.holds_all();
    END IF;
    RETURN QUERY SELECT 'judge', 'certificates', NULL::text, NULL::tstzrange WHERE EXISTS (SELECT FROM ecert.moved('certificates'));
    RETURN QUERY SELECT 'forget', 'what has moved', NULL::text, NULL::tstzrange WHERE EXISTS (SELECT FROM ecert_internal.moved);
END
$$;
COMMENT ON FUNCTION ecert.own_duties(text) IS 'internal: the part of ecert.due_duties() that asks no other server';

CREATE FUNCTION ecert.link_duties(me text, OUT duty text, OUT subject text, OUT as_role text, OUT period tstzrange) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT 'ask', 'peers', NULL::text, NULL::tstzrange WHERE EXISTS (SELECT FROM ledger.peer p WHERE p.subscription IS NOT NULL);
    -- whoever gave trouble in the last round keeps the others waiting in none
    RETURN QUERY SELECT 'link', p.peer, NULL::text, NULL::tstzrange
                   FROM ledger.peer p LEFT JOIN ledger.duty_log l ON l.duty = 'link' AND l.subject = p.peer ORDER BY l.sqlstate IS NOT NULL, p.is_hub DESC, p.peer;
    IF ecert.has_role(me, 'auditor') THEN
        RETURN QUERY SELECT 'witness', 'checkpoint', NULL::text, NULL::tstzrange WHERE ecert.witness_is_due() AND NOT ecert.holds_all();
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.link_duties(text) IS 'internal: the part of ecert.due_duties() that asks other servers: all peers at once where their feeds end, then what each link needs';

CREATE FUNCTION ecert.do_duty(duty text, subject text, as_role text, period tstzrange) RETURNS void
    -- what is written down says the same whoever runs it
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET jit = off
AS $$
DECLARE
    about text := concat_ws(', ', concat_ws(' as ', subject, as_role), CASE WHEN period IS NOT NULL THEN ecert.calendar_text(ecert.policy(), period) END);
    -- what was done; NULL: nothing that need be written down
    outcome text;
    made bytea;
    said text;
BEGIN
    CASE duty
        WHEN 'begin' THEN
            PERFORM ecert.begin_life();
        WHEN 'ask' THEN
            PERFORM ecert.hear();
        WHEN 'link' THEN
            PERFORM ecert.check_heard(subject);
            PERFORM ecert.link_duty(subject);
            PERFORM ecert.clear_duty(duty, subject, 'the link works again');
        WHEN 'drain' THEN
            outcome := (SELECT format('admitted %s packages', d.count) FROM ecert.drain_pending() AS d (count) WHERE d.count > 0);
        WHEN 'pack' THEN
            PERFORM ecert.pack_duty(subject);
        WHEN 'audit' THEN
            made := ecert.submit_audit(subject, period, as_role);
            outcome := (SELECT ecert.body(p.package) ->> 'verdict' FROM ledger.package p WHERE p.hash = made);
        WHEN 'certify' THEN
            PERFORM ecert.certify(subject, period);
            outcome := 'certified';
        WHEN 'reward' THEN
            outcome := (SELECT format('rewarded %s audits', count(*)) FROM ecert.reward() HAVING count(*) > 0);
        WHEN 'checkpoint' THEN
            PERFORM ecert.checkpoint();
            outcome := (SELECT format('sealed %s packages', n.body ->> 'size') FROM ecert.newest_checkpoint() AS n);
        WHEN 'take up' THEN
            outcome := (SELECT format('computed %s checkpoints', t.count) FROM ecert.take_up_checkpoints() AS t (count) WHERE t.count > 0);
        WHEN 'judge' THEN
            outcome := (SELECT format('%s certificates have another standing', j.count) FROM ecert.judge_certificates() AS j (count) WHERE j.count > 0);
        WHEN 'forget' THEN
            PERFORM ecert.follow_sealings();
            PERFORM ecert.forget_moved();
        WHEN 'witness' THEN
            IF ecert.witness() IS NOT NULL THEN
                outcome := (SELECT format('witnessed checkpoint %s, %s packages', n.seq, n.body ->> 'size') FROM ecert.newest_checkpoint() AS n);
            END IF;
    END CASE;
    IF outcome IS NOT NULL THEN
        PERFORM ecert.log_duty(duty, about, outcome);
    END IF;
EXCEPTION
    WHEN SQLSTATE 'EC053' THEN
        PERFORM ecert.log_duty(duty, about, 'abstained; there are still not enough records for more');
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
        -- one can read it, and is told where the rest is
        PERFORM ecert.log_duty(duty, about, left(SQLERRM, 1000) || CASE WHEN said = '' THEN '' WHEN length(said) <= 300 THEN format(' (%s)', said) ELSE format(' (%s ...)', left(said, 300)) END
                               || CASE WHEN SQLSTATE = 'EC062' THEN format('; all of it: SELECT * FROM ecert.obstacles(%L, %L)', subject, period) ELSE '' END, SQLSTATE);
END
$$;
COMMENT ON FUNCTION ecert.do_duty(text, text, text, tstzrange) IS 'internal: do one duty; when it cannot be done, write down why in ledger.duty_log. An audit that again can only abstain counts as done';

CREATE FUNCTION ecert.begin_round(part text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF ecert.try_lock('duties ' || part, true) THEN
        RETURN true;
    END IF;
    RAISE NOTICE USING MESSAGE = format('a round of duties (%s) is under way already', part);
    RETURN false;
END
$$;
COMMENT ON FUNCTION ecert.begin_round(text) IS 'internal: true when no other session is at this part (own, links) of a round of duties; this one is then, until ecert.end_round()';

CREATE FUNCTION ecert.end_round(part text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    -- what could not be done and was not tried in this round is not due any more
    DELETE FROM ledger.duty_log l USING ledger.duty_log r
     WHERE l.sqlstate IS NOT NULL AND l.node = ecert.this_node() AND r.duty = CASE part WHEN 'own' THEN 'round' ELSE 'link round' END AND r.subject = l.node AND l.tried_at < r.tried_at
       AND CASE WHEN l.duty IN ('link', 'compare') THEN part = 'links' AND NOT EXISTS (SELECT FROM ledger.peer p WHERE p.peer = l.subject)
                WHEN l.duty = 'ask' OR l.duty = 'witness' AND NOT ecert.holds_all() THEN part = 'links' ELSE part = 'own' END;
    SELECT ecert.log_duty(CASE part WHEN 'own' THEN 'round' ELSE 'link round' END, ecert.this_node(), 'done');
    SELECT ecert.release_lock('duties ' || part);
$$;
COMMENT ON FUNCTION ecert.end_round(text) IS 'internal: the part of a round that ecert.begin_round() began is done';

CREATE PROCEDURE ecert.run_duties()
    LANGUAGE plpgsql
AS $$
DECLARE
    part text;
    due record;
BEGIN
    -- src/duty/worker.c takes the same steps. Whatever the caller's default, a duty has to see what others commit
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    FOREACH part IN ARRAY '{own,links}'::text[] LOOP
        IF ecert.begin_round(part) THEN
            FOR due IN SELECT d.duty, d.subject, d.as_role, d.period FROM ecert.due_duties(part) AS d LOOP
                PERFORM ecert.do_duty(due.duty, due.subject, due.as_role, due.period);
                COMMIT;
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            END LOOP;
            PERFORM ecert.end_round(part);
            COMMIT;
            SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        END IF;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE ecert.run_duties() IS 'one round of this node''s duties, each in a transaction of its own: settle what waits, pack periods that are over, audit what came in, certify, reward and seal, compute and witness checkpoints, judge which certificates stand; then, since others may be slow, keep links alive. What cannot be done is in ledger.duty_log and tried again in the next round. The background worker does the same every ecert.worker_interval; cron may call this instead';

CREATE FUNCTION ecert.create_duty_tables() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($table$CREATE TABLE ledger.duty_log (  -- how this node's duties went last, one row each; those with an sqlstate could not be done yet and are tried again
        duty text COLLATE "C" NOT NULL,  -- begin, drain, pack, audit, certify, reward, checkpoint, take up, witness, judge, forget, ask, link, compare, receipts; round, link round: all of this node's own, of its links
        subject text COLLATE "C" NOT NULL,  -- what or whom it is about
        node text COLLATE "C" NOT NULL,  -- node that it was done as
        first_tried_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it was first tried
        tried_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it was tried last
        attempt_count bigint NOT NULL DEFAULT 1,  -- how often it was tried
        done_at timestamptz,  -- when it was done; NULL: not yet
        sqlstate text COLLATE "C",  -- why it could not be done: SQLSTATE; NULL: it is done
        outcome text NOT NULL,  -- what was done, or why it could not be
        CONSTRAINT duty_log_pkey PRIMARY KEY (duty, subject)
    )$table$);
$$;
COMMENT ON FUNCTION ecert.create_duty_tables() IS 'internal: makes ledger.duty_log';
