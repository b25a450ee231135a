# What docs/operations.md says of links over TLS with passwords, and of a hub's limits: five nodes behind a hub with PostgreSQL's
# default settings, each server with a certificate of its own, and roles that may do no more than a link needs.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# an authority, and a certificate of it for each server's name
my $tls = PostgreSQL::Test::Utils::tempdir();

sub openssl { system_or_bail('openssl', @_); return }

sub certificate
{
	my ($name) = @_;
	openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', "/CN=$name", '-keyout', "$tls/$name.key", '-out', "$tls/$name.csr");
	append_to_file("$tls/$name.ext", "subjectAltName = DNS:$name\n");
	openssl('x509', '-req', '-in', "$tls/$name.csr", '-CA', "$tls/root.crt", '-CAkey', "$tls/root.key", '-CAcreateserial', '-days', '2', '-extfile', "$tls/$name.ext", '-out', "$tls/$name.crt");
	chmod 0600, "$tls/$name.key" or die "$tls/$name.key: $!";
	return;
}
openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test root', '-keyout', "$tls/root.key", '-out', "$tls/root.crt");

sub tls_settings
{
	my ($node) = @_;
	certificate("$node.example");
	return "listen_addresses = '127.0.0.1'\nssl = on\nssl_cert_file = '$tls/$node.example.crt'\nssl_key_file = '$tls/$node.example.key'\n";
}

# Whoever comes by the network comes by TLS, as that role, with a password
sub only_by_tls
{
	my ($server, $password) = @_;
	unlink $server->data_dir . '/pg_hba.conf';
	$server->append_conf('pg_hba.conf', "local all all trust\nhostssl postgres ecert_replicator 127.0.0.1/32 scram-sha-256\nhost all all all reject\n");
	$server->reload;
	$server->safe_psql('postgres', "CREATE ROLE ecert_replicator LOGIN REPLICATION PASSWORD '$password'");
	return;
}

my $grants = q{
	GRANT USAGE ON SCHEMA ecert, ledger TO ecert_replicator;
	GRANT SELECT ON ledger.package, ledger.equivocation, ledger.node, ledger.tile TO ecert_replicator;
	GRANT SELECT (peer, is_hub, below, subscription) ON ledger.peer TO ecert_replicator;};

# The connection string for a server: its name as in its certificate, at the only address that there is here
sub by_tls
{
	my ($server, $name, $secret) = @_;
	return "host=$name hostaddr=127.0.0.1 port=" . $server->port . " dbname=postgres user=ecert_replicator sslmode=verify-full sslrootcert=$tls/root.crt connect_timeout=10 $secret";
}

my @names = map { "plant-$_" } 1 .. 5;
my $defaults = "max_logical_replication_workers = 4\nmax_worker_processes = 8\nmax_wal_senders = 10\nmax_replication_slots = 10\n";
my $hub = Network::hub('tls.example', conf => $defaults . tls_settings('hub'));
only_by_tls($hub, 'of the hub');
$hub->safe_psql('postgres', $grants);
my %node = map { $_ => Network::server($_, conf => tls_settings($_)) } @names;
for my $name (@names)
{
	Network::enroll($hub, $node{$name}, $name, '{applicant,auditor}');
	only_by_tls($node{$name}, "of $name");
	# the hub's password is in the connection string, the nodes' are in a file of the hub's
	append_to_file("$tls/pgpass", "$name.example:*:postgres:ecert_replicator:of $name\n");
	$node{$name}->safe_psql('postgres', "SELECT ecert.join_ledger('" . Network::genesis($hub) . q{', $c$} . by_tls($hub, 'hub.example', "password='of the hub'") . '$c$)');
	$node{$name}->safe_psql('postgres', $grants);
}
chmod 0600, "$tls/pgpass" or die "$tls/pgpass: $!";

# who is not who the certificate says is not linked to
my ($status, $output, $error) = $hub->psql('postgres', "SELECT ecert.admit_node('plant-1', \$c\$" . by_tls($node{'plant-2'}, 'plant-1.example', "password='of plant-2'") . '$c$)');
like($error, qr/server certificate for "plant-2\.example" does not match host name "plant-1\.example"/, 'a server of another name is not asked');
($status, $output, $error) = $hub->psql('postgres', "SELECT ecert.admit_node('plant-1', \$c\$" . (by_tls($node{'plant-1'}, 'plant-1.example', "password='of plant-1'") =~ s/verify-full/disable/r =~ s/sslrootcert=\S+//r) . '$c$)');
like($error, qr/pg_hba\.conf rejects connection .* no encryption/, 'nor is one without TLS');
for my $name (@names)
{
	$hub->safe_psql('postgres', "SELECT ecert.admit_node('$name', \$c\$" . by_tls($node{$name}, "$name.example", "passfile=$tls/pgpass") . '$c$)');
}

sub append
{
	my ($month) = @_;
	$node{$_}->safe_psql('postgres', sprintf(q{SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json('[2025-%02d-01,2025-%02d-01)'),
		'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))}, $month, $month + 1)) for @names;
	return;
}

# four workers are too few to receive from five nodes, and to copy what they have
append(1);
$hub->poll_query_until('postgres', q{SELECT count(*) = 4 FROM pg_stat_subscription WHERE pid IS NOT NULL}) or die 'not four workers';
ok($hub->poll_query_until('postgres', q{SELECT count(*) > 0 FROM ledger.health WHERE item = 'receiving from' AND state = 'warning' AND value IN ('not connected', 'copying')
	AND detail LIKE 'this server has too few workers for its subscriptions: raise max_logical_replication_workers from 4 to 7%, and restart;%'}), 'five nodes are too many for the hub, and health says which settings are in the way');
Network::duties($hub) for 1 .. 2;
is($hub->safe_psql('postgres', q{SELECT count(DISTINCT issuer) FROM ledger.package WHERE kind = 'energy'}), '5', 'packages are pulled meanwhile');
$hub->append_conf('postgresql.conf', "max_logical_replication_workers = 7\nmax_worker_processes = 9\n");
$hub->restart;
ok($hub->poll_query_until('postgres', q{SELECT count(*) = 5 FROM ledger.health WHERE item = 'receiving from' AND state || ' ' || value = 'ok streaming'})
	|| (Network::duties($hub), $hub->poll_query_until('postgres', q{SELECT count(*) = 5 FROM ledger.health WHERE item = 'receiving from' AND state || ' ' || value = 'ok streaming'})), 'with these all five stream');
Network::duties(values %node);
append(2);
is(Network::equal($hub, values %node), '', 'packages go up and down');
for my $one ($hub, values %node)
{
	is($one->safe_psql('postgres', q{SELECT DISTINCT a.usename || ' ' || s.ssl FROM pg_stat_replication a JOIN pg_stat_ssl s USING (pid)}), 'ecert_replicator true', $one->name . ' sends by TLS only, to a role that may do no more');
}
Network::duties($hub, values %node);
is($_->safe_psql('postgres', q{SELECT string_agg(item || ' ' || detail, '; ') FROM ledger.health WHERE state = 'alarm' OR item = 'duties' AND state <> 'ok'}), '', $_->name . ': the duties ask what they have to, by the same way') for $hub, values %node;
$_->stop for values %node, $hub;
done_testing();
