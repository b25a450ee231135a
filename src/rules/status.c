/*
 * status.c
 *		The rule of kind status, as of the checkpoint that it names: of a
 *		certificate under it and its applicant, a change, and none after withdrawn.
 */
#include "rules/as_of.h"
#include "rules/certificate.h"
#include "rules/fields.h"
#include "rules/live.h"
#include "rules/rest.h"

EcertStatus
ecert_certificate_status(EcertRules *rules, const EcertEntry *certificate, int64_t before)
{
	EcertView  *view = rules->view;
	EcertEntries entries = ecert_about(view, rules->arena, certificate->subject, ECERT_KIND_STATUS, ECERT_ALL_TIME);
	EcertStatus status = {ecert_slice_text("active"), {NULL, 0}, certificate->issued_at};
	int64_t		newest = -1;

	for (size_t i = 0; i < entries.count; i++)
	{
		const EcertEntry *entry = &entries.list[i];
		EcertPackage package;
		uint8_t		hash[ECERT_HASH_SIZE];

		if (entry->seq >= before || entry->seq <= newest || !ecert_slice_equal(entry->issuer, view->certifier) ||
			!view->package(view, entry, &package) || !ecert_field_hash(package.body, "certificate", hash) ||
			memcmp(hash, certificate->hash, sizeof hash) != 0)
			continue;
		newest = entry->seq;
		status.status = ecert_arena_copy(rules->arena, ecert_cbor_text_at(package.body, "status"));
		status.reason = ecert_arena_copy(rules->arena, ecert_cbor_text_at(package.body, "reason"));
		status.since = entry->issued_at;
	}
	return status;
}

/* Of several the one with the least seq */
bool
ecert_live_certificate(EcertRules *rules, EcertSlice applicant, EcertPeriod period, int64_t before, int64_t before_status,
					   EcertEntry *certificate)
{
	EcertView  *view = rules->view;
	EcertEntries entries = ecert_about(view, rules->arena, applicant, ECERT_KIND_CERTIFICATE, (EcertPeriod) {INT64_MIN, period.end});
	bool		found = false;

	for (size_t i = 0; i < entries.count; i++)
	{
		const EcertEntry *entry = &entries.list[i];

		if (entry->seq >= before || (found && entry->seq >= certificate->seq) || !ecert_periods_overlap(entry->period, period) ||
			!ecert_slice_equal(entry->issuer, view->certifier) ||
			ecert_slice_equal(ecert_certificate_status(rules, entry, before_status).status, ecert_slice_text("withdrawn")))
			continue;
		*certificate = *entry;
		found = true;
	}
	return found;
}

/* The status of the certificate before this package */
static bool
check_change(EcertCase *it, const EcertEntry *certificate)
{
	EcertSlice	status = ecert_cbor_text_at(it->package->body, "status");
	EcertStatus present = ecert_certificate_status(it->rules, certificate, it->package->seq);
	EcertEntry	live;

	if (ecert_slice_equal(present.status, ecert_slice_text("withdrawn")) || ecert_slice_equal(present.status, status))
		return ECERT_FIND(it->finding, ECERT_STATUS_UNCHANGED, ecert_a_text(present.status), ecert_a_text(status), ecert_a_time(present.since));
	if (ecert_slice_equal(status, ecert_slice_text("active")) &&
		ecert_live_certificate(it->rules, certificate->subject, certificate->period,
							   ecert_seen_before(it->rules, ECERT_KIND_CERTIFICATE), it->package->seq, &live) &&
		memcmp(live.hash, certificate->hash, ECERT_HASH_SIZE) != 0)
		return ECERT_FIND_PLAIN(it->finding, ECERT_OTHER_CERTIFICATE_LIVE);
	return true;
}

bool
ecert_rule_status(EcertCase *it)
{
	EcertSlice	body = it->package->body;
	EcertSlice	replaced_by = ecert_cbor_text_at(body, "replaced_by");
	EcertEntry	checkpoint;
	EcertEntry	certificate;
	EcertEntry	replacement;

	if (!ecert_rest_on_checkpoint(it, &checkpoint))
		return false;
	if (!ecert_find_named(it, "certificate", ECERT_KIND_CERTIFICATE, &certificate) || !ecert_is_seen(it->rules, &certificate))
		return ECERT_FIND(it->finding, ECERT_CERTIFICATE_MISSING, ecert_a_text(ecert_cbor_text_at(body, "certificate")));
	if (!ecert_slice_equal(certificate.subject, it->package->subject))
		return ECERT_FIND(it->finding, ECERT_STATUS_SUBJECT, ecert_a_text(it->package->subject), ecert_a_text(certificate.subject));
	if (replaced_by.size > 0 &&
		(!ecert_find_named(it, "replaced_by", ECERT_KIND_CERTIFICATE, &replacement) || !ecert_slice_equal(replacement.subject, certificate.subject)))
		return ECERT_FIND(it->finding, ECERT_REPLACEMENT_MISSING, ecert_a_text(replaced_by));
	return check_change(it, &certificate);
}
