/*
 * worker.c
 *		Two background workers for each database of ecert.worker_database: every
 *		ecert.worker_interval one does a round of this node's own duties, and one
 *		of its links, which may have to wait for other servers.
 *
 * It takes the steps of the procedure that cron would call: a CALL that commits
 * on the way needs a portal, which a worker has not.  An error that
 * ecert.do_duty() does not catch ends the worker.
 *
 * The launcher, which is in no database, starts them and starts them again.
 * While ecert.worker_interval is 0 there is none, so that the database can be
 * renamed or dropped; and a database that is not there is a line in the log,
 * not a worker that fails every minute.
 */
#include "duty/duty.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "pg/guc.h"

#define RESTART_SECONDS 60

/* The parts of a round, as ecert.due_duties() calls them */
static const char *const parts[] = {"own", "links"};

extern PGDLLEXPORT void ecert_launcher_main(Datum unused);
extern PGDLLEXPORT void ecert_worker_main(Datum part);

/* A database and part that has a worker, had one, or is to have one */
typedef struct Place
{
	NameData	database;
	int			part;
	BackgroundWorkerHandle *handle; /* NULL: no worker runs */
	TimestampTz tried_at;		/* when one was started last */
	bool		is_missing;		/* there was no such database then */
} Place;

/* The databases of ecert.worker_database; both the list and *raw, which the names are in, are palloc'd */
static List *
databases(char **raw)
{
	List	   *names;

	*raw = pstrdup(ecert_worker_database);
	if (!SplitIdentifierString(*raw, ',', &names))
		elog(ERROR, "ecert.worker_database was set to what is no list");
	return names;
}

/* Is a worker wanted in that database, by the settings as they are now? */
static bool
is_wanted(const char *database)
{
	bool		found = false;
	char	   *list;
	List	   *names = databases(&list);
	ListCell   *cell;

	foreach(cell, names)
		found = found || strcmp(lfirst(cell), database) == 0;
	list_free(names);
	pfree(list);
	return found && ecert_worker_interval > 0;
}

/* Take in changed settings; false when none were said to have changed */
static bool
reload(void)
{
	if (!ConfigReloadPending)
		return false;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	return true;
}

/* Is there a ledger in this database, restored as far as its triggers if it is being restored, and is this server a node?  Inside SPI */
static bool
has_duties(void)
{
	return OidIsValid(get_extension_oid("ecert", true)) &&
		SPI_execute("SELECT 1 FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('ledger.duty_log')"
					" AND EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('ledger.package')"
					" AND tgname OPERATOR(pg_catalog.=) 'ecert_admit')"
					" AND pg_catalog.current_setting('ecert.node') OPERATOR(pg_catalog.<>) ''", true, 1) == SPI_OK_SELECT &&
		SPI_processed > 0;
}

static void
begin_transaction(const char *activity)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	pgstat_report_activity(STATE_RUNNING, activity);
}

static void
end_transaction(void)
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Run a query and return the first column of its rows as text, palloc'd in context */
static List *
answers(const char *sql, MemoryContext context)
{
	List	   *list = NIL;
	MemoryContext before;

	if (SPI_execute(sql, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", sql);
	before = MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < SPI_processed; i++)
		list = lappend(list, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	MemoryContextSwitchTo(before);
	return list;
}

/* The steps of ecert.run_duties() for a part, each duty in a transaction of its own */
static void
run_round(const char *part)
{
	MemoryContext round = AllocSetContextCreate(TopMemoryContext, "ecert round of duties", ALLOCSET_DEFAULT_SIZES);
	List	   *duties = NIL;
	ListCell   *cell;
	bool		begun;

	begin_transaction("ecert: what is due");
	begun = has_duties() && strcmp(linitial(answers(psprintf("SELECT ecert.begin_round('%s')", part), round)), "t") == 0;
	if (begun)
		duties = answers(psprintf("SELECT pg_catalog.format('SELECT ecert.do_duty(%%L, %%L, %%L, %%L)', d.duty, d.subject, d.as_role, d.period)"
								  " FROM ecert.due_duties('%s') AS d UNION ALL SELECT 'SELECT ecert.end_round(''%s'')'", part, part), round);
	end_transaction();
	foreach(cell, duties)
	{
		const char *sql = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		begin_transaction(sql);
		(void) answers(sql, round);
		end_transaction();
	}
	MemoryContextDelete(round);
}

void
ecert_worker_main(Datum part)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	/* whatever the database's default, a duty has to see what others commit */
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	while (is_wanted(MyBgworkerEntry->bgw_extra))
	{
		int			events = WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | WL_TIMEOUT, ecert_worker_interval * 1000L, PG_WAIT_EXTENSION);

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		(void) reload();
		if ((events & WL_TIMEOUT) != 0 && ecert_worker_interval > 0)
			run_round(parts[DatumGetInt32(part)]);
	}
	proc_exit(0);
}

