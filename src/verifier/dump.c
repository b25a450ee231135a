/*
 * dump.c
 *		COPY's text and binary formats; see dump.h.
 *
 * Text: a row is a line, a package \\x and hexadecimal digits (psql -At leaves
 * out one backslash, which is understood too), \N is NULL, \. may end it.
 * Binary: a header, per row the number of columns and per column its length
 * and bytes, -1 instead of a number of columns at the end.
 */
#include "verifier/dump.h"

#include <errno.h>

#include "verifier/verifier.h"

/* Its last byte is the zero that ends the C string */
#define SIGNATURE "PGCOPY\n\377\r\n"
#define HEADER_SIZE (DUMP_SIGNATURE_SIZE + 8)

#define CRITICAL_FLAGS 0xFFFF0000U
#define EXTENSION_MAX (DUMP_BLOCK / 2)

/* Bytes of a binary row before its package */
#define ROW_HEAD 6

static const char truncated_row[] = "the dump ends in the middle of a row";

void
dump_open(Dump *dump, DumpRead read, void *context)
{
	memset(dump, 0, sizeof *dump);
	dump->read = read;
	dump->context = context;
}

bool
dump_is_binary(EcertSlice bytes)
{
	return bytes.size >= DUMP_SIGNATURE_SIZE && memcmp(bytes.data, SIGNATURE, DUMP_SIGNATURE_SIZE) == 0;
}

/* The dump as a whole is wrong, and not read further */
static bool
damage(Dump *dump, const char *what, uint64_t offset)
{
	if (dump->damage == NULL)
	{
		dump->damage = what;
		dump->damage_offset = offset;
	}
	dump->ended = true;
	return false;
}

