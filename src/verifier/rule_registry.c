/*
 * rule_registry.c
 *		The rules of kinds node, relation and policy (src/registry).
 */
#include "verifier/rules.h"

#include <stdlib.h>

/* Is a key of the history, in a later list, the same key, with its end in place or earlier */
static bool
is_carried_on(EcertSlice key, EcertSlice later)
{
	static const char *const fixed[] = {"alg", "kid", "public", "effective"};
	int64_t		until,
				later_until;

	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
	{
		if (!ecert_slice_equal(field_item(key, fixed[i]), field_item(later, fixed[i])))
			return false;
	}
	return !field_int(key, "until", &until) || (field_int(later, "until", &later_until) && later_until <= until);
}

static bool
has_key(EcertSlice body, EcertSlice key)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "keys", &count);

	while (count-- > 0)
	{
		if (is_carried_on(key, ecert_cbor_skip(&cursor)))
			return true;
	}
	return false;
}

/* The kid of the first earlier key that is not carried on; of size 0: none */
static EcertSlice
lost_key(EcertSlice state, EcertSlice body)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(state, "keys", &count);

	while (count-- > 0)
	{
		EcertSlice	key = ecert_cbor_skip(&cursor);

		if (!has_key(body, key))
			return ecert_cbor_text_at(key, "kid");
	}
	return ecert_slice(NULL, 0);
}

static int
compare_slices(const void *left, const void *right)
{
	return ecert_slice_compare(*(const EcertSlice *) left, *(const EcertSlice *) right);
}

static bool
lists_key_twice(Case *it)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(it->package.body, "keys", &count);
	EcertSlice *kids = arena_alloc(&it->rules->arena, (count + 1) * sizeof(EcertSlice));

	for (uint64_t i = 0; i < count; i++)
		kids[i] = ecert_cbor_text_at(ecert_cbor_skip(&cursor), "kid");
	qsort(kids, count, sizeof(EcertSlice), compare_slices);
	for (uint64_t i = 1; i < count; i++)
	{
		if (ecert_slice_equal(kids[i - 1], kids[i]))
			return true;
	}
	return false;
}

bool
rule_node(Case *it)
{
	EcertSlice	body = it->package.body;
	EcertSlice	node = ecert_cbor_text_at(body, "node");
	uint32_t	id = field_id(it->rules->ledger, body, "node");
	EcertSlice	lost = {NULL, 0};
	EcertSlice	state;

	if (node_state(it->rules, id, it->entry->seq, &state))
		lost = lost_key(state, body);
	if (lost.size > 0)
		SAY(it, "node package of \"%.*s\" changes the history of its keys (Key %.*s is missing, or its times differ.)", TEXT(node), TEXT(lost));
	else if (id == ledger_certifier(it->rules->ledger) && !field_has(body, "roles", "certifier"))
		SAY(it, "the certifier cannot give up its role");
	else if (lists_key_twice(it))
		SAY(it, "node package of \"%.*s\" lists a key twice", TEXT(node));
	else
		return true;
	return false;
}

/* As the newest state says it */
static bool
is_enrolled(Rules *rules, EcertSlice node, const char *role)
{
	EcertSlice	state;

	return node_state(rules, ledger_id(rules->ledger, node), INT64_MAX, &state) && field_has(state, "roles", role);
}

bool
rule_relation(Case *it)
{
	static const char *const roles[] = {"auditor", "applicant"};
	EcertSlice	body = it->package.body;
	EcertSlice	nodes[2] = {ecert_cbor_text_at(body, roles[0]), ecert_cbor_text_at(body, roles[1])};
	int64_t		from,
				to;

	if (ecert_slice_equal(nodes[0], nodes[1]))
	{
		SAY(it, "node \"%.*s\" may not audit itself", TEXT(nodes[0]));
		return false;
	}
	if (field_int(body, "to", &to) && field_int(body, "from", &from) && to <= from)
	{
		SAY(it, "the relation ends before it begins");
		return false;
	}
	for (size_t i = 0; i < 2; i++)
	{
		if (!is_enrolled(it->rules, nodes[i], roles[i]))
		{
			SAY(it, "a relation needs an enrolled auditor and an enrolled applicant (\"%.*s\" is not enrolled as %s.)", TEXT(nodes[i]), roles[i]);
			return false;
		}
	}
	return true;
}

/* A thing of a policy that may be there once, by two texts */
typedef struct Named
{
	EcertSlice	name;
	EcertSlice	unit;
} Named;

static int
compare_named(const void *left, const void *right)
{
	const Named *a = left;
	const Named *b = right;
	int			order = ecert_slice_compare(a->name, b->name);

	return order != 0 ? order : ecert_slice_compare(a->unit, b->unit);
}

