/*
 * test_merkle.c
 *		The Merkle tree: published trees and proofs, every size against the
 *		recursive definitions, and proofs that were tampered with.
 */
#include "check.h"
#include "memory_tiles.h"
#include "merkle_reference.h"
#include "vectors_merkle.h"

#include "core/package.h"

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

/* Every size up to here, and the places of trees up to the other */
#define EVERY_SIZE 600
#define EVERY_PLACE 70

static uint64_t random_state = 1;

/* xorshift: the same numbers in every run */
static uint64_t
random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static size_t
unhex(const char *text, uint8_t *bytes)
{
	size_t		size = strlen(text) / 2;

	for (size_t i = 0; i < size; i++)
	{
		unsigned	value;

		sscanf(text + 2 * i, "%2x", &value);
		bytes[i] = (uint8_t) value;
	}
	return size;
}

static bool
same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, ECERT_HASH_SIZE) == 0;
}

static bool
same_proof(const EcertProof *a, const EcertProof *b)
{
	return a->count == b->count && memcmp(a->hashes, b->hashes, a->count * sizeof a->hashes[0]) == 0;
}

static bool
included(const uint8_t *leaf, uint64_t index, uint64_t size, const EcertProof *proof, const uint8_t *root)
{
	uint8_t		found[ECERT_HASH_SIZE];

	return ecert_inclusion_root(leaf, index, size, proof, found) == ECERT_OK && same(found, root);
}

/* ----- what others have published ----- */

static void
published_leaf(size_t index, uint8_t *hash)
{
	uint8_t		bytes[64];
	size_t		size = unhex(merkle_leaves[index], bytes);

	if (ecert_package_hash(ecert_slice(bytes, size), hash) != ECERT_OK)
		abort();
}

static void
published_root(uint64_t size, uint8_t *root)
{
	unhex(merkle_roots[size - 1], root);
}

static void
published_proof(const MerkleVector *vector, EcertProof *proof)
{
	memset(proof, 0, sizeof *proof);
	while (vector->hashes[proof->count] != NULL)
	{
		unhex(vector->hashes[proof->count], proof->hashes[proof->count]);
		proof->count++;
	}
}

static void
test_published_roots(EcertTiles *tiles, const EcertTileStore *store)
{
	EcertTree	tree = {0};
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint8_t		expected[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];

	unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", expected);
	CHECK_INT(ecert_tree_root(&tree, root), ECERT_OK, "an empty tree has a root");
	CHECK_BYTES(root, expected, sizeof root, "which is SHA-256 of nothing");
	for (uint64_t size = 1; size <= MERKLE_LEAVES; size++)
	{
		published_leaf((size_t) size - 1, leaf);
		published_root(size, expected);
		CHECK(ecert_tree_append(&tree, leaf) == ECERT_OK && ecert_tree_root(&tree, root) == ECERT_OK &&
			  same(root, expected), "%d published leaves: the published root", (int) size);
		CHECK(ecert_tiles_append(tiles, store, leaf) == ECERT_OK && ecert_tiles_flush(tiles, store) == ECERT_OK &&
			  ecert_tiles_root(store, size, root) == ECERT_OK && same(root, expected), "and out of tiles");
	}
}

static void
test_published_proofs(const EcertTileStore *store)
{
	EcertProof	expected;
	EcertProof	proof;
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint8_t		old_root[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];

	for (size_t i = 0; i < COUNT(merkle_inclusions); i++)
	{
		const MerkleVector *v = &merkle_inclusions[i];

		published_proof(v, &expected);
		published_leaf((size_t) v->a, leaf);
		published_root(v->b, root);
		CHECK(ecert_tiles_inclusion(store, v->a, v->b, &proof) == ECERT_OK && same_proof(&proof, &expected),
			  "leaf %d of %d: the published proof", (int) v->a, (int) v->b);
		CHECK(included(leaf, v->a, v->b, &proof, root), "leaf %d of %d: it leads to the published root", (int) v->a, (int) v->b);
	}
	for (size_t i = 0; i < COUNT(merkle_consistencies); i++)
	{
		const MerkleVector *v = &merkle_consistencies[i];

		published_proof(v, &expected);
		published_root(v->a, old_root);
		published_root(v->b, root);
		CHECK(ecert_tiles_consistency(store, v->a, v->b, &proof) == ECERT_OK && same_proof(&proof, &expected),
			  "%d to %d leaves: the published consistency proof", (int) v->a, (int) v->b);
		CHECK_INT(ecert_consistency_check(v->a, old_root, v->b, root, &proof), ECERT_OK, "it is accepted");
	}
}

