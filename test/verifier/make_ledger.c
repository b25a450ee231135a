/*
 * make_ledger.c
 *		Makes whole ledgers with the test keys, good ones and ones with one thing
 *		wrong, and prints them as COPY would.
 *
 *   make-ledger [--applicants N] [--months N] [--checkpoints N] [--heads N]
 *               [--wrong WHAT] [--order feed|back|random] [--binary] [--mixed]
 *               [--certificate] [--every-kind] [--files DIR]
 *
 * Origin "ledger.example"; "certifier"; "plant-0001" ... with energy and
 * product packages; auditors "supplier" and "buyer", which are witnesses.
 * --mixed gives every third plant an ES256 and every fourth an SM2 key.  back
 * and random put genesis last, so that no beginning of the dump is a ledger.
 * --heads says how many fit into one checkpoint; with more, it is in parts.
 * --files writes what readers keep beside: genesis hash, keys, checkpoints,
 * notes, receipts.
 */
#include "diag.h"
#include "bodies.h"
#include "testkey.h"

#include "core/body.h"
#include "core/checkpoint.h"

#include <getopt.h>
#include <inttypes.h>
#include <openssl/bn.h>
#include <sys/stat.h>

#define ORIGIN "ledger.example"
#define T0 INT64_C(1704067200)	/* 2024-01-01 */
#define MONTH INT64_C(2629800)	/* a twelfth of a year; periods need not be calendar months here */
/* when all periods are over */
#define ISSUED (T0 + (options.months < 26 ? 26 : options.months + 1) * MONTH)
#define LEVELS 4				/* of tiles: more than a ledger that fits into memory needs */

typedef struct Feed
{
	char		issuer[64];
	EcertKind	kind;
	int64_t		seq;			/* of the next package */
	int64_t		covered;		/* next seq to be covered by a checkpoint */
	uint8_t		prev[ECERT_HASH_SIZE];
	size_t	   *packages;		/* numbers, by seq */
	size_t		room;
} Feed;

typedef struct Made
{
	uint8_t    *bytes;
	size_t		size;
	uint8_t		hash[ECERT_HASH_SIZE];
	size_t		feed;
	int64_t		seq;
	uint64_t	leaf;			/* of the tree, once a checkpoint covers it */
} Made;

typedef struct Options
{
	int			applicants;
	int			months;
	int			checkpoints;
	int			heads;			/* that fit into one checkpoint */
	const char *wrong;
	const char *order;
	const char *files;
	bool		binary;
	bool		mixed;
	bool		certificate;
	bool		every_kind;
} Options;

static Options options = {3, 4, 2, 1200, "", "feed", NULL, false, false, false, false};
static Feed *feeds;
static size_t feed_count;
static Made *made;
static size_t made_count;
static size_t made_room;
static uint8_t genesis_hash[ECERT_HASH_SIZE];
static uint8_t body_bytes[DIAG_MAX];
static uint8_t out_bytes[ECERT_PACKAGE_MAX];
static uint8_t scratch_bytes[ECERT_PACKAGE_MAX + 32];

/* The tree of what checkpoints cover */
static EcertTiles tiles;
static uint8_t *levels[LEVELS];
static size_t level_bytes[LEVELS];
static size_t last_leaf_package;

/* One key is signed with many times */
static char key_node[64];
static EcertPrivateKey *key;

static bool
is_wrong(const char *what)
{
	return strcmp(options.wrong, what) == 0;
}

static void
must(EcertCode code)
{
	if (code == ECERT_OK)
		return;
	fprintf(stderr, "make-ledger: %s\n", ecert_error_text(code));
	exit(1);
}

/* Names of the test keys that are for something else than packages */
#define SEAL_KEY "certifier's seals"
#define WITNESS_KEY_ROOM 64

static const char *
witness_key(const char *node, char *name)
{
	snprintf(name, WITNESS_KEY_ROOM, "%s's cosignatures", node);
	return name;
}

static EcertAlg
alg_of(const char *node)
{
	int			number = strncmp(node, "plant-", 6) == 0 ? atoi(node + 6) : 0;

	if (strcmp(node, "certifier") == 0)
		return is_wrong("checkpoint-twin") ? ECERT_ALG_ES256 : ECERT_ALG_ED25519;
	if (strcmp(node, SEAL_KEY) == 0)
		return is_wrong("seal-high") ? ECERT_ALG_ES256 : ECERT_ALG_ED25519;
	if (is_wrong("twin") && number > 0)
		return ECERT_ALG_ES256;
	if (!options.mixed || number == 0)
		return ECERT_ALG_ED25519;
	return number % 3 == 0 ? ECERT_ALG_ES256 : number % 4 == 0 ? ECERT_ALG_SM2 : ECERT_ALG_ED25519;
}

static EcertPrivateKey *
key_of(const char *node)
{
	if (strcmp(key_node, node) != 0)
	{
		ecert_private_key_free(key);
		must(testkey_private(node, alg_of(node), &key));
		snprintf(key_node, sizeof key_node, "%s", node);
	}
	return key;
}

static char *
hex_of(const uint8_t *bytes, size_t size)
{
	char	   *text = malloc(2 * size + 1);

	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	text[2 * size] = '\0';
	return text;
}

/* n - s in the place of the s of an ES256 signature */
static void
turn_over(uint8_t *signature)
{
	BIGNUM	   *order = NULL;
	BIGNUM	   *s = BN_bin2bn(signature + 32, 32, NULL);

	(void) BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
	(void) BN_sub(s, order, s);
	(void) BN_bn2binpad(s, signature + 32, 32);
	BN_free(s);
	BN_free(order);
}

