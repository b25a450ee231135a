/*
 * figures.c
 *		What a certificate's body says that can be computed: the packages used,
 *		the assessment, the verdict.
 */
#include <stdlib.h>

#include "rules/assess.h"
#include "rules/certificate.h"
#include "rules/live.h"

/* What a certificate rests on, by hash */
typedef struct Hashes
{
	EcertArena *arena;
	uint8_t		(*list)[ECERT_HASH_SIZE];
	size_t		count;
	size_t		room;
} Hashes;

static int
compare_hashes(const void *left, const void *right)
{
	return memcmp(left, right, ECERT_HASH_SIZE);
}

static void
put_hash(Hashes *hashes, const uint8_t *hash)
{
	hashes->list = ecert_arena_grow(hashes->arena, hashes->list, hashes->count, &hashes->room, ECERT_HASH_SIZE);
	memcpy(hashes->list[hashes->count++], hash, ECERT_HASH_SIZE);
}

static void
sort(Hashes *hashes)
{
	ecert_sort(hashes->list, hashes->count, ECERT_HASH_SIZE, compare_hashes);
}

/* {count, digest}: SHA-256 over the hashes one after the other, in the order of their bytes; of size 0 when it cannot be computed */
static EcertSlice
digest_item(Hashes *hashes)
{
	EcertParts	parts = ecert_parts_of(hashes->arena, ECERT_CBOR_MAP);
	EcertSlice	all = ecert_slice(hashes->list, hashes->count * ECERT_HASH_SIZE);
	uint8_t		digest[ECERT_HASH_SIZE];

	sort(hashes);
	if (ecert_sha256(&all, 1, digest) != ECERT_OK)
		return ecert_slice(NULL, 0);
	ecert_parts_put(&parts, "count", ecert_item_int(hashes->arena, (int64_t) hashes->count));
	ecert_parts_put(&parts, "digest", ecert_item_hash(hashes->arena, digest));
	return ecert_parts_item(&parts);
}

/* A row of figures in the making */
static EcertParts
row_of(EcertArena *arena, const char *of)
{
	EcertParts	row = ecert_parts_of(arena, ECERT_CBOR_MAP);

	ecert_parts_put(&row, "of", ecert_item_word(arena, of));
	return row;
}

