/*
 * people.c
 *		The founding of the ledger and the life of its nodes: enrolled, keys
 *		rotated, revoked, enrolled again.
 */
#include "world.h"

/* Mostly Ed25519 */
static EcertAlg
random_alg(void)
{
	return one_in(5) ? ECERT_ALG_ES256 : one_in(6) ? ECERT_ALG_SM2 : ECERT_ALG_ED25519;
}

/* A new key pair of a random algorithm, Ed25519 where that one has run out */
static const Pair *
random_pair(void)
{
	const Pair *pair = new_pair(random_alg());

	return pair != NULL ? pair : new_pair(ECERT_ALG_ED25519);
}

/* ----- bodies of nodes ----- */

/* A key of a node package in notation; a spoilt one may be unusable */
static char *
key_text(const Key *key, bool is_spoilt)
{
	char	   *kid = hex_of(key->pair->kid, ECERT_HASH_SIZE);
	char	   *raw = hex_of(key->pair->raw, key->pair->raw_size);
	int64_t		alg = ecert_alg_cose(key->pair->alg);
	char	   *until = key->until == 0 ? strdup("") : text_of(", 'until': %" PRId64, key->until);

	/* the numbers of before mean the same, also beside a node package that has the others */
	if (one_in(8))
		alg = alg == -19 ? -8 : alg == -9 ? -7 : alg;
	if (is_spoilt && lie(LIE_KID_WRONG))
		kid[5] = kid[5] == '0' ? '1' : '0';
	if (is_spoilt && lie(LIE_KEY_INVALID))
		memset(raw + 2, one_in(2) ? '0' : 'f', 62);
	if (is_spoilt && lie(LIE_ALG_OTHER))
		alg = alg == -9 ? -65600 : alg == -8 || alg == -19 ? -9 : -19;
	return text_of("{'use': '%s', 'alg': %" PRId64 ", 'kid': '%s', 'public': '%s', 'effective': %" PRId64 "%s}", ecert_key_use_name(key->use), alg, kid, raw,
				   key->effective, until);
}

/* The names of roles in notation */
static char *
roles_text(int roles)
{
	static const char *const names[] = {"certifier", "applicant", "auditor"};
	char	   *text = strdup("");

	for (int i = 0; i < 3; i++)
	{
		if ((roles >> i & 1) != 0)
			text = text_of("%s%s'%s'", text, text[0] == '\0' ? "" : ", ", names[i]);
	}
	return text;
}

/* The keys of a node package, the last of which may be a bad one */
static char *
keys_text(const Node *node)
{
	char	   *text = strdup("");
	int			from = node->key_count > 1 && lie(LIE_KEY_LOST) ? 1 : 0;

	for (int i = from; i < node->key_count; i++)
	{
		Key			key = node->keys[i];
		bool		is_earlier = i + 1 < node->key_count;

		if (is_earlier && lie(LIE_KEY_USE))
			key.use = (key.use + 1) % ECERT_USE_COUNT;
		if (is_earlier && lie(LIE_KEY_TIMES))
			key.effective += 1;
		if (is_earlier && key.until > 0 && lie(LIE_UNTIL_LATER))
			key.until += 1;
		if (is_earlier && key.until > 0 && lie(LIE_UNTIL_GONE))
			key.until = 0;
		text = text_of("%s%s%s", text, text[0] == '\0' ? "" : ", ", key_text(&key, node != CERTIFIER && !is_earlier));
		if (node != CERTIFIER && lie(LIE_KEY_TWICE))
			text = text_of("%s, %s", text, key_text(&key, false));
	}
	return text;
}

