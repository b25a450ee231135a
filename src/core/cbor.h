/*
 * cbor.h
 *		Deterministic CBOR (RFC 8949 section 4.2.1), the strict profile of
 *		docs/format.md: shortest heads, definite lengths, map keys strictly
 *		increasing bytewise, valid UTF-8, no floats, of the simple values only
 *		false, true and null, of the tags only 18 (outermost) and 4.
 *
 * Reading is two steps: ecert_cbor_check() once over the whole item, and then
 * the cursor functions, which rely on it and so have nothing left to refuse
 * but a type the caller did not expect.
 */
#ifndef ECERT_CORE_CBOR_H
#define ECERT_CORE_CBOR_H

#include "core/error.h"

#pragma GCC visibility push(hidden)

#define ECERT_CBOR_DEPTH 16		/* arrays, maps and tags inside each other */

typedef enum EcertCborType
{
	ECERT_CBOR_UINT = 0,
	ECERT_CBOR_NINT = 1,		/* value n stands for -1 - n */
	ECERT_CBOR_BYTES = 2,
	ECERT_CBOR_TEXT = 3,
	ECERT_CBOR_ARRAY = 4,
	ECERT_CBOR_MAP = 5,
	ECERT_CBOR_TAG = 6,
	ECERT_CBOR_SIMPLE = 7		/* value 20 false, 21 true, 22 null */
} EcertCborType;

#define ECERT_CBOR_FALSE 20
#define ECERT_CBOR_TRUE 21
#define ECERT_CBOR_NULL 22

/* An item's head: its type, its argument, and where it starts */
typedef struct EcertCborHead
{
	EcertCborType type;
	uint64_t	value;			/* number, size in bytes, count of items or pairs, tag */
	size_t		offset;
} EcertCborHead;

/* Bytes being read, and the offset of the next one */
typedef struct EcertCursor
{
	EcertSlice	bytes;
	size_t		offset;
} EcertCursor;

static inline EcertCursor
ecert_cursor(EcertSlice bytes)
{
	EcertCursor cursor = {bytes, 0};

	return cursor;
}

/* Check that bytes are exactly one item of the profile; no allocation, no recursion */
extern EcertCode ecert_cbor_check(EcertSlice bytes, EcertError *error);

/*
 * The same for a body: one map, text keys, no byte strings.  ECERT_BODY_NOT_MAP,
 * ECERT_BODY_TYPE (a key) and ECERT_BODY_BYTES on top of the codes above.
 */
extern EcertCode ecert_cbor_check_body(EcertSlice bytes, EcertError *error);

/* ecert_cbor_head() of what is not a head of one byte */
extern EcertCode ecert_cbor_long_head(EcertCursor *cursor, EcertCborHead *head, EcertError *error);

/*
 * Read the next head; content of byte and text strings is not consumed.  Most
 * heads are one byte, and reading is mostly heads: those are read in line
 */
static inline EcertCode
ecert_cbor_head(EcertCursor *cursor, EcertCborHead *head, EcertError *error)
{
	if (cursor->offset < cursor->bytes.size)
	{
		uint8_t		byte = cursor->bytes.data[cursor->offset];

		if ((byte & 31) < 24 && byte >> 5 != ECERT_CBOR_SIMPLE)
		{
			head->type = (EcertCborType) (byte >> 5);
			head->value = byte & 31;
			head->offset = cursor->offset++;
			return ECERT_OK;
		}
	}
	return ecert_cbor_long_head(cursor, head, error);
}

/* Consume and return the content of a byte or text string whose head was just read; no more than there is */
static inline EcertSlice
ecert_cbor_content(EcertCursor *cursor, const EcertCborHead *head)
{
	size_t		left = cursor->bytes.size - cursor->offset;
	EcertSlice	content = {cursor->bytes.data + cursor->offset, head->value <= left ? (size_t) head->value : left};

	cursor->offset += content.size;
	return content;
}

/* Skip one whole item of checked bytes and return it */
extern EcertSlice ecert_cbor_skip(EcertCursor *cursor);

/* Find the value of a text key in a checked map item; false, with *value empty, when it is not there */
extern bool ecert_cbor_find(EcertSlice map, const char *key, EcertSlice *value);

/* An integer item as int64; ECERT_OVERFLOW or ECERT_BODY_TYPE when it is none */
extern EcertCode ecert_cbor_int(EcertSlice item, int64_t *value);

/* A text item's content; false when the item is of another type */
extern bool ecert_cbor_text(EcertSlice item, EcertSlice *text);

/* The text under a key of a checked map; of size 0 when there is none */
extern EcertSlice ecert_cbor_text_at(EcertSlice map, const char *key);

/* The array under a key of a checked map: a cursor before its first item, and how many there are */
extern EcertCursor ecert_cbor_items_at(EcertSlice map, const char *key, uint64_t *count);

/* Writers, shortest form */
extern void ecert_cbor_put_head(EcertBuffer *buffer, EcertCborType type, uint64_t value);
extern void ecert_cbor_put_int(EcertBuffer *buffer, int64_t value);
extern void ecert_cbor_put_text(EcertBuffer *buffer, EcertSlice text);
extern void ecert_cbor_put_bytes(EcertBuffer *buffer, EcertSlice bytes);

/* True when text is valid UTF-8 (RFC 3629: no surrogates, no overlong forms); else *bad is the offset */
extern bool ecert_utf8_valid(EcertSlice text, size_t *bad);

#pragma GCC visibility pop

#endif							/* ECERT_CORE_CBOR_H */
