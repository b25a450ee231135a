/*
 * rules.c
 *		What SQL asks of the rules (src/rules): what is wrong with a package, and
 *		what they look up of an applicant.
 */
#include "ledger/view.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rangetypes.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "package/datum.h"
#include "pg/error.h"
#include "rules/applicant.h"
#include "rules/as_of.h"
#include "rules/live.h"
#include "rules/policy.h"
#include "rules/void.h"

EcertLedgerRules *
ecert_ledger_rules_of_reader(FunctionCallInfo fcinfo)
{
	Oid			relid = ecert_ledger_relid();
	AclResult	allowed = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);

	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_TABLE, "package");
	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the rules of the ledger need all rows of \"ledger.package\""),
				 errdetail("Row-level security shows this role a part of them."),
				 errhint("Ask as a role with BYPASSRLS.")));
	return ecert_ledger_rules_of(fcinfo->flinfo);
}

EcertSlice
ecert_text_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? ecert_slice(NULL, 0) : ecert_varlena_slice(PG_GETARG_TEXT_PP(number));
}

int64
ecert_seq_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? PG_INT64_MAX : PG_GETARG_INT64(number);
}

bool
ecert_is_by_value(EcertSlice method)
{
	if (!ecert_slice_equal(method, ecert_slice_text("value")) && !ecert_slice_equal(method, ecert_slice_text("product")))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%.*s\" is not known", (int) method.size, method.data),
				 errhint("Methods are product and value.")));
	return ecert_slice_equal(method, ecert_slice_text("value"));
}

/* Is all that a package names of feeds that are sent here? */
static bool
is_checkable(EcertLedgerRules *ledger, const EcertPackage *package)
{
	EcertMissing missing;

	return !ecert_is_filtered(ledger) || !ecert_missing(&ledger->rules, package, true, &missing) || missing.all_held;
}

/* rule_problem(package): why it breaks the rule of its kind, by verified keys; NULL when it does not, or when that cannot be told here */
ECERT_FUNCTION(ecert_sql_rule_problem)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertPackage package;
	EcertFinding finding;

	ledger->registry = ecert_verified_registry();
	ecert_package_of(PG_GETARG_DATUM(0), &package);
	/* a body that says nothing to judge has a problem of its own */
	if (!ecert_check_body(&package, &finding) || !is_checkable(ledger, &package) || ecert_rule_check(&ledger->rules, &package, false, &finding))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(ecert_finding_words(&finding)));
}

/* Do the times of a package of the ledger follow those of its feed before? */
static bool
is_in_order(const EcertPackage *package, EcertFinding *finding)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertHead	end;
	EcertSlice	last;

	ecert_hash_of(package->bytes, hash);
	ecert_feed_read(package->issuer, package->kind, package->seq - 1, package->seq - 1, &end, &last);
	return ecert_check_place(&end, package, hash, ecert_registry_current()->genesis_hash, finding) ||
		(finding->code != ECERT_TIME_BACKWARDS && finding->code != ECERT_PERIOD_OVERLAP);
}

/* Is it issued in time for the checkpoint that covers it? */
static bool
is_in_time(EcertLedgerRules *ledger, const EcertPackage *package, EcertFinding *finding)
{
	EcertView  *view = &ledger->view;

	return ecert_check_seal_time(package->kind, package->issued_at, ecert_sealed_at(&ledger->rules, view->sealed_by(view, package->issuer, package->kind, package->seq)),
								 finding);
}

/*
 * finding_of(package): what is wrong with a package of the ledger as of the
 * checkpoint that covers it, by the keys that are known now; NULL: nothing, or
 * it cannot be told here
 */
ECERT_FUNCTION(ecert_sql_finding_of)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertPackage package;
	EcertFinding finding;
	EcertNodeKey *key;

	ecert_package_of(PG_GETARG_DATUM(0), &package);
	/* what of others is void is no finding */
	if ((ecert_check_issuer(ecert_registry_current(), &package, GetActiveSnapshot(), &key, &finding) ||
		 (ecert_is_end(finding.code) && !ecert_slice_equal(package.issuer, ledger->view.certifier))) &&
		is_in_order(&package, &finding) && is_in_time(ledger, &package, &finding) &&
		(!is_checkable(ledger, &package) || ecert_rule_check(&ledger->rules, &package, false, &finding)))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(ecert_finding_words(&finding)));
}

/* is_checkable(package): is all that it names of feeds that this node is sent? */
ECERT_FUNCTION(ecert_sql_is_checkable)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertPackage package;

	ecert_package_of(PG_GETARG_DATUM(0), &package);
	PG_RETURN_BOOL(is_checkable(ledger, &package));
}

/* check_policy(policy): raises when its form is wrong, or it contradicts itself */
ECERT_FUNCTION(ecert_sql_check_policy)
{
	EcertSlice	body = ecert_jsonb_to_body(PG_GETARG_JSONB_P(0));
	EcertFinding finding;
	EcertError	error;

	if (ecert_body_check(ECERT_KIND_POLICY, body, &error) != ECERT_OK)
		ecert_raise(&error, "policy");
	if (!ecert_check_policy(body, ecert_arena_in(CurrentMemoryContext), &finding))
		ecert_raise_finding(&finding);
	PG_RETURN_VOID();
}

/* related(auditor, applicant, as_role, at) */
ECERT_FUNCTION(ecert_sql_related)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(ecert_was_related(&ledger->rules, ecert_text_argument(fcinfo, 0), ecert_text_argument(fcinfo, 1),
									 ecert_text_argument(fcinfo, 2), ecert_seconds(PG_GETARG_TIMESTAMPTZ(3)), PG_INT64_MAX));
}

