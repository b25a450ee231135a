/*
 * seeds.c
 *		Write the seed corpus of fuzz_package.c: a good body and a good package
 *		of every kind, examples of CBOR, and decimals.
 *
 * seeds FOLDER
 */
#include "bodies.h"
#include "vectors_cbor.h"

#include <errno.h>
#include <sys/stat.h>

#define MODE_PACKAGE ECERT_KIND_COUNT
#define MODE_CBOR (ECERT_KIND_COUNT + 1)
#define MODE_DECIMAL (ECERT_KIND_COUNT + 2)

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

/* The body alone, and in a package */
static void
write_body(EcertKind kind, const char *text, const EcertPrivateKey *key)
{
	static uint8_t body_bytes[DIAG_MAX];
	static uint8_t out_bytes[ECERT_PACKAGE_MAX];
	static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
	static const uint8_t prev[ECERT_HASH_SIZE] = {1, 2, 3};
	EcertSlice	body = ecert_slice(body_bytes, diag_encode(text, body_bytes));
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
	write_seed((int) kind, body);
	write_seed(MODE_PACKAGE, ecert_slice(out_bytes, out.size));
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
			   "'series': {'step': 900, 'exp': -3, 'values': [1000, 0, 250, 70000]}}], 'ext': {'free': [1.5, null]}}", key);
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

int
main(int argc, char **argv)
{
	static const uint8_t seed[32] = {7};
	EcertPrivateKey *key = NULL;

	if (argc != 2)
	{
		fprintf(stderr, "usage: seeds FOLDER\n");
		return 2;
	}
	folder = argv[1];
	if (ecert_private_key_from_seed(ecert_slice(seed, sizeof seed), &key) != ECERT_OK)
		return 1;
	write_bodies(key);
	write_others();
	ecert_private_key_free(key);
	printf("%zu seeds in %s\n", written, folder);
	return 0;
}
