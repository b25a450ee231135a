/*
 * rule_audit.c
 *		The rule of kind audit (src/audit): by another than the applicant who is
 *		related to it, of ranges that exist with that hash and lie in the audited
 *		period, and not of the same packages twice, but after an abstention.
 */
#include "verifier/rules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "verifier/seqs.h"

/* ----- ranges: ecert.wrong_range() ----- */

typedef struct Audited
{
	uint32_t	applicant;		/* NO_ID: nobody the ledger knows */
	EcertPeriod period;
	AuditRole	role;
	const Range *ranges;
	size_t		count;
} Audited;

static bool
overlaps_earlier(const Audited *audited, size_t place)
{
	for (size_t i = 0; i < place; i++)
	{
		if (audited->ranges[i].kind == audited->ranges[place].kind && audited->ranges[place].first <= audited->ranges[i].last)
			return true;
	}
	return false;
}

/* Are all packages of a range whose last one is there, there too, with periods within the audited one */
static bool
is_within(const Ledger *ledger, const Audited *audited, const Range *range)
{
	size_t		count;
	const Entry *feed = ledger_feed(ledger, audited->applicant, range->kind, &count);
	size_t		at = (size_t) (ledger_at(ledger, audited->applicant, range->kind, range->last) - feed) + 1;
	int64_t		expected = range->last;

	for (; at > 0 && feed[at - 1].seq >= range->first; at--, expected--)
	{
		const Entry *entry = &feed[at - 1];

		if (entry->seq != expected || entry->period.start == entry->period.end || !period_within(entry->period, audited->period))
			return false;
	}
	return expected == range->first - 1;
}

/* What is wrong with a range; NULL: nothing */
static const char *
why_wrong(const Ledger *ledger, const Audited *audited, size_t place)
{
	const Range *range = &audited->ranges[place];
	const Entry *last = NULL;
	char		hash[HEX_ROOM];

	if (!role_reads(audited->role, range->kind))
		return "not for this role";
	if (range->first > range->last)
		return "first is after last";
	if (audited->applicant != NO_ID)
		last = ledger_at(ledger, audited->applicant, range->kind, range->last);
	if (last == NULL)
		return "the last package is not on the ledger";
	if (!ecert_slice_equal(range->hash, ecert_slice_text(text_hash(last->hash, hash))))
		return "hash is not that of the last package";
	if (overlaps_earlier(audited, place))
		return "it overlaps the range before it, or runs backwards";
	return is_within(ledger, audited, range) ? NULL : "a package of it lies outside the audited period";
}

static bool
check_ranges(Case *it, const Audited *audited)
{
	for (size_t i = 0; i < audited->count; i++)
	{
		const char *why = why_wrong(it->rules->ledger, audited, i);

		if (why != NULL)
		{
			SAY(it, "the audited packages are not what the audit says (Range %s %" PRId64 "..%" PRId64 ": %s.)",
				ecert_kind_name(audited->ranges[i].kind), audited->ranges[i].first, audited->ranges[i].last, why);
			return false;
		}
	}
	return true;
}

bool
rule_audit(Case *it)
{
	EcertSlice	body = it->package.body;
	EcertSlice	applicant = ecert_cbor_text_at(body, "applicant");
	EcertSlice	role = ecert_cbor_text_at(body, "as");
	Audited		audited = {ledger_id(it->rules->ledger, applicant), {0, 0}, audit_role(role), NULL, 0};
	char		issued[TIME_ROOM];

	if (audited.applicant == it->entry->issuer)
	{
		SAY(it, "node \"%.*s\" may not audit itself", TEXT(it->package.issuer));
		return false;
	}
	if (!was_related(it->rules, it->entry->issuer, audited.applicant, audited.role, it->entry->issued_at))
	{
		SAY(it, "node \"%.*s\" is not related to \"%.*s\" as %.*s (The audit was issued at %s.)",
			TEXT(it->package.issuer), TEXT(applicant), TEXT(role), text_time(it->entry->issued_at, issued));
		return false;
	}
	(void) field_period(body, "period", &audited.period);
	audited.ranges = ranges_of(&it->rules->arena, body, &audited.count);
	return check_ranges(it, &audited);
}

