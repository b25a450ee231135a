/*
 * load.c
 *		From the dump to the index, in several threads.
 *
 * Each thread takes the next block in its turn and then parses and hashes the
 * packages in it while the others take theirs.  Binary dumps in regular files
 * are read again where they lie; others go, as bytes, into a temporary file
 * that has no name.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verifier/dump.h"

#define RECENT_IDS 256			/* that a thread remembers, to spare the lock */

/* The shortest package is longer than that, so a block has not more of them */
#define PACKAGE_MIN 64
#define BLOCK_PACKAGES (DUMP_BLOCK / PACKAGE_MIN)

typedef struct Recent
{
	EcertSlice	text;			/* the one that stays; NULL: free */
	uint32_t	number;
} Recent;

typedef struct Load
{
	Ledger	   *ledger;
	pthread_mutex_t turn;
	Dump		dump;
	atomic_uint_fast64_t spooled;
	atomic_bool failed;
} Load;

typedef struct Loader
{
	Load	   *load;
	DumpBlock	block;
	Recent		recent[RECENT_IDS];
	size_t		count;
	size_t		kept;			/* bytes of packages, at the beginning of the block */
	Entry		entries[BLOCK_PACKAGES];
} Loader;

static ssize_t
read_input(void *context, void *bytes, size_t size)
{
	return read(*(const int *) context, bytes, size);
}

static uint32_t
intern(Loader *loader, EcertSlice text)
{
	Recent	   *recent = &loader->recent[ecert_text_hash(text, (uintptr_t) loader) % RECENT_IDS];

	if (recent->text.data == NULL || !ecert_slice_equal(recent->text, text))
	{
		recent->text = text;
		recent->number = ids_intern(loader->load->ledger, &recent->text);
	}
	return recent->number;
}

static void
put_entry(Loader *loader, const EcertPackage *package, uint64_t offset)
{
	Entry	   *entry = &loader->entries[loader->count++];
	uint8_t		replaced[ECERT_HASH_SIZE];

	memset(entry, 0, sizeof *entry);
	entry->offset = offset;
	entry->size = (uint16_t) package->bytes.size;
	entry->seq = package->seq;
	entry->issued_at = package->issued_at;
	entry->kind = (uint8_t) package->kind;
	entry->key = NO_KEY;
	entry->flags = package->alg == ECERT_ALG_NONE ? ENTRY_BEYOND : 0;
	entry->sealed = NOT_SEALED;
	entry->issuer = intern(loader, package->issuer);
	entry->subject = intern(loader, package->subject);
	if (!ecert_body_period(package, &entry->period))
		entry->period = (EcertPeriod) {0, 0};
	if (package->prev.size == ECERT_HASH_SIZE)
		memcpy(entry->prev, package->prev.data, ECERT_HASH_SIZE);
	if (ecert_body_replaces(package, replaced))
		entry->flags |= ENTRY_REPLACES;
	if (ecert_package_hash(package->bytes, entry->hash) != ECERT_OK)
		ledger_error(loader->load->ledger, "a package could not be hashed: the crypto library failed");
}

/*
 * A package for a later version.  Of an unknown algorithm it has its place on
 * the ledger all the same; true: take it
 */
static bool
is_taken(Loader *loader, const DumpRow *row, const EcertPackage *package, const EcertError *error)
{
	Ledger	   *ledger = loader->load->ledger;
	bool		is_known = error->code == ECERT_UNKNOWN_ALG;

	ledger_beyond(ledger, NULL, row->number, "package is not supported at byte %zu: %s", error->offset, ecert_error_text(error->code));
	if (!is_known || ecert_kinds[package->kind].issuer_role == ECERT_ROLE_CERTIFIER)
		atomic_store(&ledger->rests_on_beyond, true);
	return is_known;
}

