/*
 * append.c
 *		Signing this node's next package, and putting it on the ledger.
 */
#include "ledger/ledger.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "core/checkpoint.h"
#include "package/datum.h"
#include "pg/error.h"
#include "pg/guc.h"

static EcertQuery insert_query = {
	"INSERT INTO ledger.package (package) VALUES ($1::ecert.package)",
	1, {BYTEAOID}, NULL
};

static EcertQuery own_head_query = {
	"SELECT ecert.check_own_head($1)", 1, {TEXTOID}, NULL
};

/* The node that this backend has been allowed to sign as, and on which table; empty when that has to be asked again */
static char confirmed_node[ECERT_ID_MAX + 1];
static Oid	confirmed_relid = InvalidOid;

/* Until then nobody is asked again, where nobody has answered */
static TimestampTz in_vain_until;

/* The ledger may have been restored in its place, or its triggers have been off */
static void
relcache_callback(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == confirmed_relid)
		confirmed_node[0] = '\0';
}

void
ecert_append_init(void)
{
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
}

/*
 * A server that was restored from a backup must not tell a second story: once
 * after each start its peers are asked how far this node's feeds have got.
 * Before any feed is locked
 */
static void
check_own_head(EcertSlice node)
{
	char		name[ECERT_ID_MAX + 1] = {0};
	Datum		value = ecert_text_datum(node);

	Assert(node.size <= ECERT_ID_MAX);
	memcpy(name, node.data, Min(node.size, ECERT_ID_MAX));
	/* what others have changed is seen first */
	AcceptInvalidationMessages();
	if (memcmp(name, confirmed_node, sizeof name) == 0)
		return;
	if (GetCurrentTimestamp() < in_vain_until)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_UNCONFIRMED),
				 errmsg("could not confirm feed heads of node \"%s\": no peer was reachable just now", name),
				 errhint("Peers are asked again after %d s, setting ecert.peer_timeout.", ecert_peer_timeout)));
	confirmed_relid = ecert_ledger_relid();
	memcpy(confirmed_node, name, sizeof name);
	PG_TRY();
	{
		(void) ecert_run(&own_head_query, &value);
	}
	PG_CATCH();
	{
		confirmed_node[0] = '\0';
		/* a round of duties has many to sign, and each would wait for the deadline */
		if (geterrcode() == ERRCODE_ECERT_UNCONFIRMED && MyBackendType == B_BG_WORKER)
			in_vain_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (int64) ecert_peer_timeout * 1000);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static EcertKind
kind_argument(text *name)
{
	EcertKind	kind;

	if (ecert_kind_is_reserved(ecert_varlena_slice(name)))
		ecert_raise(&(EcertError) {.code = ECERT_RESERVED_KIND, .field = "kind"}, "package");
	if (!ecert_kind_from_name(ecert_varlena_slice(name), &kind))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_MALFORMED),
				 errmsg("\"%s\" is not a kind of package", text_to_cstring(name)),
				 errhint("Kinds are genesis, node, relation, policy, point, energy, product, audit, certificate, status, reward, checkpoint and witness.")));
	return kind;
}

/* When this node's key for a use counts; 0 when it is not one of the node's */
static int64
key_effective(const EcertNodeState *node, EcertKeyUse use)
{
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	EcertAlg	alg;

	ecert_own_public_key(use, &alg, raw, &raw_size);
	for (int i = 0; node != NULL && i < node->key_count; i++)
	{
		const EcertKeyFacts *key = &node->keys[i].facts;

		if (key->use == use && key->alg == alg && memcmp(key->raw, raw, raw_size) == 0)
			return key->effective;
	}
	return 0;
}

/* issued_at: now, but not before the feed's head and what else it follows, nor before the keys of this node count that sign it, or sign in it */
static int64
issue_time(EcertRegistry *registry, const EcertHead *head, int64 not_before, const EcertPackage *package)
{
	int64		when = ecert_seconds(GetCurrentTimestamp());
	EcertNodeState *node = ecert_registry_node(registry, package->issuer);
	EcertCheckpoint checkpoint;

	/* the parts of a sealing have one time */
	if (package->kind == ECERT_KIND_CHECKPOINT && ecert_checkpoint_read(package->body, &checkpoint) == ECERT_OK && checkpoint.part > 1 && head->seq >= 0)
		return head->issued_at;
	when = Max(when, not_before);
	if (head->seq >= 0 && head->issued_at > when)
		when = head->issued_at;
	when = Max(when, key_effective(node, ECERT_USE_PACKAGE));
	if (package->kind == ECERT_KIND_CHECKPOINT && ecert_has_own_key(ECERT_USE_SEAL))
		when = Max(when, key_effective(node, ECERT_USE_SEAL));
	if (package->kind == ECERT_KIND_WITNESS && ecert_has_own_key(ECERT_USE_WITNESS))
		when = Max(when, key_effective(node, ECERT_USE_WITNESS));
	return when;
}

/* The subject where the caller names none */
static EcertSlice
subject_of(const EcertPackage *package)
{
	EcertSlice	subject = ecert_subject_of(package->kind, package->body, package->issuer, package->audience);

	if (subject.size == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SUBJECT_WRONG),
				 errmsg("a %s package needs its subject", ecert_kind_name(package->kind))));
	return subject;
}

static void
check_id(EcertSlice id, const char *what, const char *kind_of_id)
{
	if (!ecert_id_valid(id))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SUBJECT_WRONG),
				 errmsg("%s is not a valid id", what),
				 errdetail("An %s is 1 to %d bytes without control, format and line-separating characters.", kind_of_id, ECERT_ID_MAX)));
}

