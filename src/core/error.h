/*
 * error.h
 *		What core and crypto functions return instead of raising errors.
 *
 * The numbers are grouped by hundreds; src/pg/error.c maps each group to an
 * SQLSTATE of class EC.
 */
#ifndef ECERT_CORE_ERROR_H
#define ECERT_CORE_ERROR_H

#include "core/buffer.h"

#pragma GCC visibility push(hidden)

typedef enum EcertCode
{
	ECERT_OK = 0,

	/* strict form: the bytes are not deterministic CBOR of our profile */
	ECERT_TRUNCATED = 100,
	ECERT_TRAILING_BYTES,
	ECERT_NOT_SHORTEST,
	ECERT_INDEFINITE,
	ECERT_RESERVED,
	ECERT_KEY_ORDER,
	ECERT_BAD_UTF8,
	ECERT_FLOAT,
	ECERT_SIMPLE,
	ECERT_BAD_TAG,
	ECERT_BAD_DECIMAL,
	ECERT_TOO_DEEP,

	/* structure: deterministic CBOR, but not a package */
	ECERT_NOT_SIGN1 = 200,
	ECERT_HEADER_FIELD,			/* a header field is missing or has the wrong type or value */
	ECERT_HEADER_UNKNOWN,		/* a header field that the profile does not know */
	ECERT_UNKNOWN_KIND,
	ECERT_UNKNOWN_ALG,
	ECERT_BAD_ID,				/* a node id or origin that is not 1..200 bytes without control characters */
	ECERT_BAD_SIGNATURE_SIZE,
	ECERT_BODY_NOT_MAP,

	/* size */
	ECERT_TOO_LARGE = 300,

	/* body schema */
	ECERT_BODY_MISSING = 400,	/* a field that the kind needs */
	ECERT_BODY_UNKNOWN,			/* a field that the kind does not know */
	ECERT_BODY_TYPE,			/* a field of another type than it must have */
	ECERT_BODY_VALUE,			/* a field whose value is out of its range */
	ECERT_BODY_BYTES,			/* byte strings are not allowed in bodies */
	ECERT_BODY_NEGATIVE,		/* an energy quantity below zero */

	/* crypto */
	ECERT_BAD_SIGNATURE = 500,
	ECERT_BAD_PUBLIC_KEY,
	ECERT_KEY_UNREADABLE,		/* file or store missing, unreadable, or holding no key */
	ECERT_KEY_PASSPHRASE,		/* encrypted, and the passphrase is missing or wrong */
	ECERT_KEY_ALG,				/* a key of a sort that ecert does not use */
	ECERT_CRYPTO_FAILED,		/* the library failed for no fault of the input (memory, provider) */

	/* conversion */
	ECERT_NO_SPACE = 600,		/* the caller's buffer is too small */
	ECERT_OVERFLOW,				/* a number that does not fit its 64 bits */

	/* the Merkle tree, receipts and notes */
	ECERT_PROOF_RANGE = 700,	/* leaf or size outside of the tree */
	ECERT_PROOF_LENGTH,			/* too few or too many hashes for that place in the tree */
	ECERT_PROOF_WRONG,			/* the proof leads to another root */
	ECERT_TILE_MISSING,			/* a tile that should be there is not, or is too short */
	ECERT_NOT_RECEIPT,			/* deterministic CBOR, but not a receipt or transparent statement */
	ECERT_NOT_NOTE				/* text that is not a signed note with a checkpoint */
} EcertCode;

/* One refusal: what, at which byte of the package, and in which field */
typedef struct EcertError
{
	EcertCode	code;
	size_t		offset;			/* from the first byte of what was given to the parser */
	const char *field;			/* static string, e.g. "lines.quantity"; NULL when there is none */
	char		name[64];		/* of ECERT_BODY_UNKNOWN: what the unknown field is called; empty when it is long, or not plain ASCII */
} EcertError;

/* A short lower-case phrase for a message, e.g. "map keys are not in increasing order" */
extern const char *ecert_error_text(EcertCode code);

static inline EcertCode
ecert_fail(EcertError *error, EcertCode code, size_t offset, const char *field)
{
	if (error != NULL)
	{
		error->code = code;
		error->offset = offset;
		error->field = field;
	}
	return code;
}

#pragma GCC visibility pop

#endif							/* ECERT_CORE_ERROR_H */
