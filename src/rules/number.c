/*
 * number.c
 *		Exact decimal numbers in a fixed room; see number.h.
 */
#include "rules/number.h"

/*
 * What must hold, checked in builds that ask for it: those of the tests, and of
 * servers that check their own assertions
 */
#ifdef ECERT_CHECKS
#define ECERT_ASSERT(condition) ((condition) ? (void) 0 : __builtin_trap())
#else
#define ECERT_ASSERT(condition) ((void) 0)
#endif

#define LIMBS ECERT_NUMBER_LIMBS

/* The greatest power of ten in a limb */
#define LIMB_DIGITS 19
#define LIMB_POWER UINT64_C(10000000000000000000)

typedef unsigned __int128 Pair;

static const uint64_t powers[LIMB_DIGITS] = {
	UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000), UINT64_C(100000), UINT64_C(1000000),
	UINT64_C(10000000), UINT64_C(100000000), UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000),
	UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000), UINT64_C(1000000000000000),
	UINT64_C(10000000000000000), UINT64_C(100000000000000000), UINT64_C(1000000000000000000)
};

/* Without the zeros at the top */
static size_t
trimmed(const uint64_t *limbs, size_t size)
{
	while (size > 0 && limbs[size - 1] == 0)
		size--;
	return size;
}

static int
compare_limbs(const uint64_t *a, size_t a_size, const uint64_t *b, size_t b_size)
{
	if (a_size != b_size)
		return a_size < b_size ? -1 : 1;
	while (a_size-- > 0)
	{
		if (a[a_size] != b[a_size])
			return a[a_size] < b[a_size] ? -1 : 1;
	}
	return 0;
}

/* a += b where a has the room of both; returns the carry */
static uint64_t
add_limbs(uint64_t *a, size_t a_size, const uint64_t *b, size_t b_size)
{
	uint64_t	carry = 0;

	for (size_t i = 0; i < a_size && (i < b_size || carry != 0); i++)
	{
		Pair		sum = (Pair) a[i] + (i < b_size ? b[i] : 0) + carry;

		a[i] = (uint64_t) sum;
		carry = (uint64_t) (sum >> 64);
	}
	return carry;
}

/* a -= b, which is not greater */
static void
subtract_limbs(uint64_t *a, size_t a_size, const uint64_t *b, size_t b_size)
{
	uint64_t	borrow = 0;

	for (size_t i = 0; i < a_size && (i < b_size || borrow != 0); i++)
	{
		Pair		difference = (Pair) a[i] - (i < b_size ? b[i] : 0) - borrow;

		a[i] = (uint64_t) difference;
		borrow = (uint64_t) (difference >> 64) & 1;
	}
	ECERT_ASSERT(borrow == 0);
}

/* limbs *= factor; returns the carry */
static uint64_t
multiply_by_limb(uint64_t *limbs, size_t size, uint64_t factor)
{
	uint64_t	carry = 0;

	for (size_t i = 0; i < size; i++)
	{
		Pair		product = (Pair) limbs[i] * factor + carry;

		limbs[i] = (uint64_t) product;
		carry = (uint64_t) (product >> 64);
	}
	return carry;
}

/* high:low / divisor, which is greater than high */
static inline uint64_t
divide_pair(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *rest)
{
	Pair		pair = (Pair) high << 64 | low;
	uint64_t	quotient = high == 0 ? low / divisor : (uint64_t) (pair / divisor);

	*rest = low - quotient * divisor;
	return quotient;
}

/* limbs /= divisor; returns the rest */
static uint64_t
divide_by_limb(uint64_t *limbs, size_t size, uint64_t divisor)
{
	uint64_t	rest = 0;

	while (size-- > 0)
		limbs[size] = divide_pair(rest, limbs[size], divisor, &rest);
	return rest;
}

/* to = from << bits, below 64; to may be from.  Returns what is shifted out */
static uint64_t
shift_left(uint64_t *to, const uint64_t *from, size_t size, unsigned bits)
{
	uint64_t	carry = 0;

	for (size_t i = 0; i < size; i++)
	{
		uint64_t	limb = from[i];

		to[i] = limb << bits | carry;
		carry = bits == 0 ? 0 : limb >> (64 - bits);
	}
	return carry;
}

