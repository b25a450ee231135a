/*
 * issuer.c
 *		May this node issue this kind of package, with this key, at this time?
 */
#include "registry/registry.h"

#include "utils/timestamp.h"

#include "package/datum.h"
#include "pg/error.h"

/* The role that a kind's issuer needs; the certifier's kinds are the genesis issuer's alone */
static int
role_for(EcertKind kind)
{
	switch (kind)
	{
		case ECERT_KIND_ENERGY:
		case ECERT_KIND_PRODUCT:
			return ECERT_ROLE_APPLICANT;
		case ECERT_KIND_AUDIT:
		case ECERT_KIND_WITNESS:
			return ECERT_ROLE_AUDITOR;
		default:
			return ECERT_ROLE_CERTIFIER;
	}
}

bool
ecert_kind_is_certifiers(EcertKind kind)
{
	return role_for(kind) == ECERT_ROLE_CERTIFIER;
}

static bool
check_entitled(EcertRegistry *registry, const EcertNodeState *node, const EcertPackage *package,
			   EcertRefusal *refusal)
{
	int			role = role_for(package->kind);
	const char *name = role == ECERT_ROLE_CERTIFIER ? "the certifier" :
		role == ECERT_ROLE_APPLICANT ? "applicants" : "auditors";

	if ((node->roles & role) != 0 &&
		(role != ECERT_ROLE_CERTIFIER || memcmp(&node->id, &registry->certifier, sizeof node->id) == 0))
		return true;
	return ecert_refuse(refusal, ERRCODE_ECERT_ISSUER_NOT_ENTITLED,
						psprintf("node \"%s\" may not issue packages of kind %s",
								 ecert_cstring(package->issuer), ecert_kind_name(package->kind)),
						psprintf("Packages of kind %s are issued by %s%s.", ecert_kind_name(package->kind), name,
								 role == ECERT_ROLE_CERTIFIER ? " that made the ledger" : ""),
						pstrdup("The certifier gives roles with ecert.enroll()."));
}

static char *
time_text(int64 seconds)
{
	return pstrdup(timestamptz_to_str(ecert_timestamp(seconds)));
}

static bool
check_key_time(const EcertNodeState *node, const EcertNodeKey *key, const EcertPackage *package,
			   int64 now, bool first_admission, EcertRefusal *refusal)
{
	char	   *who = ecert_cstring(package->issuer);

	/* whole seconds: what was signed in the very second of the change stays valid */
	if (package->issued_at > node->revoked_at || (first_admission && now >= node->revoked_at))
		return ecert_refuse(refusal, ERRCODE_ECERT_REVOKED,
							psprintf("node \"%s\" is revoked", who),
							psprintf("Revoked from %s; the package says it was issued at %s.",
									 time_text(node->revoked_at), time_text(package->issued_at)),
							pstrdup("Ask the certifier, who can enroll the node again."));
	if (package->issued_at > key->until || (first_admission && now >= key->until))
		return ecert_refuse(refusal, ERRCODE_ECERT_KEY_NOT_VALID,
							psprintf("key of node \"%s\" is no longer in use", who),
							psprintf("Key %s was replaced at %s; the package says it was issued at %s.",
									 ecert_hex(package->kid), time_text(key->until), time_text(package->issued_at)),
							pstrdup("Sign with the node's new key."));
	if (package->issued_at < key->effective)
		return ecert_refuse(refusal, ERRCODE_ECERT_KEY_NOT_VALID,
							psprintf("key of node \"%s\" is not in use yet", who),
							psprintf("Key %s counts from %s; the package says it was issued at %s.",
									 ecert_hex(package->kid), time_text(key->effective), time_text(package->issued_at)),
							NULL);
	return true;
}

bool
ecert_check_issuer(EcertRegistry *registry, const EcertPackage *package, int64 now,
				   bool first_admission, EcertNodeKey **key, EcertRefusal *refusal)
{
	EcertNodeState *node = ecert_registry_node(registry, package->issuer);

	if (node == NULL)
		return ecert_refuse(refusal, ERRCODE_ECERT_ISSUER_UNKNOWN,
							psprintf("issuer \"%s\" is not enrolled", ecert_cstring(package->issuer)),
							psprintf("No node package on the ledger \"%s\" introduces it.", ecert_cstring(registry->origin)),
							pstrdup("The certifier enrolls nodes with ecert.enroll()."));
	if (!check_entitled(registry, node, package, refusal))
		return false;
	*key = ecert_node_key(node, package->kid);
	if (*key == NULL)
		return ecert_refuse(refusal, ERRCODE_ECERT_KEY_UNKNOWN,
							psprintf("key is not one of node \"%s\"", ecert_cstring(package->issuer)),
							psprintf("The package names key %s.", ecert_hex(package->kid)),
							pstrdup("Sign with an enrolled key, or ask the certifier for ecert.rotate_key()."));
	if ((*key)->alg != package->alg)
		return ecert_refuse(refusal, ERRCODE_ECERT_ALGORITHM_WRONG,
							psprintf("algorithm %s is not the key's", ecert_alg_name(package->alg)),
							psprintf("Key %s of node \"%s\" is enrolled for %s.", ecert_hex(package->kid),
									 ecert_cstring(package->issuer), ecert_alg_name((*key)->alg)),
							NULL);
	return check_key_time(node, *key, package, now, first_admission, refusal);
}
