/*
 * rules.c
 *		Judges packages by the rules of their kinds (src/rules): those about one
 *		applicant together, so that what is looked up of it is looked up once.
 */
#include "verifier/verifier.h"

#include "rules/standing.h"

typedef struct Judging
{
	Ledger	   *ledger;
	ByNumber	tasks;			/* packages that are to be judged, by the id of whom they are about */
	size_t		next;
	pthread_mutex_t lock;
} Judging;

/* Does other packages' verdict rest on its own?  Then it is judged before them */
static bool
is_rested_on(const Entry *entry)
{
	return entry->kind == ECERT_KIND_POLICY || entry->kind == ECERT_KIND_RELATION;
}

/*
 * Checkpoints and witnesses are judged with their packages, the certifier's nodes
 * with the registry; of energy and product packages those that replace others
 */
static bool
is_judged_here(const Entry *entry)
{
	switch (entry->kind)
	{
		case ECERT_KIND_NODE:
			return (entry->flags & ENTRY_IN_REGISTRY) == 0;
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

/* A reward's subject is the auditor; it is about the applicant of the audit, where that is here */
static void
list_rewards(Judging *judging)
{
	const Ledger *ledger = judging->ledger;
	const ByNumber *rewards = &ledger->index->rewards;

	for (size_t i = 0; i < rewards->count; i++)
	{
		uint32_t	audit = rewards->list[i] >> 32;
		uint32_t	reward = (uint32_t) rewards->list[i];

		numbers_put(&judging->tasks, ledger->entries[audit == NO_ID ? reward : audit].subject, reward);
	}
}

/* What is to be judged: first what others rest on, or all the rest */
static void
list_tasks(Judging *judging, bool first)
{
	const Ledger *ledger = judging->ledger;
	size_t		count = ledger->index->rewards.count;

	for (size_t i = 0; i < ledger->count; i++)
		count += is_judged_here(&ledger->entries[i]) && is_rested_on(&ledger->entries[i]) == first;
	judging->tasks.list = need(calloc(count + 1, sizeof *judging->tasks.list));
	judging->tasks.count = judging->next = 0;
	for (size_t i = 0; i < ledger->count; i++)
	{
		if (is_judged_here(&ledger->entries[i]) && is_rested_on(&ledger->entries[i]) == first)
			numbers_put(&judging->tasks, ledger->entries[i].subject, i);
	}
	if (!first)
		list_rewards(judging);
	numbers_sort(&judging->tasks);
}

/* All that is about somebody, for one thread */
static const uint64_t *
take_tasks(Judging *judging, size_t *count)
{
	const ByNumber *tasks = &judging->tasks;
	const uint64_t *first;
	size_t		end;

	pthread_mutex_lock(&judging->lock);
	first = tasks->list + judging->next;
	for (end = judging->next; end < tasks->count && tasks->list[end] >> 32 == *first >> 32; end++)
		;
	*count = end - judging->next;
	judging->next = end;
	pthread_mutex_unlock(&judging->lock);
	return first;
}

/* A certificate that is right, and that later packages take away or dispute; one that is withdrawn is of no interest */
static void
say_standing(LedgerRules *rules, Ledger *ledger, const Entry *entry, const EcertPackage *package)
{
	EcertStood	stood = ecert_certificate_standing(&rules->rules, package);
	EcertView  *view = rules->rules.view;
	EcertEntry	certificate;

	if (stood.why == NULL || !view->by_hash(view, rules->rules.arena, entry->hash, &certificate) ||
		ecert_slice_equal(ecert_certificate_status(&rules->rules, &certificate, INT64_MAX).status, ecert_slice_text("withdrawn")))
		return;
	ledger_warning(ledger, entry, "certificate's standing is %s: %s", ecert_standing_name(stood.standing), stood.why);
}

/* A body that says nothing to judge has its own finding */
static void
judge(LedgerRules *rules, Ledger *ledger, Reader *reader, Entry *entry)
{
	EcertPackage package;
	EcertFinding finding;

	arena_reset(&rules->arena);
	if (!reader_get(reader, entry, &package) || ((entry->flags & ENTRY_UNSOUND) != 0 && !ecert_check_body(&package, &finding)))
		return;
	if (!ledger_rule(rules, ledger, entry, &package))
		entry->flags |= ENTRY_FALSE;
	else if (package.kind == ECERT_KIND_CERTIFICATE)
		say_standing(rules, ledger, entry, &package);
}

static void
judge_some(void *context)
{
	Judging    *judging = context;
	LedgerRules *rules = ledger_rules_new(judging->ledger, judging->ledger->index);
	Reader	   *reader = need(calloc(1, sizeof *reader));
	const uint64_t *tasks;
	size_t		count;

	reader->ledger = judging->ledger;
	while ((tasks = take_tasks(judging, &count)), count > 0)
	{
		for (size_t i = 0; i < count; i++)
			judge(rules, judging->ledger, reader, &judging->ledger->entries[(uint32_t) tasks[i]]);
		atomic_fetch_add_explicit(&judging->ledger->done, count, memory_order_relaxed);
	}
	free(reader);
	ledger_rules_free(rules);
}

static void
judge_all(Judging *judging, bool first)
{
	list_tasks(judging, first);
	progress_step(judging->ledger, "rules", judging->tasks.count, false);
	run_jobs(judging->ledger->options->jobs, judge_some, judging);
	free(judging->tasks.list);
}

void
check_rules(Ledger *ledger)
{
	Judging		judging;

	if (ledger->registry.certifier == NO_ID)
	{
		ledger_not_checked(ledger, "the rules of the kinds, for want of a sound genesis package");
		return;
	}
	memset(&judging, 0, sizeof judging);
	judging.ledger = ledger;
	pthread_mutex_init(&judging.lock, NULL);
	view_index_rewards(ledger->index, ledger);
	judge_all(&judging, true);
	judge_all(&judging, false);
	view_index_close(ledger->index);
	free(ledger->index);
	ledger->index = NULL;
	pthread_mutex_destroy(&judging.lock);
}
