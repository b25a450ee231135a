/*
 * checkpoint.c
 *		The rules of kinds checkpoint and witness, as far as they need no tree:
 *		size and root are computed where the tree is.
 */
#include "core/checkpoint.h"

#include "rules/fields.h"
#include "rules/rules.h"

bool
ecert_rule_checkpoint(EcertCase *it)
{
	const EcertPackage *package = it->package;
	EcertView  *view = it->rules->view;
	const EcertPublicKey *prepared;
	EcertKeyFacts key;
	EcertCheckpoint checkpoint;
	const char *fault;

	/* a key that its issuer does not have, and a body that is none, are told of as such */
	if (ecert_checkpoint_read(package->body, &checkpoint) != ECERT_OK ||
		!view->key(view, package->issuer, package->kid, &key, &prepared) || key.alg != package->alg)
		return true;
	fault = ecert_checkpoint_fault(package, &checkpoint, prepared, ecert_slice(key.raw, ecert_raw_key_size(key.alg)));
	return fault == NULL || ECERT_FIND(it->finding, ECERT_CHECKPOINT_FAULT, ecert_a_word(fault));
}

/* One line, and right where it is the witness's own; under another name it is somebody's whose key is not known here */
static bool
cosignature_is_right(EcertCase *it, EcertSlice line, EcertSlice noted)
{
	const EcertPackage *package = it->package;
	EcertView  *view = it->rules->view;
	EcertText	text = ecert_text_in(it->rules->arena);
	const EcertPublicKey *prepared;
	EcertKeyFacts key;
	EcertNoteSignature signature;
	EcertSlice	lines;
	int64_t		time;

	ecert_text_put(&text, line);
	ecert_text_put_string(&text, "\n");
	lines = ecert_text_slice(&text);
	if (!ecert_note_next_signature(&lines, &signature) || lines.size != 0 || signature.size != 72)
		return false;
	return !ecert_slice_equal(signature.name, package->issuer) ||
		(view->key(view, package->issuer, package->kid, &key, &prepared) && key.alg == ECERT_ALG_ED25519 &&
		 ecert_note_verify_cosignature(noted, &signature, ecert_slice(key.raw, 32), &time) == ECERT_OK);
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
