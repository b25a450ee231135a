/*
 * diag.h
 *		CBOR diagnostic notation (RFC 8949 section 8, RFC 8610 appendix G) to
 *		deterministic CBOR, for tests only.
 *
 * It shares no code with src/core, so that bytes made here and there check
 * each other.  Notation: integers to 64 bits, 1.50 (tag 4), 'text' or
 * "text" without escapes, h'00ff', true false null, [ ], { key: value }, tag(item),
 * << item >> for the item's bytes as a byte string.  Map entries are put in
 * order; a mistake in the notation ends the program.
 */
#ifndef ECERT_TEST_DIAG_H
#define ECERT_TEST_DIAG_H

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIAG_MAX 200000			/* bytes of one document */
#define DIAG_PAIRS 64

typedef struct Diag
{
	const char *text;			/* the whole, for messages */
	const char *at;
	uint8_t    *bytes;
	size_t		size;
} Diag;

typedef struct DiagPair
{
	const uint8_t *key;
	size_t		key_size;
	size_t		size;			/* key and value */
} DiagPair;

static void diag_item(Diag *diag);

static void
diag_fail(const Diag *diag, const char *problem)
{
	printf("Bail out! %s at \"%.40s\" in %.400s\n", problem, diag->at, diag->text);
	exit(2);
}

static void
diag_byte(Diag *diag, unsigned byte)
{
	if (diag->size == DIAG_MAX)
		diag_fail(diag, "document too large");
	diag->bytes[diag->size++] = (uint8_t) byte;
}

static void
diag_head(Diag *diag, unsigned type, uint64_t value)
{
	int			width = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 :
		value < UINT64_C(0x100000000) ? 4 : 8;
	static const unsigned infos[9] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};

	diag_byte(diag, type << 5 | (width == 0 ? (unsigned) value : infos[width]));
	while (width-- > 0)
		diag_byte(diag, (unsigned) (value >> (8 * width)) & 0xFF);
}

static void
diag_space(Diag *diag)
{
	while (*diag->at != '\0' && isspace((unsigned char) *diag->at))
		diag->at++;
}

/* Pass over mark when it comes next */
static bool
diag_take(Diag *diag, const char *mark)
{
	diag_space(diag);
	if (strncmp(diag->at, mark, strlen(mark)) != 0)
		return false;
	diag->at += strlen(mark);
	return true;
}

static void
diag_need(Diag *diag, const char *mark)
{
	if (!diag_take(diag, mark))
		diag_fail(diag, mark);
}

/* Put a head in front of what was written since start */
static void
diag_wrap(Diag *diag, size_t start, unsigned type, uint64_t value)
{
	size_t		size = diag->size - start;
	uint8_t    *content = malloc(size + 1);

	memcpy(content, diag->bytes + start, size);
	diag->size = start;
	diag_head(diag, type, value);
	for (size_t i = 0; i < size; i++)
		diag_byte(diag, content[i]);
	free(content);
}

static int
diag_nibble(Diag *diag)
{
	int			c = tolower((unsigned char) *diag->at);

	if (!isxdigit(c))
		diag_fail(diag, "not a hex digit");
	diag->at++;
	return isdigit(c) ? c - '0' : c - 'a' + 10;
}

static void
diag_hex(Diag *diag)
{
	size_t		start = diag->size;

	while (*diag->at != '\'')
	{
		unsigned	high = (unsigned) diag_nibble(diag);

		diag_byte(diag, high << 4 | (unsigned) diag_nibble(diag));
	}
	diag->at++;
	diag_wrap(diag, start, 2, diag->size - start);
}

static void
diag_text(Diag *diag, char quote)
{
	const char *end = strchr(diag->at, quote);

	if (end == NULL)
		diag_fail(diag, "text without end");
	diag_head(diag, 3, (uint64_t) (end - diag->at));
	while (diag->at < end)
		diag_byte(diag, (unsigned char) *diag->at++);
	diag->at++;
}

/* A number; with a point it becomes tag 4, before ( it is a tag */
static void
diag_number(Diag *diag)
{
	bool		minus = diag_take(diag, "-");
	bool		point = false;
	uint64_t	value = 0;
	unsigned	scale = 0;

	if (!isdigit((unsigned char) *diag->at))
		diag_fail(diag, "not an item");
	for (; isdigit((unsigned char) *diag->at) || *diag->at == '.'; diag->at++)
	{
		if (*diag->at == '.')
			point = true;
		else if (__builtin_mul_overflow(value, 10, &value) ||
				 __builtin_add_overflow(value, (uint64_t) (*diag->at - '0'), &value))
			diag_fail(diag, "number over 64 bits");
		else
			scale += point;
	}
	if (!point && !minus && diag_take(diag, "("))
	{
		diag_head(diag, 6, value);
		diag_item(diag);
		diag_need(diag, ")");
		return;
	}
	if (point)
	{
		diag_head(diag, 6, 4);
		diag_head(diag, 4, 2);
		diag_head(diag, 1, scale - 1);
	}
	if (minus && value > 0)
		diag_head(diag, 1, value - 1);
	else
		diag_head(diag, 0, value);
}

