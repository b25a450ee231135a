/*
 * coefficient.h
 *		The coefficients of a policy, read once and then looked up.
 */
#ifndef ECERT_REGISTRY_COEFFICIENT_H
#define ECERT_REGISTRY_COEFFICIENT_H

#include "package/datum.h"

#pragma GCC visibility push(hidden)

typedef struct EcertCoefficients EcertCoefficients;

/* A policy argument; NULL is a policy without anything in it */
extern Jsonb *ecert_policy_arg(FunctionCallInfo fcinfo, int number);

/*
 * The coefficients of a policy, as ecert.coefficients() lists them; kept with
 * the caller's flinfo, so that a query reads them once.
 */
extern const EcertCoefficients *ecert_coefficients_of(FmgrInfo *flinfo, Jsonb *policy);

/* kgce of one unit of a source; NULL when the policy has none */
extern Numeric ecert_coefficient(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit);

#pragma GCC visibility pop

#endif							/* ECERT_REGISTRY_COEFFICIENT_H */
