/*
 * test_cbor.c
 *		The strict CBOR reader and writer: published examples, malformed input
 *		of every sort with its code and offset, and agreement with a second
 *		reader on every short input.
 */
#include "check.h"
#include "diag.h"
#include "reference.h"
#include "vectors_cbor.h"

#include "core/cbor.h"

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

static uint8_t input[DIAG_MAX];
static uint8_t output[DIAG_MAX];

static EcertSlice
bytes_of_hex(const char *hex)
{
	return ecert_slice(input, diag_unhex(hex, input));
}

static EcertSlice
bytes_of_diag(const char *text)
{
	return ecert_slice(input, diag_encode(text, input));
}

/* Code and offset of a refusal; field must stay unset at this level */
static void
check_refusal(EcertSlice bytes, bool body, EcertCode code, size_t offset, const char *name)
{
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	found = body ? ecert_cbor_check_body(bytes, &error) : ecert_cbor_check(bytes, &error);

	if (!CHECK(found == code && (code == ECERT_OK || (error.code == code && error.offset == offset && error.field == NULL)),
			   "%s: %s at %zu", name, ecert_error_text(code), offset))
		printf("# found \"%s\" at %zu\n", ecert_error_text(found), error.offset);
}

/* Read checked bytes head by head and write them again */
static size_t
rewrite(EcertSlice bytes)
{
	EcertBuffer out = ecert_buffer(output, sizeof output);
	EcertCursor cursor = ecert_cursor(bytes);
	EcertCborHead head;
	int64_t		number;

	while (cursor.offset < bytes.size && ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK)
	{
		EcertSlice	rest = ecert_slice(bytes.data + head.offset, bytes.size - head.offset);

		if (head.type == ECERT_CBOR_TEXT)
			ecert_cbor_put_text(&out, ecert_cbor_content(&cursor, &head));
		else if (head.type == ECERT_CBOR_BYTES)
			ecert_cbor_put_bytes(&out, ecert_cbor_content(&cursor, &head));
		else if (head.type <= ECERT_CBOR_NINT && ecert_cbor_int(rest, &number) == ECERT_OK)
			ecert_cbor_put_int(&out, number);
		else
			ecert_cbor_put_head(&out, head.type, head.value);
	}
	return out.size;
}

static void
test_appendix_a(void)
{
	size_t		accepted = 0;

	for (size_t i = 0; i < COUNT(rfc8949_vectors); i++)
	{
		const CborVector *vector = &rfc8949_vectors[i];
		EcertSlice	bytes = bytes_of_hex(vector->hex);
		EcertCursor cursor = ecert_cursor(bytes);

		check_refusal(bytes, false, vector->code, vector->offset, vector->hex);
		if (vector->code != ECERT_OK)
			continue;
		accepted++;
		CHECK(rewrite(bytes) == bytes.size && memcmp(output, bytes.data, bytes.size) == 0,
			  "%s: the writers give the same bytes", vector->hex);
		CHECK(ecert_slice_equal(ecert_cbor_skip(&cursor), bytes), "%s: skipped as one item", vector->hex);
		if (vector->diagnostic != NULL)
			CHECK(diag_encode(vector->diagnostic, output) == bytes.size &&
				  memcmp(output, bytes.data, bytes.size) == 0, "%s: is %s", vector->hex, vector->diagnostic);
	}
	CHECK_INT(COUNT(rfc8949_vectors), 82, "RFC 8949 appendix A: 82 examples");
	CHECK_INT(accepted, 37, "RFC 8949 appendix A: 37 are in the profile");
}

typedef struct Malformed
{
	const char *name;
	const char *hex;
	EcertCode	code;
	size_t		offset;
} Malformed;

