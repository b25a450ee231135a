/*
 * work.c
 *		Memory, or the end of the program; the same function in several threads.
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

typedef struct Job
{
	void		(*work) (void *context);
	void	   *context;
} Job;

static void *
run_job(void *argument)
{
	const Job  *job = argument;

	job->work(job->context);
	ecert_crypto_thread_end();
	return NULL;
}

/* The calling thread works too, so what no thread can be had for is done nevertheless */
void
run_jobs(unsigned jobs, void (*work) (void *context), void *context)
{
	Job			job = {work, context};
	pthread_t  *threads = need(calloc(jobs, sizeof *threads));
	unsigned	started = 0;

	while (started + 1 < jobs && pthread_create(&threads[started], NULL, run_job, &job) == 0)
		started++;
	work(context);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	free(threads);
}
