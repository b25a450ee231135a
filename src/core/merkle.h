/*
 * merkle.h
 *		The Merkle tree of RFC 9162 over package hashes, kept as the tiles of
 *		C2SP tlog-tiles.
 *
 * A leaf hash is a package's hash; an inner node is SHA-256(0x01 || left ||
 * right).  Level l of the tiles holds the roots of the complete subtrees of
 * 256^l leaves, in order, 256 to a tile.  What a tile holds never changes;
 * the last one of a level only grows.  So the tiles of a tree serve every
 * smaller tree too.
 */
#ifndef ECERT_CORE_MERKLE_H
#define ECERT_CORE_MERKLE_H

#include "core/crypto.h"

#define ECERT_TILE_WIDTH 256
#define ECERT_TILE_BYTES (ECERT_TILE_WIDTH * ECERT_HASH_SIZE)

/* Trees have at most 2^62 leaves, so at most 8 levels of tiles, and a proof at most 64 hashes */
#define ECERT_TREE_MAX (UINT64_C(1) << 62)
#define ECERT_TILE_LEVELS 8
#define ECERT_PROOF_MAX 64

/* Hashes of a proof, in the order of RFC 9162 */
typedef struct EcertProof
{
	uint8_t		hashes[ECERT_PROOF_MAX][ECERT_HASH_SIZE];
	unsigned	count;
} EcertProof;

/* SHA-256(0x01 || left || right); hash may be left or right */
extern EcertCode ecert_node_hash(const uint8_t *left, const uint8_t *right, uint8_t *hash);

/*
 * A tree that grows leaf by leaf and gives its root at any time, without
 * keeping what is behind it (a compact range): subtrees[i] is the root of a
 * complete subtree of 2^i leaves, where bit i of size is set.
 */
typedef struct EcertTree
{
	uint64_t	size;
	uint8_t		subtrees[ECERT_PROOF_MAX][ECERT_HASH_SIZE];
} EcertTree;

extern EcertCode ecert_tree_append(EcertTree *tree, const uint8_t *leaf);

/* Root of the tree; of an empty one SHA-256 of nothing */
extern EcertCode ecert_tree_root(const EcertTree *tree, uint8_t *root);

/*
 * Where tiles are.  read points *hashes to the first width hashes of tile
 * (level, index), which stay there until the next call; ECERT_TILE_MISSING
 * when it has not so many.  write is given a tile that is full, or, by
 * ecert_tiles_flush(), the last one of a level.
 */
typedef struct EcertTileStore
{
	void	   *context;
	EcertCode	(*read) (void *context, unsigned level, uint64_t index, unsigned width, const uint8_t **hashes);
	EcertCode	(*write) (void *context, unsigned level, uint64_t index, unsigned width, const uint8_t *hashes);

	/*
	 * A memory of complete subtrees (the 2^height leaves from start on), where
	 * many proofs are asked of one tree; both NULL: none.  recall is false when
	 * it does not know, remember may forget.
	 */
	bool		(*recall) (void *context, uint64_t start, unsigned height, uint8_t *root);
	void		(*remember) (void *context, uint64_t start, unsigned height, const uint8_t *root);
} EcertTileStore;

/* The growing edge of a tree in tiles: the last tile of each level */
typedef struct EcertTiles
{
	uint64_t	size;
	uint8_t		last[ECERT_TILE_LEVELS][ECERT_TILE_BYTES];
} EcertTiles;

/* Take up a tree of size leaves whose tiles are in store */
extern EcertCode ecert_tiles_open(EcertTiles *tiles, const EcertTileStore *store, uint64_t size);

/* Append a leaf; every tile that becomes full is written */
extern EcertCode ecert_tiles_append(EcertTiles *tiles, const EcertTileStore *store, const uint8_t *leaf);

/* Write the last tiles, which are not full */
extern EcertCode ecert_tiles_flush(const EcertTiles *tiles, const EcertTileStore *store);

/* Root of the tree of the first size leaves, 1 <= size <= what the tiles hold */
extern EcertCode ecert_tiles_root(const EcertTileStore *store, uint64_t size, uint8_t *root);

/* RFC 9162 section 2.1.3.1: inclusion proof of leaf index in the tree of size leaves; ECERT_PROOF_RANGE unless index < size */
extern EcertCode ecert_tiles_inclusion(const EcertTileStore *store, uint64_t index, uint64_t size, EcertProof *proof);

/* RFC 9162 section 2.1.4.1: consistency proof; ECERT_PROOF_RANGE unless 0 < old_size <= new_size */
extern EcertCode ecert_tiles_consistency(const EcertTileStore *store, uint64_t old_size, uint64_t new_size, EcertProof *proof);

/*
 * RFC 9162 section 2.1.3.2: the root that an inclusion proof leads to.
 * ECERT_PROOF_RANGE unless index < size, ECERT_PROOF_LENGTH when the proof has
 * too few or too many hashes for that place.
 */
extern EcertCode ecert_inclusion_root(const uint8_t *leaf, uint64_t index, uint64_t size, const EcertProof *proof, uint8_t *root);

/*
 * RFC 9162 section 2.1.4.2: ECERT_OK when proof shows that the tree (new_size,
 * new_root) begins with the tree (old_size, old_root); else ECERT_PROOF_RANGE,
 * ECERT_PROOF_LENGTH or ECERT_PROOF_WRONG.
 */
extern EcertCode ecert_consistency_check(uint64_t old_size, const uint8_t *old_root, uint64_t new_size, const uint8_t *new_root,
										 const EcertProof *proof);

#endif							/* ECERT_CORE_MERKLE_H */
