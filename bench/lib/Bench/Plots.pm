# Plots of the figures: SVG by gnuplot.
package Bench::Plots;
use strict;
use warnings FATAL => 'all';

use Bench::Figures;
use List::Util qw(max min);

*figure = \&Bench::Figures::figure;
*parameters = \&Bench::Figures::parameters;

my %color = (
	'bare verification' => '#777777', 'ecert, binary COPY' => '#1f6fb4', 'ecert, text COPY' => '#7fb8e6', ecert => '#1f6fb4', 'plain table' => '#e08a1e',
	'usual recipe' => '#b8323a', 'recipe by issuer' => '#d98c93', verify_ledger => '#1f6fb4', 'a step of verify_ledger' => '#7fb8e6', 'verify_ledger, two processes' => '#7fb8e6', COPY => '#2a8f57', 'rows by name' => '#e08a1e', 'rows by number' => '#f0c070', packed => '#1f6fb4',
);
my $blocks = 0;

# A named block of data of a script, out of lines
sub block
{
	my (@lines) = @_;
	my $name = '$data' . ++$blocks;
	return ($name, "$name << END\n" . join('', map { "$_\n" } @lines) . "END\n");
}

sub draw_one
{
	my ($file, $width, $height, $script) = @_;
	return if $script eq '';
	open my $gnuplot, '|-', 'gnuplot' or die "gnuplot: $!";
	print $gnuplot "set terminal svg size $width,$height dynamic noenhanced background rgb 'white' font 'Helvetica,13'\nset output '$file'\n",
		"set grid ytics lc rgb '#dddddd'\nset border 3\nset tics nomirror\nset key below center horizontal samplen 2 font ',11'\n$script\nunset output\n";
	close $gnuplot or die "gnuplot has failed\n";
	return;
}

# The figures that are drawn: the least (of rates the most), and the median
sub drawn
{
	return (Bench::Figures::best(@_), figure(@_));
}

# Lines over a number: the least (of rates the most), and dashed the median. Each series: title, [number, least, median] ...
sub lines_over
{
	my ($title, $x, $y, $settings, @series) = @_;
	my ($data, @plots, @numbers) = ('');
	for my $series (grep { @$_ > 1 } @series)
	{
		my ($name, @points) = @$series;
		push @numbers, map { $_->[0] } @points;
		my ($block, $text) = block(map { "@$_" } @points);
		$data .= $text;
		my $color = $color{$name} // '#333333';
		push @plots, "$block using 1:3 with lines lw 2 dt 2 lc rgb '$color' notitle", "$block using 1:2 with linespoints lw 2 pt 7 ps 0.5 lc rgb '$color' title '$name'";
	}
	return '' unless @plots;
	# these are logarithmic
	my $range = min(@numbers) / 1.3 . ':' . max(@numbers) * 1.3;
	return "${data}set title '$title'\nset xlabel '$x'\nset ylabel '$y'\nset xrange [$range]\nset yrange [0:*]\nset bmargin 7\n$settings\nplot " . join(', ', @plots) . "\n";
}

