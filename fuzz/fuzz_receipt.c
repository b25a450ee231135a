/*
 * fuzz_receipt.c
 *		libFuzzer target for receipts, transparent statements, and proofs and
 *		tiles with whatever numbers they come with.
 *
 * The first byte chooses what the others are.
 */
#include "core/receipt.h"
#include "must.h"
#include "reference.h"

enum
{
	MODE_RECEIPT,
	MODE_STATEMENT,
	MODE_INCLUSION,
	MODE_CONSISTENCY,
	MODE_TILES,
	MODE_COUNT
};

/* The leaves that every tree here is about: nothing but zeros */
static const uint8_t zeros[ECERT_TILE_BYTES];

/* A key whose secret the fuzzer does not know, so that nothing it makes verifies */
static const EcertPublicKey *
stranger(void)
{
	static EcertPublicKey *key = NULL;
	static const uint8_t raw[32] = {
		0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
		0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a
	};

	if (key == NULL)
		MUST(ecert_public_key_new(ECERT_ALG_ED25519, ecert_slice(raw, sizeof raw), &key) == ECERT_OK);
	return key;
}

/* ----- receipts ----- */

/* Written by us, what was read is read again as the same */
static void
write_again(const EcertReceipt *receipt)
{
	const EcertSealHeader header = {receipt->alg, receipt->kid, receipt->issuer, receipt->subject, receipt->tree_size};
	size_t		room = 2 * ECERT_RECEIPT_MAX;
	EcertBuffer out = ecert_buffer(malloc(room), room);
	EcertReceipt again;

	ecert_receipt_put(&out, &header, receipt->signature, receipt->leaf_index, &receipt->path);
	MUST(ecert_buffer_fits(&out));
	/* texts of others need not be UTF-8, and ids need not be as short as ours */
	if (out.size <= ECERT_RECEIPT_MAX)
	{
		MUST(ecert_receipt_parse(ecert_slice(out.data, out.size), &again, NULL) == ECERT_OK);
		MUST(again.alg == receipt->alg && ecert_slice_equal(again.kid, receipt->kid) &&
			 ecert_slice_equal(again.issuer, receipt->issuer) && ecert_slice_equal(again.subject, receipt->subject) &&
			 ecert_slice_equal(again.signature, receipt->signature) && again.tree_size == receipt->tree_size &&
			 again.signs_size && again.leaf_index == receipt->leaf_index && again.path.count == receipt->path.count &&
			 memcmp(again.path.hashes, receipt->path.hashes, sizeof again.path.hashes) == 0);
	}
	free(out.data);
}

/* What verifies was sealed over the root that it leads to, and nothing verifies under a stranger's key */
static void
verify(const EcertReceipt *receipt)
{
	const EcertSealHeader header = {receipt->alg, receipt->kid, receipt->issuer, receipt->subject, receipt->tree_size};
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		again[ECERT_HASH_SIZE];
	EcertCode	code = ecert_receipt_root(receipt, zeros, root);
	EcertCode	verified = ecert_receipt_verify(receipt, zeros, stranger());

	MUST(code == ECERT_OK || code == ECERT_PROOF_RANGE || code == ECERT_PROOF_LENGTH);
	MUST(verified == (code != ECERT_OK ? code : ECERT_BAD_SIGNATURE));
	if (code == ECERT_OK)
	{
		MUST(receipt->leaf_index < receipt->tree_size && receipt->tree_size <= ECERT_TREE_MAX);
		MUST(ecert_inclusion_root(zeros, receipt->leaf_index, receipt->tree_size, &receipt->path, again) == ECERT_OK &&
			 memcmp(root, again, sizeof root) == 0);
		verified = ecert_seal_verify(&header, root, stranger(), receipt->signature);
		MUST(verified == ECERT_BAD_SIGNATURE || (verified == ECERT_NO_SPACE &&
			 receipt->kid.size + receipt->issuer.size + receipt->subject.size > ECERT_HASH_SIZE + 2 * ECERT_ID_MAX));
	}
}

/* Judged under a stranger's key nothing holds, and why is said */
static void
judge(EcertSlice bytes, EcertCode parsed)
{
	static const uint8_t kid[ECERT_HASH_SIZE] = {4, 5, 6};
	const EcertTrust trust = {ECERT_ALG_ED25519, ecert_slice(kid, sizeof kid), stranger(), {NULL, 0}, {NULL, 0}};
	EcertReceipt receipt;
	EcertError	error = {0};
	EcertOutcome outcome = ecert_receipt_judge(bytes, zeros, &trust, &receipt, &error);

	MUST(outcome != ECERT_HOLDS && error.code != ECERT_OK);
	MUST(parsed == ECERT_OK || (outcome == ECERT_NOT_CHECKED && error.code == parsed));
}

