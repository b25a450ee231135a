# A link is judged by what it carries. What looks alive and brings nothing is mended by the duties, or health says what to run:
# a list of tables that was lost, a dump restored beside a running worker, a publication that lets nothing through, a database
# that was renamed, a subscription that is gone.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $hub = Network::hub('carries.example');
my %node = map { $_ => Network::server($_) } qw(plant mine);
Network::enroll($hub, $node{plant}, 'plant', '{applicant}');
Network::enroll($hub, $node{mine}, 'mine', '{auditor}');
Network::link_node($hub, $node{$_}, $_) for qw(plant mine);
is(Network::equal($hub, values %node), '', 'linked');

sub receiving
{
	my ($server, $database) = @_;
	return $server->safe_psql($database // 'postgres', q{SELECT state || ' ' || value || ': ' || coalesce(detail, '') FROM ledger.health WHERE item = 'receiving from'});
}

sub relate { $hub->safe_psql($_[0] // 'postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream')}); return }

sub streams
{
	my ($what, $server) = @_;
	ok($server->poll_query_until('postgres', q{SELECT state || ' ' || value = 'ok streaming' FROM ledger.health WHERE item = 'receiving from'}), "$what: the link streams");
	relate();
	is(Network::equal($hub, $server), '', "$what: and brings packages by itself");
	return;
}

# connected, and no table is subscribed to, as after pg_upgrade from 15 or a restored dump
$node{plant}->safe_psql('postgres', 'SET allow_system_table_mods = on; DELETE FROM pg_subscription_rel');
$node{plant}->restart;
$node{plant}->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_stat_subscription WHERE pid IS NOT NULL') or die 'no worker';
relate();
$hub->wait_for_catchup($node{plant}->safe_psql('postgres', 'SELECT subname FROM pg_subscription'), 'replay');
isnt(Network::hashes($node{plant}), Network::hashes($hub), 'a worker confirms what it passes over');
like(receiving($node{plant}), qr/^alarm brings nothing: 0 of the ledger's two tables are subscribed to; the duties begin anew/, 'which health does not call streaming');
Network::duties($node{plant});
is(Network::equal($hub, $node{plant}), '', 'one round brings what was passed over');
streams('no table subscribed to', $node{plant});

# the subscription was given no slot, by hand
my $subscription = $node{plant}->safe_psql('postgres', 'SELECT subname FROM pg_subscription');
$node{plant}->safe_psql('postgres', "ALTER SUBSCRIPTION $subscription DISABLE");
$node{plant}->safe_psql('postgres', "ALTER SUBSCRIPTION $subscription SET (slot_name = NONE)");
relate();
Network::duties($node{plant});
is(Network::equal($hub, $node{plant}), '', 'one round brings what a subscription without a slot could not');
streams('no slot named', $node{plant});

# the hub lets nothing through, and says that it publishes both tables
$hub->safe_psql('postgres', q{ALTER PUBLICATION ecert SET TABLE ledger.package (package) WHERE (issuer = 'nobody'), ledger.equivocation (first_package, second_package)});
is($hub->safe_psql('postgres', q{SELECT state || ' ' || value || ': ' || detail FROM ledger.health WHERE item = 'publication' AND subject = 'ecert'}), q{alarm leaves packages out: SELECT ecert.publish('ecert')}, 'which the hub sees');
for my $round (1 .. 4)
{
	relate();
	Network::duties($node{mine});
}
like(receiving($node{mine}), qr/^warning brings nothing: in \d rounds all that was ahead there had to be pulled/, 'a publication that lets nothing through is seen by what has to be pulled');
Network::duties($node{mine});
is(Network::equal($hub, $node{mine}), '', 'the packages are here');
$hub->safe_psql('postgres', "SELECT ecert.publish('ecert')");
Network::duties(values %node) for 1 .. 3;
streams('nothing let through', $_) for values %node;

# a dump is restored while the worker of the new server does rounds
my $dump = $node{plant}->basedir . '/plant.dump';
$node{plant}->command_ok([ 'pg_dump', '--format=custom', '--file', $dump, $node{plant}->connstr('postgres') ], 'the plant is dumped');
my ($roles, $key) = (Network::roles($node{plant}), $node{plant}->safe_psql('postgres', 'SHOW ecert.signing_key'));
relate();
is(Network::equal($hub, values %node), '', 'and goes on');
$node{plant}->stop;
my $restored = Network::server('plant', name => 'plant2', key => $key, empty => 1, conf => "ecert.worker_interval = 1\n");
$restored->psql('postgres', $roles, on_error_stop => 0);
$restored->command_ok(Network::pg_restore($restored, $dump), 'the dump is restored beside a running worker');
ok($restored->poll_query_until('postgres', q{SELECT state || ' ' || value = 'ok streaming' FROM ledger.health WHERE item = 'receiving from'}), 'the link of the restored server streams, nobody calling anything');
$hub->safe_psql('postgres', "SELECT ecert.resume('plant', '" . Network::connection($restored) . "')");
streams('restored', $restored);
unlike(slurp_file($restored->logfile), qr/background worker "ecert duties[^"]*" \(PID \d+\) exited with exit code [^0]/, 'the worker did not stumble over half a ledger');
is($restored->safe_psql('postgres', q{SELECT r.rolname = ecert.receiver_role('plant') AND NOT r.rolsuper FROM pg_subscription s JOIN pg_roles r ON r.oid = s.subowner}), 't', 'its subscription belongs to the role that receives');

# a dump restored without its subscription
$restored->append_conf('postgresql.conf', 'ecert.worker_interval = 0');
$restored->reload;
my $link = $restored->safe_psql('postgres', 'SELECT subname FROM pg_subscription');
$restored->safe_psql('postgres', "ALTER SUBSCRIPTION $link DISABLE; ALTER SUBSCRIPTION $link SET (slot_name = NONE); DROP SUBSCRIPTION $link");
like(receiving($restored), qr/^alarm subscription is gone: SELECT ecert\.resume\('certifier', '<connection string>'\)$/, 'a subscription that is gone: health says what to run');
$restored->safe_psql('postgres', "SELECT ecert.resume('certifier', '" . Network::connection($hub) . "')");
streams('made again', $restored);

# the hub's database is renamed
$_->stop for $restored, $node{mine};
$hub->safe_psql('postgres', "ALTER SUBSCRIPTION $_ DISABLE") for split /\n/, $hub->safe_psql('postgres', 'SELECT subname FROM pg_subscription');
$hub->append_conf('postgresql.conf', "ecert.worker_database = 'ledger'");
$hub->restart;
$hub->poll_query_until('template1', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'postgres'}) or die 'in use';
$hub->safe_psql('template1', 'ALTER DATABASE postgres RENAME TO ledger');
$hub->safe_psql('ledger', "ALTER SUBSCRIPTION $_ ENABLE") for split /\n/, $hub->safe_psql('ledger', 'SELECT subname FROM pg_subscription');
$_->start for $restored, $node{mine};
for my $one ($restored, $node{mine})
{
	Network::duties($one);
	like(receiving($one), qr/^(?:alarm subscription is disabled|warning not connected): .*database "postgres" does not exist.*; if its address, database or password is new: SELECT ecert\.resume\('certifier', '<connection string>'\)/s, 'a database that was renamed: health says what to run');
	$one->safe_psql('postgres', "SELECT ecert.resume('certifier', '" . (Network::connection($hub) =~ s/dbname=postgres/dbname=ledger/r) . "')");
	ok($one->poll_query_until('postgres', q{SELECT state || ' ' || value = 'ok streaming' FROM ledger.health WHERE item = 'receiving from'}), 'which mends it');
}
relate('ledger');
my $expected = $hub->safe_psql('ledger', 'SELECT count(*) FROM ledger.package');
ok($_->poll_query_until('postgres', "SELECT count(*) = $expected FROM ledger.package"), $_->name . ': packages come') for $restored, $node{mine};
is($hub->safe_psql('ledger', 'SELECT DISTINCT r.rolname = ecert.receiver_role(ecert.this_node()) FROM pg_subscription s JOIN pg_roles r ON r.oid = s.subowner'), 't', 'the role does not hang on the name of the database');
$_->stop for $restored, $node{mine}, $hub;
done_testing();