/* The kind argument: energy or product */
static EcertKind
declared_kind(FunctionCallInfo fcinfo, int number)
{
	EcertKind	kind;

	if (!ecert_kind_from_name(ecert_text_argument(fcinfo, number), &kind) || !ecert_kinds[kind].has_periods)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind must be energy or product")));
	return kind;
}

/* What is asked of an applicant's packages of a kind within a period: arguments 0 to 2 */
static bool
begin_live(FunctionCallInfo fcinfo, EcertLedgerRules *ledger, EcertLiveWalk *walk)
{
	EcertPeriod within;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || (!ecert_period_argument(fcinfo, 2, &within) && within.start >= within.end))
		return false;
	*walk = ecert_live_begin(&ledger->rules, ecert_applicant(&ledger->rules, ecert_text_argument(fcinfo, 0)), declared_kind(fcinfo, 1), within);
	return true;
}

/* live_packages(applicant, of_kind, within): rows of seq, period, hash, package */
ECERT_FUNCTION(ecert_sql_live_packages)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	const EcertEntry *live;
	EcertLiveWalk walk;
	EcertPackage package;

	InitMaterializedSRF(fcinfo, 0);
	if (!begin_live(fcinfo, ledger, &walk))
		return (Datum) 0;
	while ((live = ecert_live_next(&walk)) != NULL)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		if (!ledger->view.package(&ledger->view, live, &package))
			continue;
		values[0] = Int64GetDatum(live->seq);
		values[1] = ecert_period_datum(live->period);
		values[2] = PointerGetDatum(ecert_bytea(ecert_slice(live->hash, ECERT_HASH_SIZE)));
		values[3] = PointerGetDatum(ecert_bytea(package.bytes));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* coverage_gaps(applicant, of_kind, within): what they do not cover */
ECERT_FUNCTION(ecert_sql_coverage_gaps)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertLiveWalk walk;
	const char *gaps = NULL;

	if (begin_live(fcinfo, ledger, &walk))
		gaps = ecert_gaps(&ledger->rules, ledger->rules.applicant, declared_kind(fcinfo, 1), walk.within);
	PG_RETURN_DATUM(OidInputFunctionCall(F_MULTIRANGE_IN, unconstify(char *, gaps == NULL ? "{}" : gaps), TSTZMULTIRANGEOID, -1));
}

/* audits(applicant): a row for each range that each audit names */
ECERT_FUNCTION(ecert_sql_audits)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertApplicant *applicant;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	applicant = ecert_applicant(&ledger->rules, ecert_text_argument(fcinfo, 0));
	for (size_t i = 0; i < ecert_audit_count(&ledger->rules, applicant); i++)
	{
		const EcertAudit *audit = ecert_audit_read(&ledger->rules, applicant, i);
		Datum		values[11];
		bool		nulls[11] = {false};

		if (audit == NULL)
			continue;
		values[0] = PointerGetDatum(ecert_bytea(ecert_slice(audit->entry.hash, ECERT_HASH_SIZE)));
		values[1] = PointerGetDatum(ecert_text(audit->entry.issuer));
		values[2] = CStringGetTextDatum(ecert_audit_role_name(audit->role));
		values[3] = CStringGetTextDatum(audit->verdict == ECERT_VERDICT_PASS ? "pass" : audit->verdict == ECERT_VERDICT_FAIL ? "fail" : "abstain");
		values[4] = ecert_period_datum(audit->entry.period);
		values[5] = TimestampTzGetDatum(ecert_timestamp(audit->entry.issued_at));
		values[9] = BoolGetDatum(ecert_is_void(&ledger->rules, &audit->entry));
		values[10] = BoolGetDatum(ecert_audit_overtaken(&ledger->rules, applicant, audit));
		for (size_t j = 0; j < audit->ranges.count; j++)
		{
			values[6] = CStringGetTextDatum(ecert_kind_name(audit->ranges.list[j].kind));
			values[7] = Int64GetDatum(audit->ranges.list[j].first);
			values[8] = Int64GetDatum(audit->ranges.list[j].last);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}

/* is_void(hash): had the key of the package ended before it was issued; NULL when it is not on this ledger */
ECERT_FUNCTION(ecert_sql_is_void)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertSlice	hash = ecert_varlena_slice(PG_GETARG_BYTEA_PP(0));
	EcertEntry	entry;

	if (hash.size != ECERT_HASH_SIZE || !ledger->view.by_hash(&ledger->view, ledger->rules.arena, hash.data, &entry))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(ecert_is_void(&ledger->rules, &entry));
}

/* is_overtaken(audit hash): has one of its packages been replaced since; NULL when it is no audit on this ledger */
ECERT_FUNCTION(ecert_sql_is_overtaken)
{
	EcertLedgerRules *ledger = ecert_ledger_rules_of_reader(fcinfo);
	EcertSlice	hash = ecert_varlena_slice(PG_GETARG_BYTEA_PP(0));
	EcertApplicant *applicant;
	const EcertAudit *audit;
	EcertEntry	entry;

	if (hash.size != ECERT_HASH_SIZE || !ledger->view.by_hash(&ledger->view, ledger->rules.arena, hash.data, &entry) ||
		entry.kind != ECERT_KIND_AUDIT)
		PG_RETURN_NULL();
	applicant = ecert_applicant(&ledger->rules, entry.subject);
	audit = ecert_audit_of_hash(&ledger->rules, applicant, hash.data);
	if (audit == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(ecert_audit_overtaken(&ledger->rules, applicant, audit));
}
