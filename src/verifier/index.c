/*
 * index.c
 *		The packages of a ledger in memory: order, look-ups, reading them again; see
 *		ledger.h.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <unistd.h>

#define ENTRIES_AT_FIRST 65536

/* Read at once where packages lie one behind the other, as in a dump in the order of the feeds */
#define READ_AHEAD (32 * 1024)

/* ----- entries ----- */

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
	pthread_mutex_unlock(&ledger->lock);
}

/* ----- sorting ----- */

typedef struct SortKey
{
	uint32_t	feed;			/* rank of the issuer, and in it that of the kind */
	uint32_t	index;
	int64_t		seq;
} SortKey;

static int
compare_ids(const void *a, const void *b, void *context)
{
	const Id   *list = context;
	const Id   *first = &list[*(const uint32_t *) a];
	const Id   *second = &list[*(const uint32_t *) b];

	return ecert_slice_compare(ecert_slice(first->text, first->size), ecert_slice(second->text, second->size));
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

static void
rank_ids(Ledger *ledger)
{
	uint32_t	count = ledger->ids.count;
	uint32_t   *order = need(malloc((count + 1) * sizeof *order));

	ledger->ranks = need(malloc((count + 1) * sizeof *ledger->ranks));
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof *order, compare_ids, ledger->ids.list);
	for (uint32_t i = 0; i < count; i++)
		ledger->ranks[order[i]] = i;
	free(order);
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
	uint32_t	kind_ranks[ECERT_KIND_COUNT];

	rank_kinds(kind_ranks);
	for (size_t i = 0; i < ledger->count; i++)
	{
		const Entry *entry = &ledger->entries[i];

		keys[i].feed = ledger->ranks[entry->issuer] * ECERT_KIND_COUNT + kind_ranks[entry->kind];
		keys[i].index = (uint32_t) i;
		keys[i].seq = entry->seq;
	}
	if (!is_sorted(keys, ledger->count, ledger->entries))
	{
		qsort_r(keys, ledger->count, sizeof *keys, compare_keys, ledger->entries);
		permute(ledger->entries, keys, ledger->count);
	}
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
	size_t		room = 0;

	ledger->first_feed = need(malloc((ledger->ids.count + 1) * sizeof *ledger->first_feed));
	memset(ledger->first_feed, 0xFF, (ledger->ids.count + 1) * sizeof *ledger->first_feed);
	for (size_t i = 0; i < ledger->count; i++)
	{
		const Entry *entry = &ledger->entries[i];
		Feed	   *feed = ledger->feed_count == 0 ? NULL : &ledger->feeds[ledger->feed_count - 1];

		if (feed != NULL && feed->issuer == entry->issuer && feed->kind == entry->kind)
		{
			feed->count++;
			continue;
		}
		if (ledger->feed_count == room)
		{
			room = room == 0 ? 1024 : room * 2;
			ledger->feeds = need(realloc(ledger->feeds, room * sizeof *ledger->feeds));
		}
		if (ledger->first_feed[entry->issuer] == UINT32_MAX)
			ledger->first_feed[entry->issuer] = (uint32_t) ledger->feed_count;
		ledger->feeds[ledger->feed_count++] = (Feed) {entry->issuer, entry->kind, (uint32_t) i, 1};
	}
}

static size_t
hash_place(const uint8_t *hash)
{
	uint64_t	place;

	memcpy(&place, hash, sizeof place);
	return (size_t) place;
}

/* Of identical packages only the first is found: a dump of nothing else must not make every look-up long */
static void
put_hash(Ledger *ledger, uint32_t number)
{
	const uint8_t *hash = ledger->entries[number].hash;

	for (size_t place = hash_place(hash);; place++)
	{
		uint32_t   *slot = &ledger->by_hash[place & (ledger->hash_slots - 1)];

		if (*slot == 0)
			*slot = number + 1;
		else if (memcmp(ledger->entries[*slot - 1].hash, hash, ECERT_HASH_SIZE) != 0)
			continue;
		return;
	}
}

static void
index_hashes(Ledger *ledger)
{
	ledger->hash_slots = 1024;
	while (ledger->hash_slots < ledger->count + ledger->count / 2)
		ledger->hash_slots *= 2;
	ledger->by_hash = need(calloc(ledger->hash_slots, sizeof *ledger->by_hash));
	for (size_t i = 0; i < ledger->count; i++)
		put_hash(ledger, (uint32_t) i);
}

void
ledger_sort(Ledger *ledger)
{
	if (ledger->ids.count > UINT32_MAX / ECERT_KIND_COUNT)
	{
		fputs("ecert-verify: more than 357,913,941 nodes\n", stderr);
		exit(EXIT_NOT_CHECKED);
	}
	rank_ids(ledger);
	sort_entries(ledger);
	put_followed_first(ledger);
	find_feeds(ledger);
	index_hashes(ledger);
}

