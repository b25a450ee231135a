/*
 * applicant.c
 *		Packages by time, audits, and which of them are void; see applicant.h.
 */
#include "verifier/applicant.h"

#include <stdlib.h>

static int
compare_times(const void *left, const void *right)
{
	const Entry *a = *(const Entry *const *) left;
	const Entry *b = *(const Entry *const *) right;

	if (a->period.start != b->period.start)
		return a->period.start < b->period.start ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static void
open_timeline(Timeline *timeline, const Ledger *ledger, uint32_t id, EcertKind kind)
{
	size_t		count = 0;
	const Entry *feed = id == NO_ID ? NULL : ledger_feed(ledger, id, kind, &count);

	timeline->entries = need(calloc(count + 1, sizeof(Entry *)));
	timeline->count = 0;
	for (size_t i = 0; i < count; i++)
	{
		if (feed[i].subject == id && feed[i].period.start < feed[i].period.end)
			timeline->entries[timeline->count++] = &feed[i];
	}
	qsort(timeline->entries, timeline->count, sizeof(Entry *), compare_times);
}

static void
open_audit(Applicant *applicant, const Ledger *ledger, const Entry *entry, uint8_t *buffer)
{
	Audit	   *audit = &applicant->audits[applicant->audit_count];
	EcertPackage package;

	if (!ledger_read(ledger, entry, buffer, &package))
		return;
	audit->entry = entry;
	audit->role = audit_role(ecert_cbor_text_at(package.body, "as"));
	audit->passed = ecert_slice_equal(ecert_cbor_text_at(package.body, "verdict"), ecert_slice_text("pass"));
	audit->ranges = ranges_of(&applicant->arena, package.body, &audit->range_count);
	if (has_impossible_range(audit->ranges, audit->range_count))
		applicant->has_impossible_range = true;
	/* the buffer is another package's next */
	for (size_t i = 0; i < audit->range_count; i++)
		audit->ranges[i].hash = ecert_slice(NULL, 0);
	applicant->audit_count++;
}

static int
compare_hashes(const void *left, const void *right)
{
	return memcmp(((const Audit *) left)->entry->hash, ((const Audit *) right)->entry->hash, ECERT_HASH_SIZE);
}

void
applicant_open(Applicant *applicant, const Ledger *ledger, uint32_t id, const Entry *const *audits, size_t audit_count, uint8_t *buffer)
{
	memset(applicant, 0, sizeof *applicant);
	applicant->id = id;
	open_timeline(&applicant->energy, ledger, id, ECERT_KIND_ENERGY);
	open_timeline(&applicant->product, ledger, id, ECERT_KIND_PRODUCT);
	applicant->audits = need(calloc(audit_count + 1, sizeof(Audit)));
	for (size_t i = 0; i < audit_count; i++)
		open_audit(applicant, ledger, audits[i], buffer);
	qsort(applicant->audits, applicant->audit_count, sizeof(Audit), compare_hashes);
}

const Audit *
applicant_audit(const Applicant *applicant, const uint8_t *hash)
{
	size_t		low = 0;
	size_t		high = applicant->audit_count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		int			order = memcmp(applicant->audits[middle].entry->hash, hash, ECERT_HASH_SIZE);

		if (order == 0)
			return &applicant->audits[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void
applicant_close(Applicant *applicant)
{
	free(applicant->energy.entries);
	free(applicant->product.entries);
	free(applicant->audits);
	arena_reset(&applicant->arena);
	memset(applicant, 0, sizeof *applicant);
}

const Timeline *
applicant_timeline(const Applicant *applicant, EcertKind kind)
{
	return kind == ECERT_KIND_ENERGY ? &applicant->energy : &applicant->product;
}

/* The place of the first package that does not begin before that time */
static size_t
first_from(const Timeline *timeline, int64_t start)
{
	size_t		low = 0;
	size_t		high = timeline->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (timeline->entries[middle]->period.start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

LiveWalk
live_begin(const Timeline *timeline, EcertPeriod within, int64_t last)
{
	LiveWalk	walk = {timeline, first_from(timeline, within.start), within, last};

	return walk;
}

const Entry *
live_next(LiveWalk *walk)
{
	const Entry *newest = NULL;

	while (newest == NULL && walk->at < walk->timeline->count)
	{
		int64_t		start = walk->timeline->entries[walk->at]->period.start;

		if (start >= walk->within.end)
			break;
		for (; walk->at < walk->timeline->count && walk->timeline->entries[walk->at]->period.start == start; walk->at++)
		{
			const Entry *entry = walk->timeline->entries[walk->at];

			if (entry->seq <= walk->last && entry->period.end <= walk->within.end)
				newest = entry;
		}
	}
	return newest;
}

static bool
in_ranges(const Audit *audit, EcertKind kind, int64_t seq)
{
	for (size_t i = 0; i < audit->range_count; i++)
	{
		if (audit->ranges[i].kind == kind && seq >= audit->ranges[i].first && seq <= audit->ranges[i].last)
			return true;
	}
	return false;
}

/* Was an earlier package of the same start audited than the one that is live now */
static bool
was_audited(const Timeline *timeline, const Audit *audit, EcertKind kind, const Entry *live)
{
	for (size_t i = first_from(timeline, live->period.start);
		 i < timeline->count && timeline->entries[i]->period.start == live->period.start; i++)
	{
		if (timeline->entries[i]->seq < live->seq && in_ranges(audit, kind, timeline->entries[i]->seq))
			return true;
	}
	return false;
}

static bool
is_replaced(const Applicant *applicant, const Audit *audit, EcertKind kind, int64_t last)
{
	const Timeline *timeline = applicant_timeline(applicant, kind);
	LiveWalk	walk = live_begin(timeline, audit->entry->period, last);
	const Entry *live;

	while ((live = live_next(&walk)) != NULL)
	{
		if (!in_ranges(audit, kind, live->seq) && was_audited(timeline, audit, kind, live))
			return true;
	}
	return false;
}

bool
audit_void(const Applicant *applicant, const Audit *audit, int64_t energy_last, int64_t product_last)
{
	return is_replaced(applicant, audit, ECERT_KIND_ENERGY, energy_last) ||
		is_replaced(applicant, audit, ECERT_KIND_PRODUCT, product_last);
}
