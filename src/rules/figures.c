/*
 * figures.c
 *		What a certificate's body says that can be computed: the packages used,
 *		the assessment, the verdict.
 */
#include <stdlib.h>

#include "rules/assess.h"
#include "rules/certificate.h"

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
	EcertLiveWalk walk = ecert_certified_begin(rules, certified, kind, within);
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
put_range(EcertParts *ranges, const EcertEntry *first, const EcertEntry *last)
{
	EcertArena *arena = ranges->arena;
	EcertParts	range = ecert_parts_of(arena, ECERT_CBOR_MAP);

	ecert_parts_put(&range, "kind", ecert_item_word(arena, ecert_kind_name(first->kind)));
	ecert_parts_put(&range, "first", ecert_item_int(arena, first->seq));
	ecert_parts_put(&range, "last", ecert_item_int(arena, last->seq));
	ecert_parts_put(&range, "hash", ecert_item_hash(arena, last->hash));
	ecert_parts_put(ranges, NULL, ecert_parts_item(&range));
}

/* A correction stands behind other periods in the feed: one range for each run of seqs */
static void
put_ranges(EcertParts *ranges, const Window *window)
{
	size_t		end;

	for (size_t start = 0; start < window->count; start = end)
	{
		for (end = start + 1; end < window->count && window->list[end]->seq == window->list[end - 1]->seq + 1; end++)
			;
		put_range(ranges, window->list[start], window->list[end - 1]);
	}
}

static void
put_packages(EcertRules *rules, const EcertCertified *certified, EcertParts *figures)
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
	EcertParts	ranges = ecert_parts_of(arena, ECERT_CBOR_ARRAY);
	EcertParts	counts = ecert_parts_of(arena, ECERT_CBOR_MAP);

	for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
	{
		Window		window = open_window(rules, certified, windows[i].kind, windows[i].is_baseline ? certified->baseline : certified->period);

		ecert_parts_put(&counts, windows[i].count, ecert_item_int(arena, (int64_t) window.count));
		put_ranges(&ranges, &window);
	}
	ecert_parts_put(figures, "completeness", ecert_parts_item(&counts));
	ecert_parts_put(figures, "packages", ranges.count == 0 ? ecert_slice(NULL, 0) : ecert_parts_item(&ranges));
}

static EcertUse *
read_use(EcertRules *rules, const EcertCertified *certified, const EcertCoefficients *coefficients, EcertPeriod within)
{
	EcertUse   *use = ecert_use_new(rules->arena, coefficients);

	for (size_t i = 0; i < 2; i++)
	{
		EcertLiveWalk walk = ecert_certified_begin(rules, certified, ecert_declared_kinds[i], within);
		const EcertEntry *live;
		EcertPackage package;

		while ((live = ecert_live_next(&walk)) != NULL)
		{
			if (rules->view->package(rules->view, live, &package))
				ecert_use_add(use, ecert_declared_kinds[i], package.body);
		}
	}
	ecert_use_finish(use);
	return use;
}

static EcertSlice
product_item(const EcertAssessed *product, EcertArena *arena)
{
	EcertParts	parts = ecert_parts_of(arena, ECERT_CBOR_MAP);

	ecert_parts_put(&parts, "product", ecert_item_text(arena, product->product));
	ecert_parts_put(&parts, "unit", ecert_item_text(arena, product->unit.size == 0 ? ecert_slice_text("-") : product->unit));
	ecert_parts_put(&parts, "base_kgce", ecert_item_number(arena, product->base.kgce));
	ecert_parts_put(&parts, "base_output", ecert_item_number(arena, product->base.output));
	ecert_parts_put(&parts, "base_unit_energy", ecert_item_number(arena, product->base.unit_energy));
	ecert_parts_put(&parts, "now_kgce", ecert_item_number(arena, product->now.kgce));
	ecert_parts_put(&parts, "now_output", ecert_item_number(arena, product->now.output));
	ecert_parts_put(&parts, "now_unit_energy", ecert_item_number(arena, product->now.unit_energy));
	ecert_parts_put(&parts, "saving_kgce", ecert_item_number(arena, product->saving_kgce));
	ecert_parts_put(&parts, "saving_rate", ecert_item_number(arena, product->saving_rate));
	ecert_parts_put(&parts, "status", ecert_item_word(arena, product->status));
	return ecert_parts_item(&parts);
}

