/*
 * main.c
 *		ecert-verify: the command line, and the order of the steps.
 */
#include "verifier/verifier.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define JOBS_MAX 1024

static const char usage_text[] =
	"ecert-verify checks an ecert ledger without a database.\n"
	"\n"
	"  ecert-verify [ledger] [options] [FILE]\n"
	"  ecert-verify certificate FILE --certifier-key PEM --seal-key PEM [--origin NAME]\n"
	"  ecert-verify export-tiles DIR [options] [FILE]\n"
	"\n"
	"FILE, or standard input, is what one of these wrote:\n"
	"  COPY ledger.package (package) TO STDOUT\n"
	"  COPY ledger.package (package) TO STDOUT (FORMAT binary)\n"
	"Rows may be in any order.\n"
	"\n"
	"ledger: check every package, every feed, every checkpoint, every certificate\n"
	"  --genesis HASH        the ledger's id that you trust: hash of its genesis package\n"
	"  --certifier-key PEM   instead: file with the certifier's first public key\n"
	"  --receipt FILE        a receipt or transparent statement that must fit the ledger\n"
	"  --checkpoint FILE     an older checkpoint that the ledger must continue: a checkpoint\n"
	"                        package (raw or hexadecimal) or a C2SP note\n"
	"  --jobs N              threads; all processors unless given\n"
	"  --json                one JSON document instead of text\n"
	"  --all                 show every problem, not only the first 20\n"
	"  --quiet               say nothing but why the ledger could not be checked\n"
	"  --no-progress         no progress line, also on a terminal\n"
	"\n"
	"certificate: check one statement that ecert.transparent() gave, raw or hexadecimal\n"
	"  --certifier-key PEM   file with the public key that the certificate must be signed with\n"
	"  --seal-key PEM        file with the public key that the receipt must be signed with\n"
	"  --origin NAME         the ledger that it must be of\n"
	"\n"
	"export-tiles: the log as files of C2SP tlog-tiles in DIR, if its checkpoints verify\n"
	"\n"
	"Exit status: 0 valid, 1 invalid, 2 could not be checked.\n";

