/*
 * ids.c
 *		Ids of nodes and origins, each kept once under a number.
 */
#include "verifier/verifier.h"

#include "rules/texthash.h"

#define SLOTS_AT_FIRST 4096

/* The slot of a text: its own, or the free one where it belongs */
static uint32_t *
id_slot(const Ids *ids, EcertSlice text)
{
	for (uint64_t place = ecert_text_hash(text, (uintptr_t) ids->slots);; place++)
	{
		uint32_t   *slot = &ids->slots[place & (ids->slot_count - 1)];

		if (*slot == 0 || ecert_slice_equal(ids->list[*slot - 1], text))
			return slot;
	}
}

void
ids_grow(Ledger *ledger)
{
	Ids		   *ids = &ledger->ids;

	ids->slot_count = ids->slot_count == 0 ? SLOTS_AT_FIRST : ids->slot_count * 2;
	ids->slots = ecert_arena_array(arena_memory(&ledger->memory), ids->slot_count, sizeof *ids->slots);
	for (uint32_t i = 0; i < ids->count; i++)
		*id_slot(ids, ids->list[i]) = i + 1;
}

uint32_t
ids_intern(Ledger *ledger, EcertSlice *text)
{
	Ids		   *ids = &ledger->ids;
	EcertArena *arena = arena_memory(&ledger->memory);
	uint32_t	number;

	pthread_mutex_lock(&ledger->lock);
	if (ids->count >= ids->slot_count / 2)
		ids_grow(ledger);
	number = ledger_id(ledger, *text);
	if (number == NO_ID)
	{
		ids->list = ecert_arena_grow(arena, ids->list, ids->count, &ids->room, sizeof *ids->list);
		ids->list[ids->count] = ecert_arena_copy(arena, *text);
		number = ids->count++;
		*id_slot(ids, *text) = ids->count;
	}
	*text = ids->list[number];
	pthread_mutex_unlock(&ledger->lock);
	return number;
}

uint32_t
ledger_id(const Ledger *ledger, EcertSlice text)
{
	return *id_slot(&ledger->ids, text) - 1;
}

EcertSlice
ledger_id_text(const Ledger *ledger, uint32_t id)
{
	return id < ledger->ids.count ? ledger->ids.list[id] : ecert_slice(NULL, 0);
}
