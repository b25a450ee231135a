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

static EcertCode
verify_curve(const EcertPublicKey *key, EcertSlice message, EcertSlice signature)
{
	EcertOperation operation;
	uint8_t		der[ECERT_DER_SIGNATURE_MAX];
	size_t		der_size;
	EcertCode	code = ECERT_CRYPTO_FAILED;

	if (!ecert_signature_to_der(signature.data, der, &der_size))
		return ecert_crypto_end(ECERT_CRYPTO_FAILED);
	if (ecert_operation_open(&operation, key->alg, NULL, key->pkey, false))
	{
		/* 1 is the only yes: 0 and the negative values are all no */
		code = EVP_DigestVerify(operation.digest, der, der_size,
								message.data, message.size) == 1 ? ECERT_OK : ECERT_BAD_SIGNATURE;
	}
	ecert_operation_close(&operation);
	return ecert_crypto_end(code);
}

EcertCode
ecert_verify(const EcertPublicKey *key, EcertSlice message, EcertSlice signature)
{
	if (signature.size != ECERT_SIGNATURE_SIZE)
		return ECERT_BAD_SIGNATURE;
	if (key->alg == ECERT_ALG_ED25519)
		return verify_ed25519(key, message, signature);
	return verify_curve(key, message, signature);
}
