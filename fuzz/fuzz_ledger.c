/*
 * fuzz_ledger.c
 *		Whole ledgers through all steps of ecert-verify, with a verification that
 *		takes every signature for right: so bodies that nobody signed reach the
 *		registry, the checkpoints and the rules of kinds.
 *
 * The input is a binary dump, or packages each behind two bytes with its size.
 * Seeds: build/verifier/make-ledger --binary (make -C test/verifier all).
 */
#include "verifier/verifier.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "verifier/dump.h"

/* In place of src/crypto/verify_signature.c */
EcertCode
ecert_verify(const EcertPublicKey *key, EcertSlice message, EcertSlice signature)
{
	(void) key;
	(void) message;
	return signature.size > 0 ? ECERT_OK : ECERT_BAD_SIGNATURE;
}

static void
put(int file, const void *bytes, size_t size)
{
	if (write(file, bytes, size) != (ssize_t) size)
		abort();
}

/* The input as a binary dump */
static int
make_dump(const uint8_t *data, size_t size)
{
	static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	int			file = memfd_create("ledger", 0);

	if (file < 0)
		abort();
	if (dump_is_binary(ecert_slice(data, size)))
	{
		put(file, data, size);
		lseek(file, 0, SEEK_SET);
		return file;
	}
	put(file, header, sizeof header);
	while (size >= 2)
	{
		size_t		wanted = (size_t) data[0] << 8 | data[1];
		size_t		length = wanted < size - 2 ? wanted : size - 2;
		uint8_t		row[6] = {0, 1, 0, 0, (uint8_t) (length >> 8), (uint8_t) length};

		put(file, row, sizeof row);
		put(file, data + 2, length);
		data += 2 + length;
		size -= 2 + length;
	}
	put(file, "\377\377", 2);
	lseek(file, 0, SEEK_SET);
	return file;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const Options options = {.jobs = 1, .quiet = true};
	Ledger		ledger;
	int			input = make_dump(data, size);

	ledger_init(&ledger, &options);
	ledger_load(&ledger, input);
	ledger_sort(&ledger);
	registry_build(&ledger);
	if (ledger.registry.has_genesis)
	{
		check_packages(&ledger);
		check_feeds(&ledger);
		check_checkpoints(&ledger);
		check_rules(&ledger);
	}
	close(input);
	ledger_free(&ledger);
	return 0;
}
