# 15-minute readings packed by day beside the same readings as rows, and sums over both.
package Bench::Reading;
use strict;
use warnings FATAL => 'all';

use Bench;
use Bench::Plants;

my @sources = ([ 'electricity', 'kWh' ], [ 'natural_gas', 'm3' ], [ 'raw_coal', 't' ]);
my %readings;

# A quarter-hour's reading: a day has its shape, no two are alike; 0.00 .. 199.99 like the meter of a works
sub quantity
{
	my ($n, $day, $source, $i) = @_;
	my $at_work = $i >= 28 && $i < 72 ? 9000 : 900;
	return sprintf('%.2f', ($at_work + ($n * 7919 + $day * 104_729 + $source * 1_299_709 + $i * 15_485_863) % (2 * $at_work)) / 100 % 200
			+ (($n * 31 + $day * 37 + $source * 41 + $i * 43) % 100) / 100);
}

# The day of one issuer as rows for the signing tool, and as lines for the tables of readings
sub day_of
{
	my ($source_count, $rows, $small) = @_;
	return sub {
		my ($day, $start, $n) = @_;
		my $csv = '';
		for my $source (0 .. $source_count - 1)
		{
			my ($name, $unit) = @{ $sources[$source] };
			my @values = map { quantity($n, $day, $source, $_) } 0 .. 95;
			for my $i (0 .. 95)
			{
				my $time = sprintf('%s %02d:%02d:00+00', (split /,/, $start)[1], $i / 4, $i % 4 * 15);
				printf $rows "ed25519-%03d\t%s\t%s\t%s\t%s\n", $n, $name, $unit, $time, $values[$i];
				printf $small "%d\t%s\t%s\n", 10 * $n + $source, $time, $values[$i];
			}
			$csv .= "$start,$name,$unit,@values,,900\n";
		}
		return $csv;
	};
}

# Sign the packages of readings and write the rows beside them, in both formats of COPY; once. Packages and readings
sub make_readings
{
	my ($source_count) = @_;
	my $name = "sources$source_count";
	return @{ $readings{$source_count} } if exists $readings{$source_count};
	my %file = map { ("bench.$_" => "$home/$name.$_") } qw(reading small_reading);
	open my $rows, '>', $file{'bench.reading'} or die;
	open my $small, '>', $file{'bench.small_reading'} or die;
	my ($count) = packages($name, issuers => $size{plants}, days => $size{plant_days} + 1, rows => day_of($source_count, $rows, $small));
	close $_ for $rows, $small;
	fresh_ledger('converting');
	for my $table (sort keys %file)
	{
		# the first day is in the ledger before the clock runs
		query('converting', "COPY $table FROM '$file{$table}'", "DELETE FROM $table WHERE interval_start < '1970-01-02 00:00+00'", "COPY $table TO '$file{$table}'",
			"COPY $table TO '$file{$table}.bin' (FORMAT binary)");
	}
	drop_database('converting');
	$readings{$source_count} = [ $count, $count * 96 * $source_count ];
	return @{ $readings{$source_count} };
}

# Load into an empty table of a database of its own and keep time and bytes for each reading
sub load_readings
{
	my ($database, $case, $parameter, $repetition, $readings, $table, $sql, $before) = @_;
	fresh_ledger($database);
	my $session = session($database);
	$session->run($before) if defined $before;
	$session->run('CHECKPOINT');
	my $bytes = "SELECT pg_total_relation_size('$table')";
	my $empty = query($database, $bytes);
	measure($session, $case, $parameter, $repetition, $readings, 'reading', $sql);
	record($case, $parameter, $repetition, sprintf('%.3f', (query($database, $bytes) - ($empty > 1_000_000 ? $empty : 0)) / $readings), 'bytes/reading') if $case =~ /binary/;
	return;
}

sub measure_readings
{
	for my $source_count (1, 3)
	{
		my $name = "sources$source_count";
		my $parameter = "96 x $source_count a day";
		note("signing days of readings, $parameter");
		my ($packages, $readings) = make_readings($source_count);
		my @cases;
		for my $format (qw(binary text))
		{
			my ($suffix, $option) = $format eq 'binary' ? ('.bin', ' (FORMAT binary)') : ('', '');
			push @cases,
				sub { load_readings('packed', "ecert, $format", $parameter, $_[0], $readings, 'ledger.package',
						"COPY ledger.package (package) FROM '$home/$name" . ($format eq 'binary' ? '.bin' : '.text') . "'$option", "COPY ledger.package (package) FROM '$home/$name.first' (FORMAT binary)") },
				map { my $table = $_; sub { load_readings('rows', ($table eq 'reading' ? 'rows by name' : 'rows by number') . ", $format", $parameter, $_[0], $readings, "bench.$table",
						"COPY bench.$table FROM '$home/$name.$table$suffix'$option") } } qw(reading small_reading);
		}
		repeat_all($repeats, @cases);
		drop_database($_) for qw(packed rows);
	}
	return;
}

# ---- sums over the whole ledger ----

# The same sums by month and source, in their unit and in kgce, from the ledger's view and from rows, in turn; they have to be equal
sub measure_sums
{
	my ($database, $parameter, $rows, $peer) = @_;
	my %view = ('ledger.energy_use' => 'ledger_by_month', 'plain rows' => $peer);
	my %session = map { $_ => session($database) } keys %view;
	for my $repetition (0 .. 2 * $repeats + 1)
	{
		my %sum;
		for my $case (sort keys %view)
		{
			my $sql = "SELECT * FROM normalised.$view{$case} ORDER BY 1, 2, 3";
			# once before it counts
			my $took = $repetition == 0 ? $session{$case}->run($sql) : measure($session{$case}, $case, $parameter, $repetition, $rows, 'row', $sql);
			$sum{ $took->{output} } = 1;
		}
		die "sums differ:\n", join "\n", sort keys %sum if keys %sum != 1;
	}
	return;
}

# Three sources, one line each
sub three_lines
{
	my ($day, $start, $n) = @_;
	return sprintf("%s,raw_coal,t,%d.%02d,,\n%s,electricity,kWh,%d,,\n%s,natural_gas,m3,%d,,\n", $start, 100 + $day % 900, $n, $start, 10_000 + $day, $start, 5000 + $n);
}

sub measure_aggregates
{
	make_readings(3);
	packages('three', days => $size{lines} / 100, rows => \&three_lines);
	for my $of ([ 'sources3', 'readings packed by day', 'reading' ], [ 'three', 'three lines a package', 'energy_line' ])
	{
		my ($name, $parameter, $table) = @$of;
		my $database = ledger_with($name);
		query($database, "\\i $project/bench/peers/normalised.sql");
		my $peer = $table eq 'reading' ? 'reading_by_month' : 'line_by_month';
		measure_sums($database, $parameter, query($database, "SELECT count(*) FROM normalised.$table"), $peer);
		forget($name);
	}
	if ($ENV{DATA} ne '')
	{
		my $database = Bench::Plants::ledger();
		measure_sums($database, "real plants' months", query($database, 'SELECT count(*) FROM normalised.energy_line'), 'line_by_month');
	}
	return;
}

1;
