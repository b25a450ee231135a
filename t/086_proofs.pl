# Proofs that an issuer told two stories last: no peer and nobody by hand changes them or takes them away, and whoever missed
# one while its slot was lost, was restored or joined late gets all of them.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $hub = Network::hub('proofs.example');
my %node = map { $_ => Network::server($_) } qw(plant mine late);
Network::enroll($hub, $node{plant}, 'plant', '{applicant}');
Network::enroll($hub, $node{$_}, $_, '{auditor}') for qw(mine late);
Network::link_node($hub, $node{$_}, $_) for qw(plant mine);
is(Network::equal($hub, @node{qw(plant mine)}), '', 'linked');
my $proofs = q{SELECT count(*) || ' ' || coalesce(encode(sha256(string_agg(first_hash || second_hash, '' ORDER BY first_hash, second_hash)), 'hex'), '') FROM ledger.equivocation};
my $month = 0;

# The plant tells two stories about each of the next months: the hub has the first one, and is brought the second
sub tell_twice
{
	my ($count) = @_;
	for (1 .. $count)
	{
		my ($one, $other) = map { $node{plant}->safe_psql('postgres', sprintf(q{SELECT ecert.sign('energy', jsonb_build_object('period',
			ecert.period_json(tstzrange('2020-01-01'::timestamptz + %1$d * interval '1 month', '2020-01-01'::timestamptz + (%1$d + 1) * interval '1 month')),
			'lines', jsonb_build_array(jsonb_build_object('source', 'electricity', 'unit', 'kWh', 'quantity', %2$d))))}, $month, $_)) } 1000, 700;
		$node{plant}->safe_psql('postgres', "INSERT INTO ledger.package (package) VALUES ('$one')");
		$hub->safe_psql('postgres', "SELECT ecert.admit_from_peer('$one', 'plant'), ecert.admit_from_peer('$other', 'plant')");
		$month++;
	}
	return;
}

sub same_proofs
{
	my ($what, $count, @servers) = @_;
	my $expected = $hub->safe_psql('postgres', $proofs);
	like($expected, qr/^$count /, "$what: $count proofs at the hub");
	ok($_->poll_query_until('postgres', $proofs, $expected), "$what: " . $_->name . ' has all of them') for @servers;
	return;
}
tell_twice(2);
same_proofs('streaming', 2, @node{qw(plant mine)});
is($node{mine}->safe_psql('postgres', 'SELECT bool_and(ecert.is_equivocation(first_package, second_package)) FROM ledger.equivocation'), 't', 'which it checks itself');

# by hand, as the owner, as replica, with the triggers' owner's rights
for my $server ($hub, $node{mine})
{
	my $name = $server->name;
	for my $statement ('DELETE FROM ledger.equivocation', q{UPDATE ledger.equivocation SET issuer = 'mine'}, 'TRUNCATE ledger.equivocation',
		'SET session_replication_role = replica; DELETE FROM ledger.equivocation', 'SET session_replication_role = replica; TRUNCATE ledger.equivocation',
		# and the guard keeps what refuses them
		'ALTER TABLE ledger.equivocation DISABLE TRIGGER USER', 'DROP TRIGGER ecert_refuse_row ON ledger.equivocation', 'DROP TABLE ledger.equivocation')
	{
		is(Network::sqlstate($server, $statement), 'EC092', "$name: $statement");
	}
}
is(Network::sqlstate($hub, 'TRUNCATE ledger.fork'), 'EC092', 'the proofs of forks are kept in the same way');
same_proofs('by hand', 2, @node{qw(plant mine)});

