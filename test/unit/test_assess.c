/*
 * test_assess.c
 *		The assessment against worked examples: oracles O1, O3 and O4, what must
 *		not change a result, shared energy, statuses, coefficients, limits.
 */
#include "check.h"
#include "diag.h"

#include "rules/assess.h"
#include "test_arena.h"

#define arena (&test_arena.memory)

/* The statistics period, 2024, and the baseline, 2023; in seconds since 1970 */
#define BASE_START INT64_C(1672531200)
#define NOW_START INT64_C(1704067200)
#define NOW_END INT64_C(1735689600)

#define O3_POLICY "[{'source': 'raw_coal', 'unit': 'kg', 'kgce': 0.7143}, {'source': 'electricity', 'unit': 'kWh', 'kgce': 0.1229}, " \
	"{'source': 'natural_gas', 'unit': 'm3', 'kgce': 1.3300}, {'source': 'fuel', 'unit': 'kgce', 'kgce': 1}]"
#define USED(source, unit, quantity, product) \
	"{'source': '" source "', 'unit': '" unit "', 'quantity': " quantity ", 'product': '" product "'}"
#define SHARED(source, unit, quantity) "{'source': '" source "', 'unit': '" unit "', 'quantity': " quantity "}"
#define MADE(product, quantity) "{'product': '" product "', 'unit': 't', 'output': " quantity ", 'qualified': " quantity "}"
#define SOLD(product, quantity, value, currency) \
	"{'product': '" product "', 'unit': 't', 'output': " quantity ", 'qualified': " quantity ", 'value': " value ", 'currency': '" currency "'}"

#define O3_ENERGY_2023 USED("raw_coal", "t", "1000", "A") "," USED("electricity", "GWh", "2", "A") "," \
	USED("natural_gas", "m3", "300000", "B") "," USED("electricity", "GWh", "1.5", "B")
#define O3_ENERGY_2024 USED("raw_coal", "t", "1050", "A") "," USED("electricity", "GWh", "2.1", "A") "," \
	USED("natural_gas", "m3", "260000", "B") "," USED("electricity", "MWh", "1400.0", "B")

/* ----- the packages of an applicant ----- */

typedef struct Book
{
	EcertKind	kind;
	int64_t		start;
	EcertSlice	body;
} Book;

static Book books[64];
static size_t book_count;

static void
books_begin(void)
{
	book_count = 0;
}

/* The lines of an energy or product package, in diagnostic notation */
static void
books_put(EcertKind kind, int64_t start, int64_t end, const char *lines)
{
	static char text[DIAG_MAX];
	static uint8_t body[DIAG_MAX];
	EcertError	error;
	size_t		size;

	(void) snprintf(text, sizeof text, "{'period': [%lld, %lld], 'lines': [%s]}", (long long) start, (long long) end, lines);
	size = diag_encode(text, body);
	if (book_count == sizeof books / sizeof books[0] || ecert_body_check(kind, ecert_slice(body, size), &error) != ECERT_OK)
	{
		printf("Bail out! bad body: %.300s\n", text);
		exit(2);
	}
	books[book_count++] = (Book) {kind, start, ecert_arena_copy(arena, ecert_slice(body, size))};
}

static void
books_year(int64_t start, const char *energy, const char *product)
{
	int64_t		end = start == NOW_START ? NOW_END : NOW_START;

	books_put(ECERT_KIND_ENERGY, start, end, energy);
	books_put(ECERT_KIND_PRODUCT, start, end, product);
}

/* What begins within a year, the last package first every other time */
static EcertUse *
use_of(const EcertCoefficients *coefficients, int64_t start, int64_t end)
{
	static bool backwards;
	EcertUse   *use = ecert_use_new(arena, coefficients);

	backwards = !backwards;
	for (size_t i = 0; i < book_count; i++)
	{
		const Book *book = &books[backwards ? book_count - 1 - i : i];

		if (book->start >= start && book->start < end)
			ecert_use_add(use, book->kind, book->body);
	}
	ecert_use_finish(use);
	return use;
}

/* A question that a test changes before it asks */
typedef struct Asked
{
	const char *coefficients;	/* diagnostic notation */
	const char *threshold;
	const char *denominator;
	bool		by_value;
	bool		strict;
} Asked;

static const Asked usual = {O3_POLICY, "0", "baseline", false, false};

static const EcertCoefficients *
coefficients_of(const char *coefficients)
{
	static uint8_t body[DIAG_MAX];
	char	   *text = diag_format("{'coefficients': %s, 'units': [{'unit': 't', 'base': 'kg', 'factor': 1000}, {'unit': 'MWh', 'base': 'kWh', 'factor': 1000}, "
								   "{'unit': 'GWh', 'base': 'kWh', 'factor': 1000000}, {'unit': 'tce', 'base': 'kgce', 'factor': 1000}]}", coefficients);
	EcertSlice	policy = ecert_arena_copy(arena, ecert_slice(body, diag_encode(text, body)));

	free(text);
	return ecert_coefficients_new(arena, policy);
}

