/*
 * error.c
 *		Core codes, and findings of src/rules, to PostgreSQL errors.
 */
#include "pg/error.h"

#include "pg/arena.h"

/* The SQLSTATE of a core code */
static int
sqlstate_of(EcertCode code)
{
	Assert(code != ECERT_OK);
	switch (code)
	{
		case ECERT_TOO_LARGE:
			return ERRCODE_ECERT_TOO_LARGE;
		case ECERT_BODY_NEGATIVE:
			return ERRCODE_ECERT_QUANTITY_NEGATIVE;
		case ECERT_BAD_SIGNATURE:
			return ERRCODE_ECERT_BAD_SIGNATURE;
		case ECERT_BAD_PUBLIC_KEY:
			return ERRCODE_ECERT_PUBLIC_KEY;
		case ECERT_KEY_UNREADABLE:
		case ECERT_KEY_PASSPHRASE:
		case ECERT_KEY_ALG:
			return ERRCODE_ECERT_SIGNING_KEY;
		case ECERT_CRYPTO_FAILED:
			return ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;
		case ECERT_OVERFLOW:
			return ERRCODE_ECERT_NUMBER;
		case ECERT_PROOF_RANGE:
			return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
		case ECERT_TILE_MISSING:
			return ERRCODE_ECERT_NO_TREE;
		default:
			return ecert_is_reserved(code) ? ERRCODE_ECERT_NOT_SUPPORTED : code >= ECERT_BODY_MISSING && code < ECERT_BAD_SIGNATURE ?
				ERRCODE_ECERT_BODY_INVALID : ERRCODE_ECERT_MALFORMED;
	}
}

void
ecert_raise(const EcertError *error, const char *what)
{
	bool		is_reserved = ecert_is_reserved(error->code);
	const char *name = error->code == ECERT_BODY_UNKNOWN ? error->name : "";
	const char *hint = ecert_error_hint(error->code);
	const char *judged = is_reserved ? "unsupported" : "invalid";

	/* the message stays short; where and which field go into DETAIL */
	ereport(ERROR,
			(errcode(sqlstate_of(error->code)),
			 name[0] != '\0' ?
			 errmsg("%s ecert %s: %s \"%s\"", judged, what, ecert_error_text(error->code), name) :
			 errmsg("%s ecert %s: %s", judged, what, ecert_error_text(error->code)),
			 error->field != NULL ?
			 errdetail("At byte %zu of the %s, field \"%s\".", error->offset, what, error->field) :
			 errdetail("At byte %zu of the %s.", error->offset, what),
			 hint != NULL ? errhint("%s", hint) : 0));
}

char *
ecert_sentence(EcertCode code)
{
	char	   *sentence = psprintf("%s.", ecert_error_text(code));

	sentence[0] = pg_toupper((unsigned char) sentence[0]);
	return sentence;
}

void
ecert_raise_crypto(EcertCode code, int sqlstate, const char *message)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("%s", message),
			 errdetail("%s", ecert_sentence(code))));
}

const char *
ecert_finding_words(const EcertFinding *finding)
{
	return ecert_finding_problem(finding, ecert_arena_in(CurrentMemoryContext));
}

void
ecert_raise_finding(const EcertFinding *finding)
{
	EcertMessage words = ecert_finding_message(finding, ecert_arena_in(CurrentMemoryContext));
	const char *sqlstate = words.sqlstate;

	ereport(ERROR,
			(errcode(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4])),
			 errmsg_internal("%s", words.message),
			 words.detail != NULL ? errdetail_internal("%s", words.detail) : 0,
			 words.hint != NULL ? errhint("%s", words.hint) : 0));
}