/* What the tests of transparency-dev/merkle do to good proofs */
typedef enum Damage
{
	APPEND_NOTHING_HASH, APPEND_ROOT, PREPEND_NOTHING_HASH, PREPEND_ROOT, PREPEND_OWN, INSERT, REMOVE_LAST, REMOVE_ALL,
	TURN_BIT, DAMAGES
} Damage;

static const char *const damages[DAMAGES] = {
	"garbage behind it", "the root behind it", "garbage before it", "the root before it", "its first hash twice",
	"a hash put in", "its last hash left out", "all hashes left out", "a bit turned"
};

static void
insert_hash(EcertProof *proof, unsigned at, const uint8_t *hash)
{
	memmove(proof->hashes[at + 1], proof->hashes[at], (proof->count - at) * sizeof proof->hashes[0]);
	memcpy(proof->hashes[at], hash, ECERT_HASH_SIZE);
	proof->count++;
}

/* False when the proof has nothing to be damaged so */
static bool
damage(EcertProof *proof, Damage how, const uint8_t *root)
{
	static const uint8_t garbage[ECERT_HASH_SIZE] = {'g', 'a', 'r', 'b', 'a', 'g', 'e'};
	uint8_t		first[ECERT_HASH_SIZE];
	bool		at_end = how == APPEND_NOTHING_HASH || how == APPEND_ROOT;
	bool		is_root = how == APPEND_ROOT || how == PREPEND_ROOT;

	if (proof->count == 0 && how >= PREPEND_OWN)
		return false;
	memcpy(first, proof->hashes[0], sizeof first);
	if (how <= PREPEND_ROOT)
		insert_hash(proof, at_end ? proof->count : 0, is_root ? root : garbage);
	else if (how == PREPEND_OWN)
		insert_hash(proof, 0, first);
	else if (how == INSERT)
		insert_hash(proof, proof->count / 2, garbage);
	else if (how == REMOVE_LAST)
		proof->count--;
	else if (how == REMOVE_ALL)
		proof->count = 0;
	else
		proof->hashes[proof->count - 1][3] ^= 0x10;
	return true;
}

static void
test_damaged_inclusions(void)
{
	for (size_t i = 0; i < COUNT(merkle_inclusions); i++)
	{
		const MerkleVector *v = &merkle_inclusions[i];
		const uint64_t places[][2] = {
			{v->a + 1, v->b}, {v->a - 1, v->b}, {v->a ^ 2, v->b}, {v->a, v->b * 2}, {v->a, v->b / 2}, {v->a, 0}
		};
		EcertProof	proof;
		uint8_t		leaf[ECERT_HASH_SIZE];
		uint8_t		root[ECERT_HASH_SIZE];

		published_leaf((size_t) v->a, leaf);
		published_root(v->b, root);
		for (Damage how = 0; how < DAMAGES; how++)
		{
			published_proof(v, &proof);
			if (damage(&proof, how, root))
				CHECK(!included(leaf, v->a, v->b, &proof, root), "leaf %d of %d: a proof with %s is refused",
					  (int) v->a, (int) v->b, damages[how]);
		}
		published_proof(v, &proof);
		for (size_t p = 0; p < COUNT(places); p++)
			CHECK(!included(leaf, places[p][0], places[p][1], &proof, root), "leaf %d of %d: not at %lld of %lld",
				  (int) v->a, (int) v->b, (long long) places[p][0], (long long) places[p][1]);
		/* the root of one leaf is the leaf */
		if (v->b > 1)
			CHECK(!included(root, v->a, v->b, &proof, leaf), "leaf %d of %d: no other leaf, and no other root", (int) v->a, (int) v->b);
	}
}

