/*
 * feed.c
 *		A package's place in its feed: link, seq, time, periods; see rules.h.
 */
#include "rules/rules.h"

/* What a genesis package follows: nothing, which is the hash of no package */
static const uint8_t no_hash[ECERT_HASH_SIZE];

EcertLink
ecert_link_of(const EcertPackage *package, const uint8_t *hash)
{
	EcertLink	link = {
		package->issuer, package->kind, package->seq, package->issued_at, {0, 0},
		package->prev.size == ECERT_HASH_SIZE ? package->prev.data : no_hash, hash
	};
	uint8_t		replaced[ECERT_HASH_SIZE];

	if (ecert_kinds[package->kind].has_periods && !ecert_body_replaces(package, replaced) &&
		!ecert_body_period(package, &link.period))
		link.period = (EcertPeriod) {0, 0};
	return link;
}

/* Where the feed ends, and what the package says */
static EcertArgument
both_ends(const EcertFeedEnd *end, const EcertLink *link, EcertArena *arena)
{
	EcertText	text = ecert_text_in(arena);

	ECERT_PUT(&text, "Feed (\"%1\", %2) ", ecert_a_text(link->issuer), ecert_a_word(ecert_kind_name(link->kind)));
	if (end->seq < 0)
		ecert_text_put_string(&text, "is empty");
	else
		ECERT_PUT(&text, "ends at seq %1 with hash %2", ecert_a_number(end->seq), ecert_a_hash(end->hash));
	ECERT_PUT(&text, "; the package has seq %1 and prev %2.", ecert_a_number(link->seq), ecert_a_hash(link->prev));
	return ecert_a_text(ecert_text_slice(&text));
}

bool
ecert_check_link(const EcertFeedEnd *end, const EcertLink *link, const uint8_t *genesis_hash, bool follows,
				 EcertArena *arena, EcertFinding *finding)
{
	if (end->seq >= 0 && link->seq == end->seq && memcmp(end->hash, link->hash, ECERT_HASH_SIZE) == 0)
		return ECERT_FIND(finding, ECERT_KNOWN_ALREADY, both_ends(end, link, arena));
	if (link->seq <= end->seq)
		return ECERT_FIND(finding, ECERT_SEQ_TAKEN, ecert_a_number(link->seq), both_ends(end, link, arena));
	if (link->seq > end->seq + 1)
		return ECERT_FIND(finding, ECERT_SEQ_GAP, ecert_a_number(link->seq), both_ends(end, link, arena), ecert_a_number(end->seq + 1));
	if (follows || memcmp(link->prev, end->seq < 0 ? genesis_hash : end->hash, ECERT_HASH_SIZE) == 0)
		return true;
	if (link->seq == 0)
		return ECERT_FIND(finding, ECERT_FIRST_OF_OTHER_LEDGER, ecert_a_hash(link->prev), ecert_a_hash(genesis_hash));
	return ECERT_FIND(finding, ECERT_NOT_AFTER_HEAD, both_ends(end, link, arena));
}

bool
ecert_is_equivocation(EcertSlice origin, const EcertPackage *one, bool one_is_signed, const EcertPackage *other, bool other_is_signed)
{
	return one_is_signed && other_is_signed && ecert_slice_equal(one->audience, origin) && ecert_slice_equal(other->audience, origin) &&
		ecert_slice_equal(one->issuer, other->issuer) && one->kind == other->kind && one->seq == other->seq &&
		(!ecert_slice_equal(one->protected_header, other->protected_header) || !ecert_slice_equal(one->body, other->body));
}

bool
ecert_check_order(const EcertFeedEnd *end, const EcertLink *link, EcertFinding *finding)
{
	if (end->seq >= 0 && link->issued_at < end->issued_at)
		return ECERT_FIND(finding, ECERT_TIME_BACKWARDS, ecert_a_time(link->issued_at), ecert_a_time(end->issued_at));
	if (link->period.start < link->period.end && link->period.start < end->period_end)
		return ECERT_FIND(finding, ECERT_PERIOD_OVERLAP, ecert_a_time(link->period.start), ecert_a_time(end->period_end));
	return true;
}
