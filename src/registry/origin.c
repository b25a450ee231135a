/*
 * origin.c
 *		What SQL asks about this database's ledger as a whole, and about a key.
 */
#include "registry/registry.h"

#include "utils/builtins.h"

#include "package/datum.h"
#include "pg/error.h"

PG_FUNCTION_INFO_V1(ecert_sql_origin);
PG_FUNCTION_INFO_V1(ecert_sql_genesis_hash);
PG_FUNCTION_INFO_V1(ecert_sql_certifier);
PG_FUNCTION_INFO_V1(ecert_sql_key_entry);

EcertRegistry *
ecert_registry_of_ledger(void)
{
	EcertRegistry *registry = ecert_registry_current();

	if (!registry->has_genesis)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NO_LEDGER),
				 errmsg("this ledger has no genesis package yet")));
	return registry;
}

/* origin(): the ledger's name */
Datum
ecert_sql_origin(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(ecert_text(ecert_registry_of_ledger()->origin));
}

/* genesis_hash(): the ledger's id */
Datum
ecert_sql_genesis_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(ecert_bytea(ecert_slice(ecert_registry_of_ledger()->genesis_hash, ECERT_HASH_SIZE)));
}

/* certifier(): the node that made the ledger */
Datum
ecert_sql_certifier(PG_FUNCTION_ARGS)
{
	EcertRegistry *registry = ecert_registry_of_ledger();

	PG_RETURN_TEXT_P(ecert_text(ecert_slice(registry->certifier.bytes, registry->certifier.size)));
}

/* key_entry(pem): what a node body says of a key, without its times */
Datum
ecert_sql_key_entry(PG_FUNCTION_ARGS)
{
	EcertSlice	pem = ecert_varlena_slice(PG_GETARG_TEXT_PP(0));
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		kid[ECERT_HASH_SIZE];
	size_t		raw_size;
	EcertAlg	alg;
	EcertPublicKey *trial = NULL;
	EcertCode	code = ecert_public_key_from_pem(pem, &alg, raw, &raw_size);

	if (code == ECERT_OK)
		code = ecert_public_key_new(alg, ecert_slice(raw, raw_size), &trial);
	if (code == ECERT_OK)
		code = ecert_key_thumbprint(alg, ecert_slice(raw, raw_size), kid);
	ecert_public_key_free(trial);
	if (code != ECERT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_PUBLIC_KEY),
				 errmsg("invalid public key"),
				 errdetail("%s", ecert_sentence(code)),
				 errhint("Give the SubjectPublicKeyInfo PEM text of an Ed25519, P-256 or SM2 key, as ecert.public_key() returns it.")));
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in,
										CStringGetDatum(psprintf("{\"alg\": " INT64_FORMAT ", \"kid\": \"%s\", \"public\": \"%s\"}",
																 ecert_alg_cose(alg), ecert_hex(ecert_slice(kid, sizeof kid)),
																 ecert_hex(ecert_slice(raw, raw_size))))));
}
