/*
 * audit.c
 *		The rule of kind audit: by another than the applicant who is related to
 *		it, under a policy of the ledger, of ranges that exist with that hash and lie in the audited period,
 *		and not of the same packages twice, but after an abstention or an audit that does not count.
 */
#include "rules/applicant.h"
#include "rules/as_of.h"
#include "rules/policy.h"

/* What the audit says it read */
typedef struct Audited
{
	EcertSlice	applicant;
	EcertPeriod period;
	EcertAuditRole role;
	EcertRanges ranges;
} Audited;

static bool
overlaps_earlier(const EcertRanges *ranges, size_t place)
{
	for (size_t i = 0; i < place; i++)
	{
		if (ranges->list[i].kind == ranges->list[place].kind && ranges->list[place].first <= ranges->list[i].last)
			return true;
	}
	return false;
}

/* Are all packages of a range here, with periods within the audited one */
static bool
is_within(EcertRules *rules, const Audited *audited, const EcertRange *range)
{
	EcertEntries entries = rules->view->feed(rules->view, rules->arena, audited->applicant, range->kind, range->first, range->last);
	int64_t		expected = range->first;

	for (size_t i = 0; i < entries.count; i++, expected++)
	{
		const EcertEntry *entry = &entries.list[i];

		if (entry->seq != expected || entry->period.start >= entry->period.end || !ecert_period_within(entry->period, audited->period))
			return false;
	}
	return expected - 1 == range->last;
}

/* What is wrong with a range; NULL: nothing */
static const char *
why_wrong(EcertRules *rules, const Audited *audited, size_t place)
{
	const EcertRange *range = &audited->ranges.list[place];
	EcertEntry	last;
	uint8_t		hash[ECERT_HASH_SIZE];

	if (!ecert_role_reads(audited->role, range->kind))
		return "not for this role";
	if (range->first > range->last)
		return "first is after last";
	if (!rules->view->by_seq(rules->view, rules->arena, audited->applicant, range->kind, range->last, &last) ||
		!ecert_is_seen(rules, &last))
		return "the last package is not on the ledger";
	if (!ecert_hex_to_hash(range->hash, hash) || memcmp(hash, last.hash, sizeof hash) != 0)
		return "hash is not that of the last package";
	if (overlaps_earlier(&audited->ranges, place))
		return "it overlaps the range before it, or runs backwards";
	return is_within(rules, audited, range) ? NULL : "a package of it lies outside the audited period";
}

static bool
check_ranges(EcertCase *it, const Audited *audited)
{
	for (size_t i = 0; i < audited->ranges.count; i++)
	{
		const EcertRange *range = &audited->ranges.list[i];
		const char *why = why_wrong(it->rules, audited, i);

		if (why != NULL)
			return ECERT_FIND(it->finding, ECERT_AUDITED_WRONG, ecert_a_word(ecert_kind_name(range->kind)),
							  ecert_a_number(range->first), ecert_a_number(range->last), ecert_a_word(why));
	}
	return true;
}

/* Do two audits name the same packages, however they divide them into ranges */
static bool
names_same(EcertArena *arena, const EcertRanges *a, const EcertRanges *b)
{
	for (size_t i = 0; i < 2; i++)
	{
		EcertSeqs	left = {.arena = arena};
		EcertSeqs	right = {.arena = arena};

		ecert_seqs_add_ranges(&left, a, ecert_declared_kinds[i]);
		ecert_seqs_add_ranges(&right, b, ecert_declared_kinds[i]);
		if (!ecert_seqs_equal(&left, &right))
			return false;
	}
	return true;
}

/* Who abstained for want of records may come back with records */
static bool
check_first(EcertCase *it, const Audited *audited)
{
	EcertRules *rules = it->rules;
	EcertApplicant *applicant = ecert_applicant(rules, audited->applicant);
	bool		abstains = ecert_field_is(it->package->body, "verdict", "abstain");

	for (size_t i = 0; i < ecert_audit_count(rules, applicant); i++)
	{
		const EcertEntry *entry = &applicant->audits[i].entry;
		EcertAudit *other;

		/* packages of both lie within the periods of both */
		if (entry->seq >= it->package->seq || !ecert_periods_overlap(entry->period, audited->period) ||
			!ecert_slice_equal(entry->issuer, it->package->issuer))
			continue;
		other = ecert_audit_read(rules, applicant, i);
		/* of those that name the same the first is judged first, so that none has more than one behind it to judge */
		if (other != NULL && other->role == audited->role && (abstains || other->verdict != ECERT_VERDICT_ABSTAIN) &&
			names_same(rules->arena, &audited->ranges, &other->ranges) && ecert_audit_counts(rules, other))
			return ECERT_FIND(it->finding, ECERT_AUDITED_ALREADY, ecert_a_hash(other->entry.hash));
	}
	return true;
}

