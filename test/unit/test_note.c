/*
 * test_note.c
 *		Signed notes, checkpoints and cosignatures: published ones, our own, and
 *		what is none.
 */
#include "check.h"
#include "keys.h"
#include "vectors_note.h"

#include "core/note.h"

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

#define ORIGIN "ledger.example/e"
#define WITNESS "witness.example/w1"
#define TIME INT64_C(1706832000)
#define SIZE UINT64_C(20852163)

static const uint8_t root[ECERT_HASH_SIZE] = {0x0a, 0xc5, 0x18, 0xff, 0xfb, 0xef};

static EcertSlice
raw_key(const EcertPrivateKey *key, uint8_t *raw)
{
	size_t		size;

	if (ecert_private_key_public(key, raw, &size) != ECERT_OK)
		abort();
	return ecert_slice(raw, size);
}

/* ----- base64 ----- */

static void
test_base64_pairs(void)
{
	/* RFC 4648 section 10, and the two digits that are neither letter nor number */
	static const char *const pairs[][2] = {
		{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "+/+/"}
	};

	for (size_t i = 0; i < COUNT(pairs); i++)
	{
		uint8_t		bytes[64];
		EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

		ecert_base64_put(&out, ecert_slice_text(pairs[i][0]));
		CHECK(ecert_slice_equal(ecert_slice(bytes, out.size), ecert_slice_text(pairs[i][1])), "base64 of %zu bytes", strlen(pairs[i][0]));
		out.size = 0;
		CHECK(ecert_base64_read(ecert_slice_text(pairs[i][1]), &out) == ECERT_OK &&
			  ecert_slice_equal(ecert_slice(bytes, out.size), ecert_slice_text(pairs[i][0])), "and back");
	}
}

static void
test_base64_strictness(void)
{
	static const char *const wrong[] = {
		"Z", "Zg", "Zg=", "Zg===", "=", "==", "===", "====", "Z===", "Zg==Zg==", "Zm8=Zm9v", "Zh==", "Zm9=", "Zm9v\n", "\nZm9v",
		"Zm 9v", "Zm9-", "Zm9_", "Zm9v ", "Zm=v", "Z=9v", "=m9v", "Zg=a", "Zm9\xc3"
	};
	int			accepted = 0;
	uint8_t		bytes[64];
	EcertBuffer out;

	for (size_t i = 0; i < COUNT(wrong); i++)
	{
		out = ecert_buffer(bytes, sizeof bytes);
		CHECK_INT(ecert_base64_read(ecert_slice_text(wrong[i]), &out), ECERT_NOT_NOTE, "no base64: number %zu", i);
	}
	/* of the 256 last characters before padding, as many as there are bytes to end with */
	for (unsigned c = 0; c < 256; c++)
	{
		uint8_t		two[4] = {'Z', (uint8_t) c, '=', '='};
		uint8_t		three[4] = {'Z', 'm', (uint8_t) c, '='};

		out.size = 0;
		accepted += ecert_base64_read(ecert_slice(two, 4), &out) == ECERT_OK;
		out.size = 0;
		accepted += ecert_base64_read(ecert_slice(three, 4), &out) == ECERT_OK;
	}
	CHECK_INT(accepted, 4 + 16, "there is one text for the same bytes");
	out = ecert_buffer(bytes, 2);
	CHECK_INT(ecert_base64_read(ecert_slice_text("Zm9v"), &out), ECERT_NO_SPACE, "too little room is said");
	CHECK_INT(out.size, 3, "with what is needed");
}

/* ----- names ----- */

