/*
 * receipt.c
 *		Receipts (RFC 9942) and transparent statements (RFC 9943) from the tree.
 */
#include "checkpoint/tree.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "package/datum.h"
#include "pg/error.h"

/* Where a package is, and under which leaf; no leaf while it is not sealed */
static EcertQuery leaf_query = {
	"SELECT r.first_index OPERATOR(pg_catalog.+) (p.seq OPERATOR(pg_catalog.-) r.first_seq), r.first_seq OPERATOR(pg_catalog.<=) p.seq,"
	" p.kind OPERATOR(pg_catalog.=) 'genesis', p.package, r.checkpoint_seq"
	" FROM ledger.package p LEFT JOIN LATERAL (SELECT l.first_index, l.first_seq, l.checkpoint_seq FROM ledger.leaf_range l"
	"  WHERE l.issuer OPERATOR(pg_catalog.=) p.issuer AND l.kind OPERATOR(pg_catalog.=) p.kind"
	"  AND l.last_seq OPERATOR(pg_catalog.>=) p.seq ORDER BY l.last_seq LIMIT 1) AS r ON true"
	" WHERE p.hash OPERATOR(pg_catalog.=) $1",
	1, {BYTEAOID}, NULL, ECERT_BY_INDEX
};

/* The newest checkpoint whose root this node has found right */
static EcertQuery newest_query = {
	"SELECT s.checkpoint_seq, s.root FROM ledger.sealing s WHERE s.outcome OPERATOR(pg_catalog.=) 'agrees'"
	" ORDER BY s.checkpoint_seq DESC LIMIT 1",
	0, {0}, NULL, ECERT_BY_INDEX
};
static EcertQuery tree_query = {
	"SELECT 1 FROM ledger.sealing s WHERE s.outcome OPERATOR(pg_catalog.=) 'not checkable here'", 0, {0}, NULL
};

/* Of a checkpoint that names many feeds only this is kept: its package may have 64 KB */
typedef struct Sealed
{
	int64		checkpoint_seq;
	uint64		size;			/* 0: none was read */
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		seal[ECERT_SIGNATURE_MAX];
	EcertSealHeader header;		/* of ids and kid the bytes are below */
	uint8_t		kid[ECERT_HASH_SIZE];
	uint8_t		certifier[ECERT_ID_MAX];
	uint8_t		origin[ECERT_ID_MAX];
} Sealed;

typedef struct Subtree
{
	struct
	{
		uint64		start;
		uint64		height;
	}			id;				/* hash key, first */
	uint8_t		root[ECERT_HASH_SIZE];
} Subtree;

/* About 5,000 of a tree of ten million leaves are worth it */
#define SUBTREES_KEPT 16384

static Sealed sealed;
static HTAB *subtrees = NULL;

static void
forget_subtrees(void)
{
	if (subtrees != NULL)
		hash_destroy(subtrees);
	subtrees = NULL;
}

static bool
recall_subtree(void *context, uint64_t start, unsigned height, uint8_t *root)
{
	Subtree		key;
	const Subtree *known;

	key.id.start = start;
	key.id.height = height;
	known = subtrees == NULL ? NULL : hash_search(subtrees, &key.id, HASH_FIND, NULL);
	if (known != NULL)
		memcpy(root, known->root, ECERT_HASH_SIZE);
	return known != NULL;
}

/* What many proofs have in common: large subtrees, and those at the growing edge */
static void
remember_subtree(void *context, uint64_t start, unsigned height, const uint8_t *root)
{
	bool		is_edge = start >= sealed.size / ECERT_TILE_WIDTH * ECERT_TILE_WIDTH;
	Subtree		key;

	Assert(start < sealed.size);
	if (!is_edge && height < 16 && (height < 8 || height % 8 < 4))
		return;
	if (subtrees != NULL && hash_get_num_entries(subtrees) >= SUBTREES_KEPT)
		forget_subtrees();
	if (subtrees == NULL)
		subtrees = ecert_table(TopMemoryContext, "ecert subtrees", sizeof key.id, sizeof(Subtree), NULL);
	key.id.start = start;
	key.id.height = height;
	memcpy(((Subtree *) hash_search(subtrees, &key.id, HASH_ENTER, NULL))->root, root, ECERT_HASH_SIZE);
}

