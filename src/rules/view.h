/*
 * view.h
 *		What rules can ask a ledger.
 *
 * The server answers by index scans (src/ledger/view.c), ecert-verify from the
 * dump it has read (src/verifier/view.c).  Packages that are wrong in
 * themselves are told of like all others: that one is wrong is a finding of
 * its own, not one of everything that rests on it.
 *
 * What a callback returns lives in the arena that it was given, but for
 * package().  A callback may leave by longjmp.
 */
#ifndef ECERT_RULES_VIEW_H
#define ECERT_RULES_VIEW_H

#include "core/body.h"
#include "rules/arena.h"
#include "rules/issuer.h"

/* A package as the view's index knows it */
typedef struct EcertEntry
{
	EcertSlice	issuer;
	EcertSlice	subject;
	EcertKind	kind;
	int64_t		seq;
	int64_t		issued_at;
	EcertPeriod period;			/* start == end: its body has none */
	uint8_t		hash[ECERT_HASH_SIZE];
	uint64_t	place;			/* where the view finds it again */
} EcertEntry;

typedef struct EcertEntries
{
	EcertEntry *list;
	size_t		count;
} EcertEntries;

/* No time bound */
#define ECERT_ALL_TIME ((EcertPeriod) {INT64_MIN, INT64_MAX})

typedef struct EcertView EcertView;

/* Embedded in what implements it, at its beginning */
struct EcertView
{
	EcertSlice	origin;
	EcertSlice	certifier;		/* who signed genesis; of size 0: there is no sound genesis */
	uint8_t		genesis_hash[ECERT_HASH_SIZE];

	/* The package with that hash; false: it is not here */
	bool		(*by_hash) (EcertView *view, EcertArena *arena, const uint8_t *hash, EcertEntry *entry);

	/* The package of a feed with that seq; false: it is not here */
	bool		(*by_seq) (EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, int64_t seq, EcertEntry *entry);

	/* The end of a feed; false: it is empty */
	bool		(*head) (EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, EcertEntry *entry);

	/* Packages first .. last of a feed by seq; those that are missing are left out */
	EcertEntries (*feed) (EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, int64_t first, int64_t last);

	/*
	 * Packages of a kind about a subject, whoever issued them; of kinds that
	 * have a period, those that begin within *starting, which becomes wider
	 * where the view gives more.  In any order
	 */
	EcertEntries (*about) (EcertView *view, EcertArena *arena, EcertSlice subject, EcertKind kind, EcertPeriod *starting);

	/*
	 * Was something found against a node, relation or policy package of the
	 * certifier, be it by its rule?  Then it does not count, and nothing rests
	 * on it
	 */
	bool		(*is_false) (EcertView *view, const EcertEntry *entry);

	/* The packages of a kind that name that hash (a reward its audit, a witness its checkpoint), in any order */
	EcertEntries (*naming) (EcertView *view, EcertArena *arena, const uint8_t *hash, EcertKind kind);

	/*
	 * The seq of the checkpoint that covers a package of a feed first, whether
	 * it is here or not; INT64_MAX: none does yet.  What is under a part of a
	 * sealing is covered by its last one, and by none while that is missing
	 */
	int64_t		(*sealed_by) (EcertView *view, EcertSlice issuer, EcertKind kind, int64_t seq);

	/* The same, and a seq from there on up to which that holds too */
	int64_t		(*sealed_up_to) (EcertView *view, EcertSlice issuer, EcertKind kind, int64_t seq, int64_t *last);

	/* The last seq of a feed that a checkpoint and those before it cover; -1: none */
	int64_t		(*covered) (EcertView *view, EcertSlice issuer, EcertKind kind, int64_t checkpoint);

	/* The first checkpoint with that seq or a greater one that covers something first; INT64_MAX: none does yet */
	int64_t		(*next_sealing) (EcertView *view, int64_t seq);

	/* The package itself, until the next call; false: its bytes cannot be read, which was said */
	bool		(*package) (EcertView *view, const EcertEntry *entry, EcertPackage *package);

	/* A key of a node, whatever its times, and prepared; false: the node has none of that kid */
	bool		(*key) (EcertView *view, EcertSlice node, EcertSlice kid, EcertKeyFacts *key, const EcertPublicKey **prepared);

	/* The key of a node with that number, from 0, in the order of its newest package; false: there is none */
	bool		(*key_at) (EcertView *view, EcertSlice node, size_t number, EcertKeyFacts *key);

	/*
	 * The first node but one that has a key of that kid (32 bytes): in genesis,
	 * or in a package of the certifier's node feed that counts and has a seq
	 * below before; false: none has
	 */
	bool		(*holder) (EcertView *view, EcertArena *arena, EcertSlice kid, EcertSlice but, int64_t before, EcertSlice *node);

	/* Of what is not here: NULL where nothing waits for it */

	/* The last checkpoint that is taken up: what it and those before it cover is here, as far as it will come; -1: none is */
	int64_t		(*taken_up) (EcertView *view);

	/* Is the feed of an issuer (of size 0: of anybody) and kind sent here?  What is not sent will never come */
	bool		(*holds) (EcertView *view, EcertSlice issuer, EcertKind kind);
};

static inline EcertEntries
ecert_about(EcertView *view, EcertArena *arena, EcertSlice subject, EcertKind kind, EcertPeriod starting)
{
	return view->about(view, arena, subject, kind, &starting);
}

#endif							/* ECERT_RULES_VIEW_H */
