/*
 * index.c
 *		The packages of a ledger in memory: ids, order, look-ups, reading them again.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <unistd.h>

#define ENTRIES_AT_FIRST 65536

/* Read at once where packages lie one behind the other, as in a dump in the order of the feeds */
#define READ_AHEAD (32 * 1024)

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

void
ledger_init(Ledger *ledger, const Options *options)
{
	memset(ledger, 0, sizeof *ledger);
	ledger->options = options;
	ledger->spool = -1;
	ledger->registry.certifier = NO_ID;
	pthread_mutex_init(&ledger->lock, NULL);
	ledger->ids.table.arena = arena_memory(&ledger->memory);
}

void
ledger_free(Ledger *ledger)
{
	if (ledger->spool_is_ours && ledger->spool >= 0)
		close(ledger->spool);
	for (uint32_t i = 0; i < ledger->registry.key_count; i++)
		ecert_public_key_free(ledger->registry.keys[i]->prepared);
	free(ledger->entries);
	free(ledger->by_hash);
	arena_reset(&ledger->memory);
	pthread_mutex_destroy(&ledger->lock);
}

/* A large block grows in place by its pages, so what is not used yet takes no memory */
void
ledger_add(Ledger *ledger, const Entry *entries, size_t count)
{
	pthread_mutex_lock(&ledger->lock);
	if (ledger->count + count >= UINT32_MAX)
	{
		fputs("ecert-verify: more than 4,294,967,294 packages\n", stderr);
		exit(EXIT_NOT_CHECKED);
	}
	while (ledger->count + count > ledger->room)
	{
		ledger->room = ledger->room == 0 ? ENTRIES_AT_FIRST : ledger->room * 2;
		ledger->entries = need(realloc(ledger->entries, ledger->room * sizeof *ledger->entries));
	}
	if (count > 0)
		memcpy(ledger->entries + ledger->count, entries, count * sizeof *entries);
	ledger->count += count;
	for (size_t i = 0; i < count; i++)
		ledger->counts.package_bytes += entries[i].size;
	pthread_mutex_unlock(&ledger->lock);
}

typedef struct SortKey
{
	uint32_t	feed;			/* rank of the issuer, and in it that of the kind */
	uint32_t	index;
	int64_t		seq;
} SortKey;

static int
compare_ids(const void *a, const void *b, void *context)
{
	const EcertSlice *list = context;

	return ecert_slice_compare(list[*(const uint32_t *) a], list[*(const uint32_t *) b]);
}

static int
compare_keys(const void *a, const void *b, void *context)
{
	const SortKey *first = a;
	const SortKey *second = b;
	const Entry *entries = context;
	int			order;

	if (first->feed != second->feed)
		return first->feed < second->feed ? -1 : 1;
	if (first->seq != second->seq)
		return first->seq < second->seq ? -1 : 1;
	order = memcmp(entries[first->index].hash, entries[second->index].hash, ECERT_HASH_SIZE);
	return order != 0 ? order : (first->index > second->index) - (first->index < second->index);
}

/* Ranks of kinds in the order of their names' bytes */
static void
rank_kinds(uint32_t *ranks)
{
	for (int i = 0; i < ECERT_KIND_COUNT; i++)
	{
		ranks[i] = 0;
		for (int j = 0; j < ECERT_KIND_COUNT; j++)
			ranks[i] += strcmp(ecert_kind_name((EcertKind) j), ecert_kind_name((EcertKind) i)) < 0;
	}
}

/* Ranks of ids in the order of their bytes */
static uint32_t *
rank_ids(const Ids *ids)
{
	uint32_t   *order = need(malloc((ids->count + 1) * sizeof *order));
	uint32_t   *ranks = need(malloc((ids->count + 1) * sizeof *ranks));

	for (uint32_t i = 0; i < ids->count; i++)
		order[i] = i;
	qsort_r(order, ids->count, sizeof *order, compare_ids, ids->list);
	for (uint32_t i = 0; i < ids->count; i++)
		ranks[order[i]] = i;
	free(order);
	return ranks;
}

static bool
is_sorted(const SortKey *keys, size_t count, Entry *entries)
{
	for (size_t i = 1; i < count; i++)
	{
		if (compare_keys(&keys[i - 1], &keys[i], entries) > 0)
			return false;
	}
	return true;
}

