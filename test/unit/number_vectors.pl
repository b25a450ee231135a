#!/usr/bin/perl
# Writes vectors for test_number.c, computed with Perl's own Math::BigInt: operation, operands, decimals, result.
use strict;
use warnings;
use Math::BigInt;

srand(20240101);

my @limbs = map { Math::BigInt->new($_) } qw(0x0 0x1 0x2 0x7fffffffffffffff 0x8000000000000000 0x8000000000000001
	0xfffffffffffffffe 0xffffffffffffffff);

# 20 limbs
my $room = Math::BigInt->new(2)->bpow(1280);

# An integer of so many limbs, each of them one at which a carry may go wrong
sub of_limbs
{
	my ($count) = @_;
	my $number = Math::BigInt->new(0);

	$number = $number * Math::BigInt->new(2)->bpow(64) + $limbs[rand @limbs] for 1 .. $count;
	return $number;
}

# An integer of so many digits, some of them with long runs of 0 or 9
sub of_digits
{
	my ($count) = @_;
	my $kind = rand;
	my $digits = join '', map { $kind < 0.2 ? (rand() < 0.1 ? int rand 10 : 9) : $kind < 0.4 ? (rand() < 0.1 ? int rand 10 : 0) : int rand 10 } 1 .. $count;

	return Math::BigInt->new($digits);
}

# Integer and decimals as plain digits, without zeros behind the last one
sub plain
{
	my ($integer, $decimals) = @_;
	my $digits = $integer->copy->babs->bstr;

	$digits = '0' x ($decimals + 1 - length $digits) . $digits if length $digits <= $decimals;
	substr($digits, length($digits) - $decimals, 0) = '.' if $decimals > 0;
	$digits =~ s/0+$// if $decimals > 0;
	$digits =~ s/\.$//;
	return ($integer->is_neg ? '-' : '') . $digits;
}

# numerator / denominator, half away from zero
sub rounded
{
	my ($numerator, $denominator) = @_;
	my $negative = $numerator->is_neg != $denominator->is_neg;
	my ($n, $d) = ($numerator->copy->babs, $denominator->copy->babs);
	my $quotient = (2 * $n + $d) / (2 * $d);

	return $negative ? -$quotient : $quotient;
}

sub power { return Math::BigInt->new(10)->bpow($_[0]) }

# One vector; a number is given as its integer and its decimals
sub vector
{
	my ($name, $a, $a_scale, $b, $b_scale, $decimals, $result) = @_;

	printf qq(\t{"%s", "%s", %d, "%s", %d, %d, "%s"},\n), $name, $a->bstr, $a_scale, $b->bstr, $b_scale, $decimals, $result;
}

sub vectors
{
	my ($a, $a_scale, $b, $b_scale, $decimals) = @_;
	my $scale = $a_scale > $b_scale ? $a_scale : $b_scale;
	my ($x, $y) = ($a * power($scale - $a_scale), $b * power($scale - $b_scale));

	vector('add', $a, $a_scale, $b, $b_scale, $scale, plain($x + $y, $scale));
	vector('subtract', $a, $a_scale, $b, $b_scale, $scale, plain($x - $y, $scale));
	vector('multiply', $a, $a_scale, $b, $b_scale, $a_scale + $b_scale,
		($a * $b)->babs < $room ? plain($a * $b, $a_scale + $b_scale) : 'lost');
	vector('compare', $a, $a_scale, $b, $b_scale, 0, $x <=> $y);
	vector('divide', $a, $a_scale, $b, $b_scale, $decimals, plain(rounded($x * power($decimals), $y), $decimals)) unless $b->is_zero;
	vector('round', $a, $a_scale, $b, $b_scale, $decimals,
		$a_scale > $decimals ? plain(rounded($a, power($a_scale - $decimals)), $decimals) : plain($a, $a_scale));
}

print "/* Made by number_vectors.pl */\n";
for (1 .. 400)
{
	vectors(map({ of_digits(1 + int rand 110) * (rand() < 0.3 ? -1 : 1), int rand 55 } 1 .. 2), (0, 4, 9, 24)[rand 4]);
	vectors(of_limbs(1 + int rand 7) * (rand() < 0.3 ? -1 : 1), 0, of_limbs(1 + int rand 4), 0, 0);
}
# where the guess at a limb of the quotient is one too great, which random numbers do not find
my ($b, $half) = map { Math::BigInt->new(2)->bpow($_) } 64, 63;
for my $negative (1, -1)
{
	vectors($negative * (($half - 1) * $b**3 + $half * $b**2), 0, $half * $b**2 + 1, 0, 0);
	vectors($negative * ($half * $b**2 + 3), 0, Math::BigInt->new(2)->bpow(61) * $b**2 + 1, 0, 0);
	vectors($negative * ($half * $b**4 - 1), 0, $half * $b + $b - 1, 0, 0);
}
# as much as there is room for: 10^368 and what lies beside it
vectors(power(184) - 1, 54, power(184) - 1, 54, 24);
vectors(power(313) + 1, 72, power(258) - 1, 54, 9);
