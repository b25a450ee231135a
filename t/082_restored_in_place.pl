# What a backup brings back is never taken for what this server has found out: whoever is restored in its place, without a
# start of the server, asks its peers before it signs; a restore in parts works, or is refused in words; health answers.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $hub = Network::hub('in-place.example');
my $plant = Network::server('plant');
my $mine = Network::server('mine');
Network::enroll($hub, $plant, 'plant', '{applicant}');
Network::enroll($hub, $mine, 'mine', '{auditor}');
Network::link_node($hub, $plant, 'plant');
Network::link_node($hub, $mine, 'mine');
is(Network::equal($hub, $plant, $mine), '', 'linked');
my $append = q{SELECT length(ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(m.start, m.start + '1 month')),
	'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb)))
	FROM (SELECT coalesce((SELECT upper(p.period) FROM ledger.package p WHERE p.issuer = ecert.this_node() AND p.kind = 'energy' ORDER BY p.seq DESC LIMIT 1), '2020-01-01') AS start) AS m;};
my $drop = 'SET client_min_messages = error; SET ecert.allow_ledger_ddl = on; DROP SCHEMA ledger CASCADE; RESET ecert.allow_ledger_ddl; RESET client_min_messages;';

sub dump_of
{
	my ($server, $name, @options) = @_;
	my $file = $server->basedir . "/$name";
	$server->command_ok([ 'pg_dump', @options, '--file', $file, $server->connstr('postgres') ], "dumped: $name");
	return $file;
}

sub health
{
	my ($server, $item, $database) = @_;
	return $server->safe_psql($database // 'postgres', "SELECT state, value, detail FROM ledger.health WHERE item = '$item' AND state <> 'ok'");
}

# a node signs, is dumped, signs on, and is restored in its place while the server runs
$plant->safe_psql('postgres', $append);
my $dump = dump_of($plant, 'plant.sql', '--schema=ledger');
$plant->safe_psql('postgres', "$append $append");
is(Network::equal($hub, $plant, $mine), '', 'the plant has signed seq 0, was dumped, and has signed 1 and 2');
my ($status, $output, $error) = $plant->psql('postgres', "$append\n\\set QUIET on\n$drop\n\\i $dump\n$append");
like($error, qr/peer "certifier" holds newer packages of feed "energy" of this node/, 'restored in its place it is stopped before it signs a second seq 1, in a session that has signed before');
like($error, qr/The feed ends at seq 0 here and at seq 3 there/, 'and told why');
is(Network::sqlstate($plant, $append), 'EC098', 'in another session too');
is(Network::sqlstate($plant, "SET ecert.sign_unconfirmed = on; $append"), 'EC098', 'and nobody can say that he knows better');
$plant->safe_psql('postgres', q{SELECT ecert.publish('ecert'), ecert.publish_up()});
$plant->safe_psql('postgres', 'SELECT ecert.resume()');
$hub->safe_psql('postgres', q{SELECT ecert.resume('plant')});
is($plant->safe_psql('postgres', $append), '32', 'when it has fetched what it signed, it signs on');
is(Network::equal($hub, $plant, $mine), '', 'all hold the same');
is($_->safe_psql('postgres', 'SELECT count(*) FROM ledger.equivocation'), '0', $_->name . ': nobody told two stories') for $hub, $plant, $mine;

# a witness whose memory is older than what it signed
$hub->safe_psql('postgres', 'SELECT ecert.checkpoint()');
is(Network::equal($hub, $plant, $mine), '', 'a checkpoint');
$mine->safe_psql('postgres', 'SELECT ecert.witness()');
my $old_memory = $mine->safe_psql('postgres', q{SELECT format('UPDATE ledger.witnessed SET checkpoint_hash = %L, size = %s, root = %L', checkpoint_hash, size, root) FROM ledger.witnessed});
$hub->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream'); SELECT ecert.checkpoint()});
is(Network::equal($hub, $plant, $mine), '', 'and another');
$mine->safe_psql('postgres', 'SELECT ecert.witness()');
$mine->safe_psql('postgres', $old_memory);
is($mine->safe_psql('postgres', 'SELECT ecert.witness_is_due(), ecert.witness() IS NULL'), 'f|t', 'a witness remembers what it has signed, though a backup has brought back an older memory');
$mine->safe_psql('postgres', 'DELETE FROM ledger.witnessed');
is($mine->safe_psql('postgres', 'SELECT ecert.witness_is_due(), ecert.witness() IS NULL'), 'f|t', 'or none');
is($mine->safe_psql('postgres', q{SELECT w.size = (SELECT max(tree_size) FROM ledger.checkpoint) FROM ecert.last_witnessed() AS w}), 't', 'and goes on from there');

# a package from the future, from a peer
my $key = $plant->basedir . '/far.pem';
$plant->append_conf('postgresql.conf', "ecert.max_clock_skew = '20d'\n");
$plant->reload;
system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $key);
my $public = slurp_public($key);
$hub->safe_psql('postgres', "SELECT ecert.rotate_key('plant', '$public', clock_timestamp() + interval '10 days')");
is(Network::equal($hub, $plant, $mine), '', 'a node gets a key that counts in ten days');
$plant->safe_psql('postgres', "SET ecert.signing_key = '$key'; $append");
ok($hub->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ledger.pending WHERE sqlstate = 'EC024' AND waits_for ~ '^time \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+]00$'}), 'what it signs with it is from the future, and waits at the hub until then');
like(health($hub, 'pending'), qr/^warning\|1\|oldest of .*, waits for time /, 'health says so');
Network::duties($hub);
is($hub->safe_psql('postgres', 'SELECT count(*) FROM ledger.pending'), '1', 'a round of duties changes nothing');
$hub->append_conf('postgresql.conf', "ecert.max_clock_skew = '20d'\n");
$hub->reload;
Network::duties($hub);
is($hub->safe_psql('postgres', 'SELECT count(*) FROM ledger.pending'), '0', 'when its time is near it is admitted');
ok($mine->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ledger.pending}), 'at another node it waits');
$hub->safe_psql('postgres', 'SELECT ecert.checkpoint()');
is(Network::equal($hub, $plant, $mine), '', 'until a checkpoint covers it');
is($mine->safe_psql('postgres', q{SELECT problem FROM ledger.finding WHERE issuer = 'plant' AND kind = 'energy'}) ne '', 1, 'with a finding: it does not count');
$_->stop for $plant, $mine, $hub;

