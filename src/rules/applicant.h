/*
 * applicant.h
 *		What rules look up of an applicant: its energy and product packages by
 *		time, which of them are live, the audits of it, who is related to it.
 *		Remembered until another applicant is asked for (EcertRules.kept).
 */
#ifndef ECERT_RULES_APPLICANT_H
#define ECERT_RULES_APPLICANT_H

#include "rules/fields.h"
#include "rules/rules.h"

/* What is known of a package of a timeline */
typedef struct EcertOrder
{
	int64_t		lowest;			/* of it and those behind it the lowest seq */
	bool		may_be_early;	/* it is issued before the package with the seq before */
	bool		is_timed;		/* the next is known */
	bool		is_from_future; /* as_of.h */
} EcertOrder;

/* The packages of a feed that have a period, by its start and then by seq */
typedef struct EcertTimeline
{
	EcertEntry *list;
	EcertOrder *order;			/* of each */
	size_t		count;
	EcertPeriod span;			/* what begins within is here; start == end: nothing was asked for yet */
} EcertTimeline;

/* A relation package of the certifier about the applicant */
typedef struct EcertRelation
{
	EcertEntry	entry;
	EcertSlice	auditor;
	EcertAuditRole role;
	int64_t		from;
	int64_t		to;				/* INT64_MAX: no end */
} EcertRelation;

typedef enum EcertVerdict
{
	ECERT_VERDICT_PASS,
	ECERT_VERDICT_FAIL,
	ECERT_VERDICT_ABSTAIN,
	ECERT_VERDICT_ANY			/* no audit's */
} EcertVerdict;

/* An audit of the applicant */
typedef struct EcertAudit
{
	EcertEntry	entry;
	bool		is_read;		/* what follows is */
	EcertAuditRole role;
	EcertVerdict verdict;
	EcertRanges ranges;			/* without hashes */
	bool		is_judged;		/* by ecert_audit_counts() */
	bool		is_sound;
} EcertAudit;

struct EcertApplicant
{
	EcertSlice	id;
	EcertTimeline energy;
	EcertTimeline product;
	EcertRelation *relations;
	size_t		relation_count;
	bool		has_relations;	/* they were read */
	EcertAudit *audits;			/* by issuer and seq */
	size_t		audit_count;
	bool		has_audits;		/* they were listed */
};

/* What is remembered of an applicant, which becomes the one remembered */
extern EcertApplicant *ecert_applicant(EcertRules *rules, EcertSlice id);

/* Its packages of a kind that begin within a span, and perhaps more.  Good until more is asked for */
extern const EcertTimeline *ecert_timeline(EcertRules *rules, EcertApplicant *applicant, EcertKind kind, EcertPeriod span);

/* The place of the first package that does not begin before that time */
extern size_t ecert_first_from(const EcertTimeline *timeline, int64_t start);

/* Is a package seen, and not void? */
extern bool ecert_counts(EcertRules *rules, const EcertEntry *entry);

/* Does the package at a place count by itself: is it that, not from the future, and not issued before the one before it in its feed that is not void? */
extern bool ecert_is_sound_at(EcertRules *rules, const EcertTimeline *timeline, size_t place);

/* The audits of an applicant; read gives back NULL when the audit's bytes cannot be read */
extern size_t ecert_audit_count(EcertRules *rules, EcertApplicant *applicant);
extern EcertAudit *ecert_audit_read(EcertRules *rules, EcertApplicant *applicant, size_t number);

/* The audit of that hash, read; NULL when there is none of this applicant */
extern EcertAudit *ecert_audit_of_hash(EcertRules *rules, EcertApplicant *applicant, const uint8_t *hash);

/* Does an audit that was read count: is it seen, not void, and right by its rule as of the checkpoint that covers it first (audit.c) */
extern bool ecert_audit_counts(EcertRules *rules, EcertAudit *audit);

/*
 * Does an audit cover a package for which its auditor has not been rewarded in
 * that role yet, before that seq of the reward feed (reward.c)
 */
extern bool ecert_has_unrewarded(EcertRules *rules, EcertApplicant *applicant, const EcertAudit *audit, int64_t before);

#endif							/* ECERT_RULES_APPLICANT_H */
