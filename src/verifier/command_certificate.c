/*
 * command_certificate.c
 *		ecert-verify certificate: one transparent statement, with nothing at hand
 *		but the certifier's public keys.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "core/receipt.h"
#include "rules/fields.h"
#include "rules/text.h"

/* The statement and what was found about it */
typedef struct Statement
{
	const Options *options;
	Arena		memory;			/* of the files, which receipts borrow from, and of words */
	EcertKeyFacts pinned;		/* the key that the reader trusts for the certifier's packages */
	EcertPublicKey *key;		/* the same, prepared */
	EcertKeyFacts seal_pinned;	/* and for receipts */
	EcertPublicKey *seal_key;
	uint8_t		package_bytes[ECERT_PACKAGE_MAX];
	uint8_t		scratch[ECERT_PACKAGE_MAX + 32];
	EcertPackage package;
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertStatement parts;		/* what is in its unprotected header */
	EcertTrust	trust;
	EcertReceipt receipt;		/* the one that is good */
	bool		has_receipt;
	const char *wrong;			/* why a receipt under the pinned key does not hold; NULL: none was wrong */
	bool		signature_checked;
	int			problems;
} Statement;

/* Something is wrong */
#define problem(statement, ...) ((statement)->problems++, fputs("WRONG: ", stdout), printf(__VA_ARGS__), putchar('\n'))

/* Entries of the unprotected header that are named; whoever writes more of them is not to fill the screen */
#define PARTS_SHOWN 20

/* What stands behind a label */
#define LABEL "  %-24s"
#define print_row(label, ...) (printf(LABEL, label), printf(__VA_ARGS__), putchar('\n'))

static void
print_line(const char *label, EcertSlice text)
{
	if (text.size == 0)
		return;
	printf(LABEL, label);
	print_safe(text);
	putchar('\n');
}

static const char *
time_text(Statement *statement, int64_t seconds)
{
	EcertText	text = ecert_text_in(arena_memory(&statement->memory));

	ecert_text_put_time(&text, seconds);
	return ecert_text_string(&text);
}

static void
print_period(Statement *statement, const char *key)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(statement->package.body, key, &count);
	bool		is_valid = strcmp(key, "valid") == 0;
	int64_t		now = time(NULL);
	int64_t		start;
	int64_t		end;

	if (count == 2 && ecert_cbor_int(ecert_cbor_skip(&cursor), &start) == ECERT_OK &&
		ecert_cbor_int(ecert_cbor_skip(&cursor), &end) == ECERT_OK)
		print_row(key, "%s to %s%s", time_text(statement, start), time_text(statement, end),
				  is_valid && now < start ? " (begins later, by the clock here)" : is_valid && now >= end ? " (OVER, by the clock here)" : "");
}

/* A number or null as text; "-" for null */
static const char *
number_text(EcertSlice map, const char *key, char *text)
{
	EcertSlice	item;
	EcertDecimal decimal;

	if (!ecert_cbor_find(map, key, &item) || ecert_decimal_read(item, &decimal) != ECERT_OK)
		return strcpy(text, "-");
	(void) ecert_decimal_text(decimal, text);
	return text;
}

#define NUMBER(map, key) number_text(map, key, (char[ECERT_DECIMAL_TEXT_MAX]) {0})

static void
print_header(Statement *statement)
{
	const EcertPackage *package = &statement->package;

	printf("%s package\n", ecert_kind_name(package->kind));
	print_line("ledger", package->audience);
	print_line("issuer", package->issuer);
	print_line("subject", package->subject);
	print_row("seq", "%" PRId64, package->seq);
	print_row("issued at", "%s", time_text(statement, package->issued_at));
	print_row("hash", "%s", HEX(statement->hash));
	print_row("key", "%s (%s)", HEX(package->kid.data), ecert_alg_name(package->alg));
}

/* A name, and the same in two languages where they are said */
static void
print_names(const char *label, EcertSlice name, const char *chinese, const char *english, EcertSlice names)
{
	print_line(label, name);
	print_line(chinese, ecert_cbor_text_at(names, "zh"));
	print_line(english, ecert_cbor_text_at(names, "en"));
}

