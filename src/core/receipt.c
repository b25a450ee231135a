/*
 * receipt.c
 *		COSE receipts of inclusion; see receipt.h.  Statements are in statement.c.
 */
#include "core/receipt.h"

/* Header labels of RFC 9052 and RFC 9597 that a receipt may have */
enum
{
	LABEL_ALG = 1,
	LABEL_CRIT = 2,
	LABEL_KID = 4,
	LABEL_CLAIMS = 15
};

enum
{
	CLAIM_ISSUER = 1,
	CLAIM_SUBJECT = 2
};

/* The label of inclusion proofs inside of parameter 396 (RFC 9942) */
#define PROOF_INCLUSION (-1)

/* Room for a protected header of ours, and for what the signature of any receipt covers */
#define OWN_HEADER_MAX (128 + 2 * ECERT_ID_MAX)
#define SIGNED_MAX (ECERT_RECEIPT_MAX + ECERT_HASH_SIZE + 32)

/* Which of the labels that are read were there: one that is there twice says nothing */
enum
{
	SEEN_ALG = 1,
	SEEN_KID = 2,
	SEEN_CLAIMS = 4,
	SEEN_VDS = 8,
	SEEN_SIZE = 16
};

/* A receipt being read, and where its first error goes */
typedef struct Reading
{
	EcertSlice	bytes;			/* the whole */
	EcertReceipt *receipt;
	EcertError *error;
	unsigned	seen;
} Reading;

static EcertCode
refuse(Reading *it, EcertCode code, const EcertCursor *cursor, const char *field)
{
	/* whatever part the cursor reads, it is a part of the whole */
	return ecert_fail(it->error, code, (size_t) (cursor->bytes.data - it->bytes.data) + cursor->offset, field);
}

static EcertCode
expect_bytes(Reading *it, EcertCursor *cursor, const char *field, EcertSlice *content)
{
	return ecert_loose_string(cursor, ECERT_CBOR_BYTES, content) ? ECERT_OK : refuse(it, ECERT_NOT_RECEIPT, cursor, field);
}

static EcertCode
expect_uint(Reading *it, EcertCursor *cursor, const char *field, uint64_t *value)
{
	return ecert_loose_uint(cursor, value) ? ECERT_OK : refuse(it, ECERT_NOT_RECEIPT, cursor, field);
}

static EcertCode
expect_items(Reading *it, EcertCursor *cursor, EcertCborType type, const char *field, EcertLooseItems *items)
{
	return ecert_loose_enter(cursor, type, items) ? ECERT_OK : refuse(it, ECERT_NOT_RECEIPT, cursor, field);
}

/* Does an array have that many items?  The cursor is before the first and stays there */
static bool
has_items(EcertCursor cursor, EcertLooseItems items, unsigned count)
{
	unsigned	found = 0;

	for (; found <= count && ecert_loose_next(&cursor, &items); found++)
		(void) ecert_loose_skip(&cursor);
	return found == count;
}

/* Check the CBOR inside of a byte string, and read it */
static EcertCode
open_embedded(Reading *it, EcertSlice part, EcertCursor *cursor)
{
	EcertCode	code = ecert_loose_check(part, it->error);

	if (code != ECERT_OK && it->error != NULL)
		it->error->offset += (size_t) (part.data - it->bytes.data);
	*cursor = ecert_cursor(part);
	return code;
}

/* ----- the protected header ----- */

/* iss and sub of the CWT claims; others' claims are passed over */
static EcertCode
parse_claims(Reading *it, EcertCursor *cursor)
{
	EcertLooseItems claims;

	if (!ecert_loose_enter(cursor, ECERT_CBOR_MAP, &claims))
		return refuse(it, ECERT_HEADER_FIELD, cursor, "claims");
	while (ecert_loose_next(cursor, &claims))
	{
		int64_t		label;
		bool		is_known = ecert_loose_int(ecert_loose_skip(cursor), &label) && (label == CLAIM_ISSUER || label == CLAIM_SUBJECT);
		EcertSlice *claim = is_known && label == CLAIM_ISSUER ? &it->receipt->issuer : &it->receipt->subject;

		if (!is_known)
			(void) ecert_loose_skip(cursor);
		else if (claim->data != NULL || !ecert_loose_string(cursor, ECERT_CBOR_TEXT, claim))
			return refuse(it, ECERT_HEADER_FIELD, cursor, label == CLAIM_ISSUER ? "iss" : "sub");
	}
	return ECERT_OK;
}

