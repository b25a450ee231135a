/*
 * view.c
 *		The questions of rules/view.h, answered from the index of the dump.
 */
#include "verifier/verifier.h"

#include "rules/as_of.h"
#include "rules/fields.h"

void
numbers_put(ByNumber *numbers, uint32_t number, size_t entry)
{
	numbers->list[numbers->count++] = (uint64_t) number << 32 | entry;
}

static int
compare_numbers(const void *left, const void *right)
{
	uint64_t	a = *(const uint64_t *) left;
	uint64_t	b = *(const uint64_t *) right;

	return (a > b) - (a < b);
}

void
numbers_sort(ByNumber *numbers)
{
	ecert_sort(numbers->list, numbers->count, sizeof *numbers->list, compare_numbers);
}

/* The number of the entry of the audit that a reward names; NO_ID: none that is here */
static uint32_t
rewarded_audit(const Ledger *ledger, Reader *reader, const Entry *reward)
{
	EcertPackage package;
	uint8_t		hash[ECERT_HASH_SIZE];
	const Entry *audit;

	if (!reader_get(reader, reward, &package) || !ecert_field_hash(package.body, "audit", hash))
		return NO_ID;
	audit = ledger_by_hash(ledger, hash);
	return audit == NULL ? NO_ID : (uint32_t) (audit - ledger->entries);
}

static void
open_kind(ByNumber *index, const Ledger *ledger, EcertKind kind, Reader *reader)
{
	size_t		all = 0;

	for (Feed *feed = NULL; (feed = ledger_next_feed(ledger, kind, feed)) != NULL;)
		all += feed->count;
	index->list = need(calloc(all + 1, sizeof *index->list));
	for (Feed *feed = NULL; (feed = ledger_next_feed(ledger, kind, feed)) != NULL;)
	{
		for (const Entry *entry = feed->entries; entry < feed->entries + feed->count; entry++)
			numbers_put(index, reader == NULL ? entry->subject : rewarded_audit(ledger, reader, entry), (size_t) (entry - ledger->entries));
	}
	numbers_sort(index);
}

/* Somebody has a key with that kid: kept for the first time that he says so */
static void
put_holder(ViewIndex *index, const uint8_t *kid, uint32_t node, int64_t seq)
{
	EcertArena *arena = arena_memory(&index->memory);
	EcertSlice	key = {kid, ECERT_HASH_SIZE};
	Holder	   *first = ecert_table_find(&index->holders, key, ECERT_NO_TEXT, ECERT_NO_TEXT);
	Holder	   *last = first;
	Holder	   *new;

	for (Holder *holder = first; holder != NULL; holder = holder->next)
	{
		if (holder->node == node)
			return;
		last = holder;
	}
	new = ecert_arena_alloc(arena, sizeof *new);
	*new = (Holder) {NULL, node, seq};
	if (last != NULL)
		last->next = new;
	else
		ecert_table_put(&index->holders, ecert_arena_copy(arena, key), ECERT_NO_TEXT, ECERT_NO_TEXT, new);
}

void
view_index_put_keys(ViewIndex *index, const Entry *entry, const EcertPackage *package)
{
	bool		is_genesis = entry->kind == ECERT_KIND_GENESIS;
	uint64_t	count;
	EcertCursor keys = ecert_node_keys(package->kind, package->body, &count);
	uint8_t		kid[ECERT_HASH_SIZE];

	while (count-- > 0)
	{
		if (ecert_field_hash(ecert_cbor_skip(&keys), "kid", kid))
			put_holder(index, kid, is_genesis ? entry->issuer : entry->subject, is_genesis ? -1 : entry->seq);
	}
}

