# A superuser of the hub does what he likes to the hub's ledger: what the others hold does not change, and each of them sees it.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $hub = Network::hub('tampered.example');
my %node = map { $_ => Network::server($_) } qw(plant mine);
Network::enroll($hub, $node{plant}, 'plant', '{applicant}');
Network::enroll($hub, $node{mine}, 'mine', '{auditor}');
Network::link_node($hub, $node{$_}, $_) for sort keys %node;
is(Network::equal($hub, values %node), '', 'linked');
my $months = 0;

sub append_months
{
	my ($count) = @_;
	$node{plant}->safe_psql('postgres', sprintf(q{SELECT count(ecert.append('energy', jsonb_build_object('period',
		ecert.period_json(tstzrange('2020-01-01'::timestamptz + n * interval '1 month', '2020-01-01'::timestamptz + (n + 1) * interval '1 month')),
		'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))) FROM generate_series(%d, %d) AS n}, $months, $months + $count - 1));
	$months += $count;
	return;
}
append_months(12);
is(Network::equal($hub, values %node), '', 'twelve packages are everywhere');

# What the nodes hold, and what is wrong by their health; run the attack in between
my $open = "SET ecert.allow_ledger_ddl = on;\nALTER TABLE ledger.package DISABLE TRIGGER USER;\n";
my $close = "ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit; ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row;
	ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_statement; ALTER TABLE ledger.package ENABLE TRIGGER ecert_drain; ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_take_up;\n";

sub attack
{
	my ($what, $sql, $item, $pattern, %option) = @_;
	my %before = map { $_ => Network::hashes($node{$_}) } keys %node;
	$hub->safe_psql('postgres', $sql);
	# whatever the attack sends has been received, or has stopped the stream
	for my $one (values %node)
	{
		$option{stops} ? $one->poll_query_until('postgres', 'SELECT NOT bool_and(subenabled) FROM pg_subscription') || die 'it is applied'
			: $hub->wait_for_catchup($one->safe_psql('postgres', 'SELECT subname FROM pg_subscription'), 'replay');
	}
	for my $name (sort keys %node)
	{
		Network::duties($node{$name});
		is(Network::hashes($node{$name}), $before{$name}, "$what: $name holds what it held");
		is($node{$name}->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', "$what: which verifies");
		like($node{$name}->safe_psql('postgres', "SELECT string_agg(value || ' ' || detail, E'\\n') FROM ledger.health WHERE item = '$item' AND state = 'alarm'"), $pattern, "$what: and sees it in health");
	}
	return;
}
my $third = q{(SELECT hash FROM ledger.package WHERE issuer = 'plant' AND kind = 'energy' AND seq = 3)};

attack('a byte altered', "$open UPDATE ledger.package SET package = set_byte(package::bytea, octet_length(package::bytea) - 1, 1 + get_byte(package::bytea, octet_length(package::bytea) - 1) % 255)::ecert.package
	WHERE hash = $third; $close", 'difference', qr/plant energy 1 packages differ there; the first, seq 3, has other bytes/);

attack('a package forged', "$open INSERT INTO ledger.package (issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)
	SELECT issuer, kind, 12, subject, period, issued_at, sha256('forged'), set_byte(package::bytea, octet_length(package::bytea) - 1, 1 + get_byte(package::bytea, octet_length(package::bytea) - 1) % 255)::ecert.package, now()
	  FROM ledger.package WHERE issuer = 'plant' AND kind = 'energy' AND seq = 11; $close",
	'quarantine', qr/^1 last from certifier: EC030 signature of the package is wrong/);
is($node{mine}->safe_psql('postgres', q{SELECT issuer || ' ' || kind || ' ' || seq || ' ' || sqlstate || ' ' || peer FROM ledger.quarantine}), 'plant energy 11 EC030 certifier', 'what was forged is kept as evidence');

# no package at all: the hub's column is made to take any bytes
attack('garbage sent', "$open ALTER PUBLICATION ecert DROP TABLE ledger.package; ALTER TABLE ledger.package RENAME TO true_package;
	CREATE TABLE ledger.package (package bytea); ALTER PUBLICATION ecert ADD TABLE ledger.package;
	INSERT INTO ledger.package VALUES ('\\x00'), (decode(repeat('ff', 100000), 'hex')), ('');
	", 'quarantine', qr/^4 last from certifier: EC00[12] invalid ecert package/);
$hub->safe_psql('postgres', "$open ALTER PUBLICATION ecert DROP TABLE ledger.package; DROP TABLE ledger.package; ALTER TABLE ledger.true_package RENAME TO package; ALTER PUBLICATION ecert ADD TABLE ledger.package (package); $close" =~ s/ALTER TABLE ledger.package DISABLE TRIGGER USER;//r);
is($node{mine}->safe_psql('postgres', q{SELECT bool_and(subenabled) FROM pg_subscription}), 't', 'which stops no subscription');
is($node{mine}->safe_psql('postgres', q{SELECT string_agg(sqlstate || ' ' || octet_length(bytes), ', ' ORDER BY octet_length(bytes)) FROM ledger.quarantine WHERE kind = ''}), 'EC001 0, EC001 1, EC002 65536', 'and is kept, of a flood the beginning');

attack('rows deleted', "$open DELETE FROM ledger.package WHERE issuer = 'plant' AND kind = 'energy' AND seq > 5; $close", 'difference', qr/plant energy [67] packages are gone there, from seq 6 on|differ there/);
like($node{mine}->safe_psql('postgres', q{SELECT string_agg(problem, E'\n') FROM ledger.difference WHERE gone_at IS NULL}), qr/6 packages are gone there, from seq 6 on/, 'the other node says where they are gone');
is($hub->safe_psql('postgres', "SELECT ecert.catch_up() >= 6"), 't', 'the hub fetches them back from the nodes');
is(Network::hashes($hub, q{issuer = 'plant' AND seq <> 3}), Network::hashes($node{mine}, q{issuer = 'plant' AND seq <> 3}), 'as they were');

attack('a trigger dropped', "SET ecert.allow_ledger_ddl = on; DROP TRIGGER ecert_admit ON ledger.package", 'difference', qr/its ledger is open: triggers of ledger.package are missing or disabled/);
is($hub->safe_psql('postgres', q{SELECT state FROM ledger.health WHERE item = 'structure'}), 'alarm', 'and the hub itself does');
$hub->safe_psql('postgres', 'CREATE TRIGGER ecert_admit BEFORE INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION ecert.admit(); ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit');

# the nodes go on with each other as soon as the hub is as it should be
append_months(1);
is(Network::equal($node{plant}, $node{mine}), '', 'and packages go on through the hub');

# what the hub does not take is said where it was signed
my $taken_by = $hub->safe_psql('postgres', q{SELECT subscription FROM ledger.peer WHERE peer = 'plant'});
$hub->safe_psql('postgres', "ALTER SUBSCRIPTION $taken_by DISABLE");
append_months(1);
Network::duties($node{plant});
like($node{plant}->safe_psql('postgres', q{SELECT detail FROM ledger.health WHERE item = 'sending to'}), qr/1 packages from here were not there yet/, 'a hub that withholds a package is seen by its issuer');
$hub->safe_psql('postgres', "ALTER SUBSCRIPTION $taken_by ENABLE");
is(Network::equal($node{plant}, $node{mine}), '', 'and it comes after all');

# the hub sends its changes along: who receives may not do them, which stops the stream until the hub publishes inserts alone
attack('changes sent', "SET ecert.allow_ledger_ddl = on; ALTER PUBLICATION ecert SET TABLE ledger.package, ledger.equivocation; ALTER PUBLICATION ecert SET (publish = 'insert, update, delete, truncate');
	$open UPDATE ledger.package SET subject = 'other' WHERE kind = 'energy' AND seq = 4; DELETE FROM ledger.package WHERE kind = 'energy' AND seq = 12; $close", 'difference', qr/plant energy/, stops => 1);
like(slurp_file($node{mine}->logfile), qr/ERROR:  permission denied for table package/, 'which the log says');
like($node{mine}->safe_psql('postgres', q{SELECT state || ' ' || value || ': ' || detail FROM ledger.health WHERE item = 'receiving from'}), qr/^alarm publishes too much, packages are pulled: publishes UPDATE, DELETE, TRUNCATE/, 'and health');
attack('a truncation sent', "$open UPDATE ledger.package SET subject = 'plant' WHERE kind = 'energy' AND seq = 4; CREATE TABLE test_kept AS SELECT package FROM ledger.package ORDER BY kind <> 'genesis', recorded_at; TRUNCATE ledger.package;
	INSERT INTO ledger.package SELECT issuer, kind, seq, subject, period, issued_at, hash, package, now() FROM (SELECT package, ecert.issuer(package), ecert.kind(package), ecert.seq(package),
		ecert.subject(package), ecert.period(package), ecert.issued_at(package), ecert.hash(package) FROM test_kept) AS k; $close", 'receiving from', qr/publishes UPDATE, DELETE, TRUNCATE/, stops => 1);
$hub->safe_psql('postgres', "SELECT ecert.publish('ecert'); SELECT ecert.catch_up()");
for my $name (sort keys %node)
{
	Network::duties($node{$name});
	like($node{$name}->safe_psql('postgres', q{SELECT outcome FROM ledger.duty_log WHERE duty = 'link'}), qr/disabled again by an error; began anew/, "$name: the next round of duties begins anew behind it");
}
append_months(1);
is(Network::equal($node{plant}, $node{mine}), '', 'and packages go on through the hub');

attack('the table truncated', "$open TRUNCATE ledger.package; $close", 'difference', qr/packages are gone there, from seq 0 on/);
# a node admits nothing either from a hub that has nothing, and signs on
append_months(1);
is($node{plant}->safe_psql('postgres', "SELECT max(seq) FROM ledger.package WHERE issuer = 'plant' AND kind = 'energy'"), '15', 'the plant signs on');
$_->stop for values %node, $hub;
done_testing();
