# Three levels: plants below provinces below the nation, whose server is the certifier's. What a plant signs goes up through
# its province, the certificate comes down and is verified at the plant.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $nation = Network::hub('nation.example', statistics => 'month');
my %server = map { $_ => Network::server($_) } qw(east west plant mine);
Network::enroll($nation, $server{$_}, $_, '{auditor}') for qw(east west mine);
Network::enroll($nation, $server{plant}, 'plant', '{applicant}');
$nation->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream')});
# two provinces below the nation, the plant below the one, its supplier below the other
Network::link_node($nation, $server{$_}, $_) for qw(east west);
is(Network::equal($nation, @server{qw(east west)}), '', 'the provinces are linked');
Network::link_node($server{east}, $server{plant}, 'plant');
Network::link_node($server{west}, $server{mine}, 'mine');
is(Network::equal($nation, values %server), '', 'and below them the plant and its supplier');

$server{plant}->safe_psql('postgres', q{
	INSERT INTO ledger.reading (source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
	  ('raw_coal', 't', 'steel', 'mine', '2024-01-01', '2024-02-01', 1000), ('electricity', 'GWh', 'steel', NULL, '2024-01-01', '2024-02-01', 2),
	  ('raw_coal', 't', 'steel', 'mine', '2025-01-01', '2025-02-01', 1050), ('electricity', 'GWh', 'steel', NULL, '2025-01-01', '2025-02-01', 2.1);
	INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES
	  ('steel', 't', '2024-01-01', '2024-02-01', 5100, 5000), ('steel', 't', '2025-01-01', '2025-02-01', 5660, 5600);});
$server{mine}->safe_psql('postgres', q{INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity) VALUES
	('plant', 'raw_coal', 't', '2024-01-01', '2024-02-01', 1004), ('plant', 'raw_coal', 't', '2025-01-01', '2025-02-01', 1047)});
Network::duties($server{plant});
is(Network::equal($nation, values %server), '', 'the plant\'s packages go up, across and down');
Network::duties($server{mine});
is(Network::equal($nation, values %server), '', 'and the supplier\'s audits');
Network::duties($nation);
is(Network::equal($nation, values %server), '', 'and the nation\'s certificate');
is($server{plant}->safe_psql('postgres', 'SELECT applicant, saving_tce, verdict, recomputation FROM ledger.certificate'), 'plant|67.2070|pass|agrees', 'the plant has it and computes it again');
is(Network::problems($server{$_}), '', "$_: everything verifies") for sort keys %server;

# a fourth level, which a hub two levels up learns of by its duties
my $works = Network::server('works');
Network::enroll($nation, $works, 'works', '{applicant}');
is(Network::equal($nation, values %server), '', 'a fourth level is enrolled');
Network::link_node($server{plant}, $works, 'works');
is(Network::equal($nation, values %server, $works), '', 'and linked below the plant');
Network::duties($server{east});
is($server{east}->safe_psql('postgres', 'SELECT ecert.issuers_below()'), '{east,plant,works}', 'the province knows who is below the plant');
$works->safe_psql('postgres', q{SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json('[2025-01-01,2025-02-01)'),
	'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))});
is(Network::equal($nation, values %server, $works), '', 'what it signs goes up three levels and down again');

# a province that leaves takes nothing along
$server{east}->safe_psql('postgres', 'SELECT ecert.leave_ledger()');
$nation->safe_psql('postgres', "SELECT ecert.dismiss_node('east')");
is($nation->safe_psql('postgres', q{SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%east%'}), '0', 'a dismissed province leaves no slot');
is(Network::problems($server{east}), '', 'and keeps its copy');
$_->stop for $works, values %server, $nation;
done_testing();
