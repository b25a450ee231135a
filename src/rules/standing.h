/*
 * standing.h
 *		Whether a certificate still stands, by all that is on the ledger now.  Its
 *		verdict is as of the checkpoint that it rests on and does not change; what
 *		comes later can take away what it rests on, or dispute it.
 */
#ifndef ECERT_RULES_STANDING_H
#define ECERT_RULES_STANDING_H

#include "rules/certificate.h"

typedef enum EcertStanding
{
	ECERT_STANDS,
	ECERT_STANDS_DISPUTED,		/* an audit that its checkpoint does not cover, and that counts, says fail of one of its packages */
	ECERT_STANDS_OVERTAKEN,		/* an audit under it checked a package that was replaced since */
	ECERT_STANDS_REPLACED,		/* one of its packages was replaced since */
	ECERT_STANDS_ON_VOID,		/* one of its packages or audits is void by now */
	ECERT_STANDS_UNKNOWN		/* the checkpoint that it rests on is not here */
} EcertStanding;

typedef struct EcertStood
{
	EcertStanding standing;
	const char *why;			/* in words; NULL: it stands, or that is not known */
	int64_t		since;			/* when what took it away, or disputes it, was issued; where it stands, when the certificate was */
} EcertStood;

extern const char *ecert_standing_name(EcertStanding standing);

/* Of a certificate whose body passes its schema; the gravest that there is, see the order above */
extern EcertStood ecert_certificate_standing(EcertRules *rules, const EcertPackage *certificate);

#endif							/* ECERT_RULES_STANDING_H */
