/*
 * verifier.h
 *		What the steps of ecert-verify share: the ledger in a file, as an index of
 *		its packages in memory and their bytes on disk; the registry; what was
 *		found; and the functions by which one step calls another.
 *
 * The steps, in order: load (dump to index and spool), sort, registry, every
 * package by itself, checkpoints, times by them, feeds, rules, report.  At most
 * 200 bytes of memory are spent on a package: whatever needs a body reads the
 * package again.
 */
#ifndef ECERT_VERIFIER_VERIFIER_H
#define ECERT_VERIFIER_VERIFIER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/merkle.h"
#include "rules/rules.h"
#include "rules/table.h"

#define VERIFIER_VERSION "1.0"

/* Exit status */
enum
{
	EXIT_VALID = 0,
	EXIT_INVALID = 1,
	EXIT_NOT_CHECKED = 2
};

/* ----- work.c: memory ----- */

/* Memory or the end of the program, which says so */
extern void *need(void *memory);

/* An arena whose blocks come from malloc (rules/arena.h).  Starts as all zeros */
typedef struct Arena
{
	EcertArena	memory;			/* first: what ecert_arena_alloc() is given; see arena_memory() */
	struct ArenaBlock *blocks;	/* the newest first */
} Arena;

/* The arena as rules know it */
extern EcertArena *arena_memory(Arena *arena);
extern void arena_reset(Arena *arena);

/* ----- the ledger ----- */

/* What is kept of a package; those of a feed lie together, by seq, once the ledger is sorted */
typedef struct Entry
{
	uint64_t	offset;			/* of its bytes in the spool */
	int64_t		seq;
	int64_t		issued_at;
	EcertPeriod period;			/* start == end: the body has none */
	uint8_t		hash[ECERT_HASH_SIZE];
	uint8_t		prev[ECERT_HASH_SIZE];	/* zeros: genesis */
	uint32_t	issuer;			/* number of an interned id */
	uint32_t	subject;		/* number of an interned id */
	uint32_t	sealed;			/* place in its feed of the checkpoint (of a sealing the last part) that covers it first; NOT_SEALED: none */
	uint32_t	key;			/* number of the key that it names, of the registry; NO_KEY: none that is known */
	uint16_t	size;			/* bytes of the package, 1..65535 */
	uint16_t	flags;			/* ENTRY_... */
	uint8_t		kind;			/* EcertKind */
} Entry;

enum
{
	ENTRY_UNSOUND = 1,			/* a problem was found in the package itself: nothing is derived from it */
	ENTRY_REPLACES = 2,			/* the body replaces an earlier package */
	ENTRY_IN_REGISTRY = 4,		/* genesis or one of the certifier's node packages: judged when the registry was built */
	ENTRY_CHANGED = 8,			/* its signature is wrong, so its hash says nothing about what followed it */
	ENTRY_SIGNED = 16,			/* its signature was verified and is right */
	ENTRY_ENDED = 32,			/* its key had ended before it was issued: void where a checkpoint covers it, else a problem */
	ENTRY_BEYOND = 64,			/* its signature is by an algorithm that is not known: neither right nor wrong */
	ENTRY_COVERS = 128,			/* a checkpoint under which something came first */
	ENTRY_ISSUER = 256,			/* something else is wrong with issuer or key by all that is known; until check_issuers() */
	ENTRY_FALSE = 512			/* a node, policy or relation package that does not count */
};

#define NOT_SEALED UINT32_MAX

#define NO_KEY UINT32_MAX
#define NO_ID UINT32_MAX

/* What the command line says */
typedef struct Options
{
	const char *file;			/* NULL: standard input */
	const char *tiles;			/* folder of export-tiles; NULL: none */
	const uint8_t *genesis;		/* its hash; NULL: not given */
	const char *certifier_key;	/* PEM file */
	const char *seal_key;		/* PEM file */
	const char *origin;			/* of command certificate */
	const char **receipts;		/* names of files */
	size_t		receipt_count;
	const char **checkpoints;
	size_t		checkpoint_count;
	unsigned	jobs;
	bool		json;
	bool		quiet;
	bool		all;
	bool		no_progress;
} Options;

