/*
 * live.c
 *		The packages of an applicant that count for a period, the gaps between
 *		them, and the audits that they overtake; see live.h.
 */
#include "rules/live.h"

EcertLiveWalk
ecert_live_begin(EcertRules *rules, EcertApplicant *applicant, EcertKind kind, EcertPeriod within)
{
	/* whether one runs backwards, those behind it tell */
	const EcertTimeline *timeline = ecert_timeline(rules, applicant, kind, (EcertPeriod) {within.start, INT64_MAX});
	EcertLiveWalk walk = {rules, timeline, ecert_first_from(timeline, within.start), within, INT64_MIN, 0};

	return walk;
}

/* Does a package replace one of its period, as the rule asks? */
static bool
corrects(EcertRules *rules, const EcertEntry *entry)
{
	EcertPackage package;
	EcertFinding finding;
	EcertCase	it = {rules, &package, false, &finding};
	uint8_t		hash[ECERT_HASH_SIZE];

	return rules->view->package(rules->view, entry, &package) && ecert_body_replaces(&package, hash) && ecert_rule_declaration(&it);
}

/* The packages of one start, behind which the walk then is: the first that counts, NULL: none does, and the newest */
static const EcertEntry *
next_start(EcertLiveWalk *walk, const EcertEntry **newest)
{
	const EcertTimeline *timeline = walk->timeline;
	const EcertEntry *first = NULL;
	int64_t		start = timeline->list[walk->at].period.start;

	for (; walk->at < timeline->count && timeline->list[walk->at].period.start == start; walk->at++)
	{
		const EcertEntry *entry = &timeline->list[walk->at];

		if (entry->period.end > walk->within.end || !ecert_is_sound_at(walk->rules, timeline, walk->at) ||
			(first != NULL && !corrects(walk->rules, entry)))
			continue;
		*newest = entry;
		if (first == NULL)
			first = entry;
	}
	return first;
}

/* Does a package, the first of its start, overlap one that was there before, or run backwards behind it, which who replaces another may? */
static bool
is_behind(const EcertLiveWalk *walk, const EcertEntry *first)
{
	const EcertTimeline *timeline = walk->timeline;

	if (first->period.start < walk->reach && first->seq > walk->reach_seq)
		return true;
	for (size_t i = walk->at; i < timeline->count && timeline->order[i].lowest < first->seq; i++)
	{
		const EcertEntry *later = &timeline->list[i];

		if (later->seq < first->seq && ecert_is_sound_at(walk->rules, timeline, i))
			return later->period.start < first->period.end || !corrects(walk->rules, first);
	}
	return false;
}

const EcertEntry *
ecert_live_next(EcertLiveWalk *walk)
{
	const EcertTimeline *timeline = walk->timeline;

	while (walk->at < timeline->count && timeline->list[walk->at].period.start < walk->within.end)
	{
		const EcertEntry *newest = NULL;
		const EcertEntry *first = next_start(walk, &newest);

		if (first == NULL || is_behind(walk, first))
			continue;
		walk->reach = first->period.end;
		walk->reach_seq = first->seq;
		return newest;
	}
	return NULL;
}

static void
put_gap(EcertText *text, int64_t start, int64_t end)
{
	if (start >= end)
		return;
	ecert_text_put_string(text, text->size == 0 ? "{" : ",");
	ecert_text_put_period(text, (EcertPeriod) {start, end});
}

const char *
ecert_gaps(EcertRules *rules, EcertApplicant *applicant, EcertKind kind, EcertPeriod within)
{
	EcertLiveWalk walk = ecert_live_begin(rules, applicant, kind, within);
	EcertText	text = ecert_text_in(rules->arena);
	int64_t		covered = within.start;
	const EcertEntry *live;

	while ((live = ecert_live_next(&walk)) != NULL)
	{
		put_gap(&text, covered, live->period.start);
		covered = live->period.end > covered ? live->period.end : covered;
	}
	put_gap(&text, covered, within.end);
	if (text.size == 0)
		return NULL;
	ecert_text_put_string(&text, "}");
	return ecert_text_string(&text);
}

const EcertEntry *
ecert_replacement(EcertRules *rules, EcertApplicant *applicant, const EcertEntry *entry)
{
	const EcertTimeline *timeline = ecert_timeline(rules, applicant, entry->kind, entry->period);

	for (size_t i = ecert_first_from(timeline, entry->period.start);
		 i < timeline->count && timeline->list[i].period.start == entry->period.start; i++)
	{
		if (timeline->list[i].seq > entry->seq && ecert_is_sound_at(rules, timeline, i) && corrects(rules, &timeline->list[i]))
			return &timeline->list[i];
	}
	return NULL;
}

const EcertEntry *
ecert_replaced(EcertRules *rules, EcertApplicant *applicant, const EcertEntry *entry)
{
	const EcertTimeline *timeline = ecert_timeline(rules, applicant, entry->kind, entry->period);
	const EcertEntry *before = NULL;

	for (size_t i = ecert_first_from(timeline, entry->period.start); i < timeline->count && &timeline->list[i] != entry; i++)
	{
		const EcertEntry *earlier = &timeline->list[i];

		if (earlier->period.end == entry->period.end && ecert_is_sound_at(rules, timeline, i) && (before == NULL || corrects(rules, earlier)))
			before = earlier;
	}
	return before;
}

/* Was an earlier package of the same start audited than the one that is live now */
static bool
was_audited(const EcertTimeline *timeline, const EcertAudit *audit, EcertKind kind, const EcertEntry *live)
{
	for (size_t i = ecert_first_from(timeline, live->period.start);
		 i < timeline->count && timeline->list[i].period.start == live->period.start; i++)
	{
		if (timeline->list[i].seq < live->seq && ecert_ranges_contain(&audit->ranges, kind, timeline->list[i].seq))
			return true;
	}
	return false;
}

static const EcertEntry *
replaced_by(EcertRules *rules, EcertApplicant *applicant, const EcertAudit *audit, EcertKind kind)
{
	EcertLiveWalk walk = ecert_live_begin(rules, applicant, kind, audit->entry.period);
	const EcertEntry *live;

	while ((live = ecert_live_next(&walk)) != NULL)
	{
		if (!ecert_ranges_contain(&audit->ranges, kind, live->seq) && was_audited(walk.timeline, audit, kind, live))
			return live;
	}
	return NULL;
}

const EcertEntry *
ecert_audit_overtaken_by(EcertRules *rules, EcertApplicant *applicant, const EcertAudit *audit)
{
	const EcertEntry *by = replaced_by(rules, applicant, audit, ECERT_KIND_ENERGY);

	return by != NULL ? by : replaced_by(rules, applicant, audit, ECERT_KIND_PRODUCT);
}
