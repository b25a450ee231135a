/*
 * feed.c
 *		Feed locks and heads.
 *
 * A local writer locks the feed's row in ledger.feed, which is never updated
 * (a head row updated per package would make a long transaction quadratic),
 * and then keeps the head in memory until the transaction ends.
 */
#include "ledger/ledger.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
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

typedef struct FeedEntry
{
	EcertFeedId id;				/* hash key, first */
	EcertHead	head;
} FeedEntry;

/* Feeds locked by this transaction; in TopTransactionContext, so that at its end it need only be forgotten */
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

/* Never longer than the function that exchanges stories runs */
static bool exchanging;

static FeedEntry *
left_behind_of(const EcertFeedId *id)
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

/* Within a transaction, which may have very many subtransactions that are rolled back */
static void
forget_locked(void)
{
	if (locked != NULL)
		hash_destroy(locked);
	locked = NULL;
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT)
		leave_heads_behind();
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PARALLEL_PRE_COMMIT &&
		event != XACT_EVENT_PRE_PREPARE)
		locked = NULL;
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	/* rows and locks of the subtransaction are gone */
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_locked();
}

void
ecert_feed_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

void
ecert_set_exchanging(bool on)
{
	exchanging = on;
	forget_locked();
}

bool
ecert_is_exchanging(void)
{
	return exchanging;
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

void
ecert_inserted_package(FunctionCallInfo fcinfo, const char *name, EcertPackage *package)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != ecert_ledger_relid())
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s must be called as AFTER INSERT row trigger of the ledger", name)));
	ecert_check_table(trigger->tg_relation);
	ecert_package_of(heap_getattr(trigger->tg_trigtuple, COLUMN_PACKAGE, RelationGetDescr(trigger->tg_relation), &isnull), package);
}

EcertFeedId
ecert_feed_id(EcertSlice issuer, EcertKind kind)
{
	EcertFeedId id;

	memset(&id, 0, sizeof id);
	id.issuer = ecert_node_id(issuer);
	id.kind = (uint8_t) kind;
	return id;
}

const EcertHead *
ecert_feed_left_behind(const EcertPackage *package)
{
	EcertFeedId id = ecert_feed_id(package->issuer, package->kind);
	const FeedEntry *entry = left_behind_of(&id);

	return package->seq > 0 && entry->head.seq == package->seq - 1 && memcmp(&entry->id, &id, sizeof id) == 0 &&
		memcmp(entry->head.hash, package->prev.data, ECERT_HASH_SIZE) == 0 ? &entry->head : NULL;
}

EcertHead *
ecert_feed_locked(EcertSlice issuer, EcertKind kind)
{
	EcertFeedId id = ecert_feed_id(issuer, kind);
	FeedEntry  *entry = locked == NULL ? NULL : hash_search(locked, &id, HASH_FIND, NULL);

	return entry == NULL ? NULL : &entry->head;
}

/* Is the package at hand void? */
static bool
is_void(EcertScan *scan, EcertSlice issuer)
{
	bool		isnull;
	int64		issued_at = ecert_seconds(DatumGetTimestampTz(slot_getattr(scan->slot, COLUMN_ISSUED_AT, &isnull)));
	EcertPackage package;

	return ecert_key_had_ended(issuer, NULL, issued_at) &&
		ecert_package_parse_again(ecert_scan_bytes(scan, COLUMN_PACKAGE), &package) == ECERT_OK &&
		ecert_key_had_ended(issuer, package.kid.data, issued_at);
}

/*
 * Where the periods of a feed end with the package at hand; false when it does
 * not tell: one that replaces another has the period of an earlier one, and one
 * that is void stands in nobody's way
 */
static bool
read_period_end(EcertScan *scan, EcertSlice issuer, int64 *period_end)
{
	EcertPackage package = {0};
	EcertPeriod period;
	EcertSlice	bytes = ecert_scan_bytes(scan, COLUMN_PACKAGE);
	uint8_t		replaced[ECERT_HASH_SIZE];

	if (bytes.size == 0)
		return false;
	/* the body alone, without the package's checks: it passed them when it came */
	ecert_package_set_body(&package, ecert_package_body_again(bytes));
	if (ecert_body_replaces(&package, replaced) || !ecert_body_period(&package, &period) || is_void(scan, issuer))
		return false;
	*period_end = period.end;
	return true;
}

/* The place that the package at hand gives the head */
static void
read_place(EcertScan *scan, EcertHead *head)
{
	EcertSlice	hash = ecert_scan_bytes(scan, COLUMN_HASH);
	bool		isnull;

	head->seq = DatumGetInt64(slot_getattr(scan->slot, COLUMN_SEQ, &isnull));
	if (hash.size == ECERT_HASH_SIZE)
		memcpy(head->hash, hash.data, ECERT_HASH_SIZE);
}

/* Is the package at hand of an issuer and key as they should be?  Else its times do not count for those behind it */
static bool
is_of_issuer(EcertScan *scan)
{
	EcertPackage package;

	return ecert_package_parse_again(ecert_scan_bytes(scan, COLUMN_PACKAGE), &package) == ECERT_OK &&
		ecert_issuer_was_right(&package, scan->snapshot);
}

