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

/* Of decimal fractions */
#define ECERT_EXPONENT_MIN (-18)
#define ECERT_EXPONENT_MAX 18

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
 * The same for a body: one map, text keys, no byte strings, no U+0000, integers
 * within 64 bits with sign.  ECERT_BODY_NOT_MAP, ECERT_BODY_TYPE (a key),
 * ECERT_BODY_BYTES, ECERT_ZERO_CHARACTER and ECERT_INTEGER_SIZE on top of the
 * codes above.
 */
extern EcertCode ecert_cbor_check_body(EcertSlice bytes, EcertError *error);

/* ecert_cbor_head() of what is not such a head as most are, or is near the end */
extern EcertCode ecert_cbor_long_head(EcertCursor *cursor, EcertCborHead *head, EcertError *error);

/*
 * Read the next head; content of byte and text strings is not consumed.  Most
 * heads are of up to three bytes, and reading is mostly heads: those are read
 * in line
 */
static inline EcertCode
ecert_cbor_head(EcertCursor *cursor, EcertCborHead *head, EcertError *error)
{
	size_t		left = cursor->bytes.size - cursor->offset;
	const uint8_t *at;

	/* of nothing there may be no address */
	if (left >= 3 && (at = cursor->bytes.data + cursor->offset)[0] >> 5 != ECERT_CBOR_SIMPLE)
	{
		unsigned	info = at[0] & 31;
		unsigned	value = info < 24 ? info : info == 24 ? at[1] : info == 25 ? (unsigned) at[1] << 8 | at[2] : 0;

		/* 24: what fits into the first byte is there; 25: what fits into the second */
		if (info < 24 || (info == 24 && value >= 24) || (info == 25 && value > 0xFF))
		{
			head->type = (EcertCborType) (at[0] >> 5);
			head->value = value;
			head->offset = cursor->offset;
			cursor->offset += info < 24 ? 1 : info - 22;
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

/* The number whose head was just read as int64; ECERT_OVERFLOW, or ECERT_BODY_TYPE when it is none */
static inline EcertCode
ecert_cbor_head_int(const EcertCborHead *head, int64_t *value)
{
	if (head->type > ECERT_CBOR_NINT)
		return ECERT_BODY_TYPE;
	if (head->value > INT64_MAX)
		return ECERT_OVERFLOW;
	*value = head->type == ECERT_CBOR_UINT ? (int64_t) head->value : -1 - (int64_t) head->value;
	return ECERT_OK;
}

/* Skip one whole item of checked bytes and return it */
extern EcertSlice ecert_cbor_skip(EcertCursor *cursor);

/* The same, where a text is expected, and its content; of size 0 when it is none */
static inline EcertSlice
ecert_cbor_next_text(EcertCursor *cursor)
{
	size_t		start = cursor->offset;
	EcertCborHead head;

	if (ecert_cbor_head(cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_TEXT)
		return ecert_cbor_content(cursor, &head);
	cursor->offset = start;
	(void) ecert_cbor_skip(cursor);
	return ecert_slice(NULL, 0);
}

/* Find the value of a text key in a checked map item; false, with *value empty, when it is not there */
extern bool ecert_cbor_find(EcertSlice map, const char *key, EcertSlice *value);

/* The same with the key's bytes */
extern bool ecert_cbor_find_key(EcertSlice map, EcertSlice key, EcertSlice *value);

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

/* True when string is nothing but U+0020..U+007E, as nearly all is; seen eight bytes at a time */
static inline bool
ecert_is_plain(EcertSlice string)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t	bad = 0;
	uint64_t	eight;
	size_t		i = 0;

	for (; string.size - i >= sizeof eight; i += sizeof eight)
	{
		memcpy(&eight, string.data + i, sizeof eight);
		/* below 0x20 the subtraction reaches the high bit, 0x7F by the addition; carries only spread what is bad */
		bad |= (eight | (eight - UINT64_C(0x2020202020202020)) | (eight + UINT64_C(0x0101010101010101))) & high;
	}
	for (; i < string.size; i++)
		bad |= (uint64_t) (string.data[i] < 0x20 || string.data[i] > 0x7E);
	return bad == 0;
}

/* True when text is valid UTF-8 (RFC 3629: no surrogates, no overlong forms); else *bad is the offset */
extern bool ecert_utf8_valid(EcertSlice text, size_t *bad);

#endif							/* ECERT_CORE_CBOR_H */
