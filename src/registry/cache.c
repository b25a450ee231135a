/*
 * cache.c
 *		The registry of this database's ledger, kept in the backend; what SQL asks
 *		of it; may a node issue a kind of package, with a key, at a time?
 *
 * Other backends learn of a change through a relcache invalidation of
 * ledger.package, which is sent at commit.  The callback only marks the cache
 * stale: it may run inside any lock call.
 */
#include "registry/coefficient.h"
#include "registry/registry.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "package/datum.h"
#include "pg/error.h"
#include "record/record.h"
#include "rules/fields.h"

/* Above this many nodes in memory the cache starts again */
#define NODES_KEPT 65536

static EcertRegistry *current;
static Oid	current_relid = InvalidOid;
static bool stale = true;
static uint64 rollbacks;

static EcertQuery policy_query = {"SELECT ecert.policy()", 0, {0}, NULL};

static void
relcache_callback(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == current_relid)
		stale = true;
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_ABORT && event != XACT_EVENT_PARALLEL_ABORT)
		return;
	stale = true;
	rollbacks++;
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	stale = true;
	rollbacks++;
}

uint64
ecert_rollbacks(void)
{
	return rollbacks;
}

void
ecert_registry_init(void)
{
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

void
ecert_registry_invalidate(Oid ledger_relid)
{
	stale = true;
	CacheInvalidateRelcacheByRelid(ledger_relid);
}

/* A package of the ledger, in memory of its own */
static EcertPackage *
read_package(EcertSlice bytes)
{
	EcertPackage *package = palloc(sizeof *package);
	EcertError	error;

	if (ecert_package_parse(ecert_varlena_slice(ecert_bytea(bytes)), package, &error) != ECERT_OK)
		ecert_raise(&error, "package");
	return package;
}

static void
load_genesis(EcertRegistry *registry)
{
	EcertFinding finding;
	EcertScan	scan;

	ecert_scan_genesis(&scan, current_relid, ecert_present_snapshot());
	if (ecert_scan_next(&scan, ForwardScanDirection) &&
		!ecert_registry_apply(registry, read_package(ecert_scan_bytes(&scan, COLUMN_PACKAGE)), &finding))
		ecert_raise_finding(&finding);
	ecert_scan_end(&scan);
}

Oid
ecert_find_ledger(void)
{
	Oid			namespace = get_namespace_oid("ledger", true);

	return OidIsValid(namespace) ? get_relname_relid("package", namespace) : InvalidOid;
}

Oid
ecert_ledger_relid(void)
{
	Oid			relid = ecert_find_ledger();

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NO_LEDGER),
				 errmsg("there is no ledger in this database"),
				 errhint("Make one with ecert.create_ledger().")));
	return relid;
}

EcertRegistry *
ecert_registry_current(void)
{
	return ecert_registry_of(ecert_ledger_relid());
}

EcertRegistry *
ecert_registry_of(Oid ledger_relid)
{
	EcertRegistry *fresh;

	Assert(OidIsValid(ledger_relid));
	if (current != NULL && !stale && ledger_relid == current_relid && current->has_genesis &&
		hash_get_num_entries(current->nodes) <= NODES_KEPT)
		return current;
	/* built under the caller's memory, so that an error here leaves nothing half made */
	fresh = ecert_registry_new(CurrentMemoryContext);
	fresh->from_table = true;
	ecert_registry_free(current);
	current = NULL;
	current_relid = ledger_relid;
	stale = false;
	load_genesis(fresh);
	MemoryContextSetParent(fresh->context, CacheMemoryContext);
	current = fresh;
	return current;
}

static int
compare_seqs(const ListCell *left, const ListCell *right)
{
	const EcertPackage *a = lfirst(left);
	const EcertPackage *b = lfirst(right);

	return (a->seq > b->seq) - (a->seq < b->seq);
}

/*
 * The certifier's packages about a node that count, palloc'd; those that do not
 * leave their claims.  A query would be planned, and the planner would rather
 * walk the feed from its end, because that gives the order by seq: through all
 * nodes to the one asked for.  The scan has no choice to make.
 */
static List *
read_packages(EcertRegistry *registry, EcertSlice id)
{
	Datum		certifier = ecert_text_datum(ecert_certifier_of(registry));
	Datum		kind = ecert_kind_datum(ECERT_KIND_NODE);
	List	   *packages = NIL;
	ScanKeyData keys[2];
	EcertScan	scan;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, ecert_text_datum(id));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, kind);
	ecert_scan_begin(&scan, current_relid, AccessShareLock, ecert_present_snapshot(), "package_subject_kind_period", keys, lengthof(keys));
	while (ecert_scan_next(&scan, ForwardScanDirection))
	{
		EcertPackage *package;

		if (!ecert_slice_equal(ecert_scan_bytes(&scan, COLUMN_ISSUER), ecert_certifier_of(registry)))
			continue;
		package = read_package(ecert_scan_bytes(&scan, COLUMN_PACKAGE));
		if (ecert_found(current_relid, ecert_present_snapshot(), certifier, kind, package->seq) == ECERT_FOUND_FALSE)
			ecert_registry_put_claims(registry, package->body);
		else
			packages = lappend(packages, package);
	}
	ecert_scan_end(&scan);
	return packages;
}

