/*
 * verify.c
 *		Checking stored packages again, from their bytes alone.
 *
 * Nothing that admission cached or derived is believed.  First the registry is
 * built anew from the genesis package and the certifier's node feed, each node
 * package verified under the state that the ones before it made, so that a
 * forged node package cannot vouch for itself.  Then every feed is walked.
 */
#include "ledger/ledger.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "package/datum.h"
#include "pg/error.h"

PG_FUNCTION_INFO_V1(ecert_sql_verify_registry);
PG_FUNCTION_INFO_V1(ecert_sql_verify_feed);

#define ROWS_AT_ONCE 500

#define ROW_COLUMNS "issuer, kind, seq, subject, period, issued_at, hash, package"

/* What this backend has verified last */
static EcertRegistry *verified = NULL;

/* A walk over rows, and where its problems go */
typedef struct Walk
{
	EcertRegistry *registry;
	EcertHead	head;
	ReturnSetInfo *result;
	bool		applies;		/* take genesis and node packages into the registry */
} Walk;

/* One stored row */
typedef struct Row
{
	Datum		values[8];
	bool		nulls[8];
	EcertPackage package;
	uint8_t		hash[ECERT_HASH_SIZE];
	bool		sound;			/* no problem found in this row itself */
} Row;

static EcertQuery before_query = {
	"SELECT hash, issued_at, (SELECT pg_catalog.max(pg_catalog.upper(e.period)) FROM ledger.package e"
	" WHERE e.issuer OPERATOR(pg_catalog.=) $1 AND e.kind OPERATOR(pg_catalog.=) $2 AND e.seq OPERATOR(pg_catalog.<) $3)"
	" FROM ledger.package WHERE issuer OPERATOR(pg_catalog.=) $1 AND kind OPERATOR(pg_catalog.=) $2"
	" AND seq OPERATOR(pg_catalog.=) ($3 OPERATOR(pg_catalog.-) 1)",
	3, {TEXTOID, TEXTOID, INT8OID}, NULL
};
static EcertQuery replaced_query = {
	"SELECT pg_catalog.lower(period), pg_catalog.upper(period) FROM ledger.package"
	" WHERE hash OPERATOR(pg_catalog.=) $1 AND issuer OPERATOR(pg_catalog.=) $2 AND kind OPERATOR(pg_catalog.=) $3"
	" AND seq OPERATOR(pg_catalog.<) $4",
	4, {BYTEAOID, TEXTOID, TEXTOID, INT8OID}, NULL
};

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

static void
put_problem(const Walk *walk, Row *row, const char *problem)
{
	Datum		values[4];
	bool		nulls[4] = {false};

	for (int i = 0; i < 3; i++)
	{
		values[i] = row->values[i];
		nulls[i] = row->nulls[i];
	}
	values[3] = CStringGetTextDatum(problem);
	tuplestore_putvalues(walk->result->setResult, walk->result->setDesc, values, nulls);
	row->sound = false;
}

static void
put_refusal(const Walk *walk, Row *row, const EcertRefusal *refusal)
{
	put_problem(walk, row, refusal->detail == NULL ? refusal->message :
				psprintf("%s (%s)", refusal->message, refusal->detail));
}

static bool
text_differs(Datum value, bool isnull, EcertSlice expected)
{
	return isnull || !ecert_slice_equal(ecert_varlena_slice(DatumGetTextPP(value)),
										ecert_varlena_slice(ecert_text(expected)));
}

static bool
period_differs(Datum value, bool isnull, const EcertPackage *package)
{
	EcertPeriod period;

	if (!ecert_body_period(package, &period))
		return !isnull;
	return isnull || !range_eq_internal(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO),
										DatumGetRangeTypeP(value), DatumGetRangeTypeP(ecert_period_datum(period)));
}

/* The columns beside the package must be what admission derives from it */
static void
check_columns(const Walk *walk, Row *row)
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

static void
check_signature(const Walk *walk, Row *row, EcertNodeKey *key)
{
	EcertRefusal refusal;

	if (!ecert_check_signature(walk->registry, &row->package, key, &refusal))
		put_problem(walk, row, refusal.message);
}

