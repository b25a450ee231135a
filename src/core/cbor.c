/*
 * cbor.c
 *		Strict reader and writer of deterministic CBOR; see cbor.h.
 *
 * The checker recurses once per array, map or tag inside each other, and no
 * deeper than ECERT_CBOR_DEPTH, whatever the input.
 */
#include "core/cbor.h"

/* What the bytes are: a whole package or header, or a body with its narrower rules */
typedef enum Profile
{
	PROFILE_ANY,
	PROFILE_BODY				/* no byte strings, text keys only, no tag 18, no U+0000, integers within 64 bits */
} Profile;

typedef struct Checker
{
	EcertCursor cursor;
	Profile		profile;
	int			depth;
	EcertError *error;
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
	if (info >= ECERT_CBOR_FALSE && info <= ECERT_CBOR_NULL)
		return ECERT_OK;
	return ecert_fail(error, info < 25 ? ECERT_SIMPLE : info < 28 ? ECERT_FLOAT : info < 31 ? ECERT_RESERVED : ECERT_INDEFINITE, offset, NULL);
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

static EcertCode
refuse(Checker *checker, EcertCode code, const EcertCborHead *head)
{
	return ecert_fail(checker->error, code, head->offset, NULL);
}

/* A string's content: all there, and UTF-8 when it is text */
static EcertCode
check_string(Checker *checker, const EcertCborHead *head)
{
	EcertSlice	content;
	size_t		bad;
	size_t		start = checker->cursor.offset;

	if (checker->profile == PROFILE_BODY && head->type == ECERT_CBOR_BYTES)
		return refuse(checker, ECERT_BODY_BYTES, head);
	if (head->value > left(&checker->cursor))
		return refuse(checker, ECERT_TRUNCATED, head);
	content = ecert_cbor_content(&checker->cursor, head);
	if (ecert_is_plain(content))
		return ECERT_OK;
	/* JSON text has no U+0000 that PostgreSQL could hold */
	if (checker->profile == PROFILE_BODY && memchr(content.data, 0, content.size) != NULL)
		return refuse(checker, ECERT_ZERO_CHARACTER, head);
	if (head->type == ECERT_CBOR_TEXT && !ecert_utf8_valid(content, &bad))
		return ecert_fail(checker->error, ECERT_BAD_UTF8, start + bad, NULL);
	return ECERT_OK;
}

/*
 * One value has one form, as far as its digits are kept: an integer is no
 * decimal fraction where 64 bits hold it, and where they do not, the exponent
 * has all the zeros that go into it
 */
static bool
is_own_form(int64_t exponent, int64_t mantissa)
{
	int64_t		whole = mantissa;

	if (exponent < 0)
		return true;
	if (exponent < ECERT_EXPONENT_MAX && mantissa % 10 == 0)
		return false;
	for (int64_t zeros = exponent; zeros > 0; zeros--)
	{
		if (__builtin_mul_overflow(whole, (int64_t) 10, &whole))
			return true;
	}
	return false;
}

/* The content of tag 4: [exponent, mantissa] */
static EcertCode
check_decimal(Checker *checker, const EcertCborHead *tag)
{
	EcertCborHead head;
	int64_t		exponent;
	int64_t		mantissa;
	EcertCode	code;

	/* tag and array are two levels, as they would be for any other reader */
	if (checker->depth + 2 > ECERT_CBOR_DEPTH)
		return refuse(checker, ECERT_TOO_DEEP, tag);
	if ((code = ecert_cbor_head(&checker->cursor, &head, checker->error)) != ECERT_OK)
		return code;
	if (head.type != ECERT_CBOR_ARRAY || head.value != 2)
		return refuse(checker, ECERT_BAD_DECIMAL, tag);
	if ((code = ecert_cbor_head(&checker->cursor, &head, checker->error)) != ECERT_OK)
		return code;
	if (ecert_cbor_head_int(&head, &exponent) != ECERT_OK || exponent < ECERT_EXPONENT_MIN || exponent > ECERT_EXPONENT_MAX)
		return refuse(checker, ECERT_BAD_DECIMAL, tag);
	if ((code = ecert_cbor_head(&checker->cursor, &head, checker->error)) != ECERT_OK)
		return code;
	if (ecert_cbor_head_int(&head, &mantissa) != ECERT_OK)
		return refuse(checker, ECERT_BAD_DECIMAL, tag);
	return is_own_form(exponent, mantissa) ? ECERT_OK : refuse(checker, ECERT_DECIMAL_FORM, tag);
}

/* Numbers in a row inside an array, as those of a series; how many items are left to check */
static uint64_t
pass_numbers(Checker *checker, uint64_t items)
{
	EcertCursor cursor = checker->cursor;
	size_t		start = cursor.offset;
	EcertCborHead head;

	for (; items > 0 && ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && head.type <= ECERT_CBOR_NINT && head.value <= INT64_MAX; items--)
		start = cursor.offset;
	checker->cursor.offset = start;
	return items;
}

/* Tag 60 round 32 bytes: in a list of a body, what its issuer holds back */
static bool
is_hidden(const Checker *checker)
{
	static const uint8_t start[] = {0xD8, 0x3C, 0x58, 0x20};

	return checker->profile == PROFILE_BODY && left(&checker->cursor) >= sizeof start + 32 &&
		memcmp(checker->cursor.bytes.data + checker->cursor.offset, start, sizeof start) == 0;
}

static EcertCode check_item(Checker *checker, bool is_key);

/* A map's key, which must be greater than the one before */
static EcertCode
check_key(Checker *checker, EcertSlice *before)
{
	size_t		start = checker->cursor.offset;
	EcertCode	code = check_item(checker, true);
	EcertSlice	key = {checker->cursor.bytes.data + start, checker->cursor.offset - start};

	if (code == ECERT_OK && before->size > 0 && ecert_slice_compare(*before, key) >= 0)
		return ecert_fail(checker->error, ECERT_KEY_ORDER, start, NULL);
	*before = key;
	return code;
}

/* What is inside of an array, a map or tag 18 */
static EcertCode
check_inside(Checker *checker, const EcertCborHead *head)
{
	bool		is_map = head->type == ECERT_CBOR_MAP;
	uint64_t	items = head->type == ECERT_CBOR_TAG ? 1 : head->value;
	EcertSlice	key = {NULL, 0};
	EcertCode	code = ECERT_OK;

	if (head->type != ECERT_CBOR_TAG && items > left(&checker->cursor) / (is_map ? 2 : 1))
		return refuse(checker, ECERT_TRUNCATED, head);
	if (checker->depth == ECERT_CBOR_DEPTH)
		return refuse(checker, ECERT_TOO_DEEP, head);
	checker->depth++;
	if (head->type == ECERT_CBOR_ARRAY)
		items = pass_numbers(checker, items);
	for (; code == ECERT_OK && items > 0; items--)
	{
		if (is_map)
			code = check_key(checker, &key);
		else if (is_hidden(checker))
			code = ecert_fail(checker->error, ECERT_HIDDEN_ELEMENT, checker->cursor.offset, NULL);
		if (code == ECERT_OK)
			code = check_item(checker, false);
	}
	checker->depth--;
	return code;
}

/* One item with all that is inside of it */
static EcertCode
check_item(Checker *checker, bool is_key)
{
	EcertCborHead head;
	EcertCode	code = ecert_cbor_head(&checker->cursor, &head, checker->error);

	if (code != ECERT_OK)
		return code;
	if (is_key && checker->profile == PROFILE_BODY && head.type != ECERT_CBOR_TEXT)
		return refuse(checker, ECERT_BODY_TYPE, &head);
	switch (head.type)
	{
		case ECERT_CBOR_UINT:
		case ECERT_CBOR_NINT:
			return checker->profile == PROFILE_BODY && head.value > INT64_MAX ? refuse(checker, ECERT_INTEGER_SIZE, &head) : ECERT_OK;
		case ECERT_CBOR_SIMPLE:
			return ECERT_OK;
		case ECERT_CBOR_BYTES:
		case ECERT_CBOR_TEXT:
			return check_string(checker, &head);
		case ECERT_CBOR_TAG:
			if (head.value == 4)
				return check_decimal(checker, &head);
			if (head.value != 18 || head.offset != 0 || checker->profile == PROFILE_BODY)
				return refuse(checker, ECERT_BAD_TAG, &head);
			/* FALLTHROUGH */
		case ECERT_CBOR_ARRAY:
		case ECERT_CBOR_MAP:
			return check_inside(checker, &head);
	}
	return refuse(checker, ECERT_RESERVED, &head);
}

static EcertCode
check(EcertSlice bytes, Profile profile, EcertError *error)
{
	Checker		checker = {ecert_cursor(bytes), profile, 0, error};
	EcertCode	code = check_item(&checker, false);

	if (code == ECERT_OK && left(&checker.cursor) > 0)
		return ecert_fail(error, ECERT_TRAILING_BYTES, checker.cursor.offset, NULL);
	return code;
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

/* Is there such a key in a map?  Then the cursor is before its value */
static bool
seek_key(EcertCursor *cursor, EcertSlice key)
{
	EcertCborHead head;

	if (ecert_cbor_head(cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_MAP)
		return false;
	for (uint64_t pairs = head.value; pairs > 0 && left(cursor) > 0; pairs--)
	{
		if (skip_key(cursor, key))
			return true;
		(void) ecert_cbor_skip(cursor);
	}
	return false;
}

bool
ecert_cbor_find_key(EcertSlice map, EcertSlice key, EcertSlice *value)
{
	EcertCursor cursor = ecert_cursor(map);
	bool		found = seek_key(&cursor, key);

	*value = found ? ecert_cbor_skip(&cursor) : ecert_slice(NULL, 0);
	return found;
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
	EcertCursor cursor = ecert_cursor(map);
	EcertCborHead head;
	bool		found = seek_key(&cursor, ecert_slice_text(key)) &&
		ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_ARRAY;

	*count = found ? head.value : 0;
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
