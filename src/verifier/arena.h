/*
 * arena.h
 *		An arena whose blocks come from malloc; see rules/arena.h.
 */
#ifndef ECERT_VERIFIER_ARENA_H
#define ECERT_VERIFIER_ARENA_H

#include "rules/arena.h"

typedef struct ArenaBlock ArenaBlock;

/* Starts as all zeros */
typedef struct Arena
{
	EcertArena	memory;			/* first: what ecert_arena_alloc() is given; see arena_memory() */
	ArenaBlock *blocks;			/* the newest first */
} Arena;

/* The arena as rules know it */
extern EcertArena *arena_memory(Arena *arena);

/* Zeroed, aligned for anything, never NULL: see need() */
extern void *arena_alloc(Arena *arena, size_t size);
extern EcertSlice arena_copy(Arena *arena, EcertSlice bytes);
extern void arena_reset(Arena *arena);

#endif							/* ECERT_VERIFIER_ARENA_H */
