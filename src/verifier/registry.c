/*
 * registry.c
 *		Who may sign what, and with which key: the genesis package, and then the
 *		certifier's node packages in their order, each judged under the state
 *		that those before it made.  So a forged one cannot vouch for itself.
 */
#include "verifier/view.h"

/* One entry of "keys" of a checked body; key->prepared is made */
static bool
read_key(Ledger *ledger, const Entry *entry, EcertSlice item, Key *key)
{
	EcertFinding finding;
	Arena		arena = {0};

	memset(key, 0, sizeof *key);
	key->ended_by = -1;
	if (ecert_key_facts(item, &key->facts, &key->prepared, &finding))
		return true;
	ledger_finding(ledger, entry, &finding, &arena);
	arena_reset(&arena);
	return false;
}

/* Give a key its number: that of the node's same key, whose state it replaces, or a new one */
static uint32_t
keep_key(Registry *registry, const Node *before, Key *key)
{
	for (uint32_t i = 0; before != NULL && i < before->key_count; i++)
	{
		Key		   *known = registry->keys[before->keys[i]];

		if (memcmp(known->facts.kid, key->facts.kid, ECERT_HASH_SIZE) == 0)
		{
			ecert_public_key_free(key->prepared);
			key->prepared = known->prepared;
			key->ended_by = known->ended_by;
			*known = *key;
			return before->keys[i];
		}
	}
	if (registry->key_count == registry->key_room)
	{
		registry->key_room = registry->key_room == 0 ? 256 : registry->key_room * 2;
		registry->keys = need(realloc(registry->keys, registry->key_room * sizeof *registry->keys));
	}
	registry->keys[registry->key_count] = need(malloc(sizeof *key));
	*registry->keys[registry->key_count] = *key;
	return registry->key_count++;
}

/* A kid that is listed twice counts as it is listed first */
static bool
is_listed(const Registry *registry, const Node *node, const Key *key)
{
	for (uint32_t i = 0; i < node->key_count; i++)
	{
		if (memcmp(registry->keys[node->keys[i]]->facts.kid, key->facts.kid, ECERT_HASH_SIZE) == 0)
			return true;
	}
	return false;
}

/* Read all keys of a node body before any counts; false, with nothing kept, when one is unusable */
static bool
read_keys(Ledger *ledger, const Entry *entry, EcertSlice body, Key **keys, uint64_t *count)
{
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", count);

	*keys = need(calloc(*count + 1, sizeof **keys));
	for (uint64_t i = 0; i < *count; i++)
	{
		if (read_key(ledger, entry, ecert_cbor_skip(&cursor), &(*keys)[i]))
			continue;
		while (i-- > 0)
			ecert_public_key_free((*keys)[i].prepared);
		free(*keys);
		return false;
	}
	return true;
}

/* Put the keys of a node body in place of those before; the node's state is filled in by the caller */
static void
keep_keys(Registry *registry, Node *node, const Node *before, uint32_t number, int64_t seq, Key *keys, uint64_t count)
{
	node->keys = need(malloc((size_t) (count + 1) * sizeof *node->keys));
	for (uint64_t i = 0; i < count; i++)
	{
		Key		   *key;

		keys[i].node = number;
		if (is_listed(registry, node, &keys[i]))
		{
			ecert_public_key_free(keys[i].prepared);
			continue;
		}
		node->keys[node->key_count] = keep_key(registry, before, &keys[i]);
		key = registry->keys[node->keys[node->key_count++]];
		if (key->facts.until == INT64_MAX && node->facts.revoked_at == INT64_MAX)
			key->ended_by = -1;
		else if (key->ended_by < 0)
			key->ended_by = seq;
	}
}

/* Put a node body (its own package's, or the one inside genesis) in place of what was known */
static bool
apply_node(Ledger *ledger, const Entry *entry, EcertSlice body, uint32_t number)
{
	Registry   *registry = &ledger->registry;
	Node	   *before = registry->nodes[number];
	Node	   *node;
	Key		   *keys;
	uint64_t	count;

	if (!read_keys(ledger, entry, body, &keys, &count))
		return false;
	node = need(calloc(1, sizeof *node));
	node->facts = ecert_node_facts(body);
	keep_keys(registry, node, before, number, entry->kind == ECERT_KIND_NODE ? entry->seq : -1, keys, count);
	free(keys);
	if (before != NULL)
		free(before->keys);
	free(before);
	registry->nodes[number] = node;
	return true;
}

