/*
 * reward.c
 *		The rule of kind reward, as of the checkpoint that it names: for a
 *		completed audit of that auditor that counts, of packages that it has not
 *		been rewarded for in that role.
 */
#include "rules/applicant.h"
#include "rules/policy.h"
#include "rules/rest.h"

static bool
is_rewarded(EcertRules *rules, const EcertAudit *audit, int64_t before)
{
	EcertView  *view = rules->view;
	EcertEntries rewards = view->naming(view, rules->arena, audit->entry.hash, ECERT_KIND_REWARD);

	for (size_t i = 0; i < rewards.count; i++)
	{
		if (rewards.list[i].seq < before && ecert_slice_equal(rewards.list[i].issuer, view->certifier))
			return true;
	}
	return false;
}

/* Have two lists of ranges a package in common */
static bool
have_common(const EcertRanges *a, const EcertRanges *b)
{
	for (size_t i = 0; i < a->count; i++)
	{
		for (size_t j = 0; j < b->count; j++)
		{
			if (a->list[i].kind == b->list[j].kind && a->list[i].first <= b->list[j].last && b->list[j].first <= a->list[i].last)
				return true;
		}
	}
	return false;
}

bool
ecert_has_unrewarded(EcertRules *rules, EcertApplicant *applicant, const EcertAudit *audit, int64_t before)
{
	EcertSeqs	energy = {.arena = rules->arena};
	EcertSeqs	product = {.arena = rules->arena};

	for (size_t i = 0; i < ecert_audit_count(rules, applicant); i++)
	{
		const EcertAudit *other;

		if (!ecert_slice_equal(applicant->audits[i].entry.issuer, audit->entry.issuer))
			continue;
		other = ecert_audit_read(rules, applicant, i);
		if (other == NULL || other->role != audit->role || !have_common(&audit->ranges, &other->ranges) || !is_rewarded(rules, other, before))
			continue;
		ecert_seqs_add_ranges(&energy, &other->ranges, ECERT_KIND_ENERGY);
		ecert_seqs_add_ranges(&product, &other->ranges, ECERT_KIND_PRODUCT);
	}
	for (size_t i = 0; i < audit->ranges.count; i++)
	{
		const EcertRange *range = &audit->ranges.list[i];

		if (range->first <= range->last &&
			!ecert_seqs_contain(range->kind == ECERT_KIND_ENERGY ? &energy : &product, range->first, range->last))
			return true;
	}
	return false;
}

/* The amount is that of the policy in force as of its checkpoint */
static bool
check_amount(EcertCase *it, EcertAuditRole role)
{
	EcertSlice	stated = ecert_field_item(it->package->body, "amount");
	EcertText	stated_text = ecert_text_in(it->rules->arena);
	EcertText	given_text = ecert_text_in(it->rules->arena);
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertPolicy	policy;
	EcertDecimal amount;
	EcertDecimal given;

	ecert_policy_in_force(it->rules, hash);
	if (!ecert_policy_of_hash(it->rules, hash, &policy))
		return true;
	if (ecert_decimal_read(stated, &amount) == ECERT_OK && ecert_field_decimal(policy.reward, ecert_audit_role_name(role), &given) &&
		ecert_decimal_compare(amount, given) == 0)
		return true;
	ecert_text_put_item(&stated_text, stated);
	ecert_text_put_item(&given_text, ecert_field_item(policy.reward, ecert_audit_role_name(role)));
	return ECERT_FIND(it->finding, ECERT_REWARD_AMOUNT, ecert_a_text(ecert_text_slice(&stated_text)), ecert_a_text(ecert_text_slice(&given_text)));
}

bool
ecert_rule_reward(EcertCase *it)
{
	EcertRules *rules = it->rules;
	EcertSlice	hex = ecert_cbor_text_at(it->package->body, "audit");
	EcertSlice	auditor = ecert_cbor_text_at(it->package->body, "auditor");
	EcertApplicant *applicant;
	EcertAudit *audit;
	EcertEntry	checkpoint;
	EcertEntry	entry;

	if (!ecert_rest_on_checkpoint(it, &checkpoint))
		return false;
	if (!ecert_find_named(it, "audit", ECERT_KIND_AUDIT, &entry) || !ecert_slice_equal(entry.issuer, auditor) || !ecert_counts(rules, &entry))
		return ECERT_FIND(it->finding, ECERT_REWARD_NO_AUDIT, ecert_a_text(hex), ecert_a_text(auditor));
	applicant = ecert_applicant(rules, entry.subject);
	audit = ecert_audit_of_hash(rules, applicant, entry.hash);
	if (audit == NULL)
		return true;			/* its bytes cannot be read, which was said */
	if (!ecert_audit_counts(rules, audit))
		return ECERT_FIND(it->finding, ECERT_REWARD_NO_AUDIT, ecert_a_text(hex), ecert_a_text(auditor));
	if (audit->verdict == ECERT_VERDICT_ABSTAIN)
		return ECERT_FIND(it->finding, ECERT_REWARD_ABSTENTION, ecert_a_text(hex));
	if (!check_amount(it, audit->role))
		return false;
	if (!ecert_has_unrewarded(rules, applicant, audit, it->package->seq))
		return ECERT_FIND(it->finding, ECERT_REWARDED_ALREADY, ecert_a_hash(entry.hash));
	return true;
}
