/*
 * work.c
 *		The same function in several threads.
 */
#include "verifier/verifier.h"

typedef struct Job
{
	pthread_t	thread;
	bool		started;
	void		(*work) (void *context);
	void	   *context;
} Job;

static void *
run_job(void *argument)
{
	Job		   *job = argument;

	job->work(job->context);
	ecert_crypto_thread_end();
	return NULL;
}

/* The calling thread works too, so what no thread can be had for is done nevertheless */
void
run_jobs(unsigned jobs, void (*work) (void *context), void *context)
{
	Job		   *list = need(calloc(jobs, sizeof *list));

	for (unsigned i = 1; i < jobs; i++)
	{
		list[i].work = work;
		list[i].context = context;
		list[i].started = pthread_create(&list[i].thread, NULL, run_job, &list[i]) == 0;
	}
	work(context);
	for (unsigned i = 1; i < jobs; i++)
	{
		if (list[i].started)
			pthread_join(list[i].thread, NULL);
	}
	free(list);
}
