/*
 * note.c
 *		Signed notes, checkpoints and cosignatures; see note.h.
 */
#include "core/note.h"

#include "core/decimal.h"

/* What a key is for (C2SP signed-note): part of its id */
enum
{
	TYPE_ED25519 = 0x01,
	TYPE_COSIGNATURE = 0x04
};

#define KEY_ID_SIZE 4
#define RAW_KEY_SIZE 32
#define TIME_SIZE 8

/* Key id and signature as they stand in a line */
#define SIGNATURE_BYTES_MAX (KEY_ID_SIZE + TIME_SIZE + ECERT_SIGNATURE_SIZE)

/* "cosignature/v1" and "time " with a number, each with its LF, and a text */
#define COSIGNED_MAX (15 + 5 + 20 + 1 + ECERT_NOTE_MAX)

/* What a signature line begins with: an em dash in UTF-8, and a space */
#define LINE_BEFORE "\xE2\x80\x94 "

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
ecert_base64_put(EcertBuffer *out, EcertSlice bytes)
{
	for (size_t i = 0; i < bytes.size; i += 3)
	{
		size_t		left = bytes.size - i;
		uint32_t	group = (uint32_t) bytes.data[i] << 16 |
			(left > 1 ? (uint32_t) bytes.data[i + 1] << 8 : 0) |
			(left > 2 ? bytes.data[i + 2] : 0);
		char		text[4] = {digits[group >> 18], digits[group >> 12 & 63], '=', '='};

		if (left > 1)
			text[2] = digits[group >> 6 & 63];
		if (left > 2)
			text[3] = digits[group & 63];
		ecert_buffer_put(out, ecert_slice(text, sizeof text));
	}
}

/* Four characters to 1..3 bytes, of which padding takes some away; false unless there is one way to write them */
static bool
read_group(const uint8_t *text, unsigned padding, EcertBuffer *bytes)
{
	uint32_t	group = 0;
	uint8_t		out[3];

	for (unsigned i = 0; i < 4; i++)
	{
		const char *digit = i < 4 - padding ? memchr(digits, text[i], sizeof digits - 1) : digits;

		if (digit == NULL)
			return false;
		group = group << 6 | (uint32_t) (digit - digits);
	}
	/* bits that stand for no byte are zero, or there would be several texts of the same bytes */
	if ((group & ((UINT32_C(1) << (8 * padding)) - 1)) != 0)
		return false;
	out[0] = (uint8_t) (group >> 16);
	out[1] = (uint8_t) (group >> 8);
	out[2] = (uint8_t) group;
	ecert_buffer_put(bytes, ecert_slice(out, 3 - padding));
	return true;
}

EcertCode
ecert_base64_read(EcertSlice text, EcertBuffer *bytes)
{
	if (text.size % 4 != 0)
		return ECERT_NOT_NOTE;
	for (size_t i = 0; i < text.size; i += 4)
	{
		const uint8_t *group = text.data + i;
		unsigned	padding = 0;

		if (i + 4 == text.size && group[3] == '=')
			padding = group[2] == '=' ? 2 : 1;
		if (!read_group(group, padding, bytes))
			return ECERT_NOT_NOTE;
	}
	return ecert_buffer_fits(bytes) ? ECERT_OK : ECERT_NO_SPACE;
}

/* Does Unicode's white space beyond ASCII begin here, in valid UTF-8? */
static bool
wide_space(const uint8_t *at, size_t left)
{
	if (left >= 2 && at[0] == 0xC2)
		return at[1] == 0x85 || at[1] == 0xA0;	/* U+0085, U+00A0 */
	if (left < 3)
		return false;
	if (at[0] == 0xE2 && at[1] == 0x80) /* U+2000..U+200A, U+2028, U+2029, U+202F */
		return at[2] <= 0x8A || at[2] == 0xA8 || at[2] == 0xA9 || at[2] == 0xAF;
	return memcmp(at, "\xE1\x9A\x80", 3) == 0 ||	/* U+1680 */
		memcmp(at, "\xE2\x81\x9F", 3) == 0 ||	/* U+205F */
		memcmp(at, "\xE3\x80\x80", 3) == 0; /* U+3000 */
}

