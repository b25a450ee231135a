/*
 * rules.c
 *		Walks the feeds whose kind has a rule and calls it for each package.
 */
#include "verifier/rules.h"

#include <stdlib.h>

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

static void
check_audit_feeds(Rules *rules)
{
	size_t		place = 0;
	size_t		count;
	const Entry *feed;

	while ((feed = ledger_next_feed(rules->ledger, ECERT_KIND_AUDIT, &place, &count)) != NULL)
		check_audits(rules, feed, count);
}

void
check_rules(Ledger *ledger)
{
	Rules		rules;

	if (ledger_certifier(ledger) == NO_ID)
	{
		ledger_not_checked(ledger, "the rules of the kinds, for want of a sound genesis package");
		return;
	}
	memset(&rules, 0, sizeof rules);
	rules.ledger = ledger;
	rules.buffer = need(calloc(2, ECERT_PACKAGE_MAX));
	rules.other = rules.buffer + ECERT_PACKAGE_MAX;
	lookup_open(&rules);
	check_kind(&rules, ECERT_KIND_NODE, rule_node);
	check_kind(&rules, ECERT_KIND_RELATION, rule_relation);
	check_kind(&rules, ECERT_KIND_POLICY, rule_policy);
	check_audit_feeds(&rules);
	check_certificates(&rules);
	check_kind(&rules, ECERT_KIND_STATUS, rule_status);
	check_rewards(&rules);
	lookup_close(&rules);
	arena_reset(&rules.arena);
	free(rules.buffer);
}
