/*
 * feed.c
 *		The packages of a feed one after the other: link, seq, time, periods.
 *
 * Only the index is read.
 */
#include "verifier/verifier.h"

#include <inttypes.h>

/* Is one of the packages with the head's seq the one that entry names?  A changed one is not held against its successor */
static bool
follows(const FeedWalk *walk, const Entry *entry)
{
	for (const Entry *head = walk->same; head <= walk->head; head++)
	{
		if ((head->flags & ENTRY_CHANGED) != 0 || memcmp(head->hash, entry->prev, ECERT_HASH_SIZE) == 0)
			return true;
	}
	return false;
}

/* The package that walk's seq has already, with that hash where one has it */
static const Entry *
same_seq(const FeedWalk *walk, const Entry *entry)
{
	/* those of one seq lie by hash, but for the first: see put_followed_first() */
	return memcmp(walk->same->hash, entry->hash, ECERT_HASH_SIZE) == 0 ? walk->same : walk->head;
}

static bool
is_equivocation(const Ledger *ledger, const Entry *one, const Entry *other)
{
	Reader	   *readers = need(calloc(2, sizeof *readers));
	EcertPackage a;
	EcertPackage b;
	bool		proven;

	readers[0].ledger = readers[1].ledger = ledger;
	proven = reader_get(&readers[0], one, &a) && reader_get(&readers[1], other, &b) &&
		ecert_is_equivocation(ledger->registry.origin, &a, (one->flags & ENTRY_SIGNED) != 0, &b, (other->flags & ENTRY_SIGNED) != 0);
	free(readers);
	return proven;
}

/* Does it contradict the first that its issuer signed of those that have the seq already?  Whatever stories there are, one differs from that */
static void
note_equivocation(Ledger *ledger, const FeedWalk *walk, const Entry *entry)
{
	char		first[HEX_ROOM];
	char		second[HEX_ROOM];

	const Entry *same = walk->same;

	while (same < walk->head && (same->flags & ENTRY_SIGNED) == 0)
		same++;
	if (is_equivocation(ledger, same, entry))
		ledger_problem(ledger, entry, "equivocation: the issuer signed two different packages with seq %" PRId64 " (%s and %s)", entry->seq,
					   text_hash(same->hash, first), text_hash(entry->hash, second));
}

static bool
is_in_place(const Ledger *ledger, const FeedWalk *walk, const Entry *entry, EcertArena *arena, EcertFinding *finding)
{
	const Entry *head = walk->head != NULL && walk->head->seq == entry->seq ? same_seq(walk, entry) : walk->head;
	EcertFeedEnd end = {-1, NULL, walk->issued_at, walk->period_end};
	EcertLink	link = {
		ledger_id_text(ledger, entry->issuer), (EcertKind) entry->kind, entry->seq, entry->issued_at, {0, 0}, entry->prev, entry->hash
	};

	if (head != NULL)
	{
		end.seq = head->seq;
		end.hash = head->hash;
	}
	if (ecert_kinds[entry->kind].has_periods && (entry->flags & ENTRY_REPLACES) == 0)
		link.period = entry->period;
	return ecert_check_link(&end, &link, ledger->registry.genesis_hash, head != NULL && follows(walk, entry), arena, finding) &&
		ecert_check_order(&end, &link, finding);
}

bool
walk_step(Ledger *ledger, FeedWalk *walk, Entry *entry)
{
	EcertFinding finding;
	Arena		arena = {0};
	bool		good = is_in_place(ledger, walk, entry, arena_memory(&arena), &finding);

	if (!good)
	{
		ledger_finding(ledger, entry, &finding, &arena);
		entry->flags |= ENTRY_FALSE;
		if (finding.code == ECERT_SEQ_TAKEN)
			note_equivocation(ledger, walk, entry);
		if (finding.code == ECERT_SEQ_TAKEN || finding.code == ECERT_KNOWN_ALREADY)
			entry->flags |= ENTRY_UNSOUND;
	}
	arena_reset(&arena);
	if (walk->head == NULL || entry->seq != walk->head->seq)
		walk->same = entry;
	walk->head = entry;
	/* times of a package that was changed say nothing about its successor's, nor do those of one that is void */
	if ((entry->flags & (ENTRY_UNSOUND | ENTRY_ENDED)) == 0)
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
		FeedWalk	walk = {NULL, NULL, 0, 0};

		/* the registry's were walked when it was built */
		if (feed->kind == ECERT_KIND_GENESIS || (feed->kind == ECERT_KIND_NODE && feed->issuer == ledger->registry.certifier))
			continue;
		for (uint32_t j = 0; j < feed->count; j++)
			walk_step(ledger, &walk, &feed->entries[j]);
	}
}
