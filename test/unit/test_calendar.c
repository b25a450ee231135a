/*
 * test_calendar.c
 *		Spans of civil time against the C library's time zones, and the same
 *		spans of earlier years.
 */
#include "check.h"

#include "core/body.h"
#include "rules/calendar.h"
#include "test_arena.h"

#include "calendar_vectors.h"

#define DAY 86400
#define ZONES (sizeof zones / sizeof zones[0])

static EcertCalendar
calendar_of(size_t zone)
{
	return (EcertCalendar) {(EcertOffset *) zones[zone].offsets, zones[zone].offset_count, zones[zone].year_start, ECERT_SPAN_DAY, ECERT_SPAN_MONTH};
}

static bool
is_span(const EcertCalendar *calendar, EcertSpan span, int64_t at, int64_t start, int64_t end)
{
	EcertPeriod period;

	return ecert_calendar_span(calendar, span, at, &period) && period.start == start && (end == 0 || period.end == end);
}

/* Days, months, quarters and years of real zones, those with an hour that comes twice or never at midnight among them */
static void
test_spans(void)
{
	for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
	{
		EcertCalendar calendar = calendar_of(spans[i].zone);
		int64_t		at = spans[i].at;

		CHECK(is_span(&calendar, ECERT_SPAN_DAY, at, spans[i].day, 0) && is_span(&calendar, ECERT_SPAN_MONTH, at, spans[i].month, spans[i].month_end) &&
			  is_span(&calendar, ECERT_SPAN_QUARTER, at, spans[i].quarter, spans[i].quarter_end) &&
			  is_span(&calendar, ECERT_SPAN_YEAR, at, spans[i].year, spans[i].year_end) && ecert_calendar_year(&calendar, at) == spans[i].named,
			  "%s, years from month %d: spans round %lld", zones[spans[i].zone].zone, zones[spans[i].zone].year_start, (long long) at);
	}
}

/* Spans of a zone follow each other without gap or overlap, and hold what they are asked for */
static int
gaps(const EcertCalendar *calendar, EcertSpan span, int64_t from, int64_t to)
{
	int			wrong = 0;
	EcertPeriod before;

	if (!ecert_calendar_span(calendar, span, from, &before))
		return 1;
	while (before.end < to)
	{
		EcertPeriod next;
		EcertPeriod last;

		wrong += !ecert_calendar_span(calendar, span, before.end, &next) || next.start != before.end || next.end <= next.start;
		wrong += !ecert_calendar_span(calendar, span, next.end - 1, &last) || last.start != next.start;
		before = next;
	}
	return wrong;
}

static void
test_tiling(void)
{
	for (size_t i = 0; i < ZONES; i++)
	{
		EcertCalendar calendar = calendar_of(i);
		int			wrong = 0;

		for (EcertSpan span = ECERT_SPAN_DAY; span < ECERT_SPAN_NONE; span++)
			wrong += gaps(&calendar, span, INT64_C(946684800), INT64_C(2000000000));
		CHECK(wrong == 0, "%s, years from month %d: spans follow each other", zones[i].zone, zones[i].year_start);
	}
}

/* 2024-02-28, -29 and 2024-03-01, 2023-02-28 and 2023-03-01 at 00:00 UTC */
#define FEBRUARY_28 INT64_C(1709078400)
#define BEFORE_28 INT64_C(1677542400)

static void
check_before(const EcertCalendar *calendar, EcertPeriod period, int64_t years, int64_t start, int64_t end, const char *name)
{
	EcertPeriod before = {0, 0};
	bool		found = ecert_calendar_before(calendar, period, years, &before);

	CHECK(found && before.start == start && before.end == end, "%s", name);
	if (before.start != start || before.end != end)
		printf("# found %lld .. %lld\n", (long long) before.start, (long long) before.end);
}

