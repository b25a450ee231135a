/*
 * checkpoint.c
 *		The Merkle tree over the ledger: every checkpoint's heads, size and root
 *		computed again (docs/format.md, "Merkle tree").
 *
 * Leaf 0 is genesis.  A checkpoint appends, for each head in byte order of
 * (issuer, kind), the packages of that feed behind those that an earlier
 * checkpoint covered, up to the head; the parts of a sealing do so when the last
 * has come.
 */
#include "verifier/verifier.h"

#include <inttypes.h>

#include "rules/roots.h"

/* Where the pass through the checkpoints is */
typedef struct Pass
{
	EcertRoots	roots;			/* first */
	Ledger	   *ledger;
	Reader		reader;
	Feed	   *checkpoints;
	uint32_t	number;			/* place in that feed of the one being looked at */
	EcertTable	elsewhere;		/* seqs up to which feeds are under checkpoints of which no package is here */
	uint64_t	not_compared;	/* checkpoints behind one where the tree broke */
	uint64_t	incomplete;		/* parts of sealings whose last part is missing */
	int64_t		nodes_sealed;	/* seq in the certifier's node feed up to which earlier checkpoints cover */
	int64_t		sealed_at;		/* when the checkpoint before this one was issued */
	Wanted	   *wanted;
	uint64_t	next_wanted;	/* size of the tree at which something is wanted */
	TileExport *tiles;
} Pass;

static void
find_next_wanted(Pass *pass)
{
	pass->next_wanted = UINT64_MAX;
	for (const Wanted *wanted = pass->wanted; wanted != NULL; wanted = wanted->next)
	{
		if (wanted->size > pass->roots.tree.size && wanted->size < pass->next_wanted)
			pass->next_wanted = wanted->size;
		if (wanted->leaf != UINT64_MAX && wanted->leaf >= pass->roots.tree.size && wanted->leaf + 1 < pass->next_wanted)
			pass->next_wanted = wanted->leaf + 1;
	}
}

/* The tree has reached a size at which somebody asks for its root, or for the leaf that came last */
static void
give_wanted(Pass *pass, const Entry *entry)
{
	for (Wanted *wanted = pass->wanted; wanted != NULL; wanted = wanted->next)
	{
		if (wanted->size == pass->roots.tree.size)
			wanted->has_root = ecert_tree_root(&pass->roots.tree, wanted->root) == ECERT_OK;
		if (wanted->leaf == pass->roots.tree.size - 1)
			wanted->entry = entry;
	}
	find_next_wanted(pass);
}

/* When the key that signed a package ended, and whether earlier checkpoints cover the package that says so */
static bool
end_was_sealed(const Pass *pass, const Entry *entry)
{
	const Registry *registry = &pass->ledger->registry;
	const Key  *key = entry->key == NO_KEY ? NULL : registry->keys[entry->key];
	const Node *node = key == NULL ? NULL : registry->nodes[entry->issuer];
	int64_t		end;

	if (node == NULL || (entry->flags & (ENTRY_UNSOUND | ENTRY_ISSUER)) != 0 || key->ended_by < 0 || key->ended_by > pass->nodes_sealed)
		return false;
	end = key->facts.until < node->facts.revoked_at ? key->facts.until : node->facts.revoked_at;
	/* a change announced for later leaves the time until then */
	return pass->sealed_at >= end;
}

/* A package is under the tree, and became its last leaf where it could be followed so far */
static void
note_leaf(Pass *pass, const Entry *entry, bool is_leaf)
{
	if (end_was_sealed(pass, entry))
		ledger_warning(pass->ledger, entry, "is sealed after its key was revoked or rotated, though it says it was issued before");
	if (!is_leaf)
		return;
	if (pass->roots.tree.size == pass->next_wanted)
		give_wanted(pass, entry);
	if (pass->tiles != NULL)
		tiles_leaf(pass->tiles, entry);
}

/* The seq of the last package of a feed that earlier checkpoints cover; -1: of none */
static int64_t
covered_seq(const Feed *feed)
{
	return feed->covered == 0 ? -1 : feed->entries[feed->covered - 1].seq;
}

