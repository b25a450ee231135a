-- One screen that says how this node is.

CREATE FUNCTION ecert.health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    feed_count bigint;
    package_count bigint;
BEGIN
    SELECT count(*), sum(f.last_seq + 1) INTO feed_count, package_count FROM ecert.feeds() AS f;
    RETURN QUERY SELECT 'feeds', NULL::text, CASE WHEN feed_count > 0 THEN 'ok' ELSE 'alarm' END, feed_count::text,
                        format('%s packages by their heads; ledger.head lists them', coalesce(package_count, 0));
    IF feed_count = 0 THEN
        -- as between the schema and the data of a restore: nothing can be said of a ledger without genesis
        RETURN QUERY SELECT * FROM ecert.set_up_health();
        RETURN;
    END IF;
    RETURN QUERY SELECT 'newest package', h.issuer, 'ok', h.recorded_at::text, format('%s, seq %s', h.kind, h.seq)
                   FROM (SELECT p.issuer, p.kind, p.seq, p.recorded_at FROM ecert.feeds() AS f
                           JOIN ledger.package p ON p.issuer = f.issuer AND p.kind = f.kind AND p.seq = f.last_seq ORDER BY p.recorded_at DESC LIMIT 1) AS h;
    RETURN QUERY SELECT 'pending', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'warning' END, count(*)::text,
                        CASE WHEN count(*) > 0 THEN format('oldest of %s, waits for %s', min(p.received_at), (array_agg(p.waits_for ORDER BY p.received_at))[1]) END
                   FROM ledger.pending p;
    RETURN QUERY SELECT 'quarantine', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
                        (SELECT format('last from %s: %s %s', coalesce(l.peer, 'a session'), l.sqlstate, l.reason) FROM ledger.quarantine l ORDER BY l.received_at DESC LIMIT 1)
                   FROM ledger.quarantine q;
    RETURN QUERY SELECT 'equivocation', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
                        (SELECT format('"%s" signed %s seq %s twice', l.issuer, l.kind, l.seq) FROM ledger.equivocation l ORDER BY l.found_at DESC LIMIT 1)
                   FROM ledger.equivocation e;
    RETURN QUERY SELECT 'finding', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
                        (SELECT format('the last: %s %s of "%s": %s', l.kind, l.seq, l.issuer, l.problem) FROM ledger.finding l WHERE l.problem IS NOT NULL ORDER BY l.found_at DESC LIMIT 1)
                   FROM ledger.finding f WHERE f.problem IS NOT NULL;
    RETURN QUERY SELECT 'void', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'warning' END, count(*)::text,
                        (array_agg(format('the last: %s %s of "%s"; ledger.void lists them', v.kind, v.seq, v.issuer) ORDER BY v.issued_at DESC, v.seq DESC))[1]
                   FROM ledger.void v;
    RETURN QUERY SELECT * FROM ecert.certificate_health();
    RETURN QUERY SELECT * FROM ecert.link_health();
    RETURN QUERY SELECT 'difference', d.peer, CASE WHEN count(d.peer) FILTER (WHERE d.gone_at IS NULL) > 0 THEN 'alarm' ELSE 'ok' END,
                        count(d.peer) FILTER (WHERE d.gone_at IS NULL)::text,
                        array_to_string((array_agg(concat_ws(' ', nullif(d.issuer, ''), nullif(d.kind, ''), d.problem) ORDER BY d.found_at DESC) FILTER (WHERE d.gone_at IS NULL))[1:3], '; ')
                   FROM ledger.difference d GROUP BY d.peer ORDER BY d.peer;
    RETURN QUERY SELECT 'claim', c.peer, 'warning', c.topics, c.claims FROM ecert.claims() AS c;
    RETURN QUERY SELECT * FROM ecert.checkpoint_health();
    RETURN QUERY SELECT 'passed over', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
                        (array_agg(format('two sealings leave out %s of "%s" from seq %s on, here since %s', o.kind, o.issuer, o.first_seq, o.recorded_at) ORDER BY o.recorded_at))[1]
                   FROM ecert.passed_over() AS o;
    RETURN QUERY SELECT 'verification', NULL::text, CASE WHEN v.problem_count > 0 THEN 'alarm' WHEN v.finished_at IS NULL OR v.identity IS DISTINCT FROM ecert.moved_identity() THEN 'warning' ELSE 'ok' END,
                        coalesce(v.finished_at::text, CASE WHEN v.id IS NULL THEN 'never' ELSE 'under way' END),
                        CASE WHEN v.id IS NULL THEN 'CALL ecert.verify_ledger()'
                             ELSE format('%s problems in %s packages', v.problem_count, v.checked_count)
                                  || CASE WHEN v.identity IS DISTINCT FROM ecert.moved_identity() THEN '; since then the ledger was restored or its triggers were off: CALL ecert.verify_ledger()' ELSE '' END END
                   FROM (VALUES (1)) AS one LEFT JOIN LATERAL (SELECT * FROM ledger.verification ORDER BY id DESC LIMIT 1) AS v ON true;
    RETURN QUERY SELECT 'duties', NULL::text, CASE WHEN count(*) FILTER (WHERE l.sqlstate IS NOT NULL) > 0 THEN 'warning' ELSE 'ok' END,
                        coalesce(max(l.tried_at) FILTER (WHERE l.duty = 'round')::text, 'never'),
                        format('%s cannot be done now%s', count(*) FILTER (WHERE l.sqlstate IS NOT NULL),
                               ': ' || (array_agg(format('%s %s: %s', l.duty, l.subject, l.outcome) ORDER BY l.tried_at DESC) FILTER (WHERE l.sqlstate IS NOT NULL))[1])
                   FROM ledger.duty_log l;
    RETURN QUERY SELECT * FROM ecert.set_up_health();
