-- The type ecert.package, its conversions and accessors.

CREATE TYPE ecert.package;

CREATE FUNCTION ecert.package_in(cstring) RETURNS ecert.package
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_in';
COMMENT ON FUNCTION ecert.package_in(cstring) IS 'text form \x and hexadecimal to package; EC001 when the bytes are not a package in strict form, EC002 over 65535 bytes, EC006 for an algorithm that is not supported';

CREATE FUNCTION ecert.package_out(ecert.package) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_out';
COMMENT ON FUNCTION ecert.package_out(ecert.package) IS 'package to its text form, \x and hexadecimal';

CREATE FUNCTION ecert.package_recv(internal) RETURNS ecert.package
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_recv';
COMMENT ON FUNCTION ecert.package_recv(internal) IS 'binary form (the bytes themselves) to package, checked as the text form is';

CREATE FUNCTION ecert.package_send(ecert.package) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_send';
COMMENT ON FUNCTION ecert.package_send(ecert.package) IS 'package to its binary form, the bytes themselves';

CREATE TYPE ecert.package (
    INPUT = ecert.package_in,
    OUTPUT = ecert.package_out,
    RECEIVE = ecert.package_recv,
    SEND = ecert.package_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = external
);
COMMENT ON TYPE ecert.package IS 'one signed statement: a tagged COSE_Sign1 (RFC 9052) in deterministic CBOR (RFC 8949 section 4.2.1), at most 65535 bytes, exactly as its issuer signed it';

CREATE FUNCTION ecert.package(bytea) RETURNS ecert.package
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_from_bytea';
COMMENT ON FUNCTION ecert.package(bytea) IS 'bytes to package; EC001 with the offset of the first wrong byte, EC002 over 65535 bytes, EC006 for an algorithm that is not supported';

CREATE CAST (bytea AS ecert.package) WITH FUNCTION ecert.package(bytea);
-- implicit, so that operators, DISTINCT and joins of packages are those of bytea
CREATE CAST (ecert.package AS bytea) WITHOUT FUNCTION AS IMPLICIT;

CREATE FUNCTION ecert.issuer(ecert.package) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_issuer';
COMMENT ON FUNCTION ecert.issuer(ecert.package) IS 'node id of the signer (CWT claim iss)';

CREATE FUNCTION ecert.kind(ecert.package) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_kind';
COMMENT ON FUNCTION ecert.kind(ecert.package) IS 'genesis, node, relation, policy, point, energy, product, audit, certificate, status, reward, checkpoint or witness';

CREATE FUNCTION ecert.seq(ecert.package) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_seq';
COMMENT ON FUNCTION ecert.seq(ecert.package) IS 'number in the feed (issuer, kind), from 0';

CREATE FUNCTION ecert.prev(ecert.package) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_prev';
COMMENT ON FUNCTION ecert.prev(ecert.package) IS 'hash (32 bytes) of the package before it in the feed; of seq 0 the genesis hash; NULL in the genesis package';

CREATE FUNCTION ecert.subject(ecert.package) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_subject';
COMMENT ON FUNCTION ecert.subject(ecert.package) IS 'whom the package is about (CWT claim sub): a node id, or the ledger''s origin';

CREATE FUNCTION ecert.audience(ecert.package) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_audience';
COMMENT ON FUNCTION ecert.audience(ecert.package) IS 'origin of the ledger the package is for (CWT claim aud)';

CREATE FUNCTION ecert.period(ecert.package) RETURNS tstzrange
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_period';
COMMENT ON FUNCTION ecert.period(ecert.package) IS 'the body''s period, half open; NULL for kinds that have none';

CREATE FUNCTION ecert.issued_at(ecert.package) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_issued_at';
COMMENT ON FUNCTION ecert.issued_at(ecert.package) IS 'when the issuer says it signed (CWT claim iat), whole seconds';

CREATE FUNCTION ecert.alg(ecert.package) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_alg';
COMMENT ON FUNCTION ecert.alg(ecert.package) IS 'Ed25519, ES256 or SM2';