/* The first in byte order that is there twice; NULL: none.  Sorts the list */
static const Named *
find_twice(Named *list, size_t count)
{
	qsort(list, count, sizeof(Named), compare_named);
	for (size_t i = 1; i < count; i++)
	{
		if (compare_named(&list[i - 1], &list[i]) == 0)
			return &list[i];
	}
	return NULL;
}

static Named *
read_named(Case *it, const char *list, const char *name, const char *unit, size_t *count)
{
	uint64_t	items;
	EcertCursor cursor = ecert_cbor_items_at(it->package.body, list, &items);
	Named	   *named = arena_alloc(&it->rules->arena, (items + 1) * sizeof(Named));

	for (*count = 0; *count < items; (*count)++)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);

		named[*count].name = ecert_cbor_text_at(item, name);
		named[*count].unit = ecert_cbor_text_at(item, unit);
	}
	return named;
}

static bool
contains(const Named *sorted, size_t count, EcertSlice name, EcertSlice unit)
{
	Named		wanted = {name, unit};

	return bsearch(&wanted, sorted, count, sizeof(Named), compare_named) != NULL;
}

static bool
goes_through(const Named *coefficients, size_t count, EcertSlice source, const Named *unit, const Named *last)
{
	for (; unit < last; unit++)
	{
		if (contains(coefficients, count, source, unit->unit))
			return true;
	}
	return false;
}

/*
 * A source and unit with two ways to a coefficient: directly and through the
 * unit's base, or through two bases.  Both lists are sorted and hold nothing
 * twice, so the ways to (source, unit) are those of the unit's own bases.
 */
static bool
find_second_way(const Named *coefficients, size_t count, const Named *units, size_t unit_count, Named *found)
{
	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < unit_count; j++)
		{
			size_t		of_unit = j + 1;

			if (!ecert_slice_equal(units[j].unit, coefficients[i].unit))
				continue;
			while (of_unit < unit_count && ecert_slice_equal(units[of_unit].name, units[j].name))
				of_unit++;
			if (contains(coefficients, count, coefficients[i].name, units[j].name) ||
				goes_through(coefficients, count, coefficients[i].name, &units[j + 1], &units[of_unit]))
			{
				found->name = coefficients[i].name;
				found->unit = units[j].name;
				return true;
			}
		}
	}
	return false;
}

/* A unit that is its own base, or of which none makes one */
static bool
find_bad_unit(Case *it, EcertSlice *unit, char *factor)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(it->package.body, "units", &count);

	while (count-- > 0)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		EcertDecimal decimal;

		*unit = ecert_cbor_text_at(item, "unit");
		(void) field_decimal(item, "factor", &decimal);
		(void) ecert_decimal_text(decimal, factor);
		if (decimal.mantissa <= 0 || ecert_slice_equal(*unit, ecert_cbor_text_at(item, "base")))
			return true;
	}
	return false;
}

static AuditRole
find_role_twice(Case *it)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(field_item(it->package.body, "audit"), "required", &count);
	bool		seen[AS_UNKNOWN + 1] = {false};

	while (count-- > 0)
	{
		AuditRole	role = audit_role(ecert_cbor_text_at(ecert_cbor_skip(&cursor), "as"));

		if (seen[role])
			return role;
		seen[role] = true;
	}
	return AS_UNKNOWN;
}

bool
rule_policy(Case *it)
{
	size_t		count,
				unit_count;
	Named	   *coefficients = read_named(it, "coefficients", "source", "unit", &count);
	Named	   *units = read_named(it, "units", "unit", "base", &unit_count);
	const Named *twice;
	Named		way;
	EcertSlice	unit;
	char		factor[ECERT_DECIMAL_TEXT_MAX];
	AuditRole	role;

	if ((twice = find_twice(coefficients, count)) != NULL)
		SAY(it, "the policy contradicts itself (Coefficient of source \"%.*s\" in unit \"%.*s\" is there twice.)", TEXT(twice->name), TEXT(twice->unit));
	else if ((twice = find_twice(units, unit_count)) != NULL)
		SAY(it, "the policy contradicts itself (Unit \"%.*s\" is there twice for base \"%.*s\".)", TEXT(twice->name), TEXT(twice->unit));
	else if (find_second_way(coefficients, count, units, unit_count, &way))
		SAY(it, "the policy contradicts itself (Source \"%.*s\" in unit \"%.*s\" has more than one way to a coefficient.)", TEXT(way.name), TEXT(way.unit));
	else if (find_bad_unit(it, &unit, factor))
		SAY(it, "the policy contradicts itself (Unit \"%.*s\" has factor %s.)", TEXT(unit), factor);
	else if ((role = find_role_twice(it)) != AS_UNKNOWN)
		SAY(it, "the policy contradicts itself (Audits as %s are required twice.)", audit_role_name(role));
	else
		return true;
	return false;
}
