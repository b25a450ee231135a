/*
 * must.h
 *		What the fuzz targets share.
 */
#ifndef ECERT_FUZZ_MUST_H
#define ECERT_FUZZ_MUST_H

#include "core/error.h"

#include <stdlib.h>

/* A promise that does not hold ends the program, which libFuzzer reports */
#define MUST(condition) \
	do { \
		if (!(condition)) \
			__builtin_trap(); \
	} while (0)

/* A refusal says what and where */
static inline void
check_error(EcertCode code, const EcertError *error, size_t size)
{
	if (code != ECERT_OK)
		MUST(error->code == code && error->offset <= size && strcmp(ecert_error_text(code), "unknown error") != 0);
}

/*
 * The input without its first byte, which chooses what the others are, in an
 * allocation of exactly its size: AddressSanitizer sees every read beside it.
 * To be freed.
 */
static inline uint8_t *
copy_input(const uint8_t *data, size_t size)
{
	uint8_t    *copy = malloc(size - 1);

	memcpy(copy, data + 1, size - 1);
	return copy;
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif							/* ECERT_FUZZ_MUST_H */
