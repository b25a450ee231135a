/*
 * datum.h
 *		SQL values from and to packages.
 */
#ifndef ECERT_PACKAGE_DATUM_H
#define ECERT_PACKAGE_DATUM_H

#include "pg/compat.h"

#include "core/body.h"
#include "core/package.h"
#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* The bytes of a detoasted varlena */
static inline EcertSlice
ecert_varlena_slice(const struct varlena *value)
{
	return ecert_slice(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

extern bytea *ecert_bytea(EcertSlice bytes);

/* text of UTF-8 bytes, in the server's encoding */
extern text *ecert_text(EcertSlice bytes);

/* What the output function of a type of bytes returns: \x and hexadecimal, as bytea's */
extern Datum ecert_bytes_out(EcertSlice bytes);

/* Set one column of a row; NULL when the text is empty, or the number is NULL */
extern void ecert_set_text(Datum *value, bool *isnull, EcertSlice content);
extern void ecert_set_number(Datum *value, bool *isnull, Numeric number);

/* Seconds since 1970 to timestamptz and back (rounded down) */
extern TimestampTz ecert_timestamp(int64 seconds);
extern int64 ecert_seconds(TimestampTz timestamp);

/* tstzrange [start, end) */
extern Datum ecert_period_datum(EcertPeriod period);

/*
 * A tstzrange in seconds: the periods of packages that lie in it lie in that.
 * False when it has not both bounds, which then reach as far as seconds do.  An
 * empty one, and an argument that is NULL, are from 0 to 0
 */
extern bool ecert_period_of(Datum range, EcertPeriod *period);
extern bool ecert_period_argument(FunctionCallInfo fcinfo, int number, EcertPeriod *period);

/* numeric that keeps the decimal's digits */
extern Numeric ecert_numeric(EcertDecimal decimal);

/* ecert_package_parse(), which costs nothing when the bytes are those it was called with last.  error is not NULL */
extern EcertCode ecert_package_read(EcertSlice bytes, EcertPackage *package, EcertError *error);

/* Parse the package of a Datum; raises EC001 and the like.  The result borrows from the Datum's copy */
extern void ecert_package_of(Datum datum, EcertPackage *package);

/* The body of a package of the type, whose bytes every way in has checked; the result borrows from the Datum's copy */
extern EcertSlice ecert_body_of(Datum datum);

/* Raise EC003 when a line could not be read; of a body that has passed the schema check none */
extern void ecert_check_line(EcertCode code, uint64 line);

/* The map of an ecert.package_line; *number is its place in the package, from 1 */
extern EcertSlice ecert_line_of(Datum datum, int32 *number);

/* ecert_package_hash() that raises when the crypto library fails */
extern void ecert_hash_of(EcertSlice package, uint8_t *hash);

/* body <-> jsonb; raise on what has no equal on the other side.  Bodies are palloc'd */
extern Jsonb *ecert_body_to_jsonb(EcertSlice body);
extern EcertSlice ecert_jsonb_to_body(Jsonb *document);

/*
 * The public key of a PEM text, its algorithm and its thumbprint; raises EC095 when it is
 * none.  The one asked for last is kept: a query checks many rows under one
 * key.
 */
extern const EcertPublicKey *ecert_public_key_of(EcertSlice pem, EcertAlg *alg, EcertSlice *kid);

/* Is the setting of this node's key for a use set? */
extern bool ecert_has_own_key(EcertKeyUse use);

/* This node's private key for a use, which stays loaded at least until the setting changes; raises EC094 */
extern const EcertPrivateKey *ecert_own_key(EcertKeyUse use);

/* Sign template's header and body with this node's key; raises EC094.  The result is palloc'd */
extern bytea *ecert_sign_here(const EcertPackage *template_package);

/* A use by its name in SQL; raises 22023 for another */
extern EcertKeyUse ecert_key_use_argument(text *name);

/* Public half of this node's key for a use; raises EC094 */
extern void ecert_own_public_key(EcertKeyUse use, EcertAlg *alg, uint8_t *raw, size_t *raw_size);

/* ecert.node; raises EC093 when it is not set or no valid id */
extern EcertSlice ecert_this_node(void);

#endif							/* ECERT_PACKAGE_DATUM_H */
