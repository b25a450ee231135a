/*
 * guc.c
 *		Defines the settings.
 */
#include "pg/guc.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "core/package.h"

char	   *ecert_node;
char	   *ecert_signing_key;
char	   *ecert_seal_key;
char	   *ecert_witness_key;
char	   *ecert_passphrase_command;
int			ecert_max_clock_skew;
bool		ecert_allow_ledger_ddl;
int			ecert_peer_timeout;
int			ecert_worker_interval;
char	   *ecert_worker_database;

/* Read by SQL alone */
static bool sign_unconfirmed;
static bool is_preloaded;
static char *packing_delay;
static int	checkpoint_interval;

/* Checks run wherever a setting is read, in the postmaster too: they raise nothing, and ask no catalog */

static bool
check_node(char **value, void **extra, GucSource source)
{
	if (**value == '\0' || ecert_id_valid(ecert_slice_text(*value)))
		return true;
	GUC_check_errdetail("A node id has 1 to %d bytes of UTF-8, without control, format and line-separating characters.", ECERT_ID_MAX);
	return false;
}

/* Of files, URIs and commands: they may come to be later, but are one line */
static bool
check_line(char **value, void **extra, GucSource source)
{
	for (const char *c = *value; *c != '\0'; c++)
	{
		if ((unsigned char) *c < 0x20 || *c == 0x7F)
		{
			GUC_check_errdetail("It is one line, without control characters.");
			return false;
		}
	}
	return true;
}

/* An interval that is not negative, and has an end.  interval_in() would raise */
static bool
check_delay(char **value, void **extra, GucSource source)
{
	char		work[MAXDATELEN * 4];
	char	   *fields[MAXDATEFIELDS];
	int			types[MAXDATEFIELDS];
	int			count;
	int			type;
	struct pg_itm_in interval = {0};
	int			code = ParseDateTime(*value, work, sizeof work, fields, types, MAXDATEFIELDS, &count);

	if (code == 0)
		code = DecodeInterval(fields, types, count, INTERVAL_FULL_RANGE, &type, &interval);
	if (code == DTERR_BAD_FORMAT)
		code = DecodeISO8601Interval(*value, &type, &interval);
	if (code == 0 && type == DTK_DELTA && interval.tm_usec >= 0 && interval.tm_mday >= 0 && interval.tm_mon >= 0 && interval.tm_year >= 0)
		return true;
	GUC_check_errdetail("It is an interval that is not negative.");
	GUC_check_errhint("For instance 0, 36 hours, or 5 days.");
	return false;
}

/* Names of databases, which may be made later */
static bool
check_databases(char **value, void **extra, GucSource source)
{
	char	   *list = pstrdup(*value);
	List	   *names = NIL;
	bool		is_right = SplitIdentifierString(list, ',', &names);
	const char *twice = NULL;
	ListCell   *cell;

	foreach(cell, names)
	{
		for (int i = 0; i < foreach_current_index(cell) && twice == NULL; i++)
		{
			if (strcmp(list_nth(names, i), lfirst(cell)) == 0)
				twice = lfirst(cell);
		}
	}
	if (!is_right)
		GUC_check_errdetail("It is a list of names of databases, separated by commas.");
	else if (twice != NULL)
		GUC_check_errdetail("Database \"%s\" is there twice.", twice);
	list_free(names);
	pfree(list);
	return is_right && twice == NULL;
}

void
ecert_guc_init(void)
{
	DefineCustomStringVariable("ecert.node",
							   "The id of the node that this server, or session, acts as.",
							   "Packages made here are issued under this id; its key is ecert.signing_key.",
							   &ecert_node, "", PGC_USERSET, 0, check_node, NULL, NULL);
	DefineCustomStringVariable("ecert.signing_key",
							   "The private key of this node: a PEM file or an OSSL_STORE URI.",
							   "Read by the server when a package is signed; never stored in the database.",
							   &ecert_signing_key, "", PGC_SUSET, GUC_SUPERUSER_ONLY, check_line, NULL, NULL);
	DefineCustomStringVariable("ecert.seal_key",
							   "The certifier's private key for checkpoints and receipts: a PEM file or an OSSL_STORE URI.",
							   "Another key than ecert.signing_key; other nodes need none.",
							   &ecert_seal_key, "", PGC_SUSET, GUC_SUPERUSER_ONLY, check_line, NULL, NULL);
	DefineCustomStringVariable("ecert.witness_key",
							   "This node's private key for cosignatures of checkpoints: a PEM file or an OSSL_STORE URI.",
							   "Another key than ecert.signing_key; without one a witness's packages carry no cosignature of its own.",
							   &ecert_witness_key, "", PGC_SUSET, GUC_SUPERUSER_ONLY, check_line, NULL, NULL);
	DefineCustomStringVariable("ecert.signing_key_passphrase_command",
							   "Shell command that prints the passphrase of this node's keys.",
							   "Run only when a key is encrypted. Its first line is the passphrase, one for all of them.",
							   &ecert_passphrase_command, "", PGC_SUSET, GUC_SUPERUSER_ONLY, check_line, NULL, NULL);
	DefineCustomIntVariable("ecert.max_clock_skew",
							"How far in the future issued_at may be where a package is first admitted.",
							NULL, &ecert_max_clock_skew, 300, 0, INT_MAX / 1000,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomBoolVariable("ecert.allow_ledger_ddl",
							 "Allow DROP, ALTER and TRUNCATE of the ledger in spite of the guard.",
							 "The guard is in force where ecert is in shared_preload_libraries.",
							 &ecert_allow_ledger_ddl, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("ecert.sign_unconfirmed",
							 "Sign although it could not be confirmed how far this node's feeds have got.",
							 "For a superuser who knows that this server has lost nothing that it signed.",
							 &sign_unconfirmed, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ecert.peer_timeout",
							"How long another server may take to answer a question, connecting included.",
							"All servers that are asked together have this time together.",
							&ecert_peer_timeout, 10, 1, INT_MAX / 1000,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomBoolVariable("ecert.is_preloaded",
							 "Shows whether ecert is in shared_preload_libraries.",
							 NULL, &is_preloaded, process_shared_preload_libraries_in_progress,
							 PGC_INTERNAL, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomIntVariable("ecert.worker_interval",
							"How often the background worker does a round of this node's duties; 0: never.",
							"There is a worker where ecert is in shared_preload_libraries.",
							&ecert_worker_interval, 60, 0, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomStringVariable("ecert.worker_database",
							   "The databases, separated by commas, in which a background worker does the duties.",
							   NULL, &ecert_worker_database, "postgres",
							   PGC_SIGHUP, GUC_LIST_INPUT, check_databases, NULL, NULL);
	DefineCustomStringVariable("ecert.packing_delay",
							   "How long after the end of a period it is packed by itself: an interval.",
							   "Readings that come later than that need a correction.",
							   &packing_delay, "0", PGC_USERSET, 0, check_delay, NULL, NULL);
	DefineCustomIntVariable("ecert.checkpoint_interval",
							"How often the certifier seals what was admitted, in its rounds of duties; 0: never.",
							"Not more often than ecert.worker_interval, and only when something is new.",
							&checkpoint_interval, 300, 0, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	MarkGUCPrefixReserved("ecert");
}
