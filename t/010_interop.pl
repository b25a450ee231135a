# Packages made by other people's COSE and CBOR libraries are admitted, and
# packages signed here are verified by them.  Those libraries are npm packages;
# the test is skipped where node or they cannot be had.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/lib";

use Interop;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $ORIGIN = 'interop.example';
my $json = $Interop::json;

# One node per library and algorithm
my @makers = (
	{ node => 'auth0-ed25519', library => 'auth0', alg => 'Ed25519' },
	{ node => 'auth0-es256', library => 'auth0', alg => 'ES256' },
	{ node => 'noble-ed25519', library => 'noble', alg => 'Ed25519' },
	{ node => 'noble-es256', library => 'noble', alg => 'ES256' });

my $folder = Interop::need_folder();
my $keys = Interop::keys($folder, 'certifier', 'here-ed25519', 'here-es256', map { $_->{node} } @makers);
my $server = PostgreSQL::Test::Cluster->new('interop');
$server->init;
$server->append_conf('postgresql.conf', "shared_preload_libraries = 'ecert'\ntimezone = 'UTC'\necert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'\n");
$server->start;
$server->safe_psql('postgres', 'CREATE EXTENSION ecert');

# SQL as a node of this server
sub sql_as
{
	my ($node, $sql) = @_;
	return $server->safe_psql('postgres',
		"SET ecert.node = '$node'; SET ecert.signing_key = '$keys/$node.pem'; $sql");
}

sub public_pem
{
	return slurp_file("$keys/$_[0].pub");
}

my $policy = $json->encode({
	coefficients => [
		{ source => 'natural gas', unit => 'm3', kgce => 1.33 },
		{ source => "\x{5929}\x{7136}\x{6c14}", unit => 'm3', kgce => 1.33 } ],
	units => [],
	audit => {
		required => [], upstream => { tolerance => 0 }, downstream => { tolerance => 0 },
		peer => { k => 3, floor => 0, band => 1, minimum => 3 }, audit_days => 30 },
	calendar => { zone => 'UTC', offsets => [ [ 946684800, 0 ] ], year_start => 1, pack => 'month', statistics => 'year' },
	completeness => { covered_min => 1, estimated_max => 0, signed_within => 31, packing_deadline => 15 },
	certificate => { threshold => 0, strict => JSON::PP::true, denominator => 'baseline', valid_days => 365, witnesses => 0, seal_within => 3600,
		attribution => { rule => 'direct' }, electricity => 'calorific', baseline => { rule => 'year_before' },
		confirmed_min => { energy => 1, output => 1 }, automatic => { on => JSON::PP::false, days => 90 } },
	reward => { upstream => 1, peer => 1, downstream => 1, unit => 'point' } });

sql_as('certifier', "SELECT ecert.create_ledger('$ORIGIN', '$policy'::jsonb)");
foreach my $node ('here-ed25519', 'here-es256', map { $_->{node} } @makers)
{
	my $pem = public_pem($node);
	sql_as('certifier', "SELECT ecert.enroll('$node', ARRAY['applicant'], '$pem')");
}
my $genesis = $server->safe_psql('postgres', q{SELECT pg_catalog.encode(ecert.genesis_hash(), 'hex')});
my $now = $server->safe_psql('postgres', 'SELECT extract(epoch FROM now())::bigint');

# ----- made by others, admitted here -----

my @months = ([ 1704067200, 1706745600 ], [ 1706745600, 1709251200 ], [ 1709251200, 1711929600 ]);

sub energy_body
{
	my ($period, $quantity) = @_;
	return {
		period => $period,
		lines => [
			{ source => 'natural gas', unit => 'm3', quantity => { decimal => $quantity }, product => 'steel' },
			{ source => "\x{5929}\x{7136}\x{6c14}", unit => 'm3', quantity => 0, point => 'M-1', estimated => JSON::PP::true, covered => 3600 } ],
		reason => 'bills'
	};
}

# What jsonb shows of it: the same, with the digits of the decimal
sub expected_jsonb
{
	my ($body, $quantity) = @_;
	my $text = $json->encode($body);
	$text =~ s/\{"decimal":"[^"]*"\}/$quantity/;
	return $text;
}

sub make_feed
{
	my ($maker) = @_;
	my $common = {
		library => $maker->{library}, alg => $maker->{alg},
		key => slurp_file("$keys/$maker->{node}.pem"),
		issuer => $maker->{node}, subject => $maker->{node}, audience => $ORIGIN,
		issuedAt => $now + 0 };
	my @requests = map {
		{ %$common, kind => 'energy', seq => $_, prev => ($_ == 0 ? $genesis : undef),
			body => energy_body($months[$_], "10$_.50") }
	} 0 .. $#months;
	push @requests, {
		%$common, kind => 'product', seq => 0, prev => $genesis,
		body => {
			period => $months[0],
			lines => [ { product => 'steel', unit => 't', output => { decimal => '1000.000' },
				qualified => { decimal => '998.25' } } ] } };
	return Interop::script($folder, 'make.mjs', \@requests);
}

