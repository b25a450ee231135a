/*
 * arena.c
 *		Pieces of blocks; see arena.h.
 */
#include "rules/arena.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t) 8 * 1024)

void *
ecert_arena_alloc(EcertArena *arena, size_t size)
{
	/* no block is that large: the caller's block() says so */
	size_t		rounded = size > SIZE_MAX / 2 ? SIZE_MAX / 2 :
		(size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	void	   *memory;

	if (rounded > BLOCK_SIZE / 4)
		return memset(arena->block(arena, rounded), 0, size);
	if (arena->free == NULL || arena->left < rounded)
	{
		arena->free = arena->block(arena, BLOCK_SIZE);
		arena->left = BLOCK_SIZE;
	}
	memory = arena->free;
	arena->free += rounded;
	arena->left -= rounded;
	return memset(memory, 0, size);
}

void *
ecert_arena_array(EcertArena *arena, size_t count, size_t item_size)
{
	size_t		size;

	if (__builtin_mul_overflow(count, item_size, &size))
		size = SIZE_MAX;
	return ecert_arena_alloc(arena, size);
}

void *
ecert_arena_grow(EcertArena *arena, void *array, size_t count, size_t *room, size_t item_size)
{
	void	   *larger;

	if (count < *room)
		return array;
	*room = *room == 0 ? 16 : *room * 2;
	larger = ecert_arena_array(arena, *room, item_size);
	if (count > 0)
		memcpy(larger, array, count * item_size);
	return larger;
}

EcertSlice
ecert_arena_copy(EcertArena *arena, EcertSlice bytes)
{
	uint8_t    *copy = ecert_arena_alloc(arena, bytes.size + 1);

	if (bytes.size > 0)
		memcpy(copy, bytes.data, bytes.size);
	return ecert_slice(copy, bytes.size);
}

void
ecert_sort(void *array, size_t count, size_t item_size, int (*compare) (const void *left, const void *right))
{
	if (count > 1)
		qsort(array, count, item_size, compare);
}
