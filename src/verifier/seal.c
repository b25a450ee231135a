/*
 * seal.c
 *		What checkpoints and witnesses sign beside their packages: the seal of
 *		receipts, the C2SP note, cosignatures.
 *
 * They need no other checkpoint, so the threads that verify packages do it.
 */
#include "verifier/verifier.h"

#include <inttypes.h>

/* The text of a note with an origin of any length, without its signatures */
#define NOTE_TEXT_ROOM (ECERT_ID_MAX + 128)

#include "core/checkpoint.h"

void
read_size_and_root(EcertSlice body, uint64_t *size, uint8_t *root)
{
	EcertSlice	item;
	int64_t		number = 0;

	if (ecert_cbor_find(body, "size", &item))
		(void) ecert_cbor_int(item, &number);
	*size = number < 0 ? 0 : (uint64_t) number;
	(void) ecert_hex_to_hash(ecert_cbor_text_at(body, "root"), root);
}

static const Key *
key_of(const Ledger *ledger, const Entry *entry)
{
	return entry->key == NO_KEY ? NULL : ledger->registry.keys[entry->key];
}

void
check_seal(Judge *judge, Entry *entry, const EcertPackage *package)
{
	const Key  *key = key_of(judge->ledger, entry);
	EcertCheckpoint checkpoint;
	const char *fault;

	if (ecert_checkpoint_read(package->body, &checkpoint) != ECERT_OK)
		return;					/* a body that is none has its own problem */
	fault = ecert_checkpoint_fault(package, &checkpoint, key->prepared, ecert_slice(key->raw, ecert_raw_key_size(key->alg)));
	if (fault != NULL)
		ledger_problem(judge->ledger, entry, "%s", fault);
}

/* ----- witnesses ----- */

/* The Ed25519 key of a witness: what signed its package, or else any that it has */
static const Key *
witness_key(const Ledger *ledger, const Entry *entry)
{
	const Node *node = ledger->registry.nodes[entry->issuer];
	const Key  *key = key_of(ledger, entry);

	for (uint32_t i = 0; (key == NULL || key->alg != ECERT_ALG_ED25519) && node != NULL && i < node->key_count; i++)
		key = ledger->registry.keys[node->keys[i]];
	return key != NULL && key->alg == ECERT_ALG_ED25519 ? key : NULL;
}

/* The text that witnesses sign: the note's own, which may have more lines, or that of a checkpoint without one */
static EcertSlice
cosigned_text(const Ledger *ledger, EcertSlice body, uint64_t size, const uint8_t *root, EcertBuffer *room)
{
	EcertNote	note;

	if (ecert_note_parse(ecert_cbor_text_at(body, "note"), &note, NULL) == ECERT_OK)
		return note.text;
	ecert_note_put_text(room, ledger->registry.origin, size, root);
	return ecert_slice(room->data, ecert_buffer_fits(room) ? room->size : 0);
}

/* False when a line is not one, or is the witness's own and wrong */
static bool
cosignatures_are_good(Judge *judge, const Entry *entry, EcertSlice lines, EcertSlice text)
{
	Ledger	   *ledger = judge->ledger;
	const Key  *key = witness_key(ledger, entry);
	EcertNoteSignature signature;
	bool		found = false;
	int64_t		time;

	while (ecert_note_next_signature(&lines, &signature))
	{
		found = true;
		if (key == NULL || !ecert_slice_equal(signature.name, ledger_id_text(ledger, entry->issuer)))
		{
			atomic_fetch_add(&ledger->counts.foreign_cosignatures, 1);
			continue;
		}
		if (ecert_note_verify_cosignature(text, &signature, ecert_slice(key->raw, 32), &time) != ECERT_OK)
			return false;
		atomic_fetch_add(&ledger->counts.cosignatures, 1);
	}
	return found && lines.size == 0;
}

/* A last line without its end is read as if it had one */
static EcertSlice
whole_lines(EcertSlice text, uint8_t *room, size_t capacity)
{
	if (text.size == 0 || text.data[text.size - 1] == '\n' || text.size >= capacity)
		return text;
	memcpy(room, text.data, text.size);
	room[text.size] = '\n';
	return ecert_slice(room, text.size + 1);
}

static void
check_cosignature(Judge *judge, Entry *entry, const EcertPackage *package, EcertSlice checkpoint_body, uint64_t size, const uint8_t *root)
{
	uint8_t		lines[ECERT_NOTE_MAX];
	uint8_t		text[NOTE_TEXT_ROOM];
	EcertBuffer room = ecert_buffer(text, sizeof text);
	EcertSlice	item;

	if (ecert_cbor_find(package->body, "cosignature", &item) &&
		!cosignatures_are_good(judge, entry, whole_lines(ecert_cbor_text_at(package->body, "cosignature"), lines, sizeof lines),
							   cosigned_text(judge->ledger, checkpoint_body, size, root, &room)))
	{
		/* nothing is derived from it: its lines are not exported */
		entry->flags |= ENTRY_UNSOUND;
		ledger_problem(judge->ledger, entry, "witness's cosignature is wrong");
	}
}

void
check_witness(Judge *judge, Entry *entry, const EcertPackage *package)
{
	Ledger	   *ledger = judge->ledger;
	EcertPackage checkpoint;
	const Entry *named;
	uint8_t		hash[ECERT_HASH_SIZE];
	uint8_t		stated_root[ECERT_HASH_SIZE] = {0};
	uint8_t		root[ECERT_HASH_SIZE] = {0};
	char		stated_hex[HEX_ROOM];
	char		hex[HEX_ROOM];
	uint64_t	stated_size;
	uint64_t	size;
	EcertError	error;

	named = ecert_hex_to_hash(ecert_cbor_text_at(package->body, "checkpoint"), hash) ? ledger_by_hash(ledger, hash) : NULL;
	if (named == NULL || named->kind != ECERT_KIND_CHECKPOINT || named->issuer != ledger->registry.certifier)
	{
		entry->flags |= ENTRY_UNSOUND;
		ledger_problem(ledger, entry, "witness names a checkpoint that is not on the ledger (Checkpoint %.*s.)",
					   TEXT(ecert_cbor_text_at(package->body, "checkpoint")));
		return;
	}
	/* a checkpoint with a wrong body has its own problem */
	if (!reader_get(&judge->other, named, &checkpoint) ||
		ecert_body_check(checkpoint.kind, checkpoint.body, &error) != ECERT_OK)
		return;
	read_size_and_root(package->body, &stated_size, stated_root);
	read_size_and_root(checkpoint.body, &size, root);
	if (stated_size != size || memcmp(stated_root, root, sizeof root) != 0)
	{
		entry->flags |= ENTRY_UNSOUND;
		ledger_problem(ledger, entry, "witness states another size or root than its checkpoint (Size %" PRIu64 ", root %s; the checkpoint has %" PRIu64 " and %s.)",
					   stated_size, text_hash(stated_root, stated_hex), size, text_hash(root, hex));
	}
	else
		check_cosignature(judge, entry, package, checkpoint.body, size, root);
}
