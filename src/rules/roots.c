/*
 * roots.c
 *		Checkpoints against the tree of the packages that they cover; see roots.h.
 */
#include "rules/roots.h"

static void
put_finding(EcertRoots *roots)
{
	roots->broken = true;
	roots->found(roots);
}

/* The tree cannot be followed behind a package that is missing */
static void
put_missing(EcertRoots *roots, const EcertFeedHead *head, int64_t seq)
{
	(void) ECERT_FIND(&roots->finding, ECERT_COVERED_MISSING, ecert_a_word(seq == head->seq ? "names" : "covers"), ecert_a_text(head->kind),
					  ecert_a_number(seq), ecert_a_text(head->issuer));
	put_finding(roots);
}

bool
ecert_roots_take(EcertRoots *roots, const EcertFeedHead *head, int64_t seq, const uint8_t *hash)
{
	if ((uint64_t) seq > roots->expected_package)
		put_missing(roots, head, (int64_t) roots->expected_package);
	roots->expected_package = (uint64_t) seq + 1;
	if (roots->broken)
		return false;
	roots->broken = roots->failed = ecert_tree_append(&roots->tree, hash) != ECERT_OK;
	return !roots->broken;
}

static void
take_head(EcertRoots *roots, const EcertFeedHead *head)
{
	int64_t		covered = roots->covered(roots, head);

	roots->seal(roots, head);
	/* genesis is leaf 0 of every tree: to name it is a fault of the checkpoint itself */
	if (ecert_slice_equal(head->kind, ecert_slice_text(ecert_kind_name(ECERT_KIND_GENESIS))))
		roots->broken = true;
	else if (head->seq <= covered)
	{
		(void) ECERT_FIND(&roots->finding, ECERT_HEAD_NOT_AHEAD, ecert_a_text(head->kind), ecert_a_text(head->issuer), ecert_a_number(head->seq),
						  ecert_a_number(covered));
		put_finding(roots);
	}
	else if (roots->is_there != NULL && !roots->is_there(roots, head))
		put_missing(roots, head, head->seq);
	else
	{
		roots->expected_package = (uint64_t) covered + 1;
		roots->covered_count += (uint64_t) (head->seq - covered);
		roots->cover(roots, head);
	}
}

/* The size follows from the heads, with or without their packages; genesis is one more */
static void
compare_size(EcertRoots *roots, const EcertCheckpoint *checkpoint)
{
	uint64_t	size = roots->covered_count + 1;

	if (checkpoint->size != size)
	{
		(void) ECERT_FIND(&roots->finding, ECERT_SIZE_DIFFERS, ecert_a_number((int64_t) checkpoint->size), ecert_a_number((int64_t) size));
		put_finding(roots);
	}
}

static void
compare_root(EcertRoots *roots, const EcertCheckpoint *checkpoint)
{
	uint8_t		root[ECERT_HASH_SIZE];

	if (ecert_tree_root(&roots->tree, root) != ECERT_OK)
		roots->broken = roots->failed = true;
	else if (memcmp(root, checkpoint->root, sizeof root) != 0)
	{
		(void) ECERT_FIND(&roots->finding, ECERT_ROOT_DIFFERS, ecert_a_hash(checkpoint->root), ecert_a_hash(root));
		put_finding(roots);
	}
}

/* What one checkpoint adds to the tree, and whether it states that */
static void
take_heads(EcertRoots *roots, const EcertCheckpoint *checkpoint)
{
	EcertCursor heads = checkpoint->heads;
	EcertFeedHead head;

	for (uint64_t i = 0; i < checkpoint->head_count && ecert_checkpoint_next_head(&heads, &head); i++)
		take_head(roots, &head);
	/* what is which leaf is not known of heads out of order */
	roots->broken = roots->broken || !ecert_checkpoint_heads_in_order(checkpoint);
	if (roots->broken)
		return;
	compare_size(roots, checkpoint);
	if (roots->is_there != NULL)
		compare_root(roots, checkpoint);
}

/* All parts of a sealing, when the last has come: what is under any of them is under that one */
static void
take_parts(EcertRoots *roots, int64_t first, int64_t last)
{
	EcertCheckpoint part;

	for (roots->at = first; roots->at <= last; roots->at++)
	{
		if (roots->read_part(roots, roots->at, &part))
			take_heads(roots, &part);
		else
			roots->broken = true;
	}
}

int64_t
ecert_roots_checkpoint(EcertRoots *roots, int64_t seq, int64_t issued_at, const EcertCheckpoint *checkpoint)
{
	bool		is_missed = (uint64_t) seq > roots->expected || checkpoint == NULL;

	/* one that is missing, or that nobody can believe in, leaves its packages uncovered */
	roots->broken = roots->broken || is_missed;
	if (is_missed)
		roots->sealing.part = 0;
	roots->expected = (uint64_t) seq + 1;
	if (checkpoint == NULL)
		return 0;
	roots->at = seq;
	if (!ecert_sealing_take(&roots->sealing, seq, issued_at, checkpoint, &roots->finding))
	{
		/* the tree stays as it is: the next sealing goes on from the last complete one */
		roots->found(roots);
		return 0;
	}
	if (roots->sealing.part > 0)
		return 0;
	if (roots->sealing.first == seq)
		take_heads(roots, checkpoint);
	else
		take_parts(roots, roots->sealing.first, seq);
	return seq - roots->sealing.first + 1;
}
