/*
 * assess.h
 *		Arguments of assessments that other folders read too.
 */
#ifndef ECERT_ENERGY_ASSESS_H
#define ECERT_ENERGY_ASSESS_H

#include "pg/compat.h"

#include "core/buffer.h"

/* Is a method "value"?  Raises unless it is that or "product" */
extern bool ecert_is_by_value(EcertSlice method);

#endif							/* ECERT_ENERGY_ASSESS_H */
