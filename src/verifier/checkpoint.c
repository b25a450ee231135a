/*
 * checkpoint.c
 *		The Merkle tree over the ledger: every checkpoint's heads, size and root
 *		computed again (docs/format.md, "Merkle tree").
 *
 * Leaf 0 is genesis.  A checkpoint appends, for each head in byte order of
 * (issuer, kind), the packages of that feed behind those that an earlier
 * checkpoint covered, up to the head.
 */
#include "verifier/verifier.h"

#include <inttypes.h>

#include "core/checkpoint.h"

/* Where the pass through the checkpoints is */
typedef struct Pass
{
	Ledger	   *ledger;
	EcertTree	tree;
	Reader		reader;
	const Entry *checkpoint;	/* the one being looked at */
	bool		broken;			/* the tree is not that of the checkpoints any more */
	uint64_t	not_compared;	/* checkpoints since then */
	int64_t		nodes_sealed;	/* seq in the certifier's node feed up to which earlier checkpoints cover */
	int64_t		sealed_at;		/* when the checkpoint before this one was issued */
	Wanted	   *wanted;
	uint64_t	next_wanted;	/* size of the tree at which something is wanted */
	TileExport *tiles;
} Pass;

/* ----- leaves ----- */

static void
find_next_wanted(Pass *pass)
{
	pass->next_wanted = UINT64_MAX;
	for (const Wanted *wanted = pass->wanted; wanted != NULL; wanted = wanted->next)
	{
		if (wanted->size > pass->tree.size && wanted->size < pass->next_wanted)
			pass->next_wanted = wanted->size;
		if (wanted->leaf != UINT64_MAX && wanted->leaf >= pass->tree.size && wanted->leaf + 1 < pass->next_wanted)
			pass->next_wanted = wanted->leaf + 1;
	}
}

/* The tree has reached a size at which somebody asks for its root, or for the leaf that came last */
static void
give_wanted(Pass *pass, const Entry *entry)
{
	for (Wanted *wanted = pass->wanted; wanted != NULL; wanted = wanted->next)
	{
		if (wanted->size == pass->tree.size)
			wanted->has_root = ecert_tree_root(&pass->tree, wanted->root) == ECERT_OK;
		if (wanted->leaf == pass->tree.size - 1)
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

	if (node == NULL || (entry->flags & ENTRY_UNSOUND) != 0 || key->ended_by < 0 || key->ended_by > pass->nodes_sealed)
		return false;
	end = key->facts.until < node->facts.revoked_at ? key->facts.until : node->facts.revoked_at;
	/* a change announced for later leaves the time until then */
	return pass->sealed_at >= end;
}

static void
append_leaf(Pass *pass, const Entry *entry)
{
	if (end_was_sealed(pass, entry))
		ledger_warning(pass->ledger, entry, "is sealed after its key was revoked or rotated, though it says it was issued before");
	if (pass->broken)
		return;
	if (ecert_tree_append(&pass->tree, entry->hash) != ECERT_OK)
	{
		ledger_error(pass->ledger, "the Merkle tree could not be computed: the crypto library failed");
		pass->broken = true;
		return;
	}
	if (pass->tree.size == pass->next_wanted)
		give_wanted(pass, entry);
	if (pass->tiles != NULL)
		tiles_leaf(pass->tiles, entry);
}

/* ----- heads ----- */

static void
missing_package(Pass *pass, const EcertFeedHead *head, int64_t seq)
{
	ledger_problem(pass->ledger, pass->checkpoint, "checkpoint %s %.*s %" PRId64 " of \"%.*s\", which is not on the ledger",
				   seq == head->seq ? "names" : "covers", TEXT(head->kind), seq, TEXT(head->issuer));
	pass->broken = true;
}

/* The seq of the last package of a feed that earlier checkpoints cover; -1: of none */
static int64_t
covered_seq(const Feed *feed)
{
	return feed->covered == 0 ? -1 : feed->entries[feed->covered - 1].seq;
}

/* The packages of a feed from the first that is not covered up to seq; a seq that is there twice counts once */
static void
append_feed(Pass *pass, Feed *feed, const EcertFeedHead *head)
{
	uint64_t	expected = (uint64_t) covered_seq(feed) + 1;

	for (; feed->covered < feed->count && feed->entries[feed->covered].seq <= head->seq; feed->covered++)
	{
		const Entry *entry = &feed->entries[feed->covered];

		if ((uint64_t) entry->seq < expected)
			continue;
		if ((uint64_t) entry->seq > expected)
			missing_package(pass, head, (int64_t) expected);
		append_leaf(pass, entry);
		expected = (uint64_t) entry->seq + 1;
	}
}

static void
take_head(Pass *pass, const EcertFeedHead *head)
{
	Ledger	   *ledger = pass->ledger;
	uint32_t	issuer = ledger_id(ledger, head->issuer);
	EcertKind	kind;
	bool		is_kind = ecert_kind_from_name(head->kind, &kind);
	Feed	   *feed = is_kind ? ledger_feed(ledger, issuer, kind) : NULL;

	/* genesis is leaf 0 of every tree: to name it is a fault of the checkpoint, which was said with the seal */
	if (is_kind && kind == ECERT_KIND_GENESIS)
		pass->broken = true;
	else if (!is_kind || ledger_at(ledger, issuer, kind, head->seq) == NULL)
		missing_package(pass, head, head->seq);
	else if (head->seq <= covered_seq(feed))
	{
		ledger_problem(ledger, pass->checkpoint, "checkpoint's head %.*s of \"%.*s\" does not advance (it names seq %" PRId64 ", an earlier checkpoint %" PRId64 ")",
					   TEXT(head->kind), TEXT(head->issuer), head->seq, covered_seq(feed));
		pass->broken = true;
	}
	else
		append_feed(pass, feed, head);
}

/* All heads.  That they are not in their order was said with the seal; what is which leaf is not known then */
static void
take_heads(Pass *pass, const EcertCheckpoint *checkpoint)
{
	EcertCursor heads = checkpoint->heads;
	EcertFeedHead head;

	for (uint64_t i = 0; i < checkpoint->head_count && ecert_checkpoint_next_head(&heads, &head); i++)
		take_head(pass, &head);
	pass->broken = pass->broken || !ecert_checkpoint_heads_in_order(checkpoint);
}

/* ----- checkpoints ----- */

static void
compare_root(Pass *pass, const EcertCheckpoint *checkpoint)
{
	uint8_t		root[ECERT_HASH_SIZE];

	if (checkpoint->size != pass->tree.size)
	{
		ledger_problem(pass->ledger, pass->checkpoint, "checkpoint's size is %" PRIu64 ", the packages it covers make %" PRIu64, checkpoint->size,
					   pass->tree.size);
		pass->broken = true;
	}
	if (ecert_tree_root(&pass->tree, root) != ECERT_OK || memcmp(root, checkpoint->root, sizeof root) != 0)
	{
		ledger_problem(pass->ledger, pass->checkpoint, "checkpoint's root is not that of the packages it covers (signed %s, computed %s)",
					   HEX(checkpoint->root), HEX(root));
		pass->broken = true;
	}
}

static void
check_checkpoint(Pass *pass, const Entry *entry)
{
	Ledger	   *ledger = pass->ledger;
	EcertPackage package;
	EcertCheckpoint checkpoint;

	ledger->counts.checkpoints++;
	/* the packages of a checkpoint that nobody can believe in come under none */
	if ((entry->flags & ENTRY_UNSOUND) != 0 || !reader_get(&pass->reader, entry, &package) ||
		ecert_checkpoint_read(package.body, &checkpoint) != ECERT_OK)
	{
		pass->broken = true;
		return;
	}
	pass->checkpoint = entry;
	pass->not_compared += pass->broken;
	take_heads(pass, &checkpoint);
	if (!pass->broken)
		compare_root(pass, &checkpoint);
	if (!pass->broken)
	{
		ledger->counts.sound_checkpoints++;
		ledger->counts.tree_size = pass->tree.size;
		if (pass->tiles != NULL)
			tiles_checkpoint(pass->tiles, entry);
	}
	pass->nodes_sealed = covered_seq(ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_NODE));
	pass->sealed_at = entry->issued_at;
	atomic_store(&ledger->done, pass->tree.size);
}

