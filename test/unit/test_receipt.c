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

#define CERTIFIER "office"
#define ORIGIN "ledger.example/e"

/* One key, a package that it signed, and the receipt that it gave */
typedef struct Sample
{
	EcertPrivateKey *key;
	EcertPublicKey *public_key;
	EcertAlg	alg;
	EcertSealHeader header;
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
	package.audience = ecert_slice_text(ORIGIN);
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
	sample->header = (EcertSealHeader) {
		sample->alg, ecert_slice(sample->kid_bytes, sizeof sample->kid_bytes), ecert_slice_text(CERTIFIER), ecert_slice_text(ORIGIN), TREE_SIZE
	};
	make_package(sample);
	make_tree(sample);
	if (ecert_seal(&sample->header, sample->root, key, sample->seal) != ECERT_OK)
		abort();
	ecert_receipt_put(&out, &sample->header, ecert_slice(sample->seal, ecert_signature_size(sample->alg)), LEAF_INDEX, &sample->path);
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
	CHECK(receipt.alg == sample->alg && ecert_slice_equal(receipt.kid, sample->header.kid) &&
		  ecert_slice_equal(receipt.issuer, sample->header.certifier) && ecert_slice_equal(receipt.subject, sample->header.origin) &&
		  receipt.tree_size == TREE_SIZE &&
		  receipt.signs_size && receipt.leaf_index == LEAF_INDEX && receipt.path.count == sample->path.count &&
		  memcmp(receipt.path.hashes, sample->path.hashes, sizeof receipt.path.hashes) == 0,
		  "%s: it says what was written", alg);
	CHECK(ecert_receipt_root(&receipt, sample->leaf, root) == ECERT_OK && memcmp(root, sample->root, sizeof root) == 0,
		  "%s: it leads from the package's hash to the root", alg);
	CHECK_INT(ecert_receipt_verify(&receipt, sample->leaf, sample->public_key), ECERT_OK, "%s: it is verified", alg);
	CHECK_INT(ecert_seal_verify(&sample->header, sample->root, sample->public_key, receipt.signature), ECERT_OK,
			  "%s: its signature is the seal", alg);
	ecert_receipt_put(&again, &(EcertSealHeader) {receipt.alg, receipt.kid, receipt.issuer, receipt.subject, receipt.tree_size},
					  receipt.signature, receipt.leaf_index, &receipt.path);
	CHECK(ecert_buffer_fits(&again) && ecert_slice_equal(ecert_slice(again_bytes, again.size), sample->receipt),
		  "%s: written again, it is the same", alg);
}

/* What a seal signs, from other code: the header by its notation, under the number of its algorithm that is written, and the root */
static void
test_signed_bytes(const Sample *sample)
{
	static const char *const numbers[] = {[ECERT_ALG_ED25519] = "-19", [ECERT_ALG_ES256] = "-9", [ECERT_ALG_SM2] = "-65600"};
	uint8_t		header[512];
	char		kid[2 * ECERT_HASH_SIZE + 1];
	char	   *text;
	char	   *structure;
	size_t		size;
	EcertReceipt receipt;

	for (size_t i = 0; i < ECERT_HASH_SIZE; i++)
		sprintf(kid + 2 * i, "%02x", sample->kid_bytes[i]);
	text = diag_format("{1: %s, 4: h'%s', 15: {1: 'office', 2: 'ledger.example/e'}, 395: 1, -65603: 11}", numbers[sample->alg], kid);
	size = diag_encode(text, header);
	CHECK(ecert_receipt_parse(sample->receipt, &receipt, NULL) == ECERT_OK && ecert_slice_equal(receipt.protected_header, ecert_slice(header, size)),
		  "%s: the protected header of a seal, with exactly these parameters", ecert_alg_name(sample->alg));
	structure = diag_format("['Signature1', <<%s>>, h'', h'", text);
	for (size_t i = 0; i < ECERT_HASH_SIZE; i++)
	{
		char	   *longer = diag_format("%s%02x", structure, sample->root[i]);

		free(structure);
		structure = longer;
	}
	free(text);
	text = diag_format("%s']", structure);
	CHECK_INT(ecert_verify(sample->public_key, ecert_slice(input, diag_encode(text, input)), receipt.signature), ECERT_OK,
			  "%s: it signs that and the root", ecert_alg_name(sample->alg));
	free(structure);
	free(text);
}

