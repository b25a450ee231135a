/*
 * document.c
 *		Expected and stated documents; see document.h.
 */
#include "rules/document.h"

#include <inttypes.h>
#include <stdio.h>

#include "rules/number.h"

EcertValue *
ecert_value(EcertArena *arena, EcertValueType type)
{
	EcertValue *value = ecert_arena_alloc(arena, sizeof *value);

	value->type = type;
	return value;
}

EcertValue *
ecert_value_text(EcertArena *arena, EcertSlice text)
{
	EcertValue *value = ecert_value(arena, ECERT_VALUE_TEXT);

	value->text = text;
	return value;
}

EcertValue *
ecert_value_number(EcertArena *arena, const char *digits)
{
	EcertValue *value = ecert_value(arena, digits == NULL ? ECERT_VALUE_NULL : ECERT_VALUE_NUMBER);

	if (digits != NULL)
		value->text = ecert_slice_text(digits);
	return value;
}

EcertValue *
ecert_value_int(EcertArena *arena, int64_t number)
{
	char	   *digits = ecert_arena_alloc(arena, 24);

	(void) snprintf(digits, 24, "%" PRId64, number);
	return ecert_value_number(arena, digits);
}

static int
compare_keys(const char *a, const char *b)
{
	size_t		a_size = strlen(a);
	size_t		b_size = strlen(b);

	return a_size != b_size ? (a_size > b_size) - (a_size < b_size) : strcmp(a, b);
}

void
ecert_value_put(EcertValue *parent, const char *key, EcertValue *value)
{
	EcertValue **place = parent->last == NULL ? &parent->first : &parent->last->next;

	if (key != NULL)
	{
		place = &parent->first;
		while (*place != NULL && compare_keys((*place)->key, key) < 0)
			place = &(*place)->next;
	}
	value->key = key;
	value->next = *place;
	*place = value;
	parent->count++;
	if (value->next == NULL)
		parent->last = value;
}

/* The head of an item, and a cursor behind it; null where there is no item */
static EcertCborHead
head_of(EcertSlice item, EcertCursor *cursor)
{
	EcertCborHead head = {ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL, 0};

	*cursor = ecert_cursor(item);
	if (item.size > 0)
		(void) ecert_cbor_head(cursor, &head, NULL);
	return head;
}

static bool
number_differs(EcertSlice digits, EcertSlice item)
{
	char		text[ECERT_DECIMAL_TEXT_MAX];
	char		expected[ECERT_DECIMAL_TEXT_MAX];
	EcertDecimal decimal;

	if (ecert_decimal_read(item, &decimal) != ECERT_OK)
		return true;
	ecert_decimal_digits(decimal, text);
	/* figures come without zeros at the end, a policy's number as the policy has it */
	if (ecert_decimal_parse(digits, &decimal) != ECERT_OK)
		return !ecert_slice_equal(digits, ecert_slice_text(text));
	ecert_decimal_digits(decimal, expected);
	return strcmp(text, expected) != 0;
}

static bool
differs(const EcertValue *expected, EcertSlice item)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);
	EcertSlice	found;

	switch (expected->type)
	{
		case ECERT_VALUE_NULL:
			return head.type != ECERT_CBOR_SIMPLE || head.value != ECERT_CBOR_NULL;
		case ECERT_VALUE_NUMBER:
			return number_differs(expected->text, item);
		case ECERT_VALUE_TEXT:
			return !ecert_cbor_text(item, &found) || !ecert_slice_equal(found, expected->text);
		default:
			break;
	}
	if (head.type != (expected->type == ECERT_VALUE_ARRAY ? ECERT_CBOR_ARRAY : ECERT_CBOR_MAP) || head.value != expected->count)
		return true;
	for (const EcertValue *child = expected->first; child != NULL; child = child->next)
	{
		if (expected->type == ECERT_VALUE_ARRAY)
			found = ecert_cbor_skip(&cursor);
		else if (!ecert_cbor_find(item, child->key, &found))
			return true;
		if (differs(child, found))
			return true;
	}
	return false;
}

static bool find_difference(const EcertValue *expected, EcertSlice item, const char *path, EcertDifference *best);

/* Look for a difference in what is inside; false when there is none, be it that nothing can be compared */
static bool
find_inside(const EcertValue *expected, EcertSlice item, const char *path, EcertDifference *best)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);
	bool		is_array = expected->type == ECERT_VALUE_ARRAY && head.type == ECERT_CBOR_ARRAY && head.value == expected->count;
	size_t		place = 0;
	bool		found = false;

	if (!is_array && (expected->type != ECERT_VALUE_MAP || head.type != ECERT_CBOR_MAP))
		return false;
	for (const EcertValue *child = expected->first; child != NULL; child = child->next, place++)
	{
		char		below[ECERT_PATH_SIZE];
		const char *dot = *path == '\0' ? "" : ".";
		EcertSlice	inside;

		if (is_array)
		{
			inside = ecert_cbor_skip(&cursor);
			(void) snprintf(below, sizeof below, "%s%s%zu", path, dot, place);
		}
		else
		{
			(void) ecert_cbor_find(item, child->key, &inside);
			(void) snprintf(below, sizeof below, "%s%s%s", path, dot, child->key);
		}
		if (find_difference(child, inside, below, best))
			found = true;
	}
	return found;
}