static void
test_names(void)
{
	static const char *const good[] = {
		"a", ORIGIN, "mill-7", "\xe8\x83\xbd\xe6\xba\x90/e", "a=b", "\xe2\x80\x94", "a\x7f", "oid/1.2.3", "\xe2\x80\x8b", "\xc2\xa1"
	};
	static const char *const wrong[] = {
		"", " ", "a b", "a+b", "+", " a", "a ", "a\tb", "a\nb", "a\rb", "\x01", "a\xc2\x85", "a\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
		"\xe2\x80\x8a", "a\xe2\x80\xa8", "\xe2\x80\xa9z", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80", "\xff", "\xc2"
	};
	EcertPrivateKey *key = ed25519_key(7);
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

	for (size_t i = 0; i < COUNT(good); i++)
		CHECK(ecert_note_name_valid(ecert_slice_text(good[i])), "a key name: number %zu", i);
	for (size_t i = 0; i < COUNT(wrong); i++)
	{
		CHECK(!ecert_note_name_valid(ecert_slice_text(wrong[i])), "no key name: number %zu", i);
		CHECK(ecert_note_sign(&out, ecert_slice_text(wrong[i]), 1, root, key) == ECERT_NOT_NOTE &&
			  ecert_note_cosign(&out, ecert_slice_text(C2SP_TEXT), ecert_slice_text(wrong[i]), TIME, key) == ECERT_NOT_NOTE &&
			  out.size == 0, "nobody signs with it");
	}
	ecert_private_key_free(key);
}

/* ----- what others have published ----- */

static EcertSlice
go_bytes(const char *text, uint8_t *bytes)
{
	EcertBuffer out = ecert_buffer(bytes, 64);

	if (ecert_base64_read(ecert_slice_text(text), &out) != ECERT_OK || out.size != 33 || bytes[0] != 1)
		abort();
	return ecert_slice(bytes + 1, 32);
}

/* The published text is no checkpoint, but it is signed as one would be */
static void
test_go_note(void)
{
	uint8_t		public_bytes[64];
	uint8_t		secret_bytes[64];
	uint8_t		made[ECERT_SIGNATURE_SIZE];
	uint8_t		key_text[128];
	EcertBuffer out = ecert_buffer(key_text, sizeof key_text);
	EcertSlice	public_key = go_bytes(GO_PUBLIC, public_bytes);
	EcertSlice	text = ecert_slice_text(GO_TEXT);
	EcertSlice	lines = ecert_slice_text(GO_LINE);
	EcertNoteSignature signature;
	EcertPrivateKey *key = NULL;
	EcertNote	note;

	CHECK(ecert_note_next_signature(&lines, &signature), "Go's signature line is read");
	CHECK(signature.size == 64 && memcmp(signature.key_id, "\xc7\x4f\x20\xa3", 4) == 0 &&
		  ecert_slice_equal(signature.name, ecert_slice_text(GO_NAME)), "with its name and key id");
	CHECK_INT(ecert_note_verify(text, &signature, public_key), ECERT_OK, "and verified");
	CHECK(!ecert_note_next_signature(&lines, &signature), "there is no other");
	CHECK(ecert_note_put_key(&out, ecert_slice_text(GO_NAME), public_key, false) == ECERT_OK &&
		  ecert_slice_equal(ecert_slice(out.data, out.size), ecert_slice_text(GO_NAME "+" GO_KEY_ID "+" GO_PUBLIC)), "its verifier key is the published one");
	CHECK_INT(ecert_note_put_key(&out, ecert_slice_text("a name"), public_key, false), ECERT_NOT_NOTE, "a name with a space has none");
	CHECK_INT(ecert_note_put_key(&out, ecert_slice_text(GO_NAME), ecert_slice(public_key.data, 31), true), ECERT_KEY_ALG, "nor has another sort of key");
	if (ecert_private_key_from_seed(go_bytes(GO_SECRET, secret_bytes), &key) != ECERT_OK)
		abort();
	CHECK(ecert_sign(key, text, made) == ECERT_OK, "signed again with the published key");
	CHECK_BYTES(made, signature.bytes, sizeof made, "it is the same signature");
	text.size--;
	CHECK_INT(ecert_note_verify(text, &signature, public_key), ECERT_BAD_SIGNATURE, "its last LF belongs to it");
	CHECK_INT(ecert_note_parse(ecert_slice_text(GO_TEXT "\n" GO_LINE), &note, NULL), ECERT_NOT_NOTE, "as a checkpoint it is none");
	ecert_private_key_free(key);
}

