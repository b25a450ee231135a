/*
 * verify_roots.c
 *		Checking every checkpoint again from the stored bytes of the packages
 *		that it covers, without the tiles.
 */
#include "checkpoint/tree.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "package/datum.h"
#include "pg/error.h"
#include "rules/roots.h"

/* A feed, and how far checkpoints cover it */
typedef struct CoveredFeed
{
	struct
	{
		EcertNodeId issuer;
		char		kind[16];
	}			id;				/* hash key, first */
	int64		last_seq;		/* of its leaves */
	int64		sealed_seq;		/* of what is under checkpoints, be it here or not */
} CoveredFeed;

typedef struct RootWalk
{
	EcertRoots	roots;			/* first */
	EcertRegistry *registry;
	ReturnSetInfo *result;
	HTAB	   *covered;
	Datum		feed[2];		/* issuer and kind of the checkpoints */
	int64		seq;			/* of the one at hand, or the last part of the sealing at hand */
	bool		rewrites;		/* ledger.leaf_range is made anew, not compared */
	int64		next_index;		/* leaf of the next package under a checkpoint */
	bool		is_other;		/* a row of it is not as it should be, or missing */
	MemoryContext each;			/* for one checkpoint */
	MemoryContext row_memory;	/* for one of the packages that it covers */
} RootWalk;

static EcertQuery write_range_query = {
	"INSERT INTO ledger.leaf_range (issuer, kind, first_seq, last_seq, first_index, checkpoint_seq) VALUES ($1, $2, $3, $4, $5, $6)",
	6, {TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID}, NULL
};
static EcertQuery same_range_query = {
	"SELECT 1 FROM ledger.leaf_range r WHERE r.issuer OPERATOR(pg_catalog.=) $1 AND r.kind OPERATOR(pg_catalog.=) $2"
	" AND r.last_seq OPERATOR(pg_catalog.=) $4 AND r.first_seq OPERATOR(pg_catalog.=) $3 AND r.first_index OPERATOR(pg_catalog.=) $5"
	" AND r.checkpoint_seq OPERATOR(pg_catalog.=) $6",
	6, {TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID}, NULL
};
static EcertQuery clear_ranges_query = {"DELETE FROM ledger.leaf_range", 0, {0}, NULL};
/* leaves have no gap: rows that no checkpoint makes lie behind them, or share leaves with others */
static EcertQuery beyond_query = {
	"SELECT 1 FROM ledger.leaf_range r"
	" HAVING pg_catalog.sum((r.last_seq OPERATOR(pg_catalog.-) r.first_seq) OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.<>) ($1 OPERATOR(pg_catalog.-) 1)",
	1, {INT8OID}, NULL
};

/* Where the roots alone are looked at */
static void
seal_nothing(EcertRoots *roots, const EcertFeedHead *head)
{
}

static void
put_finding(EcertRoots *roots)
{
	RootWalk   *walk = (RootWalk *) roots;
	Datum		values[4] = {walk->feed[0], walk->feed[1], Int64GetDatum(roots->at), CStringGetTextDatum(ecert_finding_words(&roots->finding))};
	bool		nulls[4] = {false};

	tuplestore_putvalues(walk->result->setResult, walk->result->setDesc, values, nulls);
}

static CoveredFeed *
covered_feed(EcertRoots *roots, const EcertFeedHead *head)
{
	CoveredFeed key;
	CoveredFeed *feed;
	bool		found;

	memset(&key, 0, sizeof key);
	key.id.issuer = ecert_node_id(head->issuer);
	memcpy(key.id.kind, head->kind.data, Min(head->kind.size, sizeof key.id.kind));
	feed = hash_search(((RootWalk *) roots)->covered, &key.id, HASH_ENTER, &found);
	if (!found)
		feed->last_seq = feed->sealed_seq = -1;
	return feed;
}

static int64
covered(EcertRoots *roots, const EcertFeedHead *head)
{
	return covered_feed(roots, head)->last_seq;
}

