/*
 * verify_rows.c
 *		Checking stored packages again, from their bytes alone.
 *
 * Nothing that admission cached or derived is believed.  First the registry is
 * built anew from the genesis package and the certifier's node feed, each node
 * package verified under the state that the ones before it made, so that a
 * forged node package cannot vouch for itself; and of his policies and relations
 * those are noted that do not count.  Then every other row is checked, by
 * as many processes as PostgreSQL gives to the query: each asks for rows in the
 * order of the primary key, so that a row mostly comes behind the one it
 * follows; where it does not, the end of the feed before it is read.
 */
#include "ledger/view.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/snapmgr.h"

#include "package/datum.h"
#include "pg/error.h"
#include "rules/as_of.h"

/* What this backend has verified last, and the same packed */
static EcertRegistry *verified = NULL;
static bytea *packed = NULL;

/* A walk over rows, and where its problems go */
typedef struct RowWalk
{
	EcertRegistry *registry;
	EcertHead	head;
	ReturnSetInfo *result;		/* NULL: they are collected in found */
	bool		applies;		/* take genesis, node, policy and relation packages into the registry */
	int64		first_seq;		/* of check_period(): where problems are told of from; */
	bool		believes_all;	/* and the first, cheap walk, which only looks whether there are any */
	/* of rows that come one by one, as ecert.row_problems() gets them */
	MemoryContext context;		/* lasts from row to row */
	EcertNodeId feed[2];		/* issuer and kind of the last row; empty: none yet */
	bool		was_walked;		/* when the registry was built: genesis, and what the certifier says of nodes, policy and relations */
	bool		has_rule;		/* which who reads our result checks */
	EcertLedgerRules *rules;	/* NULL until they are needed */
	int64		sealed_first;	/* of the feed at hand, packages of which the next is known */
	int64		sealed_last;	/* -1: of none */
	int64		sealed_at;		/* when the checkpoint that covers them first was issued; PG_INT64_MAX: none does */
	EcertNodeKey *key;			/* of the last row, good for its issuer and kind from key_from to key_until; or NULL */
	EcertKind	key_kind;
	EcertNodeId key_issuer;
	int64		key_from;
	int64		key_until;
	bool		is_known;		/* head is where the feed has come to */
	bool		reaches;		/* and its period_end is known */
	ArrayBuildState *found;
	bool		is_suspect;		/* a period seems to overlap */
} RowWalk;

/* One stored row, its columns in their order */
typedef struct Row
{
	Datum		values[8];
	bool		nulls[8];
	EcertPackage package;
	uint8_t		hash[ECERT_HASH_SIZE];
	bool		sound;			/* no problem found in this row itself */
	bool		is_believed;	/* none in the package by itself: its times count for those that follow */
	bool		is_void;		/* its key had ended before it was issued: its times do not count */
} Row;

EcertRegistry *
ecert_verified_registry(void)
{
	if (verified == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the registry has not been verified in this session"),
				 errhint("Call ecert.verify_registry() first.")));
	return verified;
}

/* A problem of a row; row NULL: of the whole ledger */
static void
put_problem(RowWalk *walk, Row *row, const char *problem)
{
	Datum		values[4] = {0};
	bool		nulls[4] = {false};

	if (row != NULL)
		row->sound = false;
	values[3] = CStringGetTextDatum(problem);
	if (walk->result == NULL)
	{
		walk->found = accumArrayResult(walk->found, values[3], false, TEXTOID, CurrentMemoryContext);
		return;
	}
	for (int i = 0; i < 3; i++)
	{
		nulls[i] = row == NULL || row->nulls[i];
		values[i] = nulls[i] ? (Datum) 0 : row->values[i];
	}
	tuplestore_putvalues(walk->result->setResult, walk->result->setDesc, values, nulls);
}

static void
put_finding(RowWalk *walk, Row *row, const EcertFinding *finding)
{
	put_problem(walk, row, ecert_finding_words(finding));
}

