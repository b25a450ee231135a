/*
 * finding.c
 *		Findings as errors; see finding.h.
 */
#include "pg/finding.h"

#include "pg/arena.h"

int
ecert_finding_errcode(const EcertFinding *finding)
{
	const char *sqlstate = ecert_finding_sqlstate(finding->code);

	return MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4]);
}

char *
ecert_finding_words(const EcertFinding *finding)
{
	return pstrdup(ecert_finding_problem(finding, ecert_arena_in(CurrentMemoryContext)));
}

void
ecert_raise_finding(const EcertFinding *finding)
{
	EcertArena *arena = ecert_arena_in(CurrentMemoryContext);
	const char *detail = ecert_finding_detail(finding, arena);
	const char *hint = ecert_finding_hint(finding, arena);

	ereport(ERROR,
			(errcode(ecert_finding_errcode(finding)),
			 errmsg_internal("%s", ecert_finding_message(finding, arena)),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 hint != NULL ? errhint("%s", hint) : 0));
}
