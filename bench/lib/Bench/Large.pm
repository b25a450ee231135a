# A ledger of ten million packages beside an empty one: what depends on how much is there.
package Bench::Large;
use strict;
use warnings FATAL => 'all';

use Bench;
use Bench::Pgbench;
use Bench::Sealing;
use POSIX ();

my $base = $size{base_days} // 0;
# days that are signed too, to be put there when it is measured: of these issuers single packages, a hundred at a time, of the others by COPY
my $spare = $size{spare_days} // 0;
my $single_issuers = 100 * $repeats;

# ---- the ledger ----

# A shell command that signs some issuers' days, one feed after the other, loads the first and keeps the spare ones
sub loader
{
	my ($from, $to, $file) = @_;
	my $days = $base + $spare;
	return qq{awk -v first=$from -v last=$to -v days=$days 'BEGIN {
			print "producer,period_start,period_end,source,unit,quantity"
			for (n = first; n <= last; n++)
				for (d = 0; d < days; d++)
					printf "ed25519-%03d,%s,%s,electricity,kWh,%d\\n", n, strftime("%Y-%m-%d", 86400 * d, 1), strftime("%Y-%m-%d", 86400 * (d + 1), 1), 100 + d % 900
		}' | '$project/tools/ecert-sign' energy --origin bench.example --genesis } . genesis() . qq{ 2>/dev/null |
		awk -v base=$base -v days=$days -v spare='$file' '(NR - 1) % days < base { print; next } { print > spare }' |
		psql -Xq -v ON_ERROR_STOP=1 -d large -c 'COPY ledger.package (package) FROM STDIN'};
}

# Load the ledger, by as many sessions as there are processors
sub load
{
	my $issuers = $size{issuers};
	my @jobs;
	for my $job (0 .. $ENV{CORES} - 1)
	{
		my ($from, $to) = map { int($_ * $issuers / $ENV{CORES}) } $job, $job + 1;
		my $command = loader($from, $to - 1, "$home/spare.$job");
		my $pid = fork // die "fork: $!";
		exec 'sh', '-c', $command if $pid == 0;
		push @jobs, $pid;
	}
	for my $pid (@jobs)
	{
		waitpid $pid, 0;
		die "the ledger could not be loaded\n" if $? != 0;
	}
	return;
}

# Signed packages of files in a table of the database, from which they are taken when they are measured
sub keep_spare
{
	my ($database, @files) = @_;
	query($database, 'CREATE TABLE bench.spare (issuer text COLLATE "C", seq bigint, package ecert.package)', 'CREATE UNLOGGED TABLE bench.signed (package ecert.package)',
		(map { "COPY bench.signed FROM '$_'" } @files), 'INSERT INTO bench.spare SELECT ecert.issuer(package), ecert.seq(package), package FROM bench.signed', 'DROP TABLE bench.signed');
	return;
}

# The same rows in the plain table: first the rows, then the indexes
sub copy_to_plain
{
	query('large', 'CREATE TABLE bench.many (LIKE bench.plain INCLUDING ALL EXCLUDING INDEXES)',
		'INSERT INTO bench.many SELECT issuer, kind, seq, subject, period, issued_at, hash, package::bytea, recorded_at FROM ledger.package',
		'DROP TABLE bench.plain', 'ALTER TABLE bench.many RENAME TO plain', 'ALTER TABLE bench.plain ADD PRIMARY KEY (issuer, kind, seq)',
		'CREATE INDEX ON bench.plain USING hash (hash)', 'CREATE INDEX ON bench.plain (subject, kind, lower(period))', q{CREATE UNIQUE INDEX ON bench.plain (kind) WHERE kind = 'genesis'});
	return;
}

# Make the ledger unless it was kept; what is measured then is a copy of it
sub make_large
{
	if (!-f "$home/kept")
	{
		note('loading ', grouped($size{issuers} * $base), ' packages');
		fresh_ledger('large');
		load();
		keep_spare('large', glob("'$home/spare'.*"));
		unlink glob("'$home/spare'.*");
		note('the same rows in the plain table');
		copy_to_plain();
		query('large', 'VACUUM ANALYZE', 'CHECKPOINT');
		return 'large' if $ENV{KEEP} eq '';
		open my $kept, '>', "$home/kept" or die;
	}
	note('copying the kept ledger');
	query('postgres', 'DROP DATABASE IF EXISTS large_run', 'CREATE DATABASE large_run TEMPLATE large STRATEGY file_copy');
	return 'large_run';
}

# ---- what is measured ----

# The spare packages as files for COPY: the first days are put there at once, so that what is measured goes on from them
sub spare_files
{
	my ($database) = @_;
	my $of = sprintf(q{FROM bench.spare WHERE issuer >= 'ed25519-%03d' AND seq}, $single_issuers);
	my @sql = ("COPY (SELECT package $of = $base ORDER BY issuer) TO '$home/spare.first' (FORMAT binary)");
	for my $number (1 .. $size{slices})
	{
		my $from = $base + 1 + ($number - 1) * $size{slice_days};
		my $to = $from + $size{slice_days} - 1;
		push @sql, copies_of("$of BETWEEN $from AND $to ORDER BY spare.seq, spare.issuer", slice('spare', 'bin', $number), slice('spare', 'plain', $number));
	}
	query($database, @sql);
	return;
}

