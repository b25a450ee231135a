/*
 * tree.c
 *		Growing the tree in ledger.tile, its roots, and consistency proofs.
 *
 * A tile of level 0 holds 256 package hashes, one of level l the roots of 256
 * complete subtrees of 256^l leaves (core/merkle.h).  Only the last tile of a
 * level is ever written again.
 */
#include "checkpoint/tree.h"

#include "catalog/pg_type.h"
#include "access/htup_details.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "package/datum.h"
#include "pg/error.h"

#define LEAVES_PER_NOTICE 1000000

static EcertQuery read_query = {
	"SELECT hashes FROM ledger.tile WHERE level OPERATOR(pg_catalog.=) $1 AND index OPERATOR(pg_catalog.=) $2",
	2, {INT4OID, INT8OID}, NULL, ECERT_BY_INDEX
};
static EcertQuery write_query = {
	"INSERT INTO ledger.tile (level, index, hashes) VALUES ($1, $2, $3)"
	" ON CONFLICT ON CONSTRAINT tile_pkey DO UPDATE SET hashes = EXCLUDED.hashes",
	3, {INT4OID, INT8OID, BYTEAOID}, NULL
};
static EcertQuery ranges_query = {
	"SELECT issuer, kind, first_seq, last_seq FROM ledger.leaf_range"
	" WHERE checkpoint_seq OPERATOR(pg_catalog.=) $1 AND first_index OPERATOR(pg_catalog.>=) $2 AND first_index OPERATOR(pg_catalog.<) $3"
	" ORDER BY first_index",
	3, {INT8OID, INT8OID, INT8OID}, NULL, ECERT_BY_INDEX
};

/* The tile of each level that was read last */
typedef struct TileReader
{
	bool		for_writing;
	int			widths[ECERT_TILE_LEVELS];	/* hashes there are; 0: none read */
	uint64		indexes[ECERT_TILE_LEVELS];
	uint8_t	   *tiles[ECERT_TILE_LEVELS];
} TileReader;

static EcertCode
read_tile(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t **hashes)
{
	TileReader *reader = (TileReader *) context;
	Datum		values[2] = {Int32GetDatum((int32) level), Int64GetDatum((int64) index)};
	bool		isnull;
	bytea	   *tile;

	Assert(level < ECERT_TILE_LEVELS && width > 0 && width <= ECERT_TILE_WIDTH);
	if (reader->widths[level] == 0 || reader->indexes[level] != index)
	{
		reader->widths[level] = 0;
		if ((reader->for_writing ? ecert_query(&read_query, values, 1) : ecert_query_stable(&read_query, values, 1)) == 0)
			return ECERT_TILE_MISSING;
		tile = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		if (isnull || VARSIZE_ANY_EXHDR(tile) > ECERT_TILE_BYTES)
			return ECERT_TILE_MISSING;
		if (reader->tiles[level] == NULL)
			reader->tiles[level] = palloc(ECERT_TILE_BYTES);
		memcpy(reader->tiles[level], VARDATA_ANY(tile), VARSIZE_ANY_EXHDR(tile));
		reader->widths[level] = (int) (VARSIZE_ANY_EXHDR(tile) / ECERT_HASH_SIZE);
		reader->indexes[level] = index;
		SPI_freetuptable(SPI_tuptable);
	}
	*hashes = reader->tiles[level];
	return reader->widths[level] < (int) width ? ECERT_TILE_MISSING : ECERT_OK;
}

static EcertCode
write_tile(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t *hashes)
{
	TileReader *reader = (TileReader *) context;
	bytea	   *tile = ecert_bytea(ecert_slice(hashes, (size_t) width * ECERT_HASH_SIZE));
	Datum		values[3] = {Int32GetDatum((int32) level), Int64GetDatum((int64) index), PointerGetDatum(tile)};

	Assert(reader->for_writing && level < ECERT_TILE_LEVELS && width > 0 && width <= ECERT_TILE_WIDTH);
	(void) ecert_query(&write_query, values, 0);
	pfree(tile);
	reader->widths[level] = 0;
	return ECERT_OK;
}

EcertTileStore *
ecert_tile_store(bool for_writing)
{
	EcertTileStore *store = palloc0(sizeof *store);
	TileReader *reader = palloc0(sizeof *reader);

	reader->for_writing = for_writing;
	store->context = reader;
	store->read = read_tile;
	store->write = write_tile;
	return store;
}

