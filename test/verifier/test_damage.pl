# Dumps that are cut off at any byte or have one bit changed: never valid, never a crash.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use VerifierTest;

my $bits = $ENV{BITS} // ($ENV{ECERT_TEST_SHORT} ? 60 : 300);
# a sanitizer takes long to start: it is shown a part of the cuts, as is a run that has to be short
my $step = $verifier =~ /sanitize/ ? 11 : $ENV{ECERT_TEST_SHORT} ? 5 : 1;
srand 1;

# Genesis comes last, so that what is left of a dump that is cut off between two rows is no ledger
for my $form ('text', 'binary')
{
	my $dump = slurp(make_ledger('whole', '--applicants', 1, '--months', 1, '--checkpoints', 1, '--order', 'back', $form eq 'binary' ? '--binary' : ()));
	my %exits;
	my @wrong;
	for my $size (grep { $_ % $step == 0 } 0 .. length($dump) - 1)
	{
		my ($status) = run_verifier(spew("$folder/cut", substr $dump, 0, $size), '--quiet', '--jobs', 2);
		$exits{$status}++;
		push @wrong, $size if $status != 1 && $status != 2;
	}
	is("@wrong", '', "$form: cut off at " . ($step == 1 ? 'any of ' : 'some of ') . length($dump) . ' bytes it is not valid');
	is(join(' ', sort keys %exits), '2', "$form: and could not be checked");
	my ($status) = run_verifier(spew("$folder/cut", $dump), '--quiet');
	is($status, 0, "$form: but whole it is");

	my @missed;
	for (1 .. $bits)
	{
		my $changed = $dump;
		my $at = int rand length $dump;
		my $bit = int rand 8;
		substr($changed, $at, 1) ^= chr(1 << $bit);
		# in hexadecimal digits, a change of case is none
		next if lc $changed eq lc $dump;
		($status) = run_verifier(spew("$folder/changed", $changed), '--quiet', '--jobs', 2);
		push @missed, "byte $at bit $bit: $status" if $status != 1 && $status != 2;
	}
	is("@missed", '', "$form: $bits changes of one bit are all caught");
}

# What comes after the cut, or in place of a row
my $binary = slurp(make_ledger('binary', '--binary'));
for my $case (
	[ 'nothing at all', '', 2 ],
	[ 'bytes behind the end mark', $binary . 'x', 2 ],
	[ 'a row with two columns', substr($binary, 0, -2) . "\0\2\0\0\0\1a\0\0\0\1b" . "\xff\xff", 2 ],
	[ 'a row that is NULL', substr($binary, 0, -2) . "\0\1\xff\xff\xff\xff" . "\xff\xff", 1 ],
	[ 'a row longer than any package', substr($binary, 0, -2) . "\0\1" . pack('N', 100000) . 'a' x 100000 . "\xff\xff", 1 ],
	[ 'a row longer than a block', substr($binary, 0, -2) . "\0\1" . pack('N', 1000000) . 'a' x 1000000 . "\xff\xff", 1 ],
	[ 'a row that says it is 2 GB', substr($binary, 0, -2) . "\0\1\x7f\xff\xff\xff", 2 ],
	[ 'a negative length', substr($binary, 0, -2) . "\0\1\x80\0\0\0" . "\xff\xff", 2 ],
	[ 'a critical flag', substr($binary, 0, 11) . "\0\1\0\0" . substr($binary, 15), 2 ],
	[ 'a header extension', substr($binary, 0, 15) . "\0\0\0\3abc" . substr($binary, 19), 0 ],
	[ 'a header extension that is too long', substr($binary, 0, 15) . "\7\0\0\3abc" . substr($binary, 19), 2 ])
{
	my ($what, $bytes, $expected) = @$case;
	my ($status) = run_verifier(spew("$folder/case", $bytes), '--quiet');
	is($status, $expected, "binary: $what");
	spew("$folder/case", $bytes);
	system("cat '$folder/case' | '$verifier' --quiet >/dev/null 2>&1");
	is($? >> 8, $expected, "binary, from a pipe: $what");
}
my $text = slurp(make_ledger('text'));
for my $case (
	[ 'an empty line', "\n$text", 1 ],
	[ 'NULL', "\\N\n$text", 1 ],
	[ 'other words', "hello\n$text", 1 ],
	[ 'all columns', "plant\tenergy\t0\t\\\\xd284\n$text", 1 ],
	[ 'an odd digit', "\\\\xd28\n$text", 1 ],
	[ 'a line longer than any package', '\\\\x' . 'ab' x 70000 . "\n$text", 1 ],
	[ 'a line longer than a block', '\\\\x' . 'ab' x 1000000 . "\n$text", 1 ],
	[ 'a line longer than a block without an end', $text . '\\\\x' . 'ab' x 1000000, 2 ],
	[ 'bytes of every value', join('', map { chr } 0 .. 255) . "\n$text", 1 ],
	[ 'words behind the end mark', "$text\\.\nSELECT 1;\n", 0 ])
{
	my ($what, $bytes, $expected) = @$case;
	my ($status) = run_verifier(spew("$folder/case", $bytes), '--quiet');
	is($status, $expected, "text: $what");
}
my ($status, $document) = report(spew("$folder/case", "\n\\N\n$text"));
is_deeply([ map { $_->{row} } @{ $document->{problems} } ], [ 1, 2 ], 'rows that are no package are named by their number');

# A dump cut in the middle: what is there is checked all the same
($status, $document) = report(spew("$folder/cut", substr slurp(make_ledger('wrong', '--wrong', 'signature')), 0, -200));
is($status, 2, 'a dump that is cut off could not be checked');
like(texts($document, 'errors'), qr/^the dump ends in the middle of a row \(at byte \d+\)$/m, 'and it says why');
like(texts($document), qr/^signature of the package is wrong$/m, 'but what is wrong in the rest is found');

# An output that cannot be written
SKIP: {
	skip 'there is no /dev/full', 1 unless -e '/dev/full';
	system("'$verifier' '$folder/text' >/dev/full 2>/dev/null");
	is($? >> 8, 2, 'a report that cannot be written');
}

done_testing();
