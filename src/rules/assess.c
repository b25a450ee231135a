/*
 * assess.c
 *		Baseline against reporting period; see assess.h.
 */
#include "rules/assess.h"

#include "rules/fields.h"

#define KGCE_DECIMALS 4
#define RATE_DECIMALS 9
#define PRINTED_RATE_DECIMALS 4

static const char *const status_ok = "ok";
static const char *const status_no_baseline = "no_baseline";

/* A product on one side, as far as it is defined */
typedef struct Side
{
	bool		has_energy;
	bool		has_amount;
	EcertNumber energy;			/* E */
	EcertNumber amount;			/* M */
} Side;

/* The sums over the products that count */
typedef struct Sums
{
	size_t		count;
	EcertSlice	unit;			/* of the first */
	bool		one_unit;
	bool		all_have_unit;
	Side		base;
	Side		now;
	EcertNumber adjusted;		/* of e0 * M1 */
} Sums;

/* An assessment on its way */
typedef struct Work
{
	EcertTerms	terms;
	EcertArena *arena;
	EcertAssessment *answer;
	bool		is_lost;		/* a figure did not fit a number */
	const char *wrong;			/* the first status in byte order that is neither ok nor no_baseline */
	Sums		ok;				/* over the products that can be assessed */
	Sums		all;			/* over all, while there is none of those */
} Work;

static const char *
figure(Work *work, const EcertNumber *number, unsigned decimals)
{
	const char *text = ecert_number_text(number, decimals, work->arena);

	work->is_lost = work->is_lost || text == NULL;
	return text;
}

/* NULL when the denominator is 0 */
static const char *
quotient(Work *work, const EcertNumber *numerator, const EcertNumber *denominator, unsigned decimals)
{
	EcertNumber result;

	if (denominator->size == 0 && !denominator->is_lost)
		return NULL;
	ecert_number_divide(&result, numerator, denominator, decimals);
	return figure(work, &result, decimals);
}

static void
open_side(Side *side, const EcertProductUse *use, bool by_value)
{
	side->has_energy = use != NULL && use->has_energy;
	side->has_amount = use != NULL && ecert_use_amount(use, by_value, &side->amount);
	if (side->has_energy)
		ecert_number_copy(&side->energy, &use->energy);
}

static void
say_side(Work *work, const Side *side, EcertSide *said)
{
	if (side->has_energy)
		said->kgce = figure(work, &side->energy, KGCE_DECIMALS);
	if (side->has_amount)
		said->output = figure(work, &side->amount, ECERT_DECLARED_DECIMALS);
	if (side->has_energy && side->has_amount && ecert_number_sign(&side->amount) > 0)
		said->unit_energy = quotient(work, &side->energy, &side->amount, RATE_DECIMALS);
}

/* Unit of the output; by method value the currency */
static EcertSlice
unit_of(const EcertProductUse *use, bool by_value)
{
	return use == NULL ? ecert_slice(NULL, 0) : by_value ? use->currency : use->unit;
}

/* The baseline is looked at first */
static const char *
status_of(const Work *work, const EcertProductUse *base_use, const EcertProductUse *now_use, const Side *base, const Side *now)
{
	bool		by_value = work->terms.by_value;

	if ((base_use != NULL && !base->has_energy) || (now_use != NULL && !now->has_energy))
		return "shared_energy_not_attributable";
	if (!base->has_amount)
		return status_no_baseline;
	if (!now->has_amount || !ecert_slice_equal(unit_of(now_use, by_value), unit_of(base_use, by_value)))
		return "no_reporting";
	if (ecert_number_sign(&base->amount) <= 0)
		return "base_output_not_positive";
	if (ecert_number_sign(&now->amount) <= 0)
		return "now_output_not_positive";
	return ecert_number_sign(&base->energy) == 0 ? "base_intensity_zero" : status_ok;
}

/* E0 * M1 / M0, the energy of the baseline for the output of now */
static void
adjust(EcertNumber *adjusted, const Side *base, const EcertNumber *now_amount)
{
	ecert_number_multiply(adjusted, &base->energy, now_amount);
	ecert_number_divide(adjusted, adjusted, &base->amount, ECERT_QUOTIENT_DECIMALS);
}

