/*
 * sign.c
 *		This node's private keys, one for each use, and signing with them.
 *
 * A key is loaded on first use in a backend and kept while its setting and the
 * file stay the same.  No ereport happens while the crypto library is
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

/* What the person who sets up a node says of the key of each use */
static const struct
{
	char	  **setting;
	const char *setting_name;
	const char *name;
	const char *hint;			/* where it is not set */
}			key_settings[ECERT_USE_COUNT] = {
	[ECERT_USE_PACKAGE] = {
		&ecert_signing_key, "ecert.signing_key", "signing key",
		"Set it to the PEM file or OSSL_STORE URI of this node's private key."
	},
	[ECERT_USE_SEAL] = {
		&ecert_seal_key, "ecert.seal_key", "seal key",
		"The certifier seals checkpoints with a key of its own, not with that of ecert.signing_key: make one with "
		"openssl genpkey -algorithm ed25519 -out seal.pem, and set ecert.seal_key to that file."
	},
	[ECERT_USE_WITNESS] = {
		&ecert_witness_key, "ecert.witness_key", "witness key",
		"A witness cosigns with a key of its own, not with that of ecert.signing_key: make one with "
		"openssl genpkey -algorithm ed25519 -out witness.pem, and set ecert.witness_key to that file."
	},
};

/* A loaded key, and what it was loaded from */
typedef struct LoadedKey
{
	EcertPrivateKey *key;
	char	   *uri;
	struct stat file;			/* all zero when the URI is no plain file */
} LoadedKey;

static LoadedKey loaded_keys[ECERT_USE_COUNT];

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
load_key(const char *uri, EcertPrivateKey **key)
{
	EcertCode	code = ecert_private_key_load(uri, NULL, key);

	if (code == ECERT_KEY_PASSPHRASE && ecert_passphrase_command[0] != '\0')
	{
		char		passphrase[PASSPHRASE_MAX];

		run_passphrase_command(passphrase);
		code = ecert_private_key_load(uri, passphrase, key);
		explicit_bzero(passphrase, sizeof passphrase);
	}
	return code;
}

/* What changes when the file does; all zero when there is no such file */
static struct stat
file_identity(const char *uri)
{
	struct stat found;

	memset(&found, 0, sizeof found);
	if (stat(uri, &found) != 0)
		memset(&found, 0, sizeof found);
	/* that it was read changes nothing */
	memset(&found.st_atim, 0, sizeof found.st_atim);
	return found;
}

bool
ecert_has_own_key(EcertKeyUse use)
{
	const char *uri = *key_settings[use].setting;

	return uri != NULL && uri[0] != '\0';
}

const EcertPrivateKey *
ecert_own_key(EcertKeyUse use)
{
	const char *setting = *key_settings[use].setting;
	LoadedKey  *loaded = &loaded_keys[use];
	struct stat identity;
	EcertPrivateKey *key;
	char	   *uri;
	EcertCode	code;

	if (!ecert_has_own_key(use))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SIGNING_KEY),
				 errmsg("setting \"%s\" is not set", key_settings[use].setting_name),
				 errhint("%s", key_settings[use].hint)));
	identity = file_identity(setting);
	if (loaded->key != NULL && strcmp(loaded->uri, setting) == 0 && memcmp(&loaded->file, &identity, sizeof identity) == 0)
		return loaded->key;
	if ((code = load_key(setting, &key)) != ECERT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_SIGNING_KEY),
				 errmsg("could not load the %s", key_settings[use].name),
				 errdetail("%s", ecert_sentence(code)),
				 errhint("Check %s, the file's permissions and, for an encrypted key, ecert.signing_key_passphrase_command.",
						 key_settings[use].setting_name)));
	uri = MemoryContextStrdup(TopMemoryContext, setting);
	ecert_private_key_free(loaded->key);
	if (loaded->uri != NULL)
		pfree(loaded->uri);
	*loaded = (LoadedKey) {key, uri, identity};
	return loaded->key;
}

bytea *
ecert_sign_here(const EcertPackage *template_package)
{
	const EcertPrivateKey *key = ecert_own_key(ECERT_USE_PACKAGE);
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
ecert_own_public_key(EcertKeyUse use, EcertAlg *alg, uint8_t *raw, size_t *raw_size)
{
	const EcertPrivateKey *key = ecert_own_key(use);
	EcertCode	code = ecert_private_key_public(key, raw, raw_size);

	if (code != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_ECERT_SIGNING_KEY, "could not read the public half of the key");
	*alg = ecert_private_key_alg(key);
}

EcertKeyUse
ecert_key_use_argument(text *name)
{
	EcertKeyUse use;

	if (!ecert_key_use_from_name(ecert_varlena_slice(name), &use))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a use of a key", text_to_cstring(name)),
				 errhint("Uses are package, seal and witness.")));
	return use;
}

/* public_key(use): NULL where a node that need not witness has no witness key */
ECERT_FUNCTION(ecert_sql_public_key)
{
	EcertKeyUse use = ecert_key_use_argument(PG_GETARG_TEXT_PP(0));
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	char		pem_bytes[1024];
	EcertBuffer pem = ecert_buffer(pem_bytes, sizeof pem_bytes);
	size_t		raw_size;
	EcertAlg	alg;
	EcertCode	code;

	if (use == ECERT_USE_WITNESS && !ecert_has_own_key(use))
		PG_RETURN_NULL();
	ecert_own_public_key(use, &alg, raw, &raw_size);
	if ((code = ecert_public_key_to_pem(alg, ecert_slice(raw, raw_size), &pem)) != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_ECERT_SIGNING_KEY, "could not write the public key");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(pem_bytes, (int) pem.size));
}

ECERT_FUNCTION(ecert_sql_this_node)
{
	PG_RETURN_TEXT_P(ecert_text(ecert_this_node()));
}