static void
check_body(const EcertPackage *package)
{
	EcertError	error;

	if (ecert_body_check(package->kind, package->body, &error) != ECERT_OK)
		ecert_raise(&error, "body");
}

/* The end of this node's feed of a kind; lock says to hold it until the transaction ends */
static EcertHead
find_head(EcertSlice node, EcertKind kind, bool lock)
{
	EcertHead	head;
	const EcertHead *locked;

	check_own_head(node);
	if (!lock)
	{
		ecert_feed_read(node, kind, 0, PG_INT64_MAX, &head, NULL);
		return head;
	}
	locked = ecert_feed_locked(node, kind);
	return locked != NULL ? *locked : *ecert_feed_lock(node, kind, 0);
}

/*
 * Sign this node's next package, as the ledger's owner: who may call this needs
 * no privilege on what it reads.  lock says to hold the feed until the end;
 * make, when it is not NULL, makes the body
 */
static bytea *
sign_next(EcertPackage *package, bool lock, EcertBodyMaker make, void *context)
{
	EcertUser	before = ecert_become(ecert_ledger_owner());
	EcertRegistry *registry;
	EcertHead	checkpoint = {.seq = -1};
	EcertHead	head;
	bytea	   *bytes;

	/* a copy, which outlives the registry */
	package->audience = ecert_varlena_slice(ecert_bytea(ecert_registry_of_ledger()->origin));
	if (package->subject.data == NULL)
		package->subject = subject_of(package);
	check_id(package->subject, "subject", "id");
	/* before its own feed, as whoever takes both does */
	if (ecert_kinds[package->kind].rests_on_checkpoint)
		checkpoint = find_head(package->issuer, ECERT_KIND_CHECKPOINT, lock);
	head = find_head(package->issuer, package->kind, lock);
	registry = ecert_registry_of_ledger();
	if (head.seq < 0)
		memcpy(head.hash, registry->genesis_hash, ECERT_HASH_SIZE);
	package->seq = head.seq + 1;
	package->prev = ecert_slice(head.hash, ECERT_HASH_SIZE);
	package->issued_at = issue_time(registry, &head, checkpoint.seq < 0 ? 0 : checkpoint.issued_at, package);
	if (make != NULL)
	{
		package->body = make(context, package->seq, package->issued_at);
		check_body(package);
	}
	bytes = ecert_sign_here(package);
	ecert_restore_user(before);
	return bytes;
}

/* The same from arguments kind, body, subject */
static bytea *
sign_arguments(FunctionCallInfo fcinfo, bool lock)
{
	EcertPackage package = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("kind and body must not be null")));
	package.kind = kind_argument(PG_GETARG_TEXT_PP(0));
	package.issuer = ecert_this_node();
	package.body = ecert_jsonb_to_body(PG_GETARG_JSONB_P(1));
	check_body(&package);
	if (!PG_ARGISNULL(2))
		package.subject = ecert_varlena_slice(PG_GETARG_TEXT_PP(2));
	return sign_next(&package, lock, NULL, NULL);
}

ECERT_FUNCTION(ecert_sql_sign)
{
	PG_RETURN_BYTEA_P(sign_arguments(fcinfo, false));
}

/* Insert a package as the caller, who needs INSERT on the table; returns its hash */
static bytea *
insert(bytea *package, bool is_judged)
{
	Datum		value = PointerGetDatum(package);
	uint8_t		hash[ECERT_HASH_SIZE];
	volatile uint64 count = 0;

	ecert_hash_of(ecert_varlena_slice(package), hash);
	ecert_set_judged(is_judged ? hash : NULL);
	PG_TRY();
	{
		count = ecert_run(&insert_query, &value);
	}
	PG_FINALLY();
	{
		ecert_set_judged(NULL);
	}
	PG_END_TRY();
	if (count != 1)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_APPEND_ONLY),
				 errmsg("the package was not stored"),
				 errhint("A trigger or rule on ledger.package has suppressed the row.")));
	return ecert_bytea(ecert_slice(hash, sizeof hash));
}

/* hold_checkpoint(): the hash of this node's newest checkpoint, behind which no other comes until the transaction ends; NULL: there is none */
ECERT_FUNCTION(ecert_sql_hold_checkpoint)
{
	EcertUser	before = ecert_become(ecert_ledger_owner());
	EcertHead	head = find_head(ecert_this_node(), ECERT_KIND_CHECKPOINT, true);

	ecert_restore_user(before);
	if (head.seq < 0)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(ecert_bytea(ecert_slice(head.hash, ECERT_HASH_SIZE)));
}

ECERT_FUNCTION(ecert_sql_append)
{
	PG_RETURN_BYTEA_P(insert(sign_arguments(fcinfo, true), false));
}

bytea *
ecert_append_judged(EcertKind kind, EcertSlice subject, EcertBodyMaker make, void *context)
{
	EcertPackage package = {0};

	package.kind = kind;
	package.issuer = ecert_this_node();
	package.subject = subject;
	return insert(sign_next(&package, true, make, context), true);
}

/* sign_genesis(origin, body): the package that starts a ledger, self-introduced */
ECERT_FUNCTION(ecert_sql_sign_genesis)
{
	EcertPackage package = {0};

	package.kind = ECERT_KIND_GENESIS;
	package.issuer = ecert_this_node();
	package.audience = ecert_varlena_slice(PG_GETARG_TEXT_PP(0));
	package.subject = package.audience;
	package.issued_at = ecert_seconds(GetCurrentTimestamp());
	package.body = ecert_jsonb_to_body(PG_GETARG_JSONB_P(1));
	check_id(package.audience, "origin", "origin");
	check_body(&package);
	PG_RETURN_BYTEA_P(ecert_sign_here(&package));
}
