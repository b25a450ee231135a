/*
 * tiles.c
 *		export-tiles: the log as files of C2SP tlog-tiles, for anybody's web
 *		server and anybody's monitor.
 *
 *		checkpoint                  the newest note, with its witnesses' cosignatures
 *		tile/<level>/<N>            256 hashes
 *		tile/<level>/<N>.p/<W>      W of them: the last of a level in the tree of a checkpoint, every one that was made
 *		tile/entries/<N>            256 packages, each behind its size in two bytes; the last N.p/<W>
 *
 * N is written in groups of three digits, all but the last with an x: x001/x234/067.
 * The order of the leaves is noted during the pass through the checkpoints;
 * nothing is written before all of them have been found good.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/note.h"
#include "rules/fields.h"

/* Room behind the folder's name for the longest name of a tile */
#define NAME_ROOM 128

#define BUNDLE_MAX (ECERT_TILE_WIDTH * (2 + ECERT_PACKAGE_MAX))

struct TileExport
{
	Ledger	   *ledger;
	Reader		reader;
	uint32_t   *leaves;			/* numbers of entries */
	size_t		count;
	const Entry *checkpoint;	/* the newest that is good and has a note */
	size_t		size;			/* its packages */
	size_t	   *sizes;			/* those of every good checkpoint */
	size_t		size_count;
	size_t		size_room;
	char	   *path;			/* room for names below the folder */
	size_t		path_room;
	bool		failed;
};

TileExport *
tiles_begin(Ledger *ledger)
{
	TileExport *export = need(calloc(1, sizeof *export));

	export->ledger = ledger;
	export->reader.ledger = ledger;
	export->leaves = need(malloc(ledger->count * sizeof *export->leaves));
	export->path_room = strlen(ledger->options->tiles) + NAME_ROOM;
	export->path = need(malloc(export->path_room));
	return export;
}

void
tiles_leaf(TileExport *export, const Entry *entry)
{
	export->leaves[export->count++] = (uint32_t) (entry - export->ledger->entries);
}

void
tiles_checkpoint(TileExport *export, const Entry *checkpoint)
{
	EcertPackage package;

	if (export->size_count == export->size_room)
	{
		export->size_room = 2 * export->size_room + 64;
		export->sizes = need(realloc(export->sizes, export->size_room * sizeof *export->sizes));
	}
	export->sizes[export->size_count++] = export->count;
	if (!reader_get(&export->reader, checkpoint, &package) || ecert_cbor_text_at(package.body, "note").size == 0)
		return;
	export->checkpoint = checkpoint;
	export->size = export->count;
}

static bool
fail(TileExport *export, const char *what)
{
	if (!export->failed)
		ledger_error(export->ledger, "could not %s \"%s\": %s", what, export->path, strerror(errno));
	export->failed = true;
	return false;
}

/* Make the folders on the way to the file that path names */
static bool
make_folders(TileExport *export)
{
	size_t		start = strlen(export->ledger->options->tiles);

	for (char *slash = export->path + (start > 0 ? start : 1); (slash = strchr(slash, '/')) != NULL; slash++)
	{
		*slash = '\0';
		if (mkdir(export->path, 0777) != 0 && errno != EEXIST)
			return fail(export, "make the folder");
		*slash = '/';
	}
	return true;
}

/* Write a file under another name and put it in the place of what was there */
static bool
write_file(TileExport *export, const void *bytes, size_t size)
{
	char	   *other;
	int			file;
	bool		good;

	if (!make_folders(export))
		return false;
	if (asprintf(&other, "%s.XXXXXX", export->path) < 0)
		need(NULL);
	file = mkostemp(other, O_CLOEXEC);
	good = file >= 0 && fchmod(file, 0644) == 0 && write_whole(file, bytes, size, 0);
	if (file >= 0)
		good = close(file) == 0 && good;
	good = good && rename(other, export->path) == 0;
	if (!good && file >= 0)
		unlink(other);
	free(other);
	return good || fail(export, "write");
}

/* tile/<folder>/<N>, with .p/<width> when it is not full */
static void
set_path(TileExport *export, const char *folder, uint64_t index, unsigned width)
{
	uint64_t	scale = 1;
	int			size = snprintf(export->path, export->path_room, "%s/tile/%s/", export->ledger->options->tiles, folder);

	while (index / scale >= 1000)
		scale *= 1000;
	for (; scale > 1; scale /= 1000)
		size += snprintf(export->path + size, export->path_room - (size_t) size, "x%03u/", (unsigned) (index / scale % 1000));
	size += snprintf(export->path + size, export->path_room - (size_t) size, "%03u", (unsigned) (index % 1000));
	if (width < ECERT_TILE_WIDTH)
		snprintf(export->path + size, export->path_room - (size_t) size, ".p/%u", width);
}

static EcertCode
write_tile(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t *hashes)
{
	TileExport *export = context;
	char		folder[16];

	snprintf(folder, sizeof folder, "%u", level);
	set_path(export, folder, index, width);
	return write_file(export, hashes, (size_t) width * ECERT_HASH_SIZE) ? ECERT_OK : ECERT_TILE_MISSING;
}

