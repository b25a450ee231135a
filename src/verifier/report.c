/*
 * report.c
 *		What was found, printed at the end: for people, or as one JSON document
 *		(docs/verifier.md).
 */
#include "verifier/verifier.h"

#include <inttypes.h>

/* What people are shown without --all */
#define SHOWN 20

/* ----- order ----- */

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

static void
sort_findings(FindingList *list)
{
	if (list->count > 1)
		qsort(list->list, list->count, sizeof *list->list, compare_findings);
}

static bool
begins(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The package to look at first: one that is wrong in itself, before those that are wrong because of it */
static const Finding *
first_problem(const FindingList *problems)
{
	for (size_t i = 0; i < problems->count; i++)
	{
		const char *text = problems->list[i].text;

		if (begins(text, "package is m") || begins(text, "body is") || begins(text, "signature of") || begins(text, "row is") ||
			begins(text, "equivocation"))
			return &problems->list[i];
	}
	return &problems->list[0];
}

/* ----- for people ----- */

/* Text that packages brought, for a terminal: no control characters */
static void
print_safe(const char *text)
{
	for (; *text != '\0'; text++)
	{
		uint8_t		c = (uint8_t) *text;
		bool		c1 = c == 0xC2 && (uint8_t) text[1] >= 0x80 && (uint8_t) text[1] < 0xA0;

		putchar(c < 0x20 || c == 0x7F || c1 ? '?' : c);
		text += c1;
	}
	putchar('\n');
}

static void
print_place(const Ledger *ledger, const Finding *finding)
{
	char		hash[HEX_ROOM];
	const Entry *entry = finding->entry;

	if (entry != NULL)
		printf("issuer \"%.*s\", %s, seq %" PRId64 ", hash %s: ", TEXT(ledger_id_text(ledger, entry->issuer)),
			   ecert_kind_name((EcertKind) entry->kind), entry->seq, text_hash(entry->hash, hash));
	else if (finding->row > 0)
		printf("row %" PRIu64 " of the dump: ", finding->row);
	print_safe(finding->text);
}

static void
print_list(const Ledger *ledger, const char *title, const FindingList *list, size_t most)
{
	size_t		shown = list->count < most ? list->count : most;

	if (list->count == 0)
		return;
	printf("\n%s:\n", title);
	for (size_t i = 0; i < shown; i++)
	{
		fputs("  ", stdout);
		print_place(ledger, &list->list[i]);
	}
	if (shown < list->count)
		printf("  ... and %zu more (--all shows them)\n", list->count - shown);
}

static const char *
verdict(const Ledger *ledger)
{
	switch (ledger_exit_status(ledger))
	{
		case EXIT_VALID:
			return "valid";
		case EXIT_INVALID:
			return "invalid";
		default:
			return "not checked";
	}
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
	char		hash[HEX_ROOM];

	if (ledger->registry.has_genesis)
		printf("Ledger \"%.*s\", genesis %s\n", TEXT(ledger_origin(ledger)), text_hash(ledger_genesis_hash(ledger), hash));
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
	switch (ledger_exit_status(ledger))
	{
		case EXIT_VALID:
			puts("The ledger is VALID: no problem was found.");
			break;
		case EXIT_INVALID:
			printf("The ledger is INVALID: %zu problem%s.\nFirst: ", ledger->problems.count, ledger->problems.count == 1 ? "" : "s");
			print_place(ledger, first_problem(&ledger->problems));
			break;
		default:
			printf("The ledger COULD NOT BE CHECKED as a whole; %zu problem%s in what could be.\n", ledger->problems.count,
				   ledger->problems.count == 1 ? " was found" : "s were found");
			if (ledger->problems.count > 0)
			{
				fputs("First: ", stdout);
				print_place(ledger, first_problem(&ledger->problems));
			}
			break;
	}
}

static void
print_for_people(const Ledger *ledger)
{
	size_t		most = ledger->options->all ? SIZE_MAX : SHOWN;

	print_counts(ledger);
	print_list(ledger, "Could not check", &ledger->errors, SIZE_MAX);
	putchar('\n');
	print_verdict(ledger);
	print_list(ledger, "Problems", &ledger->problems, most);
	print_list(ledger, "Beside", &ledger->remarks, SIZE_MAX);
	print_list(ledger, "Warnings", &ledger->warnings, most);
	print_list(ledger, "Not checked", &ledger->not_checked, SIZE_MAX);
}

/* ----- for programs ----- */

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
	char		hash[HEX_ROOM];
	const Entry *entry = finding->entry;

	fputs("{", stdout);
	if (entry != NULL)
	{
		fputs("\"issuer\": ", stdout);
		json_text(ledger_id_text(ledger, entry->issuer));
		printf(", \"kind\": \"%s\", \"seq\": %" PRId64 ", \"hash\": \"%s\", ", ecert_kind_name((EcertKind) entry->kind), entry->seq,
			   text_hash(entry->hash, hash));
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

static void
json_ledger(const Ledger *ledger)
{
	char		hash[HEX_ROOM];

	fputs(",\n  \"origin\": ", stdout);
	if (ledger->registry.has_genesis)
		json_text(ledger_origin(ledger));
	else
		fputs("null", stdout);
	fputs(",\n  \"certifier\": ", stdout);
	if (ledger->registry.has_genesis)
		json_text(ledger_id_text(ledger, ledger_certifier(ledger)));
	else
		fputs("null", stdout);
	if (ledger->registry.has_genesis)
		printf(",\n  \"genesis\": \"%s\"", text_hash(ledger_genesis_hash(ledger), hash));
	else
		fputs(",\n  \"genesis\": null", stdout);
	printf(",\n  \"genesis_compared_with\": %s", ledger->options->genesis != NULL ? "\"hash\"" :
		   ledger->options->certifier_key != NULL ? "\"certifier key\"" : "null");
}

static void
print_json(const Ledger *ledger)
{
	const Counts *counts = &ledger->counts;

	printf("{\n  \"program\": \"ecert-verify\",\n  \"version\": \"" VERIFIER_VERSION "\",\n  \"status\": \"%s\",\n  \"exit_status\": %d",
		   verdict(ledger), ledger_exit_status(ledger));
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
	printf(",\n  \"problem_count\": %zu,\n  \"first_problem\": ", ledger->problems.count);
	if (ledger->problems.count > 0)
		json_finding(ledger, first_problem(&ledger->problems));
	else
		fputs("null", stdout);
	json_list(ledger, "errors", &ledger->errors);
	json_list(ledger, "problems", &ledger->problems);
	json_list(ledger, "remarks", &ledger->remarks);
	json_list(ledger, "warnings", &ledger->warnings);
	json_list(ledger, "not_checked", &ledger->not_checked);
	puts("\n}");
}

void
report_print(Ledger *ledger)
{
	sort_findings(&ledger->problems);
	sort_findings(&ledger->warnings);
	for (size_t i = 0; ledger->options->json ? false : i < ledger->errors.count; i++)
		fprintf(stderr, "ecert-verify: %s\n", ledger->errors.list[i].text);
	if (ledger->options->json)
		print_json(ledger);
	else if (!ledger->options->quiet)
		print_for_people(ledger);
}
