# Peers that say nothing, too much, or what is not so: a node does its own work first, asks all at once, waits for none of
# them longer than ecert.peer_timeout, believes what comes with a signature, and names whom it does not.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Select;
use IO::Socket::INET;
use IPC::Run;
use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $hub = Network::hub('silent.example', conf => "ecert.peer_timeout = 3\n");
my $plant = Network::server('plant');
my $mine = Network::server('mine');
Network::enroll($hub, $plant, 'plant', '{applicant}');
Network::enroll($hub, $mine, 'mine', '{auditor}');
Network::link_node($hub, $plant, 'plant');
Network::link_node($hub, $mine, 'mine');
is(Network::equal($hub, $plant, $mine), '', 'linked');
Network::duties($hub);
is($hub->safe_psql('postgres', q{SELECT duty, subject, outcome FROM ledger.duty_log WHERE sqlstate IS NOT NULL}), '', 'a round without trouble');

# a new slot waits for who writes there: who links a node waits with it, who runs duties does not
my $writer = $hub->background_psql('postgres');
my $writing = $writer->query_safe('SELECT pg_backend_pid()');
$writer->query_safe('BEGIN; SELECT pg_current_xact_id();');
my $late = Network::server('late', conf => "ecert.peer_timeout = 1\n");
my ($join_output, $joined) = ('', '');
my $join = IPC::Run::start([ 'psql', '--no-psqlrc', '--quiet', '--dbname', $late->connstr('postgres'), '--command', "SET client_min_messages = error; SELECT ecert.join_ledger('" . Network::genesis($hub) . "', '" . Network::connection($hub) . "')" ],
	'<', \undef, '>', \$join_output, '2>', \$joined);
$hub->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ 'pg_create_logical_replication_slot' AND wait_event = 'transactionid' AND clock_timestamp() - query_start > '2 seconds'})
	or die 'nobody waits for a slot';
my (undef, undef, $waiting) = $plant->psql('postgres', 'SET ecert.peer_timeout = 1; SELECT ecert.resume()');
like($waiting, qr/^.*ERROR:  peer "certifier" (does not|cannot) answer\nDETAIL:  A new slot waits for all transactions that write on that server\.\nHINT:  Call again when they have ended\./s, 'what a slot waits for is said');
my ($there) = $waiting =~ /They are there in: (.*)/;
like($hub->safe_psql('postgres', $there), qr/^$writing\|/m, 'and found there by the statement of the hint');
$writer->quit;
$join->finish;
is($joined, '', 'a node joins although somebody writes at the hub for longer than a question may take');
is($late->safe_psql('postgres', 'SELECT count(*) FROM pg_subscription'), '1', 'it is linked');
$late->safe_psql('postgres', 'SELECT ecert.leave_ledger()');
$late->stop;
$plant->safe_psql('postgres', 'SELECT ecert.resume()');
ok($plant->poll_query_until('postgres', q{SELECT state = 'ok' FROM ledger.health WHERE item = 'receiving from'}), 'a link whose slot was waited for in vain is made again');

# what replication does not bring is pulled in blocks
my $link = $mine->safe_psql('postgres', q{SELECT subscription FROM ledger.peer WHERE is_hub});
$mine->safe_psql('postgres', "ALTER SUBSCRIPTION $link DISABLE");
$plant->safe_psql('postgres', q{
	SELECT count(ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(h, h + '1 hour')),
		'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1}]'::jsonb))) FROM generate_series('2020-01-01', timestamptz '2020-01-01' + interval '2299 hours', '1 hour') AS h});
is(Network::equal($hub, $plant), '', '2,300 packages come to the hub');
is($mine->safe_psql('postgres', 'SELECT ecert.catch_up()'), '2300', 'a node that they do not come to by replication pulls them');
is(Network::equal($hub, $plant, $mine), '', 'all hold the same');
$mine->safe_psql('postgres', "ALTER SUBSCRIPTION $link ENABLE");

# What the hub's last round says of a peer: SQLSTATE and words
sub trouble
{
	my ($peer) = @_;
	return $hub->safe_psql('postgres', "SELECT sqlstate, outcome FROM ledger.duty_log WHERE duty = 'link' AND subject = '$peer' AND sqlstate IS NOT NULL");
}

# A linked node whose server is whatever listens there
sub false_peer
{
	my ($name, $connection) = @_;
	$hub->safe_psql('postgres', qq{SET client_min_messages = error;
		CREATE SUBSCRIPTION "link_$name" CONNECTION '$connection' PUBLICATION ecert_up WITH (connect = false, slot_name = NONE);
		INSERT INTO ledger.peer (peer, this_node, is_hub, subscription, publication) VALUES ('$name', 'certifier', false, 'link_$name', 'ecert');});
	return;
}

sub forget_peer
{
	my ($name) = @_;
	$hub->safe_psql('postgres', qq{DROP SUBSCRIPTION "link_$name"; DELETE FROM ledger.peer WHERE peer = '$name'});
	return;
}

