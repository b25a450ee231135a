/*
 * arena.h
 *		Memory that is given back all at once: what judging one package needs, and
 *		no longer.
 *
 * Rules allocate from their caller's arena and from nowhere else, and hold
 * nothing besides, so a view of the ledger may leave them by longjmp.  The
 * server takes the blocks from a memory context, ecert-verify from malloc.
 */
#ifndef ECERT_RULES_ARENA_H
#define ECERT_RULES_ARENA_H

#include "core/buffer.h"

typedef struct EcertArena EcertArena;

/* Embedded in the caller's own arena, at its beginning, which knows how to give the blocks back */
struct EcertArena
{
	/* A block of that many bytes, aligned for anything.  Does not return without one: it raises, or ends the program */
	void	   *(*block) (EcertArena *arena, size_t size);
	uint8_t    *free;			/* what is left of the newest block */
	size_t		left;
};

/* Zeroed, aligned for anything, never NULL */
extern void *ecert_arena_alloc(EcertArena *arena, size_t size);

/* An array of that many zeroed items; never NULL */
extern void *ecert_arena_array(EcertArena *arena, size_t count, size_t item_size);

/* An array with room for *room items and count of them in use, moved when it is full, so that one more fits */
extern void *ecert_arena_grow(EcertArena *arena, void *array, size_t count, size_t *room, size_t item_size);

/* A copy of the bytes, with a zero behind them */
extern EcertSlice ecert_arena_copy(EcertArena *arena, EcertSlice bytes);

/* qsort() of an array that is perhaps none: of no items it may be NULL, which qsort() does not allow */
extern void ecert_sort(void *array, size_t count, size_t item_size, int (*compare) (const void *left, const void *right));

#endif							/* ECERT_RULES_ARENA_H */
