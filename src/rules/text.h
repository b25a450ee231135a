/*
 * text.h
 *		Texts that grow in an arena, and how values are written in messages: as
 *		PostgreSQL writes them, times in UTC, so that a message is the same on
 *		every server and in ecert-verify.
 */
#ifndef ECERT_RULES_TEXT_H
#define ECERT_RULES_TEXT_H

#include <time.h>

#include "core/body.h"
#include "rules/arena.h"

typedef struct EcertText
{
	EcertArena *arena;
	char	   *data;			/* zero-ended; NULL while nothing was put */
	size_t		size;
	size_t		room;
} EcertText;

static inline EcertText
ecert_text_in(EcertArena *arena)
{
	EcertText	empty = {arena, NULL, 0, 0};

	return empty;
}

/* What was put so far, zero-ended; empty, not NULL, when that is nothing */
extern const char *ecert_text_string(const EcertText *text);
extern EcertSlice ecert_text_slice(const EcertText *text);

extern void ecert_text_put(EcertText *text, EcertSlice bytes);
extern void ecert_text_put_string(EcertText *text, const char *string);
extern void ecert_text_put_int(EcertText *text, int64_t number);
extern void ecert_text_put_hex(EcertText *text, EcertSlice bytes);

/* 2024-01-31 23:59:59+00; infinity for INT64_MAX, -infinity for INT64_MIN */
extern void ecert_text_put_time(EcertText *text, int64_t seconds);

/* ["2024-01-01 00:00:00+00","2024-02-01 00:00:00+00") */
extern void ecert_text_put_period(EcertText *text, EcertPeriod period);

/* An item of checked CBOR as PostgreSQL prints jsonb; null where there is none */
extern void ecert_text_put_item(EcertText *text, EcertSlice item);

/* A text that somebody else wrote, for people to read: what cannot be seen in it, and what changes how the rest is seen, as <U+202E> */
extern void ecert_text_put_shown(EcertText *text, EcertSlice bytes);

/* The civil date and time of seconds since 1970, in UTC; false, and all 0, when it has none */
extern bool ecert_date_of(int64_t seconds, struct tm *date);

/* Cut after so many characters of UTF-8 */
extern void ecert_text_cut(EcertText *text, size_t most);

#endif							/* ECERT_RULES_TEXT_H */
