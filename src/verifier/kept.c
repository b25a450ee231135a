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

/* A file with a receipt, or a transparent statement: one receipt of it that fits is enough */
typedef struct KeptFile
{
	const char *name;
	bool		is_statement;
	uint8_t		hash[ECERT_HASH_SIZE];	/* of the statement's package */
	unsigned	fit;			/* receipts that fit */
	unsigned	open;			/* those that the ledger's checkpoints do not reach */
	unsigned	wrong;
	bool		is_told;		/* that none of them could be checked */
} KeptFile;

/* A checkpoint, a receipt, or what else was in a statement's header */
typedef struct Kept
{
	Wanted		wanted;			/* first */
	const char *name;
	uint8_t		root[ECERT_HASH_SIZE];	/* of a checkpoint */
	KeptFile   *file;			/* of a receipt; NULL: a checkpoint */
	const char *part;			/* of a statement: what the receipt is called */
	EcertSlice	bytes;			/* of a receipt or a checkpoint package, which borrow from the ledger's memory; of size 0: a note */
	const Key  *key;			/* the certifier's that it names; NULL: it names none */
	EcertOutcome outcome;
	const char *reason;			/* why it does not hold */
	bool		is_beyond;		/* it cannot be read here */
	bool		is_open;		/* it could not be compared */
} Kept;

/* Where the list of what was kept ends */
typedef Wanted **End;

/* Entries of a statement's header that are named, beside receipts that can be read */
#define PARTS_SHOWN 20

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

/* The certifier's key for a use that a kept checkpoint or receipt names, or NULL */
static const Key *
certifier_key(const Ledger *ledger, EcertKeyUse use, EcertSlice kid)
{
	const Key  *key = kid.size == ECERT_HASH_SIZE ? node_key(ledger->registry.nodes[ledger->registry.certifier], kid.data) : NULL;

	return key != NULL && key->facts.use == use ? key : NULL;
}

/* ECERT_OK, or why it is no checkpoint of this ledger's certifier: ECERT_NOT_NOTE where nothing more can be said */
static EcertCode
read_package_checkpoint(Ledger *ledger, EcertSlice bytes, Kept *kept)
{
	EcertBuffer scratch = ecert_buffer(ecert_arena_alloc(arena_memory(&ledger->memory), bytes.size + 32), bytes.size + 32);
	EcertPackage package;
	EcertCheckpoint stated;
	EcertError	error;
	const Key  *key;
	EcertCode	code = ecert_package_parse(bytes, &package, &error);

	if (ecert_is_beyond(code))
		return code;
	if (code != ECERT_OK || package.kind != ECERT_KIND_CHECKPOINT ||
		ecert_body_check(package.kind, package.body, &error) != ECERT_OK ||
		!ecert_slice_equal(package.audience, ledger->registry.origin) ||
		!ecert_slice_equal(package.issuer, ledger_id_text(ledger, ledger->registry.certifier)) ||
		(key = certifier_key(ledger, ECERT_USE_PACKAGE, package.kid)) == NULL || key->facts.alg != package.alg ||
		ecert_package_verify(&package, key->prepared, scratch) != ECERT_OK || ecert_checkpoint_read(package.body, &stated) != ECERT_OK)
		return ECERT_NOT_NOTE;
	kept->bytes = bytes;
	kept->wanted.size = stated.size;
	memcpy(kept->root, stated.root, sizeof kept->root);
	return ECERT_OK;
}

/* A note that one of the certifier's seal keys signed */
static EcertCode
read_note_checkpoint(const Ledger *ledger, EcertSlice bytes, Kept *kept)
{
	const Node *node = ledger->registry.nodes[ledger->registry.certifier];
	EcertNote	note;
	EcertNoteSignature signature;
	EcertSlice	lines;
	EcertCode	code = ecert_note_parse(bytes, &note, NULL);

	if (code != ECERT_OK || !ecert_slice_equal(note.origin, ledger->registry.origin))
		return code != ECERT_OK ? code : ECERT_NOT_NOTE;
	kept->wanted.size = note.size;
	memcpy(kept->root, note.root, ECERT_HASH_SIZE);
	lines = note.signatures;
	while (ecert_note_next_signature(&lines, &signature))
	{
		for (uint32_t i = 0; signature.size == ECERT_SIGNATURE_SIZE && i < node->key_count; i++)
		{
			const EcertKeyFacts *key = &node->keys[i]->facts;

			if (key->use == ECERT_USE_SEAL && key->alg == ECERT_ALG_ED25519 && ecert_slice_equal(signature.name, note.origin) &&
				ecert_note_verify(note.text, &signature, ecert_slice(key->raw, 32)) == ECERT_OK)
				return ECERT_OK;
		}
	}
	return ECERT_NOT_NOTE;
}

