/*
 * audits.c
 *		What auditors say of applicants' packages, and how they are paid.
 */
#include "world.h"

Audit		audits[AUDITS_MAX];
int			audit_count;

/* Whether a role reads packages of a kind: upstream energy, downstream products, peers both */
bool
reads(Role role, EcertKind kind)
{
	return role == PEER || (role == UPSTREAM) == (kind == ECERT_KIND_ENERGY);
}

static const EcertKind kinds[2] = {ECERT_KIND_ENERGY, ECERT_KIND_PRODUCT};

/* ----- ranges ----- */

/* One range in notation */
static char *
range_text(const char *kind, int64_t first, int64_t last, const char *hash)
{
	return text_of("{'kind': '%s', 'first': %" PRId64 ", 'last': %" PRId64 ", 'hash': '%s'}", kind, first, last, hash);
}

/* Packages by seq as runs of seqs, each with the hash of its last */
char *
ranges_text(const Pack *const *live, int count, EcertKind kind)
{
	char	   *text = strdup("");
	int			end;

	for (int i = 0; i < count; i = end)
	{
		for (end = i + 1; end < count && live[end]->seq == live[end - 1]->seq + 1; end++)
			;
		text = text_of("%s%s%s", text, text[0] == '\0' ? "" : ", ",
					   range_text(ecert_kind_name(kind), live[i]->seq, live[end - 1]->seq, made[live[end - 1]->made].hex));
	}
	return text;
}

/* The ranges of an audit, one of them wrong */
static char *
spoilt_ranges(const Audit *audit, char *text)
{
	const char *kind = audit->role == DOWNSTREAM ? "product" : "energy";
	int			which = audit->role == DOWNSTREAM ? 1 : 0;
	int64_t		first = audit->seq_counts[which] > 0 ? audit->seqs[which][0] : 0;
	const char *hash = made[below(made_count)].hex;

	if (lie(LIE_AUDIT_HASH))
		text = range_text(kind, first, first, hash);
	if (lie(LIE_AUDIT_LAST))
		text = range_text(kind, first, first + 1000, hash);
	if (lie(LIE_AUDIT_KIND))
		text = text_of("%s, %s", text, range_text(which == 1 ? "energy" : "product", 0, 0, hash));
	if (lie(LIE_AUDIT_FIRST))
		text = text_of("%s, %s", text, range_text(kind, first + 3, first + 1, hash));
	if (lie(LIE_AUDIT_BACKWARDS))
		text = text_of("%s, %s", text, text);
	if (lie(LIE_AUDIT_HUGE))
		text = range_text(kind, one_in(2) ? 0 : first, one_in(2) ? INT64_MAX : INT64_MAX - 1, hash);
	return text;
}

/* ----- audits ----- */

/* Some rows of what an auditor compared; no rule reads them, but the schema does */
static char *
checks_text(void)
{
	static const char *const checks[] = {
		"{'check': 'delivered', 'source': 'raw_coal', 'unit': 'kgce', 'point': 'm1', 'figures': [{'of': 'period', 'declared': 1000, 'found': 1002.5, "
			"'deviation': 0.0025, 'tolerance': 0.01}], 'ok': true}",
		"{'check': 'gaps', 'ok': true, 'note': 'none'}",
		"{'check': 'bought', 'product': 'steel', 'figures': [{'of': 'period', 'declared': 4([18, 9000000000]), 'found': -1, 'deviation': 4([-18, -1]), 'tolerance': 0}, "
			"{'of': 'year', 'declared': 1, 'found': 1, 'deviation': 0, 'tolerance': null}], 'ok': false}",
		"{'check': 'median', 'product': 'Z', 'figures': [{'of': 'period', 'declared': 1.50, 'found': null, 'deviation': null, 'tolerance': 3}], 'ok': null, 'note': 'too few'}"
	};
	int			count = (int) below(3);
	char	   *text = strdup("");

	for (int i = 0; i < count; i++)
		text = text_of("%s%s%s", text, i == 0 ? "" : ", ", PICK(checks));
	return text;
}

