/*
 * kinds.c
 *		The table of kinds; see rules.h and docs/format.md, "Kinds".  Their names
 *		are in core/package.h, their schemas in core/body.c.
 */
#include "rules/as_of.h"
#include "rules/rules.h"

const EcertKindRow ecert_kinds[ECERT_KIND_COUNT] = {
	[ECERT_KIND_GENESIS] = {
		.issuer_role = ECERT_ROLE_CERTIFIER,
		.subject = ECERT_SUBJECT_ORIGIN,
		.rule = ecert_rule_genesis,
	},
	[ECERT_KIND_NODE] = {
		.issuer_role = ECERT_ROLE_CERTIFIER,
		.subject = ECERT_SUBJECT_FIELD,
		.subject_field = "node",
		.rule = ecert_rule_node,
	},
	[ECERT_KIND_RELATION] = {
		.issuer_role = ECERT_ROLE_CERTIFIER,
		.subject = ECERT_SUBJECT_FIELD,
		.subject_field = "applicant",
		.rule = ecert_rule_relation,
		.names = {
			{ECERT_NAMES_ROLE, "auditor", ECERT_KIND_NODE, ECERT_BY_CERTIFIER, ECERT_ROLE_AUDITOR},
			{ECERT_NAMES_ROLE, "applicant", ECERT_KIND_NODE, ECERT_BY_CERTIFIER, ECERT_ROLE_APPLICANT},
		},
	},
	[ECERT_KIND_POLICY] = {
		.issuer_role = ECERT_ROLE_CERTIFIER,
		.subject = ECERT_SUBJECT_ORIGIN,
		.is_woken_by_hash = true,
		.rule = ecert_rule_policy,
	},
	[ECERT_KIND_POINT] = {
		.issuer_role = ECERT_ROLE_APPLICANT,
		.subject = ECERT_SUBJECT_ISSUER,
		.rule = ecert_rule_point,
	},
	[ECERT_KIND_ENERGY] = {
		.issuer_role = ECERT_ROLE_APPLICANT,
		.subject = ECERT_SUBJECT_ISSUER,
		.has_periods = true,
		.rule = ecert_rule_declaration,
	},
	[ECERT_KIND_PRODUCT] = {
		.issuer_role = ECERT_ROLE_APPLICANT,
		.subject = ECERT_SUBJECT_ISSUER,
		.has_periods = true,
		.rule = ecert_rule_declaration,
	},
	[ECERT_KIND_AUDIT] = {
		.issuer_role = ECERT_ROLE_AUDITOR,
		.subject = ECERT_SUBJECT_FIELD,
		.subject_field = "applicant",
		.is_woken_by_hash = true,
		.rule = ecert_rule_audit,
		.names = {
			{ECERT_NAMES_RELATION, "as", ECERT_KIND_RELATION, ECERT_BY_CERTIFIER},
			{ECERT_NAMES_HASH, "policy", ECERT_KIND_POLICY, ECERT_BY_CERTIFIER},
			{ECERT_NAMES_RANGES, "checked", ECERT_KIND_ENERGY, ECERT_BY_ANYBODY},
		},
	},
	[ECERT_KIND_CERTIFICATE] = {
		.issuer_role = ECERT_ROLE_CERTIFIER,
		.subject = ECERT_SUBJECT_FIELD,
		.subject_field = "applicant",
		.is_woken_by_hash = true,
		.rests_on_checkpoint = true,
		.rule = ecert_rule_certificate,
		.names = {
			{ECERT_RESTS_ON_CHECKPOINT, "checkpoint", ECERT_KIND_CHECKPOINT, ECERT_BY_CERTIFIER},
			{ECERT_RESTS_ON_FEED, "applicant", ECERT_KIND_ENERGY, ECERT_BY_ANYBODY},
			{ECERT_RESTS_ON_FEED, "applicant", ECERT_KIND_PRODUCT, ECERT_BY_ANYBODY},
			{ECERT_RESTS_ON_FEED, NULL, ECERT_KIND_AUDIT, ECERT_BY_ANYBODY},
		},
	},
	[ECERT_KIND_STATUS] = {
		.issuer_role = ECERT_ROLE_CERTIFIER,
		.subject = ECERT_SUBJECT_BY_RULE,
		.rests_on_checkpoint = true,
		.rule = ecert_rule_status,
		.names = {
			{ECERT_RESTS_ON_CHECKPOINT, "checkpoint", ECERT_KIND_CHECKPOINT, ECERT_BY_CERTIFIER},
			{ECERT_NAMES_HASH, "certificate", ECERT_KIND_CERTIFICATE, ECERT_BY_CERTIFIER},
			{ECERT_NAMES_HASH, "replaced_by", ECERT_KIND_CERTIFICATE, ECERT_BY_CERTIFIER},
		},
	},
	[ECERT_KIND_REWARD] = {
		.issuer_role = ECERT_ROLE_CERTIFIER,
		.subject = ECERT_SUBJECT_FIELD,
		.subject_field = "auditor",
		.rests_on_checkpoint = true,
		.rule = ecert_rule_reward,
		.names = {
			{ECERT_RESTS_ON_CHECKPOINT, "checkpoint", ECERT_KIND_CHECKPOINT, ECERT_BY_CERTIFIER},
			{ECERT_NAMES_HASH, "audit", ECERT_KIND_AUDIT, ECERT_BY_AUDITOR},
		},
	},
	[ECERT_KIND_CHECKPOINT] = {
		.issuer_role = ECERT_ROLE_CERTIFIER,
		.subject = ECERT_SUBJECT_ORIGIN,
		.is_woken_by_hash = true,
		.rule = ecert_rule_checkpoint,
		.names = {
			{ECERT_NAMES_SEAL_KEYS, "seals", ECERT_KIND_NODE, ECERT_BY_CERTIFIER},
		},
	},
	[ECERT_KIND_WITNESS] = {
		.issuer_role = ECERT_ROLE_AUDITOR,
		.subject = ECERT_SUBJECT_ORIGIN,
		.rule = ecert_rule_witness,
		.names = {
			{ECERT_NAMES_WITNESS_KEY, "cosignature", ECERT_KIND_NODE, ECERT_BY_CERTIFIER},
			{ECERT_NAMES_HASH, "checkpoint", ECERT_KIND_CHECKPOINT, ECERT_BY_CERTIFIER},
		},
	},
};

EcertSlice
ecert_subject_of(EcertKind kind, EcertSlice body, EcertSlice issuer, EcertSlice origin)
{
	switch (ecert_kinds[kind].subject)
	{
		case ECERT_SUBJECT_ORIGIN:
			return origin;
		case ECERT_SUBJECT_ISSUER:
			return issuer;
		case ECERT_SUBJECT_FIELD:
			return ecert_cbor_text_at(body, ecert_kinds[kind].subject_field);
		case ECERT_SUBJECT_BY_RULE:
			break;
	}
	return ecert_slice(NULL, 0);
}

bool
ecert_rule_check(EcertRules *rules, const EcertPackage *package, bool first_admission, EcertFinding *finding)
{
	EcertCase	it = {rules, package, first_admission, finding};

	finding->code = ECERT_SOUND;
	ecert_see_as_of(rules, first_admission ? ECERT_AS_OF_NOW : rules->view->sealed_by(rules->view, package->issuer, package->kind, package->seq));
	return ecert_kinds[package->kind].rule(&it);
}
