/*
 * peer.c
 *		Packages that come from a peer: by logical replication, or pulled.
 *
 * The checks are those of first admission, but nothing may stop replication
 * and no feed is locked.  A package that is here already is skipped, which
 * ends the loop node -> hub -> node.  One that came before something it
 * depends on waits in ledger.pending; whatever it waits for wakes it.  One
 * that can never be admitted goes to ledger.quarantine, and two stories about
 * one seq to ledger.equivocation.
 *
 * What is admitted is inserted here, not by the worker, because packages that
 * have waited for it come right behind it.
 */
#include "ledger/view.h"

#include "access/xact.h"
#include "catalog/pg_subscription.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "replication/origin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"

#include "package/datum.h"
#include "pg/error.h"

PG_FUNCTION_INFO_V1(ecert_sql_admit_from_peer);
PG_FUNCTION_INFO_V1(ecert_sql_drain_pending);
PG_FUNCTION_INFO_V1(ecert_sql_is_equivocation);
PG_FUNCTION_INFO_V1(ecert_drain_waiting);

/* Rescanning pending packages takes at most this part of the time */
#define SWEEP_SHARE 50

/* Why a package is not admitted now */
typedef struct Judgement
{
	EcertSettled settled;
	EcertFinding finding;		/* of what waits or is quarantined */
	const char *waits_for;		/* of what waits */
	EcertSlice	other_story;	/* of two stories: the package on the ledger */
} Judgement;

/* The place of a package in its feed */
typedef struct Place
{
	EcertHead	before;			/* where the feed ends before it */
	EcertSlice	taken_by;		/* the package that has its seq; of size 0: none */
	bool		is_known;		/* and it is the same one */
} Place;

static EcertQuery insert_query = {
	"INSERT INTO ledger.package (package) VALUES ($1::ecert.package) ON CONFLICT DO NOTHING",
	1, {BYTEAOID}, NULL
};
static EcertQuery park_query = {
	"INSERT INTO ledger.pending (hash, issuer, kind, seq, package, waits_for, sqlstate, reason, peer)"
	" VALUES ($1, $2, $3, $4, $5::ecert.package, $6, $7, $8, CASE WHEN $9 OPERATOR(pg_catalog.<>) '' THEN $9 END) ON CONFLICT DO NOTHING",
	9, {BYTEAOID, TEXTOID, TEXTOID, INT8OID, BYTEAOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};
static EcertQuery quarantine_query = {
	"INSERT INTO ledger.quarantine (hash, issuer, kind, seq, bytes, sqlstate, reason, peer)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $8 OPERATOR(pg_catalog.<>) '' THEN $8 END) ON CONFLICT DO NOTHING",
	8, {BYTEAOID, TEXTOID, TEXTOID, INT8OID, BYTEAOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};
static EcertQuery equivocation_query = {
	"INSERT INTO ledger.equivocation (first_package, second_package) VALUES ($1, $2)",
	2, {BYTEAOID, BYTEAOID}, NULL
};
static EcertQuery peer_query = {
	"SELECT ecert.peer_of($1)", 1, {TEXTOID}, NULL
};
static EcertQuery waits_query = {
	"SELECT 1 FROM ledger.pending", 0, {0}, NULL
};
static EcertQuery take_query = {
	"DELETE FROM ledger.pending WHERE hash OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT w.hash FROM ledger.pending w"
	" WHERE w.waits_for OPERATOR(pg_catalog.=) $1 ORDER BY w.issuer, w.kind, w.seq FOR UPDATE SKIP LOCKED))"
	" RETURNING package, peer",
	1, {TEXTOID}, NULL, true
};
static EcertQuery woken_query = {
	"SELECT w.waits_for FROM ecert.woken() AS w (waits_for)", 0, {0}, NULL
};
/*
 * What the backend remembers while it settles packages.  All of it ends with
 * the transaction (xact_callback()), so nothing is believed of a transaction
 * that was rolled back.
 */
static struct
{
	EcertSlice	being_inserted; /* set by insert_checked() alone: the trigger lets this package through; of size 0: none */
	enum
	{
		WAITING_UNKNOWN, WAITING_NONE, WAITING_SOME
	}			waiting;		/* is anything in ledger.pending, as far as this transaction knows? */
	bool		is_swept;		/* ledger.pending was rescanned once */
	bool		has_peer;		/* peer was looked up */
	char		peer[ECERT_ID_MAX + 1];	/* the node that sends what this backend receives; empty: none */
}			transaction;

/* When ledger.pending may be rescanned next; outlives the transaction, because it limits the backend's time */
static TimestampTz next_sweep;

/* Forget at the end of a transaction, also of one that is prepared or aborted */
static void
xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PARALLEL_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
		memset(&transaction, 0, sizeof transaction);
}

void
ecert_peer_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
}

