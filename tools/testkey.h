/*
 * testkey.h
 *		The deterministic key of a node in tests: made from
 *		SHA-256("ecert test key " || node), so everybody knows it.
 */
#ifndef ECERT_TOOLS_TESTKEY_H
#define ECERT_TOOLS_TESTKEY_H

#include "core/crypto.h"

/* Longest PEM of a key here, its end included */
#define TESTKEY_PEM_MAX 512

/* The private key as unencrypted PKCS#8 PEM, zero-ended */
extern EcertCode testkey_pem(const char *node, EcertAlg alg, char *pem);

/* The private key, ready to sign */
extern EcertCode testkey_private(const char *node, EcertAlg alg, EcertPrivateKey **key);

/* The public key as SubjectPublicKeyInfo PEM, zero-ended */
extern EcertCode testkey_public_pem(const char *node, EcertAlg alg, char *pem);

#endif							/* ECERT_TOOLS_TESTKEY_H */
