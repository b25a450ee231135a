/*
 * admit.c
 *		What is asked of a checkpoint where it is admitted behind the rule of its
 *		kind, and what happens behind it: which sealing it continues, what that
 *		covers.
 */
#include "checkpoint/tree.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "ledger/view.h"
#include "package/datum.h"
#include "pg/error.h"
#include "rules/fields.h"
#include "rules/sealing.h"

static EcertQuery sealing_query = {"SELECT ecert.check_sealing($1::ecert.package)", 1, {BYTEAOID}, NULL};
static EcertQuery cover_query = {
	"SELECT ecert.cover_sealing($1)"
	" WHERE NOT EXISTS (SELECT FROM ledger.sealing s WHERE s.checkpoint_seq OPERATOR(pg_catalog.=) $1)", 1, {INT8OID}, NULL
};
static EcertQuery late_query = {"SELECT ecert.note_late($1)", 1, {INT8OID}, NULL};
static EcertQuery settle_query = {"SELECT ecert.settle_covered($1)", 1, {INT8OID}, NULL};
static EcertQuery last_sealing_query = {
	"SELECT r.checkpoint_seq FROM ledger.leaf_range r WHERE r.checkpoint_seq OPERATOR(pg_catalog.<) $1"
	" ORDER BY r.checkpoint_seq DESC, r.first_index DESC LIMIT 1", 1, {INT8OID}, NULL
};
static EcertQuery last_end_query = {
	"SELECT s.checkpoint_seq FROM ledger.sealing s WHERE s.checkpoint_seq OPERATOR(pg_catalog.<) $1"
	" AND (s.sealing_seq IS NULL OR s.sealing_seq OPERATOR(pg_catalog.=) s.checkpoint_seq) ORDER BY s.checkpoint_seq DESC LIMIT 1", 1, {INT8OID}, NULL
};
static EcertQuery taken_up_query = {"SELECT COALESCE(pg_catalog.max(checkpoint_seq), -1) FROM ledger.sealing", 0, {0}, NULL};
static EcertQuery take_up_query = {"SELECT ecert.take_up_behind()", 0, {0}, NULL};

/* Trigger behind a checkpoint, wherever it comes from: as the ledger's owner, whose the tables are */
ECERT_FUNCTION(ecert_take_up_new)
{
	EcertPackage package;
	EcertUser	before;

	ecert_inserted_package(fcinfo, "ecert.take_up_new()", &package);
	if (package.kind != ECERT_KIND_CHECKPOINT)
		return PointerGetDatum(NULL);
	before = ecert_become(ecert_ledger_owner());
	/* what it covers is known at once, its root when all of that is here */
	(void) ecert_run(&cover_query, &(Datum) {Int64GetDatum(package.seq)});
	/* from a peer: when what was refused before, and it covers, has been judged again */
	if (!ecert_is_settling())
	{
		(void) ecert_run(&late_query, &(Datum) {Int64GetDatum(package.seq)});
		(void) ecert_run(&take_up_query, NULL);
	}
	ecert_restore_user(before);
	return PointerGetDatum(NULL);
}

/* Is it the last package of its feed that a checkpoint covers, or, where it may be of another story, any that one covers? */
static bool
may_complete(const EcertPackage *package, bool may_be_story)
{
	Snapshot	snapshot = ecert_present_snapshot();
	Datum		issuer = ecert_text_datum(package->issuer);
	Datum		kind = ecert_kind_datum(package->kind);
	int64		checkpoint = ecert_sealed_by(ecert_ledger_relid(), snapshot, issuer, kind, package->seq);

	return checkpoint != PG_INT64_MAX &&
		(may_be_story || ecert_covered(ecert_ledger_relid(), snapshot, issuer, kind, checkpoint) == package->seq);
}

/*
 * Behind a package from a peer: a checkpoint has those that it covers judged
 * again; the last of what one covers may have it computed, and so may one that
 * was refused where it covers the story that this node does not hold
 */
static bool
settled(const EcertPackage *package, EcertSettled outcome)
{
	Datum		seq = Int64GetDatum(package->seq);

	if (package->kind == ECERT_KIND_CHECKPOINT && outcome == ECERT_SETTLED_ADMITTED)
		(void) ecert_query(&settle_query, &seq, 0);
	else if (!may_complete(package, outcome == ECERT_SETTLED_QUARANTINED))
		return false;
	(void) ecert_query(&take_up_query, NULL, 0);
	return true;
}

