/*
 * package.c
 *		The SQL type ecert.package: input, output, accessors.
 *
 * A value is the package's bytes and nothing else, so it is compared, sorted
 * and hashed as bytea; what makes it a package is that every way in has checked
 * the strict form.  But for one: in a worker of logical replication an error would
 * stop the subscription, so there any bytes go in, and the admission trigger
 * puts what is no package into ledger.quarantine.
 */
#include "package/datum.h"

#include <unistd.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/error.h"
#include "rules/fields.h"

/* Refuse text that is not \x and pairs of hex digits, and say where */
static void
check_hex_text(const char *input, size_t size)
{
	size_t		good;

	if (strncmp(input, "\\x", 2) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_MALFORMED),
				 errmsg("invalid ecert package: text does not start with \\x"),
				 errhint("The text form of a package is \\x followed by its bytes in hexadecimal.")));
	good = strspn(input + 2, "0123456789abcdefABCDEF");
	if (good != size - 2)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_MALFORMED),
				 errmsg("invalid ecert package: text is not hexadecimal"),
				 errdetail("At character %zu, byte %zu of the package.", good + 3, good / 2)));
	if (good % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_MALFORMED),
				 errmsg("invalid ecert package: odd number of hexadecimal digits"),
				 errdetail("There are %zu digits.", good)));
	if (good / 2 > ECERT_PACKAGE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_TOO_LARGE),
				 errmsg("invalid ecert package: %s", ecert_error_text(ECERT_TOO_LARGE)),
				 errdetail("There are %zu bytes.", good / 2)));
}

/* Return value when its bytes are a package, else raise */
static bytea *
checked(bytea *value)
{
	EcertPackage package;
	EcertError	error;

	if (ecert_package_read(ecert_varlena_slice(value), &package, &error) != ECERT_OK)
		ecert_raise(&error, "package");
	return value;
}

/* The bytes of \x and an even number of hexadecimal digits */
static bytea *
from_hex(const char *input, size_t size)
{
	bytea	   *value = (bytea *) palloc(VARHDRSZ + (size - 2) / 2);

	SET_VARSIZE(value, VARHDRSZ + (size - 2) / 2);
	(void) hex_decode(input + 2, size - 2, VARDATA(value));
	return value;
}

/* The bytes of what a peer sent as text: of its hexadecimal digits, or of the text itself when it is none */
static bytea *
bytes_from_peer(const char *input, size_t size)
{
	if (size < 2 || size % 2 != 0 || strncmp(input, "\\x", 2) != 0 ||
		strspn(input + 2, "0123456789abcdefABCDEF") != size - 2)
		return ecert_bytea(ecert_slice(input, size));
	return from_hex(input, size);
}

ECERT_FUNCTION(ecert_package_in)
{
	const char *input = PG_GETARG_CSTRING(0);
	size_t		size = strlen(input);

	if (IsLogicalWorker())
		PG_RETURN_BYTEA_P(bytes_from_peer(input, size));
	check_hex_text(input, size);
	PG_RETURN_BYTEA_P(checked(from_hex(input, size)));
}

ECERT_FUNCTION(ecert_package_out)
{
	return ecert_bytes_out(ecert_varlena_slice(PG_GETARG_BYTEA_PP(0)));
}

ECERT_FUNCTION(ecert_package_recv)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			size = message->len - message->cursor;
	bytea	   *value;

	if (IsLogicalWorker())
		PG_RETURN_BYTEA_P(ecert_bytea(ecert_slice(pq_getmsgbytes(message, size), size)));
	if (size > ECERT_PACKAGE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_TOO_LARGE),
				 errmsg("invalid ecert package: %s", ecert_error_text(ECERT_TOO_LARGE)),
				 errdetail("There are %d bytes.", size)));
	value = ecert_bytea(ecert_slice(pq_getmsgbytes(message, size), size));
	PG_RETURN_BYTEA_P(checked(value));
}

ECERT_FUNCTION(ecert_package_send)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0));
}

ECERT_FUNCTION(ecert_package_from_bytea)
{
	PG_RETURN_BYTEA_P(checked(PG_GETARG_BYTEA_PP(0)));
}

static Datum
bytes_or_null(FunctionCallInfo fcinfo, EcertSlice bytes)
{
	if (bytes.size == 0)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(ecert_bytea(bytes));
}

/* The hash under a key of the body, or of the package that is replaced; NULL when it has none */
static Datum
named_hash(FunctionCallInfo fcinfo, const EcertPackage *package, const char *key)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	bool		found = key != NULL ? ecert_field_hash(package->body, key, hash) : ecert_body_replaces(package, hash);

	return bytes_or_null(fcinfo, ecert_slice(hash, found ? sizeof hash : 0));
}

/* An accessor of the type: what it returns of a package */
#define ACCESSOR(function, returned) \
	ECERT_FUNCTION(function) \
	{ \
		EcertPackage package; \
		\
		ecert_package_of(PG_GETARG_DATUM(0), &package); \
		returned; \
	}

