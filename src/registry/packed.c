/*
 * packed.c
 *		A registry as one value, which a parallel query hands to its workers.
 *
 * The nodes stand sorted by their ids, so that who gets the value takes in
 * only those that it comes across: a ledger may have tens of thousands, and a
 * worker sees a few hundred of them.
 */
#include "registry/registry.h"

/* Behind it come the nodes and then the keys of all of them, EcertNodeKey with nothing prepared */
typedef struct PackedHeader
{
	EcertNodeId certifier;
	EcertNodeId origin;
	uint8_t		genesis_hash[ECERT_HASH_SIZE];
	uint8_t		has_genesis;
	uint32_t	node_count;
	uint32_t	key_count;
} PackedHeader;

typedef struct PackedNode
{
	EcertNodeId id;				/* sorted by it */
	EcertNodeFacts facts;
	uint32_t	first_key;
	uint32_t	key_count;
} PackedNode;

static Size
packed_size(uint64 node_count, uint64 key_count)
{
	return MAXALIGN(sizeof(PackedHeader)) + node_count * sizeof(PackedNode) + key_count * sizeof(EcertNodeKey);
}

static PackedNode *
packed_nodes(PackedHeader *header)
{
	return (PackedNode *) ((char *) header + MAXALIGN(sizeof(PackedHeader)));
}

static EcertNodeKey *
packed_keys(PackedHeader *header)
{
	return (EcertNodeKey *) (packed_nodes(header) + header->node_count);
}

static int
compare_ids(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(EcertNodeId));
}

static uint64
count_keys(const EcertRegistry *registry)
{
	HASH_SEQ_STATUS scan;
	EcertNodeState *node;
	uint64		count = 0;

	hash_seq_init(&scan, registry->nodes);
	while ((node = hash_seq_search(&scan)) != NULL)
		count += node->key_count;
	return count;
}

/* Nodes and keys behind the header, whose counts are the room that there is */
static void
pack_nodes(const EcertRegistry *registry, PackedHeader *header)
{
	HASH_SEQ_STATUS scan;
	EcertNodeState *node;
	PackedNode *packed = packed_nodes(header);
	EcertNodeKey *keys = packed_keys(header);
	uint32_t	first_key = 0;

	hash_seq_init(&scan, registry->nodes);
	while ((node = hash_seq_search(&scan)) != NULL)
	{
		packed->id = node->id;
		packed->facts = node->facts;
		packed->first_key = first_key;
		packed->key_count = node->key_count;
		packed++;
		for (int i = 0; i < node->key_count; i++)
		{
			keys[first_key] = node->keys[i];
			keys[first_key].prepared = NULL;
			keys[first_key].next_prepared = NULL;
			first_key++;
		}
	}
	/* the header's counts are those of the registry */
	Assert(packed == packed_nodes(header) + header->node_count && first_key == header->key_count);
	qsort(packed_nodes(header), header->node_count, sizeof(PackedNode), compare_ids);
}

bytea *
ecert_registry_pack(const EcertRegistry *registry)
{
	uint64		node_count = hash_get_num_entries(registry->nodes);
	uint64		key_count = count_keys(registry);
	Size		size = packed_size(node_count, key_count);
	PackedHeader *header = palloc0(size);
	bytea	   *value = palloc(VARHDRSZ + size);

	header->certifier = registry->certifier;
	header->origin = ecert_node_id(registry->origin);
	memcpy(header->genesis_hash, registry->genesis_hash, ECERT_HASH_SIZE);
	header->has_genesis = registry->has_genesis;
	header->node_count = node_count;
	header->key_count = key_count;
	pack_nodes(registry, header);
	SET_VARSIZE(value, VARHDRSZ + size);
	memcpy(VARDATA(value), header, size);
	pfree(header);
	return value;
}

/* Is this what ecert_registry_pack() makes, as far as reading it depends on it? */
static bool
is_packed(const PackedHeader *header, Size size)
{
	const PackedNode *nodes = packed_nodes(unconstify(PackedHeader *, header));

	if (size < MAXALIGN(sizeof(PackedHeader)) || size != packed_size(header->node_count, header->key_count) ||
		header->origin.size > ECERT_ID_MAX)
		return false;
	for (uint32_t i = 0; i < header->node_count; i++)
	{
		if (nodes[i].key_count > header->key_count || nodes[i].first_key > header->key_count - nodes[i].key_count)
			return false;
	}
	return true;
}

EcertRegistry *
ecert_registry_unpack(const bytea *value, MemoryContext parent)
{
	Size		size = VARSIZE_ANY_EXHDR(value);
	EcertRegistry *registry = ecert_registry_new(parent);
	PackedHeader *header = MemoryContextAllocZero(registry->context, Max(size, sizeof(PackedHeader)));

	/* a copy, which is aligned and outlives the value */
	memcpy(header, VARDATA_ANY(value), size);
	if (!is_packed(header, size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value is not a registry of ecert.verified_registry()")));
	registry->packed = header;
	registry->has_genesis = header->has_genesis != 0;
	registry->origin = ecert_slice(header->origin.bytes, header->origin.size);
	registry->certifier = header->certifier;
	memcpy(registry->genesis_hash, header->genesis_hash, ECERT_HASH_SIZE);
	return registry;
}

EcertNodeState *
ecert_registry_unpack_node(EcertRegistry *registry, const EcertNodeId *id)
{
	PackedHeader *header = registry->packed;
	const PackedNode *packed = bsearch(id, packed_nodes(header), header->node_count, sizeof(PackedNode), compare_ids);
	EcertNodeState *node;

	if (packed == NULL)
		return NULL;
	node = hash_search(registry->nodes, id, HASH_ENTER, NULL);
	node->facts = packed->facts;
	node->key_count = (int) packed->key_count;
	node->keys = packed_keys(header) + packed->first_key;
	return node;
}