/* Whether two audits are by one auditor in one role over the very same packages */
static bool
same_packages(const Audit *a, const Audit *b)
{
	for (int i = 0; i < 2; i++)
	{
		if (a->seq_counts[i] != b->seq_counts[i] ||
			memcmp(a->seqs[i], b->seqs[i], (size_t) a->seq_counts[i] * sizeof(int64_t)) != 0)
			return false;
	}
	return a->auditor == b->auditor && a->plant == b->plant && a->role == b->role;
}

/* Who abstained may come back; else the same packages are audited once */
static bool
is_repeated(const Audit *audit)
{
	for (int i = 0; i < audit_count; i++)
	{
		if (same_packages(&audits[i], audit) && (strcmp(audits[i].verdict, "abstain") != 0 || strcmp(audit->verdict, "abstain") == 0))
			return true;
	}
	return false;
}

/* The policy in force, which is the one to audit under */
static const char *
policy_named(void)
{
	return lie(LIE_AUDIT_POLICY) ? made[below(made_count)].hex : policies[policy_count - 1].hash;
}

/* Sign an audit and count it among the audits of this ledger */
static void
say_audit(Audit *audit, const Node *auditor, const char *applicant, char *ranges)
{
	static const char *const comments[] = {"", ", 'comment': 'meter 3 was\nreplaced'", ", 'comment': \"it's fine\""};

	audit->made = say(auditor, ECERT_KIND_AUDIT, applicant,
					  text_of("{'applicant': '%s', 'period': [%" PRId64 ", %" PRId64 "], 'as': '%s', 'verdict': '%s', 'policy': '%s', "
							  "'checked': [%s], 'checks': [%s]%s%s}",
							  applicant, audit->period.start, audit->period.end, role_names[audit->role], audit->verdict, policy_named(), spoilt_ranges(audit, ranges),
							  checks_text(), PICK(comments), lie(LIE_NOT_YET) ? text_of(", 'replaces': '%s'", made[below(made_count)].hex) : ""));
	audit_count++;
}

/* Whether there is another node than the certifier who could audit in its place */
static bool
any_node_but(const Node *node)
{
	return node_count > 1 && node != CERTIFIER;
}

/* Does the auditor bear out these packages already? */
static bool
is_passed(const Audit *audit)
{
	for (int i = 0; i < audit_count; i++)
	{
		if (same_packages(&audits[i], audit) && strcmp(audits[i].verdict, "pass") == 0)
			return true;
	}
	return false;
}

/* An audit of all that is live in a window and that the role reads; does one by that auditor pass now? */
static bool
audit_window(Plant *plant, const Relation *relation, Window window, const char *verdict)
{
	Audit	   *audit = &audits[audit_count];
	const Node *auditor = relation->auditor;
	const char *applicant = plant->node->id;
	char	   *ranges = strdup("");

	if (audit_count == AUDITS_MAX || (auditor->revoked && !lie(LIE_AFTER_REVOKED)))
		return false;
	*audit = (Audit) {.auditor = auditor,.plant = plant,.role = relation->role,.verdict = verdict,.period = window};
	for (int i = 0; i < 2; i++)
	{
		const Pack *live[PACKS_MAX];
		int			count = reads(relation->role, kinds[i]) ? live_packs(packs_of(plant, kinds[i]), window, INT64_MAX, live) : 0;
		char	   *text = ranges_text(live, count, kinds[i]);

		for (int j = 0; j < count; j++)
			audit->seqs[i][audit->seq_counts[i]++] = live[j]->seq;
		ranges = text_of("%s%s%s", ranges, ranges[0] != '\0' && text[0] != '\0' ? ", " : "", text);
	}
	if (ranges[0] == '\0')
		return true;
	if (is_repeated(audit) && !lie(LIE_AUDIT_TWICE))
		return is_passed(audit);
	if (lie(LIE_AUDIT_OUTSIDE))
		audit->period.end -= (window.end - window.start) / 2;
	if (lie(LIE_AUDIT_SELF))
		auditor = plant->node;
	if (any_node_but(auditor) && lie(LIE_AUDIT_STRANGER))
		auditor = &nodes[between(1, node_count - 1)];
	if (lie(LIE_AUDIT_OF_NOBODY))
		applicant = "nobody";
	say_audit(audit, auditor, applicant, ranges);
	return strcmp(verdict, "pass") == 0;
}

