/*
 * guc.h
 *		The settings, prefix "ecert.".
 */
#ifndef ECERT_PG_GUC_H
#define ECERT_PG_GUC_H

#include "pg/compat.h"

extern char *ecert_node;		/* this node's id; empty when not set */
extern char *ecert_signing_key; /* file name or OSSL_STORE URI; empty when not set */
extern char *ecert_seal_key;	/* the same */
extern char *ecert_witness_key; /* the same */
extern char *ecert_passphrase_command;	/* shell command that prints the key's passphrase */
extern int	ecert_max_clock_skew;	/* seconds */
extern bool ecert_allow_ledger_ddl;
extern int	ecert_peer_timeout; /* seconds */
extern int	ecert_worker_interval;	/* seconds; 0: no rounds */
extern char *ecert_worker_database; /* names, separated by commas */

extern void ecert_guc_init(void);

#endif							/* ECERT_PG_GUC_H */
