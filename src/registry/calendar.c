/*
 * calendar.c
 *		The calendar of a policy (rules/calendar.h) from SQL.
 */
#include "registry/coefficient.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/arena.h"
#include "pg/error.h"
#include "rules/calendar.h"
#include "rules/text.h"

/* The calendar of a policy, kept with the caller's flinfo */
static const EcertCalendar *
calendar_of(FunctionCallInfo fcinfo, int argument)
{
	return &ecert_policy_of(fcinfo->flinfo, PG_GETARG_DATUM(argument), false)->calendar;
}

/* A period of the calendar lies within the times that PostgreSQL has; false where it does not */
static bool
is_time(EcertPeriod period)
{
	return period.start < period.end && IS_VALID_TIMESTAMP(ecert_timestamp(period.start)) && IS_VALID_TIMESTAMP(ecert_timestamp(period.end));
}

/* The span that is asked for: by its name, or the one of packages or of statistics */
static EcertSpan
span_named(const EcertCalendar *calendar, EcertSlice name)
{
	EcertSpan	span = ecert_slice_equal(name, ecert_slice_text("pack")) ? calendar->pack :
		ecert_slice_equal(name, ecert_slice_text("statistics")) ? calendar->statistics : ecert_span(name);

	if (span == ECERT_SPAN_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a span of the calendar", pnstrdup((const char *) name.data, name.size)),
				 errhint("Spans are day, week, month, quarter and year, and pack and statistics for those that the policy names.")));
	return span;
}

/* calendar_span(policy, span, at) */
ECERT_FUNCTION(ecert_sql_calendar_span)
{
	const EcertCalendar *calendar = calendar_of(fcinfo, 0);
	EcertSpan	span = span_named(calendar, ecert_varlena_slice(PG_GETARG_TEXT_PP(1)));
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(2);
	EcertPeriod period;

	if (TIMESTAMP_NOT_FINITE(at) || !ecert_calendar_span(calendar, span, ecert_seconds(at), &period) || !is_time(period))
		PG_RETURN_NULL();
	return ecert_period_datum(period);
}

/* calendar_before(policy, period, years) */
ECERT_FUNCTION(ecert_sql_calendar_before)
{
	const EcertCalendar *calendar = calendar_of(fcinfo, 0);
	EcertPeriod period;
	EcertPeriod before;

	if (!ecert_period_argument(fcinfo, 1, &period) || !ecert_calendar_before(calendar, period, PG_GETARG_INT32(2), &before) || !is_time(before))
		PG_RETURN_NULL();
	return ecert_period_datum(before);
}

/* default_baseline(period, policy) */
ECERT_FUNCTION(ecert_sql_default_baseline)
{
	EcertKeptPolicy *policy = ecert_policy_of(fcinfo->flinfo, PG_GETARG_DATUM(1), false);
	EcertPeriod period;
	EcertPeriod baseline;

	if (!ecert_period_argument(fcinfo, 0, &period) || !ecert_policy_baseline(policy->body, &policy->calendar, period, &baseline) || !is_time(baseline))
		PG_RETURN_RANGE_P(make_empty_range(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO)));
	return ecert_period_datum(baseline);
}

/* A date, and where it does not begin then the time, as clocks show it */
static char *
clock_text(const EcertCalendar *calendar, int64_t at)
{
	struct tm	date;
	char	   *day;

	(void) ecert_date_of(ecert_calendar_clock(calendar, at), &date);
	day = psprintf("%04d-%02d-%02d", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday);
	if (date.tm_sec != 0)
		return psprintf("%s %02d:%02d:%02d", day, date.tm_hour, date.tm_min, date.tm_sec);
	return date.tm_hour != 0 || date.tm_min != 0 ? psprintf("%s %02d:%02d", day, date.tm_hour, date.tm_min) : day;
}

/* calendar_text(policy, period) */
ECERT_FUNCTION(ecert_sql_calendar_text)
{
	const EcertCalendar *calendar = calendar_of(fcinfo, 0);
	EcertPeriod period;

	if (!ecert_period_argument(fcinfo, 1, &period))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("[%s,%s)", clock_text(calendar, period.start), clock_text(calendar, period.end))));
}
