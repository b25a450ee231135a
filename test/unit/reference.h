/*
 * reference.h
 *		A second, slow and recursive reader of the strict CBOR profile, for
 *		tests only: it answers yes or no, and must agree with src/core/cbor.c.
 */
#ifndef ECERT_TEST_REFERENCE_H
#define ECERT_TEST_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define REFERENCE_DEPTH 16

/* What is left to read */
typedef struct Reference
{
	const uint8_t *at;
	const uint8_t *start;
	const uint8_t *end;
	bool		body;			/* a body: no bytes, text keys, no U+0000, no tag 18 */
} Reference;

static bool reference_item(Reference *in, int depth);

/* The head at in->at */
static bool
reference_head(Reference *in, unsigned *type, unsigned *info, uint64_t *value)
{
	size_t		width;

	if (in->at == in->end)
		return false;
	*type = *in->at >> 5;
	*info = *in->at & 31;
	in->at++;
	*value = *info;
	if (*info < 24)
		return true;
	if (*info > 27)
		return false;
	width = *info == 24 ? 1 : *info == 25 ? 2 : *info == 26 ? 4 : 8;
	if ((size_t) (in->end - in->at) < width)
		return false;
	*value = 0;
	for (size_t i = 0; i < width; i++)
		*value = *value * 256 + *in->at++;
	return width == 1 ? *value >= 24 : *value >> (4 * width) != 0;
}

static bool
reference_continues(const uint8_t *at, const uint8_t *end, size_t count)
{
	if ((size_t) (end - at) < count)
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (at[i] < 0x80 || at[i] > 0xBF)
			return false;
	}
	return true;
}

/* The table of well-formed byte sequences (Unicode chapter 3, table 3-7) */
static bool
reference_utf8(const uint8_t *at, const uint8_t *end)
{
	while (at < end)
	{
		uint8_t		a = *at++;
		size_t		more = a < 0x80 ? 0 : a < 0xE0 ? 1 : a < 0xF0 ? 2 : 3;

		if ((a >= 0x80 && a < 0xC2) || a > 0xF4 || !reference_continues(at, end, more))
			return false;
		if ((a == 0xE0 && *at < 0xA0) || (a == 0xED && *at > 0x9F) ||
			(a == 0xF0 && *at < 0x90) || (a == 0xF4 && *at > 0x8F))
			return false;
		at += more;
	}
	return true;
}

static bool
reference_string(Reference *in, unsigned type, uint64_t size)
{
	const uint8_t *content = in->at;

	if (size > (uint64_t) (in->end - in->at) || (in->body && type == 2))
		return false;
	in->at += size;
	if (type == 2)
		return true;
	return reference_utf8(content, in->at) &&
		!(in->body && size > 0 && memchr(content, 0, (size_t) size) != NULL);
}

/* [exponent, mantissa] behind tag 4; the array is one more level */
static bool
reference_decimal(Reference *in, int depth)
{
	unsigned	type,
				info;
	uint64_t	value;
	uint64_t	zeros;
	__int128	whole;

	if (depth > REFERENCE_DEPTH || !reference_head(in, &type, &info, &value) || type != 4 || value != 2)
		return false;
	if (!reference_head(in, &type, &info, &value) ||
		!((type == 0 && value <= 18) || (type == 1 && value <= 17)))
		return false;
	zeros = type == 0 ? value : UINT64_MAX;
	if (!reference_head(in, &type, &info, &value) || type > 1 || value > INT64_MAX)
		return false;
	if (zeros == UINT64_MAX)
		return true;
	/* what 64 bits hold is an integer, and what they do not has as many zeros in the exponent as there are, up to 18 */
	whole = type == 0 ? (__int128) value : -1 - (__int128) value;
	if (zeros < 18 && whole % 10 == 0)
		return false;
	for (uint64_t i = 0; i < zeros; i++)
		whole *= 10;
	return whole > INT64_MAX || whole < INT64_MIN;
}

static bool
reference_map(Reference *in, uint64_t pairs, int depth)
{
	const uint8_t *last = NULL;
	size_t		last_size = 0;

	for (; pairs > 0; pairs--)
	{
		const uint8_t *key = in->at;
		size_t		size;
		int			order;

		if (in->body && (key == in->end || *key >> 5 != 3))
			return false;
		if (!reference_item(in, depth + 1))
			return false;
		size = (size_t) (in->at - key);
		if (last != NULL)
		{
			order = memcmp(last, key, size < last_size ? size : last_size);
			if (order > 0 || (order == 0 && last_size >= size))
				return false;
		}
		last = key;
		last_size = size;
		if (!reference_item(in, depth + 1))
			return false;
	}
	return true;
}

/* depth is the level of an array, map or tag that starts here, from 1 */
static bool
reference_item(Reference *in, int depth)
{
	const uint8_t *start = in->at;
	unsigned	type,
				info;
	uint64_t	value;

	if (!reference_head(in, &type, &info, &value))
		return false;
	if (type >= 4 && type <= 6 && depth > REFERENCE_DEPTH)
		return false;
	switch (type)
	{
		case 0:
		case 1:
			return !in->body || value <= INT64_MAX;
		case 2:
		case 3:
			return reference_string(in, type, value);
		case 4:
			for (; value > 0; value--)
			{
				if (!reference_item(in, depth + 1))
					return false;
			}
			return true;
		case 5:
			return reference_map(in, value, depth);
		case 6:
			if (value == 4)
				return reference_decimal(in, depth + 1);
			return value == 18 && start == in->start && !in->body && reference_item(in, depth + 1);
		case 7:
			return info >= 20 && info <= 22;
	}
	return true;
}

/* True when bytes are one item of the profile, or, when body, a body's map */
static bool
reference_check(const uint8_t *bytes, size_t size, bool body)
{
	Reference	in = {bytes, bytes, bytes + size, body};

	if (body && (size == 0 || bytes[0] >> 5 != 5))
		return false;
	return reference_item(&in, 1) && in.at == in.end;
}

#endif							/* ECERT_TEST_REFERENCE_H */
