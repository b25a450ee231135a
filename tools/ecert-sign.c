/*
 * ecert-sign.c
 *		Sign packages outside the server, with the test keys that everybody
 *		knows (testkey.h): test data for ecert, from CSV files or field by field.
 */
#include "csv.h"
#include "feed.h"
#include "testkey.h"

#include "core/body.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCRATCH_SIZE (ECERT_PACKAGE_MAX + 32)

static const char usage_text[] =
	"ecert-sign makes signed packages and keys for tests of ecert.\n"
	"\n"
	"Every node has a test key made from SHA-256(\"ecert test key \" || node): not secret,\n"
	"never to be used for a real ledger.\n"
	"\n"
	"  ecert-sign key NODE              print its private key (PKCS#8 PEM)\n"
	"  ecert-sign public NODE...        print public keys (SubjectPublicKeyInfo PEM)\n"
	"  ecert-sign enrol  < node ids     print COPY text lines: node, public key PEM\n"
	"  ecert-sign energy --origin O --genesis HEX [--issued-at SECONDS]  < CSV\n"
	"  ecert-sign product --origin O --genesis HEX [--issued-at SECONDS] [--currency C]  < CSV\n"
	"                                   print COPY text lines for ledger.package (package)\n"
	"  ecert-sign sign --node N --kind K --origin O --seq N --issued-at SECONDS --body-hex HEX\n"
	"                  [--subject S] [--prev HEX | --genesis HEX] [--key FILE | --key-node N]\n"
	"                                   print one package as \\x and hex\n"
	"\n"
	"All take [--alg ed25519|es256|sm2].\n"
	"\n"
	"energy and product sign as the nodes of column producer, whose feeds start at seq 0. The\n"
	"rows of one producer and period must stand together and make one package; periods of a\n"
	"producer must not run backwards. Columns are found by name, dates are midnight UTC, digits\n"
	"of quantities are kept, issued-at is now unless given.\n"
	"  energy:  producer, period_start, period_end, energy_source or source, energy_unit or unit,\n"
	"           energy_qty or quantity, and where there are such columns product, supplier, point;\n"
	"           in a row with something in column step, quantity is a series: values with blanks\n"
	"           between them, one for each step seconds of the period\n"
	"  product: producer, period_start, period_end, product, product_unit or unit, output_qty or\n"
	"           output, qualified_qty or qualified, and where there is such a column output_value\n"
	"           or value (empty: none)\n"
	"A month without fuel is a row with quantity 0. A file that leaves such months out makes a\n"
	"feed with gaps, since only the operator can say that nothing was burnt.\n"
	"\n"
	"sign signs what it is given and checks nothing, to make bad packages. --body-hex - reads\n"
	"the hex from standard input; --subject is the node unless given; without --prev and\n"
	"--genesis the package has no prev.\n";

typedef struct Options
{
	const char *node;
	const char *kind;
	const char *subject;
	const char *origin;
	const char *genesis;
	const char *prev;
	const char *body;
	const char *key_file;
	const char *key_node;
	const char *currency;
	const char *seq;
	const char *issued_at;
	EcertAlg	alg;
} Options;

