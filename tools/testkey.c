/*
 * testkey.c
 *		The deterministic key of a node in tests; see testkey.h.
 */
#include "testkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * PKCS#8 (RFC 5958) up to the 32 bytes of the secret, which end the structure:
 * Ed25519 by RFC 8410, the others an ECPrivateKey (RFC 5915) without its
 * optional public half.
 */
static const uint8_t pkcs8_ed25519[] = {
	0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20
};
static const uint8_t pkcs8_p256[] = {
	0x30, 0x41, 0x02, 0x01, 0x00,
	0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
	0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20
};
static const uint8_t pkcs8_sm2[] = {
	0x30, 0x41, 0x02, 0x01, 0x00,
	0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d,
	0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20
};

static EcertCode
seed_of(const char *node, uint8_t *seed)
{
	EcertSlice	parts[2] = {ecert_slice_text("ecert test key "), ecert_slice_text(node)};

	return ecert_sha256(parts, 2, seed);
}

static EcertSlice
pkcs8_prefix(EcertAlg alg)
{
	if (alg == ECERT_ALG_ED25519)
		return ecert_slice(pkcs8_ed25519, sizeof(pkcs8_ed25519));
	if (alg == ECERT_ALG_SM2)
		return ecert_slice(pkcs8_sm2, sizeof(pkcs8_sm2));
	return ecert_slice(pkcs8_p256, sizeof(pkcs8_p256));
}

/* Base 64 in lines of 64 characters */
static char *
put_base64(char *out, EcertSlice bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.size; i += 3)
	{
		size_t		left = bytes.size - i;
		uint32_t	group = (uint32_t) bytes.data[i] << 16 |
			(left > 1 ? (uint32_t) bytes.data[i + 1] << 8 : 0) |
			(left > 2 ? bytes.data[i + 2] : 0);

		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[group & 63] : '=';
		if (left <= 3 || i % 48 == 45)
			*out++ = '\n';
	}
	return out;
}

EcertCode
testkey_pem(const char *node, EcertAlg alg, char *pem)
{
	uint8_t		bytes[128];
	EcertBuffer der = ecert_buffer(bytes, sizeof(bytes));
	uint8_t		seed[ECERT_HASH_SIZE];
	EcertCode	code = seed_of(node, seed);
	char	   *out;

	if (code != ECERT_OK)
		return code;
	ecert_buffer_put(&der, pkcs8_prefix(alg));
	ecert_buffer_put(&der, ecert_slice(seed, sizeof(seed)));
	out = pem + sprintf(pem, "-----BEGIN PRIVATE KEY-----\n");
	out = put_base64(out, ecert_slice(der.data, der.size));
	sprintf(out, "-----END PRIVATE KEY-----\n");
	return ECERT_OK;
}

/* Keys are loaded from files, so make one; it holds no secret */
static EcertCode
load_through_file(const char *pem, EcertPrivateKey **key)
{
	const char *directory = getenv("TMPDIR");
	char		path[1024];
	FILE	   *file;
	int			descriptor;
	EcertCode	code = ECERT_KEY_UNREADABLE;

	snprintf(path, sizeof(path), "%s/ecert-sign.XXXXXX", directory != NULL ? directory : "/tmp");
	descriptor = mkstemp(path);
	if (descriptor < 0)
		return ECERT_KEY_UNREADABLE;
	file = fdopen(descriptor, "w");
	if (file != NULL && fputs(pem, file) >= 0 && fclose(file) == 0)
		code = ecert_private_key_load(path, NULL, key);
	unlink(path);
	return code;
}

EcertCode
testkey_private(const char *node, EcertAlg alg, EcertPrivateKey **key)
{
	char		pem[TESTKEY_PEM_MAX];
	uint8_t		seed[ECERT_HASH_SIZE];
	EcertCode	code;

	*key = NULL;
	if (alg == ECERT_ALG_ED25519)
	{
		code = seed_of(node, seed);
		return code == ECERT_OK ? ecert_private_key_from_seed(ecert_slice(seed, sizeof(seed)), key) : code;
	}
	code = testkey_pem(node, alg, pem);
	return code == ECERT_OK ? load_through_file(pem, key) : code;
}

EcertCode
testkey_public_pem(const char *node, EcertAlg alg, char *pem)
{
	EcertBuffer out = ecert_buffer(pem, TESTKEY_PEM_MAX - 1);
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		size;
	EcertPrivateKey *key;
	EcertCode	code = testkey_private(node, alg, &key);

	if (code == ECERT_OK)
		code = ecert_private_key_public(key, raw, &size);
	if (code == ECERT_OK)
		code = ecert_public_key_to_pem(alg, ecert_slice(raw, size), &out);
	if (code == ECERT_OK)
		pem[out.size] = '\0';
	ecert_private_key_free(key);
	return code;
}
