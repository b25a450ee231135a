/*
 * assess.h
 *		The assessment behind a certificate: per product, baseline against
 *		reporting period (ecert.assess_under()).
 */
#ifndef ECERT_VERIFIER_ASSESS_H
#define ECERT_VERIFIER_ASSESS_H

#include "verifier/applicant.h"
#include "verifier/policy.h"

/* What is assessed, and as of which seqs of the applicant's feeds */
typedef struct Question
{
	const Ledger *ledger;
	const Applicant *applicant;
	const Policy *policy;
	EcertPeriod baseline;
	EcertPeriod period;
	bool		by_value;		/* method value: by the value of the qualified output, not by the output */
	int64_t		energy_last;
	int64_t		product_last;
	size_t		total_up_to;	/* with more products than that the totals are of no use, and not computed */
	uint8_t    *buffer;			/* ECERT_PACKAGE_MAX bytes */
	Arena	   *arena;			/* of the answer */
} Question;

/* Of a product; figures as digits, NULL where they are undefined */
typedef struct Assessed
{
	EcertSlice	product;
	EcertSlice	unit;			/* size 0: none, or several */
	const char *status;
	const char *base_kgce;
	const char *base_output;
	const char *base_unit_energy;
	const char *now_kgce;
	const char *now_output;
	const char *now_unit_energy;
	const char *saving_kgce;
	const char *saving_rate;
} Assessed;

typedef struct Totals
{
	const char *status;
	const char *adjusted_base_kgce;
	const char *now_kgce;
	const char *saving_kgce;
	const char *saving_tce;
	const char *saving_rate;
	const char *structure_kgce;
	bool		passes;			/* the exact rate reaches the policy's threshold */
} Totals;

typedef enum AssessCode
{
	ASSESS_OK,
	ASSESS_UNREADABLE,			/* the spool, which was said */
	ASSESS_NO_COEFFICIENT,		/* of source and unit */
	ASSESS_BAD_LINE				/* a package's line, with line_code */
} AssessCode;

typedef struct Assessment
{
	Assessed   *products;		/* in byte order of their names */
	size_t		product_count;
	Totals		totals;
	EcertSlice	source;
	EcertSlice	unit;
	uint64_t	line;			/* from 1 */
	EcertCode	line_code;
} Assessment;

extern AssessCode assess(const Question *question, Assessment *answer);

#endif							/* ECERT_VERIFIER_ASSESS_H */