static void
test_damaged_consistencies(void)
{
	for (size_t i = 0; i < COUNT(merkle_consistencies); i++)
	{
		const MerkleVector *v = &merkle_consistencies[i];
		const uint64_t sizes[][2] = {
			{v->a + 1, v->b}, {v->a - 1, v->b}, {v->a ^ 2, v->b}, {v->a, v->b * 2}, {v->a, v->b / 2}, {v->b + 1, v->b}, {0, v->b}
		};
		EcertProof	proof;
		uint8_t		old_root[ECERT_HASH_SIZE];
		uint8_t		root[ECERT_HASH_SIZE];

		published_root(v->a, old_root);
		published_root(v->b, root);
		for (Damage how = 0; how < DAMAGES; how++)
		{
			published_proof(v, &proof);
			if (damage(&proof, how, how % 2 == 0 ? root : old_root))
				CHECK(ecert_consistency_check(v->a, old_root, v->b, root, &proof) != ECERT_OK,
					  "%d to %d leaves: a proof with %s is refused", (int) v->a, (int) v->b, damages[how]);
		}
		published_proof(v, &proof);
		for (size_t p = 0; p < COUNT(sizes); p++)
			CHECK(ecert_consistency_check(sizes[p][0], old_root, sizes[p][1], root, &proof) != ECERT_OK,
				  "%d to %d leaves: not from %lld to %lld", (int) v->a, (int) v->b, (long long) sizes[p][0], (long long) sizes[p][1]);
		if (v->a != v->b)
			CHECK_INT(ecert_consistency_check(v->a, root, v->b, old_root, &proof), ECERT_PROOF_WRONG,
					  "%d to %d leaves: not with the roots changed over", (int) v->a, (int) v->b);
	}
}

static void
test_published(void)
{
	static EcertTiles tiles;
	MemoryStore memory;
	EcertTileStore store = memory_store(&memory);

	memory_open(&memory);
	CHECK_INT(ecert_tiles_open(&tiles, &store, 0), ECERT_OK, "a tree of no leaves is taken up");
	test_published_roots(&tiles, &store);
	test_published_proofs(&store);
	test_damaged_inclusions();
	test_damaged_consistencies();
	memory_close(&memory);
}

/* ----- against the recursive definitions ----- */

/* Is everything about this leaf as it must be? */
static bool
inclusion_is_right(const EcertTileStore *store, uint64_t index, uint64_t size)
{
	EcertProof	expected = {.count = 0};
	EcertProof	proof;
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];

	reference_leaf(index, leaf);
	reference_root(0, size, root);
	reference_path(index, 0, size, &expected);
	return ecert_tiles_inclusion(store, index, size, &proof) == ECERT_OK && same_proof(&proof, &expected) &&
		included(leaf, index, size, &proof, root);
}

static bool
consistency_is_right(const EcertTileStore *store, uint64_t old_size, uint64_t new_size)
{
	EcertProof	expected = {.count = 0};
	EcertProof	proof;
	uint8_t		old_root[ECERT_HASH_SIZE];
	uint8_t		new_root[ECERT_HASH_SIZE];

	reference_root(0, old_size, old_root);
	reference_root(0, new_size, new_root);
	reference_subproof(old_size, 0, new_size, true, &expected);
	return ecert_tiles_consistency(store, old_size, new_size, &proof) == ECERT_OK && same_proof(&proof, &expected) &&
		ecert_consistency_check(old_size, old_root, new_size, new_root, &proof) == ECERT_OK;
}

static bool
root_is_right(const EcertTileStore *store, uint64_t size)
{
	uint8_t		expected[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];

	reference_root(0, size, expected);
	return ecert_tiles_root(store, size, root) == ECERT_OK && same(root, expected);
}

/* Sizes at which a tile or a subtree begins or ends, below the limit */
static size_t
edges(uint64_t limit, uint64_t *sizes)
{
	size_t		count = 0;

	for (uint64_t power = 1; power < limit; power *= 2)
	{
		for (int64_t off = -2; off <= 2; off++)
		{
			for (uint64_t times = 1; times <= 3; times += 2)
			{
				uint64_t	size = power * times + (uint64_t) off;

				if (size >= 1 && size <= limit)
					sizes[count++] = size;
			}
		}
	}
	sizes[count++] = limit;
	return count;
}

