/*
 * coefficient.c
 *		The coefficients of a policy as a hash table; see coefficient.h.
 */
#include "registry/coefficient.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/error.h"
#include "registry/registry.h"

PG_FUNCTION_INFO_V1(ecert_line_kgce);

typedef struct Coefficient
{
	EcertSlice	source;			/* borrows from the copy of the policy */
	EcertSlice	unit;
	Numeric		kgce;			/* NULL: the place is free */
	EcertDecimal decimal;		/* the same, when is_decimal */
	bool		is_decimal;
} Coefficient;

struct EcertCoefficients
{
	MemoryContext context;		/* holds all of it */
	Jsonb	   *policy;			/* copy */
	uint8_t		hash[ECERT_HASH_SIZE];	/* of the policy's package, where it was looked up by that */
	uint32		places;			/* a power of two, more than there are coefficients */
	Coefficient *table;			/* by hash, with linear probing */
};

/* The list under a key of the policy; of size 0 when there is none */
static uint32
list_of(JsonbContainer *policy, const char *key, JsonbContainer **list)
{
	JsonbValue	value;

	*list = NULL;
	if (!JsonContainerIsObject(policy) ||
		getKeyJsonValueFromContainer(policy, key, (int) strlen(key), &value) == NULL ||
		value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		return 0;
	*list = value.val.binary.data;
	return JsonContainerSize(*list);
}

/* A field of item i of a list; false when it is not there or of another type */
static bool
field_of(JsonbContainer *list, uint32 i, const char *key, enum jbvType type, JsonbValue *field)
{
	JsonbValue *item = getIthJsonbValueFromContainer(list, i);

	return item != NULL && item->type == jbvBinary && JsonContainerIsObject(item->val.binary.data) &&
		getKeyJsonValueFromContainer(item->val.binary.data, key, (int) strlen(key), field) != NULL && field->type == type;
}

static EcertSlice
slice_of(const JsonbValue *string)
{
	return ecert_slice(string->val.string.val, (size_t) string->val.string.len);
}

/* Of the first eight bytes: names of sources and units differ there, mostly, and every line of a ledger is looked up */
static uint64
quick_hash(EcertSlice name)
{
	uint64		eight = 0;

	memcpy(&eight, name.data, Min(name.size, sizeof eight));
	return (eight ^ name.size) * UINT64CONST(0x9E3779B97F4A7C15);
}

/* Where a source and unit is, or would go */
static Coefficient *
place_of(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit)
{
	uint32		hash = (uint32) ((quick_hash(source) + 3 * quick_hash(unit)) >> 32);

	for (uint32 i = hash;; i++)
	{
		Coefficient *place = &coefficients->table[i & (coefficients->places - 1)];

		if (place->kgce == NULL || (ecert_slice_equal(place->source, source) && ecert_slice_equal(place->unit, unit)))
			return place;
	}
}

static void
put(EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit, Numeric kgce)
{
	Coefficient *place = place_of(coefficients, source, unit);

	place->source = source;
	place->unit = unit;
	place->kgce = kgce;
	place->is_decimal = ecert_decimal_parse(ecert_slice_text(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(kgce)))),
											&place->decimal) == ECERT_OK && place->decimal.exponent <= 0;
}

/* One coefficient, and one more for each multiple of its unit */
static void
put_all_units(EcertCoefficients *coefficients, JsonbContainer *list, uint32 i, JsonbContainer *units, uint32 unit_count)
{
	JsonbValue	source,
				unit,
				kgce,
				base,
				multiple,
				factor;

	if (!field_of(list, i, "source", jbvString, &source) || !field_of(list, i, "unit", jbvString, &unit) ||
		!field_of(list, i, "kgce", jbvNumeric, &kgce))
		return;
	put(coefficients, slice_of(&source), slice_of(&unit), kgce.val.numeric);
	for (uint32 u = 0; u < unit_count; u++)
	{
		if (field_of(units, u, "base", jbvString, &base) && ecert_slice_equal(slice_of(&base), slice_of(&unit)) &&
			field_of(units, u, "unit", jbvString, &multiple) && field_of(units, u, "factor", jbvNumeric, &factor))
			put(coefficients, slice_of(&source), slice_of(&multiple),
				DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(kgce.val.numeric), NumericGetDatum(factor.val.numeric))));
	}
}

