/*
 * test_receipt.c
 *		Receipts of inclusion and transparent statements: making, reading and
 *		verifying them, tampering with every bit, and what others may write.
 */
#include "check.h"
#include "diag.h"
#include "keys.h"
#include "memory_tiles.h"
#include "vectors_receipt.h"

#include "core/receipt.h"

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

#define BODY "{'period': [1704067200, 1706745600], 'lines': [{'source': 'electricity', 'unit': 'kWh', 'quantity': 1500.25}]}"

/* Where the package of these tests is in its tree */
#define LEAF_INDEX 5
#define TREE_SIZE 11

/* One key, a package that it signed, and the receipt that it gave */
typedef struct Sample
{
	EcertPrivateKey *key;
	EcertPublicKey *public_key;
	EcertAlg	alg;
	EcertSlice	kid;
	uint8_t		kid_bytes[ECERT_HASH_SIZE];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	EcertSlice	package;
	uint8_t		package_bytes[ECERT_PACKAGE_MAX];
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		seal[ECERT_SIGNATURE_MAX];
	EcertProof	path;
	EcertSlice	receipt;
	uint8_t		receipt_bytes[ECERT_RECEIPT_MAX];
} Sample;

static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
static uint8_t statement_bytes[ECERT_STATEMENT_MAX];
static uint8_t package_bytes[ECERT_PACKAGE_MAX];
static uint8_t input[DIAG_MAX];

/* ----- samples ----- */

static void
make_package(Sample *sample)
{
	static const uint8_t prev[ECERT_HASH_SIZE] = {1, 2, 3};
	EcertBuffer out = ecert_buffer(sample->package_bytes, sizeof sample->package_bytes);
	EcertPackage package;

	memset(&package, 0, sizeof package);
	package.kind = ECERT_KIND_ENERGY;
	package.issuer = package.subject = ecert_slice_text("mill-7");
	package.audience = ecert_slice_text("ledger.example/e");
	package.issued_at = 1706832000;
	package.seq = 41;
	package.prev = ecert_slice(prev, sizeof prev);
	package.body = ecert_slice(input, diag_encode(BODY, input));
	if (ecert_package_sign(&package, sample->key, &out, ecert_buffer(scratch, sizeof scratch)) != ECERT_OK)
		abort();
	sample->package = ecert_slice(out.data, out.size);
	if (ecert_package_hash(sample->package, sample->leaf) != ECERT_OK)
		abort();
}

/* Put the package among other leaves */
static void
make_tree(Sample *sample)
{
	static EcertTiles tiles;
	MemoryStore memory;
	EcertTileStore store = memory_store(&memory);
	bool		ok;

	memory_open(&memory);
	ok = ecert_tiles_open(&tiles, &store, 0) == ECERT_OK;
	for (uint8_t i = 0; i < TREE_SIZE; i++)
	{
		uint8_t		other[ECERT_HASH_SIZE] = {i};

		ok = ok && ecert_tiles_append(&tiles, &store, i == LEAF_INDEX ? sample->leaf : other) == ECERT_OK;
	}
	ok = ok && ecert_tiles_flush(&tiles, &store) == ECERT_OK &&
		ecert_tiles_root(&store, TREE_SIZE, sample->root) == ECERT_OK &&
		ecert_tiles_inclusion(&store, LEAF_INDEX, TREE_SIZE, &sample->path) == ECERT_OK;
	if (!ok)
		abort();
	memory_close(&memory);
}

static Sample *
open_sample(EcertPrivateKey *key)
{
	Sample	   *sample = calloc(1, sizeof *sample);
	EcertBuffer out = ecert_buffer(sample->receipt_bytes, sizeof sample->receipt_bytes);

	sample->key = key;
	sample->alg = ecert_private_key_alg(key);
	if (ecert_private_key_public(key, sample->raw, &sample->raw_size) != ECERT_OK ||
		ecert_public_key_new(sample->alg, ecert_slice(sample->raw, sample->raw_size), &sample->public_key) != ECERT_OK ||
		ecert_key_thumbprint(sample->alg, ecert_slice(sample->raw, sample->raw_size), sample->kid_bytes) != ECERT_OK)
		abort();
	sample->kid = ecert_slice(sample->kid_bytes, sizeof sample->kid_bytes);
	make_package(sample);
	make_tree(sample);
	if (ecert_seal(sample->root, TREE_SIZE, sample->alg, sample->kid, key, sample->seal) != ECERT_OK)
		abort();
	ecert_receipt_put(&out, sample->alg, sample->kid, ecert_slice(sample->seal, ecert_signature_size(sample->alg)),
					  LEAF_INDEX, TREE_SIZE, &sample->path);
	sample->receipt = ecert_slice(out.data, out.size);
	return sample;
}

