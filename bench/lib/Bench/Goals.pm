# What is to be reached, beside what was measured.
package Bench::Goals;
use strict;
use warnings FATAL => 'all';

use Bench::Figures;

*figure = \&Bench::Figures::figure;
*parameters = \&Bench::Figures::parameters;
my $show = \&Bench::Figures::show;

# A row: a ratio of the least of each (of rates the most), and of their medians, against a limit that the first may not exceed or fall below;
# without a bound it is no goal, is only to be seen beside one, and stands in parentheses
sub ratio
{
	my ($what, $against, $bound, $limit, $best, $median) = @_;
	my $goal = $bound eq '' ? '' : "$bound $limit x";
	$what = "($what)" if $bound eq '';
	return [ $what, $against, $goal, 'not measured', '', '' ] unless defined $best;
	my $met = $bound eq '' ? '' : ($bound eq '<=' ? $best <= $limit : $best >= $limit) ? 'yes' : '**no**';
	return [ $what, $against, $goal, sprintf('%.2f x', $best), defined $median ? sprintf('%.2f x', $median) : '', $met ];
}

sub quotient
{
	my ($over, $under) = @_;
	return defined $over && $under ? $over / $under : undef;
}

# The same figure at two places
sub compare
{
	my ($what, $against, $bound, $limit, $unit, @places) = @_;
	return ratio($what, $against, $bound, $limit, map { my $of = $_; quotient(map { $of->(@$_, $unit) } @places) } \&Bench::Figures::best, \&Bench::Figures::figure);
}

sub copy_goals
{
	my ($small) = (parameters('copy', qr/^ed25519, 1 line/), 'none');
	my @counts = parameters('growth', qr/^\d+$/);
	@counts = ('none') unless @counts;
	my ($many) = (parameters('large', qr/ packages$/), 'none');
	my $ecert = 'ecert, binary COPY';
	return (
		(map { compare("COPY, Ed25519, $_", 'bare verification', '<=', '1.20', 'us/package', [ 'copy', $small, "ecert, $_ COPY" ], [ 'copy', $small, 'bare verification' ]) } qw(binary text)),
		compare("$counts[-1] packages in one transaction", "1000 in each, a ledger of the same size", '<=', '1.05', 'us/package', [ 'growth', $counts[-1], $ecert ], [ 'growth', "$counts[-1] by 1000", $ecert ]),
		compare('the same', '1000 in one, a new ledger', '<=', '1.05', 'us/package', [ 'growth', $counts[-1], $ecert ], [ 'growth', $counts[0], $ecert ]),
		compare('a plain table there', '1000 in one, a new table', '', '', 'us/package', [ 'growth', $counts[-1], 'plain table' ], [ 'growth', $counts[0], 'plain table' ]),
		map {
			my ($order, $turn) = @$_;
			compare("COPY at ten million packages, $turn", 'empty ledger', '<=', '1.05', 'us/package', [ 'large', "$many$order", $ecert ], [ 'large', "empty$order", $ecert ]),
			compare('a plain table there', 'empty table', '', '', 'us/package', [ 'large', "$many$order", 'plain table' ], [ 'large', "empty$order", 'plain table' ])
		} [ '', 'issuers by turns' ], [ ', feed after feed', 'feed after feed' ]);
}

sub commit_goals
{
	my $eight = '100 issuers; 8 clients';
	my ($many) = (parameters('large', qr/ packages; 8 clients$/), 'none');
	my ($small) = (parameters('copy', qr/^ed25519, 1 line/), 'none');
	# the most there can be: the plain table's rate when its cores verify the signatures too
	my $most = sub {
		my ($of, $peer) = @_;
		my ($plain, $against) = map { $of->('commits', $eight, $_, 'packages/s') } 'plain table', $peer;
		my $bare = $of->('copy', $small, 'bare verification', 'us/package');
		return defined $plain && defined $bare && $against ? 1 / (1 / $plain + $bare / 1e6 / $Bench::Figures::cores) / $against : undef;
	};
	return (
		(map {
			my ($peer, $limit) = @$_;
			compare('commits, 8 clients, 100 issuers', $peer, '>=', $limit, 'packages/s', [ 'commits', $eight, 'ecert' ], [ 'commits', $eight, $peer ]),
			ratio('the plain table, if its processors verified the signatures too', $peer, '', '', map { $most->($_, $peer) } \&Bench::Figures::best, \&figure)
		} [ 'plain table', '0.90' ], [ 'usual recipe', '3' ]),
		compare('commits at ten million packages, 8 clients', 'empty ledger', '>=', '0.95', 'packages/s', [ 'large', $many, 'ecert' ], [ 'large', 'empty; 8 clients', 'ecert' ]));
}

sub moved_goals
{
	my @cases = map { [ 'moved', '8 clients', $_ ] } 'ecert', 'ecert without ledger.moved';
	return (compare('commits, 8 clients', 'without ledger.moved', '>=', '0.97', 'packages/s', @cases), compare('the same, processor time a package', 'without ledger.moved', '<=', '1.03', 'us CPU/package', @cases));
}