static EcertAssessCode
ask(const Asked *asked, EcertAssessment *answer)
{
	const EcertCoefficients *coefficients = coefficients_of(asked->coefficients);
	EcertTerms	terms = {asked->by_value, strcmp(asked->denominator, "reporting") == 0, {0, 0}, asked->strict};

	if (ecert_decimal_parse(ecert_slice_text(asked->threshold), &terms.threshold) != ECERT_OK)
	{
		printf("Bail out! bad threshold %s\n", asked->threshold);
		exit(2);
	}
	return ecert_assess(use_of(coefficients, BASE_START, NOW_START), use_of(coefficients, NOW_START, NOW_END), terms, arena, answer);
}

static bool
is(const char *found, const char *expected)
{
	return found == NULL || expected == NULL ? found == expected : strcmp(found, expected) == 0;
}

#define CHECK_FIGURE(found, expected, name) \
	CHECK(is((found), (expected)), "%s: %s is %s, found %s", title, name, (expected) == NULL ? "undefined" : (expected), (found) == NULL ? "undefined" : (found))

static void
check_product(const char *title, const EcertAssessed *found, const char *const expected[9])
{
	CHECK_FIGURE(found->base.kgce, expected[0], "E0");
	CHECK_FIGURE(found->base.output, expected[1], "M0");
	CHECK_FIGURE(found->base.unit_energy, expected[2], "e0");
	CHECK_FIGURE(found->now.kgce, expected[3], "E1");
	CHECK_FIGURE(found->now.output, expected[4], "M1");
	CHECK_FIGURE(found->now.unit_energy, expected[5], "e1");
	CHECK_FIGURE(found->saving_kgce, expected[6], "S");
	CHECK_FIGURE(found->saving_rate, expected[7], "r");
	CHECK_FIGURE(found->status, expected[8], "status");
}

static void
check_totals(const char *title, const EcertAssessment *answer, const char *saving, const char *rate, const char *structure)
{
	CHECK_FIGURE(answer->totals.saving_kgce, saving, "total S");
	CHECK_FIGURE(answer->totals.saving_rate, rate, "total rate");
	CHECK_FIGURE(answer->totals.structure_kgce, structure, "structure term");
}

/* 22 400 tce / 56 000 against 29 640 tce / 78 000 */
static void
test_o1(void)
{
	static const char *const expected[9] = {"22400000", "56000", "400", "29640000", "78000", "380", "1560000", "0.05", "ok"};
	Asked		asked = usual;
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "tce", "22400", "x"), MADE("x", "56000"));
	books_year(NOW_START, USED("fuel", "tce", "29640", "x"), MADE("x", "78000"));
	asked.threshold = "0.05";
	CHECK_INT(ask(&asked, &answer), ECERT_ASSESS_OK, "O1 can be assessed");
	CHECK_INT(answer.count, 1, "O1 has one product");
	check_product("O1", &answer.products[0], expected);
	check_totals("O1", &answer, "1560000", "0.05", "0");
	CHECK(is(answer.totals.saving_tce, "1560"), "O1 saves 1560 tce");
	CHECK(answer.totals.passes, "5 %% reaches a threshold of 0.05");
	asked.strict = true;
	(void) ask(&asked, &answer);
	CHECK(!answer.totals.passes, "and is not above it");
	asked.threshold = "0.049999999999999999";
	(void) ask(&asked, &answer);
	CHECK(answer.totals.passes, "but above one that is less by 10^-18");
	asked.strict = false;
	asked.threshold = "0.050000000000000001";
	(void) ask(&asked, &answer);
	CHECK(!answer.totals.passes, "and not one that is greater by 10^-18");
	asked.denominator = "reporting";
	(void) ask(&asked, &answer);
	check_totals("O1, reporting denominator", &answer, "1560000", "0.052631579", "0");
	CHECK(is(answer.products[0].saving_rate, "0.052631579"), "O1, reporting denominator: rate of the product");
	test_arena_free();
}

static void
put_o3(void)
{
	books_begin();
	books_year(BASE_START, O3_ENERGY_2023, SOLD("A", "5000", "20000", "10^4 CNY") "," SOLD("B", "2000", "10000", "10^4 CNY"));
	books_year(NOW_START, O3_ENERGY_2024, SOLD("A", "5600", "22400", "10^4 CNY") "," SOLD("B", "1800", "9000", "10^4 CNY"));
}

