/*
 * tiles.c
 *		export-tiles: the log as files of C2SP tlog-tiles, for anybody's web
 *		server and anybody's monitor.
 *
 *		checkpoint                  the newest note, with its witnesses' cosignatures
 *		tile/<level>/<N>            256 hashes; the last of a level tile/<level>/<N>.p/<width>
 *		tile/entries/<N>            256 packages, each behind its size in two bytes
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

/* Room behind the folder's name for the longest name of a tile */
#define NAME_ROOM 128

#define BUNDLE_MAX (ECERT_TILE_WIDTH * (2 + ECERT_PACKAGE_MAX))

struct TileExport
{
	Ledger	   *ledger;
	uint32_t   *leaves;			/* numbers of entries */
	size_t		count;
	size_t		room;
	const Entry *checkpoint;	/* the newest that is good and has a note */
	size_t		size;			/* its packages */
	char	   *path;			/* room for names below the folder */
	size_t		path_room;
	uint8_t    *buffer;			/* of one package */
	bool		failed;
};

TileExport *
tiles_begin(Ledger *ledger)
{
	TileExport *export = need(calloc(1, sizeof *export));

	export->ledger = ledger;
	export->path_room = strlen(ledger->options->tiles) + NAME_ROOM;
	export->path = need(malloc(export->path_room));
	export->buffer = need(malloc(ECERT_PACKAGE_MAX));
	return export;
}

void
tiles_leaf(TileExport *export, const Entry *entry)
{
	if (export->count == export->room)
	{
		export->room = export->room == 0 ? 65536 : export->room * 2;
		export->leaves = need(realloc(export->leaves, export->room * sizeof *export->leaves));
	}
	export->leaves[export->count++] = (uint32_t) (entry - export->ledger->entries);
}

void
tiles_checkpoint(TileExport *export, const Entry *checkpoint)
{
	EcertPackage package;

	if (!ledger_read(export->ledger, checkpoint, export->buffer, &package) || ecert_cbor_text_at(package.body, "note").size == 0)
		return;
	export->checkpoint = checkpoint;
	export->size = export->count;
}

/* ----- files ----- */

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
	char	   *other = need(malloc(export->path_room + 8));
	int			file = -1;
	bool		good = make_folders(export);

	if (good)
	{
		sprintf(other, "%s.XXXXXX", export->path);
		file = mkostemp(other, O_CLOEXEC);
		good = file >= 0 && fchmod(file, 0644) == 0;
	}
	for (size_t done = 0; good && done < size;)
	{
		ssize_t		written = write(file, (const uint8_t *) bytes + done, size - done);

		if (written < 0 && errno == EINTR)
			continue;
		good = written > 0;
		done += good ? (size_t) written : 0;
	}
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

/* ----- tiles and entries ----- */

static EcertCode
write_tile(void *context, unsigned level, uint64_t index, unsigned width, const uint8_t *hashes)
{
	TileExport *export = context;
	char		folder[16];

	snprintf(folder, sizeof folder, "%u", level);
	set_path(export, folder, index, width);
	return write_file(export, hashes, (size_t) width * ECERT_HASH_SIZE) ? ECERT_OK : ECERT_TILE_MISSING;
}

static bool
write_tiles(TileExport *export)
{
	EcertTiles *tiles = need(calloc(1, sizeof *tiles));
	const EcertTileStore store = {.context = export, .write = write_tile};
	EcertCode	code = ECERT_OK;

	for (size_t i = 0; code == ECERT_OK && i < export->size; i++)
		code = ecert_tiles_append(tiles, &store, export->ledger->entries[export->leaves[i]].hash);
	if (code == ECERT_OK)
		code = ecert_tiles_flush(tiles, &store);
	free(tiles);
	return code == ECERT_OK;
}

