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

static int64
int_at(EcertSlice map, const char *name, int64 missing)
{
	EcertSlice	item;
	int64_t		value;

	return ecert_cbor_find(map, name, &item) && ecert_cbor_int(item, &value) == ECERT_OK ? value : missing;
}

/* One entry of "keys"; the schema check has seen its types */
static bool
read_key(EcertSlice item, EcertNodeKey *key, EcertRefusal *refusal)
{
	EcertSlice	hex = ecert_cbor_text_at(item, "public");
	uint8_t		thumbprint[ECERT_HASH_SIZE];
	EcertCode	code = ECERT_BAD_PUBLIC_KEY;

	memset(key, 0, sizeof *key);
	if (ecert_alg_from_cose(int_at(item, "alg", 0), &key->alg) &&
		hex.size == 2 * ecert_raw_key_size(key->alg) &&
		ecert_hex_to_hash(ecert_cbor_text_at(item, "kid"), key->kid))
	{
		EcertSlice	raw = {key->raw, hex.size / 2};
		EcertPublicKey *trial = NULL;

		(void) hex_decode((const char *) hex.data, hex.size, (char *) key->raw);
		code = ecert_public_key_new(key->alg, raw, &trial);
		ecert_public_key_free(trial);
		if (code == ECERT_OK)
			code = ecert_key_thumbprint(key->alg, raw, thumbprint);
		if (code == ECERT_OK && memcmp(thumbprint, key->kid, sizeof thumbprint) != 0)
			code = ECERT_BAD_PUBLIC_KEY;
	}
	key->effective = int_at(item, "effective", 0);
	key->until = int_at(item, "until", INT64_MAX);
	if (code == ECERT_OK)
		return true;
	return ecert_refuse(refusal, ERRCODE_ECERT_PUBLIC_KEY,
						pstrdup("a key in the node package is not usable"),
						psprintf("kid %s: %s, or the kid is not its RFC 9679 thumbprint.",
								 ecert_cstring(ecert_cbor_text_at(item, "kid")), ecert_error_text(code)),
						pstrdup("Use ecert.enroll() or ecert.rotate_key(), which take the key as PEM."));
}

static int
read_roles(EcertSlice body)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "roles", &count);
	int			roles = 0;

	while (count-- > 0)
	{
		EcertSlice	role = {NULL, 0};

		(void) ecert_cbor_text(ecert_cbor_skip(&cursor), &role);
		roles |= ecert_slice_equal(role, ecert_slice_text("certifier")) ? ECERT_ROLE_CERTIFIER :
			ecert_slice_equal(role, ecert_slice_text("applicant")) ? ECERT_ROLE_APPLICANT : ECERT_ROLE_AUDITOR;
	}
	return roles;
}

/* Read "keys" into the registry's memory; NULL, with refusal filled, when one is unusable */
static EcertNodeKey *
read_keys(EcertRegistry *registry, EcertSlice body, int *count, EcertRefusal *refusal)
{
	uint64_t	key_count;
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", &key_count);
	EcertNodeKey *keys;

	*count = (int) key_count;
	keys = MemoryContextAllocZero(registry->context, sizeof(EcertNodeKey) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		if (!read_key(ecert_cbor_skip(&cursor), &keys[i], refusal))
			return NULL;
	}
	return keys;
}

/* Put a node body (its own package's, or the one inside genesis) in place of what was known */
static bool
apply_node(EcertRegistry *registry, EcertSlice body, EcertRefusal *refusal)
{
	EcertNodeId id = ecert_node_id(ecert_cbor_text_at(body, "node"));
	EcertNodeState *node;
	EcertNodeKey *keys;
	int			key_count;

	keys = read_keys(registry, body, &key_count, refusal);
	if (keys == NULL)
		return false;
	node = hash_search(registry->nodes, &id, HASH_ENTER, NULL);
	node->roles = read_roles(body);
	node->revoked_at = ecert_slice_equal(ecert_cbor_text_at(body, "status"), ecert_slice_text("revoked")) ?
		int_at(body, "effective", 0) : INT64_MAX;
	node->keys = keys;
	node->key_count = key_count;
	return true;
}

/* The genesis package makes the ledger's identity and its certifier */
static bool
apply_genesis(EcertRegistry *registry, const EcertPackage *package, EcertRefusal *refusal)
{
	EcertSlice	node;
	EcertSlice	name;
	uint8_t    *origin;

	(void) ecert_cbor_find(package->body, "node", &node);
	name = ecert_cbor_text_at(node, "node");
	if (!ecert_slice_equal(name, package->issuer) ||
		!ecert_slice_equal(ecert_cbor_text_at(package->body, "origin"), package->audience) ||
		(read_roles(node) & ECERT_ROLE_CERTIFIER) == 0)
		return ecert_refuse(refusal, ERRCODE_ECERT_BODY_INVALID,
							pstrdup("the genesis package does not introduce its own issuer as certifier"),
							psprintf("Issuer \"%s\", audience \"%s\", body's node \"%s\", body's origin \"%s\".",
									 ecert_cstring(package->issuer), ecert_cstring(package->audience),
									 ecert_cstring(name), ecert_cstring(ecert_cbor_text_at(package->body, "origin"))),
							NULL);
	if (!apply_node(registry, node, refusal))
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
ecert_registry_apply(EcertRegistry *registry, const EcertPackage *package, EcertRefusal *refusal)
{
	if (package->kind == ECERT_KIND_GENESIS)
		return apply_genesis(registry, package, refusal);
	return apply_node(registry, package->body, refusal);
}

const EcertPublicKey *
ecert_prepared_key(EcertRegistry *registry, EcertNodeKey *key)
{
	EcertCode	code;

	if (key->prepared != NULL)
		return key->prepared;
	code = ecert_public_key_new(key->alg, ecert_slice(key->raw, ecert_raw_key_size(key->alg)), &key->prepared);
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
	for (int i = 0; node != NULL && i < node->key_count; i++)
	{
		if (memcmp(node->keys[i].kid, kid.data, ECERT_HASH_SIZE) == 0)
			return &node->keys[i];
	}
	return NULL;
}
