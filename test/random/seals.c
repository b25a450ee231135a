/*
 * seals.c
 *		Checkpoints and witnesses.  The tree is computed here by the definition
 *		of RFC 9162, from the leaves, apart from src/core/merkle.c.
 */
#include "world.h"

#include "core/note.h"
#include "core/receipt.h"

static uint8_t leaves[MADE_MAX][ECERT_HASH_SIZE];
static size_t leaf_count;
static size_t checkpoints[512];
static size_t checkpoint_count;

/* As the last complete sealing left it; what was begun behind it, and how many parts it is to have */
static size_t sealed_leaves;
static size_t complete = SIZE_MAX;	/* number of its last checkpoint */
static int64_t begun;
static int64_t begun_parts;

/* What a checkpoint states */
typedef struct Sealed
{
	uint64_t	size;
	uint8_t		root[ECERT_HASH_SIZE];
	char	   *heads;
	const Pair *pair;
} Sealed;

static Sealed sealed[512];

/* ----- the tree ----- */

/* The root of a tree by the definition of RFC 9162, section 2.1.1 */
static void
root_of(const uint8_t (*from)[ECERT_HASH_SIZE], size_t count, uint8_t *root)
{
	static const uint8_t one = 1;
	uint8_t		left[ECERT_HASH_SIZE];
	uint8_t		right[ECERT_HASH_SIZE];
	EcertSlice	parts[3] = {ecert_slice(&one, 1), ecert_slice(left, sizeof left), ecert_slice(right, sizeof right)};
	size_t		half = 1;

	if (count == 1)
	{
		memcpy(root, from[0], ECERT_HASH_SIZE);
		return;
	}
	while (half * 2 < count)
		half *= 2;
	root_of(from, half, left);
	root_of(from + half, count - half, right);
	must(ecert_sha256(parts, 3, root));
}

/* Heads come in the byte order of issuer and kind */
static int
compare_feeds(const void *a, const void *b)
{
	const Feed *first = *(const Feed *const *) a;
	const Feed *second = *(const Feed *const *) b;
	int			order = strcmp(first->issuer, second->issuer);

	return order != 0 ? order : strcmp(ecert_kind_name(first->kind), ecert_kind_name(second->kind));
}

/* Take a feed's packages up to a seq into the tree */
static void
cover(Feed *feed, int64_t last, char **heads)
{
	for (; feed->covered <= last; feed->covered++)
	{
		size_t		number = feed->packages[feed->covered];

		/* a seq that was left out has no package to cover */
		if (number != SIZE_MAX)
			memcpy(leaves[leaf_count++], made[number].hash, ECERT_HASH_SIZE);
	}
	*heads = text_of("%s%s['%s', '%s', %" PRId64 "]", *heads, (*heads)[0] == '\0' ? "" : ", ", feed->issuer, ecert_kind_name(feed->kind), last);
}

/* A feed with packages that are under no checkpoint, and the last of them */
typedef struct Moved
{
	Feed	   *feed;
	int64_t		last;
} Moved;

/* Everything that came since the sealing before, unless a lie leaves some of it out; how many feeds */
static size_t
list_moved(Moved *moved)
{
	Feed	   *order[FEEDS_MAX];
	size_t		count = 0;

	for (size_t i = 0; i < feed_count; i++)
		order[i] = &feeds[i];
	qsort(order, feed_count, sizeof order[0], compare_feeds);
	for (size_t i = 0; i < feed_count; i++)
	{
		int64_t		last = order[i]->seq - 1;

		if (order[i]->kind == ECERT_KIND_GENESIS || order[i]->covered > last || lie(LIE_LEFT_OUT))
			continue;
		if (order[i]->covered < last && lie(LIE_LEFT_OUT_LAST) && order[i]->packages[last - 1] != SIZE_MAX)
			last--;
		moved[count++] = (Moved) {order[i], last};
	}
	return count;
}

/* The tree as the last complete sealing left it */
static void
go_back(void)
{
	leaf_count = sealed_leaves;
	for (size_t i = 0; i < feed_count; i++)
		feeds[i].covered = feeds[i].sealed;
	if (leaf_count == 0)
		memcpy(leaves[leaf_count++], genesis_hash, ECERT_HASH_SIZE);
}

/* What a checkpoint that says it is part i of n has done */
static void
follow_part(int64_t part, int64_t parts)
{
	bool		goes_on = begun == 0 ? part == 1 : part == begun + 1 && parts == begun_parts;

	begun = goes_on && part < parts ? part : 0;
	begun_parts = parts;
	if (!goes_on || begun > 0)
		return;
	complete = checkpoint_count - 1;
	sealed_leaves = leaf_count;
	for (size_t i = 0; i < feed_count; i++)
		feeds[i].sealed = feeds[i].covered;
}

