/*
 * coefficient.h
 *		A policy from SQL, read once and kept: its body, and the coefficients in
 *		it (rules/coefficient.h), and its calendar.
 */
#ifndef ECERT_REGISTRY_COEFFICIENT_H
#define ECERT_REGISTRY_COEFFICIENT_H

#include "package/datum.h"
#include "rules/calendar.h"
#include "rules/coefficient.h"

typedef struct EcertKeptPolicy
{
	MemoryContext context;		/* holds all of it */
	Jsonb	   *document;		/* what was read; NULL: a policy without anything in it */
	uint8_t		hash[ECERT_HASH_SIZE];	/* of the policy's package, where it was looked up by that */
	EcertSlice	body;			/* the same as ecert.encode_body() writes it */
	EcertCoefficients *coefficients;
	EcertCalendar calendar;
} EcertKeptPolicy;

/* Read a policy, a jsonb or NULL, into a context of its own below parent; raises what ecert.encode_body() raises */
extern EcertKeptPolicy *ecert_policy_read(MemoryContext parent, Datum policy, bool isnull);

/* The same, kept with the caller's flinfo, so that a query reads its policy once */
extern EcertKeptPolicy *ecert_policy_of(FmgrInfo *flinfo, Datum policy, bool isnull);

/* A number as numeric, with all its decimals; NULL when it is lost */
extern Numeric ecert_numeric_of(const EcertNumber *number, EcertArena *arena);

/* Digits as numeric; NULL of NULL */
extern Numeric ecert_numeric_of_digits(const char *digits);

#endif							/* ECERT_REGISTRY_COEFFICIENT_H */