static EcertSlice
totals_item(const EcertAssessed *totals, EcertArena *arena)
{
	EcertParts	parts = ecert_parts_of(arena, ECERT_CBOR_MAP);

	ecert_parts_put(&parts, "adjusted_base_kgce", ecert_item_number(arena, totals->adjusted_base_kgce));
	ecert_parts_put(&parts, "now_kgce", ecert_item_number(arena, totals->now.kgce));
	ecert_parts_put(&parts, "saving_kgce", ecert_item_number(arena, totals->saving_kgce));
	ecert_parts_put(&parts, "saving_tce", ecert_item_number(arena, totals->saving_tce));
	ecert_parts_put(&parts, "saving_rate", ecert_item_number(arena, totals->saving_rate));
	ecert_parts_put(&parts, "structure_kgce", ecert_item_number(arena, totals->structure_kgce));
	return ecert_parts_item(&parts);
}

static void
put_assessment(const EcertAssessment *assessment, EcertArena *arena, EcertParts *figures)
{
	EcertParts	products = ecert_parts_of(arena, ECERT_CBOR_ARRAY);

	for (size_t i = 0; i < assessment->count; i++)
		ecert_parts_put(&products, NULL, product_item(&assessment->products[i], arena));
	ecert_parts_put(figures, "products", products.count == 0 ? ecert_slice(NULL, 0) : ecert_parts_item(&products));
	ecert_parts_put(figures, "totals", totals_item(&assessment->totals, arena));
	ecert_parts_put(figures, "verdict", ecert_item_word(arena, assessment->totals.passes ? "pass" : "fail"));
}

/* What the certificate says of itself, and its policy */
static void
put_question(const EcertCertified *certified, EcertArena *arena, EcertParts *figures)
{
	EcertParts	conventions = ecert_parts_of(arena, ECERT_CBOR_MAP);

	ecert_parts_put(&conventions, "saving", ecert_item_word(arena, "baseline_minus_reporting"));
	ecert_parts_put(&conventions, "denominator", ecert_item_text(arena, certified->policy.denominator));
	ecert_parts_put(&conventions, "electricity", ecert_item_text(arena, certified->policy.electricity));
	ecert_parts_put(figures, "conventions", ecert_parts_item(&conventions));
	ecert_parts_put(figures, "threshold", certified->policy.threshold_item);
	ecert_parts_put(figures, "applicant", ecert_item_text(arena, certified->applicant));
	ecert_parts_put(figures, "period", ecert_item_period(arena, certified->period));
	ecert_parts_put(figures, "baseline", ecert_item_period(arena, certified->baseline));
	ecert_parts_put(figures, "method", ecert_item_word(arena, certified->by_value ? "value" : "product"));
	ecert_parts_put(figures, "policy", ecert_item_hash(arena, certified->policy_hash));
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
ecert_certificate_figures(EcertRules *rules, const EcertCertified *certified, EcertSlice *figures, EcertFinding *finding)
{
	EcertArena *arena = rules->arena;
	const EcertCoefficients *coefficients = ecert_coefficients_new(arena, certified->policy.body);
	EcertTerms	terms = ecert_terms_of(certified->policy.body, certified->by_value);
	EcertUse   *base = read_use(rules, certified, coefficients, certified->baseline);
	EcertUse   *now = read_use(rules, certified, coefficients, certified->period);
	EcertParts	parts = ecert_parts_of(arena, ECERT_CBOR_MAP);
	EcertAssessment assessment;
	EcertAssessCode code = ecert_assess(base, now, terms, arena, &assessment);

	if (code != ECERT_ASSESS_OK)
		return find_why(certified, code, &assessment, arena, finding);
	put_question(certified, arena, &parts);
	put_assessment(&assessment, arena, &parts);
	put_packages(rules, certified, &parts);
	*figures = ecert_parts_item(&parts);
	return true;
}
