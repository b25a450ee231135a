# Health says what is, and what to do next: on a hub whose settings are too low, at a node whose hub is down, on a standby, where nobody does the duties.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Rows of health: "subject state value: detail", one a line
sub health
{
	my ($server, $item) = @_;
	return $server->safe_psql('postgres', "SELECT concat_ws(' ', subject, state, value || ':', detail) FROM ledger.health WHERE item = '$item' ORDER BY 1");
}

sub configure
{
	my ($server, %setting) = @_;
	$server->safe_psql('postgres', "ALTER SYSTEM SET $_ = '$setting{$_}'") for sort keys %setting;
	$server->reload;
	return;
}

# one subscription more than there are workers for
my $hub = Network::hub('health.example', conf => "max_logical_replication_workers = 1\n");
my %node = map { $_ => Network::server($_) } qw(plant mine);
for my $name (sort keys %node)
{
	Network::enroll($hub, $node{$name}, $name, $name eq 'plant' ? '{applicant}' : '{auditor}');
	Network::link_node($hub, $node{$name}, $name);
}
like(health($hub, 'setting'), qr/^max_logical_replication_workers alarm 1: [23] are needed: one for each of 2 subscriptions/m, 'a hub with one node too many is told which setting limits it');
unlike(health($hub, 'setting'), qr/max_worker_processes|max_wal_senders|max_replication_slots/, 'and none that does not');
configure($hub, max_logical_replication_workers => 20, max_wal_senders => 1);
$hub->restart;
like(health($hub, 'setting'), qr/^max_wal_senders alarm 1: 2 are needed: one for each replication slot/m, 'the other one too');
configure($hub, max_wal_senders => 10);
$hub->restart;
# what the restarts have disabled is enabled
Network::duties(values %node);
ok($hub->poll_query_until('postgres', q{SELECT count(*) = 2 FROM ledger.health WHERE item = 'receiving from' AND value = 'streaming'}), 'with enough of them the links stream');
ok($hub->poll_query_until('postgres', q{SELECT count(*) = 2 FROM ledger.health WHERE item = 'sending to' AND value = 'connected'}), 'both ways');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.health WHERE item = 'setting' AND state <> 'ok'}), '0', 'and no setting is named');

# a standby has no links of its own
$hub->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($hub, 'base', has_streaming => 1);
$standby->start;
is(health($standby, 'links'), 'ok standby: the primary keeps the links with 2 peers; after a promotion: SELECT ecert.resume()', 'a standby says whose links they are');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM ledger.health WHERE item IN ('receiving from', 'sending to', 'health')}), '0', 'and misses no slots');
$standby->stop;

# the next round mends what an outage of the hub does; a link that has lasted a round is no more one that was disabled lately
Network::duties($node{plant});
$hub->stop;
ok($node{plant}->poll_query_until('postgres', q{SELECT state <> 'ok' FROM ledger.health WHERE item = 'receiving from'}), 'an outage of the hub is seen at the node');
$node{plant}->safe_psql('postgres', q{DO $$ BEGIN EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', (SELECT subscription FROM ledger.peer)); END $$});
like(health($node{plant}, 'receiving from'), qr/^certifier warning subscription is disabled: by an error, which is in the server's log; the next round of duties enables it/, 'which is no alarm, since the next round mends it');
$hub->start;
Network::duties($node{plant});
ok($node{plant}->poll_query_until('postgres', q{SELECT value = 'streaming' FROM ledger.health WHERE item = 'receiving from'}), 'and it does');

# who does the duties
like(health($hub, 'duties'), qr/^warning never: ecert.worker_interval is 0: set it, or CALL ecert.run_duties\(\)/, 'no round and no worker is a warning');
configure($hub, 'ecert.worker_interval' => 3600, 'ecert.worker_database' => 'other, "Postgres"');
like(health($hub, 'duties'), qr/^warning never: ecert.worker_database is "other, "Postgres"", not this database: add postgres and reload/, 'so is a worker in another database');
configure($hub, 'ecert.worker_database' => 'other, Postgres');
like(health($hub, 'duties'), qr/^warning never: the worker does one every 01:00:00/, 'names are folded as everywhere');
Network::duties($hub);
like(health($hub, 'duties'), qr/^ok 20.*: 0 cannot be done now/, 'a round done is well');
$hub->safe_psql('postgres', q{UPDATE ledger.duty_log SET tried_at = tried_at - interval '2 days' WHERE duty = 'round'});
like(health($hub, 'duties'), qr/^warning 20.*: the worker should do one every 01:00:00/, 'one of two days ago is not');

# books that are gone stop packing and nothing else
configure($node{plant}, 'ecert.worker_interval' => 1);
my $workers = q{SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity WHERE backend_type = 'ecert duties'};
ok($node{plant}->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'ecert duties'}), 'the workers run');
my $running = $node{plant}->safe_psql('postgres', $workers);
$node{plant}->safe_psql('postgres', 'DROP TABLE ledger.reading CASCADE');
ok($node{plant}->poll_query_until('postgres', q{SELECT r.attempt_count > p.attempt_count FROM ledger.duty_log p JOIN ledger.duty_log r ON r.duty = 'round' WHERE p.duty = 'pack' AND p.subject = 'energy' AND p.sqlstate = '42P01'}),
	'without the table of readings rounds go on, and say why nothing is packed');
is($node{plant}->safe_psql('postgres', $workers), $running, 'by the same workers');
is(health($node{plant}, 'structure'), 'table ledger.reading alarm missing: Next: nothing makes it anew: restore it from a dump', 'health names the table');

# under the guard the statements of health work as they are
$node{mine}->safe_psql('postgres', q{SET ecert.allow_ledger_ddl = on; ALTER TABLE ledger.package DISABLE TRIGGER ecert_admit; ALTER TABLE ledger.package ENABLE ROW LEVEL SECURITY; DROP INDEX ledger.package_hash});
for my $next (split /\n/, $node{mine}->safe_psql('postgres', q{SELECT substr(detail, strpos(detail, 'Next: ') + 6) FROM ledger.health WHERE item = 'structure' AND state = 'alarm'}))
{
	$node{mine}->safe_psql('postgres', $next);
}
is(health($node{mine}, 'structure'), 'ok as ecert made it:', 'under the guard too, what health says mends it');
$_->stop for values %node, $hub;
done_testing();
