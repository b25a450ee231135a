/*
 * packed.c
 *		A registry as one value, which a parallel query hands to its workers.
 *
 * The keys stand sorted by their nodes' ids, so that who gets the value takes
 * in only the nodes that it comes across: a ledger may have tens of thousands,
 * and a worker sees a few hundred of them.
 *
 * The value goes through SQL, where anybody could change it, and is read as it
 * stands.  So it ends with a seal, HMAC-SHA-256 under a secret that every
 * process of the server knows and SQL does not show: what a process reads is
 * what a process of this start of the server has packed.
 */
#include "registry/registry.h"

#include "access/xlog.h"
#include "catalog/pg_control.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "utils/timestamp.h"

/* A key, and what is known of its node; of a node without keys one row, with none */
typedef struct PackedKey
{
	EcertNodeId id;
	uint32_t	number;			/* of the node's keys, from 0 */
	uint32_t	key_count;		/* of the node */
	uint64_t	first_roles;	/* of the node: where its history begins */
	uint64_t	role_count;
	EcertNodeFacts node;
	EcertKeyFacts facts;
} PackedKey;

typedef struct Packed
{
	EcertNodeId certifier;
	EcertNodeId origin;
	uint8_t		genesis_hash[ECERT_HASH_SIZE];
	uint8_t		has_genesis;
	uint64		count;
	uint64		role_count;
	uint64		false_counts[ECERT_KIND_COUNT];
	PackedKey	keys[FLEXIBLE_ARRAY_MEMBER];	/* by id and number; behind them the roles, as each node's first key says, and false seqs by kind */
} Packed;

static int
compare_ids(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(EcertNodeId));
}

static int
compare_keys(const void *left, const void *right)
{
	int			order = compare_ids(left, right);

	return order != 0 ? order : ((const PackedKey *) left)->number < ((const PackedKey *) right)->number ? -1 : 1;
}

/* What a seal is over beside the value: a value of another start or another build of the library is none */
typedef struct Scope
{
	TimestampTz server_start;
	uint64		database;
	uint64		sizes[3];
} Scope;

/* The seal of these bytes, ECERT_HASH_SIZE of them; mock_authentication_nonce is random and the cluster's alone */
static void
seal_of(const char *bytes, Size size, uint8_t *seal)
{
	const Scope scope = {PgStartTime, MyDatabaseId, {sizeof(Packed), sizeof(PackedKey), sizeof(EcertRoles)}};
	static const char name[] = "ecert registry";
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);

	if (context == NULL ||
		pg_hmac_init(context, (uint8 *) GetMockAuthenticationNonce(), MOCK_AUTH_NONCE_LEN) < 0 ||
		pg_hmac_update(context, (const uint8 *) name, sizeof name) < 0 ||
		pg_hmac_update(context, (const uint8 *) &scope, sizeof scope) < 0 ||
		pg_hmac_update(context, (const uint8 *) bytes, size) < 0 ||
		pg_hmac_final(context, seal, PG_SHA256_DIGEST_LENGTH) < 0)
	{
		pg_hmac_free(context);
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("the registry could not be sealed for parallel workers")));
	}
	pg_hmac_free(context);
}

/* Is the value one that ecert_registry_pack() has made?  In a time that does not depend on where it differs */
static bool
is_sealed(const bytea *value)
{
	Size		size = VARSIZE_ANY_EXHDR(value);
	const uint8_t *given = (const uint8_t *) VARDATA_ANY(value) + size - ECERT_HASH_SIZE;
	uint8_t		seal[ECERT_HASH_SIZE];
	uint8_t		difference = 0;

	if (size < ECERT_HASH_SIZE + offsetof(Packed, keys))
		return false;
	seal_of(VARDATA_ANY(value), size - ECERT_HASH_SIZE, seal);
	for (int i = 0; i < ECERT_HASH_SIZE; i++)
		difference |= seal[i] ^ given[i];
	return difference == 0;
}