static void
close_sample(Sample *sample)
{
	ecert_public_key_free(sample->public_key);
	ecert_private_key_free(sample->key);
	free(sample);
}

/* ----- round trips ----- */

static void
test_receipt(const Sample *sample)
{
	const char *alg = ecert_alg_name(sample->alg);
	EcertReceipt receipt;
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		again_bytes[ECERT_RECEIPT_MAX];
	EcertBuffer again = ecert_buffer(again_bytes, sizeof again_bytes);

	CHECK_INT(ecert_receipt_parse(sample->receipt, &receipt, NULL), ECERT_OK, "%s: a receipt is read", alg);
	CHECK(receipt.alg == sample->alg && ecert_slice_equal(receipt.kid, sample->kid) && receipt.tree_size == TREE_SIZE &&
		  receipt.signs_size && receipt.leaf_index == LEAF_INDEX && receipt.path.count == sample->path.count &&
		  memcmp(receipt.path.hashes, sample->path.hashes, sizeof receipt.path.hashes) == 0,
		  "%s: it says what was written", alg);
	CHECK(ecert_receipt_root(&receipt, sample->leaf, root) == ECERT_OK && memcmp(root, sample->root, sizeof root) == 0,
		  "%s: it leads from the package's hash to the root", alg);
	CHECK_INT(ecert_receipt_verify(&receipt, sample->leaf, sample->public_key), ECERT_OK, "%s: it is verified", alg);
	CHECK_INT(ecert_seal_verify(sample->root, TREE_SIZE, sample->alg, sample->kid, sample->public_key, receipt.signature), ECERT_OK,
			  "%s: its signature is the seal", alg);
	ecert_receipt_put(&again, receipt.alg, receipt.kid, receipt.signature, receipt.leaf_index, receipt.tree_size, &receipt.path);
	CHECK(ecert_buffer_fits(&again) && ecert_slice_equal(ecert_slice(again_bytes, again.size), sample->receipt),
		  "%s: written again, it is the same", alg);
}

