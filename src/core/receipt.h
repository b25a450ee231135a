/*
 * receipt.h
 *		COSE receipts of inclusion (RFC 9942, RFC9162_SHA256) and transparent
 *		statements (RFC 9943).  Reading borrows from the bytes it was given.
 *
 * A receipt is a tagged COSE_Sign1 with detached payload: the payload that is
 * signed is the root which the proof leads to.  A checkpoint's seal is that
 * signature, so whoever has the tiles can write receipts.
 *
 * Of a transparent statement the unprotected header is not signed.  Whatever
 * stands there beside a receipt that holds, the statement is as good as that
 * receipt.
 */
#ifndef ECERT_CORE_RECEIPT_H
#define ECERT_CORE_RECEIPT_H

#include "core/loose.h"
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

/* The largest receipt that is read or written; a transparent statement with one; and the largest that programs read from a file */
#define ECERT_RECEIPT_MAX 8192
#define ECERT_STATEMENT_MAX (ECERT_PACKAGE_MAX + ECERT_RECEIPT_MAX + 16)
#define ECERT_STATEMENT_READ_MAX (1 << 20)

/* ----- seals ----- */

/* What the protected header of our receipts says: with the root, it is what a seal signs */
typedef struct EcertSealHeader
{
	EcertAlg	alg;
	EcertSlice	kid;			/* 32 bytes */
	EcertSlice	certifier;		/* node id: claim iss */
	EcertSlice	origin;			/* of the ledger: claim sub */
	uint64_t	tree_size;
} EcertSealHeader;

/* Sign the root of a tree as receipts do: the seal, of the size of its algorithm (ECERT_KEY_ALG unless alg is the key's); and check one */
extern EcertCode ecert_seal(const EcertSealHeader *header, const uint8_t *root, const EcertPrivateKey *key, uint8_t *seal);
extern EcertCode ecert_seal_verify(const EcertSealHeader *header, const uint8_t *root, const EcertPublicKey *key, EcertSlice seal);

/* ----- receipts ----- */

typedef struct EcertReceipt
{
	EcertSlice	protected_header;	/* content of the protected bstr */
	EcertSlice	signature;		/* of the size of its algorithm */
	EcertAlg	alg;
	EcertSlice	kid;			/* size 0: not named */
	EcertSlice	issuer;			/* claim iss; size 0: there is none */
	EcertSlice	subject;		/* claim sub; the same */

	/*
	 * Of others' receipts the signature covers the root, not the tree size:
	 * other sizes with a path of the same shape lead to the same root
	 */
	bool		signs_size;		/* the protected header has it too, and it is the same */
	uint64_t	tree_size;
	uint64_t	leaf_index;
	EcertProof	path;
} EcertReceipt;

/* Write a receipt: leaf index and path, under a seal */
extern void ecert_receipt_put(EcertBuffer *out, const EcertSealHeader *header, EcertSlice seal, uint64_t leaf_index, const EcertProof *path);

/*
 * Take a receipt apart, in whatever form of CBOR it is.  alg and vds must be
 * there, "crit" must not, no parameter that is read may be there twice; others
 * are passed over.  ECERT_NOT_RECEIPT, ECERT_HEADER_FIELD,
 * ECERT_BAD_SIGNATURE_SIZE, ECERT_PROOF_LENGTH and the codes of
 * ecert_loose_check() for what is none; and for what cannot be told here
 * ECERT_UNKNOWN_ALG, ECERT_UNKNOWN_VDS, ECERT_SEVERAL_PROOFS,
 * ECERT_BEYOND_LIMITS.
 */
extern EcertCode ecert_receipt_parse(EcertSlice bytes, EcertReceipt *receipt, EcertError *error);

/* Is code one of those by which a receipt or a note cannot be checked here, whatever it is worth? */
extern bool ecert_is_beyond(EcertCode code);

/* The root that the receipt gives for a leaf hash */
extern EcertCode ecert_receipt_root(const EcertReceipt *receipt, const uint8_t *leaf, uint8_t *root);

/*
 * ECERT_OK when key signed the root that the receipt gives for leaf.  Which
 * algorithm the key has is its own business, as with packages.
 */
extern EcertCode ecert_receipt_verify(const EcertReceipt *receipt, const uint8_t *leaf, const EcertPublicKey *key);

/* A key that is trusted, and what else is known of whom it belongs to */
typedef struct EcertTrust
{
	EcertAlg	alg;
	EcertSlice	kid;			/* 32 bytes */
	const EcertPublicKey *key;
	EcertSlice	certifier;		/* size 0: not known */
	EcertSlice	origin;
} EcertTrust;

typedef enum EcertOutcome
{
	ECERT_HOLDS,
	ECERT_WRONG,				/* it names the trusted key and does not hold */
	ECERT_NOT_CHECKED			/* it is none, is somebody else's, or cannot be read here */
} EcertOutcome;

/* "holds", "wrong", "not checked" */
extern const char *ecert_outcome_text(EcertOutcome outcome);

/*
 * Judge a receipt for a leaf; error says why it does not hold.  Its claims must
 * be there, sub be the origin, iss the certifier where that is known.
 */
extern EcertOutcome ecert_receipt_judge(EcertSlice bytes, const uint8_t *leaf, const EcertTrust *trust, EcertReceipt *receipt, EcertError *error);

/* Of a receipt that holds while the certifier is not known: words for what was not checked */
#define ECERT_CERTIFIER_NOT_CHECKED "whether the issuer that the receipt names is the certifier of the ledger: only its key was given"

/* ----- transparent statements ----- */

/* Where reading an unprotected header has come to */
typedef struct EcertStatement
{
	EcertCursor cursor;
	EcertLooseItems entries;
	EcertLooseItems receipts;
	bool		in_receipts;
	unsigned	receipt_count;	/* given so far */
} EcertStatement;

/* A receipt, or another entry of the unprotected header */
typedef struct EcertStatementPart
{
	unsigned	receipt;		/* its number, from 1; 0: another entry */
	EcertSlice	label;			/* of another entry: its CBOR */
	EcertSlice	content;		/* of a receipt: its bytes, of size 0 where it is no byte string */
} EcertStatementPart;

/* Room for the words of ecert_part_text() */
#define ECERT_PART_TEXT_MAX 96

/*
 * Take a transparent statement apart: package receives (into a buffer of
 * ECERT_PACKAGE_MAX bytes) the package with its empty unprotected header, as
 * it was signed and hashed.  A plain package is a statement whose header is
 * empty.  ECERT_NOT_RECEIPT, ECERT_TOO_LARGE and the codes of
 * ecert_loose_check().
 */
extern EcertCode ecert_statement_parse(EcertSlice bytes, EcertBuffer *package, EcertStatement *statement, EcertError *error);

/* The next receipt or other entry of its unprotected header; false when there is none */
extern bool ecert_statement_next(EcertStatement *statement, EcertStatementPart *part);

/* Judge a part: of another entry than a receipt nothing is checked */
extern EcertOutcome ecert_part_judge(const EcertStatementPart *part, const uint8_t *leaf, const EcertTrust *trust, EcertReceipt *receipt,
									 EcertError *error);

/* What a part is called, into ECERT_PART_TEXT_MAX bytes: receipt 2, header 33, header "x"; returns text */
extern const char *ecert_part_text(const EcertStatementPart *part, char *text);

/* Write the package with a receipt in its unprotected header */
extern void ecert_statement_put(EcertBuffer *out, const EcertPackage *package, EcertSlice receipt);

#endif							/* ECERT_CORE_RECEIPT_H */
