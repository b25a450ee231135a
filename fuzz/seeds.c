/*
 * seeds.c
 *		Write the seed corpus of a fuzz target.
 *
 * seeds FOLDER TARGET
 *
 * For fuzz_package a good body and a good package of every kind, examples of
 * CBOR, and decimals; for fuzz_receipt a receipt, statements, proofs and
 * places in trees; for fuzz_note notes, lines, names and base64.
 */
#include "bodies.h"
#include "vectors_cbor.h"
#include "vectors_merkle.h"
#include "vectors_note.h"

#include "core/note.h"
#include "core/receipt.h"

#include <errno.h>
#include <sys/stat.h>

/* The first bytes that the targets know */
#define MODE_PACKAGE ECERT_KIND_COUNT
#define MODE_CBOR (ECERT_KIND_COUNT + 1)
#define MODE_DECIMAL (ECERT_KIND_COUNT + 2)

enum
{
	MODE_RECEIPT, MODE_STATEMENT, MODE_INCLUSION, MODE_CONSISTENCY, MODE_TILES
};

enum
{
	MODE_NOTE, MODE_LINES, MODE_BASE64, MODE_BYTES, MODE_NAME
};

static const char *folder;
static size_t written = 0;

static void
write_seed(int mode, EcertSlice bytes)
{
	char	   *name = diag_format("%s/seed-%03zu", folder, written++);
	FILE	   *file = fopen(name, "wb");

	if (file == NULL || fputc(mode, file) == EOF || fwrite(bytes.data, 1, bytes.size, file) != bytes.size ||
		fclose(file) != 0)
	{
		fprintf(stderr, "seeds: could not write \"%s\": %s\n", name, strerror(errno));
		exit(1);
	}
	free(name);
}

/* A package of a kind with that body; in static storage */
static EcertSlice
package_of(EcertKind kind, EcertSlice body, const EcertPrivateKey *key)
{
	static uint8_t out_bytes[ECERT_PACKAGE_MAX];
	static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
	static const uint8_t prev[ECERT_HASH_SIZE] = {1, 2, 3};
	EcertBuffer out = ecert_buffer(out_bytes, sizeof out_bytes);
	EcertPackage package;

	memset(&package, 0, sizeof package);
	package.kind = kind;
	package.body = body;
	package.issuer = ecert_slice_text("mill");
	package.subject = ecert_slice_text("grid");
	package.audience = ecert_slice_text("ledger.example/e");
	package.issued_at = 1706832000;
	package.seq = kind == ECERT_KIND_GENESIS ? 0 : 41;
	package.prev = ecert_slice(prev, kind == ECERT_KIND_GENESIS ? 0 : sizeof prev);
	if (ecert_package_sign(&package, key, &out, ecert_buffer(scratch, sizeof scratch)) != ECERT_OK)
	{
		fprintf(stderr, "seeds: could not sign a package of kind %s\n", ecert_kind_name(kind));
		exit(1);
	}
	return ecert_slice(out_bytes, out.size);
}

/* The body alone, and in a package */
static void
write_body(EcertKind kind, const char *text, const EcertPrivateKey *key)
{
	static uint8_t body_bytes[DIAG_MAX];
	EcertSlice	body = ecert_slice(body_bytes, diag_encode(text, body_bytes));

	write_seed((int) kind, body);
	write_seed(MODE_PACKAGE, package_of(kind, body, key));
}

static void
write_bodies(const EcertPrivateKey *key)
{
	for (size_t i = 0; i < COUNT(body_shapes); i++)
	{
		char	   *map = body_map_text(&body_shapes[i], true, SIZE_MAX, NULL);
		char	   *body = body_text(&body_shapes[i], map);

		write_body(body_shapes[i].kind, body, key);
		free(body);
		free(map);
	}
	write_body(ECERT_KIND_ENERGY, "{'period': [0, 3600], 'lines': [{'source': 'power', 'unit': 'kWh', "
			   "'series': {'step': 900, 'exp': -3, 'values': [1000, 0, 250, 70000]}}], 'reason': 'meter exchanged'}", key);
}

