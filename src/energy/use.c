/*
 * use.c
 *		Energy and output of an applicant by product, exact; see use.h.
 *
 * Quantities are summed as integers, apart by exponent: 128 bits take more
 * than 2^63 of them.  Only sums are turned into numeric.
 */
#include "energy/use.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "pg/error.h"

PG_FUNCTION_INFO_V1(ecert_package_bodies_in);
PG_FUNCTION_INFO_V1(ecert_package_bodies_out);
PG_FUNCTION_INFO_V1(ecert_collect_body);
PG_FUNCTION_INFO_V1(ecert_collected_bodies);
PG_FUNCTION_INFO_V1(ecert_use_by_product);

#define EXPONENTS (ECERT_EXPONENT_MAX - ECERT_EXPONENT_MIN + 1)

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

typedef struct Sum
{
	int128		parts[EXPONENTS];	/* of the mantissas, by exponent */
	uint64		used;			/* a bit for each part that counts */
} Sum;

/* The lines of one product in product packages */
typedef struct EcertMade
{
	int64		lines;
	int64		lines_with_value;
	bool		one_unit;
	bool		one_currency;
	Sum			qualified;
	Sum			value;
} EcertMade;

/* Energy of one source and unit for one product; product of size 0: for all of them */
typedef struct SourceUse
{
	EcertSlice	product;
	EcertSlice	source;
	EcertSlice	unit;
	Sum			quantity;
} SourceUse;

typedef struct Reading
{
	SourceUse  *groups;
	int			group_count;
	int			group_room;
	int			last_group;		/* lines mostly come in the order they had in the package before */
	EcertUse   *use;
	int			product_room;
	int			last_product;
} Reading;

static void
add_to(Sum *sum, EcertDecimal number)
{
	int			part = number.exponent - ECERT_EXPONENT_MIN;

	sum->parts[part] += number.mantissa;
	sum->used |= UINT64CONST(1) << part;
}

static Numeric
numeric_of(int128 mantissa, int exponent)
{
	const int64 step = INT64CONST(1000000000000000000);
	EcertDecimal small = {(int64) mantissa, exponent};

	if (small.mantissa == mantissa)
		return ecert_numeric(small);
	small.mantissa = (int64) (mantissa % step);
	return ecert_add(ecert_multiply(numeric_of(mantissa / step, exponent), int64_to_numeric(step)), ecert_numeric(small));
}

static Numeric
total_of(const Sum *sum)
{
	Numeric		total = NULL;

	for (int i = 0; i < EXPONENTS; i++)
	{
		if (sum->used & (UINT64CONST(1) << i))
			total = ecert_add_defined(total, numeric_of(sum->parts[i], i + ECERT_EXPONENT_MIN));
	}
	return total;
}

/* Make room for one more of a list that has count */
static void *
grown(void *list, int count, int *room, size_t size)
{
	if (count < *room)
		return list;
	*room = *room == 0 ? 8 : *room * 2;
	return list == NULL ? palloc_extended(*room * size, MCXT_ALLOC_HUGE) : repalloc_huge(list, *room * size);
}

static SourceUse *
group_of(Reading *reading, const EcertEnergyLine *line)
{
	SourceUse  *group;

	for (int i = 0; i < reading->group_count; i++)
	{
		int			at = reading->last_group + 1 + i;

		group = &reading->groups[at < reading->group_count ? at : at - reading->group_count];
		if (ecert_slice_equal(group->source, line->source) && ecert_slice_equal(group->unit, line->unit) &&
			ecert_slice_equal(group->product, line->product))
		{
			reading->last_group = (int) (group - reading->groups);
			return group;
		}
	}
	reading->groups = grown(reading->groups, reading->group_count, &reading->group_room, sizeof(SourceUse));
	reading->last_group = reading->group_count++;
	group = &reading->groups[reading->last_group];
	memset(group, 0, sizeof *group);
	group->product = line->product;
	group->source = line->source;
	group->unit = line->unit;
	return group;
}

