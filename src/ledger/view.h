/*
 * view.h
 *		The rules' view of this database's ledger (rules/view.h), by index scans.
 */
#ifndef ECERT_LEDGER_VIEW_H
#define ECERT_LEDGER_VIEW_H

#include "ledger/ledger.h"
#include "pg/arena.h"
#include "utils/snapshot.h"

/* What is seen of the ledger */
typedef enum EcertSight
{
	ECERT_SEE_PRESENT,			/* what is committed now, and what this transaction did: for admission, in every isolation level */
	ECERT_SEE_QUERY				/* what the calling query sees: for functions that only read, and parallel workers */
} EcertSight;

/* A view and what rules hold from package to package; goes with its memory context */
typedef struct EcertLedgerRules
{
	EcertRules	rules;
	EcertView	view;
	EcertSight	sight;
	EcertRegistry *registry;	/* that keys are looked up in; NULL: the one of ecert_registry_current() */
	EcertContextArena arena;	/* of the package at hand */
	EcertContextArena kept;
	MemoryContext reading;		/* of the package that was read last */
	bool		is_filtered;	/* this node is not sent all feeds */
	bool		knows_filter;
	SnapshotData seen;			/* of which only the numbers count: what was remembered was seen under it */
	uint64		rollbacks;		/* and before so many more */
} EcertLedgerRules;

/* In a context; what its texts are lives as long as the registry, so it is made anew after queries that may change that */
extern EcertLedgerRules *ecert_ledger_rules(MemoryContext parent, EcertSight sight, EcertRegistry *registry);

/* Before the next package: give back what was needed for the last one */
extern void ecert_ledger_rules_next(EcertLedgerRules *ledger);

/* Is this node not sent all feeds, so that it cannot judge what rests on the others? */
extern bool ecert_is_filtered(EcertLedgerRules *ledger);

/* The one of a function's calls within one query: what is remembered of an applicant serves the rows that follow */
extern EcertLedgerRules *ecert_ledger_rules_of(FmgrInfo *flinfo);

/* The same for functions that SQL calls: raises unless the caller may read ledger.package */
extern EcertLedgerRules *ecert_ledger_rules_of_reader(FunctionCallInfo fcinfo);

/* Arguments of such functions: text, of size 0 when it is NULL; a last seq, which is the greatest when it is NULL */
extern EcertSlice ecert_text_argument(FunctionCallInfo fcinfo, int number);
extern int64 ecert_seq_argument(FunctionCallInfo fcinfo, int number);

/* Is a method "value"?  Raises unless it is that or "product" */
extern bool ecert_is_by_value(EcertSlice method);

/* The seq of the last checkpoint that is taken up; -1: none is */
typedef int64 (*EcertTakenUpHook) (void);
extern void ecert_set_taken_up_hook(EcertTakenUpHook hook);
extern int64 ecert_taken_up(void);

#endif							/* ECERT_LEDGER_VIEW_H */
