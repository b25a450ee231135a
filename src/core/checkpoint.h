/*
 * checkpoint.h
 *		What a checkpoint package says, and the checks that need nothing but it
 *		and its signer's key.
 */
#ifndef ECERT_CORE_CHECKPOINT_H
#define ECERT_CORE_CHECKPOINT_H

#include "core/body.h"
#include "core/note.h"
#include "core/receipt.h"

typedef struct EcertCheckpoint
{
	uint64_t	size;			/* leaves of the tree */
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		seal[ECERT_SIGNATURE_MAX];
	size_t		seal_size;
	EcertSlice	note;			/* size 0: none */
	EcertCursor heads;			/* before the first */
	uint64_t	head_count;
} EcertCheckpoint;

/* A feed that moved, and the seq of its newest package under the checkpoint */
typedef struct EcertFeedHead
{
	EcertSlice	issuer;
	EcertSlice	kind;			/* name of the kind */
	int64_t		seq;
} EcertFeedHead;

/* Read a body of kind checkpoint that has passed the schema check; ECERT_BODY_TYPE or ECERT_BODY_VALUE for another */
extern EcertCode ecert_checkpoint_read(EcertSlice body, EcertCheckpoint *checkpoint);

/* Take the next head; false when there is none */
extern bool ecert_checkpoint_next_head(EcertCursor *heads, EcertFeedHead *head);

/* The protected header of the receipts under a checkpoint: what its seal signs with the root */
extern EcertSealHeader ecert_checkpoint_seal_header(const EcertPackage *package, const EcertCheckpoint *checkpoint);

/* Do the heads strictly increase?  Only then do they say which leaf is which */
extern bool ecert_checkpoint_heads_in_order(const EcertCheckpoint *checkpoint);

/*
 * What is wrong with a checkpoint in itself: NULL when its heads are in
 * strictly increasing order and name no genesis, its seal is key's signature
 * over root, and its note, where there is one, says the same and is signed by
 * key (raw: its 32 bytes); else the problem in words.
 */
extern const char *ecert_checkpoint_fault(const EcertPackage *package, const EcertCheckpoint *checkpoint,
										  const EcertPublicKey *key, EcertSlice raw);

#endif							/* ECERT_CORE_CHECKPOINT_H */
