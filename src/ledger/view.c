/*
 * view.c
 *		The questions of rules/view.h, each one index scan without a plan.
 */
#include "ledger/view.h"

#include "access/hash.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "package/datum.h"
#include "rules/as_of.h"

static EcertQuery filter_query = {
	"SELECT 1 FROM ledger.peer p WHERE p.is_hub AND (p.issuers IS NOT NULL OR p.kinds IS NOT NULL)", 0, {0}, NULL
};
static EcertTakenUpHook taken_up_hook;

static EcertQuery holds_query = {
	"SELECT 1 WHERE ecert.holds($1, CASE WHEN $2 OPERATOR(pg_catalog.<>) '' THEN $2 END)", 2, {TEXTOID, TEXTOID}, NULL
};
/* By the index of kids alone: inside, no other condition lets the planner take another one */
static EcertQuery holder_query = {
	"SELECT p.node, p.seq FROM (SELECT p.issuer, CASE p.kind WHEN 'genesis' THEN p.issuer ELSE p.subject END AS node,"
	" CASE p.kind WHEN 'genesis' THEN -1 ELSE p.seq END AS seq"
	" FROM ledger.package p WHERE ecert.kids(p.package) OPERATOR(pg_catalog.@>) ARRAY[$1] OFFSET 0) AS p"
	" WHERE p.issuer OPERATOR(pg_catalog.=) $2 AND p.node OPERATOR(pg_catalog.<>) $3 AND p.seq OPERATOR(pg_catalog.<) $4 ORDER BY p.seq",
	4, {BYTEAOID, TEXTOID, TEXTOID, INT8OID}, NULL, ECERT_BY_BITMAP
};

static EcertLedgerRules *
ledger_of(EcertView *view)
{
	return (EcertLedgerRules *) ((char *) view - offsetof(EcertLedgerRules, view));
}

static Snapshot
snapshot_of(EcertView *view)
{
	return ledger_of(view)->sight == ECERT_SEE_QUERY ? GetActiveSnapshot() : ecert_present_snapshot();
}

static void
begin_scan(EcertScan *scan, EcertView *view, const char *index, ScanKey keys, int key_count)
{
	ecert_scan_begin(scan, ecert_ledger_relid(), AccessShareLock, snapshot_of(view), index, keys, key_count);
}

/* Packages first .. last of a feed */
static void
begin_feed(EcertScan *scan, EcertView *view, EcertSlice issuer, EcertKind kind, int64 first, int64 last)
{
	ecert_scan_feed(scan, ecert_ledger_relid(), AccessShareLock, snapshot_of(view), ecert_text_datum(issuer), ecert_kind_datum(kind), first, last);
}

static EcertPeriod
read_period(TupleTableSlot *slot)
{
	EcertPeriod period = {0, 0};
	bool		isnull;
	Datum		value = slot_getattr(slot, COLUMN_PERIOD, &isnull);
	RangeBound	lower,
				upper;
	bool		is_empty;

	if (isnull)
		return period;
	range_deserialize(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO), DatumGetRangeTypeP(value), &lower, &upper, &is_empty);
	if (is_empty || lower.infinite || upper.infinite)
		return period;
	period.start = ecert_seconds(DatumGetTimestampTz(lower.val));
	period.end = ecert_seconds(DatumGetTimestampTz(upper.val));
	return period;
}

