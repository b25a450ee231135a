/*
 * rules.h
 *		The rules of the kinds, and what they look up.
 *
 * They are those of the rule_... functions in SQL, as ecert.problems() calls
 * them: of what was in force when a package was first admitted nothing is
 * asked, of what it rests on everything.  Like there, packages that are wrong in
 * themselves are told of, and count all the same: so that one changed byte is
 * one problem, and not one of each package that rests on it.
 */
#ifndef ECERT_VERIFIER_RULES_H
#define ECERT_VERIFIER_RULES_H

#include "verifier/fields.h"

/* Entries of a kind, sorted by subject and seq */
typedef struct BySubject
{
	const Entry **entries;
	size_t		count;
} BySubject;

/* A relation package of the certifier */
typedef struct Relation
{
	uint32_t	applicant;
	uint32_t	auditor;
	int64_t		seq;
	int64_t		from;
	int64_t		to;				/* INT64_MAX: no end */
	AuditRole	role;
} Relation;

/* A status package */
typedef struct Change
{
	const Entry *certificate;
	const Entry *entry;
	char		status[12];
} Change;

/* Each thread has a copy, with buffers and an arena of its own; the rest does not change any more */
typedef struct Rules
{
	Ledger	   *ledger;
	uint8_t    *buffer;			/* of the package whose rule is checked, ECERT_PACKAGE_MAX bytes */
	uint8_t    *other;			/* of another one that it is held against */
	Arena		arena;			/* of the package whose rule is checked */
	BySubject	nodes;			/* the certifier's */
	BySubject	audits;			/* anybody's, and the next */
	BySubject	certificates;
	Relation   *relations;		/* by applicant, auditor, role and seq */
	size_t		relation_count;
	Change	   *changes;		/* by certificate and seq */
	size_t		change_count;
} Rules;

/* A package whose rule is checked */
typedef struct Case
{
	Rules	   *rules;
	const Entry *entry;
	EcertPackage package;
} Case;

#define SAY(it, ...) ledger_problem((it)->rules->ledger, (it)->entry, __VA_ARGS__)

/* A thread's own copy, and its end */
extern void rules_begin(Rules *own, const Rules *shared);
extern void rules_end(Rules *own);

/* Read a package to be judged; false when it cannot be read, or has a body that says nothing to judge */
extern bool case_open(Case *it, Rules *rules, const Entry *entry);

/* lookup.c: what is on the ledger */
extern void lookup_open(Rules *rules);
extern void lookup_close(Rules *rules);
extern const Entry *const *of_subject(const BySubject *list, uint32_t subject, size_t *count);

/* A node's whole state as of before that seq of the certifier's node feed; borrowed from rules->other.  False: not enrolled */
extern bool node_state(Rules *rules, uint32_t node, int64_t before, EcertSlice *state);
extern bool was_related(const Rules *rules, uint32_t auditor, uint32_t applicant, AuditRole role, int64_t at);

/*
 * The newest change of a certificate's status before a status package; NULL:
 * none.  Of two with one seq, which feeds of several issuers may have, that of
 * the package's issuer.
 */
extern const Change *last_change(const Rules *rules, const Entry *certificate, const Entry *before);

/* The rules; false when a problem was told */
extern bool rule_node(Case *it);
extern bool rule_relation(Case *it);
extern bool rule_policy(Case *it);
extern bool rule_audit(Case *it);
extern bool rule_status(Case *it);

/* Those that look at several packages at once: all of a feed, all of the ledger.  The latter use all threads */
extern void check_audits(Rules *rules, const Entry *feed, size_t count);
extern void check_certificates(const Rules *rules);
extern void check_rewards(Rules *rules);

#endif							/* ECERT_VERIFIER_RULES_H */