# The hub's duties, under way
sub begin_round
{
	my ($output, $error) = ('', '');
	my $handle = IPC::Run::start([ 'psql', '--no-psqlrc', '--quiet', '--dbname', $hub->connstr('postgres'), '--command', 'CALL ecert.run_duties()' ], '<', \undef, '>', \$output, '2>', \$error);
	return sub { $handle->finish; return $output . $error };
}

# three accept the connection and say nothing
my @listener = map { IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') // die "no listener: $@" } 1 .. 3;
my @silent = map { "silent-$_" } 1 .. 3;
false_peer($silent[$_], 'host=127.0.0.1 port=' . $listener[$_]->sockport . ' dbname=postgres user=nobody password=topsecret') for 0 .. 2;
$plant->safe_psql('postgres', q{SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json('[2024-01-01,2024-02-01)'),
	'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))});
is(Network::equal($hub, $plant, $mine), '', 'the plant signs');
$hub->append_conf('postgresql.conf', "ecert.checkpoint_interval = 1\n");
$hub->reload;
my $finish = begin_round();
my @call = map { scalar $_->accept } @listener;
my @was_open = map { sysread($_, my $startup, 1) ? 1 : 0 } @call;
# in a sequence the first would have been hung up on before the last is called
my $open = IO::Select->new($call[0]);
my $rest = '';
1 while $open->can_read(0) && sysread($call[0], $rest, 1000);
is("@was_open " . ($open->can_read(0) ? 'hung up' : 'open'), '1 1 1 open', 'all three are asked at once: the first has not been given up when the last is called');
is($finish->(), '', 'the round ends');
is(trouble($_), 'EC113|peer "' . $_ . '" does not answer (It had 3 s, setting ecert.peer_timeout.)', "$_ is named") for @silent;
is($hub->safe_psql('postgres', q{SELECT duty, subject, outcome FROM ledger.duty_log WHERE sqlstate IS NOT NULL AND subject NOT LIKE 'silent-%'}), '', 'and nobody else');
like($hub->safe_psql('postgres', q{SELECT state, detail FROM ledger.health WHERE item = 'duties'}), qr/^warning\|3 cannot be done now: link silent-\d: peer "silent-\d" does not answer/, 'in health too');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.duty_log l JOIN ledger.duty_log a ON a.duty = 'round' WHERE l.duty = 'checkpoint' AND l.done_at < a.done_at AND a.done_at < ALL (SELECT s.tried_at FROM ledger.duty_log s WHERE s.subject LIKE 'silent-%')}), '1',
	'the hub has sealed, and done with its own duties, before it noticed');
is(trouble('plant') . trouble('mine'), '', 'links to others are looked after');
is($hub->safe_psql('postgres', q{SELECT string_agg(subject, ' ') FROM ecert.due_duties('links')}), 'peers mine plant silent-1 silent-2 silent-3', 'whoever gave trouble is last in the next round');
close $_ for @call, @listener;

# nobody listens there any more
$finish = begin_round();
is($finish->(), '', 'the round ends');
like(trouble($silent[0]), qr/^08001\|could not reach peer "silent-1" \(Connection refused\)/, 'a peer that is down is named, with the reason');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.duty_log WHERE outcome ~ 'topsecret|password|port'}), '0', 'no password and no connection string is in the log of duties');
unlike(slurp_file($hub->logfile), qr/(?<!CREATE SUBSCRIPTION)[^\n]*ERROR[^\n]*topsecret/, 'nor in an error in the log of the server');
forget_peer($_) for @silent;

# a node that holds a lock: nobody else is held up
my $locker = $plant->background_psql('postgres');
$locker->query_safe('BEGIN');
$locker->query_safe('LOCK TABLE ledger.package');
$hub->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream')});
$finish = begin_round();
is($finish->(), '', 'a round of the hub ends while the table is locked at a node');
like(trouble('plant'), qr/^EC113\|peer "plant" (does not answer|cannot answer \(canceling statement due to statement timeout)/, 'which is named');
is(trouble('mine'), '', 'the link to the other is looked after');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.health WHERE item = 'checkpoint' AND state = 'ok'}), '1', 'what is new is sealed');
ok($mine->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ledger.relation}), 'and gets to the other node');
$locker->query_safe('COMMIT');
$locker->quit;
Network::duties($hub);
is(trouble('plant'), '', 'when the lock is gone the link works again');

