/*
 * feed.c
 *		Feed locks and heads.
 *
 * A local writer locks the feed's row in ledger.feed, which is never updated
 * (a head row updated per package would make a long transaction quadratic),
 * and then keeps the head in memory until the transaction ends.
 */
#include "ledger/ledger.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "package/datum.h"
#include "pg/error.h"

/* Above this many locked feeds the heads are read again, so that memory stays bounded */
#define HEADS_KEPT 65536

/* Feeds of which a backend knows from one transaction to the next where they ended */
#define HEADS_LEFT_BEHIND 256

typedef struct FeedId
{
	EcertNodeId issuer;
	uint8_t		kind;
} FeedId;

typedef struct FeedEntry
{
	FeedId		id;				/* hash key, first */
	EcertHead	head;
} FeedEntry;

/* Feeds locked by this transaction; in TopTransactionContext */
static HTAB *locked = NULL;

/*
 * A cache of the heads that transactions of this backend committed last, each
 * in the place that its feed's hash gives.  It may be stale, since others may
 * have appended meanwhile: it serves to see early that a package follows, and
 * never to admit it.
 */
static FeedEntry left_behind[HEADS_LEFT_BEHIND];

static EcertQuery new_feed_query = {
	"INSERT INTO ledger.feed (issuer, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING",
	2, {TEXTOID, TEXTOID}, NULL
};

static void
forget_heads(void)
{
	/* its memory goes with the transaction's */
	locked = NULL;
}

static FeedEntry *
left_behind_of(const FeedId *id)
{
	return &left_behind[(ecert_node_id_hash(&id->issuer, sizeof id->issuer) + id->kind) % HEADS_LEFT_BEHIND];
}

static void
leave_heads_behind(void)
{
	HASH_SEQ_STATUS scan;
	FeedEntry  *entry;

	/* of very many, the last would be known, and looking through them takes its time */
	if (locked == NULL || hash_get_num_entries(locked) > HEADS_LEFT_BEHIND)
		return;
	hash_seq_init(&scan, locked);
	while ((entry = hash_seq_search(&scan)) != NULL)
		*left_behind_of(&entry->id) = *entry;
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT)
		leave_heads_behind();
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PARALLEL_PRE_COMMIT &&
		event != XACT_EVENT_PRE_PREPARE)
		forget_heads();
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	/* rows and locks of the subtransaction are gone */
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_heads();
}

void
ecert_feed_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

Oid
ecert_ledger_owner(void)
{
	Relation	relation = table_open(ecert_ledger_relid(), AccessShareLock);
	Oid			owner = relation->rd_rel->relowner;

	table_close(relation, AccessShareLock);
	return owner;
}

EcertUser
ecert_become(Oid owner)
{
	EcertUser	before;

	GetUserIdAndSecContext(&before.user, &before.context);
	SetUserIdAndSecContext(owner, before.context | SECURITY_LOCAL_USERID_CHANGE);
	return before;
}

void
ecert_restore_user(EcertUser before)
{
	/* between ecert_become() and here nothing else has changed the user */
	Assert(InLocalUserIdChange());
	SetUserIdAndSecContext(before.user, before.context);
}

static FeedId
feed_id(EcertSlice issuer, EcertKind kind)
{
	FeedId		id;

	memset(&id, 0, sizeof id);
	id.issuer = ecert_node_id(issuer);
	id.kind = (uint8_t) kind;
	return id;
}

const EcertHead *
ecert_feed_left_behind(const EcertPackage *package)
{
	FeedId		id = feed_id(package->issuer, package->kind);
	const FeedEntry *entry = left_behind_of(&id);

	return package->seq > 0 && entry->head.seq == package->seq - 1 && memcmp(&entry->id, &id, sizeof id) == 0 &&
		memcmp(entry->head.hash, package->prev.data, ECERT_HASH_SIZE) == 0 ? &entry->head : NULL;
}

EcertHead *
ecert_feed_locked(EcertSlice issuer, EcertKind kind)
{
	FeedId		id = feed_id(issuer, kind);
	FeedEntry  *entry = locked == NULL ? NULL : hash_search(locked, &id, HASH_FIND, NULL);

	return entry == NULL ? NULL : &entry->head;
}

/*
 * Both tables of feeds begin their primary key with issuer and kind.  They are
 * read by a scan of that index, without a plan and an executor: a transaction
 * of one package spends a good part of its time here.
 */
typedef struct FeedScan
{
	Relation	table;
	Relation	index;
	Snapshot	snapshot;
	SysScanDesc scan;
} FeedScan;