static void
print_product(EcertSlice product)
{
	fputs("  ", stdout);
	print_safe(ecert_cbor_text_at(product, "product"));
	fputs(" in ", stdout);
	print_safe(ecert_cbor_text_at(product, "unit"));
	fputs(", ", stdout);
	print_safe(ecert_cbor_text_at(product, "status"));
	printf("\n    %-10s %18s %18s %22s\n", "baseline", NUMBER(product, "base_kgce"), NUMBER(product, "base_output"),
		   NUMBER(product, "base_unit_energy"));
	printf("    %-10s %18s %18s %22s\n", "reporting", NUMBER(product, "now_kgce"), NUMBER(product, "now_output"),
		   NUMBER(product, "now_unit_energy"));
	printf("    saving     %18s   rate %s\n", NUMBER(product, "saving_kgce"), NUMBER(product, "saving_rate"));
}

static void
print_total(EcertSlice total)
{
	puts("\nTotals");
	print_row("adjusted baseline kgce", "%s", NUMBER(total, "adjusted_base_kgce"));
	print_row("reporting kgce", "%s", NUMBER(total, "now_kgce"));
	print_row("saving kgce", "%s", NUMBER(total, "saving_kgce"));
	print_row("saving tce", "%s", NUMBER(total, "saving_tce"));
	print_row("saving rate", "%s", NUMBER(total, "saving_rate"));
	print_row("structure kgce", "%s", NUMBER(total, "structure_kgce"));
}

static void
print_completeness(EcertSlice counts)
{
	puts("\nPackages");
	print_row("baseline", "%s energy, %s product", NUMBER(counts, "base_energy_packages"), NUMBER(counts, "base_product_packages"));
	print_row("reporting", "%s energy, %s product", NUMBER(counts, "energy_packages"), NUMBER(counts, "product_packages"));
}

/* The rows of figures, whose order the rules give: products come first */
static void
print_figures(EcertSlice body)
{
	uint64_t	count;
	EcertCursor rows = ecert_cbor_items_at(body, "figures", &count);

	printf("\n               %18s %18s %22s\n", "kgce", "qualified output", "kgce per unit");
	while (count-- > 0)
	{
		EcertSlice	row = ecert_cbor_skip(&rows);
		EcertSlice	of = ecert_cbor_text_at(row, "of");

		if (ecert_slice_equal(of, ecert_slice_text("product")))
			print_product(row);
		else if (ecert_slice_equal(of, ecert_slice_text("total")))
			print_total(row);
		else if (ecert_slice_equal(of, ecert_slice_text("completeness")))
			print_completeness(row);
	}
}

/* What it is about, and under what conventions it was computed */
static void
print_question(Statement *statement, EcertSlice body)
{
	EcertSlice	conventions = ecert_field_item(body, "conventions");

	print_line("title (zh)", ecert_cbor_text_at(ecert_field_item(body, "title"), "zh"));
	print_line("title (en)", ecert_cbor_text_at(ecert_field_item(body, "title"), "en"));
	print_line("number", ecert_cbor_text_at(body, "number"));
	print_names("issuer's name", ecert_cbor_text_at(body, "issuer_name"), "issuer's name (zh)", "issuer's name (en)", ecert_field_item(body, "issuer_names"));
	print_line("applicant", ecert_cbor_text_at(body, "applicant"));
	print_names("name", ecert_cbor_text_at(body, "name"), "name (zh)", "name (en)", ecert_field_item(body, "names"));
	print_line("site", ecert_cbor_text_at(body, "site"));
	print_period(statement, "period");
	print_period(statement, "baseline");
	print_line("calendar", ecert_cbor_text_at(body, "calendar"));
	print_line("method", ecert_cbor_text_at(ecert_field_item(body, "method"), "name"));
	print_line("rate is of", ecert_cbor_text_at(conventions, "denominator"));
	print_line("electricity by", ecert_cbor_text_at(conventions, "electricity"));
	print_line("replaces", ecert_cbor_text_at(body, "replaces"));
}