void
ecert_raise_tree(EcertCode code, uint64 size)
{
	Assert(code != ECERT_OK);
	if (code == ECERT_TILE_MISSING)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NO_TREE),
				 errmsg("this node does not have the Merkle tree of size " UINT64_FORMAT, size),
				 errhint("Sizes are in ledger.checkpoint; a node that is sent all feeds makes the tree with SELECT ecert.take_up_checkpoints(), and anew with SELECT ecert.rebuild_tree().")));
	if (code == ECERT_PROOF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sizes of trees are from 1 on, the older one not above the newer"),
				 errdetail("The size is " INT64_FORMAT ".", (int64) size)));
	ecert_raise_crypto(code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not compute in the Merkle tree");
}

bool
ecert_hash_from_datum(Datum value, uint8_t *hash)
{
	bytea	   *bytes = DatumGetByteaPP(value);

	if (VARSIZE_ANY_EXHDR(bytes) != ECERT_HASH_SIZE)
		return false;
	memcpy(hash, VARDATA_ANY(bytes), ECERT_HASH_SIZE);
	return true;
}

static Datum
proof_datum(const EcertProof *proof)
{
	Datum		values[ECERT_PROOF_MAX];

	Assert(proof->count <= ECERT_PROOF_MAX);
	for (unsigned i = 0; i < proof->count; i++)
		values[i] = PointerGetDatum(ecert_bytea(ecert_slice(proof->hashes[i], ECERT_HASH_SIZE)));
	return PointerGetDatum(construct_array(values, (int) proof->count, BYTEAOID, -1, false, TYPALIGN_INT));
}

static void
proof_argument(Datum array, EcertProof *proof)
{
	Datum	   *values;
	bool	   *nulls;
	int			count;
	bool		good;

	deconstruct_array(DatumGetArrayTypeP(array), BYTEAOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	good = count <= ECERT_PROOF_MAX;
	for (int i = 0; good && i < count; i++)
		good = !nulls[i] && ecert_hash_from_datum(values[i], proof->hashes[i]);
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a proof is an array of at most %d hashes of 32 bytes", ECERT_PROOF_MAX)));
	proof->count = (unsigned) count;
}

void
ecert_checkpoint_of(const EcertPackage *package, EcertCheckpoint *checkpoint)
{
	EcertCode	code = ECERT_BODY_TYPE;
	EcertError	error;

	if (package->kind == ECERT_KIND_CHECKPOINT && ecert_body_check(package->kind, package->body, &error) == ECERT_OK)
		code = ecert_checkpoint_read(package->body, checkpoint);
	if (code != ECERT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_CHECKPOINT),
				 errmsg("not a checkpoint package"),
				 errdetail("It is a %s package.", ecert_kind_name(package->kind))));
}

/* Growing a tree, and how far it has got */
typedef struct Growth
{
	EcertTiles *tiles;
	EcertTileStore *store;
	uint64		appended;
} Growth;

static void
append_hash(Growth *growth, const uint8_t *hash)
{
	EcertCode	code = ecert_tiles_append(growth->tiles, growth->store, hash);

	if (code != ECERT_OK)
		ecert_raise_tree(code, growth->tiles->size);
	if (++growth->appended % LEAVES_PER_NOTICE == 0)
		ereport(NOTICE, (errmsg(UINT64_FORMAT " leaves of the Merkle tree so far", growth->appended)));
}

/* Append the packages of a range, a row of ranges_query; false when one of them is not on the ledger */
static bool
append_range(Growth *growth, HeapTuple row, TupleDesc columns)
{
	Datum		values[4];
	bool		nulls[4];
	EcertScan	scan;
	int64		count = 0;

	heap_deform_tuple(row, columns, values, nulls);
	ecert_scan_feed(&scan, ecert_ledger_relid(), AccessShareLock, ecert_present_snapshot(), values[0], values[1],
					DatumGetInt64(values[2]), DatumGetInt64(values[3]));
	while (ecert_scan_next(&scan, ForwardScanDirection))
	{
		EcertSlice	hash = ecert_scan_bytes(&scan, COLUMN_HASH);

		if (hash.size != ECERT_HASH_SIZE)
			break;
		append_hash(growth, hash.data);
		count++;
	}
	ecert_scan_end(&scan);
	return count == DatumGetInt64(values[3]) - DatumGetInt64(values[2]) + 1;
}