static EcertProductUse *
product_of(Reading *reading, EcertSlice name)
{
	EcertUse   *use = reading->use;
	EcertProductUse *product;

	for (int i = 0; i < use->count; i++)
	{
		int			at = reading->last_product + 1 + i;

		product = &use->products[at < use->count ? at : at - use->count];
		if (ecert_slice_equal(product->product, name))
		{
			reading->last_product = (int) (product - use->products);
			return product;
		}
	}
	use->products = grown(use->products, use->count, &reading->product_room, sizeof(EcertProductUse));
	reading->last_product = use->count++;
	product = &use->products[reading->last_product];
	memset(product, 0, sizeof *product);
	product->product = name;
	return product;
}

static void
read_energy(Reading *reading, EcertSlice body)
{
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);
	EcertEnergyLine line;

	for (uint64 i = 1; i <= count; i++)
	{
		ecert_check_line(ecert_energy_line_next(&cursor, &line), i);
		add_to(&group_of(reading, &line)->quantity, line.quantity);
	}
}

static void
add_product_line(Reading *reading, const EcertProductLine *line)
{
	EcertProductUse *product = product_of(reading, line->product);
	EcertMade  *made = product->made;

	if (made == NULL)
	{
		product->made = made = palloc0(sizeof *made);
		made->one_unit = made->one_currency = true;
		product->unit = line->unit;
		product->currency = line->currency;
	}
	made->lines++;
	made->lines_with_value += line->has_value;
	made->one_unit = made->one_unit && ecert_slice_equal(product->unit, line->unit);
	made->one_currency = made->one_currency && ecert_slice_equal(product->currency, line->currency);
	add_to(&made->qualified, line->qualified);
	if (line->has_value)
		add_to(&made->value, line->value);
}

static void
read_product(Reading *reading, EcertSlice body)
{
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);
	EcertProductLine line;

	for (uint64 i = 1; i <= count; i++)
	{
		ecert_check_line(ecert_product_line_next(&cursor, &line), i);
		add_product_line(reading, &line);
	}
}

/* Amounts in different units or currencies do not add up */
static void
finish_made(EcertProductUse *product)
{
	const EcertMade *made = product->made;

	if (made->one_unit)
		product->qualified = total_of(&made->qualified);
	else
		product->unit = ecert_slice(NULL, 0);
	if (!made->one_currency)
		product->currency = ecert_slice(NULL, 0);
	else if (made->lines_with_value == made->lines)
		product->value = total_of(&made->value);
}

/* Energy to kgce, to its product or to what all share; the first source without coefficient is noted */
static Numeric
convert(Reading *reading, const EcertCoefficients *coefficients)
{
	EcertUse   *use = reading->use;
	Numeric		shared = NULL;

	for (int i = 0; i < reading->group_count; i++)
	{
		SourceUse  *group = &reading->groups[i];
		Numeric		coefficient = ecert_coefficient(coefficients, group->source, group->unit);
		Numeric		kgce = coefficient == NULL ? NULL : ecert_multiply(total_of(&group->quantity), coefficient);
		int			order = ecert_slice_compare(group->source, use->missing_source);

		if (kgce == NULL)
		{
			if (!use->is_missing || order < 0 ||
				(order == 0 && ecert_slice_compare(group->unit, use->missing_unit) < 0))
			{
				use->is_missing = true;
				use->missing_source = group->source;
				use->missing_unit = group->unit;
			}
		}
		else if (group->product.size == 0)
			shared = ecert_add_defined(shared, kgce);
		else
		{
			EcertProductUse *product = product_of(reading, group->product);

			product->direct = ecert_add_defined(product->direct, kgce);
		}
	}
	return shared == NULL ? int64_to_numeric(0) : shared;
}

