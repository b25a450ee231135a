/*
 * body.h
 *		The body schema of every kind (docs/format.md), and the few body fields
 *		that admission itself reads.
 */
#ifndef ECERT_CORE_BODY_H
#define ECERT_CORE_BODY_H

#include "core/decimal.h"
#include "core/package.h"

/* Half-open [start, end), seconds since 1970 UTC; start < end */
typedef struct EcertPeriod
{
	int64_t		start;
	int64_t		end;
} EcertPeriod;

/*
 * Check a checked map against the schema of kind: required fields, types,
 * ranges, no unknown fields.  error.offset counts from the body's
 * first byte, error.field is the dotted path, e.g. "lines.quantity".  What is
 * right in form and not supported yet is refused with ECERT_RESERVED_FIELD.
 */
extern EcertCode ecert_body_check(EcertKind kind, EcertSlice body, EcertError *error);

/* What a key of a node is for: each signs one sort of thing */
typedef enum EcertKeyUse
{
	ECERT_USE_PACKAGE,
	ECERT_USE_SEAL,				/* seals, and with them receipts, and notes of checkpoints */
	ECERT_USE_WITNESS			/* cosignatures of notes */
} EcertKeyUse;

#define ECERT_USE_COUNT 3

/* Its name in the format; the other way round, false when name is none of these */
extern const char *ecert_key_use_name(EcertKeyUse use);
extern bool ecert_key_use_from_name(EcertSlice name, EcertKeyUse *use);

/* The algorithm that an item of a body is the number of; ECERT_ALG_NONE when it is of none */
extern EcertAlg ecert_alg_read(EcertSlice item);

/* The body's period; false when it has none, or one that no schema check would pass */
extern bool ecert_body_period(const EcertPackage *package, EcertPeriod *period);

/* The hash named by "replaces", of a list the first (64 hex digits to 32 bytes); false when there is none */
extern bool ecert_body_replaces(const EcertPackage *package, uint8_t *hash);

/* Lower-case hex digits to half as many bytes; false, with bytes partly written, when they are none */
extern bool ecert_hex_to_bytes(EcertSlice hex, uint8_t *bytes);

/* 64 lower-case hex digits to 32 bytes */
extern bool ecert_hex_to_hash(EcertSlice hex, uint8_t *hash);

/* A line of an energy package */
typedef struct EcertEnergyLine
{
	EcertSlice	source;
	EcertSlice	unit;
	EcertSlice	product;		/* size 0: shared by all products */
	EcertSlice	supplier;		/* size 0: not named */
	EcertSlice	point;			/* size 0: not named */
	bool		has_series;
	EcertDecimal quantity;		/* of the whole period; of a series, its sum when it fits */
	EcertSlice	series;			/* the series map, when has_series */
} EcertEnergyLine;

/* A line of a product package */
typedef struct EcertProductLine
{
	EcertSlice	product;
	EcertSlice	unit;
	EcertDecimal output;
	EcertDecimal qualified;
	bool		has_value;
	EcertDecimal value;
	EcertSlice	currency;		/* size 0: not named */
} EcertProductLine;

/* The items of the body's "lines": start here, then call the _next functions until false */
extern EcertCursor ecert_body_lines(EcertSlice body, uint64_t *count);
extern EcertCode ecert_energy_line_read(EcertSlice item, EcertEnergyLine *line);
/* The next line's source and unit alone; of size 0 where there is none */
extern void ecert_energy_line_source(EcertCursor *cursor, EcertSlice *source, EcertSlice *unit);
extern EcertCode ecert_energy_line_next(EcertCursor *cursor, EcertEnergyLine *line);
extern EcertCode ecert_product_line_next(EcertCursor *cursor, EcertProductLine *line);

/* A series: value i is mantissa[i] * 10^exponent, of the interval from start + i * step */
typedef struct EcertSeries
{
	int64_t		step;			/* seconds */
	int32_t		exponent;
	uint64_t	count;
	EcertCursor values;
} EcertSeries;

extern void ecert_series_open(EcertSlice item, EcertSeries *series);
extern int64_t ecert_series_next(EcertSeries *series);

#endif							/* ECERT_CORE_BODY_H */
