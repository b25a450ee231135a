/*
 * line.c
 *		Asking other servers by libpq.
 *
 * Nothing here waits for one server: connecting, asking and reading are steps
 * that are taken when a socket is ready, for all servers in turn, until all
 * have answered or the deadline is over.  Who has not answered is hung up on;
 * a cancel request would have to wait for that server again.
 *
 * A background worker keeps its lines from round to round.  A session hangs up
 * at the end of its transaction, so that no idle client holds connections
 * elsewhere.  Looking up a host's name is the system's and is not bounded:
 * libpq does it before it hands out a socket.
 */
#include "pg/line.h"

#include <sys/ioctl.h>

#include <libpq-fe.h>

#include "access/xact.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/error.h"
#include "pg/guc.h"

/* Of what another server says in words, this much is passed on */
#define WORDS_MAX 1000

typedef enum LineState
{
	LINE_CONNECTING,
	LINE_SETTING_UP,			/* the statement of set_up() is under way */
	LINE_ASKING,
	LINE_FREE
} LineState;

struct EcertLine
{
	dlist_node	node;
	char	   *connection;
	PGconn	   *conn;
	LineState	state;
	uint32		wanted;			/* socket events that it waits for */
	int			timeout;		/* in seconds, that it was set up with */
	bool		is_used;		/* since ecert_lines_unused() */
};

/* In TopMemoryContext */
static dlist_head lines = DLIST_STATIC_INIT(lines);

static void
hang_up(EcertLine *line)
{
	PQfinish(line->conn);
	ReleaseExternalFD();
	dlist_delete(&line->node);
	pfree(line->connection);
	pfree(line);
}

/* Hang up where a question was broken off, and (all) everywhere */
static void
hang_up_lines(bool all)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &lines)
	{
		EcertLine  *line = dlist_container(EcertLine, node, iter.cur);

		if (all || line->state != LINE_FREE)
			hang_up(line);
	}
}

void
ecert_lines_unused(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &lines)
	{
		EcertLine  *line = dlist_container(EcertLine, node, iter.cur);

		if (!line->is_used)
			hang_up(line);
		else
			line->is_used = false;
	}
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		hang_up_lines(MyBackendType != B_BG_WORKER);
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		hang_up_lines(false);
}

void
ecert_line_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

/* What another server, or libpq, says: one line of UTF-8, palloc'd */
static char *
words(const char *said)
{
	size_t		size = said == NULL ? 0 : strcspn(said, "\r\n");

	if (size == 0 || pg_encoding_verifymbstr(PG_UTF8, said, size) != size)
		return pstrdup("it says nothing that can be read");
	return pnstrdup(said, pg_encoding_mbcliplen(PG_UTF8, said, size, WORDS_MAX));
}

/* The question is done, without an answer; what is under way on its line is not waited for */
static void
fail(EcertQuestion *question, int sqlstate, const char *message, const char *reason)
{
	question->is_done = true;
	question->sqlstate = sqlstate;
	question->message = message;
	question->reason = reason;
	if (question->line != NULL)
		hang_up(question->line);
	question->line = NULL;
}

/* libpq's reason without the address, which is the connection string's; of several addresses the last one's */
static void
fail_lost(EcertQuestion *question, int sqlstate, const char *message)
{
	const char *said = PQerrorMessage(question->line->conn);
	const char *reason;

	while ((reason = strstr(said, "failed: ")) != NULL)
		said = reason + strlen("failed: ");
	fail(question, sqlstate, message, words(said));
}

/* An error of the other server.  What would end this session's statement past every handler is not passed on as it is */
static void
fail_there(EcertQuestion *question, const PGresult *result)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	char	   *reason = words(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	int			sqlstate = ERRCODE_ECERT_PEER;

	if (code != NULL && strlen(code) == 5 && strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5)
		sqlstate = MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]);
	if (sqlstate == ERRCODE_QUERY_CANCELED || sqlstate == ERRCODE_ASSERT_FAILURE || ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_SUCCESSFUL_COMPLETION)
		sqlstate = ERRCODE_ECERT_PEER;
	fail(question, sqlstate, "%s cannot answer", reason);
}

