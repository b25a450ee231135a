/*
 * void.h
 *		Packages that are on the ledger and do not count, because their key had
 *		ended before they were issued: a node package that came later says so.
 */
#ifndef ECERT_RULES_VOID_H
#define ECERT_RULES_VOID_H

#include "rules/rules.h"

/*
 * Had the key of a package ended before it was issued, by the node packages
 * that are seen?  The certifier's packages are never void
 */
extern bool ecert_is_void(EcertRules *rules, const EcertEntry *entry);

/* The first node package that makes it void; false: none does */
extern bool ecert_voided_by(EcertRules *rules, const EcertEntry *entry, EcertEntry *said);

#endif							/* ECERT_RULES_VOID_H */
