/*
 * assess.c
 *		Baseline against reporting period, by the formulas of docs (GB/T 13234):
 *
 *		e = E / M, S_i = (e0_i - e1_i) * M1_i, S = sum S_i, r = S / sum (e0_i * M1_i)
 *
 *		with M the qualified output or, by method value, its value.  Sums come
 *		first and one division last, all exact; what is undefined has no figure
 *		but a status.
 */
#include "verifier/assess.h"

#include <stdlib.h>

#include "verifier/use.h"

#define KGCE_DECIMALS 4
#define RATE_DECIMALS 9

/* A product's numbers; those without has_ are 0 and undefined */
typedef struct Row
{
	const ProductUse *base;		/* NULL: nothing of it in the baseline */
	const ProductUse *now;
	bool		has_base_energy;
	bool		has_now_energy;
	bool		has_base_amount;
	bool		has_now_amount;
	Number		base_energy;	/* E0 */
	Number		now_energy;		/* E1 */
	Number		base_amount;	/* M0 */
	Number		now_amount;		/* M1 */
	Number		adjusted;		/* e0 * M1, when the status is ok */
	bool		is_ok;
} Row;

typedef struct Rows
{
	Row		   *rows;
	size_t		count;
} Rows;

static void
open_row(Row *row, const ProductUse *base, const ProductUse *now, const Use *base_use, const Use *now_use, bool by_value)
{
	row->base = base;
	row->now = now;
	number_init(&row->base_energy);
	number_init(&row->now_energy);
	number_init(&row->base_amount);
	number_init(&row->now_amount);
	number_init(&row->adjusted);
	row->has_base_energy = base != NULL && base_use->attributable;
	row->has_now_energy = now != NULL && now_use->attributable;
	if (row->has_base_energy)
		number_set(&row->base_energy, &base->energy);
	if (row->has_now_energy)
		number_set(&row->now_energy, &now->energy);
	row->has_base_amount = base != NULL && use_amount(base, by_value, &row->base_amount);
	row->has_now_amount = now != NULL && use_amount(now, by_value, &row->now_amount);
}

static void
close_rows(Rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
	{
		number_clear(&rows->rows[i].base_energy);
		number_clear(&rows->rows[i].now_energy);
		number_clear(&rows->rows[i].base_amount);
		number_clear(&rows->rows[i].now_amount);
		number_clear(&rows->rows[i].adjusted);
	}
	free(rows->rows);
}

/* A row for each product of either side, in the order of their names */
static void
open_rows(Rows *rows, const Use *base, const Use *now, bool by_value)
{
	size_t		i = 0;
	size_t		j = 0;

	rows->rows = need(calloc(base->count + now->count + 1, sizeof(Row)));
	for (rows->count = 0; i < base->count || j < now->count; rows->count++)
	{
		int			order = i == base->count ? 1 : j == now->count ? -1 :
			ecert_slice_compare(base->products[i]->product, now->products[j]->product);

		open_row(&rows->rows[rows->count], order <= 0 ? base->products[i] : NULL, order >= 0 ? now->products[j] : NULL, base, now, by_value);
		i += order <= 0;
		j += order >= 0;
	}
}

/* Unit of the output; of method value the currency */
static EcertSlice
unit_of(const ProductUse *use, bool by_value)
{
	return use == NULL ? ecert_slice(NULL, 0) : by_value ? use->currency : use->unit;
}

/* The baseline is looked at first */
static const char *
status_of(const Row *row, bool by_value)
{
	if ((row->base != NULL && !row->has_base_energy) || (row->now != NULL && !row->has_now_energy))
		return "shared_energy_not_attributable";
	if (!row->has_base_amount)
		return "no_baseline";
	if (!row->has_now_amount || !ecert_slice_equal(unit_of(row->now, by_value), unit_of(row->base, by_value)))
		return "no_reporting";
	if (number_sign(&row->base_amount) <= 0)
		return "base_output_not_positive";
	if (number_sign(&row->now_amount) <= 0)
		return "now_output_not_positive";
	return number_sign(&row->base_energy) == 0 ? "base_intensity_zero" : "ok";
}

static const char *
quotient_text(const Number *numerator, const Number *denominator, unsigned decimals, Arena *arena)
{
	Number		quotient;
	const char *text;

	if (number_sign(denominator) == 0)
		return NULL;
	number_init(&quotient);
	number_divide(&quotient, numerator, denominator);
	text = number_text(&quotient, decimals, arena);
	number_clear(&quotient);
	return text;
}