sub slurp_public
{
	my ($file) = @_;
	my ($out) = run_command([ 'openssl', 'pkey', '-in', $file, '-pubout' ]);
	return $out;
}

# a server that stands alone, with a checkpoint
my $lone = Network::hub('lone.example', name => 'lone');
$lone->safe_psql('postgres', "\\i $FindBin::RealBin/../test/keys/keys.sql");
$lone->safe_psql('postgres', q{SELECT ecert.enroll('plant', '{applicant}', test_keys.public('plant'))});
$lone->safe_psql('postgres', "CALL test_keys.be('plant'); $append $append");
$lone->safe_psql('postgres', 'SELECT ecert.checkpoint()');
$lone->safe_psql('postgres', q{CALL ecert.verify_ledger(); UPDATE ledger.verification SET finished_at = NULL, checked_count = 1, reached_issuer = 'zzz', reached_kind = 'zzz', reached_seq = 9});
my $whole = dump_of($lone, 'whole.dump', '--format=custom');
my $in_place = dump_of($lone, 'in-place.sql', '--schema=ledger');

sub database
{
	my ($name) = @_;
	$lone->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8'");
	return $lone->connstr($name);
}

sub restore
{
	my ($name, @options) = @_;
	local $ENV{PGOPTIONS} = "$ENV{PGOPTIONS} -c ecert.allow_ledger_ddl=on" if grep { $_ eq 'allow' } @options;
	my $error;
	my $good = IPC::Run::run([ 'pg_restore', '--exit-on-error', '--dbname', $lone->connstr($name), (grep { $_ ne 'allow' } @options), $whole ], '<', \undef, '>', \my $output, '2>', \$error);
	return $good ? '' : $error;
}

sub is_whole
{
	my ($name, $what) = @_;
	is($lone->safe_psql($name, 'SELECT issuer, kind, seq, hash, package, recorded_at FROM ledger.package ORDER BY 1, 2, 3'),
		$lone->safe_psql('postgres', 'SELECT issuer, kind, seq, hash, package, recorded_at FROM ledger.package ORDER BY 1, 2, 3'), "$what: the packages are the same");
	is($lone->safe_psql($name, 'SELECT * FROM ecert.problems()'), '', "$what: and verify");
	is(health($lone, 'structure', $name), '', "$what: triggers are in force");
	is($lone->safe_psql($name, "CALL test_keys.be('plant'); $append"), '32', "$what: the feed goes on");
	return;
}