/* What a package replaces is an earlier one of its feed with the same period */
static void
check_replaced(const Walk *walk, Row *row)
{
	const EcertPackage *package = &row->package;
	uint8_t		replaced[ECERT_HASH_SIZE];
	EcertPeriod period;
	Datum		values[4];
	bool		isnull = true;
	Datum		start = (Datum) 0;
	Datum		end = (Datum) 0;

	if (!ecert_body_replaces(package, replaced) || !ecert_body_period(package, &period) ||
		(package->kind != ECERT_KIND_ENERGY && package->kind != ECERT_KIND_PRODUCT))
		return;
	values[0] = PointerGetDatum(ecert_bytea(ecert_slice(replaced, sizeof replaced)));
	values[1] = PointerGetDatum(ecert_text(package->issuer));
	values[2] = CStringGetTextDatum(ecert_kind_name(package->kind));
	values[3] = Int64GetDatum(package->seq);
	if (ecert_query(&replaced_query, values, 1) > 0)
	{
		start = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		end = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	}
	if (isnull || DatumGetTimestampTz(start) != ecert_timestamp(period.start) ||
		DatumGetTimestampTz(end) != ecert_timestamp(period.end))
		put_problem(walk, row, "replaces a package that is not an earlier one of its feed with the same period");
}

/* Move the head behind a row.  A row that is wrong in itself is followed by its
 * stored hash, so that its successor is not blamed for it */
static void
advance(Walk *walk, const Row *row)
{
	bytea	   *stored = row->nulls[6] ? NULL : DatumGetByteaPP(row->values[6]);

	if (row->package.bytes.size > 0)
		ecert_head_advance(&walk->head, &row->package, row->hash);
	walk->head.seq = row->nulls[2] ? walk->head.seq + 1 : DatumGetInt64(row->values[2]);
	if (!row->sound && stored != NULL && VARSIZE_ANY_EXHDR(stored) == ECERT_HASH_SIZE)
		memcpy(walk->head.hash, VARDATA_ANY(stored), ECERT_HASH_SIZE);
}

/* Genesis and node packages that are sound become part of the registry */
static void
apply(const Walk *walk, Row *row)
{
	EcertRefusal refusal;

	if (walk->applies && row->sound && row->package.kind == ECERT_KIND_NODE &&
		!ecert_registry_apply(walk->registry, &row->package, &refusal))
		put_refusal(walk, row, &refusal);
}

/* A row whose package has the right form: everything that can be judged about it */
static void
check_package(Walk *walk, Row *row)
{
	const EcertPackage *package = &row->package;
	EcertRefusal refusal;
	EcertError	error;
	EcertNodeKey *key = NULL;

	if (ecert_body_check(package->kind, package->body, &error) != ECERT_OK)
		put_problem(walk, row, psprintf("body is invalid at byte %zu: %s", error.offset, ecert_error_text(error.code)));
	check_columns(walk, row);
	if (package->kind == ECERT_KIND_GENESIS && walk->applies && row->sound && !walk->registry->has_genesis &&
		!ecert_registry_apply(walk->registry, package, &refusal))
		put_refusal(walk, row, &refusal);
	if (!ecert_check_scope(walk->registry, package, &refusal))
		put_refusal(walk, row, &refusal);
	if (!ecert_check_issuer(walk->registry, package, 0, false, &key, &refusal))
		put_refusal(walk, row, &refusal);
	if (key != NULL && key->alg == package->alg)
		check_signature(walk, row, key);
	if (package->kind != ECERT_KIND_GENESIS &&
		(!ecert_check_link(&walk->head, package, row->hash, walk->registry->genesis_hash, &refusal) ||
		 !ecert_check_order(&walk->head, package, &refusal)))
		put_refusal(walk, row, &refusal);
	check_replaced(walk, row);
	apply(walk, row);
}

static void
check_row(Walk *walk, Row *row)
{
	EcertError	error;
	EcertSlice	bytes;

	row->sound = true;
	memset(&row->package, 0, sizeof row->package);
	if (row->nulls[7])
	{
		put_problem(walk, row, "package is missing");
		return;
	}
	bytes = ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(row->values[7]));
	ecert_hash_of(bytes, row->hash);
	if (ecert_package_parse(bytes, &row->package, &error) != ECERT_OK)
	{
		memset(&row->package, 0, sizeof row->package);
		put_problem(walk, row, psprintf("package is malformed at byte %zu: %s", error.offset, ecert_error_text(error.code)));
	}
	else
		check_package(walk, row);
	advance(walk, row);
}

/* Run a query for rows and check each, in a memory context of its own */
static void
walk_rows(Walk *walk, const char *sql, int count, Oid *types, Datum *values)
{
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "ecert verification", ALLOCSET_DEFAULT_SIZES);
	Portal		portal = SPI_cursor_open_with_args(NULL, sql, count, types, values, NULL, true, 0);
	MemoryContext before;

	for (;;)
	{
		SPITupleTable *rows;
		uint64		fetched;

		SPI_cursor_fetch(portal, true, ROWS_AT_ONCE);
		rows = SPI_tuptable;
		fetched = SPI_processed;
		for (uint64 i = 0; i < fetched; i++)
		{
			Row			row;

			CHECK_FOR_INTERRUPTS();
			before = MemoryContextSwitchTo(each);
			heap_deform_tuple(rows->vals[i], rows->tupdesc, row.values, row.nulls);
			check_row(walk, &row);
			MemoryContextSwitchTo(before);
			MemoryContextReset(each);
		}
		SPI_freetuptable(rows);
		if (fetched < ROWS_AT_ONCE)
			break;
	}
	SPI_cursor_close(portal);
	MemoryContextDelete(each);
}

