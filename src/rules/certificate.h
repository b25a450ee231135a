/*
 * certificate.h
 *		Certificates: what stands against one, what its body says, its status.
 *		The certifier asks before it issues one; the rule of the kind asks the
 *		same of one that was issued.
 */
#ifndef ECERT_RULES_CERTIFICATE_H
#define ECERT_RULES_CERTIFICATE_H

#include "rules/document.h"
#include "rules/live.h"
#include "rules/policy.h"

/* What a certificate is about, and the state of the ledger that it rests on */
typedef struct EcertCertified
{
	EcertSlice	applicant;
	EcertPeriod period;
	EcertPeriod baseline;
	bool		by_value;		/* method value: by the value of the qualified output, not by the output */
	uint8_t		policy_hash[ECERT_HASH_SIZE];
	EcertPolicy policy;
	uint8_t		checkpoint[ECERT_HASH_SIZE];	/* hash of the one that it rests on: everything is seen as of it */
} EcertCertified;

/* What a certificate's body says it is about; the policy is not read */
extern void ecert_read_certified(EcertSlice body, EcertCertified *certified);

/* The applicant's live packages of a kind within one of the two periods */
static inline EcertLiveWalk
ecert_certified_begin(EcertRules *rules, const EcertCertified *certified, EcertKind kind, EcertPeriod within)
{
	return ecert_live_begin(rules, ecert_applicant(rules, certified->applicant), kind, within);
}

/* What a body is to say that can be computed: figures, packages used, verdict.  False: it cannot be, see finding */
extern bool ecert_certificate_figures(EcertRules *rules, const EcertCertified *certified, EcertSlice *figures, EcertFinding *finding);

/* Are so many live packages of the two periods not covered as a role's auditors must? */
typedef struct EcertUncovered
{
	EcertKind	kind;
	int64_t		count;
	EcertPeriod first;			/* the period of the first of them */
} EcertUncovered;

typedef struct EcertAuditList
{
	EcertAudit **list;
	size_t		count;
} EcertAuditList;

/* The audits that touch the period or the baseline, are neither void nor overtaken, and have that verdict; ECERT_VERDICT_ANY: whatever they say */
extern EcertAuditList ecert_standing_audits(EcertRules *rules, const EcertCertified *certified, EcertVerdict verdict);

/* What a certificate is computed from, as the ledger is seen now */
typedef struct EcertBasis
{
	EcertEntry *packages;		/* live: energy of the baseline and of the period, then product */
	size_t		count;
	size_t		counts[4];		/* of each of the four */
	EcertAuditList audits;		/* that count over them, whatever they say */
} EcertBasis;

extern EcertBasis ecert_basis_of(EcertRules *rules, const EcertCertified *certified);

/* Is one of its packages among those that an audit names? */
extern bool ecert_is_over(const EcertBasis *basis, const EcertAudit *audit);

/* audits: given, all of which pass and stand */
extern EcertUncovered ecert_uncovered(EcertRules *rules, const EcertCertified *certified, const EcertAuditList *audits,
									  const EcertRequired *required, EcertKind kind);

/* What stands against a certificate */
typedef struct EcertObstacle
{
	const char *obstacle;		/* period_not_over and the like, or the status of a product */
	const char *detail;
} EcertObstacle;

typedef struct EcertObstacles
{
	EcertArena *arena;
	EcertObstacle *list;
	size_t		count;
	size_t		room;
} EcertObstacles;

/* In the periods, in how packages cover them, in the applicant, its feeds and its audits, at a time */
extern void ecert_ledger_obstacles(EcertRules *rules, const EcertCertified *certified, int64_t now, EcertObstacles *obstacles);

/*
 * Everything, that is also another live certificate, sources without
 * coefficient and the statuses of the figures, which are computed; they are
 * of size 0 when they cannot be
 */
extern void ecert_all_obstacles(EcertRules *rules, const EcertCertified *certified, int64_t now, EcertSlice *figures,
								EcertObstacles *obstacles);

/* What the figures of a body themselves say against it: the status of a product, or that there is no saving */
extern void ecert_status_obstacles(EcertSlice body, EcertObstacles *obstacles);

/* False when there is an obstacle: the finding names the first so many */
extern bool ecert_no_obstacle(const EcertCertified *certified, const EcertObstacles *obstacles, size_t most, EcertFinding *finding);

/* The body of the certificate with that seq: figures and terms; valid from a time on */
extern EcertSlice ecert_certificate_body(EcertRules *rules, const EcertCertified *certified, EcertSlice figures, int64_t seq, int64_t valid_from);

/* Do a certificate's figures equal what is computed as of the checkpoint that it names?  False with finding filled */
extern bool ecert_figures_agree(EcertRules *rules, const EcertPackage *package, EcertFinding *finding);

/* A certificate's status, before a seq of the status feed */
typedef struct EcertStatus
{
	EcertSlice	status;			/* active, suspended or withdrawn */
	EcertSlice	reason;			/* of size 0: active from the beginning */
	int64_t		since;
} EcertStatus;

extern EcertStatus ecert_certificate_status(EcertRules *rules, const EcertEntry *certificate, int64_t before);

/* A certificate before that seq for an overlapping period that is not withdrawn by the statuses before theirs; false: there is none */
extern bool ecert_live_certificate(EcertRules *rules, EcertSlice applicant, EcertPeriod period, int64_t before, int64_t before_status,
								   EcertEntry *certificate);

#endif							/* ECERT_RULES_CERTIFICATE_H */
