/*
 * test_id.c
 *		Which characters an id may hold: each of Unicode, against perl's tables.
 */
#include "check.h"

#include "core/package.h"

#include "id_vectors.h"

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

static bool
is_in(uint32_t point, const uint32_t (*ranges)[2], size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (point >= ranges[i][0] && point <= ranges[i][1])
			return true;
	}
	return false;
}

/* "a", the character, "z" as UTF-8 */
static EcertSlice
id_with(uint32_t point, uint8_t *bytes)
{
	size_t		size = 0;

	bytes[size++] = 'a';
	if (point < 0x80)
		bytes[size++] = (uint8_t) point;
	else if (point < 0x800)
		bytes[size++] = (uint8_t) (0xC0 | point >> 6);
	else if (point < 0x10000)
		bytes[size++] = (uint8_t) (0xE0 | point >> 12);
	else
		bytes[size++] = (uint8_t) (0xF0 | point >> 18);
	if (point >= 0x10000)
		bytes[size++] = (uint8_t) (0x80 | (point >> 12 & 0x3F));
	if (point >= 0x800)
		bytes[size++] = (uint8_t) (0x80 | (point >> 6 & 0x3F));
	if (point >= 0x80)
		bytes[size++] = (uint8_t) (0x80 | (point & 0x3F));
	bytes[size++] = 'z';
	return ecert_slice(bytes, size);
}

/* What a text begins with, and whether it is shown as it stands */
static void
check_characters(void)
{
	static const struct
	{
		const char *text;
		uint32_t	point;
		size_t		size;
		bool		is_seen;
	}			begins[] = {
		{"a", 'a', 1, true}, {"\n", '\n', 1, false}, {"\xC3\xA9x", 0xE9, 2, true}, {"\xE7\x94\xB5", 0x7535, 3, true}, {"\xF0\x9F\x98\x80", 0x1F600, 4, true},
		{"\xE2\x80\xAE", 0x202E, 3, false}, {"\xC2\x9B", 0x9B, 2, false}, {"\xF3\xA0\x81\x81", 0xE0041, 4, false}, {"\xC3", 0xC3, 1, false}, {"\x80z", 0x80, 1, false},
		{"\xF0\x9F\x98", 0xF0, 1, false}
	};

	for (size_t i = 0; i < COUNT(begins); i++)
	{
		EcertCharacter is = ecert_character(ecert_slice_text(begins[i].text));

		CHECK(is.point == begins[i].point && is.size == begins[i].size && is.is_seen == begins[i].is_seen, "character %zu", i);
	}
}

int
main(void)
{
	size_t		differ = 0;
	size_t		newer = 0;

	for (uint32_t point = 0; point <= 0x10FFFF; point++)
	{
		uint8_t		bytes[8];
		bool		valid;

		if (point >= 0xD800 && point <= 0xDFFF)
			continue;
		valid = ecert_id_valid(id_with(point, bytes));
		/* of what perl's version of Unicode does not have yet, a few may be refused */
		if (is_in(point, unknown_to_perl, COUNT(unknown_to_perl)))
			newer += !valid;
		else
			differ += valid == is_in(point, unseen_by_perl, COUNT(unseen_by_perl));
	}
	CHECK_INT(differ, 0, "every character is allowed or not as perl's Unicode tables say");
	CHECK(newer < 64, "of the characters that they do not know %zu are not allowed", newer);
	check_characters();
	return check_done();
}
