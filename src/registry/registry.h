/*
 * registry.h
 *		Who may sign what, and with which key: the ledger's node packages turned
 *		into something admission and verification can look up.
 *
 * There are two registries in a backend.  The one of ecert_registry_current()
 * is a cache over ledger.package, filled on demand, thrown away when a node,
 * policy or genesis package comes in anywhere.  The one that verification
 * builds holds only what it has itself verified; workers of a parallel query
 * get it packed.
 */
#ifndef ECERT_REGISTRY_REGISTRY_H
#define ECERT_REGISTRY_REGISTRY_H

#include "pg/compat.h"

#include "core/body.h"
#include "pg/error.h"
#include "pg/query.h"
#include "utils/snapshot.h"
#include "rules/rules.h"
#include "utils/hsearch.h"

/* A node id as a hash key: padded with zeros */
typedef struct EcertNodeId
{
	uint8_t		bytes[ECERT_ID_MAX + 1];
	uint8_t		size;
} EcertNodeId;

typedef struct EcertNodeKey
{
	EcertKeyFacts facts;
	EcertPublicKey *prepared;	/* made on first use */
	MemoryContextCallback callback; /* frees it */
} EcertNodeKey;

/* Of packages that count, but for claims; without history the node is not enrolled */
typedef struct EcertNodeState
{
	EcertNodeId id;				/* hash key, first */
	EcertNodeFacts facts;		/* of its newest package */
	EcertRoleHistory history;	/* of all its packages */
	int			key_count;
	EcertNodeKey *keys;
	int			claim_count;
	EcertNodeKey *claims;		/* keys of packages that do not count */
} EcertNodeState;

/* Seqs of the certifier's packages of a kind that verification has found false, in their order */
typedef struct EcertFalseSeqs
{
	int64	   *list;
	uint64		count;
} EcertFalseSeqs;

typedef struct EcertRegistry
{
	MemoryContext context;
	HTAB	   *nodes;			/* EcertNodeId -> EcertNodeState */
	struct EcertCoefficients *coefficients; /* of the policy in force; NULL until asked for */
	bool		has_genesis;
	bool		certifier_loaded;	/* of from_table: node packages about the certifier were looked for */
	bool		from_table;		/* looks nodes up in ledger.package when they are not in memory */
	void	   *packed;			/* looks nodes up here: what ecert_registry_unpack() was given; else NULL */
	EcertSlice	origin;
	EcertNodeId certifier;
	uint8_t		genesis_hash[ECERT_HASH_SIZE];
	EcertFalseSeqs false_seqs[ECERT_KIND_COUNT];	/* of nodes, relations and policies; not of from_table */
} EcertRegistry;

extern void ecert_registry_init(void);

/* How many transactions and subtransactions of this backend were rolled back: what was seen in them is not there */
extern uint64 ecert_rollbacks(void);

/* Who signed genesis; of size 0 when there is none */
static inline EcertSlice
ecert_certifier_of(const EcertRegistry *registry)
{
	return ecert_slice(registry->certifier.bytes, registry->certifier.size);
}

/* A node id as hash key */
extern EcertNodeId ecert_node_id(EcertSlice id);

/* Hash function for a key that begins with an EcertNodeId: of the id alone, not of the zeros behind it */
extern uint32 ecert_node_id_hash(const void *key, Size size);

/* A hash table in a context; hash is NULL where the bytes of the key decide */
extern HTAB *ecert_table(MemoryContext context, const char *name, Size key_size, Size entry_size, HashValueFunc hash);

/* The table ledger.package; where there is none, the first returns InvalidOid, the second raises EC090 */
extern Oid	ecert_find_ledger(void);
extern Oid	ecert_ledger_relid(void);

/* The cached registry of the ledger in this database; has_genesis is false when there is none */
extern EcertRegistry *ecert_registry_current(void);

/*
 * Had the key of that kid (NULL: any key) of a node ended before a time, as far
 * as the registry in memory knows, which this does not make anew?  The
 * certifier's packages are never void
 */
extern bool ecert_key_had_ended(EcertSlice node, const uint8_t *kid, int64 at);

/* Is ecert_check_issuer() content with a package, by that same registry? */
extern bool ecert_issuer_was_right(const EcertPackage *package, Snapshot as_of);

