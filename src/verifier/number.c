/*
 * number.c
 *		Exact numbers with GMP; see number.h.
 */
#include "verifier/number.h"

#include <stdlib.h>

#define SUM_DECIMALS (SUM_FACTORS * -ECERT_EXPONENT_MIN)

_Static_assert(sizeof(long) == sizeof(int64_t), "GMP's _si functions take 64 bits");

void
number_init(Number *number)
{
	mpq_init(number->value);
}

void
number_clear(Number *number)
{
	mpq_clear(number->value);
}

void
number_set(Number *number, const Number *other)
{
	mpq_set(number->value, other->value);
}

void
number_set_int(Number *number, int64_t value)
{
	mpq_set_si(number->value, value, 1);
}

void
number_set_decimal(Number *number, EcertDecimal decimal)
{
	mpz_t		power;

	mpq_set_si(number->value, decimal.mantissa, 1);
	mpz_init(power);
	mpz_ui_pow_ui(power, 10, (unsigned long) labs(decimal.exponent));
	if (decimal.exponent >= 0)
		mpz_mul(mpq_numref(number->value), mpq_numref(number->value), power);
	else
	{
		mpz_set(mpq_denref(number->value), power);
		mpq_canonicalize(number->value);
	}
	mpz_clear(power);
}

void
number_add(Number *result, const Number *a, const Number *b)
{
	mpq_add(result->value, a->value, b->value);
}

void
number_subtract(Number *result, const Number *a, const Number *b)
{
	mpq_sub(result->value, a->value, b->value);
}

void
number_multiply(Number *result, const Number *a, const Number *b)
{
	mpq_mul(result->value, a->value, b->value);
}

void
number_divide(Number *result, const Number *a, const Number *b)
{
	mpq_div(result->value, a->value, b->value);
}

int
number_sign(const Number *number)
{
	return mpq_sgn(number->value);
}

int
number_compare(const Number *a, const Number *b)
{
	return mpq_cmp(a->value, b->value);
}

/* Cut zeros behind the point, and the point when nothing is left behind it */
static void
trim_zeros(char *text)
{
	size_t		size = strlen(text);

	if (strchr(text, '.') == NULL)
		return;
	while (text[size - 1] == '0')
		size--;
	if (text[size - 1] == '.')
		size--;
	text[size] = '\0';
}

/* |number| * 10^decimals, half away from zero: floor((2 n + d) / 2 d) */
static void
scaled_magnitude(mpz_t result, const Number *number, unsigned decimals)
{
	mpz_t		divisor;

	mpz_init(divisor);
	mpz_ui_pow_ui(divisor, 10, decimals);
	mpz_mul(result, mpq_numref(number->value), divisor);
	mpz_abs(result, result);
	mpz_mul_2exp(result, result, 1);
	mpz_add(result, result, mpq_denref(number->value));
	mpz_mul_2exp(divisor, mpq_denref(number->value), 1);
	mpz_fdiv_q(result, result, divisor);
	mpz_clear(divisor);
}

const char *
number_text(const Number *number, unsigned decimals, Arena *arena)
{
	mpz_t		magnitude;
	char	   *digits;
	char	   *text;
	char	   *at;
	size_t		size;

	mpz_init(magnitude);
	scaled_magnitude(magnitude, number, decimals);
	digits = arena_alloc(arena, mpz_sizeinbase(magnitude, 10) + 2);
	(void) mpz_get_str(digits, 10, magnitude);
	size = strlen(digits);
	text = at = arena_alloc(arena, size + decimals + 4);
	if (mpq_sgn(number->value) < 0 && mpz_sgn(magnitude) != 0)
		*at++ = '-';
	mpz_clear(magnitude);
	/* zeros in front, so that a digit stands before the point */
	for (; size + (size_t) (at - text) < decimals + 1 + (size_t) (*text == '-'); at++)
		*at = '0';
	memcpy(at, digits, size + 1);
	at += size;
	if (decimals > 0)
	{
		memmove(at - decimals + 1, at - decimals, decimals + 1);
		at[-(ptrdiff_t) decimals] = '.';
		trim_zeros(text);
	}
	return text;
}

void
decimal_digits(EcertDecimal decimal, char *text)
{
	(void) ecert_decimal_text(decimal, text);
	trim_zeros(text);
}

void
sum_init(Sum *sum)
{
	mpz_init(sum->steps);
}

void
sum_clear(Sum *sum)
{
	mpz_clear(sum->steps);
}

void
sum_add(Sum *sum, const EcertDecimal *factors, size_t count)
{
	int32_t		exponent = SUM_DECIMALS;
	mpz_t		product;
	mpz_t		power;

	mpz_init_set_si(product, 1);
	mpz_init(power);
	for (size_t i = 0; i < count; i++)
	{
		mpz_mul_si(product, product, factors[i].mantissa);
		exponent += factors[i].exponent;
	}
	mpz_ui_pow_ui(power, 10, (unsigned long) exponent);
	mpz_addmul(sum->steps, product, power);
	mpz_clear(power);
	mpz_clear(product);
}

void
number_set_sum(Number *number, const Sum *sum)
{
	mpz_set(mpq_numref(number->value), sum->steps);
	mpz_ui_pow_ui(mpq_denref(number->value), 10, SUM_DECIMALS);
	mpq_canonicalize(number->value);
}
