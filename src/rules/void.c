/*
 * void.c
 *		Packages whose key had ended before they were issued; see void.h.
 */
#include "rules/void.h"

#include "rules/as_of.h"
#include "rules/fields.h"

/* The times at which a node's keys ended, and the earliest of them */
static EcertKeyEnds *
read_ends(EcertRules *rules, EcertSlice node)
{
	EcertKeyEnds *ends = ecert_arena_alloc(rules->kept, sizeof *ends);
	EcertSlice	state;
	uint64_t	count;
	EcertCursor cursor;

	ends->node = ecert_arena_copy(rules->kept, node);
	ends->as_of = rules->as_of;
	ends->earliest = INT64_MAX;
	if (!ecert_node_state(rules, node, INT64_MAX, &state))
		return ends;
	cursor = ecert_cbor_items_at(state, "keys", &count);
	ends->list = ecert_arena_array(rules->kept, (size_t) count, sizeof(EcertKeyEnd));
	for (; count > 0; count--)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		EcertKeyEnd *end = &ends->list[ends->count];

		if (!ecert_field_int(item, "until", &end->until) || !ecert_field_hash(item, "kid", end->kid))
			continue;
		if (end->until < ends->earliest)
			ends->earliest = end->until;
		ends->count++;
	}
	return ends;
}

/* Remembered for the node that was asked for last: packages are looked at feed by feed */
static const EcertKeyEnds *
ends_of(EcertRules *rules, EcertSlice node)
{
	if (rules->ends == NULL || rules->ends->as_of != rules->as_of || !ecert_slice_equal(rules->ends->node, node))
		rules->ends = read_ends(rules, node);
	return rules->ends;
}

bool
ecert_is_void(EcertRules *rules, const EcertEntry *entry)
{
	const EcertKeyEnds *ends;
	EcertPackage package;

	if (ecert_slice_equal(entry->issuer, rules->view->certifier))
		return false;
	ends = ends_of(rules, entry->issuer);
	if (entry->issued_at <= ends->earliest || !rules->view->package(rules->view, entry, &package))
		return false;
	for (size_t i = 0; i < ends->count; i++)
	{
		if (entry->issued_at > ends->list[i].until && memcmp(ends->list[i].kid, package.kid.data, ECERT_HASH_SIZE) == 0)
			return true;
	}
	return false;
}
