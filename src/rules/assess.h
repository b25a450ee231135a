/*
 * assess.h
 *		The assessment: per product, baseline against reporting period, by the
 *		formulas of GB/T 13234,
 *
 *		e = E / M, S_i = (e0_i - e1_i) * M1_i, S = sum S_i, r = S / sum (e0_i * M1_i)
 *
 *		with M the qualified output or, by method value, its value.
 *
 * Sums come first and one division last.  A quotient on the way, which is a
 * share of energy or e0 * M1, is rounded once to 24 decimals; from there all is
 * exact, figures are rounded once when they are written, and the verdict is
 * taken before that.
 */
#ifndef ECERT_RULES_ASSESS_H
#define ECERT_RULES_ASSESS_H

#include "rules/use.h"

/* Figures are plain digits, and NULL where they are not defined.  They may have more digits than a body holds: ecert_decimal_parse() */
typedef struct EcertSide
{
	const char *kgce;			/* E, 4 decimals */
	const char *output;			/* M, all its decimals */
	const char *unit_energy;	/* e, 9 decimals; of positive M */
} EcertSide;

/* A product, or all there is: what can be assessed, or where nothing can, everything */
typedef struct EcertAssessed
{
	EcertSlice	product;		/* of size 0: the totals */
	EcertSlice	unit;			/* of the output, by value its currency; of size 0 when there is none, or several */
	const char *status;
	EcertSide	base;
	EcertSide	now;
	/* where the status is ok */
	const char *adjusted_base_kgce; /* e0 * M1, 4 decimals, */
	const char *saving_kgce;	/* it minus E1, */
	const char *saving_rate;	/* and that over e0 * M1 or E1, 9 decimals */
	/* of the totals only */
	const char *rate;			/* saving_rate of 4 decimals, for everybody */
	const char *saving_tce;		/* 4 decimals */
	const char *structure_kgce; /* the saving by one intensity of all products, minus the saving product by product */
	bool		passes;			/* the rate, not rounded, reaches the threshold, or is above it where that is strict */
} EcertAssessed;

typedef enum EcertAssessCode
{
	ECERT_ASSESS_OK,
	ECERT_ASSESS_BAD_LINE,		/* of one side: line and line_code say which, and what is wrong */
	ECERT_ASSESS_NO_COEFFICIENT,	/* for source and unit of one side */
	ECERT_ASSESS_TOO_LARGE		/* what does not fit a number, which no declared decimals do */
} EcertAssessCode;

typedef struct EcertAssessment
{
	EcertAssessed *products;	/* in byte order of their names */
	size_t		count;
	EcertAssessed totals;

	/* why there is none */
	bool		is_baseline;	/* it is the baseline's */
	uint64_t	line;			/* from 1, within its package */
	EcertCode	line_code;
	EcertSlice	source;
	EcertSlice	unit;
} EcertAssessment;

/* What the certificate and its policy say of how to assess */
typedef struct EcertTerms
{
	bool		by_value;		/* method value */
	bool		by_reporting;	/* rates are of E1, not of e0 * M1 */
	EcertDecimal threshold;
	bool		strict;			/* the rate has to be above the threshold, not at least it */
} EcertTerms;

/* The terms in the body of a policy; of size 0, or without them: of the baseline, from 0 on */
extern EcertTerms ecert_terms_of(EcertSlice policy, bool by_value);

/*
 * Assess two uses that are finished; texts of the answer borrow from them.  The
 * statuses are ok, no_baseline, no_reporting, base_output_not_positive,
 * now_output_not_positive, base_intensity_zero and
 * shared_energy_not_attributable, the baseline looked at first.
 */
extern EcertAssessCode ecert_assess(const EcertUse *base, const EcertUse *now, EcertTerms terms, EcertArena *arena, EcertAssessment *answer);

/* Unit energy as it is written, E / M to 9 decimals; NULL when either is not known or M is not positive */
extern const char *ecert_unit_energy(const EcertProductUse *product, EcertArena *arena);

#endif							/* ECERT_RULES_ASSESS_H */
