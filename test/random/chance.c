/*
 * chance.c
 *		Random numbers that follow from the seed alone, those of OpenSSL's
 *		signatures among them.
 */
#include "world.h"

#include <openssl/rand.h>

static uint64_t state;

/* SplitMix64 */
static uint64_t
next(void)
{
	uint64_t	z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* OpenSSL's random bytes, out of the seed */
static int
give_bytes(unsigned char *bytes, int size)
{
	for (int i = 0; i < size; i++)
		bytes[i] = (unsigned char) (next() >> 56);
	return 1;
}

/* Tell OpenSSL that its random bytes are good enough */
static int
give_status(void)
{
	return 1;
}

/* ECDSA takes a random number for each signature: it has to be the same one again */
void
chance_begin(uint64_t seed)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	static const RAND_METHOD method = {.bytes = give_bytes, .pseudorand = give_bytes, .status = give_status};

	RAND_set_rand_method(&method);
#pragma GCC diagnostic pop
	state = seed * UINT64_C(0xd1342543de82ef95) + 1;
	(void) next();
}

/* A number from 0 to end - 1, and 0 when end is 0 */
uint64_t
below(uint64_t end)
{
	return end == 0 ? 0 : next() % end;
}

/* A number from first to last, both included */
int64_t
between(int64_t first, int64_t last)
{
	return first + (int64_t) below((uint64_t) (last - first + 1));
}

/* True one time in n */
bool
one_in(unsigned n)
{
	return below(n) == 0;
}

/* Formatted text that is never freed, or by who is given it */
char *
text_of(const char *format,...)
{
	char	   *text = NULL;
	va_list		arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	return text;
}

/* mantissa * 10^exponent */
static void
set_value(mpq_t value, int64_t mantissa, int exponent)
{
	mpz_t		power;

	mpz_init(power);
	mpz_ui_pow_ui(power, 10, (unsigned long) abs(exponent));
	mpq_set_si(value, mantissa, 1);
	if (exponent < 0)
	{
		mpz_set(mpq_denref(value), power);
		mpq_canonicalize(value);
	}
	else
		mpz_mul(mpq_numref(value), mpq_numref(value), power);
	mpz_clear(power);
}

/* mantissa * 10^exponent in the notation of bodies, with these digits; the product is within 64 bits */
void
put_decimal(char *text, size_t room, int64_t mantissa, int exponent)
{
	for (; exponent > 0; exponent--)
		mantissa *= 10;
	if (exponent == 0)
		snprintf(text, room, "%" PRId64, mantissa);
	else
		snprintf(text, room, "4([%d, %" PRId64 "])", exponent, mantissa);
}

/* A random number in the notation of bodies, and its value */
void
random_amount(Amount *amount, int digits, int least_exponent, int most_exponent)
{
	int			exponent = (int) between(least_exponent, most_exponent);
	int64_t		mantissa = 0;

	for (int n = (int) between(1, digits); n > 0; n--)
		mantissa = mantissa * 10 + (int64_t) below(10);
	/* zeros at the end are digits too */
	if (one_in(4) && digits > 3)
		mantissa = mantissa / 100 * 100;
	mpq_init(amount->value);
	set_value(amount->value, mantissa, exponent);
	put_decimal(amount->text, sizeof amount->text, mantissa, exponent);
}
