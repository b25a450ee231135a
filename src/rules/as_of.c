/*
 * as_of.c
 *		Up to where the ledger is seen; see as_of.h.
 */
#include "rules/as_of.h"

void
ecert_see_as_of(EcertRules *rules, int64_t checkpoint)
{
	rules->as_of = checkpoint;
	rules->horizon.size = 0;
}

/* The last seq of a feed that is seen; what one feed's entries ask one after the other is looked up once */
static int64_t
horizon(EcertRules *rules, EcertSlice issuer, EcertKind kind)
{
	EcertHorizon *known = &rules->horizon;

	if (known->size > 0 && known->kind == kind && ecert_slice_equal(ecert_slice(known->issuer, known->size), issuer))
		return known->last;
	known->last = rules->view->covered(rules->view, issuer, kind, rules->as_of);
	known->kind = kind;
	known->size = issuer.size <= sizeof known->issuer ? issuer.size : 0;
	if (known->size > 0)
		memcpy(known->issuer, issuer.data, known->size);
	return known->last;
}

bool
ecert_is_seen(EcertRules *rules, const EcertEntry *entry)
{
	return rules->as_of == ECERT_AS_OF_NOW || entry->kind == ECERT_KIND_GENESIS ||
		entry->seq <= horizon(rules, entry->issuer, entry->kind);
}

bool
ecert_is_in_force(EcertRules *rules, const EcertEntry *entry)
{
	EcertView  *view = rules->view;

	return ecert_slice_equal(entry->issuer, view->certifier) && ecert_is_seen(rules, entry) && !view->is_false(view, entry);
}

int64_t
ecert_seen_before(EcertRules *rules, EcertKind kind)
{
	return rules->as_of == ECERT_AS_OF_NOW ? INT64_MAX : horizon(rules, rules->view->certifier, kind) + 1;
}

bool
ecert_last_until(EcertRules *rules, EcertKind kind, int64_t last, EcertEntry *entry)
{
	EcertView  *view = rules->view;
	EcertEntries before;

	if (last < 0 || view->by_seq(view, rules->arena, view->certifier, kind, last, entry))
		return last >= 0;
	/* that package is not here */
	before = view->feed(view, rules->arena, view->certifier, kind, 0, last);
	if (before.count > 0)
		*entry = before.list[before.count - 1];
	return before.count > 0;
}

bool
ecert_newest_seen(EcertRules *rules, EcertKind kind, EcertEntry *entry)
{
	EcertView  *view = rules->view;
	int64_t		last;

	if (!view->head(view, rules->arena, view->certifier, kind, entry))
		return false;
	if (rules->as_of == ECERT_AS_OF_NOW)
		return true;
	last = horizon(rules, view->certifier, kind);
	return entry->seq <= last || ecert_last_until(rules, kind, last, entry);
}

bool
ecert_check_seal_time(EcertKind kind, int64_t issued_at, int64_t sealed_at, EcertFinding *finding)
{
	return kind == ECERT_KIND_NODE || issued_at <= sealed_at || issued_at - sealed_at <= ECERT_CLOCKS_APART ||
		ECERT_FIND(finding, ECERT_TIME_AFTER_SEAL, ecert_a_time(issued_at), ecert_a_time(sealed_at), ecert_a_number(ECERT_CLOCKS_APART));
}

int64_t
ecert_sealed_at(EcertRules *rules, int64_t checkpoint)
{
	EcertView  *view = rules->view;
	EcertSealTime *known = &rules->seal_times[(uint64_t) checkpoint % ECERT_SEAL_TIMES];
	EcertEntry	entry;

	if (checkpoint == ECERT_AS_OF_NOW)
		return INT64_MAX;
	if (known->is_known && known->checkpoint == checkpoint)
		return known->issued_at;
	known->issued_at = view->by_seq(view, rules->arena, view->certifier, ECERT_KIND_CHECKPOINT, checkpoint, &entry) ? entry.issued_at : INT64_MAX;
	known->checkpoint = checkpoint;
	known->is_known = true;
	return known->issued_at;
}

/* When the checkpoint was issued that covers a package first; packages are asked for feed by feed, and mostly in their order */
static int64_t
package_sealed_at(EcertRules *rules, const EcertEntry *entry)
{
	EcertSealedRange *known = &rules->sealed;

	if (known->size > 0 && known->kind == entry->kind && entry->seq >= known->first && entry->seq <= known->last &&
		ecert_slice_equal(ecert_slice(known->issuer, known->size), entry->issuer))
		return known->sealed_at;
	known->sealed_at = ecert_sealed_at(rules, rules->view->sealed_up_to(rules->view, entry->issuer, entry->kind, entry->seq, &known->last));
	known->first = entry->seq;
	known->kind = entry->kind;
	known->size = entry->issuer.size <= sizeof known->issuer ? entry->issuer.size : 0;
	if (known->size > 0)
		memcpy(known->issuer, entry->issuer.data, known->size);
	return known->sealed_at;
}

bool
ecert_is_from_future(EcertRules *rules, const EcertEntry *entry)
{
	EcertFinding finding;

	return !ecert_check_seal_time(entry->kind, entry->issued_at, package_sealed_at(rules, entry), &finding);
}