EcertCoefficients *
ecert_coefficients_read(MemoryContext parent, const Jsonb *policy)
{
	MemoryContext context = AllocSetContextCreate(parent, "ecert coefficients", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	EcertCoefficients *fresh = palloc0(sizeof *fresh);
	JsonbContainer *list,
			   *units;
	uint32		count,
				unit_count;

	fresh->context = context;
	fresh->policy = palloc(VARSIZE(policy));
	memcpy(fresh->policy, policy, VARSIZE(policy));
	count = list_of(&fresh->policy->root, "coefficients", &list);
	unit_count = list_of(&fresh->policy->root, "units", &units);
	fresh->places = 16;
	while (fresh->places / 2 <= (uint64) count * (1 + (uint64) unit_count))
		fresh->places *= 2;
	fresh->table = MemoryContextAllocExtended(context, fresh->places * sizeof(Coefficient), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < count; i++)
		put_all_units(fresh, list, i, units, unit_count);
	MemoryContextSwitchTo(caller);
	return fresh;
}

/* Read a policy, in the place of the one that flinfo has kept so far */
static EcertCoefficients *
keep_coefficients(FmgrInfo *flinfo, const Jsonb *policy)
{
	EcertCoefficients *old = (EcertCoefficients *) flinfo->fn_extra;

	flinfo->fn_extra = ecert_coefficients_read(flinfo->fn_mcxt, policy);
	if (old != NULL)
		MemoryContextDelete(old->context);
	return (EcertCoefficients *) flinfo->fn_extra;
}

Jsonb *
ecert_policy_of(Datum policy, bool isnull)
{
	return DatumGetJsonbP(isnull ? DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")) : policy);
}

const EcertCoefficients *
ecert_coefficients_of(FmgrInfo *flinfo, Jsonb *policy)
{
	EcertCoefficients *kept = (EcertCoefficients *) flinfo->fn_extra;

	if (kept != NULL && VARSIZE(kept->policy) == VARSIZE(policy) && memcmp(kept->policy, policy, VARSIZE(policy)) == 0)
		return kept;
	return keep_coefficients(flinfo, policy);
}

Numeric
ecert_coefficient(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit)
{
	return place_of(coefficients, source, unit)->kgce;
}

/* quantity * coefficient, with the digits that numeric gives it; by integers where they hold it, as mostly they do */
static Numeric
times(EcertDecimal quantity, const Coefficient *coefficient)
{
	EcertDecimal product;

	product.exponent = quantity.exponent + coefficient->decimal.exponent;
	if (coefficient->is_decimal && quantity.exponent <= 0 && product.exponent >= ECERT_EXPONENT_MIN &&
		!__builtin_mul_overflow(quantity.mantissa, coefficient->decimal.mantissa, &product.mantissa))
		return ecert_numeric(product);
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(ecert_numeric(quantity)), NumericGetDatum(coefficient->kgce)));
}

static EcertQuery policy_query = {"SELECT ecert.policy_body($1)", 1, {BYTEAOID}, NULL};

/* Read the policy in the package of that hash */
static EcertCoefficients *
load_policy(FmgrInfo *flinfo, EcertSlice hash)
{
	EcertCoefficients *coefficients = NULL;
	Datum		value = PointerGetDatum(ecert_bytea(hash));
	bool		isnull;

	SPI_connect();
	if (ecert_query_stable(&policy_query, &value, 1) > 0)
	{
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		if (!isnull)
			coefficients = keep_coefficients(flinfo, DatumGetJsonbP(value));
	}
	SPI_finish();
	if (coefficients == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the hash names no policy on this ledger"),
				 errdetail("Hash %s.", ecert_hex(hash)),
				 errhint("ecert.policy_hash() is that of the policy in force.")));
	memcpy(coefficients->hash, hash.data, sizeof coefficients->hash);
	return coefficients;
}

/* A hash always names the same policy, so that of the row before serves when its hash does */
Datum
ecert_line_kgce(PG_FUNCTION_ARGS)
{
	int32		number;
	EcertSlice	item = ecert_line_of(PG_GETARG_DATUM(0), &number);
	EcertSlice	hash = ecert_varlena_slice(PG_GETARG_BYTEA_PP(1));
	EcertCoefficients *coefficients = (EcertCoefficients *) fcinfo->flinfo->fn_extra;
	EcertEnergyLine line;
	const Coefficient *coefficient;

	if (coefficients == NULL || !ecert_slice_equal(hash, ecert_slice(coefficients->hash, sizeof coefficients->hash)))
		coefficients = load_policy(fcinfo->flinfo, hash);
	ecert_check_line(ecert_energy_line_read(item, &line), number);
	coefficient = place_of(coefficients, line.source, line.unit);
	if (coefficient->kgce == NULL)
		PG_RETURN_NULL();
	return NumericGetDatum(times(line.quantity, coefficient));
}