/* Under which policy it was audited; where it is first admitted, the one in force */
static bool
check_audit_policy(EcertCase *it)
{
	EcertSlice	body = it->package->body;
	EcertPolicy policy;
	uint8_t		stated[ECERT_HASH_SIZE] = {0};
	uint8_t		in_force[ECERT_HASH_SIZE];

	(void) ecert_field_hash(body, "policy", stated);
	if (!ecert_policy_of_hash(it->rules, stated, &policy))
		return ECERT_FIND(it->finding, ECERT_AUDIT_POLICY_MISSING, ecert_a_hash(stated));
	if (!it->first_admission)
		return true;
	ecert_policy_in_force(it->rules, in_force);
	return memcmp(stated, in_force, sizeof in_force) == 0 ||
		ECERT_FIND(it->finding, ECERT_AUDIT_POLICY_PAST, ecert_a_hash(stated), ecert_a_hash(in_force));
}

bool
ecert_rule_audit(EcertCase *it)
{
	const EcertPackage *package = it->package;
	EcertSlice	as = ecert_cbor_text_at(package->body, "as");
	Audited		audited = {ecert_cbor_text_at(package->body, "applicant"), {0, 0}, ecert_audit_role(as), {NULL, 0}};

	if (ecert_slice_equal(audited.applicant, package->issuer))
		return ECERT_FIND(it->finding, ECERT_SELF_AUDIT, ecert_a_text(package->issuer));
	if (!ecert_was_related(it->rules, package->issuer, audited.applicant, as, package->issued_at,
						   it->first_admission ? INT64_MAX : package->issued_at))
		return ECERT_FIND(it->finding, ECERT_NOT_RELATED, ecert_a_text(package->issuer), ecert_a_text(audited.applicant),
						  ecert_a_text(as), ecert_a_time(package->issued_at));
	(void) ecert_field_period(package->body, "period", &audited.period);
	audited.ranges = ecert_ranges_of(it->rules->arena, package->body, "checked");
	return check_audit_policy(it) && check_ranges(it, &audited) && check_first(it, &audited);
}

/* Does an audit rest on packages that are not sent here, so that nothing can be said against it? */
static bool
rests_on_unsent(EcertRules *rules, const EcertPackage *package)
{
	EcertView  *view = rules->view;
	EcertSlice	applicant = ecert_cbor_text_at(package->body, "applicant");
	EcertRanges ranges = ecert_ranges_of(rules->arena, package->body, "checked");

	for (size_t i = 0; view->holds != NULL && i < ranges.count; i++)
	{
		if (!view->holds(view, applicant, ranges.list[i].kind))
			return true;
	}
	return false;
}

/* What its rule says as of the checkpoint that covers it first; its bytes are copied, because the rule reads other packages */
static bool
is_sound(EcertRules *rules, const EcertEntry *entry)
{
	EcertView  *view = rules->view;
	int64_t		as_of = rules->as_of;
	int64_t		sealed_by;
	EcertPackage package;
	EcertFinding finding = {.code = ECERT_SOUND};
	EcertCase	it = {rules, &package, false, &finding};
	EcertError	error;
	bool		sound;

	if (!view->package(view, entry, &package))
		return true;			/* which is said elsewhere */
	if (ecert_package_parse(ecert_arena_copy(rules->kept, package.bytes), &package, &error) != ECERT_OK ||
		!ecert_slice_equal(ecert_cbor_text_at(package.body, "applicant"), entry->subject))
		return false;
	sealed_by = view->sealed_by(view, package.issuer, package.kind, package.seq);
	ecert_see_as_of(rules, sealed_by);
	sound = ecert_check_seal_time(ECERT_KIND_AUDIT, package.issued_at, ecert_sealed_at(rules, sealed_by), &finding) && (ecert_rule_audit(&it) || rests_on_unsent(rules, &package)) &&
		(ecert_node_roles(rules, package.issuer, package.issued_at) & ECERT_ROLE_AUDITOR) != 0;
	ecert_see_as_of(rules, as_of);
	return sound;
}

bool
ecert_audit_counts(EcertRules *rules, EcertAudit *audit)
{
	if (!ecert_counts(rules, &audit->entry))
		return false;
	if (!audit->is_judged)
		audit->is_sound = is_sound(rules, &audit->entry);
	audit->is_judged = true;
	return audit->is_sound;
}
