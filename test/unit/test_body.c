/*
 * test_body.c
 *		Body schemas: for every map of every kind, each field left out, given
 *		values of every sort, and joined by an unknown one; then what joins
 *		several fields, and the readers.
 */
#include "check.h"
#include "bodies.h"

#include "core/body.h"

#define NO_FIELD SIZE_MAX

static uint8_t input[DIAG_MAX];
static uint8_t wanted[DIAG_MAX];

static EcertSlice
bytes_of(const char *text)
{
	return ecert_slice(input, diag_encode(text, input));
}

/* True when the notation's bytes stand at the offset, behind those of key unless that is NULL */
static bool
stands_at(EcertSlice bytes, size_t offset, const char *key, const char *notation)
{
	size_t		key_size = key == NULL ? 0 : diag_encode(key, wanted);
	size_t		size = key_size + diag_encode(notation, wanted + key_size);

	return offset >= key_size && offset - key_size <= bytes.size && size <= bytes.size - (offset - key_size) &&
		memcmp(bytes.data + offset - key_size, wanted, size) == 0;
}

typedef struct Outcome
{
	EcertCode	code;
	const char *field;			/* NULL when code is ECERT_OK */
	const char *key;			/* the refusal points at value behind key; value NULL: the first byte; empty: anywhere */
	const char *value;
} Outcome;

/* True when the body has that outcome; else what was found instead is printed */
static bool
has_outcome(EcertKind kind, const char *body, Outcome expected)
{
	EcertSlice	bytes = bytes_of(body);
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	found = ecert_body_check(kind, bytes, &error);
	bool		passed = found == expected.code && ecert_cbor_check_body(bytes, NULL) == ECERT_OK;

	if (expected.code != ECERT_OK)
		passed = passed && error.code == found && error.field != NULL && strcmp(error.field, expected.field) == 0 &&
			(expected.value == NULL ? error.offset == 0 : expected.value[0] == '\0' || stands_at(bytes, error.offset, expected.key, expected.value));
	if (!passed)
		printf("# expected \"%s\", %s; found \"%s\" at %zu, %s\n# body %.600s\n", ecert_error_text(expected.code),
			   expected.field == NULL ? "no field" : expected.field, ecert_error_text(found), error.offset,
			   error.field == NULL ? "no field" : error.field, body);
	return passed;
}

static void
check_outcome(EcertKind kind, const char *body, Outcome expected, const char *name)
{
	CHECK(has_outcome(kind, body, expected), "%s: %s: %s%s%s", ecert_kind_name(kind), name,
		  ecert_error_text(expected.code), expected.field == NULL ? "" : ", ", expected.field == NULL ? "" : expected.field);
}

static const Outcome fine = {ECERT_OK, NULL, NULL, NULL};

#define ID_50 "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"
#define ID_201 ID_50 ID_50 ID_50 ID_50 "i"
#define HEX_62 "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"

/* A value, and the sorts of fields (bodies.h) that take it or refuse it for more than its type */
typedef struct Candidate
{
	const char *value;
	const char *taken_by;
	const char *out_of_range_for;
	const char *negative_for;
	const char *not_tried_for;
} Candidate;

static const Candidate candidates[] = {
	{"''", "t", "ichksz", "", ""},
	{"'no such word'", "ti", "chksz", "", ""},
	{"'a\x01'", "t", "ichksz", "", ""},
	{"'a\xC2\x85'", "t", "ichksz", "", ""},
	{"'" ID_201 "'", "t", "ichksz", "", ""},
	{"'ab'", "tis", "chkz", "", ""},
	{"'abc'", "ti", "chksz", "", ""},
	{"'" HEX_62 "'", "tis", "chkz", "", ""},
	{"'" HEX_62 "f'", "ti", "chksz", "", ""},
	{"'" HEX_62 "ff'", "tihks", "cz", "", ""},
	{"'" HEX_62 "FF'", "ti", "chksz", "", ""},
	{"'" HEX_62 "fg'", "ti", "chksz", "", ""},
	{"'" HEX_62 "ff0'", "ti", "chksz", "", ""},
	{"'" HEX_62 "ff00'", "tis", "chkz", "", ""},
	{"'" HEX_62 HEX_62 "ffff'", "tisz", "chk", "", ""},
	{"'" HEX_62 HEX_62 "ffffff'", "tis", "chkz", "", ""},
	{"0", "naqrudvS", "pgmO", "", ""},
	{"1", "naqrupdvSmO", "g", "", ""},
	{"-1", "nr", "aupdgvSmO", "q", ""},
	{"-8", "nrg", "aupdvSmO", "q", ""},
	{"-19", "nrg", "aupdvSmO", "q", ""},
	{"-49", "nr", "aupdgvSmO", "q", ""},
	{"253402300799", "naqrupdO", "gvSm", "", ""},
	{"253402300800", "naqrupO", "dgvSm", "", ""},
	{"9223372036854775807", "rupO", "naqdgvSm", "", "n"},
	{"-9223372036854775808", "r", "naqupdgvSmO", "", ""},
	{"1.5", "naqr", "S", "", ""},
	{"0.000000000000000001", "naqrS", "", "", ""},
	{"-0.5", "nr", "aS", "q", ""},
	{"0.00", "naqrS", "", "", ""},
	{"null", "rf", "", "", ""},
	{"true", "fTb", "", "", ""},
	{"false", "fb", "T", "", ""},
	{"{}", "x", "", "", "M"},
	{"{'a': 1}", "", "", "", "M"},
	{"{'a': 'b', 'c': ''}", "x", "", "", "M"},
	{"{'': 'b'}", "", "x", "", "M"},
	{"[]", "EZX", "L1", "", ""},
	{"[7]", "", "", "", ""},
	{"[null]", "", "", "", ""},
	{"[7, 9]", "PN", "", "", "LE1ZX"},
	{"[0, 253402300799]", "P", "N", "", "LE1ZX"},
	{"[9, 9]", "N", "P", "", "LE1ZX"},
	{"[9, 7]", "", "PN", "", "LE1ZX"},
	{"[-1, 7]", "", "PN", "", "LE1ZX"},
	{"[0, 253402300800]", "", "PN", "", "LE1ZX"},
	{"[7, 9.5]", "", "", "", "LE1ZX"},
	{"[7, 9, 11]", "", "", "", "LE1ZX"},
	{"['7', '9']", "", "", "", "LE1ZX"},
};