bool
ecert_peer_has_checked(Datum value)
{
	return transaction.being_inserted.size > 0 &&
		ecert_slice_equal(ecert_varlena_slice(DatumGetByteaPP(value)), transaction.being_inserted);
}

static Datum
text_datum(const char *string)
{
	return PointerGetDatum(cstring_to_text(string));
}

/* The subscription whose worker this is; empty in an ordinary session */
static char *
session_subscription(void)
{
	char	   *name = NULL;
	char	   *subscription;
	Oid			oid;

	if (replorigin_session_origin == InvalidRepOriginId || replorigin_session_origin == DoNotReplicateId ||
		!replorigin_by_oid(replorigin_session_origin, true, &name))
		return "";
	/* "pg_<oid>" of the stream, "pg_<oid>_<table>" of the first copy */
	if (sscanf(name, "pg_%u", &oid) != 1)
		return name;
	subscription = get_subscription_name(oid, true);
	return subscription != NULL ? subscription : "";
}

/* The node that sends what this backend receives, looked up once a transaction; empty when there is none */
static const char *
session_peer(void)
{
	Datum		value;
	char	   *found;

	if (transaction.has_peer)
		return transaction.peer;
	value = text_datum(session_subscription());
	if (ecert_query(&peer_query, &value, 1) != 1)
		elog(ERROR, "ecert.peer_of() returned no row");
	found = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	strlcpy(transaction.peer, found != NULL ? found : "", sizeof transaction.peer);
	transaction.has_peer = true;
	return transaction.peer;
}

/* Run a query whose last argument is the peer; NULL: that of this session */
static uint64
run_with_peer(EcertQuery *query, Datum *values, const char *peer)
{
	Assert(query->arg_count > 0);
	values[query->arg_count - 1] = text_datum(peer != NULL ? peer : session_peer());
	return ecert_query(query, values, 0);
}

/* ---- judging ---------------------------------------------------------- */

static void
quarantine(Judgement *judgement)
{
	judgement->settled = ECERT_SETTLED_QUARANTINED;
}

static void
park(Judgement *judgement, const char *waits_for)
{
	judgement->settled = ECERT_SETTLED_PENDING;
	judgement->waits_for = waits_for;
}

/* Where the periods of energy and product end before a package: the one before it says so, but when it replaces another */
static void
find_period_end(const EcertPackage *package, EcertHead *before, EcertSlice bytes)
{
	EcertHead	head;

	if (package->kind != ECERT_KIND_ENERGY && package->kind != ECERT_KIND_PRODUCT)
		return;
	if (!ecert_period_end(bytes, &before->period_end))
	{
		ecert_feed_read(package->issuer, package->kind, 0, &head);
		if (head.seq == before->seq)
			before->period_end = head.period_end;
	}
}

