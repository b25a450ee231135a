/*
 * kind_rules.h
 *		The rules that the table of kinds names, each in a file of its own.
 */
#ifndef ECERT_RULES_KIND_RULES_H
#define ECERT_RULES_KIND_RULES_H

#include "rules/rules.h"

#pragma GCC visibility push(hidden)

extern bool ecert_rule_genesis(EcertCase *it);
extern bool ecert_rule_node(EcertCase *it);
extern bool ecert_rule_relation(EcertCase *it);
extern bool ecert_rule_policy(EcertCase *it);
extern bool ecert_rule_declaration(EcertCase *it);	/* energy and product */
extern bool ecert_rule_audit(EcertCase *it);
extern bool ecert_rule_certificate(EcertCase *it);
extern bool ecert_rule_status(EcertCase *it);
extern bool ecert_rule_reward(EcertCase *it);
extern bool ecert_rule_checkpoint(EcertCase *it);
extern bool ecert_rule_witness(EcertCase *it);

#pragma GCC visibility pop

#endif							/* ECERT_RULES_KIND_RULES_H */
