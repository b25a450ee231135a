/*
 * tree.h
 *		The Merkle tree in ledger.tile.
 */
#ifndef ECERT_CHECKPOINT_TREE_H
#define ECERT_CHECKPOINT_TREE_H

#include "ledger/ledger.h"

#include "core/checkpoint.h"

/* Have checkpoints judged by the tree at admission */
extern void ecert_checkpoint_init(void);

/*
 * A store over ledger.tile, palloc'd.  It reads as the calling query sees the
 * table, or, when it is to be written, as it is now.  Inside SPI
 */
extern EcertTileStore *ecert_tile_store(bool for_writing);

/* Raise what a tree function returned; size is that of the tree asked for */
ECERT_NORETURN extern void ecert_raise_tree(EcertCode code, uint64 size);

/* 32 bytes of a bytea; false when it has another size */
extern bool ecert_hash_from_datum(Datum value, uint8_t *hash);

/* What a checkpoint package says; raises EC100 when it is none */
extern void ecert_checkpoint_of(const EcertPackage *package, EcertCheckpoint *checkpoint);

#endif							/* ECERT_CHECKPOINT_TREE_H */