__attribute__((noreturn, format(printf, 1, 2)))
static void
die(const char *format,...)
{
	va_list		arguments;

	fprintf(stderr, "ecert-sign: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

/* ----- values of options ----- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Hex, with or without \x before it, to at most capacity bytes; the size */
static size_t
parse_hex(const char *option, const char *text, uint8_t *bytes, size_t capacity)
{
	size_t		size;

	if (strncmp(text, "\\x", 2) == 0)
		text += 2;
	size = strlen(text);
	if (size % 2 != 0 || size / 2 > capacity)
		die("%s: %zu hex digits, at most %zu and an even number can be used", option, size, capacity * 2);
	size /= 2;
	for (size_t i = 0; i < size; i++)
	{
		int			high = hex_digit(text[2 * i]);
		int			low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			die("%s: not hex: \"%.2s\"", option, text + 2 * i);
		bytes[i] = (uint8_t) (high << 4 | low);
	}
	return size;
}

static EcertSlice
parse_hash(const char *option, const char *text, uint8_t *hash)
{
	if (parse_hex(option, text, hash, ECERT_HASH_SIZE) != ECERT_HASH_SIZE)
		die("%s: a hash has 64 hex digits", option);
	return ecert_slice(hash, ECERT_HASH_SIZE);
}

static int64_t
parse_integer(const char *option, const char *text)
{
	char	   *end;
	long long	value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		die("%s: not a whole number: \"%s\"", option, text);
	return value;
}

static EcertAlg
parse_alg(const char *text)
{
	if (strcasecmp(text, "ed25519") == 0)
		return ECERT_ALG_ED25519;
	if (strcasecmp(text, "es256") == 0)
		return ECERT_ALG_ES256;
	if (strcasecmp(text, "sm2") == 0)
		return ECERT_ALG_SM2;
	die("--alg: \"%s\" is not one of ed25519, es256, sm2", text);
}

static const char *
needed(const char *option, const char *value)
{
	if (value == NULL)
		die("%s is needed; see ecert-sign --help", option);
	return value;
}

static int64_t
issued_at(const Options *options)
{
	return options->issued_at != NULL ? parse_integer("--issued-at", options->issued_at) : time(NULL);
}

/* ----- output ----- */

static void
print_hex(EcertSlice bytes)
{
	static const char digits[] = "0123456789abcdef";
	static char text[2 * ECERT_PACKAGE_MAX];

	for (size_t i = 0; i < bytes.size; i++)
	{
		text[2 * i] = digits[bytes.data[i] >> 4];
		text[2 * i + 1] = digits[bytes.data[i] & 15];
	}
	fwrite(text, 1, 2 * bytes.size, stdout);
}

/* As COPY's text format wants it */
static void
print_copy_text(const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '\n')
			fputs("\\n", stdout);
		else if (*text == '\t')
			fputs("\\t", stdout);
		else if (*text == '\\')
			fputs("\\\\", stdout);
		else
			putchar(*text);
	}
}

static void
finish_output(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die("could not write: %s", strerror(errno));
}

/* ----- keys ----- */

static void
print_public(const char *node, EcertAlg alg, bool as_copy)
{
	char		pem[TESTKEY_PEM_MAX];
	EcertCode	code = testkey_public_pem(node, alg, pem);

	if (code != ECERT_OK)
		die("key of %s: %s", node, ecert_error_text(code));
	if (!as_copy)
	{
		fputs(pem, stdout);
		return;
	}
	print_copy_text(node);
	putchar('\t');
	print_copy_text(pem);
	putchar('\n');
}

static void
command_key(const Options *options, int count, char **nodes)
{
	char		pem[TESTKEY_PEM_MAX];
	EcertCode	code;

	if (count != 1)
		die("key takes one node");
	code = testkey_pem(nodes[0], options->alg, pem);
	if (code != ECERT_OK)
		die("key of %s: %s", nodes[0], ecert_error_text(code));
	fputs(pem, stdout);
}

static void
command_public(const Options *options, int count, char **nodes)
{
	if (count == 0)
		die("public takes one node or more");
	for (int i = 0; i < count; i++)
		print_public(nodes[i], options->alg, false);
}

static void
command_enrol(const Options *options)
{
	char	   *line = NULL;
	size_t		capacity = 0;

	while (getline(&line, &capacity, stdin) >= 0)
	{
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] != '\0')
			print_public(line, options->alg, true);
	}
	free(line);
}

/* ----- one package ----- */

/* The body of --body-hex; static storage */
static EcertSlice
parse_body(const char *text)
{
	static uint8_t bytes[ECERT_PACKAGE_MAX];
	char	   *line = NULL;
	size_t		capacity = 0;
	size_t		size;

	if (strcmp(text, "-") != 0)
		return ecert_slice(bytes, parse_hex("--body-hex", text, bytes, sizeof(bytes)));
	if (getline(&line, &capacity, stdin) < 0)
		die("--body-hex -: there is nothing on standard input");
	line[strcspn(line, "\r\n")] = '\0';
	size = parse_hex("--body-hex -", line, bytes, sizeof(bytes));
	free(line);
	return ecert_slice(bytes, size);
}

