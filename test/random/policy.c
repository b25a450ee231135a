/*
 * policy.c
 *		Policies: coefficients and units that lead to kilograms of standard coal
 *		in one way each, but where a policy is to contradict itself.
 */
#include "world.h"

const char *const role_names[ROLES] = {"upstream", "peer", "downstream"};
Policy		policies[POLICIES_MAX];
int			policy_count;

/* What the ledger's policies agree in */
static int	source_count;
static int	required[ROLES];
static uint64_t units_known;

static const struct
{
	const char *source;
	const char *unit;
}			sources[] = {
	{"raw_coal", "kg"}, {"electricity", "kWh"}, {"natural gas", "m3"}, {"steam \"A\"", "GJ"}, {"lump", "t"}, {"柴油", "kg"}, {"zero", "kWh"}
};

static const struct
{
	const char *unit;
	const char *base;
	int			power;			/* of 10; 0: any factor */
}			units[] = {
	{"t", "kg", 3}, {"MWh", "kWh", 3}, {"GWh", "kWh", 6}, {"10^4 m3", "m3", 4}, {"g", "kg", -3}, {"bag\\", "kg", 0}
};

/* A list in the making */
typedef struct Text
{
	char	   *text;
	size_t		size;
	FILE	   *out;
	int			items;
} Text;

/* Begin a list */
static void
open_text(Text *text)
{
	text->items = 0;
	text->out = open_memstream(&text->text, &text->size);
}

/* End a list; its text */
static char *
close_text(Text *text)
{
	(void) fclose(text->out);
	return text->text;
}

/* Where the next item of a list is written to */
static FILE *
next_item(Text *text)
{
	if (text->items++ > 0)
		fputs(", ", text->out);
	return text->out;
}

/* Write a coefficient */
static void
put_coefficient(Text *text, const char *source, const char *unit, const char *kgce)
{
	fprintf(next_item(text), "{'source': '%s', 'unit': '%s', 'kgce': %s%s%s}", source, unit, kgce,
			one_in(3) ? ", 'edition': 'GB/T 2589-2020'" : "", one_in(3) ? ", 'citation': 'table \\A.1\\'" :
			one_in(3) ? ", 'kgco2': 2.66, 'names': {'zh': '煤', 'en': 'coal'}" : "");
}

/* Note that a source in a unit has a way to kilograms of standard coal */
static void
add_way(Policy *policy, const char *source, const char *unit, const mpq_t kgce)
{
	Way		   *way = &policy->ways[policy->way_count];

	if (policy->way_count == (int) COUNT(policy->ways))
		return;
	policy->way_count++;
	way->source = source;
	way->unit = unit;
	mpq_init(way->kgce);
	mpq_set(way->kgce, kgce);
}

/* Coefficients of the sources in their own units, and maybe again */
static char *
coefficients_text(Policy *policy)
{
	int			first = source_count > 1 && lie(LIE_SOURCE_GONE) ? 1 : 0;
	Text		text;

	open_text(&text);
	for (int i = first; i < source_count; i++)
	{
		Amount		kgce;

		random_amount(&kgce, 5, -4, 0);
		if (strcmp(sources[i].source, "zero") == 0)
			random_amount(&kgce, 1, -18, -18);
		put_coefficient(&text, sources[i].source, sources[i].unit, kgce.text);
		add_way(policy, sources[i].source, sources[i].unit, kgce.value);
		if (lie(LIE_COEFFICIENT_TWICE))
			put_coefficient(&text, sources[i].source, sources[i].unit, one_in(3) ? kgce.text : "0.5");
		if (strcmp(sources[i].unit, "kg") == 0 && lie(LIE_TWO_WAYS))
			put_coefficient(&text, sources[i].source, "t", "700");
	}
	return close_text(&text);
}

/* The ways through a unit to the coefficients in its base */
static void
add_ways_through(Policy *policy, const char *unit, const char *base, const mpq_t factor)
{
	int			count = policy->way_count;

	for (int i = 0; i < count; i++)
	{
		mpq_t		kgce;

		if (strcmp(policy->ways[i].unit, base) != 0)
			continue;
		mpq_init(kgce);
		mpq_mul(kgce, policy->ways[i].kgce, factor);
		add_way(policy, policy->ways[i].source, unit, kgce);
	}
}

