/*
 * rules.c
 *		Walks the feeds whose kind has a rule and calls it for each package.
 */
#include <stdlib.h>

#include "verifier/rules.h"

typedef void (*Rule) (const Case *it);

static const struct
{
	EcertKind	kind;
	Rule		rule;
}			kind_rules[] = {
	{ECERT_KIND_RELATION, rule_relation},
};

/* Nothing is derived from a package that is wrong in itself */
static void
check_feed(Ledger *ledger, const Entry *feed, size_t count, Rule rule, uint8_t *buffer)
{
	for (size_t i = 0; i < count; i++)
	{
		EcertPackage package;
		Case		it = {ledger, &feed[i], &package};

		if ((feed[i].flags & ENTRY_UNSOUND) == 0 && ledger_read(ledger, &feed[i], buffer, &package))
			rule(&it);
	}
}

void
check_rules(Ledger *ledger)
{
	uint8_t    *buffer = malloc(ECERT_PACKAGE_MAX);

	if (buffer == NULL)
	{
		ledger_not_checked(ledger, "the rules of the kinds: out of memory");
		return;
	}
	for (size_t i = 0; i < sizeof kind_rules / sizeof kind_rules[0]; i++)
	{
		size_t		place = 0;
		size_t		count;
		const Entry *feed;

		while ((feed = ledger_next_feed(ledger, kind_rules[i].kind, &place, &count)) != NULL)
			check_feed(ledger, feed, count, kind_rules[i].rule, buffer);
	}
	free(buffer);
}