/* The number of what a registry names; 0, which is none, where it is text or does not fit */
static EcertCode
parse_registered(Reading *it, EcertCursor *cursor, const char *field, int64_t *number)
{
	EcertCborType type = ecert_loose_type(cursor);

	if (type != ECERT_CBOR_UINT && type != ECERT_CBOR_NINT && type != ECERT_CBOR_TEXT)
		return refuse(it, ECERT_HEADER_FIELD, cursor, field);
	if (!ecert_loose_int(ecert_loose_skip(cursor), number))
		*number = 0;
	return ECERT_OK;
}

static EcertCode
parse_alg(Reading *it, EcertCursor *cursor)
{
	EcertCursor at = *cursor;
	int64_t		alg;
	EcertCode	code = parse_registered(it, cursor, "alg", &alg);

	return code != ECERT_OK || ecert_alg_from_cose(alg, &it->receipt->alg) ? code : refuse(it, ECERT_UNKNOWN_ALG, &at, "alg");
}

static EcertCode
parse_vds(Reading *it, EcertCursor *cursor)
{
	EcertCursor at = *cursor;
	int64_t		vds;
	EcertCode	code = parse_registered(it, cursor, "vds", &vds);

	return code != ECERT_OK || vds == ECERT_VDS_RFC9162_SHA256 ? code : refuse(it, ECERT_UNKNOWN_VDS, &at, "vds");
}

/* Note that a label was there */
static EcertCode
see(Reading *it, unsigned label, const EcertCursor *cursor, const char *field)
{
	if ((it->seen & label) != 0)
		return refuse(it, ECERT_HEADER_FIELD, cursor, field);
	it->seen |= label;
	return ECERT_OK;
}

/* Read the value of one parameter of the protected header; of one that is not known here it is passed over */
static EcertCode
parse_parameter(Reading *it, int64_t label, EcertCursor *cursor)
{
	EcertReceipt *receipt = it->receipt;
	EcertCode	code;

	switch (label)
	{
		case LABEL_ALG:
			code = see(it, SEEN_ALG, cursor, "alg");
			return code == ECERT_OK ? parse_alg(it, cursor) : code;
		case LABEL_CRIT:
			/* it says that something here must be understood, and nothing of the sort is */
			return refuse(it, ECERT_HEADER_FIELD, cursor, "crit");
		case LABEL_KID:
			if ((code = see(it, SEEN_KID, cursor, "kid")) != ECERT_OK)
				return code;
			return ecert_loose_string(cursor, ECERT_CBOR_BYTES, &receipt->kid) ? ECERT_OK : refuse(it, ECERT_HEADER_FIELD, cursor, "kid");
		case LABEL_CLAIMS:
			code = see(it, SEEN_CLAIMS, cursor, "claims");
			return code == ECERT_OK ? parse_claims(it, cursor) : code;
		case ECERT_HEADER_VDS:
			code = see(it, SEEN_VDS, cursor, "vds");
			return code == ECERT_OK ? parse_vds(it, cursor) : code;
		case ECERT_HEADER_TREE_SIZE:
			if ((code = see(it, SEEN_SIZE, cursor, "tree size")) != ECERT_OK)
				return code;
			receipt->signs_size = true;
			return ecert_loose_uint(cursor, &receipt->tree_size) ? ECERT_OK : refuse(it, ECERT_HEADER_FIELD, cursor, "tree size");
		default:
			(void) ecert_loose_skip(cursor);
			return ECERT_OK;
	}
}

