/*
 * arena.h
 *		An arena (rules/arena.h) whose blocks a memory context owns: an error that
 *		leaves by longjmp takes them away with the context.
 */
#ifndef ECERT_PG_ARENA_H
#define ECERT_PG_ARENA_H

#include "pg/compat.h"

#include "rules/arena.h"

#pragma GCC visibility push(hidden)

/* A new arena in a context, for as long as the context is there and not reset */
extern EcertArena *ecert_arena_in(MemoryContext context);

#pragma GCC visibility pop

#endif							/* ECERT_PG_ARENA_H */
