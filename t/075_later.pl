# What is said later (keys, roles, relations) changes nothing of what was right when it was said: at the certifier, at a node that joins
# last, and for ecert-verify.  All nodes sign on the certifier's server here; the one that joins has them by replication.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $verify = "$FindBin::RealBin/../src/verifier/ecert-verify";
my $hub = Network::hub('later.example', policy => q{ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}, {"as": "downstream", "count": 1}],
	"upstream": {"tolerance": 0.02}, "downstream": {"tolerance": 0.02}, "peer": {"k": 3, "floor": 0, "band": 0.5, "minimum": 1}, "audit_days": 30}}'});
my $folder = $hub->basedir;
my @months = ('[2023-01-01,2023-02-01)', '[2024-01-01,2024-02-01)');

# Run SQL as a node: by its id and the newest of its keys
my %keys;

sub as
{
	my ($node, $sql) = @_;
	return $hub->safe_psql('postgres', "SET client_min_messages = warning; SET ecert.node = '$node'; SET ecert.signing_key = '$keys{$node}';\n$sql");
}

# A new key of a node; its public half
my $made = 0;

sub new_key
{
	my ($node) = @_;
	$keys{$node} = "$folder/$node-" . $made++ . '.pem';
	system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $keys{$node});
	return as($node, 'SELECT ecert.public_key()');
}

sub certifier { return $hub->safe_psql('postgres', "SET client_min_messages = warning;\n$_[0]") }

sub enroll
{
	my ($node, $roles) = @_;
	my $key = new_key($node);
	certifier("SELECT ecert.enroll('$node', '$roles', '$key')");
	return;
}

sub seal { return certifier('SELECT ecert.checkpoint()') }

# Nothing is wrong with the ledger, as the server says and as the program says
sub is_sound
{
	my ($what) = @_;
	is(certifier('SELECT * FROM ecert.problems()'), '', "$what: the server finds nothing");
	$hub->safe_psql('postgres', "\\copy ledger.package (package) TO '$folder/dump' (FORMAT binary)");
	my ($out, $err) = run_command([ $verify, '--no-progress', "$folder/dump" ]);
	like($out, qr/^The ledger is VALID/m, "$what: nor does the program");
	return;
}

# A node that joins now has the same, and computes the same roots
sub joins
{
	my ($name) = @_;
	my $server = Network::server($name);
	Network::enroll($hub, $server, $name, '{auditor}');
	Network::link_node($hub, $server, $name);
	seal();
	is(Network::equal($hub, $server), '', "$name: the same packages");
	$server->poll_query_until('postgres', 'SELECT count(*) FROM ledger.sealing', certifier('SELECT count(*) FROM ledger.sealing')) or die 'checkpoints were not computed';
	is($server->safe_psql('postgres', q{SELECT count(*) FROM ledger.sealing WHERE outcome <> 'agrees'}), '0', "$name: the same roots");
	is(Network::problems($server), '', "$name: nothing is wrong, pending or refused");
	return $server;
}

enroll('plant', '{applicant}');
enroll($_, '{auditor}') for qw(mine customer);
certifier(q{SELECT ecert.relate('mine', 'plant', 'upstream'); SELECT ecert.relate('customer', 'plant', 'downstream')});
as('plant', q{INSERT INTO ledger.reading (point, source, unit, product, interval_start, interval_end, quantity) VALUES
	('m1', 'electricity', 'kWh', 'A', '2023-01-01', '2023-02-01', 1000), ('m1', 'electricity', 'kWh', 'A', '2024-01-01', '2024-02-01', 900);
	INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified) VALUES
	('A', 't', '2023-01-01', '2023-02-01', 10, 10), ('A', 't', '2024-01-01', '2024-02-01', 10, 10);} .
	join('', map { "SELECT ecert.pack_energy('$_'); SELECT ecert.pack_product('$_');" } @months));

