/*
 * assess.c
 *		The bodies of an applicant's packages as one SQL value; what they say
 *		within a range of time (rules/use.c), and the assessment of two ranges
 *		(rules/assess.c), as SQL rows.
 */
#include "ledger/view.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "pg/error.h"
#include "registry/coefficient.h"
#include "rules/assess.h"
#include "rules/use.h"

/* Bounds of a range; NULL, empty and endless ones hold nothing */
typedef struct Within
{
	bool		is_bounded;
	TimestampTz start;
	TimestampTz end;
} Within;

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

/* One package, as far as an assessment reads it */
typedef struct Declared
{
	Entry		entry;
	EcertSlice	body;
} Declared;

/* Energy before product, each in the order of time, and the newest first where packages replace each other */
typedef struct Declarations
{
	Declared   *list;
	size_t		count;
} Declarations;

ECERT_FUNCTION(ecert_package_bodies_in)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot accept a value of type %s", "ecert.package_bodies"),
			 errhint("Collect bodies from packages with ecert.collect_bodies().")));
	PG_RETURN_NULL();
}

ECERT_FUNCTION(ecert_package_bodies_out)
{
	return ecert_bytes_out(ecert_varlena_slice(PG_GETARG_VARLENA_PP(0)));
}

static Within
within_of(TypeCacheEntry *range_type, Datum range)
{
	Within		within = {false, 0, 0};
	RangeBound	lower,
				upper;
	bool		is_empty;

	range_deserialize(range_type, DatumGetRangeTypeP(range), &lower, &upper, &is_empty);
	within.is_bounded = !is_empty && !lower.infinite && !upper.infinite;
	if (within.is_bounded)
	{
		within.start = DatumGetTimestampTz(lower.val);
		within.end = DatumGetTimestampTz(upper.val);
	}
	return within;
}

/* What a package of a kind that is not assessed, or without a period, adds: nothing */
static bool
entry_of(FunctionCallInfo fcinfo, Bodies *bodies, Entry *entry)
{
	EcertSlice	kind;
	Within		within;

	for (int i = 1; i <= 4; i++)
		if (PG_ARGISNULL(i))
			return false;
	kind = ecert_varlena_slice(PG_GETARG_TEXT_PP(1));
	entry->kind = ecert_slice_equal(kind, ecert_slice_text("energy")) ? ECERT_KIND_ENERGY : ECERT_KIND_PRODUCT;
	if (entry->kind == ECERT_KIND_PRODUCT && !ecert_slice_equal(kind, ecert_slice_text("product")))
		return false;
	within = within_of(bodies->range_type, PG_GETARG_DATUM(3));
	entry->seq = PG_GETARG_INT64(2);
	entry->start = within.start;
	entry->end = within.end;
	return within.is_bounded;
}

/* (state, kind, seq, period, package): append the package's body */
ECERT_FUNCTION(ecert_collect_body)
{
	MemoryContext context;
	MemoryContext caller;
	Bodies	   *bodies;
	Entry		entry = {0};
	EcertSlice	body;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ecert.collect_body() is a step of the aggregate ecert.collect_bodies()")));
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
ECERT_FUNCTION(ecert_collected_bodies)
{
	Bodies	   *bodies = (Bodies *) PG_GETARG_POINTER(0);

	SET_VARSIZE(bodies->buffer.data, bodies->buffer.len);
	PG_RETURN_POINTER(bodies->buffer.data);
}

static int
compare_declared(const void *a, const void *b)
{
	const Entry *x = &((const Declared *) a)->entry;
	const Entry *y = &((const Declared *) b)->entry;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->seq < y->seq) - (x->seq > y->seq);
}

/* The packages of an argument of type ecert.package_bodies; NULL: none */
static Declarations
declarations_argument(FunctionCallInfo fcinfo, int number, EcertArena *arena)
{
	Declarations declared = {0};
	EcertSlice	rest;
	size_t		room = 0;
	Declared	next;

	if (PG_ARGISNULL(number))
		return declared;
	rest = ecert_varlena_slice(PG_GETARG_VARLENA_PP(number));
	while (rest.size >= sizeof next.entry)
	{
		memcpy(&next.entry, rest.data, sizeof next.entry);
		rest = ecert_slice(rest.data + sizeof next.entry, rest.size - sizeof next.entry);
		if (next.entry.size > rest.size)
			break;
		next.body = ecert_slice(rest.data, next.entry.size);
		declared.list = ecert_arena_grow(arena, declared.list, declared.count, &room, sizeof next);
		declared.list[declared.count++] = next;
		rest = ecert_slice(rest.data + next.entry.size, rest.size - next.entry.size);
	}
	ecert_sort(declared.list, declared.count, sizeof next, compare_declared);
	return declared;
}

/* What lies within a tstzrange argument, summed up: finished (rules/use.h) */
static EcertUse *
use_within(const Declarations *declared, FunctionCallInfo fcinfo, int number, const EcertCoefficients *coefficients, EcertArena *arena)
{
	EcertUse   *use = ecert_use_new(arena, coefficients);
	const Entry *before = NULL;
	Within		within = {false, 0, 0};

	if (!PG_ARGISNULL(number))
		within = within_of(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO), PG_GETARG_DATUM(number));
	for (size_t i = 0; within.is_bounded && i < declared->count; i++)
	{
		const Entry *entry = &declared->list[i].entry;

		CHECK_FOR_INTERRUPTS();
		if (entry->start < within.start || entry->start >= within.end || entry->end > within.end)
			continue;
		/* of those that replace each other the newest comes first */
		if (before != NULL && before->kind == entry->kind && before->start == entry->start)
			continue;
		before = entry;
		ecert_use_add(use, entry->kind, declared->list[i].body);
		ecert_check_line(use->line_code, use->line);
	}
	ecert_use_finish(use);
	return use;
}

