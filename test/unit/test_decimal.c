/*
 * test_decimal.c
 *		Decimals: text keeps every digit, the limits, the CBOR form, and exact
 *		order against digit strings.
 */
#include "check.h"
#include "diag.h"

#include "core/decimal.h"

#define COUNT(array) (sizeof (array) / sizeof (array)[0])
#define WIDE 56					/* digits of an integer * 10^36 */

typedef struct Kept
{
	const char *text;
	int64_t		mantissa;
	int32_t		exponent;
} Kept;

static const Kept kept[] = {
	{"0", 0, 0},
	{"1", 1, 0},
	{"-1", -1, 0},
	{"0.0", 0, -1},
	{"0.00", 0, -2},
	{"0.000000000000000000", 0, -18},
	{"-0.5", -5, -1},
	{"0.5", 5, -1},
	{"1.50", 150, -2},
	{"-1.50", -150, -2},
	{"12.50", 1250, -2},
	{"1200", 1200, 0},
	{"0.1229", 1229, -4},
	{"0.000000000000000001", 1, -18},
	{"-0.000000000000000001", -1, -18},
	{"1.000000000000000000", INT64_C(1000000000000000000), -18},
	{"9223372036854775807", INT64_MAX, 0},
	{"-9223372036854775808", INT64_MIN, 0},
	{"922337203685477580.7", INT64_MAX, -1},
	{"9.223372036854775807", INT64_MAX, -18},
	{"-9.223372036854775808", INT64_MIN, -18},
	{"92233720368547758070", INT64_MAX, 1},
	{"-92233720368547758080", INT64_MIN, 1},
	{"9223372036854775807000000000000000000", INT64_MAX, 18},
	{"-9223372036854775808000000000000000000", INT64_MIN, 18},
};

/* Texts that read as another one's value: written in another form, or digits that do not count */
static const struct
{
	const char *text;
	int64_t		mantissa;
	int32_t		exponent;
	const char *again;
}			changed[] = {
	{"-0", 0, 0, "0"},
	{"-0.00", 0, -2, "0.00"},
	{"007", 7, 0, "7"},
	{"10000000000000000000", 10, 18, "10000000000000000000"},
	{"1000000000000000000000000000000000000", INT64_C(1000000000000000000), 18, "1000000000000000000000000000000000000"},
	{"00000000000000000000000000", 0, 0, "0"},
};

static const struct
{
	const char *text;
	EcertCode	code;
}			refused[] = {
	{"0.0000000000000000000", ECERT_OVERFLOW},
	{"1.0000000000000000001", ECERT_OVERFLOW},
	{"0.1234567890123456789", ECERT_OVERFLOW},
	{"9223372036854775808", ECERT_OVERFLOW},
	{"-9223372036854775809", ECERT_OVERFLOW},
	{"92233720368547758.08", ECERT_OVERFLOW},
	{"99999999999999999999", ECERT_OVERFLOW},
	{"12345678901234567891", ECERT_OVERFLOW},
	{"92233720368547758080", ECERT_OVERFLOW},
	{"9223372036854775807.0", ECERT_OVERFLOW},
	{"10000000000000000000.0", ECERT_OVERFLOW},
	{"10000000000000000000000000000000000000", ECERT_OVERFLOW},
	{"1000000000000000000000000000000000000000000000000000000000000000", ECERT_OVERFLOW},
	{"", ECERT_BODY_TYPE},
	{"-", ECERT_BODY_TYPE},
	{".", ECERT_BODY_TYPE},
	{"-.", ECERT_BODY_TYPE},
	{".5", ECERT_BODY_TYPE},
	{"-.5", ECERT_BODY_TYPE},
	{"5.", ECERT_BODY_TYPE},
	{"1.2.3", ECERT_BODY_TYPE},
	{"1..2", ECERT_BODY_TYPE},
	{"+1", ECERT_BODY_TYPE},
	{"--1", ECERT_BODY_TYPE},
	{"1-", ECERT_BODY_TYPE},
	{" 1", ECERT_BODY_TYPE},
	{"1 ", ECERT_BODY_TYPE},
	{"1e2", ECERT_BODY_TYPE},
	{"1E2", ECERT_BODY_TYPE},
	{"0x1", ECERT_BODY_TYPE},
	{"1,5", ECERT_BODY_TYPE},
	{"1_000", ECERT_BODY_TYPE},
	{"NaN", ECERT_BODY_TYPE},
	{"Infinity", ECERT_BODY_TYPE},
	{"-Infinity", ECERT_BODY_TYPE},
	{"\xD9\xA1", ECERT_BODY_TYPE},
	{"99999999999999999999x", ECERT_BODY_TYPE},
	{"99999999999999999999.", ECERT_BODY_TYPE},
	{"99999999999999999999.5.5", ECERT_BODY_TYPE},
	{"x99999999999999999999", ECERT_BODY_TYPE},
};

