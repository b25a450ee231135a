/*
 * body.c
 *		Body schemas as tables, and readers for the lines; see body.h.
 *
 * A shape is the list of a map's fields.  The walk over a body recurses once
 * per shape inside a shape, so its depth is that of the tables below (4), not
 * of the input.
 */
#include "core/body.h"

typedef enum Type
{
	TYPE_TEXT,					/* any text */
	TYPE_ID,					/* node id, origin, or another name (ecert_id_valid) */
	TYPE_CHOICE,				/* one of the texts in choices */
	TYPE_HASH,					/* 64 lower-case hex digits */
	TYPE_HEX,					/* lower-case hex of bytes */
	TYPE_COUNT,					/* integer >= 0 */
	TYPE_VALUE,					/* the same in a series, refused as a negative quantity, and summed up */
	TYPE_EXPONENT,				/* of a decimal: an integer within what that may be */
	TYPE_POSITIVE,				/* integer >= 1 */
	TYPE_ALG,					/* COSE algorithm number that we know */
	TYPE_NUMBER,				/* integer or decimal */
	TYPE_AMOUNT,				/* number >= 0 */
	TYPE_QUANTITY,				/* number >= 0, refused as a negative quantity */
	TYPE_RESULT,				/* number or null */
	TYPE_FINDING,				/* true, false, or null where the records do not tell */
	TYPE_TIME,					/* seconds since 1970 UTC */
	TYPE_PERIOD,				/* [start, end], start < end */
	TYPE_FEED,					/* [issuer, kind, seq] */
	TYPE_TEXTS,					/* a map of texts under ids */
	TYPE_MAP					/* a map of shape */
} Type;

enum
{
	REQUIRED = 1,
	LIST = 2,					/* an array of the type */
	MAY_BE_EMPTY = 4			/* of a list: no items are fine too */
};

struct Shape;
struct BodyWalk;

typedef struct Field
{
	const char *path;			/* dotted, for messages */
	uint8_t		name_at;		/* where in it the field's own name begins, */
	uint8_t		name_size;		/* and its size */
	Type		type;
	unsigned	flags;
	const struct Shape *shape;
	const char *const *choices; /* ends with NULL */
} Field;

/* What a table cannot say of a map: told the items of its fields, of size 0 where there is none */
typedef EcertCode (*CheckWhole) (struct BodyWalk *walk, const EcertSlice *items, EcertSlice map);

typedef struct Shape
{
	const Field *fields;		/* fastest in the order of their encoded names */
	size_t		count;
	CheckWhole	check_whole;	/* or NULL; of shapes with WHOLE_MAX fields at most */
} Shape;

#define WHOLE_MAX 8
#define ALL_FIELDS 32			/* no field's number */

/* Where the walk is */
typedef struct BodyWalk
{
	EcertSlice	body;
	EcertError *error;
	bool		looked_for_period;	/* these two are known */
	bool		has_period;
	EcertPeriod period;			/* of the body */
	bool		sum_fits;		/* 64 bits: of the values of the last series */
	int64_t		sum;
} BodyWalk;

/* The path and its last part, the field's name, measured when compiled: every field of every body is looked up */
#define PATH(before, name) before name, sizeof before - 1, sizeof name - 1
#define SHAPE(name, ...) SHAPE_WITH(name, NULL, __VA_ARGS__)
#define SHAPE_WITH(name, check, ...) \
	static const Field name##_fields[] = {__VA_ARGS__}; \
	static const Shape name##_shape = {name##_fields, sizeof name##_fields / sizeof name##_fields[0], check}

