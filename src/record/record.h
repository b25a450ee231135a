/*
 * record.h
 *		The table ledger.package, and scans of the record's tables.
 */
#ifndef ECERT_RECORD_RECORD_H
#define ECERT_RECORD_RECORD_H

#include "pg/compat.h"

#include "access/genam.h"
#include "access/sdir.h"
#include "core/package.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* Columns of ledger.package, as ecert.create_record_tables() makes them */
enum
{
	COLUMN_ISSUER = 1,
	COLUMN_KIND,
	COLUMN_SEQ,
	COLUMN_SUBJECT,
	COLUMN_PERIOD,
	COLUMN_ISSUED_AT,
	COLUMN_HASH,
	COLUMN_PACKAGE,
	COLUMN_RECORDED_AT
};

/* And of ledger.leaf_range, where COLUMN_SEQ is last_seq */
enum
{
	COLUMN_FIRST_INDEX = 5,
	COLUMN_CHECKPOINT = 6
};

/* And of ledger.finding */
enum
{
	COLUMN_PROBLEM = 4
};

/* What ledger.finding says of a package */
typedef enum EcertFound
{
	ECERT_FOUND_NOTHING,
	ECERT_FOUND_FALSE,
	ECERT_NOT_JUDGED			/* it is judged when all that its checkpoint covers is here */
} EcertFound;

/*
 * A scan of a table by one of its indexes, without a plan and an executor: a
 * transaction of one package spends a good part of its time there
 */
typedef struct EcertScan
{
	Relation	table;
	Relation	index;
	Snapshot	snapshot;
	IndexScanDesc scan;
	TupleTableSlot *slot;		/* the row at hand */
} EcertScan;

/* Raise unless the relation is an ordinary table with the columns of ledger.package, or of the record's other table of that name */
extern void ecert_check_table(Relation table);

/* Has ecert.create_record_tables() made an index of that name, beside primary keys? */
extern bool ecert_is_index_name(const char *name);

/* By the index of that name (NULL: the primary key), of whose columns the keys speak; raises when the table has lost it */
extern void ecert_scan_begin(EcertScan *scan, Oid relid, LOCKMODE lock, Snapshot snapshot, const char *index, ScanKey keys, int key_count);

/* Rows of a feed, first .. last by seq, of ledger.package, ledger.leaf_range and ledger.finding; of all of a feed also of ledger.feed */
extern void ecert_scan_feed(EcertScan *scan, Oid relid, LOCKMODE lock, Snapshot snapshot, Datum issuer, Datum kind, int64 first, int64 last);

/* The package of kind genesis of ledger.package, or what stands in the index of it */
extern void ecert_scan_genesis(EcertScan *scan, Oid relid, Snapshot snapshot);

/* The seq of the checkpoint that covers a package of a feed first; PG_INT64_MAX: none does yet */
extern int64 ecert_sealed_by(Oid ledger_relid, Snapshot snapshot, Datum issuer, Datum kind, int64 seq);

/* The same, and the last seq from there on of which that holds too */
extern int64 ecert_sealed_up_to(Oid ledger_relid, Snapshot snapshot, Datum issuer, Datum kind, int64 seq, int64 *last);

/* The last seq of a feed that a checkpoint and those before it cover; -1: none */
extern int64 ecert_covered(Oid ledger_relid, Snapshot snapshot, Datum issuer, Datum kind, int64 checkpoint);

/* The first checkpoint with that seq or a greater one that covers something first; PG_INT64_MAX: none does yet */
extern int64 ecert_next_sealing(Oid ledger_relid, Snapshot snapshot, int64 seq);

/* What was found of a package of a feed when it was admitted, or a checkpoint that covers it was taken up */
extern EcertFound ecert_found(Oid ledger_relid, Snapshot snapshot, Datum issuer, Datum kind, int64 seq);

extern bool ecert_scan_next(EcertScan *scan, ScanDirection direction);
extern void ecert_scan_end(EcertScan *scan);

/* Bytes of a column of the row at hand; of size 0 when it is NULL */
extern EcertSlice ecert_scan_bytes(EcertScan *scan, int column);

/* An id or the name of a kind as text */
extern Datum ecert_text_datum(EcertSlice bytes);
extern Datum ecert_kind_datum(EcertKind kind);

#endif							/* ECERT_RECORD_RECORD_H */