static void
begin_feed(EcertScan *scan, EcertSlice issuer, EcertSlice kind, int64 first, int64 last)
{
	ecert_scan_feed(scan, ecert_ledger_relid(), AccessShareLock, ecert_present_snapshot(), ecert_text_datum(issuer), ecert_text_datum(kind), first, last);
}

static bool
is_there(EcertRoots *roots, const EcertFeedHead *head)
{
	EcertScan	scan;
	bool		found;

	begin_feed(&scan, head->issuer, head->kind, head->seq, head->seq);
	found = ecert_scan_next(&scan, ForwardScanDirection);
	ecert_scan_end(&scan);
	return found;
}

static void
cover(EcertRoots *roots, const EcertFeedHead *head)
{
	RootWalk   *walk = (RootWalk *) roots;
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertScan	scan;

	covered_feed(roots, head)->last_seq = head->seq;
	if (roots->is_there == NULL)
		return;
	begin_feed(&scan, head->issuer, head->kind, (int64) roots->expected_package, head->seq);
	while (ecert_scan_next(&scan, ForwardScanDirection))
	{
		MemoryContext before = MemoryContextSwitchTo(walk->row_memory);
		bool		isnull;

		ecert_hash_of(ecert_scan_bytes(&scan, COLUMN_PACKAGE), hash);
		MemoryContextSwitchTo(before);
		(void) ecert_roots_take(roots, head, DatumGetInt64(slot_getattr(scan.slot, COLUMN_SEQ, &isnull)), hash);
		MemoryContextReset(walk->row_memory);
	}
	ecert_scan_end(&scan);
}

/* A row of ledger.leaf_range: write it, or see whether it is there */
static void
seal(EcertRoots *roots, const EcertFeedHead *head)
{
	RootWalk   *walk = (RootWalk *) roots;
	CoveredFeed *feed = covered_feed(roots, head);
	Datum		values[6];

	if (head->seq <= feed->sealed_seq || ecert_slice_equal(head->kind, ecert_slice_text(ecert_kind_name(ECERT_KIND_GENESIS))))
		return;
	values[0] = ecert_text_datum(head->issuer);
	values[1] = ecert_text_datum(head->kind);
	values[2] = Int64GetDatum(feed->sealed_seq + 1);
	values[3] = Int64GetDatum(head->seq);
	values[4] = Int64GetDatum(walk->next_index);
	values[5] = Int64GetDatum(walk->seq);
	if (ecert_run(walk->rewrites ? &write_range_query : &same_range_query, values) == 0)
		walk->is_other = true;
	walk->next_index += head->seq - feed->sealed_seq;
	feed->sealed_seq = head->seq;
}

/* In memory of the checkpoint at hand, so that it stays while its packages are looked at */
static bool
read_part(EcertRoots *roots, int64_t seq, EcertCheckpoint *checkpoint)
{
	RootWalk   *walk = (RootWalk *) roots;
	EcertHead	head;
	EcertSlice	bytes;
	EcertPackage package;

	ecert_feed_read(ecert_certifier_of(walk->registry), ECERT_KIND_CHECKPOINT, seq, seq, &head, &bytes);
	return head.seq == seq && ecert_package_parse_again(bytes, &package) == ECERT_OK && ecert_checkpoint_read(package.body, checkpoint) == ECERT_OK;
}

