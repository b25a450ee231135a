/*
 * fuzz_dump.c
 *		The dumps that ecert-verify reads, text and binary, against a second
 *		reader that has the whole input before it.
 *
 * The first byte says in what pieces the input is read.  Blocks are small here
 * (see the Makefile), so that rows lie across their ends.
 */
#include "verifier/dump.h"
#include "verifier/verifier.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS_MAX 8192

/* A row as both readers see it; too long ones have no bytes */
typedef struct Row
{
	DumpState	state;
	uint64_t	number;
	size_t		size;
	uint8_t		bytes[DUMP_PACKAGE_MAX];
} Row;

typedef struct Rows
{
	size_t		count;
	bool		damaged;
	Row			list[ROWS_MAX];
} Rows;

typedef struct Input
{
	const uint8_t *bytes;
	size_t		size;
	size_t		at;
	size_t		piece;
} Input;

static Rows read_rows;
static Rows expected_rows;

/* What text.c wants of memory.c */
void *
need(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

static ssize_t
read_piece(void *context, void *bytes, size_t size)
{
	Input	   *input = context;
	size_t		left = input->size - input->at;
	size_t		got = left < input->piece ? left : input->piece;

	if (got > size)
		got = size;
	memcpy(bytes, input->bytes + input->at, got);
	input->at += got;
	return (ssize_t) got;
}

static void
put(Rows *rows, DumpState state, const uint8_t *bytes, size_t size)
{
	Row		   *row = &rows->list[rows->count];

	if (rows->count == ROWS_MAX)
		abort();
	row->state = state;
	row->number = ++rows->count;
	row->size = state == DUMP_PACKAGE ? size : 0;
	if (state == DUMP_PACKAGE)
		memcpy(row->bytes, bytes, size);
}

static void
read_all(Input *input)
{
	static Dump dump;
	static DumpBlock block;
	DumpRow		row;

	read_rows.count = 0;
	dump_open(&dump, read_piece, input);
	while (dump_next_block(&dump, &block))
	{
		while (dump_next_row(&block, &row))
		{
			put(&read_rows, row.state, row.bytes, row.size);
			if (row.number != read_rows.count)
				abort();
		}
	}
	read_rows.damaged = dump.damage != NULL;
}

/* ----- the second reader ----- */

static uint32_t
big_endian(const uint8_t *bytes, size_t size)
{
	uint32_t	number = 0;

	while (size-- > 0)
		number = number * 256 + *bytes++;
	return number;
}

static bool
expect_binary(Rows *rows, const uint8_t *at, const uint8_t *end)
{
	uint32_t	extension;

	if (end - at < 19 || big_endian(at + 11, 2) != 0)
		return false;
	extension = big_endian(at + 15, 4);
	/* an extension has to be in the first block, and not fill it */
	if (extension > DUMP_BLOCK / 2 || (long) extension > end - at - 19)
		return false;
	for (at += 19 + extension;;)
	{
		uint32_t	length;

		if (end - at < 2)
			return false;
		if (big_endian(at, 2) == 0xFFFF)
			return end - at == 2;
		if (big_endian(at, 2) != 1 || end - at < 6)
			return false;
		length = big_endian(at + 2, 4);
		at += 6;
		if (length == 0xFFFFFFFF)
			put(rows, DUMP_NULL, at, 0);
		else if (length > 0x7FFFFFFF)
			return false;
		else if (length > DUMP_PACKAGE_MAX)
			put(rows, DUMP_TOO_LARGE, at, 0);
		if (length != 0xFFFFFFFF && (long) length > end - at)
			return false;
		if (length <= DUMP_PACKAGE_MAX)
			put(rows, DUMP_PACKAGE, at, length);
		at += length == 0xFFFFFFFF ? 0 : length;
	}
}

static DumpState
expect_line(const char *line, size_t size, uint8_t *bytes, size_t *byte_count)
{
	bool		has_tab = memchr(line, '\t', size) != NULL;

	if (size >= DUMP_BLOCK)
		return DUMP_TOO_LARGE;
	if (size > 0 && line[size - 1] == '\r')
		size--;
	if (size == 2 && memcmp(line, "\\N", 2) == 0)
		return DUMP_NULL;
	for (int i = 0; i < 2 && size > 0 && line[0] == '\\' && (i == 0 || line[0] == '\\'); i++, size--)
	{
		line++;
		*byte_count = 1;
	}
	if (*byte_count == 0 || size == 0 || line[0] != 'x')
		return has_tab ? DUMP_COLUMNS : DUMP_NOT_HEX;
	line++;
	size--;
	if (size > 2 * DUMP_PACKAGE_MAX)
		return DUMP_TOO_LARGE;
	*byte_count = size / 2;
	for (size_t i = 0; i < size / 2; i++)
	{
		char		digits[3] = {line[2 * i], line[2 * i + 1], '\0'};

		if (strspn(digits, "0123456789abcdefABCDEF") != 2)
			return has_tab ? DUMP_COLUMNS : DUMP_NOT_HEX;
		bytes[i] = (uint8_t) strtoul(digits, NULL, 16);
	}
	return size % 2 == 0 ? DUMP_PACKAGE : has_tab ? DUMP_COLUMNS : DUMP_NOT_HEX;
}

static bool
expect_text(Rows *rows, const uint8_t *at, const uint8_t *end)
{
	while (at < end)
	{
		const uint8_t *stop = memchr(at, '\n', (size_t) (end - at));
		size_t		size = (size_t) ((stop == NULL ? end : stop) - at);
		size_t		ended = size - (size > 0 && at[size - 1] == '\r');
		uint8_t		bytes[DUMP_PACKAGE_MAX];
		size_t		count = 0;
		DumpState	state;

		if (ended == 2 && size < DUMP_BLOCK && memcmp(at, "\\.", 2) == 0)
			return true;
		state = expect_line((const char *) at, size, bytes, &count);
		put(rows, state, bytes, count);
		if (stop == NULL)
			return false;
		at = stop + 1;
	}
	return true;
}

static void
compare(void)
{
	if (read_rows.count != expected_rows.count || read_rows.damaged != expected_rows.damaged)
	{
		fprintf(stderr, "%zu rows%s, expected %zu%s\n", read_rows.count, read_rows.damaged ? ", damaged" : "", expected_rows.count,
				expected_rows.damaged ? ", damaged" : "");
		abort();
	}
	for (size_t i = 0; i < read_rows.count; i++)
	{
		const Row  *row = &read_rows.list[i];
		const Row  *expected = &expected_rows.list[i];

		if (row->state != expected->state || row->size != expected->size || memcmp(row->bytes, expected->bytes, row->size) != 0)
		{
			fprintf(stderr, "row %zu: state %d, expected %d\n", i + 1, (int) row->state, (int) expected->state);
			abort();
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input;

	if (size == 0 || size > ROWS_MAX)
		return 0;
	input = (Input) {data + 1, size - 1, 0, data[0] == 0 ? SIZE_MAX : data[0]};
	read_all(&input);
	expected_rows.count = 0;
	if (dump_is_binary(ecert_slice(data + 1, size - 1)))
		expected_rows.damaged = !expect_binary(&expected_rows, data + 1, data + size);
	else
		expected_rows.damaged = !expect_text(&expected_rows, data + 1, data + size);
	compare();
	return 0;
}
