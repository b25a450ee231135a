/*
 * declaration.c
 *		The rule of energy and product packages: what one replaces is the newest
 *		of the period in its own feed.  (Coefficients are asked for where the
 *		package is first admitted only; see registry.)
 */
#include "rules/applicant.h"

/*
 * Has a package between the two, in the feed's order, that period too?  The
 * period is that of the package judged: a walk through the timeline that asks
 * for one of its packages has loaded it.
 */
static bool
is_replaced_before(EcertRules *rules, const EcertEntry *replaced, int64_t seq)
{
	const EcertTimeline *timeline = ecert_timeline(rules, ecert_applicant(rules, replaced->issuer), replaced->kind, (EcertPeriod) {
		replaced->period.start, replaced->period.start + 1
	});

	for (size_t i = ecert_first_from(timeline, replaced->period.start);
		 i < timeline->count && timeline->list[i].period.start == replaced->period.start; i++)
	{
		if (timeline->list[i].seq > replaced->seq && timeline->list[i].seq < seq && ecert_is_sound_at(rules, timeline, i))
			return true;
	}
	return false;
}

bool
ecert_rule_declaration(EcertCase *it)
{
	const EcertPackage *package = it->package;
	EcertView  *view = it->rules->view;
	EcertEntry	replaced;
	EcertPeriod period;
	uint8_t		hash[ECERT_HASH_SIZE];

	if (!ecert_body_replaces(package, hash) || !ecert_body_period(package, &period))
		return true;
	if (!view->by_hash(view, it->rules->arena, hash, &replaced))
		return ECERT_FIND(it->finding, ECERT_REPLACED_MISSING, ecert_a_hash(hash));
	if (!ecert_slice_equal(replaced.issuer, package->issuer) || replaced.kind != package->kind || replaced.seq >= package->seq)
		return ECERT_FIND(it->finding, ECERT_REPLACED_OF_OTHER_FEED, ecert_a_hash(hash));
	if (replaced.period.start != period.start || replaced.period.end != period.end)
		return ECERT_FIND(it->finding, ECERT_REPLACED_OTHER_PERIOD, ecert_a_hash(hash));
	if (is_replaced_before(it->rules, &replaced, package->seq))
		return ECERT_FIND(it->finding, ECERT_REPLACED_ALREADY, ecert_a_hash(hash));
	return true;
}
