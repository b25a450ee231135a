/*
 * roles.c
 *		A node's roles, now and at a time; see roles.h.
 */
#include "rules/roles.h"

#include "rules/fields.h"

static int
roles_of(EcertSlice body)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(body, "roles", &count);
	int			roles = 0;

	while (count-- > 0)
	{
		EcertSlice	role = {NULL, 0};

		(void) ecert_cbor_text(ecert_cbor_skip(&cursor), &role);
		roles |= ecert_slice_equal(role, ecert_slice_text("certifier")) ? ECERT_ROLE_CERTIFIER :
			ecert_slice_equal(role, ecert_slice_text("applicant")) ? ECERT_ROLE_APPLICANT : ECERT_ROLE_AUDITOR;
	}
	return roles;
}

EcertNodeFacts
ecert_node_facts(EcertSlice body)
{
	EcertNodeFacts node = {roles_of(body), 0, INT64_MAX};

	(void) ecert_field_int(body, "effective", &node.effective);
	if (ecert_field_is(body, "status", "revoked"))
		node.revoked_at = node.effective;
	return node;
}

EcertRoleHistory
ecert_roles_until(EcertRoleHistory history, int64_t last)
{
	while (history.count > 0 && history.list[history.count - 1].seq > last)
		history.count--;
	return history;
}

int
ecert_roles_at(const EcertRoleHistory *history, int64_t at)
{
	int			roles = 0;

	for (size_t i = 0; i < history->count; i++)
	{
		if ((i == 0 || history->list[i].issued_at <= at) && (i + 1 == history->count || history->list[i + 1].issued_at >= at))
			roles |= history->list[i].roles;
	}
	return roles;
}