EXCEPTION WHEN OTHERS THEN
    -- what was found by then stays
    RETURN QUERY SELECT 'health', NULL::text, 'alarm', SQLSTATE, SQLERRM;
END
$$;
COMMENT ON FUNCTION ecert.health() IS 'rows of ledger.health: what is looked at, about whom, its state (ok, warning, alarm), its value and what stands behind it. Answers always: what cannot be told is a row health, with SQLSTATE and message';

CREATE FUNCTION ecert.worker_hint() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    -- a worker for each subscription, and one for a first copy; beside them the launcher and the worker of duties
    SELECT format('%s subscriptions are enabled on this server, which lets %s workers receive: raise max_logical_replication_workers to %s and max_worker_processes to %s, and restart',
                  n.enabled, least(n.may_receive, n.may_run - 2), n.enabled + 2, n.enabled + 4)
      FROM (SELECT count(*) AS enabled, count(*) + bool_or(EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r'))::integer AS needed,
                   current_setting('max_logical_replication_workers')::integer AS may_receive, current_setting('max_worker_processes')::integer AS may_run
              FROM pg_subscription s WHERE s.subenabled) AS n
     WHERE n.needed > least(n.may_receive, n.may_run - 2)
$$;
COMMENT ON FUNCTION ecert.worker_hint() IS 'internal: which settings keep subscriptions of this server from having a worker each, and to what they are to be raised; NULL when none does';

CREATE FUNCTION ecert.link_hint(peer text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat_ws('; ', ecert.worker_hint(), (SELECT l.outcome FROM ledger.duty_log l WHERE l.duty = 'link' AND l.subject = link_hint.peer AND l.sqlstate IS NOT NULL),
                     format('if its address, database or password is new: SELECT ecert.resume(%L, ''<connection string>'')', link_hint.peer))
$$;
COMMENT ON FUNCTION ecert.link_hint(text) IS 'internal: why a link may be down, and the next step: the setting that limits this server, what the duties say, the statement for a new connection';

CREATE FUNCTION ecert.link_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'receiving from', l.peer, l.state, l.value,
           CASE WHEN l.id IS NOT NULL THEN concat_ws('; ', l.detail, format('heard %s ago; %s feeds were ahead there; %s errors', coalesce(date_trunc('second', clock_timestamp() - l.heard_at)::text, 'long'), l.ahead,
                                                                          (SELECT e.apply_error_count + e.sync_error_count FROM pg_stat_subscription_stats e WHERE e.subid = l.id)))
                ELSE l.detail END
      FROM (SELECT p.peer, s.oid AS id, w.last_msg_receipt_time AS heard_at, jsonb_array_length(p.behind) AS ahead, o.*
              FROM ledger.peer p
              LEFT JOIN pg_subscription s ON s.oid = ecert.subscription_oid(p.subscription)
              LEFT JOIN LATERAL (SELECT t.pid, t.last_msg_receipt_time FROM pg_stat_subscription t WHERE t.subid = s.oid AND t.relid IS NULL
                                     -- a worker that only tries to connect has received nothing yet
                                     AND t.pid IS NOT NULL AND t.received_lsn IS NOT NULL
                                  ORDER BY t.last_msg_receipt_time DESC NULLS LAST LIMIT 1) AS w ON true
              -- the first that applies: a link is judged by what it carries
             CROSS JOIN LATERAL (SELECT * FROM (VALUES
                   (p.subscription IS NULL, 'warning', 'not linked yet', NULL),
                   (s.oid IS NULL, 'alarm', 'subscription is gone', format('SELECT ecert.resume(%L, ''<connection string>'')', p.peer)),
                   (p.refused IS NOT NULL, 'alarm', CASE WHEN s.subenabled THEN 'publishes too much' ELSE 'publishes too much, packages are pulled' END, p.refused),
                   (ecert.receiver_problem(p.subscription, p.this_node) IS NOT NULL, 'alarm', 'wrong rights', ecert.receiver_problem(p.subscription, p.this_node) || '; the duties set it'),
                   (ecert.subscribed_problem(p.subscription) IS NOT NULL, 'alarm', 'brings nothing', ecert.subscribed_problem(p.subscription) || '; the duties begin anew'),
                   (NOT s.subenabled, 'alarm', 'subscription is disabled', ecert.link_hint(p.peer)),
                   (w.pid IS NULL, 'warning', 'not connected', ecert.link_hint(p.peer)),
                   (EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r'),
                    CASE WHEN ecert.worker_hint() IS NULL THEN 'ok' ELSE 'warning' END, 'copying', ecert.worker_hint()),
                   (p.idle_rounds > 0, 'warning', 'brings nothing', format('in %s rounds all that was ahead there had to be pulled', p.idle_rounds)),
                   (true, 'ok', 'streaming', NULL)) AS c (applies, state, value, detail)
                   WHERE c.applies LIMIT 1) AS o) AS l
    UNION ALL
    SELECT 'sending to', p.peer, CASE WHEN t.slot_name IS NULL OR t.wal_status = 'lost' THEN 'alarm' WHEN NOT t.active OR t.wal_status = 'unreserved' THEN 'warning' ELSE 'ok' END,
           CASE WHEN t.slot_name IS NULL THEN 'no slot' WHEN t.wal_status = 'lost' THEN 'slot lost' WHEN NOT t.active THEN 'not connected' ELSE 'connected' END,
           CASE WHEN t.slot_name IS NOT NULL AND NOT pg_is_in_recovery() THEN concat_ws('; ', format('%s behind', pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), t.confirmed_flush_lsn))),
                                                                                        CASE WHEN p.not_there > 0 THEN format('%s packages from here were not there yet', p.not_there) END) END
      FROM ledger.peer p LEFT JOIN pg_replication_slots t ON t.slot_name = ecert.link_name(p.peer, p.this_node)
     ORDER BY 1, 2
