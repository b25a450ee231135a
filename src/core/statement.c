/*
 * statement.c
 *		Transparent statements: a package with receipts, and whatever else, in
 *		its unprotected header; see receipt.h.
 */
#include "core/decimal.h"
#include "core/receipt.h"

/* A label that is text is named when it is not longer */
#define LABEL_TEXT_MAX 64

/* Tag 18, array of 4, protected header; the cursor is behind it.  Lengths may be written in any form: the package is written anew */
static bool
enter_statement(EcertCursor *cursor, EcertSlice *protected_header)
{
	EcertLooseItems tag;
	EcertLooseItems parts;

	return ecert_loose_enter(cursor, ECERT_CBOR_TAG, &tag) && tag.left == 18 && ecert_loose_enter(cursor, ECERT_CBOR_ARRAY, &parts) &&
		(parts.is_open || parts.left == 4) && ecert_loose_string(cursor, ECERT_CBOR_BYTES, protected_header);
}

/* Payload and signature, and nothing behind them but a break */
static bool
leave_statement(EcertCursor *cursor, EcertSlice *body, EcertSlice *signature)
{
	return ecert_loose_string(cursor, ECERT_CBOR_BYTES, body) && ecert_loose_string(cursor, ECERT_CBOR_BYTES, signature) &&
		(cursor->offset == cursor->bytes.size || cursor->bytes.data[cursor->offset] == 0xFF);
}

EcertCode
ecert_statement_parse(EcertSlice bytes, EcertBuffer *package, EcertStatement *statement, EcertError *error)
{
	EcertCursor cursor = ecert_cursor(bytes);
	EcertSlice	protected_header;
	EcertSlice	body;
	EcertSlice	signature;
	EcertCode	code = ecert_loose_check(bytes, error);

	memset(statement, 0, sizeof *statement);
	if (code != ECERT_OK)
		return code;
	if (!enter_statement(&cursor, &protected_header) || ecert_loose_type(&cursor) != ECERT_CBOR_MAP)
		return ecert_fail(error, ECERT_NOT_RECEIPT, cursor.offset, "statement");
	statement->cursor = ecert_cursor(ecert_loose_skip(&cursor));
	(void) ecert_loose_enter(&statement->cursor, ECERT_CBOR_MAP, &statement->entries);
	if (!leave_statement(&cursor, &body, &signature))
		return ecert_fail(error, ECERT_NOT_RECEIPT, cursor.offset, "statement");
	/* whether they are a package's is ecert_package_parse()'s business */
	ecert_package_put(package, protected_header, body, signature);
	return ecert_buffer_fits(package) ? ECERT_OK : ecert_fail(error, ECERT_TOO_LARGE, ECERT_PACKAGE_MAX, NULL);
}

static void
take_receipt(EcertStatement *statement, EcertStatementPart *part)
{
	part->receipt = ++statement->receipt_count;
	if (!ecert_loose_string(&statement->cursor, ECERT_CBOR_BYTES, &part->content))
		(void) ecert_loose_skip(&statement->cursor);
}

/* The next item of the list of receipts */
static bool
next_receipt(EcertStatement *statement, EcertStatementPart *part)
{
	if (!ecert_loose_next(&statement->cursor, &statement->receipts))
		return statement->in_receipts = false;
	take_receipt(statement, part);
	return true;
}

bool
ecert_statement_next(EcertStatement *statement, EcertStatementPart *part)
{
	int64_t		label;

	memset(part, 0, sizeof *part);
	for (;;)
	{
		if (statement->in_receipts && next_receipt(statement, part))
			return true;
		if (!ecert_loose_next(&statement->cursor, &statement->entries))
			return false;
		part->label = ecert_loose_skip(&statement->cursor);
		if (!ecert_loose_int(part->label, &label) || label != ECERT_HEADER_RECEIPTS)
		{
			(void) ecert_loose_skip(&statement->cursor);
			return true;
		}
		part->label = ecert_slice(NULL, 0);
		statement->in_receipts = ecert_loose_enter(&statement->cursor, ECERT_CBOR_ARRAY, &statement->receipts);
		if (statement->in_receipts)
			continue;
		/* a receipt that no list is around is taken for a list of one */
		take_receipt(statement, part);
		return true;
	}
}

EcertOutcome
ecert_part_judge(const EcertStatementPart *part, const uint8_t *leaf, const EcertTrust *trust, EcertReceipt *receipt, EcertError *error)
{
	if (part->receipt > 0 && part->content.data != NULL)
		return ecert_receipt_judge(part->content, leaf, trust, receipt, error);
	(void) ecert_fail(error, part->receipt > 0 ? ECERT_NOT_RECEIPT : ECERT_UNPROTECTED, 0, NULL);
	return ECERT_NOT_CHECKED;
}

static void
put_number(EcertBuffer *out, int64_t number)
{
	char		digits[ECERT_DECIMAL_TEXT_MAX];

	ecert_buffer_put(out, ecert_slice(digits, ecert_decimal_text((EcertDecimal) {number, 0}, digits)));
}

const char *
ecert_part_text(const EcertStatementPart *part, char *text)
{
	EcertBuffer out = ecert_buffer(text, ECERT_PART_TEXT_MAX - 1);
	EcertCursor cursor = ecert_cursor(part->label);
	EcertSlice	name;
	int64_t		label;

	ecert_buffer_put(&out, ecert_slice_text(part->receipt > 0 ? "receipt " : "header "));
	if (part->receipt > 0)
		put_number(&out, part->receipt);
	else if (ecert_loose_int(part->label, &label))
		put_number(&out, label);
	else if (ecert_loose_string(&cursor, ECERT_CBOR_TEXT, &name) && name.size <= LABEL_TEXT_MAX && ecert_is_plain(name))
	{
		ecert_buffer_put(&out, ecert_slice_text("\""));
		ecert_buffer_put(&out, name);
		ecert_buffer_put(&out, ecert_slice_text("\""));
	}
	else
		ecert_buffer_put(&out, ecert_slice_text("with another label"));
	text[out.size] = '\0';
	return text;
}

void
ecert_statement_put(EcertBuffer *out, const EcertPackage *package, EcertSlice receipt)
{
	ecert_cbor_put_head(out, ECERT_CBOR_TAG, 18);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 4);
	ecert_cbor_put_bytes(out, package->protected_header);
	ecert_cbor_put_head(out, ECERT_CBOR_MAP, 1);
	ecert_cbor_put_int(out, ECERT_HEADER_RECEIPTS);
	ecert_cbor_put_head(out, ECERT_CBOR_ARRAY, 1);
	ecert_cbor_put_bytes(out, receipt);
	ecert_cbor_put_bytes(out, package->body);
	ecert_cbor_put_bytes(out, package->signature);
}
