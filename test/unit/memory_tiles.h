/*
 * memory_tiles.h
 *		A tile store in memory, for tests only, that punishes whoever does not
 *		keep to its rules.
 */
#ifndef ECERT_TEST_MEMORY_TILES_H
#define ECERT_TEST_MEMORY_TILES_H

#include "core/merkle.h"

#include <stdlib.h>

#define MEMORY_LEVELS 3
#define MEMORY_LEAVES (UINT64_C(65536) + 512)

/* The hashes of each level, as far as they were written */
typedef struct MemoryStore
{
	uint8_t   (*hashes[MEMORY_LEVELS])[ECERT_HASH_SIZE];
	uint64_t	count[MEMORY_LEVELS];
	uint8_t    *lent;			/* what was read last, in an allocation of just its size */
	EcertCode	refusal;		/* what a write returns */
} MemoryStore;

static EcertCode
memory_read(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t **hashes)
{
	MemoryStore *memory = context;

	free(memory->lent);
	memory->lent = NULL;
	if (width == 0 || width > ECERT_TILE_WIDTH)
		abort();
	if (level >= MEMORY_LEVELS || index > memory->count[level] / ECERT_TILE_WIDTH ||
		index * ECERT_TILE_WIDTH + width > memory->count[level])
		return ECERT_TILE_MISSING;
	memory->lent = malloc((size_t) width * ECERT_HASH_SIZE);
	memcpy(memory->lent, memory->hashes[level][index * ECERT_TILE_WIDTH], (size_t) width * ECERT_HASH_SIZE);
	*hashes = memory->lent;
	return ECERT_OK;
}

/* What a tile holds never changes, and tiles are written in order */
static EcertCode
memory_write(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t *hashes)
{
	MemoryStore *memory = context;
	uint64_t	start = index * ECERT_TILE_WIDTH;
	uint64_t	end = start + width;

	if (memory->refusal != ECERT_OK)
		return memory->refusal;
	if (level >= MEMORY_LEVELS || width == 0 || width > ECERT_TILE_WIDTH || start > memory->count[level])
		abort();
	for (uint64_t i = start; i < end && i < memory->count[level]; i++)
	{
		if (memcmp(memory->hashes[level][i], hashes + (i - start) * ECERT_HASH_SIZE, ECERT_HASH_SIZE) != 0)
			abort();
	}
	memcpy(memory->hashes[level][start], hashes, (size_t) width * ECERT_HASH_SIZE);
	if (end > memory->count[level])
		memory->count[level] = end;
	return ECERT_OK;
}

static void
memory_open(MemoryStore *memory)
{
	memset(memory, 0, sizeof *memory);
	for (unsigned level = 0; level < MEMORY_LEVELS; level++)
		memory->hashes[level] = calloc((size_t) (MEMORY_LEAVES >> (8 * level)) + ECERT_TILE_WIDTH, ECERT_HASH_SIZE);
}

static void
memory_close(MemoryStore *memory)
{
	for (unsigned level = 0; level < MEMORY_LEVELS; level++)
		free(memory->hashes[level]);
	free(memory->lent);
}

static EcertTileStore
memory_store(MemoryStore *memory)
{
	EcertTileStore store = {.context = memory, .read = memory_read, .write = memory_write};

	return store;
}

#endif							/* ECERT_TEST_MEMORY_TILES_H */
