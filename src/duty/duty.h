/*
 * duty.h
 *		The background worker that calls ecert.run_duties().
 */
#ifndef ECERT_DUTY_DUTY_H
#define ECERT_DUTY_DUTY_H

#include "pg/compat.h"

/* Register what starts a worker for each database of ecert.worker_database, when the library is preloaded */
extern void ecert_worker_init(void);

#endif							/* ECERT_DUTY_DUTY_H */