static EcertPrivateKey *
signing_key(const Options *options)
{
	EcertPrivateKey *key;
	EcertCode	code;

	if (options->key_file != NULL)
		code = ecert_private_key_load(options->key_file, NULL, &key);
	else
		code = testkey_private(options->key_node != NULL ? options->key_node : options->node,
							   options->alg, &key);
	if (code != ECERT_OK)
		die("signing key: %s", ecert_error_text(code));
	return key;
}

/* Sign into static storage */
static EcertCode
sign_package(const EcertPackage *package, const EcertPrivateKey *key, EcertSlice *bytes)
{
	static uint8_t out_bytes[ECERT_PACKAGE_MAX];
	static uint8_t scratch_bytes[SCRATCH_SIZE];
	EcertBuffer out = ecert_buffer(out_bytes, sizeof(out_bytes));
	EcertCode	code;

	code = ecert_package_sign(package, key, &out, ecert_buffer(scratch_bytes, sizeof(scratch_bytes)));
	*bytes = ecert_slice(out.data, out.size);
	return code;
}

static void
command_sign(const Options *options)
{
	uint8_t		prev[ECERT_HASH_SIZE];
	EcertPackage package = {0};
	EcertPrivateKey *key;
	EcertSlice	bytes;
	EcertCode	code;

	needed("--node", options->node);
	if (!ecert_kind_from_name(ecert_slice_text(needed("--kind", options->kind)), &package.kind))
		die("--kind: \"%s\" is no kind of package", options->kind);
	package.issuer = ecert_slice_text(options->node);
	package.subject = ecert_slice_text(options->subject != NULL ? options->subject : options->node);
	package.audience = ecert_slice_text(needed("--origin", options->origin));
	package.seq = parse_integer("--seq", needed("--seq", options->seq));
	package.issued_at = issued_at(options);
	if (options->prev != NULL)
		package.prev = parse_hash("--prev", options->prev, prev);
	else if (options->genesis != NULL)
		package.prev = parse_hash("--genesis", options->genesis, prev);
	package.body = parse_body(needed("--body-hex", options->body));

	key = signing_key(options);
	code = sign_package(&package, key, &bytes);
	if (code != ECERT_OK)
		die("could not sign: %s", ecert_error_text(code));
	ecert_private_key_free(key);
	fputs("\\x", stdout);
	print_hex(bytes);
	putchar('\n');
}

/* ----- feeds from CSV ----- */

/* How far the work is, for whoever watches a terminal, and how fast it was */
typedef struct Progress
{
	struct timespec start;
	double		shown;			/* seconds after start */
	bool		on_terminal;
	uint64_t	packages;
	uint64_t	bytes;
} Progress;

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) (now.tv_sec - start->tv_sec) + (double) (now.tv_nsec - start->tv_nsec) / 1e9;
}

static void
progress_start(Progress *progress)
{
	memset(progress, 0, sizeof(*progress));
	clock_gettime(CLOCK_MONOTONIC, &progress->start);
	progress->on_terminal = isatty(STDERR_FILENO);
}

static void
progress_count(Progress *progress, size_t bytes)
{
	double		now;

	progress->packages++;
	progress->bytes += bytes;
	if (!progress->on_terminal || progress->packages % 256 != 0)
		return;
	now = seconds_since(&progress->start);
	if (now - progress->shown < 0.2)
		return;
	progress->shown = now;
	fprintf(stderr, "\r%" PRIu64 " packages, %.0f/s ", progress->packages,
			(double) progress->packages / now);
}

