/*
 * admit.c
 *		The checks of admission, cheapest first.
 *
 * size and strict form -> body schema -> issuer, role, key -> time -> feed link
 * -> signature -> lock -> the kind's own rules.  Nothing is locked before the
 * signature has been found right.
 */
#include "ledger/ledger.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "package/datum.h"
#include "pg/error.h"
#include "pg/guc.h"

static EcertQuery replaced_query = {
	"SELECT p.issuer OPERATOR(pg_catalog.=) $2 AND p.kind OPERATOR(pg_catalog.=) $3,"
	" (SELECT l.hash FROM ledger.package l WHERE l.issuer OPERATOR(pg_catalog.=) p.issuer"
	"  AND l.kind OPERATOR(pg_catalog.=) p.kind AND l.subject OPERATOR(pg_catalog.=) p.subject"
	"  AND pg_catalog.lower(l.period) OPERATOR(pg_catalog.=) pg_catalog.lower(p.period)"
	"  ORDER BY l.seq DESC LIMIT 1) OPERATOR(pg_catalog.=) p.hash,"
	" pg_catalog.lower(p.period), pg_catalog.upper(p.period)"
	" FROM ledger.package p WHERE p.hash OPERATOR(pg_catalog.=) $1",
	3, {BYTEAOID, TEXTOID, TEXTOID}, NULL, true
};

static EcertQuery known_query = {
	"SELECT 1 FROM ledger.package WHERE hash OPERATOR(pg_catalog.=) $1", 1, {BYTEAOID}, NULL, true
};