static bool
text_differs(Datum value, bool isnull, EcertSlice expected)
{
	if (isnull)
		return true;
	if (GetDatabaseEncoding() != PG_UTF8)
		expected = ecert_varlena_slice(ecert_text(expected));
	return !ecert_slice_equal(ecert_varlena_slice(DatumGetTextPP(value)), expected);
}

/* Against the very bytes in which PostgreSQL writes [start, end) */
static bool
period_differs(Datum value, bool isnull, const EcertPackage *package)
{
	const Oid	type = TSTZRANGEOID;
	EcertPeriod period;
	bool		has_period = ecert_body_period(package, &period);
	TimestampTz bounds[2];
	EcertSlice	stored;

	if (!has_period || isnull)
		return has_period == isnull;
	bounds[0] = ecert_timestamp(period.start);
	bounds[1] = ecert_timestamp(period.end);
	stored = ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(value));
	return stored.size != sizeof type + sizeof bounds + 1 || memcmp(stored.data, &type, sizeof type) != 0 ||
		memcmp(stored.data + sizeof type, bounds, sizeof bounds) != 0 || stored.data[stored.size - 1] != RANGE_LB_INC;
}

/* The columns beside the package must be what admission derives from it */
static void
check_columns(RowWalk *walk, Row *row)
{
	const EcertPackage *package = &row->package;
	bytea	   *hash = row->nulls[6] ? NULL : DatumGetByteaPP(row->values[6]);

	if (hash == NULL || !ecert_slice_equal(ecert_varlena_slice(hash), ecert_slice(row->hash, ECERT_HASH_SIZE)))
		put_problem(walk, row, psprintf("stored hash is not that of the package (the bytes hash to %s)",
										ecert_hex(ecert_slice(row->hash, ECERT_HASH_SIZE))));
	if (text_differs(row->values[0], row->nulls[0], package->issuer) ||
		text_differs(row->values[1], row->nulls[1], ecert_slice_text(ecert_kind_name(package->kind))) ||
		row->nulls[2] || DatumGetInt64(row->values[2]) != package->seq)
		put_problem(walk, row, psprintf("stored issuer, kind or seq is not that of the package (\"%s\", %s, " INT64_FORMAT ")",
										ecert_cstring(package->issuer), ecert_kind_name(package->kind), package->seq));
	if (text_differs(row->values[3], row->nulls[3], package->subject) ||
		period_differs(row->values[4], row->nulls[4], package) || row->nulls[5] ||
		DatumGetTimestampTz(row->values[5]) != ecert_timestamp(package->issued_at))
		put_problem(walk, row, "stored subject, period or issued_at is not that of the package");
}

/* Is the key of the row before good for this one, of the same issuer and kind, too? */
static bool
key_is_known(const RowWalk *walk, const EcertPackage *package)
{
	/* while node packages are applied, a key may get another end from row to row */
	Assert(walk->key == NULL || !walk->applies);
	return walk->key != NULL && package->kind == walk->key_kind && package->alg == walk->key->facts.alg &&
		memcmp(package->kid.data, walk->key->facts.kid, ECERT_HASH_SIZE) == 0 &&
		ecert_slice_equal(package->issuer, ecert_slice(walk->key_issuer.bytes, walk->key_issuer.size)) &&
		package->issued_at >= walk->key_from && package->issued_at <= walk->key_until;
}

/* Had its key ended, which a package that a checkpoint covers survives as void?  The certifier's are never void */
static bool
is_void(const RowWalk *walk, const Row *row, const EcertFinding *finding)
{
	return ecert_is_end(finding->code) && !ecert_slice_equal(row->package.issuer, ecert_certifier_of(walk->registry)) &&
		ecert_sealed_by(ecert_ledger_relid(), GetActiveSnapshot(), ecert_text_datum(row->package.issuer),
						ecert_kind_datum(row->package.kind), row->package.seq) != PG_INT64_MAX;
}