static EcertCode
parse_protected(Reading *it)
{
	EcertCursor cursor;
	EcertLooseItems parameters;
	EcertCode	code = open_embedded(it, it->receipt->protected_header, &cursor);

	if (code == ECERT_OK)
		code = expect_items(it, &cursor, ECERT_CBOR_MAP, "protected", &parameters);
	while (code == ECERT_OK && ecert_loose_next(&cursor, &parameters))
	{
		int64_t		label;

		/* text keys, and integers that no int64 holds, are none of ours: 0 is no label */
		if (!ecert_loose_int(ecert_loose_skip(&cursor), &label))
			label = 0;
		code = parse_parameter(it, label, &cursor);
	}
	if (code != ECERT_OK)
		return code;
	if ((it->seen & SEEN_ALG) == 0)
		return refuse(it, ECERT_HEADER_FIELD, &cursor, "alg");
	return (it->seen & SEEN_VDS) != 0 ? ECERT_OK : refuse(it, ECERT_HEADER_FIELD, &cursor, "vds");
}

/* ----- the proof ----- */

/* [ + bstr ]: the hashes from the leaf up */
static EcertCode
parse_path(Reading *it, EcertCursor *cursor)
{
	EcertProof *path = &it->receipt->path;
	EcertCursor at = *cursor;
	EcertLooseItems hashes;
	EcertCode	code = expect_items(it, cursor, ECERT_CBOR_ARRAY, "path", &hashes);

	while (code == ECERT_OK && ecert_loose_next(cursor, &hashes))
	{
		EcertCursor before = *cursor;
		EcertSlice	hash;

		if (path->count == ECERT_PROOF_MAX)
			return refuse(it, ECERT_PROOF_LENGTH, &at, "path");
		if ((code = expect_bytes(it, cursor, "path", &hash)) != ECERT_OK)
			return code;
		if (hash.size != ECERT_HASH_SIZE)
			return refuse(it, ECERT_NOT_RECEIPT, &before, "path");
		memcpy(path->hashes[path->count++], hash.data, ECERT_HASH_SIZE);
	}
	return code == ECERT_OK && path->count == 0 ? refuse(it, ECERT_PROOF_LENGTH, &at, "path") : code;
}

/* bstr .cbor [ tree size, leaf index, path ] */
static EcertCode
parse_inclusion(Reading *it, EcertSlice proof)
{
	EcertReceipt *receipt = it->receipt;
	EcertCursor cursor;
	EcertCursor at;
	EcertLooseItems items;
	uint64_t	tree_size;
	EcertCode	code = open_embedded(it, proof, &cursor);

	if (code != ECERT_OK || (code = expect_items(it, &cursor, ECERT_CBOR_ARRAY, "inclusion proof", &items)) != ECERT_OK)
		return code;
	if (!has_items(cursor, items, 3))
		return refuse(it, ECERT_NOT_RECEIPT, &cursor, "inclusion proof");
	at = cursor;
	if ((code = expect_uint(it, &cursor, "tree size", &tree_size)) != ECERT_OK)
		return code;
	if (receipt->signs_size && receipt->tree_size != tree_size)
		return refuse(it, ECERT_HEADER_FIELD, &at, "tree size");
	receipt->tree_size = tree_size;
	if ((code = expect_uint(it, &cursor, "leaf index", &receipt->leaf_index)) != ECERT_OK)
		return code;
	return parse_path(it, &cursor);
}

/* { -1: [ inclusion proof ] }, and no other proof: a signature here covers one root */
static EcertCode
parse_proofs(Reading *it, EcertCursor *cursor)
{
	EcertCursor at = *cursor;
	EcertLooseItems sorts;
	EcertLooseItems proofs = {0, false};
	EcertSlice	proof = {NULL, 0};
	unsigned	sort_count = 0;
	bool		has_inclusion = false;
	EcertCode	code = expect_items(it, cursor, ECERT_CBOR_MAP, "proofs", &sorts);

	for (; code == ECERT_OK && ecert_loose_next(cursor, &sorts); sort_count++)
	{
		int64_t		label;

		if (!ecert_loose_int(ecert_loose_skip(cursor), &label) || label != PROOF_INCLUSION || has_inclusion)
		{
			(void) ecert_loose_skip(cursor);
			continue;
		}
		has_inclusion = true;
		if ((code = expect_items(it, cursor, ECERT_CBOR_ARRAY, "inclusion proof", &proofs)) != ECERT_OK)
			return code;
		for (unsigned i = 0; ecert_loose_next(cursor, &proofs); i++)
		{
			if (i > 0)
				return refuse(it, ECERT_SEVERAL_PROOFS, cursor, "inclusion proof");
			if ((code = expect_bytes(it, cursor, "inclusion proof", &proof)) != ECERT_OK)
				return code;
		}
	}
	if (code != ECERT_OK)
		return code;
	if (proof.data == NULL)
		return refuse(it, ECERT_NOT_RECEIPT, &at, "inclusion proof");
	return sort_count == 1 ? parse_inclusion(it, proof) : refuse(it, ECERT_SEVERAL_PROOFS, &at, "proofs");
}

