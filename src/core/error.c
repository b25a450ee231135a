/*
 * error.c
 *		The words for every code.
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