/* Issuer, role, key and time; *key is the one to check the signature with, or NULL */
static bool
check_issuer(RowWalk *walk, Row *row, EcertNodeKey **key)
{
	const EcertPackage *package = &row->package;
	EcertNodeState *node;
	EcertFinding finding;

	*key = walk->key;
	if (key_is_known(walk, package))
		return true;
	*key = walk->key = NULL;
	if (!ecert_check_issuer(walk->registry, package, GetActiveSnapshot(), key, &finding))
	{
		row->is_void = is_void(walk, row, &finding);
		if (!row->is_void)
			put_finding(walk, row, &finding);
		return row->is_void;
	}
	node = ecert_registry_node(walk->registry, package->issuer);
	if (!walk->applies && ecert_always_entitled(node, package->kind))
	{
		walk->key = *key;
		walk->key_kind = package->kind;
		walk->key_issuer = ecert_node_id(package->issuer);
		walk->key_from = (*key)->facts.effective;
		walk->key_until = Min((*key)->facts.until, node->facts.revoked_at);
	}
	return true;
}

/* The genesis package makes the registry, before it is judged by the keys that it brings itself */
static bool
take_genesis(RowWalk *walk, Row *row, bool body_is_good)
{
	EcertFinding finding;

	if (!body_is_good || walk->registry->has_genesis || ecert_registry_apply(walk->registry, &row->package, &finding))
		return body_is_good;
	put_finding(walk, row, &finding);
	return false;
}

/* The package by itself, and the columns beside it: body, scope, issuer, signature; false when the package is not sound */
static bool
check_itself(RowWalk *walk, Row *row)
{
	const EcertPackage *package = &row->package;
	EcertFinding finding;
	EcertNodeKey *key;
	bool		good = ecert_check_body(package, &finding);

	if (!good)
		put_finding(walk, row, &finding);
	check_columns(walk, row);
	if (package->kind == ECERT_KIND_GENESIS && walk->applies && !take_genesis(walk, row, good))
		return false;
	if (!ecert_check_scope(package, walk->registry->origin, &finding))
	{
		put_finding(walk, row, &finding);
		good = false;
	}
	good = check_issuer(walk, row, &key) && good;
	if (key == NULL || key->facts.alg != package->alg || ecert_check_signature(walk->registry, package, key, &finding))
		return good;
	put_finding(walk, row, &finding);
	return false;
}

/* Rules for the row at hand */
static EcertRules *
rules_of(RowWalk *walk)
{
	if (walk->rules == NULL)
		walk->rules = ecert_ledger_rules(walk->context, ECERT_SEE_QUERY, walk->registry);
	ecert_ledger_rules_next(walk->rules);
	return &walk->rules->rules;
}

/* The rule of energy and product packages, which is about what they replace */
static void
check_replaced(RowWalk *walk, Row *row)
{
	EcertFinding finding;

	/* a body that says nothing to judge has a problem of its own */
	if (!ecert_kinds[row->package.kind].has_periods || row->package.replaces_item.size == 0 ||
		(!row->is_believed && !ecert_check_body(&row->package, &finding)))
		return;
	if (!ecert_rule_check(rules_of(walk), &row->package, false, &finding))
		put_finding(walk, row, &finding);
}

/* When the checkpoint that covers a package first was issued, looked up once for those that it covers */
static int64
sealed_at(RowWalk *walk, const EcertPackage *package)
{
	if (package->seq < walk->sealed_first || package->seq > walk->sealed_last)
	{
		walk->sealed_first = package->seq;
		walk->sealed_at = ecert_sealed_at(rules_of(walk), ecert_sealed_up_to(ecert_ledger_relid(), GetActiveSnapshot(), ecert_text_datum(package->issuer),
																			 ecert_kind_datum(package->kind), package->seq, &walk->sealed_last));
	}
	return walk->sealed_at;
}

/* Is it issued in time for the checkpoint that covers it?  Genesis is under all of them */
static void
check_seal_time(RowWalk *walk, Row *row)
{
	const EcertPackage *package = &row->package;
	EcertFinding finding;

	/* a body that says nothing to judge has a problem of its own */
	if (package->kind != ECERT_KIND_GENESIS && (row->is_believed || ecert_check_body(package, &finding)) &&
		!ecert_check_seal_time(package->kind, package->issued_at, sealed_at(walk, package), &finding))
		put_finding(walk, row, &finding);
}

