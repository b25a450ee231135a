/*
 * works.c
 *		What applicants say of themselves: energy and products of their periods,
 *		and corrections of both.
 */
#include "world.h"

Plant		plants[PLANTS_MAX];
int			plant_count;

/* A plant's packages of a kind */
Packs *
packs_of(Plant *plant, EcertKind kind)
{
	return kind == ECERT_KIND_ENERGY ? &plant->energy : &plant->product;
}

/* Some of the periods that a year has at a plant, as one period */
Window
period_of(const Plant *plant, int year, int first, int count)
{
	int64_t		start = BEGINNING + year * YEAR + first * plant->step;
	Window		window = {start, start + count * plant->step};

	return window;
}

/* Have an auditor audit a plant in a role */
void
relate(Plant *plant, const Node *auditor, Role role)
{
	Relation   *relation = &plant->relations[plant->relation_count];
	const char *auditor_id = auditor->id;
	const char *applicant = plant->node->id;
	int64_t		from = BEGINNING;
	char	   *to = one_in(6) ? text_of(", 'to': %" PRId64, now + 20 * YEAR) : strdup("");

	if (plant->relation_count == (int) COUNT(plant->relations))
		return;
	if (lie(LIE_RELATION_SELF))
		auditor_id = applicant;
	if (lie(LIE_RELATION_UNKNOWN))
		auditor_id = "nobody";
	if (lie(LIE_RELATION_NO_ROLE))
		applicant = CERTIFIER->id;
	if (lie(LIE_RELATION_LATER))
		from = now + 100 * DAY;
	if (lie(LIE_RELATION_CLOSED))
		to = text_of(", 'to': %" PRId64, now + DAY);
	if (lie(LIE_RELATION_ENDS_FIRST))
		to = text_of(", 'to': %" PRId64, from - (int64_t) below(2));
	(void) say(CERTIFIER, ECERT_KIND_RELATION, applicant,
			   text_of("{'auditor': '%s', 'applicant': '%s', 'as': '%s', 'from': %" PRId64 "%s}", auditor_id, applicant, role_names[role], from, to));
	relation->auditor = auditor;
	relation->role = role;
	plant->relation_count++;
}

/* Enroll an applicant and choose what it makes and how long its periods are */
void
new_plant(Plant *plant, const char *id)
{
	static const char *const products[] = {"steel", "cement", "钢 \"A\"", "b\\2", "paper", "Z"};
	static const char *const product_units[] = {"t", "t", "pcs", "10^4 t"};
	static const int64_t steps[] = {30 * DAY, 7 * DAY, DAY, 2629800, 3601};
	int			first = (int) below(COUNT(products));

	memset(plant, 0, sizeof *plant);
	plant->node = enroll(id, ROLE_APPLICANT | (one_in(3) ? ROLE_AUDITOR : 0));
	plant->product_count = (int) between(1, 3);
	for (int i = 0; i < plant->product_count; i++)
	{
		plant->products[i] = products[(first + i) % (int) COUNT(products)];
		plant->units[i] = one_in(2) ? "t" : PICK(product_units);
	}
	plant->with_values = one_in(2);
	plant->step = PICK(steps);
	plant->months = (int) between(1, 4);
}

/* ----- lines ----- */

/* A series of that sum over a period; NULL when the period cannot be divided so */
static char *
series_text(Window period, mpq_t sum)
{
	int64_t		length = period.end - period.start;
	int			count = PICK(((int[]) {1, 2, 3, 5, 24}));
	int			exponent = (int) between(-3, 1);
	int64_t		total = 0;
	char	   *values = strdup("");
	mpq_t		tenth;

	if (length % count != 0)
		return NULL;
	for (int i = 0; i < count; i++)
	{
		int64_t		value = one_in(5) ? 0 : (int64_t) below(100000);

		values = text_of("%s%s%" PRId64, values, i == 0 ? "" : ", ", value);
		total += value;
	}
	mpq_set_si(sum, total * (exponent > 0 ? 10 : 1), 1);
	mpq_init(tenth);
	mpq_set_si(tenth, 1, 10);
	for (int i = exponent; i < 0; i++)
		mpq_mul(sum, sum, tenth);
	if (lie(LIE_SERIES_LENGTH))
		length *= 2;
	return exponent == 0 ? text_of("{'step': %" PRId64 ", 'values': [%s]}", length / count, values) :
		text_of("{'step': %" PRId64 ", 'exp': %d, 'values': [%s]}", length / count, exponent, values);
}