bool
ecert_note_name_valid(EcertSlice name)
{
	size_t		bad;

	if (name.size == 0 || !ecert_utf8_valid(name, &bad))
		return false;
	for (size_t i = 0; i < name.size; i++)
	{
		/* control characters have no place in a note at all */
		if (name.data[i] <= ' ' || name.data[i] == '+' || wide_space(name.data + i, name.size - i))
			return false;
	}
	return true;
}

/* Take a line off *rest, without its LF; false when no LF is left */
static bool
take_line(EcertSlice *rest, EcertSlice *line)
{
	const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);

	if (end == NULL)
		return false;
	*line = ecert_slice(rest->data, (size_t) (end - rest->data));
	*rest = ecert_slice(end + 1, rest->size - line->size - 1);
	return true;
}

static void
put_number(EcertBuffer *out, uint64_t number)
{
	char		text[ECERT_DECIMAL_TEXT_MAX];

	ecert_buffer_put(out, ecert_slice(text, ecert_decimal_text((EcertDecimal) {(int64_t) number, 0}, text)));
}

/* Decimal without leading zeros, up to the largest tree */
static bool
read_size(EcertSlice line, uint64_t *size)
{
	*size = 0;
	if (line.size == 0 || (line.size > 1 && line.data[0] == '0'))
		return false;
	for (size_t i = 0; i < line.size; i++)
	{
		if (line.data[i] < '0' || line.data[i] > '9' || *size > ECERT_TREE_MAX / 10)
			return false;
		*size = *size * 10 + (uint64_t) (line.data[i] - '0');
		if (*size > ECERT_TREE_MAX)
			return false;
	}
	return true;
}

static bool
read_root(EcertSlice line, uint8_t *root)
{
	EcertBuffer bytes = ecert_buffer(root, ECERT_HASH_SIZE);

	return ecert_base64_read(line, &bytes) == ECERT_OK && bytes.size == ECERT_HASH_SIZE;
}

/*
 * Take one signature line apart.  False when it is none.  A signature of a
 * size that neither a log's nor a cosignature's has is one of an algorithm
 * that is not known here: its size becomes 0.
 */
static bool
read_signature(EcertSlice line, EcertNoteSignature *signature)
{
	size_t		before = sizeof LINE_BEFORE - 1;
	uint8_t		content[SIGNATURE_BYTES_MAX];
	EcertBuffer bytes = ecert_buffer(content, sizeof content);
	const uint8_t *space;
	EcertCode	code;

	memset(signature, 0, sizeof *signature);
	if (line.size <= before || memcmp(line.data, LINE_BEFORE, before) != 0)
		return false;
	line = ecert_slice(line.data + before, line.size - before);
	space = memchr(line.data, ' ', line.size);
	if (space == NULL)
		return false;
	signature->name = ecert_slice(line.data, (size_t) (space - line.data));
	line = ecert_slice(space + 1, line.size - signature->name.size - 1);
	code = ecert_base64_read(line, &bytes);
	if (!ecert_note_name_valid(signature->name) || code == ECERT_NOT_NOTE || bytes.size <= KEY_ID_SIZE)
		return false;
	if (code != ECERT_OK ||
		(bytes.size != KEY_ID_SIZE + ECERT_SIGNATURE_SIZE && bytes.size != SIGNATURE_BYTES_MAX))
		return true;
	memcpy(signature->key_id, content, KEY_ID_SIZE);
	signature->size = bytes.size - KEY_ID_SIZE;
	memcpy(signature->bytes, content + KEY_ID_SIZE, signature->size);
	return true;
}

/* UTF-8 without control characters but LF; else *bad is where */
static bool
text_valid(EcertSlice bytes, size_t *bad)
{
	if (!ecert_utf8_valid(bytes, bad))
		return false;
	for (size_t i = 0; i < bytes.size; i++)
	{
		*bad = i;
		if (bytes.data[i] < ' ' && bytes.data[i] != '\n')
			return false;
	}
	return true;
}

