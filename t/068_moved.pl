# What has moved is not lost to who seals: by replication, over crashes, prepared transactions, dumps, copies and promotions.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $next_day = q{
	CREATE SCHEMA test;
	CREATE FUNCTION test.append_next(node text) RETURNS bytea LANGUAGE plpgsql AS $$
	DECLARE
		day timestamptz;
	BEGIN
		PERFORM set_config('ecert.node', node, true), set_config('ecert.signing_key', regexp_replace(current_setting('ecert.signing_key'), '[^/]+$', node || '.pem'), true);
		SELECT coalesce(max(upper(p.period)), '1990-01-01') INTO day FROM ledger.package p WHERE p.issuer = node AND p.kind = 'energy';
		RETURN ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(day, day + '1 day')),
			'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1.25}]'::jsonb));
	END $$;};
my $hub = Network::hub('moved.example', conf => "fsync = on\nmax_prepared_transactions = 5\nautovacuum = off\n");
my $plant = Network::server('plant', conf => "autovacuum = off\n");
Network::enroll($hub, $plant, 'plant', '{applicant}');
Network::link_node($hub, $plant, 'plant');
my $here = $hub->basedir . '/here.pem';
system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $here);
$hub->safe_psql('postgres', "$next_day SET ecert.signing_key = '$here'; SELECT ecert.public_key() AS key \\gset\nRESET ecert.signing_key; SELECT ecert.enroll('here', '{applicant}', :'key')");
$plant->safe_psql('postgres', $next_day);
is(Network::equal($hub, $plant), '', 'linked');

