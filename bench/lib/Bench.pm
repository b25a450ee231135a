# What the sections of the benchmark share: figures, sessions whose time and memory are measured, databases, signed packages.
package Bench;
use strict;
use warnings FATAL => 'all';

use Bench::Session;
use Exporter qw(import);
use POSIX ();
use Time::HiRes qw(time);

our @EXPORT = qw($columns copy_binary copy_text copy_plain copies_of %size $home $project $repeats slice begin_section record note measure bare query session create_database drop_database
	fresh_ledger ledger_with packages forget fill_staged run_command repeat_all pgbench grouped percentile slurp genesis);

our $home = $ENV{BENCH_HOME} // die 'bench/run.sh runs this';
our $project = "$home/tree";
our $level = $ENV{LEVEL};
# how often each figure is measured, and how much of everything there is, by level
our $repeats = { quick => 1, full => 3, large => 5 }->{$level};
our %size = %{ {
	quick => {
		slices => 5, copied => 1000, counts => [ [ 1000, 5 ], [ 10_000, 3 ] ], clients => [ 1, 8 ], seconds => 1, days => 300,
		plants => 20, plant_days => 40, verify => [ [ 10_000, 2 ] ], step => 5000, sealed => 10_000, moved => 4, feeds => 2000, lines => 10_000, blocks => 2000,
	},
	full => {
		slices => 16, copied => 3000, counts => [ [ 1000, 30 ], [ 10_000, 10 ], [ 100_000, 1 ], [ 1_000_000, 1 ] ], one_statement => 1_000_000,
		clients => [ 1, 2, 4, 8, 16 ], seconds => 1, days => 400, plants => 100, plant_days => 144, verify => [ [ 100_000, 2 ], [ 300_000, 3 ] ], step => 20_000,
		sealed => 1_000_000, moved => 40, feeds => 20_000, lines => 100_000, blocks => 20_000,
	},
	large => { issuers => 1000, base_days => $ENV{DAYS} // 10_000, spare_days => 250, seconds => 1, days => 250, slices => 20, slice_days => 6 },
}->{$level} };

my $issuer_count = 1000;
my ($section, $results);
my %made;

# the columns of ledger.package and its peers, and what they are of a package
our $columns = 'issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at';
my $derived = 'ecert.issuer(package), ecert.kind(package), ecert.seq(package), ecert.subject(package), ecert.period(package), ecert.issued_at(package), ecert.hash(package), package::bytea, now()';

# COPY statements: packages into the ledger, rows with all columns into a peer
sub copy_binary
{
	return "COPY ledger.package (package) FROM '$_[0]' (FORMAT binary)";
}

sub copy_text
{
	return "COPY ledger.package (package) FROM '$_[0]'";
}

sub copy_plain
{
	return "COPY bench.$_[0] ($columns) FROM '$_[1]' (FORMAT binary)";
}

# Statements that write the packages of a FROM clause as binary files for these: packages alone, and rows with all columns
sub copies_of
{
	my ($from, $packages, $rows) = @_;
	return ("COPY (SELECT package $from) TO '$packages' (FORMAT binary)", "COPY (SELECT $derived $from) TO '$rows' (FORMAT binary)");
}

# ---- figures ----

# Figures that follow are of this section
sub begin_section
{
	($section) = @_;
	open $results, '>>', $ENV{RESULTS} or die "$ENV{RESULTS}: $!" unless defined $results;
	$results->autoflush(1);
	print "$section\n";
	return;
}

# Keep a figure: results.csv has every single one
sub record
{
	my ($case, $parameter, $repetition, $value, $unit) = @_;
	print $results join(',', $section, map { /,/ ? "\"$_\"" : $_ } $case, $parameter, $repetition, $value, $unit), "\n";
	return;
}

# Say what was just measured, or why it was not
sub note
{
	print '  ', @_, "\n";
	return;
}

# Run a statement in a session and keep what it took for each of count things
sub measure
{
	my ($session, $case, $parameter, $repetition, $count, $unit, $sql) = @_;
	my $took = $session->run($sql);
	record($case, $parameter, $repetition, sprintf('%.4f', 1000 * $took->{milliseconds} / $count), "us/$unit");
	record($case, $parameter, $repetition, $took->{private}, 'private kB');
	note(sprintf('%s, %s: %.2f us a %s; %.1f MB private (%d)', $parameter, $case, 1000 * $took->{milliseconds} / $count, $unit, $took->{private} / 1024, $repetition));
	return $took;
}

# Call a function for every repetition and thing, the things in turn
sub repeat_all
{
	my ($times, @functions) = @_;
	for my $repetition (1 .. $times)
	{
		$_->($repetition) for @functions;
	}
	return;
}

# A count in groups of three digits
sub grouped
{
	my $text = sprintf('%.0f', $_[0]);
	1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
	return $text;
}

# The smallest value that is not below this part of all
sub percentile
{
	my ($part, @values) = @_;
	my @sorted = sort { $a <=> $b } @values;
	my $at = POSIX::ceil($part * @sorted) - 1;
	return $sorted[$at < 0 ? 0 : $at];
}

# ---- commands ----

sub run_command
{
	my (@command) = @_;
	my $text = join ' ', map { s/'/'\\''/gr =~ s/(.*)/'$1'/sr } @command;
	my $output = `$text 2>'$home/command.log'`;
	die "failed: $text\n" . slurp("$home/command.log") if $? != 0;
	chomp $output;
	return $output;
}

sub slurp
{
	my ($file) = @_;
	open my $in, '<', $file or return '';
	local $/ = undef;
	return <$in> // '';
}

# The result of a statement that is not measured
sub query
{
	my ($database, @sql) = @_;
	return run_command('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database, map { ('-c', $_) } @sql);
}

sub session
{
	my ($database, @settings) = @_;
	return Bench::Session->new($database, @settings);
}

# Transactions a second that clients make with a script, each in turn as fast as it can
sub pgbench
{
	my ($database, $script, $clients, $seconds, %variable) = @_;
	my $jobs = $clients < $ENV{CORES} ? $clients : $ENV{CORES};
	my $output = run_command('pgbench', '-n', '-M', 'prepared', '-c', $clients, '-j', $jobs, '-T', $seconds, '-f', $script,
		(map { ('-D', "$_=$variable{$_}") } sort keys %variable), $database);
	my ($done) = $output =~ /transactions actually processed: (\d+)/;
	my ($rate) = $output =~ /tps = ([\d.]+)/;
	return ($rate, $done);
}

# Bare verification of the signatures of packages, files of text COPY, each in a process of its own: microseconds for a package of all
sub bare
{
	my ($parameter, $repetition, @files) = @_;
	my @pipes = map { open my $pipe, '-|', "'$project/bench/verify-rate' 1 < '$_'" or die "verify-rate: $!"; $pipe } @files;
	my $rate = 0;
	for my $pipe (@pipes)
	{
		my @lines = <$pipe>;
		close $pipe or die "verify-rate has failed\n";
		my ($number, $seconds) = split ' ', $lines[-1];
		$rate += $number / $seconds;
	}
	record('bare verification', $parameter, $repetition, sprintf('%.4f', 1e6 / $rate), 'us/package');
	note(sprintf('%s, bare verification: %.2f us a package (%d)', $parameter, 1e6 / $rate, $repetition));
	return;
}

# ---- databases ----

sub create_database
{
	my ($name, $template) = @_;
	query('postgres', "DROP DATABASE IF EXISTS $name", "CREATE DATABASE $name TEMPLATE " . ($template // 'template1'));
	return $name;
}

sub drop_database
{
	query('postgres', "DROP DATABASE $_[0] WITH (FORCE)");
	return;
}

# The ledger that all others are copies of: a genesis and a thousand enrolled issuers of each algorithm that is used
sub template
{
	return 'enrolled' if $made{template}++;
	note("a ledger with $issuer_count enrolled issuers");
	if (!-f "$home/genesis")
	{
		create_database('enrolled');
		query('enrolled', 'CREATE EXTENSION ecert', 'CREATE EXTENSION pgcrypto', "SELECT ecert.create_ledger('bench.example') IS NOT NULL",
			'CREATE TABLE enrolled (node text, public_key text)');
		for my $algorithm (qw(ed25519 es256 sm2))
		{
			my $last = $algorithm eq 'ed25519' ? $issuer_count - 1 : 99;
			run_command('sh', '-c', "seq -f '$algorithm-%03g' 0 $last | '$project/tools/ecert-sign' enrol --alg $algorithm > '$home/enrol'");
			query('enrolled', "COPY enrolled FROM '$home/enrol'");
		}
		query('enrolled', q{SELECT count(ecert.enroll(node, '{applicant}', public_key)) FROM enrolled}, 'VACUUM ANALYZE');
		query('enrolled', "\\i $project/bench/peers/tables.sql");
		open my $out, '>', "$home/genesis" or die;
		print $out query('enrolled', q{SELECT encode(ecert.genesis_hash(), 'hex')});
	}
	return 'enrolled';
}

sub genesis
{
	template();
	return slurp("$home/genesis");
}

# A copy of the template under a name
sub fresh_ledger
{
	my ($name) = @_;
	return create_database($name, template());
}

# ---- signed packages ----

# A day's energy of one issuer as rows of CSV: one line of electricity, or at so many meters
sub lines_of
{
	my ($lines) = @_;
	return sub {
		my ($day, $start) = @_;
		return sprintf("%s,electricity,kWh,%d,,\n", $start, 100 + $day % 900) if $lines == 1;
		return join '', map { sprintf("%s,electricity,kWh,%d.%02d,meter-%03d,\n", $start, 1000 + $day, $_ % 100, $_) } 1 .. $lines;
	};
}

# A pipe to the signing tool that writes what it signs to a file
sub signer
{
	my ($file, $algorithm) = @_;
	open my $pipe, '|-', "exec '$project/tools/ecert-sign' energy --alg $algorithm --origin bench.example --genesis " . genesis() . " > '$file' 2> '$file.log'" or die;
	print $pipe "producer,period_start,period_end,source,unit,quantity,point,step\n";
	return $pipe;
}

# Signed packages of some days of the first so many issuers, day by day, as files for COPY in home: NAME.txt, all of them; NAME.first
# (binary), the first of each feed, and the others in so many slices: NAME.bin.1 ..., NAME.text.1 ..., NAME.plain.1 ... (all columns,
# binary). Made once. How many are in a slice, their mean size, and how many slices there are
sub packages
{
	my ($name, %of) = @_;
	return @{ $made{$name} } if exists $made{$name};
	my ($issuers, $algorithm) = ($of{issuers} // 100, $of{algorithm} // 'ed25519');
	my $rows = $of{rows} // lines_of($of{lines} // 1);
	my $share = POSIX::ceil($issuers / $ENV{CORES});
	my @files = map { "$home/$name.part$_" } 0 .. POSIX::ceil($issuers / $share) - 1;
	my @pipes = map { signer($_, $algorithm) } @files;
	for my $day (0 .. $of{days} - 1)
	{
		my ($from, $to) = map { POSIX::strftime('%Y-%m-%d', gmtime(86400 * $_)) } $day, $day + 1;
		for my $n (0 .. $issuers - 1)
		{
			print { $pipes[ $n / $share ] } $rows->($day, sprintf('%s-%03d,%s,%s', $algorithm, $n, $from, $to), $n);
		}
	}
	for my $i (0 .. $#pipes)
	{
		close $pipes[$i] or die slurp("$files[$i].log");
	}
	run_command('sh', '-c', 'cat "$@" > ' . "'$home/$name.txt'", '-', @files);
	unlink map { ($_, "$_.log") } @files;
	return cut($name, $of{slices} // 1);
}

# The file of a slice
sub slice
{
	my ($name, $format, $number) = @_;
	return "$home/$name.$format." . ($number // 1);
}

# Make of NAME.txt the other files
sub cut
{
	my ($name, $slices) = @_;
	query('enrolled', 'DROP TABLE IF EXISTS arriving, staging', 'CREATE UNLOGGED TABLE arriving (n integer GENERATED ALWAYS AS IDENTITY, package ecert.package)',
		"COPY arriving (package) FROM '$home/$name.txt'",
		"COPY (SELECT package FROM arriving WHERE ecert.seq(package) = 0 ORDER BY n) TO '$home/$name.first' (FORMAT binary)",
		'CREATE UNLOGGED TABLE staging AS SELECT row_number() OVER (ORDER BY ecert.seq(package), n) AS n, package FROM arriving WHERE ecert.seq(package) > 0',
		'CREATE UNIQUE INDEX ON staging (n)', 'ANALYZE staging');
	my ($count, $bytes) = split /\|/, query('enrolled', 'SELECT count(*), round(avg(octet_length(package::bytea))) FROM staging');
	my $length = int($count / $slices);
	my @sql;
	for my $number (1 .. $slices)
	{
		my $of = 'FROM staging WHERE n BETWEEN ' . (($number - 1) * $length + 1) . ' AND ' . $number * $length . ' ORDER BY n';
		push @sql, copies_of($of, slice($name, 'bin', $number), slice($name, 'plain', $number)), "COPY (SELECT package $of) TO '" . slice($name, 'text', $number) . "'";
	}
	query('enrolled', splice @sql, 0, 150) while @sql;
	query('enrolled', 'DROP TABLE arriving, staging');
	$made{$name} = [ $length, $bytes, $slices ];
	return @{ $made{$name} };
}

# Take a set of signed packages away again
sub forget
{
	my ($name) = @_;
	unlink glob("'$home/$name'.*");
	delete $made{$name};
	return;
}

# A ledger with these packages; made once
sub ledger_with
{
	my ($name) = @_;
	return "ledger_$name" if $made{"ledger_$name"}++;
	fresh_ledger("ledger_$name");
	note("loading the ledger with packages $name");
	query("ledger_$name", (map { copy_binary($_) } "$home/$name.first", map { slice($name, 'bin', $_) } 1 .. $made{$name}[2]), 'VACUUM ANALYZE', 'CHECKPOINT');
	return "ledger_$name";
}

# Put packages into bench.staged, numbered from 1 day by day and issuer by issuer
sub fill_staged
{
	my ($database, $file) = @_;
	query($database, 'CREATE UNLOGGED TABLE bench.signed (package ecert.package)', "COPY bench.signed FROM '$file'",
		'INSERT INTO bench.staged SELECT row_number() OVER (ORDER BY ecert.seq(package), ecert.issuer(package) COLLATE "C"), ecert.issuer(package), ecert.kind(package), ecert.seq(package),
			ecert.subject(package), ecert.period(package), ecert.issued_at(package), ecert.hash(package), package::bytea, package FROM bench.signed',
		'DROP TABLE bench.signed', 'VACUUM ANALYZE bench.staged');
	return;
}

1;
