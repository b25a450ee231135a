#!/usr/bin/perl
# Writes vectors for test_calendar.c: of some zones the offsets from UTC, and civil spans round times, all of them by the C
# library's time zones alone (localtime()).  Where this system does not know a zone it is left out.
use strict;
use warnings;
use POSIX ();

srand(20250101);

my ($first, $last) = (946684800, 4133980800);	# 2000 to 2101

sub enter
{
	$ENV{TZ} = $_[0];
	POSIX::tzset();
	return;
}

# Seconds that clocks are ahead of UTC where TZ says
sub offset
{
	my ($at) = @_;
	my ($second, $minute, $hour, $day, $month, $year) = localtime $at;
	return days($year + 1900, $month + 1, $day) * 86400 + $hour * 3600 + $minute * 60 + $second - $at;
}

# Days since 1970-01-01, counted year by year and month by month
my %days_before;
sub days
{
	my ($year, $month, $day) = @_;
	$days_before{"$year-$month"} //= do
	{
		my $count = 0;
		my $leap = sub { return $_[0] % 4 == 0 && ($_[0] % 100 != 0 || $_[0] % 400 == 0) };
		$count += $leap->($_) ? 366 : 365 for 1970 .. $year - 1;
		$count += $_ == 2 ? ($leap->($year) ? 29 : 28) : $_ == 4 || $_ == 6 || $_ == 9 || $_ == 11 ? 30 : 31 for 1 .. $month - 1;
		$count;
	};
	return $days_before{"$year-$month"} + $day - 1;
}

# [from, seconds] of the zone, which changes at most once in ten days
sub offsets
{
	my @offsets = ([ $first, offset($first) ]);
	for (my $at = $first; $at < $last; $at += 10 * 86400)
	{
		my ($low, $high, $end) = ($at, $at + 10 * 86400, offset($at + 10 * 86400));
		next if $end == $offsets[-1][1];
		while ($high - $low > 1)
		{
			my $middle = int(($low + $high) / 2);
			offset($middle) == $end ? ($high = $middle) : ($low = $middle);
		}
		push @offsets, [ $high, $end ];
	}
	return @offsets;
}

# From when on no clock shows an earlier date than this any more: the last second that shows less, from above in steps of ten minutes
# and then in seconds
sub day_start
{
	my $clock = 86400 * days(@_);
	my $shows_less = sub { return $_[0] + offset($_[0]) < $clock };
	my $at = $clock + 27 * 3600;
	$at -= 600 until $shows_less->($at);
	my ($low, $high) = ($at, $at + 600);
	while ($high - $low > 1)
	{
		my $middle = int(($low + $high) / 2);
		$shows_less->($middle) ? ($low = $middle) : ($high = $middle);
	}
	return $high;
}

sub add_months
{
	my ($year, $month, $months) = @_;
	my $all = $year * 12 + $month - 1 + $months;
	return (POSIX::floor($all / 12), $all - 12 * POSIX::floor($all / 12) + 1);
}

my %zones = (
	'Asia/Shanghai' => [ 1 ], 'Europe/Berlin' => [ 1, 7 ], 'Asia/Kolkata' => [ 4 ], 'Australia/Lord_Howe' => [ 7 ], 'America/Sao_Paulo' => [ 2 ],
	'Pacific/Apia' => [ 1 ], 'Pacific/Kiritimati' => [ 1 ], 'America/New_York' => [ 10 ], 'Africa/Cairo' => [ 7 ], 'UTC' => [ 1, 12 ],
);

my (@zones, @spans);
for my $zone (sort keys %zones)
{
	enter($zone);
	next if $zone ne 'UTC' && !-e "/usr/share/zoneinfo/$zone";
	my @offsets = offsets();
	for my $start (@{ $zones{$zone} })
	{
		push @zones, sprintf "\t{\"%s\", %d, %d, (const EcertOffset[]) {%s}}", $zone, $start, scalar @offsets, join ', ', map { "{$_->[0], $_->[1]}" } @offsets;
		my $number = $#zones;
		# times round changes of the offset, round turns of years and months, and any
		my @times = map { my $from = $_->[0]; map { $from + $_ } -1, 0, 3599, int(rand 86400) } @offsets[ map { int rand @offsets } 1 .. 6 ];
		push @times, map { $first + int rand($last - $first) } 1 .. 30;
		for my $at (@times)
		{
			my @local = localtime $at;
			my ($year, $month, $day) = ($local[5] + 1900, $local[4] + 1, $local[3]);
			my $begin = day_start($year, $month, $day);
			# an hour that comes twice across midnight
			if ($begin > $at)
			{
				@local = localtime($begin - 86400 + 7200);
				($year, $month, $day) = ($local[5] + 1900, $local[4] + 1, $local[3]);
				$begin = day_start($year, $month, $day);
			}
			my $behind = ($month - $start + 12) % 12;
			my @month = ($year, $month);
			my @quarter = add_months(@month, -($behind % 3));
			my @year = add_months(@month, -$behind);
			my $named = (add_months(@year, 11))[0];
			push @spans, sprintf "\t{%d, %d, %d, %d, %d, %d, %d, %d, %d, %d}", $number, $at, $begin,
				(map { day_start(@$_, 1) } \@month, [ add_months(@month, 1) ], \@quarter, [ add_months(@quarter, 3) ], \@year, [ add_months(@year, 12) ]), $named;
		}
	}
}
print "/* Made by calendar_vectors.pl */\nstatic const struct\n{\n\tconst char *zone;\n\tint year_start;\n\tsize_t offset_count;\n\tconst EcertOffset *offsets;\n}\tzones[] = {\n", join(",\n", @zones), "\n};\n\n";
print "/* zone, time, begin of its day, month, quarter and fiscal year from and to, year that the fiscal year ends in */\nstatic const struct\n{\n\tsize_t zone;\n\tint64_t at, day, month, month_end, quarter, quarter_end, year, year_end, named;\n}\tspans[] = {\n", join(",\n", @spans), "\n};\n";
