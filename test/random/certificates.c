/*
 * certificates.c
 *		Certificates with the figures that they must have, or others, and what
 *		becomes of them.
 */
#include "world.h"

#include <time.h>

#define CERTIFICATES_MAX 32

typedef struct Certificate
{
	const Plant *plant;
	Window		period;
	size_t		made;
	const char *status;
} Certificate;

static Certificate certificates[CERTIFICATES_MAX];
static int	certificate_count;

/* The body of a certificate, part by part */
typedef struct Draft
{
	Plant	   *plant;
	const Policy *policy;
	Window		period;
	Window		base;
	bool		by_value;
	const char *applicant;
	const char *policy_hash;
	Figures		figures;
	int			counts[4];
	char	   *packages;
	int64_t		energy_last;	/* the state of the feeds it is computed at */
	int64_t		product_last;
	char	   *audits;
	char	   *replaced;
	bool		is_failed;
	const char *checkpoint;
	int64_t		valid_start;
} Draft;

/* A figure, or null where it is not defined */
static const char *
or_null(const char *text)
{
	return text == NULL ? "null" : text;
}

/* ----- parts ----- */

/* ----- what it rests on ----- */

typedef struct Hashes
{
	uint8_t		list[AUDITS_MAX + 4 * PACKS_MAX][ECERT_HASH_SIZE];
	int			count;
} Hashes;

static int
compare_hashes(const void *a, const void *b)
{
	return memcmp(a, b, ECERT_HASH_SIZE);
}

static void
put_hash(Hashes *hashes, size_t number)
{
	memcpy(hashes->list[hashes->count++], made[number].hash, ECERT_HASH_SIZE);
}

/* Count and digest in notation */
static char *
digest_text(Hashes *hashes, bool wrong_count)
{
	EcertSlice	all = ecert_slice(hashes->list, (size_t) hashes->count * ECERT_HASH_SIZE);
	uint8_t		digest[ECERT_HASH_SIZE];

	qsort(hashes->list, (size_t) hashes->count, ECERT_HASH_SIZE, compare_hashes);
	must(ecert_sha256(&all, 1, digest));
	return text_of("{'count': %d, 'digest': '%s'}", hashes->count + (wrong_count ? 1 : 0), hex_of(digest, sizeof digest));
}

/* The live packages of both periods, and how many */
static void
put_packages(Draft *draft)
{
	static const EcertKind kinds[2] = {ECERT_KIND_ENERGY, ECERT_KIND_PRODUCT};
	static Hashes hashes;

	hashes.count = 0;
	for (int i = 0; i < 4; i++)
	{
		const Pack *live[PACKS_MAX];
		EcertKind	kind = kinds[i / 2];
		int			count = live_packs(packs_of(draft->plant, kind), i % 2 == 0 ? draft->base : draft->period,
									   kind == ECERT_KIND_ENERGY ? draft->energy_last : draft->product_last, live);

		draft->counts[i] = count;
		for (int j = 0; j < count; j++)
			put_hash(&hashes, live[j]->made);
	}
	if (lie(LIE_PACKAGES))
		put_hash(&hashes, below(made_count));
	draft->packages = digest_text(&hashes, lie(LIE_PACKAGE_COUNT));
}

/* Whether two periods have a time in common */
static bool
overlap(Window a, Window b)
{
	return a.start < b.end && b.start < a.end;
}

/* The first package that takes another's place within a window; NULL: none does */
static const Pack *
next_of(const Packs *packs, const Pack *pack, Window within)
{
	const Pack *next = NULL;

	for (int i = 0; i < packs->count && pack->end <= within.end; i++)
	{
		const Pack *other = &packs->packs[i];

		if (other->start == pack->start && other->end <= within.end && other->seq > pack->seq && (next == NULL || other->seq < next->seq))
			next = other;
	}
	return next;
}