void
view_index_open(ViewIndex *index, const Ledger *ledger)
{
	memset(index, 0, sizeof *index);
	for (EcertKind kind = 0; kind < ECERT_KIND_COUNT; kind++)
	{
		if (ecert_kinds[kind].subject == ECERT_SUBJECT_FIELD || ecert_kinds[kind].subject == ECERT_SUBJECT_BY_RULE)
			open_kind(&index->about[kind], ledger, kind, NULL);
	}
	index->holders.arena = arena_memory(&index->memory);
}

void
view_index_rewards(ViewIndex *index, const Ledger *ledger)
{
	Reader	   *reader = need(calloc(1, sizeof *reader));

	reader->ledger = ledger;
	open_kind(&index->rewards, ledger, ECERT_KIND_REWARD, reader);
	free(reader);
}

void
view_index_close(ViewIndex *index)
{
	for (size_t i = 0; i < ECERT_KIND_COUNT; i++)
		free(index->about[i].list);
	free(index->rewards.list);
	arena_reset(&index->memory);
}

/* The place of the first that has that number, or a greater one */
static size_t
first_of(const ByNumber *index, uint32_t number)
{
	size_t		low = 0;
	size_t		high = index->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (index->list[middle] >> 32 < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const Ledger *
ledger_of(EcertView *view)
{
	return ((LedgerView *) view)->ledger;
}

static EcertEntry
entry_of(const Ledger *ledger, const Entry *entry)
{
	EcertEntry	told = {
		ledger_id_text(ledger, entry->issuer), ledger_id_text(ledger, entry->subject), (EcertKind) entry->kind, entry->seq, entry->issued_at,
		entry->period, {0}, (uint64_t) (entry - ledger->entries)
	};

	memcpy(told.hash, entry->hash, sizeof told.hash);
	return told;
}

static bool
tell(const Ledger *ledger, const Entry *found, EcertEntry *entry)
{
	if (found != NULL)
		*entry = entry_of(ledger, found);
	return found != NULL;
}

static bool
view_by_hash(EcertView *view, EcertArena *arena, const uint8_t *hash, EcertEntry *entry)
{
	(void) arena;
	return tell(ledger_of(view), ledger_by_hash(ledger_of(view), hash), entry);
}

static const Feed *
feed_of(EcertView *view, EcertSlice issuer, EcertKind kind)
{
	return ledger_feed(ledger_of(view), ledger_id(ledger_of(view), issuer), kind);
}

static bool
view_by_seq(EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, int64_t seq, EcertEntry *entry)
{
	(void) arena;
	return tell(ledger_of(view), feed_at(feed_of(view, issuer, kind), seq), entry);
}

static bool
view_head(EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, EcertEntry *entry)
{
	const Feed *feed = feed_of(view, issuer, kind);

	(void) arena;
	return tell(ledger_of(view), feed->count == 0 ? NULL : &feed->entries[feed->count - 1], entry);
}

static EcertEntries
view_feed(EcertView *view, EcertArena *arena, EcertSlice issuer, EcertKind kind, int64_t first, int64_t last)
{
	const Feed *feed = feed_of(view, issuer, kind);
	size_t		start = feed_place(feed, first);
	size_t		end = start;
	EcertEntries entries = {NULL, 0};

	while (end < feed->count && feed->entries[end].seq <= last)
		end++;
	entries.list = ecert_arena_array(arena, end - start, sizeof(EcertEntry));
	while (start < end)
		entries.list[entries.count++] = entry_of(ledger_of(view), &feed->entries[start++]);
	return entries;
}

static EcertEntries
numbered(const Ledger *ledger, EcertArena *arena, const ByNumber *index, uint32_t number)
{
	size_t		start = first_of(index, number);
	size_t		end = start;
	EcertEntries entries = {NULL, 0};

	while (end < index->count && index->list[end] >> 32 == number)
		end++;
	entries.list = ecert_arena_array(arena, end - start, sizeof(EcertEntry));
	while (start < end)
		entries.list[entries.count++] = entry_of(ledger, &ledger->entries[(uint32_t) index->list[start++]]);
	return entries;
}

/* Energy and product packages are about their issuers: others are wrong in themselves, and about nobody */
static EcertEntries
view_about(EcertView *view, EcertArena *arena, EcertSlice subject, EcertKind kind, EcertPeriod *starting)
{
	const ByNumber *index = &((LedgerView *) view)->index->about[kind];
	uint32_t	id = ledger_id(ledger_of(view), subject);
	EcertEntries entries = {NULL, 0};
	size_t		count = 0;

	*starting = ECERT_ALL_TIME;
	if (index->list != NULL)
		return id == NO_ID ? entries : numbered(ledger_of(view), arena, index, id);
	entries = view_feed(view, arena, subject, kind, INT64_MIN, INT64_MAX);
	for (size_t i = 0; i < entries.count; i++)
	{
		if (ecert_slice_equal(entries.list[i].subject, subject))
			entries.list[count++] = entries.list[i];
	}
	entries.count = count;
	return entries;
}

/* Rules ask for the rewards of an audit alone */
static EcertEntries
view_naming(EcertView *view, EcertArena *arena, const uint8_t *hash, EcertKind kind)
{
	const Ledger *ledger = ledger_of(view);
	const Entry *named = kind == ECERT_KIND_REWARD ? ledger_by_hash(ledger, hash) : NULL;
	EcertEntries nothing = {NULL, 0};

	return named == NULL ? nothing :
		numbered(ledger, arena, &((LedgerView *) view)->index->rewards, (uint32_t) (named - ledger->entries));
}

static const Feed *
checkpoints_of(EcertView *view)
{
	return ledger_feed(ledger_of(view), ledger_of(view)->registry.certifier, ECERT_KIND_CHECKPOINT);
}

/* The seq of the checkpoint that covers a package first; INT64_MAX: none */
static int64_t
checkpoint_seq(const Feed *checkpoints, const Entry *entry)
{
	return entry->sealed == NOT_SEALED ? INT64_MAX : checkpoints->entries[entry->sealed].seq;
}

static int64_t
view_sealed_by(EcertView *view, EcertSlice issuer, EcertKind kind, int64_t seq)
{
	const Entry *entry = feed_at(feed_of(view, issuer, kind), seq);

	return entry == NULL ? INT64_MAX : checkpoint_seq(checkpoints_of(view), entry);
}

/* Each is found as quickly as several */
static int64_t
view_sealed_up_to(EcertView *view, EcertSlice issuer, EcertKind kind, int64_t seq, int64_t *last)
{
	*last = seq;
	return view_sealed_by(view, issuer, kind, seq);
}

static int64_t
view_covered(EcertView *view, EcertSlice issuer, EcertKind kind, int64_t checkpoint)
{
	const Feed *checkpoints = checkpoints_of(view);
	const Feed *feed = feed_of(view, issuer, kind);
	size_t		low = 0;
	size_t		high = feed->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (checkpoint_seq(checkpoints, &feed->entries[middle]) <= checkpoint)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? -1 : feed->entries[low - 1].seq;
}

static int64_t
view_next_sealing(EcertView *view, int64_t seq)
{
	const Feed *checkpoints = checkpoints_of(view);
	size_t		place = feed_place(checkpoints, seq);

	while (place < checkpoints->count && (checkpoints->entries[place].flags & ENTRY_COVERS) == 0)
		place++;
	return place == checkpoints->count ? INT64_MAX : checkpoints->entries[place].seq;
}

static bool
view_package(EcertView *view, const EcertEntry *entry, EcertPackage *package)
{
	return reader_get(&((LedgerView *) view)->reader, &ledger_of(view)->entries[entry->place], package);
}

static bool
view_is_false(EcertView *view, const EcertEntry *entry)
{
	return (ledger_of(view)->entries[entry->place].flags & (ENTRY_UNSOUND | ENTRY_FALSE)) != 0;
}

static bool
view_key(EcertView *view, EcertSlice node, EcertSlice kid, EcertKeyFacts *key, const EcertPublicKey **prepared)
{
	uint32_t	id = ledger_id(ledger_of(view), node);
	const Key  *found = id == NO_ID ? NULL : node_key(ledger_of(view)->registry.nodes[id], kid.data);

	if (found == NULL)
		return false;
	*key = found->facts;
	*prepared = found->prepared;
	return true;
}

static bool
view_key_at(EcertView *view, EcertSlice node, size_t number, EcertKeyFacts *key)
{
	uint32_t	id = ledger_id(ledger_of(view), node);
	const Node *found = id == NO_ID ? NULL : ledger_of(view)->registry.nodes[id];

	if (found == NULL || number >= found->key_count)
		return false;
	*key = found->keys[number]->facts;
	return true;
}

static bool
view_holder(EcertView *view, EcertArena *arena, EcertSlice kid, EcertSlice but, int64_t before, EcertSlice *node)
{
	const Ledger *ledger = ledger_of(view);
	const Holder *holder = ecert_table_find(&((LedgerView *) view)->index->holders, kid, ECERT_NO_TEXT, ECERT_NO_TEXT);

	(void) arena;
	while (holder != NULL && (holder->seq >= before || ecert_slice_equal(ledger_id_text(ledger, holder->node), but)))
		holder = holder->next;
	if (holder == NULL)
		return false;
	*node = ledger_id_text(ledger, holder->node);
	return true;
}

static void
forget(EcertArena *kept)
{
	arena_reset((Arena *) kept);
}

LedgerRules *
ledger_rules_new(const Ledger *ledger, const ViewIndex *index)
{
	static const EcertView questions = {
		.by_hash = view_by_hash,
		.by_seq = view_by_seq,
		.head = view_head,
		.feed = view_feed,
		.about = view_about,
		.naming = view_naming,
		.sealed_by = view_sealed_by,
		.sealed_up_to = view_sealed_up_to,
		.covered = view_covered,
		.next_sealing = view_next_sealing,
		.is_false = view_is_false,
		.package = view_package,
		.key = view_key,
		.key_at = view_key_at,
		.holder = view_holder,
	};
	LedgerRules *rules = need(calloc(1, sizeof *rules));

	rules->view.view = questions;
	rules->view.view.origin = ledger->registry.origin;
	rules->view.view.certifier = ledger_id_text(ledger, ledger->registry.certifier);
	memcpy(rules->view.view.genesis_hash, ledger->registry.genesis_hash, ECERT_HASH_SIZE);
	rules->view.ledger = rules->view.reader.ledger = ledger;
	rules->view.index = index;
	rules->rules.view = &rules->view.view;
	rules->rules.arena = arena_memory(&rules->arena);
	rules->rules.kept = arena_memory(&rules->kept);
	rules->rules.forget = forget;
	ecert_see_as_of(&rules->rules, ECERT_AS_OF_NOW);
	return rules;
}

void
ledger_rules_free(LedgerRules *rules)
{
	arena_reset(&rules->arena);
	arena_reset(&rules->kept);
	free(rules);
}

void
ledger_finding(Ledger *ledger, const Entry *entry, const EcertFinding *finding, Arena *arena)
{
	bool		is_beyond = finding->code == ECERT_BODY_RESERVED;

	ledger_say(ledger, is_beyond ? FOUND_BEYOND : FOUND_PROBLEM, entry, 0, "%s", ecert_finding_problem(finding, arena_memory(arena)));
	if (is_beyond)
		atomic_store(&ledger->rests_on_beyond, true);
}

bool
ledger_rule(LedgerRules *rules, Ledger *ledger, const Entry *entry, const EcertPackage *package)
{
	EcertFinding finding;

	if (ecert_rule_check(&rules->rules, package, false, &finding))
		return true;
	ledger_finding(ledger, entry, &finding, &rules->arena);
	return false;
}
