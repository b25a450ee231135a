/*
 * assess.c
 *		Baseline against reporting period, by the formulas of GB/T 13234:
 *
 *		e = E / M, S = sum (e0 - e1) * M1, r = S / sum (e0 * M1)
 *
 *		with M the qualified output or, by method value, its value.  Sums come
 *		first and one division last: what is a quotient on the way is a fraction,
 *		so that a verdict never hangs on a rounded figure.
 */
#include "energy/use.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"

#include "pg/error.h"
#include "registry/registry.h"

PG_FUNCTION_INFO_V1(ecert_quotient);
PG_FUNCTION_INFO_V1(ecert_assess_bodies);

#define KGCE_DECIMALS 4
#define RATE_DECIMALS 9
#define COLUMNS 17

/* A product; what is NULL is not defined */
typedef struct Row
{
	EcertSlice	product;
	EcertSlice	unit;			/* of the output; by method value its currency */
	const char *status;
	bool		is_ok;
	EcertFraction base;			/* E0 */
	EcertFraction now;			/* E1 */
	Numeric		base_amount;	/* M0 */
	Numeric		now_amount;		/* M1 */
	EcertFraction saving;		/* e0 * M1 - E1 */
	EcertFraction adjusted;		/* e0 * M1 */
	Numeric		adjusted_amount;	/* its denominator without that of E0 */
} Row;

/* The sums over the rows that count */
typedef struct Total
{
	EcertSlice	unit;
	const char *status;
	bool		one_unit;		/* amounts add up */
	bool		has_base;
	bool		has_now;
	EcertFraction base;
	EcertFraction now;
	Numeric		base_amount;
	Numeric		now_amount;
	EcertFraction adjusted;
	EcertFraction saving;
} Total;

typedef struct Assessment
{
	bool		by_value;
	bool		by_reporting;	/* rates are of E1, not of e0 * M1 */
	int			count;
	Row		   *rows;
	bool		any_ok;
} Assessment;

Numeric
ecert_quotient_of(Numeric numerator, Numeric denominator, int decimals)
{
	Datum		scale;
	Datum		quotient;

	if (numerator == NULL || denominator == NULL || ecert_sign_of(denominator) == 0)
		return NULL;
	scale = DirectFunctionCall1(numeric_scale, NumericGetDatum(denominator));
	quotient = DirectFunctionCall2(numeric_div,
								   DirectFunctionCall2(numeric_round, NumericGetDatum(numerator),
													   Int32GetDatum(ECERT_QUOTIENT_DECIMALS + DatumGetInt32(scale))),
								   NumericGetDatum(denominator));
	return ecert_trim(DatumGetNumeric(DirectFunctionCall2(numeric_round, quotient, Int32GetDatum(decimals))));
}

Datum
ecert_quotient(PG_FUNCTION_ARGS)
{
	Numeric		quotient = ecert_quotient_of(PG_GETARG_NUMERIC(0), PG_GETARG_NUMERIC(1), PG_GETARG_INT32(2));

	if (quotient == NULL)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(quotient);
}

/* sum + addend, exact; an addend that is not defined adds nothing */
static EcertFraction
sum_of(EcertFraction sum, Numeric numerator, Numeric denominator)
{
	EcertFraction result = sum;

	if (numerator == NULL || denominator == NULL)
		return sum;
	if (ecert_order(sum.denominator, denominator) == 0)
		result.numerator = ecert_add(sum.numerator, numerator);
	else
	{
		result.numerator = ecert_add(ecert_multiply(sum.numerator, denominator), ecert_multiply(numerator, sum.denominator));
		result.denominator = ecert_multiply(sum.denominator, denominator);
	}
	return result;
}

/* The baseline is looked at first */
static const char *
status_of(const Row *row, const EcertProductUse *base, const EcertProductUse *now, bool by_value)
{
	if ((base != NULL && row->base.numerator == NULL) || (now != NULL && row->now.numerator == NULL))
		return "shared_energy_not_attributable";
	if (row->base_amount == NULL)
		return "no_baseline";
	if (row->now_amount == NULL ||
		!(by_value ? ecert_slice_equal(now->currency, base->currency) : ecert_slice_equal(now->unit, base->unit)))
		return "no_reporting";
	if (ecert_sign_of(row->base_amount) <= 0)
		return "base_output_not_positive";
	if (ecert_sign_of(row->now_amount) <= 0)
		return "now_output_not_positive";
	return ecert_sign_of(row->base.numerator) == 0 ? "base_intensity_zero" : "ok";
}

