/*
 * kept.c
 *		What the reader kept from elsewhere and the ledger has to fit: older
 *		checkpoints, receipts, transparent statements.
 *
 * They are read before the pass through the checkpoints, which gives the root
 * and the leaf that each asks for, and judged after it.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <inttypes.h>

#include "core/checkpoint.h"

/* Receipts of one statement that are looked at */
#define RECEIPTS_MAX 16

/* A checkpoint or a receipt that was kept */
typedef struct Kept
{
	Wanted		wanted;			/* first */
	const char *name;
	bool		is_receipt;
	uint8_t		root[ECERT_HASH_SIZE];	/* of a checkpoint */
	EcertReceipt receipt;		/* of a receipt, which borrows from the ledger's memory */
	const uint8_t *package_hash;	/* of a receipt that came in a statement; NULL: alone */
} Kept;

/* Where the list of what was kept ends */
typedef Wanted **End;

static bool
read_kept(Ledger *ledger, const char *name, EcertSlice *bytes)
{
	if (file_package(arena_memory(&ledger->memory), name, bytes))
		return true;
	ledger_error(ledger, "could not read \"%s\": %s", name, strerror(errno));
	return false;
}

static Kept *
new_kept(Ledger *ledger, const char *name)
{
	Kept	   *kept = ecert_arena_alloc(arena_memory(&ledger->memory), sizeof *kept);

	kept->name = name;
	kept->wanted.leaf = UINT64_MAX;
	return kept;
}

static void
append(End *end, Kept *kept)
{
	**end = &kept->wanted;
	*end = &kept->wanted.next;
}

/* The certifier's key that a kept checkpoint or receipt names, or NULL */
static const Key *
certifier_key(const Ledger *ledger, EcertSlice kid)
{
	return kid.size == ECERT_HASH_SIZE ? node_key(ledger->registry.nodes[ledger->registry.certifier], kid.data) : NULL;
}

static bool
read_package_checkpoint(Ledger *ledger, EcertSlice bytes, Kept *kept)
{
	EcertBuffer scratch = ecert_buffer(ecert_arena_alloc(arena_memory(&ledger->memory), bytes.size + 32), bytes.size + 32);
	EcertPackage package;
	EcertCheckpoint stated;
	EcertError	error;
	const Key  *key;

	if (ecert_package_parse(bytes, &package, &error) != ECERT_OK || package.kind != ECERT_KIND_CHECKPOINT ||
		ecert_body_check(package.kind, package.body, &error) != ECERT_OK ||
		!ecert_slice_equal(package.audience, ledger->registry.origin) ||
		(key = certifier_key(ledger, package.kid)) == NULL || key->facts.alg != package.alg ||
		ecert_package_verify(&package, key->prepared, scratch) != ECERT_OK || ecert_checkpoint_read(package.body, &stated) != ECERT_OK)
		return false;
	kept->wanted.size = stated.size;
	memcpy(kept->root, stated.root, sizeof kept->root);
	return true;
}

/* A note that one of the certifier's keys signed */
static bool
read_note_checkpoint(const Ledger *ledger, EcertSlice bytes, Kept *kept)
{
	const Node *node = ledger->registry.nodes[ledger->registry.certifier];
	EcertNote	note;
	EcertNoteSignature signature;
	EcertSlice	lines;

	if (ecert_note_parse(bytes, &note, NULL) != ECERT_OK || !ecert_slice_equal(note.origin, ledger->registry.origin))
		return false;
	kept->wanted.size = note.size;
	memcpy(kept->root, note.root, ECERT_HASH_SIZE);
	lines = note.signatures;
	while (ecert_note_next_signature(&lines, &signature))
	{
		for (uint32_t i = 0; signature.size == ECERT_SIGNATURE_SIZE && i < node->key_count; i++)
		{
			const EcertKeyFacts *key = &node->keys[i]->facts;

			if (key->alg == ECERT_ALG_ED25519 && ecert_slice_equal(signature.name, note.origin) &&
				ecert_note_verify(note.text, &signature, ecert_slice(key->raw, 32)) == ECERT_OK)
				return true;
		}
	}
	return false;
}