/* append_leaves(sealing_seq, old_size, new_size): the root afterwards; NULL when a package is missing, and nothing has been written but full tiles */
ECERT_FUNCTION(ecert_sql_append_leaves)
{
	uint64		old_size = (uint64) PG_GETARG_INT64(1);
	uint8_t		root[ECERT_HASH_SIZE];
	Growth		growth;
	Datum		leaves[3] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2)};
	SPITupleTable *ranges;
	uint64		count;
	bool		is_whole = true;
	EcertCode	code;
	bytea	   *result = NULL;
	MemoryContext caller = CurrentMemoryContext;

	SPI_connect();
	growth.tiles = palloc0(sizeof *growth.tiles);
	growth.store = ecert_tile_store(true);
	growth.appended = 0;
	if ((code = ecert_tiles_open(growth.tiles, growth.store, old_size)) != ECERT_OK)
		ecert_raise_tree(code, old_size);
	/* every tree begins with the genesis package */
	if (old_size == 0)
		append_hash(&growth, ecert_registry_current()->genesis_hash);
	count = ecert_query(&ranges_query, leaves, 0);
	ranges = SPI_tuptable;
	for (uint64 i = 0; is_whole && i < count; i++)
		is_whole = append_range(&growth, ranges->vals[i], ranges->tupdesc);
	if (is_whole)
	{
		code = ecert_tiles_flush(growth.tiles, growth.store);
		if (code == ECERT_OK)
			code = ecert_tiles_root(growth.store, growth.tiles->size, root);
		if (code != ECERT_OK)
			ecert_raise_tree(code, growth.tiles->size);
		MemoryContextSwitchTo(caller);
		result = ecert_bytea(ecert_slice(root, sizeof root));
	}
	SPI_finish();
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(result);
}

ECERT_FUNCTION(ecert_sql_tree_root)
{
	uint64		size = (uint64) PG_GETARG_INT64(0);
	uint8_t		root[ECERT_HASH_SIZE];
	EcertCode	code;

	SPI_connect();
	code = ecert_tiles_root(ecert_tile_store(false), size, root);
	SPI_finish();
	if (code != ECERT_OK)
		ecert_raise_tree(code, size);
	PG_RETURN_BYTEA_P(ecert_bytea(ecert_slice(root, sizeof root)));
}

ECERT_FUNCTION(ecert_sql_consistency)
{
	uint64		old_size = (uint64) PG_GETARG_INT64(0);
	uint64		new_size = (uint64) PG_GETARG_INT64(1);
	uint8_t		root[ECERT_HASH_SIZE];
	EcertTileStore *store;
	EcertProof	proof;
	EcertCode	code;

	SPI_connect();
	store = ecert_tile_store(false);
	code = ecert_tiles_consistency(store, old_size, new_size, &proof);
	/* a proof of few hashes may not touch the end of the tree: it must be there all the same */
	if (code == ECERT_OK)
		code = ecert_tiles_root(store, new_size, root);
	SPI_finish();
	if (code != ECERT_OK)
		ecert_raise_tree(code, code == ECERT_PROOF_RANGE && (int64) old_size > 0 && old_size <= new_size ? old_size : new_size);
	PG_RETURN_DATUM(proof_datum(&proof));
}

/* verify_consistency(old_size, old_root, new_size, new_root, proof) */
ECERT_FUNCTION(ecert_sql_verify_consistency)
{
	uint8_t		old_root[ECERT_HASH_SIZE];
	uint8_t		new_root[ECERT_HASH_SIZE];
	EcertProof	proof;
	EcertCode	code;

	if (PG_GETARG_INT64(0) < 0 || PG_GETARG_INT64(2) < 0 ||
		!ecert_hash_from_datum(PG_GETARG_DATUM(1), old_root) || !ecert_hash_from_datum(PG_GETARG_DATUM(3), new_root))
		PG_RETURN_BOOL(false);
	proof_argument(PG_GETARG_DATUM(4), &proof);
	code = ecert_consistency_check((uint64) PG_GETARG_INT64(0), old_root, (uint64) PG_GETARG_INT64(2), new_root, &proof);
	if (code == ECERT_CRYPTO_FAILED)
		ecert_raise_crypto(code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not compute in the Merkle tree");
	PG_RETURN_BOOL(code == ECERT_OK);
}
