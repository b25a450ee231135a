/*
 * guard.c
 *		Refuses DDL that would open the ledger, where the library is in
 *		shared_preload_libraries.
 *
 * Objects are matched by OID, through pg_depend's neighbours: a rename or a
 * trigger's identity text cannot slip past.  Quiet when not preloaded, because
 * a hook set in one session would protect that session only.
 */
#include "ledger/ledger.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/error.h"
#include "pg/guc.h"

static object_access_hook_type next_hook = NULL;

/*
 * The table of a trigger, rule or constraint: the OID in one column of its catalog row;
 * InvalidOid when the row is not there.
 */
static Oid
table_of(Oid class, Oid index, AttrNumber key_column, AttrNumber table_column, Oid object)
{
	Relation	catalog = table_open(class, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	Oid			table = InvalidOid;
	bool		isnull;

	ScanKeyInit(&key, key_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	/* what is being made or changed is seen with its new row */
	scan = systable_beginscan(catalog, index, true, SnapshotSelf, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		table = DatumGetObjectId(heap_getattr(row, table_column, RelationGetDescr(catalog), &isnull));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return table;
}

/* What hangs on a table: its catalog, the index by OID, and the columns of its OID and of the table's */
static const struct
{
	Oid			class;
	Oid			index;
	AttrNumber	key_column;
	AttrNumber	table_column;
}			hanging[] = {
	{TriggerRelationId, TriggerOidIndexId, Anum_pg_trigger_oid, Anum_pg_trigger_tgrelid},
	{RewriteRelationId, RewriteOidIndexId, Anum_pg_rewrite_oid, Anum_pg_rewrite_ev_class},
	{ConstraintRelationId, ConstraintOidIndexId, Anum_pg_constraint_oid, Anum_pg_constraint_conrelid},
	{PolicyRelationId, PolicyOidIndexId, Anum_pg_policy_oid, Anum_pg_policy_polrelid}
};

/* Is it the ledger's table, its schema, or something that hangs on the table? */
static bool
belongs_to_ledger(Oid class, Oid object, Oid ledger)
{
	if (class == RelationRelationId)
		return object == ledger || (get_rel_relkind(object) == RELKIND_INDEX && IndexGetRelation(object, true) == ledger);
	if (class == NamespaceRelationId)
		return object == get_rel_namespace(ledger);
	for (int i = 0; i < lengthof(hanging); i++)
	{
		if (hanging[i].class == class)
			return ledger == table_of(class, hanging[i].index, hanging[i].key_column, hanging[i].table_column, object);
	}
	return false;
}

/*
 * Are the ledger's four triggers in place and set to fire always?  While it is
 * being made, or restored from a dump, they are not, and then there is nothing
 * to guard yet.  The catalog's own snapshot does not see what the command at
 * hand has just changed.
 */
static bool
is_in_force(Oid ledger)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	Oid			ours = get_namespace_oid("ecert", true);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	int			in_force = 0;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(ledger));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(row);

		in_force += trigger->tgenabled == TRIGGER_FIRES_ALWAYS && get_func_namespace(trigger->tgfoid) == ours;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return in_force >= 4;
}

/* Internal changes keep the contents: VACUUM FULL, REINDEX, triggers of foreign keys */
static bool
is_internal(ObjectAccessType access, void *argument)
{
	if (argument == NULL)
		return false;
	if (access == OAT_POST_ALTER)
		return ((ObjectAccessPostAlter *) argument)->is_internal;
	return access == OAT_POST_CREATE && ((ObjectAccessPostCreate *) argument)->is_internal;
}

/*
 * A new trigger or rule could swallow packages, a row security policy hide
 * them, a new column get between them; any other new object is harmless.
 */
static bool
concerns_us(ObjectAccessType access, Oid class, int part)
{
	bool		changes_rows = class == TriggerRelationId || class == RewriteRelationId ||
		class == PolicyRelationId;

	switch (access)
	{
		case OAT_POST_CREATE:
			return changes_rows || (class == RelationRelationId && part != 0);
		case OAT_DROP:
		case OAT_POST_ALTER:
		case OAT_TRUNCATE:
			return changes_rows || class == RelationRelationId || class == ConstraintRelationId ||
				class == NamespaceRelationId;
		default:
			return false;
	}
}

static const char *
access_name(ObjectAccessType access)
{
	return access == OAT_DROP ? "DROP" : access == OAT_TRUNCATE ? "TRUNCATE" :
		access == OAT_POST_ALTER ? "ALTER" : "CREATE TRIGGER, RULE, POLICY or COLUMN";
}

static void
guard(ObjectAccessType access, Oid class, Oid object, int part, void *argument)
{
	Oid			ledger;

	if (next_hook != NULL)
		next_hook(access, class, object, part, argument);
	if (!concerns_us(access, class, part) || is_internal(access, argument) || ecert_allow_ledger_ddl ||
		IsBinaryUpgrade || !IsTransactionState())
		return;
	ledger = ecert_find_ledger();
	if (OidIsValid(ledger) && belongs_to_ledger(class, object, ledger) && is_in_force(ledger))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_APPEND_ONLY),
				 errmsg("%s is refused: it would open the ledger", access_name(access)),
				 errhint("A superuser who means it sets ecert.allow_ledger_ddl for the session.")));
}

void
ecert_guard_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	next_hook = object_access_hook;
	object_access_hook = guard;
}
