/*
 * node.c
 *		The rules of kinds genesis, node and relation, a node's state, and what
 *		a package names.
 */
#include "rules/as_of.h"
#include "rules/fields.h"

#include <stdlib.h>

/* The genesis package enrols the certifier */
static bool
genesis_state(EcertRules *rules, EcertSlice node, EcertSlice *state)
{
	EcertView  *view = rules->view;
	EcertEntry	entry;
	EcertPackage package;

	if (!ecert_slice_equal(node, view->certifier) || !view->by_hash(view, rules->arena, view->genesis_hash, &entry) ||
		!view->package(view, &entry, &package))
		return false;
	*state = ecert_arena_copy(rules->arena, ecert_field_item(package.body, "node"));
	return true;
}

bool
ecert_node_state(EcertRules *rules, EcertSlice node, int64_t before, EcertSlice *state)
{
	EcertView  *view = rules->view;
	EcertEntries entries = ecert_about(view, rules->arena, node, ECERT_KIND_NODE, ECERT_ALL_TIME);
	const EcertEntry *newest = NULL;
	EcertPackage package;

	for (size_t i = 0; i < entries.count; i++)
	{
		const EcertEntry *entry = &entries.list[i];

		if (entry->seq < before && (newest == NULL || entry->seq > newest->seq) && ecert_is_in_force(rules, entry))
			newest = entry;
	}
	if (newest == NULL)
		return genesis_state(rules, node, state);
	if (!view->package(view, newest, &package))
		return false;
	*state = ecert_arena_copy(rules->arena, package.body);
	return true;
}

static int
compare_roles(const void *left, const void *right)
{
	const EcertRoles *a = left;
	const EcertRoles *b = right;

	return (a->seq > b->seq) - (a->seq < b->seq);
}

static void
put_roles(EcertRoleHistory *history, const EcertEntry *entry, EcertSlice body)
{
	history->list[history->count++] = (EcertRoles) {
		entry->kind == ECERT_KIND_GENESIS ? -1 : entry->seq, entry->issued_at, ecert_node_facts(body).roles
	};
}

int
ecert_node_roles(EcertRules *rules, EcertSlice node, int64_t at)
{
	EcertView  *view = rules->view;
	EcertEntries entries = ecert_about(view, rules->arena, node, ECERT_KIND_NODE, ECERT_ALL_TIME);
	EcertRoleHistory history = {ecert_arena_array(rules->arena, entries.count + 1, sizeof(EcertRoles)), 0};
	EcertEntry	genesis;
	EcertPackage package;

	/* the genesis package enrols the certifier */
	if (ecert_slice_equal(node, view->certifier) && view->by_hash(view, rules->arena, view->genesis_hash, &genesis) &&
		view->package(view, &genesis, &package))
		put_roles(&history, &genesis, ecert_field_item(package.body, "node"));
	for (size_t i = 0; i < entries.count; i++)
	{
		if (ecert_is_in_force(rules, &entries.list[i]) && view->package(view, &entries.list[i], &package))
			put_roles(&history, &entries.list[i], package.body);
	}
	ecert_sort(history.list, history.count, sizeof(EcertRoles), compare_roles);
	return ecert_roles_at(&history, at);
}

bool
ecert_find_named(const EcertCase *it, const char *key, EcertKind kind, EcertEntry *found)
{
	EcertView  *view = it->rules->view;
	uint8_t		hash[ECERT_HASH_SIZE];

	return ecert_field_hash(it->package->body, key, hash) && view->by_hash(view, it->rules->arena, hash, found) && found->kind == kind;
}

/* Is a key of the history, in a later list, the same key, with its end in place or earlier */
static bool
is_carried_on(EcertSlice key, EcertSlice later)
{
	static const char *const fixed[] = {"use", "kid", "public", "effective"};
	int64_t		until,
				later_until;

	if (ecert_field_alg(key) != ecert_field_alg(later))
		return false;
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
	{
		if (!ecert_slice_equal(ecert_field_item(key, fixed[i]), ecert_field_item(later, fixed[i])))
			return false;
	}
	return !ecert_field_int(key, "until", &until) || (ecert_field_int(later, "until", &later_until) && later_until <= until);
}

static bool
has_key(EcertSlice body, EcertSlice key)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", &count);

	while (count-- > 0)
	{
		if (is_carried_on(key, ecert_cbor_skip(&cursor)))
			return true;
	}
	return false;
}

/* The kid of the first earlier key that is not carried on; of size 0: none */
static EcertSlice
lost_key(EcertSlice state, EcertSlice body)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(state, "keys", &count);

	while (count-- > 0)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);

		if (!has_key(body, key))
			return ecert_cbor_text_at(key, "kid");
	}
	return ecert_slice(NULL, 0);
}

bool
ecert_check_keys_differ(const EcertPackage *package, EcertArena *arena, EcertFinding *finding)
{
	uint64_t	count;
	EcertCursor cursor = ecert_node_keys(package->kind, package->body, &count);
	EcertSlice *kids = ecert_arena_array(arena, (size_t) count, sizeof(EcertSlice));
	const EcertSlice *twice;

	for (uint64_t i = 0; i < count; i++)
		kids[i] = ecert_cbor_text_at(ecert_cbor_skip(&cursor), "kid");
	twice = ecert_find_twice(kids, (size_t) count);
	return twice == NULL ||
		ECERT_FIND(finding, ECERT_KEY_TWICE, ecert_a_text(package->kind == ECERT_KIND_GENESIS ? package->issuer : package->subject),
				   ecert_a_text(*twice));
}

