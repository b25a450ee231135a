# The background worker does the duties by itself: from readings to a certificate on three servers, nobody calling anything.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $conf = "ecert.worker_interval = 1\n";
my $hub = Network::hub('worker.example', conf => $conf, statistics => 'month');
my %server = map { $_ => Network::server($_, conf => $conf) } qw(plant mine);
ok($hub->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'ecert duties'}), 'two workers run: for own duties and for links');
Network::enroll($hub, $server{plant}, 'plant', '{applicant}');
Network::enroll($hub, $server{mine}, 'mine', '{auditor}');
$hub->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream')});
$server{mine}->safe_psql('postgres', "SELECT ecert.join_ledger('" . Network::genesis($hub) . "')");
is($server{mine}->safe_psql('postgres', 'SELECT count(*) FROM ledger.package'), '1', 'without a hub a ledger is its genesis');
# the one is linked by hand, of the other its own duties have the hub's half done
Network::link_node($hub, $server{mine}, 'mine');
$server{plant}->safe_psql('postgres', "SELECT ecert.join_ledger('" . Network::genesis($hub) . "', '" . Network::connection($hub) . "', own_connection => '" . Network::connection($server{plant}) . "')");
$server{plant}->safe_psql('postgres', q{
	INSERT INTO ledger.reading (source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
	  ('raw_coal', 't', 'steel', 'mine', '2024-01-01', '2024-02-01', 1000), ('raw_coal', 't', 'steel', 'mine', '2025-01-01', '2025-02-01', 1050);
	INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES
	  ('steel', 't', '2024-01-01', '2024-02-01', 5100, 5000), ('steel', 't', '2025-01-01', '2025-02-01', 5660, 5600);});
ok($hub->poll_query_until('postgres', q{SELECT count(*) = 2 FROM ledger.audit WHERE verdict = 'abstain'}), 'without records the auditor abstains');
$server{mine}->safe_psql('postgres', q{INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity) VALUES
	('plant', 'raw_coal', 't', '2024-01-01', '2024-02-01', 1004), ('plant', 'raw_coal', 't', '2025-01-01', '2025-02-01', 1047)});
ok($server{plant}->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ledger.certificate WHERE recomputation = 'agrees'}), 'as soon as it has some, the certificate comes by itself');
ok($server{mine}->poll_query_until('postgres', q{SELECT sum(amount) = 2 FROM ledger.reward_balance}), 'and so do the rewards');
is($hub->safe_psql('postgres', q{SELECT string_agg(duty, ' ' ORDER BY duty) FROM ledger.duty_log WHERE done_at IS NOT NULL}), 'certify link round reward round', 'the duty log says what was done');

# the certifier's worker seals, the others' compute the root, the auditor's witnesses; then there is nothing new to seal
$hub->safe_psql('postgres', 'ALTER SYSTEM SET ecert.checkpoint_interval = 1');
$hub->reload;
ok($server{plant}->poll_query_until('postgres', q{SELECT count(*) > 0 FROM ledger.checkpoint WHERE outcome = 'agrees' AND witness_count = 1}), 'what was admitted is sealed, computed and witnessed by itself');
ok($server{plant}->poll_query_until('postgres', q{SELECT checkpoint_seq IS NOT NULL AND witness_count > 0 FROM ledger.certificate}), 'the certificate says who stands for it');
$hub->safe_psql('postgres', 'ALTER SYSTEM SET ecert.checkpoint_interval = 0');
$hub->reload;

# a subscription that was disabled is enabled, and a slot that was lost made anew; the worker waits until it is lost
my $link = $server{mine}->safe_psql('postgres', q{SELECT subscription FROM ledger.peer WHERE is_hub});
$server{mine}->safe_psql('postgres', 'ALTER SYSTEM SET ecert.worker_interval = 0');
$server{mine}->reload;
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	# a round that was under way may have enabled it once more
	$server{mine}->safe_psql('postgres', "ALTER SUBSCRIPTION $link DISABLE");
	last if $hub->safe_psql('postgres', "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name = '$link' AND NOT active") eq '1';
	select(undef, undef, undef, 0.1);
}
is($hub->safe_psql('postgres', "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$link'"), '0', 'a slot is lost');
$server{mine}->safe_psql('postgres', 'ALTER SYSTEM SET ecert.worker_interval = 1');
$server{mine}->reload;
$hub->safe_psql('postgres', "SELECT ecert.relate('mine', 'plant', 'upstream', '-infinity', '2030-01-01')");
ok($server{mine}->poll_query_until('postgres', q{SELECT valid_to IS NOT NULL FROM ledger.relation}), 'a lost slot is made anew and what was missed is pulled');
is(Network::equal($hub, values %server), '', 'all servers hold the same');
is(Network::problems($_), '', $_->name . ': everything verifies') for $hub, values %server;

# nothing to do where there is no ledger, and none on a standby
$hub->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($hub, 'base', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'ecert duties'}), '0', 'a standby has no worker');
unlike(slurp_file($_->logfile), qr/(PANIC|terminated by signal|background worker "ecert duties[^"]*" \(PID \d+\) exited with exit code [^0])/, $_->name . ': no worker crashes') for $hub, values %server;
$_->stop for $standby, values %server, $hub;
done_testing();