# a peer whose ecert.feeds() is not ecert's any more
my $feeds = $plant->safe_psql('postgres', q{SELECT pg_get_functiondef('ecert.feeds()'::regprocedure)});
sub feeds_say
{
	my ($what) = @_;
	$plant->safe_psql('postgres', "SET ecert.allow_ledger_ddl = on; CREATE OR REPLACE FUNCTION ecert.feeds(OUT issuer text, OUT kind text, OUT last_seq bigint) RETURNS SETOF record LANGUAGE plpgsql AS \$f\$ BEGIN $what END \$f\$");
	Network::duties($hub);
	return $hub->safe_psql('postgres', q{SELECT detail FROM ledger.health WHERE item = 'claim' AND subject = 'plant'});
}
is(feeds_say('PERFORM pg_sleep(1000);'), '', 'a peer whose answer takes 1000 s');
like(trouble('plant'), qr/^EC113\|peer "plant" (does not answer|cannot answer \(canceling statement due to statement timeout)/, 'is given up and named');
is(feeds_say(q{RAISE SQLSTATE '57014' USING MESSAGE = 'a cancelled query';}), '', 'a peer that says that it was cancelled');
like(trouble('plant'), qr/^EC113\|peer "plant" cannot answer \(a cancelled query\)/, 'cancels nothing here');
# what is too much is known by its size, not by the time that it takes
$hub->append_conf('postgresql.conf', "ecert.peer_timeout = 180\n");
$hub->reload;
is(feeds_say(q{RETURN QUERY SELECT repeat('x', 100), 'energy', n::bigint FROM generate_series(1, 1000000) AS n;}), '', 'a peer with a million feeds of long names');
like(trouble('plant'), qr/^EC113\|peer "plant" answers too much \(An answer has at most 33554432 bytes\.\)/, 'is cut short');
is(feeds_say(q{RETURN QUERY SELECT repeat('x', 100000000), 'energy', 1::bigint;}), '', 'one row of 100 MB');
like(trouble('plant'), qr/^EC113\|peer "plant" answers too much/, 'is cut short too');

$hub->append_conf('postgresql.conf', "ecert.peer_timeout = 30\n");
$hub->reload;

# claims without packages: they are remembered as ahead in one round, asked for in the next
feeds_say(q{RETURN QUERY VALUES ('ghost', 'energy', 9000000000000000000::bigint);});
is(feeds_say(q{RETURN QUERY VALUES ('ghost', 'energy', 9000000000000000000::bigint);}), 'feed "energy" of "ghost" has seq 9000000000000000000, and sends nothing that goes on from here',
	'a feed that nobody has: one block is asked for, and nothing comes');
is(trouble('plant'), '', 'the link goes on');
my $crowd = q{RETURN QUERY SELECT 'ghost ' || n, 'energy', 5000::bigint FROM generate_series(1, 1500) AS n;};
feeds_say($crowd);
is(feeds_say($crowd), 'feed "energy" of "ghost 1" has seq 5000, and sends nothing that goes on from here; and so of 1499 more feeds', '1,500 feeds of 5,001 packages that nobody has');
is($hub->safe_psql('postgres', q{SELECT value || ' ' || state FROM ledger.health WHERE item = 'claim'}), 'feeds warning', 'health names the peer');
# while it lies, what is true comes
$plant->safe_psql('postgres', q{SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json('[2024-02-01,2024-03-01)'),
	'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))});
is(Network::equal($hub, $plant, $mine), '', 'its packages come all the same');
$plant->safe_psql('postgres', "SET ecert.allow_ledger_ddl = on; $feeds");
Network::duties($hub);
Network::duties($hub);
is($hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.health WHERE item = 'claim'}), '0', 'when it says so no more it is named no more');

# another package at the head of the certifier's own feed, which the certifier has not signed
my $feed = q{issuer = 'certifier' AND kind = 'relation'};
$plant->safe_psql('postgres', qq{
	SET ecert.allow_ledger_ddl = on;
	ALTER TABLE ledger.package DISABLE TRIGGER ALL;
	UPDATE ledger.package SET package = ecert.package(set_byte(package::bytea, length(package::bytea) - 1, (get_byte(package::bytea, length(package::bytea) - 1) + 1) % 256)) WHERE $feed AND seq = 0;
	UPDATE ledger.package SET hash = sha256('\\x00'::bytea || package::bytea) WHERE $feed AND seq = 0;});
$hub->restart;
is($hub->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream', '2020-01-01') IS NOT NULL}), 't', 'a peer that says that the own feed has another head, and shows nothing that the certifier signed, stops nobody');
is($hub->safe_psql('postgres', q{SELECT subject || ': ' || detail FROM ledger.health WHERE item = 'claim'}), 'plant: feed "relation" of this node has seq 0', 'health names it');

# nor one that claims a newer one
$plant->safe_psql('postgres', qq{UPDATE ledger.package SET seq = 77 WHERE $feed AND seq = 0});
$hub->restart;
is($hub->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream', '2021-01-01') IS NOT NULL}), 't', 'nor does one that says that it goes on');
is($hub->safe_psql('postgres', q{SELECT subject || ': ' || detail FROM ledger.health WHERE item = 'claim'}), 'plant: feed "relation" of this node has seq 77', 'health names it');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.equivocation}), '0', 'nobody has told two stories');

# nobody answers
$_->stop for $plant, $mine;
$hub->restart;
is(Network::sqlstate($hub, q{SELECT ecert.relate('mine', 'plant', 'upstream', '2022-01-01')}), 'EC099', 'when nobody answers nothing is signed');
is(Network::sqlstate($hub, q{SET ecert.sign_unconfirmed = on; SELECT ecert.relate('mine', 'plant', 'upstream', '2022-01-01')}), 'none', 'unless a superuser knows better');
$hub->stop;
done_testing();
