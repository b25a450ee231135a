/*
 * standing.c
 *		Whether certificates stand, in SQL; and that one which comes from a peer
 *		is judged behind its insert.  The rule is in src/rules.
 */
#include "certificate/standing.h"

#include "ledger/view.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "package/datum.h"
#include "rules/standing.h"

static EcertQuery judge_query = {"SELECT ecert.judge_behind($1::ecert.package)", 1, {BYTEAOID}, NULL};

/* certificate_standing(package): standing, why, since */
ECERT_FUNCTION(ecert_sql_certificate_standing)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertPackage package;
	EcertFinding finding;
	EcertStood	stood = {ECERT_STANDS_UNKNOWN, NULL, 0};
	TupleDesc	description;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	ecert_package_of(PG_GETARG_DATUM(0), &package);
	if (package.kind == ECERT_KIND_CERTIFICATE && ecert_check_body(&package, &finding))
		stood = ecert_certificate_standing(&ledger->rules, &package);
	if (stood.standing != ECERT_STANDS_UNKNOWN)
	{
		values[0] = CStringGetTextDatum(ecert_standing_name(stood.standing));
		values[2] = TimestampTzGetDatum(ecert_timestamp(stood.since));
		nulls[0] = nulls[2] = false;
	}
	if (stood.why != NULL)
	{
		values[1] = CStringGetTextDatum(stood.why);
		nulls[1] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}

static bool
settled(const EcertPackage *package, EcertSettled outcome)
{
	Datum		value;

	if (package->kind == ECERT_KIND_CERTIFICATE && outcome == ECERT_SETTLED_ADMITTED)
	{
		value = PointerGetDatum(ecert_bytea(package->bytes));
		(void) ecert_query(&judge_query, &value, 0);
	}
	return false;
}

void
ecert_standing_init(void)
{
	ecert_add_settled_hook(settled);
}