/* The unprotected header: the proofs, between parameters that are passed over */
static EcertCode
parse_unprotected(Reading *it, EcertCursor *cursor)
{
	EcertCursor at = *cursor;
	EcertLooseItems parameters;
	bool		found = false;
	EcertCode	code = expect_items(it, cursor, ECERT_CBOR_MAP, "unprotected", &parameters);

	while (code == ECERT_OK && ecert_loose_next(cursor, &parameters))
	{
		int64_t		label;

		if (!ecert_loose_int(ecert_loose_skip(cursor), &label) || label != ECERT_HEADER_VDP)
			(void) ecert_loose_skip(cursor);
		else if (found)
			return refuse(it, ECERT_SEVERAL_PROOFS, cursor, "proofs");
		else
		{
			found = true;
			code = parse_proofs(it, cursor);
		}
	}
	return code == ECERT_OK && !found ? refuse(it, ECERT_NOT_RECEIPT, &at, "proofs") : code;
}

/* ----- the whole ----- */

/* Tag 18 and an array of 4 */
static EcertCode
parse_beginning(Reading *it, EcertCursor *cursor)
{
	EcertLooseItems tag;
	EcertLooseItems parts;

	if (!ecert_loose_enter(cursor, ECERT_CBOR_TAG, &tag) || tag.left != 18)
		return refuse(it, ECERT_NOT_RECEIPT, cursor, "tag");
	if (!ecert_loose_enter(cursor, ECERT_CBOR_ARRAY, &parts) || !has_items(*cursor, parts, 4))
		return refuse(it, ECERT_NOT_RECEIPT, cursor, "array");
	return ECERT_OK;
}

static EcertCode
parse_end(Reading *it, EcertCursor *cursor)
{
	EcertCursor at = *cursor;
	EcertSlice	payload = ecert_loose_skip(cursor);
	EcertCode	code;

	if (payload.size != 1 || payload.data[0] != (ECERT_CBOR_SIMPLE << 5 | ECERT_CBOR_NULL))
		return refuse(it, ECERT_NOT_RECEIPT, &at, "payload");
	at = *cursor;
	if ((code = expect_bytes(it, cursor, "signature", &it->receipt->signature)) != ECERT_OK)
		return code;
	return it->receipt->signature.size == ecert_signature_size(it->receipt->alg) ? ECERT_OK : refuse(it, ECERT_BAD_SIGNATURE_SIZE, &at, "signature");
}

EcertCode
ecert_receipt_parse(EcertSlice bytes, EcertReceipt *receipt, EcertError *error)
{
	Reading		it = {bytes, receipt, error, 0};
	EcertCursor cursor = ecert_cursor(bytes);
	EcertCode	code;

	memset(receipt, 0, sizeof *receipt);
	if (bytes.size > ECERT_RECEIPT_MAX)
		return ecert_fail(it.error, ECERT_BEYOND_LIMITS, ECERT_RECEIPT_MAX, NULL);
	if ((code = ecert_loose_check(bytes, it.error)) != ECERT_OK ||
		(code = parse_beginning(&it, &cursor)) != ECERT_OK ||
		(code = expect_bytes(&it, &cursor, "protected", &receipt->protected_header)) != ECERT_OK ||
		(code = parse_protected(&it)) != ECERT_OK ||
		(code = parse_unprotected(&it, &cursor)) != ECERT_OK)
		return code;
	return parse_end(&it, &cursor);
}