/* Ids of nodes and origins, each kept once under a number; a text stays where it is */
typedef struct Ids
{
	EcertSlice *list;
	uint32_t	count;
	size_t		room;
	EcertTable	table;			/* by it their numbers, and 1 more */
} Ids;

/* Where the packages of a feed lie: by seq, with gaps where packages are missing, and both where a seq is there twice */
typedef struct Feed
{
	Entry	   *entries;
	uint32_t	issuer;
	uint32_t	kind;
	uint32_t	count;
	uint32_t	covered;		/* so many, from the first, are leaves of the tree */
	uint32_t	sealed;			/* so many are under checkpoints: more than are leaves where packages are missing */
	int64_t		sealed_seq;		/* up to which it is under checkpoints, be it here or not; -1: nothing */
} Feed;

/* A key of a node, as the newest node package that lists it says */
typedef struct Key
{
	EcertKeyFacts facts;
	uint32_t	number;
	int64_t		ended_by;		/* seq of the node package that revoked or rotated it; -1: none */
	EcertPublicKey *prepared;	/* never changed once made, so all threads use the same */
} Key;

typedef struct Node
{
	EcertNodeFacts facts;		/* of its newest package */
	EcertRoleHistory history;	/* of all its packages */
	size_t		history_room;
	uint32_t	key_count;
	Key		  **keys;
} Node;

/* Without a sound genesis: of size 0, NO_ID, zeros and NULL */
typedef struct Registry
{
	bool		has_genesis;
	const Entry *genesis;
	EcertSlice	origin;			/* interned */
	uint32_t	certifier;
	uint8_t		genesis_hash[ECERT_HASH_SIZE];
	Node	  **nodes;			/* by number of id; NULL: not enrolled */
	Key		  **keys;			/* by number */
	uint32_t	key_count;
	size_t		key_room;
} Registry;

/* What can be found, in the order of the report */
typedef enum FindingSort
{
	FOUND_ERROR,				/* why it could not be checked: exit status 2 */
	FOUND_PROBLEM,
	FOUND_BEYOND,				/* what is for a later version: neither right nor wrong */
	FOUND_REMARK,				/* what the report says beside, e.g. about a receipt */
	FOUND_WARNING,				/* not wrong, but a reader should know */
	FOUND_NOT_CHECKED,			/* what was not checked, and why */
	FOUND_SORTS
} FindingSort;

typedef struct Finding
{
	const Entry *entry;			/* NULL: with the ledger as a whole, or with a row that is no package */
	uint64_t	row;			/* of the input, from 1; 0: not about a row */
	const char *text;
	size_t		number;			/* in the order in which they were found */
} Finding;

typedef struct FindingList
{
	Finding    *list;
	size_t		count;
	size_t		room;
} FindingList;

/* What was done, for the report */
typedef struct Counts
{
	uint64_t	rows;
	uint64_t	package_bytes;
	atomic_uint_fast64_t signatures;
	uint64_t	checkpoints;
	uint64_t	sound_checkpoints;
	uint64_t	witnesses;
	atomic_uint_fast64_t cosignatures;
	atomic_uint_fast64_t foreign_cosignatures;
	uint64_t	tree_size;		/* of the last checkpoint that verifies */
	uint64_t	receipts;
	uint64_t	kept_checkpoints;
	double		seconds;
} Counts;

