/*
 * ecert-receipt.c
 *		Make and check receipts and checkpoints of files, without a server: what
 *		other people's libraries are held against.
 */
#include "core/note.h"
#include "core/receipt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_SIZE (1 << 20)

static const char usage_text[] =
	"ecert-receipt makes and checks receipts and checkpoints of files.\n"
	"\n"
	"  ecert-receipt make KEY CERTIFIER ORIGIN INDEX ENTRY...\n"
	"                                            print the receipt of entry INDEX (from 0) in the tree of all\n"
	"  ecert-receipt check ENTRY RECEIPT PUBLIC  check a receipt; print the leaf and the size of its tree\n"
	"  ecert-receipt join PACKAGE RECEIPT        print the transparent statement of both\n"
	"  ecert-receipt part STATEMENT              print the package of a transparent statement\n"
	"  ecert-receipt note KEY ORIGIN ENTRY...    print a signed checkpoint of the tree of all\n"
	"  ecert-receipt cosign KEY NAME TIME NOTE   print a cosignature of a note, made at TIME\n"
	"  ecert-receipt opened NOTE NAME PUBLIC     check a note's signatures by NAME; print what it says, and the\n"
	"                                            time of a cosignature\n"
	"\n"
	"Keys are PEM files. A leaf is SHA-256(00 || entry). The exit status is 1 when a check fails.\n";