static void
open_checkpoint(Ledger *ledger, const char *name, End *end)
{
	Kept	   *kept = new_kept(ledger, name);
	EcertSlice	bytes;
	EcertCode	code;

	if (!read_kept(ledger, name, &bytes))
		return;
	ledger->counts.kept_checkpoints++;
	/* a package begins with a tag, which no text does */
	code = bytes.size > 0 && bytes.data[0] == 0xD2 ? read_package_checkpoint(ledger, bytes, kept) : read_note_checkpoint(ledger, bytes, kept);
	if (code == ECERT_OK && kept->wanted.size > 0)
		append(end, kept);
	else if (ecert_is_beyond(code))
		ledger_error(ledger, "the checkpoint in \"%s\" could not be checked: %s", name, ecert_error_text(code));
	else
		ledger_problem(ledger, NULL, "\"%s\" is no checkpoint that this ledger's certifier signed", name);
}

/* Is a checkpoint wrong, so that the tree could not be computed to its end?  That is a problem of its own */
static bool
tree_is_open(const Ledger *ledger)
{
	return ledger->counts.sound_checkpoints < ledger->counts.checkpoints;
}

/* Has the certifier signed another checkpoint with the seq of the one that was kept, be their trees alike? */
static bool
check_other_story(Ledger *ledger, const Kept *kept)
{
	const Feed *feed = ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_CHECKPOINT);
	Reader	   *reader = need(calloc(1, sizeof *reader));
	const Entry *held;
	EcertPackage ours;
	EcertPackage theirs;
	bool		proven;

	reader->ledger = ledger;
	proven = feed != NULL && ecert_package_parse(kept->bytes, &theirs, NULL) == ECERT_OK && (held = feed_at(feed, theirs.seq)) != NULL &&
		reader_get(reader, held, &ours) && ecert_is_equivocation(ledger->registry.origin, &theirs, true, &ours, (held->flags & ENTRY_SIGNED) != 0);
	if (proven)
		ledger_problem(ledger, held, "fork: the certifier signed another checkpoint with seq %" PRId64 " (the checkpoint in \"%s\")", held->seq, kept->name);
	free(reader);
	return proven;
}

static void
check_kept_checkpoint(Ledger *ledger, const Kept *kept)
{
	uint64_t	size = kept->wanted.size;
	bool		differs = kept->bytes.size > 0 && check_other_story(ledger, kept);

	if (!kept->wanted.has_root && tree_is_open(ledger))
		ledger_not_checked(ledger, "the checkpoint in \"%s\": the checkpoints of this ledger are right for the first %" PRIu64 " packages only, it covers %" PRIu64,
						   kept->name, ledger->counts.tree_size, size);
	else if (!kept->wanted.has_root)
		ledger_problem(ledger, NULL, "the checkpoint in \"%s\" covers %" PRIu64 " packages, the checkpoints of this ledger only %" PRIu64
					   ": what it covers was taken away, or this copy is older", kept->name, size, ledger->counts.tree_size);
	else if (memcmp(kept->wanted.root, kept->root, ECERT_HASH_SIZE) != 0)
		ledger_problem(ledger, NULL, "fork: the certifier signed that the first %" PRIu64 " packages have root %s (the checkpoint in \"%s\"), but those of this ledger have root %s",
					   size, HEX(kept->root), kept->name, HEX(kept->wanted.root));
	else if (!differs)
		ledger_remark(ledger, "checkpoint in \"%s\": this ledger continues its %" PRIu64 " packages (root %s)", kept->name, size, HEX(kept->root));
}

/* ----- receipts ----- */

static Kept *
new_receipt(Ledger *ledger, KeptFile *file, EcertSlice bytes)
{
	Kept	   *kept = new_kept(ledger, file->name);

	kept->file = file;
	kept->bytes = bytes;
	kept->outcome = ECERT_NOT_CHECKED;
	return kept;
}

