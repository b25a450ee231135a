/*
 * keys.c
 *		Node states and keys: parsing node packages.
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

HTAB *
ecert_table(MemoryContext context, const char *name, Size key_size, Size entry_size, HashValueFunc hash)
{
	HASHCTL		control = {.keysize = key_size, .entrysize = entry_size, .hcxt = context, .hash = hash};

	return hash_create(name, 64, &control, HASH_ELEM | HASH_CONTEXT | (hash == NULL ? HASH_BLOBS : HASH_FUNCTION));
}

EcertRegistry *
ecert_registry_new(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "ecert registry", ALLOCSET_DEFAULT_SIZES);
	EcertRegistry *registry = MemoryContextAllocZero(context, sizeof *registry);

	registry->context = context;
	registry->nodes = ecert_table(context, "ecert nodes", sizeof(EcertNodeId), sizeof(EcertNodeState), ecert_node_id_hash);
	return registry;
}

void
ecert_registry_free(EcertRegistry *registry)
{
	if (registry != NULL)
		MemoryContextDelete(registry->context);
}

void
ecert_registry_put_roles(EcertRegistry *registry, EcertSlice id, EcertRoles roles)
{
	EcertNodeId key = ecert_node_id(id);
	bool		found;
	EcertNodeState *node = hash_search(registry->nodes, &key, HASH_ENTER, &found);
	EcertRoleHistory *history = &node->history;
	size_t		size;

	if (!found)
		memset((char *) node + sizeof node->id, 0, sizeof *node - sizeof node->id);
	/* a node has few packages */
	size = (history->count + 1) * sizeof(EcertRoles);
	history->list = history->list == NULL ? MemoryContextAlloc(registry->context, size) : repalloc(history->list, size);
	history->list[history->count++] = roles;
}

/*
 * Put a node body (its own package's, or the one inside genesis) in place of
 * what was known, behind the roles of before; false when a key is unusable
 */
static bool
apply_node(EcertRegistry *registry, const EcertPackage *package, EcertSlice body, EcertFinding *finding)
{
	EcertNodeId id = ecert_node_id(ecert_cbor_text_at(body, "node"));
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", &count);
	EcertNodeKey *keys = MemoryContextAllocZero(registry->context, sizeof(EcertNodeKey) * Max(count, 1));
	EcertNodeFacts facts = ecert_node_facts(body);
	EcertNodeState *node;

	for (uint64_t i = 0; i < count; i++)
	{
		if (!ecert_key_facts(ecert_cbor_skip(&cursor), &keys[i].facts, NULL, finding))
			return false;
	}
	ecert_registry_put_roles(registry, ecert_slice(id.bytes, id.size), (EcertRoles) {
		package->kind == ECERT_KIND_GENESIS ? -1 : package->seq, package->issued_at, facts.roles
	});
	node = hash_search(registry->nodes, &id, HASH_FIND, NULL);
	node->facts = facts;
	node->keys = keys;
	node->key_count = (int) count;
	return true;
}

/* The genesis package makes the ledger's identity and its certifier */
static bool
apply_genesis(EcertRegistry *registry, const EcertPackage *package, EcertFinding *finding)
{
	EcertSlice	node;
	uint8_t    *origin;

	if (!ecert_check_genesis(package, finding) || !ecert_cbor_find(package->body, "node", &node) ||
		!apply_node(registry, package, node, finding))
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
	return apply_node(registry, package, package->body, finding);
}

static void
free_prepared(void *key)
{
	ecert_public_key_free(key);
}

const EcertPublicKey *
ecert_prepared_key(EcertRegistry *registry, EcertNodeKey *key)
{
	EcertCode	code;

	if (key->prepared != NULL)
		return key->prepared;
	code = ecert_public_key_new(key->facts.alg, ecert_slice(key->facts.raw, ecert_raw_key_size(key->facts.alg)), &key->prepared);
	if (code != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_ECERT_PUBLIC_KEY, "could not prepare a public key");
	/* the crypto library's object goes when the registry's memory goes, also on error */
	key->callback.func = free_prepared;
	key->callback.arg = key->prepared;
	MemoryContextRegisterResetCallback(registry->context, &key->callback);
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

/* key_entry(pem, use): what a node body says of a key, without its times */
ECERT_FUNCTION(ecert_sql_key_entry)
{
	EcertSlice	pem = ecert_varlena_slice(PG_GETARG_TEXT_PP(0));
	EcertKeyUse use = ecert_key_use_argument(PG_GETARG_TEXT_PP(1));
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		kid[ECERT_HASH_SIZE];
	size_t		raw_size;
	EcertAlg	alg;
	EcertPublicKey *trial = NULL;
	EcertCode	code = ecert_public_key_from_pem(pem, &alg, raw, &raw_size);

	if (code == ECERT_OK)
		code = ecert_public_key_new(alg, ecert_slice(raw, raw_size), &trial);
	if (code == ECERT_OK)
		code = ecert_key_thumbprint(alg, ecert_slice(raw, raw_size), kid);
	ecert_public_key_free(trial);
	if (code != ECERT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_PUBLIC_KEY),
				 errmsg("invalid public key"),
				 errdetail("%s", ecert_sentence(code)),
				 errhint("Give the SubjectPublicKeyInfo PEM text of an Ed25519, P-256 or SM2 key, as ecert.public_key() returns it.")));
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in,
										CStringGetDatum(psprintf("{\"use\": \"%s\", \"alg\": " INT64_FORMAT ", \"kid\": \"%s\", \"public\": \"%s\"}",
																 ecert_key_use_name(use), ecert_alg_cose(alg), ecert_hex(ecert_slice(kid, sizeof kid)),
																 ecert_hex(ecert_slice(raw, raw_size))))));
}
