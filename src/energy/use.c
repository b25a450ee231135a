/*
 * use.c
 *		The bodies of an applicant's packages as one SQL value, and what they
 *		say within a range of time, by rules/use.c; see use.h.
 */
#include "energy/use.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "pg/arena.h"
#include "pg/error.h"
#include "rules/assess.h"

PG_FUNCTION_INFO_V1(ecert_package_bodies_in);
PG_FUNCTION_INFO_V1(ecert_package_bodies_out);
PG_FUNCTION_INFO_V1(ecert_collect_body);
PG_FUNCTION_INFO_V1(ecert_collected_bodies);
PG_FUNCTION_INFO_V1(ecert_use_by_product);

/* The type ecert.package_bodies is a list of these, each before its body; there is no way in but the aggregate */
typedef struct Entry
{
	EcertKind	kind;
	uint32		size;			/* of the body */
	int64		seq;
	TimestampTz start;
	TimestampTz end;
} Entry;

/* The aggregate's state */
typedef struct Bodies
{
	TypeCacheEntry *range_type;
	StringInfoData buffer;		/* a varlena whose size is set last */
} Bodies;

/* Make room for one more of a list that has count */
static void *
grown(void *list, int count, int *room, size_t size)
{
	if (count < *room)
		return list;
	*room = *room == 0 ? 8 : *room * 2;
	return list == NULL ? palloc_extended(*room * size, MCXT_ALLOC_HUGE) : repalloc_huge(list, *room * size);
}

EcertUse *
ecert_use_within(const EcertDeclarations *declared, EcertWithin within, const EcertCoefficients *coefficients, EcertArena *arena)
{
	EcertUse   *use = ecert_use_new(arena, coefficients);
	const EcertDeclared *before = NULL;

	for (int i = 0; within.is_bounded && i < declared->count; i++)
	{
		const EcertDeclared *package = &declared->list[i];

		CHECK_FOR_INTERRUPTS();
		if (package->start < within.start || package->start >= within.end || package->end > within.end)
			continue;
		/* of those that replace each other the newest comes first */
		if (before != NULL && before->kind == package->kind && before->start == package->start)
			continue;
		before = package;
		ecert_use_add(use, package->kind, package->body);
		ecert_check_line(use->line_code, use->line);
	}
	ecert_use_finish(use);
	return use;
}

static int
compare_declared(const void *a, const void *b)
{
	const EcertDeclared *x = a;
	const EcertDeclared *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->seq < y->seq) - (x->seq > y->seq);
}

EcertDeclarations
ecert_declarations_arg(FunctionCallInfo fcinfo, int number)
{
	EcertDeclarations declared = {0};
	EcertSlice	rest;
	int			room = 0;
	Entry		entry;

	if (PG_ARGISNULL(number))
		return declared;
	rest = ecert_varlena_slice(PG_GETARG_VARLENA_PP(number));
	while (rest.size >= sizeof entry)
	{
		memcpy(&entry, rest.data, sizeof entry);
		rest = ecert_slice(rest.data + sizeof entry, rest.size - sizeof entry);
		if (entry.size > rest.size)
			break;
		declared.list = grown(declared.list, declared.count, &room, sizeof(EcertDeclared));
		declared.list[declared.count++] = (EcertDeclared) {
			entry.kind, entry.seq, entry.start, entry.end, ecert_slice(rest.data, entry.size)
		};
		rest = ecert_slice(rest.data + entry.size, rest.size - entry.size);
	}
	if (declared.count > 1)
		qsort(declared.list, declared.count, sizeof(EcertDeclared), compare_declared);
	return declared;
}

Datum
ecert_package_bodies_in(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot accept a value of type %s", "ecert.package_bodies"),
			 errhint("Collect bodies from packages with ecert.collect_bodies().")));
	PG_RETURN_NULL();
}

Datum
ecert_package_bodies_out(PG_FUNCTION_ARGS)
{
	return ecert_bytes_out(ecert_varlena_slice(PG_GETARG_VARLENA_PP(0)));
}