/* The genesis package makes the ledger's identity and its certifier */
static bool
apply_genesis(Ledger *ledger, const Entry *entry, const EcertPackage *package)
{
	Registry   *registry = &ledger->registry;
	EcertFinding finding;
	EcertSlice	node;
	Arena		arena = {0};

	if (!ecert_check_genesis(package, &finding))
	{
		ledger_finding(ledger, entry, &finding, &arena);
		arena_reset(&arena);
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
	Node	   *node = registry->nodes[registry->certifier];

	free(node->keys);
	free(node);
	registry->nodes[registry->certifier] = NULL;
	registry->has_genesis = false;
	registry->genesis = NULL;
}

/* Judge a genesis package by the keys that it brings itself */
static bool
take_genesis(Judge *judge, Entry *entry)
{
	Ledger	   *ledger = judge->ledger;
	EcertPackage package;

	entry->flags |= ENTRY_IN_REGISTRY;
	if (!reader_get(&judge->reader, entry, &package))
		return false;
	if (!judge_body(ledger, entry, &package) || !apply_genesis(ledger, entry, &package))
	{
		entry->flags |= ENTRY_UNSOUND;
		return false;
	}
	if (judge_package(judge, entry, &package))
		return true;
	forget_genesis(&ledger->registry);
	return false;
}

/* Of what does not fit what the reader trusts nothing is derived */
static bool
is_trusted_genesis(Ledger *ledger, const Entry *entry)
{
	uint8_t		trusted[ECERT_HASH_SIZE];

	return ledger->options->genesis == NULL ||
		(ecert_hex_to_hash(ecert_slice_text(ledger->options->genesis), trusted) && memcmp(trusted, entry->hash, ECERT_HASH_SIZE) == 0);
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
		ledger_problem(ledger, entry, "genesis package is not the one that was named (%s)", ledger->options->genesis);
}

static size_t
find_genesis(Judge *judge)
{
	Ledger	   *ledger = judge->ledger;
	size_t		place = 0;
	size_t		found = 0;
	size_t		count;
	const Entry *feed;

	while ((feed = ledger_next_feed(ledger, ECERT_KIND_GENESIS, &place, &count)) != NULL)
	{
		found += count;
		for (size_t i = 0; i < count; i++)
		{
			Entry	   *entry = ledger->entries + (feed - ledger->entries) + i;

			if (!ledger->registry.has_genesis && is_trusted_genesis(ledger, entry))
				(void) take_genesis(judge, entry);
		}
	}
	for (place = 0; (feed = ledger_next_feed(ledger, ECERT_KIND_GENESIS, &place, &count)) != NULL;)
	{
		for (size_t i = 0; i < count; i++)
		{
			if ((feed[i].flags & ENTRY_IN_REGISTRY) == 0)
				refuse_genesis(ledger, ledger->entries + (feed - ledger->entries) + i);
		}
	}
	return found;
}

/* The certifier's node packages, in their order */
static void
take_nodes(Judge *judge)
{
	Ledger	   *ledger = judge->ledger;
	const Feed *feed = ledger_feed_place(ledger, ledger->registry.certifier, ECERT_KIND_NODE);
	FeedWalk	walk = {NULL, NULL, 0, 0};

	for (uint32_t i = 0; feed != NULL && i < feed->count; i++)
	{
		Entry	   *entry = &ledger->entries[feed->first + i];
		EcertPackage package;
		bool		sound;

		entry->flags |= ENTRY_IN_REGISTRY;
		atomic_fetch_add(&ledger->progress.done, 1);
		if (!reader_get(&judge->reader, entry, &package))
			continue;
		sound = judge_body(ledger, entry, &package);
		sound = judge_package(judge, entry, &package) && sound;
		sound = walk_step(ledger, &walk, entry) && sound;
		if (sound && !apply_node(ledger, entry, package.body, entry->subject))
			entry->flags |= ENTRY_UNSOUND;
	}
}

void
registry_build(Ledger *ledger)
{
	Judge	   *judge = need(calloc(1, sizeof *judge));
	size_t		found;

	judge->ledger = ledger;
	judge->reader.ledger = ledger;
	ledger->registry.certifier = NO_ID;
	ledger->registry.nodes = need(calloc((size_t) ledger->ids.count + 1, sizeof *ledger->registry.nodes));
	found = find_genesis(judge);
	if (ledger->registry.has_genesis)
		take_nodes(judge);
	else
	{
		ledger_problem(ledger, NULL, "the ledger has no sound genesis package: nothing on it can be verified");
		if (found == 0)
			ledger_error(ledger, "there is no genesis package in what was read");
	}
	free(judge);
}

void
registry_free(Ledger *ledger)
{
	Registry   *registry = &ledger->registry;

	for (uint32_t i = 0; registry->nodes != NULL && i < ledger->ids.count; i++)
	{
		if (registry->nodes[i] != NULL)
			free(registry->nodes[i]->keys);
		free(registry->nodes[i]);
	}
	for (uint32_t i = 0; i < registry->key_count; i++)
	{
		Key		   *key = registry->keys[i];

		ecert_public_key_free(key->prepared);
		free(key);
	}
	free(registry->keys);
	free(registry->nodes);
}
