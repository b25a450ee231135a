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
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "package/datum.h"
#include "pg/error.h"

PG_FUNCTION_INFO_V1(ecert_sql_append_leaves);
PG_FUNCTION_INFO_V1(ecert_take_up_new);
PG_FUNCTION_INFO_V1(ecert_sql_tree_root);
PG_FUNCTION_INFO_V1(ecert_sql_consistency);
PG_FUNCTION_INFO_V1(ecert_sql_verify_consistency);

#define LEAVES_AT_ONCE 10000
#define LEAVES_PER_NOTICE 1000000

static EcertQuery read_query = {
	"SELECT hashes FROM ledger.tile WHERE level OPERATOR(pg_catalog.=) $1 AND index OPERATOR(pg_catalog.=) $2",
	2, {INT4OID, INT8OID}, NULL, true
};
static EcertQuery write_query = {
	"INSERT INTO ledger.tile (level, index, hashes) VALUES ($1, $2, $3)"
	" ON CONFLICT ON CONSTRAINT tile_pkey DO UPDATE SET hashes = EXCLUDED.hashes",
	3, {INT4OID, INT8OID, BYTEAOID}, NULL
};
static EcertQuery ranges_query = {
	"SELECT issuer, kind, first_seq, last_seq FROM ledger.leaf_range"
	" WHERE checkpoint_seq OPERATOR(pg_catalog.=) $1 ORDER BY first_index",
	1, {INT8OID}, NULL, true
};
static EcertQuery leaves_query = {
	"SELECT hash FROM ledger.package WHERE issuer OPERATOR(pg_catalog.=) $1 AND kind OPERATOR(pg_catalog.=) $2"
	" AND seq OPERATOR(pg_catalog.>=) $3 AND seq OPERATOR(pg_catalog.<=) $4 ORDER BY seq",
	4, {TEXTOID, TEXTOID, INT8OID, INT8OID}, NULL, true
};

static EcertQuery take_up_query = {
	"SELECT ecert.take_up_behind()", 0, {0}, NULL
};

/* ---- the store ----------------------------------------------------------- */

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

/* ---- SQL values ------------------------------------------------------------ */

bool
ecert_hash_from_datum(Datum value, uint8_t *hash)
{
	bytea	   *bytes = DatumGetByteaPP(value);

	if (VARSIZE_ANY_EXHDR(bytes) != ECERT_HASH_SIZE)
		return false;
	memcpy(hash, VARDATA_ANY(bytes), ECERT_HASH_SIZE);
	return true;
}

Datum
ecert_proof_datum(const EcertProof *proof)
{
	Datum		values[ECERT_PROOF_MAX];

	Assert(proof->count <= ECERT_PROOF_MAX);
	for (unsigned i = 0; i < proof->count; i++)
		values[i] = PointerGetDatum(ecert_bytea(ecert_slice(proof->hashes[i], ECERT_HASH_SIZE)));
	return PointerGetDatum(construct_array(values, (int) proof->count, BYTEAOID, -1, false, TYPALIGN_INT));
}

void
ecert_proof_from_datum(Datum array, EcertProof *proof)
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

/* ---- growing --------------------------------------------------------------- */

/* A stretch of a feed that the tree takes in */
typedef struct LeafRange
{
	Datum		issuer;
	Datum		kind;
	int64		first_seq;
	int64		last_seq;
} LeafRange;

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

/* Append the packages of a range; false when one of them is not on the ledger */
static bool
append_range(Growth *growth, const LeafRange *range)
{
	for (int64 seq = range->first_seq; seq <= range->last_seq; seq += LEAVES_AT_ONCE)
	{
		int64		last = Min(seq + LEAVES_AT_ONCE - 1, range->last_seq);
		Datum		values[4] = {range->issuer, range->kind, Int64GetDatum(seq), Int64GetDatum(last)};
		uint64		count = ecert_query(&leaves_query, values, 0);
		SPITupleTable *rows = SPI_tuptable;

		if (count != (uint64) (last - seq + 1))
			return false;
		for (uint64 i = 0; i < count; i++)
		{
			uint8_t		hash[ECERT_HASH_SIZE];
			bool		isnull;
			Datum		value = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);

			CHECK_FOR_INTERRUPTS();
			if (isnull || !ecert_hash_from_datum(value, hash))
				return false;
			append_hash(growth, hash);
		}
		SPI_freetuptable(rows);
	}
	return true;
}

