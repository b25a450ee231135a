# A ledger with many applicants, and pgbench as their writers.
package Writers;
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

# Test keys of any node, for SQL
our $keys = abs_path(dirname(__FILE__) . '/../../test/keys/keys.sql');
my $seal = abs_path(dirname(__FILE__) . '/../../test/keys/seal.pem');

# A started server with a ledger, $nodes applicants node-1 .. and the function test.append_next(node)
sub ledger
{
	my ($name, $nodes, $conf) = @_;
	my $server = PostgreSQL::Test::Cluster->new($name);
	$server->init(extra => [ '-E', 'UTF8' ]);
	my $key = $server->basedir . '/test.pem';
	system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $key);
	$server->append_conf('postgresql.conf', "ecert.node = 'certifier'\necert.signing_key = '$key'\necert.seal_key = '$seal'\nmax_connections = 40\n" . ($conf // ''));
	$server->start;
	$server->safe_psql('postgres', "CREATE EXTENSION ecert; \\i $keys");
	$server->safe_psql('postgres', q{
		CREATE EXTENSION pgcrypto;
		SELECT ecert.create_ledger('writers.test');
		CREATE SCHEMA test;
		-- the next day of a node's energy feed, which this transaction has to itself from the lock on
		CREATE FUNCTION test.append_next(node text) RETURNS void LANGUAGE plpgsql AS $$
		DECLARE
			day timestamptz;
		BEGIN
			PERFORM test_keys.become(node, true);
			PERFORM 1 FROM ledger.feed f WHERE f.issuer = node AND f.kind = 'energy' FOR NO KEY UPDATE;
			SELECT coalesce(max(upper(p.period)), '1990-01-01 00:00:00+00') INTO day FROM ledger.package p WHERE p.issuer = node AND p.kind = 'energy';
			PERFORM ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(day, day + '1 day')),
				'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1.25}]'::jsonb));
		END $$;});
	$server->safe_psql('postgres', "SELECT ecert.enroll('node-' || n, '{applicant}', test_keys.public('node-' || n)) FROM generate_series(1, $nodes) AS n");
	# of every feed the first package, so that each has its row to lock
	$server->safe_psql('postgres', "SELECT test.append_next('node-' || n) FROM generate_series(1, $nodes) AS n");
	return $server;
}

# Start $clients writers over $nodes feeds for $seconds; returns the IPC::Run handle and a reference to the output
sub start
{
	my ($server, $clients, $nodes, $seconds) = @_;
	my $script = $server->basedir . "/writers-$nodes.sql";
	append_to_file($script, "\\set n random(1, $nodes)\nSELECT test.append_next('node-' || :n);\n");
	my $output = '';
	my $handle = IPC::Run::start(
		[ 'pgbench', '--no-vacuum', "--client=$clients", '--jobs=2', "--time=$seconds", '--max-tries=100', "--file=$script", $server->connstr('postgres') ],
		'>', \$output, '2>&1');
	return ($handle, \$output);
}

# What is wrong on the ledger, by our own verification and by plain SQL: an empty string when nothing is
sub problems
{
	my ($server) = @_;
	return $server->safe_psql('postgres', q{
		SELECT issuer, kind, seq, problem FROM ecert.problems()
		UNION ALL SELECT issuer, kind, seq, problem FROM ecert.check_chain()
		UNION ALL SELECT issuer, kind, max(seq), 'gap or fork' FROM ledger.package GROUP BY issuer, kind HAVING count(*) <> max(seq) + 1 OR count(DISTINCT seq) <> count(*)});
}

1;
