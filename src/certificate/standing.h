/*
 * standing.h
 *		Which certificates stand, as ledger.certificate_state keeps it.
 */
#ifndef ECERT_CERTIFICATE_STANDING_H
#define ECERT_CERTIFICATE_STANDING_H

/* When the library is loaded */
extern void ecert_standing_init(void);

#endif							/* ECERT_CERTIFICATE_STANDING_H */