/* An energy line in notation, and in the books */
static char *
energy_line(const Plant *plant, Window period, Line *line)
{
	const Way  *way = &IN_FORCE->ways[below((uint64_t) IN_FORCE->way_count)];
	const char *suppliers[] = {"supplier", "供应商", "nobody"};
	static const char *const said_beside[] = {
		"'covered': 60", "'estimated': true, 'note': 'the counter stood still'", "'apportioned': true, 'note': '按天分摊'",
		"'readings': '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'", "'buyer': 'x'"
	};
	char	   *series = one_in(4) ? series_text(period, line->quantity) : NULL;
	char	   *text;

	line->source = way->source;
	line->unit = way->unit;
	line->product = one_in(3) ? NULL : plant->products[below((uint64_t) plant->product_count)];
	if (series == NULL)
	{
		Amount		amount;

		random_amount(&amount, 6, -6, 2);
		if (lie(LIE_LARGE_NUMBER))
			random_amount(&amount, 17, -18, -1);
		if (lie(LIE_NEGATIVE_QUANTITY))
			snprintf(amount.text, sizeof amount.text, "-1");
		mpq_set(line->quantity, amount.value);
		text = text_of("'quantity': %s", amount.text);
	}
	else
		text = text_of("'series': %s", series);
	if (line->product != NULL)
		text = text_of("%s, 'product': '%s'", text, line->product);
	if (one_in(3))
		text = text_of("%s, 'supplier': '%s'", text, PICK(suppliers));
	if (one_in(3))
		text = text_of("%s, 'point': 'm%d'", text, (int) below(9));
	if (one_in(6))
		text = text_of("%s, %s", text, PICK(said_beside));
	if (lie(LIE_NOT_YET))
		text = text_of("%s, %s", text, one_in(2) ? "'dir': 'out', 'buyer': 'town'" : "'ncv': 20934.5");
	return text_of("{'source': '%s', 'unit': '%s', %s}", lie(LIE_UNKNOWN_SOURCE) ? "unknown" : line->source, line->unit, text);
}

/* To whom products went; empty: nothing is said of it */
static char *
deliveries_text(const Plant *plant)
{
	static const char *const buyers[] = {"buyer", "客户", "x"};
	char	   *text = strdup("");

	if (!one_in(3))
		return text;
	for (int i = (int) between(1, 3); i > 0; i--)
	{
		int			number = (int) below((uint64_t) plant->product_count);

		text = text_of("%s%s{'product': '%s', 'unit': '%s', 'buyer': '%s', 'quantity': %d%s}", text, text[0] == '\0' ? "" : ", ",
					   plant->products[number], plant->units[number], PICK(buyers), (int) below(100), one_in(2) ? ", 'value': 4([-2, 350])" : "");
	}
	return text_of(", 'deliveries': [%s]", text);
}

