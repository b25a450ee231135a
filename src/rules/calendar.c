/*
 * calendar.c
 *		Civil time by a policy's offsets; see calendar.h.
 */
#include "rules/calendar.h"

#include <time.h>

#include "rules/text.h"

#define DAY_SECONDS 86400
#define YEAR_MONTHS 12
#define YEAR_WEEKS 52
#define WEEK_DAYS 7
#define YEARS_MAX 1000

/* Times that are reckoned with: some 30,000 years before and behind 1970, far from where numbers end */
#define FAR INT64_C(1000000000000)

static const char *const names[] = {"day", "week", "month", "quarter", "year"};

static int64_t
floor_divide(int64_t number, int64_t by)
{
	return number / by - (number % by < 0);
}

/* The date that clocks show */
static struct tm
date_of(int64_t clock)
{
	struct tm	date;

	(void) ecert_date_of(clock, &date);
	return date;
}

/* Months since January of the year 0, and what clocks show when one begins */
static int64_t
month_of(int64_t clock)
{
	struct tm	date = date_of(clock);

	return (date.tm_year + INT64_C(1900)) * YEAR_MONTHS + date.tm_mon;
}

static int64_t
month_start(int64_t month)
{
	int64_t		year = floor_divide(month, YEAR_MONTHS);
	struct tm	date = {.tm_year = (int) (year - 1900), .tm_mon = (int) (month - year * YEAR_MONTHS), .tm_mday = 1};

	return timegm(&date);
}

int64_t
ecert_calendar_clock(const EcertCalendar *calendar, int64_t at)
{
	size_t		i = calendar->offset_count;

	if (i == 0)
		return at;
	while (--i > 0 && calendar->offsets[i].from > at)
		;
	return at + calendar->offsets[i].seconds;
}

/*
 * From when on clocks show that or more, and never less again.  Before that is
 * what the last offset that begins with less has of it.
 */
static int64_t
time_of(const EcertCalendar *calendar, int64_t clock)
{
	size_t		i = calendar->offset_count;
	int64_t		at;

	if (i == 0)
		return clock;
	while (--i > 0 && calendar->offsets[i].from + calendar->offsets[i].seconds >= clock)
		;
	at = clock - calendar->offsets[i].seconds;
	return i + 1 < calendar->offset_count && calendar->offsets[i + 1].from < at ? calendar->offsets[i + 1].from : at;
}

EcertSpan
ecert_span(EcertSlice name)
{
	return (EcertSpan) ecert_place_of(names, ECERT_SPAN_NONE, name);
}

static bool
read_offset(EcertSlice item, EcertOffset *offset)
{
	EcertCursor cursor = ecert_cursor(item);
	EcertCborHead head;

	return ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_ARRAY && head.value == 2 &&
		ecert_cbor_int(ecert_cbor_skip(&cursor), &offset->from) == ECERT_OK && ecert_cbor_int(ecert_cbor_skip(&cursor), &offset->seconds) == ECERT_OK &&
		offset->from >= -FAR && offset->from <= FAR && offset->seconds > -DAY_SECONDS && offset->seconds < DAY_SECONDS;
}

EcertCalendar
ecert_calendar_of(EcertArena *arena, EcertSlice policy)
{
	EcertSlice	item = ecert_field_item(policy, "calendar");
	EcertCalendar calendar = {NULL, 0, 1, ecert_span(ecert_cbor_text_at(item, "pack")), ecert_span(ecert_cbor_text_at(item, "statistics"))};
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(item, "offsets", &count);
	int64_t		year_start;

	if (ecert_field_int(item, "year_start", &year_start) && year_start >= 1 && year_start <= YEAR_MONTHS)
		calendar.year_start = (int) year_start;
	calendar.offsets = ecert_arena_array(arena, (size_t) count, sizeof(EcertOffset));
	for (; count > 0; count--)
	{
		EcertOffset *offset = &calendar.offsets[calendar.offset_count];

		/* a policy that was never in force may be anything */
		if (read_offset(ecert_cbor_skip(&cursor), offset))
			calendar.offset_count++;
	}
	return calendar;
}

