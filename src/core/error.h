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

/* The codes, their numbers, and the words for them: short lower-case phrases for a message */
#define ECERT_CODES(X) \
	X(ECERT_OK, 0, "no error") \
	/* strict form: the bytes are not deterministic CBOR of our profile */ \
	X(ECERT_TRUNCATED, 100, "the bytes end before the item does") \
	X(ECERT_TRAILING_BYTES, 101, "there are bytes after the end") \
	X(ECERT_NOT_SHORTEST, 102, "a number or length is not in its shortest form") \
	X(ECERT_INDEFINITE, 103, "indefinite lengths are not allowed") \
	X(ECERT_RESERVED, 104, "reserved encoding") \
	X(ECERT_KEY_ORDER, 105, "map keys are not in strictly increasing order") \
	X(ECERT_BAD_UTF8, 106, "text is not valid UTF-8") \
	X(ECERT_FLOAT, 107, "floating-point numbers are not allowed") \
	X(ECERT_SIMPLE, 108, "simple values other than false, true and null are not allowed") \
	X(ECERT_BAD_TAG, 109, "this tag is not allowed here") \
	X(ECERT_BAD_DECIMAL, 110, "a decimal fraction is not [exponent -18..18, mantissa of 64 bits]") \
	X(ECERT_TOO_DEEP, 111, "nested more than 16 deep") \
	X(ECERT_HIGH_S, 112, "the signature is not in strict form (high s)") \
	X(ECERT_DECIMAL_FORM, 113, "a decimal fraction is not the one form of its value") \
	X(ECERT_INTEGER_SIZE, 114, "an integer of a body does not fit 64 bits with sign") \
	X(ECERT_ZERO_CHARACTER, 115, "a text of a body holds U+0000") \
	/* structure: deterministic CBOR, but not a package */ \
	X(ECERT_NOT_SIGN1, 200, "not a tagged COSE_Sign1 with an empty unprotected header") \
	X(ECERT_HEADER_FIELD, 201, "a header field is missing or has a wrong value") \
	X(ECERT_HEADER_UNKNOWN, 202, "a header field is not known") \
	X(ECERT_UNKNOWN_KIND, 203, "the content type names no kind of package") \
	X(ECERT_UNKNOWN_ALG, 204, "the signature algorithm is not supported") \
	X(ECERT_BAD_ID, 205, "an id is not 1 to 200 bytes without control, format and line-separating characters") \
	X(ECERT_BAD_SIGNATURE_SIZE, 206, "the signature has not the size of its algorithm's") \
	X(ECERT_BODY_NOT_MAP, 207, "the body is not a map") \
	/* size */ \
	X(ECERT_TOO_LARGE, 300, "larger than 65535 bytes") \
	/* body schema */ \
	X(ECERT_BODY_MISSING, 400, "a required field is missing") \
	X(ECERT_BODY_UNKNOWN, 401, "unknown field") \
	X(ECERT_BODY_TYPE, 402, "a field has the wrong type") \
	X(ECERT_BODY_VALUE, 403, "a field's value is out of its range") \
	X(ECERT_BODY_BYTES, 404, "byte strings are not allowed in a body") \
	X(ECERT_BODY_NEGATIVE, 405, "an energy quantity is negative") \
	/* crypto */ \
	X(ECERT_BAD_SIGNATURE, 500, "the signature does not match") \
	X(ECERT_BAD_PUBLIC_KEY, 501, "not a valid public key") \
	X(ECERT_KEY_UNREADABLE, 502, "the key cannot be read") /* file or store missing, unreadable, or holding no key */ \
	X(ECERT_KEY_PASSPHRASE, 503, "the key is encrypted and the passphrase is missing or wrong") \
	X(ECERT_KEY_ALG, 504, "not an Ed25519, P-256 or SM2 key") \
	X(ECERT_CRYPTO_FAILED, 505, "the crypto library failed") /* for no fault of the input: memory, provider */ \
	/* conversion */ \
	X(ECERT_NO_SPACE, 600, "out of buffer space") /* the caller's buffer is too small */ \
	X(ECERT_OVERFLOW, 601, "a number does not fit 64 bits") \
	/* the Merkle tree, receipts and notes */ \
	X(ECERT_PROOF_RANGE, 700, "a leaf or size lies outside of the tree") \
	X(ECERT_PROOF_LENGTH, 701, "the proof has too few or too many hashes for its place in the tree") \
	X(ECERT_PROOF_WRONG, 702, "the proof leads to another root") \
	X(ECERT_TILE_MISSING, 703, "a tile of the Merkle tree is missing or too short") \
	X(ECERT_NOT_RECEIPT, 704, "not a COSE receipt of inclusion or a transparent statement") \
	X(ECERT_NOT_NOTE, 705, "not a signed note with a checkpoint") \
	X(ECERT_OTHER_KEY, 706, "it names another key than the one that is trusted") \
	X(ECERT_FOREIGN_CLAIMS, 707, "it is of another ledger") \
	X(ECERT_UNPROTECTED, 708, "it is not signed, and nothing here reads it") \
	/* neither right nor wrong here: see ecert_is_beyond() */ \
	X(ECERT_UNKNOWN_VDS, 720, "the verifiable data structure is not known") \
	X(ECERT_SEVERAL_PROOFS, 721, "it has several proofs, and does not say which is for this package") \
	X(ECERT_BEYOND_LIMITS, 722, "larger, or nested deeper, than this version reads") \
	/* reserved for later versions, which is no fault of form */ \
	X(ECERT_RESERVED_KIND, 800, "this kind of package is not supported yet") \
	X(ECERT_RESERVED_FIELD, 801, "this field, or its value, is not supported yet") \
	X(ECERT_HIDDEN_ELEMENT, 802, "hidden elements are not supported yet")

#define ECERT_CODE(name, number, text) name = number,
typedef enum EcertCode
{
	ECERT_CODES(ECERT_CODE)
} EcertCode;
#undef ECERT_CODE

/* One refusal: what, at which byte of the package, and in which field */
typedef struct EcertError
{
	EcertCode	code;
	size_t		offset;			/* from the first byte of what was given to the parser */
	const char *field;			/* static string, e.g. "lines.quantity"; NULL when there is none */
	char		name[64];		/* of ECERT_BODY_UNKNOWN: what the unknown field is called; empty when it is long, or not plain ASCII */
} EcertError;

/* Is what was refused for a later version, and not wrong? */
static inline bool
ecert_is_reserved(EcertCode code)
{
	return code == ECERT_UNKNOWN_ALG || (code >= ECERT_RESERVED_KIND && code <= ECERT_HIDDEN_ELEMENT);
}

/* The words of ECERT_CODES; "unknown error" for another number */
extern const char *ecert_error_text(EcertCode code);

/* What to do about it, as a sentence; NULL: nothing in particular */
extern const char *ecert_error_hint(EcertCode code);

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

#endif							/* ECERT_CORE_ERROR_H */
