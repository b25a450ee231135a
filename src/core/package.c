/*
 * package.c
 *		Header and COSE structure of a package; see package.h.
 */
#include "core/package.h"

#define CONTENT_TYPE_BEFORE "application/vnd.ecert."
#define CONTENT_TYPE_AFTER "+cbor"
#define TYPE_TEXT "application/vnd.ecert+cose"

/* Header labels (docs/format.md); negative ones as CBOR's -1 - n */
enum
{
	LABEL_ALG = 1,
	LABEL_CONTENT_TYPE = 3,
	LABEL_KID = 4,
	LABEL_CLAIMS = 15,
	LABEL_TYPE = 16,
	LABEL_SEQ = -65601,
	LABEL_PREV = -65602
};

enum
{
	CLAIM_ISSUER = 1,
	CLAIM_SUBJECT = 2,
	CLAIM_AUDIENCE = 3,
	CLAIM_ISSUED_AT = 6
};

static const char *const kind_names[ECERT_KIND_COUNT] = {
#define KIND_NAME(CODE, name) #name,
	ECERT_KINDS(KIND_NAME)
};

const char *
ecert_kind_name(EcertKind kind)
{
	return kind_names[kind];
}

bool
ecert_kind_from_name(EcertSlice name, EcertKind *kind)
{
	for (int i = 0; i < ECERT_KIND_COUNT; i++)
	{
		if (ecert_slice_equal(name, ecert_slice_text(kind_names[i])))
		{
			*kind = (EcertKind) i;
			return true;
		}
	}
	return false;
}

bool
ecert_kind_is_reserved(EcertSlice name)
{
	static const char *const reserved[] = {ECERT_RESERVED_KINDS};

	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
	{
		if (ecert_slice_equal(name, ecert_slice_text(reserved[i])))
			return true;
	}
	return false;
}

/* "application/vnd.ecert.<kind>+cbor" */
static EcertCode
kind_from_content_type(EcertSlice text, EcertKind *kind)
{
	size_t		before = sizeof CONTENT_TYPE_BEFORE - 1;
	size_t		after = sizeof CONTENT_TYPE_AFTER - 1;

	if (text.size <= before + after ||
		memcmp(text.data, CONTENT_TYPE_BEFORE, before) != 0 ||
		memcmp(text.data + text.size - after, CONTENT_TYPE_AFTER, after) != 0)
		return ECERT_UNKNOWN_KIND;
	text = ecert_slice(text.data + before, text.size - before - after);
	if (ecert_kind_from_name(text, kind))
		return ECERT_OK;
	return ecert_kind_is_reserved(text) ? ECERT_RESERVED_KIND : ECERT_UNKNOWN_KIND;
}

/* A byte string item of exactly size bytes */
static bool
bytes_of(EcertSlice item, size_t size, EcertSlice *content)
{
	EcertCursor cursor = ecert_cursor(item);
	EcertCborHead head;

	if (ecert_cbor_head(&cursor, &head, NULL) != ECERT_OK ||
		head.type != ECERT_CBOR_BYTES || head.value != size)
		return false;
	*content = ecert_cbor_content(&cursor, &head);
	return true;
}

/* An unsigned integer item up to most */
static bool
uint_of(EcertSlice item, int64_t most, int64_t *value)
{
	return ecert_cbor_int(item, value) == ECERT_OK && *value >= 0 && *value <= most;
}