/* ----- packages ----- */

static Feed *
feed_of(const char *issuer, EcertKind kind)
{
	static size_t last = 0;

	if (last < feed_count && feeds[last].kind == kind && strcmp(feeds[last].issuer, issuer) == 0)
		return &feeds[last];
	for (size_t i = 0; i < feed_count; i++)
	{
		if (feeds[i].kind == kind && strcmp(feeds[i].issuer, issuer) == 0)
		{
			last = i;
			return &feeds[i];
		}
	}
	feeds = realloc(feeds, (feed_count + 1) * sizeof *feeds);
	memset(&feeds[feed_count], 0, sizeof *feeds);
	snprintf(feeds[feed_count].issuer, sizeof feeds->issuer, "%s", issuer);
	feeds[feed_count].kind = kind;
	memcpy(feeds[feed_count].prev, genesis_hash, ECERT_HASH_SIZE);
	last = feed_count;
	return &feeds[feed_count++];
}

static size_t
keep(const Feed *feed, EcertSlice bytes, int64_t seq)
{
	Made	   *new;

	if (made_count == made_room)
	{
		made_room = made_room == 0 ? 1024 : made_room * 2;
		made = realloc(made, made_room * sizeof *made);
	}
	new = &made[made_count];
	new->bytes = malloc(bytes.size);
	memcpy(new->bytes, bytes.data, bytes.size);
	new->size = bytes.size;
	new->feed = (size_t) (feed - feeds);
	new->seq = seq;
	must(ecert_package_hash(bytes, new->hash));
	return made_count++;
}

/* Sign a body with signer's key in the name of issuer, at its feed's end; the number of the package */
static size_t
add_bytes(const char *issuer, const char *signer, EcertKind kind, const char *subject, int64_t issued_at, EcertSlice body)
{
	Feed	   *feed = feed_of(issuer, kind);
	EcertPackage package = {0};
	EcertBuffer out = ecert_buffer(out_bytes, sizeof out_bytes);
	size_t		number;

	package.kind = kind;
	package.issuer = ecert_slice_text(issuer);
	package.subject = ecert_slice_text(subject);
	package.audience = ecert_slice_text((is_wrong("other-ledger") || is_wrong("two-stories-elsewhere")) && kind == ECERT_KIND_PRODUCT ? "another.example" : ORIGIN);
	package.issued_at = issued_at;
	package.seq = feed->seq;
	if (kind != ECERT_KIND_GENESIS)
		package.prev = ecert_slice(feed->prev, ECERT_HASH_SIZE);
	package.body = body;
	must(ecert_package_sign(&package, key_of(signer), &out, ecert_buffer(scratch_bytes, sizeof scratch_bytes)));
	/* the number of an algorithm that nobody knows yet, in the place of -19 */
	if ((is_wrong("algorithm") && kind == ECERT_KIND_ENERGY && feed->seq == 1 && strcmp(issuer, "plant-0001") == 0) ||
		(is_wrong("algorithm-checkpoint") && kind == ECERT_KIND_CHECKPOINT && feed->seq == 0))
		out_bytes[6] = 0x37;
	number = keep(feed, ecert_slice(out.data, out.size), feed->seq);
	if ((size_t) feed->seq == feed->room)
	{
		feed->room = feed->room == 0 ? 16 : feed->room * 2;
		feed->packages = realloc(feed->packages, feed->room * sizeof *feed->packages);
	}
	feed->packages[feed->seq++] = number;
	memcpy(feed->prev, made[number].hash, ECERT_HASH_SIZE);
	return number;
}

/* The same with a body in notation, which is freed */
static size_t
add(const char *issuer, EcertKind kind, const char *subject, int64_t issued_at, char *body)
{
	size_t		size = diag_encode(body, body_bytes);

	free(body);
	return add_bytes(issuer, is_wrong("package-seal") && kind == ECERT_KIND_RELATION ? SEAL_KEY : issuer, kind, subject, issued_at, ecert_slice(body_bytes, size));
}

/* ----- nodes ----- */

/* A key in a node body; until is left out when 0 */
static char *
key_text(const char *node, const char *use, int64_t until)
{
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		kid[ECERT_HASH_SIZE];
	size_t		size;
	char	   *ended = until == 0 ? diag_format("%s", "") : diag_format(", 'until': %" PRId64, until);
	char	   *text;
	char	   *kid_text;
	char	   *raw_text;

	must(ecert_private_key_public(key_of(node), raw, &size));
	must(ecert_key_thumbprint(alg_of(node), ecert_slice(raw, size), kid));
	if (is_wrong("kid") && strcmp(node, "plant-0001") == 0)
		kid[0] ^= 1;
	if (is_wrong("key-of-certifier") && strcmp(node, "buyer") == 0)
		return key_text("certifier", use, until);
	if (is_wrong("key-of-other") && strcmp(node, "plant-0002") == 0)
		return key_text("plant-0001", use, until);
	kid_text = hex_of(kid, sizeof kid);
	raw_text = hex_of(raw, size);
	text = diag_format("{'use': '%s', 'alg': %" PRId64 ", 'kid': '%s', 'public': '%s', 'effective': %" PRId64 "%s}", use, is_wrong("algorithm-key") && strcmp(node, "plant-0002") == 0 ? -49 : ecert_alg_cose(alg_of(node)),
					   kid_text, raw_text, T0, ended);
	free(kid_text);
	free(raw_text);
	free(ended);
	return text;
}