static void
add_side(Side *sum, const Side *side)
{
	if (side->has_energy)
		ecert_number_add(&sum->energy, &sum->energy, &side->energy);
	if (side->has_amount)
		ecert_number_add(&sum->amount, &sum->amount, &side->amount);
	sum->has_energy = sum->has_energy || side->has_energy;
	sum->has_amount = sum->has_amount || side->has_amount;
}

static void
add_product(Sums *sums, EcertSlice unit, const Side *base, const Side *now)
{
	if (sums->count++ == 0)
	{
		sums->unit = unit;
		sums->one_unit = sums->all_have_unit = true;
	}
	sums->one_unit = sums->one_unit && ecert_slice_equal(unit, sums->unit);
	sums->all_have_unit = sums->all_have_unit && unit.size > 0;
	add_side(&sums->base, base);
	add_side(&sums->now, now);
}

/* S_i = e0 * M1 - E1, and its rate */
static void
say_saving(Work *work, EcertAssessed *said, const Side *base, const Side *now)
{
	EcertNumber adjusted;
	EcertNumber saving;

	adjust(&adjusted, base, &now->amount);
	ecert_number_subtract(&saving, &adjusted, &now->energy);
	ecert_number_add(&work->ok.adjusted, &work->ok.adjusted, &adjusted);
	said->adjusted_base_kgce = figure(work, &adjusted, KGCE_DECIMALS);
	said->saving_kgce = figure(work, &saving, KGCE_DECIMALS);
	said->saving_rate = quotient(work, &saving, work->terms.by_reporting ? &now->energy : &adjusted, RATE_DECIMALS);
}

/* A product of either side, or of both */
static void
say_product(Work *work, EcertAssessed *said, const EcertProductUse *base_use, const EcertProductUse *now_use)
{
	Side		base;
	Side		now;

	open_side(&base, base_use, work->terms.by_value);
	open_side(&now, now_use, work->terms.by_value);
	said->product = now_use != NULL ? now_use->product : base_use->product;
	said->unit = unit_of(now_use, work->terms.by_value);
	if (said->unit.size == 0)
		said->unit = unit_of(base_use, work->terms.by_value);
	said->status = status_of(work, base_use, now_use, &base, &now);
	say_side(work, &base, &said->base);
	say_side(work, &now, &said->now);
	if (said->status == status_ok)
	{
		say_saving(work, said, &base, &now);
		add_product(&work->ok, said->unit, &base, &now);
		return;
	}
	if (work->ok.count == 0)
		add_product(&work->all, said->unit, &base, &now);
	if (said->status != status_no_baseline && (work->wrong == NULL || strcmp(said->status, work->wrong) < 0))
		work->wrong = said->status;
}