static void
progress_end(const Progress *progress)
{
	double		elapsed = seconds_since(&progress->start);

	fprintf(stderr, "%s%" PRIu64 " packages, %" PRIu64 " bytes, %.2f s, %.0f packages/s\n",
			progress->on_terminal ? "\r" : "", progress->packages, progress->bytes, elapsed,
			elapsed > 0 ? (double) progress->packages / elapsed : 0.0);
}

/* Columns of either file; -1 where it has none */
typedef struct Columns
{
	int			producer;
	int			start;
	int			end;
	int			source;
	int			product;
	int			unit;
	int			quantity;
	int			step;
	int			supplier;
	int			point;
	int			output;
	int			qualified;
	int			value;
} Columns;

/* One package in the making, out of the rows of one producer and period */
typedef struct Batch
{
	Csv			csv;
	Columns		columns;
	EcertKind	kind;
	const Options *options;
	int64_t		issued_at;
	Feeds		feeds;
	Progress	progress;
	char		producer[ECERT_ID_MAX + 1];
	EcertPeriod period;
	uint64_t	line_count;
	EcertBuffer lines;			/* the lines so far, without the head of their array */
	uint8_t		lines_bytes[ECERT_PACKAGE_MAX];
	uint8_t		body_bytes[ECERT_PACKAGE_MAX];
} Batch;

__attribute__((noreturn))
static void
die_at_line(const Batch *batch, const char *what, const char *text)
{
	die("line %ld: %s: \"%s\"", batch->csv.line, what, text);
}

static int
column(const Batch *batch, const char *name, const char *other)
{
	int			found = csv_column(&batch->csv, name, other);

	if (found < 0)
		die("the CSV has no column %s", name);
	return found;
}

static void
find_columns(Batch *batch)
{
	Columns    *columns = &batch->columns;
	const Csv  *csv = &batch->csv;

	columns->producer = column(batch, "producer", NULL);
	columns->start = column(batch, "period_start", NULL);
	columns->end = column(batch, "period_end", NULL);
	if (batch->kind == ECERT_KIND_ENERGY)
	{
		columns->source = column(batch, "energy_source", "source");
		columns->unit = column(batch, "energy_unit", "unit");
		columns->quantity = column(batch, "energy_qty", "quantity");
		columns->step = csv_column(csv, "step", NULL);
		columns->product = csv_column(csv, "product", NULL);
		columns->supplier = csv_column(csv, "supplier", NULL);
		columns->point = csv_column(csv, "point", NULL);
		return;
	}
	columns->product = column(batch, "product", NULL);
	columns->unit = column(batch, "product_unit", "unit");
	columns->output = column(batch, "output_qty", "output");
	columns->qualified = column(batch, "qualified_qty", "qualified");
	columns->value = csv_column(csv, "output_value", "value");
}

/* Midnight UTC of a date in seconds since 1970 (proleptic Gregorian) */
static int64_t
parse_date(const Batch *batch, const char *text)
{
	struct tm	date = {0};
	struct tm	again;
	time_t		seconds;
	int			used = 0;

	if (sscanf(text, "%4d-%2d-%2d%n", &date.tm_year, &date.tm_mon, &date.tm_mday, &used) != 3 ||
		used != 10 || text[used] != '\0')
		die_at_line(batch, "not a date like 2024-12-31", text);
	date.tm_year -= 1900;
	date.tm_mon -= 1;
	again = date;
	seconds = timegm(&again);
	/* timegm() takes the 31st of February for a day of March */
	if (again.tm_mday != date.tm_mday || again.tm_mon != date.tm_mon)
		die_at_line(batch, "no such day", text);
	return seconds;
}

static void
put_text_field(EcertBuffer *out, const char *key, const char *value)
{
	if (value[0] == '\0')
		return;
	ecert_cbor_put_text(out, ecert_slice_text(key));
	ecert_cbor_put_text(out, ecert_slice_text(value));
}

