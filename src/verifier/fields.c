/*
 * fields.c
 *		Fields of bodies and values in messages; see fields.h.
 */
#include "verifier/fields.h"

#include <time.h>

static const char *const role_names[] = {"downstream", "peer", "upstream"};

AuditRole
audit_role(EcertSlice name)
{
	AuditRole	role = AS_DOWNSTREAM;

	while (role < AS_UNKNOWN && !ecert_slice_equal(name, ecert_slice_text(role_names[role])))
		role++;
	return role;
}

const char *
audit_role_name(AuditRole role)
{
	return role < AS_UNKNOWN ? role_names[role] : "";
}

bool
role_reads(AuditRole role, EcertKind kind)
{
	return (kind == ECERT_KIND_ENERGY && (role == AS_UPSTREAM || role == AS_PEER)) ||
		(kind == ECERT_KIND_PRODUCT && (role == AS_DOWNSTREAM || role == AS_PEER));
}

EcertSlice
field_item(EcertSlice map, const char *key)
{
	EcertSlice	item;

	(void) ecert_cbor_find(map, key, &item);
	return item;
}

bool
field_int(EcertSlice map, const char *key, int64_t *value)
{
	EcertSlice	item;

	*value = 0;
	return ecert_cbor_find(map, key, &item) && ecert_cbor_int(item, value) == ECERT_OK;
}

bool
field_decimal(EcertSlice map, const char *key, EcertDecimal *value)
{
	EcertSlice	item;

	memset(value, 0, sizeof *value);
	return ecert_cbor_find(map, key, &item) && ecert_decimal_read(item, value) == ECERT_OK;
}

bool
field_hash(EcertSlice map, const char *key, uint8_t *hash)
{
	return ecert_hex_to_hash(ecert_cbor_text_at(map, key), hash);
}

bool
field_period(EcertSlice map, const char *key, EcertPeriod *period)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(map, key, &count);

	memset(period, 0, sizeof *period);
	return count == 2 && ecert_cbor_int(ecert_cbor_skip(&cursor), &period->start) == ECERT_OK &&
		ecert_cbor_int(ecert_cbor_skip(&cursor), &period->end) == ECERT_OK && period->start < period->end &&
		period->start >= 0 && period->end <= ECERT_TIME_MAX;
}

bool
field_has(EcertSlice map, const char *key, const char *text)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(map, key, &count);

	while (count-- > 0)
	{
		EcertSlice	found;

		if (ecert_cbor_text(ecert_cbor_skip(&cursor), &found) && ecert_slice_equal(found, ecert_slice_text(text)))
			return true;
	}
	return false;
}

uint32_t
field_id(const Ledger *ledger, EcertSlice map, const char *key)
{
	EcertSlice	text = ecert_cbor_text_at(map, key);

	return text.size == 0 ? NO_ID : ledger_id(ledger, text);
}

Range *
ranges_of(Arena *arena, EcertSlice body, size_t *count)
{
	uint64_t	items;
	EcertCursor cursor = ecert_cbor_items_at(body, "packages", &items);
	Range	   *ranges = arena_alloc(arena, (items + 1) * sizeof(Range));

	for (*count = 0; *count < items; (*count)++)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		Range	   *range = &ranges[*count];

		if (!ecert_kind_from_name(ecert_cbor_text_at(item, "kind"), &range->kind))
			range->kind = ECERT_KIND_GENESIS;
		(void) field_int(item, "first", &range->first);
		(void) field_int(item, "last", &range->last);
		range->hash = ecert_cbor_text_at(item, "hash");
	}
	return ranges;
}

bool
has_impossible_range(const Range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (ranges[i].first > ranges[i].last)
			return true;
	}
	return false;
}

int64_t
last_used(const Range *ranges, size_t count, EcertKind kind)
{
	int64_t		last = -1;

	for (size_t i = 0; i < count; i++)
	{
		if (ranges[i].kind == kind && ranges[i].last > last)
			last = ranges[i].last;
	}
	return last;
}

bool
periods_overlap(EcertPeriod a, EcertPeriod b)
{
	return a.start < b.end && b.start < a.end;
}

bool
period_within(EcertPeriod inner, EcertPeriod outer)
{
	return inner.start >= outer.start && inner.end <= outer.end;
}

int
year_of(int64_t seconds)
{
	time_t		time = (time_t) seconds;
	struct tm	date = {0};

	(void) gmtime_r(&time, &date);
	return date.tm_year + 1900;
}

const char *
period_text(EcertPeriod period, char *text)
{
	char		start[TIME_ROOM];
	char		end[TIME_ROOM];

	(void) snprintf(text, PERIOD_ROOM, "[\"%.30s\",\"%.30s\")", text_time(period.start, start), text_time(period.end, end));
	return text;
}
