/*
 * kind_rules.h
 *		The rules that the table of kinds names, each in a file of its own.
 */
#ifndef ECERT_RULES_KIND_RULES_H
#define ECERT_RULES_KIND_RULES_H

#include "rules/rules.h"

/* ecert_rule_genesis, ecert_rule_node ...; energy and product share one */
#define ECERT_RULE(CODE, name) extern bool ecert_rule_##name(EcertCase *it);
ECERT_KINDS(ECERT_RULE)
extern bool ecert_rule_declaration(EcertCase *it);

#endif							/* ECERT_RULES_KIND_RULES_H */