/* What a package of a kind that is not assessed, or without a period, adds: nothing */
static bool
entry_of(FunctionCallInfo fcinfo, Bodies *bodies, Entry *entry)
{
	EcertSlice	kind;
	RangeBound	lower,
				upper;
	bool		is_empty;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		return false;
	kind = ecert_varlena_slice(PG_GETARG_TEXT_PP(1));
	if (ecert_slice_equal(kind, ecert_slice_text("energy")))
		entry->kind = ECERT_KIND_ENERGY;
	else if (ecert_slice_equal(kind, ecert_slice_text("product")))
		entry->kind = ECERT_KIND_PRODUCT;
	else
		return false;
	entry->seq = PG_GETARG_INT64(2);
	range_deserialize(bodies->range_type, DatumGetRangeTypeP(PG_GETARG_DATUM(3)), &lower, &upper, &is_empty);
	if (is_empty || lower.infinite || upper.infinite)
		return false;
	entry->start = DatumGetTimestampTz(lower.val);
	entry->end = DatumGetTimestampTz(upper.val);
	return true;
}

/* (state, kind, seq, period, package): append the package's body */
Datum
ecert_collect_body(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext caller;
	Bodies	   *bodies;
	Entry		entry = {0};
	EcertSlice	body;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "ecert_collect_body called in non-aggregate context");
	caller = MemoryContextSwitchTo(context);
	bodies = PG_ARGISNULL(0) ? NULL : (Bodies *) PG_GETARG_POINTER(0);
	if (bodies == NULL)
	{
		bodies = palloc(sizeof *bodies);
		bodies->range_type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
		initStringInfo(&bodies->buffer);
		enlargeStringInfo(&bodies->buffer, 8192);
		appendStringInfoSpaces(&bodies->buffer, VARHDRSZ);
	}
	MemoryContextSwitchTo(caller);
	if (entry_of(fcinfo, bodies, &entry))
	{
		body = ecert_body_of(PG_GETARG_DATUM(4));
		entry.size = (uint32) body.size;
		appendBinaryStringInfo(&bodies->buffer, (const char *) &entry, sizeof entry);
		appendBinaryStringInfo(&bodies->buffer, (const char *) body.data, (int) body.size);
	}
	PG_RETURN_POINTER(bodies);
}

/* The buffer itself is the value */
Datum
ecert_collected_bodies(PG_FUNCTION_ARGS)
{
	Bodies	   *bodies = (Bodies *) PG_GETARG_POINTER(0);

	SET_VARSIZE(bodies->buffer.data, bodies->buffer.len);
	PG_RETURN_POINTER(bodies->buffer.data);
}

EcertWithin
ecert_within(Datum range, bool isnull)
{
	EcertWithin within = {false, 0, 0};
	RangeBound	lower,
				upper;
	bool		is_empty;

	if (isnull)
		return within;
	range_deserialize(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO), DatumGetRangeTypeP(range), &lower, &upper, &is_empty);
	within.is_bounded = !is_empty && !lower.infinite && !upper.infinite;
	if (within.is_bounded)
	{
		within.start = DatumGetTimestampTz(lower.val);
		within.end = DatumGetTimestampTz(upper.val);
	}
	return within;
}

/* A product's output, or the value of it, as numeric; NULL when it is not defined */
static Numeric
amount_of(const EcertProductUse *product, bool by_value, EcertArena *arena)
{
	EcertNumber amount;

	return ecert_use_amount(product, by_value, &amount) ? ecert_numeric_of(&amount, arena) : NULL;
}

/* The use within a range as rows */
Datum
ecert_use_by_product(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const EcertKeptPolicy *policy = ecert_policy_of(fcinfo->flinfo, PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	EcertDeclarations declared = ecert_declarations_arg(fcinfo, 1);
	EcertArena *arena = ecert_arena_in(CurrentMemoryContext);
	const EcertUse *use = ecert_use_within(&declared, ecert_within(PG_GETARG_DATUM(2), PG_ARGISNULL(2)), policy->coefficients, arena);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (size_t i = 0; i < use->count; i++)
	{
		const EcertProductUse *product = use->products[i];
		Datum		values[9] = {0};
		bool		nulls[9] = {false};

		values[0] = PointerGetDatum(ecert_text(product->product));
		ecert_set_text(&values[1], &nulls[1], product->unit);
		ecert_set_text(&values[2], &nulls[2], product->currency);
		ecert_set_number(&values[3], &nulls[3], amount_of(product, false, arena));
		ecert_set_number(&values[4], &nulls[4], amount_of(product, true, arena));
		ecert_set_number(&values[5], &nulls[5], product->has_energy ? ecert_numeric_of(&product->energy, arena) : NULL);
		ecert_set_number(&values[6], &nulls[6], ecert_numeric_of_digits(ecert_unit_energy(product, arena)));
		values[7] = BoolGetDatum(product->is_made);
		values[8] = BoolGetDatum(use->attributable);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
