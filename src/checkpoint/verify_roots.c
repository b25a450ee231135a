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
	EcertRegistry *registry;
	ReturnSetInfo *result;
	HTAB	   *covered;
	EcertTree	tree;
	bool		with_roots;		/* false where this node is not sent all packages */
	bool		broken;			/* the tree is not that of the checkpoints any more: what goes on from it is not compared */
	int64		expected;		/* seq of the next checkpoint */
	Datum		row[3];			/* issuer, kind, seq of the checkpoint at hand */
	MemoryContext each;			/* for one checkpoint */
	MemoryContext row_memory;	/* for one of the packages that it covers */
} RootWalk;

static void
put_problem(const RootWalk *walk, const char *problem)
{
	Datum		values[4] = {walk->row[0], walk->row[1], walk->row[2], CStringGetTextDatum(problem)};
	bool		nulls[4] = {false};

	tuplestore_putvalues(walk->result->setResult, walk->result->setDesc, values, nulls);
}

/* How far checkpoints cover the feed of a head so far; -1 at first */
static int64 *
covered_seq(RootWalk *walk, const EcertFeedHead *head)
{
	CoveredFeed key;
	CoveredFeed *feed;
	bool		found;

	memset(&key, 0, sizeof key);
	key.id.issuer = ecert_node_id(head->issuer);
	memcpy(key.id.kind, head->kind.data, Min(head->kind.size, sizeof key.id.kind));
	feed = hash_search(walk->covered, &key.id, HASH_ENTER, &found);
	if (!found)
		feed->last_seq = -1;
	return &feed->last_seq;
}

/* Say that a package is missing; the tree cannot be followed behind it */
static void
put_missing(RootWalk *walk, const EcertFeedHead *head, int64 seq)
{
	put_problem(walk, psprintf("checkpoint %s %s " INT64_FORMAT " of \"%s\", which is not on the ledger",
							   seq == head->seq ? "names" : "covers", ecert_cstring(head->kind), seq, ecert_cstring(head->issuer)));
	walk->broken = true;
}

static void
begin_feed(EcertScan *scan, EcertSlice issuer, EcertSlice kind, int64 first, int64 last)
{
	ecert_scan_feed(scan, ecert_ledger_relid(), AccessShareLock, ecert_present_snapshot(), ecert_text_datum(issuer), ecert_text_datum(kind), first, last);
}

/* The package with the seq of a head is what the checkpoint names */
static bool
head_is_there(const EcertFeedHead *head)
{
	EcertScan	scan;
	bool		found;

	begin_feed(&scan, head->issuer, head->kind, head->seq, head->seq);
	found = ecert_scan_next(&scan, ForwardScanDirection);
	ecert_scan_end(&scan);
	return found;
}

/* Append packages first .. head of a feed to the tree, and name those that are missing */
static void
append_packages(RootWalk *walk, const EcertFeedHead *head, int64 first)
{
	int64		expected = first;
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertScan	scan;

	begin_feed(&scan, head->issuer, head->kind, first, head->seq);
	while (ecert_scan_next(&scan, ForwardScanDirection))
	{
		bool		isnull;
		int64		found = DatumGetInt64(slot_getattr(scan.slot, COLUMN_SEQ, &isnull));
		MemoryContext before;

		if (found > expected)
			put_missing(walk, head, expected);
		expected = found + 1;
		if (walk->broken)
			continue;
		before = MemoryContextSwitchTo(walk->row_memory);
		ecert_hash_of(ecert_scan_bytes(&scan, COLUMN_PACKAGE), hash);
		walk->broken = ecert_tree_append(&walk->tree, hash) != ECERT_OK;
		MemoryContextSwitchTo(before);
		MemoryContextReset(walk->row_memory);
	}
	ecert_scan_end(&scan);
}

/* Take in what a checkpoint's heads add */
static void
append_heads(RootWalk *walk, const EcertCheckpoint *checkpoint)
{
	EcertCursor heads = checkpoint->heads;
	EcertFeedHead head;

	for (uint64_t i = 0; i < checkpoint->head_count && ecert_checkpoint_next_head(&heads, &head); i++)
	{
		int64	   *covered = covered_seq(walk, &head);

		/* to name the genesis feed is a fault of the checkpoint itself */
		if (ecert_slice_equal(head.kind, ecert_slice_text(ecert_kind_name(ECERT_KIND_GENESIS))))
			walk->broken = true;
		else if (head.seq <= *covered)
		{
			put_problem(walk, psprintf("checkpoint's head %s of \"%s\" does not advance (it names seq " INT64_FORMAT ", an earlier checkpoint " INT64_FORMAT ")",
									   ecert_cstring(head.kind), ecert_cstring(head.issuer), head.seq, *covered));
			walk->broken = true;
		}
		else if (walk->with_roots && !head_is_there(&head))
			put_missing(walk, &head, head.seq);
		else
		{
			if (walk->with_roots)
				append_packages(walk, &head, *covered + 1);
			*covered = head.seq;
		}
	}
}

/* Size and root against the packages, as far as these are all there */
static void
check_root(RootWalk *walk, const EcertCheckpoint *checkpoint)
{
	uint8_t		root[ECERT_HASH_SIZE];
	EcertCode	code;

	Assert(walk->with_roots && !walk->broken);
	walk->broken = checkpoint->size != walk->tree.size;
	if (walk->broken)
		put_problem(walk, psprintf("checkpoint's size is " UINT64_FORMAT ", the packages it covers make " UINT64_FORMAT,
								   checkpoint->size, walk->tree.size));
	if ((code = ecert_tree_root(&walk->tree, root)) != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not compute a Merkle root");
	if (memcmp(root, checkpoint->root, ECERT_HASH_SIZE) == 0)
		return;
	walk->broken = true;
	put_problem(walk, psprintf("checkpoint's root is not that of the packages it covers (signed %s, computed %s)",
							   ecert_hex(ecert_slice(checkpoint->root, ECERT_HASH_SIZE)),
							   ecert_hex(ecert_slice(root, ECERT_HASH_SIZE))));
}

static void
check_checkpoint(RootWalk *walk, EcertSlice bytes)
{
	EcertPackage package;
	EcertCheckpoint checkpoint;
	EcertError	error;

	walk->broken |= DatumGetInt64(walk->row[2]) > walk->expected;
	walk->expected = DatumGetInt64(walk->row[2]) + 1;
	/* nobody can believe in one that is not sound in itself, of which the feed's own check says why */
	if (ecert_package_parse(bytes, &package, &error) != ECERT_OK ||
		package.kind != ECERT_KIND_CHECKPOINT || !ecert_is_sound(walk->registry, &package) ||
		ecert_checkpoint_read(package.body, &checkpoint) != ECERT_OK)
	{
		walk->broken = true;
		return;
	}
	append_heads(walk, &checkpoint);
	walk->broken |= !ecert_checkpoint_heads_in_order(&checkpoint);
	if (walk->with_roots && !walk->broken)
		check_root(walk, &checkpoint);
}

/* Begin with the tree of the genesis package alone */
static void
start_walk(RootWalk *walk, ReturnSetInfo *result, bool with_roots)
{
	memset(walk, 0, sizeof *walk);
	walk->registry = ecert_verified_registry();
	walk->result = result;
	walk->with_roots = with_roots && walk->registry->has_genesis &&
		ecert_tree_append(&walk->tree, walk->registry->genesis_hash) == ECERT_OK;
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
