/*
 * scan.c
 *		Scans of the record's tables by their indexes.
 */
#include "record/record.h"

#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "package/datum.h"
#include "pg/query.h"

Datum
ecert_text_datum(EcertSlice bytes)
{
	return PointerGetDatum(ecert_text(bytes));
}

Datum
ecert_kind_datum(EcertKind kind)
{
	return PointerGetDatum(cstring_to_text(ecert_kind_name(kind)));
}

/* The columns of the tables as ecert.create_record_tables() makes them; what has another name is taken for ledger.package */
static const struct
{
	const char *name;
	int			count;
	Oid			types[COLUMN_RECORDED_AT];	/* InvalidOid: ecert.package, whose OID differs */
}			tables[] = {
	{"feed", 2, {TEXTOID, TEXTOID}},
	{"leaf_range", 6, {TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID}},
	{"finding", 5, {TEXTOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID}},
	{"package", COLUMN_RECORDED_AT, {TEXTOID, TEXTOID, INT8OID, TEXTOID, TSTZRANGEOID, TIMESTAMPTZOID, BYTEAOID, InvalidOid, TIMESTAMPTZOID}}
};

/* Has the table a column of that type there?  Of ecert.package it is enough that its values are bytes with a length */
static bool
has_column(TupleDesc columns, int number, Oid type)
{
	const FormData_pg_attribute *column;

	if (number >= columns->natts)
		return false;
	column = TupleDescAttr(columns, number);
	return !column->attisdropped && (OidIsValid(type) ? column->atttypid == type : column->attlen == -1);
}

void
ecert_check_table(Relation table)
{
	const char *name = RelationGetRelationName(table);
	size_t		i = 0;

	while (i < lengthof(tables) - 1 && strcmp(tables[i].name, name) != 0)
		i++;
	if (table->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not an ordinary table", name),
				 errdetail("%s.", table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "It is partitioned, and so it has no index of its own" :
						   "It has no index of its own"),
				 errhint("Put the table that ecert.create_ledger() made back under its name, or restore it.")));
	for (int j = 0; j < tables[i].count; j++)
	{
		if (!has_column(RelationGetDescr(table), j, tables[i].types[j]))
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("columns of table \"%s\" are not as ecert made them", name),
					 errdetail("Column %d is missing, or of another type.", j + 1),
					 errhint("Put the table that ecert.create_ledger() made back under its name, or restore it.")));
	}
}

/* The indexes as ecert.create_record_tables() makes them: what is scanned by another of the name would be no answer */
static const struct
{
	const char *name;			/* NULL: the primary key, of ledger.feed too */
	Oid			method;
	bool		is_partial;
	AttrNumber	columns[3];		/* 0: an expression */
	Oid			types[3];		/* InvalidOid: no more columns are looked at */
}			indexes[] = {
	{NULL, BTREE_AM_OID, false, {COLUMN_ISSUER, COLUMN_KIND, COLUMN_SEQ}, {TEXTOID, TEXTOID, INT8OID}},
	{"package_hash", HASH_AM_OID, false, {COLUMN_HASH}, {BYTEAOID}},
	{"package_subject_kind_period", BTREE_AM_OID, false, {COLUMN_SUBJECT, COLUMN_KIND, 0}, {TEXTOID, TEXTOID, TIMESTAMPTZOID}},
	{"package_genesis", BTREE_AM_OID, true, {COLUMN_KIND}, {TEXTOID}},
	{"package_reference", BTREE_AM_OID, true, {0}, {BYTEAOID}},
	{"package_kind", BTREE_AM_OID, true, {COLUMN_KIND, COLUMN_ISSUER, COLUMN_SEQ}, {TEXTOID, TEXTOID, INT8OID}},
	{"package_kids", GIN_AM_OID, true, {0}, {InvalidOid}},
	{"leaf_range_feed", BTREE_AM_OID, false, {COLUMN_ISSUER, COLUMN_KIND, COLUMN_CHECKPOINT}, {TEXTOID, TEXTOID, INT8OID}},
	{"leaf_range_checkpoint", BTREE_AM_OID, false, {COLUMN_CHECKPOINT, COLUMN_FIRST_INDEX}, {INT8OID, INT8OID}},
};