static void
test_c2sp_note(void)
{
	EcertNote	note;
	EcertNoteSignature signature;
	uint8_t		expected[64];
	EcertBuffer out = ecert_buffer(expected, sizeof expected);
	EcertSlice	lines;
	uint64_t	time = 0;

	if (ecert_base64_read(ecert_slice_text("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="), &out) != ECERT_OK)
		abort();
	CHECK_INT(ecert_note_parse(ecert_slice_text(C2SP_TEXT "\n" C2SP_LOG_LINE C2SP_COSIGNATURE_LINE), &note, NULL), ECERT_OK,
			  "the example of tlog-cosignature is a note");
	CHECK(ecert_slice_equal(note.text, ecert_slice_text(C2SP_TEXT)) && note.size == 20852163 &&
		  ecert_slice_equal(note.origin, ecert_slice_text("example.com/behind-the-sofa")) &&
		  memcmp(note.root, expected, sizeof note.root) == 0, "with its text, origin, size and root");
	lines = note.signatures;
	CHECK(ecert_note_next_signature(&lines, &signature) && signature.size == 64 && memcmp(signature.key_id, "\x03\x3d\xe0\xae", 4) == 0,
		  "the log's signature comes first");
	CHECK(ecert_note_next_signature(&lines, &signature) && signature.size == 72 &&
		  ecert_slice_equal(signature.name, ecert_slice_text("witness.example.com/w1")), "then the cosignature");
	for (int i = 0; i < 8; i++)
		time = time << 8 | signature.bytes[i];
	CHECK_INT(time, C2SP_COSIGNATURE_TIME, "with the time that the document names");
	CHECK(!ecert_note_next_signature(&lines, &signature) && lines.size == 0, "and nothing after it");
}

/* ----- our own ----- */

typedef struct Signed
{
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer out;
	EcertPrivateKey *log;
	EcertPrivateKey *witness;
	uint8_t		log_raw[ECERT_RAW_KEY_MAX];
	uint8_t		witness_raw[ECERT_RAW_KEY_MAX];
	EcertSlice	log_key;
	EcertSlice	witness_key;
} Signed;

static void
open_signed(Signed *s)
{
	EcertNote	note;

	s->log = ed25519_key(7);
	s->witness = ed25519_key(8);
	s->log_key = raw_key(s->log, s->log_raw);
	s->witness_key = raw_key(s->witness, s->witness_raw);
	s->out = ecert_buffer(s->bytes, sizeof s->bytes);
	CHECK_INT(ecert_note_sign(&s->out, ecert_slice_text(ORIGIN), SIZE, root, s->log), ECERT_OK, "a checkpoint is signed");
	CHECK_INT(ecert_note_parse(ecert_slice(s->bytes, s->out.size), &note, NULL), ECERT_OK, "it is a note");
	CHECK_INT(ecert_note_cosign(&s->out, note.text, ecert_slice_text(WITNESS), TIME, s->witness), ECERT_OK, "and is cosigned");
}

static void
close_signed(Signed *s)
{
	ecert_private_key_free(s->log);
	ecert_private_key_free(s->witness);
}

/* Both signatures are there and right, and the note says what it said */
static bool
note_verifies(EcertSlice bytes, const Signed *s, int *right)
{
	EcertNote	note;
	EcertNoteSignature signature;
	EcertSlice	lines;
	int64_t		time;

	*right = 0;
	if (ecert_note_parse(bytes, &note, NULL) != ECERT_OK)
		return false;
	lines = note.signatures;
	while (ecert_note_next_signature(&lines, &signature))
	{
		*right += ecert_note_verify(note.text, &signature, s->log_key) == ECERT_OK;
		*right += ecert_note_verify_cosignature(note.text, &signature, s->witness_key, &time) == ECERT_OK && time == TIME;
	}
	return *right == 2;
}

static void
test_round_trip(const Signed *s)
{
	EcertNote	note;
	uint8_t		text_bytes[ECERT_NOTE_MAX];
	EcertBuffer text = ecert_buffer(text_bytes, sizeof text_bytes);
	int			right;

	CHECK(note_verifies(ecert_slice(s->bytes, s->out.size), s, &right), "signature and cosignature are verified");
	(void) ecert_note_parse(ecert_slice(s->bytes, s->out.size), &note, NULL);
	CHECK(note.size == SIZE && memcmp(note.root, root, sizeof root) == 0 && ecert_slice_equal(note.origin, ecert_slice_text(ORIGIN)),
		  "the note says what was signed");
	ecert_note_put_text(&text, note.origin, note.size, note.root);
	CHECK(ecert_slice_equal(ecert_slice(text_bytes, text.size), note.text), "its text written again is the same");
}