/* Read one claim of header 15; the field's name is for the error */
static EcertCode
parse_claim(int64_t label, EcertSlice item, EcertPackage *package, const char **field)
{
	EcertSlice *id = label == CLAIM_ISSUER ? &package->issuer : label == CLAIM_SUBJECT ? &package->subject : &package->audience;

	if (label == CLAIM_ISSUED_AT)
	{
		*field = "iat";
		return uint_of(item, ECERT_TIME_MAX, &package->issued_at) ? ECERT_OK : ECERT_HEADER_FIELD;
	}
	if (label < CLAIM_ISSUER || label > CLAIM_AUDIENCE)
		return ECERT_HEADER_UNKNOWN;
	*field = label == CLAIM_ISSUER ? "iss" : label == CLAIM_SUBJECT ? "sub" : "aud";
	if (!ecert_cbor_text(item, id))
		return ECERT_HEADER_FIELD;
	return ecert_id_valid(*id) ? ECERT_OK : ECERT_BAD_ID;
}

/* The claims map: all four, no other */
static EcertCode
parse_claims(EcertSlice map, EcertPackage *package, const char **field, size_t *offset)
{
	EcertCursor cursor = ecert_cursor(map);
	EcertCborHead head;

	*field = "CWT claims";
	if (ecert_cbor_head(&cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_MAP)
		return ECERT_HEADER_FIELD;
	for (uint64_t i = head.value; i > 0; i--)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);
		int64_t		label;
		EcertCode	code;

		*offset = cursor.offset;
		*field = "CWT claims";
		if (ecert_cbor_int(key, &label) != ECERT_OK)
			return ECERT_HEADER_UNKNOWN;
		if ((code = parse_claim(label, ecert_cbor_skip(&cursor), package, field)) != ECERT_OK)
			return code;
	}
	/* keys are unique and each is one of the four: all are there when there are four */
	*offset = 0;
	*field = "CWT claims";
	return head.value == 4 ? ECERT_OK : ECERT_HEADER_FIELD;
}

/* The header's parameters, and what errors call them; claims name theirs themselves */
static const struct
{
	int64_t		label;
	const char *field;
}			parameters[] = {
	{LABEL_ALG, "alg"}, {LABEL_CONTENT_TYPE, "content type"}, {LABEL_KID, "kid"}, {LABEL_CLAIMS, "CWT claims"},
	{LABEL_TYPE, "typ"}, {LABEL_SEQ, "seq"}, {LABEL_PREV, "prev"}
};

enum
{
	PARAMETERS = sizeof parameters / sizeof parameters[0],
	PREV = PARAMETERS - 1		/* the one that the genesis package has not */
};

/* Read one header parameter into package; its bit goes to *has */
static EcertCode
parse_parameter(int64_t label, EcertSlice item, EcertPackage *package, unsigned *has,
				const char **field, size_t *offset)
{
	EcertSlice	text;
	int64_t		number;

	for (int i = 0; i < PARAMETERS; i++)
	{
		if (parameters[i].label == label)
		{
			*field = parameters[i].field;
			*has |= 1U << i;
		}
	}
	switch (label)
	{
		case LABEL_ALG:
			if (ecert_cbor_int(item, &number) != ECERT_OK)
				return ECERT_HEADER_FIELD;
			return ecert_alg_from_cose(number, &package->alg) ? ECERT_OK : ECERT_UNKNOWN_ALG;
		case LABEL_CONTENT_TYPE:
			if (!ecert_cbor_text(item, &text))
				return ECERT_HEADER_FIELD;
			return kind_from_content_type(text, &package->kind);
		case LABEL_KID:
			return bytes_of(item, ECERT_HASH_SIZE, &package->kid) ? ECERT_OK : ECERT_HEADER_FIELD;
		case LABEL_CLAIMS:
			return parse_claims(item, package, field, offset);
		case LABEL_TYPE:
			return ecert_cbor_text(item, &text) &&
				ecert_slice_equal(text, ecert_slice_text(TYPE_TEXT)) ? ECERT_OK : ECERT_HEADER_FIELD;
		case LABEL_SEQ:
			return uint_of(item, INT64_MAX, &package->seq) ? ECERT_OK : ECERT_HEADER_FIELD;
		case LABEL_PREV:
			return bytes_of(item, ECERT_HASH_SIZE, &package->prev) ? ECERT_OK : ECERT_HEADER_FIELD;
	}
	return ECERT_HEADER_UNKNOWN;
}

