/*
 * trigger.c
 *		The triggers of ledger.package: the way to admission, and changes refused.
 */
#include "ledger/ledger.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "package/datum.h"
#include "pg/error.h"

/* The row with every column derived from the package */
static HeapTuple
derived_row(Relation relation, HeapTuple row, const EcertPackage *package, const uint8_t *hash)
{
	int			columns[] = {
		COLUMN_ISSUER, COLUMN_KIND, COLUMN_SEQ, COLUMN_SUBJECT, COLUMN_PERIOD,
		COLUMN_ISSUED_AT, COLUMN_HASH, COLUMN_RECORDED_AT
	};
	Datum		values[lengthof(columns)] = {0};
	bool		nulls[lengthof(columns)] = {false};
	EcertPeriod period;

	values[0] = PointerGetDatum(ecert_text(package->issuer));
	values[1] = PointerGetDatum(cstring_to_text(ecert_kind_name(package->kind)));
	values[2] = Int64GetDatum(package->seq);
	values[3] = PointerGetDatum(ecert_text(package->subject));
	nulls[4] = !ecert_body_period(package, &period);
	if (!nulls[4])
		values[4] = ecert_period_datum(period);
	values[5] = TimestampTzGetDatum(ecert_timestamp(package->issued_at));
	values[6] = PointerGetDatum(ecert_bytea(ecert_slice(hash, ECERT_HASH_SIZE)));
	values[7] = TimestampTzGetDatum(GetCurrentTimestamp());
	return heap_modify_tuple_by_cols(row, RelationGetDescr(relation), lengthof(columns),
									 columns, values, nulls);
}

/* Raise unless this is the BEFORE INSERT row trigger of a table like ledger.package */
static void
check_trigger(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("ecert.admit() must be called as BEFORE INSERT row trigger")));
	ecert_check_table(trigger->tg_relation);
}

/* The package that is to be admitted; of a peer that sends none, no bytes */
static Datum
package_of_row(const TriggerData *trigger, bool from_peer)
{
	bool		isnull;
	Datum		value = heap_getattr(trigger->tg_trigtuple, COLUMN_PACKAGE, RelationGetDescr(trigger->tg_relation), &isnull);

	if (isnull && from_peer)
		return PointerGetDatum(ecert_bytea(ecert_slice(NULL, 0)));
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a row of the ledger needs its package"),
				 errhint("INSERT INTO ledger.package (package) VALUES (...); the other columns are derived from it.")));
	return value;
}

/*
 * A ledger begins with a package alone.  A row with all of its columns is that
 * of a dump, whose other tables would contradict what is derived here
 */
static void
refuse_restored_row(TriggerData *trigger)
{
	if (heap_attisnull(trigger->tg_trigtuple, COLUMN_HASH, RelationGetDescr(trigger->tg_relation)) ||
		ecert_registry_of(RelationGetRelid(trigger->tg_relation))->has_genesis)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ECERT_NO_LEDGER),
			 errmsg("rows of a dump cannot be put into table \"%s\" while its triggers are on", RelationGetRelationName(trigger->tg_relation)),
			 errhint("Restore schema and data together. Data alone: with pg_restore --data-only --disable-triggers and "
					 "PGOPTIONS='-c ecert.allow_ledger_ddl=on', then SELECT ecert.upgrade_ledger().")));
}

/* The trigger of admission: a peer's package is settled, any other admitted, and its row derived from it */
ECERT_FUNCTION(ecert_admit)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool		from_peer = SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
	EcertPackage package;
	EcertUser	before;
	uint8_t		hash[ECERT_HASH_SIZE];
	Datum		value;
	bool		is_checked;

	check_trigger(fcinfo);
	refuse_restored_row(trigger);
	value = package_of_row(trigger, from_peer);
	is_checked = ecert_peer_has_checked(value);
	if (from_peer && !is_checked)
	{
		/* what it admits it inserts itself, so this row is not needed any more */
		before = ecert_become(trigger->tg_relation->rd_rel->relowner);
		(void) ecert_settle_from_peer(ecert_varlena_slice(DatumGetByteaPP(value)), NULL);
		ecert_restore_user(before);
		return PointerGetDatum(NULL);
	}
	ecert_package_of(value, &package);
	ecert_hash_of(package.bytes, hash);
	if (!is_checked)
	{
		before = ecert_become(trigger->tg_relation->rd_rel->relowner);
		ecert_admit_first(RelationGetRelid(trigger->tg_relation), &package, hash);
		ecert_restore_user(before);
	}
	if (package.kind == ECERT_KIND_GENESIS || package.kind == ECERT_KIND_NODE || package.kind == ECERT_KIND_POLICY)
		ecert_registry_invalidate(RelationGetRelid(trigger->tg_relation));
	ecert_moved(package.issuer, package.kind);
	return PointerGetDatum(derived_row(trigger->tg_relation, trigger->tg_trigtuple, &package, hash));
}

/*
 * The trigger that refuses UPDATE, DELETE and TRUNCATE, of rows and of
 * statements: of packages, but for the exchange of stories, and of proofs
 */
ECERT_FUNCTION(ecert_refuse_change)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool		is_ledger;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("ecert.refuse_change() must be called as trigger")));
	is_ledger = RelationGetRelid(trigger->tg_relation) == ecert_find_ledger();
	if (is_ledger && ecert_is_exchanging() && TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		return PointerGetDatum(trigger->tg_trigtuple);
	/* an error would stop replication: a change that a peer sends is skipped and logged */
	if (IsLogicalWorker() && TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && TRIGGER_FIRED_BEFORE(trigger->tg_event))
	{
		ereport(LOG,
				(errcode(ERRCODE_ECERT_APPEND_ONLY),
				 errmsg("%s of table \"%s\" by a peer is passed over: the ledger is append-only",
						TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE" : "DELETE",
						RelationGetRelationName(trigger->tg_relation))));
		return PointerGetDatum(NULL);
	}
	ereport(ERROR,
			(errcode(ERRCODE_ECERT_APPEND_ONLY),
			 errmsg("%s of table \"%s\" is refused: the ledger is append-only",
					TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE" :
					TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? "DELETE" : "TRUNCATE",
					RelationGetRelationName(trigger->tg_relation)),
			 is_ledger ? errhint("Correct a package by issuing one that replaces it.") : 0));
}