bool
ecert_is_beyond(EcertCode code)
{
	return code == ECERT_UNKNOWN_ALG || code == ECERT_UNKNOWN_VDS || code == ECERT_SEVERAL_PROOFS || code == ECERT_BEYOND_LIMITS;
}

EcertCode
ecert_receipt_root(const EcertReceipt *receipt, const uint8_t *leaf, uint8_t *root)
{
	return ecert_inclusion_root(leaf, receipt->leaf_index, receipt->tree_size, &receipt->path, root);
}

/* Is signature over root under that protected header right? */
static EcertCode
verify_root(const uint8_t *root, EcertSlice protected_header, const EcertPublicKey *key, EcertSlice signature)
{
	uint8_t		bytes[SIGNED_MAX];
	EcertBuffer signed_bytes = ecert_buffer(bytes, sizeof bytes);

	ecert_package_signed_bytes(protected_header, ecert_slice(root, ECERT_HASH_SIZE), &signed_bytes);
	if (!ecert_buffer_fits(&signed_bytes))
		return ECERT_NO_SPACE;
	return ecert_verify(key, ecert_slice(bytes, signed_bytes.size), signature);
}

EcertCode
ecert_receipt_verify(const EcertReceipt *receipt, const uint8_t *leaf, const EcertPublicKey *key)
{
	uint8_t		root[ECERT_HASH_SIZE];
	EcertCode	code = ecert_receipt_root(receipt, leaf, root);

	return code == ECERT_OK ? verify_root(root, receipt->protected_header, key, receipt->signature) : code;
}

const char *
ecert_outcome_text(EcertOutcome outcome)
{
	return outcome == ECERT_HOLDS ? "holds" : outcome == ECERT_WRONG ? "wrong" : "not checked";
}

/* The claims of a receipt that the trusted key signed */
static EcertCode
check_claims(const EcertReceipt *receipt, const EcertTrust *trust)
{
	if (receipt->issuer.size == 0 || receipt->subject.size == 0)
		return ECERT_HEADER_FIELD;
	if (!ecert_slice_equal(receipt->subject, trust->origin) ||
		(trust->certifier.size > 0 && !ecert_slice_equal(receipt->issuer, trust->certifier)))
		return ECERT_FOREIGN_CLAIMS;
	return ECERT_OK;
}

EcertOutcome
ecert_receipt_judge(EcertSlice bytes, const uint8_t *leaf, const EcertTrust *trust, EcertReceipt *receipt, EcertError *error)
{
	EcertOutcome outcome = ECERT_NOT_CHECKED;
	EcertCode	code = ecert_receipt_parse(bytes, receipt, error);

	if (code != ECERT_OK)
		return outcome;
	/* others need not name a key; one that names none is tried, and where it does not hold nobody has claimed that it would */
	if (receipt->kid.size > 0)
	{
		if (!ecert_slice_equal(receipt->kid, trust->kid))
		{
			ecert_fail(error, ECERT_OTHER_KEY, 0, "kid");
			return outcome;
		}
		outcome = ECERT_WRONG;
	}
	code = receipt->alg == trust->alg ? ecert_receipt_verify(receipt, leaf, trust->key) : ECERT_BAD_SIGNATURE;
	if (code == ECERT_OK && (code = check_claims(receipt, trust)) == ECERT_OK)
		return ECERT_HOLDS;
	ecert_fail(error, code, 0, NULL);
	return code == ECERT_CRYPTO_FAILED ? ECERT_NOT_CHECKED : outcome;
}

/* ----- what we write ----- */