/* The output value of all products; NULL when it says nothing about their shares */
static Numeric
value_of_all(const EcertUse *use)
{
	Numeric		value = NULL;

	for (int i = 0; i < use->count; i++)
	{
		const EcertProductUse *product = &use->products[i];

		if (product->value == NULL || ecert_sign_of(product->value) < 0 || !ecert_slice_equal(product->currency, use->products[0].currency))
			return NULL;
		value = ecert_add_defined(value, product->value);
	}
	return ecert_is_positive(value) ? value : NULL;
}

/*
 * What is declared for no product goes to the only product there is, else in
 * proportion to direct energy, else to output value; else nothing can be said.
 */
static void
attribute(EcertUse *use, Numeric shared)
{
	bool		nothing_shared = ecert_sign_of(shared) == 0;
	Numeric		one = int64_to_numeric(1);
	Numeric		direct = int64_to_numeric(0);
	Numeric		value = NULL;

	for (int i = 0; i < use->count; i++)
		direct = ecert_add(direct, use->products[i].direct);
	if (!nothing_shared && use->count > 1 && ecert_sign_of(direct) <= 0)
		value = value_of_all(use);
	for (int i = 0; i < use->count; i++)
	{
		EcertProductUse *product = &use->products[i];
		EcertFraction kgce = {NULL, NULL};

		if (nothing_shared || use->count == 1)
			kgce = (EcertFraction) {nothing_shared ? product->direct : ecert_add(product->direct, shared), one};
		else if (ecert_sign_of(direct) > 0)
			kgce = (EcertFraction) {ecert_multiply(product->direct, ecert_add(direct, shared)), direct};
		else if (value != NULL)
			kgce = (EcertFraction) {ecert_multiply(shared, product->value), value};
		product->kgce = kgce;
	}
}

static int
compare_products(const void *a, const void *b)
{
	return ecert_slice_compare(((const EcertProductUse *) a)->product, ((const EcertProductUse *) b)->product);
}

EcertUse
ecert_use_of(const EcertDeclarations *declared, EcertWithin within, const EcertCoefficients *coefficients)
{
	EcertUse	use = {0};
	Reading		reading = {0};
	const EcertDeclared *before = NULL;
	Numeric		shared;

	reading.use = &use;
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
		if (package->kind == ECERT_KIND_ENERGY)
			read_energy(&reading, package->body);
		else
			read_product(&reading, package->body);
	}
	shared = convert(&reading, coefficients);
	for (int i = 0; i < use.count; i++)
	{
		if (use.products[i].made != NULL)
			finish_made(&use.products[i]);
		if (use.products[i].direct == NULL)
			use.products[i].direct = int64_to_numeric(0);
	}
	if (use.count > 1)
		qsort(use.products, use.count, sizeof(EcertProductUse), compare_products);
	attribute(&use, shared);
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

/* The use within a range as rows */
Datum
ecert_use_by_product(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const EcertCoefficients *coefficients = ecert_coefficients_of(fcinfo->flinfo, ecert_policy_of(PG_GETARG_DATUM(0), PG_ARGISNULL(0)));
	EcertDeclarations declared = ecert_declarations_arg(fcinfo, 1);
	EcertUse	use = ecert_use_of(&declared, ecert_within(PG_GETARG_DATUM(2), PG_ARGISNULL(2)), coefficients);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < use.count; i++)
	{
		const EcertProductUse *product = &use.products[i];
		Datum		values[8] = {0};
		bool		nulls[8] = {false};

		values[0] = PointerGetDatum(ecert_text(product->product));
		ecert_set_text(&values[1], &nulls[1], product->unit);
		ecert_set_text(&values[2], &nulls[2], product->currency);
		ecert_set_number(&values[3], &nulls[3], product->qualified);
		ecert_set_number(&values[4], &nulls[4], product->value);
		ecert_set_number(&values[5], &nulls[5], product->kgce.numerator);
		ecert_set_number(&values[6], &nulls[6], product->kgce.denominator);
		values[7] = BoolGetDatum(product->kgce.numerator != NULL);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