static char *
node_text(const char *node, const char *role, int64_t revoked_at, int64_t key_until)
{
	char		name[WITNESS_KEY_ROOM];
	char	   *key_part = key_text(node, "package", key_until);
	char	   *other = strcmp(node, "certifier") == 0 ? key_text(SEAL_KEY, "seal", key_until) :
		strcmp(role, "auditor") == 0 ? key_text(witness_key(node, name), "witness", key_until) : NULL;
	char	   *text = diag_format("{'node': '%s', 'roles': ['%s'], 'keys': [%s%s%s], 'status': '%s', 'effective': %" PRId64 "}", node, role,
								   key_part, other == NULL ? "" : ", ", other == NULL ? "" : other, revoked_at > 0 ? "revoked" : "active", revoked_at > 0 ? revoked_at : T0);

	free(key_part);
	free(other);
	return text;
}

static void
add_node(const char *node, const char *role)
{
	add("certifier", ECERT_KIND_NODE, node, ISSUED, node_text(node, role, 0, 0));
}

static void
add_genesis(void)
{
	char	   *node = node_text("certifier", "certifier", 0, 0);
	size_t		number = add("certifier", ECERT_KIND_GENESIS, ORIGIN, ISSUED,
							 diag_format("{'origin': '" ORIGIN "', 'name': 'Test', 'node': %s, 'policy': " POLICY "}", node));

	free(node);
	memcpy(genesis_hash, made[number].hash, ECERT_HASH_SIZE);
}

static void
add_relation(const char *auditor, const char *applicant, const char *as)
{
	add("certifier", ECERT_KIND_RELATION, applicant, ISSUED,
		diag_format("{'auditor': '%s', 'applicant': '%s', 'as': '%s', 'from': %" PRId64 "}", auditor, applicant, as, T0));
}

/* ----- energy and products ----- */

static void
plant_name(int number, char *name)
{
	sprintf(name, "plant-%04d", number % 10000);
}

static char *
energy_text(const char *plant, int month, const char *more)
{
	return diag_format("{'period': [%" PRId64 ", %" PRId64 "], 'lines': [{'source': 'electricity', 'unit': 'kWh', 'quantity': %d.%02d, "
					   "'point': '%s-1'}]%s}", T0 + month * MONTH, T0 + (month + 1) * MONTH, 100000 + month * 37, month % 100, plant, more);
}

static void
add_energy(const char *plant, int month)
{
	int			said = month != 2 ? month : is_wrong("overlap") ? 1 : is_wrong("not-over") ? 40 : month;
	int64_t		issued_at = ISSUED + (is_wrong("backwards") && month == 2 ? 0 : 60 + 60 * month);

	bool		other = is_wrong("other") && month == options.months - 1 && strcmp(plant, "plant-0001") == 0;

	add(plant, ECERT_KIND_ENERGY, plant, issued_at, energy_text(plant, said, other ? ", 'reason': 'another story'" : ""));
}

static void
add_product(const char *plant, int month)
{
	add(plant, ECERT_KIND_PRODUCT, is_wrong("subject") && month == 1 ? "plant-0002" : plant, ISSUED + 60 + 60 * month,
		diag_format("{'period': [%" PRId64 ", %" PRId64 "], 'lines': [{'product': 'cement', 'unit': 't', 'output': %d, 'qualified': %d}]}",
					T0 + month * MONTH, T0 + (month + 1) * MONTH, 500 + month, 490 + month));
}

static void
add_months(int first, int end)
{
	char		plant[16];

	for (int i = 1; i <= options.applicants; i++)
	{
		plant_name(i, plant);
		for (int month = first; month < end; month++)
			add_energy(plant, month);
		for (int month = first; month < end; month++)
			add_product(plant, month);
	}
}

/* ----- checkpoints ----- */

static EcertCode
read_tile(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t **hashes)
{
	size_t		start = (size_t) index * ECERT_TILE_BYTES;

	(void) context;
	if (level >= LEVELS || start + (size_t) width * ECERT_HASH_SIZE > level_bytes[level])
		return ECERT_TILE_MISSING;
	*hashes = levels[level] + start;
	return ECERT_OK;
}

static EcertCode
write_tile(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t *hashes)
{
	size_t		start = (size_t) index * ECERT_TILE_BYTES;
	size_t		size = (size_t) width * ECERT_HASH_SIZE;

	(void) context;
	if (level_bytes[level] < start + size)
	{
		levels[level] = realloc(levels[level], start + ECERT_TILE_BYTES);
		level_bytes[level] = start + size;
	}
	memcpy(levels[level] + start, hashes, size);
	return ECERT_OK;
}

static const EcertTileStore store = {.read = read_tile, .write = write_tile};

static int
compare_feeds(const void *a, const void *b)
{
	const Feed *first = &feeds[*(const size_t *) a];
	const Feed *second = &feeds[*(const size_t *) b];
	int			order = strcmp(first->issuer, second->issuer);

	return order != 0 ? order : strcmp(ecert_kind_name(first->kind), ecert_kind_name(second->kind));
}

static size_t *
ordered_feeds(void)
{
	size_t	   *order = malloc(feed_count * sizeof *order);

	for (size_t i = 0; i < feed_count; i++)
		order[i] = i;
	qsort(order, feed_count, sizeof *order, compare_feeds);
	return order;
}