/* A product line in notation, and in the books */
static char *
product_line(const Plant *plant, int number, Line *line)
{
	Amount		output;
	Amount		value;
	const char *currency = one_in(8) ? "EUR" : "10^4 CNY";
	char	   *text;

	random_amount(&output, 5, -4, 1);
	random_amount(&value, 6, -3, 1);
	line->product = plant->products[number];
	line->unit = lie(LIE_OTHER_UNIT) ? "kg" : plant->units[number];
	mpq_set(line->quantity, output.value);
	text = output.text;
	if (one_in(25))
	{
		/* a plant that stands still consumes */
		mpq_set_si(line->quantity, -75, 10);
		mpq_canonicalize(line->quantity);
		text = one_in(2) ? text_of("4([-1, -75])") : text_of("4([-3, -7500])");
	}
	/* scrap: output is at least what is qualified */
	text = text_of("'output': %s, 'qualified': %s", one_in(3) && mpq_sgn(line->quantity) > 0 ? "90000000" : text, lie(LIE_QUALIFIED_MORE) ? "900000000" : text);
	line->has_value = plant->with_values && !one_in(15);
	if (line->has_value)
	{
		if (one_in(40))
		{
			mpq_set_si(value.value, -3, 2);
			snprintf(value.text, sizeof value.text, "4([-1, -15])");
		}
		mpq_set(line->value, value.value);
		text = text_of("%s, 'value': %s", text, value.text);
	}
	if (plant->with_values && !one_in(10))
	{
		line->currency = currency;
		text = text_of("%s, 'currency': '%s'", text, currency);
	}
	if (one_in(9))
		text = text_of("%s, 'covered': 3600, 'note': 'scales out of order'", text);
	return text_of("{'product': '%s', 'unit': '%s', %s}", line->product, line->unit, text);
}

/* The lines of a package, in notation and in the plant's own books */
static char *
lines_text(const Plant *plant, EcertKind kind, Pack *pack)
{
	const Window period = {pack->start, pack->end};
	int			count = kind == ECERT_KIND_ENERGY ? (int) between(1, 6) : plant->product_count + (one_in(5) ? 1 : 0);
	char	   *text = strdup("");

	for (int i = 0; i < count; i++)
	{
		Line	   *line = &pack->lines[pack->line_count++];

		mpq_init(line->quantity);
		mpq_init(line->value);
		text = text_of("%s%s%s", text, i == 0 ? "" : ", ",
					   kind == ECERT_KIND_ENERGY ? energy_line(plant, period, line) : product_line(plant, i % plant->product_count, line));
	}
	return text;
}

/* ----- packages ----- */

/* The place for a plant's next package of a kind */
static Pack *
new_pack(Packs *packs, int64_t start, int64_t end)
{
	Pack	   *pack = &packs->packs[packs->count];

	if (packs->count == PACKS_MAX)
		must(ECERT_NO_SPACE);
	memset(pack, 0, sizeof *pack);
	pack->start = start;
	pack->end = end;
	return pack;
}

/* The period as it is written, which may be a lie */
static Window
said_period(const Plant *plant, const Packs *packs, const Pack *pack)
{
	Window		period = {pack->start, pack->end};

	if (packs->count > 0 && lie(LIE_OVERLAP))
		period.start -= plant->step / 2;
	else if (packs->count > 1 && lie(LIE_BACKWARDS))
		period = (Window) {packs->packs[0].start, packs->packs[0].end};
	else if (lie(LIE_FAR_PERIOD))
		period = (Window) {one_in(2) ? 0 : period.start, one_in(2) ? ECERT_TIME_MAX : period.end};
	else if (lie(LIE_PERIOD_LONGER))
		period.end += plant->step / 3;
	return period;
}

/* Sign a package of energy or products */
static void
say_pack(Plant *plant, EcertKind kind, Pack *pack, const char *more)
{
	static const char *const not_yet[] = {", 'part': [1, 2]", ", 'stock': [{'source': '煤', 'unit': 't', 'opening': 5, 'closing': 4}]"};
	Packs	   *packs = packs_of(plant, kind);
	Window		period = said_period(plant, packs, pack);
	char	   *lines = lines_text(plant, kind, pack);

	pack->made = say(plant->node, kind, plant->node->id,
					 text_of("{'period': [%" PRId64 ", %" PRId64 "], 'lines': [%s]%s%s%s}", period.start, period.end, lines, more,
							 kind == ECERT_KIND_PRODUCT ? deliveries_text(plant) : "", lie(LIE_NOT_YET) ? PICK(not_yet) : ""));
	pack->seq = made[pack->made].seq;
	packs->count++;
}