/* What a receipt asks of the tree, where it can be read */
static bool
want_receipt(const Ledger *ledger, Kept *kept)
{
	EcertReceipt receipt;
	EcertError	error = {0};

	if (ecert_receipt_parse(kept->bytes, &receipt, &error) == ECERT_OK && receipt.kid.size > 0 &&
		(kept->key = certifier_key(ledger, ECERT_USE_SEAL, receipt.kid)) == NULL)
		error.code = ECERT_OTHER_KEY;
	if (error.code != ECERT_OK)
	{
		kept->reason = ecert_error_text(error.code);
		kept->is_beyond = ecert_is_beyond(error.code);
		return false;
	}
	kept->wanted.size = receipt.tree_size;
	kept->wanted.leaf = receipt.leaf_index;
	return true;
}

/* Every receipt of a statement, and the first of whatever else is there */
static void
open_parts(Ledger *ledger, KeptFile *file, EcertStatement *statement, End *end)
{
	EcertStatementPart part;
	unsigned	receipts = 0;
	unsigned	others = 0;

	while (ecert_statement_next(statement, &part))
	{
		char	   *text = ecert_arena_alloc(arena_memory(&ledger->memory), ECERT_PART_TEXT_MAX);
		Kept	   *kept = new_receipt(ledger, file, part.content);

		receipts += part.receipt > 0;
		kept->part = ecert_part_text(&part, text);
		if (part.receipt == 0)
			kept->reason = ecert_error_text(ECERT_UNPROTECTED);
		if ((part.receipt > 0 && want_receipt(ledger, kept)) || ++others <= PARTS_SHOWN)
			append(end, kept);
	}
	ledger->counts.receipts += receipts;
	if (receipts == 0)
		ledger_error(ledger, "the statement in \"%s\" could not be checked: it has no receipt", file->name);
	file->is_told = receipts == 0;
}

/* A receipt alone, or a statement, whose package has to be on the ledger */
static void
open_receipt(Ledger *ledger, const char *name, End *end)
{
	EcertArena *arena = arena_memory(&ledger->memory);
	EcertBuffer package = ecert_buffer(ecert_arena_alloc(arena, ECERT_PACKAGE_MAX), ECERT_PACKAGE_MAX);
	KeptFile   *file = ecert_arena_alloc(arena, sizeof *file);
	EcertStatement statement;
	EcertPackage parsed;
	EcertSlice	bytes;

	*file = (KeptFile) {.name = name};
	if (!read_kept(ledger, name, &bytes))
		return;
	if (ecert_statement_parse(bytes, &package, &statement, NULL) != ECERT_OK ||
		ecert_package_parse(ecert_slice(package.data, package.size), &parsed, NULL) != ECERT_OK ||
		ecert_package_hash(parsed.bytes, file->hash) != ECERT_OK)
	{
		Kept	   *kept = new_receipt(ledger, file, bytes);

		ledger->counts.receipts++;
		(void) want_receipt(ledger, kept);
		append(end, kept);
		return;
	}
	file->is_statement = true;
	if (ledger_by_hash(ledger, file->hash) == NULL)
		ledger_problem(ledger, NULL, "the package of the statement in \"%s\" is not on the ledger", name);
	open_parts(ledger, file, &statement, end);
}

/* Does a receipt that holds say what the ledger has?  NULL: yes */
static const char *
find_fork(const Kept *kept, const EcertReceipt *receipt, const uint8_t *leaf)
{
	uint8_t		root[ECERT_HASH_SIZE];

	if (ecert_receipt_root(receipt, leaf, root) != ECERT_OK || memcmp(root, kept->wanted.root, ECERT_HASH_SIZE) != 0)
		return "fork: the certifier sealed another root for so many packages than this ledger has";
	return memcmp(leaf, kept->wanted.entry->hash, ECERT_HASH_SIZE) == 0 ? NULL : "fork: at its place the ledger has another package";
}