/* Read until size bytes are there or the input ends; false: it could not be read */
static bool
fill(Dump *dump, uint8_t *bytes, size_t *size, size_t wanted)
{
	while (*size < wanted)
	{
		ssize_t		got = dump->read(dump->context, bytes + *size, wanted - *size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
		{
			dump->read_errno = errno;
			dump->ended = true;
			return false;
		}
		if (got == 0)
			break;
		*size += (size_t) got;
		dump->bytes_read += (size_t) got;
	}
	return true;
}

/* Put what is left of a block back for the next one */
static void
carry(Dump *dump, DumpBlock *block, size_t from)
{
	dump->carried = block->size - from;
	memcpy(dump->carry, block->bytes + from, dump->carried);
	dump->offset = block->offset + from;
	block->size = from;
}

/* Read at most so many bytes of a row that is passed over into carry; false at the end of the dump, which is damage */
static bool
refill(Dump *dump, uint64_t most)
{
	dump->carried = 0;
	return fill(dump, dump->carry, &dump->carried, most < DUMP_BLOCK ? (size_t) most : DUMP_BLOCK) &&
		(dump->carried > 0 || damage(dump, truncated_row, dump->offset));
}

/* Pass over the rest of a line that is too long, from the input alone */
static void
skip_line(Dump *dump)
{
	const uint8_t *end = NULL;

	while (end == NULL && refill(dump, DUMP_BLOCK))
	{
		size_t		used;

		end = memchr(dump->carry, '\n', dump->carried);
		used = end == NULL ? dump->carried : (size_t) (end - dump->carry) + 1;
		dump->offset += used;
		dump->carried -= used;
		memmove(dump->carry, dump->carry + used, dump->carried);
	}
}

/* Does a line say that, and nothing else? */
static bool
is_line(const uint8_t *line, size_t size, const char *text)
{
	return ecert_slice_equal(ecert_slice(line, size - (size > 0 && line[size - 1] == '\r')), ecert_slice_text(text));
}

/* Count the lines of a block of whole lines; true when it ends at the end mark */
static bool
count_lines(Dump *dump, DumpBlock *block)
{
	size_t		at = 0;

	while (at < block->size)
	{
		const uint8_t *end = memchr(block->bytes + at, '\n', block->size - at);
		size_t		size = (size_t) (end - (block->bytes + at));

		if (is_line(block->bytes + at, size, "\\."))
		{
			block->size = at;
			dump->ended = true;
			return true;
		}
		dump->rows++;
		at += size + 1;
	}
	return false;
}

/* The last block: a line without its end is a dump that was cut off, but what is there is looked at */
static void
end_text(Dump *dump, DumpBlock *block)
{
	bool		cut = block->size > 0 && block->bytes[block->size - 1] != '\n';

	dump->ended = true;
	if (cut)
		block->bytes[block->size++] = '\n';
	if (!count_lines(dump, block) && cut)
		damage(dump, truncated_row, block->offset + block->size - 1);
}

static void
next_text(Dump *dump, DumpBlock *block, bool at_end)
{
	const uint8_t *last = memrchr(block->bytes, '\n', block->size);

	if (at_end)
		end_text(dump, block);
	else if (last != NULL)
	{
		carry(dump, block, (size_t) (last - block->bytes) + 1);
		(void) count_lines(dump, block);
	}
	else
	{
		dump->rows++;
		dump->offset = block->offset + block->size;
		block->size = 0;
		block->ends_too_large = true;
		skip_line(dump);
	}
}

static uint32_t
number_at(const uint8_t *bytes, size_t size)
{
	uint32_t	number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* Behind the last row: nothing may follow */
static void
end_binary(Dump *dump, DumpBlock *block, size_t at)
{
	size_t		left = block->size - (at + 2);

	dump->ended = true;
	block->size = at;
	if (left == 0 && !fill(dump, dump->carry, &left, 1))
		return;
	if (left > 0)
		damage(dump, "the dump goes on behind its end mark", block->offset + at + 2);
}

/* A field that no package can be as long as: its row ends the block, its bytes are passed over */
static void
skip_field(Dump *dump, DumpBlock *block, size_t at, uint64_t length)
{
	uint64_t	there = block->size - (at + ROW_HEAD);

	dump->rows++;
	block->ends_too_large = true;
	if (there >= length)
	{
		carry(dump, block, at + ROW_HEAD + (size_t) length);
		block->size = at;
		return;
	}
	dump->offset = block->offset + block->size;
	block->size = at;
	for (length -= there; length > 0 && refill(dump, length); length -= dump->carried)
		dump->offset += dump->carried;
	dump->carried = 0;
}

/* The block ends in the middle of a row, or between two */
static void
end_block(Dump *dump, DumpBlock *block, size_t at, bool at_end)
{
	if (!at_end)
	{
		carry(dump, block, at);
		return;
	}
	damage(dump, at == block->size ? "the dump has no end mark: it was cut off" : truncated_row, block->offset + block->size);
	block->size = at;
}

/* Find where the whole rows of a block end */
static void
cut_binary(Dump *dump, DumpBlock *block, bool at_end)
{
	for (size_t at = block->at;;)
	{
		const uint8_t *row = block->bytes + at;
		size_t		left = block->size - at;
		uint32_t	columns = left < 2 ? 1 : number_at(row, 2);
		uint32_t	length = left < ROW_HEAD ? 0 : number_at(row + 2, 4);

		if (columns == 0xFFFF)
			end_binary(dump, block, at);
		else if (columns != 1)
		{
			damage(dump, "a row of the dump has not one column: COPY ledger.package (package) TO STDOUT (FORMAT binary) is needed",
				   block->offset + at);
			block->size = at;
		}
		else if (length > INT32_MAX && length != UINT32_MAX)
		{
			damage(dump, "a row of the dump has an impossible length", block->offset + at + 2);
			block->size = at;
		}
		else if (length > DUMP_PACKAGE_MAX && length != UINT32_MAX)
			skip_field(dump, block, at, length);
		else if (left < ROW_HEAD || (length != UINT32_MAX && left - ROW_HEAD < length))
			end_block(dump, block, at, at_end);
		else
		{
			dump->rows++;
			at += ROW_HEAD + (length == UINT32_MAX ? 0 : length);
			continue;
		}
		return;
	}
}

/* The file header of the first block; *at is where rows begin */
static bool
read_header(Dump *dump, DumpBlock *block)
{
	uint32_t	extension;

	if (block->size < HEADER_SIZE)
		return damage(dump, "the dump ends in its header", block->size);
	if ((number_at(block->bytes + DUMP_SIGNATURE_SIZE, 4) & CRITICAL_FLAGS) != 0)
		return damage(dump, "the dump is of a binary format that is not known", DUMP_SIGNATURE_SIZE);
	extension = number_at(block->bytes + DUMP_SIGNATURE_SIZE + 4, 4);
	if (extension > EXTENSION_MAX || extension > block->size - HEADER_SIZE)
		return damage(dump, "the header of the dump has an impossible length", DUMP_SIGNATURE_SIZE + 4);
	block->at = HEADER_SIZE + extension;
	return true;
}

bool
dump_next_block(Dump *dump, DumpBlock *block)
{
	bool		at_end;

	if (dump->ended)
		return false;
	block->at = 0;
	block->rows = 0;
	block->ends_too_large = false;
	block->offset = dump->offset;
	block->first_row = dump->rows + 1;
	block->size = dump->carried;
	memcpy(block->bytes, dump->carry, dump->carried);
	dump->carried = 0;
	if (!fill(dump, block->bytes, &block->size, DUMP_BLOCK))
		return false;
	at_end = block->size < DUMP_BLOCK;
	if (dump->format == DUMP_UNKNOWN)
	{
		bool		binary = dump_is_binary(ecert_slice(block->bytes, block->size));

		dump->format = binary ? DUMP_BINARY : DUMP_TEXT;
		if (binary && !read_header(dump, block))
			return false;
	}
	block->format = dump->format;
	if (dump->format == DUMP_TEXT)
		next_text(dump, block, at_end);
	else
		cut_binary(dump, block, at_end);
	return true;
}

static void
next_line(DumpBlock *block, DumpRow *row)
{
	uint8_t    *bytes = block->bytes + block->at;
	size_t		size = (size_t) ((uint8_t *) memchr(bytes, '\n', block->size - block->at) - bytes);
	EcertSlice	line = ecert_slice(bytes, size - (size > 0 && bytes[size - 1] == '\r'));
	size_t		before = 0;

	block->at += size + 1;
	row->bytes = bytes;
	row->size = 0;
	row->state = memchr(bytes, '\t', line.size) != NULL ? DUMP_COLUMNS : DUMP_NOT_HEX;
	while (before < 2 && before < line.size && bytes[before] == '\\')
		before++;
	if (is_line(bytes, size, "\\N"))
		row->state = DUMP_NULL;
	else if (before > 0 && before < line.size && bytes[before] == 'x')
	{
		EcertSlice	hex = ecert_slice(bytes + before + 1, line.size - before - 1);

		row->size = hex.size / 2;
		if (hex.size > 2 * DUMP_PACKAGE_MAX)
			row->state = DUMP_TOO_LARGE;
		else if (hex_bytes(hex, bytes))
			row->state = DUMP_PACKAGE;
	}
}

static void
next_field(DumpBlock *block, DumpRow *row)
{
	uint32_t	length = number_at(block->bytes + block->at + 2, 4);

	row->state = length == UINT32_MAX ? DUMP_NULL : DUMP_PACKAGE;
	row->bytes = block->bytes + block->at + ROW_HEAD;
	row->size = length == UINT32_MAX ? 0 : length;
	block->at += ROW_HEAD + row->size;
}

bool
dump_next_row(DumpBlock *block, DumpRow *row)
{
	if (block->at >= block->size && !block->ends_too_large)
		return false;
	row->number = block->first_row + block->rows++;
	if (block->at >= block->size)
	{
		block->ends_too_large = false;
		row->state = DUMP_TOO_LARGE;
		row->bytes = block->bytes;
		row->size = 0;
	}
	else if (block->format == DUMP_TEXT)
		next_line(block, row);
	else
		next_field(block, row);
	return true;
}