/* The row at hand; what its columns say is what admission derived.  False when the kind is none */
static bool
read_entry(EcertScan *scan, EcertArena *arena, EcertEntry *entry)
{
	TupleTableSlot *slot = scan->slot;
	EcertSlice	hash = ecert_scan_bytes(scan, COLUMN_HASH);
	bool		isnull;

	memset(entry, 0, sizeof *entry);
	if (!ecert_kind_from_name(ecert_scan_bytes(scan, COLUMN_KIND), &entry->kind))
		return false;
	entry->issuer = ecert_arena_copy(arena, ecert_scan_bytes(scan, COLUMN_ISSUER));
	entry->subject = ecert_arena_copy(arena, ecert_scan_bytes(scan, COLUMN_SUBJECT));
	entry->seq = DatumGetInt64(slot_getattr(slot, COLUMN_SEQ, &isnull));
	entry->issued_at = ecert_seconds(DatumGetTimestampTz(slot_getattr(slot, COLUMN_ISSUED_AT, &isnull)));
	entry->period = read_period(slot);
	if (hash.size == ECERT_HASH_SIZE)
		memcpy(entry->hash, hash.data, ECERT_HASH_SIZE);
	entry->place = (uint64_t) ItemPointerGetBlockNumber(&slot->tts_tid) << 16 | ItemPointerGetOffsetNumber(&slot->tts_tid);
	return true;
}

static EcertEntries
read_entries(EcertScan *scan, EcertArena *arena)
{
	EcertEntries entries = {NULL, 0};
	size_t		room = 0;
	EcertEntry	entry;

	while (ecert_scan_next(scan, ForwardScanDirection))
	{
		if (!read_entry(scan, arena, &entry))
			continue;
		entries.list = ecert_arena_grow(arena, entries.list, entries.count, &room, sizeof(EcertEntry));
		entries.list[entries.count++] = entry;
	}
	ecert_scan_end(scan);
	return entries;
}

/* The first row in that direction */
static bool
read_first(EcertScan *scan, ScanDirection direction, EcertArena *arena, EcertEntry *entry)
{
	bool		found = ecert_scan_next(scan, direction) && read_entry(scan, arena, entry);

	ecert_scan_end(scan);
	return found;
}

/* The key of an index over hashes */
static ScanKeyData
hash_key(const uint8_t *hash, StrategyNumber equal)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, equal, F_BYTEAEQ, PointerGetDatum(ecert_bytea(ecert_slice(hash, ECERT_HASH_SIZE))));
	return key;
}

/* The index over hashes is a hash index: what it finds may have another hash */
static bool
view_by_hash(EcertView *view, EcertArena *arena, const uint8_t *hash, EcertEntry *entry)
{
	ScanKeyData key = hash_key(hash, HTEqualStrategyNumber);
	EcertScan	scan;
	bool		found = false;

	begin_scan(&scan, view, "package_hash", &key, 1);
	while (!found && ecert_scan_next(&scan, ForwardScanDirection))
		found = read_entry(&scan, arena, entry) && memcmp(entry->hash, hash, ECERT_HASH_SIZE) == 0;
	ecert_scan_end(&scan);
	return found;
}

static bool
view_by_seq(EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, int64_t seq, EcertEntry *entry)
{
	EcertScan	scan;

	begin_feed(&scan, view, issuer, kind, seq, seq);
	return read_first(&scan, ForwardScanDirection, arena, entry);
}

static bool
view_head(EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, EcertEntry *entry)
{
	EcertScan	scan;

	begin_feed(&scan, view, issuer, kind, 0, PG_INT64_MAX);
	return read_first(&scan, BackwardScanDirection, arena, entry);
}

static EcertEntries
view_feed(EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, int64_t first, int64_t last)
{
	EcertScan	scan;

	begin_feed(&scan, view, issuer, kind, first, last);
	return read_entries(&scan, arena);
}

/* Packages without a period are in the index by subject and kind alone */
static EcertEntries
view_about(EcertView *view, EcertArena *arena, EcertSlice subject, EcertKind kind, EcertPeriod *starting)
{
	EcertScan	scan;
	ScanKeyData keys[4];
	int			count = 2;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, ecert_text_datum(subject));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, ecert_kind_datum(kind));
	if (starting->start >= 0)
		ScanKeyInit(&keys[count++], 3, BTGreaterEqualStrategyNumber, F_TIMESTAMPTZ_GE, TimestampTzGetDatum(ecert_timestamp(starting->start)));
	if (starting->end <= ECERT_TIME_MAX)
		ScanKeyInit(&keys[count++], 3, BTLessStrategyNumber, F_TIMESTAMPTZ_LT, TimestampTzGetDatum(ecert_timestamp(starting->end)));
	begin_scan(&scan, view, "package_subject_kind_period", keys, count);
	return read_entries(&scan, arena);
}