/* e0 * M1, over a whole number, so that no decimals pile up in the sum; and what is saved against it */
static void
find_saving(Row *row)
{
	Datum		decimals = DirectFunctionCall1(numeric_min_scale, NumericGetDatum(row->base_amount));
	Numeric		shift = ecert_numeric((EcertDecimal) {1, DatumGetInt32(decimals)});
	Numeric		energy = ecert_multiply(row->base.numerator, row->now_amount);

	row->saving.numerator = ecert_subtract(ecert_multiply(energy, row->now.denominator),
										   ecert_multiply(ecert_multiply(row->now.numerator, row->base.denominator), row->base_amount));
	row->saving.denominator = ecert_multiply(ecert_multiply(row->base.denominator, row->base_amount), row->now.denominator);
	row->adjusted_amount = ecert_trim(ecert_multiply(row->base_amount, shift));
	row->adjusted.numerator = ecert_trim(ecert_multiply(energy, shift));
	row->adjusted.denominator = ecert_multiply(row->adjusted_amount, row->base.denominator);
}

static void
open_row(Row *row, const EcertProductUse *base, const EcertProductUse *now, bool by_value)
{
	memset(row, 0, sizeof *row);
	row->product = now != NULL ? now->product : base->product;
	if (base != NULL)
	{
		row->unit = by_value ? base->currency : base->unit;
		row->base = base->kgce;
		row->base_amount = by_value ? base->value : base->qualified;
	}
	if (now != NULL)
	{
		EcertSlice	unit = by_value ? now->currency : now->unit;

		if (unit.size > 0)
			row->unit = unit;
		row->now = now->kgce;
		row->now_amount = by_value ? now->value : now->qualified;
	}
	row->status = status_of(row, base, now, by_value);
	row->is_ok = strcmp(row->status, "ok") == 0;
	if (row->base_amount != NULL)
		find_saving(row);
}

/* A row for each product of either side, in the order of their names */
static void
open_rows(Assessment *assessment, const EcertUse *base, const EcertUse *now)
{
	int			i = 0;
	int			j = 0;

	assessment->rows = palloc_extended((base->count + now->count + 1) * sizeof(Row), MCXT_ALLOC_HUGE);
	while (i < base->count || j < now->count)
	{
		int			order = i == base->count ? 1 : j == now->count ? -1 :
			ecert_slice_compare(base->products[i].product, now->products[j].product);
		Row		   *row = &assessment->rows[assessment->count++];

		CHECK_FOR_INTERRUPTS();
		open_row(row, order <= 0 ? &base->products[i] : NULL, order >= 0 ? &now->products[j] : NULL, assessment->by_value);
		assessment->any_ok = assessment->any_ok || row->is_ok;
		i += order <= 0;
		j += order >= 0;
	}
}

/* ok when every product is or has no baseline, and one is ok; else what is wrong, the first in byte order */
static const char *
overall_status(const Assessment *assessment)
{
	const char *wrong = NULL;

	if (assessment->count == 0)
		return "no_reporting";
	for (int i = 0; i < assessment->count; i++)
	{
		const char *status = assessment->rows[i].status;

		if (!assessment->rows[i].is_ok && strcmp(status, "no_baseline") != 0 && (wrong == NULL || strcmp(status, wrong) < 0))
			wrong = status;
	}
	return wrong != NULL ? wrong : assessment->any_ok ? "ok" : "no_baseline";
}

static void
add_row(Total *total, const Row *row)
{
	total->has_base = total->has_base || row->base.numerator != NULL;
	total->has_now = total->has_now || row->now.numerator != NULL;
	total->base = sum_of(total->base, row->base.numerator, row->base.denominator);
	total->now = sum_of(total->now, row->now.numerator, row->now.denominator);
	total->base_amount = ecert_add_defined(total->base_amount, row->base_amount);
	total->now_amount = ecert_add_defined(total->now_amount, row->now_amount);
	/* an applicant's shared energy is spread by one denominator: left out of the sum, it does not multiply */
	total->adjusted = sum_of(total->adjusted, row->adjusted.numerator, row->adjusted_amount);
}

