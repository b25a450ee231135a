/*
 * private_key.c
 *		Private keys: from a file or an OSSL_STORE URI, or from a seed.
 */
#include "crypto/evp.h"

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include <stdlib.h>
#include <strings.h>

/* A store that never ends must not hang a backend */
#define STORE_OBJECTS_MAX 1000

/* The caller's passphrase, and whether OpenSSL has asked for it */
typedef struct Asked
{
	const char *passphrase;		/* NULL: there is none */
	bool		token;			/* asked for a token's PIN */
	bool		asked;
} Asked;

static int
give_passphrase(char *secret, int capacity, int writing, void *context)
{
	Asked	   *asked = context;
	size_t		size = asked->passphrase == NULL ? 0 : strlen(asked->passphrase);

	(void) writing;
	asked->asked = true;
	/* The PKCS#11 provider asks at the terminal when it gets no PIN, but not when it is empty */
	if (asked->passphrase == NULL || size > (size_t) capacity)
		return asked->token ? 0 : -1;
	memcpy(secret, asked->passphrase, size);
	return (int) size;
}

/*
 * The library context for PKCS#11: our own, and never freed.  In the default
 * one, OpenSSL's cleanup at exit calls into a token module that may be gone
 * already, and a backend that crashes takes all sessions with it.  The
 * provider's module is set in openssl.cnf; there it need not be activated.
 */
static OSSL_LIB_CTX *
token_library(void)
{
	static OSSL_LIB_CTX *library = NULL;
	OSSL_LIB_CTX *made;
	char	   *file;

	if (library != NULL)
		return library;
	made = OSSL_LIB_CTX_new();
	if (made == NULL)
		return NULL;
	file = CONF_get1_default_config_file();
	if (file != NULL)
		(void) OSSL_LIB_CTX_load_config(made, file);
	OPENSSL_free(file);
	if (OSSL_PROVIDER_load(made, "pkcs11") == NULL || OSSL_PROVIDER_load(made, "default") == NULL)
	{
		/* No token was touched yet, so this one can go */
		OSSL_LIB_CTX_free(made);
		return NULL;
	}
	library = made;
	return library;
}

/* The first private key of an open store */
static EVP_PKEY *
store_private_key(OSSL_STORE_CTX *store)
{
	EVP_PKEY   *pkey = NULL;

	if (OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) != 1)
		return NULL;
	for (int i = 0; i < STORE_OBJECTS_MAX && pkey == NULL && !OSSL_STORE_eof(store); i++)
	{
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			pkey = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	return pkey;
}

static EcertCode
load_pkey(const char *uri, OSSL_LIB_CTX *library, Asked *asked, EVP_PKEY **pkey)
{
	UI_METHOD  *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
	OSSL_STORE_CTX *store;

	*pkey = NULL;
	if (ui == NULL)
		return ECERT_CRYPTO_FAILED;
	store = OSSL_STORE_open_ex(uri, library, NULL, ui, asked, NULL, NULL, NULL);
	if (store != NULL)
		*pkey = store_private_key(store);
	OSSL_STORE_close(store);
	UI_destroy_method(ui);
	if (*pkey != NULL)
		return ECERT_OK;
	return asked->asked ? ECERT_KEY_PASSPHRASE : ECERT_KEY_UNREADABLE;
}

/* The seed of an Ed25519 key, unless a token keeps it to itself */
static bool
take_seed(EcertPrivateKey *key)
{
	uint8_t		seed[crypto_sign_SEEDBYTES];
	size_t		size = sizeof(seed);
	bool		ok;

	ok = EVP_PKEY_get_raw_private_key(key->pkey, seed, &size) == 1 && size == sizeof(seed) &&
		crypto_sign_seed_keypair(key->raw, key->secret, seed) == 0;
	sodium_memzero(seed, sizeof(seed));
	if (!ok)
		return false;
	key->has_secret = true;
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
	return true;
}

/* A file can name a public half that is not the private one's; what it signs would be refused */
static bool
key_fits_public_half(const EcertPrivateKey *key)
{
	EcertSlice	message = ecert_slice_text("ecert: does this key fit its public half?");
	uint8_t		signature[ECERT_SIGNATURE_MAX];
	EcertPublicKey *half;
	EcertCode	code;

	code = ecert_public_key_new(key->alg, ecert_slice(key->raw, ecert_raw_key_size(key->alg)), &half);
	if (code == ECERT_OK)
		code = ecert_sign(key, message, signature);
	if (code == ECERT_OK)
		code = ecert_verify(half, message, ecert_slice(signature, ecert_signature_size(key->alg)));
	ecert_public_key_free(half);
	return code == ECERT_OK;
}

/* Fill key from key->pkey */
static EcertCode
take_pkey(EcertPrivateKey *key)
{
	EcertCode	code = ecert_pkey_alg(key->pkey, &key->alg);

	if (code != ECERT_OK)
		return code;
	if (key->alg == ECERT_ALG_ED25519 && take_seed(key))
		return ECERT_OK;
	code = ecert_pkey_to_raw(key->pkey, key->alg, key->raw);
	if (code != ECERT_OK)
		return code;
	return key_fits_public_half(key) ? ECERT_OK : ECERT_KEY_UNREADABLE;
}

static EcertCode
load_key(const char *uri, const char *passphrase, EcertPrivateKey *key)
{
	Asked		asked = {.passphrase = passphrase};
	EcertCode	code;

	if (strncasecmp(uri, "pkcs11:", strlen("pkcs11:")) == 0)
	{
		key->library = token_library();
		if (key->library == NULL)
			return ECERT_KEY_UNREADABLE;
		asked.token = true;
	}
	code = load_pkey(uri, key->library, &asked, &key->pkey);
	return code == ECERT_OK ? take_pkey(key) : code;
}

EcertCode
ecert_private_key_load(const char *uri, const char *passphrase, EcertPrivateKey **key)
{
	EcertCode	code;

	*key = NULL;
	if (!ecert_sodium_ready() || (*key = calloc(1, sizeof(EcertPrivateKey))) == NULL)
		return ECERT_CRYPTO_FAILED;
	code = load_key(uri, passphrase, *key);
	if (code != ECERT_OK)
	{
		ecert_private_key_free(*key);
		*key = NULL;
	}
	return ecert_crypto_end(code);
}

EcertCode
ecert_private_key_from_seed(EcertSlice seed, EcertPrivateKey **key)
{
	*key = NULL;
	if (seed.size != crypto_sign_SEEDBYTES)
		return ECERT_KEY_ALG;
	if (!ecert_sodium_ready() || (*key = calloc(1, sizeof(EcertPrivateKey))) == NULL)
		return ECERT_CRYPTO_FAILED;
	(*key)->alg = ECERT_ALG_ED25519;
	(*key)->has_secret = true;
	crypto_sign_seed_keypair((*key)->raw, (*key)->secret, seed.data);
	return ECERT_OK;
}

void
ecert_private_key_free(EcertPrivateKey *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	sodium_memzero(key, sizeof(*key));
	free(key);
}

EcertAlg
ecert_private_key_alg(const EcertPrivateKey *key)
{
	return key->alg;
}

EcertCode
ecert_private_key_public(const EcertPrivateKey *key, uint8_t *raw, size_t *raw_size)
{
	*raw_size = ecert_raw_key_size(key->alg);
	memcpy(raw, key->raw, *raw_size);
	return ECERT_OK;
}