/* What the rule says of a package whose checkpoint is not taken up, with what is here of that */
static bool
breaks_rule(EcertView *view, const EcertEntry *entry)
{
	EcertLedgerRules *beside = ecert_ledger_rules(CurrentMemoryContext, ledger_of(view)->sight, NULL);
	EcertPackage package;
	EcertFinding finding;
	bool		broken;

	/* a copy, because rules read other packages */
	broken = !beside->view.package(&beside->view, entry, &package) ||
		ecert_package_parse_again(ecert_varlena_slice(ecert_bytea(package.bytes)), &package) != ECERT_OK ||
		!ecert_rule_check(&beside->rules, &package, false, &finding);
	MemoryContextDelete(GetMemoryChunkContext(beside));
	return broken;
}

/* What was found stands in ledger.finding; verification believes its own registry alone */
static bool
view_is_false(EcertView *view, const EcertEntry *entry)
{
	EcertLedgerRules *ledger = ledger_of(view);
	EcertFound	found;

	if (ledger->registry != NULL)
		return ecert_registry_is_false(ledger->registry, entry->kind, entry->seq);
	found = ecert_found(ecert_ledger_relid(), snapshot_of(view), ecert_text_datum(entry->issuer), ecert_kind_datum(entry->kind), entry->seq);
	return found == ECERT_FOUND_FALSE || (found == ECERT_NOT_JUDGED && breaks_rule(view, entry));
}

static EcertEntries
view_naming(EcertView *view, EcertArena *arena, const uint8_t *hash, EcertKind kind)
{
	ScanKeyData key = hash_key(hash, BTEqualStrategyNumber);
	EcertScan	scan;
	EcertEntries entries;
	size_t		count = 0;

	begin_scan(&scan, view, "package_reference", &key, 1);
	entries = read_entries(&scan, arena);
	for (size_t i = 0; i < entries.count; i++)
	{
		if (entries.list[i].kind == kind)
			entries.list[count++] = entries.list[i];
	}
	entries.count = count;
	return entries;
}

static int64_t
view_sealed_by(EcertView *view, EcertSlice issuer, EcertKind kind, int64_t seq)
{
	return ecert_sealed_by(ecert_ledger_relid(), snapshot_of(view), ecert_text_datum(issuer), ecert_kind_datum(kind), seq);
}

static int64_t
view_sealed_up_to(EcertView *view, EcertSlice issuer, EcertKind kind, int64_t seq, int64_t *last)
{
	return ecert_sealed_up_to(ecert_ledger_relid(), snapshot_of(view), ecert_text_datum(issuer), ecert_kind_datum(kind), seq, last);
}

static int64_t
view_covered(EcertView *view, EcertSlice issuer, EcertKind kind, int64_t checkpoint)
{
	return ecert_covered(ecert_ledger_relid(), snapshot_of(view), ecert_text_datum(issuer), ecert_kind_datum(kind), checkpoint);
}

static int64_t
view_next_sealing(EcertView *view, int64_t seq)
{
	return ecert_next_sealing(ecert_ledger_relid(), snapshot_of(view), seq);
}

