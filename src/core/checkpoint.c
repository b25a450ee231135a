/*
 * checkpoint.c
 *		Reading checkpoint packages; see checkpoint.h.
 */
#include "core/checkpoint.h"

/* [i, n]; where there is none, it is the only one */
static bool
read_part(EcertSlice body, EcertCheckpoint *checkpoint)
{
	EcertSlice	item;
	EcertCursor numbers;
	uint64_t	count;

	checkpoint->part = checkpoint->parts = 1;
	if (!ecert_cbor_find(body, "part", &item))
		return true;
	numbers = ecert_cbor_items_at(body, "part", &count);
	return count == 2 && ecert_cbor_int(ecert_cbor_skip(&numbers), &checkpoint->part) == ECERT_OK &&
		ecert_cbor_int(ecert_cbor_skip(&numbers), &checkpoint->parts) == ECERT_OK;
}

EcertCode
ecert_checkpoint_read(EcertSlice body, EcertCheckpoint *checkpoint)
{
	EcertSlice	item;
	int64_t		size;

	memset(checkpoint, 0, sizeof *checkpoint);
	if (!ecert_cbor_find(body, "size", &item) || ecert_cbor_int(item, &size) != ECERT_OK)
		return ECERT_BODY_TYPE;
	if (!read_part(body, checkpoint))
		return ECERT_BODY_TYPE;
	checkpoint->size = (uint64_t) size;
	if (size < 0 || checkpoint->size > ECERT_TREE_MAX ||
		!ecert_hex_to_hash(ecert_cbor_text_at(body, "root"), checkpoint->root))
		return ECERT_BODY_VALUE;
	checkpoint->seals = ecert_cbor_items_at(body, "seals", &checkpoint->seal_count);
	checkpoint->note = ecert_cbor_text_at(body, "note");
	checkpoint->heads = ecert_cbor_items_at(body, "heads", &checkpoint->head_count);
	return ECERT_OK;
}

EcertSealHeader
ecert_checkpoint_seal_header(const EcertPackage *package, const EcertCheckpoint *checkpoint, const EcertSeal *seal)
{
	return (EcertSealHeader) {seal->alg, ecert_slice(seal->kid, ECERT_HASH_SIZE), package->issuer, package->audience, checkpoint->size};
}

bool
ecert_checkpoint_next_seal(EcertCursor *seals, EcertSeal *seal)
{
	EcertSlice	item;
	EcertSlice	alg;
	EcertSlice	hex;

	if (seals->offset >= seals->bytes.size)
		return false;
	item = ecert_cbor_skip(seals);
	hex = ecert_cbor_text_at(item, "signature");
	seal->size = hex.size / 2;
	(void) ecert_cbor_find(item, "alg", &alg);
	seal->alg = ecert_alg_read(alg);
	return seal->alg != ECERT_ALG_NONE &&
		seal->size == ecert_signature_size(seal->alg) && ecert_hex_to_bytes(hex, seal->signature) &&
		ecert_hex_to_hash(ecert_cbor_text_at(item, "kid"), seal->kid);
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

int
ecert_compare_heads(const EcertFeedHead *a, const EcertFeedHead *b)
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
		if (!ecert_checkpoint_next_head(&heads, &head) || (i > 0 && ecert_compare_heads(&before, &head) >= 0))
			return false;
		before = head;
	}
	return true;
}

/* Do their kids strictly increase?  Then no key has sealed twice */
static bool
seals_in_order(const EcertCheckpoint *checkpoint)
{
	EcertCursor seals = checkpoint->seals;
	uint8_t		before[ECERT_HASH_SIZE];
	EcertSeal	seal;

	for (uint64_t i = 0; i < checkpoint->seal_count; i++)
	{
		if (!ecert_checkpoint_next_seal(&seals, &seal) || (i > 0 && memcmp(before, seal.kid, sizeof before) >= 0))
			return false;
		memcpy(before, seal.kid, sizeof before);
	}
	return true;
}

bool
ecert_checkpoint_note_is_right(const EcertPackage *package, const EcertCheckpoint *checkpoint, EcertSlice raw)
{
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer expected = ecert_buffer(bytes, sizeof bytes);
	EcertNote	note;
	EcertNoteSignature signature;
	EcertSlice	lines;

	/* three lines and no more, so that everybody knows what witnesses cosign */
	ecert_note_put_text(&expected, package->audience, checkpoint->size, checkpoint->root);
	if (ecert_note_parse(checkpoint->note, &note, NULL) != ECERT_OK ||
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
ecert_checkpoint_seal_fault(const EcertPackage *package, const EcertCheckpoint *checkpoint, const EcertSeal *seal, const EcertPublicKey *key)
{
	EcertSlice	signature = ecert_slice(seal->signature, seal->size);
	EcertSealHeader header = ecert_checkpoint_seal_header(package, checkpoint, seal);

	if (!ecert_signature_is_strict(seal->alg, signature))
		return "checkpoint's seal is not in strict form (high s)";
	return ecert_seal_verify(&header, checkpoint->root, key, signature) == ECERT_OK ? NULL : "checkpoint's seal is wrong";
}

const char *
ecert_checkpoint_fault(const EcertCheckpoint *checkpoint)
{
	EcertCursor heads = checkpoint->heads;
	EcertFeedHead head;

	if (!ecert_checkpoint_heads_in_order(checkpoint))
		return "checkpoint's heads are not in increasing order";
	for (uint64_t i = 0; i < checkpoint->head_count && ecert_checkpoint_next_head(&heads, &head); i++)
	{
		if (ecert_slice_equal(head.kind, ecert_slice_text(ecert_kind_name(ECERT_KIND_GENESIS))))
			return "checkpoint names the genesis feed, which every tree begins with";
	}
	return seals_in_order(checkpoint) ? NULL : "checkpoint's seals are not in increasing order of their keys";
}
