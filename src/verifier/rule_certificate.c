/*
 * rule_certificate.c
 *		The rule of kind certificate (src/certificate): every figure as
 *		recomputed from the packages that it names, its number, validity and
 *		what it replaces, its audits, and nothing that stood against it.
 */
#include "verifier/rule_certificate.h"

#include <stdlib.h>

/* Policies are few; certificates of one applicant may name several */
#define POLICIES 16

typedef struct Policies
{
	Policy		policies[POLICIES];
	size_t		next;			/* to be dropped */
} Policies;

static void
drop_policy(Policy *policy)
{
	arena_reset(&policy->arena);
	memset(policy, 0, sizeof *policy);
}

/* The policy in the package with the hash that a certificate names; NULL when it is no policy */
static const Policy *
find_policy(Rules *rules, Policies *known, EcertSlice body)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	const Entry *entry = field_hash(body, "policy", hash) ? ledger_by_hash(rules->ledger, hash) : NULL;
	Policy	   *policy;
	EcertPackage package;

	if (entry == NULL || (entry->kind != ECERT_KIND_POLICY && entry->kind != ECERT_KIND_GENESIS))
		return NULL;
	for (size_t i = 0; i < POLICIES; i++)
	{
		if (known->policies[i].entry == entry)
			return &known->policies[i];
	}
	if (!ledger_read(rules->ledger, entry, rules->other, &package))
		return NULL;
	policy = &known->policies[known->next];
	known->next = (known->next + 1) % POLICIES;
	drop_policy(policy);
	policy->entry = entry;
	policy_read(policy, entry->kind == ECERT_KIND_GENESIS ? field_item(package.body, "policy") : package.body);
	return policy;
}

/* The parts are looked at in this order, and the first that is wrong is told of */
static void
check_certificate(Case *it, const Applicant *applicant, Policies *known)
{
	Certificate certificate;

	memset(&certificate, 0, sizeof certificate);
	certificate.it = it;
	certificate.body = arena_copy(&it->rules->arena, it->package.body);
	certificate.name = ecert_cbor_text_at(certificate.body, "applicant");
	certificate.applicant = applicant;
	(void) field_period(certificate.body, "period", &certificate.period);
	(void) field_period(certificate.body, "baseline", &certificate.baseline);
	certificate.ranges = ranges_of(&it->rules->arena, certificate.body, &certificate.range_count);
	certificate.energy_last = last_used(certificate.ranges, certificate.range_count, ECERT_KIND_ENERGY);
	certificate.product_last = last_used(certificate.ranges, certificate.range_count, ECERT_KIND_PRODUCT);
	certificate.policy = find_policy(it->rules, known, certificate.body);
	if (certificate.policy == NULL)
	{
		EcertSlice	hash = ecert_cbor_text_at(certificate.body, "policy");

		SAY(it, "the certificate names a policy that is not on the ledger (Policy %.*s.)", TEXT(hash));
		return;
	}
	(void) (check_figures(&certificate) && check_terms(&certificate) && check_named_audits(&certificate) && check_obstacles(&certificate));
}

static void
open_applicant(Rules *rules, Applicant *applicant, uint32_t id)
{
	size_t		count = 0;
	const Entry *const *audits = id == NO_ID ? NULL : of_subject(&rules->audits, id, &count);

	applicant_close(applicant);
	applicant_open(applicant, rules->ledger, id, audits, count, rules->other);
}

/* Certificates by subject, for the threads to take all of a subject at once: what belongs to an applicant is sorted once */
typedef struct Certifying
{
	const Rules *rules;
	pthread_mutex_t lock;
	size_t		next;
} Certifying;

static const Entry *const *
take_certificates(Certifying *certifying, size_t *count)
{
	const BySubject *all = &certifying->rules->certificates;
	const Entry *const *first;
	size_t		end;

	pthread_mutex_lock(&certifying->lock);
	first = (const Entry *const *) all->entries + certifying->next;
	for (end = certifying->next; end < all->count && all->entries[end]->subject == (*first)->subject; end++)
		;
	*count = end - certifying->next;
	certifying->next = end;
	pthread_mutex_unlock(&certifying->lock);
	return first;
}

/* What they are about is their subject, unless they are wrong in themselves */
static void
check_all_of(Rules *rules, const Entry *const *certificates, size_t count, Policies *known)
{
	Applicant	applicant;
	bool		is_open = false;

	memset(&applicant, 0, sizeof applicant);
	for (size_t i = 0; i < count; i++)
	{
		Case		it;
		uint32_t	id;

		rules->ledger->progress.done++;
		if (!case_open(&it, rules, certificates[i]))
			continue;
		id = field_id(rules->ledger, it.package.body, "applicant");
		if (!is_open || id != applicant.id)
			open_applicant(rules, &applicant, id);
		is_open = true;
		check_certificate(&it, &applicant, known);
	}
	applicant_close(&applicant);
}

static void
check_some(void *context)
{
	Certifying *certifying = context;
	Policies   *known = need(calloc(1, sizeof(Policies)));
	const Entry *const *certificates;
	size_t		count;
	Rules		rules;

	rules_begin(&rules, certifying->rules);
	while ((certificates = take_certificates(certifying, &count)), count > 0)
		check_all_of(&rules, certificates, count, known);
	for (size_t i = 0; i < POLICIES; i++)
		drop_policy(&known->policies[i]);
	free(known);
	rules_end(&rules);
}

void
check_certificates(const Rules *rules)
{
	Certifying	certifying = {rules, PTHREAD_MUTEX_INITIALIZER, 0};

	progress_step(rules->ledger, "certificates", rules->certificates.count, false);
	run_jobs(rules->ledger->options->jobs, check_some, &certifying);
	progress_step(rules->ledger, "rules", 0, false);
	pthread_mutex_destroy(&certifying.lock);
}
