/*
 * fields.c
 *		Fields of bodies; see fields.h.
 */
#include "rules/fields.h"

#include <stdlib.h>

#include "rules/text.h"

const EcertKind ecert_declared_kinds[2] = {ECERT_KIND_ENERGY, ECERT_KIND_PRODUCT};

static const char *const role_names[] = {"downstream", "peer", "upstream"};

size_t
ecert_place_of(const char *const *names, size_t count, EcertSlice name)
{
	size_t		place = 0;

	while (place < count && !ecert_slice_equal(name, ecert_slice_text(names[place])))
		place++;
	return place;
}

EcertAuditRole
ecert_audit_role(EcertSlice name)
{
	return (EcertAuditRole) ecert_place_of(role_names, ECERT_AS_UNKNOWN, name);
}

const char *
ecert_audit_role_name(EcertAuditRole role)
{
	return role < ECERT_AS_UNKNOWN ? role_names[role] : "";
}

bool
ecert_role_reads(EcertAuditRole role, EcertKind kind)
{
	return (kind == ECERT_KIND_ENERGY && (role == ECERT_AS_UPSTREAM || role == ECERT_AS_PEER)) ||
		(kind == ECERT_KIND_PRODUCT && (role == ECERT_AS_DOWNSTREAM || role == ECERT_AS_PEER));
}

EcertCursor
ecert_node_keys(EcertKind kind, EcertSlice body, uint64_t *count)
{
	EcertSlice	node = kind == ECERT_KIND_NODE ? body : kind == ECERT_KIND_GENESIS ? ecert_field_item(body, "node") : ecert_slice(NULL, 0);

	return ecert_cbor_items_at(node, "keys", count);
}

EcertAlg
ecert_field_alg(EcertSlice map)
{
	return ecert_alg_read(ecert_field_item(map, "alg"));
}

EcertSlice
ecert_field_item(EcertSlice map, const char *key)
{
	EcertSlice	item;

	(void) ecert_cbor_find(map, key, &item);
	return item;
}

bool
ecert_field_int(EcertSlice map, const char *key, int64_t *value)
{
	*value = 0;
	return ecert_cbor_int(ecert_field_item(map, key), value) == ECERT_OK;
}

bool
ecert_field_decimal(EcertSlice map, const char *key, EcertDecimal *value)
{
	memset(value, 0, sizeof *value);
	return ecert_decimal_read(ecert_field_item(map, key), value) == ECERT_OK;
}

bool
ecert_field_hash(EcertSlice map, const char *key, uint8_t *hash)
{
	return ecert_hex_to_hash(ecert_cbor_text_at(map, key), hash);
}

bool
ecert_field_period(EcertSlice map, const char *key, EcertPeriod *period)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(map, key, &count);

	memset(period, 0, sizeof *period);
	return count == 2 && ecert_cbor_int(ecert_cbor_skip(&cursor), &period->start) == ECERT_OK &&
		ecert_cbor_int(ecert_cbor_skip(&cursor), &period->end) == ECERT_OK && period->start < period->end &&
		period->start >= 0 && period->end <= ECERT_TIME_MAX;
}

bool
ecert_field_is_true(EcertSlice map, const char *key)
{
	EcertCursor cursor = ecert_cursor(ecert_field_item(map, key));
	EcertCborHead head;

	return ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_SIMPLE && head.value == ECERT_CBOR_TRUE;
}

bool
ecert_field_is(EcertSlice map, const char *key, const char *text)
{
	return ecert_slice_equal(ecert_cbor_text_at(map, key), ecert_slice_text(text));
}

static int
compare_texts(const void *left, const void *right)
{
	return ecert_slice_compare(*(const EcertSlice *) left, *(const EcertSlice *) right);
}

const EcertSlice *
ecert_find_twice(EcertSlice *texts, size_t count)
{
	ecert_sort(texts, count, sizeof *texts, compare_texts);
	for (size_t i = 1; i < count; i++)
	{
		if (ecert_slice_equal(texts[i - 1], texts[i]))
			return &texts[i];
	}
	return NULL;
}

bool
ecert_field_has(EcertSlice map, const char *key, const char *text)
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

EcertRanges
ecert_ranges_of(EcertArena *arena, EcertSlice body, const char *key)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, key, &count);
	EcertRanges ranges = {ecert_arena_array(arena, (size_t) count, sizeof(EcertRange)), (size_t) count};

	for (size_t i = 0; i < ranges.count; i++)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		EcertRange *range = &ranges.list[i];

		if (!ecert_kind_from_name(ecert_cbor_text_at(item, "kind"), &range->kind))
			range->kind = ECERT_KIND_GENESIS;
		(void) ecert_field_int(item, "first", &range->first);
		(void) ecert_field_int(item, "last", &range->last);
		range->hash = ecert_cbor_text_at(item, "hash");
	}
	return ranges;
}

bool
ecert_ranges_contain(const EcertRanges *ranges, EcertKind kind, int64_t seq)
{
	for (size_t i = 0; i < ranges->count; i++)
	{
		if (ranges->list[i].kind == kind && seq >= ranges->list[i].first && seq <= ranges->list[i].last)
			return true;
	}
	return false;
}

/* The place of the first interval that ends at seq or later */
static size_t
first_reaching(const EcertSeqs *seqs, int64_t seq)
{
	size_t		low = 0;
	size_t		high = seqs->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (seqs->list[middle].last < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
ecert_seqs_add(EcertSeqs *seqs, int64_t first, int64_t last)
{
	/* what ends right before the new one touches it */
	size_t		at = first_reaching(seqs, first == INT64_MIN ? first : first - 1);
	size_t		end = at;

	for (; end < seqs->count && (last == INT64_MAX || seqs->list[end].first <= last + 1); end++)
	{
		first = seqs->list[end].first < first ? seqs->list[end].first : first;
		last = seqs->list[end].last > last ? seqs->list[end].last : last;
	}
	/* one in the place of all that it touches */
	seqs->list = ecert_arena_grow(seqs->arena, seqs->list, seqs->count, &seqs->room, sizeof(EcertInterval));
	memmove(seqs->list + at + 1, seqs->list + end, (seqs->count - end) * sizeof(EcertInterval));
	seqs->count = seqs->count - (end - at) + 1;
	seqs->list[at].first = first;
	seqs->list[at].last = last;
}

bool
ecert_seqs_contain(const EcertSeqs *seqs, int64_t first, int64_t last)
{
	size_t		at = first_reaching(seqs, first);

	return at < seqs->count && seqs->list[at].first <= first && seqs->list[at].last >= last;
}

bool
ecert_seqs_equal(const EcertSeqs *a, const EcertSeqs *b)
{
	return a->count == b->count && (a->count == 0 || memcmp(a->list, b->list, a->count * sizeof(EcertInterval)) == 0);
}

void
ecert_seqs_add_ranges(EcertSeqs *seqs, const EcertRanges *ranges, EcertKind kind)
{
	for (size_t i = 0; i < ranges->count; i++)
	{
		if (ranges->list[i].kind == kind && ranges->list[i].first <= ranges->list[i].last)
			ecert_seqs_add(seqs, ranges->list[i].first, ranges->list[i].last);
	}
}

bool
ecert_cosignature_read(EcertSlice line, EcertArena *arena, EcertNoteSignature *signature)
{
	EcertText	text = ecert_text_in(arena);
	EcertSlice	lines;

	ecert_text_put(&text, line);
	ecert_text_put_string(&text, "\n");
	lines = ecert_text_slice(&text);
	return ecert_note_next_signature(&lines, signature) && lines.size == 0 && signature->size == 72;
}