static void
put_head(EcertBuffer *heads, const char *issuer, EcertKind kind, int64_t seq)
{
	ecert_cbor_put_head(heads, ECERT_CBOR_ARRAY, 3);
	ecert_cbor_put_text(heads, ecert_slice_text(issuer));
	ecert_cbor_put_text(heads, ecert_slice_text(ecert_kind_name(kind)));
	ecert_cbor_put_int(heads, seq);
}

/* The feeds that moved since the last checkpoint, in order, to be freed; how many */
static size_t *
moved_feeds(size_t *count)
{
	size_t	   *order = ordered_feeds();

	*count = 0;
	for (size_t i = 0; i < feed_count; i++)
	{
		if (feeds[order[i]].kind != ECERT_KIND_GENESIS && feeds[order[i]].covered < feeds[order[i]].seq)
			order[(*count)++] = order[i];
	}
	return order;
}

/* Append what is in some feeds to the tree and their heads to heads */
static void
cover(EcertBuffer *heads, const size_t *moved, uint64_t count)
{
	if (tiles.size == 0)
		must(ecert_tiles_append(&tiles, &store, genesis_hash));
	for (uint64_t i = 0; i < count; i++)
	{
		Feed	   *feed = &feeds[moved[i]];

		for (; feed->covered < feed->seq; feed->covered++)
		{
			last_leaf_package = feed->packages[feed->covered];
			made[last_leaf_package].leaf = tiles.size;
			must(ecert_tiles_append(&tiles, &store, made[last_leaf_package].hash));
		}
		put_head(heads, feed->issuer, feed->kind, feed->seq - 1);
	}
}

/* What is wrong with a checkpoint is wrong with its heads, or with what was computed of it */
static uint64_t
spoil_heads(EcertBuffer *heads, uint64_t count)
{
	if (is_wrong("head-missing"))
		put_head(heads, "zz-nobody", ECERT_KIND_ENERGY, 0);
	else if (is_wrong("head-order"))
		put_head(heads, "zz-nobody", ECERT_KIND_ENERGY, 0);
	else if (is_wrong("head-back"))
		put_head(heads, "zzz", ECERT_KIND_GENESIS, 0);
	else
		return count;
	return count + 1;
}

/* NULL: notes are signed by Ed25519 keys */
static char *
note_of(uint64_t size, const uint8_t *root)
{
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer note = ecert_buffer(bytes, sizeof bytes);

	if (alg_of(SEAL_KEY) != ECERT_ALG_ED25519)
		return NULL;
	must(ecert_note_sign(&note, ecert_slice_text(ORIGIN), size, root, key_of(is_wrong("note") ? "stranger" : SEAL_KEY)));
	return strndup((const char *) bytes, note.size);
}

/* The field seals, with one */
static void
put_seals(EcertBuffer *body, EcertAlg alg, const uint8_t *kid, const uint8_t *seal)
{
	char	   *hex = hex_of(kid, ECERT_HASH_SIZE);

	ecert_cbor_put_text(body, ecert_slice_text("seals"));
	ecert_cbor_put_head(body, ECERT_CBOR_ARRAY, 1);
	ecert_cbor_put_head(body, ECERT_CBOR_MAP, 3);
	ecert_cbor_put_text(body, ecert_slice_text("alg"));
	ecert_cbor_put_int(body, ecert_alg_cose(alg));
	ecert_cbor_put_text(body, ecert_slice_text("kid"));
	ecert_cbor_put_text(body, ecert_slice_text(hex));
	free(hex);
	hex = hex_of(seal, ecert_signature_size(alg));
	ecert_cbor_put_text(body, ecert_slice_text("signature"));
	ecert_cbor_put_text(body, ecert_slice_text(hex));
	free(hex);
}