/* Packages that no checkpoint covers, of a key whose end one does cover */
static void
check_rest(Pass *pass)
{
	Ledger	   *ledger = pass->ledger;

	for (const Feed *feed = ledger->feeds; ledger->counts.checkpoints > 0 && feed < ledger->feeds + ledger->feed_count; feed++)
	{
		for (const Entry *entry = feed->entries + feed->covered; entry < feed->entries + feed->count; entry++)
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
	if (ledger->counts.foreign_cosignatures > 0)
		ledger_not_checked(ledger, "cosignatures of other names than the witness's own, whose keys are not known here: %" PRIu64,
						   (uint64_t) ledger->counts.foreign_cosignatures);
}

void
check_checkpoints(Ledger *ledger)
{
	Pass	   *pass = need(calloc(1, sizeof *pass));
	const Feed *feed = ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_CHECKPOINT);
	uint64_t	expected = 0;

	pass->ledger = ledger;
	pass->reader.ledger = ledger;
	pass->nodes_sealed = -1;
	if (ledger->options->tiles != NULL)
		pass->tiles = tiles_begin(ledger);
	pass->wanted = kept_open(ledger);
	find_next_wanted(pass);
	append_leaf(pass, ledger->registry.genesis);
	for (uint32_t i = 0; i < feed->count; i++)
	{
		const Entry *entry = &feed->entries[i];

		/* a second one with the same seq was refused already; one that is missing leaves its packages uncovered */
		if ((uint64_t) entry->seq < expected)
			continue;
		pass->broken = pass->broken || (uint64_t) entry->seq > expected;
		expected = (uint64_t) entry->seq + 1;
		check_checkpoint(pass, entry);
	}
	check_rest(pass);
	say_what_is_left(pass);
	for (feed = NULL; (feed = ledger_next_feed(ledger, ECERT_KIND_WITNESS, feed)) != NULL;)
		ledger->counts.witnesses += feed->count;
	kept_check(ledger, pass->wanted);
	if (pass->tiles != NULL)
		tiles_finish(pass->tiles);
	free(pass);
}