static void
begin_scan(FeedScan *scan, Oid relid, LOCKMODE lock, Snapshot snapshot, EcertSlice issuer, EcertKind kind, int64 least_seq)
{
	ScanKeyData keys[3];
	Oid			index;

	scan->table = table_open(relid, lock);
	index = ecert_primary_key_of(scan->table);
	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" has lost its primary key", RelationGetRelationName(scan->table)),
				 errhint("Make it again as ecert.create_ledger() does: no feed can be kept without it.")));
	scan->index = index_open(index, AccessShareLock);
	scan->snapshot = RegisterSnapshot(snapshot);
	ScanKeyInit(&keys[0], COLUMN_ISSUER, BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(ecert_text(issuer)));
	ScanKeyInit(&keys[1], COLUMN_KIND, BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(cstring_to_text(ecert_kind_name(kind))));
	ScanKeyInit(&keys[2], COLUMN_SEQ, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(least_seq));
	scan->scan = systable_beginscan_ordered(scan->table, scan->index, scan->snapshot, least_seq > 0 ? 3 : 2, keys);
}

static void
end_scan(FeedScan *scan)
{
	systable_endscan_ordered(scan->scan);
	UnregisterSnapshot(scan->snapshot);
	index_close(scan->index, AccessShareLock);
	table_close(scan->table, NoLock);
}

/* The head that a row of ledger.package makes */
static void
read_head(HeapTuple row, TupleDesc columns, EcertHead *head)
{
	bool		isnull;
	bytea	   *hash;

	head->seq = DatumGetInt64(heap_getattr(row, COLUMN_SEQ, columns, &isnull));
	hash = DatumGetByteaPP(heap_getattr(row, COLUMN_HASH, columns, &isnull));
	if (VARSIZE_ANY_EXHDR(hash) == ECERT_HASH_SIZE)
		memcpy(head->hash, VARDATA_ANY(hash), ECERT_HASH_SIZE);
	head->issued_at = ecert_seconds(DatumGetTimestampTz(heap_getattr(row, COLUMN_ISSUED_AT, columns, &isnull)));
}

bool
ecert_period_end(EcertSlice bytes, int64 *period_end)
{
	EcertPackage package = {0};
	EcertPeriod period;
	uint8_t		replaced[ECERT_HASH_SIZE];

	/* the body alone, without the package's checks: it passed them when it came */
	ecert_package_set_body(&package, ecert_package_body_again(bytes));
	if (ecert_body_replaces(&package, replaced) || !ecert_body_period(&package, &period))
		return false;
	*period_end = period.end;
	return true;
}

static bool
read_period_end(HeapTuple row, TupleDesc columns, int64 *period_end)
{
	bool		isnull;
	Datum		value = heap_getattr(row, COLUMN_PACKAGE, columns, &isnull);

	return !isnull && ecert_period_end(ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(value)), period_end);
}

/* The head, from packages of least_seq on; false when these do not tell all of it */
static bool
read_feed_from(EcertSlice issuer, EcertKind kind, int64 least_seq, Snapshot snapshot, EcertHead *head)
{
	FeedScan	scan;
	HeapTuple	row;
	bool		told = kind != ECERT_KIND_ENERGY && kind != ECERT_KIND_PRODUCT;

	memset(head, 0, sizeof *head);
	head->seq = -1;
	begin_scan(&scan, ecert_ledger_relid(), AccessShareLock, snapshot, issuer, kind, least_seq);
	while ((row = systable_getnext_ordered(scan.scan, BackwardScanDirection)) != NULL)
	{
		if (head->seq < 0)
			read_head(row, RelationGetDescr(scan.table), head);
		told = told || read_period_end(row, RelationGetDescr(scan.table), &head->period_end);
		if (told)
			break;
		CHECK_FOR_INTERRUPTS();
	}
	end_scan(&scan);
	return head->seq >= 0 && told;
}

/*
 * expected_seq is where the feed should end.  An index scan takes in a whole
 * page of what matches its keys, so it is asked for the end of the feed first
 */
static void
read_feed(EcertSlice issuer, EcertKind kind, int64 expected_seq, Snapshot snapshot, EcertHead *head)
{
	if (expected_seq <= 0 || !read_feed_from(issuer, kind, expected_seq, snapshot, head))
		(void) read_feed_from(issuer, kind, 0, snapshot, head);
}

void
ecert_feed_read(EcertSlice issuer, EcertKind kind, int64 expected_seq, EcertHead *head)
{
	read_feed(issuer, kind, expected_seq, ecert_present_snapshot(), head);
}

