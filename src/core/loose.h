/*
 * loose.h
 *		CBOR as others write it: well-formed (RFC 8949 section 5.3), in any form.
 *
 * Receipts and unprotected headers come from other people's encoders: heads may
 * be longer than they need to be, lengths indefinite, keys in any order, and
 * there may be floats and tags.  Packages are read by cbor.h, which is strict.
 *
 * Reading is two steps, as there: ecert_loose_check() once over the whole item,
 * and then the cursor functions, which rely on it.
 */
#ifndef ECERT_CORE_LOOSE_H
#define ECERT_CORE_LOOSE_H

#include "core/cbor.h"

#define ECERT_LOOSE_DEPTH 128	/* arrays, maps and tags inside each other */

/* What is left of an array or a map that is being read */
typedef struct EcertLooseItems
{
	uint64_t	left;			/* items or pairs, where they are counted */
	bool		is_open;		/* of indefinite length: they end with a break */
} EcertLooseItems;

/*
 * Check that bytes are exactly one well-formed item; no allocation.
 * ECERT_TRUNCATED, ECERT_TRAILING_BYTES, ECERT_RESERVED; ECERT_BEYOND_LIMITS
 * when it is nested too deep to be read here.
 */
extern EcertCode ecert_loose_check(EcertSlice bytes, EcertError *error);

/* The type of the next item of checked bytes */
extern EcertCborType ecert_loose_type(const EcertCursor *cursor);

/* Skip one whole item of checked bytes and return it */
extern EcertSlice ecert_loose_skip(EcertCursor *cursor);

/* Read an unsigned integer; false, with the cursor where it was, when the next item is none */
extern bool ecert_loose_uint(EcertCursor *cursor, uint64_t *value);

/* The integer that an item is; false when it is none, or does not fit */
extern bool ecert_loose_int(EcertSlice item, int64_t *value);

/* Read a byte or text string that is in one piece; false, with the cursor where it was, when the next item is none */
extern bool ecert_loose_string(EcertCursor *cursor, EcertCborType type, EcertSlice *content);

/* Enter an array, a map or a tag; false, with the cursor where it was, when the next item is of another type */
extern bool ecert_loose_enter(EcertCursor *cursor, EcertCborType type, EcertLooseItems *items);

/* Is there another item, or pair of a map?  Consumes the break at the end */
extern bool ecert_loose_next(EcertCursor *cursor, EcertLooseItems *items);

#endif							/* ECERT_CORE_LOOSE_H */
