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
	TYPE_CHOICE_OR_LATER,		/* the same; behind the NULL of choices are those of later versions, up to another NULL */
	TYPE_COUNT,					/* integer >= 0 */
	TYPE_VALUE,					/* the same in a series, refused as a negative quantity, and summed up */
	TYPE_EXPONENT,				/* of a decimal: an integer within what that may be */
	TYPE_POSITIVE,				/* integer >= 1 */
	TYPE_ONE_OR_LATER,			/* 1; other numbers >= 0 are of later versions */
	TYPE_MONTH,					/* 1 .. 12 */
	TYPE_ALG,					/* COSE algorithm number that we know */
	TYPE_NUMBER,				/* integer or decimal */
	TYPE_AMOUNT,				/* number >= 0 */
	TYPE_SHARE,					/* number from 0 to 1 */
	TYPE_QUANTITY,				/* number >= 0, refused as a negative quantity */
	TYPE_RESULT,				/* number or null */
	TYPE_FINDING,				/* true, false, or null where the records do not tell */
	TYPE_BOOLEAN,				/* true or false */
	TYPE_TRUE,					/* true, which is left out where it is not so */
	TYPE_TIME,					/* seconds since 1970 UTC */
	TYPE_PERIOD,				/* [start, end], start < end */
	TYPE_PART,					/* [i, n], 1 <= i <= n */
	TYPE_OFFSET,				/* [from, seconds] of a calendar */
	TYPE_FEED,					/* [issuer, kind, seq] */
	TYPE_TEXTS,					/* a map of texts under ids */
	TYPE_RESERVED,				/* for a later version, whatever it says */
	TYPE_MAP					/* a map of shape */
} Type;

enum
{
	REQUIRED = 1,
	LIST = 2,					/* an array of the type */
	MAY_BE_EMPTY = 4,			/* of a list: no items are fine too */
	/* for later versions: the form is held to the schema, and then the body is refused as not supported yet */
	LATER = 8,					/* the field, whatever it says */
	EMPTY_LATER = 16,			/* of a list: no items */
	SEVERAL_LATER = 32,			/* of a list: more than one */
	ANY_LATER = 64				/* of a list: any item */
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
	const struct Variant *variants; /* or NULL; then it has no fields of its own */
} Shape;

/* A map has the shape that its field "of" chooses; the last one has no name, and is for what is none */
typedef struct Variant
{
	const char *of;
	const Shape *shape;
} Variant;

#define WHOLE_MAX 16

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
	EcertSlice	later;			/* the first thing that is right and not supported yet; of size 0: none */
	const char *later_path;
} BodyWalk;