/* Each product of either side, in the order of their names */
static void
say_products(Work *work, const EcertUse *base, const EcertUse *now)
{
	EcertAssessment *answer = work->answer;
	size_t		i = 0;
	size_t		j = 0;

	answer->products = ecert_arena_array(work->arena, base->count + now->count + 1, sizeof(EcertAssessed));
	while (i < base->count || j < now->count)
	{
		int			order = i == base->count ? 1 : j == now->count ? -1 :
			ecert_slice_compare(base->products[i]->product, now->products[j]->product);

		say_product(work, &answer->products[answer->count++], order <= 0 ? base->products[i] : NULL, order >= 0 ? now->products[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

/* One intensity over all products, (E0 / M0) * M1 - E1, less the saving product by product */
static const char *
structure(Work *work, const Sums *sums, const EcertNumber *saving)
{
	EcertNumber term;

	if (!sums->base.has_amount || ecert_number_sign(&sums->base.amount) <= 0)
		return NULL;
	adjust(&term, &sums->base, &sums->now.amount);
	ecert_number_subtract(&term, &term, &sums->now.energy);
	ecert_number_subtract(&term, &term, saving);
	return figure(work, &term, KGCE_DECIMALS);
}

/* S > threshold * denominator, which is positive; or at least as much where the terms are not strict */
static bool
reaches(const EcertNumber *saving, const EcertNumber *denominator, const EcertTerms *terms)
{
	EcertNumber least;

	ecert_number_set_decimal(&least, terms->threshold);
	ecert_number_multiply(&least, &least, denominator);
	return ecert_number_sign(denominator) > 0 && ecert_number_compare(saving, &least) >= (terms->strict ? 1 : 0);
}

static void
say_total_saving(Work *work, const Sums *sums)
{
	EcertAssessed *totals = &work->answer->totals;
	const EcertNumber *denominator = work->terms.by_reporting ? &sums->now.energy : &sums->adjusted;
	EcertNumber thousand;
	EcertNumber saving;

	ecert_number_subtract(&saving, &sums->adjusted, &sums->now.energy);
	ecert_number_set_int(&thousand, 1000);
	totals->adjusted_base_kgce = figure(work, &sums->adjusted, KGCE_DECIMALS);
	totals->saving_kgce = figure(work, &saving, KGCE_DECIMALS);
	totals->saving_tce = quotient(work, &saving, &thousand, KGCE_DECIMALS);
	totals->saving_rate = quotient(work, &saving, denominator, RATE_DECIMALS);
	totals->rate = quotient(work, &saving, denominator, PRINTED_RATE_DECIMALS);
	totals->structure_kgce = structure(work, sums, &saving);
	totals->passes = !work->is_lost && reaches(&saving, denominator, &work->terms);
}

/* ok when every product is or has no baseline, and one is ok; else what is wrong */
static void
say_totals(Work *work)
{
	EcertAssessed *totals = &work->answer->totals;
	Sums	   *sums = work->ok.count > 0 ? &work->ok : &work->all;

	totals->status = work->wrong != NULL ? work->wrong : work->answer->count == 0 ? "no_reporting" :
		work->ok.count > 0 ? status_ok : status_no_baseline;
	/* values may come without a currency; amounts in different units do not add up */
	if (sums->one_unit)
		totals->unit = sums->unit;
	if (!sums->one_unit || !(sums->all_have_unit || work->terms.by_value))
		sums->base.has_amount = sums->now.has_amount = false;
	say_side(work, &sums->base, &totals->base);
	say_side(work, &sums->now, &totals->now);
	if (totals->status == status_ok)
		say_total_saving(work, sums);
}

/* Was one side read to its end, with a coefficient for everything? */
static EcertAssessCode
check_use(const EcertUse *use, bool is_baseline, EcertAssessment *answer)
{
	answer->is_baseline = is_baseline;
	answer->line = use->line;
	answer->line_code = use->line_code;
	answer->source = use->missing_source;
	answer->unit = use->missing_unit;
	return use->line_code != ECERT_OK ? ECERT_ASSESS_BAD_LINE : use->is_missing ? ECERT_ASSESS_NO_COEFFICIENT : ECERT_ASSESS_OK;
}

EcertAssessCode
ecert_assess(const EcertUse *base, const EcertUse *now, EcertTerms terms, EcertArena *arena, EcertAssessment *answer)
{
	Work		work;
	EcertAssessCode code;

	memset(answer, 0, sizeof *answer);
	memset(&work, 0, sizeof work);
	work.terms = terms;
	work.arena = arena;
	work.answer = answer;
	if ((code = check_use(base, true, answer)) != ECERT_ASSESS_OK ||
		(code = check_use(now, false, answer)) != ECERT_ASSESS_OK)
		return code;
	say_products(&work, base, now);
	say_totals(&work);
	return work.is_lost ? ECERT_ASSESS_TOO_LARGE : ECERT_ASSESS_OK;
}

EcertTerms
ecert_terms_of(EcertSlice policy, bool by_value)
{
	EcertSlice	certificate = ecert_field_item(policy, "certificate");
	EcertTerms	terms = {.by_value = by_value, .by_reporting = ecert_field_is(certificate, "denominator", "reporting")};

	(void) ecert_field_decimal(certificate, "threshold", &terms.threshold);
	terms.strict = ecert_field_is_true(certificate, "strict");
	return terms;
}

const char *
ecert_unit_energy(const EcertProductUse *product, EcertArena *arena)
{
	EcertNumber amount;
	EcertNumber quotient;

	if (!product->has_energy || !ecert_use_amount(product, false, &amount) || ecert_number_sign(&amount) <= 0)
		return NULL;
	ecert_number_divide(&quotient, &product->energy, &amount, RATE_DECIMALS);
	return ecert_number_text(&quotient, RATE_DECIMALS, arena);
}
