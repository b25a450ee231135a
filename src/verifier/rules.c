/*
 * rules.c
 *		Judges packages by the rules of their kinds (src/rules): those about one
 *		applicant together, so that what is looked up of it is looked up once.
 */
#include "verifier/view.h"

/* A package that is to be judged, and whom it is about */
typedef struct Task
{
	uint32_t	about;			/* number of an id */
	uint32_t	entry;
} Task;

typedef struct Judging
{
	Ledger	   *ledger;
	ViewIndex	index;
	Task	   *tasks;			/* by whom they are about */
	size_t		count;
	size_t		next;
	pthread_mutex_t lock;
} Judging;

/* A reward's subject is the auditor; it is about the applicant of the audit */
static uint32_t
applicant_of_reward(const Judging *judging, const struct NumberedEntry *reward)
{
	return reward->number == NO_ID ? judging->ledger->entries[reward->entry].subject : judging->ledger->entries[reward->number].subject;
}

static int
compare_tasks(const void *left, const void *right)
{
	const Task *a = left;
	const Task *b = right;

	if (a->about != b->about)
		return a->about < b->about ? -1 : 1;
	return (a->entry > b->entry) - (a->entry < b->entry);
}

/* Checkpoints and witnesses are judged with their packages; of energy and product packages those that replace others */
static bool
is_judged_here(const Entry *entry)
{
	switch (entry->kind)
	{
		case ECERT_KIND_ENERGY:
		case ECERT_KIND_PRODUCT:
			return (entry->flags & ENTRY_REPLACES) != 0;
		case ECERT_KIND_CHECKPOINT:
		case ECERT_KIND_WITNESS:
		case ECERT_KIND_REWARD:
			return false;
		default:
			return true;
	}
}

static void
list_tasks(Judging *judging)
{
	const Ledger *ledger = judging->ledger;
	size_t		count = judging->index.rewards.count;

	for (size_t i = 0; i < ledger->count; i++)
		count += is_judged_here(&ledger->entries[i]);
	judging->tasks = need(calloc(count + 1, sizeof(Task)));
	for (size_t i = 0; i < ledger->count; i++)
	{
		if (is_judged_here(&ledger->entries[i]))
			judging->tasks[judging->count++] = (Task) {ledger->entries[i].subject, (uint32_t) i};
	}
	for (size_t i = 0; i < judging->index.rewards.count; i++)
	{
		const struct NumberedEntry *reward = &judging->index.rewards.list[i];

		judging->tasks[judging->count++] = (Task) {applicant_of_reward(judging, reward), reward->entry};
	}
	qsort(judging->tasks, judging->count, sizeof(Task), compare_tasks);
}

/* All that is about somebody, for one thread */
static const Task *
take_tasks(Judging *judging, size_t *count)
{
	const Task *first;
	size_t		end;

	pthread_mutex_lock(&judging->lock);
	first = judging->tasks + judging->next;
	for (end = judging->next; end < judging->count && judging->tasks[end].about == first->about; end++)
		;
	*count = end - judging->next;
	judging->next = end;
	pthread_mutex_unlock(&judging->lock);
	return first;
}

/* A body that says nothing to judge has its own finding */
static void
judge(LedgerRules *rules, Ledger *ledger, Reader *reader, const Entry *entry)
{
	EcertPackage package;
	EcertFinding finding;

	arena_reset(&rules->arena);
	if (reader_get(reader, entry, &package) &&
		((entry->flags & ENTRY_UNSOUND) == 0 || ecert_check_body(&package, &finding)))
		(void) ledger_rule(rules, ledger, entry, &package);
}

static void
judge_some(void *context)
{
	Judging    *judging = context;
	LedgerRules *rules = ledger_rules_new(judging->ledger, &judging->index);
	Reader	   *reader = need(calloc(1, sizeof *reader));
	const Task *tasks;
	size_t		count;

	reader->ledger = judging->ledger;
	while ((tasks = take_tasks(judging, &count)), count > 0)
	{
		for (size_t i = 0; i < count; i++)
			judge(rules, judging->ledger, reader, &judging->ledger->entries[tasks[i].entry]);
		atomic_fetch_add_explicit(&judging->ledger->progress.done, count, memory_order_relaxed);
	}
	free(reader);
	ledger_rules_free(rules);
}

void
check_rules(Ledger *ledger)
{
	Judging		judging;

	if (ledger_certifier(ledger) == NO_ID)
	{
		ledger_not_checked(ledger, "the rules of the kinds, for want of a sound genesis package");
		return;
	}
	memset(&judging, 0, sizeof judging);
	judging.ledger = ledger;
	pthread_mutex_init(&judging.lock, NULL);
	view_index_open(&judging.index, ledger);
	list_tasks(&judging);
	progress_step(ledger, "rules", judging.count, false);
	run_jobs(ledger->options->jobs, judge_some, &judging);
	free(judging.tasks);
	view_index_close(&judging.index);
	pthread_mutex_destroy(&judging.lock);
}