static void
put_ledger_problem(const Walk *walk, const char *problem)
{
	Row			nowhere;

	memset(&nowhere, 0, sizeof nowhere);
	for (int i = 0; i < 3; i++)
		nowhere.nulls[i] = true;
	put_problem(walk, &nowhere, problem);
}

/* Build the verified registry; problems of genesis and of the certifier's node feed come out */
static void
build_registry(ReturnSetInfo *result)
{
	Walk		walk;
	Oid			type = TEXTOID;
	Datum		certifier;

	memset(&walk, 0, sizeof walk);
	ecert_registry_free(verified);
	verified = NULL;
	walk.registry = verified = ecert_registry_new(TopMemoryContext);
	walk.result = result;
	walk.applies = true;
	walk.head.seq = -1;
	walk_rows(&walk, "SELECT " ROW_COLUMNS " FROM ledger.package WHERE kind OPERATOR(pg_catalog.=) 'genesis'", 0, NULL, NULL);
	if (!verified->has_genesis)
	{
		put_ledger_problem(&walk, "the ledger has no sound genesis package: nothing on it can be verified");
		return;
	}
	memset(&walk.head, 0, sizeof walk.head);
	walk.head.seq = -1;
	certifier = PointerGetDatum(ecert_text(ecert_slice(verified->certifier.bytes, verified->certifier.size)));
	walk_rows(&walk, "SELECT " ROW_COLUMNS " FROM ledger.package WHERE issuer OPERATOR(pg_catalog.=) $1 AND kind OPERATOR(pg_catalog.=) 'node' ORDER BY seq",
			  1, &type, &certifier);
}

Datum
ecert_sql_verify_registry(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	(void) ecert_registry_current();	/* raises when there is no ledger */
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	build_registry(result);
	SPI_finish();
	return (Datum) 0;
}

/* The head before first_seq, from the stored row that ends there */
static void
start_head(Walk *walk, const Datum *arguments)
{
	bool		isnull;
	Datum		value;

	walk->head.seq = -1;
	if (DatumGetInt64(arguments[2]) <= 0 || ecert_query(&before_query, arguments, 1) == 0)
		return;
	walk->head.seq = DatumGetInt64(arguments[2]) - 1;
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (VARSIZE_ANY_EXHDR(DatumGetByteaPP(value)) == ECERT_HASH_SIZE)
		memcpy(walk->head.hash, VARDATA_ANY(DatumGetByteaPP(value)), ECERT_HASH_SIZE);
	walk->head.issued_at = ecert_seconds(DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull)));
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3, &isnull);
	if (!isnull)
		walk->head.period_end = ecert_seconds(DatumGetTimestampTz(value));
}

/* verify_feed(issuer, kind, first_seq, last_seq) */
Datum
ecert_sql_verify_feed(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[4] = {TEXTOID, TEXTOID, INT8OID, INT8OID};
	Datum		values[4] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), PG_GETARG_DATUM(3)};
	EcertSlice	issuer = ecert_varlena_slice(PG_GETARG_TEXT_PP(0));
	char	   *kind = text_to_cstring(PG_GETARG_TEXT_PP(1));
	EcertNodeId id = ecert_node_id(issuer);
	Walk		walk;

	InitMaterializedSRF(fcinfo, 0);
	(void) ecert_verified_registry();
	/* these two were walked when the registry was built */
	if (strcmp(kind, "genesis") == 0 ||
		(strcmp(kind, "node") == 0 && memcmp(&id, &verified->certifier, sizeof id) == 0))
		return (Datum) 0;
	memset(&walk, 0, sizeof walk);
	walk.registry = verified;
	walk.result = result;
	SPI_connect();
	start_head(&walk, values);
	walk_rows(&walk, "SELECT " ROW_COLUMNS " FROM ledger.package"
			  " WHERE issuer OPERATOR(pg_catalog.=) $1 AND kind OPERATOR(pg_catalog.=) $2"
			  " AND seq OPERATOR(pg_catalog.>=) $3 AND seq OPERATOR(pg_catalog.<=) $4 ORDER BY seq", 4, types, values);
	SPI_finish();
	return (Datum) 0;
}