/* A checkpoint over some feeds, part i of n; its number */
static size_t
add_part(const size_t *moved, uint64_t count, int64_t part, int64_t parts, int64_t issued_at)
{
	static uint8_t head_bytes[ECERT_PACKAGE_MAX];
	uint8_t		root[ECERT_HASH_SIZE];
	uint8_t		seal[ECERT_SIGNATURE_MAX];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		kid[ECERT_HASH_SIZE];
	const char *sealer = is_wrong("seal-package") ? "certifier" : SEAL_KEY;
	EcertAlg	alg = alg_of(sealer);
	size_t		raw_size;
	EcertBuffer heads = ecert_buffer(head_bytes, sizeof head_bytes);
	EcertBuffer body = ecert_buffer(body_bytes, sizeof body_bytes);
	uint64_t	size;
	char	   *note;
	char	   *hex;

	if (is_wrong("head-order"))
		count = spoil_heads(&heads, count);
	cover(&heads, moved, count - is_wrong("head-order"));
	if (!is_wrong("head-order"))
		count = spoil_heads(&heads, count);
	must(ecert_tiles_flush(&tiles, &store));
	must(ecert_tiles_root(&store, tiles.size, root));
	if (is_wrong("root"))
		root[5] ^= 1;
	size = tiles.size + (is_wrong("size") ? 1 : 0);
	must(ecert_private_key_public(key_of(sealer), raw, &raw_size));
	must(ecert_key_thumbprint(alg, ecert_slice(raw, raw_size), kid));
	must(ecert_seal(&(EcertSealHeader) {alg, ecert_slice(kid, sizeof kid), ecert_slice_text("certifier"), ecert_slice_text(ORIGIN), size},
					root, key_of(is_wrong("seal") ? "stranger" : sealer), seal));
	if (is_wrong("seal-high"))
		turn_over(seal);
	note = part < parts ? NULL : note_of(size, root);
	ecert_cbor_put_head(&body, ECERT_CBOR_MAP, 5 + (note != NULL) + (parts > 1));
	if (note != NULL)
	{
		ecert_cbor_put_text(&body, ecert_slice_text("note"));
		ecert_cbor_put_text(&body, ecert_slice_text(note));
	}
	if (parts > 1)
	{
		ecert_cbor_put_text(&body, ecert_slice_text("part"));
		ecert_cbor_put_head(&body, ECERT_CBOR_ARRAY, 2);
		ecert_cbor_put_int(&body, part);
		ecert_cbor_put_int(&body, parts + (part == 2 && is_wrong("part-number")));
	}
	ecert_cbor_put_text(&body, ecert_slice_text("root"));
	hex = hex_of(root, sizeof root);
	ecert_cbor_put_text(&body, ecert_slice_text(hex));
	free(hex);
	ecert_cbor_put_text(&body, ecert_slice_text("size"));
	ecert_cbor_put_int(&body, (int64_t) size);
	ecert_cbor_put_text(&body, ecert_slice_text("tree"));
	ecert_cbor_put_int(&body, 1);
	ecert_cbor_put_text(&body, ecert_slice_text("heads"));
	ecert_cbor_put_head(&body, ECERT_CBOR_ARRAY, count);
	ecert_buffer_put(&body, ecert_slice(heads.data, heads.size));
	put_seals(&body, alg, kid, seal);
	free(note);
	return add_bytes("certifier", "certifier", ECERT_KIND_CHECKPOINT, ORIGIN, issued_at, ecert_slice(body.data, body.size));
}

/* Seal everything that moved, in as many parts as it takes; the number of the last checkpoint */
static size_t
add_checkpoint(int64_t issued_at)
{
	size_t		number = 0;
	size_t		count;
	size_t	   *moved = moved_feeds(&count);
	size_t		most = (size_t) options.heads;
	size_t		parts = (count + most - 1) / most;

	for (size_t part = 1; part <= parts && !(part == 2 && is_wrong("part-missing")); part++)
		number = add_part(moved + (part - 1) * most, part < parts ? most : count - (part - 1) * most, (int64_t) part, (int64_t) parts, issued_at);
	free(moved);
	return number;
}

static EcertSlice
body_of(size_t number)
{
	return ecert_package_body_again(ecert_slice(made[number].bytes, made[number].size));
}

static void
add_witness(const char *witness, size_t checkpoint, int64_t issued_at)
{
	EcertSlice	body = body_of(checkpoint);
	EcertSlice	root = ecert_cbor_text_at(body, "root");
	char	   *hash = hex_of(made[checkpoint].hash, ECERT_HASH_SIZE);
	uint8_t		line[ECERT_NOTE_LINE_MAX];
	EcertBuffer cosignature = ecert_buffer(line, sizeof line);
	char		name[WITNESS_KEY_ROOM];
	EcertNote	note;
	EcertSlice	item;
	char	   *cosigned = NULL;
	int64_t		size = 0;

	/* a line with its key and without its end */
	if (ecert_cbor_find(body, "note", &item))
	{
		must(ecert_note_parse(ecert_cbor_text_at(body, "note"), &note, NULL));
		must(ecert_note_cosign(&cosignature, note.text, ecert_slice_text(is_wrong("outside") ? "witness.example/w1" : witness), issued_at,
							   key_of(is_wrong("cosignature") ? "stranger" : is_wrong("cosignature-package") ? witness : witness_key(witness, name))));
		cosigned = diag_format(", 'cosignature': '%.*s'", (int) cosignature.size - 1, (const char *) line);
	}
	if (ecert_cbor_find(body, "size", &item))
		(void) ecert_cbor_int(item, &size);
	if (is_wrong("witness-size"))
		size++;
	if (is_wrong("witness-checkpoint"))
		hash[0] = hash[0] == '0' ? '1' : '0';
	add(witness, ECERT_KIND_WITNESS, ORIGIN, issued_at,
		diag_format("{'checkpoint': '%s', 'size': %" PRId64 ", 'root': '%.*s'%s}", hash, size, (int) root.size, (const char *) root.data,
					cosigned == NULL ? "" : cosigned));
	free(cosigned);
	free(hash);
}

/* ----- what is wrong with a feed ----- */

/* Take a package out of what is printed */
static void
leave_out(size_t number)
{
	free(made[number].bytes);
	made[number].bytes = NULL;
}

static void
say_again(const char *issuer, EcertKind kind, int64_t seq, const char *more)
{
	Feed	   *feed = feed_of(issuer, kind);
	Feed		before = *feed;
	size_t		number = feed->packages[seq];

	feed->seq = seq;
	memcpy(feed->prev, seq == 0 ? genesis_hash : made[feed->packages[seq - 1]].hash, ECERT_HASH_SIZE);
	add(issuer, kind, issuer, ISSUED + 60 + 60 * seq, energy_text(issuer, (int) seq, more));
	feed = feed_of(issuer, kind);
	before.packages = feed->packages;
	before.room = feed->room;
	*feed = before;
	feed->packages[seq] = number;
}