/* The months of a span, from its first one on */
static int64_t
months_in(EcertSpan span)
{
	return span == ECERT_SPAN_YEAR ? YEAR_MONTHS : span == ECERT_SPAN_QUARTER ? YEAR_MONTHS / 4 : 1;
}

bool
ecert_calendar_span(const EcertCalendar *calendar, EcertSpan span, int64_t at, EcertPeriod *period)
{
	int64_t		start;
	int64_t		end;

	if (at < -FAR || at > FAR || span == ECERT_SPAN_NONE)
		return false;
	start = floor_divide(ecert_calendar_clock(calendar, at), DAY_SECONDS) * DAY_SECONDS;
	/* an hour that comes twice across midnight belongs to the day before */
	if (time_of(calendar, start) > at)
		start -= DAY_SECONDS;
	if (span == ECERT_SPAN_DAY)
		end = start + DAY_SECONDS;
	else if (span == ECERT_SPAN_WEEK)
	{
		start -= (date_of(start).tm_wday + 6) % WEEK_DAYS * DAY_SECONDS;
		end = start + WEEK_DAYS * DAY_SECONDS;
	}
	else
	{
		int64_t		begin = calendar->year_start - 1;
		int64_t		first = floor_divide(month_of(start) - begin, months_in(span)) * months_in(span) + begin;

		start = month_start(first);
		end = month_start(first + months_in(span));
	}
	period->start = time_of(calendar, start);
	period->end = time_of(calendar, end);
	return true;
}

/*
 * What clocks showed so many years before, on the same date at the same time.
 * Where there was no 29 February it was the 28; as an end the 29 February at
 * midnight, which is that of the 28, becomes that of the 28
 */
static int64_t
years_before(int64_t clock, int64_t years, bool is_end)
{
	struct tm	date = date_of(clock);
	bool		is_midnight = date.tm_hour == 0 && date.tm_min == 0 && date.tm_sec == 0;
	struct tm	same = date;
	int64_t		before;

	same.tm_year -= (int) years;
	/* 29 February of a year that has none comes out as 1 March */
	before = timegm(&same);
	return same.tm_mday == date.tm_mday || (is_end && is_midnight) ? before : before - DAY_SECONDS;
}

bool
ecert_calendar_before(const EcertCalendar *calendar, EcertPeriod period, int64_t years, EcertPeriod *before)
{
	int64_t		start;
	int64_t		end;

	if (period.start < -FAR || period.end > FAR || period.start > period.end || years < 0 || years > YEARS_MAX)
		return false;
	start = ecert_calendar_clock(calendar, period.start);
	end = ecert_calendar_clock(calendar, period.end);
	if (calendar->statistics == ECERT_SPAN_WEEK)
	{
		start -= years * YEAR_WEEKS * WEEK_DAYS * DAY_SECONDS;
		end -= years * YEAR_WEEKS * WEEK_DAYS * DAY_SECONDS;
	}
	else
	{
		start = years_before(start, years, false);
		end = years_before(end, years, true);
	}
	before->start = time_of(calendar, start);
	before->end = time_of(calendar, end);
	return true;
}

bool
ecert_policy_baseline(EcertSlice policy, const EcertCalendar *calendar, EcertPeriod period, EcertPeriod *baseline)
{
	EcertSlice	rule = ecert_field_item(ecert_field_item(policy, "certificate"), "baseline");
	int64_t		years = 1;

	if (ecert_field_is(rule, "rule", "fixed"))
		return ecert_field_period(rule, "period", baseline);
	if (ecert_field_is(rule, "rule", "years_before"))
		(void) ecert_field_int(rule, "years", &years);
	return ecert_calendar_before(calendar, period, years, baseline);
}

int64_t
ecert_calendar_year(const EcertCalendar *calendar, int64_t at)
{
	int64_t		begin = calendar->year_start - 1;
	int64_t		month = month_of(ecert_calendar_clock(calendar, at < -FAR ? -FAR : at > FAR ? FAR : at));
	int64_t		first = floor_divide(month - begin, YEAR_MONTHS) * YEAR_MONTHS + begin;

	return floor_divide(first + YEAR_MONTHS - 1, YEAR_MONTHS);
}