ACCESSOR(ecert_package_issuer, PG_RETURN_TEXT_P(ecert_text(package.issuer)))
ACCESSOR(ecert_package_kind, PG_RETURN_TEXT_P(cstring_to_text(ecert_kind_name(package.kind))))
ACCESSOR(ecert_package_seq, PG_RETURN_INT64(package.seq))
ACCESSOR(ecert_package_subject, PG_RETURN_TEXT_P(ecert_text(package.subject)))
ACCESSOR(ecert_package_audience, PG_RETURN_TEXT_P(ecert_text(package.audience)))
ACCESSOR(ecert_package_issued_at, PG_RETURN_TIMESTAMPTZ(ecert_timestamp(package.issued_at)))
ACCESSOR(ecert_package_alg, PG_RETURN_TEXT_P(cstring_to_text(ecert_alg_name(package.alg))))
ACCESSOR(ecert_package_kid, return bytes_or_null(fcinfo, package.kid))
ACCESSOR(ecert_package_prev, return bytes_or_null(fcinfo, package.prev))
ACCESSOR(ecert_package_body, PG_RETURN_JSONB_P(ecert_body_to_jsonb(package.body)))
ACCESSOR(ecert_package_replaces, return named_hash(fcinfo, &package, NULL))
/* the one package that a package of this kind is about */
ACCESSOR(ecert_package_reference, return named_hash(fcinfo, &package, package.kind == ECERT_KIND_REWARD ? "audit" :
													package.kind == ECERT_KIND_WITNESS ? "checkpoint" : NULL))

/* The key ids that a node or genesis package lists; NULL for other kinds */
static Datum
listed_kids(FunctionCallInfo fcinfo, const EcertPackage *package)
{
	uint64_t	count;
	EcertCursor cursor = ecert_node_keys(package->kind, package->body, &count);
	Datum	   *kids;
	int			found = 0;

	if (package->kind != ECERT_KIND_NODE && package->kind != ECERT_KIND_GENESIS)
		PG_RETURN_NULL();
	kids = palloc(Max(count, 1) * sizeof *kids);
	while (count-- > 0)
	{
		uint8_t		kid[ECERT_HASH_SIZE];

		if (ecert_field_hash(ecert_cbor_skip(&cursor), "kid", kid))
			kids[found++] = PointerGetDatum(ecert_bytea(ecert_slice(kid, sizeof kid)));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(kids, found, BYTEAOID, -1, false, TYPALIGN_INT));
}

ACCESSOR(ecert_package_kids, return listed_kids(fcinfo, &package))

ECERT_FUNCTION(ecert_package_period)
{
	EcertPackage package;
	EcertPeriod period;

	ecert_package_of(PG_GETARG_DATUM(0), &package);
	if (!ecert_body_period(&package, &period))
		PG_RETURN_NULL();
	return ecert_period_datum(period);
}

ECERT_FUNCTION(ecert_package_leaf_hash)
{
	uint8_t		hash[ECERT_HASH_SIZE];

	ecert_hash_of(ecert_varlena_slice(PG_GETARG_BYTEA_PP(0)), hash);
	PG_RETURN_BYTEA_P(ecert_bytea(ecert_slice(hash, sizeof hash)));
}

ECERT_FUNCTION(ecert_package_to_signed_bytes)
{
	EcertPackage package;
	EcertBuffer buffer;
	size_t		capacity;
	bytea	   *value;

	ecert_package_of(PG_GETARG_DATUM(0), &package);
	capacity = package.bytes.size + 32;
	value = (bytea *) palloc(VARHDRSZ + capacity);
	buffer = ecert_buffer(VARDATA(value), capacity);
	ecert_package_signed_bytes(package.protected_header, package.body, &buffer);
	SET_VARSIZE(value, VARHDRSZ + buffer.size);
	PG_RETURN_BYTEA_P(value);
}

/* The key that was asked for last, and its text, of size 0 when it was longer than such texts are */
static struct
{
	char		pem[2048];
	size_t		pem_size;
	EcertAlg	alg;
	uint8_t		kid[ECERT_HASH_SIZE];
	EcertPublicKey *key;
} last_key;

const EcertPublicKey *
ecert_public_key_of(EcertSlice pem, EcertAlg *alg, EcertSlice *kid)
{
	if (pem.size == 0 || !ecert_slice_equal(pem, ecert_slice(last_key.pem, last_key.pem_size)))
	{
		uint8_t		raw[ECERT_RAW_KEY_MAX];
		uint8_t		thumbprint[ECERT_HASH_SIZE];
		size_t		raw_size;
		EcertPublicKey *key = NULL;
		EcertCode	code = ecert_public_key_from_pem(pem, alg, raw, &raw_size);

		if (code == ECERT_OK)
			code = ecert_key_thumbprint(*alg, ecert_slice(raw, raw_size), thumbprint);
		if (code == ECERT_OK)
			code = ecert_public_key_new(*alg, ecert_slice(raw, raw_size), &key);
		if (code != ECERT_OK)
			ecert_raise_crypto(code, ERRCODE_ECERT_PUBLIC_KEY, "invalid public key");
		ecert_public_key_free(last_key.key);
		last_key.key = key;
		last_key.alg = *alg;
		memcpy(last_key.kid, thumbprint, sizeof thumbprint);
		last_key.pem_size = pem.size <= sizeof last_key.pem ? pem.size : 0;
		memcpy(last_key.pem, pem.data, last_key.pem_size);
	}
	*alg = last_key.alg;
	*kid = ecert_slice(last_key.kid, sizeof last_key.kid);
	return last_key.key;
}

ECERT_FUNCTION(ecert_package_is_signed_by)
{
	EcertPackage package;
	EcertAlg	alg;
	EcertSlice	kid;
	const EcertPublicKey *key = ecert_public_key_of(ecert_varlena_slice(PG_GETARG_TEXT_PP(1)), &alg, &kid);
	EcertBuffer scratch;
	EcertCode	code;

	ecert_package_of(PG_GETARG_DATUM(0), &package);
	if (alg != package.alg)
		PG_RETURN_BOOL(false);
	scratch = ecert_buffer(palloc(package.bytes.size + 32), package.bytes.size + 32);
	code = ecert_package_verify(&package, key, scratch);
	if (code != ECERT_OK && code != ECERT_BAD_SIGNATURE)
		ecert_raise_crypto(code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not verify the signature");
	PG_RETURN_BOOL(code == ECERT_OK);
}
