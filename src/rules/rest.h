/*
 * rest.h
 *		Packages of the certifier that rest on a checkpoint (certificate, status,
 *		reward): what they state is judged as of it.
 */
#ifndef ECERT_RULES_REST_H
#define ECERT_RULES_REST_H

#include "rules/rules.h"

/*
 * See the ledger as of the checkpoint that the package names.  False with a
 * finding when it may not rest on that one: the next sealing must be the first
 * that covers the package, which was issued at most seal_within of the policy later
 */
extern bool ecert_rest_on_checkpoint(EcertCase *it, EcertEntry *checkpoint);

/* May a package that was issued then rest on a checkpoint, by the seconds that the policy gives it? */
extern bool ecert_check_rest_time(const EcertEntry *checkpoint, int64_t issued_at, int64_t seal_within, EcertFinding *finding);

#endif							/* ECERT_RULES_REST_H */
