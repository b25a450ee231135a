/*
 * sign.c
 *		Make a signature.
 */
#include "crypto/evp.h"

static EcertCode
sign_ed25519(const EcertPrivateKey *key, EcertSlice message, uint8_t *signature)
{
	static const uint8_t nothing[1] = {0};

	if (crypto_sign_detached(signature, NULL,
							 message.size > 0 ? message.data : nothing, message.size,
							 key->secret) != 0)
		return ECERT_CRYPTO_FAILED;
	return ECERT_OK;
}

/* Ed25519 from OpenSSL is the signature already; ES256 and SM2 come as DER */
static EcertCode
sign_evp(const EcertPrivateKey *key, EcertSlice message, uint8_t *signature)
{
	EcertOperation operation;
	uint8_t		made[ECERT_DER_SIGNATURE_MAX];
	size_t		size = sizeof(made);
	bool		ok;

	ok = ecert_operation_open(&operation, key->alg, key->library, key->pkey, true) &&
		EVP_DigestSign(operation.digest, made, &size, message.data, message.size) == 1;
	ecert_operation_close(&operation);
	if (ok && key->alg == ECERT_ALG_ED25519)
	{
		ok = size == ecert_signature_size(key->alg);
		if (ok)
			memcpy(signature, made, size);
	}
	else if (ok)
		ok = ecert_signature_from_der(made, size, signature);
	if (ok)
		ecert_signature_make_strict(key->alg, signature);
	return ecert_crypto_end(ok ? ECERT_OK : ECERT_CRYPTO_FAILED);
}

EcertCode
ecert_sign(const EcertPrivateKey *key, EcertSlice message, uint8_t *signature)
{
	return key->has_secret ? sign_ed25519(key, message, signature) : sign_evp(key, message, signature);
}