static void
diag_array(Diag *diag)
{
	size_t		start = diag->size;
	uint64_t	count = 0;

	while (!diag_take(diag, "]"))
	{
		if (count++ > 0)
			diag_need(diag, ",");
		diag_item(diag);
	}
	diag_wrap(diag, start, 4, count);
}

static int
diag_pair_order(const void *a, const void *b)
{
	const DiagPair *x = a;
	const DiagPair *y = b;
	size_t		common = x->key_size < y->key_size ? x->key_size : y->key_size;
	int			order = memcmp(x->key, y->key, common);

	return order != 0 ? order : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

/* Write the pairs that are at start again, in order */
static void
diag_sort(Diag *diag, size_t start, DiagPair *pairs, size_t count)
{
	size_t		size = diag->size - start;
	uint8_t    *copy = malloc(size + 1);

	memcpy(copy, diag->bytes + start, size);
	for (size_t i = 0; i < count; i++)
		pairs[i].key = copy + (pairs[i].key - (diag->bytes + start));
	qsort(pairs, count, sizeof pairs[0], diag_pair_order);
	diag->size = start;
	for (size_t i = 0; i < count; i++)
	{
		memcpy(diag->bytes + diag->size, pairs[i].key, pairs[i].size);
		diag->size += pairs[i].size;
	}
	free(copy);
}

static void
diag_map(Diag *diag)
{
	DiagPair	pairs[DIAG_PAIRS];
	size_t		start = diag->size;
	size_t		count = 0;

	while (!diag_take(diag, "}"))
	{
		if (count == DIAG_PAIRS)
			diag_fail(diag, "too many pairs");
		if (count > 0)
			diag_need(diag, ",");
		pairs[count].key = diag->bytes + diag->size;
		diag_item(diag);
		pairs[count].key_size = (size_t) (diag->bytes + diag->size - pairs[count].key);
		diag_need(diag, ":");
		diag_item(diag);
		pairs[count].size = (size_t) (diag->bytes + diag->size - pairs[count].key);
		count++;
	}
	diag_sort(diag, start, pairs, count);
	diag_wrap(diag, start, 5, count);
}

static void
diag_item(Diag *diag)
{
	size_t		start = diag->size;

	if (diag_take(diag, "h'"))
		diag_hex(diag);
	else if (diag_take(diag, "'"))
		diag_text(diag, '\'');
	else if (diag_take(diag, "\""))
		diag_text(diag, '"');
	else if (diag_take(diag, "["))
		diag_array(diag);
	else if (diag_take(diag, "{"))
		diag_map(diag);
	else if (diag_take(diag, "false"))
		diag_byte(diag, 0xF4);
	else if (diag_take(diag, "true"))
		diag_byte(diag, 0xF5);
	else if (diag_take(diag, "null"))
		diag_byte(diag, 0xF6);
	else if (diag_take(diag, "<<"))
	{
		diag_item(diag);
		diag_need(diag, ">>");
		diag_wrap(diag, start, 2, diag->size - start);
	}
	else
		diag_number(diag);
}

/* The bytes of one item; bytes has room for DIAG_MAX */
static size_t
diag_encode(const char *text, uint8_t *bytes)
{
	Diag		diag = {text, text, bytes, 0};

	diag_item(&diag);
	diag_space(&diag);
	if (*diag.at != '\0')
		diag_fail(&diag, "text after the item");
	return diag.size;
}

/* A formatted string, to be freed */
__attribute__((unused, format(printf, 1, 2)))
static char *
diag_format(const char *format,...)
{
	char	   *text = NULL;
	va_list		arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	return text;
}

/* Hex digits to bytes; bytes has room for half as many */
__attribute__((unused))
static size_t
diag_unhex(const char *hex, uint8_t *bytes)
{
	Diag		diag = {hex, hex, bytes, 0};

	while (*diag.at != '\0')
	{
		int			high = diag_nibble(&diag);

		bytes[diag.size++] = (uint8_t) (high << 4 | diag_nibble(&diag));
	}
	return diag.size;
}

#endif							/* ECERT_TEST_DIAG_H */
