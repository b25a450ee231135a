/*
 * progress.c
 *		How far the work is, for whoever watches a terminal.
 */
#include "verifier/verifier.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#define SHOW_EVERY_US 200000
#define BAR_WIDTH 30

/* The step that runs; ledger->done is what it has done, in bytes or packages */
static struct
{
	pthread_mutex_t lock;
	const char *step;
	uint64_t	total;			/* 0: not known */
	bool		bytes;
	double		began;
} shown = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Who shows it */
static pthread_t thread;
static bool running;

double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void
show(uint64_t done)
{
	double		elapsed = seconds_now() - shown.began;
	double		rate = elapsed > 0 ? (double) done / elapsed : 0;
	double		part = shown.total > 0 ? (double) done / (double) shown.total : 0;
	int			filled = part > 1 ? BAR_WIDTH : (int) (part * BAR_WIDTH);

	fprintf(stderr, "\r%-11s", shown.step);
	if (shown.total > 0)
		fprintf(stderr, "[%.*s%*s] %3.0f %%", filled, "##############################", BAR_WIDTH - filled, "", part * 100);
	if (shown.bytes)
		fprintf(stderr, "  %.0f MB, %.0f MB/s", (double) done / 1e6, rate / 1e6);
	else
		fprintf(stderr, "  %" PRIu64 " packages, %.0f/s", done, rate);
	if (shown.total > done && rate > 0 && elapsed > 1)
		fprintf(stderr, ", %.0f s left", (double) (shown.total - done) / rate);
	fputs("\033[K", stderr);
	fflush(stderr);
}

/* Until it is cancelled, which it is in its sleep */
static void *
show_again(void *argument)
{
	Ledger	   *ledger = argument;
	int			before;

	for (;;)
	{
		usleep(SHOW_EVERY_US);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
		pthread_mutex_lock(&shown.lock);
		if (shown.step != NULL)
			show(ledger->done);
		pthread_mutex_unlock(&shown.lock);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
	}
	return NULL;
}

void
progress_start(Ledger *ledger)
{
	if (!ledger->options->no_progress && !ledger->options->quiet && isatty(STDERR_FILENO))
		running = pthread_create(&thread, NULL, show_again, ledger) == 0;
}

void
progress_step(Ledger *ledger, const char *step, uint64_t total, bool bytes)
{
	pthread_mutex_lock(&shown.lock);
	shown.step = step;
	shown.total = total;
	shown.bytes = bytes;
	shown.began = seconds_now();
	atomic_store(&ledger->done, 0);
	pthread_mutex_unlock(&shown.lock);
}

void
progress_end(void)
{
	if (!running)
		return;
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	running = false;
	fputs("\r\033[K", stderr);
}
