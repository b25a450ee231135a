/*
 * test_live.c
 *		Which packages of an applicant count: of a period the newest that a
 *		checkpoint covers, and what is assessed of them.
 */
#include "books.h"

#include "rules/as_of.h"
#include "rules/assess.h"
#include "rules/live.h"

static LedgerRules *books;

static void
put_used(int64_t start, int64_t end, const char *quantity, bool corrects)
{
	char		lines[200];

	(void) snprintf(lines, sizeof lines, "{'source': 'fuel', 'unit': 'kgce', 'quantity': %s, 'product': 'x'}", quantity);
	books_put(ECERT_KIND_ENERGY, start, end, lines, corrects);
}

static void
put_made(int64_t start, int64_t end, const char *quantity, bool corrects)
{
	char		lines[200];

	(void) snprintf(lines, sizeof lines, "{'product': 'x', 'unit': 't', 'output': %s, 'qualified': %s}", quantity, quantity);
	books_put(ECERT_KIND_PRODUCT, start, end, lines, corrects);
}

/* How far the checkpoint as of which is asked covers the two feeds */
static int64_t energy_covered;
static int64_t product_covered;

static int64_t
covered(EcertView *view, EcertSlice issuer, EcertKind kind, int64_t checkpoint)
{
	(void) view;
	(void) issuer;
	(void) checkpoint;
	return kind == ECERT_KIND_ENERGY ? energy_covered : product_covered;
}

static void
add_live(EcertUse *use, EcertKind kind, EcertPeriod within)
{
	EcertRules *rules = &books->rules;
	EcertLiveWalk walk = ecert_live_begin(rules, ecert_applicant(rules, ecert_slice_text("plant")), kind, within);
	const EcertEntry *live;

	while ((live = ecert_live_next(&walk)) != NULL)
	{
		EcertPackage package;

		if (!rules->view->package(rules->view, live, &package))
		{
			puts("Bail out! could not read the spool");
			exit(2);
		}
		ecert_use_add(use, kind, package.body);
	}
}

static EcertUse *
use_of(const EcertCoefficients *coefficients, EcertPeriod within)
{
	EcertUse   *use = ecert_use_new(books->rules.arena, coefficients);

	add_live(use, ECERT_KIND_ENERGY, within);
	add_live(use, ECERT_KIND_PRODUCT, within);
	ecert_use_finish(use);
	return use;
}

/* The assessment as of a checkpoint that covers the feeds up to these seqs; INT64_MAX: as of now */
static EcertAssessment
ask(int64_t energy_last, int64_t product_last)
{
	static uint8_t body[DIAG_MAX];
	const EcertPeriod baseline = {BASE_START, NOW_START};
	const EcertPeriod period = {NOW_START, NOW_END};
	EcertSlice	policy = ecert_slice(body, diag_encode("{'coefficients': [{'source': 'fuel', 'unit': 'kgce', 'kgce': 1}]}", body));
	const EcertCoefficients *coefficients = ecert_coefficients_new(books->rules.arena, policy);
	EcertAssessment answer;

	energy_covered = energy_last;
	product_covered = product_last;
	books->view.view.covered = covered;
	ecert_see_as_of(&books->rules, energy_last == INT64_MAX ? ECERT_AS_OF_NOW : 0);
	CHECK_INT(ecert_assess(use_of(coefficients, baseline), use_of(coefficients, period),
						   (EcertTerms) {false, false, {0, 0}, false}, books->rules.arena, &answer), ECERT_ASSESS_OK, "can be assessed");
	return answer;
}

static bool
is(const char *found, const char *expected)
{
	return found != NULL && strcmp(found, expected) == 0;
}

/* The books, with a package of each kind for both years */
static void
begin_years(void)
{
	books_begin();
	put_used(BASE_START, NOW_START, "1000.01", false);
	put_made(BASE_START, NOW_START, "10", false);
	put_used(NOW_START, NOW_END, "900", false);
	put_made(NOW_START, NOW_END, "10", false);
}

