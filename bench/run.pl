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

my $plain_columns = '(issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)';

sub copy_binary
{
	return "COPY ledger.package (package) FROM '$_[0]' (FORMAT binary)";
}

# COPY of a set of packages into a ledger, a plain table and the usual recipe, and bare verification of the same: slice by slice, all in turn
sub copy_set
{
	my ($name, %of) = @_;
	my $slices = $size{slices};
	my ($count, $bytes) = packages($name, %of, days => $of{packages} * $slices / 100 + 1, slices => $slices);
	my $parameter = ($of{algorithm} // 'ed25519') . ', ' . ($of{lines} // 1) . ' line' . (($of{lines} // 1) > 1 ? 's' : '') . ", $bytes bytes";
	my %session = map { fresh_ledger($_); ($_ => session($_)) } qw(copied copied_text);
	$_->run(copy_binary("$home/$name.first")) for values %session;
	$_->run('CHECKPOINT') for values %session;
	my %case = (
		'ecert, binary COPY' => [ copied => sub { copy_binary(slice($name, 'bin', $_[0])) } ],
		'ecert, text COPY' => [ copied_text => sub { "COPY ledger.package (package) FROM '" . slice($name, 'text', $_[0]) . "'" } ],
		'plain table' => [ copied => sub { "COPY bench.plain $plain_columns FROM '" . slice($name, 'plain', $_[0]) . "' (FORMAT binary)" } ],
		'usual recipe' => [ copied => sub { "COPY bench.chained $plain_columns FROM '" . slice($name, 'plain', $_[0]) . "' (FORMAT binary)" } ],
	);
	for my $number (1 .. $slices)
	{
		bare($parameter, $number, slice($name, 'text', $number));
		measure($session{ $case{$_}[0] }, $_, $parameter, $number, $count, 'package', $case{$_}[1]->($number)) for sort keys %case;
	}
	forget($name);
	return;
}

# By algorithm, and by size of the package
sub measure_copy
{
	my $number = $size{copied};
	# one of SM2 takes as long as six, one of 145 lines as three
	copy_set('ed25519', packages => $number);
	copy_set('es256', packages => $number, algorithm => 'es256');
	copy_set('sm2', packages => $number / 5, algorithm => 'sm2');
	copy_set('lines15', packages => $number, lines => 15);
	copy_set('lines145', packages => $number / 5, lines => 145);
	return;
}

# All of them in one COPY statement, whose memory is not to grow either
sub measure_one_statement
{
	my ($total) = @_;
	fresh_ledger('growing');
	# in the order in which they were signed, which the slices' names are not
	run_command('sh', '-c', "cat '$home/growth.text'.* > '$home/growth.one'");
	query('growing', 'CREATE UNLOGGED TABLE bench.signed (package ecert.package)', "COPY bench.signed FROM '$home/growth.one'",
		"COPY (SELECT package FROM bench.signed ORDER BY ecert.seq(package), ecert.issuer(package)) TO '$home/growth.one' (FORMAT binary)", 'DROP TABLE bench.signed');
	my $session = session('growing');
	$session->run(copy_binary("$home/growth.first"));
	$session->run('CHECKPOINT');
	measure($session, 'ecert, binary COPY', 'one statement of ' . grouped($total), 1, $total, 'package', copy_binary("$home/growth.one"));
	return;
}

# By number of packages in one transaction: it is put together of COPY statements of a thousand, of which the last tenth counts
sub measure_growth
{
	my @counts = @{ $size{counts} };
	# the smaller ones again and again, so that there is as much to choose from
	my %times = map { ($_ => $_ == $counts[-1] ? 1 : $_ <= 1000 ? 20 : $_ <= 10_000 ? 5 : 1) } @counts;
	my $total = 0;
	$total += $_ * $times{$_} for @counts;
	packages('growth', days => $total / 100 + 1, slices => $total / 1000);
	fresh_ledger('growing');
	my ($ecert, $plain) = map { session('growing') } 1, 2;
	$ecert->run(copy_binary("$home/growth.first"));
	$ecert->run('CHECKPOINT');
	my $at = 0;
	for my $count (@counts)
	{
		my $last = $count / 1000;
		for my $repetition (1 .. $times{$count})
		{
			$_->run('BEGIN') for $ecert, $plain;
			for my $number (1 .. $last)
			{
				$at++;
				my ($ours, $theirs) = (copy_binary(slice('growth', 'bin', $at)), "COPY bench.plain $plain_columns FROM '" . slice('growth', 'plain', $at) . "' (FORMAT binary)");
				if ($number <= 0.9 * $last)
				{
					$ecert->run($ours);
					$plain->run($theirs);
					next;
				}
				bare($count, $at, slice('growth', 'text', $at));
				measure($ecert, 'ecert, binary COPY', $count, $at, 1000, 'package', $ours);
				measure($plain, 'plain table', $count, $at, 1000, 'package', $theirs);
			}
			$_->run('COMMIT') for $ecert, $plain;
		}
	}
	($ecert, $plain) = ();
	measure_one_statement($total);
	forget('growth');
	return;
}

# ecert.verify_ledger() by one process and by two, beside bare verification by as many
sub measure_verify
{
	for my $of (@{ $size{verify} })
	{
		my ($number, $times) = @$of;
		packages("n$number", days => $number / 100 + 1, slices => 2);
		my $database = ledger_with("n$number");
		my $stored = query($database, 'SELECT count(*) FROM ledger.package');
		my @halves = map { slice("n$number", 'text', $_) } 1, 2;
		run_command('sh', '-c', "cat '$halves[0]' '$halves[1]' > '$home/n$number.whole'");
		my @cases;
		for my $processes (1, 2)
		{
			my $parameter = "$number packages; $processes " . ($processes == 1 ? 'process' : 'processes');
			push @cases, sub { bare($parameter, $_[0], $processes == 1 ? "$home/n$number.whole" : @halves) }, sub {
				my $session = session($database, 'max_parallel_workers_per_gather = ' . ($processes - 1));
				measure($session, 'verify_ledger', $parameter, $_[0], $stored, 'package', 'CALL ecert.verify_ledger()');
				die "the ledger does not verify\n" if query($database, 'SELECT problem_count FROM ledger.verification ORDER BY id DESC LIMIT 1') ne '0';
			};
		}
		repeat_all($times, @cases);
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
