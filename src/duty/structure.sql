-- Is the ledger still as ecert made it? What is there is compared with what has to be there, by definition, not by name alone.

CREATE FUNCTION ecert.expected_structure(OUT sort text, OUT of_table text, OUT name text, OUT definition text) RETURNS SETOF record
    -- definitions are texts, to be compared whatever the session's settings
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
    SELECT 'table', '', t.name, 'table' FROM unnest('{ledger.package,ledger.feed,ledger.leaf_range,ledger.finding,ledger.pending,ledger.quarantine,ledger.equivocation,ledger.peer,ledger.tile,ledger.fork,
        ledger.witnessed,ledger.sealing,ledger.reading,ledger.production,ledger.delivery,ledger.purchase,ledger.certificate_state,ledger.verification,ledger.verification_problem,ledger.difference,
        ledger.duty_log}'::text[]) AS t (name)
    UNION ALL
    SELECT 'view', '', v.name, 'view' FROM unnest('{ledger.node,ledger.relation,ledger.policy,ledger.coefficient,ledger.energy_use,ledger.product_output,ledger.unit_energy,ledger.audit,ledger.audit_check,ledger.checkpoint,
        ledger.witness,ledger.certificate,ledger.certificate_product,ledger.reward,ledger.reward_balance,ledger.head,ledger.void,ledger.health}'::text[]) AS v (name)
    UNION ALL
    -- those that C reads by index, and the two that are append-only
    SELECT 'column', t.name, split_part(c.name, ' ', 1), format('%s, %s', c.ordinality, substr(c.name, strpos(c.name, ' ') + 1))
      FROM (VALUES ('ledger.package', '{issuer text C,kind text C,seq bigint,subject text C,period tstzrange null,issued_at timestamp with time zone,hash bytea,package ecert.package,recorded_at timestamp with time zone}'::text[]),
                   ('ledger.equivocation', '{issuer text C,kind text C,seq bigint,first_hash bytea,second_hash bytea,first_package bytea,second_package bytea,found_at timestamp with time zone}'),
                   ('ledger.feed', '{issuer text C,kind text C}'), ('ledger.leaf_range', '{issuer text C,kind text C,last_seq bigint,first_seq bigint,first_index bigint,checkpoint_seq bigint}'),
                   ('ledger.finding', '{issuer text C,kind text C,seq bigint,problem text null,found_at timestamp with time zone}')) AS t (name, columns)
     CROSS JOIN LATERAL unnest(t.columns) WITH ORDINALITY AS c (name)
    UNION ALL
    SELECT 'constraint', k.of_table, k.name, format('PRIMARY KEY (%s)', k.columns)
      FROM (VALUES ('ledger.package', 'package_pkey', 'issuer, kind, seq'), ('ledger.equivocation', 'equivocation_pkey', 'first_hash, second_hash'), ('ledger.feed', 'feed_pkey', 'issuer, kind'), ('ledger.leaf_range', 'leaf_range_pkey', 'issuer, kind, last_seq'),
                   ('ledger.finding', 'finding_pkey', 'issuer, kind, seq')) AS k (of_table, name, columns)
    UNION ALL
    SELECT 'index', i.of_table, i.name, i.definition FROM ecert.record_indexes() AS i
    UNION ALL
    SELECT 'trigger', t.of_table, t.name, format('CREATE TRIGGER %s %s ON %s FOR EACH %s, %s', t.name, t.event, t.of_table, t.rest, t.fires)
      FROM (VALUES ('ledger.package', 'ecert_admit', 'BEFORE INSERT', 'ROW EXECUTE FUNCTION ecert.admit()', 'always'),
                   ('ledger.package', 'ecert_drain', 'AFTER INSERT', 'ROW WHEN ((new.period IS NULL)) EXECUTE FUNCTION ecert.drain_waiting()', 'not for peers'),
                   ('ledger.package', 'ecert_take_up', 'AFTER INSERT', 'ROW WHEN ((new.period IS NULL)) EXECUTE FUNCTION ecert.take_up_new()', 'always'),
                   ('ledger.equivocation', 'ecert_admit_equivocation', 'BEFORE INSERT', 'ROW EXECUTE FUNCTION ecert.admit_equivocation()', 'always')) AS t (of_table, name, event, rest, fires)
    UNION ALL
    -- as ecert.make_append_only() makes them
    SELECT 'trigger', t.of_table, r.name, format('CREATE TRIGGER %s BEFORE DELETE OR UPDATE%s ON %s FOR EACH %s EXECUTE FUNCTION ecert.refuse_change(), always', r.name, r.event, t.of_table, r.each)
      FROM unnest('{ledger.package,ledger.equivocation}'::text[]) AS t (of_table)
     CROSS JOIN (VALUES ('ecert_refuse_row', '', 'ROW'), ('ecert_refuse_statement', ' OR TRUNCATE', 'STATEMENT')) AS r (name, event, each)
    UNION ALL
    SELECT 'function', '', f.name, f.symbol
      FROM (VALUES ('ecert.admit()', 'ecert_admit'), ('ecert.drain_waiting()', 'ecert_drain_waiting'), ('ecert.refuse_change()', 'ecert_refuse_change'), ('ecert.take_up_new()', 'ecert_take_up_new')) AS f (name, symbol)
