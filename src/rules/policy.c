/*
 * policy.c
 *		Policies as they are read, and the rule of their kind: a policy does not
 *		contradict itself.
 */
#include "rules/policy.h"

#include <stdlib.h>

#include "rules/as_of.h"
#include "rules/coefficient.h"
#include "rules/table.h"

/* Things of a policy, each of which may be there once */
typedef struct NamedList
{
	EcertPair  *list;			/* sorted */
	size_t		count;
} NamedList;

static NamedList
read_named(EcertSlice policy, const char *key, const char *name, const char *unit, EcertArena *arena)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(policy, key, &count);
	NamedList	named = {ecert_arena_array(arena, (size_t) count, sizeof(EcertPair)), (size_t) count};

	for (size_t i = 0; i < named.count; i++)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);

		named.list[i].name = ecert_cbor_text_at(item, name);
		named.list[i].unit = ecert_cbor_text_at(item, unit);
	}
	ecert_sort(named.list, named.count, sizeof(EcertPair), ecert_compare_pairs);
	return named;
}

/* The first in byte order that is there twice; NULL: none */
static const EcertPair *
find_twice(const NamedList *named)
{
	for (size_t i = 1; i < named->count; i++)
	{
		if (ecert_compare_pairs(&named->list[i - 1], &named->list[i]) == 0)
			return &named->list[i];
	}
	return NULL;
}

/*
 * A source and unit with two ways to a coefficient, directly and through the
 * unit's base or through two bases: the first in byte order of source and then
 * of unit
 */
static bool
find_second_way(EcertSlice policy, const NamedList *coefficients, const NamedList *units, EcertArena *arena, EcertPair *found)
{
	const EcertCoefficients *ways = ecert_coefficients_new(arena, policy);

	for (size_t i = 0; i < coefficients->count; i++)
	{
		EcertSlice	source = coefficients->list[i].name;

		if (i > 0 && ecert_slice_equal(source, coefficients->list[i - 1].name))
			continue;
		for (size_t j = 0; j < units->count; j++)
		{
			/* a unit's bases lie together, and all of them are counted at the first */
			if ((j > 0 && ecert_slice_equal(units->list[j].name, units->list[j - 1].name)) ||
				ecert_coefficient_ways(ways, source, units->list[j].name) < 2)
				continue;
			found->name = source;
			found->unit = units->list[j].name;
			return true;
		}
	}
	return false;
}

/* A unit that is its own base, or of which none makes one */
static bool
check_factors(EcertSlice policy, EcertFinding *finding, EcertArena *arena)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(policy, "units", &count);

	while (count-- > 0)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		EcertSlice	unit = ecert_cbor_text_at(item, "unit");
		EcertText	factor = ecert_text_in(arena);
		EcertDecimal decimal;

		(void) ecert_field_decimal(item, "factor", &decimal);
		if (decimal.mantissa > 0 && !ecert_slice_equal(unit, ecert_cbor_text_at(item, "base")))
			continue;
		ecert_text_put_item(&factor, ecert_field_item(item, "factor"));
		return ECERT_FIND(finding, ECERT_UNIT_FACTOR, ecert_a_text(unit), ecert_a_text(ecert_text_slice(&factor)));
	}
	return true;
}

static bool
check_required(EcertSlice policy, EcertFinding *finding)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(ecert_field_item(policy, "audit"), "required", &count);
	bool		seen[ECERT_AS_UNKNOWN + 1] = {false};

	while (count-- > 0)
	{
		EcertAuditRole role = ecert_audit_role(ecert_cbor_text_at(ecert_cbor_skip(&cursor), "as"));

		if (seen[role])
			return ECERT_FIND(finding, ECERT_ROLE_TWICE, ecert_a_word(ecert_audit_role_name(role)));
		seen[role] = true;
	}
	return true;
}

/* Offsets from UTC run forward */
static bool
check_offsets(EcertSlice calendar, EcertFinding *finding)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(calendar, "offsets", &count);
	int64_t		before = -1;

	for (; count > 0; count--)
	{
		EcertCursor offset = cursor;
		EcertCborHead head;
		int64_t		from = 0;

		(void) ecert_cbor_head(&offset, &head, NULL);
		(void) ecert_cbor_int(ecert_cbor_skip(&offset), &from);
		if (from <= before)
			return ECERT_FIND(finding, ECERT_OFFSETS_BACKWARDS, ecert_a_time(from));
		before = from;
		(void) ecert_cbor_skip(&cursor);
	}
	return true;
}

/* How many of the shorter unit a unit of the calendar has, where they join; days and weeks join nothing but themselves and days */
static bool
is_multiple(EcertSlice unit, EcertSlice of)
{
	static const char *const longer[] = {"month", "quarter", "year"};
	size_t		place = 0;

	if (ecert_slice_equal(unit, of) || ecert_slice_equal(of, ecert_slice_text("day")))
		return true;
	while (place < 3 && !ecert_slice_equal(of, ecert_slice_text(longer[place])))
		place++;
	for (; place < 3; place++)
	{
		if (ecert_slice_equal(unit, ecert_slice_text(longer[place])))
			return true;
	}
	return false;
}