# An auditor says pass of what it read, whatever its books
sub audit
{
	my ($node, $as, $kind, $month) = @_;
	as($node, qq{SELECT ecert.append('audit', jsonb_build_object('applicant', 'plant', 'period', ecert.period_json('$month'), 'as', '$as', 'verdict', 'pass', 'checks', '[]'::jsonb,
		'policy', encode(ecert.policy_hash(), 'hex'), 'checked', jsonb_build_array(jsonb_build_object('kind', '$kind', 'first', p.seq, 'last', p.seq, 'hash', encode(p.hash, 'hex')))), 'plant')
		FROM ecert.live_packages('plant', '$kind', '$month') AS p});
	return;
}

sub audit_all
{
	for my $month (@months)
	{
		audit('mine', 'upstream', 'energy', $month);
		audit('customer', 'downstream', 'product', $month);
	}
	return;
}
audit_all();
certifier("SELECT ecert.certify('plant', '$months[1]')");
seal();
is_sound('certified');

# a relation for next year, before and behind the seal
certifier(q{SELECT ecert.relate('mine', 'plant', 'upstream', valid_from => now() + interval '10 days')});
is_sound('a relation that begins later');
seal();
is_sound('the same, sealed');
is(Network::sqlstate($hub, qq{SET ecert.node = 'mine'; SET ecert.signing_key = '$keys{mine}';
	SELECT ecert.append('audit', ecert.body(package), 'plant') FROM ledger.package WHERE issuer = 'mine' ORDER BY seq LIMIT 1}), 'EC050', 'by now the auditor is not related');
joins('joined');

# a relation that is ended for all time
certifier(q{SELECT ecert.relate('customer', 'plant', 'downstream', valid_to => '2000-01-01')});
is_sound('a relation that was ended');

# an auditor becomes an applicant
certifier(q{SELECT ecert.revoke_node('mine', 'a merger')});
is_sound('an auditor that is revoked');
enroll('mine', '{applicant}');
is_sound('an auditor that is an applicant now');
seal();
is_sound('the same, sealed');
# within one second, the unit of issued_at, it is both
$hub->poll_query_until('postgres', q{SELECT clock_timestamp() >= max(issued_at) + interval '1 second' FROM ledger.package WHERE kind = 'node'}) or die 'the clock stands';
is(Network::sqlstate($hub, q{SELECT ecert.relate('mine', 'plant', 'upstream')}), 'EC081', 'it cannot be related as auditor again');
joins('latest');

