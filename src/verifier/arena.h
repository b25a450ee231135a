/*
 * arena.h
 *		Memory that is given back all at once: what the check of one package
 *		needs, and no longer.
 */
#ifndef ECERT_VERIFIER_ARENA_H
#define ECERT_VERIFIER_ARENA_H

#include "core/buffer.h"

typedef struct ArenaBlock ArenaBlock;

/* Starts as all zeros */
typedef struct Arena
{
	ArenaBlock *blocks;			/* the newest first */
	size_t		used;			/* of the newest */
} Arena;

/* Zeroed, aligned for anything, never NULL: see need() */
extern void *arena_alloc(Arena *arena, size_t size);
extern EcertSlice arena_copy(Arena *arena, EcertSlice bytes);
extern void arena_reset(Arena *arena);

#endif							/* ECERT_VERIFIER_ARENA_H */
