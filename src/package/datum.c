/*
 * datum.c
 *		Conversions between core values and SQL values.
 */
#include "package/datum.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "pg/error.h"
#include "pg/guc.h"

#define EPOCH_DIFFERENCE_SECONDS (((int64) POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

bytea *
ecert_bytea(EcertSlice bytes)
{
	bytea	   *value = (bytea *) palloc(VARHDRSZ + bytes.size);

	Assert(bytes.size == 0 || bytes.data != NULL);
	SET_VARSIZE(value, VARHDRSZ + bytes.size);
	if (bytes.size > 0)
		memcpy(VARDATA(value), bytes.data, bytes.size);
	return value;
}

text *
ecert_text(EcertSlice bytes)
{
	char	   *converted = pg_any_to_server((const char *) bytes.data, (int) bytes.size, PG_UTF8);

	if (converted == (const char *) bytes.data)
		return cstring_to_text_with_len(converted, (int) bytes.size);
	return cstring_to_text(converted);
}

Datum
ecert_bytes_out(EcertSlice bytes)
{
	char	   *output = palloc(2 + bytes.size * 2 + 1);

	memcpy(output, "\\x", 2);
	output[2 + hex_encode((const char *) bytes.data, bytes.size, output + 2)] = '\0';
	PG_RETURN_CSTRING(output);
}

void
ecert_set_text(Datum *value, bool *isnull, EcertSlice content)
{
	*isnull = content.size == 0;
	if (!*isnull)
		*value = PointerGetDatum(ecert_text(content));
}

void
ecert_set_number(Datum *value, bool *isnull, Numeric number)
{
	*isnull = number == NULL;
	if (!*isnull)
		*value = NumericGetDatum(number);
}

TimestampTz
ecert_timestamp(int64 seconds)
{
	return (seconds - EPOCH_DIFFERENCE_SECONDS) * USECS_PER_SEC;
}

int64
ecert_seconds(TimestampTz timestamp)
{
	int64		seconds = timestamp / USECS_PER_SEC;

	if (timestamp % USECS_PER_SEC < 0)
		seconds--;
	return seconds + EPOCH_DIFFERENCE_SECONDS;
}

Datum
ecert_period_datum(EcertPeriod period)
{
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound	lower = {0};
	RangeBound	upper = {0};

	Assert(period.start < period.end);
	lower.val = TimestampTzGetDatum(ecert_timestamp(period.start));
	lower.inclusive = true;
	lower.lower = true;
	upper.val = TimestampTzGetDatum(ecert_timestamp(period.end));
#if PG_VERSION_NUM >= 160000
	return RangeTypePGetDatum(make_range(type, &lower, &upper, false, NULL));
#else
	return RangeTypePGetDatum(make_range(type, &lower, &upper, false));
#endif
}

/* Infinite bounds are as far as it goes; others the last whole second that is not behind them, or the first that is not before */
static int64
bound_seconds(const RangeBound *bound, int64 infinite)
{
	TimestampTz time = DatumGetTimestampTz(bound->val);

	if (bound->infinite || TIMESTAMP_NOT_FINITE(time))
		return infinite;
	return ecert_seconds(time) + (bound->lower && (!bound->inclusive || time % USECS_PER_SEC != 0) ? 1 : 0);
}

bool
ecert_period_of(Datum range, EcertPeriod *period)
{
	RangeBound	lower,
				upper;
	bool		is_empty;

	memset(period, 0, sizeof *period);
	range_deserialize(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO), DatumGetRangeTypeP(range), &lower, &upper, &is_empty);
	if (is_empty)
		return false;
	period->start = bound_seconds(&lower, PG_INT64_MIN);
	period->end = bound_seconds(&upper, PG_INT64_MAX);
	return period->start < period->end && period->start != PG_INT64_MIN && period->end != PG_INT64_MAX;
}

bool
ecert_period_argument(FunctionCallInfo fcinfo, int number, EcertPeriod *period)
{
	memset(period, 0, sizeof *period);
	return !PG_ARGISNULL(number) && ecert_period_of(PG_GETARG_DATUM(number), period);
}

Numeric
ecert_numeric(EcertDecimal decimal)
{
	int64		power = 1;

	/* power stays within 64 bits */
	Assert(decimal.exponent <= 18);
	if (decimal.exponent <= 0)
		return int64_div_fast_to_numeric(decimal.mantissa, -decimal.exponent);
	for (int i = 0; i < decimal.exponent; i++)
		power *= 10;
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul,
											   NumericGetDatum(int64_to_numeric(decimal.mantissa)),
											   NumericGetDatum(int64_to_numeric(power))));
}

void
ecert_hash_of(EcertSlice package, uint8_t *hash)
{
	EcertCode	code = ecert_package_hash(package, hash);

	if (code != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not compute SHA-256");
}

/* The package that was taken apart last, and its bytes; none while its size is 0 */
static EcertPackage last_package;
static uint8_t last_bytes[ECERT_PACKAGE_MAX];

EcertCode
ecert_package_read(EcertSlice bytes, EcertPackage *package, EcertError *error)
{
	Assert(error != NULL);
	/* input and the admission trigger, or several accessors of a query, ask for the same one */
	if (bytes.size == 0 || !ecert_slice_equal(bytes, last_package.bytes))
	{
		EcertCode	code;

		if (bytes.size > ECERT_PACKAGE_MAX)
			return ecert_package_parse(bytes, package, error);
		memcpy(last_bytes, bytes.data, bytes.size);
		code = ecert_package_parse(ecert_slice(last_bytes, bytes.size), &last_package, error);
		if (code != ECERT_OK)
		{
			last_package.bytes.size = 0;
			return code;
		}
	}
	*package = last_package;
	ecert_package_move(package, bytes.data);
	Assert(package->bytes.data == bytes.data && package->bytes.size == bytes.size);
	return ECERT_OK;
}

void
ecert_package_of(Datum datum, EcertPackage *package)
{
	EcertError	error;

	if (ecert_package_read(ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(datum)), package, &error) != ECERT_OK)
		ecert_raise(&error, "package");
}

EcertSlice
ecert_body_of(Datum datum)
{
	return ecert_package_body_again(ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(datum)));
}

EcertSlice
ecert_this_node(void)
{
	EcertSlice	node;
	char	   *utf8;

	if (ecert_node == NULL || ecert_node[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NODE_NOT_SET),
				 errmsg("setting \"ecert.node\" is not set"),
				 errhint("Set ecert.node to the id under which the certifier enrolled this node.")));
	utf8 = pg_server_to_any(ecert_node, (int) strlen(ecert_node), PG_UTF8);
	node = ecert_slice_text(utf8);
	if (!ecert_id_valid(node))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NODE_NOT_SET),
				 errmsg("setting \"ecert.node\" is not a valid node id"),
				 errdetail("A node id is 1 to %d bytes without control, format and line-separating characters.", ECERT_ID_MAX)));
	return node;
}

/* kinds(): the names of all kinds, in the order of the format */
ECERT_FUNCTION(ecert_sql_kinds)
{
	Datum		names[ECERT_KIND_COUNT];

	for (int i = 0; i < ECERT_KIND_COUNT; i++)
		names[i] = CStringGetTextDatum(ecert_kind_name((EcertKind) i));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, ECERT_KIND_COUNT, TEXTOID, -1, false, TYPALIGN_INT));
}
