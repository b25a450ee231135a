/*
 * checkpoint.c
 *		The rules of kinds checkpoint and witness, as far as they need no tree:
 *		size and root are computed where the tree is.
 */
#include "core/checkpoint.h"

#include "rules/fields.h"
#include "rules/rules.h"

static bool
check_seal(EcertView *view, const EcertPackage *package, const EcertCheckpoint *checkpoint, const EcertSeal *seal, EcertKeyFacts *key,
		   EcertFinding *finding)
{
	const EcertPublicKey *prepared;
	const char *fault;

	if (!view->key(view, view->certifier, ecert_slice(seal->kid, ECERT_HASH_SIZE), key, &prepared) || key->use != ECERT_USE_SEAL)
		return ECERT_FIND(finding, ECERT_SEAL_KEY_UNKNOWN, ecert_a_text(view->certifier), ecert_a_hash(seal->kid));
	if (!ecert_key_counts(key, ECERT_USE_SEAL, package->issued_at))
		return ECERT_FIND(finding, ECERT_SEAL_KEY_TIME, ecert_a_hash(seal->kid), ecert_a_time(key->effective), ecert_a_time(key->until),
						  ecert_a_time(package->issued_at));
	fault = key->alg != seal->alg ? "checkpoint's seal names another algorithm than its key's" :
		ecert_checkpoint_seal_fault(package, checkpoint, seal, prepared);
	return fault == NULL || ECERT_FIND(finding, ECERT_CHECKPOINT_FAULT, ecert_a_word(fault));
}

bool
ecert_check_checkpoint(EcertView *view, const EcertPackage *package, const EcertCheckpoint *checkpoint, EcertFinding *finding)
{
	const char *fault = ecert_checkpoint_fault(checkpoint);
	EcertCursor seals = checkpoint->seals;
	bool		has_note = checkpoint->note.size == 0;
	EcertKeyFacts key;
	EcertSeal	seal;

	if (fault != NULL)
		return ECERT_FIND(finding, ECERT_CHECKPOINT_FAULT, ecert_a_word(fault));
	for (uint64_t i = 0; i < checkpoint->seal_count && ecert_checkpoint_next_seal(&seals, &seal); i++)
	{
		if (!check_seal(view, package, checkpoint, &seal, &key, finding))
			return false;
		has_note = has_note || (key.alg == ECERT_ALG_ED25519 && ecert_checkpoint_note_is_right(package, checkpoint, ecert_slice(key.raw, 32)));
	}
	return has_note || ECERT_FIND(finding, ECERT_CHECKPOINT_FAULT, ecert_a_word("checkpoint's note is wrong"));
}

bool
ecert_rule_checkpoint(EcertCase *it)
{
	EcertCheckpoint checkpoint;

	/* an issuer that may issue none is told of as such */
	if (!ecert_slice_equal(it->package->issuer, it->rules->view->certifier))
		return true;
	/* of what the schema lets through only the size may be too large */
	if (ecert_checkpoint_read(it->package->body, &checkpoint) != ECERT_OK)
		return ECERT_FIND(it->finding, ECERT_CHECKPOINT_FAULT, ecert_a_word("checkpoint's size is beyond that of the largest tree"));
	return ecert_check_checkpoint(it->rules->view, it->package, &checkpoint, it->finding);
}

/*
 * A cosignature in the witness's own name is by one of its witness keys that
 * counted.  An end is asked for where the package is first admitted alone: what
 * is said of the key later, as by a revocation with a time in the past, makes
 * packages void, not wrong
 */
static bool
is_by_witness(EcertCase *it, const EcertNoteSignature *signature, EcertSlice noted)
{
	const EcertPackage *package = it->package;
	EcertView  *view = it->rules->view;
	EcertKeyFacts key;
	int64_t		time;

	for (size_t i = 0; view->key_at(view, package->issuer, i, &key); i++)
	{
		if (key.use == ECERT_USE_WITNESS && package->issued_at >= key.effective &&
			(!it->first_admission || package->issued_at <= key.until) && key.alg == ECERT_ALG_ED25519 &&
			ecert_note_verify_cosignature(noted, signature, ecert_slice(key.raw, 32), &time) == ECERT_OK)
			return true;
	}
	return false;
}

/* One line, and right where it is the witness's own; under another name it is somebody's whose key is not known here */
static bool
cosignature_is_right(EcertCase *it, EcertSlice line, EcertSlice noted)
{
	EcertNoteSignature signature;

	return ecert_cosignature_read(line, it->rules->arena, &signature) &&
		(!ecert_slice_equal(signature.name, it->package->issuer) || is_by_witness(it, &signature, noted));
}

static bool
check_cosignature(EcertCase *it, int64_t size)
{
	EcertSlice	item = ecert_field_item(it->package->body, "cosignature");
	EcertSlice	root = ecert_cbor_text_at(it->package->body, "root");
	EcertBuffer noted = ecert_buffer(ecert_arena_alloc(it->rules->arena, ECERT_NOTE_MAX), ECERT_NOTE_MAX);
	uint8_t		hash[ECERT_HASH_SIZE];

	if (item.size == 0 || !ecert_hex_to_hash(root, hash))
		return true;
	ecert_note_put_text(&noted, it->rules->view->origin, (uint64_t) size, hash);
	return cosignature_is_right(it, ecert_cbor_text_at(it->package->body, "cosignature"), ecert_slice(noted.data, noted.size)) ||
		ECERT_FIND_PLAIN(it->finding, ECERT_WITNESS_COSIGNATURE);
}

bool
ecert_rule_witness(EcertCase *it)
{
	EcertSlice	body = it->package->body;
	EcertView  *view = it->rules->view;
	EcertSlice	root = ecert_cbor_text_at(body, "root");
	EcertSlice	named_root;
	EcertEntry	named;
	EcertPackage checkpoint;
	int64_t		size;
	int64_t		named_size;

	if (!ecert_find_named(it, "checkpoint", ECERT_KIND_CHECKPOINT, &named) || !ecert_slice_equal(named.issuer, view->certifier))
		return ECERT_FIND(it->finding, ECERT_WITNESS_NO_CHECKPOINT, ecert_a_text(ecert_cbor_text_at(body, "checkpoint")));
	if (!view->package(view, &named, &checkpoint))
		return true;
	named_root = ecert_arena_copy(it->rules->arena, ecert_cbor_text_at(checkpoint.body, "root"));
	(void) ecert_field_int(checkpoint.body, "size", &named_size);
	(void) ecert_field_int(body, "size", &size);
	if (size != named_size || !ecert_slice_equal(root, named_root))
		return ECERT_FIND(it->finding, ECERT_WITNESS_OTHER_ROOT, ecert_a_number(size), ecert_a_text(root), ecert_a_number(named_size),
						  ecert_a_text(named_root));
	return check_cosignature(it, size);
}
