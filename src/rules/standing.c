/*
 * standing.c
 *		Whether a certificate still stands; see standing.h.
 */
#include "rules/standing.h"

#include "rules/as_of.h"
#include "rules/live.h"
#include "rules/void.h"

#include <stdio.h>

/* A certificate's standing in the making */
typedef struct Look
{
	EcertRules *rules;
	EcertApplicant *applicant;
	EcertBasis	basis;			/* as of its checkpoint */
	EcertStood	stood;
} Look;

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

/* energy 7 of "plant" (hash) */
static void
put_entry(EcertText *text, const EcertEntry *entry)
{
	ECERT_PUT(text, "%1 %2 of \"%3\" (%4)", ecert_a_word(ecert_kind_name(entry->kind)), ecert_a_number(entry->seq),
			  ecert_a_text(entry->issuer), ecert_a_hash(entry->hash));
}

/* "what words by"; by NULL: there is nothing more to say.  Of what is equally grave the first to come is told of */
static void
put_reason(Look *look, EcertStanding standing, int64_t since, const EcertEntry *what, const char *words, const EcertEntry *by)
{
	EcertStood *stood = &look->stood;
	EcertText	text = ecert_text_in(look->rules->arena);

	if (standing < stood->standing || (standing == stood->standing && since >= stood->since))
		return;
	put_entry(&text, what);
	ecert_text_put_string(&text, words);
	if (by != NULL)
		put_entry(&text, by);
	*stood = (EcertStood) {standing, ecert_text_string(&text), since};
}

static void
look_for_void(Look *look, const EcertEntry *entry)
{
	EcertEntry	said;

	if (ecert_voided_by(look->rules, entry, &said))
		put_reason(look, ECERT_STANDS_ON_VOID, said.issued_at, entry, " is void: its key had ended before it was issued, says ", &said);
}

static void
look_at_package(Look *look, const EcertEntry *entry)
{
	const EcertEntry *by;

	look_for_void(look, entry);
	by = ecert_replacement(look->rules, look->applicant, entry);
	if (by != NULL)
		put_reason(look, ECERT_STANDS_REPLACED, by->issued_at, entry, " was replaced by ", by);
}

static void
look_at_audit(Look *look, const EcertAudit *audit)
{
	const EcertEntry *by;

	look_for_void(look, &audit->entry);
	by = ecert_audit_overtaken_by(look->rules, look->applicant, audit);
	if (by != NULL)
		put_reason(look, ECERT_STANDS_OVERTAKEN, by->issued_at, &audit->entry, " checked a package that was replaced by ", by);
}

static void
look_at_later_audit(Look *look, EcertAudit *audit)
{
	char		words[96];

	if (!ecert_audit_counts(look->rules, audit) || ecert_audit_overtaken(look->rules, look->applicant, audit))
		return;
	(void) snprintf(words, sizeof words, " as %s says fail, and the certificate's checkpoint does not cover it", ecert_audit_role_name(audit->role));
	put_reason(look, ECERT_STANDS_DISPUTED, audit->entry.issued_at, &audit->entry, words, NULL);
}

/* The failing audits of its packages that its checkpoint does not cover */
static EcertAuditList
list_later(Look *look)
{
	size_t		count = ecert_audit_count(look->rules, look->applicant);
	EcertAuditList later = {ecert_arena_array(look->rules->arena, count, sizeof(EcertAudit *)), 0};

	for (size_t i = 0; i < count; i++)
	{
		EcertAudit *audit;

		if (ecert_is_seen(look->rules, &look->applicant->audits[i].entry))
			continue;
		audit = ecert_audit_read(look->rules, look->applicant, i);
		if (audit != NULL && audit->verdict == ECERT_VERDICT_FAIL && ecert_is_over(&look->basis, audit))
			later.list[later.count++] = audit;
	}
	return later;
}

EcertStood
ecert_certificate_standing(EcertRules *rules, const EcertPackage *certificate)
{
	Look		look = {.rules = rules, .stood = {ECERT_STANDS, NULL, certificate->issued_at}};
	EcertCertified certified;
	EcertAuditList later;
	EcertEntry	checkpoint;

	ecert_read_certified(certificate->body, &certified);
	if (!rules->view->by_hash(rules->view, rules->arena, certified.checkpoint, &checkpoint) || checkpoint.kind != ECERT_KIND_CHECKPOINT ||
		!ecert_slice_equal(checkpoint.issuer, rules->view->certifier))
		return (EcertStood) {ECERT_STANDS_UNKNOWN, NULL, certificate->issued_at};
	look.applicant = ecert_applicant(rules, certified.applicant);
	ecert_see_as_of(rules, checkpoint.seq);
	look.basis = ecert_basis_of(rules, &certified);
	later = list_later(&look);
	ecert_see_as_of(rules, ECERT_AS_OF_NOW);
	for (size_t i = 0; i < look.basis.count; i++)
		look_at_package(&look, &look.basis.packages[i]);
	for (size_t i = 0; i < look.basis.audits.count; i++)
		look_at_audit(&look, look.basis.audits.list[i]);
	for (size_t i = 0; i < later.count; i++)
		look_at_later_audit(&look, later.list[i]);
	return look.stood;
}
