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
	TYPE_ID,					/* node id, origin, or another name: 1..200 bytes, no control characters */
	TYPE_CHOICE,				/* one of the texts in choices */
	TYPE_HASH,					/* 64 lower-case hex digits */
	TYPE_PUBLIC_KEY,			/* lower-case hex of a raw key: 32 or 65 bytes */
	TYPE_SIGNATURE,				/* lower-case hex of 64 bytes */
	TYPE_COUNT,					/* integer >= 0 */
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
	TYPE_SERIES,				/* a map of shape, plus the checks of check_series() */
	TYPE_MAP,					/* a map of shape */
	TYPE_ANY
} Type;

enum
{
	REQUIRED = 1,
	LIST = 2,					/* an array of the type */
	MAY_BE_EMPTY = 4			/* of a list: no items are fine too */
};

struct Shape;

typedef struct Field
{
	const char *path;			/* dotted, for messages; the name is what follows the last dot */
	Type		type;
	unsigned	flags;
	const struct Shape *shape;
	const char *const *choices; /* ends with NULL */
} Field;

typedef struct Shape
{
	const Field *fields;
	size_t		count;
} Shape;

/* Where the walk is */
typedef struct Walk
{
	const uint8_t *start;		/* of the body, for offsets */
	EcertError *error;
} Walk;

#define SHAPE(name) static const Shape name##_shape = {name##_fields, sizeof name##_fields / sizeof name##_fields[0]}

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

static const Field key_fields[] = {
	{"keys.alg", TYPE_ALG, REQUIRED, NULL, NULL},
	{"keys.kid", TYPE_HASH, REQUIRED, NULL, NULL},
	{"keys.public", TYPE_PUBLIC_KEY, REQUIRED, NULL, NULL},
	{"keys.effective", TYPE_TIME, REQUIRED, NULL, NULL},
	{"keys.until", TYPE_TIME, 0, NULL, NULL},
};
SHAPE(key);

static const Field node_fields[] = {
	{"node", TYPE_ID, REQUIRED, NULL, NULL},
	{"name", TYPE_TEXT, 0, NULL, NULL},
	{"roles", TYPE_CHOICE, REQUIRED | LIST, NULL, roles},
	{"keys", TYPE_MAP, REQUIRED | LIST, &key_shape, NULL},
	{"status", TYPE_CHOICE, REQUIRED, NULL, node_statuses},
	{"effective", TYPE_TIME, REQUIRED, NULL, NULL},
	{"reason", TYPE_TEXT, 0, NULL, NULL},
};
SHAPE(node);

static const Field relation_fields[] = {
	{"auditor", TYPE_ID, REQUIRED, NULL, NULL},
	{"applicant", TYPE_ID, REQUIRED, NULL, NULL},
	{"as", TYPE_CHOICE, REQUIRED, NULL, audit_roles},
	{"from", TYPE_TIME, REQUIRED, NULL, NULL},
	{"to", TYPE_TIME, 0, NULL, NULL},
};
SHAPE(relation);

