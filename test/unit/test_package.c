/*
 * test_package.c
 *		Packages: making, reading, hashing and verifying one; every way in which
 *		a header can be wrong; and published COSE_Sign1 messages.
 */
#include "check.h"
#include "diag.h"
#include "keys.h"
#include "vectors_cose.h"

#include "core/package.h"

#include <openssl/bn.h>

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

#define HASH_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HASH_B "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f"
#define BODY "{'period': [1704067200, 1706745600], 'lines': [{'source': 'electricity', 'unit': 'kWh', 'quantity': 1500.25}]}"
#define ZEROS_64 "0000000000000000000000000000000000000000000000000000000000000000"
#define SIGNATURE "h'" ZEROS_64 ZEROS_64 "'"

/* The first byte of a header of 24 to 255 bytes */
#define HEADER_START 4

static uint8_t input[DIAG_MAX];
static uint8_t output[ECERT_PACKAGE_MAX + 32];
static uint8_t scratch_bytes[ECERT_PACKAGE_MAX + 32];

/* The header's parameters, in no order that matters */
enum
{
	ALG, CONTENT_TYPE, KID, CLAIMS, TYPE, SEQ, PREV, EXTRA, PARAMETERS
};

static const char *const good_header[PARAMETERS] = {
	[ALG] = "1: -19",
	[CONTENT_TYPE] = "3: 'application/vnd.ecert.energy+cbor'",
	[KID] = "4: h'" HASH_A "'",
	[CLAIMS] = "15: {1: 'mill-7', 2: 'works-7', 3: 'ledger.example/e', 6: 1706832000}",
	[TYPE] = "16: 'application/vnd.ecert+cose'",
	[SEQ] = "-65601: 41",
	[PREV] = "-65602: h'" HASH_B "'",
};

static EcertBuffer
scratch(void)
{
	return ecert_buffer(scratch_bytes, sizeof scratch_bytes);
}

/* The header in notation, to be freed */
static char *
header_text(const char *const *parameters)
{
	char	   *text = diag_format("{");
	char	   *whole;

	for (size_t i = 0; i < PARAMETERS; i++)
	{
		char	   *longer;

		if (parameters[i] == NULL)
			continue;
		longer = diag_format("%s%s%s", text, text[1] == '\0' ? "" : ", ", parameters[i]);
		free(text);
		text = longer;
	}
	whole = diag_format("%s}", text);
	free(text);
	return whole;
}

/* A package with that header, in input */
static EcertSlice
package_of(const char *const *parameters)
{
	char	   *header = header_text(parameters);
	char	   *text = diag_format("18([<<%s>>, {}, <<%s>>, %s])", header, BODY, SIGNATURE);
	EcertSlice	bytes = ecert_slice(input, diag_encode(text, input));

	free(header);
	free(text);
	return bytes;
}

/* Where the notation's bytes stand last in the package; SIZE_MAX when they do not */
static size_t
place_of(EcertSlice bytes, const char *notation)
{
	uint8_t    *wanted = malloc(DIAG_MAX);
	size_t		size = diag_encode(notation, wanted);
	size_t		place = SIZE_MAX;

	for (size_t i = 0; i + size <= bytes.size; i++)
	{
		if (memcmp(bytes.data + i, wanted, size) == 0)
			place = i;
	}
	free(wanted);
	return place;
}

/* The place of a value behind its key, so that short values are not mistaken */
static size_t
place_of_value(EcertSlice bytes, const char *key, const char *value)
{
	uint8_t    *wanted = malloc(2 * DIAG_MAX);
	size_t		key_size = diag_encode(key, wanted);
	size_t		size = key_size + diag_encode(value, wanted + key_size);
	const uint8_t *found = memmem(bytes.data, bytes.size, wanted, size);

	free(wanted);
	return found == NULL ? SIZE_MAX : (size_t) (found - bytes.data) + key_size;
}

static void
check_parse(EcertSlice bytes, EcertCode code, const char *field, size_t offset, const char *name)
{
	EcertPackage package;
	EcertError	error = {.offset = SIZE_MAX};
	EcertCode	found = ecert_package_parse(bytes, &package, &error);
	bool		same_field = (field == NULL) == (error.field == NULL) && (field == NULL || strcmp(field, error.field) == 0);

	if (!CHECK(found == code && (code == ECERT_OK || (error.code == code && error.offset == offset && same_field)) &&
			   strcmp(ecert_error_text(found), "unknown error") != 0,
			   "%s: %s, %s", name, ecert_error_text(code), field == NULL ? "no field" : field))
		printf("# found \"%s\" at %zu, %s; expected at %zu\n", ecert_error_text(found), error.offset,
			   error.field == NULL ? "no field" : error.field, offset);
}

/* One parameter of a good header replaced (with NULL: left out) */
typedef struct Change
{
	const char *name;
	int			parameter;
	const char *with;
	EcertCode	code;
	const char *field;
	const char *key;			/* the refusal points at the value of this key; NULL: at the header's first byte */
	const char *value;
} Change;

#define ID_50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_200 ID_50 ID_50 ID_50 ID_50
#define CLAIMS_WITH(iss, sub, aud, iat) "15: {1: " iss ", 2: " sub ", 3: " aud ", 6: " iat "}"

