/*
 * issuer.h
 *		Who may sign what, and with which key.
 */
#ifndef ECERT_RULES_ISSUER_H
#define ECERT_RULES_ISSUER_H

#include "rules/finding.h"
#include "rules/roles.h"

/* A key as a node package lists it */
typedef struct EcertKeyFacts
{
	uint8_t		kid[ECERT_HASH_SIZE];
	EcertKeyUse use;
	EcertAlg	alg;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	int64_t		effective;		/* counts from here on */
	int64_t		until;			/* INT64_MAX while in use */
	int64_t		since;			/* seq of the first node package that lists it; -1: genesis does */
} EcertKeyFacts;

/*
 * One entry of "keys" of a body that has passed the schema check, with the
 * prepared key (NULL: not wanted).  False when it is unusable or its kid is
 * not its thumbprint
 */
extern bool ecert_key_facts(EcertSlice item, EcertKeyFacts *key, EcertPublicKey **prepared, EcertFinding *finding);

/* Does a genesis package make its own issuer the certifier of its own origin? */
extern bool ecert_check_genesis(const EcertPackage *package, EcertFinding *finding);

/* Is the body one of its kind? */
extern bool ecert_check_body(const EcertPackage *package, EcertFinding *finding);

/* The ledger that a package is for, and the subject that its kind asks for */
extern bool ecert_check_scope(const EcertPackage *package, EcertSlice origin, EcertFinding *finding);

/* May a node with these roles issue the kind?  Without any it is not enrolled */
extern bool ecert_check_entitled(const EcertPackage *package, EcertSlice origin, int roles, bool is_certifier, EcertFinding *finding);

/*
 * Is the key (NULL: the node has none of that kid) good for the package?  At
 * first admission, at the time now, what has ended by now is refused whatever
 * issued_at says; else now is INT64_MIN
 */
extern bool ecert_check_key(const EcertPackage *package, const EcertNodeFacts *node, const EcertKeyFacts *key, int64_t now,
							EcertFinding *finding);

/* What is known of an issuer */
typedef struct EcertSigner
{
	bool		is_certifier;
	EcertNodeFacts facts;		/* of its newest package */
	EcertRoleHistory history;	/* empty: it is not enrolled */
	const EcertKeyFacts *key;	/* that the package names; NULL: it has none of that kid */
} EcertSigner;

/*
 * Is the issuer of a package enrolled, entitled to its kind, and the key his and
 * good for it, by the node packages up to one of seq last, which are those that
 * are seen as of the checkpoint that covers it first?
 */
extern bool ecert_check_signer(const EcertPackage *package, EcertSlice origin, const EcertSigner *signer, int64_t last, EcertFinding *finding);

/* Is a key for a use, and in use at a time? */
static inline bool
ecert_key_counts(const EcertKeyFacts *key, EcertKeyUse use, int64_t at)
{
	return key->use == use && at >= key->effective && at <= key->until;
}

/* Does a finding of ecert_check_key() say that the key had ended? */
static inline bool
ecert_is_end(EcertFindingCode code)
{
	return code == ECERT_KEY_ENDED || code == ECERT_NODE_REVOKED;
}

#endif							/* ECERT_RULES_ISSUER_H */
