/*
 * seqs.h
 *		Sets of seqs as intervals.
 */
#ifndef ECERT_VERIFIER_SEQS_H
#define ECERT_VERIFIER_SEQS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Interval
{
	int64_t		first;
	int64_t		last;
} Interval;

/* In order, neither overlapping nor touching.  Starts as all zeros */
typedef struct Seqs
{
	Interval   *items;
	size_t		count;
	size_t		capacity;
} Seqs;

/* first <= last */
extern void seqs_add(Seqs *seqs, int64_t first, int64_t last);
extern bool seqs_contain(const Seqs *seqs, int64_t first, int64_t last);
extern void seqs_clear(Seqs *seqs);

#endif							/* ECERT_VERIFIER_SEQS_H */
