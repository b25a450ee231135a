/*
 * rule_certificate.h
 *		A certificate under check, and its parts: figures, terms, audits and
 *		obstacles, each in a file of its own.
 */
#ifndef ECERT_VERIFIER_RULE_CERTIFICATE_H
#define ECERT_VERIFIER_RULE_CERTIFICATE_H

#include "verifier/applicant.h"
#include "verifier/document.h"
#include "verifier/policy.h"
#include "verifier/rules.h"

typedef struct Certificate
{
	Case	   *it;
	EcertSlice	body;			/* a copy: the buffers are needed for what it rests on */
	EcertSlice	name;			/* the applicant's id */
	const Applicant *applicant;
	const Policy *policy;
	EcertPeriod period;
	EcertPeriod baseline;
	Range	   *ranges;
	size_t		range_count;
	int64_t		energy_last;	/* state of the feeds that it was computed at */
	int64_t		product_last;
} Certificate;

/* False when a problem was told, or when nothing more can be read */
extern bool check_figures(const Certificate *certificate);
extern bool check_terms(const Certificate *certificate);
extern bool check_named_audits(const Certificate *certificate);
extern bool check_obstacles(const Certificate *certificate);

/* Both sides of a difference as "Stated ..., <computed> ...", PostgreSQL's jsonb text; at most that many characters, 0: all */
extern const char *difference_text(const Certificate *certificate, const Difference *difference, const char *computed, size_t most);

#endif							/* ECERT_VERIFIER_RULE_CERTIFICATE_H */
