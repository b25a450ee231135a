/*
 * verify_signature.c
 *		Check a signature.
 */
#include "crypto/evp.h"

static EcertCode
verify_ed25519(const EcertPublicKey *key, EcertSlice message, EcertSlice signature)
{
	static const uint8_t nothing[1] = {0};

	if (crypto_sign_verify_detached(signature.data,
									message.size > 0 ? message.data : nothing, message.size,
									key->raw) != 0)
		return ECERT_BAD_SIGNATURE;
	return ECERT_OK;
}

/* Ed25519 signatures as they are, those of curves in DER */
static EcertCode
verify_evp(const EcertPublicKey *key, EcertSlice message, EcertSlice signature)
{
	EcertOperation operation;
	uint8_t		der[ECERT_DER_SIGNATURE_MAX];
	size_t		der_size;
	EcertCode	code = ECERT_CRYPTO_FAILED;

	if (key->alg != ECERT_ALG_ED25519)
	{
		if (!ecert_signature_to_der(signature.data, der, &der_size))
			return ecert_crypto_end(ECERT_CRYPTO_FAILED);
		signature = ecert_slice(der, der_size);
	}
	if (ecert_operation_open(&operation, key->alg, NULL, key->pkey, false))
	{
		/* 1 is the only yes: 0 and the negative values are all no */
		code = EVP_DigestVerify(operation.digest, signature.data, signature.size,
								message.data, message.size) == 1 ? ECERT_OK : ECERT_BAD_SIGNATURE;
	}
	ecert_operation_close(&operation);
	return ecert_crypto_end(code);
}

EcertCode
ecert_verify(const EcertPublicKey *key, EcertSlice message, EcertSlice signature)
{
	if (signature.size != ecert_signature_size(key->alg) ||
		(key->alg == ECERT_ALG_ED25519 && !ecert_ed25519_signature_counts(signature.data)))
		return ECERT_BAD_SIGNATURE;
	return key->pkey == NULL ? verify_ed25519(key, message, signature) : verify_evp(key, message, signature);
}