/* The state of a node, as far as it is in memory */
static EcertNodeState *
find_node(EcertRegistry *registry, EcertSlice id)
{
	EcertNodeId key = ecert_node_id(id);

	return hash_search(registry->nodes, &key, HASH_FIND, NULL);
}

/* Since when has the node its keys?  From the newest package to the oldest */
static void
date_keys(EcertNodeState *node, const List *packages)
{
	for (int i = list_length(packages) - 1; node != NULL && i >= 0; i--)
	{
		const EcertPackage *package = list_nth(packages, i);
		uint64_t	count;
		EcertCursor cursor = ecert_node_keys(package->kind, package->body, &count);

		for (; count > 0; count--)
		{
			uint8_t		kid[ECERT_HASH_SIZE];
			EcertNodeKey *key = ecert_hex_to_hash(ecert_cbor_text_at(ecert_cbor_skip(&cursor), "kid"), kid) ?
				ecert_node_key(node, ecert_slice(kid, sizeof kid)) : NULL;

			if (key != NULL)
				key->facts.since = package->seq;
		}
	}
}

/* Take in the packages about a node: of all but the newest the roles alone, since the newest repeats all keys */
static void
load_node(EcertRegistry *registry, EcertSlice id)
{
	List	   *packages;
	ListCell   *cell;

	Assert(registry->from_table);
	packages = read_packages(registry, id);
	list_sort(packages, compare_seqs);
	foreach(cell, packages)
	{
		const EcertPackage *package = lfirst(cell);
		EcertFinding finding;

		if (lnext(packages, cell) != NULL)
			ecert_registry_put_roles(registry, id, (EcertRoles) {package->seq, package->issued_at, ecert_node_facts(package->body).roles});
		else if (!ecert_registry_apply(registry, package, &finding))
			ecert_raise_finding(&finding);
	}
	date_keys(find_node(registry, id), packages);
	list_free_deep(packages);
}

EcertNodeState *
ecert_registry_node(EcertRegistry *registry, EcertSlice id)
{
	EcertNodeId key = ecert_node_id(id);
	EcertNodeState *node = find_node(registry, id);
	bool		is_certifier = memcmp(&key, &registry->certifier, sizeof key) == 0;

	if (node == NULL && registry->packed != NULL)
		return ecert_registry_unpack_node(registry, &key);
	if (!registry->from_table || (node != NULL && !(is_certifier && !registry->certifier_loaded)))
		return node;
	/* genesis told of the certifier's first key only: a node package may have come since */
	if (is_certifier)
		registry->certifier_loaded = true;
	load_node(registry, id);
	return find_node(registry, id);
}

bool
ecert_always_entitled(const EcertNodeState *node, EcertKind kind)
{
	for (size_t i = 0; i < node->history.count; i++)
	{
		if ((node->history.list[i].roles & ecert_kinds[kind].issuer_role) == 0)
			return false;
	}
	return true;
}

/* What is known of the issuer; *key is the one that the package names, or NULL */
static EcertSigner
signer_of(EcertRegistry *registry, const EcertPackage *package, EcertNodeKey **key)
{
	EcertNodeState *node = ecert_registry_node(registry, package->issuer);
	EcertSigner signer = {0};

	*key = ecert_node_key(node, package->kid);
	if (node == NULL)
		return signer;
	signer.is_certifier = memcmp(&node->id, &registry->certifier, sizeof node->id) == 0;
	signer.facts = node->facts;
	signer.history = node->history;
	signer.key = *key == NULL ? NULL : &(*key)->facts;
	return signer;
}

bool
ecert_check_issuer_now(EcertRegistry *registry, const EcertPackage *package, int64 now, EcertNodeKey **key, EcertFinding *finding)
{
	EcertSigner signer = signer_of(registry, package, key);

	return ecert_check_entitled(package, registry->origin, signer.facts.roles, signer.is_certifier, finding) &&
		ecert_check_key(package, &signer.facts, signer.key, now, finding);
}