static const Malformed malformed[] = {
	{"nothing", "", ECERT_TRUNCATED, 0},

	{"bytes after the item", "0000", ECERT_TRAILING_BYTES, 1},
	{"bytes after an array", "8100f6", ECERT_TRAILING_BYTES, 2},
	{"bytes after an empty map", "a000", ECERT_TRAILING_BYTES, 1},
	{"bytes after a decimal", "c4822018960000", ECERT_TRAILING_BYTES, 5},
	{"bytes after a tagged item", "d2800000", ECERT_TRAILING_BYTES, 2},

	{"not shortest inside an array", "82001817", ECERT_NOT_SHORTEST, 2},
	{"not shortest map count", "b800", ECERT_NOT_SHORTEST, 0},
	{"not shortest text size", "781761", ECERT_NOT_SHORTEST, 0},
	{"not shortest key", "a1180000", ECERT_NOT_SHORTEST, 1},
	{"not shortest exponent", "c48218000a", ECERT_NOT_SHORTEST, 2},
	{"not shortest mantissa", "c482201900ff", ECERT_NOT_SHORTEST, 3},
	{"not shortest tag", "d80480", ECERT_NOT_SHORTEST, 0},

	{"indefinite bytes", "5fff", ECERT_INDEFINITE, 0},
	{"indefinite text", "7fff", ECERT_INDEFINITE, 0},
	{"indefinite array", "9fff", ECERT_INDEFINITE, 0},
	{"indefinite map", "bfff", ECERT_INDEFINITE, 0},
	{"indefinite map as a value", "a100bfff", ECERT_INDEFINITE, 2},
	{"break alone", "ff", ECERT_INDEFINITE, 0},
	{"break in an array", "8100ff", ECERT_TRAILING_BYTES, 2},
	{"break as an item", "81ff", ECERT_INDEFINITE, 1},
	{"indefinite decimal", "c49f2000ff", ECERT_INDEFINITE, 1},

	{"keys backwards", "a202000100", ECERT_KEY_ORDER, 3},
	{"integer key twice", "a201000100", ECERT_KEY_ORDER, 3},
	{"text key twice", "a2616100616101", ECERT_KEY_ORDER, 4},
	{"text keys backwards", "a2616200616100", ECERT_KEY_ORDER, 4},
	{"longer text key first", "a262616100616200", ECERT_KEY_ORDER, 5},
	{"negative key before positive", "a220000100", ECERT_KEY_ORDER, 3},
	{"text key before integer key", "a26161000100", ECERT_KEY_ORDER, 4},
	{"RFC 7049's order of -1 and 100", "a220001864f6", ECERT_KEY_ORDER, 3},
	{"third key out of order", "a3010003000200", ECERT_KEY_ORDER, 5},
	{"array keys backwards", "a28101008100f6", ECERT_KEY_ORDER, 4},
	{"array key twice", "a2810000810000", ECERT_KEY_ORDER, 4},
	{"empty map key twice", "a2a000a000", ECERT_KEY_ORDER, 3},
	{"keys of an inner map backwards", "a101a202000100", ECERT_KEY_ORDER, 5},
	{"keys of a map that is a key backwards", "a1a20200010000", ECERT_KEY_ORDER, 4},

	{"UTF-8: continuation alone", "6180", ECERT_BAD_UTF8, 1},
	{"UTF-8: last continuation alone", "61bf", ECERT_BAD_UTF8, 1},
	{"UTF-8: two bytes cut", "61c3", ECERT_BAD_UTF8, 1},
	{"UTF-8: three bytes cut", "62e6b0", ECERT_BAD_UTF8, 1},
	{"UTF-8: four bytes cut", "63f09085", ECERT_BAD_UTF8, 1},
	{"UTF-8: second byte is ASCII", "62c341", ECERT_BAD_UTF8, 1},
	{"UTF-8: third byte is a lead", "63e6b0c3", ECERT_BAD_UTF8, 1},
	{"UTF-8: overlong NUL", "62c080", ECERT_BAD_UTF8, 1},
	{"UTF-8: overlong slash of two", "62c0af", ECERT_BAD_UTF8, 1},
	{"UTF-8: overlong U+007F", "62c1bf", ECERT_BAD_UTF8, 1},
	{"UTF-8: overlong slash of three", "63e080af", ECERT_BAD_UTF8, 1},
	{"UTF-8: overlong U+07FF", "63e09fbf", ECERT_BAD_UTF8, 1},
	{"UTF-8: overlong slash of four", "64f08080af", ECERT_BAD_UTF8, 1},
	{"UTF-8: overlong U+FFFF", "64f08fbfbf", ECERT_BAD_UTF8, 1},
	{"UTF-8: U+D800", "63eda080", ECERT_BAD_UTF8, 1},
	{"UTF-8: U+DFFF", "63edbfbf", ECERT_BAD_UTF8, 1},
	{"UTF-8: surrogate pair", "66eda081edb080", ECERT_BAD_UTF8, 1},
	{"UTF-8: U+110000", "64f4908080", ECERT_BAD_UTF8, 1},
	{"UTF-8: U+1FFFFF", "64f7bfbfbf", ECERT_BAD_UTF8, 1},
	{"UTF-8: five bytes", "65f888808080", ECERT_BAD_UTF8, 1},
	{"UTF-8: six bytes", "66fc8480808080", ECERT_BAD_UTF8, 1},
	{"UTF-8: FE", "61fe", ECERT_BAD_UTF8, 1},
	{"UTF-8: FF", "61ff", ECERT_BAD_UTF8, 1},
	{"UTF-8: after good text", "656162c3bcff", ECERT_BAD_UTF8, 5},
	{"UTF-8: character over the end of its text", "8261c361bc", ECERT_BAD_UTF8, 2},
	{"UTF-8: in a key", "a161ff00", ECERT_BAD_UTF8, 2},

	{"half float", "f93c00", ECERT_FLOAT, 0},
	{"single float", "fa47c35000", ECERT_FLOAT, 0},
	{"double float", "fb3ff199999999999a", ECERT_FLOAT, 0},
	{"half float cut", "f9", ECERT_FLOAT, 0},
	{"float in an array", "8200f97e00", ECERT_FLOAT, 2},
	{"float as a key", "a1f93c0000", ECERT_FLOAT, 1},
	{"float mantissa", "c48220f93c00", ECERT_FLOAT, 3},
	{"undefined", "f7", ECERT_SIMPLE, 0},
	{"undefined in an array", "81f7", ECERT_SIMPLE, 1},
	{"simple value of two bytes, cut", "f8", ECERT_SIMPLE, 0},

	{"tag 0", "c000", ECERT_BAD_TAG, 0},
	{"tag 2, bignum", "c24101", ECERT_BAD_TAG, 0},
	{"tag 3, bignum", "c34101", ECERT_BAD_TAG, 0},
	{"tag 5, bigfloat", "c5822001", ECERT_BAD_TAG, 0},
	{"tag 17", "d184", ECERT_BAD_TAG, 0},
	{"tag 24, embedded CBOR", "d8184100", ECERT_BAD_TAG, 0},
	{"tag 55799, self-described", "d9d9f700", ECERT_BAD_TAG, 0},
	{"tag 2^64-1", "dbffffffffffffffff00", ECERT_BAD_TAG, 0},
	{"tag 18 inside an array", "81d200", ECERT_BAD_TAG, 1},
	{"tag 18 twice", "d2d200", ECERT_BAD_TAG, 1},
	{"tag 18 as a value", "a100d200", ECERT_BAD_TAG, 2},
	{"tag 18 as a key", "a1d20000", ECERT_BAD_TAG, 1},
	{"tag 4 round tag 18", "c4d200", ECERT_BAD_DECIMAL, 0},

	{"decimal of nothing", "c4", ECERT_TRUNCATED, 1},
	{"decimal of an integer", "c400", ECERT_BAD_DECIMAL, 0},
	{"decimal of text", "c462612e", ECERT_BAD_DECIMAL, 0},
	{"decimal of a map", "c4a12000", ECERT_BAD_DECIMAL, 0},
	{"decimal of an empty array", "c480", ECERT_BAD_DECIMAL, 0},
	{"decimal of one", "c48120", ECERT_BAD_DECIMAL, 0},
	{"decimal of three", "c483200000", ECERT_BAD_DECIMAL, 0},
	{"exponent 19", "c4821300", ECERT_BAD_DECIMAL, 0},
	{"exponent -19", "c4823200", ECERT_BAD_DECIMAL, 0},
	{"exponent 2^64-1", "c4821bffffffffffffffff00", ECERT_BAD_DECIMAL, 0},
	{"exponent -2^64", "c4823bffffffffffffffff00", ECERT_BAD_DECIMAL, 0},
	{"exponent text", "c482613000", ECERT_BAD_DECIMAL, 0},
	{"exponent text that holds bad heads", "c48261ff00", ECERT_BAD_DECIMAL, 0},
	{"exponent null", "c482f600", ECERT_BAD_DECIMAL, 0},
	{"exponent a decimal", "c482c4822000", ECERT_BAD_DECIMAL, 0},
	{"mantissa 2^63", "c482201b8000000000000000", ECERT_BAD_DECIMAL, 0},
	{"mantissa -2^63-1", "c482203b8000000000000000", ECERT_BAD_DECIMAL, 0},
	{"mantissa bignum", "c48220c24101", ECERT_BAD_DECIMAL, 0},
	{"mantissa bytes", "c482204101", ECERT_BAD_DECIMAL, 0},
	{"mantissa text", "c482206130", ECERT_BAD_DECIMAL, 0},
	{"mantissa true", "c48220f5", ECERT_BAD_DECIMAL, 0},
	{"mantissa an array", "c4822080", ECERT_BAD_DECIMAL, 0},
	{"exponent 0", "c4820005", ECERT_DECIMAL_FORM, 0},
	{"exponent 0 and zero", "c4820000", ECERT_DECIMAL_FORM, 0},
	{"exponent 1", "c4820105", ECERT_DECIMAL_FORM, 0},
	{"exponent 18 and zero", "c4821200", ECERT_DECIMAL_FORM, 0},
	{"9 * 10^18, which 64 bits hold", "c4821209", ECERT_DECIMAL_FORM, 0},
	{"2^63 - 8 as 922337203685477580 * 10^1", "c482011b0ccccccccccccccc", ECERT_DECIMAL_FORM, 0},
	{"-2^63 + 8 as -922337203685477580 * 10^1", "c482013b0ccccccccccccccb", ECERT_DECIMAL_FORM, 0},
	{"10 * 10^17, a zero that belongs into the exponent", "c482110a", ECERT_DECIMAL_FORM, 0},
	{"2^62 * 10 * 10^17", "c482111b22b1c8c1227a0000", ECERT_DECIMAL_FORM, 0},
	{"decimal in an array", "8200c4821300", ECERT_BAD_DECIMAL, 2},

	{"text of 2^64-1", "7bffffffffffffffff", ECERT_TRUNCATED, 0},
	{"text of 2^63", "7b8000000000000000", ECERT_TRUNCATED, 0},
	{"bytes of 2^64-1", "5bffffffffffffffff00", ECERT_TRUNCATED, 0},
	{"bytes of 2^32", "5b0000000100000000", ECERT_TRUNCATED, 0},
	{"array of 2^64-1", "9bffffffffffffffff00", ECERT_TRUNCATED, 0},
	{"array of 2^32", "9b0000000100000000", ECERT_TRUNCATED, 0},
	{"map of 2^64-1", "bbffffffffffffffff00", ECERT_TRUNCATED, 0},
	{"map of 2^63, twice which is 0", "bb80000000000000000000", ECERT_TRUNCATED, 0},
	{"map of 2^63+1, twice which is 2", "bb80000000000000010000", ECERT_TRUNCATED, 0},
	{"inner text over the end", "82006261", ECERT_TRUNCATED, 2},
	{"array of more items than bytes", "8300", ECERT_TRUNCATED, 0},
	{"map without a value", "a100", ECERT_TRUNCATED, 0},
	{"map of more pairs than bytes", "a2000000", ECERT_TRUNCATED, 0},
};

