/*
 * rule_status.c
 *		The rule of kind status (src/certificate): of a certificate on the
 *		ledger and its applicant, a change, and none after withdrawn.
 */
#include "verifier/rules.h"

static const Entry *
find_certificate(const Case *it, const char *key)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	const Entry *found = field_hash(it->package.body, key, hash) ? ledger_by_hash(it->rules->ledger, hash) : NULL;

	return found != NULL && found->kind == ECERT_KIND_CERTIFICATE ? found : NULL;
}

/* The status of the certificate before this package */
static bool
check_change(Case *it, const Entry *certificate)
{
	const Change *change = last_change(it->rules, certificate, it->entry);
	const char *present = change == NULL ? "active" : change->status;
	EcertSlice	status = ecert_cbor_text_at(it->package.body, "status");
	char		since[TIME_ROOM];

	if (strcmp(present, "withdrawn") != 0 && !ecert_slice_equal(status, ecert_slice_text(present)))
		return true;
	SAY(it, "a certificate that is %s cannot become %.*s (It is %s since %s.)", present, TEXT(status), present,
		text_time((change == NULL ? certificate : change->entry)->issued_at, since));
	return false;
}

bool
rule_status(Case *it)
{
	const Ledger *ledger = it->rules->ledger;
	EcertSlice	body = it->package.body;
	const Entry *certificate = find_certificate(it, "certificate");
	EcertSlice	hash = ecert_cbor_text_at(body, "certificate");
	EcertSlice	replaced_by = ecert_cbor_text_at(body, "replaced_by");
	const Entry *replacement = find_certificate(it, "replaced_by");

	if (certificate == NULL)
		SAY(it, "there is no such certificate (Hash %.*s.)", TEXT(hash));
	else if (certificate->subject != it->entry->subject)
		SAY(it, "subject of the status package is not the certificate's applicant (Subject \"%.*s\", expected \"%.*s\".)",
			TEXT(ledger_id_text(ledger, it->entry->subject)), TEXT(ledger_id_text(ledger, certificate->subject)));
	else if (replaced_by.size > 0 && (replacement == NULL || replacement->subject != certificate->subject))
		SAY(it, "the certificate is replaced by none of this applicant (Hash %.*s.)", TEXT(replaced_by));
	else
		return check_change(it, certificate);
	return false;
}
