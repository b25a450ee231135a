/*
 * assert.h
 *		What must hold, checked in builds that ask for it with -DECERT_CHECKS:
 *		those of the tests, and of servers that check their own assertions.
 */
#ifndef ECERT_RULES_ASSERT_H
#define ECERT_RULES_ASSERT_H

#ifdef ECERT_CHECKS
#define ECERT_ASSERT(condition) ((condition) ? (void) 0 : __builtin_trap())
#else
#define ECERT_ASSERT(condition) ((void) 0)
#endif

#endif							/* ECERT_RULES_ASSERT_H */
