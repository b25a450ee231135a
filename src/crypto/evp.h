/*
 * evp.h
 *		What the files of src/crypto share: the key objects, and the steps
 *		through OpenSSL's EVP that signing and verifying have in common.
 *
 * Nothing here is safe for several threads; a PostgreSQL process has one.
 */
#ifndef ECERT_CRYPTO_EVP_H
#define ECERT_CRYPTO_EVP_H

#include "core/crypto.h"

#include <openssl/evp.h>
#include <sodium.h>

#define ECERT_SCALAR_SIZE 32	/* r, s and coordinates of P-256 and SM2 */
#define ECERT_POINT_SIZE 65		/* 04 || x || y */

/* Longest DER form of two 256-bit integers */
#define ECERT_DER_SIGNATURE_MAX 72

struct EcertPublicKey
{
	EcertAlg	alg;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	EVP_PKEY   *pkey;			/* NULL: Ed25519, which libsodium verifies */
};

struct EcertPrivateKey
{
	EcertAlg	alg;
	uint8_t		raw[ECERT_RAW_KEY_MAX];	/* the public half */
	bool		has_secret;		/* Ed25519 with its seed at hand: libsodium signs */
	uint8_t		secret[crypto_sign_SECRETKEYBYTES];
	OSSL_LIB_CTX *library;		/* pkey's; NULL is the default one */
	EVP_PKEY   *pkey;			/* NULL when has_secret */
};

/* One signature being made or checked; a fresh one each time, see evp.c */
typedef struct EcertOperation
{
	EVP_MD_CTX *digest;
	EVP_PKEY_CTX *identity;		/* SM2 only: carries the signer's ID */
} EcertOperation;

/* Make libsodium ready; false when it cannot be */
extern bool ecert_sodium_ready(void);

/* ---- ed25519.c: what of the rule of docs/format.md the bytes say ---- */

extern bool ecert_ed25519_key_counts(const uint8_t *raw);
extern bool ecert_ed25519_signature_counts(const uint8_t *signature);

/* Is libsodium's equation the one without cofactor?  A release where it is not leaves Ed25519 to OpenSSL */
extern bool ecert_sodium_keeps_the_rule(void);

/* ecert_public_key_new(), of an Ed25519 key with the library to verify with: tests hold the two against each other */
extern EcertCode ecert_public_key_by(EcertAlg alg, EcertSlice raw, bool by_openssl, EcertPublicKey **key);

/* The way out of every function that calls OpenSSL: empty its error queue */
extern EcertCode ecert_crypto_end(EcertCode code);

/* The key's algorithm; ECERT_KEY_ALG when it is of no sort that we use */
extern EcertCode ecert_pkey_alg(EVP_PKEY *pkey, EcertAlg *alg);

/* Public half of a key to its raw form */
extern EcertCode ecert_pkey_to_raw(EVP_PKEY *pkey, EcertAlg alg, uint8_t *raw);

/* NULL when raw is no key of alg */
extern EVP_PKEY *ecert_pkey_from_raw(EcertAlg alg, EcertSlice raw);

extern bool ecert_operation_open(EcertOperation *operation, EcertAlg alg, OSSL_LIB_CTX *library,
								 EVP_PKEY *pkey, bool sign);
extern void ecert_operation_close(EcertOperation *operation);

/* r || s to and from the DER form that OpenSSL wants; false when out of memory or not of that form */
extern bool ecert_signature_to_der(const uint8_t *signature, uint8_t *der, size_t *size);
extern bool ecert_signature_from_der(const uint8_t *der, size_t size, uint8_t *signature);

#endif							/* ECERT_CRYPTO_EVP_H */
