/*
 * admit.c
 *		The checks of admission, cheapest first.
 *
 * size and strict form -> body schema -> issuer, role, key -> time -> feed link
 * -> signature -> lock -> the kind's own rule (src/rules).  Nothing is locked
 * before the signature has been found right.
 */
#include "ledger/view.h"

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "package/datum.h"
#include "pg/error.h"
#include "pg/guc.h"
#include "rules/fields.h"
#include "rules/policy.h"

static EcertAdmissionHook hooks[ECERT_KIND_COUNT];
static EcertSettledHook settled_hooks[2];

/* Hash of the package whose rule was applied when it was made; NULL: none */
static const uint8_t *judged;

void
ecert_set_judged(const uint8_t *hash)
{
	judged = hash;
}

void
ecert_set_admission_hook(EcertKind kind, EcertAdmissionHook hook)
{
	hooks[kind] = hook;
}

void
ecert_add_settled_hook(EcertSettledHook hook)
{
	size_t		place = settled_hooks[0] == NULL ? 0 : 1;

	Assert(settled_hooks[place] == NULL);
	settled_hooks[place] = hook;
}

bool
ecert_settled(const EcertPackage *package, EcertSettled settled)
{
	bool		may_have_taken_up = false;

	for (size_t i = 0; i < lengthof(settled_hooks) && settled_hooks[i] != NULL; i++)
		may_have_taken_up |= settled_hooks[i] (package, settled);
	return may_have_taken_up;
}

bool
ecert_check_place(const EcertHead *head, const EcertPackage *package, const uint8_t *hash, const uint8_t *genesis_hash, EcertFinding *finding)
{
	EcertFeedEnd end = {head->seq, head->hash, head->issued_at, head->period_end};
	EcertLink	link = ecert_link_of(package, hash);

	/* words are made of a finding alone, which is seldom */
	return ecert_check_link(&end, &link, genesis_hash, false, ecert_arena_in(CurrentMemoryContext), finding) &&
		ecert_check_order(&end, &link, finding);
}

bool
ecert_node_keys_usable(const EcertPackage *package, EcertFinding *finding)
{
	EcertRegistry *trial = ecert_registry_new(CurrentMemoryContext);
	bool		good = ecert_registry_apply(trial, package, finding);

	ecert_registry_free(trial);
	return good;
}

bool
ecert_check_kind(const EcertPackage *package, bool first_admission, EcertMissing *missing, EcertFinding *finding)
{
	EcertLedgerRules *ledger;
	bool		good;

	memset(missing, 0, sizeof *missing);
	/* of energy and product packages only those that replace others have a rule */
	if (ecert_kinds[package->kind].has_periods && package->replaces_item.size == 0)
		return true;
	if (package->kind == ECERT_KIND_NODE && !ecert_node_keys_usable(package, finding))
		return false;
	ledger = ecert_ledger_rules(CurrentMemoryContext, ECERT_SEE_PRESENT, NULL);
	if (!first_admission && ecert_missing(&ledger->rules, package, false, missing))
		return true;
	good = ecert_rule_check(&ledger->rules, package, first_admission, finding);
	return good && (hooks[package->kind] == NULL || hooks[package->kind] (package, first_admission, finding));
}

/* All the rules of the package's own kind, where it is first admitted */
static void
check_rules(EcertRegistry *registry, const EcertPackage *package)
{
	EcertFinding finding;
	EcertMissing missing;

	if ((package->kind == ECERT_KIND_ENERGY && !ecert_check_coefficients(registry, package->body, &finding)) ||
		!ecert_check_kind(package, true, &missing, &finding))
		ecert_raise_finding(&finding);
}

bool
ecert_check_signature(EcertRegistry *registry, const EcertPackage *package, EcertNodeKey *key, EcertFinding *finding)
{
	static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
	EcertCode	code;

	Assert(key->facts.alg == package->alg);
	code = ecert_package_verify(package, ecert_prepared_key(registry, key), ecert_buffer(scratch, sizeof scratch));
	if (code == ECERT_OK)
		return true;
	if (code != ECERT_BAD_SIGNATURE)
		ecert_raise_crypto(code, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "could not verify the signature");
	return ECERT_FIND(finding, ECERT_SIGNATURE_WRONG, ecert_a_text(package->issuer), ecert_a_word(ecert_kind_name(package->kind)),
					  ecert_a_number(package->seq), ecert_a_hash(package->kid.data));
}

EcertNodeKey *
ecert_signed_with(EcertRegistry *registry, const EcertPackage *package)
{
	EcertNodeKey *key = ecert_node_key(ecert_registry_node(registry, package->issuer), package->kid);
	EcertFinding finding;

	return key != NULL && key->facts.alg == package->alg && ecert_check_signature(registry, package, key, &finding) ? key : NULL;
}

bool
ecert_is_sound(EcertRegistry *registry, const EcertPackage *package)
{
	EcertNodeKey *key = NULL;
	EcertFinding finding;

	return ecert_check_body(package, &finding) &&
		ecert_check_scope(package, registry->origin, &finding) &&
		ecert_check_issuer(registry, package, GetActiveSnapshot(), &key, &finding) &&
		ecert_check_signature(registry, package, key, &finding);
}

static void
verify_signature(EcertRegistry *registry, const EcertPackage *package, EcertNodeKey *key)
{
	EcertFinding finding;

	if (!ecert_check_signature(registry, package, key, &finding))
		ecert_raise_finding(&finding);
}

bool
ecert_check_clock(const EcertPackage *package, int64 now, EcertFinding *finding)
{
	return package->issued_at <= now + ecert_max_clock_skew ||
		ECERT_FIND(finding, ECERT_TIME_FUTURE, ecert_a_time(package->issued_at), ecert_a_number(ecert_max_clock_skew));
}

