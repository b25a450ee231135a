/*
 * books.h
 *		A ledger with one applicant's packages, made here and loaded as a dump
 *		is, for tests of what is looked up in it.
 */
#ifndef ECERT_TEST_BOOKS_H
#define ECERT_TEST_BOOKS_H

#include "check.h"
#include "diag.h"
#include "testkey.h"

#include <unistd.h>

#include "rules/applicant.h"
#include "verifier/verifier.h"

/* The statistics period, 2024, and the baseline, 2023; in seconds since 1970 */
#define BASE_START INT64_C(1672531200)
#define NOW_START INT64_C(1704067200)
#define NOW_END INT64_C(1735689600)

static FILE *books_dump;
static int64_t books_seqs[2];
static int64_t books_issued_at = NOW_END;
static uint8_t books_last[2][ECERT_HASH_SIZE];	/* the hash of the last energy and of the last product package */
static Ledger books_ledger;
static Options books_options;
static ViewIndex books_index;

static void
books_begin(void)
{
	books_dump = tmpfile();
	memset(books_seqs, 0, sizeof books_seqs);
	if (books_dump == NULL)
	{
		puts("Bail out! no temporary file");
		exit(2);
	}
}

/* One signed package, as a line of COPY's text format */
static void
books_write(EcertKind kind, int64_t seq, EcertSlice body)
{
	static uint8_t bytes[ECERT_PACKAGE_MAX];
	static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
	static const uint8_t prev[ECERT_HASH_SIZE];
	static EcertPrivateKey *key;
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertPackage package;

	memset(&package, 0, sizeof package);
	package.kind = kind;
	package.issuer = package.subject = ecert_slice_text("plant");
	package.audience = ecert_slice_text("books.test");
	package.issued_at = books_issued_at;
	package.seq = seq;
	package.prev = ecert_slice(prev, sizeof prev);
	package.body = body;
	if ((key == NULL && testkey_private("plant", ECERT_ALG_ED25519, &key) != ECERT_OK) ||
		ecert_package_sign(&package, key, &out, ecert_buffer(scratch, sizeof scratch)) != ECERT_OK ||
		ecert_package_hash(ecert_slice(bytes, out.size), books_last[kind == ECERT_KIND_PRODUCT]) != ECERT_OK)
	{
		puts("Bail out! could not sign");
		exit(2);
	}
	fputs("\\\\x", books_dump);
	for (size_t i = 0; i < out.size; i++)
		fprintf(books_dump, "%02x", bytes[i]);
	putc('\n', books_dump);
}

/* An energy or product package with the lines in diagnostic notation; corrects: it replaces the last one */
static void
books_put(EcertKind kind, int64_t start, int64_t end, const char *lines, bool corrects)
{
	static char text[DIAG_MAX];
	static uint8_t body[DIAG_MAX];
	bool		is_product = kind == ECERT_KIND_PRODUCT;
	int			written = snprintf(text, sizeof text, "{'period': [%lld, %lld], 'lines': [%s]", (long long) start, (long long) end, lines);
	EcertError	error;
	size_t		size;

	if (corrects)
	{
		written += snprintf(text + written, sizeof text - (size_t) written, ", 'reason': 'meter', 'replaces': ['");
		for (size_t i = 0; i < ECERT_HASH_SIZE; i++)
			written += snprintf(text + written, sizeof text - (size_t) written, "%02x", books_last[is_product][i]);
		written += snprintf(text + written, sizeof text - (size_t) written, "']");
	}
	(void) snprintf(text + written, sizeof text - (size_t) written, "}");
	size = diag_encode(text, body);
	if (ecert_body_check(kind, ecert_slice(body, size), &error) != ECERT_OK)
	{
		printf("Bail out! bad body: %s in %.300s\n", ecert_error_text(error.code), text);
		exit(2);
	}
	books_write(kind, books_seqs[is_product]++, ecert_slice(body, size));
}

static LedgerRules *
books_load(void)
{
	books_options.jobs = 1;
	books_options.quiet = books_options.no_progress = true;
	ledger_init(&books_ledger, &books_options);
	rewind(books_dump);
	ledger_load(&books_ledger, fileno(books_dump));
	ledger_sort(&books_ledger);
	view_index_open(&books_index, &books_ledger);
	return ledger_rules_new(&books_ledger, &books_index);
}

static void
books_end(LedgerRules *rules)
{
	ledger_rules_free(rules);
	view_index_close(&books_index);
	fclose(books_dump);
	ledger_free(&books_ledger);
}

#endif							/* ECERT_TEST_BOOKS_H */
