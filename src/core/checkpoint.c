/*
 * checkpoint.c
 *		Reading checkpoint packages; see checkpoint.h.
 */
#include "core/checkpoint.h"

EcertCode
ecert_checkpoint_read(EcertSlice body, EcertCheckpoint *checkpoint)
{
	EcertSlice	seal = ecert_cbor_text_at(body, "seal");
	EcertSlice	item;
	int64_t		size;

	memset(checkpoint, 0, sizeof *checkpoint);
	if (!ecert_cbor_find(body, "size", &item) || ecert_cbor_int(item, &size) != ECERT_OK)
		return ECERT_BODY_TYPE;
	checkpoint->size = (uint64_t) size;
	if (size < 0 || checkpoint->size > ECERT_TREE_MAX ||
		!ecert_hex_to_hash(ecert_cbor_text_at(body, "root"), checkpoint->root) ||
		seal.size > 2 * sizeof checkpoint->seal || !ecert_hex_to_bytes(seal, checkpoint->seal))
		return ECERT_BODY_VALUE;
	checkpoint->seal_size = seal.size / 2;
	checkpoint->note = ecert_cbor_text_at(body, "note");
	checkpoint->heads = ecert_cbor_items_at(body, "heads", &checkpoint->head_count);
	return ECERT_OK;
}

EcertSealHeader
ecert_checkpoint_seal_header(const EcertPackage *package, const EcertCheckpoint *checkpoint)
{
	return (EcertSealHeader) {package->alg, package->kid, package->issuer, package->audience, checkpoint->size};
}

bool
ecert_checkpoint_next_head(EcertCursor *heads, EcertFeedHead *head)
{
	EcertCursor fields;
	EcertCborHead array;

	if (heads->offset >= heads->bytes.size)
		return false;
	fields = ecert_cursor(ecert_cbor_skip(heads));
	return ecert_cbor_head(&fields, &array, NULL) == ECERT_OK && array.type == ECERT_CBOR_ARRAY && array.value == 3 &&
		ecert_cbor_text(ecert_cbor_skip(&fields), &head->issuer) &&
		ecert_cbor_text(ecert_cbor_skip(&fields), &head->kind) &&
		ecert_cbor_int(ecert_cbor_skip(&fields), &head->seq) == ECERT_OK;
}

/* Order of two heads: issuer and then the name of the kind, bytewise */
static int
compare_heads(const EcertFeedHead *a, const EcertFeedHead *b)
{
	int			order = ecert_slice_compare(a->issuer, b->issuer);

	return order != 0 ? order : ecert_slice_compare(a->kind, b->kind);
}

bool
ecert_checkpoint_heads_in_order(const EcertCheckpoint *checkpoint)
{
	EcertCursor heads = checkpoint->heads;
	EcertFeedHead before = {{NULL, 0}, {NULL, 0}, -1};
	EcertFeedHead head;

	for (uint64_t i = 0; i < checkpoint->head_count; i++)
	{
		if (!ecert_checkpoint_next_head(&heads, &head) || (i > 0 && compare_heads(&before, &head) >= 0))
			return false;
		before = head;
	}
	return true;
}

/* The note says what the checkpoint says, and the log's own key has signed it */
static bool
note_is_right(const EcertPackage *package, const EcertCheckpoint *checkpoint, EcertSlice raw)
{
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer expected = ecert_buffer(bytes, sizeof bytes);
	EcertNote	note;
	EcertNoteSignature signature;
	EcertSlice	lines;

	/* three lines and no more, so that everybody knows what witnesses cosign */
	ecert_note_put_text(&expected, package->audience, checkpoint->size, checkpoint->root);
	if (package->alg != ECERT_ALG_ED25519 || ecert_note_parse(checkpoint->note, &note, NULL) != ECERT_OK ||
		!ecert_slice_equal(note.text, ecert_slice(bytes, expected.size)))
		return false;
	lines = note.signatures;
	while (ecert_note_next_signature(&lines, &signature))
	{
		if (ecert_slice_equal(signature.name, package->audience) &&
			ecert_note_verify(note.text, &signature, raw) == ECERT_OK)
			return true;
	}
	return false;
}

const char *
ecert_checkpoint_fault(const EcertPackage *package, const EcertCheckpoint *checkpoint, const EcertPublicKey *key, EcertSlice raw)
{
	EcertSlice	seal = ecert_slice(checkpoint->seal, checkpoint->seal_size);
	EcertCursor heads = checkpoint->heads;
	EcertSealHeader header;
	EcertFeedHead head;

	if (!ecert_checkpoint_heads_in_order(checkpoint))
		return "checkpoint's heads are not in increasing order";
	for (uint64_t i = 0; i < checkpoint->head_count && ecert_checkpoint_next_head(&heads, &head); i++)
	{
		if (ecert_slice_equal(head.kind, ecert_slice_text(ecert_kind_name(ECERT_KIND_GENESIS))))
			return "checkpoint names the genesis feed, which every tree begins with";
	}
	if (seal.size == ecert_signature_size(package->alg) && !ecert_signature_is_strict(package->alg, seal))
		return "checkpoint's seal is not in strict form (high s)";
	header = ecert_checkpoint_seal_header(package, checkpoint);
	if (ecert_seal_verify(&header, checkpoint->root, key, seal) != ECERT_OK)
		return "checkpoint's seal is wrong";
	if (checkpoint->note.size > 0 && !note_is_right(package, checkpoint, raw))
		return "checkpoint's note is wrong";
	return NULL;
}
