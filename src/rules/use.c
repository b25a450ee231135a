/*
 * use.c
 *		Energy and output of an applicant by product; see use.h.
 *
 * Quantities are summed as integers for each product, source and unit, and only
 * the sums are multiplied by a coefficient.  Lines mostly come in the order they
 * had in the package before, so the group behind that of the last line is looked
 * at first, and the table only when it is another.
 */
#include "rules/use.h"

#include <stdlib.h>

#include "rules/table.h"

/* Energy of one source and unit for one product */
typedef struct Group
{
	EcertProductUse *product;	/* NULL: for all of them */
	EcertCoefficient coefficient;
	EcertSum	quantity;
	struct Group *next;
} Group;

/* A use while it is read */
typedef struct Reading
{
	EcertUse	use;			/* first: what callers have */
	EcertArena *arena;
	const EcertCoefficients *coefficients;
	size_t		product_room;
	size_t		last_product;	/* that of the last line of a product package */
	EcertTable	product_table;
	Group	   *first_group;
	Group	  **end;			/* where the next group goes */
	Group	   *last_group;		/* that of the last line of an energy package */
	EcertTable	group_table;
} Reading;

/* The product of that name, which becomes one of the use when it is not yet */
static EcertProductUse *
product_of(Reading *reading, EcertSlice name)
{
	EcertUse   *use = &reading->use;
	EcertProductUse *product = ecert_table_find(&reading->product_table, name, ECERT_NO_TEXT, ECERT_NO_TEXT);

	if (product != NULL)
		return product;
	product = ecert_arena_alloc(reading->arena, sizeof *product);
	product->product = ecert_arena_copy(reading->arena, name);
	product->place = use->count;
	use->products = ecert_arena_grow(reading->arena, use->products, use->count, &reading->product_room, sizeof(EcertProductUse *));
	use->products[use->count++] = product;
	ecert_table_put(&reading->product_table, product->product, ECERT_NO_TEXT, ECERT_NO_TEXT, product);
	return product;
}

static bool
is_group_of(const Group *group, const EcertEnergyLine *line)
{
	return ecert_slice_equal(group->coefficient.source, line->source) && ecert_slice_equal(group->coefficient.unit, line->unit) &&
		ecert_slice_equal(group->product == NULL ? ECERT_NO_TEXT : group->product->product, line->product);
}

/* Of the sources without coefficient the first in byte order is the one to name */
static void
note_missing(Reading *reading, const EcertEnergyLine *line)
{
	EcertUse   *use = &reading->use;
	int			order = use->is_missing ? ecert_slice_compare(line->source, use->missing_source) : -1;

	if (line->product.size == 0)
		use->shared_is_missing = true;
	else
		product_of(reading, line->product)->is_missing = true;
	if (order > 0 || (order == 0 && ecert_slice_compare(line->unit, use->missing_unit) >= 0))
		return;
	use->is_missing = true;
	use->missing_source = ecert_arena_copy(reading->arena, line->source);
	use->missing_unit = ecert_arena_copy(reading->arena, line->unit);
}

/* A new group, the last; NULL when its source and unit have no coefficient */
static Group *
add_group(Reading *reading, const EcertEnergyLine *line)
{
	EcertCoefficient coefficient;
	EcertSlice	product = ECERT_NO_TEXT;
	Group	   *group;

	if (!ecert_coefficient_find(reading->coefficients, line->source, line->unit, &coefficient))
	{
		note_missing(reading, line);
		return NULL;
	}
	group = *reading->end = ecert_arena_alloc(reading->arena, sizeof *group);
	reading->end = &group->next;
	group->coefficient = coefficient;
	if (line->product.size > 0)
	{
		group->product = product_of(reading, line->product);
		product = group->product->product;
	}
	ecert_table_put(&reading->group_table, coefficient.source, coefficient.unit, product, group);
	return group;
}

static Group *
group_of(Reading *reading, const EcertEnergyLine *line)
{
	Group	   *group = reading->last_group == NULL ? NULL : reading->last_group->next;

	if (group == NULL)
		group = reading->first_group;
	if (group == NULL || !is_group_of(group, line))
		group = ecert_table_find(&reading->group_table, line->source, line->unit, line->product);
	if (group == NULL)
		group = add_group(reading, line);
	if (group != NULL)
		reading->last_group = group;
	return group;
}

static EcertCode
add_energy_line(Reading *reading, EcertCursor *cursor)
{
	EcertEnergyLine line;
	EcertCode	code = ecert_energy_line_next(cursor, &line);
	Group	   *group = code == ECERT_OK ? group_of(reading, &line) : NULL;

	if (group != NULL)
		ecert_sum_add(&group->quantity, line.quantity, reading->arena);
	return code;
}

/* The product of a line of a product package: mostly the one behind that of the line before */
static EcertProductUse *
next_product(Reading *reading, EcertSlice name)
{
	const EcertUse *use = &reading->use;
	size_t		next = reading->last_product + 1 < use->count ? reading->last_product + 1 : 0;

	if (next >= use->count || !ecert_slice_equal(use->products[next]->product, name))
		next = product_of(reading, name)->place;
	reading->last_product = next;
	return use->products[next];
}

/* All lines of a product must agree in a text, which is of size 0 once they do not */
static void
agree(EcertSlice *text, bool *is_one, EcertSlice found)
{
	if (*is_one && !ecert_slice_equal(*text, found))
	{
		*is_one = false;
		*text = ecert_slice(NULL, 0);
	}
}

