# A certifier whose clock allows more than others' seals packages from the future.  They are on the ledger everywhere, everybody finds the same
# against them, by the checkpoint's own time and no clock of today's, and they do not count.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $verify = "$FindBin::RealBin/../src/verifier/ecert-verify";
my $hub = Network::hub('future.example', conf => "ecert.max_clock_skew = '1h'\n");
my $folder = $hub->basedir;
my ($base, $period) = ('[2023-01-01,2023-02-01)', '[2024-01-01,2024-02-01)');
my %keys;

sub certifier { return $hub->safe_psql('postgres', "SET client_min_messages = warning;\n$_[0]") }
sub seal { return certifier('SELECT ecert.checkpoint()') }

sub as
{
	my ($node, $sql) = @_;
	return $hub->safe_psql('postgres', "SET client_min_messages = warning; SET ecert.node = '$node'; SET ecert.signing_key = '$keys{$node}';\n$sql");
}

sub new_key
{
	my ($node, $name) = @_;
	$keys{$node} = "$folder/$name.pem";
	system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $keys{$node});
	return as($node, 'SELECT ecert.public_key()');
}

# From now on a node signs with a key that counts in so many seconds, so its packages are issued then
sub go_ahead
{
	my ($node, $seconds) = @_;
	my $key = new_key($node, "$node-$seconds");
	certifier("SELECT ecert.rotate_key('$node', '$key', clock_timestamp() + interval '$seconds s')");
	return;
}

sub declare_energy
{
	my ($month, $quantity, $more) = @_;
	return as('plant', qq{SELECT encode(ecert.append('energy', jsonb_build_object('period', ecert.period_json('$month'),
		'lines', '[{"source": "electricity", "unit": "kWh", "product": "A", "quantity": $quantity}]'::jsonb} . ($more // '') . q{)), 'hex')});
}

sub audit
{
	my ($auditor, $as, $month, $verdict) = @_;
	as($auditor, qq{SELECT ecert.append('audit', jsonb_build_object('applicant', 'plant', 'period', ecert.period_json('$month'), 'as', '$as', 'verdict', '$verdict', 'checks', '[]'::jsonb,
		'policy', encode(ecert.policy_hash(), 'hex'), 'checked', jsonb_build_array(jsonb_build_object('kind', 'energy', 'first', p.seq, 'last', p.seq, 'hash', encode(p.hash, 'hex')))), 'plant')
		FROM ecert.live_packages('plant', 'energy', '$month') AS p});
	return;
}

# What is found, as (issuer, kind, seq) and text: by a server, and by the program on the server's packages
sub found { return $_[0]->safe_psql('postgres', q{SELECT concat_ws(' ', issuer, kind, seq) || ': ' || problem FROM ecert.problems() ORDER BY 1}) }

sub found_by_program
{
	my ($server) = @_;
	$server->safe_psql('postgres', "\\copy ledger.package (package) TO '$folder/dump' (FORMAT binary)");
	my ($out) = run_command([ $verify, '--no-progress', '--json', "$folder/dump" ]);
	return $server->safe_psql('postgres', q{SELECT concat_ws(' ', p ->> 'issuer', p ->> 'kind', p ->> 'seq') || ': ' || (p ->> 'text') FROM jsonb_array_elements($json$} . $out . q{$json$::jsonb -> 'problems') AS p ORDER BY 1});
}

for ([ 'plant', '{applicant}' ], [ 'mine', '{auditor}' ], [ 'rival', '{auditor}' ], [ 'near', '{applicant}' ])
{
	my ($node, $roles) = @$_;
	my $key = new_key($node, $node);
	certifier("SELECT ecert.enroll('$node', '$roles', '$key')");
}
certifier(q{SELECT ecert.relate('mine', 'plant', 'upstream'), ecert.relate('rival', 'plant', 'peer')});
my $node = Network::server('honest');
Network::enroll($hub, $node, 'honest', '{auditor}');
Network::link_node($hub, $node, 'honest');
declare_energy($base, 1000);
my $declared = declare_energy($period, 900);
as('plant', "SELECT ecert.append('product', jsonb_build_object('period', ecert.period_json('$_'),
	'lines', '[{\"product\": \"A\", \"unit\": \"t\", \"output\": 10, \"qualified\": 10}]'::jsonb))") for $base, $period;
audit('mine', 'upstream', $_, 'pass') for $base, $period;
seal();
my $figures = "SELECT ecert.certificate_figures('plant', '$period', '$base', 'product') - 'checkpoint'";
my $obstacles = "SELECT obstacle FROM ecert.obstacles('plant', '$period', '$base')";
my $before = certifier($figures);
is(certifier($obstacles), '', 'nothing stands against a certificate');

# a correction and a failing audit from the future, and one that clocks may be apart for
go_ahead('plant', 1200);
go_ahead('rival', 1200);
go_ahead('near', 200);
audit('rival', 'peer', $period, 'fail');
declare_energy($period, 100, ", 'replaces', jsonb_build_array('$declared'), 'reason', 'a wish'");
as('near', q{SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json('[2024-01-01,2024-02-01)'), 'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1}]'::jsonb))});
ok($node->poll_query_until('postgres', q{SELECT string_agg(concat_ws(' ', issuer, kind, seq, sqlstate), ', ' ORDER BY issuer) = 'plant energy 2 EC024, rival audit 0 EC024' FROM ledger.pending}),
	'what is from the future waits at an honest node before it is sealed');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ledger.package WHERE issuer = 'near'}), 'what clocks may be apart for does not');
is(found($hub), '', 'and nothing is found');
seal();
is(Network::equal($hub, $node), '', 'sealed');
my $found = found($hub);
like($found, qr/^plant energy 2: issued_at is later than that of the checkpoint that covers the package \(The package says \S+ \S+, the checkpoint \S+ \S+; clocks may be 300 s apart\.\)\nrival audit 0: issued_at is later[^\n]*$/,
	'the certifier\'s own server finds them');
is(found_by_program($hub), $found, 'the program the same');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 2 FROM ledger.finding WHERE problem IS NOT NULL'), 'an honest node too, when the checkpoint is taken up');
is(found($node), $found, 'with the same words');
my $kept = q{SELECT concat_ws(' ', issuer, kind, seq) || ': ' || problem FROM ledger.finding ORDER BY 1};
is(certifier($kept), $found, 'the certifier\'s server has kept it');
is($node->safe_psql('postgres', $kept), $found, 'as the node has');
is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE outcome <> 'agrees') FROM ledger.sealing}), '0', 'all roots agree');
is(certifier($figures), $before, 'the correction does not count');
is($node->safe_psql('postgres', $figures), $before, 'nowhere');
is(certifier($obstacles), '', 'nor does the failing audit');

# a node that joins now is told the same
my $late = Network::server('late');
Network::enroll($hub, $late, 'late', '{auditor}');
Network::link_node($hub, $late, 'late');
seal();
is(Network::equal($hub, $late), '', 'a node that joins has them');
ok($late->poll_query_until('postgres', 'SELECT count(*) = 2 FROM ledger.finding WHERE problem IS NOT NULL'), 'and what is found');
is(found($late), $found, 'with the same words');
is($late->safe_psql('postgres', $figures), $before, 'and the same figures');
done_testing();
