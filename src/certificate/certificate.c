/*
 * certificate.c
 *		Certificates in SQL: what stands against one, its figures, issuing one,
 *		its status; and which audits are to be rewarded.  The rules are in
 *		src/rules.
 */
#include "rules/as_of.h"
#include "rules/certificate.h"
#include "rules/live.h"
#include "rules/rest.h"

#include "ledger/view.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "package/datum.h"
#include "pg/error.h"

/* "statistics period %s and baseline %s must ..." of arguments that have no end */
static char *
endless(FunctionCallInfo fcinfo)
{
	const char *words[2];

	for (int i = 0; i < 2; i++)
		words[i] = PG_ARGISNULL(1 + i) ? "" : OidOutputFunctionCall(F_RANGE_OUT, PG_GETARG_DATUM(1 + i));
	return psprintf("statistics period %s and baseline %s must have a beginning and an end", words[0], words[1]);
}

/* A period of a certificate is signed in whole seconds; false when it has not both bounds */
static bool
signed_period_argument(FunctionCallInfo fcinfo, int number, EcertPeriod *period)
{
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);

	if (!ecert_period_argument(fcinfo, number, period))
		return false;
	if (!range_eq_internal(type, PG_GETARG_RANGE_P(number), DatumGetRangeTypeP(ecert_period_datum(*period))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the periods of a certificate are in whole seconds, from a beginning up to an end"),
				 errdetail("The period is %s.", OidOutputFunctionCall(F_RANGE_OUT, PG_GETARG_DATUM(number))),
				 errhint("Write it like '[2024-01-01, 2025-01-01)'.")));
	return true;
}

/* Arguments applicant, period, baseline and perhaps method; false when one of the periods has not both bounds */
static bool
certified_arguments(FunctionCallInfo fcinfo, EcertCertified *certified)
{
	bool		is_bounded;

	memset(certified, 0, sizeof *certified);
	certified->applicant = ecert_text_argument(fcinfo, 0);
	is_bounded = signed_period_argument(fcinfo, 1, &certified->period);
	is_bounded = signed_period_argument(fcinfo, 2, &certified->baseline) && is_bounded;
	certified->by_value = PG_NARGS() > 3 && !PG_ARGISNULL(3) && ecert_is_by_value(ecert_text_argument(fcinfo, 3));
	return is_bounded;
}

/* The policy in force; a ledger has one from its genesis on */
static void
take_policy(EcertRules *rules, EcertCertified *certified)
{
	ecert_policy_in_force(rules, certified->policy_hash);
	if (!ecert_policy_of_hash(rules, certified->policy_hash, &certified->policy))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NO_LEDGER),
				 errmsg("this ledger has no policy that can be read")));
}

static void
put_obstacle(ReturnSetInfo *result, const char *obstacle, const char *detail)
{
	Datum		values[2] = {CStringGetTextDatum(obstacle), CStringGetTextDatum(detail)};
	bool		nulls[2] = {false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* obstacles(applicant, period, baseline, method): rows of obstacle and detail */
ECERT_FUNCTION(ecert_sql_obstacles)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertObstacles obstacles = {ledger->rules.arena, NULL, 0, 0};
	EcertCertified certified;
	EcertSlice	figures;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (!certified_arguments(fcinfo, &certified))
	{
		put_obstacle(result, "period_invalid", endless(fcinfo));
		return (Datum) 0;
	}
	take_policy(&ledger->rules, &certified);
	ecert_all_obstacles(&ledger->rules, &certified, ecert_seconds(GetCurrentTimestamp()), &figures, &obstacles);
	for (size_t i = 0; i < obstacles.count; i++)
		put_obstacle(result, obstacles.list[i].obstacle, obstacles.list[i].detail);
	return (Datum) 0;
}

/* The body, if a package can hold it; what it has besides sound items are numbers that none holds (rules/document.h) */
static EcertSlice
checked(EcertSlice body)
{
	EcertFinding finding;

	if (ecert_cbor_check_body(body, NULL) != ECERT_OK && !ECERT_FIND_PLAIN(&finding, ECERT_NUMBER_TOO_LARGE))
		ecert_raise_finding(&finding);
	if (body.size > ECERT_PACKAGE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_TOO_LARGE),
				 errmsg("the body is too large for a package"),
				 errdetail("It has %zu bytes; a whole package has at most %d.", body.size, ECERT_PACKAGE_MAX)));
	return body;
}

/* See the ledger as of the newest checkpoint, on which the certificate rests; false: there is none */
static bool
rest_on_newest(EcertRules *rules, EcertCertified *certified, EcertEntry *checkpoint)
{
	if (!ecert_newest_seen(rules, ECERT_KIND_CHECKPOINT, checkpoint))
		return false;
	memcpy(certified->checkpoint, checkpoint->hash, ECERT_HASH_SIZE);
	ecert_see_as_of(rules, checkpoint->seq);
	return true;
}

