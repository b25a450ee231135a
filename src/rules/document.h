/*
 * document.h
 *		What a body is to say, in CBOR: to be compared with what one says, down
 *		to the first figure in which it differs, or to become one.
 */
#ifndef ECERT_RULES_DOCUMENT_H
#define ECERT_RULES_DOCUMENT_H

#include "rules/text.h"

/* Items in an arena; a number of digits, or null without any */
extern EcertSlice ecert_item_text(EcertArena *arena, EcertSlice text);
extern EcertSlice ecert_item_word(EcertArena *arena, const char *word);
extern EcertSlice ecert_item_hash(EcertArena *arena, const uint8_t *hash);
extern EcertSlice ecert_item_int(EcertArena *arena, int64_t number);
extern EcertSlice ecert_item_period(EcertArena *arena, EcertPeriod period);

/*
 * Digits that no decimal holds become a byte string of them: it equals nothing
 * that a body can state, and ecert_cbor_check_body() refuses it
 */
extern EcertSlice ecert_item_number(EcertArena *arena, const char *digits);

/* Is an item null, or none */
extern bool ecert_item_is_null(EcertSlice item);

typedef struct EcertPart
{
	EcertSlice	key;			/* in a map: the item */
	EcertSlice	item;
} EcertPart;

/* An array, or a map, in the making */
typedef struct EcertParts
{
	EcertArena *arena;
	EcertCborType type;
	EcertPart  *list;			/* of a map in the order of keys */
	size_t		count;
	size_t		room;
} EcertParts;

static inline EcertParts
ecert_parts_of(EcertArena *arena, EcertCborType type)
{
	return (EcertParts) {.arena = arena, .type = type};
}

/* Put an item, null where it is of size 0, into a map, or at the end of an array, where key is NULL */
extern void ecert_parts_put(EcertParts *parts, const char *key, EcertSlice item);

/* Put all of another map into a map, but what is null */
extern void ecert_parts_put_all(EcertParts *parts, EcertSlice map);

extern EcertSlice ecert_parts_item(const EcertParts *parts);

/* Room for figures.65535.base_unit_energy and the like */
#define ECERT_PATH_SIZE 128

typedef struct EcertDifference
{
	char		path[ECERT_PATH_SIZE];	/* like figures.0.saving_kgce; empty: there is none */
	EcertSlice	expected;
	EcertSlice	stated;			/* of size 0: not stated */
} EcertDifference;

/*
 * The difference between two maps with the first path in byte order, down to
 * the single figure; numbers are compared by value, and fields that are not
 * expected not looked at.  Recurses as deep as what is expected, which no input
 * makes deeper.
 */
extern void ecert_first_difference(EcertSlice expected, EcertSlice stated, EcertDifference *difference);

#endif							/* ECERT_RULES_DOCUMENT_H */
