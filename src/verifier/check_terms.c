/*
 * check_terms.c
 *		A certificate's number, what it replaces, how long it is valid, the
 *		audits that it names, and what stood against it.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "verifier/rule_certificate.h"

#define DAY_SECONDS 86400

/* ----- number, replaces, valid: ecert.check_terms() ----- */

/* EC-<year of the statistics period>-<seq + 1>, like SQL's lpad() in six characters */
static const char *
certificate_number(const Certificate *certificate, Arena *arena)
{
	char	   *text = arena_alloc(arena, 64);
	char		digits[24];

	(void) snprintf(digits, sizeof digits, "%06" PRId64, certificate->it->entry->seq + 1);
	(void) snprintf(text, 64, "EC-%d-%.6s", year_of(certificate->period.start), digits);
	return text;
}

/*
 * The newest certificate before this one for an overlapping period, which it
 * replaces; NULL when it is the first.  Of two with one seq, which feeds of
 * several issuers may have, that of this issuer.
 */
static const Entry *
certificate_before(const Certificate *certificate)
{
	const Entry *entry = certificate->it->entry;
	const Entry *newest = NULL;
	size_t		count = 0;
	const Entry *const *all = certificate->applicant->id == NO_ID ? NULL :
		of_subject(&certificate->it->rules->certificates, certificate->applicant->id, &count);

	for (; count > 0 && (newest == NULL || all[count - 1]->seq == newest->seq); count--)
	{
		const Entry *other = all[count - 1];

		if (other->seq < entry->seq && other->period.start < other->period.end &&
			periods_overlap(other->period, certificate->period) && (newest == NULL || other->issuer == entry->issuer))
			newest = other;
	}
	return newest;
}

/* [start, start + the policy's days], start as it is stated */
static Value *
valid_value(Arena *arena, int64_t start, int64_t end)
{
	Value	   *valid = value_new(arena, VALUE_ARRAY);

	value_put(valid, NULL, value_int(arena, start));
	value_put(valid, NULL, value_int(arena, end));
	return valid;
}

static Value *
replaces_value(const Certificate *certificate, Arena *arena)
{
	const Entry *before = certificate_before(certificate);
	char	   *hash = arena_alloc(arena, HEX_ROOM);

	return before == NULL ? value_new(arena, VALUE_NULL) : value_text(arena, ecert_slice_text(text_hash(before->hash, hash)));
}

static bool
say_terms(const Certificate *certificate, const Difference *difference)
{
	SAY(certificate->it, "certificate states another \"%s\" than its place in the feed and the policy give (%s)", difference->path,
		difference_text(certificate, difference, "expected", 0));
	return false;
}

/* A day to either side: the clocks of what makes the body and of what signs it */
static bool
check_start(const Certificate *certificate, Difference *difference, int64_t start, EcertSlice stated)
{
	int64_t		issued_at = certificate->it->entry->issued_at;

	if (start - issued_at <= DAY_SECONDS && issued_at - start <= DAY_SECONDS)
		return true;
	(void) snprintf(difference->path, sizeof difference->path, "valid.0");
	difference->expected = value_int(&certificate->it->rules->arena, issued_at);
	difference->stated = stated;
	return say_terms(certificate, difference);
}

bool
check_terms(const Certificate *certificate)
{
	Arena	   *arena = &certificate->it->rules->arena;
	Value	   *expected = value_new(arena, VALUE_MAP);
	Difference	difference;
	EcertPeriod valid;
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(certificate->body, "valid", &count);
	int64_t		seconds;
	int64_t		end;

	(void) field_period(certificate->body, "valid", &valid);
	if (__builtin_mul_overflow(certificate->policy->valid_days, (int64_t) DAY_SECONDS, &seconds) ||
		__builtin_add_overflow(valid.start, seconds, &end))
	{
		SAY(certificate->it, "bigint out of range");
		return false;
	}
	value_put(expected, "number", value_text(arena, ecert_slice_text(certificate_number(certificate, arena))));
	value_put(expected, "replaces", replaces_value(certificate, arena));
	value_put(expected, "valid", valid_value(arena, valid.start, end));
	first_difference(expected, certificate->body, &difference);
	if (difference.path[0] != '\0')
		return say_terms(certificate, &difference);
	return check_start(certificate, &difference, valid.start, ecert_cbor_skip(&cursor));
}

/* ----- audits: ecert.check_audits() ----- */