static void
put_number_field(Batch *batch, const char *key, const char *value)
{
	EcertDecimal decimal;
	EcertCode	code;

	if (value[0] == '\0')
		return;
	code = ecert_decimal_parse(ecert_slice_text(value), &decimal);
	if (code == ECERT_OVERFLOW)
		die_at_line(batch, "a number that does not fit a package", value);
	if (code != ECERT_OK)
		die_at_line(batch, "not a plain decimal number", value);
	ecert_cbor_put_text(&batch->lines, ecert_slice_text(key));
	ecert_decimal_put(&batch->lines, decimal);
}

static uint64_t
count_present(const Batch *batch, const int *fields, int count)
{
	uint64_t	present = 0;

	for (int i = 0; i < count; i++)
		present += csv_field(&batch->csv, fields[i])[0] != '\0';
	return present;
}

/* The next of the values of a series, digits kept; false at their end */
static bool
next_value(const Batch *batch, const char **text, EcertDecimal *value)
{
	size_t		size;

	*text += strspn(*text, " ");
	size = strcspn(*text, " ");
	if (size == 0)
		return false;
	if (ecert_decimal_parse(ecert_slice(*text, size), value) != ECERT_OK)
		die_at_line(batch, "not a plain decimal number that fits a package", *text);
	*text += size;
	return true;
}

/* All values of a series have the exponent of the one with the most decimals */
static void
put_series_field(Batch *batch, int64_t step, const char *values)
{
	EcertDecimal value;
	uint64_t	count = 0;
	int32_t		exponent = 0;

	for (const char *at = values; next_value(batch, &at, &value); count++)
	{
		if (value.exponent < exponent)
			exponent = value.exponent;
	}
	ecert_cbor_put_text(&batch->lines, ecert_slice_text("series"));
	ecert_cbor_put_head(&batch->lines, ECERT_CBOR_MAP, exponent != 0 ? 3 : 2);
	if (exponent != 0)
	{
		ecert_cbor_put_text(&batch->lines, ecert_slice_text("exp"));
		ecert_cbor_put_int(&batch->lines, exponent);
	}
	ecert_cbor_put_text(&batch->lines, ecert_slice_text("step"));
	ecert_cbor_put_int(&batch->lines, step);
	ecert_cbor_put_text(&batch->lines, ecert_slice_text("values"));
	ecert_cbor_put_head(&batch->lines, ECERT_CBOR_ARRAY, count);
	for (const char *at = values; next_value(batch, &at, &value);)
	{
		for (; value.exponent > exponent; value.exponent--)
		{
			if (__builtin_mul_overflow(value.mantissa, 10, &value.mantissa))
				die_at_line(batch, "a series with more digits than a package can hold", values);
		}
		ecert_cbor_put_int(&batch->lines, value.mantissa);
	}
}

/* The keys of a map go in the order of their encoded bytes: shorter ones first */
static void
put_energy_line(Batch *batch)
{
	const Columns *c = &batch->columns;
	const Csv  *csv = &batch->csv;
	const int	fields[] = {c->unit, c->point, c->source, c->product, c->quantity, c->supplier};
	const char *step = csv_field(csv, c->step);

	ecert_cbor_put_head(&batch->lines, ECERT_CBOR_MAP, count_present(batch, fields, 6));
	put_text_field(&batch->lines, "unit", csv_field(csv, c->unit));
	put_text_field(&batch->lines, "point", csv_field(csv, c->point));
	if (step[0] != '\0')
		put_series_field(batch, parse_integer("step", step), csv_field(csv, c->quantity));
	put_text_field(&batch->lines, "source", csv_field(csv, c->source));
	put_text_field(&batch->lines, "product", csv_field(csv, c->product));
	if (step[0] == '\0')
		put_number_field(batch, "quantity", csv_field(csv, c->quantity));
	put_text_field(&batch->lines, "supplier", csv_field(csv, c->supplier));
}