$$;
COMMENT ON FUNCTION ecert.link_health() IS 'internal: the part of ecert.health() about links: what is received from each peer and what is sent to it';

CREATE FUNCTION ecert.set_up_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'triggers', NULL::text, CASE WHEN t.in_force = 4 AND t.others = 0 THEN 'ok' ELSE 'alarm' END, format('%s of 4 in force', t.in_force),
           CASE WHEN t.others > 0 THEN format('%s triggers that are not ecert''s', t.others) END
      FROM (SELECT count(*) FILTER (WHERE g.tgname IN ('ecert_admit', 'ecert_refuse_row', 'ecert_refuse_statement', 'ecert_take_up') AND g.tgenabled = 'A'
                                      AND g.tgfoid IN ('ecert.admit()'::regprocedure, 'ecert.refuse_change()'::regprocedure, 'ecert.take_up_new()'::regprocedure)) AS in_force,
                   count(*) FILTER (WHERE g.tgname NOT IN ('ecert_admit', 'ecert_refuse_row', 'ecert_refuse_statement', 'ecert_drain', 'ecert_take_up')) AS others
              FROM pg_trigger g WHERE g.tgrelid = 'ledger.package'::regclass AND NOT g.tgisinternal) AS t
    UNION ALL
    SELECT 'publication', w.name, CASE WHEN p.oid IS NOT NULL AND p.pubinsert AND NOT (p.pubupdate OR p.pubdelete OR p.pubtruncate) AND r.has_tables THEN 'ok' ELSE 'alarm' END,
           CASE WHEN p.oid IS NULL THEN 'missing' WHEN NOT r.has_tables THEN 'lacks a table' WHEN p.pubupdate OR p.pubdelete OR p.pubtruncate OR NOT p.pubinsert THEN 'publishes other than inserts' ELSE 'as it should be' END, NULL
      FROM (SELECT 'ecert' AS name UNION SELECT 'ecert_up' FROM ledger.peer l WHERE l.is_hub UNION SELECT l.publication FROM ledger.peer l WHERE NOT l.is_hub) AS w
      LEFT JOIN pg_publication p ON p.pubname = w.name
      LEFT JOIN LATERAL (SELECT count(*) = 2 AS has_tables FROM pg_publication_rel r WHERE r.prpubid = p.oid
                            AND r.prrelid IN ('ledger.package'::regclass, 'ledger.equivocation'::regclass)) AS r ON true
    UNION ALL
    SELECT 'setting', g.name, CASE WHEN g.good THEN 'ok' ELSE g.otherwise END, g.value, g.detail
      FROM (SELECT t.name, t.setting AS value, 'alarm' AS otherwise,
                   CASE t.name WHEN 'wal_level' THEN t.setting = 'logical' OR NOT EXISTS (SELECT FROM ledger.peer)
                        ELSE t.setting ~ E'(^|[ ,"])(pgoutput|\\*)($|[ ,"])' END AS good,
                   CASE t.name WHEN 'wal_level' THEN 'replication needs logical' ELSE 'replication needs pgoutput' END AS detail
              FROM pg_settings t WHERE t.name IN ('wal_level', 'output_plugin_libraries')
            UNION ALL
            SELECT 'ecert.is_preloaded', current_setting('ecert.is_preloaded'), 'warning', current_setting('ecert.is_preloaded')::boolean,
                   'in shared_preload_libraries there is a guard against DDL and a background worker') AS g
     ORDER BY 1, 2
