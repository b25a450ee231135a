/*
 * fields.h
 *		Fields of bodies as the rules need them, and values as messages show
 *		them.
 */
#ifndef ECERT_VERIFIER_FIELDS_H
#define ECERT_VERIFIER_FIELDS_H

#include "verifier/arena.h"
#include "verifier/verifier.h"

/* In what role an auditor audits; the order of the names' bytes */
typedef enum AuditRole
{
	AS_DOWNSTREAM,
	AS_PEER,
	AS_UPSTREAM,
	AS_UNKNOWN
} AuditRole;

extern AuditRole audit_role(EcertSlice name);
extern const char *audit_role_name(AuditRole role);

/* Upstream reads energy, downstream product, peer both */
extern bool role_reads(AuditRole role, EcertKind kind);

/* Fields; false when there is none of that type */
extern bool field_int(EcertSlice map, const char *key, int64_t *value);
extern bool field_decimal(EcertSlice map, const char *key, EcertDecimal *value);
extern bool field_hash(EcertSlice map, const char *key, uint8_t *hash);
extern bool field_period(EcertSlice map, const char *key, EcertPeriod *period);
extern EcertSlice field_item(EcertSlice map, const char *key);

/* Is a text with that content in the array under a key */
extern bool field_has(EcertSlice map, const char *key, const char *text);

/* The node that a body names, NO_ID when the ledger does not know it */
extern uint32_t field_id(const Ledger *ledger, EcertSlice map, const char *key);

/* [{kind, first, last, hash}] under "packages" */
typedef struct Range
{
	EcertKind	kind;			/* ECERT_KIND_ENERGY, ECERT_KIND_PRODUCT; of a body that passes no schema, others */
	int64_t		first;
	int64_t		last;
	EcertSlice	hash;			/* of the last one, hex; borrowed from the body */
} Range;

extern Range *ranges_of(Arena *arena, EcertSlice body, size_t *count);

/*
 * Is there a range that ends before it begins?  That is a problem of the audit
 * that names it; what rests on the audit is one too, because PostgreSQL makes
 * no range of it, and this is what it says.
 */
extern bool has_impossible_range(const Range *ranges, size_t count);

#define IMPOSSIBLE_RANGE "range lower bound must be less than or equal to range upper bound"

/* The last seq of a kind that ranges name, -1 when none: ecert.last_used() */
extern int64_t last_used(const Range *ranges, size_t count, EcertKind kind);

/* Half open, none empty */
extern bool periods_overlap(EcertPeriod a, EcertPeriod b);
extern bool period_within(EcertPeriod inner, EcertPeriod outer);

/* Room for a period in messages, as PostgreSQL shows it in UTC */
#define PERIOD_ROOM (2 * TIME_ROOM)

extern const char *period_text(EcertPeriod period, char *text);
extern int	year_of(int64_t seconds);

#endif							/* ECERT_VERIFIER_FIELDS_H */
