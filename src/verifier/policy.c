/*
 * policy.c
 *		Coefficients, units and terms of a policy; see policy.h.
 */
#include "verifier/policy.h"

#include <stdlib.h>

static int
compare_conversions(const void *left, const void *right)
{
	const Conversion *a = left;
	const Conversion *b = right;
	int			order = ecert_slice_compare(a->name, b->name);

	return order != 0 ? order : ecert_slice_compare(a->unit, b->unit);
}

static Conversion *
read_conversions(Policy *policy, EcertSlice body, const char *list, const char *name, const char *unit, const char *factor, size_t *count)
{
	uint64_t	items;
	EcertCursor cursor = ecert_cbor_items_at(body, list, &items);
	Conversion *conversions = arena_alloc(&policy->arena, (items + 1) * sizeof(Conversion));

	for (*count = 0; *count < items; (*count)++)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);

		conversions[*count].name = ecert_cbor_text_at(item, name);
		conversions[*count].unit = ecert_cbor_text_at(item, unit);
		(void) field_decimal(item, factor, &conversions[*count].factor);
	}
	qsort(conversions, *count, sizeof(Conversion), compare_conversions);
	return conversions;
}

static int
compare_required(const void *left, const void *right)
{
	const Required *a = left;
	const Required *b = right;

	return a->role != b->role ? (a->role > b->role) - (a->role < b->role) : (a->count > b->count) - (a->count < b->count);
}

static void
read_required(Policy *policy, EcertSlice body)
{
	uint64_t	items;
	EcertCursor cursor = ecert_cbor_items_at(field_item(body, "audit"), "required", &items);

	policy->required = arena_alloc(&policy->arena, (items + 1) * sizeof(Required));
	for (policy->required_count = 0; policy->required_count < items; policy->required_count++)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		Required   *required = &policy->required[policy->required_count];

		required->role = audit_role(ecert_cbor_text_at(item, "as"));
		(void) field_int(item, "count", &required->count);
	}
	qsort(policy->required, policy->required_count, sizeof(Required), compare_required);
}

void
policy_read(Policy *policy, EcertSlice body)
{
	EcertSlice	copy = arena_copy(&policy->arena, body);
	EcertSlice	terms = field_item(copy, "certificate");

	policy->coefficients = read_conversions(policy, copy, "coefficients", "source", "unit", "kgce", &policy->coefficient_count);
	policy->units = read_conversions(policy, copy, "units", "unit", "base", "factor", &policy->unit_count);
	read_required(policy, copy);
	policy->denominator = ecert_cbor_text_at(terms, "denominator");
	policy->by_reporting = ecert_slice_equal(policy->denominator, ecert_slice_text("reporting"));
	(void) field_decimal(terms, "threshold", &policy->threshold);
	(void) field_int(terms, "valid_days", &policy->valid_days);
}

/* The place of the first that does not come before (name, unit); unit of size 0 comes before all */
static size_t
lower_bound(const Conversion *conversions, size_t count, EcertSlice name, EcertSlice unit)
{
	Conversion	wanted = {name, unit, {0, 0}};
	size_t		low = 0;

	while (low < count)
	{
		size_t		middle = low + (count - low) / 2;

		if (compare_conversions(&conversions[middle], &wanted) < 0)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* A contradictory policy may have two; SQL's join adds both */
static bool
add_direct(const Policy *policy, EcertSlice source, EcertSlice unit, const EcertDecimal *quantity, size_t factors, Sum *sum)
{
	bool		found = false;

	for (size_t i = lower_bound(policy->coefficients, policy->coefficient_count, source, unit);
		 i < policy->coefficient_count && ecert_slice_equal(policy->coefficients[i].name, source) &&
		 ecert_slice_equal(policy->coefficients[i].unit, unit); i++)
	{
		EcertDecimal all[SUM_FACTORS];

		memcpy(all, quantity, factors * sizeof(EcertDecimal));
		all[factors] = policy->coefficients[i].factor;
		sum_add(sum, all, factors + 1);
		found = true;
	}
	return found;
}

bool
policy_add(const Policy *policy, EcertSlice source, EcertSlice unit, EcertDecimal quantity, Sum *sum)
{
	EcertDecimal factors[2] = {quantity, {0, 0}};
	bool		found = add_direct(policy, source, unit, factors, 1, sum);

	for (size_t i = lower_bound(policy->units, policy->unit_count, unit, ecert_slice(NULL, 0));
		 i < policy->unit_count && ecert_slice_equal(policy->units[i].name, unit); i++)
	{
		factors[1] = policy->units[i].factor;
		if (add_direct(policy, source, policy->units[i].unit, factors, 2, sum))
			found = true;
	}
	return found;
}