/* ----- the same packages twice ----- */

#define DIGEST_SIZE 16

/* What an audit of a feed is about, and whether it took place */
typedef struct AuditKey
{
	uint8_t		digest[DIGEST_SIZE];	/* of applicant, role and the seqs of both kinds */
	uint32_t	place;			/* in the feed */
	bool		abstains;
	bool		is_wrong;		/* another problem was told */
} AuditKey;

static int
compare_audited(const void *left, const void *right)
{
	const AuditKey *a = left;
	const AuditKey *b = right;
	int			order = memcmp(a->digest, b->digest, sizeof a->digest);

	return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* The seqs of a kind that ranges name, as one part of the key */
static void
collect_seqs(const Range *ranges, size_t count, EcertKind kind, Seqs *seqs)
{
	for (size_t i = 0; i < count; i++)
	{
		if (ranges[i].kind == kind && ranges[i].first <= ranges[i].last)
			seqs_add(seqs, ranges[i].first, ranges[i].last);
	}
}

/* What two audits of the same packages by one auditor have in common, as a number that no others have */
static void
digest_key(Case *it, uint8_t *digest)
{
	EcertSlice	body = it->package.body;
	uint32_t	about[2] = {it->entry->subject, audit_role(ecert_cbor_text_at(body, "as"))};
	Seqs		energy = {NULL, 0, 0};
	Seqs		product = {NULL, 0, 0};
	uint64_t	sizes[2];
	EcertSlice	parts[4];
	uint8_t		hash[ECERT_HASH_SIZE];
	size_t		count;
	const Range *ranges = ranges_of(&it->rules->arena, body, &count);

	collect_seqs(ranges, count, ECERT_KIND_ENERGY, &energy);
	collect_seqs(ranges, count, ECERT_KIND_PRODUCT, &product);
	sizes[0] = energy.count;
	sizes[1] = product.count;
	parts[0] = ecert_slice(about, sizeof about);
	parts[1] = ecert_slice(sizes, sizeof sizes);
	parts[2] = ecert_slice(energy.items, energy.count * sizeof(Interval));
	parts[3] = ecert_slice(product.items, product.count * sizeof(Interval));
	if (ecert_sha256(parts, 4, hash) != ECERT_OK)
		(void) need(NULL);
	memcpy(digest, hash, DIGEST_SIZE);
	seqs_clear(&energy);
	seqs_clear(&product);
}

/*
 * Of audits of the same packages, in the order of the feed, the first stands;
 * who abstained for want of records may come back with records.
 */
static void
check_same(Rules *rules, const Entry *feed, const AuditKey *same, size_t count)
{
	const AuditKey *first = NULL;	/* that does not abstain */

	for (size_t i = 0; i < count; i++)
	{
		const AuditKey *other = same[i].abstains && i > 0 ? &same[0] : first;
		char		hash[HEX_ROOM];

		if (other != NULL && !same[i].is_wrong)
			ledger_problem(rules->ledger, &feed[same[i].place], "these packages are audited by this node in this role already (Audit %s.)",
						   text_hash(feed[other->place].hash, hash));
		if (first == NULL && !same[i].abstains)
			first = &same[i];
	}
}

void
check_audits(Rules *rules, const Entry *feed, size_t count)
{
	AuditKey   *keys = need(calloc(count + 1, sizeof(AuditKey)));
	size_t		known = 0;
	size_t		end;

	for (size_t i = 0; i < count && i <= UINT32_MAX; i++)
	{
		Case		it;

		if (!case_open(&it, rules, &feed[i]))
			continue;
		keys[known].is_wrong = !rule_audit(&it);
		keys[known].abstains = ecert_slice_equal(ecert_cbor_text_at(it.package.body, "verdict"), ecert_slice_text("abstain"));
		keys[known].place = (uint32_t) i;
		digest_key(&it, keys[known++].digest);
	}
	qsort(keys, known, sizeof(AuditKey), compare_audited);
	for (size_t start = 0; start < known; start = end)
	{
		for (end = start + 1; end < known && memcmp(keys[start].digest, keys[end].digest, sizeof keys[start].digest) == 0; end++)
			;
		check_same(rules, feed, keys + start, end - start);
	}
	free(keys);
}