bool
ecert_is_index_name(const char *name)
{
	for (size_t i = 0; i < lengthof(indexes); i++)
	{
		if (indexes[i].name != NULL && strcmp(indexes[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool
is_as_made(Relation index, const char *name)
{
	const Form_pg_index form = index->rd_index;
	size_t		i = 0;

	while (name != NULL && (indexes[i].name == NULL || strcmp(indexes[i].name, name) != 0))
		i++;
	if (!form->indisvalid || index->rd_rel->relam != indexes[i].method ||
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) == indexes[i].is_partial)
		return false;
	for (int j = 0; j < 3 && OidIsValid(indexes[i].types[j]); j++)
	{
		/* a feed's row has no seq */
		if (j == form->indnkeyatts)
			return name == NULL && j == 2;
		if (form->indkey.values[j] != indexes[i].columns[j] || index->rd_opcintype[j] != indexes[i].types[j])
			return false;
	}
	return true;
}

void
ecert_scan_begin(EcertScan *scan, Oid relid, LOCKMODE lock, Snapshot snapshot, const char *index, ScanKey keys, int key_count)
{
	Oid			oid;

	scan->table = table_open(relid, lock);
	ecert_check_table(scan->table);
	oid = index == NULL ? ecert_primary_key_of(scan->table) : get_relname_relid(index, RelationGetNamespace(scan->table));
	scan->index = OidIsValid(oid) && get_rel_relkind(oid) == RELKIND_INDEX ? index_open(oid, AccessShareLock) : NULL;
	if (scan->index == NULL || scan->index->rd_index->indrelid != relid || !is_as_made(scan->index, index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 index == NULL ?
				 errmsg("table \"%s\" has lost its primary key", RelationGetRelationName(scan->table)) :
				 errmsg("table \"%s\" has lost its index \"%s\"", RelationGetRelationName(scan->table), index),
				 errdetail("It is not there, or not as ecert made it."),
				 errhint("A row of ledger.health has the statement that makes it again: no feed can be kept without it.")));
	scan->snapshot = RegisterSnapshot(snapshot);
	scan->slot = table_slot_create(scan->table, NULL);
	scan->scan = ecert_index_beginscan(scan->table, scan->index, scan->snapshot, key_count);
	index_rescan(scan->scan, keys, key_count, NULL, 0);
}

void
ecert_scan_feed(EcertScan *scan, Oid relid, LOCKMODE lock, Snapshot snapshot, Datum issuer, Datum kind, int64 first, int64 last)
{
	ScanKeyData keys[4];
	int			count = 2;

	ScanKeyInit(&keys[0], COLUMN_ISSUER, BTEqualStrategyNumber, F_TEXTEQ, issuer);
	ScanKeyInit(&keys[1], COLUMN_KIND, BTEqualStrategyNumber, F_TEXTEQ, kind);
	if (first > 0)
		ScanKeyInit(&keys[count++], COLUMN_SEQ, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(first));
	if (last < PG_INT64_MAX)
		ScanKeyInit(&keys[count++], COLUMN_SEQ, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(last));
	ecert_scan_begin(scan, relid, lock, snapshot, NULL, keys, count);
}

void
ecert_scan_genesis(EcertScan *scan, Oid relid, Snapshot snapshot)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ, ecert_kind_datum(ECERT_KIND_GENESIS));
	ecert_scan_begin(scan, relid, AccessShareLock, snapshot, "package_genesis", &key, 1);
}

/* A column of seqs of the row of ledger.leaf_range at hand, or what else where there is none */
static int64
end_with_seq(EcertScan *scan, ScanDirection direction, int column, int64 otherwise)
{
	bool		isnull;
	int64		seq = ecert_scan_next(scan, direction) ? DatumGetInt64(slot_getattr(scan->slot, column, &isnull)) : otherwise;

	ecert_scan_end(scan);
	return seq;
}

/* A table beside ledger.package */
static Oid
relid_beside(Oid ledger_relid, const char *table)
{
	Oid			relid = get_relname_relid(table, get_rel_namespace(ledger_relid));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"ledger.%s\" is missing", table)));
	return relid;
}