static void
write_others(void)
{
	static const char *const decimals[] = {
		"0.00", "-0.5", "1200", "9223372036854775807", "-9.223372036854775808", "10000000000000000000000", "1.2.3"
	};
	uint8_t		bytes[256];

	for (size_t i = 0; i < COUNT(rfc8949_vectors); i++)
		write_seed(MODE_CBOR, ecert_slice(bytes, diag_unhex(rfc8949_vectors[i].hex, bytes)));
	for (size_t i = 0; i < COUNT(decimals); i++)
		write_seed(MODE_DECIMAL, ecert_slice_text(decimals[i]));
}

static void
write_packages(const EcertPrivateKey *key)
{
	write_bodies(key);
	write_others();
}

/* ----- receipts ----- */

static void
put_number(EcertBuffer *out, uint64_t number)
{
	for (int i = 7; i >= 0; i--)
	{
		uint8_t		byte = (uint8_t) (number >> (8 * i));

		ecert_buffer_put(out, ecert_slice(&byte, 1));
	}
}

/* Two places and what proves them */
static void
write_proofs(int mode, const MerkleVector *vectors, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		uint8_t		bytes[256];
		uint8_t		hash[ECERT_HASH_SIZE];
		EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

		put_number(&out, vectors[i].a);
		put_number(&out, vectors[i].b);
		for (const char *const *hashes = vectors[i].hashes; *hashes != NULL; hashes++)
			ecert_buffer_put(&out, ecert_slice(hash, diag_unhex(*hashes, hash)));
		write_seed(mode, ecert_slice(bytes, out.size));
	}
}

/* How many leaves there are, and two places among them */
static void
write_places(void)
{
	static const uint64_t places[][3] = {
		{8, 5, 8}, {257, 256, 257}, {65536, 255, 65536}, {ECERT_TREE_MAX, ECERT_TREE_MAX - 1, ECERT_TREE_MAX}, {3, 7, 9},
		{UINT64_MAX, UINT64_MAX - 1, UINT64_MAX}
	};

	for (size_t i = 0; i < COUNT(places); i++)
	{
		uint8_t		bytes[24];
		EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

		for (int k = 0; k < 3; k++)
			put_number(&out, places[i][k]);
		write_seed(MODE_TILES, ecert_slice(bytes, out.size));
	}
}

static void
write_receipts(const EcertPrivateKey *key)
{
	static uint8_t body_bytes[DIAG_MAX];
	static uint8_t statement[ECERT_STATEMENT_MAX];
	static const uint8_t kid[ECERT_HASH_SIZE] = {4, 5, 6};
	static const EcertProof path = {.hashes = {{1}, {2}, {3}}, .count = 3};
	const EcertSealHeader header = {
		ECERT_ALG_ED25519, ecert_slice(kid, sizeof kid), ecert_slice_text("certifier"), ecert_slice_text("ledger.example/e"), 8
	};
	uint8_t		receipt[ECERT_RECEIPT_MAX];
	uint8_t		seal[ECERT_SIGNATURE_MAX];
	EcertBuffer out = ecert_buffer(receipt, sizeof receipt);
	EcertSlice	bytes = package_of(ECERT_KIND_POLICY, ecert_slice(body_bytes, diag_encode("{}", body_bytes)), key);
	EcertPackage package;

	if (ecert_seal(&header, kid, key, seal) != ECERT_OK ||
		ecert_package_parse(bytes, &package, NULL) != ECERT_OK)
		exit(1);
	ecert_receipt_put(&out, &header, ecert_slice(seal, ecert_signature_size(header.alg)), 5, &path);
	bytes = ecert_slice(receipt, out.size);
	write_seed(MODE_RECEIPT, bytes);
	write_seed(MODE_STATEMENT, package.bytes);
	out = ecert_buffer(statement, sizeof statement);
	ecert_statement_put(&out, &package, bytes);
	write_seed(MODE_STATEMENT, ecert_slice(statement, out.size));
	write_proofs(MODE_INCLUSION, merkle_inclusions, COUNT(merkle_inclusions));
	write_proofs(MODE_CONSISTENCY, merkle_consistencies, COUNT(merkle_consistencies));
	write_places();
}

