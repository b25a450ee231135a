# Tables, goals and plots out of the figures of bench/run.sh.
#   report.pl RESULTS LEVEL   prints them, and writes tables.md and plots/*.svg into the folder of results
#   report.pl RESULTS docs    puts those of the levels full and large into docs/performance.md and docs/plots
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Bench::Figures;
use Bench::Goals;
use Bench::Plots;

my ($folder, $level) = @ARGV;

sub write_file
{
	my ($file, $text) = @_;
	open my $out, '>', $file or die "$file: $!";
	print $out $text;
	close $out or die "$file: $!";
	return;
}

# What stands between two marks of a text becomes something else
sub replace
{
	my ($text, $mark, $content) = @_;
	$$text =~ s/(<!-- $mark -->\n).*?(<!-- end of $mark -->)/$1$content$2/s or die "docs/performance.md has no mark $mark\n";
	return;
}

if ($level ne 'docs')
{
	Bench::Figures::read_file("$folder/$level.csv");
	my $text = Bench::Figures::tables() . Bench::Goals::table();
	print "\n$text\n";
	write_file("$folder/tables.md", Bench::Figures::machine() . $text);
	Bench::Plots::draw("$folder/plots");
	exit 0;
}

my $page = "$FindBin::RealBin/../docs/performance.md";
my $text = do { open my $in, '<', $page or die "$page: $!"; local $/ = undef; <$in> };
my @levels = grep { -s "$folder/$_.csv" } qw(full large);
Bench::Figures::read_file("$folder/$_.csv") for @levels;
replace(\$text, 'machine', Bench::Figures::machine());
replace(\$text, 'goals', Bench::Goals::table());
replace(\$text, 'tables', Bench::Figures::tables());
write_file($page, $text);
Bench::Plots::draw("$FindBin::RealBin/../docs/plots");
