/*
 * receipt.c
 *		COSE receipts of inclusion and transparent statements; see receipt.h.
 */
#include "core/receipt.h"

/* Header labels of RFC 9052 that a receipt may have */
enum
{
	LABEL_ALG = 1,
	LABEL_CRIT = 2,
	LABEL_KID = 4
};

/* The label of inclusion proofs inside of parameter 396 (RFC 9942) */
#define PROOF_INCLUSION (-1)

/*
 * Room for a protected header of ours, which has some 50 bytes, and for what any
 * receipt's signature covers: others may put a chain of certificates there.
 */
#define OWN_HEADER_MAX 128
#define SIGNED_MAX 16384

/* Read the head of an item that has to be of a type */
static EcertCode
expect(EcertCursor *cursor, EcertCborType type, const char *field, EcertCborHead *head, EcertError *error)
{
	EcertCode	code = ecert_cbor_head(cursor, head, error);

	if (code != ECERT_OK)
		return code;
	return head->type == type ? ECERT_OK : ecert_fail(error, ECERT_NOT_RECEIPT, head->offset, field);
}

/* The same for an item with a certain value: a tag, a count, null */
static EcertCode
expect_value(EcertCursor *cursor, EcertCborType type, uint64_t value, const char *field, EcertError *error)
{
	EcertCborHead head;
	EcertCode	code = expect(cursor, type, field, &head, error);

	if (code != ECERT_OK)
		return code;
	return head.value == value ? ECERT_OK : ecert_fail(error, ECERT_NOT_RECEIPT, head.offset, field);
}

static EcertCode
expect_bytes(EcertCursor *cursor, const char *field, EcertSlice *content, EcertError *error)
{
	EcertCborHead head;
	EcertCode	code = expect(cursor, ECERT_CBOR_BYTES, field, &head, error);

	if (code == ECERT_OK)
		*content = ecert_cbor_content(cursor, &head);
	return code;
}

/* An integer key that is this one; text keys and others are none of ours */
static bool
is_key(EcertSlice key, int64_t label)
{
	int64_t		found;

	return ecert_cbor_int(key, &found) == ECERT_OK && found == label;
}

/* Check the CBOR inside of a byte string; the cursor's offsets count from the first byte of whole */
static EcertCode
open_embedded(EcertSlice whole, EcertSlice part, EcertCursor *cursor, EcertError *error)
{
	size_t		start = (size_t) (part.data - whole.data);
	EcertCode	code = ecert_cbor_check(part, error);

	if (code != ECERT_OK)
		error->offset += start;
	*cursor = ecert_cursor(ecert_slice(whole.data, start + part.size));
	cursor->offset = start;
	return code;
}

/* Read one parameter of the protected header; what is not known here is passed over */
static EcertCode
parse_parameter(int64_t label, EcertSlice item, EcertReceipt *receipt, bool *has_vds, const char **field)
{
	EcertCursor cursor = ecert_cursor(item);
	EcertCborHead head;
	int64_t		number;

	switch (label)
	{
		case LABEL_ALG:
			*field = "alg";
			if (ecert_cbor_int(item, &number) != ECERT_OK)
				return ECERT_HEADER_FIELD;
			return ecert_alg_from_cose(number, &receipt->alg) ? ECERT_OK : ECERT_UNKNOWN_ALG;
		case LABEL_CRIT:
			/* it says that something here must be understood, and nothing of the sort is */
			*field = "crit";
			return ECERT_HEADER_FIELD;
		case LABEL_KID:
			*field = "kid";
			return expect_bytes(&cursor, *field, &receipt->kid, NULL) == ECERT_OK ? ECERT_OK : ECERT_HEADER_FIELD;
		case ECERT_HEADER_VDS:
			*field = "vds";
			*has_vds = true;
			return is_key(item, ECERT_VDS_RFC9162_SHA256) ? ECERT_OK : ECERT_HEADER_FIELD;
		case ECERT_HEADER_TREE_SIZE:
			*field = "tree size";
			receipt->signs_size = true;
			if (expect(&cursor, ECERT_CBOR_UINT, *field, &head, NULL) != ECERT_OK)
				return ECERT_HEADER_FIELD;
			receipt->tree_size = head.value;
			return ECERT_OK;
	}
	return ECERT_OK;
}