/* The row at its place, which an append-only table never changes; of bytes that are no package any more, none */
static bool
view_package(EcertView *view, const EcertEntry *entry, EcertPackage *package)
{
	EcertLedgerRules *ledger = ledger_of(view);
	Relation	table = table_open(ecert_ledger_relid(), AccessShareLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	Snapshot	snapshot = RegisterSnapshot(snapshot_of(view));
	MemoryContext caller;
	ItemPointerData place;
	EcertSlice	bytes = {NULL, 0};
	bool		isnull;

	ItemPointerSet(&place, (BlockNumber) (entry->place >> 16), (OffsetNumber) (entry->place & 0xFFFF));
	MemoryContextReset(ledger->reading);
	if (table_tuple_fetch_row_version(table, &place, snapshot, slot))
	{
		Datum		value = slot_getattr(slot, COLUMN_PACKAGE, &isnull);

		caller = MemoryContextSwitchTo(ledger->reading);
		if (!isnull)
			bytes = ecert_varlena_slice((struct varlena *) PG_DETOAST_DATUM_COPY(value));
		MemoryContextSwitchTo(caller);
	}
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(table, NoLock);
	return bytes.size > 0 && ecert_package_parse_again(bytes, package) == ECERT_OK;
}

static bool
view_key(EcertView *view, EcertSlice node, EcertSlice kid, EcertKeyFacts *key, const EcertPublicKey **prepared)
{
	EcertLedgerRules *ledger = ledger_of(view);
	EcertRegistry *registry = ledger->registry != NULL ? ledger->registry : ecert_registry_current();
	EcertNodeKey *found = ecert_node_key(ecert_registry_node(registry, node), kid);

	if (found == NULL)
		return false;
	*key = found->facts;
	*prepared = ecert_prepared_key(registry, found);
	return true;
}

static bool
view_key_at(EcertView *view, EcertSlice node, size_t number, EcertKeyFacts *key)
{
	EcertLedgerRules *ledger = ledger_of(view);
	EcertNodeState *state = ecert_registry_node(ledger->registry != NULL ? ledger->registry : ecert_registry_current(), node);

	if (state == NULL || number >= (size_t) state->key_count)
		return false;
	*key = state->keys[number].facts;
	return true;
}

/* Does the package of the certifier's node feed with that seq count?  Genesis, at -1, does */
static bool
node_counts(EcertView *view, EcertArena *arena, int64 seq)
{
	EcertEntry	entry;

	return seq < 0 || (view->by_seq(view, arena, view->certifier, ECERT_KIND_NODE, seq, &entry) && !view->is_false(view, &entry));
}

static bool
view_holder(EcertView *view, EcertArena *arena, EcertSlice kid, EcertSlice but, int64_t before, EcertSlice *node)
{
	Datum		values[4] = {
		PointerGetDatum(ecert_bytea(kid)), ecert_text_datum(view->certifier), ecert_text_datum(but), Int64GetDatum(before)
	};
	SPITupleTable *rows;
	uint64		count;
	uint64		first = 0;
	bool		isnull;

	SPI_connect();
	count = ledger_of(view)->sight == ECERT_SEE_QUERY ? ecert_query_stable(&holder_query, values, 0) : ecert_query(&holder_query, values, 0);
	rows = SPI_tuptable;
	while (first < count && !node_counts(view, arena, DatumGetInt64(SPI_getbinval(rows->vals[first], rows->tupdesc, 2, &isnull))))
		first++;
	if (first < count)
		*node = ecert_arena_copy(arena, ecert_varlena_slice(DatumGetTextPP(SPI_getbinval(rows->vals[first], rows->tupdesc, 1, &isnull))));
	SPI_finish();
	return first < count;
}

static bool
is_there(EcertQuery *query, const Datum *values)
{
	bool		found;

	SPI_connect();
	found = ecert_query_stable(query, values, 1) > 0;
	SPI_finish();
	return found;
}

bool
ecert_is_filtered(EcertLedgerRules *ledger)
{
	if (!ledger->knows_filter)
		ledger->is_filtered = is_there(&filter_query, NULL);
	ledger->knows_filter = true;
	return ledger->is_filtered;
}

void
ecert_set_taken_up_hook(EcertTakenUpHook hook)
{
	taken_up_hook = hook;
}

int64
ecert_taken_up(void)
{
	return taken_up_hook != NULL ? taken_up_hook() : -1;
}

static int64_t
view_taken_up(EcertView *view)
{
	return ecert_taken_up();
}

static bool
view_holds(EcertView *view, EcertSlice issuer, EcertKind kind)
{
	Datum		values[2] = {ecert_kind_datum(kind), ecert_text_datum(issuer)};

	return !ecert_is_filtered(ledger_of(view)) || is_there(&holds_query, values);
}

EcertLedgerRules *
ecert_ledger_rules(MemoryContext parent, EcertSight sight, EcertRegistry *registry)
{
	static const EcertView questions = {
		.by_hash = view_by_hash,
		.by_seq = view_by_seq,
		.head = view_head,
		.feed = view_feed,
		.about = view_about,
		.naming = view_naming,
		.sealed_by = view_sealed_by,
		.sealed_up_to = view_sealed_up_to,
		.covered = view_covered,
		.next_sealing = view_next_sealing,
		.is_false = view_is_false,
		.package = view_package,
		.key = view_key,
		.key_at = view_key_at,
		.holder = view_holder,
		.taken_up = view_taken_up,
		.holds = view_holds,
	};
	MemoryContext context = AllocSetContextCreate(parent, "ecert rules", ALLOCSET_DEFAULT_SIZES);
	EcertLedgerRules *ledger = MemoryContextAllocZero(context, sizeof *ledger);
	EcertRegistry *known = registry != NULL ? registry : ecert_registry_current();
	EcertArena *lasting = ecert_arena_in(context);

	ledger->view = questions;
	ledger->view.origin = ecert_arena_copy(lasting, known->origin);
	ledger->view.certifier = ecert_arena_copy(lasting, ecert_certifier_of(known));
	memcpy(ledger->view.genesis_hash, known->genesis_hash, ECERT_HASH_SIZE);
	ledger->sight = sight;
	ledger->registry = registry;
	ecert_context_arena_init(&ledger->arena, context, "ecert rules package");
	ecert_context_arena_init(&ledger->kept, context, "ecert rules kept");
	ledger->reading = AllocSetContextCreate(context, "ecert rules reading", ALLOCSET_DEFAULT_SIZES);
	ledger->rules.view = &ledger->view;
	ledger->rules.arena = &ledger->arena.memory;
	ledger->rules.kept = &ledger->kept.memory;
	ledger->rules.forget = ecert_context_arena_reset;
	ecert_see_as_of(&ledger->rules, ECERT_AS_OF_NOW);
	return ledger;
}

void
ecert_ledger_rules_next(EcertLedgerRules *ledger)
{
	ecert_context_arena_reset(ledger->rules.arena);
	ecert_see_as_of(&ledger->rules, ECERT_AS_OF_NOW);
}

/* Do two snapshots see the same? */
static bool
sees_same(const SnapshotData *one, const SnapshotData *other)
{
	return one->xmin == other->xmin && one->xmax == other->xmax && one->xcnt == other->xcnt && one->curcid == other->curcid &&
		one->snapXactCompletionCount == other->snapXactCompletionCount;
}

EcertLedgerRules *
ecert_ledger_rules_of(FmgrInfo *flinfo)
{
	EcertLedgerRules *ledger = flinfo->fn_extra;
	Snapshot	snapshot = GetActiveSnapshot();

	/* an expression of PL/pgSQL is called again by later commands, which may see another ledger */
	if (ledger != NULL && (ledger->rollbacks != ecert_rollbacks() || !sees_same(&ledger->seen, snapshot)))
	{
		flinfo->fn_extra = NULL;
		MemoryContextDelete(GetMemoryChunkContext(ledger));
		ledger = NULL;
	}
	if (ledger == NULL)
	{
		ledger = ecert_ledger_rules(flinfo->fn_mcxt, ECERT_SEE_QUERY, NULL);
		ledger->seen = *snapshot;
		ledger->rollbacks = ecert_rollbacks();
		flinfo->fn_extra = ledger;
	}
	ecert_ledger_rules_next(ledger);
	return ledger;
}
