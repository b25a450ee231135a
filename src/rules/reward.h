/*
 * reward.h
 *		What of an audit has been paid for.
 */
#ifndef ECERT_RULES_REWARD_H
#define ECERT_RULES_REWARD_H

#include "rules/applicant.h"

/*
 * Does an audit cover a package for which its auditor has not been rewarded in
 * that role yet, before that seq of the reward feed
 */
extern bool ecert_has_unrewarded(EcertRules *rules, EcertApplicant *applicant, const EcertAudit *audit, int64_t before);

#endif							/* ECERT_RULES_REWARD_H */
