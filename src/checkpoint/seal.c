/*
 * seal.c
 *		What a certifier's and a witness's key put under a root, and judging it.
 */
#include "checkpoint/tree.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "ledger/view.h"
#include "package/datum.h"
#include "pg/error.h"

/* A root argument of 32 bytes */
static void
root_argument(Datum value, uint8_t *root)
{
	if (!ecert_hash_from_datum(value, root))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a root has 32 bytes")));
}

/* seal_root(size, root): the seal of this node, as a checkpoint's body has it */
ECERT_FUNCTION(ecert_sql_seal_root)
{
	const EcertPrivateKey *key = ecert_own_key(ECERT_USE_SEAL);
	EcertSealHeader header = {
		.certifier = ecert_this_node(), .origin = ecert_registry_current()->origin, .tree_size = (uint64_t) PG_GETARG_INT64(0)
	};
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		seal[ECERT_SIGNATURE_MAX];
	uint8_t		kid[ECERT_HASH_SIZE];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	EcertCode	code;

	root_argument(PG_GETARG_DATUM(1), root);
	ecert_own_public_key(ECERT_USE_SEAL, &header.alg, raw, &raw_size);
	header.kid = ecert_slice(kid, sizeof kid);
	code = ecert_key_thumbprint(header.alg, ecert_slice(raw, raw_size), kid);
	if (code == ECERT_OK)
		code = ecert_seal(&header, root, key, seal);
	if (code != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_ECERT_SIGNING_KEY, "could not sign the root");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in,
										CStringGetDatum(psprintf("{\"alg\": " INT64_FORMAT ", \"kid\": \"%s\", \"signature\": \"%s\"}",
																 ecert_alg_cose(header.alg), ecert_hex(header.kid),
																 ecert_hex(ecert_slice(seal, ecert_signature_size(header.alg)))))));
}

/* Can this node's key for a use, and this name, stand under a C2SP note? */
static bool
can_sign_notes(EcertKeyUse use, EcertSlice name)
{
	return ecert_private_key_alg(ecert_own_key(use)) == ECERT_ALG_ED25519 && ecert_note_name_valid(name);
}

static Datum
note_datum(EcertCode code, const EcertBuffer *out)
{
	if (code == ECERT_OK && !ecert_buffer_fits(out))
		code = ECERT_NO_SPACE;
	if (code != ECERT_OK)
		ecert_raise_crypto(code, ERRCODE_ECERT_SIGNING_KEY, "could not sign the note");
	return PointerGetDatum(ecert_text(ecert_slice(out->data, out->size)));
}