static EcertCode
expected_code(char sort, const Candidate *candidate)
{
	if (strchr(candidate->taken_by, sort) != NULL)
		return ECERT_OK;
	if (strchr(candidate->out_of_range_for, sort) != NULL)
		return sort == 'g' ? ECERT_UNKNOWN_ALG : ECERT_BODY_VALUE;
	if (strchr(candidate->negative_for, sort) != NULL)
		return ECERT_BODY_NEGATIVE;
	return ECERT_BODY_TYPE;
}

/* Of a body in which all is right; where the map is of a field that is not supported yet, that is told of */
static Outcome
good_outcome(const BodyShape *shape)
{
	return later_path(shape) != NULL ? (Outcome) {ECERT_RESERVED_FIELD, later_path(shape), NULL, ""} : fine;
}

/* One field with every candidate, each with its code, path and place; the shape's other fields are good */
static void
check_field_values(const BodyShape *shape, size_t index)
{
	const BodyField *field = &shape->fields[index];
	char	   *path = diag_format("%s%s", shape->prefix, field->name);
	char	   *key = diag_format("'%s'", field->name);
	bool		list = strchr("LE1ZX", field->sort) != NULL;
	size_t		tried = 0;
	size_t		right = 0;

	for (size_t i = 0; i < COUNT(candidates); i++)
	{
		const Candidate *candidate = &candidates[i];
		EcertCode	code = expected_code(field->sort, candidate);
		Outcome		expected = {code, path, key, candidate->value};
		char	   *map,
				   *body;

		if (strchr(candidate->not_tried_for, field->sort) != NULL)
			continue;
		/* in a list it is the item that is wrong */
		if (list && candidate->value[0] == '[' && candidate->value[1] != ']')
		{
			expected.key = NULL;
			expected.value = strcmp(candidate->value, "[7]") == 0 ? "7" : "null";
		}
		map = body_map_text(shape, true, index, candidate->value);
		body = body_text(shape, map);
		tried++;
		if (code == ECERT_OK && ((field->required == LATER && field->sort != 'X') || field->sort == 'Z'))
			expected.code = ECERT_RESERVED_FIELD;
		if (code == ECERT_OK && field->sort == 'O' && strcmp(candidate->value, "1") != 0)
			expected.code = ECERT_RESERVED_FIELD;
		right += has_outcome(shape->kind, body, expected.code == ECERT_OK ? good_outcome(shape) : expected);
		free(body);
		free(map);
	}
	CHECK_INT(right, tried, "%s: %s: %zu values of every sort", ecert_kind_name(shape->kind), path, tried);
	free(key);
	free(path);
}

/* The field left out: missed when it is required */
static void
check_field_absent(const BodyShape *shape, size_t index)
{
	const BodyField *field = &shape->fields[index];
	char	   *path = diag_format("%s%s", shape->prefix, field->name);
	char	   *map = body_map_text(shape, true, index, NULL);
	char	   *body = body_text(shape, map);
	char	   *name = diag_format("%s left out", path);
	Outcome		missing = {ECERT_BODY_MISSING, path, NULL, map};

	check_outcome(shape->kind, body, field->required == true ? missing : good_outcome(shape), name);
	free(name);
	free(body);
	free(map);
	free(path);
}

/* The map with one more field */
static void
check_extra(const BodyShape *shape, const char *entry, Outcome expected)
{
	char	   *map = body_map_text(shape, true, NO_FIELD, NULL);
	char	   *longer = diag_format("{%s, %s", entry, map + 1);
	char	   *body = body_text(shape, longer);
	char	   *name = diag_format("%s with %s", shape->path, entry);

	check_outcome(shape->kind, body, expected, name);
	free(name);
	free(body);
	free(longer);
	free(map);
}

static void
test_shape(const BodyShape *shape)
{
	static const char *const known[] = {"lines", "period", "name", "status", "lines.source", "body"};
	char	   *map = body_map_text(shape, false, NO_FIELD, NULL);
	char	   *body = body_text(shape, map);

	check_outcome(shape->kind, body, good_outcome(shape), "required fields only");
	free(body);
	free(map);
	map = body_map_text(shape, true, NO_FIELD, NULL);
	body = body_text(shape, map);
	check_outcome(shape->kind, body, good_outcome(shape), "all fields");
	free(body);
	free(map);
	for (size_t i = 0; i < COUNT(shape->fields) && shape->fields[i].name != NULL; i++)
	{
		check_field_absent(shape, i);
		check_field_values(shape, i);
	}
	check_extra(shape, "'zz': 0", (Outcome) {ECERT_BODY_UNKNOWN, shape->path, NULL, "'zz'"});
	check_extra(shape, "'': 0", (Outcome) {ECERT_BODY_UNKNOWN, shape->path, NULL, "''"});
	check_extra(shape, "'Ext': 0", (Outcome) {ECERT_BODY_UNKNOWN, shape->path, NULL, "'Ext'"});
	check_extra(shape, "'ext': {'any': [1, 2.5, null, 'thing', {'deep': []}]}",
				(Outcome) {ECERT_BODY_UNKNOWN, shape->path, NULL, "'ext'"});
	/* fields that other maps have */
	for (size_t i = 0; i < COUNT(known); i++)
	{
		bool		own = false;
		char	   *entry = diag_format("'%s': 0", known[i]);
		char	   *key = diag_format("'%s'", known[i]);

		for (size_t k = 0; k < COUNT(shape->fields) && shape->fields[k].name != NULL; k++)
			own = own || strcmp(shape->fields[k].name, known[i]) == 0;
		if (!own)
			check_extra(shape, entry, (Outcome) {ECERT_BODY_UNKNOWN, shape->path, NULL, key});
		free(key);
		free(entry);
	}
}

