/*
 * package.h
 *		The package: a tagged COSE_Sign1 (RFC 9052) with the header of
 *		docs/format.md.  Parsing borrows from the bytes it was given.
 */
#ifndef ECERT_CORE_PACKAGE_H
#define ECERT_CORE_PACKAGE_H

#include "core/cbor.h"
#include "core/crypto.h"

#define ECERT_PACKAGE_MAX 65535 /* bytes of a whole package */
#define ECERT_ID_MAX 200		/* bytes of a node id or origin */

/* Latest time, 9999-12-31 23:59:59 UTC, in seconds since 1970 */
#define ECERT_TIME_MAX INT64_C(253402300799)

/* The kinds, in the order of docs/format.md, as the code and the format name them; what else is said of each is in rules/kinds.c */
#define ECERT_KINDS(KIND) \
	KIND(GENESIS, genesis) \
	KIND(NODE, node) \
	KIND(RELATION, relation) \
	KIND(POLICY, policy) \
	KIND(POINT, point) \
	KIND(ENERGY, energy) \
	KIND(PRODUCT, product) \
	KIND(AUDIT, audit) \
	KIND(CERTIFICATE, certificate) \
	KIND(STATUS, status) \
	KIND(REWARD, reward) \
	KIND(CHECKPOINT, checkpoint) \
	KIND(WITNESS, witness)

/* Kinds of later versions, which are refused as such */
#define ECERT_RESERVED_KINDS \
	"variable", "plan", "adjustment", "timestamp", "disclosure", "erasure", "intensity", "benchmark"

/* ECERT_KIND_GENESIS, ECERT_KIND_NODE ... */
#define ECERT_KIND_CODE(CODE, name) ECERT_KIND_##CODE,
typedef enum EcertKind
{
	ECERT_KINDS(ECERT_KIND_CODE)
} EcertKind;

#define ECERT_KIND_ONE(CODE, name) + 1
#define ECERT_KIND_COUNT (0 ECERT_KINDS(ECERT_KIND_ONE))

/* Parts of a package that are bytes of it */
#define ECERT_PACKAGE_PARTS 11

/* What the signed header says, and where the parts are */
typedef struct EcertPackage
{
	union
	{
		EcertSlice	parts[ECERT_PACKAGE_PARTS];
		struct
		{
			EcertSlice	bytes;	/* the whole package */
			EcertSlice	protected_header;	/* content of the protected bstr */
			EcertSlice	body;	/* content of the payload bstr: one CBOR map */
			EcertSlice	signature;	/* of the size of its algorithm, and in strict form */
			EcertSlice	kid;	/* 32 bytes */
			EcertSlice	issuer;
			EcertSlice	subject;
			EcertSlice	audience;	/* the ledger's origin */
			EcertSlice	prev;	/* 32 bytes; of size 0 in the genesis package only */
			EcertSlice	period_item;	/* the body's "period", unchecked; of size 0 where it has none.  See body.h */
			EcertSlice	replaces_item;	/* the body's "replaces", likewise */
		};
	};
	EcertAlg	alg;
	EcertKind	kind;
	int64_t		issued_at;		/* seconds since 1970 UTC, 0 .. ECERT_TIME_MAX */
	int64_t		seq;
} EcertPackage;

_Static_assert(offsetof(EcertPackage, alg) == ECERT_PACKAGE_PARTS * sizeof(EcertSlice), "parts holds every slice of a package");

extern const char *ecert_kind_name(EcertKind kind);

/* False when name is no kind */
extern bool ecert_kind_from_name(EcertSlice name, EcertKind *kind);

/* Write a package of these parts, with its empty unprotected header */
extern void ecert_package_put(EcertBuffer *out, EcertSlice protected_header, EcertSlice body, EcertSlice signature);

/* A kind of a later version */
extern bool ecert_kind_is_reserved(EcertSlice name);

/* 1..200 bytes of UTF-8 without characters of Unicode categories Cc, Cf, Zl and Zp */
extern bool ecert_id_valid(EcertSlice id);

/* The first character of a text that is not empty, and its bytes.  It is seen unless it is of those categories, or a byte that is no UTF-8 */
typedef struct EcertCharacter
{
	uint32_t	point;
	size_t		size;
	bool		is_seen;
} EcertCharacter;

extern EcertCharacter ecert_character(EcertSlice text);

/*
 * Check size and strict form and take the header apart.  The body is checked
 * to be one deterministic map without byte strings; its schema is
 * ecert_body_check()'s business, the signature ecert_package_verify()'s.
 * ECERT_UNKNOWN_ALG: the package is as it has to be, and filled, as far as can
 * be told without knowing its algorithm
 */
extern EcertCode ecert_package_parse(EcertSlice bytes, EcertPackage *package, EcertError *error);

/* The same, without the checks of form, for the very bytes that ecert_package_parse() has taken before */
extern EcertCode ecert_package_parse_again(EcertSlice bytes, EcertPackage *package);

/* Let the parts of a package that was parsed point into a copy of its bytes */
extern void ecert_package_move(EcertPackage *package, const uint8_t *copy);

/* The body alone of such bytes; of size 0 when they are no package */
extern EcertSlice ecert_package_body_again(EcertSlice bytes);

/*
 * Make a checked map the body, and note where its period and what it replaces
 * are: they are asked for time and again, and lie behind lines that may be many
 */
extern void ecert_package_set_body(EcertPackage *package, EcertSlice body);

/* SHA-256(0x00 || package): RFC 9162 leaf hash, 32 bytes */
extern EcertCode ecert_package_hash(EcertSlice bytes, uint8_t *hash);

/* The Sig_structure of RFC 9052 section 4.4, external_aad empty */
extern void ecert_package_signed_bytes(EcertSlice protected_header, EcertSlice body, EcertBuffer *out);

/* Verify the signature; scratch needs room for the package's size + 32 bytes */
extern EcertCode ecert_package_verify(const EcertPackage *package, const EcertPublicKey *key,
									  EcertBuffer scratch);

/* Write the protected header of package (alg, kind, kid, ids, issued_at, seq, prev are read) */
extern void ecert_package_put_header(EcertBuffer *out, const EcertPackage *package);

/*
 * Write a whole signed package from the fields of template and its body: the
 * header is encoded, signed with key (whose alg and kid replace the
 * template's) and joined.  out needs room for ECERT_PACKAGE_MAX bytes, scratch
 * for ECERT_PACKAGE_MAX + 32.  ECERT_TOO_LARGE when the result is over the
 * limit.
 */
extern EcertCode ecert_package_sign(const EcertPackage *template_package, const EcertPrivateKey *key,
									EcertBuffer *out, EcertBuffer scratch);

/* RFC 9679 SHA-256 thumbprint of a public key: the kid */
extern EcertCode ecert_key_thumbprint(EcertAlg alg, EcertSlice raw, uint8_t *kid);

#endif							/* ECERT_CORE_PACKAGE_H */
