/*
 * merkle.c
 *		Tree arithmetic of RFC 9162; see merkle.h.
 */
#include "core/merkle.h"

EcertCode
ecert_node_hash(const uint8_t *left, const uint8_t *right, uint8_t *hash)
{
	static const uint8_t node = 1;
	EcertSlice	parts[3] = {ecert_slice(&node, 1), ecert_slice(left, ECERT_HASH_SIZE), ecert_slice(right, ECERT_HASH_SIZE)};

	return ecert_sha256(parts, 3, hash);
}

EcertCode
ecert_tree_append(EcertTree *tree, const uint8_t *leaf)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	unsigned	level = 0;
	EcertCode	code = ECERT_OK;

	if (tree->size >= ECERT_TREE_MAX)
		return ECERT_PROOF_RANGE;
	memcpy(hash, leaf, ECERT_HASH_SIZE);
	/* as in counting up: what a set bit stands for is complete now, and carried */
	for (; code == ECERT_OK && (tree->size >> level & 1) != 0; level++)
		code = ecert_node_hash(tree->subtrees[level], hash, hash);
	if (code != ECERT_OK)
		return code;
	memcpy(tree->subtrees[level], hash, ECERT_HASH_SIZE);
	tree->size++;
	return ECERT_OK;
}

EcertCode
ecert_tree_root(const EcertTree *tree, uint8_t *root)
{
	bool		begun = false;
	EcertCode	code = ECERT_OK;

	if (tree->size == 0)
		return ecert_sha256(NULL, 0, root);
	for (unsigned level = 0; code == ECERT_OK && tree->size >> level != 0; level++)
	{
		if ((tree->size >> level & 1) == 0)
			continue;
		if (begun)
			code = ecert_node_hash(tree->subtrees[level], root, root);
		else
			memcpy(root, tree->subtrees[level], ECERT_HASH_SIZE);
		begun = true;
	}
	return code;
}

/* How many hashes level has in a tree of size leaves */
static uint64_t
level_size(uint64_t size, unsigned level)
{
	return size >> (8 * level);
}

EcertCode
ecert_tiles_open(EcertTiles *tiles, const EcertTileStore *store, uint64_t size)
{
	if (size > ECERT_TREE_MAX)
		return ECERT_PROOF_RANGE;
	tiles->size = size;
	for (unsigned level = 0; level < ECERT_TILE_LEVELS; level++)
	{
		uint64_t	count = level_size(size, level);
		unsigned	width = (unsigned) (count % ECERT_TILE_WIDTH);
		const uint8_t *hashes;
		EcertCode	code;

		if (width == 0)
			continue;
		code = store->read(store->context, level, count / ECERT_TILE_WIDTH, width, &hashes);
		if (code != ECERT_OK)
			return code;
		memcpy(tiles->last[level], hashes, (size_t) width * ECERT_HASH_SIZE);
	}
	return ECERT_OK;
}

/* The root of count hashes, a power of two of at most 256, which stay as they are */
static EcertCode
complete_root(const uint8_t *hashes, unsigned count, uint8_t *root)
{
	uint8_t		row[ECERT_TILE_BYTES / 2];
	const uint8_t *below = hashes;

	for (; count > 1; count /= 2)
	{
		for (unsigned i = 0; i < count / 2; i++)
		{
			EcertCode	code = ecert_node_hash(below + (size_t) 2 * i * ECERT_HASH_SIZE,
											   below + (size_t) (2 * i + 1) * ECERT_HASH_SIZE,
											   row + (size_t) i * ECERT_HASH_SIZE);

			if (code != ECERT_OK)
				return code;
		}
		below = row;
	}
	memcpy(root, below, ECERT_HASH_SIZE);
	return ECERT_OK;
}

EcertCode
ecert_tiles_append(EcertTiles *tiles, const EcertTileStore *store, const uint8_t *leaf)
{
	uint8_t		hash[ECERT_HASH_SIZE];

	if (tiles->size >= ECERT_TREE_MAX)
		return ECERT_PROOF_RANGE;
	memcpy(hash, leaf, ECERT_HASH_SIZE);
	for (unsigned level = 0; level < ECERT_TILE_LEVELS; level++)
	{
		uint64_t	count = level_size(tiles->size, level);
		unsigned	width = (unsigned) (count % ECERT_TILE_WIDTH);
		EcertCode	code;

		memcpy(tiles->last[level] + (size_t) width * ECERT_HASH_SIZE, hash, ECERT_HASH_SIZE);
		if (width + 1 < ECERT_TILE_WIDTH)
			break;
		/* the tile is full: its root goes one level up */
		code = store->write(store->context, level, count / ECERT_TILE_WIDTH, ECERT_TILE_WIDTH, tiles->last[level]);
		if (code == ECERT_OK)
			code = complete_root(tiles->last[level], ECERT_TILE_WIDTH, hash);
		if (code != ECERT_OK)
			return code;
	}
	tiles->size++;
	return ECERT_OK;
}

