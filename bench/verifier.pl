# How fast ecert-verify checks a ledger; verifier.sh runs it and says what it takes.
use strict;
use warnings FATAL => 'all';
use Cwd qw(realpath);
use File::Temp qw(tempdir);
use FindBin;
use List::Util qw(max min sum);
use Time::HiRes qw(time);

my $packages = $ENV{PACKAGES} // 100_000;
my $repeats = $ENV{REPEATS} // 5;
my $mixed = ($ENV{MIXED} // '') ne '';
my $project = realpath("$FindBin::RealBin/..");
my $verifier = "$project/src/verifier/ecert-verify";
my ($cores) = `getconf _NPROCESSORS_ONLN` =~ /(\d+)/;
my $folder = tempdir(CLEANUP => 1);
local $ENV{TMPDIR} = $folder;
$| = 1;

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return $sorted[ $#sorted / 2 ];
}

sub make_ledger
{
	my ($name, @options) = @_;
	my @command = ("$project/build/verifier/make-ledger", '--applicants', 100, '--months', int($packages / 200),
		$mixed ? '--mixed' : (), @options);
	system("@command > '$folder/$name'") == 0 or die "the ledger could not be made\n";
	return "$folder/$name";
}

# Cut a text dump into as many parts as there are cores, which verify-rate takes one each
sub parts
{
	my ($dump) = @_;
	open my $in, '<', $dump or die;
	my @files;
	for my $i (0 .. $cores - 1)
	{
		open $files[$i], '>', "$folder/part-$i" or die;
	}
	while (my $line = <$in>)
	{
		print { $files[ $. % $cores ] } $line;
	}
	close $_ for @files;
	return map { "$folder/part-$_" } 0 .. $cores - 1;
}

# Bare verification in as many processes as there are parts, at once: packages a second of all, microseconds of CPU for one
sub bare
{
	my (@parts) = @_;
	my @pipes = map { open my $pipe, '-|', "'$project/bench/verify-rate' 1 < '$_'" or die; $pipe } @parts;
	my ($rate, $cpu, $count) = (0, 0, 0);
	for my $pipe (@pipes)
	{
		my @lines = <$pipe>;
		my ($number, $seconds, $of_cpu) = split ' ', $lines[-1];
		$rate += $number / $seconds;
		$cpu += $of_cpu;
		$count += $number;
		close $pipe or die "verify-rate failed\n";
	}
	return ($rate, $cpu / $count * 1e6);
}

# The whole of ecert-verify
sub verify
{
	my ($dump, $jobs, $count) = @_;
	my ($before, $began) = (sum((times)[ 2, 3 ]), time);
	system($verifier, '--quiet', '--jobs', $jobs, $dump) == 0 or die "the ledger does not verify\n";
	my ($elapsed, $cpu) = (time - $began, sum((times)[ 2, 3 ]) - $before);
	return ($count / $elapsed, $cpu / $count * 1e6);
}

print "Making a ledger of about $packages packages ...\n";
my $text = make_ledger('text');
my $binary = make_ledger('binary', '--binary');
my $random = make_ledger('random', '--order', 'random');
my @parts = parts($text);
my ($count) = `'$verifier' --json '$text'` =~ /"packages": (\d+)/;

my @names = ('bare verification, one core', "bare verification, $cores at once", 'ecert-verify --jobs 1, binary', "ecert-verify --jobs $cores, binary",
	"ecert-verify --jobs $cores, text", "ecert-verify --jobs $cores, text in any order");
my %rates;
my %cpu;
for my $i (1 .. $repeats)
{
	my @measured = ([ bare($parts[0]) ], [ bare(@parts) ], [ verify($binary, 1, $count) ], [ verify($binary, $cores, $count) ],
		[ verify($text, $cores, $count) ], [ verify($random, $cores, $count) ]);
	for my $j (0 .. $#names)
	{
		push @{ $rates{ $names[$j] } }, $measured[$j][0];
		push @{ $cpu{ $names[$j] } }, $measured[$j][1];
	}
	print "round $i of $repeats is done\n";
}

printf "\n%d packages, %d bytes each on average, %d cores, load %s\n\n", $count, (-s $binary) / $count, $cores, join ' ', (split ' ', `cat /proc/loadavg`)[ 0 .. 2 ];
print "| packages/s | median | of bare | best | of bare's best | CPU of a package |\n|---|---|---|---|---|---|\n";
for my $j (0 .. $#names)
{
	my @list = @{ $rates{ $names[$j] } };
	my @bare = @{ $rates{ $names[ $j == 0 || $j == 2 ? 0 : 1 ] } };
	printf "| %s | %.0f | %.2f | %.0f | %.2f | %.1f us |\n", $names[$j], median(@list), median(@list) / median(@bare), max(@list),
		max(@list) / max(@bare), min(@{ $cpu{ $names[$j] } });
}