/* The audits over it that no correction has overtaken, whatever they say; does one of them fail? */
static void
put_audits(Draft *draft)
{
	static Hashes hashes;

	hashes.count = 0;
	draft->is_failed = false;
	for (int i = 0; i < audit_count; i++)
	{
		const Audit *audit = &audits[i];
		bool		fails = strcmp(audit->verdict, "fail") == 0;

		if (audit->plant != draft->plant || (!overlap(audit->period, draft->period) && !overlap(audit->period, draft->base)) || is_overtaken(audit))
			continue;
		draft->is_failed = draft->is_failed || fails;
		if ((is_over(audit, draft->plant, draft->period) || is_over(audit, draft->plant, draft->base)) && !(fails && lie(LIE_FAILING_AUDIT)))
			put_hash(&hashes, audit->made);
	}
	if (lie(LIE_NO_AUDITS))
		hashes.count = 0;
	draft->audits = digest_text(&hashes, false);
}

/* The packages of the baseline that others took the place of after the period had begun */
static void
put_baseline_replaced(Draft *draft)
{
	static Hashes hashes;

	hashes.count = 0;
	for (int kind = 0; kind < 2; kind++)
	{
		const Packs *packs = kind == 0 ? &draft->plant->energy : &draft->plant->product;

		for (int i = 0; i < packs->count; i++)
		{
			const Pack *next = packs->packs[i].start < draft->base.start ? NULL : next_of(packs, &packs->packs[i], draft->base);

			if (next != NULL && made[next->made].issued_at >= draft->period.start)
				put_hash(&hashes, packs->packs[i].made);
		}
	}
	if (lie(LIE_BASELINE_REPLACED))
		hashes.count = hashes.count > 0 ? 0 : 1;
	qsort(hashes.list, (size_t) hashes.count, ECERT_HASH_SIZE, compare_hashes);
	draft->replaced = strdup("");
	for (int i = 0; i < hashes.count; i++)
		draft->replaced = text_of("%s%s'%s'", draft->replaced, i == 0 ? "" : ", ", hex_of(hashes.list[i], ECERT_HASH_SIZE));
}

/* One row of products, with one figure replaced when wrong names it */
static char *
product_text(const Figures *figures, int n, int wrong)
{
	char	   *text = text_of("'of': 'product', 'product': '%s', 'unit': '%s', 'status': '%s'", figures->products[n],
							   lie(LIE_UNIT) ? "kg" : figures->units[n] == NULL ? "-" : figures->units[n],
							   lie(LIE_STATUS_OF_PRODUCT) ? "no_reporting" : figures->statuses[n]);

	for (int i = 0; i < FIGURES; i++)
		text = text_of("%s, '%s': %s", text, figure_names[i], i == wrong ? (one_in(3) ? "null" : "12.5") : or_null(figures->figures[n][i]));
	return text_of("{%s}", text);
}

/* All rows of products, which may be one short, in another order or have a wrong figure */
static char *
products_text(const Figures *figures)
{
	int			wrong_row = lie(LIE_FIGURE) ? (int) below((uint64_t) figures->count) : -1;
	int			missing = figures->count > 1 && lie(LIE_PRODUCT_MISSING) ? (int) below((uint64_t) figures->count) : -1;
	bool		is_turned = figures->count > 1 && lie(LIE_PRODUCT_ORDER);
	char	   *text = strdup("");

	for (int i = 0; i < figures->count; i++)
	{
		int			n = is_turned ? figures->count - 1 - i : i;

		if (i != missing)
			text = text_of("%s%s%s", text, text[0] == '\0' ? "" : ", ", product_text(figures, n, n == wrong_row ? (int) below(FIGURES) : -1));
	}
	return text;
}

/* The totals, one of which may be wrong */
static char *
totals_text(const Figures *figures)
{
	int			wrong = lie(LIE_TOTAL) ? (int) below(TOTALS) : -1;
	char	   *text = strdup("'of': 'total'");

	for (int i = 0; i < TOTALS; i++)
		text = text_of("%s, '%s': %s", text, total_names[i], i == wrong ? (one_in(3) ? "null" : "-3.25") : or_null(figures->totals[i]));
	return text;
}

