/*
 * query.c
 *		SPI with kept plans and explicit snapshots.
 */
#include "pg/query.h"

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

/* Until the level of settings that was begun last is ended */
static void
switch_off(const char *setting)
{
	(void) set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

static uint64
run(EcertQuery *query, const Datum *values, Snapshot snapshot, bool read_only, long limit)
{
	int			nest_level = 0;
	int			code;

	Assert(query->arg_count >= 0 && query->arg_count <= ECERT_QUERY_ARGS);
	Assert(query->arg_count == 0 || values != NULL);
	Assert(snapshot != InvalidSnapshot);
	if (query->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(query->sql, query->arg_count, query->arg_types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare \"%s\": %s", query->sql, SPI_result_code_string(SPI_result));
		query->plan = plan;
	}
	if (query->path != ECERT_BY_ANY)
	{
		nest_level = NewGUCNestLevel();
		switch_off("enable_seqscan");
		if (query->path == ECERT_BY_INDEX)
			switch_off("enable_bitmapscan");
	}
	code = SPI_execute_snapshot(query->plan, unconstify(Datum *, values), NULL, snapshot,
								InvalidSnapshot, read_only, true, limit);
	if (query->path != ECERT_BY_ANY)
		AtEOXact_GUC(true, nest_level);
	if (code < 0)
		elog(ERROR, "could not run \"%s\": %s", query->sql, SPI_result_code_string(code));
	return SPI_processed;
}

Snapshot
ecert_present_snapshot(void)
{
	/* a parallel query shares one snapshot, and nothing has been written since */
	if (IsInParallelMode())
		return GetActiveSnapshot();
	CommandCounterIncrement();
	return GetLatestSnapshot();
}

uint64
ecert_query(EcertQuery *query, const Datum *values, long limit)
{
	return run(query, values, ecert_present_snapshot(), IsInParallelMode(), limit);
}

uint64
ecert_query_stable(EcertQuery *query, const Datum *values, long limit)
{
	Assert(ActiveSnapshotSet());
	return run(query, values, GetActiveSnapshot(), true, limit);
}

uint64
ecert_run(EcertQuery *query, const Datum *values)
{
	uint64		count;

	SPI_connect();
	count = ecert_query(query, values, 0);
	SPI_finish();
	return count;
}