static void
print_certificate(Statement *statement)
{
	EcertSlice	body = statement->package.body;
	uint64_t	replaced;

	puts("\nCertificate");
	print_question(statement, body);
	print_figures(body);
	puts("\nVerdict");
	print_row("rate", "%s", NUMBER(body, "rate"));
	print_row("threshold", "%s", NUMBER(body, "threshold"));
	print_line("verdict", ecert_cbor_text_at(body, "verdict"));
	print_period(statement, "valid");
	print_line("policy", ecert_cbor_text_at(body, "policy"));
	print_line("checkpoint", ecert_cbor_text_at(body, "checkpoint"));
	print_row("packages", "%s", NUMBER(ecert_field_item(body, "packages"), "count"));
	print_row("audits", "%s", NUMBER(ecert_field_item(body, "audits"), "count"));
	(void) ecert_cbor_items_at(body, "baseline_replaced", &replaced);
	print_row("baseline replaced", "%" PRIu64 " packages since the period began", replaced);
}

static bool
load_pinned(Statement *statement, const char *name, EcertKeyFacts *key, EcertPublicKey **prepared)
{
	const char *fault = file_key(arena_memory(&statement->memory), name, key);

	if (fault == NULL && ecert_public_key_new(key->alg, ecert_slice(key->raw, ecert_raw_key_size(key->alg)), prepared) == ECERT_OK)
		return true;
	fprintf(stderr, "ecert-verify: could not read the certifier's key \"%s\": %s\n", name, fault == NULL ? "it cannot be used" : fault);
	return false;
}

/* The package itself, under the pinned key when it is the certifier's */
static void
check_package(Statement *statement)
{
	const EcertPackage *package = &statement->package;
	EcertError	error;

	if (ecert_body_check(package->kind, package->body, &error) != ECERT_OK)
		problem(statement, "body is invalid at byte %zu: %s", error.offset, ecert_error_text(error.code));
	if (statement->options->origin != NULL && !ecert_slice_equal(package->audience, ecert_slice_text(statement->options->origin)))
		problem(statement, "package is for another ledger than \"%s\"", statement->options->origin);
	if (memcmp(package->kid.data, statement->pinned.kid, ECERT_HASH_SIZE) != 0)
	{
		if (ecert_kinds[package->kind].issuer_role == ECERT_ROLE_CERTIFIER)
			problem(statement, "the package names another key than the certifier's that was given");
		return;
	}
	statement->signature_checked = true;
	if (package->alg != statement->pinned.alg ||
		ecert_package_verify(package, statement->key, ecert_buffer(statement->scratch, sizeof statement->scratch)) != ECERT_OK)
		problem(statement, "signature of the package is wrong");
}

/* A receipt that is not the one that holds, or something else that stands beside them */
static void
say_part(unsigned number, const EcertStatementPart *part, EcertOutcome outcome, EcertCode reason)
{
	char		text[ECERT_PART_TEXT_MAX];

	if (number <= PARTS_SHOWN)
		printf("%s: %s: %s\n", outcome == ECERT_WRONG ? "WRONG" : "NOT CHECKED", ecert_part_text(part, text), ecert_error_text(reason));
	else if (number == PARTS_SHOWN + 1)
		puts("NOT CHECKED: more entries of the unprotected header");
}

/* One receipt that holds is enough: nobody has signed what else is in the unprotected header */
static void
check_receipts(Statement *statement)
{
	EcertReceipt *receipt = ecert_arena_alloc(arena_memory(&statement->memory), sizeof *receipt);
	EcertStatementPart part;
	EcertError	error = {0};
	unsigned	others = 0;
	unsigned	receipts = 0;

	while (ecert_statement_next(&statement->parts, &part))
	{
		EcertOutcome outcome = ecert_part_judge(&part, statement->hash, &statement->trust, receipt, &error);

		receipts = part.receipt > receipts ? part.receipt : receipts;
		if (outcome == ECERT_HOLDS)
		{
			if (!statement->has_receipt)
				statement->receipt = *receipt;
			statement->has_receipt = true;
			continue;
		}
		if (outcome == ECERT_WRONG)
			statement->wrong = ecert_error_text(error.code);
		say_part(++others, &part, outcome, error.code);
	}
	if (receipts == 0)
		puts("NOT CHECKED: whether it is on the ledger: the file has no receipt (ecert.transparent() puts one in)");
	else if (!statement->has_receipt && statement->wrong == NULL)
		puts("NOT CHECKED: whether it is on the ledger: no receipt in the file can be checked with the seal key that was given");
}