/* The factor of a unit: a power of 10, written in one of two ways, or any number */
static void
choose_factor(int unit, Amount *factor)
{
	int			power = units[unit].power;
	mpz_t		ten;

	random_amount(factor, 3, -1, 1);
	if (power == 0 && mpq_sgn(factor->value) != 0)
		return;
	mpz_init(ten);
	mpz_ui_pow_ui(ten, 10, (unsigned long) abs(power));
	mpq_set_z(factor->value, ten);
	if (power < 0)
		mpq_inv(factor->value, factor->value);
	if (one_in(2))
		put_decimal(factor->text, sizeof factor->text, 1, power);
	else
		put_decimal(factor->text, sizeof factor->text, 100, power - 2);
	mpz_clear(ten);
}

/* Write a unit, and note the ways that go through it */
static void
put_unit(Policy *policy, Text *text, int i)
{
	Amount		factor;

	choose_factor(i, &factor);
	fprintf(next_item(text), "{'unit': '%s', 'base': '%s', 'factor': %s}", units[i].unit, units[i].base, factor.text);
	if (lie(LIE_UNIT_TWICE))
		fprintf(next_item(text), "{'unit': '%s', 'base': '%s', 'factor': %s}", units[i].unit, units[i].base, one_in(2) ? factor.text : "7");
	add_ways_through(policy, units[i].unit, units[i].base, factor.value);
}

/* The units that this ledger's policies know */
static char *
units_text(Policy *policy)
{
	Text		text;

	open_text(&text);
	for (int i = 0; i < (int) COUNT(units); i++)
	{
		if ((units_known >> i & 1) != 0)
			put_unit(policy, &text, i);
	}
	if (lie(LIE_TWO_BASES))
		fprintf(next_item(&text), "{'unit': 't', 'base': 'kWh', 'factor': 3}");
	if (lie(LIE_FACTOR_ZERO))
		fprintf(next_item(&text), "{'unit': 'nothing', 'base': 'kg', 'factor': %s}", one_in(2) ? "0" : "0.00");
	if (lie(LIE_OWN_BASE))
		fprintf(next_item(&text), "{'unit': 'kg', 'base': 'kg', 'factor': 1}");
	return close_text(&text);
}

/* What a policy says about audits */
static char *
audit_text(Policy *policy)
{
	Text		text;
	char	   *list;

	open_text(&text);
	for (int role = 0; role < ROLES; role++)
	{
		policy->required[role] = required[role];
		if (required[role] > 0)
			fprintf(next_item(&text), "{'as': '%s', 'count': %" PRId64 "}", role_names[role], lie(LIE_COUNT_HUGE) ? INT64_C(3000000000) : required[role]);
	}
	if (text.items > 0 && lie(LIE_REQUIRED_TWICE))
		for (int role = 0; role < ROLES; role++)
			if (required[role] > 0)
				fprintf(next_item(&text), "{'as': '%s', 'count': %d}", role_names[role], required[role] + (int) below(2));
	list = close_text(&text);
	return text_of("{'required': [%s], 'upstream': {'tolerance': 0.0%d}, 'downstream': {'tolerance': %d}, "
				   "'peer': {'k': %d.5, 'floor': 0.05, 'band': 0.50, 'minimum': %d}, 'audit_days': 30}", list, (int) below(10), (int) below(2),
				   (int) below(4), (int) below(3));
}

/* Civil dates; a zone whose clocks change twice a year, or never do */
static char *
calendar_text(void)
{
	static const char *const offsets[] = {"[946684800, 28800]", "[946684800, 3600], [954032400, 7200], [972781200, 3600]"};
	static const char *const spans[] = {"'pack': 'month', 'statistics': 'year'", "'pack': 'day', 'statistics': 'week'", "'pack': 'week', 'statistics': 'week'",
		"'pack': 'month', 'statistics': 'quarter'"};
	static const char *const torn[] = {"'pack': 'week', 'statistics': 'month'", "'pack': 'year', 'statistics': 'month'", "'pack': 'month', 'statistics': 'week'"};

	return text_of("{'zone': '" ZONE "', 'offsets': [%s], 'year_start': %d, %s}", lie(LIE_OFFSETS) ? "[5, 1], [5, 2]" : PICK(offsets),
				   (int) between(1, 12), lie(LIE_STATISTICS) ? PICK(torn) : PICK(spans));
}

