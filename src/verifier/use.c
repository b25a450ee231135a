/*
 * use.c
 *		Sums of an applicant's packages within a period; see use.h.
 */
#include "verifier/use.h"

#include <stdlib.h>

/* Products by name while lines are read: open addressing, at most half full */
typedef struct Products
{
	ProductUse **slots;
	size_t		size;			/* a power of two */
	size_t		count;
} Products;

/* FNV-1a */
static size_t
hash_of(EcertSlice name)
{
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.size; i++)
		hash = (hash ^ name.data[i]) * UINT64_C(0x100000001b3);
	return (size_t) (hash ^ hash >> 32);
}

static ProductUse **
slot_of(const Products *products, EcertSlice name)
{
	size_t		at = hash_of(name) & (products->size - 1);

	while (products->slots[at] != NULL && !ecert_slice_equal(products->slots[at]->product, name))
		at = (at + 1) & (products->size - 1);
	return &products->slots[at];
}

static void
grow(Products *products)
{
	Products	larger = {NULL, products->size == 0 ? 64 : products->size * 2, products->count};

	larger.slots = need(calloc(larger.size, sizeof(ProductUse *)));
	for (size_t i = 0; i < products->size; i++)
	{
		if (products->slots[i] != NULL)
			*slot_of(&larger, products->slots[i]->product) = products->slots[i];
	}
	free(products->slots);
	*products = larger;
}

static ProductUse *
product_of(Products *products, EcertSlice name, Arena *arena)
{
	ProductUse **slot;

	if (products->count * 2 >= products->size)
		grow(products);
	slot = slot_of(products, name);
	if (*slot == NULL)
	{
		*slot = arena_alloc(arena, sizeof(ProductUse));
		(*slot)->product = arena_copy(arena, name);
		sum_init(&(*slot)->direct);
		sum_init(&(*slot)->qualified);
		sum_init(&(*slot)->value);
		number_init(&(*slot)->energy);
		products->count++;
	}
	return *slot;
}

static AssessCode
bad_line(Assessment *answer, uint64_t line, EcertCode code)
{
	answer->line = line;
	answer->line_code = code;
	return ASSESS_BAD_LINE;
}

/* Of the sources without coefficient the first in byte order is the one to name */
static void
note_missing(const Question *question, const EcertEnergyLine *line, Assessment *answer)
{
	int			order = answer->source.data == NULL ? -1 : ecert_slice_compare(line->source, answer->source);

	if (order > 0 || (order == 0 && ecert_slice_compare(line->unit, answer->unit) >= 0))
		return;
	answer->source = arena_copy(question->arena, line->source);
	answer->unit = arena_copy(question->arena, line->unit);
}

static AssessCode
add_energy(const Question *question, EcertSlice body, Use *use, Products *products, Assessment *answer)
{
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);

	for (uint64_t i = 1; i <= count; i++)
	{
		EcertEnergyLine line;
		EcertCode	code = ecert_energy_line_next(&cursor, &line);
		Sum		   *sum;

		if (code != ECERT_OK)
			return bad_line(answer, i, code);
		sum = line.product.size == 0 ? &use->shared : &product_of(products, line.product, question->arena)->direct;
		if (!policy_add(question->policy, line.source, line.unit, line.quantity, sum))
			note_missing(question, &line, answer);
	}
	return ASSESS_OK;
}

/* All lines of a product must agree in a text; the first one says which */
static void
agree(bool first, EcertSlice *text, bool *differ, EcertSlice found, Arena *arena)
{
	if (first)
		*text = arena_copy(arena, found);
	else if (!*differ && !ecert_slice_equal(*text, found))
	{
		*differ = true;
		*text = ecert_slice(NULL, 0);
	}
}

static AssessCode
add_products(const Question *question, EcertSlice body, Use *use, Products *products, Assessment *answer)
{
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);

	(void) use;
	for (uint64_t i = 1; i <= count; i++)
	{
		EcertProductLine line;
		EcertCode	code = ecert_product_line_next(&cursor, &line);
		ProductUse *product;

		if (code != ECERT_OK)
			return bad_line(answer, i, code);
		product = product_of(products, line.product, question->arena);
		agree(!product->made, &product->unit, &product->units_differ, line.unit, question->arena);
		agree(!product->made, &product->currency, &product->currencies_differ, line.currency, question->arena);
		product->made = true;
		sum_add(&product->qualified, &line.qualified, 1);
		if (line.has_value)
			sum_add(&product->value, &line.value, 1);
		else
			product->value_missing = true;
	}
	return ASSESS_OK;
}

