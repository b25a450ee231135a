/*
 * world.h
 *		A random ledger in the making: what its nodes have said so far, and what
 *		of it is known to be wrong.
 *
 * One process makes one ledger (a run over several seeds forks), so what is
 * made is kept in static memory and in blocks that nobody frees.
 */
#ifndef ECERT_RANDOM_WORLD_H
#define ECERT_RANDOM_WORLD_H

#include "diag.h"
#include "testkey.h"

#include "core/body.h"

#include <gmp.h>
#include <inttypes.h>

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

#define ID_ROOM 64
#define HEX_ROOM 65
#define DAY INT64_C(86400)
#define YEAR (365 * DAY)
#define BEGINNING INT64_C(1609459200)	/* 2021-01-01, when the first baseline begins */
#define FIRST_ISSUE (BEGINNING + 4 * YEAR)	/* packages are issued from here on */

/* ----- chance (chance.c) ----- */

extern void chance_begin(uint64_t seed);
extern uint64_t below(uint64_t end);	/* 0 .. end - 1 */
extern int64_t between(int64_t first, int64_t last);
extern bool one_in(unsigned n);

#define PICK(array) ((array)[below(COUNT(array))])

/* A number as a body writes it, and its exact value */
typedef struct Amount
{
	char		text[64];
	mpq_t		value;
} Amount;

extern void put_decimal(char *text, size_t room, int64_t mantissa, int exponent);

/* Up to that many digits, with an exponent between the two */
extern void random_amount(Amount *amount, int digits, int least_exponent, int most_exponent);
extern char *text_of(const char *format,...) __attribute__((format(printf, 1, 2)));
extern char *hex_of(const uint8_t *bytes, size_t size);

/* ----- lies (lies.c): what is signed, and wrong ----- */