/* Begin to connect; the connection string itself is never in a message */
static void
dial(EcertQuestion *question)
{
	const char *keywords[] = {"dbname", "client_encoding", "fallback_application_name", NULL};
	const char *values[] = {question->connection, "UTF8", "ecert", NULL};
	EcertLine  *line;
	char	   *problem = NULL;
	PQconninfoOption *options = PQconninfoParse(question->connection, &problem);

	PQfreemem(problem);
	if (options == NULL)
	{
		fail(question, ERRCODE_INVALID_PARAMETER_VALUE, "the connection string of %s is not valid", NULL);
		return;
	}
	PQconninfoFree(options);
	if (!AcquireExternalFD())
	{
		fail(question, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, "no file descriptor is left to reach %s", "Raise max_files_per_process.");
		return;
	}
	line = MemoryContextAllocZero(TopMemoryContext, sizeof *line);
	line->connection = MemoryContextStrdup(TopMemoryContext, question->connection);
	line->state = LINE_CONNECTING;
	line->wanted = WL_SOCKET_WRITEABLE;
	dlist_push_tail(&lines, &line->node);
	line->conn = PQconnectStartParams(keywords, values, 1);
	line->is_used = true;
	question->line = line;
	if (line->conn == NULL)
		fail(question, ERRCODE_OUT_OF_MEMORY, "out of memory to reach %s", NULL);
	else if (PQstatus(line->conn) == CONNECTION_BAD)
		fail_lost(question, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "could not reach %s");
}

/* Nothing that the other server remarks is printed here */
static void
ignore_notice(void *arg, const PGresult *result)
{
}

/* Put a statement on a line that has none */
static void
say(EcertQuestion *question, LineState state, const char *sql)
{
	EcertLine  *line = question->line;

	line->state = state;
	line->wanted = WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE;
	if (!PQsendQuery(line->conn, sql) || !PQsetSingleRowMode(line->conn))
		fail_lost(question, ERRCODE_CONNECTION_FAILURE, "%s hung up");
}

/* Names there mean what they say, and who is hung up on does not go on for long */
static void
set_up(EcertQuestion *question)
{
	PQsetnonblocking(question->line->conn, 1);
	PQsetNoticeReceiver(question->line->conn, ignore_notice, NULL);
	question->line->timeout = question->seconds;
	say(question, LINE_SETTING_UP, psprintf("SET search_path = pg_catalog, pg_temp; SET statement_timeout = '%ds'", question->seconds));
}

/* Take a line that was kept, unless it was closed at the other end; else begin one */
static void
begin(EcertQuestion *question)
{
	dlist_mutable_iter iter;

	question->answer = makeStringInfo();
	dlist_foreach_modify(iter, &lines)
	{
		EcertLine  *line = dlist_container(EcertLine, node, iter.cur);

		if (line->state != LINE_FREE || strcmp(line->connection, question->connection) != 0)
			continue;
		if (line->timeout == question->seconds && PQconsumeInput(line->conn) && PQstatus(line->conn) == CONNECTION_OK &&
			PQtransactionStatus(line->conn) == PQTRANS_IDLE)
		{
			line->is_used = true;
			question->line = line;
			say(question, LINE_ASKING, question->sql);
			return;
		}
		hang_up(line);
	}
	dial(question);
}

static void
connect_further(EcertQuestion *question)
{
	EcertLine  *line = question->line;

	switch (PQconnectPoll(line->conn))
	{
		case PGRES_POLLING_OK:
			set_up(question);
			break;
		case PGRES_POLLING_READING:
			line->wanted = WL_SOCKET_READABLE;
			break;
		case PGRES_POLLING_WRITING:
			line->wanted = WL_SOCKET_WRITEABLE;
			break;
		default:
			fail_lost(question, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "could not reach %s");
	}
}

static void
fail_too_large(EcertQuestion *question)
{
	fail(question, ERRCODE_ECERT_PEER, "%s answers too much", psprintf("An answer has at most %d bytes.", ECERT_ANSWER_MAX));
}

/* A row of the answer */
static void
take_row(EcertQuestion *question, const PGresult *result)
{
	StringInfo	answer = question->answer;

	question->unread = 0;
	if (PQnfields(result) != 1 || PQntuples(result) != 1 || PQgetisnull(result, 0, 0))
		fail(question, ERRCODE_ECERT_PEER, "%s answers something else than was asked", NULL);
	else if (answer->len + (Size) PQgetlength(result, 0, 0) >= ECERT_ANSWER_MAX)
		fail_too_large(question);
	else
	{
		if (answer->len > 0)
			appendStringInfoChar(answer, ',');
		appendBinaryStringInfo(answer, PQgetvalue(result, 0, 0), PQgetlength(result, 0, 0));
	}
}