/* Does the item differ; best becomes the first difference in or at it, if that comes before */
static bool
find_difference(const EcertValue *expected, EcertSlice item, const char *path, EcertDifference *best)
{
	if (!differs(expected, item))
		return false;
	if (!find_inside(expected, item, path, best) && (best->path[0] == '\0' || strcmp(path, best->path) < 0))
	{
		(void) snprintf(best->path, sizeof best->path, "%s", path);
		best->expected = expected;
		best->stated = item;
	}
	return true;
}

void
ecert_first_difference(const EcertValue *expected, EcertSlice stated, EcertDifference *difference)
{
	memset(difference, 0, sizeof *difference);
	(void) find_inside(expected, stated, "", difference);
}

EcertValue *
ecert_value_hash(EcertArena *arena, const uint8_t *hash)
{
	EcertText	text = ecert_text_in(arena);

	ecert_text_put_hex(&text, ecert_slice(hash, ECERT_HASH_SIZE));
	return ecert_value_text(arena, ecert_text_slice(&text));
}

EcertValue *
ecert_value_period(EcertArena *arena, EcertPeriod period)
{
	EcertValue *value = ecert_value(arena, ECERT_VALUE_ARRAY);

	ecert_value_put(value, NULL, ecert_value_int(arena, period.start));
	ecert_value_put(value, NULL, ecert_value_int(arena, period.end));
	return value;
}

void
ecert_value_put_all(EcertValue *map, const EcertValue *other, EcertArena *arena)
{
	for (const EcertValue *child = other->first; child != NULL; child = child->next)
	{
		EcertValue *copy;

		if (child->type == ECERT_VALUE_NULL)
			continue;
		copy = ecert_value(arena, child->type);
		*copy = *child;
		copy->next = NULL;
		ecert_value_put(map, child->key, copy);
	}
}

const EcertValue *
ecert_value_at(const EcertValue *map, const char *key)
{
	const EcertValue *child = map->first;

	while (child != NULL && strcmp(child->key, key) != 0)
		child = child->next;
	return child;
}

void
ecert_text_put_value(EcertText *text, const EcertValue *value)
{
	const char *before = "";

	if (value->type == ECERT_VALUE_NULL)
		ecert_text_put_string(text, "null");
	else if (value->type == ECERT_VALUE_NUMBER)
		ecert_text_put(text, value->text);
	else if (value->type == ECERT_VALUE_TEXT)
		ecert_text_put_quoted(text, value->text);
	else
	{
		ecert_text_put_string(text, value->type == ECERT_VALUE_ARRAY ? "[" : "{");
		for (const EcertValue *child = value->first; child != NULL; child = child->next, before = ", ")
		{
			ecert_text_put_string(text, before);
			if (value->type == ECERT_VALUE_MAP)
			{
				ecert_text_put_quoted(text, ecert_slice_text(child->key));
				ecert_text_put_string(text, ": ");
			}
			ecert_text_put_value(text, child);
		}
		ecert_text_put_string(text, value->type == ECERT_VALUE_ARRAY ? "]" : "}");
	}
}

EcertCode
ecert_value_encode(const EcertValue *value, EcertBuffer *out)
{
	EcertDecimal decimal;
	EcertCode	code = ECERT_OK;

	if (value->type == ECERT_VALUE_NULL)
		ecert_cbor_put_head(out, ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL);
	else if (value->type == ECERT_VALUE_TEXT)
		ecert_cbor_put_text(out, value->text);
	else if (value->type == ECERT_VALUE_NUMBER)
	{
		code = ecert_decimal_parse(value->text, &decimal);
		if (code == ECERT_OK)
			ecert_decimal_put(out, decimal);
	}
	else
	{
		ecert_cbor_put_head(out, value->type == ECERT_VALUE_ARRAY ? ECERT_CBOR_ARRAY : ECERT_CBOR_MAP, value->count);
		for (const EcertValue *child = value->first; child != NULL && code == ECERT_OK; child = child->next)
		{
			if (value->type == ECERT_VALUE_MAP)
				ecert_cbor_put_text(out, ecert_slice_text(child->key));
			code = ecert_value_encode(child, out);
		}
	}
	return code;
}
