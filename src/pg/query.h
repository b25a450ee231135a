/*
 * query.h
 *		Prepared queries on the ledger's tables.
 */
#ifndef ECERT_PG_QUERY_H
#define ECERT_PG_QUERY_H

#include "pg/compat.h"
#include "executor/spi.h"
#include "utils/snapshot.h"

#define ECERT_QUERY_ARGS 9

/*
 * How a query has to find its rows.  The planner would read the whole table
 * where the table is small when the plan is made, as at the start of a first
 * copy, and that one transaction makes the table large before anything makes
 * the plan anew.  (Measured on PostgreSQL 15: with tables of one analysed page
 * the queries by hash, by feed and seq, and of tiles are planned without their
 * index.  Switching the setting for the time of a query cannot be told from
 * noise in 20,000 calls of ecert.tree_root().)  And where it knows nothing of
 * the table it would make a bitmap of the one row there is: PostgreSQL 18 has
 * another process read the pages of a bitmap (io_method = worker), at six times
 * the price where they are not in its buffers.
 */
typedef enum EcertQueryPath
{
	ECERT_BY_ANY,
	ECERT_BY_INDEX,
	ECERT_BY_BITMAP				/* of an index that has no order: GIN */
} EcertQueryPath;

/* A query whose plan is made on first use and kept for the backend's life */
typedef struct EcertQuery
{
	const char *sql;
	int			arg_count;
	Oid			arg_types[ECERT_QUERY_ARGS];
	SPIPlanPtr	plan;
	EcertQueryPath path;
} EcertQuery;

/* What is committed by now, and what this transaction, this very command included, has done before; for a scan */
extern Snapshot ecert_present_snapshot(void);

/*
 * Run query inside SPI_connect() .. SPI_finish() and return the number of
 * rows; they are in SPI_tuptable.  It sees what is committed now and what this
 * transaction did before, in every isolation level: rules must not be judged
 * by an old snapshot.
 */
extern uint64 ecert_query(EcertQuery *query, const Datum *values, long limit);

/* ecert_query() outside of SPI, of which only the number of rows is wanted */
extern uint64 ecert_run(EcertQuery *query, const Datum *values);

/* The same seen as the calling query sees it: for functions that only read */
extern uint64 ecert_query_stable(EcertQuery *query, const Datum *values, long limit);

#endif							/* ECERT_PG_QUERY_H */
