/*
 * table.h
 *		Things in an arena, found by up to three texts.
 *
 * Names on a ledger are chosen by those who sign them: hashed together with an
 * address, which nobody outside knows, they cannot make a table slow.  Nothing
 * that is computed depends on it.
 */
#ifndef ECERT_RULES_TABLE_H
#define ECERT_RULES_TABLE_H

#include "rules/arena.h"

/* A hash that differs with the seed, whose places nobody can choose who does not know it */
extern uint64_t ecert_text_hash(EcertSlice text, uint64_t seed);

#define ECERT_NO_TEXT ecert_slice(NULL, 0)

typedef struct EcertTableRow
{
	EcertSlice	key[3];
	void	   *value;			/* NULL: a free row */
} EcertTableRow;

/* Open addressing, at most half full.  Starts as zeros but for the arena */
typedef struct EcertTable
{
	EcertArena *arena;
	EcertTableRow *rows;
	size_t		size;			/* 0, or a power of two */
	size_t		count;
} EcertTable;

/* NULL: nothing was put there */
extern void *ecert_table_find(const EcertTable *table, EcertSlice a, EcertSlice b, EcertSlice c);

/* Put something where nothing is yet.  The texts have to stay */
extern void ecert_table_put(EcertTable *table, EcertSlice a, EcertSlice b, EcertSlice c, void *value);

/* Things that have two texts, in a list without a table */
typedef struct EcertPair
{
	EcertSlice	name;
	EcertSlice	unit;
} EcertPair;

/* For qsort(): by name and then by unit */
extern int	ecert_compare_pairs(const void *left, const void *right);

#endif							/* ECERT_RULES_TABLE_H */