/* Leaf by leaf, the tree and the tiles have the root of the definition */
static void
test_growth(EcertTiles *tiles, const EcertTileStore *store, uint64_t limit)
{
	EcertTree	tree = {0};
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		expected[ECERT_HASH_SIZE];
	uint64_t	right = 0;
	uint64_t	looked_at = 0;

	for (uint64_t size = 1; size <= limit; size++)
	{
		bool		ok;

		reference_leaf(size - 1, leaf);
		ok = ecert_tree_append(&tree, leaf) == ECERT_OK && ecert_tiles_append(tiles, store, leaf) == ECERT_OK &&
			tree.size == size && tiles->size == size;
		/* all of the small ones, and those around the edges of the second level of tiles */
		if (size <= EVERY_SIZE || (size + 4) % 65536 < 8 || size % 4099 == 0)
		{
			reference_root(0, size, expected);
			looked_at++;
			right += ok && ecert_tree_root(&tree, root) == ECERT_OK && same(root, expected) &&
				ecert_tiles_flush(tiles, store) == ECERT_OK && root_is_right(store, size);
		}
	}
	CHECK(right == looked_at && looked_at > EVERY_SIZE, "%d sizes up to %d: root of tree and tiles by the definition",
		  (int) looked_at, (int) limit);
	CHECK_INT(ecert_tiles_flush(tiles, store), ECERT_OK, "the last tiles are written");
}

static void
test_small_places(const EcertTileStore *store)
{
	int			wrong = 0;
	int			count = 0;

	for (uint64_t size = 1; size <= EVERY_PLACE; size++)
	{
		for (uint64_t place = 0; place < size; place++, count++)
			wrong += !inclusion_is_right(store, place, size) + !consistency_is_right(store, place + 1, size);
	}
	CHECK_INT(wrong, 0, "%d places in trees up to %d: both proofs by the definition", count, EVERY_PLACE);
}

/* Old trees out of a big tree's tiles, at the edges and anywhere */
static void
test_big_places(const EcertTileStore *store, uint64_t limit)
{
	uint64_t	sizes[256];
	size_t		count = edges(limit, sizes);
	int			wrong_roots = 0;
	int			wrong_inclusions = 0;
	int			wrong_consistencies = 0;

	for (uint64_t size = 1; size <= EVERY_SIZE; size++)
		wrong_roots += !root_is_right(store, size);
	for (size_t i = 0; i < count; i++)
	{
		uint64_t	size = sizes[i];
		const uint64_t leaves[] = {0, size / 2, size - 1, random_below(size), random_below(size)};

		wrong_roots += !root_is_right(store, size);
		for (size_t l = 0; l < COUNT(leaves); l++)
			wrong_inclusions += !inclusion_is_right(store, leaves[l], size);
		for (size_t o = 0; o < count; o++)
		{
			if (sizes[o] <= size)
				wrong_consistencies += !consistency_is_right(store, sizes[o], size);
		}
		wrong_consistencies += !consistency_is_right(store, 1 + random_below(size), size);
	}
	CHECK_INT(wrong_roots, 0, "a big tree's tiles give the root of every smaller tree");
	CHECK_INT(wrong_inclusions, 0, "inclusion proofs at edges and anywhere, up to %d leaves, by the definition", (int) limit);
	CHECK_INT(wrong_consistencies, 0, "consistency proofs between %d sizes by the definition", (int) count);
}

/* Stop at any size, go on from the tiles: it is the same tree */
static void
test_reopening(void)
{
	static EcertTiles tiles;
	MemoryStore memory;
	EcertTileStore store = memory_store(&memory);
	uint8_t		leaf[ECERT_HASH_SIZE];
	int			wrong = 0;

	memory_open(&memory);
	for (uint64_t size = 0; size < EVERY_SIZE; size++)
	{
		/* what is left in memory must not matter */
		memset(&tiles, 0xA5, sizeof tiles);
		reference_leaf(size, leaf);
		wrong += ecert_tiles_open(&tiles, &store, size) != ECERT_OK || ecert_tiles_append(&tiles, &store, leaf) != ECERT_OK ||
			ecert_tiles_flush(&tiles, &store) != ECERT_OK || !root_is_right(&store, size + 1);
	}
	CHECK_INT(wrong, 0, "taken up anew at every size up to %d, it is the same tree", EVERY_SIZE);
	for (uint64_t size = 0; size <= EVERY_SIZE; size += 37)
		wrong += ecert_tiles_open(&tiles, &store, size) != ECERT_OK || tiles.size != size;
	CHECK_INT(wrong, 0, "and a smaller tree can be taken up from its tiles");
	CHECK_INT(ecert_tiles_open(&tiles, &store, EVERY_SIZE + 1), ECERT_TILE_MISSING, "not one with more leaves than there are");
	CHECK_INT(ecert_tiles_open(&tiles, &store, ECERT_TREE_MAX + 1), ECERT_PROOF_RANGE, "nor one that is too large");
	memory_close(&memory);
}