#define LIES(LIE) \
	LIE(SKIP_SEQ) LIE(OTHER_PREV) LIE(OTHER_AUDIENCE) LIE(OTHER_SUBJECT) LIE(ISSUED_BACK) LIE(FROM_FUTURE) LIE(BEFORE_ENROLLED) \
	LIE(STRANGERS_KEY) LIE(OLD_KEY) LIE(TWO_STORIES) LIE(UNKNOWN_FIELD) LIE(NOT_YET) LIE(NOT_ENTITLED) LIE(UNKNOWN_ISSUER) LIE(AFTER_REVOKED) LIE(HUGE_SEQ) LIE(ISSUED_AT_ZERO) LIE(FAR_PERIOD) LIE(KEY_FUTURE) \
	LIE(GENESIS_SUBJECT) LIE(GENESIS_NO_ROLE) LIE(GENESIS_OTHER_NODE) LIE(GENESIS_POLICY) LIE(GENESIS_KEY_TWICE) \
	LIE(COEFFICIENT_TWICE) LIE(UNIT_TWICE) LIE(TWO_WAYS) LIE(TWO_BASES) LIE(FACTOR_ZERO) LIE(OWN_BASE) LIE(REQUIRED_TWICE) LIE(STATISTICS) LIE(OFFSETS) LIE(SOURCE_GONE) \
	LIE(LONG_VALIDITY) LIE(COUNT_HUGE) LIE(KEY_LOST) LIE(KEY_TIMES) LIE(UNTIL_LATER) LIE(UNTIL_GONE) LIE(KEY_TWICE) LIE(KID_WRONG) LIE(ROLE_GIVEN_UP) \
	LIE(KEY_INVALID) LIE(ALG_OTHER) LIE(KEY_OF_OTHER) LIE(KEY_OUTLIVES) LIE(ROLE_LOST) \
	LIE(RELATION_SELF) LIE(RELATION_ENDS_FIRST) LIE(RELATION_UNKNOWN) LIE(RELATION_NO_ROLE) LIE(RELATION_CLOSED) LIE(RELATION_LATER) \
	LIE(OVERLAP) LIE(POINT_TWICE) LIE(POINT_SERVICE) LIE(BACKWARDS) LIE(REPLACES_NONE) LIE(REPLACES_OTHER_PERIOD) LIE(REPLACES_OLDER) LIE(UNKNOWN_SOURCE) \
	LIE(NEGATIVE_QUANTITY) LIE(SERIES_LENGTH) LIE(QUALIFIED_MORE) LIE(OTHER_UNIT) LIE(PERIOD_LONGER) LIE(LARGE_NUMBER) \
	LIE(AUDIT_HASH) LIE(AUDIT_LAST) LIE(AUDIT_KIND) LIE(AUDIT_FIRST) LIE(AUDIT_BACKWARDS) LIE(AUDIT_OUTSIDE) LIE(AUDIT_TWICE) \
	LIE(AUDIT_SELF) LIE(AUDIT_STRANGER) LIE(AUDIT_HUGE) LIE(AUDIT_POLICY) LIE(AUDIT_OF_NOBODY) LIE(AUDIT_MISSING) LIE(AUDIT_BEFORE_RELATION) \
	LIE(FIGURE) LIE(TOTAL) LIE(VERDICT) LIE(NUMBER) LIE(VALID_END) LIE(VALID_START) LIE(REPLACES) LIE(NO_POLICY) LIE(OLD_POLICY) \
	LIE(NO_AUDITS) LIE(FAILING_AUDIT) LIE(PACKAGES) LIE(PACKAGE_COUNT) LIE(COMPLETENESS) LIE(NOT_OVER) LIE(PERIODS_OVERLAP) LIE(NOT_COVERED) \
	LIE(SECOND_LIVE) LIE(STALE) LIE(PRODUCT_MISSING) LIE(PRODUCT_ORDER) LIE(CONVENTION) LIE(THRESHOLD) LIE(NO_APPLICANT) LIE(UNIT) LIE(STATUS_OF_PRODUCT) \
	LIE(NO_CERTIFICATE) LIE(AFTER_WITHDRAWN) LIE(SAME_STATUS) LIE(REPLACED_BY_NONE) LIE(STATUS_SUBJECT) LIE(REPLACED_BY_OTHERS) \
	LIE(REST_OLD) LIE(REST_NONE) LIE(REST_LATE) LIE(CERTIFICATE_NAME) \
	LIE(CERTIFICATE_ISSUER) LIE(SITE) LIE(TITLE) LIE(CALENDAR) LIE(RATE) LIE(BASELINE_REPLACED) LIE(ROW_ORDER) LIE(ROW_TWICE) LIE(CERTIFICATE_LATER) \
	LIE(REWARD_TWICE) LIE(REWARD_ABSTAINED) LIE(REWARD_OTHER) LIE(REWARD_NONE) \
	LIE(ROOT) LIE(SIZE) LIE(SIZE_HUGE) LIE(SEAL) LIE(SEAL_BY_PACKAGE_KEY) LIE(SEAL_BY_OLD_KEY) LIE(SEAL_BY_STRANGER) LIE(SEAL_TWICE) LIE(PACKAGE_BY_SEAL_KEY) LIE(KEY_USE) LIE(NOTE) LIE(HEAD_AGAIN) LIE(HEAD_ORDER) LIE(HEAD_MISSING) LIE(HEAD_GENESIS) LIE(NOTE_OTHER_SIZE) LIE(HEAD_TWICE) LIE(LEFT_OUT) LIE(LEFT_OUT_LAST) \
	LIE(PART_WRONG) LIE(PART_MISSING) LIE(PART_ORDER) LIE(PART_TIME) \
	LIE(WITNESS_ROOT) LIE(WITNESS_NONE) LIE(COSIGNATURE) LIE(COSIGNATURE_FOREIGN) LIE(COSIGNATURE_JUNK) LIE(COSIGNATURE_STRANGER) \
	LIE(COSIGNATURE_BY_PACKAGE_KEY) LIE(COSIGNATURE_LINE_END) LIE(COSIGNATURE_TWICE)

typedef enum Lie
{
#define LIE(name) LIE_##name,
	LIES(LIE)
#undef LIE
	LIE_COUNT
} Lie;

extern void plan_lies(int count);
extern void plan_lie(const char *name);

/* Is this the moment for a lie that was planned?  Then it is told now, and that is noted */
extern bool lie(Lie which);

/* For people: what was done to this ledger */
extern void note(const char *format,...) __attribute__((format(printf, 1, 2)));
extern bool telling;

/* ----- keys, feeds, packages (package.c) ----- */

typedef struct Pair
{
	EcertPrivateKey *key;
	EcertAlg	alg;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	uint8_t		kid[ECERT_HASH_SIZE];
} Pair;

