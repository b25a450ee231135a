/*
 * reference.c
 *		What a package names that must be on the ledger before it can be judged,
 *		and the keys under which it waits and is woken.
 */
#include "rules/fields.h"
#include "rules/rules.h"

typedef struct Search
{
	EcertRules *rules;
	const EcertPackage *package;
	bool		whole;			/* look for all that is missing, not only for the first that will come */
	EcertMissing *found;
} Search;

/* Something is not here.  True when there is no need to look further */
static bool
note_missing(Search *search, EcertText *key, EcertSlice issuer, EcertKind kind)
{
	EcertView  *view = search->rules->view;
	bool		is_held = view->holds(view, issuer, kind);

	if (!is_held)
		search->found->all_held = false;
	if (search->found->key == NULL || (is_held && !search->found->is_held))
	{
		search->found->key = ecert_text_string(key);
		search->found->is_held = is_held;
	}
	return is_held && !search->whole;
}

static void
put_place(EcertText *key, EcertKind kind, int64_t seq, EcertSlice issuer)
{
	ECERT_PUT(key, "%1 %2 of %3", ecert_a_word(ecert_kind_name(kind)), ecert_a_number(seq), ecert_a_text(issuer));
}

static void
put_relation(EcertText *key, EcertSlice auditor, EcertSlice applicant, EcertSlice as)
{
	ECERT_PUT(key, "relation of %1 to %2 as %3", ecert_a_text(auditor), ecert_a_text(applicant), ecert_a_text(as));
}

static bool
miss_place(Search *search, EcertSlice issuer, EcertKind kind, int64_t seq)
{
	EcertText	key = ecert_text_in(search->rules->arena);
	EcertView  *view = search->rules->view;
	EcertEntry	entry;

	if (view->by_seq(view, search->rules->arena, issuer, kind, seq, &entry))
		return false;
	put_place(&key, kind, seq, issuer);
	return note_missing(search, &key, issuer, kind);
}

static bool
miss_hash(Search *search, const EcertReference *reference, EcertSlice hex)
{
	EcertText	key = ecert_text_in(search->rules->arena);
	EcertView  *view = search->rules->view;
	EcertSlice	issuer = {NULL, 0};
	EcertEntry	entry;
	uint8_t		hash[ECERT_HASH_SIZE];

	/* genesis is a policy too */
	if (!ecert_hex_to_hash(hex, hash) || memcmp(hash, view->genesis_hash, sizeof hash) == 0 ||
		view->by_hash(view, search->rules->arena, hash, &entry))
		return false;
	if (reference->issuer == ECERT_BY_CERTIFIER)
		issuer = view->certifier;
	else if (reference->issuer == ECERT_BY_AUDITOR)
		issuer = ecert_cbor_text_at(search->package->body, "auditor");
	ECERT_PUT(&key, "%1 %2", ecert_a_word(ecert_kind_name(reference->kind)), ecert_a_text(hex));
	return note_missing(search, &key, issuer, reference->kind);
}

/* What rests on a checkpoint is judged by all that it covers */
static bool
miss_checkpoint(Search *search, const EcertReference *reference, EcertSlice hex)
{
	EcertText	key = ecert_text_in(search->rules->arena);
	EcertView  *view = search->rules->view;
	EcertEntry	entry;
	uint8_t		hash[ECERT_HASH_SIZE];

	if (miss_hash(search, reference, hex))
		return true;
	if (search->whole || view->taken_up == NULL || !ecert_hex_to_hash(hex, hash) || !view->by_hash(view, search->rules->arena, hash, &entry) ||
		entry.kind != ECERT_KIND_CHECKPOINT || entry.seq <= view->taken_up(view))
		return false;
	ECERT_PUT(&key, "sealing %1", ecert_a_number(entry.seq));
	return note_missing(search, &key, entry.issuer, entry.kind);
}

/* A feed that is sent here is here as far as the checkpoint reaches that names its head */
static bool
miss_feed(Search *search, const EcertReference *reference)
{
	EcertText	key = ecert_text_in(search->rules->arena);
	EcertView  *view = search->rules->view;
	EcertSlice	issuer = reference->field == NULL ? ecert_slice(NULL, 0) : ecert_cbor_text_at(search->package->body, reference->field);

	if (view->holds == NULL || view->holds(view, issuer, reference->kind))
		return false;
	ECERT_PUT(&key, "%1 of %2", ecert_a_word(ecert_kind_name(reference->kind)), ecert_a_text(issuer));
	return note_missing(search, &key, issuer, reference->kind);
}

static bool
miss_ranges(Search *search, const EcertReference *reference)
{
	EcertRanges ranges = ecert_ranges_of(search->rules->arena, search->package->body, reference->field);
	EcertSlice	applicant = ecert_cbor_text_at(search->package->body, "applicant");

	for (size_t i = 0; i < ranges.count; i++)
	{
		if (miss_place(search, applicant, ranges.list[i].kind, ranges.list[i].last))
			return true;
	}
	return false;
}

static bool
miss_key_of(Search *search, EcertSlice node)
{
	EcertText	key = ecert_text_in(search->rules->arena);

	ECERT_PUT(&key, "key of %1", ecert_a_text(node));
	return note_missing(search, &key, search->rules->view->certifier, ECERT_KIND_NODE);
}