static void
test_malformed(void)
{
	for (size_t i = 0; i < COUNT(malformed); i++)
		check_refusal(bytes_of_hex(malformed[i].hex), false, malformed[i].code, malformed[i].offset,
					  malformed[i].name);
}

/* Each width of argument with the greatest value that a shorter one holds */
static void
test_not_shortest(void)
{
	static const uint64_t below[4] = {23, 0xFF, 0xFFFF, UINT64_C(0xFFFFFFFF)};

	for (unsigned type = 0; type <= ECERT_CBOR_TAG; type++)
	{
		for (unsigned width = 0; width < 4; width++)
		{
			size_t		size = (size_t) 1 << width;
			EcertError	error;
			bool		all = true;

			/* from 0 up to the limit: the first, the last, and one between */
			for (unsigned step = 0; step < 3; step++)
			{
				uint64_t	value = below[width] / 2 * step + (step == 2 ? 1 : 0);

				memset(input, 0, 64);
				input[0] = (uint8_t) (type << 5 | (24 + width));
				for (size_t i = 0; i < size; i++)
					input[1 + i] = (uint8_t) (value >> (8 * (size - 1 - i)));
				all = all && ecert_cbor_check(ecert_slice(input, 64), &error) == ECERT_NOT_SHORTEST &&
					error.offset == 0;
			}
			CHECK(all, "type %u, argument of %zu bytes that fits fewer: not shortest", type, size);
		}
	}
}