/* Does the package's period have to come behind those before it? */
static bool
in_order(const EcertPackage *package)
{
	uint8_t		replaced[ECERT_HASH_SIZE];

	return (package->kind == ECERT_KIND_ENERGY || package->kind == ECERT_KIND_PRODUCT) &&
		!ecert_body_replaces(package, replaced);
}

/* The rows of a feed up to one of seq last, as the query sees them */
static void
begin_feed(EcertScan *scan, Datum issuer, Datum kind, int64 last)
{
	ecert_scan_feed(scan, ecert_ledger_relid(), AccessShareLock, GetActiveSnapshot(), issuer, kind, 0, last);
}

/* Take into the head what a row further back in the feed says of it */
static void
read_before(RowWalk *walk, EcertScan *scan, bool *is_dated, bool *is_reached)
{
	EcertHead  *head = &walk->head;
	EcertSlice	hash = ecert_scan_bytes(scan, COLUMN_HASH);
	EcertSlice	bytes = ecert_scan_bytes(scan, COLUMN_PACKAGE);
	EcertPackage package;
	EcertPeriod period;
	EcertError	error;
	int64		issued_at = head->issued_at;
	bool		isnull;

	if (head->seq < 0)
	{
		head->seq = DatumGetInt64(slot_getattr(scan->slot, COLUMN_SEQ, &isnull));
		if (hash.size == ECERT_HASH_SIZE)
			memcpy(head->hash, hash.data, ECERT_HASH_SIZE);
		else
			ecert_hash_of(bytes, head->hash);
	}
	if (ecert_package_parse(bytes, &package, &error) != ECERT_OK || !ecert_is_sound(walk->registry, &package))
		return;
	ecert_head_date(head, &package);
	/* the newest one's counts */
	if (*is_dated)
		head->issued_at = issued_at;
	*is_dated = true;
	/* in a feed without a problem no package but those that replace ends before another one did */
	*is_reached = *is_reached || (in_order(&package) && ecert_body_period(&package, &period));
}

/*
 * The head before a row, from the rows before it: mostly from the last one
 * alone.  It is what a walk from the feed's beginning comes to, but that
 * period_end may be too small behind a row with a problem.
 */
static void
read_head(RowWalk *walk, const Row *row)
{
	int64		seq = DatumGetInt64(row->values[2]);
	bool		is_dated = false;
	bool		is_reached = !in_order(&row->package);
	EcertScan	scan;

	memset(&walk->head, 0, sizeof walk->head);
	walk->head.seq = -1;
	walk->reaches = !is_reached || seq <= 0;
	if (seq <= 0)
		return;
	begin_feed(&scan, row->values[0], row->values[1], seq - 1);
	while (!(is_dated && is_reached) && ecert_scan_next(&scan, BackwardScanDirection))
		read_before(walk, &scan, &is_dated, &is_reached);
	ecert_scan_end(&scan);
}

/* Of rows that come one by one: know the head before this one */
static void
find_head(RowWalk *walk, const Row *row)
{
	if (!walk->is_known || walk->head.seq != DatumGetInt64(row->values[2]) - 1 ||
		(!walk->reaches && in_order(&row->package)))
		read_head(walk, row);
}

/* Does the package follow the head?  Of rows that come one by one, periods are left to ecert.period_problems() */
static void
check_follows(RowWalk *walk, Row *row)
{
	const EcertPackage *package = &row->package;
	EcertFinding finding;

	if (walk->result == NULL)
		find_head(walk, row);
	if (package->kind == ECERT_KIND_GENESIS ||
		ecert_check_place(&walk->head, package, row->hash, walk->registry->genesis_hash, &finding))
		return;
	if (walk->result == NULL && finding.code == ECERT_PERIOD_OVERLAP)
		walk->is_suspect = true;
	else
		put_finding(walk, row, &finding);
}

