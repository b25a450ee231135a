/*
 * compat.h
 *		Every difference between PostgreSQL 15, 16, 17 and 18 that ecert touches.
 */
#ifndef ECERT_PG_COMPAT_H
#define ECERT_PG_COMPAT_H

#include "postgres.h"
#include "fmgr.h"

#if PG_VERSION_NUM < 150000
#error "ecert needs PostgreSQL 15 or later"
#endif

/* 16 marks what a library exports; all else is hidden (Makefile) */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* A function that SQL declares: ECERT_FUNCTION(ecert_sql_name) { ... } */
#define ECERT_FUNCTION(name) \
	PG_FUNCTION_INFO_V1(name); \
	PGDLLEXPORT Datum name(PG_FUNCTION_ARGS)

/* 16 moved the varlena macros out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 has another word for it; every supported compiler knows this one, before a declaration */
#define ECERT_NORETURN __attribute__((noreturn))

/* 18 lets a module name itself */
#ifdef PG_MODULE_MAGIC_EXT
#define ECERT_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "ecert", .version = "1.0")
#else
#define ECERT_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* 18 asks whether a deferrable one will do */
#if PG_VERSION_NUM >= 180000
#define ecert_primary_key_of(relation) RelationGetPrimaryKeyIndex(relation, false)
#else
#define ecert_primary_key_of(relation) RelationGetPrimaryKeyIndex(relation)
#endif

/* 18 counts what a scan does for EXPLAIN */
#if PG_VERSION_NUM >= 180000
#define ecert_index_beginscan(table, index, snapshot, key_count) index_beginscan(table, index, snapshot, NULL, key_count, 0)
#else
#define ecert_index_beginscan(table, index, snapshot, key_count) index_beginscan(table, index, snapshot, key_count, 0)
#endif

/* 17 lets a resource owner free it; before, nothing may be raised while there is one */
#if PG_VERSION_NUM >= 170000
#define ecert_create_wait_event_set(count) CreateWaitEventSet(CurrentResourceOwner, count)
#else
#define ecert_create_wait_event_set(count) CreateWaitEventSet(CurrentMemoryContext, count)
#endif

#endif							/* ECERT_PG_COMPAT_H */
