/*
 * rest.c
 *		Packages that rest on a checkpoint; see rest.h.
 */
#include "rules/rest.h"

#include "rules/as_of.h"
#include "rules/policy.h"

/* Is the sealing behind it the first that covers the package, or not there yet? */
static bool
is_next(EcertCase *it, const EcertEntry *checkpoint)
{
	const EcertPackage *package = it->package;
	EcertView  *view = it->rules->view;
	int64_t		sealed_by = it->first_admission ? INT64_MAX : view->sealed_by(view, package->issuer, package->kind, package->seq);

	return sealed_by == view->next_sealing(view, checkpoint->seq + 1);
}

/* How long after its checkpoint a package may be issued, by the policy that is in force as of it */
static int64_t
seal_within(EcertRules *rules)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertPolicy policy;

	ecert_policy_in_force(rules, hash);
	return ecert_policy_of_hash(rules, hash, &policy) ? policy.seal_within : 0;
}

bool
ecert_check_rest_time(const EcertEntry *checkpoint, int64_t issued_at, int64_t seal_within, EcertFinding *finding)
{
	return (issued_at >= checkpoint->issued_at && issued_at - checkpoint->issued_at <= seal_within) ||
		ECERT_FIND(finding, ECERT_REST_TIME, ecert_a_time(issued_at), ecert_a_time(checkpoint->issued_at), ecert_a_number(seal_within));
}

bool
ecert_rest_on_checkpoint(EcertCase *it, EcertEntry *checkpoint)
{
	EcertRules *rules = it->rules;

	if (!ecert_find_named(it, "checkpoint", ECERT_KIND_CHECKPOINT, checkpoint) ||
		!ecert_slice_equal(checkpoint->issuer, rules->view->certifier))
		return ECERT_FIND(it->finding, ECERT_REST_NO_CHECKPOINT, ecert_a_text(ecert_cbor_text_at(it->package->body, "checkpoint")));
	ecert_see_as_of(rules, checkpoint->seq);
	if (rules->view->next_sealing(rules->view, checkpoint->seq) != checkpoint->seq)
		return ECERT_FIND(it->finding, ECERT_REST_NO_SEALING, ecert_a_number(checkpoint->seq));
	if (!is_next(it, checkpoint))
		return ECERT_FIND(it->finding, ECERT_REST_NOT_NEWEST, ecert_a_number(checkpoint->seq));
	return ecert_check_rest_time(checkpoint, it->package->issued_at, seal_within(rules), it->finding);
}