static void
test_reserved(void)
{
	EcertError	error;

	for (unsigned type = 0; type <= ECERT_CBOR_SIMPLE; type++)
	{
		for (unsigned info = 28; info <= 31; info++)
		{
			bool		indefinite = info == 31 && type >= ECERT_CBOR_BYTES && type != ECERT_CBOR_TAG;

			memset(input, 0, 16);
			input[0] = 0x81;
			input[1] = (uint8_t) (type << 5 | info);
			CHECK(ecert_cbor_check(ecert_slice(input, 16), &error) ==
				  (indefinite ? ECERT_INDEFINITE : ECERT_RESERVED) && error.offset == 1,
				  "type %u, additional information %u: %s", type, info, indefinite ? "indefinite" : "reserved");
		}
	}
}

static void
test_simple(void)
{
	size_t		refused = 0;
	EcertError	error;

	for (unsigned value = 0; value < 24; value++)
	{
		input[0] = (uint8_t) (7 << 5 | value);
		if (ecert_cbor_check(ecert_slice(input, 1), &error) == ECERT_SIMPLE && error.offset == 0)
			refused++;
	}
	CHECK_INT(refused, 21, "of the simple values 0..23 all but false, true and null are refused");
	refused = 0;
	for (unsigned value = 0; value < 256; value++)
	{
		input[0] = 0xF8;
		input[1] = (uint8_t) value;
		if (ecert_cbor_check(ecert_slice(input, 2), &error) == ECERT_SIMPLE && error.offset == 0)
			refused++;
	}
	CHECK_INT(refused, 256, "simple values of two bytes are all refused");
}