static void
test_o3(void)
{
	static const char *const a[9] = {"960100", "5000", "192.02", "1008105", "5600", "180.01875", "67207", "0.0625", "ok"};
	static const char *const b[9] = {"583350", "2000", "291.675", "517860", "1800", "287.7", "7155", "0.013628182", "ok"};
	static const char *const value_a[9] = {"960100", "20000", "48.005", "1008105", "22400", "45.0046875", "67207", "0.0625", "ok"};
	Asked		asked = usual;
	EcertAssessment answer;

	put_o3();
	CHECK_INT(ask(&asked, &answer), ECERT_ASSESS_OK, "O3 can be assessed");
	check_product("O3 A", &answer.products[0], a);
	check_product("O3 B", &answer.products[1], b);
	CHECK(is(answer.totals.adjusted_base_kgce, "1600327") && is(answer.totals.now.kgce, "1525965"), "O3: adjusted baseline and energy now");
	CHECK(is(answer.totals.saving_kgce, "74362") && is(answer.totals.saving_tce, "74.362") && is(answer.totals.saving_rate, "0.046466753"), "O3: 74.362 tce, 4.6466753 %%");
	CHECK(is(answer.totals.rate, "0.0465"), "O3: 4.65 %% for everybody");
	asked.denominator = "reporting";
	(void) ask(&asked, &answer);
	CHECK(is(answer.totals.rate, "0.0487"), "O3: 4.87 %% for everybody by the reporting denominator");
	CHECK(is(answer.totals.saving_rate, "0.048731131"), "O3: 4.8731131 %% by the reporting denominator");
	asked.denominator = "baseline";
	asked.by_value = true;
	(void) ask(&asked, &answer);
	check_product("O3 A by value", &answer.products[0], value_a);
	CHECK(is(answer.totals.saving_kgce, "74362") && ecert_slice_equal(answer.products[0].unit, ecert_slice_text("10^4 CNY")),
		  "O3 by value saves the same, the unit is the currency");
	test_arena_free();
}

/* Scaling every coefficient scales S and leaves r */
static void
test_scaling(void)
{
	Asked		asked = usual;
	EcertAssessment answer;

	put_o3();
	asked.coefficients = "[{'source': 'raw_coal', 'unit': 'kg', 'kgce': 2.1429}, {'source': 'electricity', 'unit': 'kWh', 'kgce': 0.3687}, "
		"{'source': 'natural_gas', 'unit': 'm3', 'kgce': 3.99}]";
	(void) ask(&asked, &answer);
	CHECK(is(answer.totals.saving_kgce, "223086") && is(answer.totals.saving_rate, "0.046466753"), "three times the coefficients, three times S, the same rate");
	test_arena_free();
}

/* Two identical halves; packages and lines in another order and division of time */
static void
test_splitting(void)
{
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("raw_coal", "t", "500", "A1") "," USED("raw_coal", "t", "500", "A2") "," USED("electricity", "GWh", "1", "A1") ","
			   USED("electricity", "GWh", "1", "A2") "," USED("natural_gas", "m3", "300000", "B") "," USED("electricity", "GWh", "1.5", "B"),
			   MADE("A1", "2500") "," MADE("A2", "2500") "," MADE("B", "2000"));
	books_year(NOW_START, USED("raw_coal", "t", "525", "A1") "," USED("raw_coal", "t", "525", "A2") "," USED("electricity", "GWh", "1.05", "A1") ","
			   USED("electricity", "GWh", "1.05", "A2") "," USED("natural_gas", "m3", "260000", "B") "," USED("electricity", "GWh", "1.4", "B"),
			   MADE("A1", "2800") "," MADE("A2", "2800") "," MADE("B", "1800"));
	(void) ask(&usual, &answer);
	CHECK_INT(answer.count, 3, "O3 with A in two halves");
	CHECK(is(answer.totals.saving_kgce, "74362") && is(answer.totals.saving_rate, "0.046466753"), "splitting a product changes no total");
	books_begin();
	books_put(ECERT_KIND_ENERGY, BASE_START, BASE_START + 1000, USED("electricity", "GWh", "1.5", "B") "," USED("raw_coal", "t", "1000", "A"));
	books_put(ECERT_KIND_ENERGY, BASE_START + 1000, NOW_START, USED("natural_gas", "m3", "300000", "B") "," USED("electricity", "kWh", "2000000", "A"));
	books_put(ECERT_KIND_ENERGY, NOW_START, NOW_START + 5, USED("electricity", "GWh", "2.1", "A") "," USED("electricity", "GWh", "1.4", "B"));
	books_put(ECERT_KIND_ENERGY, NOW_START + 5, NOW_END, USED("natural_gas", "m3", "260000", "B") "," USED("raw_coal", "kg", "1050000", "A"));
	books_put(ECERT_KIND_PRODUCT, BASE_START, BASE_START + 7, MADE("B", "2000"));
	books_put(ECERT_KIND_PRODUCT, BASE_START + 7, NOW_START, MADE("A", "5000"));
	books_put(ECERT_KIND_PRODUCT, NOW_START, NOW_START + 9, MADE("B", "1800") "," MADE("A", "5000"));
	books_put(ECERT_KIND_PRODUCT, NOW_START + 9, NOW_END, MADE("A", "600"));
	(void) ask(&usual, &answer);
	CHECK(is(answer.totals.saving_kgce, "74362") && is(answer.totals.saving_rate, "0.046466753"), "nor does permuting packages and lines");
	test_arena_free();
}

