/*
 * guard.c
 *		Refuses DDL that would open the ledger, where the library is in
 *		shared_preload_libraries.
 *
 * A table is guarded by what its triggers are: always firing, without a
 * condition, calling functions of the extension, for UPDATE, DELETE and
 * TRUNCATE.  So ledger.package and the tables of proofs are found by OIDs and
 * dependencies, under whatever name, and a table that is being made or restored
 * is not guarded yet.  With them the extension's own objects are held, because
 * the triggers run on them.
 *
 * Only commands are judged: what PostgreSQL does of itself on the way (the
 * indexes of REINDEX CONCURRENTLY, the new heap of VACUUM FULL) it marks as
 * internal.  Quiet when not preloaded, because a hook set in one session would
 * protect that session only.
 */
#include "ledger/ledger.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/error.h"
#include "pg/guc.h"

/* What is done to what */
typedef struct Event
{
	ObjectAccessType access;
	Oid			class;
	Oid			object;
	int			part;			/* column; 0: the whole */
	Oid			other;			/* of an inheritance the parent */
	Oid			extension;		/* ecert's */
	Oid			table;			/* the guarded one that it concerns, where it is known */
} Event;

static object_access_hook_type next_hook = NULL;
static ProcessUtility_hook_type next_utility_hook = NULL;

/* The statement that is being run says only where and how tables, indexes and columns are stored */
static bool is_tuning = false;

/* It only lets triggers fire always: the hook is called for each trigger, and from PostgreSQL 17 on for the table too */
static bool is_enabling = false;

/*
 * The row of an object in a catalog, palloc'd, NULL when there is none.  With
 * SnapshotSelf it is as the command at hand has left it, with NULL as the
 * command found it
 */
static HeapTuple
read_row(Oid class, Oid index, AttrNumber key_column, Oid object, Snapshot snapshot)
{
	Relation	catalog = table_open(class, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, key_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(catalog, index, true, snapshot, 1, &key);
	row = systable_getnext(scan);
	row = HeapTupleIsValid(row) ? heap_copytuple(row) : NULL;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return row;
}

static HeapTuple
read_trigger(Oid trigger, Snapshot snapshot)
{
	return read_row(TriggerRelationId, TriggerOidIndexId, Anum_pg_trigger_oid, trigger, snapshot);
}

static bool
is_member(Oid class, Oid object, Oid extension)
{
	return getExtensionOfObject(class, object) == extension;
}

/* All that may not be done to a table: for each a trigger that always fires and calls a function of the extension */
static const int16 refused[] = {
	TRIGGER_TYPE_ROW | TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE,
	TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE | TRIGGER_TYPE_TRUNCATE
};

/* The bit of what a trigger of the extension refuses; 0: nothing, always */
static int
refuses(HeapTuple row, TupleDesc columns, Oid extension)
{
	const FormData_pg_trigger *trigger = (const FormData_pg_trigger *) GETSTRUCT(row);

	for (int i = 0; i < lengthof(refused); i++)
	{
		if (trigger->tgenabled == TRIGGER_FIRES_ALWAYS && trigger->tgtype == refused[i] && trigger->tgattr.dim1 == 0 &&
			heap_attisnull(row, Anum_pg_trigger_tgqual, columns) && is_member(ProcedureRelationId, trigger->tgfoid, extension))
			return 1 << i;
	}
	return 0;
}

/* Was the table guarded when the command began? */
static bool
is_guarded(Oid table, Oid extension)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	int			found = 0;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		found |= refuses(row, RelationGetDescr(catalog), extension);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found == (1 << lengthof(refused)) - 1;
}

/* The guarded tables of this database.  Few triggers fire always */
static List *
guarded_tables(Oid extension)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	List	   *tables = NIL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		const FormData_pg_trigger *trigger = (const FormData_pg_trigger *) GETSTRUCT(row);

		CHECK_FOR_INTERRUPTS();
		if (trigger->tgenabled == TRIGGER_FIRES_ALWAYS && !list_member_oid(tables, trigger->tgrelid) && is_guarded(trigger->tgrelid, extension))
			tables = lappend_oid(tables, trigger->tgrelid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return tables;
}

