/*
 * package.c
 *		Keys, feeds, and signing packages, rightly or wrongly.
 */
#include "world.h"

#define ED25519_PAIRS 22
#define ES256_PAIRS 4
#define SM2_PAIRS 3
#define PAIRS (ED25519_PAIRS + ES256_PAIRS + SM2_PAIRS)

char		origin[ORIGIN_ROOM];
int64_t		now = FIRST_ISSUE;
bool		time_stands;
Node		nodes[NODES_MAX];
int			node_count;
Made		made[MADE_MAX];
size_t		made_count;
Feed		feeds[FEEDS_MAX];
size_t		feed_count;
uint8_t		genesis_hash[ECERT_HASH_SIZE];

static Pair pairs[PAIRS];
static bool is_taken[PAIRS];
static uint8_t body_bytes[DIAG_MAX];

/* End the program when something fails that cannot */
void
must(EcertCode code)
{
	if (code == ECERT_OK)
		return;
	fprintf(stderr, "random-ledger: %s\n", ecert_error_text(code));
	exit(2);
}

/* Bytes as lower-case hexadecimal digits */
char *
hex_of(const uint8_t *bytes, size_t size)
{
	char	   *text = malloc(2 * size + 1);

	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	text[2 * size] = '\0';
	return text;
}

/* ----- keys ----- */

/* The last Ed25519 pair is the stranger's, whom nobody enrolls */
void
load_keys(void)
{
	for (int i = 0; i < PAIRS; i++)
	{
		Pair	   *pair = &pairs[i];
		char		name[32];

		pair->alg = i < ED25519_PAIRS ? ECERT_ALG_ED25519 : i < ED25519_PAIRS + ES256_PAIRS ? ECERT_ALG_ES256 : ECERT_ALG_SM2;
		snprintf(name, sizeof name, "random-%d", i);
		must(testkey_private(name, pair->alg, &pair->key));
		must(ecert_private_key_public(pair->key, pair->raw, &pair->raw_size));
		must(ecert_key_thumbprint(pair->alg, ecert_slice(pair->raw, pair->raw_size), pair->kid));
	}
	is_taken[ED25519_PAIRS - 1] = true;
}

/* A key that no node has */
const Pair *
strangers_pair(void)
{
	return &pairs[ED25519_PAIRS - 1];
}

/* A key pair of an algorithm that no node of this ledger has yet; NULL when all are taken */
const Pair *
new_pair(EcertAlg alg)
{
	for (int i = 0; i < PAIRS; i++)
	{
		if (pairs[i].alg == alg && !is_taken[i])
		{
			is_taken[i] = true;
			return &pairs[i];
		}
	}
	return NULL;
}

/* The node's key for a use, without an end; where all have ended the last; NULL: it has none */
const Pair *
key_for(const Node *node, EcertKeyUse use)
{
	const Pair *last = NULL;

	for (int i = 0; i < node->key_count; i++)
	{
		if (node->keys[i].use != use)
			continue;
		last = node->keys[i].pair;
		if (node->keys[i].until == 0)
			break;
	}
	return last;
}

const Pair *
key_in_use(const Node *node)
{
	return key_for(node, ECERT_USE_PACKAGE);
}

/* ----- feeds ----- */

/* The feed of an issuer and kind, made when it is new */
Feed *
feed_of(const char *issuer, EcertKind kind)
{
	Feed	   *feed;

	for (size_t i = 0; i < feed_count; i++)
	{
		if (feeds[i].kind == kind && strcmp(feeds[i].issuer, issuer) == 0)
			return &feeds[i];
	}
	if (feed_count == FEEDS_MAX)
		must(ECERT_NO_SPACE);
	feed = &feeds[feed_count++];
	snprintf(feed->issuer, sizeof feed->issuer, "%s", issuer);
	feed->kind = kind;
	memcpy(feed->prev, genesis_hash, ECERT_HASH_SIZE);
	for (size_t i = 0; i < COUNT(feed->packages); i++)
		feed->packages[i] = SIZE_MAX;
	return feed;
}

/* The bytes of a package */
EcertSlice
bytes_of(const Made *package)
{
	return ecert_slice(package->bytes, package->size);
}