/* Heads that are not as they have to be */
static void
spoil_heads(Sealed *checkpoint)
{
	if (lie(LIE_HEAD_MISSING))
		checkpoint->heads = text_of("%s, ['zz', 'energy', 0]", checkpoint->heads);
	if (lie(LIE_HEAD_GENESIS))
		checkpoint->heads = text_of("%s, ['zz', 'genesis', 0]", checkpoint->heads);
	if (lie(LIE_HEAD_TWICE))
		checkpoint->heads = text_of("%s, %s", checkpoint->heads, checkpoint->heads);
	if (lie(LIE_HEAD_ORDER))
		checkpoint->heads = text_of("['zz', 'audit', 0], %s", checkpoint->heads);
	if (checkpoint_count > 0 && lie(LIE_HEAD_AGAIN))
		checkpoint->heads = sealed[checkpoint_count - 1].heads;
}

/* ----- checkpoints ----- */

/* The signature that receipts of this size carry */
static char *
seal_text(const Sealed *checkpoint, const Pair *pair)
{
	uint8_t		seal[ECERT_SIGNATURE_MAX];
	EcertSealHeader header = {
		pair->alg, ecert_slice(pair->kid, sizeof pair->kid), ecert_slice_text(CERTIFIER->id), ecert_slice_text(origin), checkpoint->size
	};

	must(ecert_seal(&header, checkpoint->root, pair->key, seal));
	if (lie(LIE_SEAL))
		seal[9] ^= 4;
	return hex_of(seal, ecert_signature_size(pair->alg));
}

/* The key that seals */
static const Pair *
seal_pair(void)
{
	const Key  *key = &CERTIFIER->keys[below((uint64_t) CERTIFIER->key_count)];

	if (lie(LIE_SEAL_BY_STRANGER))
		return strangers_pair();
	if (lie(LIE_SEAL_BY_OLD_KEY))
		return key->pair;
	return lie(LIE_SEAL_BY_PACKAGE_KEY) ? key_in_use(CERTIFIER) : key_for(CERTIFIER, ECERT_USE_SEAL);
}

/* The list of seals: one, or the same again */
static char *
seals_text(const Sealed *checkpoint, const Pair *pair)
{
	char	   *text = text_of("{'alg': %" PRId64 ", 'kid': '%s', 'signature': '%s'}", ecert_alg_cose(pair->alg), hex_of(pair->kid, ECERT_HASH_SIZE),
							   seal_text(checkpoint, pair));

	return lie(LIE_SEAL_TWICE) ? text_of("%s, %s", text, text) : text;
}

/* The checkpoint as a note, where origin and key can have one; it is left out now and then */
static char *
note_text(const Sealed *checkpoint, const Pair *pair)
{
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer text = ecert_buffer(bytes, sizeof bytes);
	uint64_t	size = checkpoint->size + (lie(LIE_NOTE_OTHER_SIZE) ? 1 : 0);

	if (lie(LIE_NOTE))
		return strdup(", 'note': 'nothing'");
	if (one_in(6) || ecert_note_sign(&text, ecert_slice_text(origin), size, checkpoint->root, pair->key) != ECERT_OK)
		return strdup("");
	return text_of(", 'note': '%.*s'", (int) text.size, (const char *) bytes);
}

/* Sign a checkpoint over some feeds as a part of a sealing; its number */
static size_t
seal_part(const Moved *moved, size_t count, int64_t part, int64_t parts)
{
	Sealed	   *checkpoint = &sealed[checkpoint_count];
	char	   *part_text;
	char	   *root;
	const Pair *pair = seal_pair();
	size_t		number;

	checkpoint->heads = strdup("");
	for (size_t i = 0; i < count; i++)
		cover(moved[i].feed, moved[i].last, &checkpoint->heads);
	spoil_heads(checkpoint);
	checkpoint->size = leaf_count;
	checkpoint->pair = pair;
	root_of(leaves, leaf_count, checkpoint->root);
	if (lie(LIE_ROOT))
		checkpoint->root[0] ^= 1;
	if (lie(LIE_SIZE_HUGE))
		checkpoint->size = one_in(2) ? INT64_MAX : UINT64_C(1) << 62;
	if (lie(LIE_SIZE))
		checkpoint->size += 1;
	if (lie(LIE_PART_WRONG))
	{
		parts += part == parts || one_in(2);
		part += part < parts && one_in(2);
	}
	part_text = parts == 1 ? strdup("") : text_of(", 'part': [%" PRId64 ", %" PRId64 "]", part, parts);
	root = hex_of(checkpoint->root, ECERT_HASH_SIZE);
	number = say(CERTIFIER, ECERT_KIND_CHECKPOINT, origin,
				 text_of("{'size': %" PRIu64 ", 'root': '%s', 'tree': 1, 'heads': [%s]%s, 'seals': [%s]%s}", checkpoint->size, root, checkpoint->heads,
						 part_text, seals_text(checkpoint, pair), note_text(checkpoint, pair)));
	checkpoints[checkpoint_count++] = number;
	follow_part(part, parts);
	return number;
}

