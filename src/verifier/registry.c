/*
 * registry.c
 *		Who may sign what, and with which key: the genesis package, and then the
 *		certifier's node packages in their order, each judged under the state
 *		that those before it made.  So a forged one cannot vouch for itself.
 */
#include "verifier/verifier.h"

/* Read all keys of a node body before any counts; false, with nothing kept, when one is unusable, which is written down */
static bool
read_keys(Ledger *ledger, const Entry *entry, EcertCursor cursor, Key *keys, uint64_t count)
{
	EcertFinding finding;

	for (uint64_t i = 0; i < count; i++)
	{
		keys[i].ended_by = -1;
		if (ecert_key_facts(ecert_cbor_skip(&cursor), &keys[i].facts, &keys[i].prepared, &finding))
		{
			keys[i].facts.since = entry->kind == ECERT_KIND_NODE ? entry->seq : -1;
			continue;
		}
		ledger_finding(ledger, entry, &finding, &ledger->memory);
		while (i-- > 0)
			ecert_public_key_free(keys[i].prepared);
		return false;
	}
	return true;
}

/* The node's key of before with that kid, whose state a body replaces, or else a new one with the next number */
static Key *
keep_key(Ledger *ledger, Key *known, Key *key)
{
	Registry   *registry = &ledger->registry;
	EcertArena *arena = arena_memory(&ledger->memory);

	if (known != NULL)
	{
		ecert_public_key_free(key->prepared);
		key->facts.since = known->facts.since;
		known->facts = key->facts;
		return known;
	}
	registry->keys = ecert_arena_grow(arena, registry->keys, registry->key_count, &registry->key_room, sizeof *registry->keys);
	known = registry->keys[registry->key_count] = ecert_arena_alloc(arena, sizeof *known);
	*known = *key;
	known->number = registry->key_count++;
	return known;
}

/* Behind the roles of before those that a package gives; the list is the one of before, as long as it has room */
static void
add_roles(Ledger *ledger, const Entry *entry, const Node *before, Node *node)
{
	EcertRoleHistory *history = &node->history;

	if (before != NULL)
	{
		*history = before->history;
		node->history_room = before->history_room;
	}
	history->list = ecert_arena_grow(arena_memory(&ledger->memory), history->list, history->count, &node->history_room, sizeof *history->list);
	history->list[history->count++] = (EcertRoles) {entry->kind == ECERT_KIND_NODE ? entry->seq : -1, entry->issued_at, node->facts.roles};
}

/* Put a node body (its own package's, or the one inside genesis) in place of what was known */
static bool
apply_node(Ledger *ledger, const Entry *entry, EcertSlice body, uint32_t number)
{
	const Node *before = ledger->registry.nodes[number];
	Node	   *node = ecert_arena_alloc(arena_memory(&ledger->memory), sizeof *node);
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", &count);
	Key		   *keys = need(calloc(count + 1, sizeof *keys));
	bool		usable = read_keys(ledger, entry, cursor, keys, count);

	node->facts = ecert_node_facts(body);
	add_roles(ledger, entry, before, node);
	node->keys = ecert_arena_array(arena_memory(&ledger->memory), count, sizeof *node->keys);
	for (uint64_t i = 0; usable && i < count; i++)
	{
		Key		   *key;

		/* a kid that is listed twice counts as it is listed first */
		if (node_key(node, keys[i].facts.kid) != NULL)
		{
			ecert_public_key_free(keys[i].prepared);
			continue;
		}
		key = node->keys[node->key_count++] = keep_key(ledger, node_key(before, keys[i].facts.kid), &keys[i]);
		if (key->facts.until == INT64_MAX && node->facts.revoked_at == INT64_MAX)
			key->ended_by = -1;
		else if (key->ended_by < 0)
			key->ended_by = entry->kind == ECERT_KIND_NODE ? entry->seq : -1;
	}
	if (usable)
		ledger->registry.nodes[number] = node;
	free(keys);
	return usable;
}

/* The genesis package makes the ledger's identity and its certifier */
static bool
apply_genesis(Ledger *ledger, const Entry *entry, const EcertPackage *package)
{
	Registry   *registry = &ledger->registry;
	EcertFinding finding;
	EcertSlice	node;

	if (!ecert_check_genesis(package, &finding))
	{
		ledger_finding(ledger, entry, &finding, &ledger->memory);
		return false;
	}
	(void) ecert_cbor_find(package->body, "node", &node);
	if (!apply_node(ledger, entry, node, entry->issuer))
		return false;
	memcpy(registry->genesis_hash, entry->hash, ECERT_HASH_SIZE);
	/* the subject of genesis is its origin, or else it is refused; so that text is interned */
	registry->origin = ecert_slice_equal(package->audience, package->subject) ? ledger_id_text(ledger, entry->subject) : ecert_slice(NULL, 0);
	registry->certifier = entry->issuer;
	registry->genesis = entry;
	registry->has_genesis = true;
	return true;
}

/* Forget what a genesis package brought that turned out to be unsound */
static void
forget_genesis(Registry *registry)
{
	registry->nodes[registry->certifier] = NULL;
	registry->origin = ecert_slice(NULL, 0);
	registry->certifier = NO_ID;
	registry->genesis = NULL;
	registry->has_genesis = false;
}

