/*
 * obstacle.c
 *		What stands against a certificate.
 */
#include <stdlib.h>

#include "rules/as_of.h"
#include "rules/certificate.h"
#include "rules/coefficient.h"
#include "rules/live.h"
#include "rules/table.h"

/* The rest are the arguments of the words, in which %1 stands for the first */
static void
put_obstacle(EcertObstacles *obstacles, const char *obstacle, const char *words, size_t count, const EcertArgument *arguments)
{
	EcertText	detail = ecert_text_in(obstacles->arena);

	ecert_text_put_words(&detail, words, count, arguments);
	obstacles->list = ecert_arena_grow(obstacles->arena, obstacles->list, obstacles->count, &obstacles->room, sizeof(EcertObstacle));
	obstacles->list[obstacles->count].obstacle = obstacle;
	obstacles->list[obstacles->count++].detail = ecert_text_string(&detail);
}

#define PUT(obstacles, obstacle, words, ...) put_obstacle(obstacles, obstacle, words, ECERT_COUNTED(__VA_ARGS__))

static void
put_gaps(EcertRules *rules, const EcertCertified *certified, const char *obstacle, EcertPeriod within, EcertObstacles *obstacles)
{
	EcertApplicant *applicant = ecert_applicant(rules, certified->applicant);

	for (size_t i = 0; i < 2; i++)
	{
		const char *gaps = ecert_gaps(rules, applicant, ecert_declared_kinds[i], within);

		if (gaps != NULL)
			PUT(obstacles, obstacle, "%1 packages are missing for %2", ecert_a_word(ecert_kind_name(ecert_declared_kinds[i])), ecert_a_word(gaps));
	}
}

/* Packages that reach over an edge of a period */
static void
put_straddling(EcertRules *rules, const EcertCertified *certified, EcertPeriod within, EcertObstacles *obstacles)
{
	EcertApplicant *applicant = ecert_applicant(rules, certified->applicant);

	for (size_t i = 0; i < 2; i++)
	{
		const EcertTimeline *timeline = ecert_timeline(rules, applicant, ecert_declared_kinds[i], (EcertPeriod) {INT64_MIN, within.end});

		for (size_t j = 0; j < timeline->count && timeline->list[j].period.start < within.end; j++)
		{
			const EcertEntry *entry = &timeline->list[j];

			if (ecert_periods_overlap(entry->period, within) && !ecert_period_within(entry->period, within) && ecert_is_sound_at(rules, timeline, j))
				PUT(obstacles, "package_straddles", "%1 package seq %2 of %3 reaches over the edge of %4", ecert_a_word(ecert_kind_name(entry->kind)),
					ecert_a_number(entry->seq), ecert_a_period(entry->period), ecert_a_period(within));
		}
	}
}

#define BROKEN_LINKS 10			/* the first so many are told of */

static const char *
why_broken(EcertRules *rules, const EcertEntry *before, const EcertEntry *entry)
{
	const uint8_t *expected = before == NULL ? rules->view->genesis_hash : before->hash;
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertPackage package;

	if (entry->seq != (before == NULL ? 0 : before->seq + 1))
		return "a package is missing before it";
	if (!rules->view->package(rules->view, entry, &package))
		return "its bytes have been changed";
	if (package.prev.size != ECERT_HASH_SIZE || memcmp(package.prev.data, expected, ECERT_HASH_SIZE) != 0)
		return "it does not name the package before it";
	return ecert_package_hash(package.bytes, hash) != ECERT_OK || memcmp(hash, entry->hash, sizeof hash) != 0 ?
		"its bytes have been changed" : NULL;
}

static void
put_broken(EcertRules *rules, const EcertCertified *certified, EcertObstacles *obstacles)
{
	size_t		told = 0;

	for (size_t i = 0; i < 2; i++)
	{
		EcertEntries feed = rules->view->feed(rules->view, rules->arena, certified->applicant, ecert_declared_kinds[i], 0, INT64_MAX);

		for (size_t j = 0; j < feed.count && told < BROKEN_LINKS && ecert_is_seen(rules, &feed.list[j]); j++)
		{
			const char *why = why_broken(rules, j == 0 ? NULL : &feed.list[j - 1], &feed.list[j]);

			if (why == NULL)
				continue;
			told++;
			PUT(obstacles, "feed_broken", "%1 feed, seq %2: %3", ecert_a_word(ecert_kind_name(ecert_declared_kinds[i])),
				ecert_a_number(feed.list[j].seq), ecert_a_word(why));
		}
	}
}

