/*
 * figures.c
 *		The assessment behind a certificate, said a second time and apart from
 *		src: plain fractions, rounded where they are printed.
 *
 *		e = E / M, S_i = e0_i * M1_i - E1_i, S = sum S_i, r = S / sum (e0_i * M1_i)
 */
#include "world.h"

const char *const figure_names[FIGURES] = {
	"base_kgce", "base_output", "base_unit_energy", "now_kgce", "now_output", "now_unit_energy", "saving_kgce", "saving_rate"
};
const char *const total_names[TOTALS] = {
	"adjusted_base_kgce", "now_kgce", "saving_kgce", "saving_tce", "saving_rate", "structure_kgce"
};

#define PRODUCTS_MAX 8

/* What a period has of one product */
typedef struct Sum
{
	const char *product;
	mpq_t		direct;
	mpq_t		energy;			/* with its part of what is shared */
	mpq_t		qualified;
	mpq_t		value;
	bool		made;			/* some line of a product package names it */
	bool		no_value;		/* some line without a value */
	const char *unit;			/* NULL: lines differ, or none */
	const char *currency;
	bool		units_differ;
	bool		currencies_differ;
} Sum;

typedef struct Period
{
	Sum			sums[PRODUCTS_MAX];
	int			count;
	mpq_t		shared;
	bool		attributable;
	bool		unknown_source;
} Period;

/* ----- sums ----- */

/* The sums of a product in a period, made when the product is new there */
static Sum *
sum_of(Period *period, const char *product)
{
	Sum		   *sum;

	for (int i = 0; i < period->count; i++)
	{
		if (strcmp(period->sums[i].product, product) == 0)
			return &period->sums[i];
	}
	sum = &period->sums[period->count++];
	sum->product = product;
	mpq_inits(sum->direct, sum->energy, sum->qualified, sum->value, NULL);
	return sum;
}

/* Add an energy line to its product or to what is shared, in kilograms of standard coal */
static void
add_energy(Period *period, const Policy *policy, const Line *line)
{
	mpq_t	   *sum = line->product == NULL ? &period->shared : &sum_of(period, line->product)->direct;
	mpq_t		kgce;

	for (int i = 0; i < policy->way_count; i++)
	{
		if (strcmp(policy->ways[i].source, line->source) != 0 || strcmp(policy->ways[i].unit, line->unit) != 0)
			continue;
		mpq_init(kgce);
		mpq_mul(kgce, line->quantity, policy->ways[i].kgce);
		mpq_add(*sum, *sum, kgce);
		return;
	}
	period->unknown_source = true;
}

/* Whether two texts are the same, or both missing */
static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Add a line of a product package */
static void
add_product(Period *period, const Line *line)
{
	Sum		   *sum = sum_of(period, line->product);

	if (!sum->made)
	{
		sum->unit = line->unit;
		sum->currency = line->currency;
	}
	sum->units_differ = sum->units_differ || !same(sum->unit, line->unit);
	sum->currencies_differ = sum->currencies_differ || !same(sum->currency, line->currency);
	sum->made = true;
	mpq_add(sum->qualified, sum->qualified, line->quantity);
	if (line->has_value)
		mpq_add(sum->value, sum->value, line->value);
	else
		sum->no_value = true;
}

/* M: the qualified output, or its value; false where it is not defined */
static bool
amount_of(const Sum *sum, bool by_value, mpq_t amount)
{
	bool		defined = sum != NULL && sum->made && (by_value ? !sum->no_value && !sum->currencies_differ : !sum->units_differ);

	if (defined)
		mpq_set(amount, by_value ? sum->value : sum->qualified);
	return defined;
}

/* Whether values tell how to spread, and their sum */
static bool
weigh_by_value(const Period *period, mpq_t total)
{
	for (int i = 0; i < period->count; i++)
	{
		mpq_t		value;

		mpq_init(value);
		if (!amount_of(&period->sums[i], true, value) || mpq_sgn(value) < 0 || !same(period->sums[i].currency, period->sums[0].currency))
			return false;
		mpq_add(total, total, value);
	}
	return mpq_sgn(total) > 0;
}

