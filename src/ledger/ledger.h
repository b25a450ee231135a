/*
 * ledger.h
 *		Feeds and admission.
 */
#ifndef ECERT_LEDGER_LEDGER_H
#define ECERT_LEDGER_LEDGER_H

#include "record/record.h"
#include "registry/registry.h"

/* The end of a feed so far */
typedef struct EcertHead
{
	int64		seq;			/* -1: the feed is empty */
	uint8_t		hash[ECERT_HASH_SIZE];
	int64		issued_at;		/* seconds */
	int64		period_end;		/* seconds; of energy and product, where the next period may begin */
} EcertHead;

/* A feed as hash key; ecert_node_id_hash() hashes it */
typedef struct EcertFeedId
{
	EcertNodeId issuer;
	uint8_t		kind;
} EcertFeedId;

extern EcertFeedId ecert_feed_id(EcertSlice issuer, EcertKind kind);

/* Let what feed.c, moved.c and peer.c keep of a transaction end with it, and what append.c remembers with the table */
extern void ecert_append_init(void);
extern void ecert_feed_init(void);
extern void ecert_moved_init(void);
extern void ecert_peer_init(void);

/* Refuse DDL on the ledger, when the library is in shared_preload_libraries */
extern void ecert_guard_init(void);

/* The head of a feed that this transaction has locked; NULL when it has not */
extern EcertHead *ecert_feed_locked(EcertSlice issuer, EcertKind kind);

/*
 * The head that package names as the one before it, when this backend has
 * lately seen the feed end there; NULL when it has not.  The feed may have gone
 * on since: good for refusing early, not for admitting
 */
extern const EcertHead *ecert_feed_left_behind(const EcertPackage *package);

/*
 * Read a feed's head from the table, no lock: where its packages up to one of
 * seq last end, and the bytes (palloc'd, empty where there is none) of the one
 * that it ends with where bytes is not NULL.  It is found sooner at
 * expected_seq, where that is known; else 0
 */
extern void ecert_feed_read(EcertSlice issuer, EcertKind kind, int64 expected_seq, int64 last, EcertHead *head, EcertSlice *bytes);

/*
 * Lock a feed until the transaction ends and return its head, kept for the
 * transaction.  Raises 40001 in REPEATABLE READ when the head has moved since
 * the transaction's snapshot.
 */
extern EcertHead *ecert_feed_lock(EcertSlice issuer, EcertKind kind, int64 expected_seq);

/*
 * Say that one story of a feed is being put in the place of another
 * (exchange.c), or not any more.  Only meanwhile rows of the ledger go: heads
 * that this transaction keeps of its feeds are read again
 */
extern void ecert_set_exchanging(bool on);
extern bool ecert_is_exchanging(void);

/* This transaction moves a feed: noted once in ecert_internal.moved, for those who look for what has moved */
extern void ecert_moved(EcertSlice issuer, EcertKind kind);

/* Move a head behind a package that is being admitted */
extern void ecert_head_advance(EcertHead *head, const EcertPackage *package, const uint8_t *hash);

/* The times alone */
extern void ecert_head_date(EcertHead *head, const EcertPackage *package);

/* Everything that a package has to pass where it is first admitted; raises what is against it */
extern void ecert_admit_first(Oid ledger_relid, const EcertPackage *package, const uint8_t *hash);

/* Does package follow head, in seq, link, time and periods?  hash is the package's own */
extern bool ecert_check_place(const EcertHead *head, const EcertPackage *package, const uint8_t *hash,
							  const uint8_t *genesis_hash, EcertFinding *finding);

/*
 * The rule of the package's kind; false with finding filled.  Where it is not
 * first admitted it is not judged while something that it names is missing
 */
extern bool ecert_check_kind(const EcertPackage *package, bool first_admission, EcertMissing *missing, EcertFinding *finding);

/* What a folder above has to say of a kind at admission, beyond its rule; may raise where it is first admitted */
typedef bool (*EcertAdmissionHook) (const EcertPackage *package, bool first_admission, EcertFinding *finding);
extern void ecert_set_admission_hook(EcertKind kind, EcertAdmissionHook hook);