void
ledger_free(Ledger *ledger)
{
	free(ledger->entries);
	free(ledger->ranks);
	free(ledger->feeds);
	free(ledger->first_feed);
	free(ledger->by_hash);
	ids_free(&ledger->ids);
}

/* ----- look-ups ----- */

const Feed *
ledger_feed_place(const Ledger *ledger, uint32_t issuer, EcertKind kind)
{
	if (issuer >= ledger->ids.count)
		return NULL;
	for (size_t i = ledger->first_feed[issuer]; i < ledger->feed_count && ledger->feeds[i].issuer == issuer; i++)
	{
		if (ledger->feeds[i].kind == (uint32_t) kind)
			return &ledger->feeds[i];
	}
	return NULL;
}

const Entry *
ledger_feed(const Ledger *ledger, uint32_t issuer, EcertKind kind, size_t *count)
{
	const Feed *feed = ledger_feed_place(ledger, issuer, kind);

	*count = feed == NULL ? 0 : feed->count;
	return feed == NULL ? NULL : ledger->entries + feed->first;
}

const Entry *
ledger_at(const Ledger *ledger, uint32_t issuer, EcertKind kind, int64_t seq)
{
	size_t		count;
	size_t		low = 0;
	const Entry *feed = ledger_feed(ledger, issuer, kind, &count);
	size_t		high = count;

	/* a feed without gaps has it at its very place */
	if (seq >= 0 && (uint64_t) seq < count && feed[seq].seq == seq && (seq == 0 || feed[seq - 1].seq < seq))
		return &feed[seq];
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (feed[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && feed[low].seq == seq ? &feed[low] : NULL;
}

const Entry *
ledger_by_hash(const Ledger *ledger, const uint8_t *hash)
{
	for (size_t place = hash_place(hash);; place++)
	{
		uint32_t	number = ledger->by_hash[place & (ledger->hash_slots - 1)];

		if (number == 0)
			return NULL;
		if (memcmp(ledger->entries[number - 1].hash, hash, ECERT_HASH_SIZE) == 0)
			return &ledger->entries[number - 1];
	}
}

const Entry *
ledger_all(const Ledger *ledger, size_t *count)
{
	*count = ledger->count;
	return ledger->entries;
}

const Entry *
ledger_next_feed(const Ledger *ledger, EcertKind kind, size_t *place, size_t *count)
{
	while (*place < ledger->feed_count)
	{
		const Feed *feed = &ledger->feeds[(*place)++];

		if (feed->kind == (uint32_t) kind)
		{
			*count = feed->count;
			return ledger->entries + feed->first;
		}
	}
	*count = 0;
	return NULL;
}

/* ----- reading back ----- */

static bool
read_spool(const Ledger *ledger, uint64_t offset, uint8_t *bytes, size_t least, size_t most, size_t *size)
{
	*size = 0;
	while (*size < least)
	{
		ssize_t		got = pread(ledger->spool, bytes + *size, most - *size, (off_t) (offset + *size));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		*size += (size_t) got;
	}
	return true;
}

/* The bytes have to be the very same that were parsed before: files can be changed, disks can fail */
static bool
parse_again(const Entry *entry, const uint8_t *bytes, EcertPackage *package)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertSlice	whole = ecert_slice(bytes, entry->size);

	return ecert_package_hash(whole, hash) == ECERT_OK && memcmp(hash, entry->hash, sizeof hash) == 0 &&
		ecert_package_parse_again(whole, package) == ECERT_OK;
}

/* Said once: findings are not part of the index, which readers may not change */
static bool
unreadable(const Ledger *ledger)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&said))
		ledger_error((Ledger *) (uintptr_t) ledger, "the packages could not be read a second time: the file was changed meanwhile, or cannot be read");
	return false;
}

bool
ledger_read(const Ledger *ledger, const Entry *entry, uint8_t *buffer, EcertPackage *package)
{
	size_t		size;

	if (!read_spool(ledger, entry->offset, buffer, entry->size, entry->size, &size) ||
		!parse_again(entry, buffer, package))
		return unreadable(ledger);
	return true;
}

bool
reader_get(Reader *reader, const Entry *entry, EcertPackage *package)
{
	if (entry->offset < reader->start || entry->offset + entry->size > reader->start + reader->size)
	{
		bool		goes_on = entry->offset >= reader->start && entry->offset - reader->start <= reader->size;
		size_t		most = goes_on && entry->size < READ_AHEAD ? READ_AHEAD : entry->size;

		reader->start = entry->offset;
		if (!read_spool(reader->ledger, entry->offset, reader->window, entry->size, most, &reader->size))
		{
			reader->size = 0;
			return unreadable(reader->ledger);
		}
	}
	if (!parse_again(entry, reader->window + (entry->offset - reader->start), package))
		return unreadable(reader->ledger);
	return true;
}
