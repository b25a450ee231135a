/*
 * feed.c
 *		The packages of a feed one after the other: link, seq, time, periods.
 *
 * Only the index is read.  The texts are those of ecert.problems()
 * (ecert_check_link() and ecert_check_order() of src/ledger/admit.c).
 */
#include "verifier/verifier.h"

#include <inttypes.h>

/* Room for the words about where a feed ends */
#define DETAIL_ROOM 1024

static const char *
link_detail(const Ledger *ledger, const Entry *head, const Entry *entry, char *detail)
{
	char		hash[HEX_ROOM];
	char		prev[HEX_ROOM];
	EcertSlice	issuer = ledger_id_text(ledger, entry->issuer);

	text_hash(entry->prev, prev);
	if (head == NULL)
		snprintf(detail, DETAIL_ROOM, "Feed (\"%.*s\", %s) is empty; the package has seq %" PRId64 " and prev %s.",
				 TEXT(issuer), ecert_kind_name((EcertKind) entry->kind), entry->seq, prev);
	else
		snprintf(detail, DETAIL_ROOM, "Feed (\"%.*s\", %s) ends at seq %" PRId64 " with hash %s; the package has seq %" PRId64 " and prev %s.",
				 TEXT(issuer), ecert_kind_name((EcertKind) entry->kind), head->seq, text_hash(head->hash, hash), entry->seq, prev);
	return detail;
}

/* Is one of the packages with the head's seq the one that entry names?  A changed one is not held against its successor */
static bool
follows(const Walk *walk, const Entry *entry)
{
	for (const Entry *head = walk->same; head <= walk->head; head++)
	{
		if ((head->flags & ENTRY_CHANGED) != 0 || memcmp(head->hash, entry->prev, ECERT_HASH_SIZE) == 0)
			return true;
	}
	return false;
}

/* A seq that is there already: the same package again, or another story */
static bool
refuse_same_seq(Ledger *ledger, const Walk *walk, Entry *entry)
{
	char		detail[DETAIL_ROOM];
	char		first[HEX_ROOM];
	char		second[HEX_ROOM];

	link_detail(ledger, walk->head, entry, detail);
	/* those of one seq lie by hash, but for the first: see put_followed_first() */
	if (memcmp(walk->same->hash, entry->hash, ECERT_HASH_SIZE) == 0 || memcmp(walk->head->hash, entry->hash, ECERT_HASH_SIZE) == 0)
	{
		entry->flags |= ENTRY_UNSOUND;
		ledger_problem(ledger, entry, "package is on the ledger already (%s)", detail);
		return false;
	}
	ledger_problem(ledger, entry, "seq %" PRId64 " of the feed is taken (%s)", entry->seq, detail);
	if (((entry->flags | walk->same->flags) & ENTRY_UNSOUND) == 0)
		ledger_problem(ledger, entry, "equivocation: the issuer signed two different packages with seq %" PRId64 " (%s and %s)", entry->seq,
					   text_hash(walk->same->hash, first), text_hash(entry->hash, second));
	entry->flags |= ENTRY_UNSOUND;
	return false;
}

static bool
check_link(Ledger *ledger, const Walk *walk, Entry *entry)
{
	char		detail[DETAIL_ROOM];
	char		prev[HEX_ROOM];
	char		genesis[HEX_ROOM];
	int64_t		last = walk->head == NULL ? -1 : walk->head->seq;

	if (entry->seq <= last)
		return refuse_same_seq(ledger, walk, entry);
	if (entry->seq > last + 1)
	{
		ledger_problem(ledger, entry, "seq %" PRId64 " leaves a gap in the feed (%s)", entry->seq,
					   link_detail(ledger, walk->head, entry, detail));
		return false;
	}
	if (walk->head == NULL ? memcmp(entry->prev, ledger->registry.genesis_hash, ECERT_HASH_SIZE) == 0 : follows(walk, entry))
		return true;
	if (entry->seq == 0)
		ledger_problem(ledger, entry, "first package of the feed does not name this ledger's genesis (It names %s, the genesis package is %s.)",
					   text_hash(entry->prev, prev), text_hash(ledger->registry.genesis_hash, genesis));
	else
		ledger_problem(ledger, entry, "package does not follow the head of its feed (%s)", link_detail(ledger, walk->head, entry, detail));
	return false;
}

static bool
check_order(Ledger *ledger, const Walk *walk, const Entry *entry)
{
	char		said[TIME_ROOM];
	char		before[TIME_ROOM];

	if (walk->head != NULL && entry->issued_at < walk->issued_at)
	{
		ledger_problem(ledger, entry, "issued_at runs backwards in the feed (The package says %s, the one before it %s.)",
					   text_time(entry->issued_at, said), text_time(walk->issued_at, before));
		return false;
	}
	if ((entry->kind != ECERT_KIND_ENERGY && entry->kind != ECERT_KIND_PRODUCT) || (entry->flags & ENTRY_REPLACES) != 0 ||
		entry->period.start == entry->period.end || entry->period.start >= walk->period_end)
		return true;
	ledger_problem(ledger, entry, "period overlaps an earlier one of the feed, or runs backwards (The period starts at %s, the feed already reaches %s.)",
				   text_time(entry->period.start, said), text_time(walk->period_end, before));
	return false;
}

bool
walk_step(Ledger *ledger, Walk *walk, Entry *entry)
{
	bool		good = check_link(ledger, walk, entry) && check_order(ledger, walk, entry);

	if (walk->head == NULL || entry->seq != walk->head->seq)
		walk->same = entry;
	walk->head = entry;
	/* times of a package that was changed say nothing about its successor's */
	if ((entry->flags & ENTRY_UNSOUND) == 0)
	{
		walk->issued_at = entry->issued_at;
		if (entry->period.end > walk->period_end)
			walk->period_end = entry->period.end;
	}
	return good;
}

void
check_feeds(Ledger *ledger)
{
	for (size_t i = 0; i < ledger->feed_count; i++)
	{
		const Feed *feed = &ledger->feeds[i];
		Walk		walk = {NULL, NULL, 0, 0};

		/* the registry's were walked when it was built */
		if (feed->kind == ECERT_KIND_GENESIS || (feed->kind == ECERT_KIND_NODE && feed->issuer == ledger->registry.certifier))
			continue;
		for (uint32_t j = 0; j < feed->count; j++)
			walk_step(ledger, &walk, &ledger->entries[feed->first + j]);
	}
}