static void
test_leap_years(void)
{
	EcertCalendar utc = {NULL, 0, 1, ECERT_SPAN_DAY, ECERT_SPAN_MONTH};

	check_before(&utc, (EcertPeriod) {FEBRUARY_28, FEBRUARY_28 + DAY}, 1, BEFORE_28, BEFORE_28 + DAY, "28 February of a leap year has 28 February before it");
	check_before(&utc, (EcertPeriod) {FEBRUARY_28 + DAY, FEBRUARY_28 + 2 * DAY}, 1, BEFORE_28, BEFORE_28 + DAY, "29 February has 28 February before it");
	check_before(&utc, (EcertPeriod) {FEBRUARY_28 + DAY + 3600, FEBRUARY_28 + DAY + 7200}, 1, BEFORE_28 + 3600, BEFORE_28 + 7200, "so has an hour of it");
	check_before(&utc, (EcertPeriod) {FEBRUARY_28 + DAY + 23 * 3600, FEBRUARY_28 + 2 * DAY}, 1, BEFORE_28 + 23 * 3600, BEFORE_28 + DAY, "and its last hour");
	check_before(&utc, (EcertPeriod) {FEBRUARY_28 - 27 * DAY, FEBRUARY_28 + 2 * DAY}, 1, BEFORE_28 - 27 * DAY, BEFORE_28 + DAY, "February of 29 days has February of 28 days before it");
	check_before(&utc, (EcertPeriod) {FEBRUARY_28 + 366 * DAY - 27 * DAY, FEBRUARY_28 + 366 * DAY + DAY}, 1, FEBRUARY_28 - 27 * DAY, FEBRUARY_28 + 2 * DAY,
				 "and the other way round, with 29 February in it");
	check_before(&utc, (EcertPeriod) {FEBRUARY_28 + DAY, FEBRUARY_28 + 2 * DAY}, 4, FEBRUARY_28 + DAY - 1461 * DAY, FEBRUARY_28 + 2 * DAY - 1461 * DAY, "four years before 29 February there is one");
}

static size_t
zone_named(const char *name)
{
	size_t		i = 0;

	while (i < ZONES && strcmp(zones[i].zone, name) != 0)
		i++;
	return i;
}

static void
test_zones_before(void)
{
	size_t		berlin = zone_named("Europe/Berlin");
	size_t		shanghai = zone_named("Asia/Shanghai");
	EcertCalendar calendar;

	if (berlin < ZONES)
	{
		calendar = calendar_of(berlin);
		/* the 31 March 2024 has 23 hours, that of 2023 has 24 */
		check_before(&calendar, (EcertPeriod) {INT64_C(1711839600), INT64_C(1711922400)}, 1, INT64_C(1680213600), INT64_C(1680300000), "Berlin: the day on which clocks go forward");
		check_before(&calendar, (EcertPeriod) {INT64_C(1709247600), INT64_C(1711922400)}, 1, INT64_C(1677625200), INT64_C(1680300000), "Berlin: March");
	}
	if (shanghai < ZONES)
	{
		calendar = calendar_of(shanghai);
		check_before(&calendar, (EcertPeriod) {INT64_C(1738339200), INT64_C(1740758400)}, 1, INT64_C(1706716800), INT64_C(1709222400), "Shanghai: February 2025 has February 2024 before it, all 29 days");
	}
}

static void
test_weeks(void)
{
	EcertCalendar weeks = {NULL, 0, 1, ECERT_SPAN_DAY, ECERT_SPAN_WEEK};
	EcertPeriod week;

	CHECK(ecert_calendar_span(&weeks, ECERT_SPAN_WEEK, 0, &week) && week.start == -3 * DAY && week.end == 4 * DAY, "a week begins on Monday");
	check_before(&weeks, week, 1, week.start - 364 * DAY, week.end - 364 * DAY, "where statistics are by week, the year before is 52 weeks before");
	check_before(&weeks, week, 2, week.start - 728 * DAY, week.end - 728 * DAY, "and two years are twice that");
}

static void
test_bounds(void)
{
	EcertCalendar utc = {NULL, 0, 1, ECERT_SPAN_DAY, ECERT_SPAN_MONTH};
	EcertPeriod period;

	CHECK(!ecert_calendar_span(&utc, ECERT_SPAN_DAY, INT64_MAX, &period) && !ecert_calendar_span(&utc, ECERT_SPAN_YEAR, INT64_MIN, &period), "no calendar reaches that far");
	CHECK(!ecert_calendar_span(&utc, ECERT_SPAN_NONE, 0, &period), "nor has it a span that there is not");
	CHECK(!ecert_calendar_before(&utc, (EcertPeriod) {0, INT64_MAX}, 1, &period) && !ecert_calendar_before(&utc, (EcertPeriod) {0, 1}, INT64_MAX, &period) &&
		  !ecert_calendar_before(&utc, (EcertPeriod) {0, 1}, -1, &period), "nor is there a year before the world");
	CHECK_INT(ecert_calendar_year(&utc, 0), 1970, "the year of a time");
	CHECK(ecert_span(ecert_slice_text("quarter")) == ECERT_SPAN_QUARTER && ecert_span(ecert_slice_text("hour")) == ECERT_SPAN_NONE && ecert_span(ecert_slice(NULL, 0)) == ECERT_SPAN_NONE,
		  "spans by name");
}

int
main(void)
{
	test_spans();
	test_tiling();
	test_leap_years();
	test_zones_before();
	test_weeks();
	test_bounds();
	test_arena_free();
	return check_done();
}