# Of feeds that are not sealed, who looks at every feed finds these more than who looks at what has moved, or less
sub missed
{
	my ($server, $database) = @_;
	return $server->safe_psql($database // 'postgres', q{
		(SELECT u.* FROM ecert.unsealed() AS u EXCEPT SELECT u.* FROM ecert.unsealed_moved() AS u)
		UNION ALL (SELECT u.* FROM ecert.unsealed_moved() AS u EXCEPT SELECT u.* FROM ecert.unsealed() AS u)});
}
sub told { return $_[0]->safe_psql($_[1] // 'postgres', q{SELECT string_agg(issuer || ' ' || kind, ', ' ORDER BY issuer, kind) FROM ecert.moved('sealing')}) }
sub seal { return $_[0]->safe_psql($_[1] // 'postgres', 'SELECT ecert.checkpoint() IS NOT NULL') }
sub unsealed { return $_[0]->safe_psql($_[1] // 'postgres', q{SELECT string_agg(issuer || ' ' || kind, ', ' ORDER BY issuer, kind) FROM ecert.unsealed()}) }
my $every_feed = qr/certifier genesis.*certifier node/;

# by replication
like(told($hub), $every_feed, 'who has never looked is told every feed');
seal($hub);
is(told($hub), 'certifier checkpoint', 'then only what has moved');
$plant->safe_psql('postgres', q{BEGIN; SELECT test.append_next('plant'); SELECT test.append_next('plant'); COMMIT}) for 1 .. 3;
is(Network::equal($hub, $plant), '', 'packages came by replication');
is(told($hub), 'certifier checkpoint, plant energy', 'so they have moved their feed');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM ecert_internal.moved WHERE issuer = 'plant' AND kind = 'energy'}), '3', 'one row for each transaction');
is(missed($hub), '', 'nothing is missed');
seal($hub);
is(unsealed($hub), 'certifier checkpoint', 'and they are sealed');
is(Network::equal($plant, $hub), '', 'the checkpoint goes to the node');
$plant->poll_query_until('postgres', q{SELECT count(*) = 2 FROM ledger.sealing}) or die 'the checkpoint is not computed';
for my $server ($hub, $plant)
{
	# what was open when somebody looked is told again, and its rows are kept until then
	for (1 .. 20)
	{
		Network::duties($server);
		last if $server->safe_psql('postgres', q{SELECT count(*) FROM ecert_internal.moved}) <= 3;
	}
	is(told($server), 'certifier checkpoint', $server->name . ': rounds of duties leave what is not sealed');
	is($server->safe_psql('postgres', q{SELECT count(*) <= 3 FROM ecert_internal.moved}), 't', $server->name . ': and few rows');
}
is($plant->safe_psql('postgres', q{SELECT keeper FROM ecert_internal.keeper WHERE keeper LIKE 'compare %'}), 'compare certifier', 'the node compares what has moved');

# prepared transactions
$hub->safe_psql('postgres', q{BEGIN; SELECT test.append_next('here'); PREPARE TRANSACTION 'a'});
seal($hub);
Network::duties($hub);
$hub->safe_psql('postgres', q{COMMIT PREPARED 'a'});
is(told($hub), 'certifier checkpoint, here energy', 'a transaction that was prepared and has committed is told');
seal($hub);
is(unsealed($hub), 'certifier checkpoint', 'and sealed');
# over a crash, which its row does not outlive
$hub->safe_psql('postgres', q{BEGIN; SELECT test.append_next('here'); PREPARE TRANSACTION 'b'});
$hub->stop('immediate');
$hub->start;
like(told($hub), $every_feed, 'after a crash everything has moved');
$plant->safe_psql('postgres', q{SELECT test.append_next('plant')});
is(Network::equal($hub, $plant), '', 'linked again');
seal($hub);
like(told($hub), $every_feed, 'and again while a transaction is prepared whose row may be gone');
$hub->safe_psql('postgres', q{COMMIT PREPARED 'b'});
seal($hub);
is(unsealed($hub), 'certifier checkpoint', 'what it put there is sealed');
is(told($hub), 'certifier checkpoint', 'then there is a snapshot again');
is(missed($hub), '', 'nothing is missed');
$hub->safe_psql('postgres', q{SELECT test.append_next('here')});
$hub->restart;
is(told($hub), 'certifier checkpoint, here energy', 'who was shut down in order goes on');

# dump, copy of the database
my $dump = $hub->basedir . '/dump.sql';
$hub->command_ok([ 'pg_dump', '--no-subscriptions', '--no-publications', '--file', $dump, $hub->connstr('postgres') ], 'dumped');
unlike(slurp_file($dump), qr/COPY ecert_internal/, 'without run-time state');
$hub->safe_psql('postgres', "CREATE DATABASE restored TEMPLATE template0 ENCODING 'UTF8'");
$hub->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--file', $dump, $hub->connstr('restored') ], 'restored');
like(told($hub, 'restored'), $every_feed, 'in a restored dump everything has moved');
# data alone, with triggers off: into a ledger that sealing has looked at
$hub->safe_psql('restored', 'DELETE FROM ledger.peer');
seal($hub, 'restored');
is(unsealed($hub, 'restored'), 'certifier checkpoint', 'and is sealed');
is(told($hub, 'restored'), 'certifier checkpoint', 'once');
$hub->safe_psql('restored', q{SELECT test.append_next('here')});
$hub->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'restored'}) or die 'somebody is there';
$hub->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE restored');
like(told($hub, 'copied'), $every_feed, 'in a copied database too');
is(told($hub, 'restored'), 'certifier checkpoint, here energy', 'and not in the one that was copied');
seal($hub, $_) for 'restored', 'copied';
is(unsealed($hub, $_), 'certifier checkpoint', "$_: sealed") for 'restored', 'copied';
is(missed($hub, $_), '', "$_: nothing is missed") for 'restored', 'copied';

# a standby cannot read what is unlogged, and has nothing of it when it is promoted
$hub->safe_psql('postgres', q{SELECT test.append_next('here')});
$hub->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($hub, 'base', has_streaming => 1);
$standby->start;
$hub->wait_for_catchup($standby, 'replay', $hub->lsn('insert'));
like(told($standby), $every_feed, 'at a standby everything has moved');
is($standby->safe_psql('postgres', q{SELECT state FROM ledger.health WHERE item = 'passed over'}), 'ok', 'and its health can be asked');
$hub->stop;
$standby->promote;
like(told($standby), $every_feed, 'at one that was promoted too');
$standby->safe_psql('postgres', 'DELETE FROM ledger.peer');
seal($standby);
is(unsealed($standby), 'certifier checkpoint', 'it seals what is there');
is(told($standby), 'certifier checkpoint', 'and looks at what has moved from then on');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'all of it verifies');
$_->stop for $standby, $plant;
done_testing();