/* depth openings of one sort, then inside */
static EcertSlice
nested(uint8_t opening, size_t depth, const char *inside_hex)
{
	size_t		at = 0;

	for (size_t i = 0; i < depth; i++)
	{
		input[at++] = opening;
		if (opening == 0xA1)
			input[at++] = 0x00;
	}
	return ecert_slice(input, at + diag_unhex(inside_hex, input + at));
}

static void
test_depth(void)
{
	EcertSlice	bytes;

	check_refusal(nested(0x81, 16, "00"), false, ECERT_OK, 0, "16 arrays");
	check_refusal(nested(0x81, 17, "00"), false, ECERT_TOO_DEEP, 16, "17 arrays");
	check_refusal(nested(0x81, 15, "80"), false, ECERT_OK, 0, "16 arrays, the last empty");
	check_refusal(nested(0x81, 16, "80"), false, ECERT_TOO_DEEP, 16, "17 arrays, the last empty");
	check_refusal(nested(0xA1, 16, "00"), false, ECERT_OK, 0, "16 maps");
	check_refusal(nested(0xA1, 17, "00"), false, ECERT_TOO_DEEP, 32, "17 maps");
	check_refusal(nested(0xA1, 16, "a0"), false, ECERT_TOO_DEEP, 32, "17 maps, the last empty");
	check_refusal(nested(0x81, 14, "c4822001"), false, ECERT_OK, 0, "a decimal in 14 arrays: tag and array are two more");
	check_refusal(nested(0x81, 15, "c4822001"), false, ECERT_TOO_DEEP, 15, "a decimal in 15 arrays");
	check_refusal(nested(0x81, 60000, "00"), false, ECERT_TOO_DEEP, 16, "60000 arrays");

	/* tag 18 is one level */
	memmove(input + 1, nested(0x81, 15, "00").data, 16);
	input[0] = 0xD2;
	bytes = ecert_slice(input, 17);
	check_refusal(bytes, false, ECERT_OK, 0, "tag 18 and 15 arrays");
	memmove(input + 1, nested(0x81, 16, "00").data, 17);
	input[0] = 0xD2;
	bytes = ecert_slice(input, 18);
	check_refusal(bytes, false, ECERT_TOO_DEEP, 16, "tag 18 and 16 arrays");

	/* depth is given back */
	check_refusal(bytes_of_diag("[[[[[[[[1]]]]]]], [[[[[[[[[[[[[[[2]]]]]]]]]]]]]]], {1: [[[[[[[[[[[[[[3]]]]]]]]]]]]]]}]"),
				  false, ECERT_OK, 0, "siblings to the full depth");
}

/* Every prefix of a good item is cut short, and says so at a byte that it has or just behind */
static void
test_prefixes(void)
{
	static const char *const items[] = {
		"18446744073709551615",
		"'\xE6\xB0\xB4 \xF0\x90\x85\x91 and text of more than twenty-four bytes'",
		"h'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'",
		"-12345678.90",
		"[1, [2, {3: 4}], 'five', 6.0, [], {}, null]",
		"{'period': [1, 2], 'lines': [{'source': 's', 'unit': 'kWh', 'quantity': 1.50}], 'more': {'a': [true, false]}}",
		"18([<<{1: -8, 4: h'00112233'}>>, {}, <<{'a': 1}>>, h'ffee'])"
	};

	for (size_t i = 0; i < COUNT(items); i++)
	{
		EcertSlice	bytes = bytes_of_diag(items[i]);
		size_t		good = 0;

		check_refusal(bytes, false, ECERT_OK, 0, items[i]);
		for (size_t size = 0; size < bytes.size; size++)
		{
			/* an exact allocation, so that a sanitizer sees a read behind it */
			uint8_t    *copy = malloc(size);
			EcertError	error;

			memcpy(copy, bytes.data, size);
			if (ecert_cbor_check(ecert_slice(copy, size), &error) == ECERT_TRUNCATED && error.offset <= size)
				good++;
			free(copy);
		}
		CHECK_INT(good, bytes.size, "each of its %zu prefixes is refused as truncated", bytes.size);
	}
}

