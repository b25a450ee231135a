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

/* A node that is known from now on */
static EcertNodeState *
enter_node(EcertRegistry *registry, const EcertNodeId *id)
{
	bool		found;
	EcertNodeState *node = hash_search(registry->nodes, id, HASH_ENTER, &found);

	if (!found)
		memset((char *) node + sizeof node->id, 0, sizeof *node - sizeof node->id);
	return node;
}

void
ecert_registry_put_roles(EcertRegistry *registry, EcertSlice id, EcertRoles roles)
{
	EcertNodeId key = ecert_node_id(id);
	EcertRoleHistory *history = &enter_node(registry, &key)->history;
	size_t		size = (history->count + 1) * sizeof(EcertRoles);

	/* a node has few packages */
	history->list = history->list == NULL ? MemoryContextAlloc(registry->context, size) : repalloc(history->list, size);
	history->list[history->count++] = roles;
}

void
ecert_registry_put_claims(EcertRegistry *registry, EcertSlice body)
{
	EcertNodeId id = ecert_node_id(ecert_cbor_text_at(body, "node"));
	EcertNodeState *node = enter_node(registry, &id);
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", &count);
	size_t		size = (node->claim_count + count + 1) * sizeof(EcertNodeKey);
	EcertFinding finding;

	node->claims = node->claims == NULL ? MemoryContextAllocZero(registry->context, size) : repalloc(node->claims, size);
	for (; count > 0; count--)
	{
		EcertNodeKey key = {0};

		if (ecert_key_facts(ecert_cbor_skip(&cursor), &key.facts, NULL, &finding))
			node->claims[node->claim_count++] = key;
	}
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
	int64		seq = package->kind == ECERT_KIND_GENESIS ? -1 : package->seq;
	EcertNodeState *node = hash_search(registry->nodes, &id, HASH_FIND, NULL);

	for (uint64_t i = 0; i < count; i++)
	{
		const EcertNodeKey *before;

		if (!ecert_key_facts(ecert_cbor_skip(&cursor), &keys[i].facts, NULL, finding))
			return false;
		before = ecert_node_key(node, ecert_slice(keys[i].facts.kid, ECERT_HASH_SIZE));
		keys[i].facts.since = before == NULL ? seq : before->facts.since;
	}
	ecert_registry_put_roles(registry, ecert_slice(id.bytes, id.size), (EcertRoles) {seq, package->issued_at, facts.roles});
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

void
ecert_registry_put_false(EcertRegistry *registry, EcertKind kind, int64 seq)
{
	EcertFalseSeqs *seqs = &registry->false_seqs[kind];
	size_t		size = (seqs->count + 1) * sizeof(int64);

	seqs->list = seqs->list == NULL ? MemoryContextAlloc(registry->context, size) : repalloc(seqs->list, size);
	seqs->list[seqs->count++] = seq;
}

bool
ecert_registry_is_false(const EcertRegistry *registry, EcertKind kind, int64 seq)
{
	const EcertFalseSeqs *seqs = &registry->false_seqs[kind];
	uint64		low = 0;
	uint64		high = seqs->count;

	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if (seqs->list[middle] < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < seqs->count && seqs->list[low] == seq;
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

static EcertNodeKey *
find_key(EcertNodeKey *keys, int count, EcertSlice kid)
{
	Assert(kid.size == ECERT_HASH_SIZE);
	for (int i = 0; i < count; i++)
	{
		if (memcmp(keys[i].facts.kid, kid.data, ECERT_HASH_SIZE) == 0)
			return &keys[i];
	}
	return NULL;
}

EcertNodeKey *
ecert_node_key(EcertNodeState *node, EcertSlice kid)
{
	return node == NULL ? NULL : find_key(node->keys, node->key_count, kid);
}

EcertNodeKey *
ecert_claimed_key(EcertNodeState *node, EcertSlice kid)
{
	EcertNodeKey *key = ecert_node_key(node, kid);

	return key != NULL || node == NULL ? key : find_key(node->claims, node->claim_count, kid);
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
