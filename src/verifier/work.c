/*
 * work.c
 *		The same function in several threads.
 */
#include "verifier/verifier.h"

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