/* The audits that a certificate names and that bear it out */
typedef struct Named
{
	const Audit **audits;
	size_t		count;
} Named;

static bool
read_named(const Certificate *certificate, Named *named)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(certificate->body, "audits", &count);

	named->audits = arena_alloc(&certificate->it->rules->arena, (count + 1) * sizeof(Audit *));
	for (named->count = 0; named->count < count; named->count++)
	{
		EcertSlice	text = {NULL, 0};
		uint8_t		hash[ECERT_HASH_SIZE];
		const Audit *audit = NULL;

		if (ecert_cbor_text(ecert_cbor_skip(&cursor), &text) && ecert_hex_to_hash(text, hash))
			audit = applicant_audit(certificate->applicant, hash);
		if (audit == NULL || !audit->passed || audit_void(certificate->applicant, audit, certificate->energy_last, certificate->product_last))
		{
			SAY(certificate->it, "the certificate names an audit that does not bear it out (%.*s is no passing, not void audit of \"%.*s\".)",
				TEXT(text), TEXT(certificate->name));
			return false;
		}
		named->audits[named->count] = audit;
	}
	return true;
}

static bool
covers(const Audit *audit, EcertKind kind, const Entry *package)
{
	if (!period_within(package->period, audit->entry->period))
		return false;
	for (size_t i = 0; i < audit->range_count; i++)
	{
		if (audit->ranges[i].kind == kind && package->seq >= audit->ranges[i].first && package->seq <= audit->ranges[i].last)
			return true;
	}
	return false;
}

static bool
counted_before(const Named *named, size_t place, AuditRole role, EcertKind kind, const Entry *package)
{
	for (size_t i = 0; i < place; i++)
	{
		if (named->audits[i]->entry->issuer == named->audits[place]->entry->issuer && named->audits[i]->role == role &&
			covers(named->audits[i], kind, package))
			return true;
	}
	return false;
}

/* Has a package audits by so many auditors in a role */
static bool
is_covered(const Named *named, AuditRole role, int64_t required, EcertKind kind, const Entry *package)
{
	int64_t		auditors = 0;

	for (size_t i = 0; i < named->count && auditors < required; i++)
	{
		if (named->audits[i]->role == role && covers(named->audits[i], kind, package) && !counted_before(named, i, role, kind, package))
			auditors++;
	}
	return auditors >= required;
}

/* How many live packages of a period are not covered: ecert.uncovered_packages() */
static int64_t
count_uncovered(const Certificate *certificate, const Named *named, const Required *required, EcertKind kind, EcertPeriod within)
{
	LiveWalk	walk = live_begin(applicant_timeline(certificate->applicant, kind), within,
								  kind == ECERT_KIND_ENERGY ? certificate->energy_last : certificate->product_last);
	const Entry *live;
	int64_t		count = 0;

	while ((live = live_next(&walk)) != NULL)
		count += !is_covered(named, required->role, required->count, kind, live);
	return count;
}

static bool
check_kind_covered(const Certificate *certificate, const Named *named, const Required *required, EcertKind kind)
{
	int64_t		count = role_reads(required->role, kind) ?
		count_uncovered(certificate, named, required, kind, certificate->baseline) +
		count_uncovered(certificate, named, required, kind, certificate->period) : 0;

	if (count == 0)
		return true;
	SAY(certificate->it, "the audits that the certificate names do not cover its packages (%" PRId64 " %s packages lack %" PRId64 " passing %s audit(s).)",
		count, ecert_kind_name(kind), required->count, audit_role_name(required->role));
	return false;
}

bool
check_named_audits(const Certificate *certificate)
{
	const Policy *policy = certificate->policy;
	uint64_t	count;
	Named		named;

	(void) ecert_cbor_items_at(certificate->body, "audits", &count);
	if ((count > 0 || policy->required_count > 0) && certificate->applicant->has_impossible_range)
	{
		SAY(certificate->it, IMPOSSIBLE_RANGE);
		return false;
	}
	if (!read_named(certificate, &named))
		return false;
	for (size_t i = 0; i < policy->required_count; i++)
	{
		if (!check_kind_covered(certificate, &named, &policy->required[i], ECERT_KIND_ENERGY) ||
			!check_kind_covered(certificate, &named, &policy->required[i], ECERT_KIND_PRODUCT))
			return false;
	}
	return true;
}