/* The product mix: A e 1.0 -> 0.95, B 3.0 -> 2.85, output 900/100 -> 500/500 */
static void
test_o4(void)
{
	const char *title = "O4";
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "900", "A") "," USED("fuel", "kgce", "300", "B"), MADE("A", "900") "," MADE("B", "100"));
	books_year(NOW_START, USED("fuel", "kgce", "475", "A") "," USED("fuel", "kgce", "1425", "B"), MADE("A", "500") "," MADE("B", "500"));
	(void) ask(&usual, &answer);
	check_totals(title, &answer, "100", "0.05", "-800");
	test_arena_free();
}

/* The verdict is on the exact rate: 0.0499999999..., which is 0.05 to nine decimals, does not reach 0.05 */
static void
test_unrounded_verdict(void)
{
	Asked		asked = usual;
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "100000000000", "x"), MADE("x", "1"));
	books_year(NOW_START, USED("fuel", "kgce", "95000000001", "x"), MADE("x", "1"));
	asked.threshold = "0.05";
	(void) ask(&asked, &answer);
	CHECK(is(answer.totals.saving_rate, "0.05") && !answer.totals.passes, "a rate that rounds to the threshold does not reach it");
	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "100000000000", "x"), MADE("x", "1"));
	books_year(NOW_START, USED("fuel", "kgce", "99995000001", "x"), MADE("x", "1"));
	(void) ask(&asked, &answer);
	CHECK(is(answer.totals.saving_rate, "0.00005") && is(answer.totals.rate, "0"), "a rate is rounded to four decimals once, not over nine");
	test_arena_free();
}

static void
check_shared(const char *title, const char *energy, const char *product, const char *first_kgce, const char *status)
{
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, energy, product);
	books_year(NOW_START, energy, product);
	(void) ask(&usual, &answer);
	CHECK_FIGURE(answer.products[0].base.kgce, first_kgce, "E0 of A");
	CHECK_FIGURE(answer.products[0].status, status, "status");
	CHECK_FIGURE(answer.totals.saving_kgce, strcmp(status, "ok") == 0 ? "0" : NULL, "total S");
	test_arena_free();
}

static void
test_shared(void)
{
	check_shared("shared by direct energy", SHARED("fuel", "kgce", "100") "," USED("fuel", "kgce", "30", "A") "," USED("fuel", "kgce", "10", "B"),
				 MADE("A", "7") "," MADE("B", "3"), "105", "ok");
	check_shared("shared by value", SHARED("fuel", "kgce", "100"), SOLD("A", "7", "100", "CNY") "," SOLD("B", "3", "200", "CNY"), "33.3333", "ok");
	check_shared("shared, one product", SHARED("fuel", "kgce", "100"), MADE("A", "7"), "100", "ok");
	check_shared("shared, nothing to go by", SHARED("fuel", "kgce", "100"), MADE("A", "7") "," MADE("B", "3"), NULL, "shared_energy_not_attributable");
	check_shared("shared, two currencies", SHARED("fuel", "kgce", "100"), SOLD("A", "7", "100", "CNY") "," SOLD("B", "3", "200", "USD"), NULL, "shared_energy_not_attributable");
}

static void
test_statuses(void)
{
	/* in byte order of the names */
	static const char *const expected[6] = {"base_output_not_positive", "base_intensity_zero", "no_reporting", "ok", "no_baseline", "now_output_not_positive"};
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "10", "good") "," USED("fuel", "kgce", "10", "gone") "," USED("fuel", "kgce", "10", "base standing") ","
			   USED("fuel", "kgce", "10", "now standing"),
			   MADE("good", "10") "," MADE("gone", "10") "," MADE("base standing", "-1") "," MADE("now standing", "10") "," MADE("free", "10"));
	books_year(NOW_START, USED("fuel", "kgce", "9", "good") "," USED("fuel", "kgce", "9", "new") "," USED("fuel", "kgce", "9", "base standing") ","
			   USED("fuel", "kgce", "9", "now standing") "," USED("fuel", "kgce", "9", "free"),
			   MADE("good", "10") "," MADE("new", "10") "," MADE("base standing", "10") "," MADE("now standing", "0") "," MADE("free", "10"));
	(void) ask(&usual, &answer);
	CHECK_INT(answer.count, 6, "a row for each product of either year");
	for (size_t i = 0; i < 6 && i < answer.count; i++)
		CHECK(is(answer.products[i].status, expected[i]), "status of \"%.*s\" is %s, found %s", (int) answer.products[i].product.size, (const char *) answer.products[i].product.data, expected[i], answer.products[i].status);
	CHECK(is(answer.totals.status, "base_intensity_zero") && answer.totals.saving_kgce == NULL && !answer.totals.passes, "the total has the first status and no saving");
	CHECK(is(answer.totals.now.kgce, "9"), "but the energy of what can be assessed");
	CHECK(answer.products[0].base.unit_energy == NULL && is(answer.products[0].base.output, "-1"), "no unit energy of negative output");
	test_arena_free();
}

