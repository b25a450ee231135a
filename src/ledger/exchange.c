/*
 * exchange.c
 *		One story of a feed in the place of another that this node holds.
 *
 * Of two packages with one seq a node holds the first that comes.  Where a
 * checkpoint covers the other one, every tree has that: the node exchanges
 * them, and with them all that follows in the feed.  What goes is judged like
 * what comes, and stays in ledger.quarantine, as evidence.  Who decides is above (checkpoint).
 */
#include "ledger/ledger.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "package/datum.h"
#include "pg/error.h"

/* Packages of the story's feed from its seq on, the story first; of what has one seq what was refused comes before what was held */
static EcertQuery feed_query = {
	"WITH refused AS (DELETE FROM ledger.quarantine q WHERE q.issuer OPERATOR(pg_catalog.=) $1 AND q.kind OPERATOR(pg_catalog.=) $2"
	" AND q.seq OPERATOR(pg_catalog.>=) $3 RETURNING q.seq, q.hash, q.bytes, q.peer),"
	" held AS (DELETE FROM ledger.package p WHERE p.issuer OPERATOR(pg_catalog.=) $1 AND p.kind OPERATOR(pg_catalog.=) $2"
	" AND p.seq OPERATOR(pg_catalog.>=) $3 RETURNING p.seq, p.hash, p.package::bytea),"
	" found AS (DELETE FROM ledger.finding f WHERE f.issuer OPERATOR(pg_catalog.=) $1 AND f.kind OPERATOR(pg_catalog.=) $2"
	" AND f.seq OPERATOR(pg_catalog.>=) $3)"
	" SELECT bytes, peer FROM (SELECT seq, hash, bytes, peer, 0 FROM refused UNION ALL SELECT seq, hash, package, NULL, 1 FROM held)"
	" AS a (seq, hash, bytes, peer, place) ORDER BY seq, hash OPERATOR(pg_catalog.<>) $4, place, hash",
	4, {TEXTOID, TEXTOID, INT8OID, BYTEAOID}, NULL
};
static EcertQuery story_query = {
	"SELECT issuer, kind, seq FROM ledger.quarantine WHERE hash OPERATOR(pg_catalog.=) $1", 1, {BYTEAOID}, NULL
};
static EcertQuery settle_query = {"SELECT ecert.settle_covered($1)", 1, {INT8OID}, NULL};

/* Judge packages, rows of bytes and peer */
static void
settle(SPITupleTable *taken, uint64 count)
{
	for (uint64 i = 0; i < count; i++)
	{
		bool		isnull;
		Datum		bytes = SPI_getbinval(taken->vals[i], taken->tupdesc, 1, &isnull);
		char	   *peer = SPI_getvalue(taken->vals[i], taken->tupdesc, 2);

		CHECK_FOR_INTERRUPTS();
		(void) ecert_settle_from_peer(ecert_varlena_slice(DatumGetByteaPP(bytes)), peer != NULL ? peer : "");
	}
}

static void
exchange(Datum story, Datum covered_by)
{
	Datum		values[4];
	bool		isnull;
	uint64		count;

	if (ecert_query(&story_query, &story, 1) == 0)
		return;
	for (int i = 0; i < 3; i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);
	values[3] = story;
	count = ecert_query(&feed_query, values, 0);
	ecert_registry_invalidate(ecert_ledger_relid());
	/* the registry hears of it now, not with the next command */
	CommandCounterIncrement();
	settle(SPI_tuptable, count);
	/* what named a package of the other story was refused, and what its nodes and keys stand for waited */
	(void) ecert_query(&settle_query, &covered_by, 0);
}

/* exchange(story, covered_by): a package in ledger.quarantine, by its hash, whose seq another package has, and the checkpoint that covers the seq */
ECERT_FUNCTION(ecert_sql_exchange)
{
	EcertUser	before = ecert_become(ecert_ledger_owner());

	SPI_connect();
	ecert_set_exchanging(true);
	PG_TRY();
	{
		exchange(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
	}
	PG_FINALLY();
	{
		ecert_set_exchanging(false);
	}
	PG_END_TRY();
	SPI_finish();
	ecert_restore_user(before);
	PG_RETURN_VOID();
}