static void
test_statement(const Sample *sample)
{
	const char *alg = ecert_alg_name(sample->alg);
	EcertBuffer statement = ecert_buffer(statement_bytes, sizeof statement_bytes);
	EcertBuffer out = ecert_buffer(package_bytes, sizeof package_bytes);
	EcertPackage package;
	EcertCursor receipts;
	EcertCborHead head;
	uint64_t	count;

	if (ecert_package_parse(sample->package, &package, NULL) != ECERT_OK)
		abort();
	ecert_statement_put(&statement, &package, sample->receipt);
	CHECK_INT(ecert_statement_parse(ecert_slice(statement_bytes, statement.size), &out, &receipts, &count, NULL), ECERT_OK,
			  "%s: a transparent statement is read", alg);
	CHECK(ecert_slice_equal(ecert_slice(package_bytes, out.size), sample->package), "%s: the package in it is the same", alg);
	CHECK(count == 1 && ecert_cbor_head(&receipts, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_BYTES &&
		  ecert_slice_equal(ecert_cbor_content(&receipts, &head), sample->receipt), "%s: so is the receipt", alg);
	out.size = 0;
	CHECK(ecert_statement_parse(sample->package, &out, &receipts, &count, NULL) == ECERT_OK && count == 0 &&
		  ecert_slice_equal(ecert_slice(package_bytes, out.size), sample->package),
		  "%s: a package is a statement without receipts", alg);
}

/* ----- every bit ----- */

static void
turn(uint8_t *bytes, size_t bit)
{
	bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
}

/*
 * Leaf 5 has a path of the same shape in all trees of 9 to 16 leaves, and sizes
 * 9, 10 and 15 are one bit away from 11: by the proof alone they would pass.
 */
static void
test_receipt_bits(Sample *sample)
{
	EcertReceipt receipt;
	int			survived = 0;

	for (size_t bit = 0; bit < 8 * sample->receipt.size; bit++)
	{
		turn(sample->receipt_bytes, bit);
		survived += ecert_receipt_parse(sample->receipt, &receipt, NULL) == ECERT_OK &&
			ecert_receipt_verify(&receipt, sample->leaf, sample->public_key) == ECERT_OK;
		turn(sample->receipt_bytes, bit);
	}
	CHECK_INT(survived, 0, "%s: every bit of a receipt counts", ecert_alg_name(sample->alg));
}

static void
test_package_bits(Sample *sample)
{
	EcertReceipt receipt;
	uint8_t		leaf[ECERT_HASH_SIZE];
	int			survived = 0;

	if (ecert_receipt_parse(sample->receipt, &receipt, NULL) != ECERT_OK)
		abort();
	for (size_t bit = 0; bit < 8 * sample->package.size; bit++)
	{
		turn(sample->package_bytes, bit);
		survived += ecert_package_hash(sample->package, leaf) != ECERT_OK ||
			ecert_receipt_verify(&receipt, leaf, sample->public_key) != ECERT_BAD_SIGNATURE;
		turn(sample->package_bytes, bit);
	}
	CHECK_INT(survived, 0, "%s: every bit of the package counts", ecert_alg_name(sample->alg));
}

static void
test_root_and_key_bits(Sample *sample)
{
	EcertSlice	seal = ecert_slice(sample->seal, ecert_signature_size(sample->alg));
	int			survived = 0;

	for (size_t bit = 0; bit < 8 * ECERT_HASH_SIZE; bit++)
	{
		turn(sample->root, bit);
		survived += ecert_seal_verify(sample->root, TREE_SIZE, sample->alg, sample->kid, sample->public_key, seal) != ECERT_BAD_SIGNATURE;
		turn(sample->root, bit);
	}
	CHECK_INT(survived, 0, "%s: every bit of the root counts", ecert_alg_name(sample->alg));
	CHECK_INT(ecert_seal_verify(sample->root, TREE_SIZE + 1, sample->alg, sample->kid, sample->public_key, seal), ECERT_BAD_SIGNATURE,
			  "%s: so does the size", ecert_alg_name(sample->alg));
	for (size_t bit = 0; bit < 8 * sample->raw_size; bit++)
	{
		EcertPublicKey *other = NULL;

		turn(sample->raw, bit);
		if (ecert_public_key_new(sample->alg, ecert_slice(sample->raw, sample->raw_size), &other) == ECERT_OK)
			survived += ecert_seal_verify(sample->root, TREE_SIZE, sample->alg, sample->kid, other, seal) == ECERT_OK;
		ecert_public_key_free(other);
		turn(sample->raw, bit);
	}
	CHECK_INT(survived, 0, "%s: every bit of the key counts", ecert_alg_name(sample->alg));
}

/* Package and receipt out of a statement, and both verified */
static bool
statement_verifies(EcertSlice bytes, const EcertPublicKey *key, EcertReceipt *receipt)
{
	EcertBuffer out = ecert_buffer(package_bytes, sizeof package_bytes);
	EcertPackage package;
	EcertCursor receipts;
	EcertCborHead head;
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint64_t	count;

	if (ecert_statement_parse(bytes, &out, &receipts, &count, NULL) != ECERT_OK || count != 1 ||
		ecert_package_parse(ecert_slice(package_bytes, out.size), &package, NULL) != ECERT_OK ||
		ecert_package_verify(&package, key, ecert_buffer(scratch, sizeof scratch)) != ECERT_OK ||
		ecert_package_hash(package.bytes, leaf) != ECERT_OK || ecert_cbor_head(&receipts, &head, NULL) != ECERT_OK)
		return false;
	return ecert_receipt_parse(ecert_cbor_content(&receipts, &head), receipt, NULL) == ECERT_OK &&
		ecert_receipt_verify(receipt, leaf, key) == ECERT_OK;
}

static void
test_statement_bits(const Sample *sample)
{
	EcertBuffer out = ecert_buffer(statement_bytes, sizeof statement_bytes);
	EcertPackage package;
	EcertReceipt receipt;
	EcertSlice	statement;
	int			survived = 0;

	if (ecert_package_parse(sample->package, &package, NULL) != ECERT_OK)
		abort();
	ecert_statement_put(&out, &package, sample->receipt);
	statement = ecert_slice(out.data, out.size);
	CHECK(statement_verifies(statement, sample->public_key, &receipt), "a statement's package and receipt are verified");
	for (size_t bit = 0; bit < 8 * statement.size; bit++)
	{
		turn(statement_bytes, bit);
		survived += statement_verifies(statement, sample->public_key, &receipt);
		turn(statement_bytes, bit);
	}
	CHECK_INT(survived, 0, "so does every bit of a statement");
}

/* ----- what is no receipt ----- */

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ZEROS_31 "00000000000000000000000000000000000000000000000000000000000000"
#define H32 "h'" HASH "'"
#define SIGNATURE "h'" HASH HASH "'"
#define GOOD_HEADER "{1: -8, 4: " H32 ", 395: 1}"
#define PATH "[" H32 ", " H32 ", " H32 "]"
#define GOOD_PROOF "<<[8, 5, " PATH "]>>"
#define GOOD_PROOFS "{396: {-1: [" GOOD_PROOF "]}}"
#define PATH_8 H32 ", " H32 ", " H32 ", " H32 ", " H32 ", " H32 ", " H32 ", " H32
#define PATH_64 PATH_8 ", " PATH_8 ", " PATH_8 ", " PATH_8 ", " PATH_8 ", " PATH_8 ", " PATH_8 ", " PATH_8

typedef struct Shape
{
	const char *name;
	const char *header;			/* what is inside of the protected bstr; NULL: GOOD_HEADER */
	const char *unprotected;	/* NULL: GOOD_PROOFS */
	const char *payload;		/* NULL: null */
	const char *signature;		/* NULL: SIGNATURE */
	EcertCode	code;
	const char *field;
} Shape;

static const Shape shapes[] = {
	{"ours", NULL, NULL, NULL, NULL, ECERT_OK, NULL},
	{"CWT claims and a type", "{1: -8, 4: " H32 ", 15: {1: 'log.example', 6: 1706832000}, 16: 'application/x', 395: 1}",
		NULL, NULL, NULL, ECERT_OK, NULL},
	{"a chain of certificates", "{1: -7, 33: [h'3082', h'3082'], 395: 1}", NULL, NULL, NULL, ECERT_OK, NULL},
	{"a parameter with a text key", "{1: -7, 395: 1, 'vendor': {'a': [1.50, true]}}", NULL, NULL, NULL, ECERT_OK, NULL},
	{"a parameter with a key that no int64 holds", "{1: -7, 395: 1, 18446744073709551615: 0}", NULL, NULL, NULL, ECERT_OK, NULL},
	{"a kid in text", "{1: -7, 4: 'kid', 395: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "kid"},
	{"a kid of 3 bytes", "{1: -7, 4: h'010203', 395: 1}", NULL, NULL, NULL, ECERT_OK, NULL},
	{"no kid", "{1: -7, 395: 1}", NULL, NULL, NULL, ECERT_OK, NULL},
	{"the size in the signed header too", "{1: -8, 4: " H32 ", 395: 1, -65603: 8}", NULL, NULL, NULL, ECERT_OK, NULL},
	{"the fully specified Ed25519", "{1: -19, 395: 1}", NULL, NULL, NULL, ECERT_OK, NULL},
	{"SM2", "{1: -65600, 395: 1}", NULL, NULL, NULL, ECERT_OK, NULL},
	{"more unprotected parameters", NULL, "{4: h'01', 33: h'02', 396: {-1: [" GOOD_PROOF "]}, 'x': []}", NULL, NULL, ECERT_OK, NULL},
	{"a path of 64 hashes", NULL, "{396: {-1: [<<[8, 5, [" PATH_64 "]]>>]}}", NULL, NULL, ECERT_OK, NULL},
	{"the greatest numbers", NULL, "{396: {-1: [<<[18446744073709551615, 18446744073709551615, [" H32 "]]>>]}}",
		NULL, NULL, ECERT_OK, NULL},

	{"no alg", "{4: " H32 ", 395: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "alg"},
	{"an alg in text", "{1: 'EdDSA', 395: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "alg"},
	{"an alg that is not known", "{1: -35, 395: 1}", NULL, NULL, NULL, ECERT_UNKNOWN_ALG, "alg"},
	{"crit", "{1: -8, 2: [-70000], 395: 1, -70000: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "crit"},
	{"no vds", "{1: -8}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "vds"},
	{"another vds", "{1: -8, 395: 2}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "vds"},
	{"a vds in text", "{1: -8, 395: 'RFC9162_SHA256'}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "vds"},
	{"a vds that is not protected", "{1: -8}", "{395: 1, 396: {-1: [" GOOD_PROOF "]}}", NULL, NULL, ECERT_HEADER_FIELD, "vds"},
	{"a protected header that is no map", "[]", NULL, NULL, NULL, ECERT_NOT_RECEIPT, "protected"},
	{"another size in the signed header", "{1: -8, 395: 1, -65603: 9}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "tree size"},
	{"a size in text", "{1: -8, 395: 1, -65603: '8'}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "tree size"},
	{"no proofs", NULL, "{}", NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"other parameters alone", NULL, "{4: h'01'}", NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"proofs that are no map", NULL, "{396: [" GOOD_PROOF "]}", NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"an empty map of proofs", NULL, "{396: {}}", NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"no inclusion proof", NULL, "{396: {-1: []}}", NULL, NULL, ECERT_NOT_RECEIPT, "inclusion proof"},
	{"two inclusion proofs", NULL, "{396: {-1: [" GOOD_PROOF ", " GOOD_PROOF "]}}", NULL, NULL, ECERT_NOT_RECEIPT, "inclusion proof"},
	{"a consistency proof", NULL, "{396: {-2: [<<[3, 8, " PATH "]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"an inclusion proof and a consistency proof", NULL, "{396: {-1: [" GOOD_PROOF "], -2: [<<[3, 8, " PATH "]>>]}}",
		NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"a proof that is not wrapped", NULL, "{396: {-1: [[8, 5, " PATH "]]}}", NULL, NULL, ECERT_NOT_RECEIPT, "inclusion proof"},
	{"a proof of two members", NULL, "{396: {-1: [<<[8, " PATH "]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "inclusion proof"},
	{"a proof of four members", NULL, "{396: {-1: [<<[8, 5, " PATH ", 0]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "inclusion proof"},
	{"a tree size below zero", NULL, "{396: {-1: [<<[-8, 5, " PATH "]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "tree size"},
	{"a leaf index in text", NULL, "{396: {-1: [<<[8, '5', " PATH "]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "leaf index"},
	{"an empty path", NULL, "{396: {-1: [<<[1, 0, []]>>]}}", NULL, NULL, ECERT_PROOF_LENGTH, "path"},
	{"a path of 65 hashes", NULL, "{396: {-1: [<<[8, 5, [" PATH_64 ", " H32 "]]>>]}}", NULL, NULL, ECERT_PROOF_LENGTH, "path"},
	{"a path that is no array", NULL, "{396: {-1: [<<[8, 5, " H32 "]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "path"},
	{"a hash of 31 bytes", NULL, "{396: {-1: [<<[8, 5, [h'" ZEROS_31 "']]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "path"},
	{"a hash in text", NULL, "{396: {-1: [<<[8, 5, ['" HASH "']]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "path"},
	{"an unprotected header that is no map", NULL, "[]", NULL, NULL, ECERT_NOT_RECEIPT, "unprotected"},
	{"a payload that is there", NULL, NULL, H32, NULL, ECERT_NOT_RECEIPT, "payload"},
	{"a payload of false", NULL, NULL, "false", NULL, ECERT_NOT_RECEIPT, "payload"},
	{"a signature of 32 bytes", NULL, NULL, NULL, H32, ECERT_BAD_SIGNATURE_SIZE, "signature"},
	{"a signature that is no byte string", NULL, NULL, NULL, "null", ECERT_NOT_RECEIPT, "signature"},
};

static EcertSlice
shape_bytes(const Shape *shape)
{
	char	   *text = diag_format("18([<<%s>>, %s, %s, %s])", shape->header != NULL ? shape->header : GOOD_HEADER,
								   shape->unprotected != NULL ? shape->unprotected : GOOD_PROOFS,
								   shape->payload != NULL ? shape->payload : "null",
								   shape->signature != NULL ? shape->signature : SIGNATURE);
	EcertSlice	bytes = ecert_slice(input, diag_encode(text, input));

	free(text);
	return bytes;
}

static void
check_receipt(EcertSlice bytes, EcertCode code, const char *field, const char *name)
{
	EcertReceipt receipt;
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	found = ecert_receipt_parse(bytes, &receipt, &error);
	bool		same_field = (field == NULL) == (error.field == NULL) && (field == NULL || strcmp(field, error.field) == 0);

	if (!CHECK(found == code && (code == ECERT_OK || (error.code == code && error.offset <= bytes.size && same_field)),
			   "a receipt with %s: %s", name, ecert_error_text(code)))
		printf("# found \"%s\" at %zu, %s\n", ecert_error_text(found), error.offset, error.field == NULL ? "no field" : error.field);
}

static void
check_notation(const char *notation, EcertCode code, const char *field, const char *name)
{
	check_receipt(ecert_slice(input, diag_encode(notation, input)), code, field, name);
}

static void
test_shapes(void)
{
	for (size_t i = 0; i < COUNT(shapes); i++)
		check_receipt(shape_bytes(&shapes[i]), shapes[i].code, shapes[i].field, shapes[i].name);
	check_notation("[<<" GOOD_HEADER ">>, " GOOD_PROOFS ", null, " SIGNATURE "]", ECERT_NOT_RECEIPT, "tag", "no tag");
	check_notation("18([<<" GOOD_HEADER ">>, " GOOD_PROOFS ", null])", ECERT_NOT_RECEIPT, "array", "three members");
	check_notation("18({})", ECERT_NOT_RECEIPT, "array", "a map under the tag");
	check_notation("18([" GOOD_HEADER ", " GOOD_PROOFS ", null, " SIGNATURE "])", ECERT_NOT_RECEIPT, "protected",
				   "a protected header that is not wrapped");
}

/* Bytes put in place of the first of what they stand for */
static EcertSlice
replaced(EcertSlice bytes, const char *from, const char *to)
{
	static uint8_t result[DIAG_MAX];
	uint8_t		before[64];
	uint8_t		after[64];
	size_t		before_size = diag_unhex(from, before);
	size_t		after_size = diag_unhex(to, after);
	const uint8_t *found = memmem(bytes.data, bytes.size, before, before_size);
	size_t		at = (size_t) (found - bytes.data);

	if (found == NULL)
		abort();
	memcpy(result, bytes.data, at);
	memcpy(result + at, after, after_size);
	memcpy(result + at + after_size, found + before_size, bytes.size - at - before_size);
	return ecert_slice(result, bytes.size - before_size + after_size);
}

static void
test_strict_form(void)
{
	EcertSlice	good = shape_bytes(&shapes[0]);
	uint8_t		longer[1024];

	memcpy(longer, good.data, good.size);
	longer[good.size] = 0;
	check_receipt(ecert_slice(longer, good.size + 1), ECERT_TRAILING_BYTES, NULL, "one byte behind it");
	for (size_t size = 0; size < good.size; size++)
	{
		EcertReceipt receipt;
		uint8_t    *copy = malloc(size);

		memcpy(copy, good.data, size);
		if (ecert_receipt_parse(ecert_slice(copy, size), &receipt, NULL) == ECERT_OK)
			CHECK(false, "a receipt cut to %zu bytes is refused", size);
		free(copy);
	}
	check_receipt(replaced(good, "d284", "d29f"), ECERT_INDEFINITE, NULL, "an array of no definite length");
	check_receipt(replaced(good, "a119018c", "bf19018c"), ECERT_INDEFINITE, NULL, "a map of no definite length");
	check_receipt(replaced(good, "830805", "9f0805"), ECERT_INDEFINITE, NULL, "a proof of no definite length");
	check_receipt(replaced(good, "a3012704", "bf012704"), ECERT_INDEFINITE, NULL, "a header of no definite length");
	check_receipt(replaced(good, "d284", "d29804"), ECERT_NOT_SHORTEST, NULL, "an array's size not in its shortest form");
	check_receipt(replaced(good, "586a830805", "586b83180805"), ECERT_NOT_SHORTEST, NULL, "a tree size not in its shortest form");
	check_receipt(replaced(good, "f65840", "f75840"), ECERT_SIMPLE, NULL, "an undefined payload");
	check_receipt(replaced(good, "a3012704", "a3042701"), ECERT_KEY_ORDER, NULL, "header parameters out of order");
}

/* A receipt whose places do not fit its path is refused when its root is asked for */
static void
test_places(const Sample *sample)
{
	EcertReceipt receipt;
	uint8_t		root[ECERT_HASH_SIZE];

	if (ecert_receipt_parse(sample->receipt, &receipt, NULL) != ECERT_OK)
		abort();
	receipt.leaf_index = TREE_SIZE;
	CHECK_INT(ecert_receipt_root(&receipt, sample->leaf, root), ECERT_PROOF_RANGE, "a leaf behind the tree's end has no root");
	CHECK_INT(ecert_receipt_verify(&receipt, sample->leaf, sample->public_key), ECERT_PROOF_RANGE, "nor a valid receipt");
	receipt.leaf_index = LEAF_INDEX;
	receipt.tree_size = 2000;
	CHECK_INT(ecert_receipt_verify(&receipt, sample->leaf, sample->public_key), ECERT_PROOF_LENGTH,
			  "a path that is too short for its tree is refused");
	receipt.tree_size = UINT64_MAX;
	CHECK_INT(ecert_receipt_verify(&receipt, sample->leaf, sample->public_key), ECERT_PROOF_RANGE, "so is a tree that is too large");
}

/* ----- seals and sizes ----- */

static void
test_seals(const Sample *sample)
{
	EcertSlice	seal = ecert_slice(sample->seal, ecert_signature_size(sample->alg));
	uint8_t		kid[200] = {1};
	uint8_t		out[ECERT_SIGNATURE_MAX];

	CHECK_INT(ecert_seal(sample->root, TREE_SIZE, ECERT_ALG_ES256, sample->kid, sample->key, out), ECERT_KEY_ALG,
			  "a seal says the algorithm of its key");
	CHECK_INT(ecert_seal(sample->root, TREE_SIZE, sample->alg, ecert_slice(kid, sizeof kid), sample->key, out), ECERT_NO_SPACE,
			  "a kid of 200 bytes is refused");
	CHECK_INT(ecert_seal_verify(sample->root, TREE_SIZE, sample->alg, ecert_slice(kid, sizeof kid), sample->public_key, seal), ECERT_NO_SPACE,
			  "by who checks, too");
	CHECK_INT(ecert_seal_verify(sample->root, TREE_SIZE, sample->alg, ecert_slice(kid, 32), sample->public_key, seal), ECERT_BAD_SIGNATURE,
			  "a seal under another kid is refused");
	CHECK_INT(ecert_seal_verify(sample->root, TREE_SIZE, ECERT_ALG_ES256, sample->kid, sample->public_key, seal), ECERT_BAD_SIGNATURE,
			  "so is one under another algorithm");
	CHECK_INT(ecert_seal_verify(sample->root, TREE_SIZE, sample->alg, sample->kid, sample->public_key, ecert_slice(sample->seal, 63)),
			  ECERT_BAD_SIGNATURE, "and one that is too short");
}

static void
test_sizes(const Sample *sample)
{
	EcertProof	path = {.count = ECERT_PROOF_MAX};
	uint8_t		bytes[ECERT_RECEIPT_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertReceipt receipt;

	ecert_receipt_put(&out, ECERT_ALG_SM2, sample->kid, ecert_slice(sample->seal, 64), UINT64_MAX - 1, UINT64_MAX, &path);
	CHECK(ecert_buffer_fits(&out), "the longest receipt has room (%zu of %d bytes)", out.size, (int) ECERT_RECEIPT_MAX);
	CHECK(ecert_receipt_parse(ecert_slice(bytes, out.size), &receipt, NULL) == ECERT_OK && receipt.path.count == ECERT_PROOF_MAX &&
		  receipt.tree_size == UINT64_MAX && receipt.leaf_index == UINT64_MAX - 1, "and is read");
	out = ecert_buffer(bytes, 20);
	ecert_receipt_put(&out, sample->alg, sample->kid, ecert_slice(sample->seal, 64), LEAF_INDEX, TREE_SIZE, &sample->path);
	CHECK(!ecert_buffer_fits(&out) && out.size == sample->receipt.size, "too little room is said, with what is needed");
}

/* Others' headers may be long; what does not fit is refused when it is to be verified */
static void
test_long_header(const Sample *sample)
{
	static const size_t sizes[] = {15000, 17000};

	for (size_t i = 0; i < COUNT(sizes); i++)
	{
		char	   *filler = calloc(1, 2 * sizes[i] + 1);
		char	   *text;
		EcertReceipt receipt;

		memset(filler, '0', 2 * sizes[i]);
		text = diag_format("18([<<{1: -8, 33: h'%s', 395: 1}>>, %s, null, %s])", filler, GOOD_PROOFS, SIGNATURE);
		CHECK_INT(ecert_receipt_parse(ecert_slice(input, diag_encode(text, input)), &receipt, NULL), ECERT_OK,
				  "a header of %zu bytes is read", sizes[i]);
		CHECK_INT(ecert_receipt_verify(&receipt, sample->leaf, sample->public_key), i == 0 ? ECERT_BAD_SIGNATURE : ECERT_NO_SPACE,
				  "and %s", i == 0 ? "can be verified" : "is too long to be verified");
		free(text);
		free(filler);
	}
}

/* ----- what is no statement ----- */

typedef struct StatementShape
{
	const char *name;
	const char *unprotected;
	EcertCode	code;
	const char *field;
	uint64_t	receipts;
} StatementShape;

static const StatementShape statement_shapes[] = {
	{"two receipts", "{394: [h'0102', h'03']}", ECERT_OK, NULL, 2},
	{"no receipt", "{394: []}", ECERT_NOT_RECEIPT, "receipts", 0},
	{"a receipt that is not wrapped", "{394: [18([])]}", ECERT_BAD_TAG, NULL, 0},
	{"a receipt that is text", "{394: [h'01', 'receipt']}", ECERT_NOT_RECEIPT, "receipts", 0},
	{"a receipt outside of an array", "{394: h'01'}", ECERT_NOT_RECEIPT, "receipts", 0},
	{"another parameter", "{4: h'01'}", ECERT_NOT_RECEIPT, "unprotected", 0},
	{"another parameter beside the receipts", "{4: h'01', 394: [h'01']}", ECERT_NOT_RECEIPT, "unprotected", 0},
	{"another parameter behind the receipts", "{394: [h'01'], 'x': 1}", ECERT_NOT_RECEIPT, "unprotected", 0},
	{"a parameter with a text key", "{'394': [h'01']}", ECERT_NOT_RECEIPT, "unprotected", 0},
	{"an unprotected header that is no map", "[]", ECERT_NOT_RECEIPT, "unprotected", 0},
};

static void
test_statement_shapes(void)
{
	for (size_t i = 0; i < COUNT(statement_shapes); i++)
	{
		const StatementShape *shape = &statement_shapes[i];
		char	   *text = diag_format("18([<<{1: -8}>>, %s, <<{}>>, %s])", shape->unprotected, SIGNATURE);
		EcertBuffer out = ecert_buffer(package_bytes, sizeof package_bytes);
		EcertError	error = {.offset = SIZE_MAX};
		EcertCursor receipts;
		uint64_t	count;
		EcertCode	code = ecert_statement_parse(ecert_slice(input, diag_encode(text, input)), &out, &receipts, &count, &error);

		CHECK(code == shape->code && (code != ECERT_OK || count == shape->receipts) &&
			  (shape->field == NULL ? error.field == NULL : error.field != NULL && strcmp(error.field, shape->field) == 0),
			  "a statement with %s: %s", shape->name, ecert_error_text(shape->code));
		free(text);
	}
}

static void
test_statement_sizes(const Sample *sample)
{
	EcertBuffer statement = ecert_buffer(statement_bytes, sizeof statement_bytes);
	EcertBuffer out = ecert_buffer(package_bytes, sample->package.size - 1);
	EcertPackage package;
	EcertCursor receipts;
	uint64_t	count;

	if (ecert_package_parse(sample->package, &package, NULL) != ECERT_OK)
		abort();
	ecert_statement_put(&statement, &package, sample->receipt);
	CHECK_INT(ecert_statement_parse(ecert_slice(statement_bytes, statement.size), &out, &receipts, &count, NULL), ECERT_TOO_LARGE,
			  "a package that does not fit is said, not overrun");
	statement_bytes[statement.size] = 0;
	CHECK_INT(ecert_statement_parse(ecert_slice(statement_bytes, statement.size + 1), &out, &receipts, &count, NULL),
			  ECERT_TRAILING_BYTES, "a statement with one byte behind it is refused");
}

/* ----- what others have made ----- */

static void
test_vector_receipt(const ReceiptVector *vector, EcertSlice bytes, EcertSlice entry)
{
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		leaf[ECERT_HASH_SIZE];
	EcertPublicKey *key = NULL;
	EcertReceipt receipt;

	if (ecert_public_key_new(vector->alg, ecert_slice(raw, diag_unhex(vector->key, raw)), &key) != ECERT_OK ||
		ecert_package_hash(entry, leaf) != ECERT_OK)
		abort();
	CHECK_INT(ecert_receipt_parse(bytes, &receipt, NULL), ECERT_OK, "a receipt by %s is read", vector->maker);
	CHECK(receipt.alg == vector->alg && receipt.leaf_index == vector->leaf_index && receipt.tree_size == vector->tree_size,
		  "it says its place");
	CHECK_INT(ecert_receipt_verify(&receipt, leaf, key), ECERT_OK, "and is verified");
	leaf[0] ^= 1;
	CHECK_INT(ecert_receipt_verify(&receipt, leaf, key), ECERT_BAD_SIGNATURE, "for this entry only");
	ecert_public_key_free(key);
}

static void
test_vectors(void)
{
	static uint8_t entry_bytes[1024];
	EcertSlice	entry = ecert_slice(entry_bytes, diag_unhex(RECEIPT_ENTRY, entry_bytes));

	for (size_t i = 0; i < COUNT(receipt_vectors); i++)
	{
		const ReceiptVector *vector = &receipt_vectors[i];
		EcertBuffer out = ecert_buffer(package_bytes, sizeof package_bytes);
		EcertSlice	receipt = ecert_slice(input, diag_unhex(vector->receipt, input));
		EcertSlice	statement = ecert_slice(statement_bytes, diag_unhex(vector->statement, statement_bytes));
		EcertCursor receipts;
		EcertCborHead head;
		uint64_t	count;

		test_vector_receipt(vector, receipt, entry);
		CHECK(ecert_statement_parse(statement, &out, &receipts, &count, NULL) == ECERT_OK && count == 1 &&
			  ecert_slice_equal(ecert_slice(package_bytes, out.size), entry), "a statement with it gives the package back");
		CHECK(ecert_cbor_head(&receipts, &head, NULL) == ECERT_OK && ecert_slice_equal(ecert_cbor_content(&receipts, &head), receipt),
			  "and the receipt");
	}
}

int
main(void)
{
	Sample	   *samples[] = {open_sample(ed25519_key(7)), open_sample(ec_key("P-256")), open_sample(ec_key("SM2"))};

	for (size_t i = 0; i < COUNT(samples); i++)
	{
		test_receipt(samples[i]);
		test_statement(samples[i]);
		test_receipt_bits(samples[i]);
		test_package_bits(samples[i]);
		test_root_and_key_bits(samples[i]);
	}
	test_statement_bits(samples[0]);
	test_shapes();
	test_strict_form();
	test_places(samples[0]);
	test_seals(samples[0]);
	test_sizes(samples[0]);
	test_long_header(samples[0]);
	test_statement_shapes();
	test_statement_sizes(samples[0]);
	test_vectors();
	for (size_t i = 0; i < COUNT(samples); i++)
		close_sample(samples[i]);
	return check_done();
}
