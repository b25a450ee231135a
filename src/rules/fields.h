/*
 * fields.h
 *		Fields of bodies as the rules read them.
 */
#ifndef ECERT_RULES_FIELDS_H
#define ECERT_RULES_FIELDS_H

#include "core/body.h"
#include "core/note.h"
#include "rules/arena.h"

/* In what role an auditor audits; the order of the names' bytes */
typedef enum EcertAuditRole
{
	ECERT_AS_DOWNSTREAM,
	ECERT_AS_PEER,
	ECERT_AS_UPSTREAM,
	ECERT_AS_UNKNOWN
} EcertAuditRole;

/* The place of a name in a list of count; count when it is not there */
extern size_t ecert_place_of(const char *const *names, size_t count, EcertSlice name);

extern EcertAuditRole ecert_audit_role(EcertSlice name);
extern const char *ecert_audit_role_name(EcertAuditRole role);

/* The kinds that are audited and assessed: energy and product */
extern const EcertKind ecert_declared_kinds[2];

/* Upstream reads energy, downstream product, peer both */
extern bool ecert_role_reads(EcertAuditRole role, EcertKind kind);

/* Fields; false when there is none of that type */
extern bool ecert_field_int(EcertSlice map, const char *key, int64_t *value);
extern bool ecert_field_decimal(EcertSlice map, const char *key, EcertDecimal *value);
extern bool ecert_field_hash(EcertSlice map, const char *key, uint8_t *hash);
extern bool ecert_field_period(EcertSlice map, const char *key, EcertPeriod *period);
extern EcertAlg ecert_field_alg(EcertSlice map);	/* "alg", whichever of its numbers is written; ECERT_ALG_NONE: none */
extern EcertSlice ecert_field_item(EcertSlice map, const char *key);
extern bool ecert_field_is_true(EcertSlice map, const char *key);
extern bool ecert_field_is(EcertSlice map, const char *key, const char *text);

/* The keys that a node package lists, or a genesis package for the certifier; none of other kinds */
extern EcertCursor ecert_node_keys(EcertKind kind, EcertSlice body, uint64_t *count);

/* Sort texts in byte order, and give the first that is there twice; NULL: none is */
extern const EcertSlice *ecert_find_twice(EcertSlice *texts, size_t count);

/* Is a text with that content in the array under a key */
extern bool ecert_field_has(EcertSlice map, const char *key, const char *text);

/* A range of an applicant's feed, of [{kind, first, last, hash}] under a key: what an audit checked, what a certificate rests on */
typedef struct EcertRange
{
	EcertKind	kind;			/* ECERT_KIND_GENESIS: none that is audited, in a body that passes no schema */
	int64_t		first;			/* more than last: an impossible range, which covers nothing */
	int64_t		last;
	EcertSlice	hash;			/* of the last one, hex; borrowed from the body */
} EcertRange;

typedef struct EcertRanges
{
	EcertRange *list;
	size_t		count;
} EcertRanges;

extern EcertRanges ecert_ranges_of(EcertArena *arena, EcertSlice body, const char *key);
extern bool ecert_ranges_contain(const EcertRanges *ranges, EcertKind kind, int64_t seq);

/* A set of seqs is intervals */
typedef struct EcertInterval
{
	int64_t		first;
	int64_t		last;
} EcertInterval;

/* In order, neither overlapping nor touching.  Starts as zeros but for the arena */
typedef struct EcertSeqs
{
	EcertArena *arena;
	EcertInterval *list;
	size_t		count;
	size_t		room;
} EcertSeqs;

/* first <= last */
extern void ecert_seqs_add(EcertSeqs *seqs, int64_t first, int64_t last);
extern bool ecert_seqs_contain(const EcertSeqs *seqs, int64_t first, int64_t last);
extern bool ecert_seqs_equal(const EcertSeqs *a, const EcertSeqs *b);

/* The seqs of a kind that ranges name; impossible ranges name none */
extern void ecert_seqs_add_ranges(EcertSeqs *seqs, const EcertRanges *ranges, EcertKind kind);

/* Half open, none empty */
static inline bool
ecert_periods_overlap(EcertPeriod a, EcertPeriod b)
{
	return a.start < b.end && b.start < a.end;
}

static inline bool
ecert_period_within(EcertPeriod inner, EcertPeriod outer)
{
	return inner.start >= outer.start && inner.end <= outer.end;
}

/* The one line of a cosignature, in a witness's body without its end; false when it is none */
extern bool ecert_cosignature_read(EcertSlice line, EcertArena *arena, EcertNoteSignature *signature);

#endif							/* ECERT_RULES_FIELDS_H */
