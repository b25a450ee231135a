/*
 * report.c
 *		What was found: written down by any thread, and printed at the end, for
 *		people or as one JSON document (docs/verifier.md).
 */
#include "verifier/verifier.h"

#include <inttypes.h>
#include <stdarg.h>

/* What people are shown without --all */
#define SHOWN 20

/* As people and programs are told of it */
static const struct
{
	const char *title;
	const char *name;
	bool		is_cut;
}			sorts[FOUND_SORTS] = {
	[FOUND_ERROR] = {"Could not check", "errors", false},
	[FOUND_PROBLEM] = {"Problems", "problems", true},
	[FOUND_BEYOND] = {"Not supported by this version", "not_supported", true},
	[FOUND_REMARK] = {"Beside", "remarks", false},
	[FOUND_WARNING] = {"Warnings", "warnings", true},
	[FOUND_NOT_CHECKED] = {"Not checked", "not_checked", false}
};

void
ledger_say(Ledger *ledger, FindingSort sort, const Entry *entry, uint64_t row, const char *format,...)
{
	FindingList *list = &ledger->found[sort];
	va_list		arguments;
	char	   *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		need(NULL);
	va_end(arguments);
	pthread_mutex_lock(&ledger->lock);
	list->list = ecert_arena_grow(arena_memory(&ledger->memory), list->list, list->count, &list->room, sizeof *list->list);
	list->list[list->count] = (Finding) {
		entry, row, (const char *) ecert_arena_copy(arena_memory(&ledger->memory), ecert_slice_text(text)).data, list->count
	};
	list->count++;
	pthread_mutex_unlock(&ledger->lock);
	free(text);
}

