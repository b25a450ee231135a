/*
 * figures.c
 *		What a certificate's body says that can be computed: the packages used,
 *		the assessment, the verdict.
 */
#include <stdlib.h>

#include "rules/assess.h"
#include "rules/certificate.h"

/* ---- the packages used ---- */

static int
compare_seqs(const void *left, const void *right)
{
	const EcertEntry *a = *(const EcertEntry *const *) left;
	const EcertEntry *b = *(const EcertEntry *const *) right;

	return (a->seq > b->seq) - (a->seq < b->seq);
}

/* Live packages of a kind in the baseline or in the period, by seq */
typedef struct Window
{
	const EcertEntry **list;
	size_t		count;
	size_t		room;
} Window;

static Window
open_window(EcertRules *rules, const EcertCertified *certified, EcertKind kind, EcertPeriod within)
{
	EcertApplicant *applicant = ecert_applicant(rules, certified->applicant);
	EcertLiveWalk walk = ecert_live_begin(rules, applicant, kind, within, ecert_up_to(certified->up_to, kind));
	Window		window = {NULL, 0, 0};
	const EcertEntry *live;

	while ((live = ecert_live_next(&walk)) != NULL)
	{
		window.list = ecert_arena_grow(rules->arena, window.list, window.count, &window.room, sizeof(EcertEntry *));
		window.list[window.count++] = live;
	}
	if (window.count > 0)
		qsort(window.list, window.count, sizeof(EcertEntry *), compare_seqs);
	return window;
}

/* A run of seqs */
static void
put_range(EcertValue *ranges, EcertArena *arena, const EcertEntry *first, const EcertEntry *last)
{
	EcertValue *range = ecert_value(arena, ECERT_VALUE_MAP);

	ecert_value_put(range, "kind", ecert_value_text(arena, ecert_slice_text(ecert_kind_name(first->kind))));
	ecert_value_put(range, "first", ecert_value_int(arena, first->seq));
	ecert_value_put(range, "last", ecert_value_int(arena, last->seq));
	ecert_value_put(range, "hash", ecert_value_hash(arena, last->hash));
	ecert_value_put(ranges, NULL, range);
}

/* A correction stands behind other periods in the feed: one range for each run of seqs */
static void
put_ranges(EcertValue *ranges, EcertArena *arena, const Window *window)
{
	size_t		end;

	for (size_t start = 0; start < window->count; start = end)
	{
		for (end = start + 1; end < window->count && window->list[end]->seq == window->list[end - 1]->seq + 1; end++)
			;
		put_range(ranges, arena, window->list[start], window->list[end - 1]);
	}
}

static void
put_packages(EcertRules *rules, const EcertCertified *certified, EcertValue *figures)
{
	static const struct
	{
		EcertKind	kind;
		bool		is_baseline;
		const char *count;
	}			windows[] = {
		{ECERT_KIND_ENERGY, true, "base_energy_packages"},
		{ECERT_KIND_ENERGY, false, "energy_packages"},
		{ECERT_KIND_PRODUCT, true, "base_product_packages"},
		{ECERT_KIND_PRODUCT, false, "product_packages"},
	};
	EcertArena *arena = rules->arena;
	EcertValue *ranges = ecert_value(arena, ECERT_VALUE_ARRAY);
	EcertValue *counts = ecert_value(arena, ECERT_VALUE_MAP);

	for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
	{
		Window		window = open_window(rules, certified, windows[i].kind, windows[i].is_baseline ? certified->baseline : certified->period);

		ecert_value_put(counts, windows[i].count, ecert_value_int(arena, (int64_t) window.count));
		put_ranges(ranges, arena, &window);
	}
	ecert_value_put(figures, "completeness", counts);
	ecert_value_put(figures, "packages", ranges->count == 0 ? ecert_value(arena, ECERT_VALUE_NULL) : ranges);
}

/* ---- the assessment ---- */

static EcertUse *
read_use(EcertRules *rules, const EcertCertified *certified, const EcertCoefficients *coefficients, EcertPeriod within)
{
	static const EcertKind kinds[] = {ECERT_KIND_ENERGY, ECERT_KIND_PRODUCT};
	EcertApplicant *applicant = ecert_applicant(rules, certified->applicant);
	EcertUse   *use = ecert_use_new(rules->arena, coefficients);

	for (size_t i = 0; i < 2; i++)
	{
		EcertLiveWalk walk = ecert_live_begin(rules, applicant, kinds[i], within, ecert_up_to(certified->up_to, kinds[i]));
		const EcertEntry *live;
		EcertPackage package;

		while ((live = ecert_live_next(&walk)) != NULL)
		{
			if (rules->view->package(rules->view, live, &package))
				ecert_use_add(use, kinds[i], package.body);
		}
	}
	ecert_use_finish(use);
	return use;
}

static EcertValue *
product_value(const EcertAssessed *product, EcertArena *arena)
{
	EcertValue *value = ecert_value(arena, ECERT_VALUE_MAP);

	ecert_value_put(value, "product", ecert_value_text(arena, product->product));
	ecert_value_put(value, "unit", ecert_value_text(arena, product->unit.size == 0 ? ecert_slice_text("-") : product->unit));
	ecert_value_put(value, "base_kgce", ecert_value_number(arena, product->base.kgce));
	ecert_value_put(value, "base_output", ecert_value_number(arena, product->base.output));
	ecert_value_put(value, "base_unit_energy", ecert_value_number(arena, product->base.unit_energy));
	ecert_value_put(value, "now_kgce", ecert_value_number(arena, product->now.kgce));
	ecert_value_put(value, "now_output", ecert_value_number(arena, product->now.output));
	ecert_value_put(value, "now_unit_energy", ecert_value_number(arena, product->now.unit_energy));
	ecert_value_put(value, "saving_kgce", ecert_value_number(arena, product->saving_kgce));
	ecert_value_put(value, "saving_rate", ecert_value_number(arena, product->saving_rate));
	ecert_value_put(value, "status", ecert_value_text(arena, ecert_slice_text(product->status)));
	return value;
}

