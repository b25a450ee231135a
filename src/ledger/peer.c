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

#include "package/datum.h"
#include "pg/error.h"

/* Rescanning pending packages takes at most this part of the time */
#define SWEEP_SHARE 50

/* Why a package is not admitted now */
typedef struct Judgement
{
	EcertFinding finding;		/* of what waits or is quarantined */
	const char *waits_for;		/* of what waits */
	EcertSlice	other_story;	/* of two stories: the package on the ledger */
	bool		is_covered;		/* a checkpoint covers it: admitted, and judged when that is taken up */
	bool		is_judged;		/* a node package is judged at once */
	bool		is_false;		/* finding says what is wrong with what is covered, as far as that is known by now */
} Judgement;

static EcertQuery insert_query = {
	"INSERT INTO ledger.package (package) VALUES ($1::ecert.package) ON CONFLICT DO NOTHING",
	1, {BYTEAOID}, NULL
};
static EcertQuery quarantine_query = {
	"INSERT INTO ledger.quarantine (hash, issuer, kind, seq, bytes, sqlstate, reason, peer)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $8 OPERATOR(pg_catalog.<>) '' THEN $8 END) ON CONFLICT DO NOTHING",
	8, {BYTEAOID, TEXTOID, TEXTOID, INT8OID, BYTEAOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};
static EcertQuery park_query = {
	"INSERT INTO ledger.pending (hash, issuer, kind, seq, package, sqlstate, reason, peer, waits_for)"
	" VALUES ($1, $2, $3, $4, $5::ecert.package, $6, $7, CASE WHEN $8 OPERATOR(pg_catalog.<>) '' THEN $8 END, $9) ON CONFLICT DO NOTHING",
	9, {BYTEAOID, TEXTOID, TEXTOID, INT8OID, BYTEAOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};
static EcertQuery equivocation_query = {
	"INSERT INTO ledger.equivocation (first_package, second_package) SELECT $1, $2 WHERE ecert.is_equivocation($1, $2)",
	2, {BYTEAOID, BYTEAOID}, NULL
};
static EcertQuery finding_query = {
	"INSERT INTO ledger.finding (issuer, kind, seq, problem) VALUES ($1, $2, $3, CASE WHEN $4 OPERATOR(pg_catalog.<>) '' THEN $4 END)"
	" ON CONFLICT DO NOTHING", 4, {TEXTOID, TEXTOID, INT8OID, TEXTOID}, NULL
};
static EcertQuery peer_query = {
	"SELECT ecert.peer_of($1)", 1, {TEXTOID}, NULL
};
static EcertQuery waits_query = {
	"SELECT 1 FROM ledger.pending LIMIT 1", 0, {0}, NULL
};
static EcertQuery take_query = {
	"DELETE FROM ledger.pending WHERE hash OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT w.hash FROM ledger.pending w"
	" WHERE w.waits_for OPERATOR(pg_catalog.=) $1 ORDER BY w.issuer, w.kind, w.seq FOR UPDATE SKIP LOCKED))"
	" RETURNING package, peer",
	1, {TEXTOID}, NULL, ECERT_BY_INDEX
};
static EcertQuery sealings_query = {
	"SELECT DISTINCT w.waits_for FROM ledger.pending w WHERE w.waits_for OPERATOR(pg_catalog.>=) 'sealing ' AND w.waits_for OPERATOR(pg_catalog.<) 'sealing!'"
	" AND pg_catalog.substr(w.waits_for, 9)::bigint OPERATOR(pg_catalog.<=) $1", 1, {INT8OID}, NULL
};
static EcertQuery other_story_query = {
	"SELECT 1 WHERE ecert.is_other_story($1)", 1, {TEXTOID}, NULL
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

bool
ecert_is_settling(void)
{
	return transaction.being_inserted.size > 0;
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
	value = CStringGetTextDatum(session_subscription());
	if (ecert_query(&peer_query, &value, 1) != 1)
		elog(ERROR, "ecert.peer_of() returned no row");
	found = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	strlcpy(transaction.peer, found != NULL ? found : "", sizeof transaction.peer);
	transaction.has_peer = true;
	return transaction.peer;
}

/* What the registry does not know yet of issuer, role and key may come */
static bool
may_come(const EcertPackage *package, EcertFindingCode code)
{
	return code == ECERT_ISSUER_UNKNOWN || code == ECERT_KEY_UNKNOWN ||
		(code == ECERT_ISSUER_NOT_ENTITLED && ecert_kinds[package->kind].issuer_role != ECERT_ROLE_CERTIFIER);
}

/* Its seq is taken, by other bytes that are on the ledger, and its signature is right */
static EcertSettled
judge_taken(const EcertPackage *package, EcertSlice taken_by, Judgement *judgement)
{
	EcertPackage other;
	EcertError	error;
	EcertFindingCode code = ECERT_OTHER_SIGNATURE;

	if (ecert_package_parse(taken_by, &other, &error) != ECERT_OK ||
		ecert_is_equivocation(package->audience, package, true, &other, true))
	{
		judgement->other_story = taken_by;
		code = ECERT_TWO_STORIES;
	}
	(void) ECERT_FIND(&judgement->finding, code, ecert_a_text(package->issuer), ecert_a_word(ecert_kind_name(package->kind)),
					  ecert_a_number(package->seq));
	return ECERT_SETTLED_QUARANTINED;
}

/* Is it under a checkpoint that is here?  Then it is admitted whatever is wrong with it but form, signature and link: trees are equal everywhere */
static bool
is_covered(const EcertPackage *package)
{
	return ecert_sealed_by(ecert_ledger_relid(), ecert_present_snapshot(), ecert_text_datum(package->issuer), ecert_kind_datum(package->kind),
						   package->seq) != PG_INT64_MAX;
}

/*
 * Is there a key of the issuer to verify with?  What else is wrong with issuer
 * and key is for those who judge the package, where a checkpoint covers it: so
 * it is enough that a node package says so, be it one that does not count
 */
static EcertSettled
judge_issuer(EcertRegistry *registry, const EcertPackage *package, EcertNodeKey **key, Judgement *judgement)
{
	if (ecert_check_issuer(registry, package, NULL, key, &judgement->finding))
		return ECERT_SETTLED_ADMITTED;
	*key = ecert_claimed_key(ecert_registry_node(registry, package->issuer), package->kid);
	if (*key != NULL && (*key)->facts.alg == package->alg && is_covered(package))
		return ECERT_SETTLED_ADMITTED;
	judgement->waits_for = psprintf("key of %s", ecert_cstring(package->issuer));
	return may_come(package, judgement->finding.code) ? ECERT_SETTLED_PENDING : ECERT_SETTLED_QUARANTINED;
}

/* What the kind's rule says; what this node is not sent it cannot judge: the package is stored, and views say so */
static EcertSettled
judge_rule(const EcertPackage *package, Judgement *judgement)
{
	EcertMissing missing;
	Datum		key;

	if (!ecert_check_kind(package, false, &missing, &judgement->finding))
		return ECERT_SETTLED_QUARANTINED;
	if (missing.key == NULL || !missing.is_held)
		return ECERT_SETTLED_ADMITTED;
	key = CStringGetTextDatum(missing.key);
	if (ecert_query(&other_story_query, &key, 1) > 0)
	{
		(void) ECERT_FIND(&judgement->finding, ECERT_NAMED_OTHER_STORY, ecert_a_word(missing.key));
		return ECERT_SETTLED_QUARANTINED;
	}
	(void) ECERT_FIND_PLAIN(&judgement->finding, ECERT_NAMED_NOT_COME);
	judgement->waits_for = missing.key;
	return ECERT_SETTLED_PENDING;
}

/*
 * A node package that a checkpoint covers rests on those before it in its feed
 * alone, which are here; and keys and roles rest on it
 */
static void
judge_node(EcertRegistry *registry, const EcertHead *end, const EcertPackage *package, const uint8_t *hash, Judgement *judgement)
{
	EcertFinding *finding = &judgement->finding;
	EcertMissing missing;
	EcertNodeKey *key;

	judgement->is_judged = true;
	judgement->is_false = !ecert_check_issuer(registry, package, NULL, &key, finding) ||
		!ecert_check_place(end, package, hash, registry->genesis_hash, finding) || !ecert_check_kind(package, false, &missing, finding);
}

/* Is it from the future, as this server's clock tells?  Then it waits until it is not, unless a checkpoint covers it before that */
static bool
waits_for_time(const EcertPackage *package, Judgement *judgement)
{
	EcertText	key = ecert_text_in(ecert_arena_in(CurrentMemoryContext));

	if (ecert_check_clock(package, ecert_seconds(GetCurrentTimestamp()), &judgement->finding))
		return false;
	ecert_text_put_string(&key, "time ");
	ecert_text_put_time(&key, package->issued_at);
	judgement->waits_for = ecert_text_string(&key);
	return true;
}

/* Its link is right: is its time, and where no checkpoint covers it, all else? */
static EcertSettled
judge_place(EcertRegistry *registry, const EcertHead *end, const EcertPackage *package, const uint8_t *hash, Judgement *judgement)
{
	bool		good = ecert_check_place(end, package, hash, registry->genesis_hash, &judgement->finding);
	EcertFindingCode code = judgement->finding.code;

	if (!good && code != ECERT_TIME_BACKWARDS && code != ECERT_PERIOD_OVERLAP)
		return ECERT_SETTLED_QUARANTINED;
	judgement->is_covered = is_covered(package);
	if (!judgement->is_covered)
		return !good ? ECERT_SETTLED_QUARANTINED : waits_for_time(package, judgement) ? ECERT_SETTLED_PENDING : judge_rule(package, judgement);
	judgement->is_false = !good;
	if (package->kind == ECERT_KIND_NODE)
		judge_node(registry, end, package, hash, judgement);
	return ECERT_SETTLED_ADMITTED;
}

/* What is to become of a package; inside SPI */
static EcertSettled
judge(const EcertPackage *package, const uint8_t *hash, Judgement *judgement)
{
	EcertRegistry *registry = ecert_registry_current();
	EcertFinding *finding = &judgement->finding;
	EcertSettled settled;
	EcertNodeKey *key;
	EcertHead	end;
	EcertSlice	last;

	if (!registry->has_genesis || package->kind == ECERT_KIND_GENESIS)
	{
		if (registry->has_genesis && memcmp(registry->genesis_hash, hash, ECERT_HASH_SIZE) == 0)
			return ECERT_SETTLED_KNOWN;
		(void) ECERT_FIND_PLAIN(finding, ECERT_GENESIS_OF_OTHER_LEDGER);
		return ECERT_SETTLED_QUARANTINED;
	}
	if (!ecert_check_scope(package, registry->origin, finding))
		return ECERT_SETTLED_QUARANTINED;
	ecert_feed_read(package->issuer, package->kind, package->seq - 1, package->seq, &end, &last);
	if (end.seq == package->seq && memcmp(end.hash, hash, ECERT_HASH_SIZE) == 0)
		return ECERT_SETTLED_KNOWN;
	/* that may have made the registry anew */
	registry = ecert_registry_current();
	settled = judge_issuer(registry, package, &key, judgement);
	if (settled != ECERT_SETTLED_ADMITTED)
		return settled;
	if (!ecert_check_signature(registry, package, key, finding))
		return ECERT_SETTLED_QUARANTINED;
	if (end.seq == package->seq)
		return judge_taken(package, last, judgement);
	if (end.seq < package->seq - 1)
	{
		judgement->waits_for = ecert_place_key(package->kind, package->seq - 1, package->issuer, ecert_arena_in(CurrentMemoryContext));
		(void) ECERT_FIND(finding, ECERT_SEQ_NOT_COME, ecert_a_number(package->seq - 1), ecert_a_number(end.seq));
		return ECERT_SETTLED_PENDING;
	}
	return judge_place(registry, &end, package, hash, judgement);
}

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

/* What was found against a package that a checkpoint covers, or that it is judged as of it, once all that it covers is here */
static void
note_covered(const EcertPackage *package, const Judgement *judgement)
{
	Datum		values[4] = {
		ecert_text_datum(package->issuer), ecert_kind_datum(package->kind), Int64GetDatum(package->seq),
		CStringGetTextDatum(judgement->is_false ? ecert_finding_words(&judgement->finding) : "")
	};

	if (judgement->is_false || !judgement->is_judged)
		(void) ecert_query(&finding_query, values, 0);
}

/*
 * Keep bytes: in ledger.pending until what they wait for comes, or (waits_for
 * NULL) as evidence in ledger.quarantine.  package is NULL when they are none;
 * of more bytes than a package has only the first are kept.  peer NULL: that
 * of this session
 */
static void
put_aside(EcertSlice bytes, const EcertPackage *package, const EcertFinding *finding, const char *waits_for, const char *peer)
{
	EcertSlice	kept = ecert_slice(bytes.data, Min(bytes.size, ECERT_PACKAGE_MAX + 1));
	const char *reason = ecert_finding_words(finding);
	uint8_t		hash[ECERT_HASH_SIZE];
	Datum		values[9];

	if (bytes.size != kept.size)
		reason = psprintf("%s; the first %zu of %zu bytes are kept", reason, kept.size, bytes.size);
	ecert_hash_of(bytes, hash);
	values[0] = PointerGetDatum(ecert_bytea(ecert_slice(hash, ECERT_HASH_SIZE)));
	values[1] = ecert_text_datum(package != NULL ? package->issuer : ecert_slice(NULL, 0));
	values[2] = CStringGetTextDatum(package != NULL ? ecert_kind_name(package->kind) : "");
	values[3] = Int64GetDatum(package != NULL ? package->seq : -1);
	values[4] = PointerGetDatum(ecert_bytea(kept));
	values[5] = CStringGetTextDatum(ecert_finding_sqlstate(finding->code));
	values[6] = CStringGetTextDatum(reason);
	values[7] = CStringGetTextDatum(peer != NULL ? peer : session_peer());
	values[8] = waits_for != NULL ? CStringGetTextDatum(waits_for) : (Datum) 0;
	(void) ecert_query(waits_for != NULL ? &park_query : &quarantine_query, values, 0);
	if (waits_for != NULL)
		transaction.waiting = WAITING_SOME;
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

/* The same of what waits for checkpoints that are taken up by now */
static List *
sealing_keys(List *keys, MemoryContext context)
{
	Datum		last = Int64GetDatum(ecert_taken_up());
	uint64		count = ecert_query(&sealings_query, &last, 0);
	MemoryContext before = MemoryContextSwitchTo(context);

	for (uint64 i = 0; i < count; i++)
		keys = lcons(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1), keys);
	MemoryContextSwitchTo(before);
	return keys;
}

/*
 * Judge one package and act; inside SPI.  False: it was to be admitted, but a
 * row stands in the way that was not there when it was judged, or was changed.
 * wakes: what waits for it is judged again, because it is here or never will be
 */
static bool
settle_package(const EcertPackage *package, const uint8_t *hash, const char *peer, EcertSettled *settled, bool *wakes)
{
	Judgement	judgement = {0};

	*settled = judge(package, hash, &judgement);
	*wakes = *settled == ECERT_SETTLED_ADMITTED ||
		(*settled == ECERT_SETTLED_QUARANTINED &&
		 (judgement.finding.code == ECERT_TWO_STORIES || judgement.finding.code == ECERT_OTHER_SIGNATURE));
	if (*settled == ECERT_SETTLED_ADMITTED)
	{
		if (!insert_checked(package))
			return false;
		if (judgement.is_covered)
			note_covered(package, &judgement);
		return true;
	}
	if (*settled != ECERT_SETTLED_KNOWN)
		put_aside(package->bytes, package, &judgement.finding, *settled == ECERT_SETTLED_PENDING ? judgement.waits_for : NULL, peer);
	/* where stories are exchanged they have met before; the key of what is held may be nobody's any more */
	if (judgement.other_story.size > 0 && !ecert_is_exchanging())
	{
		Datum		stories[2] = {PointerGetDatum(ecert_bytea(judgement.other_story)), PointerGetDatum(ecert_bytea(package->bytes))};

		(void) ecert_query(&equivocation_query, stories, 0);
	}
	return true;
}

static bool
find_form(EcertFinding *finding, EcertFindingCode code, const EcertError *error)
{
	return ECERT_FIND(finding, code, ecert_a_word(ecert_error_text(error->code)), ecert_a_number((int64_t) error->offset),
					  ecert_a_word(error->field == NULL ? "" : psprintf(", field %s", error->field)));
}

/* The finding of a code of form */
static EcertFindingCode
form_finding(EcertCode code, bool is_body)
{
	switch (code)
	{
		case ECERT_TOO_LARGE:
			return ECERT_PACKAGE_TOO_LARGE;
		case ECERT_BODY_NEGATIVE:
			return ECERT_QUANTITY_NEGATIVE;
		default:
			return ecert_is_reserved(code) ? ECERT_PACKAGE_RESERVED : is_body ? ECERT_BODY_REFUSED : ECERT_PACKAGE_MALFORMED;
	}
}

/* Strict form and body schema; false with finding filled */
static bool
read_package(EcertSlice bytes, EcertPackage *package, EcertFinding *finding)
{
	EcertError	error;

	if (ecert_package_read(bytes, package, &error) != ECERT_OK)
		return find_form(finding, form_finding(error.code, false), &error);
	if (ecert_body_check(package->kind, package->body, &error) != ECERT_OK)
		return ecert_is_reserved(error.code) ?
			ECERT_FIND(finding, ECERT_BODY_RESERVED, ecert_a_number((int64_t) error.offset), ecert_a_word(ecert_error_text(error.code))) :
			find_form(finding, form_finding(error.code, true), &error);
	return true;
}

/* One package; keys gains what it wakes, in context */
static EcertSettled
settle(EcertSlice bytes, const char *peer, List **keys, MemoryContext context)
{
	EcertPackage package;
	EcertFinding finding;
	EcertSettled settled = ECERT_SETTLED_QUARANTINED;
	bool		wakes;
	uint8_t		hash[ECERT_HASH_SIZE];

	SPI_connect();
	if (!read_package(bytes, &package, &finding))
		put_aside(bytes, NULL, &finding, NULL, peer);
	else
	{
		ecert_hash_of(bytes, hash);
		/* another worker may be first with the same seq: its package is there at the second look */
		if (!settle_package(&package, hash, peer, &settled, &wakes) && !settle_package(&package, hash, peer, &settled, &wakes))
		{
			(void) ECERT_FIND_PLAIN(&finding, ECERT_NOT_STORED);
			put_aside(bytes, &package, &finding, NULL, peer);
			settled = ECERT_SETTLED_QUARANTINED;
			wakes = false;
		}
		if (wakes)
			*keys = wake_keys(*keys, &package, hash, context);
		if (settled != ECERT_SETTLED_KNOWN && !ecert_is_exchanging() && ecert_settled(&package, settled))
			*keys = sealing_keys(*keys, context);
	}
	SPI_finish();
	return settled;
}

/* Is any package pending?  Looked up once a transaction; packages that another worker parks meanwhile are found by a rescan */
static bool
anything_waits(void)
{
	if (transaction.waiting == WAITING_UNKNOWN)
		transaction.waiting = ecert_run(&waits_query, NULL) > 0 ? WAITING_SOME : WAITING_NONE;
	return transaction.waiting == WAITING_SOME;
}

/* Settle all that waits for keys, and all that waits for these; returns how many were admitted */
static int64
drain(List *keys)
{
	MemoryContext context = CurrentMemoryContext;
	int64		admitted = 0;

	while (keys != NIL && anything_waits())
	{
		Datum		key;
		uint64		count;
		SPITupleTable *taken;

		SPI_connect();
		key = CStringGetTextDatum(linitial(keys));
		pfree(linitial(keys));
		keys = list_delete_first(keys);
		count = ecert_query(&take_query, &key, 0);
		taken = SPI_tuptable;
		for (uint64 i = 0; i < count; i++)
		{
			bool		isnull;
			Datum		package = SPI_getbinval(taken->vals[i], taken->tupdesc, 1, &isnull);

			CHECK_FOR_INTERRUPTS();
			admitted += settle(ecert_varlena_slice(DatumGetByteaPP(package)), SPI_getvalue(taken->vals[i], taken->tupdesc, 2),
							   &keys, context) == ECERT_SETTLED_ADMITTED;
		}
		SPI_finish();
	}
	return admitted;
}

/* Keys of pending packages whose dependency is on the ledger by now, palloc'd */
static List *
woken_keys(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *keys = NIL;
	uint64		count;

	transaction.waiting = WAITING_UNKNOWN;
	SPI_connect();
	count = ecert_query(&woken_query, NULL, 0);
	MemoryContextSwitchTo(caller);
	for (uint64 i = 0; i < count; i++)
		keys = lappend(keys, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return keys;
}

/*
 * Two workers may miss each other: one parks a package while the other has
 * inserted, and not committed yet, what it waits for.  So all pending packages
 * are rescanned now and then.
 */
static void
sweep_sometimes(void)
{
	TimestampTz began = GetCurrentTimestamp();
	TimestampTz ended;

	if (transaction.is_swept || began < next_sweep || !anything_waits())
		return;
	transaction.is_swept = true;
	(void) drain(woken_keys());
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
	(void) drain(keys);
	sweep_sometimes();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return settled;
}

/* admit_from_peer(bytes, peer): what became of it, in a word */
ECERT_FUNCTION(ecert_sql_admit_from_peer)
{
	static const char *const words[] = {"admitted", "known", "pending", "quarantined"};
	EcertSlice	bytes = ecert_varlena_slice(PG_GETARG_BYTEA_PP(0));
	char	   *peer = text_to_cstring(PG_GETARG_TEXT_PP(1));
	EcertUser	before = ecert_become(ecert_ledger_owner());
	EcertSettled settled = ecert_settle_from_peer(bytes, peer);

	ecert_restore_user(before);
	PG_RETURN_TEXT_P(cstring_to_text(words[settled]));
}

ECERT_FUNCTION(ecert_sql_drain_pending)
{
	EcertUser	before = ecert_become(ecert_ledger_owner());
	int64		admitted = drain(woken_keys());

	ecert_restore_user(before);
	PG_RETURN_INT64(admitted);
}

/* Trigger after a node or relation package that was first admitted here: packages that waited for it are settled */
ECERT_FUNCTION(ecert_drain_waiting)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	EcertPackage package;
	EcertUser	before;
	uint8_t		hash[ECERT_HASH_SIZE];

	ecert_inserted_package(fcinfo, "ecert.drain_waiting()", &package);
	/* whoever settles packages drains in a loop of its own: this trigger must not start a second one */
	if (transaction.being_inserted.size > 0 || (package.kind != ECERT_KIND_NODE && package.kind != ECERT_KIND_RELATION))
		return PointerGetDatum(NULL);
	ecert_hash_of(package.bytes, hash);
	before = ecert_become(trigger->tg_relation->rd_rel->relowner);
	(void) drain(wake_keys(NIL, &package, hash, CurrentMemoryContext));
	ecert_restore_user(before);
	return PointerGetDatum(NULL);
}

/* is_equivocation(one, other): does the issuer's own signature convict it? */
ECERT_FUNCTION(ecert_sql_is_equivocation)
{
	EcertSlice	bytes[2] = {ecert_varlena_slice(PG_GETARG_BYTEA_PP(0)), ecert_varlena_slice(PG_GETARG_BYTEA_PP(1))};
	EcertPackage packages[2];
	bool		is_signed[2];
	bool		proven = true;
	EcertError	error;
	EcertUser	before = ecert_become(ecert_ledger_owner());
	EcertRegistry *registry = ecert_registry_current();

	for (int i = 0; proven && i < 2; i++)
	{
		proven = registry->has_genesis && ecert_package_read(bytes[i], &packages[i], &error) == ECERT_OK;
		/* with any key that the issuer has had: its times do not matter here */
		is_signed[i] = proven && ecert_signed_with(registry, &packages[i]) != NULL;
	}
	proven = proven && ecert_is_equivocation(registry->origin, &packages[0], is_signed[0], &packages[1], is_signed[1]);
	ecert_restore_user(before);
	PG_RETURN_BOOL(proven);
}