static bool
begins(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The first package that is wrong in itself, and not because of another; NULL: none is */
static const Finding *
first_in_itself(const FindingList *problems)
{
	for (size_t i = 0; i < problems->count; i++)
	{
		const char *text = problems->list[i].text;

		if (begins(text, "package is m") || begins(text, "body is") || begins(text, "signature of") || begins(text, "row is") ||
			begins(text, "equivocation"))
			return &problems->list[i];
	}
	return NULL;
}

int
ledger_exit_status(const Ledger *ledger)
{
	const FindingList *problems = &ledger->found[FOUND_PROBLEM];

	if (ledger->found[FOUND_ERROR].count > 0 || (ledger->rests_on_beyond && first_in_itself(problems) == NULL))
		return EXIT_NOT_CHECKED;
	if (problems->count > 0)
		return EXIT_INVALID;
	return ledger->found[FOUND_BEYOND].count > 0 ? EXIT_NOT_CHECKED : EXIT_VALID;
}

/* Entries lie in the order of issuer, kind and seq, so their addresses have it */
static int
compare_findings(const void *a, const void *b)
{
	const Finding *first = a;
	const Finding *second = b;

	if (first->entry != second->entry)
		return first->entry == NULL || (second->entry != NULL && first->entry < second->entry) ? -1 : 1;
	if (first->row != second->row)
		return first->row < second->row ? -1 : 1;
	return (first->number > second->number) - (first->number < second->number);
}

/* The package to look at first: one that is wrong in itself, before those that are wrong because of it */
static const Finding *
first_problem(const FindingList *problems)
{
	const Finding *first = first_in_itself(problems);

	return first != NULL ? first : &problems->list[0];
}

static void
print_place(const Ledger *ledger, const Finding *finding)
{
	const Entry *entry = finding->entry;

	if (entry != NULL)
		printf("issuer \"%.*s\", %s, seq %" PRId64 ", hash %s: ", TEXT(ledger_id_text(ledger, entry->issuer)),
			   ecert_kind_name((EcertKind) entry->kind), entry->seq, HEX(entry->hash));
	else if (finding->row > 0)
		printf("row %" PRIu64 " of the dump: ", finding->row);
	print_safe(ecert_slice_text(finding->text));
	putchar('\n');
}

static void
print_list(const Ledger *ledger, FindingSort sort)
{
	const FindingList *list = &ledger->found[sort];
	size_t		shown = sorts[sort].is_cut && !ledger->options->all && list->count > SHOWN ? SHOWN : list->count;

	if (list->count == 0)
		return;
	printf("\n%s:\n", sorts[sort].title);
	for (size_t i = 0; i < shown; i++)
	{
		fputs("  ", stdout);
		print_place(ledger, &list->list[i]);
	}
	if (shown < list->count)
		printf("  ... and %zu more (--all shows them)\n", list->count - shown);
}

static void
print_count(uint64_t count, const char *what)
{
	if (count > 0)
		printf(", %" PRIu64 " %s%s", count, what, count == 1 ? "" : "s");
}

static void
print_counts(const Ledger *ledger)
{
	const Counts *counts = &ledger->counts;

	if (ledger->registry.has_genesis)
		printf("Ledger \"%.*s\", genesis %s\n", TEXT(ledger->registry.origin), HEX(ledger->registry.genesis_hash));
	printf("Checked: %zu packages (%" PRIu64 " bytes) in %zu feeds", ledger->count, counts->package_bytes, ledger->feed_count);
	print_count(counts->signatures, "signature");
	print_count(counts->checkpoints, "checkpoint");
	print_count(counts->witnesses, "witness statement");
	print_count(counts->receipts, "receipt");
	print_count(counts->kept_checkpoints, "kept checkpoint");
	printf("; %.1f s\n", counts->seconds);
	if (counts->tree_size > 0)
		printf("Under checkpoints: %" PRIu64 " packages; after the last one: %" PRIu64 "\n", counts->tree_size,
			   (uint64_t) ledger->count - counts->tree_size);
}

static void
print_verdict(const Ledger *ledger)
{
	const FindingList *problems = &ledger->found[FOUND_PROBLEM];
	int			status = ledger_exit_status(ledger);

	if (status == EXIT_VALID)
		puts("The ledger is VALID: no problem was found.");
	else if (status == EXIT_INVALID)
		printf("The ledger is INVALID: %zu problem%s.\n", problems->count, problems->count == 1 ? "" : "s");
	else
		printf("The ledger COULD NOT BE CHECKED as a whole; %zu problem%s in what could be.\n", problems->count,
			   problems->count == 1 ? " was found" : "s were found");
	if (problems->count > 0)
	{
		fputs("First: ", stdout);
		print_place(ledger, first_problem(problems));
	}
}

static void
print_for_people(const Ledger *ledger)
{
	print_counts(ledger);
	print_list(ledger, FOUND_ERROR);
	putchar('\n');
	print_verdict(ledger);
	for (FindingSort sort = FOUND_PROBLEM; sort < FOUND_SORTS; sort++)
		print_list(ledger, sort);
}

static void
json_text(EcertSlice text)
{
	size_t		bad;
	bool		valid = ecert_utf8_valid(text, &bad);

	putchar('"');
	for (size_t i = 0; i < text.size; i++)
	{
		uint8_t		c = text.data[i];

		/* names of files may be of any encoding */
		if (c >= 0x80 && !valid)
			fputs("\\ufffd", stdout);
		else if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7F)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void
json_finding(const Ledger *ledger, const Finding *finding)
{
	const Entry *entry = finding->entry;

	putchar('{');
	if (entry != NULL)
	{
		fputs("\"issuer\": ", stdout);
		json_text(ledger_id_text(ledger, entry->issuer));
		printf(", \"kind\": \"%s\", \"seq\": %" PRId64 ", \"hash\": \"%s\", ", ecert_kind_name((EcertKind) entry->kind), entry->seq,
			   HEX(entry->hash));
	}
	else if (finding->row > 0)
		printf("\"row\": %" PRIu64 ", ", finding->row);
	fputs("\"text\": ", stdout);
	json_text(ecert_slice_text(finding->text));
	putchar('}');
}

static void
json_list(const Ledger *ledger, const char *name, const FindingList *list)
{
	printf(",\n  \"%s\": [", name);
	for (size_t i = 0; i < list->count; i++)
	{
		fputs(i == 0 ? "\n    " : ",\n    ", stdout);
		json_finding(ledger, &list->list[i]);
	}
	fputs(list->count == 0 ? "]" : "\n  ]", stdout);
}

/* A text, or null where there is no sound genesis that gives it */
static void
json_identity(const Ledger *ledger, const char *name, EcertSlice text)
{
	printf(",\n  \"%s\": ", name);
	if (ledger->registry.has_genesis)
		json_text(text);
	else
		fputs("null", stdout);
}

static void
json_ledger(const Ledger *ledger)
{
	json_identity(ledger, "origin", ledger->registry.origin);
	json_identity(ledger, "certifier", ledger_id_text(ledger, ledger->registry.certifier));
	json_identity(ledger, "genesis", ecert_slice_text(HEX(ledger->registry.genesis_hash)));
	printf(",\n  \"genesis_compared_with\": %s", ledger->options->genesis != NULL ? "\"hash\"" :
		   ledger->options->certifier_key != NULL ? "\"certifier key\"" : "null");
}

static void
print_json(const Ledger *ledger)
{
	static const char *const verdicts[] = {
		[EXIT_VALID] = "valid",[EXIT_INVALID] = "invalid",[EXIT_NOT_CHECKED] = "not checked"
	};
	const Counts *counts = &ledger->counts;
	const FindingList *problems = &ledger->found[FOUND_PROBLEM];
	int			status = ledger_exit_status(ledger);

	printf("{\n  \"program\": \"ecert-verify\",\n  \"version\": \"" VERIFIER_VERSION "\",\n  \"status\": \"%s\",\n  \"exit_status\": %d",
		   verdicts[status], status);
	json_ledger(ledger);
	printf(",\n  \"packages\": %zu,\n  \"feeds\": %zu,\n  \"rows\": %" PRIu64 ",\n  \"package_bytes\": %" PRIu64
		   ",\n  \"signatures_verified\": %" PRIu64, ledger->count, ledger->feed_count, counts->rows, counts->package_bytes,
		   (uint64_t) counts->signatures);
	printf(",\n  \"checkpoints\": %" PRIu64 ",\n  \"tree_size\": %" PRIu64 ",\n  \"packages_after_last_checkpoint\": %" PRIu64
		   ",\n  \"witness_statements\": %" PRIu64 ",\n  \"cosignatures_verified\": %" PRIu64 ",\n  \"cosignatures_of_other_names\": %" PRIu64,
		   counts->checkpoints, counts->tree_size, (uint64_t) ledger->count - counts->tree_size, counts->witnesses,
		   (uint64_t) counts->cosignatures, (uint64_t) counts->foreign_cosignatures);
	printf(",\n  \"receipts_checked\": %" PRIu64 ",\n  \"kept_checkpoints_checked\": %" PRIu64 ",\n  \"seconds\": %.3f",
		   counts->receipts, counts->kept_checkpoints, counts->seconds);
	printf(",\n  \"problem_count\": %zu,\n  \"first_problem\": ", problems->count);
	if (problems->count > 0)
		json_finding(ledger, first_problem(problems));
	else
		fputs("null", stdout);
	for (FindingSort sort = 0; sort < FOUND_SORTS; sort++)
		json_list(ledger, sorts[sort].name, &ledger->found[sort]);
	puts("\n}");
}

void
report_print(Ledger *ledger)
{
	const FindingList *errors = &ledger->found[FOUND_ERROR];
	const FindingList *beyond = &ledger->found[FOUND_BEYOND];

	for (FindingList *list = ledger->found; list < ledger->found + FOUND_SORTS; list++)
	{
		ecert_sort(list->list, list->count, sizeof *list->list, compare_findings);
	}
	for (size_t i = 0; !ledger->options->json && i < errors->count; i++)
		fprintf(stderr, "ecert-verify: %s\n", errors->list[i].text);
	if (!ledger->options->json && beyond->count > 0)
		fprintf(stderr, "ecert-verify: packages that this version does not support: %zu, the first: %s\n", beyond->count, beyond->list[0].text);
	if (ledger->options->json)
		print_json(ledger);
	else if (!ledger->options->quiet)
		print_for_people(ledger);
}