static AssessCode
read_feed(const Question *question, EcertKind kind, EcertPeriod within, Use *use, Products *products, Assessment *answer)
{
	LiveWalk	walk = live_begin(applicant_timeline(question->applicant, kind), within,
								  kind == ECERT_KIND_ENERGY ? question->energy_last : question->product_last);
	const Entry *live;
	AssessCode	code = ASSESS_OK;

	while (code == ASSESS_OK && (live = live_next(&walk)) != NULL)
	{
		EcertPackage package;

		if (!ledger_read(question->ledger, live, question->buffer, &package))
			return ASSESS_UNREADABLE;
		code = kind == ECERT_KIND_ENERGY ? add_energy(question, package.body, use, products, answer) :
			add_products(question, package.body, use, products, answer);
	}
	return code == ASSESS_OK && kind == ECERT_KIND_ENERGY && answer->source.data != NULL ? ASSESS_NO_COEFFICIENT : code;
}

static int
compare_products(const void *left, const void *right)
{
	return ecert_slice_compare((*(ProductUse *const *) left)->product, (*(ProductUse *const *) right)->product);
}

/* Out of the table into a list by name */
static void
list_products(Use *use, Products *products, Arena *arena)
{
	use->products = arena_alloc(arena, (products->count + 1) * sizeof(ProductUse *));
	for (size_t i = 0; i < products->size; i++)
	{
		if (products->slots[i] != NULL)
			use->products[use->count++] = products->slots[i];
	}
	qsort(use->products, use->count, sizeof(ProductUse *), compare_products);
	free(products->slots);
}

bool
use_amount(const ProductUse *use, bool by_value, Number *amount)
{
	bool		defined = use->made && (by_value ? !use->value_missing && !use->currencies_differ : !use->units_differ);

	if (defined)
		number_set_sum(amount, by_value ? &use->value : &use->qualified);
	return defined;
}

/* The whole direct energy; and the whole value, which is 0 where values do not tell how to spread */
static void
sum_weights(const Use *use, Number *direct, Number *value)
{
	Number		one;
	bool		valued = true;

	number_init(&one);
	for (size_t i = 0; i < use->count; i++)
	{
		number_set_sum(&one, &use->products[i]->direct);
		number_add(direct, direct, &one);
		if (!use_amount(use->products[i], true, &one) || number_sign(&one) < 0 ||
			!ecert_slice_equal(use->products[i]->currency, use->products[0]->currency))
			valued = false;
		else
			number_add(value, value, &one);
	}
	if (!valued)
		number_set_int(value, 0);
	number_clear(&one);
}

/*
 * Energy declared for no product goes to the products in proportion to their
 * direct energy, where there is none to the value of their output; where there
 * is one product, all of it to that.
 */
static void
spread_shared(Use *use)
{
	Number		shared,
				direct,
				value,
				weight;

	number_init(&shared);
	number_init(&direct);
	number_init(&value);
	number_init(&weight);
	number_set_sum(&shared, &use->shared);
	sum_weights(use, &direct, &value);
	use->attributable = number_sign(&shared) == 0 || use->count == 1 || number_sign(&direct) > 0 || number_sign(&value) > 0;
	for (size_t i = 0; i < use->count && use->attributable; i++)
	{
		ProductUse *product = use->products[i];

		number_set_sum(&product->energy, &product->direct);
		if (number_sign(&shared) == 0)
			continue;
		if (use->count == 1)
			number_set_int(&weight, 1);
		else if (number_sign(&direct) > 0)
			number_divide(&weight, &product->energy, &direct);
		else if (use_amount(product, true, &weight))
			number_divide(&weight, &weight, &value);
		number_multiply(&weight, &weight, &shared);
		number_add(&product->energy, &product->energy, &weight);
	}
	number_clear(&weight);
	number_clear(&value);
	number_clear(&direct);
	number_clear(&shared);
}

AssessCode
use_read(const Question *question, EcertPeriod within, Use *use, Assessment *answer)
{
	Products	products = {NULL, 0, 0};
	AssessCode	code;

	sum_init(&use->shared);
	code = read_feed(question, ECERT_KIND_ENERGY, within, use, &products, answer);
	if (code == ASSESS_OK)
		code = read_feed(question, ECERT_KIND_PRODUCT, within, use, &products, answer);
	list_products(use, &products, question->arena);
	if (code == ASSESS_OK)
		spread_shared(use);
	return code;
}

void
use_clear(Use *use)
{
	for (size_t i = 0; i < use->count; i++)
	{
		sum_clear(&use->products[i]->direct);
		sum_clear(&use->products[i]->qualified);
		sum_clear(&use->products[i]->value);
		number_clear(&use->products[i]->energy);
	}
	sum_clear(&use->shared);
}
