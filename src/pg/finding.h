/*
 * finding.h
 *		Findings of src/rules as PostgreSQL's errors.
 */
#ifndef ECERT_PG_FINDING_H
#define ECERT_PG_FINDING_H

#include "pg/compat.h"
#include "rules/finding.h"

#pragma GCC visibility push(hidden)

/* The SQLSTATE of a finding, as ereport() takes it */
extern int	ecert_finding_errcode(const EcertFinding *finding);

/* Message and detail in one, as verification lists it; palloc'd */
extern char *ecert_finding_words(const EcertFinding *finding);

/* Raise what a rule has found */
ECERT_NORETURN extern void ecert_raise_finding(const EcertFinding *finding);

#pragma GCC visibility pop

#endif							/* ECERT_PG_FINDING_H */
