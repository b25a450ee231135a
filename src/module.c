/*
 * module.c
 *		What happens when the server loads the library: the only file that knows
 *		every folder.
 */
#include "pg/compat.h"
#include "fmgr.h"

#include "certificate/standing.h"
#include "checkpoint/tree.h"
#include "duty/duty.h"
#include "ledger/ledger.h"
#include "pg/guc.h"
#include "pg/line.h"
#include "registry/registry.h"

ECERT_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	ecert_guc_init();
	ecert_line_init();
	ecert_registry_init();
	ecert_append_init();
	ecert_feed_init();
	ecert_moved_init();
	ecert_peer_init();
	ecert_checkpoint_init();
	ecert_standing_init();
	ecert_guard_init();
	ecert_worker_init();
}
