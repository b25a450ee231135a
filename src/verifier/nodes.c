/*
 * nodes.c
 *		Look-ups in the registry that registry.c has built.
 */
#include "verifier/verifier.h"

const Key *
registry_key(const Registry *registry, uint32_t node, EcertSlice kid, uint32_t *number)
{
	const Node *state = registry->nodes[node];

	for (uint32_t i = 0; state != NULL && i < state->key_count; i++)
	{
		const Key  *key = registry->keys[state->keys[i]];

		if (memcmp(key->facts.kid, kid.data, ECERT_HASH_SIZE) == 0)
		{
			*number = state->keys[i];
			return key;
		}
	}
	return NULL;
}

EcertSlice
ledger_origin(const Ledger *ledger)
{
	return ledger->registry.has_genesis ? ledger->registry.origin : ecert_slice(NULL, 0);
}

uint32_t
ledger_certifier(const Ledger *ledger)
{
	return ledger->registry.has_genesis ? ledger->registry.certifier : NO_ID;
}

const uint8_t *
ledger_genesis_hash(const Ledger *ledger)
{
	return ledger->registry.genesis_hash;
}
