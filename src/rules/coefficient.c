/*
 * coefficient.c
 *		The coefficients and units of a policy; see coefficient.h.
 *
 * A unit is looked up after a coefficient, instead of one table with every
 * multiple of every coefficient: a policy of 65,535 bytes has room for a
 * million of those.
 */
#include "rules/coefficient.h"

#include "rules/fields.h"
#include "rules/table.h"

/* What a unit is worth: kgce of a source, or so many of a base unit */
typedef struct Worth
{
	EcertSlice	unit;
	EcertSlice	of;				/* source or base */
	EcertDecimal number;
	struct Worth *next;			/* found by the same texts, behind it in the body */
} Worth;

struct EcertCoefficients
{
	EcertTable	direct;			/* by source and unit */
	EcertTable	multiples;		/* by unit */
};

static void
read_worths(EcertTable *table, EcertSlice policy, const char *list, const char *of, const char *number, bool by_source)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(policy, list, &count);

	while (count-- > 0)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		Worth		read = {ecert_cbor_text_at(item, "unit"), ecert_cbor_text_at(item, of), {0, 0}, NULL};
		EcertSlice	first = by_source ? read.of : read.unit;
		EcertSlice	second = by_source ? read.unit : ECERT_NO_TEXT;
		Worth	   *before;
		Worth	   *worth;

		if (read.unit.size == 0 || read.of.size == 0 || !ecert_field_decimal(item, number, &read.number))
			continue;
		worth = ecert_arena_alloc(table->arena, sizeof *worth);
		*worth = read;
		before = ecert_table_find(table, first, second, ECERT_NO_TEXT);
		if (before == NULL)
			ecert_table_put(table, first, second, ECERT_NO_TEXT, worth);
		while (before != NULL && before->next != NULL)
			before = before->next;
		if (before != NULL)
			before->next = worth;
	}
}

EcertCoefficients *
ecert_coefficients_new(EcertArena *arena, EcertSlice policy)
{
	EcertCoefficients *coefficients = ecert_arena_alloc(arena, sizeof *coefficients);

	coefficients->direct.arena = coefficients->multiples.arena = arena;
	read_worths(&coefficients->direct, policy, "coefficients", "source", "kgce", true);
	read_worths(&coefficients->multiples, policy, "units", "base", "factor", false);
	return coefficients;
}

bool
ecert_coefficient_find(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit, EcertCoefficient *found)
{
	const Worth *direct = ecert_table_find(&coefficients->direct, source, unit, ECERT_NO_TEXT);

	if (direct != NULL)
	{
		*found = (EcertCoefficient) {direct->of, direct->unit, direct->number, {1, 0}};
		return true;
	}
	for (const Worth *multiple = ecert_table_find(&coefficients->multiples, unit, ECERT_NO_TEXT, ECERT_NO_TEXT); multiple != NULL;
		 multiple = multiple->next)
	{
		direct = ecert_table_find(&coefficients->direct, source, multiple->of, ECERT_NO_TEXT);
		if (direct != NULL)
		{
			*found = (EcertCoefficient) {direct->of, multiple->unit, direct->number, multiple->number};
			return true;
		}
	}
	return false;
}

size_t
ecert_coefficient_ways(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit)
{
	size_t		ways = ecert_table_find(&coefficients->direct, source, unit, ECERT_NO_TEXT) != NULL;

	for (const Worth *multiple = ecert_table_find(&coefficients->multiples, unit, ECERT_NO_TEXT, ECERT_NO_TEXT); multiple != NULL;
		 multiple = multiple->next)
		ways += ecert_table_find(&coefficients->direct, source, multiple->of, ECERT_NO_TEXT) != NULL;
	return ways;
}

void
ecert_coefficient_multiply(EcertNumber *kgce, const EcertNumber *quantity, const EcertCoefficient *coefficient)
{
	EcertNumber factor;

	ecert_number_set_decimal(&factor, coefficient->kgce);
	ecert_number_multiply(kgce, quantity, &factor);
	if (coefficient->factor.mantissa == 1 && coefficient->factor.exponent == 0)
		return;
	ecert_number_set_decimal(&factor, coefficient->factor);
	ecert_number_multiply(kgce, kgce, &factor);
}
