/*
 * text.c
 *		Texts in an arena; see text.h.
 */
#include "rules/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

const char *
ecert_text_string(const EcertText *text)
{
	return text->data == NULL ? "" : text->data;
}

EcertSlice
ecert_text_slice(const EcertText *text)
{
	return ecert_slice(text->data, text->size);
}

void
ecert_text_put(EcertText *text, EcertSlice bytes)
{
	if (text->room - text->size <= bytes.size)
	{
		char	   *larger;

		text->room = 2 * text->room + bytes.size + 128;
		larger = ecert_arena_alloc(text->arena, text->room);
		if (text->size > 0)
			memcpy(larger, text->data, text->size);
		text->data = larger;
	}
	if (bytes.size > 0)
		memcpy(text->data + text->size, bytes.data, bytes.size);
	text->size += bytes.size;
	text->data[text->size] = '\0';
}

void
ecert_text_put_string(EcertText *text, const char *string)
{
	ecert_text_put(text, ecert_slice_text(string));
}

void
ecert_text_put_int(EcertText *text, int64_t number)
{
	char		digits[24];

	(void) snprintf(digits, sizeof digits, "%" PRId64, number);
	ecert_text_put_string(text, digits);
}

void
ecert_text_put_hex(EcertText *text, EcertSlice bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.size; i++)
	{
		const char	two[2] = {digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15]};

		ecert_text_put(text, ecert_slice(two, 2));
	}
}

void
ecert_text_put_shown(EcertText *text, EcertSlice bytes)
{
	for (size_t i = 0; i < bytes.size;)
	{
		EcertCharacter next = ecert_character(ecert_slice(bytes.data + i, bytes.size - i));
		char		name[16];

		(void) snprintf(name, sizeof name, "<U+%04" PRIX32 ">", next.point);
		ecert_text_put(text, next.is_seen ? ecert_slice(bytes.data + i, next.size) : ecert_slice_text(name));
		i += next.size;
	}
}

bool
ecert_date_of(int64_t seconds, struct tm *date)
{
	time_t		time = (time_t) seconds;

	memset(date, 0, sizeof *date);
	return seconds != INT64_MAX && seconds != INT64_MIN && gmtime_r(&time, date) != NULL;
}

void
ecert_text_put_time(EcertText *text, int64_t seconds)
{
	struct tm	date;
	char		digits[80];

	if (!ecert_date_of(seconds, &date))
	{
		ecert_text_put_string(text, seconds < 0 ? "-infinity" : "infinity");
		return;
	}
	/* the year before 1 is 1 BC */
	(void) snprintf(digits, sizeof digits, "%04d-%02d-%02d %02d:%02d:%02d+00%s", date.tm_year < -1899 ? -1899 - date.tm_year : date.tm_year + 1900, date.tm_mon + 1,
					date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec, date.tm_year < -1899 ? " BC" : "");
	ecert_text_put_string(text, digits);
}

void
ecert_text_put_period(EcertText *text, EcertPeriod period)
{
	ecert_text_put_string(text, "[\"");
	ecert_text_put_time(text, period.start);
	ecert_text_put_string(text, "\",\"");
	ecert_text_put_time(text, period.end);
	ecert_text_put_string(text, "\")");
}

/* In quotation marks, as jsonb is printed: only what must be is escaped */
static void
put_quoted(EcertText *text, EcertSlice content)
{
	static const char escaped[] = "\"\\\b\f\n\r\t";
	static const char letters[] = "\"\\bfnrt";

	ecert_text_put_string(text, "\"");
	for (size_t i = 0; i < content.size; i++)
	{
		uint8_t		byte = content.data[i];
		const char *place = byte == 0 ? NULL : strchr(escaped, byte);
		char		escape[8] = {(char) byte, '\0'};

		if (place != NULL)
			(void) snprintf(escape, sizeof escape, "\\%c", letters[place - escaped]);
		else if (byte < ' ')
			(void) snprintf(escape, sizeof escape, "\\u%04x", byte);
		ecert_text_put_string(text, escape);
	}
	ecert_text_put_string(text, "\"");
}

static void
put_scalar(EcertText *text, EcertSlice item, const EcertCborHead *head, EcertCursor *inside)
{
	char		digits[ECERT_DECIMAL_TEXT_MAX];
	EcertDecimal decimal;

	if (head->type == ECERT_CBOR_TEXT)
		put_quoted(text, ecert_cbor_content(inside, head));
	else if (head->type == ECERT_CBOR_BYTES)	/* a number that no decimal holds, see document.h */
		ecert_text_put(text, ecert_cbor_content(inside, head));
	else if (head->type == ECERT_CBOR_SIMPLE)
		ecert_text_put_string(text, head->value == ECERT_CBOR_NULL ? "null" : head->value == ECERT_CBOR_TRUE ? "true" : "false");
	else if (ecert_decimal_read(item, &decimal) == ECERT_OK)
	{
		(void) ecert_decimal_text(decimal, digits);
		ecert_text_put_string(text, digits);
	}
}

/* Recurses as deep as checked bytes nest, 16 */
void
ecert_text_put_item(EcertText *text, EcertSlice item)
{
	EcertCursor inside = ecert_cursor(item);
	EcertCborHead head = {ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL, 0};
	bool		is_map;

	if (item.size > 0)
		(void) ecert_cbor_head(&inside, &head, NULL);
	is_map = head.type == ECERT_CBOR_MAP;
	if (!is_map && head.type != ECERT_CBOR_ARRAY)
	{
		put_scalar(text, item, &head, &inside);
		return;
	}
	ecert_text_put_string(text, is_map ? "{" : "[");
	for (uint64_t i = 0; i < head.value; i++)
	{
		ecert_text_put_string(text, i == 0 ? "" : ", ");
		if (is_map)
		{
			ecert_text_put_item(text, ecert_cbor_skip(&inside));
			ecert_text_put_string(text, ": ");
		}
		ecert_text_put_item(text, ecert_cbor_skip(&inside));
	}
	ecert_text_put_string(text, is_map ? "}" : "]");
}

void
ecert_text_cut(EcertText *text, size_t most)
{
	size_t		characters = 0;

	for (size_t i = 0; i < text->size; i++)
	{
		if (((unsigned char) text->data[i] & 0xC0) != 0x80 && characters++ == most)
		{
			text->data[i] = '\0';
			text->size = i;
			return;
		}
	}
}