typedef struct Ledger
{
	const Options *options;
	int			spool;			/* descriptor of what offsets point into */
	bool		spool_is_ours;	/* a temporary file, to be closed at the end */
	pthread_mutex_t lock;		/* of memory, of entries and ids while loading, and of findings */
	Arena		memory;			/* of ids, feeds, registry and findings */
	Entry	   *entries;		/* by issuer, kind (bytes of their names) and seq, once they are sorted */
	size_t		count;
	size_t		room;
	Ids			ids;
	Feed	   *feeds;			/* in that order too */
	size_t		feed_count;
	size_t		feed_room;
	uint32_t   *first_feed;		/* by number of id; UINT32_MAX where it issued nothing */
	uint32_t   *by_hash;		/* open addressing: number of entry + 1, 0 is free */
	size_t		hash_slots;		/* a power of 2 */
	Registry	registry;
	struct ViewIndex *index;	/* from the registry to the rules; else NULL */
	FindingList found[FOUND_SORTS];
	atomic_bool rests_on_beyond;	/* what others rest on is for a later version: a problem may be one because of it */
	Counts		counts;
	atomic_uint_fast64_t done;	/* by the step that runs, for the progress line */
} Ledger;

/* ----- text.c: words for messages, small files ----- */

#define HEX_ROOM (2 * ECERT_HASH_SIZE + 1)
extern const char *text_hash(const uint8_t *hash, char *text);	/* into HEX_ROOM bytes */
#define HEX(hash) text_hash(hash, (char[HEX_ROOM]) {0})
extern bool hex_bytes(EcertSlice hex, uint8_t *bytes);	/* lower or upper case; bytes may be hex.data */

/* For "%.*s" */
#define TEXT(slice) (int) (slice).size, (const char *) (slice).data

/* Text of somebody else, printed for a terminal: no control characters */
extern void print_safe(EcertSlice text);

/* A whole file of at most most bytes; false, with errno set, when it cannot be read.  EFBIG: it is larger */
extern bool file_bytes(EcertArena *arena, const char *name, size_t most, EcertSlice *bytes);

/* The same of a package or what holds one; hexadecimal digits, with or without \x before them, are taken for what they stand for */
extern bool file_package(EcertArena *arena, const char *name, EcertSlice *bytes);

/* The public key in a PEM file; NULL, or why there is none.  Of key, times are not touched */
extern const char *file_key(EcertArena *arena, const char *name, EcertKeyFacts *key);

/* Write all of it at that place of a file; false, with errno set, when it cannot be written */
extern bool write_whole(int file, const uint8_t *bytes, size_t size, uint64_t offset);

/* ----- report.c: what was found ----- */

/* Write down a finding: a problem's text is the one that ecert.problems() gives.  entry NULL: with the ledger as a whole, or a row */
extern void ledger_say(Ledger *ledger, FindingSort sort, const Entry *entry, uint64_t row, const char *format, ...)
			__attribute__((format(printf, 5, 6)));
#define ledger_error(ledger, ...) ledger_say(ledger, FOUND_ERROR, NULL, 0, __VA_ARGS__)
#define ledger_problem(ledger, entry, ...) ledger_say(ledger, FOUND_PROBLEM, entry, 0, __VA_ARGS__)
#define ledger_row_problem(ledger, row, ...) ledger_say(ledger, FOUND_PROBLEM, NULL, row, __VA_ARGS__)
#define ledger_beyond(ledger, entry, row, ...) ledger_say(ledger, FOUND_BEYOND, entry, row, __VA_ARGS__)
#define ledger_remark(ledger, ...) ledger_say(ledger, FOUND_REMARK, NULL, 0, __VA_ARGS__)
#define ledger_warning(ledger, entry, ...) ledger_say(ledger, FOUND_WARNING, entry, 0, __VA_ARGS__)
#define ledger_not_checked(ledger, ...) ledger_say(ledger, FOUND_NOT_CHECKED, NULL, 0, __VA_ARGS__)

/* A problem of a package in itself makes a ledger invalid, whatever else is for a later version */
extern int	ledger_exit_status(const Ledger *ledger);
extern void report_print(Ledger *ledger);

/* ----- progress.c ----- */

