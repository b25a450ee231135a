/*
 * test_assess.c
 *		The assessment against worked examples: oracles O1, O3 and O4, what must
 *		not change a result, shared energy, statuses, corrections.
 */
#include "books.h"

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

static Arena arena;
static Applicant applicant;

/* A question that a test changes before it asks */
typedef struct Asked
{
	const char *coefficients;	/* diagnostic notation */
	const char *threshold;
	const char *denominator;
	bool		by_value;
	int64_t		energy_last;
	int64_t		product_last;
} Asked;

static const Asked usual = {O3_POLICY, "0", "baseline", false, INT64_MAX, INT64_MAX};

static AssessCode
ask(const Asked *asked, Assessment *answer)
{
	static uint8_t body[DIAG_MAX];
	Policy		policy;
	Question	question = {&books_ledger, &applicant, &policy, {BASE_START, NOW_START}, {NOW_START, NOW_END}, asked->by_value,
	asked->energy_last, asked->product_last, SIZE_MAX, books_buffer, &arena};
	char	   *text = diag_format("{'coefficients': %s, 'units': [{'unit': 't', 'base': 'kg', 'factor': 1000}, {'unit': 'MWh', 'base': 'kWh', 'factor': 1000}, "
								   "{'unit': 'GWh', 'base': 'kWh', 'factor': 1000000}, {'unit': 'tce', 'base': 'kgce', 'factor': 1000}], "
								   "'certificate': {'threshold': %s, 'denominator': '%s', 'valid_days': 365}}",
								   asked->coefficients, asked->threshold, asked->denominator);
	AssessCode	code;

	memset(&policy, 0, sizeof policy);
	policy_read(&policy, ecert_slice(body, diag_encode(text, body)));
	code = assess(&question, answer);
	arena_reset(&policy.arena);
	free(text);
	return code;
}

static bool
is(const char *found, const char *expected)
{
	return found == NULL || expected == NULL ? found == expected : strcmp(found, expected) == 0;
}

#define CHECK_FIGURE(found, expected, name) \
	CHECK(is((found), (expected)), "%s: %s is %s, found %s", title, name, (expected) == NULL ? "undefined" : (expected), (found) == NULL ? "undefined" : (found))

static void
check_product(const char *title, const Assessed *found, const char *const expected[9])
{
	CHECK_FIGURE(found->base_kgce, expected[0], "E0");
	CHECK_FIGURE(found->base_output, expected[1], "M0");
	CHECK_FIGURE(found->base_unit_energy, expected[2], "e0");
	CHECK_FIGURE(found->now_kgce, expected[3], "E1");
	CHECK_FIGURE(found->now_output, expected[4], "M1");
	CHECK_FIGURE(found->now_unit_energy, expected[5], "e1");
	CHECK_FIGURE(found->saving_kgce, expected[6], "S");
	CHECK_FIGURE(found->saving_rate, expected[7], "r");
	CHECK_FIGURE(found->status, expected[8], "status");
}

static void
check_totals(const char *title, const Assessment *answer, const char *saving, const char *rate, const char *structure)
{
	CHECK_FIGURE(answer->totals.saving_kgce, saving, "total S");
	CHECK_FIGURE(answer->totals.saving_rate, rate, "total rate");
	CHECK_FIGURE(answer->totals.structure_kgce, structure, "structure term");
}

static void
close_books(void)
{
	books_end(&applicant);
	arena_reset(&arena);
}

/* 22 400 tce / 56 000 against 29 640 tce / 78 000 */
static void
test_o1(void)
{
	static const char *const expected[9] = {"22400000", "56000", "400", "29640000", "78000", "380", "1560000", "0.05", "ok"};
	Asked		asked = usual;
	Assessment	answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "tce", "22400", "x"), MADE("x", "56000"));
	books_year(NOW_START, USED("fuel", "tce", "29640", "x"), MADE("x", "78000"));
	books_load(&applicant);
	asked.threshold = "0.05";
	CHECK_INT(ask(&asked, &answer), ASSESS_OK, "O1 can be assessed");
	CHECK_INT(answer.product_count, 1, "O1 has one product");
	check_product("O1", &answer.products[0], expected);
	check_totals("O1", &answer, "1560000", "0.05", "0");
	CHECK(is(answer.totals.saving_tce, "1560"), "O1 saves 1560 tce");
	CHECK(answer.totals.passes, "5 %% reaches a threshold of 0.05");
	asked.threshold = "0.050000000000000001";
	(void) ask(&asked, &answer);
	CHECK(!answer.totals.passes, "and not one that is greater by 10^-18");
	asked.denominator = "reporting";
	(void) ask(&asked, &answer);
	check_totals("O1, reporting denominator", &answer, "1560000", "0.052631579", "0");
	CHECK(is(answer.products[0].saving_rate, "0.052631579"), "O1, reporting denominator: rate of the product");
	close_books();
}