static void
put_product_line(Batch *batch)
{
	const Columns *c = &batch->columns;
	const Csv  *csv = &batch->csv;
	const int	fields[] = {c->unit, c->value, c->output, c->product, c->qualified};
	const char *currency = batch->options->currency;

	if (currency == NULL || csv_field(csv, c->value)[0] == '\0')
		currency = "";
	ecert_cbor_put_head(&batch->lines, ECERT_CBOR_MAP,
						count_present(batch, fields, 5) + (currency[0] != '\0'));
	put_text_field(&batch->lines, "unit", csv_field(csv, c->unit));
	put_number_field(batch, "value", csv_field(csv, c->value));
	put_number_field(batch, "output", csv_field(csv, c->output));
	put_text_field(&batch->lines, "product", csv_field(csv, c->product));
	put_text_field(&batch->lines, "currency", currency);
	put_number_field(batch, "qualified", csv_field(csv, c->qualified));
}

/* The body of the batch, checked */
static EcertSlice
batch_body(Batch *batch)
{
	EcertBuffer body = ecert_buffer(batch->body_bytes, sizeof(batch->body_bytes));
	EcertError	error;

	ecert_cbor_put_head(&body, ECERT_CBOR_MAP, 2);
	ecert_cbor_put_text(&body, ecert_slice_text("lines"));
	ecert_cbor_put_head(&body, ECERT_CBOR_ARRAY, batch->line_count);
	ecert_buffer_put(&body, ecert_slice(batch->lines.data, batch->lines.size));
	ecert_cbor_put_text(&body, ecert_slice_text("period"));
	ecert_cbor_put_head(&body, ECERT_CBOR_ARRAY, 2);
	ecert_cbor_put_int(&body, batch->period.start);
	ecert_cbor_put_int(&body, batch->period.end);
	if (!ecert_buffer_fits(&body))
		die("before line %ld: the rows of %s make a package over %d bytes", batch->csv.line,
			batch->producer, ECERT_PACKAGE_MAX);
	if (ecert_cbor_check(ecert_slice(body.data, body.size), &error) != ECERT_OK ||
		ecert_body_check(batch->kind, ecert_slice(body.data, body.size), &error) != ECERT_OK)
		die("before line %ld: package of %s: %s%s%s", batch->csv.line, batch->producer,
			ecert_error_text(error.code), error.field != NULL ? ": " : "",
			error.field != NULL ? error.field : "");
	return ecert_slice(body.data, body.size);
}

/* Sign what was gathered, print it and move the feed on */
static void
flush_batch(Batch *batch)
{
	EcertPackage package = {.kind = batch->kind};
	EcertSlice	bytes;
	Feed	   *feed;
	EcertCode	code;

	if (batch->line_count == 0)
		return;
	package.body = batch_body(batch);
	code = feeds_get(&batch->feeds, batch->producer, &feed);
	if (code != ECERT_OK)
		die("key of %s: %s", batch->producer, ecert_error_text(code));
	package.issuer = package.subject = ecert_slice_text(feed->node);
	package.audience = ecert_slice_text(batch->options->origin);
	package.issued_at = batch->issued_at;
	package.seq = feed->seq++;
	package.prev = ecert_slice(feed->prev, sizeof(feed->prev));
	code = sign_package(&package, feed->key, &bytes);
	if (code == ECERT_OK)
		code = ecert_package_hash(bytes, feed->prev);
	if (code != ECERT_OK)
		die("package of %s: %s", batch->producer, ecert_error_text(code));

	fputs("\\\\x", stdout);
	print_hex(bytes);
	putchar('\n');
	progress_count(&batch->progress, bytes.size);
	batch->line_count = 0;
	batch->lines.size = 0;
}

static void
add_row(Batch *batch)
{
	const char *producer = csv_field(&batch->csv, batch->columns.producer);
	EcertPeriod period = {
		parse_date(batch, csv_field(&batch->csv, batch->columns.start)),
		parse_date(batch, csv_field(&batch->csv, batch->columns.end))
	};

	if (!ecert_id_valid(ecert_slice_text(producer)))
		die_at_line(batch, "not a node id", producer);
	if (period.start != batch->period.start || period.end != batch->period.end ||
		strcmp(producer, batch->producer) != 0)
		flush_batch(batch);
	strcpy(batch->producer, producer);
	batch->period = period;
	if (batch->kind == ECERT_KIND_ENERGY)
		put_energy_line(batch);
	else
		put_product_line(batch);
	batch->line_count++;
}

