/*
 * lookup.c
 *		Nodes, relations, audits, certificates and their statuses as the rules
 *		look them up; see rules.h.
 */
#include "verifier/rules.h"

#include <stdlib.h>

static int
compare_subjects(const void *left, const void *right)
{
	const Entry *a = *(const Entry *const *) left;
	const Entry *b = *(const Entry *const *) right;

	if (a->subject != b->subject)
		return a->subject < b->subject ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static void
sort_by_subject(BySubject *list)
{
	qsort(list->entries, list->count, sizeof(Entry *), compare_subjects);
}

/* Add a feed to the list */
static void
add_feed(BySubject *list, const Entry *feed, size_t count)
{
	list->entries = need(realloc(list->entries, (list->count + count + 1) * sizeof(Entry *)));
	for (size_t i = 0; i < count; i++)
		list->entries[list->count++] = &feed[i];
}

static void
open_kind(const Ledger *ledger, EcertKind kind, BySubject *list)
{
	size_t		place = 0;
	size_t		count;
	size_t		all = 0;
	const Entry *feed;

	while (ledger_next_feed(ledger, kind, &place, &count) != NULL)
		all += count;
	list->entries = need(calloc(all + 1, sizeof(Entry *)));
	place = 0;
	while ((feed = ledger_next_feed(ledger, kind, &place, &count)) != NULL)
	{
		for (size_t i = 0; i < count; i++)
			list->entries[list->count++] = &feed[i];
	}
	sort_by_subject(list);
}

static int
compare_relations(const void *left, const void *right)
{
	const Relation *a = left;
	const Relation *b = right;

	if (a->applicant != b->applicant)
		return a->applicant < b->applicant ? -1 : 1;
	if (a->auditor != b->auditor)
		return a->auditor < b->auditor ? -1 : 1;
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static void
open_relations(Rules *rules)
{
	size_t		count;
	const Entry *feed = ledger_feed(rules->ledger, ledger_certifier(rules->ledger), ECERT_KIND_RELATION, &count);

	rules->relations = need(calloc(count + 1, sizeof(Relation)));
	for (size_t i = 0; i < count; i++)
	{
		Relation   *relation = &rules->relations[rules->relation_count];
		EcertPackage package;

		if (!ledger_read(rules->ledger, &feed[i], rules->buffer, &package))
			continue;
		relation->applicant = feed[i].subject;
		relation->auditor = field_id(rules->ledger, package.body, "auditor");
		relation->role = audit_role(ecert_cbor_text_at(package.body, "as"));
		relation->seq = feed[i].seq;
		(void) field_int(package.body, "from", &relation->from);
		if (!field_int(package.body, "to", &relation->to))
			relation->to = INT64_MAX;
		rules->relation_count++;
	}
	qsort(rules->relations, rules->relation_count, sizeof(Relation), compare_relations);
}

static int
compare_changes(const void *left, const void *right)
{
	const Change *a = left;
	const Change *b = right;

	if (a->certificate != b->certificate)
		return a->certificate < b->certificate ? -1 : 1;
	return (a->entry->seq > b->entry->seq) - (a->entry->seq < b->entry->seq);
}

/* Of a certificate's statuses those count that have its applicant as subject */
static void
add_change(Rules *rules, const Entry *entry)
{
	Change	   *change = &rules->changes[rules->change_count];
	uint8_t		hash[ECERT_HASH_SIZE];
	EcertPackage package;
	EcertSlice	status;

	if (!ledger_read(rules->ledger, entry, rules->buffer, &package) || !field_hash(package.body, "certificate", hash))
		return;
	change->certificate = ledger_by_hash(rules->ledger, hash);
	if (change->certificate == NULL || change->certificate->subject != entry->subject)
		return;
	change->entry = entry;
	status = ecert_cbor_text_at(package.body, "status");
	(void) snprintf(change->status, sizeof change->status, "%.*s", TEXT(status));
	rules->change_count++;
}

static void
open_changes(Rules *rules)
{
	BySubject	statuses = {NULL, 0};

	open_kind(rules->ledger, ECERT_KIND_STATUS, &statuses);
	rules->changes = need(calloc(statuses.count + 1, sizeof(Change)));
	for (size_t i = 0; i < statuses.count; i++)
		add_change(rules, statuses.entries[i]);
	qsort(rules->changes, rules->change_count, sizeof(Change), compare_changes);
	free(statuses.entries);
}

void
lookup_open(Rules *rules)
{
	size_t		count;
	const Entry *feed = ledger_feed(rules->ledger, ledger_certifier(rules->ledger), ECERT_KIND_NODE, &count);

	add_feed(&rules->nodes, feed, count);
	sort_by_subject(&rules->nodes);
	open_kind(rules->ledger, ECERT_KIND_AUDIT, &rules->audits);
	open_kind(rules->ledger, ECERT_KIND_CERTIFICATE, &rules->certificates);
	open_relations(rules);
	open_changes(rules);
}

void
lookup_close(Rules *rules)
{
	free(rules->nodes.entries);
	free(rules->audits.entries);
	free(rules->certificates.entries);
	free(rules->relations);
	free(rules->changes);
}

/* The place of the first entry that does not come before that subject and seq */
static size_t
first_of(const BySubject *list, uint32_t subject, int64_t seq)
{
	size_t		low = 0;
	size_t		high = list->count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		const Entry *entry = list->entries[middle];

		if (entry->subject < subject || (entry->subject == subject && entry->seq < seq))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const Entry *const *
of_subject(const BySubject *list, uint32_t subject, size_t *count)
{
	size_t		first = first_of(list, subject, INT64_MIN);

	*count = first_of(list, subject, INT64_MAX) - first;
	return (const Entry *const *) list->entries + first;
}

/* Genesis enrolls the certifier, or whom else it names */
static bool
genesis_state(Rules *rules, uint32_t node, EcertSlice *state)
{
	const Entry *genesis = ledger_by_hash(rules->ledger, ledger_genesis_hash(rules->ledger));
	EcertPackage package;

	return genesis != NULL && ledger_read(rules->ledger, genesis, rules->other, &package) &&
		ecert_cbor_find(package.body, "node", state) && field_id(rules->ledger, *state, "node") == node;
}

bool
node_state(Rules *rules, uint32_t node, int64_t before, EcertSlice *state)
{
	size_t		place;
	EcertPackage package;

	if (node == NO_ID)
		return false;
	place = first_of(&rules->nodes, node, before);
	if (place == 0 || rules->nodes.entries[place - 1]->subject != node)
		return genesis_state(rules, node, state);
	if (!ledger_read(rules->ledger, rules->nodes.entries[place - 1], rules->other, &package))
		return false;
	*state = package.body;
	return true;
}

bool
was_related(const Rules *rules, uint32_t auditor, uint32_t applicant, AuditRole role, int64_t at)
{
	Relation	wanted = {applicant, auditor, INT64_MAX, 0, 0, role};
	const Relation *newest = NULL;
	size_t		low = 0;
	size_t		high = rules->relation_count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (compare_relations(&rules->relations[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0)
		newest = &rules->relations[low - 1];
	return newest != NULL && newest->applicant == applicant && newest->auditor == auditor && newest->role == role &&
		at >= newest->from && at < newest->to;
}

const Change *
last_change(const Rules *rules, const Entry *certificate, const Entry *before)
{
	const Change *newest;
	size_t		low = 0;
	size_t		high = rules->change_count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		const Change *change = &rules->changes[middle];

		if (change->certificate < certificate || (change->certificate == certificate && change->entry->seq < before->seq))
			low = middle + 1;
		else
			high = middle;
	}
	newest = low > 0 && rules->changes[low - 1].certificate == certificate ? &rules->changes[low - 1] : NULL;
	for (size_t i = low; newest != NULL && i > 0 && rules->changes[i - 1].certificate == certificate &&
		 rules->changes[i - 1].entry->seq == newest->entry->seq; i--)
	{
		if (rules->changes[i - 1].entry->issuer == before->issuer)
			return &rules->changes[i - 1];
	}
	return newest;
}
