# Packages made outside the server by a signer that checks nothing: what is wrong with them is named, the good ones come in.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $signer = abs_path("$FindBin::RealBin/..") . '/tools/ecert-sign';
plan skip_all => 'tools/ecert-sign is not built' unless -x $signer;

my $server = PostgreSQL::Test::Cluster->new('certifier');
$server->init(extra => [ '-E', 'UTF8' ]);
my $dir = $server->basedir;
system_or_bail('sh', '-c', "'$signer' key certifier > '$dir/certifier.pem'; '$signer' public plant > '$dir/plant.pub.pem'");
$server->append_conf('postgresql.conf', "ecert.node = 'certifier'\necert.signing_key = '$dir/certifier.pem'\necert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'\n");
$server->start;
$server->safe_psql('postgres', "CREATE EXTENSION ecert; SELECT ecert.create_ledger('refusals.test'); SELECT ecert.enroll('plant', '{applicant}', pg_read_file('$dir/plant.pub.pem'))");
my $genesis = $server->safe_psql('postgres', "SELECT encode(ecert.genesis_hash(), 'hex')");

# The body of the n-th day, as hexadecimal CBOR
sub body
{
	my ($n) = @_;
	return $server->safe_psql('postgres', sprintf(q{SELECT encode(ecert.encode_body('{"period": [%d, %d], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1}]}'), 'hex')},
		1704067200 + $n * 86400, 1704067200 + ($n + 1) * 86400));
}

# Sign with these options over the good ones, insert, and return the SQLSTATE
sub admit
{
	my (%option) = (node => 'plant', kind => 'energy', origin => 'refusals.test', @_);
	my ($package) = run_command([ $signer, 'sign', map { ("--$_", $option{$_}) } sort keys %option ]);
	my ($status, $output, $error) = $server->psql('postgres', "\\set VERBOSITY sqlstate\nINSERT INTO ledger.package (package) VALUES ('$package')");
	return $error =~ /ERROR:\s+(\w+)/ ? $1 : 'none';
}

my $now = $server->safe_psql('postgres', 'SELECT ecert.unix_seconds(now())');
my %first = (seq => 0, 'issued-at' => $now, 'body-hex' => body(0), genesis => $genesis);
is(admit(%first, origin => 'another.test'), 'EC016', 'for another ledger');
is(admit(%first, genesis => '00' x 32), 'EC016', 'for a ledger of the same name with another genesis');
is(admit(%first, node => 'nobody'), 'EC010', 'of an issuer that nobody enrolled');
is(admit(%first, kind => 'policy', subject => 'refusals.test'), 'EC003', 'with the body of another kind');
is(admit(%first, 'key-node' => 'certifier'), 'EC012', 'signed with another node\'s key');
is(admit(%first, subject => 'certifier'), 'EC017', 'about somebody else');
is(admit(%first, 'issued-at' => $now - 86400), 'EC013', 'signed before the key counted');
is(admit(%first, 'issued-at' => $now + 86400), 'EC024', 'signed tomorrow');
is(admit(%first, seq => 5), 'EC020', 'with a gap before it');
is(admit(%first), 'none', 'the right one comes in');
is(admit(%first), 'EC022', 'the same again is known');
is(admit(%first, 'body-hex' => body(1)), 'EC021', 'another story for the same seq');

my $head = $server->safe_psql('postgres', "SELECT encode(hash, 'hex') FROM ledger.package WHERE kind = 'energy'");
my %second = (seq => 1, 'issued-at' => $now + 5, 'body-hex' => body(1), prev => $head);
is(admit(%second, prev => $genesis), 'EC021', 'that does not name the head');
is(admit(%second, 'body-hex' => body(0)), 'EC040', 'for a period that is taken');
is(admit(%second), 'none', 'the next one comes in');
$head = $server->safe_psql('postgres', "SELECT encode(hash, 'hex') FROM ledger.package WHERE kind = 'energy' AND seq = 1");
is(admit(seq => 2, 'issued-at' => $now + 4, 'body-hex' => body(2), prev => $head), 'EC023', 'whose time runs backwards');
is(admit(seq => 2, 'issued-at' => $now + 5, 'body-hex' => body(2), prev => $head), 'none', 'in the same second it may be');

is($server->safe_psql('postgres', "SELECT string_agg(seq::text, ',' ORDER BY seq) FROM ledger.package WHERE kind = 'energy'"), '0,1,2', 'nothing else is on the ledger');
is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'and it verifies');
# readings signed from CSV stay a series: as many decimals as the finest of them, none where none is needed
system_or_bail('sh', '-c', "'$signer' public works > '$dir/works.pub.pem'");
$server->safe_psql('postgres', "SELECT ecert.enroll('works', '{applicant}', pg_read_file('$dir/works.pub.pem'))");
append_to_file("$dir/works.csv", <<'CSV');
producer,period_start,period_end,source,unit,quantity,step
works,2024-01-01,2024-01-02,electricity,kWh,1 2.50 0 4.2,21600
works,2024-01-02,2024-01-03,electricity,kWh,1 2 3,28800
works,2024-01-02,2024-01-03,natural_gas,m3,5,
CSV
system_or_bail('sh', '-c', "'$signer' energy --origin refusals.test --genesis $genesis < '$dir/works.csv' > '$dir/works.copy'");
$server->safe_psql('postgres', "COPY ledger.package (package) FROM '$dir/works.copy'");
is($server->safe_psql('postgres', q{SELECT string_agg((ecert.body(package) -> 'lines')::text, ' ' ORDER BY seq) FROM ledger.package WHERE issuer = 'works'}),
	'[{"unit": "kWh", "series": {"exp": -2, "step": 21600, "values": [100, 250, 0, 420]}, "source": "electricity"}]'
	. ' [{"unit": "kWh", "series": {"step": 28800, "values": [1, 2, 3]}, "source": "electricity"}, {"unit": "m3", "source": "natural_gas", "quantity": 5}]',
	'readings signed from CSV are what the file says');
my ($printed, $said) = run_command([ 'sh', '-c', "sed 's/2.50/2.5.0/' '$dir/works.csv' | '$signer' energy --origin refusals.test --genesis $genesis" ]);
like($said, qr/line 2: not a plain decimal number that fits a package: "2\.5\.0/, 'a reading that is no number is named');
($printed, $said) = run_command([ 'sh', '-c', "sed 's/2.50/0.000000000000000001/; s/4.2/90/' '$dir/works.csv' | '$signer' energy --origin refusals.test --genesis $genesis" ]);
like($said, qr/line 2: a series with more digits than a package can hold/, 'readings that have no common decimals are refused');
$server->stop;
done_testing();