/* Over what can be assessed; where nothing can, over all there is */
static Total
total_of(const Assessment *assessment)
{
	const EcertFraction nothing = {int64_to_numeric(0), int64_to_numeric(1)};
	Total		total = {0};
	Numeric		base_denominator = NULL;
	bool		first = true;
	bool		all_have_unit = true;

	total.status = overall_status(assessment);
	total.base = total.now = total.adjusted = nothing;
	total.one_unit = true;
	for (int i = 0; i < assessment->count; i++)
	{
		const Row  *row = &assessment->rows[i];

		CHECK_FOR_INTERRUPTS();
		if (assessment->any_ok && !row->is_ok)
			continue;
		if (first)
			total.unit = row->unit;
		first = false;
		all_have_unit = all_have_unit && row->unit.size > 0;
		total.one_unit = total.one_unit && ecert_slice_equal(row->unit, total.unit);
		if (base_denominator == NULL)
			base_denominator = row->base.denominator;
		add_row(&total, row);
	}
	/* values may come without a currency; amounts in different units do not add up */
	if (!total.one_unit)
		total.unit = ecert_slice(NULL, 0);
	total.one_unit = total.one_unit && (all_have_unit || assessment->by_value);
	total.adjusted.denominator = ecert_multiply(total.adjusted.denominator, base_denominator);
	/* the sum of all e0 * M1 less that of all E1 */
	total.saving.numerator = ecert_subtract(ecert_multiply(total.adjusted.numerator, total.now.denominator),
											ecert_multiply(total.now.numerator, total.adjusted.denominator));
	total.saving.denominator = ecert_multiply(total.adjusted.denominator, total.now.denominator);
	return total;
}

/* The columns that a product's row and the total have in common, from product to now_unit_energy */
static void
put_side(Datum *values, bool *nulls, EcertFraction energy, Numeric amount)
{
	ecert_set_number(&values[0], &nulls[0], ecert_quotient_of(energy.numerator, energy.denominator, KGCE_DECIMALS));
	ecert_set_number(&values[1], &nulls[1], ecert_trim(amount));
	ecert_set_number(&values[2], &nulls[2], !ecert_is_positive(amount) ? NULL :
					 ecert_quotient_of(energy.numerator, ecert_multiply(energy.denominator, amount), RATE_DECIMALS));
}

static EcertFraction
rate_of(EcertFraction saving, EcertFraction base)
{
	EcertFraction rate;

	rate.numerator = ecert_multiply(saving.numerator, base.denominator);
	rate.denominator = ecert_multiply(saving.denominator, base.numerator);
	return rate;
}

/* saving_kgce to adjusted_base_kgce, and the exact saving: of what is ok */
static void
put_saving(Datum *values, bool *nulls, EcertFraction saving, EcertFraction rate, EcertFraction adjusted)
{
	ecert_set_number(&values[8], &nulls[8], ecert_quotient_of(saving.numerator, saving.denominator, KGCE_DECIMALS));
	ecert_set_number(&values[9], &nulls[9], ecert_quotient_of(rate.numerator, rate.denominator, RATE_DECIMALS));
	ecert_set_number(&values[11], &nulls[11], ecert_quotient_of(adjusted.numerator, adjusted.denominator, KGCE_DECIMALS));
	ecert_set_number(&values[13], &nulls[13], saving.numerator);
	ecert_set_number(&values[14], &nulls[14], saving.denominator);
}

static void
put_row(ReturnSetInfo *result, const Assessment *assessment, const Row *row)
{
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS];

	memset(nulls, true, sizeof nulls);
	ecert_set_text(&values[0], &nulls[0], row->product);
	ecert_set_text(&values[1], &nulls[1], row->unit);
	put_side(values + 2, nulls + 2, row->base, row->base_amount);
	put_side(values + 5, nulls + 5, row->now, row->now_amount);
	ecert_set_text(&values[10], &nulls[10], ecert_slice_text(row->status));
	if (row->is_ok)
		put_saving(values, nulls, row->saving, rate_of(row->saving, assessment->by_reporting ? row->now : row->adjusted), row->adjusted);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* One intensity over all products, (E0 / M0) * M1 - E1, less the saving product by product */
static Numeric
structure_of(const Total *total)
{
	Numeric		denominator;
	Numeric		numerator;

	if (!total->one_unit || !ecert_is_positive(total->base_amount))
		return NULL;
	denominator = ecert_multiply(ecert_multiply(total->base.denominator, total->base_amount), total->now.denominator);
	numerator = ecert_subtract(ecert_multiply(ecert_multiply(total->base.numerator, total->now_amount), total->now.denominator),
							   ecert_multiply(ecert_multiply(total->now.numerator, total->base.denominator), total->base_amount));
	return ecert_quotient_of(ecert_subtract(ecert_multiply(numerator, total->saving.denominator),
											ecert_multiply(total->saving.numerator, denominator)),
							 ecert_multiply(denominator, total->saving.denominator), KGCE_DECIMALS);
}

