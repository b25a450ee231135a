/*
 * test_note.c
 *		Signed notes, checkpoints and cosignatures.
 */
#include "check.h"

#include "core/note.h"

int
main(void)
{
	static const uint8_t seed[32] = {7};
	static const uint8_t root[32] = {1};
	uint8_t		bytes[ECERT_NOTE_MAX];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertNote	note;
	EcertNoteSignature signature;
	EcertPrivateKey *key;
	size_t		raw_size;
	int64_t		time;

	ecert_private_key_from_seed(ecert_slice(seed, 32), &key);
	ecert_private_key_public(key, raw, &raw_size);
	CHECK_INT(ecert_note_sign(&out, ecert_slice_text("ledger.example/e"), 12, root, key), ECERT_OK, "a note is signed");
	CHECK_INT(ecert_note_parse(ecert_slice(bytes, out.size), &note, NULL), ECERT_OK, "a note is read");
	CHECK_INT(ecert_note_cosign(&out, note.text, ecert_slice_text("witness.example"), 1706832000, key), ECERT_OK, "a note is cosigned");
	CHECK_INT(ecert_note_parse(ecert_slice(bytes, out.size), &note, NULL), ECERT_OK, "it is a note again");
	CHECK(ecert_note_next_signature(&note.signatures, &signature), "the log's signature is there");
	CHECK_INT(ecert_note_verify(note.text, &signature, ecert_slice(raw, 32)), ECERT_OK, "and verifies");
	CHECK(ecert_note_next_signature(&note.signatures, &signature), "the cosignature is there");
	CHECK_INT(ecert_note_verify_cosignature(note.text, &signature, ecert_slice(raw, 32), &time), ECERT_OK, "and verifies");
	CHECK_INT(time, 1706832000, "with its time");
	ecert_private_key_free(key);
	return check_done();
}
