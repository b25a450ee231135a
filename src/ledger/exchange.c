/*
 * exchange.c
 *		One story of a feed in the place of another that this node holds.
 *
 * Of two packages with one seq a node holds the first that comes.  Where a
 * checkpoint covers the other one, every tree has that: the node exchanges
 * them, and with them all that follows in the feed.  What goes stays in
 * ledger.quarantine, as evidence.  Who decides is above (checkpoint).
 */
#include "ledger/ledger.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "package/datum.h"
#include "pg/error.h"

static EcertQuery story_query = {
	"WITH taken AS (DELETE FROM ledger.quarantine q USING ledger.quarantine s WHERE s.hash OPERATOR(pg_catalog.=) $1"
	" AND q.issuer OPERATOR(pg_catalog.=) s.issuer AND q.kind OPERATOR(pg_catalog.=) s.kind AND q.seq OPERATOR(pg_catalog.>=) s.seq"
	" RETURNING q.hash, q.seq, q.bytes, q.peer)"
	" SELECT bytes, peer FROM taken ORDER BY seq, hash OPERATOR(pg_catalog.<>) $1, hash",
	1, {BYTEAOID}, NULL
};
static EcertQuery aside_query = {
	"WITH gone AS (DELETE FROM ledger.package p WHERE p.issuer OPERATOR(pg_catalog.=) $1 AND p.kind OPERATOR(pg_catalog.=) $2"
	" AND p.seq OPERATOR(pg_catalog.>=) $3 RETURNING p.hash, p.issuer, p.kind, p.seq, p.package),"
	" found AS (DELETE FROM ledger.finding f WHERE f.issuer OPERATOR(pg_catalog.=) $1 AND f.kind OPERATOR(pg_catalog.=) $2"
	" AND f.seq OPERATOR(pg_catalog.>=) $3)"
	" INSERT INTO ledger.quarantine (hash, issuer, kind, seq, bytes, sqlstate, reason)"
	" SELECT hash, issuer, kind, seq, package::bytea, $4, $5 FROM gone ON CONFLICT DO NOTHING",
	5, {TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID}, NULL
};

/* What is held of the story's feed from its seq on goes */
static void
take_off(const EcertPackage *story)
{
	EcertFinding finding;
	Datum		values[5];

	(void) ECERT_FIND(&finding, ECERT_OTHER_STORY_SEALED, ecert_a_text(story->issuer), ecert_a_word(ecert_kind_name(story->kind)), ecert_a_number(story->seq));
	values[0] = ecert_text_datum(story->issuer);
	values[1] = ecert_kind_datum(story->kind);
	values[2] = Int64GetDatum(story->seq);
	values[3] = CStringGetTextDatum(ecert_finding_sqlstate(finding.code));
	values[4] = CStringGetTextDatum(ecert_finding_words(&finding));
	(void) ecert_query(&aside_query, values, 0);
	ecert_registry_invalidate(ecert_ledger_relid());
	ecert_moved(story->issuer, story->kind);
}

/* The story comes first; what was refused behind it is judged anew */
static void
exchange(Datum hash)
{
	uint64		count = ecert_query(&story_query, &hash, 0);
	SPITupleTable *taken = SPI_tuptable;

	for (uint64 i = 0; i < count; i++)
	{
		bool		isnull;
		EcertSlice	bytes = ecert_varlena_slice(DatumGetByteaPP(SPI_getbinval(taken->vals[i], taken->tupdesc, 1, &isnull)));
		char	   *peer = SPI_getvalue(taken->vals[i], taken->tupdesc, 2);
		EcertPackage story;

		CHECK_FOR_INTERRUPTS();
		if (i == 0 && ecert_package_parse(bytes, &story, NULL) == ECERT_OK)
			take_off(&story);
		(void) ecert_settle_from_peer(bytes, peer != NULL ? peer : "");
	}
}

/* exchange(story): the hash of a package in ledger.quarantine, whose seq another package has */
ECERT_FUNCTION(ecert_sql_exchange)
{
	EcertUser	before = ecert_become(ecert_ledger_owner());

	SPI_connect();
	ecert_set_exchanging(true);
	PG_TRY();
	{
		exchange(PG_GETARG_DATUM(0));
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
