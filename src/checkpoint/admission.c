/*
 * admission.c
 *		What the tree has to say of a checkpoint at admission, beyond the rule of
 *		its kind.
 */
#include "checkpoint/tree.h"

#include "catalog/pg_type.h"

#include "package/datum.h"
#include "rules/fields.h"

static EcertQuery sealing_query = {"SELECT ecert.check_sealing($1::ecert.package)", 1, {BYTEAOID}, NULL};

/* Leaves that the checkpoint before makes; 1, genesis, before the first */
static int64
size_before(const EcertPackage *package)
{
	EcertFeedRow before;
	int64		size = 1;

	if (package->seq > 0 && ecert_feed_rows(package->issuer, package->kind, package->seq - 1, &before, 1) == 1 &&
		before.head.seq == package->seq - 1 && !ecert_field_int(ecert_package_body_again(before.bytes), "size", &size))
		size = 1;
	return size;
}

/*
 * Its size grows with its heads.  From a peer it is a statement of the
 * certifier whatever this ledger makes of it, and admitted; where it is first
 * admitted, size and root are those of the packages that it covers.
 */
static bool
admit_checkpoint(const EcertPackage *package, bool first_admission, EcertFinding *finding)
{
	Datum		value = PointerGetDatum(ecert_bytea(package->bytes));
	int64		before = size_before(package);
	uint64_t	head_count;
	int64		size;

	(void) ecert_cbor_items_at(package->body, "heads", &head_count);
	(void) ecert_field_int(package->body, "size", &size);
	if (size - before < (int64) head_count)
		return ECERT_FIND(finding, ECERT_CHECKPOINT_SIZE, ecert_a_number(size), ecert_a_number(before));
	if (!first_admission)
		return true;
	SPI_connect();
	(void) ecert_query(&sealing_query, &value, 0);
	SPI_finish();
	return true;
}

void
ecert_checkpoint_init(void)
{
	ecert_set_admission_hook(ECERT_KIND_CHECKPOINT, admit_checkpoint);
}
