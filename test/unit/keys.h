/*
 * keys.h
 *		Key pairs of every algorithm, for tests only.
 */
#ifndef ECERT_TEST_KEYS_H
#define ECERT_TEST_KEYS_H

#include "core/crypto.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

/* A key pair of an EC curve, by way of a PEM file */
__attribute__((unused))
static EcertPrivateKey *
ec_key(const char *curve)
{
	char		name[] = P_tmpdir "/ecert-test-XXXXXX";
	int			descriptor = mkstemp(name);
	FILE	   *file = fdopen(descriptor, "w");
	EVP_PKEY   *pkey = EVP_EC_gen(curve);
	EcertPrivateKey *key = NULL;

	if (file == NULL || pkey == NULL || PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL) != 1)
		abort();
	fclose(file);
	EVP_PKEY_free(pkey);
	if (ecert_private_key_load(name, NULL, &key) != ECERT_OK)
		abort();
	unlink(name);
	return key;
}

/* The Ed25519 key of a seed that begins with number */
__attribute__((unused))
static EcertPrivateKey *
ed25519_key(uint8_t number)
{
	uint8_t		seed[32] = {number};
	EcertPrivateKey *key = NULL;

	if (ecert_private_key_from_seed(ecert_slice(seed, sizeof seed), &key) != ECERT_OK)
		abort();
	return key;
}

#endif							/* ECERT_TEST_KEYS_H */
