/*
 * roots.h
 *		The Merkle tree over the ledger, checkpoint by checkpoint: the heads, size
 *		and root of each computed again from the packages (docs/format.md,
 *		"Merkle tree").
 */
#ifndef ECERT_RULES_ROOTS_H
#define ECERT_RULES_ROOTS_H

#include "core/checkpoint.h"
#include "core/merkle.h"
#include "rules/finding.h"
#include "rules/sealing.h"

/* Starts with the callbacks, and the tree of the genesis package alone */
typedef struct EcertRoots
{
	EcertTree	tree;
	bool		broken;			/* the tree is not that of the checkpoints any more: what goes on from it is not compared */
	bool		failed;			/* the crypto library did */
	uint64_t	expected;		/* seq of the next checkpoint, and in a feed of the next package */
	uint64_t	expected_package;
	uint64_t	covered_count;	/* packages under the heads so far, but for genesis */
	EcertSealing sealing;		/* that is not complete */
	int64_t		at;				/* seq of the checkpoint at hand: what is found is of this one */

	/* The seq up to which earlier checkpoints cover the feed of a head; -1: none of it */
	int64_t		(*covered) (struct EcertRoots *roots, const EcertFeedHead *head);
	/* Is the package with a head's seq on the ledger?  NULL: only how heads advance, and the sizes that they make, are looked at */
	bool		(*is_there) (struct EcertRoots *roots, const EcertFeedHead *head);
	/* Cover the feed up to a head: call ecert_roots_take() for its packages from seq expected_package on, in their order */
	void		(*cover) (struct EcertRoots *roots, const EcertFeedHead *head);
	/*
	 * What is up to a head, and under no earlier checkpoint, is under the one
	 * that ecert_roots_checkpoint() was given, be it here or not, and whatever
	 * else is wrong
	 */
	void		(*seal) (struct EcertRoots *roots, const EcertFeedHead *head);
	/* Read again a part of the sealing that is complete now, by its seq; false: it cannot be read */
	bool		(*read_part) (struct EcertRoots *roots, int64_t seq, EcertCheckpoint *checkpoint);
	/* Tell of the finding */
	void		(*found) (struct EcertRoots *roots);
	EcertFinding finding;
} EcertRoots;

/*
 * The next checkpoint by seq; NULL: one that nobody can believe in.  Returns how
 * many make the sealing that it completes, whose packages are taken now; 0: it
 * completes none, and covers nothing
 */
extern int64_t ecert_roots_checkpoint(EcertRoots *roots, int64_t seq, int64_t issued_at, const EcertCheckpoint *checkpoint);

/* The next package under a head; true when it became a leaf */
extern bool ecert_roots_take(EcertRoots *roots, const EcertFeedHead *head, int64_t seq, const uint8_t *hash);

#endif							/* ECERT_RULES_ROOTS_H */
