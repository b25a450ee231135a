/*
 * fuzz_note.c
 *		libFuzzer target for signed notes, signature lines, key names and base64.
 *
 * The first byte chooses what the others are.
 */
#include "core/note.h"
#include "must.h"

enum
{
	MODE_NOTE,
	MODE_LINES,
	MODE_BASE64,
	MODE_BYTES,
	MODE_NAME,
	MODE_COUNT
};

static const uint8_t root[ECERT_HASH_SIZE] = {1, 2, 3};

/* The key that signs here: Ed25519, its seed is 0700... */
static EcertPrivateKey *
signer(EcertSlice *raw)
{
	static EcertPrivateKey *key = NULL;
	static uint8_t raw_bytes[ECERT_RAW_KEY_MAX];
	static const uint8_t seed[32] = {7};
	size_t		size;

	if (key == NULL)
		MUST(ecert_private_key_from_seed(ecert_slice(seed, sizeof seed), &key) == ECERT_OK);
	MUST(ecert_private_key_public(key, raw_bytes, &size) == ECERT_OK);
	*raw = ecert_slice(raw_bytes, size);
	return key;
}

/* ----- base64 ----- */

/* Text that is read is what would be written */
static void
fuzz_base64(EcertSlice text)
{
	size_t		room = text.size / 4 * 3;
	EcertBuffer bytes = ecert_buffer(malloc(room), room);
	EcertBuffer again = ecert_buffer(malloc(text.size), text.size);
	EcertCode	code = ecert_base64_read(text, &bytes);

	MUST(code == ECERT_OK || code == ECERT_NOT_NOTE);
	if (code == ECERT_OK)
	{
		ecert_base64_put(&again, ecert_slice(bytes.data, bytes.size));
		MUST(ecert_buffer_fits(&again) && ecert_slice_equal(ecert_slice(again.data, again.size), text));
	}
	free(bytes.data);
	free(again.data);
}

/* Bytes that are written are read back */
static void
fuzz_bytes(EcertSlice bytes)
{
	size_t		room = (bytes.size + 2) / 3 * 4;
	EcertBuffer text = ecert_buffer(malloc(room), room);
	EcertBuffer again = ecert_buffer(malloc(bytes.size), bytes.size);

	ecert_base64_put(&text, bytes);
	MUST(text.size == room);
	MUST(ecert_base64_read(ecert_slice(text.data, text.size), &again) == ECERT_OK);
	MUST(ecert_slice_equal(ecert_slice(again.data, again.size), bytes));
	free(text.data);
	free(again.data);
}

/* ----- lines ----- */

/* Each line was taken from where the lines are, and written again is the same */
static void
use_line(EcertSlice line, const EcertNoteSignature *signature)
{
	uint8_t		bytes[4 + sizeof signature->bytes];
	EcertBuffer out = ecert_buffer(malloc(line.size), line.size);

	MUST(signature->size == 64 || signature->size == 72);
	MUST(ecert_note_name_valid(signature->name));
	memcpy(bytes, signature->key_id, 4);
	memcpy(bytes + 4, signature->bytes, signature->size);
	ecert_buffer_put(&out, ecert_slice_text("\xE2\x80\x94 "));
	ecert_buffer_put(&out, signature->name);
	ecert_buffer_put(&out, ecert_slice_text(" "));
	ecert_base64_put(&out, ecert_slice(bytes, 4 + signature->size));
	ecert_buffer_put(&out, ecert_slice_text("\n"));
	/* lines of other sizes may stand before it */
	MUST(out.size <= line.size);
	MUST(memcmp(out.data, line.data + line.size - out.size, out.size) == 0);
	free(out.data);
}