# a hub whose superuser opens the table publishes what he does to it
my $open = 'SET ecert.allow_ledger_ddl = on; ALTER TABLE ledger.equivocation DISABLE TRIGGER USER;';
my $close = join ' ', map { "ALTER TABLE ledger.equivocation ENABLE ALWAYS TRIGGER $_;" } qw(ecert_admit_equivocation ecert_refuse_row ecert_refuse_statement);
my %held = map { $_ => $node{$_}->safe_psql('postgres', $proofs) } qw(plant mine);
for my $attack (q{UPDATE ledger.equivocation SET issuer = 'mine', kind = 'audit'}, 'DELETE FROM ledger.equivocation', 'TRUNCATE ledger.equivocation')
{
	$hub->safe_psql('postgres', "ALTER PUBLICATION ecert SET TABLE ledger.package, ledger.equivocation; ALTER PUBLICATION ecert SET (publish = 'insert, update, delete, truncate'); CREATE TABLE IF NOT EXISTS test_kept AS SELECT first_package, second_package FROM ledger.equivocation; $open $attack; $close");
	$hub->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream')});
	for my $name (qw(plant mine))
	{
		$node{$name}->poll_query_until('postgres', 'SELECT NOT bool_and(subenabled) FROM pg_subscription') or die "$attack was applied";
		is($node{$name}->safe_psql('postgres', $proofs), $held{$name}, "$attack at the hub: $name keeps its proofs");
		is($node{$name}->safe_psql('postgres', q{SELECT string_agg(DISTINCT issuer || ' ' || kind, ', ') FROM ledger.equivocation}), 'plant energy', "$attack at the hub: which accuse nobody else");
		Network::duties($node{$name});
		is(Network::equal($hub, $node{$name}), '', "$attack at the hub: packages come by pull");
		like($node{$name}->safe_psql('postgres', q{SELECT state || ' ' || value || ': ' || detail FROM ledger.health WHERE item = 'receiving from'}), qr/^alarm publishes too much, packages are pulled: publishes UPDATE, DELETE, TRUNCATE/, "$attack at the hub: health says why");
		like($node{$name}->safe_psql('postgres', q{SELECT detail FROM ledger.health WHERE item = 'difference' AND state = 'alarm'}), qr/^equivocation 2 proofs of equivocation are gone there/, "$attack at the hub: health says that they are gone there") unless $attack =~ /^UPDATE/;
	}
	$hub->safe_psql('postgres', "SELECT ecert.publish('ecert'); $open TRUNCATE ledger.equivocation; $close INSERT INTO ledger.equivocation (first_package, second_package) SELECT first_package, second_package FROM test_kept");
	for my $name (qw(plant mine))
	{
		for (1 .. 5)
		{
			Network::duties($node{$name});
			$node{$name}->poll_query_until('postgres', q{SELECT value NOT IN ('copying', 'not connected') FROM ledger.health WHERE item = 'receiving from'});
			last if $node{$name}->safe_psql('postgres', q{SELECT value FROM ledger.health WHERE item = 'receiving from'}) eq 'streaming';
		}
		is($node{$name}->safe_psql('postgres', q{SELECT state || ' ' || value FROM ledger.health WHERE item = 'receiving from'}), 'ok streaming', "$attack at the hub: when it publishes inserts alone again, the link streams");
	}
	same_proofs($attack, 2, @node{qw(plant mine)});
}
Network::duties(@node{qw(plant mine)});
is($node{mine}->safe_psql('postgres', q{SELECT count(*) FROM ledger.difference WHERE gone_at IS NULL}), '0', 'no difference is left');

# found while a node's slot was lost
my $slot = $node{mine}->safe_psql('postgres', 'SELECT subname FROM pg_subscription');
$node{mine}->safe_psql('postgres', "ALTER SUBSCRIPTION $slot DISABLE");
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	last if $hub->safe_psql('postgres', "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name = '$slot' AND NOT active") eq '1';
	select(undef, undef, undef, 0.1);
}
tell_twice(20);
like($node{mine}->safe_psql('postgres', $proofs), qr/^2 /, 'proofs are found while a node has no slot');
$node{mine}->safe_psql('postgres', 'SELECT ecert.resume()');
same_proofs('resume()', 22, $node{mine});

