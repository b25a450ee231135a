/*
 * bodies.h
 *		The bodies of every kind, said a second time and apart from src/core:
 *		which fields a map has, of what sort, and a good value of each.
 */
#ifndef ECERT_TEST_BODIES_H
#define ECERT_TEST_BODIES_H

#include "diag.h"

#include "core/package.h"

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

#define HASH_1 "'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'"
#define HASH_2 "'ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100'"
#define SEAL "'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" \
	"ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100'"
#define SEAL_OF_1 "{'alg': -19, 'kid': " HASH_1 ", 'signature': " SEAL "}"

/*
 * Sort of a value: t text, i id, c choice, h hash, k public key of Ed25519, s hex,
 * n number, a number >= 0, q energy quantity, r number or null, u integer
 * >= 0, p integer >= 1, d time, g algorithm, P period, x texts under ids, f finding, L list, E list that may
 * be empty, Z list that is not supported empty yet, M map, T true, N part, 1 list of one hash, v seconds within a minute, S share,
 * m month, b boolean, z signature of Ed25519, O 1 or, of later versions, a larger integer, X list that is supported empty only.
 */
typedef struct BodyField
{
	const char *name;			/* NULL ends the list */
	char		sort;
	int			required;		/* or LATER: left out mostly, since it is right in form and not supported yet */
	const char *good;
} BodyField;

#define LATER 2

typedef struct BodyShape
{
	EcertKind	kind;
	const char *path;			/* that an unknown field is reported with */
	const char *prefix;			/* of the path of each field */
	const char *before;			/* the rest of the body, in notation */
	const char *after;
	BodyField	fields[28];
} BodyShape;

/* The field that a map which is right in form and not supported yet is told of by; NULL: it is supported */
static inline const char *
later_path(const BodyShape *shape)
{
	static const char *const paths[] = {"stock", "deflators", "exceptions"};

	for (size_t i = 0; i < COUNT(paths); i++)
	{
		if (strcmp(shape->path, paths[i]) == 0)
			return paths[i];
	}
	return strcmp(shape->fields[0].good, "'confirmed'") == 0 ? "figures.of" : NULL;
}

#define KEY "{'use': 'package', 'alg': -19, 'kid': " HASH_1 ", 'public': " HASH_2 ", 'effective': 0}"
#define NODE "{'node': 'n', 'roles': ['certifier'], 'keys': [" KEY "], 'status': 'active', 'effective': 0}"
#define PEER_RULES "{'k': 3, 'floor': 0.05, 'band': 0.5, 'minimum': 3}"
#define AUDIT_RULES "{'required': [], 'upstream': {'tolerance': 0.03}, 'downstream': {'tolerance': 0.03}, " \
	"'peer': " PEER_RULES ", 'audit_days': 30}"
#define AUDIT_RULES_BUT ", 'audit': {'audit_days': 30, 'peer': " PEER_RULES
#define CERTIFICATE_BUT "'threshold': 0.05, 'strict': true, 'denominator': 'baseline', 'electricity': 'calorific', 'valid_days': 365, " \
	"'witnesses': 0, 'seal_within': 3600, 'automatic': {'on': true, 'days': 366}, 'confirmed_min': {'energy': 0.8, 'output': 0.8}"
#define CERTIFICATE_RULES "{" CERTIFICATE_BUT ", 'baseline': {'rule': 'year_before'}, 'attribution': {'rule': 'direct'}}"
#define CALENDAR "{'zone': 'Asia/Shanghai', 'offsets': [[946684800, 28800]], 'year_start': 1, 'pack': 'month', 'statistics': 'year'}"
#define COMPLETENESS_RULES "{'covered_min': 0.95, 'estimated_max': 0.05, 'signed_within': 31, 'packing_deadline': 15}"
#define POLICY_REST "'calendar': " CALENDAR ", 'completeness': " COMPLETENESS_RULES
#define REWARDS "{'upstream': 1, 'peer': 1.5, 'downstream': 0, 'unit': 'point'}"
#define COEFFICIENT "{'source': 'electricity', 'unit': 'kWh', 'kgce': 0.1229}"
#define POLICY "{" POLICY_REST ", 'coefficients': [" COEFFICIENT "], 'units': [], 'audit': " AUDIT_RULES ", " \
	"'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS "}"
