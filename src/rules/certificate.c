/*
 * certificate.c
 *		The rule of kind certificate, as of the checkpoint that it names: every
 *		figure as recomputed, its number, validity and what it replaces, and
 *		nothing that stood against it.
 */
#include "rules/certificate.h"

#include "rules/as_of.h"
#include "rules/live.h"
#include "rules/rest.h"

#include <stdio.h>

#define DAY_SECONDS 86400
#define DETAIL_CHARACTERS 2000

/* EC-<year>-<seq + 1>, in six digits; the year in which the fiscal year ends that the period begins in */
static EcertSlice
number_item(const EcertCertified *certified, int64_t seq, EcertArena *arena)
{
	char		number[48];

	(void) snprintf(number, sizeof number, "EC-%lld-%06lld", (long long) ecert_calendar_year(&certified->policy.calendar, certified->period.start),
					(long long) seq + 1);
	return ecert_item_word(arena, number);
}

/* The newest certificate before this one for an overlapping period; null when it is the first */
static EcertSlice
replaced_item(EcertRules *rules, const EcertCertified *certified, int64_t seq)
{
	EcertView  *view = rules->view;
	EcertEntries entries = ecert_about(view, rules->arena, certified->applicant, ECERT_KIND_CERTIFICATE, (EcertPeriod) {
		INT64_MIN, certified->period.end
	});
	const EcertEntry *newest = NULL;

	for (size_t i = 0; i < entries.count; i++)
	{
		const EcertEntry *entry = &entries.list[i];

		if (entry->seq < seq && (newest == NULL || entry->seq > newest->seq) && ecert_periods_overlap(entry->period, certified->period) &&
			ecert_slice_equal(entry->issuer, view->certifier))
			newest = entry;
	}
	return newest == NULL ? ecert_slice(NULL, 0) : ecert_item_hash(rules->arena, newest->hash);
}

/* What both are called, and where the applicant's site is; null where their node packages do not say */
static void
put_names(EcertRules *rules, const EcertCertified *certified, EcertParts *body)
{
	EcertSlice	applicant = {NULL, 0};
	EcertSlice	issuer = {NULL, 0};

	(void) ecert_node_state(rules, certified->applicant, INT64_MAX, &applicant);
	(void) ecert_node_state(rules, rules->view->certifier, INT64_MAX, &issuer);
	ecert_parts_put(body, "name", ecert_field_item(applicant, "name"));
	ecert_parts_put(body, "names", ecert_field_item(applicant, "names"));
	ecert_parts_put(body, "site", ecert_field_item(ecert_field_item(applicant, "attributes"), "site"));
	ecert_parts_put(body, "issuer_name", ecert_field_item(issuer, "name"));
	ecert_parts_put(body, "issuer_names", ecert_field_item(issuer, "names"));
}

static void
put_terms(EcertRules *rules, const EcertCertified *certified, int64_t seq, int64_t valid_from, EcertParts *body)
{
	EcertPeriod valid = {valid_from, INT64_MAX};
	int64_t		seconds;

	/* a validity beyond all time is stated by no body */
	if (__builtin_mul_overflow(certified->policy.valid_days, (int64_t) DAY_SECONDS, &seconds) ||
		__builtin_add_overflow(valid.start, seconds, &valid.end))
		valid.end = INT64_MAX;
	ecert_parts_put(body, "number", number_item(certified, seq, rules->arena));
	put_names(rules, certified, body);
	ecert_parts_put(body, "title", certified->policy.title);
	ecert_parts_put(body, "replaces", replaced_item(rules, certified, seq));
	ecert_parts_put(body, "valid", ecert_item_period(rules->arena, valid));
}

EcertSlice
ecert_certificate_body(EcertRules *rules, const EcertCertified *certified, EcertSlice figures, int64_t seq, int64_t valid_from)
{
	EcertParts	terms = ecert_parts_of(rules->arena, ECERT_CBOR_MAP);
	EcertParts	body = ecert_parts_of(rules->arena, ECERT_CBOR_MAP);

	put_terms(rules, certified, seq, valid_from, &terms);
	ecert_parts_put_all(&body, figures);
	ecert_parts_put_all(&body, ecert_parts_item(&terms));
	/* the one field that is there even where it is null: of reporting energy that is zero there is no rate */
	if (ecert_item_is_null(ecert_field_item(figures, "rate")))
		ecert_parts_put(&body, "rate", ecert_slice(NULL, 0));
	return ecert_parts_item(&body);
}

/* Both sides of a difference; words stand before what is expected */
static bool
find_differs(EcertCase *it, EcertFindingCode code, const EcertDifference *difference, const char *words)
{
	EcertText	text = ecert_text_in(it->rules->arena);

	ecert_text_put_string(&text, "Stated ");
	ecert_text_put_item(&text, difference->stated);
	ecert_text_put_string(&text, words);
	ecert_text_put_item(&text, difference->expected);
	ecert_text_put_string(&text, ".");
	ecert_text_cut(&text, DETAIL_CHARACTERS);
	return ECERT_FIND(it->finding, code, ecert_a_text(ecert_arena_copy(it->rules->arena, ecert_slice_text(difference->path))),
					  ecert_a_text(ecert_text_slice(&text)));
}