/* Take into the head the times of the package at hand */
static void
read_times(EcertScan *scan, EcertSlice issuer, EcertKind kind, EcertHead *head, bool *is_dated, bool *is_reached)
{
	bool		isnull;
	int64		seq = DatumGetInt64(slot_getattr(scan->slot, COLUMN_SEQ, &isnull));
	bool		is_false = ecert_found(ecert_ledger_relid(), scan->snapshot, ecert_text_datum(issuer), ecert_kind_datum(kind), seq) == ECERT_FOUND_FALSE;
	int64		period_end = 0;

	if (is_false && !is_of_issuer(scan))
		return;
	if (!*is_dated)
		head->issued_at = ecert_seconds(DatumGetTimestampTz(slot_getattr(scan->slot, COLUMN_ISSUED_AT, &isnull)));
	*is_dated = true;
	/* one that was found false may end before another one does */
	if (!*is_reached && read_period_end(scan, issuer, &period_end))
	{
		head->period_end = Max(head->period_end, period_end);
		*is_reached = !is_false;
	}
}

/* The head, from packages first .. last; false when these do not tell all of it */
static bool
read_feed_from(EcertSlice issuer, EcertKind kind, int64 first, int64 last, Snapshot snapshot, EcertHead *head, EcertSlice *bytes)
{
	bool		is_dated = false;
	bool		is_reached = !ecert_kinds[kind].has_periods;
	EcertScan	scan;

	memset(head, 0, sizeof *head);
	head->seq = -1;
	if (bytes != NULL)
		*bytes = ecert_slice(NULL, 0);
	ecert_scan_feed(&scan, ecert_ledger_relid(), AccessShareLock, snapshot, ecert_text_datum(issuer), ecert_kind_datum(kind), first, last);
	while (!(is_dated && is_reached) && ecert_scan_next(&scan, BackwardScanDirection))
	{
		if (head->seq < 0)
		{
			read_place(&scan, head);
			if (bytes != NULL)
				*bytes = ecert_varlena_slice(ecert_bytea(ecert_scan_bytes(&scan, COLUMN_PACKAGE)));
		}
		read_times(&scan, issuer, kind, head, &is_dated, &is_reached);
	}
	ecert_scan_end(&scan);
	return is_dated && is_reached;
}

/*
 * expected_seq is where the feed should end.  An index scan takes in a whole
 * page of what matches its keys, so it is asked for the end of the feed first
 */
static void
read_feed(EcertSlice issuer, EcertKind kind, int64 expected_seq, int64 last, Snapshot snapshot, EcertHead *head, EcertSlice *bytes)
{
	if (expected_seq <= 0 || !read_feed_from(issuer, kind, expected_seq, last, snapshot, head, bytes))
		(void) read_feed_from(issuer, kind, 0, last, snapshot, head, bytes);
}

void
ecert_feed_read(EcertSlice issuer, EcertKind kind, int64 expected_seq, int64 last, EcertHead *head, EcertSlice *bytes)
{
	read_feed(issuer, kind, expected_seq, last, ecert_present_snapshot(), head, bytes);
}

/* In REPEATABLE READ the head must be the one the transaction can see */
static void
check_snapshot(EcertSlice issuer, EcertKind kind, const EcertHead *head)
{
	EcertHead	seen;

	if (!IsolationUsesXactSnapshot())
		return;
	read_feed(issuer, kind, head->seq, PG_INT64_MAX, GetTransactionSnapshot(), &seen, NULL);
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
	bool		is_locked = false;
	TM_FailureData failure;
	EcertScan	scan;

	ecert_scan_feed(&scan, relid, RowShareLock, ecert_present_snapshot(), ecert_text_datum(issuer), ecert_kind_datum(kind), 0, PG_INT64_MAX);
	if (ecert_scan_next(&scan, ForwardScanDirection))
	{
		ItemPointerData place = scan.slot->tts_tid;

		is_locked = table_tuple_lock(scan.table, &place, scan.snapshot, scan.slot, GetCurrentCommandId(true),
									 LockTupleNoKeyExclusive, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure) == TM_Ok;
	}
	ecert_scan_end(&scan);
	return is_locked;
}

/* Make the feed's row, which locks it; false when another has made it by now */
static bool
make_row(EcertSlice issuer, EcertKind kind)
{
	Datum		values[2] = {ecert_text_datum(issuer), ecert_kind_datum(kind)};

	return ecert_run(&new_feed_query, values) > 0;
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
	EcertFeedId id = ecert_feed_id(issuer, kind);
	Oid			relid = feed_relid();
	EcertHead	head;
	FeedEntry  *entry;

	Assert(!IsInParallelMode());
	/* of two first writers the second waits in make_row() for the first */
	while (!lock_row(relid, issuer, kind) && !make_row(issuer, kind))
		CHECK_FOR_INTERRUPTS();
	ecert_feed_read(issuer, kind, expected_seq, PG_INT64_MAX, &head, NULL);
	check_snapshot(issuer, kind, &head);
	if (locked != NULL && hash_get_num_entries(locked) >= HEADS_KEPT)
		forget_locked();
	if (locked == NULL)
		locked = ecert_table(TopTransactionContext, "ecert feed heads", sizeof(EcertFeedId), sizeof(FeedEntry), ecert_node_id_hash);
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