# and by the duties alone, at a node and at the hub
$node{mine}->safe_psql('postgres', "ALTER SUBSCRIPTION $slot DISABLE; $open DELETE FROM ledger.equivocation WHERE seq > 4; $close ALTER SUBSCRIPTION $slot ENABLE");
Network::duties($node{mine});
same_proofs('a round of duties', 22, $node{mine});
my $seven = $hub->safe_psql('postgres', "$open DELETE FROM ledger.equivocation WHERE seq > 14; $close SELECT count(*) FROM ledger.equivocation");
is($seven, '15', 'the hub loses some');
Network::duties($hub);
same_proofs('a round of the hub', 22, $node{mine});

# who joins late, and gets the proofs before the keys that they are checked with, as it may be in a first copy
$node{late}->safe_psql('postgres', "SELECT ecert.join_ledger('" . Network::genesis($hub) . "')");
my $pairs = $hub->safe_psql('postgres', q{SELECT string_agg(format('(%L::bytea, %L::bytea)', first_package, second_package), ', ') FROM ledger.equivocation});
$node{late}->safe_psql('postgres', "SET session_replication_role = replica; INSERT INTO ledger.equivocation (first_package, second_package) VALUES $pairs");
is($node{late}->safe_psql('postgres', 'SELECT (SELECT count(*) FROM ledger.equivocation) + (SELECT count(*) FROM ledger.pending) + (SELECT count(*) FROM ledger.package)'), '1', 'proofs that cannot be checked bring no packages');
Network::link_node($hub, $node{late}, 'late');
is(Network::equal($hub, $node{late}), '', 'a node joins late');
Network::duties($node{late});
same_proofs('late joiner', 22, $node{late});

# what is no proof is none here either, whoever holds it
$hub->safe_psql('postgres', "$open INSERT INTO ledger.equivocation (issuer, kind, seq, first_hash, second_hash, first_package, second_package, found_at)
	SELECT 'mine', 'audit', 0, sha256('one'), sha256('other'), package::bytea, package::bytea, now() FROM ledger.package WHERE kind = 'genesis'; $close");
Network::duties($node{mine});
is($node{mine}->safe_psql('postgres', 'SELECT count(*) FROM ledger.equivocation'), '22', 'a proof that proves nothing is not taken');
like($node{mine}->safe_psql('postgres', q{SELECT detail FROM ledger.health WHERE item = 'difference' AND state = 'alarm'}), qr/^equivocation 1 of its proofs of equivocation prove nothing here/, 'and health says who holds it');
$hub->safe_psql('postgres', "$open DELETE FROM ledger.equivocation WHERE first_hash = sha256('one'); $close");
Network::duties($node{mine});
is($node{mine}->safe_psql('postgres', q{SELECT state FROM ledger.health WHERE item = 'difference'}), 'ok', 'until it is gone');

# a dump has them
my $dump = $node{mine}->basedir . '/mine.dump';
$node{mine}->command_ok([ 'pg_dump', '--format=custom', '--file', $dump, $node{mine}->connstr('postgres') ], 'a node is dumped');
$node{mine}->safe_psql('postgres', "CREATE DATABASE again TEMPLATE template0 ENCODING 'UTF8'");
$node{mine}->command_ok([ 'pg_restore', '--exit-on-error', '--no-owner', '--no-subscriptions', '--dbname', $node{mine}->connstr('again'), $dump ], 'and restored');
is($node{mine}->safe_psql('again', $proofs), $hub->safe_psql('postgres', $proofs), 'with all proofs');
is($node{mine}->safe_psql('again', q{SELECT string_agg(tgname || ' ' || tgenabled::text, ', ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'ledger.equivocation'::regclass}),
	'ecert_admit_equivocation A, ecert_refuse_row A, ecert_refuse_statement A', 'and what keeps them');
is($_->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', $_->name . ': everything verifies') for $hub, $node{late};
$_->stop for values %node, $hub;
done_testing();
