# The measurements; bench/run.sh runs it and says what it takes. Each section measures its cases in turn, repetition by repetition.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Bench;
use Bench::Large;
use Bench::Pgbench;
use Bench::Plants;
use Bench::Reading;
use Bench::Sealing;

my %sections = (
	copy => \&measure_copy, growth => \&measure_growth, commits => \&Bench::Pgbench::measure_commits, readings => \&Bench::Reading::measure_readings,
	verify => \&measure_verify, checkpoint => \&Bench::Sealing::measure_sealing, aggregate => \&Bench::Reading::measure_aggregates, assess => \&Bench::Plants::measure_assess,
	hypercore => \&measure_hypercore, large => \&Bench::Large::measure_large,
);
$| = 1;

# COPY of a set of packages into a ledger, a plain table and the usual recipe, and bare verification of the same
sub copy_cases
{
	my ($name, $parameter, $count) = @_;
	my $load = sub {
		my ($repetition, $case, $sql, $keep) = @_;
		fresh_ledger('copied');
		my $session = session('copied');
		$session->run("COPY ledger.package (package) FROM '$home/$name.first' (FORMAT binary)");
		$session->run('CHECKPOINT');
		measure($session, $case, $parameter, $repetition, $count, 'package', $sql);
		return;
	};
	my $plain_columns = '(issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)';
	return (
		sub { bare($name, $parameter, $_[0]) },
		sub { $load->($_[0], 'ecert, binary COPY', "COPY ledger.package (package) FROM '$home/$name.bin' (FORMAT binary)") },
		sub { $load->($_[0], 'ecert, text COPY', "COPY ledger.package (package) FROM '$home/$name.text'") },
		sub { $load->($_[0], 'plain table', "COPY bench.plain $plain_columns FROM '$home/$name.plain' (FORMAT binary)") },
		sub { $load->($_[0], 'usual recipe', "COPY bench.chained $plain_columns FROM '$home/$name.plain' (FORMAT binary)") });
}

# By algorithm, and by size of the package
sub measure_copy
{
	for my $algorithm (qw(ed25519 es256 sm2))
	{
		# one of SM2 takes as long as six
		my $number = $algorithm eq 'sm2' ? $size{algorithms} / 4 : $size{algorithms};
		my ($count, $bytes) = packages($algorithm, algorithm => $algorithm, days => $number / 100 + 1);
		repeat_all($repeats, copy_cases($algorithm, "$algorithm, 1 line, $bytes bytes", $count));
		forget($algorithm);
	}
	for my $lines (15, 145)
	{
		my ($count, $bytes) = packages("lines$lines", lines => $lines, days => $size{sizes} / 100 + 1);
		repeat_all($repeats, copy_cases("lines$lines", "ed25519, $lines lines, $bytes bytes", $count));
		forget("lines$lines");
	}
	return;
}

# By number of packages in one transaction; what is short is repeated more often
sub measure_growth
{
	for my $number (@{ $size{counts} })
	{
		my ($count) = packages("n$number", days => $number / 100 + 1);
		my @cases = copy_cases("n$number", $number, $count);
		repeat_all($number <= 1000 ? 5 * $repeats : $number >= 1_000_000 && $repeats > 2 ? 2 : $repeats, @cases[ 0, 1, 3 ]);
	}
	return;
}

# ecert.verify_ledger() by one process and by two, beside bare verification by as many
sub measure_verify
{
	for my $number (@{ $size{verify} })
	{
		my ($count) = packages("n$number", days => $number / 100 + 1);
		my $database = ledger_with("n$number");
		my $stored = query($database, 'SELECT count(*) FROM ledger.package');
		my @cases;
		for my $processes (1, 2)
		{
			my $parameter = "$number packages; $processes " . ($processes == 1 ? 'process' : 'processes');
			push @cases, sub { bare("n$number", $parameter, $_[0], $processes) }, sub {
				my $session = session($database, 'max_parallel_workers_per_gather = ' . ($processes - 1));
				measure($session, 'verify_ledger', $parameter, $_[0], $stored, 'package', 'CALL ecert.verify_ledger()');
				die "the ledger does not verify\n" if query($database, 'SELECT problem_count FROM ledger.verification ORDER BY id DESC LIMIT 1') ne '0';
			};
		}
		repeat_all($repeats, @cases);
	}
	return;
}

# ---- hypercore ----

# npm's append-only log over the bytes of the same packages
sub measure_hypercore
{
	if ($ENV{HYPERCORE} eq '')
	{
		note('skipped: node, npm or its registry is not here');
		return;
	}
	packages('blocks', days => $size{blocks} / 100);
	for my $repetition (1 .. $repeats)
	{
		for my $line (split /\n/, run_command('node', "$ENV{HYPERCORE}/measure.mjs", "$home/blocks.txt", "$home/hypercore"))
		{
			my ($case, $us) = split /,/, $line;
			record($case, "$size{blocks} packages", $repetition, $us, 'us/package');
			note("$case: $us us a package ($repetition)");
		}
	}
	forget('blocks');
	return;
}

for my $name (@ARGV)
{
	begin_section($name);
	my $began = time;
	if (!eval { $sections{$name}->(); 1 })
	{
		print STDERR "$name: $@";
		exit 1;
	}
	note("$name took ", time - $began, ' s');
}