static void
put_o3(void)
{
	books_begin();
	books_year(BASE_START, O3_ENERGY_2023, SOLD("A", "5000", "20000", "10^4 CNY") "," SOLD("B", "2000", "10000", "10^4 CNY"));
	books_year(NOW_START, O3_ENERGY_2024, SOLD("A", "5600", "22400", "10^4 CNY") "," SOLD("B", "1800", "9000", "10^4 CNY"));
	books_load(&applicant);
}

static void
test_o3(void)
{
	static const char *const a[9] = {"960100", "5000", "192.02", "1008105", "5600", "180.01875", "67207", "0.0625", "ok"};
	static const char *const b[9] = {"583350", "2000", "291.675", "517860", "1800", "287.7", "7155", "0.013628182", "ok"};
	static const char *const value_a[9] = {"960100", "20000", "48.005", "1008105", "22400", "45.0046875", "67207", "0.0625", "ok"};
	Asked		asked = usual;
	Assessment	answer;

	put_o3();
	CHECK_INT(ask(&asked, &answer), ASSESS_OK, "O3 can be assessed");
	check_product("O3 A", &answer.products[0], a);
	check_product("O3 B", &answer.products[1], b);
	CHECK(is(answer.totals.adjusted_base_kgce, "1600327") && is(answer.totals.now_kgce, "1525965"), "O3: adjusted baseline and energy now");
	CHECK(is(answer.totals.saving_kgce, "74362") && is(answer.totals.saving_tce, "74.362") && is(answer.totals.saving_rate, "0.046466753"), "O3: 74.362 tce, 4.6466753 %%");
	asked.denominator = "reporting";
	(void) ask(&asked, &answer);
	CHECK(is(answer.totals.saving_rate, "0.048731131"), "O3: 4.8731131 %% by the reporting denominator");
	asked.denominator = "baseline";
	asked.by_value = true;
	(void) ask(&asked, &answer);
	check_product("O3 A by value", &answer.products[0], value_a);
	CHECK(is(answer.totals.saving_kgce, "74362") && ecert_slice_equal(answer.products[0].unit, ecert_slice_text("10^4 CNY")),
		  "O3 by value saves the same, the unit is the currency");
	close_books();
}

/* Scaling every coefficient scales S and leaves r */
static void
test_scaling(void)
{
	Asked		asked = usual;
	Assessment	answer;

	put_o3();
	asked.coefficients = "[{'source': 'raw_coal', 'unit': 'kg', 'kgce': 2.1429}, {'source': 'electricity', 'unit': 'kWh', 'kgce': 0.3687}, "
		"{'source': 'natural_gas', 'unit': 'm3', 'kgce': 3.99}]";
	(void) ask(&asked, &answer);
	CHECK(is(answer.totals.saving_kgce, "223086") && is(answer.totals.saving_rate, "0.046466753"), "three times the coefficients, three times S, the same rate");
	close_books();
}

