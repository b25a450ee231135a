/*
 * policy.h
 *		A policy as certificates are computed under it.
 */
#ifndef ECERT_VERIFIER_POLICY_H
#define ECERT_VERIFIER_POLICY_H

#include "verifier/fields.h"
#include "verifier/number.h"

/* A coefficient: kgce per unit of a source; or a unit: factor base units each */
typedef struct Conversion
{
	EcertSlice	name;			/* source; unit */
	EcertSlice	unit;			/* unit; base */
	EcertDecimal factor;
} Conversion;

typedef struct Required
{
	AuditRole	role;
	int64_t		count;
} Required;

typedef struct Policy
{
	const Entry *entry;			/* the package it is in */
	Conversion *coefficients;	/* by source and unit */
	size_t		coefficient_count;
	Conversion *units;			/* by unit and base */
	size_t		unit_count;
	Required   *required;		/* by role */
	size_t		required_count;
	EcertSlice	denominator;
	EcertDecimal threshold;
	bool		by_reporting;	/* the rate's denominator is the reporting period's energy */
	int64_t		valid_days;
	Arena		arena;			/* holds all of it */
} Policy;

/* The policy in a body (of a policy package, or genesis' own); the texts are copied */
extern void policy_read(Policy *policy, EcertSlice body);

/*
 * Add a quantity in kgce to sum, by the coefficient of that source and unit or
 * of that source and the unit's base (ecert.coefficients()); false when there
 * is none.
 */
extern bool policy_add(const Policy *policy, EcertSlice source, EcertSlice unit, EcertDecimal quantity, Sum *sum);

#endif							/* ECERT_VERIFIER_POLICY_H */