/* ----- notes ----- */

static void
write_notes(const EcertPrivateKey *key)
{
	static const char *const names[] = {"ledger.example/e", "a+b", "a b", "a\xc2\x85", "\xe3\x80\x80"};
	static const uint8_t root[ECERT_HASH_SIZE] = {1, 2, 3};
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

	if (ecert_note_sign(&out, ecert_slice_text(names[0]), 12, root, key) != ECERT_OK)
		exit(1);
	write_seed(MODE_NOTE, ecert_slice(bytes, out.size));
	write_seed(MODE_NOTE, ecert_slice_text(C2SP_TEXT "\n" C2SP_LOG_LINE C2SP_COSIGNATURE_LINE));
	write_seed(MODE_NOTE, ecert_slice_text(C2SP_TEXT "extension\n\n" GO_LINE));
	write_seed(MODE_LINES, ecert_slice_text(C2SP_LOG_LINE C2SP_COSIGNATURE_LINE GO_LINE));
	write_seed(MODE_BASE64, ecert_slice_text(GO_PUBLIC));
	write_seed(MODE_BASE64, ecert_slice_text("Zg=="));
	write_seed(MODE_BYTES, ecert_slice_text("bytes"));
	for (size_t i = 0; i < COUNT(names); i++)
		write_seed(MODE_NAME, ecert_slice_text(names[i]));
}

/* What COPY writes, with rows short, NULL, too long and cut off; the mode is how many bytes are read at once */
static void
write_dumps(const EcertPrivateKey *key)
{
	static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	static const char extended[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\3abc\0\1\0\0\0\2ab\377\377";
	static const char short_rows[] = "\0\1\0\0\0\3abc\0\1\377\377\377\377";
	static const char long_row[] = "\0\1\0\0\1\100";
	static uint8_t bytes[4096];
	EcertBuffer dump = ecert_buffer(bytes, sizeof bytes);

	(void) key;
	write_seed(7, ecert_slice(extended, sizeof extended - 1));
	ecert_buffer_put(&dump, ecert_slice(header, sizeof header - 1));
	for (int i = 0; i < 20; i++)
		ecert_buffer_put(&dump, ecert_slice(short_rows, sizeof short_rows - 1));
	write_seed(0, ecert_slice(bytes, dump.size));
	ecert_buffer_put(&dump, ecert_slice(long_row, sizeof long_row - 1));
	dump.size += 320;
	ecert_buffer_put(&dump, ecert_slice("\377\377", 2));
	write_seed(100, ecert_slice(bytes, dump.size));
	write_seed(1, ecert_slice_text("package\n\\\\xd284\n\\xAB\n\\N\nplant\tenergy\n\\.\n"));
	memset(bytes, 'a', sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i += 450)
		memcpy(bytes + i, "\n\\\\x", 4);
	write_seed(0, ecert_slice(bytes, sizeof bytes));
}

static const struct
{
	const char *name;
	void		(*write) (const EcertPrivateKey *key);
}			targets[] = {
	{"fuzz_package", write_packages},
	{"fuzz_receipt", write_receipts},
	{"fuzz_note", write_notes},
	{"fuzz_dump", write_dumps},
};

int
main(int argc, char **argv)
{
	static const uint8_t seed[32] = {7};
	EcertPrivateKey *key = NULL;

	if (argc != 3)
	{
		fprintf(stderr, "usage: seeds FOLDER TARGET\n");
		return 2;
	}
	folder = argv[1];
	if (ecert_private_key_from_seed(ecert_slice(seed, sizeof seed), &key) != ECERT_OK)
		return 1;
	for (size_t i = 0; i < COUNT(targets); i++)
	{
		if (strcmp(targets[i].name, argv[2]) == 0)
			targets[i].write(key);
	}
	ecert_private_key_free(key);
	printf("%zu seeds in %s\n", written, folder);
	/* a target without seeds is a name misspelt */
	return written > 0 ? 0 : 1;
}
