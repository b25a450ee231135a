/*
 * finding.h
 *		What a rule has to say against a package, as a value: a code and its
 *		arguments.  One table has the SQLSTATE, message, detail and hint of every
 *		code; the server raises findings or lists them, ecert-verify prints them.
 */
#ifndef ECERT_RULES_FINDING_H
#define ECERT_RULES_FINDING_H

#include "rules/text.h"

typedef enum EcertFindingCode
{
#define FINDING(code, ...) code,
#include "rules/finding_table.h"
#undef FINDING
} EcertFindingCode;

/* A value in a message */
typedef struct EcertArgument
{
	enum
	{
		ECERT_ARGUMENT_TEXT,
		ECERT_ARGUMENT_NUMBER,
		ECERT_ARGUMENT_TIME,
		ECERT_ARGUMENT_PERIOD,
		ECERT_ARGUMENT_HASH
	}			type;
	EcertSlice	text;			/* borrowed from the package, the view or the arena */
	int64_t		number;			/* also seconds of a time */
	EcertPeriod period;
	uint8_t		hash[ECERT_HASH_SIZE];
} EcertArgument;

#define ECERT_ARGUMENTS 7
#define ECERT_COUNTED(...) sizeof((EcertArgument[]) {__VA_ARGS__}) / sizeof(EcertArgument), (EcertArgument[]) {__VA_ARGS__}

/* Words in which %1 to %7 stand for arguments: ECERT_PUT(text, words, arguments ...) */
extern void ecert_text_put_words(EcertText *text, const char *words, size_t count, const EcertArgument *arguments);

#define ECERT_PUT(text, words, ...) ecert_text_put_words(text, words, ECERT_COUNTED(__VA_ARGS__))

typedef struct EcertFinding
{
	EcertFindingCode code;
	size_t		count;
	EcertArgument arguments[ECERT_ARGUMENTS];
} EcertFinding;

extern EcertArgument ecert_a_text(EcertSlice text);
extern EcertArgument ecert_a_word(const char *word);
extern EcertArgument ecert_a_number(int64_t number);
extern EcertArgument ecert_a_time(int64_t seconds);
extern EcertArgument ecert_a_period(EcertPeriod period);
extern EcertArgument ecert_a_hash(const uint8_t *hash);

/* Fill finding and return false, so that a check can end with it: ECERT_FIND(finding, code, arguments ...) */
extern bool ecert_find(EcertFinding *finding, EcertFindingCode code, size_t count, const EcertArgument *arguments);

#define ECERT_FIND(finding, code, ...) ecert_find(finding, code, ECERT_COUNTED(__VA_ARGS__))
#define ECERT_FIND_PLAIN(finding, code) ecert_find(finding, code, 0, NULL)

/* Five characters of class EC, or of PostgreSQL's */
extern const char *ecert_finding_sqlstate(EcertFindingCode code);

/* A finding in words */
typedef struct EcertMessage
{
	const char *sqlstate;
	const char *message;
	const char *detail;			/* NULL: none */
	const char *hint;			/* NULL: none */
} EcertMessage;

extern EcertMessage ecert_finding_message(const EcertFinding *finding, EcertArena *arena);

/* Message and detail as verification lists them, beside the package's place */
extern const char *ecert_finding_problem(const EcertFinding *finding, EcertArena *arena);

#endif							/* ECERT_RULES_FINDING_H */