/* The last package of the certifier's node feed that the first checkpoint over a package and those before it cover; all of it where none is over it */
static int64
nodes_seen(const EcertRegistry *registry, Snapshot snapshot, const EcertPackage *package)
{
	Oid			relid = ecert_ledger_relid();
	int64		checkpoint = ecert_sealed_by(relid, snapshot, ecert_text_datum(package->issuer), ecert_kind_datum(package->kind), package->seq);

	return checkpoint == PG_INT64_MAX ? PG_INT64_MAX :
		ecert_covered(relid, snapshot, ecert_text_datum(ecert_certifier_of(registry)), ecert_kind_datum(ECERT_KIND_NODE), checkpoint);
}

bool
ecert_check_issuer(EcertRegistry *registry, const EcertPackage *package, Snapshot as_of, EcertNodeKey **key, EcertFinding *finding)
{
	EcertSigner signer = signer_of(registry, package, key);
	int64		last = as_of == NULL || signer.is_certifier || signer.history.count == 0 ? PG_INT64_MAX : nodes_seen(registry, as_of, package);

	return ecert_check_signer(package, registry->origin, &signer, last, finding);
}

bool
ecert_key_had_ended(EcertSlice id, const uint8_t *kid, int64 at)
{
	EcertNodeState *node = current == NULL ? NULL : ecert_registry_node(current, id);

	if (node == NULL || memcmp(&node->id, &current->certifier, sizeof node->id) == 0)
		return false;
	for (int i = 0; i < node->key_count; i++)
	{
		if (at > node->keys[i].facts.until && (kid == NULL || memcmp(node->keys[i].facts.kid, kid, ECERT_HASH_SIZE) == 0))
			return true;
	}
	return false;
}

bool
ecert_issuer_was_right(const EcertPackage *package, Snapshot as_of)
{
	EcertNodeKey *key;
	EcertFinding finding;

	return current == NULL || ecert_check_issuer(current, package, as_of, &key, &finding);
}

static void
load_coefficients(EcertRegistry *registry)
{
	Datum		policy = (Datum) 0;
	bool		isnull = true;

	SPI_connect();
	if (ecert_query(&policy_query, NULL, 1) > 0)
		policy = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	registry->coefficients = ecert_policy_read(registry->context, policy, isnull)->coefficients;
	SPI_finish();
}

bool
ecert_check_coefficients(EcertRegistry *registry, EcertSlice body, EcertFinding *finding)
{
	uint64_t	count;
	EcertCursor cursor = ecert_body_lines(body, &count);
	EcertSlice	last_source = {NULL, 0};
	EcertSlice	last_unit = {NULL, 0};
	EcertCoefficient coefficient;

	if (registry->coefficients == NULL)
		load_coefficients(registry);
	while (count-- > 0)
	{
		EcertSlice	source,
					unit;

		/* the body has passed the schema check: each line has both, and many the same as the line before */
		ecert_energy_line_source(&cursor, &source, &unit);
		if (ecert_slice_equal(source, last_source) && ecert_slice_equal(unit, last_unit))
			continue;
		last_source = source;
		last_unit = unit;
		if (!ecert_coefficient_find(registry->coefficients, source, unit, &coefficient))
			return ECERT_FIND(finding, ECERT_COEFFICIENT_NOT_IN_FORCE, ecert_a_text(source), ecert_a_text(unit));
	}
	return true;
}

EcertRegistry *
ecert_registry_of_ledger(void)
{
	EcertRegistry *registry = ecert_registry_current();

	if (!registry->has_genesis)
		ereport(ERROR,
				(errcode(ERRCODE_ECERT_NO_LEDGER),
				 errmsg("this ledger has no genesis package yet")));
	return registry;
}

/* forget_registry(): something was found against a package that it rests on, or is not any more */
ECERT_FUNCTION(ecert_sql_forget_registry)
{
	ecert_registry_invalidate(ecert_ledger_relid());
	PG_RETURN_VOID();
}

/* is_false(issuer, kind, seq): was something found against that package, so that it does not count? */
ECERT_FUNCTION(ecert_sql_is_false)
{
	PG_RETURN_BOOL(ecert_found(ecert_ledger_relid(), GetActiveSnapshot(), PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_INT64(2)) == ECERT_FOUND_FALSE);
}

/* origin(): the ledger's name */
ECERT_FUNCTION(ecert_sql_origin)
{
	PG_RETURN_TEXT_P(ecert_text(ecert_registry_of_ledger()->origin));
}

/* genesis_hash(): the ledger's id */
ECERT_FUNCTION(ecert_sql_genesis_hash)
{
	PG_RETURN_BYTEA_P(ecert_bytea(ecert_slice(ecert_registry_of_ledger()->genesis_hash, ECERT_HASH_SIZE)));
}

/* certifier(): the node that made the ledger */
ECERT_FUNCTION(ecert_sql_certifier)
{
	PG_RETURN_TEXT_P(ecert_text(ecert_certifier_of(ecert_registry_of_ledger())));
}
