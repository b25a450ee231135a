/*
 * passing.c
 *		The packages of a certificate and the audits over them, and whether these
 *		cover them as its policy requires.
 */
#include "rules/certificate.h"
#include "rules/live.h"

EcertAuditList
ecert_standing_audits(EcertRules *rules, const EcertCertified *certified, EcertVerdict verdict)
{
	EcertApplicant *applicant = ecert_applicant(rules, certified->applicant);
	size_t		count = ecert_audit_count(rules, applicant);
	EcertAuditList audits = {ecert_arena_array(rules->arena, count, sizeof(EcertAudit *)), 0};

	for (size_t i = 0; i < count; i++)
	{
		EcertPeriod period = applicant->audits[i].entry.period;
		EcertAudit *audit;

		if (!ecert_periods_overlap(period, certified->period) && !ecert_periods_overlap(period, certified->baseline))
			continue;
		audit = ecert_audit_read(rules, applicant, i);
		if (audit != NULL && (verdict == ECERT_VERDICT_ANY || audit->verdict == verdict) && ecert_audit_counts(rules, audit) &&
			!ecert_audit_overtaken(rules, applicant, audit))
			audits.list[audits.count++] = audit;
	}
	return audits;
}

static void
list_packages(EcertRules *rules, const EcertCertified *certified, EcertBasis *basis)
{
	const EcertPeriod windows[] = {certified->baseline, certified->period};
	size_t		room = 0;

	for (size_t i = 0; i < 4; i++)
	{
		EcertLiveWalk walk = ecert_certified_begin(rules, certified, ecert_declared_kinds[i / 2], windows[i % 2]);
		const EcertEntry *live;

		for (; (live = ecert_live_next(&walk)) != NULL; basis->counts[i]++)
		{
			basis->packages = ecert_arena_grow(rules->arena, basis->packages, basis->count, &room, sizeof *basis->packages);
			basis->packages[basis->count++] = *live;
		}
	}
}

bool
ecert_is_over(const EcertBasis *basis, const EcertAudit *audit)
{
	for (size_t i = 0; i < basis->count; i++)
	{
		if (ecert_ranges_contain(&audit->ranges, basis->packages[i].kind, basis->packages[i].seq))
			return true;
	}
	return false;
}

EcertBasis
ecert_basis_of(EcertRules *rules, const EcertCertified *certified)
{
	EcertBasis	basis = {.audits = ecert_standing_audits(rules, certified, ECERT_VERDICT_ANY)};
	size_t		over = 0;

	list_packages(rules, certified, &basis);
	for (size_t i = 0; i < basis.audits.count; i++)
	{
		if (ecert_is_over(&basis, basis.audits.list[i]))
			basis.audits.list[over++] = basis.audits.list[i];
	}
	basis.audits.count = over;
	return basis;
}

static bool
covers(const EcertAudit *audit, EcertAuditRole role, const EcertEntry *package)
{
	return audit->role == role && ecert_period_within(package->period, audit->entry.period) &&
		ecert_ranges_contain(&audit->ranges, package->kind, package->seq);
}

/* Is an audit by the same auditor, before it in the list, over the package too */
static bool
counted_before(const EcertAuditList *audits, size_t place, EcertAuditRole role, const EcertEntry *package)
{
	for (size_t i = 0; i < place; i++)
	{
		if (covers(audits->list[i], role, package) &&
			ecert_slice_equal(audits->list[i]->entry.issuer, audits->list[place]->entry.issuer))
			return true;
	}
	return false;
}

/* Has a package audits by so many auditors in a role */
static bool
is_covered(const EcertAuditList *audits, const EcertRequired *required, const EcertEntry *package)
{
	int64_t		auditors = 0;

	for (size_t i = 0; i < audits->count && auditors < required->count; i++)
	{
		if (covers(audits->list[i], required->role, package) && !counted_before(audits, i, required->role, package))
			auditors++;
	}
	return auditors >= required->count;
}

EcertUncovered
ecert_uncovered(EcertRules *rules, const EcertCertified *certified, const EcertAuditList *audits, const EcertRequired *required, EcertKind kind)
{
	const EcertPeriod windows[] = {certified->baseline, certified->period};
	EcertUncovered uncovered = {kind, 0, {0, 0}};

	if (!ecert_role_reads(required->role, kind))
		return uncovered;
	for (size_t i = 0; i < 2; i++)
	{
		EcertLiveWalk walk = ecert_certified_begin(rules, certified, kind, windows[i]);
		const EcertEntry *live;

		while ((live = ecert_live_next(&walk)) != NULL)
		{
			if (is_covered(audits, required, live))
				continue;
			if (uncovered.count++ == 0 || live->period.start < uncovered.first.start)
				uncovered.first = live->period;
		}
	}
	return uncovered;
}