# Further packages as files for COPY, feed after feed: so many days of some issuers a slice. How many are in a slice
sub feed_files
{
	my ($database, $name, $first_issuer, $first_seq) = @_;
	my $days = $size{slices} * $size{slice_days};
	my $feeds = ($size{issuers} - $single_issuers) / $size{slices};
	for my $number (1 .. $size{slices})
	{
		my ($from, $to) = map { sprintf('ed25519-%03d', $_) } map { ($_, $_ + $feeds - 1) } $first_issuer + ($number - 1) * $feeds;
		my $of = "FROM bench.spare WHERE issuer BETWEEN '$from' AND '$to' AND seq BETWEEN $first_seq AND $first_seq + $days - 1 ORDER BY spare.issuer, spare.seq";
		query($database, copies_of($of, slice($name, 'feeds', $number), slice($name, 'plain_feeds', $number)));
	}
	return $feeds * $days;
}

# Slices of COPY into both ledgers and both plain tables, in turn: first all issuers by turns, then feed after feed
sub measure_copying
{
	my ($database, $many) = @_;
	my $issuers = $size{issuers} - $single_issuers;
	my $days = $size{slices} * $size{slice_days};
	my ($count) = packages('early', issuers => $issuers, days => 2 * $days + 1, slices => 2 * $size{slices});
	spare_files($database);
	fresh_ledger('early');
	keep_spare('early', "$home/early.txt");
	my ($together) = (feed_files('early', 'early', 0, 1 + $days), feed_files($database, 'spare', $single_issuers, $base + 1 + $days));
	my @places = ([ 'early', 'early', 'empty' ], [ $database, 'spare', $many ]);
	my %session = map { ($_->[0] => session($_->[0])) } @places;
	$session{ $_->[0] }->run(copy_binary("$home/$_->[1].first")) for @places;
	query('postgres', 'CHECKPOINT');
	for my $round ([ '', 'bin', 'plain', $count ], [ ', feed after feed', 'feeds', 'plain_feeds', $together ])
	{
		my ($order, $ours, $theirs, $packages) = @$round;
		for my $number (1 .. $size{slices})
		{
			for my $place (@places)
			{
				my ($where, $name, $parameter) = @$place;
				bare("$parameter$order", $number, slice('early', 'text', $number));
				measure($session{$where}, 'ecert, binary COPY', "$parameter$order", $number, $packages, 'package', copy_binary(slice($name, $ours, $number)));
				measure($session{$where}, 'plain table', "$parameter$order", $number, $packages, 'package', copy_plain('plain', slice($name, $theirs, $number)));
			}
		}
	}
	return;
}

# Single-package commits of 8 clients and 100 issuers
sub measure_single
{
	my ($database, $many) = @_;
	packages('commits', days => $size{days});
	fresh_ledger('waiting');
	fill_staged('waiting', "$home/commits.txt");
	for my $repetition (1 .. $repeats)
	{
		create_database('committing', 'waiting');
		query($database, sprintf(q{COPY (SELECT package FROM bench.spare WHERE issuer >= 'ed25519-%03d' AND issuer < 'ed25519-%03d') TO '%s'}, 100 * ($repetition - 1), 100 * $repetition, "$home/spare.txt"),
			'TRUNCATE bench.staged');
		fill_staged($database, "$home/spare.txt");
		for my $case ('ecert', 'plain table')
		{
			Bench::Pgbench::commit_packages('committing', $case, 'empty; 8 clients', 100, 8, $repetition);
			Bench::Pgbench::commit_packages($database, $case, "$many; 8 clients", 100, 8, $repetition);
		}
	}
	drop_database($_) for qw(committing waiting);
	return;
}

# A range of a ledger verified: about ten thousand packages in whole feeds, from this issuer on, other ones each time
sub range_case
{
	my ($database, $parameter, $issuer, $length) = @_;
	my $feeds = POSIX::ceil(10_000 / $length);
	my $session = session($database, 'max_parallel_workers_per_gather = 0');
	$session->run('SELECT ecert.verify_registry()');
	return sub {
		my $first = $issuer + ($_[0] - 1) * $feeds;
		my ($from, $to) = map { sprintf('ed25519-%03d', $_) } $first, $first + $feeds - 1;
		my $wrong = measure($session, 'verify a range', $parameter, $_[0], $feeds * $length, 'package',
			"SELECT count(*) FROM ecert.check_rows(('$from', 'energy', 0), ('$to', 'energy', 9223372036854775807))")->{output};
		die "the ledger does not verify\n" if $wrong !~ /^0$/m;
	};
}

sub measure_large
{
	my $database = make_large();
	my $many = grouped(query($database, 'SELECT count(*) FROM ledger.package')) . ' packages';
	measure_copying($database, $many);
	measure_single($database, $many);
	# over ten million packages each of these takes minutes
	Bench::Sealing::measure_tree(@$_) for [ 'early', 'empty', $repeats ], [ $database, $many, 1 ];
	query($_, 'VACUUM ANALYZE ledger.package') for 'early', $database;
	Bench::Sealing::measure_receipts($_->[0], $_->[1]) for [ 'early', 'empty' ], [ $database, $many ];
	# feeds that COPY has continued: their length is known
	my $copied = 1 + 2 * $size{slices} * $size{slice_days};
	repeat_all($repeats, range_case('early', 'empty', 0, $copied), range_case($database, $many, $single_issuers, $base + $copied));
	query('postgres', 'DROP DATABASE IF EXISTS large_run');
	return;
}

1;