#define PARTS_MOST 3

/* Seal what has come, now and then in parts; the number of the newest checkpoint, SIZE_MAX when nothing has */
size_t
seal_ledger(void)
{
	Moved		moved[FEEDS_MAX];
	size_t		number = SIZE_MAX;
	size_t		parts = 1;
	size_t		count;
	bool		is_turned;

	go_back();
	count = list_moved(moved);
	if (count == 0 || checkpoint_count + PARTS_MOST > COUNT(sealed))
		return SIZE_MAX;
	if (count >= PARTS_MOST && one_in(4))
		parts = (size_t) between(2, PARTS_MOST);
	is_turned = parts > 1 && lie(LIE_PART_ORDER);
	for (size_t part = 1; part <= parts && !(part > 1 && part == parts && lie(LIE_PART_MISSING)); part++)
	{
		size_t		place = is_turned ? parts - part : part - 1;
		const Moved *first = moved + count * place / parts;

		time_stands = part > 1 && !lie(LIE_PART_TIME);
		number = seal_part(first, (size_t) (moved + count * (place + 1) / parts - first), (int64_t) part, (int64_t) parts);
	}
	time_stands = false;
	return number;
}

const char *
rest_on_checkpoint(void)
{
	size_t		newest;

	/* the newest sealing that is there covers all but itself, or another one is made */
	while (seal_ledger() != SIZE_MAX && complete == SIZE_MAX)
		;
	newest = complete == SIZE_MAX ? checkpoint_count - 1 : complete;
	if (newest > 0 && lie(LIE_REST_OLD))
		newest = below(newest);
	if (lie(LIE_REST_NONE))
		return made[below(made_count)].hex;
	if (lie(LIE_REST_LATE))
		now += 2 * 3600;
	return made[checkpoints[newest]].hex;
}

/* ----- witnesses ----- */

/* A cosignature in the witness's own name, or in another's */
static char *
cosignature_text(const Node *witness, const Sealed *checkpoint)
{
	uint8_t		text_bytes[ECERT_NOTE_MAX];
	uint8_t		line[ECERT_NOTE_LINE_MAX];
	EcertBuffer text = ecert_buffer(text_bytes, sizeof text_bytes);
	EcertBuffer cosignature = ecert_buffer(line, sizeof line);
	const Pair *pair = lie(LIE_COSIGNATURE_STRANGER) ? strangers_pair() :
		lie(LIE_COSIGNATURE_BY_PACKAGE_KEY) ? key_in_use(witness) : key_for(witness, ECERT_USE_WITNESS);
	const char *name = lie(LIE_COSIGNATURE_FOREIGN) ? "witness.example" : witness->id;

	if (lie(LIE_COSIGNATURE_JUNK))
		return strdup(", 'cosignature': 'nothing'");
	if (pair == NULL || !ecert_note_name_valid(ecert_slice_text(origin)) || !ecert_note_name_valid(ecert_slice_text(name)) || one_in(6))
		return strdup("");
	ecert_note_put_text(&text, ecert_slice_text(origin), checkpoint->size + (lie(LIE_COSIGNATURE) ? 1 : 0), checkpoint->root);
	if (ecert_note_cosign(&cosignature, ecert_slice(text.data, text.size), ecert_slice_text(name), now, pair->key) != ECERT_OK)
		return strdup("");
	/* the line without its end */
	if (lie(LIE_COSIGNATURE_TWICE))
		return text_of(", 'cosignature': '%.*s%.*s'", (int) cosignature.size, (const char *) line, (int) cosignature.size - 1, (const char *) line);
	return text_of(", 'cosignature': '%.*s'", (int) cosignature.size - (lie(LIE_COSIGNATURE_LINE_END) ? 0 : 1), (const char *) line);
}

/* Some auditor puts its name to some checkpoint */
void
witness_something(void)
{
	size_t		which = below(checkpoint_count);
	const Node *witness = &nodes[below((uint64_t) node_count)];
	const char *hash;
	char	   *root;

	if (checkpoint_count == 0 || (witness->roles & ROLE_AUDITOR) == 0 || witness->revoked)
		return;
	hash = lie(LIE_WITNESS_NONE) ? made[below(made_count)].hex : made[checkpoints[which]].hex;
	root = hex_of(sealed[which].root, ECERT_HASH_SIZE);
	if (lie(LIE_WITNESS_ROOT))
		root[0] = root[0] == '0' ? '1' : '0';
	(void) say(witness, ECERT_KIND_WITNESS, origin,
			   text_of("{'checkpoint': '%s', 'size': %" PRIu64 ", 'root': '%s'%s}", hash, sealed[which].size, root, cosignature_text(witness, &sealed[which])));
}
