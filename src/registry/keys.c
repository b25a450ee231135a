/*
 * keys.c
 *		Node states and keys: parsing node packages, judging issuers.
 */
#include "registry/registry.h"

#include <limits.h>

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "package/datum.h"
#include "pg/error.h"

char *
ecert_cstring(EcertSlice string)
{
	return text_to_cstring(ecert_text(string));
}

char *
ecert_hex(EcertSlice bytes)
{
	char	   *hex = palloc(bytes.size * 2 + 1);

	hex[hex_encode((const char *) bytes.data, bytes.size, hex)] = '\0';
	return hex;
}

EcertNodeId
ecert_node_id(EcertSlice id)
{
	EcertNodeId key;

	memset(&key, 0, sizeof key);
	key.size = (uint8_t) Min(id.size, ECERT_ID_MAX);
	memcpy(key.bytes, id.data, key.size);
	return key;
}

uint32
ecert_node_id_hash(const void *key, Size size)
{
	const EcertNodeId *id = (const EcertNodeId *) key;

	return hash_bytes(id->bytes, id->size);
}

/* The crypto library's objects go when the registry's memory goes, also on error */
static void
free_prepared(void *arg)
{
	EcertRegistry *registry = (EcertRegistry *) arg;

	for (EcertNodeKey *key = registry->prepared_keys; key != NULL; key = key->next_prepared)
		ecert_public_key_free(key->prepared);
}

EcertRegistry *
ecert_registry_new(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "ecert registry", ALLOCSET_DEFAULT_SIZES);
	EcertRegistry *registry = MemoryContextAllocZero(context, sizeof *registry);
	HASHCTL		control;

	memset(&control, 0, sizeof control);
	control.keysize = sizeof(EcertNodeId);
	control.entrysize = sizeof(EcertNodeState);
	control.hcxt = context;
	control.hash = ecert_node_id_hash;
	registry->context = context;
	registry->nodes = hash_create("ecert nodes", 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_CONTEXT);
	registry->callback.func = free_prepared;
	registry->callback.arg = registry;
	MemoryContextRegisterResetCallback(context, &registry->callback);
	return registry;
}

void
ecert_registry_free(EcertRegistry *registry)
{
	if (registry != NULL)
		MemoryContextDelete(registry->context);
}

/* Read "keys" into the registry's memory; NULL, with finding filled, when one is unusable */
static EcertNodeKey *
read_keys(EcertRegistry *registry, EcertSlice body, int *count, EcertFinding *finding)
{
	uint64_t	key_count;
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", &key_count);
	EcertNodeKey *keys;

	*count = (int) key_count;
	keys = MemoryContextAllocZero(registry->context, sizeof(EcertNodeKey) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		if (!ecert_key_facts(ecert_cbor_skip(&cursor), &keys[i].facts, NULL, finding))
			return NULL;
	}
	return keys;
}

/* Put a node body (its own package's, or the one inside genesis) in place of what was known */
static bool
apply_node(EcertRegistry *registry, EcertSlice body, EcertFinding *finding)
{
	EcertNodeId id = ecert_node_id(ecert_cbor_text_at(body, "node"));
	EcertNodeState *node;
	EcertNodeKey *keys;
	int			key_count;

	keys = read_keys(registry, body, &key_count, finding);
	if (keys == NULL)
		return false;
	node = hash_search(registry->nodes, &id, HASH_ENTER, NULL);
	node->facts = ecert_node_facts(body);
	node->keys = keys;
	node->key_count = key_count;
	return true;
}

/* The genesis package makes the ledger's identity and its certifier */
static bool
apply_genesis(EcertRegistry *registry, const EcertPackage *package, EcertFinding *finding)
{
	EcertSlice	node;
	uint8_t    *origin;

	if (!ecert_check_genesis(package, finding) || !ecert_cbor_find(package->body, "node", &node) ||
		!apply_node(registry, node, finding))
		return false;
	ecert_hash_of(package->bytes, registry->genesis_hash);
	origin = MemoryContextAlloc(registry->context, package->audience.size);
	memcpy(origin, package->audience.data, package->audience.size);
	registry->origin = ecert_slice(origin, package->audience.size);
	registry->certifier = ecert_node_id(package->issuer);
	registry->has_genesis = true;
	return true;
}

bool
ecert_registry_apply(EcertRegistry *registry, const EcertPackage *package, EcertFinding *finding)
{
	if (package->kind == ECERT_KIND_GENESIS)
		return apply_genesis(registry, package, finding);
	return apply_node(registry, package->body, finding);
}

const EcertPublicKey *
ecert_prepared_key(EcertRegistry *registry, EcertNodeKey *key)
{
	EcertCode	code;

	if (key->prepared != NULL)
		return key->prepared;
	code = ecert_public_key_new(key->facts.alg, ecert_slice(key->facts.raw, ecert_raw_key_size(key->facts.alg)), &key->prepared);
	if (code != ECERT_OK)
	{
		key->prepared = NULL;
		ecert_raise_crypto(code, ERRCODE_ECERT_PUBLIC_KEY, "could not prepare a public key");
	}
	key->next_prepared = registry->prepared_keys;
	registry->prepared_keys = key;
	return key->prepared;
}

EcertNodeKey *
ecert_node_key(EcertNodeState *node, EcertSlice kid)
{
	Assert(kid.size == ECERT_HASH_SIZE);
	for (int i = 0; node != NULL && i < node->key_count; i++)
	{
		if (memcmp(node->keys[i].facts.kid, kid.data, ECERT_HASH_SIZE) == 0)
			return &node->keys[i];
	}
	return NULL;
}