static EcertCode
parse_protected(EcertSlice whole, EcertReceipt *receipt, EcertError *error)
{
	EcertCursor cursor;
	EcertCborHead map;
	bool		has_vds = false;
	EcertCode	code = open_embedded(whole, receipt->protected_header, &cursor, error);

	if (code == ECERT_OK)
		code = expect(&cursor, ECERT_CBOR_MAP, "protected", &map, error);
	if (code != ECERT_OK)
		return code;
	for (uint64_t i = map.value; i > 0; i--)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);
		size_t		at = cursor.offset;
		EcertSlice	value = ecert_cbor_skip(&cursor);
		const char *field = NULL;
		int64_t		label;

		if (ecert_cbor_int(key, &label) != ECERT_OK)
			continue;
		code = parse_parameter(label, value, receipt, &has_vds, &field);
		if (code != ECERT_OK)
			return ecert_fail(error, code, at, field);
	}
	if (receipt->alg == 0)
		return ecert_fail(error, ECERT_HEADER_FIELD, map.offset, "alg");
	return has_vds ? ECERT_OK : ecert_fail(error, ECERT_HEADER_FIELD, map.offset, "vds");
}

/* [ + bstr ]: the hashes from the leaf up */
static EcertCode
parse_path(EcertCursor *cursor, EcertProof *path, EcertError *error)
{
	EcertCborHead array;
	EcertCode	code = expect(cursor, ECERT_CBOR_ARRAY, "path", &array, error);

	if (code != ECERT_OK)
		return code;
	if (array.value == 0 || array.value > ECERT_PROOF_MAX)
		return ecert_fail(error, ECERT_PROOF_LENGTH, array.offset, "path");
	for (path->count = 0; path->count < array.value; path->count++)
	{
		size_t		at = cursor->offset;
		EcertSlice	hash;

		if ((code = expect_bytes(cursor, "path", &hash, error)) != ECERT_OK)
			return code;
		if (hash.size != ECERT_HASH_SIZE)
			return ecert_fail(error, ECERT_NOT_RECEIPT, at, "path");
		memcpy(path->hashes[path->count], hash.data, ECERT_HASH_SIZE);
	}
	return ECERT_OK;
}

/* bstr .cbor [ tree size, leaf index, path ] */
static EcertCode
parse_inclusion(EcertSlice whole, EcertSlice proof, EcertReceipt *receipt, EcertError *error)
{
	EcertCursor cursor;
	EcertCborHead head;
	EcertCode	code = open_embedded(whole, proof, &cursor, error);

	if (code != ECERT_OK ||
		(code = expect_value(&cursor, ECERT_CBOR_ARRAY, 3, "inclusion proof", error)) != ECERT_OK ||
		(code = expect(&cursor, ECERT_CBOR_UINT, "tree size", &head, error)) != ECERT_OK)
		return code;
	if (receipt->signs_size && receipt->tree_size != head.value)
		return ecert_fail(error, ECERT_HEADER_FIELD, head.offset, "tree size");
	receipt->tree_size = head.value;
	if ((code = expect(&cursor, ECERT_CBOR_UINT, "leaf index", &head, error)) != ECERT_OK)
		return code;
	receipt->leaf_index = head.value;
	return parse_path(&cursor, &receipt->path, error);
}

/* { -1: [ inclusion proof ] }, and no other proof: a signature here covers one root */
static EcertCode
parse_proofs(EcertSlice whole, EcertCursor *cursor, EcertReceipt *receipt, EcertError *error)
{
	EcertSlice	proof;
	size_t		at;
	EcertCode	code = expect_value(cursor, ECERT_CBOR_MAP, 1, "proofs", error);

	if (code != ECERT_OK)
		return code;
	at = cursor->offset;
	if (!is_key(ecert_cbor_skip(cursor), PROOF_INCLUSION))
		return ecert_fail(error, ECERT_NOT_RECEIPT, at, "proofs");
	if ((code = expect_value(cursor, ECERT_CBOR_ARRAY, 1, "inclusion proof", error)) != ECERT_OK ||
		(code = expect_bytes(cursor, "inclusion proof", &proof, error)) != ECERT_OK)
		return code;
	return parse_inclusion(whole, proof, receipt, error);
}

/* The unprotected header: the proofs, between parameters that are passed over */
static EcertCode
parse_unprotected(EcertCursor *cursor, EcertReceipt *receipt, EcertError *error)
{
	EcertCborHead map;
	bool		found = false;
	EcertCode	code = expect(cursor, ECERT_CBOR_MAP, "unprotected", &map, error);

	for (uint64_t i = 0; code == ECERT_OK && i < map.value; i++)
	{
		if (is_key(ecert_cbor_skip(cursor), ECERT_HEADER_VDP))
		{
			code = parse_proofs(cursor->bytes, cursor, receipt, error);
			found = true;
		}
		else
			(void) ecert_cbor_skip(cursor);
	}
	if (code == ECERT_OK && !found)
		code = ecert_fail(error, ECERT_NOT_RECEIPT, map.offset, "proofs");
	return code;
}

