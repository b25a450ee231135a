/*
 * receipt.h
 *		COSE receipts of inclusion (RFC 9942, RFC9162_SHA256) and transparent
 *		statements (RFC 9943).  Reading borrows from the bytes it was given.
 *
 * A receipt is a tagged COSE_Sign1 with detached payload: the payload that is
 * signed is the root which the proof leads to.  A checkpoint's seal is that
 * signature, so whoever has the tiles can write receipts.
 */
#ifndef ECERT_CORE_RECEIPT_H
#define ECERT_CORE_RECEIPT_H

#include "core/merkle.h"
#include "core/package.h"

/* Header parameters of RFC 9942 */
#define ECERT_HEADER_RECEIPTS 394
#define ECERT_HEADER_VDS 395
#define ECERT_HEADER_VDP 396
#define ECERT_VDS_RFC9162_SHA256 1

/*
 * Our own: the tree size, in the protected header.  RFC 9942 has it in the
 * proof alone, which is not signed, and many sizes give a proof the same
 * shape.
 */
#define ECERT_HEADER_TREE_SIZE (-65603)

/* Room for a receipt that we write, and for a transparent statement with one */
#define ECERT_RECEIPT_MAX (192 + ECERT_SIGNATURE_MAX + ECERT_PROOF_MAX * (ECERT_HASH_SIZE + 2))
#define ECERT_STATEMENT_MAX (ECERT_PACKAGE_MAX + ECERT_RECEIPT_MAX + 16)

typedef struct EcertReceipt
{
	EcertSlice	protected_header;	/* content of the protected bstr */
	EcertSlice	signature;		/* of the size of its algorithm */
	EcertAlg	alg;
	EcertSlice	kid;			/* size 0: not named */

	/*
	 * Of others' receipts the signature covers the root, not the tree size:
	 * other sizes with a path of the same shape lead to the same root
	 */
	bool		signs_size;		/* the protected header has it too, and it is the same */
	uint64_t	tree_size;
	uint64_t	leaf_index;
	EcertProof	path;
} EcertReceipt;

/*
 * Take a receipt apart.  Others' receipts may carry more header parameters
 * (kid of any size, CWT claims), and not our tree size; alg and vds must be
 * there, "crit" must not.  Exactly one inclusion proof.  ECERT_NOT_RECEIPT, ECERT_HEADER_FIELD,
 * ECERT_UNKNOWN_ALG, ECERT_BAD_SIGNATURE_SIZE, ECERT_PROOF_LENGTH, and the
 * codes of strict form.
 */
extern EcertCode ecert_receipt_parse(EcertSlice bytes, EcertReceipt *receipt, EcertError *error);

/* The root that the receipt gives for a leaf hash */
extern EcertCode ecert_receipt_root(const EcertReceipt *receipt, const uint8_t *leaf, uint8_t *root);

/*
 * ECERT_OK when key signed the root that the receipt gives for leaf.  Which
 * algorithm the key has is its own business, as with packages.  ECERT_NO_SPACE
 * when the protected header is longer than 16,000 bytes.
 */
extern EcertCode ecert_receipt_verify(const EcertReceipt *receipt, const uint8_t *leaf, const EcertPublicKey *key);

/* Sign the root of a tree of that size as receipts do: the seal, of the size of its algorithm (ECERT_KEY_ALG unless alg is the key's); and check one */
extern EcertCode ecert_seal(const uint8_t *root, uint64_t tree_size, EcertAlg alg, EcertSlice kid, const EcertPrivateKey *key, uint8_t *seal);
extern EcertCode ecert_seal_verify(const uint8_t *root, uint64_t tree_size, EcertAlg alg, EcertSlice kid, const EcertPublicKey *key,
								   EcertSlice seal);

/* Write a receipt: leaf index, tree size and path, under a seal */
extern void ecert_receipt_put(EcertBuffer *out, EcertAlg alg, EcertSlice kid, EcertSlice seal,
							  uint64_t leaf_index, uint64_t tree_size, const EcertProof *path);

/*
 * Take a transparent statement apart: package receives (into a buffer of
 * ECERT_PACKAGE_MAX bytes) the package with its empty unprotected header, as
 * it was signed and hashed, receipts the cursor before the first of
 * receipt_count byte strings.  A plain package is a statement with none.
 * Other unprotected parameters are refused.
 */
extern EcertCode ecert_statement_parse(EcertSlice bytes, EcertBuffer *package, EcertCursor *receipts, uint64_t *receipt_count,
									   EcertError *error);

/* Write the package with a receipt in its unprotected header */
extern void ecert_statement_put(EcertBuffer *out, const EcertPackage *package, EcertSlice receipt);

#endif							/* ECERT_CORE_RECEIPT_H */