/* What must be there is there, and prev is absent in the genesis package alone */
static EcertCode
check_presence(const EcertPackage *package, unsigned has, size_t at, EcertError *error)
{
	bool		is_genesis = package->kind == ECERT_KIND_GENESIS;

	for (int i = 0; i < PARAMETERS; i++)
	{
		if (((has >> i & 1) == 0) != (i == PREV && is_genesis))
			return ecert_fail(error, ECERT_HEADER_FIELD, at, parameters[i].field);
	}
	return is_genesis && package->seq != 0 ? ecert_fail(error, ECERT_HEADER_FIELD, at, "seq") : ECERT_OK;
}

/* The protected header, checked CBOR, whose first byte is at byte start of the package */
static EcertCode
parse_header(EcertPackage *package, size_t start, EcertError *error)
{
	EcertCursor cursor = ecert_cursor(package->protected_header);
	EcertCborHead head;
	unsigned	has = 0;
	size_t		unknown_at = 0;
	bool		is_unknown = false;
	EcertCode	code = ecert_cbor_head(&cursor, &head, error);

	if (code != ECERT_OK)
		return code;
	if (head.type != ECERT_CBOR_MAP)
		return ecert_fail(error, ECERT_NOT_SIGN1, start, "protected");
	for (uint64_t i = head.value; i > 0; i--)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);
		size_t		at = cursor.offset;
		EcertSlice	value = ecert_cbor_skip(&cursor);
		const char *field = "header";
		size_t		inside = 0;
		int64_t		label;

		if (ecert_cbor_int(key, &label) != ECERT_OK)
			return ecert_fail(error, ECERT_HEADER_UNKNOWN, start + at, field);
		code = parse_parameter(label, value, package, &has, &field, &inside);
		/* the rest may be read all the same */
		if (code == ECERT_UNKNOWN_ALG)
		{
			is_unknown = true;
			unknown_at = start + at;
		}
		else if (code != ECERT_OK)
			return ecert_fail(error, code, start + at + inside, field);
	}
	code = check_presence(package, has, start, error);
	return code == ECERT_OK && is_unknown ? ecert_fail(error, ECERT_UNKNOWN_ALG, unknown_at, "alg") : code;
}

/* Tag 18, array of 4, and its members' bytes; where the signature's item begins */
static EcertCode
parse_sign1(EcertCursor *cursor, EcertPackage *package, size_t *signature_at, EcertError *error)
{
	EcertCborHead head[6];
	EcertSlice *parts[6] = {NULL, NULL, &package->protected_header, NULL, &package->body, &package->signature};
	static const EcertCborType types[6] = {
		ECERT_CBOR_TAG, ECERT_CBOR_ARRAY, ECERT_CBOR_BYTES, ECERT_CBOR_MAP, ECERT_CBOR_BYTES, ECERT_CBOR_BYTES
	};
	static const char *const fields[6] = {
		"tag", "array", "protected", "unprotected", "payload", "signature"
	};

	for (int i = 0; i < 6; i++)
	{
		EcertCode	code = ecert_cbor_head(cursor, &head[i], error);

		if (code != ECERT_OK)
			return code;
		if (head[i].type != types[i] || (i == 0 && head[i].value != 18) ||
			(i == 1 && head[i].value != 4) || (i == 3 && head[i].value != 0))
			return ecert_fail(error, ECERT_NOT_SIGN1, head[i].offset, fields[i]);
		if (parts[i] != NULL)
			*parts[i] = ecert_cbor_content(cursor, &head[i]);
	}
	*signature_at = head[5].offset;
	return ECERT_OK;
}