/* A kind that is none has no feed, which is empty */
static Feed *
feed_of(EcertRoots *roots, const EcertFeedHead *head)
{
	const Ledger *ledger = ((Pass *) roots)->ledger;
	EcertKind	kind = ECERT_KIND_GENESIS;
	bool		is_kind = ecert_kind_from_name(head->kind, &kind);

	return ledger_feed(ledger, is_kind ? ledger_id(ledger, head->issuer) : NO_ID, kind);
}

static int64_t
covered(EcertRoots *roots, const EcertFeedHead *head)
{
	return covered_seq(feed_of(roots, head));
}

static bool
is_there(EcertRoots *roots, const EcertFeedHead *head)
{
	return feed_at(feed_of(roots, head), head->seq) != NULL;
}

/* A seq that is there twice counts once */
static void
cover(EcertRoots *roots, const EcertFeedHead *head)
{
	Feed	   *feed = feed_of(roots, head);

	for (; feed->covered < feed->count && feed->entries[feed->covered].seq <= head->seq; feed->covered++)
	{
		const Entry *entry = &feed->entries[feed->covered];

		if ((uint64_t) entry->seq < roots->expected_package)
			continue;
		note_leaf((Pass *) roots, entry, ecert_roots_take(roots, head, entry->seq, entry->hash));
	}
}

/* The seq up to which a feed is under checkpoints, be it here or not */
static int64_t *
sealed_seq(Pass *pass, Feed *feed, const EcertFeedHead *head)
{
	int64_t    *seq = feed->count > 0 ? &feed->sealed_seq : ecert_table_find(&pass->elsewhere, head->issuer, head->kind, ECERT_NO_TEXT);
	EcertArena *arena = pass->elsewhere.arena;

	if (seq != NULL)
		return seq;
	seq = ecert_arena_alloc(arena, sizeof *seq);
	*seq = -1;
	ecert_table_put(&pass->elsewhere, ecert_arena_copy(arena, head->issuer), ecert_arena_copy(arena, head->kind), ECERT_NO_TEXT, seq);
	return seq;
}

static void
seal(EcertRoots *roots, const EcertFeedHead *head)
{
	Pass	   *pass = (Pass *) roots;
	Feed	   *feed = feed_of(roots, head);
	int64_t    *seq = sealed_seq(pass, feed, head);

	if (head->seq <= *seq || ecert_slice_equal(head->kind, ecert_slice_text(ecert_kind_name(ECERT_KIND_GENESIS))))
		return;
	*seq = head->seq;
	pass->checkpoints->entries[pass->number].flags |= ENTRY_COVERS;
	for (; feed->sealed < feed->count && feed->entries[feed->sealed].seq <= head->seq; feed->sealed++)
		feed->entries[feed->sealed].sealed = pass->number;
}

static bool
read_part(EcertRoots *roots, int64_t seq, EcertCheckpoint *checkpoint)
{
	Pass	   *pass = (Pass *) roots;
	const Entry *entry = feed_at(pass->checkpoints, seq);
	EcertPackage package;

	return entry != NULL && reader_get(&pass->reader, entry, &package) && ecert_checkpoint_read(package.body, checkpoint) == ECERT_OK;
}

static void
put_finding(EcertRoots *roots)
{
	Pass	   *pass = (Pass *) roots;
	Arena		arena = {0};

	ledger_finding(pass->ledger, feed_at(pass->checkpoints, roots->at), &roots->finding, &arena);
	arena_reset(&arena);
}

static void
check_checkpoint(Pass *pass, const Entry *entry)
{
	Ledger	   *ledger = pass->ledger;
	EcertRoots *roots = &pass->roots;
	EcertPackage package;
	EcertCheckpoint checkpoint;

	bool		was_broken = roots->broken || (uint64_t) entry->seq > roots->expected;
	int64_t		parts;

	/* the packages of a checkpoint that nobody can believe in come under none */
	bool		is_believed = (entry->flags & ENTRY_UNSOUND) == 0 && reader_get(&pass->reader, entry, &package) &&
		ecert_checkpoint_read(package.body, &checkpoint) == ECERT_OK;

	ledger->counts.checkpoints++;
	parts = ecert_roots_checkpoint(roots, entry->seq, entry->issued_at, is_believed ? &checkpoint : NULL);
	if (parts == 0)
	{
		pass->incomplete += roots->sealing.part > 0;
		return;
	}
	pass->incomplete -= (uint64_t) parts - 1;
	pass->not_compared += was_broken ? (uint64_t) parts : 0;
	if (!roots->broken)
	{
		ledger->counts.sound_checkpoints += (uint64_t) parts;
		ledger->counts.tree_size = roots->tree.size;
		if (pass->tiles != NULL)
			tiles_checkpoint(pass->tiles, entry);
	}
	pass->nodes_sealed = covered_seq(ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_NODE));
	pass->sealed_at = entry->issued_at;
	atomic_store(&ledger->done, roots->tree.size);
}

