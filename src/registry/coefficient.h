/*
 * coefficient.h
 *		The coefficients of a policy, read once and then looked up.
 */
#ifndef ECERT_REGISTRY_COEFFICIENT_H
#define ECERT_REGISTRY_COEFFICIENT_H

#include "package/datum.h"

#pragma GCC visibility push(hidden)

typedef struct EcertCoefficients EcertCoefficients;

/* A policy; NULL is one without anything in it */
extern Jsonb *ecert_policy_of(Datum policy, bool isnull);

/* Read the coefficients of a policy, which is copied, into a context of their own below parent */
extern EcertCoefficients *ecert_coefficients_read(MemoryContext parent, const Jsonb *policy);

/*
 * The coefficients of a policy, as ecert.coefficients() lists them; kept with
 * the caller's flinfo, so that a query reads them once.
 */
extern const EcertCoefficients *ecert_coefficients_of(FmgrInfo *flinfo, Jsonb *policy);

/* kgce of one unit of a source; NULL when the policy has none */
extern Numeric ecert_coefficient(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit);

#pragma GCC visibility pop

#endif							/* ECERT_REGISTRY_COEFFICIENT_H */