static void
find_place(const EcertPackage *package, const uint8_t *hash, Place *place)
{
	EcertFeedRow rows[2];
	EcertSlice	bytes_before = ecert_slice(NULL, 0);
	int			count;

	memset(place, 0, sizeof *place);
	place->before.seq = -1;
	count = ecert_feed_rows(package->issuer, package->kind, package->seq - 1, rows, lengthof(rows));
	for (int i = 0; i < count; i++)
	{
		if (rows[i].head.seq == package->seq - 1)
		{
			place->before = rows[i].head;
			bytes_before = rows[i].bytes;
		}
		else if (rows[i].head.seq == package->seq)
		{
			place->taken_by = rows[i].bytes;
			place->is_known = memcmp(rows[i].head.hash, hash, ECERT_HASH_SIZE) == 0;
		}
	}
	if (place->taken_by.size > 0 || package->seq == 0)
		return;
	if (bytes_before.size > 0)
		find_period_end(package, &place->before, bytes_before);
	else
	{
		/* a gap; or rows are missing from the middle of the feed, and it waits for what fills them */
		ecert_feed_read(package->issuer, package->kind, 0, &place->before);
		if (place->before.seq >= package->seq)
			place->before.seq = -1;
	}
}

/* Issuer, role and key: what the registry does not know yet may come */
static bool
judge_issuer(EcertRegistry *registry, const EcertPackage *package, EcertNodeKey **key, Judgement *judgement)
{
	int64		now = ecert_seconds(GetCurrentTimestamp());

	if (ecert_check_issuer(registry, package, now, false, key, &judgement->finding))
		return true;
	if (judgement->finding.code == ECERT_ISSUER_UNKNOWN || judgement->finding.code == ECERT_KEY_UNKNOWN ||
		(judgement->finding.code == ECERT_ISSUER_NOT_ENTITLED && ecert_kinds[package->kind].issuer_role != ECERT_ROLE_CERTIFIER))
		park(judgement, psprintf("key of %s", ecert_cstring(package->issuer)));
	else
		quarantine(judgement);
	return false;
}

/* Do two packages say different things?  One statement may have two valid ES256 signatures */
static bool
statements_differ(const EcertPackage *one, const EcertPackage *other)
{
	return !ecert_slice_equal(one->protected_header, other->protected_header) ||
		!ecert_slice_equal(one->body, other->body);
}

/* Its seq is taken, by a package that is on the ledger, and its signature is right */
static void
judge_taken(const EcertPackage *package, const Place *place, Judgement *judgement)
{
	EcertPackage other;
	EcertError	error;
	EcertFindingCode code = ECERT_OTHER_SIGNATURE;

	Assert(place->taken_by.size > 0 && !place->is_known);
	quarantine(judgement);
	if (ecert_package_parse(place->taken_by, &other, &error) != ECERT_OK || statements_differ(package, &other))
	{
		judgement->other_story = place->taken_by;
		code = ECERT_TWO_STORIES;
	}
	(void) ECERT_FIND(&judgement->finding, code, ecert_a_text(package->issuer), ecert_a_word(ecert_kind_name(package->kind)),
					  ecert_a_number(package->seq));
}

/* The place in the feed: false when it waits or is refused */
static bool
judge_link(EcertRegistry *registry, const EcertPackage *package, const uint8_t *hash, const Place *place, Judgement *judgement)
{
	if (place->before.seq < package->seq - 1)
	{
		park(judgement, ecert_place_key(package->kind, package->seq - 1, package->issuer, ecert_arena_in(CurrentMemoryContext)));
		return ECERT_FIND(&judgement->finding, ECERT_SEQ_NOT_COME, ecert_a_number(package->seq - 1), ecert_a_number(place->before.seq));
	}
	if (ecert_check_place(&place->before, package, hash, registry->genesis_hash, &judgement->finding))
		return true;
	quarantine(judgement);
	return false;
}

/* What the kind's rule says; what this node is not sent it cannot judge: the package is stored, and views say so */
static void
judge_rule(const EcertPackage *package, Judgement *judgement)
{
	EcertMissing missing;

	if (!ecert_check_kind(package, false, &missing, &judgement->finding))
		quarantine(judgement);
	else if (missing.key != NULL && missing.is_held)
	{
		(void) ECERT_FIND_PLAIN(&judgement->finding, ECERT_NAMED_NOT_COME);
		park(judgement, missing.key);
	}
}

