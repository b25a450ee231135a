/*
 * test_number.c
 *		Exact numbers: rounding once, half away from zero, and digits as
 *		PostgreSQL's trim_scale(round(x, n)) gives them; and vectors computed by
 *		another program.
 */
#include "check.h"

#include "rules/number.h"
#include "test_arena.h"

#define arena (&test_arena.memory)

/* numerator / denominator, rounded */
static const char *
ratio(int64_t numerator, int64_t denominator, unsigned decimals)
{
	EcertNumber a,
				b;

	ecert_number_set_int(&a, numerator);
	ecert_number_set_int(&b, denominator);
	ecert_number_divide(&a, &a, &b, decimals);
	return ecert_number_text(&a, decimals, arena);
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
	EcertNumber number;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		char		digits[ECERT_DECIMAL_TEXT_MAX];

		ecert_decimal_digits(cases[i].decimal, digits);
		CHECK(strcmp(digits, cases[i].text) == 0, "digits of a decimal: %s, found %s", cases[i].text, digits);
		ecert_number_set_decimal(&number, cases[i].decimal);
		CHECK(strcmp(ecert_number_text(&number, ECERT_DECLARED_DECIMALS, arena), cases[i].text) == 0, "the same as a number: %s", cases[i].text);
	}
}

static void
add_product(EcertNumber *sum, const EcertDecimal *factors, size_t count)
{
	EcertNumber product;
	EcertNumber factor;

	ecert_number_set_int(&product, 1);
	for (size_t i = 0; i < count; i++)
	{
		ecert_number_set_decimal(&factor, factors[i]);
		ecert_number_multiply(&product, &product, &factor);
	}
	ecert_number_add(sum, sum, &product);
}

static void
test_sums(void)
{
	static const EcertDecimal tenth = {1, -1};
	static const EcertDecimal least[3] = {{1, -18}, {1, -18}, {1, -18}};
	static const EcertDecimal most[3] = {{INT64_MAX, 18}, {INT64_MAX, 18}, {INT64_MAX, 18}};
	static const EcertDecimal negative[2] = {{-3, 0}, {5, -1}};
	EcertNumber number,
				one;
	EcertSum	sum = {0};

	for (int i = 0; i < 10; i++)
		ecert_sum_add(&sum, tenth, arena);
	ecert_number_set_sum(&number, &sum);
	ecert_number_set_int(&one, 1);
	CHECK(ecert_number_compare(&number, &one) == 0, "ten tenths are one");
	add_product(&number, least, 3);
	CHECK(ecert_number_compare(&number, &one) > 0, "the smallest product is not lost");
	CHECK(strcmp(ecert_number_text(&number, 54, arena), "1.000000000000000000000000000000000000000000000000000001") == 0, "it is 10^-54");
	add_product(&number, negative, 2);
	CHECK(strcmp(ecert_number_text(&number, 4, arena), "-0.5") == 0 && ecert_number_sign(&number) < 0, "a negative product is added");
	add_product(&number, most, 3);
	CHECK(strlen(ecert_number_text(&number, 0, arena)) == 57 + 54, "the greatest product fits");
}

/* Sums of mantissas, apart by exponent */
static void
test_mantissas(void)
{
	EcertSum	sum = {0};
	EcertNumber number;

	ecert_number_set_sum(&number, &sum);
	CHECK(strcmp(ecert_number_text(&number, 4, arena), "0") == 0, "no lines are 0");
	for (int exponent = ECERT_EXPONENT_MIN; exponent <= ECERT_EXPONENT_MAX; exponent++)
		ecert_sum_add(&sum, (EcertDecimal) {exponent % 2 == 0 ? 1 : -1, exponent}, arena);
	ecert_number_set_sum(&number, &sum);
	CHECK(strcmp(ecert_number_text(&number, 18, arena), "909090909090909090.909090909090909091") == 0, "a line of every exponent");
	memset(&sum, 0, sizeof sum);
	for (int i = 0; i < 1000; i++)
		ecert_sum_add(&sum, (EcertDecimal) {INT64_MIN, -18}, arena);
	ecert_sum_add(&sum, (EcertDecimal) {1, 18}, arena);
	ecert_number_set_sum(&number, &sum);
	CHECK(strcmp(ecert_number_text(&number, 18, arena), "999999999999990776.627963145224192") == 0, "more than 64 bits of one exponent");
}

