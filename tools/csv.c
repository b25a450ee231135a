/*
 * csv.c
 *		Read CSV by the names of its columns; see csv.h.
 */
#include "csv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Take a quoted field's quotes off, in place; returns what follows it, NULL when it does not end */
static char *
unquote(char *field)
{
	char	   *out = field;
	char	   *in = field + 1;

	while (*in != '\0')
	{
		if (*in == '"')
		{
			if (in[1] != '"')
			{
				*out = '\0';
				return in + 1;
			}
			in++;
		}
		*out++ = *in++;
	}
	return NULL;
}

/* Split a line at its commas, in place; false when it is malformed */
static bool
split(char *line, const char **fields, int *count)
{
	*count = 0;
	for (;;)
	{
		char	   *end;

		if (*count == CSV_FIELDS_MAX)
			return false;
		fields[(*count)++] = line;
		end = *line == '"' ? unquote(line) : line + strcspn(line, ",");
		if (end == NULL || (*end != ',' && *end != '\0'))
			return false;
		if (*end == '\0')
			return true;
		*end = '\0';
		line = end + 1;
	}
}

/* The next line without its end into *line; false at the end of the file */
static bool
read_line(Csv *csv, char **line, size_t *capacity)
{
	ssize_t		size = getline(line, capacity, csv->file);

	if (size < 0)
		return false;
	csv->line++;
	while (size > 0 && ((*line)[size - 1] == '\n' || (*line)[size - 1] == '\r'))
		(*line)[--size] = '\0';
	return true;
}

bool
csv_open(Csv *csv, FILE *file)
{
	size_t		capacity = 0;

	memset(csv, 0, sizeof(*csv));
	csv->file = file;
	return read_line(csv, &csv->header, &capacity) &&
		split(csv->header, csv->names, &csv->name_count);
}

int
csv_column(const Csv *csv, const char *name, const char *other)
{
	for (int i = 0; i < csv->name_count; i++)
	{
		if (strcmp(csv->names[i], name) == 0)
			return i;
	}
	return other != NULL ? csv_column(csv, other, NULL) : -1;
}

bool
csv_next(Csv *csv)
{
	if (!read_line(csv, &csv->record, &csv->record_size))
	{
		if (ferror(csv->file))
			csv->problem = "cannot be read";
		return false;
	}
	if (!split(csv->record, csv->fields, &csv->field_count))
		csv->problem = "is not CSV";
	else if (csv->field_count != csv->name_count)
		csv->problem = "has not as many fields as the header";
	return csv->problem == NULL;
}

const char *
csv_field(const Csv *csv, int column)
{
	return column >= 0 && column < csv->field_count ? csv->fields[column] : "";
}

void
csv_close(Csv *csv)
{
	free(csv->header);
	free(csv->record);
}
