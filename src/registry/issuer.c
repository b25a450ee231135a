/*
 * issuer.c
 *		May this node issue this kind of package, with this key, at this time?
 */
#include "registry/registry.h"

bool
ecert_check_issuer(EcertRegistry *registry, const EcertPackage *package, int64 now,
				   bool first_admission, EcertNodeKey **key, EcertFinding *finding)
{
	EcertNodeState *node = ecert_registry_node(registry, package->issuer);
	bool		is_certifier = node != NULL && memcmp(&node->id, &registry->certifier, sizeof node->id) == 0;

	if (!ecert_check_entitled(package, registry->origin, node == NULL ? NULL : &node->facts, is_certifier, finding))
		return false;
	*key = ecert_node_key(node, package->kid);
	return ecert_check_key(package, &node->facts, *key == NULL ? NULL : &(*key)->facts, first_admission ? now : PG_INT64_MIN, finding);
}