/* Every line of the rest is a signature line, and there is one */
static bool
signatures_valid(EcertSlice lines)
{
	EcertNoteSignature signature;
	EcertSlice	line;
	size_t		count = 0;

	for (; lines.size > 0; count++)
	{
		if (!take_line(&lines, &line) || !read_signature(line, &signature))
			return false;
	}
	return count > 0;
}

/* The lines of the text and the empty one; *rest is what is behind */
static const char *
parse_text(EcertSlice *rest, EcertNote *note)
{
	EcertSlice	line;

	if (!take_line(rest, &note->origin) || note->origin.size == 0)
		return "origin";
	if (!take_line(rest, &line) || !read_size(line, &note->size))
		return "size";
	if (!take_line(rest, &line) || !read_root(line, note->root))
		return "root";
	do
	{
		note->text.size = (size_t) (rest->data - note->text.data);
		if (!take_line(rest, &line))
			return "text";
	} while (line.size > 0);
	return NULL;
}

EcertCode
ecert_note_parse(EcertSlice bytes, EcertNote *note, EcertError *error)
{
	EcertSlice	rest = bytes;
	const char *field;
	size_t		bad = 0;

	memset(note, 0, sizeof *note);
	note->text.data = bytes.data;
	if (bytes.size > ECERT_NOTE_READ_MAX)
		return ecert_fail(error, ECERT_BEYOND_LIMITS, ECERT_NOTE_READ_MAX, NULL);
	if (!text_valid(bytes, &bad))
		return ecert_fail(error, ECERT_NOT_NOTE, bad, NULL);
	field = parse_text(&rest, note);
	note->signatures = rest;
	if (field == NULL && !signatures_valid(rest))
		field = "signature";
	if (field == NULL && note->text.size > ECERT_NOTE_MAX)
		return ecert_fail(error, ECERT_BEYOND_LIMITS, ECERT_NOTE_MAX, "text");
	return field == NULL ? ECERT_OK : ecert_fail(error, ECERT_NOT_NOTE, bytes.size - rest.size, field);
}

bool
ecert_note_next_signature(EcertSlice *lines, EcertNoteSignature *signature)
{
	EcertSlice	rest = *lines;
	EcertSlice	line;

	while (take_line(&rest, &line) && read_signature(line, signature))
	{
		*lines = rest;
		/* others may sign with what is not known here; their lines are passed over */
		if (signature->size > 0)
			return true;
	}
	return false;
}

static EcertCode
key_id_of(EcertSlice name, uint8_t type, EcertSlice raw_key, uint8_t *key_id)
{
	uint8_t		type_bytes[2] = {'\n', type};
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertSlice	parts[3] = {name, ecert_slice(type_bytes, sizeof type_bytes), raw_key};
	EcertCode	code = ecert_sha256(parts, 3, hash);

	if (code == ECERT_OK)
		memcpy(key_id, hash, KEY_ID_SIZE);
	return code;
}