sub reading_goals
{
	my %limit = (1 => [ 3, 8 ], 3 => [ 6, 15 ]);
	my @rows;
	for my $sources (1, 3)
	{
		my $parameter = "96 x $sources a day";
		for my $peer ('rows by name', 'rows by number')
		{
			# rows with an integer for who and what are beyond the goal
			my ($time, $bytes) = map { $peer eq 'rows by name' ? [ '>=', $_ ] : [ '', '' ] } @{ $limit{$sources} };
			push @rows, compare("readings, $parameter: time of the rows", "packed; $peer", @$time, 'us/reading', map { [ 'readings', $parameter, "$_, binary" ] } $peer, 'ecert'),
				ratio('the same', "its signature alone; $peer", '', '', map { signature_alone($_, $parameter, 96 * $sources, $peer) } \&Bench::Figures::best, \&figure),
				compare("readings, $parameter: bytes of the rows", "packed; $peer", @$bytes, 'bytes/reading', map { [ 'readings', $parameter, "$_, binary" ] } $peer, 'ecert');
		}
	}
	return @rows;
}

# How often the signature of a package is verified in the time in which its readings are stored as rows
sub signature_alone
{
	my ($of, $parameter, $readings, $peer) = @_;
	my ($small) = (parameters('copy', qr/^ed25519, 1 line/), 'none');
	return quotient(map { defined $_->[0] ? $_->[0] * $_->[1] : undef } [ $of->('readings', $parameter, "$peer, binary", 'us/reading'), $readings ], [ $of->('copy', $small, 'bare verification', 'us/package'), 1 ]);
}

# A figure by itself, its least and its median, against a limit
sub absolute
{
	my ($what, $bound, $limit, $unit, $best, $median) = @_;
	my $goal = "$bound " . $show->($limit) . " $unit";
	return [ $what, '', $goal, 'not measured', '', '' ] unless defined $best;
	return [ $what, '', $goal, map({ $show->($_) . " $unit" } $best, $median), ($bound eq '<=' ? $best <= $limit : $best >= $limit) ? 'yes' : '**no**' ];
}

sub verify_goals
{
	my @rows;
	for my $parameter (parameters('verify', qr/; \d process/))
	{
		push @rows, compare("$_, $parameter: rate", 'bare verification', '>=', '0.90', 'us/package', [ 'verify', $parameter, 'bare verification' ], [ 'verify', $parameter, $_ ])
			for 'verify_ledger', 'a step of verify_ledger';
	}
	my ($ten) = (parameters('large', qr/^[\d,]+ packages$/), 'none');
	push @rows, compare("a part of $ten, 1 process: rate", 'bare verification', '>=', '0.90', 'us/package', [ 'large', $ten, 'bare verification' ], [ 'large', $ten, 'verify a range' ]) if $ten ne 'none';
	for my $section (qw(checkpoint large))
	{
		my ($parameter) = (parameters($section, qr/^[\d,]+ packages$/), undef);
		next unless defined $parameter;
		my @us = map { $_->($section, $parameter, 'checkpoint', 'us/package') } \&Bench::Figures::best, \&figure;
		push @rows, absolute("checkpoint over $parameter", '>=', 100_000, 'packages/s', map { defined $_ ? 1e6 / $_ : undef } @us),
			absolute("receipt at $parameter, median", '<=', 0.3, 'ms', map { $_->($section, $parameter, 'receipt', 'ms') } \&Bench::Figures::best, \&figure);
	}
	return @rows;
}

sub sealing_goals
{
	my ($feeds) = parameters('checkpoint', qr/ feeds$/);
	return () unless defined $feeds;
	my %limit = ('sealing, nothing new' => 5, 'sealing, five new packages' => 10);
	return map {
		my $case = $_;
		absolute("$case, $feeds", '<=', $limit{$case}, 'ms', map { my $us = $_->('checkpoint', $feeds, $case, 'us/sealing'); defined $us ? $us / 1000 : undef } \&Bench::Figures::best, \&figure);
	} sort keys %limit;
}

sub query_goals
{
	return (
		(map { compare("energy by month and source, $_", 'plain rows', '<=', 2, 'us/row', [ 'aggregate', $_, 'ledger.energy_use' ], [ 'aggregate', $_, 'plain rows' ]) }
			'readings packed by day', 'three lines a package', "real plants' months"),
		compare('assess, all 1361 plants, every figure', 'hand-written SQL', '<=', '1.5', 'us/plant', map { [ 'assess', 'all 1361 plants, every figure', $_ ] } 'ecert.assess()', 'hand-written SQL'),
		compare('assess, all 1361 plants, the saving alone', 'a shorter query for it', '', '', 'us/plant', map { [ 'assess', 'all 1361 plants, the saving alone', $_ ] } 'ecert.assess()', 'hand-written SQL'));
}

sub table
{
	my @rows = (copy_goals(), commit_goals(), moved_goals(), reading_goals(), verify_goals(), sealing_goals(), query_goals());
	my @measured = grep { $_->[3] ne 'not measured' } @rows;
	my %missing = map { ($_->[0] => 1) } grep { $_->[3] eq 'not measured' && $_->[0] !~ /^the same|^\(|none/ } @rows;
	return "### Goals\n\n" . Bench::Figures::markdown([ 'what', 'against', 'goal', 'least of each', 'medians', 'met' ], @measured) . "\n"
		. (%missing ? 'Not measured: ' . join('; ', sort keys %missing) . ".\n\n" : '');
}

1;
