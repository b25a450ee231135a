/*
 * error.c
 *		The words for every code, and what to do about some.
 */
#include "core/error.h"

#define TEXT_OF(name, number, text) \
	case name: \
		return text;

const char *
ecert_error_text(EcertCode code)
{
	switch (code)
	{
		ECERT_CODES(TEXT_OF)
	}
	return "unknown error";
}

const char *
ecert_error_hint(EcertCode code)
{
	switch (code)
	{
		case ECERT_HIGH_S:
			return "Of an ES256 signature (r, s) with s above n/2 write (r, n - s); n is the order of P-256.";
		case ECERT_UNKNOWN_ALG:
			return "Algorithms are -19 (Ed25519), -9 (ES256) and -65600 (SM2).";
		default:
			return ecert_is_reserved(code) ? "It is reserved for a later version of the extension." : NULL;
	}
}
