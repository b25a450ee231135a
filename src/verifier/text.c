/*
 * text.c
 *		Words for messages, hexadecimal digits, small files.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/receipt.h"

#define PEM_MAX 65536

/* More than a transparent statement in hexadecimal digits */
#define PACKAGE_FILE_MAX (2 * ECERT_STATEMENT_READ_MAX + 16)

const char *
text_hash(const uint8_t *hash, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < ECERT_HASH_SIZE; i++)
	{
		text[2 * i] = digits[hash[i] >> 4];
		text[2 * i + 1] = digits[hash[i] & 15];
	}
	text[2 * ECERT_HASH_SIZE] = '\0';
	return text;
}

/* 1 + the value of a hexadecimal digit; 0: it is none */
static const uint8_t hex_values[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16
};

bool
hex_bytes(EcertSlice hex, uint8_t *bytes)
{
	if (hex.size % 2 != 0)
		return false;
	for (size_t i = 0; i < hex.size / 2; i++)
	{
		unsigned	high = hex_values[hex.data[2 * i]];
		unsigned	low = hex_values[hex.data[2 * i + 1]];

		if (high == 0 || low == 0)
			return false;
		bytes[i] = (uint8_t) ((high - 1) << 4 | (low - 1));
	}
	return true;
}

void
print_safe(EcertSlice text)
{
	for (size_t i = 0; i < text.size;)
	{
		EcertCharacter next = ecert_character(ecert_slice(text.data + i, text.size - i));

		if (next.is_seen)
			printf("%.*s", (int) next.size, (const char *) text.data + i);
		else
			printf("<U+%04" PRIX32 ">", next.point);
		i += next.size;
	}
}

bool
file_bytes(EcertArena *arena, const char *name, size_t most, EcertSlice *bytes)
{
	bool		is_input = strcmp(name, "-") == 0;
	FILE	   *file = is_input ? stdin : fopen(name, "rb");
	uint8_t    *room;
	size_t		size;
	int			failed = 0;

	if (file == NULL)
		return false;
	room = need(malloc(most + 1));
	size = fread(room, 1, most + 1, file);
	if (ferror(file))
		failed = errno != 0 ? errno : EIO;
	else if (size > most)
		failed = EFBIG;
	else
		*bytes = ecert_arena_copy(arena, ecert_slice(room, size));
	if (!is_input)
		fclose(file);
	free(room);
	errno = failed;
	return failed == 0;
}

bool
file_package(EcertArena *arena, const char *name, EcertSlice *bytes)
{
	EcertSlice	text;
	uint8_t    *decoded;

	if (!file_bytes(arena, name, PACKAGE_FILE_MAX, bytes))
		return false;
	text = *bytes;
	while (text.size > 0 && strchr(" \r\n\t", text.data[text.size - 1]) != NULL)
		text.size--;
	/* \x as psql prints it, \\x as COPY does */
	while (text.size > 0 && text.data[0] == '\\')
		text = ecert_slice(text.data + 1, text.size - 1);
	if (text.size > 0 && text.data[0] == 'x')
		text = ecert_slice(text.data + 1, text.size - 1);
	decoded = ecert_arena_alloc(arena, text.size / 2);
	if (text.size > 0 && hex_bytes(text, decoded))
		*bytes = ecert_slice(decoded, text.size / 2);
	return true;
}

const char *
file_key(EcertArena *arena, const char *name, EcertKeyFacts *key)
{
	EcertSlice	pem;
	size_t		size;

	if (!file_bytes(arena, name, PEM_MAX, &pem))
		return strerror(errno);
	if (ecert_public_key_from_pem(pem, &key->alg, key->raw, &size) != ECERT_OK ||
		ecert_key_thumbprint(key->alg, ecert_slice(key->raw, size), key->kid) != ECERT_OK)
		return "there is no public key (PEM) in it that ecert uses";
	return NULL;
}

bool
write_whole(int file, const uint8_t *bytes, size_t size, uint64_t offset)
{
	while (size > 0)
	{
		ssize_t		written = pwrite(file, bytes, size, (off_t) offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		size -= (size_t) written;
		offset += (uint64_t) written;
	}
	return true;
}
