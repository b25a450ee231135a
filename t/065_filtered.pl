# Nodes that are sent a part of the ledger only: whole feeds of it, checked; what they cannot recompute they say they cannot.
# And two stories that an issuer tells to two servers end as a proof on all of them.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $policy = q{ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}, {"as": "downstream", "count": 1}],
	"upstream": {"tolerance": 0.02}, "downstream": {"tolerance": 0.02}, "peer": {"k": 3, "floor": 0, "band": 0.3, "minimum": 3}, "audit_days": 30}}'::jsonb};
my $hub = Network::hub('filtered.example', policy => $policy, statistics => 'month');
my %server = map { $_ => Network::server($_) } qw(plant other mine buyer reader);
Network::enroll($hub, $server{$_}, $_, '{applicant}') for qw(plant other);
Network::enroll($hub, $server{$_}, $_, '{auditor}') for qw(mine buyer reader);
$hub->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream'), ecert.relate('buyer', 'plant', 'downstream')});
Network::link_node($hub, $server{$_}, $_) for qw(plant other);

# a filter needs a publication at the hub; a node whose role there may not make one is told what to run
# (the privileges are those of docs/operations.md, on either side of a link)
my $grants = q{CREATE ROLE ecert_replicator LOGIN REPLICATION;
	GRANT USAGE ON SCHEMA ecert, ledger TO ecert_replicator;
	GRANT SELECT ON ledger.package, ledger.equivocation, ledger.node, ledger.tile, ledger.leaf_range, ledger.sealing TO ecert_replicator;
	GRANT SELECT (peer, is_hub, below, subscription) ON ledger.peer TO ecert_replicator;};
