/*
 * arena.c
 *		Blocks from a memory context; see arena.h.
 */
#include "pg/arena.h"

#include <stdalign.h>
#include <stddef.h>

#include "utils/memutils.h"

typedef struct ContextArena
{
	EcertArena	memory;			/* first: what the functions of rules are given */
	MemoryContext context;
} ContextArena;

/* palloc aligns for what PostgreSQL has; an arena has to for anything */
static void *
new_block(EcertArena *memory, size_t size)
{
	MemoryContext context = ((ContextArena *) memory)->context;
	char	   *block = MemoryContextAllocExtended(context, size + alignof(max_align_t), MCXT_ALLOC_HUGE);

	return (void *) TYPEALIGN(alignof(max_align_t), block);
}

EcertArena *
ecert_arena_in(MemoryContext context)
{
	ContextArena *arena = MemoryContextAllocZero(context, sizeof *arena);

	arena->memory.block = new_block;
	arena->context = context;
	return &arena->memory;
}