/* Move the head behind a row.  A row that is wrong in itself is followed by its
 * stored hash, so that its successor is not blamed for it */
static void
advance(RowWalk *walk, const Row *row)
{
	bytea	   *stored = row->nulls[6] ? NULL : DatumGetByteaPP(row->values[6]);

	walk->is_known = row->package.bytes.size > 0;
	if (walk->is_known)
		memcpy(walk->head.hash, row->hash, ECERT_HASH_SIZE);
	if (walk->is_known && row->is_believed && !row->is_void)
		ecert_head_date(&walk->head, &row->package);
	walk->head.seq = row->nulls[2] ? walk->head.seq + 1 : DatumGetInt64(row->values[2]);
	if (!row->sound && stored != NULL && VARSIZE_ANY_EXHDR(stored) == ECERT_HASH_SIZE)
		memcpy(walk->head.hash, VARDATA_ANY(stored), ECERT_HASH_SIZE);
}

/* What of the registry's packages their rule says: of nodes by those before, of relations as of the checkpoint that covers them */
static void
check_rule(RowWalk *walk, Row *row)
{
	EcertFinding finding;

	if (row->package.kind == ECERT_KIND_GENESIS || !ecert_check_body(&row->package, &finding))
		return;
	if (!ecert_rule_check(rules_of(walk), &row->package, false, &finding))
		put_finding(walk, row, &finding);
}

/* Node packages that nothing is wrong with become part of the registry */
static void
apply(RowWalk *walk, Row *row)
{
	EcertFinding finding;

	check_rule(walk, row);
	if (row->sound && row->package.kind == ECERT_KIND_NODE && !ecert_registry_apply(walk->registry, &row->package, &finding))
		put_finding(walk, row, &finding);
}

/* A row whose package has the right form: everything that can be judged about it */
static void
check_package(RowWalk *walk, Row *row)
{
	row->is_believed = check_itself(walk, row);
	/* of an unsound genesis package nothing is derived */
	if (row->package.kind == ECERT_KIND_GENESIS && walk->applies && !row->is_believed)
		walk->registry->has_genesis = false;
	if (walk->registry->has_genesis)
		check_follows(walk, row);
	check_replaced(walk, row);
	if (walk->registry->has_genesis)
		check_seal_time(walk, row);
	if (walk->applies)
		apply(walk, row);
}

static void
check_row(RowWalk *walk, Row *row)
{
	EcertError	error;
	EcertSlice	bytes;

	row->sound = true;
	row->is_void = false;
	memset(&row->package, 0, sizeof row->package);
	if (row->nulls[7])
	{
		put_problem(walk, row, "package is missing");
		advance(walk, row);
		return;
	}
	bytes = ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(row->values[7]));
	ecert_hash_of(bytes, row->hash);
	if (ecert_package_parse(bytes, &row->package, &error) != ECERT_OK)
	{
		memset(&row->package, 0, sizeof row->package);
		put_problem(walk, row, psprintf("package is %s at byte %zu: %s", ecert_is_reserved(error.code) ? "not supported" : "malformed", error.offset,
										ecert_error_text(error.code)));
	}
	else
		check_package(walk, row);
	advance(walk, row);
}

/* A row of what the registry is made of; one that does not count is noted */
static void
take_row(RowWalk *walk, Row *row)
{
	EcertKind	kind;

	check_row(walk, row);
	if (!row->sound && ecert_kind_from_name(ecert_varlena_slice(DatumGetTextPP(row->values[1])), &kind) && kind != ECERT_KIND_GENESIS)
		ecert_registry_put_false(walk->registry, kind, DatumGetInt64(row->values[2]));
}