static const Change changes[] = {
	{"alg missing", ALG, NULL, ECERT_HEADER_FIELD, "alg", NULL, NULL},
	{"alg text", ALG, "1: 'EdDSA'", ECERT_HEADER_FIELD, "alg", "1", "'EdDSA'"},
	{"alg array", ALG, "1: [-8]", ECERT_HEADER_FIELD, "alg", "1", "[-8]"},
	{"alg decimal", ALG, "1: -8.0", ECERT_HEADER_FIELD, "alg", "1", "-8.0"},
	{"alg 2^63", ALG, "1: 9223372036854775808", ECERT_HEADER_FIELD, "alg", "1", "9223372036854775808"},
	{"alg 0", ALG, "1: 0", ECERT_UNKNOWN_ALG, "alg", "1", "0"},
	{"alg 7", ALG, "1: 7", ECERT_UNKNOWN_ALG, "alg", "1", "7"},
	{"alg ES384", ALG, "1: -35", ECERT_UNKNOWN_ALG, "alg", "1", "-35"},
	{"alg HMAC", ALG, "1: 5", ECERT_UNKNOWN_ALG, "alg", "1", "5"},
	{"alg ES256", ALG, "1: -9", ECERT_OK, NULL, NULL, NULL},
	{"alg SM2", ALG, "1: -65600", ECERT_OK, NULL, NULL, NULL},
	{"alg -8 for -19", ALG, "1: -8", ECERT_OK, NULL, NULL, NULL},
	{"alg -7 for -9", ALG, "1: -7", ECERT_OK, NULL, NULL, NULL},

	{"content type missing", CONTENT_TYPE, NULL, ECERT_HEADER_FIELD, "content type", NULL, NULL},
	{"content type number", CONTENT_TYPE, "3: 60", ECERT_HEADER_FIELD, "content type", "3", "60"},
	{"content type bytes", CONTENT_TYPE, "3: h'61'", ECERT_HEADER_FIELD, "content type", "3", "h'61'"},
	{"content type empty", CONTENT_TYPE, "3: ''", ECERT_UNKNOWN_KIND, "content type", "3", "''"},
	{"content type of another application", CONTENT_TYPE, "3: 'application/cbor'", ECERT_UNKNOWN_KIND, "content type",
	"3", "'application/cbor'"},
	{"content type without kind", CONTENT_TYPE, "3: 'application/vnd.ecert.+cbor'", ECERT_UNKNOWN_KIND,
	"content type", "3", "'application/vnd.ecert.+cbor'"},
	{"content type overlapping itself", CONTENT_TYPE, "3: 'application/vnd.ecert+cbor'", ECERT_UNKNOWN_KIND,
	"content type", "3", "'application/vnd.ecert+cbor'"},
	{"content type of an unknown kind", CONTENT_TYPE, "3: 'application/vnd.ecert.water+cbor'", ECERT_UNKNOWN_KIND,
	"content type", "3", "'application/vnd.ecert.water+cbor'"},
	{"content type of half a kind", CONTENT_TYPE, "3: 'application/vnd.ecert.energ+cbor'", ECERT_UNKNOWN_KIND,
	"content type", "3", "'application/vnd.ecert.energ+cbor'"},
	{"content type in capitals", CONTENT_TYPE, "3: 'application/vnd.ecert.Energy+cbor'", ECERT_UNKNOWN_KIND,
	"content type", "3", "'application/vnd.ecert.Energy+cbor'"},
	{"content type with another suffix", CONTENT_TYPE, "3: 'application/vnd.ecert.energy+cose'", ECERT_UNKNOWN_KIND,
	"content type", "3", "'application/vnd.ecert.energy+cose'"},
	{"content type with more behind it", CONTENT_TYPE, "3: 'application/vnd.ecert.energy+cbor '", ECERT_UNKNOWN_KIND,
	"content type", "3", "'application/vnd.ecert.energy+cbor '"},

	{"kid missing", KID, NULL, ECERT_HEADER_FIELD, "kid", NULL, NULL},
	{"kid empty", KID, "4: h''", ECERT_HEADER_FIELD, "kid", "4", "h''"},
	{"kid of 31 bytes", KID, "4: h'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e'",
	ECERT_HEADER_FIELD, "kid", "4", "h'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e'"},
	{"kid of 33 bytes", KID, "4: h'" HASH_A "20'", ECERT_HEADER_FIELD, "kid", "4", "h'" HASH_A "20'"},
	{"kid text", KID, "4: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", ECERT_HEADER_FIELD, "kid", "4",
	"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"},

	{"claims missing", CLAIMS, NULL, ECERT_HEADER_FIELD, "CWT claims", NULL, NULL},
	{"claims array", CLAIMS, "15: [1]", ECERT_HEADER_FIELD, "CWT claims", "15", "[1]"},
	{"claims bytes", CLAIMS, "15: <<{1: 'a'}>>", ECERT_HEADER_FIELD, "CWT claims", "15", "<<{1: 'a'}>>"},
	{"claims empty", CLAIMS, "15: {}", ECERT_HEADER_FIELD, "CWT claims", "15", "{}"},
	{"iss missing", CLAIMS, "15: {2: 'b', 3: 'c', 6: 9}", ECERT_HEADER_FIELD, "CWT claims", "15", "{2: 'b', 3: 'c', 6: 9}"},
	{"sub missing", CLAIMS, "15: {1: 'a', 3: 'c', 6: 9}", ECERT_HEADER_FIELD, "CWT claims", "15", "{1: 'a', 3: 'c', 6: 9}"},
	{"aud missing", CLAIMS, "15: {1: 'a', 2: 'b', 6: 9}", ECERT_HEADER_FIELD, "CWT claims", "15", "{1: 'a', 2: 'b', 6: 9}"},
	{"iat missing", CLAIMS, "15: {1: 'a', 2: 'b', 3: 'c'}", ECERT_HEADER_FIELD, "CWT claims", "15", "{1: 'a', 2: 'b', 3: 'c'}"},
	{"exp beside the four", CLAIMS, "15: {1: 'a', 2: 'b', 3: 'c', 4: 77, 6: 9}", ECERT_HEADER_UNKNOWN, "CWT claims", "4", "77"},
	{"cti in place of iat", CLAIMS, "15: {1: 'a', 2: 'b', 3: 'c', 7: h'55'}", ECERT_HEADER_UNKNOWN, "CWT claims", "7", "h'55'"},
	{"text claim", CLAIMS, "15: {1: 'a', 2: 'b', 3: 'c', 6: 9, 'x': 66}", ECERT_HEADER_UNKNOWN, "CWT claims", "'x'", "66"},
	{"iss number", CLAIMS, CLAIMS_WITH("5", "'b'", "'c'", "9"), ECERT_HEADER_FIELD, "iss", "1", "5"},
	{"iss bytes", CLAIMS, CLAIMS_WITH("h'61'", "'b'", "'c'", "9"), ECERT_HEADER_FIELD, "iss", "1", "h'61'"},
	{"iss empty", CLAIMS, CLAIMS_WITH("''", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "''"},
	{"iss of 200 bytes", CLAIMS, CLAIMS_WITH("'" ID_200 "'", "'b'", "'c'", "9"), ECERT_OK, NULL, NULL, NULL},
	{"iss of 201 bytes", CLAIMS, CLAIMS_WITH("'" ID_200 "x'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'" ID_200 "x'"},
	{"iss with newline", CLAIMS, CLAIMS_WITH("'a\nb'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'a\nb'"},
	{"iss with U+0001", CLAIMS, CLAIMS_WITH("'\x01'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'\x01'"},
	{"iss with U+001F", CLAIMS, CLAIMS_WITH("'a\x1F'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'a\x1F'"},
	{"iss with U+007F", CLAIMS, CLAIMS_WITH("'a\x7F'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'a\x7F'"},
	{"iss with U+0080", CLAIMS, CLAIMS_WITH("'a\xC2\x80'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'a\xC2\x80'"},
	{"iss with U+009F", CLAIMS, CLAIMS_WITH("'\xC2\x9F'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'\xC2\x9F'"},
	{"iss with U+00A0", CLAIMS, CLAIMS_WITH("'\xC2\xA0'", "'b'", "'c'", "9"), ECERT_OK, NULL, NULL, NULL},
	{"iss with U+200B", CLAIMS, CLAIMS_WITH("'pl\xE2\x80\x8B" "ant'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'pl\xE2\x80\x8B" "ant'"},
	{"iss with U+202E", CLAIMS, CLAIMS_WITH("'\xE2\x80\xAE" "tnalp'", "'b'", "'c'", "9"), ECERT_BAD_ID, "iss", "1", "'\xE2\x80\xAE" "tnalp'"},
	{"aud with U+2028", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'c\xE2\x80\xA8'", "9"), ECERT_BAD_ID, "aud", "3", "'c\xE2\x80\xA8'"},
	{"sub with U+E0041", CLAIMS, CLAIMS_WITH("'a'", "'b\xF3\xA0\x81\x81'", "'c'", "9"), ECERT_BAD_ID, "sub", "2", "'b\xF3\xA0\x81\x81'"},
	{"iss of a space", CLAIMS, CLAIMS_WITH("' '", "'b'", "'c'", "9"), ECERT_OK, NULL, NULL, NULL},
	{"iss in Chinese", CLAIMS, CLAIMS_WITH("'\xE6\xB0\xB4\xE6\xB3\xA5'", "'b'", "'c'", "9"), ECERT_OK, NULL, NULL, NULL},
	{"sub empty", CLAIMS, CLAIMS_WITH("'a'", "''", "'c'", "9"), ECERT_BAD_ID, "sub", "2", "''"},
	{"sub null", CLAIMS, CLAIMS_WITH("'a'", "null", "'c'", "9"), ECERT_HEADER_FIELD, "sub", "2", "null"},
	{"sub of 201 bytes", CLAIMS, CLAIMS_WITH("'a'", "'" ID_200 "x'", "'c'", "9"), ECERT_BAD_ID, "sub", "2", "'" ID_200 "x'"},
	{"aud empty", CLAIMS, CLAIMS_WITH("'a'", "'b'", "''", "9"), ECERT_BAD_ID, "aud", "3", "''"},
	{"aud list", CLAIMS, CLAIMS_WITH("'a'", "'b'", "['c']", "9"), ECERT_HEADER_FIELD, "aud", "3", "['c']"},
	{"aud of 201 bytes", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'" ID_200 "x'", "9"), ECERT_BAD_ID, "aud", "3", "'" ID_200 "x'"},
	{"iat -1", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'c'", "-1"), ECERT_HEADER_FIELD, "iat", "6", "-1"},
	{"iat text", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'c'", "'9'"), ECERT_HEADER_FIELD, "iat", "6", "'9'"},
	{"iat decimal", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'c'", "9.5"), ECERT_HEADER_FIELD, "iat", "6", "9.5"},
	{"iat 0", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'c'", "0"), ECERT_OK, NULL, NULL, NULL},
	{"iat at the end of 9999", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'c'", "253402300799"), ECERT_OK, NULL, NULL, NULL},
	{"iat in 10000", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'c'", "253402300800"), ECERT_HEADER_FIELD, "iat", "6", "253402300800"},
	{"iat 2^64-1", CLAIMS, CLAIMS_WITH("'a'", "'b'", "'c'", "18446744073709551615"), ECERT_HEADER_FIELD, "iat", "6", "18446744073709551615"},

	{"typ missing", TYPE, NULL, ECERT_HEADER_FIELD, "typ", NULL, NULL},
	{"typ number", TYPE, "16: 18", ECERT_HEADER_FIELD, "typ", "16", "18"},
	{"typ another", TYPE, "16: 'application/cose'", ECERT_HEADER_FIELD, "typ", "16", "'application/cose'"},
	{"typ longer", TYPE, "16: 'application/vnd.ecert+cosex'", ECERT_HEADER_FIELD, "typ", "16", "'application/vnd.ecert+cosex'"},

	{"seq missing", SEQ, NULL, ECERT_HEADER_FIELD, "seq", NULL, NULL},
	{"seq -1", SEQ, "-65601: -1", ECERT_HEADER_FIELD, "seq", "-65601", "-1"},
	{"seq text", SEQ, "-65601: '0'", ECERT_HEADER_FIELD, "seq", "-65601", "'0'"},
	{"seq 0", SEQ, "-65601: 0", ECERT_OK, NULL, NULL, NULL},
	{"seq 2^63-1", SEQ, "-65601: 9223372036854775807", ECERT_OK, NULL, NULL, NULL},
	{"seq 2^63", SEQ, "-65601: 9223372036854775808", ECERT_HEADER_FIELD, "seq", "-65601", "9223372036854775808"},

	{"prev missing", PREV, NULL, ECERT_HEADER_FIELD, "prev", NULL, NULL},
	{"prev empty", PREV, "-65602: h''", ECERT_HEADER_FIELD, "prev", "-65602", "h''"},
	{"prev of 33 bytes", PREV, "-65602: h'" HASH_B "00'", ECERT_HEADER_FIELD, "prev", "-65602", "h'" HASH_B "00'"},
	{"prev as hex text", PREV, "-65602: '" HASH_B "'", ECERT_HEADER_FIELD, "prev", "-65602", "'" HASH_B "'"},
	{"prev null", PREV, "-65602: null", ECERT_HEADER_FIELD, "prev", "-65602", "null"},

	{"crit", EXTRA, "2: [15]", ECERT_HEADER_UNKNOWN, "header", "2", "[15]"},
	{"IV", EXTRA, "5: h'00'", ECERT_HEADER_UNKNOWN, "header", "5", "h'00'"},
	{"label 2^64-1", EXTRA, "18446744073709551615: 7", ECERT_HEADER_UNKNOWN, "header", "18446744073709551615", "7"},
	{"private label", EXTRA, "-65603: 7", ECERT_HEADER_UNKNOWN, "header", "-65603", "7"},
	{"text label", EXTRA, "'kid': 7", ECERT_HEADER_UNKNOWN, "header", "'kid'", "7"},
	{"null label", EXTRA, "null: 7", ECERT_HEADER_UNKNOWN, "header", "null", "7"},
};

static void
test_header(void)
{
	for (size_t i = 0; i < COUNT(changes); i++)
	{
		const Change *change = &changes[i];
		const char *parameters[PARAMETERS];
		EcertSlice	bytes;
		size_t		place;

		memcpy(parameters, good_header, sizeof parameters);
		parameters[change->parameter] = change->with;
		bytes = package_of(parameters);
		/* without a place, at the header: behind tag, array and the byte string's head */
		place = change->key == NULL ? HEADER_START : place_of_value(bytes, change->key, change->value);
		check_parse(bytes, change->code, change->field, place, change->name);
	}
}

/* prev and seq of the genesis package */
static void
test_genesis(void)
{
	const char *parameters[PARAMETERS];

	memcpy(parameters, good_header, sizeof parameters);
	parameters[CONTENT_TYPE] = "3: 'application/vnd.ecert.genesis+cbor'";
	check_parse(package_of(parameters), ECERT_HEADER_FIELD, "prev", HEADER_START, "genesis with prev");
	parameters[PREV] = NULL;
	check_parse(package_of(parameters), ECERT_HEADER_FIELD, "seq", HEADER_START, "genesis with seq 41");
	parameters[SEQ] = "-65601: 0";
	check_parse(package_of(parameters), ECERT_OK, NULL, 0, "genesis with seq 0 and no prev");
}

/* Every kind and its content type */
static void
test_kinds(void)
{
	static const char *const names[] = {
		"genesis", "node", "relation", "policy", "point", "energy", "product",
		"audit", "certificate", "status", "reward", "checkpoint", "witness"
	};
	EcertKind	kind;

	CHECK_INT(ECERT_KIND_COUNT, COUNT(names), "every kind is named");
	for (size_t i = 0; i < COUNT(names); i++)
	{
		const char *parameters[PARAMETERS];
		char	   *type = diag_format("3: 'application/vnd.ecert.%s+cbor'", names[i]);
		EcertPackage package;

		memcpy(parameters, good_header, sizeof parameters);
		parameters[CONTENT_TYPE] = type;
		if (i == ECERT_KIND_GENESIS)
		{
			parameters[SEQ] = "-65601: 0";
			parameters[PREV] = NULL;
		}
		CHECK(ecert_package_parse(package_of(parameters), &package, NULL) == ECERT_OK && package.kind == i &&
			  strcmp(ecert_kind_name(package.kind), names[i]) == 0 &&
			  ecert_kind_from_name(ecert_slice_text(names[i]), &kind) && kind == i, "kind %s", names[i]);
		free(type);
	}
	CHECK(!ecert_kind_from_name(ecert_slice_text("Energy"), &kind) && !ecert_kind_from_name(ecert_slice_text(""), &kind) &&
		  !ecert_kind_from_name(ecert_slice_text("energyx"), &kind), "no other names");
}

/* Kinds of later versions are said to be such */
static void
test_reserved_kinds(void)
{
	static const char *const names[] = {"variable", "plan", "adjustment", "timestamp", "disclosure", "erasure", "intensity", "benchmark"};
	EcertKind	kind;

	for (size_t i = 0; i < COUNT(names); i++)
	{
		const char *parameters[PARAMETERS];
		char	   *type = diag_format("3: 'application/vnd.ecert.%s+cbor'", names[i]);

		memcpy(parameters, good_header, sizeof parameters);
		parameters[CONTENT_TYPE] = type;
		CHECK(ecert_package_parse(package_of(parameters), &(EcertPackage) {0}, NULL) == ECERT_RESERVED_KIND &&
			  ecert_kind_is_reserved(ecert_slice_text(names[i])) && !ecert_kind_from_name(ecert_slice_text(names[i]), &kind),
			  "reserved kind %s", names[i]);
		free(type);
	}
	CHECK(!ecert_kind_is_reserved(ecert_slice_text("energy")) && !ecert_kind_is_reserved(ecert_slice_text("Plan")), "others are not reserved");
}

static void
test_algs(void)
{
	static const struct
	{
		EcertAlg	alg;
		int64_t		cose;
		int64_t		alias;
		const char *name;
	}			algs[] = {
		{ECERT_ALG_ED25519, -19, -8, "Ed25519"}, {ECERT_ALG_ES256, -9, -7, "ES256"}, {ECERT_ALG_SM2, -65600, -65600, "SM2"}
	};
	EcertAlg	alg;

	for (size_t i = 0; i < COUNT(algs); i++)
	{
		CHECK(ecert_alg_cose(algs[i].alg) == algs[i].cose && strcmp(ecert_alg_name(algs[i].alg), algs[i].name) == 0,
			  "%s is %lld", algs[i].name, (long long) algs[i].cose);
		CHECK(ecert_alg_from_cose(algs[i].cose, &alg) && alg == algs[i].alg &&
			  ecert_alg_from_cose(algs[i].alias, &alg) && alg == algs[i].alg, "%s from its numbers", algs[i].name);
	}
	CHECK(!ecert_alg_from_cose(0, &alg) && !ecert_alg_from_cose(-35, &alg) && !ecert_alg_from_cose(INT64_MIN, &alg),
		  "no other numbers");
}

/* The frame: a whole package in notation, where %H is a good header */
typedef struct Frame
{
	const char *name;
	const char *before;			/* the header */
	const char *after;
	EcertCode	code;
	const char *field;
	const char *at;				/* the refusal points at the first byte of this */
} Frame;

#define TAIL ", {}, <<" BODY ">>, " SIGNATURE "])"

static const Frame frames[] = {
	{"good", "18([<<", ">>" TAIL, ECERT_OK, NULL, NULL},
	{"no tag", "[<<", ">>, {}, <<" BODY ">>, " SIGNATURE "]", ECERT_NOT_SIGN1, "tag", NULL},
	{"tag round no array", "18(<<", ">>)", ECERT_NOT_SIGN1, "array", NULL},
	{"three members", "18([<<", ">>, {}, <<" BODY ">>])", ECERT_NOT_SIGN1, "array", NULL},
	{"five members", "18([<<", ">>, {}, <<" BODY ">>, " SIGNATURE ", null])", ECERT_NOT_SIGN1, "array", NULL},
	{"protected header not in a byte string", "18([", TAIL, ECERT_NOT_SIGN1, "protected", NULL},
	{"unprotected header with a member", "18([<<", ">>, {-70000: 0}, <<" BODY ">>, " SIGNATURE "])", ECERT_NOT_SIGN1, "unprotected", "{-70000: 0}"},
	{"unprotected header an array", "18([<<", ">>, [7, 77, 777], <<" BODY ">>, " SIGNATURE "])", ECERT_NOT_SIGN1, "unprotected", "[7, 77, 777]"},
	{"unprotected header bytes", "18([<<", ">>, h'a0', <<" BODY ">>, " SIGNATURE "])", ECERT_NOT_SIGN1, "unprotected", "h'a0'"},
	{"payload detached", "18([<<", ">>, {}, null, " SIGNATURE "])", ECERT_NOT_SIGN1, "payload", "null"},
	{"payload a map, not bytes", "18([<<", ">>, {}, " BODY ", " SIGNATURE "])", ECERT_NOT_SIGN1, "payload", BODY},
	{"payload text", "18([<<", ">>, {}, 'payload', " SIGNATURE "])", ECERT_NOT_SIGN1, "payload", "'payload'"},
	{"body no bytes", "18([<<", ">>, {}, h'', " SIGNATURE "])", ECERT_BODY_NOT_MAP, NULL, SIGNATURE},
	{"body text", "18([<<", ">>, {}, <<'body'>>, " SIGNATURE "])", ECERT_BODY_NOT_MAP, NULL, "'body'"},
	{"body array", "18([<<", ">>, {}, <<[7, 7, 7]>>, " SIGNATURE "])", ECERT_BODY_NOT_MAP, NULL, "[7, 7, 7]"},
	{"body with bytes", "18([<<", ">>, {}, <<{'a': h'abcdef'}>>, " SIGNATURE "])", ECERT_BODY_BYTES, NULL, "h'abcdef'"},
	{"body with integer key", "18([<<", ">>, {}, <<{70007: 0}>>, " SIGNATURE "])", ECERT_BODY_TYPE, NULL, "70007"},
	{"body with tag 18", "18([<<", ">>, {}, <<{'a': 18(70007)}>>, " SIGNATURE "])", ECERT_BAD_TAG, NULL, "18(70007)"},
	{"signature empty", "18([<<", ">>, {}, <<" BODY ">>, h''])", ECERT_BAD_SIGNATURE_SIZE, "signature", "h''"},
	{"signature of 63 bytes", "18([<<", ">>, {}, <<" BODY ">>, h'" ZEROS_64 "aa000000000000000000000000000000000000000000000000000000000000'])", ECERT_BAD_SIGNATURE_SIZE, "signature", "h'" ZEROS_64 "aa000000000000000000000000000000000000000000000000000000000000'"},
	{"signature of 65 bytes", "18([<<", ">>, {}, <<" BODY ">>, h'" ZEROS_64 ZEROS_64 "00'])", ECERT_BAD_SIGNATURE_SIZE, "signature", "h'" ZEROS_64 ZEROS_64 "00'"},
	{"signature text", "18([<<", ">>, {}, <<" BODY ">>, 'signature'])", ECERT_NOT_SIGN1, "signature", "'signature'"},
	{"signature null", "18([<<", ">>, {}, <<" BODY ">>, null])", ECERT_NOT_SIGN1, "signature", "null"},
};

static void
test_frame(void)
{
	char	   *header = header_text(good_header);

	for (size_t i = 0; i < COUNT(frames); i++)
	{
		const Frame *frame = &frames[i];
		char	   *text = diag_format("%s%s%s", frame->before, header, frame->after);
		EcertSlice	bytes = ecert_slice(input, diag_encode(text, input));
		size_t		offset = frame->at != NULL ? place_of(bytes, frame->at) :
			frame->field != NULL && strcmp(frame->field, "array") == 0 ? 1 :
			frame->field != NULL && strcmp(frame->field, "protected") == 0 ? 2 : 0;

		check_parse(bytes, frame->code, frame->field, offset, frame->name);
		free(text);
	}
	free(header);
}

/* The bytes of the protected header, in hex, are not one deterministic map */
static void
test_header_bytes(void)
{
	static const struct
	{
		const char *name;
		const char *hex;
		EcertCode	code;
		const char *field;
		size_t		offset;		/* in the header */
	}			headers[] = {
		{"header of no bytes", "", ECERT_TRUNCATED, NULL, 0},
		{"header an array", "80", ECERT_NOT_SIGN1, "protected", 0},
		{"header an integer", "00", ECERT_NOT_SIGN1, "protected", 0},
		{"header a tagged map", "d2a0", ECERT_NOT_SIGN1, "protected", 0},
		{"header an empty map", "a0", ECERT_HEADER_FIELD, "alg", 0},
		{"header with bytes behind", "a000", ECERT_TRAILING_BYTES, NULL, 1},
		{"header cut", "a2012703", ECERT_TRUNCATED, NULL, 0},
		{"header with a parameter twice", "a201270127", ECERT_KEY_ORDER, NULL, 3},
		{"header out of order", "a2030101 27", ECERT_KEY_ORDER, NULL, 3},
		{"header indefinite", "bf0127ff", ECERT_INDEFINITE, NULL, 0},
		{"header with a float", "a101f93c00", ECERT_FLOAT, NULL, 2},
		{"header not shortest", "a1180127", ECERT_NOT_SHORTEST, NULL, 1},
	};

	for (size_t i = 0; i < COUNT(headers); i++)
	{
		char		hex[64] = "";
		char	   *text;
		EcertSlice	bytes;

		for (const char *c = headers[i].hex; *c != '\0'; c++)
		{
			if (*c != ' ')
				strncat(hex, c, 1);
		}
		text = diag_format("18([h'%s', {}, <<%s>>, %s])", hex, BODY, SIGNATURE);
		bytes = ecert_slice(input, diag_encode(text, input));
		/* short byte strings have a head of one byte */
		check_parse(bytes, headers[i].code, headers[i].field, 3 + headers[i].offset, headers[i].name);
		free(text);
	}
}

/* Sign the package that template describes, in output */
static EcertSlice
signed_package(const EcertPackage *template_package, const EcertPrivateKey *key)
{
	EcertBuffer out = ecert_buffer(output, ECERT_PACKAGE_MAX);
	EcertCode	code = ecert_package_sign(template_package, key, &out, scratch());

	CHECK_INT(code, ECERT_OK, "signed");
	return ecert_slice(output, out.size);
}

static EcertPrivateKey *
seed_key(void)
{
	EcertPrivateKey *key = NULL;
	uint8_t		seed[32];

	for (size_t i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t) i;
	if (ecert_private_key_from_seed(ecert_slice(seed, sizeof seed), &key) != ECERT_OK)
		abort();
	return key;
}

static EcertPublicKey *
public_of(const EcertPrivateKey *key, uint8_t *raw, size_t *raw_size)
{
	EcertPublicKey *public_key = NULL;

	if (ecert_private_key_public(key, raw, raw_size) != ECERT_OK ||
		ecert_public_key_new(ecert_private_key_alg(key), ecert_slice(raw, *raw_size), &public_key) != ECERT_OK)
		abort();
	return public_key;
}

static EcertPackage
good_template(EcertSlice body)
{
	static uint8_t prev[32];
	EcertPackage package;

	memset(&package, 0, sizeof package);
	(void) diag_unhex(HASH_B, prev);
	package.body = body;
	package.kind = ECERT_KIND_ENERGY;
	package.issuer = ecert_slice_text("mill-7");
	package.subject = ecert_slice_text("works-7");
	package.audience = ecert_slice_text("ledger.example/e");
	package.issued_at = 1706832000;
	package.seq = 41;
	package.prev = ecert_slice(prev, sizeof prev);
	return package;
}

/* Everything about one package that is signed, compared with bytes made without src/core */
static void
check_signed(EcertPrivateKey *key)
{
	const char *name = ecert_alg_name(ecert_private_key_alg(key));
	EcertSlice	body = ecert_slice(input, diag_encode(BODY, input));
	EcertPackage template_package = good_template(body);
	EcertSlice	bytes = signed_package(&template_package, key);
	EcertPackage package;
	EcertError	error;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		kid[ECERT_HASH_SIZE];
	size_t		raw_size;
	EcertPublicKey *public_key = public_of(key, raw, &raw_size);

	CHECK_INT(ecert_package_parse(bytes, &package, &error), ECERT_OK, "%s: what was signed parses", name);
	CHECK(ecert_slice_equal(package.bytes, bytes) && ecert_slice_equal(package.body, body) && package.signature.size == 64,
		  "%s: bytes, body and signature", name);
	CHECK(package.alg == ecert_private_key_alg(key) && package.kind == ECERT_KIND_ENERGY, "%s: alg and kind", name);
	CHECK(ecert_key_thumbprint(package.alg, ecert_slice(raw, raw_size), kid) == ECERT_OK &&
		  ecert_slice_equal(package.kid, ecert_slice(kid, 32)), "%s: kid is the key's thumbprint", name);
	CHECK(ecert_slice_equal(package.issuer, template_package.issuer) &&
		  ecert_slice_equal(package.subject, template_package.subject) &&
		  ecert_slice_equal(package.audience, template_package.audience), "%s: issuer, subject, audience", name);
	CHECK(package.issued_at == 1706832000 && package.seq == 41 && ecert_slice_equal(package.prev, template_package.prev),
		  "%s: issued_at, seq, prev", name);
	CHECK_INT(ecert_package_verify(&package, public_key, scratch()), ECERT_OK, "%s: the signature is right", name);
	ecert_public_key_free(public_key);
}

/* The same package written down in notation */
static void
check_independent_form(EcertSlice bytes)
{
	EcertPackage package;
	const char *parameters[PARAMETERS];
	char		hex[2 * 64 + 1];
	char	   *kid,
			   *header,
			   *text;
	uint8_t    *expected = malloc(DIAG_MAX);
	size_t		size;
	EcertBuffer out;
	uint8_t		hash[32];
	uint8_t		expected_hash[32];
	EcertSlice	parts[1];

	(void) ecert_package_parse(bytes, &package, NULL);
	memcpy(parameters, good_header, sizeof parameters);
	for (size_t i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", package.kid.data[i]);
	parameters[KID] = kid = diag_format("4: h'%s'", hex);
	header = header_text(parameters);
	size = diag_encode(header, expected);
	CHECK(ecert_slice_equal(package.protected_header, ecert_slice(expected, size)), "the header, byte for byte");

	text = diag_format("['Signature1', <<%s>>, h'', <<%s>>]", header, BODY);
	size = diag_encode(text, expected);
	out = scratch();
	ecert_package_signed_bytes(package.protected_header, package.body, &out);
	CHECK(ecert_slice_equal(ecert_slice(scratch_bytes, out.size), ecert_slice(expected, size)),
		  "the Sig_structure, byte for byte");
	free(text);

	for (size_t i = 0; i < 64; i++)
		sprintf(hex + 2 * i, "%02x", package.signature.data[i]);
	text = diag_format("18([<<%s>>, {}, <<%s>>, h'%s'])", header, BODY, hex);
	size = diag_encode(text, expected);
	CHECK(ecert_slice_equal(bytes, ecert_slice(expected, size)), "the package, byte for byte");
	memmove(expected + 1, expected, size);
	expected[0] = 0x00;
	parts[0] = ecert_slice(expected, size + 1);
	CHECK(ecert_package_hash(bytes, hash) == ECERT_OK && ecert_sha256(parts, 1, expected_hash) == ECERT_OK &&
		  memcmp(hash, expected_hash, 32) == 0, "the hash is that of 0x00 and the package");
	out = scratch();
	ecert_package_put_header(&out, &package);
	CHECK(ecert_slice_equal(ecert_slice(scratch_bytes, out.size), package.protected_header), "the header is written as it was read");
	free(text);
	free(kid);
	free(header);
	free(expected);
}

/* A parsed package that is moved to a copy of its bytes is what parsing the copy gives */
static void
check_move(EcertSlice bytes)
{
	uint8_t    *copy = malloc(bytes.size);
	EcertPackage moved;
	EcertPackage parsed;
	bool		same;

	memcpy(copy, bytes.data, bytes.size);
	same = ecert_package_parse(bytes, &moved, NULL) == ECERT_OK &&
		ecert_package_parse(ecert_slice(copy, bytes.size), &parsed, NULL) == ECERT_OK;
	ecert_package_move(&moved, copy);
	for (int i = 0; i < ECERT_PACKAGE_PARTS; i++)
		same = same && moved.parts[i].size == parsed.parts[i].size &&
			(parsed.parts[i].size == 0 || moved.parts[i].data == parsed.parts[i].data);
	CHECK(same, "the parts follow the bytes to a copy");
	free(copy);
}

/* Every prefix is refused, at a byte of the prefix */
static void
check_truncations(EcertSlice bytes)
{
	size_t		good = 0;

	for (size_t size = 0; size < bytes.size; size++)
	{
		uint8_t    *copy = malloc(size);
		EcertPackage package;
		EcertError	error = {.offset = SIZE_MAX};

		memcpy(copy, bytes.data, size);
		good += ecert_package_parse(ecert_slice(copy, size), &package, &error) == ECERT_TRUNCATED && error.offset <= size;
		free(copy);
	}
	CHECK_INT(good, bytes.size, "each of %zu truncations is refused", bytes.size);
}

/* No byte can have another value */
static void
check_changes(EcertSlice bytes, const EcertPublicKey *key)
{
	uint8_t    *copy = malloc(bytes.size);
	size_t		unparsed = 0;
	size_t		unverified = 0;
	size_t		accepted = 0;

	memcpy(copy, bytes.data, bytes.size);
	for (size_t i = 0; i < bytes.size; i++)
	{
		for (unsigned change = 1; change < 256; change++)
		{
			EcertPackage package;
			EcertError	error = {.offset = SIZE_MAX};

			copy[i] = (uint8_t) (bytes.data[i] ^ change);
			if (ecert_package_parse(ecert_slice(copy, bytes.size), &package, &error) != ECERT_OK)
				unparsed += error.offset <= bytes.size;
			else if (ecert_package_verify(&package, key, scratch()) == ECERT_BAD_SIGNATURE)
				unverified++;
			else
				accepted++;
		}
		copy[i] = bytes.data[i];
	}
	CHECK(accepted == 0 && unparsed + unverified == bytes.size * 255,
		  "of %zu single-byte changes none is accepted (%zu do not parse, %zu do not verify)",
		  bytes.size * 255, unparsed, unverified);
	free(copy);
}

static void
test_signing(void)
{
	EcertPrivateKey *key = seed_key();
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	EcertPublicKey *public_key = public_of(key, raw, &raw_size);
	EcertPackage template_package = good_template(ecert_slice(input, diag_encode(BODY, input)));
	EcertPackage package;
	EcertSlice	bytes;
	uint8_t		longer[1024];

	check_signed(key);
	bytes = signed_package(&template_package, key);
	check_independent_form(bytes);
	check_move(bytes);
	check_truncations(bytes);
	check_changes(bytes, public_key);

	memcpy(longer, bytes.data, bytes.size);
	longer[bytes.size] = 0x00;
	check_parse(ecert_slice(longer, bytes.size + 1), ECERT_TRAILING_BYTES, NULL, bytes.size, "one byte behind a package");

	(void) ecert_package_parse(bytes, &package, NULL);
	CHECK_INT(ecert_package_verify(&package, public_key, ecert_buffer(scratch_bytes, bytes.size - 64)), ECERT_NO_SPACE,
			  "too little scratch is said, not overrun");
	CHECK_INT(ecert_package_verify(&package, public_key, ecert_buffer(scratch_bytes, bytes.size + 32)), ECERT_OK,
			  "scratch of the package's size + 32 is enough");
	package.signature = ecert_slice(longer, 64);
	CHECK_INT(ecert_package_verify(&package, public_key, scratch()), ECERT_BAD_SIGNATURE, "another signature is refused");
	ecert_public_key_free(public_key);
	ecert_private_key_free(key);
}

static void
test_other_algs(void)
{
	static const char *const curves[] = {"P-256", "SM2"};

	for (size_t i = 0; i < COUNT(curves); i++)
	{
		EcertPrivateKey *key = ec_key(curves[i]);

		check_signed(key);
		ecert_private_key_free(key);
	}
}

#define P256_ORDER "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"

/* n - s in the place of s */
static void
turn_over(uint8_t *s)
{
	BIGNUM	   *order = NULL;
	BIGNUM	   *scalar = BN_bin2bn(s, 32, NULL);

	(void) BN_hex2bn(&order, P256_ORDER);
	(void) BN_sub(scalar, order, scalar);
	(void) BN_bn2binpad(scalar, s, 32);
	BN_free(scalar);
	BN_free(order);
}

/* The half of n, and one more, as s */
static void
check_bounds_of_s(void)
{
	uint8_t		signature[64] = {0};
	BIGNUM	   *half = NULL;

	(void) BN_hex2bn(&half, P256_ORDER);
	(void) BN_rshift1(half, half);
	(void) BN_bn2binpad(half, signature + 32, 32);
	CHECK(ecert_signature_is_strict(ECERT_ALG_ES256, ecert_slice(signature, 64)), "s = (n - 1) / 2 is in strict form");
	(void) BN_add_word(half, 1);
	(void) BN_bn2binpad(half, signature + 32, 32);
	CHECK(!ecert_signature_is_strict(ECERT_ALG_ES256, ecert_slice(signature, 64)), "s = (n + 1) / 2 is not");
	CHECK(ecert_signature_is_strict(ECERT_ALG_SM2, ecert_slice(signature, 64)) &&
		  ecert_signature_is_strict(ECERT_ALG_ED25519, ecert_slice(signature, 64)), "of other algorithms nobody asks");
	ecert_signature_make_strict(ECERT_ALG_ES256, signature);
	(void) BN_sub_word(half, 1);
	CHECK(BN_cmp(half, BN_bin2bn(signature + 32, 32, half)) == 0, "it becomes (n - 1) / 2");
	BN_free(half);
}

/* Of an ES256 signature (r, s) anybody can make (r, n - s): one of the two is in strict form */
static void
test_high_s(void)
{
	EcertPrivateKey *key = ec_key("P-256");
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;
	EcertPublicKey *public_key = public_of(key, raw, &raw_size);
	EcertPackage template_package = good_template(ecert_slice(input, diag_encode(BODY, input)));
	uint8_t		twin[1024];
	size_t		size;
	int			strict = 0;

	for (int i = 0; i < 64; i++)
	{
		EcertSlice	bytes = signed_package(&template_package, key);

		memcpy(twin, bytes.data, size = bytes.size);
		strict += ecert_signature_is_strict(ECERT_ALG_ES256, ecert_slice(bytes.data + size - 64, 64));
	}
	CHECK_INT(strict, 64, "the signer writes the strict form");
	turn_over(twin + size - 32);
	check_parse(ecert_slice(twin, size), ECERT_HIGH_S, "signature", size - 66, "n - s in the place of s");
	ecert_signature_make_strict(ECERT_ALG_ES256, twin + size - 64);
	check_parse(ecert_slice(twin, size), ECERT_OK, NULL, 0, "and turned over again");
	memset(twin + size - 32, 0xff, 32);
	ecert_signature_make_strict(ECERT_ALG_ES256, twin + size - 64);
	CHECK(twin[size - 1] == 0xff, "what is no scalar stays what it is");
	check_bounds_of_s();
	ecert_public_key_free(public_key);
	ecert_private_key_free(key);
}

/* The longest ids, and a header that the writer must hold */
static void
test_longest_ids(void)
{
	EcertPrivateKey *key = seed_key();
	EcertPackage template_package = good_template(ecert_slice(input, diag_encode(BODY, input)));
	EcertPackage package;
	EcertSlice	bytes;

	template_package.issuer = template_package.subject = template_package.audience = ecert_slice_text(ID_200);
	template_package.kind = ECERT_KIND_CERTIFICATE;
	template_package.issued_at = ECERT_TIME_MAX;
	template_package.seq = INT64_MAX;
	bytes = signed_package(&template_package, key);
	CHECK(ecert_package_parse(bytes, &package, NULL) == ECERT_OK && package.seq == INT64_MAX &&
		  package.issued_at == ECERT_TIME_MAX && package.audience.size == 200, "the longest ids and the greatest numbers");
	ecert_private_key_free(key);
}

/* A body that makes the whole package size bytes; it is in input */
static EcertSlice
body_for(size_t size, size_t *used)
{
	char	   *text = malloc(size + 100);
	size_t		fill = *used;

	/* 'reason' is filled until the size is right: a few steps, since the heads grow too */
	memset(text, 'x', size);
	sprintf(text, "{'period': [0, 60], 'lines': [{'source': 's', 'unit': 'u', 'quantity': 1}], 'reason': '");
	memset(text + strlen(text), 'x', fill);
	strcpy(text + strlen("{'period': [0, 60], 'lines': [{'source': 's', 'unit': 'u', 'quantity': 1}], 'reason': '") + fill, "'}");
	*used = diag_encode(text, input);
	free(text);
	return ecert_slice(input, *used);
}

static void
test_size(void)
{
	EcertPrivateKey *key = seed_key();
	EcertPackage template_package = good_template(ecert_slice(NULL, 0));
	EcertBuffer out;
	size_t		fill = 65000;
	size_t		used = fill;
	uint8_t    *larger = malloc(ECERT_PACKAGE_MAX + 1);

	template_package.body = body_for(ECERT_PACKAGE_MAX, &used);
	fill += ECERT_PACKAGE_MAX - signed_package(&template_package, key).size;
	used = fill;
	template_package.body = body_for(ECERT_PACKAGE_MAX, &used);
	CHECK_INT(signed_package(&template_package, key).size, 65535, "a package of 65535 bytes");
	check_parse(ecert_slice(output, 65535), ECERT_OK, NULL, 0, "65535 bytes");

	memcpy(larger, output, 65535);
	larger[65535] = 0x00;
	check_parse(ecert_slice(larger, 65536), ECERT_TOO_LARGE, NULL, 65535, "65536 bytes, before anything else is looked at");
	free(larger);
	used = fill + 1;
	template_package.body = body_for(ECERT_PACKAGE_MAX, &used);
	out = ecert_buffer(output, sizeof output);
	CHECK_INT(ecert_package_sign(&template_package, key, &out, scratch()), ECERT_TOO_LARGE, "65536 bytes are not made");
	used = fill + 2000;
	template_package.body = body_for(ECERT_PACKAGE_MAX + 2000, &used);
	out = ecert_buffer(output, sizeof output);
	CHECK_INT(ecert_package_sign(&template_package, key, &out, scratch()), ECERT_TOO_LARGE, "nor more than scratch holds");
	ecert_private_key_free(key);
}

static void
test_ids(void)
{
	char		id[ECERT_ID_MAX + 2];

	memset(id, 'i', sizeof id);
	CHECK(ecert_id_valid(ecert_slice(id, 1)) && ecert_id_valid(ecert_slice(id, 200)), "ids of 1 and 200 bytes");
	CHECK(!ecert_id_valid(ecert_slice(id, 0)) && !ecert_id_valid(ecert_slice(id, 201)), "no ids of 0 and 201 bytes");
	for (unsigned c = 0; c < 0x20; c++)
	{
		id[3] = (char) c;
		if (ecert_id_valid(ecert_slice(id, 10)))
			break;
		id[3] = 'i';
	}
	CHECK(id[3] == 'i', "no id with a control character");
	CHECK(!ecert_id_valid(ecert_slice_text("cut \xC3")), "no id that is not UTF-8");
}

static void
test_cose_examples(void)
{
	static uint8_t raw[ECERT_RAW_KEY_MAX];
	static uint8_t wanted[512];

	for (size_t i = 0; i < COUNT(cose_vectors); i++)
	{
		const CoseVector *vector = &cose_vectors[i];
		EcertSlice	message = ecert_slice(input, diag_unhex(vector->message, input));
		EcertSlice	signed_bytes = ecert_slice(wanted, diag_unhex(vector->signed_bytes, wanted));
		EcertCursor cursor = ecert_cursor(message);
		EcertSlice	parts[4] = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
		EcertCborHead head;
		EcertBuffer out = scratch();
		EcertPublicKey *key = NULL;
		EcertPackage package;

		CHECK_INT(ecert_public_key_new(vector->alg, ecert_slice(raw, diag_unhex(vector->key, raw)), &key), ECERT_OK,
				  "%s: key", vector->name);
		(void) ecert_cbor_head(&cursor, &head, NULL);
		if (head.type == ECERT_CBOR_TAG)
			(void) ecert_cbor_head(&cursor, &head, NULL);
		for (size_t k = 0; k < 4; k++)
		{
			if (k == 1)
				(void) ecert_cbor_skip(&cursor);
			else if (ecert_cbor_head(&cursor, &head, NULL) == ECERT_OK)
				parts[k] = ecert_cbor_content(&cursor, &head);
		}
		/* RFC 9052 section 4.4: an empty protected header counts as no bytes */
		if (parts[0].size == 1 && parts[0].data[0] == 0xA0)
			parts[0].size = 0;
		ecert_package_signed_bytes(parts[0], parts[2], &out);
		CHECK_INT(ecert_verify(key, signed_bytes, parts[3]), ECERT_OK, "%s: signature over the published Sig_structure",
				  vector->name);
		CHECK_INT(ecert_slice_equal(ecert_slice(scratch_bytes, out.size), signed_bytes), vector->verifies,
				  "%s: the Sig_structure is %sthe published one", vector->name, vector->verifies ? "" : "not ");
		CHECK_INT(ecert_verify(key, ecert_slice(scratch_bytes, out.size), parts[3]),
				  vector->verifies ? ECERT_OK : ECERT_BAD_SIGNATURE, "%s: %s", vector->name,
				  vector->verifies ? "verifies" : "does not verify");
		CHECK(ecert_package_parse(message, &package, NULL) != ECERT_OK, "%s: is no package", vector->name);
		ecert_public_key_free(key);
	}
}

static void
test_thumbprint(void)
{
	static const uint8_t zeros[ECERT_RAW_KEY_MAX];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		expected[ECERT_HASH_SIZE];
	uint8_t		kid[ECERT_HASH_SIZE];
	EcertSlice	part;

	(void) diag_unhex(RFC9679_THUMBPRINT, expected);
	CHECK(ecert_key_thumbprint(ECERT_ALG_ES256, ecert_slice(raw, diag_unhex(RFC9679_KEY, raw)), kid) == ECERT_OK, "thumbprint of RFC 9679");
	CHECK_BYTES(kid, expected, 32, "thumbprint of RFC 9679 section 6");

	/* the COSE_Key of the required parameters, written in notation */
	part = ecert_slice(input, diag_encode("{1: 1, -1: 6, -2: h'" COSE_KEY_1 "'}", input));
	(void) ecert_sha256(&part, 1, expected);
	(void) ecert_key_thumbprint(ECERT_ALG_ED25519, ecert_slice(raw, diag_unhex(COSE_KEY_1, raw)), kid);
	CHECK_BYTES(kid, expected, 32, "thumbprint of an Ed25519 key");
	part = ecert_slice(input, diag_encode("{1: 2, -1: -65600, "
										  "-2: h'65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d', "
										  "-3: h'1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c'}", input));
	(void) ecert_sha256(&part, 1, expected);
	(void) ecert_key_thumbprint(ECERT_ALG_SM2, ecert_slice(raw, diag_unhex(RFC9679_KEY, raw)), kid);
	CHECK_BYTES(kid, expected, 32, "thumbprint of an SM2 key");
	CHECK_INT(ecert_key_thumbprint(ECERT_ALG_ED25519, ecert_slice(zeros, 31), kid), ECERT_BAD_PUBLIC_KEY, "no thumbprint of 31 bytes");
	CHECK_INT(ecert_key_thumbprint(ECERT_ALG_ES256, ecert_slice(zeros, 64), kid), ECERT_BAD_PUBLIC_KEY, "no thumbprint of 64 bytes");
}

int
main(void)
{
	check_parse(package_of(good_header), ECERT_OK, NULL, 0, "the header that the changes start from");
	test_header();
	test_genesis();
	test_kinds();
	test_reserved_kinds();
	test_algs();
	test_frame();
	test_header_bytes();
	test_ids();
	test_signing();
	test_other_algs();
	test_high_s();
	test_longest_ids();
	test_size();
	test_cose_examples();
	test_thumbprint();
	return check_done();
}
