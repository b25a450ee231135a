/*
 * test_document.c
 *		What a body is expected to say against what it says: the first
 *		difference, and both sides as PostgreSQL prints jsonb.
 */
#include "check.h"
#include "diag.h"

#include "rules/document.h"
#include "test_arena.h"

#define ARENA (&test_arena.memory)

/* {"n": 1.5, "none": null, "list": ["a", {"deep": 7}], "text": "x"} */
static EcertValue *
expected_value(void)
{
	EcertValue *all = ecert_value(ARENA, ECERT_VALUE_MAP);
	EcertValue *list = ecert_value(ARENA, ECERT_VALUE_ARRAY);
	EcertValue *inner = ecert_value(ARENA, ECERT_VALUE_MAP);

	ecert_value_put(inner, "deep", ecert_value_int(ARENA, 7));
	ecert_value_put(list, NULL, ecert_value_text(ARENA, ecert_slice_text("a")));
	ecert_value_put(list, NULL, inner);
	ecert_value_put(all, "text", ecert_value_text(ARENA, ecert_slice_text("x")));
	ecert_value_put(all, "list", list);
	ecert_value_put(all, "none", ecert_value_number(ARENA, NULL));
	ecert_value_put(all, "n", ecert_value_number(ARENA, "1.5"));
	return all;
}

static const char *
printed(const EcertValue *value, EcertSlice item)
{
	EcertText	text = ecert_text_in(ARENA);

	if (value != NULL)
		ecert_text_put_value(&text, value);
	else
		ecert_text_put_item(&text, item);
	return ecert_text_string(&text);
}

static void
check_difference(const char *stated, const char *path, const char *expected_text, const char *stated_text)
{
	static uint8_t bytes[DIAG_MAX];
	EcertDifference difference;
	size_t		size = diag_encode(stated, bytes);

	ecert_first_difference(expected_value(), ecert_slice(bytes, size), &difference);
	CHECK(strcmp(difference.path, path) == 0, "%s differs at \"%s\", found \"%s\"", stated, path, difference.path);
	if (*path == '\0' || difference.path[0] == '\0')
		return;
	CHECK(strcmp(printed(difference.expected, difference.stated), expected_text) == 0, "expected %s", expected_text);
	CHECK(strcmp(printed(NULL, difference.stated), stated_text) == 0, "stated %s", stated_text);
}

static void
check_printed(const char *notation, const char *text)
{
	static uint8_t bytes[DIAG_MAX];
	const char *found = printed(NULL, ecert_slice(bytes, diag_encode(notation, bytes)));

	CHECK(strcmp(found, text) == 0, "%s is printed as %s, found %s", notation, text, found);
}

int
main(void)
{
	static const uint8_t odd[] = {0x6A, '"', '\\', '\n', '\t', '\r', '\b', '\f', 0x01, 0x7F, '/'};

	check_difference("{'n': 1.5, 'none': null, 'list': ['a', {'deep': 7}], 'text': 'x'}", "", "", "");
	check_difference("{'n': 1.500, 'list': ['a', {'deep': 7.0}], 'text': 'x', 'more': 1}", "", "", "");
	check_difference("{'n': 1.51, 'none': null, 'list': ['a', {'deep': 7}], 'text': 'x'}", "n", "1.5", "1.51");
	check_difference("{'n': '1.5', 'none': null, 'list': ['a', {'deep': 7}], 'text': 'x'}", "n", "1.5", "\"1.5\"");
	check_difference("{'n': 1.5, 'none': 0, 'list': ['a', {'deep': 7}], 'text': 'x'}", "none", "null", "0");
	check_difference("{'n': 1.5, 'none': null, 'list': ['a', {'deep': 8.50}], 'text': 'y'}", "list.1.deep", "7", "8.50");
	check_difference("{'n': 1.5, 'none': null, 'list': ['a', {'deep': 7, 'b': 1}], 'text': 'x'}", "list.1", "{\"deep\": 7}", "{\"b\": 1, \"deep\": 7}");
	check_difference("{'n': 1.5, 'none': null, 'list': ['a'], 'text': 'x'}", "list", "[\"a\", {\"deep\": 7}]", "[\"a\"]");
	check_difference("{'n': 1.5, 'none': null, 'list': {}, 'text': 'x'}", "list", "[\"a\", {\"deep\": 7}]", "{}");
	check_difference("{'n': 1.5, 'none': null, 'list': ['a', {'deep': 7}]}", "text", "\"x\"", "null");
	check_difference("{}", "list", "[\"a\", {\"deep\": 7}]", "null");
	check_printed("{'bb': [], 'a': {}, 'c': [true, false, null, -1, 0.00, 12.50]}", "{\"a\": {}, \"c\": [true, false, null, -1, 0.00, 12.50], \"bb\": []}");
	CHECK(strcmp(printed(NULL, ecert_slice(odd, sizeof odd)), "\"\\\"\\\\\\n\\t\\r\\b\\f\\u0001\x7F/\"") == 0, "only what must be escaped is");
	test_arena_free();
	return check_done();
}
