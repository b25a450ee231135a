-- One screen that says how this node is.

CREATE FUNCTION ecert.package_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT 'feeds', NULL::text, CASE WHEN count(*) > 0 THEN 'ok' ELSE 'alarm' END, count(*)::text, format('%s packages by their heads; ledger.head lists them', coalesce(sum(f.last_seq + 1), 0))
      FROM ecert.feeds() AS f
    UNION ALL
    SELECT 'newest package', h.issuer, 'ok', h.recorded_at::text, format('%s, seq %s', h.kind, h.seq)
      FROM (SELECT p.issuer, p.kind, p.seq, p.recorded_at FROM ecert.feeds() AS f
              JOIN ledger.package p ON p.issuer = f.issuer AND p.kind = f.kind AND p.seq = f.last_seq ORDER BY p.recorded_at DESC LIMIT 1) AS h
$$;
COMMENT ON FUNCTION ecert.package_health() IS 'internal: the part of ecert.health() about feeds and the newest package';

CREATE FUNCTION ecert.arrival_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'pending', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'warning' END, count(*)::text,
           CASE WHEN count(*) > 0 THEN format('oldest of %s, waits for %s', min(p.received_at), (array_agg(p.waits_for ORDER BY p.received_at))[1]) END
      FROM ledger.pending p
    UNION ALL
    SELECT 'quarantine', NULL, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
           (SELECT format('last from %s: %s %s', coalesce(l.peer, 'a session'), l.sqlstate, l.reason) FROM ledger.quarantine l ORDER BY l.received_at DESC LIMIT 1)
      FROM ledger.quarantine q
    UNION ALL
    SELECT 'equivocation', NULL, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
           (SELECT format('"%s" signed %s seq %s twice', l.issuer, l.kind, l.seq) FROM ledger.equivocation l ORDER BY l.found_at DESC LIMIT 1)
      FROM ledger.equivocation e
$$;
COMMENT ON FUNCTION ecert.arrival_health() IS 'internal: the part of ecert.health() about packages that came and are not on the ledger';

CREATE FUNCTION ecert.finding_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT 'finding', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
           (SELECT format('the last: %s %s of "%s": %s', l.kind, l.seq, l.issuer, l.problem) FROM ledger.finding l WHERE l.problem IS NOT NULL ORDER BY l.found_at DESC LIMIT 1)
      FROM ledger.finding f WHERE f.problem IS NOT NULL
    UNION ALL
    SELECT 'void', NULL, CASE count(*) WHEN 0 THEN 'ok' ELSE 'warning' END, count(*)::text,
           (array_agg(format('the last: %s %s of "%s"; ledger.void lists them', v.kind, v.seq, v.issuer) ORDER BY v.issued_at DESC, v.seq DESC))[1]
      FROM ledger.void v
$$;
COMMENT ON FUNCTION ecert.finding_health() IS 'internal: the part of ecert.health() about packages that are on the ledger and do not count';

CREATE FUNCTION ecert.difference_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'difference', d.peer, CASE WHEN count(d.peer) FILTER (WHERE d.gone_at IS NULL) > 0 THEN 'alarm' ELSE 'ok' END,
           count(d.peer) FILTER (WHERE d.gone_at IS NULL)::text,
           array_to_string((array_agg(concat_ws(' ', nullif(d.issuer, ''), nullif(d.kind, ''), d.problem) ORDER BY d.found_at DESC) FILTER (WHERE d.gone_at IS NULL))[1:3], '; ')
      FROM ledger.difference d GROUP BY d.peer ORDER BY d.peer
$$;
COMMENT ON FUNCTION ecert.difference_health() IS 'internal: the part of ecert.health() about peers that hold something else';

CREATE FUNCTION ecert.claim_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'claim', c.peer, 'warning', c.topics, c.claims FROM ecert.claims() AS c
$$;
COMMENT ON FUNCTION ecert.claim_health() IS 'internal: the part of ecert.health() about peers that claim what they have not shown';

CREATE FUNCTION ecert.sealing_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT 'passed over', NULL::text, CASE count(*) WHEN 0 THEN 'ok' ELSE 'alarm' END, count(*)::text,
           (array_agg(format('two sealings leave out %s of "%s" from seq %s on, here since %s', o.kind, o.issuer, o.first_seq, o.recorded_at) ORDER BY o.recorded_at))[1]
      FROM ecert.passed_over() AS o
