/*
 * memory.c
 *		Memory, or the end of the program.
 */
#include "verifier/verifier.h"

#include <stdalign.h>

struct ArenaBlock
{
	struct ArenaBlock *next;
	alignas(max_align_t) uint8_t bytes[];
};

void *
need(void *memory)
{
	if (memory == NULL)
	{
		fputs("ecert-verify: out of memory\n", stderr);
		exit(EXIT_NOT_CHECKED);
	}
	return memory;
}

static void *
new_block(EcertArena *memory, size_t size)
{
	Arena	   *arena = (Arena *) memory;
	struct ArenaBlock *block = need(size >= SIZE_MAX / 2 ? NULL : malloc(sizeof(struct ArenaBlock) + size));

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

void
arena_reset(Arena *arena)
{
	while (arena->blocks != NULL)
	{
		struct ArenaBlock *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	arena->memory.free = NULL;
	arena->memory.left = 0;
}
