/*
 * cbor.c
 *		Strict reader and writer of deterministic CBOR; see cbor.h.
 *
 * The checker keeps an array of frames instead of recursing, so its stack use
 * does not depend on the input.
 */
#include "core/cbor.h"

/* What the bytes are: a whole package or header, or a body with its narrower rules */
typedef enum Profile
{
	PROFILE_ANY,
	PROFILE_BODY				/* no byte strings, text keys only, no tag 18 */
} Profile;

/* One open array, map or tag */
typedef struct Frame
{
	uint64_t	remaining;		/* items still to come; a pair of a map is two */
	bool		is_map;
	bool		has_key;		/* key holds the last key seen */
	size_t		key_offset;
	EcertSlice	key;
} Frame;

typedef struct Checker
{
	EcertCursor cursor;
	Profile		profile;
	int			depth;
	Frame		frames[ECERT_CBOR_DEPTH];
} Checker;

static size_t
left(const EcertCursor *cursor)
{
	return cursor->bytes.size - cursor->offset;
}

static uint64_t
read_big_endian(const uint8_t *at, size_t size)
{
	uint64_t	value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

/* Major type 7: only false, true and null */
static EcertCode
check_simple(unsigned info, size_t offset, EcertError *error)
{
	if (info >= 25 && info <= 27)
		return ecert_fail(error, ECERT_FLOAT, offset, NULL);
	if (info == 31)
		return ecert_fail(error, ECERT_INDEFINITE, offset, NULL);
	if (info >= 28)
		return ecert_fail(error, ECERT_RESERVED, offset, NULL);
	if (info < ECERT_CBOR_FALSE || info > ECERT_CBOR_NULL)
		return ecert_fail(error, ECERT_SIMPLE, offset, NULL);
	return ECERT_OK;
}

EcertCode
ecert_cbor_long_head(EcertCursor *cursor, EcertCborHead *head, EcertError *error)
{
	static const uint64_t least[4] = {24, 0x100, 0x10000, UINT64_C(0x100000000)};
	size_t		at = cursor->offset;
	unsigned	info;
	size_t		width;

	if (left(cursor) == 0)
		return ecert_fail(error, ECERT_TRUNCATED, at, NULL);
	head->offset = at;
	head->type = (EcertCborType) (cursor->bytes.data[at] >> 5);
	info = cursor->bytes.data[at] & 31;
	if (head->type == ECERT_CBOR_SIMPLE)
	{
		EcertCode	code = check_simple(info, at, error);

		if (code != ECERT_OK)
			return code;
	}
	cursor->offset++;
	head->value = info;
	if (info < 24)
		return ECERT_OK;
	if (info == 31 && head->type >= ECERT_CBOR_BYTES && head->type <= ECERT_CBOR_MAP)
		return ecert_fail(error, ECERT_INDEFINITE, at, NULL);
	if (info > 27)
		return ecert_fail(error, ECERT_RESERVED, at, NULL);
	width = (size_t) 1 << (info - 24);
	if (left(cursor) < width)
		return ecert_fail(error, ECERT_TRUNCATED, at, NULL);
	head->value = read_big_endian(cursor->bytes.data + cursor->offset, width);
	cursor->offset += width;
	if (head->value < least[info - 24])
		return ecert_fail(error, ECERT_NOT_SHORTEST, at, NULL);
	return ECERT_OK;
}

/* Pass over ASCII, eight bytes at a time: most text is nothing else */
static size_t
skip_ascii(EcertSlice text, size_t at)
{
	uint64_t	eight;

	for (; text.size - at >= sizeof eight; at += sizeof eight)
	{
		memcpy(&eight, text.data + at, sizeof eight);
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return at;
}

bool
ecert_utf8_valid(EcertSlice text, size_t *bad)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		i = 0;

	while ((i = skip_ascii(text, i)) < text.size)
	{
		uint8_t		lead = text.data[i];
		size_t		size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
		uint32_t	point;

		*bad = i;
		if (size == 1)
		{
			i++;
			continue;
		}
		if (size == 0 || size > text.size - i)
			return false;
		point = lead & (0x7F >> size);
		for (size_t k = 1; k < size; k++)
		{
			if ((text.data[i + k] & 0xC0) != 0x80)
				return false;
			point = point << 6 | (text.data[i + k] & 0x3F);
		}
		if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
			return false;
		i += size;
	}
	return true;
}

/* A string's content: all there, and UTF-8 when it is text */
static EcertCode
check_string(Checker *checker, const EcertCborHead *head, EcertError *error)
{
	EcertSlice	content;
	size_t		bad;
	size_t		start = checker->cursor.offset;

	if (checker->profile == PROFILE_BODY && head->type == ECERT_CBOR_BYTES)
		return ecert_fail(error, ECERT_BODY_BYTES, head->offset, NULL);
	if (head->value > left(&checker->cursor))
		return ecert_fail(error, ECERT_TRUNCATED, head->offset, NULL);
	content = ecert_cbor_content(&checker->cursor, head);
	if (ecert_is_plain(content))
		return ECERT_OK;
	/* JSON text has no U+0000 that PostgreSQL could hold */
	if (checker->profile == PROFILE_BODY && memchr(content.data, 0, content.size) != NULL)
		return ecert_fail(error, ECERT_BODY_VALUE, head->offset, NULL);
	if (head->type == ECERT_CBOR_TEXT && !ecert_utf8_valid(content, &bad))
		return ecert_fail(error, ECERT_BAD_UTF8, start + bad, NULL);
	return ECERT_OK;
}

/* The content of tag 4: [exponent, mantissa] */
static EcertCode
check_decimal(Checker *checker, const EcertCborHead *tag, EcertError *error)
{
	EcertCborHead array,
				exponent,
				mantissa;
	EcertCode	code;

	/* tag and array are two levels, as they would be for any other reader */
	if (checker->depth + 2 > ECERT_CBOR_DEPTH)
		return ecert_fail(error, ECERT_TOO_DEEP, tag->offset, NULL);
	if ((code = ecert_cbor_head(&checker->cursor, &array, error)) != ECERT_OK)
		return code;
	if (array.type != ECERT_CBOR_ARRAY || array.value != 2)
		return ecert_fail(error, ECERT_BAD_DECIMAL, tag->offset, NULL);
	if ((code = ecert_cbor_head(&checker->cursor, &exponent, error)) != ECERT_OK)
		return code;
	if (exponent.type > ECERT_CBOR_NINT ||
		exponent.value > (exponent.type == ECERT_CBOR_UINT ? 18 : 17))
		return ecert_fail(error, ECERT_BAD_DECIMAL, tag->offset, NULL);
	if ((code = ecert_cbor_head(&checker->cursor, &mantissa, error)) != ECERT_OK)
		return code;
	if (mantissa.type > ECERT_CBOR_NINT || mantissa.value > INT64_MAX)
		return ecert_fail(error, ECERT_BAD_DECIMAL, tag->offset, NULL);
	return ECERT_OK;
}

/* Open an array, a map or tag 18; an empty one is complete at once */
static EcertCode
open_frame(Checker *checker, const EcertCborHead *head, bool *opened, EcertError *error)
{
	Frame	   *frame;
	uint64_t	most = left(&checker->cursor);

	*opened = false;
	if (head->type == ECERT_CBOR_MAP)
		most /= 2;
	if (head->type != ECERT_CBOR_TAG && head->value > most)
		return ecert_fail(error, ECERT_TRUNCATED, head->offset, NULL);
	if (checker->depth == ECERT_CBOR_DEPTH)
		return ecert_fail(error, ECERT_TOO_DEEP, head->offset, NULL);
	if (head->type != ECERT_CBOR_TAG && head->value == 0)
		return ECERT_OK;
	frame = &checker->frames[checker->depth++];
	memset(frame, 0, sizeof *frame);
	frame->is_map = head->type == ECERT_CBOR_MAP;
	frame->remaining = head->type == ECERT_CBOR_TAG ? 1 :
		frame->is_map ? head->value * 2 : head->value;
	*opened = true;
	return ECERT_OK;
}

/* A map's key has ended: it must be greater than the one before */
static EcertCode
check_key(Checker *checker, Frame *frame, EcertError *error)
{
	EcertSlice	key = {checker->cursor.bytes.data + frame->key_offset,
	checker->cursor.offset - frame->key_offset};

	if (frame->has_key && ecert_slice_compare(frame->key, key) >= 0)
		return ecert_fail(error, ECERT_KEY_ORDER, frame->key_offset, NULL);
	frame->has_key = true;
	frame->key = key;
	return ECERT_OK;
}

/* An item has ended: close every frame that ends with it */
static EcertCode
close_frames(Checker *checker, EcertError *error)
{
	while (checker->depth > 0)
	{
		Frame	   *frame = &checker->frames[checker->depth - 1];

		if (frame->is_map && frame->remaining % 2 == 0)
		{
			EcertCode	code = check_key(checker, frame, error);

			if (code != ECERT_OK)
				return code;
		}
		if (--frame->remaining > 0)
			return ECERT_OK;
		checker->depth--;
	}
	return ECERT_OK;
}

/* Note where a key begins, and its type in a body */
static EcertCode
begin_item(Checker *checker, const EcertCborHead *head, EcertError *error)
{
	Frame	   *frame = checker->depth > 0 ? &checker->frames[checker->depth - 1] : NULL;

	if (frame == NULL || !frame->is_map || frame->remaining % 2 != 0)
		return ECERT_OK;
	if (checker->profile == PROFILE_BODY && head->type != ECERT_CBOR_TEXT)
		return ecert_fail(error, ECERT_BODY_TYPE, head->offset, NULL);
	frame->key_offset = head->offset;
	return ECERT_OK;
}

/* One head and what belongs to it; opened says that items follow inside */
static EcertCode
check_item(Checker *checker, bool *opened, EcertError *error)
{
	EcertCborHead head;
	EcertCode	code;

	*opened = false;
	if ((code = ecert_cbor_head(&checker->cursor, &head, error)) != ECERT_OK ||
		(code = begin_item(checker, &head, error)) != ECERT_OK)
		return code;
	switch (head.type)
	{
		case ECERT_CBOR_UINT:
		case ECERT_CBOR_NINT:
		case ECERT_CBOR_SIMPLE:
			return ECERT_OK;
		case ECERT_CBOR_BYTES:
		case ECERT_CBOR_TEXT:
			return check_string(checker, &head, error);
		case ECERT_CBOR_TAG:
			if (head.value == 4)
				return check_decimal(checker, &head, error);
			if (head.value != 18 || head.offset != 0 || checker->profile == PROFILE_BODY)
				return ecert_fail(error, ECERT_BAD_TAG, head.offset, NULL);
			/* FALLTHROUGH */
		case ECERT_CBOR_ARRAY:
		case ECERT_CBOR_MAP:
			return open_frame(checker, &head, opened, error);
	}
	return ecert_fail(error, ECERT_RESERVED, head.offset, NULL);
}

/* Numbers in a row inside an array, as those of a series: all but the last, which closes what ends with it */
static void
check_numbers(Checker *checker)
{
	Frame	   *frame = &checker->frames[checker->depth - 1];
	EcertCursor ahead = checker->cursor;
	EcertCborHead head;

	while (frame->remaining > 1 && ecert_cbor_head(&ahead, &head, NULL) == ECERT_OK && head.type <= ECERT_CBOR_NINT)
	{
		frame->remaining--;
		checker->cursor = ahead;
	}
}

static EcertCode
check(EcertSlice bytes, Profile profile, EcertError *error)
{
	Checker		checker;
	bool		opened;
	EcertCode	code;

	checker.cursor = ecert_cursor(bytes);
	checker.profile = profile;
	checker.depth = 0;
	do
	{
		if ((code = check_item(&checker, &opened, error)) != ECERT_OK)
			return code;
		if (!opened && (code = close_frames(&checker, error)) != ECERT_OK)
			return code;
		if (opened && !checker.frames[checker.depth - 1].is_map)
			check_numbers(&checker);
	} while (checker.depth > 0);
	if (left(&checker.cursor) > 0)
		return ecert_fail(error, ECERT_TRAILING_BYTES, checker.cursor.offset, NULL);
	return ECERT_OK;
}

EcertCode
ecert_cbor_check(EcertSlice bytes, EcertError *error)
{
	return check(bytes, PROFILE_ANY, error);
}

EcertCode
ecert_cbor_check_body(EcertSlice bytes, EcertError *error)
{
	if (bytes.size == 0 || bytes.data[0] >> 5 != ECERT_CBOR_MAP)
		return ecert_fail(error, ECERT_BODY_NOT_MAP, 0, NULL);
	return check(bytes, PROFILE_BODY, error);
}

/* The size of an item that is a short text or a number, which most are; 0 when it is something else or does not fit */
static size_t
short_size(const EcertCursor *cursor)
{
	unsigned	first = left(cursor) > 0 ? cursor->bytes.data[cursor->offset] : 0xFF;
	unsigned	info = first & 31;
	size_t		size = 0;

	if (first < 0x40 && info < 28)
		size = info < 24 ? 1 : 1 + ((size_t) 1 << (info - 24));
	else if (first >= 0x60 && first < 0x78)
		size = 1 + info;
	return size <= left(cursor) ? size : 0;
}

EcertSlice
ecert_cbor_skip(EcertCursor *cursor)
{
	size_t		start = cursor->offset;
	EcertCborHead head;

	for (uint64_t pending = 1; pending > 0; pending--)
	{
		size_t		size = short_size(cursor);

		cursor->offset += size;
		if (size > 0)
			continue;
		/* checked bytes have no bad head; unchecked ones end the walk here */
		if (ecert_cbor_head(cursor, &head, NULL) != ECERT_OK)
		{
			cursor->offset = cursor->bytes.size;
			break;
		}
		if (head.type == ECERT_CBOR_BYTES || head.type == ECERT_CBOR_TEXT)
			(void) ecert_cbor_content(cursor, &head);
		else if (head.type == ECERT_CBOR_TAG)
			pending++;
		else if (head.type == ECERT_CBOR_ARRAY || head.type == ECERT_CBOR_MAP)
			pending += head.type == ECERT_CBOR_MAP ? head.value * 2 : head.value;
	}
	return ecert_slice(cursor->bytes.data + start, cursor->offset - start);
}

/* Skip a key and tell whether it is the text wanted; read in place, since most lookups are of short maps */
static bool
skip_key(EcertCursor *cursor, EcertSlice wanted)
{
	const uint8_t *at = cursor->bytes.data + cursor->offset;
	EcertSlice	name;

	if (left(cursor) > 0 && at[0] >= 0x60 && at[0] < 0x78 && left(cursor) > at[0] - 0x60u)
	{
		name = ecert_slice(at + 1, at[0] - 0x60u);
		cursor->offset += 1 + name.size;
		return ecert_slice_equal(name, wanted);
	}
	return ecert_cbor_text(ecert_cbor_skip(cursor), &name) && ecert_slice_equal(name, wanted);
}

bool
ecert_cbor_find_key(EcertSlice map, EcertSlice key, EcertSlice *value)
{
	EcertCursor cursor = ecert_cursor(map);
	EcertCborHead head;
	uint64_t	pairs;

	*value = ecert_slice(NULL, 0);
	if (ecert_cbor_head(&cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_MAP)
		return false;
	for (pairs = head.value; pairs > 0 && left(&cursor) > 0; pairs--)
	{
		bool		is_wanted = skip_key(&cursor, key);
		EcertSlice	found = ecert_cbor_skip(&cursor);

		if (is_wanted)
		{
			*value = found;
			return true;
		}
	}
	return false;
}

bool
ecert_cbor_find(EcertSlice map, const char *key, EcertSlice *value)
{
	return ecert_cbor_find_key(map, ecert_slice_text(key), value);
}

EcertCode
ecert_cbor_int(EcertSlice item, int64_t *value)
{
	EcertCursor cursor = ecert_cursor(item);
	EcertCborHead head;

	return ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK ? ecert_cbor_head_int(&head, value) : ECERT_BODY_TYPE;
}

bool
ecert_cbor_text(EcertSlice item, EcertSlice *text)
{
	EcertCursor cursor = ecert_cursor(item);
	EcertCborHead head;

	if (ecert_cbor_head(&cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_TEXT)
		return false;
	*text = ecert_cbor_content(&cursor, &head);
	return true;
}

EcertSlice
ecert_cbor_text_at(EcertSlice map, const char *key)
{
	EcertSlice	item;
	EcertSlice	text = {NULL, 0};

	if (ecert_cbor_find(map, key, &item))
		(void) ecert_cbor_text(item, &text);
	return text;
}

EcertCursor
ecert_cbor_items_at(EcertSlice map, const char *key, uint64_t *count)
{
	EcertSlice	wanted = ecert_slice_text(key);
	EcertCursor cursor = ecert_cursor(map);
	EcertCborHead head;

	*count = 0;
	if (ecert_cbor_head(&cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_MAP)
		return cursor;
	for (uint64_t pairs = head.value; pairs > 0 && left(&cursor) > 0; pairs--)
	{
		if (skip_key(&cursor, wanted))
		{
			if (ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_ARRAY)
				*count = head.value;
			return cursor;
		}
		(void) ecert_cbor_skip(&cursor);
	}
	return cursor;
}

void
ecert_cbor_put_head(EcertBuffer *buffer, EcertCborType type, uint64_t value)
{
	uint8_t		bytes[9];
	size_t		width = value < 24 ? 0 : value <= 0xFF ? 1 : value <= 0xFFFF ? 2 :
		value <= UINT64_C(0xFFFFFFFF) ? 4 : 8;
	unsigned	info = width == 0 ? (unsigned) value : width == 1 ? 24 : width == 2 ? 25 : width == 4 ? 26 : 27;

	bytes[0] = (uint8_t) ((unsigned) type << 5 | info);
	for (size_t i = 0; i < width; i++)
		bytes[1 + i] = (uint8_t) (value >> (8 * (width - 1 - i)));
	ecert_buffer_put(buffer, ecert_slice(bytes, 1 + width));
}

void
ecert_cbor_put_int(EcertBuffer *buffer, int64_t value)
{
	if (value >= 0)
		ecert_cbor_put_head(buffer, ECERT_CBOR_UINT, (uint64_t) value);
	else
		ecert_cbor_put_head(buffer, ECERT_CBOR_NINT, (uint64_t) (-1 - value));
}

void
ecert_cbor_put_text(EcertBuffer *buffer, EcertSlice text)
{
	ecert_cbor_put_head(buffer, ECERT_CBOR_TEXT, text.size);
	ecert_buffer_put(buffer, text);
}

void
ecert_cbor_put_bytes(EcertBuffer *buffer, EcertSlice bytes)
{
	ecert_cbor_put_head(buffer, ECERT_CBOR_BYTES, bytes.size);
	ecert_buffer_put(buffer, bytes);
}
