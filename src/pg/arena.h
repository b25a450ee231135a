/*
 * arena.h
 *		An arena (rules/arena.h) whose blocks a memory context owns: an error that
 *		leaves by longjmp takes them away with the context.
 */
#ifndef ECERT_PG_ARENA_H
#define ECERT_PG_ARENA_H

#include "pg/compat.h"

#include "rules/arena.h"

/* An arena whose blocks are a context's */
typedef struct EcertContextArena
{
	EcertArena	memory;			/* first: what the functions of rules are given */
	MemoryContext context;
} EcertContextArena;

/* A new arena in a context, for as long as the context is there and not reset */
extern EcertArena *ecert_arena_in(MemoryContext context);

/* An arena with a context of its own below parent, which is emptied by _reset */
extern void ecert_context_arena_init(EcertContextArena *arena, MemoryContext parent, const char *name);
extern void ecert_context_arena_reset(EcertArena *memory);

#endif							/* ECERT_PG_ARENA_H */