static void
take_row(Loader *loader, const DumpRow *row)
{
	/* what is wrong with rows that are no packages */
	static const char *const faults[] = {
		[DUMP_NULL] = "package is missing",
		[DUMP_NOT_HEX] = "row is not a package in hexadecimal digits",
		[DUMP_COLUMNS] = "row has several columns; COPY ledger.package (package) TO STDOUT makes what is read here",
		[DUMP_TOO_LARGE] = NULL
	};
	EcertPackage package;
	EcertError	error = {.code = ECERT_TOO_LARGE, .offset = ECERT_PACKAGE_MAX};
	EcertCode	code;

	/* the header line of COPY ... (HEADER) */
	if (row->state == DUMP_NOT_HEX && row->number == 1 && memcmp(row->bytes, "package\n", 8) == 0)
		return;
	if (faults[row->state] != NULL)
	{
		ledger_row_problem(loader->load->ledger, row->number, "%s", faults[row->state]);
		return;
	}
	code = row->state == DUMP_TOO_LARGE ? ECERT_TOO_LARGE : ecert_package_parse(ecert_slice(row->bytes, row->size), &package, &error);
	if (ecert_is_reserved(code) && !is_taken(loader, row, &package, &error))
		return;
	if (code != ECERT_OK && code != ECERT_UNKNOWN_ALG)
	{
		ledger_row_problem(loader->load->ledger, row->number, "package is malformed at byte %zu: %s", error.offset,
						   ecert_error_text(error.code));
		return;
	}
	if (!loader->load->ledger->spool_is_ours)
	{
		put_entry(loader, &package, loader->block.offset + (uint64_t) (row->bytes - loader->block.bytes));
		return;
	}
	put_entry(loader, &package, loader->kept);
	memmove(loader->block.bytes + loader->kept, row->bytes, row->size);
	loader->kept += row->size;
}

/* Give the block's packages a place in the spool, and the index its entries */
static void
finish_block(Loader *loader)
{
	Load	   *load = loader->load;

	if (load->ledger->spool_is_ours)
	{
		uint64_t	base = atomic_fetch_add(&load->spooled, loader->kept);

		for (size_t i = 0; i < loader->count; i++)
			loader->entries[i].offset += base;
		if (!write_whole(load->ledger->spool, loader->block.bytes, loader->kept, base) && !atomic_exchange(&load->failed, true))
			ledger_error(load->ledger, "could not write the temporary file: %s (TMPDIR says where it is)", strerror(errno));
	}
	ledger_add(load->ledger, loader->entries, loader->count);
}

static bool
next_block(Load *load, DumpBlock *block)
{
	bool		there;

	pthread_mutex_lock(&load->turn);
	there = !atomic_load(&load->failed) && dump_next_block(&load->dump, block);
	atomic_store(&load->ledger->done, load->dump.bytes_read);
	pthread_mutex_unlock(&load->turn);
	return there;
}

static void
load_blocks(void *context)
{
	Loader	   *loader = need(malloc(sizeof *loader));
	DumpRow		row;

	loader->load = context;
	memset(loader->recent, 0, sizeof loader->recent);
	while (next_block(loader->load, &loader->block))
	{
		loader->count = 0;
		loader->kept = 0;
		while (dump_next_row(&loader->block, &row))
			take_row(loader, &row);
		finish_block(loader);
	}
	free(loader);
}

/* A temporary file that is gone with the process */
static int
open_spool(Ledger *ledger)
{
	const char *directory = getenv("TMPDIR");
	char		path[4096];
	int			file;

	snprintf(path, sizeof path, "%s/ecert-verify.XXXXXX", directory != NULL && directory[0] != '\0' ? directory : "/tmp");
	file = mkostemp(path, O_CLOEXEC);
	if (file < 0)
		ledger_error(ledger, "could not make the temporary file %s: %s (TMPDIR says where it is)", path, strerror(errno));
	else
		unlink(path);
	return file;
}

/* Is it a regular file with a binary dump?  Then it is its own spool */
static bool
is_own_spool(int input, struct stat *state)
{
	uint8_t		begin[DUMP_SIGNATURE_SIZE];

	return S_ISREG(state->st_mode) && lseek(input, 0, SEEK_CUR) == 0 &&
		pread(input, begin, sizeof begin, 0) == (ssize_t) sizeof begin && dump_is_binary(ecert_slice(begin, sizeof begin));
}

void
ledger_load(Ledger *ledger, int input)
{
	Load	   *load = need(calloc(1, sizeof *load));
	struct stat state;
	bool		known = fstat(input, &state) == 0;

	load->ledger = ledger;
	pthread_mutex_init(&load->turn, NULL);
	dump_open(&load->dump, read_input, &input);
	ledger->spool_is_ours = !known || !is_own_spool(input, &state);
	ledger->spool = ledger->spool_is_ours ? open_spool(ledger) : input;
	progress_step(ledger, "reading", known && S_ISREG(state.st_mode) ? (uint64_t) state.st_size : 0, true);
	if (ledger->spool >= 0)
	{
		run_jobs(ledger->options->jobs, load_blocks, load);
		if (load->dump.read_errno != 0)
			ledger_error(ledger, "could not read the dump to its end: %s", strerror(load->dump.read_errno));
		if (load->dump.damage != NULL)
			ledger_error(ledger, "%s (at byte %llu)", load->dump.damage, (unsigned long long) load->dump.damage_offset);
		ledger->counts.rows = load->dump.rows;
	}
	pthread_mutex_destroy(&load->turn);
	free(load);
}