static bool
check_figures(EcertCase *it, const EcertCertified *certified)
{
	EcertDifference difference;
	EcertSlice	figures = {NULL, 0};

	if (!ecert_certificate_figures(it->rules, certified, &figures, it->finding))
		return false;
	ecert_first_difference(figures, it->package->body, &difference);
	return difference.path[0] == '\0' || find_differs(it, ECERT_FIGURE_DIFFERS, &difference, ", computed ");
}

static bool
check_terms(EcertCase *it, const EcertCertified *certified)
{
	EcertArena *arena = it->rules->arena;
	EcertSlice	body = it->package->body;
	EcertParts	expected = ecert_parts_of(arena, ECERT_CBOR_MAP);
	EcertDifference difference;
	EcertPeriod valid;
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "valid", &count);

	(void) ecert_field_period(body, "valid", &valid);
	put_terms(it->rules, certified, it->package->seq, valid.start, &expected);
	ecert_first_difference(ecert_parts_item(&expected), body, &difference);
	if (difference.path[0] != '\0')
		return find_differs(it, ECERT_TERM_DIFFERS, &difference, ", expected ");
	/* a day to either side: the clocks of what makes the body and of what signs it */
	if (valid.start - it->package->issued_at <= DAY_SECONDS && it->package->issued_at - valid.start <= DAY_SECONDS)
		return true;
	(void) snprintf(difference.path, sizeof difference.path, "valid.0");
	difference.expected = ecert_item_int(arena, it->package->issued_at);
	difference.stated = ecert_cbor_skip(&cursor);
	return find_differs(it, ECERT_TERM_DIFFERS, &difference, ", expected ");
}

/* Nothing stands against it, of which the first is told */
static bool
check_obstacles(EcertCase *it, const EcertCertified *certified, int64_t now)
{
	EcertObstacles obstacles = {it->rules->arena, NULL, 0, 0};

	ecert_ledger_obstacles(it->rules, certified, now, &obstacles);
	/* of the products as stated, which are as recomputed by now */
	ecert_status_obstacles(it->package->body, &obstacles);
	return ecert_no_obstacle(certified, &obstacles, 1, it->finding);
}

static bool
check_alone(EcertCase *it, const EcertCertified *certified)
{
	EcertEntry	live;

	return !ecert_live_certificate(it->rules, certified->applicant, certified->period, it->package->seq,
								   ecert_seen_before(it->rules, ECERT_KIND_STATUS), &live) ||
		ECERT_FIND(it->finding, ECERT_CERTIFICATE_LIVE, ecert_a_text(certified->applicant), ecert_a_hash(live.hash));
}

void
ecert_read_certified(EcertSlice body, EcertCertified *certified)
{
	memset(certified, 0, sizeof *certified);
	certified->applicant = ecert_cbor_text_at(body, "applicant");
	(void) ecert_field_period(body, "period", &certified->period);
	(void) ecert_field_period(body, "baseline", &certified->baseline);
	certified->by_value = ecert_field_is(ecert_field_item(body, "method"), "name", "value");
	(void) ecert_field_hash(body, "policy", certified->policy_hash);
	(void) ecert_field_hash(body, "checkpoint", certified->checkpoint);
}

/* Under the policy that was in force as of its checkpoint */
static bool
read_policy(EcertCase *it, EcertCertified *certified)
{
	uint8_t		in_force[ECERT_HASH_SIZE];

	ecert_policy_in_force(it->rules, in_force);
	if (memcmp(in_force, certified->policy_hash, sizeof in_force) != 0)
		return ECERT_FIND(it->finding, ECERT_POLICY_NOT_IN_FORCE, ecert_a_hash(certified->policy_hash), ecert_a_hash(in_force));
	return ecert_policy_of_hash(it->rules, certified->policy_hash, &certified->policy) ||
		ECERT_FIND(it->finding, ECERT_POLICY_MISSING, ecert_a_text(ecert_cbor_text_at(it->package->body, "policy")));
}

/* The parts are looked at in this order, and the first that is wrong is told of */
bool
ecert_rule_certificate(EcertCase *it)
{
	EcertCertified certified;
	EcertEntry	checkpoint;

	ecert_read_certified(it->package->body, &certified);
	return ecert_rest_on_checkpoint(it, &checkpoint) && check_alone(it, &certified) && read_policy(it, &certified) &&
		check_figures(it, &certified) && check_terms(it, &certified) && check_obstacles(it, &certified, checkpoint.issued_at);
}

bool
ecert_figures_agree(EcertRules *rules, const EcertPackage *package, EcertFinding *finding)
{
	EcertCase	it = {rules, package, false, finding};
	EcertCertified certified;
	EcertEntry	checkpoint;

	ecert_read_certified(package->body, &certified);
	return ecert_rest_on_checkpoint(&it, &checkpoint) && read_policy(&it, &certified) && check_figures(&it, &certified);
}