static bool
is(EcertDecimal decimal, int64_t mantissa, int32_t exponent)
{
	return decimal.mantissa == mantissa && decimal.exponent == exponent;
}

static void
test_text(void)
{
	EcertDecimal decimal;
	char		text[ECERT_DECIMAL_TEXT_MAX];

	for (size_t i = 0; i < COUNT(kept); i++)
	{
		CHECK(ecert_decimal_parse(ecert_slice_text(kept[i].text), &decimal) == ECERT_OK &&
			  is(decimal, kept[i].mantissa, kept[i].exponent), "%s is %lld * 10^%d", kept[i].text,
			  (long long) kept[i].mantissa, kept[i].exponent);
		CHECK(ecert_decimal_text(decimal, text) == strlen(kept[i].text) && strcmp(text, kept[i].text) == 0,
			  "%s is written with the same digits", kept[i].text);
	}
	for (size_t i = 0; i < COUNT(changed); i++)
	{
		CHECK(ecert_decimal_parse(ecert_slice_text(changed[i].text), &decimal) == ECERT_OK &&
			  is(decimal, changed[i].mantissa, changed[i].exponent), "%s is %lld * 10^%d", changed[i].text,
			  (long long) changed[i].mantissa, changed[i].exponent);
		(void) ecert_decimal_text(decimal, text);
		CHECK(strcmp(text, changed[i].again) == 0, "%s is written as %s", changed[i].text, changed[i].again);
	}
	for (size_t i = 0; i < COUNT(refused); i++)
		CHECK_INT(ecert_decimal_parse(ecert_slice_text(refused[i].text), &decimal), refused[i].code,
				  "\"%s\": %s", refused[i].text, ecert_error_text(refused[i].code));
}

static const int64_t mantissas[] = {
	0, 1, 2, 5, 9, 10, 11, 99, 100, 150, 1000000000, INT64_C(999999999999999999), INT64_C(1000000000000000000),
	INT64_C(1000000000000000001), INT64_C(9223372036854775800), INT64_MAX - 1, INT64_MAX,
	-1, -2, -9, -10, -150, INT64_C(-1000000000000000000), -INT64_MAX, INT64_MIN
};

/* decimal * 10^18 as WIDE digits, leading zeros and all */
static void
wide_digits(EcertDecimal decimal, char *digits)
{
	uint64_t	magnitude = decimal.mantissa < 0 ? -(uint64_t) decimal.mantissa : (uint64_t) decimal.mantissa;
	int			shift = decimal.exponent + 18;
	char		own[32];

	snprintf(own, sizeof own, "%020llu", (unsigned long long) magnitude);
	memset(digits, '0', WIDE);
	memcpy(digits + WIDE - shift - 20, own, 20);
	digits[WIDE] = '\0';
}

/* The order that the digits have */
static int
wide_order(EcertDecimal a, EcertDecimal b)
{
	char		x[WIDE + 1];
	char		y[WIDE + 1];
	int			sign_a = (a.mantissa > 0) - (a.mantissa < 0);
	int			sign_b = (b.mantissa > 0) - (b.mantissa < 0);

	if (sign_a != sign_b)
		return (sign_a > sign_b) - (sign_a < sign_b);
	wide_digits(a, x);
	wide_digits(b, y);
	return sign_a * memcmp(x, y, WIDE);
}

static int
sign(int order)
{
	return (order > 0) - (order < 0);
}

static void
test_order(void)
{
	size_t		compared = 0;
	size_t		wrong = 0;

	for (size_t i = 0; i < COUNT(mantissas) * 37; i++)
	{
		EcertDecimal a = {mantissas[i / 37], (int32_t) (i % 37) - 18};

		for (size_t k = 0; k < COUNT(mantissas) * 37; k++)
		{
			EcertDecimal b = {mantissas[k / 37], (int32_t) (k % 37) - 18};

			compared++;
			wrong += sign(ecert_decimal_compare(a, b)) != sign(wide_order(a, b));
		}
	}
	CHECK_INT(wrong, 0, "%zu pairs of every exponent and extreme mantissas: exact order", compared);
}

