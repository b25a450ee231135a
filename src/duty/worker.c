/*
 * worker.c
 *		A background worker for each database of ecert.worker_database: every
 *		ecert.worker_interval one round of this node's duties.
 *
 * It only calls the procedure that cron would call.  An error that the
 * procedure does not catch itself ends the worker; the server starts it again.
 */
#include "duty/duty.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "pg/guc.h"

#define RESTART_SECONDS 10

extern PGDLLEXPORT void ecert_worker_main(Datum index);

/* The name at a place of ecert.worker_database, in memory that stays; NULL behind the last */
static char *
database_at(int index)
{
	char	   *list = pstrdup(ecert_worker_database);
	List	   *names;

	if (!SplitIdentifierString(list, ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"ecert.worker_database\" is not a list of database names")));
	return index < list_length(names) ? list_nth(names, index) : NULL;
}

/* Is there a ledger in this database, and is this a server that may write? */
static bool
has_duties(void)
{
	bool		found;

	if (RecoveryInProgress() || !OidIsValid(get_extension_oid("ecert", true)))
		return false;
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	found = SPI_execute("SELECT 1 FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('ledger.duty_log')"
						" AND pg_catalog.current_setting('ecert.node') OPERATOR(pg_catalog.<>) ''", true, 1) == SPI_OK_SELECT && SPI_processed > 0;
	PopActiveSnapshot();
	SPI_finish();
	return found;
}

static void
run_round(void)
{
	SPIExecuteOptions options;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	if (has_duties())
	{
		pgstat_report_activity(STATE_RUNNING, "CALL ecert.run_duties()");
		memset(&options, 0, sizeof options);
		/* the procedure commits after each duty */
		options.allow_nonatomic = true;
		SPI_connect_ext(SPI_OPT_NONATOMIC);
		(void) SPI_execute_extended("CALL ecert.run_duties()", &options);
		SPI_finish();
	}
	CommitTransactionCommand();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
}

void
ecert_worker_main(Datum index)
{
	char	   *database;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	database = database_at(DatumGetInt32(index));
	if (database == NULL)
		proc_exit(0);
	BackgroundWorkerInitializeConnection(database, NULL, 0);
	for (;;)
	{
		long		interval = ecert_worker_interval > 0 ? ecert_worker_interval * 1000L : -1;
		int			wake = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (interval > 0 ? WL_TIMEOUT : 0);
		int			events = WaitLatch(MyLatch, wake, interval, PG_WAIT_EXTENSION);

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if ((events & WL_TIMEOUT) != 0)
			run_round();
	}
}

void
ecert_worker_init(void)
{
	BackgroundWorker worker;

	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	for (int i = 0; database_at(i) != NULL; i++)
	{
		memset(&worker, 0, sizeof worker);
		worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
		worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
		worker.bgw_restart_time = RESTART_SECONDS;
		snprintf(worker.bgw_library_name, sizeof worker.bgw_library_name, "ecert");
		snprintf(worker.bgw_function_name, sizeof worker.bgw_function_name, "ecert_worker_main");
		snprintf(worker.bgw_name, sizeof worker.bgw_name, "ecert duties in %s", database_at(i));
		snprintf(worker.bgw_type, sizeof worker.bgw_type, "ecert duties");
		worker.bgw_main_arg = Int32GetDatum(i);
		RegisterBackgroundWorker(&worker);
	}
}