static int64
taken_up(void)
{
	bool		isnull;
	int64		seq;

	SPI_connect();
	if (ecert_query(&taken_up_query, NULL, 1) != 1)
		elog(ERROR, "the last row of ledger.sealing is not one row");
	seq = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return seq;
}

/* The seq that a query finds before another; -1: none */
static int64
seq_before(EcertQuery *query, int64 seq)
{
	Datum		value = Int64GetDatum(seq);
	int64		found = -1;
	bool		isnull;

	SPI_connect();
	if (ecert_query(query, &value, 1) > 0)
		found = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return found;
}

/* The sealing that a checkpoint goes on from, palloc'd, since findings borrow from it; behind what is taken up none is incomplete */
static EcertSealing *
sealing_before(int64 seq)
{
	EcertLedgerRules *ledger = ecert_ledger_rules(CurrentMemoryContext, ECERT_SEE_PRESENT, NULL);
	EcertSealing *sealing = palloc(sizeof *sealing);

	ecert_sealing_before(&ledger->view, ledger->rules.arena, seq_before(&last_end_query, seq) + 1, seq, sealing);
	return sealing;
}

/* sealing_at(checkpoint_seq, OUT first_seq, OUT last_seq, OUT problem): seqs of the parts of its sealing, or why it continues none */
ECERT_FUNCTION(ecert_sql_sealing_at)
{
	int64		seq = PG_GETARG_INT64(0);
	EcertHead	head;
	EcertSlice	bytes;
	EcertPackage package;
	EcertCheckpoint checkpoint;
	EcertSealing *sealing;
	EcertFinding finding;
	TupleDesc	description;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	ecert_feed_read(ecert_certifier_of(ecert_registry_current()), ECERT_KIND_CHECKPOINT, seq, seq, &head, &bytes);
	if (head.seq != seq || ecert_package_parse_again(bytes, &package) != ECERT_OK)
		PG_RETURN_NULL();
	ecert_checkpoint_of(&package, &checkpoint);
	sealing = sealing_before(seq);
	nulls[2] = ecert_sealing_take(sealing, seq, package.issued_at, &checkpoint, &finding);
	if (nulls[2])
	{
		nulls[0] = nulls[1] = false;
		values[0] = Int64GetDatum(sealing->first);
		values[1] = Int64GetDatum(sealing->first + checkpoint.parts - 1);
	}
	else
		values[2] = CStringGetTextDatum(ecert_finding_words(&finding));
	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

/* Leaves that the checkpoint makes from which this one goes on, the part before it or the last of the sealing before; 1, genesis, where there is none */
static int64
size_before(const EcertPackage *package, const EcertCheckpoint *checkpoint)
{
	int64		seq = checkpoint->part > 1 ? package->seq - 1 : seq_before(&last_sealing_query, package->seq);
	int64		size = 1;
	EcertHead	before;
	EcertSlice	bytes;

	if (seq < 0)
		return size;
	ecert_feed_read(package->issuer, package->kind, seq, seq, &before, &bytes);
	if (before.seq == seq && !ecert_field_int(ecert_package_body_again(bytes), "size", &size))
		size = 1;
	return size;
}

/*
 * Its size grows with its heads.  From a peer it is a statement of the
 * certifier whatever this ledger makes of it, and admitted; where it is first
 * admitted, it goes on from the one before it, and size and root are those of
 * the packages that it covers.
 */
static bool
admit_checkpoint(const EcertPackage *package, bool first_admission, EcertFinding *finding)
{
	Datum		value = PointerGetDatum(ecert_bytea(package->bytes));
	EcertCheckpoint checkpoint;
	int64		before;

	ecert_checkpoint_of(package, &checkpoint);
	if (!ecert_sealing_take(sealing_before(package->seq), package->seq, package->issued_at, &checkpoint, finding))
		return !first_admission;
	before = size_before(package, &checkpoint);
	if ((int64) checkpoint.size - before < (int64) checkpoint.head_count)
		return ECERT_FIND(finding, ECERT_CHECKPOINT_SIZE, ecert_a_number((int64) checkpoint.size), ecert_a_number(before));
	if (first_admission)
		(void) ecert_run(&sealing_query, &value);
	return true;
}

void
ecert_checkpoint_init(void)
{
	ecert_set_admission_hook(ECERT_KIND_CHECKPOINT, admit_checkpoint);
	ecert_add_settled_hook(settled);
	ecert_set_taken_up_hook(taken_up);
}
