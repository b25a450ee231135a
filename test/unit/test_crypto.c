/*
 * test_crypto.c
 *		src/crypto against the published vectors, against hostile input, and
 *		libsodium against OpenSSL.
 */
#include "check.h"
#include "crypto/evp.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define HEX_MAX 2048			/* bytes of the longest hex constant below */

static const char *const alg_names[] = {"", "Ed25519", "ES256", "SM2"};

/* Bytes from hex; static storage that is used again after 64 calls */
static EcertSlice
unhex(const char *text)
{
	static uint8_t ring[64][HEX_MAX];
	static int	next = 0;
	uint8_t    *bytes = ring[next++ % 64];
	size_t		size = strlen(text) / 2;

	for (size_t i = 0; i < size; i++)
	{
		unsigned int byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			abort();
		bytes[i] = (uint8_t) byte;
	}
	return ecert_slice(bytes, size);
}

static void
check_queue_empty(const char *after)
{
	CHECK(ERR_peek_error() == 0, "no OpenSSL error is left after %s", after);
}

/* ----- hashes ----- */

typedef EcertCode (*HashFunction) (const EcertSlice *parts, size_t count, uint8_t *hash);

static void
check_hash(HashFunction hash, const char *name, const char *message, const char *expected)
{
	uint8_t		found[ECERT_HASH_SIZE];
	EcertSlice	whole = ecert_slice_text(message);
	EcertSlice	parts[3];
	size_t		half = whole.size / 2;

	CHECK_INT(hash(&whole, 1, found), ECERT_OK, "%s of \"%.8s\"", name, message);
	CHECK_BYTES(found, unhex(expected).data, ECERT_HASH_SIZE, "%s of \"%.8s\" is right", name, message);

	parts[0] = ecert_slice(whole.data, half);
	parts[1] = ecert_slice(NULL, 0);
	parts[2] = ecert_slice(whole.data + half, whole.size - half);
	CHECK_INT(hash(parts, 3, found), ECERT_OK, "%s in parts", name);
	CHECK_BYTES(found, unhex(expected).data, ECERT_HASH_SIZE, "%s in parts is the same", name);
}