static const Malformed bad_bodies[] = {
	{"no bytes", "", ECERT_BODY_NOT_MAP, 0},
	{"array", "80", ECERT_BODY_NOT_MAP, 0},
	{"text", "6161", ECERT_BODY_NOT_MAP, 0},
	{"tagged map", "d2a0", ECERT_BODY_NOT_MAP, 0},
	{"decimal", "c4822001", ECERT_BODY_NOT_MAP, 0},
	{"null", "f6", ECERT_BODY_NOT_MAP, 0},
	{"byte string as a value", "a1616141ff", ECERT_BODY_BYTES, 3},
	{"empty byte string", "a1616140", ECERT_BODY_BYTES, 3},
	{"byte string deep inside", "a16161818140", ECERT_BODY_BYTES, 5},
	{"byte string over the end", "a161615bffffffffffffffff", ECERT_BODY_BYTES, 3},
	{"hidden element", "a1616181d83c582000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", ECERT_HIDDEN_ELEMENT, 4},
	{"hidden element behind another", "a161618201d83c582000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", ECERT_HIDDEN_ELEMENT, 5},
	{"hidden element cut short", "a1616181d83c582000112233445566778899aabbccddeeff00112233445566778899aabbccddee", ECERT_BAD_TAG, 4},
	{"hidden value of a map", "a16161d83c582000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", ECERT_BAD_TAG, 3},
	{"integer key", "a10000", ECERT_BODY_TYPE, 1},
	{"negative key", "a12000", ECERT_BODY_TYPE, 1},
	{"null key", "a1f600", ECERT_BODY_TYPE, 1},
	{"byte string key", "a1416100", ECERT_BODY_TYPE, 1},
	{"array key", "a18000", ECERT_BODY_TYPE, 1},
	{"decimal key", "a1c482200100", ECERT_BODY_TYPE, 1},
	{"integer key in an inner map", "a16161a10000", ECERT_BODY_TYPE, 4},
	{"integer as second key", "a26161000100", ECERT_BODY_TYPE, 4},
	{"tag 18 as a value", "a16161d200", ECERT_BAD_TAG, 3},
	{"tag 2 as a value", "a16161c24101", ECERT_BAD_TAG, 3},
	{"U+0000, which jsonb cannot hold", "a16161626100", ECERT_ZERO_CHARACTER, 3},
	{"U+0000 in a key", "a1610000", ECERT_ZERO_CHARACTER, 1},
	{"2^63", "a161611b8000000000000000", ECERT_INTEGER_SIZE, 3},
	{"-2^63 - 1", "a161613b8000000000000000", ECERT_INTEGER_SIZE, 3},
	{"2^63 among numbers in a row", "a1616183011b800000000000000002", ECERT_INTEGER_SIZE, 5},
	{"key twice", "a2616100616100", ECERT_KEY_ORDER, 4},
	{"float", "a16161f93c00", ECERT_FLOAT, 3},
	{"bad UTF-8", "a1616161ff", ECERT_BAD_UTF8, 4},
	{"bytes behind it", "a000", ECERT_TRAILING_BYTES, 1},
	{"two maps", "a0a0", ECERT_TRAILING_BYTES, 1},
	{"cut", "a16161", ECERT_TRUNCATED, 3},
};

static void
test_body_profile(void)
{
	check_refusal(bytes_of_diag("{}"), true, ECERT_OK, 0, "body: empty map");
	check_refusal(bytes_of_diag("{'a': [1, -1, 1.50, 'text', true, false, null, {'b': {}}, []], '': 9223372036854775807, 'z': -9223372036854775808}"),
				  true, ECERT_OK, 0, "body: the whole data model");
	for (size_t i = 0; i < COUNT(bad_bodies); i++)
	{
		char	   *name = diag_format("body: %s", bad_bodies[i].name);

		check_refusal(bytes_of_hex(bad_bodies[i].hex), true, bad_bodies[i].code, bad_bodies[i].offset, name);
		free(name);
	}
	check_refusal(bytes_of_hex("626100"), false, ECERT_OK, 0, "U+0000 in text that is not a body's");
}