/* What is to become of a package; inside SPI */
static void
judge(const EcertPackage *package, const uint8_t *hash, Judgement *judgement)
{
	EcertRegistry *registry = ecert_registry_current();
	EcertNodeKey *key;
	Place		place;

	if (!registry->has_genesis || package->kind == ECERT_KIND_GENESIS)
	{
		if (registry->has_genesis && memcmp(registry->genesis_hash, hash, ECERT_HASH_SIZE) == 0)
			judgement->settled = ECERT_SETTLED_KNOWN;
		else
		{
			(void) ECERT_FIND_PLAIN(&judgement->finding, ECERT_GENESIS_OF_OTHER_LEDGER);
			quarantine(judgement);
		}
		return;
	}
	if (!ecert_check_scope(package, registry->origin, &judgement->finding))
	{
		quarantine(judgement);
		return;
	}
	find_place(package, hash, &place);
	if (place.is_known)
	{
		judgement->settled = ECERT_SETTLED_KNOWN;
		return;
	}
	/* the queries may have made the registry anew */
	registry = ecert_registry_current();
	if (!judge_issuer(registry, package, &key, judgement))
		return;
	if (!ecert_check_signature(registry, package, key, &judgement->finding))
		quarantine(judgement);
	else if (place.taken_by.size > 0)
		judge_taken(package, &place, judgement);
	else if (judge_link(registry, package, hash, &place, judgement))
		judge_rule(package, judgement);
}

/* ---- acting on it ------------------------------------------------------ */

/* Insert what was checked; false when somebody else was first with that seq or hash */
static bool
insert_checked(const EcertPackage *package)
{
	Datum		value = PointerGetDatum(ecert_bytea(package->bytes));
	uint64		count;

	/* the trigger lets one package through, and inserts none itself */
	Assert(transaction.being_inserted.size == 0);
	transaction.being_inserted = package->bytes;
	PG_TRY();
	{
		count = ecert_query(&insert_query, &value, 0);
	}
	PG_FINALLY();
	{
		transaction.being_inserted = ecert_slice(NULL, 0);
	}
	PG_END_TRY();
	return count == 1;
}

static void
put_pending(const EcertPackage *package, const uint8_t *hash, const Judgement *judgement, const char *peer)
{
	Datum		values[9];

	Assert(judgement->waits_for != NULL && judgement->refusal.message != NULL);
	values[0] = PointerGetDatum(ecert_bytea(ecert_slice(hash, ECERT_HASH_SIZE)));
	values[1] = PointerGetDatum(ecert_text(package->issuer));
	values[2] = text_datum(ecert_kind_name(package->kind));
	values[3] = Int64GetDatum(package->seq);
	values[4] = PointerGetDatum(ecert_bytea(package->bytes));
	values[5] = text_datum(judgement->waits_for);
	values[6] = text_datum(ecert_finding_sqlstate(judgement->finding.code));
	values[7] = text_datum(ecert_finding_words(&judgement->finding));
	(void) run_with_peer(&park_query, values, peer);
	transaction.waiting = WAITING_SOME;
}

/* Keep bytes as evidence; package is NULL when they are no package.  Of more bytes than a package has only the first are kept */
static void
put_quarantine(EcertSlice bytes, const EcertPackage *package, const EcertFinding *finding, const char *peer)
{
	Datum		values[8];
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertSlice	kept = ecert_slice(bytes.data, Min(bytes.size, ECERT_PACKAGE_MAX + 1));
	EcertSlice	nothing = ecert_slice(NULL, 0);

	Assert(refusal->message != NULL);
	ecert_hash_of(bytes, hash);
	values[0] = PointerGetDatum(ecert_bytea(ecert_slice(hash, ECERT_HASH_SIZE)));
	values[1] = PointerGetDatum(ecert_text(package != NULL ? package->issuer : nothing));
	values[2] = text_datum(package != NULL ? ecert_kind_name(package->kind) : "");
	values[3] = Int64GetDatum(package != NULL ? package->seq : -1);
	values[4] = PointerGetDatum(ecert_bytea(kept));
	values[5] = text_datum(ecert_finding_sqlstate(finding->code));
	values[6] = text_datum(bytes.size == kept.size ? ecert_finding_words(finding) :
						   psprintf("%s; the first %zu of %zu bytes are kept", ecert_finding_words(finding), kept.size, bytes.size));
	(void) run_with_peer(&quarantine_query, values, peer);
}