static void
use_lines(EcertSlice text, EcertSlice lines)
{
	EcertNoteSignature signature;
	EcertSlice	before = lines;
	EcertSlice	raw;
	int64_t		time;

	(void) signer(&raw);
	while (ecert_note_next_signature(&lines, &signature))
	{
		EcertCode	code;

		MUST(lines.size < before.size && lines.data + lines.size == before.data + before.size);
		use_line(ecert_slice(before.data, before.size - lines.size), &signature);
		before = lines;
		code = ecert_note_verify(text, &signature, raw);
		MUST(code == ECERT_OK || code == ECERT_BAD_SIGNATURE);
		code = ecert_note_verify_cosignature(text, &signature, raw, &time);
		MUST(code == ECERT_OK || code == ECERT_BAD_SIGNATURE || code == ECERT_NO_SPACE);
		MUST(time >= 0 && time <= ECERT_TIME_MAX);
	}
	/* lines of other sizes were passed over at most, and nothing comes after all */
	MUST(lines.size <= before.size && lines.data + lines.size == before.data + before.size);
	before = lines;
	MUST(!ecert_note_next_signature(&lines, &signature) && ecert_slice_equal(lines, before));
}

/* ----- notes ----- */

/* The first three lines are what would be written, and a cosignature of ours makes a note again */
static void
use_note(EcertSlice bytes, const EcertNote *note)
{
	EcertSlice	raw;
	EcertPrivateKey *key = signer(&raw);
	size_t		room = bytes.size + ECERT_NOTE_LINE_MAX;
	EcertBuffer out = ecert_buffer(malloc(room), room);
	EcertNote	again;

	MUST(note->text.data == bytes.data && note->signatures.size > 0 && note->size <= ECERT_TREE_MAX);
	MUST(note->text.size + 1 + note->signatures.size == bytes.size);
	ecert_note_put_text(&out, note->origin, note->size, note->root);
	MUST(out.size <= note->text.size && memcmp(out.data, bytes.data, out.size) == 0);
	out.size = 0;
	ecert_buffer_put(&out, bytes);
	MUST(ecert_note_cosign(&out, note->text, ecert_slice_text("witness.example"), 1706832000, key) == ECERT_OK);
	if (out.size <= ECERT_NOTE_MAX)
	{
		MUST(ecert_note_parse(ecert_slice(out.data, out.size), &again, NULL) == ECERT_OK);
		MUST(ecert_slice_equal(again.text, note->text) && again.signatures.size > note->signatures.size);
	}
	free(out.data);
}

static void
fuzz_note(EcertSlice bytes)
{
	EcertNote	note;
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	code = ecert_note_parse(bytes, &note, &error);

	check_error(code, &error, bytes.size);
	MUST(code == ECERT_OK || code == ECERT_NOT_NOTE);
	if (code == ECERT_OK)
	{
		use_note(bytes, &note);
		use_lines(note.text, note.signatures);
	}
}

/* A valid name signs notes that are read and verified; another signs none */
static void
fuzz_name(EcertSlice name)
{
	EcertSlice	raw;
	EcertPrivateKey *key = signer(&raw);
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertCode	code = ecert_note_sign(&out, name, name.size, root, key);
	EcertNoteSignature signature;
	EcertNote	note;

	if (!ecert_note_name_valid(name))
	{
		MUST(code == ECERT_NOT_NOTE && out.size == 0);
		return;
	}
	MUST(code == ECERT_OK || (code == ECERT_NO_SPACE && name.size > ECERT_ID_MAX));
	if (code != ECERT_OK)
		return;
	MUST(ecert_note_parse(ecert_slice(bytes, out.size), &note, NULL) == ECERT_OK);
	MUST(ecert_slice_equal(note.origin, name) && note.size == name.size && memcmp(note.root, root, sizeof root) == 0);
	MUST(ecert_note_next_signature(&note.signatures, &signature) && ecert_note_verify(note.text, &signature, raw) == ECERT_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *copy;
	EcertSlice	bytes;

	if (size == 0)
		return 0;
	copy = copy_input(data, size);
	bytes = ecert_slice(copy, size - 1);
	switch (data[0] % MODE_COUNT)
	{
		case MODE_NOTE:
			fuzz_note(bytes);
			break;
		case MODE_LINES:
			use_lines(ecert_slice_text("text\n"), bytes);
			break;
		case MODE_BASE64:
			fuzz_base64(bytes);
			break;
		case MODE_BYTES:
			fuzz_bytes(bytes);
			break;
		case MODE_NAME:
			fuzz_name(bytes);
			break;
	}
	free(copy);
	return 0;
}