/* Is the signature one of the header's algorithm, and the one form of its value? */
static EcertCode
check_signature(const EcertPackage *package, size_t at, EcertError *error)
{
	if (package->signature.size != ecert_signature_size(package->alg))
		return ecert_fail(error, ECERT_BAD_SIGNATURE_SIZE, at, "signature");
	return ecert_signature_is_strict(package->alg, package->signature) ? ECERT_OK : ecert_fail(error, ECERT_HIGH_S, at, "signature");
}

/* Check a part of the package, whose offsets in errors then count from the package's first byte */
static EcertCode
check_part(EcertCode (*check) (EcertSlice bytes, EcertError *error), EcertSlice part, EcertSlice whole, EcertError *error)
{
	EcertCode	code = check(part, error);

	if (code != ECERT_OK)
		error->offset += (size_t) (part.data - whole.data);
	return code;
}

void
ecert_package_set_body(EcertPackage *package, EcertSlice body)
{
	EcertCursor cursor = ecert_cursor(body);
	EcertCborHead head;

	package->body = body;
	if (ecert_cbor_head(&cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_MAP)
		return;
	for (uint64_t pairs = head.value; pairs > 0 && cursor.offset < cursor.bytes.size; pairs--)
	{
		EcertSlice	name = ecert_cbor_next_text(&cursor);
		EcertSlice	value = ecert_cbor_skip(&cursor);

		if (ecert_slice_equal(name, ecert_slice_text("period")))
			package->period_item = value;
		else if (ecert_slice_equal(name, ecert_slice_text("replaces")))
			package->replaces_item = value;
	}
}

EcertCode
ecert_package_parse(EcertSlice bytes, EcertPackage *package, EcertError *error)
{
	EcertCursor cursor = ecert_cursor(bytes);
	EcertError	of_body = {.code = ECERT_OK};
	EcertError	ignored;
	size_t		signature_at;
	EcertCode	code;

	if (error == NULL)
		error = &ignored;
	memset(package, 0, sizeof *package);
	package->bytes = bytes;
	if (bytes.size > ECERT_PACKAGE_MAX)
		return ecert_fail(error, ECERT_TOO_LARGE, ECERT_PACKAGE_MAX, NULL);
	if ((code = ecert_cbor_check(bytes, error)) != ECERT_OK ||
		(code = parse_sign1(&cursor, package, &signature_at, error)) != ECERT_OK ||
		(code = check_part(ecert_cbor_check, package->protected_header, bytes, error)) != ECERT_OK ||
		((code = parse_header(package, (size_t) (package->protected_header.data - bytes.data), error)) != ECERT_OK && code != ECERT_UNKNOWN_ALG) ||
		(code == ECERT_OK && (code = check_signature(package, signature_at, error)) != ECERT_OK))
		return code;
	if (check_part(ecert_cbor_check_body, package->body, bytes, &of_body) != ECERT_OK)
	{
		*error = of_body;
		return of_body.code;
	}
	ecert_package_set_body(package, package->body);
	return code;
}

EcertCode
ecert_package_parse_again(EcertSlice bytes, EcertPackage *package)
{
	EcertCursor cursor = ecert_cursor(bytes);
	EcertError	error;
	size_t		signature_at;
	EcertCode	code;

	memset(package, 0, sizeof *package);
	package->bytes = bytes;
	code = parse_sign1(&cursor, package, &signature_at, &error);
	if (code == ECERT_OK)
		code = parse_header(package, 0, &error);
	if (code == ECERT_OK || code == ECERT_UNKNOWN_ALG)
		ecert_package_set_body(package, package->body);
	return code;
}

void
ecert_package_move(EcertPackage *package, const uint8_t *copy)
{
	const uint8_t *bytes = package->bytes.data;

	for (int i = 0; i < ECERT_PACKAGE_PARTS; i++)
	{
		if (package->parts[i].size > 0)
			package->parts[i].data = copy + (package->parts[i].data - bytes);
	}
}

EcertSlice
ecert_package_body_again(EcertSlice bytes)
{
	EcertCursor cursor = ecert_cursor(bytes);
	EcertCborHead head = {ECERT_CBOR_SIMPLE, 0, 0};
	EcertSlice	content = {NULL, 0};

	/* tag, array, protected header, unprotected map, body */
	for (int i = 0; i < 5; i++)
	{
		if (ecert_cbor_head(&cursor, &head, NULL) != ECERT_OK)
			return ecert_slice(NULL, 0);
		if (head.type == ECERT_CBOR_BYTES)
			content = ecert_cbor_content(&cursor, &head);
	}
	return head.type == ECERT_CBOR_BYTES ? content : ecert_slice(NULL, 0);
}

EcertCode
ecert_package_hash(EcertSlice bytes, uint8_t *hash)
{
	static const uint8_t leaf = 0x00;
	EcertSlice	parts[2] = {ecert_slice(&leaf, 1), bytes};

	return ecert_sha256(parts, 2, hash);
}

void
ecert_package_signed_bytes(EcertSlice protected_header, EcertSlice body, EcertBuffer *out)
{
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 4);
	ecert_cbor_put_text(out, ecert_slice_text("Signature1"));
	ecert_cbor_put_bytes(out, protected_header);
	ecert_cbor_put_bytes(out, ecert_slice(NULL, 0));
	ecert_cbor_put_bytes(out, body);
}

