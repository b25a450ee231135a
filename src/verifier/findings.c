/*
 * findings.c
 *		What was found, written down by any thread.
 */
#include "verifier/verifier.h"

static void
put_finding(Ledger *ledger, FindingList *list, const Entry *entry, uint64_t row, const char *format, va_list arguments)
{
	char	   *text;

	if (vasprintf(&text, format, arguments) < 0)
		need(NULL);
	pthread_mutex_lock(&ledger->lock);
	if (list->count == list->room)
	{
		list->room = list->room == 0 ? 64 : list->room * 2;
		list->list = need(realloc(list->list, list->room * sizeof *list->list));
	}
	list->list[list->count] = (Finding) {entry, row, text, list->count};
	list->count++;
	pthread_mutex_unlock(&ledger->lock);
}

#define PUT_FINDING(list, entry, row) \
	do { \
		va_list		arguments; \
		va_start(arguments, format); \
		put_finding(ledger, &ledger->list, entry, row, format, arguments); \
		va_end(arguments); \
	} while (0)

void
ledger_problem(Ledger *ledger, const Entry *entry, const char *format,...)
{
	PUT_FINDING(problems, entry, 0);
}

void
ledger_row_problem(Ledger *ledger, uint64_t row, const char *format,...)
{
	PUT_FINDING(problems, NULL, row);
}

void
ledger_warning(Ledger *ledger, const Entry *entry, const char *format,...)
{
	PUT_FINDING(warnings, entry, 0);
}

void
ledger_not_checked(Ledger *ledger, const char *format,...)
{
	PUT_FINDING(not_checked, NULL, 0);
}

void
ledger_error(Ledger *ledger, const char *format,...)
{
	PUT_FINDING(errors, NULL, 0);
}

void
ledger_remark(Ledger *ledger, const char *format,...)
{
	PUT_FINDING(remarks, NULL, 0);
}

int
ledger_exit_status(const Ledger *ledger)
{
	return ledger->errors.count > 0 ? EXIT_NOT_CHECKED : ledger->problems.count > 0 ? EXIT_INVALID : EXIT_VALID;
}

static void
list_free(FindingList *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->list[i].text);
	free(list->list);
}

void
findings_free(Ledger *ledger)
{
	list_free(&ledger->problems);
	list_free(&ledger->warnings);
	list_free(&ledger->not_checked);
	list_free(&ledger->errors);
	list_free(&ledger->remarks);
}