/* What is strict is well-formed too */
static void
fuzz_form(EcertSlice bytes)
{
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	code = ecert_loose_check(bytes, &error);
	EcertCursor cursor = ecert_cursor(bytes);

	check_error(code, &error, bytes.size);
	MUST(code == ECERT_OK || (ecert_cbor_check(bytes, NULL) != ECERT_OK && !reference_check(bytes.data, bytes.size, false)));
	if (code == ECERT_OK)
		MUST(ecert_loose_skip(&cursor).size == bytes.size);
}

static void
fuzz_receipt(EcertSlice bytes)
{
	EcertReceipt receipt;
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	code = ecert_receipt_parse(bytes, &receipt, &error);

	check_error(code, &error, bytes.size);
	judge(bytes, code);
	if (code != ECERT_OK)
		return;
	MUST(ecert_loose_check(bytes, NULL) == ECERT_OK);
	MUST(receipt.signature.size == ecert_signature_size(receipt.alg) && receipt.path.count >= 1 && receipt.path.count <= ECERT_PROOF_MAX);
	write_again(&receipt);
	verify(&receipt);
}

/* ----- statements ----- */

/* A package with a receipt put into it is a statement that gives both back */
static void
state_again(EcertSlice package_bytes, EcertSlice receipt)
{
	size_t		room = package_bytes.size + receipt.size + 64;
	EcertBuffer out = ecert_buffer(malloc(room), room);
	EcertBuffer again = ecert_buffer(malloc(room), room);
	EcertPackage package;
	EcertStatement statement;
	EcertStatementPart part;

	if (ecert_package_parse(package_bytes, &package, NULL) == ECERT_OK)
	{
		ecert_statement_put(&out, &package, receipt);
		MUST(ecert_buffer_fits(&out) && ecert_statement_parse(ecert_slice(out.data, out.size), &again, &statement, NULL) == ECERT_OK);
		MUST(ecert_slice_equal(ecert_slice(again.data, again.size), package_bytes));
		MUST(ecert_statement_next(&statement, &part) && part.receipt == 1 && ecert_slice_equal(part.content, receipt));
		MUST(!ecert_statement_next(&statement, &part));
	}
	free(out.data);
	free(again.data);
}

static void
fuzz_statement(EcertSlice bytes)
{
	EcertBuffer package = ecert_buffer(malloc(bytes.size + 16), bytes.size + 16);
	EcertError	error = {.offset = SIZE_MAX};
	EcertStatement statement;
	EcertStatementPart part;
	EcertCode	code = ecert_statement_parse(bytes, &package, &statement, &error);
	char		text[ECERT_PART_TEXT_MAX];
	size_t		parts = 0;

	check_error(code, &error, bytes.size);
	fuzz_form(bytes);
	while (code == ECERT_OK && ecert_statement_next(&statement, &part))
	{
		MUST(strlen(ecert_part_text(&part, text)) < sizeof text && ++parts <= bytes.size);
		if (part.receipt == 0)
			continue;
		fuzz_receipt(part.content);
		state_again(ecert_slice(package.data, package.size), part.content);
	}
	/* the package is no longer than what it was taken from, and a plain one is itself */
	if (code == ECERT_OK)
		MUST(package.size <= bytes.size && (parts > 0 || ecert_cbor_check(bytes, NULL) != ECERT_OK ||
											ecert_slice_equal(ecert_slice(package.data, package.size), bytes)));
	free(package.data);
}

/* ----- proofs ----- */

/* Take 8 bytes off the input as a number; 0 when there are none */
static uint64_t
take_number(EcertSlice *bytes)
{
	uint64_t	number = 0;

	for (int i = 0; i < 8 && bytes->size > 0; i++)
	{
		number = number << 8 | *bytes->data++;
		bytes->size--;
	}
	return number;
}

/* The rest of the input as hashes */
static void
take_proof(EcertSlice bytes, EcertProof *proof)
{
	size_t		count = bytes.size / ECERT_HASH_SIZE;

	proof->count = count < ECERT_PROOF_MAX ? (unsigned) count : ECERT_PROOF_MAX;
	if (proof->count > 0)
		memcpy(proof->hashes, bytes.data, proof->count * sizeof proof->hashes[0]);
}

static void
fuzz_inclusion(EcertSlice bytes)
{
	uint64_t	index = take_number(&bytes);
	uint64_t	size = take_number(&bytes);
	EcertProof	proof;
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		other[ECERT_HASH_SIZE];
	EcertCode	code;

	take_proof(bytes, &proof);
	code = ecert_inclusion_root(zeros, index, size, &proof, root);
	MUST((code == ECERT_PROOF_RANGE) == (index >= size || size > ECERT_TREE_MAX));
	MUST(code == ECERT_OK || code == ECERT_PROOF_RANGE || code == ECERT_PROOF_LENGTH);
	if (code != ECERT_OK || proof.count == 0)
		return;
	/* the length of a path is settled by its place, and every hash of it counts */
	proof.hashes[proof.count - 1][0] ^= 1;
	MUST(ecert_inclusion_root(zeros, index, size, &proof, other) == ECERT_OK && memcmp(root, other, sizeof root) != 0);
	proof.count--;
	MUST(ecert_inclusion_root(zeros, index, size, &proof, other) == ECERT_PROOF_LENGTH);
}