/* The protected header of the receipts that we write, which a seal signs: { alg, kid, { iss, sub }, vds, tree size } */
static void
put_header(EcertBuffer *out, const EcertSealHeader *header)
{
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 5);
	ecert_cbor_put_int(out, LABEL_ALG);
	ecert_cbor_put_int(out, ecert_alg_cose(header->alg));
	ecert_cbor_put_int(out, LABEL_KID);
	ecert_cbor_put_bytes(out, header->kid);
	ecert_cbor_put_int(out, LABEL_CLAIMS);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 2);
	ecert_cbor_put_int(out, CLAIM_ISSUER);
	ecert_cbor_put_text(out, header->certifier);
	ecert_cbor_put_int(out, CLAIM_SUBJECT);
	ecert_cbor_put_text(out, header->origin);
	ecert_cbor_put_int(out, ECERT_HEADER_VDS);
	ecert_cbor_put_int(out, ECERT_VDS_RFC9162_SHA256);
	ecert_cbor_put_int(out, ECERT_HEADER_TREE_SIZE);
	ecert_cbor_put_head(out, ECERT_CBOR_UINT, header->tree_size);
}

EcertCode
ecert_seal(const EcertSealHeader *header, const uint8_t *root, const EcertPrivateKey *key, uint8_t *seal)
{
	uint8_t		header_bytes[OWN_HEADER_MAX];
	uint8_t		bytes[OWN_HEADER_MAX + ECERT_HASH_SIZE + 32];
	EcertBuffer protected_header = ecert_buffer(header_bytes, sizeof header_bytes);
	EcertBuffer signed_bytes = ecert_buffer(bytes, sizeof bytes);

	/* a header with another algorithm than the key's would make receipts that nobody can verify */
	if (header->alg != ecert_private_key_alg(key))
		return ECERT_KEY_ALG;
	put_header(&protected_header, header);
	if (!ecert_buffer_fits(&protected_header))
		return ECERT_NO_SPACE;
	ecert_package_signed_bytes(ecert_slice(header_bytes, protected_header.size), ecert_slice(root, ECERT_HASH_SIZE), &signed_bytes);
	return ecert_sign(key, ecert_slice(bytes, signed_bytes.size), seal);
}

EcertCode
ecert_seal_verify(const EcertSealHeader *header, const uint8_t *root, const EcertPublicKey *key, EcertSlice seal)
{
	uint8_t		header_bytes[OWN_HEADER_MAX];
	EcertBuffer protected_header = ecert_buffer(header_bytes, sizeof header_bytes);

	put_header(&protected_header, header);
	if (!ecert_buffer_fits(&protected_header))
		return ECERT_NO_SPACE;
	return verify_root(root, ecert_slice(header_bytes, protected_header.size), key, seal);
}

static void
put_inclusion(EcertBuffer *out, uint64_t leaf_index, uint64_t tree_size, const EcertProof *path)
{
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 3);
	ecert_cbor_put_head(out, ECERT_CBOR_UINT, tree_size);
	ecert_cbor_put_head(out, ECERT_CBOR_UINT, leaf_index);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, path->count);
	for (unsigned i = 0; i < path->count; i++)
		ecert_cbor_put_bytes(out, ecert_slice(path->hashes[i], ECERT_HASH_SIZE));
}

static void
put_protected(EcertBuffer *out, const EcertSealHeader *header)
{
	EcertBuffer measure = ecert_buffer(NULL, 0);

	put_header(&measure, header);
	ecert_cbor_put_head(out, ECERT_CBOR_BYTES, measure.size);
	put_header(out, header);
}

void
ecert_receipt_put(EcertBuffer *out, const EcertSealHeader *header, EcertSlice seal, uint64_t leaf_index, const EcertProof *path)
{
	EcertBuffer measure = ecert_buffer(NULL, 0);

	ecert_cbor_put_head(out, ECERT_CBOR_TAG, 18);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 4);
	put_protected(out, header);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 1);
	ecert_cbor_put_int(out, ECERT_HEADER_VDP);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 1);
	ecert_cbor_put_int(out, PROOF_INCLUSION);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 1);
	put_inclusion(&measure, leaf_index, header->tree_size, path);
	ecert_cbor_put_head(out, ECERT_CBOR_BYTES, measure.size);
	put_inclusion(out, leaf_index, header->tree_size, path);
	ecert_cbor_put_head(out, ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL);
	ecert_cbor_put_bytes(out, seal);
}
