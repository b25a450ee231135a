/*
 * document.c
 *		Expected and stated documents; see document.h.
 */
#include "rules/document.h"

#include <stdio.h>

#define HEAD_MAX 9				/* the longest head of an item */

static const uint8_t null_item[] = {ECERT_CBOR_SIMPLE << 5 | ECERT_CBOR_NULL};

static EcertSlice
item_of(EcertArena *arena, EcertCborType type, EcertSlice content)
{
	EcertBuffer out = ecert_buffer(ecert_arena_alloc(arena, content.size + HEAD_MAX), content.size + HEAD_MAX);

	ecert_cbor_put_head(&out, type, content.size);
	ecert_buffer_put(&out, content);
	return ecert_slice(out.data, out.size);
}

EcertSlice
ecert_item_text(EcertArena *arena, EcertSlice text)
{
	return item_of(arena, ECERT_CBOR_TEXT, text);
}

EcertSlice
ecert_item_word(EcertArena *arena, const char *word)
{
	return ecert_item_text(arena, ecert_slice_text(word));
}

EcertSlice
ecert_item_hash(EcertArena *arena, const uint8_t *hash)
{
	EcertText	text = ecert_text_in(arena);

	ecert_text_put_hex(&text, ecert_slice(hash, ECERT_HASH_SIZE));
	return ecert_item_text(arena, ecert_text_slice(&text));
}

static EcertSlice
item_of_decimal(EcertArena *arena, EcertDecimal decimal)
{
	/* a tag, an array of two, and both */
	EcertBuffer out = ecert_buffer(ecert_arena_alloc(arena, 4 * HEAD_MAX), 4 * HEAD_MAX);

	ecert_decimal_put(&out, decimal);
	return ecert_slice(out.data, out.size);
}

EcertSlice
ecert_item_int(EcertArena *arena, int64_t number)
{
	return item_of_decimal(arena, (EcertDecimal) {number, 0});
}

EcertSlice
ecert_item_number(EcertArena *arena, const char *digits)
{
	EcertDecimal decimal;

	if (digits == NULL)
		return ecert_slice(null_item, sizeof null_item);
	if (ecert_decimal_parse(ecert_slice_text(digits), &decimal) != ECERT_OK)
		return item_of(arena, ECERT_CBOR_BYTES, ecert_slice_text(digits));
	return item_of_decimal(arena, decimal);
}

EcertSlice
ecert_item_period(EcertArena *arena, EcertPeriod period)
{
	EcertParts	parts = ecert_parts_of(arena, ECERT_CBOR_ARRAY);

	ecert_parts_put(&parts, NULL, ecert_item_int(arena, period.start));
	ecert_parts_put(&parts, NULL, ecert_item_int(arena, period.end));
	return ecert_parts_item(&parts);
}

bool
ecert_item_is_null(EcertSlice item)
{
	return item.size == 0 || item.data[0] == null_item[0];
}

static void
insert(EcertParts *parts, size_t place, EcertSlice key, EcertSlice item)
{
	parts->list = ecert_arena_grow(parts->arena, parts->list, parts->count, &parts->room, sizeof(EcertPart));
	memmove(parts->list + place + 1, parts->list + place, (parts->count++ - place) * sizeof(EcertPart));
	parts->list[place] = (EcertPart) {key, item.size > 0 ? item : ecert_slice(null_item, sizeof null_item)};
}

static void
insert_key(EcertParts *map, EcertSlice key, EcertSlice item)
{
	size_t		place = map->count;

	while (place > 0 && ecert_slice_compare(map->list[place - 1].key, key) > 0)
		place--;
	insert(map, place, key, item);
}

void
ecert_parts_put(EcertParts *parts, const char *key, EcertSlice item)
{
	if (key == NULL)
		insert(parts, parts->count, ecert_slice(NULL, 0), item);
	else
		insert_key(parts, ecert_item_word(parts->arena, key), item);
}

/* The head of an item, and a cursor behind it; null where there is no item */
static EcertCborHead
head_of(EcertSlice item, EcertCursor *cursor)
{
	EcertCborHead head = {ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL, 0};

	*cursor = ecert_cursor(item);
	if (item.size > 0)
		(void) ecert_cbor_head(cursor, &head, NULL);
	return head;
}

