/*
 * rule_reward.c
 *		The rule of kind reward (src/certificate): for a completed audit of that
 *		auditor, of packages that it has not been rewarded for in that role.
 */
#include "verifier/rules.h"

#include <stdlib.h>

#include "verifier/seqs.h"

/* A reward, the audit it names, and whether another problem was told */
typedef struct Payment
{
	const Entry *reward;
	const Entry *audit;
	AuditRole	role;
	bool		is_wrong;
} Payment;

static int
compare_ids(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* Of the same auditor, applicant and role: packages count once among them */
static int
compare_groups(const Payment *a, const Payment *b)
{
	int			order = compare_ids(a->audit->issuer, b->audit->issuer);

	if (order == 0)
		order = compare_ids(a->audit->subject, b->audit->subject);
	return order != 0 ? order : (a->role > b->role) - (a->role < b->role);
}

static int
compare_payments(const void *left, const void *right)
{
	const Payment *a = left;
	const Payment *b = right;
	int			order = compare_groups(a, b);

	return order != 0 ? order : (a->reward->seq > b->reward->seq) - (a->reward->seq < b->reward->seq);
}

/* The audit that a reward names, read into the other buffer; NULL when it is not there */
static const Entry *
open_audit(Case *it, EcertPackage *audit)
{
	uint8_t		hash[ECERT_HASH_SIZE];
	const Entry *entry = field_hash(it->package.body, "audit", hash) ? ledger_by_hash(it->rules->ledger, hash) : NULL;

	return entry != NULL && entry->kind == ECERT_KIND_AUDIT && ledger_read(it->rules->ledger, entry, it->rules->other, audit) ? entry : NULL;
}

static bool
check_audit(Case *it, const Entry *entry, const EcertPackage *audit)
{
	EcertSlice	hash = ecert_cbor_text_at(it->package.body, "audit");
	EcertSlice	auditor = ecert_cbor_text_at(it->package.body, "auditor");

	if (entry == NULL || !ecert_slice_equal(audit->issuer, auditor))
		SAY(it, "the reward is for no audit of this auditor on the ledger (Audit %.*s, auditor \"%.*s\".)", TEXT(hash), TEXT(auditor));
	else if (ecert_slice_equal(ecert_cbor_text_at(audit->body, "verdict"), ecert_slice_text("abstain")))
		SAY(it, "the reward is for an audit that abstains (Audit %.*s.)", TEXT(hash));
	else
		return true;
	return false;
}

/* Judge a reward by itself, and note whom it pays; false when it pays nobody */
static bool
open_payment(Rules *rules, const Entry *entry, Payment *payment)
{
	Case		it;
	EcertPackage audit;

	if (!case_open(&it, rules, entry))
		return false;
	payment->reward = entry;
	payment->audit = open_audit(&it, &audit);
	payment->is_wrong = !check_audit(&it, payment->audit, &audit);
	if (payment->audit != NULL)
		payment->role = audit_role(ecert_cbor_text_at(audit.body, "as"));
	return payment->audit != NULL;
}

/* What a group has been paid for */
typedef struct Paid
{
	Seqs		energy;
	Seqs		product;
	bool		has_impossible_range;
} Paid;

static void
paid_clear(Paid *paid)
{
	seqs_clear(&paid->energy);
	seqs_clear(&paid->product);
	paid->has_impossible_range = false;
}

/* Does the audit cover a package that is not paid for: ecert.has_unrewarded() */
static bool
has_unpaid(const Paid *paid, const Range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (!seqs_contain(ranges[i].kind == ECERT_KIND_ENERGY ? &paid->energy : &paid->product, ranges[i].first, ranges[i].last))
			return true;
	}
	return false;
}

static void
pay(Paid *paid, const Range *ranges, size_t count)
{
	if (has_impossible_range(ranges, count))
		paid->has_impossible_range = true;
	for (size_t i = 0; i < count; i++)
	{
		if (ranges[i].first <= ranges[i].last)
			seqs_add(ranges[i].kind == ECERT_KIND_ENERGY ? &paid->energy : &paid->product, ranges[i].first, ranges[i].last);
	}
}

static void
check_payment(Rules *rules, const Payment *payment, const Paid *paid, const Range *ranges, size_t count)
{
	char		hash[HEX_ROOM];

	if (payment->is_wrong)
		return;
	if (paid->has_impossible_range || has_impossible_range(ranges, count))
		ledger_problem(rules->ledger, payment->reward, IMPOSSIBLE_RANGE);
	else if (!has_unpaid(paid, ranges, count))
		ledger_problem(rules->ledger, payment->reward, "this auditor has been rewarded for these packages in this role already (Audit %s.)",
					   text_hash(payment->audit->hash, hash));
}

/* Rewards of one group with the same seq, which feeds of several issuers may have: none comes before another */
static void
check_payments(Rules *rules, const Payment *payments, size_t count, Paid *paid)
{
	for (int paying = 0; paying < 2; paying++)
	{
		for (size_t i = 0; i < count; i++)
		{
			EcertPackage audit;
			const Range *ranges;
			size_t		ranges_count;

			arena_reset(&rules->arena);
			if (!ledger_read(rules->ledger, payments[i].audit, rules->other, &audit))
				continue;
			ranges = ranges_of(&rules->arena, audit.body, &ranges_count);
			if (paying)
				pay(paid, ranges, ranges_count);
			else
				check_payment(rules, &payments[i], paid, ranges, ranges_count);
		}
	}
}

/* Payments sorted; from group to group, and in it from seq to seq */
static void
check_groups(Rules *rules, const Payment *payments, size_t count)
{
	Paid		paid;
	size_t		end;

	memset(&paid, 0, sizeof paid);
	for (size_t start = 0; start < count; start = end)
	{
		if (start == 0 || compare_groups(&payments[start - 1], &payments[start]) != 0)
			paid_clear(&paid);
		for (end = start + 1; end < count && compare_payments(&payments[start], &payments[end]) == 0; end++)
			;
		check_payments(rules, payments + start, end - start, &paid);
	}
	paid_clear(&paid);
}

void
check_rewards(Rules *rules)
{
	size_t		place = 0;
	size_t		count;
	size_t		known = 0;
	const Entry *feed;
	Payment    *payments = NULL;

	while ((feed = ledger_next_feed(rules->ledger, ECERT_KIND_REWARD, &place, &count)) != NULL)
	{
		payments = need(realloc(payments, (known + count + 1) * sizeof(Payment)));
		for (size_t i = 0; i < count; i++)
			known += open_payment(rules, &feed[i], &payments[known]);
	}
	if (known > 0)
	{
		qsort(payments, known, sizeof(Payment), compare_payments);
		check_groups(rules, payments, known);
	}
	free(payments);
}