/* Beside a package the one with the other signature that everybody can make of an ES256 signature */
static void
keep_twin(size_t number)
{
	size_t		twin = keep(&feeds[made[number].feed], ecert_slice(made[number].bytes, made[number].size), made[number].seq);

	turn_over(made[twin].bytes + made[twin].size - 64);
	must(ecert_package_hash(ecert_slice(made[twin].bytes, made[twin].size), made[twin].hash));
}

static void
spoil(void)
{
	Feed	   *checkpoints = feed_of("certifier", ECERT_KIND_CHECKPOINT);
	Feed	   *energy = feed_of("plant-0001", ECERT_KIND_ENERGY);

	if (is_wrong("gap"))
		leave_out(energy->packages[1]);
	if (is_wrong("lost-feed"))
		for (int64_t i = 0; i < energy->seq; i++)
			leave_out(energy->packages[i]);
	if (is_wrong("duplicate"))
		keep(energy, ecert_slice(made[energy->packages[1]].bytes, made[energy->packages[1]].size), 1);
	if (is_wrong("equivocation"))
		say_again("plant-0001", ECERT_KIND_ENERGY, 1, ", 'reason': 'another story'");
	if (is_wrong("two-stories-elsewhere"))
		say_again("plant-0001", ECERT_KIND_PRODUCT, 1, ", 'reason': 'another story'");
	if (is_wrong("twin"))
		keep_twin(energy->packages[1]);
	if (is_wrong("checkpoint-twin"))
		keep_twin(checkpoints->packages[0]);
	if (is_wrong("signature"))
		made[energy->packages[1]].bytes[made[energy->packages[1]].size - 1] ^= 1;
	if (is_wrong("malformed"))
		made[energy->packages[1]].bytes[1] ^= 1;
	if (is_wrong("no-genesis"))
		leave_out(0);
}

/* ----- the whole ---- */

static void
add_special(void)
{
	if (is_wrong("unknown-issuer"))
		add("stranger", ECERT_KIND_ENERGY, "stranger", ISSUED + 1, energy_text("stranger", 0, ""));
	if (is_wrong("not-entitled"))
		add("supplier", ECERT_KIND_ENERGY, "supplier", ISSUED + 1, energy_text("supplier", 0, ""));
	if (is_wrong("not-certifier"))
		add("supplier", ECERT_KIND_NODE, "supplier", ISSUED + 1, node_text("supplier", "certifier", 0, 0));
	if (is_wrong("stolen-key"))
	{
		size_t		size = diag_encode(energy_text("plant-0001", 300, ""), body_bytes);

		add_bytes("plant-0001", "stranger", ECERT_KIND_ENERGY, "plant-0001", ISSUED + 60 * 300, ecert_slice(body_bytes, size));
	}
	if (is_wrong("replaces"))
		add("plant-0001", ECERT_KIND_ENERGY, "plant-0001", ISSUED + 60 * 300,
			energy_text("plant-0001", 1, ", 'replaces': [" HASH_1 "], 'reason': 'meter'"));
	if (is_wrong("body"))
		add("plant-0001", ECERT_KIND_ENERGY, "plant-0001", ISSUED + 60 * 300, energy_text("plant-0001", 300, ", 'surprise': 1"));
}

/* A certificate with figures that follow from nothing on the ledger: for the command that reads one statement */
static void
add_certificate(void)
{
	add("certifier", ECERT_KIND_CERTIFICATE, "plant-0001", ISSUED + 60 + 60 * options.months,
		diag_format("{'number': 'ledger.example-2026-0001', 'issuer_name': 'Certification body', 'applicant': 'plant-0001', 'name': 'Cement works 1', "
					"'names': {'zh': '\xE4\xB8\x80\xE5\x8F\xB7\xE5\x8E\x82', 'en': 'Cement works 1'}, 'title': {'zh': '', 'en': 'Certificate of energy saved'}, "
					"'period': [%" PRId64 ", %" PRId64 "], 'baseline': [%" PRId64 ", %" PRId64 "], 'method': {'name': 'product'}, 'conventions': " CONVENTIONS ", "
					"'calendar': 'Asia/Shanghai', 'figures': " FIGURES_LIST ", 'rate': 0.0465, 'exceptions': [], 'baseline_replaced': [" HASH_1 "], 'threshold': 0.04, 'verdict': 'pass', 'valid': [%" PRId64 ", %" PRId64 "], 'policy': " HASH_1 ", "
					"'checkpoint': " HASH_2 ", 'packages': " DIGEST ", 'audits': " DIGEST "}", T0 + 12 * MONTH, T0 + 24 * MONTH, T0, T0 + 12 * MONTH, ISSUED,
					ISSUED + 36 * MONTH));
}

/* Whom a body is about, as the header has to say it; NULL: it does not say */
static char *
subject_of(EcertKind kind, EcertSlice body)
{
	EcertSlice	subject = ecert_cbor_text_at(body, kind == ECERT_KIND_NODE ? "node" : kind == ECERT_KIND_REWARD ? "auditor" : "applicant");

	if (kind == ECERT_KIND_POLICY || kind == ECERT_KIND_WITNESS)
		return strdup(ORIGIN);
	return subject.size > 0 ? strndup((const char *) subject.data, subject.size) : strdup("plant-0001");
}