EcertCode
ecert_note_put_key(EcertBuffer *out, EcertSlice name, EcertSlice raw_key, bool cosigns)
{
	static const char hex_digits[] = "0123456789abcdef";
	uint8_t		typed_key[1 + RAW_KEY_SIZE];
	uint8_t		key_id[KEY_ID_SIZE];
	EcertCode	code;

	if (raw_key.size != RAW_KEY_SIZE)
		return ECERT_KEY_ALG;
	if (!ecert_note_name_valid(name))
		return ECERT_NOT_NOTE;
	typed_key[0] = cosigns ? TYPE_COSIGNATURE : TYPE_ED25519;
	memcpy(typed_key + 1, raw_key.data, RAW_KEY_SIZE);
	if ((code = key_id_of(name, typed_key[0], raw_key, key_id)) != ECERT_OK)
		return code;
	ecert_buffer_put(out, name);
	ecert_buffer_put(out, ecert_slice("+", 1));
	for (unsigned i = 0; i < 2 * KEY_ID_SIZE; i++)
		ecert_buffer_put(out, ecert_slice(&hex_digits[key_id[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15], 1));
	ecert_buffer_put(out, ecert_slice("+", 1));
	ecert_base64_put(out, ecert_slice(typed_key, sizeof typed_key));
	return ECERT_OK;
}

/* What a cosignature covers, into COSIGNED_MAX bytes */
static EcertCode
put_cosigned(EcertBuffer *out, EcertSlice text, int64_t time)
{
	if (text.size > ECERT_NOTE_MAX)
		return ECERT_NO_SPACE;
	ecert_buffer_put(out, ecert_slice_text("cosignature/v1\ntime "));
	put_number(out, (uint64_t) time);
	ecert_buffer_put(out, ecert_slice_text("\n"));
	ecert_buffer_put(out, text);
	return ECERT_OK;
}

/* Write name's signature line with key's id: signature is what follows the id */
static EcertCode
put_line(EcertBuffer *out, EcertSlice name, uint8_t type, const EcertPrivateKey *key, EcertSlice signature)
{
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		content[SIGNATURE_BYTES_MAX];
	size_t		raw_size;
	EcertCode	code = ecert_private_key_public(key, raw, &raw_size);

	if (code == ECERT_OK)
		code = key_id_of(name, type, ecert_slice(raw, raw_size), content);
	if (code != ECERT_OK)
		return code;
	memcpy(content + KEY_ID_SIZE, signature.data, signature.size);
	ecert_buffer_put(out, ecert_slice_text(LINE_BEFORE));
	ecert_buffer_put(out, name);
	ecert_buffer_put(out, ecert_slice_text(" "));
	ecert_base64_put(out, ecert_slice(content, KEY_ID_SIZE + signature.size));
	ecert_buffer_put(out, ecert_slice_text("\n"));
	return ecert_buffer_fits(out) ? ECERT_OK : ECERT_NO_SPACE;
}

/* Can name sign with key? */
static EcertCode
check_signer(EcertSlice name, const EcertPrivateKey *key)
{
	if (ecert_private_key_alg(key) != ECERT_ALG_ED25519)
		return ECERT_KEY_ALG;
	return ecert_note_name_valid(name) ? ECERT_OK : ECERT_NOT_NOTE;
}

void
ecert_note_put_text(EcertBuffer *out, EcertSlice origin, uint64_t size, const uint8_t *root)
{
	ecert_buffer_put(out, origin);
	ecert_buffer_put(out, ecert_slice_text("\n"));
	put_number(out, size);
	ecert_buffer_put(out, ecert_slice_text("\n"));
	ecert_base64_put(out, ecert_slice(root, ECERT_HASH_SIZE));
	ecert_buffer_put(out, ecert_slice_text("\n"));
}

EcertCode
ecert_note_sign(EcertBuffer *out, EcertSlice origin, uint64_t size, const uint8_t *root, const EcertPrivateKey *key)
{
	uint8_t		bytes[ECERT_NOTE_MAX];
	uint8_t		signature[ECERT_SIGNATURE_SIZE];
	EcertBuffer text = ecert_buffer(bytes, sizeof bytes);
	EcertCode	code = check_signer(origin, key);

	if (code != ECERT_OK)
		return code;
	if (size > ECERT_TREE_MAX)
		return ECERT_PROOF_RANGE;
	ecert_note_put_text(&text, origin, size, root);
	if (!ecert_buffer_fits(&text))
		return ECERT_NO_SPACE;
	code = ecert_sign(key, ecert_slice(bytes, text.size), signature);
	if (code != ECERT_OK)
		return code;
	ecert_buffer_put(out, ecert_slice(bytes, text.size));
	ecert_buffer_put(out, ecert_slice_text("\n"));
	return put_line(out, origin, TYPE_ED25519, key, ecert_slice(signature, sizeof signature));
}

EcertCode
ecert_note_cosign(EcertBuffer *out, EcertSlice text, EcertSlice name, int64_t time, const EcertPrivateKey *key)
{
	uint8_t		bytes[COSIGNED_MAX];
	uint8_t		signature[TIME_SIZE + ECERT_SIGNATURE_SIZE];
	EcertBuffer cosigned = ecert_buffer(bytes, sizeof bytes);
	EcertCode	code = check_signer(name, key);

	if (code != ECERT_OK)
		return code;
	if (time < 0 || time > ECERT_TIME_MAX)
		return ECERT_OVERFLOW;
	if ((code = put_cosigned(&cosigned, text, time)) != ECERT_OK)
		return code;
	for (unsigned i = 0; i < TIME_SIZE; i++)
		signature[i] = (uint8_t) ((uint64_t) time >> (8 * (TIME_SIZE - 1 - i)));
	code = ecert_sign(key, ecert_slice(bytes, cosigned.size), signature + TIME_SIZE);
	return code == ECERT_OK ? put_line(out, name, TYPE_COSIGNATURE, key, ecert_slice(signature, sizeof signature)) : code;
}

/* Is this the key that the line names, and did it sign message? */
static EcertCode
verify_message(EcertSlice message, const EcertNoteSignature *signature, uint8_t type, EcertSlice raw_key, const uint8_t *bytes)
{
	uint8_t		key_id[KEY_ID_SIZE];
	EcertPublicKey *key = NULL;
	EcertCode	code;

	if (raw_key.size != RAW_KEY_SIZE)
		return ECERT_BAD_PUBLIC_KEY;
	if ((code = key_id_of(signature->name, type, raw_key, key_id)) != ECERT_OK)
		return code;
	if (memcmp(key_id, signature->key_id, KEY_ID_SIZE) != 0)
		return ECERT_BAD_SIGNATURE;
	if ((code = ecert_public_key_new(ECERT_ALG_ED25519, raw_key, &key)) != ECERT_OK)
		return code;
	code = ecert_verify(key, message, ecert_slice(bytes, ECERT_SIGNATURE_SIZE));
	ecert_public_key_free(key);
	return code;
}

bool
ecert_note_names_cosigner(const EcertNoteSignature *signature, EcertSlice raw_key)
{
	uint8_t		key_id[KEY_ID_SIZE];

	return key_id_of(signature->name, TYPE_COSIGNATURE, raw_key, key_id) == ECERT_OK && memcmp(key_id, signature->key_id, KEY_ID_SIZE) == 0;
}

EcertCode
ecert_note_verify(EcertSlice text, const EcertNoteSignature *signature, EcertSlice raw_key)
{
	if (signature->size != ECERT_SIGNATURE_SIZE)
		return ECERT_BAD_SIGNATURE;
	return verify_message(text, signature, TYPE_ED25519, raw_key, signature->bytes);
}

EcertCode
ecert_note_verify_cosignature(EcertSlice text, const EcertNoteSignature *signature, EcertSlice raw_key, int64_t *time)
{
	uint8_t		bytes[COSIGNED_MAX];
	EcertBuffer cosigned = ecert_buffer(bytes, sizeof bytes);
	uint64_t	seconds = 0;
	EcertCode	code;

	*time = 0;
	if (signature->size != TIME_SIZE + ECERT_SIGNATURE_SIZE)
		return ECERT_BAD_SIGNATURE;
	for (unsigned i = 0; i < TIME_SIZE; i++)
		seconds = seconds << 8 | signature->bytes[i];
	if (seconds > (uint64_t) ECERT_TIME_MAX)
		return ECERT_BAD_SIGNATURE;
	*time = (int64_t) seconds;
	if ((code = put_cosigned(&cosigned, text, *time)) != ECERT_OK)
		return code;
	return verify_message(ecert_slice(bytes, cosigned.size), signature, TYPE_COSIGNATURE, raw_key, signature->bytes + TIME_SIZE);
}
