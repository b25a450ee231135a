/*
 * fuzz_package.c
 *		libFuzzer target for everything in src/core that reads foreign bytes.
 *
 * The first byte chooses what the others are: the body of a kind, a package, a
 * CBOR item, or the text of a decimal.
 */
#include "core/body.h"
#include "must.h"
#include "reference.h"

enum
{
	MODE_PACKAGE = ECERT_KIND_COUNT,
	MODE_CBOR,
	MODE_DECIMAL,
	MODE_COUNT
};

static void
check_utf8(EcertSlice text)
{
	size_t		bad = SIZE_MAX;

	MUST(ecert_utf8_valid(text, &bad) == reference_utf8(text.data, text.data + text.size));
}

/* A number that was read: text and CBOR give it back */
static void
use_decimal(EcertDecimal decimal)
{
	char		text[ECERT_DECIMAL_TEXT_MAX];
	uint8_t		bytes[16];
	EcertBuffer out = ecert_buffer(bytes, sizeof bytes);
	EcertDecimal again;
	size_t		size;

	MUST(decimal.exponent >= ECERT_EXPONENT_MIN && decimal.exponent <= ECERT_EXPONENT_MAX);
	size = ecert_decimal_text(decimal, text);
	MUST(size < sizeof text && text[size] == '\0');
	MUST(ecert_decimal_parse(ecert_slice(text, size), &again) == ECERT_OK);
	MUST(ecert_decimal_compare(decimal, again) == 0);
	ecert_decimal_put(&out, decimal);
	MUST(ecert_buffer_fits(&out) && ecert_cbor_check(ecert_slice(bytes, out.size), NULL) == ECERT_OK);
	MUST(ecert_decimal_read(ecert_slice(bytes, out.size), &again) == ECERT_OK);
	MUST(ecert_decimal_compare(decimal, again) == 0);
	/* digits behind the point are kept; a sum that has zeros before it is written as the integer that it is */
	MUST(decimal.exponent >= 0 || (again.mantissa == decimal.mantissa && again.exponent == decimal.exponent));
}

/* Every head of checked bytes, in order; the writers give the bytes again */
static void
use_item(EcertSlice bytes)
{
	EcertCursor cursor = ecert_cursor(bytes);
	EcertBuffer out = ecert_buffer(malloc(bytes.size), bytes.size);
	EcertDecimal decimal;
	EcertCborHead head;

	MUST(ecert_slice_equal(ecert_cbor_skip(&cursor), bytes));
	cursor = ecert_cursor(bytes);
	while (cursor.offset < bytes.size)
	{
		MUST(ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK);
		if (head.type == ECERT_CBOR_TEXT)
		{
			EcertSlice	text = ecert_cbor_content(&cursor, &head);

			check_utf8(text);
			ecert_cbor_put_text(&out, text);
		}
		else if (head.type == ECERT_CBOR_BYTES)
			ecert_cbor_put_bytes(&out, ecert_cbor_content(&cursor, &head));
		else
		{
			/* a decimal's bytes end where the item at its tag ends */
			if (head.type == ECERT_CBOR_TAG && head.value == 4)
			{
				EcertCursor rest = {bytes, head.offset};

				MUST(ecert_decimal_read(ecert_cbor_skip(&rest), &decimal) == ECERT_OK);
				use_decimal(decimal);
			}
			ecert_cbor_put_head(&out, head.type, head.value);
		}
	}
	MUST(ecert_buffer_fits(&out) && ecert_slice_equal(ecert_slice(out.data, out.size), bytes));
	free(out.data);
}

static bool
fuzz_cbor(EcertSlice bytes, bool body)
{
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	code = body ? ecert_cbor_check_body(bytes, &error) : ecert_cbor_check(bytes, &error);

	check_error(code, &error, bytes.size);
	MUST((code == ECERT_OK) == reference_check(bytes.data, bytes.size, body));
	if (code == ECERT_OK)
		use_item(bytes);
	return code == ECERT_OK;
}

static void
use_energy_line(EcertCursor *cursor, EcertPeriod period)
{
	EcertEnergyLine line;
	EcertSeries series;
	int64_t		sum = 0;

	MUST(ecert_energy_line_next(cursor, &line) == ECERT_OK);
	MUST(ecert_id_valid(line.source) && ecert_id_valid(line.unit) && line.quantity.mantissa >= 0);
	MUST(line.product.size == 0 || ecert_id_valid(line.product));
	use_decimal(line.quantity);
	if (!line.has_series)
		return;
	ecert_series_open(line.series, &series);
	MUST(series.step > 0 && series.count > 0);
	MUST(series.step * (int64_t) series.count == period.end - period.start);
	for (uint64_t i = 0; i < series.count; i++)
		sum += ecert_series_next(&series);
	MUST(sum == line.quantity.mantissa && series.exponent == line.quantity.exponent);
}

static void
use_product_line(EcertCursor *cursor)
{
	EcertProductLine line;

	MUST(ecert_product_line_next(cursor, &line) == ECERT_OK);
	MUST(ecert_id_valid(line.product) && ecert_id_valid(line.unit));
	use_decimal(line.output);
	use_decimal(line.qualified);
	if (line.has_value)
		use_decimal(line.value);
	MUST(line.output.mantissa <= 0 || ecert_decimal_compare(line.qualified, line.output) <= 0);
}