EcertCode
ecert_tiles_flush(const EcertTiles *tiles, const EcertTileStore *store)
{
	for (unsigned level = 0; level < ECERT_TILE_LEVELS; level++)
	{
		uint64_t	count = level_size(tiles->size, level);
		unsigned	width = (unsigned) (count % ECERT_TILE_WIDTH);
		EcertCode	code;

		if (width == 0)
			continue;
		code = store->write(store->context, level, count / ECERT_TILE_WIDTH, width, tiles->last[level]);
		if (code != ECERT_OK)
			return code;
	}
	return ECERT_OK;
}

/* The root of the complete subtree of 2^height leaves that begins at leaf start, a multiple of that */
static EcertCode
subtree_root(const EcertTileStore *store, uint64_t start, unsigned height, uint8_t *root)
{
	/* the level whose hashes stand for at most so many leaves; a tile of 256 is read rather than its one hash above */
	unsigned	level = height / 8;
	uint64_t	first = start >> (8 * level);
	unsigned	count = 1U << (height % 8);
	unsigned	offset = (unsigned) (first % ECERT_TILE_WIDTH);
	const uint8_t *hashes;
	EcertCode	code;

	if (store->recall != NULL && store->recall(store->context, start, height, root))
		return ECERT_OK;
	code = store->read(store->context, level, first / ECERT_TILE_WIDTH, offset + count, &hashes);
	if (code == ECERT_OK)
		code = complete_root(hashes + (size_t) offset * ECERT_HASH_SIZE, count, root);
	if (code == ECERT_OK && store->remember != NULL)
		store->remember(store->context, start, height, root);
	return code;
}

/* The largest power of two below size (size > 1), as its exponent */
static unsigned
split_height(uint64_t size)
{
	return 63 - (unsigned) __builtin_clzll(size - 1);
}

/* MTH(D[start:end]) of RFC 9162, where the range is one that the tree's definition splits off */
static EcertCode
range_root(const EcertTileStore *store, uint64_t start, uint64_t end, uint8_t *root)
{
	bool		begun = false;
	EcertCode	code = ECERT_OK;

	/* complete subtrees from the right, the smallest first, each joined on the left */
	while (code == ECERT_OK && end > start)
	{
		unsigned	height = (unsigned) __builtin_ctzll(end - start);
		uint8_t		left[ECERT_HASH_SIZE];

		end -= UINT64_C(1) << height;
		code = subtree_root(store, end, height, begun ? left : root);
		if (code == ECERT_OK && begun)
			code = ecert_node_hash(left, root, root);
		begun = true;
	}
	return code;
}

EcertCode
ecert_tiles_root(const EcertTileStore *store, uint64_t size, uint8_t *root)
{
	return size == 0 || size > ECERT_TREE_MAX ? ECERT_PROOF_RANGE : range_root(store, 0, size, root);
}

/* Proofs are found from the root down and read from the leaf up */
static void
reverse(EcertProof *proof)
{
	uint8_t		hash[ECERT_HASH_SIZE];

	for (unsigned i = 0; i < proof->count / 2; i++)
	{
		uint8_t    *other = proof->hashes[proof->count - 1 - i];

		memcpy(hash, proof->hashes[i], ECERT_HASH_SIZE);
		memcpy(proof->hashes[i], other, ECERT_HASH_SIZE);
		memcpy(other, hash, ECERT_HASH_SIZE);
	}
}

static EcertCode
put_range(const EcertTileStore *store, uint64_t start, uint64_t end, EcertProof *proof)
{
	if (proof->count >= ECERT_PROOF_MAX)
		return ECERT_PROOF_LENGTH;
	return range_root(store, start, end, proof->hashes[proof->count++]);
}

/*
 * Go down to the subtree of the tree that holds leaf and is the leaf itself, or,
 * with ends_behind, ends behind it: whatever is split off on the way belongs to
 * the proof
 */
