/*
 * rule_registry.c
 *		The rules of kinds node, relation and policy (src/registry).
 */
#include "verifier/rules.h"

void
rule_relation(const Case *it)
{
	EcertSlice	auditor = ecert_cbor_text_at(it->package->body, "auditor");
	EcertSlice	applicant = ecert_cbor_text_at(it->package->body, "applicant");

	if (ecert_slice_equal(auditor, applicant))
		ledger_problem(it->ledger, it->entry, "node \"%.*s\" may not audit itself", (int) auditor.size, (const char *) auditor.data);
}
