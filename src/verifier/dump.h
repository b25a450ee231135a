/*
 * dump.h
 *		What COPY ledger.package (package) TO STDOUT wrote, text or binary, cut
 *		into blocks of whole rows.
 *
 * One thread at a time takes the next block; any number of threads take the
 * rows out of theirs.
 */
#ifndef ECERT_VERIFIER_DUMP_H
#define ECERT_VERIFIER_DUMP_H

#include <sys/types.h>

#include "core/package.h"

/* The block is larger than the longest row that can hold a package: 2 digits a byte, and a few more.  Fuzzing takes small ones */
#ifndef DUMP_BLOCK
#define DUMP_BLOCK (256 * 1024)
#define DUMP_PACKAGE_MAX ECERT_PACKAGE_MAX
#endif

typedef enum DumpFormat
{
	DUMP_UNKNOWN,
	DUMP_TEXT,
	DUMP_BINARY
} DumpFormat;

/* Give at most size bytes; 0 at the end, -1 with errno set when the input cannot be read */
typedef ssize_t (*DumpRead) (void *context, void *bytes, size_t size);

typedef struct Dump
{
	DumpRead	read;
	void	   *context;
	DumpFormat	format;
	uint64_t	offset;			/* in the input, of the first byte that is carried */
	uint64_t	bytes_read;
	uint64_t	rows;			/* in the blocks that were taken */
	bool		ended;
	int			read_errno;		/* the input could not be read further */
	const char *damage;			/* what is wrong with the dump as a whole; NULL: nothing */
	uint64_t	damage_offset;
	size_t		carried;		/* bytes that belong to the next block */
	uint8_t		carry[DUMP_BLOCK];
} Dump;

typedef struct DumpBlock
{
	DumpFormat	format;
	uint64_t	offset;			/* in the input, of bytes[0] */
	uint64_t	first_row;		/* number of the first row, from 1 */
	uint64_t	rows;			/* how many were taken out */
	bool		ends_too_large; /* behind these comes a row that no package can be as long as */
	size_t		size;
	size_t		at;				/* where the next row begins */
	uint8_t		bytes[DUMP_BLOCK + 1];
} DumpBlock;

typedef enum DumpState
{
	DUMP_PACKAGE,
	DUMP_NULL,
	DUMP_NOT_HEX,
	DUMP_COLUMNS,				/* text with tabs: more than one column */
	DUMP_TOO_LARGE
} DumpState;

typedef struct DumpRow
{
	DumpState	state;
	uint64_t	number;
	uint8_t    *bytes;			/* in the block; text is decoded in place */
	size_t		size;
} DumpRow;

/* Do these first bytes begin a binary dump? */
extern bool dump_is_binary(EcertSlice bytes);

/* What a binary dump begins with */
#define DUMP_SIGNATURE_SIZE 11

extern void dump_open(Dump *dump, DumpRead read, void *context);

/* False when there is no further block: at the end, or where the dump is damaged */
extern bool dump_next_block(Dump *dump, DumpBlock *block);
extern bool dump_next_row(DumpBlock *block, DumpRow *row);

#endif							/* ECERT_VERIFIER_DUMP_H */
