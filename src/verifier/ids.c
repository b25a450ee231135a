/*
 * ids.c
 *		Ids of nodes and origins, each kept once under a number.
 */
#include "verifier/verifier.h"

uint32_t
ids_intern(Ledger *ledger, EcertSlice *text)
{
	Ids		   *ids = &ledger->ids;
	EcertArena *arena = arena_memory(&ledger->memory);
	uint32_t	number;

	pthread_mutex_lock(&ledger->lock);
	number = ledger_id(ledger, *text);
	if (number == NO_ID)
	{
		ids->list = ecert_arena_grow(arena, ids->list, ids->count, &ids->room, sizeof *ids->list);
		ids->list[ids->count] = ecert_arena_copy(arena, *text);
		number = ids->count++;
		ecert_table_put(&ids->table, ids->list[number], ECERT_NO_TEXT, ECERT_NO_TEXT, (void *) (uintptr_t) ids->count);
	}
	*text = ids->list[number];
	pthread_mutex_unlock(&ledger->lock);
	return number;
}

uint32_t
ledger_id(const Ledger *ledger, EcertSlice text)
{
	return (uint32_t) (uintptr_t) ecert_table_find(&ledger->ids.table, text, ECERT_NO_TEXT, ECERT_NO_TEXT) - 1;
}

EcertSlice
ledger_id_text(const Ledger *ledger, uint32_t id)
{
	return id < ledger->ids.count ? ledger->ids.list[id] : ecert_slice(NULL, 0);
}
