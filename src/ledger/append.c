/*
 * append.c
 *		Signing this node's next package, and putting it on the ledger.
 */
#include "ledger/ledger.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "package/datum.h"
#include "pg/error.h"

PG_FUNCTION_INFO_V1(ecert_sql_sign);
PG_FUNCTION_INFO_V1(ecert_sql_append);
PG_FUNCTION_INFO_V1(ecert_sql_sign_genesis);

static EcertQuery insert_query = {
	"INSERT INTO ledger.package (package) VALUES ($1::ecert.package)",
	1, {BYTEAOID}, NULL
};

static EcertQuery own_head_query = {
	"SELECT ecert.check_own_head($1)", 1, {TEXTOID}, NULL
};

/* The node that this backend has been allowed to sign as */
static char confirmed_node[ECERT_ID_MAX + 1];

/*
 * A server that was restored from a backup must not tell a second story: once
 * after each start its peers are asked how far this node's feeds have got.
 * Inside SPI, before any feed is locked.
 */
static void
check_own_head(EcertSlice node)
{
	char		name[ECERT_ID_MAX + 1] = {0};
	Datum		value = PointerGetDatum(ecert_text(node));

	Assert(node.size <= ECERT_ID_MAX);
	memcpy(name, node.data, Min(node.size, ECERT_ID_MAX));
	if (memcmp(name, confirmed_node, sizeof name) == 0)
		return;
	(void) ecert_query(&own_head_query, &value, 1);
	memcpy(confirmed_node, name, sizeof name);
}

static EcertKind
kind_argument(text *name)
{
	EcertKind	kind;

	if (!ecert_kind_from_name(ecert_varlena_slice(name), &kind))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_MALFORMED),
				 errmsg("\"%s\" is not a kind of package", text_to_cstring(name)),
				 errhint("Kinds are genesis, node, relation, policy, energy, product, audit, certificate, status, reward, checkpoint and witness.")));
	return kind;
}

/* Copy into memory that outlives the registry */
static EcertSlice
copy_slice(EcertSlice slice)
{
	uint8_t    *copy = palloc(Max(slice.size, 1));

	memcpy(copy, slice.data, slice.size);
	return ecert_slice(copy, slice.size);
}

/* issued_at: now, but not before the feed's head, nor before the key of this node counts */
static int64
issue_time(EcertRegistry *registry, const EcertHead *head, EcertSlice node_id)
{
	int64		when = ecert_seconds(GetCurrentTimestamp());
	EcertNodeState *node = ecert_registry_node(registry, node_id);
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	EcertAlg	alg;

	if (head->seq >= 0 && head->issued_at > when)
		when = head->issued_at;
	ecert_own_public_key(&alg, raw, &raw_size);
	for (int i = 0; node != NULL && i < node->key_count; i++)
	{
		if (node->keys[i].facts.alg == alg && memcmp(node->keys[i].facts.raw, raw, raw_size) == 0 &&
			node->keys[i].facts.effective > when)
			when = node->keys[i].facts.effective;
	}
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
check_subject(EcertSlice subject)
{
	if (!ecert_id_valid(subject))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SUBJECT_WRONG),
				 errmsg("subject is not a valid id"),
				 errdetail("An id is 1 to %d bytes without control characters.", ECERT_ID_MAX)));
}

static void
check_body(const EcertPackage *package)
{
	EcertError	error;

	if (ecert_body_check(package->kind, package->body, &error) != ECERT_OK)
		ecert_raise(&error, "body");
}

/* The end of this node's feed; lock says to hold it until the transaction ends.  Inside SPI */
static void
find_head(const EcertPackage *package, bool lock, EcertHead *head)
{
	check_own_head(package->issuer);
	if (!lock)
		ecert_feed_read(package->issuer, package->kind, 0, head);
	else if (ecert_feed_locked(package->issuer, package->kind) != NULL)
		*head = *ecert_feed_locked(package->issuer, package->kind);
	else
		*head = *ecert_feed_lock(package->issuer, package->kind, 0);
}

