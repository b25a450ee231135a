/*
 * issuer.c
 *		Who may sign what, and with which key; see rules.h.
 */
#include "rules/fields.h"
#include "rules/rules.h"

bool
ecert_key_facts(EcertSlice item, EcertKeyFacts *key, EcertPublicKey **prepared, EcertFinding *finding)
{
	EcertSlice	hex = ecert_cbor_text_at(item, "public");
	uint8_t		thumbprint[ECERT_HASH_SIZE];
	EcertPublicKey *made = NULL;
	EcertCode	code = ECERT_BAD_PUBLIC_KEY;

	memset(key, 0, sizeof *key);
	key->alg = ecert_field_alg(item);
	if (key->alg != ECERT_ALG_NONE && hex.size == 2 * ecert_raw_key_size(key->alg) &&
		ecert_hex_to_bytes(hex, key->raw) && ecert_field_hash(item, "kid", key->kid))
	{
		EcertSlice	raw = {key->raw, hex.size / 2};

		code = ecert_public_key_new(key->alg, raw, &made);
		if (code == ECERT_OK)
			code = ecert_key_thumbprint(key->alg, raw, thumbprint);
		if (code == ECERT_OK && memcmp(thumbprint, key->kid, sizeof thumbprint) != 0)
			code = ECERT_BAD_PUBLIC_KEY;
	}
	(void) ecert_key_use_from_name(ecert_cbor_text_at(item, "use"), &key->use);
	(void) ecert_field_int(item, "effective", &key->effective);
	if (!ecert_field_int(item, "until", &key->until))
		key->until = INT64_MAX;
	if (code == ECERT_OK && prepared != NULL)
		*prepared = made;
	else
		ecert_public_key_free(made);
	if (code == ECERT_OK)
		return true;
	return ECERT_FIND(finding, ECERT_KEY_UNUSABLE, ecert_a_text(ecert_cbor_text_at(item, "kid")), ecert_a_word(ecert_error_text(code)));
}

bool
ecert_check_genesis(const EcertPackage *package, EcertFinding *finding)
{
	EcertSlice	node = ecert_field_item(package->body, "node");
	EcertSlice	name = ecert_cbor_text_at(node, "node");
	EcertSlice	origin = ecert_cbor_text_at(package->body, "origin");

	if (ecert_slice_equal(name, package->issuer) && ecert_slice_equal(origin, package->audience) &&
		(ecert_node_facts(node).roles & ECERT_ROLE_CERTIFIER) != 0)
		return true;
	return ECERT_FIND(finding, ECERT_GENESIS_STRANGE, ecert_a_text(package->issuer), ecert_a_text(package->audience),
					  ecert_a_text(name), ecert_a_text(origin));
}

bool
ecert_check_body(const EcertPackage *package, EcertFinding *finding)
{
	EcertError	error;

	return ecert_body_check(package->kind, package->body, &error) == ECERT_OK ||
		ECERT_FIND(finding, ecert_is_reserved(error.code) ? ECERT_BODY_RESERVED : ECERT_BODY_INVALID, ecert_a_number((int64_t) error.offset), ecert_a_word(ecert_error_text(error.code)));
}

/* Nobody declares what has not happened yet */
static bool
is_over(const EcertPackage *package, EcertFinding *finding)
{
	EcertPeriod period;

	if (!ecert_kinds[package->kind].has_periods || !ecert_body_period(package, &period) || period.end <= package->issued_at)
		return true;
	return ECERT_FIND(finding, ECERT_PERIOD_NOT_OVER, ecert_a_time(period.end), ecert_a_time(package->issued_at));
}

bool
ecert_check_scope(const EcertPackage *package, EcertSlice origin, EcertFinding *finding)
{
	EcertSlice	subject;

	if (!ecert_slice_equal(package->audience, origin))
		return ECERT_FIND(finding, ECERT_OTHER_LEDGER, ecert_a_text(package->audience), ecert_a_text(origin));
	subject = ecert_subject_of(package->kind, package->body, package->issuer, origin);
	if (subject.size == 0 || ecert_slice_equal(subject, package->subject))
		return is_over(package, finding);
	return ECERT_FIND(finding, ECERT_SUBJECT_WRONG, ecert_a_word(ecert_kind_name(package->kind)), ecert_a_text(package->subject),
					  ecert_a_text(subject));
}

bool
ecert_check_entitled(const EcertPackage *package, EcertSlice origin, int roles, bool is_certifier, EcertFinding *finding)
{
	int			role = ecert_kinds[package->kind].issuer_role;

	if (roles == 0)
		return ECERT_FIND(finding, ECERT_ISSUER_UNKNOWN, ecert_a_text(package->issuer), ecert_a_text(origin));
	if ((roles & role) != 0 && (role != ECERT_ROLE_CERTIFIER || is_certifier))
		return true;
	return ECERT_FIND(finding, ECERT_ISSUER_NOT_ENTITLED, ecert_a_text(package->issuer), ecert_a_word(ecert_kind_name(package->kind)),
					  ecert_a_word(role == ECERT_ROLE_CERTIFIER ? "the certifier that made the ledger" :
								   role == ECERT_ROLE_APPLICANT ? "applicants" : "auditors"));
}

bool
ecert_check_key(const EcertPackage *package, const EcertNodeFacts *node, const EcertKeyFacts *key, int64_t now,
				EcertFinding *finding)
{
	const uint8_t *kid = package->kid.data;
	int64_t		issued_at = package->issued_at;

	if (key == NULL)
		return ECERT_FIND(finding, ECERT_KEY_UNKNOWN, ecert_a_text(package->issuer), ecert_a_hash(kid));
	if (key->use != ECERT_USE_PACKAGE)
		return ECERT_FIND(finding, ECERT_KEY_OF_OTHER_USE, ecert_a_text(package->issuer), ecert_a_hash(kid), ecert_a_word(ecert_key_use_name(key->use)));
	if (key->alg != package->alg)
		return ECERT_FIND(finding, ECERT_ALGORITHM_WRONG, ecert_a_word(ecert_alg_name(package->alg)), ecert_a_hash(kid),
						  ecert_a_text(package->issuer), ecert_a_word(ecert_alg_name(key->alg)));
	/* whole seconds: what was signed in the very second of the change stays valid */
	if (issued_at > node->revoked_at || now >= node->revoked_at)
		return ECERT_FIND(finding, ECERT_NODE_REVOKED, ecert_a_text(package->issuer), ecert_a_time(node->revoked_at), ecert_a_time(issued_at));
	if (issued_at > key->until || now >= key->until)
		return ECERT_FIND(finding, ECERT_KEY_ENDED, ecert_a_text(package->issuer), ecert_a_hash(kid), ecert_a_time(key->until),
						  ecert_a_time(issued_at));
	if (issued_at < key->effective)
		return ECERT_FIND(finding, ECERT_KEY_NOT_YET, ecert_a_text(package->issuer), ecert_a_hash(kid), ecert_a_time(key->effective),
						  ecert_a_time(issued_at));
	return true;
}

bool
ecert_check_signer(const EcertPackage *package, EcertSlice origin, const EcertSigner *signer, int64_t last, EcertFinding *finding)
{
	EcertRoleHistory history = ecert_roles_until(signer->history, last);
	const EcertKeyFacts *key = signer->key != NULL && signer->key->since <= last ? signer->key : NULL;

	return ecert_check_entitled(package, origin, ecert_roles_at(&history, package->issued_at), signer->is_certifier, finding) &&
		ecert_check_key(package, &signer->facts, key, INT64_MIN, finding);
}