/* The body of a node package that says a node's present state */
static char *
node_text(const Node *node)
{
	int			roles = node == CERTIFIER && node_count > 1 && lie(LIE_ROLE_GIVEN_UP) ? ROLE_AUDITOR : node->roles;
	char	   *name = node->name == NULL ? strdup("") : text_of(", 'name': '%s'", node->name);

	if (node->names != NULL)
		name = text_of("%s, 'names': %s", name, node->names);
	if (node->site != NULL || one_in(6))
		name = text_of("%s, 'attributes': {'city': 'X'%s%s}", name, node->site == NULL ? "" : ", 'site': ", node->site == NULL ? "" : node->site);

	if (node != CERTIFIER && roles != ROLE_AUDITOR && lie(LIE_ROLE_LOST))
		roles = ROLE_AUDITOR;
	return text_of("{'node': '%s'%s, 'roles': [%s], 'keys': [%s], 'status': '%s', 'effective': %" PRId64 "%s}", node->id, name, roles_text(roles),
				   keys_text(node), node->revoked ? "revoked" : "active", node->effective, node->revoked ? ", 'reason': 'moved\naway'" : "");
}

/* Publish a node's present state */
static void
say_node(const Node *node)
{
	(void) say(CERTIFIER, ECERT_KIND_NODE, node->id, node_text(node));
}

/* Give a node another key for a use */
static void
add_key(Node *node, EcertKeyUse use, const Pair *pair, int64_t effective)
{
	Key		   *key = &node->keys[node->key_count++];

	key->pair = pair;
	key->use = use;
	key->effective = effective;
	key->until = 0;
}

/* A node with its first keys */
static Node *
new_node(const char *id, int roles, const Pair *pair)
{
	static char *const names[] = {"Steel works 1", "第一水泥厂", "Mill \"North\"", "back\\slash", "two\nlines\t.", ""};
	Node	   *node = &nodes[node_count++];
	const Pair *witness = (roles & ROLE_AUDITOR) != 0 && !one_in(4) ? new_pair(ECERT_ALG_ED25519) : NULL;

	snprintf(node->id, sizeof node->id, "%s", id);
	node->roles = roles;
	node->name = one_in(3) ? NULL : PICK(names);
	node->names = one_in(3) ? "{'zh': '第一水泥厂', 'en': 'Cement works 1'}" : NULL;
	node->site = one_in(3) ? "'Mill Road 1'" : NULL;
	node->effective = now;
	add_key(node, ECERT_USE_PACKAGE, pair, now);
	if ((roles & ROLE_CERTIFIER) != 0)
		add_key(node, ECERT_USE_SEAL, random_pair(), now);
	if (witness != NULL)
		add_key(node, ECERT_USE_WITNESS, witness, now);
	return node;
}

/* ----- genesis ----- */

/* Sign the genesis package, which holds the certifier's node body and the first policy */
static void
say_genesis(Node *certifier)
{
	Policy	   *policy = &policies[0];
	char	   *policy_part = policy_text(policy, true);
	char	   *node_part = node_text(certifier);
	char	   *said_origin = origin;
	const char *subject = lie(LIE_GENESIS_SUBJECT) ? "another.example" : origin;
	size_t		number;

	if (lie(LIE_GENESIS_POLICY))
		said_origin = (char *) "another.example";
	if (lie(LIE_GENESIS_NO_ROLE))
		node_part = text_of("{'node': '%s', 'roles': ['auditor'], 'keys': [%s], 'status': 'active', 'effective': %" PRId64 "}", certifier->id,
							key_text(&certifier->keys[0], false), certifier->effective);
	if (lie(LIE_GENESIS_OTHER_NODE))
		node_part = text_of("{'node': 'somebody', 'roles': ['certifier'], 'keys': [%s], 'status': 'active', 'effective': %" PRId64 "}",
							key_text(&certifier->keys[0], false), certifier->effective);
	if (lie(LIE_GENESIS_KEY_TWICE))
		node_part = text_of("{'node': '%s', 'roles': ['certifier'], 'keys': [%s, %s], 'status': 'active', 'effective': %" PRId64 "}", certifier->id,
							key_text(&certifier->keys[0], false), key_text(&certifier->keys[0], false), certifier->effective);
	number = say(certifier, ECERT_KIND_GENESIS, subject,
				 text_of("{'origin': '%s', 'name': 'Random \"ledger\"', 'node': %s, 'policy': %s}", said_origin, node_part, policy_part));
	memcpy(genesis_hash, made[number].hash, ECERT_HASH_SIZE);
	policy->hash = made[number].hex;
	policy_count = 1;
}

