# scripts/names.pl finds a name of each sort that is nowhere, planted in a copy of the documents and sources, and names its file and line.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

my $root = dirname(__FILE__) . '/../..';
my $copy = tempdir(CLEANUP => 1);

sub verdict
{
	my $said = `perl $root/scripts/names.pl $copy 2>&1`;
	return ($? >> 8, $said);
}

# Add lines to a file of the copy; the number of its first new line
sub plant
{
	my ($name, $lines) = @_;
	open my $in, '<', "$copy/$name" or die "$name: $!";
	my $before = () = <$in>;
	open my $out, '>>', "$copy/$name" or die "$name: $!";
	print {$out} $lines;
	close $out or die "$name: $!";
	return $before + 1;
}

system("tar -C '$root' -c -f - --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude='./build' --exclude='./tmp_check' --exclude='./.git' . | tar -C '$copy' -x -f -") == 0
  or die 'the tree cannot be copied';
my ($status, $said) = verdict();
ok($status == 0 && $said !~ /^not ok/m && $said =~ /^1\.\.\d+$/m, 'the tree as it is names nothing that is not there') or diag($said);

my @planted = (
	[ 'a function that is nowhere', 'docs/operations.md', 'SELECT ecert.planted();', 'ecert.planted' ],
	[ 'a table that is nowhere', 'README.md', 'ledger.planted', 'ledger.planted' ],
	[ 'a function in a hint', 'src/ledger/append.c', '/* ecert.planted_too() */', 'ecert.planted_too' ],
	[ 'a file that is gone', 'src/rules/kinds.c', '/* see src/rules/planted.c */', 'src/rules/planted.c' ]);
$_->[1] .= ':' . plant($_->[1], "$_->[2]\n") for @planted;
open my $file, '>', "$copy/src/rules/unlisted.c" or die "unlisted.c: $!";
close $file;
plant('src/verify/verify.sql', "CREATE FUNCTION ecert.unlisted() RETURNS void LANGUAGE sql AS '';\n");
($status, $said) = verdict();
is($status, 1, 'what was planted fails');
like($said, qr/^#   \Q$_->[1]: $_->[3]\E$/m, "$_->[0]: $_->[1]") for @planted;
like($said, qr/^not ok .*on the map.*\n#   unlisted$/m, 'a file of src/rules that is not on the map');
like($said, qr/^not ok .*README\.md\n#   unlisted$/m, 'a function that README.md does not have');

done_testing();
