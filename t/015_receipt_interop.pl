# Receipts made by other people's libraries are verified here, and receipts, transparent statements and notes
# made here are verified by them.  Those libraries are npm packages; the test is skipped where node or they
# cannot be had.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Cwd qw(abs_path);
use Interop;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $tools = abs_path("$FindBin::RealBin/../tools");
foreach my $tool ('ecert-receipt', 'ecert-sign')
{
	plan skip_all => "tools/$tool is not built" unless -x "$tools/$tool";
}
my $folder = Interop::need_folder();
my @signers = ('log-es256', 'log-ed25519');
my $keys = Interop::keys($folder, @signers, 'node-es256', 'node-ed25519', 'witness-ed25519');
my $files = PostgreSQL::Test::Utils::tempdir();

# What the program prints, or undef when it refuses
sub run_tool
{
	my ($tool, @arguments) = @_;
	my ($output, $error) = ('', '');
	my $ran = IPC::Run::run([ "$tools/$tool", @arguments ], '<', \undef, '>', \$output, '2>', \$error);
	note($error) if $error ne '';
	return $ran ? $output : undef;
}

sub receipt_tool
{
	return run_tool('ecert-receipt', @_);
}

my $file_count = 0;

# The name of a file with these bytes
sub file_of
{
	my ($bytes) = @_;
	my $name = "$files/" . $file_count++;
	open my $file, '>:raw', $name or die "$name: $!";
	print $file $bytes;
	close $file or die "$name: $!";
	return $name;
}

sub hex_of
{
	return unpack('H*', $_[0]);
}

# Leaves of every tree here: packages, each by another seq, signed by the two nodes in turn
my @entries = map {
	my $node = $_ % 2 ? 'node-ed25519' : 'node-es256';
	my $hex = run_tool('ecert-sign', 'sign', '--node', $node, '--kind', 'energy', '--origin', 'interop.example',
		'--seq', $_, '--issued-at', 1706832000, '--genesis', '11' x 32, '--key', "$keys/$node.pem",
		'--body-hex', 'a2656c696e65738066706572696f64820000');
	$hex =~ s/^\\x|\n//g;
	{ node => $node, bytes => pack('H*', $hex) };
} 0 .. 12;
$_->{file} = file_of($_->{bytes}) foreach @entries;

# Every leaf of small trees, and some of a larger one
my @places = ([ 0, 13 ], [ 7, 13 ], [ 12, 13 ]);
foreach my $size (2 .. 8)
{
	push @places, map { [ $_, $size ] } 0 .. $size - 1;
}

foreach my $signer (@signers)
{
	my $public = "$keys/$signer.pub";

	# ----- made by others, verified here -----
	my $made = Interop::script($folder, 'make_receipts.mjs', [
		map {
			my ($index, $size) = @$_;
			{ key => slurp_file("$keys/$signer.pem"), index => $index, entries => [ map { hex_of($_->{bytes}) } @entries[ 0 .. $size - 1 ] ] }
		} @places ]);
	my %failed = map { $_ => 0 } qw(verified other_entry changed part);
	foreach my $i (0 .. $#places)
	{
		my ($index, $size) = @{ $places[$i] };
		my $entry = $entries[$index];
		my $receipt = pack('H*', $made->[$i]{receipt});
		my $changed = $receipt;
		substr($changed, -1) ^= "\1";
		$failed{verified} += (receipt_tool('check', $entry->{file}, file_of($receipt), $public) // '') ne "leaf $index of $size\n";
		$failed{other_entry} += defined receipt_tool('check', $entries[ ($index + 1) % 13 ]{file}, file_of($receipt), $public);
		$failed{changed} += defined receipt_tool('check', $entry->{file}, file_of($changed), $public);
		$failed{part} += (receipt_tool('part', file_of(pack('H*', $made->[$i]{statement}))) // '') ne $entry->{bytes};
	}
	is($failed{verified}, 0, "$signer: " . @places . ' receipts made elsewhere are verified here');
	is($failed{other_entry}, 0, "$signer: but not for another entry");
	is($failed{changed}, 0, "$signer: nor with a bit of the signature changed");
	is($failed{part}, 0, "$signer: statements made elsewhere give the package back");

	# ----- made here, verified by others -----
	my @requests = map {
		my ($index, $size) = @$_;
		my $entry = $entries[$index];
		my $receipt = receipt_tool('make', "$keys/$signer.pem", 'office', 'interop.example', $index, map { $_->{file} } @entries[ 0 .. $size - 1 ]);
		{
			receipt => hex_of($receipt), entry => hex_of($entry->{bytes}), key => slurp_file($public),
			packageKey => slurp_file("$keys/$entry->{node}.pub"),
			statement => hex_of(receipt_tool('join', $entry->{file}, file_of($receipt)))
		}
	} @places;
	my $found = Interop::script($folder, 'check_receipts.mjs', \@requests);
	my @statements = grep { defined $_->{statement} } @$found;
	is(scalar(grep { !$_->{verified} } @$found), 0, "$signer: " . @places . ' receipts made here are verified elsewhere');
	is(scalar(grep { $_->{claims} ne 'office interop.example' } @$found), 0, "$signer: their claims are read elsewhere");
	is(scalar(grep { !$_->{refusedWhenChanged} } @$found), 0, "$signer: but not changed, nor for another entry");
	is(scalar(grep { !$_->{sameStatement} } @$found), 0, "$signer: a statement is the same bytes elsewhere");
	next if $signer !~ /es256/;
	cmp_ok(scalar(@statements), '>', 10, "$signer: statements with P-256 keys throughout");
	is(scalar(grep { !$_->{statement} } @statements), 0, "$signer: are verified elsewhere, package and receipt");
}

# ----- notes -----

{
	my ($origin, $witness) = ('interop.example/log', 'witness.example/w1');
	my @files = map { $_->{file} } @entries;
	my $note = receipt_tool('note', "$keys/log-ed25519.pem", $origin, @files);
	my $line = receipt_tool('cosign', "$keys/witness-ed25519.pem", $witness, 1706832000, file_of($note));
	my %request = (
		entries => [ map { hex_of($_->{bytes}) } @entries ],
		note => $note . $line, origin => $origin, key => slurp_file("$keys/log-ed25519.pub"),
		witness => $witness, witnessKey => slurp_file("$keys/witness-ed25519.pub"));
	utf8::decode($request{note});

	my $found = Interop::script($folder, 'check_note.mjs', \%request);
	is($found->{checkpoint}{origin}, $origin, 'a note made here is verified elsewhere');
	is($found->{checkpoint}{size}, 13, 'its size is read the same');
	is($found->{checkpoint}{root}, $found->{root}, 'its root is that of another tree of the same entries');
	is($found->{cosignedAt}, 1706832000, 'its cosignature is verified, and the time of it');
	like(receipt_tool('opened', file_of($note . $line), $witness, "$keys/witness-ed25519.pub"), qr/^cosigned at 1706832000$/m,
		'as they are here');
	$request{note} =~ s/^13$/14/m;
	$found = Interop::script($folder, 'check_note.mjs', \%request);
	is($found->{checkpoint}, undef, 'with another size it is refused');
	is($found->{cosignedAt}, undef, 'by its cosignature too');
}

done_testing();