$$;
COMMENT ON FUNCTION ecert.sealing_health() IS 'internal: the part of ecert.health() about packages that checkpoints leave out';

CREATE FUNCTION ecert.verification_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'verification', NULL::text, CASE WHEN v.problem_count > 0 THEN 'alarm' WHEN v.finished_at IS NULL OR v.identity IS DISTINCT FROM ecert.moved_identity() THEN 'warning' ELSE 'ok' END,
           -- of what its primary does a standby sees no locks
           coalesce(v.finished_at::text, CASE WHEN v.id IS NULL THEN 'never' WHEN pg_is_in_recovery() THEN 'not finished' WHEN ecert.is_verifying() THEN 'under way' ELSE 'interrupted' END),
           CASE WHEN v.id IS NULL THEN 'CALL ecert.verify_ledger()'
                WHEN v.identity IS DISTINCT FROM ecert.moved_identity()
                THEN format('%s problems in %s packages; since then the ledger was restored or its triggers were off: CALL ecert.verify_ledger()', v.problem_count, v.checked_count)
                WHEN v.finished_at IS NOT NULL THEN format('%s problems in %s packages', v.problem_count, v.checked_count)
                ELSE format('%s problems in %s of %s packages, the last step at %s', v.problem_count, v.checked_count, v.package_count, v.updated_at)
                     || CASE WHEN pg_is_in_recovery() OR ecert.is_verifying() THEN '' ELSE '; CALL ecert.verify_ledger() goes on from there' END END
      FROM (VALUES (1)) AS one LEFT JOIN LATERAL (SELECT * FROM ledger.verification ORDER BY id DESC LIMIT 1) AS v ON true
$$;
COMMENT ON FUNCTION ecert.verification_health() IS 'internal: the part of ecert.health() about the last run of ecert.verify_ledger()';

CREATE FUNCTION ecert.has_worker_here() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM unnest(string_to_array(current_setting('ecert.worker_database'), ',')) AS n (name)
                    WHERE current_database() = CASE WHEN btrim(n.name) LIKE '"%' THEN replace(btrim(btrim(n.name), '"'), '""', '"') ELSE lower(btrim(n.name)) END)
$$;
COMMENT ON FUNCTION ecert.has_worker_here() IS 'internal: whether ecert.worker_database names this database';

CREATE FUNCTION ecert.duty_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'duties', NULL::text, CASE WHEN w.reason IS NOT NULL OR l.undone > 0 THEN 'warning' ELSE 'ok' END, coalesce(l.last_round::text, 'never'),
           concat_ws('; ', w.reason, format('%s cannot be done now%s', l.undone, ': ' || l.newest))
      FROM (SELECT max(d.tried_at) FILTER (WHERE d.duty = 'round') AS last_round, count(*) FILTER (WHERE d.sqlstate IS NOT NULL) AS undone,
                   (array_agg(format('%s %s: %s', d.duty, d.subject, d.outcome) ORDER BY d.tried_at DESC) FILTER (WHERE d.sqlstate IS NOT NULL))[1] AS newest
              FROM ledger.duty_log d WHERE current_setting('ecert.node') IN ('', d.node)) AS l
     CROSS JOIN (SELECT current_setting('ecert.worker_interval')::interval) AS i (every)
     -- why no round is done: the first that applies
     CROSS JOIN LATERAL (SELECT CASE
            WHEN pg_is_in_recovery() OR l.last_round IS NOT NULL AND (NOT current_setting('ecert.is_preloaded')::boolean OR i.every = interval '0' OR NOT ecert.has_worker_here()
                                                                      OR l.last_round > clock_timestamp() - greatest(10 * i.every, interval '10 minutes')) THEN NULL
            WHEN NOT current_setting('ecert.is_preloaded')::boolean THEN 'there is no background worker, since ecert is not in shared_preload_libraries: let cron CALL ecert.run_duties()'
            WHEN i.every = interval '0' THEN 'ecert.worker_interval is 0: set it, or CALL ecert.run_duties()'
            WHEN NOT ecert.has_worker_here() THEN format('ecert.worker_database is "%s", not this database: add %I and reload, or let cron CALL ecert.run_duties()', current_setting('ecert.worker_database'), current_database())
            WHEN current_setting('ecert.node') = '' THEN 'ecert.node is not set'
            WHEN l.last_round IS NULL THEN format('the worker does one every %s; where it does not, the server''s log says why', i.every)
            ELSE format('the worker should do one every %s; the server''s log says why it does not', i.every) END) AS w (reason)
