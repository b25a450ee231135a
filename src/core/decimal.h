/*
 * decimal.h
 *		Decimal fractions (RFC 8949 section 3.4.4, tag 4): mantissa * 10^exponent.
 */
#ifndef ECERT_CORE_DECIMAL_H
#define ECERT_CORE_DECIMAL_H

#include "core/cbor.h"

/* Longest text of a decimal: sign, 19 digits, 18 zeros or a point, end */
#define ECERT_DECIMAL_TEXT_MAX 48

/* mantissa * 10^exponent; exponent -2 and mantissa 150 is 1.50, digits kept */
typedef struct EcertDecimal
{
	int64_t		mantissa;
	int32_t		exponent;
} EcertDecimal;

/* Read an integer or tag 4 item of checked bytes; ECERT_BODY_TYPE when it is neither */
extern EcertCode ecert_decimal_read(EcertSlice item, EcertDecimal *decimal);

/* The same of what comes next, which is consumed when it is one */
extern EcertCode ecert_decimal_next(EcertCursor *cursor, EcertDecimal *decimal);

/* Write in the one form of the value: as an integer where its digits are one that 64 bits hold, else as tag 4 */
extern void ecert_decimal_put(EcertBuffer *buffer, EcertDecimal decimal);

/*
 * Plain digits ("-12.50", "1200") to a decimal that keeps every digit.
 * ECERT_OVERFLOW when the mantissa does not fit 64 bits or the scale is over
 * 18; ECERT_BODY_TYPE when text is not a plain decimal number.
 */
extern EcertCode ecert_decimal_parse(EcertSlice text, EcertDecimal *decimal);

/* Plain digits of decimal into text (ECERT_DECIMAL_TEXT_MAX bytes, zero-ended); returns the length */
extern size_t ecert_decimal_text(EcertDecimal decimal, char *text);

/* Exact order of two decimals: less than, equal, greater than 0 */
extern int	ecert_decimal_compare(EcertDecimal a, EcertDecimal b);

#endif							/* ECERT_CORE_DECIMAL_H */