static EcertCode
add_product_line(Reading *reading, EcertCursor *cursor)
{
	EcertProductLine line;
	EcertCode	code = ecert_product_line_next(cursor, &line);
	EcertProductUse *product;

	if (code != ECERT_OK)
		return code;
	product = next_product(reading, line.product);
	if (!product->is_made)
	{
		product->is_made = product->one_unit = product->one_currency = product->all_valued = true;
		product->unit = ecert_arena_copy(reading->arena, line.unit);
		product->currency = ecert_arena_copy(reading->arena, line.currency);
	}
	agree(&product->unit, &product->one_unit, line.unit);
	agree(&product->currency, &product->one_currency, line.currency);
	ecert_sum_add(&product->qualified, line.qualified, reading->arena);
	if (line.has_value)
		ecert_sum_add(&product->value, line.value, reading->arena);
	else
		product->all_valued = false;
	return ECERT_OK;
}

EcertUse *
ecert_use_new(EcertArena *arena, const EcertCoefficients *coefficients)
{
	Reading    *reading = ecert_arena_alloc(arena, sizeof *reading);

	reading->arena = arena;
	reading->coefficients = coefficients;
	reading->product_table.arena = reading->group_table.arena = arena;
	reading->end = &reading->first_group;
	return &reading->use;
}

void
ecert_use_add(EcertUse *use, EcertKind kind, EcertSlice body)
{
	Reading    *reading = (Reading *) use;
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);

	for (uint64_t i = 1; i <= count && use->line_code == ECERT_OK; i++)
	{
		use->line_code = kind == ECERT_KIND_ENERGY ? add_energy_line(reading, &cursor) : add_product_line(reading, &cursor);
		use->line = i;
	}
}

bool
ecert_use_amount(const EcertProductUse *product, bool by_value, EcertNumber *amount)
{
	bool		defined = product->is_made && (by_value ? product->all_valued && product->one_currency : product->one_unit);

	if (defined)
		ecert_number_set_sum(amount, by_value ? &product->value : &product->qualified);
	return defined;
}

static void
convert_groups(Reading *reading)
{
	for (const Group *group = reading->first_group; group != NULL; group = group->next)
	{
		EcertNumber *sum = group->product == NULL ? &reading->use.shared : &group->product->energy;
		EcertNumber kgce;

		ecert_number_set_sum(&kgce, &group->quantity);
		ecert_coefficient_multiply(&kgce, &kgce, &group->coefficient);
		ecert_number_add(sum, sum, &kgce);
	}
}

static void
sum_direct(const EcertUse *use, EcertNumber *direct)
{
	ecert_number_set_int(direct, 0);
	for (size_t i = 0; i < use->count; i++)
		ecert_number_add(direct, direct, &use->products[i]->energy);
}

/* The value of all output; 0 when values do not tell how to spread */
static void
sum_value(const EcertUse *use, EcertNumber *value)
{
	EcertNumber one;

	ecert_number_set_int(value, 0);
	for (size_t i = 0; i < use->count; i++)
	{
		const EcertProductUse *product = use->products[i];

		if (!ecert_use_amount(product, true, &one) || ecert_number_sign(&one) < 0 ||
			!ecert_slice_equal(product->currency, use->products[0]->currency))
		{
			ecert_number_set_int(value, 0);
			return;
		}
		ecert_number_add(value, value, &one);
	}
}

/* Add to each product its share of what is declared for none: shared * weight / weights */
static void
spread(EcertUse *use, const EcertNumber *weights, bool by_value)
{
	for (size_t i = 0; i < use->count; i++)
	{
		EcertProductUse *product = use->products[i];
		EcertNumber share;

		if (by_value)
			(void) ecert_use_amount(product, true, &share);
		else
			ecert_number_copy(&share, &product->energy);
		ecert_number_multiply(&share, &share, &use->shared);
		ecert_number_divide(&share, &share, weights, ECERT_QUOTIENT_DECIMALS);
		ecert_number_add(&product->energy, &product->energy, &share);
	}
}

static void
spread_shared(EcertUse *use)
{
	EcertNumber weights;

	use->attributable = true;
	if (ecert_number_sign(&use->shared) == 0)
		return;
	if (use->count == 1)
	{
		ecert_number_add(&use->products[0]->energy, &use->products[0]->energy, &use->shared);
		return;
	}
	sum_direct(use, &weights);
	if (ecert_number_sign(&weights) > 0)
	{
		spread(use, &weights, false);
		return;
	}
	sum_value(use, &weights);
	use->attributable = ecert_number_sign(&weights) > 0;
	if (use->attributable)
		spread(use, &weights, true);
}

static int
compare_products(const void *left, const void *right)
{
	return ecert_slice_compare((*(EcertProductUse *const *) left)->product, (*(EcertProductUse *const *) right)->product);
}

void
ecert_use_finish(EcertUse *use)
{
	bool		known;

	convert_groups((Reading *) use);
	ecert_sort(use->products, use->count, sizeof(EcertProductUse *), compare_products);
	spread_shared(use);
	/* where something has no coefficient, no share of what is spread is known */
	known = use->attributable && !use->shared_is_missing && !(use->is_missing && ecert_number_sign(&use->shared) != 0);
	for (size_t i = 0; i < use->count; i++)
		use->products[i]->has_energy = known && !use->products[i]->is_missing;
}