/* Two identical halves; packages and lines in another order and division of time */
static void
test_splitting(void)
{
	Assessment	answer;

	books_begin();
	books_year(BASE_START, USED("raw_coal", "t", "500", "A1") "," USED("raw_coal", "t", "500", "A2") "," USED("electricity", "GWh", "1", "A1") ","
			   USED("electricity", "GWh", "1", "A2") "," USED("natural_gas", "m3", "300000", "B") "," USED("electricity", "GWh", "1.5", "B"),
			   MADE("A1", "2500") "," MADE("A2", "2500") "," MADE("B", "2000"));
	books_year(NOW_START, USED("raw_coal", "t", "525", "A1") "," USED("raw_coal", "t", "525", "A2") "," USED("electricity", "GWh", "1.05", "A1") ","
			   USED("electricity", "GWh", "1.05", "A2") "," USED("natural_gas", "m3", "260000", "B") "," USED("electricity", "GWh", "1.4", "B"),
			   MADE("A1", "2800") "," MADE("A2", "2800") "," MADE("B", "1800"));
	books_load(&applicant);
	(void) ask(&usual, &answer);
	CHECK_INT(answer.product_count, 3, "O3 with A in two halves");
	CHECK(is(answer.totals.saving_kgce, "74362") && is(answer.totals.saving_rate, "0.046466753"), "splitting a product changes no total");
	close_books();

	books_begin();
	books_put(ECERT_KIND_ENERGY, BASE_START, BASE_START + 1000, USED("electricity", "GWh", "1.5", "B") "," USED("raw_coal", "t", "1000", "A"));
	books_put(ECERT_KIND_ENERGY, BASE_START + 1000, NOW_START, USED("natural_gas", "m3", "300000", "B") "," USED("electricity", "kWh", "2000000", "A"));
	books_put(ECERT_KIND_ENERGY, NOW_START, NOW_START + 5, USED("electricity", "GWh", "2.1", "A") "," USED("electricity", "GWh", "1.4", "B"));
	books_put(ECERT_KIND_ENERGY, NOW_START + 5, NOW_END, USED("natural_gas", "m3", "260000", "B") "," USED("raw_coal", "kg", "1050000", "A"));
	books_put(ECERT_KIND_PRODUCT, BASE_START, BASE_START + 7, MADE("B", "2000"));
	books_put(ECERT_KIND_PRODUCT, BASE_START + 7, NOW_START, MADE("A", "5000"));
	books_put(ECERT_KIND_PRODUCT, NOW_START, NOW_START + 9, MADE("B", "1800") "," MADE("A", "5000"));
	books_put(ECERT_KIND_PRODUCT, NOW_START + 9, NOW_END, MADE("A", "600"));
	books_load(&applicant);
	(void) ask(&usual, &answer);
	CHECK(is(answer.totals.saving_kgce, "74362") && is(answer.totals.saving_rate, "0.046466753"), "nor does permuting packages and lines");
	close_books();
}

/* The product mix: A e 1.0 -> 0.95, B 3.0 -> 2.85, output 900/100 -> 500/500 */
static void
test_o4(void)
{
	const char *title = "O4";
	Assessment	answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "900", "A") "," USED("fuel", "kgce", "300", "B"), MADE("A", "900") "," MADE("B", "100"));
	books_year(NOW_START, USED("fuel", "kgce", "475", "A") "," USED("fuel", "kgce", "1425", "B"), MADE("A", "500") "," MADE("B", "500"));
	books_load(&applicant);
	(void) ask(&usual, &answer);
	check_totals(title, &answer, "100", "0.05", "-800");
	close_books();
}

/* The verdict is on the exact rate: 0.0499999999..., which is 0.05 to nine decimals, does not reach 0.05 */
static void
test_unrounded_verdict(void)
{
	Asked		asked = usual;
	Assessment	answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "100000000000", "x"), MADE("x", "1"));
	books_year(NOW_START, USED("fuel", "kgce", "95000000001", "x"), MADE("x", "1"));
	books_load(&applicant);
	asked.threshold = "0.05";
	(void) ask(&asked, &answer);
	CHECK(is(answer.totals.saving_rate, "0.05") && !answer.totals.passes, "a rate that rounds to the threshold does not reach it");
	close_books();
}

static void
check_shared(const char *title, const char *energy, const char *product, const char *first_kgce, const char *status)
{
	Assessment	answer;

	books_begin();
	books_year(BASE_START, energy, product);
	books_year(NOW_START, energy, product);
	books_load(&applicant);
	(void) ask(&usual, &answer);
	CHECK_FIGURE(answer.products[0].base_kgce, first_kgce, "E0 of A");
	CHECK_FIGURE(answer.products[0].status, status, "status");
	CHECK_FIGURE(answer.totals.saving_kgce, strcmp(status, "ok") == 0 ? "0" : NULL, "total S");
	close_books();
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
	Assessment	answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "10", "good") "," USED("fuel", "kgce", "10", "gone") "," USED("fuel", "kgce", "10", "base standing") ","
			   USED("fuel", "kgce", "10", "now standing"),
			   MADE("good", "10") "," MADE("gone", "10") "," MADE("base standing", "-1") "," MADE("now standing", "10") "," MADE("free", "10"));
	books_year(NOW_START, USED("fuel", "kgce", "9", "good") "," USED("fuel", "kgce", "9", "new") "," USED("fuel", "kgce", "9", "base standing") ","
			   USED("fuel", "kgce", "9", "now standing") "," USED("fuel", "kgce", "9", "free"),
			   MADE("good", "10") "," MADE("new", "10") "," MADE("base standing", "10") "," MADE("now standing", "0") "," MADE("free", "10"));
	books_load(&applicant);
	(void) ask(&usual, &answer);
	CHECK_INT(answer.product_count, 6, "a row for each product of either year");
	for (size_t i = 0; i < 6 && i < answer.product_count; i++)
		CHECK(is(answer.products[i].status, expected[i]), "status of \"%.*s\" is %s, found %s", TEXT(answer.products[i].product), expected[i], answer.products[i].status);
	CHECK(is(answer.totals.status, "base_intensity_zero") && answer.totals.saving_kgce == NULL && !answer.totals.passes, "the total has the first status and no saving");
	CHECK(is(answer.totals.now_kgce, "9"), "but the energy of what can be assessed");
	CHECK(answer.products[0].base_unit_energy == NULL && is(answer.products[0].base_output, "-1"), "no unit energy of negative output");
	close_books();
}

