/*
 * number.h
 *		Exact decimal numbers: sums of what packages declare, products and
 *		quotients of them, and their digits.
 *
 * A number has a fixed room of 20 limbs of 64 bits.  Whatever an assessment
 * computes from declared decimals fits, be they checked against the schema of
 * their kind or not.  A decimal is below 10^37 with at most 18 decimals, and
 * there are fewer than 2^63 < 10^19 lines.  So, counted in steps of the last
 * decimal,
 *
 *		an energy, quantity * kgce * factor summed up, is below
 *			10^(3 * 37 + 19) = 10^130 with 54 decimals		10^184 steps
 *		an output or a value is below
 *			10^(37 + 19) = 10^56 with 18 decimals			10^74 steps
 *		energy * energy, for a share, has 108 decimals		10^368 steps
 *		e0 * M1 = E0 * M1 / M0, M0 being 10^-18 or more,
 *			is below 10^(130 + 56 + 18) = 10^204, and so is the sum of all:
 *			with the 54 decimals of E1						10^258 steps
 *		threshold * that has 72 decimals					10^313 steps
 *
 * A quotient multiplies its numerator by 10^(decimals + those of the
 * denominator) at most, decimals being 24 on the way and 9 or fewer at the end:
 * 10^(260 + 24 + 54) = 10^338 steps for a share, and fewer for the others.  The
 * greatest of all is 10^368 < 2^1223, and the room is 2^1280.
 *
 * What does not fit nevertheless is lost: so is all that is computed from it,
 * and it has no digits.  Nothing wraps.
 */
#ifndef ECERT_RULES_NUMBER_H
#define ECERT_RULES_NUMBER_H

#include "core/decimal.h"
#include "rules/arena.h"

#define ECERT_NUMBER_LIMBS 20

/* A quotient on the way to a figure is rounded to so many decimals, once, half away from zero */
#define ECERT_QUOTIENT_DECIMALS 24

/* The decimals that every declared decimal has room in */
#define ECERT_DECLARED_DECIMALS (-ECERT_EXPONENT_MIN)

/* limbs * 10^-scale; starts as all zeros, which is 0 */
typedef struct EcertNumber
{
	uint16_t	size;			/* limbs that count, the highest of them not 0 */
	uint16_t	scale;			/* decimals */
	bool		negative;		/* not of 0 */
	bool		is_lost;
	uint64_t	limbs[ECERT_NUMBER_LIMBS];	/* the least significant first */
} EcertNumber;

extern void ecert_number_set_int(EcertNumber *number, int64_t value);
extern void ecert_number_set_decimal(EcertNumber *number, EcertDecimal decimal);
extern void ecert_number_copy(EcertNumber *number, const EcertNumber *other);

/* result may be one of the operands */
extern void ecert_number_add(EcertNumber *result, const EcertNumber *a, const EcertNumber *b);
extern void ecert_number_subtract(EcertNumber *result, const EcertNumber *a, const EcertNumber *b);
extern void ecert_number_multiply(EcertNumber *result, const EcertNumber *a, const EcertNumber *b);

/* a / b to so many decimals, rounded once, half away from zero; lost when b is 0 */
extern void ecert_number_divide(EcertNumber *result, const EcertNumber *a, const EcertNumber *b, unsigned decimals);

/* Less than, equal, greater than 0; of numbers that are not lost */
extern int	ecert_number_sign(const EcertNumber *number);
extern int	ecert_number_compare(const EcertNumber *a, const EcertNumber *b);

/*
 * Plain digits, rounded half away from zero to that many decimals, without
 * zeros behind the last one: what SQL's trim_scale(round(x, decimals)) prints.
 * NULL when the number is lost.
 */
extern const char *ecert_number_text(const EcertNumber *number, unsigned decimals, EcertArena *arena);

/* The digits of a decimal without zeros behind the last one, so that equal values have equal digits; text as for ecert_decimal_text() */
extern void ecert_decimal_digits(EcertDecimal decimal, char *text);

/*
 * A sum of declared decimals: of their mantissas, apart by exponent, because
 * lines are many and nearly always have one exponent.  128 bits take 2^63 of
 * them.  Starts as all zeros.
 */
typedef struct EcertSum
{
	__int128	mantissa;
	int32_t		exponent;
	bool		is_used;
	struct EcertSum *next;		/* of another exponent */
} EcertSum;

/* Add what has another exponent than the first */
extern void ecert_sum_add_apart(EcertSum *sum, EcertDecimal decimal, EcertArena *arena);

static inline void
ecert_sum_add(EcertSum *sum, EcertDecimal decimal, EcertArena *arena)
{
	if (!sum->is_used)
		sum->exponent = decimal.exponent;
	sum->is_used = true;
	if (sum->exponent == decimal.exponent)
		sum->mantissa += decimal.mantissa;
	else
		ecert_sum_add_apart(sum, decimal, arena);
}

extern void ecert_number_set_sum(EcertNumber *number, const EcertSum *sum);

#endif							/* ECERT_RULES_NUMBER_H */