void
ecert_parts_put_all(EcertParts *parts, EcertSlice map)
{
	EcertCursor cursor;

	for (uint64_t left = head_of(map, &cursor).value; left > 0; left--)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);
		EcertSlice	item = ecert_cbor_skip(&cursor);

		if (!ecert_item_is_null(item))
			insert_key(parts, key, item);
	}
}

EcertSlice
ecert_parts_item(const EcertParts *parts)
{
	size_t		size = HEAD_MAX;
	EcertBuffer out;

	for (size_t i = 0; i < parts->count; i++)
		size += parts->list[i].key.size + parts->list[i].item.size;
	out = ecert_buffer(ecert_arena_alloc(parts->arena, size), size);
	ecert_cbor_put_head(&out, parts->type, parts->count);
	for (size_t i = 0; i < parts->count; i++)
	{
		ecert_buffer_put(&out, parts->list[i].key);
		ecert_buffer_put(&out, parts->list[i].item);
	}
	return ecert_slice(out.data, out.size);
}

static bool
is_same(EcertSlice expected, EcertSlice stated)
{
	EcertDecimal a,
				b;

	return ecert_slice_equal(expected, stated) || (ecert_item_is_null(expected) && ecert_item_is_null(stated)) ||
		(ecert_decimal_read(expected, &a) == ECERT_OK && ecert_decimal_read(stated, &b) == ECERT_OK && ecert_decimal_compare(a, b) == 0);
}

static bool find_difference(EcertSlice expected, EcertSlice stated, const char *path, EcertDifference *best);

/* Look for differences inside of two maps, or two arrays of one length; is_whole: there is nothing in one that is not in the other */
static bool
find_inside(EcertSlice expected, EcertSlice stated, const char *path, EcertDifference *best, bool *is_whole)
{
	EcertCursor cursor;
	EcertCursor stated_cursor;
	EcertCborHead head = head_of(expected, &cursor);
	EcertCborHead stated_head = head_of(stated, &stated_cursor);
	bool		is_map = head.type == ECERT_CBOR_MAP;
	bool		found = false;

	*is_whole = head.type == stated_head.type && (is_map || head.type == ECERT_CBOR_ARRAY) && head.value == stated_head.value;
	if (!*is_whole && !(is_map && stated_head.type == ECERT_CBOR_MAP))
		return false;
	for (uint64_t i = 0; i < head.value; i++)
	{
		char		below[ECERT_PATH_SIZE];
		const char *dot = *path == '\0' ? "" : ".";
		EcertSlice	key = is_map ? ecert_cbor_next_text(&cursor) : ecert_slice(NULL, 0);
		EcertSlice	inside;

		if (!is_map)
		{
			inside = ecert_cbor_skip(&stated_cursor);
			(void) snprintf(below, sizeof below, "%s%s%llu", path, dot, (unsigned long long) i);
		}
		else
		{
			*is_whole = ecert_cbor_find_key(stated, key, &inside) && *is_whole;
			(void) snprintf(below, sizeof below, "%s%s%.*s", path, dot, (int) key.size, (const char *) key.data);
		}
		if (find_difference(ecert_cbor_skip(&cursor), inside, below, best))
			found = true;
	}
	return found;
}

/* Does the item differ; best becomes the first difference in or at it, if that comes before */
static bool
find_difference(EcertSlice expected, EcertSlice stated, const char *path, EcertDifference *best)
{
	bool		is_whole;

	if (is_same(expected, stated))
		return false;
	if (find_inside(expected, stated, path, best, &is_whole))
		return true;
	if (!is_whole && (best->path[0] == '\0' || strcmp(path, best->path) < 0))
	{
		(void) snprintf(best->path, sizeof best->path, "%s", path);
		best->expected = expected;
		best->stated = stated;
	}
	return !is_whole;
}

void
ecert_first_difference(EcertSlice expected, EcertSlice stated, EcertDifference *difference)
{
	bool		is_whole;

	memset(difference, 0, sizeof *difference);
	(void) find_inside(expected, stated, "", difference, &is_whole);
}