static EcertQuery rule_queries[ECERT_KIND_COUNT] = {
	[ECERT_KIND_NODE] = {"SELECT ecert.rule_node($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
	[ECERT_KIND_RELATION] = {"SELECT ecert.rule_relation($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
	[ECERT_KIND_POLICY] = {"SELECT ecert.rule_policy($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
	[ECERT_KIND_AUDIT] = {"SELECT ecert.rule_audit($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
	[ECERT_KIND_CERTIFICATE] = {"SELECT ecert.rule_certificate($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
	[ECERT_KIND_STATUS] = {"SELECT ecert.rule_status($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
	[ECERT_KIND_REWARD] = {"SELECT ecert.rule_reward($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
	[ECERT_KIND_CHECKPOINT] = {"SELECT ecert.rule_checkpoint($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
	[ECERT_KIND_WITNESS] = {"SELECT ecert.rule_witness($1::ecert.package, $2)", 2, {BYTEAOID, BOOLOID}, NULL},
};

bool
ecert_kind_has_rule(EcertKind kind)
{
	return rule_queries[kind].sql != NULL;
}

EcertSlice
ecert_subject_of(EcertKind kind, EcertSlice body, EcertSlice issuer, EcertSlice origin)
{
	switch (kind)
	{
		case ECERT_KIND_GENESIS:
		case ECERT_KIND_POLICY:
		case ECERT_KIND_CHECKPOINT:
		case ECERT_KIND_WITNESS:
			return origin;
		case ECERT_KIND_ENERGY:
		case ECERT_KIND_PRODUCT:
			return issuer;
		case ECERT_KIND_NODE:
			return ecert_cbor_text_at(body, "node");
		case ECERT_KIND_RELATION:
		case ECERT_KIND_AUDIT:
		case ECERT_KIND_CERTIFICATE:
			return ecert_cbor_text_at(body, "applicant");
		case ECERT_KIND_REWARD:
			return ecert_cbor_text_at(body, "auditor");
		case ECERT_KIND_STATUS:
			break;
	}
	return ecert_slice(NULL, 0);
}

bool
ecert_check_scope(const EcertRegistry *registry, const EcertPackage *package, EcertRefusal *refusal)
{
	EcertSlice	subject;

	if (!ecert_slice_equal(package->audience, registry->origin))
		return ecert_refuse(refusal, ERRCODE_ECERT_OTHER_LEDGER,
							psprintf("package is for another ledger"),
							psprintf("It is for \"%s\", this ledger is \"%s\".",
									 ecert_cstring(package->audience), ecert_cstring(registry->origin)),
							NULL);
	subject = ecert_subject_of(package->kind, package->body, package->issuer, registry->origin);
	if (subject.size > 0 && !ecert_slice_equal(subject, package->subject))
		return ecert_refuse(refusal, ERRCODE_ECERT_SUBJECT_WRONG,
							psprintf("subject of the %s package is not the one its body is about",
									 ecert_kind_name(package->kind)),
							psprintf("Subject \"%s\", expected \"%s\".",
									 ecert_cstring(package->subject), ecert_cstring(subject)),
							NULL);
	return true;
}

/* The DETAIL of a wrong link */
static char *
link_detail(const EcertHead *head, const EcertPackage *package)
{
	char	   *feed = psprintf("Feed (\"%s\", %s)", ecert_cstring(package->issuer), ecert_kind_name(package->kind));

	if (head->seq < 0)
		return psprintf("%s is empty; the package has seq " INT64_FORMAT " and prev %s.",
						feed, package->seq, ecert_hex(package->prev));
	return psprintf("%s ends at seq " INT64_FORMAT " with hash %s; the package has seq " INT64_FORMAT " and prev %s.",
					feed, head->seq, ecert_hex(ecert_slice(head->hash, ECERT_HASH_SIZE)),
					package->seq, ecert_hex(package->prev));
}

bool
ecert_check_link(const EcertHead *head, const EcertPackage *package, const uint8_t *hash,
				 const uint8_t *genesis_hash, EcertRefusal *refusal)
{
	const uint8_t *expected = head->seq < 0 ? genesis_hash : head->hash;

	if (head->seq >= 0 && package->seq == head->seq && memcmp(head->hash, hash, ECERT_HASH_SIZE) == 0)
		return ecert_refuse(refusal, ERRCODE_ECERT_DUPLICATE,
							pstrdup("package is on the ledger already"), link_detail(head, package), NULL);
	if (package->seq <= head->seq)
		return ecert_refuse(refusal, ERRCODE_ECERT_FORK,
							psprintf("seq " INT64_FORMAT " of the feed is taken", package->seq),
							link_detail(head, package),
							pstrdup("Sign again with the next seq and the present head as prev."));
	if (package->seq > head->seq + 1)
		return ecert_refuse(refusal, ERRCODE_ECERT_SEQ_GAP,
							psprintf("seq " INT64_FORMAT " leaves a gap in the feed", package->seq),
							link_detail(head, package),
							psprintf("Send the packages from seq " INT64_FORMAT " on first.", head->seq + 1));
	if (memcmp(package->prev.data, expected, ECERT_HASH_SIZE) == 0)
		return true;
	if (package->seq == 0)
		return ecert_refuse(refusal, ERRCODE_ECERT_OTHER_LEDGER,
							pstrdup("first package of the feed does not name this ledger's genesis"),
							psprintf("It names %s, the genesis package is %s.", ecert_hex(package->prev),
									 ecert_hex(ecert_slice(genesis_hash, ECERT_HASH_SIZE))),
							NULL);
	return ecert_refuse(refusal, ERRCODE_ECERT_FORK,
						pstrdup("package does not follow the head of its feed"),
						link_detail(head, package),
						pstrdup("Sign again with the present head as prev."));
}

bool
ecert_check_order(const EcertHead *head, const EcertPackage *package, EcertRefusal *refusal)
{
	EcertPeriod period;
	uint8_t		replaced[ECERT_HASH_SIZE];

	if (head->seq >= 0 && package->issued_at < head->issued_at)
		return ecert_refuse(refusal, ERRCODE_ECERT_TIME_BACKWARDS,
							pstrdup("issued_at runs backwards in the feed"),
							psprintf("The package says %s, the one before it %s.",
									 timestamptz_to_str(ecert_timestamp(package->issued_at)),
									 pstrdup(timestamptz_to_str(ecert_timestamp(head->issued_at)))),
							NULL);
	if ((package->kind != ECERT_KIND_ENERGY && package->kind != ECERT_KIND_PRODUCT) ||
		ecert_body_replaces(package, replaced) || !ecert_body_period(package, &period))
		return true;
	if (period.start < head->period_end)
	{
		char	   *start = pstrdup(timestamptz_to_str(ecert_timestamp(period.start)));

		return ecert_refuse(refusal, ERRCODE_ECERT_PERIOD_OVERLAP,
							pstrdup("period overlaps an earlier one of the feed, or runs backwards"),
							psprintf("The period starts at %s, the feed already reaches %s.", start,
									 timestamptz_to_str(ecert_timestamp(head->period_end))),
							pstrdup("To correct a package, issue one with the same period that \"replaces\" it."));
	}
	return true;
}

/* A package that replaces another: same feed, same period, and the other is the live one.  Inside SPI */
static bool
check_replaces(const EcertPackage *package, EcertRefusal *refusal)
{
	uint8_t		replaced[ECERT_HASH_SIZE];
	EcertPeriod period;
	Datum		values[3];
	Datum		flag[4];
	bool		isnull[4];
	char	   *detail;

	if (!ecert_body_replaces(package, replaced) || !ecert_body_period(package, &period))
		return true;
	detail = psprintf("It replaces %s.", ecert_hex(ecert_slice(replaced, sizeof replaced)));
	values[0] = PointerGetDatum(ecert_bytea(ecert_slice(replaced, sizeof replaced)));
	values[1] = PointerGetDatum(ecert_text(package->issuer));
	values[2] = PointerGetDatum(cstring_to_text(ecert_kind_name(package->kind)));
	if (ecert_query(&replaced_query, values, 1) == 0)
		return ecert_refuse(refusal, ERRCODE_ECERT_REPLACES_INVALID,
							pstrdup("the replaced package is not on the ledger"), detail, NULL);
	for (int i = 0; i < 4; i++)
		flag[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull[i]);
	if (!DatumGetBool(flag[0]))
		return ecert_refuse(refusal, ERRCODE_ECERT_REPLACES_INVALID,
							pstrdup("the replaced package is of another feed"), detail, NULL);
	if (isnull[1] || !DatumGetBool(flag[1]))
		return ecert_refuse(refusal, ERRCODE_ECERT_REPLACES_INVALID,
							pstrdup("the replaced package has been replaced already"), detail,
							pstrdup("Replace the newest package of the period."));
	if (isnull[2] || DatumGetTimestampTz(flag[2]) != ecert_timestamp(period.start) ||
		DatumGetTimestampTz(flag[3]) != ecert_timestamp(period.end))
		return ecert_refuse(refusal, ERRCODE_ECERT_REPLACES_INVALID,
							pstrdup("the replaced package has another period"), detail, NULL);
	return true;
}

void
ecert_run_rule(const EcertPackage *package, bool first_admission)
{
	Datum		values[2];

	values[0] = PointerGetDatum(ecert_bytea(package->bytes));
	values[1] = BoolGetDatum(first_admission);
	(void) ecert_query(&rule_queries[package->kind], values, 0);
}

/* A node package whose keys cannot be used would lock its node out */
static bool
check_node_keys(const EcertPackage *package, EcertRefusal *refusal)
{
	EcertRegistry *trial = ecert_registry_new(CurrentMemoryContext);
	bool		good = ecert_registry_apply(trial, package, refusal);

	ecert_registry_free(trial);
	return good;
}

bool
ecert_check_kind(EcertRegistry *registry, const EcertPackage *package, bool first_admission, EcertRefusal *refusal)
{
	switch (package->kind)
	{
		case ECERT_KIND_ENERGY:
			return check_replaces(package, refusal) &&
				(!first_admission || ecert_check_coefficients(registry, package->body, refusal));
		case ECERT_KIND_PRODUCT:
			return check_replaces(package, refusal);
		case ECERT_KIND_NODE:
			return check_node_keys(package, refusal);
		default:
			return true;
	}
}

/* All the rules of the package's own kind */
static void
check_rules(EcertRegistry *registry, const EcertPackage *package)
{
	EcertRefusal refusal;
	bool		needs_spi = ecert_kind_has_rule(package->kind) || package->replaces_item.size > 0;

	if (needs_spi)
		SPI_connect();
	if (!ecert_check_kind(registry, package, true, &refusal))
		ecert_raise_refusal(&refusal);
	if (ecert_kind_has_rule(package->kind))
		ecert_run_rule(package, true);
	if (needs_spi)
		SPI_finish();
}

bool
ecert_check_signature(EcertRegistry *registry, const EcertPackage *package, EcertNodeKey *key, EcertRefusal *refusal)
{
	static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
	EcertCode	code = ecert_package_verify(package, ecert_prepared_key(registry, key), ecert_buffer(scratch, sizeof scratch));

	if (code == ECERT_OK)
		return true;
	if (code != ECERT_BAD_SIGNATURE)
		ecert_raise_crypto(code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not verify the signature");
	return ecert_refuse(refusal, ERRCODE_ECERT_BAD_SIGNATURE,
						pstrdup("signature of the package is wrong"),
						psprintf("Issuer \"%s\", %s, seq " INT64_FORMAT ", key %s.", ecert_cstring(package->issuer),
								 ecert_kind_name(package->kind), package->seq, ecert_hex(package->kid)),
						pstrdup("The bytes are not those that the issuer signed."));
}

static void
verify_signature(EcertRegistry *registry, const EcertPackage *package, EcertNodeKey *key)
{
	EcertRefusal refusal;

	if (!ecert_check_signature(registry, package, key, &refusal))
		ecert_raise_refusal(&refusal);
}

/* Everything about issuer, key and time that needs no look at the feed */
static EcertNodeKey *
check_origin(EcertRegistry *registry, const EcertPackage *package)
{
	EcertRefusal refusal;
	EcertNodeKey *key;
	int64		now = ecert_seconds(GetCurrentTimestamp());

	if (!ecert_check_scope(registry, package, &refusal) ||
		!ecert_check_issuer(registry, package, now, true, &key, &refusal))
		ecert_raise_refusal(&refusal);
	if (package->issued_at > now + ecert_max_clock_skew)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_TIME_FUTURE),
				 errmsg("issued_at is in the future"),
				 errdetail("The package says %s; the clock here is ecert.max_clock_skew (%d s) or more behind that.",
						   timestamptz_to_str(ecert_timestamp(package->issued_at)), ecert_max_clock_skew),
				 errhint("Check the clocks of the issuer and of this server.")));
	return key;
}

/* An identical package further back in the feed is no fork */
static void
check_known(const EcertPackage *package, const uint8_t *hash)
{
	Datum		value = PointerGetDatum(ecert_bytea(ecert_slice(hash, ECERT_HASH_SIZE)));

	SPI_connect();
	if (ecert_query(&known_query, &value, 1) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_DUPLICATE),
				 errmsg("package is on the ledger already"),
				 errdetail("Issuer \"%s\", %s, seq " INT64_FORMAT ", hash %s.", ecert_cstring(package->issuer),
						   ecert_kind_name(package->kind), package->seq, ecert_hex(ecert_slice(hash, ECERT_HASH_SIZE)))));
	SPI_finish();
}

static void
check_feed(const EcertHead *head, const EcertPackage *package, const uint8_t *hash, const uint8_t *genesis_hash)
{
	EcertRefusal refusal;

	if (ecert_check_link(head, package, hash, genesis_hash, &refusal) &&
		ecert_check_order(head, package, &refusal))
		return;
	if (refusal.sqlstate == ERRCODE_ECERT_FORK)
		check_known(package, hash);
	ecert_raise_refusal(&refusal);
}

/* The first package of all: it brings the key that it is verified with */
static void
admit_genesis(const EcertRegistry *present, const EcertPackage *package)
{
	EcertRegistry *trial;
	EcertRefusal refusal;

	if (present->has_genesis)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_LEDGER_EXISTS),
				 errmsg("this ledger has its genesis package already"),
				 errdetail("Its origin is \"%s\".", ecert_cstring(present->origin))));
	trial = ecert_registry_new(CurrentMemoryContext);
	if (!ecert_registry_apply(trial, package, &refusal))
		ecert_raise_refusal(&refusal);
	verify_signature(trial, package, check_origin(trial, package));
	ecert_registry_free(trial);
	(void) ecert_feed_lock(package->issuer, package->kind, 0);
}

/* Any other package, where it is first admitted */
static void
admit_package(EcertRegistry *registry, const EcertPackage *package, const uint8_t *hash)
{
	EcertNodeKey *key = check_origin(registry, package);
	EcertHead  *head = ecert_feed_locked(package->issuer, package->kind);
	const EcertHead *seen = head != NULL ? head : ecert_feed_left_behind(package);
	EcertHead	unlocked;

	if (seen == NULL)
	{
		ecert_feed_read(package->issuer, package->kind, package->seq - 1, &unlocked);
		seen = &unlocked;
	}
	check_feed(seen, package, hash, registry->genesis_hash);
	verify_signature(registry, package, key);
	if (head == NULL)
	{
		head = ecert_feed_lock(package->issuer, package->kind, package->seq - 1);
		/* the wait may have let the registry change */
		registry = ecert_registry_current();
		(void) check_origin(registry, package);
		check_feed(head, package, hash, registry->genesis_hash);
	}
	check_rules(registry, package);
	/* a rule's queries may have let the heads go */
	head = ecert_feed_locked(package->issuer, package->kind);
	if (head != NULL)
		ecert_head_advance(head, package, hash);
}

void
ecert_admit_first(Oid ledger_relid, const EcertPackage *package, const uint8_t *hash)
{
	EcertRegistry *registry = ecert_registry_of(ledger_relid);
	EcertError	error;

	if (ecert_body_check(package->kind, package->body, &error) != ECERT_OK)
		ecert_raise(&error, "body");
	if (package->kind == ECERT_KIND_GENESIS)
		admit_genesis(registry, package);
	else if (registry->has_genesis)
		admit_package(registry, package, hash);
	else
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NO_LEDGER),
				 errmsg("this ledger has no genesis package yet"),
				 errhint("The first package of a ledger is its genesis; see ecert.create_ledger().")));
}