static Datum
column(int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, isnull);
}

/* A copy of bytes in room that stays */
static EcertSlice
keep(EcertSlice bytes, uint8_t *room)
{
	memcpy(room, bytes.data, bytes.size);
	return ecert_slice(room, bytes.size);
}

/* Take up the checkpoint with that seq and root, which the newest query found */
static void
read_sealed(int64 checkpoint_seq, const uint8_t *root)
{
	EcertPackage package;
	EcertCheckpoint checkpoint;
	EcertSeal	seal;
	EcertHead	head;
	EcertSlice	bytes;

	sealed.size = 0;
	forget_subtrees();
	ecert_feed_read(ecert_certifier_of(ecert_registry_current()), ECERT_KIND_CHECKPOINT, checkpoint_seq, checkpoint_seq, &head, &bytes);
	if (head.seq != checkpoint_seq || ecert_package_parse_again(bytes, &package) != ECERT_OK)
		return;
	ecert_checkpoint_of(&package, &checkpoint);
	/* one receipt: under the first seal */
	if (memcmp(checkpoint.root, root, ECERT_HASH_SIZE) != 0 || !ecert_checkpoint_next_seal(&checkpoint.seals, &seal))
		return;
	sealed.checkpoint_seq = checkpoint_seq;
	sealed.size = checkpoint.size;
	sealed.header = ecert_checkpoint_seal_header(&package, &checkpoint, &seal);
	sealed.header.kid = keep(sealed.header.kid, sealed.kid);
	sealed.header.certifier = keep(sealed.header.certifier, sealed.certifier);
	sealed.header.origin = keep(sealed.header.origin, sealed.origin);
	memcpy(sealed.root, root, ECERT_HASH_SIZE);
	memcpy(sealed.seal, seal.signature, seal.size);
}

/* The newest checkpoint that is right here, in sealed; false when there is none */
static bool
find_sealed(void)
{
	uint8_t		root[ECERT_HASH_SIZE];
	int64		checkpoint_seq;
	bool		isnull;

	if (ecert_query_stable(&newest_query, NULL, 1) == 0)
		return false;
	checkpoint_seq = DatumGetInt64(column(1, &isnull));
	if (!ecert_hash_from_datum(column(2, &isnull), root))
		return false;
	if (sealed.size == 0 || sealed.checkpoint_seq != checkpoint_seq || memcmp(sealed.root, root, sizeof root) != 0)
		read_sealed(checkpoint_seq, root);
	return sealed.size > 0;
}

/* Say why a package has no receipt here (yet) */
static void
raise_not_sealed(EcertSlice hash)
{
	if (ecert_query_stable(&tree_query, NULL, 1) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NO_TREE),
				 errmsg("this node is not sent all feeds, so it has no Merkle tree"),
				 errhint("Ask a node that is sent all of them: SELECT ecert.receipt(...) there.")));
	ereport(ERROR,
			(errcode(ERRCODE_ECERT_NOT_SEALED),
			 errmsg("the package is not under a checkpoint yet"),
			 errdetail("Package %s.", ecert_hex(hash)),
			 errhint("The certifier seals what was admitted every ecert.checkpoint_interval, or with SELECT ecert.checkpoint().")));
}