/* The key of that kid in a node's state; of size 0: it has none */
static EcertSlice
find_key(EcertSlice state, EcertSlice kid)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(state, "keys", &count);

	while (count-- > 0)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);

		if (ecert_slice_equal(ecert_cbor_text_at(key, "kid"), kid))
			return key;
	}
	return ecert_slice(NULL, 0);
}

/* One public key belongs to one node: no key that the node did not have is another's */
static bool
check_keys_own(EcertCase *it, EcertSlice node, EcertSlice state)
{
	EcertView  *view = it->rules->view;
	uint64_t	count;
	EcertCursor cursor = ecert_node_keys(ECERT_KIND_NODE, it->package->body, &count);
	EcertSlice	holder;

	while (count-- > 0)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);
		EcertSlice	text = ecert_cbor_text_at(key, "kid");
		uint8_t		kid[ECERT_HASH_SIZE];

		if (find_key(state, text).size == 0 && ecert_field_hash(key, "kid", kid) &&
			view->holder(view, it->rules->arena, ecert_slice(kid, sizeof kid), node, it->package->seq, &holder))
			return ECERT_FIND(it->finding, ECERT_KEY_TAKEN, ecert_a_text(node), ecert_a_text(holder), ecert_a_text(text));
	}
	return true;
}

/* Had a key that end in the package before? */
static bool
had_end(EcertSlice state, EcertSlice kid, int64_t until)
{
	int64_t		before;

	return ecert_field_int(find_key(state, kid), "until", &before) && before == until;
}

/* A revocation ends every key by its effective time; and no package ends a key of the certifier before it was issued */
static bool
check_ends(EcertCase *it, EcertSlice node, EcertSlice state)
{
	EcertSlice	body = it->package->body;
	EcertNodeFacts facts = ecert_node_facts(body);
	bool		is_certifier = ecert_slice_equal(node, it->rules->view->certifier);
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", &count);

	while (count-- > 0)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);
		EcertSlice	kid = ecert_cbor_text_at(key, "kid");
		int64_t		until;

		/* which a key without an end leaves 0 */
		if (!ecert_field_int(key, "until", &until))
			until = INT64_MAX;
		if (until > facts.revoked_at)
			return ECERT_FIND(it->finding, ECERT_KEY_OUTLIVES, ecert_a_text(node), ecert_a_text(kid), ecert_a_time(facts.revoked_at));
		/* ends of before are carried on */
		if (is_certifier && until < it->package->issued_at && !had_end(state, kid, until))
			return ECERT_FIND(it->finding, ECERT_CERTIFIER_KEY_END, ecert_a_text(kid), ecert_a_time(until), ecert_a_time(it->package->issued_at));
	}
	return true;
}

bool
ecert_rule_node(EcertCase *it)
{
	EcertSlice	body = it->package->body;
	EcertSlice	node = ecert_cbor_text_at(body, "node");
	EcertSlice	state = {NULL, 0};
	EcertSlice	lost = {NULL, 0};

	if (ecert_node_state(it->rules, node, it->package->seq, &state))
		lost = lost_key(state, body);
	if (lost.size > 0)
		return ECERT_FIND(it->finding, ECERT_KEY_HISTORY, ecert_a_text(node), ecert_a_text(lost));
	if (ecert_slice_equal(node, it->rules->view->certifier) && !ecert_field_has(body, "roles", "certifier"))
		return ECERT_FIND_PLAIN(it->finding, ECERT_CERTIFIER_ROLE);
	return ecert_check_keys_differ(it->package, it->rules->arena, it->finding) && check_ends(it, node, state) && check_keys_own(it, node, state);
}

bool
ecert_rule_genesis(EcertCase *it)
{
	return ecert_check_keys_differ(it->package, it->rules->arena, it->finding) && ecert_rule_policy(it);
}

bool
ecert_rule_relation(EcertCase *it)
{
	static const int roles[] = {ECERT_ROLE_AUDITOR, ECERT_ROLE_APPLICANT};
	static const char *const names[] = {"auditor", "applicant"};
	EcertSlice	body = it->package->body;
	EcertSlice	nodes[2] = {ecert_cbor_text_at(body, names[0]), ecert_cbor_text_at(body, names[1])};
	int64_t		from,
				to;

	if (ecert_slice_equal(nodes[0], nodes[1]))
		return ECERT_FIND(it->finding, ECERT_SELF_AUDIT, ecert_a_text(nodes[0]));
	if (ecert_field_int(body, "to", &to) && ecert_field_int(body, "from", &from) && to <= from)
		return ECERT_FIND_PLAIN(it->finding, ECERT_RELATION_PERIOD);
	for (size_t i = 0; i < 2; i++)
	{
		if ((ecert_node_roles(it->rules, nodes[i], it->package->issued_at) & roles[i]) == 0)
			return ECERT_FIND(it->finding, ECERT_NOT_ENROLLED, ecert_a_text(nodes[i]), ecert_a_word(names[i]));
	}
	return true;
}
