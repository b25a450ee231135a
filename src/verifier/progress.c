/*
 * progress.c
 *		How far the work is, for whoever watches a terminal.
 */
#include "verifier/verifier.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#define SHOW_EVERY_MS 200
#define BAR_WIDTH 30

static struct
{
	pthread_t	thread;
	bool		running;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool		end;
	double		step_began;
	Progress   *progress;
} shown = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void
show(void)
{
	const Progress *progress = shown.progress;
	uint64_t	done = progress->done;
	double		elapsed = seconds_now() - shown.step_began;
	double		rate = elapsed > 0 ? (double) done / elapsed : 0;
	double		part = progress->total > 0 ? (double) done / (double) progress->total : 0;
	int			filled = (int) (part * BAR_WIDTH);
	bool		bytes = progress->unit == 1;

	if (filled > BAR_WIDTH)
		filled = BAR_WIDTH;
	fprintf(stderr, "\r%-11s", progress->step);
	if (progress->total > 0)
		fprintf(stderr, "[%.*s%.*s] %3.0f %%", filled, "##############################", BAR_WIDTH - filled,
				"                              ", part * 100);
	if (bytes)
		fprintf(stderr, "  %.0f MB, %.0f MB/s", (double) done / 1e6, rate / 1e6);
	else
		fprintf(stderr, "  %" PRIu64 " packages, %.0f/s", done, rate);
	if (progress->total > done && rate > 0 && elapsed > 1)
		fprintf(stderr, ", %.0f s left", (double) (progress->total - done) / rate);
	fputs("\033[K", stderr);
	fflush(stderr);
}

static void *
show_again(void *argument)
{
	(void) argument;
	pthread_mutex_lock(&shown.lock);
	while (!shown.end)
	{
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += SHOW_EVERY_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&shown.wake, &shown.lock, &until);
		if (!shown.end && shown.progress->step != NULL)
			show();
	}
	pthread_mutex_unlock(&shown.lock);
	return NULL;
}

void
progress_start(Ledger *ledger)
{
	shown.progress = &ledger->progress;
	if (ledger->options->no_progress || ledger->options->quiet || !isatty(STDERR_FILENO))
		return;
	shown.running = pthread_create(&shown.thread, NULL, show_again, NULL) == 0;
}

void
progress_step(Ledger *ledger, const char *step, uint64_t total, bool bytes)
{
	pthread_mutex_lock(&shown.lock);
	ledger->progress.step = step;
	ledger->progress.total = total;
	ledger->progress.unit = bytes ? 1 : 0;
	atomic_store(&ledger->progress.done, 0);
	shown.step_began = seconds_now();
	pthread_mutex_unlock(&shown.lock);
}

void
progress_end(void)
{
	if (!shown.running)
		return;
	pthread_mutex_lock(&shown.lock);
	shown.end = true;
	pthread_cond_signal(&shown.wake);
	pthread_mutex_unlock(&shown.lock);
	pthread_join(shown.thread, NULL);
	shown.running = false;
	fputs("\r\033[K", stderr);
}
