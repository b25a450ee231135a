/*
 * coefficient.c
 *		Policies from SQL, and the kgce of a line under one; see coefficient.h.
 */
#include "registry/coefficient.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/arena.h"
#include "pg/error.h"
#include "registry/registry.h"

EcertKeptPolicy *
ecert_policy_read(MemoryContext parent, Datum policy, bool isnull)
{
	MemoryContext context = AllocSetContextCreate(parent, "ecert policy", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	EcertArena *arena = ecert_arena_in(context);
	EcertKeptPolicy *fresh = palloc0(sizeof *fresh);

	fresh->context = context;
	if (!isnull)
	{
		EcertSlice	body;

		fresh->document = DatumGetJsonbPCopy(policy);
		/* the encoder takes the memory of the largest body there can be */
		body = ecert_jsonb_to_body(fresh->document);
		fresh->body = ecert_arena_copy(arena, body);
		pfree((void *) body.data);
	}
	fresh->coefficients = ecert_coefficients_new(arena, fresh->body);
	fresh->calendar = ecert_calendar_of(arena, fresh->body);
	MemoryContextSwitchTo(caller);
	return fresh;
}

/* Is this the policy that was read? */
static bool
is_kept(const EcertKeptPolicy *kept, Datum policy, bool isnull)
{
	const Jsonb *document;

	if (kept == NULL || isnull || kept->document == NULL)
		return kept != NULL && isnull && kept->document == NULL;
	document = DatumGetJsonbP(policy);
	return VARSIZE(kept->document) == VARSIZE(document) && memcmp(kept->document, document, VARSIZE(document)) == 0;
}

EcertKeptPolicy *
ecert_policy_of(FmgrInfo *flinfo, Datum policy, bool isnull)
{
	EcertKeptPolicy *kept = (EcertKeptPolicy *) flinfo->fn_extra;

	if (!is_kept(kept, policy, isnull))
	{
		flinfo->fn_extra = ecert_policy_read(flinfo->fn_mcxt, policy, isnull);
		if (kept != NULL)
			MemoryContextDelete(kept->context);
	}
	return (EcertKeptPolicy *) flinfo->fn_extra;
}

Numeric
ecert_numeric_of_digits(const char *digits)
{
	return digits == NULL ? NULL :
		DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

Numeric
ecert_numeric_of(const EcertNumber *number, EcertArena *arena)
{
	return ecert_numeric_of_digits(ecert_number_text(number, number->scale, arena));
}

/* quantity * coefficient; by integers where they hold it, as mostly they do */
static Numeric
times(EcertDecimal quantity, const EcertCoefficient *coefficient)
{
	EcertDecimal product = {0, quantity.exponent + coefficient->kgce.exponent + coefficient->factor.exponent};
	EcertNumber number;

	if (product.exponent <= 0 && product.exponent >= ECERT_EXPONENT_MIN &&
		!__builtin_mul_overflow(quantity.mantissa, coefficient->kgce.mantissa, &product.mantissa) &&
		!__builtin_mul_overflow(product.mantissa, coefficient->factor.mantissa, &product.mantissa))
		return ecert_numeric(product);
	ecert_number_set_decimal(&number, quantity);
	ecert_coefficient_multiply(&number, &number, coefficient);
	return ecert_numeric_of(&number, ecert_arena_in(CurrentMemoryContext));
}

static EcertQuery policy_query = {"SELECT ecert.policy_body($1)", 1, {BYTEAOID}, NULL};

/* Read the policy in the package of that hash */
static EcertKeptPolicy *
load_policy(FmgrInfo *flinfo, EcertSlice hash)
{
	EcertKeptPolicy *kept = NULL;
	Datum		value = PointerGetDatum(ecert_bytea(hash));
	bool		isnull;

	SPI_connect();
	if (ecert_query_stable(&policy_query, &value, 1) > 0)
	{
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		if (!isnull)
			kept = ecert_policy_of(flinfo, value, false);
	}
	SPI_finish();
	if (kept == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the hash names no policy on this ledger"),
				 errdetail("Hash %s.", ecert_hex(hash)),
				 errhint("ecert.policy_hash() is that of the policy in force.")));
	memcpy(kept->hash, hash.data, sizeof kept->hash);
	return kept;
}

/* A hash always names the same policy, so that of the row before serves when its hash does */
ECERT_FUNCTION(ecert_line_kgce)
{
	int32		number;
	EcertSlice	item = ecert_line_of(PG_GETARG_DATUM(0), &number);
	EcertSlice	hash = ecert_varlena_slice(PG_GETARG_BYTEA_PP(1));
	EcertKeptPolicy *kept = (EcertKeptPolicy *) fcinfo->flinfo->fn_extra;
	EcertEnergyLine line;
	EcertCoefficient coefficient;

	if (kept == NULL || !ecert_slice_equal(hash, ecert_slice(kept->hash, sizeof kept->hash)))
		kept = load_policy(fcinfo->flinfo, hash);
	ecert_check_line(ecert_energy_line_read(item, &line), number);
	if (!ecert_coefficient_find(kept->coefficients, line.source, line.unit, &coefficient))
		PG_RETURN_NULL();
	return NumericGetDatum(times(line.quantity, &coefficient));
}
