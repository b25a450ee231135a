/*
 * coefficient.c
 *		The coefficients and units of a policy, each as a hash table; see
 *		coefficient.h.
 *
 * The table of units is looked up after that of coefficients, instead of one
 * table with every multiple of every coefficient: a policy of 65,535 bytes has
 * room for a million of those.
 */
#include "rules/coefficient.h"

#include "rules/texthash.h"

/* kgce of a source's unit; source.data is NULL where the place is free */
typedef struct Direct
{
	EcertSlice	source;
	EcertSlice	unit;
	EcertDecimal kgce;
} Direct;

/* A unit has factor base units; unit.data is NULL where the place is free */
typedef struct Multiple
{
	EcertSlice	unit;
	EcertSlice	base;
	EcertDecimal factor;
	struct Multiple *next;		/* the same unit by another base, behind it in the body */
} Multiple;

/* Both tables have a power of two of places, at most half of them in use, with linear probing */
struct EcertCoefficients
{
	uint64_t	seed;
	size_t		direct_places;
	Direct	   *direct;
	size_t		multiple_places;
	Multiple   *multiples;
};

/* Where the coefficient of a source and unit is, or would go */
static Direct *
direct_place(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit)
{
	uint64_t	hash = ecert_text_hash(source, ecert_text_hash(unit, coefficients->seed));

	for (uint64_t i = hash >> 32;; i++)
	{
		Direct	   *place = &coefficients->direct[i & (coefficients->direct_places - 1)];

		if (place->source.data == NULL || (ecert_slice_equal(place->source, source) && ecert_slice_equal(place->unit, unit)))
			return place;
	}
}

/* Where the first base of a unit is, or would go */
static Multiple *
multiple_place(const EcertCoefficients *coefficients, EcertSlice unit)
{
	uint64_t	hash = ecert_text_hash(unit, coefficients->seed);

	for (uint64_t i = hash >> 32;; i++)
	{
		Multiple   *place = &coefficients->multiples[i & (coefficients->multiple_places - 1)];

		if (place->unit.data == NULL || ecert_slice_equal(place->unit, unit))
			return place;
	}
}

/* A field that is a number; false when it is not there or is none */
static bool
number_at(EcertSlice map, const char *key, EcertDecimal *number)
{
	EcertSlice	item;

	return ecert_cbor_find(map, key, &item) && ecert_decimal_read(item, number) == ECERT_OK;
}

static size_t
places_for(uint64_t count)
{
	size_t		places = 16;

	while (places / 2 < count)
		places *= 2;
	return places;
}

static void
read_direct(EcertCoefficients *coefficients, EcertArena *arena, EcertSlice policy)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(policy, "coefficients", &count);

	coefficients->direct_places = places_for(count);
	coefficients->direct = ecert_arena_array(arena, coefficients->direct_places, sizeof(Direct));
	while (count-- > 0)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		Direct		read = {ecert_cbor_text_at(item, "source"), ecert_cbor_text_at(item, "unit"), {0, 0}};
		Direct	   *place;

		if (read.source.size == 0 || read.unit.size == 0 || !number_at(item, "kgce", &read.kgce))
			continue;
		place = direct_place(coefficients, read.source, read.unit);
		if (place->source.data == NULL)
			*place = read;
	}
}

static void
read_multiples(EcertCoefficients *coefficients, EcertArena *arena, EcertSlice policy)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(policy, "units", &count);

	coefficients->multiple_places = places_for(count);
	coefficients->multiples = ecert_arena_array(arena, coefficients->multiple_places, sizeof(Multiple));
	while (count-- > 0)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		Multiple	read = {ecert_cbor_text_at(item, "unit"), ecert_cbor_text_at(item, "base"), {0, 0}, NULL};
		Multiple   *place;

		if (read.unit.size == 0 || read.base.size == 0 || !number_at(item, "factor", &read.factor))
			continue;
		place = multiple_place(coefficients, read.unit);
		if (place->unit.data != NULL)
		{
			while (place->next != NULL)
				place = place->next;
			place = place->next = ecert_arena_alloc(arena, sizeof(Multiple));
		}
		*place = read;
	}
}

EcertCoefficients *
ecert_coefficients_new(EcertArena *arena, EcertSlice policy)
{
	EcertCoefficients *coefficients = ecert_arena_alloc(arena, sizeof *coefficients);

	coefficients->seed = (uint64_t) (uintptr_t) coefficients;
	read_direct(coefficients, arena, policy);
	read_multiples(coefficients, arena, policy);
	return coefficients;
}

bool
ecert_coefficient_find(const EcertCoefficients *coefficients, EcertSlice source, EcertSlice unit, EcertCoefficient *found)
{
	const Direct *direct = direct_place(coefficients, source, unit);

	if (direct->source.data != NULL)
	{
		*found = (EcertCoefficient) {direct->source, direct->unit, direct->kgce, {1, 0}};
		return true;
	}
	for (const Multiple *multiple = multiple_place(coefficients, unit); multiple != NULL && multiple->unit.data != NULL; multiple = multiple->next)
	{
		direct = direct_place(coefficients, source, multiple->base);
		if (direct->source.data != NULL)
		{
			*found = (EcertCoefficient) {direct->source, multiple->unit, direct->kgce, multiple->factor};
			return true;
		}
	}
	return false;
}

void
ecert_coefficient_multiply(EcertNumber *kgce, const EcertNumber *quantity, const EcertCoefficient *coefficient)
{
	EcertNumber factor;

	ecert_number_set_decimal(&factor, coefficient->kgce);
	ecert_number_multiply(kgce, quantity, &factor);
	if (coefficient->factor.mantissa == 1 && coefficient->factor.exponent == 0)
		return;
	ecert_number_set_decimal(&factor, coefficient->factor);
	ecert_number_multiply(kgce, kgce, &factor);
}