CREATE FUNCTION ecert.kid(ecert.package) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_kid';
COMMENT ON FUNCTION ecert.kid(ecert.package) IS 'RFC 9679 SHA-256 thumbprint (32 bytes) of the key that signed';

CREATE FUNCTION ecert.body(ecert.package) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_body';
COMMENT ON FUNCTION ecert.body(ecert.package) IS 'the body; numbers keep every digit; times are seconds since 1970 UTC';

CREATE FUNCTION ecert.hash(ecert.package) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_leaf_hash';
COMMENT ON FUNCTION ecert.hash(ecert.package) IS 'SHA-256(0x00 || package), 32 bytes: the RFC 9162 leaf hash by which packages name each other';

CREATE FUNCTION ecert.signed_bytes(ecert.package) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_to_signed_bytes';
COMMENT ON FUNCTION ecert.signed_bytes(ecert.package) IS 'the Sig_structure of RFC 9052 section 4.4 that the signature is over; external_aad is empty';

CREATE FUNCTION ecert.jsonb(ecert.package) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN jsonb_build_object(
           'issuer', ecert.issuer($1), 'kind', ecert.kind($1), 'seq', ecert.seq($1), 'subject', ecert.subject($1), 'audience', ecert.audience($1),
           'issued_at', extract(epoch FROM ecert.issued_at($1))::bigint, 'alg', ecert.alg($1), 'kid', encode(ecert.kid($1), 'hex'),
           'hash', encode(ecert.hash($1), 'hex'), 'signature', right(encode($1, 'hex'), 128), 'body', ecert.body($1))
       || CASE WHEN ecert.prev($1) IS NULL THEN '{}' ELSE jsonb_build_object('prev', encode(ecert.prev($1), 'hex')) END;
COMMENT ON FUNCTION ecert.jsonb(ecert.package) IS 'the whole package for people to read: issuer, kind, seq, prev, subject, audience, issued_at (seconds since 1970), alg, kid, hash, signature, body; hashes in hexadecimal';
CREATE CAST (ecert.package AS jsonb) WITH FUNCTION ecert.jsonb(ecert.package);

CREATE FUNCTION ecert.replaces(ecert.package) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_replaces';
COMMENT ON FUNCTION ecert.replaces(ecert.package) IS 'hash (32 bytes) of the package that this one replaces, of several the first; NULL when it replaces none';

CREATE FUNCTION ecert.reference(ecert.package) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_reference';
COMMENT ON FUNCTION ecert.reference(ecert.package) IS 'hash (32 bytes) of the one package that this one is about: the audit that a reward is for, the checkpoint that a witness has seen, of other kinds the package that it replaces; NULL when there is none';