/* What a policy says about certificates */
static char *
terms_text(Policy *policy)
{
	bool		negative = one_in(4);
	Amount	   *threshold = &policy->threshold;

	random_amount(threshold, 3, -3, -1);
	if (one_in(4))
	{
		mpq_set_si(threshold->value, 0, 1);
		snprintf(threshold->text, sizeof threshold->text, "%s", one_in(2) ? "0" : "4([-3, 0])");
	}
	else if (negative && mpq_sgn(threshold->value) > 0)
	{
		mpq_set_si(threshold->value, -5, 100);
		mpq_canonicalize(threshold->value);
		snprintf(threshold->text, sizeof threshold->text, "%s", one_in(2) ? "4([-2, -5])" : "4([-4, -500])");
	}
	policy->by_reporting = one_in(2);
	policy->valid_days = between(1, 1100);
	if (lie(LIE_LONG_VALIDITY))
		policy->valid_days = one_in(2) ? INT64_MAX / DAY : INT64_MAX / 3;
	policy->is_strict = one_in(2);
	policy->electricity = one_in(3) ? "equivalent" : "calorific";
	policy->title = one_in(4) ? "{'zh': '节能证书', 'en': 'Certificate'}" : NULL;
	return text_of("{'threshold': %s, 'strict': %s, 'denominator': '%s', 'valid_days': %" PRId64 ", 'baseline': {%s}, 'witnesses': %d, "
				   "'attribution': {'rule': '%s'}, 'electricity': '%s', 'confirmed_min': {'energy': 0.8, 'output': 1}, 'seal_within': 3600, "
				   "'automatic': {'on': %s, 'days': 90}%s%s}", threshold->text, policy->is_strict ? "true" : "false",
				   policy->by_reporting ? "reporting" : "baseline", policy->valid_days,
				   one_in(4) ? "'rule': 'fixed', 'period': [0, 1000]" : "'rule': 'year_before'", one_in(4) ? 1 : 0,
				   lie(LIE_NOT_YET) ? "value" : "direct", policy->electricity, one_in(2) ? "true" : "false",
				   policy->title == NULL ? "" : ", 'title': ", policy->title == NULL ? "" : policy->title);
}

/* A policy body in notation, and what it comes to */
char *
policy_text(Policy *policy, bool in_genesis)
{
	char	   *lists[2];

	memset(policy, 0, sizeof *policy);
	if (in_genesis)
	{
		source_count = (int) between(1, COUNT(sources));
		units_known = below(64) | below(64);
		for (int role = 0; role < ROLES; role++)
			required[role] = (int) below(one_in(4) ? 3 : 2);
	}
	for (int role = 0; role < ROLES; role++)
	{
		Amount		amount;

		random_amount(&amount, 3, -2, 1);
		policy->reward_text[role] = strdup(amount.text);
	}
	lists[0] = coefficients_text(policy);
	lists[1] = units_text(policy);
	return text_of("{'coefficients': [%s], 'units': [%s], 'calendar': %s, "
				   "'completeness': {'covered_min': 0.9, 'estimated_max': 0, 'signed_within': 31, 'packing_deadline': 9}, 'audit': %s, 'certificate': %s, 'reward': {'upstream': %s, 'peer': %s, 'downstream': %s, "
				   "'unit': '%s'}}", lists[0], lists[1], calendar_text(), audit_text(policy), terms_text(policy), policy->reward_text[UPSTREAM],
				   policy->reward_text[PEER], policy->reward_text[DOWNSTREAM], one_in(2) ? "point" : "点");
}

/* Put another policy in force, with other numbers for the same sources and units */
void
change_policy(void)
{
	Policy	   *policy = &policies[policy_count];
	size_t		number;

	if (policy_count == POLICIES_MAX)
		return;
	number = say(CERTIFIER, ECERT_KIND_POLICY, origin, policy_text(policy, false));
	policy->hash = made[number].hex;
	policy_count++;
}