$hub->safe_psql('postgres', $grants);
my $weak = Network::connection($hub) =~ s/user=\S+/user=ecert_replicator/r;
my ($status, $output, $error) = $server{mine}->psql('postgres', "SELECT ecert.join_ledger('" . Network::genesis($hub) . "', '$weak', '{plant}', '{energy}')");
like($error, qr/hub "certifier" has no publication for this node yet/, 'a node without the right to link itself is stopped');
like($error, qr/SELECT ecert\.admit_node\('mine', 'host=.*', '\{plant\}', '\{energy\}'\);/, 'and told what the hub has to run');
is($hub->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE $$ecert_mine%$$'), '0', 'and leaves no slot behind');
is($server{mine}->safe_psql('postgres', "SELECT to_regclass('ledger.package') IS NULL"), 't', 'and nothing half made');
my $notice = $hub->psql('postgres', "SELECT ecert.admit_node('mine', '" . Network::connection($server{mine}) . "', '{plant}', '{energy}')");
is($notice, 0, 'the hub runs it, before the node is there');
$server{mine}->safe_psql('postgres', "SELECT ecert.join_ledger('" . Network::genesis($hub) . "', '$weak', '{plant}', '{energy}')");
$server{mine}->safe_psql('postgres', $grants);
$hub->safe_psql('postgres', "SELECT ecert.admit_node('mine', '" . (Network::connection($server{mine}) =~ s/user=\S+/user=ecert_replicator/r) . "', '{plant}', '{energy}')");
Network::link_node($hub, $server{buyer}, 'buyer', q{, '{plant}', '{product}'});
Network::link_node($hub, $server{reader}, 'reader', q{, NULL, '{certificate}'});

for my $node (qw(plant other))
{
	$server{$node}->safe_psql('postgres', q{
		INSERT INTO ledger.reading (source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
		  ('raw_coal', 't', 'steel', 'mine', '2024-01-01', '2024-02-01', 1000), ('raw_coal', 't', 'steel', 'mine', '2025-01-01', '2025-02-01', 1050);
		INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES
		  ('steel', 't', '2024-01-01', '2024-02-01', 5100, 5000), ('steel', 't', '2025-01-01', '2025-02-01', 5660, 5600);});
}
$server{mine}->safe_psql('postgres', q{INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity) VALUES
	('plant', 'raw_coal', 't', '2024-01-01', '2024-02-01', 1004), ('plant', 'raw_coal', 't', '2025-01-01', '2025-02-01', 1047)});
$server{buyer}->safe_psql('postgres', q{INSERT INTO ledger.purchase (applicant, product, unit, period_start, period_end, quantity) VALUES
	('plant', 'steel', 't', '2024-01-01', '2024-02-01', 4000), ('plant', 'steel', 't', '2025-01-01', '2025-02-01', 5000)});

# Wait until a server has as many packages of a kind as are expected
sub arrived
{
	my ($name, $kind, $count) = @_;
	my $one = $server{$name} // $hub;
	return $one->poll_query_until('postgres', "SELECT count(*) >= $count FROM ledger.package WHERE kind = '$kind'");
}
Network::duties(@server{qw(plant other)});
ok(arrived('mine', 'energy', 2) && arrived('buyer', 'product', 2), 'each auditor gets what it audits');
Network::duties(@server{qw(mine buyer)});
ok(arrived('certifier', 'audit', 4), 'its audits reach the hub');
Network::duties($hub);
ok(arrived('reader', 'certificate', 1), 'and the certificate a reader');

Network::duties($server{mine}, $hub);
is($_->safe_psql('postgres', q{SELECT duty, subject, outcome FROM ledger.duty_log WHERE sqlstate IS NOT NULL AND duty IN ('link', 'compare')}), '', 'the duties of the link need no other privileges') for $server{mine}, $hub;

# what each holds, beside checkpoints and witnesses
my $held = q{SELECT string_agg(feed, ', ' ORDER BY feed) FROM (SELECT DISTINCT kind || ' ' || issuer AS feed FROM ledger.package WHERE kind NOT IN ('checkpoint', 'witness')) AS f};
is($server{mine}->safe_psql('postgres', $held), 'audit mine, energy plant, genesis certifier, node certifier, relation certifier', 'an upstream auditor holds energy of its customer, the registry, and its own audits');
is($server{buyer}->safe_psql('postgres', $held), 'audit buyer, genesis certifier, node certifier, product plant, relation certifier', 'a downstream auditor the products');
is($server{reader}->safe_psql('postgres', $held), 'certificate certifier, genesis certifier, node certifier, relation certifier', 'a reader the certificates');
is($hub->safe_psql('postgres', $held), 'audit buyer, audit mine, certificate certifier, energy other, energy plant, genesis certifier, node certifier, product other, product plant, relation certifier, reward certifier', 'the hub everything');
is(Network::problems($server{$_}), '', "$_: what it holds verifies") for sort keys %server;
is($server{reader}->safe_psql('postgres', q{SELECT applicant, saving_rate > 0, recomputation_agrees, recomputation FROM ledger.certificate}), 'plant|t||not checkable here', 'a certificate is neither right nor wrong where it cannot be recomputed');
is($server{other}->safe_psql('postgres', q{SELECT recomputation_agrees, recomputation FROM ledger.certificate}), 't|agrees', 'and right where it can');
is($server{mine}->safe_psql('postgres', q{SELECT verdict, overtaken IS NULL FROM ledger.audit ORDER BY issued_at LIMIT 1}), 'pass|f', 'an audit of what a node holds can be judged');

# an auditor that adds audits to what it is sent, but not what they audit
Network::duties($hub);
$hub->safe_psql('postgres', "SELECT ecert.dismiss_node('reader')");
$server{reader}->safe_psql('postgres', 'SELECT ecert.leave_ledger()');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%reader%'}) . $server{reader}->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots'), '00', 'dismissed and gone, no slot is left');
$server{reader}->safe_psql('postgres', "SELECT ecert.join_ledger('" . Network::genesis($hub) . "', '" . Network::connection($hub) . "', NULL, '{audit,certificate,reward}')");
$hub->safe_psql('postgres', "SELECT ecert.admit_node('reader', '" . Network::connection($server{reader}) . "', NULL, '{audit,certificate,reward}')");
ok(arrived('reader', 'reward', 4), 'joined again it is sent more');
is(Network::problems($server{reader}), '', 'which verifies as far as it can');
is($server{reader}->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE overtaken IS NULL) || ' of ' || count(*) FROM ledger.audit}), '4 of 4', 'whether an audit is overtaken is not told where the audited packages are not held');

