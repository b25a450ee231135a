-- The ledger: admission, refusal of changes, signing and appending.

CREATE FUNCTION ecert.admit() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'ecert_admit';
COMMENT ON FUNCTION ecert.admit() IS 'trigger of ledger.package: checks a package (strict form, body schema, issuer, role, key, time, feed link, signature, rules of its kind) and derives the other columns; SQLSTATEs of class EC';

CREATE FUNCTION ecert.refuse_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'ecert_refuse_change';
COMMENT ON FUNCTION ecert.refuse_change() IS 'trigger of ledger.package, and of the proofs in ledger.equivocation and ledger.fork: refuses UPDATE, DELETE and TRUNCATE; EC092';

CREATE FUNCTION ecert.make_append_only(target text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER ecert_refuse_row BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION ecert.refuse_change()', target);
    EXECUTE format('CREATE TRIGGER ecert_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION ecert.refuse_change()', target);
    -- what replication writes is refused like everything else
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ecert_refuse_row', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ecert_refuse_statement', target);
END
$$;
COMMENT ON FUNCTION ecert.make_append_only(text) IS 'internal: puts triggers on a table, given by its qualified name, that refuse UPDATE, DELETE and TRUNCATE, whoever writes';

CREATE FUNCTION ecert.sign(kind text, body jsonb, subject text DEFAULT NULL) RETURNS ecert.package
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_sign';
COMMENT ON FUNCTION ecert.sign(text, jsonb, text) IS 'the next package of this node''s feed of a kind, signed with this node''s key, not stored; subject by default what the kind and body say. EC003, EC093, EC094, EC097';

CREATE FUNCTION ecert.hold_checkpoint() RETURNS bytea
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_hold_checkpoint';
COMMENT ON FUNCTION ecert.hold_checkpoint() IS 'internal: certifier: the hash of the newest checkpoint, NULL when there is none; no other comes behind it until the transaction ends, but by this transaction itself';

CREATE FUNCTION ecert.append(kind text, body jsonb, subject text DEFAULT NULL) RETURNS bytea
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_append';
COMMENT ON FUNCTION ecert.append(text, jsonb, text) IS 'sign the next package of this node''s feed of a kind and insert it; returns its hash. The feed stays locked until the transaction ends';

CREATE FUNCTION ecert.sign_genesis(origin text, body jsonb) RETURNS ecert.package
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'ecert_sql_sign_genesis';
COMMENT ON FUNCTION ecert.sign_genesis(text, jsonb) IS 'internal: the genesis package of a new ledger, signed with this node''s key';