/* The path and its last part, the field's name, measured when compiled: every field of every body is looked up */
#define PATH(before, name) before name, sizeof before - 1, sizeof name - 1
#define SHAPE(name, ...) SHAPE_OF(name, NULL, 32, __VA_ARGS__)
#define SHAPE_WITH(name, check, ...) SHAPE_OF(name, check, WHOLE_MAX, __VA_ARGS__)
#define SHAPE_OF(name, check, most, ...) \
	static const Field name##_fields[] = {__VA_ARGS__}; \
	_Static_assert(sizeof name##_fields / sizeof name##_fields[0] <= most, "places of every field"); \
	static const Shape name##_shape = {name##_fields, sizeof name##_fields / sizeof name##_fields[0], check, NULL}

/* What several maps have, each in its place */
#define SHAPE_OF_NAMES(name, path) \
	SHAPE(name, \
		{PATH(path, "en"), TYPE_TEXT, REQUIRED, NULL, NULL}, \
		{PATH(path, "zh"), TYPE_TEXT, REQUIRED, NULL, NULL})
#define SHAPE_OF_RANGE(name, path) \
	SHAPE(name, \
		{PATH(path, "hash"), TYPE_HASH, REQUIRED, NULL, NULL}, \
		{PATH(path, "kind"), TYPE_CHOICE, REQUIRED, NULL, kinds}, \
		{PATH(path, "last"), TYPE_COUNT, REQUIRED, NULL, NULL}, \
		{PATH(path, "first"), TYPE_COUNT, REQUIRED, NULL, NULL})
#define SHAPE_OF_DIGEST(name, path) \
	SHAPE(name, \
		{PATH(path, "count"), TYPE_COUNT, REQUIRED, NULL, NULL}, \
		{PATH(path, "digest"), TYPE_HASH, REQUIRED, NULL, NULL})

static EcertCode check_required_audit(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_attribution(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_baseline(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_energy_line(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_product_line(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_key(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_seal(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_audit(BodyWalk *walk, const EcertSlice *items, EcertSlice map);
static EcertCode check_stock(BodyWalk *walk, const EcertSlice *items, EcertSlice map);

static const char *const roles[] = {"certifier", "applicant", "auditor", NULL, "observer", "overseer", NULL};
static const char *const key_uses[] = {"package", "seal", "witness", NULL, "open", NULL};	/* as EcertKeyUse */
static const char *const audit_roles[] = {"upstream", "peer", "downstream", NULL};
static const char *const node_statuses[] = {"active", "revoked", NULL};
static const char *const certificate_statuses[] = {"active", "suspended", "withdrawn", NULL};
static const char *const verdicts[] = {"pass", "fail", "abstain", NULL};
static const char *const certificate_verdicts[] = {"pass", "fail", NULL, "pass_unconfirmed", NULL};
static const char *const figure_rows[] = {"product", "total", "completeness", NULL, "confirmed", NULL};
static const char *const exceptions[] = {
	"implausible_change", "new_product", "boundary_changed", "covered", "estimated", "baseline", "failed_peer_audit", NULL
};
static const char *const methods[] = {"product", "value", NULL};
static const char *const denominators[] = {"baseline", "reporting", NULL};
static const char *const electricity_values[] = {"calorific", "equivalent", NULL};
static const char *const attribution_rules[] = {"direct", NULL, "weighted", "value", "efficiency", NULL};
static const char *const baseline_rules[] = {"year_before", "years_before", "fixed", NULL, "named", NULL};
static const char *const calendar_units[] = {"day", "week", "month", "quarter", "year", NULL};
static const char *const point_types[] = {"meter", "account", "tank", "scale", NULL};
static const char *const kinds[] = {"energy", "product", NULL};
static const char *const figures_of[] = {"period", "year", NULL};
static const char *const directions[] = {"out", NULL};
static const char *const saving_signs[] = {"baseline_minus_reporting", NULL};

enum
{
	KEY_ALG, KEY_KID, KEY_USE, KEY_UNTIL, KEY_PUBLIC, KEY_EFFECTIVE
};

SHAPE_WITH(key, check_key,
	[KEY_ALG] = {PATH("keys.", "alg"), TYPE_ALG, REQUIRED, NULL, NULL},
	[KEY_KID] = {PATH("keys.", "kid"), TYPE_HASH, REQUIRED, NULL, NULL},
	[KEY_USE] = {PATH("keys.", "use"), TYPE_CHOICE_OR_LATER, REQUIRED, NULL, key_uses},
	[KEY_UNTIL] = {PATH("keys.", "until"), TYPE_TIME, 0, NULL, NULL},
	[KEY_PUBLIC] = {PATH("keys.", "public"), TYPE_HEX, REQUIRED, NULL, NULL},
	[KEY_EFFECTIVE] = {PATH("keys.", "effective"), TYPE_TIME, REQUIRED, NULL, NULL});

SHAPE_OF_NAMES(node_names, "names.");

SHAPE(node,
	{PATH("", "node"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "name"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "names"), TYPE_MAP, 0, &node_names_shape, NULL},
	{PATH("", "roles"), TYPE_CHOICE_OR_LATER, REQUIRED | LIST, NULL, roles},
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

SHAPE_OF_NAMES(coefficient_names, "coefficients.names.");

SHAPE(coefficient,
	{PATH("coefficients.", "kgce"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("coefficients.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("coefficients.", "kgco2"), TYPE_AMOUNT, 0, NULL, NULL},
	{PATH("coefficients.", "names"), TYPE_MAP, 0, &coefficient_names_shape, NULL},
	{PATH("coefficients.", "source"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("coefficients.", "edition"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("coefficients.", "citation"), TYPE_TEXT, 0, NULL, NULL});

SHAPE(unit,
	{PATH("units.", "base"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("units.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("units.", "factor"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

SHAPE(calendar,
	{PATH("calendar.", "pack"), TYPE_CHOICE, REQUIRED, NULL, calendar_units},
	{PATH("calendar.", "zone"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("calendar.", "offsets"), TYPE_OFFSET, REQUIRED | LIST, NULL, NULL},
	{PATH("calendar.", "statistics"), TYPE_CHOICE, REQUIRED, NULL, calendar_units},
	{PATH("calendar.", "year_start"), TYPE_MONTH, REQUIRED, NULL, NULL});

SHAPE(completeness_rule,
	{PATH("completeness.", "covered_min"), TYPE_SHARE, REQUIRED, NULL, NULL},
	{PATH("completeness.", "signed_within"), TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{PATH("completeness.", "estimated_max"), TYPE_SHARE, REQUIRED, NULL, NULL},
	{PATH("completeness.", "packing_deadline"), TYPE_POSITIVE, REQUIRED, NULL, NULL});

enum
{
	REQUIRED_AS, REQUIRED_ANY, REQUIRED_COUNT
};

SHAPE_WITH(required_audit, check_required_audit,
	[REQUIRED_AS] = {PATH("audit.required.", "as"), TYPE_CHOICE, 0, NULL, audit_roles},
	[REQUIRED_ANY] = {PATH("audit.required.", "any"), TYPE_CHOICE, LIST | LATER, NULL, audit_roles},
	[REQUIRED_COUNT] = {PATH("audit.required.", "count"), TYPE_POSITIVE, REQUIRED, NULL, NULL});

SHAPE(tolerance,
	{PATH("audit.", "tolerance"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

SHAPE(peer,
	{PATH("audit.peer.", "k"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("audit.peer.", "band"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("audit.peer.", "floor"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("audit.peer.", "minimum"), TYPE_COUNT, REQUIRED, NULL, NULL});

SHAPE(audit_rule,
	{PATH("audit.", "peer"), TYPE_MAP, REQUIRED, &peer_shape, NULL},
	{PATH("audit.", "required"), TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &required_audit_shape, NULL},
	{PATH("audit.", "upstream"), TYPE_MAP, REQUIRED, &tolerance_shape, NULL},
	{PATH("audit.", "audit_days"), TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{PATH("audit.", "downstream"), TYPE_MAP, REQUIRED, &tolerance_shape, NULL});

SHAPE(weight,
	{PATH("certificate.attribution.weights.", "weight"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("certificate.attribution.weights.", "product"), TYPE_ID, REQUIRED, NULL, NULL});

SHAPE(efficiency,
	{PATH("certificate.attribution.efficiencies.", "product"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("certificate.attribution.efficiencies.", "efficiency"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

enum
{
	ATTRIBUTION_RULE, ATTRIBUTION_WEIGHTS, ATTRIBUTION_EFFICIENCIES
};

SHAPE_WITH(attribution, check_attribution,
	[ATTRIBUTION_RULE] = {PATH("certificate.attribution.", "rule"), TYPE_CHOICE_OR_LATER, REQUIRED, NULL, attribution_rules},
	[ATTRIBUTION_WEIGHTS] = {PATH("certificate.attribution.", "weights"), TYPE_MAP, LIST, &weight_shape, NULL},
	[ATTRIBUTION_EFFICIENCIES] = {PATH("certificate.attribution.", "efficiencies"), TYPE_MAP, LIST, &efficiency_shape, NULL});

enum
{
	BASELINE_RULE, BASELINE_YEARS, BASELINE_PERIOD
};

SHAPE_WITH(baseline, check_baseline,
	[BASELINE_RULE] = {PATH("certificate.baseline.", "rule"), TYPE_CHOICE_OR_LATER, REQUIRED, NULL, baseline_rules},
	[BASELINE_YEARS] = {PATH("certificate.baseline.", "years"), TYPE_POSITIVE, 0, NULL, NULL},
	[BASELINE_PERIOD] = {PATH("certificate.baseline.", "period"), TYPE_PERIOD, 0, NULL, NULL});

SHAPE(confirmed_min,
	{PATH("certificate.confirmed_min.", "energy"), TYPE_SHARE, REQUIRED, NULL, NULL},
	{PATH("certificate.confirmed_min.", "output"), TYPE_SHARE, REQUIRED, NULL, NULL});

SHAPE(automatic,
	{PATH("certificate.automatic.", "on"), TYPE_BOOLEAN, REQUIRED, NULL, NULL},
	{PATH("certificate.automatic.", "days"), TYPE_POSITIVE, REQUIRED, NULL, NULL});

SHAPE_OF_NAMES(title, "certificate.title.");

SHAPE(certificate_rule,
	{PATH("certificate.", "title"), TYPE_MAP, 0, &title_shape, NULL},
	{PATH("certificate.", "strict"), TYPE_BOOLEAN, REQUIRED, NULL, NULL},
	{PATH("certificate.", "baseline"), TYPE_MAP, REQUIRED, &baseline_shape, NULL},
	{PATH("certificate.", "automatic"), TYPE_MAP, REQUIRED, &automatic_shape, NULL},
	{PATH("certificate.", "threshold"), TYPE_NUMBER, REQUIRED, NULL, NULL},
	{PATH("certificate.", "witnesses"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("certificate.", "valid_days"), TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{PATH("certificate.", "attribution"), TYPE_MAP, REQUIRED, &attribution_shape, NULL},
	{PATH("certificate.", "denominator"), TYPE_CHOICE, REQUIRED, NULL, denominators},
	{PATH("certificate.", "electricity"), TYPE_CHOICE, REQUIRED, NULL, electricity_values},
	{PATH("certificate.", "seal_within"), TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{PATH("certificate.", "confirmed_min"), TYPE_MAP, REQUIRED, &confirmed_min_shape, NULL});

SHAPE(reward_rule,
	{PATH("reward.", "peer"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("reward.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("reward.", "upstream"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("reward.", "downstream"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

SHAPE(deflator,
	{PATH("deflators.", "factor"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("deflators.", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("deflators.", "product"), TYPE_ID, 0, NULL, NULL},
	{PATH("deflators.", "currency"), TYPE_ID, REQUIRED, NULL, NULL});

SHAPE(limit,
	{PATH("limits.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("limits.", "quota"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("limits.", "product"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("limits.", "advanced"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

SHAPE(target,
	{PATH("targets.", "tce"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("targets.", "year"), TYPE_POSITIVE, REQUIRED, NULL, NULL},
	{PATH("targets.", "applicant"), TYPE_ID, REQUIRED, NULL, NULL});

SHAPE(policy,
	{PATH("", "co2"), TYPE_RESERVED, 0, NULL, NULL},
	{PATH("", "tsa"), TYPE_RESERVED, 0, NULL, NULL},
	{PATH("", "seal"), TYPE_RESERVED, 0, NULL, NULL},
	{PATH("", "audit"), TYPE_MAP, REQUIRED, &audit_rule_shape, NULL},
	{PATH("", "units"), TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &unit_shape, NULL},
	{PATH("", "limits"), TYPE_MAP, LIST | MAY_BE_EMPTY, &limit_shape, NULL},
	{PATH("", "reward"), TYPE_MAP, REQUIRED, &reward_rule_shape, NULL},
	{PATH("", "methods"), TYPE_RESERVED, 0, NULL, NULL},
	{PATH("", "secrecy"), TYPE_RESERVED, 0, NULL, NULL},
	{PATH("", "targets"), TYPE_MAP, LIST | MAY_BE_EMPTY, &target_shape, NULL},
	{PATH("", "calendar"), TYPE_MAP, REQUIRED, &calendar_shape, NULL},
	{PATH("", "deflators"), TYPE_MAP, LIST | MAY_BE_EMPTY | ANY_LATER, &deflator_shape, NULL},
	{PATH("", "algorithms"), TYPE_RESERVED, 0, NULL, NULL},
	{PATH("", "certificate"), TYPE_MAP, REQUIRED, &certificate_rule_shape, NULL},
	{PATH("", "coefficients"), TYPE_MAP, REQUIRED | LIST, &coefficient_shape, NULL},
	{PATH("", "completeness"), TYPE_MAP, REQUIRED, &completeness_rule_shape, NULL},
	{PATH("", "ncv_required"), TYPE_ID, LIST | MAY_BE_EMPTY | ANY_LATER, NULL, NULL});

SHAPE(register_entry,
	{PATH("points.", "to"), TYPE_TIME, 0, NULL, NULL},
	{PATH("points.", "from"), TYPE_TIME, REQUIRED, NULL, NULL},
	{PATH("points.", "type"), TYPE_CHOICE, REQUIRED, NULL, point_types},
	{PATH("points.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("points.", "class"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("points.", "maker"), TYPE_ID, 0, NULL, NULL},
	{PATH("points.", "point"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("points.", "public"), TYPE_HEX, 0, NULL, NULL},
	{PATH("points.", "serial"), TYPE_ID, 0, NULL, NULL},
	{PATH("points.", "source"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("points.", "product"), TYPE_ID, 0, NULL, NULL},
	{PATH("points.", "replaces"), TYPE_ID, 0, NULL, NULL},
	{PATH("points.", "calibration_due"), TYPE_TIME, 0, NULL, NULL});

SHAPE(point,
	{PATH("", "points"), TYPE_MAP, REQUIRED | LIST, &register_entry_shape, NULL});

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
	ENERGY_DIR, ENERGY_NCV, ENERGY_NOTE, ENERGY_UNIT, ENERGY_BUYER, ENERGY_POINT, ENERGY_SERIES, ENERGY_SOURCE, ENERGY_COVERED,
	ENERGY_PRODUCT, ENERGY_QUANTITY, ENERGY_READINGS, ENERGY_SUPPLIER, ENERGY_ESTIMATED, ENERGY_APPORTIONED
};

SHAPE_WITH(energy_line, check_energy_line,
	[ENERGY_DIR] = {PATH("lines.", "dir"), TYPE_CHOICE, LATER, NULL, directions},
	[ENERGY_NCV] = {PATH("lines.", "ncv"), TYPE_AMOUNT, LATER, NULL, NULL},
	[ENERGY_NOTE] = {PATH("lines.", "note"), TYPE_TEXT, 0, NULL, NULL},
	[ENERGY_UNIT] = {PATH("lines.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	[ENERGY_BUYER] = {PATH("lines.", "buyer"), TYPE_ID, 0, NULL, NULL},
	[ENERGY_POINT] = {PATH("lines.", "point"), TYPE_ID, 0, NULL, NULL},
	[ENERGY_SERIES] = {PATH("lines.", "series"), TYPE_MAP, 0, &series_shape, NULL},
	[ENERGY_SOURCE] = {PATH("lines.", "source"), TYPE_ID, REQUIRED, NULL, NULL},
	[ENERGY_COVERED] = {PATH("lines.", "covered"), TYPE_COUNT, 0, NULL, NULL},
	[ENERGY_PRODUCT] = {PATH("lines.", "product"), TYPE_ID, 0, NULL, NULL},
	[ENERGY_QUANTITY] = {PATH("lines.", "quantity"), TYPE_QUANTITY, 0, NULL, NULL},
	[ENERGY_READINGS] = {PATH("lines.", "readings"), TYPE_HASH, 0, NULL, NULL},
	[ENERGY_SUPPLIER] = {PATH("lines.", "supplier"), TYPE_ID, 0, NULL, NULL},
	[ENERGY_ESTIMATED] = {PATH("lines.", "estimated"), TYPE_TRUE, 0, NULL, NULL},
	[ENERGY_APPORTIONED] = {PATH("lines.", "apportioned"), TYPE_TRUE, 0, NULL, NULL});

enum
{
	STOCK_UNIT, STOCK_SOURCE, STOCK_CLOSING, STOCK_OPENING, STOCK_PRODUCT
};

SHAPE_WITH(stock, check_stock,
	[STOCK_UNIT] = {PATH("stock.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	[STOCK_SOURCE] = {PATH("stock.", "source"), TYPE_ID, 0, NULL, NULL},
	[STOCK_CLOSING] = {PATH("stock.", "closing"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	[STOCK_OPENING] = {PATH("stock.", "opening"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	[STOCK_PRODUCT] = {PATH("stock.", "product"), TYPE_ID, 0, NULL, NULL});

SHAPE(energy,
	{PATH("", "part"), TYPE_PART, LATER, NULL, NULL},
	{PATH("", "lines"), TYPE_MAP, REQUIRED | LIST | EMPTY_LATER, &energy_line_shape, NULL},
	{PATH("", "stock"), TYPE_MAP, LIST | LATER, &stock_shape, NULL},
	{PATH("", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "reason"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "replaces"), TYPE_HASH, LIST | SEVERAL_LATER, NULL, NULL});

enum
{
	PRODUCT_NOTE, PRODUCT_UNIT, PRODUCT_VALUE, PRODUCT_OUTPUT, PRODUCT_COVERED, PRODUCT_PRODUCT, PRODUCT_CURRENCY, PRODUCT_QUALIFIED
};

SHAPE_WITH(product_line, check_product_line,
	[PRODUCT_NOTE] = {PATH("lines.", "note"), TYPE_TEXT, 0, NULL, NULL},
	[PRODUCT_UNIT] = {PATH("lines.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	[PRODUCT_VALUE] = {PATH("lines.", "value"), TYPE_NUMBER, 0, NULL, NULL},
	[PRODUCT_OUTPUT] = {PATH("lines.", "output"), TYPE_NUMBER, REQUIRED, NULL, NULL},
	[PRODUCT_COVERED] = {PATH("lines.", "covered"), TYPE_COUNT, 0, NULL, NULL},
	[PRODUCT_PRODUCT] = {PATH("lines.", "product"), TYPE_ID, REQUIRED, NULL, NULL},
	[PRODUCT_CURRENCY] = {PATH("lines.", "currency"), TYPE_ID, 0, NULL, NULL},
	[PRODUCT_QUALIFIED] = {PATH("lines.", "qualified"), TYPE_NUMBER, REQUIRED, NULL, NULL});

SHAPE(delivery,
	{PATH("deliveries.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("deliveries.", "buyer"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("deliveries.", "value"), TYPE_AMOUNT, 0, NULL, NULL},
	{PATH("deliveries.", "product"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("deliveries.", "quantity"), TYPE_AMOUNT, REQUIRED, NULL, NULL});

SHAPE(product,
	{PATH("", "part"), TYPE_PART, LATER, NULL, NULL},
	{PATH("", "lines"), TYPE_MAP, REQUIRED | LIST | EMPTY_LATER, &product_line_shape, NULL},
	{PATH("", "stock"), TYPE_MAP, LIST | LATER, &stock_shape, NULL},
	{PATH("", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "reason"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "replaces"), TYPE_HASH, LIST | SEVERAL_LATER, NULL, NULL},
	{PATH("", "deliveries"), TYPE_MAP, LIST, &delivery_shape, NULL});

SHAPE_OF_RANGE(checked, "checked.");

SHAPE_OF_RANGE(saw, "saw.");

SHAPE(figure,
	{PATH("checks.figures.", "of"), TYPE_CHOICE, REQUIRED, NULL, figures_of},
	{PATH("checks.figures.", "found"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("checks.figures.", "declared"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("checks.figures.", "deviation"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("checks.figures.", "tolerance"), TYPE_RESULT, REQUIRED, NULL, NULL});

SHAPE(check,
	{PATH("checks.", "ok"), TYPE_FINDING, REQUIRED, NULL, NULL},
	{PATH("checks.", "note"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("checks.", "unit"), TYPE_ID, 0, NULL, NULL},
	{PATH("checks.", "check"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("checks.", "point"), TYPE_ID, 0, NULL, NULL},
	{PATH("checks.", "source"), TYPE_ID, 0, NULL, NULL},
	{PATH("checks.", "figures"), TYPE_MAP, LIST, &figure_shape, NULL},
	{PATH("checks.", "product"), TYPE_ID, 0, NULL, NULL});

enum
{
	AUDIT_AS, AUDIT_SAW, AUDIT_CHECKS, AUDIT_PERIOD, AUDIT_POLICY, AUDIT_CHECKED, AUDIT_COMMENT, AUDIT_VERDICT, AUDIT_REPLACES, AUDIT_APPLICANT
};

SHAPE_WITH(audit, check_audit,
	[AUDIT_AS] = {PATH("", "as"), TYPE_CHOICE, REQUIRED, NULL, audit_roles},
	[AUDIT_SAW] = {PATH("", "saw"), TYPE_MAP, LIST, &saw_shape, NULL},
	[AUDIT_CHECKS] = {PATH("", "checks"), TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &check_shape, NULL},
	[AUDIT_PERIOD] = {PATH("", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	[AUDIT_POLICY] = {PATH("", "policy"), TYPE_HASH, REQUIRED, NULL, NULL},
	[AUDIT_CHECKED] = {PATH("", "checked"), TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY, &checked_shape, NULL},
	[AUDIT_COMMENT] = {PATH("", "comment"), TYPE_TEXT, 0, NULL, NULL},
	[AUDIT_VERDICT] = {PATH("", "verdict"), TYPE_CHOICE, REQUIRED, NULL, verdicts},
	[AUDIT_REPLACES] = {PATH("", "replaces"), TYPE_HASH, LATER, NULL, NULL},
	[AUDIT_APPLICANT] = {PATH("", "applicant"), TYPE_ID, REQUIRED, NULL, NULL});

/* A row of figures has the shape that its first field chooses */
#define FIGURE_OF {PATH("figures.", "of"), TYPE_CHOICE_OR_LATER, REQUIRED, NULL, figure_rows}

SHAPE(product_figure,
	FIGURE_OF,
	{PATH("figures.", "unit"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("figures.", "status"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("figures.", "product"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("figures.", "now_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "base_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "now_output"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "base_output"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "saving_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "saving_rate"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "now_unit_energy"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "base_unit_energy"), TYPE_RESULT, REQUIRED, NULL, NULL});

SHAPE(total_figure,
	FIGURE_OF,
	{PATH("figures.", "now_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "saving_tce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "saving_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "saving_rate"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "structure_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("figures.", "adjusted_base_kgce"), TYPE_RESULT, REQUIRED, NULL, NULL});

SHAPE(confirmed_figure,
	FIGURE_OF,
	{PATH("figures.", "now_energy"), TYPE_SHARE, REQUIRED, NULL, NULL},
	{PATH("figures.", "now_output"), TYPE_SHARE, REQUIRED, NULL, NULL},
	{PATH("figures.", "base_energy"), TYPE_SHARE, REQUIRED, NULL, NULL},
	{PATH("figures.", "base_output"), TYPE_SHARE, REQUIRED, NULL, NULL});

SHAPE(completeness_figure,
	FIGURE_OF,
	{PATH("figures.", "energy_packages"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("figures.", "product_packages"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("figures.", "base_energy_packages"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("figures.", "base_product_packages"), TYPE_COUNT, REQUIRED, NULL, NULL});

static const Variant figure_variants[] = {
	{"product", &product_figure_shape},
	{"total", &total_figure_shape},
	{"completeness", &completeness_figure_shape},
	{"confirmed", &confirmed_figure_shape},
	{NULL, &product_figure_shape}
};

static const Shape figures_shape = {NULL, 0, NULL, figure_variants};

SHAPE(conventions,
	{PATH("conventions.", "saving"), TYPE_CHOICE, REQUIRED, NULL, saving_signs},
	{PATH("conventions.", "denominator"), TYPE_CHOICE, REQUIRED, NULL, denominators},
	{PATH("conventions.", "electricity"), TYPE_TEXT, REQUIRED, NULL, NULL});

SHAPE(method,
	{PATH("method.", "name"), TYPE_CHOICE, REQUIRED, NULL, methods});

SHAPE_OF_NAMES(issuer_names, "issuer_names.");

SHAPE_OF_NAMES(certificate_title, "title.");

SHAPE(exception,
	{PATH("exceptions.", "reason"), TYPE_TEXT, REQUIRED, NULL, NULL},
	{PATH("exceptions.", "accepts"), TYPE_CHOICE, REQUIRED, NULL, exceptions},
	{PATH("exceptions.", "product"), TYPE_ID, 0, NULL, NULL});

SHAPE_OF_DIGEST(packages, "packages.");

SHAPE_OF_DIGEST(audits, "audits.");

SHAPE(certificate,
	{PATH("", "name"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "rate"), TYPE_RESULT, REQUIRED, NULL, NULL},
	{PATH("", "site"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "names"), TYPE_MAP, 0, &node_names_shape, NULL},
	{PATH("", "title"), TYPE_MAP, 0, &certificate_title_shape, NULL},
	{PATH("", "valid"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "audits"), TYPE_MAP, REQUIRED, &audits_shape, NULL},
	{PATH("", "method"), TYPE_MAP, REQUIRED, &method_shape, NULL},
	{PATH("", "number"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "period"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "policy"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "figures"), TYPE_MAP, REQUIRED | LIST, &figures_shape, NULL},
	{PATH("", "verdict"), TYPE_CHOICE_OR_LATER, REQUIRED, NULL, certificate_verdicts},
	{PATH("", "baseline"), TYPE_PERIOD, REQUIRED, NULL, NULL},
	{PATH("", "calendar"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "packages"), TYPE_MAP, REQUIRED, &packages_shape, NULL},
	{PATH("", "replaces"), TYPE_HASH, 0, NULL, NULL},
	{PATH("", "applicant"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "safe_rate"), TYPE_RESULT, LATER, NULL, NULL},
	{PATH("", "threshold"), TYPE_NUMBER, REQUIRED, NULL, NULL},
	{PATH("", "checkpoint"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "exceptions"), TYPE_MAP, REQUIRED | LIST | MAY_BE_EMPTY | ANY_LATER, &exception_shape, NULL},
	{PATH("", "conventions"), TYPE_MAP, REQUIRED, &conventions_shape, NULL},
	{PATH("", "issuer_name"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "issuer_names"), TYPE_MAP, 0, &issuer_names_shape, NULL},
	{PATH("", "baseline_replaced"), TYPE_HASH, REQUIRED | LIST | MAY_BE_EMPTY, NULL, NULL});

SHAPE(status,
	{PATH("", "certificate"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "status"), TYPE_CHOICE, REQUIRED, NULL, certificate_statuses},
	{PATH("", "reason"), TYPE_TEXT, REQUIRED, NULL, NULL},
	{PATH("", "replaced_by"), TYPE_HASH, 0, NULL, NULL},
	{PATH("", "checkpoint"), TYPE_HASH, REQUIRED, NULL, NULL});

SHAPE(reward,
	{PATH("", "audit"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "auditor"), TYPE_ID, REQUIRED, NULL, NULL},
	{PATH("", "amount"), TYPE_AMOUNT, REQUIRED, NULL, NULL},
	{PATH("", "checkpoint"), TYPE_HASH, REQUIRED, NULL, NULL});

enum
{
	SEAL_ALG, SEAL_KID, SEAL_SIGNATURE
};

SHAPE_WITH(seal, check_seal,
	[SEAL_ALG] = {PATH("seals.", "alg"), TYPE_ALG, REQUIRED, NULL, NULL},
	[SEAL_KID] = {PATH("seals.", "kid"), TYPE_HASH, REQUIRED, NULL, NULL},
	[SEAL_SIGNATURE] = {PATH("seals.", "signature"), TYPE_HEX, REQUIRED, NULL, NULL});

SHAPE(checkpoint,
	{PATH("", "note"), TYPE_TEXT, 0, NULL, NULL},
	{PATH("", "part"), TYPE_PART, 0, NULL, NULL},
	{PATH("", "root"), TYPE_HASH, REQUIRED, NULL, NULL},
	{PATH("", "size"), TYPE_COUNT, REQUIRED, NULL, NULL},
	{PATH("", "tree"), TYPE_ONE_OR_LATER, REQUIRED, NULL, NULL},
	{PATH("", "heads"), TYPE_FEED, REQUIRED | LIST, NULL, NULL},
	{PATH("", "seals"), TYPE_MAP, REQUIRED | LIST, &seal_shape, NULL});

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

/* What is right and not supported yet: the first of it is told of when all the rest has turned out right too */
static void
note_later(BodyWalk *walk, EcertSlice item, const char *path)
{
	if (walk->later.size > 0)
		return;
	walk->later = item;
	walk->later_path = path;
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

/* The choice that comes next is one; the list begins anew behind its NULL */
static bool
is_choice(EcertSlice text, const char *const **choices)
{
	bool		found = false;

	for (; **choices != NULL; ++*choices)
		found = found || ecert_slice_equal(text, ecert_slice_text(**choices));
	++*choices;
	return found;
}

static EcertCode
check_text(const Field *field, EcertCursor *cursor)
{
	const char *const *choices = field->choices;
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
			return is_choice(text, &choices) ? ECERT_OK : ECERT_BODY_VALUE;
		case TYPE_CHOICE_OR_LATER:
			if (is_choice(text, &choices))
				return ECERT_OK;
			return is_choice(text, &choices) ? ECERT_RESERVED_FIELD : ECERT_BODY_VALUE;
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
	if (type == TYPE_ONE_OR_LATER && value > 1)
		return ECERT_RESERVED_FIELD;
	if (value < (type == TYPE_POSITIVE || type == TYPE_ONE_OR_LATER || type == TYPE_MONTH ? 1 : 0) || (type == TYPE_MONTH && value > 12))
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
	int			least = type == TYPE_RESULT ? 1 : 0;

	if (decimal.exponent <= 0 && decimal.mantissa <= INT64_C(1000000000000000) && decimal.mantissa >= -INT64_C(1000000000000000))
		return true;
	return ecert_decimal_compare(limit, decimal) >= least && ecert_decimal_compare(decimal, negative) >= least;
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
	if (type == TYPE_SHARE && ecert_decimal_compare(decimal, (EcertDecimal) {1, 0}) > 0)
		return ECERT_BODY_VALUE;
	if (decimal.mantissa >= 0 || type == TYPE_NUMBER || type == TYPE_RESULT)
		return ECERT_OK;
	return type == TYPE_QUANTITY ? ECERT_BODY_NEGATIVE : ECERT_BODY_VALUE;
}

/* Two integers */
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

/* [i, n] */
static EcertCode
check_part(EcertSlice item)
{
	EcertPeriod numbers;

	if (!read_period(item, &numbers))
		return ECERT_BODY_TYPE;
	return numbers.start >= 1 && numbers.start <= numbers.end ? ECERT_OK : ECERT_BODY_VALUE;
}

/* [from, seconds]: a time, and how far a zone's clocks are ahead of UTC from then on; less than a day */
static EcertCode
check_offset(EcertSlice item)
{
	EcertPeriod numbers;

	if (!read_period(item, &numbers))
		return ECERT_BODY_TYPE;
	return numbers.start >= 0 && numbers.start <= ECERT_TIME_MAX && numbers.end > -86400 && numbers.end < 86400 ?
		ECERT_OK : ECERT_BODY_VALUE;
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
		case TYPE_ONE_OR_LATER:
		case TYPE_MONTH:
		case TYPE_ALG:
		case TYPE_TIME:
			return check_integer(field->type, cursor);
		case TYPE_EXPONENT:
		case TYPE_NUMBER:
		case TYPE_AMOUNT:
		case TYPE_SHARE:
		case TYPE_QUANTITY:
			return check_number(field->type, cursor);
		case TYPE_RESULT:
			return check_result(cursor);
		case TYPE_FINDING:
			return ecert_cbor_head(cursor, &head, NULL) == ECERT_OK && head.type == ECERT_CBOR_SIMPLE ? ECERT_OK : ECERT_BODY_TYPE;
		case TYPE_BOOLEAN:
		case TYPE_TRUE:
			if (ecert_cbor_head(cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_SIMPLE || head.value == ECERT_CBOR_NULL)
				return ECERT_BODY_TYPE;
			return head.value == ECERT_CBOR_TRUE || field->type == TYPE_BOOLEAN ? ECERT_OK : ECERT_BODY_VALUE;
		case TYPE_PERIOD:
			return check_period(ecert_cbor_skip(cursor), &period);
		case TYPE_OFFSET:
			return check_offset(ecert_cbor_skip(cursor));
		case TYPE_PART:
			return check_part(ecert_cbor_skip(cursor));
		case TYPE_FEED:
			return check_feed(ecert_cbor_skip(cursor));
		case TYPE_TEXTS:
			return check_texts(ecert_cbor_skip(cursor));
		default:
			return check_text(field, cursor);
	}
}

static EcertCode check_map(BodyWalk *walk, const Shape *shape, EcertCursor *cursor, const char *path);

/* One value, not a list; everything is walked through at once, nothing passed over first */
static EcertCode
check_value(BodyWalk *walk, const Field *field, EcertCursor *cursor)
{
	EcertSlice	item = next_byte(cursor);
	EcertCode	code;

	if (field->type == TYPE_MAP)
		return check_map(walk, field->shape, cursor, field->path);
	code = check_scalar(field, cursor);
	if (code != ECERT_RESERVED_FIELD)
		return code == ECERT_OK ? code : refuse(walk, code, item, field->path);
	note_later(walk, item, field->path);
	return ECERT_OK;
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
	if (head.value == 0 && (field->flags & (MAY_BE_EMPTY | EMPTY_LATER)) == 0)
		return refuse(walk, ECERT_BODY_VALUE, item, field->path);
	if ((head.value == 0 && (field->flags & EMPTY_LATER)) || (head.value > 1 && (field->flags & SEVERAL_LATER)) ||
		(head.value > 0 && (field->flags & ANY_LATER)))
		note_later(walk, item, field->path);
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
check_pair(BodyWalk *walk, const Shape *shape, EcertCursor *cursor, const char *path, size_t *index, EcertSlice *items)
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
		return refuse_unknown(walk, key, name, path);
	if (field->type == TYPE_RESERVED)
		return refuse(walk, ECERT_RESERVED_FIELD, key, field->path);
	start = cursor->offset;
	if (field->flags & LATER)
		note_later(walk, next_byte(cursor), field->path);
	code = (field->flags & LIST) ? check_list(walk, field, cursor) : check_value(walk, field, cursor);
	if (shape->check_whole != NULL)
		items[*index] = ecert_slice(cursor->bytes.data + start, cursor->offset - start);
	return code;
}

/* The shape that a map's field "of" chooses; NULL when it has none */
static const Shape *
choose_shape(const Shape *shape, EcertSlice map)
{
	const Variant *variant = shape->variants;
	EcertSlice	item;
	EcertSlice	of = {NULL, 0};

	if (!ecert_cbor_find(map, "of", &item))
		return NULL;
	(void) ecert_cbor_text(item, &of);
	while (variant->of != NULL && !ecert_slice_equal(of, ecert_slice_text(variant->of)))
		variant++;
	return variant->shape;
}

/* Every field of the map is known and right, and every required one is there */
static EcertCode
check_map(BodyWalk *walk, const Shape *shape, EcertCursor *cursor, const char *path)
{
	EcertSlice	map = next_byte(cursor);
	EcertCborHead head = {ECERT_CBOR_SIMPLE, 0, 0};
	EcertSlice	items[WHOLE_MAX];
	uint32_t	seen = 0;
	size_t		index = 0;

	(void) ecert_cbor_head(cursor, &head, NULL);
	if (head.type != ECERT_CBOR_MAP)
		return refuse(walk, ECERT_BODY_TYPE, map, path);
	if (shape->variants != NULL)
	{
		const Shape *chosen = choose_shape(shape, ecert_slice(map.data, cursor->bytes.size - head.offset));

		/* the field that chooses is the first of each */
		if (chosen == NULL)
			return refuse(walk, ECERT_BODY_MISSING, map, shape->variants->shape->fields->path);
		shape = chosen;
	}
	if (shape->check_whole != NULL)
		memset(items, 0, sizeof items);
	for (uint64_t i = head.value; i > 0; i--, index++)
	{
		EcertCode	code = check_pair(walk, shape, cursor, path, &index, items);

		if (code != ECERT_OK)
			return code;
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

/* A map has one field or the other, not both */
static EcertCode
check_either(BodyWalk *walk, EcertSlice one, EcertSlice other, EcertSlice map, const char *path, const char *other_path)
{
	if (one.size == 0 && other.size == 0)
		return refuse(walk, ECERT_BODY_MISSING, map, path);
	return one.size > 0 && other.size > 0 ? refuse(walk, ECERT_BODY_UNKNOWN, other, other_path) : ECERT_OK;
}

/* So many audits in one role, or in any of some */
static EcertCode
check_required_audit(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	return check_either(walk, items[REQUIRED_AS], items[REQUIRED_ANY], map, "audit.required.as", "audit.required.any");
}

/* A field goes with one choice of a rule and no other */
static EcertCode
check_goes_with(BodyWalk *walk, EcertSlice choice, const char *wanted, EcertSlice item, EcertSlice map, const char *path)
{
	EcertSlice	text;
	bool		is_wanted = ecert_cbor_text(choice, &text) && ecert_slice_equal(text, ecert_slice_text(wanted));

	if (is_wanted && item.size == 0)
		return refuse(walk, ECERT_BODY_MISSING, map, path);
	return !is_wanted && item.size > 0 ? refuse(walk, ECERT_BODY_UNKNOWN, item, path) : ECERT_OK;
}

/* The numbers that a rule of attribution goes by stand beside it */
static EcertCode
check_attribution(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	EcertCode	code = check_goes_with(walk, items[ATTRIBUTION_RULE], "weighted", items[ATTRIBUTION_WEIGHTS], map,
									   "certificate.attribution.weights");

	return code != ECERT_OK ? code : check_goes_with(walk, items[ATTRIBUTION_RULE], "efficiency", items[ATTRIBUTION_EFFICIENCIES], map,
													 "certificate.attribution.efficiencies");
}

/* So many years before, or one period for all */
static EcertCode
check_baseline(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	EcertCode	code = check_goes_with(walk, items[BASELINE_RULE], "years_before", items[BASELINE_YEARS], map,
									   "certificate.baseline.years");

	return code != ECERT_OK ? code : check_goes_with(walk, items[BASELINE_RULE], "fixed", items[BASELINE_PERIOD], map,
													 "certificate.baseline.period");
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

/* Where a line says how much of the period it covers, it is not more than all */
static EcertCode
check_covered(BodyWalk *walk, EcertSlice covered)
{
	int64_t		seconds = 0;

	if (covered.size == 0 || ecert_cbor_int(covered, &seconds) != ECERT_OK || !find_period(walk) ||
		seconds <= walk->period.end - walk->period.start)
		return ECERT_OK;
	return refuse(walk, ECERT_BODY_VALUE, covered, "lines.covered");
}

/* A line has a quantity or a series that fills the period, not both */
static EcertCode
check_energy_line(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	EcertSeries series;
	int64_t		length;

	if (items[ENERGY_SERIES].size == 0)
		return items[ENERGY_QUANTITY].size > 0 ? check_covered(walk, items[ENERGY_COVERED]) :
			refuse(walk, ECERT_BODY_MISSING, map, "lines.quantity");
	if (items[ENERGY_QUANTITY].size > 0)
		return refuse(walk, ECERT_BODY_UNKNOWN, items[ENERGY_SERIES], "lines.series");
	if (!find_period(walk))
		return ECERT_OK;
	length = walk->period.end - walk->period.start;
	ecert_series_open(items[ENERGY_SERIES], &series);
	if (series.step > length || (uint64_t) (length / series.step) != series.count || length % series.step != 0 ||
		!walk->sum_fits || !within_limit(TYPE_QUANTITY, (EcertDecimal) {walk->sum, series.exponent}))
		return refuse(walk, ECERT_BODY_VALUE, items[ENERGY_SERIES], "lines.series.values");
	return check_covered(walk, items[ENERGY_COVERED]);
}

EcertAlg
ecert_alg_read(EcertSlice item)
{
	EcertAlg	alg = ECERT_ALG_NONE;
	int64_t		number = 0;

	(void) ecert_cbor_int(item, &number);
	(void) ecert_alg_from_cose(number, &alg);
	return alg;
}

/* A field has the hex digits of so many bytes, as its algorithm has it; told of at the map where it is missing */
static EcertCode
check_hex_size(BodyWalk *walk, EcertSlice item, size_t size, EcertSlice map, const char *path)
{
	EcertSlice	hex = {NULL, 0};

	(void) ecert_cbor_text(item, &hex);
	return hex.size == 2 * size ? ECERT_OK : refuse(walk, ECERT_BODY_VALUE, item.size > 0 ? item : map, path);
}

static EcertCode
check_seal(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	return check_hex_size(walk, items[SEAL_SIGNATURE], ecert_signature_size(ecert_alg_read(items[SEAL_ALG])), map, "seals.signature");
}

static EcertCode
check_key(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	return check_hex_size(walk, items[KEY_PUBLIC], ecert_raw_key_size(ecert_alg_read(items[KEY_ALG])), map, "keys.public");
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
	return check_covered(walk, items[PRODUCT_COVERED]);
}

/* Only who abstains may have checked nothing */
static EcertCode
check_audit(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	EcertSlice	verdict;
	EcertCursor cursor;

	(void) map;
	if (head_of(items[AUDIT_CHECKED], &cursor).value > 0 ||
		(ecert_cbor_text(items[AUDIT_VERDICT], &verdict) && ecert_slice_equal(verdict, ecert_slice_text("abstain"))))
		return ECERT_OK;
	return refuse(walk, ECERT_BODY_VALUE, items[AUDIT_CHECKED], "checked");
}

/* A stock is of a source or of a product */
static EcertCode
check_stock(BodyWalk *walk, const EcertSlice *items, EcertSlice map)
{
	return check_either(walk, items[STOCK_SOURCE], items[STOCK_PRODUCT], map, "stock.source", "stock.product");
}

bool
ecert_key_use_from_name(EcertSlice name, EcertKeyUse *use)
{
	for (int i = 0; i < ECERT_USE_COUNT; i++)
	{
		if (ecert_slice_equal(name, ecert_slice_text(key_uses[i])))
		{
			*use = (EcertKeyUse) i;
			return true;
		}
	}
	return false;
}

const char *
ecert_key_use_name(EcertKeyUse use)
{
	return key_uses[use];
}

EcertCode
ecert_body_check(EcertKind kind, EcertSlice body, EcertError *error)
{
	BodyWalk	walk = {.body = body, .error = error};
	EcertCursor cursor = ecert_cursor(body);
	EcertCode	code;

	error->name[0] = '\0';
	code = check_map(&walk, kind_shapes[kind], &cursor, "body");
	return code == ECERT_OK && walk.later.size > 0 ? refuse(&walk, ECERT_RESERVED_FIELD, walk.later, walk.later_path) : code;
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
	EcertSlice	item = package->replaces_item;
	EcertSlice	text;
	EcertCursor cursor;

	if (item.size == 0)
		return false;
	/* a list in kinds of which one package may replace several */
	if (head_of(item, &cursor).type == ECERT_CBOR_ARRAY)
		item = cursor.offset < item.size ? ecert_cbor_skip(&cursor) : ecert_slice(NULL, 0);
	return ecert_cbor_text(item, &text) && ecert_hex_to_hash(text, hash);
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
	line->point = fields[ENERGY_POINT];
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
