/*
 * live.h
 *		The packages of an applicant that count for a period.
 */
#ifndef ECERT_RULES_LIVE_H
#define ECERT_RULES_LIVE_H

#include "rules/applicant.h"

/*
 * The live packages of a kind within a period, in the order of time: of a
 * package and those that replace it the newest that counts.  A package that
 * stands in the way of one that was there before, or runs backwards behind it,
 * and does not replace one as the rule asks, does not count
 */
typedef struct EcertLiveWalk
{
	EcertRules *rules;
	const EcertTimeline *timeline;
	size_t		at;
	EcertPeriod within;
	int64_t		reach;			/* where the last one ends */
	int64_t		reach_seq;		/* and the seq with which its period was there first */
} EcertLiveWalk;

extern EcertLiveWalk ecert_live_begin(EcertRules *rules, EcertApplicant *applicant, EcertKind kind, EcertPeriod within);
extern const EcertEntry *ecert_live_next(EcertLiveWalk *walk);

/* The parts of a period that no live package covers, as a multirange is printed; NULL when there are none */
extern const char *ecert_gaps(EcertRules *rules, EcertApplicant *applicant, EcertKind kind, EcertPeriod within);

/* The first package that replaces one as the rule asks, and counts; NULL: none does */
extern const EcertEntry *ecert_replacement(EcertRules *rules, EcertApplicant *applicant, const EcertEntry *entry);

/* The package that a live one took the place of, or one that it took the place of, and so on; NULL: it was the first */
extern const EcertEntry *ecert_replaced(EcertRules *rules, EcertApplicant *applicant, const EcertEntry *entry);

/* The newest package that has replaced one of an audit's packages and is outside of it; NULL: none has */
extern const EcertEntry *ecert_audit_overtaken_by(EcertRules *rules, EcertApplicant *applicant, const EcertAudit *audit);

static inline bool
ecert_audit_overtaken(EcertRules *rules, EcertApplicant *applicant, const EcertAudit *audit)
{
	return ecert_audit_overtaken_by(rules, applicant, audit) != NULL;
}

#endif							/* ECERT_RULES_LIVE_H */