static void
put_equivocation(EcertSlice one, EcertSlice other)
{
	Datum		values[2];

	values[0] = PointerGetDatum(ecert_bytea(one));
	values[1] = PointerGetDatum(ecert_bytea(other));
	(void) ecert_query(&equivocation_query, values, 0);
}

/* Put the keys that packages waiting for this one wait by in front of keys; palloc'd in context */
static List *
wake_keys(List *keys, const EcertPackage *package, const uint8_t *hash, MemoryContext context)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	const char *woken[ECERT_WAKE_KEYS];
	size_t		count = ecert_wake_keys(package, hash, ecert_arena_in(CurrentMemoryContext), woken);

	for (size_t i = 0; i < count; i++)
		keys = lcons(pstrdup(woken[i]), keys);
	MemoryContextSwitchTo(before);
	return keys;
}

/*
 * Judge one package and act; inside SPI.  False: it was to be admitted, but a
 * row stands in the way that was not there when it was judged, or was changed.
 */
static bool
settle_package(const EcertPackage *package, const uint8_t *hash, const char *peer, EcertSettled *settled)
{
	Judgement	judgement;

	memset(&judgement, 0, sizeof judgement);
	judge(package, hash, &judgement);
	*settled = judgement.settled;
	if (judgement.settled == ECERT_SETTLED_ADMITTED)
		return insert_checked(package);
	if (judgement.settled == ECERT_SETTLED_PENDING)
		put_pending(package, hash, &judgement, peer);
	else if (judgement.settled == ECERT_SETTLED_QUARANTINED)
	{
		put_quarantine(package->bytes, package, &judgement.finding, peer);
		if (judgement.other_story.size > 0)
			put_equivocation(judgement.other_story, package->bytes);
	}
	return true;
}

static bool
find_form(EcertFinding *finding, EcertFindingCode code, const EcertError *error)
{
	return ECERT_FIND(finding, code, ecert_a_word(ecert_error_text(error->code)), ecert_a_number((int64_t) error->offset),
					  ecert_a_word(error->field == NULL ? "" : psprintf(", field %s", error->field)));
}

/* Strict form and body schema; false with finding filled */
static bool
read_package(EcertSlice bytes, EcertPackage *package, EcertFinding *finding)
{
	EcertError	error;

	if (ecert_package_read(bytes, package, &error) != ECERT_OK)
		return find_form(finding, error.code == ECERT_TOO_LARGE ? ECERT_PACKAGE_TOO_LARGE : ECERT_PACKAGE_MALFORMED, &error);
	if (ecert_body_check(package->kind, package->body, &error) != ECERT_OK)
		return find_form(finding, error.code == ECERT_BODY_NEGATIVE ? ECERT_QUANTITY_NEGATIVE : ECERT_BODY_REFUSED, &error);
	return true;
}

/* One package, with memory of its own; keys gains what it wakes, in context */
static EcertSettled
settle(EcertSlice bytes, const char *peer, List **keys, MemoryContext context)
{
	EcertPackage package;
	EcertFinding finding;
	EcertSettled settled = ECERT_SETTLED_QUARANTINED;
	uint8_t		hash[ECERT_HASH_SIZE];

	SPI_connect();
	if (!read_package(bytes, &package, &finding))
		put_quarantine(bytes, NULL, &finding, peer);
	else
	{
		ecert_hash_of(bytes, hash);
		/* another worker may be first with the same seq: its package is there at the second look */
		if (!settle_package(&package, hash, peer, &settled) && !settle_package(&package, hash, peer, &settled))
		{
			(void) ECERT_FIND_PLAIN(&finding, ECERT_NOT_STORED);
			put_quarantine(bytes, &package, &finding, peer);
			settled = ECERT_SETTLED_QUARANTINED;
		}
		if (settled == ECERT_SETTLED_ADMITTED)
			*keys = wake_keys(*keys, &package, hash, context);
	}
	SPI_finish();
	return settled;
}