static void
test_no_coefficient(void)
{
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "10", "x"), MADE("x", "10"));
	books_year(NOW_START, USED("steam", "GJ", "1", "x") "," USED("peat", "t", "0", "x") "," USED("fuel", "t", "1", "x"), MADE("x", "10"));
	CHECK_INT(ask(&usual, &answer), ECERT_ASSESS_NO_COEFFICIENT, "a source or unit without coefficient is never counted as zero");
	CHECK(ecert_slice_equal(answer.source, ecert_slice_text("fuel")) && ecert_slice_equal(answer.unit, ecert_slice_text("t")), "the first in byte order is named");
	test_arena_free();
}

static void
test_nothing(void)
{
	Asked		asked = usual;
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "10", "x"), MADE("x", "10"));
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].status, "no_reporting") && is(answer.totals.status, "no_reporting"), "a year without packages");
	books_begin();
	(void) ask(&asked, &answer);
	CHECK(answer.count == 0 && is(answer.totals.status, "no_reporting") && answer.totals.now.kgce == NULL, "no packages at all");
	test_arena_free();
}

/* Of a series the sum, with its exponent */
static void
test_series(void)
{
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, "{'source': 'fuel', 'unit': 'kgce', 'product': 'x', 'series': {'step': 15768000, 'exp': -2, 'values': [70000, 30001]}}", MADE("x", "10"));
	books_year(NOW_START, USED("fuel", "kgce", "950", "x"), MADE("x", "5"));
	(void) ask(&usual, &answer);
	CHECK(is(answer.products[0].base.kgce, "1000.01") && is(answer.products[0].now.kgce, "950") && is(answer.products[0].saving_kgce, "-449.995"),
		  "of a series the sum counts");
	test_arena_free();
}

/* Output in two units, values in another currency, do not compare */
static void
test_units(void)
{
	Asked		asked = usual;
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "10", "a") "," USED("fuel", "kgce", "10", "b"), SOLD("a", "10", "5", "CNY") "," MADE("b", "10"));
	books_year(NOW_START, USED("fuel", "kgce", "9", "a") "," USED("fuel", "kgce", "9", "b"), SOLD("a", "10", "5", "USD") ","
			   "{'product': 'b', 'unit': 'kg', 'output': 10, 'qualified': 10}");
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].status, "ok") && is(answer.products[1].status, "no_reporting"), "another unit is no reporting");
	asked.by_value = true;
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].status, "no_reporting") && is(answer.products[1].status, "no_baseline"), "another currency is none by value, and no value no baseline");
	test_arena_free();
}

/* ----- coefficients ----- */

static const char *
kgce_of(const EcertCoefficients *coefficients, const char *source, const char *unit)
{
	EcertCoefficient found;
	EcertNumber kgce;

	if (!ecert_coefficient_find(coefficients, ecert_slice_text(source), ecert_slice_text(unit), &found))
		return NULL;
	ecert_number_set_int(&kgce, 1);
	ecert_coefficient_multiply(&kgce, &kgce, &found);
	return ecert_number_text(&kgce, 54, arena);
}

static const EcertCoefficients *
coefficients_in(const char *policy)
{
	static uint8_t body[DIAG_MAX];

	return ecert_coefficients_new(arena, ecert_arena_copy(arena, ecert_slice(body, diag_encode(policy, body))));
}

