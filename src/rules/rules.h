/*
 * rules.h
 *		The rules of the kinds, once: what a package must meet beyond its form,
 *		signature and place in its feed, judged over a view of the ledger.
 *
 * Of what was in force when a package was first admitted only first admission
 * asks (design.md, "Rules of the kinds"); of what it rests on everybody does.
 */
#ifndef ECERT_RULES_RULES_H
#define ECERT_RULES_RULES_H

#include "rules/finding.h"
#include "rules/view.h"

typedef struct EcertApplicant EcertApplicant;
struct EcertCheckpoint;

/* How far a feed is seen (as_of.c); of size 0: not known */
typedef struct EcertHorizon
{
	uint8_t		issuer[ECERT_ID_MAX];
	size_t		size;
	EcertKind	kind;
	int64_t		last;
} EcertHorizon;

/* When the keys of a node ended (void.c) */
typedef struct EcertKeyEnd
{
	uint8_t		kid[ECERT_HASH_SIZE];
	int64_t		until;
} EcertKeyEnd;

typedef struct EcertKeyEnds
{
	EcertSlice	node;
	int64_t		as_of;
	int64_t		earliest;		/* INT64_MAX: none ended */
	EcertKeyEnd *list;
	size_t		count;
} EcertKeyEnds;

/* When a checkpoint was issued (as_of.c) */
typedef struct EcertSealTime
{
	bool		is_known;
	int64_t		checkpoint;
	int64_t		issued_at;
} EcertSealTime;

#define ECERT_SEAL_TIMES 64

/* Packages of a feed that one checkpoint covers first (as_of.c) */
typedef struct EcertSealedRange
{
	uint8_t		issuer[ECERT_ID_MAX];
	size_t		size;			/* 0: none */
	EcertKind	kind;
	int64_t		first;
	int64_t		last;
	int64_t		sealed_at;
} EcertSealedRange;

/* What one who judges packages holds from one to the next; starts as zeros but for its first four, and sees everything once ecert_see_as_of() has said so */
typedef struct EcertRules
{
	EcertView  *view;
	EcertArena *arena;			/* of the package at hand: its owner gives it back before the next */
	EcertArena *kept;			/* of what is remembered from package to package, given back by ecert_rules_forget() */
	void		(*forget) (EcertArena *kept);	/* gives kept back */
	EcertApplicant *applicant;	/* the one that was asked for last; NULL: none */
	EcertKeyEnds *ends;			/* of the node that was asked for last; NULL: of none */
	int64_t		as_of;			/* seq of a checkpoint: what it and those before it cover is seen; INT64_MAX: everything (as_of.h) */
	EcertHorizon horizon;
	EcertSealedRange sealed;	/* that was asked for last */
	EcertSealTime seal_times[ECERT_SEAL_TIMES]; /* of checkpoints that were asked for, each in the place that its seq gives */
} EcertRules;

/* A package under judgement */
typedef struct EcertCase
{
	EcertRules *rules;
	const EcertPackage *package;
	bool		first_admission;	/* where it is first admitted: also by what is in force now */
	EcertFinding *finding;
} EcertCase;

/* Drop what is remembered: the ledger may have changed */
extern void ecert_rules_forget(EcertRules *rules);

/* ---- kinds.c: one row for each kind ---- */

/* A field of a body that names something that must be on the ledger first */
typedef enum EcertReferenceType
{
	ECERT_NAMES_NOTHING,
	ECERT_NAMES_HASH,			/* the package with that hash */
	ECERT_RESTS_ON_CHECKPOINT,	/* the checkpoint with that hash, and all packages that it and those before it cover */
	ECERT_RESTS_ON_FEED,		/* the whole feed of a kind, of whom the field names or of anybody: a node that is not sent it cannot judge */
	ECERT_NAMES_RANGES,			/* ranges of the applicant's feeds */
	ECERT_NAMES_ROLE,			/* an enrolled node; of is its role */
	ECERT_NAMES_SEAL_KEYS,		/* the certifier's keys that sealed it */
	ECERT_NAMES_WITNESS_KEY,	/* a key of the issuer that cosigned it, where it has a cosignature in its name */
	ECERT_NAMES_RELATION		/* the relation of the issuer to the applicant as what the field says */
} EcertReferenceType;

typedef enum EcertReferenceIssuer
{
	ECERT_BY_ANYBODY,
	ECERT_BY_CERTIFIER,
	ECERT_BY_AUDITOR			/* whom the body names as auditor */
} EcertReferenceIssuer;

typedef struct EcertReference
{
	EcertReferenceType type;
	const char *field;
	EcertKind	kind;			/* of what it names */
	EcertReferenceIssuer issuer;	/* of what it names */
	int			role;			/* of ECERT_NAMES_ROLE */
} EcertReference;

#define ECERT_REFERENCES 4

/* Whom a kind's packages are about */
typedef enum EcertSubjectType
{
	ECERT_SUBJECT_ORIGIN,
	ECERT_SUBJECT_ISSUER,
	ECERT_SUBJECT_FIELD,		/* whom a field of the body names */
	ECERT_SUBJECT_BY_RULE		/* whom the kind's rule finds out */
} EcertSubjectType;

typedef struct EcertKindRow
{
	int			issuer_role;	/* role of whoever may issue it; certifier: only who signed genesis */
	EcertSubjectType subject;
	const char *subject_field;
	bool		has_periods;	/* periods of a feed run forward, but of packages that replace others */
	bool		rests_on_checkpoint;	/* names the checkpoint as of which it is judged (rest.h) */
	bool		is_woken_by_hash;	/* others wait for one by its hash */
	bool		(*rule) (EcertCase *it);
	EcertReference names[ECERT_REFERENCES];	/* what it must wait for */
} EcertKindRow;