typedef struct Key
{
	const Pair *pair;
	EcertKeyUse use;
	int64_t		effective;
	int64_t		until;			/* 0: in use */
} Key;

#define ROLE_CERTIFIER 1
#define ROLE_APPLICANT 2
#define ROLE_AUDITOR 4

typedef struct Node
{
	char		id[ID_ROOM];
	char	   *name;			/* in notation, or NULL */
	const char *names;			/* the same, a map */
	const char *site;
	int			roles;
	Key			keys[12];
	int			key_count;
	int64_t		effective;
	bool		revoked;
} Node;

typedef struct Feed
{
	char		issuer[ID_ROOM];
	EcertKind	kind;
	int64_t		seq;			/* of the next package */
	int64_t		covered;		/* next seq to be covered by a checkpoint */
	int64_t		sealed;			/* the same, behind the last sealing that is complete */
	int64_t		issued_at;		/* of the last one */
	uint8_t		prev[ECERT_HASH_SIZE];
	size_t		packages[256];	/* numbers, by seq; SIZE_MAX: none */
} Feed;

typedef struct Made
{
	uint8_t    *bytes;
	size_t		size;
	uint8_t		hash[ECERT_HASH_SIZE];
	char		hex[HEX_ROOM];
	const Node *issuer;
	EcertKind	kind;
	int64_t		seq;
	int64_t		issued_at;
	const Pair *pair;			/* that it is signed with */
} Made;

#define NODES_MAX 16
#define MADE_MAX 1024
#define FEEDS_MAX 64
#define ORIGIN_ROOM 64

extern char origin[ORIGIN_ROOM];
extern int64_t now;
extern bool time_stands;		/* the next package is issued in the second of the one before */
extern Node nodes[NODES_MAX];
extern int	node_count;
extern Made made[MADE_MAX];
extern size_t made_count;
extern Feed feeds[FEEDS_MAX];
extern size_t feed_count;
extern uint8_t genesis_hash[ECERT_HASH_SIZE];

#define CERTIFIER (&nodes[0])

extern void must(EcertCode code);
extern void load_keys(void);

/* A pair of that algorithm that nobody on this ledger has; NULL when there is none left */
extern const Pair *new_pair(EcertAlg alg);
extern const Pair *strangers_pair(void);
extern const Pair *key_in_use(const Node *node);
extern const Pair *key_for(const Node *node, EcertKeyUse use);
extern Feed *feed_of(const char *issuer, EcertKind kind);

/* Sign a body (in notation; freed) as the next package of its issuer's feed; its number */
extern size_t say(const Node *issuer, EcertKind kind, const char *subject, char *body);

/* The same with that key; NULL: the one in use */
extern size_t say_with(const Pair *pair, const Node *issuer, EcertKind kind, const char *subject, char *body);
extern EcertSlice bytes_of(const Made *package);
extern Made *keep(const Node *issuer, EcertKind kind, EcertSlice bytes, int64_t seq, int64_t issued_at, const Pair *pair);

/* ----- who and by which rules (people.c, policy.c) ----- */

/* A way from a source and unit to kilograms of standard coal */
typedef struct Way
{
	const char *source;
	const char *unit;
	mpq_t		kgce;
} Way;

typedef enum Role
{
	UPSTREAM,
	PEER,
	DOWNSTREAM,
	ROLES
} Role;

extern const char *const role_names[ROLES];

typedef struct Policy
{
	const char *hash;			/* of the package, in hexadecimal digits */
	Way			ways[64];
	int			way_count;
	int			required[ROLES];
	Amount		threshold;
	bool		by_reporting;
	bool		is_strict;
	const char *electricity;
	const char *title;			/* in notation, or NULL */
	int64_t		valid_days;
	const char *reward_text[ROLES];
} Policy;

#define POLICIES_MAX 12
extern Policy policies[POLICIES_MAX];
extern int	policy_count;
#define IN_FORCE (&policies[policy_count - 1])

typedef struct Relation
{
	const Node *auditor;
	Role		role;
} Relation;

extern char *policy_text(Policy *policy, bool in_genesis);
extern void found_ledger(void);
extern Node *enroll(const char *id, int roles);
extern void change_policy(void);
extern void rotate(Node *node);
extern void revoke_node(Node *node);
extern void enroll_again(Node *node);

/* ----- applicants (works.c) ----- */

