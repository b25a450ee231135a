/*
 * point.c
 *		The rule of kind point: a package lists a metering point once, none takes
 *		its own place, and none is out of service before it is in it.
 */
#include "rules/fields.h"
#include "rules/rules.h"

/* What one entry says of its point */
static bool
check_entry(EcertCase *it, EcertSlice entry)
{
	EcertSlice	point = ecert_cbor_text_at(entry, "point");
	int64_t		from = 0;
	int64_t		to = 0;

	(void) ecert_field_int(entry, "from", &from);
	if (ecert_field_int(entry, "to", &to) && to <= from)
		return ECERT_FIND(it->finding, ECERT_POINT_SERVICE, ecert_a_text(point), ecert_a_time(from), ecert_a_time(to));
	if (ecert_slice_equal(ecert_cbor_text_at(entry, "replaces"), point))
		return ECERT_FIND(it->finding, ECERT_POINT_REPLACES_ITSELF, ecert_a_text(point));
	return true;
}

bool
ecert_rule_point(EcertCase *it)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(it->package->body, "points", &count);
	EcertSlice *names = ecert_arena_array(it->rules->arena, (size_t) count, sizeof *names);
	const EcertSlice *twice;

	for (size_t i = 0; i < count; i++)
	{
		EcertSlice	entry = ecert_cbor_skip(&cursor);

		if (!check_entry(it, entry))
			return false;
		names[i] = ecert_cbor_text_at(entry, "point");
	}
	twice = ecert_find_twice(names, (size_t) count);
	return twice == NULL || ECERT_FIND(it->finding, ECERT_POINT_TWICE, ecert_a_text(*twice));
}