$$;
COMMENT ON FUNCTION ecert.expected_structure() IS 'internal: what ecert makes in schema ledger, and the functions of the triggers of ledger.package: sort (table, view, column, constraint, index, trigger, function), table (empty: none), name, definition as ecert.present_structure() writes it';

CREATE FUNCTION ecert.present_structure(OUT sort text, OUT of_table text, OUT name text, OUT definition text) RETURNS SETOF record
    -- definitions are texts, to be compared whatever the session's settings
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
    WITH relations AS MATERIALIZED (SELECT c.*, c.oid::regclass::text AS place FROM pg_class c WHERE c.relnamespace = to_regnamespace('ledger') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
    tables AS MATERIALIZED (SELECT r.* FROM relations r WHERE r.place IN (SELECT DISTINCT e.of_table FROM ecert.expected_structure() AS e WHERE e.of_table <> ''))
    SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'table' END, '', r.place,
           CASE WHEN r.relkind = 'v' THEN 'view' WHEN r.relkind = 'r' AND r.relpersistence = 'p' THEN 'table' WHEN r.relkind = 'r' THEN 'unlogged table' WHEN r.relkind = 'p' THEN 'partitioned table' ELSE 'no table' END
      FROM relations r
    UNION ALL
    SELECT 'row security', t.place, 'row security', CASE WHEN t.relforcerowsecurity THEN 'on, for the owner too' ELSE 'on' END FROM tables t WHERE t.relrowsecurity OR t.relforcerowsecurity
    UNION ALL
    SELECT 'column', t.place, a.attname, format('%s, %s%s%s%s', a.attnum, format_type(a.atttypid, a.atttypmod), ' ' || nullif(o.collname, 'default'), CASE WHEN NOT a.attnotnull THEN ' null' END,
                                                  CASE WHEN a.attidentity <> '' OR a.attgenerated <> '' THEN ' generated' END)
      FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_collation o ON o.oid = a.attcollation
    UNION ALL
    SELECT 'constraint', t.place, c.conname, pg_get_constraintdef(c.oid) FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid WHERE c.contype NOT IN ('n', 't')
    UNION ALL
    -- an index of one's own changes nothing but speed, unless it is unique
    SELECT 'index', t.place, c.oid::regclass::text, pg_get_indexdef(i.indexrelid) || CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN ', not valid' ELSE '' END
      FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
     WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = t.oid)
       AND (i.indisunique OR c.oid::regclass::text IN (SELECT x.name FROM ecert.record_indexes() AS x))
    UNION ALL
    SELECT 'trigger', t.place, g.tgname, format('%s, %s', pg_get_triggerdef(g.oid), CASE g.tgenabled WHEN 'A' THEN 'always' WHEN 'D' THEN 'never' WHEN 'R' THEN 'for peers only' ELSE 'not for peers' END)
      FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal
    UNION ALL
    SELECT 'rule', t.place, w.rulename, pg_get_ruledef(w.oid) FROM tables t JOIN pg_rewrite w ON w.ev_class = t.oid
    UNION ALL
    SELECT 'policy', t.place, p.polname, 'policy' FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT 'child', t.place, h.inhrelid::regclass::text, 'child' FROM tables t JOIN pg_inherits h ON h.inhparent = t.oid
    UNION ALL
    SELECT 'parent', t.place, h.inhparent::regclass::text, 'parent' FROM tables t JOIN pg_inherits h ON h.inhrelid = t.oid
    UNION ALL
    SELECT 'function', '', p.oid::regprocedure::text,
           CASE WHEN d.objid IS NULL THEN 'outside of the extension' WHEN l.lanname = 'c' AND NOT p.proisstrict AND NOT p.prosecdef AND p.proconfig IS NULL THEN p.prosrc ELSE 'another function' END
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
      LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'ecert')
     WHERE p.pronamespace = to_regnamespace('ecert') AND p.oid::regprocedure::text IN (SELECT x.name FROM ecert.expected_structure() AS x WHERE x.sort = 'function')
