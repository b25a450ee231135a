/*
 * test_seqs.c
 *		Sets of seqs against a plain array of bits.
 */
#include "check.h"

#include "rules/fields.h"
#include "test_arena.h"

#define ARENA (&test_arena.memory)

#define SPAN 64

static bool
contains(const bool *bits, int first, int last)
{
	for (int i = first; i <= last; i++)
	{
		if (!bits[i])
			return false;
	}
	return true;
}

static int
runs(const bool *bits)
{
	int			count = 0;

	for (int i = 0; i < SPAN; i++)
		count += bits[i] && (i == 0 || !bits[i - 1]);
	return count;
}

/* The same additions to both, all questions asked of both */
static int
differences(unsigned seed)
{
	EcertSeqs	seqs = {ARENA, NULL, 0, 0};
	bool		bits[SPAN] = {false};
	int			wrong = 0;

	for (int step = 0; step < 12; step++)
	{
		int			first = (int) ((seed = seed * 1103515245 + 12345) >> 16) % SPAN;
		int			size = (int) ((seed = seed * 1103515245 + 12345) >> 16) % 6;
		int			last = first + size < SPAN ? first + size : SPAN - 1;

		ecert_seqs_add(&seqs, first, last);
		memset(bits + first, 1, (size_t) (last - first + 1));
		wrong += seqs.count != (size_t) runs(bits);
		for (int i = 0; i < SPAN; i++)
		{
			for (int j = i; j < SPAN; j++)
				wrong += ecert_seqs_contain(&seqs, i, j) != contains(bits, i, j);
		}
	}
	return wrong;
}

int
main(void)
{
	EcertSeqs	seqs = {ARENA, NULL, 0, 0};
	int			wrong = 0;

	for (unsigned seed = 1; seed <= 200; seed++)
		wrong += differences(seed);
	CHECK_INT(wrong, 0, "200 sets made at random answer like bits");
	CHECK(!ecert_seqs_contain(&seqs, 0, 0), "an empty set contains nothing");
	ecert_seqs_add(&seqs, INT64_MAX, INT64_MAX);
	ecert_seqs_add(&seqs, 0, 0);
	ecert_seqs_add(&seqs, 2, INT64_MAX - 1);
	CHECK_INT(seqs.count, 2, "intervals that touch become one, up to the greatest seq");
	CHECK(ecert_seqs_contain(&seqs, 2, INT64_MAX) && !ecert_seqs_contain(&seqs, 0, 2), "and only those");
	test_arena_free();
	return check_done();
}