/* A correction counts from its seq on */
static void
test_corrections(void)
{
	EcertAssessment answer;

	begin_years();
	put_used(NOW_START, NOW_END, "950", true);
	put_made(NOW_START, NOW_END, "5", true);
	books = books_load();
	answer = ask(INT64_MAX, INT64_MAX);
	CHECK(is(answer.products[0].base.kgce, "1000.01") && is(answer.products[0].now.kgce, "950") && is(answer.products[0].saving_kgce, "-449.995"),
		  "the newest package of a period counts");
	answer = ask(1, 2);
	CHECK(is(answer.products[0].now.kgce, "900") && is(answer.products[0].now.output, "5"), "as of an earlier seq of the energy feed");
	answer = ask(1, 1);
	CHECK(is(answer.products[0].saving_kgce, "100.01"), "and of the product feed");
	answer = ask(-1, -1);
	CHECK(answer.count == 0 && is(answer.totals.status, "no_reporting") && answer.totals.now.kgce == NULL, "as of before both feeds nothing");
	books_end(books);
}

/* Declared figures that stand in the place of others, and do not replace them, do not count; nor do those that overlap others */
static void
test_intruders(void)
{
	EcertAssessment answer;

	begin_years();
	put_used(BASE_START, NOW_START, "5000", false);
	put_used(BASE_START - 86400, BASE_START + 86400, "1", false);
	put_used(NOW_START + 86400, NOW_END, "1", false);
	put_used(BASE_START + 86400, NOW_START, "1", false);
	put_made(NOW_START, NOW_END - 86400, "7", false);
	put_used(NOW_START, NOW_END, "7", true);
	books = books_load();
	answer = ask(INT64_MAX, INT64_MAX);
	CHECK(is(answer.products[0].base.kgce, "1000.01") && is(answer.products[0].now.kgce, "900") && is(answer.products[0].now.output, "10"),
		  "what was there first counts");
	books_end(books);
}

/* A month of 2023, from 0; each of 28 days */
static void
put_month(int month)
{
	put_used(BASE_START + month * 28 * INT64_C(86400), BASE_START + (month + 1) * 28 * INT64_C(86400), "1", false);
}

/* The seqs of the energy packages that are live within 2023, in the order of time */
static const char *
live_seqs(void)
{
	static char seqs[100];
	size_t		size = 0;
	EcertRules *rules = &books->rules;
	EcertLiveWalk walk = ecert_live_begin(rules, ecert_applicant(rules, ecert_slice_text("plant")), ECERT_KIND_ENERGY, (EcertPeriod) {BASE_START, NOW_START});
	const EcertEntry *live;

	seqs[0] = '\0';
	while ((live = ecert_live_next(&walk)) != NULL)
		size += (size_t) snprintf(seqs + size, sizeof seqs - size, "%s%lld", size == 0 ? "" : " ", (long long) live->seq);
	return seqs;
}

/* Nor do those whose period or time runs backwards, also where they overlap nothing */
static void
test_order(void)
{
	books_begin();
	put_month(0);
	put_month(2);
	put_month(1);
	books_issued_at--;
	put_month(3);
	put_month(4);
	books_issued_at++;
	put_month(5);
	put_used(NOW_START, NOW_END, "1", false);
	put_month(6);
	books = books_load();
	CHECK(is(live_seqs(), "0 1 4 5"), "what runs backwards in its feed does not count, what comes after does: %s", live_seqs());
	books_end(books);
}

/* But what replaces one that does not count has the period of that */
static void
test_late_correction(void)
{
	uint8_t		early[ECERT_HASH_SIZE];

	books_begin();
	put_month(0);
	books_issued_at--;
	put_month(1);
	books_issued_at++;
	memcpy(early, books_last[0], sizeof early);
	put_month(2);
	memcpy(books_last[0], early, sizeof early);
	put_used(BASE_START + 28 * INT64_C(86400), BASE_START + 56 * INT64_C(86400), "2", true);
	books = books_load();
	CHECK(is(live_seqs(), "0 3 2"), "a correction of what does not count counts: %s", live_seqs());
	books_end(books);
}

int
main(void)
{
	test_corrections();
	test_intruders();
	test_order();
	test_late_correction();
	return check_done();
}