/* Shared energy in proportion to direct energy; without any, to values; all of it to the only product */
static void
spread(Period *period)
{
	bool		by_value;
	mpq_t		direct,
				value,
				part;

	mpq_inits(direct, value, part, NULL);
	for (int i = 0; i < period->count; i++)
		mpq_add(direct, direct, period->sums[i].direct);
	by_value = weigh_by_value(period, value);
	period->attributable = mpq_sgn(period->shared) == 0 || period->count == 1 || mpq_sgn(direct) > 0 || by_value;
	for (int i = 0; i < period->count; i++)
	{
		Sum		   *sum = &period->sums[i];

		mpq_set_si(part, period->count == 1 ? 1 : 0, 1);
		if (period->count > 1 && mpq_sgn(direct) > 0)
			mpq_div(part, sum->direct, direct);
		else if (period->count > 1 && by_value)
			mpq_div(part, sum->value, value);
		mpq_mul(part, part, period->shared);
		mpq_add(sum->energy, sum->direct, part);
	}
}

/* The sums over the live packages of a period */
static Period *
read_period(const Plant *plant, const Policy *policy, Window within, int64_t energy_last, int64_t product_last)
{
	Period	   *period = calloc(1, sizeof *period);
	const Pack *live[PACKS_MAX];
	int			count = live_packs(&plant->energy, within, energy_last, live);

	mpq_init(period->shared);
	for (int i = 0; i < count; i++)
		for (int j = 0; j < live[i]->line_count; j++)
			add_energy(period, policy, &live[i]->lines[j]);
	count = live_packs(&plant->product, within, product_last, live);
	for (int i = 0; i < count; i++)
		for (int j = 0; j < live[i]->line_count; j++)
			add_product(period, &live[i]->lines[j]);
	spread(period);
	return period;
}

/* ----- printing ----- */

/* Rounded half away from zero to so many decimals, without zeros at the end */
static char *
print(const mpq_t number, unsigned decimals, Figures *figures)
{
	mpz_t		scaled,
				power;
	char	   *digits;
	char	   *text;
	size_t		size;

	mpz_inits(scaled, power, NULL);
	mpz_ui_pow_ui(power, 10, decimals);
	mpz_mul(scaled, mpq_numref(number), power);
	mpz_abs(scaled, scaled);
	mpz_mul_ui(scaled, scaled, 2);
	mpz_add(scaled, scaled, mpq_denref(number));
	mpz_mul_ui(power, mpq_denref(number), 2);
	mpz_fdiv_q(scaled, scaled, power);
	for (; decimals > 0 && mpz_divisible_ui_p(scaled, 10); decimals--)
		mpz_divexact_ui(scaled, scaled, 10);
	digits = mpz_get_str(NULL, 10, scaled);
	size = strlen(digits);
	figures->too_long = figures->too_long || size > 18;
	/* the same number in other digits now and then */
	if (decimals == 0 && size > 2 && size < 16 && one_in(10))
		text = text_of("4([-2, %s%s00])", mpq_sgn(number) < 0 ? "-" : "", digits);
	else if (decimals == 0)
		text = text_of("%s%s", mpq_sgn(number) < 0 && digits[0] != '0' ? "-" : "", digits);
	else
		text = text_of("4([-%u, %s%s])", decimals, mpq_sgn(number) < 0 ? "-" : "", digits);
	return text;
}

/* A quotient as it is printed; NULL when it is divided by zero */
static char *
print_quotient(const mpq_t a, const mpq_t b, unsigned decimals, Figures *figures)
{
	mpq_t		quotient;

	if (mpq_sgn(b) == 0)
		return NULL;
	mpq_init(quotient);
	mpq_div(quotient, a, b);
	return print(quotient, decimals, figures);
}

/* ----- baseline against period ----- */

typedef struct Compared
{
	const Sum  *base;
	const Sum  *now;
	bool		has_e0,
				has_e1,
				has_m0,
				has_m1;
	mpq_t		e0,
				e1,
				m0,
				m1,
				adjusted;
	bool		is_ok;
} Compared;

/* The unit of M: of the output, or the currency; NULL where lines differ */
static const char *
unit_of(const Sum *sum, bool by_value)
{
	return sum == NULL ? NULL : by_value ? (sum->currencies_differ ? NULL : sum->currency) : (sum->units_differ ? NULL : sum->unit);
}