static bool
miss_role(Search *search, const EcertReference *reference)
{
	EcertSlice	node = ecert_cbor_text_at(search->package->body, reference->field);

	return (ecert_node_roles(search->rules, node, search->package->issued_at) & reference->role) == 0 && miss_key_of(search, node);
}

static bool
miss_seal_keys(Search *search, const EcertReference *reference)
{
	EcertView  *view = search->rules->view;
	uint64_t	count;
	EcertCursor seals = ecert_cbor_items_at(search->package->body, reference->field, &count);
	const EcertPublicKey *prepared;
	EcertKeyFacts key;
	uint8_t		kid[ECERT_HASH_SIZE];

	while (count-- > 0)
	{
		if (ecert_field_hash(ecert_cbor_skip(&seals), "kid", kid) &&
			!view->key(view, view->certifier, ecert_slice(kid, sizeof kid), &key, &prepared))
			return miss_key_of(search, view->certifier);
	}
	return false;
}

/* A line in another's name is by a key that is not known here */
static bool
miss_witness_key(Search *search, const EcertReference *reference)
{
	EcertView  *view = search->rules->view;
	EcertSlice	issuer = search->package->issuer;
	EcertNoteSignature signature;
	EcertKeyFacts key;

	if (!ecert_cosignature_read(ecert_cbor_text_at(search->package->body, reference->field), search->rules->arena, &signature) ||
		!ecert_slice_equal(signature.name, issuer))
		return false;
	for (size_t i = 0; view->key_at(view, issuer, i, &key); i++)
	{
		if (key.alg == ECERT_ALG_ED25519 && ecert_note_names_cosigner(&signature, ecert_slice(key.raw, 32)))
			return false;
	}
	return miss_key_of(search, issuer);
}

static bool
miss_relation(Search *search, const EcertReference *reference)
{
	const EcertPackage *package = search->package;
	EcertText	key = ecert_text_in(search->rules->arena);
	EcertSlice	applicant = ecert_cbor_text_at(package->body, "applicant");
	EcertSlice	as = ecert_cbor_text_at(package->body, reference->field);

	if (ecert_slice_equal(package->issuer, applicant) ||
		ecert_was_related(search->rules, package->issuer, applicant, as, package->issued_at, package->issued_at))
		return false;
	put_relation(&key, package->issuer, applicant, as);
	return note_missing(search, &key, search->rules->view->certifier, ECERT_KIND_RELATION);
}

/* Look for what one field names; true when there is no need to look further */
static bool
miss_reference(Search *search, const EcertReference *reference)
{
	switch (reference->type)
	{
		case ECERT_NAMES_HASH:
			return miss_hash(search, reference, ecert_cbor_text_at(search->package->body, reference->field));
		case ECERT_RESTS_ON_CHECKPOINT:
			return miss_checkpoint(search, reference, ecert_cbor_text_at(search->package->body, reference->field));
		case ECERT_RESTS_ON_FEED:
			return miss_feed(search, reference);
		case ECERT_NAMES_RANGES:
			return miss_ranges(search, reference);
		case ECERT_NAMES_ROLE:
			return miss_role(search, reference);
		case ECERT_NAMES_SEAL_KEYS:
			return miss_seal_keys(search, reference);
		case ECERT_NAMES_WITNESS_KEY:
			return miss_witness_key(search, reference);
		case ECERT_NAMES_RELATION:
			return miss_relation(search, reference);
		case ECERT_NAMES_NOTHING:
			break;
	}
	return false;
}

bool
ecert_missing(EcertRules *rules, const EcertPackage *package, bool whole, EcertMissing *missing)
{
	Search		search = {rules, package, whole, missing};
	const EcertReference *names = ecert_kinds[package->kind].names;

	memset(missing, 0, sizeof *missing);
	missing->all_held = true;
	for (size_t i = 0; i < ECERT_REFERENCES && names[i].type != ECERT_NAMES_NOTHING; i++)
	{
		if (miss_reference(&search, &names[i]))
			break;
	}
	return missing->key != NULL;
}

const char *
ecert_place_key(EcertKind kind, int64_t seq, EcertSlice issuer, EcertArena *arena)
{
	EcertText	key = ecert_text_in(arena);

	put_place(&key, kind, seq, issuer);
	return ecert_text_string(&key);
}

size_t
ecert_wake_keys(const EcertPackage *package, const uint8_t *hash, EcertArena *arena, const char **keys)
{
	EcertText	other = ecert_text_in(arena);

	keys[0] = ecert_place_key(package->kind, package->seq, package->issuer, arena);
	if (package->kind == ECERT_KIND_NODE)
		ECERT_PUT(&other, "key of %1", ecert_a_text(package->subject));
	else if (package->kind == ECERT_KIND_RELATION)
		put_relation(&other, ecert_cbor_text_at(package->body, "auditor"), package->subject, ecert_cbor_text_at(package->body, "as"));
	else if (ecert_kinds[package->kind].is_woken_by_hash)
		ECERT_PUT(&other, "%1 %2", ecert_a_word(ecert_kind_name(package->kind)), ecert_a_hash(hash));
	keys[1] = ecert_text_string(&other);
	return other.size > 0 ? 2 : 1;
}
