/*
 * test_arena.h
 *		An arena for tests of src/rules: blocks from malloc, given back by
 *		test_arena_free().
 */
#ifndef ECERT_TEST_ARENA_H
#define ECERT_TEST_ARENA_H

#include <stdio.h>
#include <stdlib.h>

#include "rules/arena.h"

typedef struct TestBlock
{
	struct TestBlock *next;
	_Alignas(max_align_t) unsigned char bytes[];
} TestBlock;

typedef struct TestArena
{
	EcertArena	memory;			/* first */
	TestBlock  *blocks;
	size_t		size;			/* of all of them */
} TestArena;

static void *
test_arena_block(EcertArena *memory, size_t size)
{
	TestArena  *arena = (TestArena *) memory;
	TestBlock  *block = malloc(sizeof *block + size);

	if (block == NULL)
	{
		puts("Bail out! out of memory");
		exit(2);
	}
	block->next = arena->blocks;
	arena->blocks = block;
	arena->size += size;
	return block->bytes;
}

static TestArena test_arena = {{test_arena_block, NULL, 0}, NULL, 0};

static void
test_arena_free(void)
{
	while (test_arena.blocks != NULL)
	{
		TestBlock  *next = test_arena.blocks->next;

		free(test_arena.blocks);
		test_arena.blocks = next;
	}
	test_arena.memory.free = NULL;
	test_arena.memory.left = 0;
	test_arena.size = 0;
}

#endif							/* ECERT_TEST_ARENA_H */
