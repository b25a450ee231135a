/*
 * id.c
 *		Which texts are ids of nodes, origins, and names of sources, units, products.
 */
#include "core/package.h"

/*
 * What people cannot see in an id, or what changes how others see it: Unicode
 * categories Cc, Cf, Zl and Zp, from UnicodeData.txt of Unicode 17.0.0 (the
 * same since 15.0).  The format fixes the table, not a version to come.
 */
static const struct
{
	uint32_t	first;
	uint32_t	last;
}			unseen[] = {
	{0x0000, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD}, {0x0600, 0x0605}, {0x061C, 0x061C}, {0x06DD, 0x06DD}, {0x070F, 0x070F},
	{0x0890, 0x0891}, {0x08E2, 0x08E2}, {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x2064}, {0x2066, 0x206F},
	{0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3},
	{0x1D173, 0x1D17A}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F}
};

static bool
is_unseen(uint32_t point)
{
	for (size_t i = 0; i < sizeof unseen / sizeof unseen[0] && point >= unseen[i].first; i++)
	{
		if (point <= unseen[i].last)
			return true;
	}
	return false;
}

EcertCharacter
ecert_character(EcertSlice text)
{
	uint8_t		lead = text.data[0];
	size_t		more = lead < 0xC0 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
	EcertCharacter character = {lead, 1, false};

	if (more >= text.size || (more == 0 && lead >= 0x80))
		return character;
	if (more > 0)
		character.point = lead & (0x3Fu >> more);
	for (size_t i = 1; i <= more; i++)
		character.point = character.point << 6 | (text.data[i] & 0x3F);
	character.size = 1 + more;
	character.is_seen = !is_unseen(character.point);
	return character;
}

bool
ecert_id_valid(EcertSlice id)
{
	size_t		bad;

	if (id.size == 0 || id.size > ECERT_ID_MAX)
		return false;
	if (ecert_is_plain(id))
		return true;
	if (!ecert_utf8_valid(id, &bad))
		return false;
	for (size_t at = 0; at < id.size;)
	{
		EcertCharacter next = ecert_character(ecert_slice(id.data + at, id.size - at));

		if (!next.is_seen)
			return false;
		at += next.size;
	}
	return true;
}