/* Give a package its place behind head */
static void
put_behind(EcertPackage *package, const EcertHead *head)
{
	EcertRegistry *registry = ecert_registry_of_ledger();

	package->seq = head->seq + 1;
	package->prev = copy_slice(ecert_slice(head->seq < 0 ? registry->genesis_hash : head->hash, ECERT_HASH_SIZE));
	package->issued_at = issue_time(registry, head, package->issuer);
}

/* Make and sign this node's next package of a kind; lock says to hold the feed until the end */
static bytea *
sign_next(FunctionCallInfo fcinfo, bool lock)
{
	EcertPackage package;
	EcertHead	head;
	EcertUser	before;
	MemoryContext caller = CurrentMemoryContext;
	bytea	   *bytes;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("kind and body must not be null")));
	memset(&package, 0, sizeof package);
	package.kind = kind_argument(PG_GETARG_TEXT_PP(0));
	package.issuer = ecert_this_node();
	package.body = ecert_jsonb_to_body(PG_GETARG_JSONB_P(1));
	check_body(&package);
	/* who may call this needs no privilege on what it reads */
	before = ecert_become(ecert_ledger_owner());
	package.audience = copy_slice(ecert_registry_of_ledger()->origin);
	package.subject = PG_ARGISNULL(2) ? subject_of(&package) : ecert_varlena_slice(PG_GETARG_TEXT_PP(2));
	check_subject(package.subject);
	SPI_connect();
	find_head(&package, lock, &head);
	MemoryContextSwitchTo(caller);
	put_behind(&package, &head);
	bytes = ecert_sign_here(&package);
	SPI_finish();
	ecert_restore_user(before);
	return bytes;
}

Datum
ecert_sql_sign(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(sign_next(fcinfo, false));
}

/* Insert a package as the caller, who needs INSERT on the table; returns its hash */
static bytea *
insert(bytea *package, bool is_judged)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = PointerGetDatum(package);
	uint8_t		hash[ECERT_HASH_SIZE];
	volatile uint64 count = 0;

	ecert_hash_of(ecert_varlena_slice(package), hash);
	SPI_connect();
	ecert_set_judged(is_judged ? hash : NULL);
	PG_TRY();
	{
		count = ecert_query(&insert_query, &value, 0);
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
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return ecert_bytea(ecert_slice(hash, sizeof hash));
}

Datum
ecert_sql_append(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(insert(sign_next(fcinfo, true), false));
}

bytea *
ecert_append_judged(EcertKind kind, EcertSlice subject, EcertBodyMaker make, void *context)
{
	MemoryContext caller = CurrentMemoryContext;
	EcertUser	before = ecert_become(ecert_ledger_owner());
	EcertPackage package;
	EcertHead	head;
	bytea	   *bytes;

	memset(&package, 0, sizeof package);
	package.kind = kind;
	package.issuer = ecert_this_node();
	package.audience = copy_slice(ecert_registry_of_ledger()->origin);
	package.subject = subject;
	check_subject(subject);
	SPI_connect();
	find_head(&package, true, &head);
	MemoryContextSwitchTo(caller);
	put_behind(&package, &head);
	package.body = make(context, package.seq, package.issued_at);
	check_body(&package);
	bytes = ecert_sign_here(&package);
	SPI_finish();
	ecert_restore_user(before);
	return insert(bytes, true);
}

/* sign_genesis(origin, body): the package that starts a ledger, self-introduced */
Datum
ecert_sql_sign_genesis(PG_FUNCTION_ARGS)
{
	EcertPackage package;

	memset(&package, 0, sizeof package);
	package.kind = ECERT_KIND_GENESIS;
	package.issuer = ecert_this_node();
	package.audience = ecert_varlena_slice(PG_GETARG_TEXT_PP(0));
	package.subject = package.audience;
	package.issued_at = ecert_seconds(GetCurrentTimestamp());
	package.body = ecert_jsonb_to_body(PG_GETARG_JSONB_P(1));
	if (!ecert_id_valid(package.audience))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SUBJECT_WRONG),
				 errmsg("origin is not a valid id"),
				 errdetail("An origin is 1 to %d bytes without control characters.", ECERT_ID_MAX)));
	check_body(&package);
	PG_RETURN_BYTEA_P(ecert_sign_here(&package));
}