/* What is trusted where a receipt under the sample's key is judged */
static EcertTrust
trust_of(const Sample *sample)
{
	return (EcertTrust) {sample->alg, sample->header.kid, sample->public_key, sample->header.certifier, sample->header.origin};
}

static void
test_statement(const Sample *sample)
{
	const char *alg = ecert_alg_name(sample->alg);
	EcertBuffer statement = ecert_buffer(statement_bytes, sizeof statement_bytes);
	EcertBuffer out = ecert_buffer(package_bytes, sizeof package_bytes);
	EcertPackage package;
	EcertStatement parts;
	EcertStatementPart part;

	if (ecert_package_parse(sample->package, &package, NULL) != ECERT_OK)
		abort();
	ecert_statement_put(&statement, &package, sample->receipt);
	CHECK_INT(ecert_statement_parse(ecert_slice(statement_bytes, statement.size), &out, &parts, NULL), ECERT_OK,
			  "%s: a transparent statement is read", alg);
	CHECK(ecert_slice_equal(ecert_slice(package_bytes, out.size), sample->package), "%s: the package in it is the same", alg);
	CHECK(ecert_statement_next(&parts, &part) && part.receipt == 1 && ecert_slice_equal(part.content, sample->receipt) &&
		  !ecert_statement_next(&parts, &part), "%s: so is the receipt", alg);
	out.size = 0;
	CHECK(ecert_statement_parse(sample->package, &out, &parts, NULL) == ECERT_OK && !ecert_statement_next(&parts, &part) &&
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
		survived += ecert_seal_verify(&sample->header, sample->root, sample->public_key, seal) != ECERT_BAD_SIGNATURE;
		turn(sample->root, bit);
	}
	CHECK_INT(survived, 0, "%s: every bit of the root counts", ecert_alg_name(sample->alg));
	sample->header.tree_size++;
	CHECK_INT(ecert_seal_verify(&sample->header, sample->root, sample->public_key, seal), ECERT_BAD_SIGNATURE,
			  "%s: so does the size", ecert_alg_name(sample->alg));
	sample->header.tree_size--;
	for (size_t bit = 0; bit < 8 * sample->raw_size; bit++)
	{
		EcertPublicKey *other = NULL;

		turn(sample->raw, bit);
		if (ecert_public_key_new(sample->alg, ecert_slice(sample->raw, sample->raw_size), &other) == ECERT_OK)
			survived += ecert_seal_verify(&sample->header, sample->root, other, seal) == ECERT_OK;
		ecert_public_key_free(other);
		turn(sample->raw, bit);
	}
	CHECK_INT(survived, 0, "%s: every bit of the key counts", ecert_alg_name(sample->alg));
}

/* The package's signature is right, and a receipt holds */
static bool
statement_verifies(EcertSlice bytes, const Sample *sample)
{
	const EcertTrust trust = trust_of(sample);
	EcertBuffer out = ecert_buffer(package_bytes, sizeof package_bytes);
	EcertPackage package;
	EcertStatement parts;
	EcertStatementPart part;
	EcertReceipt receipt;
	EcertError	error;
	uint8_t		leaf[ECERT_HASH_SIZE];
	bool		holds = false;

	if (ecert_statement_parse(bytes, &out, &parts, NULL) != ECERT_OK ||
		ecert_package_parse(ecert_slice(package_bytes, out.size), &package, NULL) != ECERT_OK ||
		ecert_package_verify(&package, sample->public_key, ecert_buffer(scratch, sizeof scratch)) != ECERT_OK ||
		ecert_package_hash(package.bytes, leaf) != ECERT_OK)
		return false;
	while (ecert_statement_next(&parts, &part))
		holds |= ecert_part_judge(&part, leaf, &trust, &receipt, &error) == ECERT_HOLDS;
	return holds;
}

