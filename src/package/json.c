/*
 * json.c
 *		Package bodies from and to jsonb, every digit kept.
 *
 * jsonb orders object keys by length and then by bytes, and deterministic CBOR
 * orders text keys by their encoding, which begins with the length: the same
 * order, so the keys are written as they come.
 */
#include "package/datum.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "pg/error.h"

static void
put_string(EcertBuffer *out, const char *string, int size)
{
	char	   *utf8 = pg_server_to_any(string, size, PG_UTF8);

	ecert_cbor_put_text(out, utf8 == string ? ecert_slice(string, size) : ecert_slice_text(utf8));
}

static void
put_number(EcertBuffer *out, Numeric number)
{
	const char *digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	EcertDecimal decimal;

	if (ecert_decimal_parse(ecert_slice_text(digits), &decimal) != ECERT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NUMBER),
				 errmsg("number %s does not fit a package", digits),
				 errdetail("A number has at most 18 decimals, and its digits without the point are within 64 bits."),
				 errhint("Round the number before it is packed.")));
	ecert_decimal_put(out, decimal);
}

static void
put_scalar(EcertBuffer *out, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			ecert_cbor_put_head(out, ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL);
			break;
		case jbvBool:
			ecert_cbor_put_head(out, ECERT_CBOR_SIMPLE, value->val.boolean ? ECERT_CBOR_TRUE : ECERT_CBOR_FALSE);
			break;
		case jbvNumeric:
			put_number(out, value->val.numeric);
			break;
		case jbvString:
			put_string(out, value->val.string.val, value->val.string.len);
			break;
		default:
			elog(ERROR, "unexpected jsonb value type %d", (int) value->type);
	}
}

EcertSlice
ecert_jsonb_to_body(Jsonb *document)
{
	EcertBuffer out = ecert_buffer(palloc(ECERT_PACKAGE_MAX), ECERT_PACKAGE_MAX);
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	EcertError	error;

	if (!JB_ROOT_IS_OBJECT(document))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_BODY_INVALID),
				 errmsg("the body of a package must be a JSON object")));
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT)
			ecert_cbor_put_head(&out, ECERT_CBOR_MAP, value.val.object.nPairs);
		else if (token == WJB_BEGIN_ARRAY)
			ecert_cbor_put_head(&out, ECERT_CBOR_ARRAY, value.val.array.nElems);
		else if (token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM)
			put_scalar(&out, &value);
	}
	if (!ecert_buffer_fits(&out))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_TOO_LARGE),
				 errmsg("the body is too large for a package"),
				 errdetail("It has %zu bytes; a whole package has at most %d.", out.size, ECERT_PACKAGE_MAX),
				 errhint("Pack a shorter period.")));
	if (ecert_cbor_check_body(ecert_slice(out.data, out.size), &error) != ECERT_OK)
		ecert_raise(&error, "body");
	return ecert_slice(out.data, out.size);
}

static Numeric
read_number(EcertSlice item)
{
	EcertDecimal decimal = {0, 0};
	EcertError	error;
	EcertCode	code = ecert_decimal_read(item, &decimal);

	/* a checked body has none that does not fit */
	if (code != ECERT_OK)
	{
		(void) ecert_fail(&error, code, 0, NULL);
		ecert_raise(&error, "body");
	}
	return ecert_numeric(decimal);
}

static void
read_string(EcertSlice content, JsonbValue *value)
{
	char	   *converted = pg_any_to_server((const char *) content.data, (int) content.size, PG_UTF8);

	value->type = jbvString;
	value->val.string.val = converted;
	value->val.string.len = converted == (const char *) content.data ? (int) content.size : (int) strlen(converted);
}

/* A number, text, boolean or null item */
static void
read_scalar(EcertSlice item, const EcertCborHead *head, EcertCursor *inside, JsonbValue *value)
{
	switch (head->type)
	{
		case ECERT_CBOR_UINT:
		case ECERT_CBOR_NINT:
		case ECERT_CBOR_TAG:
			value->type = jbvNumeric;
			value->val.numeric = read_number(item);
			break;
		case ECERT_CBOR_TEXT:
			read_string(ecert_cbor_content(inside, head), value);
			break;
		default:
			value->type = head->value == ECERT_CBOR_NULL ? jbvNull : jbvBool;
			value->val.boolean = head->value == ECERT_CBOR_TRUE;
	}
}

/* Push one item; recursion is as deep as checked bytes nest, 16 */
static JsonbValue *
push_item(JsonbParseState **state, JsonbIteratorToken token, EcertSlice item)
{
	EcertCursor inside = ecert_cursor(item);
	EcertCborHead head = {ECERT_CBOR_SIMPLE, ECERT_CBOR_NULL, 0};
	JsonbValue	value;
	bool		is_map;

	(void) ecert_cbor_head(&inside, &head, NULL);
	is_map = head.type == ECERT_CBOR_MAP;
	if (!is_map && head.type != ECERT_CBOR_ARRAY)
	{
		read_scalar(item, &head, &inside, &value);
		return pushJsonbValue(state, token, &value);
	}
	(void) pushJsonbValue(state, is_map ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	for (uint64 i = head.value; i > 0; i--)
	{
		if (is_map)
			(void) push_item(state, WJB_KEY, ecert_cbor_skip(&inside));
		(void) push_item(state, is_map ? WJB_VALUE : WJB_ELEM, ecert_cbor_skip(&inside));
	}
	return pushJsonbValue(state, is_map ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
}

Jsonb *
ecert_body_to_jsonb(EcertSlice body)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(push_item(&state, WJB_VALUE, body));
}

ECERT_FUNCTION(ecert_encode_body)
{
	PG_RETURN_BYTEA_P(ecert_bytea(ecert_jsonb_to_body(PG_GETARG_JSONB_P(0))));
}

ECERT_FUNCTION(ecert_decode_body)
{
	EcertSlice	body = ecert_varlena_slice(PG_GETARG_BYTEA_PP(0));
	EcertError	error;

	if (body.size > ECERT_PACKAGE_MAX)
		(void) ecert_fail(&error, ECERT_TOO_LARGE, ECERT_PACKAGE_MAX, NULL);
	else if (ecert_cbor_check_body(body, &error) == ECERT_OK)
		PG_RETURN_JSONB_P(ecert_body_to_jsonb(body));
	ecert_raise(&error, "body");
}
