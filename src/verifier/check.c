/*
 * check.c
 *		A package by itself: body, scope, issuer, key, signature; and what its
 *		kind signs beside.  In several threads, once the registry is there.
 *
 * The texts are those of ecert.problems() (src/ledger/admit.c,
 * src/registry/keys.c).
 */
#include "verifier/verifier.h"

#include <inttypes.h>

/* How many packages a thread takes at once */
#define AT_ONCE 128

/* What is left to be checked, for the threads */
typedef struct Checking
{
	Ledger	   *ledger;
	atomic_size_t next;
} Checking;

/* The subject that a kind's body asks for; of size 0 when the body does not say (status) */
static EcertSlice
subject_of(const EcertPackage *package, EcertSlice origin)
{
	switch (package->kind)
	{
		case ECERT_KIND_GENESIS:
		case ECERT_KIND_POLICY:
		case ECERT_KIND_CHECKPOINT:
		case ECERT_KIND_WITNESS:
			return origin;
		case ECERT_KIND_ENERGY:
		case ECERT_KIND_PRODUCT:
			return package->issuer;
		case ECERT_KIND_NODE:
			return ecert_cbor_text_at(package->body, "node");
		case ECERT_KIND_RELATION:
		case ECERT_KIND_AUDIT:
		case ECERT_KIND_CERTIFICATE:
			return ecert_cbor_text_at(package->body, "applicant");
		case ECERT_KIND_REWARD:
			return ecert_cbor_text_at(package->body, "auditor");
		case ECERT_KIND_STATUS:
			break;
	}
	return ecert_slice(NULL, 0);
}

static bool
check_scope(Ledger *ledger, const Entry *entry, const EcertPackage *package)
{
	EcertSlice	origin = ledger->registry.origin;
	EcertSlice	subject;

	/* a genesis package whose subject is not its origin */
	if (origin.size == 0)
		origin = package->audience;
	if (!ecert_slice_equal(package->audience, origin))
	{
		ledger_problem(ledger, entry, "package is for another ledger (It is for \"%.*s\", this ledger is \"%.*s\".)",
					   TEXT(package->audience), TEXT(origin));
		return false;
	}
	subject = subject_of(package, origin);
	if (subject.size == 0 || ecert_slice_equal(subject, package->subject))
		return true;
	ledger_problem(ledger, entry, "subject of the %s package is not the one its body is about (Subject \"%.*s\", expected \"%.*s\".)",
				   ecert_kind_name(package->kind), TEXT(package->subject), TEXT(subject));
	return false;
}

/* The role that a kind's issuer needs; the certifier's kinds are the genesis issuer's alone */
static int
role_for(EcertKind kind)
{
	switch (kind)
	{
		case ECERT_KIND_ENERGY:
		case ECERT_KIND_PRODUCT:
			return ROLE_APPLICANT;
		case ECERT_KIND_AUDIT:
		case ECERT_KIND_WITNESS:
			return ROLE_AUDITOR;
		default:
			return ROLE_CERTIFIER;
	}
}

static bool
check_entitled(Ledger *ledger, const Entry *entry, const EcertPackage *package, const Node *node)
{
	int			role = role_for(package->kind);
	const char *name = role == ROLE_CERTIFIER ? "the certifier" : role == ROLE_APPLICANT ? "applicants" : "auditors";

	if ((node->roles & role) != 0 && (role != ROLE_CERTIFIER || entry->issuer == ledger->registry.certifier))
		return true;
	ledger_problem(ledger, entry, "node \"%.*s\" may not issue packages of kind %s (Packages of kind %s are issued by %s%s.)",
				   TEXT(package->issuer), ecert_kind_name(package->kind), ecert_kind_name(package->kind), name,
				   role == ROLE_CERTIFIER ? " that made the ledger" : "");
	return false;
}

static bool
check_key_time(Ledger *ledger, const Entry *entry, const EcertPackage *package, const Node *node, const Key *key)
{
	char		issued[TIME_ROOM];
	char		time[TIME_ROOM];
	char		kid[HEX_ROOM];

	/* whole seconds: what was signed in the very second of the change stays valid */
	if (package->issued_at >= key->effective && package->issued_at <= key->until && package->issued_at <= node->revoked_at)
		return true;
	text_time(package->issued_at, issued);
	text_hash(package->kid.data, kid);
	if (package->issued_at > node->revoked_at)
		ledger_problem(ledger, entry, "node \"%.*s\" is revoked (Revoked from %s; the package says it was issued at %s.)",
					   TEXT(package->issuer), text_time(node->revoked_at, time), issued);
	else if (package->issued_at > key->until)
		ledger_problem(ledger, entry, "key of node \"%.*s\" is no longer in use (Key %s was replaced at %s; the package says it was issued at %s.)",
					   TEXT(package->issuer), kid, text_time(key->until, time), issued);
	else
		ledger_problem(ledger, entry, "key of node \"%.*s\" is not in use yet (Key %s counts from %s; the package says it was issued at %s.)",
					   TEXT(package->issuer), kid, text_time(key->effective, time), issued);
	return false;
}