/* Find a package and its leaf under the checkpoint in sealed; inside SPI */
static uint64
find_leaf(Datum hash, Datum *package)
{
	EcertSlice	bytes = ecert_varlena_slice(DatumGetByteaPP(hash));
	bool		isnull;
	bool		is_covered;
	uint64		index = 0;

	if (ecert_query_stable(&leaf_query, &hash, 1) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no such package on this ledger"),
				 errdetail("Package %s.", ecert_hex(bytes))));
	is_covered = DatumGetBool(column(3, &isnull));	/* leaf 0, of every tree */
	if (!is_covered)
	{
		index = (uint64) DatumGetInt64(column(1, &isnull));
		is_covered = !isnull && DatumGetBool(column(2, &isnull));
	}
	*package = column(4, &isnull);
	if (!is_covered || !find_sealed() || index >= sealed.size)
		raise_not_sealed(bytes);
	return index;
}

/* Does the path lead from the package to the root that was sealed? */
static bool
path_leads_to_root(Datum hash, uint64 index, const EcertProof *path)
{
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];

	return ecert_hash_from_datum(hash, leaf) &&
		ecert_inclusion_root(leaf, index, sealed.size, path, root) == ECERT_OK &&
		memcmp(root, sealed.root, ECERT_HASH_SIZE) == 0;
}

/* The path of a leaf.  From damaged tiles it would prove nothing: nobody is given one.  Inside SPI */
static void
find_path(Datum hash, uint64 index, EcertProof *path)
{
	EcertTileStore *store = ecert_tile_store(false);
	EcertCode	code;

	store->recall = recall_subtree;
	store->remember = remember_subtree;
	if ((code = ecert_tiles_inclusion(store, index, sealed.size, path)) != ECERT_OK)
		ecert_raise_tree(code, sealed.size);
	if (path_leads_to_root(hash, index, path))
		return;
	forget_subtrees();
	ereport(ERROR,
			(errcode(ERRCODE_ECERT_NO_TREE),
			 errmsg("the Merkle tree in ledger.tile is not that of the checkpoint"),
			 errdetail("Leaf " UINT64_FORMAT " of " UINT64_FORMAT " does not lead to root %s.", index, sealed.size,
					   ecert_hex(ecert_slice(sealed.root, ECERT_HASH_SIZE))),
			 errhint("Somebody has changed it, or ledger.package: see ecert.problems(), then SELECT ecert.rebuild_tree().")));
}

/* The receipt of the package with that hash, palloc'd in SPI's memory, and the package; inside SPI */
static EcertBuffer
make_receipt(Datum hash, Datum *package)
{
	EcertProof	path;
	EcertBuffer out = ecert_buffer(palloc(ECERT_RECEIPT_MAX), ECERT_RECEIPT_MAX);
	uint64		index = find_leaf(hash, package);

	find_path(hash, index, &path);
	ecert_receipt_put(&out, &sealed.header, ecert_slice(sealed.seal, ecert_signature_size(sealed.header.alg)), index, &path);
	if (!ecert_buffer_fits(&out))
		elog(ERROR, "a receipt of %zu bytes is larger than it can be", out.size);
	return out;
}

/* The receipt of the package with that hash, alone or in the package */
static Datum
give_receipt(FunctionCallInfo fcinfo, bool in_package)
{
	MemoryContext caller = CurrentMemoryContext;
	EcertBuffer out;
	EcertPackage package;
	Datum		value;
	bytea	   *result;

	SPI_connect();
	out = make_receipt(PG_GETARG_DATUM(0), &value);
	if (in_package)
	{
		EcertSlice	receipt = ecert_slice(out.data, out.size);

		ecert_package_of(value, &package);
		out = ecert_buffer(palloc(ECERT_STATEMENT_MAX), ECERT_STATEMENT_MAX);
		ecert_statement_put(&out, &package, receipt);
		if (!ecert_buffer_fits(&out))
			elog(ERROR, "a transparent statement of %zu bytes is larger than it can be", out.size);
	}
	MemoryContextSwitchTo(caller);
	result = ecert_bytea(ecert_slice(out.data, out.size));
	SPI_finish();
	PG_RETURN_BYTEA_P(result);
}

ECERT_FUNCTION(ecert_sql_receipt)
{
	return give_receipt(fcinfo, false);
}

ECERT_FUNCTION(ecert_sql_transparent)
{
	return give_receipt(fcinfo, true);
}
