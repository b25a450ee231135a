-- What somebody with every right on a server can do.
CREATE FUNCTION demo.change_byte(which bytea, at integer) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
    -- no UPDATE is possible with the triggers on; a superuser takes them off, and the guard before, where there is one
    PERFORM set_config('ecert.allow_ledger_ddl', 'on', true);
    ALTER TABLE ledger.package DISABLE TRIGGER ecert_refuse_row, DISABLE TRIGGER ecert_refuse_statement;
    UPDATE ledger.package SET package = set_byte(package::bytea, at, get_byte(package::bytea, at) # 1)::ecert.package WHERE hash = which;
    ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row, ENABLE ALWAYS TRIGGER ecert_refuse_statement;
END
$$;
COMMENT ON FUNCTION demo.change_byte(bytea, integer) IS 'flips the lowest bit of a byte of a stored package; once more, and it is back';
