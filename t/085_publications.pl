# What a peer publishes beside the ledger reaches nobody: a subscription brings inserts into two tables, whatever the other side
# publishes, adds later or sends at the first join. Health names table and peer, and packages still come.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $all = "'insert, update, delete, truncate'";
my $hub = Network::hub('published.example');
my %node = map { $_ => Network::server($_) } qw(plant mine late);
my %roles = (plant => '{applicant,auditor}', mine => '{auditor}', late => '{auditor}');
Network::enroll($hub, $node{$_}, $_, $roles{$_}) for sort keys %node;
Network::link_node($hub, $node{$_}, $_) for qw(plant mine);
is(Network::equal($hub, @node{qw(plant mine)}), '', 'linked');

# a table of everyone's own on each server
$_->safe_psql('postgres', "CREATE TABLE public.payroll (id integer PRIMARY KEY, pay numeric); INSERT INTO public.payroll VALUES (1, 100)") for $hub, values %node;
my $payroll = q{SELECT string_agg(id || ' ' || pay, ', ' ORDER BY id) FROM public.payroll};
my $months = 0;

sub link_health
{
	my ($server, $peer) = @_;
	return $server->safe_psql('postgres', "SELECT state || ' ' || value || ': ' || detail FROM ledger.health WHERE item = 'receiving from' AND subject = '$peer'");
}

sub subscribed
{
	my ($server) = @_;
	return $server->safe_psql('postgres', q{SELECT string_agg(srrelid::regclass::text, ' ' ORDER BY srrelid::regclass::text) FROM pg_subscription_rel});
}

# Rounds of duties until a link streams: the first enables a subscription that an error has disabled, the second begins anew
sub streams
{
	my ($server, $what) = @_;
	my $state = '';
	for (1 .. 5)
	{
		Network::duties($server);
		$server->poll_query_until('postgres', q{SELECT value NOT IN ('copying', 'not connected') FROM ledger.health WHERE item = 'receiving from'});
		$state = $server->safe_psql('postgres', q{SELECT state || ' ' || value FROM ledger.health WHERE item = 'receiving from'});
		last if $state eq 'ok streaming';
	}
	is($state, 'ok streaming', "$what: the link of " . $server->name . ' streams again');
	return;
}