static void
test_hashes(void)
{
	/* FIPS 180-4 examples */
	check_hash(ecert_sha256, "SHA-256", "abc",
			   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_hash(ecert_sha256, "SHA-256", "",
			   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_hash(ecert_sha256, "SHA-256", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_queue_empty("hashing");
}

/* ----- Ed25519, RFC 8032 section 7.1 ----- */

typedef struct Ed25519Vector
{
	const char *name;
	const char *seed;
	const char *public;
	const char *message;
	const char *signature;
} Ed25519Vector;

static const Ed25519Vector ed25519_vectors[] = {
	{"TEST 1",
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"",
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
	{"TEST 2",
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"72",
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	{"TEST 3",
		"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
		"af82",
		"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
	{"TEST 1024",
		"f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
		"278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
		"08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1"
		"e355f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d"
		"658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a"
		"7363c344fe6b199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e"
		"06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc10"
		"3b6621fcde2beca1231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed1"
		"85ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d"
		"502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f270"
		"88d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089b"
		"eccf80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128ba"
		"b27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969b"
		"e3ea7082ff7fc9888c144da2af58429ec96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb7"
		"51fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c42f58c30c04aafdb038dda0847dd988d"
		"cda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34df"
		"f7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7"
		"984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e4"
		"88acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc820e308aa342721aac09"
		"43bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5f"
		"b93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f161"
		"0e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380d"
		"b2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef68d3a101e8a3b8ca"
		"c60c905c15fc910840b94c00a0b9d0",
		"0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03"},
	{"TEST SHA(abc)",
		"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
		"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"}
};

static void
check_ed25519_vector(const Ed25519Vector *vector)
{
	EcertSlice	message = unhex(vector->message);
	EcertSlice	expected = unhex(vector->signature);
	EcertPrivateKey *private_key;
	EcertPublicKey *public_key;
	uint8_t		signature[ECERT_SIGNATURE_MAX];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;

	CHECK_INT(ecert_private_key_from_seed(unhex(vector->seed), &private_key), ECERT_OK,
			  "%s: a key from the seed", vector->name);
	CHECK_INT(ecert_private_key_public(private_key, raw, &raw_size), ECERT_OK,
			  "%s: its public half", vector->name);
	CHECK(raw_size == 32 && ecert_private_key_alg(private_key) == ECERT_ALG_ED25519,
		  "%s: an Ed25519 key", vector->name);
	CHECK_BYTES(raw, unhex(vector->public).data, 32, "%s: the published key", vector->name);
	CHECK_INT(ecert_sign(private_key, message, signature), ECERT_OK, "%s: signed", vector->name);
	CHECK_BYTES(signature, expected.data, 64, "%s: the published signature", vector->name);
	CHECK_INT(ecert_public_key_new(ECERT_ALG_ED25519, ecert_slice(raw, raw_size), &public_key),
			  ECERT_OK, "%s: a public key", vector->name);
	CHECK_INT(ecert_verify(public_key, message, expected), ECERT_OK, "%s: verified", vector->name);
	ecert_public_key_free(public_key);
	ecert_private_key_free(private_key);
}

static void
test_ed25519_vectors(void)
{
	for (size_t i = 0; i < sizeof(ed25519_vectors) / sizeof(ed25519_vectors[0]); i++)
		check_ed25519_vector(&ed25519_vectors[i]);
	CHECK_INT(strlen(ed25519_vectors[3].message) / 2, 1023, "TEST 1024 has 1023 bytes");
	check_queue_empty("the Ed25519 vectors");
}

/* ----- ES256 and SM2 ----- */

/* The order n of each curve's group */
static const char *const order_p256 =
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
static const char *const order_sm2 =
	"fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";

/* RFC 6979 section A.2.5 */
static const char *const p256_public =
	"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
	"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const char *const p256_sample =
	"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
	"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
static const char *const p256_test =
	"f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
	"019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";

/* GM/T 0003.5-2012 appendix A, ID 1234567812345678 */
static const char *const sm2_public =
	"0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
	"ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
static const char *const sm2_signature =
	"f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
	"b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";

/* A right signature with r or s replaced by 0, n, n + 1 or 2^256 - 1 */
static void
check_scalar_ranges(EcertPublicKey *key, EcertSlice message, EcertSlice right, const char *order,
					const char *name)
{
	uint8_t		bad[4][32] = {{0}};

	memcpy(bad[1], unhex(order).data, 32);
	memcpy(bad[2], bad[1], 32);
	bad[2][31]++;
	memset(bad[3], 0xff, 32);
	for (int half = 0; half < 2; half++)
		for (int i = 0; i < 4; i++)
		{
			uint8_t		signature[ECERT_SIGNATURE_MAX];

			memcpy(signature, right.data, sizeof(signature));
			memcpy(signature + 32 * half, bad[i], 32);
			CHECK_INT(ecert_verify(key, message, ecert_slice(signature, sizeof(signature))),
					  ECERT_BAD_SIGNATURE, "%s: %c out of range (%d) is refused", name, "rs"[half], i);
		}
}

static void
check_curve_vector(EcertAlg alg, const char *public, const char *message, const char *signature,
				   const char *order)
{
	const char *name = alg_names[alg];
	EcertPublicKey *key;
	EcertSlice	text = ecert_slice_text(message);
	EcertSlice	right = unhex(signature);

	CHECK_INT(ecert_public_key_new(alg, unhex(public), &key), ECERT_OK, "%s: the published key", name);
	CHECK_INT(ecert_verify(key, text, right), ECERT_OK, "%s: \"%s\" is verified", name, message);
	CHECK_INT(ecert_verify(key, text, right), ECERT_OK, "%s: and verified again", name);
	CHECK_INT(ecert_verify(key, ecert_slice_text("another message"), right), ECERT_BAD_SIGNATURE,
			  "%s: another message is not", name);
	CHECK_INT(ecert_verify(key, text, ecert_slice(right.data, 63)), ECERT_BAD_SIGNATURE,
			  "%s: nor is a short signature", name);
	check_scalar_ranges(key, text, right, order, name);
	CHECK_INT(ecert_verify(key, text, right), ECERT_OK, "%s: after all that, still verified", name);
	ecert_public_key_free(key);
	check_queue_empty(name);
}

static void
test_curve_vectors(void)
{
	EcertPublicKey *key;

	check_curve_vector(ECERT_ALG_ES256, p256_public, "sample", p256_sample, order_p256);
	check_curve_vector(ECERT_ALG_ES256, p256_public, "test", p256_test, order_p256);
	check_curve_vector(ECERT_ALG_SM2, sm2_public, "message digest", sm2_signature, order_sm2);

	/* The same point never is a key of the other curve */
	CHECK_INT(ecert_public_key_new(ECERT_ALG_SM2, unhex(p256_public), &key), ECERT_BAD_PUBLIC_KEY,
			  "a P-256 point is no SM2 key");
	CHECK_INT(ecert_public_key_new(ECERT_ALG_ES256, unhex(sm2_public), &key), ECERT_BAD_PUBLIC_KEY,
			  "an SM2 point is no P-256 key");
}

/* ----- public keys that must be refused ----- */

static void
check_refused(EcertAlg alg, EcertSlice raw, const char *why)
{
	EcertPublicKey *key;

	CHECK_INT(ecert_public_key_new(alg, raw, &key), ECERT_BAD_PUBLIC_KEY, "%s key refused: %s",
			  alg_names[alg], why);
	CHECK(key == NULL, "and there is no key");
}

/* Small order, canonical and not, and both signs (y = 0, 1, -1, the two of order 8, p, p + 1) */
static const char *const small_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
};

#define SMALL_ORDER_COUNT (sizeof(small_order) / sizeof(small_order[0]))

static void
test_refused_keys(void)
{
	uint8_t		raw[ECERT_RAW_KEY_MAX] = {0};
	EcertSlice	p256;

	for (size_t i = 0; i < SMALL_ORDER_COUNT; i++)
		check_refused(ECERT_ALG_ED25519, unhex(small_order[i]), "small order");
	check_refused(ECERT_ALG_ED25519,
				  unhex("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
				  "not canonical (y = p + 3)");
	check_refused(ECERT_ALG_ED25519,
				  unhex("0200000000000000000000000000000000000000000000000000000000000000"),
				  "not on the curve (y = 2)");
	check_refused(ECERT_ALG_ED25519, ecert_slice(raw, 31), "too short");
	check_refused(ECERT_ALG_ED25519, ecert_slice(raw, 33), "too long");
	check_refused(ECERT_ALG_ED25519, ecert_slice(NULL, 0), "empty");

	check_refused(ECERT_ALG_ES256, ecert_slice(raw, 1), "the point at infinity");
	check_refused(ECERT_ALG_ES256, ecert_slice(raw, sizeof(raw)), "all zero");
	p256 = unhex(p256_public);
	memcpy(raw, p256.data, sizeof(raw));
	raw[64] ^= 1;
	check_refused(ECERT_ALG_ES256, ecert_slice(raw, sizeof(raw)), "not on the curve");
	raw[64] ^= 1;
	raw[0] = 0x06 | (raw[64] & 1);
	check_refused(ECERT_ALG_ES256, ecert_slice(raw, sizeof(raw)), "hybrid form");
	raw[0] = 0x02 | (raw[64] & 1);
	check_refused(ECERT_ALG_ES256, ecert_slice(raw, 33), "compressed form");
	raw[0] = 0x04;
	memset(raw + 1, 0xff, 32);
	check_refused(ECERT_ALG_ES256, ecert_slice(raw, sizeof(raw)), "x over p");
	memcpy(raw, unhex(sm2_public).data, sizeof(raw));
	raw[40] ^= 0x10;
	check_refused(ECERT_ALG_SM2, ecert_slice(raw, sizeof(raw)), "not on the curve");
	check_queue_empty("refusing keys");
}

/* ----- the rule for Ed25519, and OpenSSL held to it ----- */

static bool
is_small_order_or_not_canonical(const uint8_t *point)
{
	bool		ones = point[0] >= 0xed && (point[31] & 0x7f) == 0x7f;

	for (int i = 1; i < 31 && ones; i++)
		ones = point[i] == 0xff;
	if (ones)
		return true;
	for (size_t i = 0; i < SMALL_ORDER_COUNT; i++)
	{
		EcertSlice	small = unhex(small_order[i]);

		if (memcmp(point, small.data, 31) == 0 && ((point[31] ^ small.data[31]) & 0x7f) == 0)
			return true;
	}
	return false;
}

/* The rule a program without libsodium can follow: look at A and R, then OpenSSL */
static bool
openssl_accepts(EcertSlice raw, EcertSlice message, EcertSlice signature)
{
	EVP_PKEY   *pkey;
	EVP_MD_CTX *context;
	bool		accepted;

	if (is_small_order_or_not_canonical(raw.data) || is_small_order_or_not_canonical(signature.data))
		return false;
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.data, raw.size);
	context = EVP_MD_CTX_new();
	accepted = pkey != NULL &&
		EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return accepted;
}

static bool
ecert_accepts(EcertSlice raw, EcertSlice message, EcertSlice signature)
{
	EcertPublicKey *key;
	bool		accepted;

	if (ecert_public_key_new(ECERT_ALG_ED25519, raw, &key) != ECERT_OK)
		return false;
	accepted = ecert_verify(key, message, signature) == ECERT_OK;
	ecert_public_key_free(key);
	return accepted;
}

/*
 * The cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, SSR
 * 2020, table 5).  Only number 3 keeps the rule: mixed order A and R, which
 * verifies with and without cofactor.
 */
typedef struct EdgeVector
{
	const char *message;
	const char *public;
	const char *signature;
	bool		accepted;
} EdgeVector;

static const EdgeVector edge_vectors[] = {
	{"8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000", false},
	{"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04", false},
	{"aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
		"f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e", false},
	{"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
		"cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
		"9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009", true},
	{"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
		"cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
		"160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09", false},
	{"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
		"cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
		"21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405", false},
	{"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
		"442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
		"e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514", false},
	{"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
		"442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
		"8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22", false},
	{"fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
		"f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607", false},
	{"84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
		"f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09", false},
	{"e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04", false},
	{"39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04", false}
};

/* s + L: the same signature's second, non-canonical spelling */
static void
add_group_order(uint8_t *s)
{
	EcertSlice	order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
	unsigned int carry = 0;

	for (int i = 0; i < 32; i++)
	{
		carry += (unsigned int) s[i] + order.data[i];
		s[i] = (uint8_t) carry;
		carry >>= 8;
	}
}

static void
test_edge_vectors(void)
{
	const Ed25519Vector *plain = &ed25519_vectors[2];
	uint8_t		signature[ECERT_SIGNATURE_MAX] = {0};
	int			differences = 0;
	int			accepted = 0;

	for (size_t i = 0; i < sizeof(edge_vectors) / sizeof(edge_vectors[0]); i++)
	{
		const EdgeVector *edge = &edge_vectors[i];
		bool		ours = ecert_accepts(unhex(edge->public), unhex(edge->message), unhex(edge->signature));
		bool		theirs = openssl_accepts(unhex(edge->public), unhex(edge->message),
											 unhex(edge->signature));

		CHECK(ours == edge->accepted, "edge case %zu is %s", i, edge->accepted ? "accepted" : "refused");
		CHECK(ours == theirs, "edge case %zu: OpenSSL with the check of A and R says the same", i);
	}

	/* Every small A with every small R and s = 0, which satisfies some equation */
	for (size_t a = 0; a < SMALL_ORDER_COUNT; a++)
		for (size_t r = 0; r < SMALL_ORDER_COUNT; r++)
		{
			EcertSlice	whole = ecert_slice(signature, sizeof(signature));
			bool		ours;

			memcpy(signature, unhex(small_order[r]).data, 32);
			ours = ecert_accepts(unhex(small_order[a]), ecert_slice_text("x"), whole);
			accepted += ours;
			differences += ours != openssl_accepts(unhex(small_order[a]), ecert_slice_text("x"), whole);
		}
	CHECK_INT(accepted, 0, "no signature of small points only is accepted");
	CHECK_INT(differences, 0, "and OpenSSL with the check of A and R says the same");

	memcpy(signature, unhex(plain->signature).data, sizeof(signature));
	add_group_order(signature + 32);
	CHECK(!ecert_accepts(unhex(plain->public), unhex(plain->message), ecert_slice(signature, 64)),
		  "s + L is refused");
	CHECK(!openssl_accepts(unhex(plain->public), unhex(plain->message), ecert_slice(signature, 64)),
		  "and OpenSSL says the same");
	CHECK(openssl_accepts(unhex(plain->public), unhex(plain->message), unhex(plain->signature)),
		  "OpenSSL accepts the plain one");
	check_queue_empty("the edge cases");
}

/* The cases of a file in test/data */
#define EDGE_POINTS 64
#define EDGE_SCALARS 512

typedef struct Edges
{
	char		points[EDGE_POINTS][65];
	char		scalars[EDGE_SCALARS][65];
	size_t		point_count;
	size_t		scalar_count;
	size_t		cases;
	size_t		accepted;		/* by the rule */
	size_t		wrong[3];		/* as the library is chosen, by libsodium, by OpenSSL */
} Edges;

static bool
accepts_by(bool by_openssl, EcertSlice raw, EcertSlice message, EcertSlice signature)
{
	EcertPublicKey *key;
	bool		accepted;

	if (ecert_public_key_by(ECERT_ALG_ED25519, raw, by_openssl, &key) != ECERT_OK)
		return false;
	accepted = ecert_verify(key, message, signature) == ECERT_OK;
	ecert_public_key_free(key);
	return accepted;
}

/* One line: where A, R and S stand, what follows in the message, and whether it is accepted */
static void
try_edge(Edges *edges, const char *line)
{
	char		message[32] = "ed25519vectors";
	char		suffix[8];
	char		signature_hex[2 * 64 + 1];
	size_t		a,
				r,
				s;
	int			expected;
	EcertSlice	key,
				signature;

	if (sscanf(line, "%zu %zu %zu %7s %d", &a, &r, &s, suffix, &expected) != 5 || a >= edges->point_count || r >= edges->point_count ||
		s >= edges->scalar_count)
		abort();
	if (suffix[0] != '-')
		sprintf(message + strlen(message), " %s", suffix);
	sprintf(signature_hex, "%s%s", edges->points[r], edges->scalars[s]);
	key = unhex(edges->points[a]);
	signature = unhex(signature_hex);
	edges->cases++;
	edges->accepted += expected == 1;
	edges->wrong[0] += ecert_accepts(key, ecert_slice_text(message), signature) != (expected == 1);
	if (ecert_sodium_keeps_the_rule())
		edges->wrong[1] += accepts_by(false, key, ecert_slice_text(message), signature) != (expected == 1);
	edges->wrong[2] += accepts_by(true, key, ecert_slice_text(message), signature) != (expected == 1);
}

/* The rule of docs/format.md against 914 cases of small, mixed and otherwise strange points, by both libraries */
static void
test_edge_file(void)
{
	static Edges edges;
	char		line[256];
	FILE	   *file = fopen(TEST_DATA "ed25519_edges.txt", "r");

	if (file == NULL)
		abort();
	while (fgets(line, sizeof line, file) != NULL)
	{
		if (line[0] == '#')
			continue;
		if (edges.point_count < EDGE_POINTS && sscanf(line, "point %64s", edges.points[edges.point_count]) == 1)
			edges.point_count++;
		else if (edges.scalar_count < EDGE_SCALARS && sscanf(line, "scalar %64s", edges.scalars[edges.scalar_count]) == 1)
			edges.scalar_count++;
		else
			try_edge(&edges, line);
	}
	fclose(file);
	CHECK_INT(edges.cases, 914, "CCTV: 914 edge cases");
	CHECK_INT(edges.accepted, 43, "CCTV: 43 keep the rule");
	CHECK_INT(edges.wrong[0], 0, "CCTV: every one is accepted or refused by the rule");
	CHECK_INT(edges.wrong[1], 0, "CCTV: and by libsodium, where it keeps the equation without cofactor");
	CHECK_INT(edges.wrong[2], 0, "CCTV: and by OpenSSL");
	check_queue_empty("the edge cases of CCTV");
}

/* ----- keys in files ----- */

static char directory[] = "/tmp/test_crypto.XXXXXX";
static char path_text[sizeof(directory) + 32];

static const char *
path(const char *name)
{
	snprintf(path_text, sizeof(path_text), "%s/%s", directory, name);
	return path_text;
}

static EVP_PKEY *
make_key(const char *type, const char *group)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY   *pkey = NULL;
	OSSL_PARAM	params[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};

	if (group != NULL)
		params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *) group, 0);
	if (EVP_PKEY_keygen_init(context) != 1 || EVP_PKEY_CTX_set_params(context, params) != 1 ||
		EVP_PKEY_generate(context, &pkey) != 1)
		abort();
	EVP_PKEY_CTX_free(context);
	return pkey;
}

/* Write pkey's PKCS#8 form, encrypted when there is a passphrase */
static void
write_key(const char *name, EVP_PKEY *pkey, const char *passphrase)
{
	FILE	   *file = fopen(path(name), "w");

	if (file == NULL ||
		PEM_write_PKCS8PrivateKey(file, pkey, passphrase ? EVP_aes_256_cbc() : NULL,
								  passphrase, passphrase ? (int) strlen(passphrase) : 0,
								  NULL, NULL) != 1)
		abort();
	fclose(file);
}

static void
write_text(const char *name, const char *text)
{
	FILE	   *file = fopen(path(name), "w");

	if (file == NULL || fputs(text, file) < 0)
		abort();
	fclose(file);
}

static EcertCode
load(const char *name, const char *passphrase, EcertPrivateKey **key)
{
	return ecert_private_key_load(path(name), passphrase, key);
}

static void
check_bit_flips(const EcertPublicKey *key, EcertSlice message, const uint8_t *right, int step,
				const char *name)
{
	int			accepted = 0;

	for (int bit = 0; bit < 8 * 64; bit += step)
	{
		uint8_t		signature[64];

		memcpy(signature, right, sizeof(signature));
		signature[bit / 8] ^= (uint8_t) (1 << (bit % 8));
		accepted += ecert_verify(key, message, ecert_slice(signature, sizeof(signature))) == ECERT_OK;
	}
	CHECK_INT(accepted, 0, "%s: no flipped bit of the signature is accepted", name);
}

/* Raw to PEM to raw */
static void
check_public_pem(EcertAlg alg, EcertSlice raw)
{
	const char *name = alg_names[alg];
	char		text[512];
	EcertBuffer pem = ecert_buffer(text, sizeof(text));
	EcertBuffer small = ecert_buffer(text, 10);
	EcertAlg	found_alg = 0;
	uint8_t		found[ECERT_RAW_KEY_MAX];
	size_t		found_size = 0;

	CHECK_INT(ecert_public_key_to_pem(alg, raw, &small), ECERT_NO_SPACE, "%s: no room for PEM", name);
	CHECK_INT(ecert_public_key_to_pem(alg, raw, &pem), ECERT_OK, "%s: to PEM", name);
	CHECK(memcmp(text, "-----BEGIN PUBLIC KEY-----\n", 27) == 0, "%s: it is PEM", name);
	CHECK_INT(ecert_public_key_from_pem(ecert_slice(text, pem.size), &found_alg, found, &found_size),
			  ECERT_OK, "%s: from PEM", name);
	CHECK_INT(found_alg, alg, "%s: the same algorithm", name);
	CHECK(ecert_slice_equal(raw, ecert_slice(found, found_size)), "%s: the same key", name);
	check_queue_empty("PEM");
}

/* Sign with the key of a file, verify, and break what was signed */
static void
check_signing(EcertAlg alg, const char *file, int flip_step)
{
	const char *name = alg_names[alg];
	EcertSlice	message = ecert_slice_text("one tonne of standard coal");
	EcertPrivateKey *private_key;
	EcertPublicKey *public_key;
	uint8_t		signature[ECERT_SIGNATURE_MAX];
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		raw_size;

	if (!CHECK_INT(load(file, NULL, &private_key), ECERT_OK, "%s: loaded", name))
		return;
	CHECK_INT(ecert_private_key_alg(private_key), alg, "%s: its algorithm", name);
	CHECK_INT(ecert_private_key_public(private_key, raw, &raw_size), ECERT_OK, "%s: public half", name);
	CHECK_INT(raw_size, ecert_raw_key_size(alg), "%s: its size", name);
	check_public_pem(alg, ecert_slice(raw, raw_size));
	CHECK_INT(ecert_public_key_new(alg, ecert_slice(raw, raw_size), &public_key), ECERT_OK,
			  "%s: it verifies", name);
	for (int i = 0; i < 20; i++)
	{
		if (ecert_sign(private_key, message, signature) != ECERT_OK ||
			ecert_verify(public_key, message, ecert_slice(signature, sizeof(signature))) != ECERT_OK)
			CHECK(false, "%s: signed and verified, round %d", name, i);
	}
	CHECK(true, "%s: signed and verified 20 times", name);
	CHECK_INT(ecert_sign(private_key, ecert_slice(NULL, 0), signature), ECERT_OK, "%s: nothing signed", name);
	CHECK_INT(ecert_verify(public_key, ecert_slice(NULL, 0), ecert_slice(signature, 64)), ECERT_OK,
			  "%s: and verified", name);
	CHECK_INT(ecert_verify(public_key, message, ecert_slice(signature, 64)), ECERT_BAD_SIGNATURE,
			  "%s: but something is not", name);
	CHECK_INT(ecert_sign(private_key, message, signature), ECERT_OK, "%s: signed", name);
	check_bit_flips(public_key, message, signature, flip_step, name);
	ecert_public_key_free(public_key);
	ecert_private_key_free(private_key);
	check_queue_empty(name);
}

static void
check_encrypted(EcertAlg alg, const char *file)
{
	const char *name = alg_names[alg];
	EcertPrivateKey *key;

	CHECK_INT(load(file, "correct horse", &key), ECERT_OK, "%s: the right passphrase opens the key", name);
	CHECK_INT(ecert_private_key_alg(key), alg, "%s: the key in it", name);
	ecert_private_key_free(key);
	CHECK_INT(load(file, "battery staple", &key), ECERT_KEY_PASSPHRASE, "%s: a wrong one does not", name);
	CHECK(key == NULL, "%s: and gives no key", name);
	CHECK_INT(load(file, "", &key), ECERT_KEY_PASSPHRASE, "%s: an empty one does not", name);
	CHECK_INT(load(file, NULL, &key), ECERT_KEY_PASSPHRASE, "%s: none does not", name);
	check_queue_empty("encrypted keys");
}

static void
check_plain_key(void)
{
	EcertPrivateKey *key;
	char		uri[sizeof(path_text) + 8];

	CHECK_INT(load("ed25519.pem", "unused", &key), ECERT_OK, "a plain key is loaded, with a passphrase that it does not need");
	ecert_private_key_free(key);
	snprintf(uri, sizeof(uri), "file:%s", path("ed25519.pem"));
	CHECK_INT(ecert_private_key_load(uri, NULL, &key), ECERT_OK, "a file: URI works as well");
	ecert_private_key_free(key);
	snprintf(uri, sizeof(uri), "file://%s", path("ed25519.pem"));
	CHECK_INT(ecert_private_key_load(uri, NULL, &key), ECERT_OK, "and a file:// one");
	ecert_private_key_free(key);
}

static void
check_unusable_files(EVP_PKEY *rsa, EVP_PKEY *p256)
{
	EcertPrivateKey *key;
	FILE	   *file;

	CHECK_INT(load("missing.pem", NULL, &key), ECERT_KEY_UNREADABLE, "a missing file");
	CHECK(key == NULL, "gives no key");
	write_text("text.pem", "there is no key here\n");
	CHECK_INT(load("text.pem", NULL, &key), ECERT_KEY_UNREADABLE, "a file without a key");
	write_text("empty.pem", "");
	CHECK_INT(load("empty.pem", NULL, &key), ECERT_KEY_UNREADABLE, "an empty file");
	write_text("cut.pem", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n");
	CHECK_INT(load("cut.pem", NULL, &key), ECERT_KEY_UNREADABLE, "a key cut short");
	CHECK_INT(ecert_private_key_load(directory, NULL, &key), ECERT_KEY_UNREADABLE, "a directory");
	CHECK_INT(ecert_private_key_load("", NULL, &key), ECERT_KEY_UNREADABLE, "an empty name");
	CHECK_INT(ecert_private_key_load("nosuchscheme:x", NULL, &key), ECERT_KEY_UNREADABLE,
			  "an unknown scheme");
	/* Either there is no PKCS#11 provider, or no such token */
	CHECK_INT(ecert_private_key_load("pkcs11:token=ecert-no-such-token;type=private", NULL, &key),
			  ECERT_KEY_UNREADABLE, "a token that is not there");
	file = fopen(path("public.pem"), "w");
	PEM_write_PUBKEY(file, p256);
	fclose(file);
	CHECK_INT(load("public.pem", NULL, &key), ECERT_KEY_UNREADABLE, "a public key only");
	write_key("rsa.pem", rsa, NULL);
	CHECK_INT(load("rsa.pem", NULL, &key), ECERT_KEY_ALG, "an RSA key");
	check_queue_empty("unusable files");
}

static void
check_unusable_pem(EVP_PKEY *rsa, EVP_PKEY *p384)
{
	EVP_PKEY   *keys[2] = {rsa, p384};
	const char *const encrypted = "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
		"DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END PUBLIC KEY-----\n";
	EcertAlg	alg;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	size_t		size;

	for (int i = 0; i < 2; i++)
	{
		BIO		   *bio = BIO_new(BIO_s_mem());
		char	   *text;
		long		length;

		PEM_write_bio_PUBKEY(bio, keys[i]);
		length = BIO_get_mem_data(bio, &text);
		CHECK_INT(ecert_public_key_from_pem(ecert_slice(text, (size_t) length), &alg, raw, &size),
				  ECERT_KEY_ALG, "%s as PEM", i == 0 ? "an RSA key" : "a P-384 key");
		BIO_free(bio);
	}
	CHECK_INT(ecert_public_key_from_pem(ecert_slice_text("no PEM"), &alg, raw, &size),
			  ECERT_BAD_PUBLIC_KEY, "text that is no PEM");
	CHECK_INT(ecert_public_key_from_pem(ecert_slice(NULL, 0), &alg, raw, &size),
			  ECERT_BAD_PUBLIC_KEY, "empty PEM");
	CHECK_INT(ecert_public_key_from_pem(ecert_slice_text(encrypted), &alg, raw, &size),
			  ECERT_BAD_PUBLIC_KEY, "PEM that claims to be encrypted");
	/* SubjectPublicKeyInfo of the identity point */
	CHECK_INT(ecert_public_key_from_pem(
				  ecert_slice_text("-----BEGIN PUBLIC KEY-----\n"
								   "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
								   "-----END PUBLIC KEY-----\n"), &alg, raw, &size),
			  ECERT_BAD_PUBLIC_KEY, "PEM of a key of small order");
	check_queue_empty("unusable PEM");
}

/* A compressed point in a PEM is the same key */
static void
check_compressed_pem(EVP_PKEY *pkey, EcertAlg expected)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *text;
	long		length;
	EcertAlg	alg = 0;
	uint8_t		raw[ECERT_RAW_KEY_MAX];
	uint8_t		compressed_raw[ECERT_RAW_KEY_MAX];
	size_t		size = 0;

	PEM_write_bio_PUBKEY(bio, pkey);
	length = BIO_get_mem_data(bio, &text);
	CHECK_INT(ecert_public_key_from_pem(ecert_slice(text, (size_t) length), &alg, raw, &size),
			  ECERT_OK, "%s: uncompressed PEM", alg_names[expected]);
	BIO_free(bio);

	EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PUBKEY(bio, pkey);
	CHECK(BIO_get_mem_data(bio, &text) < length, "%s: compressed is shorter", alg_names[expected]);
	length = BIO_get_mem_data(bio, &text);
	CHECK_INT(ecert_public_key_from_pem(ecert_slice(text, (size_t) length), &alg, compressed_raw, &size),
			  ECERT_OK, "%s: compressed PEM", alg_names[expected]);
	CHECK(alg == expected && size == ECERT_RAW_KEY_MAX, "%s: its algorithm and size", alg_names[expected]);
	CHECK_BYTES(compressed_raw, raw, ECERT_RAW_KEY_MAX, "%s: the same key", alg_names[expected]);
	BIO_free(bio);
}

/* EC PRIVATE KEY, preceded by its parameters, as "openssl ecparam -genkey" writes it */
static void
check_traditional_file(EVP_PKEY *pkey, EcertAlg alg)
{
	FILE	   *file = fopen(path("traditional.pem"), "w");
	BIO		   *bio = BIO_new_fp(file, BIO_NOCLOSE);

	PEM_write_bio_Parameters(bio, pkey);
	PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL);
	BIO_free(bio);
	fclose(file);
	check_signing(alg, "traditional.pem", 128);
}

static void
test_key_files(void)
{
	EVP_PKEY   *ed25519 = make_key("ED25519", NULL);
	EVP_PKEY   *p256 = make_key("EC", "P-256");
	EVP_PKEY   *sm2 = make_key("SM2", NULL);
	EVP_PKEY   *rsa = make_key("RSA", NULL);
	EVP_PKEY   *p384 = make_key("EC", "P-384");

	write_key("ed25519.pem", ed25519, NULL);
	write_key("p256.pem", p256, NULL);
	write_key("sm2.pem", sm2, NULL);
	check_signing(ECERT_ALG_ED25519, "ed25519.pem", 1);
	check_signing(ECERT_ALG_ES256, "p256.pem", 3);
	check_signing(ECERT_ALG_SM2, "sm2.pem", 7);
	check_traditional_file(p256, ECERT_ALG_ES256);
	check_traditional_file(sm2, ECERT_ALG_SM2);

	write_key("ed25519.enc", ed25519, "correct horse");
	write_key("p256.enc", p256, "correct horse");
	write_key("sm2.enc", sm2, "correct horse");
	check_encrypted(ECERT_ALG_ED25519, "ed25519.enc");
	check_encrypted(ECERT_ALG_ES256, "p256.enc");
	check_encrypted(ECERT_ALG_SM2, "sm2.enc");

	check_plain_key();
	check_unusable_files(rsa, p256);
	check_unusable_pem(rsa, p384);
	check_compressed_pem(p256, ECERT_ALG_ES256);
	check_compressed_pem(sm2, ECERT_ALG_SM2);
	write_key("p384.pem", p384, NULL);
	{
		EcertPrivateKey *key;

		CHECK_INT(load("p384.pem", NULL, &key), ECERT_KEY_ALG, "a P-384 private key");
	}
	EVP_PKEY_free(ed25519);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(sm2);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(p384);
}

static void
remove_files(void)
{
	static const char *const names[] = {
		"ed25519.pem", "p256.pem", "sm2.pem", "ed25519.enc", "p256.enc", "sm2.enc", "traditional.pem",
		"text.pem", "empty.pem", "cut.pem", "public.pem", "rsa.pem", "p384.pem"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path(names[i]));
	rmdir(directory);
}

int
main(void)
{
	if (mkdtemp(directory) == NULL)
	{
		perror(directory);
		return 1;
	}
	test_hashes();
	test_ed25519_vectors();
	test_curve_vectors();
	test_refused_keys();
	test_edge_vectors();
	test_edge_file();
	test_key_files();
	remove_files();
	return check_done();
}