static bool
check_calendar(EcertSlice calendar, EcertFinding *finding)
{
	EcertSlice	pack = ecert_cbor_text_at(calendar, "pack");
	EcertSlice	statistics = ecert_cbor_text_at(calendar, "statistics");

	if (!is_multiple(statistics, pack))
		return ECERT_FIND(finding, ECERT_STATISTICS_UNIT, ecert_a_text(statistics), ecert_a_text(pack));
	return check_offsets(calendar, finding);
}

bool
ecert_check_policy(EcertSlice policy, EcertArena *arena, EcertFinding *finding)
{
	NamedList	coefficients = read_named(policy, "coefficients", "source", "unit", arena);
	NamedList	units = read_named(policy, "units", "unit", "base", arena);
	const EcertPair *twice;
	EcertPair	way;

	if ((twice = find_twice(&coefficients)) != NULL)
		return ECERT_FIND(finding, ECERT_COEFFICIENT_TWICE, ecert_a_text(twice->name), ecert_a_text(twice->unit));
	if ((twice = find_twice(&units)) != NULL)
		return ECERT_FIND(finding, ECERT_UNIT_TWICE, ecert_a_text(twice->name), ecert_a_text(twice->unit));
	if (find_second_way(policy, &coefficients, &units, arena, &way))
		return ECERT_FIND(finding, ECERT_UNIT_TWO_WAYS, ecert_a_text(way.name), ecert_a_text(way.unit));
	return check_factors(policy, finding, arena) && check_required(policy, finding) &&
		check_calendar(ecert_field_item(policy, "calendar"), finding);
}

/* The policy in a package; genesis has one among other things */
static EcertSlice
policy_in(const EcertPackage *package)
{
	return package->kind == ECERT_KIND_GENESIS ? ecert_field_item(package->body, "policy") : package->body;
}

bool
ecert_rule_policy(EcertCase *it)
{
	return ecert_check_policy(policy_in(it->package), it->rules->arena, it->finding);
}

static int
compare_required(const void *left, const void *right)
{
	const EcertRequired *a = left;
	const EcertRequired *b = right;

	return a->role != b->role ? (a->role > b->role) - (a->role < b->role) : (a->count > b->count) - (a->count < b->count);
}

static EcertPolicy
read_policy(EcertArena *arena, EcertSlice body)
{
	EcertSlice	certificate = ecert_field_item(body, "certificate");
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(ecert_field_item(body, "audit"), "required", &count);
	EcertPolicy policy;

	memset(&policy, 0, sizeof policy);
	policy.body = body;
	policy.required = ecert_arena_array(arena, (size_t) count, sizeof(EcertRequired));
	policy.required_count = (size_t) count;
	for (size_t i = 0; i < policy.required_count; i++)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);

		policy.required[i].role = ecert_audit_role(ecert_cbor_text_at(item, "as"));
		(void) ecert_field_int(item, "count", &policy.required[i].count);
	}
	ecert_sort(policy.required, policy.required_count, sizeof(EcertRequired), compare_required);
	policy.denominator = ecert_cbor_text_at(certificate, "denominator");
	policy.threshold_item = ecert_field_item(certificate, "threshold");
	policy.electricity = ecert_cbor_text_at(certificate, "electricity");
	policy.calendar = ecert_calendar_of(arena, body);
	policy.zone = ecert_cbor_text_at(ecert_field_item(body, "calendar"), "zone");
	policy.title = ecert_field_item(certificate, "title");
	(void) ecert_field_int(certificate, "valid_days", &policy.valid_days);
	(void) ecert_field_int(certificate, "seal_within", &policy.seal_within);
	policy.reward = ecert_field_item(body, "reward");
	return policy;
}

bool
ecert_policy_of_hash(EcertRules *rules, const uint8_t *hash, EcertPolicy *policy)
{
	EcertView  *view = rules->view;
	EcertEntry	entry;
	EcertPackage package;

	if (!view->by_hash(view, rules->arena, hash, &entry) ||
		(entry.kind != ECERT_KIND_POLICY && entry.kind != ECERT_KIND_GENESIS) || !view->package(view, &entry, &package))
		return false;
	*policy = read_policy(rules->arena, ecert_arena_copy(rules->arena, policy_in(&package)));
	return true;
}

void
ecert_policy_in_force(EcertRules *rules, uint8_t *hash)
{
	EcertEntry	newest;
	bool		found = ecert_newest_seen(rules, ECERT_KIND_POLICY, &newest);

	/* one that contradicts itself, or that is wrong otherwise, is never in force */
	while (found && !ecert_is_in_force(rules, &newest))
		found = ecert_last_until(rules, ECERT_KIND_POLICY, newest.seq - 1, &newest);
	memcpy(hash, found ? newest.hash : rules->view->genesis_hash, ECERT_HASH_SIZE);
}