/* Packages that no checkpoint covers, of a key whose end one does cover */
static void
check_rest(Pass *pass)
{
	Ledger	   *ledger = pass->ledger;

	for (const Feed *feed = ledger->feeds; ledger->counts.checkpoints > 0 && feed < ledger->feeds + ledger->feed_count; feed++)
	{
		/* genesis is under every checkpoint */
		for (const Entry *entry = feed->entries + feed->covered; feed->kind != ECERT_KIND_GENESIS && entry < feed->entries + feed->count; entry++)
		{
			if (end_was_sealed(pass, entry))
				ledger_warning(ledger, entry,
							   "is under no checkpoint yet, though its key was revoked or rotated before the last one and it says it was issued before that");
		}
	}
}

static void
say_what_is_left(Pass *pass)
{
	Ledger	   *ledger = pass->ledger;

	if (pass->not_compared > 0)
		ledger_not_checked(ledger, "size and root of %" PRIu64 " checkpoint%s, behind one that is wrong or covers packages which are missing",
						   pass->not_compared, pass->not_compared == 1 ? "" : "s");
	if (pass->incomplete > 0)
		ledger_not_checked(ledger, "size and root of %" PRIu64 " part%s of sealings whose last part is not here", pass->incomplete,
						   pass->incomplete == 1 ? "" : "s");
	if (ledger->counts.foreign_cosignatures > 0)
		ledger_not_checked(ledger, "cosignatures of other names than the witness's own, whose keys are not known here: %" PRIu64,
						   (uint64_t) ledger->counts.foreign_cosignatures);
}

void
check_checkpoints(Ledger *ledger)
{
	Pass	   *pass = need(calloc(1, sizeof *pass));
	Arena		memory = {0};
	Feed	   *feed = ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_CHECKPOINT);

	pass->roots.covered = covered;
	pass->roots.is_there = is_there;
	pass->roots.cover = cover;
	pass->roots.seal = seal;
	pass->roots.read_part = read_part;
	pass->roots.found = put_finding;
	pass->ledger = ledger;
	pass->checkpoints = feed;
	pass->elsewhere.arena = arena_memory(&memory);
	pass->reader.ledger = ledger;
	pass->nodes_sealed = -1;
	if (ledger->options->tiles != NULL)
		pass->tiles = tiles_begin(ledger);
	pass->wanted = kept_open(ledger);
	find_next_wanted(pass);
	pass->roots.broken = pass->roots.failed = ecert_tree_append(&pass->roots.tree, ledger->registry.genesis->hash) != ECERT_OK;
	note_leaf(pass, ledger->registry.genesis, !pass->roots.broken);
	for (uint32_t i = 0; i < feed->count; i++)
	{
		const Entry *entry = &feed->entries[i];

		/* a second one with the same seq was refused already */
		pass->number = i;
		if ((uint64_t) entry->seq >= pass->roots.expected)
			check_checkpoint(pass, entry);
	}
	if (pass->roots.failed)
		ledger_error(ledger, "the Merkle tree could not be computed: the crypto library failed");
	check_rest(pass);
	say_what_is_left(pass);
	for (feed = NULL; (feed = ledger_next_feed(ledger, ECERT_KIND_WITNESS, feed)) != NULL;)
		ledger->counts.witnesses += feed->count;
	kept_check(ledger, pass->wanted);
	if (pass->tiles != NULL)
		tiles_finish(pass->tiles);
	arena_reset(&memory);
	free(pass);
}
