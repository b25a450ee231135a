/*
 * lines.c
 *		The lines of energy and product packages as SQL rows.
 */
#include "package/datum.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/error.h"

void
ecert_check_line(EcertCode code, uint64 line)
{
	if (code != ECERT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_BODY_INVALID),
				 errmsg("invalid ecert package: line " UINT64_FORMAT " cannot be read", line),
				 errdetail("%s", ecert_sentence(code))));
}

/* The package, and its lines when it is of that kind; else no line */
static EcertCursor
lines_of(FunctionCallInfo fcinfo, EcertKind kind, EcertPackage *package, uint64_t *count)
{
	ecert_package_of(PG_GETARG_DATUM(0), package);
	InitMaterializedSRF(fcinfo, 0);
	*count = 0;
	return package->kind == kind ? ecert_body_lines(package->body, count) : ecert_cursor(ecert_slice(NULL, 0));
}

ECERT_FUNCTION(ecert_energy_lines)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EcertPackage package;
	EcertEnergyLine line;
	uint64_t	count;
	EcertCursor cursor = lines_of(fcinfo, ECERT_KIND_ENERGY, &package, &count);

	for (uint64 i = 1; i <= count; i++)
	{
		Datum		values[7];
		bool		nulls[7] = {false};

		ecert_check_line(ecert_energy_line_next(&cursor, &line), i);
		values[0] = Int32GetDatum((int32) i);
		ecert_set_text(&values[1], &nulls[1], line.source);
		ecert_set_text(&values[2], &nulls[2], line.unit);
		ecert_set_text(&values[3], &nulls[3], line.product);
		ecert_set_text(&values[4], &nulls[4], line.supplier);
		ecert_set_text(&values[5], &nulls[5], line.point);
		values[6] = NumericGetDatum(ecert_numeric(line.quantity));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* One row per interval of a line's series */
static void
put_series(ReturnSetInfo *result, const EcertEnergyLine *line, uint64 number, int64 period_start)
{
	EcertSeries series;
	Datum		values[6];
	bool		nulls[6] = {false};

	ecert_series_open(line->series, &series);
	values[0] = Int32GetDatum((int32) number);
	ecert_set_text(&values[1], &nulls[1], line->source);
	ecert_set_text(&values[2], &nulls[2], line->unit);
	for (uint64 i = 0; i < series.count; i++)
	{
		EcertDecimal quantity = {ecert_series_next(&series), series.exponent};
		int64		start = period_start + (int64) i * series.step;

		values[3] = TimestampTzGetDatum(ecert_timestamp(start));
		values[4] = TimestampTzGetDatum(ecert_timestamp(start + series.step));
		values[5] = NumericGetDatum(ecert_numeric(quantity));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		pfree(DatumGetPointer(values[5]));
		CHECK_FOR_INTERRUPTS();
	}
}

ECERT_FUNCTION(ecert_energy_series)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EcertPackage package;
	EcertEnergyLine line;
	EcertPeriod period = {0, 0};
	uint64_t	count;
	EcertError	error;
	EcertCursor cursor = lines_of(fcinfo, ECERT_KIND_ENERGY, &package, &count);

	/* only a body of the right schema bounds step and count so that times stay in range */
	if (count > 0 && ecert_body_check(package.kind, package.body, &error) != ECERT_OK)
		ecert_raise(&error, "body");
	(void) ecert_body_period(&package, &period);
	for (uint64 i = 1; i <= count; i++)
	{
		ecert_check_line(ecert_energy_line_next(&cursor, &line), i);
		if (line.has_series)
			put_series(result, &line, i, period.start);
	}
	return (Datum) 0;
}

ECERT_FUNCTION(ecert_product_lines)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EcertPackage package;
	EcertProductLine line;
	uint64_t	count;
	EcertCursor cursor = lines_of(fcinfo, ECERT_KIND_PRODUCT, &package, &count);

	for (uint64 i = 1; i <= count; i++)
	{
		Datum		values[7];
		bool		nulls[7] = {false};

		ecert_check_line(ecert_product_line_next(&cursor, &line), i);
		values[0] = Int32GetDatum((int32) i);
		ecert_set_text(&values[1], &nulls[1], line.product);
		ecert_set_text(&values[2], &nulls[2], line.unit);
		values[3] = NumericGetDatum(ecert_numeric(line.output));
		values[4] = NumericGetDatum(ecert_numeric(line.qualified));
		ecert_set_number(&values[5], &nulls[5], line.has_value ? ecert_numeric(line.value) : NULL);
		ecert_set_text(&values[6], &nulls[6], line.currency);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