$$;
COMMENT ON FUNCTION ecert.duty_health() IS 'internal: the part of ecert.health() about rounds of duties: when the last one was, why there is none, and what cannot be done';

CREATE FUNCTION ecert.health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    part text;
BEGIN
    FOREACH part IN ARRAY '{package,arrival,finding,certificate,link,standby,difference,claim,checkpoint,sealing,verification,duty,structure,"set up",limit}'::text[] LOOP
        CONTINUE WHEN part = CASE WHEN pg_is_in_recovery() THEN 'link' ELSE 'standby' END;
        BEGIN
            -- as between the schema and the data of a restore: nothing can be said of a ledger without genesis
            CONTINUE WHEN part NOT IN ('package', 'structure', 'set up', 'limit') AND NOT EXISTS (SELECT FROM ledger.package);
            CASE part
                WHEN 'package' THEN RETURN QUERY SELECT * FROM ecert.package_health();
                WHEN 'arrival' THEN RETURN QUERY SELECT * FROM ecert.arrival_health();
                WHEN 'finding' THEN RETURN QUERY SELECT * FROM ecert.finding_health();
                WHEN 'certificate' THEN RETURN QUERY SELECT * FROM ecert.certificate_health();
                WHEN 'link' THEN RETURN QUERY SELECT * FROM ecert.link_health();
                WHEN 'standby' THEN RETURN QUERY SELECT * FROM ecert.standby_health();
                WHEN 'difference' THEN RETURN QUERY SELECT * FROM ecert.difference_health();
                WHEN 'claim' THEN RETURN QUERY SELECT * FROM ecert.claim_health();
                WHEN 'checkpoint' THEN RETURN QUERY SELECT * FROM ecert.checkpoint_health();
                WHEN 'sealing' THEN RETURN QUERY SELECT * FROM ecert.sealing_health();
                WHEN 'verification' THEN RETURN QUERY SELECT * FROM ecert.verification_health();
                WHEN 'duty' THEN RETURN QUERY SELECT * FROM ecert.duty_health();
                WHEN 'structure' THEN RETURN QUERY SELECT * FROM ecert.structure_health();
                WHEN 'set up' THEN RETURN QUERY SELECT * FROM ecert.set_up_health();
                WHEN 'limit' THEN RETURN QUERY SELECT * FROM ecert.limit_health();
            END CASE;
        EXCEPTION WHEN OTHERS THEN
            -- whatever is missing or may not be read, the other parts answer
            RETURN QUERY SELECT 'health', part, 'alarm', SQLSTATE, SQLERRM;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ecert.health() IS 'rows of ledger.health: what is looked at, about whom, its state (ok, warning, alarm), its value and what stands behind it. A part that cannot be told is a row of item health';