/* A product's output, or the value of it, as numeric; NULL when it is not defined */
static Numeric
amount_of(const EcertProductUse *product, bool by_value, EcertArena *arena)
{
	EcertNumber amount;

	return ecert_use_amount(product, by_value, &amount) ? ecert_numeric_of(&amount, arena) : NULL;
}

/* The use within a range as rows */
ECERT_FUNCTION(ecert_use_by_product)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const EcertKeptPolicy *policy = ecert_policy_of(fcinfo->flinfo, PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	EcertArena *arena = ecert_arena_in(CurrentMemoryContext);
	Declarations declared = declarations_argument(fcinfo, 1, arena);
	const EcertUse *use = use_within(&declared, fcinfo, 2, policy->coefficients, arena);

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

/* The columns of an assessment */
enum
{
	PRODUCT,
	UNIT,
	BASE_SIDE,					/* and the next two */
	NOW_SIDE = BASE_SIDE + 3,
	SAVING_KGCE = NOW_SIDE + 3,
	SAVING_RATE,
	STATUS,
	ADJUSTED_BASE_KGCE,
	STRUCTURE_KGCE,
	SAVING_TCE,
	PASSES,
	COLUMNS
};

/* A row on its way */
typedef struct Row
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
} Row;

static void
set_figure(Row *row, int column, const char *digits)
{
	ecert_set_number(&row->values[column], &row->nulls[column], ecert_numeric_of_digits(digits));
}

static void
set_text(Row *row, int column, EcertSlice content)
{
	ecert_set_text(&row->values[column], &row->nulls[column], content);
}

static void
set_side(Row *row, int column, const EcertSide *side)
{
	set_figure(row, column, side->kgce);
	set_figure(row, column + 1, side->output);
	set_figure(row, column + 2, side->unit_energy);
}

static void
put_row(ReturnSetInfo *result, const EcertAssessed *assessed, bool is_total)
{
	Row			row = {0};

	memset(row.nulls, true, sizeof row.nulls);
	set_text(&row, PRODUCT, assessed->product);
	set_text(&row, UNIT, assessed->unit);
	set_side(&row, BASE_SIDE, &assessed->base);
	set_side(&row, NOW_SIDE, &assessed->now);
	set_figure(&row, SAVING_KGCE, assessed->saving_kgce);
	set_figure(&row, SAVING_RATE, assessed->saving_rate);
	set_text(&row, STATUS, ecert_slice_text(assessed->status));
	set_figure(&row, ADJUSTED_BASE_KGCE, assessed->adjusted_base_kgce);
	set_figure(&row, STRUCTURE_KGCE, assessed->structure_kgce);
	set_figure(&row, SAVING_TCE, assessed->saving_tce);
	row.values[PASSES] = BoolGetDatum(assessed->passes);
	row.nulls[PASSES] = !is_total;
	tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
}

/* Raise why there is no assessment */
ECERT_NORETURN static void
refuse_assessment(EcertAssessCode code, const EcertAssessment *assessment, const char *applicant, const char *within)
{
	if (code == ECERT_ASSESS_BAD_LINE)
		ecert_check_line(assessment->line_code, assessment->line);
	if (code == ECERT_ASSESS_NO_COEFFICIENT)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_COEFFICIENT_UNKNOWN),
				 errmsg("energy source \"%s\" in unit \"%s\" has no coefficient",
						ecert_cstring(assessment->source), ecert_cstring(assessment->unit)),
				 errdetail("Applicant \"%s\" used it within %s.", applicant, within),
				 errhint("See ledger.coefficient; the certifier adds coefficients with ecert.set_policy().")));
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("the figures are too large to be computed"),
			 errdetail("Applicant \"%s\".", applicant)));
}

/* What is said of an applicant or a range that is NULL */
static const char *
words_of(FunctionCallInfo fcinfo, int number, Oid output)
{
	return PG_ARGISNULL(number) ? "(null)" : OidOutputFunctionCall(output, PG_GETARG_DATUM(number));
}

/* (policy, applicant, bodies, period, baseline, method: product or value) to a row for each product, and the total */
ECERT_FUNCTION(ecert_assess_bodies)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const EcertKeptPolicy *policy = ecert_policy_of(fcinfo->flinfo, PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	bool		by_value = !PG_ARGISNULL(5) && ecert_is_by_value(ecert_varlena_slice(PG_GETARG_TEXT_PP(5)));
	EcertArena *arena = ecert_arena_in(CurrentMemoryContext);
	Declarations declared = declarations_argument(fcinfo, 2, arena);
	const EcertUse *base = use_within(&declared, fcinfo, 4, policy->coefficients, arena);
	const EcertUse *now = use_within(&declared, fcinfo, 3, policy->coefficients, arena);
	EcertAssessment assessment;
	EcertAssessCode code = ecert_assess(base, now, ecert_terms_of(policy->body, by_value), arena, &assessment);

	if (code != ECERT_ASSESS_OK)
		refuse_assessment(code, &assessment, words_of(fcinfo, 1, F_TEXTOUT), words_of(fcinfo, assessment.is_baseline ? 4 : 3, F_RANGE_OUT));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (size_t i = 0; i < assessment.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_row(result, &assessment.products[i], false);
	}
	put_row(result, &assessment.totals, true);
	return (Datum) 0;
}