/* A package of every kind with a body of the right shape that says nothing true: where fuzzing begins */
static void
add_every_kind(void)
{
	for (size_t i = 0; i < COUNT(body_shapes); i++)
	{
		EcertKind	kind = body_shapes[i].kind;
		bool		is_auditors = kind == ECERT_KIND_AUDIT || kind == ECERT_KIND_WITNESS;
		bool		is_applicants = kind == ECERT_KIND_POINT || kind == ECERT_KIND_ENERGY || kind == ECERT_KIND_PRODUCT;
		const char *issuer = is_auditors ? "supplier" : is_applicants ? "plant-0001" : "certifier";
		char	   *map = body_map_text(&body_shapes[i], true, SIZE_MAX, NULL);
		char	   *body = body_text(&body_shapes[i], map);
		EcertSlice	bytes = ecert_slice(body_bytes, diag_encode(body, body_bytes));
		char	   *subject = subject_of(kind, bytes);

		if (kind != ECERT_KIND_GENESIS && kind != ECERT_KIND_CHECKPOINT)
			add_bytes(issuer, issuer, kind, subject, ISSUED + 10000, bytes);
		free(subject);
		free(body);
		free(map);
	}
}

/* A plant's key is revoked and that is sealed; then there comes a package that says it is from before, or one from after, sealed or not */
static void
add_late(void)
{
	int64_t		revoked_at = ISSUED + 10000;

	if (!is_wrong("late") && !is_wrong("revoked") && !is_wrong("revoked-sealed"))
		return;
	add("certifier", ECERT_KIND_NODE, "plant-0001", revoked_at, node_text("plant-0001", "applicant", revoked_at, revoked_at));
	add_checkpoint(revoked_at + 10);
	add("plant-0001", ECERT_KIND_ENERGY, "plant-0001", is_wrong("late") ? revoked_at - 10 : revoked_at + 5, energy_text("plant-0001", 25, ""));
	if (!is_wrong("revoked"))
		add_checkpoint(revoked_at + 20);
}

static void
build(void)
{
	char		plant[16];
	size_t		checkpoint = 0;

	add_genesis();
	add_node("supplier", "auditor");
	add_node("buyer", "auditor");
	for (int i = 1; i <= options.applicants; i++)
	{
		plant_name(i, plant);
		add_node(plant, "applicant");
		add_relation("supplier", plant, "upstream");
	}
	for (int i = 0; i < options.checkpoints; i++)
	{
		add_months(options.months * i / options.checkpoints, options.months * (i + 1) / options.checkpoints);
		if (i == options.checkpoints - 1)
		{
			add_special();
			if (options.certificate)
				add_certificate();
			if (is_wrong("another"))
				add("plant-0001", ECERT_KIND_ENERGY, "plant-0001", ISSUED + 60 * 300, energy_text("plant-0001", 350, ""));
		}
		checkpoint = add_checkpoint(ISSUED + 60 + 60 * options.months + i);
		add_witness("supplier", checkpoint, ISSUED + 100 + 60 * options.months + i);
	}
	if (options.checkpoints == 0)
		add_months(0, options.months);
	add_late();
	if (options.every_kind)
		add_every_kind();
}

/* ----- output ----- */

static void
write_bytes(const char *name, const void *bytes, size_t size)
{
	char	   *path = diag_format("%s/%s", options.files, name);
	FILE	   *file = fopen(path, "wb");

	if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
	{
		fprintf(stderr, "make-ledger: could not write %s\n", path);
		exit(1);
	}
	free(path);
}

static void
write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

/* A receipt for a leaf, alone and in a transparent statement */
static void
write_receipt(const char *name, size_t number)
{
	uint64_t	leaf = made[number].leaf;
	static uint8_t receipt_bytes[ECERT_RECEIPT_MAX];
	static uint8_t statement_bytes[ECERT_STATEMENT_MAX];
	EcertBuffer receipt = ecert_buffer(receipt_bytes, sizeof receipt_bytes);
	EcertBuffer statement = ecert_buffer(statement_bytes, sizeof statement_bytes);
	Feed	   *checkpoints = feed_of("certifier", ECERT_KIND_CHECKPOINT);
	Made	   *checkpoint = &made[checkpoints->packages[checkpoints->seq - 1]];
	EcertPackage sealed;
	EcertPackage package;
	EcertCheckpoint stated;
	EcertSeal	seal;
	EcertSealHeader header;
	EcertProof	proof;
	char		file[64];
	char	   *hex;

	must(ecert_package_parse(ecert_slice(checkpoint->bytes, checkpoint->size), &sealed, NULL));
	must(ecert_package_parse(ecert_slice(made[number].bytes, made[number].size), &package, NULL));
	must(ecert_tiles_inclusion(&store, leaf, tiles.size, &proof));
	must(ecert_checkpoint_read(sealed.body, &stated));
	if (!ecert_checkpoint_next_seal(&stated.seals, &seal))
		must(ECERT_BODY_VALUE);
	header = ecert_checkpoint_seal_header(&sealed, &stated, &seal);
	ecert_receipt_put(&receipt, &header, ecert_slice(seal.signature, seal.size), leaf, &proof);
	ecert_statement_put(&statement, &package, ecert_slice(receipt.data, receipt.size));
	sprintf(file, "%s.receipt", name);
	write_bytes(file, receipt.data, receipt.size);
	sprintf(file, "%s.statement", name);
	write_bytes(file, statement.data, statement.size);
	hex = hex_of(statement.data, statement.size);
	sprintf(file, "%s.statement.hex", name);
	write_text(file, hex);
	free(hex);
}