/* A write that fails is told, and the leaf can be appended again */
static void
test_failing_store(void)
{
	static EcertTiles tiles;
	MemoryStore memory;
	EcertTileStore store = memory_store(&memory);
	uint8_t		leaf[ECERT_HASH_SIZE];
	bool		ok;

	memory_open(&memory);
	memory.refusal = ECERT_CRYPTO_FAILED;
	ok = ecert_tiles_open(&tiles, &store, 0) == ECERT_OK;
	CHECK_INT(ecert_tiles_flush(&tiles, &store), ECERT_OK, "nothing is written before there is a leaf");
	for (uint64_t i = 0; i < ECERT_TILE_WIDTH - 1; i++)
	{
		reference_leaf(i, leaf);
		ok = ok && ecert_tiles_append(&tiles, &store, leaf) == ECERT_OK;
	}
	CHECK(ok, "nor before a tile is full");
	CHECK_INT(ecert_tiles_flush(&tiles, &store), ECERT_CRYPTO_FAILED, "a last tile that cannot be written is told");
	reference_leaf(ECERT_TILE_WIDTH - 1, leaf);
	CHECK_INT(ecert_tiles_append(&tiles, &store, leaf), ECERT_CRYPTO_FAILED, "so is a full one");
	memory.refusal = ECERT_OK;
	CHECK(ecert_tiles_append(&tiles, &store, leaf) == ECERT_OK && ecert_tiles_flush(&tiles, &store) == ECERT_OK &&
		  root_is_right(&store, ECERT_TILE_WIDTH), "appended again after that, the tree is right");
	memory_close(&memory);
}

/* ----- tampering ----- */

/* Turn bit number bit of bytes */
static void
turn(void *bytes, unsigned bit)
{
	((uint8_t *) bytes)[bit / 8] ^= (uint8_t) (1 << bit % 8);
}

/* How many single bits of hash can be turned without refusal */
static int
survivors(uint8_t *hash, const uint8_t *leaf, uint64_t index, uint64_t size, const EcertProof *proof, const uint8_t *root)
{
	int			count = 0;

	for (unsigned bit = 0; bit < 8 * ECERT_HASH_SIZE; bit++)
	{
		turn(hash, bit);
		count += included(leaf, index, size, proof, root);
		turn(hash, bit);
	}
	return count;
}

/* Bits of index and size: refused, but where a tree of another size has the leaf in a place of the same shape */
static int
wrong_places(const uint8_t *leaf, uint64_t index, uint64_t size, const EcertProof *proof, const uint8_t *root)
{
	char		shape[ECERT_PROOF_MAX + 1];
	char		other[ECERT_PROOF_MAX + 1];
	int			wrong = 0;

	reference_inclusion_shape(index, size, shape);
	for (unsigned bit = 0; bit < 64; bit++)
	{
		uint64_t	turned = size ^ UINT64_C(1) << bit;
		bool		may = turned > index && turned <= ECERT_TREE_MAX;

		wrong += included(leaf, index ^ UINT64_C(1) << bit, size, proof, root);
		if (may)
			reference_inclusion_shape(index, turned, other);
		wrong += included(leaf, index, turned, proof, root) != (may && strcmp(shape, other) == 0);
	}
	return wrong;
}

static void
test_tampered_inclusion(const EcertTileStore *store, uint64_t index, uint64_t size)
{
	EcertProof	proof;
	uint8_t		leaf[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];
	int			survived;

	reference_leaf(index, leaf);
	reference_root(0, size, root);
	if (ecert_tiles_inclusion(store, index, size, &proof) != ECERT_OK || !included(leaf, index, size, &proof, root))
		abort();
	survived = survivors(leaf, leaf, index, size, &proof, root) + survivors(root, leaf, index, size, &proof, root);
	for (unsigned i = 0; i < proof.count; i++)
		survived += survivors(proof.hashes[i], leaf, index, size, &proof, root);
	CHECK_INT(survived, 0, "leaf %d of %d: every bit of leaf, path and root counts", (int) index, (int) size);
	CHECK_INT(wrong_places(leaf, index, size, &proof, root), 0,
			  "leaf %d of %d: every bit of the index counts, and of the size where it changes the path", (int) index, (int) size);
}