/* Is the extension, or a guarded table, in the schema? */
static bool
is_our_schema(Oid schema, Oid extension)
{
	Relation	catalog = table_open(DependRelationId, AccessShareLock);
	bool		found = false;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(NamespaceRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(schema));
	scan = systable_beginscan(catalog, DependReferenceIndexId, true, NULL, lengthof(keys), keys);
	while (!found && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		const FormData_pg_depend *depend = (const FormData_pg_depend *) GETSTRUCT(row);

		CHECK_FOR_INTERRUPTS();
		found = (depend->classid == ExtensionRelationId && depend->objid == extension) ||
			(depend->classid == RelationRelationId && is_guarded(depend->objid, extension));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* The table, when it or an index that ecert made on it is meant; a user's own index is the user's */
static Oid
table_of_relation(const Event *event)
{
	HeapTuple	row;
	bool		is_ours;

	if (get_rel_relkind(event->object) != RELKIND_INDEX)
		return event->object;
	row = read_row(IndexRelationId, IndexRelidIndexId, Anum_pg_index_indexrelid, event->object, NULL);
	is_ours = row != NULL && (((const FormData_pg_index *) GETSTRUCT(row))->indisprimary || ecert_is_index_name(get_rel_name(event->object)));
	return is_ours ? ((const FormData_pg_index *) GETSTRUCT(row))->indrelid : InvalidOid;
}

/*
 * The table of a trigger.  Triggers of foreign keys that point to the table are
 * harmless, and so is it to put one of ecert's in place, as a restore does, and
 * then let it fire always
 */
static Oid
table_of_trigger(const Event *event)
{
	HeapTuple	before = read_trigger(event->object, NULL);
	HeapTuple	after = read_trigger(event->object, SnapshotSelf);
	const FormData_pg_trigger *old = before == NULL ? NULL : (const FormData_pg_trigger *) GETSTRUCT(before);
	const FormData_pg_trigger *new = after == NULL ? NULL : (const FormData_pg_trigger *) GETSTRUCT(after);

	if (new == NULL || new->tgisinternal)
		return InvalidOid;
	if (event->access == OAT_POST_CREATE && old == NULL && is_member(ProcedureRelationId, new->tgfoid, event->extension))
		return InvalidOid;
	if (event->access == OAT_POST_ALTER && old != NULL && new->tgenabled == TRIGGER_FIRES_ALWAYS && old->tgenabled != new->tgenabled &&
		is_member(ProcedureRelationId, new->tgfoid, event->extension))
		return InvalidOid;
	return new->tgrelid;
}

/* The table of a constraint; a restore makes the primary key behind the triggers */
static Oid
table_of_constraint(const Event *event)
{
	HeapTuple	row = read_row(ConstraintRelationId, ConstraintOidIndexId, Anum_pg_constraint_oid, event->object, SnapshotSelf);
	const FormData_pg_constraint *constraint = row == NULL ? NULL : (const FormData_pg_constraint *) GETSTRUCT(row);

	return constraint == NULL || (event->access == OAT_POST_CREATE && constraint->contype == CONSTRAINT_PRIMARY) ? InvalidOid : constraint->conrelid;
}

/* The table that a command concerns by something that hangs on it, or by itself; InvalidOid: none, or it does it no harm */
static Oid
table_of(const Event *event)
{
	HeapTuple	row;

	switch (event->class)
	{
		case RelationRelationId:
			return table_of_relation(event);
		case TriggerRelationId:
			return table_of_trigger(event);
		case ConstraintRelationId:
			return table_of_constraint(event);
		case RewriteRelationId:
			row = read_row(event->class, RewriteOidIndexId, Anum_pg_rewrite_oid, event->object, SnapshotSelf);
			return row == NULL ? InvalidOid : ((const FormData_pg_rewrite *) GETSTRUCT(row))->ev_class;
		case PolicyRelationId:
			row = read_row(event->class, PolicyOidIndexId, Anum_pg_policy_oid, event->object, SnapshotSelf);
			return row == NULL ? InvalidOid : ((const FormData_pg_policy *) GETSTRUCT(row))->polrelid;
		default:
			return InvalidOid;
	}
}

static bool
opens_table(Event *event)
{
	/* children and parents would mix their rows with the record's */
	if (event->class == InheritsRelationId)
		event->table = is_guarded(event->object, event->extension) ? event->object : event->other;
	else
		event->table = table_of(event);
	return OidIsValid(event->table) && is_guarded(event->table, event->extension);
}

/* Is it the extension's, or the attributes of a type of its, which are a relation's columns? */
static bool
is_of_extension(const Event *event)
{
	if (event->class == RelationRelationId && get_rel_relkind(event->object) == RELKIND_COMPOSITE_TYPE)
		return is_member(TypeRelationId, get_rel_type_id(event->object), event->extension);
	return is_member(event->class, event->object, event->extension);
}

/* The functions, types and schemas that admission and the triggers run on */
static bool
changes_extension(const Event *event)
{
	return event->access != OAT_TRUNCATE &&
		(is_of_extension(event) ||
		 (event->class == NamespaceRelationId && is_our_schema(event->object, event->extension))) &&
		guarded_tables(event->extension) != NIL;
}

/* Is it a command that changes something, not a step of one, and not a new object that does no harm? */
static bool
is_command(ObjectAccessType access, Oid class, int part, void *argument)
{
	switch (access)
	{
		case OAT_POST_CREATE:
			/* a function that is replaced is created once more */
			return (argument == NULL || !((ObjectAccessPostCreate *) argument)->is_internal) &&
				(class == TriggerRelationId || class == RewriteRelationId || class == PolicyRelationId || class == ConstraintRelationId ||
				 class == ProcedureRelationId || (class == RelationRelationId && part != 0));
		case OAT_DROP:
			return argument == NULL || (((ObjectAccessDrop *) argument)->dropflags & PERFORM_DELETION_INTERNAL) == 0;
		case OAT_POST_ALTER:
			return !is_tuning && (argument == NULL || !((ObjectAccessPostAlter *) argument)->is_internal);
		case OAT_TRUNCATE:
			return true;
		default:
			return false;
	}
}

static const char *
access_name(const Event *event)
{
	switch (event->access)
	{
		case OAT_DROP:
			return "DROP";
		case OAT_TRUNCATE:
			return "TRUNCATE";
		case OAT_POST_CREATE:
			return "CREATE";
		default:
			return "ALTER";
	}
}

static void
refuse(const Event *event)
{
	ObjectAddress address;
	char	   *object = NULL;

	if (event->class != InheritsRelationId && OidIsValid(event->object))
	{
		ObjectAddressSubSet(address, event->class, event->object, event->part);
		/* of what the command has just made there is no description yet */
		object = getObjectDescription(&address, true);
	}
	if (object == NULL && OidIsValid(event->table))
	{
		ObjectAddressSet(address, RelationRelationId, event->table);
		object = getObjectDescription(&address, true);
	}
	ereport(ERROR,
			(errcode(ERRCODE_ECERT_APPEND_ONLY),
			 errmsg("%s is refused: it would open the ledger", access_name(event)),
			 object == NULL ? 0 : errdetail("It concerns %s.", object),
			 errhint("A superuser who means it sets ecert.allow_ledger_ddl for the session.")));
}

/* The extension that holds the ledger, where the guard has something to say now; else InvalidOid */
static Oid
guarding_extension(void)
{
	Oid			extension;

	if (ecert_allow_ledger_ddl || IsBinaryUpgrade || !IsTransactionState())
		return InvalidOid;
	extension = get_extension_oid("ecert", true);
	/* its own scripts may change what they like */
	return creating_extension && CurrentExtensionObject == extension ? InvalidOid : extension;
}

static void
guard(ObjectAccessType access, Oid class, Oid object, int part, void *argument)
{
	Event		event = {access, class, object, part, InvalidOid, InvalidOid, InvalidOid};

	if (next_hook != NULL)
		next_hook(access, class, object, part, argument);
	if (!is_command(access, class, part, argument) || (is_enabling && access == OAT_POST_ALTER && class == RelationRelationId))
		return;
	event.extension = guarding_extension();
	if (!OidIsValid(event.extension))
		return;
	if (access == OAT_POST_ALTER && argument != NULL)
		event.other = ((ObjectAccessPostAlter *) argument)->auxiliary_id;
	if (opens_table(&event) || changes_extension(&event))
		refuse(&event);
}

/* How often row security hides rows of guarded tables: from others, and from the owner; *table is the last such table */
static int
count_hiding(Oid extension, Oid *table)
{
	int			count = 0;
	ListCell   *cell;

	foreach(cell, guarded_tables(extension))
	{
		HeapTuple	row = read_row(RelationRelationId, ClassOidIndexId, Anum_pg_class_oid, lfirst_oid(cell), SnapshotSelf);
		const FormData_pg_class *class = row == NULL ? NULL : (const FormData_pg_class *) GETSTRUCT(row);

		if (class == NULL || !(class->relrowsecurity || class->relforcerowsecurity))
			continue;
		count += class->relrowsecurity + class->relforcerowsecurity;
		*table = lfirst_oid(cell);
	}
	return count;
}

/* Are all commands of an ALTER TABLE or INDEX of those sorts? */
static bool
has_only(const AlterTableStmt *alter, const AlterTableType *sorts, int count)
{
	ListCell   *cell;

	foreach(cell, alter->cmds)
	{
		int			i = 0;

		while (i < count && sorts[i] != lfirst_node(AlterTableCmd, cell)->subtype)
			i++;
		if (i == count)
			return false;
	}
	return true;
}

static bool
only_tunes(Node *statement)
{
	static const AlterTableType storage[] = {
		AT_SetRelOptions, AT_ResetRelOptions, AT_SetOptions, AT_ResetOptions, AT_SetStatistics,
		AT_SetStorage, AT_SetCompression, AT_SetTableSpace, AT_ReplicaIdentity
	};

	return IsA(statement, AlterTableMoveAllStmt) ||
		(IsA(statement, AlterTableStmt) && has_only((const AlterTableStmt *) statement, storage, lengthof(storage)));
}

static bool
only_enables(Node *statement)
{
	static const AlterTableType always[] = {AT_EnableAlwaysTrig};

	return IsA(statement, AlterTableStmt) && has_only((const AlterTableStmt *) statement, always, lengthof(always));
}

/*
 * Does it take objects out of the extension, or put some in?  The other hook
 * could not tell that from an update.  Nor does another extension get a guarded
 * table, or the schema of one: dumps would leave it out
 */
static bool
changes_members(Node *statement, Oid extension)
{
	const AlterExtensionContentsStmt *change = (const AlterExtensionContentsStmt *) statement;
	ObjectAddress address;
	Relation	relation = NULL;

	if (!IsA(statement, AlterExtensionContentsStmt))
		return false;
	if (strcmp(change->extname, "ecert") == 0)
		return true;
	if (change->objtype != OBJECT_TABLE && change->objtype != OBJECT_SCHEMA)
		return false;
	address = get_object_address(change->objtype, change->object, &relation, AccessShareLock, true);
	if (relation != NULL)
		table_close(relation, NoLock);
	return address.classId == RelationRelationId ? is_guarded(address.objectId, extension) :
		OidIsValid(address.objectId) && is_our_schema(address.objectId, extension);
}

/*
 * What the other hook cannot judge.  Row security is switched on without a call
 * of it; what the statement has done tells on which table
 */
static void
guard_utility(PlannedStmt *statement, const char *query, bool read_only_tree, ProcessUtilityContext context, ParamListInfo parameters,
			  QueryEnvironment *environment, DestReceiver *destination, QueryCompletion *completion)
{
	ProcessUtility_hook_type volatile next = next_utility_hook != NULL ? next_utility_hook : standard_ProcessUtility;
	bool		alters = IsA(statement->utilityStmt, AlterTableStmt) || IsA(statement->utilityStmt, AlterExtensionContentsStmt);
	Oid			extension = alters ? guarding_extension() : InvalidOid;
	Event		event = {OAT_POST_ALTER, ExtensionRelationId, extension, 0, InvalidOid, extension, InvalidOid};
	int			hiding = OidIsValid(extension) ? count_hiding(extension, &event.table) : 0;
	bool		was_tuning = is_tuning;
	bool		was_enabling = is_enabling;

	if (OidIsValid(extension) && changes_members(statement->utilityStmt, extension) && guarded_tables(extension) != NIL)
		refuse(&event);
	is_tuning = only_tunes(statement->utilityStmt);
	is_enabling = only_enables(statement->utilityStmt);
	PG_TRY();
	{
		next(statement, query, read_only_tree, context, parameters, environment, destination, completion);
	}
	PG_FINALLY();
	{
		is_tuning = was_tuning;
		is_enabling = was_enabling;
	}
	PG_END_TRY();
	event.object = InvalidOid;
	if (OidIsValid(extension) && count_hiding(extension, &event.table) > hiding)
		refuse(&event);
}

void
ecert_guard_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	next_hook = object_access_hook;
	object_access_hook = guard;
	next_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = guard_utility;
}