EcertCode
ecert_package_verify(const EcertPackage *package, const EcertPublicKey *key, EcertBuffer scratch)
{
	scratch.size = 0;
	ecert_package_signed_bytes(package->protected_header, package->body, &scratch);
	if (!ecert_buffer_fits(&scratch))
		return ECERT_NO_SPACE;
	return ecert_verify(key, ecert_slice(scratch.data, scratch.size), package->signature);
}

static void
put_claims(EcertBuffer *out, const EcertPackage *package)
{
	ecert_cbor_put_int(out, LABEL_CLAIMS);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 4);
	ecert_cbor_put_int(out, CLAIM_ISSUER);
	ecert_cbor_put_text(out, package->issuer);
	ecert_cbor_put_int(out, CLAIM_SUBJECT);
	ecert_cbor_put_text(out, package->subject);
	ecert_cbor_put_int(out, CLAIM_AUDIENCE);
	ecert_cbor_put_text(out, package->audience);
	ecert_cbor_put_int(out, CLAIM_ISSUED_AT);
	ecert_cbor_put_int(out, package->issued_at);
}

static void
put_content_type(EcertBuffer *out, EcertKind kind)
{
	EcertSlice	name = ecert_slice_text(kind_names[kind]);

	ecert_cbor_put_int(out, LABEL_CONTENT_TYPE);
	ecert_cbor_put_head(out, ECERT_CBOR_TEXT,
						sizeof CONTENT_TYPE_BEFORE - 1 + name.size + sizeof CONTENT_TYPE_AFTER - 1);
	ecert_buffer_put(out, ecert_slice_text(CONTENT_TYPE_BEFORE));
	ecert_buffer_put(out, name);
	ecert_buffer_put(out, ecert_slice_text(CONTENT_TYPE_AFTER));
}

void
ecert_package_put_header(EcertBuffer *out, const EcertPackage *package)
{
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, package->prev.size > 0 ? 7 : 6);
	ecert_cbor_put_int(out, LABEL_ALG);
	ecert_cbor_put_int(out, ecert_alg_cose(package->alg));
	put_content_type(out, package->kind);
	ecert_cbor_put_int(out, LABEL_KID);
	ecert_cbor_put_bytes(out, package->kid);
	put_claims(out, package);
	ecert_cbor_put_int(out, LABEL_TYPE);
	ecert_cbor_put_text(out, ecert_slice_text(TYPE_TEXT));
	ecert_cbor_put_int(out, LABEL_SEQ);
	ecert_cbor_put_int(out, package->seq);
	if (package->prev.size > 0)
	{
		ecert_cbor_put_int(out, LABEL_PREV);
		ecert_cbor_put_bytes(out, package->prev);
	}
}