static void
write_checkpoints(void)
{
	Feed	   *feed = feed_of("certifier", ECERT_KIND_CHECKPOINT);

	for (int64_t i = 0; i < feed->seq; i++)
	{
		Made	   *checkpoint = &made[feed->packages[i]];
		EcertSlice	note = ecert_cbor_text_at(body_of(feed->packages[i]), "note");
		char	   *hex = hex_of(checkpoint->bytes, checkpoint->size);
		char		name[64];

		sprintf(name, "checkpoint-%" PRId64, i);
		write_bytes(name, checkpoint->bytes, checkpoint->size);
		sprintf(name, "checkpoint-%" PRId64 ".hex", i);
		write_text(name, hex);
		sprintf(name, "note-%" PRId64, i);
		write_bytes(name, note.data, note.size);
		free(hex);
	}
}

static void
write_files(void)
{
	char		pem[TESTKEY_PEM_MAX];
	char	   *hash = hex_of(genesis_hash, sizeof genesis_hash);

	mkdir(options.files, 0777);
	write_text("genesis", hash);
	must(testkey_public_pem("certifier", ECERT_ALG_ED25519, pem));
	write_text("certifier.pem", pem);
	must(testkey_public_pem(SEAL_KEY, ECERT_ALG_ED25519, pem));
	write_text("seal.pem", pem);
	must(testkey_public_pem("stranger", ECERT_ALG_ED25519, pem));
	write_text("stranger.pem", pem);
	write_checkpoints();
	if (options.checkpoints > 0)
		write_receipt("last", last_leaf_package);
	if (options.certificate)
		write_receipt("certificate", feed_of("certifier", ECERT_KIND_CERTIFICATE)->packages[0]);
	free(hash);
}

static int
compare_made(const void *a, const void *b)
{
	const Made *first = a;
	const Made *second = b;
	int			order = compare_feeds(&first->feed, &second->feed);

	if (order == 0)
		order = (first->seq > second->seq) - (first->seq < second->seq);
	return order != 0 ? order : memcmp(first->hash, second->hash, ECERT_HASH_SIZE);
}

/* The order of rows; genesis goes last but where it is that of the feeds */
static void
put_in_order(void)
{
	bool		by_feed = strcmp(options.order, "feed") == 0;
	size_t		genesis = 0;

	qsort(made, made_count, sizeof *made, compare_made);
	for (size_t i = 0; !by_feed && i < made_count / 2; i++)
	{
		size_t		other = strcmp(options.order, "random") == 0 ? (size_t) random() % made_count : made_count - 1 - i;
		Made		aside = made[i];

		made[i] = made[other];
		made[other] = aside;
	}
	for (size_t i = 0; i < made_count; i++)
		if (memcmp(made[i].hash, genesis_hash, ECERT_HASH_SIZE) == 0)
			genesis = i;
	if (!by_feed)
	{
		Made		aside = made[genesis];

		memmove(&made[genesis], &made[genesis + 1], (made_count - genesis - 1) * sizeof *made);
		made[made_count - 1] = aside;
	}
}

static void
put_number(uint32_t number, int size)
{
	while (size-- > 0)
		putchar((int) (number >> (8 * size) & 255));
}

static void
print_rows(void)
{
	static char hex[2 * ECERT_PACKAGE_MAX];
	static const char digits[] = "0123456789abcdef";

	if (options.binary)
	{
		fwrite("PGCOPY\n\377\r\n", 1, 11, stdout);
		put_number(0, 4);
		put_number(0, 4);
	}
	for (size_t i = 0; i < made_count; i++)
	{
		if (made[i].bytes == NULL)
			continue;
		if (options.binary)
		{
			put_number(1, 2);
			put_number((uint32_t) made[i].size, 4);
			fwrite(made[i].bytes, 1, made[i].size, stdout);
			continue;
		}
		for (size_t j = 0; j < made[i].size; j++)
		{
			hex[2 * j] = digits[made[i].bytes[j] >> 4];
			hex[2 * j + 1] = digits[made[i].bytes[j] & 15];
		}
		fputs("\\\\x", stdout);
		fwrite(hex, 1, 2 * made[i].size, stdout);
		putchar('\n');
	}
	if (options.binary)
		put_number(0xFFFF, 2);
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {
		{"applicants", required_argument, NULL, 'a'}, {"months", required_argument, NULL, 'm'},
		{"checkpoints", required_argument, NULL, 'c'}, {"heads", required_argument, NULL, 'h'}, {"wrong", required_argument, NULL, 'w'},
		{"order", required_argument, NULL, 'o'}, {"files", required_argument, NULL, 'f'},
		{"binary", no_argument, NULL, 'b'}, {"mixed", no_argument, NULL, 'x'},
		{"certificate", no_argument, NULL, 'C'}, {"every-kind", no_argument, NULL, 'e'}, {NULL, 0, NULL, 0}
	};
	int			option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
	{
		switch (option)
		{
			case 'a': options.applicants = atoi(optarg); break;
			case 'm': options.months = atoi(optarg); break;
			case 'c': options.checkpoints = atoi(optarg); break;
			case 'h': options.heads = atoi(optarg); break;
			case 'w': options.wrong = optarg; break;
			case 'o': options.order = optarg; break;
			case 'f': options.files = optarg; break;
			case 'b': options.binary = true; break;
			case 'x': options.mixed = true; break;
			case 'C': options.certificate = true; break;
			case 'e': options.every_kind = true; break;
			default: return 2;
		}
	}
	build();
	if (options.files != NULL)
		write_files();
	spoil();
	put_in_order();
	print_rows();
	return fflush(stdout) == 0 ? 0 : 1;
}