/* Check each row of a scan, in a memory context of its own */
static void
walk_rows(RowWalk *walk, void (*check) (RowWalk *walk, Row *row), EcertScan *scan)
{
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "ecert verification", ALLOCSET_DEFAULT_SIZES);

	while (ecert_scan_next(scan, ForwardScanDirection))
	{
		MemoryContext before = MemoryContextSwitchTo(each);
		Row			row;

		slot_getsomeattrs(scan->slot, lengthof(row.values));
		memcpy(row.values, scan->slot->tts_values, sizeof row.values);
		memcpy(row.nulls, scan->slot->tts_isnull, sizeof row.nulls);
		check(walk, &row);
		MemoryContextSwitchTo(before);
		MemoryContextReset(each);
	}
	ecert_scan_end(scan);
	MemoryContextDelete(each);
}

/* The certifier's feeds that the registry is made of: relations are held against the nodes */
static const EcertKind registry_kinds[] = {ECERT_KIND_NODE, ECERT_KIND_POLICY, ECERT_KIND_RELATION};

static bool
is_of_registry(EcertKind kind)
{
	for (size_t i = 0; i < lengthof(registry_kinds); i++)
	{
		if (registry_kinds[i] == kind)
			return true;
	}
	return false;
}

/* Build the verified registry; problems of genesis and of these feeds come out */
static void
build_registry(ReturnSetInfo *result)
{
	RowWalk		walk;
	EcertScan	scan;

	memset(&walk, 0, sizeof walk);
	ecert_registry_free(verified);
	verified = NULL;
	packed = NULL;
	walk.registry = verified = ecert_registry_new(TopMemoryContext);
	walk.result = result;
	walk.sealed_last = -1;
	walk.applies = true;
	walk.context = CurrentMemoryContext;
	walk.head.seq = -1;
	ecert_scan_genesis(&scan, ecert_ledger_relid(), GetActiveSnapshot());
	walk_rows(&walk, check_row, &scan);
	if (!verified->has_genesis)
	{
		put_problem(&walk, NULL, "the ledger has no sound genesis package: nothing on it can be verified");
		return;
	}
	for (size_t i = 0; i < lengthof(registry_kinds); i++)
	{
		memset(&walk.head, 0, sizeof walk.head);
		walk.head.seq = -1;
		walk.sealed_last = -1;
		begin_feed(&scan, ecert_text_datum(ecert_certifier_of(verified)), ecert_kind_datum(registry_kinds[i]), PG_INT64_MAX);
		walk_rows(&walk, take_row, &scan);
	}
}

ECERT_FUNCTION(ecert_sql_verify_registry)
{
	(void) ecert_ledger_relid();	/* raises when there is no ledger */
	InitMaterializedSRF(fcinfo, 0);
	build_registry((ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/* verified_registry(); NULL: there is no sound genesis package */
ECERT_FUNCTION(ecert_sql_verified_registry)
{
	MemoryContext before;

	if (!ecert_verified_registry()->has_genesis)
		PG_RETURN_NULL();
	before = MemoryContextSwitchTo(ecert_verified_registry()->context);
	if (packed == NULL)
		packed = ecert_registry_pack(verified);
	MemoryContextSwitchTo(before);
	PG_RETURN_BYTEA_P(packed);
}

/* What holds for all rows of a feed, when another one begins */
static void
take_feed(RowWalk *walk, const Row *row)
{
	EcertSlice	name = ecert_varlena_slice(DatumGetTextPP(row->values[1]));
	EcertNodeId feed[2] = {ecert_node_id(ecert_varlena_slice(DatumGetTextPP(row->values[0]))), ecert_node_id(name)};
	EcertKind	kind;
	bool		is_kind;

	if (memcmp(feed, walk->feed, sizeof feed) == 0)
		return;
	memcpy(walk->feed, feed, sizeof feed);
	walk->is_known = false;
	walk->sealed_last = -1;
	is_kind = ecert_kind_from_name(name, &kind);
	walk->was_walked = is_kind && (kind == ECERT_KIND_GENESIS ||
								   (is_of_registry(kind) && memcmp(&feed[0], &walk->registry->certifier, sizeof feed[0]) == 0));
	/* that of energy and product packages is applied here */
	walk->has_rule = is_kind && !ecert_kinds[kind].has_periods && (kind == ECERT_KIND_GENESIS || !walk->was_walked);
}

/* What lasts from row to row of a query, in this process */
static RowWalk *
walk_of(FunctionCallInfo fcinfo)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	RowWalk	   *walk = fcinfo->flinfo->fn_extra;

	if (walk == NULL)
	{
		walk = MemoryContextAllocZero(context, sizeof *walk);
		walk->registry = ecert_registry_unpack(PG_GETARG_BYTEA_PP(8), context);
		walk->context = context;
		fcinfo->flinfo->fn_extra = walk;
	}
	walk->found = NULL;
	walk->is_suspect = false;
	return walk;
}

static void
check_row_call(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	if (result == NULL || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_ValuePerCall) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	for (int i = 0; i < 9; i++)
	{
		if (PG_ARGISNULL(i) && (i < 3 || i == 8))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("issuer, kind, seq and registry must not be null")));
	}
}

