/*
 * statement.c
 *		Checking receipts (RFC 9942) and transparent statements (RFC 9943): what
 *		is trusted is a key, and no ledger is looked at.
 */
#include "pg/compat.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/merkle.h"
#include "core/receipt.h"
#include "checkpoint/tree.h"
#include "package/datum.h"
#include "pg/error.h"
#include "rules/rules.h"

/* A package under judgement, and the key under which its receipts are to hold */
typedef struct Trial
{
	EcertPackage package;
	uint8_t		leaf[ECERT_HASH_SIZE];
	EcertTrust	trust;
	EcertReceipt receipt;		/* the one judged last */
} Trial;

/* What is known about a receipt of that package under that key; raises EC095 for what is no key */
static void
trust_key(Trial *trial, EcertSlice pem)
{
	EcertTrust *trust = &trial->trust;
	bool		is_certifiers = ecert_kinds[trial->package.kind].issuer_role == ECERT_ROLE_CERTIFIER;

	ecert_hash_of(trial->package.bytes, trial->leaf);
	trust->key = ecert_public_key_of(pem, &trust->alg, &trust->kid);
	trust->origin = trial->package.audience;
	trust->certifier = is_certifiers ? trial->package.issuer : ecert_slice(NULL, 0);
}

static EcertOutcome
raise_failure(EcertOutcome outcome, const EcertError *error)
{
	if (outcome == ECERT_NOT_CHECKED && error->code == ECERT_CRYPTO_FAILED)
		ecert_raise_crypto(error->code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not verify the receipt");
	return outcome;
}

/* verify_receipt(package, receipt, public_key): NULL where it cannot be told here */
ECERT_FUNCTION(ecert_sql_verify_receipt)
{
	Trial		trial = {0};
	EcertError	error = {0};
	EcertOutcome outcome;

	ecert_package_of(PG_GETARG_DATUM(0), &trial.package);
	trust_key(&trial, ecert_varlena_slice(PG_GETARG_TEXT_PP(2)));
	outcome = raise_failure(ecert_receipt_judge(ecert_varlena_slice(PG_GETARG_BYTEA_PP(1)), trial.leaf, &trial.trust, &trial.receipt, &error), &error);
	if (outcome == ECERT_NOT_CHECKED && ecert_is_beyond(error.code))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(outcome == ECERT_HOLDS);
}

/* receipt_root(receipt, hash, OUT size, OUT root): the tree that a receipt leads to from a package; NULLs: it leads to none.  Its signature is not looked at */
ECERT_FUNCTION(ecert_sql_receipt_root)
{
	EcertReceipt receipt;
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];
	bool		leads = ecert_hash_from_datum(PG_GETARG_DATUM(1), leaf) && ecert_receipt_parse(ecert_varlena_slice(PG_GETARG_BYTEA_PP(0)), &receipt, NULL) == ECERT_OK &&
		receipt.tree_size <= ECERT_TREE_MAX && ecert_receipt_root(&receipt, leaf, root) == ECERT_OK;
	TupleDesc	description;
	Datum		values[2] = {0};
	bool		nulls[2] = {!leads, !leads};

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (leads)
	{
		values[0] = Int64GetDatum((int64) receipt.tree_size);
		values[1] = PointerGetDatum(ecert_bytea(ecert_slice(root, ECERT_HASH_SIZE)));
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

/* The package of a statement, palloc'd; its other parts are before the first */
static EcertCode
read_statement(EcertSlice bytes, EcertStatement *statement, EcertPackage *package, EcertError *error)
{
	EcertBuffer room = ecert_buffer(palloc(ECERT_PACKAGE_MAX), ECERT_PACKAGE_MAX);
	EcertCode	code = ecert_statement_parse(bytes, &room, statement, error);

	return code == ECERT_OK ? ecert_package_read(ecert_slice(room.data, room.size), package, error) : code;
}

static void
raise_statement(const EcertError *error)
{
	bool		is_beyond = ecert_is_beyond(error->code);

	ereport(ERROR,
			(errcode(is_beyond ? ERRCODE_PROGRAM_LIMIT_EXCEEDED : ERRCODE_ECERT_MALFORMED),
			 is_beyond ? errmsg("the transparent statement cannot be read here") : errmsg("not a transparent statement"),
			 errdetail("%s", ecert_sentence(error->code)),
			 errhint("It is a package with receipts in its unprotected header, as ecert.transparent() makes it.")));
}

/* verify_transparent(statement, public_key): true when a receipt in it holds, false when one is wrong and none holds, else NULL */
ECERT_FUNCTION(ecert_sql_verify_transparent)
{
	Trial		trial = {0};
	EcertError	error = {0};
	EcertStatement statement;
	EcertStatementPart part;
	bool		is_wrong = false;
	EcertCode	code = read_statement(ecert_varlena_slice(PG_GETARG_BYTEA_PP(0)), &statement, &trial.package, &error);

	if (code != ECERT_OK && !ecert_is_beyond(code))
		PG_RETURN_BOOL(false);
	if (code != ECERT_OK)
		PG_RETURN_NULL();
	trust_key(&trial, ecert_varlena_slice(PG_GETARG_TEXT_PP(1)));
	while (ecert_statement_next(&statement, &part))
	{
		EcertOutcome outcome = raise_failure(ecert_part_judge(&part, trial.leaf, &trial.trust, &trial.receipt, &error), &error);

		CHECK_FOR_INTERRUPTS();
		if (outcome == ECERT_HOLDS)
			PG_RETURN_BOOL(true);
		is_wrong |= outcome == ECERT_WRONG;
	}
	if (is_wrong)
		PG_RETURN_BOOL(false);
	PG_RETURN_NULL();
}

static void
put_row(ReturnSetInfo *result, const char *part, EcertOutcome outcome, const char *detail)
{
	Datum		values[3] = {CStringGetTextDatum(part), CStringGetTextDatum(ecert_outcome_text(outcome)), detail == NULL ? (Datum) 0 : CStringGetTextDatum(detail)};
	bool		nulls[3] = {false, false, detail == NULL};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* statement_parts(statement, public_key): a row for each receipt, and for whatever else is in the unprotected header */
ECERT_FUNCTION(ecert_sql_statement_parts)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Trial		trial = {0};
	EcertError	error = {0};
	EcertStatement statement;
	EcertStatementPart part;
	char		name[ECERT_PART_TEXT_MAX];
	bool		holds = false;

	InitMaterializedSRF(fcinfo, 0);
	if (read_statement(ecert_varlena_slice(PG_GETARG_BYTEA_PP(0)), &statement, &trial.package, &error) != ECERT_OK)
		raise_statement(&error);
	trust_key(&trial, ecert_varlena_slice(PG_GETARG_TEXT_PP(1)));
	while (ecert_statement_next(&statement, &part))
	{
		EcertOutcome outcome = raise_failure(ecert_part_judge(&part, trial.leaf, &trial.trust, &trial.receipt, &error), &error);

		CHECK_FOR_INTERRUPTS();
		put_row(result, ecert_part_text(&part, name), outcome, outcome == ECERT_HOLDS ? NULL : ecert_error_text(error.code));
		holds |= outcome == ECERT_HOLDS;
	}
	if (holds && trial.trust.certifier.size == 0)
		put_row(result, "certifier", ECERT_NOT_CHECKED, ECERT_CERTIFIER_NOT_CHECKED);
	PG_RETURN_NULL();
}

/* statement_package(statement): the package as it was signed */
ECERT_FUNCTION(ecert_sql_statement_package)
{
	EcertStatement statement;
	EcertPackage package;
	EcertError	error = {0};

	if (read_statement(ecert_varlena_slice(PG_GETARG_BYTEA_PP(0)), &statement, &package, &error) != ECERT_OK)
		raise_statement(&error);
	PG_RETURN_BYTEA_P(ecert_bytea(package.bytes));
}
