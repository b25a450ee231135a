/*
 * verifier.h
 *		What the steps of ecert-verify share: the ledger in memory, the registry,
 *		what was found, and the functions by which one step calls another.
 *
 * The steps, in order: load (dump to index and spool), sort, registry, every
 * package by itself, feeds, checkpoints, rules, report.
 */
#ifndef ECERT_VERIFIER_VERIFIER_H
#define ECERT_VERIFIER_VERIFIER_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rules/rules.h"
#include "verifier/ledger.h"

#define VERIFIER_VERSION "1.0"

/* Exit status */
enum
{
	EXIT_VALID = 0,
	EXIT_INVALID = 1,
	EXIT_NOT_CHECKED = 2
};

/* Flags of an Entry beside those of ledger.h */
enum
{
	ENTRY_IN_REGISTRY = 4,		/* genesis or one of the certifier's node packages: judged when the registry was built */
	ENTRY_CHANGED = 8,			/* its signature is wrong, so its hash says nothing about what followed it */
	ENTRY_SIGNED = 16			/* its signature was verified and is right */
};

#define NO_KEY UINT32_MAX

/* Room for a hash in hex, and for a time, in messages */
#define HEX_ROOM (2 * ECERT_HASH_SIZE + 1)
#define TIME_ROOM 40

/* What the command line says */
typedef struct FileList
{
	const char **names;
	size_t		count;
} FileList;

typedef struct Options
{
	const char *file;			/* NULL: standard input */
	const char *tiles;			/* folder of export-tiles; NULL: none */
	const char *genesis;		/* hex */
	const char *certifier_key;	/* PEM file */
	const char *origin;			/* of command certificate */
	FileList	receipts;
	FileList	checkpoints;
	unsigned	jobs;
	bool		json;
	bool		quiet;
	bool		all;
	bool		no_progress;
} Options;

/* An interned id; the text stays where it is */
typedef struct Id
{
	const uint8_t *text;
	uint32_t	size;
} Id;

typedef struct Ids
{
	pthread_mutex_t lock;
	Id		   *list;
	uint32_t	count;
	uint32_t	room;
	uint32_t   *slots;			/* open addressing: number + 1, 0 is free */
	uint32_t	slot_count;		/* a power of 2 */
	uint64_t	seed;
	uint8_t    *chunk;			/* where the next text goes */
	size_t		chunk_left;
	void	   *chunks;			/* all of them, each pointing to the one before */
} Ids;

/* Where the packages of a feed lie */
typedef struct Feed
{
	uint32_t	issuer;
	uint32_t	kind;
	uint32_t	first;			/* in entries */
	uint32_t	count;
} Feed;

/* A key of a node, as the newest node package that lists it says */
typedef struct Key
{
	EcertKeyFacts facts;
	uint32_t	node;
	int64_t		ended_by;		/* seq of the node package that revoked or rotated it; -1: none */
	EcertPublicKey *prepared;	/* never changed once made, so all threads use the same */
} Key;

typedef struct Node
{
	EcertNodeFacts facts;
	uint32_t	key_count;
	uint32_t   *keys;			/* numbers of keys */
} Node;

typedef struct Registry
{
	bool		has_genesis;
	const Entry *genesis;
	EcertSlice	origin;			/* interned */
	uint32_t	certifier;
	uint8_t		genesis_hash[ECERT_HASH_SIZE];
	Node	  **nodes;			/* by number of id; NULL: not enrolled */
	Key		  **keys;
	uint32_t	key_count;
	uint32_t	key_room;
} Registry;

/* A problem or a warning */
typedef struct Finding
{
	const Entry *entry;			/* NULL: with the ledger as a whole, or with a row that is no package */
	uint64_t	row;			/* of the input, from 1; 0: not about a row */
	char	   *text;
	size_t		number;			/* in the order in which they were found */
} Finding;

typedef struct FindingList
{
	Finding    *list;
	size_t		count;
	size_t		room;
} FindingList;

/* What the last step that runs has done, for the progress line */
typedef struct Progress
{
	const char *step;
	atomic_uint_fast64_t done;
	uint64_t	total;			/* 0: not known */
	uint64_t	unit;			/* done is counted in bytes when 1, else in packages */
} Progress;

/* What was done, for the report */
typedef struct Counts
{
	uint64_t	rows;
	uint64_t	input_bytes;
	uint64_t	package_bytes;
	atomic_uint_fast64_t signatures;
	uint64_t	checkpoints;
	uint64_t	sound_checkpoints;
	uint64_t	witnesses;
	atomic_uint_fast64_t cosignatures;
	atomic_uint_fast64_t foreign_cosignatures;
	uint64_t	covered;		/* packages under checkpoints */
	uint64_t	tree_size;		/* of the last checkpoint that verifies */
	uint64_t	receipts;
	uint64_t	kept_checkpoints;
	double		seconds;
} Counts;

