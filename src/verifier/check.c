/*
 * check.c
 *		A package by itself: body, scope, issuer, key, signature; and what its
 *		kind signs beside.  In several threads, once the registry is there.
 */
#include "verifier/verifier.h"

#include <inttypes.h>

#include "rules/as_of.h"

/* How many packages a thread takes at once */
#define AT_ONCE 128

/* What is left to be checked, for the threads */
typedef struct Checking
{
	Ledger	   *ledger;
	atomic_size_t next;
} Checking;

/* The ledger that it is for; a genesis package whose subject is not its origin leaves none */
static EcertSlice
origin_of(const Ledger *ledger, const EcertPackage *package)
{
	return ledger->registry.origin.size == 0 ? package->audience : ledger->registry.origin;
}

/* What is known of an issuer and the key that its package names */
static EcertSigner
signer_of(const Registry *registry, const Entry *entry, const Key *key)
{
	const Node *node = registry->nodes[entry->issuer];
	EcertSigner signer = {.is_certifier = entry->issuer == registry->certifier, .key = key == NULL ? NULL : &key->facts};

	if (node == NULL)
		return signer;
	signer.facts = node->facts;
	signer.history = node->history;
	return signer;
}

/*
 * Is the issuer known, entitled to the kind, and the key his and valid?  *key is
 * the one that is named, even when it is not valid.  The certifier's packages are
 * judged by all that is known; others are as of the checkpoint that covers them,
 * when that is known
 */
static bool
check_issuer(Judge *judge, Entry *entry, const EcertPackage *package, const Key **key, EcertFinding *finding)
{
	const Registry *registry = &judge->ledger->registry;
	EcertSigner signer;

	*key = node_key(registry->nodes[entry->issuer], package->kid.data);
	if (*key != NULL)
		entry->key = (*key)->number;
	signer = signer_of(registry, entry, *key);
	if (ecert_check_signer(package, registry->origin, &signer, INT64_MAX, finding))
		return true;
	if (signer.is_certifier)
		return false;
	entry->flags |= ecert_is_end(finding->code) ? ENTRY_ENDED : ENTRY_ISSUER;
	return true;
}

/* Is a sound witness's line in its own name?  That one was verified; another's is by a key that is not known here */
static bool
is_own_cosignature(const EcertPackage *package, EcertSlice line)
{
	static const char dash[] = "\xe2\x80\x94 ";
	size_t		start = sizeof dash - 1;
	size_t		end = start + package->issuer.size;

	return line.size > end && line.data[end] == ' ' &&
		ecert_slice_equal(ecert_slice(line.data + start, package->issuer.size), package->issuer);
}

static void
count_cosignature(Ledger *ledger, const EcertPackage *package)
{
	EcertSlice	line = ecert_cbor_text_at(package->body, "cosignature");

	if (line.size > 0)
		atomic_fetch_add(is_own_cosignature(package, line) ? &ledger->counts.cosignatures : &ledger->counts.foreign_cosignatures, 1);
}

static bool
check_signature(Judge *judge, Entry *entry, const EcertPackage *package, const Key *key)
{
	EcertCode	code = ecert_package_verify(package, key->prepared, ecert_buffer(judge->scratch, sizeof judge->scratch));

	atomic_fetch_add_explicit(&judge->ledger->counts.signatures, 1, memory_order_relaxed);
	if (code == ECERT_OK)
	{
		entry->flags |= ENTRY_SIGNED;
		return true;
	}
	entry->flags |= ENTRY_CHANGED;
	if (code == ECERT_BAD_SIGNATURE)
		ledger_problem(judge->ledger, entry, "signature of the package is wrong");
	else
		ledger_error(judge->ledger, "a signature could not be verified: %s", ecert_error_text(code));
	return false;
}

bool
judge_body(Ledger *ledger, Entry *entry, const EcertPackage *package)
{
	EcertFinding finding;
	Arena		arena = {0};

	if (ecert_check_body(package, &finding))
		return true;
	ledger_finding(ledger, entry, &finding, &arena);
	arena_reset(&arena);
	entry->flags |= ENTRY_UNSOUND;
	return false;
}

