/*
 * merkle_reference.h
 *		The Merkle tree of RFC 9162 by its recursive definitions, for tests only:
 *		MTH, PATH and SUBPROOF over leaves that are numbers, hashed.
 */
#ifndef ECERT_TEST_MERKLE_REFERENCE_H
#define ECERT_TEST_MERKLE_REFERENCE_H

#include "core/merkle.h"

#include <stdlib.h>

/* The most leaves that the reference has: sizes around 256 * 256 */
#define REFERENCE_LEAVES (UINT64_C(65536) + 512)
#define REFERENCE_HEIGHTS 17

/* The roots of complete subtrees that were asked for, so that they are made once */
typedef struct ReferenceTree
{
	uint8_t   (*roots[REFERENCE_HEIGHTS])[ECERT_HASH_SIZE];
	bool	   *known[REFERENCE_HEIGHTS];
} ReferenceTree;

static ReferenceTree reference_tree;

static void
reference_open(void)
{
	for (unsigned height = 0; height < REFERENCE_HEIGHTS; height++)
	{
		size_t		count = (size_t) (REFERENCE_LEAVES >> height);

		reference_tree.roots[height] = calloc(count, ECERT_HASH_SIZE);
		reference_tree.known[height] = calloc(count, sizeof(bool));
	}
}

static void
reference_close(void)
{
	for (unsigned height = 0; height < REFERENCE_HEIGHTS; height++)
	{
		free(reference_tree.roots[height]);
		free(reference_tree.known[height]);
	}
}

/* The hash of leaf number index: of no package, but of one's form */
static void
reference_leaf(uint64_t index, uint8_t *hash)
{
	uint8_t		bytes[9] = {0};
	EcertSlice	part = ecert_slice(bytes, sizeof bytes);

	memcpy(bytes + 1, &index, sizeof index);
	if (ecert_sha256(&part, 1, hash) != ECERT_OK)
		abort();
}

static void
reference_node(const uint8_t *left, const uint8_t *right, uint8_t *hash)
{
	uint8_t		bytes[1 + 2 * ECERT_HASH_SIZE] = {1};
	EcertSlice	part = ecert_slice(bytes, sizeof bytes);

	memcpy(bytes + 1, left, ECERT_HASH_SIZE);
	memcpy(bytes + 1 + ECERT_HASH_SIZE, right, ECERT_HASH_SIZE);
	if (ecert_sha256(&part, 1, hash) != ECERT_OK)
		abort();
}

/* k of RFC 9162: the largest power of two smaller than n */
static uint64_t
reference_split(uint64_t n)
{
	uint64_t	k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

/* MTH(D[start:end]) */
static void
reference_root(uint64_t start, uint64_t end, uint8_t *root)
{
	uint64_t	count = end - start;
	uint64_t	k = reference_split(count);
	unsigned	height = 0;
	bool		complete;
	uint8_t		left[ECERT_HASH_SIZE];
	uint8_t		right[ECERT_HASH_SIZE];

	while (UINT64_C(1) << height < count)
		height++;
	complete = UINT64_C(1) << height == count && start % count == 0;
	if (complete && reference_tree.known[height][start >> height])
	{
		memcpy(root, reference_tree.roots[height][start >> height], ECERT_HASH_SIZE);
		return;
	}
	if (count == 1)
		reference_leaf(start, root);
	else
	{
		reference_root(start, start + k, left);
		reference_root(start + k, end, right);
		reference_node(left, right, root);
	}
	if (complete)
	{
		memcpy(reference_tree.roots[height][start >> height], root, ECERT_HASH_SIZE);
		reference_tree.known[height][start >> height] = true;
	}
}

static void
reference_put(uint64_t start, uint64_t end, EcertProof *proof)
{
	reference_root(start, end, proof->hashes[proof->count++]);
}

/* PATH(index, D[start:end]) */
static void
reference_path(uint64_t index, uint64_t start, uint64_t end, EcertProof *proof)
{
	uint64_t	k = reference_split(end - start);

	if (end - start == 1)
		return;
	if (index < k)
	{
		reference_path(index, start, start + k, proof);
		reference_put(start + k, end, proof);
	}
	else
	{
		reference_path(index - k, start + k, end, proof);
		reference_put(start, start + k, proof);
	}
}

/* SUBPROOF(m, D[start:end], known) */
static void
reference_subproof(uint64_t m, uint64_t start, uint64_t end, bool known, EcertProof *proof)
{
	uint64_t	k = reference_split(end - start);

	if (m == end - start)
	{
		if (!known)
			reference_put(start, end, proof);
	}
	else if (m <= k)
	{
		reference_subproof(m, start, start + k, known, proof);
		reference_put(start + k, end, proof);
	}
	else
	{
		reference_subproof(m - k, start + k, end, false, proof);
		reference_put(start, start + k, proof);
	}
}

/*
 * On which side the hashes of a proof stand, from the root down: two places of
 * the same shape are checked by the same computation, so a proof of the one is
 * a proof of the other.  RFC 9162 has no more to offer: what binds a proof to
 * its size is that root and size are signed together.
 */
static void
reference_inclusion_shape(uint64_t index, uint64_t size, char *shape)
{
	while (size > 1)
	{
		uint64_t	k = reference_split(size);

		*shape++ = index < k ? 'R' : 'L';
		size = index < k ? k : size - k;
		index = index < k ? index : index - k;
	}
	*shape = '\0';
}

static void
reference_consistency_shape(uint64_t m, uint64_t n, char *shape)
{
	bool		known = true;

	while (m != n)
	{
		uint64_t	k = reference_split(n);

		*shape++ = m <= k ? 'R' : 'L';
		known = known && m <= k;
		n = m <= k ? k : n - k;
		m = m <= k ? m : m - k;
	}
	*shape++ = known ? '=' : '+';
	*shape = '\0';
}

#endif							/* ECERT_TEST_MERKLE_REFERENCE_H */
