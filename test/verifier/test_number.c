/*
 * test_number.c
 *		Exact numbers: rounding once, half away from zero, and digits as
 *		PostgreSQL's trim_scale(round(x, n)) gives them.
 */
#include "check.h"

#include "verifier/number.h"

static Arena arena;

/* numerator / denominator, rounded */
static const char *
ratio(int64_t numerator, int64_t denominator, unsigned decimals)
{
	Number		a,
				b;
	const char *text;

	number_init(&a);
	number_init(&b);
	number_set_int(&a, numerator);
	number_set_int(&b, denominator);
	number_divide(&a, &a, &b);
	text = number_text(&a, decimals, &arena);
	number_clear(&b);
	number_clear(&a);
	return text;
}

static void
test_rounding(void)
{
	static const struct
	{
		int64_t		numerator;
		int64_t		denominator;
		unsigned	decimals;
		const char *text;
	}			cases[] = {
		{0, 1, 4, "0"}, {0, -7, 0, "0"}, {1, 1, 4, "1"}, {-1, 1, 0, "-1"}, {1, 3, 4, "0.3333"}, {2, 3, 4, "0.6667"},
		{-2, 3, 4, "-0.6667"}, {1, 2, 0, "1"}, {-1, 2, 0, "-1"}, {49, 100, 0, "0"}, {-49, 100, 0, "0"},
		{1, 20000, 4, "0.0001"}, {-1, 20000, 4, "-0.0001"}, {1, 20001, 4, "0"}, {-1, 20001, 4, "0"},
		{1, 8, 2, "0.13"}, {-1, 8, 2, "-0.13"}, {9999999, 1000, 2, "10000"}, {74362, 1600327, 9, "0.046466753"},
		{1, 19, 9, "0.052631579"}, {1, 1000000000, 9, "0.000000001"}, {100, 1, 4, "100"}, {1500, 1000, 4, "1.5"},
		{INT64_MAX, 1, 4, "9223372036854775807"}, {INT64_MIN, 1, 0, "-9223372036854775808"},
		{1, INT64_MAX, 18, "0"}, {1, 2, 18, "0.5"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		const char *text = ratio(cases[i].numerator, cases[i].denominator, cases[i].decimals);

		CHECK(strcmp(text, cases[i].text) == 0, "%lld / %lld to %u decimals is %s, found %s", (long long) cases[i].numerator,
			  (long long) cases[i].denominator, cases[i].decimals, cases[i].text, text);
	}
}

static void
test_decimals(void)
{
	static const struct
	{
		EcertDecimal decimal;
		const char *text;
	}			cases[] = {
		{{0, 0}, "0"}, {{0, -5}, "0"}, {{150, -2}, "1.5"}, {{-150, -2}, "-1.5"}, {{100, 0}, "100"}, {{100, -2}, "1"},
		{{5, 3}, "5000"}, {{1, -18}, "0.000000000000000001"}, {{-5, -1}, "-0.5"}, {{INT64_MIN, -18}, "-9.223372036854775808"},
		{{1, 18}, "1000000000000000000"},
	};
	Number		number;

	number_init(&number);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		char		digits[ECERT_DECIMAL_TEXT_MAX];

		decimal_digits(cases[i].decimal, digits);
		CHECK(strcmp(digits, cases[i].text) == 0, "digits of a decimal: %s, found %s", cases[i].text, digits);
		number_set_decimal(&number, cases[i].decimal);
		CHECK(strcmp(number_text(&number, DECLARED_DECIMALS, &arena), cases[i].text) == 0, "the same as a number: %s", cases[i].text);
	}
	number_clear(&number);
}

static void
test_sums(void)
{
	static const EcertDecimal tenth = {1, -1};
	static const EcertDecimal least[SUM_FACTORS] = {{1, -18}, {1, -18}, {1, -18}};
	static const EcertDecimal most[SUM_FACTORS] = {{INT64_MAX, 18}, {INT64_MAX, 18}, {INT64_MAX, 18}};
	static const EcertDecimal negative[2] = {{-3, 0}, {5, -1}};
	Number		number,
				one;
	Sum			sum;

	sum_init(&sum);
	number_init(&number);
	number_init(&one);
	for (int i = 0; i < 10; i++)
		sum_add(&sum, &tenth, 1);
	number_set_sum(&number, &sum);
	number_set_int(&one, 1);
	CHECK(number_compare(&number, &one) == 0, "ten tenths are one");
	sum_add(&sum, least, SUM_FACTORS);
	number_set_sum(&number, &sum);
	CHECK(number_compare(&number, &one) > 0, "the smallest product is not lost");
	CHECK(strcmp(number_text(&number, 54, &arena), "1.000000000000000000000000000000000000000000000000000001") == 0, "it is 10^-54");
	sum_add(&sum, negative, 2);
	number_set_sum(&number, &sum);
	CHECK(strcmp(number_text(&number, 4, &arena), "-0.5") == 0 && number_sign(&number) < 0, "a negative product is added");
	sum_add(&sum, most, SUM_FACTORS);
	number_set_sum(&number, &sum);
	CHECK(strlen(number_text(&number, 0, &arena)) == 57 + 54, "the greatest product fits");
	number_clear(&one);
	number_clear(&number);
	sum_clear(&sum);
}

int
main(void)
{
	test_rounding();
	test_decimals();
	test_sums();
	arena_reset(&arena);
	return check_done();
}