/* certificate_figures(applicant, period, baseline, method) */
ECERT_FUNCTION(ecert_sql_certificate_figures)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertCertified certified;
	EcertEntry	checkpoint;
	EcertFinding finding;
	EcertSlice	figures;

	if (!certified_arguments(fcinfo, &certified) || !rest_on_newest(&ledger->rules, &certified, &checkpoint))
		PG_RETURN_NULL();
	take_policy(&ledger->rules, &certified);
	if (!ecert_certificate_figures(&ledger->rules, &certified, &figures, &finding))
		ecert_raise_finding(&finding);
	PG_RETURN_JSONB_P(ecert_body_to_jsonb(checked(figures)));
}

/* What stands against it is raised, all of it; else the body */
static EcertSlice
make_body(void *context, int64 seq, int64 issued_at)
{
	EcertCertified *certified = context;
	EcertLedgerRules *ledger = ecert_ledger_rules(CurrentMemoryContext, ECERT_SEE_PRESENT, NULL);
	EcertObstacles obstacles = {ledger->rules.arena, NULL, 0, 0};
	EcertEntry	checkpoint;
	EcertFinding finding;
	EcertSlice	figures;

	if (!rest_on_newest(&ledger->rules, certified, &checkpoint))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NOT_SEALED),
				 errmsg("a certificate rests on a checkpoint, and there is none"),
				 errhint("Run SELECT ecert.checkpoint().")));
	take_policy(&ledger->rules, certified);
	if (!ecert_check_rest_time(&checkpoint, issued_at, certified->policy.seal_within, &finding))
		ecert_raise_finding(&finding);
	ecert_all_obstacles(&ledger->rules, certified, checkpoint.issued_at, &figures, &obstacles);
	if (!ecert_no_obstacle(certified, &obstacles, SIZE_MAX, &finding))
		ecert_raise_finding(&finding);
	return checked(ecert_certificate_body(&ledger->rules, certified, figures, seq, issued_at));
}

/* issue_certificate(applicant, period, baseline, method): hash of the certificate package */
ECERT_FUNCTION(ecert_sql_issue_certificate)
{
	EcertCertified certified;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("applicant must not be null")));
	if (!certified_arguments(fcinfo, &certified))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_OBSTACLE),
				 errmsg("\"%s\" cannot be certified without a statistics period and a baseline", ecert_cstring(certified.applicant)),
				 errdetail("period_invalid: %s.", endless(fcinfo))));
	PG_RETURN_BYTEA_P(ecert_append_judged(ECERT_KIND_CERTIFICATE, certified.applicant, make_body, &certified));
}

/* certificate_agrees(package) */
ECERT_FUNCTION(ecert_sql_certificate_agrees)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertPackage package;
	EcertFinding finding;

	ecert_package_of(PG_GETARG_DATUM(0), &package);
	PG_RETURN_BOOL(package.kind == ECERT_KIND_CERTIFICATE && ecert_figures_agree(&ledger->rules, &package, &finding));
}

/* The certificate with the hash in an argument; false when there is none on this ledger */
static bool
named_entry(FunctionCallInfo fcinfo, EcertLedgerRules *ledger, EcertKind kind, EcertEntry *entry)
{
	EcertSlice	hash = PG_ARGISNULL(0) ? ecert_slice(NULL, 0) : ecert_varlena_slice(PG_GETARG_BYTEA_PP(0));

	return hash.size == ECERT_HASH_SIZE && ledger->view.by_hash(&ledger->view, ledger->rules.arena, hash.data, entry) && entry->kind == kind;
}

/* certificate_status(certificate, before): status, reason, since */
ECERT_FUNCTION(ecert_sql_certificate_status)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertEntry	certificate;
	EcertStatus status;
	TupleDesc	description;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (named_entry(fcinfo, ledger, ECERT_KIND_CERTIFICATE, &certificate))
	{
		status = ecert_certificate_status(&ledger->rules, &certificate, ecert_seq_argument(fcinfo, 1));
		ecert_set_text(&values[0], &nulls[0], status.status);
		ecert_set_text(&values[1], &nulls[1], status.reason);
		values[2] = TimestampTzGetDatum(ecert_timestamp(status.since));
		nulls[2] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}

/* live_certificate(applicant, period, before): its hash, or NULL */
ECERT_FUNCTION(ecert_sql_live_certificate)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertPeriod period;
	EcertEntry	certificate;

	if (PG_ARGISNULL(0) || (!ecert_period_argument(fcinfo, 1, &period) && period.start >= period.end) ||
		!ecert_live_certificate(&ledger->rules, ecert_text_argument(fcinfo, 0), period, ecert_seq_argument(fcinfo, 2), PG_INT64_MAX, &certificate))
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(ecert_bytea(ecert_slice(certificate.hash, ECERT_HASH_SIZE)));
}

/* has_unrewarded(audit, before) */
ECERT_FUNCTION(ecert_sql_has_unrewarded)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertApplicant *applicant;
	EcertAudit *audit;
	EcertEntry	entry;

	if (!named_entry(fcinfo, ledger, ECERT_KIND_AUDIT, &entry))
		PG_RETURN_BOOL(false);
	applicant = ecert_applicant(&ledger->rules, entry.subject);
	audit = ecert_audit_of_hash(&ledger->rules, applicant, entry.hash);
	PG_RETURN_BOOL(audit != NULL && ecert_audit_counts(&ledger->rules, audit) && ecert_has_unrewarded(&ledger->rules, applicant, audit, ecert_seq_argument(fcinfo, 1)));
}