static void
check_checkpoint(RootWalk *walk, EcertSlice bytes)
{
	EcertPackage package;
	EcertCheckpoint checkpoint;
	EcertError	error;

	/* nobody can believe in one that is not sound in itself, of which the feed's own check says why */
	bool		is_believed = ecert_package_parse(bytes, &package, &error) == ECERT_OK && package.kind == ECERT_KIND_CHECKPOINT &&
		ecert_is_sound(walk->registry, &package) && ecert_checkpoint_read(package.body, &checkpoint) == ECERT_OK;

	(void) ecert_roots_checkpoint(&walk->roots, walk->seq, is_believed ? package.issued_at : 0, is_believed ? &checkpoint : NULL);
	if (walk->roots.failed)
		ecert_raise_crypto(ECERT_CRYPTO_FAILED, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not compute a Merkle root");
}

/* Begin with the tree of the genesis package alone */
static void
start_walk(RootWalk *walk, ReturnSetInfo *result, bool with_roots, bool rewrites)
{
	memset(walk, 0, sizeof *walk);
	walk->registry = ecert_verified_registry();
	walk->result = result;
	walk->rewrites = rewrites;
	walk->roots.covered = covered;
	walk->roots.is_there = with_roots ? is_there : NULL;
	walk->roots.cover = cover;
	walk->roots.seal = seal;
	walk->roots.read_part = read_part;
	walk->next_index = 1;
	walk->roots.found = put_finding;
	walk->roots.failed = ecert_tree_append(&walk->roots.tree, walk->registry->genesis_hash) != ECERT_OK;
	walk->covered = ecert_table(CurrentMemoryContext, "ecert covered feeds", sizeof(((CoveredFeed *) NULL)->id), sizeof(CoveredFeed), NULL);
	walk->each = AllocSetContextCreate(CurrentMemoryContext, "ecert checkpoint", ALLOCSET_DEFAULT_SIZES);
	walk->row_memory = AllocSetContextCreate(CurrentMemoryContext, "ecert checkpoint row", ALLOCSET_DEFAULT_SIZES);
}

/* Every checkpoint of the certifier, in order */
static void
walk_checkpoints(RootWalk *walk)
{
	EcertSlice	certifier = ecert_certifier_of(walk->registry);
	EcertScan	scan;

	walk->feed[0] = ecert_text_datum(certifier);
	walk->feed[1] = ecert_kind_datum(ECERT_KIND_CHECKPOINT);
	begin_feed(&scan, certifier, ecert_slice_text(ecert_kind_name(ECERT_KIND_CHECKPOINT)), 0, PG_INT64_MAX);
	while (ecert_scan_next(&scan, ForwardScanDirection))
	{
		MemoryContext before = MemoryContextSwitchTo(walk->each);
		bool		isnull;

		walk->seq = DatumGetInt64(slot_getattr(scan.slot, COLUMN_SEQ, &isnull));
		check_checkpoint(walk, ecert_scan_bytes(&scan, COLUMN_PACKAGE));
		MemoryContextSwitchTo(before);
		MemoryContextReset(walk->each);
	}
	ecert_scan_end(&scan);
}

/* verify_checkpoints(with_roots) */
ECERT_FUNCTION(ecert_sql_verify_checkpoints)
{
	RootWalk   *walk = palloc(sizeof *walk);

	InitMaterializedSRF(fcinfo, 0);
	start_walk(walk, (ReturnSetInfo *) fcinfo->resultinfo, PG_GETARG_BOOL(0), false);
	walk->roots.seal = seal_nothing;
	walk_checkpoints(walk);
	return (Datum) 0;
}

static void
find_nothing(EcertRoots *roots)
{
}

/* leaf_ranges_agree(rewrite): are the rows of ledger.leaf_range those that the checkpoints' heads make?  With rewrite they become so */
ECERT_FUNCTION(ecert_sql_leaf_ranges_agree)
{
	RootWalk   *walk = palloc(sizeof *walk);

	start_walk(walk, NULL, false, PG_GETARG_BOOL(0));
	walk->roots.found = find_nothing;
	SPI_connect();
	if (walk->rewrites)
		(void) ecert_query(&clear_ranges_query, NULL, 0);
	walk_checkpoints(walk);
	if (!walk->rewrites && ecert_query(&beyond_query, &(Datum) {Int64GetDatum(walk->next_index)}, 1) > 0)
		walk->is_other = true;
	SPI_finish();
	PG_RETURN_BOOL(!walk->is_other);
}