/* Under the key that it names, or, where it names none, under that of the certifier's seal keys which made it */
static void
judge_signature(const Ledger *ledger, Kept *kept)
{
	const Node *certifier = ledger->registry.nodes[ledger->registry.certifier];
	EcertTrust	trust = {.certifier = ledger_id_text(ledger, ledger->registry.certifier), .origin = ledger->registry.origin};
	/* the leaf is what the statement holds; a receipt alone speaks of whatever lies at its place */
	const uint8_t *leaf = kept->file->is_statement ? kept->file->hash : kept->wanted.entry->hash;
	EcertReceipt receipt;

	for (uint32_t i = 0; i < certifier->key_count && kept->outcome != ECERT_HOLDS; i++)
	{
		const Key  *key = certifier->keys[i];
		EcertError	error = {0};

		if (key->facts.use != ECERT_USE_SEAL || (kept->key != NULL && kept->key != key))
			continue;
		trust.alg = key->facts.alg;
		trust.kid = ecert_slice(key->facts.kid, ECERT_HASH_SIZE);
		trust.key = key->prepared;
		kept->outcome = ecert_receipt_judge(kept->bytes, leaf, &trust, &receipt, &error);
		kept->reason = kept->outcome == ECERT_HOLDS ? find_fork(kept, &receipt, leaf) : ecert_error_text(error.code);
	}
	if (kept->reason != NULL && kept->outcome == ECERT_HOLDS)
		kept->outcome = ECERT_WRONG;
}

/* Judge a receipt that could be read, now that the tree is known */
static void
judge_receipt(const Ledger *ledger, Kept *kept)
{
	bool		has_place = kept->wanted.has_root && kept->wanted.entry != NULL;

	if (kept->reason != NULL)
		return;
	kept->is_open = !has_place && tree_is_open(ledger);
	kept->file->open += kept->is_open;
	if (kept->is_open)
		return;
	if (has_place)
		judge_signature(ledger, kept);
	else
	{
		/* one that names no key may be another log's */
		kept->outcome = kept->key != NULL ? ECERT_WRONG : ECERT_NOT_CHECKED;
		kept->reason = "it is for a larger tree than the checkpoints of this ledger cover";
	}
	kept->file->fit += kept->outcome == ECERT_HOLDS;
	kept->file->wrong += kept->outcome == ECERT_WRONG;
}

/* None of a statement's receipts fits, or none could be checked; said once */
static void
conclude_file(Ledger *ledger, KeptFile *file)
{
	if (!file->is_told && file->fit + file->wrong + file->open == 0)
		ledger_error(ledger, "the statement in \"%s\" could not be checked: no receipt in it is one that can be checked with this ledger", file->name);
	file->is_told = true;
}

static void
report_receipt(Ledger *ledger, const Kept *kept)
{
	const Entry *entry = kept->wanted.entry;
	KeptFile   *file = kept->file;

	if (kept->outcome == ECERT_HOLDS)
		ledger_remark(ledger, "receipt in \"%s\": leaf %" PRIu64 " of %" PRIu64 " is %s %" PRId64 " of \"%.*s\"", kept->name,
					  kept->wanted.leaf, kept->wanted.size, ecert_kind_name((EcertKind) entry->kind), entry->seq,
					  TEXT(ledger_id_text(ledger, entry->issuer)));
	else if (kept->is_open)
		ledger_not_checked(ledger, "the receipt in \"%s\": the checkpoints of this ledger are right for the first %" PRIu64 " packages only, it is for a tree of %" PRIu64,
						   kept->name, ledger->counts.tree_size, kept->wanted.size);
	else if (kept->outcome == ECERT_WRONG && file->fit == 0)
		ledger_problem(ledger, NULL, "receipt in \"%s\" does not fit: %s", kept->name, kept->reason);
	else if (file->is_statement)
		ledger_not_checked(ledger, "%s of the statement in \"%s\": %s", kept->part, kept->name, kept->reason);
	else if (kept->is_beyond)
		ledger_error(ledger, "the receipt in \"%s\" could not be checked: %s", kept->name, kept->reason);
	else
		ledger_problem(ledger, NULL, "\"%s\" is no receipt of this ledger, or transparent statement with one: %s", kept->name, kept->reason);
	if (file->is_statement)
		conclude_file(ledger, file);
}

/* ----- all of them ----- */

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
kept_check(Ledger *ledger, Wanted *first)
{
	for (Wanted *wanted = first; wanted != NULL; wanted = wanted->next)
	{
		if (((Kept *) wanted)->file != NULL)
			judge_receipt(ledger, (Kept *) wanted);
	}
	for (const Wanted *wanted = first; wanted != NULL; wanted = wanted->next)
	{
		const Kept *kept = (const Kept *) wanted;

		if (kept->file != NULL)
			report_receipt(ledger, kept);
		else
			check_kept_checkpoint(ledger, kept);
	}
}