static void
put_missing_audits(EcertRules *rules, const EcertCertified *certified, EcertObstacles *obstacles)
{
	EcertAuditList passing = ecert_standing_audits(rules, certified, ECERT_VERDICT_PASS);

	for (size_t i = 0; i < certified->policy.required_count; i++)
	{
		const EcertRequired *required = &certified->policy.required[i];

		for (size_t j = 0; j < 2; j++)
		{
			EcertUncovered uncovered = ecert_uncovered(rules, certified, &passing, required, ecert_declared_kinds[j]);

			if (uncovered.count > 0)
				PUT(obstacles, "audit_missing", "%1 %2 packages lack %3 passing %4 audit(s), the first for %5", ecert_a_number(uncovered.count),
					ecert_a_word(ecert_kind_name(uncovered.kind)), ecert_a_number(required->count),
					ecert_a_word(ecert_audit_role_name(required->role)), ecert_a_period(uncovered.first));
		}
	}
}

static void
put_failed_audits(EcertRules *rules, const EcertCertified *certified, EcertObstacles *obstacles)
{
	EcertAuditList failed = ecert_standing_audits(rules, certified, ECERT_VERDICT_FAIL);

	for (size_t i = 0; i < failed.count; i++)
	{
		const EcertEntry *entry = &failed.list[i]->entry;

		PUT(obstacles, "audit_failed", "\"%1\" as %2 says fail for %3 (audit %4)", ecert_a_text(entry->issuer),
			ecert_a_word(ecert_audit_role_name(failed.list[i]->role)), ecert_a_period(entry->period), ecert_a_hash(entry->hash));
	}
}

static bool
is_active_applicant(EcertRules *rules, EcertSlice node)
{
	EcertSlice	state;

	return ecert_node_state(rules, node, INT64_MAX, &state) && ecert_field_has(state, "roles", "applicant") &&
		ecert_field_is(state, "status", "active");
}

static void
put_periods(EcertRules *rules, const EcertCertified *certified, int64_t now, EcertObstacles *obstacles)
{
	if (certified->period.end > now)
		PUT(obstacles, "period_not_over", "the statistics period ends at %1", ecert_a_time(certified->period.end));
	if (ecert_periods_overlap(certified->period, certified->baseline))
		PUT(obstacles, "periods_overlap", "statistics period %1, baseline %2", ecert_a_period(certified->period), ecert_a_period(certified->baseline));
	put_gaps(rules, certified, "baseline_not_covered", certified->baseline, obstacles);
	put_gaps(rules, certified, "period_not_covered", certified->period, obstacles);
}

void
ecert_ledger_obstacles(EcertRules *rules, const EcertCertified *certified, int64_t now, EcertObstacles *obstacles)
{
	if (!is_active_applicant(rules, certified->applicant))
		PUT(obstacles, "applicant_not_enrolled", "node \"%1\" is not an active applicant", ecert_a_text(certified->applicant));
	put_periods(rules, certified, now, obstacles);
	put_straddling(rules, certified, certified->baseline, obstacles);
	put_straddling(rules, certified, certified->period, obstacles);
	put_broken(rules, certified, obstacles);
	put_missing_audits(rules, certified, obstacles);
	put_failed_audits(rules, certified, obstacles);
}

/* Sources and units without coefficient */
typedef struct UnknownList
{
	EcertPair  *list;
	size_t		count;
	size_t		room;
	EcertTable	table;			/* those of the list, by source and unit */
} UnknownList;

static void
note_unknown(UnknownList *unknown, EcertArena *arena, EcertSlice source, EcertSlice unit)
{
	EcertPair	copy;

	if (ecert_table_find(&unknown->table, source, unit, ECERT_NO_TEXT) != NULL)
		return;
	copy = (EcertPair) {ecert_arena_copy(arena, source), ecert_arena_copy(arena, unit)};
	unknown->list = ecert_arena_grow(arena, unknown->list, unknown->count, &unknown->room, sizeof(EcertPair));
	unknown->list[unknown->count++] = copy;
	ecert_table_put(&unknown->table, copy.name, copy.unit, ECERT_NO_TEXT, unknown);
}