extern void progress_start(Ledger *ledger);
extern void progress_step(Ledger *ledger, const char *step, uint64_t total, bool bytes);	/* total 0: not known */
extern void progress_end(void);
extern double seconds_now(void);

/* ----- work.c: the same function in several threads ----- */

extern void run_jobs(unsigned jobs, void (*work) (void *context), void *context);

/* ----- index.c: ids ----- */

extern uint32_t ids_intern(Ledger *ledger, EcertSlice *text);	/* takes the lock; *text becomes the one that stays */

/* NO_ID when the ledger does not have it */
extern uint32_t ledger_id(const Ledger *ledger, EcertSlice text);
extern EcertSlice ledger_id_text(const Ledger *ledger, uint32_t id);

/* ----- index.c ----- */

extern void ledger_init(Ledger *ledger, const Options *options);
extern void ledger_free(Ledger *ledger);
extern void ledger_add(Ledger *ledger, const Entry *entries, size_t count);	/* takes the lock */
extern void ledger_sort(Ledger *ledger);

/* A feed; an empty one where there is none */
extern Feed *ledger_feed(const Ledger *ledger, uint32_t issuer, EcertKind kind);

/* The feed of a kind behind another, whoever issued it: NULL before the first and behind the last */
extern Feed *ledger_next_feed(const Ledger *ledger, EcertKind kind, const Feed *feed);

/* The place of the first package of a feed with that seq or a greater one */
extern size_t feed_place(const Feed *feed, int64_t seq);

/* The package of a feed with that seq, the package with that hash; NULL when it is not there */
extern const Entry *feed_at(const Feed *feed, int64_t seq);
extern const Entry *ledger_by_hash(const Ledger *ledger, const uint8_t *hash);

/* The key of a node (NULL: not enrolled) with that kid, whatever its time; NULL: there is none */
extern Key *node_key(const Node *node, const uint8_t *kid);

/* Reads packages that often lie one behind the other in the spool; starts as zeros but for the ledger */
typedef struct Reader
{
	const Ledger *ledger;
	uint64_t	start;
	size_t		size;
	uint8_t		window[2 * (ECERT_PACKAGE_MAX + 1)];
} Reader;

/* package borrows from the reader until the next call; false: the spool cannot be read, which was said */
extern bool reader_get(Reader *reader, const Entry *entry, EcertPackage *package);

/* ----- load.c ----- */

/* Read the dump into index and spool */
extern void ledger_load(Ledger *ledger, int input);

/* ----- registry.c ----- */

extern void registry_build(Ledger *ledger);

/* ----- view.c: the rules' view of the ledger in the dump ----- */

/*
 * Packages by a number: of the subject's id, or of the package that they name.
 * Sorted, the number in the upper half of each and the package's own in the
 * lower
 */
typedef struct ByNumber
{
	uint64_t   *list;
	size_t		count;
} ByNumber;

/* The list has room; sorted when all are there */
extern void numbers_put(ByNumber *numbers, uint32_t number, size_t entry);
extern void numbers_sort(ByNumber *numbers);

/* A node that has a key, and the seq of the node package that first said so (-1: genesis) */
typedef struct Holder
{
	struct Holder *next;		/* the next node that does, by seq */
	uint32_t	node;
	int64_t		seq;
} Holder;

/* Made once for all threads, when the packages are sorted; who has which key, as the registry is built */
typedef struct ViewIndex
{
	Arena		memory;			/* of holders */
	EcertTable	holders;		/* by kid */
	ByNumber	about[ECERT_KIND_COUNT];	/* by subject; of kinds that are about somebody else than their issuer */
	ByNumber	rewards;		/* by the audit that they name */
} ViewIndex;

extern void view_index_open(ViewIndex *index, const Ledger *ledger);

/* Genesis, or a node package that counts, says that its node has these keys */
extern void view_index_put_keys(ViewIndex *index, const Entry *entry, const EcertPackage *package);