/* The next limb of a quotient from the first limbs of what is left and of the divisor: right, or one too great */
static uint64_t
guess_limb(const uint64_t *rest, const uint64_t *divisor, size_t size)
{
	uint64_t	first = divisor[size - 1];
	uint64_t	left;
	uint64_t	guess;
	bool		may_be_less = true;

	if (rest[size] >= first)
	{
		guess = UINT64_MAX;
		may_be_less = !__builtin_add_overflow(rest[size - 1], first, &left);
	}
	else
		guess = divide_pair(rest[size], rest[size - 1], first, &left);
	while (may_be_less && (Pair) guess * divisor[size - 2] > ((Pair) left << 64 | rest[size - 2]))
	{
		guess--;
		may_be_less = !__builtin_add_overflow(left, first, &left);
	}
	return guess;
}

/*
 * One step of a long division: how often the divisor, of two limbs or more and
 * with its highest bit set, goes into the size + 1 limbs at rest, which become
 * what is left of them.
 */
static uint64_t
divide_step(uint64_t *rest, const uint64_t *divisor, size_t size)
{
	uint64_t	quotient = guess_limb(rest, divisor, size);
	uint64_t	carry = 0;
	uint64_t	borrow = 0;
	Pair		difference;

	for (size_t i = 0; i < size; i++)
	{
		Pair		product = (Pair) quotient * divisor[i] + carry;

		difference = (Pair) rest[i] - (uint64_t) product - borrow;
		rest[i] = (uint64_t) difference;
		carry = (uint64_t) (product >> 64);
		borrow = (uint64_t) (difference >> 64) & 1;
	}
	difference = (Pair) rest[size] - carry - borrow;
	rest[size] = (uint64_t) difference;
	if ((uint64_t) (difference >> 64) != 0)
	{
		quotient--;
		rest[size] += add_limbs(rest, size, divisor, size);
	}
	return quotient;
}

/*
 * rest / divisor into quotient, which has room for all limbs of rest; rest,
 * which has one limb of room more, becomes what is left.  Knuth's algorithm D;
 * the divisor's highest limb is not 0.
 */
static void
divide_limbs(uint64_t *quotient, uint64_t *rest, size_t size, const uint64_t *divisor, size_t divisor_size)
{
	uint64_t	shifted[LIMBS];
	unsigned	bits = (unsigned) __builtin_clzll(divisor[divisor_size - 1]);

	memset(quotient, 0, size * sizeof(uint64_t));
	if (size < divisor_size)
		return;
	if (divisor_size == 1)
	{
		memcpy(quotient, rest, size * sizeof(uint64_t));
		memset(rest, 0, size * sizeof(uint64_t));
		rest[0] = divide_by_limb(quotient, size, divisor[0]);
		return;
	}
	(void) shift_left(shifted, divisor, divisor_size, bits);
	rest[size] = shift_left(rest, rest, size, bits);
	for (size_t i = size - divisor_size + 1; i-- > 0;)
		quotient[i] = divide_step(rest + i, shifted, divisor_size);
	/* back, from the top */
	for (size_t i = 0; i < divisor_size && bits > 0; i++)
		rest[i] = rest[i] >> bits | (i + 1 < divisor_size ? rest[i + 1] << (64 - bits) : 0);
}

static void
lose(EcertNumber *number)
{
	memset(number, 0, sizeof *number);
	number->is_lost = true;
}

/* Take over limbs, of which there may be more than the room when those at the top are 0 */
static void
take(EcertNumber *number, const uint64_t *limbs, size_t size, unsigned scale, bool negative)
{
	size = trimmed(limbs, size);
	if (size > LIMBS || scale > UINT16_MAX)
	{
		lose(number);
		return;
	}
	memmove(number->limbs, limbs, size * sizeof(uint64_t));
	number->size = (uint16_t) size;
	number->scale = (uint16_t) scale;
	number->negative = negative && size > 0;
	number->is_lost = false;
}

void
ecert_number_copy(EcertNumber *number, const EcertNumber *other)
{
	if (number == other)
		return;
	number->size = other->size;
	number->scale = other->scale;
	number->negative = other->negative;
	number->is_lost = other->is_lost;
	memcpy(number->limbs, other->limbs, other->size * sizeof(uint64_t));
}

/* limbs * 10^power; the scale is the caller's */
static void
scale_up(EcertNumber *number, unsigned power)
{
	for (; power > 0 && number->size > 0; power -= power < LIMB_DIGITS ? power : LIMB_DIGITS)
	{
		uint64_t	carry = multiply_by_limb(number->limbs, number->size, power < LIMB_DIGITS ? powers[power] : LIMB_POWER);

		if (carry == 0)
			continue;
		if (number->size == LIMBS)
		{
			lose(number);
			return;
		}
		number->limbs[number->size++] = carry;
	}
}