/* S_i = e0 * M1 - E1, and its rate */
static void
say_saving(Row *row, Assessed *said, bool by_reporting, Arena *arena)
{
	Number		saving;

	number_multiply(&row->adjusted, &row->base_energy, &row->now_amount);
	number_divide(&row->adjusted, &row->adjusted, &row->base_amount);
	number_init(&saving);
	number_subtract(&saving, &row->adjusted, &row->now_energy);
	said->saving_kgce = number_text(&saving, KGCE_DECIMALS, arena);
	said->saving_rate = quotient_text(&saving, by_reporting ? &row->now_energy : &row->adjusted, RATE_DECIMALS, arena);
	number_clear(&saving);
}

static void
say_row(Row *row, Assessed *said, const Question *question)
{
	Arena	   *arena = question->arena;

	said->product = row->now != NULL ? row->now->product : row->base->product;
	said->unit = unit_of(row->now, question->by_value);
	if (said->unit.size == 0)
		said->unit = unit_of(row->base, question->by_value);
	said->status = status_of(row, question->by_value);
	row->is_ok = strcmp(said->status, "ok") == 0;
	if (row->has_base_energy)
		said->base_kgce = number_text(&row->base_energy, KGCE_DECIMALS, arena);
	if (row->has_base_amount)
		said->base_output = number_text(&row->base_amount, DECLARED_DECIMALS, arena);
	if (row->has_base_energy && row->has_base_amount && number_sign(&row->base_amount) > 0)
		said->base_unit_energy = quotient_text(&row->base_energy, &row->base_amount, RATE_DECIMALS, arena);
	if (row->has_now_energy)
		said->now_kgce = number_text(&row->now_energy, KGCE_DECIMALS, arena);
	if (row->has_now_amount)
		said->now_output = number_text(&row->now_amount, DECLARED_DECIMALS, arena);
	if (row->has_now_energy && row->has_now_amount && number_sign(&row->now_amount) > 0)
		said->now_unit_energy = quotient_text(&row->now_energy, &row->now_amount, RATE_DECIMALS, arena);
	if (row->is_ok)
		say_saving(row, said, question->policy->by_reporting, arena);
}

/* ok when every product is or has no baseline, and one is ok; else what is wrong, the first in byte order */
static const char *
overall_status(const Assessment *answer, bool any_ok)
{
	const char *wrong = NULL;

	if (answer->product_count == 0)
		return "no_reporting";
	for (size_t i = 0; i < answer->product_count; i++)
	{
		const char *status = answer->products[i].status;

		if (strcmp(status, "ok") != 0 && strcmp(status, "no_baseline") != 0 && (wrong == NULL || strcmp(status, wrong) < 0))
			wrong = status;
	}
	return wrong != NULL ? wrong : any_ok ? "ok" : "no_baseline";
}

/* The sums over what is counted */
typedef struct Sums
{
	Number		base;			/* sum E0 */
	Number		now;			/* sum E1 */
	Number		base_amount;	/* sum M0 */
	Number		now_amount;		/* sum M1 */
	Number		adjusted;		/* sum e0 * M1 */
	Number		saving;			/* S */
	bool		has_now;
	bool		one_unit;		/* amounts add up */
} Sums;

static void
add_row(Sums *sums, const Row *row, EcertSlice unit, EcertSlice first_unit, bool by_value)
{
	number_add(&sums->base, &sums->base, &row->base_energy);
	number_add(&sums->now, &sums->now, &row->now_energy);
	number_add(&sums->base_amount, &sums->base_amount, &row->base_amount);
	number_add(&sums->now_amount, &sums->now_amount, &row->now_amount);
	number_add(&sums->adjusted, &sums->adjusted, &row->adjusted);
	sums->has_now = sums->has_now || row->has_now_energy;
	/* values may come without a currency; amounts in different units do not add up */
	if (!ecert_slice_equal(unit, first_unit) || (unit.size == 0 && !by_value))
		sums->one_unit = false;
}

/* Over what can be assessed; where nothing can, over all there is */
static void
sum_rows(Sums *sums, const Rows *rows, const Assessment *answer, bool any_ok, bool by_value)
{
	const EcertSlice *first_unit = NULL;

	sums->one_unit = true;
	for (size_t i = 0; i < rows->count; i++)
	{
		if (any_ok && !rows->rows[i].is_ok)
			continue;
		if (first_unit == NULL)
			first_unit = &answer->products[i].unit;
		add_row(sums, &rows->rows[i], answer->products[i].unit, *first_unit, by_value);
	}
	number_subtract(&sums->saving, &sums->adjusted, &sums->now);
}