static void
test_coefficients(void)
{
	const EcertCoefficients *coefficients = coefficients_in("{'coefficients': [{'source': 'coal', 'unit': 'kg', 'kgce': 0.7143}, {'source': 'coal', 'unit': 'bag', 'kgce': 20}, "
															"{'source': 'gas', 'unit': 'm3', 'kgce': 1.3300}, {'source': 'peat', 'unit': 't', 'kgce': 300}], "
															"'units': [{'unit': 't', 'base': 'kg', 'factor': 1000}, {'unit': 'kt', 'base': 'kg', 'factor': 1000000}, {'unit': 'kt', 'base': 't', 'factor': 1000}]}");

	CHECK(is(kgce_of(coefficients, "coal", "kg"), "0.7143") && is(kgce_of(coefficients, "coal", "bag"), "20"), "a coefficient of its own");
	CHECK(is(kgce_of(coefficients, "coal", "t"), "714.3") && is(kgce_of(coefficients, "coal", "kt"), "714300"), "and through a base");
	CHECK(is(kgce_of(coefficients, "peat", "kt"), "300000"), "the second base of a unit, where the first has none");
	CHECK(kgce_of(coefficients, "coal", "m3") == NULL && kgce_of(coefficients, "gas", "t") == NULL && kgce_of(coefficients, "peat", "kg") == NULL &&
		  kgce_of(coefficients, "coa", "lkg") == NULL && kgce_of(coefficients, "", "") == NULL, "no other, and none backwards");
	coefficients = ecert_coefficients_new(arena, ecert_slice(NULL, 0));
	CHECK(kgce_of(coefficients, "coal", "kg") == NULL, "no policy has none");
	test_arena_free();
}

/* Its rule refuses such a policy; here the same way counts for everybody */
static void
test_contradiction(void)
{
	const EcertCoefficients *coefficients = coefficients_in("{'coefficients': [{'source': 'coal', 'unit': 't', 'kgce': 700}, {'source': 'coal', 'unit': 't', 'kgce': 714.3}, "
															"{'source': 'coal', 'unit': 'kg', 'kgce': 0.5}, {'source': 'coal', 'unit': 'g', 'kgce': 0.0004}], "
															"'units': [{'unit': 't', 'base': 'kg', 'factor': 1000}, {'unit': 'kt', 'base': 'kg', 'factor': 1000000}, "
															"{'unit': 'kt', 'base': 'kg', 'factor': 7}, {'unit': 'kt', 'base': 'g', 'factor': 1000000000}]}");

	CHECK(is(kgce_of(coefficients, "coal", "t"), "700"), "of two coefficients the first, and before one through a base");
	CHECK(is(kgce_of(coefficients, "coal", "kt"), "500000"), "of several bases the first");
	test_arena_free();
}

/* What has no coefficient makes unknown what rests on it, and nothing else */
static void
test_missing(void)
{
	EcertUse   *use;

	books_begin();
	books_put(ECERT_KIND_ENERGY, BASE_START, NOW_START, USED("fuel", "kgce", "10", "a") "," USED("steam", "GJ", "1", "b") "," USED("fuel", "kgce", "5", "b"));
	use = use_of(coefficients_of(O3_POLICY), BASE_START, NOW_START);
	CHECK(use->count == 2 && use->is_missing && use->products[0]->has_energy && is(ecert_number_text(&use->products[0]->energy, 4, arena), "10") &&
		  !use->products[1]->has_energy, "the product that steam was used for has no energy that is known");
	books_put(ECERT_KIND_ENERGY, BASE_START, NOW_START, SHARED("fuel", "kgce", "1"));
	use = use_of(coefficients_of(O3_POLICY), BASE_START, NOW_START);
	CHECK(!use->products[0]->has_energy && !use->products[1]->has_energy, "and nobody has a share of what is spread by it");
	books_begin();
	books_put(ECERT_KIND_ENERGY, BASE_START, NOW_START, USED("fuel", "kgce", "10", "a") "," SHARED("steam", "GJ", "0"));
	use = use_of(coefficients_of(O3_POLICY), BASE_START, NOW_START);
	CHECK(use->shared_is_missing && !use->products[0]->has_energy, "nor where what is shared has no coefficient");
	test_arena_free();
}