/* What it rests on, and how much of each kind in each period */
static void
put_basis(EcertRules *rules, const EcertCertified *certified, EcertParts *rows, EcertParts *figures)
{
	/* in the order of the basis */
	static const char *const counts[] = {"base_energy_packages", "energy_packages", "base_product_packages", "product_packages"};
	EcertBasis	basis = ecert_basis_of(rules, certified);
	Hashes		packages = {.arena = rules->arena};
	Hashes		audits = {.arena = rules->arena};
	EcertParts	row = row_of(rules->arena, "completeness");

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		ecert_parts_put(&row, counts[i], ecert_item_int(rules->arena, (int64_t) basis.counts[i]));
	for (size_t i = 0; i < basis.count; i++)
		put_hash(&packages, basis.packages[i].hash);
	for (size_t i = 0; i < basis.audits.count; i++)
		put_hash(&audits, basis.audits.list[i]->entry.hash);
	ecert_parts_put(rows, NULL, ecert_parts_item(&row));
	ecert_parts_put(figures, "packages", digest_item(&packages));
	ecert_parts_put(figures, "audits", digest_item(&audits));
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
	EcertParts	parts = row_of(arena, "product");

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
total_item(const EcertAssessed *totals, EcertArena *arena)
{
	EcertParts	parts = row_of(arena, "total");

	ecert_parts_put(&parts, "adjusted_base_kgce", ecert_item_number(arena, totals->adjusted_base_kgce));
	ecert_parts_put(&parts, "now_kgce", ecert_item_number(arena, totals->now.kgce));
	ecert_parts_put(&parts, "saving_kgce", ecert_item_number(arena, totals->saving_kgce));
	ecert_parts_put(&parts, "saving_tce", ecert_item_number(arena, totals->saving_tce));
	ecert_parts_put(&parts, "saving_rate", ecert_item_number(arena, totals->saving_rate));
	ecert_parts_put(&parts, "structure_kgce", ecert_item_number(arena, totals->structure_kgce));
	return ecert_parts_item(&parts);
}

static void
put_assessment(const EcertAssessment *assessment, EcertArena *arena, EcertParts *rows, EcertParts *figures)
{
	for (size_t i = 0; i < assessment->count; i++)
		ecert_parts_put(rows, NULL, product_item(&assessment->products[i], arena));
	ecert_parts_put(rows, NULL, total_item(&assessment->totals, arena));
	ecert_parts_put(figures, "rate", ecert_item_number(arena, assessment->totals.rate));
	ecert_parts_put(figures, "verdict", ecert_item_word(arena, assessment->totals.passes ? "pass" : "fail"));
}

/* What the certificate says of itself, and its policy */
static void
put_question(const EcertCertified *certified, EcertArena *arena, EcertParts *figures)
{
	EcertParts	conventions = ecert_parts_of(arena, ECERT_CBOR_MAP);
	EcertParts	method = ecert_parts_of(arena, ECERT_CBOR_MAP);
	EcertParts	exceptions = ecert_parts_of(arena, ECERT_CBOR_ARRAY);

	ecert_parts_put(&conventions, "saving", ecert_item_word(arena, "baseline_minus_reporting"));
	ecert_parts_put(&conventions, "denominator", ecert_item_text(arena, certified->policy.denominator));
	ecert_parts_put(&conventions, "electricity", ecert_item_text(arena, certified->policy.electricity));
	ecert_parts_put(figures, "conventions", ecert_parts_item(&conventions));
	ecert_parts_put(figures, "threshold", certified->policy.threshold_item);
	ecert_parts_put(figures, "applicant", ecert_item_text(arena, certified->applicant));
	ecert_parts_put(figures, "period", ecert_item_period(arena, certified->period));
	ecert_parts_put(figures, "baseline", ecert_item_period(arena, certified->baseline));
	ecert_parts_put(&method, "name", ecert_item_word(arena, certified->by_value ? "value" : "product"));
	ecert_parts_put(figures, "method", ecert_parts_item(&method));
	ecert_parts_put(figures, "policy", ecert_item_hash(arena, certified->policy_hash));
	ecert_parts_put(figures, "checkpoint", ecert_item_hash(arena, certified->checkpoint));
	ecert_parts_put(figures, "calendar", ecert_item_text(arena, certified->policy.zone));
	/* nothing can be accepted yet (core/body.c) */
	ecert_parts_put(figures, "exceptions", ecert_parts_item(&exceptions));
}

/* The packages of the baseline that another took the place of after the statistics period had begun */
static void
put_replaced(EcertRules *rules, const EcertCertified *certified, EcertKind kind, Hashes *hashes)
{
	EcertApplicant *applicant = ecert_applicant(rules, certified->applicant);
	EcertLiveWalk walk = ecert_certified_begin(rules, certified, kind, certified->baseline);
	const EcertEntry *live;

	while ((live = ecert_live_next(&walk)) != NULL)
	{
		const EcertEntry *replaced;

		for (const EcertEntry *by = live; (replaced = ecert_replaced(rules, applicant, by)) != NULL; by = replaced)
		{
			if (by->issued_at >= certified->period.start)
				put_hash(hashes, replaced->hash);
		}
	}
}

static void
put_baseline_replaced(EcertRules *rules, const EcertCertified *certified, EcertParts *figures)
{
	EcertParts	replaced = ecert_parts_of(rules->arena, ECERT_CBOR_ARRAY);
	Hashes		hashes = {.arena = rules->arena};

	for (size_t i = 0; i < 2; i++)
		put_replaced(rules, certified, ecert_declared_kinds[i], &hashes);
	sort(&hashes);
	for (size_t i = 0; i < hashes.count; i++)
		ecert_parts_put(&replaced, NULL, ecert_item_hash(rules->arena, hashes.list[i]));
	ecert_parts_put(figures, "baseline_replaced", ecert_parts_item(&replaced));
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
	EcertParts	rows = ecert_parts_of(arena, ECERT_CBOR_ARRAY);
	EcertAssessment assessment;
	EcertAssessCode code = ecert_assess(base, now, terms, arena, &assessment);

	if (code != ECERT_ASSESS_OK)
		return find_why(certified, code, &assessment, arena, finding);
	put_question(certified, arena, &parts);
	put_assessment(&assessment, arena, &rows, &parts);
	put_basis(rules, certified, &rows, &parts);
	ecert_parts_put(&parts, "figures", ecert_parts_item(&rows));
	put_baseline_replaced(rules, certified, &parts);
	*figures = ecert_parts_item(&parts);
	return true;
}
