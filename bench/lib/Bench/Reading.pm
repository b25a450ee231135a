# 15-minute readings packed by day beside the same readings as rows, and sums over both.
package Bench::Reading;
use strict;
use warnings FATAL => 'all';

use Bench;
use Bench::Plants;

my @sources = ([ 'electricity', 'kWh' ], [ 'natural_gas', 'm3' ], [ 'raw_coal', 't' ]);
# the tables of rows, in bench
my @tables = qw(reading small_reading);
my %readings;

# A quarter-hour's reading: a day has its shape, no two are alike; 0.00 .. 199.99 like the meter of a works
sub quantity
{
	my ($n, $day, $source, $i) = @_;
	my $at_work = $i >= 28 && $i < 72 ? 9000 : 900;
	return sprintf('%.2f', ($at_work + ($n * 7919 + $day * 104_729 + $source * 1_299_709 + $i * 15_485_863) % (2 * $at_work)) / 100 % 200
			+ (($n * 31 + $day * 37 + $source * 41 + $i * 43) % 100) / 100);
}

# The day of one issuer as rows for the signing tool, and as lines for the tables of readings, in the file of the day's slice; the first
# day is in the ledger before anything is measured
sub day_of
{
	my ($source_count, $slice_days, $files) = @_;
	return sub {
		my ($day, $start, $n) = @_;
		my $csv = '';
		my ($rows, $small) = $day > 0 ? @{ $files->[ ($day - 1) / $slice_days ] } : ();
		for my $source (0 .. $source_count - 1)
		{
			my ($name, $unit) = @{ $sources[$source] };
			my @values = map { quantity($n, $day, $source, $_) } 0 .. 95;
			$csv .= "$start,$name,$unit,@values,,900\n";
			next unless defined $rows;
			for my $i (0 .. 95)
			{
				my $time = sprintf('%s %02d:%02d:00+00', (split /,/, $start)[1], $i / 4, $i % 4 * 15);
				printf $rows "ed25519-%03d\t%s\t%s\t%s\t%s\n", $n, $name, $unit, $time, $values[$i];
				printf $small "%d\t%s\t%s\n", 10 * $n + $source, $time, $values[$i];
			}
		}
		return $csv;
	};
}

# Sign the packages of readings and write the rows beside them, in both formats of COPY; once. Readings in a slice
sub make_readings
{
	my ($source_count) = @_;
	my $name = "sources$source_count";
	return $readings{$source_count} if exists $readings{$source_count};
	my @files = map { my $number = $_; [ map { open my $out, '>', slice($name, $_, $number) or die; $out } @tables ] } 1 .. $size{slices};
	my $slice_days = int($size{plant_days} / $size{slices});
	my ($count) = packages($name, issuers => $size{plants}, days => $slice_days * $size{slices} + 1, rows => day_of($source_count, $slice_days, \@files), slices => $size{slices});
	close $_ for map { @$_ } @files;
	fresh_ledger('converting');
	for my $table (@tables)
	{
		query('converting', map { ("COPY bench.$table FROM '$_'", "COPY bench.$table TO '$_.bin' (FORMAT binary)", "TRUNCATE bench.$table") } map { slice($name, $table, $_) } 1 .. $size{slices});
	}
	drop_database('converting');
	return $readings{$source_count} = $count * 96 * $source_count;
}

# Bytes of a table with indexes and TOAST
sub bytes_of
{
	my ($database, $table) = @_;
	return query($database, "SELECT pg_total_relation_size('$table')");
}

# Packed and as rows, in both formats, slice by slice in turn, each into a table of its own
sub measure_readings
{
	for my $source_count (1, 3)
	{
		my $name = "sources$source_count";
		my $parameter = "96 x $source_count a day";
		note("signing days of readings, $parameter");
		my $readings = make_readings($source_count);
		my (%case, %empty);
		for my $format (qw(binary text))
		{
			my ($suffix, $option) = $format eq 'binary' ? ('.bin', ' (FORMAT binary)') : ('', '');
			my $database = fresh_ledger("readings_$format");
			query($database, copy_binary("$home/$name.first"), 'CHECKPOINT');
			$case{"ecert, $format"} = [ session($database), $database, 'ledger.package', sub { $format eq 'binary' ? copy_binary(slice($name, 'bin', $_[0])) : copy_text(slice($name, 'text', $_[0])) } ];
			for my $table (@tables)
			{
				$case{ ($table eq 'reading' ? 'rows by name' : 'rows by number') . ", $format" } = [ session($database), $database, "bench.$table", sub { "COPY bench.$table FROM '" . slice($name, $table, $_[0]) . "$suffix'$option" } ];
			}
		}
		$empty{$_} = bytes_of(@{ $case{$_} }[ 1, 2 ]) for keys %case;
		for my $number (1 .. $size{slices})
		{
			measure($case{$_}[0], $_, $parameter, $number, $readings, 'reading', $case{$_}[3]->($number)) for sort keys %case;
		}
		for my $case (grep { /binary/ } sort keys %case)
		{
			record($case, $parameter, 1, sprintf('%.3f', (bytes_of(@{ $case{$case} }[ 1, 2 ]) - $empty{$case}) / $readings / $size{slices}), 'bytes/reading');
		}
		%case = ();
		drop_database("readings_$_") for qw(binary text);
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
