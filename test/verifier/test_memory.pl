# How much memory a package takes: at most 200 bytes.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use VerifierTest;

my $peak = $ENV{PEAK_MEMORY} or die "PEAK_MEMORY names the program\n";
my $applicants = $ENV{APPLICANTS} // 400;
plan skip_all => 'a sanitizer has memory of its own' if $verifier =~ /sanitize/;

sub memory_of
{
	my ($dump) = @_;
	my ($status, $kib) = split ' ', `'$peak' '$verifier' --quiet --jobs 2 '$dump' 2>/dev/null`;
	return ($status, $kib * 1024);
}

my ($nothing, $before) = memory_of(spew("$folder/empty", ''));
for my $form ('--binary', '')
{
	my $dump = make_ledger('large', '--applicants', $applicants, '--months', 200, '--order', 'random', grep { $_ } $form);
	my ($status, $after) = memory_of($dump);
	my ($exit, $document) = report($dump);
	my $each = ($after - $before) / $document->{packages};
	is($status, 0, "$document->{packages} packages in any order verify");
	ok($each <= 200, sprintf '%s: %.0f bytes of memory per package', $form eq '' ? 'text' : 'binary', $each);
	unlink $dump;
}
done_testing();