/* How many packages of each kind and period the certificate says that it used */
static char *
completeness_text(const int *counts)
{
	int			more = lie(LIE_COMPLETENESS) ? 1 : 0;

	return text_of("{'of': 'completeness', 'base_energy_packages': %d, 'energy_packages': %d, 'base_product_packages': %d, 'product_packages': %d}",
				   counts[0] + more, counts[1], counts[2], counts[3]);
}

/* Products, the total, completeness; in another order, or one of them twice */
static char *
figures_text(const Draft *draft)
{
	char	   *products = products_text(&draft->figures);
	char	   *total = text_of("{%s}", totals_text(&draft->figures));
	char	   *completeness = completeness_text(draft->counts);

	if (lie(LIE_ROW_ORDER))
		return text_of("%s, %s, %s", total, products, completeness);
	if (lie(LIE_ROW_TWICE))
		return text_of("%s, %s, %s, %s", products, total, total, completeness);
	return text_of("%s, %s, %s", products, total, completeness);
}

/* The number that the year of the period and the place in the feed give */
static char *
number_text(const Draft *draft, int64_t seq)
{
	time_t		start = (time_t) draft->period.start;
	struct tm	time;

	(void) gmtime_r(&start, &time);
	return text_of("EC-%d-%06" PRId64, 1900 + time.tm_year, seq + 1 + (lie(LIE_NUMBER) ? 1 : 0));
}

/* The newest certificate for an overlapping period, whose place this one takes */
static char *
replaces_text(const Draft *draft)
{
	const Certificate *before = NULL;

	for (int i = 0; i < certificate_count; i++)
	{
		if (certificates[i].plant == draft->plant && overlap(certificates[i].period, draft->period))
			before = &certificates[i];
	}
	if (lie(LIE_REPLACES))
		return before != NULL && one_in(2) ? strdup("") : text_of(", 'replaces': '%s'", made[below(made_count)].hex);
	return before == NULL ? strdup("") : text_of(", 'replaces': '%s'", made[before->made].hex);
}

/* A field in notation, which is left out where there is nothing to say */
static char *
field_text(const char *name, const char *value)
{
	return value == NULL ? strdup("") : text_of(", '%s': %s", name, value);
}

/* A name in notation; NULL: none */
static char *
quoted(const char *name)
{
	return name == NULL ? NULL : text_of("'%s'", name);
}

/* What both are called, and the applicant's site */
static char *
names_text(const Draft *draft)
{
	const Node *node = draft->plant->node;
	const Node *issuer = lie(LIE_CERTIFICATE_ISSUER) ? &nodes[below((uint64_t) node_count)] : CERTIFIER;

	return text_of("%s%s%s%s%s", field_text("name", lie(LIE_CERTIFICATE_NAME) ? "'The \"works\"'" : quoted(node->name)), field_text("names", node->names),
				   field_text("site", lie(LIE_SITE) ? "'elsewhere'" : node->site), field_text("issuer_name", quoted(issuer->name)),
				   field_text("issuer_names", issuer->names));
}

/* What comes with later versions: nothing, or something that is refused */
static char *
later_text(void)
{
	static const char *const later[] = {", 'exceptions': [{'accepts': 'new_product', 'reason': ''}]", ", 'exceptions': [], 'safe_rate': 0"};

	return strdup(lie(LIE_CERTIFICATE_LATER) ? PICK(later) : ", 'exceptions': []");
}