/* Bring the entries into the order of keys, cycle by cycle, with one entry put aside */
static void
permute(Entry *entries, SortKey *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		Entry		aside = entries[i];
		size_t		place = i;

		while (keys[place].index != i)
		{
			size_t		from = keys[place].index;

			entries[place] = entries[from];
			keys[place].index = (uint32_t) place;
			place = from;
		}
		entries[place] = aside;
		keys[place].index = (uint32_t) place;
	}
}

static void
sort_entries(Ledger *ledger)
{
	SortKey    *keys = need(malloc((ledger->count + 1) * sizeof *keys));
	uint32_t   *id_ranks = rank_ids(&ledger->ids);
	uint32_t	kind_ranks[ECERT_KIND_COUNT];

	rank_kinds(kind_ranks);
	for (size_t i = 0; i < ledger->count; i++)
	{
		const Entry *entry = &ledger->entries[i];

		keys[i].feed = id_ranks[entry->issuer] * ECERT_KIND_COUNT + kind_ranks[entry->kind];
		keys[i].index = (uint32_t) i;
		keys[i].seq = entry->seq;
	}
	if (!is_sorted(keys, ledger->count, ledger->entries))
	{
		qsort_r(keys, ledger->count, sizeof *keys, compare_keys, ledger->entries);
		permute(ledger->entries, keys, ledger->count);
	}
	free(id_ranks);
	free(keys);
}

/* Where a seq is there twice, the package that the next one names goes first: it is the other that came into its place */
static void
put_followed_first(Ledger *ledger)
{
	Entry	   *entries = ledger->entries;

	for (size_t i = 0; i + 1 < ledger->count; i++)
	{
		size_t		end = i + 1;

		while (end < ledger->count && entries[end].seq == entries[i].seq && entries[end].issuer == entries[i].issuer &&
			   entries[end].kind == entries[i].kind)
			end++;
		for (size_t j = i + 1; j < end && end < ledger->count; j++)
		{
			Entry		aside = entries[i];

			if (memcmp(entries[end].prev, entries[j].hash, ECERT_HASH_SIZE) != 0)
				continue;
			entries[i] = entries[j];
			entries[j] = aside;
			break;
		}
		i = end - 1;
	}
}

static void
find_feeds(Ledger *ledger)
{
	EcertArena *arena = arena_memory(&ledger->memory);
	Feed	   *feed = NULL;

	ledger->first_feed = ecert_arena_array(arena, ledger->ids.count, sizeof *ledger->first_feed);
	memset(ledger->first_feed, 0xFF, ledger->ids.count * sizeof *ledger->first_feed);
	for (size_t i = 0; i < ledger->count; i++)
	{
		Entry	   *entry = &ledger->entries[i];

		if (feed == NULL || feed->issuer != entry->issuer || feed->kind != entry->kind)
		{
			ledger->feeds = ecert_arena_grow(arena, ledger->feeds, ledger->feed_count, &ledger->feed_room, sizeof *feed);
			if (ledger->first_feed[entry->issuer] == UINT32_MAX)
				ledger->first_feed[entry->issuer] = (uint32_t) ledger->feed_count;
			feed = &ledger->feeds[ledger->feed_count++];
			*feed = (Feed) {entry, entry->issuer, entry->kind, 0, 0, 0, -1};
		}
		feed->count++;
	}
}

/* The slot of a hash: its own, or the free one where it belongs */
static uint32_t *
hash_slot(const Ledger *ledger, const uint8_t *hash)
{
	uint64_t	place;

	for (memcpy(&place, hash, sizeof place);; place++)
	{
		uint32_t   *slot = &ledger->by_hash[place & (ledger->hash_slots - 1)];

		if (*slot == 0 || memcmp(ledger->entries[*slot - 1].hash, hash, ECERT_HASH_SIZE) == 0)
			return slot;
	}
}

/* Of identical packages only the first is found: a dump of nothing else must not make every look-up long */
static void
index_hashes(Ledger *ledger)
{
	ledger->hash_slots = 1024;
	while (ledger->hash_slots < ledger->count + ledger->count / 2)
		ledger->hash_slots *= 2;
	ledger->by_hash = need(calloc(ledger->hash_slots, sizeof *ledger->by_hash));
	for (size_t i = 0; i < ledger->count; i++)
	{
		uint32_t   *slot = hash_slot(ledger, ledger->entries[i].hash);

		if (*slot == 0)
			*slot = (uint32_t) i + 1;
	}
}