static void
command_feed(const Options *options, EcertKind kind)
{
	static Batch batch;
	uint8_t		genesis[ECERT_HASH_SIZE];

	batch.kind = kind;
	batch.options = options;
	batch.issued_at = issued_at(options);
	batch.lines = ecert_buffer(batch.lines_bytes, sizeof(batch.lines_bytes));
	if (!ecert_id_valid(ecert_slice_text(needed("--origin", options->origin))))
		die("--origin: not an origin: \"%s\"", options->origin);
	if (feeds_init(&batch.feeds, options->alg,
				   parse_hash("--genesis", needed("--genesis", options->genesis), genesis)) != ECERT_OK)
		die("out of memory");
	if (!csv_open(&batch.csv, stdin))
		die("there is no CSV header on standard input");
	find_columns(&batch);
	progress_start(&batch.progress);
	while (csv_next(&batch.csv))
		add_row(&batch);
	if (batch.csv.problem != NULL)
		die("line %ld %s", batch.csv.line, batch.csv.problem);
	flush_batch(&batch);
	progress_end(&batch.progress);
	csv_close(&batch.csv);
	feeds_free(&batch.feeds);
}

/* ----- command line ----- */

static void
parse_options(int argc, char **argv, Options *options)
{
	static const struct option known[] = {
		{"node", required_argument, NULL, 'n'}, {"kind", required_argument, NULL, 'k'},
		{"subject", required_argument, NULL, 's'}, {"origin", required_argument, NULL, 'o'},
		{"genesis", required_argument, NULL, 'g'}, {"prev", required_argument, NULL, 'p'},
		{"body-hex", required_argument, NULL, 'b'}, {"key", required_argument, NULL, 'f'},
		{"key-node", required_argument, NULL, 'K'}, {"currency", required_argument, NULL, 'c'},
		{"seq", required_argument, NULL, 'q'}, {"issued-at", required_argument, NULL, 'i'},
		{"alg", required_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}
	};
	int			option;

	options->alg = ECERT_ALG_ED25519;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
	{
		switch (option)
		{
			case 'n': options->node = optarg; break;
			case 'k': options->kind = optarg; break;
			case 's': options->subject = optarg; break;
			case 'o': options->origin = optarg; break;
			case 'g': options->genesis = optarg; break;
			case 'p': options->prev = optarg; break;
			case 'b': options->body = optarg; break;
			case 'f': options->key_file = optarg; break;
			case 'K': options->key_node = optarg; break;
			case 'c': options->currency = optarg; break;
			case 'q': options->seq = optarg; break;
			case 'i': options->issued_at = optarg; break;
			case 'a': options->alg = parse_alg(optarg); break;
			case 'h': fputs(usage_text, stdout); exit(0);
			default: exit(2);
		}
	}
}

int
main(int argc, char **argv)
{
	Options		options = {0};
	const char *command;

	parse_options(argc, argv, &options);
	if (optind >= argc)
	{
		fputs(usage_text, stderr);
		return 2;
	}
	command = argv[optind++];
	if (strcmp(command, "key") == 0)
		command_key(&options, argc - optind, argv + optind);
	else if (strcmp(command, "public") == 0)
		command_public(&options, argc - optind, argv + optind);
	else if (strcmp(command, "enrol") == 0)
		command_enrol(&options);
	else if (strcmp(command, "sign") == 0)
		command_sign(&options);
	else if (strcmp(command, "energy") == 0)
		command_feed(&options, ECERT_KIND_ENERGY);
	else if (strcmp(command, "product") == 0)
		command_feed(&options, ECERT_KIND_PRODUCT);
	else
		die("unknown command \"%s\"; see ecert-sign --help", command);
	finish_output();
	return 0;
}
