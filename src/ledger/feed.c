/*
 * feed.c
 *		Feed locks and heads.
 *
 * A local writer locks the feed's row in ledger.feed, which is never updated
 * (a head row updated per package would make a long transaction quadratic),
 * and then keeps the head in memory until the transaction ends.
 */
#include "ledger/ledger.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "package/datum.h"
#include "pg/error.h"

/* Above this many locked feeds the heads are read again, so that memory stays bounded */
#define HEADS_KEPT 65536

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

static EcertQuery lock_query = {
	"SELECT 1 FROM ledger.feed WHERE issuer OPERATOR(pg_catalog.=) $1 AND kind OPERATOR(pg_catalog.=) $2 FOR NO KEY UPDATE",
	2, {TEXTOID, TEXTOID}, NULL
};
static EcertQuery new_feed_query = {
	"INSERT INTO ledger.feed (issuer, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING",
	2, {TEXTOID, TEXTOID}, NULL
};
static EcertQuery head_query = {
	"SELECT seq, hash, issued_at FROM ledger.package"
	" WHERE issuer OPERATOR(pg_catalog.=) $1 AND kind OPERATOR(pg_catalog.=) $2 ORDER BY seq DESC LIMIT 1",
	2, {TEXTOID, TEXTOID}, NULL, true
};
static EcertQuery period_query = {
	"SELECT pg_catalog.upper(period) FROM ledger.package"
	" WHERE subject OPERATOR(pg_catalog.=) $1 AND kind OPERATOR(pg_catalog.=) $2"
	" ORDER BY pg_catalog.lower(period) DESC LIMIT 1",
	2, {TEXTOID, TEXTOID}, NULL, true
};

static void
forget_heads(void)
{
	/* its memory goes with the transaction's */
	locked = NULL;
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PARALLEL_PRE_COMMIT &&
		event != XACT_EVENT_PRE_PREPARE)
	{
		forget_heads();
		ecert_peer_forget();
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	/* rows and locks of the subtransaction are gone */
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_heads();
}

void
ecert_ledger_init(void)
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
ecert_become_again(EcertUser before)
{
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

EcertHead *
ecert_feed_locked(EcertSlice issuer, EcertKind kind)
{
	FeedId		id = feed_id(issuer, kind);
	FeedEntry  *entry = locked == NULL ? NULL : hash_search(locked, &id, HASH_FIND, NULL);

	return entry == NULL ? NULL : &entry->head;
}

static void
feed_arguments(EcertSlice issuer, EcertKind kind, Datum *values)
{
	values[0] = PointerGetDatum(ecert_text(issuer));
	values[1] = PointerGetDatum(cstring_to_text(ecert_kind_name(kind)));
}

static Datum
result(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, isnull);
}

/* The head from the rows of head_query */
static void
read_head_row(EcertHead *head)
{
	bool		isnull;
	bytea	   *hash;

	head->seq = DatumGetInt64(result(1, &isnull));
	hash = DatumGetByteaPP(result(2, &isnull));
	if (VARSIZE_ANY_EXHDR(hash) == ECERT_HASH_SIZE)
		memcpy(head->hash, VARDATA_ANY(hash), ECERT_HASH_SIZE);
	head->issued_at = ecert_seconds(DatumGetTimestampTz(result(3, &isnull)));
}

void
ecert_feed_read(EcertSlice issuer, EcertKind kind, EcertHead *head)
{
	Datum		values[2];
	bool		isnull;

	memset(head, 0, sizeof *head);
	head->seq = -1;
	feed_arguments(issuer, kind, values);
	if (ecert_query(&head_query, values, 1) == 0)
		return;
	read_head_row(head);
	if ((kind == ECERT_KIND_ENERGY || kind == ECERT_KIND_PRODUCT) && ecert_query(&period_query, values, 1) > 0)
	{
		Datum		end = result(1, &isnull);

		if (!isnull)
			head->period_end = ecert_seconds(DatumGetTimestampTz(end));
	}
}

/* In REPEATABLE READ the head must be the one the transaction can see */
static void
check_snapshot(const Datum *values, const EcertHead *head)
{
	EcertHead	seen = {-1, {0}, 0, 0};

	if (!IsolationUsesXactSnapshot())
		return;
	if (ecert_query_transaction(&head_query, values, 1) > 0)
		read_head_row(&seen);
	if (seen.seq != head->seq)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access to a feed due to concurrent append"),
				 errdetail("The feed ends at seq " INT64_FORMAT ", this transaction sees it end at " INT64_FORMAT ".",
						   head->seq, seen.seq),
				 errhint("Try the transaction again.")));
}

/* Lock the feed's row, which the first writer makes */
static void
lock_row(const Datum *values)
{
	while (ecert_query(&lock_query, values, 1) == 0)
	{
		/* of two first writers the second waits here for the first */
		if (ecert_query(&new_feed_query, values, 0) > 0)
			return;
		CHECK_FOR_INTERRUPTS();
	}
}

EcertHead *
ecert_feed_lock(EcertSlice issuer, EcertKind kind)
{
	FeedId		id = feed_id(issuer, kind);
	EcertHead	head;
	FeedEntry  *entry;
	Datum		values[2];
	HASHCTL		control;

	feed_arguments(issuer, kind, values);
	lock_row(values);
	ecert_feed_read(issuer, kind, &head);
	check_snapshot(values, &head);
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
		locked = hash_create("ecert feed heads", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(locked, &id, HASH_ENTER, NULL);
	entry->head = head;
	return &entry->head;
}

void
ecert_head_advance(EcertHead *head, const EcertPackage *package, const uint8_t *hash)
{
	EcertPeriod period;

	head->seq = package->seq;
	memcpy(head->hash, hash, ECERT_HASH_SIZE);
	head->issued_at = package->issued_at;
	if (ecert_body_period(package->body, &period) && period.end > head->period_end)
		head->period_end = period.end;
}
