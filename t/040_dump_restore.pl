# A dump restored elsewhere is the same ledger: same packages, triggers still in force, and the feeds go on.
use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = PostgreSQL::Test::Cluster->new('certifier');
$server->init(extra => [ '-E', 'UTF8' ]);
my $key = $server->basedir . '/certifier.pem';
system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $key);
# under the guard, which lets a restore put the ledger's own triggers in place
$server->append_conf('postgresql.conf', "shared_preload_libraries = 'ecert'\necert.node = 'certifier'\necert.signing_key = '$key'\necert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'\n");
$server->start;

my $append = q{SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(d, d + '1 day')),
	'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1.50}]'::jsonb)) FROM generate_series('%s'::timestamptz, '%s', '1 day') AS d};
$server->safe_psql('postgres', "CREATE EXTENSION ecert; \\i $FindBin::RealBin/../test/keys/keys.sql");
$server->safe_psql('postgres', q{
	CREATE EXTENSION pgcrypto;
	SELECT ecert.create_ledger('dump.test');
	SELECT ecert.enroll('plant', '{applicant}', test_keys.public('plant'));
	INSERT INTO ledger.reading (node, source, unit, interval_start, interval_end, quantity) VALUES ('plant', 'electricity', 'kWh', '2025-01-01', '2025-01-02', 7);
	CALL test_keys.be('plant');} . sprintf($append, '2024-01-01', '2024-03-31'));
$server->safe_psql('postgres', 'CALL ecert.verify_ledger()');

my $packages = q{SELECT issuer, kind, seq, subject, period, issued_at, encode(hash, 'hex'), package, recorded_at FROM ledger.package ORDER BY 1, 2, 3};
my $expected = $server->safe_psql('postgres', $packages);
my $dump = $server->basedir . '/dump';
my %restore = (
	plain => [ [ 'pg_dump', '--file', "$dump.sql", $server->connstr('postgres') ], sub { [ 'psql', '--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--file', "$dump.sql", $server->connstr($_[0]) ] } ],
	custom => [ [ 'pg_dump', '--format=custom', '--file', "$dump.custom", $server->connstr('postgres') ], sub { [ 'pg_restore', '--exit-on-error', '--dbname', $server->connstr($_[0]), "$dump.custom" ] } ]);

for my $format (sort keys %restore)
{
	my ($save, $load) = @{ $restore{$format} };
	$server->command_ok($save, "$format: dumped");
	$server->safe_psql('postgres', "CREATE DATABASE $format TEMPLATE template0 ENCODING 'UTF8'");
	$server->command_ok($load->($format), "$format: restored");
	is($server->safe_psql($format, $packages), $expected, "$format: the packages are the same");
	is($server->safe_psql($format, 'SELECT count(*) FROM ecert.problems()'), '0', "$format: and verify");
	is($server->safe_psql($format, 'SELECT count(*) FROM ecert.check_chain()'), '0', "$format: by plain SQL too");
	is($server->safe_psql($format, q{SELECT string_agg(tgname || ' ' || tgenabled::text, ', ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'ledger.package'::regclass}),
		'ecert_admit A, ecert_drain O, ecert_refuse_row A, ecert_refuse_statement A, ecert_take_up A', "$format: the triggers fire always");
	is($server->safe_psql($format, 'SELECT sum(quantity)::int FROM ledger.energy_use'), '137', "$format: the views answer");
	my ($status, $output, $error) = $server->psql($format, "\\set VERBOSITY sqlstate\nUPDATE ledger.package SET seq = 7");
	like($error, qr/EC092/, "$format: the ledger is append-only");
	like($server->safe_psql($format, "CALL test_keys.be('plant'); " . sprintf($append, '2024-04-01', '2024-04-02')), qr/^\\x/, "$format: the feed goes on");
	is($server->safe_psql($format, q{CALL test_keys.be('plant'); SELECT ecert.pack_energy('[2025-01-01,2025-01-02)') IS NOT NULL}), 't', "$format: local readings came along");
	is($server->safe_psql($format, 'SELECT count(*) FROM ecert.problems()'), '0', "$format: and all of it verifies");
}
$server->stop;
done_testing();
