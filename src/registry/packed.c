/*
 * packed.c
 *		A registry as one value, which a parallel query hands to its workers.
 *
 * The keys stand sorted by their nodes' ids, so that who gets the value takes
 * in only the nodes that it comes across: a ledger may have tens of thousands,
 * and a worker sees a few hundred of them.
 */
#include "registry/registry.h"

#include "lib/stringinfo.h"

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

bytea *
ecert_registry_pack(const EcertRegistry *registry)
{
	Packed		header = {registry->certifier, ecert_node_id(registry->origin)};
	StringInfoData keys,
				roles,
				value;
	HASH_SEQ_STATUS scan;
	EcertNodeState *node;

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
	qsort(keys.data, header.count, sizeof(PackedKey), compare_keys);
	initStringInfo(&value);
	appendStringInfoSpaces(&value, VARHDRSZ);
	appendBinaryStringInfo(&value, (const char *) &header, offsetof(Packed, keys));
	appendBinaryStringInfo(&value, keys.data, keys.len);
	appendBinaryStringInfo(&value, roles.data, roles.len);
	for (int kind = 0; kind < ECERT_KIND_COUNT; kind++)
		appendBinaryStringInfo(&value, (const char *) registry->false_seqs[kind].list, registry->false_seqs[kind].count * sizeof(int64));
	SET_VARSIZE(value.data, value.len);
	pfree(keys.data);
	pfree(roles.data);
	return (bytea *) value.data;
}

/* Are so many things in the rest?  Then they are not any more */
static bool
takes(Size *rest, uint64 count, Size size)
{
	if (count > *rest / size)
		return false;
	*rest -= count * size;
	return true;
}

/* Is this what ecert_registry_pack() makes, as far as reading it depends on it? */
static bool
is_packed(const Packed *packed, Size size)
{
	Size		rest = size - offsetof(Packed, keys);

	if (size < offsetof(Packed, keys) || packed->origin.size > ECERT_ID_MAX || !takes(&rest, packed->count, sizeof(PackedKey)) ||
		!takes(&rest, packed->role_count, sizeof(EcertRoles)))
		return false;
	for (int kind = 0; kind < ECERT_KIND_COUNT; kind++)
	{
		if (!takes(&rest, packed->false_counts[kind], sizeof(int64)))
			return false;
	}
	if (rest != 0)
		return false;
	for (uint64 i = 0; i < packed->count; i++)
	{
		const PackedKey *key = &packed->keys[i];

		if (key->number > i || key->key_count > packed->count - (i - key->number) ||
			key->first_roles > packed->role_count || key->role_count > packed->role_count - key->first_roles)
			return false;
	}
	return true;
}

EcertRegistry *
ecert_registry_unpack(const bytea *value, MemoryContext parent)
{
	Size		size = VARSIZE_ANY_EXHDR(value);
	EcertRegistry *registry = ecert_registry_new(parent);
	Packed	   *packed = MemoryContextAllocZero(registry->context, Max(size, sizeof(Packed)));
	int64	   *seqs;

	/* a copy, which is aligned and outlives the value */
	memcpy(packed, VARDATA_ANY(value), size);
	if (!is_packed(packed, size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value is not a registry of ecert.verified_registry()")));
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
