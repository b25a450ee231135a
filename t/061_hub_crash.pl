# The hub is killed while every node writes, and comes back: in the end all servers hold the same packages, and they verify.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run;
use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# the certifier writes too: relations; each node the next day of its energy feed
my $next_day = q{
	CREATE SCHEMA test;
	CREATE FUNCTION test.append_next() RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		day timestamptz;
	BEGIN
		PERFORM 1 FROM ledger.feed f WHERE f.issuer = ecert.this_node() AND f.kind = 'energy' FOR NO KEY UPDATE;
		SELECT coalesce(upper(period), '1990-01-01') INTO day FROM (VALUES (1)) AS one LEFT JOIN
		  (SELECT p.period FROM ledger.package p WHERE p.issuer = ecert.this_node() AND p.kind = 'energy' ORDER BY p.seq DESC LIMIT 1) AS p ON true;
		PERFORM ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(day, day + '1 day')),
			'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1.25}]'::jsonb));
	END $$;};
my $hub = Network::hub('crash.example', conf => "fsync = on\n");
my %node = map { $_ => Network::server($_) } qw(north south east);
for my $name (sort keys %node)
{
	Network::enroll($hub, $node{$name}, $name, '{applicant,auditor}');
	Network::link_node($hub, $node{$name}, $name);
	$node{$name}->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM ledger.node WHERE node = '$name')") or die 'the node is not known to itself';
	$node{$name}->safe_psql('postgres', "$next_day SELECT test.append_next()");
}
is(Network::equal($hub, values %node), '', 'linked');

my @writers;
for my $name (sort keys %node)
{
	my $output = '';
	my $script = $node{$name}->basedir . '/writer.sql';
	append_to_file($script, "SELECT test.append_next();\n");
	push @writers, IPC::Run::start([ 'pgbench', '--no-vacuum', '--client=2', '--time=600', '--rate=100', "--file=$script", $node{$name}->connstr('postgres') ], '>', \$output, '2>&1');
}
my $written = 0;
for my $round (1 .. 3)
{
	$hub->poll_query_until('postgres', 'SELECT count(*) > ' . ($written + 300) . q{ FROM ledger.package WHERE kind = 'energy'}) or die 'nothing arrives';
	$hub->safe_psql('postgres', "SELECT ecert.relate('north', 'south', 'peer'), ecert.relate('south', 'north', 'peer')");
	$written = $hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.package WHERE kind = 'energy'});
	my @processes = ($hub->{_pid}, split /\n/, $hub->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));
	$hub->kill9;
	kill 9, @processes;
	# the nodes go on without a hub
	my $before = $node{north}->safe_psql('postgres', q{SELECT count(*) FROM ledger.package WHERE issuer = 'north'});
	ok($node{north}->poll_query_until('postgres', "SELECT count(*) > $before + 50 FROM ledger.package WHERE issuer = 'north'"), "round $round: the nodes write while the hub is dead");
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last unless kill 0, @processes;
		select(undef, undef, undef, 0.1);
	}
	ok($hub->start(fail_ok => 1), 'the hub starts again');
	# the lost connection has disabled their subscriptions, which the duties enable
	Network::duties($hub, values %node);
	is(join(' ', map { $_->safe_psql('postgres', 'SELECT bool_and(subenabled) FROM pg_subscription') } $hub, values %node), 't t t t', 'all subscriptions are enabled');
}
for my $writer (@writers)
{
	$writer->signal('INT');
	$writer->finish;
}
Network::duties(values %node, $hub);
is(Network::equal($hub, values %node), '', 'all servers hold the same packages');
is(Network::problems($_), '', $_->name . ': no gap, no fork, nothing waits, everything verifies') for $hub, values %node;
cmp_ok($hub->safe_psql('postgres', q{SELECT count(DISTINCT issuer) FROM ledger.package WHERE kind = 'energy'}), '==', 3, 'of every writer');
note('packages: ' . $hub->safe_psql('postgres', 'SELECT count(*) FROM ledger.package'));
$_->stop for values %node, $hub;
done_testing();