static void
put_unknown_sources(EcertRules *rules, const EcertCertified *certified, EcertPeriod within, EcertObstacles *obstacles)
{
	const EcertCoefficients *coefficients = ecert_coefficients_new(rules->arena, certified->policy.body);
	EcertLiveWalk walk = ecert_certified_begin(rules, certified, ECERT_KIND_ENERGY, within);
	UnknownList unknown = {.table = {.arena = rules->arena}};
	const EcertEntry *live;

	while ((live = ecert_live_next(&walk)) != NULL)
	{
		EcertPackage package;
		EcertCursor cursor;
		uint64_t	count = 0;

		if (rules->view->package(rules->view, live, &package))
			cursor = ecert_body_lines(package.body, &count);
		for (; count > 0; count--)
		{
			EcertSlice	source,
						unit;
			EcertCoefficient found;

			ecert_energy_line_source(&cursor, &source, &unit);
			if (!ecert_coefficient_find(coefficients, source, unit, &found))
				note_unknown(&unknown, rules->arena, source, unit);
		}
	}
	ecert_sort(unknown.list, unknown.count, sizeof(EcertPair), ecert_compare_pairs);
	for (size_t i = 0; i < unknown.count; i++)
		PUT(obstacles, "coefficient_unknown", "source \"%1\" in unit \"%2\", used in %3", ecert_a_text(unknown.list[i].name),
			ecert_a_text(unknown.list[i].unit), ecert_a_period(within));
}

/* A status in the figures that stands against a certificate */
static void
put_status(EcertObstacles *obstacles, EcertSlice status, const char *words, EcertArgument argument)
{
	put_obstacle(obstacles, (const char *) ecert_arena_copy(obstacles->arena, status).data, words, 1, &argument);
}

void
ecert_status_obstacles(EcertSlice body, EcertObstacles *obstacles)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "figures", &count);
	const char *nothing = "no_reporting";
	bool		is_saved = false;
	size_t		before = obstacles->count;

	while (count-- > 0)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		EcertSlice	status = ecert_cbor_text_at(item, "status");

		if (ecert_field_is(item, "of", "total"))
			is_saved = !ecert_item_is_null(ecert_field_item(item, "saving_kgce"));
		if (!ecert_field_is(item, "of", "product"))
			continue;
		nothing = "no_baseline";
		if (!ecert_slice_equal(status, ecert_slice_text("ok")) && !ecert_slice_equal(status, ecert_slice_text("no_baseline")))
			put_status(obstacles, status, "product \"%1\"", ecert_a_text(ecert_cbor_text_at(item, "product")));
	}
	if (obstacles->count == before && !is_saved)
		put_status(obstacles, ecert_slice_text(nothing), "%1", ecert_a_word("nothing can be assessed"));
}

void
ecert_all_obstacles(EcertRules *rules, const EcertCertified *certified, int64_t now, EcertSlice *figures, EcertObstacles *obstacles)
{
	EcertEntry	live;
	EcertFinding finding;
	size_t		before;

	*figures = ecert_slice(NULL, 0);
	ecert_ledger_obstacles(rules, certified, now, obstacles);
	if (ecert_live_certificate(rules, certified->applicant, certified->period, INT64_MAX, ecert_seen_before(rules, ECERT_KIND_STATUS), &live))
		PUT(obstacles, "certificate_exists", "certificate %1 is live", ecert_a_hash(live.hash));
	before = obstacles->count;
	put_unknown_sources(rules, certified, certified->baseline, obstacles);
	put_unknown_sources(rules, certified, certified->period, obstacles);
	if (obstacles->count > before)
		return;
	if (ecert_certificate_figures(rules, certified, figures, &finding))
		ecert_status_obstacles(*figures, obstacles);
	else
		PUT(obstacles, "not_assessable", "%1", ecert_a_word(ecert_finding_problem(&finding, rules->arena)));
}

bool
ecert_no_obstacle(const EcertCertified *certified, const EcertObstacles *obstacles, size_t most, EcertFinding *finding)
{
	EcertText	text = ecert_text_in(obstacles->arena);

	if (obstacles->count == 0)
		return true;
	for (size_t i = 0; i < obstacles->count && i < most; i++)
		ECERT_PUT(&text, i == 0 ? "%1: %2" : "; %1: %2", ecert_a_word(obstacles->list[i].obstacle), ecert_a_word(obstacles->list[i].detail));
	return ECERT_FIND(finding, ECERT_OBSTACLE, ecert_a_text(certified->applicant), ecert_a_period(certified->period),
					  ecert_a_text(ecert_text_slice(&text)));
}