/* A turned bit leaves at most the other signature; no bit leaves both */
static void
test_bits(Signed *s)
{
	int			survived = 0;
	int			in_text = 0;
	int			right;
	EcertNote	note;
	size_t		text_size;

	(void) ecert_note_parse(ecert_slice(s->bytes, s->out.size), &note, NULL);
	text_size = note.text.size;
	for (size_t bit = 0; bit < 8 * s->out.size; bit++)
	{
		s->bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		survived += note_verifies(ecert_slice(s->bytes, s->out.size), s, &right);
		if (bit / 8 < text_size)
			in_text += right;
		s->bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	CHECK_INT(survived, 0, "every bit of a note counts");
	CHECK_INT(in_text, 0, "and every bit of its text for each signature");
}

static void
test_wrong_signers(const Signed *s)
{
	EcertNote	note;
	EcertNoteSignature log;
	EcertNoteSignature witness;
	EcertNoteSignature other;
	EcertSlice	lines;
	int64_t		time;
	static const uint8_t no_key[32];
	static const uint8_t too_long[ECERT_NOTE_MAX + 1];
	uint8_t		key_id[ECERT_HASH_SIZE];
	EcertSlice	parts[3] = {ecert_slice_text(ORIGIN), ecert_slice_text("\n\x01"), ecert_slice(no_key, sizeof no_key)};

	(void) ecert_note_parse(ecert_slice(s->bytes, s->out.size), &note, NULL);
	lines = note.signatures;
	if (ecert_sha256(parts, 3, key_id) != ECERT_OK || !ecert_note_next_signature(&lines, &log) || !ecert_note_next_signature(&lines, &witness))
		abort();
	CHECK_INT(ecert_note_verify(note.text, &log, s->witness_key), ECERT_BAD_SIGNATURE, "another key is refused");
	CHECK_INT(ecert_note_verify(note.text, &witness, s->witness_key), ECERT_BAD_SIGNATURE, "a cosignature is no log's signature");
	CHECK_INT(ecert_note_verify_cosignature(note.text, &log, s->log_key, &time), ECERT_BAD_SIGNATURE, "nor the other way round");
	CHECK_INT(ecert_note_verify(note.text, &log, ecert_slice(s->log_raw, 31)), ECERT_BAD_PUBLIC_KEY, "a key of 31 bytes is none");
	CHECK_INT(ecert_note_verify_cosignature(ecert_slice(too_long, sizeof too_long), &witness, s->witness_key, &time), ECERT_NO_SPACE,
			  "a text over 4096 bytes has no cosignature");
	other = log;
	memcpy(other.key_id, key_id, sizeof other.key_id);
	CHECK_INT(ecert_note_verify(note.text, &other, ecert_slice(no_key, sizeof no_key)), ECERT_BAD_PUBLIC_KEY,
			  "nobody has a key of small order");
	other = log;
	other.name = ecert_slice_text("ledger.example/f");
	CHECK_INT(ecert_note_verify(note.text, &other, s->log_key), ECERT_BAD_SIGNATURE, "the same signature under another name is refused");
	other = witness;
	other.bytes[7] ^= 1;
	CHECK_INT(ecert_note_verify_cosignature(note.text, &other, s->witness_key, &time), ECERT_BAD_SIGNATURE, "the time is signed");
	other.bytes[0] = 0x7f;
	CHECK_INT(ecert_note_verify_cosignature(note.text, &other, s->witness_key, &time), ECERT_BAD_SIGNATURE,
			  "a time beyond the year 9999 is refused");
}

/* Signatures that are right but for their size, or for a time that no cosignature of ours has */
static void
test_odd_signatures(const Signed *s)
{
	static const char late[] = "cosignature/v1\ntime 253402300800\n";
	uint8_t		message[ECERT_NOTE_MAX];
	EcertBuffer out = ecert_buffer(message, sizeof message);
	EcertNoteSignature log;
	EcertNoteSignature witness;
	EcertNote	note;
	EcertSlice	lines;
	int64_t		time;

	(void) ecert_note_parse(ecert_slice(s->bytes, s->out.size), &note, NULL);
	lines = note.signatures;
	if (!ecert_note_next_signature(&lines, &log) || !ecert_note_next_signature(&lines, &witness))
		abort();
	log.size = 72;
	CHECK_INT(ecert_note_verify(note.text, &log, s->log_key), ECERT_BAD_SIGNATURE, "a log's signature has nothing behind it");
	witness.size = 64;
	CHECK_INT(ecert_note_verify_cosignature(note.text, &witness, s->witness_key, &time), ECERT_BAD_SIGNATURE,
			  "a cosignature has all of its bytes");
	ecert_buffer_put(&out, ecert_slice_text(late));
	ecert_buffer_put(&out, note.text);
	witness.size = 72;
	for (int i = 0; i < 8; i++)
		witness.bytes[i] = (uint8_t) ((uint64_t) (ECERT_TIME_MAX + 1) >> (8 * (7 - i)));
	if (ecert_sign(s->witness, ecert_slice(message, out.size), witness.bytes + 8) != ECERT_OK)
		abort();
	CHECK_INT(ecert_note_verify_cosignature(note.text, &witness, s->witness_key, &time), ECERT_BAD_SIGNATURE,
			  "a cosignature of the year 10000 is refused though it is signed");
}

static void
test_writing(const Signed *s)
{
	EcertPrivateKey *p256 = ec_key("P-256");
	uint8_t		bytes[ECERT_NOTE_MAX];
	char		long_name[ECERT_NOTE_MAX + 1];
	EcertBuffer out = ecert_buffer(bytes, 50);
	EcertSlice	text = ecert_slice_text(C2SP_TEXT);
	EcertSlice	name = ecert_slice_text(WITNESS);

	memset(long_name, 'n', sizeof long_name);
	CHECK_INT(ecert_note_sign(&out, name, 1, root, p256), ECERT_KEY_ALG, "notes are signed with Ed25519 only");
	CHECK_INT(ecert_note_cosign(&out, text, name, TIME, p256), ECERT_KEY_ALG, "so are cosignatures");
	CHECK_INT(ecert_note_sign(&out, name, 1, root, s->log), ECERT_NO_SPACE, "too little room for a note is said");
	out = ecert_buffer(bytes, 50);
	CHECK_INT(ecert_note_cosign(&out, text, name, TIME, s->log), ECERT_NO_SPACE, "and for a cosignature");
	out = ecert_buffer(bytes, sizeof bytes);
	CHECK_INT(ecert_note_sign(&out, ecert_slice(long_name, sizeof long_name), 1, root, s->log), ECERT_NO_SPACE, "a name can be too long");
	CHECK_INT(ecert_note_cosign(&out, ecert_slice(long_name, ECERT_NOTE_MAX), name, TIME, s->log), ECERT_OK, "the longest text is cosigned");
	CHECK_INT(ecert_note_cosign(&out, ecert_slice(long_name, sizeof long_name), name, TIME, s->log), ECERT_NO_SPACE, "not a longer one");
	CHECK_INT(ecert_note_sign(&out, name, ECERT_TREE_MAX + 1, root, s->log), ECERT_PROOF_RANGE, "nor a tree that cannot be");
	CHECK_INT(ecert_note_cosign(&out, text, name, -1, s->log), ECERT_OVERFLOW, "no time before 1970");
	CHECK_INT(ecert_note_cosign(&out, text, name, ECERT_TIME_MAX + 1, s->log), ECERT_OVERFLOW, "nor after 9999");
	out = ecert_buffer(bytes, ECERT_NOTE_LINE_MAX);
	CHECK_INT(ecert_note_cosign(&out, text, ecert_slice(long_name, ECERT_ID_MAX), ECERT_TIME_MAX, s->log), ECERT_OK,
			  "the longest id has room in a line");
	ecert_private_key_free(p256);
}

/* ----- what is none ----- */

#define DASH "\xE2\x80\x94 "
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define LINE C2SP_LOG_LINE

typedef struct Bad
{
	const char *name;
	const char *text;
	const char *field;
} Bad;

static const Bad bad_notes[] = {
	{"nothing", "", "origin"},
	{"an empty origin", "\n1\n" ROOT "\n" LINE, "origin"},
	{"no size", "o\n", "size"},
	{"an empty size", "o\n\n" ROOT "\n" LINE, "size"},
	{"a size with a leading zero", "o\n01\n" ROOT "\n" LINE, "size"},
	{"a size with a sign", "o\n+1\n" ROOT "\n" LINE, "size"},
	{"a size below zero", "o\n-1\n" ROOT "\n" LINE, "size"},
	{"a size with a space", "o\n1 \n" ROOT "\n" LINE, "size"},
	{"a size in hex", "o\n0x1\n" ROOT "\n" LINE, "size"},
	{"a size over 2^62", "o\n4611686018427387905\n" ROOT "\n" LINE, "size"},
	{"a size over 2^64", "o\n18446744073709551617\n" ROOT "\n" LINE, "size"},
	{"no root", "o\n1\n\n" LINE, "root"},
	{"a root of 31 bytes", "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n\n" LINE, "root"},
	{"a root of 33 bytes", "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2IA\n\n" LINE, "root"},
	{"a root without padding", "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n\n" LINE, "root"},
	{"a text that does not end", "o\n1\n" ROOT, "text"},
	{"no signature", "o\n1\n" ROOT "\n", "signature"},
	{"two empty lines", "o\n1\n" ROOT "\n\n" LINE, "signature"},
	{"an empty line among signatures", "o\n1\n" ROOT "\n" LINE "\n" LINE, "signature"},
	{"a signature without its LF", "o\n1\n" ROOT "\n" DASH "o AAAAAAA=", "signature"},
	{"a hyphen for the dash", "o\n1\n" ROOT "\n- o AAAAAAA=\n", "signature"},
	{"no space after the dash", "o\n1\n" ROOT "\n\xE2\x80\x94o AAAAAAA=\n", "signature"},
	{"a signature without a name", "o\n1\n" ROOT "\n" DASH " AAAAAAA=\n", "signature"},
	{"a name with a plus sign", "o\n1\n" ROOT "\n" DASH "o+p AAAAAAA=\n", "signature"},
	{"a name with a space", "o\n1\n" ROOT "\n" DASH "o p AAAAAAA=\n", "signature"},
	{"a name alone", "o\n1\n" ROOT "\n" DASH "o\n", "signature"},
	{"a dash alone", "o\n1\n" ROOT "\n" DASH "\n", "signature"},
	{"a signature that is no base64", "o\n1\n" ROOT "\n" DASH "o AAAAAAA\n", "signature"},
	{"a key id alone", "o\n1\n" ROOT "\n" DASH "o AAAAAA==\n", "signature"},
	{"something behind the signature", "o\n1\n" ROOT "\n" DASH "o AAAAAAA= \n", "signature"},
	{"a carriage return", "o\r\n1\n" ROOT "\n" LINE, NULL},
	{"a control character", "o\x01\n1\n" ROOT "\n" LINE, NULL},
	{"a tab in an extension", "o\n1\n" ROOT "a\tb\n\n" LINE, NULL},
	{"no UTF-8", "o\xff\n1\n" ROOT "\n" LINE, NULL},
};

static void
check_bad(EcertSlice bytes, const char *field, const char *name)
{
	EcertNote	note;
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	code = ecert_note_parse(bytes, &note, &error);

	CHECK(code == ECERT_NOT_NOTE && error.code == code && error.offset <= bytes.size &&
		  (field == NULL ? error.field == NULL : error.field != NULL && strcmp(field, error.field) == 0),
		  "%s: no note", name);
	CHECK_INT(ecert_note_parse(bytes, &note, NULL), ECERT_NOT_NOTE, "%s: whether or not one asks why", name);
}

static void
test_bad_notes(void)
{
	char		longest[ECERT_NOTE_MAX + 512];
	EcertNote	note;
	size_t		used;

	for (size_t i = 0; i < COUNT(bad_notes); i++)
		check_bad(ecert_slice_text(bad_notes[i].text), bad_notes[i].field, bad_notes[i].name);
	/* filled up with an extension line */
	memset(longest, 'x', sizeof longest);
	used = (size_t) sprintf(longest, "o\n1\n" ROOT);
	longest[used] = 'x';
	memcpy(longest + ECERT_NOTE_MAX - 1, "\n\n" LINE, strlen("\n\n" LINE));
	CHECK_INT(ecert_note_parse(ecert_slice(longest, ECERT_NOTE_MAX - 1 + strlen("\n\n" LINE)), &note, NULL), ECERT_OK, "a text of 4096 bytes");
	memcpy(longest + ECERT_NOTE_MAX, "x\n\n" LINE, strlen("x\n\n" LINE));
	longest[ECERT_NOTE_MAX - 1] = 'x';
	CHECK_INT(ecert_note_parse(ecert_slice(longest, ECERT_NOTE_MAX + strlen("x\n\n" LINE)), &note, NULL), ECERT_BEYOND_LIMITS, "one byte more is beyond the reader");
}

/* Others' signatures are large: post-quantum ones have up to nearly 5 kB */
static void
test_many_signatures(const Signed *s)
{
	static char large[ECERT_NOTE_READ_MAX + 8192];
	EcertBuffer out = ecert_buffer(large, sizeof large);
	uint8_t		signature[4 + 4900] = {1, 2, 3, 4};
	EcertNote	note;
	EcertNoteSignature found;

	if (ecert_note_parse(ecert_slice(s->out.data, s->out.size), &note, NULL) != ECERT_OK)
		abort();
	ecert_buffer_put(&out, note.text);
	ecert_buffer_put(&out, ecert_slice_text("\n"));
	for (int i = 0; i < 16; i++)
	{
		ecert_buffer_put(&out, ecert_slice_text(DASH "other.example/w "));
		ecert_base64_put(&out, ecert_slice(signature, sizeof signature));
		ecert_buffer_put(&out, ecert_slice_text("\n"));
	}
	ecert_buffer_put(&out, note.signatures);
	CHECK_INT(ecert_note_parse(ecert_slice(large, out.size), &note, NULL), ECERT_OK, "a note of %zu bytes with 16 signatures of 4,900 bytes before the log's", out.size);
	CHECK(ecert_note_next_signature(&note.signatures, &found) && found.size == 64 &&
		  ecert_note_verify(note.text, &found, s->log_key) == ECERT_OK, "the log's is found and verified");
	while (out.size <= ECERT_NOTE_READ_MAX)
		ecert_buffer_put(&out, ecert_slice_text(LINE));
	CHECK_INT(ecert_note_parse(ecert_slice(large, out.size), &note, NULL), ECERT_BEYOND_LIMITS, "a note that is larger still is beyond the reader");
}

static void
test_others(void)
{
	EcertNote	note;
	EcertNoteSignature signature;
	EcertSlice	lines;

	CHECK(ecert_note_parse(ecert_slice_text("o\n0\n" ROOT "\n" LINE), &note, NULL) == ECERT_OK && note.size == 0, "an empty tree has a note");
	CHECK(ecert_note_parse(ecert_slice_text("o\n4611686018427387904\n" ROOT "\n" LINE), &note, NULL) == ECERT_OK &&
		  note.size == ECERT_TREE_MAX, "the largest has one");
	CHECK(ecert_note_parse(ecert_slice_text("o p+q\n1\n" ROOT "ext 1\n\xE2\x80\x94\n\n" LINE), &note, NULL) == ECERT_OK &&
		  ecert_slice_equal(note.text, ecert_slice_text("o p+q\n1\n" ROOT "ext 1\n\xE2\x80\x94\n")), "extension lines belong to the text");
	CHECK_INT(ecert_note_parse(ecert_slice_text("o\n1\n" ROOT "\n" DASH "o AAAAAAA=\n" LINE), &note, NULL), ECERT_OK,
			  "a signature of a size that is not known here is a signature");
	lines = note.signatures;
	CHECK(ecert_note_next_signature(&lines, &signature) && signature.size == 64 && lines.size == 0, "and is passed over");
	lines = ecert_slice_text("no line\n" LINE);
	CHECK(!ecert_note_next_signature(&lines, &signature) && lines.size == strlen("no line\n" LINE), "what is no line is not taken off");
}

int
main(void)
{
	static Signed ours;

	test_base64_pairs();
	test_base64_strictness();
	test_names();
	test_go_note();
	test_c2sp_note();
	open_signed(&ours);
	test_round_trip(&ours);
	test_bits(&ours);
	test_wrong_signers(&ours);
	test_odd_signatures(&ours);
	test_writing(&ours);
	test_bad_notes();
	test_others();
	test_many_signatures(&ours);
	close_signed(&ours);
	return check_done();
}