/* The whole body in notation */
static char *
body_of(Draft *draft, int64_t seq)
{
	const Policy *policy = draft->policy;
	const char *denominator = policy->by_reporting ? "reporting" : "baseline";
	const char *threshold = lie(LIE_THRESHOLD) ? "0.5" : policy->threshold.text;
	bool		passes = draft->figures.passes != lie(LIE_VERDICT);
	int64_t		valid_end;

	if (lie(LIE_CONVENTION))
		denominator = policy->by_reporting ? "baseline" : "reporting";
	if (lie(LIE_VALID_START))
		draft->valid_start += between(-2, 2) * DAY + 7300;
	if (__builtin_mul_overflow(policy->valid_days, DAY, &valid_end) || __builtin_add_overflow(valid_end, draft->valid_start, &valid_end) ||
		valid_end > ECERT_TIME_MAX)
		valid_end = ECERT_TIME_MAX;
	valid_end += lie(LIE_VALID_END) && valid_end < ECERT_TIME_MAX ? 1 : 0;
	return text_of("{'number': '%s', 'applicant': '%s', 'period': [%" PRId64 ", %" PRId64 "], 'baseline': [%" PRId64 ", %" PRId64 "], 'method': {'name': '%s'}, "
				   "'conventions': {'saving': 'baseline_minus_reporting', 'denominator': '%s', 'electricity': '%s'}, "
				   "'figures': [%s], 'rate': %s, 'calendar': '%s'%s, 'baseline_replaced': [%s]%s, 'threshold': %s, 'verdict': '%s', 'valid': [%" PRId64 ", %" PRId64 "], "
				   "'policy': '%s', 'checkpoint': '%s', 'packages': %s, 'audits': %s%s%s}", number_text(draft, seq), draft->applicant, draft->period.start, draft->period.end,
				   draft->base.start, draft->base.end, draft->by_value ? "value" : "product", denominator, policy->electricity, figures_text(draft),
				   lie(LIE_RATE) ? "0.0001" : or_null(draft->figures.rate), lie(LIE_CALENDAR) ? "elsewhere" : ZONE,
				   field_text("title", lie(LIE_TITLE) ? "{'zh': '', 'en': ''}" : policy->title), draft->replaced, later_text(), threshold, passes ? "pass" : "fail", draft->valid_start, valid_end,
				   draft->policy_hash, draft->checkpoint, draft->packages, draft->audits, names_text(draft), replaces_text(draft));
}

/* ----- certificates ----- */

/* Everything in a certificate that follows from the packages */
static void
compute(Draft *draft)
{
	draft->energy_last = draft->product_last = INT64_MAX;
	if (draft->plant->energy.count > 2 && lie(LIE_STALE))
		draft->energy_last = draft->plant->energy.packs[draft->plant->energy.count - 2].seq;
	put_packages(draft);
	assess(draft->plant, draft->policy, draft->base, draft->period, draft->by_value, draft->energy_last, draft->product_last, &draft->figures);
	put_audits(draft);
	put_baseline_replaced(draft);
}

/* A certificate for an overlapping period that is not withdrawn; NULL when there is none */
static const Certificate *
live_certificate(const Draft *draft)
{
	for (int i = 0; i < certificate_count; i++)
	{
		if (certificates[i].plant == draft->plant && overlap(certificates[i].period, draft->period) &&
			strcmp(certificates[i].status, "withdrawn") != 0)
			return &certificates[i];
	}
	return NULL;
}

/* What stands before an earlier certificate: it has to be withdrawn */
static void
withdraw(const Certificate *before)
{
	(void) say(CERTIFIER, ECERT_KIND_STATUS, before->plant->node->id,
			   text_of("{'certificate': '%s', 'status': 'withdrawn', 'reason': 'computed again', 'checkpoint': '%s'}", made[before->made].hex,
					   rest_on_checkpoint()));
	certificates[before - certificates].status = "withdrawn";
}

/* Is everything there that a certificate needs? */
static bool
is_complete(const Draft *draft, int count)
{
	for (int i = 0; i < 4; i++)
	{
		if (draft->counts[i] != count)
			return false;
	}
	return draft->figures.assessed && !draft->figures.unknown_source && !draft->is_failed;
}