CREATE FUNCTION ecert.low_settings(OUT name text, OUT setting bigint, OUT needed bigint, OUT wherefor text, OUT raise_to bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH n AS MATERIALIZED (
        SELECT (SELECT count(*) FROM pg_subscription s WHERE s.subenabled) AS subscriptions,
               (SELECT count(DISTINCT l.srsubid) FROM pg_subscription_rel l JOIN pg_subscription s ON s.oid = l.srsubid AND s.subenabled WHERE l.srsubstate <> 'r') AS copying,
               (SELECT count(*) FROM pg_replication_slots) AS slots,
               (SELECT count(*) FROM ledger.peer p WHERE NOT EXISTS (SELECT FROM pg_replication_slots t WHERE t.slot_name = ecert.link_name(p.peer, p.this_node))) AS without_slot,
               CASE WHEN current_setting('ecert.is_preloaded')::boolean
                    THEN 1 + CASE WHEN current_setting('ecert.worker_interval')::interval = interval '0' THEN 0 ELSE 2 * cardinality(string_to_array(current_setting('ecert.worker_database'), ',')) END ELSE 0 END AS workers)
    SELECT g.name, g.setting::bigint, w.needed, w.wherefor, w.raise_to
      FROM n CROSS JOIN LATERAL (VALUES
           -- a copy of a first table has a worker of its own; two may go on at once
           ('max_logical_replication_workers', n.subscriptions + least(n.copying, 1), n.subscriptions + 2,
            format('one for each of %s subscriptions of this server, and one while tables are copied', n.subscriptions)),
           ('max_worker_processes', 1 + n.subscriptions + least(n.copying, 1) + n.workers, 1 + n.subscriptions + 2 + n.workers,
            format('%s for subscriptions and the launcher of these, %s for ecert''s workers and what starts them', 1 + n.subscriptions + least(n.copying, 1), n.workers)),
           (CASE WHEN current_setting('server_version_num')::integer < 180000 THEN 'max_replication_slots' ELSE 'max_active_replication_origins' END, n.subscriptions, n.subscriptions + 2, 'one for each subscription'),
           ('max_replication_slots', n.slots + n.without_slot, n.slots + n.without_slot + 2, format('one for each of the %s slots, and %s for peers that have none', n.slots, n.without_slot)),
           ('max_wal_senders', n.slots, n.slots + 2, 'one for each replication slot')) AS w (name, needed, raise_to, wherefor)
      JOIN pg_settings g ON g.name = w.name
     WHERE w.needed > g.setting::bigint
$$;
COMMENT ON FUNCTION ecert.low_settings() IS 'internal: settings of the server that are too low for its links: what they are, what is needed now and for what, and what leaves room for first copies';

CREATE FUNCTION ecert.worker_hint() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'this server has too few workers for its subscriptions: raise ' || string_agg(format('%s from %s to %s', l.name, l.setting, l.raise_to), ', ' ORDER BY l.name) || ', and restart'
      FROM ecert.low_settings() AS l WHERE l.name IN ('max_logical_replication_workers', 'max_worker_processes')
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
             CROSS JOIN LATERAL (SELECT ecert.receiver_problem(p.subscription, p.this_node), ecert.subscribed_problem(p.subscription)) AS q (rights, tables)
              -- the first that applies: a link is judged by what it carries
             CROSS JOIN LATERAL (SELECT * FROM (VALUES
                   (p.subscription IS NULL, 'warning', 'not linked yet', NULL),
                   (s.oid IS NULL, 'alarm', 'subscription is gone', format('SELECT ecert.resume(%L, ''<connection string>'')', p.peer)),
                   (p.refused IS NOT NULL, 'alarm', CASE WHEN s.subenabled THEN 'publishes too much' ELSE 'publishes too much, packages are pulled' END, p.refused),
                   (q.rights IS NOT NULL, 'alarm', 'wrong rights', q.rights || '; the duties set it'),
                   (q.tables IS NOT NULL, 'alarm', 'brings nothing', q.tables || '; the duties begin anew'),
                   (NOT s.subenabled, CASE WHEN p.was_disabled THEN 'alarm' ELSE 'warning' END, 'subscription is disabled',
                    concat_ws('; ', 'by an error, which is in the server''s log; the next round of duties ' || CASE WHEN p.was_disabled THEN 'begins anew' ELSE 'enables it' END, ecert.link_hint(p.peer))),
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

CREATE FUNCTION ecert.standby_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'links', NULL::text, 'ok', 'standby', format('the primary keeps the links with %s peers; after a promotion: SELECT ecert.resume()', count(*)) FROM ledger.peer p HAVING count(*) > 0
$$;
COMMENT ON FUNCTION ecert.standby_health() IS 'internal: the part of ecert.health() about links, on a standby: it has none of its own';

CREATE FUNCTION ecert.limit_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'setting', l.name, 'alarm', l.setting::text, format('%s are needed: %s. Raise it to %s and restart the server', l.needed, l.wherefor, l.raise_to)
      FROM ecert.low_settings() AS l
$$;
COMMENT ON FUNCTION ecert.limit_health() IS 'internal: the part of ecert.health() about settings of the server that are too low for its links: one row for each';

CREATE FUNCTION ecert.set_up_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'publication', w.name, CASE v.value WHEN 'as it should be' THEN 'ok' ELSE 'alarm' END, v.value,
           CASE WHEN v.value <> 'as it should be' THEN CASE w.name WHEN 'ecert' THEN 'SELECT ecert.publish(''ecert'')' WHEN 'ecert_up' THEN 'SELECT ecert.publish_up()' END END
      FROM (SELECT 'ecert' AS name UNION SELECT 'ecert_up' FROM ledger.peer l WHERE l.is_hub UNION SELECT l.publication FROM ledger.peer l WHERE NOT l.is_hub) AS w
      LEFT JOIN pg_publication p ON p.pubname = w.name
      LEFT JOIN LATERAL (SELECT count(*) = 2 AS has_tables,
                                -- all that every node is to have goes by "ecert"; a peer takes the package, and derives the rest
                                coalesce(bool_or(w.name = 'ecert' AND r.prqual IS NOT NULL), false) AS filters,
                                coalesce(bool_or(NOT (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[]))
                                                     @> CASE r.prrelid WHEN 'ledger.package'::regclass THEN '{package}'::text[] ELSE '{first_package,second_package}' END), false) AS lacks_columns
                           FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid IN ('ledger.package'::regclass, 'ledger.equivocation'::regclass)) AS r ON true
     CROSS JOIN LATERAL (SELECT CASE WHEN p.oid IS NULL THEN 'missing' WHEN NOT r.has_tables THEN 'lacks a table' WHEN r.lacks_columns THEN 'lacks a column' WHEN r.filters THEN 'leaves packages out'
                                     WHEN p.pubupdate OR p.pubdelete OR p.pubtruncate OR NOT p.pubinsert THEN 'publishes other than inserts' ELSE 'as it should be' END) AS v (value)
    UNION ALL
    SELECT 'setting', g.name, CASE WHEN g.good THEN 'ok' ELSE g.otherwise END, g.value, g.detail
      FROM (SELECT t.name, t.setting AS value, 'alarm' AS otherwise,
                   CASE t.name WHEN 'wal_level' THEN t.setting = 'logical' OR NOT EXISTS (SELECT FROM ledger.peer)
                        ELSE t.setting ~ E'(^|[ ,"])(pgoutput|\\*)($|[ ,"])' END AS good,
                   CASE t.name WHEN 'wal_level' THEN 'replication needs logical' ELSE 'replication needs pgoutput' END AS detail
              FROM pg_settings t WHERE t.name IN ('wal_level', 'output_plugin_libraries')
            UNION ALL
            SELECT 'ecert.is_preloaded', current_setting('ecert.is_preloaded'), 'warning', current_setting('ecert.is_preloaded')::boolean,
                   'in shared_preload_libraries there is a guard against DDL and a background worker'
            UNION ALL
            SELECT l.name, 'on', 'warning', false, format('it is for one session at a time, and is on %s', l.places)
              FROM (SELECT t.name, concat_ws(', ', CASE WHEN t.setting = 'on' THEN 'here, by ' || t.source END,
                           (SELECT string_agg(coalesce('for role ' || r.setrole::regrole::text, 'for all roles') || coalesce(' in database ' || d.datname, ''), ', ')
                              FROM pg_db_role_setting r LEFT JOIN pg_database d ON d.oid = r.setdatabase
                             WHERE EXISTS (SELECT FROM unnest(r.setconfig) AS c (line) WHERE starts_with(c.line, t.name || '=') AND split_part(c.line, '=', 2) IN ('on', 'true', 'yes', '1')))) AS places
                      FROM pg_settings t WHERE t.name IN ('ecert.allow_ledger_ddl', 'ecert.sign_unconfirmed')) AS l WHERE l.places <> '') AS g
     ORDER BY 1, 2
$$;
COMMENT ON FUNCTION ecert.set_up_health() IS 'internal: the part of ecert.health() about publications and settings';

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
    SELECT h.item,  -- what is looked at: feeds, newest package, pending, quarantine, equivocation, finding, void, certificate, receiving from and sending to each peer, difference, claim, checkpoint, fork, passed over, verification, duties, structure (what ecert made in the database), publication, setting; health: a part that cannot be told
           h.subject,  -- whom or what it is about: a peer, a table, trigger or index, a publication, a setting
           h.state,  -- ok, warning (look at it) or alarm (something is wrong)
           h.value,  -- count, time or state
           h.detail  -- what stands behind it
      FROM ecert.health() AS h$view$);
$$;
COMMENT ON FUNCTION ecert.create_health_views() IS 'internal: makes or renews the views of this folder; see ecert.upgrade_ledger()';