/* Tag 18, array of 4, and the protected header's bytes: what receipts and statements begin with */
static EcertCode
parse_beginning(EcertCursor *cursor, EcertSlice *protected_header, EcertError *error)
{
	EcertCode	code = ecert_cbor_check(cursor->bytes, error);

	if (code == ECERT_OK)
		code = expect_value(cursor, ECERT_CBOR_TAG, 18, "tag", error);
	if (code == ECERT_OK)
		code = expect_value(cursor, ECERT_CBOR_ARRAY, 4, "array", error);
	return code == ECERT_OK ? expect_bytes(cursor, "protected", protected_header, error) : code;
}

EcertCode
ecert_receipt_parse(EcertSlice bytes, EcertReceipt *receipt, EcertError *error)
{
	EcertCursor cursor = ecert_cursor(bytes);
	EcertError	ignored;
	size_t		at;
	EcertCode	code;

	if (error == NULL)
		error = &ignored;
	memset(receipt, 0, sizeof *receipt);
	if ((code = parse_beginning(&cursor, &receipt->protected_header, error)) != ECERT_OK ||
		(code = parse_protected(bytes, receipt, error)) != ECERT_OK ||
		(code = parse_unprotected(&cursor, receipt, error)) != ECERT_OK ||
		(code = expect_value(&cursor, ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL, "payload", error)) != ECERT_OK)
		return code;
	at = cursor.offset;
	if ((code = expect_bytes(&cursor, "signature", &receipt->signature, error)) != ECERT_OK)
		return code;
	return receipt->signature.size == ecert_signature_size(receipt->alg) ? ECERT_OK :
		ecert_fail(error, ECERT_BAD_SIGNATURE_SIZE, at, "signature");
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

/* The protected header of the receipts that we write: { alg, kid, vds, tree size }, without a kid of size 0 */
static void
put_header(EcertBuffer *out, uint64_t tree_size, EcertAlg alg, EcertSlice kid)
{
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, kid.size > 0 ? 4 : 3);
	ecert_cbor_put_int(out, LABEL_ALG);
	ecert_cbor_put_int(out, ecert_alg_cose(alg));
	if (kid.size > 0)
	{
		ecert_cbor_put_int(out, LABEL_KID);
		ecert_cbor_put_bytes(out, kid);
	}
	ecert_cbor_put_int(out, ECERT_HEADER_VDS);
	ecert_cbor_put_int(out, ECERT_VDS_RFC9162_SHA256);
	ecert_cbor_put_int(out, ECERT_HEADER_TREE_SIZE);
	ecert_cbor_put_head(out, ECERT_CBOR_UINT, tree_size);
}

EcertCode
ecert_seal(const uint8_t *root, uint64_t tree_size, EcertAlg alg, EcertSlice kid, const EcertPrivateKey *key, uint8_t *seal)
{
	uint8_t		header_bytes[OWN_HEADER_MAX];
	uint8_t		bytes[OWN_HEADER_MAX + ECERT_HASH_SIZE + 32];
	EcertBuffer header = ecert_buffer(header_bytes, sizeof header_bytes);
	EcertBuffer signed_bytes = ecert_buffer(bytes, sizeof bytes);

	/* a header with another algorithm than the key's would make receipts that nobody can verify */
	if (ecert_private_key_alg(key) != alg)
		return ECERT_KEY_ALG;
	put_header(&header, tree_size, alg, kid);
	if (!ecert_buffer_fits(&header))
		return ECERT_NO_SPACE;
	ecert_package_signed_bytes(ecert_slice(header_bytes, header.size), ecert_slice(root, ECERT_HASH_SIZE), &signed_bytes);
	return ecert_sign(key, ecert_slice(bytes, signed_bytes.size), seal);
}