/* The launcher's entry of a database and part, made where there is none */
static Place *
place_of(List **places, const char *database, int part)
{
	ListCell   *cell;
	Place	   *place;

	foreach(cell, *places)
	{
		place = lfirst(cell);
		if (place->part == part && strcmp(NameStr(place->database), database) == 0)
			return place;
	}
	place = MemoryContextAllocZero(TopMemoryContext, sizeof *place);
	namestrcpy(&place->database, database);
	place->part = part;
	*places = lappend(*places, place);
	return place;
}

static bool
has_worker(Place *place)
{
	pid_t		pid;

	if (place->handle == NULL)
		return false;
	if (GetBackgroundWorkerPid(place->handle, &pid) != BGWH_STOPPED)
		return true;
	pfree(place->handle);
	place->handle = NULL;
	return false;
}

static void
start_worker(Place *place)
{
	BackgroundWorker worker = {0};
	MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	snprintf(worker.bgw_library_name, sizeof worker.bgw_library_name, "ecert");
	snprintf(worker.bgw_function_name, sizeof worker.bgw_function_name, "ecert_worker_main");
	snprintf(worker.bgw_name, sizeof worker.bgw_name, "ecert duties (%s) in %s", parts[place->part], NameStr(place->database));
	snprintf(worker.bgw_type, sizeof worker.bgw_type, "ecert duties");
	worker.bgw_main_arg = Int32GetDatum(place->part);
	snprintf(worker.bgw_extra, sizeof worker.bgw_extra, "%s", NameStr(place->database));
	if (!RegisterDynamicBackgroundWorker(&worker, &place->handle))
	{
		place->handle = NULL;
		ereport(LOG,
				(errmsg("ecert finds no slot for its background worker in database \"%s\"", NameStr(place->database)),
				 errhint("Increase max_worker_processes.")));
	}
	MemoryContextSwitchTo(before);
}

/* Is there a database of that name that one can be in?  Who is in none reads catalogs without their indexes, as the launcher of autovacuum does */
static bool
is_database(const char *name)
{
	bool		found = false;
	Relation	catalog;
	TableScanDesc scan;
	HeapTuple	row;

	StartTransactionCommand();
	catalog = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(catalog, 0, NULL);
	while (!found && HeapTupleIsValid(row = heap_getnext(scan, ForwardScanDirection)))
		found = strcmp(NameStr(((Form_pg_database) GETSTRUCT(row))->datname), name) == 0 && ((Form_pg_database) GETSTRUCT(row))->datallowconn;
	table_endscan(scan);
	table_close(catalog, AccessShareLock);
	CommitTransactionCommand();
	return found;
}

/* Start the worker of a database that is there, RESTART_SECONDS after the last one at the earliest */
static void
look_after(Place *place)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		is_missing;

	if (has_worker(place) || (place->tried_at != 0 && !TimestampDifferenceExceeds(place->tried_at, now, RESTART_SECONDS * 1000)))
		return;
	is_missing = !is_database(NameStr(place->database));
	if (is_missing && !place->is_missing && place->part == 0)
		ereport(LOG,
				(errmsg("there is no database \"%s\" to do ecert's duties in", NameStr(place->database)),
				 errhint("Set ecert.worker_database to the name of the ledger's database.")));
	place->is_missing = is_missing;
	place->tried_at = now;
	if (!is_missing)
		start_worker(place);
}

void
ecert_launcher_main(Datum unused)
{
	List	   *places = NIL;
	ListCell   *cell;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	/* pg_database can be read without being in a database */
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	for (;;)
	{
		bool		is_idle = ecert_worker_interval == 0;
		char	   *raw;
		List	   *names;

		MemoryContextSwitchTo(TopMemoryContext);
		names = databases(&raw);
		foreach(cell, is_idle ? NIL : names)
			for (int part = 0; part < (int) lengthof(parts); part++)
				look_after(place_of(&places, lfirst(cell), part));
		list_free(names);
		pfree(raw);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (is_idle ? 0 : WL_TIMEOUT), is_idle ? -1 : RESTART_SECONDS * 1000L, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		/* with other settings all are tried at once */
		if (reload())
		{
			foreach(cell, places)
				((Place *) lfirst(cell))->tried_at = 0;
		}
	}
}

void
ecert_worker_init(void)
{
	BackgroundWorker launcher = {0};

	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	launcher.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	launcher.bgw_start_time = BgWorkerStart_RecoveryFinished;
	launcher.bgw_restart_time = RESTART_SECONDS;
	snprintf(launcher.bgw_library_name, sizeof launcher.bgw_library_name, "ecert");
	snprintf(launcher.bgw_function_name, sizeof launcher.bgw_function_name, "ecert_launcher_main");
	snprintf(launcher.bgw_name, sizeof launcher.bgw_name, "ecert launcher");
	snprintf(launcher.bgw_type, sizeof launcher.bgw_type, "ecert launcher");
	RegisterBackgroundWorker(&launcher);
}
