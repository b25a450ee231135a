/*
 * use.h
 *		What an applicant used and made within one period, by product, from the
 *		bodies of its live energy and product packages.
 *
 *		use = ecert_use_new(arena, coefficients);
 *		for each live package within the period
 *			ecert_use_add(use, kind, body);
 *		ecert_use_finish(use);
 *
 * Packages may come in any order, and the result is the same.  Nothing of a
 * body is kept: names are copied.  The policy that the coefficients borrow from
 * has to stay.
 */
#ifndef ECERT_RULES_USE_H
#define ECERT_RULES_USE_H

#include "core/body.h"
#include "rules/coefficient.h"

/* A product within the period */
typedef struct EcertProductUse
{
	EcertSlice	product;
	size_t		place;			/* in the order in which they came */
	EcertSlice	unit;			/* of its output; of size 0 when lines differ */
	EcertSlice	currency;		/* of size 0 when lines differ, or name none */
	bool		is_made;		/* there are lines of product packages */
	bool		one_unit;
	bool		one_currency;
	bool		all_valued;		/* every line has a value */
	bool		is_missing;		/* some of its own energy has no coefficient */
	bool		has_energy;		/* energy is known; set by ecert_use_finish() */
	EcertSum	qualified;
	EcertSum	value;
	EcertNumber energy;			/* kgce, with its share of what is declared for no product */
} EcertProductUse;

typedef struct EcertUse
{
	EcertProductUse **products; /* in byte order of their names, after ecert_use_finish() */
	size_t		count;
	EcertNumber shared;			/* kgce declared for no product */
	bool		shared_is_missing;	/* some of it has no coefficient */
	bool		attributable;	/* there is something by which it is spread; or there is none of it */

	/* the first line that could not be read, from 1 within its package; line_code is ECERT_OK when there is none */
	uint64_t	line;
	EcertCode	line_code;

	/* of the sources and units without coefficient the first in byte order, which is never counted as zero */
	bool		is_missing;
	EcertSlice	missing_source;
	EcertSlice	missing_unit;
} EcertUse;

extern EcertUse *ecert_use_new(EcertArena *arena, const EcertCoefficients *coefficients);

/* Add the body of an energy or product package; after a line that could not be read nothing more is added */
extern void ecert_use_add(EcertUse *use, EcertKind kind, EcertSlice body);

/*
 * Turn quantities into kgce and spread what is declared for no product: all of
 * it to the only product, else in proportion to direct energy, else to the
 * value of the output; else it is not attributable.
 */
extern void ecert_use_finish(EcertUse *use);

/* A product's qualified output, or the value of it; false when it is not defined */
extern bool ecert_use_amount(const EcertProductUse *product, bool by_value, EcertNumber *amount);

#endif							/* ECERT_RULES_USE_H */
