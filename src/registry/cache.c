/*
 * cache.c
 *		The registry of this database's ledger, kept in the backend.
 *
 * Other backends learn of a change through a relcache invalidation of
 * ledger.package, which is sent at commit.  The callback only marks the cache
 * stale: it may run inside any lock call.
 */
#include "registry/coefficient.h"
#include "registry/registry.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "package/datum.h"
#include "pg/error.h"
#include "record/record.h"

/* Above this many nodes in memory the cache starts again */
#define NODES_KEPT 65536

static EcertRegistry *current;
static Oid	current_relid = InvalidOid;
static bool stale = true;

static EcertQuery genesis_query = {
	"SELECT package FROM ledger.package WHERE kind OPERATOR(pg_catalog.=) 'genesis'", 0, {0}, NULL
};
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
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT)
		stale = true;
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		stale = true;
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

/* The package in the first row of the result; it lives as long as the SPI result */
static void
package_in_result(EcertPackage *package)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

	ecert_package_of(value, package);
}

static void
load_genesis(EcertRegistry *registry)
{
	EcertPackage package;
	EcertFinding finding;

	SPI_connect();
	if (ecert_query(&genesis_query, NULL, 1) > 0)
	{
		package_in_result(&package);
		if (!ecert_registry_apply(registry, &package, &finding))
			ecert_raise_finding(&finding);
	}
	SPI_finish();
}

Oid
ecert_ledger_relid(void)
{
	Oid			namespace = get_namespace_oid("ledger", true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid("package", namespace) : InvalidOid;

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

/* Take in the newest package about a node, when there is one */
static void
load_node(EcertRegistry *registry, EcertSlice id)
{
	EcertSlice	certifier = ecert_slice(registry->certifier.bytes, registry->certifier.size);
	EcertSlice	bytes;
	EcertPackage package;
	EcertFinding finding;
	EcertError	error;

	Assert(registry->from_table);
	bytes = ecert_newest_about(current_relid, id, certifier, ECERT_KIND_NODE);
	if (bytes.size == 0)
		return;
	if (ecert_package_read(bytes, &package, &error) != ECERT_OK)
		ecert_raise(&error, "package");
	if (!ecert_registry_apply(registry, &package, &finding))
		ecert_raise_finding(&finding);
}

EcertNodeState *
ecert_registry_node(EcertRegistry *registry, EcertSlice id)
{
	EcertNodeId key = ecert_node_id(id);
	EcertNodeState *node = hash_search(registry->nodes, &key, HASH_FIND, NULL);
	bool		is_certifier = memcmp(&key, &registry->certifier, sizeof key) == 0;

	if (node == NULL && registry->packed != NULL)
		return ecert_registry_unpack_node(registry, &key);
	if (!registry->from_table || (node != NULL && !(is_certifier && !registry->certifier_loaded)))
		return node;
	/* genesis told of the certifier's first key only: a node package may have come since */
	if (is_certifier)
		registry->certifier_loaded = true;
	load_node(registry, id);
	return hash_search(registry->nodes, &key, HASH_FIND, NULL);
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
