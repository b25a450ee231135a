-- The test key of any node, as `ecert-sign key NODE` makes it: \i this, then be a node, or enroll one with its public key. What is sealed is sealed with the key of "seal".
DROP SCHEMA IF EXISTS test_keys CASCADE;
CREATE SCHEMA test_keys;
-- where its private key is, which is made when it is not there: its seed is SHA-256 of "ecert test key " and the node's id
CREATE FUNCTION test_keys.file(node text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text := current_setting('data_directory') || '/ecert_test_' || md5(node) || '.pem';
BEGIN
    IF (SELECT s.size FROM pg_stat_file(name, true) AS s) IS NULL THEN
        EXECUTE format('COPY (VALUES (''-----BEGIN PRIVATE KEY-----''), (%L), (''-----END PRIVATE KEY-----'')) TO %L',
                       encode('\x302e020100300506032b657004220420' || sha256(convert_to('ecert test key ' || node, 'UTF8')), 'base64'), name);
    END IF;
    RETURN name;
END $$;
CREATE FUNCTION test_keys.become(node text, is_local boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
    SELECT set_config('ecert.signing_key', test_keys.file(node), is_local), set_config('ecert.node', node, is_local);
    SELECT node $$;
CREATE PROCEDURE test_keys.be(node text) LANGUAGE plpgsql AS $$ BEGIN PERFORM test_keys.become(node); END $$;
CREATE FUNCTION test_keys.public(node text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('ecert.signing_key');
    pem text;
BEGIN
    PERFORM set_config('ecert.signing_key', test_keys.file(node), false);
    pem := ecert.public_key();
    PERFORM set_config('ecert.signing_key', before, false);
    RETURN pem;
END $$;
SELECT set_config('ecert.seal_key', test_keys.file('seal'), false) AS seal_key \gset
