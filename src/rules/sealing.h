/*
 * sealing.h
 *		Sealings of several parts: checkpoints that cover together, under the last
 *		of them, what the heads of all of them name.
 */
#ifndef ECERT_RULES_SEALING_H
#define ECERT_RULES_SEALING_H

#include "core/checkpoint.h"
#include "rules/finding.h"
#include "rules/view.h"

/* Leaves of one checkpoint and parts of one sealing, at most: the sums over a thousand such checkpoints have 63 bits */
#define ECERT_LEAVES_MAX (INT64_C(1) << 53)
#define ECERT_PARTS_MAX 1000000

/* What checkpoints, one after the other, have begun and not completed.  Starts as zeros */
typedef struct EcertSealing
{
	int64_t		first;			/* seq of its first part */
	int64_t		part;			/* number of the part that came last; 0: no sealing is incomplete */
	int64_t		parts;
	int64_t		issued_at;
	EcertFeedHead head;			/* the last one that it names; its texts are below */
	uint8_t		issuer[ECERT_ID_MAX];
	uint8_t		kind[16];
} EcertSealing;

/*
 * The next checkpoint by seq.  False with a finding: it does not go on from the
 * one before it, covers nothing, and what was begun is over.  True: it begins or
 * continues a sealing, or, where part is 0 behind it, completes the one that
 * began with seq first
 */
extern bool ecert_sealing_take(EcertSealing *sealing, int64_t seq, int64_t issued_at, const EcertCheckpoint *checkpoint, EcertFinding *finding);

/* What the checkpoints on the ledger before that seq have begun; none was incomplete before seq from */
extern void ecert_sealing_before(EcertView *view, EcertArena *arena, int64_t from, int64_t seq, EcertSealing *sealing);

#endif							/* ECERT_RULES_SEALING_H */
