/*
 * view.h
 *		The rules' view of the ledger in the dump, and what a thread needs to
 *		judge packages by them.
 */
#ifndef ECERT_VERIFIER_VIEW_H
#define ECERT_VERIFIER_VIEW_H

#include "rules/rules.h"
#include "verifier/arena.h"
#include "verifier/verifier.h"

/* Packages by a number: of the subject's id, or of the package that they name; and in that by seq */
typedef struct ByNumber
{
	struct NumberedEntry
	{
		uint32_t	number;
		uint32_t	entry;
	}		   *list;
	size_t		count;
} ByNumber;

/* Made once for all threads, when the index is sorted */
typedef struct ViewIndex
{
	ByNumber	about[ECERT_KIND_COUNT];	/* by subject; of kinds that are about somebody else than their issuer */
	ByNumber	rewards;		/* by the audit that they name */
} ViewIndex;

extern void view_index_open(ViewIndex *index, const Ledger *ledger);
extern void view_index_close(ViewIndex *index);

/* A thread's */
typedef struct LedgerView
{
	EcertView	view;			/* first */
	const Ledger *ledger;
	const ViewIndex *index;		/* NULL: what is about a subject is not looked up */
	Reader		reader;
} LedgerView;

typedef struct LedgerRules
{
	EcertRules	rules;
	LedgerView	view;
	Arena		arena;			/* of the package at hand */
	Arena		kept;
} LedgerRules;

extern LedgerRules *ledger_rules_new(const Ledger *ledger, const ViewIndex *index);
extern void ledger_rules_free(LedgerRules *rules);

/* Write down what a rule found */
extern void ledger_finding(Ledger *ledger, const Entry *entry, const EcertFinding *finding, Arena *arena);

/* Judge a package by the rule of its kind; false when it breaks it, which is written down */
extern bool ledger_rule(LedgerRules *rules, Ledger *ledger, const Entry *entry, const EcertPackage *package);

#endif							/* ECERT_VERIFIER_VIEW_H */