$ENV{PGOPTIONS} //= '';
database('jobs');
is(restore('jobs', '--jobs', '4'), '', 'a dump is restored by four jobs');
is_whole('jobs', 'four jobs');
database('sections');
is(restore('sections', "--section=$_"), '', "section $_") for 'pre-data', 'data', 'post-data';
is_whole('sections', 'sections');
database('parts');
is(restore('parts', '--schema-only'), '', 'the schema is restored');
like($lone->safe_psql('parts', q{SELECT string_agg(item || ' ' || value, ', ') FROM ledger.health WHERE state = 'alarm'}), qr/feeds 0/, 'health answers where there is no data yet');
my $refused = restore('parts', '--data-only');
like($refused, qr/rows of a dump cannot be put into table "package" while its triggers are on/, 'data into it, with triggers on: refused in a sentence');
like($refused, qr/HINT: +Restore schema and data together\. Data alone: with pg_restore --data-only --disable-triggers and PGOPTIONS='-c ecert\.allow_ledger_ddl=on', then SELECT ecert\.upgrade_ledger\(\)/, 'with what to do');
is($lone->safe_psql('parts', 'SELECT count(*) FROM ledger.package'), '0', 'nothing is there');
like($lone->safe_psql('parts', q{SELECT string_agg(item || ' ' || value, ', ') FROM ledger.health WHERE state = 'alarm'}), qr/feeds 0/, 'health answers');
database('data');
is(restore('data', '--schema-only'), '', 'the schema is restored');
like(restore('data', '--data-only', '--disable-triggers'), qr/ERROR:.*(ledger|package)/, 'the guard does not let triggers be disabled');
database('allowed');
is(restore('allowed', '--schema-only'), '', 'the schema is restored');
is(restore('allowed', '--data-only', '--disable-triggers', 'allow'), '', 'with triggers disabled, as the hint says, data is restored');
like(health($lone, 'structure', 'allowed'), qr/^alarm/, 'health says that triggers are not in force');
$lone->safe_psql('allowed', 'SELECT ecert.upgrade_ledger()');
is_whole('allowed', 'schema, then data');

# what was verified there was not verified here
like(health($lone, 'verification', 'jobs'), qr/since then the ledger was restored or its triggers were off: CALL ecert\.verify_ledger\(\)/, 'health does not take the verification of a backup for one of what was restored');
($status, $output, $error) = $lone->psql('jobs', 'CALL ecert.verify_ledger()');
unlike($error, qr/resuming/, 'an interrupted verification of another life is not resumed');
is(health($lone, 'verification', 'jobs'), '', 'after a verification all is well');

# restored in its place without peers
is(Network::sqlstate($lone, "CALL test_keys.be('plant'); $append"), 'none', 'a server that stands alone signs');
$lone->safe_psql('postgres', "$drop\n\\i $in_place");
($status, $output, $error) = $lone->psql('postgres', "\\set VERBOSITY verbose\nCALL test_keys.be('plant'); $append");
like($error, qr/EC099: could not confirm feed heads of node "plant": the ledger is not the one that it signed on, and there is no peer to ask/, 'restored in its place it does not sign: nobody can tell what is missing');
like($error, qr/HINT:  Put back the packages that the node has signed since the backup, from whoever holds them\. A superuser who knows that none is missing sets ecert\.sign_unconfirmed and signs once\./, 'it says what the operator has to do');
$lone->restart;
is(Network::sqlstate($lone, "CALL test_keys.be('plant'); $append"), 'EC099', 'nor after a start');
is(Network::sqlstate($lone, "SET ecert.sign_unconfirmed = on; CALL test_keys.be('plant'); $append"), 'none', 'unless a superuser says so');
is(Network::sqlstate($lone, "CALL test_keys.be('plant'); $append"), 'none', 'once');

# run-time state of another life
$lone->safe_psql('postgres', q{SELECT ecert.log_duty('link', 'long ago', 'another server could not', 'EC110')});
$dump = dump_of($lone, 'life.dump', '--format=custom');
database('life');
$lone->command_ok([ 'pg_restore', '--exit-on-error', '--dbname', $lone->connstr('life'), $dump ], 'restored');
$lone->safe_psql('life', 'CALL ecert.run_duties()');
is($lone->safe_psql('life', q{SELECT count(*) FROM ledger.duty_log WHERE subject = 'long ago'}), '0', 'the first round forgets what another server could not do');
$lone->stop;
done_testing();
