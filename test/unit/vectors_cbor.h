/*
 * vectors_cbor.h
 *		The examples of RFC 8949 appendix A (as published in the CBOR working
 *		group's test-vectors repository), and what the strict profile says of
 *		each.
 */
#ifndef ECERT_TEST_VECTORS_CBOR_H
#define ECERT_TEST_VECTORS_CBOR_H

#include "core/error.h"

typedef struct CborVector
{
	const char *hex;
	EcertCode	code;			/* of ecert_cbor_check() */
	size_t		offset;			/* of the refusal */
	const char *diagnostic;		/* of an accepted one; NULL when diag.h cannot write it */
} CborVector;

static const CborVector rfc8949_vectors[] = {
	{"00", ECERT_OK, 0, "0"},
	{"01", ECERT_OK, 0, "1"},
	{"0a", ECERT_OK, 0, "10"},
	{"17", ECERT_OK, 0, "23"},
	{"1818", ECERT_OK, 0, "24"},
	{"1819", ECERT_OK, 0, "25"},
	{"1864", ECERT_OK, 0, "100"},
	{"1903e8", ECERT_OK, 0, "1000"},
	{"1a000f4240", ECERT_OK, 0, "1000000"},
	{"1b000000e8d4a51000", ECERT_OK, 0, "1000000000000"},
	{"1bffffffffffffffff", ECERT_OK, 0, "18446744073709551615"},
	{"c249010000000000000000", ECERT_BAD_TAG, 0, NULL},
	{"3bffffffffffffffff", ECERT_OK, 0, NULL},
	{"c349010000000000000000", ECERT_BAD_TAG, 0, NULL},
	{"20", ECERT_OK, 0, "-1"},
	{"29", ECERT_OK, 0, "-10"},
	{"3863", ECERT_OK, 0, "-100"},
	{"3903e7", ECERT_OK, 0, "-1000"},
	{"f90000", ECERT_FLOAT, 0, NULL},
	{"f98000", ECERT_FLOAT, 0, NULL},
	{"f93c00", ECERT_FLOAT, 0, NULL},
	{"fb3ff199999999999a", ECERT_FLOAT, 0, NULL},
	{"f93e00", ECERT_FLOAT, 0, NULL},
	{"f97bff", ECERT_FLOAT, 0, NULL},
	{"fa47c35000", ECERT_FLOAT, 0, NULL},
	{"fa7f7fffff", ECERT_FLOAT, 0, NULL},
	{"fb7e37e43c8800759c", ECERT_FLOAT, 0, NULL},
	{"f90001", ECERT_FLOAT, 0, NULL},
	{"f90400", ECERT_FLOAT, 0, NULL},
	{"f9c400", ECERT_FLOAT, 0, NULL},
	{"fbc010666666666666", ECERT_FLOAT, 0, NULL},
	{"f97c00", ECERT_FLOAT, 0, NULL},
	{"f97e00", ECERT_FLOAT, 0, NULL},
	{"f9fc00", ECERT_FLOAT, 0, NULL},
	{"fa7f800000", ECERT_FLOAT, 0, NULL},
	{"fa7fc00000", ECERT_FLOAT, 0, NULL},
	{"faff800000", ECERT_FLOAT, 0, NULL},
	{"fb7ff0000000000000", ECERT_FLOAT, 0, NULL},
	{"fb7ff8000000000000", ECERT_FLOAT, 0, NULL},
	{"fbfff0000000000000", ECERT_FLOAT, 0, NULL},
	{"f4", ECERT_OK, 0, "false"},
	{"f5", ECERT_OK, 0, "true"},
	{"f6", ECERT_OK, 0, "null"},
	{"f7", ECERT_SIMPLE, 0, NULL},
	{"f0", ECERT_SIMPLE, 0, NULL},
	{"f818", ECERT_SIMPLE, 0, NULL},
	{"f8ff", ECERT_SIMPLE, 0, NULL},
	{"c074323031332d30332d32315432303a30343a30305a", ECERT_BAD_TAG, 0, NULL},
	{"c11a514b67b0", ECERT_BAD_TAG, 0, NULL},
	{"c1fb41d452d9ec200000", ECERT_BAD_TAG, 0, NULL},
	{"d74401020304", ECERT_BAD_TAG, 0, NULL},
	{"d818456449455446", ECERT_BAD_TAG, 0, NULL},
	{"d82076687474703a2f2f7777772e6578616d706c652e636f6d", ECERT_BAD_TAG, 0, NULL},
	{"40", ECERT_OK, 0, "h''"},
	{"4401020304", ECERT_OK, 0, "h'01020304'"},
	{"60", ECERT_OK, 0, "''"},
	{"6161", ECERT_OK, 0, "'a'"},
	{"6449455446", ECERT_OK, 0, "'IETF'"},
	{"62225c", ECERT_OK, 0, "'\"\\'"},
	{"62c3bc", ECERT_OK, 0, "'ü'"},
	{"63e6b0b4", ECERT_OK, 0, "'水'"},
	{"64f0908591", ECERT_OK, 0, "'𐅑'"},
	{"80", ECERT_OK, 0, "[]"},
	{"83010203", ECERT_OK, 0, "[1, 2, 3]"},
	{"8301820203820405", ECERT_OK, 0, "[1, [2, 3], [4, 5]]"},
	{"98190102030405060708090a0b0c0d0e0f101112131415161718181819", ECERT_OK, 0, "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]"},
	{"a0", ECERT_OK, 0, "{}"},
	{"a201020304", ECERT_OK, 0, "{1: 2, 3: 4}"},
	{"a26161016162820203", ECERT_OK, 0, "{'a': 1, 'b': [2, 3]}"},
	{"826161a161626163", ECERT_OK, 0, "['a', {'b': 'c'}]"},
	{"a56161614161626142616361436164614461656145", ECERT_OK, 0, "{'a': 'A', 'b': 'B', 'c': 'C', 'd': 'D', 'e': 'E'}"},
	{"5f42010243030405ff", ECERT_INDEFINITE, 0, NULL},
	{"7f657374726561646d696e67ff", ECERT_INDEFINITE, 0, NULL},
	{"9fff", ECERT_INDEFINITE, 0, NULL},
	{"9f018202039f0405ffff", ECERT_INDEFINITE, 0, NULL},
	{"9f01820203820405ff", ECERT_INDEFINITE, 0, NULL},
	{"83018202039f0405ff", ECERT_INDEFINITE, 5, NULL},
	{"83019f0203ff820405", ECERT_INDEFINITE, 2, NULL},
	{"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", ECERT_INDEFINITE, 0, NULL},
	{"bf61610161629f0203ffff", ECERT_INDEFINITE, 0, NULL},
	{"826161bf61626163ff", ECERT_INDEFINITE, 3, NULL},
	{"bf6346756ef563416d7421ff", ECERT_INDEFINITE, 0, NULL},
};

#endif							/* ECERT_TEST_VECTORS_CBOR_H */