/* Why a product has no saving, or ok; the baseline is looked at first */
static const char *
status_of(const Compared *row, bool by_value)
{
	if ((row->base != NULL && !row->has_e0) || (row->now != NULL && !row->has_e1))
		return "shared_energy_not_attributable";
	if (!row->has_m0)
		return "no_baseline";
	if (!row->has_m1 || !same(unit_of(row->now, by_value), unit_of(row->base, by_value)))
		return "no_reporting";
	if (mpq_sgn(row->m0) <= 0)
		return "base_output_not_positive";
	if (mpq_sgn(row->m1) <= 0)
		return "now_output_not_positive";
	return mpq_sgn(row->e0) == 0 ? "base_intensity_zero" : "ok";
}

/* Fill in a product's numbers of both periods, and E0 / M0 * M1 */
static void
compare(Compared *row, const Period *base, const Period *period, bool by_value)
{
	mpq_inits(row->e0, row->e1, row->m0, row->m1, row->adjusted, NULL);
	row->has_e0 = row->base != NULL && base->attributable;
	row->has_e1 = row->now != NULL && period->attributable;
	if (row->has_e0)
		mpq_set(row->e0, row->base->energy);
	if (row->has_e1)
		mpq_set(row->e1, row->now->energy);
	row->has_m0 = amount_of(row->base, by_value, row->m0);
	row->has_m1 = amount_of(row->now, by_value, row->m1);
	row->is_ok = strcmp(status_of(row, by_value), "ok") == 0;
	if (row->is_ok)
	{
		mpq_mul(row->adjusted, row->e0, row->m1);
		mpq_div(row->adjusted, row->adjusted, row->m0);
	}
}

/* A product's row of the certificate */
static void
print_row(const Compared *row, bool by_value, bool by_reporting, Figures *figures)
{
	int			n = figures->count++;
	char	  **figure = figures->figures[n];
	mpq_t		saving;

	figures->products[n] = row->now != NULL ? row->now->product : row->base->product;
	figures->units[n] = unit_of(row->now, by_value);
	if (figures->units[n] == NULL)
		figures->units[n] = unit_of(row->base, by_value);
	figures->statuses[n] = status_of(row, by_value);
	if (row->has_e0)
		figure[0] = print(row->e0, 4, figures);
	if (row->has_m0)
		figure[1] = print(row->m0, 18, figures);
	if (row->has_e0 && row->has_m0 && mpq_sgn(row->m0) > 0)
		figure[2] = print_quotient(row->e0, row->m0, 9, figures);
	if (row->has_e1)
		figure[3] = print(row->e1, 4, figures);
	if (row->has_m1)
		figure[4] = print(row->m1, 18, figures);
	if (row->has_e1 && row->has_m1 && mpq_sgn(row->m1) > 0)
		figure[5] = print_quotient(row->e1, row->m1, 9, figures);
	if (!row->is_ok)
		return;
	mpq_init(saving);
	mpq_sub(saving, row->adjusted, row->e1);
	figure[6] = print(saving, 4, figures);
	figure[7] = print_quotient(saving, by_reporting ? row->e1 : row->adjusted, 9, figures);
}

/* Rows come in the byte order of their products */
static int
compare_rows(const void *a, const void *b)
{
	const Compared *x = a;
	const Compared *y = b;

	return strcmp(x->now != NULL ? x->now->product : x->base->product, y->now != NULL ? y->now->product : y->base->product);
}

/* A row for each product of either period, in order; how many */
static int
pair_rows(Compared *all, const Period *base, const Period *period)
{
	int			count = 0;

	for (int i = 0; i < base->count; i++)
		all[count++].base = &base->sums[i];
	for (int i = 0; i < period->count; i++)
	{
		int			at = 0;

		while (at < base->count && strcmp(all[at].base->product, period->sums[i].product) != 0)
			at++;
		all[at < base->count ? at : count++].now = &period->sums[i];
	}
	qsort(all, (size_t) count, sizeof *all, compare_rows);
	return count;
}

/* ----- totals ----- */

