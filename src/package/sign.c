/*
 * sign.c
 *		This node's private key, and signing with it.
 *
 * The key is loaded on first use in a backend and kept while ecert.signing_key
 * and the file stay the same.  No ereport happens while the crypto library is
 * at work: the passphrase command runs between two attempts to load.
 */
#include "package/datum.h"

#include <sys/stat.h>

#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/error.h"
#include "pg/guc.h"

#define PASSPHRASE_MAX 1024

/* The loaded key, and what it was loaded from */
typedef struct LoadedKey
{
	EcertPrivateKey *key;
	char	   *uri;
	struct stat file;			/* all zero when the URI is no plain file */
} LoadedKey;

static LoadedKey loaded;

/* Run the passphrase command and keep its first line */
static void
run_passphrase_command(char *passphrase)
{
	FILE	   *pipe = OpenPipeStream(ecert_passphrase_command, PG_BINARY_R);
	bool		got;

	if (pipe == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SIGNING_KEY),
				 errmsg("could not run the passphrase command of the signing key: %m")));
	got = fgets(passphrase, PASSPHRASE_MAX, pipe) != NULL;
	if (ClosePipeStream(pipe) != 0 || !got)
	{
		explicit_bzero(passphrase, PASSPHRASE_MAX);
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SIGNING_KEY),
				 errmsg("the passphrase command of the signing key failed"),
				 errhint("Check the setting ecert.signing_key_passphrase_command.")));
	}
	passphrase[strcspn(passphrase, "\r\n")] = '\0';
}

static EcertCode
load_key(EcertPrivateKey **key)
{
	EcertCode	code = ecert_private_key_load(ecert_signing_key, NULL, key);

	if (code == ECERT_KEY_PASSPHRASE && ecert_passphrase_command[0] != '\0')
	{
		char		passphrase[PASSPHRASE_MAX];

		run_passphrase_command(passphrase);
		code = ecert_private_key_load(ecert_signing_key, passphrase, key);
		explicit_bzero(passphrase, sizeof passphrase);
	}
	return code;
}

/* What changes when the file does; all zero when there is no such file */
static struct stat
file_identity(void)
{
	struct stat found;

	memset(&found, 0, sizeof found);
	if (stat(ecert_signing_key, &found) != 0)
		memset(&found, 0, sizeof found);
	/* that it was read changes nothing */
	memset(&found.st_atim, 0, sizeof found.st_atim);
	return found;
}

const EcertPrivateKey *
ecert_own_key(void)
{
	struct stat identity = file_identity();
	EcertPrivateKey *key;
	char	   *uri;
	EcertCode	code;

	if (ecert_signing_key == NULL || ecert_signing_key[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SIGNING_KEY),
				 errmsg("setting \"ecert.signing_key\" is not set"),
				 errhint("Set it to the PEM file or OSSL_STORE URI of this node's private key.")));
	if (loaded.key != NULL && strcmp(loaded.uri, ecert_signing_key) == 0 &&
		memcmp(&loaded.file, &identity, sizeof identity) == 0)
		return loaded.key;
	if ((code = load_key(&key)) != ECERT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SIGNING_KEY),
				 errmsg("could not load the signing key"),
				 errdetail("%s", ecert_sentence(code)),
				 errhint("Check ecert.signing_key, the file's permissions and, for an encrypted key, ecert.signing_key_passphrase_command.")));
	uri = MemoryContextStrdup(TopMemoryContext, ecert_signing_key);
	ecert_private_key_free(loaded.key);
	if (loaded.uri != NULL)
		pfree(loaded.uri);
	loaded = (LoadedKey) {key, uri, identity};
	return loaded.key;
}

bytea *
ecert_sign_here(const EcertPackage *template_package)
{
	const EcertPrivateKey *key = ecert_own_key();
	bytea	   *value = (bytea *) palloc(VARHDRSZ + ECERT_PACKAGE_MAX);
	EcertBuffer out = ecert_buffer(VARDATA(value), ECERT_PACKAGE_MAX);
	EcertBuffer scratch = ecert_buffer(palloc(ECERT_PACKAGE_MAX + 32), ECERT_PACKAGE_MAX + 32);
	EcertCode	code = ecert_package_sign(template_package, key, &out, scratch);

	if (code == ECERT_TOO_LARGE)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_TOO_LARGE),
				 errmsg("the body is too large for a package"),
				 errdetail("A whole package has at most %d bytes.", ECERT_PACKAGE_MAX),
				 errhint("Pack a shorter period.")));
	if (code != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_ECERT_SIGNING_KEY, "could not sign the package");
	SET_VARSIZE(value, VARHDRSZ + out.size);
	pfree(scratch.data);
	return value;
}

void
ecert_own_public_key(EcertAlg *alg, uint8_t *raw, size_t *raw_size)
{
	const EcertPrivateKey *key = ecert_own_key();
	EcertCode	code = ecert_private_key_public(key, raw, raw_size);

	if (code != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_ECERT_SIGNING_KEY, "could not read the public half of the signing key");
	*alg = ecert_private_key_alg(key);
}

ECERT_FUNCTION(ecert_sql_public_key)
{
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	char		pem_bytes[1024];
	EcertBuffer pem = ecert_buffer(pem_bytes, sizeof pem_bytes);
	size_t		raw_size;
	EcertAlg	alg;
	EcertCode	code;

	ecert_own_public_key(&alg, raw, &raw_size);
	if ((code = ecert_public_key_to_pem(alg, ecert_slice(raw, raw_size), &pem)) != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_ECERT_SIGNING_KEY, "could not write the public key");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(pem_bytes, (int) pem.size));
}

ECERT_FUNCTION(ecert_sql_this_node)
{
	PG_RETURN_TEXT_P(ecert_text(ecert_this_node()));
}