/* All inputs of up to three bytes, and both profiles: the same answer as the second reader */
static void
test_every_short_input(void)
{
	size_t		differences = 0;
	size_t		accepted = 0;
	size_t		size;

	for (size = 0; size <= 3; size++)
	{
		for (uint32_t number = 0; number < UINT32_C(1) << (8 * size); number++)
		{
			bool		good;

			for (size_t i = 0; i < size; i++)
				output[i] = (uint8_t) (number >> (8 * i));
			good = ecert_cbor_check(ecert_slice(output, size), NULL) == ECERT_OK;
			accepted += good;
			differences += good != reference_check(output, size, false);
			if (size > 0 && output[0] >> 5 == 5)
				differences += (ecert_cbor_check_body(ecert_slice(output, size), NULL) == ECERT_OK) !=
					reference_check(output, size, true);
		}
	}
	CHECK_INT(differences, 0, "16843009 inputs of 0 to 3 bytes: both readers agree (%zu accepted)", accepted);
}

static void
test_utf8(void)
{
	size_t		accepted = 0;
	size_t		bad;
	uint8_t		text[4];
	static const uint8_t third[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};

	for (uint32_t number = 0; number < 0x10000; number++)
	{
		text[0] = (uint8_t) (number >> 8);
		text[1] = (uint8_t) number;
		accepted += ecert_utf8_valid(ecert_slice(text, 2), &bad);
	}
	CHECK_INT(accepted, 128 * 128 + 1920, "UTF-8: of two bytes, 128 * 128 + 1920 sequences are valid");
	accepted = 0;
	for (uint32_t number = 0; number < 0x1000000; number++)
	{
		text[0] = (uint8_t) (number >> 16);
		text[1] = (uint8_t) (number >> 8);
		text[2] = (uint8_t) number;
		accepted += ecert_utf8_valid(ecert_slice(text, 3), &bad);
	}
	CHECK_INT(accepted, 128 * 128 * 128 + 2 * 128 * 1920 + 61440, "UTF-8: of three bytes, 2650112 sequences are valid");
	accepted = 0;
	for (uint32_t number = 0xF000; number < 0x10000; number++)
	{
		text[0] = (uint8_t) (number >> 8);
		text[1] = (uint8_t) number;
		for (size_t i = 0; i < sizeof third; i++)
		{
			for (size_t k = 0; k < sizeof third; k++)
			{
				text[2] = third[i];
				text[3] = third[k];
				accepted += ecert_utf8_valid(ecert_slice(text, 4), &bad);
			}
		}
	}
	CHECK_INT(accepted, 256 * 4, "UTF-8: of four bytes from F0, exactly U+10000..U+10FFFF are valid");
	CHECK(ecert_utf8_valid(ecert_slice(NULL, 0), &bad), "UTF-8: no bytes");
}

