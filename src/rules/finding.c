/*
 * finding.c
 *		Findings in words: the table of messages, and values put into them; see
 *		finding.h.
 */
#include "rules/finding.h"

static const EcertMessage messages[] = {
#define FINDING(code, ...) [code] = {__VA_ARGS__},
#include "rules/finding_table.h"
#undef FINDING
};

EcertArgument
ecert_a_text(EcertSlice text)
{
	return (EcertArgument) {.type = ECERT_ARGUMENT_TEXT, .text = text};
}

EcertArgument
ecert_a_word(const char *word)
{
	return ecert_a_text(ecert_slice_text(word));
}

EcertArgument
ecert_a_number(int64_t number)
{
	return (EcertArgument) {.type = ECERT_ARGUMENT_NUMBER, .number = number};
}

EcertArgument
ecert_a_time(int64_t seconds)
{
	return (EcertArgument) {.type = ECERT_ARGUMENT_TIME, .number = seconds};
}

EcertArgument
ecert_a_period(EcertPeriod period)
{
	return (EcertArgument) {.type = ECERT_ARGUMENT_PERIOD, .period = period};
}

EcertArgument
ecert_a_hash(const uint8_t *hash)
{
	EcertArgument argument = {.type = ECERT_ARGUMENT_HASH};

	memcpy(argument.hash, hash, sizeof argument.hash);
	return argument;
}

bool
ecert_find(EcertFinding *finding, EcertFindingCode code, size_t count, const EcertArgument *arguments)
{
	finding->code = code;
	finding->count = count < ECERT_ARGUMENTS ? count : ECERT_ARGUMENTS;
	for (size_t i = 0; i < finding->count; i++)
		finding->arguments[i] = arguments[i];
	return false;
}

static void
put_argument(EcertText *text, const EcertArgument *argument)
{
	switch (argument->type)
	{
		case ECERT_ARGUMENT_TEXT:
			ecert_text_put(text, argument->text);
			break;
		case ECERT_ARGUMENT_NUMBER:
			ecert_text_put_int(text, argument->number);
			break;
		case ECERT_ARGUMENT_TIME:
			ecert_text_put_time(text, argument->number);
			break;
		case ECERT_ARGUMENT_PERIOD:
			ecert_text_put_period(text, argument->period);
			break;
		case ECERT_ARGUMENT_HASH:
			ecert_text_put_hex(text, ecert_slice(argument->hash, sizeof argument->hash));
			break;
	}
}

void
ecert_text_put_words(EcertText *text, const char *words, size_t count, const EcertArgument *arguments)
{
	for (const char *mark; (mark = strchr(words, '%')) != NULL; words = mark + 2)
	{
		size_t		number = (size_t) (mark[1] - '1');

		ecert_text_put(text, ecert_slice(words, (size_t) (mark - words)));
		if (number < count)
			put_argument(text, &arguments[number]);
	}
	ecert_text_put_string(text, words);
}

static const char *
in_words(const EcertFinding *finding, const char *words, EcertArena *arena)
{
	EcertText	text = ecert_text_in(arena);

	EcertText	shown = ecert_text_in(arena);

	if (words == NULL)
		return NULL;
	ecert_text_put_words(&text, words, finding->count, finding->arguments);
	ecert_text_put_shown(&shown, ecert_text_slice(&text));
	return ecert_text_string(&shown);
}

const char *
ecert_finding_sqlstate(EcertFindingCode code)
{
	return messages[code].sqlstate;
}

EcertMessage
ecert_finding_message(const EcertFinding *finding, EcertArena *arena)
{
	const EcertMessage *message = &messages[finding->code];

	return (EcertMessage) {
		message->sqlstate, in_words(finding, message->message, arena), in_words(finding, message->detail, arena),
		in_words(finding, message->hint, arena)
	};
}

const char *
ecert_finding_problem(const EcertFinding *finding, EcertArena *arena)
{
	const EcertMessage *message = &messages[finding->code];
	EcertText	text = ecert_text_in(arena);

	ecert_text_put_string(&text, in_words(finding, message->message, arena));
	/* where a signature is wrong, the detail says which package it is, which a list of problems says anyway */
	if (message->detail != NULL && finding->code != ECERT_SIGNATURE_WRONG)
		ECERT_PUT(&text, " (%1)", ecert_a_word(in_words(finding, message->detail, arena)));
	return ecert_text_string(&text);
}