$$;
COMMENT ON FUNCTION ecert.present_structure() IS 'internal: tables and views of schema ledger as they are, and what hangs on those that the server reads by their indexes: columns, constraints, ecert''s and unique indexes, triggers with what they fire for, rules, row security, children, parents; the functions of the triggers by what they run';

CREATE FUNCTION ecert.mending(sort text, of_table text, name text, expected text, present text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN expected IS NOT NULL AND (sort = 'column' OR sort = 'table' AND present IS DISTINCT FROM 'unlogged table')
                THEN 'nothing makes it anew: restore it from a dump' || CASE WHEN 'ledger.package' IN (of_table, mending.name) THEN ', or join the ledger in another database' ELSE '' END
                ELSE CASE WHEN current_setting('ecert.is_preloaded', true)::boolean THEN 'SET ecert.allow_ledger_ddl = on; ' ELSE '' END
                     || concat_ws('; ', CASE WHEN present IS NOT NULL THEN CASE sort
                            WHEN 'trigger' THEN format('DROP TRIGGER %I ON %s', mending.name, of_table)
                            WHEN 'rule' THEN format('DROP RULE %I ON %s', mending.name, of_table)
                            WHEN 'policy' THEN format('DROP POLICY %I ON %s', mending.name, of_table)
                            WHEN 'constraint' THEN format('ALTER TABLE %s DROP CONSTRAINT %I', of_table, mending.name)
                            WHEN 'index' THEN format('DROP INDEX %s', mending.name)
                            WHEN 'column' THEN format('ALTER TABLE %s DROP COLUMN %I', of_table, mending.name)
                            WHEN 'child' THEN format('ALTER TABLE %s NO INHERIT %s', mending.name, of_table)
                            WHEN 'parent' THEN format('ALTER TABLE %s NO INHERIT %s', of_table, mending.name)
                            WHEN 'row security' THEN format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', of_table)
                            WHEN 'table' THEN format('ALTER TABLE %s SET LOGGED', mending.name) END END,
                        CASE WHEN expected IS NOT NULL THEN CASE sort
                            WHEN 'trigger' THEN regexp_replace(expected, ', [a-z ]+$', '') || CASE WHEN expected LIKE '%, always' THEN format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', of_table, mending.name) ELSE '' END
                            WHEN 'index' THEN expected
                            WHEN 'constraint' THEN format('ALTER TABLE %s ADD CONSTRAINT %I %s', of_table, mending.name, expected)
                            WHEN 'view' THEN format('SELECT %I.upgrade_ledger()', 'ecert')  -- advice, no call
                            WHEN 'function' THEN CASE WHEN present = 'outside of the extension' THEN format('ALTER EXTENSION ecert ADD FUNCTION %s', mending.name)
                                                      ELSE format('CREATE OR REPLACE FUNCTION %s RETURNS trigger LANGUAGE c AS ''$libdir/ecert'', %L', mending.name, expected) END END END) END
$$;
COMMENT ON FUNCTION ecert.mending(text, text, text, text, text) IS 'internal: the statements that make a part of the structure what it has to be (expected NULL: it has not to be there), or that there are none';

CREATE FUNCTION ecert.structure_health(OUT item text, OUT subject text, OUT state text, OUT value text, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH faults AS MATERIALIZED (
        SELECT f.*, e.definition AS expected, p.definition AS present
          FROM ecert.expected_structure() AS e FULL JOIN ecert.present_structure() AS p USING (sort, of_table, name)
         CROSS JOIN LATERAL (SELECT sort, of_table, name) AS f (sort, of_table, name)
         WHERE regexp_replace(e.definition, ' WITH [(][^)]*[)]', '') IS DISTINCT FROM regexp_replace(p.definition, ' WITH [(][^)]*[)]', '')
           -- tables and views of one's own
           AND NOT (f.sort IN ('table', 'view') AND e.definition IS NULL))
    SELECT 'structure', NULL::text, 'ok', 'as ecert made it', NULL::text WHERE NOT EXISTS (SELECT FROM faults)
    UNION ALL
    SELECT 'structure', concat_ws(' ', f.sort, nullif(f.name, f.sort), CASE WHEN f.of_table <> '' THEN 'of ' || f.of_table END), 'alarm',
           CASE WHEN f.present IS NULL THEN 'missing' WHEN f.expected IS NULL THEN 'not ecert''s' ELSE 'altered' END,
           concat_ws('. ', 'It is: ' || nullif(f.present, f.sort), 'Next: ' || ecert.mending(f.sort, f.of_table, f.name, f.expected, f.present))
      FROM faults f ORDER BY 2
$$;
COMMENT ON FUNCTION ecert.structure_health() IS 'internal: the part of ecert.health() about what ecert made in the database: one row for each thing that is missing, altered or not ecert''s, with the statement that mends it';
