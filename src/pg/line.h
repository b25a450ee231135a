/*
 * line.h
 *		Questions to other servers: lines that are kept, a deadline for all that
 *		are asked together, and a bound to what is taken in of an answer.
 */
#ifndef ECERT_PG_LINE_H
#define ECERT_PG_LINE_H

#include "pg/compat.h"

/* Bytes of rows that an answer may have: of the heads of some 200,000 feeds */
#define ECERT_ANSWER_MAX (32 * 1024 * 1024)

typedef struct EcertLine EcertLine;

/* A question, and what came of it */
typedef struct EcertQuestion
{
	const char *connection;		/* connection string */
	const char *sql;			/* a query of one column of type text, without a semicolon */
	int			seconds;		/* that it has, set by ecert_ask() */
	EcertLine  *line;			/* while it is asked */
	struct StringInfoData *answer;	/* values of the rows, separated by commas, in UTF-8 */
	uint64		unread;			/* bytes that have come since the last row, about */
	bool		is_done;
	int			sqlstate;		/* 0: it is answered */
	const char *message;		/* why it is not, with "%s" for the server's name */
	const char *reason;			/* DETAIL; NULL: none */
} EcertQuestion;

/*
 * Ask all of them at once.  Each is done then, by an answer or a reason: the
 * whole takes that many seconds and no longer.  Raises nothing that is the
 * other servers' fault.  What it fills is palloc'd
 */
extern void ecert_ask(EcertQuestion *questions, int count, int seconds);

/* Hang up the lines on which nothing has been asked since this was called before */
extern void ecert_lines_unused(void);

extern void ecert_line_init(void);

#endif							/* ECERT_PG_LINE_H */
