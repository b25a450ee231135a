/*
 * document.h
 *		What a body is expected to say, to be compared with what it says: the
 *		first difference, as ecert.first_difference() finds it, and both sides
 *		as PostgreSQL prints jsonb.
 */
#ifndef ECERT_VERIFIER_DOCUMENT_H
#define ECERT_VERIFIER_DOCUMENT_H

#include <stdio.h>

#include "core/cbor.h"
#include "verifier/arena.h"

typedef enum ValueType
{
	VALUE_NULL,
	VALUE_NUMBER,				/* text: plain digits */
	VALUE_TEXT,
	VALUE_ARRAY,
	VALUE_MAP
} ValueType;

typedef struct Value
{
	ValueType	type;
	const char *key;			/* in a map */
	EcertSlice	text;
	struct Value *first;		/* of an array or map; of a map by length and bytes of the keys, like jsonb and CBOR */
	struct Value *last;
	struct Value *next;
	size_t		count;
} Value;

extern Value *value_new(Arena *arena, ValueType type);
extern Value *value_text(Arena *arena, EcertSlice text);

/* Digits, or null without any */
extern Value *value_number(Arena *arena, const char *digits);
extern Value *value_int(Arena *arena, int64_t number);

/* Put a value into a map, or at the end of an array, where key is NULL */
extern void value_put(Value *parent, const char *key, Value *value);

/* Room for products.65535.base_unit_energy and the like */
#define PATH_MAX_SIZE 128

typedef struct Difference
{
	char		path[PATH_MAX_SIZE];	/* like totals.saving_kgce; empty: there is none */
	const Value *expected;
	EcertSlice	stated;			/* of size 0: not stated */
} Difference;

/*
 * The difference with the first path in byte order, down to the single figure;
 * fields that are not expected are not looked at.  Recurses as deep as what is
 * expected, which no input makes deeper.
 */
extern void first_difference(const Value *expected, EcertSlice stated, Difference *difference);

extern void print_value(FILE *out, const Value *value);

/* An item of checked bytes, which nest 16 deep at most */
extern void print_item(FILE *out, EcertSlice item);

#endif							/* ECERT_VERIFIER_DOCUMENT_H */
