/*
 * decimal.c
 *		Decimal fractions without floating point; see decimal.h.
 */
#include "core/decimal.h"

EcertCode
ecert_decimal_next(EcertCursor *cursor, EcertDecimal *decimal)
{
	EcertCborHead head;
	int64_t		exponent;
	EcertCode	code;

	if (ecert_cbor_head(cursor, &head, NULL) != ECERT_OK)
		return ECERT_BODY_TYPE;
	decimal->exponent = 0;
	if (head.type <= ECERT_CBOR_NINT)
		return ecert_cbor_head_int(&head, &decimal->mantissa);
	if (head.type != ECERT_CBOR_TAG || head.value != 4 ||
		ecert_cbor_head(cursor, &head, NULL) != ECERT_OK || head.type != ECERT_CBOR_ARRAY ||
		ecert_cbor_head(cursor, &head, NULL) != ECERT_OK)
		return ECERT_BODY_TYPE;
	if ((code = ecert_cbor_head_int(&head, &exponent)) != ECERT_OK)
		return code;
	/* checked bytes have no other; of unchecked ones none may reach arithmetic */
	if (exponent < ECERT_EXPONENT_MIN || exponent > ECERT_EXPONENT_MAX)
		return ECERT_BODY_VALUE;
	decimal->exponent = (int32_t) exponent;
	return ecert_cbor_head(cursor, &head, NULL) == ECERT_OK ? ecert_cbor_head_int(&head, &decimal->mantissa) : ECERT_BODY_TYPE;
}

EcertCode
ecert_decimal_read(EcertSlice item, EcertDecimal *decimal)
{
	EcertCursor cursor = ecert_cursor(item);

	return ecert_decimal_next(&cursor, decimal);
}

/* A positive exponent goes into the mantissa where 64 bits hold it, or else takes all zeros from there */
static EcertDecimal
own_form(EcertDecimal decimal)
{
	int64_t		whole = decimal.mantissa;
	int32_t		zeros = decimal.exponent;

	while (zeros > 0 && !__builtin_mul_overflow(whole, (int64_t) 10, &whole))
		zeros--;
	if (zeros <= 0)
		return decimal.exponent > 0 ? (EcertDecimal) {whole, 0} : decimal;
	for (; decimal.exponent < ECERT_EXPONENT_MAX && decimal.mantissa % 10 == 0; decimal.exponent++)
		decimal.mantissa /= 10;
	return decimal;
}

void
ecert_decimal_put(EcertBuffer *buffer, EcertDecimal decimal)
{
	decimal = own_form(decimal);
	if (decimal.exponent != 0)
	{
		ecert_cbor_put_head(buffer, ECERT_CBOR_TAG, 4);
		ecert_cbor_put_head(buffer, ECERT_CBOR_ARRAY, 2);
		ecert_cbor_put_int(buffer, decimal.exponent);
	}
	ecert_cbor_put_int(buffer, decimal.mantissa);
}

/* mantissa * 10 + digit, downwards so that the smallest int64 is reached too */
static bool
add_digit(int64_t *negative, int digit)
{
	return !__builtin_mul_overflow(*negative, (int64_t) 10, negative) &&
		!__builtin_sub_overflow(*negative, (int64_t) digit, negative);
}

/* Zeros at the end of an integer that does not fit become a positive exponent */
static size_t
trailing_zeros(EcertSlice digits)
{
	size_t		zeros = 0;

	while (zeros < digits.size && digits.data[digits.size - 1 - zeros] == '0')
		zeros++;
	return zeros;
}

static EcertCode
parse_digits(EcertSlice digits, bool minus, EcertDecimal *decimal)
{
	int64_t		negative = 0;
	size_t		point = 0;
	bool		has_point = false;
	bool		fits = true;

	for (size_t i = 0; i < digits.size; i++)
	{
		uint8_t		c = digits.data[i];

		if (c == '.' && !has_point && i > 0 && i + 1 < digits.size)
		{
			has_point = true;
			point = i;
			continue;
		}
		if (c < '0' || c > '9')
			return ECERT_BODY_TYPE;
		fits = fits && add_digit(&negative, c - '0');
	}
	if (!fits || (!minus && negative == INT64_MIN))
		return ECERT_OVERFLOW;
	if (has_point && digits.size - 1 - point > -ECERT_EXPONENT_MIN)
		return ECERT_OVERFLOW;
	decimal->mantissa = minus ? negative : -negative;
	decimal->exponent = has_point ? -(int32_t) (digits.size - 1 - point) : 0;
	return ECERT_OK;
}

EcertCode
ecert_decimal_parse(EcertSlice text, EcertDecimal *decimal)
{
	bool		minus = text.size > 0 && text.data[0] == '-';
	EcertSlice	digits = minus ? ecert_slice(text.data + 1, text.size - 1) : text;
	EcertCode	code;
	size_t		zeros;

	if (digits.size == 0)
		return ECERT_BODY_TYPE;
	code = parse_digits(digits, minus, decimal);
	if (code != ECERT_OVERFLOW || memchr(digits.data, '.', digits.size) != NULL)
		return code;
	zeros = trailing_zeros(digits);
	if (zeros > ECERT_EXPONENT_MAX)
		zeros = ECERT_EXPONENT_MAX;
	code = parse_digits(ecert_slice(digits.data, digits.size - zeros), minus, decimal);
	decimal->exponent = (int32_t) zeros;
	return code;
}

size_t
ecert_decimal_text(EcertDecimal decimal, char *text)
{
	char		reversed[20];
	size_t		count = 0;
	size_t		scale = decimal.exponent < 0 ? (size_t) -decimal.exponent : 0;
	size_t		at = 0;

	for (uint64_t rest = decimal.mantissa < 0 ? -(uint64_t) decimal.mantissa : (uint64_t) decimal.mantissa; rest > 0 || count == 0; rest /= 10)
		reversed[count++] = (char) ('0' + rest % 10);
	if (decimal.mantissa < 0)
		text[at++] = '-';
	for (size_t i = count; i < scale + 1; i++)
	{
		text[at++] = '0';
		if (i == count && scale > 0)
			text[at++] = '.';
	}
	for (size_t i = count; i-- > 0;)
	{
		text[at++] = reversed[i];
		if (i == scale && scale > 0)
			text[at++] = '.';
	}
	for (int32_t i = 0; i < decimal.exponent && decimal.mantissa != 0; i++)
		text[at++] = '0';
	text[at] = '\0';
	return at;
}

int
ecert_decimal_compare(EcertDecimal a, EcertDecimal b)
{
	int			steps = a.exponent - b.exponent;
	bool		swapped = steps < 0;
	__int128	high = swapped ? b.mantissa : a.mantissa;	/* has the greater exponent */
	__int128	low = swapped ? a.mantissa : b.mantissa;
	const __int128 beyond = (__int128) INT64_MAX * 16;
	int			order;

	if (swapped)
		steps = -steps;
	/* once past the range of 64 bits, more zeros change no comparison */
	while (steps-- > 0 && high < beyond && high > -beyond)
		high *= 10;
	order = (high > low) - (high < low);
	return swapped ? -order : order;
}
