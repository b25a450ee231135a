/*
 * hash.c
 *		SHA-256.
 *
 * The algorithm is fetched once and its context reused: for the 65 bytes of a
 * Merkle node that is three times as fast as fetching it each time.  Each
 * thread has its own (ecert-verify has several).
 */
#include "crypto/evp.h"

/* NULL until first used */
static _Thread_local EVP_MD *algorithm;
static _Thread_local EVP_MD_CTX *context;

static bool
hash_parts(const EcertSlice *parts, size_t count, uint8_t *hash)
{
	if (context == NULL)
		context = EVP_MD_CTX_new();
	if (algorithm == NULL)
		algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (context == NULL || algorithm == NULL || EVP_DigestInit_ex2(context, algorithm, NULL) != 1)
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (parts[i].size > 0 && EVP_DigestUpdate(context, parts[i].data, parts[i].size) != 1)
			return false;
	}
	return EVP_DigestFinal_ex(context, hash, NULL) == 1;
}

EcertCode
ecert_sha256(const EcertSlice *parts, size_t count, uint8_t *hash)
{
	return hash_parts(parts, count, hash) ? ECERT_OK : ecert_crypto_end(ECERT_CRYPTO_FAILED);
}

void
ecert_crypto_thread_end(void)
{
	EVP_MD_CTX_free(context);
	EVP_MD_free(algorithm);
	context = NULL;
	algorithm = NULL;
}