typedef struct Line
{
	const char *source;			/* energy */
	const char *product;		/* NULL: shared */
	const char *unit;
	const char *currency;		/* product; NULL: none */
	bool		has_value;
	mpq_t		quantity;		/* energy; of a product the qualified output */
	mpq_t		value;
} Line;

#define LINES_MAX 24

typedef struct Pack
{
	int64_t		seq;
	int64_t		start;
	int64_t		end;
	size_t		made;
	Line		lines[LINES_MAX];
	int			line_count;
} Pack;

#define PACKS_MAX 96

typedef struct Packs
{
	Pack		packs[PACKS_MAX];
	int			count;
} Packs;

typedef struct Plant
{
	Node	   *node;
	Packs		energy;
	Packs		product;
	const char *products[4];
	const char *units[4];
	int			product_count;
	bool		with_values;
	Relation	relations[16];
	int			relation_count;
	int64_t		step;			/* length of its periods */
	int			months;			/* how many of them a year has here */
} Plant;

#define PLANTS_MAX 4
extern Plant plants[PLANTS_MAX];
extern int	plant_count;

typedef struct Window
{
	int64_t		start;
	int64_t		end;
} Window;

extern Packs *packs_of(Plant *plant, EcertKind kind);
extern Window period_of(const Plant *plant, int year, int first, int count);
extern void relate(Plant *plant, const Node *auditor, Role role);
extern void new_plant(Plant *plant, const char *id);
extern void work(Plant *plant, int year, int month);
extern void correct(Plant *plant);

#define ZONE "somewhere"

/* The packages that count in a window as of a seq, by seq; how many */
extern int	live_packs(const Packs *packs, Window within, int64_t last, const Pack **live);

/* ----- figures (figures.c): the assessment, in fractions ----- */

#define FIGURES 8				/* base_kgce .. saving_rate */
#define TOTALS 6

typedef struct Figures
{
	const char *products[16];
	const char *units[16];
	const char *statuses[16];
	char	   *figures[16][FIGURES];
	int			count;
	char	   *totals[TOTALS];
	char	   *rate;			/* the total rate as the certificate has it on top */
	bool		passes;
	bool		assessed;		/* no product stands against a certificate, and one was assessed */
	bool		unknown_source;
	bool		too_long;		/* some figure does not fit into a body */
} Figures;

extern const char *const figure_names[FIGURES];
extern const char *const total_names[TOTALS];
extern void assess(const Plant *plant, const Policy *policy, Window base, Window period, bool by_value, int64_t energy_last, int64_t product_last,
				   Figures *figures);

/* ----- audits, certificates and what follows (audits.c, certificates.c, seals.c) ----- */

typedef struct Audit
{
	const Node *auditor;
	const Plant *plant;
	Role		role;
	const char *verdict;
	Window		period;
	size_t		made;
	int64_t		seqs[2][PACKS_MAX];	/* energy, product */
	int			seq_counts[2];
	bool		rewarded;
} Audit;

#define AUDITS_MAX 160
extern Audit audits[AUDITS_MAX];
extern int	audit_count;

extern char *ranges_text(const Pack *const *live, int count, EcertKind kind);
extern bool reads(Role role, EcertKind kind);
extern void audit_something(void);
extern void audit_for(Plant *plant, Window window);
extern bool is_overtaken(const Audit *audit);
extern bool is_over(const Audit *audit, const Plant *plant, Window window);
extern void reward_something(void);
extern void certify(Plant *plant, int year, int first, int count);
extern void set_some_status(void);
extern size_t seal_ledger(void);

/* The hash of the checkpoint that a certificate, status or reward issued now rests on: over everything, and sealed for it unless there is one */
extern const char *rest_on_checkpoint(void);
extern void witness_something(void);

/* ----- the whole, and what happens to it (random-ledger.c, damage.c) ----- */

typedef struct Row
{
	uint8_t    *bytes;
	size_t		size;
	size_t		made;			/* the package that it was */
	int			cut;			/* of a text dump: 1 half a row, 2 a column too many */
} Row;

#define ROWS_MAX (2 * MADE_MAX)
extern Row	rows[ROWS_MAX];
extern size_t row_count;

extern void take_rows(void);
extern void damage_rows(bool binary);

#endif							/* ECERT_RANDOM_WORLD_H */
