/*
 * rules.h
 *		The rules of the kinds, one file each, for rules.c to call.
 */
#ifndef ECERT_VERIFIER_RULES_H
#define ECERT_VERIFIER_RULES_H

#include "verifier/ledger.h"

/* A package whose rule is checked: its place in the ledger and its bytes */
typedef struct Case
{
	Ledger	   *ledger;
	const Entry *entry;
	const EcertPackage *package;
} Case;

extern void rule_relation(const Case *it);

#endif							/* ECERT_VERIFIER_RULES_H */
