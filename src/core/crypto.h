/*
 * crypto.h
 *		The boundary to the crypto libraries, implemented in src/crypto.
 *
 * Leaf functions: bytes in, code out, no ereport, no palloc.  Every function
 * leaves the OpenSSL error queue empty.  A key object is owned by whoever made
 * it and is freed with its _free function.
 */
#ifndef ECERT_CORE_CRYPTO_H
#define ECERT_CORE_CRYPTO_H

#include "core/error.h"

#define ECERT_HASH_SIZE 32

/* The ID of GM/T 0009 that every SM2 signature here uses */
#define ECERT_SM2_ID "1234567812345678"

/*
 * The algorithms: code, name, the COSE number that we write (RFC 9864), an older
 * one that is read as the same, bytes of a raw key and of a signature.  Whatever
 * depends on an algorithm's sizes asks this table: a row is all that they need.
 *
 *	Ed25519	RFC 8032, with the rule of docs/format.md
 *	ES256	ECDSA P-256 with SHA-256, r || s; key 04 || x || y
 *	SM2		GB/T 32918.2 with SM3, r || s; key 04 || x || y
 */
#define ECERT_ALGS(ALG) \
	ALG(ED25519, "Ed25519", -19, -8, 32, 64) \
	ALG(ES256, "ES256", -9, -7, 65, 64) \
	ALG(SM2, "SM2", -65600, -65600, 65, 64)

#define ECERT_ALG_CODE(CODE, ...) ECERT_ALG_##CODE,
typedef enum EcertAlg
{
	ECERT_ALG_NONE,
	ECERT_ALGS(ECERT_ALG_CODE)
	ECERT_ALG_END
} EcertAlg;
#undef ECERT_ALG_CODE

typedef struct EcertAlgRow
{
	const char *name;
	int64_t		cose;
	int64_t		cose_before;
	size_t		key_size;
	size_t		signature_size;
} EcertAlgRow;

/* By algorithm */
extern const EcertAlgRow ecert_algs[ECERT_ALG_END];

/* The longest raw key and signature of the table */
#define ECERT_ALG_KEY(CODE, name, cose, before, key_size, signature_size) uint8_t CODE[key_size];
#define ECERT_ALG_SIGNATURE(CODE, name, cose, before, key_size, signature_size) uint8_t CODE[signature_size];
#define ECERT_RAW_KEY_MAX sizeof(union {ECERT_ALGS(ECERT_ALG_KEY)})
#define ECERT_SIGNATURE_MAX sizeof(union {ECERT_ALGS(ECERT_ALG_SIGNATURE)})

/* "Ed25519", "ES256", "SM2"; the COSE number that we write; and from one of both numbers, false when it is none that is supported */
extern const char *ecert_alg_name(EcertAlg alg);
extern int64_t ecert_alg_cose(EcertAlg alg);
extern bool ecert_alg_from_cose(int64_t cose, EcertAlg *alg);

/*
 * Is a signature of the right size the one form of its value?  Of an ES256
 * signature (r, s) anybody can make (r, n - s): only s <= n/2 is in strict form
 */
extern bool ecert_signature_is_strict(EcertAlg alg, EcertSlice signature);

/* Put a signature of an algorithm into that form */
extern void ecert_signature_make_strict(EcertAlg alg, uint8_t *signature);

static inline size_t
ecert_raw_key_size(EcertAlg alg)
{
	return ecert_algs[alg].key_size;
}

static inline size_t
ecert_signature_size(EcertAlg alg)
{
	return ecert_algs[alg].signature_size;
}

/* SHA-256 over the concatenation of count parts; hash is 32 bytes */
extern EcertCode ecert_sha256(const EcertSlice *parts, size_t count, uint8_t *hash);

/* A thread that hashed and ends gives back what it hashed with */
extern void ecert_crypto_thread_end(void);

/* A public key made ready for many verifications */
typedef struct EcertPublicKey EcertPublicKey;

/*
 * Make a key from its raw form (format.md: Ed25519 32 bytes, else 04||x||y).
 * ECERT_BAD_PUBLIC_KEY when the point is not on the curve, is the point at
 * infinity, or is an Ed25519 key that does not count (small order, not
 * canonical).
 */
extern EcertCode ecert_public_key_new(EcertAlg alg, EcertSlice raw, EcertPublicKey **key);
extern void ecert_public_key_free(EcertPublicKey *key);

/*
 * ECERT_OK when signature over message is right, ECERT_BAD_SIGNATURE when it is
 * not, or not of the size of the key's algorithm.
 */
extern EcertCode ecert_verify(const EcertPublicKey *key, EcertSlice message, EcertSlice signature);

/*
 * SubjectPublicKeyInfo PEM <-> raw.  From: alg and raw (ECERT_RAW_KEY_MAX
 * bytes) are filled; an EC key may be compressed in the PEM.  To: pem receives
 * the text without a terminating zero.
 */
extern EcertCode ecert_public_key_from_pem(EcertSlice pem, EcertAlg *alg, uint8_t *raw, size_t *raw_size);
extern EcertCode ecert_public_key_to_pem(EcertAlg alg, EcertSlice raw, EcertBuffer *pem);

/* A private key that can sign */
typedef struct EcertPrivateKey EcertPrivateKey;

/* Load from a file name or an OSSL_STORE URI (file:, pkcs11:, ...); ECERT_KEY_PASSPHRASE when it needs another passphrase, NULL: none */
extern EcertCode ecert_private_key_load(const char *uri, const char *passphrase, EcertPrivateKey **key);

/* Make an Ed25519 key from its 32-byte seed (RFC 8032) */
extern EcertCode ecert_private_key_from_seed(EcertSlice seed, EcertPrivateKey **key);
extern void ecert_private_key_free(EcertPrivateKey *key);

extern EcertAlg ecert_private_key_alg(const EcertPrivateKey *key);

/* The public half; raw has room for ECERT_RAW_KEY_MAX bytes */
extern EcertCode ecert_private_key_public(const EcertPrivateKey *key, uint8_t *raw, size_t *raw_size);

/* Sign message; signature has room for the size of the key's algorithm */
extern EcertCode ecert_sign(const EcertPrivateKey *key, EcertSlice message, uint8_t *signature);

#endif							/* ECERT_CORE_CRYPTO_H */