static void
test_shapes(void)
{
	unsigned	kinds = 0;

	for (size_t i = 0; i < COUNT(body_shapes); i++)
	{
		test_shape(&body_shapes[i]);
		if (body_shapes[i].before[0] == '\0')
			kinds |= 1u << body_shapes[i].kind;
	}
	CHECK_INT(kinds, (1u << ECERT_KIND_COUNT) - 1, "every kind has been tried");
	check_outcome(ECERT_KIND_ENERGY, "{}", (Outcome) {ECERT_BODY_MISSING, "lines", NULL, "{}"}, "no fields");
}

/* A body that several fields, or the items of a list, decide about */
typedef struct Special
{
	const char *name;
	EcertKind	kind;
	const char *body;
	Outcome		expected;
} Special;

#define LINE(rest) "{'period': [0, 3600], 'lines': [{'source': 's', 'unit': 'u'" rest "}]}"
#define SERIES(map) LINE(", 'series': " map)
#define PRODUCT(output, qualified) \
	"{'period': [0, 3600], 'lines': [{'product': 'p', 'unit': 't', 'output': " output ", 'qualified': " qualified "}]}"
#define POLICY_OF(rest, required, more) "{" rest ", 'coefficients': [" COEFFICIENT "], 'units': [], 'audit': {'upstream': {'tolerance': 0}, " \
	"'downstream': {'tolerance': 0}, 'peer': " PEER_RULES ", 'audit_days': 1, " required "}, 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS more "}"
#define CERTIFIED(rules) POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'reward': " REWARDS ", 'certificate': {" CERTIFICATE_BUT ", " rules "}}"
#define CERTIFIED_BODY(figures, verdict, exceptions) "{'number': 'C-1', 'applicant': 'mill', 'period': [100, 200], 'baseline': [0, 100], " \
	"'method': {'name': 'product'}, 'calendar': 'UTC', 'rate': null, 'threshold': 0.05, 'valid': [200, 300], 'policy': " HASH_1 ", 'checkpoint': " HASH_2 ", " \
	"'baseline_replaced': [], 'conventions': " CONVENTIONS ", 'packages': " DIGEST ", 'audits': " DIGEST ", 'figures': " figures ", 'verdict': " verdict ", " \
	"'exceptions': " exceptions "}"
#define SERIES_VALUES "lines.series.values"
#define NODE_WITH(more) "{'node': 'n', 'roles': ['auditor'], 'status': 'active', 'effective': 0, 'keys': [" KEY "], " more "}"
#define KEY_OF(alg, public) "{'node': 'n', 'roles': ['auditor'], 'status': 'active', 'effective': 0, 'keys': [{'use': 'package', 'alg': " alg ", 'kid': " HASH_1 \
	", 'public': '" public "', 'effective': 0}]}"
#define KEY_32 HEX_62 "ff"
#define KEY_65 HEX_62 HEX_62 "ffffff"
#define CHECKPOINT_WITH(heads, seals) "{'size': 5, 'root': " HASH_1 ", 'tree': 1, 'seals': [" seals "], 'heads': " heads "}"
#define CHECKPOINT(heads) CHECKPOINT_WITH(heads, SEAL_OF_1)
#define SEAL_WITH(alg) "{'alg': " alg ", 'kid': " HASH_1 ", 'signature': " SEAL "}"
#define KEY_FOR(use) "{'node': 'n', 'roles': ['auditor'], 'status': 'active', 'effective': 0, 'keys': [{'use': " use ", 'alg': -19, 'kid': " HASH_1 \
	", 'public': " HASH_2 ", 'effective': 0}]}"
#define ROLES(roles) "{'node': 'n', 'roles': [" roles "], 'keys': [" KEY "], 'status': 'active', 'effective': 0}"

