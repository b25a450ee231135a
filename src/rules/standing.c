/*
 * standing.c
 *		Whether a certificate still stands; see standing.h.
 */
#include "rules/standing.h"

#include "rules/as_of.h"
#include "rules/live.h"
#include "rules/void.h"

#include <stdio.h>

/* A certificate, and what it rests on: seen as of its checkpoint, and held against what is seen now */
typedef struct Basis
{
	EcertRules *rules;
	EcertCertified certified;
	EcertApplicant *applicant;
	EcertEntry *packages;		/* that it is computed from */
	size_t		count;
	size_t		room;
	EcertAuditList audits;		/* that count over them */
	EcertAuditList later;		/* that its checkpoint does not cover */
	EcertStood	stood;
} Basis;

const char *
ecert_standing_name(EcertStanding standing)
{
	static const char *const names[] = {
		[ECERT_STANDS] = "stands",
		[ECERT_STANDS_DISPUTED] = "disputed",
		[ECERT_STANDS_OVERTAKEN] = "overtaken",
		[ECERT_STANDS_REPLACED] = "replaced",
		[ECERT_STANDS_ON_VOID] = "void",
		[ECERT_STANDS_UNKNOWN] = "not known",
	};

	return names[standing];
}

static void
list_packages(Basis *basis)
{
	const EcertPeriod windows[] = {basis->certified.baseline, basis->certified.period};

	for (size_t i = 0; i < 4; i++)
	{
		EcertLiveWalk walk = ecert_certified_begin(basis->rules, &basis->certified, ecert_declared_kinds[i / 2], windows[i % 2]);
		const EcertEntry *live;

		while ((live = ecert_live_next(&walk)) != NULL)
		{
			basis->packages = ecert_arena_grow(basis->rules->arena, basis->packages, basis->count, &basis->room, sizeof *basis->packages);
			basis->packages[basis->count++] = *live;
		}
	}
}

/* Is one of the packages among those that an audit names? */
static bool
is_over(const Basis *basis, const EcertAudit *audit)
{
	for (size_t i = 0; i < basis->count; i++)
	{
		if (ecert_ranges_contain(&audit->ranges, basis->packages[i].kind, basis->packages[i].seq))
			return true;
	}
	return false;
}

static void
list_audits(Basis *basis)
{
	size_t		count = ecert_audit_count(basis->rules, basis->applicant);
	size_t		over = 0;

	basis->audits = ecert_standing_audits(basis->rules, &basis->certified, ECERT_VERDICT_ANY);
	for (size_t i = 0; i < basis->audits.count; i++)
	{
		if (is_over(basis, basis->audits.list[i]))
			basis->audits.list[over++] = basis->audits.list[i];
	}
	basis->audits.count = over;
	basis->later = (EcertAuditList) {ecert_arena_array(basis->rules->arena, count, sizeof(EcertAudit *)), 0};
	for (size_t i = 0; i < count; i++)
	{
		EcertAudit *audit;

		if (ecert_is_seen(basis->rules, &basis->applicant->audits[i].entry))
			continue;
		audit = ecert_audit_read(basis->rules, basis->applicant, i);
		if (audit != NULL && audit->verdict == ECERT_VERDICT_FAIL && is_over(basis, audit))
			basis->later.list[basis->later.count++] = audit;
	}
}

/* energy 7 of "plant" (hash) */
static void
put_entry(EcertText *text, const EcertEntry *entry)
{
	ECERT_PUT(text, "%1 %2 of \"%3\" (%4)", ecert_a_word(ecert_kind_name(entry->kind)), ecert_a_number(entry->seq),
			  ecert_a_text(entry->issuer), ecert_a_hash(entry->hash));
}

/* "what words by"; by NULL: there is nothing more to say.  Of what is equally grave the first to come is told of */
static void
put_reason(Basis *basis, EcertStanding standing, int64_t since, const EcertEntry *what, const char *words, const EcertEntry *by)
{
	EcertStood *stood = &basis->stood;
	EcertText	text = ecert_text_in(basis->rules->arena);

	if (standing < stood->standing || (standing == stood->standing && since >= stood->since))
		return;
	put_entry(&text, what);
	ecert_text_put_string(&text, words);
	if (by != NULL)
		put_entry(&text, by);
	*stood = (EcertStood) {standing, ecert_text_string(&text), since};
}

static void
look_for_void(Basis *basis, const EcertEntry *entry)
{
	EcertEntry	said;

	if (ecert_voided_by(basis->rules, entry, &said))
		put_reason(basis, ECERT_STANDS_ON_VOID, said.issued_at, entry, " is void: its key had ended before it was issued, says ", &said);
}

static void
look_at_package(Basis *basis, const EcertEntry *entry)
{
	const EcertEntry *by;

	look_for_void(basis, entry);
	by = ecert_replacement(basis->rules, basis->applicant, entry);
	if (by != NULL)
		put_reason(basis, ECERT_STANDS_REPLACED, by->issued_at, entry, " was replaced by ", by);
}

static void
look_at_audit(Basis *basis, const EcertAudit *audit)
{
	const EcertEntry *by;

	look_for_void(basis, &audit->entry);
	by = ecert_audit_overtaken_by(basis->rules, basis->applicant, audit);
	if (by != NULL)
		put_reason(basis, ECERT_STANDS_OVERTAKEN, by->issued_at, &audit->entry, " checked a package that was replaced by ", by);
}

static void
look_at_later_audit(Basis *basis, EcertAudit *audit)
{
	char		words[96];

	if (!ecert_audit_counts(basis->rules, audit) || ecert_audit_overtaken(basis->rules, basis->applicant, audit))
		return;
	(void) snprintf(words, sizeof words, " as %s says fail, and the certificate's checkpoint does not cover it", ecert_audit_role_name(audit->role));
	put_reason(basis, ECERT_STANDS_DISPUTED, audit->entry.issued_at, &audit->entry, words, NULL);
}

EcertStood
ecert_certificate_standing(EcertRules *rules, const EcertPackage *certificate)
{
	Basis		basis = {.rules = rules, .stood = {ECERT_STANDS, NULL, certificate->issued_at}};
	EcertEntry	checkpoint;

	ecert_read_certified(certificate->body, &basis.certified);
	if (!rules->view->by_hash(rules->view, rules->arena, basis.certified.checkpoint, &checkpoint) || checkpoint.kind != ECERT_KIND_CHECKPOINT ||
		!ecert_slice_equal(checkpoint.issuer, rules->view->certifier))
		return (EcertStood) {ECERT_STANDS_UNKNOWN, NULL, certificate->issued_at};
	basis.applicant = ecert_applicant(rules, basis.certified.applicant);
	ecert_see_as_of(rules, checkpoint.seq);
	list_packages(&basis);
	list_audits(&basis);
	ecert_see_as_of(rules, ECERT_AS_OF_NOW);
	for (size_t i = 0; i < basis.count; i++)
		look_at_package(&basis, &basis.packages[i]);
	for (size_t i = 0; i < basis.audits.count; i++)
		look_at_audit(&basis, basis.audits.list[i]);
	for (size_t i = 0; i < basis.later.count; i++)
		look_at_later_audit(&basis, basis.later.list[i]);
	return basis.stood;
}