/* A verdict that is pass but for one time in so many */
static const char *
random_verdict(unsigned pass_of)
{
	return !one_in(pass_of) ? "pass" : one_in(2) ? "fail" : "abstain";
}

/* An audit that nobody asked for, of some of a plant's periods */
void
audit_something(void)
{
	Plant	   *plant = &plants[below((uint64_t) plant_count)];
	int			first = (int) below((uint64_t) plant->months);

	if (plant->relation_count > 0)
		(void) audit_window(plant, &plant->relations[below((uint64_t) plant->relation_count)],
							period_of(plant, (int) below(3), first, (int) between(1, plant->months - first)), random_verdict(3));
}

/* The audits that the policy requires over a window, and that are missing still */
void
audit_for(Plant *plant, Window window)
{
	for (int role = 0; role < ROLES; role++)
	{
		int			missing = IN_FORCE->required[role];

		for (int i = 0; i < plant->relation_count && missing > 0; i++)
		{
			if ((int) plant->relations[i].role != role || lie(LIE_AUDIT_MISSING))
				continue;
			missing -= audit_window(plant, &plant->relations[i], window, random_verdict(30));
		}
	}
}

/* Whether an audit names the package of a kind with that seq */
static bool
has_seq(const Audit *audit, int kind, int64_t seq)
{
	for (int i = 0; i < audit->seq_counts[kind]; i++)
	{
		if (audit->seqs[kind][i] == seq)
			return true;
	}
	return false;
}

/* Has a package that it audits been replaced since? */
bool
is_overtaken(const Audit *audit)
{
	for (int i = 0; i < 2; i++)
	{
		const Pack *live[PACKS_MAX];
		Plant	   *plant = &plants[audit->plant - plants];
		int			count = live_packs(packs_of(plant, kinds[i]), audit->period, INT64_MAX, live);
		int			found = 0;

		for (int j = 0; j < count; j++)
			found += has_seq(audit, i, live[j]->seq);
		if (found < audit->seq_counts[i])
			return true;
	}
	return false;
}

/* Whether an audit names a package that is live in a window */
bool
is_over(const Audit *audit, const Plant *plant, Window window)
{
	for (int i = 0; i < 2; i++)
	{
		const Pack *live[PACKS_MAX];
		int			count = live_packs(packs_of(&plants[plant - plants], kinds[i]), window, INT64_MAX, live);

		for (int j = 0; j < count; j++)
		{
			if (has_seq(audit, i, live[j]->seq))
				return true;
		}
	}
	return false;
}

/* ----- rewards ----- */

/* Has every package of it been paid to this auditor in this role? */
static bool
is_paid(const Audit *audit)
{
	for (int kind = 0; kind < 2; kind++)
	{
		for (int i = 0; i < audit->seq_counts[kind]; i++)
		{
			bool		paid = false;

			for (int j = 0; j < audit_count && !paid; j++)
				paid = audits[j].rewarded && audits[j].auditor == audit->auditor && audits[j].plant == audit->plant &&
					audits[j].role == audit->role && has_seq(&audits[j], kind, audit->seqs[kind][i]);
			if (!paid)
				return false;
		}
	}
	return true;
}

/* Pay for some audit that has not been paid for */
void
reward_something(void)
{
	Audit	   *audit;
	const char *auditor;
	const char *hash;

	if (audit_count == 0)
		return;
	audit = &audits[below((uint64_t) audit_count)];
	if ((strcmp(audit->verdict, "abstain") == 0 && !lie(LIE_REWARD_ABSTAINED)) || (is_paid(audit) && !lie(LIE_REWARD_TWICE)))
		return;
	auditor = lie(LIE_REWARD_OTHER) ? nodes[below((uint64_t) node_count)].id : audit->auditor->id;
	hash = lie(LIE_REWARD_NONE) ? made[below(made_count)].hex : made[audit->made].hex;
	(void) say(CERTIFIER, ECERT_KIND_REWARD, auditor,
			   text_of("{'audit': '%s', 'auditor': '%s', 'amount': %s, 'checkpoint': '%s'}", hash, auditor, IN_FORCE->reward_text[audit->role],
					   rest_on_checkpoint()));
	audit->rewarded = true;
}