static EcertCode check_energy_line(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_product_line(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_key(BodyWalk *walk, const EcertSlice *items, EcertSlice map);

static const char *const roles[] = {"certifier", "applicant", "auditor", NULL};
static const char *const audit_roles[] = {"upstream", "peer", "downstream", NULL};
static const char *const node_statuses[] = {"active", "revoked", NULL};
static const char *const certificate_statuses[] = {"active", "suspended", "withdrawn", NULL};
static const char *const verdicts[] = {"pass", "fail", "abstain", NULL};
static const char *const certificate_verdicts[] = {"pass", "fail", NULL};
static const char *const methods[] = {"product", "value", NULL};
static const char *const denominators[] = {"baseline", "reporting", NULL};
static const char *const kinds[] = {"energy", "product", NULL};
static const char *const saving_signs[] = {"baseline_minus_reporting", NULL};

enum
{
	KEY_ALG, KEY_KID, KEY_PUBLIC, KEY_EFFECTIVE, KEY_UNTIL
};

SHAPE_WITH(key, check_key,
	[KEY_ALG] = {PATH("keys.", "alg"), TYPE_ALG, REQUIRED, NULL, NULL},
	[KEY_KID] = {PATH("keys.", "kid"), TYPE_HASH, REQUIRED, NULL, NULL},
	[KEY_PUBLIC] = {PATH("keys.", "public"), TYPE_HEX, REQUIRED, NULL, NULL},
	[KEY_EFFECTIVE] = {PATH("keys.", "effective"), TYPE_TIME, REQUIRED, NULL, NULL},
	[KEY_UNTIL] = {PATH("keys.", "until"), TYPE_TIME, 0, NULL, NULL});

SHAPE(node_names,
	{PATH("names.", "en"), TYPE_TEXT, REQUIRED, NULL, NULL},
	{PATH("names.", "zh"), TYPE_TEXT, REQUIRED, NULL, NULL});

SHAPE(node,
	{PATH("", "node"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "name"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "names"), TYPE_MAP, 0, &node_names_shape, NULL},
	{PATH("", "roles"), TYPE_CHOICE, REQUIRED | LIST, NULL, roles},
	{PATH("", "keys"), TYPE_MAP, REQUIRED | LIST, &key_shape, NULL},
	{PATH("", "status"), TYPE_CHOICE, REQUIRED, NULL, node_statuses},
	{PATH("", "effective"), TYPE_TIME, REQUIRED, NULL, NULL},
	{PATH("", "attributes"), TYPE_TEXTS, 0, NULL, NULL},
	{PATH("", "reason"), TYPE_TEXT, 0, NULL, NULL});

SHAPE(relation,
	{PATH("", "auditor"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "applicant"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "as"), TYPE_CHOICE, REQUIRED, NULL, audit_roles},
	{PATH("", "from"), TYPE_TIME, REQUIRED, NULL, NULL},
	{PATH("", "to"), TYPE_TIME, 0, NULL, NULL});

SHAPE(coefficient,
	{PATH("coefficients.", "source"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("coefficients.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("coefficients.", "kgce"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("coefficients.", "edition"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("coefficients.", "citation"), TYPE_TEXT, 0, NULL, NULL});

SHAPE(unit,
	{PATH("units.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("units.", "base"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("units.", "factor"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

SHAPE(required_audit,
	{PATH("audit.required.", "as"), TYPE_CHOICE, REQUIRED, NULL, audit_roles},
	{PATH("audit.required.", "count"), TYPE_POSITIVE, REQUIRED, NULL, NULL});

SHAPE(tolerance,
	{PATH("audit.", "tolerance"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

SHAPE(peer,
	{PATH("audit.peer.", "k"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("audit.peer.", "band"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("audit.peer.", "minimum"), TYPE_COUNT, REQUIRED, NULL, NULL});

SHAPE(audit_rule,
	{PATH("audit.", "required"), TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &required_audit_shape, NULL},
	{PATH("audit.", "upstream"), TYPE_MAP, REQUIRED, &tolerance_shape, NULL},
	{PATH("audit.", "downstream"), TYPE_MAP, REQUIRED, &tolerance_shape, NULL},
	{PATH("audit.", "peer"), TYPE_MAP, REQUIRED, &peer_shape, NULL});

SHAPE(certificate_rule,
	{PATH("certificate.", "threshold"), TYPE_NUMBER, REQUIRED, NULL, NULL},
	{PATH("certificate.", "denominator"), TYPE_CHOICE, REQUIRED, NULL, denominators},
	{PATH("certificate.", "valid_days"), TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{PATH("certificate.", "baseline"), TYPE_PERIOD, 0, NULL, NULL},
	{PATH("certificate.", "witnesses"), TYPE_COUNT, 0, NULL, NULL});

SHAPE(reward_rule,
	{PATH("reward.", "upstream"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("reward.", "peer"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("reward.", "downstream"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("reward.", "unit"), TYPE_ID, REQUIRED, NULL, NULL});

SHAPE(policy,
	{PATH("", "coefficients"), TYPE_MAP, REQUIRED | LIST, &coefficient_shape, NULL},
	{PATH("", "units"), TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &unit_shape, NULL},
	{PATH("", "audit"), TYPE_MAP, REQUIRED, &audit_rule_shape, NULL},
	{PATH("", "certificate"), TYPE_MAP, REQUIRED, &certificate_rule_shape, NULL},
	{PATH("", "reward"), TYPE_MAP, REQUIRED, &reward_rule_shape, NULL});

SHAPE(genesis,
	{PATH("", "origin"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "name"), TYPE_TEXT, REQUIRED, NULL, NULL},
	{PATH("", "node"), TYPE_MAP, REQUIRED, &node_shape, NULL},
	{PATH("", "policy"), TYPE_MAP, REQUIRED, &policy_shape, NULL});

SHAPE(series,
	{PATH("lines.series.", "exp"), TYPE_EXPONENT, 0, NULL, NULL},
	{PATH("lines.series.", "step"), TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{PATH("lines.series.", "values"), TYPE_VALUE, REQUIRED | LIST, NULL, NULL});

enum
{
	ENERGY_UNIT, ENERGY_METER, ENERGY_SERIES, ENERGY_SOURCE, ENERGY_PRODUCT, ENERGY_QUANTITY, ENERGY_SUPPLIER
};

SHAPE_WITH(energy_line, check_energy_line,
	[ENERGY_UNIT] = {PATH("lines.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	[ENERGY_METER] = {PATH("lines.", "meter"), TYPE_ID, 0, NULL, NULL},
	[ENERGY_SERIES] = {PATH("lines.", "series"), TYPE_MAP, 0, &series_shape, NULL},
	[ENERGY_SOURCE] = {PATH("lines.", "source"), TYPE_ID, REQUIRED, NULL, NULL},
	[ENERGY_PRODUCT] = {PATH("lines.", "product"), TYPE_ID, 0, NULL, NULL},
	[ENERGY_QUANTITY] = {PATH("lines.", "quantity"), TYPE_QUANTITY, 0, NULL, NULL},
	[ENERGY_SUPPLIER] = {PATH("lines.", "supplier"), TYPE_ID, 0, NULL, NULL});

SHAPE(energy,
	{PATH("", "lines"), TYPE_MAP, REQUIRED | LIST, &energy_line_shape, NULL},
	{PATH("", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "reason"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "replaces"), TYPE_HASH, 0, NULL, NULL});

SHAPE(delivery,
	{PATH("lines.deliveries.", "buyer"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("lines.deliveries.", "value"), TYPE_AMOUNT, 0, NULL, NULL},
	{PATH("lines.deliveries.", "quantity"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

enum
{
	PRODUCT_UNIT, PRODUCT_VALUE, PRODUCT_OUTPUT, PRODUCT_PRODUCT, PRODUCT_CURRENCY, PRODUCT_QUALIFIED, PRODUCT_DELIVERIES
};

SHAPE_WITH(product_line, check_product_line,
	[PRODUCT_UNIT] = {PATH("lines.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	[PRODUCT_VALUE] = {PATH("lines.", "value"), TYPE_NUMBER, 0, NULL, NULL},
	[PRODUCT_OUTPUT] = {PATH("lines.", "output"), TYPE_NUMBER, REQUIRED, NULL, NULL},
	[PRODUCT_PRODUCT] = {PATH("lines.", "product"), TYPE_ID, REQUIRED, NULL, NULL},
	[PRODUCT_CURRENCY] = {PATH("lines.", "currency"), TYPE_ID, 0, NULL, NULL},
	[PRODUCT_QUALIFIED] = {PATH("lines.", "qualified"), TYPE_NUMBER, REQUIRED, NULL, NULL},
	[PRODUCT_DELIVERIES] = {PATH("lines.", "deliveries"), TYPE_MAP, LIST, &delivery_shape, NULL});

_Static_assert(sizeof energy_line_fields / sizeof energy_line_fields[0] <= WHOLE_MAX &&
			   sizeof product_line_fields / sizeof product_line_fields[0] <= WHOLE_MAX, "items of every field");

SHAPE(product,
	{PATH("", "lines"), TYPE_MAP, REQUIRED | LIST, &product_line_shape, NULL},
	{PATH("", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "reason"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "replaces"), TYPE_HASH, 0, NULL, NULL});

SHAPE(range,
	{PATH("packages.", "kind"), TYPE_CHOICE, REQUIRED, NULL, kinds},
	{PATH("packages.", "first"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("packages.", "last"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("packages.", "hash"), TYPE_HASH, REQUIRED, NULL, NULL});

SHAPE(check,
	{PATH("checks.", "check"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("checks.", "product"), TYPE_ID, 0, NULL, NULL},
	{PATH("checks.", "source"), TYPE_ID, 0, NULL, NULL},
	{PATH("checks.", "declared"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("checks.", "found"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("checks.", "deviation"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("checks.", "tolerance"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("checks.", "ok"), TYPE_FINDING, REQUIRED, NULL, NULL},
	{PATH("checks.", "note"), TYPE_TEXT, 0, NULL, NULL});

SHAPE(audit,
	{PATH("", "applicant"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "as"), TYPE_CHOICE, REQUIRED, NULL, audit_roles},
	{PATH("", "verdict"), TYPE_CHOICE, REQUIRED, NULL, verdicts},
	{PATH("", "packages"), TYPE_MAP, REQUIRED | LIST, &range_shape, NULL},
	{PATH("", "checks"), TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &check_shape, NULL},
	{PATH("", "comment"), TYPE_TEXT, 0, NULL, NULL});

SHAPE(result,
	{PATH("products.", "product"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("products.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("products.", "base_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("products.", "base_output"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("products.", "base_unit_energy"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("products.", "now_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("products.", "now_output"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("products.", "now_unit_energy"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("products.", "saving_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("products.", "saving_rate"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("products.", "status"), TYPE_ID, REQUIRED, NULL, NULL});

SHAPE(totals,
	{PATH("totals.", "adjusted_base_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("totals.", "now_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("totals.", "saving_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("totals.", "saving_tce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("totals.", "saving_rate"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("totals.", "structure_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL});

SHAPE(conventions,
	{PATH("conventions.", "saving"), TYPE_CHOICE, REQUIRED, NULL, saving_signs},
	{PATH("conventions.", "denominator"), TYPE_CHOICE, REQUIRED, NULL, denominators},
	{PATH("conventions.", "electricity"), TYPE_TEXT, REQUIRED, NULL, NULL});

SHAPE(completeness,
	{PATH("completeness.", "energy_packages"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("completeness.", "product_packages"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("completeness.", "base_energy_packages"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("completeness.", "base_product_packages"), TYPE_COUNT, REQUIRED, NULL, NULL});

SHAPE(certificate,
	{PATH("", "number"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "applicant"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "name"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "baseline"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "method"), TYPE_CHOICE, REQUIRED, NULL, methods},
	{PATH("", "conventions"), TYPE_MAP, REQUIRED, &conventions_shape, NULL},
	{PATH("", "products"), TYPE_MAP, REQUIRED | LIST, &result_shape, NULL},
	{PATH("", "totals"), TYPE_MAP, REQUIRED, &totals_shape, NULL},
	{PATH("", "completeness"), TYPE_MAP, REQUIRED, &completeness_shape, NULL},
	{PATH("", "threshold"), TYPE_NUMBER, REQUIRED, NULL, NULL},
	{PATH("", "verdict"), TYPE_CHOICE, REQUIRED, NULL, certificate_verdicts},
	{PATH("", "valid"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "policy"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "packages"), TYPE_MAP, REQUIRED | LIST, &range_shape, NULL},
	{PATH("", "audits"), TYPE_HASH, REQUIRED | LIST | MAY_BE_EMPTY, NULL, NULL},
	{PATH("", "replaces"), TYPE_HASH, 0, NULL, NULL});

SHAPE(status,
	{PATH("", "certificate"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "status"), TYPE_CHOICE, REQUIRED, NULL, certificate_statuses},
	{PATH("", "reason"), TYPE_TEXT, REQUIRED, NULL, NULL},
	{PATH("", "replaced_by"), TYPE_HASH, 0, NULL, NULL});

SHAPE(reward,
	{PATH("", "audit"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "auditor"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "amount"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

SHAPE(checkpoint,
	{PATH("", "size"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("", "root"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "heads"), TYPE_FEED, REQUIRED | LIST, NULL, NULL},
	{PATH("", "seal"), TYPE_HEX, REQUIRED, NULL, NULL},
	{PATH("", "note"), TYPE_TEXT, 0, NULL, NULL});

SHAPE(witness,
	{PATH("", "checkpoint"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "size"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("", "root"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "cosignature"), TYPE_TEXT, 0, NULL, NULL});

/* Each kind's shape has its name */
#define KIND_SHAPE(CODE, name) &name##_shape,
static const Shape *const kind_shapes[ECERT_KIND_COUNT] = {ECERT_KINDS(KIND_SHAPE)};

static EcertCode
refuse(BodyWalk *walk, EcertCode code, EcertSlice item, const char *path)
{
	/* of unchecked bytes, what does not fit 64 bits is out of every range */
	return ecert_fail(walk->error, code == ECERT_OVERFLOW ? ECERT_BODY_VALUE : code, (size_t) (item.data - walk->body.data), path);
}

/* A field that the kind does not have: its name is of use to who wrote it */
static EcertCode
refuse_unknown(BodyWalk *walk, EcertSlice key, EcertSlice name, const char *path)
{
	if (name.size < sizeof walk->error->name && ecert_is_plain(name))
	{
		memcpy(walk->error->name, name.data, name.size);
		walk->error->name[name.size] = '\0';
	}
	return refuse(walk, ECERT_BODY_UNKNOWN, key, path);
}

/* The head of an item of checked bytes, and a cursor behind it */
static EcertCborHead
head_of(EcertSlice item, EcertCursor *cursor)
{
	EcertCborHead head = {ECERT_CBOR_SIMPLE, 0, 0};

	*cursor = ecert_cursor(item);
	(void) ecert_cbor_head(cursor, &head, NULL);
	return head;
}

/* Of lower-case digits alone: there is one text of the same bytes */
static int
hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
ecert_hex_to_bytes(EcertSlice hex, uint8_t *bytes)
{
	if (hex.size % 2 != 0)
		return false;
	for (size_t i = 0; i < hex.size / 2; i++)
	{
		int			high = hex_digit(hex.data[2 * i]);
		int			low = hex_digit(hex.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t) (high << 4 | low);
	}
	return true;
}

static bool
is_hex(EcertSlice text)
{
	for (size_t i = 0; i < text.size; i++)
	{
		if (hex_digit(text.data[i]) < 0)
			return false;
	}
	return text.size > 0 && text.size % 2 == 0;
}

static EcertCode
check_text(const Field *field, EcertCursor *cursor)
{
	EcertCborHead head;
	EcertSlice	text;

	if (ecert_cbor_head(cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_TEXT)
		return ECERT_BODY_TYPE;
	text = ecert_cbor_content(cursor, &head);
	switch (field->type)
	{
		case TYPE_ID:
			return ecert_id_valid(text) ? ECERT_OK : ECERT_BODY_VALUE;
		case TYPE_HASH:
			return text.size == 2 * ECERT_HASH_SIZE && is_hex(text) ? ECERT_OK : ECERT_BODY_VALUE;
		case TYPE_HEX:
			return is_hex(text) ? ECERT_OK : ECERT_BODY_VALUE;
		case TYPE_CHOICE:
			for (const char *const *choice = field->choices; *choice != NULL; choice++)
			{
				if (ecert_slice_equal(text, ecert_slice_text(*choice)))
					return ECERT_OK;
			}
			return ECERT_BODY_VALUE;
		default:
			return ECERT_OK;
	}
}

static EcertCode
check_integer(Type type, EcertCursor *cursor)
{
	EcertCborHead head;
	int64_t		value;
	EcertAlg	alg;
	EcertCode	code = ecert_cbor_head(cursor, &head, NULL) == ECERT_OK ? ecert_cbor_head_int(&head, &value) : ECERT_BODY_TYPE;

	if (code != ECERT_OK)
		return code;
	if (type == TYPE_ALG)
		return ecert_alg_from_cose(value, &alg) ? ECERT_OK : ECERT_UNKNOWN_ALG;
	if (value < (type == TYPE_POSITIVE ? 1 : 0))
		return ECERT_BODY_VALUE;
	return type == TYPE_TIME && value > ECERT_TIME_MAX ? ECERT_BODY_VALUE : ECERT_OK;
}

/*
 * Limits of magnitude, so that whatever is on the ledger fits the numeric types
 * of the views: what is declared is at most 10^15, results are below 10^28.
 */
static bool
within_limit(Type type, EcertDecimal decimal)
{
	EcertDecimal limit = {type == TYPE_RESULT ? INT64_C(10000000000) : 1, type == TYPE_RESULT ? 18 : 15};
	EcertDecimal negative = {-limit.mantissa, limit.exponent};

	if (decimal.exponent <= 0 && decimal.mantissa <= INT64_C(1000000000000000) && decimal.mantissa >= -INT64_C(1000000000000000))
		return true;
	return ecert_decimal_compare(decimal, limit) < (type == TYPE_RESULT ? 0 : 1) &&
		ecert_decimal_compare(decimal, negative) > (type == TYPE_RESULT ? 0 : -1);
}

static EcertCode
check_number(Type type, EcertCursor *cursor)
{
	EcertDecimal decimal;
	EcertCode	code = ecert_decimal_next(cursor, &decimal);

	if (code != ECERT_OK)
		return code;
	if (type == TYPE_EXPONENT)
		return decimal.exponent == 0 && decimal.mantissa >= ECERT_EXPONENT_MIN && decimal.mantissa <= ECERT_EXPONENT_MAX ?
			ECERT_OK : ECERT_BODY_VALUE;
	if (!within_limit(type, decimal))
		return ECERT_BODY_VALUE;
	if (decimal.mantissa >= 0 || type == TYPE_NUMBER || type == TYPE_RESULT)
		return ECERT_OK;
	return type == TYPE_QUANTITY ? ECERT_BODY_NEGATIVE : ECERT_BODY_VALUE;
}

static bool
read_period(EcertSlice item, EcertPeriod *period)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);

	if (head.type != ECERT_CBOR_ARRAY || head.value != 2)
		return false;
	return ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && ecert_cbor_head_int(&head, &period->start) == ECERT_OK &&
		ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && ecert_cbor_head_int(&head, &period->end) == ECERT_OK;
}

/* [start, end], and what it says */
static EcertCode
check_period(EcertSlice item, EcertPeriod *period)
{
	if (!read_period(item, period))
		return ECERT_BODY_TYPE;
	return period->start >= 0 && period->start < period->end && period->end <= ECERT_TIME_MAX ?
		ECERT_OK : ECERT_BODY_VALUE;
}

/* [issuer, kind, seq] */
static EcertCode
check_feed(EcertSlice item)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);
	EcertSlice	text;
	EcertKind	kind;

	if (head.type != ECERT_CBOR_ARRAY || head.value != 3)
		return ECERT_BODY_TYPE;
	if (!ecert_cbor_text(ecert_cbor_skip(&cursor), &text))
		return ECERT_BODY_TYPE;
	if (!ecert_id_valid(text))
		return ECERT_BODY_VALUE;
	if (!ecert_cbor_text(ecert_cbor_skip(&cursor), &text))
		return ECERT_BODY_TYPE;
	if (!ecert_kind_from_name(text, &kind))
		return ECERT_BODY_VALUE;
	return check_integer(TYPE_COUNT, &cursor);
}

/* A map of texts under ids */
static EcertCode
check_texts(EcertSlice item)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);
	EcertSlice	text;

	if (head.type != ECERT_CBOR_MAP)
		return ECERT_BODY_TYPE;
	for (uint64_t i = head.value; i > 0; i--)
	{
		if (!ecert_id_valid(ecert_cbor_next_text(&cursor)))
			return ECERT_BODY_VALUE;
		if (!ecert_cbor_text(ecert_cbor_skip(&cursor), &text))
			return ECERT_BODY_TYPE;
	}
	return ECERT_OK;
}

/* The first byte of what comes next, for the place of an error */
static EcertSlice
next_byte(const EcertCursor *cursor)
{
	return ecert_slice(cursor->bytes.data + cursor->offset, 1);
}

/* A number, or null */
static EcertCode
check_result(EcertCursor *cursor)
{
	EcertCursor ahead = *cursor;
	EcertCborHead head;

	if (ecert_cbor_head(&ahead, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_SIMPLE || head.value != ECERT_CBOR_NULL)
		return check_number(TYPE_RESULT, cursor);
	*cursor = ahead;
	return ECERT_OK;
}

/* One value that is no map and no list, which is consumed when it is right */
static EcertCode
check_scalar(const Field *field, EcertCursor *cursor)
{
	EcertPeriod period;
	EcertCborHead head;

	switch (field->type)
	{
		case TYPE_COUNT:
		case TYPE_POSITIVE:
		case TYPE_ALG:
		case TYPE_TIME:
			return check_integer(field->type, cursor);
		case TYPE_EXPONENT:
		case TYPE_NUMBER:
		case TYPE_AMOUNT:
		case TYPE_QUANTITY:
			return check_number(field->type, cursor);
		case TYPE_RESULT:
			return check_result(cursor);
		case TYPE_FINDING:
			return ecert_cbor_head(cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_SIMPLE ? ECERT_OK : ECERT_BODY_TYPE;
		case TYPE_PERIOD:
			return check_period(ecert_cbor_skip(cursor), &period);
		case TYPE_FEED:
			return check_feed(ecert_cbor_skip(cursor));
		case TYPE_TEXTS:
			return check_texts(ecert_cbor_skip(cursor));
		default:
			return check_text(field, cursor);
	}
}

static EcertCode check_map(BodyWalk *walk, const Shape *shape, EcertCursor *cursor, const char *path, bool top);

/* One value, not a list; everything is walked through at once, nothing passed over first */
static EcertCode
check_value(BodyWalk *walk, const Field *field, EcertCursor *cursor)
{
	EcertSlice	item = next_byte(cursor);
	EcertCode	code;

	if (field->type == TYPE_MAP)
		return check_map(walk, field->shape, cursor, field->path, false);
	code = check_scalar(field, cursor);
	return code == ECERT_OK ? code : refuse(walk, code, item, field->path);
}

/* The values of a series, in a loop of their own: there may be thousands */
static EcertCode
check_values(BodyWalk *walk, const Field *field, uint64_t count, EcertCursor *cursor)
{
	walk->sum = 0;
	walk->sum_fits = true;
	for (; count > 0; count--)
	{
		EcertSlice	item = next_byte(cursor);
		EcertCborHead head;
		int64_t		value = 0;
		EcertCode	code = ecert_cbor_head(cursor, &head, NULL) == ECERT_OK ? ecert_cbor_head_int(&head, &value) : ECERT_BODY_TYPE;

		if (code != ECERT_OK || value < 0)
			return refuse(walk, code == ECERT_OK ? ECERT_BODY_NEGATIVE : code, item, field->path);
		walk->sum_fits = !__builtin_add_overflow(walk->sum, value, &walk->sum) && walk->sum_fits;
	}
	return ECERT_OK;
}

static EcertCode
check_list(BodyWalk *walk, const Field *field, EcertCursor *cursor)
{
	EcertSlice	item = next_byte(cursor);
	EcertCborHead head = {ECERT_CBOR_SIMPLE, 0, 0};

	(void) ecert_cbor_head(cursor, &head, NULL);
	if (head.type != ECERT_CBOR_ARRAY)
		return refuse(walk, ECERT_BODY_TYPE, item, field->path);
	if (head.value == 0 && (field->flags & MAY_BE_EMPTY) == 0)
		return refuse(walk, ECERT_BODY_VALUE, item, field->path);
	if (field->type == TYPE_VALUE)
		return check_values(walk, field, head.value, cursor);
	for (uint64_t i = head.value; i > 0; i--)
	{
		EcertCode	code = check_value(walk, field, cursor);

		if (code != ECERT_OK)
			return code;
	}
	return ECERT_OK;
}

/*
 * The shape's field of that name; its number goes to *index, from which the
 * search begins: names come in the order of the tables, mostly
 */
static const Field *
find_field(const Shape *shape, EcertSlice name, size_t *index)
{
	for (size_t i = 0; i < shape->count; i++, ++*index)
	{
		const Field *field;

		if (*index >= shape->count)
			*index = 0;
		field = &shape->fields[*index];
		if (ecert_slice_equal(name, ecert_slice(field->path + field->name_at, field->name_size)))
			return field;
	}
	return NULL;
}

/* The next pair of a map; its field's number goes to *index, from which it is looked for */
static EcertCode
check_pair(BodyWalk *walk, const Shape *shape, EcertCursor *cursor, const char *path, bool top, size_t *index, EcertSlice *items)
{
	EcertSlice	key = next_byte(cursor);
	EcertSlice	name = {NULL, 0};
	EcertCborHead head;
	const Field *field;
	size_t		start;
	EcertCode	code;

	if (ecert_cbor_head(cursor, &head, NULL) == ECERT_OK)
		name = ecert_cbor_content(cursor, &head);
	field = find_field(shape, name, index);
	if (field == NULL)
	{
		*index = ALL_FIELDS;
		if (!top || !ecert_slice_equal(name, ecert_slice_text("ext")))
			return refuse_unknown(walk, key, name, path);
		/* free: anything in strict form */
		(void) ecert_cbor_skip(cursor);
		return ECERT_OK;
	}
	start = cursor->offset;
	code = (field->flags & LIST) ? check_list(walk, field, cursor) : check_value(walk, field, cursor);
	if (shape->check_whole != NULL)
		items[*index] = ecert_slice(cursor->bytes.data + start, cursor->offset - start);
	return code;
}

/* Every field of the map is known and right, and every required one is there */
static EcertCode
check_map(BodyWalk *walk, const Shape *shape, EcertCursor *cursor, const char *path, bool top)
{
	EcertSlice	map = next_byte(cursor);
	EcertCborHead head = {ECERT_CBOR_SIMPLE, 0, 0};
	EcertSlice	items[WHOLE_MAX];
	uint32_t	seen = 0;
	size_t		index = 0;

	(void) ecert_cbor_head(cursor, &head, NULL);
	if (head.type != ECERT_CBOR_MAP)
		return refuse(walk, ECERT_BODY_TYPE, map, path);
	if (shape->check_whole != NULL)
		memset(items, 0, sizeof items);
	for (uint64_t i = head.value; i > 0; i--, index++)
	{
		EcertCode	code = check_pair(walk, shape, cursor, path, top, &index, items);

		if (code != ECERT_OK)
			return code;
		if (index != ALL_FIELDS)
			seen |= UINT32_C(1) << index;
	}
	for (size_t i = 0; i < shape->count; i++)
	{
		if ((shape->fields[i].flags & REQUIRED) && (seen & (UINT32_C(1) << i)) == 0)
			return refuse(walk, ECERT_BODY_MISSING, map, shape->fields[i].path);
	}
	return shape->check_whole == NULL ? ECERT_OK : shape->check_whole(walk, items, map);
}

/*
 * The sum of a series; ECERT_OVERFLOW when it does not fit 64 bits,
 * ECERT_BODY_VALUE when the series has not passed the schema and is none
 */
static EcertCode
series_sum(EcertSlice item, EcertDecimal *sum)
{
	EcertSeries series;

	ecert_series_open(item, &series);
	if (series.count == 0)
		return ECERT_BODY_VALUE;
	sum->exponent = series.exponent;
	sum->mantissa = 0;
	for (uint64_t i = series.count; i > 0; i--)
	{
		if (__builtin_add_overflow(sum->mantissa, ecert_series_next(&series), &sum->mantissa))
			return ECERT_OVERFLOW;
	}
	return ECERT_OK;
}

/* How many pairs a map has, and a cursor before the first; none of what is no map */
static uint64_t
pairs_of(EcertSlice map, EcertCursor *cursor)
{
	EcertCborHead head = head_of(map, cursor);
	uint64_t	most = map.size / 2;

	if (head.type != ECERT_CBOR_MAP)
		return 0;
	return head.value < most ? head.value : most;
}

/* A macro, so that the compiler knows the size */
#define is_named(slice, name) ((slice).size == sizeof name - 1 && memcmp((slice).data, name, sizeof name - 1) == 0)

/*
 * The next item's fields, as its shape has them: of ids the content, of others
 * the item, of size 0 where there is none; in one pass, since every line is
 * read often
 */
static void
read_fields(EcertCursor *cursor, const Shape *shape, EcertSlice *fields)
{
	size_t		start = cursor->offset;
	size_t		index = 0;
	EcertCborHead head;

	memset(fields, 0, shape->count * sizeof *fields);
	if (ecert_cbor_head(cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_MAP)
	{
		cursor->offset = start;
		(void) ecert_cbor_skip(cursor);
		return;
	}
	for (uint64_t pairs = head.value; pairs > 0 && cursor->offset < cursor->bytes.size; pairs--, index++)
	{
		const Field *field = find_field(shape, ecert_cbor_next_text(cursor), &index);

		if (field == NULL)
			(void) ecert_cbor_skip(cursor);
		else
			fields[index] = field->type == TYPE_ID ? ecert_cbor_next_text(cursor) : ecert_cbor_skip(cursor);
	}
}

/* The body's period, which comes behind its lines; false when it has none that is right, which is refused in its turn */
static bool
find_period(BodyWalk *walk)
{
	EcertSlice	item;

	if (!walk->looked_for_period)
		walk->has_period = ecert_cbor_find(walk->body, "period", &item) && check_period(item, &walk->period) == ECERT_OK;
	walk->looked_for_period = true;
	return walk->has_period;
}

/* A line has a quantity or a series that fills the period, not both */
static EcertCode
check_energy_line(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	EcertSeries series;
	int64_t		length;

	if (items[ENERGY_SERIES].size == 0)
		return items[ENERGY_QUANTITY].size > 0 ? ECERT_OK : refuse(walk, ECERT_BODY_MISSING, map, "lines.quantity");
	if (items[ENERGY_QUANTITY].size > 0)
		return refuse(walk, ECERT_BODY_UNKNOWN, items[ENERGY_SERIES], "lines.series");
	if (!find_period(walk))
		return ECERT_OK;
	length = walk->period.end - walk->period.start;
	ecert_series_open(items[ENERGY_SERIES], &series);
	if (series.step > length || (uint64_t) (length / series.step) != series.count || length % series.step != 0 ||
		!walk->sum_fits || !within_limit(TYPE_QUANTITY, (EcertDecimal) {walk->sum, series.exponent}))
		return refuse(walk, ECERT_BODY_VALUE, items[ENERGY_SERIES], "lines.series.values");
	return ECERT_OK;
}

/* A public key has the size that its algorithm's have */
static EcertCode
check_key(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	EcertSlice	public = {NULL, 0};
	EcertAlg	alg = ECERT_ALG_NONE;
	int64_t		number = 0;

	(void) ecert_cbor_int(items[KEY_ALG], &number);
	(void) ecert_alg_from_cose(number, &alg);
	(void) ecert_cbor_text(items[KEY_PUBLIC], &public);
	return public.size == 2 * ecert_raw_key_size(alg) ? ECERT_OK :
		refuse(walk, ECERT_BODY_VALUE, items[KEY_PUBLIC].size > 0 ? items[KEY_PUBLIC] : map, "keys.public");
}

/* Of what was produced, at most all is qualified */
static EcertCode
check_product_line(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	EcertDecimal output,
				qualified;

	if (ecert_decimal_read(items[PRODUCT_OUTPUT], &output) != ECERT_OK ||
		ecert_decimal_read(items[PRODUCT_QUALIFIED], &qualified) != ECERT_OK)
		return refuse(walk, ECERT_BODY_TYPE, map, "lines");
	if (output.mantissa > 0 && ecert_decimal_compare(qualified, output) > 0)
		return refuse(walk, ECERT_BODY_VALUE, items[PRODUCT_QUALIFIED], "lines.qualified");
	return ECERT_OK;
}

EcertCode
ecert_body_check(EcertKind kind, EcertSlice body, EcertError *error)
{
	BodyWalk	walk = {body, error, false, false, {0, 0}, false, 0};
	EcertCursor cursor = ecert_cursor(body);

	error->name[0] = '\0';
	return check_map(&walk, kind_shapes[kind], &cursor, "body", true);
}

bool
ecert_body_period(const EcertPackage *package, EcertPeriod *period)
{
	return package->period_item.size > 0 && check_period(package->period_item, period) == ECERT_OK;
}

bool
ecert_hex_to_hash(EcertSlice hex, uint8_t *hash)
{
	return hex.size == 2 * ECERT_HASH_SIZE && ecert_hex_to_bytes(hex, hash);
}

bool
ecert_body_replaces(const EcertPackage *package, uint8_t *hash)
{
	EcertSlice	text;

	return package->replaces_item.size > 0 && ecert_cbor_text(package->replaces_item, &text) &&
		ecert_hex_to_hash(text, hash);
}

EcertCursor
ecert_body_lines(EcertSlice body, uint64_t *count)
{
	return ecert_cbor_items_at(body, "lines", count);
}

EcertCode
ecert_energy_line_read(EcertSlice item, EcertEnergyLine *line)
{
	EcertCursor cursor = ecert_cursor(item);

	return ecert_energy_line_next(&cursor, line);
}

void
ecert_energy_line_source(EcertCursor *cursor, EcertSlice *source, EcertSlice *unit)
{
	EcertSlice	fields[WHOLE_MAX];

	read_fields(cursor, &energy_line_shape, fields);
	*source = fields[ENERGY_SOURCE];
	*unit = fields[ENERGY_UNIT];
}

EcertCode
ecert_energy_line_next(EcertCursor *cursor, EcertEnergyLine *line)
{
	EcertSlice	fields[WHOLE_MAX];

	read_fields(cursor, &energy_line_shape, fields);
	line->source = fields[ENERGY_SOURCE];
	line->unit = fields[ENERGY_UNIT];
	line->product = fields[ENERGY_PRODUCT];
	line->supplier = fields[ENERGY_SUPPLIER];
	line->meter = fields[ENERGY_METER];
	line->series = fields[ENERGY_SERIES];
	line->has_series = line->series.size > 0;
	if (line->has_series)
		return series_sum(line->series, &line->quantity);
	return fields[ENERGY_QUANTITY].size > 0 ? ecert_decimal_read(fields[ENERGY_QUANTITY], &line->quantity) : ECERT_BODY_MISSING;
}

EcertCode
ecert_product_line_next(EcertCursor *cursor, EcertProductLine *line)
{
	EcertSlice	fields[WHOLE_MAX];
	EcertCode	code;

	read_fields(cursor, &product_line_shape, fields);
	line->product = fields[PRODUCT_PRODUCT];
	line->unit = fields[PRODUCT_UNIT];
	line->currency = fields[PRODUCT_CURRENCY];
	line->deliveries = fields[PRODUCT_DELIVERIES];
	line->has_value = fields[PRODUCT_VALUE].size > 0;
	if (fields[PRODUCT_OUTPUT].size == 0 || fields[PRODUCT_QUALIFIED].size == 0)
		return ECERT_BODY_MISSING;
	if ((code = ecert_decimal_read(fields[PRODUCT_OUTPUT], &line->output)) != ECERT_OK ||
		(code = ecert_decimal_read(fields[PRODUCT_QUALIFIED], &line->qualified)) != ECERT_OK)
		return code;
	return line->has_value ? ecert_decimal_read(fields[PRODUCT_VALUE], &line->value) : ECERT_OK;
}

void
ecert_series_open(EcertSlice item, EcertSeries *series)
{
	EcertCursor cursor;
	EcertCborHead head;
	int64_t		exponent = 0;

	memset(series, 0, sizeof *series);
	/* values come last, and are not passed over */
	for (uint64_t pairs = pairs_of(item, &cursor); pairs > 0 && series->count == 0; pairs--)
	{
		EcertSlice	name = ecert_cbor_next_text(&cursor);

		if (is_named(name, "exp"))
			(void) ecert_cbor_int(ecert_cbor_skip(&cursor), &exponent);
		else if (is_named(name, "step"))
			(void) ecert_cbor_int(ecert_cbor_skip(&cursor), &series->step);
		else if (is_named(name, "values") && ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_ARRAY)
		{
			series->values = cursor;
			series->count = head.value;
		}
		else
			(void) ecert_cbor_skip(&cursor);
	}
	series->exponent = (int32_t) exponent;
	/* of a body that nobody checked: no values rather than a number beyond every limit, or more than there are */
	if (exponent < ECERT_EXPONENT_MIN || exponent > ECERT_EXPONENT_MAX || series->count > item.size)
		series->count = 0;
}

int64_t
ecert_series_next(EcertSeries *series)
{
	size_t		start = series->values.offset;
	EcertCborHead head;
	int64_t		value = 0;

	if (ecert_cbor_head(&series->values, &head, NULL) == ECERT_OK && ecert_cbor_head_int(&head, &value) == ECERT_OK)
		return value;
	/* of a body that nobody checked */
	series->values.offset = start;
	(void) ecert_cbor_skip(&series->values);
	return 0;
}