EcertCode
ecert_seal_verify(const uint8_t *root, uint64_t tree_size, EcertAlg alg, EcertSlice kid, const EcertPublicKey *key, EcertSlice seal)
{
	uint8_t		header_bytes[OWN_HEADER_MAX];
	EcertBuffer header = ecert_buffer(header_bytes, sizeof header_bytes);

	put_header(&header, tree_size, alg, kid);
	if (!ecert_buffer_fits(&header))
		return ECERT_NO_SPACE;
	return verify_root(root, ecert_slice(header_bytes, header.size), key, seal);
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
put_protected(EcertBuffer *out, uint64_t tree_size, EcertAlg alg, EcertSlice kid)
{
	EcertBuffer measure = ecert_buffer(NULL, 0);

	put_header(&measure, tree_size, alg, kid);
	ecert_cbor_put_head(out, ECERT_CBOR_BYTES, measure.size);
	put_header(out, tree_size, alg, kid);
}

void
ecert_receipt_put(EcertBuffer *out, EcertAlg alg, EcertSlice kid, EcertSlice seal,
				  uint64_t leaf_index, uint64_t tree_size, const EcertProof *path)
{
	EcertBuffer measure = ecert_buffer(NULL, 0);

	ecert_cbor_put_head(out, ECERT_CBOR_TAG, 18);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 4);
	put_protected(out, tree_size, alg, kid);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 1);
	ecert_cbor_put_int(out, ECERT_HEADER_VDP);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 1);
	ecert_cbor_put_int(out, PROOF_INCLUSION);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 1);
	put_inclusion(&measure, leaf_index, tree_size, path);
	ecert_cbor_put_head(out, ECERT_CBOR_BYTES, measure.size);
	put_inclusion(out, leaf_index, tree_size, path);
	ecert_cbor_put_head(out, ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL);
	ecert_cbor_put_bytes(out, seal);
}

/* { 394: [ + bstr ] } or {} */
static EcertCode
parse_receipts(EcertCursor *cursor, EcertCursor *receipts, uint64_t *count, EcertError *error)
{
	EcertCborHead head;
	EcertSlice	ignored;
	EcertCode	code = expect(cursor, ECERT_CBOR_MAP, "unprotected", &head, error);

	*count = 0;
	*receipts = *cursor;
	if (code != ECERT_OK || head.value == 0)
		return code;
	if (head.value != 1 || !is_key(ecert_cbor_skip(cursor), ECERT_HEADER_RECEIPTS))
		return ecert_fail(error, ECERT_NOT_RECEIPT, head.offset, "unprotected");
	if ((code = expect(cursor, ECERT_CBOR_ARRAY, "receipts", &head, error)) != ECERT_OK)
		return code;
	if (head.value == 0)
		return ecert_fail(error, ECERT_NOT_RECEIPT, head.offset, "receipts");
	*count = head.value;
	*receipts = *cursor;
	for (uint64_t i = 0; code == ECERT_OK && i < head.value; i++)
		code = expect_bytes(cursor, "receipts", &ignored, error);
	return code;
}

EcertCode
ecert_statement_parse(EcertSlice bytes, EcertBuffer *package, EcertCursor *receipts, uint64_t *receipt_count,
					  EcertError *error)
{
	EcertCursor cursor = ecert_cursor(bytes);
	EcertSlice	protected_header;
	EcertError	ignored;
	EcertSlice	before;
	EcertCode	code;

	if (error == NULL)
		error = &ignored;
	*receipt_count = 0;
	if ((code = parse_beginning(&cursor, &protected_header, error)) != ECERT_OK)
		return code;
	before = ecert_slice(bytes.data, cursor.offset);
	if ((code = parse_receipts(&cursor, receipts, receipt_count, error)) != ECERT_OK)
		return code;
	/* payload and signature stand behind; whether they are a package's is ecert_package_parse()'s business */
	ecert_buffer_put(package, before);
	ecert_cbor_put_head(package, ECERT_CBOR_MAP, 0);
	ecert_buffer_put(package, ecert_slice(bytes.data + cursor.offset, bytes.size - cursor.offset));
	return ecert_buffer_fits(package) ? ECERT_OK : ecert_fail(error, ECERT_TOO_LARGE, ECERT_PACKAGE_MAX, NULL);
}

void
ecert_statement_put(EcertBuffer *out, const EcertPackage *package, EcertSlice receipt)
{
	ecert_cbor_put_head(out, ECERT_CBOR_TAG, 18);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 4);
	ecert_cbor_put_bytes(out, package->protected_header);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 1);
	ecert_cbor_put_int(out, ECERT_HEADER_RECEIPTS);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 1);
	ecert_cbor_put_bytes(out, receipt);
	ecert_cbor_put_bytes(out, package->body);
	ecert_cbor_put_bytes(out, package->signature);
}
