/*
 * use.h
 *		What an applicant used and made within a range of time, by product, from
 *		its energy and product packages.
 */
#ifndef ECERT_ENERGY_USE_H
#define ECERT_ENERGY_USE_H

#include "registry/coefficient.h"

#include "energy/exact.h"

#pragma GCC visibility push(hidden)

/* One package, as far as an assessment reads it */
typedef struct EcertDeclared
{
	EcertKind	kind;
	int64		seq;
	TimestampTz start;
	TimestampTz end;
	EcertSlice	body;
} EcertDeclared;

/* Energy before product, each in the order of time, and the newest first where packages replace each other */
typedef struct EcertDeclarations
{
	EcertDeclared *list;
	int			count;
} EcertDeclarations;

/* Bounds of a range; without them nothing is within */
typedef struct EcertWithin
{
	bool		is_bounded;
	TimestampTz start;
	TimestampTz end;
} EcertWithin;

/* Texts of size 0 and numbers that are NULL are not defined */
typedef struct EcertProductUse
{
	EcertSlice	product;
	EcertSlice	unit;			/* of every line; none when lines differ */
	EcertSlice	currency;
	Numeric		qualified;
	Numeric		value;
	Numeric		direct;			/* kgce of the energy declared for this product */
	EcertFraction kgce;			/* with its share of what is declared for none; NULL: not attributable */
	struct EcertMade *made;		/* sums of the lines; NULL: energy only */
} EcertProductUse;

typedef struct EcertUse
{
	EcertProductUse *products;	/* in the order of their names, bytewise */
	int			count;
	bool		is_missing;		/* is there energy without coefficient? */
	EcertSlice	missing_source; /* the first source and unit of it */
	EcertSlice	missing_unit;
} EcertUse;

/* The packages of an argument of type ecert.package_bodies; NULL: none */
extern EcertDeclarations ecert_declarations_arg(FunctionCallInfo fcinfo, int number);

/* The bounds of a tstzrange; NULL, empty and endless ones hold nothing */
extern EcertWithin ecert_within(Datum range, bool isnull);

/* Sum up what lies within; energy without coefficient is named in missing_, and left out */
extern EcertUse ecert_use_of(const EcertDeclarations *declared, EcertWithin within, const EcertCoefficients *coefficients);

#pragma GCC visibility pop

#endif							/* ECERT_ENERGY_USE_H */