static int
consistent_survivors(uint8_t *hash, uint64_t old_size, const uint8_t *old_root, uint64_t size, const uint8_t *root, const EcertProof *proof)
{
	int			count = 0;

	for (unsigned bit = 0; bit < 8 * ECERT_HASH_SIZE; bit++)
	{
		turn(hash, bit);
		count += ecert_consistency_check(old_size, old_root, size, root, proof) != ECERT_PROOF_WRONG;
		turn(hash, bit);
	}
	return count;
}

static int
wrong_sizes(uint64_t old_size, const uint8_t *old_root, uint64_t size, const uint8_t *root, const EcertProof *proof)
{
	char		shape[ECERT_PROOF_MAX + 2];
	char		other[ECERT_PROOF_MAX + 2];
	int			wrong = 0;

	reference_consistency_shape(old_size, size, shape);
	for (unsigned bit = 0; bit < 128; bit++)
	{
		uint64_t	m = old_size ^ (bit < 64 ? UINT64_C(1) << bit : 0);
		uint64_t	n = size ^ (bit < 64 ? 0 : UINT64_C(1) << (bit - 64));
		bool		may = m > 0 && m <= n && n <= ECERT_TREE_MAX;

		if (may)
			reference_consistency_shape(m, n, other);
		wrong += (ecert_consistency_check(m, old_root, n, root, proof) == ECERT_OK) != (may && strcmp(shape, other) == 0);
	}
	return wrong;
}

static void
test_tampered_consistency(const EcertTileStore *store, uint64_t old_size, uint64_t size)
{
	EcertProof	proof;
	uint8_t		old_root[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];
	int			survived;

	reference_root(0, old_size, old_root);
	reference_root(0, size, root);
	if (ecert_tiles_consistency(store, old_size, size, &proof) != ECERT_OK)
		abort();
	survived = consistent_survivors(old_root, old_size, old_root, size, root, &proof) +
		consistent_survivors(root, old_size, old_root, size, root, &proof);
	for (unsigned i = 0; i < proof.count; i++)
		survived += consistent_survivors(proof.hashes[i], old_size, old_root, size, root, &proof);
	CHECK_INT(survived, 0, "%d to %d leaves: every bit of both roots and of the proof counts", (int) old_size, (int) size);
	CHECK_INT(wrong_sizes(old_size, old_root, size, root, &proof), 0,
			  "%d to %d leaves: so does every bit of the sizes that changes the proof's shape", (int) old_size, (int) size);
}

static void
test_tampering(const EcertTileStore *store)
{
	static const uint64_t places[][2] = {
		{0, 1}, {0, 2}, {1, 2}, {0, 3}, {2, 3}, {5, 8}, {6, 7}, {0, 256}, {255, 256}, {256, 257}, {300, 511}, {511, 512},
		{512, 513}, {65535, 65536}, {65536, 65537}, {12345, 65999}
	};

	for (size_t i = 0; i < COUNT(places); i++)
	{
		test_tampered_inclusion(store, places[i][0], places[i][1]);
		test_tampered_consistency(store, places[i][0] + 1, places[i][1]);
	}
}

/* ----- ranges ----- */