/* ----- obstacles: ecert.check_obstacles() ----- */

__attribute__((format(printf, 2, 3)))
static bool
say_obstacle(const Certificate *certificate, const char *format,...)
{
	char		period[PERIOD_ROOM];
	char	   *detail = NULL;
	va_list		arguments;
	int			size;

	va_start(arguments, format);
	size = vasprintf(&detail, format, arguments);
	va_end(arguments);
	SAY(certificate->it, "\"%.*s\" cannot be certified for %s (%s.)", TEXT(certificate->name),
		period_text(certificate->period, period), size < 0 ? "" : detail);
	free(size < 0 ? NULL : detail);
	return false;
}

static void
put_gap(FILE *out, int64_t start, int64_t end, bool *any)
{
	EcertPeriod gap = {start, end};
	char		text[PERIOD_ROOM];

	if (start >= end)
		return;
	fprintf(out, "%s%s", *any ? "," : "", period_text(gap, text));
	*any = true;
}

/* The parts of a period that no package covers, as a multirange is printed; NULL when there are none: ecert.coverage_gaps() */
static char *
gaps_text(const Certificate *certificate, EcertKind kind, EcertPeriod within)
{
	LiveWalk	walk = live_begin(applicant_timeline(certificate->applicant, kind), within,
								  kind == ECERT_KIND_ENERGY ? certificate->energy_last : certificate->product_last);
	int64_t		covered = within.start;
	bool		any = false;
	char	   *text = NULL;
	size_t		size;
	FILE	   *out = open_memstream(&text, &size);
	const Entry *live;

	if (out == NULL)
		return NULL;
	putc('{', out);
	while ((live = live_next(&walk)) != NULL)
	{
		put_gap(out, covered, live->period.start, &any);
		covered = live->period.end > covered ? live->period.end : covered;
	}
	put_gap(out, covered, within.end, &any);
	putc('}', out);
	(void) fclose(out);
	if (any)
		return text;
	free(text);
	return NULL;
}

static bool
check_coverage(const Certificate *certificate, const char *name, EcertKind kind, EcertPeriod within)
{
	char	   *gaps = gaps_text(certificate, kind, within);

	if (gaps == NULL)
		return true;
	(void) say_obstacle(certificate, "%s_not_covered: %s packages are missing for %s", name, ecert_kind_name(kind), gaps);
	free(gaps);
	return false;
}

/* Of the products as stated, which are as recomputed by now */
static bool
check_statuses(const Certificate *certificate)
{
	uint64_t	count;
	EcertCursor cursor = ecert_cbor_items_at(certificate->body, "products", &count);
	EcertSlice	saving = field_item(field_item(certificate->body, "totals"), "saving_kgce");
	EcertDecimal number;

	while (count-- > 0)
	{
		EcertSlice	item = ecert_cbor_skip(&cursor);
		EcertSlice	status = ecert_cbor_text_at(item, "status");
		EcertSlice	product = ecert_cbor_text_at(item, "product");

		if (!ecert_slice_equal(status, ecert_slice_text("ok")) && !ecert_slice_equal(status, ecert_slice_text("no_baseline")))
			return say_obstacle(certificate, "%.*s: product \"%.*s\"", TEXT(status), TEXT(product));
	}
	if (ecert_decimal_read(saving, &number) != ECERT_OK)
		return say_obstacle(certificate, "no_baseline: nothing can be assessed");
	return true;
}

bool
check_obstacles(const Certificate *certificate)
{
	EcertPeriod period = certificate->period;
	EcertPeriod baseline = certificate->baseline;
	char		text[PERIOD_ROOM];
	char		other[PERIOD_ROOM];

	if (period.end > certificate->it->entry->issued_at)
		return say_obstacle(certificate, "period_not_over: the statistics period ends at %s", text_time(period.end, text));
	if (periods_overlap(period, baseline))
		return say_obstacle(certificate, "periods_overlap: statistics period %s, baseline %s", period_text(period, text), period_text(baseline, other));
	return check_coverage(certificate, "baseline", ECERT_KIND_ENERGY, baseline) &&
		check_coverage(certificate, "baseline", ECERT_KIND_PRODUCT, baseline) &&
		check_coverage(certificate, "period", ECERT_KIND_ENERGY, period) &&
		check_coverage(certificate, "period", ECERT_KIND_PRODUCT, period) &&
		check_statuses(certificate);
}