static void
open_checkpoint(Ledger *ledger, const char *name, End *end)
{
	Kept	   *kept = new_kept(ledger, name);
	EcertSlice	bytes;

	if (!read_kept(ledger, name, &bytes))
		return;
	ledger->counts.kept_checkpoints++;
	if ((read_package_checkpoint(ledger, bytes, kept) || read_note_checkpoint(ledger, bytes, kept)) && kept->wanted.size > 0)
		append(end, kept);
	else
		ledger_problem(ledger, NULL, "\"%s\" is no checkpoint that this ledger's certifier signed", name);
}

/* Is a checkpoint wrong, so that the tree could not be computed to its end?  That is a problem of its own */
static bool
tree_is_open(const Ledger *ledger)
{
	return ledger->counts.sound_checkpoints < ledger->counts.checkpoints;
}

static void
check_kept_checkpoint(Ledger *ledger, const Kept *kept)
{
	uint64_t	size = kept->wanted.size;

	if (!kept->wanted.has_root && tree_is_open(ledger))
		ledger_not_checked(ledger, "the checkpoint in \"%s\": the checkpoints of this ledger are right for the first %" PRIu64 " packages only, it covers %" PRIu64,
						   kept->name, ledger->counts.tree_size, size);
	else if (!kept->wanted.has_root)
		ledger_problem(ledger, NULL, "the checkpoint in \"%s\" covers %" PRIu64 " packages, the checkpoints of this ledger only %" PRIu64
					   ": what it covers was taken away, or this copy is older", kept->name, size, ledger->counts.tree_size);
	else if (memcmp(kept->wanted.root, kept->root, ECERT_HASH_SIZE) != 0)
		ledger_problem(ledger, NULL, "fork: the certifier signed that the first %" PRIu64 " packages have root %s (the checkpoint in \"%s\"), but those of this ledger have root %s",
					   size, HEX(kept->root), kept->name, HEX(kept->wanted.root));
	else
		ledger_remark(ledger, "checkpoint in \"%s\": this ledger continues its %" PRIu64 " packages (root %s)", kept->name, size, HEX(kept->root));
}

static void
add_receipt(Ledger *ledger, const char *name, EcertSlice bytes, const uint8_t *package_hash, End *end)
{
	Kept	   *kept = new_kept(ledger, name);
	EcertError	error;

	ledger->counts.receipts++;
	if (ecert_receipt_parse(bytes, &kept->receipt, &error) != ECERT_OK)
	{
		ledger_problem(ledger, NULL, "\"%s\" is no receipt, or transparent statement with one: %s", name, ecert_error_text(error.code));
		return;
	}
	kept->is_receipt = true;
	kept->package_hash = package_hash;
	kept->wanted.size = kept->receipt.tree_size;
	kept->wanted.leaf = kept->receipt.leaf_index;
	append(end, kept);
}

/* A receipt alone, or a statement: its package has to be on the ledger, and each of its receipts has to fit */
static void
open_receipt(Ledger *ledger, const char *name, End *end)
{
	EcertArena *arena = arena_memory(&ledger->memory);
	EcertBuffer package = ecert_buffer(ecert_arena_alloc(arena, ECERT_PACKAGE_MAX), ECERT_PACKAGE_MAX);
	uint8_t    *hash = ecert_arena_alloc(arena, ECERT_HASH_SIZE);
	EcertPackage parsed;
	EcertCursor receipts;
	EcertCborHead head;
	EcertSlice	bytes;
	uint64_t	count;

	if (!read_kept(ledger, name, &bytes))
		return;
	if (ecert_statement_parse(bytes, &package, &receipts, &count, NULL) != ECERT_OK ||
		ecert_package_parse(ecert_slice(package.data, package.size), &parsed, NULL) != ECERT_OK ||
		ecert_package_hash(parsed.bytes, hash) != ECERT_OK)
	{
		add_receipt(ledger, name, bytes, NULL, end);
		return;
	}
	if (count == 0)
		ledger_problem(ledger, NULL, "the statement in \"%s\" has no receipt", name);
	if (ledger_by_hash(ledger, hash) == NULL)
		ledger_problem(ledger, NULL, "the package of the statement in \"%s\" is not on the ledger", name);
	for (uint64_t i = 0; i < count && i < RECEIPTS_MAX && ecert_cbor_head(&receipts, &head, NULL) == ECERT_OK; i++)
		add_receipt(ledger, name, ecert_cbor_content(&receipts, &head), hash, end);
}

