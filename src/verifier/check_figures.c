/*
 * check_figures.c
 *		A certificate's figures, computed again from the packages, as of the
 *		ranges that it names and under the policy that it names.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "verifier/assess.h"
#include "verifier/rule_certificate.h"

/* ----- the packages used: ecert.package_ranges() ----- */

/* Live packages of a kind in the baseline or in the period, by seq */
typedef struct Window
{
	const Entry **entries;
	size_t		count;
} Window;

static int
compare_seqs(const void *left, const void *right)
{
	const Entry *a = *(const Entry *const *) left;
	const Entry *b = *(const Entry *const *) right;

	return (a->seq > b->seq) - (a->seq < b->seq);
}

static Window
open_window(const Certificate *certificate, EcertKind kind, EcertPeriod within)
{
	const Timeline *timeline = applicant_timeline(certificate->applicant, kind);
	LiveWalk	walk = live_begin(timeline, within, kind == ECERT_KIND_ENERGY ? certificate->energy_last : certificate->product_last);
	LiveWalk	counting = walk;
	Window		window = {NULL, 0};
	const Entry *live;

	while (live_next(&counting) != NULL)
		window.count++;
	window.entries = need(calloc(window.count + 1, sizeof(Entry *)));
	window.count = 0;
	while ((live = live_next(&walk)) != NULL)
		window.entries[window.count++] = live;
	qsort(window.entries, window.count, sizeof(Entry *), compare_seqs);
	return window;
}

/* first .. last, a run of seqs */
static void
put_range(Value *ranges, Arena *arena, const Entry *first, const Entry *last)
{
	Value	   *range = value_new(arena, VALUE_MAP);
	char	   *hash = arena_alloc(arena, HEX_ROOM);

	value_put(range, "kind", value_text(arena, ecert_slice_text(ecert_kind_name((EcertKind) first->kind))));
	value_put(range, "first", value_int(arena, first->seq));
	value_put(range, "last", value_int(arena, last->seq));
	value_put(range, "hash", value_text(arena, ecert_slice_text(text_hash(last->hash, hash))));
	value_put(ranges, NULL, range);
}

/* A correction stands behind other periods in the feed: one range for each run of seqs */
static void
put_ranges(Value *ranges, Arena *arena, const Window *window)
{
	size_t		end;

	for (size_t start = 0; start < window->count; start = end)
	{
		for (end = start + 1; end < window->count && window->entries[end]->seq == window->entries[end - 1]->seq + 1; end++)
			;
		put_range(ranges, arena, window->entries[start], window->entries[end - 1]);
	}
}

static void
put_packages(const Certificate *certificate, Value *expected)
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
	Arena	   *arena = &certificate->it->rules->arena;
	Value	   *ranges = value_new(arena, VALUE_ARRAY);
	Value	   *counts = value_new(arena, VALUE_MAP);

	for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
	{
		Window		window = open_window(certificate, windows[i].kind, windows[i].is_baseline ? certificate->baseline : certificate->period);

		value_put(counts, windows[i].count, value_int(arena, (int64_t) window.count));
		put_ranges(ranges, arena, &window);
		free(window.entries);
	}
	value_put(expected, "completeness", counts);
	value_put(expected, "packages", ranges->count == 0 ? value_new(arena, VALUE_NULL) : ranges);
}

/* ----- the assessment ----- */

static Value *
product_value(const Assessed *product, Arena *arena)
{
	Value	   *value = value_new(arena, VALUE_MAP);

	value_put(value, "product", value_text(arena, product->product));
	value_put(value, "unit", value_text(arena, product->unit.size == 0 ? ecert_slice_text("-") : product->unit));
	value_put(value, "base_kgce", value_number(arena, product->base_kgce));
	value_put(value, "base_output", value_number(arena, product->base_output));
	value_put(value, "base_unit_energy", value_number(arena, product->base_unit_energy));
	value_put(value, "now_kgce", value_number(arena, product->now_kgce));
	value_put(value, "now_output", value_number(arena, product->now_output));
	value_put(value, "now_unit_energy", value_number(arena, product->now_unit_energy));
	value_put(value, "saving_kgce", value_number(arena, product->saving_kgce));
	value_put(value, "saving_rate", value_number(arena, product->saving_rate));
	value_put(value, "status", value_text(arena, ecert_slice_text(product->status)));
	return value;
}

static Value *
products_value(const Assessment *assessment, Arena *arena)
{
	Value	   *products = value_new(arena, assessment->product_count == 0 ? VALUE_NULL : VALUE_ARRAY);

	for (size_t i = 0; i < assessment->product_count; i++)
		value_put(products, NULL, product_value(&assessment->products[i], arena));
	return products;
}

