/*
 * assess.c
 *		The assessment (rules/assess.c) of packages that a query collected, as
 *		SQL rows.
 */
#include "energy/use.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "pg/arena.h"
#include "pg/error.h"
#include "registry/registry.h"
#include "rules/assess.h"

PG_FUNCTION_INFO_V1(ecert_assess_bodies);

/* The columns */
enum
{
	PRODUCT,
	UNIT,
	BASE_SIDE,					/* and the next two */
	NOW_SIDE = BASE_SIDE + 3,
	SAVING_KGCE = NOW_SIDE + 3,
	SAVING_RATE,
	STATUS,
	ADJUSTED_BASE_KGCE,
	STRUCTURE_KGCE,
	SAVING_TCE,
	PASSES,
	COLUMNS
};

/* A row on its way */
typedef struct Row
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
} Row;

static void
set_figure(Row *row, int column, const char *digits)
{
	ecert_set_number(&row->values[column], &row->nulls[column], ecert_numeric_of_digits(digits));
}

static void
set_text(Row *row, int column, EcertSlice content)
{
	ecert_set_text(&row->values[column], &row->nulls[column], content);
}

static void
set_side(Row *row, int column, const EcertSide *side)
{
	set_figure(row, column, side->kgce);
	set_figure(row, column + 1, side->output);
	set_figure(row, column + 2, side->unit_energy);
}

static void
put_product(ReturnSetInfo *result, const EcertAssessed *product)
{
	Row			row = {0};

	memset(row.nulls, true, sizeof row.nulls);
	set_text(&row, PRODUCT, product->product);
	set_text(&row, UNIT, product->unit);
	set_side(&row, BASE_SIDE, &product->base);
	set_side(&row, NOW_SIDE, &product->now);
	set_figure(&row, SAVING_KGCE, product->saving_kgce);
	set_figure(&row, SAVING_RATE, product->saving_rate);
	set_text(&row, STATUS, ecert_slice_text(product->status));
	set_figure(&row, ADJUSTED_BASE_KGCE, product->adjusted_base_kgce);
	tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
}

static void
put_totals(ReturnSetInfo *result, const EcertTotals *totals)
{
	Row			row = {0};

	memset(row.nulls, true, sizeof row.nulls);
	set_text(&row, UNIT, totals->unit);
	set_side(&row, BASE_SIDE, &totals->base);
	set_side(&row, NOW_SIDE, &totals->now);
	set_figure(&row, SAVING_KGCE, totals->saving_kgce);
	set_figure(&row, SAVING_RATE, totals->saving_rate);
	set_text(&row, STATUS, ecert_slice_text(totals->status));
	set_figure(&row, ADJUSTED_BASE_KGCE, totals->adjusted_base_kgce);
	set_figure(&row, STRUCTURE_KGCE, totals->structure_kgce);
	set_figure(&row, SAVING_TCE, totals->saving_tce);
	row.values[PASSES] = BoolGetDatum(totals->passes);
	row.nulls[PASSES] = false;
	tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
}

/* Raise why there is no assessment */
static void
check_assessed(EcertAssessCode code, const EcertAssessment *assessment, Datum applicant, Datum within)
{
	if (code == ECERT_ASSESS_BAD_LINE)
		ecert_check_line(assessment->line_code, assessment->line);
	else if (code == ECERT_ASSESS_NO_COEFFICIENT)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_COEFFICIENT_UNKNOWN),
				 errmsg("energy source \"%s\" in unit \"%s\" has no coefficient",
						ecert_cstring(assessment->source), ecert_cstring(assessment->unit)),
				 errdetail("Applicant \"%s\" used it within %s.", TextDatumGetCString(applicant),
						   OidOutputFunctionCall(F_RANGE_OUT, within)),
				 errhint("See ledger.coefficient; the certifier adds coefficients with ecert.set_policy().")));
	else if (code != ECERT_ASSESS_OK)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the figures are too large to be computed"),
				 errdetail("Applicant \"%s\".", TextDatumGetCString(applicant))));
}

/* product or value */
bool
ecert_is_by_value(EcertSlice method)
{
	if (!ecert_slice_equal(method, ecert_slice_text("value")) && !ecert_slice_equal(method, ecert_slice_text("product")))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%.*s\" is not known", (int) method.size, method.data),
				 errhint("Methods are product and value.")));
	return ecert_slice_equal(method, ecert_slice_text("value"));
}

/* (policy, applicant, bodies, period, baseline, method) to a row for each product, and the total */
Datum
ecert_assess_bodies(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const EcertKeptPolicy *policy = ecert_policy_of(fcinfo->flinfo, PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	EcertDeclarations declared = ecert_declarations_arg(fcinfo, 2);
	bool		by_value = !PG_ARGISNULL(5) && ecert_is_by_value(ecert_varlena_slice(PG_GETARG_TEXT_PP(5)));
	EcertArena *arena = ecert_arena_in(CurrentMemoryContext);
	const EcertUse *base = ecert_use_within(&declared, ecert_within(PG_GETARG_DATUM(4), PG_ARGISNULL(4)), policy->coefficients, arena);
	const EcertUse *now = ecert_use_within(&declared, ecert_within(PG_GETARG_DATUM(3), PG_ARGISNULL(3)), policy->coefficients, arena);
	EcertAssessment assessment;
	EcertAssessCode code = ecert_assess(base, now, ecert_terms_of(policy->body, by_value), arena, &assessment);

	check_assessed(code, &assessment, PG_GETARG_DATUM(1), PG_GETARG_DATUM(assessment.is_baseline ? 4 : 3));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (size_t i = 0; i < assessment.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_product(result, &assessment.products[i]);
	}
	put_totals(result, &assessment.totals);
	return (Datum) 0;
}
