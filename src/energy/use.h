/*
 * use.h
 *		What an applicant used and made within a range of time, by product, from
 *		its energy and product packages.
 */
#ifndef ECERT_ENERGY_USE_H
#define ECERT_ENERGY_USE_H

#include "registry/coefficient.h"
#include "rules/use.h"

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

/* The packages of an argument of type ecert.package_bodies; NULL: none */
extern EcertDeclarations ecert_declarations_arg(FunctionCallInfo fcinfo, int number);

/* The bounds of a tstzrange; NULL, empty and endless ones hold nothing */
extern EcertWithin ecert_within(Datum range, bool isnull);

/* What lies within, summed up: finished (rules/use.h) */
extern EcertUse *ecert_use_within(const EcertDeclarations *declared, EcertWithin within, const EcertCoefficients *coefficients, EcertArena *arena);

/* Is a method "value"?  Raises unless it is that or "product" */
extern bool ecert_is_by_value(EcertSlice method);

#pragma GCC visibility pop

#endif							/* ECERT_ENERGY_USE_H */
