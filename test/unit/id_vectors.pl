#!/usr/bin/perl
# Which characters perl's Unicode tables put into the categories Cc, Cf, Zl and Zp, and which it does not know, as ranges
# for test_id.c: by a program that shares nothing with what is tested.
use strict;
use warnings;

sub ranges {
	my ($name, $pattern) = @_;
	my @ranges;
	for my $point (grep { $_ < 0xD800 || $_ > 0xDFFF } 0 .. 0x10FFFF) {
		next unless chr($point) =~ $pattern;
		if (@ranges && $ranges[-1][1] == $point - 1) { $ranges[-1][1] = $point }
		else { push @ranges, [ $point, $point ] }
	}
	printf "static const uint32_t %s[][2] = {\n", $name;
	printf "\t{0x%04X, 0x%04X},\n", @$_ for @ranges;
	print "};\n";
}

ranges('unseen_by_perl', qr/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/);
ranges('unknown_to_perl', qr/\p{Cn}/);
