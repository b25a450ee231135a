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
#define ECERT_SIGNATURE_SIZE 64
#define ECERT_RAW_KEY_MAX 65	/* 04 || x || y */

/* The ID of GM/T 0009 that every SM2 signature here uses */
#define ECERT_SM2_ID "1234567812345678"

typedef enum EcertAlg
{
	ECERT_ALG_ED25519 = 1,		/* COSE -8 (and -19), RFC 8032; libsodium's acceptance set */
	ECERT_ALG_ES256,			/* COSE -7 (and -9), ECDSA P-256 with SHA-256 */
	ECERT_ALG_SM2				/* COSE -65600, GB/T 32918.2 with SM3 */
} EcertAlg;

/* 32 for Ed25519, 65 for ES256 and SM2 */
extern size_t ecert_raw_key_size(EcertAlg alg);

/* SHA-256 over the concatenation of count parts; hash is 32 bytes */
extern EcertCode ecert_sha256(const EcertSlice *parts, size_t count, uint8_t *hash);

/* A thread that hashed and ends gives back what it hashed with */
extern void ecert_crypto_thread_end(void);

/* A public key made ready for many verifications */
typedef struct EcertPublicKey EcertPublicKey;

/*
 * Make a key from its raw form (format.md: Ed25519 32 bytes, else 04||x||y).
 * ECERT_BAD_PUBLIC_KEY when the point is not on the curve, is the point at
 * infinity, or is an Ed25519 key that libsodium refuses (small order, not
 * canonical).
 */
extern EcertCode ecert_public_key_new(EcertAlg alg, EcertSlice raw, EcertPublicKey **key);
extern void ecert_public_key_free(EcertPublicKey *key);

/*
 * ECERT_OK when signature (64 bytes; r||s for ES256 and SM2) over message is
 * right, ECERT_BAD_SIGNATURE when it is not.
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

/* Sign message; signature has room for 64 bytes */
extern EcertCode ecert_sign(const EcertPrivateKey *key, EcertSlice message, uint8_t *signature);

#endif							/* ECERT_CORE_CRYPTO_H */
