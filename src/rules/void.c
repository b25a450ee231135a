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

/* Does a node package say that a key ended before that time? */
static bool
ends_key(EcertRules *rules, const EcertEntry *node, const uint8_t *kid, int64_t issued_at)
{
	EcertPackage package;
	EcertCursor cursor;
	uint64_t	count;

	if (!rules->view->package(rules->view, node, &package))
		return false;
	for (cursor = ecert_node_keys(node->kind, package.body, &count); count > 0; count--)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		uint8_t		other[ECERT_HASH_SIZE];
		int64_t		until;

		if (ecert_field_int(item, "until", &until) && issued_at > until && ecert_field_hash(item, "kid", other) &&
			memcmp(other, kid, sizeof other) == 0)
			return true;
	}
	return false;
}

bool
ecert_voided_by(EcertRules *rules, const EcertEntry *entry, EcertEntry *said)
{
	EcertView  *view = rules->view;
	EcertPackage package;
	EcertEntries nodes;
	uint8_t		kid[ECERT_HASH_SIZE];
	bool		found = false;

	if (!ecert_is_void(rules, entry) || !view->package(view, entry, &package))
		return false;
	memcpy(kid, package.kid.data, sizeof kid);
	nodes = ecert_about(view, rules->arena, entry->issuer, ECERT_KIND_NODE, ECERT_ALL_TIME);
	for (size_t i = 0; i < nodes.count; i++)
	{
		const EcertEntry *node = &nodes.list[i];

		if ((found && node->seq >= said->seq) || !ecert_is_in_force(rules, node) || !ends_key(rules, node, kid, entry->issued_at))
			continue;
		*said = *node;
		found = true;
	}
	return found;
}