static const Special specials[] = {
	{"names in both languages", ECERT_KIND_NODE, NODE_WITH("'names': {'en': 'a', 'zh': 'b'}"), {ECERT_OK, NULL, NULL, NULL}},
	{"names in one language", ECERT_KIND_NODE, NODE_WITH("'names': {'en': 'a'}"), {ECERT_BODY_MISSING, "names.zh", "'names'", "{'en': 'a'}"}},
	{"names in a third language", ECERT_KIND_NODE, NODE_WITH("'names': {'de': 'c', 'en': 'a', 'zh': 'b'}"), {ECERT_BODY_UNKNOWN, "names", NULL, "'de'"}},
	{"Ed25519 key of 32 bytes", ECERT_KIND_NODE, KEY_OF("-19", KEY_32), {ECERT_OK, NULL, NULL, NULL}},
	{"the same under its old number", ECERT_KIND_NODE, KEY_OF("-8", KEY_32), {ECERT_OK, NULL, NULL, NULL}},
	{"Ed25519 key of 65 bytes", ECERT_KIND_NODE, KEY_OF("-19", KEY_65), {ECERT_BODY_VALUE, "keys.public", "'public'", "'" KEY_65 "'"}},
	{"ES256 key of 65 bytes", ECERT_KIND_NODE, KEY_OF("-9", KEY_65), {ECERT_OK, NULL, NULL, NULL}},
	{"the same under its old number", ECERT_KIND_NODE, KEY_OF("-7", KEY_65), {ECERT_OK, NULL, NULL, NULL}},
	{"ES256 key of 32 bytes", ECERT_KIND_NODE, KEY_OF("-9", KEY_32), {ECERT_BODY_VALUE, "keys.public", "'public'", "'" KEY_32 "'"}},
	{"SM2 key of 65 bytes", ECERT_KIND_NODE, KEY_OF("-65600", KEY_65), {ECERT_OK, NULL, NULL, NULL}},
	{"SM2 key of 32 bytes", ECERT_KIND_NODE, KEY_OF("-65600", KEY_32), {ECERT_BODY_VALUE, "keys.public", "'public'", "'" KEY_32 "'"}},
	{"quantity 1000000000000000", ECERT_KIND_ENERGY, LINE(", 'quantity': 1000000000000000"), {ECERT_OK, NULL, NULL, NULL}},
	{"quantity 1000000000000000.00", ECERT_KIND_ENERGY, LINE(", 'quantity': 1000000000000000.00"), {ECERT_OK, NULL, NULL, NULL}},
	{"quantity 1000000000000001", ECERT_KIND_ENERGY, LINE(", 'quantity': 1000000000000001"), {ECERT_BODY_VALUE, "lines.quantity", "'quantity'", "1000000000000001"}},
	{"quantity 1000000000000000.01", ECERT_KIND_ENERGY, LINE(", 'quantity': 1000000000000000.01"), {ECERT_BODY_VALUE, "lines.quantity", "'quantity'", "1000000000000000.01"}},
	{"output -1000000000000000", ECERT_KIND_PRODUCT, PRODUCT("-1000000000000000", "-1000000000000000"), {ECERT_OK, NULL, NULL, NULL}},
	{"output -1000000000000001", ECERT_KIND_PRODUCT, PRODUCT("-1000000000000001", "-1000000000000000"), {ECERT_BODY_VALUE, "lines.output", "'output'", "-1000000000000001"}},
	{"output -1000000000000000.001", ECERT_KIND_PRODUCT, PRODUCT("-1000000000000000.001", "-1000000000000000"), {ECERT_BODY_VALUE, "lines.output", "'output'", "-1000000000000000.001"}},
	{"neither quantity nor series", ECERT_KIND_ENERGY, LINE(""), {ECERT_BODY_MISSING, "lines.quantity", NULL, "{'source': 's', 'unit': 'u'}"}},
	{"quantity and series", ECERT_KIND_ENERGY, LINE(", 'quantity': 5, 'series': {'step': 3600, 'values': [5]}"),
	{ECERT_BODY_UNKNOWN, "lines.series", "'series'", "{'step': 3600, 'values': [5]}"}},
	{"series of one", ECERT_KIND_ENERGY, SERIES("{'step': 3600, 'values': [5]}"), {ECERT_OK, NULL, NULL, NULL}},
	{"series with exp 0", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': 0, 'values': [5, 0]}"), {ECERT_OK, NULL, NULL, NULL}},
	{"series with exp -18", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': -18, 'values': [5, 0]}"), {ECERT_OK, NULL, NULL, NULL}},
	{"series with exp 18", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': 18, 'values': [0, 0]}"), {ECERT_OK, NULL, NULL, NULL}},
	{"series with exp 19", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': 19, 'values': [5, 0]}"), {ECERT_BODY_VALUE, "lines.series.exp", "'exp'", "19"}},
	{"series with exp -19", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': -19, 'values': [5, 0]}"), {ECERT_BODY_VALUE, "lines.series.exp", "'exp'", "-19"}},
	{"series with a broken exp", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': 1.0, 'values': [5, 0]}"), {ECERT_BODY_VALUE, "lines.series.exp", "'exp'", "1.0"}},
	{"series with exp text", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': '1', 'values': [5, 0]}"), {ECERT_BODY_TYPE, "lines.series.exp", "'exp'", "'1'"}},
	{"series without step", ECERT_KIND_ENERGY, SERIES("{'values': [5]}"), {ECERT_BODY_MISSING, "lines.series.step", "'series'", "{'values': [5]}"}},
	{"series without values", ECERT_KIND_ENERGY, SERIES("{'step': 3600}"), {ECERT_BODY_MISSING, SERIES_VALUES, "'series'", "{'step': 3600}"}},
	{"series with start", ECERT_KIND_ENERGY, SERIES("{'start': 0, 'step': 3600, 'values': [5]}"), {ECERT_BODY_UNKNOWN, "lines.series", NULL, "'start'"}},
	{"series an array", ECERT_KIND_ENERGY, SERIES("[5]"), {ECERT_BODY_TYPE, "lines.series", "'series'", "[5]"}},
	{"series null", ECERT_KIND_ENERGY, SERIES("null"), {ECERT_BODY_TYPE, "lines.series", "'series'", "null"}},
	{"step 0", ECERT_KIND_ENERGY, SERIES("{'step': 0, 'values': [5]}"), {ECERT_BODY_VALUE, "lines.series.step", "'step'", "0"}},
	{"step -60", ECERT_KIND_ENERGY, SERIES("{'step': -60, 'values': [5]}"), {ECERT_BODY_VALUE, "lines.series.step", "'step'", "-60"}},
	{"step 0.5", ECERT_KIND_ENERGY, SERIES("{'step': 0.5, 'values': [5]}"), {ECERT_BODY_TYPE, "lines.series.step", "'step'", "0.5"}},
	{"step 2^63-1", ECERT_KIND_ENERGY, SERIES("{'step': 9223372036854775807, 'values': [5]}"), {ECERT_BODY_VALUE, SERIES_VALUES, NULL, "{'step': 9223372036854775807, 'values': [5]}"}},
	{"values empty", ECERT_KIND_ENERGY, SERIES("{'step': 3600, 'values': []}"), {ECERT_BODY_VALUE, SERIES_VALUES, "'values'", "[]"}},
	{"values a number", ECERT_KIND_ENERGY, SERIES("{'step': 3600, 'values': 5}"), {ECERT_BODY_TYPE, SERIES_VALUES, "'values'", "5"}},
	{"values that end early", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'values': [5]}"), {ECERT_BODY_VALUE, SERIES_VALUES, NULL, "{'step': 1800, 'values': [5]}"}},
	{"values beyond the period", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'values': [5, 6, 7]}"), {ECERT_BODY_VALUE, SERIES_VALUES, NULL, "{'step': 1800, 'values': [5, 6, 7]}"}},
	{"step that does not divide the period", ECERT_KIND_ENERGY, SERIES("{'step': 1700, 'values': [5, 6]}"), {ECERT_BODY_VALUE, SERIES_VALUES, NULL, "{'step': 1700, 'values': [5, 6]}"}},
	{"step longer than the period", ECERT_KIND_ENERGY, SERIES("{'step': 3601, 'values': [5]}"), {ECERT_BODY_VALUE, SERIES_VALUES, NULL, "{'step': 3601, 'values': [5]}"}},
	{"negative value in a series", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'values': [5, -6]}"), {ECERT_BODY_NEGATIVE, SERIES_VALUES, NULL, "-6"}},
	{"decimal in a series", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'values': [5, 6.5]}"), {ECERT_BODY_TYPE, SERIES_VALUES, NULL, "6.5"}},
	{"null in a series", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'values': [null, 6]}"), {ECERT_BODY_TYPE, SERIES_VALUES, NULL, "null"}},
	{"series whose sum is 2^63-1", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': -18, 'values': [9223372036854775806, 1]}"), {ECERT_OK, NULL, NULL, NULL}},
	{"series whose sum is 2^63", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'values': [9223372036854775807, 1]}"), {ECERT_BODY_VALUE, SERIES_VALUES, NULL, "{'step': 1800, 'values': [9223372036854775807, 1]}"}},
	{"quantity 10^15", ECERT_KIND_ENERGY, LINE(", 'quantity': 1000000000000000"), {ECERT_OK, NULL, NULL, NULL}},
	{"quantity over 10^15", ECERT_KIND_ENERGY, LINE(", 'quantity': 1000000000000000.001"), {ECERT_BODY_VALUE, "lines.quantity", "'quantity'", "1000000000000000.001"}},
	{"series whose sum is 10^15", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': 14, 'values': [7, 3]}"), {ECERT_OK, NULL, NULL, NULL}},
	{"series whose sum is over 10^15", ECERT_KIND_ENERGY, SERIES("{'step': 1800, 'exp': 14, 'values': [7, 4]}"), {ECERT_BODY_VALUE, SERIES_VALUES, NULL, "{'step': 1800, 'exp': 14, 'values': [7, 4]}"}},
	{"output -10^15", ECERT_KIND_PRODUCT, PRODUCT("-1000000000000000", "-1000000000000000"), {ECERT_OK, NULL, NULL, NULL}},
	{"output below -10^15", ECERT_KIND_PRODUCT, PRODUCT("-1000000000000001", "0"), {ECERT_BODY_VALUE, "lines.output", "'output'", "-1000000000000001"}},
	{"several replaced", ECERT_KIND_ENERGY, "{'period': [0, 60], 'replaces': [" HASH_1 ", " HASH_2 "], 'lines': [" ENERGY_LINE "]}",
	{ECERT_RESERVED_FIELD, "replaces", "'replaces'", "[" HASH_1 ", " HASH_2 "]"}},
	{"the first of two that are not supported yet", ECERT_KIND_ENERGY,
		"{'period': [0, 60], 'lines': [{'source': 's', 'unit': 'u', 'quantity': 1, 'ncv': 9}, {'source': 's', 'unit': 'u', 'quantity': 1, 'dir': 'out'}]}",
	{ECERT_RESERVED_FIELD, "lines.ncv", "'ncv'", "9"}},
	{"not supported yet, and wrong elsewhere", ECERT_KIND_ENERGY,
		"{'period': [0, 60], 'lines': [{'source': 's', 'unit': 'u', 'quantity': 1, 'ncv': 9}, {'source': 's', 'unit': 'u'}]}",
	{ECERT_BODY_MISSING, "lines.quantity", NULL, "{'source': 's', 'unit': 'u'}"}},
	{"stock of a source and a product", ECERT_KIND_ENERGY,
		"{'period': [0, 60], 'lines': [" ENERGY_LINE "], 'stock': [{'source': 's', 'product': 'p', 'unit': 'u', 'opening': 1, 'closing': 1}]}",
	{ECERT_BODY_UNKNOWN, "stock.product", "'product'", "'p'"}},
	{"covered more than the period", ECERT_KIND_ENERGY, LINE(", 'quantity': 1, 'covered': 3601"), {ECERT_BODY_VALUE, "lines.covered", "'covered'", "3601"}},
	{"series that covers less", ECERT_KIND_ENERGY, LINE(", 'series': {'step': 3600, 'values': [5]}, 'covered': 1800"), {ECERT_OK, NULL, NULL, NULL}},
	{"second line negative", ECERT_KIND_ENERGY, "{'period': [0, 60], 'lines': [{'source': 's', 'unit': 'u', 'quantity': 1}, {'source': 's', 'unit': 'u', 'quantity': -0.01}]}",
	{ECERT_BODY_NEGATIVE, "lines.quantity", "'quantity'", "-0.01"}},

	{"qualified as much as output", ECERT_KIND_PRODUCT, PRODUCT("10.0", "10"), {ECERT_OK, NULL, NULL, NULL}},
	{"qualified less than output", ECERT_KIND_PRODUCT, PRODUCT("10", "9.99"), {ECERT_OK, NULL, NULL, NULL}},
	{"qualified more than output", ECERT_KIND_PRODUCT, PRODUCT("1", "1.000000000000000001"), {ECERT_BODY_VALUE, "lines.qualified", "'qualified'", "1.000000000000000001"}},
	{"qualified 0 of output 0", ECERT_KIND_PRODUCT, PRODUCT("0", "0"), {ECERT_OK, NULL, NULL, NULL}},
	{"negative output, as it stands", ECERT_KIND_PRODUCT, PRODUCT("-5.5", "-5.5"), {ECERT_OK, NULL, NULL, NULL}},
	{"negative output, nothing qualified", ECERT_KIND_PRODUCT, PRODUCT("-5.5", "0"), {ECERT_OK, NULL, NULL, NULL}},

	{"an audit of nothing", ECERT_KIND_AUDIT, "{'applicant': 'a', 'period': [0, 60], 'as': 'peer', 'verdict': 'pass', 'policy': " HASH_1 ", 'checked': [], 'checks': []}",
	{ECERT_BODY_VALUE, "checked", "'checked'", "[]"}},
	{"an abstention from nothing", ECERT_KIND_AUDIT, "{'applicant': 'a', 'period': [0, 60], 'as': 'peer', 'verdict': 'abstain', 'policy': " HASH_1 ", 'checked': [], 'checks': []}",
	{ECERT_OK, NULL, NULL, NULL}},
	{"as and any", ECERT_KIND_POLICY, POLICY_OF(POLICY_REST, "'required': [{'as': 'peer', 'any': ['peer'], 'count': 1}]", ""),
	{ECERT_BODY_UNKNOWN, "audit.required.any", "'any'", "['peer']"}},
	{"any of some roles", ECERT_KIND_POLICY, POLICY_OF(POLICY_REST, "'required': [{'any': ['peer', 'upstream'], 'count': 1}]", ""),
	{ECERT_RESERVED_FIELD, "audit.required.any", "'any'", "['peer', 'upstream']"}},
	{"any of no roles", ECERT_KIND_POLICY, POLICY_OF(POLICY_REST, "'required': [{'any': [], 'count': 1}]", ""),
	{ECERT_BODY_VALUE, "audit.required.any", "'any'", "[]"}},
	{"a reserved field of a policy", ECERT_KIND_POLICY, POLICY_OF(POLICY_REST, "'required': []", ", 'tsa': 7"), {ECERT_RESERVED_FIELD, "tsa", NULL, "'tsa'"}},
	{"another", ECERT_KIND_POLICY, POLICY_OF(POLICY_REST, "'required': []", ", 'algorithms': []"), {ECERT_RESERVED_FIELD, "algorithms", NULL, "'algorithms'"}},
	{"sources that need a calorific value", ECERT_KIND_POLICY, POLICY_OF(POLICY_REST, "'required': []", ", 'ncv_required': ['coal']"),
	{ECERT_RESERVED_FIELD, "ncv_required", "'ncv_required'", "['coal']"}},
	{"none that needs one", ECERT_KIND_POLICY, POLICY_OF(POLICY_REST, "'required': []", ", 'ncv_required': [], 'deflators': []"), {ECERT_OK, NULL, NULL, NULL}},
	{"baseline of some years before", ECERT_KIND_POLICY, CERTIFIED("'attribution': {'rule': 'direct'}, 'baseline': {'rule': 'years_before', 'years': 3}"), {ECERT_OK, NULL, NULL, NULL}},
	{"baseline that certificates name", ECERT_KIND_POLICY, CERTIFIED("'attribution': {'rule': 'direct'}, 'baseline': {'rule': 'named'}"),
	{ECERT_RESERVED_FIELD, "certificate.baseline.rule", "'rule'", "'named'"}},
	{"baseline of some years, none said", ECERT_KIND_POLICY, CERTIFIED("'attribution': {'rule': 'direct'}, 'baseline': {'rule': 'years_before'}"),
	{ECERT_BODY_MISSING, "certificate.baseline.years", NULL, "{'rule': 'years_before'}"}},
	{"baseline with a period that nobody asks for", ECERT_KIND_POLICY, CERTIFIED("'attribution': {'rule': 'direct'}, 'baseline': {'rule': 'year_before', 'period': [0, 1]}"),
	{ECERT_BODY_UNKNOWN, "certificate.baseline.period", "'period'", "[0, 1]"}},
	{"fixed baseline without a period", ECERT_KIND_POLICY, CERTIFIED("'attribution': {'rule': 'direct'}, 'baseline': {'rule': 'fixed'}"),
	{ECERT_BODY_MISSING, "certificate.baseline.period", NULL, "{'rule': 'fixed'}"}},
	{"baseline of no rule", ECERT_KIND_POLICY, CERTIFIED("'attribution': {'rule': 'direct'}, 'baseline': {'rule': 'never'}"),
	{ECERT_BODY_VALUE, "certificate.baseline.rule", "'rule'", "'never'"}},
	{"energy spread by weights", ECERT_KIND_POLICY, CERTIFIED("'baseline': {'rule': 'year_before'}, 'attribution': {'rule': 'weighted', 'weights': [{'product': 'p', 'weight': 2}]}"),
	{ECERT_RESERVED_FIELD, "certificate.attribution.rule", "'rule'", "'weighted'"}},
	{"energy spread by weights that are not said", ECERT_KIND_POLICY, CERTIFIED("'baseline': {'rule': 'year_before'}, 'attribution': {'rule': 'weighted'}"),
	{ECERT_BODY_MISSING, "certificate.attribution.weights", NULL, "{'rule': 'weighted'}"}},
	{"energy spread by efficiencies", ECERT_KIND_POLICY, CERTIFIED("'baseline': {'rule': 'year_before'}, 'attribution': {'rule': 'efficiency', 'efficiencies': [{'product': 'p', 'efficiency': 0.9}]}"),
	{ECERT_RESERVED_FIELD, "certificate.attribution.rule", "'rule'", "'efficiency'"}},
	{"an offset of a day", ECERT_KIND_POLICY, POLICY_OF("'completeness': " COMPLETENESS_RULES ", 'calendar': {'zone': 'z', 'year_start': 1, 'pack': 'day', 'statistics': 'day', 'offsets': [[0, 86400]]}", "'required': []", ""),
	{ECERT_BODY_VALUE, "calendar.offsets", NULL, "[0, 86400]"}},

	{"role unknown", ECERT_KIND_NODE, "{'node': 'n', 'roles': ['auditor', 'king'], 'keys': [" KEY "], 'status': 'active', 'effective': 0}",
	{ECERT_BODY_VALUE, "roles", NULL, "'king'"}},
	{"a role of later", ECERT_KIND_NODE, ROLES("'auditor', 'observer'"), {ECERT_RESERVED_FIELD, "roles", NULL, "'observer'"}},
	{"another", ECERT_KIND_NODE, ROLES("'overseer'"), {ECERT_RESERVED_FIELD, "roles", NULL, "'overseer'"}},
	{"a key for witnessing", ECERT_KIND_NODE, KEY_FOR("'witness'"), {ECERT_OK, NULL, NULL, NULL}},
	{"a key of later", ECERT_KIND_NODE, KEY_FOR("'open'"), {ECERT_RESERVED_FIELD, "keys.use", "'use'", "'open'"}},
	{"a key for anything", ECERT_KIND_NODE, KEY_FOR("'any'"), {ECERT_BODY_VALUE, "keys.use", "'use'", "'any'"}},
	{"an ES256 seal", ECERT_KIND_CHECKPOINT, CHECKPOINT_WITH("[['a', 'energy', 1]]", SEAL_WITH("-9")), {ECERT_OK, NULL, NULL, NULL}},
	{"no seal", ECERT_KIND_CHECKPOINT, CHECKPOINT_WITH("[['a', 'energy', 1]]", ""), {ECERT_BODY_VALUE, "seals", "'seals'", "[]"}},
	{"one feed", ECERT_KIND_CHECKPOINT, CHECKPOINT("[['a', 'witness', 9223372036854775807]]"), {ECERT_OK, NULL, NULL, NULL}},
	{"feed of two", ECERT_KIND_CHECKPOINT, CHECKPOINT("[['a', 'energy']]"), {ECERT_BODY_TYPE, "heads", NULL, "['a', 'energy']"}},
	{"feed of four", ECERT_KIND_CHECKPOINT, CHECKPOINT("[['a', 'energy', 1, 2]]"), {ECERT_BODY_TYPE, "heads", NULL, "['a', 'energy', 1, 2]"}},
	{"feed a map", ECERT_KIND_CHECKPOINT, CHECKPOINT("[{'a': 1}]"), {ECERT_BODY_TYPE, "heads", NULL, "{'a': 1}"}},
	{"feed of a number", ECERT_KIND_CHECKPOINT, CHECKPOINT("[[1, 'energy', 1]]"), {ECERT_BODY_TYPE, "heads", NULL, "[1, 'energy', 1]"}},
	{"feed of no issuer", ECERT_KIND_CHECKPOINT, CHECKPOINT("[['', 'energy', 1]]"), {ECERT_BODY_VALUE, "heads", NULL, "['', 'energy', 1]"}},
	{"feed of no kind", ECERT_KIND_CHECKPOINT, CHECKPOINT("[['a', 'Energy', 1]]"), {ECERT_BODY_VALUE, "heads", NULL, "['a', 'Energy', 1]"}},
	{"feed of a kind that is no text", ECERT_KIND_CHECKPOINT, CHECKPOINT("[['a', 4, 1]]"), {ECERT_BODY_TYPE, "heads", NULL, "['a', 4, 1]"}},
	{"feed with seq -1", ECERT_KIND_CHECKPOINT, CHECKPOINT("[['a', 'energy', -1]]"), {ECERT_BODY_VALUE, "heads", NULL, "['a', 'energy', -1]"}},
	{"feed with seq text", ECERT_KIND_CHECKPOINT, CHECKPOINT("[['b', 'energy', 1], ['a', 'energy', '1']]"), {ECERT_BODY_TYPE, "heads", NULL, "['a', 'energy', '1']"}},
	{"audit that is no hash", ECERT_KIND_CERTIFICATE, CERTIFICATE_BEFORE "}", {ECERT_BODY_MISSING, "audits", NULL, NULL}},
	{"rows of figures in any order", ECERT_KIND_CERTIFICATE, CERTIFIED_BODY("[" TOTAL_FIGURE ", " PRODUCT_FIGURE "]", "'pass'", "[]"), {ECERT_OK, NULL, NULL, NULL}},
	{"a row of one kind with the fields of another", ECERT_KIND_CERTIFICATE, CERTIFIED_BODY("[" TOTAL_FIGURE ", {'of': 'total', 'energy_packages': 12}]", "'pass'", "[]"),
	{ECERT_BODY_UNKNOWN, "figures", NULL, "'energy_packages'"}},
	{"a row of nothing", ECERT_KIND_CERTIFICATE, CERTIFIED_BODY("[" TOTAL_FIGURE ", {}]", "'pass'", "[]"), {ECERT_BODY_MISSING, "figures.of", NULL, "{}"}},
	{"a saving that is not confirmed", ECERT_KIND_CERTIFICATE, CERTIFIED_BODY(FIGURES_LIST, "'pass_unconfirmed'", "[]"),
	{ECERT_RESERVED_FIELD, "verdict", "'verdict'", "'pass_unconfirmed'"}},
	{"an exception", ECERT_KIND_CERTIFICATE, CERTIFIED_BODY(FIGURES_LIST, "'pass'", "[" EXCEPTION "]"),
	{ECERT_RESERVED_FIELD, "exceptions", "'exceptions'", "[" EXCEPTION "]"}},
	{"an exception that nobody may accept", ECERT_KIND_CERTIFICATE, CERTIFIED_BODY(FIGURES_LIST, "'pass'", "[{'accepts': 'feed_broken', 'reason': ''}]"),
	{ECERT_BODY_VALUE, "exceptions.accepts", "'accepts'", "'feed_broken'"}},
	{"a title in one language", ECERT_KIND_CERTIFICATE, CERTIFIED_BODY(FIGURES_LIST, "'pass'", "[], 'title': {'en': 'C'}"),
	{ECERT_BODY_MISSING, "title.zh", "'title'", "{'en': 'C'}"}},
	{"bad node inside genesis", ECERT_KIND_GENESIS, "{'origin': 'o', 'name': '', 'node': {'node': ''}, 'policy': " POLICY "}",
	{ECERT_BODY_VALUE, "node", "'node'", "''"}},
	{"policy inside genesis with coefficients alone", ECERT_KIND_GENESIS, "{'origin': 'o', 'name': '', 'node': " NODE ", 'policy': {'coefficients': [" COEFFICIENT "]}}",
	{ECERT_BODY_MISSING, "audit", "'policy'", "{'coefficients': [" COEFFICIENT "]}"}},
};

static void
test_specials(void)
{
	for (size_t i = 0; i < COUNT(specials); i++)
		check_outcome(specials[i].kind, specials[i].body, specials[i].expected, specials[i].name);
}

/* The line readers also meet bodies that no schema check has seen */
static void
test_unchecked_lines(void)
{
	static const char *const lines[] = {
		SERIES("{'step': 1, 'exp': 2147483648, 'values': [1]}"), SERIES("{'step': 1, 'exp': -19, 'values': [1]}"),
		SERIES("{'step': 1, 'values': []}"), SERIES("{'step': 1}"), SERIES("[1]"), SERIES("'1'"),
		"{'lines': [{}]}", "{'lines': [1]}", "{'lines': [[]]}", LINE(", 'quantity': 'x'"),
		LINE(", 'quantity': 9223372036854775808"),
		SERIES("{'step': 1, 'values': [9223372036854775807, 1]}")
	};
	uint64_t	count;

	for (size_t i = 0; i < COUNT(lines); i++)
	{
		EcertCursor cursor = ecert_body_lines(bytes_of(lines[i]), &count);
		EcertEnergyLine line;

		CHECK(count == 1 && ecert_energy_line_next(&cursor, &line) != ECERT_OK, "unchecked: no line in %s", lines[i]);
	}
	(void) ecert_body_lines(bytes_of("{'lines': {'a': 1}}"), &count);
	CHECK_INT(count, 0, "unchecked: lines that are no array");
}

static bool
is_text(EcertSlice found, const char *text)
{
	return ecert_slice_equal(found, ecert_slice_text(text));
}

static void
test_energy_lines(void)
{
	EcertSlice	body = bytes_of("{'period': [0, 3600], 'lines': ["
								"{'source': 'coal', 'unit': 't', 'quantity': 12.50},"
								"{'source': 'power', 'unit': 'kWh', 'product': 'p', 'supplier': 'grid', 'point': 'm',"
								" 'series': {'step': 900, 'exp': -3, 'values': [1000, 0, 250, 9223372036854774557]}}]}");
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);
	EcertEnergyLine line;
	EcertSeries series;
	static const int64_t values[] = {1000, 0, 250, INT64_C(9223372036854774557)};

	CHECK_INT(count, 2, "energy: two lines");
	CHECK(ecert_energy_line_next(&cursor, &line) == ECERT_OK && is_text(line.source, "coal") && is_text(line.unit, "t") &&
		  !line.has_series && line.quantity.mantissa == 1250 && line.quantity.exponent == -2, "energy: 12.50 t of coal");
	CHECK(line.product.size == 0 && line.supplier.size == 0 && line.point.size == 0, "energy: nothing else named");
	CHECK(ecert_energy_line_next(&cursor, &line) == ECERT_OK && is_text(line.product, "p") &&
		  is_text(line.supplier, "grid") && is_text(line.point, "m"), "energy: product, supplier, point");
	CHECK(line.has_series && line.quantity.mantissa == INT64_MAX && line.quantity.exponent == -3,
		  "energy: the sum of a series, to the last unit");
	ecert_series_open(line.series, &series);
	CHECK(series.step == 900 && series.exponent == -3 && series.count == 4, "series: step, exponent, count");
	for (size_t i = 0; i < COUNT(values); i++)
		CHECK_INT(ecert_series_next(&series), values[i], "series: value %zu", i);
}

static void
test_product_lines(void)
{
	EcertSlice	body = bytes_of("{'period': [0, 3600], 'lines': ["
								"{'product': 'cement', 'unit': 't', 'output': 100, 'qualified': 99.5},"
								"{'product': 'power', 'unit': 'kWh', 'output': -3, 'qualified': -3.25, 'value': 0.10, 'currency': 'CNY'}]}");
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);
	EcertProductLine line;

	CHECK_INT(count, 2, "product: two lines");
	CHECK(ecert_product_line_next(&cursor, &line) == ECERT_OK && is_text(line.product, "cement") && is_text(line.unit, "t") &&
		  line.output.mantissa == 100 && line.output.exponent == 0 && line.qualified.mantissa == 995 &&
		  line.qualified.exponent == -1, "product: 99.5 t of 100");
	CHECK(!line.has_value && line.currency.size == 0, "product: nothing else");
	CHECK(ecert_product_line_next(&cursor, &line) == ECERT_OK && line.output.mantissa == -3 &&
		  line.qualified.mantissa == -325 && line.has_value && line.value.mantissa == 10 && line.value.exponent == -2 &&
		  is_text(line.currency, "CNY"), "product: negative output, value, currency");
}

/* A package of which only the body is there */
static const EcertPackage *
with_body(const char *text)
{
	static EcertPackage package;

	memset(&package, 0, sizeof package);
	ecert_package_set_body(&package, bytes_of(text));
	return &package;
}

static void
test_readers(void)
{
	EcertPeriod period = {-1, -1};
	uint8_t		hash[32];
	uint64_t	count;
	EcertSlice	body;

	CHECK(ecert_body_period(with_body("{'period': [5, 7]}"), &period) && period.start == 5 && period.end == 7, "period");
	CHECK(!ecert_body_period(with_body("{'valid': [5, 7]}"), &period), "no period");
	CHECK(!ecert_body_period(with_body("{'period': 5}"), &period) && !ecert_body_period(with_body("{'period': [5]}"), &period) &&
		  !ecert_body_period(with_body("{'period': [5, null]}"), &period), "what is no period is none");
	memset(hash, 0, sizeof hash);
	CHECK(ecert_body_replaces(with_body("{'replaces': " HASH_1 "}"), hash) && hash[0] == 0x00 && hash[1] == 0x11 && hash[31] == 0xFF,
		  "replaces: 32 bytes");
	CHECK(ecert_body_replaces(with_body("{'replaces': [" HASH_2 "]}"), hash) && hash[0] == 0xFF && hash[31] == 0x00 &&
		  ecert_body_replaces(with_body("{'replaces': [" HASH_1 ", " HASH_2 "]}"), hash) && hash[0] == 0x00 && hash[31] == 0xFF,
		  "replaces: the first of a list");
	CHECK(!ecert_body_replaces(with_body("{'replaces': []}"), hash) && !ecert_body_replaces(with_body("{'replaces': [1]}"), hash) &&
		  !ecert_body_replaces(with_body("{'replaces': {}}"), hash), "replaces: what names none");
	CHECK(!ecert_body_replaces(with_body("{'a': 1}"), hash) && !ecert_body_replaces(with_body("{'replaces': null}"), hash) &&
		  !ecert_body_replaces(with_body("{'replaces': '00'}"), hash), "replaces: none");
	CHECK(!ecert_hex_to_hash(ecert_slice_text("00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"), hash) &&
		  !ecert_hex_to_hash(ecert_slice_text(""), hash) &&
		  !ecert_hex_to_hash(ecert_slice_text("0g112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"), hash) &&
		  !ecert_hex_to_hash(ecert_slice_text("00112233445566778899aabbccddeeff00112233445566778899aabbccddeef"), hash),
		  "hex: 64 lower-case digits or nothing");
	body = bytes_of("{'a': 1}");
	(void) ecert_body_lines(body, &count);
	CHECK_INT(count, 0, "no lines");
}

int
main(void)
{
	test_shapes();
	test_specials();
	test_energy_lines();
	test_product_lines();
	test_readers();
	test_unchecked_lines();
	return check_done();
}
