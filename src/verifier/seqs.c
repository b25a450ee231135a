/*
 * seqs.c
 *		Sets of seqs as intervals; see seqs.h.
 */
#include "verifier/seqs.h"

#include <stdlib.h>
#include <string.h>

#include "verifier/verifier.h"

/* The place of the first interval that ends at seq or later */
static size_t
first_reaching(const Seqs *seqs, int64_t seq)
{
	size_t		low = 0;
	size_t		high = seqs->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (seqs->items[middle].last < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
seqs_add(Seqs *seqs, int64_t first, int64_t last)
{
	/* what ends right before the new one touches it */
	size_t		at = first_reaching(seqs, first == INT64_MIN ? first : first - 1);
	size_t		end = at;

	for (; end < seqs->count && (last == INT64_MAX || seqs->items[end].first <= last + 1); end++)
	{
		if (seqs->items[end].first < first)
			first = seqs->items[end].first;
		if (seqs->items[end].last > last)
			last = seqs->items[end].last;
	}
	if (end == at)
	{
		if (seqs->count == seqs->capacity)
		{
			seqs->capacity = seqs->capacity == 0 ? 16 : seqs->capacity * 2;
			seqs->items = need(realloc(seqs->items, seqs->capacity * sizeof(Interval)));
		}
		end = at + 1;
		memmove(seqs->items + end, seqs->items + at, (seqs->count - at) * sizeof(Interval));
		seqs->count++;
	}
	else
	{
		memmove(seqs->items + at + 1, seqs->items + end, (seqs->count - end) * sizeof(Interval));
		seqs->count -= end - at - 1;
	}
	seqs->items[at].first = first;
	seqs->items[at].last = last;
}

bool
seqs_contain(const Seqs *seqs, int64_t first, int64_t last)
{
	size_t		at = first_reaching(seqs, first);

	return at < seqs->count && seqs->items[at].first <= first && seqs->items[at].last >= last;
}

void
seqs_clear(Seqs *seqs)
{
	free(seqs->items);
	memset(seqs, 0, sizeof *seqs);
}
