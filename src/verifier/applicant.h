/*
 * applicant.h
 *		An applicant's energy and product packages by time, and the audits of
 *		them: what the checks of all its certificates look up.
 */
#ifndef ECERT_VERIFIER_APPLICANT_H
#define ECERT_VERIFIER_APPLICANT_H

#include "verifier/fields.h"

/* The packages of a feed that have a period, by its start and then by seq */
typedef struct Timeline
{
	const Entry **entries;
	size_t		count;
} Timeline;

typedef struct Audit
{
	const Entry *entry;
	AuditRole	role;
	bool		passed;
	Range	   *ranges;
	size_t		range_count;
} Audit;

typedef struct Applicant
{
	uint32_t	id;				/* NO_ID: one that the ledger does not know, who has nothing */
	Timeline	energy;
	Timeline	product;
	Audit	   *audits;			/* all that have it as subject, by hash */
	size_t		audit_count;
	bool		has_impossible_range;	/* one of the audits has */
	Arena		arena;			/* of the audits */
} Applicant;

/* All zeros is closed; entries are those audits on the ledger that have the applicant as subject */
extern void applicant_open(Applicant *applicant, const Ledger *ledger, uint32_t id, const Entry *const *audits, size_t audit_count, uint8_t *buffer);
extern void applicant_close(Applicant *applicant);

/* The audit of that hash; NULL when there is none of this applicant */
extern const Audit *applicant_audit(const Applicant *applicant, const uint8_t *hash);

extern const Timeline *applicant_timeline(const Applicant *applicant, EcertKind kind);

/*
 * The live packages within a period, in the order of time: of a package and
 * those that replace it the newest up to a seq (ecert.live_packages()).
 */
typedef struct LiveWalk
{
	const Timeline *timeline;
	size_t		at;
	EcertPeriod within;
	int64_t		last;
} LiveWalk;

extern LiveWalk live_begin(const Timeline *timeline, EcertPeriod within, int64_t last);
extern const Entry *live_next(LiveWalk *walk);

/*
 * Has one of an audit's packages been replaced by one outside of it, up to
 * these seqs of the feeds (ecert.audit_void())
 */
extern bool audit_void(const Applicant *applicant, const Audit *audit, int64_t energy_last, int64_t product_last);

#endif							/* ECERT_VERIFIER_APPLICANT_H */