/* Everything about issuer, key and time that needs no look at the feed */
static EcertNodeKey *
check_origin(EcertRegistry *registry, const EcertPackage *package)
{
	EcertFinding finding;
	EcertNodeKey *key;
	int64		now = ecert_seconds(GetCurrentTimestamp());

	if (!ecert_check_scope(package, registry->origin, &finding) ||
		!ecert_check_issuer_now(registry, package, now, &key, &finding) ||
		!ecert_check_clock(package, now, &finding))
		ecert_raise_finding(&finding);
	return key;
}

/* An identical package further back in the feed is no fork */
static void
check_known(const EcertPackage *package, const uint8_t *hash)
{
	EcertLedgerRules *ledger = ecert_ledger_rules(CurrentMemoryContext, ECERT_SEE_PRESENT, NULL);
	EcertView  *view = &ledger->view;
	EcertFinding finding;
	EcertEntry	entry;

	if (!view->by_hash(view, ledger->rules.arena, hash, &entry))
		return;
	(void) ECERT_FIND(&finding, ECERT_KNOWN_ALREADY,
					  ecert_a_word(psprintf("Issuer \"%s\", %s, seq " INT64_FORMAT ", hash %s.", ecert_cstring(package->issuer),
											ecert_kind_name(package->kind), package->seq, ecert_hex(ecert_slice(hash, ECERT_HASH_SIZE)))));
	ecert_raise_finding(&finding);
}

static void
check_feed(const EcertHead *head, const EcertPackage *package, const uint8_t *hash, const uint8_t *genesis_hash)
{
	EcertFinding finding;

	if (ecert_check_place(head, package, hash, genesis_hash, &finding))
		return;
	/* a head that was kept does not know of a package that is void by now */
	if (finding.code == ECERT_PERIOD_OVERLAP)
	{
		EcertHead	fresh;

		ecert_feed_read(package->issuer, package->kind, package->seq - 1, PG_INT64_MAX, &fresh, NULL);
		if (ecert_check_place(&fresh, package, hash, genesis_hash, &finding))
			return;
	}
	if (finding.code == ECERT_SEQ_TAKEN || finding.code == ECERT_NOT_AFTER_HEAD)
		check_known(package, hash);
	ecert_raise_finding(&finding);
}

/* The first package of all: it brings the key that it is verified with */
static void
admit_genesis(const EcertRegistry *present, const EcertPackage *package)
{
	EcertRegistry *trial;
	EcertFinding finding;

	if (present->has_genesis)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_LEDGER_EXISTS),
				 errmsg("this ledger has its genesis package already"),
				 errdetail("Its origin is \"%s\".", ecert_cstring(present->origin))));
	trial = ecert_registry_new(CurrentMemoryContext);
	if (!ecert_registry_apply(trial, package, &finding) ||
		!ecert_check_keys_differ(package, ecert_arena_in(CurrentMemoryContext), &finding) ||
		!ecert_check_policy(ecert_field_item(package->body, "policy"), ecert_arena_in(CurrentMemoryContext), &finding))
		ecert_raise_finding(&finding);
	verify_signature(trial, package, check_origin(trial, package));
	ecert_registry_free(trial);
	(void) ecert_feed_lock(package->issuer, package->kind, 0);
}

/* Any other package, where it is first admitted */
static void
admit_package(EcertRegistry *registry, const EcertPackage *package, const uint8_t *hash)
{
	EcertNodeKey *key = check_origin(registry, package);
	EcertHead  *head = ecert_feed_locked(package->issuer, package->kind);
	const EcertHead *seen = head != NULL ? head : ecert_feed_left_behind(package);
	EcertHead	unlocked;

	if (seen == NULL)
	{
		ecert_feed_read(package->issuer, package->kind, package->seq - 1, PG_INT64_MAX, &unlocked, NULL);
		seen = &unlocked;
	}
	check_feed(seen, package, hash, registry->genesis_hash);
	verify_signature(registry, package, key);
	if (head == NULL)
	{
		/* what rests on a checkpoint excludes the next one until commit; whoever takes both takes this one first */
		if (ecert_kinds[package->kind].rests_on_checkpoint && ecert_feed_locked(package->issuer, ECERT_KIND_CHECKPOINT) == NULL)
			(void) ecert_feed_lock(package->issuer, ECERT_KIND_CHECKPOINT, 0);
		head = ecert_feed_lock(package->issuer, package->kind, package->seq - 1);
		/* the wait may have let the registry change */
		registry = ecert_registry_current();
		(void) check_origin(registry, package);
		check_feed(head, package, hash, registry->genesis_hash);
	}
	/* unless its rule was applied by whoever is inserting it */
	if (judged == NULL || memcmp(judged, hash, ECERT_HASH_SIZE) != 0)
		check_rules(registry, package);
	/* a rule's queries may have let the heads go */
	head = ecert_feed_locked(package->issuer, package->kind);
	if (head != NULL)
	{
		Assert(head->seq == package->seq - 1);
		ecert_head_advance(head, package, hash);
	}
}

void
ecert_admit_first(Oid ledger_relid, const EcertPackage *package, const uint8_t *hash)
{
	EcertRegistry *registry = ecert_registry_of(ledger_relid);
	EcertError	error;

	if (ecert_body_check(package->kind, package->body, &error) != ECERT_OK)
		ecert_raise(&error, "body");
	if (package->kind == ECERT_KIND_GENESIS)
		admit_genesis(registry, package);
	else if (registry->has_genesis)
		admit_package(registry, package, hash);
	else
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NO_LEDGER),
				 errmsg("this ledger has no genesis package yet"),
				 errhint("The first package of a ledger is its genesis; see ecert.create_ledger().")));
}
