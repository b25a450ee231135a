/*
 * text.c
 *		Words for messages, hexadecimal digits, small files.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

const char *
text_hex(const uint8_t *bytes, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++)
	{
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}

const char *
text_hash(const uint8_t *hash, char *text)
{
	return text_hex(hash, ECERT_HASH_SIZE, text);
}

const char *
text_time(int64_t seconds, char *text)
{
	time_t		time = (time_t) seconds;
	struct tm	date;

	if (seconds == INT64_MAX || gmtime_r(&time, &date) == NULL)
		return strcpy(text, "infinity");
	snprintf(text, TIME_ROOM, "%04d-%02d-%02d %02d:%02d:%02d+00", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
			 date.tm_hour, date.tm_min, date.tm_sec);
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

uint8_t *
file_bytes(const char *name, size_t most, size_t *size)
{
	bool		is_input = strcmp(name, "-") == 0;
	FILE	   *file = is_input ? stdin : fopen(name, "rb");
	uint8_t    *bytes;
	int			failed = 0;

	if (file == NULL)
		return NULL;
	bytes = need(malloc(most + 1));
	*size = fread(bytes, 1, most + 1, file);
	if (ferror(file))
		failed = errno != 0 ? errno : EIO;
	else if (*size > most)
		failed = EFBIG;
	if (!is_input)
		fclose(file);
	if (failed == 0)
		return bytes;
	free(bytes);
	errno = failed;
	return NULL;
}

/* Is it hexadecimal digits from end to end? */
static bool
is_hex(EcertSlice text)
{
	for (size_t i = 0; i < text.size; i++)
	{
		if (hex_values[text.data[i]] == 0)
			return false;
	}
	return text.size > 0;
}

uint8_t *
file_package(const char *name, size_t most, size_t *size)
{
	uint8_t    *bytes = file_bytes(name, most, size);
	EcertSlice	text;

	if (bytes == NULL)
		return NULL;
	text = ecert_slice(bytes, *size);
	while (text.size > 0 && strchr(" \r\n\t", text.data[text.size - 1]) != NULL)
		text.size--;
	/* \x as psql prints it, \\x as COPY does */
	while (text.size > 0 && text.data[0] == '\\')
		text = ecert_slice(text.data + 1, text.size - 1);
	if (text.size > 0 && text.data[0] == 'x')
		text = ecert_slice(text.data + 1, text.size - 1);
	if (is_hex(text) && hex_bytes(text, bytes))
		*size = text.size / 2;
	return bytes;
}
