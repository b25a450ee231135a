/*
 * loose.c
 *		Reader of well-formed CBOR in any form; see loose.h.
 *
 * The checker recurses once per array, map or tag inside each other, and no
 * deeper than ECERT_LOOSE_DEPTH, whatever the input.
 */
#include "core/loose.h"

/* The first byte of what ends an indefinite length */
#define BREAK 0xFF

/* An item's head as it is written; is_open: its length is indefinite */
typedef struct Head
{
	EcertCborType type;
	uint64_t	value;
	bool		is_open;
	bool		is_break;
} Head;

static size_t
left(const EcertCursor *cursor)
{
	return cursor->bytes.size - cursor->offset;
}

/* Read the next head, whatever its form */
static EcertCode
read_head(EcertCursor *cursor, Head *head)
{
	unsigned	info;
	size_t		width;

	if (left(cursor) == 0)
		return ECERT_TRUNCATED;
	info = cursor->bytes.data[cursor->offset] & 31;
	*head = (Head) {.type = (EcertCborType) (cursor->bytes.data[cursor->offset] >> 5), .value = info};
	cursor->offset++;
	if (info < 24)
		return ECERT_OK;
	if (info == 31)
	{
		head->is_break = head->type == ECERT_CBOR_SIMPLE;
		head->is_open = head->type >= ECERT_CBOR_BYTES && head->type <= ECERT_CBOR_MAP;
		return head->is_break || head->is_open ? ECERT_OK : ECERT_RESERVED;
	}
	if (info > 27)
		return ECERT_RESERVED;
	width = (size_t) 1 << (info - 24);
	if (left(cursor) < width)
		return ECERT_TRUNCATED;
	head->value = 0;
	for (size_t i = 0; i < width; i++)
		head->value = head->value << 8 | cursor->bytes.data[cursor->offset++];
	/* a simple value below 32 has one way to be written */
	return head->type == ECERT_CBOR_SIMPLE && info == 24 && head->value < 32 ? ECERT_RESERVED : ECERT_OK;
}

static EcertCode check_item(EcertCursor *cursor, unsigned depth, bool *is_break);

static EcertCode
check_string(EcertCursor *cursor, uint64_t size)
{
	if (size > left(cursor))
		return ECERT_TRUNCATED;
	cursor->offset += (size_t) size;
	return ECERT_OK;
}

/* The pieces of a string of indefinite length: strings of its type, in one piece each */
static EcertCode
check_pieces(EcertCursor *cursor, EcertCborType type)
{
	Head		head;
	EcertCode	code;

	while ((code = read_head(cursor, &head)) == ECERT_OK && !head.is_break)
	{
		if (head.type != type || head.is_open)
			return ECERT_RESERVED;
		if ((code = check_string(cursor, head.value)) != ECERT_OK)
			break;
	}
	return code;
}

/* What is inside of an array, a map or a tag */
static EcertCode
check_inside(EcertCursor *cursor, const Head *head, unsigned depth)
{
	uint64_t	width = head->type == ECERT_CBOR_MAP ? 2 : 1;
	uint64_t	count = head->type == ECERT_CBOR_TAG ? 1 : head->value;
	EcertCode	code = ECERT_OK;

	if (depth == ECERT_LOOSE_DEPTH)
		return ECERT_BEYOND_LIMITS;
	if (!head->is_open && count > left(cursor) / width)
		return ECERT_TRUNCATED;
	for (uint64_t i = 0; code == ECERT_OK && (head->is_open || i < count * width); i++)
	{
		bool		is_break;

		code = check_item(cursor, depth + 1, &is_break);
		if (code == ECERT_OK && is_break)
			return head->is_open && i % width == 0 ? ECERT_OK : ECERT_RESERVED;
	}
	return code;
}

