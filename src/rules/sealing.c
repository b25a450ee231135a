/*
 * sealing.c
 *		Sealings of several parts; see sealing.h.
 */
#include "rules/sealing.h"

/* The first head that a checkpoint names, or the last */
static EcertFeedHead
end_head(const EcertCheckpoint *checkpoint, bool is_last)
{
	EcertCursor heads = checkpoint->heads;
	EcertFeedHead head = {{NULL, 0}, {NULL, 0}, -1};
	uint64_t	count = is_last ? checkpoint->head_count : 1;

	while (count-- > 0 && ecert_checkpoint_next_head(&heads, &head))
		;
	return head;
}

static EcertSlice
keep(EcertSlice text, uint8_t *room, size_t size)
{
	if (text.size > size)
		text.size = size;
	if (text.size > 0)
		memcpy(room, text.data, text.size);
	return ecert_slice(room, text.size);
}

/* Can a ledger have so much?  Numbers of leaves and seqs are added up, and must not run over whatever a certifier signs */
static bool
check_amounts(const EcertCheckpoint *checkpoint, EcertFinding *finding)
{
	EcertCursor heads = checkpoint->heads;
	EcertFeedHead head;
	int64_t		left = ECERT_LEAVES_MAX;

	if (checkpoint->parts > ECERT_PARTS_MAX)
		return ECERT_FIND(finding, ECERT_PARTS_MANY, ecert_a_number(checkpoint->parts), ecert_a_number(ECERT_PARTS_MAX));
	for (uint64_t i = 0; i < checkpoint->head_count && ecert_checkpoint_next_head(&heads, &head); i++)
	{
		if (head.seq >= left)
			return ECERT_FIND(finding, ECERT_HEADS_BEYOND, ecert_a_text(head.kind), ecert_a_text(head.issuer), ecert_a_number(head.seq),
							  ecert_a_number(ECERT_LEAVES_MAX));
		left -= head.seq + 1;
	}
	return true;
}

/* Is it the part that has to come? */
static bool
check_part(const EcertSealing *sealing, int64_t issued_at, const EcertCheckpoint *checkpoint, EcertFinding *finding)
{
	EcertArgument part = ecert_a_number(checkpoint->part);
	EcertFeedHead first;

	if (sealing->part == 0)
		return checkpoint->part == 1 || ECERT_FIND(finding, ECERT_PART_OF_NONE, part, ecert_a_number(checkpoint->parts));
	if (checkpoint->part != sealing->part + 1 || checkpoint->parts != sealing->parts)
		return ECERT_FIND(finding, ECERT_PART_OTHER, part, ecert_a_number(checkpoint->parts), ecert_a_number(sealing->part + 1),
						  ecert_a_number(sealing->parts), ecert_a_number(sealing->first));
	if (issued_at != sealing->issued_at)
		return ECERT_FIND(finding, ECERT_PART_TIME, part, ecert_a_time(issued_at), ecert_a_time(sealing->issued_at));
	first = end_head(checkpoint, false);
	return ecert_compare_heads(&sealing->head, &first) < 0 ||
		ECERT_FIND(finding, ECERT_PART_HEADS, part, ecert_a_text(first.kind), ecert_a_text(first.issuer), ecert_a_text(sealing->head.kind),
				   ecert_a_text(sealing->head.issuer));
}

bool
ecert_sealing_take(EcertSealing *sealing, int64_t seq, int64_t issued_at, const EcertCheckpoint *checkpoint, EcertFinding *finding)
{
	bool		good = check_amounts(checkpoint, finding) && check_part(sealing, issued_at, checkpoint, finding);

	if (good && checkpoint->part == 1)
		sealing->first = seq;
	sealing->part = good && checkpoint->part < checkpoint->parts ? checkpoint->part : 0;
	if (sealing->part == 0)
		return good;
	sealing->parts = checkpoint->parts;
	sealing->issued_at = issued_at;
	sealing->head = end_head(checkpoint, true);
	sealing->head.issuer = keep(sealing->head.issuer, sealing->issuer, sizeof sealing->issuer);
	sealing->head.kind = keep(sealing->head.kind, sealing->kind, sizeof sealing->kind);
	return true;
}

/* A checkpoint of the certifier by its seq; false: it is not here */
static bool
read_checkpoint(EcertView *view, EcertArena *arena, int64_t seq, EcertEntry *entry, EcertCheckpoint *checkpoint)
{
	EcertPackage package;

	return view->by_seq(view, arena, view->certifier, ECERT_KIND_CHECKPOINT, seq, entry) && view->package(view, entry, &package) &&
		ecert_checkpoint_read(package.body, checkpoint) == ECERT_OK;
}

void
ecert_sealing_before(EcertView *view, EcertArena *arena, int64_t from, int64_t seq, EcertSealing *sealing)
{
	int64_t		first = seq;
	EcertEntry	entry;
	EcertCheckpoint checkpoint;
	EcertFinding finding;

	memset(sealing, 0, sizeof *sealing);
	/* behind one that is the last of its sealing, right or wrong, none is incomplete */
	while (first > from && read_checkpoint(view, arena, first - 1, &entry, &checkpoint) && checkpoint.part < checkpoint.parts)
		first--;
	for (; first < seq && read_checkpoint(view, arena, first, &entry, &checkpoint); first++)
		(void) ecert_sealing_take(sealing, first, entry.issued_at, &checkpoint, &finding);
}
