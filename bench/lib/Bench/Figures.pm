# The figures of a run: read from its CSV, and shown as tables.
package Bench::Figures;
use strict;
use warnings FATAL => 'all';

use List::Util qw(max min);

# by section, parameter, case and unit: all values; sections, parameters and cases in the order of the file
our (%figures, %order, @machine, $cores);

# Sections: title, and the case that others are a multiple of
my @sections = (
	[ copy => 'COPY of signed packages', qr/^bare/ ],
	[ growth => 'By number of packages in one transaction', qr/^bare/ ],
	[ commits => 'Single-package commits', qr/^plain table/ ],
	[ moved => 'Commits with and without ledger.moved', qr/without/ ],
	[ readings => '15-minute readings packed by day', qr/^rows by name/ ],
	[ verify => 'The whole ledger verified', qr/^bare/ ],
	[ checkpoint => 'Sealing and receipts', undef ],
	[ aggregate => 'Energy by month and source over the whole ledger', qr/^plain rows/ ],
	[ assess => 'Assessment of real plants', qr/^hand-written/ ],
	[ replication => 'Replication', qr/^bare/ ],
	[ hypercore => 'hypercore', undef ],
	[ large => 'Ten million packages beside an empty ledger', qr/^bare/ ],
);

# The fields of a line of CSV
sub fields
{
	my ($line) = @_;
	my @fields;
	push @fields, defined $1 ? $1 : $2 while $line =~ /\G(?:"([^"]*)"|([^,\n]*))(?:,|\n)/g;
	return @fields;
}

sub read_file
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!";
	while (my $line = <$in>)
	{
		my ($section, $case, $parameter, $repetition, $value, $unit) = fields($line);
		if ($section eq 'machine')
		{
			push @machine, [ $case, $value ];
			($cores) = $value =~ /(\d+) cores/ if $case eq 'processor';
			next;
		}
		push @{ $order{$section} }, $parameter unless exists $figures{$section}{$parameter};
		push @{ $order{"$section $parameter"} }, $case unless exists $figures{$section}{$parameter}{$case};
		push @{ $figures{$section}{$parameter}{$case}{$unit} }, $value;
	}
	return;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[ $#sorted / 2 ] : ($sorted[ @sorted / 2 - 1 ] + $sorted[ @sorted / 2 ]) / 2;
}

# All values of a figure, none when it was not measured
sub values_of
{
	my ($section, $parameter, $case, $unit) = @_;
	my $at = $figures{$section} // return;
	$at = $at->{$_} // return for $parameter, $case, $unit;
	return @$at;
}

# The median, undefined when it was not measured
sub figure
{
	my @values = values_of(@_);
	return @values ? median(@values) : undef;
}

# The least, of rates the most: what else runs on the machine only makes things slower. Of memory the most that was seen
sub best
{
	my @values = values_of(@_);
	return undef unless @values;
	return $_[3] =~ m{/s$|kB$} ? max(@values) : min(@values);
}

# Parameters of a section that look like this, in order
sub parameters
{
	my ($section, $pattern) = @_;
	return grep { $_ =~ $pattern } @{ $order{$section} // [] };
}

sub cases
{
	my ($section, $parameter) = @_;
	return @{ $order{"$section $parameter"} // [] };
}

# Three digits that count, thousands apart
sub show
{
	my ($value) = @_;
	return '' unless defined $value;
	my $text = abs($value) >= 100 ? sprintf('%.0f', $value) : abs($value) >= 10 ? sprintf('%.1f', $value) : abs($value) >= 1 ? sprintf('%.2f', $value) : sprintf('%.3f', $value);
	1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
	return $text;
}

# The case that one is a multiple of: the reference of the same parameter and format
sub reference
{
	my ($section, $parameter, $case, $pattern) = @_;
	return undef unless defined $pattern;
	my ($format) = $case =~ /, (binary|text)$/;
	my @found = grep { $_ =~ $pattern } cases($section, $parameter);
	@found = grep { /, $format$/ } @found if defined $format && grep { /, $format$/ } @found;
	return $found[0];
}

sub table_row
{
	my ($section, $parameter, $case, $unit, $pattern) = @_;
	my @values = values_of($section, $parameter, $case, $unit);
	my $reference = reference($section, $parameter, $case, $pattern);
	my ($median, $best) = map { defined $reference ? $_->($section, $parameter, $reference, $unit) : undef } \&figure, \&best;
	my $private = $unit =~ m{^us/} ? best($section, $parameter, $case, 'private kB') : undef;
	return [ $parameter, $case, $unit, show(median(@values)), @values > 1 ? show(min(@values)) . ' .. ' . show(max(@values)) : '',
		$median ? show(median(@values) / $median) : '', $best ? show(best($section, $parameter, $case, $unit) / $best) : '', defined $private ? sprintf('%.1f', $private / 1024) : '' ];
}

# Markdown: the columns in which there is something
sub markdown
{
	my ($head, @rows) = @_;
	my @used = grep { my $i = $_; grep { ($_->[$i] // '') ne '' } @rows } 0 .. $#$head;
	return join '', map { '| ' . join(' | ', map { $_ // '' } @$_[@used]) . " |\n" } $head, [ ('---') x @$head ], @rows;
}

sub section_table
{
	my ($section, $title, $pattern) = @_;
	my @rows;
	for my $parameter (@{ $order{$section} // [] })
	{
		for my $case (cases($section, $parameter))
		{
			push @rows, map { table_row($section, $parameter, $case, $_, $pattern) }
				grep { !/kB$/ } sort { $b cmp $a } keys %{ $figures{$section}{$parameter}{$case} };
		}
	}
	my $of = defined $pattern ? 'of ' . "$pattern" =~ s/^.*\^(.*?)\)$/$1/r : '';
	return @rows ? "### $title\n\n" . markdown([ 'of what', 'case', 'figure', 'median', 'least .. most', "$of, medians", "$of, least of each", 'private MB' ], @rows) . "\n" : '';
}

sub tables
{
	return join '', map { section_table(@$_) } @sections;
}

sub machine
{
	my %seen;
	return join('', map { "| $_->[0] | $_->[1] |\n" } [ 'measured on', '' ], [ '---', '---' ], grep { !$seen{"@$_"}++ } @machine) . "\n";
}

1;
