/*
 * command_certificate.c
 *		ecert-verify certificate: one transparent statement, with nothing at hand
 *		but the certifier's public key.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "core/receipt.h"

#define PEM_MAX 65536
#define STATEMENT_FILE_MAX (4 * ECERT_STATEMENT_MAX)

/* The key that the reader trusts */
typedef struct Pinned
{
	EcertAlg	alg;
	uint8_t		kid[ECERT_HASH_SIZE];
	EcertPublicKey *key;
} Pinned;

/* The statement and what was found about it */
typedef struct Statement
{
	const Options *options;
	Pinned		pinned;
	uint8_t    *file;			/* what receipts borrow from */
	uint8_t		package_bytes[ECERT_PACKAGE_MAX];
	uint8_t		scratch[ECERT_PACKAGE_MAX + 32];
	EcertPackage package;
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertCursor receipts;
	uint64_t	receipt_count;
	EcertReceipt receipt;		/* the one that is good */
	bool		has_receipt;
	bool		signature_checked;
	int			problems;
	int			open;			/* what could not be checked although it has to be */
} Statement;

/* ----- words ----- */

static void __attribute__((format(printf, 2, 3)))
problem(Statement *statement, const char *format,...)
{
	va_list		arguments;

	statement->problems++;
	fputs("WRONG: ", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static void
print_label(const char *label)
{
	printf("  %-24s", label);
}

/* Text of somebody else for a terminal: no control characters */
static void
print_text(EcertSlice text)
{
	for (size_t i = 0; i < text.size; i++)
	{
		bool		c1 = text.data[i] == 0xC2 && i + 1 < text.size && text.data[i + 1] < 0xA0;

		putchar(text.data[i] < 0x20 || text.data[i] == 0x7F || c1 ? '?' : text.data[i]);
		i += c1;
	}
}

static void
print_line(const char *label, EcertSlice text)
{
	if (text.size == 0)
		return;
	print_label(label);
	print_text(text);
	putchar('\n');
}

static void
print_period(const char *label, EcertSlice map, const char *key)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(map, key, &count);
	int64_t		start;
	int64_t		end;
	char		from[TIME_ROOM];
	char		to[TIME_ROOM];

	if (count != 2 || ecert_cbor_int(ecert_cbor_skip(&cursor), &start) != ECERT_OK ||
		ecert_cbor_int(ecert_cbor_skip(&cursor), &end) != ECERT_OK)
		return;
	print_label(label);
	printf("%s to %s", text_time(start, from), text_time(end, to));
	if (strcmp(key, "valid") == 0)
		printf("%s", (int64_t) time(NULL) < start ? " (begins later, by the clock here)" :
			   (int64_t) time(NULL) >= end ? " (OVER, by the clock here)" : "");
	putchar('\n');
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

static void
print_number(const char *label, EcertSlice map, const char *key)
{
	char		text[ECERT_DECIMAL_TEXT_MAX];

	print_label(label);
	puts(number_text(map, key, text));
}

/* ----- what is in the package ----- */

static void
print_header(const Statement *statement)
{
	const EcertPackage *package = &statement->package;
	char		hex[HEX_ROOM];
	char		issued[TIME_ROOM];

	printf("%s package\n", ecert_kind_name(package->kind));
	print_line("ledger", package->audience);
	print_line("issuer", package->issuer);
	print_line("subject", package->subject);
	print_label("seq");
	printf("%" PRId64 "\n", package->seq);
	print_label("issued at");
	puts(text_time(package->issued_at, issued));
	print_label("hash");
	puts(text_hash(statement->hash, hex));
	print_label("key");
	printf("%s (%s)\n", text_hash(package->kid.data, hex), ecert_alg_name(package->alg));
}

static void
print_product(EcertSlice product)
{
	static const char *const columns[][2] = {
		{"baseline", "base"}, {"reporting", "now"}
	};
	char		key[32];
	char		kgce[ECERT_DECIMAL_TEXT_MAX];
	char		output[ECERT_DECIMAL_TEXT_MAX];
	char		unit_energy[ECERT_DECIMAL_TEXT_MAX];

	fputs("  ", stdout);
	print_text(ecert_cbor_text_at(product, "product"));
	fputs(" in ", stdout);
	print_text(ecert_cbor_text_at(product, "unit"));
	fputs(", ", stdout);
	print_text(ecert_cbor_text_at(product, "status"));
	putchar('\n');
	for (int i = 0; i < 2; i++)
	{
		const char *prefix = columns[i][1];

		snprintf(key, sizeof key, "%s_kgce", prefix);
		number_text(product, key, kgce);
		snprintf(key, sizeof key, "%s_output", prefix);
		number_text(product, key, output);
		snprintf(key, sizeof key, "%s_unit_energy", prefix);
		printf("    %-10s %18s %18s %22s\n", columns[i][0], kgce, output, number_text(product, key, unit_energy));
	}
	printf("    saving     %18s   rate %s\n", number_text(product, "saving_kgce", kgce), number_text(product, "saving_rate", output));
}

static void
print_certificate(EcertSlice body)
{
	uint64_t	count;
	EcertCursor products = ecert_cbor_items_at(body, "products", &count);
	EcertSlice	totals = {NULL, 0};
	uint64_t	audits;

	puts("\nCertificate");
	print_line("number", ecert_cbor_text_at(body, "number"));
	print_line("applicant", ecert_cbor_text_at(body, "applicant"));
	print_line("name", ecert_cbor_text_at(body, "name"));
	print_period("period", body, "period");
	print_period("baseline", body, "baseline");
	print_line("method", ecert_cbor_text_at(body, "method"));
	print_line("replaces", ecert_cbor_text_at(body, "replaces"));
	printf("\n               %18s %18s %22s\n", "kgce", "qualified output", "kgce per unit");
	while (count-- > 0)
		print_product(ecert_cbor_skip(&products));
	(void) ecert_cbor_find(body, "totals", &totals);
	puts("\nTotals");
	print_number("adjusted baseline kgce", totals, "adjusted_base_kgce");
	print_number("reporting kgce", totals, "now_kgce");
	print_number("saving kgce", totals, "saving_kgce");
	print_number("saving tce", totals, "saving_tce");
	print_number("saving rate", totals, "saving_rate");
	print_number("structure kgce", totals, "structure_kgce");
	print_number("threshold", body, "threshold");
	print_line("verdict", ecert_cbor_text_at(body, "verdict"));
	print_period("valid", body, "valid");
	print_line("policy", ecert_cbor_text_at(body, "policy"));
	(void) ecert_cbor_items_at(body, "audits", &audits);
	print_label("audits");
	printf("%" PRIu64 "\n", audits);
}

/* ----- checks ----- */

static bool
load_pinned(Statement *statement)
{
	const char *name = statement->options->certifier_key;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	size_t		size;
	uint8_t    *pem = file_bytes(name, PEM_MAX, &size);
	bool		good;

	if (pem == NULL)
	{
		fprintf(stderr, "ecert-verify: could not read \"%s\": %s\n", name, strerror(errno));
		return false;
	}
	good = ecert_public_key_from_pem(ecert_slice(pem, size), &statement->pinned.alg, raw, &raw_size) == ECERT_OK &&
		ecert_key_thumbprint(statement->pinned.alg, ecert_slice(raw, raw_size), statement->pinned.kid) == ECERT_OK &&
		ecert_public_key_new(statement->pinned.alg, ecert_slice(raw, raw_size), &statement->pinned.key) == ECERT_OK;
	free(pem);
	if (!good)
		fprintf(stderr, "ecert-verify: there is no public key (PEM) that ecert uses in \"%s\"\n", name);
	return good;
}

static bool
is_certifiers(EcertKind kind)
{
	return kind != ECERT_KIND_ENERGY && kind != ECERT_KIND_PRODUCT && kind != ECERT_KIND_AUDIT && kind != ECERT_KIND_WITNESS;
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
		if (is_certifiers(package->kind))
			problem(statement, "the package names another key than the certifier's that was given");
		return;
	}
	statement->signature_checked = true;
	if (package->alg != statement->pinned.alg ||
		ecert_package_verify(package, statement->pinned.key, ecert_buffer(statement->scratch, sizeof statement->scratch)) != ECERT_OK)
		problem(statement, "signature of the package is wrong");
}

/* One receipt under the pinned key; the kid need not be named by receipts that others made */
static bool
receipt_is_good(Statement *statement, EcertSlice bytes)
{
	EcertReceipt *receipt = &statement->receipt;
	EcertError	error;

	if (ecert_receipt_parse(bytes, receipt, &error) != ECERT_OK)
		problem(statement, "receipt is malformed at byte %zu: %s", error.offset, ecert_error_text(error.code));
	else if (receipt->kid.size > 0 && !ecert_slice_equal(receipt->kid, ecert_slice(statement->pinned.kid, ECERT_HASH_SIZE)))
		problem(statement, "receipt names another key than the certifier's that was given");
	else if (receipt->alg != statement->pinned.alg ||
			 ecert_receipt_verify(receipt, statement->hash, statement->pinned.key) != ECERT_OK)
		problem(statement, "receipt's seal is wrong for this package");
	else
		return true;
	return false;
}

static void
check_receipts(Statement *statement)
{
	for (uint64_t i = 0; i < statement->receipt_count && !statement->has_receipt; i++)
	{
		EcertCborHead head;

		if (ecert_cbor_head(&statement->receipts, &head, NULL) != ECERT_OK)
			return;
		statement->has_receipt = receipt_is_good(statement, ecert_cbor_content(&statement->receipts, &head));
	}
	if (statement->receipt_count == 0)
	{
		statement->open++;
		puts("NOT CHECKED: whether it is on the ledger: the file has no receipt (ecert.transparent() puts one in)");
	}
}

/* ----- the command ----- */

static bool
read_statement(Statement *statement)
{
	const char *name = statement->options->file;
	EcertBuffer package = ecert_buffer(statement->package_bytes, sizeof statement->package_bytes);
	EcertError	error;
	size_t		size;

	statement->file = file_package(name, STATEMENT_FILE_MAX, &size);
	if (statement->file == NULL)
	{
		fprintf(stderr, "ecert-verify: could not read \"%s\": %s\n", name, strerror(errno));
		return false;
	}
	if (ecert_statement_parse(ecert_slice(statement->file, size), &package, &statement->receipts, &statement->receipt_count, &error) != ECERT_OK ||
		ecert_package_parse(ecert_slice(package.data, package.size), &statement->package, &error) != ECERT_OK)
	{
		problem(statement, "\"%s\" is no package or transparent statement: at byte %zu: %s", name, error.offset, ecert_error_text(error.code));
		return true;
	}
	if (ecert_package_hash(statement->package.bytes, statement->hash) == ECERT_OK)
		return true;
	fputs("ecert-verify: the crypto library failed\n", stderr);
	return false;
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
	if (statement->package.kind == ECERT_KIND_CERTIFICATE)
		puts("  whether it was suspended, withdrawn or replaced since: status packages are on the ledger\n"
			 "  whether the figures follow from the applicant's packages: ecert-verify ledger computes them again\n"
			 "  whether the audits were made as it says");
	puts("  whether others are shown another ledger of this name\n"
		 "  whether the key was still the certifier's: revocations are on the ledger");
}

static int
conclude(const Statement *statement)
{
	if (statement->problems > 0)
	{
		puts("\nThe statement is INVALID.");
		return EXIT_INVALID;
	}
	if (statement->open > 0)
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
	if (load_pinned(statement) && read_statement(statement))
	{
		if (statement->package.body.size > 0 && statement->problems == 0)
		{
			print_header(statement);
			check_package(statement);
			check_receipts(statement);
			if (statement->package.kind == ECERT_KIND_CERTIFICATE && statement->problems == 0)
				print_certificate(statement->package.body);
			print_checked(statement);
		}
		status = conclude(statement);
	}
	ecert_public_key_free(statement->pinned.key);
	free(statement->file);
	free(statement);
	return status;
}