typedef struct Total
{
	mpq_t		e0,
				e1,
				m0,
				m1,
				adjusted,
				saving;
	bool		has_e1;
	bool		one_unit;
} Total;

/* Over the products that are ok; where none is, over all */
static void
add_up(Total *total, const Compared *all, int count, bool any_ok, bool by_value, const Figures *figures)
{
	const char *unit = NULL;
	bool		is_first = true;

	mpq_inits(total->e0, total->e1, total->m0, total->m1, total->adjusted, total->saving, NULL);
	total->has_e1 = false;
	total->one_unit = true;
	for (int i = 0; i < count; i++)
	{
		if (any_ok && !all[i].is_ok)
			continue;
		if (is_first)
			unit = figures->units[i];
		is_first = false;
		mpq_add(total->e0, total->e0, all[i].e0);
		mpq_add(total->e1, total->e1, all[i].e1);
		mpq_add(total->m0, total->m0, all[i].m0);
		mpq_add(total->m1, total->m1, all[i].m1);
		mpq_add(total->adjusted, total->adjusted, all[i].adjusted);
		total->has_e1 = total->has_e1 || all[i].has_e1;
		if (!same(unit, figures->units[i]) || (figures->units[i] == NULL && !by_value))
			total->one_unit = false;
	}
	mpq_sub(total->saving, total->adjusted, total->e1);
}

/* By one intensity over all products, less the saving product by product */
static char *
structure(const Total *total, Figures *figures)
{
	mpq_t		term;

	if (!total->one_unit || mpq_sgn(total->m0) <= 0)
		return NULL;
	mpq_init(term);
	mpq_mul(term, total->e0, total->m1);
	mpq_div(term, term, total->m0);
	mpq_sub(term, term, total->e1);
	mpq_sub(term, term, total->saving);
	return print(term, 4, figures);
}

/* The totals, and whether the saving reaches the threshold, or is above it; without a saving there is only E1 */
static void
print_totals(const Total *total, const Policy *policy, bool is_ok, Figures *figures)
{
	const mpq_t *denominator = policy->by_reporting ? &total->e1 : &total->adjusted;
	mpq_t		least;

	if (total->has_e1)
		figures->totals[1] = print(total->e1, 4, figures);
	if (!is_ok)
		return;
	figures->totals[0] = print(total->adjusted, 4, figures);
	figures->totals[2] = print(total->saving, 4, figures);
	mpq_init(least);
	mpq_set_si(least, 1000, 1);
	figures->totals[3] = print_quotient(total->saving, least, 4, figures);
	figures->totals[4] = print_quotient(total->saving, *denominator, 9, figures);
	figures->totals[5] = structure(total, figures);
	figures->rate = print_quotient(total->saving, *denominator, 4, figures);
	mpq_mul(least, policy->threshold.value, *denominator);
	figures->passes = mpq_sgn(*denominator) > 0 && mpq_cmp(total->saving, least) >= (policy->is_strict ? 1 : 0);
}

/* The whole assessment of a plant, as of the given seqs of its feeds */
void
assess(const Plant *plant, const Policy *policy, Window base, Window period, bool by_value, int64_t energy_last, int64_t product_last, Figures *figures)
{
	const Period *before = read_period(plant, policy, base, energy_last, product_last);
	const Period *after = read_period(plant, policy, period, energy_last, product_last);
	Compared	all[2 * PRODUCTS_MAX];
	Total		total;
	bool		any_ok = false;
	bool		any_wrong = false;
	int			count;

	memset(all, 0, sizeof all);
	memset(figures, 0, sizeof *figures);
	count = pair_rows(all, before, after);
	for (int i = 0; i < count; i++)
	{
		compare(&all[i], before, after, by_value);
		print_row(&all[i], by_value, policy->by_reporting, figures);
		any_ok = any_ok || all[i].is_ok;
		any_wrong = any_wrong || (!all[i].is_ok && strcmp(figures->statuses[i], "no_baseline") != 0);
	}
	add_up(&total, all, count, any_ok, by_value, figures);
	print_totals(&total, policy, any_ok && !any_wrong, figures);
	figures->assessed = any_ok && !any_wrong;
	figures->unknown_source = before->unknown_source || after->unknown_source;
}
