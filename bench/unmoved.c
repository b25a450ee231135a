/*
 * unmoved.c
 *		ledger/moved.c with nothing in it: ecert linked with this in its place
 *		notes no feed that has moved.  For section moved of the measurements,
 *		which weighs what a commit pays for that; nothing could be sealed on it.
 */
#include "postgres.h"

#include "ledger/ledger.h"

void
ecert_moved_init(void)
{
}

void
ecert_moved(EcertSlice issuer, EcertKind kind)
{
	(void) issuer;
	(void) kind;
}
