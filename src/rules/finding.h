/*
 * finding.h
 *		What a rule has to say against a package, as a value: a code and its
 *		arguments.  One table has the SQLSTATE, message, detail and hint of every
 *		code; the server raises findings or lists them, ecert-verify prints them.
 */
#ifndef ECERT_RULES_FINDING_H
#define ECERT_RULES_FINDING_H

#include "rules/text.h"

typedef enum EcertFindingCode
{
	ECERT_SOUND = 0,			/* there is nothing against the package */

	/* the package by itself: its form, its ledger, its subject */
	ECERT_BODY_INVALID,
	ECERT_OTHER_LEDGER,
	ECERT_SUBJECT_WRONG,
	ECERT_GENESIS_STRANGE,
	ECERT_SIGNATURE_WRONG,

	/* issuer and key */
	ECERT_ISSUER_UNKNOWN,
	ECERT_ISSUER_NOT_ENTITLED,
	ECERT_KEY_UNKNOWN,
	ECERT_ALGORITHM_WRONG,
	ECERT_NODE_REVOKED,
	ECERT_KEY_ENDED,
	ECERT_KEY_NOT_YET,
	ECERT_TIME_FUTURE,

	/* place in the feed */
	ECERT_KNOWN_ALREADY,
	ECERT_SEQ_TAKEN,
	ECERT_SEQ_GAP,
	ECERT_FIRST_OF_OTHER_LEDGER,
	ECERT_NOT_AFTER_HEAD,
	ECERT_TIME_BACKWARDS,
	ECERT_PERIOD_OVERLAP,
	ECERT_REPLACED_MISSING,
	ECERT_REPLACED_OF_OTHER_FEED,
	ECERT_REPLACED_ALREADY,
	ECERT_REPLACED_OTHER_PERIOD,

	/* node, relation */
	ECERT_KEY_UNUSABLE,
	ECERT_KEY_HISTORY,
	ECERT_KEY_TWICE,
	ECERT_CERTIFIER_ROLE,
	ECERT_SELF_AUDIT,
	ECERT_RELATION_PERIOD,
	ECERT_NOT_ENROLLED,

	/* policy */
	ECERT_COEFFICIENT_TWICE,
	ECERT_UNIT_TWICE,
	ECERT_UNIT_TWO_WAYS,
	ECERT_UNIT_FACTOR,
	ECERT_ROLE_TWICE,

	/* audit */
	ECERT_NOT_RELATED,
	ECERT_AUDITED_WRONG,
	ECERT_AUDITED_ALREADY,

	/* certificate */
	ECERT_CERTIFICATE_LIVE,
	ECERT_POLICY_MISSING,
	ECERT_POLICY_NOT_IN_FORCE,
	ECERT_FIGURE_DIFFERS,
	ECERT_TERM_DIFFERS,
	ECERT_AUDIT_UNFIT,
	ECERT_AUDITS_LACKING,
	ECERT_OBSTACLE,
	ECERT_NAME_DIFFERS,
	ECERT_COEFFICIENT_UNKNOWN,
	ECERT_COEFFICIENT_NOT_IN_FORCE,
	ECERT_LINE_UNREADABLE,
	ECERT_NUMBER_TOO_LARGE,

	/* status */
	ECERT_CERTIFICATE_MISSING,
	ECERT_STATUS_SUBJECT,
	ECERT_REPLACEMENT_MISSING,
	ECERT_STATUS_UNCHANGED,
	ECERT_OTHER_CERTIFICATE_LIVE,

	/* reward */
	ECERT_REWARD_NO_AUDIT,
	ECERT_REWARD_ABSTENTION,
	ECERT_REWARD_AMOUNT,
	ECERT_REWARDED_ALREADY,

	/* checkpoint, witness */
	ECERT_CHECKPOINT_FAULT,
	ECERT_CHECKPOINT_SIZE,
	ECERT_WITNESS_NO_CHECKPOINT,
	ECERT_WITNESS_OTHER_ROOT,
	ECERT_WITNESS_COSIGNATURE,

	/* from peers: what waits or was refused where it came */
	ECERT_PACKAGE_MALFORMED,
	ECERT_PACKAGE_TOO_LARGE,
	ECERT_BODY_REFUSED,
	ECERT_QUANTITY_NEGATIVE,
	ECERT_GENESIS_OF_OTHER_LEDGER,
	ECERT_TWO_STORIES,
	ECERT_OTHER_SIGNATURE,
	ECERT_SEQ_NOT_COME,
	ECERT_NAMED_NOT_COME,
	ECERT_NOT_STORED,

	ECERT_FINDING_COUNT
} EcertFindingCode;

/* A value in a message */
typedef struct EcertArgument
{
	enum
	{
		ECERT_ARGUMENT_TEXT,
		ECERT_ARGUMENT_NUMBER,
		ECERT_ARGUMENT_TIME,
		ECERT_ARGUMENT_PERIOD,
		ECERT_ARGUMENT_HASH
	}			type;
	EcertSlice	text;			/* borrowed from the package, the view or the arena */
	int64_t		number;			/* also seconds of a time */
	EcertPeriod period;
	uint8_t		hash[ECERT_HASH_SIZE];
} EcertArgument;

#define ECERT_ARGUMENTS 7

/* Words in which %1 to %7 stand for arguments */
extern void ecert_text_put_words(EcertText *text, const char *words, size_t count, const EcertArgument *arguments);

typedef struct EcertFinding
{
	EcertFindingCode code;
	size_t		count;
	EcertArgument arguments[ECERT_ARGUMENTS];
} EcertFinding;

extern EcertArgument ecert_a_text(EcertSlice text);
extern EcertArgument ecert_a_word(const char *word);
extern EcertArgument ecert_a_number(int64_t number);
extern EcertArgument ecert_a_time(int64_t seconds);
extern EcertArgument ecert_a_period(EcertPeriod period);
extern EcertArgument ecert_a_hash(const uint8_t *hash);

/* Fill finding and return false, so that a check can end with it: ECERT_FIND(finding, code, arguments ...) */
extern bool ecert_find(EcertFinding *finding, EcertFindingCode code, size_t count, const EcertArgument *arguments);

#define ECERT_FIND(finding, code, ...) \
	ecert_find(finding, code, sizeof((EcertArgument[]) {__VA_ARGS__}) / sizeof(EcertArgument), (EcertArgument[]) {__VA_ARGS__})
#define ECERT_FIND_PLAIN(finding, code) ecert_find(finding, code, 0, NULL)

/* Five characters of class EC, or of PostgreSQL's */
extern const char *ecert_finding_sqlstate(EcertFindingCode code);

/* In words; detail and hint are NULL when there is none */
extern const char *ecert_finding_message(const EcertFinding *finding, EcertArena *arena);
extern const char *ecert_finding_detail(const EcertFinding *finding, EcertArena *arena);
extern const char *ecert_finding_hint(const EcertFinding *finding, EcertArena *arena);

/* Message and detail as verification lists them, beside the package's place */
extern const char *ecert_finding_problem(const EcertFinding *finding, EcertArena *arena);

#endif							/* ECERT_RULES_FINDING_H */
