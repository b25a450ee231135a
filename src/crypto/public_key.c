/*
 * public_key.c
 *		Public keys: raw bytes to a key that verifies, raw to PEM and back.
 */
#include "crypto/evp.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <limits.h>
#include <stdlib.h>

EcertCode
ecert_public_key_by(EcertAlg alg, EcertSlice raw, bool by_openssl, EcertPublicKey **key)
{
	EVP_PKEY   *pkey = NULL;

	*key = NULL;
	if (!ecert_sodium_ready())
		return ECERT_CRYPTO_FAILED;
	if (raw.size != ecert_raw_key_size(alg) || (alg == ECERT_ALG_ED25519 && !ecert_ed25519_key_counts(raw.data)))
		return ECERT_BAD_PUBLIC_KEY;
	if (by_openssl && (pkey = ecert_pkey_from_raw(alg, raw)) == NULL)
		return ecert_crypto_end(ECERT_BAD_PUBLIC_KEY);

	*key = calloc(1, sizeof(EcertPublicKey));
	if (*key == NULL)
	{
		EVP_PKEY_free(pkey);
		return ecert_crypto_end(ECERT_CRYPTO_FAILED);
	}
	(*key)->alg = alg;
	memcpy((*key)->raw, raw.data, raw.size);
	(*key)->pkey = pkey;
	return ecert_crypto_end(ECERT_OK);
}

EcertCode
ecert_public_key_new(EcertAlg alg, EcertSlice raw, EcertPublicKey **key)
{
	*key = NULL;
	if (!ecert_sodium_ready())
		return ECERT_CRYPTO_FAILED;
	return ecert_public_key_by(alg, raw, alg != ECERT_ALG_ED25519 || !ecert_sodium_keeps_the_rule(), key);
}

void
ecert_public_key_free(EcertPublicKey *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

/* Without one, OpenSSL would ask at the terminal about a PEM that claims to be encrypted */
static int
no_passphrase(char *secret, int capacity, int writing, void *context)
{
	(void) secret;
	(void) capacity;
	(void) writing;
	(void) context;
	return -1;
}

/* Raw form of a key from outside, checked as admission would */
static EcertCode
public_key_take(EVP_PKEY *pkey, EcertAlg *alg, uint8_t *raw, size_t *raw_size)
{
	EcertPublicKey *key;
	EcertCode	code;

	code = ecert_pkey_alg(pkey, alg);
	if (code == ECERT_OK)
		code = ecert_pkey_to_raw(pkey, *alg, raw);
	if (code != ECERT_OK)
		return code;
	*raw_size = ecert_raw_key_size(*alg);
	code = ecert_public_key_new(*alg, ecert_slice(raw, *raw_size), &key);
	ecert_public_key_free(key);
	return code;
}

EcertCode
ecert_public_key_from_pem(EcertSlice pem, EcertAlg *alg, uint8_t *raw, size_t *raw_size)
{
	BIO		   *bio;
	EVP_PKEY   *pkey;
	EcertCode	code = ECERT_BAD_PUBLIC_KEY;

	if (pem.size == 0 || pem.size > INT_MAX)
		return ECERT_BAD_PUBLIC_KEY;
	bio = BIO_new_mem_buf(pem.data, (int) pem.size);
	if (bio == NULL)
		return ecert_crypto_end(ECERT_CRYPTO_FAILED);
	pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	if (pkey != NULL)
		code = public_key_take(pkey, alg, raw, raw_size);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	return ecert_crypto_end(code);
}

EcertCode
ecert_public_key_to_pem(EcertAlg alg, EcertSlice raw, EcertBuffer *pem)
{
	EVP_PKEY   *pkey = ecert_pkey_from_raw(alg, raw);
	BIO		   *bio;
	EcertCode	code = ECERT_CRYPTO_FAILED;

	if (pkey == NULL)
		return ecert_crypto_end(ECERT_BAD_PUBLIC_KEY);
	bio = BIO_new(BIO_s_mem());
	if (bio != NULL && PEM_write_bio_PUBKEY(bio, pkey) == 1)
	{
		char	   *text;
		long		size = BIO_get_mem_data(bio, &text);

		ecert_buffer_put(pem, ecert_slice(text, (size_t) size));
		code = ecert_buffer_fits(pem) ? ECERT_OK : ECERT_NO_SPACE;
	}
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return ecert_crypto_end(code);
}