/* The packages first .. end as one bundle */
static bool
write_bundle(TileExport *export, size_t first, size_t end)
{
	uint8_t    *bytes = need(malloc(BUNDLE_MAX));
	EcertPackage package;
	size_t		size = 0;
	bool		good = true;

	for (size_t i = first; good && i < end; i++)
	{
		const Entry *entry = &export->ledger->entries[export->leaves[i]];

		good = ledger_read(export->ledger, entry, bytes + size + 2, &package);
		bytes[size] = (uint8_t) (entry->size >> 8);
		bytes[size + 1] = (uint8_t) entry->size;
		size += 2 + (size_t) entry->size;
	}
	set_path(export, "entries", first / ECERT_TILE_WIDTH, (unsigned) (end - first));
	good = good && write_file(export, bytes, size);
	free(bytes);
	return good;
}

static bool
write_entries(TileExport *export)
{
	for (size_t first = 0; first < export->size; first += ECERT_TILE_WIDTH)
	{
		size_t		end = first + ECERT_TILE_WIDTH < export->size ? first + ECERT_TILE_WIDTH : export->size;

		if (!write_bundle(export, first, end))
			return false;
	}
	return true;
}

/* ----- the checkpoint ----- */

/* The lines of a witness package that its issuer signed himself, which are those that were verified */
static void
put_cosignatures(const TileExport *export, const Entry *entry, const EcertPackage *package, EcertBuffer *note)
{
	EcertSlice	name = ledger_id_text(export->ledger, entry->issuer);
	EcertSlice	lines = ecert_cbor_text_at(package->body, "cosignature");
	uint8_t		whole[ECERT_NOTE_MAX];
	EcertNoteSignature signature;
	const uint8_t *line;

	if (lines.size == 0 || lines.size >= sizeof whole)
		return;
	memcpy(whole, lines.data, lines.size);
	if (whole[lines.size - 1] != '\n')
		whole[lines.size++] = '\n';
	lines.data = whole;
	for (line = lines.data; ecert_note_next_signature(&lines, &signature); line = lines.data)
	{
		size_t		size = (size_t) (lines.data - line);

		if (ecert_slice_equal(signature.name, name) && note->size + size <= note->capacity)
			ecert_buffer_put(note, ecert_slice(line, size));
	}
}

static void
put_witnesses(TileExport *export, EcertBuffer *note)
{
	Ledger	   *ledger = export->ledger;
	size_t		place = 0;
	size_t		count;
	const Entry *feed;

	while ((feed = ledger_next_feed(ledger, ECERT_KIND_WITNESS, &place, &count)) != NULL)
	{
		for (size_t i = 0; i < count; i++)
		{
			EcertPackage package;
			uint8_t		hash[ECERT_HASH_SIZE];

			if ((feed[i].flags & ENTRY_UNSOUND) == 0 && ledger_read(ledger, &feed[i], export->buffer, &package) &&
				ecert_hex_to_hash(ecert_cbor_text_at(package.body, "checkpoint"), hash) &&
				memcmp(hash, export->checkpoint->hash, sizeof hash) == 0)
				put_cosignatures(export, &feed[i], &package, note);
		}
	}
}

static bool
write_checkpoint(TileExport *export)
{
	uint8_t		bytes[ECERT_NOTE_MAX];
	EcertBuffer note = ecert_buffer(bytes, sizeof bytes);
	EcertPackage package;

	if (!ledger_read(export->ledger, export->checkpoint, export->buffer, &package))
		return false;
	ecert_buffer_put(&note, ecert_cbor_text_at(package.body, "note"));
	put_witnesses(export, &note);
	snprintf(export->path, export->path_room, "%s/checkpoint", export->ledger->options->tiles);
	return write_file(export, bytes, note.size);
}

static bool
checkpoints_are_good(const Ledger *ledger)
{
	for (size_t i = 0; i < ledger->problems.count; i++)
	{
		const Entry *entry = ledger->problems.list[i].entry;

		if (entry != NULL && entry->kind == ECERT_KIND_CHECKPOINT)
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
	free(export->leaves);
	free(export->path);
	free(export->buffer);
	free(export);
}