/* A package that was taken out of ledger.pending */
typedef struct Parked
{
	EcertSlice	bytes;
	char	   *peer;			/* NULL: not known */
} Parked;

/* Is any package pending?  Looked up once a transaction; packages that another worker parks meanwhile are found by a rescan */
static bool
anything_waits(void)
{
	if (transaction.waiting == WAITING_UNKNOWN)
	{
		SPI_connect();
		transaction.waiting = ecert_query(&waits_query, NULL, 1) > 0 ? WAITING_SOME : WAITING_NONE;
		SPI_finish();
	}
	return transaction.waiting == WAITING_SOME;
}

/* Take the packages that wait for key out of ledger.pending; palloc'd */
static List *
take_waiting(const char *key)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *taken = NIL;
	Datum		value;
	uint64		count;

	if (!anything_waits())
		return NIL;
	SPI_connect();
	value = text_datum(key);
	count = ecert_query(&take_query, &value, 0);
	for (uint64 i = 0; i < count; i++)
	{
		bool		isnull;
		HeapTuple	row = SPI_tuptable->vals[i];
		Datum		package = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull);
		char	   *peer = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		MemoryContext before = MemoryContextSwitchTo(caller);
		Parked	   *parked = palloc(sizeof *parked);

		parked->bytes = ecert_varlena_slice(DatumGetByteaPCopy(package));
		parked->peer = peer != NULL ? pstrdup(peer) : NULL;
		taken = lappend(taken, parked);
		MemoryContextSwitchTo(before);
	}
	SPI_finish();
	return taken;
}