static void
test_no_coefficient(void)
{
	Assessment	answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "10", "x"), MADE("x", "10"));
	books_year(NOW_START, USED("steam", "GJ", "1", "x") "," USED("peat", "t", "0", "x") "," USED("fuel", "t", "1", "x"), MADE("x", "10"));
	books_load(&applicant);
	CHECK_INT(ask(&usual, &answer), ASSESS_NO_COEFFICIENT, "a source or unit without coefficient is never counted as zero");
	CHECK(ecert_slice_equal(answer.source, ecert_slice_text("fuel")) && ecert_slice_equal(answer.unit, ecert_slice_text("t")), "the first in byte order is named");
	close_books();
}

static void
test_nothing(void)
{
	Asked		asked = usual;
	Assessment	answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "10", "x"), MADE("x", "10"));
	books_load(&applicant);
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].status, "no_reporting") && is(answer.totals.status, "no_reporting"), "a year without packages");
	asked.energy_last = asked.product_last = -1;
	(void) ask(&asked, &answer);
	CHECK(answer.product_count == 0 && is(answer.totals.status, "no_reporting") && answer.totals.now_kgce == NULL, "no packages at all");
	close_books();
}

/* A correction counts from its seq on; a series is its sum, with its exponent */
static void
test_corrections(void)
{
	Asked		asked = usual;
	Assessment	answer;

	books_begin();
	books_year(BASE_START, "{'source': 'fuel', 'unit': 'kgce', 'product': 'x', 'series': {'step': 15768000, 'exp': -2, 'values': [70000, 30001]}}", MADE("x", "10"));
	books_year(NOW_START, USED("fuel", "kgce", "900", "x"), MADE("x", "10"));
	books_year(NOW_START, USED("fuel", "kgce", "950", "x"), MADE("x", "5"));
	books_load(&applicant);
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].base_kgce, "1000.01") && is(answer.products[0].now_kgce, "950") && is(answer.products[0].saving_kgce, "-449.995"),
		  "the newest package of a period counts, and of a series the sum");
	asked.energy_last = 1;
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].now_kgce, "900") && is(answer.products[0].now_output, "5"), "as of an earlier seq of the energy feed");
	asked.product_last = 1;
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].saving_kgce, "100.01"), "and of the product feed");
	close_books();
}

/* Output in two units, values in another currency, do not compare */
static void
test_units(void)
{
	Asked		asked = usual;
	Assessment	answer;

	books_begin();
	books_year(BASE_START, USED("fuel", "kgce", "10", "a") "," USED("fuel", "kgce", "10", "b"), SOLD("a", "10", "5", "CNY") "," MADE("b", "10"));
	books_year(NOW_START, USED("fuel", "kgce", "9", "a") "," USED("fuel", "kgce", "9", "b"), SOLD("a", "10", "5", "USD") ","
			   "{'product': 'b', 'unit': 'kg', 'output': 10, 'qualified': 10}");
	books_load(&applicant);
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].status, "ok") && is(answer.products[1].status, "no_reporting"), "another unit is no reporting");
	asked.by_value = true;
	(void) ask(&asked, &answer);
	CHECK(is(answer.products[0].status, "no_reporting") && is(answer.products[1].status, "no_baseline"), "another currency is none by value, and no value no baseline");
	close_books();
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
	test_corrections();
	test_units();
	return check_done();
}
