/*
 * seqs.h
 *		Sets of seqs as intervals, in an arena.
 */
#ifndef ECERT_RULES_SEQS_H
#define ECERT_RULES_SEQS_H

#include "rules/fields.h"

typedef struct EcertInterval
{
	int64_t		first;
	int64_t		last;
} EcertInterval;

/* In order, neither overlapping nor touching.  Starts as zeros but for the arena */
typedef struct EcertSeqs
{
	EcertArena *arena;
	EcertInterval *list;
	size_t		count;
	size_t		room;
} EcertSeqs;

/* first <= last */
extern void ecert_seqs_add(EcertSeqs *seqs, int64_t first, int64_t last);
extern bool ecert_seqs_contain(const EcertSeqs *seqs, int64_t first, int64_t last);
extern bool ecert_seqs_equal(const EcertSeqs *a, const EcertSeqs *b);

/* The seqs of a kind that ranges name; impossible ranges name none */
extern EcertSeqs ecert_seqs_of(EcertArena *arena, const EcertRanges *ranges, EcertKind kind);

#endif							/* ECERT_RULES_SEQS_H */
