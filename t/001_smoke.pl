# A new server, CREATE EXTENSION, a ledger: what was signed is there, whole, after a restart, and nobody changes it.
use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = PostgreSQL::Test::Cluster->new('certifier');
$server->init;

my $key = $server->basedir . '/certifier.pem';
system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $key);
$server->append_conf('postgresql.conf', "ecert.node = 'certifier.example'\necert.signing_key = '$key'\necert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'\n");
$server->start;

$server->safe_psql('postgres', 'CREATE EXTENSION ecert');
is($server->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'ecert'"),
	'1', 'the extension is created where nothing is preloaded');

my $genesis = $server->safe_psql('postgres', "SELECT ecert.create_ledger('smoke.example')");
like($genesis, qr/^\\x[0-9a-f]{64}$/, 'a ledger is created and gives the hash of its genesis package');
is($server->safe_psql('postgres', 'SELECT ecert.genesis_hash()'), $genesis, 'the ledger knows its genesis');

$server->safe_psql('postgres', "\\i $FindBin::RealBin/../test/keys/keys.sql");
my $enrolled = $server->safe_psql('postgres',
	"SELECT ecert.enroll('plant.example', ARRAY['applicant'], test_keys.public('plant.example'), 'A plant')");
like($enrolled, qr/^\\x[0-9a-f]{64}$/, 'the certifier enrolls an applicant');

my $before = $server->safe_psql('postgres', 'SELECT issuer, kind, seq, hash, package FROM ledger.package ORDER BY 1, 2, 3');
$server->restart;
is($server->safe_psql('postgres', 'SELECT issuer, kind, seq, hash, package FROM ledger.package ORDER BY 1, 2, 3'),
	$before, 'the packages are the same after a restart');
is($server->safe_psql('postgres', 'SELECT * FROM ecert.problems()'), '', 'and verify without a problem');

my ($status, $output, $error) = $server->psql('postgres', "\\set VERBOSITY sqlstate\nUPDATE ledger.package SET seq = 7");
like($error, qr/EC092/, 'a stored package is not updated');
($status, $output, $error) = $server->psql('postgres', "\\set VERBOSITY sqlstate\nDELETE FROM ledger.package");
like($error, qr/EC092/, 'nor deleted');

$server->stop;
done_testing();
