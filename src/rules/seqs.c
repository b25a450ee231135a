/*
 * seqs.c
 *		Sets of seqs as intervals; see seqs.h.
 */
#include "rules/seqs.h"

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

EcertSeqs
ecert_seqs_of(EcertArena *arena, const EcertRanges *ranges, EcertKind kind)
{
	EcertSeqs	seqs = {arena, NULL, 0, 0};

	for (size_t i = 0; i < ranges->count; i++)
	{
		if (ranges->list[i].kind == kind && ranges->list[i].first <= ranges->list[i].last)
			ecert_seqs_add(&seqs, ranges->list[i].first, ranges->list[i].last);
	}
	return seqs;
}