struct Ledger
{
	const Options *options;
	int			spool;			/* descriptor of what offsets point into */
	bool		spool_is_ours;	/* a temporary file, to be closed at the end */
	pthread_mutex_t lock;		/* of entries while loading, and of findings */
	Entry	   *entries;
	size_t		count;
	size_t		room;
	Ids			ids;
	uint32_t   *ranks;			/* of ids in the order of their bytes */
	Feed	   *feeds;			/* by issuer and kind, in byte order */
	size_t		feed_count;
	uint32_t   *first_feed;		/* by number of id; feed_count where it issued nothing */
	uint32_t   *by_hash;		/* open addressing: number of entry + 1, 0 is free */
	size_t		hash_slots;		/* a power of 2 */
	Registry	registry;
	FindingList problems;
	FindingList warnings;
	FindingList not_checked;
	FindingList errors;			/* why it could not be checked: exit status 2 */
	FindingList remarks;		/* what the report says beside, e.g. about a receipt */
	Counts		counts;
	Progress	progress;
};

/* ----- text.c: words for messages ----- */

extern const char *text_hex(const uint8_t *bytes, size_t size, char *text);
extern const char *text_hash(const uint8_t *hash, char *text);	/* into HEX_ROOM bytes */
extern const char *text_time(int64_t seconds, char *text);	/* into TIME_ROOM bytes, as PostgreSQL in UTC */
extern bool hex_bytes(EcertSlice hex, uint8_t *bytes);	/* lower or upper case; bytes may be hex.data */

/* For "%.*s" */
#define TEXT(slice) (int) (slice).size, (const char *) (slice).data

/* A whole file of at most most bytes; NULL, with errno set, when it cannot be read.  EFBIG: it is larger */
extern uint8_t *file_bytes(const char *name, size_t most, size_t *size);

/* The same; hexadecimal digits, with or without \x before them, are taken for the bytes that they stand for */
extern uint8_t *file_package(const char *name, size_t most, size_t *size);

/* ----- findings.c: what was found ----- */

extern void ledger_error(Ledger *ledger, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern void ledger_remark(Ledger *ledger, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern void ledger_row_problem(Ledger *ledger, uint64_t row, const char *format, ...) __attribute__((format(printf, 3, 4)));
extern int	ledger_exit_status(const Ledger *ledger);
extern void findings_free(Ledger *ledger);

/* ----- report.c: what was found, for the reader ----- */

extern void report_print(Ledger *ledger);

/* ----- progress.c ----- */

extern void progress_start(Ledger *ledger);
extern void progress_step(Ledger *ledger, const char *step, uint64_t total, bool bytes);
extern void progress_end(void);
extern double seconds_now(void);

/* ----- work.c: the same function in several threads ----- */

extern void run_jobs(unsigned jobs, void (*work) (void *context), void *context);

/* ----- ids.c ----- */

extern void ids_init(Ids *ids);
extern uint32_t ids_intern(Ids *ids, EcertSlice text);	/* takes the lock */
extern void ids_free(Ids *ids);

/* ----- memory.c ----- */

/* Memory or the end of the program, which says so */
extern void *need(void *memory);

/* ----- index.c ----- */

extern void ledger_add(Ledger *ledger, const Entry *entries, size_t count);	/* takes the lock */
extern void ledger_sort(Ledger *ledger);
extern void ledger_free(Ledger *ledger);
extern const Feed *ledger_feed_place(const Ledger *ledger, uint32_t issuer, EcertKind kind);

/* Reads packages that often lie one behind the other in the spool */
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
extern void registry_free(Ledger *ledger);

/* ----- nodes.c ----- */

/* The key of a node with that kid, whatever its time; NULL: there is none */
extern const Key *registry_key(const Registry *registry, uint32_t node, EcertSlice kid, uint32_t *number);

/* ----- check.c: a package by itself ----- */

/* What a thread needs to judge packages */
typedef struct Judge
{
	Ledger	   *ledger;
	Reader		reader;
	struct LedgerRules *rules;	/* NULL while the registry is built */
	uint8_t		scratch[ECERT_PACKAGE_MAX + 32];
} Judge;

/* Scope, issuer, key and signature; false, with ENTRY_UNSOUND, when there is a problem */
extern bool judge_package(Judge *judge, Entry *entry, const EcertPackage *package);
extern bool judge_body(Ledger *ledger, Entry *entry, const EcertPackage *package);
extern void check_packages(Ledger *ledger);

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

/* A size at which the root is wanted, or a leaf that is */
typedef struct Wanted
{
	uint64_t	size;			/* root of the first size leaves */
	uint8_t		root[ECERT_HASH_SIZE];
	bool		has_root;
	uint64_t	leaf;			/* UINT64_MAX: none */
	const Entry *entry;			/* the package that is this leaf */
} Wanted;

typedef struct WantedList
{
	Wanted	  **list;
	size_t		count;
} WantedList;

extern void kept_open(Ledger *ledger, WantedList *wanted);
extern void kept_check(Ledger *ledger, uint64_t tree_size);

/* ----- tiles.c ----- */

typedef struct TileExport TileExport;

extern TileExport *tiles_begin(Ledger *ledger);
extern void tiles_leaf(TileExport *export, const Entry *entry);
extern void tiles_checkpoint(TileExport *export, const Entry *checkpoint);
extern void tiles_finish(TileExport *export);

/* ----- command_certificate.c ----- */

extern int	certificate_command(const Options *options);

#endif							/* ECERT_VERIFIER_VERIFIER_H */