CREATE FUNCTION ecert.kids(ecert.package) RETURNS bytea[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_kids';
COMMENT ON FUNCTION ecert.kids(ecert.package) IS 'key ids (32 bytes each) that a node package lists, or a genesis package for the certifier; NULL for other kinds';

CREATE FUNCTION ecert.is_signed_by(ecert.package, public_key text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_is_signed_by';
COMMENT ON FUNCTION ecert.is_signed_by(ecert.package, text) IS 'whether the signature verifies under this key (SubjectPublicKeyInfo PEM); EC095 when the text is no usable key';

CREATE FUNCTION ecert.energy_lines(ecert.package, OUT line integer, OUT source text, OUT unit text, OUT product text,
                                   OUT supplier text, OUT point text, OUT quantity numeric) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 3 AS 'MODULE_PATHNAME', 'ecert_energy_lines';
COMMENT ON FUNCTION ecert.energy_lines(ecert.package) IS 'the lines of an energy package, numbered from 1; quantity is in the line''s unit over the whole period, of a series its sum; no rows for other kinds';

CREATE FUNCTION ecert.energy_series(ecert.package, OUT line integer, OUT source text, OUT unit text,
                                    OUT interval_start timestamptz, OUT interval_end timestamptz, OUT quantity numeric) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'ecert_energy_series';
COMMENT ON FUNCTION ecert.energy_series(ecert.package) IS 'the intervals of the lines that carry a series, quantity in the line''s unit; EC003 when the body breaks its schema';

CREATE FUNCTION ecert.product_lines(ecert.package, OUT line integer, OUT product text, OUT unit text, OUT output numeric,
                                    OUT qualified numeric, OUT value numeric, OUT currency text) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 3 AS 'MODULE_PATHNAME', 'ecert_product_lines';
COMMENT ON FUNCTION ecert.product_lines(ecert.package) IS 'the lines of a product package, numbered from 1; output and qualified are in the line''s unit, value in its currency; no rows for other kinds';

CREATE TYPE ecert.package_line;

CREATE FUNCTION ecert.package_line_in(cstring) RETURNS ecert.package_line
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_line_in';
COMMENT ON FUNCTION ecert.package_line_in(cstring) IS 'refuses: a line is taken from a package by ecert.lines(); 0A000';

CREATE FUNCTION ecert.package_line_out(ecert.package_line) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_package_line_out';
COMMENT ON FUNCTION ecert.package_line_out(ecert.package_line) IS 'the line''s CBOR as \x and hexadecimal';

CREATE TYPE ecert.package_line (
    INPUT = ecert.package_line_in,
    OUTPUT = ecert.package_line_out,
    INTERNALLENGTH = VARIABLE,
    STORAGE = extended
);
COMMENT ON TYPE ecert.package_line IS 'one line of an energy or product package as its issuer signed it, with its number; made by ecert.lines() alone';

CREATE FUNCTION ecert.lines(ecert.package) RETURNS SETOF ecert.package_line
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'ecert_lines';
COMMENT ON FUNCTION ecert.lines(ecert.package) IS 'the lines of an energy or product package one by one, cheapest in a select list, to read single fields from; no rows for other kinds. ecert.energy_lines() and ecert.product_lines() give all fields';

CREATE FUNCTION ecert.line_number(ecert.package_line) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_line_number';
COMMENT ON FUNCTION ecert.line_number(ecert.package_line) IS 'the line''s place in its package, from 1';

CREATE FUNCTION ecert.line_text(ecert.package_line, field text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_line_text';
COMMENT ON FUNCTION ecert.line_text(ecert.package_line, text) IS 'a text of the line, such as source, unit, product, supplier, point, buyer, note or currency; NULL when it has none';

CREATE FUNCTION ecert.line_quantity(ecert.package_line) RETURNS numeric
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_line_quantity';
COMMENT ON FUNCTION ecert.line_quantity(ecert.package_line) IS 'of an energy line the quantity over the whole period, in its unit; of a series its sum. EC003 when there is none, as in lines of products';

CREATE FUNCTION ecert.line_amount(ecert.package_line, field text) RETURNS numeric
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_line_amount';
COMMENT ON FUNCTION ecert.line_amount(ecert.package_line, text) IS 'a number of a product line: output, qualified (in its unit) or value (in its currency); NULL when it has none';

CREATE FUNCTION ecert.encode_body(jsonb) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_encode_body';
COMMENT ON FUNCTION ecert.encode_body(jsonb) IS 'a JSON object as the deterministic CBOR of a body, for signing elsewhere; EC097 when a number does not fit';

CREATE FUNCTION ecert.decode_body(bytea) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_decode_body';
COMMENT ON FUNCTION ecert.decode_body(bytea) IS 'the deterministic CBOR of a body as a JSON object; EC001 with the offset of the first wrong byte';

CREATE FUNCTION ecert.public_key(use text DEFAULT 'package') RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_public_key';
COMMENT ON FUNCTION ecert.public_key(text) IS 'public half of this node''s key for a use (package: ecert.signing_key, seal: ecert.seal_key, witness: ecert.witness_key) as SubjectPublicKeyInfo PEM, to give to the certifier; NULL for witness where ecert.witness_key is not set. EC094 when the key cannot be loaded, 22023 for another use';

CREATE FUNCTION ecert.this_node() RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_this_node';
COMMENT ON FUNCTION ecert.this_node() IS 'the id this server or session acts as, setting ecert.node; EC093 when it is not set';
