/*
 * guc.c
 *		Defines the settings.
 */
#include "pg/guc.h"

#include <limits.h>

#include "utils/guc.h"

char	   *ecert_node;
char	   *ecert_signing_key;
char	   *ecert_passphrase_command;
int			ecert_max_clock_skew;
bool		ecert_allow_ledger_ddl;

void
ecert_guc_init(void)
{
	DefineCustomStringVariable("ecert.node",
							   "The id of the node that this server, or session, acts as.",
							   "Packages made here are issued under this id; its key is ecert.signing_key.",
							   &ecert_node, "", PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("ecert.signing_key",
							   "The private key of this node: a PEM file or an OSSL_STORE URI.",
							   "Read by the server when a package is signed; never stored in the database.",
							   &ecert_signing_key, "", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable("ecert.signing_key_passphrase_command",
							   "Shell command that prints the passphrase of ecert.signing_key.",
							   "Run only when the key is encrypted. Its first line is the passphrase.",
							   &ecert_passphrase_command, "", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomIntVariable("ecert.max_clock_skew",
							"How far in the future issued_at may be where a package is first admitted.",
							NULL, &ecert_max_clock_skew, 300, 0, INT_MAX / 1000,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomBoolVariable("ecert.allow_ledger_ddl",
							 "Allow DROP, ALTER and TRUNCATE of the ledger in spite of the guard.",
							 "The guard is in force where ecert is in shared_preload_libraries.",
							 &ecert_allow_ledger_ddl, false, PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("ecert");
}