void
ecert_package_put(EcertBuffer *out, EcertSlice protected_header, EcertSlice body, EcertSlice signature)
{
	ecert_cbor_put_head(out, ECERT_CBOR_TAG, 18);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 4);
	ecert_cbor_put_bytes(out, protected_header);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 0);
	ecert_cbor_put_bytes(out, body);
	ecert_cbor_put_bytes(out, signature);
}

EcertCode
ecert_package_sign(const EcertPackage *template_package, const EcertPrivateKey *key,
				   EcertBuffer *out, EcertBuffer scratch)
{
	uint8_t		header_bytes[1024];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		kid[ECERT_HASH_SIZE];
	uint8_t		signature[ECERT_SIGNATURE_MAX];
	EcertBuffer header = ecert_buffer(header_bytes, sizeof header_bytes);
	EcertPackage package = *template_package;
	size_t		raw_size;
	EcertCode	code;

	package.alg = ecert_private_key_alg(key);
	if ((code = ecert_private_key_public(key, raw, &raw_size)) != ECERT_OK ||
		(code = ecert_key_thumbprint(package.alg, ecert_slice(raw, raw_size), kid)) != ECERT_OK)
		return code;
	package.kid = ecert_slice(kid, sizeof kid);
	ecert_package_put_header(&header, &package);
	package.protected_header = ecert_slice(header_bytes, header.size);
	scratch.size = 0;
	if (!ecert_buffer_fits(&header))
		return ECERT_NO_SPACE;
	ecert_package_signed_bytes(package.protected_header, package.body, &scratch);
	if (!ecert_buffer_fits(&scratch))
		return ECERT_TOO_LARGE;
	if ((code = ecert_sign(key, ecert_slice(scratch.data, scratch.size), signature)) != ECERT_OK)
		return code;
	ecert_package_put(out, package.protected_header, package.body, ecert_slice(signature, ecert_signature_size(package.alg)));
	return ecert_buffer_fits(out) && out->size <= ECERT_PACKAGE_MAX ? ECERT_OK : ECERT_TOO_LARGE;
}

EcertCode
ecert_key_thumbprint(EcertAlg alg, EcertSlice raw, uint8_t *kid)
{
	uint8_t		bytes[128];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertSlice	part;

	if (raw.size != ecert_raw_key_size(alg))
		return ECERT_BAD_PUBLIC_KEY;
	if (alg == ECERT_ALG_ED25519)
	{
		ecert_cbor_put_head(&out, ECERT_CBOR_MAP, 3);
		ecert_cbor_put_int(&out, 1);	/* kty: OKP */
		ecert_cbor_put_int(&out, 1);
		ecert_cbor_put_int(&out, -1);	/* crv: Ed25519 */
		ecert_cbor_put_int(&out, 6);
		ecert_cbor_put_int(&out, -2);	/* x */
		ecert_cbor_put_bytes(&out, raw);
	}
	else
	{
		ecert_cbor_put_head(&out, ECERT_CBOR_MAP, 4);
		ecert_cbor_put_int(&out, 1);	/* kty: EC2 */
		ecert_cbor_put_int(&out, 2);
		ecert_cbor_put_int(&out, -1);	/* crv: P-256, or our private number of SM2 */
		ecert_cbor_put_int(&out, alg == ECERT_ALG_ES256 ? 1 : -65600);
		ecert_cbor_put_int(&out, -2);	/* x */
		ecert_cbor_put_bytes(&out, ecert_slice(raw.data + 1, 32));
		ecert_cbor_put_int(&out, -3);	/* y */
		ecert_cbor_put_bytes(&out, ecert_slice(raw.data + 33, 32));
	}
	part = ecert_slice(bytes, out.size);
	return ecert_sha256(&part, 1, kid);
}