/* The rewards by their audits */
extern void view_index_rewards(ViewIndex *index, const Ledger *ledger);
extern void view_index_close(ViewIndex *index);

/* A thread's */
typedef struct LedgerView
{
	EcertView	view;			/* first */
	const Ledger *ledger;
	const ViewIndex *index;		/* NULL: what is about a subject is not looked up */
	Reader		reader;
} LedgerView;

typedef struct LedgerRules
{
	EcertRules	rules;
	LedgerView	view;
	Arena		arena;			/* of the package at hand */
	Arena		kept;
} LedgerRules;

extern LedgerRules *ledger_rules_new(const Ledger *ledger, const ViewIndex *index);
extern void ledger_rules_free(LedgerRules *rules);

/* Write down what a rule found */
extern void ledger_finding(Ledger *ledger, const Entry *entry, const EcertFinding *finding, Arena *arena);

/* Judge a package by the rule of its kind; false when it breaks it, which is written down */
extern bool ledger_rule(LedgerRules *rules, Ledger *ledger, const Entry *entry, const EcertPackage *package);

/* ----- rules.c: the rules of the kinds (src/rules), when every package has been checked by itself ----- */

extern void check_rules(Ledger *ledger);

/* ----- check.c: a package by itself ----- */

/* What a thread needs to judge packages */
typedef struct Judge
{
	Ledger	   *ledger;
	Reader		reader;
	LedgerRules *rules;
	uint8_t		scratch[ECERT_PACKAGE_MAX + 32];
} Judge;

/* Scope, issuer, key and signature; false, with ENTRY_UNSOUND, when there is a problem */
extern bool judge_package(Judge *judge, Entry *entry, const EcertPackage *package);
extern bool judge_body(Ledger *ledger, Entry *entry, const EcertPackage *package);
extern void check_packages(Ledger *ledger);

/* Packages that are issued later than the checkpoint that covers them allows */
extern void check_seal_times(Ledger *ledger);

/* Issuers and keys as of the checkpoints, when these are known; packages whose key had ended are void where one covers them */
extern void check_issuers(Ledger *ledger);

/* ----- feed.c: packages one after the other ----- */

/* Where a walk through a feed has come to */
typedef struct FeedWalk
{
	Entry	   *head;			/* the package before; NULL at the beginning */
	Entry	   *same;			/* the first that has head's seq */
	int64_t		issued_at;
	int64_t		period_end;
} FeedWalk;

/* Link and order of the next package of a feed; false when there is a problem */
extern bool walk_step(Ledger *ledger, FeedWalk *walk, Entry *entry);
extern void check_feeds(Ledger *ledger);

/* ----- checkpoint.c: the Merkle tree ----- */

/* The packages in the order of the tree, checkpoint by checkpoint */
extern void check_checkpoints(Ledger *ledger);

/* ----- kept.c: what the reader kept from elsewhere ----- */

/* A size at which the root is wanted, and a leaf that is */
typedef struct Wanted
{
	struct Wanted *next;
	uint64_t	size;			/* root of the first size leaves */
	uint8_t		root[ECERT_HASH_SIZE];
	bool		has_root;
	uint64_t	leaf;			/* UINT64_MAX: none */
	const Entry *entry;			/* the package that is this leaf */
} Wanted;

extern Wanted *kept_open(Ledger *ledger);
extern void kept_check(Ledger *ledger, Wanted *first);

/* ----- tiles.c ----- */

typedef struct TileExport TileExport;

extern TileExport *tiles_begin(Ledger *ledger);
extern void tiles_leaf(TileExport *export, const Entry *entry);
extern void tiles_checkpoint(TileExport *export, const Entry *checkpoint);
extern void tiles_finish(TileExport *export);

/* ----- command_certificate.c ----- */

extern int	certificate_command(const Options *options);

#endif							/* ECERT_VERIFIER_VERIFIER_H */