# Groups of bars: the least (of rates the most), with a line to the median. Each series: title, [least, median] for each group
sub bars
{
	my ($title, $y, $settings, $groups, @series) = @_;
	my @lines = map { my $i = $_; join ' ', "\"$groups->[$i]\"", map { map { $_ // 'NaN' } @{ $_->[ $i + 1 ] }[ 0, 1 ] } @series } 0 .. $#$groups;
	my ($block, $text) = block(@lines);
	my $column = 0;
	my $plots = join ', ', map { $column += 2; my $median = $column + 1; "$block using $column:$column:$median:xtic(1) title '$_->[0]' lc rgb '" . ($color{ $_->[0] } // '#333333') . "'" } @series;
	return "${text}set title '$title'\nunset xlabel\nset ylabel '$y'\nset style data histograms\nset style histogram errorbars gap 1 lw 1\nset style fill solid border -1\n"
		. "set boxwidth 0.9\nset yrange [0:*]\nset bmargin 6\n$settings\nplot $plots\n";
}

# Two plots beside each other
sub beside
{
	my (@scripts) = grep { $_ ne '' } @_;
	return '' unless @scripts;
	return 'set multiplot layout 1,' . @scripts . "\n" . join("unset logscale\nset xtics autofreq\nset autoscale x\n", @scripts) . "unset multiplot\n";
}

sub draw_copy
{
	my ($folder) = @_;
	my @parameters = parameters('copy', qr//) or return;
	my @series = map { my $case = $_; [ $case, map { [ drawn('copy', $_, $case, 'us/package') ] } @parameters ] }
		'bare verification', 'ecert, binary COPY', 'ecert, text COPY', 'plain table', 'usual recipe';
	my @groups = map { s/, /\\n/gr } @parameters;
	draw_one("$folder/copy.svg", 900, 420, bars('COPY of signed packages', 'us a package (logarithmic)', "set logscale y\nset yrange [1:*]\nset bmargin 7", \@groups, @series));
	return;
}

# Lines of cases of a section over parameters that are numbers
sub series_over
{
	my ($section, $unit, $pattern, @cases) = @_;
	my $scale = $unit =~ /kB$/ ? 1024 : 1;
	return map {
		my $case = $_;
		[ $case, map { my ($number) = $_ =~ $pattern; my @found = drawn($section, $_, $case, $unit); defined $found[0] ? [ $number, map { $_ / $scale } @found ] : () }
			parameters($section, $pattern) ]
	} @cases;
}

sub draw_growth
{
	my ($folder) = @_;
	my $thousands = "set logscale x\nset format x '%.0s%c'";
	my ($copied) = series_over('growth', 'private kB', qr/^(\d+)$/, 'ecert, binary COPY');
	my ($one) = series_over('verify', 'private kB', qr/^(\d+) packages; 1 process$/, 'verify_ledger');
	my ($two) = series_over('verify', 'private kB', qr/^(\d+) packages; 2 processes$/, 'verify_ledger');
	$_->[1][0] = $_->[0] for grep { defined $_->[1] } [ 'COPY', $copied ], [ 'verify_ledger', $one ], [ 'verify_ledger, two processes', $two ];
	draw_one("$folder/growth.svg", 900, 380, beside(
		lines_over('COPY in one transaction', 'packages in the transaction', 'us a package', $thousands,
			series_over('growth', 'us/package', qr/^(\d+)$/, 'bare verification', 'ecert, binary COPY', 'plain table')),
		lines_over('Private memory of the server process', 'packages', 'MB', $thousands, $copied // [], $one // [], $two // [])));
	return;
}

sub draw_commits
{
	my ($folder) = @_;
	my @plots = map {
		my ($title, $pattern) = @$_;
		lines_over($title, 'clients', 'packages a second', "set logscale x 2\nset xtics (1, 2, 4, 8, 16)", series_over('commits', 'packages/s', $pattern,
			'ecert', 'plain table', 'usual recipe', 'recipe by issuer'))
	} [ 'Single-package commits, 100 issuers', qr/^100 issuers; (\d+) clients?$/ ], [ 'One issuer', qr/^1 issuer; (\d+) clients?$/ ];
	draw_one("$folder/commits.svg", 900, 400, beside(@plots));
	return;
}

sub draw_readings
{
	my ($folder) = @_;
	my @parameters = parameters('readings', qr//) or return;
	my %case = (packed => 'ecert, binary', 'rows by name' => 'rows by name, binary', 'rows by number' => 'rows by number, binary');
	my ($rates, $bytes) = map {
		my $unit = $_;
		[ map { my $case = $_; [ $case, map { [ map { defined $_ && $unit =~ /^us/ ? 1 / $_ : $_ } drawn('readings', $_, $case{$case}, $unit) ] } @parameters ] } 'packed', 'rows by name', 'rows by number' ]
	} 'us/reading', 'bytes/reading';
	draw_one("$folder/readings.svg", 900, 360, beside(bars('15-minute readings, COPY', 'million readings a second', '', \@parameters, @$rates),
		bars('On disk, with indexes and TOAST', 'bytes a reading', '', \@parameters, @$bytes)));
	return;
}

sub draw_verify
{
	my ($folder) = @_;
	my @parameters = parameters('verify', qr/; \d process/) or return;
	my @series = map { my $case = $_; [ $case, map { [ map { defined $_ ? 1e6 / $_ : undef } drawn('verify', $_, $case, 'us/package') ] } @parameters ] } 'bare verification', 'a step of verify_ledger', 'verify_ledger';
	draw_one("$folder/verify.svg", 900, 360, bars('The whole ledger verified', 'packages a second', '', [ map { s/; /\\n/r } @parameters ], @series));
	return;
}

sub draw_large
{
	my ($folder) = @_;
	my ($many) = parameters('large', qr/ packages$/) or return;
	my @groups = ('empty', $many);
	my @orders = map { ($_, "$_, feed after feed") } @groups;
	my $millions = sprintf('%.3g million', ($many =~ s/\D//gr) / 1e6);
	my @labels = map { ("$_\\nby turns", "$_\\nin feeds") } 'empty', $millions;
	my @copy = map { my $case = $_; [ $case, map { [ drawn('large', $_, $case, 'us/package') ] } @orders ] } 'bare verification', 'ecert, binary COPY', 'plain table';
	my @commits = map { my $case = $_; [ $case, map { [ drawn('large', "$_; 8 clients", $case, 'packages/s') ] } @groups ] } 'ecert', 'plain table';
	draw_one("$folder/large.svg", 900, 360, beside(bars('COPY of signed packages', 'us a package', '', \@labels, @copy),
		bars('Single-package commits, 8 clients', 'packages a second', '', [ 'empty', $millions ], @commits)));
	return;
}

sub draw
{
	my ($folder) = @_;
	mkdir $folder unless -d $folder;
	$_->($folder) for \&draw_copy, \&draw_growth, \&draw_commits, \&draw_readings, \&draw_verify, \&draw_large;
	return;
}

1;