static const char *
receipt_problem(const Ledger *ledger, const Kept *kept)
{
	const EcertReceipt *receipt = &kept->receipt;
	const uint8_t *found = kept->wanted.entry->hash;
	/* the leaf is what the statement holds; a receipt alone speaks of whatever lies at its place */
	const uint8_t *leaf = kept->package_hash != NULL ? kept->package_hash : found;
	const Key  *key = certifier_key(ledger, receipt->kid);
	uint8_t		root[ECERT_HASH_SIZE];

	if (key == NULL || key->facts.alg != receipt->alg)
		return "it is not under a key of this ledger's certifier";
	if (ecert_receipt_root(receipt, leaf, root) != ECERT_OK)
		return "its proof does not fit its place in the tree";
	if (ecert_receipt_verify(receipt, leaf, key->prepared) != ECERT_OK)
		return "its seal is wrong for that package";
	if (memcmp(root, kept->wanted.root, ECERT_HASH_SIZE) != 0)
		return "fork: the certifier sealed another root for so many packages than this ledger has";
	if (memcmp(leaf, found, ECERT_HASH_SIZE) != 0)
		return "fork: at its place the ledger has another package";
	return NULL;
}

static void
check_receipt(Ledger *ledger, const Kept *kept)
{
	const Entry *entry = kept->wanted.entry;
	uint64_t	size = kept->receipt.tree_size;
	const char *problem;

	if ((!kept->wanted.has_root || entry == NULL) && tree_is_open(ledger))
		ledger_not_checked(ledger, "the receipt in \"%s\": the checkpoints of this ledger are right for the first %" PRIu64 " packages only, it is for a tree of %" PRIu64,
						   kept->name, ledger->counts.tree_size, size);
	else if (!kept->wanted.has_root || entry == NULL)
		ledger_problem(ledger, NULL, "the receipt in \"%s\" is for a tree of %" PRIu64 " packages, the checkpoints of this ledger cover %" PRIu64,
					   kept->name, size, ledger->counts.tree_size);
	else if ((problem = receipt_problem(ledger, kept)) != NULL)
		ledger_problem(ledger, NULL, "receipt in \"%s\" does not fit: %s", kept->name, problem);
	else
		ledger_remark(ledger, "receipt in \"%s\": leaf %" PRIu64 " of %" PRIu64 " is %s %" PRId64 " of \"%.*s\"", kept->name,
					  kept->receipt.leaf_index, size, ecert_kind_name((EcertKind) entry->kind), entry->seq,
					  TEXT(ledger_id_text(ledger, entry->issuer)));
}

Wanted *
kept_open(Ledger *ledger)
{
	const Options *options = ledger->options;
	Wanted	   *first = NULL;
	End			end = &first;

	for (size_t i = 0; i < options->checkpoint_count; i++)
		open_checkpoint(ledger, options->checkpoints[i], &end);
	for (size_t i = 0; i < options->receipt_count; i++)
		open_receipt(ledger, options->receipts[i], &end);
	return first;
}

void
kept_check(Ledger *ledger, const Wanted *first)
{
	for (const Wanted *wanted = first; wanted != NULL; wanted = wanted->next)
	{
		const Kept *kept = (const Kept *) wanted;

		if (kept->is_receipt)
			check_receipt(ledger, kept);
		else
			check_kept_checkpoint(ledger, kept);
	}
}