/* One intensity over all products, (E0 / M0) * M1 - E1, less the saving product by product */
static const char *
structure_text(const Sums *sums, Arena *arena)
{
	Number		term;
	const char *text;

	if (!sums->one_unit || number_sign(&sums->base_amount) <= 0)
		return NULL;
	number_init(&term);
	number_multiply(&term, &sums->base, &sums->now_amount);
	number_divide(&term, &term, &sums->base_amount);
	number_subtract(&term, &term, &sums->now);
	number_subtract(&term, &term, &sums->saving);
	text = number_text(&term, KGCE_DECIMALS, arena);
	number_clear(&term);
	return text;
}

/* S >= threshold * denominator, on the unrounded fractions */
static bool
reaches_threshold(const Sums *sums, const Number *denominator, EcertDecimal threshold)
{
	Number		least;
	bool		reached;

	number_init(&least);
	number_set_decimal(&least, threshold);
	number_multiply(&least, &least, denominator);
	reached = number_sign(denominator) > 0 && number_compare(&sums->saving, &least) >= 0;
	number_clear(&least);
	return reached;
}

static void
say_totals(const Sums *sums, const Question *question, Totals *totals)
{
	const Number *denominator = question->policy->by_reporting ? &sums->now : &sums->adjusted;
	Arena	   *arena = question->arena;
	Number		thousand;

	if (sums->has_now)
		totals->now_kgce = number_text(&sums->now, KGCE_DECIMALS, arena);
	if (strcmp(totals->status, "ok") != 0)
		return;
	number_init(&thousand);
	number_set_int(&thousand, 1000);
	totals->adjusted_base_kgce = number_text(&sums->adjusted, KGCE_DECIMALS, arena);
	totals->saving_kgce = number_text(&sums->saving, KGCE_DECIMALS, arena);
	totals->saving_tce = quotient_text(&sums->saving, &thousand, KGCE_DECIMALS, arena);
	totals->saving_rate = quotient_text(&sums->saving, denominator, RATE_DECIMALS, arena);
	totals->structure_kgce = structure_text(sums, arena);
	totals->passes = reaches_threshold(sums, denominator, question->policy->threshold);
	number_clear(&thousand);
}

static void
total(const Question *question, const Rows *rows, bool any_ok, Assessment *answer)
{
	Sums		sums;

	memset(&sums, 0, sizeof sums);
	number_init(&sums.base);
	number_init(&sums.now);
	number_init(&sums.base_amount);
	number_init(&sums.now_amount);
	number_init(&sums.adjusted);
	number_init(&sums.saving);
	sum_rows(&sums, rows, answer, any_ok, question->by_value);
	say_totals(&sums, question, &answer->totals);
	number_clear(&sums.saving);
	number_clear(&sums.adjusted);
	number_clear(&sums.now_amount);
	number_clear(&sums.base_amount);
	number_clear(&sums.now);
	number_clear(&sums.base);
}

static void
compare_uses(const Question *question, const Use *base, const Use *now, Assessment *answer)
{
	Rows		rows;
	bool		any_ok = false;

	open_rows(&rows, base, now, question->by_value);
	answer->product_count = rows.count;
	answer->products = arena_alloc(question->arena, (rows.count + 1) * sizeof(Assessed));
	for (size_t i = 0; i < rows.count; i++)
	{
		say_row(&rows.rows[i], &answer->products[i], question);
		any_ok = any_ok || rows.rows[i].is_ok;
	}
	answer->totals.status = overall_status(answer, any_ok);
	if (rows.count <= question->total_up_to)
		total(question, &rows, any_ok, answer);
	close_rows(&rows);
}

AssessCode
assess(const Question *question, Assessment *answer)
{
	Use			base;
	Use			now;
	AssessCode	code;

	memset(&base, 0, sizeof base);
	memset(&now, 0, sizeof now);
	memset(answer, 0, sizeof *answer);
	code = use_read(question, question->baseline, &base, answer);
	if (code == ASSESS_OK)
	{
		code = use_read(question, question->period, &now, answer);
		if (code == ASSESS_OK)
			compare_uses(question, &base, &now, answer);
		use_clear(&now);
	}
	use_clear(&base);
	return code;
}
