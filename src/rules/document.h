/*
 * document.h
 *		What a body is to say: to be compared with what one says, down to the
 *		first figure in which it differs, or to become one.
 */
#ifndef ECERT_RULES_DOCUMENT_H
#define ECERT_RULES_DOCUMENT_H

#include "rules/text.h"

typedef enum EcertValueType
{
	ECERT_VALUE_NULL,
	ECERT_VALUE_NUMBER,			/* text: plain digits */
	ECERT_VALUE_TEXT,
	ECERT_VALUE_ARRAY,
	ECERT_VALUE_MAP
} EcertValueType;

typedef struct EcertValue
{
	EcertValueType type;
	const char *key;			/* in a map */
	EcertSlice	text;
	struct EcertValue *first;	/* of an array or map; of a map by length and bytes of the keys, as in CBOR */
	struct EcertValue *last;
	struct EcertValue *next;
	size_t		count;
} EcertValue;

extern EcertValue *ecert_value(EcertArena *arena, EcertValueType type);
extern EcertValue *ecert_value_text(EcertArena *arena, EcertSlice text);
extern EcertValue *ecert_value_hash(EcertArena *arena, const uint8_t *hash);

/* Digits, or null without any */
extern EcertValue *ecert_value_number(EcertArena *arena, const char *digits);
extern EcertValue *ecert_value_int(EcertArena *arena, int64_t number);
extern EcertValue *ecert_value_period(EcertArena *arena, EcertPeriod period);

/* Put a value into a map, or at the end of an array, where key is NULL */
extern void ecert_value_put(EcertValue *parent, const char *key, EcertValue *value);

/* Put all of another map into a map, but what is null */
extern void ecert_value_put_all(EcertValue *map, const EcertValue *other, EcertArena *arena);

/* What a map has under a key; NULL: nothing */
extern const EcertValue *ecert_value_at(const EcertValue *map, const char *key);

/* As PostgreSQL prints jsonb */
extern void ecert_text_put_value(EcertText *text, const EcertValue *value);

/* In deterministic CBOR; ECERT_OVERFLOW for digits that no decimal holds */
extern EcertCode ecert_value_encode(const EcertValue *value, EcertBuffer *out);

/* Room for products.65535.base_unit_energy and the like */
#define ECERT_PATH_SIZE 128

typedef struct EcertDifference
{
	char		path[ECERT_PATH_SIZE];	/* like totals.saving_kgce; empty: there is none */
	const EcertValue *expected;
	EcertSlice	stated;			/* of size 0: not stated */
} EcertDifference;

/*
 * The difference with the first path in byte order, down to the single figure;
 * fields that are not expected are not looked at.  Recurses as deep as what is
 * expected, which no input makes deeper.
 */
extern void ecert_first_difference(const EcertValue *expected, EcertSlice stated, EcertDifference *difference);

#endif							/* ECERT_RULES_DOCUMENT_H */