void
ecert_number_set_int(EcertNumber *number, int64_t value)
{
	uint64_t	magnitude = value < 0 ? -(uint64_t) value : (uint64_t) value;

	take(number, &magnitude, 1, 0, value < 0);
}

void
ecert_number_set_decimal(EcertNumber *number, EcertDecimal decimal)
{
	ecert_number_set_int(number, decimal.mantissa);
	if (decimal.exponent < 0)
		number->scale = (uint16_t) -decimal.exponent;
	else
		scale_up(number, (unsigned) decimal.exponent);
}

/* a + b, or a - b when b is taken the other way round */
static void
add_signed(EcertNumber *result, const EcertNumber *a, const EcertNumber *b, bool opposite)
{
	unsigned	scale = a->scale > b->scale ? a->scale : b->scale;
	bool		negative = b->negative != opposite;
	uint64_t	limbs[LIMBS + 1] = {0};
	EcertNumber left,
				right;

	ecert_number_copy(&left, a);
	ecert_number_copy(&right, b);
	scale_up(&left, scale - a->scale);
	scale_up(&right, scale - b->scale);
	if (left.is_lost || right.is_lost)
	{
		lose(result);
		return;
	}
	if (left.negative == negative || left.size == 0 || right.size == 0)
	{
		memcpy(limbs, left.limbs, left.size * sizeof(uint64_t));
		(void) add_limbs(limbs, LIMBS + 1, right.limbs, right.size);
		take(result, limbs, LIMBS + 1, scale, left.size > 0 ? left.negative : negative);
	}
	else if (compare_limbs(left.limbs, left.size, right.limbs, right.size) >= 0)
	{
		subtract_limbs(left.limbs, left.size, right.limbs, right.size);
		take(result, left.limbs, left.size, scale, left.negative);
	}
	else
	{
		subtract_limbs(right.limbs, right.size, left.limbs, left.size);
		take(result, right.limbs, right.size, scale, negative);
	}
}

void
ecert_number_add(EcertNumber *result, const EcertNumber *a, const EcertNumber *b)
{
	add_signed(result, a, b, false);
}

void
ecert_number_subtract(EcertNumber *result, const EcertNumber *a, const EcertNumber *b)
{
	add_signed(result, a, b, true);
}

void
ecert_number_multiply(EcertNumber *result, const EcertNumber *a, const EcertNumber *b)
{
	uint64_t	limbs[2 * LIMBS] = {0};

	if (a->is_lost || b->is_lost)
	{
		lose(result);
		return;
	}
	for (size_t i = 0; i < a->size; i++)
	{
		uint64_t	carry = 0;

		for (size_t j = 0; j < b->size; j++)
		{
			Pair		product = (Pair) a->limbs[i] * b->limbs[j] + limbs[i + j] + carry;

			limbs[i + j] = (uint64_t) product;
			carry = (uint64_t) (product >> 64);
		}
		limbs[i + b->size] = carry;
	}
	take(result, limbs, (size_t) a->size + b->size, (unsigned) a->scale + b->scale, a->negative != b->negative);
}

/* Of a division half away from zero: is what is left half the divisor, or more? */
static bool
rounds_up(uint64_t *rest, size_t size, const EcertNumber *divisor)
{
	rest[size] = shift_left(rest, rest, size, 1);
	return compare_limbs(rest, trimmed(rest, size + 1), divisor->limbs, divisor->size) >= 0;
}

void
ecert_number_divide(EcertNumber *result, const EcertNumber *a, const EcertNumber *b, unsigned decimals)
{
	static const uint64_t one = 1;
	EcertNumber divisor;
	EcertNumber numerator;
	uint64_t	quotient[LIMBS + 1];
	uint64_t	rest[LIMBS + 1];
	bool		negative = a->negative != b->negative;
	size_t		size;

	ecert_number_copy(&numerator, a);
	ecert_number_copy(&divisor, b);
	if (decimals + b->scale >= a->scale)
		scale_up(&numerator, decimals + b->scale - a->scale);
	else
		scale_up(&divisor, a->scale - b->scale - decimals);
	if (numerator.is_lost || divisor.is_lost || divisor.size == 0)
	{
		lose(result);
		return;
	}
	size = numerator.size;
	memcpy(rest, numerator.limbs, size * sizeof(uint64_t));
	divide_limbs(quotient, rest, size, divisor.limbs, divisor.size);
	quotient[size] = 0;
	if (rounds_up(rest, size, &divisor))
		(void) add_limbs(quotient, size + 1, &one, 1);
	take(result, quotient, size + 1, decimals, negative);
}

