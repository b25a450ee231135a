/*
 * number.h
 *		Exact numbers: sums of what packages declare, and fractions of them.
 *
 * Nothing is rounded but in number_text(), once, at the end.
 */
#ifndef ECERT_VERIFIER_NUMBER_H
#define ECERT_VERIFIER_NUMBER_H

#include <gmp.h>

#include "core/decimal.h"
#include "verifier/arena.h"

/* A fraction; number_init() before and number_clear() after */
typedef struct Number
{
	mpq_t		value;
} Number;

extern void number_init(Number *number);
extern void number_clear(Number *number);
extern void number_set(Number *number, const Number *other);
extern void number_set_int(Number *number, int64_t value);
extern void number_set_decimal(Number *number, EcertDecimal decimal);

/* result may be one of the operands; b of a division is not 0 */
extern void number_add(Number *result, const Number *a, const Number *b);
extern void number_subtract(Number *result, const Number *a, const Number *b);
extern void number_multiply(Number *result, const Number *a, const Number *b);
extern void number_divide(Number *result, const Number *a, const Number *b);

/* Less than, equal, greater than 0 */
extern int	number_sign(const Number *number);
extern int	number_compare(const Number *a, const Number *b);

/*
 * Plain digits, rounded half away from zero to that many decimals, without
 * zeros behind the last one: what SQL's trim_scale(round(x, decimals)) prints.
 */
extern const char *number_text(const Number *number, unsigned decimals, Arena *arena);

/* The decimals that every declared figure has room in, so that number_text() rounds nothing away */
#define DECLARED_DECIMALS 18

/* The digits of a decimal without zeros behind the last one, so that equal values have equal digits; text as for ecert_decimal_text() */
extern void decimal_digits(EcertDecimal decimal, char *text);

/*
 * A sum of products of declared decimals: quantity, coefficient and factor of
 * the unit, three at most.  In steps of 10^-54, which all of them fit, because
 * a fraction would be reduced at every addition.
 */
#define SUM_FACTORS 3

typedef struct Sum
{
	mpz_t		steps;
} Sum;

extern void sum_init(Sum *sum);
extern void sum_clear(Sum *sum);
extern void sum_add(Sum *sum, const EcertDecimal *factors, size_t count);
extern void number_set_sum(Number *number, const Sum *sum);

#endif							/* ECERT_VERIFIER_NUMBER_H */