static EcertCode
put_path(const EcertTileStore *store, uint64_t leaf, bool ends_behind, uint64_t size, EcertProof *proof)
{
	uint64_t	start = 0;
	uint64_t	end = size;
	EcertCode	code = ECERT_OK;

	proof->count = 0;
	while (code == ECERT_OK && (ends_behind ? end != leaf + 1 : end - start > 1))
	{
		uint64_t	middle = start + (UINT64_C(1) << split_height(end - start));

		if (leaf < middle)
		{
			code = put_range(store, middle, end, proof);
			end = middle;
		}
		else
		{
			code = put_range(store, start, middle, proof);
			start = middle;
		}
	}
	/* the old tree itself is known to who asks; a part of it is not */
	if (code == ECERT_OK && ends_behind && start > 0)
		code = put_range(store, start, end, proof);
	reverse(proof);
	return code;
}

EcertCode
ecert_tiles_inclusion(const EcertTileStore *store, uint64_t index, uint64_t size, EcertProof *proof)
{
	return index >= size || size > ECERT_TREE_MAX ? ECERT_PROOF_RANGE : put_path(store, index, false, size, proof);
}

EcertCode
ecert_tiles_consistency(const EcertTileStore *store, uint64_t old_size, uint64_t new_size, EcertProof *proof)
{
	return old_size == 0 || old_size > new_size || new_size > ECERT_TREE_MAX ? ECERT_PROOF_RANGE :
		put_path(store, old_size - 1, true, new_size, proof);
}

/*
 * Walk a proof up from place, of which last is the last at that level: root
 * becomes the root that it leads to, and old_root, unless NULL, that of the
 * tree which ends with place
 */
static EcertCode
walk_up(uint64_t place, uint64_t last, const EcertProof *proof, unsigned next, uint8_t *old_root, uint8_t *root)
{
	EcertCode	code = ECERT_OK;

	for (; code == ECERT_OK && next < proof->count; next++)
	{
		const uint8_t *hash = proof->hashes[next];

		if (last == 0)
			return ECERT_PROOF_LENGTH;
		if ((place & 1) != 0 || place == last)
		{
			if (old_root != NULL)
				code = ecert_node_hash(hash, old_root, old_root);
			if (code == ECERT_OK)
				code = ecert_node_hash(hash, root, root);
			/* the right edge: levels at which it has no sibling are passed over */
			while ((place & 1) == 0 && place != 0)
			{
				place >>= 1;
				last >>= 1;
			}
		}
		else
			code = ecert_node_hash(root, hash, root);
		place >>= 1;
		last >>= 1;
	}
	return code == ECERT_OK && last != 0 ? ECERT_PROOF_LENGTH : code;
}

EcertCode
ecert_inclusion_root(const uint8_t *leaf, uint64_t index, uint64_t size, const EcertProof *proof, uint8_t *root)
{
	if (index >= size || size > ECERT_TREE_MAX)
		return ECERT_PROOF_RANGE;
	memcpy(root, leaf, ECERT_HASH_SIZE);
	return walk_up(index, size - 1, proof, 0, NULL, root);
}

EcertCode
ecert_consistency_check(uint64_t old_size, const uint8_t *old_root, uint64_t new_size, const uint8_t *new_root,
						const EcertProof *proof)
{
	uint8_t		old_hash[ECERT_HASH_SIZE];
	uint8_t		new_hash[ECERT_HASH_SIZE];
	bool		old_is_complete = (old_size & (old_size - 1)) == 0;
	unsigned	level = 0;
	const uint8_t *first;
	EcertCode	code;

	if (old_size == 0 || old_size > new_size || new_size > ECERT_TREE_MAX)
		return ECERT_PROOF_RANGE;
	if (old_size == new_size)
	{
		if (proof->count != 0)
			return ECERT_PROOF_LENGTH;
		return memcmp(old_root, new_root, ECERT_HASH_SIZE) == 0 ? ECERT_OK : ECERT_PROOF_WRONG;
	}
	if (proof->count == 0)
		return ECERT_PROOF_LENGTH;
	/* a complete old tree is the first hash itself, which the proof leaves out */
	first = old_is_complete ? old_root : proof->hashes[0];
	memcpy(old_hash, first, ECERT_HASH_SIZE);
	memcpy(new_hash, first, ECERT_HASH_SIZE);
	/* from the last complete subtree of the old tree on */
	while (((old_size - 1) >> level & 1) != 0)
		level++;
	code = walk_up((old_size - 1) >> level, (new_size - 1) >> level, proof, old_is_complete ? 0 : 1, old_hash, new_hash);
	if (code != ECERT_OK)
		return code;
	return memcmp(old_hash, old_root, ECERT_HASH_SIZE) == 0 && memcmp(new_hash, new_root, ECERT_HASH_SIZE) == 0 ?
		ECERT_OK : ECERT_PROOF_WRONG;
}
