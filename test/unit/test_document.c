/*
 * test_document.c
 *		What a body is expected to say against what it says: the first
 *		difference, and both sides as PostgreSQL prints jsonb.
 */
#include "check.h"
#include "diag.h"

#include "rules/document.h"
#include "rules/finding.h"
#include "rules/text.h"
#include "test_arena.h"

#define ARENA (&test_arena.memory)

/* {"n": 1.5, "none": null, "list": ["a", {"deep": 7}], "text": "x"} */
static EcertSlice
expected_item(void)
{
	EcertParts	all = ecert_parts_of(ARENA, ECERT_CBOR_MAP);
	EcertParts	list = ecert_parts_of(ARENA, ECERT_CBOR_ARRAY);
	EcertParts	inner = ecert_parts_of(ARENA, ECERT_CBOR_MAP);

	ecert_parts_put(&inner, "deep", ecert_item_int(ARENA, 7));
	ecert_parts_put(&list, NULL, ecert_item_word(ARENA, "a"));
	ecert_parts_put(&list, NULL, ecert_parts_item(&inner));
	ecert_parts_put(&all, "text", ecert_item_word(ARENA, "x"));
	ecert_parts_put(&all, "list", ecert_parts_item(&list));
	ecert_parts_put(&all, "none", ecert_item_number(ARENA, NULL));
	ecert_parts_put(&all, "n", ecert_item_number(ARENA, "1.5"));
	return ecert_parts_item(&all);
}

static const char *
printed(EcertSlice item)
{
	EcertText	text = ecert_text_in(ARENA);

	ecert_text_put_item(&text, item);
	return ecert_text_string(&text);
}

/* A figure with more digits than a decimal has: it differs from everything, is printed as it is, and makes no body */
static void
check_long_number(void)
{
	static uint8_t bytes[DIAG_MAX];
	EcertParts	parts = ecert_parts_of(ARENA, ECERT_CBOR_MAP);
	EcertDifference difference;
	EcertSlice	map;

	ecert_parts_put(&parts, "n", ecert_item_number(ARENA, "12345678901234567890.5"));
	map = ecert_parts_item(&parts);
	ecert_first_difference(map, ecert_slice(bytes, diag_encode("{'n': 1234567890123456789}", bytes)), &difference);
	CHECK(strcmp(difference.path, "n") == 0, "digits that no decimal holds differ from those that one does");
	CHECK(strcmp(printed(difference.expected), "12345678901234567890.5") == 0, "and are printed");
	CHECK(ecert_cbor_check_body(map, NULL) == ECERT_BODY_BYTES, "and make no body");
}

/* What others wrote is shown as it stands, but for what cannot be seen in it or turns it round */
static void
check_shown(void)
{
	EcertFinding finding;
	EcertText	text = ecert_text_in(ARENA);

	ecert_text_put_shown(&text, ecert_slice_text("St\xC3\xA4hl \xE7\x94\xB5\t\xE2\x80\xAE" "x\xFF"));
	CHECK(strcmp(ecert_text_string(&text), "St\xC3\xA4hl \xE7\x94\xB5<U+0009><U+202E>x<U+00FF>") == 0, "a name is shown: %s", ecert_text_string(&text));
	(void) ECERT_FIND(&finding, ECERT_ISSUER_UNKNOWN, ecert_a_word("pl\xE2\x80\x8B" "ant"));
	CHECK(strstr(ecert_finding_problem(&finding, ARENA), "pl<U+200B>ant") != NULL, "and so it is in a finding: %s", ecert_finding_problem(&finding, ARENA));
	CHECK(strstr(ecert_finding_message(&finding, ARENA).message, "\xE2\x80\x8B") == NULL, "and in its message");
}

static void
check_difference(const char *stated, const char *path, const char *expected_text, const char *stated_text)
{
	static uint8_t bytes[DIAG_MAX];
	EcertDifference difference;
	size_t		size = diag_encode(stated, bytes);

	ecert_first_difference(expected_item(), ecert_slice(bytes, size), &difference);
	CHECK(strcmp(difference.path, path) == 0, "%s differs at \"%s\", found \"%s\"", stated, path, difference.path);
	if (*path == '\0' || difference.path[0] == '\0')
		return;
	CHECK(strcmp(printed(difference.expected), expected_text) == 0, "expected %s", expected_text);
	CHECK(strcmp(printed(difference.stated), stated_text) == 0, "stated %s", stated_text);
}

static void
check_printed(const char *notation, const char *text)
{
	static uint8_t bytes[DIAG_MAX];
	const char *found = printed(ecert_slice(bytes, diag_encode(notation, bytes)));

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
	CHECK(strcmp(printed(ecert_slice(odd, sizeof odd)), "\"\\\"\\\\\\n\\t\\r\\b\\f\\u0001\x7F/\"") == 0, "only what must be escaped is");
	check_long_number();
	check_shown();
	test_arena_free();
	return check_done();
}