int
ecert_feed_rows(EcertSlice issuer, EcertKind kind, int64 least_seq, EcertFeedRow *rows, int most)
{
	FeedScan	scan;
	HeapTuple	row;
	int			count = 0;

	Assert(most > 0);
	begin_scan(&scan, ecert_ledger_relid(), AccessShareLock, ecert_present_snapshot(), issuer, kind, least_seq);
	while (count < most && (row = systable_getnext_ordered(scan.scan, ForwardScanDirection)) != NULL)
	{
		bool		isnull;
		Datum		value = heap_getattr(row, COLUMN_PACKAGE, RelationGetDescr(scan.table), &isnull);

		memset(&rows[count], 0, sizeof rows[count]);
		read_head(row, RelationGetDescr(scan.table), &rows[count].head);
		rows[count].bytes = ecert_varlena_slice((struct varlena *) PG_DETOAST_DATUM_COPY(value));
		count++;
	}
	end_scan(&scan);
	return count;
}

/* In REPEATABLE READ the head must be the one the transaction can see */
static void
check_snapshot(EcertSlice issuer, EcertKind kind, const EcertHead *head)
{
	EcertHead	seen;

	if (!IsolationUsesXactSnapshot())
		return;
	read_feed(issuer, kind, head->seq, GetTransactionSnapshot(), &seen);
	if (seen.seq != head->seq)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access to a feed due to concurrent append"),
				 errdetail("The feed ends at seq " INT64_FORMAT ", this transaction sees it end at " INT64_FORMAT ".",
						   head->seq, seen.seq),
				 errhint("Try the transaction again.")));
}

/* Lock the feed's row until the transaction ends; false when there is none */
static bool
lock_row(Oid relid, EcertSlice issuer, EcertKind kind)
{
	FeedScan	scan;
	HeapTuple	row;
	bool		is_locked = false;

	begin_scan(&scan, relid, RowShareLock, ecert_present_snapshot(), issuer, kind, 0);
	row = systable_getnext_ordered(scan.scan, ForwardScanDirection);
	if (row != NULL)
	{
		TupleTableSlot *slot = table_slot_create(scan.table, NULL);
		TM_FailureData failure;

		is_locked = table_tuple_lock(scan.table, &row->t_self, scan.snapshot, slot, GetCurrentCommandId(true),
									 LockTupleNoKeyExclusive, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure) == TM_Ok;
		ExecDropSingleTupleTableSlot(slot);
	}
	end_scan(&scan);
	return is_locked;
}

/* Make the feed's row, which locks it; false when another has made it by now */
static bool
make_row(EcertSlice issuer, EcertKind kind)
{
	Datum		values[2];
	bool		is_made;

	SPI_connect();
	values[0] = PointerGetDatum(ecert_text(issuer));
	values[1] = PointerGetDatum(cstring_to_text(ecert_kind_name(kind)));
	is_made = ecert_query(&new_feed_query, values, 0) > 0;
	SPI_finish();
	return is_made;
}

/* The table ledger.feed */
static Oid
feed_relid(void)
{
	Oid			relid = get_relname_relid("feed", get_rel_namespace(ecert_ledger_relid()));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"ledger.feed\" is missing")));
	return relid;
}

EcertHead *
ecert_feed_lock(EcertSlice issuer, EcertKind kind, int64 expected_seq)
{
	FeedId		id = feed_id(issuer, kind);
	Oid			relid = feed_relid();
	EcertHead	head;
	FeedEntry  *entry;
	HASHCTL		control;

	Assert(!IsInParallelMode());
	/* of two first writers the second waits in make_row() for the first */
	while (!lock_row(relid, issuer, kind) && !make_row(issuer, kind))
		CHECK_FOR_INTERRUPTS();
	ecert_feed_read(issuer, kind, expected_seq, &head);
	check_snapshot(issuer, kind, &head);
	if (locked != NULL && hash_get_num_entries(locked) >= HEADS_KEPT)
	{
		hash_destroy(locked);
		locked = NULL;
	}
	if (locked == NULL)
	{
		memset(&control, 0, sizeof control);
		control.keysize = sizeof(FeedId);
		control.entrysize = sizeof(FeedEntry);
		control.hcxt = TopTransactionContext;
		control.hash = ecert_node_id_hash;
		locked = hash_create("ecert feed heads", 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_CONTEXT);
	}
	entry = hash_search(locked, &id, HASH_ENTER, NULL);
	entry->head = head;
	return &entry->head;
}

void
ecert_head_advance(EcertHead *head, const EcertPackage *package, const uint8_t *hash)
{
	head->seq = package->seq;
	memcpy(head->hash, hash, ECERT_HASH_SIZE);
	ecert_head_date(head, package);
}

void
ecert_head_date(EcertHead *head, const EcertPackage *package)
{
	EcertPeriod period;

	head->issued_at = package->issued_at;
	if (ecert_body_period(package, &period) && period.end > head->period_end)
		head->period_end = period.end;
}
