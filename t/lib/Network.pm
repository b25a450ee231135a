# Servers that hold one ledger together: each a node with its own key, its own port and nothing shared but replication.
package Network;
use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

# A policy under which one passing upstream audit is enough
our $policy = q{ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}],
	"upstream": {"tolerance": 0.02}, "downstream": {"tolerance": 0.02}, "peer": {"k": 3, "floor": 0, "band": 0.3, "minimum": 3}, "audit_days": 30}}'::jsonb};

# A started server for a node, without a ledger (empty: without the extension too); the duties wait to be called, and make no checkpoints by themselves
sub server
{
	my ($node, %option) = @_;
	my $server = PostgreSQL::Test::Cluster->new($option{name} // $node, ($option{install_path} ? (install_path => $option{install_path}) : ()));
	$server->init(allows_streaming => 'logical', extra => [ '-E', 'UTF8' ]);
	# what the newer server's test modules set, an older server does not know
	$server->adjust_conf('postgresql.conf', 'autovacuum_worker_slots', undef) if $server->pg_version < 18;
	my $key = $option{key} // $server->basedir . "/$node.pem";
	my $witness = $server->basedir . "/$node-witness.pem";
	system_or_bail('openssl', 'genpkey', '-algorithm', $option{algorithm} // 'ed25519', '-out', $key) unless -f $key;
	system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $witness);
	$server->append_conf('postgresql.conf', settings($node, $key, $witness) . ($option{conf} // ''));
	$server->start;
	$server->safe_psql('postgres', 'CREATE EXTENSION ecert; CREATE EXTENSION pgcrypto') unless $option{empty};
	return $server;
}

sub settings
{
	my ($node, $key, $witness) = @_;
	return <<"CONF";
shared_preload_libraries = 'ecert'
ecert.node = '$node'
ecert.signing_key = '$key'
ecert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'
ecert.witness_key = '$witness'
ecert.worker_interval = 0
ecert.checkpoint_interval = 0
max_wal_senders = 30
max_replication_slots = 30
max_logical_replication_workers = 20
max_worker_processes = 40
wal_retrieve_retry_interval = 100ms
timezone = 'UTC'
CONF
}

# The certifier's server with a ledger, on which certificates are issued for whatever is over; statistics: how long their periods are, a year unless said
sub hub
{
	my ($origin, %option) = @_;
	my $hub = server('certifier', %option);
	my $calendar = '"' . ($option{statistics} // 'year') . '"';
	$hub->safe_psql('postgres', "SELECT ecert.create_ledger('$origin', jsonb_set(jsonb_set(" . ($option{policy} // $policy) . ", '{calendar,statistics}', '$calendar'), '{certificate,automatic,days}', '36500'))");
	return $hub;
}

sub connection
{
	my ($server) = @_;
	return 'host=' . $server->host . ' port=' . $server->port . ' dbname=postgres user=' . getpwuid($<);
}

sub genesis
{
	my ($hub) = @_;
	return $hub->safe_psql('postgres', q{SELECT package FROM ledger.package WHERE kind = 'genesis'});
}

# a node takes part since 2020
sub enroll
{
	my ($certifier, $server, $node, $roles) = @_;
	my $key = $server->safe_psql('postgres', 'SELECT ecert.public_key()');
	my $witness = $roles =~ /auditor/ ? "'" . $server->safe_psql('postgres', q{SELECT ecert.public_key('witness')}) . "'" : 'NULL';
	$certifier->safe_psql('postgres', "SELECT ecert.enroll('$node', '$roles', '$key', witness_key => $witness, effective => '2020-01-01')");
	return;
}

# Both halves of a link; filter is ", issuers, kinds" as SQL
sub link_node
{
	my ($hub, $server, $node, $filter) = @_;
	$filter //= '';
	$server->safe_psql('postgres', "SELECT ecert.join_ledger('" . genesis($hub) . "', '" . connection($hub) . "'$filter)");
	$hub->safe_psql('postgres', "SELECT ecert.admit_node('$node', '" . connection($server) . "'$filter)");
	return;
}

# The roles of a server, which a dump does not have, as SQL
sub roles
{
	my ($server) = @_;
	my $file = $server->basedir . '/globals.sql';
	system_or_bail('pg_dumpall', '--globals-only', '--file', $file, '--dbname', $server->connstr('postgres'));
	return slurp_file($file);
}

# How pg_restore is called: before PostgreSQL 16 a subscription cannot be given to who it belonged to
sub pg_restore
{
	my ($server, $dump, $database) = @_;
	return [ 'pg_restore', '--exit-on-error', ($server->pg_version < 16 ? '--no-owner' : ()), '--dbname', $server->connstr($database // 'postgres'), $dump ];
}

# The hashes of a server's ledger, in order
sub hashes
{
	my ($server, $where) = @_;
	return $server->safe_psql('postgres', q{SELECT string_agg(encode(hash, 'hex'), ',' ORDER BY hash) FROM ledger.package WHERE } . ($where // 'true'));
}

# Wait until servers hold the same packages as the first of them; what they hold when they do not
sub equal
{
	my ($first, @others) = @_;
	my $expected = '';
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$expected = hashes($first);
		return '' unless grep { hashes($_) ne $expected } @others;
		select(undef, undef, undef, 0.1);
	}
	my $count = 'SELECT count(*) FROM ledger.package';
	return join(', ', map { $_->name . ' ' . $_->safe_psql('postgres', $count) . ' and ' . $_->safe_psql('postgres', 'SELECT count(*) FROM ledger.pending') . ' pending' } $first, @others);
}

# What is wrong with a server's ledger: nothing
sub problems
{
	my ($server) = @_;
	return $server->safe_psql('postgres', q{
		SELECT issuer, kind, seq, problem FROM ecert.problems()
		UNION ALL SELECT issuer, kind, seq, problem FROM ecert.check_chain()
		UNION ALL SELECT issuer, kind, seq, 'pending: ' || waits_for FROM ledger.pending
		UNION ALL SELECT issuer, kind, seq, 'quarantined: ' || reason FROM ledger.quarantine
		UNION ALL SELECT issuer, kind, max(seq), 'gap or fork' FROM ledger.package GROUP BY issuer, kind HAVING count(*) <> max(seq) + 1});
}

sub duties
{
	$_->safe_psql('postgres', 'CALL ecert.run_duties()') for @_;
	return;
}

# A statement's SQLSTATE, 'none' when it succeeds
sub sqlstate
{
	my ($server, $sql) = @_;
	my ($status, $output, $error) = $server->psql('postgres', "\\set VERBOSITY sqlstate\n$sql");
	return $error =~ /ERROR:\s+(\w+)/ ? $1 : 'none';
}

1;