/* row_problems(issuer, kind, seq, subject, period, issued_at, hash, package, registry): no array or one */
ECERT_FUNCTION(ecert_sql_row_problems)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RowWalk	   *walk;
	Row			row;

	check_row_call(fcinfo);
	walk = walk_of(fcinfo);
	for (int i = 0; i < 8; i++)
	{
		row.values[i] = PG_GETARG_DATUM(i);
		row.nulls[i] = PG_ARGISNULL(i);
	}
	take_feed(walk, &row);
	if (!walk->was_walked)
		check_row(walk, &row);
	if (walk->found == NULL && !walk->is_suspect && !walk->has_rule)
	{
		result->isDone = ExprEndResult;
		PG_RETURN_NULL();
	}
	if (walk->found == NULL)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TEXTOID));
	return makeArrayResult(walk->found, CurrentMemoryContext);
}

/* Is this a row whose period the walk finds before an earlier one's end? */
static void
check_period(RowWalk *walk, Row *row)
{
	EcertError	error;
	EcertFinding finding;
	EcertSlice	bytes = row->nulls[7] ? ecert_slice(NULL, 0) : ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(row->values[7]));

	ecert_hash_of(bytes, row->hash);
	row->is_void = false;
	if (ecert_package_parse(bytes, &row->package, &error) != ECERT_OK)
		memset(&row->package, 0, sizeof row->package);
	else
	{
		row->is_believed = walk->believes_all || ecert_is_sound(walk->registry, &row->package);
		if (row->package.kind != ECERT_KIND_GENESIS &&
			!ecert_check_place(&walk->head, &row->package, row->hash, walk->registry->genesis_hash, &finding) &&
			finding.code == ECERT_PERIOD_OVERLAP && DatumGetInt64(row->values[2]) >= walk->first_seq)
		{
			walk->is_suspect = true;
			if (!walk->believes_all)
				put_finding(walk, row, &finding);
		}
	}
	/* behind what is stored as its hash, sound or not */
	row->sound = false;
	advance(walk, row);
}

/* period_problems(issuer, kind, first_seq, last_seq) */
ECERT_FUNCTION(ecert_sql_period_problems)
{
	EcertScan	scan;
	RowWalk		walk;

	InitMaterializedSRF(fcinfo, 0);
	memset(&walk, 0, sizeof walk);
	walk.registry = ecert_verified_registry();
	walk.result = (ReturnSetInfo *) fcinfo->resultinfo;
	walk.first_seq = PG_GETARG_INT64(2);
	walk.head.seq = -1;
	walk.believes_all = true;
	begin_feed(&scan, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_INT64(3));
	walk_rows(&walk, check_period, &scan);
	/* packages that are not sound only made more of them */
	if (walk.is_suspect)
	{
		memset(&walk.head, 0, sizeof walk.head);
		walk.head.seq = -1;
		walk.believes_all = false;
		begin_feed(&scan, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_INT64(3));
		walk_rows(&walk, check_period, &scan);
	}
	return (Datum) 0;
}