extern const EcertKindRow ecert_kinds[ECERT_KIND_COUNT];

/* Their rules: ecert_rule_node() and so on; energy and product share one */
#define ECERT_KIND_RULE(CODE, name) extern bool ecert_rule_##name(EcertCase *it);
ECERT_KINDS(ECERT_KIND_RULE)
extern bool ecert_rule_declaration(EcertCase *it);

/* The subject that a kind's body asks for; of size 0 when the body does not say (status) */
extern EcertSlice ecert_subject_of(EcertKind kind, EcertSlice body, EcertSlice issuer, EcertSlice origin);

/*
 * Judge a package by the rule of its kind, as of the checkpoint that covers it
 * first, or as of now; false, with *finding filled, when it breaks it */
extern bool ecert_rule_check(EcertRules *rules, const EcertPackage *package, bool first_admission, EcertFinding *finding);

/* ---- reference.c: what a package must wait for ---- */

/* Something that a package names is not here */
typedef struct EcertMissing
{
	/*
	 * What ledger.pending keeps: "energy 7 of plant", "key of plant", "relation
	 * of mine to plant as upstream", "policy <hash>", "sealing 7" (all that the
	 * checkpoint covers); NULL: nothing is missing
	 */
	const char *key;
	bool		is_held;		/* its feed is sent here: it will come; else this node cannot judge the package */
	bool		all_held;		/* all that is missing, as far as it was looked for, is of feeds that are sent here */
} EcertMissing;

/*
 * What a package names and is not here: the first that will come, or else the
 * first that will not.  whole: look for all of it, which all_held then speaks
 * of.  False: everything is here
 */
extern bool ecert_missing(EcertRules *rules, const EcertPackage *package, bool whole, EcertMissing *missing);

/* The key of a package by its place in a feed */
extern const char *ecert_place_key(EcertKind kind, int64_t seq, EcertSlice issuer, EcertArena *arena);

/* The keys that a package wakes when it is on the ledger; returns how many */
#define ECERT_WAKE_KEYS 2
extern size_t ecert_wake_keys(const EcertPackage *package, const uint8_t *hash, EcertArena *arena, const char **keys);

/* ---- feed.c: a package's place ---- */

/* The end of a feed before a package */
typedef struct EcertFeedEnd
{
	int64_t		seq;			/* -1: the feed is empty */
	const uint8_t *hash;
	int64_t		issued_at;
	int64_t		period_end;		/* where the next period may begin */
} EcertFeedEnd;

/* What of a package decides about its place; of an index entry or of the package itself */
typedef struct EcertLink
{
	EcertSlice	issuer;
	EcertKind	kind;
	int64_t		seq;
	int64_t		issued_at;
	EcertPeriod period;			/* start == end: none that has to run forward */
	const uint8_t *prev;
	const uint8_t *hash;
} EcertLink;

extern EcertLink ecert_link_of(const EcertPackage *package, const uint8_t *hash);

/* Does the package follow the end of its feed?  follows: its prev was found right already */
extern bool ecert_check_link(const EcertFeedEnd *end, const EcertLink *link, const uint8_t *genesis_hash, bool follows,
							 EcertArena *arena, EcertFinding *finding);

/*
 * Do two packages of the ledger with that origin convict their issuer of telling
 * two stories?  They have one place (issuer, kind, seq), sign different bytes, and
 * each is signed with some key that the issuer had, which the caller knows.  The
 * same signed bytes under two signatures are one story.
 */
extern bool ecert_is_equivocation(EcertSlice origin, const EcertPackage *one, bool one_is_signed, const EcertPackage *other, bool other_is_signed);

/* issued_at does not run backwards, nor periods */
extern bool ecert_check_order(const EcertFeedEnd *end, const EcertLink *link, EcertFinding *finding);

/* ---- what others ask ---- */

/*
 * Is a checkpoint of the certifier whole in itself: heads and seals in order,
 * every seal right and by a seal key of his that was in use, and the note,
 * where there is one, right and signed by one that sealed it?
 */
extern bool ecert_check_checkpoint(EcertView *view, const EcertPackage *package, const struct EcertCheckpoint *checkpoint, EcertFinding *finding);

/* Does a genesis or node package list no key twice?  One public key has one use */
extern bool ecert_check_keys_differ(const EcertPackage *package, EcertArena *arena, EcertFinding *finding);

/* A node's whole state, the body of its newest node package before a seq of the certifier's node feed; false: not enrolled */
extern bool ecert_node_state(EcertRules *rules, EcertSlice node, int64_t before, EcertSlice *state);

/* The roles that a node had at a time (issuer.h); 0: it is not enrolled */
extern int	ecert_node_roles(EcertRules *rules, EcertSlice node, int64_t at);

/* The package of a kind whose hash stands in a field of the package under judgement; false: it is not here */
extern bool ecert_find_named(const EcertCase *it, const char *key, EcertKind kind, EcertEntry *found);

/*
 * Does one audit the other in that role at a time, by the relation that was the
 * newest when something was said (INT64_MAX: by now)?  In the second of a change
 * the one before it is the newest too
 */
extern bool ecert_was_related(EcertRules *rules, EcertSlice auditor, EcertSlice applicant, EcertSlice as, int64_t at, int64_t said_at);

/* Does a policy contradict itself?  False with the first contradiction found */
extern bool ecert_check_policy(EcertSlice body, EcertArena *arena, EcertFinding *finding);

#endif							/* ECERT_RULES_RULES_H */
