/*
 * test_receipt.c
 *		Receipts of inclusion and transparent statements.
 */
#include "check.h"

#include "core/receipt.h"

int
main(void)
{
	static const uint8_t seed[32] = {7};
	static const uint8_t leaf[32] = {1};
	EcertProof	path = {.hashes = {{3}}, .count = 1};
	uint8_t		out_bytes[ECERT_RECEIPT_MAX];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		kid[32];
	uint8_t		root[32];
	uint8_t		seal[64];
	EcertBuffer out = ecert_buffer(out_bytes, sizeof out_bytes);
	EcertReceipt receipt;
	EcertPrivateKey *key;
	EcertPublicKey *public_key;
	size_t		raw_size;

	ecert_private_key_from_seed(ecert_slice(seed, 32), &key);
	ecert_private_key_public(key, raw, &raw_size);
	ecert_public_key_new(ECERT_ALG_ED25519, ecert_slice(raw, raw_size), &public_key);
	ecert_key_thumbprint(ECERT_ALG_ED25519, ecert_slice(raw, raw_size), kid);
	ecert_inclusion_root(leaf, 2, 3, &path, root);
	CHECK_INT(ecert_seal(root, ECERT_ALG_ED25519, ecert_slice(kid, 32), key, seal), ECERT_OK, "a root is sealed");
	ecert_receipt_put(&out, ECERT_ALG_ED25519, ecert_slice(kid, 32), ecert_slice(seal, 64), 2, 3, &path);
	CHECK_INT(ecert_receipt_parse(ecert_slice(out_bytes, out.size), &receipt, NULL), ECERT_OK, "a receipt is read");
	CHECK_INT(ecert_receipt_verify(&receipt, leaf, public_key), ECERT_OK, "a receipt is verified");
	ecert_private_key_free(key);
	ecert_public_key_free(public_key);
	return check_done();
}