int
ecert_number_sign(const EcertNumber *number)
{
	ECERT_ASSERT(!number->is_lost);
	return number->size == 0 ? 0 : number->negative ? -1 : 1;
}

int
ecert_number_compare(const EcertNumber *a, const EcertNumber *b)
{
	EcertNumber difference;

	ecert_number_subtract(&difference, a, b);
	return ecert_number_sign(&difference);
}

/* The digits of limbs, which are used up, ending before end; returns where they begin.  0 has none */
static char *
put_digits(char *end, uint64_t *limbs, size_t size)
{
	while (size > 0)
	{
		uint64_t	low = divide_by_limb(limbs, size, LIMB_POWER);

		size = trimmed(limbs, size);
		/* of a limb that has others before it, the zeros in front too */
		for (int i = 0; i < LIMB_DIGITS && (size > 0 || low > 0); i++, low /= 10)
			*--end = (char) ('0' + low % 10);
	}
	return end;
}

/* Write count digits, of which scale stand behind the point */
static const char *
place_point(const char *digits, size_t count, size_t scale, bool negative, EcertArena *arena)
{
	size_t		whole = count > scale ? count - scale : 0;
	size_t		zeros = count < scale ? scale - count : 0;
	char	   *text = ecert_arena_alloc(arena, count + scale + 4);
	char	   *at = text;

	if (negative)
		*at++ = '-';
	if (whole == 0)
		*at++ = '0';
	memcpy(at, digits, whole);
	at += whole;
	if (scale > 0)
	{
		*at++ = '.';
		memset(at, '0', zeros);
		memcpy(at + zeros, digits + whole, count - whole);
	}
	return text;
}

const char *
ecert_number_text(const EcertNumber *number, unsigned decimals, EcertArena *arena)
{
	static const EcertNumber one = {1, 0, false, false, {1}};
	char		buffer[LIMBS * (LIMB_DIGITS + 1)];
	char	   *end = buffer + sizeof buffer;
	char	   *digits;
	EcertNumber rounded;
	size_t		scale;

	if (number->scale > decimals)
		ecert_number_divide(&rounded, number, &one, decimals);
	else
		ecert_number_copy(&rounded, number);
	if (rounded.is_lost)
		return NULL;
	scale = rounded.scale;
	digits = put_digits(end, rounded.limbs, rounded.size);
	for (; scale > 0 && (digits == end || end[-1] == '0'); scale--)
		end -= digits != end;
	return place_point(digits, (size_t) (end - digits), scale, rounded.negative, arena);
}

void
ecert_decimal_digits(EcertDecimal decimal, char *text)
{
	size_t		size = ecert_decimal_text(decimal, text);

	if (decimal.exponent >= 0)
		return;
	while (text[size - 1] == '0')
		size--;
	if (text[size - 1] == '.')
		size--;
	text[size] = '\0';
}

void
ecert_sum_add_apart(EcertSum *sum, EcertDecimal decimal, EcertArena *arena)
{
	while (sum->exponent != decimal.exponent)
	{
		if (sum->next == NULL)
		{
			sum->next = ecert_arena_alloc(arena, sizeof(EcertSum));
			sum->next->exponent = decimal.exponent;
			sum->next->is_used = true;
		}
		sum = sum->next;
	}
	sum->mantissa += decimal.mantissa;
}

/* The part of a sum that has one exponent */
static void
set_part(EcertNumber *number, const EcertSum *part)
{
	unsigned __int128 magnitude = part->mantissa < 0 ? -(unsigned __int128) part->mantissa : (unsigned __int128) part->mantissa;
	uint64_t	limbs[2] = {(uint64_t) magnitude, (uint64_t) (magnitude >> 64)};

	take(number, limbs, 2, part->exponent < 0 ? (unsigned) -part->exponent : 0, part->mantissa < 0);
	if (part->exponent > 0)
		scale_up(number, (unsigned) part->exponent);
}

void
ecert_number_set_sum(EcertNumber *number, const EcertSum *sum)
{
	EcertNumber more;

	set_part(number, sum);
	while ((sum = sum->next) != NULL)
	{
		set_part(&more, sum);
		ecert_number_add(number, number, &more);
	}
}
