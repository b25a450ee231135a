/*
 * verify_roots.c
 *		Checking every checkpoint again from the stored bytes of the packages
 *		that it covers, without the tiles.
 */
#include "checkpoint/tree.h"

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
	int64		last_seq;
} CoveredFeed;

typedef struct RootWalk
{
	EcertRoots	roots;			/* first */
	EcertRegistry *registry;
	ReturnSetInfo *result;
	HTAB	   *covered;
	Datum		row[3];			/* issuer, kind, seq of the checkpoint at hand */
	MemoryContext each;			/* for one checkpoint */
	MemoryContext row_memory;	/* for one of the packages that it covers */
} RootWalk;

static void
put_finding(EcertRoots *roots)
{
	RootWalk   *walk = (RootWalk *) roots;
	Datum		values[4] = {walk->row[0], walk->row[1], walk->row[2], CStringGetTextDatum(ecert_finding_words(&roots->finding))};
	bool		nulls[4] = {false};

	tuplestore_putvalues(walk->result->setResult, walk->result->setDesc, values, nulls);
}

/* How far checkpoints cover the feed of a head so far */
static int64 *
covered_seq(EcertRoots *roots, const EcertFeedHead *head)
{
	CoveredFeed key;
	CoveredFeed *feed;
	bool		found;

	memset(&key, 0, sizeof key);
	key.id.issuer = ecert_node_id(head->issuer);
	memcpy(key.id.kind, head->kind.data, Min(head->kind.size, sizeof key.id.kind));
	feed = hash_search(((RootWalk *) roots)->covered, &key.id, HASH_ENTER, &found);
	if (!found)
		feed->last_seq = -1;
	return &feed->last_seq;
}

static int64
covered(EcertRoots *roots, const EcertFeedHead *head)
{
	return *covered_seq(roots, head);
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

	*covered_seq(roots, head) = head->seq;
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

static void
check_checkpoint(RootWalk *walk, EcertSlice bytes)
{
	EcertPackage package;
	EcertCheckpoint checkpoint;
	EcertError	error;

	/* nobody can believe in one that is not sound in itself, of which the feed's own check says why */
	bool		is_believed = ecert_package_parse(bytes, &package, &error) == ECERT_OK && package.kind == ECERT_KIND_CHECKPOINT &&
		ecert_is_sound(walk->registry, &package) && ecert_checkpoint_read(package.body, &checkpoint) == ECERT_OK;

	ecert_roots_checkpoint(&walk->roots, DatumGetInt64(walk->row[2]), is_believed ? &checkpoint : NULL);
	if (walk->roots.failed)
		ecert_raise_crypto(ECERT_CRYPTO_FAILED, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not compute a Merkle root");
}

/* Begin with the tree of the genesis package alone */
static void
start_walk(RootWalk *walk, ReturnSetInfo *result, bool with_roots)
{
	memset(walk, 0, sizeof *walk);
	walk->registry = ecert_verified_registry();
	walk->result = result;
	walk->roots.covered = covered;
	walk->roots.is_there = with_roots ? is_there : NULL;
	walk->roots.cover = cover;
	walk->roots.found = put_finding;
	walk->roots.failed = ecert_tree_append(&walk->roots.tree, walk->registry->genesis_hash) != ECERT_OK;
	walk->covered = ecert_table(CurrentMemoryContext, "ecert covered feeds", sizeof(((CoveredFeed *) NULL)->id), sizeof(CoveredFeed), NULL);
	walk->each = AllocSetContextCreate(CurrentMemoryContext, "ecert checkpoint", ALLOCSET_DEFAULT_SIZES);
	walk->row_memory = AllocSetContextCreate(CurrentMemoryContext, "ecert checkpoint row", ALLOCSET_DEFAULT_SIZES);
}

/* verify_checkpoints(with_roots) */
ECERT_FUNCTION(ecert_sql_verify_checkpoints)
{
	RootWalk   *walk = palloc(sizeof *walk);
	EcertSlice	certifier;
	EcertScan	scan;

	InitMaterializedSRF(fcinfo, 0);
	start_walk(walk, (ReturnSetInfo *) fcinfo->resultinfo, PG_GETARG_BOOL(0));
	certifier = ecert_certifier_of(walk->registry);
	walk->row[0] = ecert_text_datum(certifier);
	walk->row[1] = ecert_kind_datum(ECERT_KIND_CHECKPOINT);
	begin_feed(&scan, certifier, ecert_slice_text(ecert_kind_name(ECERT_KIND_CHECKPOINT)), 0, PG_INT64_MAX);
	while (ecert_scan_next(&scan, ForwardScanDirection))
	{
		MemoryContext before = MemoryContextSwitchTo(walk->each);
		bool		isnull;

		walk->row[2] = slot_getattr(scan.slot, COLUMN_SEQ, &isnull);
		check_checkpoint(walk, ecert_scan_bytes(&scan, COLUMN_PACKAGE));
		MemoryContextSwitchTo(before);
		MemoryContextReset(walk->each);
	}
	ecert_scan_end(&scan);
	return (Datum) 0;
}