/* Settle all that waits for keys, and all that waits for these; returns how many were admitted */
static int64
drain(List *keys, MemoryContext context)
{
	MemoryContext each = AllocSetContextCreate(context, "ecert pending", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(each);
	int64		admitted = 0;

	while (keys != NIL)
	{
		char	   *key = linitial(keys);
		ListCell   *cell;

		keys = list_delete_first(keys);
		foreach(cell, take_waiting(key))
		{
			Parked	   *parked = lfirst(cell);

			CHECK_FOR_INTERRUPTS();
			admitted += settle(parked->bytes, parked->peer, &keys, context) == ECERT_SETTLED_ADMITTED;
		}
		pfree(key);
		MemoryContextReset(each);
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(each);
	return admitted;
}

/* Keys of pending packages whose dependency is on the ledger by now, palloc'd in context */
static List *
woken_keys(MemoryContext context)
{
	List	   *keys = NIL;
	uint64		count;

	transaction.waiting = WAITING_UNKNOWN;
	SPI_connect();
	count = ecert_query(&woken_query, NULL, 0);
	for (uint64 i = 0; i < count; i++)
	{
		char	   *key = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		MemoryContext before = MemoryContextSwitchTo(context);

		keys = lappend(keys, pstrdup(key));
		MemoryContextSwitchTo(before);
	}
	SPI_finish();
	return keys;
}

/*
 * Two workers may miss each other: one parks a package while the other has
 * inserted, and not committed yet, what it waits for.  So all pending packages
 * are rescanned now and then.
 */
static void
sweep_sometimes(MemoryContext context)
{
	TimestampTz began = GetCurrentTimestamp();
	TimestampTz ended;

	if (transaction.is_swept || began < next_sweep || !anything_waits())
		return;
	transaction.is_swept = true;
	(void) drain(woken_keys(context), context);
	ended = GetCurrentTimestamp();
	next_sweep = ended + (ended - began) * SWEEP_SHARE;
}

EcertSettled
ecert_settle_from_peer(EcertSlice bytes, const char *peer)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "ecert peer", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	List	   *keys = NIL;
	EcertSettled settled;

	/* as the ledger's owner */
	Assert(InLocalUserIdChange() && GetUserId() == ecert_ledger_owner());
	settled = settle(bytes, peer, &keys, context);
	(void) drain(keys, context);
	sweep_sometimes(context);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return settled;
}

/* ---- SQL ---------------------------------------------------------------- */

/* admit_from_peer(bytes, peer): what became of it, in a word */
Datum
ecert_sql_admit_from_peer(PG_FUNCTION_ARGS)
{
	static const char *const words[] = {"admitted", "known", "pending", "quarantined"};
	EcertSlice	bytes = ecert_varlena_slice(PG_GETARG_BYTEA_PP(0));
	char	   *peer = text_to_cstring(PG_GETARG_TEXT_PP(1));
	EcertUser	before = ecert_become(ecert_ledger_owner());
	EcertSettled settled = ecert_settle_from_peer(bytes, peer);

	ecert_restore_user(before);
	PG_RETURN_TEXT_P(cstring_to_text(words[settled]));
}

Datum
ecert_sql_drain_pending(PG_FUNCTION_ARGS)
{
	EcertUser	before = ecert_become(ecert_ledger_owner());
	int64		admitted = drain(woken_keys(CurrentMemoryContext), CurrentMemoryContext);

	ecert_restore_user(before);
	PG_RETURN_INT64(admitted);
}

/* Trigger after a node or relation package that was first admitted here: packages that waited for it are settled */
Datum
ecert_drain_waiting(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	EcertPackage package;
	EcertUser	before;
	uint8_t		hash[ECERT_HASH_SIZE];
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != ecert_ledger_relid())
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("ecert.drain_waiting() must be called as AFTER INSERT row trigger of the ledger")));
	/* whoever settles packages drains in a loop of its own: this trigger must not start a second one */
	if (transaction.being_inserted.size > 0)
		return PointerGetDatum(NULL);
	ecert_package_of(heap_getattr(trigger->tg_trigtuple, COLUMN_PACKAGE, RelationGetDescr(trigger->tg_relation), &isnull), &package);
	if (package.kind != ECERT_KIND_NODE && package.kind != ECERT_KIND_RELATION)
		return PointerGetDatum(NULL);
	ecert_hash_of(package.bytes, hash);
	before = ecert_become(trigger->tg_relation->rd_rel->relowner);
	(void) drain(wake_keys(NIL, &package, hash, CurrentMemoryContext), CurrentMemoryContext);
	ecert_restore_user(before);
	return PointerGetDatum(NULL);
}

/* Signed by its issuer, by this ledger's registry? */
static bool
is_genuine(EcertSlice bytes, EcertPackage *package)
{
	EcertRegistry *registry = ecert_registry_current();
	EcertFinding finding;
	EcertError	error;
	EcertNodeKey *key;

	/* with any key that the issuer has had: its times do not matter here */
	return ecert_package_read(bytes, package, &error) == ECERT_OK && registry->has_genesis &&
		ecert_slice_equal(package->audience, registry->origin) &&
		(key = ecert_node_key(ecert_registry_node(registry, package->issuer), package->kid)) != NULL &&
		key->facts.alg == package->alg && ecert_check_signature(registry, package, key, &finding);
}

/* is_equivocation(one, other): does the issuer's own signature convict it? */
Datum
ecert_sql_is_equivocation(PG_FUNCTION_ARGS)
{
	EcertPackage one;
	EcertPackage other;
	EcertUser	before = ecert_become(ecert_ledger_owner());
	bool		proven = is_genuine(ecert_varlena_slice(PG_GETARG_BYTEA_PP(0)), &one) &&
		is_genuine(ecert_varlena_slice(PG_GETARG_BYTEA_PP(1)), &other) &&
		ecert_slice_equal(one.issuer, other.issuer) && one.kind == other.kind && one.seq == other.seq &&
		statements_differ(&one, &other);

	ecert_restore_user(before);
	PG_RETURN_BOOL(proven);
}
