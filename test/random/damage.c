/*
 * damage.c
 *		What happens to a dump after everything was signed: bytes, rows and
 *		order changed, packages and feeds left out.
 */
#include "world.h"

#include <openssl/bn.h>

Row			rows[ROWS_MAX];
size_t		row_count;

/* Append a package to the rows of the dump; the number of the row */
static size_t
add_row(EcertSlice bytes, size_t number)
{
	Row		   *row = &rows[row_count];

	if (row_count == ROWS_MAX)
		must(ECERT_NO_SPACE);
	row->bytes = malloc(bytes.size + 1);
	memcpy(row->bytes, bytes.data, bytes.size);
	row->size = bytes.size;
	row->made = number;
	row->cut = 0;
	return row_count++;
}

/* The rows of the dump as they are when nothing happens to it */
void
take_rows(void)
{
	for (size_t i = 0; i < made_count; i++)
		(void) add_row(bytes_of(&made[i]), i);
}

/* Take a row out of the dump */
static void
remove_row(size_t at)
{
	memmove(&rows[at], &rows[at + 1], (row_count - at - 1) * sizeof rows[0]);
	row_count--;
}

/* Genesis is seldom what damage is done to: nothing can be said of the rest */
static size_t
any_row(void)
{
	size_t		at = below(row_count);

	return made[rows[at].made].kind == ECERT_KIND_GENESIS && !one_in(10) && row_count > 1 ? (at + 1) % row_count : at;
}

/* ----- bytes ----- */

/* Turn a bit anywhere in a package, mostly so that it is none any more */
static void
flip_byte(void)
{
	Row		   *row = &rows[any_row()];

	row->bytes[below(row->size)] ^= (uint8_t) (1 << below(8));
}

/* In the signature, or in what is signed behind the header: the form mostly stays right */
static void
flip_behind(void)
{
	Row		   *row = &rows[any_row()];
	size_t		back = one_in(2) ? between(1, 64) : between(68, 68 + 40);

	if (back < row->size)
		row->bytes[row->size - back] ^= (uint8_t) (1 << below(3));
}

/* Put the signature of another package in place of a package's own */
static void
take_signature_of_another(void)
{
	Row		   *row = &rows[any_row()];
	const Row  *other = &rows[any_row()];

	memcpy(row->bytes + row->size - ECERT_SIGNATURE_MAX, other->bytes + other->size - ECERT_SIGNATURE_MAX, ECERT_SIGNATURE_MAX);
}

/* The whole package again, signed with another key */
static void
sign_again(void)
{
	static uint8_t out_bytes[ECERT_PACKAGE_MAX];
	static uint8_t scratch[ECERT_PACKAGE_MAX + 32];
	Row		   *row = &rows[any_row()];
	EcertBuffer out = ecert_buffer(out_bytes, sizeof out_bytes);
	const Node *other = &nodes[below((uint64_t) node_count)];
	EcertPackage package;

	if (ecert_package_parse(ecert_slice(row->bytes, row->size), &package, NULL) != ECERT_OK)
		return;
	must(ecert_package_sign(&package, key_in_use(other)->key, &out, ecert_buffer(scratch, sizeof scratch)));
	free(row->bytes);
	row->bytes = malloc(out.size);
	memcpy(row->bytes, out.data, out.size);
	row->size = out.size;
}

/* The other signature (r, n - s) that an ES256 signature (r, s) makes known to everybody */
static void
add_twin(void)
{
	BIGNUM	   *order = NULL;
	BIGNUM	   *s;
	Row		   *twin;
	size_t		at = any_row();

	for (size_t i = 0; i < row_count && made[rows[at].made].pair->alg != ECERT_ALG_ES256; i++)
		at = (at + 1) % row_count;
	if (made[rows[at].made].pair->alg != ECERT_ALG_ES256)
		return;
	twin = &rows[add_row(ecert_slice(rows[at].bytes, rows[at].size), rows[at].made)];
	(void) BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
	s = BN_bin2bn(twin->bytes + twin->size - 32, 32, NULL);
	(void) BN_sub(s, order, s);
	(void) BN_bn2binpad(s, twin->bytes + twin->size - 32, 32);
	BN_free(s);
	BN_free(order);
}

/* ----- rows ----- */

/* Leave out all packages of one feed */
static void
lose_feed(void)
{
	const Made *gone = &made[rows[any_row()].made];

	for (size_t i = row_count; i-- > 0;)
	{
		const Made *package = &made[rows[i].made];

		if (package->issuer == gone->issuer && package->kind == gone->kind && row_count > 1)
			remove_row(i);
	}
}

/* The newest packages of all feeds */
static void
lose_end(void)
{
	for (int64_t count = between(1, 8); count > 0 && row_count > 1; count--)
		row_count--;
}

/* Of some issuers or kinds nothing but what the certifier says of nodes */
static void
filter(void)
{
	bool		by_kind = one_in(2);
	uint64_t	passed_over = below(4096) | 1;

	for (size_t i = row_count; i-- > 0;)
	{
		const Made *package = &made[rows[i].made];
		uint64_t	place = by_kind ? (uint64_t) package->kind : (uint64_t) (package->issuer - nodes) % 12;

		if (package->kind != ECERT_KIND_GENESIS && package->kind != ECERT_KIND_NODE && (passed_over >> place & 1) != 0)
			remove_row(i);
	}
}

/* Bring the rows into any order */
static void
shuffle(void)
{
	for (size_t i = row_count; i > 1; i--)
	{
		size_t		other = below(i);
		Row			aside = rows[i - 1];

		rows[i - 1] = rows[other];
		rows[other] = aside;
	}
}

/* One thing that happens to the dump */
static void
do_damage(bool binary)
{
	static const char *const names[] = {
		"byte", "byte behind the header", "signature of another", "signed again", "twin", "package lost", "package doubled", "feed lost", "end lost",
		"filtered", "genesis lost", "row cut", "column too many"
	};
	uint64_t	which = below(COUNT(names));
	size_t		at = any_row();

	note("damage: %s", names[which]);
	switch (which)
	{
		case 0: flip_byte(); break;
		case 1: flip_behind(); break;
		case 2: take_signature_of_another(); break;
		case 3: sign_again(); break;
		case 4: add_twin(); break;
		case 5: if (row_count > 1) remove_row(at); break;
		case 6: (void) add_row(ecert_slice(rows[at].bytes, rows[at].size), rows[at].made); break;
		case 7: lose_feed(); break;
		case 8: lose_end(); break;
		case 9: filter(); break;
		case 10: if (one_in(6) && row_count > 1) remove_row(0); break;
		case 11: rows[at].size = binary ? below(rows[at].size) : rows[at].size; rows[at].cut = 1; break;
		default: rows[at].cut = 2; break;
	}
}

/* What happens to the dump: mostly nothing, or one or two things */
void
damage_rows(bool binary)
{
	if (one_in(3))
		shuffle();
	for (uint64_t count = one_in(2) ? 0 : between(1, 2); count > 0; count--)
		do_damage(binary);
}