static void
test_statement_bits(const Sample *sample)
{
	EcertBuffer out = ecert_buffer(statement_bytes, sizeof statement_bytes);
	EcertPackage package;
	EcertSlice	statement;
	int			survived = 0;

	if (ecert_package_parse(sample->package, &package, NULL) != ECERT_OK)
		abort();
	ecert_statement_put(&out, &package, sample->receipt);
	statement = ecert_slice(out.data, out.size);
	CHECK(statement_verifies(statement, sample), "a statement's package and receipt are verified");
	for (size_t bit = 0; bit < 8 * statement.size; bit++)
	{
		turn(statement_bytes, bit);
		survived += statement_verifies(statement, sample);
		turn(statement_bytes, bit);
	}
	CHECK_INT(survived, 0, "so does every bit of a statement");
}

/* ----- what is no receipt ----- */

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ZEROS_31 "00000000000000000000000000000000000000000000000000000000000000"
#define H32 "h'" HASH "'"
#define SIGNATURE "h'" HASH HASH "'"
#define GOOD_HEADER "{1: -8, 4: " H32 ", 15: {1: 'office', 2: 'ledger.example/e'}, 395: 1}"
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
	{"an alg in text", "{1: 'EdDSA', 395: 1}", NULL, NULL, NULL, ECERT_UNKNOWN_ALG, "alg"},
	{"an alg that is a byte string", "{1: h'01', 395: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "alg"},
	{"claims that are no map", "{1: -8, 15: 'log.example', 395: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "claims"},
	{"an issuer that is no text", "{1: -8, 15: {1: 7}, 395: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "iss"},
	{"a subject that is no text", "{1: -8, 15: {2: h'01'}, 395: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "sub"},
	{"an alg that is not known", "{1: -35, 395: 1}", NULL, NULL, NULL, ECERT_UNKNOWN_ALG, "alg"},
	{"crit", "{1: -8, 2: [-70000], 395: 1, -70000: 1}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "crit"},
	{"no vds", "{1: -8}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "vds"},
	{"another vds", "{1: -8, 395: 2}", NULL, NULL, NULL, ECERT_UNKNOWN_VDS, "vds"},
	{"a vds in text", "{1: -8, 395: 'RFC9162_SHA256'}", NULL, NULL, NULL, ECERT_UNKNOWN_VDS, "vds"},
	{"a vds that is a list", "{1: -8, 395: [1]}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "vds"},
	{"a vds that is not protected", "{1: -8}", "{395: 1, 396: {-1: [" GOOD_PROOF "]}}", NULL, NULL, ECERT_HEADER_FIELD, "vds"},
	{"a protected header that is no map", "[]", NULL, NULL, NULL, ECERT_NOT_RECEIPT, "protected"},
	{"another size in the signed header", "{1: -8, 395: 1, -65603: 9}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "tree size"},
	{"a size in text", "{1: -8, 395: 1, -65603: '8'}", NULL, NULL, NULL, ECERT_HEADER_FIELD, "tree size"},
	{"no proofs", NULL, "{}", NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"other parameters alone", NULL, "{4: h'01'}", NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"proofs that are no map", NULL, "{396: [" GOOD_PROOF "]}", NULL, NULL, ECERT_NOT_RECEIPT, "proofs"},
	{"an empty map of proofs", NULL, "{396: {}}", NULL, NULL, ECERT_NOT_RECEIPT, "inclusion proof"},
	{"no inclusion proof", NULL, "{396: {-1: []}}", NULL, NULL, ECERT_NOT_RECEIPT, "inclusion proof"},
	{"two inclusion proofs", NULL, "{396: {-1: [" GOOD_PROOF ", " GOOD_PROOF "]}}", NULL, NULL, ECERT_SEVERAL_PROOFS, "inclusion proof"},
	{"a consistency proof", NULL, "{396: {-2: [<<[3, 8, " PATH "]>>]}}", NULL, NULL, ECERT_NOT_RECEIPT, "inclusion proof"},
	{"an inclusion proof and a consistency proof", NULL, "{396: {-1: [" GOOD_PROOF "], -2: [<<[3, 8, " PATH "]>>]}}",
		NULL, NULL, ECERT_SEVERAL_PROOFS, "proofs"},
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

/* Others' encoders: heads of any length, maps in any order, floats, tags, what is unknown */
static void
test_forms(void)
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
	check_receipt(replaced(good, "a119018c", "b80119018c"), ECERT_OK, NULL, "a map's size not in its shortest form");
	check_receipt(replaced(good, "d284", "d89284"), ECERT_NOT_RECEIPT, "tag", "another tag");
	check_receipt(replaced(good, "d284", "d29804"), ECERT_OK, NULL, "an array's size not in its shortest form");
	check_receipt(replaced(good, "586a830805", "586b83180805"), ECERT_OK, NULL, "a tree size not in its shortest form");
	check_receipt(replaced(good, "f65840", "f75840"), ECERT_NOT_RECEIPT, "payload", "an undefined payload");
	check_receipt(replaced(good, "f65840", "f81f5840"), ECERT_RESERVED, NULL, "a simple value that cannot be");
	check_receipt(replaced(good, "f65840", "ff5840"), ECERT_RESERVED, NULL, "a break that ends nothing");
	check_receipt(replaced(good, "f65840", "fc5840"), ECERT_RESERVED, NULL, "a reserved head");
}

static void
test_header_forms(void)
{
	static const struct
	{
		const char *header;		/* hexadecimal */
		EcertCode	code;
		const char *field;
		const char *name;
	}			headers[] = {
		{"a219018b010127", ECERT_OK, NULL, "parameters out of order"},
		{"bf012719018b01ff", ECERT_OK, NULL, "a header of no definite length"},
		{"a3012719018b010ffb3ff0000000000000", ECERT_HEADER_FIELD, "claims", "a float for claims"},
		{"a4012719018b010fa306c11a65bb3880026362636401616118fff93c00", ECERT_OK, NULL, "tag 1, claims out of order and a float"},
		{"a3012719018b0161787f616161626163ff", ECERT_OK, NULL, "text in pieces"},
		{"a3012719018b010127", ECERT_HEADER_FIELD, "alg", "alg twice"},
		{"a3012719018b0119018b01", ECERT_HEADER_FIELD, "vds", "vds twice"},
		{"a4012719018b010440044101", ECERT_HEADER_FIELD, "kid", "kid twice"},
		{"a4012719018b010fa00fa0", ECERT_HEADER_FIELD, "claims", "claims twice"},
		{"a3012719018b010fa201616101616a", ECERT_HEADER_FIELD, "iss", "iss twice"},
		{"a3012719018b01045f4101ff", ECERT_HEADER_FIELD, "kid", "a kid in pieces"},
		{"bf0127ff", ECERT_HEADER_FIELD, "vds", "an open header without vds"},
		{"bf01ff", ECERT_RESERVED, NULL, "a break behind a key"},
		{"a2012719018b01ff", ECERT_TRAILING_BYTES, NULL, "a break too many"},
		{"", ECERT_TRUNCATED, NULL, "an empty header"},
	};

	for (size_t i = 0; i < COUNT(headers); i++)
	{
		char	   *text = diag_format("18([h'%s', %s, null, %s])", headers[i].header, GOOD_PROOFS, SIGNATURE);

		check_notation(text, headers[i].code, headers[i].field, headers[i].name);
		free(text);
	}
}

/* Nesting beyond what is read here is neither right nor wrong */
static void
test_depth(void)
{
	uint8_t		deep[ECERT_LOOSE_DEPTH + 2];
	EcertError	error;

	memset(deep, 0x81, sizeof deep);
	deep[ECERT_LOOSE_DEPTH] = 0;
	CHECK_INT(ecert_loose_check(ecert_slice(deep, ECERT_LOOSE_DEPTH + 1), &error), ECERT_OK, "nesting %d deep is read", ECERT_LOOSE_DEPTH);
	deep[ECERT_LOOSE_DEPTH] = 0x81;
	deep[ECERT_LOOSE_DEPTH + 1] = 0;
	CHECK_INT(ecert_loose_check(ecert_slice(deep, sizeof deep), &error), ECERT_BEYOND_LIMITS, "deeper is not");
	CHECK(ecert_is_beyond(ECERT_BEYOND_LIMITS) && ecert_is_beyond(ECERT_UNKNOWN_ALG) && !ecert_is_beyond(ECERT_BAD_SIGNATURE) &&
		  !ecert_is_beyond(ECERT_NOT_RECEIPT), "and that is not to be wrong");
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
	static const uint8_t kid[200] = {1};
	EcertSlice	seal = ecert_slice(sample->seal, ecert_signature_size(sample->alg));
	uint8_t		out[ECERT_SIGNATURE_MAX];
	EcertSealHeader header = sample->header;

	header.alg = ECERT_ALG_ES256;
	CHECK_INT(ecert_seal(&header, sample->root, sample->key, out), ECERT_KEY_ALG, "a seal says the algorithm of its key");
	CHECK_INT(ecert_seal_verify(&header, sample->root, sample->public_key, seal), ECERT_BAD_SIGNATURE, "a seal under another algorithm is refused");
	header = sample->header;
	header.kid = ecert_slice(kid, 32);
	CHECK_INT(ecert_seal_verify(&header, sample->root, sample->public_key, seal), ECERT_BAD_SIGNATURE, "so is one under another kid");
	header = sample->header;
	header.certifier = ecert_slice_text("somebody");
	CHECK_INT(ecert_seal_verify(&header, sample->root, sample->public_key, seal), ECERT_BAD_SIGNATURE, "one of another certifier");
	header = sample->header;
	header.origin = ecert_slice_text("ledger.example/f");
	CHECK_INT(ecert_seal_verify(&header, sample->root, sample->public_key, seal), ECERT_BAD_SIGNATURE, "one of another ledger");
	CHECK_INT(ecert_seal_verify(&sample->header, sample->root, sample->public_key, ecert_slice(sample->seal, 63)),
			  ECERT_BAD_SIGNATURE, "and one that is too short");
	header.origin = header.certifier = header.kid = ecert_slice(kid, sizeof kid);
	CHECK_INT(ecert_seal(&header, sample->root, sample->key, out), ECERT_NO_SPACE, "a kid of 200 bytes is refused");
	CHECK_INT(ecert_seal_verify(&header, sample->root, sample->public_key, seal), ECERT_NO_SPACE, "by who checks, too");
	header.kid = sample->header.kid;
	CHECK(ecert_seal(&header, sample->root, sample->key, out) == ECERT_OK &&
		  ecert_seal_verify(&header, sample->root, sample->public_key, ecert_slice(out, ecert_signature_size(header.alg))) == ECERT_OK, "ids of 200 bytes have room");
}

static void
test_sizes(const Sample *sample)
{
	static const char id[ECERT_ID_MAX] = "x";
	EcertProof	path = {.count = ECERT_PROOF_MAX};
	const EcertSealHeader longest = {
		ECERT_ALG_SM2, sample->header.kid, ecert_slice(id, sizeof id), ecert_slice(id, sizeof id), UINT64_MAX
	};
	uint8_t		bytes[ECERT_RECEIPT_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertReceipt receipt;

	ecert_receipt_put(&out, &longest, ecert_slice(sample->seal, 64), UINT64_MAX - 1, &path);
	CHECK(ecert_buffer_fits(&out), "the longest receipt has room (%zu of %d bytes)", out.size, (int) ECERT_RECEIPT_MAX);
	CHECK(ecert_receipt_parse(ecert_slice(bytes, out.size), &receipt, NULL) == ECERT_OK && receipt.path.count == ECERT_PROOF_MAX &&
		  receipt.tree_size == UINT64_MAX && receipt.leaf_index == UINT64_MAX - 1, "and is read");
	out = ecert_buffer(bytes, 20);
	ecert_receipt_put(&out, &sample->header, ecert_slice(sample->seal, 64), LEAF_INDEX, &sample->path);
	CHECK(!ecert_buffer_fits(&out) && out.size == sample->receipt.size, "too little room is said, with what is needed");
}

/* Others' headers may be long; beyond 8 kB a receipt is neither right nor wrong here */
static void
test_long_header(const Sample *sample)
{
	static const size_t sizes[] = {7900, 8200};

	for (size_t i = 0; i < COUNT(sizes); i++)
	{
		char	   *filler = calloc(1, 2 * sizes[i] + 1);
		char	   *text;
		EcertReceipt receipt;

		memset(filler, '0', 2 * sizes[i]);
		text = diag_format("18([<<{1: -8, 33: h'%s', 395: 1}>>, %s, null, %s])", filler, GOOD_PROOFS, SIGNATURE);
		CHECK_INT(ecert_receipt_parse(ecert_slice(input, diag_encode(text, input)), &receipt, NULL), i == 0 ? ECERT_OK : ECERT_BEYOND_LIMITS,
				  "a header of %zu bytes", sizes[i]);
		if (i == 0)
			CHECK_INT(ecert_receipt_verify(&receipt, sample->leaf, sample->public_key), ECERT_BAD_SIGNATURE, "it can be verified");
		free(text);
		free(filler);
	}
}

/* ----- judging receipts ----- */

static void
check_judgement(EcertSlice bytes, const Sample *sample, const EcertTrust *trust, EcertOutcome outcome, EcertCode code, const char *name)
{
	EcertReceipt receipt;
	EcertError	error = {0};
	EcertOutcome found = ecert_receipt_judge(bytes, sample->leaf, trust, &receipt, &error);

	if (!CHECK(found == outcome && error.code == code, "%s: %s, %s", name, ecert_outcome_text(outcome), ecert_error_text(code)))
		printf("# found %s, \"%s\"\n", ecert_outcome_text(found), ecert_error_text(error.code));
}

/* A receipt under the sample's key with another header */
static EcertSlice
receipt_under(const Sample *sample, const char *header_notation)
{
	static uint8_t bytes[ECERT_RECEIPT_MAX];
	uint8_t		signed_room[1024];
	uint8_t		signature[ECERT_SIGNATURE_MAX];
	EcertBuffer signed_bytes = ecert_buffer(signed_room, sizeof signed_room);
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertSlice	header = ecert_slice(input, diag_encode(header_notation, input));
	/* behind header and signature our own receipt goes on with the same proof */
	EcertReceipt ours;
	const uint8_t *rest;

	if (ecert_receipt_parse(sample->receipt, &ours, NULL) != ECERT_OK)
		abort();
	rest = ours.protected_header.data + ours.protected_header.size;
	ecert_package_signed_bytes(header, ecert_slice(sample->root, ECERT_HASH_SIZE), &signed_bytes);
	if (ecert_sign(sample->key, ecert_slice(signed_room, signed_bytes.size), signature) != ECERT_OK)
		abort();
	ecert_cbor_put_head(&out, ECERT_CBOR_TAG, 18);
	ecert_cbor_put_head(&out, ECERT_CBOR_ARRAY, 4);
	ecert_cbor_put_bytes(&out, header);
	ecert_buffer_put(&out, ecert_slice(rest, (size_t) (ours.signature.data - rest)));
	ecert_buffer_put(&out, ecert_slice(signature, ecert_signature_size(sample->alg)));
	return ecert_slice(bytes, out.size);
}

static void
test_judging(const Sample *sample, const Sample *stranger)
{
	EcertTrust	trust = trust_of(sample);
	EcertTrust	other = trust_of(stranger);
	uint8_t		copy[ECERT_RECEIPT_MAX];

	check_judgement(sample->receipt, sample, &trust, ECERT_HOLDS, ECERT_OK, "our receipt");
	check_judgement(sample->receipt, sample, &other, ECERT_NOT_CHECKED, ECERT_OTHER_KEY, "under another key");
	trust.certifier = ecert_slice(NULL, 0);
	check_judgement(sample->receipt, sample, &trust, ECERT_HOLDS, ECERT_OK, "where the certifier is not known");
	trust.certifier = ecert_slice_text("another");
	check_judgement(sample->receipt, sample, &trust, ECERT_WRONG, ECERT_FOREIGN_CLAIMS, "another certifier");
	trust = trust_of(sample);
	trust.origin = ecert_slice_text("ledger.example/f");
	check_judgement(sample->receipt, sample, &trust, ECERT_WRONG, ECERT_FOREIGN_CLAIMS, "another ledger");
	trust = trust_of(sample);
	memcpy(copy, sample->receipt.data, sample->receipt.size);
	copy[sample->receipt.size - 1] ^= 1;
	check_judgement(ecert_slice(copy, sample->receipt.size), sample, &trust, ECERT_WRONG, ECERT_BAD_SIGNATURE, "a changed signature");
	check_judgement(ecert_slice("junk", 4), sample, &trust, ECERT_NOT_CHECKED, ECERT_TRUNCATED, "junk");
	check_judgement(receipt_under(sample, "{1: -8, 395: 1}"), sample, &trust, ECERT_NOT_CHECKED, ECERT_HEADER_FIELD, "no claims");
	check_judgement(receipt_under(sample, "{1: -8, 15: {1: 'office'}, 395: 1}"), sample, &trust, ECERT_NOT_CHECKED, ECERT_HEADER_FIELD, "no subject");
	check_judgement(receipt_under(sample, "{1: -8, 15: {1: 'office', 2: 'ledger.example/e'}, 395: 1}"), sample, &trust,
					ECERT_HOLDS, ECERT_OK, "no kid and no size");
	check_judgement(receipt_under(sample, "{1: -8, 15: {1: 'office', 2: 'ledger.example/e', 6: 1(1706832000), 'x': [1.50]}, 395: 1, 270: h'01'}"),
					sample, &trust, ECERT_HOLDS, ECERT_OK, "more claims and parameters");
	check_judgement(receipt_under(sample, "{1: -7, 15: {1: 'office', 2: 'ledger.example/e'}, 395: 1}"), sample, &trust,
					ECERT_NOT_CHECKED, ECERT_BAD_SIGNATURE, "another algorithm and no kid");
	check_judgement(receipt_under(sample, "{1: -8, 15: {1: 'office', 2: 'ledger.example/e'}, 395: 3}"), sample, &trust,
					ECERT_NOT_CHECKED, ECERT_UNKNOWN_VDS, "another data structure");
}

/* ----- statements ----- */

typedef struct StatementShape
{
	const char *name;
	const char *unprotected;
	EcertCode	code;
	const char *parts;			/* their names */
} StatementShape;

static const StatementShape statement_shapes[] = {
	{"two receipts", "{394: [h'0102', h'03']}", ECERT_OK, "receipt 1, receipt 2"},
	{"no receipt", "{394: []}", ECERT_OK, ""},
	{"a receipt that is not wrapped", "{394: [18([])]}", ECERT_OK, "receipt 1"},
	{"a receipt that is text", "{394: [h'01', 'receipt']}", ECERT_OK, "receipt 1, receipt 2"},
	{"a receipt outside of an array", "{394: h'01'}", ECERT_OK, "receipt 1"},
	{"a number for receipts", "{394: 7, 395: 1}", ECERT_OK, "receipt 1, header 395"},
	{"another parameter beside the receipts", "{4: h'01', 33: [h'3082'], 394: [h'01']}", ECERT_OK, "header 4, header 33, receipt 1"},
	{"a parameter with a text key", "{'394': [h'01']}", ECERT_OK, "header \"394\""},
	{"odd labels", "{18446744073709551615: 0, h'01': 0, -1: 0, 'a\x1b[m': 1}", ECERT_OK, "header with another label, header -1, header with another label, header with another label"},
	{"an unprotected header that is no map", "[]", ECERT_NOT_RECEIPT, NULL},
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
		EcertStatement parts;
		EcertStatementPart part;
		EcertCode	code = ecert_statement_parse(ecert_slice(input, diag_encode(text, input)), &out, &parts, &error);
		char		names[512] = "";
		char		name[ECERT_PART_TEXT_MAX];

		while (code == ECERT_OK && ecert_statement_next(&parts, &part))
			sprintf(names + strlen(names), "%s%s", names[0] == '\0' ? "" : ", ", ecert_part_text(&part, name));
		if (!CHECK(code == shape->code && (code != ECERT_OK || strcmp(names, shape->parts) == 0), "a statement with %s", shape->name))
			printf("# found \"%s\": %s\n", ecert_error_text(code), names);
		free(text);
	}
}

/* A statement with another unprotected header around the sample's package: our receipt stands for R */
static EcertSlice
statement_with(const Sample *sample, const char *header_hex)
{
	static uint8_t bytes[ECERT_STATEMENT_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertPackage package;

	if (ecert_package_parse(sample->package, &package, NULL) != ECERT_OK)
		abort();
	ecert_cbor_put_head(&out, ECERT_CBOR_TAG, 18);
	ecert_cbor_put_head(&out, ECERT_CBOR_ARRAY, 4);
	ecert_cbor_put_bytes(&out, package.protected_header);
	for (const char *at = header_hex; *at != '\0';)
	{
		char		digits[3] = {at[0], at[1], '\0'};
		uint8_t		byte;

		if (*at == 'R')
		{
			ecert_cbor_put_bytes(&out, sample->receipt);
			at++;
			continue;
		}
		(void) diag_unhex(digits, &byte);
		ecert_buffer_put(&out, ecert_slice(&byte, 1));
		at += 2;
	}
	ecert_cbor_put_bytes(&out, package.body);
	ecert_cbor_put_bytes(&out, package.signature);
	return ecert_slice(bytes, out.size);
}

/* Nothing that nobody has signed makes a sound statement a wrong one */
static void
test_unsigned_header(const Sample *sample)
{
	static const struct
	{
		const char *header;
		bool		verifies;
		const char *name;
	}			headers[] = {
		{"a119018a81R", true, "ours"},
		{"a119018a8243010203R", true, "junk, ours"},
		{"a119018a82R43010203", true, "ours, junk"},
		{"a119018a8401f97e00a0R", true, "what are no byte strings, ours"},
		{"a119018aR", true, "ours without a list"},
		{"a119018a9fRff", true, "a list of no definite length"},
		{"bf19018a81Rff", true, "a header of no definite length"},
		{"a2182182423082423082" "19018a81R", true, "x5chain, ours"},
		{"a219018a81R617881fb3ff0000000000000", true, "ours, a text label with a float"},
		{"a319018a81R04410104c101", true, "ours, a label twice"},
		{"a219018a410019018a81R", true, "receipts twice"},
		{"a219018a81R19018a4100", true, "receipts twice, ours first"},
		{"a11a0000018a9a00000001R", true, "heads that are longer than they need to be"},
		{"a0", false, "nothing"},
		{"a119018a8143010203", false, "junk alone"},
	};

	for (size_t i = 0; i < COUNT(headers); i++)
		CHECK(statement_verifies(statement_with(sample, headers[i].header), sample) == headers[i].verifies, "a statement with %s %s", headers[i].name,
			  headers[i].verifies ? "verifies" : "does not");
}

static void
test_statement_sizes(const Sample *sample)
{
	EcertBuffer statement = ecert_buffer(statement_bytes, sizeof statement_bytes);
	EcertBuffer out = ecert_buffer(package_bytes, sample->package.size - 1);
	EcertPackage package;
	EcertStatement parts;

	if (ecert_package_parse(sample->package, &package, NULL) != ECERT_OK)
		abort();
	ecert_statement_put(&statement, &package, sample->receipt);
	CHECK_INT(ecert_statement_parse(ecert_slice(statement_bytes, statement.size), &out, &parts, NULL), ECERT_TOO_LARGE,
			  "a package that does not fit is said, not overrun");
	statement_bytes[statement.size] = 0;
	CHECK_INT(ecert_statement_parse(ecert_slice(statement_bytes, statement.size + 1), &out, &parts, NULL),
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
		EcertStatement parts;
		EcertStatementPart part;

		test_vector_receipt(vector, receipt, entry);
		CHECK(ecert_statement_parse(statement, &out, &parts, NULL) == ECERT_OK &&
			  ecert_slice_equal(ecert_slice(package_bytes, out.size), entry), "a statement with it gives the package back");
		CHECK(ecert_statement_next(&parts, &part) && ecert_slice_equal(part.content, receipt) && !ecert_statement_next(&parts, &part),
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
		test_signed_bytes(samples[i]);
		test_statement(samples[i]);
		test_receipt_bits(samples[i]);
		test_package_bits(samples[i]);
		test_root_and_key_bits(samples[i]);
	}
	test_statement_bits(samples[0]);
	test_shapes();
	test_forms();
	test_header_forms();
	test_depth();
	test_places(samples[0]);
	test_seals(samples[0]);
	test_sizes(samples[0]);
	test_long_header(samples[0]);
	test_judging(samples[0], samples[1]);
	test_statement_shapes();
	test_unsigned_header(samples[0]);
	test_statement_sizes(samples[0]);
	test_vectors();
	for (size_t i = 0; i < COUNT(samples); i++)
		close_sample(samples[i]);
	return check_done();
}