/* Lines of many packages, in the same order and in others, and several of one product in one of them */
static void
test_many_packages(void)
{
	static const char *const orders[3] = {
		USED("fuel", "kgce", "1", "a") "," USED("fuel", "kgce", "10", "b") "," SHARED("fuel", "kgce", "100") "," USED("raw_coal", "kg", "1000", "a"),
		SHARED("fuel", "kgce", "100") "," USED("raw_coal", "kg", "1000", "a") "," USED("fuel", "kgce", "1", "a") "," USED("fuel", "kgce", "10", "b"),
		USED("raw_coal", "kg", "999.5", "a") "," USED("fuel", "kgce", "10", "b") "," USED("raw_coal", "kg", "0.50", "a") "," SHARED("fuel", "kgce", "100") "," USED("fuel", "kgce", "1", "a"),
	};
	const EcertCoefficients *coefficients = coefficients_of(O3_POLICY);
	EcertUse   *use;

	books_begin();
	for (int i = 0; i < 30; i++)
	{
		books_put(ECERT_KIND_ENERGY, BASE_START + i, BASE_START + i + 1, orders[i % 3]);
		books_put(ECERT_KIND_PRODUCT, BASE_START + i, BASE_START + i + 1, i % 2 == 0 ? MADE("b", "2") "," SOLD("a", "1", "4", "CNY") : SOLD("a", "1", "4", "CNY") "," MADE("b", "2"));
	}
	use = use_of(coefficients, BASE_START, NOW_START);
	CHECK_INT(use->count, 2, "two products in 30 packages");
	CHECK(is(ecert_number_text(&use->shared, 4, arena), "3000"), "all that is shared");
	/* 30 * (1 + 714.3) and 30 * 10, and of 3000 what is in proportion */
	CHECK(is(ecert_number_text(&use->products[0]->energy, 4, arena), "24417.6378") && is(ecert_number_text(&use->products[1]->energy, 4, arena), "341.3622"),
		  "the energy of each with its share");
	CHECK(is(ecert_unit_energy(use->products[0], arena), "813.921260168") && is(ecert_unit_energy(use->products[1], arena), "5.689369916"), "unit energies");
	books_put(ECERT_KIND_PRODUCT, BASE_START + 30, BASE_START + 31, SOLD("a", "1", "4", "USD") ", {'product': 'b', 'unit': 'kg', 'output': 10, 'qualified': 10}");
	use = use_of(coefficients, BASE_START, NOW_START);
	CHECK(ecert_unit_energy(use->products[0], arena) != NULL && use->products[0]->currency.size == 0 && ecert_unit_energy(use->products[1], arena) == NULL && use->products[1]->unit.size == 0,
		  "none where units differ; currencies do not matter to it");
	test_arena_free();
}

static EcertTerms
terms_in(const char *policy)
{
	static uint8_t body[DIAG_MAX];

	return ecert_terms_of(ecert_slice(body, diag_encode(policy, body)), true);
}

static void
test_terms(void)
{
	EcertTerms	terms = terms_in("{'certificate': {'threshold': 0.050, 'strict': true, 'denominator': 'reporting', 'valid_days': 365}}");

	CHECK(terms.by_value && terms.by_reporting && terms.threshold.mantissa == 50 && terms.threshold.exponent == -3 && terms.strict, "the terms of a policy");
	terms = terms_in("{'certificate': {'threshold': 'none', 'denominator': 'baseline'}}");
	CHECK(!terms.by_reporting && terms.threshold.mantissa == 0, "what is no number is no threshold");
	terms = terms_in("{'units': []}");
	CHECK(!terms.by_reporting && !terms.strict && terms.threshold.mantissa == 0, "a policy without terms");
}

/* A line that cannot be read, of a body that nobody checked, ends the reading */
static void
test_bad_line(void)
{
	static uint8_t body[DIAG_MAX];
	EcertUse   *use = ecert_use_new(arena, coefficients_of(O3_POLICY));
	EcertAssessment answer;
	size_t		size = diag_encode("{'lines': [{'source': 'fuel', 'unit': 'kgce', 'quantity': 1, 'product': 'x'}, {'source': 'fuel', 'unit': 'kgce', 'quantity': 'much'}]}", body);

	ecert_use_add(use, ECERT_KIND_ENERGY, ecert_slice(body, size));
	ecert_use_add(use, ECERT_KIND_ENERGY, ecert_slice(body, size));
	ecert_use_finish(use);
	ecert_use_add(use, ECERT_KIND_PRODUCT, ecert_slice(body, diag_encode("{'lines': [{'product': 'x', 'unit': 't', 'output': 1}]}", body)));
	CHECK(use->line == 2 && use->line_code == ECERT_BODY_TYPE && is(ecert_number_text(&use->products[0]->energy, 4, arena), "1"), "the second line cannot be read, and nothing behind it is");
	CHECK(ecert_assess(use, use, (EcertTerms) {false, false, {0, 0}, false}, arena, &answer) == ECERT_ASSESS_BAD_LINE && answer.is_baseline && answer.line == 2 &&
		  answer.line_code == ECERT_BODY_TYPE, "which the assessment says");
	test_arena_free();
}

/* The greatest that can be declared and computed has digits; more than a body holds, but right ones */
static void
test_greatest(void)
{
	const EcertCoefficients *coefficients = coefficients_in("{'coefficients': [{'source': 'fuel', 'unit': 'kg', 'kgce': 999999999999999}], "
															"'units': [{'unit': 'kt', 'base': 'kg', 'factor': 999999999999999}]}");
	EcertTerms	terms = {false, false, {0, 0}, false};
	EcertAssessment answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kt", "999999999999999", "x"), MADE("x", "0.000000000000000001"));
	books_year(NOW_START, USED("fuel", "kt", "0.000000000000000001", "x"), MADE("x", "999999999999999"));
	CHECK_INT(ecert_assess(use_of(coefficients, BASE_START, NOW_START), use_of(coefficients, NOW_START, NOW_END), terms, arena, &answer), ECERT_ASSESS_OK, "10^15 of everything can be assessed");
	CHECK(is(answer.products[0].base.kgce, "999999999999997000000000000002999999999999999"), "E0 is (10^15 - 1)^3");
	CHECK(is(answer.products[0].base.unit_energy, "999999999999997000000000000002999999999999999000000000000000000"), "e0 is that times 10^18");
	CHECK(is(answer.products[0].now.kgce, "999999999999.998"), "E1 has three decimals");
	CHECK(is(answer.products[0].saving_rate, "1") && answer.totals.passes, "and the saving is nearly all");
	test_arena_free();
}