static EcertValue *
totals_value(const EcertTotals *totals, EcertArena *arena)
{
	EcertValue *value = ecert_value(arena, ECERT_VALUE_MAP);

	ecert_value_put(value, "adjusted_base_kgce", ecert_value_number(arena, totals->adjusted_base_kgce));
	ecert_value_put(value, "now_kgce", ecert_value_number(arena, totals->now.kgce));
	ecert_value_put(value, "saving_kgce", ecert_value_number(arena, totals->saving_kgce));
	ecert_value_put(value, "saving_tce", ecert_value_number(arena, totals->saving_tce));
	ecert_value_put(value, "saving_rate", ecert_value_number(arena, totals->saving_rate));
	ecert_value_put(value, "structure_kgce", ecert_value_number(arena, totals->structure_kgce));
	return value;
}

static void
put_assessment(const EcertAssessment *assessment, EcertArena *arena, EcertValue *figures)
{
	EcertValue *products = ecert_value(arena, assessment->count == 0 ? ECERT_VALUE_NULL : ECERT_VALUE_ARRAY);

	for (size_t i = 0; i < assessment->count; i++)
		ecert_value_put(products, NULL, product_value(&assessment->products[i], arena));
	ecert_value_put(figures, "products", products);
	ecert_value_put(figures, "totals", totals_value(&assessment->totals, arena));
	ecert_value_put(figures, "verdict", ecert_value_text(arena, ecert_slice_text(assessment->totals.passes ? "pass" : "fail")));
}

/* What the certificate says of itself, and its policy */
static void
put_question(const EcertCertified *certified, EcertArena *arena, EcertValue *figures)
{
	EcertValue *conventions = ecert_value(arena, ECERT_VALUE_MAP);
	EcertText	threshold = ecert_text_in(arena);

	ecert_value_put(conventions, "saving", ecert_value_text(arena, ecert_slice_text("baseline_minus_reporting")));
	ecert_value_put(conventions, "denominator", ecert_value_text(arena, certified->policy.denominator));
	ecert_value_put(conventions, "electricity", ecert_value_text(arena, ecert_slice_text("as the coefficients of the policy state")));
	ecert_value_put(figures, "conventions", conventions);
	ecert_text_put_item(&threshold, certified->policy.threshold_item);
	ecert_value_put(figures, "threshold", ecert_value_number(arena, ecert_text_string(&threshold)));
	ecert_value_put(figures, "applicant", ecert_value_text(arena, certified->applicant));
	ecert_value_put(figures, "period", ecert_value_period(arena, certified->period));
	ecert_value_put(figures, "baseline", ecert_value_period(arena, certified->baseline));
	ecert_value_put(figures, "method", ecert_value_text(arena, ecert_slice_text(certified->by_value ? "value" : "product")));
	ecert_value_put(figures, "policy", ecert_value_hash(arena, certified->policy_hash));
}

/* An error's text as the beginning of a sentence */
static EcertArgument
sentence(EcertCode code, EcertArena *arena)
{
	const char *text = ecert_error_text(code);
	EcertSlice	copy = ecert_arena_copy(arena, ecert_slice_text(text));
	char	   *first = (char *) copy.data;

	if (*first >= 'a' && *first <= 'z')
		*first = (char) (*first - 'a' + 'A');
	return ecert_a_text(copy);
}

/* Why it cannot be assessed */
static bool
find_why(const EcertCertified *certified, EcertAssessCode code, const EcertAssessment *assessment, EcertArena *arena, EcertFinding *finding)
{
	switch (code)
	{
		case ECERT_ASSESS_NO_COEFFICIENT:
			return ECERT_FIND(finding, ECERT_COEFFICIENT_UNKNOWN, ecert_a_text(assessment->source), ecert_a_text(assessment->unit),
							  ecert_a_text(certified->applicant), ecert_a_period(assessment->is_baseline ? certified->baseline : certified->period));
		case ECERT_ASSESS_BAD_LINE:
			return ECERT_FIND(finding, ECERT_LINE_UNREADABLE, ecert_a_number((int64_t) assessment->line), sentence(assessment->line_code, arena));
		case ECERT_ASSESS_TOO_LARGE:
			return ECERT_FIND_PLAIN(finding, ECERT_NUMBER_TOO_LARGE);
		case ECERT_ASSESS_OK:
			break;
	}
	return true;
}

bool
ecert_certificate_figures(EcertRules *rules, const EcertCertified *certified, EcertValue **figures, EcertFinding *finding)
{
	EcertArena *arena = rules->arena;
	const EcertCoefficients *coefficients = ecert_coefficients_new(arena, certified->policy.body);
	EcertTerms	terms = ecert_terms_of(certified->policy.body, certified->by_value);
	EcertUse   *base = read_use(rules, certified, coefficients, certified->baseline);
	EcertUse   *now = read_use(rules, certified, coefficients, certified->period);
	EcertAssessment assessment;
	EcertAssessCode code = ecert_assess(base, now, terms, arena, &assessment);

	if (code != ECERT_ASSESS_OK)
		return find_why(certified, code, &assessment, arena, finding);
	*figures = ecert_value(arena, ECERT_VALUE_MAP);
	put_question(certified, arena, *figures);
	put_assessment(&assessment, arena, *figures);
	put_packages(rules, certified, *figures);
	return true;
}