static void
fuzz_consistency(EcertSlice bytes)
{
	uint64_t	old_size = take_number(&bytes);
	uint64_t	new_size = take_number(&bytes);
	EcertProof	proof;
	EcertCode	code;

	take_proof(bytes, &proof);
	code = ecert_consistency_check(old_size, zeros, new_size, zeros, &proof);
	MUST((code == ECERT_PROOF_RANGE) == (old_size == 0 || old_size > new_size || new_size > ECERT_TREE_MAX));
	/* no hash is known to be zero, so only a tree that is the same has the same root */
	MUST((code == ECERT_OK) == (old_size == new_size && code != ECERT_PROOF_RANGE && proof.count == 0));
	MUST(code == ECERT_OK || code == ECERT_PROOF_RANGE || code == ECERT_PROOF_LENGTH || code == ECERT_PROOF_WRONG);
}

/* ----- tiles ----- */

/* A tree of as many leaves as context says, all of its hashes zero: places are the fuzzer's, sums are not */
static EcertCode
read_zeros(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t **hashes)
{
	uint64_t	count = *(uint64_t *) context >> (8 * level);

	MUST(level < ECERT_TILE_LEVELS && width >= 1 && width <= ECERT_TILE_WIDTH && index <= UINT64_MAX / ECERT_TILE_WIDTH - 1);
	if (index * ECERT_TILE_WIDTH + width > count)
		return ECERT_TILE_MISSING;
	*hashes = zeros;
	return ECERT_OK;
}

static EcertCode
write_nothing(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t *hashes)
{
	(void) context;
	MUST(level < ECERT_TILE_LEVELS && width >= 1 && width <= ECERT_TILE_WIDTH && hashes != NULL);
	MUST(index <= ECERT_TREE_MAX >> (8 * level) >> 8);
	return ECERT_OK;
}

static void
fuzz_growth(const EcertTileStore *store, uint64_t held, unsigned leaves)
{
	EcertTiles *tiles = calloc(1, sizeof *tiles);
	EcertCode	code = ecert_tiles_open(tiles, store, held);

	MUST(code == (held > ECERT_TREE_MAX ? ECERT_PROOF_RANGE : ECERT_OK));
	for (unsigned i = 0; code == ECERT_OK && i < leaves; i++)
	{
		code = ecert_tiles_append(tiles, store, zeros);
		MUST(code == (held + i >= ECERT_TREE_MAX ? ECERT_PROOF_RANGE : ECERT_OK));
	}
	if (code == ECERT_OK)
		MUST(tiles->size == held + leaves && ecert_tiles_flush(tiles, store) == ECERT_OK);
	free(tiles);
}

/* held leaves are there, and proofs are asked of any places: what a proof says is what its check wants */
static void
fuzz_tiles(EcertSlice bytes)
{
	uint64_t	held = take_number(&bytes);
	uint64_t	a = take_number(&bytes);
	uint64_t	b = take_number(&bytes);
	EcertTileStore store = {.context = &held, .read = read_zeros, .write = write_nothing};
	EcertProof	proof;
	uint8_t		root[ECERT_HASH_SIZE];
	EcertCode	code = ecert_tiles_inclusion(&store, a, b, &proof);

	MUST((code == ECERT_PROOF_RANGE) == (a >= b || b > ECERT_TREE_MAX));
	/* the last leaf itself is not asked for in its own proof */
	MUST(code == ECERT_PROOF_RANGE || (code == ECERT_OK) == (b <= held || (a == b - 1 && a <= held)));
	if (code == ECERT_OK)
		MUST(ecert_inclusion_root(zeros, a, b, &proof, root) == ECERT_OK);
	code = ecert_tiles_consistency(&store, a, b, &proof);
	MUST((code == ECERT_PROOF_RANGE) == (a == 0 || a > b || b > ECERT_TREE_MAX));
	if (code == ECERT_OK)
		MUST(ecert_consistency_check(a, zeros, b, zeros, &proof) == (a == b ? ECERT_OK : ECERT_PROOF_WRONG));
	code = ecert_tiles_root(&store, b, root);
	MUST(code == (b == 0 || b > ECERT_TREE_MAX ? ECERT_PROOF_RANGE : b > held ? ECERT_TILE_MISSING : ECERT_OK));
	fuzz_growth(&store, held, (unsigned) (a % 4));
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
		case MODE_RECEIPT:
			fuzz_receipt(bytes);
			break;
		case MODE_STATEMENT:
			fuzz_statement(bytes);
			break;
		case MODE_INCLUSION:
			fuzz_inclusion(bytes);
			break;
		case MODE_CONSISTENCY:
			fuzz_consistency(bytes);
			break;
		case MODE_TILES:
			fuzz_tiles(bytes);
			break;
	}
	free(copy);
	return 0;
}
