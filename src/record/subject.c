/*
 * subject.c
 *		Packages about a subject, by the index of subjects.
 *
 * A query would be planned, and the planner would rather walk a feed from its
 * end, because that gives the order by seq: through all nodes to the one asked
 * for.  The scan has no choice to make.
 */
#include "record/record.h"

#include "access/genam.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "package/datum.h"
#include "pg/query.h"

/* The index on (subject, kind, ...); invalid when it is not there, and the whole table has to be read */
static Oid
index_of_subjects(Relation table)
{
	Oid			index = get_relname_relid("package_subject_kind_period", RelationGetNamespace(table));
	List	   *indexes = RelationGetIndexList(table);

	if (!list_member_oid(indexes, index))
		index = InvalidOid;
	list_free(indexes);
	return index;
}

/* Take the row's seq and a copy of its package when the issuer is the one asked for, and the seq greater than *seq */
static void
take_newer(HeapTuple row, TupleDesc columns, EcertSlice issuer, int64 *seq, EcertSlice *bytes)
{
	bool		isnull[3];
	Datum		row_issuer = heap_getattr(row, COLUMN_ISSUER, columns, &isnull[0]);
	Datum		row_seq = heap_getattr(row, COLUMN_SEQ, columns, &isnull[1]);
	Datum		package = heap_getattr(row, COLUMN_PACKAGE, columns, &isnull[2]);

	if (isnull[0] || isnull[1] || isnull[2] || DatumGetInt64(row_seq) <= *seq ||
		!ecert_slice_equal(ecert_varlena_slice(DatumGetTextPP(row_issuer)), issuer))
		return;
	*seq = DatumGetInt64(row_seq);
	*bytes = ecert_varlena_slice((struct varlena *) PG_DETOAST_DATUM_COPY(package));
}

EcertSlice
ecert_newest_about(Oid relid, EcertSlice subject, EcertSlice issuer, EcertKind kind)
{
	Relation	table = table_open(relid, AccessShareLock);
	Oid			index = index_of_subjects(table);
	Snapshot	snapshot = RegisterSnapshot(ecert_present_snapshot());
	EcertSlice	bytes = ecert_slice(NULL, 0);
	int64		seq = -1;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&keys[0], COLUMN_SUBJECT, BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(ecert_text(subject)));
	ScanKeyInit(&keys[1], COLUMN_KIND, BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(cstring_to_text(ecert_kind_name(kind))));
	scan = systable_beginscan(table, index, OidIsValid(index), snapshot, lengthof(keys), keys);
	while ((row = systable_getnext(scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		take_newer(row, RelationGetDescr(table), issuer, &seq, &bytes);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return bytes;
}