/* Judge a genesis package by the keys that it brings itself */
static void
take_genesis(Judge *judge, Entry *entry)
{
	Ledger	   *ledger = judge->ledger;
	EcertPackage package;

	entry->flags |= ENTRY_IN_REGISTRY;
	if (!reader_get(&judge->reader, entry, &package))
		return;
	if (!judge_body(ledger, entry, &package) || !apply_genesis(ledger, entry, &package))
		entry->flags |= ENTRY_UNSOUND;
	else if (!judge_package(judge, entry, &package))
		forget_genesis(&ledger->registry);
}

/* A second one: the same again, or one that makes another ledger */
static void
refuse_genesis(Ledger *ledger, Entry *entry)
{
	entry->flags |= ENTRY_UNSOUND | ENTRY_IN_REGISTRY;
	if (ledger->registry.has_genesis && memcmp(entry->hash, ledger->registry.genesis_hash, ECERT_HASH_SIZE) == 0)
		ledger_problem(ledger, entry, "package is on the ledger already");
	else if (ledger->registry.has_genesis)
		ledger_problem(ledger, entry, "this ledger has its genesis package already (Its origin is \"%.*s\".)", TEXT(ledger->registry.origin));
	else
		ledger_problem(ledger, entry, "genesis package is not the one that was named (%s)", HEX(ledger->options->genesis));
}

/* The first that is sound and, where the reader named one, is that: of what does not fit what he trusts nothing is derived */
static void
find_genesis(Judge *judge)
{
	Ledger	   *ledger = judge->ledger;
	const uint8_t *trusted = ledger->options->genesis;

	for (Feed *feed = NULL; (feed = ledger_next_feed(ledger, ECERT_KIND_GENESIS, feed)) != NULL;)
	{
		for (uint32_t i = 0; i < feed->count && !ledger->registry.has_genesis; i++)
		{
			if (trusted == NULL || memcmp(trusted, feed->entries[i].hash, ECERT_HASH_SIZE) == 0)
				take_genesis(judge, &feed->entries[i]);
		}
	}
	for (Feed *feed = NULL; (feed = ledger_next_feed(ledger, ECERT_KIND_GENESIS, feed)) != NULL;)
	{
		for (uint32_t i = 0; i < feed->count; i++)
		{
			if ((feed->entries[i].flags & ENTRY_IN_REGISTRY) == 0)
				refuse_genesis(ledger, &feed->entries[i]);
		}
	}
}

/* Judge a node package by those before it; false, when it does not count */
static bool
judge_node(Judge *judge, FeedWalk *walk, Entry *entry, const EcertPackage *package)
{
	Ledger	   *ledger = judge->ledger;
	bool		is_readable = judge_body(ledger, entry, package);
	bool		sound = judge_package(judge, entry, package) && is_readable;

	arena_reset(&judge->rules->arena);
	sound = walk_step(ledger, walk, entry) && sound;
	/* a body that says nothing to judge has its own finding */
	return (!is_readable || ledger_rule(judge->rules, ledger, entry, package)) && sound;
}

/* The certifier's node packages, in their order */
static void
take_nodes(Judge *judge)
{
	Ledger	   *ledger = judge->ledger;
	Feed	   *feed = ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_NODE);
	FeedWalk	walk = {NULL, NULL, 0, 0};

	for (uint32_t i = 0; i < feed->count; i++)
	{
		Entry	   *entry = &feed->entries[i];
		EcertPackage package;

		entry->flags |= ENTRY_IN_REGISTRY;
		atomic_fetch_add(&ledger->done, 1);
		if (reader_get(&judge->reader, entry, &package) && judge_node(judge, &walk, entry, &package) &&
			apply_node(ledger, entry, package.body, entry->subject))
			view_index_put_keys(ledger->index, entry, &package);
		else
			entry->flags |= ENTRY_FALSE;
	}
}

/* The registry as genesis alone makes it, and then what node packages say */
static void
follow_nodes(Judge *judge)
{
	Ledger	   *ledger = judge->ledger;
	EcertPackage package;

	ledger->index = need(calloc(1, sizeof *ledger->index));
	view_index_open(ledger->index, ledger);
	if (reader_get(&judge->reader, ledger->registry.genesis, &package))
		view_index_put_keys(ledger->index, ledger->registry.genesis, &package);
	judge->rules = ledger_rules_new(ledger, ledger->index);
	take_nodes(judge);
	ledger_rules_free(judge->rules);
}

void
registry_build(Ledger *ledger)
{
	Judge	   *judge = need(calloc(1, sizeof *judge));

	judge->reader.ledger = judge->ledger = ledger;
	ledger->registry.nodes = ecert_arena_array(arena_memory(&ledger->memory), ledger->ids.count, sizeof *ledger->registry.nodes);
	find_genesis(judge);
	if (ledger->registry.has_genesis)
		follow_nodes(judge);
	else
	{
		ledger_problem(ledger, NULL, "the ledger has no sound genesis package: nothing on it can be verified");
		if (ledger_next_feed(ledger, ECERT_KIND_GENESIS, NULL) == NULL)
			ledger_error(ledger, "there is no genesis package in what was read");
	}
	free(judge);
}