/* Take a signed package into the list of what was made */
Made *
keep(const Node *issuer, EcertKind kind, EcertSlice bytes, int64_t seq, int64_t issued_at, const Pair *pair)
{
	Made	   *package = &made[made_count];
	char	   *hex;

	if (made_count == MADE_MAX)
		must(ECERT_NO_SPACE);
	made_count++;
	package->bytes = malloc(bytes.size);
	memcpy(package->bytes, bytes.data, bytes.size);
	package->size = bytes.size;
	must(ecert_package_hash(bytes, package->hash));
	hex = hex_of(package->hash, ECERT_HASH_SIZE);
	memcpy(package->hex, hex, HEX_ROOM);
	free(hex);
	package->issuer = issuer;
	package->kind = kind;
	package->seq = seq;
	package->issued_at = issued_at;
	package->pair = pair;
	return package;
}

/* ----- signing ----- */

/* What is signed: the fields of a package, as they are to be */
typedef struct Draft
{
	const Node *issuer;
	EcertKind	kind;
	const char *name;			/* issuer as it is written */
	const char *subject;
	const char *audience;
	int64_t		seq;
	int64_t		issued_at;
	const Pair *pair;
	const uint8_t *prev;
} Draft;

/* Sign a draft with that body */
static Made *
sign(const Draft *draft, const char *body)
{
	static uint8_t out_bytes[ECERT_PACKAGE_MAX];
	static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
	EcertBuffer out = ecert_buffer(out_bytes, sizeof out_bytes);
	EcertPackage package = {0};

	package.kind = draft->kind;
	package.issuer = ecert_slice_text(draft->name);
	package.subject = ecert_slice_text(draft->subject);
	package.audience = ecert_slice_text(draft->audience);
	package.issued_at = draft->issued_at;
	package.seq = draft->seq;
	if (draft->kind != ECERT_KIND_GENESIS)
		package.prev = ecert_slice(draft->prev, ECERT_HASH_SIZE);
	package.body = ecert_slice(body_bytes, diag_encode(body, body_bytes));
	must(ecert_package_sign(&package, draft->pair->key, &out, ecert_buffer(scratch, sizeof scratch)));
	return keep(draft->issuer, draft->kind, ecert_slice(out.data, out.size), draft->seq, draft->issued_at, draft->pair);
}

/* A body says nothing that its kind does not know */
static char *
extended(char *body)
{
	const char *end = lie(LIE_UNKNOWN_FIELD) ? ", 'surprise': 1}" : NULL;
	char	   *text;

	if (end == NULL)
		return body;
	text = text_of("%.*s%s", (int) strlen(body) - 1, body, end);
	free(body);
	return text;
}

/* Time passes; now and then a package is issued in the very second of the one before */
static void
pass_time(const Feed *feed, Draft *draft)
{
	/* what rests on a checkpoint comes soon behind it */
	now += time_stands || one_in(8) ? 0 : between(1, draft->kind == ECERT_KIND_CERTIFICATE || draft->kind == ECERT_KIND_STATUS || draft->kind == ECERT_KIND_REWARD ? 600 : 7200);
	draft->issued_at = now > feed->issued_at ? now : feed->issued_at;
	if (draft->kind == ECERT_KIND_GENESIS)
		return;
	if (feed->seq > 0 && lie(LIE_ISSUED_BACK))
		draft->issued_at = feed->issued_at - between(1, 100);
	else if (lie(LIE_FROM_FUTURE))
		draft->issued_at = now + 30 * YEAR;
	else if (feed->seq == 0 && lie(LIE_BEFORE_ENROLLED))
		draft->issued_at = FIRST_ISSUE - YEAR;
	else if (feed->seq == 0 && lie(LIE_ISSUED_AT_ZERO))
		draft->issued_at = one_in(2) ? 0 : ECERT_TIME_MAX;
}

