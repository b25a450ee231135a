# The whole way from readings to a certificate over five servers that share nothing but replication through the hub.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $required = q{ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}, {"as": "peer", "count": 1}, {"as": "downstream", "count": 1}],
	"upstream": {"tolerance": 0.02}, "downstream": {"tolerance": 0.02}, "peer": {"k": 3, "floor": 0, "band": 0.3, "minimum": 1}, "audit_days": 30}}'::jsonb};
my $hub = Network::hub('network.example', policy => $required, statistics => 'month');
my %server = map { $_ => Network::server($_) } qw(plant rival mine buyer);
my %roles = (plant => '{applicant}', rival => '{applicant,auditor}', mine => '{auditor}', buyer => '{auditor}');

for my $node (sort keys %server)
{
	Network::enroll($hub, $server{$node}, $node, $roles{$node});
	Network::link_node($hub, $server{$node}, $node);
}
$hub->safe_psql('postgres', q{
	SELECT ecert.relate('mine', n, 'upstream'), ecert.relate('buyer', n, 'downstream') FROM unnest('{plant,rival}'::text[]) AS n;
	SELECT ecert.relate('rival', 'plant', 'peer');});
is(Network::equal($hub, values %server), '', 'what the certifier says is on every server');

# each writes down what it knows, on its own server
for my $node (qw(plant rival))
{
	$server{$node}->safe_psql('postgres', q{
		INSERT INTO ledger.reading (source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
		  ('raw_coal', 't', 'steel', 'mine', '2024-01-01', '2024-02-01', 1000), ('electricity', 'GWh', 'steel', NULL, '2024-01-01', '2024-02-01', 2),
		  ('raw_coal', 't', 'steel', 'mine', '2025-01-01', '2025-02-01', 1050), ('electricity', 'GWh', 'steel', NULL, '2025-01-01', '2025-02-01', 2.1);
		INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES
		  ('steel', 't', '2024-01-01', '2024-02-01', 5100, 5000), ('steel', 't', '2025-01-01', '2025-02-01', 5660, 5600);});
	$server{mine}->safe_psql('postgres', "INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity) VALUES
		('$node', 'raw_coal', 't', '2024-01-01', '2024-02-01', 1004), ('$node', 'raw_coal', 't', '2025-01-01', '2025-02-01', 1047)");
	$server{buyer}->safe_psql('postgres', "INSERT INTO ledger.purchase (applicant, product, unit, period_start, period_end, quantity) VALUES
		('$node', 'steel', 't', '2024-01-01', '2024-02-01', 4000), ('$node', 'steel', 't', '2025-01-01', '2025-02-01', 5000)");
}
# a round of duties packs, the next one audits what came in, the next one certifies
Network::duties($server{plant}, $server{rival});
is(Network::equal($hub, values %server), '', 'the packages are on every server');
is($server{mine}->safe_psql('postgres', q{SELECT string_agg(DISTINCT kind || ' ' || issuer, ', ' ORDER BY kind || ' ' || issuer) FROM ledger.package WHERE kind IN ('energy', 'product')}),
	'energy plant, energy rival, product plant, product rival', 'signed by the plants, each on its own server');
Network::duties(@server{qw(mine rival buyer)});
is(Network::equal($hub, values %server), '', 'the audits are on every server');
is($hub->safe_psql('postgres', q{SELECT string_agg(auditor || ' ' || as_role || ' ' || verdict || ' ' || n, ', ' ORDER BY auditor, as_role, verdict)
	FROM (SELECT auditor, as_role, verdict, count(*) AS n FROM ledger.audit WHERE applicant = 'plant' GROUP BY 1, 2, 3) AS a}),
	'buyer downstream pass 2, mine upstream pass 2, rival peer pass 2', 'and came out as they should');
Network::duties($hub);
is(Network::equal($hub, values %server), '', 'the certificate and the rewards are on every server');
for my $node (sort keys %server)
{
	is($server{$node}->safe_psql('postgres', 'SELECT applicant, saving_tce, saving_rate, verdict, status, recomputation FROM ledger.certificate'),
		'plant|67.2070|0.062500000|pass|active|agrees', "$node has computed the certificate again");
	is(Network::problems($server{$node}), '', "$node: everything verifies, nothing waits, nothing is quarantined");
}
is(Network::problems($hub), '', 'and so it does on the hub');
is($hub->safe_psql('postgres', q{SELECT string_agg(auditor || ' ' || amount::int, ', ' ORDER BY auditor) FROM ledger.reward_balance}), 'buyer 4, mine 4, rival 2', 'every audit is paid once');

# duties that cannot be done say why, and are done when they can be
like($hub->safe_psql('postgres', q{SELECT sqlstate || ' ' || outcome FROM ledger.duty_log WHERE duty = 'certify' AND subject LIKE 'rival,%'}),
	qr/^EC062 .*audit_missing/, 'what stands against a certificate is in the duty log');
$server{plant}->safe_psql('postgres', q{INSERT INTO ledger.reading (source, unit, product, interval_start, interval_end, quantity) VALUES ('moonshine', 't', 'steel', '2025-02-01', '2025-03-01', 1)});
Network::duties($server{plant});
like($server{plant}->safe_psql('postgres', q{SELECT sqlstate || ' ' || outcome FROM ledger.duty_log WHERE duty = 'pack' AND subject = 'energy'}),
	qr/^EC042 .*moonshine/, 'a period that cannot be packed is in the duty log');
$server{plant}->safe_psql('postgres', q{UPDATE ledger.reading SET source = 'raw_coal' WHERE source = 'moonshine'});
Network::duties($server{plant});
is($server{plant}->safe_psql('postgres', q{SELECT coalesce(sqlstate, 'done') || ' ' || attempt_count FROM ledger.duty_log WHERE duty = 'pack' AND subject = 'energy'}), 'done 4', 'and is packed when it can be');
is(Network::equal($hub, values %server), '', 'on every server');

# health
for my $node ('hub', sort keys %server)
{
	my $one = $server{$node} // $hub;
	Network::duties($one);
	$one->safe_psql('postgres', 'CALL ecert.verify_ledger()');
	is($one->safe_psql('postgres', q{SELECT item, subject, value, detail FROM ledger.health WHERE state <> 'ok' AND NOT (item = 'duties' AND detail LIKE '%certify rival%')}), '', "$node is healthy");
}
$_->stop for values %server, $hub;
done_testing();