static void
test_reading(void)
{
	EcertSlice	map = bytes_of_diag("{'a': 1, 'bb': [2, {'a': 3}], 'c': {'d': -5.25}, 'e': 'text', 5: 'five'}");
	EcertSlice	value,
				text;
	EcertCursor cursor;
	EcertCborHead head;
	int64_t		number = 0;
	uint64_t	count;

	CHECK(ecert_cbor_find(map, "a", &value) && ecert_cbor_int(value, &number) == ECERT_OK && number == 1,
		  "find: the outer a");
	CHECK(ecert_cbor_find(map, "bb", &value) && value.size == 6 && value.data[0] == 0x82, "find: an array, whole");
	CHECK(ecert_cbor_find(map, "c", &value) && ecert_cbor_find(value, "d", &value) && value.size == 6,
		  "find: in a map that was found");
	CHECK(ecert_cbor_find(map, "e", &value) && ecert_cbor_text(value, &text) &&
		  ecert_slice_equal(text, ecert_slice_text("text")), "find: text");
	value = map;
	CHECK(!ecert_cbor_find(map, "d", &value) && value.data == NULL && value.size == 0,
		  "find: not in inner maps, and then the value is empty");
	CHECK(!ecert_cbor_find(map, "", &value), "find: no empty key");
	CHECK(!ecert_cbor_find(map, "five", &value), "find: values are no keys");
	CHECK(!ecert_cbor_find(ecert_slice("\x80", 1), "a", &value), "find: in no map");
	CHECK(ecert_slice_equal(ecert_cbor_text_at(map, "e"), ecert_slice_text("text")), "text at a key");
	CHECK(ecert_cbor_text_at(map, "a").size == 0 && ecert_cbor_text_at(map, "z").size == 0,
		  "text at a key: none for another type, nor for no key");
	cursor = ecert_cbor_items_at(map, "bb", &count);
	CHECK(count == 2 && ecert_cbor_int(ecert_cbor_skip(&cursor), &number) == ECERT_OK && number == 2 &&
		  ecert_cbor_skip(&cursor).size == 4, "items at a key");
	(void) ecert_cbor_items_at(map, "c", &count);
	CHECK_INT(count, 0, "items at a key: none in a map");
	(void) ecert_cbor_items_at(map, "z", &count);
	CHECK_INT(count, 0, "items at a key: none without the key");
	CHECK(!ecert_cbor_text(ecert_slice("\x01", 1), &text), "text: an integer is none");
	CHECK(!ecert_cbor_text(ecert_slice("\x41\x61", 2), &text), "text: a byte string is none");

	CHECK(ecert_cbor_int(bytes_of_diag("9223372036854775807"), &number) == ECERT_OK && number == INT64_MAX, "int: greatest");
	CHECK(ecert_cbor_int(bytes_of_diag("-9223372036854775808"), &number) == ECERT_OK && number == INT64_MIN, "int: least");
	CHECK_INT(ecert_cbor_int(bytes_of_diag("9223372036854775808"), &number), ECERT_OVERFLOW, "int: 2^63 overflows");
	CHECK_INT(ecert_cbor_int(bytes_of_diag("-9223372036854775809"), &number), ECERT_OVERFLOW, "int: -2^63-1 overflows");
	CHECK_INT(ecert_cbor_int(bytes_of_diag("'1'"), &number), ECERT_BODY_TYPE, "int: text is none");
	CHECK_INT(ecert_cbor_int(bytes_of_diag("1.0"), &number), ECERT_BODY_TYPE, "int: a decimal is none");

	cursor = ecert_cursor(bytes_of_diag("[[1, [2]], 'ab', 3.5, h'00']"));
	CHECK(ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_ARRAY && head.value == 4 &&
		  head.offset == 0, "head: array of 4");
	CHECK_INT(ecert_cbor_skip(&cursor).size, 4, "skip: an array in an array");
	CHECK_INT(ecert_cbor_skip(&cursor).size, 3, "skip: text with its content");
	CHECK_INT(ecert_cbor_skip(&cursor).size, 5, "skip: a tag with its content");
	CHECK(ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_BYTES && head.value == 1,
		  "head: bytes of 1");
	text = ecert_cbor_content(&cursor, &head);
	CHECK(text.size == 1 && text.data[0] == 0 && cursor.offset == cursor.bytes.size, "content: to the end");
	CHECK_INT(ecert_cbor_head(&cursor, &head, NULL), ECERT_TRUNCATED, "head: none behind the end");
}

static void
test_writing(void)
{
	static const uint64_t edges[] = {
		0, 1, 23, 24, 0xFF, 0x100, 0xFFFF, 0x10000, UINT64_C(0xFFFFFFFF), UINT64_C(0x100000000),
		INT64_MAX, (uint64_t) INT64_MAX + 1, UINT64_MAX
	};
	static const size_t sizes[] = {1, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9, 9, 9};
	uint8_t		small[4];
	EcertBuffer out;

	for (size_t i = 0; i < COUNT(edges); i++)
	{
		bool		all = true;

		for (unsigned type = 0; type <= ECERT_CBOR_TAG; type++)
		{
			EcertCursor cursor;
			EcertCborHead head;

			out = ecert_buffer(output, sizeof output);
			ecert_cbor_put_head(&out, (EcertCborType) type, edges[i]);
			cursor = ecert_cursor(ecert_slice(output, out.size));
			all = all && out.size == sizes[i] && ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK &&
				head.type == type && head.value == edges[i] && cursor.offset == out.size;
		}
		CHECK(all, "head of %llu: %zu bytes, for every type", (unsigned long long) edges[i], sizes[i]);
	}
	out = ecert_buffer(output, sizeof output);
	ecert_cbor_put_int(&out, INT64_MIN);
	CHECK(out.size == 9 && memcmp(output, "\x3B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9) == 0, "least integer");

	out = ecert_buffer(NULL, 0);
	ecert_cbor_put_text(&out, ecert_slice_text("measured"));
	CHECK(out.size == 9 && !ecert_buffer_fits(&out), "a buffer without room measures");
	memset(small, 0xEE, sizeof small);
	out = ecert_buffer(small, 3);
	ecert_cbor_put_text(&out, ecert_slice_text("abc"));
	ecert_cbor_put_int(&out, 1);
	CHECK(out.size == 5 && !ecert_buffer_fits(&out) && small[3] == 0xEE, "a full buffer is not written past its end");
}

int
main(void)
{
	test_appendix_a();
	test_malformed();
	test_not_shortest();
	test_reserved();
	test_simple();
	test_depth();
	test_prefixes();
	test_body_profile();
	test_utf8();
	test_every_short_input();
	test_reading();
	test_writing();
	return check_done();
}
