/*
 * calendar.h
 *		The civil calendar of a policy: spans of days, weeks, months, quarters and
 *		fiscal years, and the same span of an earlier year (docs/format.md,
 *		"Calendar").  It rests on the offsets that the policy carries and on
 *		nothing else, so it is the same at every node, in every year, whatever the
 *		zone of a server or client.
 */
#ifndef ECERT_RULES_CALENDAR_H
#define ECERT_RULES_CALENDAR_H

#include "rules/fields.h"

/* Spans of civil time, from the shortest; the fiscal year and its quarters */
typedef enum EcertSpan
{
	ECERT_SPAN_DAY,
	ECERT_SPAN_WEEK,
	ECERT_SPAN_MONTH,
	ECERT_SPAN_QUARTER,
	ECERT_SPAN_YEAR,
	ECERT_SPAN_NONE				/* no such span */
} EcertSpan;

/* From a time on (seconds since 1970 UTC) clocks are so many seconds ahead of UTC */
typedef struct EcertOffset
{
	int64_t		from;
	int64_t		seconds;
} EcertOffset;

/* offset_count is 0 where there is no calendar: clocks show UTC then */
typedef struct EcertCalendar
{
	EcertOffset *offsets;		/* from the first to the last; the first counts for what is before it too */
	size_t		offset_count;
	int			year_start;		/* month in which the fiscal year begins, 1..12 */
	EcertSpan	pack;			/* of packages */
	EcertSpan	statistics;		/* of certificates */
} EcertCalendar;

extern EcertSpan ecert_span(EcertSlice name);

/* The calendar in the body of a policy */
extern EcertCalendar ecert_calendar_of(EcertArena *arena, EcertSlice policy);

/* What clocks show at a time, in seconds since they showed 1970-01-01 00:00 */
extern int64_t ecert_calendar_clock(const EcertCalendar *calendar, int64_t at);

/*
 * The span that a time lies in.  A day begins with the second from which on the
 * clock shows no earlier date any more: an hour that comes twice across midnight
 * belongs to the day before.  A week begins on Monday.  False: the time is so
 * far away that no calendar reaches it
 */
extern bool ecert_calendar_span(const EcertCalendar *calendar, EcertSpan span, int64_t at, EcertPeriod *period);

/*
 * The same civil dates and times so many years (>= 0) before; 29 February has 28 February.  Where statistics are by week: 52
 * weeks before for each year.  False: there is no such time
 */
extern bool ecert_calendar_before(const EcertCalendar *calendar, EcertPeriod period, int64_t years, EcertPeriod *before);

/*
 * The baseline that a policy has for a period, by the rule of its field
 * "certificate": the year before, so many years before, or a fixed period.
 * False: there is no such time
 */
extern bool ecert_policy_baseline(EcertSlice policy, const EcertCalendar *calendar, EcertPeriod period, EcertPeriod *baseline);

/* The civil year in which the fiscal year ends that a time lies in: that of certificate numbers */
extern int64_t ecert_calendar_year(const EcertCalendar *calendar, int64_t at);

#endif							/* ECERT_RULES_CALENDAR_H */
