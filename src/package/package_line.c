/*
 * package_line.c
 *		The type ecert.package_line: one line of an energy or product package,
 *		as it stands in the signed bytes.
 *
 * ecert.energy_lines() makes a row of every field of every line.  A query that
 * sums up a whole ledger wants two or three of them: it takes the lines one by
 * one out of ecert.lines() in its select list, which keeps no rows, and reads
 * from each what it needs.  A value is the line's number (4 bytes) and its
 * CBOR; there is no way in but ecert.lines().
 */
#include "package/datum.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"

#include "pg/error.h"

/* Where a call of ecert.lines() is within its package */
typedef struct Lines
{
	bool		running;
	bool		has_callback;	/* the executor will tell when the query stops or starts again */
	struct varlena *copy;		/* of a package that was stored out of line; NULL: none */
	EcertCursor cursor;
	uint64		left;
	int32		number;
} Lines;

/* A line is taken from a package, never made: what it says has a signature */
ECERT_FUNCTION(ecert_package_line_in)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot accept a value of type %s", "ecert.package_line"),
			 errhint("Take lines from a package with ecert.lines().")));
	PG_RETURN_NULL();
}

ECERT_FUNCTION(ecert_package_line_out)
{
	int32		number;

	return ecert_bytes_out(ecert_line_of(PG_GETARG_DATUM(0), &number));
}

EcertSlice
ecert_line_of(Datum datum, int32 *number)
{
	EcertSlice	value = ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(datum));

	*number = 0;
	if (value.size < sizeof *number)
		return ecert_slice(NULL, 0);
	memcpy(number, value.data, sizeof *number);
	return ecert_slice(value.data + sizeof *number, value.size - sizeof *number);
}

/* The query stops, or starts again, before the last line was asked for */
static void
stop_lines(Datum state)
{
	Lines	   *lines = (Lines *) DatumGetPointer(state);

	lines->running = false;
	lines->has_callback = false;
}

/* Begin with the package of this call, which stays in memory until its last line */
static void
start_lines(Lines *lines, struct varlena *package, ReturnSetInfo *result, MemoryContext context)
{
	MemoryContext caller;
	EcertSlice	body;

	if (lines->copy != NULL)
		pfree(lines->copy);
	lines->copy = NULL;
	if (VARATT_IS_EXTENDED(package) && !VARATT_IS_SHORT(package))
	{
		caller = MemoryContextSwitchTo(context);
		package = lines->copy = pg_detoast_datum(package);
		MemoryContextSwitchTo(caller);
	}
	if (!lines->has_callback)
		RegisterExprContextCallback(result->econtext, stop_lines, PointerGetDatum(lines));
	lines->has_callback = true;
	body = ecert_package_body_again(ecert_varlena_slice(package));
	lines->cursor = ecert_body_lines(body, &lines->left);
	lines->number = 0;
	lines->running = true;
}

/* The next item of the array, as a value of the type */
static Datum
next_line(Lines *lines)
{
	EcertSlice	item = ecert_cbor_skip(&lines->cursor);
	struct varlena *value = palloc(VARHDRSZ + sizeof lines->number + item.size);

	lines->left--;
	lines->number++;
	SET_VARSIZE(value, VARHDRSZ + sizeof lines->number + item.size);
	memcpy(VARDATA(value), &lines->number, sizeof lines->number);
	memcpy(VARDATA(value) + sizeof lines->number, item.data, item.size);
	return PointerGetDatum(value);
}

/*
 * One line a call.  The state is this function's own, and not that of
 * SRF_FIRSTCALL_INIT(), which makes a memory context for every package.
 */
ECERT_FUNCTION(ecert_lines)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Lines	   *lines = (Lines *) fcinfo->flinfo->fn_extra;

	if (result == NULL || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_ValuePerCall) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	if (lines == NULL)
		fcinfo->flinfo->fn_extra = lines = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof *lines);
	if (!lines->running)
		start_lines(lines, (struct varlena *) PG_GETARG_POINTER(0), result, fcinfo->flinfo->fn_mcxt);
	if (lines->left == 0 || lines->cursor.offset >= lines->cursor.bytes.size)
	{
		lines->running = false;
		result->isDone = ExprEndResult;
		PG_RETURN_NULL();
	}
	result->isDone = ExprMultipleResult;
	return next_line(lines);
}

ECERT_FUNCTION(ecert_line_number)
{
	int32		number;

	(void) ecert_line_of(PG_GETARG_DATUM(0), &number);
	PG_RETURN_INT32(number);
}

ECERT_FUNCTION(ecert_line_text)
{
	int32		number;
	EcertSlice	line = ecert_line_of(PG_GETARG_DATUM(0), &number);
	EcertSlice	item,
				content;

	if (!ecert_cbor_find_key(line, ecert_varlena_slice(PG_GETARG_TEXT_PP(1)), &item) || !ecert_cbor_text(item, &content))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(ecert_text(content));
}

ECERT_FUNCTION(ecert_line_quantity)
{
	int32		number;
	EcertSlice	line = ecert_line_of(PG_GETARG_DATUM(0), &number);
	EcertEnergyLine energy;

	ecert_check_line(ecert_energy_line_read(line, &energy), number);
	return NumericGetDatum(ecert_numeric(energy.quantity));
}

ECERT_FUNCTION(ecert_line_amount)
{
	int32		number;
	EcertSlice	line = ecert_line_of(PG_GETARG_DATUM(0), &number);
	EcertSlice	item;
	EcertDecimal amount = {0, 0};

	if (!ecert_cbor_find_key(line, ecert_varlena_slice(PG_GETARG_TEXT_PP(1)), &item))
		PG_RETURN_NULL();
	ecert_check_line(ecert_decimal_read(item, &amount), number);
	return NumericGetDatum(ecert_numeric(amount));
}