bool
judge_package(Judge *judge, Entry *entry, const EcertPackage *package)
{
	EcertFinding finding;
	Arena		arena = {0};
	const Key  *key = NULL;
	bool		sound = ecert_check_scope(package, origin_of(judge->ledger, package), &finding);

	if (!sound)
		ledger_finding(judge->ledger, entry, &finding, &arena);
	/* of an unknown algorithm nothing is known of the signature */
	if ((entry->flags & ENTRY_BEYOND) != 0)
		sound = false;
	else if (!check_issuer(judge, entry, package, &key, &finding))
	{
		sound = false;
		ledger_finding(judge->ledger, entry, &finding, &arena);
	}
	if (key != NULL && key->facts.alg == package->alg)
		sound = check_signature(judge, entry, package, key) && sound;
	if (!sound)
		entry->flags |= ENTRY_UNSOUND;
	arena_reset(&arena);
	return sound;
}

/* What checkpoints and witnesses sign beside their packages needs no other package's rule, so all threads judge it */
static void
check_seal(Judge *judge, Entry *entry, const EcertPackage *package)
{
	arena_reset(&judge->rules->arena);
	if (!ledger_rule(judge->rules, judge->ledger, entry, package) && package->kind == ECERT_KIND_WITNESS)
		entry->flags |= ENTRY_UNSOUND;	/* its lines are not exported */
	else if (package->kind == ECERT_KIND_WITNESS)
		count_cosignature(judge->ledger, package);
}

static void
check_package(Judge *judge, Entry *entry)
{
	EcertPackage package;
	bool		is_readable;

	if (!reader_get(&judge->reader, entry, &package))
		return;
	is_readable = judge_body(judge->ledger, entry, &package);
	(void) judge_package(judge, entry, &package);
	if (is_readable && (package.kind == ECERT_KIND_CHECKPOINT || package.kind == ECERT_KIND_WITNESS))
		check_seal(judge, entry, &package);
}

static void
check_some(void *context)
{
	Checking   *checking = context;
	Ledger	   *ledger = checking->ledger;
	Judge	   *judge = need(calloc(1, sizeof *judge));
	size_t		first;

	judge->ledger = ledger;
	judge->reader.ledger = ledger;
	judge->rules = ledger_rules_new(ledger, NULL);
	while ((first = atomic_fetch_add(&checking->next, AT_ONCE)) < ledger->count)
	{
		size_t		end = first + AT_ONCE < ledger->count ? first + AT_ONCE : ledger->count;

		for (size_t i = first; i < end; i++)
		{
			if ((ledger->entries[i].flags & ENTRY_IN_REGISTRY) == 0)
				check_package(judge, &ledger->entries[i]);
		}
		atomic_fetch_add_explicit(&ledger->done, end - first, memory_order_relaxed);
	}
	ledger_rules_free(judge->rules);
	free(judge);
}

void
check_packages(Ledger *ledger)
{
	Checking	checking;

	checking.ledger = ledger;
	atomic_init(&checking.next, 0);
	progress_step(ledger, "verifying", ledger->count, false);
	run_jobs(ledger->options->jobs, check_some, &checking);
}

/* A pass through what can be wrong with issuers as of the checkpoints */
typedef struct IssuerPass
{
	Judge	   *judge;
	int64_t	   *seen;			/* by the place of a checkpoint in its feed: the last package of the certifier's node feed that is seen as of it */
	uint64_t	void_count;
} IssuerPass;

/* How far the certifier's node feed is seen as of each checkpoint */
static void
list_seen(IssuerPass *pass)
{
	const Ledger *ledger = pass->judge->ledger;
	const Feed *nodes = ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_NODE);
	uint32_t	checkpoints = ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_CHECKPOINT)->count;
	uint32_t	next = 0;

	pass->seen = need(calloc((size_t) checkpoints + 1, sizeof *pass->seen));
	for (uint32_t i = 0; i < checkpoints; i++)
	{
		while (next < nodes->count && nodes->entries[next].sealed <= i)
			next++;
		pass->seen[i] = next == 0 ? -1 : nodes->entries[next - 1].seq;
	}
}

