/*
 * ids.c
 *		Ids of nodes and origins, each kept once under a number.
 */
#include "verifier/verifier.h"

#include <sys/random.h>

#define ID_CHUNK (64 * 1024)

void
ids_init(Ids *ids)
{
	memset(ids, 0, sizeof *ids);
	pthread_mutex_init(&ids->lock, NULL);
	ids->room = 1024;
	ids->list = need(malloc(ids->room * sizeof *ids->list));
	ids->slot_count = 4096;
	ids->slots = need(calloc(ids->slot_count, sizeof *ids->slots));
	if (getrandom(&ids->seed, sizeof ids->seed, GRND_NONBLOCK) != sizeof ids->seed)
		ids->seed = UINT64_C(14695981039346656037);
}

/* FNV-1a from a beginning that nobody can know who chooses ids */
static uint64_t
id_sum(const Ids *ids, EcertSlice text)
{
	uint64_t	sum = ids->seed;

	for (size_t i = 0; i < text.size; i++)
		sum = (sum ^ text.data[i]) * UINT64_C(1099511628211);
	return sum ^ sum >> 32;
}

/* The slot of a text: its own, or the free one where it belongs */
static uint32_t *
id_slot(const Ids *ids, EcertSlice text)
{
	uint64_t	place = id_sum(ids, text);

	for (;; place++)
	{
		uint32_t   *slot = &ids->slots[place & (ids->slot_count - 1)];

		if (*slot == 0 ||
			ecert_slice_equal(ecert_slice(ids->list[*slot - 1].text, ids->list[*slot - 1].size), text))
			return slot;
	}
}

static void
ids_grow(Ids *ids)
{
	if (ids->count == ids->room)
	{
		ids->room *= 2;
		ids->list = need(realloc(ids->list, ids->room * sizeof *ids->list));
	}
	if (ids->count < ids->slot_count / 2)
		return;
	free(ids->slots);
	ids->slot_count *= 2;
	ids->slots = need(calloc(ids->slot_count, sizeof *ids->slots));
	for (uint32_t i = 0; i < ids->count; i++)
		*id_slot(ids, ecert_slice(ids->list[i].text, ids->list[i].size)) = i + 1;
}

/* Copy a text to where it stays */
static const uint8_t *
keep_text(Ids *ids, EcertSlice text)
{
	uint8_t    *kept;

	if (ids->chunk_left < text.size)
	{
		void	  **chunk = need(malloc(sizeof(void *) + ID_CHUNK));

		*chunk = ids->chunks;
		ids->chunks = chunk;
		ids->chunk = (uint8_t *) (chunk + 1);
		ids->chunk_left = ID_CHUNK;
	}
	kept = ids->chunk;
	memcpy(kept, text.data, text.size);
	ids->chunk += text.size;
	ids->chunk_left -= text.size;
	return kept;
}

uint32_t
ids_intern(Ids *ids, EcertSlice text)
{
	uint32_t   *slot;
	uint32_t	number;

	pthread_mutex_lock(&ids->lock);
	slot = id_slot(ids, text);
	if (*slot == 0)
	{
		ids_grow(ids);
		slot = id_slot(ids, text);
		ids->list[ids->count].text = keep_text(ids, text);
		ids->list[ids->count].size = (uint32_t) text.size;
		*slot = ++ids->count;
	}
	number = *slot - 1;
	pthread_mutex_unlock(&ids->lock);
	return number;
}

uint32_t
ledger_id(const Ledger *ledger, EcertSlice text)
{
	uint32_t	number = *id_slot(&ledger->ids, text);

	return number == 0 ? NO_ID : number - 1;
}

EcertSlice
ledger_id_text(const Ledger *ledger, uint32_t id)
{
	return id < ledger->ids.count ? ecert_slice(ledger->ids.list[id].text, ledger->ids.list[id].size) : ecert_slice(NULL, 0);
}

void
ids_free(Ids *ids)
{
	free(ids->list);
	free(ids->slots);
	while (ids->chunks != NULL)
	{
		void	   *chunk = ids->chunks;

		ids->chunks = *(void **) chunk;
		free(chunk);
	}
	pthread_mutex_destroy(&ids->lock);
}
