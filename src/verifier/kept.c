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
#include "core/note.h"
#include "core/receipt.h"

/* More than a transparent statement in hexadecimal digits */
#define KEPT_FILE_MAX (4 * ECERT_STATEMENT_MAX)

/* Receipts of one statement that are looked at */
#define RECEIPTS_MAX 16

/* A checkpoint that was kept */
typedef struct KeptCheckpoint
{
	Wanted		wanted;
	const char *name;
	uint8_t		root[ECERT_HASH_SIZE];
} KeptCheckpoint;

/* A receipt that was kept; package_hash is there when it came in a statement */
typedef struct KeptReceipt
{
	Wanted		wanted;
	const char *name;
	uint8_t    *bytes;			/* of the file, which receipt borrows from; NULL in all but the first of a file */
	EcertReceipt receipt;
	bool		has_package;
	uint8_t		package_hash[ECERT_HASH_SIZE];
} KeptReceipt;

static struct
{
	KeptCheckpoint *checkpoints;
	size_t		checkpoint_count;
	KeptReceipt *receipts;
	size_t		receipt_count;
	Wanted	  **wanted;
} kept;

static uint8_t *
read_kept(Ledger *ledger, const char *name, size_t *size)
{
	uint8_t    *bytes = file_package(name, KEPT_FILE_MAX, size);

	if (bytes == NULL)
		ledger_error(ledger, "could not read \"%s\": %s", name, strerror(errno));
	return bytes;
}

/* ----- checkpoints ----- */

/* The certifier's key that a kept checkpoint names, or NULL */
static const Key *
certifier_key(const Ledger *ledger, EcertSlice kid)
{
	uint32_t	number;

	return kid.size == ECERT_HASH_SIZE ? registry_key(&ledger->registry, ledger->registry.certifier, kid, &number) : NULL;
}

static bool
read_package_checkpoint(const Ledger *ledger, EcertSlice bytes, KeptCheckpoint *checkpoint)
{
	uint8_t    *scratch = need(malloc(ECERT_PACKAGE_MAX + 32));
	EcertPackage package;
	EcertCheckpoint stated;
	EcertError	error;
	const Key  *key;
	bool		good;

	good = ecert_package_parse(bytes, &package, &error) == ECERT_OK && package.kind == ECERT_KIND_CHECKPOINT &&
		ecert_body_check(package.kind, package.body, &error) == ECERT_OK &&
		ecert_slice_equal(package.audience, ledger->registry.origin) &&
		(key = certifier_key(ledger, package.kid)) != NULL && key->facts.alg == package.alg &&
		ecert_package_verify(&package, key->prepared, ecert_buffer(scratch, ECERT_PACKAGE_MAX + 32)) == ECERT_OK;
	if (good && (good = ecert_checkpoint_read(package.body, &stated) == ECERT_OK))
	{
		checkpoint->wanted.size = stated.size;
		memcpy(checkpoint->root, stated.root, sizeof checkpoint->root);
	}
	free(scratch);
	return good;
}

/* A note that one of the certifier's keys signed */
static bool
read_note_checkpoint(const Ledger *ledger, EcertSlice bytes, KeptCheckpoint *checkpoint)
{
	const Node *node = ledger->registry.nodes[ledger->registry.certifier];
	EcertNote	note;
	EcertNoteSignature signature;
	EcertSlice	lines;
	bool		good = false;

	if (ecert_note_parse(bytes, &note, NULL) != ECERT_OK || !ecert_slice_equal(note.origin, ledger->registry.origin))
		return false;
	lines = note.signatures;
	while (!good && ecert_note_next_signature(&lines, &signature))
	{
		for (uint32_t i = 0; !good && signature.size == ECERT_SIGNATURE_SIZE && i < node->key_count; i++)
		{
			const Key  *key = ledger->registry.keys[node->keys[i]];

			good = key->facts.alg == ECERT_ALG_ED25519 && ecert_slice_equal(signature.name, note.origin) &&
				ecert_note_verify(note.text, &signature, ecert_slice(key->facts.raw, 32)) == ECERT_OK;
		}
	}
	checkpoint->wanted.size = note.size;
	memcpy(checkpoint->root, note.root, ECERT_HASH_SIZE);
	return good;
}

static void
open_checkpoint(Ledger *ledger, const char *name)
{
	KeptCheckpoint *checkpoint = &kept.checkpoints[kept.checkpoint_count];
	size_t		size;
	uint8_t    *bytes = read_kept(ledger, name, &size);

	memset(checkpoint, 0, sizeof *checkpoint);
	checkpoint->name = name;
	checkpoint->wanted.leaf = UINT64_MAX;
	if (bytes == NULL)
		return;
	ledger->counts.kept_checkpoints++;
	if ((read_package_checkpoint(ledger, ecert_slice(bytes, size), checkpoint) ||
		 read_note_checkpoint(ledger, ecert_slice(bytes, size), checkpoint)) && checkpoint->wanted.size > 0)
		kept.checkpoint_count++;
	else
		ledger_problem(ledger, NULL, "\"%s\" is no checkpoint that this ledger's certifier signed", name);
	free(bytes);
}

