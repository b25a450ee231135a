/*
 * table.c
 *		Things by texts; see table.h.
 */
#include "rules/table.h"

/* Both halves of a product, folded */
static inline uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128) a * b;

	return (uint64_t) product ^ (uint64_t) (product >> 64);
}

uint64_t
ecert_text_hash(EcertSlice text, uint64_t seed)
{
	uint64_t	hash = seed ^ UINT64_C(0x9E3779B97F4A7C15);
	uint64_t	eight;
	size_t		i = 0;

	for (; text.size - i > sizeof eight; i += sizeof eight)
	{
		memcpy(&eight, text.data + i, sizeof eight);
		hash = fold(hash ^ eight, seed ^ UINT64_C(0xD6E8FEB86659FD93));
	}
	eight = 0;
	if (text.size > 0)
		memcpy(&eight, text.data + i, text.size - i);
	return fold(hash ^ eight, seed ^ text.size ^ UINT64_C(0xA0761D6478BD642F));
}

/* The row of these texts, or the free one where they would go; there are rows */
static inline EcertTableRow *
row_of(const EcertTable *table, EcertSlice a, EcertSlice b, EcertSlice c)
{
	uint64_t	seed = (uint64_t) (uintptr_t) table->rows;

	if (c.size > 0)
		seed = ecert_text_hash(c, seed);
	if (b.size > 0)
		seed = ecert_text_hash(b, seed);
	for (uint64_t i = ecert_text_hash(a, seed);; i++)
	{
		EcertTableRow *row = &table->rows[i & (table->size - 1)];

		if (row->value == NULL ||
			(ecert_slice_equal(row->key[0], a) && ecert_slice_equal(row->key[1], b) && ecert_slice_equal(row->key[2], c)))
			return row;
	}
}

void *
ecert_table_find(const EcertTable *table, EcertSlice a, EcertSlice b, EcertSlice c)
{
	return table->size == 0 ? NULL : row_of(table, a, b, c)->value;
}

void
ecert_table_put(EcertTable *table, EcertSlice a, EcertSlice b, EcertSlice c, void *value)
{
	const EcertTable old = *table;

	if (table->count * 2 >= table->size)
	{
		table->size = old.size == 0 ? 32 : old.size * 2;
		table->rows = ecert_arena_array(table->arena, table->size, sizeof(EcertTableRow));
		for (size_t i = 0; i < old.size; i++)
		{
			const EcertTableRow *row = &old.rows[i];

			if (row->value != NULL)
				*row_of(table, row->key[0], row->key[1], row->key[2]) = *row;
		}
	}
	*row_of(table, a, b, c) = (EcertTableRow) {{a, b, c}, value};
	table->count++;
}

int
ecert_compare_pairs(const void *left, const void *right)
{
	const EcertPair *a = left;
	const EcertPair *b = right;
	int			order = ecert_slice_compare(a->name, b->name);

	return order != 0 ? order : ecert_slice_compare(a->unit, b->unit);
}
