/*
 * exact.h
 *		numeric arithmetic for C: exact, NULL for what is not defined, and NULL
 *		of what is computed from it.
 */
#ifndef ECERT_ENERGY_EXACT_H
#define ECERT_ENERGY_EXACT_H

#include "pg/compat.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#pragma GCC visibility push(hidden)

/* Rounding comes last: a quotient is divided to so many decimals more than its denominator has */
#define ECERT_QUOTIENT_DECIMALS 40

/* numerator / denominator */
typedef struct EcertFraction
{
	Numeric		numerator;
	Numeric		denominator;
} EcertFraction;

static inline Numeric
ecert_apply(PGFunction operation, Numeric a, Numeric b)
{
	if (a == NULL || b == NULL)
		return NULL;
	return DatumGetNumeric(DirectFunctionCall2(operation, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline Numeric
ecert_multiply(Numeric a, Numeric b)
{
	return ecert_apply(numeric_mul, a, b);
}

static inline Numeric
ecert_add(Numeric a, Numeric b)
{
	return ecert_apply(numeric_add, a, b);
}

static inline Numeric
ecert_subtract(Numeric a, Numeric b)
{
	return ecert_apply(numeric_sub, a, b);
}

/* A sum that passes over what is not defined; NULL as long as nothing is */
static inline Numeric
ecert_add_defined(Numeric sum, Numeric a)
{
	return sum == NULL ? a : a == NULL ? sum : ecert_add(sum, a);
}

static inline Numeric
ecert_trim(Numeric a)
{
	return a == NULL ? NULL : DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(a)));
}

/* Less than, equal, greater than 0; of a number that is defined */
static inline int
ecert_order(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline int
ecert_sign_of(Numeric a)
{
	return ecert_order(a, int64_to_numeric(0));
}

static inline bool
ecert_is_positive(Numeric a)
{
	return a != NULL && ecert_sign_of(a) > 0;
}

extern Numeric ecert_quotient_of(Numeric numerator, Numeric denominator, int decimals);

#pragma GCC visibility pop

#endif							/* ECERT_ENERGY_EXACT_H */
