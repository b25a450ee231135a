/*
 * arena.c
 *		Blocks from malloc; see arena.h.
 */
#include "verifier/arena.h"

#include <stdalign.h>

#include "verifier/verifier.h"

struct ArenaBlock
{
	ArenaBlock *next;
	alignas(max_align_t) uint8_t bytes[];
};

static void *
new_block(EcertArena *memory, size_t size)
{
	Arena	   *arena = (Arena *) memory;
	ArenaBlock *block = need(size >= SIZE_MAX / 2 ? NULL : malloc(sizeof(ArenaBlock) + size));

	block->next = arena->blocks;
	arena->blocks = block;
	return block->bytes;
}

EcertArena *
arena_memory(Arena *arena)
{
	arena->memory.block = new_block;
	return &arena->memory;
}

void *
arena_alloc(Arena *arena, size_t size)
{
	return ecert_arena_alloc(arena_memory(arena), size);
}

EcertSlice
arena_copy(Arena *arena, EcertSlice bytes)
{
	return ecert_arena_copy(arena_memory(arena), bytes);
}

void
arena_reset(Arena *arena)
{
	while (arena->blocks != NULL)
	{
		ArenaBlock *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	arena->memory.free = NULL;
	arena->memory.left = 0;
}