/* Is a checkpoint wrong, so that the tree could not be computed to its end?  That is a problem of its own */
static bool
tree_is_open(const Ledger *ledger)
{
	return ledger->counts.sound_checkpoints < ledger->counts.checkpoints;
}

static void
check_kept_checkpoint(Ledger *ledger, const KeptCheckpoint *checkpoint, uint64_t tree_size)
{
	char		stated[HEX_ROOM];
	char		found[HEX_ROOM];

	if (!checkpoint->wanted.has_root && tree_is_open(ledger))
		ledger_not_checked(ledger, "the checkpoint in \"%s\": the checkpoints of this ledger are right for the first %" PRIu64 " packages only, it covers %" PRIu64,
						   checkpoint->name, tree_size, checkpoint->wanted.size);
	else if (!checkpoint->wanted.has_root)
		ledger_problem(ledger, NULL, "the checkpoint in \"%s\" covers %" PRIu64 " packages, the checkpoints of this ledger only %" PRIu64
					   ": what it covers was taken away, or this copy is older", checkpoint->name, checkpoint->wanted.size, tree_size);
	else if (memcmp(checkpoint->wanted.root, checkpoint->root, ECERT_HASH_SIZE) != 0)
		ledger_problem(ledger, NULL, "fork: the certifier signed that the first %" PRIu64 " packages have root %s (the checkpoint in \"%s\"), but those of this ledger have root %s",
					   checkpoint->wanted.size, text_hash(checkpoint->root, stated), checkpoint->name, text_hash(checkpoint->wanted.root, found));
	else
		ledger_remark(ledger, "checkpoint in \"%s\": this ledger continues its %" PRIu64 " packages (root %s)", checkpoint->name,
					  checkpoint->wanted.size, text_hash(checkpoint->root, stated));
}

/* ----- receipts ----- */

static void
add_receipt(Ledger *ledger, const char *name, uint8_t *owned, EcertSlice bytes, const uint8_t *package_hash)
{
	KeptReceipt *receipt;
	EcertError	error;

	kept.receipts = need(realloc(kept.receipts, (kept.receipt_count + 1) * sizeof *kept.receipts));
	receipt = &kept.receipts[kept.receipt_count++];
	memset(receipt, 0, sizeof *receipt);
	receipt->name = name;
	receipt->bytes = owned;
	if (ecert_receipt_parse(bytes, &receipt->receipt, &error) != ECERT_OK)
	{
		ledger_problem(ledger, NULL, "\"%s\" is no receipt, or transparent statement with one: %s", name, ecert_error_text(error.code));
		receipt->name = NULL;
	}
	receipt->has_package = package_hash != NULL;
	if (package_hash != NULL)
		memcpy(receipt->package_hash, package_hash, ECERT_HASH_SIZE);
	receipt->wanted.size = receipt->receipt.tree_size;
	receipt->wanted.leaf = receipt->receipt.leaf_index;
	ledger->counts.receipts++;
}

/* A statement: its package has to be on the ledger, and each of its receipts has to fit */
static bool
open_statement(Ledger *ledger, const char *name, uint8_t *bytes, size_t size)
{
	uint8_t    *package_bytes = need(malloc(ECERT_PACKAGE_MAX));
	EcertBuffer package = ecert_buffer(package_bytes, ECERT_PACKAGE_MAX);
	EcertPackage parsed;
	EcertCursor receipts;
	uint64_t	count;
	uint8_t		hash[ECERT_HASH_SIZE];
	bool		is_statement;

	is_statement = ecert_statement_parse(ecert_slice(bytes, size), &package, &receipts, &count, NULL) == ECERT_OK &&
		ecert_package_parse(ecert_slice(package.data, package.size), &parsed, NULL) == ECERT_OK &&
		ecert_package_hash(parsed.bytes, hash) == ECERT_OK;
	free(package_bytes);
	if (!is_statement)
		return false;
	if (count == 0)
		ledger_problem(ledger, NULL, "the statement in \"%s\" has no receipt", name);
	if (ledger_by_hash(ledger, hash) == NULL)
		ledger_problem(ledger, NULL, "the package of the statement in \"%s\" is not on the ledger", name);
	if (count == 0)
		free(bytes);
	for (uint64_t i = 0; i < count && i < RECEIPTS_MAX; i++)
	{
		EcertCborHead head;

		if (ecert_cbor_head(&receipts, &head, NULL) != ECERT_OK)
			break;
		add_receipt(ledger, name, i == 0 ? bytes : NULL, ecert_cbor_content(&receipts, &head), hash);
	}
	return true;
}