static void
put_total(ReturnSetInfo *result, const Assessment *assessment, const Total *total)
{
	const EcertFraction undefined = {NULL, NULL};
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS];

	memset(nulls, true, sizeof nulls);
	ecert_set_text(&values[1], &nulls[1], total->unit);
	put_side(values + 2, nulls + 2, total->has_base ? total->base : undefined, total->one_unit ? total->base_amount : NULL);
	put_side(values + 5, nulls + 5, total->has_now ? total->now : undefined, total->one_unit ? total->now_amount : NULL);
	ecert_set_text(&values[10], &nulls[10], ecert_slice_text(total->status));
	if (strcmp(total->status, "ok") == 0)
	{
		EcertFraction rate = rate_of(total->saving, assessment->by_reporting ? total->now : total->adjusted);

		put_saving(values, nulls, total->saving, rate, total->adjusted);
		ecert_set_number(&values[12], &nulls[12], structure_of(total));
		ecert_set_number(&values[15], &nulls[15], rate.numerator);
		ecert_set_number(&values[16], &nulls[16], rate.denominator);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Energy that cannot be converted is never counted as zero */
static void
check_coefficients(const EcertUse *use, Datum applicant, Datum within)
{
	if (use->is_missing)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_COEFFICIENT_UNKNOWN),
				 errmsg("energy source \"%s\" in unit \"%s\" has no coefficient",
						ecert_cstring(use->missing_source), ecert_cstring(use->missing_unit)),
				 errdetail("Applicant \"%s\" used it within %s.", TextDatumGetCString(applicant),
						   OidOutputFunctionCall(F_RANGE_OUT, within)),
				 errhint("See ledger.coefficient; the certifier adds coefficients with ecert.set_policy().")));
}

/* product or value */
static bool
is_by_value(EcertSlice method)
{
	if (!ecert_slice_equal(method, ecert_slice_text("value")) && !ecert_slice_equal(method, ecert_slice_text("product")))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%.*s\" is not known", (int) method.size, method.data),
				 errhint("Methods are product and value.")));
	return ecert_slice_equal(method, ecert_slice_text("value"));
}

/* Does the policy divide rates by the reporting period's energy? */
static bool
rates_by_reporting(Jsonb *policy)
{
	JsonbValue	certificate;
	JsonbValue	denominator;

	return JB_ROOT_IS_OBJECT(policy) &&
		getKeyJsonValueFromContainer(&policy->root, "certificate", 11, &certificate) != NULL &&
		certificate.type == jbvBinary && JsonContainerIsObject(certificate.val.binary.data) &&
		getKeyJsonValueFromContainer(certificate.val.binary.data, "denominator", 11, &denominator) != NULL &&
		denominator.type == jbvString &&
		ecert_slice_equal(ecert_slice(denominator.val.string.val, denominator.val.string.len), ecert_slice_text("reporting"));
}

/* (policy, applicant, bodies, period, baseline, method) to a row for each product, and the total */
Datum
ecert_assess_bodies(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Assessment	assessment = {0};
	Jsonb	   *policy = ecert_policy_of(PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	const EcertCoefficients *coefficients = ecert_coefficients_of(fcinfo->flinfo, policy);
	EcertDeclarations declared = ecert_declarations_arg(fcinfo, 2);
	EcertUse	base;
	EcertUse	now;
	Total		total;

	assessment.by_value = !PG_ARGISNULL(5) && is_by_value(ecert_varlena_slice(PG_GETARG_TEXT_PP(5)));
	assessment.by_reporting = rates_by_reporting(policy);
	base = ecert_use_of(&declared, ecert_within(PG_GETARG_DATUM(4), PG_ARGISNULL(4)), coefficients);
	check_coefficients(&base, PG_GETARG_DATUM(1), PG_GETARG_DATUM(4));
	now = ecert_use_of(&declared, ecert_within(PG_GETARG_DATUM(3), PG_ARGISNULL(3)), coefficients);
	check_coefficients(&now, PG_GETARG_DATUM(1), PG_GETARG_DATUM(3));
	open_rows(&assessment, &base, &now);
	total = total_of(&assessment);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < assessment.count; i++)
		put_row(result, &assessment, &assessment.rows[i]);
	put_total(result, &assessment, &total);
	return (Datum) 0;
}
