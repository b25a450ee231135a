/*
 * document.c
 *		Expected and stated documents; see document.h.
 */
#include "verifier/document.h"

#include <inttypes.h>

#include "verifier/number.h"

Value *
value_new(Arena *arena, ValueType type)
{
	Value	   *value = arena_alloc(arena, sizeof *value);

	value->type = type;
	return value;
}

Value *
value_text(Arena *arena, EcertSlice text)
{
	Value	   *value = value_new(arena, VALUE_TEXT);

	value->text = text;
	return value;
}

Value *
value_number(Arena *arena, const char *digits)
{
	Value	   *value = value_new(arena, digits == NULL ? VALUE_NULL : VALUE_NUMBER);

	if (digits != NULL)
		value->text = ecert_slice_text(digits);
	return value;
}

Value *
value_int(Arena *arena, int64_t number)
{
	char	   *digits = arena_alloc(arena, 24);

	(void) snprintf(digits, 24, "%" PRId64, number);
	return value_number(arena, digits);
}

static int
compare_keys(const char *a, const char *b)
{
	size_t		a_size = strlen(a);
	size_t		b_size = strlen(b);

	return a_size != b_size ? (a_size > b_size) - (a_size < b_size) : strcmp(a, b);
}

void
value_put(Value *parent, const char *key, Value *value)
{
	Value	  **place = key == NULL && parent->last != NULL ? &parent->last->next : &parent->first;

	while (*place != NULL && compare_keys((*place)->key, key) < 0)
		place = &(*place)->next;
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
	decimal_digits(decimal, text);
	/* figures come without zeros at the end, a policy's number as the policy has it */
	if (ecert_decimal_parse(digits, &decimal) != ECERT_OK)
		return !ecert_slice_equal(digits, ecert_slice_text(text));
	decimal_digits(decimal, expected);
	return strcmp(text, expected) != 0;
}

static bool
differs(const Value *expected, EcertSlice item)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);
	EcertSlice	found;

	switch (expected->type)
	{
		case VALUE_NULL:
			return head.type != ECERT_CBOR_SIMPLE || head.value != ECERT_CBOR_NULL;
		case VALUE_NUMBER:
			return number_differs(expected->text, item);
		case VALUE_TEXT:
			return !ecert_cbor_text(item, &found) || !ecert_slice_equal(found, expected->text);
		default:
			break;
	}
	if (head.type != (expected->type == VALUE_ARRAY ? ECERT_CBOR_ARRAY : ECERT_CBOR_MAP) || head.value != expected->count)
		return true;
	for (const Value *child = expected->first; child != NULL; child = child->next)
	{
		if (expected->type == VALUE_ARRAY)
			found = ecert_cbor_skip(&cursor);
		else if (!ecert_cbor_find(item, child->key, &found))
			return true;
		if (differs(child, found))
			return true;
	}
	return false;
}

static bool find_difference(const Value *expected, EcertSlice item, const char *path, Difference *best);

/* Look for a difference in what is inside; false when there is none, be it that nothing can be compared */
static bool
find_inside(const Value *expected, EcertSlice item, const char *path, Difference *best)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);
	bool		is_array = expected->type == VALUE_ARRAY && head.type == ECERT_CBOR_ARRAY && head.value == expected->count;
	size_t		place = 0;
	bool		found = false;

	if (!is_array && (expected->type != VALUE_MAP || head.type != ECERT_CBOR_MAP))
		return false;
	for (const Value *child = expected->first; child != NULL; child = child->next, place++)
	{
		char		below[PATH_MAX_SIZE];
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
find_difference(const Value *expected, EcertSlice item, const char *path, Difference *best)
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
first_difference(const Value *expected, EcertSlice stated, Difference *difference)
{
	memset(difference, 0, sizeof *difference);
	(void) find_inside(expected, stated, "", difference);
}

/* As jsonb is printed: only what must be is escaped */
static void
print_text(FILE *out, EcertSlice text)
{
	static const char escaped[] = "\"\\\b\f\n\r\t";
	static const char letters[] = "\"\\bfnrt";

	putc('"', out);
	for (size_t i = 0; i < text.size; i++)
	{
		const char *place = text.data[i] == 0 ? NULL : strchr(escaped, text.data[i]);

		if (place != NULL)
			fprintf(out, "\\%c", letters[place - escaped]);
		else if (text.data[i] < ' ')
			fprintf(out, "\\u%04x", text.data[i]);
		else
			putc(text.data[i], out);
	}
	putc('"', out);
}

void
print_value(FILE *out, const Value *value)
{
	const char *before = "";

	if (value->type == VALUE_NULL)
		fputs("null", out);
	else if (value->type == VALUE_NUMBER)
		fwrite(value->text.data, 1, value->text.size, out);
	else if (value->type == VALUE_TEXT)
		print_text(out, value->text);
	else
	{
		putc(value->type == VALUE_ARRAY ? '[' : '{', out);
		for (const Value *child = value->first; child != NULL; child = child->next, before = ", ")
		{
			fputs(before, out);
			if (value->type == VALUE_MAP)
				fprintf(out, "\"%s\": ", child->key);
			print_value(out, child);
		}
		putc(value->type == VALUE_ARRAY ? ']' : '}', out);
	}
}

static void
print_scalar(FILE *out, EcertSlice item, const EcertCborHead *head, EcertCursor *inside)
{
	char		digits[ECERT_DECIMAL_TEXT_MAX];
	EcertDecimal decimal;

	if (head->type == ECERT_CBOR_TEXT)
		print_text(out, ecert_cbor_content(inside, head));
	else if (head->type == ECERT_CBOR_SIMPLE)
		fputs(head->value == ECERT_CBOR_NULL ? "null" : head->value == ECERT_CBOR_TRUE ? "true" : "false", out);
	else if (ecert_decimal_read(item, &decimal) == ECERT_OK)
	{
		(void) ecert_decimal_text(decimal, digits);
		fputs(digits, out);
	}
}

void
print_item(FILE *out, EcertSlice item)
{
	EcertCursor inside;
	EcertCborHead head = head_of(item, &inside);
	bool		is_map = head.type == ECERT_CBOR_MAP;

	if (!is_map && head.type != ECERT_CBOR_ARRAY)
	{
		print_scalar(out, item, &head, &inside);
		return;
	}
	putc(is_map ? '{' : '[', out);
	for (uint64_t i = 0; i < head.value; i++)
	{
		fputs(i == 0 ? "" : ", ", out);
		if (is_map)
		{
			print_item(out, ecert_cbor_skip(&inside));
			fputs(": ", out);
		}
		print_item(out, ecert_cbor_skip(&inside));
	}
	putc(is_map ? '}' : ']', out);
}
