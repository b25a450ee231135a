# Servers that are restored from dumps and backups, and a promoted standby, go on without a fork: whoever has lost packages
# is stopped before it signs a second story, fetches them back, and goes on.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $hub = Network::hub('restore.example');
my $plant = Network::server('plant');
my $mine = Network::server('mine');
Network::enroll($hub, $plant, 'plant', '{applicant}');
Network::enroll($hub, $mine, 'mine', '{auditor}');
Network::link_node($hub, $plant, 'plant');
Network::link_node($hub, $mine, 'mine');
is(Network::equal($hub, $plant, $mine), '', 'linked');
my %key = map { $_->name => $_->safe_psql('postgres', 'SHOW ecert.signing_key') } $hub, $plant, $mine;

# The next month of the plant's energy feed, as far as that server knows; what psql says on error
sub sign
{
	my ($server) = @_;
	my ($status, $output, $error) = $server->psql('postgres', q{
		SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(m.start, m.start + '1 month')),
			'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))
		  FROM (SELECT coalesce((SELECT upper(p.period) FROM ledger.package p WHERE p.issuer = 'plant' AND p.kind = 'energy' ORDER BY p.seq DESC LIMIT 1), '2020-01-01')) AS m (start)});
	return $error;
}

# The certifier's next word
sub relate
{
	my ($server) = @_;
	my ($status, $output, $error) = $server->psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream')});
	return $error;
}

sub restored_from_dump
{
	my ($dump, $roles, $node, $name) = @_;
	my $server = Network::server($node, name => $name, key => $key{$node}, empty => 1);
	# the role of whoever runs this is there already
	$server->psql('postgres', $roles, on_error_stop => 0);
	$server->command_ok(Network::pg_restore($server, $dump), "the dump of $node is restored");
	like($server->safe_psql('postgres', q{SELECT string_agg(DISTINCT state || ' ' || value, ', ') FROM ledger.health WHERE item = 'receiving from'}),
		$server->pg_version < 16 ? qr/^alarm wrong rights$/ : qr/^alarm (wrong rights|brings nothing)$/, "$node: what replicates is not in order yet, and health says so");
	return $server;
}

# nothing is lost, nothing forked
sub goes_on
{
	my ($what, @servers) = @_;
	is(Network::equal(@servers), '', "$what: all servers hold the same packages");
	is(Network::problems($_), '', "$what: no fork, nothing waits, everything verifies on " . $_->name) for @servers;
	is($_->safe_psql('postgres', 'SELECT count(*) FROM ledger.equivocation'), '0', "$what: nobody told two stories to " . $_->name) for @servers;
	return;
}
is(sign($plant), '', 'the plant signs') for 1 .. 3;
is(relate($hub), '', 'and so does the certifier');
is(Network::equal($hub, $plant, $mine), '', 'first packages');

# a node from an old backup: it has signed since
my $dump = $plant->basedir . '/plant.dump';
$plant->command_ok([ 'pg_dump', '--format=custom', '--file', $dump, $plant->connstr('postgres') ], 'the plant is dumped');
my $roles = Network::roles($plant);
is(sign($plant), '', 'the plant signs on') for 1 .. 2;
is(relate($hub), '', 'and so does the certifier');
is(Network::equal($hub, $plant, $mine), '', 'more packages');
$plant->stop;
my $plant2 = restored_from_dump($dump, $roles, 'plant', 'plant2');
my $error = sign($plant2);
like($error, qr/peer "certifier" holds newer packages of feed "energy" of this node/, 'restored from an old backup it is stopped before it signs a second story');
like($error, qr/The feed ends at seq 2 here and at seq 4 there/, 'and told why');
like($error, qr/SELECT ecert\.resume\(\)/, 'and how to resume');
cmp_ok($plant2->safe_psql('postgres', 'SELECT ecert.resume()'), '>=', 3, 'it fetches its own packages and those of others');
$hub->safe_psql('postgres', "SELECT ecert.resume('plant', '" . Network::connection($plant2) . "')");
is(sign($plant2), '', 'then it signs on');
goes_on('restored node', $hub, $plant2, $mine);

# the hub from an old backup, on another server
my $hub_dump = $hub->basedir . '/hub.dump';
$hub->command_ok([ 'pg_dump', '--format=custom', '--file', $hub_dump, $hub->connstr('postgres') ], 'the hub is dumped');
my $hub_roles = Network::roles($hub);
is(relate($hub), '', 'the certifier goes on');
is(sign($plant2), '', 'and so does the plant');
is(Network::equal($hub, $plant2, $mine), '', 'more packages');
$hub->stop;
is(sign($plant2), '', 'the plant signs while there is no hub');
my $hub2 = restored_from_dump($hub_dump, $hub_roles, 'certifier', 'certifier2');
like(relate($hub2), qr/peer "(mine|plant)" holds newer packages of feed "relation" of this node/, 'the hub is stopped too before it forks');
cmp_ok($hub2->safe_psql('postgres', 'SELECT ecert.resume()'), '>=', 3, 'it fetches back from the nodes what it had said, and what they say');
for my $node ($plant2, $mine)
{
	$node->safe_psql('postgres', "SELECT ecert.resume('certifier', '" . Network::connection($hub2) . "')");
}
is(relate($hub2), '', 'then it signs on');
is(sign($plant2), '', 'and so does the plant');
goes_on('restored hub', $hub2, $plant2, $mine);

# a physical standby of the hub that had not got everything is promoted
$hub2->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($hub2, 'base', has_streaming => 1);
$standby->start;
$hub2->wait_for_catchup($standby);
# cut off: what the hub says now does not reach its standby any more
$standby->append_conf('postgresql.conf', "primary_conninfo = ''");
$standby->restart;
is(relate($hub2), '', 'the certifier says more than its standby has');
is(sign($plant2), '', 'and so does the plant');
is(Network::equal($hub2, $plant2, $mine), '', 'it reaches the nodes');
$hub2->stop;
$standby->promote;
like(relate($standby), qr/peer "(mine|plant)" holds newer packages of feed "relation" of this node/, 'the promoted standby is stopped before it forks');
$standby->safe_psql('postgres', 'SELECT ecert.resume()');
for my $node ($plant2, $mine)
{
	$node->safe_psql('postgres', "SELECT ecert.resume('certifier', '" . Network::connection($standby) . "')");
}
is(relate($standby), '', 'when it has caught up it signs on');
is(sign($plant2), '', 'and so does the plant');
goes_on('promoted standby', $standby, $plant2, $mine);
$_->stop for $standby, $plant2, $mine;
done_testing();
