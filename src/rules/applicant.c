/*
 * applicant.c
 *		Packages by time, audits and relations of an applicant; see applicant.h.
 */
#include "rules/applicant.h"

#include <stdlib.h>

#include "rules/as_of.h"
#include "rules/void.h"

EcertApplicant *
ecert_applicant(EcertRules *rules, EcertSlice id)
{
	if (rules->applicant != NULL && ecert_slice_equal(rules->applicant->id, id))
		return rules->applicant;
	ecert_rules_forget(rules);
	rules->applicant = ecert_arena_alloc(rules->kept, sizeof(EcertApplicant));
	rules->applicant->id = ecert_arena_copy(rules->kept, id);
	return rules->applicant;
}

void
ecert_rules_forget(EcertRules *rules)
{
	rules->applicant = NULL;
	rules->ends = NULL;
	rules->horizon.size = 0;
	rules->sealed.size = 0;
	memset(rules->seal_times, 0, sizeof rules->seal_times);
	rules->forget(rules->kept);
}

static int
compare_times(const void *left, const void *right)
{
	const EcertEntry *a = left;
	const EcertEntry *b = right;

	if (a->period.start != b->period.start)
		return a->period.start < b->period.start ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

/*
 * What was looked up before, and span.  Where that is wider, it is at least
 * twice as wide: what a row after the other asks for, a bit further each, is
 * looked up a few times only
 */
static EcertPeriod
widen(EcertPeriod before, EcertPeriod span)
{
	int64_t		width;
	int64_t		further;

	if (before.start >= before.end)
		return span;
	if (__builtin_sub_overflow(before.end, before.start, &width))
		return ECERT_ALL_TIME;
	if (span.start >= before.start)
		span.start = before.start;
	else if (__builtin_sub_overflow(before.start, width, &further))
		span.start = INT64_MIN;
	else
		span.start = further < span.start ? further : span.start;
	if (span.end <= before.end)
		span.end = before.end;
	else if (__builtin_add_overflow(before.end, width, &further))
		span.end = INT64_MAX;
	else
		span.end = further > span.end ? further : span.end;
	return span;
}

/* The issued_at of the package of a feed with the seq before, which mostly is the one before it in time, too; INT64_MIN: there is none */
static int64_t
issued_before(EcertRules *rules, const EcertTimeline *timeline, size_t place)
{
	const EcertEntry *entry = &timeline->list[place];
	EcertEntry	before;

	if (place > 0 && timeline->list[place - 1].seq == entry->seq - 1)
		return timeline->list[place - 1].issued_at;
	return entry->seq > 0 && rules->view->by_seq(rules->view, rules->arena, entry->issuer, entry->kind, entry->seq - 1, &before) ?
		before.issued_at : INT64_MIN;
}

/* Does the time of a package run backwards in its feed, which void packages before it do not tell of? */
static bool
is_early(EcertRules *rules, const EcertEntry *entry)
{
	EcertView  *view = rules->view;
	EcertEntry	before;

	for (int64_t seq = entry->seq - 1; seq >= 0 && view->by_seq(view, rules->arena, entry->issuer, entry->kind, seq, &before); seq--)
	{
		if (!ecert_is_void(rules, &before))
			return before.issued_at > entry->issued_at;
	}
	return false;
}

/* What is known of the order of a timeline */
static void
note_order(EcertRules *rules, EcertTimeline *timeline)
{
	int64_t		lowest = INT64_MAX;

	timeline->order = ecert_arena_array(rules->kept, timeline->count, sizeof *timeline->order);
	for (size_t i = timeline->count; i-- > 0;)
	{
		if (timeline->list[i].seq < lowest)
			lowest = timeline->list[i].seq;
		timeline->order[i].lowest = lowest;
		timeline->order[i].may_be_early = issued_before(rules, timeline, i) > timeline->list[i].issued_at;
	}
}

/* Look up what begins within span, and what was looked up before */
static void
load_timeline(EcertRules *rules, EcertApplicant *applicant, EcertKind kind, EcertTimeline *timeline, EcertPeriod span)
{
	EcertEntries found;

	span = widen(timeline->span, span);
	found = rules->view->about(rules->view, rules->kept, applicant->id, kind, &span);
	timeline->span = span;
	timeline->list = found.list;
	timeline->count = 0;
	for (size_t i = 0; i < found.count; i++)
	{
		if (ecert_slice_equal(found.list[i].issuer, applicant->id) && found.list[i].period.start < found.list[i].period.end)
			timeline->list[timeline->count++] = found.list[i];
	}
	ecert_sort(timeline->list, timeline->count, sizeof(EcertEntry), compare_times);
	note_order(rules, timeline);
}

const EcertTimeline *
ecert_timeline(EcertRules *rules, EcertApplicant *applicant, EcertKind kind, EcertPeriod span)
{
	EcertTimeline *timeline = kind == ECERT_KIND_ENERGY ? &applicant->energy : &applicant->product;

	if (!ecert_period_within(span, timeline->span) || timeline->span.start >= timeline->span.end)
		load_timeline(rules, applicant, kind, timeline, span);
	return timeline;
}

size_t
ecert_first_from(const EcertTimeline *timeline, int64_t start)
{
	size_t		low = 0;
	size_t		high = timeline->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (timeline->list[middle].period.start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
ecert_counts(EcertRules *rules, const EcertEntry *entry)
{
	return ecert_is_seen(rules, entry) && !ecert_is_void(rules, entry);
}

bool
ecert_is_sound_at(EcertRules *rules, const EcertTimeline *timeline, size_t place)
{
	const EcertEntry *entry = &timeline->list[place];
	EcertOrder *order = &timeline->order[place];

	if (!ecert_counts(rules, entry))
		return false;
	if (!order->is_timed)
		order->is_from_future = ecert_is_from_future(rules, entry);
	order->is_timed = true;
	return !order->is_from_future && !(order->may_be_early && is_early(rules, entry));
}

static int
compare_feeds(const void *left, const void *right)
{
	const EcertEntry *a = &((const EcertAudit *) left)->entry;
	const EcertEntry *b = &((const EcertAudit *) right)->entry;
	int			order = ecert_slice_compare(a->issuer, b->issuer);

	return order != 0 ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

size_t
ecert_audit_count(EcertRules *rules, EcertApplicant *applicant)
{
	EcertEntries found;

	if (applicant->has_audits)
		return applicant->audit_count;
	found = ecert_about(rules->view, rules->kept, applicant->id, ECERT_KIND_AUDIT, ECERT_ALL_TIME);
	applicant->audits = ecert_arena_array(rules->kept, found.count, sizeof(EcertAudit));
	for (size_t i = 0; i < found.count; i++)
		applicant->audits[i].entry = found.list[i];
	applicant->audit_count = found.count;
	applicant->has_audits = true;
	ecert_sort(applicant->audits, applicant->audit_count, sizeof(EcertAudit), compare_feeds);
	return applicant->audit_count;
}

static EcertVerdict
verdict_of(EcertSlice body)
{
	return ecert_field_is(body, "verdict", "pass") ? ECERT_VERDICT_PASS :
		ecert_field_is(body, "verdict", "fail") ? ECERT_VERDICT_FAIL : ECERT_VERDICT_ABSTAIN;
}

EcertAudit *
ecert_audit_read(EcertRules *rules, EcertApplicant *applicant, size_t number)
{
	EcertAudit *audit = &applicant->audits[number];
	EcertPackage package;

	if (audit->is_read)
		return audit;
	if (!rules->view->package(rules->view, &audit->entry, &package))
		return NULL;
	audit->role = ecert_audit_role(ecert_cbor_text_at(package.body, "as"));
	audit->verdict = verdict_of(package.body);
	audit->ranges = ecert_ranges_of(rules->kept, package.body, "checked");
	/* the package's bytes are gone with the next one that is read */
	for (size_t i = 0; i < audit->ranges.count; i++)
		audit->ranges.list[i].hash = ecert_slice(NULL, 0);
	audit->is_read = true;
	return audit;
}

EcertAudit *
ecert_audit_of_hash(EcertRules *rules, EcertApplicant *applicant, const uint8_t *hash)
{
	for (size_t i = 0; i < ecert_audit_count(rules, applicant); i++)
	{
		if (memcmp(applicant->audits[i].entry.hash, hash, ECERT_HASH_SIZE) == 0)
			return ecert_audit_read(rules, applicant, i);
	}
	return NULL;
}

static int
compare_relations(const void *left, const void *right)
{
	const EcertRelation *a = left;
	const EcertRelation *b = right;

	return (a->entry.seq > b->entry.seq) - (a->entry.seq < b->entry.seq);
}

static void
read_relations(EcertRules *rules, EcertApplicant *applicant)
{
	EcertView  *view = rules->view;
	EcertEntries found = ecert_about(view, rules->arena, applicant->id, ECERT_KIND_RELATION, ECERT_ALL_TIME);

	applicant->relations = ecert_arena_array(rules->kept, found.count, sizeof(EcertRelation));
	for (size_t i = 0; i < found.count; i++)
	{
		EcertRelation *relation = &applicant->relations[applicant->relation_count];
		EcertPackage package;

		if (!ecert_slice_equal(found.list[i].issuer, view->certifier) || view->is_false(view, &found.list[i]) ||
			!view->package(view, &found.list[i], &package))
			continue;
		relation->auditor = ecert_arena_copy(rules->kept, ecert_cbor_text_at(package.body, "auditor"));
		relation->role = ecert_audit_role(ecert_cbor_text_at(package.body, "as"));
		relation->entry = found.list[i];
		relation->entry.issuer = view->certifier;
		(void) ecert_field_int(package.body, "from", &relation->from);
		if (!ecert_field_int(package.body, "to", &relation->to))
			relation->to = INT64_MAX;
		applicant->relation_count++;
	}
	applicant->has_relations = true;
	ecert_sort(applicant->relations, applicant->relation_count, sizeof(EcertRelation), compare_relations);
}

bool
ecert_was_related(EcertRules *rules, EcertSlice auditor, EcertSlice id, EcertSlice as, int64_t at, int64_t said_at)
{
	EcertApplicant *applicant = ecert_applicant(rules, id);
	EcertAuditRole role = ecert_audit_role(as);
	bool		is_first = true;
	bool		was_related = false;

	if (!applicant->has_relations)
		read_relations(rules, applicant);
	for (size_t i = 0; i < applicant->relation_count; i++)
	{
		const EcertRelation *relation = &applicant->relations[i];

		if (relation->role != role || !ecert_slice_equal(relation->auditor, auditor) || !ecert_is_seen(rules, &relation->entry))
			continue;
		if (!is_first && relation->entry.issued_at > said_at)
			break;
		was_related = (was_related && relation->entry.issued_at == said_at) || (at >= relation->from && at < relation->to);
		is_first = false;
	}
	return was_related;
}
