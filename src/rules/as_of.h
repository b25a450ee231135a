/*
 * as_of.h
 *		Up to where the ledger is seen: what a checkpoint and those before it
 *		cover.  A package is judged as of the checkpoint that covers it first, so
 *		the verdict is the same at every node and in every year; a certificate, a
 *		status and a reward as of the one that they name.
 */
#ifndef ECERT_RULES_AS_OF_H
#define ECERT_RULES_AS_OF_H

#include "rules/rules.h"

/* Everything is seen, sealed or not */
#define ECERT_AS_OF_NOW INT64_MAX

/* From here on the ledger is seen as of the checkpoint with that seq, or ECERT_AS_OF_NOW */
extern void ecert_see_as_of(EcertRules *rules, int64_t checkpoint);

/* Is a package seen as of rules->as_of?  The genesis package always is */
extern bool ecert_is_seen(EcertRules *rules, const EcertEntry *entry);

/* Does a node, relation or policy package count: it is the certifier's, is seen, and nothing was found against it? */
extern bool ecert_is_in_force(EcertRules *rules, const EcertEntry *entry);

/* The first seq of a feed of the certifier that is not seen; INT64_MAX: all of it is */
extern int64_t ecert_seen_before(EcertRules *rules, EcertKind kind);

/* The last package of a feed of the certifier up to a seq; false: there is none */
extern bool ecert_last_until(EcertRules *rules, EcertKind kind, int64_t last, EcertEntry *entry);

/* The newest package of the certifier of a kind that is seen; false: there is none */
extern bool ecert_newest_seen(EcertRules *rules, EcertKind kind, EcertEntry *entry);

/* How far clocks may be apart, in seconds: "now" is, as of a checkpoint, its issued_at, and so much may a package that it covers be ahead of that */
#define ECERT_CLOCKS_APART 300

/*
 * Is what a package says no later than the checkpoint that covers it first
 * allows?  sealed_at: INT64_MAX: none does.  Node packages are not asked: keys
 * count by times of their own, and have to be known before checkpoints are
 */
extern bool ecert_check_seal_time(EcertKind kind, int64_t issued_at, int64_t sealed_at, EcertFinding *finding);

/* When a checkpoint was issued; INT64_MAX: it is not here, or none (ECERT_AS_OF_NOW) */
extern int64_t ecert_sealed_at(EcertRules *rules, int64_t checkpoint);

/* Was a package issued later than its first checkpoint allows?  Then it does not count, whatever is seen */
extern bool ecert_is_from_future(EcertRules *rules, const EcertEntry *entry);

#endif							/* ECERT_RULES_AS_OF_H */