# a stolen key: what it signed since is void, which no one takes for a problem, and does not count
sub relate_again { certifier(q{SELECT ecert.relate('digger', 'plant', 'upstream')}); return }
enroll('digger', '{auditor}');
relate_again();
my $period = q{'[2024-01-01,2024-02-01)'};
my $void = 'SELECT count(*) FROM ledger.audit WHERE void';
my $missing = "SELECT obstacle || ': ' || detail FROM ecert.obstacles('plant', $period) WHERE obstacle = 'audit_missing' ORDER BY 1";
is(certifier($missing), '', 'no audit is missing');
certifier('SELECT ecert.judge_certificates()');
my $standing = q{SELECT string_agg(concat_ws(' ', recomputation, standing, status), ', ' ORDER BY certificate_number) FROM ledger.certificate};
my $health = q{SELECT state || ' ' || value || coalesce(' ' || detail, '') FROM ledger.health WHERE item = 'certificate'};
is(certifier($standing), 'agrees stands active', 'what was said so far takes nothing away from the certificate');
certifier(q{SELECT ecert.revoke_node('customer', 'key stolen', now() - interval '1 day')});
is(certifier($void), '2', 'the audits of the stolen key are void');
Network::duties($hub);
is(certifier($standing), 'agrees void active', 'the certificate that rests on them says so');
like(certifier('SELECT standing_reason FROM ledger.certificate'), qr/^audit [01] of "customer" \([0-9a-f]{64}\) is void: its key had ended before it was issued, says node \d+ of "certifier"/, 'and why');
like(certifier($health), qr/^alarm 1 EC-2024-000001 of "plant" rests on what is void: audit .* Next: /, 'which is an alarm');
is_sound('a certificate that rests on void audits');
like((run_command([ $verify, '--no-progress', "$folder/dump" ]))[0], qr/^  issuer "certifier", certificate, seq 0, hash \w+: certificate's standing is void: audit [01] of "customer"/m, 'the program warns of it');
like((run_command([ $verify, '--no-progress', '--json', "$folder/dump" ]))[0], qr/"warnings": \[[^\]]*"kind": "certificate", "seq": 0, "hash": "\w+", "text": "certificate's standing is void: /, 'also other programs');
certifier(q{SELECT ecert.set_status(hash, 'withdrawn', 'to be computed again') FROM ledger.package WHERE kind = 'certificate'});
is(certifier($health), 'ok 0', 'until it is withdrawn');
like(certifier($missing), qr/^audit_missing: 2 product packages lack 1 passing downstream/, 'and missing for a certificate');
is(Network::sqlstate($hub, "SELECT ecert.certify('plant', $period)"), 'EC062', 'which is not issued');
is_sound('a key that was stolen');
seal();
is_sound('the same, sealed');
my ($warned) = run_command([ $verify, '--no-progress', "$folder/dump" ]);
like($warned, qr/packages that are void, because their key had ended before they were issued: 2$/m, 'the program tells of them');
like(certifier(q{SELECT value || ' ' || detail FROM ledger.health WHERE item = 'void'}), qr/^2 the last: audit 1 of "customer"/, 'health too');
enroll('customer', '{auditor}');
certifier(q{SELECT ecert.relate('customer', 'plant', 'downstream')});
audit('customer', 'downstream', 'product', $_) for @months;
is(certifier($missing), '', 'the auditor has audited the same packages again');
certifier("SELECT ecert.certify('plant', $period)");
is(certifier(q{SELECT audit_count FROM ledger.certificate WHERE status = 'active'}), '4', 'and there is a certificate, which does not rest on what is void');
seal();
is_sound('certified again');
unlike((run_command([ $verify, '--no-progress', "$folder/dump" ]))[0], qr/standing is/, 'the program says nothing of what was withdrawn');
my $youngest = joins('youngest');
Network::duties($youngest, $hub);
is($youngest->safe_psql('postgres', $standing), 'agrees void withdrawn, agrees stands active', 'who joins now is told the same of the certificates');
is(certifier($standing), 'agrees void withdrawn, agrees stands active', 'as the certifier');
my $void_rows = q{SELECT string_agg(concat_ws(' ', issuer, kind, seq, key_ended_at < issued_at), ', ' ORDER BY seq) FROM ledger.void};
is($_->safe_psql('postgres', $void_rows), 'customer audit 0 t, customer audit 1 t', $_->name . ': what is void has a view of its own') for $hub, $youngest;
like($youngest->safe_psql('postgres', q{SELECT string_agg(state || ' ' || value, ', ') FROM ledger.health WHERE item IN ('void', 'quarantine', 'finding')}), qr/^(?:ok 0, )*warning 2(?:, ok 0)*$/, 'and one warning in health');

# a thief's package for ten years does not stand in the way of the plant that was enrolled again
as('plant', q{SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json('[2024-02-01,2026-02-01)'),
	'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1}]'::jsonb))});
seal();
certifier(q{SELECT ecert.revoke_node('plant', 'key stolen', now() - interval '1 day')});
enroll('plant', '{applicant}');
as('plant', q{SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json('[2024-02-01,2024-03-01)'),
	'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1}]'::jsonb))});
seal();
is_sound('a period of two years that is void');
joins('last');

# nobody ends a certifier's key before he says so
is(Network::sqlstate($hub, q{SELECT ecert.append('node', jsonb_set(ecert.node_state('certifier'), '{keys,0,until}', '1000000000'), 'certifier')}), 'EC081', 'a back-dated end of the certifier key');
# and a revocation ends every key
is(Network::sqlstate($hub, q{SELECT ecert.append('node', ecert.node_state('plant') || jsonb_build_object('status', 'revoked', 'effective', 1000000000), 'plant')}), 'EC081', 'a revocation that leaves a key');
is(Network::sqlstate($hub, q{SELECT ecert.append('node', ecert.node_state('plant') || jsonb_build_object('status', 'revoked', 'effective', ecert.unix_seconds(clock_timestamp())), 'plant')}), 'EC081', 'or a key that has no end');

done_testing();
