/*
 * lock.c
 *		Locks by name between sessions of a database.
 *
 * They are in the server's table of locks beside those of pg_advisory_lock(),
 * which everybody may call, in a class of their own: whoever may not execute
 * these functions can neither take nor keep one, and so stops nobody's duties.
 */
#include "pg/compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"

/* pg_advisory_lock() takes locks of the classes 1 and 2; pg_locks shows it as objsubid */
#define LOCK_CLASS 0xEC

static LOCKTAG
tag_of(text *name)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, hash_bytes((const unsigned char *) VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name)), LOCK_CLASS);
	return tag;
}

/* take_lock(name, is_shared) */
ECERT_FUNCTION(ecert_sql_take_lock)
{
	LOCKTAG		tag = tag_of(PG_GETARG_TEXT_PP(0));

	(void) LockAcquire(&tag, PG_GETARG_BOOL(1) ? ShareLock : ExclusiveLock, false, false);
	PG_RETURN_VOID();
}

/* try_lock(name, for_session); a session that has it does not take it again */
ECERT_FUNCTION(ecert_sql_try_lock)
{
	bool		for_session = PG_GETARG_BOOL(1);
	LOCKTAG		tag = tag_of(PG_GETARG_TEXT_PP(0));
	LockAcquireResult result = LockAcquire(&tag, ExclusiveLock, for_session, true);

	if (for_session && result == LOCKACQUIRE_ALREADY_HELD)
		(void) LockRelease(&tag, ExclusiveLock, true);
	PG_RETURN_BOOL(result != LOCKACQUIRE_NOT_AVAIL);
}

/* release_lock(name) */
ECERT_FUNCTION(ecert_sql_release_lock)
{
	LOCKTAG		tag = tag_of(PG_GETARG_TEXT_PP(0));

	(void) LockRelease(&tag, ExclusiveLock, true);
	PG_RETURN_VOID();
}
