/*
 * evp.c
 *		The steps through OpenSSL that keys, signing and verifying share.
 */
#include "crypto/evp.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <strings.h>

bool
ecert_sodium_ready(void)
{
	static bool ready = false;

	if (!ready)
		ready = sodium_init() >= 0;
	return ready;
}

EcertCode
ecert_crypto_end(EcertCode code)
{
	/* libpq and TLS of the same process must not find our errors */
	ERR_clear_error();
	return code;
}

EcertCode
ecert_pkey_alg(EVP_PKEY *pkey, EcertAlg *alg)
{
	char		group[64];
	size_t		size;

	if (EVP_PKEY_is_a(pkey, "ED25519"))
	{
		*alg = ECERT_ALG_ED25519;
		return ECERT_OK;
	}
	if (!EVP_PKEY_is_a(pkey, "EC") && !EVP_PKEY_is_a(pkey, "SM2"))
		return ECERT_KEY_ALG;
	/* The group decides: releases differ in which of the two types an SM2 key gets */
	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), &size) != 1)
		return ECERT_KEY_ALG;
	if (strcasecmp(group, "prime256v1") == 0 || strcasecmp(group, "P-256") == 0)
		*alg = ECERT_ALG_ES256;
	else if (strcasecmp(group, "SM2") == 0)
		*alg = ECERT_ALG_SM2;
	else
		return ECERT_KEY_ALG;
	return ECERT_OK;
}

/* One coordinate of the public point, 32 bytes big endian */
static bool
pkey_coordinate(EVP_PKEY *pkey, const char *name, uint8_t *bytes)
{
	BIGNUM	   *number = NULL;
	bool		ok;

	ok = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 &&
		BN_bn2binpad(number, bytes, ECERT_SCALAR_SIZE) == ECERT_SCALAR_SIZE;
	BN_free(number);
	return ok;
}

/* The public point by export, the way that keys of other providers (PKCS#11) know */
static bool
pkey_exported_point(EVP_PKEY *pkey, uint8_t *raw)
{
	OSSL_PARAM *params = NULL;
	const OSSL_PARAM *point;
	void	   *bytes = raw;
	size_t		size = 0;
	bool		ok;

	if (EVP_PKEY_todata(pkey, EVP_PKEY_PUBLIC_KEY, &params) != 1)
		return false;
	point = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY);
	ok = point != NULL &&
		OSSL_PARAM_get_octet_string(point, &bytes, ECERT_POINT_SIZE, &size) == 1 &&
		size == ECERT_POINT_SIZE && raw[0] == 0x04;
	OSSL_PARAM_free(params);
	return ok;
}

EcertCode
ecert_pkey_to_raw(EVP_PKEY *pkey, EcertAlg alg, uint8_t *raw)
{
	size_t		size = crypto_sign_PUBLICKEYBYTES;

	if (alg == ECERT_ALG_ED25519)
		return EVP_PKEY_get_raw_public_key(pkey, raw, &size) == 1 ? ECERT_OK : ECERT_BAD_PUBLIC_KEY;
	if (pkey_exported_point(pkey, raw))
		return ECERT_OK;

	/* A key that came compressed is exported compressed, but has coordinates */
	raw[0] = 0x04;
	if (pkey_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, raw + 1) &&
		pkey_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, raw + 1 + ECERT_SCALAR_SIZE))
		return ECERT_OK;
	return ECERT_BAD_PUBLIC_KEY;
}

/* A key on a curve; OpenSSL refuses points that are not on it */
static EVP_PKEY *
pkey_from_point(const char *type, const char *group, EcertSlice raw)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY   *pkey = NULL;
	OSSL_PARAM	params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *) group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *) raw.data, raw.size),
		OSSL_PARAM_construct_end()
	};

	if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
		EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(context);
	return pkey;
}

EVP_PKEY *
ecert_pkey_from_raw(EcertAlg alg, EcertSlice raw)
{
	if (raw.size != ecert_raw_key_size(alg))
		return NULL;
	if (alg == ECERT_ALG_ED25519)
		return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, raw.data, raw.size);
	/* Only 04 || x || y: the hybrid forms 06 and 07 would be a second name of the same key */
	if (raw.data[0] != 0x04)
		return NULL;
	if (alg == ECERT_ALG_SM2)
		return pkey_from_point("SM2", "SM2", raw);
	return pkey_from_point("EC", "prime256v1", raw);
}

/*
 * Start a signature.  The contexts are made anew for each one: a context that
 * was used, or copied from a used one, behaves differently from release to
 * release.  The ID of SM2 is set on a context of our own before the operation
 * starts, the one way that works from OpenSSL 3.0 on; and it must be set,
 * since OpenSSL's default is the empty ID.
 */
bool
ecert_operation_open(EcertOperation *operation, EcertAlg alg, OSSL_LIB_CTX *library,
					 EVP_PKEY *pkey, bool sign)
{
	const char *hash = NULL;

	operation->identity = NULL;
	operation->digest = EVP_MD_CTX_new();
	if (operation->digest == NULL)
		return false;
	if (alg == ECERT_ALG_ES256)
		hash = "SHA256";
	if (alg == ECERT_ALG_SM2)
	{
		hash = "SM3";
		operation->identity = EVP_PKEY_CTX_new_from_pkey(library, pkey, NULL);
		if (operation->identity == NULL ||
			EVP_PKEY_CTX_set1_id(operation->identity, ECERT_SM2_ID, strlen(ECERT_SM2_ID)) != 1)
			return false;
		EVP_MD_CTX_set_pkey_ctx(operation->digest, operation->identity);
	}
	if (sign)
		return EVP_DigestSignInit_ex(operation->digest, NULL, hash, library, NULL, pkey, NULL) == 1;
	return EVP_DigestVerifyInit_ex(operation->digest, NULL, hash, library, NULL, pkey, NULL) == 1;
}

void
ecert_operation_close(EcertOperation *operation)
{
	EVP_MD_CTX_free(operation->digest);
	EVP_PKEY_CTX_free(operation->identity);
}

bool
ecert_signature_to_der(const uint8_t *signature, uint8_t *der, size_t *size)
{
	ECDSA_SIG  *pair = ECDSA_SIG_new();
	BIGNUM	   *r = BN_bin2bn(signature, ECERT_SCALAR_SIZE, NULL);
	BIGNUM	   *s = BN_bin2bn(signature + ECERT_SCALAR_SIZE, ECERT_SCALAR_SIZE, NULL);
	int			length;

	if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1)
	{
		BN_free(r);
		BN_free(s);
		ECDSA_SIG_free(pair);
		return false;
	}
	/* Two integers below 2^256 never need more than ECERT_DER_SIGNATURE_MAX */
	length = i2d_ECDSA_SIG(pair, &der);
	ECDSA_SIG_free(pair);
	*size = length > 0 ? (size_t) length : 0;
	return length > 0;
}

bool
ecert_signature_from_der(const uint8_t *der, size_t size, uint8_t *signature)
{
	ECDSA_SIG  *pair = d2i_ECDSA_SIG(NULL, &der, (long) size);
	bool		ok;

	ok = pair != NULL &&
		BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, ECERT_SCALAR_SIZE) == ECERT_SCALAR_SIZE &&
		BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + ECERT_SCALAR_SIZE,
					 ECERT_SCALAR_SIZE) == ECERT_SCALAR_SIZE;
	ECDSA_SIG_free(pair);
	return ok;
}