/* ecert_registry_current(), but raises EC090 when the ledger has no genesis package */
extern EcertRegistry *ecert_registry_of_ledger(void);

/* ecert_registry_current() where the table ledger.package is open already: no look at the catalogs for each package */
extern EcertRegistry *ecert_registry_of(Oid ledger_relid);

/* Tell every backend, this one included, that the registry has changed */
extern void ecert_registry_invalidate(Oid ledger_relid);

/* An empty registry that ecert_registry_apply() fills; freed with _free or with parent */
extern EcertRegistry *ecert_registry_new(MemoryContext parent);
extern void ecert_registry_free(EcertRegistry *registry);

/*
 * Take in a genesis or node package whose body has passed the schema check.
 * False, with finding filled, when a key in it is unusable or its kid is not
 * the key's thumbprint.
 */
extern bool ecert_registry_apply(EcertRegistry *registry, const EcertPackage *package, EcertFinding *finding);

/* Know the keys of a node package that does not count, beside those of its node */
extern void ecert_registry_put_claims(EcertRegistry *registry, EcertSlice body);

/* Know roles of a node, behind those of its packages before */
extern void ecert_registry_put_roles(EcertRegistry *registry, EcertSlice id, EcertRoles roles);

/*
 * A registry as one value (palloc'd), and a registry again from it, which takes
 * in a node when it is first asked for it.  _unpack raises when value is none.
 */
extern bytea *ecert_registry_pack(const EcertRegistry *registry);
extern EcertRegistry *ecert_registry_unpack(const bytea *value, MemoryContext parent);
extern EcertNodeState *ecert_registry_unpack_node(EcertRegistry *registry, const EcertNodeId *id);

/*
 * The certifier's package of a kind with that seq does not count: say so, in the
 * order of its feed, and ask.  Of a registry that verification has built; the
 * one from_table goes by ledger.finding
 */
extern void ecert_registry_put_false(EcertRegistry *registry, EcertKind kind, int64 seq);
extern bool ecert_registry_is_false(const EcertRegistry *registry, EcertKind kind, int64 seq);

/* The state of a node; NULL when no package about it is known */
extern EcertNodeState *ecert_registry_node(EcertRegistry *registry, EcertSlice id);

/* The key of a node with that kid (32 bytes), whatever its time; NULL when there is none, or node is NULL */
extern EcertNodeKey *ecert_node_key(EcertNodeState *node, EcertSlice kid);

/*
 * The key of a node with that kid, be it one that a node package claims which
 * does not count: who signed with it is known.  NULL: nobody has said that the
 * node has it
 */
extern EcertNodeKey *ecert_claimed_key(EcertNodeState *node, EcertSlice kid);

/* Do all packages of a node entitle it to a kind, so that it does not matter when one of that kind was issued? */
extern bool ecert_always_entitled(const EcertNodeState *node, EcertKind kind);

/*
 * Is the issuer known, entitled to the kind, and the key his and valid at
 * issued_at?  By the node packages that are seen as of the checkpoint that covers
 * the package first, which is looked up under that snapshot; as_of NULL: by all
 * of them.  *key is the key that it names, or NULL
 */
extern bool ecert_check_issuer(EcertRegistry *registry, const EcertPackage *package, Snapshot as_of, EcertNodeKey **key, EcertFinding *finding);

/* The same where a package is first admitted: what is revoked or rotated by now is refused whatever issued_at says */
extern bool ecert_check_issuer_now(EcertRegistry *registry, const EcertPackage *package, int64 now, EcertNodeKey **key, EcertFinding *finding);

/* The prepared form of key, made when needed; raises when it cannot be */
extern const EcertPublicKey *ecert_prepared_key(EcertRegistry *registry, EcertNodeKey *key);

/* Does the policy in force have a coefficient for every line of this energy body? */
extern bool ecert_check_coefficients(EcertRegistry *registry, EcertSlice body, EcertFinding *finding);

/* The slice's text in the server's encoding, zero-ended, for messages */
extern char *ecert_cstring(EcertSlice text);

/* Hexadecimal, for messages */
extern char *ecert_hex(EcertSlice bytes);

#endif							/* ECERT_REGISTRY_REGISTRY_H */