/* What may be wrong with the header of any package */
static void
spoil(Draft *draft)
{
	static uint8_t other_prev[ECERT_HASH_SIZE];

	if (draft->kind == ECERT_KIND_GENESIS)
		return;
	if (lie(LIE_SKIP_SEQ))
		draft->seq += between(1, 3);
	if (lie(LIE_OTHER_PREV))
	{
		memcpy(other_prev, made[below(made_count)].hash, ECERT_HASH_SIZE);
		other_prev[3] ^= one_in(2) ? 1 : 0;
		draft->prev = other_prev;
	}
	if (lie(LIE_OTHER_AUDIENCE))
		draft->audience = "another.example";
	if (lie(LIE_OTHER_SUBJECT))
		draft->subject = one_in(2) ? nodes[below((uint64_t) node_count)].id : "nobody";
	if (lie(LIE_STRANGERS_KEY))
		draft->pair = strangers_pair();
	if (draft->issuer->key_count > 1 && lie(LIE_OLD_KEY))
		draft->pair = draft->issuer->keys[below((uint64_t) draft->issuer->key_count)].pair;
	if (key_for(draft->issuer, ECERT_USE_SEAL) != NULL && lie(LIE_PACKAGE_BY_SEAL_KEY))
		draft->pair = key_for(draft->issuer, ECERT_USE_SEAL);
	if (lie(LIE_NOT_ENTITLED))
	{
		draft->issuer = &nodes[below((uint64_t) node_count)];
		draft->name = draft->issuer->id;
		draft->pair = key_in_use(draft->issuer);
	}
	if (lie(LIE_UNKNOWN_ISSUER))
		draft->name = "stranger";
}

/* Another package with the same seq; which of the two the feed goes on from is open */
static void
tell_again(Feed *feed, Draft draft, const char *body)
{
	Made	   *other;

	draft.issued_at += 1;
	other = sign(&draft, body);
	if (one_in(2))
	{
		memcpy(feed->prev, other->hash, ECERT_HASH_SIZE);
		feed->packages[feed->seq - 1] = made_count - 1;
	}
}

/* The last package that a feed can have, and maybe the one before it */
static void
jump_ahead(Draft draft, const char *body)
{
	draft.seq = INT64_MAX;
	(void) sign(&draft, body);
	draft.seq = INT64_MAX - 1;
	if (one_in(2))
		(void) sign(&draft, body);
}

/* Sign the next package of a feed with the issuer's key in use */
size_t
say(const Node *issuer, EcertKind kind, const char *subject, char *body)
{
	return say_with(NULL, issuer, kind, subject, body);
}

/* Sign the next package of a feed, rightly unless a lie is due, and move the feed on */
size_t
say_with(const Pair *pair, const Node *issuer, EcertKind kind, const char *subject, char *body)
{
	Feed	   *feed = feed_of(issuer->id, kind);
	Draft		draft = {issuer, kind, issuer->id, subject, origin, 0, 0, pair != NULL ? pair : key_in_use(issuer), NULL};
	uint8_t		prev[ECERT_HASH_SIZE];
	size_t		number = made_count;

	pass_time(feed, &draft);
	memcpy(prev, feed->prev, sizeof prev);
	draft.seq = feed->seq;
	draft.prev = prev;
	spoil(&draft);
	body = extended(body);
	if (strcmp(draft.name, issuer->id) != 0)
	{
		/* in another feed, and the package it was to be comes all the same */
		Draft		wrong = draft;
		const Feed *other = feed_of(draft.name, kind);

		wrong.seq = other->seq;
		wrong.prev = other->prev;
		wrong.issued_at = now;
		(void) sign(&wrong, body);
		draft = (Draft) {issuer, kind, issuer->id, subject, origin, feed->seq, draft.issued_at, pair != NULL ? pair : key_in_use(issuer), prev};
		number = made_count;
	}
	(void) sign(&draft, body);
	memcpy(feed->prev, made[number].hash, ECERT_HASH_SIZE);
	feed->seq = draft.seq + 1;
	feed->issued_at = draft.issued_at;
	if ((size_t) feed->seq > COUNT(feed->packages))
		must(ECERT_NO_SPACE);
	feed->packages[draft.seq] = number;
	if (kind != ECERT_KIND_GENESIS && lie(LIE_TWO_STORIES))
		tell_again(feed, draft, body);
	if (kind != ECERT_KIND_GENESIS && lie(LIE_HUGE_SEQ))
		jump_ahead(draft, body);
	free(body);
	return number;
}
