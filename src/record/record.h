/*
 * record.h
 *		The table ledger.package.
 */
#ifndef ECERT_RECORD_RECORD_H
#define ECERT_RECORD_RECORD_H

#include "pg/compat.h"

#include "core/package.h"

#pragma GCC visibility push(hidden)

/* Columns of ledger.package, as ecert.create_record_tables() makes them */
enum
{
	COLUMN_ISSUER = 1,
	COLUMN_KIND,
	COLUMN_SEQ,
	COLUMN_SUBJECT,
	COLUMN_PERIOD,
	COLUMN_ISSUED_AT,
	COLUMN_HASH,
	COLUMN_PACKAGE,
	COLUMN_RECORDED_AT
};

/*
 * The package of a feed that is about a subject and has the greatest seq, as
 * ecert_present_snapshot() sees the table; palloc'd, of size 0 when there is
 * none.  relid is that of ledger.package
 */
extern EcertSlice ecert_newest_about(Oid relid, EcertSlice subject, EcertSlice issuer, EcertKind kind);

#pragma GCC visibility pop

#endif							/* ECERT_RECORD_RECORD_H */