__attribute__((noreturn, format(printf, 1, 2)))
static void
die(const char *format,...)
{
	va_list		arguments;

	fprintf(stderr, "ecert-receipt: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void
need(EcertCode code, const char *what)
{
	if (code != ECERT_OK)
		die("%s: %s", what, ecert_error_text(code));
}

static void
print(EcertSlice bytes)
{
	if (fwrite(bytes.data, 1, bytes.size, stdout) != bytes.size || fflush(stdout) != 0)
		die("could not write: %s", strerror(errno));
}

/* ----- files ----- */

/* A whole file, to be freed */
static EcertSlice
read_file(const char *name)
{
	FILE	   *file = fopen(name, "rb");
	uint8_t    *bytes = malloc(TEXT_SIZE);
	size_t		size;

	if (file == NULL || bytes == NULL)
		die("%s: %s", name, strerror(errno));
	size = fread(bytes, 1, TEXT_SIZE, file);
	if (ferror(file) || size == TEXT_SIZE)
		die("%s: cannot be read, or is larger than this program reads", name);
	fclose(file);
	return ecert_slice(bytes, size);
}

static void
release(EcertSlice bytes)
{
	free((void *) bytes.data);
}

static uint64_t
parse_number(const char *text)
{
	char	   *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		die("not a number: \"%s\"", text);
	return value;
}

static EcertPrivateKey *
load_private(const char *name)
{
	EcertPrivateKey *key;

	need(ecert_private_key_load(name, NULL, &key), name);
	return key;
}

/* The raw key of a PEM file, and its algorithm */
static EcertSlice
load_public(const char *name, EcertAlg *alg, uint8_t *raw)
{
	EcertSlice	pem = read_file(name);
	size_t		size;

	need(ecert_public_key_from_pem(pem, alg, raw, &size), name);
	release(pem);
	return ecert_slice(raw, size);
}

static void
hash_file(const char *name, uint8_t *leaf)
{
	EcertSlice	entry = read_file(name);

	need(ecert_package_hash(entry, leaf), name);
	release(entry);
}

/* ----- a tree of files ----- */

/* Tiles as far as so few leaves need them: one of each level */
typedef struct Memory
{
	EcertTiles	tiles;
	uint8_t		full[ECERT_TILE_BYTES];
} Memory;

static EcertCode
read_tile(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t **hashes)
{
	Memory	   *memory = context;
	uint64_t	count = memory->tiles.size >> (8 * level);

	if (index > 0 || width > count)
		return ECERT_TILE_MISSING;
	*hashes = count == ECERT_TILE_WIDTH ? memory->full : memory->tiles.last[level];
	return ECERT_OK;
}

/* Only level 0 can become full */
static EcertCode
write_tile(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t *hashes)
{
	Memory	   *memory = context;

	if (level > 0 || index > 0 || width != ECERT_TILE_WIDTH)
		return ECERT_NO_SPACE;
	memcpy(memory->full, hashes, sizeof memory->full);
	return ECERT_OK;
}

static EcertTileStore
grow(Memory *memory, int count, char **entries)
{
	EcertTileStore store = {.context = memory, .read = read_tile, .write = write_tile};

	if (count < 1 || count > ECERT_TILE_WIDTH)
		die("a tree here has 1 to %d entries", ECERT_TILE_WIDTH);
	need(ecert_tiles_open(&memory->tiles, &store, 0), "tree");
	for (int i = 0; i < count; i++)
	{
		uint8_t		leaf[ECERT_HASH_SIZE];

		hash_file(entries[i], leaf);
		need(ecert_tiles_append(&memory->tiles, &store, leaf), entries[i]);
	}
	return store;
}

/* ----- receipts ----- */

static void
command_make(int count, char **arguments)
{
	static Memory memory;
	EcertPrivateKey *key = load_private(arguments[0]);
	uint64_t	index = parse_number(arguments[3]);
	EcertTileStore store = grow(&memory, count - 4, arguments + 4);
	uint64_t	size = memory.tiles.size;
	uint8_t		bytes[ECERT_RECEIPT_MAX];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		kid[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		seal[ECERT_SIGNATURE_MAX];
	EcertSealHeader header = {
		ecert_private_key_alg(key), ecert_slice(kid, sizeof kid), ecert_slice_text(arguments[1]), ecert_slice_text(arguments[2]), size
	};
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertProof	path;
	size_t		raw_size;

	need(ecert_private_key_public(key, raw, &raw_size), "key");
	need(ecert_key_thumbprint(header.alg, ecert_slice(raw, raw_size), kid), "key");
	need(ecert_tiles_root(&store, size, root), "tree");
	need(ecert_tiles_inclusion(&store, index, size, &path), "proof");
	need(ecert_seal(&header, root, key, seal), "seal");
	ecert_receipt_put(&out, &header, ecert_slice(seal, ecert_signature_size(header.alg)), index, &path);
	ecert_private_key_free(key);
	print(ecert_slice(bytes, out.size));
}

static void
command_check(int count, char **arguments)
{
	EcertSlice	bytes = read_file(arguments[1]);
	EcertReceipt receipt;
	EcertPublicKey *key;
	EcertSlice	raw_key;
	EcertAlg	alg;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		leaf[ECERT_HASH_SIZE];

	(void) count;
	hash_file(arguments[0], leaf);
	need(ecert_receipt_parse(bytes, &receipt, NULL), "receipt");
	raw_key = load_public(arguments[2], &alg, raw);
	need(ecert_public_key_new(alg, raw_key, &key), "key");
	need(ecert_receipt_verify(&receipt, leaf, key), "receipt");
	printf("leaf %" PRIu64 " of %" PRIu64 "\n", receipt.leaf_index, receipt.tree_size);
	ecert_public_key_free(key);
	release(bytes);
}

static void
command_join(int count, char **arguments)
{
	static uint8_t bytes[ECERT_STATEMENT_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertSlice	package_bytes = read_file(arguments[0]);
	EcertSlice	receipt = read_file(arguments[1]);
	EcertPackage package;

	(void) count;
	need(ecert_package_parse(package_bytes, &package, NULL), "package");
	ecert_statement_put(&out, &package, receipt);
	need(ecert_buffer_fits(&out) ? ECERT_OK : ECERT_NO_SPACE, "statement");
	print(ecert_slice(bytes, out.size));
	release(package_bytes);
	release(receipt);
}

static void
command_part(int count, char **arguments)
{
	static uint8_t bytes[ECERT_PACKAGE_MAX];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertSlice	statement = read_file(arguments[0]);
	EcertStatement parts;

	(void) count;
	need(ecert_statement_parse(statement, &out, &parts, NULL), "statement");
	print(ecert_slice(bytes, out.size));
	release(statement);
}

/* ----- notes ----- */

static void
command_note(int count, char **arguments)
{
	static Memory memory;
	EcertPrivateKey *key = load_private(arguments[0]);
	EcertTileStore store = grow(&memory, count - 2, arguments + 2);
	uint8_t		bytes[ECERT_NOTE_MAX];
	uint8_t		root[ECERT_HASH_SIZE];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

	need(ecert_tiles_root(&store, memory.tiles.size, root), "tree");
	need(ecert_note_sign(&out, ecert_slice_text(arguments[1]), memory.tiles.size, root, key), "note");
	ecert_private_key_free(key);
	print(ecert_slice(bytes, out.size));
}

static void
command_cosign(int count, char **arguments)
{
	EcertPrivateKey *key = load_private(arguments[0]);
	EcertSlice	bytes = read_file(arguments[3]);
	uint8_t		line[ECERT_NOTE_LINE_MAX];
	EcertBuffer out = ecert_buffer(line, sizeof line);
	EcertNote	note;

	(void) count;
	need(ecert_note_parse(bytes, &note, NULL), "note");
	need(ecert_note_cosign(&out, note.text, ecert_slice_text(arguments[1]), (int64_t) parse_number(arguments[2]), key), "cosignature");
	ecert_private_key_free(key);
	print(ecert_slice(line, out.size));
	release(bytes);
}

static void
command_opened(int count, char **arguments)
{
	EcertSlice	bytes = read_file(arguments[0]);
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	EcertAlg	alg;
	EcertSlice	key = load_public(arguments[2], &alg, raw);
	EcertNoteSignature signature;
	EcertNote	note;
	int64_t		time;
	int			verified = 0;

	(void) count;
	need(ecert_note_parse(bytes, &note, NULL), "note");
	for (EcertSlice rest = note.origin; rest.size > 0;)
	{
		EcertCharacter next = ecert_character(rest);

		if (next.is_seen)
			printf("%.*s", (int) next.size, (const char *) rest.data);
		else
			printf("<U+%04" PRIX32 ">", next.point);
		rest = ecert_slice(rest.data + next.size, rest.size - next.size);
	}
	printf(" %" PRIu64 "\n", note.size);
	while (ecert_note_next_signature(&note.signatures, &signature))
	{
		if (!ecert_slice_equal(signature.name, ecert_slice_text(arguments[1])))
			continue;
		if (ecert_note_verify(note.text, &signature, key) == ECERT_OK)
		{
			verified++;
			printf("signed\n");
		}
		else if (ecert_note_verify_cosignature(note.text, &signature, key, &time) == ECERT_OK)
		{
			verified++;
			printf("cosigned at %" PRId64 "\n", time);
		}
	}
	release(bytes);
	need(verified > 0 ? ECERT_OK : ECERT_BAD_SIGNATURE, "note");
}

static const struct
{
	const char *name;
	int			least;
	int			most;
	void		(*run) (int count, char **arguments);
}			commands[] = {
	{"make", 5, ECERT_TILE_WIDTH + 4, command_make},
	{"check", 3, 3, command_check},
	{"join", 2, 2, command_join},
	{"part", 1, 1, command_part},
	{"note", 3, ECERT_TILE_WIDTH + 2, command_note},
	{"cosign", 4, 4, command_cosign},
	{"opened", 3, 3, command_opened},
};

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
	{
		fputs(usage_text, stdout);
		return 0;
	}
	for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0]; i++)
	{
		if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].least && argc - 2 <= commands[i].most)
		{
			commands[i].run(argc - 2, argv + 2);
			return 0;
		}
	}
	fputs(usage_text, stderr);
	return 2;
}
