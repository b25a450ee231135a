-- Receiving from a peer: this server decides what arrives here, whatever the peer publishes.
--
-- A subscription belongs to a role that may insert into the two tables that are replicated and has no other right. The peer
-- is asked for its publication before it is subscribed to; what has been subscribed to is read from this server's own catalog
-- before that is committed, and in each round. Where the peer publishes anything else, nothing more is subscribed to, and
-- packages are pulled.

CREATE FUNCTION ecert.receiver_role(node text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('ecert_receiver_%s_%s', ecert.plain_name(node),
                  left(encode(sha256(ecert.genesis_hash() || sha256(convert_to(node, 'UTF8'))), 'hex'), 12))
$$;
COMMENT ON FUNCTION ecert.receiver_role(text) IS 'name of the role that the subscriptions of a node of this ledger belong to: it may insert into ledger.package and ledger.equivocation, and nobody logs in as it';

CREATE FUNCTION ecert.make_receiver(node text) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role text := ecert.receiver_role(node);
    is_there boolean;
    has_more boolean;
BEGIN
    SELECT count(*) > 0, coalesce(bool_or(r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls OR r.rolinherit OR NOT r.rolcanlogin), false)
      INTO is_there, has_more FROM pg_roles r WHERE r.rolname = role;
    IF NOT is_there THEN
        -- workers of replication need LOGIN and are no sessions: the limit keeps everybody else out
        EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT CONNECTION LIMIT 0', role);
        EXECUTE format('COMMENT ON ROLE %I IS %L', role, format('receives packages from the peers of node "%s"', node));
    ELSIF has_more THEN
        EXECUTE format('ALTER ROLE %I LOGIN NOINHERIT NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS', role);
    END IF;
    IF NOT has_database_privilege(role, current_database(), 'CONNECT') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END IF;
    IF NOT has_schema_privilege(role, 'ledger', 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA ledger TO %I', role);
    END IF;
    IF NOT (has_table_privilege(role, 'ledger.package', 'INSERT') AND has_table_privilege(role, 'ledger.equivocation', 'INSERT')) THEN
        EXECUTE format('GRANT INSERT ON ledger.package, ledger.equivocation TO %I', role);
    END IF;
    RETURN role;
END
$$;
COMMENT ON FUNCTION ecert.make_receiver(text) IS 'internal: makes the role that the subscriptions of a node belong to, or gives it the rights that it needs and no others; returns its name';

CREATE FUNCTION ecert.drop_receiver(node text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role text := ecert.receiver_role(node);
BEGIN
    IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
        EXECUTE format('DROP OWNED BY %I', role);
        EXECUTE format('DROP ROLE %I', role);
    END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE NOTICE USING MESSAGE = format('role "%s" is left: it is used elsewhere', role), DETAIL = SQLERRM;
END
$$;
COMMENT ON FUNCTION ecert.drop_receiver(text) IS 'internal: drops the role that the subscriptions of a node belonged to, with its rights in this database, unless it is used in another database';

-- What a peer publishes, and what is subscribed to here

CREATE FUNCTION ecert.publication_question(publication text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT pg_catalog.count(*) > 0 AS is_there,
        pg_catalog.bool_or(p.pubupdate) AS updates, pg_catalog.bool_or(p.pubdelete) AS deletes, pg_catalog.bool_or(p.pubtruncate) AS truncates,
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_publication_tables AS t WHERE t.pubname = %1$L AND t.schemaname = ''ledger''
            AND t.tablename IN (''package'', ''equivocation'')) AS table_count,
        (SELECT pg_catalog.array_agg(t.name) FROM (SELECT pg_catalog.format(''%%I.%%I'', t.schemaname, t.tablename) AS name FROM pg_catalog.pg_publication_tables AS t
            WHERE t.pubname = %1$L AND NOT (t.schemaname = ''ledger'' AND t.tablename IN (''package'', ''equivocation'')) ORDER BY 1 LIMIT 4) AS t) AS others
        FROM pg_catalog.pg_publication AS p WHERE p.pubname = %1$L', publication)
$$;
COMMENT ON FUNCTION ecert.publication_question(text) IS 'internal: the query that asks a peer about one of its publications; ecert.publication_problem() reads the answer';

CREATE FUNCTION ecert.publication_problem(publication text, answer jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN NOT coalesce((answer ->> 'is_there')::boolean, false) THEN format('publication "%s" is not there', publication)
                ELSE nullif(concat_ws('; ',
                    'publishes table ' || (SELECT string_agg(left(o.name, 130), ', ') || CASE WHEN count(*) > 3 THEN ' and others' ELSE '' END
                                             FROM jsonb_array_elements_text(nullif(answer -> 'others', 'null')) AS o (name)),
                    'publishes ' || nullif(concat_ws(', ', CASE WHEN (answer ->> 'updates')::boolean THEN 'UPDATE' END, CASE WHEN (answer ->> 'deletes')::boolean THEN 'DELETE' END,
                                                     CASE WHEN (answer ->> 'truncates')::boolean THEN 'TRUNCATE' END), ''),
                    CASE WHEN (answer ->> 'table_count')::integer < 2 THEN 'does not publish both ledger.package and ledger.equivocation' END), '') END
$$;
COMMENT ON FUNCTION ecert.publication_problem(text, jsonb) IS 'internal: in words, how far a peer''s publication is another than inserts into ledger.package and ledger.equivocation; NULL when it is that';

CREATE FUNCTION ecert.subscribed_problem(subscription text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN count(*) FILTER (WHERE NOT t.is_ours) > 0
                THEN format('table %s is subscribed to, which is none of the ledger''s two', string_agg(t.name, ', ' ORDER BY t.name) FILTER (WHERE NOT t.is_ours))
                WHEN count(*) < 2 THEN format('%s of the ledger''s two tables are subscribed to', count(*)) END
      FROM (SELECT l.srrelid::regclass::text AS name, l.srrelid IN (to_regclass('ledger.package'), to_regclass('ledger.equivocation')) AS is_ours
              FROM pg_subscription_rel l WHERE l.srsubid = ecert.subscription_oid(subscription)) AS t
$$;
COMMENT ON FUNCTION ecert.subscribed_problem(text) IS 'internal: in words, how far a subscription here holds other tables than ledger.package and ledger.equivocation, by this server''s catalog; NULL when it holds these two';

CREATE FUNCTION ecert.receiver_problem(subscription text, node text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id oid := ecert.subscription_oid(subscription);
    role text := ecert.receiver_role(node);
    problem text := (SELECT CASE WHEN r.rolname <> role THEN format('subscription belongs to role "%s" and not to "%s"', r.rolname, role)
                                 WHEN r.rolsuper THEN format('role "%s" is a superuser', role) END
                       FROM pg_subscription s JOIN pg_roles r ON r.oid = s.subowner WHERE s.oid = id);
BEGIN
    IF problem IS NULL AND current_setting('server_version_num')::integer >= 160000 THEN
        EXECUTE 'SELECT CASE WHEN NOT s.subrunasowner OR s.subpasswordrequired THEN ''subscription lacks run_as_owner = true, password_required = false'' END
                   FROM pg_subscription AS s WHERE s.oid = $1' INTO problem USING id;
    END IF;
    RETURN problem;
END
$$;
COMMENT ON FUNCTION ecert.receiver_problem(text, text) IS 'internal: in words, why what a subscription brings is written with other rights than those of the node''s receiving role, or cannot be written; NULL when all is well';

-- Subscriptions

CREATE FUNCTION ecert.give_to_receiver(subscription text, node text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role text;
    is_before_16 boolean := current_setting('server_version_num')::integer < 160000;
BEGIN
    -- one at a time: two transactions cannot change a role, or grant on a table
    LOCK TABLE ledger.peer IN SHARE ROW EXCLUSIVE MODE;
    role := ecert.make_receiver(node);
    -- before 16 only a superuser is given a subscription; nobody else sees the role as one, since that ends with this transaction
    IF is_before_16 THEN
        EXECUTE format('ALTER ROLE %I SUPERUSER', role);
    ELSE
        EXECUTE format('ALTER SUBSCRIPTION %I SET (run_as_owner = true, password_required = false)', subscription);
    END IF;
    EXECUTE format('ALTER SUBSCRIPTION %I OWNER TO %I', subscription, role);
    IF is_before_16 THEN
        EXECUTE format('ALTER ROLE %I NOSUPERUSER', role);
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.give_to_receiver(text, text) IS 'internal: makes a subscription belong to the role that receives for a node';

CREATE FUNCTION ecert.unsubscribe(subscription text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF ecert.subscription_oid(subscription) IS NOT NULL THEN
        EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', subscription);
        EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subscription);
        EXECUTE format('DROP SUBSCRIPTION %I', subscription);
    END IF;
END
$$;
COMMENT ON FUNCTION ecert.unsubscribe(text) IS 'internal: drop a subscription here and leave its slot alone; does nothing when there is none';

CREATE FUNCTION ecert.subscription_options(subscription text, connection text, copy boolean) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version integer := current_setting('server_version_num')::integer;
    there integer := (ecert.ask(connection, 'SELECT pg_catalog.current_setting(''server_version_num'') AS version') -> 0 ->> 'version')::integer;
BEGIN
    RETURN concat_ws(', ', format('slot_name = %L, enabled = false, create_slot = false, copy_data = %s, disable_on_error = true, binary = true', subscription, copy::text),
                     CASE WHEN version >= 160000 THEN 'streaming = parallel' ELSE 'streaming = true' END,
                     -- the slot goes on at a promoted standby that synchronizes slots
                     CASE WHEN version >= 170000 AND there >= 170000 THEN 'failover = true' END);
END
$$;
COMMENT ON FUNCTION ecert.subscription_options(text, text, boolean) IS 'internal: options of a subscription whose slot is there already: binary, disabled on error, streaming in parallel from PostgreSQL 16 on, with failover slots from 17 on';

CREATE FUNCTION ecert.subscribe(subscription text, connection text, publication text, copy boolean) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me text := ecert.this_node();
    problem text := ecert.publication_problem(publication, ecert.ask(connection, ecert.publication_question(publication)) -> 0);
BEGIN
    IF problem IS NULL THEN
        BEGIN
            EXECUTE format('CREATE SUBSCRIPTION %I CONNECTION %L PUBLICATION %I WITH (%s)', subscription, connection, publication,
                           ecert.subscription_options(subscription, connection, copy));
            -- a peer's catalog is only its word
            problem := ecert.subscribed_problem(subscription);
            IF problem IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'EC111', MESSAGE = problem;
            END IF;
            PERFORM ecert.give_to_receiver(subscription, me);
            EXECUTE format('ALTER SUBSCRIPTION %I ENABLE', subscription);
            UPDATE ledger.peer p SET refused = NULL WHERE p.subscription = subscribe.subscription AND p.refused IS NOT NULL;
            RETURN NULL;
        EXCEPTION WHEN SQLSTATE 'EC111' OR undefined_table OR invalid_schema_name THEN
            problem := coalesce(problem, SQLERRM);
        END;
    END IF;
    -- it has the connection and no table, until the publication is as it should be
    EXECUTE format('CREATE SUBSCRIPTION %I CONNECTION %L PUBLICATION %I WITH (connect = false, slot_name = %L, disable_on_error = true, binary = true)',
                   subscription, connection, publication, subscription);
    PERFORM ecert.give_to_receiver(subscription, me);
    PERFORM ecert.drop_slot(connection, subscription);
    UPDATE ledger.peer p SET refused = problem WHERE p.subscription = subscribe.subscription;
    RAISE WARNING USING ERRCODE = 'EC111', MESSAGE = format('nothing is subscribed to at "%s"', ecert.peer_of(subscription)), DETAIL = format('Its publication "%s": %s.', publication, problem),
        HINT = 'Packages are pulled in each round of duties, until the peer publishes inserts into ledger.package and ledger.equivocation and nothing else.';
    RETURN problem;
END
$$;
COMMENT ON FUNCTION ecert.subscribe(text, text, text, boolean) IS 'internal: make a subscription whose slot is there already, owned by the role that receives for this node. Where the peer publishes anything but inserts into ledger.package and ledger.equivocation, the subscription has no table, is disabled, its slot is dropped, and what is published is returned and written into ledger.peer; else NULL';