/* Is the issuer known, entitled to the kind, and the key his and valid?  *key is the one that is named, even when it is not valid */
static bool
check_issuer(Ledger *ledger, Entry *entry, const EcertPackage *package, const Key **key)
{
	const Node *node = ledger->registry.nodes[entry->issuer];
	char		kid[HEX_ROOM];

	*key = NULL;
	if (node == NULL)
	{
		ledger_problem(ledger, entry, "issuer \"%.*s\" is not enrolled (No node package on the ledger \"%.*s\" introduces it.)",
					   TEXT(package->issuer), TEXT(ledger->registry.origin));
		return false;
	}
	if (!check_entitled(ledger, entry, package, node))
		return false;
	*key = registry_key(&ledger->registry, entry->issuer, package->kid, &entry->key);
	if (*key == NULL)
	{
		ledger_problem(ledger, entry, "key is not one of node \"%.*s\" (The package names key %s.)", TEXT(package->issuer),
					   text_hash(package->kid.data, kid));
		return false;
	}
	if ((*key)->alg != package->alg)
	{
		ledger_problem(ledger, entry, "algorithm %s is not the key's (Key %s of node \"%.*s\" is enrolled for %s.)",
					   ecert_alg_name(package->alg), text_hash(package->kid.data, kid), TEXT(package->issuer),
					   ecert_alg_name((*key)->alg));
		return false;
	}
	return check_key_time(ledger, entry, package, node, *key);
}

static bool
check_signature(Judge *judge, Entry *entry, const EcertPackage *package, const Key *key)
{
	EcertCode	code = ecert_package_verify(package, key->prepared, ecert_buffer(judge->scratch, sizeof judge->scratch));

	atomic_fetch_add_explicit(&judge->ledger->counts.signatures, 1, memory_order_relaxed);
	if (code == ECERT_OK)
		return true;
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
	EcertError	error;

	if (ecert_body_check(package->kind, package->body, &error) == ECERT_OK)
		return true;
	ledger_problem(ledger, entry, "body is invalid at byte %zu: %s", error.offset, ecert_error_text(error.code));
	entry->flags |= ENTRY_UNSOUND;
	return false;
}

bool
judge_package(Judge *judge, Entry *entry, const EcertPackage *package)
{
	Ledger	   *ledger = judge->ledger;
	const Key  *key;
	bool		sound = check_scope(ledger, entry, package);

	sound = check_issuer(ledger, entry, package, &key) && sound;
	if (key != NULL && key->alg == package->alg)
		sound = check_signature(judge, entry, package, key) && sound;
	if (!sound)
		entry->flags |= ENTRY_UNSOUND;
	return sound;
}

/* What a package replaces is an earlier one of its feed with the same period */
static void
check_replaced(Ledger *ledger, const Entry *entry, const EcertPackage *package)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertPeriod period;
	const Entry *replaced;

	if ((entry->kind != ECERT_KIND_ENERGY && entry->kind != ECERT_KIND_PRODUCT) ||
		!ecert_body_replaces(package, hash) || !ecert_body_period(package, &period))
		return;
	replaced = ledger_by_hash(ledger, hash);
	if (replaced == NULL || replaced->issuer != entry->issuer || replaced->kind != entry->kind || replaced->seq >= entry->seq ||
		replaced->period.start != period.start || replaced->period.end != period.end)
		ledger_problem(ledger, entry, "replaces a package that is not an earlier one of its feed with the same period");
}

static void
check_package(Judge *judge, Entry *entry)
{
	EcertPackage package;
	bool		sound;

	if (!reader_get(&judge->reader, entry, &package))
		return;
	sound = judge_body(judge->ledger, entry, &package);
	sound = judge_package(judge, entry, &package) && sound;
	if ((entry->flags & ENTRY_REPLACES) != 0)
		check_replaced(judge->ledger, entry, &package);
	if (sound && package.kind == ECERT_KIND_CHECKPOINT)
		check_seal(judge, entry, &package);
	if (sound && package.kind == ECERT_KIND_WITNESS)
		check_witness(judge, entry, &package);
}

static void
check_some(void *context)
{
	Checking   *checking = context;
	Ledger	   *ledger = checking->ledger;
	Judge	   *judge = need(calloc(1, sizeof *judge));
	size_t		first;

	judge->ledger = ledger;
	judge->reader.ledger = judge->other.ledger = ledger;
	while ((first = atomic_fetch_add(&checking->next, AT_ONCE)) < ledger->count)
	{
		size_t		end = first + AT_ONCE < ledger->count ? first + AT_ONCE : ledger->count;

		for (size_t i = first; i < end; i++)
		{
			if ((ledger->entries[i].flags & ENTRY_IN_REGISTRY) == 0)
				check_package(judge, &ledger->entries[i]);
		}
		atomic_fetch_add_explicit(&ledger->progress.done, end - first, memory_order_relaxed);
	}
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
