/*
 * ledger.h
 *		A ledger in a file, as ecert-verify sees it: an index of its packages in
 *		memory, their bytes on disk.
 *
 * At most 200 bytes of memory are spent on a package.  Whatever needs a body
 * reads the package again.
 */
#ifndef ECERT_VERIFIER_LEDGER_H
#define ECERT_VERIFIER_LEDGER_H

#include <stdio.h>

#include "core/body.h"
#include "core/merkle.h"
#include "core/package.h"

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
	uint32_t	key;			/* number of the key that it names, of the registry; UINT32_MAX: none that is known */
	uint16_t	size;			/* bytes of the package, 1..65535 */
	uint8_t		kind;			/* EcertKind */
	uint8_t		flags;			/* ENTRY_... */
} Entry;

enum
{
	ENTRY_UNSOUND = 1,			/* a problem was found in the package itself: nothing is derived from it */
	ENTRY_REPLACES = 2			/* the body replaces an earlier package */
};

typedef struct Ledger Ledger;

/* Interned ids; NO_ID when the ledger does not have it */
#define NO_ID UINT32_MAX
extern uint32_t ledger_id(const Ledger *ledger, EcertSlice text);
extern EcertSlice ledger_id_text(const Ledger *ledger, uint32_t id);

/* The packages of a feed by seq (with gaps where packages are missing, and both where a seq is there twice); NULL and 0 when empty */
extern const Entry *ledger_feed(const Ledger *ledger, uint32_t issuer, EcertKind kind, size_t *count);

/* The package of a feed with that seq; NULL when it is not there */
extern const Entry *ledger_at(const Ledger *ledger, uint32_t issuer, EcertKind kind, int64_t seq);

/* The package with that hash; NULL when it is not there */
extern const Entry *ledger_by_hash(const Ledger *ledger, const uint8_t *hash);

/* All packages in the order of issuer (bytes), kind (bytes of its name) and seq */
extern const Entry *ledger_all(const Ledger *ledger, size_t *count);

/* All feeds of a kind, whoever issued it: call with *place = 0 first, until NULL; *count is the feed's */
extern const Entry *ledger_next_feed(const Ledger *ledger, EcertKind kind, size_t *place, size_t *count);

/* What every ledger has; of size 0 and NO_ID without a sound genesis */
extern EcertSlice ledger_origin(const Ledger *ledger);
extern uint32_t ledger_certifier(const Ledger *ledger);
extern const uint8_t *ledger_genesis_hash(const Ledger *ledger);

/* A package read back from the spool; buffer has room for ECERT_PACKAGE_MAX bytes.  False: the spool cannot be read, which was said */
extern bool ledger_read(const Ledger *ledger, const Entry *entry, uint8_t *buffer, EcertPackage *package);

/*
 * Write down what is wrong with a package: the text is the one that
 * ecert.problems() gives.  entry NULL: with the ledger as a whole.  Keeps the
 * problems in the order of issuer, kind, seq when they are printed.
 */
extern void ledger_problem(Ledger *ledger, const Entry *entry, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Write down something that is not wrong but that a reader should know, or that was not checked and why */
extern void ledger_warning(Ledger *ledger, const Entry *entry, const char *format, ...) __attribute__((format(printf, 3, 4)));
extern void ledger_not_checked(Ledger *ledger, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * rules.c: the rules of the kinds (src/rules), when the index is sorted and
 * every package has been checked by itself
 */
extern void check_rules(Ledger *ledger);

#endif							/* ECERT_VERIFIER_LEDGER_H */