$$;
COMMENT ON FUNCTION ecert.set_up_health() IS 'internal: the part of ecert.health() about triggers, publications and settings';

CREATE FUNCTION ecert.create_health_views() RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.head AS  -- where each feed ends
    SELECT p.issuer,  -- node id of the signer
           p.kind,  -- kind of package
           p.seq,  -- number of the newest package of the feed, from 0
           p.issued_at,  -- when the issuer says it signed it
           encode(p.hash, 'hex') AS package_hash  -- its hash, hexadecimal
      FROM ecert.feeds() AS f JOIN ledger.package p ON p.issuer = f.issuer AND p.kind = f.kind AND p.seq = f.last_seq$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.void AS  -- packages that are on the ledger and do not count: their key had ended before they were issued, as a node package said later
    SELECT p.issuer,  -- node id of the signer
           p.kind,  -- kind of package
           p.seq,  -- its number in the feed
           p.issued_at,  -- when it says it was signed
           ecert.from_unix_seconds(e.ended) AS key_ended_at,  -- when the earliest of the node's keys ended
           encode(p.hash, 'hex') AS package_hash  -- its hash, hexadecimal
      FROM (SELECT n.subject AS node, min((k.value ->> 'until')::bigint) AS ended
              -- ends that were said after they had come
              FROM ledger.package n CROSS JOIN LATERAL jsonb_array_elements(ecert.body(n.package) -> 'keys') AS k
             WHERE n.kind = 'node' AND n.issuer = ecert.certifier() AND n.subject <> n.issuer AND ecert.from_unix_seconds((k.value ->> 'until')::bigint) < n.issued_at
             GROUP BY n.subject) AS e
      JOIN ledger.package p ON p.issuer = e.node AND p.issued_at > ecert.from_unix_seconds(e.ended)
     WHERE ecert.is_void(p.hash)$view$);

    SELECT ecert.create_described($view$CREATE OR REPLACE VIEW ledger.health AS  -- how this node is, in one screen; look at what is not ok
    SELECT h.item,  -- what is looked at: health (when not all of it could be), feeds, newest package, pending, quarantine, equivocation, finding, void, certificate, receiving from and sending to each peer, difference, claim, checkpoint, fork, passed over, verification, duties, triggers, publication, setting
           h.subject,  -- whom or what it is about: a peer, a publication, a setting
           h.state,  -- ok, warning (look at it) or alarm (something is wrong)
           h.value,  -- count, time or state
           h.detail  -- what stands behind it
      FROM ecert.health() AS h$view$);
$$;
COMMENT ON FUNCTION ecert.create_health_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';