static void __attribute__((noreturn, format(printf, 1, 2)))
usage_error(const char *format,...)
{
	va_list		arguments;

	fputs("ecert-verify: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("\necert-verify --help tells more\n", stderr);
	exit(EXIT_NOT_CHECKED);
}

static unsigned
parse_jobs(const char *text)
{
	char	   *end;
	long		jobs = strtol(text, &end, 10);

	if (end == text || *end != '\0' || jobs < 1 || jobs > JOBS_MAX)
		usage_error("--jobs: not a number from 1 to %d: \"%s\"", JOBS_MAX, text);
	return (unsigned) jobs;
}

/* 64 digits, with or without \x */
static const uint8_t *
parse_genesis(const char *text)
{
	static uint8_t hash[ECERT_HASH_SIZE];

	if (strncmp(text, "\\x", 2) == 0)
		text += 2;
	if (strlen(text) != 2 * ECERT_HASH_SIZE || !hex_bytes(ecert_slice_text(text), hash))
		usage_error("--genesis: a hash has 64 hexadecimal digits");
	return hash;
}

static void
parse_options(int argc, char **argv, Options *options)
{
	static const struct option known[] = {
		{"genesis", required_argument, NULL, 'g'}, {"certifier-key", required_argument, NULL, 'c'}, {"seal-key", required_argument, NULL, 's'},
		{"receipt", required_argument, NULL, 'r'}, {"checkpoint", required_argument, NULL, 'k'},
		{"jobs", required_argument, NULL, 'j'}, {"origin", required_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'J'}, {"all", no_argument, NULL, 'a'},
		{"quiet", no_argument, NULL, 'q'}, {"no-progress", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0}
	};
	int			option;

	options->jobs = get_nprocs() < JOBS_MAX ? (unsigned) get_nprocs() : JOBS_MAX;
	options->receipts = need(calloc((size_t) argc, sizeof *options->receipts));
	options->checkpoints = need(calloc((size_t) argc, sizeof *options->checkpoints));
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
	{
		switch (option)
		{
			case 'g': options->genesis = parse_genesis(optarg); break;
			case 'c': options->certifier_key = optarg; break;
			case 's': options->seal_key = optarg; break;
			case 'r': options->receipts[options->receipt_count++] = optarg; break;
			case 'k': options->checkpoints[options->checkpoint_count++] = optarg; break;
			case 'j': options->jobs = parse_jobs(optarg); break;
			case 'o': options->origin = optarg; break;
			case 'J': options->json = true; break;
			case 'a': options->all = true; break;
			case 'q': options->quiet = true; break;
			case 'p': options->no_progress = true; break;
			case 'h': fputs(usage_text, stdout); exit(EXIT_VALID);
			case 'v': puts("ecert-verify " VERIFIER_VERSION); exit(EXIT_VALID);
			default: exit(EXIT_NOT_CHECKED);
		}
	}
}

/* Was genesis signed with the key that the reader trusts? */
static void
check_certifier_key(Ledger *ledger)
{
	const char *name = ledger->options->certifier_key;
	const Entry *genesis = ledger->registry.genesis;
	EcertKeyFacts key;
	const char *fault = name == NULL ? NULL : file_key(arena_memory(&ledger->memory), name, &key);

	if (fault != NULL)
		ledger_error(ledger, "could not read the certifier's key \"%s\": %s", name, fault);
	else if (name != NULL && (genesis->key == NO_KEY || memcmp(ledger->registry.keys[genesis->key]->facts.kid, key.kid, sizeof key.kid) != 0))
		ledger_problem(ledger, genesis, "genesis package is not signed with the certifier's key that was given");
}

/* What no program can find out from the packages */
static void
say_what_is_not_checked(Ledger *ledger)
{
	if (!ledger->registry.has_genesis)
		return;
	if (ledger->options->genesis == NULL && ledger->options->certifier_key == NULL)
		ledger_not_checked(ledger, "whether this is the ledger you mean: its genesis was not compared with anything (--genesis, --certifier-key)");
	if (ledger->counts.tree_size == 0)
		ledger_not_checked(ledger, "whether packages at the ends of the feeds were left out: there is no checkpoint, or none that is right, which says how far they reach");
	else
		ledger_not_checked(ledger, "whether packages that came after the last checkpoint (of %llu packages) were left out",
						   (unsigned long long) ledger->counts.tree_size);
	if (ledger->options->checkpoint_count == 0 && ledger->counts.cosignatures == 0)
		ledger_not_checked(ledger, "whether others are shown another ledger of this name: no checkpoint was kept from before (--checkpoint), and none has a witness's cosignature");
	ledger_not_checked(ledger, "whether the figures are those at the meters and in the workshops");
	ledger_not_checked(ledger, "whether the clocks of the issuers were right, beyond the order in their feeds");
	ledger_not_checked(ledger, "whether a key was used by somebody who stole it before it was revoked");
	ledger_not_checked(ledger, "whether the auditors' statements fit their own records, which are private");
}

static void
check_ledger(Ledger *ledger, int input)
{
	double		began = seconds_now();

	ledger_load(ledger, input);
	if (ledger->spool >= 0)
	{
		progress_step(ledger, "keys", 0, false);
		ledger_sort(ledger);
		registry_build(ledger);
	}
	if (ledger->registry.has_genesis)
	{
		check_certifier_key(ledger);
		check_packages(ledger);
		progress_step(ledger, "checkpoints", ledger->count, false);
		check_checkpoints(ledger);
		check_seal_times(ledger);
		check_issuers(ledger);
		check_feeds(ledger);
		progress_step(ledger, "rules", 0, false);
		check_rules(ledger);
	}
	say_what_is_not_checked(ledger);
	ledger->counts.seconds = seconds_now() - began;
}

static int
open_input(const char *name)
{
	int			input;

	if (name == NULL || strcmp(name, "-") == 0)
		return STDIN_FILENO;
	input = open(name, O_RDONLY | O_CLOEXEC);
	if (input < 0)
	{
		fprintf(stderr, "ecert-verify: could not open \"%s\": %s\n", name, strerror(errno));
		exit(EXIT_NOT_CHECKED);
	}
	return input;
}

static int
ledger_command(const Options *options)
{
	static Ledger ledger;
	int			input = open_input(options->file);
	int			status;

	ledger_init(&ledger, options);
	progress_start(&ledger);
	check_ledger(&ledger, input);
	progress_end();
	report_print(&ledger);
	status = ledger_exit_status(&ledger);
	ledger_free(&ledger);
	close(input);
	return status;
}

/* The one file that a command may still have; standard input when there is none */
static const char *
last_argument(int argc, char **argv, int at)
{
	if (at + 1 < argc)
		usage_error("there is one file at most, not also \"%s\"", argv[at + 1]);
	return at < argc ? argv[at] : NULL;
}

static int
run_command(int argc, char **argv, Options *options)
{
	const char *command = optind < argc ? argv[optind] : "";
	int			at = optind;

	if (strcmp(command, "certificate") == 0)
	{
		options->file = last_argument(argc, argv, at + 1);
		if (options->file == NULL || options->certifier_key == NULL || options->seal_key == NULL)
			usage_error("certificate needs a file, --certifier-key and --seal-key");
		return certificate_command(options);
	}
	if (strcmp(command, "export-tiles") == 0)
	{
		if (at + 1 >= argc)
			usage_error("export-tiles needs a folder");
		options->tiles = argv[at + 1];
		at += 2;
	}
	else if (strcmp(command, "ledger") == 0)
		at++;
	options->file = last_argument(argc, argv, at);
	return ledger_command(options);
}

int
main(int argc, char **argv)
{
	Options		options = {0};
	int			status;

	parse_options(argc, argv, &options);
	status = run_command(argc, argv, &options);
	free(options.receipts);
	free(options.checkpoints);
	ecert_crypto_thread_end();
	if (fflush(stdout) != 0 || ferror(stdout))
	{
		fprintf(stderr, "ecert-verify: could not write: %s\n", strerror(errno));
		return EXIT_NOT_CHECKED;
	}
	return status;
}