static bool
read_statement(Statement *statement)
{
	const char *name = statement->options->file;
	EcertBuffer package = ecert_buffer(statement->package_bytes, sizeof statement->package_bytes);
	EcertError	error;
	EcertSlice	bytes;
	EcertCode	code;

	if (!file_package(arena_memory(&statement->memory), name, &bytes))
	{
		fprintf(stderr, "ecert-verify: could not read \"%s\": %s\n", name, strerror(errno));
		return false;
	}
	code = ecert_statement_parse(bytes, &package, &statement->parts, &error);
	if (code == ECERT_OK)
		code = ecert_package_parse(ecert_slice(package.data, package.size), &statement->package, &error);
	if (ecert_is_beyond(code))
	{
		fprintf(stderr, "ecert-verify: \"%s\" could not be checked: %s\n", name, ecert_error_text(code));
		return false;
	}
	if (code != ECERT_OK)
	{
		problem(statement, "\"%s\" is no package or transparent statement: at byte %zu: %s", name, error.offset, ecert_error_text(error.code));
		return true;
	}
	if (ecert_package_hash(statement->package.bytes, statement->hash) == ECERT_OK)
		return true;
	fputs("ecert-verify: the crypto library failed\n", stderr);
	return false;
}

/* What is known of receipts for this package: the pinned seal key, and of packages of the certifier its id */
static void
set_trust(Statement *statement)
{
	bool		is_certifiers = ecert_kinds[statement->package.kind].issuer_role == ECERT_ROLE_CERTIFIER;

	statement->trust = (EcertTrust) {
		statement->seal_pinned.alg, ecert_slice(statement->seal_pinned.kid, ECERT_HASH_SIZE), statement->seal_key,
		is_certifiers ? statement->package.issuer : ecert_slice(NULL, 0), statement->package.audience
	};
}

static void
print_checked(const Statement *statement)
{
	puts("\nChecked");
	if (statement->signature_checked)
		puts("  the package is signed with the certifier's key that was given");
	if (statement->has_receipt)
		printf("  the certifier has sealed it as leaf %" PRIu64 " of a checkpoint of %" PRIu64 " packages\n", statement->receipt.leaf_index,
			   statement->receipt.tree_size);
	puts("Not checked");
	if (!statement->signature_checked)
		puts("  the signature of the package: its issuer's key was not given");
	if (statement->options->origin == NULL)
		puts("  whether it is of the ledger you mean (--origin)");
	if (statement->has_receipt && statement->trust.certifier.size == 0)
		puts("  " ECERT_CERTIFIER_NOT_CHECKED);
	if (statement->package.kind == ECERT_KIND_CERTIFICATE)
		puts("  whether it was suspended, withdrawn or replaced since: status packages are on the ledger\n"
			 "  whether the figures follow from the applicant's packages: ecert-verify ledger computes them again\n"
			 "  whether the audits were made as it says");
	puts("  whether others are shown another ledger of this name\n"
		 "  whether the keys were still the certifier's: revocations are on the ledger");
}

static int
conclude(const Statement *statement)
{
	if (statement->problems > 0 || (!statement->has_receipt && statement->wrong != NULL))
	{
		puts("\nThe statement is INVALID.");
		return EXIT_INVALID;
	}
	if (!statement->has_receipt)
	{
		puts("\nThe statement COULD NOT BE CHECKED as a whole.");
		return EXIT_NOT_CHECKED;
	}
	puts(statement->signature_checked ? "\nThe statement is VALID." :
		 "\nThe receipt is VALID: the certifier sealed this package. Its own signature was not checked.");
	return EXIT_VALID;
}

int
certificate_command(const Options *options)
{
	Statement  *statement = need(calloc(1, sizeof *statement));
	int			status = EXIT_NOT_CHECKED;

	statement->options = options;
	if (load_pinned(statement, options->certifier_key, &statement->pinned, &statement->key) &&
		load_pinned(statement, options->seal_key, &statement->seal_pinned, &statement->seal_key) && read_statement(statement))
	{
		if (statement->package.body.size > 0 && statement->problems == 0)
		{
			set_trust(statement);
			print_header(statement);
			check_package(statement);
			check_receipts(statement);
			if (statement->package.kind == ECERT_KIND_CERTIFICATE && statement->problems == 0)
				print_certificate(statement);
			print_checked(statement);
		}
		status = conclude(statement);
	}
	ecert_public_key_free(statement->key);
	ecert_public_key_free(statement->seal_key);
	arena_reset(&statement->memory);
	free(statement);
	return status;
}