/* Is nothing in the way of a package that is right by all that is known, without a look at it? */
static bool
was_right(const Registry *registry, const Entry *entry, int64_t last)
{
	const Node *node = registry->nodes[entry->issuer];
	EcertRoleHistory history;

	if ((entry->flags & (ENTRY_ENDED | ENTRY_ISSUER)) != 0 || node == NULL || entry->key == NO_KEY || registry->keys[entry->key]->facts.since > last)
		return false;
	history = ecert_roles_until(node->history, last);
	return (ecert_roles_at(&history, entry->issued_at) & ecert_kinds[entry->kind].issuer_role) != 0;
}

/* Judge issuer and key of a package as of the checkpoint that covers it first; what is void is no problem there */
static void
judge_issuer(IssuerPass *pass, Entry *entry)
{
	Ledger	   *ledger = pass->judge->ledger;
	int64_t		last = entry->sealed == NOT_SEALED ? INT64_MAX : pass->seen[entry->sealed];
	EcertPackage package;
	EcertFinding finding;
	EcertSigner signer;
	Arena		arena = {0};

	if (was_right(&ledger->registry, entry, last) || !reader_get(&pass->judge->reader, entry, &package))
		return;
	signer = signer_of(&ledger->registry, entry, node_key(ledger->registry.nodes[entry->issuer], package.kid.data));
	entry->flags &= (uint16_t) ~(ENTRY_ENDED | ENTRY_ISSUER);
	if (ecert_check_signer(&package, ledger->registry.origin, &signer, last, &finding))
		return;
	if (ecert_is_end(finding.code) && entry->sealed != NOT_SEALED)
	{
		entry->flags |= ENTRY_ENDED;
		pass->void_count++;
		return;
	}
	entry->flags |= ENTRY_UNSOUND;
	ledger_finding(ledger, entry, &finding, &arena);
	arena_reset(&arena);
}

/* Of a package that is issued later than the checkpoint that covers it allows: what is wrong with it, unless its body is */
static void
say_from_future(Judge *judge, const Entry *entry, const EcertFinding *finding)
{
	EcertPackage package;
	EcertFinding of_body;
	Arena		arena = {0};

	if (reader_get(&judge->reader, entry, &package) && ecert_check_body(&package, &of_body))
		ledger_finding(judge->ledger, entry, finding, &arena);
	arena_reset(&arena);
}

void
check_seal_times(Ledger *ledger)
{
	const Feed *checkpoints = ledger_feed(ledger, ledger->registry.certifier, ECERT_KIND_CHECKPOINT);
	Judge	   *judge = need(calloc(1, sizeof *judge));
	EcertFinding finding;

	judge->reader.ledger = judge->ledger = ledger;
	for (Entry *entry = ledger->entries; entry < ledger->entries + ledger->count; entry++)
	{
		if (entry->sealed == NOT_SEALED || entry->kind == ECERT_KIND_GENESIS ||
			ecert_check_seal_time(entry->kind, entry->issued_at, checkpoints->entries[entry->sealed].issued_at, &finding))
			continue;
		entry->flags |= ENTRY_FALSE;
		say_from_future(judge, entry, &finding);
	}
	free(judge);
}

void
check_issuers(Ledger *ledger)
{
	IssuerPass	pass = {.judge = need(calloc(1, sizeof *pass.judge))};

	pass.judge->reader.ledger = pass.judge->ledger = ledger;
	list_seen(&pass);
	for (Entry *entry = ledger->entries; entry < ledger->entries + ledger->count; entry++)
	{
		if (entry->issuer != ledger->registry.certifier && (entry->flags & (ENTRY_IN_REGISTRY | ENTRY_BEYOND)) == 0)
			judge_issuer(&pass, entry);
	}
	if (pass.void_count > 0)
		ledger_warning(ledger, NULL, "packages that are void, because their key had ended before they were issued: %" PRIu64, pass.void_count);
	free(pass.seen);
	free(pass.judge);
}