#define RANGE "{'kind': 'energy', 'first': 0, 'last': 11, 'hash': " HASH_1 "}"
#define FIGURE "{'of': 'period', 'declared': 100, 'found': 100.5, 'deviation': 0.005, 'tolerance': 0.03}"
#define DIGEST "{'count': 3, 'digest': " HASH_1 "}"
#define PRODUCT_FIGURE "{'of': 'product', 'product': 'cement', 'unit': 't', 'base_kgce': 960100, 'base_output': 5000, " \
	"'base_unit_energy': 192.02, 'now_kgce': 1008105, 'now_output': 5600, 'now_unit_energy': 180.01875, " \
	"'saving_kgce': 67207, 'saving_rate': 0.0625, 'status': 'ok'}"
#define TOTAL_FIGURE "{'of': 'total', 'adjusted_base_kgce': 1600327, 'now_kgce': 1525965, 'saving_kgce': 74362, 'saving_tce': 74.362, " \
	"'saving_rate': 0.046466753, 'structure_kgce': null}"
#define COMPLETENESS_FIGURE "{'of': 'completeness', 'energy_packages': 12, 'product_packages': 12, 'base_energy_packages': 12, 'base_product_packages': 0}"
#define FIGURES_LIST "[" PRODUCT_FIGURE ", " TOTAL_FIGURE ", " COMPLETENESS_FIGURE "]"
#define CONVENTIONS "{'saving': 'baseline_minus_reporting', 'denominator': 'baseline', 'electricity': 'calorific value'}"
#define CERTIFICATE_BEFORE "{'number': 'C-1', 'applicant': 'mill', 'period': [100, 200], 'baseline': [0, 100], " \
	"'method': {'name': 'product'}, 'calendar': 'UTC', 'rate': 0.0465, 'threshold': 0.05, 'verdict': 'pass', 'valid': [200, 300], 'policy': " HASH_1 ", " \
	"'checkpoint': " HASH_2 ", 'baseline_replaced': []"
#define EXCEPTION "{'accepts': 'new_product', 'product': 'cement', 'reason': 'A new line'}"
#define CERTIFICATE_AFTER(name, value) ", '" name "': " value
#define ENERGY_BEFORE "{'period': [0, 60], 'lines': ["
#define ENERGY_LINE "{'source': 'electricity', 'unit': 'kWh', 'quantity': 1}"
#define STOCK "{'source': 'raw coal', 'unit': 't', 'opening': 100, 'closing': 0}"
#define CHECK_BEFORE "{'applicant': 'mill', 'period': [0, 60], 'as': 'upstream', 'verdict': 'pass', 'policy': " HASH_1 ", 'checked': [" RANGE "], 'checks': ["
#define POLICY_BEFORE "{" POLICY_REST ", 'coefficients': [" COEFFICIENT "], 'units': []"
#define POLICY_BUT_CALENDAR "{'coefficients': [" COEFFICIENT "], 'units': [], 'audit': " AUDIT_RULES ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS

static const BodyShape body_shapes[] = {
	{ECERT_KIND_GENESIS, "body", "", "", "", {
		{"origin", 'i', true, "'ledger.example/e'"},
		{"name", 't', true, "'A ledger'"},
		{"node", 'M', true, NODE},
		{"policy", 'M', true, POLICY},
	}},
	{ECERT_KIND_NODE, "body", "", "", "", {
		{"node", 'i', true, "'mill'"},
		{"name", 't', false, "'The mill'"},
		{"names", 'M', false, "{'en': 'The mill', 'zh': '\xE6\xB0\xB4\xE6\xB3\xA5\xE5\x8E\x82'}"},
		{"roles", 'L', true, "['applicant', 'auditor', 'certifier']"},
		{"keys", 'L', true, "[" KEY ", {'use': 'witness', 'alg': -9, 'kid': " HASH_2 ", 'public': '04" "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
			"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 'effective': 5, 'until': 9}]"},
		{"status", 'c', true, "'revoked'"},
		{"effective", 'd', true, "1706832000"},
		{"attributes", 'x', false, "{'credit_code': '91110000100000001X', 'province': 'Hebei'}"},
		{"reason", 't', false, "'Key lost'"},
	}},
	{ECERT_KIND_NODE, "keys", "keys.", "{'node': 'n', 'roles': ['auditor'], 'status': 'active', 'effective': 0, 'keys': [", "]}", {
		{"use", 'c', true, "'seal'"},
		{"alg", 'g', true, "-8"},
		{"kid", 'h', true, HASH_1},
		{"public", 'k', true, HASH_2},
		{"effective", 'd', true, "0"},
		{"until", 'd', false, "253402300799"},
	}},
	{ECERT_KIND_RELATION, "body", "", "", "", {
		{"auditor", 'i', true, "'grid'"},
		{"applicant", 'i', true, "'mill'"},
		{"as", 'c', true, "'downstream'"},
		{"from", 'd', true, "0"},
		{"to", 'd', false, "100"},
	}},
	{ECERT_KIND_POLICY, "body", "", "", "", {
		{"coefficients", 'L', true, "[" COEFFICIENT ", " COEFFICIENT "]"},
		{"units", 'E', true, "[{'unit': 'MWh', 'base': 'kWh', 'factor': 1000}]"},
		{"calendar", 'M', true, CALENDAR},
		{"completeness", 'M', true, COMPLETENESS_RULES},
		{"audit", 'M', true, AUDIT_RULES},
		{"certificate", 'M', true, CERTIFICATE_RULES},
		{"reward", 'M', true, REWARDS},
		{"limits", 'E', false, "[{'product': 'steel', 'unit': 't', 'quota': 620, 'advanced': 535}]"},
		{"targets", 'E', false, "[{'applicant': 'mill', 'year': 2025, 'tce': 1200}]"},
		{"ncv_required", 'X', LATER, "['raw coal']"},
		{"deflators", 'X', LATER, "[{'currency': 'CNY', 'period': [0, 60], 'factor': 1.02}]"},
	}},
	{ECERT_KIND_POLICY, "coefficients", "coefficients.", "{" POLICY_REST ", 'units': [], 'audit': " AUDIT_RULES ", 'certificate': " CERTIFICATE_RULES
		", 'reward': " REWARDS ", 'coefficients': [", "]}", {
		{"source", 'i', true, "'raw coal'"},
		{"unit", 'i', true, "'kg'"},
		{"kgce", 'a', true, "0.7143"},
		{"kgco2", 'a', false, "1.9003"},
		{"names", 'M', false, "{'zh': '\xE5\x8E\x9F\xE7\x85\xA4', 'en': 'Raw coal'}"},
		{"edition", 't', false, "'GB/T 2589-2020'"},
		{"citation", 't', false, "'table A.1'"},
	}},
	{ECERT_KIND_POLICY, "coefficients.names", "coefficients.names.", "{" POLICY_REST ", 'units': [], 'audit': " AUDIT_RULES ", 'certificate': " CERTIFICATE_RULES
		", 'reward': " REWARDS ", 'coefficients': [{'source': 's', 'unit': 'u', 'kgce': 1, 'names': ", "}]}", {
		{"zh", 't', true, "''"},
		{"en", 't', true, "'Raw coal'"},
	}},
	{ECERT_KIND_POLICY, "units", "units.", "{" POLICY_REST ", 'coefficients': [" COEFFICIENT "], 'audit': " AUDIT_RULES ", 'certificate': " CERTIFICATE_RULES
		", 'reward': " REWARDS ", 'units': [", "]}", {
		{"unit", 'i', true, "'t'"},
		{"base", 'i', true, "'kg'"},
		{"factor", 'a', true, "1000"},
	}},
	{ECERT_KIND_POLICY, "calendar", "calendar.", POLICY_BUT_CALENDAR ", 'completeness': " COMPLETENESS_RULES ", 'calendar': ", "}", {
		{"zone", 'i', true, "'Europe/Berlin'"},
		{"offsets", 'L', true, "[[946684800, 3600], [954032400, 7200]]"},
		{"year_start", 'm', true, "4"},
		{"pack", 'c', true, "'week'"},
		{"statistics", 'c', true, "'quarter'"},
	}},
	{ECERT_KIND_POLICY, "completeness", "completeness.", POLICY_BUT_CALENDAR ", 'calendar': " CALENDAR ", 'completeness': ", "}", {
		{"covered_min", 'S', true, "1"},
		{"estimated_max", 'S', true, "0"},
		{"signed_within", 'p', true, "31"},
		{"packing_deadline", 'p', true, "10"},
	}},
	{ECERT_KIND_POLICY, "audit", "audit.", POLICY_BEFORE ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS ", 'audit': ", "}", {
		{"required", 'E', true, "[{'as': 'peer', 'count': 2}]"},
		{"upstream", 'M', true, "{'tolerance': 0}"},
		{"downstream", 'M', true, "{'tolerance': 0.5}"},
		{"peer", 'M', true, "{'k': 3, 'floor': 0, 'band': 0.5, 'minimum': 0}"},
		{"audit_days", 'p', true, "14"},
	}},
	{ECERT_KIND_POLICY, "audit.required", "audit.required.", POLICY_BEFORE ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS
		AUDIT_RULES_BUT ", 'upstream': {'tolerance': 0}, 'downstream': {'tolerance': 0}, 'required': [", "]}}", {
		{"as", 'c', true, "'upstream'"},
		{"count", 'p', true, "2"},
	}},
	{ECERT_KIND_POLICY, "audit.upstream", "audit.", POLICY_BEFORE ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS
		AUDIT_RULES_BUT ", 'required': [], 'downstream': {'tolerance': 0}, 'upstream': ", "}}", {
		{"tolerance", 'a', true, "0.03"},
	}},
	{ECERT_KIND_POLICY, "audit.downstream", "audit.", POLICY_BEFORE ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS
		AUDIT_RULES_BUT ", 'required': [], 'upstream': {'tolerance': 0}, 'downstream': ", "}}", {
		{"tolerance", 'a', true, "0.03"},
	}},
	{ECERT_KIND_POLICY, "audit.peer", "audit.peer.", POLICY_BEFORE ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS
		", 'audit': {'audit_days': 1, 'required': [], 'upstream': {'tolerance': 0}, 'downstream': {'tolerance': 0}, 'peer': ", "}}", {
		{"k", 'a', true, "3"},
		{"floor", 'a', true, "0.05"},
		{"band", 'a', true, "0.5"},
		{"minimum", 'u', true, "3"},
	}},
	{ECERT_KIND_POLICY, "certificate", "certificate.", POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'reward': " REWARDS ", 'certificate': ", "}", {
		{"threshold", 'n', true, "-0.05"},
		{"strict", 'b', true, "false"},
		{"denominator", 'c', true, "'reporting'"},
		{"attribution", 'M', true, "{'rule': 'direct'}"},
		{"electricity", 'c', true, "'equivalent'"},
		{"baseline", 'M', true, "{'rule': 'fixed', 'period': [0, 100]}"},
		{"confirmed_min", 'M', true, "{'energy': 0, 'output': 1}"},
		{"valid_days", 'p', true, "730"},
		{"witnesses", 'u', true, "2"},
		{"seal_within", 'p', true, "60"},
		{"automatic", 'M', true, "{'on': false, 'days': 1}"},
		{"title", 'M', false, "{'zh': '', 'en': 'Certificate'}"},
	}},
	{ECERT_KIND_POLICY, "certificate.confirmed_min", "certificate.confirmed_min.", POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'reward': " REWARDS
		", 'certificate': {'threshold': 0, 'strict': true, 'denominator': 'baseline', 'electricity': 'calorific', 'valid_days': 365, 'witnesses': 0, 'seal_within': 1, "
		"'baseline': {'rule': 'year_before'}, 'attribution': {'rule': 'direct'}, 'automatic': {'on': true, 'days': 1}, 'confirmed_min': ", "}}", {
		{"energy", 'S', true, "0.8"},
		{"output", 'S', true, "0.75"},
	}},
	{ECERT_KIND_POLICY, "certificate.automatic", "certificate.automatic.", POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'reward': " REWARDS
		", 'certificate': {'threshold': 0, 'strict': true, 'denominator': 'baseline', 'electricity': 'calorific', 'valid_days': 365, 'witnesses': 0, 'seal_within': 1, "
		"'baseline': {'rule': 'year_before'}, 'attribution': {'rule': 'direct'}, 'confirmed_min': {'energy': 1, 'output': 1}, 'automatic': ", "}}", {
		{"on", 'b', true, "true"},
		{"days", 'p', true, "90"},
	}},
	{ECERT_KIND_POLICY, "certificate.title", "certificate.title.", POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'reward': " REWARDS
		", 'certificate': {" CERTIFICATE_BUT ", 'baseline': {'rule': 'year_before'}, 'attribution': {'rule': 'direct'}, 'title': ", "}}", {
		{"zh", 't', true, "''"},
		{"en", 't', true, "'Certificate of energy saved'"},
	}},
	{ECERT_KIND_POLICY, "reward", "reward.", POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'certificate': " CERTIFICATE_RULES ", 'reward': ", "}", {
		{"upstream", 'a', true, "10"},
		{"peer", 'a', true, "0.50"},
		{"downstream", 'a', true, "0"},
		{"unit", 'i', true, "'CNY'"},
	}},
	{ECERT_KIND_POLICY, "limits", "limits.", POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS ", 'limits': [", "]}", {
		{"product", 'i', true, "'steel'"},
		{"unit", 'i', true, "'t'"},
		{"quota", 'a', true, "620"},
		{"advanced", 'a', true, "535"},
	}},
	{ECERT_KIND_POLICY, "targets", "targets.", POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS ", 'targets': [", "]}", {
		{"applicant", 'i', true, "'mill'"},
		{"year", 'p', true, "2025"},
		{"tce", 'a', true, "0.5"},
	}},
	{ECERT_KIND_POLICY, "deflators", "deflators.", POLICY_BEFORE ", 'audit': " AUDIT_RULES ", 'certificate': " CERTIFICATE_RULES ", 'reward': " REWARDS ", 'deflators': [", "]}", {
		{"currency", 'i', true, "'CNY'"},
		{"product", 'i', false, "'steel'"},
		{"period", 'P', true, "[0, 60]"},
		{"factor", 'a', true, "1.02"},
	}},
	{ECERT_KIND_POINT, "body", "", "", "", {
		{"points", 'L', true, "[{'point': 'M1', 'type': 'scale', 'source': 'raw coal', 'unit': 't', 'from': 0}]"},
	}},
	{ECERT_KIND_POINT, "points", "points.", "{'points': [", "]}", {
		{"point", 'i', true, "'M1'"},
		{"type", 'c', true, "'meter'"},
		{"maker", 'i', false, "'Landis'"},
		{"serial", 'i', false, "'0815'"},
		{"source", 'i', true, "'electricity'"},
		{"unit", 'i', true, "'kWh'"},
		{"product", 'i', false, "'cement'"},
		{"from", 'd', true, "1704067200"},
		{"to", 'd', false, "1735689600"},
		{"replaces", 'i', false, "'M0'"},
		{"class", 't', false, "'0.5S'"},
		{"calibration_due", 'd', false, "1767225600"},
		{"public", 's', false, HASH_2},
	}},
	{ECERT_KIND_ENERGY, "body", "", "", "", {
		{"period", 'P', true, "[1704067200, 1706745600]"},
		{"lines", 'Z', true, "[{'source': 'electricity', 'unit': 'kWh', 'quantity': 0, 'product': 'cement', 'supplier': 'grid', 'point': 'M1'}, "
			"{'source': 'raw coal', 'unit': 't', 'quantity': 1500.25}]"},
		{"replaces", '1', false, "[" HASH_1 "]"},
		{"reason", 't', false, "'Meter read wrongly'"},
		{"part", 'N', LATER, "[1, 2]"},
		{"stock", 'L', LATER, "[" STOCK "]"},
	}},
	{ECERT_KIND_ENERGY, "lines", "lines.", ENERGY_BEFORE, "]}", {
		{"source", 'i', true, "'electricity'"},
		{"unit", 'i', true, "'kWh'"},
		{"quantity", 'q', true, "0.00"},
		{"product", 'i', false, "'cement'"},
		{"supplier", 'i', false, "'grid'"},
		{"point", 'i', false, "'M1'"},
		{"buyer", 'i', false, "'town'"},
		{"covered", 'v', false, "59"},
		{"estimated", 'T', false, "true"},
		{"apportioned", 'T', false, "true"},
		{"note", 't', false, "'Bill of February, by days'"},
		{"readings", 'h', false, HASH_2},
		{"dir", 'c', LATER, "'out'"},
		{"ncv", 'a', LATER, "20934.5"},
	}},
	{ECERT_KIND_ENERGY, "stock", "stock.", "{'period': [0, 60], 'lines': [" ENERGY_LINE "], 'stock': [", "]}", {
		{"source", 'i', true, "'raw coal'"},
		{"unit", 'i', true, "'t'"},
		{"opening", 'a', true, "100"},
		{"closing", 'a', true, "0"},
	}},
	{ECERT_KIND_PRODUCT, "body", "", "", "", {
		{"period", 'P', true, "[0, 253402300799]"},
		{"lines", 'Z', true, "[{'product': 'cement', 'unit': 't', 'output': 5000, 'qualified': 4900.5, 'value': 20000.00, 'currency': 'CNY'}]"},
		{"deliveries", 'L', false, "[{'product': 'cement', 'unit': 't', 'buyer': 'builder', 'quantity': 4000, 'value': 16000}, "
			"{'product': 'slag', 'unit': 'kg', 'buyer': 'b', 'quantity': 0}]"},
		{"replaces", '1', false, "[" HASH_2 "]"},
		{"reason", 't', false, "''"},
		{"part", 'N', LATER, "[3, 3]"},
		{"stock", 'L', LATER, "[{'product': 'cement', 'unit': 't', 'opening': 1, 'closing': 2}]"},
	}},
	{ECERT_KIND_PRODUCT, "lines", "lines.", ENERGY_BEFORE, "]}", {
		{"product", 'i', true, "'cement'"},
		{"unit", 'i', true, "'t'"},
		{"output", 'n', true, "900000000000.5"},
		{"qualified", 'n', true, "-7.5"},
		{"value", 'n', false, "-1.5"},
		{"currency", 'i', false, "'CNY'"},
		{"covered", 'v', false, "60"},
		{"note", 't', false, "'Scales out of order on the 3rd'"},
	}},
	{ECERT_KIND_PRODUCT, "deliveries", "deliveries.",
		ENERGY_BEFORE "{'product': 'cement', 'unit': 't', 'output': 1, 'qualified': 1}], 'deliveries': [", "]}", {
		{"product", 'i', true, "'cement'"},
		{"unit", 'i', true, "'t'"},
		{"buyer", 'i', true, "'builder'"},
		{"quantity", 'a', true, "0.001"},
		{"value", 'a', false, "2"},
	}},
	{ECERT_KIND_AUDIT, "body", "", "", "", {
		{"applicant", 'i', true, "'mill'"},
		{"period", 'P', true, "[0, 60]"},
		{"as", 'c', true, "'peer'"},
		{"verdict", 'c', true, "'abstain'"},
		{"policy", 'h', true, HASH_1},
		{"checked", 'E', true, "[" RANGE ", {'kind': 'product', 'first': 3, 'last': 3, 'hash': " HASH_2 "}]"},
		{"saw", 'L', false, "[" RANGE "]"},
		{"checks", 'E', true, "[{'check': 'delivered', 'figures': [" FIGURE "], 'ok': true}, {'check': 'gaps', 'ok': null}]"},
		{"comment", 't', false, "'Nothing to say'"},
		{"replaces", 'h', LATER, HASH_2},
	}},
	{ECERT_KIND_AUDIT, "checked", "checked.", "{'applicant': 'mill', 'period': [0, 60], 'as': 'upstream', 'verdict': 'fail', 'policy': " HASH_1 ", 'checks': [], 'checked': [", "]}", {
		{"kind", 'c', true, "'product'"},
		{"first", 'u', true, "0"},
		{"last", 'u', true, "0"},
		{"hash", 'h', true, HASH_1},
	}},
	{ECERT_KIND_AUDIT, "saw", "saw.", "{'applicant': 'mill', 'period': [0, 60], 'as': 'upstream', 'verdict': 'fail', 'policy': " HASH_1 ", 'checks': [], 'checked': [" RANGE "], 'saw': [", "]}", {
		{"kind", 'c', true, "'energy'"},
		{"first", 'u', true, "0"},
		{"last", 'u', true, "7"},
		{"hash", 'h', true, HASH_2},
	}},
	{ECERT_KIND_AUDIT, "checks", "checks.", CHECK_BEFORE, "]}", {
		{"check", 'i', true, "'delivered'"},
		{"product", 'i', false, "'cement'"},
		{"source", 'i', false, "'electricity'"},
		{"point", 'i', false, "'M1'"},
		{"unit", 'i', false, "'kgce'"},
		{"figures", 'L', false, "[" FIGURE "]"},
		{"ok", 'f', true, "false"},
		{"note", 't', false, "'no record of May'"},
	}},
	{ECERT_KIND_AUDIT, "checks.figures", "checks.figures.", CHECK_BEFORE "{'check': 'delivered', 'ok': true, 'figures': [", "]}]}", {
		{"of", 'c', true, "'year'"},
		{"declared", 'r', true, "12.5"},
		{"found", 'r', true, "null"},
		{"deviation", 'r', true, "-0.04"},
		{"tolerance", 'r', true, "0.03"},
	}},
	{ECERT_KIND_CERTIFICATE, "body", "", "", "", {
		{"number", 'i', true, "'C-2024-0001'"},
		{"issuer_name", 't', false, "'Certification body'"},
		{"issuer_names", 'M', false, "{'zh': '\xE8\xAE\xA4\xE8\xAF\x81', 'en': 'Certification body'}"},
		{"applicant", 'i', true, "'mill'"},
		{"name", 't', false, "'The mill'"},
		{"names", 'M', false, "{'zh': '\xE5\x8E\x82', 'en': 'The mill'}"},
		{"site", 't', false, "'Mill Road 1'"},
		{"title", 'M', false, "{'zh': '\xE8\xAF\x81', 'en': 'Certificate'}"},
		{"period", 'P', true, "[100, 200]"},
		{"baseline", 'P', true, "[0, 100]"},
		{"method", 'M', true, "{'name': 'value'}"},
		{"conventions", 'M', true, CONVENTIONS},
		{"calendar", 'i', true, "'Asia/Shanghai'"},
		{"figures", 'L', true, "[" PRODUCT_FIGURE ", {'of': 'product', 'product': 'new', 'unit': 't', 'base_kgce': null, 'base_output': null, 'base_unit_energy': null, "
			"'now_kgce': 5, 'now_output': 1, 'now_unit_energy': 5, 'saving_kgce': null, 'saving_rate': null, 'status': 'no_baseline'}, "
			TOTAL_FIGURE ", " COMPLETENESS_FIGURE "]"},
		{"rate", 'r', true, "0.0465"},
		{"safe_rate", 'r', LATER, "0.0401"},
		{"threshold", 'n', true, "0.05"},
		{"verdict", 'c', true, "'fail'"},
		{"valid", 'P', true, "[200, 300]"},
		{"policy", 'h', true, HASH_1},
		{"checkpoint", 'h', true, HASH_2},
		{"packages", 'M', true, DIGEST},
		{"audits", 'M', true, DIGEST},
		{"exceptions", 'X', true, "[]"},
		{"baseline_replaced", 'E', true, "[" HASH_1 ", " HASH_2 "]"},
		{"replaces", 'h', false, HASH_2},
	}},
	{ECERT_KIND_CERTIFICATE, "figures", "figures.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'figures': [", "]}", {
		{"of", 'c', true, "'product'"},
		{"product", 'i', true, "'cement'"},
		{"unit", 'i', true, "'t'"},
		{"base_kgce", 'r', true, "960100"},
		{"base_output", 'r', true, "5000"},
		{"base_unit_energy", 'r', true, "192.02"},
		{"now_kgce", 'r', true, "1008105"},
		{"now_output", 'r', true, "5600"},
		{"now_unit_energy", 'r', true, "180.01875"},
		{"saving_kgce", 'r', true, "-67207"},
		{"saving_rate", 'r', true, "null"},
		{"status", 'i', true, "'ok'"},
	}},
	{ECERT_KIND_CERTIFICATE, "figures", "figures.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'figures': [", "]}", {
		{"of", 'c', true, "'total'"},
		{"adjusted_base_kgce", 'r', true, "1600327"},
		{"now_kgce", 'r', true, "1525965"},
		{"saving_kgce", 'r', true, "74362"},
		{"saving_tce", 'r', true, "74.362"},
		{"saving_rate", 'r', true, "0.046466753"},
		{"structure_kgce", 'r', true, "-800"},
	}},
	{ECERT_KIND_CERTIFICATE, "figures", "figures.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'figures': [", "]}", {
		{"of", 'c', true, "'completeness'"},
		{"energy_packages", 'u', true, "12"},
		{"product_packages", 'u', true, "12"},
		{"base_energy_packages", 'u', true, "12"},
		{"base_product_packages", 'u', true, "0"},
	}},
	{ECERT_KIND_CERTIFICATE, "figures", "figures.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'figures': [", "]}", {
		{"of", 'c', true, "'confirmed'"},
		{"base_energy", 'S', true, "0.9"},
		{"base_output", 'S', true, "1"},
		{"now_energy", 'S', true, "0.85"},
		{"now_output", 'S', true, "0"},
	}},
	{ECERT_KIND_CERTIFICATE, "conventions", "conventions.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("figures", FIGURES_LIST) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'conventions': ", "}", {
		{"saving", 'c', true, "'baseline_minus_reporting'"},
		{"denominator", 'c', true, "'reporting'"},
		{"electricity", 't', true, "'calorific value'"},
	}},
	{ECERT_KIND_CERTIFICATE, "packages", "packages.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("figures", FIGURES_LIST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'packages': ", "}", {
		{"count", 'u', true, "36"},
		{"digest", 'h', true, HASH_2},
	}},
	{ECERT_KIND_CERTIFICATE, "audits", "audits.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("figures", FIGURES_LIST) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'audits': ", "}", {
		{"count", 'u', true, "0"},
		{"digest", 'h', true, HASH_2},
	}},
	{ECERT_KIND_CERTIFICATE, "issuer_names", "issuer_names.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("figures", FIGURES_LIST) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'issuer_names': ", "}", {
		{"en", 't', true, "'Body'"},
		{"zh", 't', true, "''"},
	}},
	{ECERT_KIND_CERTIFICATE, "names", "names.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("figures", FIGURES_LIST) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'names': ", "}", {
		{"en", 't', true, "'Mill'"},
		{"zh", 't', true, "''"},
	}},
	{ECERT_KIND_CERTIFICATE, "title", "title.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("figures", FIGURES_LIST) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST) CERTIFICATE_AFTER("exceptions", "[]")
		", 'title': ", "}", {
		{"en", 't', true, "'Certificate'"},
		{"zh", 't', true, "''"},
	}},
	{ECERT_KIND_CERTIFICATE, "exceptions", "exceptions.", CERTIFICATE_BEFORE CERTIFICATE_AFTER("conventions", CONVENTIONS) CERTIFICATE_AFTER("figures", FIGURES_LIST) CERTIFICATE_AFTER("packages", DIGEST) CERTIFICATE_AFTER("audits", DIGEST)
		", 'exceptions': [", "]}", {
		{"accepts", 'c', true, "'failed_peer_audit'"},
		{"product", 'i', false, "'cement'"},
		{"reason", 't', true, "'A new line'"},
	}},
	{ECERT_KIND_STATUS, "body", "", "", "", {
		{"certificate", 'h', true, HASH_1},
		{"status", 'c', true, "'suspended'"},
		{"reason", 't', true, "'Audit voided'"},
		{"replaced_by", 'h', false, HASH_2},
		{"checkpoint", 'h', true, HASH_2},
	}},
	{ECERT_KIND_REWARD, "body", "", "", "", {
		{"audit", 'h', true, HASH_1},
		{"auditor", 'i', true, "'grid'"},
		{"amount", 'a', true, "10.00"},
		{"checkpoint", 'h', true, HASH_2},
	}},
	{ECERT_KIND_CHECKPOINT, "body", "", "", "", {
		{"size", 'u', true, "1000000"},
		{"root", 'h', true, HASH_1},
		{"heads", 'L', true, "[['grid', 'audit', 0], ['mill', 'energy', 41]]"},
		{"tree", 'O', true, "1"},
		{"part", 'N', false, "[1, 2]"},
		{"seals", 'L', true, "[" SEAL_OF_1 ", {'alg': -9, 'kid': " HASH_2 ", 'signature': " SEAL "}]"},
		{"note", 't', false, "'ledger.example/e\n1000000\n'"},
	}},
	{ECERT_KIND_CHECKPOINT, "seals", "seals.", "{'size': 5, 'root': " HASH_1 ", 'tree': 1, 'heads': [['a', 'energy', 1]], 'seals': [", "]}", {
		{"alg", 'g', true, "-8"},
		{"kid", 'h', true, HASH_1},
		{"signature", 'z', true, SEAL},
	}},
	{ECERT_KIND_WITNESS, "body", "", "", "", {
		{"checkpoint", 'h', true, HASH_1},
		{"size", 'u', true, "1000000"},
		{"root", 'h', true, HASH_2},
		{"cosignature", 't', false, "'\xE2\x80\x94 witness.example AAAA'"},
	}},
};

/*
 * The shape's map in notation, to be freed: the required fields, the optional
 * ones of today too when full; field number changed has the value with, or is left out
 * when that is NULL.
 */
static char *
body_map_text(const BodyShape *shape, bool full, size_t changed, const char *with)
{
	char	   *text = diag_format("{");
	char	   *whole;

	for (size_t i = 0; i < COUNT(shape->fields) && shape->fields[i].name != NULL; i++)
	{
		const BodyField *field = &shape->fields[i];
		const char *value = i == changed ? with : field->required == true || (full && field->required != LATER) ? field->good : NULL;
		char	   *longer;

		if (value == NULL)
			continue;
		longer = diag_format("%s%s'%s': %s", text, text[1] == '\0' ? "" : ", ", field->name, value);
		free(text);
		text = longer;
	}
	whole = diag_format("%s}", text);
	free(text);
	return whole;
}

/* That map inside the rest of its body, to be freed */
static char *
body_text(const BodyShape *shape, const char *map)
{
	return diag_format("%s%s%s", shape->before, map, shape->after);
}

#endif							/* ECERT_TEST_BODIES_H */