/* Can the keys of a node package be used?  One whose keys cannot would lock its node out */
extern bool ecert_node_keys_usable(const EcertPackage *package, EcertFinding *finding);

/* The package with that hash, which is inserted next, was judged by the rule of its kind when it was made; NULL: none was */
extern void ecert_set_judged(const uint8_t *hash);

/* Makes the body (palloc'd) of this node's package with that seq, issued at that time, and judges it; raises what is against it */
typedef EcertSlice (*EcertBodyMaker) (void *context, int64 seq, int64 issued_at);

/*
 * Lock this node's feed of a kind until the transaction ends, have the body of
 * its next package made, sign it and insert it as the caller, who needs INSERT
 * on the table; returns its hash.  make is called as the ledger's owner
 */
extern bytea *ecert_append_judged(EcertKind kind, EcertSlice subject, EcertBodyMaker make, void *context);

/* Is issued_at no further ahead of a clock's time than ecert.max_clock_skew?  False with finding filled */
extern bool ecert_check_clock(const EcertPackage *package, int64 now, EcertFinding *finding);

/* Is the signature right under key, one of registry's?  False with finding filled */
extern bool ecert_check_signature(EcertRegistry *registry, const EcertPackage *package, EcertNodeKey *key,
								  EcertFinding *finding);

/* The key of its issuer, whatever its times, with which a package is signed; NULL: with none */
extern EcertNodeKey *ecert_signed_with(EcertRegistry *registry, const EcertPackage *package);

/* Is a stored package good by itself: body, scope, issuer, signature? */
extern bool ecert_is_sound(EcertRegistry *registry, const EcertPackage *package);

/* The registry that verify_registry() has built in this backend; raises when it has not */
extern EcertRegistry *ecert_verified_registry(void);

/* What became of a package that came from a peer */
typedef enum EcertSettled
{
	ECERT_SETTLED_ADMITTED,		/* checked, and on the ledger now */
	ECERT_SETTLED_KNOWN,		/* the identical package was there */
	ECERT_SETTLED_PENDING,		/* waits in ledger.pending for what it depends on */
	ECERT_SETTLED_QUARANTINED	/* can never be admitted: in ledger.quarantine */
} EcertSettled;

/*
 * Called behind each package of a peer that was not known, outside of its
 * insert and inside SPI; true: checkpoints may have been taken up
 */
typedef bool (*EcertSettledHook) (const EcertPackage *package, EcertSettled settled);

/* They are called in the order in which they were added */
extern void ecert_add_settled_hook(EcertSettledHook hook);

/* Is a package of a peer being inserted, behind which those hooks are called? */
extern bool ecert_is_settling(void);
extern bool ecert_settled(const EcertPackage *package, EcertSettled settled);

/*
 * Give a package that came from a peer its place, and with it those that have
 * waited for it.  Takes no lock on a feed; raises nothing that is the
 * package's fault.  peer names where it came from; NULL: the subscription
 * whose worker this is.  As the ledger's owner
 */
extern EcertSettled ecert_settle_from_peer(EcertSlice bytes, const char *peer);

/* Is value the package that ecert_settle_from_peer() has checked and is inserting? */
extern bool ecert_peer_has_checked(Datum value);

/* The package behind which an AFTER INSERT row trigger of the ledger fires; raises when that function is called in another way */
extern void ecert_inserted_package(FunctionCallInfo fcinfo, const char *function, EcertPackage *package);

/* Act as the owner of relation (or of ledger.package) until the returned state is restored */
typedef struct EcertUser
{
	Oid			user;
	int			context;
} EcertUser;

/* The owner of ledger.package; raises EC090 when there is none */
extern Oid	ecert_ledger_owner(void);

extern EcertUser ecert_become(Oid owner);
extern void ecert_restore_user(EcertUser before);

#endif							/* ECERT_LEDGER_LEDGER_H */
