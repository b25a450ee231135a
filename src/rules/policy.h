/*
 * policy.h
 *		A policy as audits are rewarded and certificates are issued under it; its
 *		coefficients are coefficient.h's.
 */
#ifndef ECERT_RULES_POLICY_H
#define ECERT_RULES_POLICY_H

#include "rules/calendar.h"
#include "rules/rules.h"

/* So many auditors in a role must have a passing audit over each package */
typedef struct EcertRequired
{
	EcertAuditRole role;
	int64_t		count;
} EcertRequired;

/* Borrows from the body, which the caller keeps */
typedef struct EcertPolicy
{
	EcertSlice	body;			/* the whole policy */
	EcertRequired *required;	/* by role */
	size_t		required_count;
	EcertSlice	denominator;
	EcertSlice	threshold_item;
	EcertSlice	electricity;
	EcertSlice	zone;			/* of the calendar */
	EcertCalendar calendar;
	EcertSlice	title;			/* what a certificate is called: the item; of size 0: nothing in particular */
	int64_t		valid_days;
	int64_t		seal_within;	/* seconds from a checkpoint to what rests on it */
	EcertSlice	reward;			/* the map of amounts */
} EcertPolicy;

/* The policy in the package of that hash, genesis' own too; false: it is none on this ledger */
extern bool ecert_policy_of_hash(EcertRules *rules, const uint8_t *hash, EcertPolicy *policy);

/* The hash of the package with the policy in force: the newest policy that counts, or genesis */
extern void ecert_policy_in_force(EcertRules *rules, uint8_t *hash);

#endif							/* ECERT_RULES_POLICY_H */
