/*
 * moved.c
 *		Notes in ecert_internal.moved which feeds a transaction has moved.
 *
 * One row for each transaction and feed, written with the feed's first package,
 * so that whoever seals, compares or works in rounds need not look at every
 * feed (moved.sql).  A transaction of one package spends a good part of its
 * time here, so the row is put into table and index without plan and executor.
 * A row too many does no harm, one too few would leave packages unsealed.
 */
#include "ledger/ledger.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type_d.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/xid8.h"

#include "package/datum.h"
#include "pg/error.h"

/* Above this many feeds a transaction begins to note them anew, so that memory stays bounded */
#define FEEDS_KEPT 65536

/* Columns of ecert_internal.moved, as moved.sql makes it */
enum
{
	COLUMN_MOVED_BY,
	COLUMN_MOVED_ISSUER,
	COLUMN_MOVED_KIND,
	MOVED_COLUMNS
};

/* The feeds that this transaction has noted: most transactions move one */
static struct
{
	bool		has_first;
	EcertFeedId first;
	HTAB	   *others;			/* in TopTransactionContext, so that at its end it need only be forgotten; NULL: none */
}			noted;

/* Within a transaction, which may have very many subtransactions that are rolled back */
static void
forget_others(void)
{
	if (noted.others != NULL)
		hash_destroy(noted.others);
	noted.others = NULL;
}

/* Also when it is prepared: the backend has nothing to do with it any more */
static void
xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PARALLEL_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
		memset(&noted, 0, sizeof noted);
}

/* Rows of the subtransaction are gone, those of its parents are noted again */
static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		forget_others();
		noted.has_first = false;
	}
}

void
ecert_moved_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

/* Is it noted already?  If not, it is taken for noted from now on */
static bool
is_noted(const EcertFeedId *id)
{
	bool		found;

	if (noted.has_first && memcmp(&noted.first, id, sizeof *id) == 0)
		return true;
	if (!noted.has_first)
	{
		noted.has_first = true;
		noted.first = *id;
		return false;
	}
	if (noted.others != NULL && hash_get_num_entries(noted.others) >= FEEDS_KEPT)
		forget_others();
	if (noted.others == NULL)
		noted.others = ecert_table(TopTransactionContext, "ecert feeds moved", sizeof(EcertFeedId), sizeof(EcertFeedId), ecert_node_id_hash);
	(void) hash_search(noted.others, id, HASH_ENTER, &found);
	return found;
}

/* The table; raises when it is not there, or not as moved.sql makes it */
static Relation
open_table(void)
{
	Oid			relid = get_relname_relid("moved", get_namespace_oid("ecert_internal", true));
	Relation	table;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"ecert_internal.moved\" is missing"),
				 errhint("It is made by CREATE EXTENSION ecert; without it nobody would see that a feed has moved.")));
	table = table_open(relid, RowExclusiveLock);
	if (table->rd_rel->relam != HEAP_TABLE_AM_OID || table->rd_rel->relkind != RELKIND_RELATION || RelationGetDescr(table)->natts != MOVED_COLUMNS ||
		TupleDescAttr(RelationGetDescr(table), COLUMN_MOVED_BY)->atttypid != XID8OID ||
		TupleDescAttr(RelationGetDescr(table), COLUMN_MOVED_ISSUER)->atttypid != TEXTOID ||
		TupleDescAttr(RelationGetDescr(table), COLUMN_MOVED_KIND)->atttypid != TEXTOID)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"ecert_internal.moved\" is not as ecert made it")));
	return table;
}

/* Put a row into an index of the table, which has no other than on moved_by; twice while that is made anew */
static void
write_entry(Relation table, Oid oid, Datum *values, bool *nulls, HeapTuple row)
{
	Relation	index = index_open(oid, RowExclusiveLock);

	if (index->rd_rel->relam != BTREE_AM_OID || index->rd_index->indnatts != 1 ||
		index->rd_index->indkey.values[0] != COLUMN_MOVED_BY + 1 || !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index \"%s\" of table \"ecert_internal.moved\" is not ecert's", RelationGetRelationName(index)),
				 errhint("Drop it: it would lack rows.")));
	(void) index_insert(index, values, nulls, &row->t_self, table, UNIQUE_CHECK_NO, false, BuildIndexInfo(index));
	index_close(index, NoLock);
}

/* Locks are held until the transaction ends: nobody empties the table behind a row that nobody sees yet */
static void
write_row(Datum *values)
{
	Relation	table = open_table();
	bool		nulls[MOVED_COLUMNS] = {false};
	HeapTuple	row = heap_form_tuple(RelationGetDescr(table), values, nulls);
	List	   *indexes = RelationGetIndexList(table);
	ListCell   *cell;

	simple_heap_insert(table, row);
	foreach(cell, indexes)
		write_entry(table, lfirst_oid(cell), values, nulls, row);
	list_free(indexes);
	table_close(table, NoLock);
}

void
ecert_moved(EcertSlice issuer, EcertKind kind)
{
	EcertFeedId id = ecert_feed_id(issuer, kind);
	Datum		values[MOVED_COLUMNS];

	if (is_noted(&id))
		return;
	values[COLUMN_MOVED_BY] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	values[COLUMN_MOVED_ISSUER] = ecert_text_datum(issuer);
	values[COLUMN_MOVED_KIND] = ecert_kind_datum(kind);
	write_row(values);
}
