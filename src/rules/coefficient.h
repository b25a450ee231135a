/*
 * coefficient.h
 *		The coefficients of a policy: kgce of one unit of a source, directly or
 *		through a unit multiple.
 */
#ifndef ECERT_RULES_COEFFICIENT_H
#define ECERT_RULES_COEFFICIENT_H

#include "rules/number.h"

typedef struct EcertCoefficients EcertCoefficients;

/* What a quantity in a source's unit is multiplied by; the texts are the policy's */
typedef struct EcertCoefficient
{
	EcertSlice	source;
	EcertSlice	unit;
	EcertDecimal kgce;			/* of one unit, or of one base unit, */
	EcertDecimal factor;		/* of which the unit has so many: 1 when there is no base between */
} EcertCoefficient;

/*
 * Read the body of a policy, from which the result borrows; what has not the
 * fields of a coefficient or a unit is passed over.  A body of size 0 has none.
 */
extern EcertCoefficients *ecert_coefficients_new(EcertArena *arena, EcertSlice policy);

/*
 * The coefficient of a source and unit; false when the policy has none.  Where
 * a policy contradicts itself, which its rule refuses, what the unit has of its
 * own comes before what it has through a base, and of each what stands first in
 * the body.
 */
extern bool ecert_coefficient_find(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit, EcertCoefficient *found);

/* In how many ways a policy leads to a coefficient of a source and unit: of the unit's own, and through its bases */
extern size_t ecert_coefficient_ways(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit);

/* quantity times kgce times factor; kgce may be the quantity */
extern void ecert_coefficient_multiply(EcertNumber *kgce, const EcertNumber *quantity, const EcertCoefficient *coefficient);

#endif							/* ECERT_RULES_COEFFICIENT_H */