# statuses come with certificates: one that was withdrawn is not shown as if it held, and the one in its place is not taken for a second one
$hub->safe_psql('postgres', q{SELECT ecert.set_status(hash, 'withdrawn', 'a mistake') FROM ledger.package WHERE kind = 'certificate'; SELECT ecert.certify('plant', '[2025-01-01,2025-02-01)'); SELECT ecert.checkpoint()});
ok(arrived('reader', 'certificate', 2) && arrived('reader', 'checkpoint', $hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.package WHERE kind = 'checkpoint'})), 'a certificate is withdrawn and issued again');
is($server{reader}->safe_psql('postgres', q{SELECT status, finding IS NULL FROM ledger.certificate ORDER BY certificate_number}), "withdrawn|t\nactive|t", 'which a reader of certificates sees');
is(Network::problems($server{reader}), '', 'and takes for right');

# two stories: the plant's server is cloned by somebody, and both sign
my $story = q{SET ecert.sign_unconfirmed = on; SELECT ecert.sign('energy', jsonb_build_object('period', ecert.period_json('[2025-02-01,2025-03-01)'),
	'lines', jsonb_build_array(jsonb_build_object('source', 'raw_coal', 'unit', 't', 'quantity', %d))))};
my $one = $server{plant}->safe_psql('postgres', sprintf($story, 900));
my $other = $server{plant}->safe_psql('postgres', sprintf($story, 700));
# the one is put on the plant's own server, the other on the hub, while the two do not hear each other
my %subscription = (plant => $server{plant}->safe_psql('postgres', 'SELECT subname FROM pg_subscription'),
	hub => $hub->safe_psql('postgres', q{SELECT subscription FROM ledger.peer WHERE peer = 'plant'}));
$server{plant}->safe_psql('postgres', "ALTER SUBSCRIPTION $subscription{plant} DISABLE");
$hub->safe_psql('postgres', "ALTER SUBSCRIPTION $subscription{hub} DISABLE");
$server{plant}->safe_psql('postgres', "INSERT INTO ledger.package (package) VALUES ('$one')");
$hub->safe_psql('postgres', "INSERT INTO ledger.package (package) VALUES ('$other')");
ok(arrived('other', 'energy', 5), 'the one story is on the plant, the other on the hub and the other nodes');
$server{plant}->safe_psql('postgres', "ALTER SUBSCRIPTION $subscription{plant} ENABLE");
$hub->safe_psql('postgres', "ALTER SUBSCRIPTION $subscription{hub} ENABLE");
for my $name (qw(certifier plant other mine))
{
	my $at = $server{$name} // $hub;
	ok($at->poll_query_until('postgres', 'SELECT count(*) = 1 FROM ledger.equivocation'), "$name has the proof");
	is($at->safe_psql('postgres', q{SELECT issuer, kind, seq, ecert.is_equivocation(first_package, second_package) FROM ledger.equivocation}), 'plant|energy|2|t', 'which it checks itself');
	like($at->safe_psql('postgres', q{SELECT state || ' ' || detail FROM ledger.health WHERE item = 'equivocation'}), qr/alarm "plant" signed energy seq 2 twice/, 'and shows');
}
is(Network::sqlstate($hub, "INSERT INTO ledger.equivocation (first_package, second_package) VALUES ('$one', '$one')"), 'EC021', 'one story twice is no proof');
is(Network::sqlstate($hub, "INSERT INTO ledger.equivocation (first_package, second_package) SELECT '$one', set_byte('$other'::bytea, 200, 1)"), 'EC021', 'nor is a changed one');
$_->stop for values %server, $hub;
done_testing();
