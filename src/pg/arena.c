/*
 * arena.c
 *		Blocks from a memory context; see arena.h.
 */
#include "pg/arena.h"

#include <stdalign.h>
#include <stddef.h>

#include "utils/memutils.h"

/* palloc aligns for what PostgreSQL has; an arena has to for anything */
static void *
new_block(EcertArena *memory, size_t size)
{
	MemoryContext context = ((EcertContextArena *) memory)->context;
	char	   *block = MemoryContextAllocExtended(context, size + alignof(max_align_t), MCXT_ALLOC_HUGE);

	return (void *) TYPEALIGN(alignof(max_align_t), block);
}

EcertArena *
ecert_arena_in(MemoryContext context)
{
	EcertContextArena *arena = MemoryContextAllocZero(context, sizeof *arena);

	arena->memory.block = new_block;
	arena->context = context;
	return &arena->memory;
}

void
ecert_context_arena_init(EcertContextArena *arena, MemoryContext parent, const char *name)
{
	memset(arena, 0, sizeof *arena);
	arena->memory.block = new_block;
	arena->context = AllocSetContextCreateInternal(parent, name, ALLOCSET_DEFAULT_SIZES);
}

void
ecert_context_arena_reset(EcertArena *memory)
{
	MemoryContextReset(((EcertContextArena *) memory)->context);
	memory->free = NULL;
	memory->left = 0;
}