/* Choose origin and certifier, and begin the ledger */
void
found_ledger(void)
{
	static const char *const origins[] = {"ledger.example", "random.example/e", "账本.example", "two words", "a+b"};
	static const char *const ids[] = {"certifier", "电网", "grid \"C\"", "c"};
	Node	   *certifier;

	snprintf(origin, sizeof origin, "%s", one_in(2) ? origins[0] : PICK(origins));
	certifier = new_node(one_in(2) ? ids[0] : PICK(ids), ROLE_CERTIFIER | (one_in(8) ? ROLE_AUDITOR : 0), random_pair());
	say_genesis(certifier);
}

/* ----- the life of a node ----- */

/* Make a node and publish it; when there is no room or key left, the last one again */
Node *
enroll(const char *id, int roles)
{
	const Pair *pair = node_count > 2 && lie(LIE_KEY_OF_OTHER) ? key_in_use(&nodes[1]) : random_pair();
	Node	   *node;

	if (pair == NULL || node_count == NODES_MAX)
		return &nodes[node_count - 1];
	node = new_node(id, roles, pair);
	say_node(node);
	/* whoever is enrolled issues afterwards */
	now++;
	return node;
}

/* End the keys in use for a use: at once, or, seldom, a little earlier or later than the package says */
static void
end_keys(Node *node, EcertKeyUse use, int64_t at)
{
	for (int i = 0; i < node->key_count; i++)
	{
		if (node->keys[i].use != use)
			continue;
		if (node->keys[i].until == 0 || (one_in(3) && node->keys[i].until > at))
			node->keys[i].until = at;
	}
}

/* Give a node a new key for one of its uses and end the old one */
void
rotate(Node *node)
{
	const Pair *pair;
	const Pair *old;
	EcertKeyUse use = node == CERTIFIER && one_in(2) ? ECERT_USE_SEAL : (node->roles & ROLE_AUDITOR) != 0 && one_in(3) ? ECERT_USE_WITNESS : ECERT_USE_PACKAGE;
	int64_t		at;

	if (node->revoked || node->key_count >= (int) COUNT(node->keys) - 1 || (pair = random_pair()) == NULL)
		return;
	/* the certifier signs with the key that it gives up, so that one ends a little later */
	at = node == CERTIFIER ? now + 8000 : now;
	old = key_in_use(node);
	end_keys(node, use, at);
	add_key(node, use, pair, at + (lie(LIE_KEY_FUTURE) ? DAY : 0));
	(void) say_with(node == CERTIFIER ? old : NULL, CERTIFIER, ECERT_KIND_NODE, node->id, node_text(node));
	now = (at > now ? at : now) + 1;
}

/* Revoke a node, now and then from a time that has passed */
void
revoke_node(Node *node)
{
	if (node->revoked || node == CERTIFIER)
		return;
	now += 10;
	node->revoked = true;
	node->effective = now - (one_in(4) ? between(0, DAY) : 0);
	if (!lie(LIE_KEY_OUTLIVES))
	{
		end_keys(node, ECERT_USE_PACKAGE, node->effective);
		end_keys(node, ECERT_USE_WITNESS, node->effective);
	}
	say_node(node);
	now++;
}

/* Has a node a key for packages without an end? */
static bool
has_key(const Node *node)
{
	for (int i = 0; i < node->key_count; i++)
	{
		if (node->keys[i].use == ECERT_USE_PACKAGE && node->keys[i].until == 0)
			return true;
	}
	return false;
}

/* Make a revoked node active again, with its old keys or a new one */
void
enroll_again(Node *node)
{
	const Pair *pair = one_in(2) ? random_pair() : NULL;

	if (!node->revoked || node->key_count == (int) COUNT(node->keys))
		return;
	now += 10;
	node->revoked = false;
	node->effective = now;
	if (pair != NULL)
	{
		end_keys(node, ECERT_USE_PACKAGE, now);
		add_key(node, ECERT_USE_PACKAGE, pair, now);
	}
	else if (!has_key(node) && (pair = random_pair()) != NULL)
		add_key(node, ECERT_USE_PACKAGE, pair, now);
	say_node(node);
	now++;
}