static void
test_proof_ranges(const EcertTileStore *store)
{
	EcertProof	proof = {.count = 0};
	uint8_t		a[ECERT_HASH_SIZE] = {1};
	uint8_t		root[ECERT_HASH_SIZE];

	CHECK_INT(ecert_tiles_root(store, 0, root), ECERT_PROOF_RANGE, "no root of no leaves out of tiles");
	CHECK_INT(ecert_tiles_root(store, ECERT_TREE_MAX + 1, root), ECERT_PROOF_RANGE, "nor of more than 2^62");
	CHECK_INT(ecert_tiles_inclusion(store, 5, 5, &proof), ECERT_PROOF_RANGE, "no proof of a leaf behind the last");
	CHECK_INT(ecert_tiles_inclusion(store, 0, 0, &proof), ECERT_PROOF_RANGE, "nor of one in an empty tree");
	CHECK_INT(ecert_tiles_inclusion(store, 0, UINT64_MAX, &proof), ECERT_PROOF_RANGE, "nor in a tree that is too large");
	CHECK_INT(ecert_tiles_consistency(store, 0, 5, &proof), ECERT_PROOF_RANGE, "no consistency with an empty tree");
	CHECK_INT(ecert_tiles_consistency(store, 6, 5, &proof), ECERT_PROOF_RANGE, "nor with a larger one");
	CHECK_INT(ecert_tiles_consistency(store, 5, UINT64_MAX, &proof), ECERT_PROOF_RANGE, "nor of one that is too large");
	CHECK_INT(ecert_tiles_consistency(store, 5, 5, &proof), ECERT_OK, "a tree is consistent with itself");
	CHECK_INT(proof.count, 0, "without a hash");
	CHECK_INT(ecert_inclusion_root(a, 0, 0, &proof, root), ECERT_PROOF_RANGE, "an empty tree includes nothing");
	CHECK_INT(ecert_inclusion_root(a, 7, 7, &proof, root), ECERT_PROOF_RANGE, "a tree does not include what is behind it");
	CHECK_INT(ecert_inclusion_root(a, 0, ECERT_TREE_MAX + 1, &proof, root), ECERT_PROOF_RANGE, "there is no tree of 2^62 + 1");
	CHECK_INT(ecert_consistency_check(0, a, 1, a, &proof), ECERT_PROOF_RANGE, "nothing is shown of an empty old tree");
	CHECK_INT(ecert_consistency_check(2, a, 1, a, &proof), ECERT_PROOF_RANGE, "nor of one that is larger");
	CHECK_INT(ecert_consistency_check(1, a, UINT64_MAX, a, &proof), ECERT_PROOF_RANGE, "nor with one that is too large");
	CHECK_INT(ecert_consistency_check(1, a, 2, a, &proof), ECERT_PROOF_LENGTH, "a proof without a hash shows nothing");
}

/* Sizes that only a hostile proof has */
static void
test_largest(const EcertTileStore *store)
{
	EcertProof	proof = {.count = 62};
	EcertTree	tree = {.size = ECERT_TREE_MAX};
	static EcertTiles tiles;
	uint8_t		leaf[ECERT_HASH_SIZE] = {1};
	uint8_t		expected[ECERT_HASH_SIZE];
	uint8_t		root[ECERT_HASH_SIZE];

	for (unsigned i = 0; i < proof.count; i++)
		proof.hashes[i][0] = (uint8_t) i;
	memcpy(expected, leaf, sizeof expected);
	for (unsigned i = 0; i < proof.count; i++)
		reference_node(proof.hashes[i], expected, expected);
	CHECK(ecert_inclusion_root(leaf, ECERT_TREE_MAX - 1, ECERT_TREE_MAX, &proof, root) == ECERT_OK && same(root, expected),
		  "the last leaf of the largest tree has a path of 62 hashes");
	proof.count++;
	CHECK_INT(ecert_inclusion_root(leaf, ECERT_TREE_MAX - 1, ECERT_TREE_MAX, &proof, root), ECERT_PROOF_LENGTH, "not of 63");
	proof.count -= 2;
	CHECK_INT(ecert_inclusion_root(leaf, ECERT_TREE_MAX - 1, ECERT_TREE_MAX, &proof, root), ECERT_PROOF_LENGTH, "nor of 61");
	CHECK_INT(ecert_tree_append(&tree, leaf), ECERT_PROOF_RANGE, "the largest tree does not grow");
	tiles.size = ECERT_TREE_MAX;
	CHECK_INT(ecert_tiles_append(&tiles, store, leaf), ECERT_PROOF_RANGE, "neither do its tiles");
	CHECK_INT(ecert_tiles_root(store, ECERT_TREE_MAX, root), ECERT_TILE_MISSING, "tiles that are not there are missing");
	CHECK_INT(ecert_tiles_inclusion(store, 1, ECERT_TREE_MAX - 1, &proof), ECERT_TILE_MISSING, "in a proof of inclusion");
	CHECK_INT(ecert_tiles_consistency(store, 1, ECERT_TREE_MAX - 1, &proof), ECERT_TILE_MISSING, "and in one of consistency");
}

int
main(void)
{
	static EcertTiles tiles;
	MemoryStore memory;
	EcertTileStore store = memory_store(&memory);

	reference_open();
	test_published();
	memory_open(&memory);
	CHECK_INT(ecert_tiles_open(&tiles, &store, 0), ECERT_OK, "a tree begins");
	test_growth(&tiles, &store, REFERENCE_LEAVES);
	test_small_places(&store);
	test_big_places(&store, REFERENCE_LEAVES);
	test_reopening();
	test_failing_store();
	test_tampering(&store);
	test_proof_ranges(&store);
	test_largest(&store);
	memory_close(&memory);
	reference_close();
	return check_done();
}