/* The register of metering points, or what has changed of it */
static void
register_points(const Plant *plant)
{
	static const char *const more[] = {
		"", ", 'to': 2000000000", ", 'maker': '威胜', 'serial': '0815', 'class': '0.5S'", ", 'replaces': 'm99', 'calibration_due': 1900000000", ", 'product': 'steel'"
	};
	char	   *text = strdup("");

	for (int i = (int) between(1, 4); i > 0; i--)
		text = text_of("%s%s{'point': 'm%d', 'type': '%s', 'source': 'raw_coal', 'unit': 't', 'from': 1700000000%s}", text, text[0] == '\0' ? "" : ", ",
					   lie(LIE_POINT_TWICE) ? i - 1 : i, one_in(2) ? "meter" : "scale", lie(LIE_POINT_SERVICE) ? ", 'to': 1700000000" : PICK(more));
	(void) say(plant->node, ECERT_KIND_POINT, plant->node->id, text_of("{'points': [%s]}", text));
}

/* Declare the energy and the products of a period */
void
work(Plant *plant, int year, int month)
{
	const Window period = period_of(plant, year, month, 1);

	if (plant->node->revoked && !lie(LIE_AFTER_REVOKED))
		return;
	if (one_in(12))
		register_points(plant);
	say_pack(plant, ECERT_KIND_ENERGY, new_pack(&plant->energy, period.start, period.end), "");
	if (!one_in(60))
		say_pack(plant, ECERT_KIND_PRODUCT, new_pack(&plant->product, period.start, period.end), "");
}

/* The newest package of a period replaces the one before it */
void
correct(Plant *plant)
{
	EcertKind	kind = one_in(3) ? ECERT_KIND_PRODUCT : ECERT_KIND_ENERGY;
	Packs	   *packs = packs_of(plant, kind);
	const Pack *replaced;
	const char *hash;
	int			last;

	if (packs->count == 0 || (plant->node->revoked && !lie(LIE_AFTER_REVOKED)))
		return;
	replaced = &packs->packs[below((uint64_t) packs->count)];
	last = packs->count - 1;
	while (packs->packs[last].start != replaced->start)
		last--;
	hash = made[packs->packs[last].made].hex;
	if (lie(LIE_REPLACES_OLDER))
		hash = made[replaced->made].hex;
	if (lie(LIE_REPLACES_NONE))
		hash = made[below(made_count)].hex;
	if (packs->count > 1 && lie(LIE_REPLACES_OTHER_PERIOD))
		hash = made[packs->packs[below((uint64_t) packs->count)].made].hex;
	say_pack(plant, kind, new_pack(packs, replaced->start, replaced->end),
			 text_of(", 'replaces': ['%s']%s", hash, one_in(2) ? ", 'reason': 'a meter was read wrong'" : ""));
}

/* Whether no later package with that start takes a package's place */
static bool
is_newest(const Packs *packs, const Pack *pack, Window within, int64_t last)
{
	for (int i = 0; i < packs->count; i++)
	{
		const Pack *other = &packs->packs[i];

		if (other->start == pack->start && other->end <= within.end && other->seq > pack->seq && other->seq <= last)
			return false;
	}
	return true;
}

/* The packages of a period that count, corrections in place of what they replace */
int
live_packs(const Packs *packs, Window within, int64_t last, const Pack **live)
{
	int			count = 0;

	for (int i = 0; i < packs->count; i++)
	{
		const Pack *pack = &packs->packs[i];

		if (pack->start >= within.start && pack->end <= within.end && pack->seq <= last && is_newest(packs, pack, within, last))
			live[count++] = pack;
	}
	return count;
}
