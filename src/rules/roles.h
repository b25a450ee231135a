/*
 * roles.h
 *		What node packages say of a node: its roles, and when they were in force.
 */
#ifndef ECERT_RULES_ROLES_H
#define ECERT_RULES_ROLES_H

#include "core/buffer.h"

enum
{
	ECERT_ROLE_CERTIFIER = 1,
	ECERT_ROLE_APPLICANT = 2,
	ECERT_ROLE_AUDITOR = 4
};

/* What a node package says of its node */
typedef struct EcertNodeFacts
{
	int			roles;
	int64_t		effective;		/* of the package */
	int64_t		revoked_at;		/* INT64_MAX while active */
} EcertNodeFacts;

extern EcertNodeFacts ecert_node_facts(EcertSlice body);

/* The roles that one of a node's packages gives it: in force from when that was issued until the next one was */
typedef struct EcertRoles
{
	int64_t		seq;			/* in the certifier's node feed; -1: genesis */
	int64_t		issued_at;
	int			roles;
} EcertRoles;

/* Those of all packages of a node, by seq */
typedef struct EcertRoleHistory
{
	EcertRoles *list;
	size_t		count;
} EcertRoleHistory;

/* The history up to a package of that seq */
extern EcertRoleHistory ecert_roles_until(EcertRoleHistory history, int64_t last);

/*
 * The roles that a node had at a time: what is said of it later changes
 * nothing of that.  In the second of a change it has those before and behind
 * it; before its first package those of that one
 */
extern int	ecert_roles_at(const EcertRoleHistory *history, int64_t at);

#endif							/* ECERT_RULES_ROLES_H */