/* The ranges of a checkpoint, in the order of their leaves; palloc'd */
static LeafRange *
ranges_of(int64 checkpoint_seq, uint64 *count)
{
	Datum		value = Int64GetDatum(checkpoint_seq);
	SPITupleTable *rows;
	LeafRange  *ranges;

	*count = ecert_query(&ranges_query, &value, 0);
	rows = SPI_tuptable;
	ranges = palloc(sizeof *ranges * Max(*count, 1));
	for (uint64 i = 0; i < *count; i++)
	{
		bool		isnull;

		ranges[i].issuer = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);
		ranges[i].kind = SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull);
		ranges[i].first_seq = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull));
		ranges[i].last_seq = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 4, &isnull));
	}
	return ranges;
}

/* append_leaves(checkpoint_seq, old_size): the root afterwards; NULL when a package is missing, and nothing has been written but full tiles */
Datum
ecert_sql_append_leaves(PG_FUNCTION_ARGS)
{
	uint64		old_size = (uint64) PG_GETARG_INT64(1);
	uint8_t		root[ECERT_HASH_SIZE];
	Growth		growth;
	LeafRange  *ranges;
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
	ranges = ranges_of(PG_GETARG_INT64(0), &count);
	for (uint64 i = 0; is_whole && i < count; i++)
		is_whole = append_range(&growth, &ranges[i]);
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

/* Trigger behind a checkpoint, wherever it comes from: as the ledger's owner, whose the tables are */
Datum
ecert_take_up_new(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	EcertPackage package;
	EcertUser	before;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != ecert_ledger_relid())
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("ecert.take_up_new() must be called as AFTER INSERT row trigger of the ledger")));
	ecert_package_of(heap_getattr(trigger->tg_trigtuple, COLUMN_PACKAGE, RelationGetDescr(trigger->tg_relation), &isnull), &package);
	if (package.kind != ECERT_KIND_CHECKPOINT)
		return PointerGetDatum(NULL);
	before = ecert_become(trigger->tg_relation->rd_rel->relowner);
	SPI_connect();
	(void) ecert_query(&take_up_query, NULL, 0);
	SPI_finish();
	ecert_restore_user(before);
	return PointerGetDatum(NULL);
}

/* ---- roots and consistency -------------------------------------------------- */

Datum
ecert_sql_tree_root(PG_FUNCTION_ARGS)
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

Datum
ecert_sql_consistency(PG_FUNCTION_ARGS)
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
	PG_RETURN_DATUM(ecert_proof_datum(&proof));
}

/* verify_consistency(old_size, old_root, new_size, new_root, proof) */
Datum
ecert_sql_verify_consistency(PG_FUNCTION_ARGS)
{
	uint8_t		old_root[ECERT_HASH_SIZE];
	uint8_t		new_root[ECERT_HASH_SIZE];
	EcertProof	proof;
	EcertCode	code;

	if (PG_GETARG_INT64(0) < 0 || PG_GETARG_INT64(2) < 0 ||
		!ecert_hash_from_datum(PG_GETARG_DATUM(1), old_root) || !ecert_hash_from_datum(PG_GETARG_DATUM(3), new_root))
		PG_RETURN_BOOL(false);
	ecert_proof_from_datum(PG_GETARG_DATUM(4), &proof);
	code = ecert_consistency_check((uint64) PG_GETARG_INT64(0), old_root, (uint64) PG_GETARG_INT64(2), new_root, &proof);
	if (code == ECERT_CRYPTO_FAILED)
		ecert_raise_crypto(code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not compute in the Merkle tree");
	PG_RETURN_BOOL(code == ECERT_OK);
}