/* What does not fit is lost, and stays lost */
static void
test_lost(void)
{
	EcertNumber large,
				small,
				result;

	ecert_number_set_decimal(&large, (EcertDecimal) {1, 18});
	ecert_number_set_int(&small, 1);
	for (int i = 0; i < 4; i++)
		ecert_number_multiply(&large, &large, &large);
	CHECK(!large.is_lost && strlen(ecert_number_text(&large, 0, arena)) == 1 + 16 * 18, "10^288 fits");
	ecert_number_multiply(&result, &large, &large);
	CHECK(result.is_lost && ecert_number_text(&result, 4, arena) == NULL, "10^576 does not");
	ecert_number_subtract(&small, &small, &result);
	CHECK(small.is_lost, "nor does what is computed from it");
	ecert_number_divide(&small, &large, &result, 4);
	CHECK(small.is_lost, "be it a quotient");
	ecert_number_set_int(&small, 1);
	ecert_number_multiply(&small, &small, &result);
	CHECK(small.is_lost, "or a product");
	small = (EcertNumber) {1, 200, false, false, {1}};
	ecert_number_add(&small, &small, &large);
	CHECK(small.is_lost, "and a sum of 10^288 and 10^-200 has too many digits");
	ecert_number_set_int(&small, 0);
	ecert_number_divide(&small, &large, &small, 4);
	CHECK(small.is_lost, "a quotient by 0 is lost too");
	ecert_number_divide(&small, &large, &large, 24);
	CHECK(strcmp(ecert_number_text(&small, 24, arena), "1") == 0, "and one by itself is 1");
}

/* ----- vectors ----- */

typedef struct Vector
{
	const char *operation;
	const char *a;				/* an integer, */
	unsigned	a_scale;		/* of whose digits so many are behind the point */
	const char *b;
	unsigned	b_scale;
	unsigned	decimals;
	const char *result;
} Vector;

static const Vector vectors[] = {
#include "number_vectors.h"
};

static void
set_text(EcertNumber *number, const char *digits, unsigned scale)
{
	EcertNumber ten;
	EcertNumber digit;
	bool		minus = *digits == '-';

	ecert_number_set_int(number, 0);
	ecert_number_set_int(&ten, 10);
	for (digits += minus; *digits != '\0'; digits++)
	{
		ecert_number_set_int(&digit, minus ? '0' - *digits : *digits - '0');
		ecert_number_multiply(number, number, &ten);
		ecert_number_add(number, number, &digit);
	}
	number->scale = (uint16_t) scale;
}

/* Compute a vector; which operand the result overwrites changes with each */
static const char *
compute(const Vector *vector, size_t turn)
{
	EcertNumber a,
				b,
				other;
	EcertNumber *result = turn % 3 == 0 ? &a : turn % 3 == 1 ? &b : &other;
	const char *name = vector->operation;

	set_text(&a, vector->a, vector->a_scale);
	set_text(&b, vector->b, vector->b_scale);
	if (strcmp(name, "add") == 0)
		ecert_number_add(result, &a, &b);
	else if (strcmp(name, "subtract") == 0)
		ecert_number_subtract(result, &a, &b);
	else if (strcmp(name, "multiply") == 0)
		ecert_number_multiply(result, &a, &b);
	else if (strcmp(name, "divide") == 0)
		ecert_number_divide(result, &a, &b, vector->decimals);
	else if (strcmp(name, "compare") == 0)
		ecert_number_set_int(result, ecert_number_compare(&a, &b));
	else
		ecert_number_copy(result, &a);
	return ecert_number_text(result, vector->decimals, arena);
}

static void
test_vectors(void)
{
	size_t		wrong = 0;

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
	{
		const Vector *vector = &vectors[i];
		const char *text = compute(vector, i);

		if (strcmp(text == NULL ? "lost" : text, vector->result) == 0)
			continue;
		if (wrong++ < 5)
			printf("# %s %s / 10^%u, %s / 10^%u, %u decimals is %s, found %s\n", vector->operation, vector->a, vector->a_scale,
				   vector->b, vector->b_scale, vector->decimals, vector->result, text == NULL ? "lost" : text);
	}
	CHECK(sizeof vectors / sizeof vectors[0] > 4000, "%zu vectors of another program", sizeof vectors / sizeof vectors[0]);
	CHECK_INT(wrong, 0, "all of them are computed alike");
}

int
main(void)
{
	test_rounding();
	test_decimals();
	test_sums();
	test_mantissas();
	test_lost();
	test_vectors();
	test_arena_free();
	return check_done();
}
