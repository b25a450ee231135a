/*
 * alg.c
 *		The table of algorithms; see crypto.h.
 */
#include "core/crypto.h"

#define ALG_ROW(CODE, name, cose, before, key_size, signature_size) [ECERT_ALG_##CODE] = {name, cose, before, key_size, signature_size},
const EcertAlgRow ecert_algs[ECERT_ALG_END] = {ECERT_ALGS(ALG_ROW)};

const char *
ecert_alg_name(EcertAlg alg)
{
	return ecert_algs[alg].name;
}

int64_t
ecert_alg_cose(EcertAlg alg)
{
	return ecert_algs[alg].cose;
}

bool
ecert_alg_from_cose(int64_t cose, EcertAlg *alg)
{
	for (int i = ECERT_ALG_NONE + 1; i < ECERT_ALG_END; i++)
	{
		if (cose == ecert_algs[i].cose || cose == ecert_algs[i].cose_before)
		{
			*alg = (EcertAlg) i;
			return true;
		}
	}
	return false;
}

/* n, the order of P-256's group, and half of it, rounded down */
#define SCALAR_SIZE 32
static const uint8_t p256_order[SCALAR_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51
};
static const uint8_t p256_half[SCALAR_SIZE] = {
	0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8
};

bool
ecert_signature_is_strict(EcertAlg alg, EcertSlice signature)
{
	return alg != ECERT_ALG_ES256 || memcmp(signature.data + SCALAR_SIZE, p256_half, SCALAR_SIZE) <= 0;
}

void
ecert_signature_make_strict(EcertAlg alg, uint8_t *signature)
{
	uint8_t    *s = signature + SCALAR_SIZE;
	int			borrow = 0;

	/* what is no scalar at all stays what it is */
	if (ecert_signature_is_strict(alg, ecert_slice(signature, ecert_signature_size(alg))) || memcmp(s, p256_order, SCALAR_SIZE) >= 0)
		return;
	for (size_t i = SCALAR_SIZE; i-- > 0;)
	{
		int			digit = p256_order[i] - s[i] - borrow;

		borrow = digit < 0;
		s[i] = (uint8_t) (digit & 0xff);
	}
}