/* One item with all that is inside of it, or a break */
static EcertCode
check_item(EcertCursor *cursor, unsigned depth, bool *is_break)
{
	Head		head;
	EcertCode	code = read_head(cursor, &head);

	*is_break = code == ECERT_OK && head.is_break;
	if (code != ECERT_OK || *is_break)
		return code;
	switch (head.type)
	{
		case ECERT_CBOR_UINT:
		case ECERT_CBOR_NINT:
		case ECERT_CBOR_SIMPLE:
			return ECERT_OK;
		case ECERT_CBOR_BYTES:
		case ECERT_CBOR_TEXT:
			return head.is_open ? check_pieces(cursor, head.type) : check_string(cursor, head.value);
		case ECERT_CBOR_ARRAY:
		case ECERT_CBOR_MAP:
		case ECERT_CBOR_TAG:
			return check_inside(cursor, &head, depth);
	}
	return ECERT_RESERVED;
}

EcertCode
ecert_loose_check(EcertSlice bytes, EcertError *error)
{
	EcertCursor cursor = ecert_cursor(bytes);
	bool		is_break = false;
	EcertCode	code = check_item(&cursor, 0, &is_break);

	if (code == ECERT_OK && is_break)
		code = ECERT_RESERVED;
	if (code == ECERT_OK && left(&cursor) > 0)
		code = ECERT_TRAILING_BYTES;
	return code == ECERT_OK ? ECERT_OK : ecert_fail(error, code, cursor.offset, NULL);
}

EcertCborType
ecert_loose_type(const EcertCursor *cursor)
{
	return left(cursor) == 0 ? ECERT_CBOR_SIMPLE : (EcertCborType) (cursor->bytes.data[cursor->offset] >> 5);
}

EcertSlice
ecert_loose_skip(EcertCursor *cursor)
{
	size_t		start = cursor->offset;
	bool		is_break;

	/* checked bytes have nothing to refuse; unchecked ones end here */
	if (check_item(cursor, 0, &is_break) != ECERT_OK)
		cursor->offset = cursor->bytes.size;
	return ecert_slice(cursor->bytes.data + start, cursor->offset - start);
}

bool
ecert_loose_uint(EcertCursor *cursor, uint64_t *value)
{
	EcertCursor at = *cursor;
	Head		head;

	if (read_head(&at, &head) != ECERT_OK || head.type != ECERT_CBOR_UINT)
		return false;
	*value = head.value;
	*cursor = at;
	return true;
}

bool
ecert_loose_int(EcertSlice item, int64_t *value)
{
	EcertCursor cursor = ecert_cursor(item);
	Head		head;
	EcertCborHead number;

	if (read_head(&cursor, &head) != ECERT_OK)
		return false;
	number = (EcertCborHead) {head.type, head.value, 0};
	return ecert_cbor_head_int(&number, value) == ECERT_OK;
}

bool
ecert_loose_string(EcertCursor *cursor, EcertCborType type, EcertSlice *content)
{
	EcertCursor at = *cursor;
	Head		head;

	if (read_head(&at, &head) != ECERT_OK || head.type != type || head.is_open || head.value > left(&at))
		return false;
	*content = ecert_slice(at.bytes.data + at.offset, (size_t) head.value);
	at.offset += content->size;
	*cursor = at;
	return true;
}

bool
ecert_loose_enter(EcertCursor *cursor, EcertCborType type, EcertLooseItems *items)
{
	EcertCursor at = *cursor;
	Head		head;

	if (read_head(&at, &head) != ECERT_OK || head.type != type)
		return false;
	*items = (EcertLooseItems) {.left = head.value, .is_open = head.is_open};
	*cursor = at;
	return true;
}

bool
ecert_loose_next(EcertCursor *cursor, EcertLooseItems *items)
{
	if (left(cursor) == 0)
		return false;
	if (items->is_open)
	{
		if (cursor->bytes.data[cursor->offset] != BREAK)
			return true;
		cursor->offset++;
		items->is_open = false;
		items->left = 0;
		return false;
	}
	if (items->left == 0)
		return false;
	items->left--;
	return true;
}