int64
ecert_sealed_up_to(Oid ledger_relid, Snapshot snapshot, Datum issuer, Datum kind, int64 seq, int64 *last)
{
	int64		checkpoint = PG_INT64_MAX;
	EcertScan	scan;
	bool		isnull;

	*last = PG_INT64_MAX;
	/* its primary key is (issuer, kind, last_seq) */
	ecert_scan_feed(&scan, relid_beside(ledger_relid, "leaf_range"), AccessShareLock, snapshot, issuer, kind, seq, PG_INT64_MAX);
	if (ecert_scan_next(&scan, ForwardScanDirection))
	{
		*last = DatumGetInt64(slot_getattr(scan.slot, COLUMN_SEQ, &isnull));
		checkpoint = DatumGetInt64(slot_getattr(scan.slot, COLUMN_CHECKPOINT, &isnull));
	}
	ecert_scan_end(&scan);
	return checkpoint;
}

int64
ecert_sealed_by(Oid ledger_relid, Snapshot snapshot, Datum issuer, Datum kind, int64 seq)
{
	int64		last;

	return ecert_sealed_up_to(ledger_relid, snapshot, issuer, kind, seq, &last);
}

int64
ecert_covered(Oid ledger_relid, Snapshot snapshot, Datum issuer, Datum kind, int64 checkpoint)
{
	ScanKeyData keys[3];
	EcertScan	scan;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, issuer);
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, kind);
	ScanKeyInit(&keys[2], 3, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(checkpoint));
	ecert_scan_begin(&scan, relid_beside(ledger_relid, "leaf_range"), AccessShareLock, snapshot, "leaf_range_feed", keys, lengthof(keys));
	return end_with_seq(&scan, BackwardScanDirection, COLUMN_SEQ, -1);
}

int64
ecert_next_sealing(Oid ledger_relid, Snapshot snapshot, int64 seq)
{
	ScanKeyData key;
	EcertScan	scan;

	ScanKeyInit(&key, 1, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(seq));
	ecert_scan_begin(&scan, relid_beside(ledger_relid, "leaf_range"), AccessShareLock, snapshot, "leaf_range_checkpoint", &key, 1);
	return end_with_seq(&scan, ForwardScanDirection, COLUMN_CHECKPOINT, PG_INT64_MAX);
}

EcertFound
ecert_found(Oid ledger_relid, Snapshot snapshot, Datum issuer, Datum kind, int64 seq)
{
	Oid			relid = relid_beside(ledger_relid, "finding");
	Relation	table = table_open(relid, AccessShareLock);
	EcertFound	found = ECERT_FOUND_NOTHING;
	bool		is_empty;
	EcertScan	scan;

	ecert_check_table(table);
	is_empty = RelationGetNumberOfBlocks(table) == 0;
	table_close(table, NoLock);
	/* mostly nothing was found at all */
	if (is_empty)
		return found;
	ecert_scan_feed(&scan, relid, AccessShareLock, snapshot, issuer, kind, seq, seq);
	if (ecert_scan_next(&scan, ForwardScanDirection))
		found = slot_attisnull(scan.slot, COLUMN_PROBLEM) ? ECERT_NOT_JUDGED : ECERT_FOUND_FALSE;
	ecert_scan_end(&scan);
	return found;
}

bool
ecert_scan_next(EcertScan *scan, ScanDirection direction)
{
	CHECK_FOR_INTERRUPTS();
	return index_getnext_slot(scan->scan, direction, scan->slot);
}

void
ecert_scan_end(EcertScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	UnregisterSnapshot(scan->snapshot);
	index_close(scan->index, AccessShareLock);
	table_close(scan->table, NoLock);
}

EcertSlice
ecert_scan_bytes(EcertScan *scan, int column)
{
	bool		isnull;
	Datum		value = slot_getattr(scan->slot, column, &isnull);

	return isnull ? ecert_slice(NULL, 0) : ecert_varlena_slice(PG_DETOAST_DATUM_PACKED(value));
}