static const Field coefficient_fields[] = {
	{"coefficients.source", TYPE_ID, REQUIRED, NULL, NULL},
	{"coefficients.unit", TYPE_ID, REQUIRED, NULL, NULL},
	{"coefficients.kgce", TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{"coefficients.edition", TYPE_TEXT, 0, NULL, NULL},
	{"coefficients.citation", TYPE_TEXT, 0, NULL, NULL},
};
SHAPE(coefficient);

static const Field unit_fields[] = {
	{"units.unit", TYPE_ID, REQUIRED, NULL, NULL},
	{"units.base", TYPE_ID, REQUIRED, NULL, NULL},
	{"units.factor", TYPE_AMOUNT, REQUIRED, NULL, NULL},
};
SHAPE(unit);

static const Field required_audit_fields[] = {
	{"audit.required.as", TYPE_CHOICE, REQUIRED, NULL, audit_roles},
	{"audit.required.count", TYPE_POSITIVE, REQUIRED, NULL, NULL},
};
SHAPE(required_audit);

static const Field tolerance_fields[] = {
	{"audit.tolerance", TYPE_AMOUNT, REQUIRED, NULL, NULL},
};
SHAPE(tolerance);

static const Field peer_fields[] = {
	{"audit.peer.k", TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{"audit.peer.band", TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{"audit.peer.minimum", TYPE_COUNT, REQUIRED, NULL, NULL},
};
SHAPE(peer);

static const Field audit_rule_fields[] = {
	{"audit.required", TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &required_audit_shape, NULL},
	{"audit.upstream", TYPE_MAP, REQUIRED, &tolerance_shape, NULL},
	{"audit.downstream", TYPE_MAP, REQUIRED, &tolerance_shape, NULL},
	{"audit.peer", TYPE_MAP, REQUIRED, &peer_shape, NULL},
};
SHAPE(audit_rule);

static const Field certificate_rule_fields[] = {
	{"certificate.threshold", TYPE_NUMBER, REQUIRED, NULL, NULL},
	{"certificate.denominator", TYPE_CHOICE, REQUIRED, NULL, denominators},
	{"certificate.valid_days", TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{"certificate.baseline", TYPE_PERIOD, 0, NULL, NULL},
	{"certificate.witnesses", TYPE_COUNT, 0, NULL, NULL},
};
SHAPE(certificate_rule);

static const Field reward_rule_fields[] = {
	{"reward.upstream", TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{"reward.peer", TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{"reward.downstream", TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{"reward.unit", TYPE_ID, REQUIRED, NULL, NULL},
};
SHAPE(reward_rule);

static const Field policy_fields[] = {
	{"coefficients", TYPE_MAP, REQUIRED | LIST, &coefficient_shape, NULL},
	{"units", TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &unit_shape, NULL},
	{"audit", TYPE_MAP, REQUIRED, &audit_rule_shape, NULL},
	{"certificate", TYPE_MAP, REQUIRED, &certificate_rule_shape, NULL},
	{"reward", TYPE_MAP, REQUIRED, &reward_rule_shape, NULL},
};
SHAPE(policy);

static const Field genesis_fields[] = {
	{"origin", TYPE_ID, REQUIRED, NULL, NULL},
	{"name", TYPE_TEXT, REQUIRED, NULL, NULL},
	{"node", TYPE_MAP, REQUIRED, &node_shape, NULL},
	{"policy", TYPE_MAP, REQUIRED, &policy_shape, NULL},
};
SHAPE(genesis);

static const Field series_fields[] = {
	{"lines.series.step", TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{"lines.series.exp", TYPE_NUMBER, 0, NULL, NULL},
	{"lines.series.values", TYPE_ANY, REQUIRED | LIST, NULL, NULL},
};
SHAPE(series);

static const Field energy_line_fields[] = {
	{"lines.source", TYPE_ID, REQUIRED, NULL, NULL},
	{"lines.unit", TYPE_ID, REQUIRED, NULL, NULL},
	{"lines.quantity", TYPE_QUANTITY, 0, NULL, NULL},
	{"lines.series", TYPE_SERIES, 0, &series_shape, NULL},
	{"lines.product", TYPE_ID, 0, NULL, NULL},
	{"lines.supplier", TYPE_ID, 0, NULL, NULL},
	{"lines.meter", TYPE_ID, 0, NULL, NULL},
};
SHAPE(energy_line);

static const Field energy_fields[] = {
	{"period", TYPE_PERIOD, REQUIRED, NULL, NULL},
	{"lines", TYPE_MAP, REQUIRED | LIST, &energy_line_shape, NULL},
	{"replaces", TYPE_HASH, 0, NULL, NULL},
	{"reason", TYPE_TEXT, 0, NULL, NULL},
};
SHAPE(energy);

static const Field delivery_fields[] = {
	{"lines.deliveries.buyer", TYPE_ID, REQUIRED, NULL, NULL},
	{"lines.deliveries.quantity", TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{"lines.deliveries.value", TYPE_AMOUNT, 0, NULL, NULL},
};
SHAPE(delivery);

static const Field product_line_fields[] = {
	{"lines.product", TYPE_ID, REQUIRED, NULL, NULL},
	{"lines.unit", TYPE_ID, REQUIRED, NULL, NULL},
	{"lines.output", TYPE_NUMBER, REQUIRED, NULL, NULL},
	{"lines.qualified", TYPE_NUMBER, REQUIRED, NULL, NULL},
	{"lines.value", TYPE_NUMBER, 0, NULL, NULL},
	{"lines.currency", TYPE_ID, 0, NULL, NULL},
	{"lines.deliveries", TYPE_MAP, LIST, &delivery_shape, NULL},
};
SHAPE(product_line);

static const Field product_fields[] = {
	{"period", TYPE_PERIOD, REQUIRED, NULL, NULL},
	{"lines", TYPE_MAP, REQUIRED | LIST, &product_line_shape, NULL},
	{"replaces", TYPE_HASH, 0, NULL, NULL},
	{"reason", TYPE_TEXT, 0, NULL, NULL},
};
SHAPE(product);

static const Field range_fields[] = {
	{"packages.kind", TYPE_CHOICE, REQUIRED, NULL, kinds},
	{"packages.first", TYPE_COUNT, REQUIRED, NULL, NULL},
	{"packages.last", TYPE_COUNT, REQUIRED, NULL, NULL},
	{"packages.hash", TYPE_HASH, REQUIRED, NULL, NULL},
};
SHAPE(range);

static const Field check_fields[] = {
	{"checks.check", TYPE_ID, REQUIRED, NULL, NULL},
	{"checks.product", TYPE_ID, 0, NULL, NULL},
	{"checks.source", TYPE_ID, 0, NULL, NULL},
	{"checks.declared", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"checks.found", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"checks.deviation", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"checks.tolerance", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"checks.ok", TYPE_FINDING, REQUIRED, NULL, NULL},
	{"checks.note", TYPE_TEXT, 0, NULL, NULL},
};
SHAPE(check);

static const Field audit_fields[] = {
	{"applicant", TYPE_ID, REQUIRED, NULL, NULL},
	{"period", TYPE_PERIOD, REQUIRED, NULL, NULL},
	{"as", TYPE_CHOICE, REQUIRED, NULL, audit_roles},
	{"verdict", TYPE_CHOICE, REQUIRED, NULL, verdicts},
	{"packages", TYPE_MAP, REQUIRED | LIST, &range_shape, NULL},
	{"checks", TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &check_shape, NULL},
	{"comment", TYPE_TEXT, 0, NULL, NULL},
};
SHAPE(audit);

static const Field result_fields[] = {
	{"products.product", TYPE_ID, REQUIRED, NULL, NULL},
	{"products.unit", TYPE_ID, REQUIRED, NULL, NULL},
	{"products.base_kgce", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"products.base_output", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"products.base_unit_energy", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"products.now_kgce", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"products.now_output", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"products.now_unit_energy", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"products.saving_kgce", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"products.saving_rate", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"products.status", TYPE_ID, REQUIRED, NULL, NULL},
};
SHAPE(result);

static const Field totals_fields[] = {
	{"totals.adjusted_base_kgce", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"totals.now_kgce", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"totals.saving_kgce", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"totals.saving_tce", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"totals.saving_rate", TYPE_RESULT, REQUIRED, NULL, NULL},
	{"totals.structure_kgce", TYPE_RESULT, REQUIRED, NULL, NULL},
};
SHAPE(totals);

static const Field conventions_fields[] = {
	{"conventions.saving", TYPE_CHOICE, REQUIRED, NULL, saving_signs},
	{"conventions.denominator", TYPE_CHOICE, REQUIRED, NULL, denominators},
	{"conventions.electricity", TYPE_TEXT, REQUIRED, NULL, NULL},
};
SHAPE(conventions);

static const Field completeness_fields[] = {
	{"completeness.energy_packages", TYPE_COUNT, REQUIRED, NULL, NULL},
	{"completeness.product_packages", TYPE_COUNT, REQUIRED, NULL, NULL},
	{"completeness.base_energy_packages", TYPE_COUNT, REQUIRED, NULL, NULL},
	{"completeness.base_product_packages", TYPE_COUNT, REQUIRED, NULL, NULL},
};
SHAPE(completeness);

static const Field certificate_fields[] = {
	{"number", TYPE_ID, REQUIRED, NULL, NULL},
	{"applicant", TYPE_ID, REQUIRED, NULL, NULL},
	{"name", TYPE_TEXT, 0, NULL, NULL},
	{"period", TYPE_PERIOD, REQUIRED, NULL, NULL},
	{"baseline", TYPE_PERIOD, REQUIRED, NULL, NULL},
	{"method", TYPE_CHOICE, REQUIRED, NULL, methods},
	{"conventions", TYPE_MAP, REQUIRED, &conventions_shape, NULL},
	{"products", TYPE_MAP, REQUIRED | LIST, &result_shape, NULL},
	{"totals", TYPE_MAP, REQUIRED, &totals_shape, NULL},
	{"completeness", TYPE_MAP, REQUIRED, &completeness_shape, NULL},
	{"threshold", TYPE_NUMBER, REQUIRED, NULL, NULL},
	{"verdict", TYPE_CHOICE, REQUIRED, NULL, certificate_verdicts},
	{"valid", TYPE_PERIOD, REQUIRED, NULL, NULL},
	{"policy", TYPE_HASH, REQUIRED, NULL, NULL},
	{"packages", TYPE_MAP, REQUIRED | LIST, &range_shape, NULL},
	{"audits", TYPE_HASH, REQUIRED | LIST | MAY_BE_EMPTY, NULL, NULL},
	{"replaces", TYPE_HASH, 0, NULL, NULL},
};
SHAPE(certificate);

static const Field status_fields[] = {
	{"certificate", TYPE_HASH, REQUIRED, NULL, NULL},
	{"status", TYPE_CHOICE, REQUIRED, NULL, certificate_statuses},
	{"reason", TYPE_TEXT, REQUIRED, NULL, NULL},
	{"replaced_by", TYPE_HASH, 0, NULL, NULL},
};
SHAPE(status);

static const Field reward_fields[] = {
	{"audit", TYPE_HASH, REQUIRED, NULL, NULL},
	{"auditor", TYPE_ID, REQUIRED, NULL, NULL},
	{"amount", TYPE_AMOUNT, REQUIRED, NULL, NULL},
};
SHAPE(reward);

static const Field checkpoint_fields[] = {
	{"size", TYPE_COUNT, REQUIRED, NULL, NULL},
	{"root", TYPE_HASH, REQUIRED, NULL, NULL},
	{"heads", TYPE_FEED, REQUIRED | LIST, NULL, NULL},
	{"seal", TYPE_SIGNATURE, REQUIRED, NULL, NULL},
	{"note", TYPE_TEXT, 0, NULL, NULL},
};
SHAPE(checkpoint);

static const Field witness_fields[] = {
	{"checkpoint", TYPE_HASH, REQUIRED, NULL, NULL},
	{"size", TYPE_COUNT, REQUIRED, NULL, NULL},
	{"root", TYPE_HASH, REQUIRED, NULL, NULL},
	{"cosignature", TYPE_TEXT, 0, NULL, NULL},
};
SHAPE(witness);

/* In the order of EcertKind */
static const Shape *const kind_shapes[ECERT_KIND_COUNT] = {
	&genesis_shape, &node_shape, &relation_shape, &policy_shape, &energy_shape, &product_shape,
	&audit_shape, &certificate_shape, &status_shape, &reward_shape, &checkpoint_shape, &witness_shape
};

static const char *
field_name(const Field *field)
{
	const char *dot = strrchr(field->path, '.');

	return dot == NULL ? field->path : dot + 1;
}

static EcertCode
refuse(const Walk *walk, EcertCode code, EcertSlice item, const char *path)
{
	return ecert_fail(walk->error, code, (size_t) (item.data - walk->start), path);
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

static bool
is_hex(EcertSlice text)
{
	for (size_t i = 0; i < text.size; i++)
	{
		if (!((text.data[i] >= '0' && text.data[i] <= '9') || (text.data[i] >= 'a' && text.data[i] <= 'f')))
			return false;
	}
	return true;
}

static EcertCode
check_text(const Field *field, EcertSlice item)
{
	EcertSlice	text;

	if (!ecert_cbor_text(item, &text))
		return ECERT_BODY_TYPE;
	switch (field->type)
	{
		case TYPE_ID:
			return ecert_id_valid(text) ? ECERT_OK : ECERT_BODY_VALUE;
		case TYPE_HASH:
			return text.size == 2 * ECERT_HASH_SIZE && is_hex(text) ? ECERT_OK : ECERT_BODY_VALUE;
		case TYPE_PUBLIC_KEY:
			return (text.size == 2 * 32 || text.size == 2 * ECERT_RAW_KEY_MAX) && is_hex(text) ?
				ECERT_OK : ECERT_BODY_VALUE;
		case TYPE_SIGNATURE:
			return text.size == 2 * ECERT_SIGNATURE_SIZE && is_hex(text) ? ECERT_OK : ECERT_BODY_VALUE;
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
check_integer(Type type, EcertSlice item)
{
	int64_t		value;
	EcertAlg	alg;
	EcertCode	code = ecert_cbor_int(item, &value);

	if (code != ECERT_OK)
		return code == ECERT_OVERFLOW ? ECERT_BODY_VALUE : code;
	if (type == TYPE_ALG)
		return ecert_alg_from_cose(value, &alg) ? ECERT_OK : ECERT_BODY_VALUE;
	if (value < (type == TYPE_POSITIVE ? 1 : 0))
		return ECERT_BODY_VALUE;
	return type == TYPE_TIME && value > ECERT_TIME_MAX ? ECERT_BODY_VALUE : ECERT_OK;
}

/*
 * Limits of magnitude, so that whatever is on the ledger fits the numeric types
 * of the views: what is declared stays below 10^15, results below 10^28.
 */
static bool
within_limit(Type type, EcertDecimal decimal)
{
	EcertDecimal limit = {1, 15};
	EcertDecimal negative = {-1, 15};

	if (type == TYPE_RESULT)
	{
		limit.mantissa = INT64_C(10000000000);
		limit.exponent = 18;
		negative.mantissa = -limit.mantissa;
		negative.exponent = 18;
	}
	return ecert_decimal_compare(decimal, limit) < 0 && ecert_decimal_compare(decimal, negative) > 0;
}

static EcertCode
check_number(Type type, EcertSlice item)
{
	EcertDecimal decimal;
	EcertCode	code = ecert_decimal_read(item, &decimal);

	if (code != ECERT_OK)
		return code == ECERT_OVERFLOW ? ECERT_BODY_VALUE : code;
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
	return ecert_cbor_int(ecert_cbor_skip(&cursor), &period->start) == ECERT_OK &&
		ecert_cbor_int(ecert_cbor_skip(&cursor), &period->end) == ECERT_OK;
}

static EcertCode
check_period(EcertSlice item)
{
	EcertPeriod period;

	if (!read_period(item, &period))
		return ECERT_BODY_TYPE;
	return period.start >= 0 && period.start < period.end && period.end <= ECERT_TIME_MAX ?
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
	return check_integer(TYPE_COUNT, ecert_cbor_skip(&cursor));
}

static EcertCode check_map(const Walk *walk, const Shape *shape, EcertSlice map, const char *path, bool top);

/* exp within its range, values all integers, none negative */
static EcertCode
check_series(const Walk *walk, EcertSlice map)
{
	EcertSlice	item;
	EcertCursor cursor;
	EcertCborHead head;
	int64_t		value;
	EcertCode	code = check_map(walk, &series_shape, map, "lines.series", false);

	if (code != ECERT_OK)
		return code;
	if (ecert_cbor_find(map, "exp", &item) &&
		(ecert_cbor_int(item, &value) != ECERT_OK || value < ECERT_EXPONENT_MIN || value > ECERT_EXPONENT_MAX))
		return refuse(walk, ECERT_BODY_VALUE, item, "lines.series.exp");
	if (!ecert_cbor_find(map, "values", &item))
		return refuse(walk, ECERT_BODY_MISSING, map, "lines.series.values");
	head = head_of(item, &cursor);
	for (uint64_t i = head.value; i > 0; i--)
	{
		EcertSlice	number = ecert_cbor_skip(&cursor);

		code = ecert_cbor_int(number, &value);
		if (code == ECERT_OK && value < 0)
			code = ECERT_BODY_NEGATIVE;
		if (code != ECERT_OK)
			return refuse(walk, code == ECERT_OVERFLOW ? ECERT_BODY_VALUE : code, number, "lines.series.values");
	}
	return ECERT_OK;
}

/* One value, not a list */
static EcertCode
check_value(const Walk *walk, const Field *field, EcertSlice item)
{
	EcertCode	code;
	EcertCursor cursor;
	EcertCborHead head;

	switch (field->type)
	{
		case TYPE_TEXT:
		case TYPE_ID:
		case TYPE_CHOICE:
		case TYPE_HASH:
		case TYPE_PUBLIC_KEY:
		case TYPE_SIGNATURE:
			code = check_text(field, item);
			break;
		case TYPE_COUNT:
		case TYPE_POSITIVE:
		case TYPE_ALG:
		case TYPE_TIME:
			code = check_integer(field->type, item);
			break;
		case TYPE_RESULT:
			head = head_of(item, &cursor);
			if (head.type == ECERT_CBOR_SIMPLE && head.value == ECERT_CBOR_NULL)
				return ECERT_OK;
			/* FALLTHROUGH */
		case TYPE_NUMBER:
		case TYPE_AMOUNT:
		case TYPE_QUANTITY:
			code = check_number(field->type, item);
			break;
		case TYPE_FINDING:
			head = head_of(item, &cursor);
			code = head.type == ECERT_CBOR_SIMPLE ? ECERT_OK : ECERT_BODY_TYPE;
			break;
		case TYPE_PERIOD:
			code = check_period(item);
			break;
		case TYPE_FEED:
			code = check_feed(item);
			break;
		case TYPE_SERIES:
			return check_series(walk, item);
		case TYPE_MAP:
			return check_map(walk, field->shape, item, field->path, false);
		default:
			return ECERT_OK;
	}
	return code == ECERT_OK ? code : refuse(walk, code, item, field->path);
}

static EcertCode
check_list(const Walk *walk, const Field *field, EcertSlice item)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);

	if (head.type != ECERT_CBOR_ARRAY)
		return refuse(walk, ECERT_BODY_TYPE, item, field->path);
	if (head.value == 0 && (field->flags & MAY_BE_EMPTY) == 0)
		return refuse(walk, ECERT_BODY_VALUE, item, field->path);
	for (uint64_t i = head.value; i > 0; i--)
	{
		EcertCode	code = check_value(walk, field, ecert_cbor_skip(&cursor));

		if (code != ECERT_OK)
			return code;
	}
	return ECERT_OK;
}

/* The shape's field of that name; its number goes to *index */
static const Field *
find_field(const Shape *shape, EcertSlice name, size_t *index)
{
	for (size_t i = 0; i < shape->count; i++)
	{
		if (ecert_slice_equal(name, ecert_slice_text(field_name(&shape->fields[i]))))
		{
			*index = i;
			return &shape->fields[i];
		}
	}
	return NULL;
}

/* What is free may hold anything but integers over 64 bits with sign, which no number here can be */
static EcertCode
check_free(const Walk *walk, EcertSlice item)
{
	EcertCursor cursor = ecert_cursor(item);
	EcertCborHead head;

	while (cursor.offset < item.size && ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK)
	{
		if (head.type <= ECERT_CBOR_NINT && head.value > INT64_MAX)
			return refuse(walk, ECERT_BODY_VALUE, ecert_slice(item.data + head.offset, 1), "ext");
		if (head.type == ECERT_CBOR_BYTES || head.type == ECERT_CBOR_TEXT)
			(void) ecert_cbor_content(&cursor, &head);
	}
	return ECERT_OK;
}

/* Every field of the map is known and right, and every required one is there */
static EcertCode
check_map(const Walk *walk, const Shape *shape, EcertSlice map, const char *path, bool top)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(map, &cursor);
	uint32_t	seen = 0;

	if (head.type != ECERT_CBOR_MAP)
		return refuse(walk, ECERT_BODY_TYPE, map, path);
	for (uint64_t i = head.value; i > 0; i--)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);
		EcertSlice	value = ecert_cbor_skip(&cursor);
		EcertSlice	name = {NULL, 0};
		size_t		index = 0;
		const Field *field;
		EcertCode	code;

		(void) ecert_cbor_text(key, &name);
		field = find_field(shape, name, &index);
		if (field == NULL && top && ecert_slice_equal(name, ecert_slice_text("ext")))
		{
			if ((code = check_free(walk, value)) != ECERT_OK)
				return code;
			continue;
		}
		if (field == NULL)
			return refuse(walk, ECERT_BODY_UNKNOWN, key, path);
		seen |= UINT32_C(1) << index;
		code = (field->flags & LIST) ? check_list(walk, field, value) : check_value(walk, field, value);
		if (code != ECERT_OK)
			return code;
	}
	for (size_t i = 0; i < shape->count; i++)
	{
		if ((shape->fields[i].flags & REQUIRED) && (seen & (UINT32_C(1) << i)) == 0)
			return refuse(walk, ECERT_BODY_MISSING, map, shape->fields[i].path);
	}
	return ECERT_OK;
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

/* A line has a quantity or a series that fills the period, not both */
static EcertCode
check_energy_line(const Walk *walk, EcertSlice item, EcertPeriod period)
{
	EcertSlice	part;
	EcertSeries series;
	EcertDecimal sum;
	bool		has_quantity = ecert_cbor_find(item, "quantity", &part);

	if (!ecert_cbor_find(item, "series", &part))
		return has_quantity ? ECERT_OK : refuse(walk, ECERT_BODY_MISSING, item, "lines.quantity");
	if (has_quantity)
		return refuse(walk, ECERT_BODY_UNKNOWN, part, "lines.series");
	ecert_series_open(part, &series);
	if (series.step > period.end - period.start ||
		(uint64_t) (period.end - period.start) / (uint64_t) series.step != series.count ||
		(period.end - period.start) % series.step != 0)
		return refuse(walk, ECERT_BODY_VALUE, part, "lines.series.values");
	if (series_sum(part, &sum) != ECERT_OK || !within_limit(TYPE_QUANTITY, sum))
		return refuse(walk, ECERT_BODY_VALUE, part, "lines.series.values");
	return ECERT_OK;
}

/* Of what was produced, at most all is qualified */
static EcertCode
check_product_line(const Walk *walk, EcertSlice item)
{
	EcertSlice	output_item,
				qualified_item;
	EcertDecimal output,
				qualified;

	if (!ecert_cbor_find(item, "output", &output_item) ||
		!ecert_cbor_find(item, "qualified", &qualified_item) ||
		ecert_decimal_read(output_item, &output) != ECERT_OK ||
		ecert_decimal_read(qualified_item, &qualified) != ECERT_OK)
		return refuse(walk, ECERT_BODY_TYPE, item, "lines");
	if (output.mantissa > 0 && ecert_decimal_compare(qualified, output) > 0)
		return refuse(walk, ECERT_BODY_VALUE, qualified_item, "lines.qualified");
	return ECERT_OK;
}

/* What the tables cannot say about lines */
static EcertCode
check_lines(const Walk *walk, EcertKind kind, EcertSlice body)
{
	EcertPeriod period = {0, 0};
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);

	(void) ecert_body_period(body, &period);
	while (count-- > 0)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		EcertCode	code = kind == ECERT_KIND_ENERGY ?
			check_energy_line(walk, item, period) : check_product_line(walk, item);

		if (code != ECERT_OK)
			return code;
	}
	return ECERT_OK;
}

EcertCode
ecert_body_check(EcertKind kind, EcertSlice body, EcertError *error)
{
	Walk		walk = {body.data, error};
	EcertCode	code = check_map(&walk, kind_shapes[kind], body, "body", true);

	if (code == ECERT_OK && (kind == ECERT_KIND_ENERGY || kind == ECERT_KIND_PRODUCT))
		code = check_lines(&walk, kind, body);
	return code;
}

bool
ecert_body_period(EcertSlice body, EcertPeriod *period)
{
	EcertSlice	item;

	return ecert_cbor_find(body, "period", &item) && check_period(item) == ECERT_OK &&
		read_period(item, period);
}

static int
hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
ecert_hex_to_hash(EcertSlice hex, uint8_t *hash)
{
	if (hex.size != 2 * ECERT_HASH_SIZE)
		return false;
	for (size_t i = 0; i < ECERT_HASH_SIZE; i++)
	{
		int			high = hex_digit(hex.data[2 * i]);
		int			low = hex_digit(hex.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash[i] = (uint8_t) (high << 4 | low);
	}
	return true;
}

bool
ecert_body_replaces(EcertSlice body, uint8_t *hash)
{
	EcertSlice	item,
				text;

	return ecert_cbor_find(body, "replaces", &item) && ecert_cbor_text(item, &text) &&
		ecert_hex_to_hash(text, hash);
}

EcertCursor
ecert_body_lines(EcertSlice body, uint64_t *count)
{
	return ecert_cbor_items_at(body, "lines", count);
}

static EcertCode
decimal_field(EcertSlice map, const char *name, EcertDecimal *decimal)
{
	EcertSlice	item;

	return ecert_cbor_find(map, name, &item) ? ecert_decimal_read(item, decimal) : ECERT_BODY_MISSING;
}

/* Inlined with a constant name, so that its length is one too */
static inline bool
is_key(EcertSlice key, const char *name)
{
	return key.size == strlen(name) && memcmp(key.data, name, key.size) == 0;
}

EcertCode
ecert_energy_line_quantity(EcertSlice item, EcertDecimal *quantity)
{
	EcertSlice	series;

	return ecert_cbor_find(item, "series", &series) ? series_sum(series, quantity) : decimal_field(item, "quantity", quantity);
}

EcertCode
ecert_energy_line_read(EcertSlice item, EcertEnergyLine *line)
{
	EcertCursor cursor;
	EcertCborHead head = head_of(item, &cursor);
	EcertSlice	quantity = {NULL, 0};

	memset(line, 0, sizeof *line);
	if (head.type != ECERT_CBOR_MAP)
		return ECERT_BODY_TYPE;
	for (uint64_t i = head.value; i > 0 && cursor.offset < item.size; i--)
	{
		EcertSlice	key = {NULL, 0};
		EcertSlice	value;

		(void) ecert_cbor_text(ecert_cbor_skip(&cursor), &key);
		value = ecert_cbor_skip(&cursor);
		if (is_key(key, "unit"))
			(void) ecert_cbor_text(value, &line->unit);
		else if (is_key(key, "source"))
			(void) ecert_cbor_text(value, &line->source);
		else if (is_key(key, "product"))
			(void) ecert_cbor_text(value, &line->product);
		else if (is_key(key, "quantity"))
			quantity = value;
		else if (is_key(key, "series"))
			line->series = value;
		else if (is_key(key, "supplier"))
			(void) ecert_cbor_text(value, &line->supplier);
		else if (is_key(key, "meter"))
			(void) ecert_cbor_text(value, &line->meter);
	}
	line->has_series = line->series.size > 0;
	if (line->has_series)
		return series_sum(line->series, &line->quantity);
	return quantity.size > 0 ? ecert_decimal_read(quantity, &line->quantity) : ECERT_BODY_MISSING;
}

EcertCode
ecert_energy_line_next(EcertCursor *cursor, EcertEnergyLine *line)
{
	return ecert_energy_line_read(ecert_cbor_skip(cursor), line);
}

EcertCode
ecert_product_line_next(EcertCursor *cursor, EcertProductLine *line)
{
	EcertSlice	item = ecert_cbor_skip(cursor);
	EcertCode	code;

	memset(line, 0, sizeof *line);
	line->product = ecert_cbor_text_at(item, "product");
	line->unit = ecert_cbor_text_at(item, "unit");
	line->currency = ecert_cbor_text_at(item, "currency");
	(void) ecert_cbor_find(item, "deliveries", &line->deliveries);
	if ((code = decimal_field(item, "output", &line->output)) != ECERT_OK ||
		(code = decimal_field(item, "qualified", &line->qualified)) != ECERT_OK)
		return code;
	code = decimal_field(item, "value", &line->value);
	line->has_value = code == ECERT_OK;
	return code == ECERT_BODY_MISSING ? ECERT_OK : code;
}

void
ecert_series_open(EcertSlice item, EcertSeries *series)
{
	EcertSlice	part;
	EcertCborHead head;
	int64_t		exponent = 0;

	memset(series, 0, sizeof *series);
	if (ecert_cbor_find(item, "step", &part))
		(void) ecert_cbor_int(part, &series->step);
	if (ecert_cbor_find(item, "exp", &part))
		(void) ecert_cbor_int(part, &exponent);
	/* of a body that nobody checked: no values rather than a number beyond every limit */
	if (exponent < ECERT_EXPONENT_MIN || exponent > ECERT_EXPONENT_MAX || !ecert_cbor_find(item, "values", &part))
		return;
	series->exponent = (int32_t) exponent;
	head = head_of(part, &series->values);
	if (head.type == ECERT_CBOR_ARRAY && head.value <= part.size)
		series->count = head.value;
}

int64_t
ecert_series_next(EcertSeries *series)
{
	int64_t		value = 0;

	(void) ecert_cbor_int(ecert_cbor_skip(&series->values), &value);
	return value;
}
