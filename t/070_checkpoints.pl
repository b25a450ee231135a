# Checkpoints over several servers: every node that holds all feeds finds the same root, any of them gives receipts, auditors
# witness, and nobody, the certifier included, shows two ledgers to two readers without leaving a proof.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $policy = q{ecert.default_policy() || '{"certificate": {"threshold": 0, "denominator": "baseline", "valid_days": 365, "witnesses": 2, "strict": false, "baseline": {"rule": "year_before"}, "attribution": {"rule": "direct"}, "electricity": "calorific", "confirmed_min": {"energy": 0.8, "output": 0.8}, "seal_within": 3600, "automatic": {"on": true, "days": 366}}}'};
my $hub = Network::hub('checkpoints.example', policy => $policy);
my %node = map { $_ => Network::server($_) } qw(plant mine watcher);
Network::enroll($hub, $node{plant}, 'plant', '{applicant}');
Network::enroll($hub, $node{$_}, $_, '{auditor}') for qw(mine watcher);
Network::link_node($hub, $node{$_}, $_) for qw(plant mine);
# the watcher is sent certificates only: the registry, checkpoints and witnesses come with them
Network::link_node($hub, $node{watcher}, 'watcher', q{, NULL, '{certificate}'});

my $months = 0;

sub append_months
{
	my ($count) = @_;
	$node{plant}->safe_psql('postgres', sprintf(q{SELECT count(ecert.append('energy', jsonb_build_object('period',
		ecert.period_json(tstzrange('1980-01-01'::timestamptz + n * interval '1 month', '1980-01-01'::timestamptz + (n + 1) * interval '1 month')),
		'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))) FROM generate_series(%d, %d) AS n}, $months, $months + $count - 1));
	$months += $count;
	$node{plant}->wait_for_catchup($_, 'replay') for $hub->safe_psql('postgres', q{SELECT subscription FROM ledger.peer WHERE peer = 'plant'});
	return;
}

# Seal, and wait until every node has the checkpoint and has computed it
sub seal
{
	$hub->safe_psql('postgres', 'SELECT ecert.checkpoint()');
	my $seq = $hub->safe_psql('postgres', 'SELECT max(checkpoint_seq) FROM ledger.checkpoint');
	$_->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM ledger.sealing WHERE checkpoint_seq = $seq)") or die 'the checkpoint did not come' for values %node;
	return $seq;
}

append_months(300);
is(seal(), '0', 'the certifier seals');
my $outcome = 'SELECT outcome, tree_size, root FROM ledger.checkpoint ORDER BY checkpoint_seq DESC LIMIT 1';
like($hub->safe_psql('postgres', $outcome), qr/^agrees\|304\|[0-9a-f]{64}$/, 'what it has: the genesis package, three nodes, the energy and no more');
is($node{$_}->safe_psql('postgres', $outcome), $hub->safe_psql('postgres', $outcome), "$_ finds the same root") for qw(plant mine);
like($node{watcher}->safe_psql('postgres', $outcome), qr/^not checkable here\|304\|/, 'a node that is not sent everything says that it cannot');
like($node{watcher}->safe_psql('postgres', q{SELECT state || ' ' || detail FROM ledger.health WHERE item = 'checkpoint'}), qr/^ok checkpoint 0, 304 packages, 0 witnesses, 2 asked for; root not checkable here$/, 'in health too');

# receipts: any node that holds everything gives them, and they are the same
my $key = $hub->safe_psql('postgres', q{SELECT ecert.public_key('seal')});
my $some = $node{plant}->safe_psql('postgres', q{SELECT hash FROM ledger.package WHERE issuer = 'plant' AND seq = 100});
my $receipt = $hub->safe_psql('postgres', "SELECT ecert.receipt('$some')");
is($node{plant}->safe_psql('postgres', "SELECT ecert.receipt('$some')"), $receipt, 'the applicant makes itself the receipt that the certifier would give');
is($node{watcher}->safe_psql('postgres', "SELECT ecert.verify_receipt('" . $hub->safe_psql('postgres', "SELECT package FROM ledger.package WHERE hash = '$some'") . "', '$receipt', '$key')"), 't',
	'who does not have the package on its ledger can check it all the same');
is(Network::sqlstate($node{watcher}, 'SELECT ecert.receipt(ecert.genesis_hash())'), 'EC103', 'but not make one');

# witnesses: with a tree of their own, or with a proof of the hub's
append_months(30);
Network::duties($node{mine}, $node{watcher});
is(seal(), '1', 'another checkpoint');
Network::duties($node{mine}, $node{watcher});
is($node{watcher}->safe_psql('postgres', 'SELECT node, size FROM ledger.witnessed'), 'watcher|337', 'who has no tree has asked for a proof that the new one goes on from the old one');
$hub->poll_query_until('postgres', 'SELECT count(*) = 4 FROM ledger.witness') or die;
is($hub->safe_psql('postgres', 'SELECT checkpoint_seq, witness_count, witnesses_required FROM ledger.checkpoint ORDER BY 1'), "0|2|2\n1|2|2", 'both checkpoints have two witnesses');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM ledger.witness WHERE cosignature IS NOT NULL}), '4', 'with C2SP cosignatures');
is(Network::problems($_), '', $_->name . ': nothing is wrong') for $hub, @node{qw(mine plant watcher)};

# a crash while it is sealed leaves nothing of it
append_months(30);
my $rows = 'SELECT (SELECT count(*) FROM ledger.leaf_range), (SELECT count(*) FROM ledger.sealing), (SELECT sum(octet_length(hashes)) FROM ledger.tile), (SELECT count(*) FROM ledger.checkpoint)';
my $before = $hub->safe_psql('postgres', $rows);
my $session = $hub->background_psql('postgres');
$session->query_safe('BEGIN') if $session->can('query_safe');
SKIP:
{
	skip 'background_psql has another interface here', 2 unless $session->can('query_safe');
	$session->query_safe('SELECT ecert.checkpoint()');
	$hub->stop('immediate');
	$hub->start;
	is($hub->safe_psql('postgres', $rows), $before, 'a crash in the middle leaves no half checkpoint');
	eval { $session->quit };
	is(Network::problems($hub), '', 'and nothing wrong');
}
Network::duties($_) for values %node;
is(seal(), '2', 'afterwards it is sealed');
Network::duties($node{mine}, $node{watcher});
is($node{$_}->safe_psql('postgres', $outcome), $hub->safe_psql('postgres', $outcome), "$_ finds the same root") for qw(plant mine);

# who joins late computes all of them from what it is sent, whatever the order
$node{late} = Network::server('late');
Network::enroll($hub, $node{late}, 'late', '{auditor}');
Network::link_node($hub, $node{late}, 'late');
is(Network::equal($hub, @node{qw(plant mine late)}), '', 'another node joins');
$node{late}->poll_query_until('postgres', 'SELECT count(*) = 3 FROM ledger.sealing') or die;
is($node{late}->safe_psql('postgres', 'SELECT string_agg(outcome, $$ $$ ORDER BY checkpoint_seq) FROM ledger.checkpoint'), 'agrees agrees agrees', 'and finds every root');
is($node{late}->safe_psql('postgres', "SELECT ecert.receipt('$some')"), $hub->safe_psql('postgres', "SELECT ecert.receipt('$some')"), 'so it gives the same receipts');

# a root that is not the ledger's, signed by the certifier all the same
append_months(5);
$hub->safe_psql('postgres', q{SET ecert.allow_ledger_ddl = on; ALTER TABLE ledger.package DISABLE TRIGGER USER;
	WITH forged AS (SELECT ecert.sign('checkpoint', jsonb_build_object('size', n.size + 7, 'root', repeat('ab', 32), 'heads', h.heads, 'tree', 1, 'seals', jsonb_build_array(ecert.seal_root(n.size + 7, decode(repeat('ab', 32), 'hex'))))) AS p
	  FROM (SELECT max(tree_size) AS size FROM ledger.checkpoint) AS n CROSS JOIN (SELECT jsonb_agg(jsonb_build_array(u.issuer, u.kind, u.last_seq) ORDER BY u.issuer, u.kind) AS heads FROM ecert.unsealed() AS u WHERE u.kind <> 'witness') AS h)
	INSERT INTO ledger.package (issuer, kind, seq, subject, issued_at, hash, package, recorded_at)
	SELECT ecert.issuer(p), ecert.kind(p), ecert.seq(p), ecert.subject(p), ecert.issued_at(p), ecert.hash(p), p, now() FROM forged;
	ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit; ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_row;
	ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_refuse_statement; ALTER TABLE ledger.package ENABLE TRIGGER ecert_drain; ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_take_up;});
$_->poll_query_until('postgres', 'SELECT EXISTS (SELECT FROM ledger.sealing WHERE checkpoint_seq = 3)') or die 'the forged checkpoint did not come' for values %node;
for my $name (qw(plant mine))
{
	like($node{$name}->safe_psql('postgres', q{SELECT state || ' ' || detail FROM ledger.health WHERE item = 'checkpoint'}),
		qr/^alarm checkpoint 3: checkpoint's root is not that of the packages it covers \(signed (ab){32}, computed [0-9a-f]{64}\)$/, "$name sees a forged root and keeps it");
	like($node{$name}->safe_psql('postgres', 'SELECT problem FROM ecert.problems()'), qr/^checkpoint's root is not that of the packages it covers/, "$name: as does verification");
}
is(Network::sqlstate($node{mine}, 'SELECT ecert.witness()'), 'EC105', 'a witness with a tree of its own does not sign it');
is(Network::sqlstate($node{watcher}, 'SELECT ecert.witness()'), 'EC103', 'nor does one that asks for proofs: the hub has none');
is($node{$_}->safe_psql('postgres', 'SELECT size FROM ledger.witnessed'), $hub->safe_psql('postgres', 'SELECT tree_size FROM ledger.checkpoint WHERE checkpoint_seq = 2'), "what $_ has witnessed stays") for qw(mine watcher);
Network::duties($node{mine});
like($node{mine}->safe_psql('postgres', q{SELECT sqlstate || ' ' || outcome FROM ledger.duty_log WHERE duty = 'witness'}), qr/^EC105 this node does not witness a checkpoint/, 'its duties say why');
is(Network::sqlstate($node{plant}, "SELECT ecert.verify_receipt((SELECT package FROM ledger.package WHERE hash = '$some'), ecert.receipt('$some'), '$key')"), 'none', 'receipts go on under the checkpoints that are right');

done_testing();