# The next word of the certifier, or month of the plant
sub relate { $hub->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream')}); return }

sub append
{
	$node{plant}->safe_psql('postgres', sprintf(q{SELECT ecert.append('energy', jsonb_build_object('period',
		ecert.period_json(tstzrange('2020-01-01'::timestamptz + %1$d * interval '1 month', '2020-01-01'::timestamptz + (%1$d + 1) * interval '1 month')),
		'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))}, $months++));
	return;
}

# Drop the slot at one server by which the other reads from it
sub lose_slot
{
	my ($at, $reader) = @_;
	my $slot = $reader->safe_psql('postgres', 'SELECT subscription FROM ledger.peer WHERE peer = ' . "'" . $at->safe_psql('postgres', 'SELECT ecert.this_node()') . "'");
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$at->psql('postgres', "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '$slot' AND active; SELECT pg_drop_replication_slot('$slot')");
		last if $at->safe_psql('postgres', "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$slot'") eq '0';
		select(undef, undef, undef, 0.05);
	}
	is($at->safe_psql('postgres', "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$slot'"), '0', 'the slot is lost');
	return;
}

# the rights of a link: those of the role that receives, which nobody logs in as
for my $name (qw(certifier plant))
{
	my $server = $node{$name} // $hub;
	is($server->safe_psql('postgres', q{SELECT DISTINCT r.rolname = ecert.receiver_role(ecert.this_node()) AND NOT (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls) AND r.rolcanlogin
		FROM pg_subscription s JOIN pg_roles r ON r.oid = s.subowner}), 't', "$name: its subscriptions belong to a role without power");
	is($server->safe_psql('postgres', q{SELECT string_agg(c.oid::regclass || ' ' || p, ', ' ORDER BY c.oid::regclass::text, p) FROM pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS p
		WHERE c.relkind IN ('r', 'v', 'm', 'p') AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
		  AND has_table_privilege(ecert.receiver_role(ecert.this_node()), c.oid, p)}), 'ledger.equivocation INSERT, ledger.package INSERT', "$name: which may insert into two tables");
	my ($status, $output, $error) = $server->psql('postgres', 'SELECT 1', connstr => $server->connstr('postgres') . ' user=' . $server->safe_psql('postgres', 'SELECT ecert.receiver_role(ecert.this_node())'));
	like($error, qr/too many connections for role/, "$name: and nobody logs in as it");
}

# Add tables to a publication, take the slot away, write; the receiver does a round
for my $table ('public.payroll', 'ledger.reading')
{
	$hub->safe_psql('postgres', "ALTER PUBLICATION ecert ADD TABLE $table; ALTER PUBLICATION ecert SET (publish = $all)");
	lose_slot($hub, $node{plant});
	Network::duties($node{plant});
	$hub->safe_psql('postgres', "INSERT INTO public.payroll VALUES (2, 999); UPDATE public.payroll SET pay = 0; TRUNCATE public.payroll;
		INSERT INTO ledger.reading (node, source, unit, product, interval_start, interval_end, quantity) VALUES ('plant', 'raw_coal', 't', 'steel', '2019-01-01', '2019-02-01', 77777)");
	relate();
	Network::duties($node{plant});
	is(Network::equal($hub, $node{plant}), '', "$table published: the packages still come");
	is($node{plant}->safe_psql('postgres', $payroll), '1 100', "$table published: nothing arrives");
	is($node{plant}->safe_psql('postgres', 'SELECT count(*) FROM ledger.reading'), '0', "$table published: no reading that the node would sign");
	like(link_health($node{plant}, 'certifier'), qr/^alarm publishes too much, packages are pulled: publishes table \Q$table\E; publishes UPDATE, DELETE, TRUNCATE/, "$table published: health names it");
	is(subscribed($node{plant}), 'ledger.equivocation ledger.package', "$table published: nothing more is subscribed to");
	# the other one has its slot: what it is subscribed to goes on, and what was added is passed over
	Network::duties($node{mine});
	like(link_health($node{mine}, 'certifier'), qr/^alarm publishes too much[^;]*: publishes table \Q$table\E/, "$table published: a node that lost no slot says so too");
	is($node{mine}->safe_psql('postgres', $payroll), '1 100', "$table published: it is not there either");
	is(Network::equal($hub, $node{mine}), '', "$table published: nor do packages stop there");

	$hub->safe_psql('postgres', "SELECT ecert.publish('ecert')");
	is($hub->safe_psql('postgres', q{SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_publication_tables WHERE pubname = 'ecert'}), 'equivocation package', 'the publication is as it was');
	$hub->safe_psql('postgres', 'DELETE FROM public.payroll; INSERT INTO public.payroll VALUES (1, 100); DELETE FROM ledger.reading');
	for my $one (@node{qw(plant mine)})
	{
		streams($one, $table);
		is(subscribed($one), 'ledger.equivocation ledger.package', 'with its two tables');
	}
	relate();
	is(Network::equal($hub, @node{qw(plant mine)}), '', 'and brings packages by itself');
}

# a table that does not exist at the node stops its stream: packages are pulled
$hub->safe_psql('postgres', 'CREATE TABLE public.nowhere (id integer PRIMARY KEY); ALTER PUBLICATION ecert ADD TABLE public.nowhere; INSERT INTO public.nowhere VALUES (1)');
$node{plant}->poll_query_until('postgres', 'SELECT NOT bool_and(subenabled) FROM pg_subscription') or die 'the stream goes on';
relate();
Network::duties($node{plant});
is(Network::equal($hub, $node{plant}), '', 'a table that is not here stops the stream, and packages are pulled');
like(link_health($node{plant}, 'certifier'), qr/^alarm publishes too much, packages are pulled: publishes table public\.nowhere/, 'health names it');
$hub->safe_psql('postgres', 'DROP TABLE public.nowhere');
streams($_, 'the table is gone') for @node{qw(plant mine)};

# a REFRESH by hand subscribes to what is published: the next round takes it away, and nothing has come
$hub->safe_psql('postgres', 'ALTER PUBLICATION ecert ADD TABLE public.payroll');
$node{mine}->safe_psql('postgres', 'DELETE FROM public.payroll; ALTER SUBSCRIPTION ' . $node{mine}->safe_psql('postgres', 'SELECT subname FROM pg_subscription') . ' REFRESH PUBLICATION');
$node{mine}->poll_query_until('postgres', 'SELECT NOT bool_and(subenabled) FROM pg_subscription') or die 'the copy of a table that is none of the ledger\'s goes on';
is($node{mine}->safe_psql('postgres', 'SELECT count(*) FROM public.payroll'), '0', 'a refresh by hand brings no row of another table');
$hub->safe_psql('postgres', "SELECT ecert.publish('ecert')");
like(link_health($node{mine}, 'certifier'), qr/^alarm brings nothing: table public\.payroll is subscribed to, which is none of the ledger's two/, 'which health names');
Network::duties($node{mine});
is(subscribed($node{mine}), 'ledger.equivocation ledger.package', 'and the duties end');

# at the first join, without any trick
$hub->safe_psql('postgres', 'ALTER PUBLICATION ecert ADD TABLE public.payroll; INSERT INTO public.payroll VALUES (3, 5)');
my ($status, $output, $error) = $node{late}->psql('postgres', "SELECT ecert.join_ledger('" . Network::genesis($hub) . "', '" . Network::connection($hub) . "')");
is($status, 0, 'a node joins');
like($error, qr/WARNING:  nothing is subscribed to at "certifier"\s+DETAIL:  Its publication "ecert": publishes table public\.payroll\./, 'and is told what the hub publishes');
$hub->safe_psql('postgres', "SELECT ecert.admit_node('late', '" . Network::connection($node{late}) . "')");
Network::duties($node{late});
is(Network::equal($hub, $node{late}), '', 'it has the packages after its first round');
is($node{late}->safe_psql('postgres', $payroll), '1 100', 'and nothing else');
like(link_health($node{late}, 'certifier'), qr/^alarm publishes too much, packages are pulled: publishes table public\.payroll/, 'health names it');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'ecert_late_from_%'}), '0', 'no slot keeps WAL there');
$hub->safe_psql('postgres', "SELECT ecert.publish('ecert')");
Network::duties($node{late});
relate();
is(Network::equal($hub, $node{late}), '', 'when the publication is as it should be, replication begins');
like(link_health($node{late}, 'certifier'), qr/^ok streaming/, 'and health says so');

# a node against its hub
$node{plant}->safe_psql('postgres', "ALTER PUBLICATION ecert_up ADD TABLE public.payroll, ledger.reading; ALTER PUBLICATION ecert_up SET (publish = $all)");
lose_slot($node{plant}, $hub);
$hub->safe_psql('postgres', 'DELETE FROM public.payroll; INSERT INTO public.payroll VALUES (1, 100)');
Network::duties($hub);
$node{plant}->safe_psql('postgres', "INSERT INTO public.payroll VALUES (2, 999); UPDATE public.payroll SET pay = 0; TRUNCATE public.payroll;
	INSERT INTO ledger.reading (node, source, unit, product, interval_start, interval_end, quantity) VALUES ('certifier', 'raw_coal', 't', 'steel', '2019-01-01', '2019-02-01', 77777)");
append();
Network::duties($hub);
is($hub->safe_psql('postgres', $payroll) . ' ' . $hub->safe_psql('postgres', 'SELECT count(*) FROM ledger.reading'), '1 100 0', 'a node against its hub: nothing arrives');
is(Network::hashes($hub, q{issuer = 'plant'}), Network::hashes($node{plant}, q{issuer = 'plant'}), 'the packages still come');
like(link_health($hub, 'plant'), qr/^alarm publishes too much, packages are pulled: publishes table ledger\.reading, public\.payroll; publishes UPDATE, DELETE, TRUNCATE/, 'the hub\'s health names tables and node');

# and at its first admission
$node{late}->safe_psql('postgres', "ALTER PUBLICATION ecert_up ADD TABLE public.payroll");
$hub->safe_psql('postgres', "SELECT ecert.dismiss_node('late')");
($status, $output, $error) = $hub->psql('postgres', "SELECT ecert.admit_node('late', '" . Network::connection($node{late}) . "')");
is($status, 0, 'a node is admitted');
like($error, qr/WARNING:  nothing is subscribed to at "late"\s+DETAIL:  Its publication "ecert_up": publishes table public\.payroll\./, 'and the hub is told what it publishes');
is($hub->safe_psql('postgres', $payroll), '1 100', 'nothing arrives');
like(link_health($hub, 'late'), qr/^alarm publishes too much, packages are pulled: publishes table public\.payroll/, 'health names it');
$node{$_}->safe_psql('postgres', 'SELECT ecert.publish_up()') for qw(plant late);
Network::duties($hub, @node{qw(plant late)}) for 1 .. 2;
append();
is(Network::equal($hub, values %node), '', 'all links stream again');

# publications made anew, of a whole schema and of all tables
my $mine = $node{plant}->safe_psql('postgres', $payroll);
for my $of ('TABLES IN SCHEMA ledger', 'ALL TABLES')
{
	$hub->safe_psql('postgres', "DROP PUBLICATION ecert; CREATE PUBLICATION ecert FOR $of");
	Network::duties($node{plant}) for 1 .. 2;
	like(link_health($node{plant}, 'certifier'), qr/^alarm publishes too much: publishes table ledger\.certificate_state, [^;]* and others; publishes UPDATE, DELETE, TRUNCATE/, "FOR $of: health names it");
	relate();
	is(Network::equal($hub, $node{plant}), '', "FOR $of: the packages still come");
	is($node{plant}->safe_psql('postgres', $payroll), $mine, "FOR $of: and nothing else");
	$hub->safe_psql('postgres', "SELECT ecert.publish('ecert')");
	Network::duties($node{plant}) for 1 .. 2;
	like(link_health($node{plant}, 'certifier'), qr/^ok streaming/, "FOR $of: the statement of the hint makes it what it was");
}

# the role goes with the last link
$node{late}->safe_psql('postgres', 'SELECT ecert.leave_ledger()');
is($node{late}->safe_psql('postgres', q{SELECT count(*) FROM pg_roles WHERE rolname LIKE 'ecert_receiver%'}), '0', 'a node that leaves keeps no role');
$_->stop for values %node, $hub;
done_testing();