/* A body with one line, written without notation: many of them are needed */
static EcertSlice
one_line(EcertKind kind, size_t number)
{
	static uint8_t bytes[200];
	char		name[40];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);

	(void) snprintf(name, sizeof name, "product number %zu", number);
	ecert_cbor_put_head(&out, ECERT_CBOR_MAP, 1);
	ecert_cbor_put_text(&out, ecert_slice_text("lines"));
	ecert_cbor_put_head(&out, ECERT_CBOR_ARRAY, 1);
	ecert_cbor_put_head(&out, ECERT_CBOR_MAP, 4);
	ecert_cbor_put_text(&out, ecert_slice_text("unit"));
	ecert_cbor_put_text(&out, ecert_slice_text(kind == ECERT_KIND_ENERGY ? "kgce" : "t"));
	ecert_cbor_put_text(&out, ecert_slice_text("product"));
	ecert_cbor_put_text(&out, ecert_slice_text(name));
	ecert_cbor_put_text(&out, ecert_slice_text(kind == ECERT_KIND_ENERGY ? "source" : "output"));
	if (kind == ECERT_KIND_ENERGY)
		ecert_cbor_put_text(&out, ecert_slice_text("fuel"));
	else
		ecert_cbor_put_int(&out, 10);
	ecert_cbor_put_text(&out, ecert_slice_text(kind == ECERT_KIND_ENERGY ? "quantity" : "qualified"));
	ecert_cbor_put_int(&out, kind == ECERT_KIND_ENERGY ? (int64_t) number + 1 : 10);
	return ecert_slice(bytes, out.size);
}

/* Every product of its own, in another order each time, and something shared */
static EcertUse *
use_of_many(const EcertCoefficients *coefficients, size_t count, const char *shared)
{
	static uint8_t body[DIAG_MAX];
	EcertUse   *use = ecert_use_new(arena, coefficients);

	ecert_use_add(use, ECERT_KIND_ENERGY, ecert_slice(body, diag_encode(shared, body)));
	for (size_t i = 0; i < count; i++)
	{
		ecert_use_add(use, ECERT_KIND_ENERGY, one_line(ECERT_KIND_ENERGY, i * 7919 % count));
		ecert_use_add(use, ECERT_KIND_PRODUCT, one_line(ECERT_KIND_PRODUCT, i * 104729 % count));
	}
	ecert_use_finish(use);
	return use;
}

static void
test_many_products(void)
{
	const size_t count = 60000;
	const EcertCoefficients *coefficients = coefficients_of(O3_POLICY);
	EcertTerms	terms = {false, false, {0, 0}, false};
	const EcertUse *base = use_of_many(coefficients, count, "{'lines': [" SHARED("fuel", "kgce", "1800030000") "]}");
	const EcertUse *now = use_of_many(coefficients, count, "{'lines': [" SHARED("fuel", "kgce", "900015000") "]}");
	EcertAssessment answer;
	bool		ordered = true;

	CHECK_INT(ecert_assess(base, now, terms, arena, &answer), ECERT_ASSESS_OK, "60,000 products can be assessed");
	CHECK_INT(answer.count, count, "each has a row");
	for (size_t i = 1; i < answer.count; i++)
		ordered = ordered && ecert_slice_compare(answer.products[i - 1].product, answer.products[i].product) < 0;
	CHECK(ordered, "in byte order of their names");
	CHECK(is(answer.products[0].base.kgce, "2") && is(answer.products[0].now.kgce, "1.5"), "shares are in proportion to direct energy");
	CHECK(is(answer.totals.saving_kgce, "900015000") && is(answer.totals.saving_rate, "0.25") && is(answer.totals.base.output, "600000"), "and the total is the sum");
	CHECK(test_arena.size < count * 4096, "within 4 kB a product: %zu", test_arena.size / count);
	test_arena_free();
}

int
main(void)
{
	test_o1();
	test_o3();
	test_scaling();
	test_splitting();
	test_o4();
	test_unrounded_verdict();
	test_shared();
	test_statuses();
	test_no_coefficient();
	test_nothing();
	test_series();
	test_units();
	test_coefficients();
	test_contradiction();
	test_missing();
	test_many_packages();
	test_terms();
	test_bad_line();
	test_greatest();
	test_many_products();
	return check_done();
}
