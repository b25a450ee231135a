/*
 * verify_rate.c
 *		How long the signatures of packages take to verify, and nothing else.
 *
 *   verify-rate REPEATS < packages
 *
 * Reads packages as ecert-sign prints them (COPY text), signed with test keys.
 * Everything that is not the signature's (reading, parsing, keys, what was
 * signed) is done before the clock starts.  Prints one line of versions of the
 * libraries, then one line per repetition: packages, seconds, seconds of CPU.
 */
#include "testkey.h"

#include "core/package.h"

#include <openssl/crypto.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct Item
{
	const EcertPublicKey *key;
	EcertSlice	message;
	EcertSlice	signature;
} Item;

typedef struct KnownKey
{
	char		node[ECERT_ID_MAX + 1];
	EcertAlg	alg;
	EcertPublicKey *key;
} KnownKey;

static KnownKey *known;
static size_t known_count;

__attribute__((noreturn))
static void
die(const char *what, size_t line)
{
	fprintf(stderr, "verify-rate: line %zu: %s\n", line, what);
	exit(1);
}

static void *
need(void *memory)
{
	if (memory == NULL)
	{
		fputs("verify-rate: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* Hex digits to bytes that are never freed */
static EcertSlice
read_hex(const char *text, size_t line)
{
	size_t		digits = strspn(text, "0123456789abcdef");
	uint8_t    *bytes = need(malloc(digits / 2 + 1));
	size_t		size;

	if (sodium_hex2bin(bytes, digits / 2, text, digits, NULL, &size, NULL) != 0)
		die("not hex", line);
	return ecert_slice(bytes, size);
}

/* The public half of the issuer's test key */
static const EcertPublicKey *
key_of(const EcertPackage *package, size_t line)
{
	KnownKey   *new;
	EcertPrivateKey *private;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		size;

	for (size_t i = 0; i < known_count; i++)
	{
		if (known[i].alg == package->alg && ecert_slice_equal(ecert_slice_text(known[i].node), package->issuer))
			return known[i].key;
	}
	known = need(realloc(known, (known_count + 1) * sizeof(*known)));
	new = &known[known_count++];
	memset(new, 0, sizeof(*new));
	memcpy(new->node, package->issuer.data, package->issuer.size);
	new->alg = package->alg;
	if (testkey_private(new->node, new->alg, &private) != ECERT_OK ||
		ecert_private_key_public(private, raw, &size) != ECERT_OK ||
		ecert_public_key_new(new->alg, ecert_slice(raw, size), &new->key) != ECERT_OK)
		die("no key can be made", line);
	ecert_private_key_free(private);
	return new->key;
}

static Item
read_item(const char *text, size_t line)
{
	EcertSlice	bytes = read_hex(text + strspn(text, "\\x"), line);
	EcertBuffer message = ecert_buffer(need(malloc(bytes.size + 32)), bytes.size + 32);
	EcertPackage package;
	EcertError	error;
	Item		item;

	if (ecert_package_parse(bytes, &package, &error) != ECERT_OK)
		die(ecert_error_text(error.code), line);
	ecert_package_signed_bytes(package.protected_header, package.body, &message);
	item.key = key_of(&package, line);
	item.message = ecert_slice(message.data, message.size);
	item.signature = package.signature;
	return item;
}

static void
verify_all(const Item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (ecert_verify(items[i].key, items[i].message, items[i].signature) != ECERT_OK)
			die("the signature is wrong", i + 1);
	}
}

static double
seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	int			repeats = argc > 1 ? atoi(argv[1]) : 1;
	Item	   *items = NULL;
	size_t		count = 0;
	size_t		room = 0;
	char	   *line = NULL;
	size_t		capacity = 0;

	while (getline(&line, &capacity, stdin) >= 0)
	{
		if (count == room)
		{
			room = room == 0 ? 1024 : room * 2;
			items = need(realloc(items, room * sizeof(*items)));
		}
		items[count] = read_item(line, count + 1);
		count++;
	}
	printf("%s, libsodium %s\n", OpenSSL_version(OPENSSL_VERSION), sodium_version_string());
	for (int i = 0; i < repeats; i++)
	{
		double		began = seconds_of(CLOCK_MONOTONIC);
		double		cpu_began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);

		verify_all(items, count);
		printf("%zu %.6f %.6f\n", count, seconds_of(CLOCK_MONOTONIC) - began,
			   seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began);
	}
	return 0;
}
