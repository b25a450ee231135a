/*
 * rules.c
 *		Walks the feeds whose kind has a rule and calls it for each package.
 */
#include "verifier/rules.h"

#include <stdlib.h>

void
rules_begin(Rules *own, const Rules *shared)
{
	*own = *shared;
	own->buffer = need(calloc(2, ECERT_PACKAGE_MAX));
	own->other = own->buffer + ECERT_PACKAGE_MAX;
	memset(&own->arena, 0, sizeof own->arena);
}

void
rules_end(Rules *own)
{
	arena_reset(&own->arena);
	free(own->buffer);
}

bool
case_open(Case *it, Rules *rules, const Entry *entry)
{
	EcertError	error;

	it->rules = rules;
	it->entry = entry;
	arena_reset(&rules->arena);
	return ledger_read(rules->ledger, entry, rules->buffer, &it->package) &&
		((entry->flags & ENTRY_UNSOUND) == 0 ||
		 ecert_body_check(it->package.kind, it->package.body, &error) == ECERT_OK);
}

/* All packages of a kind, one by one */
static void
check_kind(Rules *rules, EcertKind kind, bool (*rule) (Case *it))
{
	size_t		place = 0;
	size_t		count;
	const Entry *feed;

	while ((feed = ledger_next_feed(rules->ledger, kind, &place, &count)) != NULL)
	{
		for (size_t i = 0; i < count; i++)
		{
			Case		it;

			if (case_open(&it, rules, &feed[i]))
				(void) rule(&it);
		}
	}
}

/* Feeds of audits, for the threads to take one after the other */
typedef struct Auditing
{
	const Rules *rules;
	pthread_mutex_t lock;
	size_t		place;
} Auditing;

static const Entry *
take_feed(Auditing *auditing, size_t *count)
{
	const Entry *feed;

	pthread_mutex_lock(&auditing->lock);
	feed = ledger_next_feed(auditing->rules->ledger, ECERT_KIND_AUDIT, &auditing->place, count);
	pthread_mutex_unlock(&auditing->lock);
	return feed;
}

static void
check_some_audits(void *context)
{
	Auditing   *auditing = context;
	Rules		rules;
	const Entry *feed;
	size_t		count;

	rules_begin(&rules, auditing->rules);
	while ((feed = take_feed(auditing, &count)) != NULL)
		check_audits(&rules, feed, count);
	rules_end(&rules);
}

static void
check_audit_feeds(const Rules *rules)
{
	Auditing	auditing = {rules, PTHREAD_MUTEX_INITIALIZER, 0};

	run_jobs(rules->ledger->options->jobs, check_some_audits, &auditing);
	pthread_mutex_destroy(&auditing.lock);
}

void
check_rules(Ledger *ledger)
{
	Rules		nothing;
	Rules		rules;

	if (ledger_certifier(ledger) == NO_ID)
	{
		ledger_not_checked(ledger, "the rules of the kinds, for want of a sound genesis package");
		return;
	}
	memset(&nothing, 0, sizeof nothing);
	nothing.ledger = ledger;
	rules_begin(&rules, &nothing);
	lookup_open(&rules);
	check_kind(&rules, ECERT_KIND_NODE, rule_node);
	check_kind(&rules, ECERT_KIND_RELATION, rule_relation);
	check_kind(&rules, ECERT_KIND_POLICY, rule_policy);
	check_audit_feeds(&rules);
	check_certificates(&rules);
	check_kind(&rules, ECERT_KIND_STATUS, rule_status);
	check_rewards(&rules);
	lookup_close(&rules);
	rules_end(&rules);
}
