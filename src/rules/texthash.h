/*
 * texthash.h
 *		The hash of a text for a table in memory.
 *
 * Names on a ledger are chosen by those who sign them: seeded by what nobody
 * outside knows, such as an address, a table cannot be made slow from there.
 * Nothing that is computed depends on the seed.
 */
#ifndef ECERT_RULES_TEXTHASH_H
#define ECERT_RULES_TEXTHASH_H

#include "core/buffer.h"

/* Both halves of a product, folded */
static inline uint64_t
ecert_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128) a * b;

	return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint64_t
ecert_text_hash(EcertSlice text, uint64_t seed)
{
	uint64_t	hash = seed ^ UINT64_C(0x9E3779B97F4A7C15);
	uint64_t	eight;
	size_t		i = 0;

	for (; text.size - i > sizeof eight; i += sizeof eight)
	{
		memcpy(&eight, text.data + i, sizeof eight);
		hash = ecert_fold(hash ^ eight, seed ^ UINT64_C(0xD6E8FEB86659FD93));
	}
	eight = 0;
	if (text.size > 0)
		memcpy(&eight, text.data + i, text.size - i);
	return ecert_fold(hash ^ eight, seed ^ text.size ^ UINT64_C(0xA0761D6478BD642F));
}

#endif							/* ECERT_RULES_TEXTHASH_H */
