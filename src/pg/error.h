/*
 * error.h
 *		SQLSTATEs of class EC, and the one place where a core code, or a finding
 *		of src/rules, becomes an ereport.
 */
#ifndef ECERT_PG_ERROR_H
#define ECERT_PG_ERROR_H

#include "pg/compat.h"
#include "core/error.h"
#include "rules/finding.h"

/* Those of findings are in src/rules/finding_table.h */
#define ERRCODE_EC(a, b, c) MAKE_SQLSTATE('E', 'C', a, b, c)

#define ERRCODE_ECERT_MALFORMED ERRCODE_EC('0', '0', '1')
#define ERRCODE_ECERT_TOO_LARGE ERRCODE_EC('0', '0', '2')
#define ERRCODE_ECERT_BODY_INVALID ERRCODE_EC('0', '0', '3')
#define ERRCODE_ECERT_QUANTITY_NEGATIVE ERRCODE_EC('0', '0', '4')
#define ERRCODE_ECERT_NOT_SUPPORTED ERRCODE_EC('0', '0', '6')
#define ERRCODE_ECERT_SUBJECT_WRONG ERRCODE_EC('0', '1', '7')
#define ERRCODE_ECERT_BAD_SIGNATURE ERRCODE_EC('0', '3', '0')
#define ERRCODE_ECERT_COEFFICIENT_UNKNOWN ERRCODE_EC('0', '4', '2')
#define ERRCODE_ECERT_OBSTACLE ERRCODE_EC('0', '6', '2')
#define ERRCODE_ECERT_NO_LEDGER ERRCODE_EC('0', '9', '0')
#define ERRCODE_ECERT_LEDGER_EXISTS ERRCODE_EC('0', '9', '1')
#define ERRCODE_ECERT_APPEND_ONLY ERRCODE_EC('0', '9', '2')
#define ERRCODE_ECERT_NODE_NOT_SET ERRCODE_EC('0', '9', '3')
#define ERRCODE_ECERT_SIGNING_KEY ERRCODE_EC('0', '9', '4')
#define ERRCODE_ECERT_PUBLIC_KEY ERRCODE_EC('0', '9', '5')
#define ERRCODE_ECERT_NUMBER ERRCODE_EC('0', '9', '7')
#define ERRCODE_ECERT_UNCONFIRMED ERRCODE_EC('0', '9', '9')
#define ERRCODE_ECERT_CHECKPOINT ERRCODE_EC('1', '0', '0')
#define ERRCODE_ECERT_NOT_SEALED ERRCODE_EC('1', '0', '2')
#define ERRCODE_ECERT_NO_TREE ERRCODE_EC('1', '0', '3')
#define ERRCODE_ECERT_PEER ERRCODE_EC('1', '1', '3')

/* Raise the error of a refused package or body; "what" is "package" or "body" */
ECERT_NORETURN extern void ecert_raise(const EcertError *error, const char *what);

/* The code's text as a sentence, for a DETAIL; palloc'd */
extern char *ecert_sentence(EcertCode code);

/* Raise for a crypto code that is no fault of a package */
ECERT_NORETURN extern void ecert_raise_crypto(EcertCode code, int sqlstate, const char *message);

/* Message and detail of a finding in one, as verification lists it; in the current memory context */
extern const char *ecert_finding_words(const EcertFinding *finding);

/* Raise what a rule has found */
ECERT_NORETURN extern void ecert_raise_finding(const EcertFinding *finding);

#endif							/* ECERT_PG_ERROR_H */