foreach my $maker (@makers)
{
	my $node = $maker->{node};
	my $feed = make_feed($maker);
	my $refused;

	# The second one first: it does not fit
	(undef, undef, $refused) = $server->psql('postgres',
		"\\set VERBOSITY sqlstate\nINSERT INTO ledger.package (package) VALUES ('\\x$feed->[1]{package}')");
	like($refused, qr/EC020/, "$node: a package out of turn is refused");

	foreach my $made (@$feed)
	{
		is($server->safe_psql('postgres',
				"INSERT INTO ledger.package (package) VALUES ('\\x$made->{package}')"
				. " RETURNING pg_catalog.encode(hash, 'hex')"),
			$made->{hash}, "$node: admitted under the hash that it has elsewhere");
	}
	(undef, undef, $refused) = $server->psql('postgres',
		"\\set VERBOSITY sqlstate\nINSERT INTO ledger.package (package) VALUES ('\\x$feed->[2]{package}')");
	like($refused, qr/EC022/, "$node: the same package again is refused");

	my $expected = expected_jsonb(energy_body($months[1], ''), '101.50');
	is($server->safe_psql('postgres',
			"SELECT ecert.body(package)::jsonb = \$json\$$expected\$json\$::jsonb FROM ledger.package"
			. " WHERE issuer = '$node' AND kind = 'energy' AND seq = 1"),
		't', "$node: the body reads the same here");
	is($server->safe_psql('postgres',
			"SELECT string_agg(quantity::text, ' ' ORDER BY seq, line) FROM ledger.package,"
			. " LATERAL ecert.energy_lines(package) WHERE issuer = '$node' AND kind = 'energy'"),
		'100.50 0 101.50 0 102.50 0', "$node: every digit is kept");
}

# One bit of a signature made by others
{
	my $feed = make_feed($makers[0]);
	my $made = $feed->[1]{package};
	substr($made, -1, 1) = substr($made, -1, 1) eq '0' ? '1' : '0';
	my $pem = public_pem($makers[0]{node});
	is($server->safe_psql('postgres',
			"SELECT ecert.is_signed_by('\\x$made', '$pem'), ecert.is_signed_by('\\x$feed->[1]{package}', '$pem')"),
		'f|t', 'one bit of the signature decides');
}

# ----- made here, verified by others -----

foreach my $node ('here-ed25519', 'here-es256')
{
	foreach my $month (@months)
	{
		my $body = expected_jsonb(energy_body($month, ''), '12.50');
		sql_as($node, "SELECT ecert.append('energy', \$json\$$body\$json\$::jsonb)");
	}
}

# The whole ledger: genesis, node and energy packages, whoever made them
my $rows = $json->decode($server->safe_psql('postgres', q{
	SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
		'issuer', issuer, 'kind', kind, 'seq', seq, 'subject', subject,
		'package', package::text, 'hash', pg_catalog.encode(hash, 'hex'),
		'kid', pg_catalog.encode(ecert.kid(package), 'hex'),
		'issued', extract(epoch FROM issued_at)::bigint) ORDER BY issuer, kind, seq)
	FROM ledger.package}));
cmp_ok(scalar(@$rows), '>=', 1 + 6 + 6 + 16, 'the ledger has all packages');
my $checked = Interop::script($folder, 'check.mjs', [ map { { package => $_->{package}, key => public_pem($_->{issuer}) } } @$rows ]);
my %failed = map { $_ => 0 } qw(cose noble refusedWhenChanged sameWhenEncodedAgain hash kid fields);
foreach my $i (0 .. $#$rows)
{
	my ($row, $found) = ($rows->[$i], $checked->[$i]);
	$failed{$_} += !$found->{$_} foreach qw(cose noble refusedWhenChanged sameWhenEncodedAgain);
	$failed{hash} += $found->{hash} ne $row->{hash};
	$failed{kid} += $found->{thumbprint} ne $row->{kid} || $found->{fields}{kid} ne $row->{kid};
	$failed{fields} +=
		 $found->{fields}{issuer} ne $row->{issuer}
	  || $found->{fields}{subject} ne $row->{subject}
	  || $found->{fields}{seq} != $row->{seq}
	  || $found->{fields}{audience} ne $ORIGIN
	  || $found->{fields}{issuedAt} != $row->{issued}
	  || $found->{fields}{contentType} ne "application/vnd.ecert.$row->{kind}+cbor";
}
is($failed{cose}, 0, 'a COSE library verifies every package of the ledger');
is($failed{noble}, 0, 'so do a CBOR library and a curve library');
is($failed{refusedWhenChanged}, 0, 'a package with one bit changed is not verified');
is($failed{sameWhenEncodedAgain}, 0, 'decoded and encoded again, every package is the same bytes');
is($failed{hash}, 0, 'its hash is the same elsewhere');
is($failed{kid}, 0, 'its kid is the RFC 9679 thumbprint');
is($failed{fields}, 0, 'its header fields are read the same elsewhere');

is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'the ledger is clean');

$server->stop;
done_testing();
