-- Views come from SQL text that runs again after an extension update.

CREATE FUNCTION ecert.upgrade_ledger() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('ledger.package') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'EC090', MESSAGE = 'there is no ledger in this database',
            HINT = 'Make one with ecert.create_ledger().';
    END IF;
    PERFORM ecert.create_registry_views();
    PERFORM ecert.create_energy_views();
    PERFORM ecert.create_audit_views();
    PERFORM ecert.create_checkpoint_views();
    PERFORM ecert.create_certificate_views();
    PERFORM ecert.create_health_views();
END
$$;
COMMENT ON FUNCTION ecert.upgrade_ledger() IS 'make or renew the views of schema ledger; call it after ALTER EXTENSION ecert UPDATE. EC090 when there is no ledger';
REVOKE ALL ON FUNCTION ecert.upgrade_ledger() FROM PUBLIC;
