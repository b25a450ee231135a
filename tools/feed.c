/*
 * feed.c
 *		The feeds being written; see feed.h.
 */
#include "feed.h"
#include "testkey.h"

#include <stdlib.h>

#define CAPACITY_AT_START 1024

EcertCode
feeds_init(Feeds *feeds, EcertAlg alg, EcertSlice genesis)
{
	memset(feeds, 0, sizeof(*feeds));
	feeds->alg = alg;
	memcpy(feeds->genesis, genesis.data, sizeof(feeds->genesis));
	feeds->capacity = CAPACITY_AT_START;
	feeds->slots = calloc(feeds->capacity, sizeof(Feed));
	return feeds->slots != NULL ? ECERT_OK : ECERT_CRYPTO_FAILED;
}

/* The slot that node has or would get (FNV-1a, linear probing) */
static Feed *
find_slot(Feed *slots, size_t capacity, const char *node)
{
	uint64_t	hash = UINT64_C(14695981039346656037);
	size_t		at;

	for (const char *c = node; *c != '\0'; c++)
		hash = (hash ^ (uint8_t) *c) * UINT64_C(1099511628211);
	for (at = hash & (capacity - 1); slots[at].node != NULL; at = (at + 1) & (capacity - 1))
	{
		if (strcmp(slots[at].node, node) == 0)
			break;
	}
	return &slots[at];
}

static bool
grow(Feeds *feeds)
{
	size_t		capacity = feeds->capacity * 2;
	Feed	   *slots = calloc(capacity, sizeof(Feed));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < feeds->capacity; i++)
	{
		if (feeds->slots[i].node != NULL)
			*find_slot(slots, capacity, feeds->slots[i].node) = feeds->slots[i];
	}
	free(feeds->slots);
	feeds->slots = slots;
	feeds->capacity = capacity;
	return true;
}

EcertCode
feeds_get(Feeds *feeds, const char *node, Feed **feed)
{
	EcertCode	code;

	*feed = find_slot(feeds->slots, feeds->capacity, node);
	if ((*feed)->node != NULL)
		return ECERT_OK;
	if (feeds->count >= feeds->capacity / 2)
	{
		if (!grow(feeds))
			return ECERT_CRYPTO_FAILED;
		*feed = find_slot(feeds->slots, feeds->capacity, node);
	}
	code = testkey_private(node, feeds->alg, &(*feed)->key);
	if (code != ECERT_OK)
		return code;
	(*feed)->node = strdup(node);
	if ((*feed)->node == NULL)
		return ECERT_CRYPTO_FAILED;
	memcpy((*feed)->prev, feeds->genesis, sizeof(feeds->genesis));
	feeds->count++;
	return ECERT_OK;
}

void
feeds_free(Feeds *feeds)
{
	for (size_t i = 0; i < feeds->capacity; i++)
	{
		ecert_private_key_free(feeds->slots[i].key);
		free(feeds->slots[i].node);
	}
	free(feeds->slots);
}
