/*
 * ask.c
 *		Questions to peers, as SQL asks them.
 */
#include "ledger/ledger.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "package/datum.h"
#include "pg/error.h"
#include "pg/guc.h"
#include "pg/line.h"

static EcertQuery name_query = {
	"SELECT pg_catalog.format('peer \"%s\"', p.peer) FROM ledger.peer p WHERE ecert.peer_connection(p.peer) OPERATOR(pg_catalog.=) $1 LIMIT 1",
	1, {TEXTOID}, NULL
};

/* The rows of a query as JSON, one each */
static char *
as_json(const char *query)
{
	return psprintf("SELECT pg_catalog.to_jsonb(q)::text FROM (%s) AS q", query);
}

/* Whose connection string that is, for a message; who may not read those gets no name */
static const char *
name_of(text *connection)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = PointerGetDatum(connection);
	char	   *name = NULL;

	if (superuser() && OidIsValid(ecert_find_ledger()))
	{
		SPI_connect();
		if (ecert_query(&name_query, &value, 1) == 1)
			name = MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
		SPI_finish();
	}
	return name != NULL ? name : "the other server";
}

/* Why a question has no answer */
static char *
problem_of(const EcertQuestion *question, const char *name)
{
	/* one %s, and nothing else, is in each of line.c's messages */
	const char *place = strstr(question->message, "%s");

	return psprintf("%.*s%s%s", (int) (place - question->message), question->message, name, place + strlen("%s"));
}

/* ask(connection, question, seconds): the rows that the other server answers with */
ECERT_FUNCTION(ecert_sql_ask)
{
	text	   *connection = PG_GETARG_TEXT_PP(0);
	EcertQuestion question = {.connection = text_to_cstring(connection), .sql = as_json(text_to_cstring(PG_GETARG_TEXT_PP(1)))};
	int			seconds = PG_GETARG_INT32(2);

	ecert_ask(&question, 1, seconds > 0 ? Min(seconds, INT_MAX / 1000) : ecert_peer_timeout);
	if (question.sqlstate != 0)
		ereport(ERROR,
				(errcode(question.sqlstate),
				 errmsg_internal("%s", problem_of(&question, name_of(connection))),
				 question.reason != NULL ? errdetail_internal("%s", question.reason) : 0,
				 question.sqlstate == ERRCODE_ECERT_PEER ? errhint("Ask its people; the duties try again in the next round.") : 0));
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("[%s]", question.answer->data))));
}

/* One row of ask_all() */
static void
put_answer(ReturnSetInfo *result, Datum peer, const EcertQuestion *question)
{
	Datum		values[5] = {peer};
	bool		nulls[5] = {false, true, true, true, true};

	if (question->sqlstate == 0)
		values[1] = CStringGetTextDatum(psprintf("[%s]", question->answer->data));
	else
	{
		values[2] = CStringGetTextDatum(unpack_sql_state(question->sqlstate));
		values[3] = CStringGetTextDatum(problem_of(question, psprintf("peer \"%s\"", TextDatumGetCString(peer))));
		if (question->reason != NULL)
			values[4] = CStringGetTextDatum(question->reason);
	}
	for (int i = 1; i < (int) lengthof(values); i++)
		nulls[i] = values[i] == 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The texts of an array; raises where one is NULL */
static Datum *
texts_of(ArrayType *array, int *count)
{
	Datum	   *texts;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL, count);
	return texts;
}

/* ask_all(peers, connections, question): all at once */
ECERT_FUNCTION(ecert_sql_ask_all)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			count;
	int			connection_count;
	Datum	   *peers = texts_of(PG_GETARG_ARRAYTYPE_P(0), &count);
	Datum	   *connections = texts_of(PG_GETARG_ARRAYTYPE_P(1), &connection_count);
	const char *sql = as_json(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	EcertQuestion *questions = palloc0_array(EcertQuestion, count);

	if (count != connection_count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("each peer must have a connection"),
				 errdetail("There are %d peers and %d connections.", count, connection_count)));
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
		questions[i] = (EcertQuestion) {.connection = TextDatumGetCString(connections[i]), .sql = sql};
	ecert_lines_unused();
	ecert_ask(questions, count, ecert_peer_timeout);
	for (int i = 0; i < count; i++)
		put_answer(result, peers[i], &questions[i]);
	return (Datum) 0;
}

/* Is the package signed with this server's own key?  A registry from an old backup may not know it */
static bool
is_signed_here(const EcertPackage *package)
{
	static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	EcertAlg	alg;
	EcertPublicKey *key = NULL;
	EcertCode	code;

	if (!ecert_has_own_key(ECERT_USE_PACKAGE))
		return false;
	ecert_own_public_key(ECERT_USE_PACKAGE, &alg, raw, &raw_size);
	if (alg != package->alg)
		return false;
	code = ecert_public_key_new(alg, ecert_slice(raw, raw_size), &key);
	if (code == ECERT_OK)
		code = ecert_package_verify(package, key, ecert_buffer(scratch, sizeof scratch));
	ecert_public_key_free(key);
	return code == ECERT_OK;
}

/* is_said_by(package, issuer, kind, seq): has it signed that? */
ECERT_FUNCTION(ecert_sql_is_said_by)
{
	EcertSlice	bytes = ecert_varlena_slice(PG_GETARG_BYTEA_PP(0));
	EcertUser	before = ecert_become(ecert_ledger_owner());
	EcertRegistry *registry = ecert_registry_current();
	EcertKind	kind;
	EcertPackage package;
	EcertError	error;
	bool		said = registry->has_genesis && ecert_package_read(bytes, &package, &error) == ECERT_OK &&
		ecert_kind_from_name(ecert_varlena_slice(PG_GETARG_TEXT_PP(2)), &kind) && package.kind == kind &&
		package.seq == PG_GETARG_INT64(3) && ecert_slice_equal(package.audience, registry->origin) &&
		ecert_slice_equal(package.issuer, ecert_varlena_slice(PG_GETARG_TEXT_PP(1))) &&
		(ecert_signed_with(registry, &package) != NULL || (ecert_slice_equal(package.issuer, ecert_this_node()) && is_signed_here(&package)));

	ecert_restore_user(before);
	PG_RETURN_BOOL(said);
}
