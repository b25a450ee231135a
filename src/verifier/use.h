/*
 * use.h
 *		What an applicant used and made within a period, by product
 *		(ecert.energy_by_product()).
 */
#ifndef ECERT_VERIFIER_USE_H
#define ECERT_VERIFIER_USE_H

#include "verifier/assess.h"

/* A product within a period */
typedef struct ProductUse
{
	EcertSlice	product;
	Sum			direct;			/* kgce declared for it */
	bool		made;			/* there are lines of product packages */
	EcertSlice	unit;			/* of size 0 when there are several */
	EcertSlice	currency;		/* of size 0 when there are several, or none */
	bool		units_differ;
	bool		currencies_differ;
	bool		value_missing;
	Sum			qualified;
	Sum			value;
	Number		energy;			/* kgce with its share of what is declared for no product, once spread */
} ProductUse;

typedef struct Use
{
	ProductUse **products;		/* in byte order of their names */
	size_t		count;
	bool		attributable;	/* else no energy of a product is known */
	Sum			shared;			/* kgce declared for no product */
} Use;

/* Starts as all zeros; of memory in the question's arena, but use_clear() is needed all the same */
extern AssessCode use_read(const Question *question, EcertPeriod within, Use *use, Assessment *answer);
extern void use_clear(Use *use);

/* The qualified output, or its value; false when it is undefined */
extern bool use_amount(const ProductUse *use, bool by_value, Number *amount);

#endif							/* ECERT_VERIFIER_USE_H */
