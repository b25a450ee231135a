/*
 * arena.c
 *		Memory in blocks; see arena.h.
 */
#include "verifier/arena.h"

#include <stdalign.h>

#include "verifier/verifier.h"

#define BLOCK_SIZE ((size_t) 64 * 1024)

struct ArenaBlock
{
	ArenaBlock *next;
	size_t		size;
	alignas(max_align_t) uint8_t bytes[];
};

static ArenaBlock *
new_block(size_t size, ArenaBlock *next)
{
	ArenaBlock *block = need(size > SIZE_MAX - sizeof(ArenaBlock) ? NULL : malloc(sizeof(ArenaBlock) + size));

	block->next = next;
	block->size = size;
	return block;
}

void *
arena_alloc(Arena *arena, size_t size)
{
	size_t		rounded;
	void	   *memory;

	(void) need(size > SIZE_MAX / 2 ? NULL : arena);
	rounded = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	if (arena->blocks == NULL || arena->blocks->size - arena->used < rounded)
	{
		arena->blocks = new_block(rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE, arena->blocks);
		arena->used = 0;
	}
	memory = arena->blocks->bytes + arena->used;
	arena->used += rounded;
	return memset(memory, 0, size);
}

EcertSlice
arena_copy(Arena *arena, EcertSlice bytes)
{
	uint8_t    *copy = arena_alloc(arena, bytes.size + 1);

	if (bytes.size > 0)
		memcpy(copy, bytes.data, bytes.size);
	return ecert_slice(copy, bytes.size);
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
	arena->used = 0;
}
