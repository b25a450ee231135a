/*
 * error.c
 *		The words for every code.
 */
#include "core/error.h"

const char *
ecert_error_text(EcertCode code)
{
	switch (code)
	{
		case ECERT_OK:
			return "no error";
		case ECERT_TRUNCATED:
			return "the bytes end before the item does";
		case ECERT_TRAILING_BYTES:
			return "there are bytes after the end";
		case ECERT_NOT_SHORTEST:
			return "a number or length is not in its shortest form";
		case ECERT_INDEFINITE:
			return "indefinite lengths are not allowed";
		case ECERT_RESERVED:
			return "reserved encoding";
		case ECERT_KEY_ORDER:
			return "map keys are not in strictly increasing order";
		case ECERT_BAD_UTF8:
			return "text is not valid UTF-8";
		case ECERT_FLOAT:
			return "floating-point numbers are not allowed";
		case ECERT_SIMPLE:
			return "simple values other than false, true and null are not allowed";
		case ECERT_BAD_TAG:
			return "this tag is not allowed here";
		case ECERT_BAD_DECIMAL:
			return "a decimal fraction is not [exponent -18..18, mantissa of 64 bits]";
		case ECERT_TOO_DEEP:
			return "nested more than 16 deep";
		case ECERT_NOT_SIGN1:
			return "not a tagged COSE_Sign1 with an empty unprotected header";
		case ECERT_HEADER_FIELD:
			return "a header field is missing or has a wrong value";
		case ECERT_HEADER_UNKNOWN:
			return "a header field is not known";
		case ECERT_UNKNOWN_KIND:
			return "the content type names no kind of package";
		case ECERT_UNKNOWN_ALG:
			return "the signature algorithm is not known";
		case ECERT_BAD_ID:
			return "an id is not 1 to 200 bytes without control characters";
		case ECERT_BAD_SIGNATURE_SIZE:
			return "the signature is not 64 bytes";
		case ECERT_BODY_NOT_MAP:
			return "the body is not a map";
		case ECERT_TOO_LARGE:
			return "larger than 65535 bytes";
		case ECERT_BODY_MISSING:
			return "a required field is missing";
		case ECERT_BODY_UNKNOWN:
			return "unknown field";
		case ECERT_BODY_TYPE:
			return "a field has the wrong type";
		case ECERT_BODY_VALUE:
			return "a field's value is out of its range";
		case ECERT_BODY_BYTES:
			return "byte strings are not allowed in a body";
		case ECERT_BODY_NEGATIVE:
			return "an energy quantity is negative";
		case ECERT_BAD_SIGNATURE:
			return "the signature does not match";
		case ECERT_BAD_PUBLIC_KEY:
			return "not a valid public key";
		case ECERT_KEY_UNREADABLE:
			return "the key cannot be read";
		case ECERT_KEY_PASSPHRASE:
			return "the key is encrypted and the passphrase is missing or wrong";
		case ECERT_KEY_ALG:
			return "not an Ed25519, P-256 or SM2 key";
		case ECERT_CRYPTO_FAILED:
			return "the crypto library failed";
		case ECERT_NO_SPACE:
			return "out of buffer space";
		case ECERT_OVERFLOW:
			return "a number does not fit 64 bits";
		case ECERT_PROOF_RANGE:
			return "a leaf or size lies outside of the tree";
		case ECERT_PROOF_LENGTH:
			return "the proof has too few or too many hashes for its place in the tree";
		case ECERT_PROOF_WRONG:
			return "the proof leads to another root";
		case ECERT_TILE_MISSING:
			return "a tile of the Merkle tree is missing or too short";
		case ECERT_NOT_RECEIPT:
			return "not a COSE receipt of inclusion or a transparent statement";
		case ECERT_NOT_NOTE:
			return "not a signed note with a checkpoint";
	}
	return "unknown error";
}
