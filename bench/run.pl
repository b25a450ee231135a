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
	copy => \&measure_copy, growth => \&measure_growth, commits => \&Bench::Pgbench::measure_commits, moved => \&Bench::Pgbench::measure_moved, readings => \&Bench::Reading::measure_readings,
	verify => \&measure_verify, checkpoint => \&Bench::Sealing::measure_sealing, aggregate => \&Bench::Reading::measure_aggregates, assess => \&Bench::Plants::measure_assess,
	hypercore => \&measure_hypercore, large => \&Bench::Large::measure_large,
);
$| = 1;

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
		'ecert, text COPY' => [ copied_text => sub { copy_text(slice($name, 'text', $_[0])) } ],
		'plain table' => [ copied => sub { copy_plain('plain', slice($name, 'plain', $_[0])) } ],
		'usual recipe' => [ copied => sub { copy_plain('chained', slice($name, 'plain', $_[0])) } ],
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

# As many in one COPY statement, which takes the time and the memory of all of them together
sub measure_one_statement
{
	my ($number) = @_;
	my $parameter = 'one statement of ' . grouped($number);
	fresh_ledger('growing');
	my $session = session('growing');
	$session->run('CHECKPOINT');
	run_command('sh', '-c', "head -n $number '$home/growth.txt' > '$home/growth.one'");
	my $took = measure($session, 'ecert, text COPY', $parameter, 1, $number, 'package', copy_text("$home/growth.one"));
	record('ecert, text COPY', $parameter, 1, $took->{milliseconds} / 1000, 's');
	return;
}

# The next slices of a set into a ledger and into a plain table beside it, and bare verification between them; those that are only
# to be there are not measured
sub grow
{
	my ($ecert, $plain, $count, $at, $is_measured) = @_;
	my ($ours, $theirs) = (copy_binary(slice('growth', 'bin', $at)), copy_plain('plain', slice('growth', 'plain', $at)));
	if (!$is_measured)
	{
		$ecert->run($ours);
		$plain->run($theirs);
		return;
	}
	bare($count, $at, slice('growth', 'text', $at));
	measure($ecert, 'ecert, binary COPY', $count, $at, 1000, 'package', $ours);
	measure($plain, 'plain table', $count, $at, 1000, 'package', $theirs);
	return;
}

# By number of packages in one transaction: it is put together of COPY statements of a thousand, of which the last fifth counts. At the
# same time another ledger gets the same packages, a thousand in a transaction: what the length of the transaction costs is what
# they differ by, and what the length of the ledger costs is what both do
sub measure_growth
{
	# how many, and how often: the smaller ones again and again, so that there is as much to choose from
	my @counts = map { ($_->[0]) x $_->[1] } @{ $size{counts} };
	my $total = 0;
	$total += $_ for @counts;
	packages('growth', days => $total / 100 + 1, slices => $total / 1000);
	my %session = map { fresh_ledger($_); ($_ => [ session($_), session($_) ]) } qw(growing growing_slowly);
	for (values %session)
	{
		$_->[0]->run(copy_binary("$home/growth.first"));
		$_->[0]->run('CHECKPOINT');
	}
	my $at = 0;
	for my $count (@counts)
	{
		my $last = $count / 1000;
		$_->run('BEGIN') for @{ $session{growing} };
		for my $number (1 .. $last)
		{
			$at++;
			my $is_measured = $number > 0.8 * $last;
			grow(@{ $session{growing} }, $count, $at, $is_measured);
			$_->run('BEGIN') for @{ $session{growing_slowly} };
			# a thousand by a thousand is the same, and measured already
			grow(@{ $session{growing_slowly} }, "$count by 1000", $at, $is_measured && $last > 1);
			$_->run('COMMIT') for @{ $session{growing_slowly} };
		}
		$_->run('COMMIT') for @{ $session{growing} };
	}
	%session = ();
	measure_one_statement($size{one_statement}) if defined $size{one_statement};
	forget('growth');
	return;
}

# The whole ledger verified step by step, as ecert.verify_ledger() does, and bare verification of as many packages between the steps
sub measure_steps
{
	my ($name, $session, $parameter, $repetition, $processes) = @_;
	my ($step, undef, $slices) = packages($name);
	my $run = $session->run('INSERT INTO ledger.verification (package_count) SELECT count(*) FROM ledger.package RETURNING id')->{output};
	$session->run('SELECT ecert.verify_registry()');
	for my $number (1 .. $slices)
	{
		bare($parameter, $repetition, map { slice($name, 'text', 1 + ($number * $processes + $_) % $slices) } 1 .. $processes);
		measure($session, 'a step of verify_ledger', $parameter, $repetition, $step, 'package', "SELECT ecert.verify_chunk($run, $step)");
	}
	$session->run("UPDATE ledger.verification SET finished_at = clock_timestamp() WHERE id = $run");
	return;
}

# ecert.verify_ledger() by one process and by two, beside bare verification by as many
sub measure_verify
{
	for my $of (@{ $size{verify} })
	{
		my ($number, $times) = @$of;
		my $name = "n$number";
		packages($name, days => $number / 100 + 1, slices => $number / $size{step});
		my $database = ledger_with($name);
		my $stored = query($database, 'SELECT count(*) FROM ledger.package');
		my @cases;
		for my $processes (1, 2)
		{
			my $parameter = "$number packages; $processes " . ($processes == 1 ? 'process' : 'processes');
			my $session = session($database, 'max_parallel_workers_per_gather = ' . ($processes - 1));
			push @cases, sub {
				measure_steps($name, $session, $parameter, $_[0], $processes);
				measure($session, 'verify_ledger', $parameter, $_[0], $stored, 'package', 'CALL ecert.verify_ledger()');
			};
		}
		repeat_all($times, @cases);
		die "the ledger does not verify\n" if query($database, 'SELECT sum(problem_count) FROM ledger.verification') ne '0';
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
