/*
 * query.h
 *		Prepared queries on the ledger's tables.
 */
#ifndef ECERT_PG_QUERY_H
#define ECERT_PG_QUERY_H

#include "pg/compat.h"
#include "executor/spi.h"

#pragma GCC visibility push(hidden)

#define ECERT_QUERY_ARGS 9

/*
 * A query whose plan is made on first use and kept for the backend's life.
 * by_index: it finds its rows by an index, and has to do so also where its
 * plan is made while the table is still empty, as at the start of a first copy.
 */
typedef struct EcertQuery
{
	const char *sql;
	int			arg_count;
	Oid			arg_types[ECERT_QUERY_ARGS];
	SPIPlanPtr	plan;
	bool		by_index;
} EcertQuery;

/*
 * Run query inside SPI_connect() .. SPI_finish() and return the number of
 * rows; they are in SPI_tuptable.  It sees what is committed now and what this
 * transaction did before, in every isolation level: rules must not be judged
 * by an old snapshot.
 */
extern uint64 ecert_query(EcertQuery *query, const Datum *values, long limit);

/* The same seen as the calling query sees it: for functions that only read */
extern uint64 ecert_query_stable(EcertQuery *query, const Datum *values, long limit);

/* The same seen by the transaction's own snapshot (REPEATABLE READ, SERIALIZABLE) */
extern uint64 ecert_query_transaction(EcertQuery *query, const Datum *values, long limit);

#pragma GCC visibility pop

#endif							/* ECERT_PG_QUERY_H */