void
ledger_sort(Ledger *ledger)
{
	if (ledger->ids.count > UINT32_MAX / ECERT_KIND_COUNT)
	{
		fputs("ecert-verify: more than 357,913,941 nodes\n", stderr);
		exit(EXIT_NOT_CHECKED);
	}
	sort_entries(ledger);
	put_followed_first(ledger);
	find_feeds(ledger);
	index_hashes(ledger);
}

Feed *
ledger_feed(const Ledger *ledger, uint32_t issuer, EcertKind kind)
{
	static Feed nothing;

	if (issuer >= ledger->ids.count)
		return &nothing;
	for (size_t i = ledger->first_feed[issuer]; i < ledger->feed_count && ledger->feeds[i].issuer == issuer; i++)
	{
		if (ledger->feeds[i].kind == (uint32_t) kind)
			return &ledger->feeds[i];
	}
	return &nothing;
}

Feed *
ledger_next_feed(const Ledger *ledger, EcertKind kind, const Feed *feed)
{
	for (size_t i = feed == NULL ? 0 : (size_t) (feed - ledger->feeds) + 1; i < ledger->feed_count; i++)
	{
		if (ledger->feeds[i].kind == (uint32_t) kind)
			return &ledger->feeds[i];
	}
	return NULL;
}

size_t
feed_place(const Feed *feed, int64_t seq)
{
	const Entry *entries = feed->entries;
	size_t		low = 0;
	size_t		high = feed->count;

	/* a feed without gaps has it at its very place */
	if (seq >= 0 && (uint64_t) seq < high && entries[seq].seq == seq && (seq == 0 || entries[seq - 1].seq < seq))
		return (size_t) seq;
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (entries[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const Entry *
feed_at(const Feed *feed, int64_t seq)
{
	size_t		place = feed_place(feed, seq);

	return place < feed->count && feed->entries[place].seq == seq ? &feed->entries[place] : NULL;
}

const Entry *
ledger_by_hash(const Ledger *ledger, const uint8_t *hash)
{
	uint32_t	number = *hash_slot(ledger, hash);

	return number == 0 ? NULL : &ledger->entries[number - 1];
}

Key *
node_key(const Node *node, const uint8_t *kid)
{
	for (uint32_t i = 0; node != NULL && i < node->key_count; i++)
	{
		if (memcmp(node->keys[i]->facts.kid, kid, ECERT_HASH_SIZE) == 0)
			return node->keys[i];
	}
	return NULL;
}

static bool
fill_window(Reader *reader, uint64_t offset, size_t least, size_t most)
{
	reader->start = offset;
	reader->size = 0;
	while (reader->size < least)
	{
		ssize_t		got = pread(reader->ledger->spool, reader->window + reader->size, most - reader->size, (off_t) (offset + reader->size));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		reader->size += (size_t) got;
	}
	return true;
}

/* The bytes have to be the very same that were parsed before: files can be changed, disks can fail */
bool
reader_get(Reader *reader, const Entry *entry, EcertPackage *package)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;
	bool		goes_on = entry->offset >= reader->start && entry->offset - reader->start <= reader->size;
	size_t		most = goes_on && entry->size < READ_AHEAD ? READ_AHEAD : entry->size;
	uint8_t		hash[ECERT_HASH_SIZE];

	if ((goes_on && entry->offset + entry->size <= reader->start + reader->size) || fill_window(reader, entry->offset, entry->size, most))
	{
		EcertSlice	whole = {reader->window + (entry->offset - reader->start), entry->size};

		if (ecert_package_hash(whole, hash) == ECERT_OK && memcmp(hash, entry->hash, sizeof hash) == 0 &&
			ecert_package_parse_again(whole, package) == ((entry->flags & ENTRY_BEYOND) != 0 ? ECERT_UNKNOWN_ALG : ECERT_OK))
			return true;
	}
	/* said once; findings are not part of the index, which readers may not change */
	if (!atomic_flag_test_and_set(&said))
		ledger_error((Ledger *) (uintptr_t) reader->ledger,
					 "the packages could not be read a second time: the file was changed meanwhile, or cannot be read");
	return false;
}