/* One of the results that a statement gives */
static void
take_result(EcertQuestion *question, const PGresult *result)
{
	switch (PQresultStatus(result))
	{
		case PGRES_SINGLE_TUPLE:
			take_row(question, result);
			break;
		case PGRES_TUPLES_OK:
			break;
		case PGRES_COMMAND_OK:
			if (question->line->state != LINE_SETTING_UP)
				fail(question, ERRCODE_ECERT_PEER, "%s answers something else than was asked", NULL);
			break;
		case PGRES_FATAL_ERROR:
			if (PQstatus(question->line->conn) == CONNECTION_OK || PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL)
				fail_there(question, result);
			else
				fail_lost(question, ERRCODE_CONNECTION_FAILURE, "%s hung up");
			break;
		default:
			fail(question, ERRCODE_ECERT_PEER, "%s answers something else than was asked", NULL);
	}
}

/* The statement has ended */
static void
end_statement(EcertQuestion *question)
{
	StringInfo	answer = question->answer;

	if (question->line->state == LINE_SETTING_UP)
	{
		say(question, LINE_ASKING, question->sql);
		return;
	}
	question->line->state = LINE_FREE;
	question->line = NULL;
	question->is_done = true;
	if (pg_encoding_verifymbstr(PG_UTF8, answer->data, answer->len) != answer->len)
		fail(question, ERRCODE_ECERT_PEER, "%s answers something else than was asked", NULL);
}

/* Take in what has come, as far as that may be; false: the question is done */
static bool
take_in(EcertQuestion *question)
{
	PGconn	   *conn = question->line->conn;
	int			waiting = 0;

	if (ioctl(PQsocket(conn), FIONREAD, &waiting) == 0)
		question->unread += waiting;
	if (!PQconsumeInput(conn))
		fail_lost(question, ERRCODE_CONNECTION_FAILURE, "%s hung up");
	/* of a row that has not come whole libpq keeps the part that has */
	else if (question->unread > ECERT_ANSWER_MAX && PQisBusy(conn))
		fail_too_large(question);
	return !question->is_done;
}

static void
read_further(EcertQuestion *question)
{
	EcertLine  *line = question->line;
	int			unsent = PQflush(line->conn);

	if (unsent < 0)
	{
		fail_lost(question, ERRCODE_CONNECTION_FAILURE, "%s hung up");
		return;
	}
	line->wanted = WL_SOCKET_READABLE | (unsent > 0 ? WL_SOCKET_WRITEABLE : 0);
	if (!take_in(question))
		return;
	while (!question->is_done && question->line == line && !PQisBusy(line->conn))
	{
		PGresult   *result = PQgetResult(line->conn);

		if (result == NULL)
		{
			end_statement(question);
			return;
		}
		take_result(question, result);
		PQclear(result);
	}
}

/* Wait until one of the lines is ready, or that many milliseconds; which are is noted in ready */
static void
wait_for_lines(EcertQuestion *questions, int count, long milliseconds, bool *ready)
{
	WaitEventSet *set = ecert_create_wait_event_set(count + 2);
	WaitEvent  *events = palloc0_array(WaitEvent, count + 2);
	int			occurred;

	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	for (int i = 0; i < count; i++)
		if (!questions[i].is_done)
			AddWaitEventToSet(set, questions[i].line->wanted, PQsocket(questions[i].line->conn), NULL, &ready[i]);
	occurred = WaitEventSetWait(set, milliseconds, events, count + 2, PG_WAIT_EXTENSION);
	for (int i = 0; i < occurred; i++)
		if (events[i].user_data != NULL)
			*(bool *) events[i].user_data = true;
	FreeWaitEventSet(set);
	pfree(events);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static bool
all_done(const EcertQuestion *questions, int count)
{
	for (int i = 0; i < count; i++)
		if (!questions[i].is_done)
			return false;
	return true;
}

void
ecert_ask(EcertQuestion *questions, int count, int seconds)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (int64) seconds * 1000);
	bool	   *ready = palloc_array(bool, count);

	for (int i = 0; i < count; i++)
	{
		questions[i].seconds = seconds;
		begin(&questions[i]);
	}
	while (!all_done(questions, count))
	{
		long		milliseconds = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		memset(ready, 0, count * sizeof *ready);
		if (milliseconds > 0)
			wait_for_lines(questions, count, milliseconds, ready);
		for (int i = 0; i < count; i++)
		{
			if (questions[i].is_done)
				continue;
			if (milliseconds <= 0)
				fail(&questions[i], ERRCODE_ECERT_PEER, "%s does not answer",
					 psprintf("It had %d s%s.", seconds, seconds == ecert_peer_timeout ? ", setting ecert.peer_timeout" : ""));
			else if (ready[i] && questions[i].line->state == LINE_CONNECTING)
				connect_further(&questions[i]);
			else if (ready[i])
				read_further(&questions[i]);
		}
	}
	pfree(ready);
}