static void
test_order_named(void)
{
	static const struct
	{
		EcertDecimal a;
		EcertDecimal b;
		int			order;
	}			pairs[] = {
		{{150, -2}, {15, -1}, 0},
		{{1, 18}, {INT64_C(1000000000000000000), 0}, 0},
		{{1, 18}, {INT64_C(1000000000000000001), 0}, -1},
		{{1, 18}, {INT64_C(999999999999999999), 0}, 1},
		{{1, 18}, {INT64_MAX, -18}, 1},
		{{-1, 18}, {INT64_MIN, -18}, -1},
		{{1, -18}, {0, 18}, 1},
		{{-1, -18}, {0, -18}, -1},
		{{0, 18}, {0, -18}, 0},
		{{INT64_MAX, 18}, {INT64_MAX, 18}, 0},
		{{INT64_MIN, 18}, {INT64_MAX, 18}, -1},
		{{INT64_MIN, 0}, {-INT64_MAX, 0}, -1},
		{{INT64_C(922337203685477580), 1}, {INT64_MAX, 0}, -1},
		{{INT64_C(922337203685477581), 1}, {INT64_MAX, 0}, 1},
	};

	for (size_t i = 0; i < COUNT(pairs); i++)
	{
		CHECK_INT(sign(ecert_decimal_compare(pairs[i].a, pairs[i].b)), pairs[i].order, "pair %zu", i);
		CHECK_INT(sign(ecert_decimal_compare(pairs[i].b, pairs[i].a)), -pairs[i].order, "pair %zu the other way", i);
	}
}

/* Text and CBOR of every exponent: the same value again, the same digits where there is a scale */
static void
test_round_trips(void)
{
	size_t		text_wrong = 0;
	size_t		cbor_wrong = 0;
	size_t		longest = 0;

	for (size_t i = 0; i < COUNT(mantissas) * 37; i++)
	{
		EcertDecimal decimal = {mantissas[i / 37], (int32_t) (i % 37) - 18};
		EcertDecimal again;
		char		text[ECERT_DECIMAL_TEXT_MAX];
		uint8_t		bytes[32];
		EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
		size_t		size = ecert_decimal_text(decimal, text);

		longest = size > longest ? size : longest;
		if (ecert_decimal_parse(ecert_slice(text, size), &again) != ECERT_OK ||
			strlen(text) != size || ecert_decimal_compare(decimal, again) != 0 ||
			(decimal.exponent <= 0 && !is(again, decimal.mantissa, decimal.exponent)))
			text_wrong++;
		ecert_decimal_put(&out, decimal);
		if (!ecert_buffer_fits(&out) || ecert_cbor_check(ecert_slice(bytes, out.size), NULL) != ECERT_OK ||
			ecert_decimal_read(ecert_slice(bytes, out.size), &again) != ECERT_OK ||
			ecert_decimal_compare(decimal, again) != 0 ||
			(decimal.exponent < 0 && !is(again, decimal.mantissa, decimal.exponent)))
			cbor_wrong++;
	}
	CHECK_INT(text_wrong, 0, "%zu decimals: text gives the value again", COUNT(mantissas) * 37);
	CHECK_INT(cbor_wrong, 0, "%zu decimals: CBOR gives the value again, in its one form and with its digits", COUNT(mantissas) * 37);
	CHECK(longest < ECERT_DECIMAL_TEXT_MAX, "the longest text has %zu bytes", longest);
}

static void
test_cbor(void)
{
	static const char *const texts[] = {"0", "-7", "273.15", "-0.50", "9223372036854775807", "0.000000000000000001"};
	static const char *const none[] = {"'1.5'", "null", "true", "[-2, 150]", "{}", "h'00'", "18([])"};
	uint8_t		bytes[64];
	uint8_t	   *expected = malloc(DIAG_MAX);
	EcertDecimal decimal;

	for (size_t i = 0; i < COUNT(texts); i++)
	{
		EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
		size_t		size = diag_encode(texts[i], expected);

		(void) ecert_decimal_parse(ecert_slice_text(texts[i]), &decimal);
		ecert_decimal_put(&out, decimal);
		CHECK(out.size == size && memcmp(bytes, expected, size) == 0, "%s in CBOR", texts[i]);
	}
	/* RFC 8949 section 3.4.4 */
	CHECK(diag_unhex("c48221196ab3", bytes) == 6 && ecert_decimal_read(ecert_slice(bytes, 6), &decimal) == ECERT_OK &&
		  is(decimal, 27315, -2), "273.15 of RFC 8949 section 3.4.4");
	for (size_t i = 0; i < COUNT(none); i++)
	{
		size_t		size = diag_encode(none[i], expected);

		CHECK_INT(ecert_decimal_read(ecert_slice(expected, size), &decimal), ECERT_BODY_TYPE, "%s is no number", none[i]);
	}
	CHECK_INT(ecert_decimal_read(ecert_slice(expected, diag_encode("9223372036854775808", expected)), &decimal),
			  ECERT_OVERFLOW, "2^63 overflows");
	CHECK_INT(ecert_decimal_read(ecert_slice(NULL, 0), &decimal), ECERT_BODY_TYPE, "no bytes are no number");
	free(expected);
}

int
main(void)
{
	test_text();
	test_cbor();
	test_round_trips();
	test_order_named();
	test_order();
	return check_done();
}