static void
open_receipt(Ledger *ledger, const char *name)
{
	size_t		size;
	uint8_t    *bytes = read_kept(ledger, name, &size);

	if (bytes != NULL && !open_statement(ledger, name, bytes, size))
		add_receipt(ledger, name, bytes, ecert_slice(bytes, size), NULL);
}

static const char *
receipt_problem(const Ledger *ledger, const KeptReceipt *receipt, const uint8_t *leaf)
{
	const Key  *key = certifier_key(ledger, receipt->receipt.kid);
	uint8_t		root[ECERT_HASH_SIZE];

	if (key == NULL || key->facts.alg != receipt->receipt.alg)
		return "it is not under a key of this ledger's certifier";
	if (ecert_receipt_root(&receipt->receipt, leaf, root) != ECERT_OK)
		return "its proof does not fit its place in the tree";
	if (ecert_receipt_verify(&receipt->receipt, leaf, key->prepared) != ECERT_OK)
		return "its seal is wrong for that package";
	if (memcmp(root, receipt->wanted.root, ECERT_HASH_SIZE) != 0)
		return "fork: the certifier sealed another root for so many packages than this ledger has";
	return NULL;
}

static void
check_receipt(Ledger *ledger, const KeptReceipt *receipt, uint64_t tree_size)
{
	const Entry *entry = receipt->wanted.entry;
	const char *problem;

	if ((!receipt->wanted.has_root || entry == NULL) && tree_is_open(ledger))
	{
		ledger_not_checked(ledger, "the receipt in \"%s\": the checkpoints of this ledger are right for the first %" PRIu64 " packages only, it is for a tree of %" PRIu64,
						   receipt->name, tree_size, receipt->receipt.tree_size);
		return;
	}
	if (!receipt->wanted.has_root || entry == NULL)
	{
		ledger_problem(ledger, NULL, "the receipt in \"%s\" is for a tree of %" PRIu64 " packages, the checkpoints of this ledger cover %" PRIu64,
					   receipt->name, receipt->receipt.tree_size, tree_size);
		return;
	}
	/* the leaf is what the statement holds; a receipt alone speaks of whatever lies at its place */
	problem = receipt_problem(ledger, receipt, receipt->has_package ? receipt->package_hash : entry->hash);
	if (problem == NULL && receipt->has_package && memcmp(receipt->package_hash, entry->hash, ECERT_HASH_SIZE) != 0)
		problem = "fork: at its place the ledger has another package";
	if (problem != NULL)
		ledger_problem(ledger, NULL, "receipt in \"%s\" does not fit: %s", receipt->name, problem);
	else
		ledger_remark(ledger, "receipt in \"%s\": leaf %" PRIu64 " of %" PRIu64 " is %s %" PRId64 " of \"%.*s\"", receipt->name,
					  receipt->receipt.leaf_index, receipt->receipt.tree_size, ecert_kind_name((EcertKind) entry->kind), entry->seq,
					  TEXT(ledger_id_text(ledger, entry->issuer)));
}

/* ----- both ----- */

void
kept_open(Ledger *ledger, WantedList *wanted)
{
	const Options *options = ledger->options;
	size_t		count = 0;

	kept.checkpoints = need(calloc(options->checkpoints.count + 1, sizeof *kept.checkpoints));
	for (size_t i = 0; i < options->checkpoints.count; i++)
		open_checkpoint(ledger, options->checkpoints.names[i]);
	for (size_t i = 0; i < options->receipts.count; i++)
		open_receipt(ledger, options->receipts.names[i]);
	kept.wanted = need(calloc(kept.checkpoint_count + kept.receipt_count + 1, sizeof *kept.wanted));
	for (size_t i = 0; i < kept.checkpoint_count; i++)
		kept.wanted[count++] = &kept.checkpoints[i].wanted;
	for (size_t i = 0; i < kept.receipt_count; i++)
		kept.wanted[count++] = &kept.receipts[i].wanted;
	wanted->list = kept.wanted;
	wanted->count = count;
}

void
kept_check(Ledger *ledger, uint64_t tree_size)
{
	for (size_t i = 0; i < kept.checkpoint_count; i++)
		check_kept_checkpoint(ledger, &kept.checkpoints[i], tree_size);
	for (size_t i = 0; i < kept.receipt_count; i++)
	{
		if (kept.receipts[i].name != NULL)
			check_receipt(ledger, &kept.receipts[i], tree_size);
		free(kept.receipts[i].bytes);
	}
	free(kept.checkpoints);
	free(kept.receipts);
	free(kept.wanted);
}