/* Choose periods, policy and method, and compute; false when no body can hold the figures */
static bool
draft_certificate(Draft *draft, int year, int first, int count)
{
	draft->base = period_of(draft->plant, year - 1, first, count);
	draft->period = period_of(draft->plant, year, first, count);
	if (lie(LIE_NOT_COVERED))
		draft->base.start -= 5;
	if (lie(LIE_PERIODS_OVERLAP))
		draft->base.end = draft->period.start + 10;
	if (lie(LIE_NOT_OVER))
		draft->period.end = now + 10 * YEAR;
	draft->policy = IN_FORCE;
	if (policy_count > 1 && lie(LIE_OLD_POLICY))
		draft->policy = &policies[0];
	draft->policy_hash = lie(LIE_NO_POLICY) ? made[below(made_count)].hex : draft->policy->hash;
	draft->applicant = lie(LIE_NO_APPLICANT) ? nodes[below((uint64_t) node_count)].id : draft->plant->node->id;
	draft->by_value = draft->plant->with_values && one_in(2);
	compute(draft);
	return draft->figures.count > 0 && !draft->figures.too_long;
}

/* Have the applicant audited and certified for some periods of a year against those of the year before */
void
certify(Plant *plant, int year, int first, int count)
{
	Draft		draft = {.plant = plant};
	const Certificate *live;
	Certificate *certificate = &certificates[certificate_count];

	audit_for(plant, period_of(plant, year - 1, first, count));
	audit_for(plant, period_of(plant, year, first, count));
	/* what cannot be assessed is certified seldom */
	if (!draft_certificate(&draft, year, first, count) || (!is_complete(&draft, count) && !one_in(8)) || certificate_count == CERTIFICATES_MAX)
		return;
	live = live_certificate(&draft);
	if (live != NULL && !lie(LIE_SECOND_LIVE))
		withdraw(live);
	draft.checkpoint = rest_on_checkpoint();
	draft.valid_start = now + between(0, 60);
	*certificate = (Certificate) {plant, draft.period, 0, "active"};
	certificate->made = say(CERTIFIER, ECERT_KIND_CERTIFICATE, draft.applicant, body_of(&draft, feed_of(CERTIFIER->id, ECERT_KIND_CERTIFICATE)->seq));
	certificate_count++;
}

/* ----- status ----- */

/* A status that may follow the present one */
static const char *
next_status(const Certificate *certificate)
{
	if (strcmp(certificate->status, "withdrawn") == 0)
		return lie(LIE_AFTER_WITHDRAWN) ? (one_in(2) ? "active" : "withdrawn") : NULL;
	if (lie(LIE_SAME_STATUS))
		return certificate->status;
	return one_in(4) ? "withdrawn" : strcmp(certificate->status, "active") == 0 ? "suspended" : "active";
}

/* Suspend, withdraw or make active again some certificate */
void
set_some_status(void)
{
	Certificate *certificate;
	const Certificate *other;
	const char *status;
	const char *hash;
	const char *subject;
	char	   *replaced_by = strdup("");

	if (certificate_count == 0)
		return;
	certificate = &certificates[below((uint64_t) certificate_count)];
	other = &certificates[below((uint64_t) certificate_count)];
	status = next_status(certificate);
	if (status == NULL)
		return;
	hash = lie(LIE_NO_CERTIFICATE) ? made[below(made_count)].hex : made[certificate->made].hex;
	subject = lie(LIE_STATUS_SUBJECT) ? nodes[below((uint64_t) node_count)].id : certificate->plant->node->id;
	if ((other->plant == certificate->plant && one_in(3)) || lie(LIE_REPLACED_BY_OTHERS))
		replaced_by = text_of(", 'replaced_by': '%s'", made[other->made].hex);
	if (lie(LIE_REPLACED_BY_NONE))
		replaced_by = text_of(", 'replaced_by': '%s'", made[below(made_count)].hex);
	(void) say(CERTIFIER, ECERT_KIND_STATUS, subject,
			   text_of("{'certificate': '%s', 'status': '%s', 'reason': '%s', 'checkpoint': '%s'%s}", hash, status, one_in(2) ? "a question" : "",
					   rest_on_checkpoint(), replaced_by));
	certificate->status = status;
}