static Value *
totals_value(const Totals *totals, Arena *arena)
{
	Value	   *value = value_new(arena, VALUE_MAP);

	value_put(value, "adjusted_base_kgce", value_number(arena, totals->adjusted_base_kgce));
	value_put(value, "now_kgce", value_number(arena, totals->now_kgce));
	value_put(value, "saving_kgce", value_number(arena, totals->saving_kgce));
	value_put(value, "saving_tce", value_number(arena, totals->saving_tce));
	value_put(value, "saving_rate", value_number(arena, totals->saving_rate));
	value_put(value, "structure_kgce", value_number(arena, totals->structure_kgce));
	return value;
}

static void
put_terms(const Certificate *certificate, const Totals *totals, Value *expected)
{
	Arena	   *arena = &certificate->it->rules->arena;
	Value	   *conventions = value_new(arena, VALUE_MAP);
	char	   *threshold = arena_alloc(arena, ECERT_DECIMAL_TEXT_MAX);

	value_put(conventions, "saving", value_text(arena, ecert_slice_text("baseline_minus_reporting")));
	value_put(conventions, "denominator", value_text(arena, certificate->policy->denominator));
	value_put(conventions, "electricity", value_text(arena, ecert_slice_text("as the coefficients of the policy state")));
	value_put(expected, "conventions", conventions);
	(void) ecert_decimal_text(certificate->policy->threshold, threshold);
	value_put(expected, "threshold", value_number(arena, threshold));
	value_put(expected, "verdict", value_text(arena, ecert_slice_text(totals->passes ? "pass" : "fail")));
}

/* ----- problems ----- */

/* Cut after so many characters of UTF-8 */
static void
cut(char *text, size_t most)
{
	size_t		characters = 0;

	for (; *text != '\0'; text++)
	{
		if (((unsigned char) *text & 0xC0) != 0x80 && characters++ == most)
		{
			*text = '\0';
			return;
		}
	}
}

const char *
difference_text(const Certificate *certificate, const Difference *difference, const char *computed, size_t most)
{
	char	   *text = NULL;
	size_t		size;
	FILE	   *out = open_memstream(&text, &size);
	char	   *copy;

	if (out == NULL)
		return "";
	fputs("Stated ", out);
	print_item(out, difference->stated);
	fprintf(out, ", %s ", computed);
	print_value(out, difference->expected);
	fputs(".", out);
	(void) fclose(out);
	copy = (char *) arena_copy(&certificate->it->rules->arena, ecert_slice(text, size)).data;
	free(text);
	if (most > 0)
		cut(copy, most);
	return copy;
}

static bool
say_not_assessed(const Certificate *certificate, AssessCode code, const Assessment *assessment)
{
	char		baseline[PERIOD_ROOM];
	char		period[PERIOD_ROOM];

	if (code == ASSESS_NO_COEFFICIENT)
		SAY(certificate->it, "energy source \"%.*s\" in unit \"%.*s\" has no coefficient (Applicant \"%.*s\" used it within the baseline %s or the period %s.)",
			TEXT(assessment->source), TEXT(assessment->unit), TEXT(certificate->name),
			period_text(certificate->baseline, baseline), period_text(certificate->period, period));
	else if (code == ASSESS_BAD_LINE)
	{
		const char *why = ecert_error_text(assessment->line_code);

		SAY(certificate->it, "invalid ecert package: line %" PRIu64 " cannot be read (%c%s.)", assessment->line,
			why[0] >= 'a' && why[0] <= 'z' ? why[0] - 'a' + 'A' : why[0], why + 1);
	}
	return false;
}

bool
check_figures(const Certificate *certificate)
{
	Rules	   *rules = certificate->it->rules;
	Arena	   *arena = &rules->arena;
	Question	question = {rules->ledger, certificate->applicant, certificate->policy, certificate->baseline, certificate->period,
	ecert_slice_equal(ecert_cbor_text_at(certificate->body, "method"), ecert_slice_text("value")), certificate->energy_last, certificate->product_last, 0, rules->other, arena};
	Value	   *expected = value_new(arena, VALUE_MAP);
	Assessment	assessment;
	Difference	difference;
	uint64_t	stated_products;
	AssessCode	code;

	(void) ecert_cbor_items_at(certificate->body, "products", &stated_products);
	question.total_up_to = (size_t) stated_products;
	code = assess(&question, &assessment);
	if (code != ASSESS_OK)
		return say_not_assessed(certificate, code, &assessment);
	put_packages(certificate, expected);
	value_put(expected, "products", products_value(&assessment, arena));
	value_put(expected, "totals", totals_value(&assessment.totals, arena));
	put_terms(certificate, &assessment.totals, expected);
	first_difference(expected, certificate->body, &difference);
	if (difference.path[0] == '\0')
		return true;
	SAY(certificate->it, "certificate differs from its recomputation in \"%s\" (%s)", difference.path,
		difference_text(certificate, &difference, "computed", 2000));
	return false;
}