/* The readers, of any map at all: they may find nothing, but must stay inside it */
static void
use_unchecked_body(EcertSlice body)
{
	EcertPackage package = {0};
	EcertPeriod period;
	uint8_t		hash[ECERT_HASH_SIZE];
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);
	EcertCursor again = cursor;
	EcertEnergyLine energy;
	EcertProductLine product;
	EcertSeries series;

	ecert_package_set_body(&package, body);
	(void) ecert_body_period(&package, &period);
	(void) ecert_body_replaces(&package, hash);
	for (; count > 0; count--)
	{
		if (ecert_product_line_next(&again, &product) == ECERT_OK)
		{
			use_decimal(product.output);
			use_decimal(product.qualified);
		}
		if (ecert_energy_line_next(&cursor, &energy) != ECERT_OK)
			continue;
		use_decimal(energy.quantity);
		if (!energy.has_series)
			continue;
		ecert_series_open(energy.series, &series);
		for (uint64_t i = 0; i < series.count; i++)
			(void) ecert_series_next(&series);
	}
}

static void
fuzz_body(EcertKind kind, EcertSlice body)
{
	EcertError	error = {.offset = SIZE_MAX};
	EcertPackage package = {0};
	EcertPeriod period = {0, 0};
	uint64_t	count;
	EcertCursor cursor;
	EcertCode	code;

	if (!fuzz_cbor(body, true))
		return;
	use_unchecked_body(body);
	code = ecert_body_check(kind, body, &error);
	check_error(code, &error, body.size);
	MUST(code == ECERT_OK || error.field != NULL);
	if (code != ECERT_OK)
		return;
	ecert_package_set_body(&package, body);
	if (ecert_body_period(&package, &period))
		MUST(period.start >= 0 && period.start < period.end && period.end <= ECERT_TIME_MAX);
	cursor = ecert_body_lines(body, &count);
	for (; count > 0; count--)
	{
		if (kind == ECERT_KIND_ENERGY)
			use_energy_line(&cursor, period);
		else if (kind == ECERT_KIND_PRODUCT)
			use_product_line(&cursor);
	}
}

/* An alg number that is read but never written */
static bool
uses_alias(EcertSlice header)
{
	EcertCursor cursor = ecert_cursor(header);
	EcertCborHead head;
	int64_t		alg = 0;

	MUST(ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK);
	(void) ecert_cbor_skip(&cursor);	/* 1, the least key */
	MUST(ecert_cbor_int(ecert_cbor_skip(&cursor), &alg) == ECERT_OK);
	return alg == -8 || alg == -7;
}

static void
use_package(const EcertPackage *package)
{
	uint8_t		header[1024];
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertBuffer out = ecert_buffer(header, sizeof header);
	EcertBuffer measure = ecert_buffer(NULL, 0);

	MUST(ecert_id_valid(package->issuer) && ecert_id_valid(package->subject) && ecert_id_valid(package->audience));
	MUST(package->kid.size == 32 && package->signature.size == ecert_signature_size(package->alg));
	MUST(package->seq >= 0 && package->issued_at >= 0 && package->issued_at <= ECERT_TIME_MAX);
	MUST(package->prev.size == (package->kind == ECERT_KIND_GENESIS ? 0 : 32));
	ecert_package_put_header(&out, package);
	MUST(ecert_buffer_fits(&out));
	MUST(uses_alias(package->protected_header) ||
		 ecert_slice_equal(ecert_slice(header, out.size), package->protected_header));
	ecert_package_signed_bytes(package->protected_header, package->body, &measure);
	MUST(measure.size <= package->bytes.size + 32);
	MUST(ecert_package_hash(package->bytes, hash) == ECERT_OK);
	fuzz_body(package->kind, package->body);
}

static void
fuzz_package(EcertSlice bytes)
{
	EcertPackage package;
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	code = ecert_package_parse(bytes, &package, &error);

	check_error(code, &error, bytes.size);
	if (code == ECERT_OK)
	{
		MUST(reference_check(bytes.data, bytes.size, false));
		use_package(&package);
	}
}

static void
fuzz_decimal(EcertSlice text)
{
	EcertDecimal decimal;
	EcertCode	code = ecert_decimal_parse(text, &decimal);

	MUST(code == ECERT_OK || code == ECERT_OVERFLOW || code == ECERT_BODY_TYPE);
	if (code == ECERT_OK)
		use_decimal(decimal);
	check_utf8(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *copy;
	EcertSlice	bytes;
	unsigned	mode;

	if (size == 0)
		return 0;
	mode = data[0] % MODE_COUNT;
	copy = copy_input(data, size);
	bytes = ecert_slice(copy, size - 1);
	if (mode == MODE_PACKAGE)
		fuzz_package(bytes);
	else if (mode == MODE_CBOR)
		(void) fuzz_cbor(bytes, false);
	else if (mode == MODE_DECIMAL)
		fuzz_decimal(bytes);
	else
		fuzz_body((EcertKind) mode, bytes);
	free(copy);
	return 0;
}