bytea *
ecert_registry_pack(const EcertRegistry *registry)
{
	Packed		header = {registry->certifier, ecert_node_id(registry->origin)};
	StringInfoData keys,
				roles,
				value;
	HASH_SEQ_STATUS scan;
	EcertNodeState *node;
	uint8_t		seal[ECERT_HASH_SIZE];

	initStringInfo(&keys);
	initStringInfo(&roles);
	hash_seq_init(&scan, registry->nodes);
	while ((node = hash_seq_search(&scan)) != NULL)
	{
		for (int i = 0; i < Max(node->key_count, 1); i++)
		{
			PackedKey	key = {node->id, i, node->key_count, roles.len / sizeof(EcertRoles), node->history.count, node->facts};

			if (i < node->key_count)
				key.facts = node->keys[i].facts;
			appendBinaryStringInfo(&keys, (const char *) &key, sizeof key);
		}
		appendBinaryStringInfo(&roles, (const char *) node->history.list, node->history.count * sizeof(EcertRoles));
	}
	memcpy(header.genesis_hash, registry->genesis_hash, ECERT_HASH_SIZE);
	header.has_genesis = registry->has_genesis;
	header.count = keys.len / sizeof(PackedKey);
	header.role_count = roles.len / sizeof(EcertRoles);
	for (int kind = 0; kind < ECERT_KIND_COUNT; kind++)
		header.false_counts[kind] = registry->false_seqs[kind].count;
	ecert_sort(keys.data, header.count, sizeof(PackedKey), compare_keys);
	initStringInfo(&value);
	appendStringInfoSpaces(&value, VARHDRSZ);
	appendBinaryStringInfo(&value, (const char *) &header, offsetof(Packed, keys));
	appendBinaryStringInfo(&value, keys.data, keys.len);
	appendBinaryStringInfo(&value, roles.data, roles.len);
	for (int kind = 0; kind < ECERT_KIND_COUNT; kind++)
		appendBinaryStringInfo(&value, (const char *) registry->false_seqs[kind].list, registry->false_seqs[kind].count * sizeof(int64));
	seal_of(value.data + VARHDRSZ, value.len - VARHDRSZ, seal);
	appendBinaryStringInfo(&value, (const char *) seal, sizeof seal);
	SET_VARSIZE(value.data, value.len);
	pfree(keys.data);
	pfree(roles.data);
	return (bytea *) value.data;
}

EcertRegistry *
ecert_registry_unpack(const bytea *value, MemoryContext parent)
{
	EcertRegistry *registry;
	Packed	   *packed;
	int64	   *seqs;

	if (!is_sealed(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value is not a registry of ecert.verified_registry()"),
				 errhint("It is given on as it comes, within one start of the server.")));
	registry = ecert_registry_new(parent);
	packed = MemoryContextAllocHuge(registry->context, VARSIZE_ANY_EXHDR(value));
	/* a copy, which is aligned and outlives the value */
	memcpy(packed, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	registry->packed = packed;
	registry->has_genesis = packed->has_genesis != 0;
	registry->origin = ecert_slice(packed->origin.bytes, packed->origin.size);
	registry->certifier = packed->certifier;
	memcpy(registry->genesis_hash, packed->genesis_hash, ECERT_HASH_SIZE);
	/* borrowed from the value, which stays */
	seqs = (int64 *) ((EcertRoles *) (packed->keys + packed->count) + packed->role_count);
	for (int kind = 0; kind < ECERT_KIND_COUNT; seqs += packed->false_counts[kind++])
		registry->false_seqs[kind] = (EcertFalseSeqs) {seqs, packed->false_counts[kind]};
	return registry;
}

EcertNodeState *
ecert_registry_unpack_node(EcertRegistry *registry, const EcertNodeId *id)
{
	Packed	   *packed = registry->packed;
	const PackedKey *key = bsearch(id, packed->keys, packed->count, sizeof(PackedKey), compare_ids);
	EcertNodeState *node;

	if (key == NULL)
		return NULL;
	key -= key->number;
	node = hash_search(registry->nodes, id, HASH_ENTER, NULL);
	memset((char *) node + sizeof node->id, 0, sizeof *node - sizeof node->id);
	node->facts = key->node;
	/* borrowed from the value, which stays */
	node->history.list = (EcertRoles *) (packed->keys + packed->count) + key->first_roles;
	node->history.count = key->role_count;
	node->key_count = (int) key->key_count;
	node->keys = MemoryContextAllocZero(registry->context, sizeof(EcertNodeKey) * Max(node->key_count, 1));
	for (int i = 0; i < node->key_count; i++)
		node->keys[i].facts = key[i].facts;
	return node;
}
