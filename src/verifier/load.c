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

#define RECENT_IDS 256			/* that a thread remembers, to spare the lock; a power of 2 */

/* The shortest package is longer than that, so a block has not more of them */
#define PACKAGE_MIN 64
#define BLOCK_PACKAGES (DUMP_BLOCK / PACKAGE_MIN)

typedef struct Recent
{
	Id			id;				/* text NULL: free */
	uint32_t	number;
} Recent;

typedef struct Load
{
	Ledger	   *ledger;
	pthread_mutex_t turn;
	Dump		dump;
	int			input;
	bool		spooling;
	atomic_uint_fast64_t spooled;
	atomic_uint_fast64_t package_bytes;
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
	uint32_t	sum = (uint32_t) text.size;
	Recent	   *recent;

	for (size_t i = 0; i < text.size; i++)
		sum = sum * 31 + text.data[i];
	recent = &loader->recent[(sum ^ sum >> 8) % RECENT_IDS];
	if (recent->id.text == NULL || !ecert_slice_equal(ecert_slice(recent->id.text, recent->id.size), text))
	{
		Ids		   *ids = &loader->load->ledger->ids;

		recent->number = ids_intern(ids, text);
		pthread_mutex_lock(&ids->lock);
		recent->id = ids->list[recent->number];
		pthread_mutex_unlock(&ids->lock);
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

/* A row that is no package */
static void
put_bad_row(Loader *loader, const DumpRow *row)
{
	Ledger	   *ledger = loader->load->ledger;

	switch (row->state)
	{
		case DUMP_NULL:
			ledger_row_problem(ledger, row->number, "package is missing");
			break;
		case DUMP_TOO_LARGE:
			ledger_row_problem(ledger, row->number, "package is malformed at byte %d: %s", ECERT_PACKAGE_MAX,
							   ecert_error_text(ECERT_TOO_LARGE));
			break;
		case DUMP_COLUMNS:
			ledger_row_problem(ledger, row->number, "row has several columns; COPY ledger.package (package) TO STDOUT makes what is read here");
			break;
		default:
			ledger_row_problem(ledger, row->number, "row is not a package in hexadecimal digits");
			break;
	}
}

static void
take_row(Loader *loader, const DumpRow *row)
{
	EcertPackage package;
	EcertError	error;

	if (row->state != DUMP_PACKAGE)
	{
		/* the header line of COPY ... (HEADER) */
		if (row->state != DUMP_NOT_HEX || row->number != 1 || memcmp(row->bytes, "package\n", 8) != 0)
			put_bad_row(loader, row);
		return;
	}
	if (ecert_package_parse(ecert_slice(row->bytes, row->size), &package, &error) != ECERT_OK)
	{
		ledger_row_problem(loader->load->ledger, row->number, "package is malformed at byte %zu: %s", error.offset,
						   ecert_error_text(error.code));
		return;
	}
	if (!loader->load->spooling)
	{
		put_entry(loader, &package, loader->block.offset + (uint64_t) (row->bytes - loader->block.bytes));
		return;
	}
	put_entry(loader, &package, loader->kept);
	memmove(loader->block.bytes + loader->kept, row->bytes, row->size);
	loader->kept += row->size;
}

static bool
write_whole(int file, const uint8_t *bytes, size_t size, uint64_t offset)
{
	while (size > 0)
	{
		ssize_t		written = pwrite(file, bytes, size, (off_t) offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		size -= (size_t) written;
		offset += (uint64_t) written;
	}
	return true;
}

/* Give the block's packages a place in the spool, and the index its entries */
static void
finish_block(Loader *loader)
{
	Load	   *load = loader->load;

	if (load->spooling)
	{
		uint64_t	base = atomic_fetch_add(&load->spooled, loader->kept);

		for (size_t i = 0; i < loader->count; i++)
			loader->entries[i].offset += base;
		if (!write_whole(load->ledger->spool, loader->block.bytes, loader->kept, base) && !atomic_exchange(&load->failed, true))
			ledger_error(load->ledger, "could not write the temporary file: %s (TMPDIR says where it is)", strerror(errno));
	}
	for (size_t i = 0; i < loader->count; i++)
		atomic_fetch_add_explicit(&load->package_bytes, loader->entries[i].size, memory_order_relaxed);
	ledger_add(load->ledger, loader->entries, loader->count);
}

static bool
next_block(Load *load, DumpBlock *block)
{
	bool		there;

	pthread_mutex_lock(&load->turn);
	there = !atomic_load(&load->failed) && dump_next_block(&load->dump, block);
	atomic_store(&load->ledger->progress.done, load->dump.bytes_read);
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

static void
report_input(Load *load)
{
	Ledger	   *ledger = load->ledger;

	if (load->dump.read_errno != 0)
		ledger_error(ledger, "could not read the dump to its end: %s", strerror(load->dump.read_errno));
	if (load->dump.damage != NULL)
		ledger_error(ledger, "%s (at byte %llu)", load->dump.damage, (unsigned long long) load->dump.damage_offset);
	ledger->counts.rows = load->dump.rows;
	ledger->counts.input_bytes = load->dump.bytes_read;
	ledger->counts.package_bytes = load->package_bytes;
}

void
ledger_load(Ledger *ledger, int input)
{
	Load	   *load = need(calloc(1, sizeof *load));
	struct stat state;
	bool		known = fstat(input, &state) == 0;

	load->ledger = ledger;
	load->input = input;
	pthread_mutex_init(&load->turn, NULL);
	dump_open(&load->dump, read_input, &load->input);
	load->spooling = !known || !is_own_spool(input, &state);
	ledger->spool_is_ours = load->spooling;
	ledger->spool = load->spooling ? open_spool(ledger) : input;
	progress_step(ledger, "reading", known && S_ISREG(state.st_mode) ? (uint64_t) state.st_size : 0, true);
	if (ledger->spool >= 0)
	{
		run_jobs(ledger->options->jobs, load_blocks, load);
		report_input(load);
	}
	pthread_mutex_destroy(&load->turn);
	free(load);
}
