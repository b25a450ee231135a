/*
 * csv.h
 *		Read CSV (RFC 4180, one record per line) by the names of its columns.
 */
#ifndef ECERT_TOOLS_CSV_H
#define ECERT_TOOLS_CSV_H

#include <stdbool.h>
#include <stdio.h>

#define CSV_FIELDS_MAX 64

typedef struct Csv
{
	FILE	   *file;
	long		line;			/* number of the record just read, 1 is the header */
	char	   *header;			/* owns the text of names */
	const char *names[CSV_FIELDS_MAX];
	int			name_count;
	char	   *record;			/* owns the text of fields */
	size_t		record_size;
	const char *fields[CSV_FIELDS_MAX];
	int			field_count;
	const char *problem;		/* why csv_next() stopped, NULL at the end of the file */
} Csv;

/* Read the header; false when there is none */
extern bool csv_open(Csv *csv, FILE *file);

/* Column of the first of two names that is there, -1 when neither is; other may be NULL */
extern int	csv_column(const Csv *csv, const char *name, const char *other);

/* Read a record; false at the end, or with problem set */
extern bool csv_next(Csv *csv);

/* A field of the record; "" for column -1 */
extern const char *csv_field(const Csv *csv, int column);
extern void csv_close(Csv *csv);

#endif							/* ECERT_TOOLS_CSV_H */