/* Is that the size of a checkpoint?  *next is the place of the one that comes next; sizes increase */
static bool
is_size(const TileExport *export, size_t *next, size_t size)
{
	while (*next < export->size_count && export->sizes[*next] < size)
		++*next;
	return *next < export->size_count && export->sizes[*next] == size;
}

static bool
write_tiles(TileExport *export)
{
	EcertTiles *tiles = need(calloc(1, sizeof *tiles));
	const EcertTileStore store = {.context = export, .write = write_tile};
	EcertCode	code = ECERT_OK;

	for (size_t i = 0, n = 0; code == ECERT_OK && i < export->size; i++)
	{
		code = ecert_tiles_append(tiles, &store, export->ledger->entries[export->leaves[i]].hash);
		if (code == ECERT_OK && is_size(export, &n, i + 1))
			code = ecert_tiles_flush(tiles, &store);
	}
	free(tiles);
	return code == ECERT_OK;
}

/* The packages, so many in a bundle as there are hashes in a tile */
static bool
write_entries(TileExport *export)
{
	EcertBuffer bundle = ecert_buffer(need(malloc(BUNDLE_MAX)), BUNDLE_MAX);
	EcertPackage package;
	bool		good = true;

	for (size_t i = 0; good && i < export->size; i++)
	{
		const Entry *entry = &export->ledger->entries[export->leaves[i]];
		const uint8_t size[2] = {(uint8_t) (entry->size >> 8), (uint8_t) entry->size};

		if ((good = reader_get(&export->reader, entry, &package)))
		{
			ecert_buffer_put(&bundle, ecert_slice(size, sizeof size));
			ecert_buffer_put(&bundle, package.bytes);
		}
		if (good && ((i + 1) % ECERT_TILE_WIDTH == 0 || i + 1 == export->size))
		{
			set_path(export, "entries", i / ECERT_TILE_WIDTH, (unsigned) (i % ECERT_TILE_WIDTH + 1));
			good = write_file(export, bundle.data, bundle.size);
			bundle.size = 0;
		}
	}
	free(bundle.data);
	return good;
}

/* The lines of witnesses: in their own names verified, in others' of the right form, and for their keepers to verify; each once, while there is room */
static void
put_witnesses(TileExport *export, EcertBuffer *note)
{
	for (Feed *feed = NULL; (feed = ledger_next_feed(export->ledger, ECERT_KIND_WITNESS, feed)) != NULL;)
	{
		for (const Entry *entry = feed->entries; entry < feed->entries + feed->count; entry++)
		{
			EcertPackage package;
			EcertSlice	line;
			uint8_t		hash[ECERT_HASH_SIZE];

			if ((entry->flags & (ENTRY_UNSOUND | ENTRY_ISSUER)) != 0 || !reader_get(&export->reader, entry, &package) ||
				!ecert_field_hash(package.body, "checkpoint", hash) ||
				memcmp(hash, export->checkpoint->hash, sizeof hash) != 0)
				continue;
			line = ecert_cbor_text_at(package.body, "cosignature");
			if (line.size > 0 && note->size + line.size < note->capacity && memmem(note->data, note->size, line.data, line.size) == NULL)
			{
				ecert_buffer_put(note, line);
				ecert_buffer_put(note, ecert_slice_text("\n"));
			}
		}
	}
}

static bool
write_checkpoint(TileExport *export)
{
	EcertBuffer note = ecert_buffer(need(malloc(ECERT_NOTE_READ_MAX)), ECERT_NOTE_READ_MAX);
	EcertPackage package;
	bool		good = reader_get(&export->reader, export->checkpoint, &package);

	if (good)
	{
		ecert_buffer_put(&note, ecert_cbor_text_at(package.body, "note"));
		put_witnesses(export, &note);
		snprintf(export->path, export->path_room, "%s/checkpoint", export->ledger->options->tiles);
		good = write_file(export, note.data, note.size);
	}
	free(note.data);
	return good;
}

static bool
checkpoints_are_good(const Ledger *ledger)
{
	const FindingList *problems = &ledger->found[FOUND_PROBLEM];

	for (size_t i = 0; i < problems->count; i++)
	{
		if (problems->list[i].entry != NULL && problems->list[i].entry->kind == ECERT_KIND_CHECKPOINT)
			return false;
	}
	return ledger->counts.checkpoints == ledger->counts.sound_checkpoints;
}

void
tiles_finish(TileExport *export)
{
	Ledger	   *ledger = export->ledger;

	if (!checkpoints_are_good(ledger))
		ledger_error(ledger, "nothing is exported: a checkpoint of this ledger is wrong");
	else if (export->checkpoint == NULL)
		ledger_error(ledger, "nothing is exported: there is no checkpoint with a note");
	/* the checkpoint comes last, so that it never names tiles that are not there yet */
	else if (write_tiles(export) && write_entries(export) && write_checkpoint(export))
		ledger_remark(ledger, "%zu packages are exported to \"%s\"", export->size, ledger->options->tiles);
	free(export->sizes);
	free(export->leaves);
	free(export->path);
	free(export);
}
