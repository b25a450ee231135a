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
	EcertSlice	note;			/* size 0: none */
	EcertCursor seals;			/* before the first */
	uint64_t	seal_count;
	EcertCursor heads;			/* before the first */
	uint64_t	head_count;
	int64_t		part;			/* its number among the parts of its sealing, from 1 */
	int64_t		parts;			/* how many they are; 1: it is a sealing by itself */
} EcertCheckpoint;

/* A signature over the root, by a key of its own */
typedef struct EcertSeal
{
	EcertAlg	alg;
	uint8_t		kid[ECERT_HASH_SIZE];
	uint8_t		signature[ECERT_SIGNATURE_MAX];
	size_t		size;
} EcertSeal;

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

/* Order of two heads: issuer and then the name of the kind, bytewise */
extern int	ecert_compare_heads(const EcertFeedHead *a, const EcertFeedHead *b);

/* Take the next of seal_count seals; false when it is none that the schema lets pass */
extern bool ecert_checkpoint_next_seal(EcertCursor *seals, EcertSeal *seal);

/* The protected header of the receipts under a checkpoint's seal: what that signs with the root */
extern EcertSealHeader ecert_checkpoint_seal_header(const EcertPackage *package, const EcertCheckpoint *checkpoint, const EcertSeal *seal);

/* Do the heads strictly increase?  Only then do they say which leaf is which */
extern bool ecert_checkpoint_heads_in_order(const EcertCheckpoint *checkpoint);

/* What is wrong with one of its seals under its key: NULL, or the problem in words */
extern const char *ecert_checkpoint_seal_fault(const EcertPackage *package, const EcertCheckpoint *checkpoint, const EcertSeal *seal,
											   const EcertPublicKey *key);

/* Does its note say the same as the checkpoint, and has the Ed25519 key of these 32 bytes signed it in the log's name? */
extern bool ecert_checkpoint_note_is_right(const EcertPackage *package, const EcertCheckpoint *checkpoint, EcertSlice raw);

/*
 * What is wrong with a checkpoint but for its seals and its note: NULL when its
 * heads are in strictly increasing order and name no genesis, and its seals
 * are in that of their kids; else the problem in words.
 */
extern const char *ecert_checkpoint_fault(const EcertCheckpoint *checkpoint);

#endif							/* ECERT_CORE_CHECKPOINT_H */