/* sign_note(size, root): the checkpoint as a C2SP note; NULL where key or origin cannot be in one */
ECERT_FUNCTION(ecert_sql_sign_note)
{
	EcertSlice	origin = ecert_registry_current()->origin;
	uint8_t		root[ECERT_HASH_SIZE];
	char		bytes[ECERT_NOTE_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

	root_argument(PG_GETARG_DATUM(1), root);
	if (!can_sign_notes(ECERT_USE_SEAL, origin))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(note_datum(ecert_note_sign(&out, origin, (uint64_t) PG_GETARG_INT64(0), root, ecert_own_key(ECERT_USE_SEAL)), &out));
}

/* cosign(size, root, seconds): this node's cosignature line, without its end; NULL where it has no witness key, or that, its id or the origin cannot be in one */
ECERT_FUNCTION(ecert_sql_cosign)
{
	EcertSlice	name = ecert_this_node();
	uint8_t		root[ECERT_HASH_SIZE];
	char		note_bytes[ECERT_NOTE_MAX];
	EcertBuffer note = ecert_buffer(note_bytes, sizeof note_bytes);
	char		bytes[ECERT_NOTE_LINE_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertCode	code;

	root_argument(PG_GETARG_DATUM(1), root);
	if (!ecert_has_own_key(ECERT_USE_WITNESS) || !can_sign_notes(ECERT_USE_WITNESS, name) || !ecert_note_name_valid(ecert_registry_current()->origin))
		PG_RETURN_NULL();
	/* witnesses cosign the text of the checkpoint's note */
	ecert_note_put_text(&note, ecert_registry_current()->origin, (uint64_t) PG_GETARG_INT64(0), root);
	code = ecert_note_cosign(&out, ecert_slice(note.data, note.size), name, PG_GETARG_INT64(2), ecert_own_key(ECERT_USE_WITNESS));
	if (code == ECERT_OK && out.size > 0 && out.size <= out.capacity && bytes[out.size - 1] == '\n')
		out.size--;
	PG_RETURN_DATUM(note_datum(code, &out));
}

/* is_certifiers_checkpoint(package): of this ledger, whole in itself, and signed and sealed with keys of its certifier */
ECERT_FUNCTION(ecert_sql_is_certifiers_checkpoint)
{
	EcertRegistry *registry = ecert_registry_current();
	EcertPackage package;
	EcertCheckpoint checkpoint;
	EcertNodeKey *key;
	EcertFinding finding;

	ecert_package_of(PG_GETARG_DATUM(0), &package);
	if (package.kind != ECERT_KIND_CHECKPOINT || !ecert_slice_equal(package.issuer, ecert_certifier_of(registry)) ||
		!ecert_slice_equal(package.audience, registry->origin))
		PG_RETURN_BOOL(false);
	ecert_checkpoint_of(&package, &checkpoint);
	key = ecert_signed_with(registry, &package);
	PG_RETURN_BOOL(key != NULL && key->facts.use == ECERT_USE_PACKAGE &&
				   ecert_check_checkpoint(&ecert_ledger_rules(CurrentMemoryContext, ECERT_SEE_PRESENT, NULL)->view, &package, &checkpoint, &finding));
}

/* read_note(note, OUT origin, OUT size, OUT root, OUT is_signed): is_signed tells whether the certifier has */
ECERT_FUNCTION(ecert_sql_read_note)
{
	EcertRegistry *registry = ecert_registry_current();
	EcertNodeState *certifier = ecert_registry_node(registry, ecert_certifier_of(registry));
	EcertNote	note;
	EcertNoteSignature signature;
	EcertSlice	lines;
	TupleDesc	description;
	Datum		values[4];
	bool		nulls[4] = {false};
	bool		is_signed = false;
	EcertCode	code = ecert_note_parse(ecert_varlena_slice(PG_GETARG_TEXT_PP(0)), &note, NULL);

	if (ecert_is_beyond(code))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the note cannot be read here"),
				 errdetail("%s", ecert_sentence(code))));
	if (code != ECERT_OK || note.size > ECERT_TREE_MAX)
		PG_RETURN_NULL();
	lines = note.signatures;
	while (!is_signed && ecert_note_next_signature(&lines, &signature))
	{
		for (int i = 0; certifier != NULL && i < certifier->key_count; i++)
		{
			const EcertNodeKey *key = &certifier->keys[i];

			is_signed |= key->facts.use == ECERT_USE_SEAL && key->facts.alg == ECERT_ALG_ED25519 && ecert_slice_equal(signature.name, registry->origin) &&
				ecert_note_verify(note.text, &signature, ecert_slice(key->facts.raw, ecert_raw_key_size(key->facts.alg))) == ECERT_OK;
		}
	}
	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = PointerGetDatum(ecert_text(note.origin));
	values[1] = Int64GetDatum((int64) note.size);
	values[2] = PointerGetDatum(ecert_bytea(ecert_slice(note.root, ECERT_HASH_SIZE)));
	values[3] = BoolGetDatum(is_signed);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

/* note_key(witness): the C2SP verifier key of the log, or of a node that cosigns; NULL where there is none */
ECERT_FUNCTION(ecert_sql_note_key)
{
	EcertRegistry *registry = ecert_registry_current();
	bool		cosigns = !PG_ARGISNULL(0);
	EcertSlice	node = cosigns ? ecert_varlena_slice(PG_GETARG_TEXT_PP(0)) :
		ecert_certifier_of(registry);
	EcertNodeState *state = ecert_registry_node(registry, node);
	char		bytes[ECERT_NOTE_LINE_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

	/* the key in use is the last of its use */
	for (int i = state == NULL ? -1 : state->key_count - 1; i >= 0; i--)
	{
		if (state->keys[i].facts.use == (cosigns ? ECERT_USE_WITNESS : ECERT_USE_SEAL) && state->keys[i].facts.alg == ECERT_ALG_ED25519 && state->keys[i].facts.until == INT64_MAX &&
			ecert_note_put_key(&out, cosigns ? node : registry->origin, ecert_slice(state->keys[i].facts.raw, 32), cosigns) == ECERT_OK)
			PG_RETURN_TEXT_P(ecert_text(ecert_slice(out.data, out.size)));
	}
	PG_RETURN_NULL();
}
