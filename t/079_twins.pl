# An issuer tells two stories: a node holds the one that came first, and 498 packages of the other wait behind it.  When a checkpoint covers the
# other one the node exchanges them: both stay as evidence, roots agree, nothing waits or is asked for again.  So does a node that is sent some
# feeds only, which asks for a receipt, and the issuer's own server, restored from a backup.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $verify = "$FindBin::RealBin/../src/verifier/ecert-verify";
my $hub = Network::hub('twins.example');
my $es256 = $hub->basedir . '/plant.pem';
system_or_bail('openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', $es256);
my $plant = Network::server('plant', key => $es256);
my $honest = Network::server('honest');
my $reader = Network::server('reader');
Network::enroll($hub, $plant, 'plant', '{applicant}');
Network::enroll($hub, $_, $_->name, '{auditor}') for $honest, $reader;
Network::link_node($hub, $plant, 'plant');
Network::link_node($hub, $honest, 'honest');
Network::link_node($hub, $reader, 'reader', q{, '{plant}'});
$plant->safe_psql('postgres', <<'SQL');
CREATE FUNCTION public.declare(first_day date, days integer, quantity numeric) RETURNS void LANGUAGE sql AS $$
	SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(d, d + interval '1 day')),
		'lines', jsonb_build_array(jsonb_build_object('source', 'electricity', 'unit', 'kWh', 'quantity', quantity))))
	  FROM generate_series(first_day::timestamptz, first_day + (days - 1) * interval '1 day', interval '1 day') AS d $$;
-- what the issuer signs and does not keep
CREATE FUNCTION public.tell(first_day date, days integer, quantity numeric) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	signed text[];
BEGIN
	BEGIN
		PERFORM public.declare(first_day, days, quantity);
		signed := ARRAY(SELECT encode(p.package::bytea, 'hex') FROM ledger.package p WHERE p.issuer = 'plant' AND p.kind = 'energy' ORDER BY p.seq DESC LIMIT days);
		RAISE EXCEPTION USING ERRCODE = 'TW001';
	EXCEPTION WHEN SQLSTATE 'TW001' THEN
	END;
	RETURN QUERY SELECT s FROM unnest(signed) WITH ORDINALITY AS s (s, n) ORDER BY n DESC;
END $$;
SQL

sub seal { return $hub->safe_psql('postgres', 'SELECT ecert.checkpoint()') }

# Both sides see every feed's head, and every checkpoint is taken up
sub settled
{
	my (@servers) = @_;
	my $sealings = $hub->safe_psql('postgres', 'SELECT count(*) FROM ledger.sealing');
	return !grep { !$_->poll_query_until('postgres', 'SELECT count(*) FROM ledger.sealing', $sealings) } @servers;
}
my $story = q{SELECT encode(p.hash, 'hex') FROM ledger.package p WHERE p.issuer = 'plant' AND p.kind = 'energy' AND p.seq = };
my $energy = q{issuer = 'plant' AND kind = 'energy'};
my $pending = 'SELECT count(*) FROM ledger.pending';
my $outcomes = q{SELECT string_agg(DISTINCT outcome, ', ') FROM ledger.sealing};
my $stories = q{SELECT string_agg(concat_ws(' ', kind, seq), ', ' ORDER BY seq) FROM ledger.equivocation};

$plant->safe_psql('postgres', q{SELECT public.declare('2024-01-01', 2, 100)});
seal();
is(Network::equal($hub, $plant, $honest), '', 'linked');
is(Network::hashes($reader, $energy), Network::hashes($hub, $energy), 'the plant\'s feed is sent to who asked for it') if $reader->poll_query_until('postgres', "SELECT count(*) = 2 FROM ledger.package WHERE $energy");
my $dump = $plant->basedir . '/plant.dump';

# the twin of energy 2 reaches some nodes first
my @twin = split /\n/, $plant->safe_psql('postgres', q{SELECT * FROM public.tell('2024-01-03', 1, 7)});
is($_->safe_psql('postgres', "SELECT ecert.admit_from_peer('\\x$twin[0]', 'plant')"), 'admitted', $_->name . ' holds the twin of energy 2') for $honest, $reader;
my $twin_hash = $honest->safe_psql('postgres', "${story}2");
$plant->safe_psql('postgres', q{SELECT public.declare('2024-01-03', 499, 100)});
is(Network::equal($hub, $plant), '', 'and the hub the other story, with 498 packages behind it');
# the first that is linked to the other story is refused, those behind it wait
ok($_->poll_query_until('postgres', "SELECT (SELECT count(*) FROM ledger.pending) || ' ' || (SELECT count(*) FROM ledger.quarantine)", '497 2'), $_->name . ': none of them is admitted') for $honest, $reader;
ok($hub->poll_query_until('postgres', $stories, 'energy 2'), 'the proof goes to the hub');
seal();
is(Network::equal($hub, $honest), '', 'covered, the stories are exchanged');
ok(settled($honest), 'and every checkpoint is computed');
is($honest->safe_psql('postgres', $outcomes), 'agrees', 'all roots agree');
is($honest->safe_psql('postgres', $pending), '0', 'nothing waits');
is($honest->safe_psql('postgres', q{SELECT concat_ws(' ', kind, seq, sqlstate, encode(hash, 'hex')) FROM ledger.quarantine}), "energy 2 EC021 $twin_hash", 'the twin is kept as evidence');
is($_->safe_psql('postgres', $stories), 'energy 2', $_->name . ': and the proof') for $hub, $plant, $honest;
$plant->safe_psql('postgres', q{SELECT public.declare('2026-01-01', 1, 100)});
seal();
is(Network::equal($hub, $plant, $honest), '', 'the feed goes on');
ok(settled($honest), 'and is sealed');
is($honest->safe_psql('postgres', $outcomes), 'agrees', 'later roots agree too');
# rounds of duties have nothing to fetch
Network::duties($honest, $hub, $honest);
is($honest->safe_psql('postgres', q{SELECT jsonb_array_length(behind) FROM ledger.peer}), '0', 'no feed is ahead at the hub');
is($honest->safe_psql('postgres', 'SELECT count(*) FROM ledger.difference WHERE gone_at IS NULL'), '0', 'nothing differs there');
is($honest->safe_psql('postgres', q{SELECT count(*) FROM ecert.problems()}), '0', 'verification finds nothing');
my $file = $hub->basedir . '/dump';
$honest->safe_psql('postgres', "\\copy ledger.package (package) TO '$file' (FORMAT binary)");
like((run_command([ $verify, '--no-progress', $file ]))[0], qr/^The ledger is VALID/m, 'nor does ecert-verify');
# with both stories in its hands it names the issuer, and nothing else
$honest->safe_psql('postgres', "COPY (SELECT package::bytea FROM ledger.package UNION ALL SELECT bytes FROM ledger.quarantine) TO '$file' (FORMAT binary)");
my ($said) = run_command([ $verify, '--no-progress', '--all', $file ]);
like($said, qr/issuer "plant", energy, seq 2, hash \w+: equivocation: the issuer signed two different packages with seq 2/, 'shown both stories it names the two');
unlike($said, qr/^  issuer "(?:plant", energy, seq (?!2,)|certifier|honest|reader)/m, 'and blames no other package');

# who is sent some feeds only has no tree: it asks the hub for a receipt of the other story
Network::duties($reader);
is($reader->safe_psql('postgres', "${story}2"), $hub->safe_psql('postgres', "${story}2"), 'the node that is sent some feeds has the story that is sealed');
is(Network::hashes($reader, $energy), Network::hashes($hub, $energy), 'and all behind it');
is($reader->safe_psql('postgres', $pending), '0', 'nothing waits there');
is($reader->safe_psql('postgres', q{SELECT concat_ws(' ', kind, seq, sqlstate, encode(hash, 'hex')) FROM ledger.quarantine}), "energy 2 EC021 $twin_hash", 'and the twin is kept');
is($reader->safe_psql('postgres', $outcomes), 'not checkable here', 'its roots are what they were');

# the issuer's own server from a backup, told to sign while nobody can be asked
$plant->command_ok([ 'pg_dump', '--format=custom', '--file', $dump, $plant->connstr('postgres') ], 'the plant is dumped');
my $roles = Network::roles($plant);
$plant->safe_psql('postgres', q{SELECT public.declare('2026-01-02', 2, 100)});
is(Network::equal($hub, $plant, $honest), '', 'it signs on');
seal();
$plant->stop;
my $plant2 = Network::server('plant', name => 'plant2', key => $es256, empty => 1);
$plant2->psql('postgres', $roles, on_error_stop => 0);
$plant2->command_ok(Network::pg_restore($plant2, $dump), 'and restored');
$hub->stop;
$plant2->safe_psql('postgres', q{SET ecert.sign_unconfirmed = on; SELECT public.declare('2026-01-02', 3, 8)});
$hub->start;
$plant2->safe_psql('postgres', 'SELECT ecert.resume()');
$hub->safe_psql('postgres', "SELECT ecert.resume('plant', '" . Network::connection($plant2) . "')");
# PostgreSQL 15 disables a subscription whose connection is lost
Network::duties($plant2, $hub, $plant2, $honest);
is(Network::equal($hub, $plant2, $honest), '', 'restored, it has the story that is sealed');
ok(settled($plant2), 'and computes every checkpoint');
is($plant2->safe_psql('postgres', $outcomes), 'agrees', 'all its roots agree');
is($plant2->safe_psql('postgres', $pending), '0', 'nothing waits');
is($plant2->safe_psql('postgres', q{SELECT string_agg(concat_ws(' ', kind, seq), ', ' ORDER BY seq) FROM ledger.quarantine WHERE issuer = 'plant'}), 'energy 502, energy 503, energy 504', 'what it signed beside is evidence');
$plant2->safe_psql('postgres', q{SELECT public.declare('2026-01-04', 1, 100)});
seal();
is(Network::equal($hub, $plant2, $honest), '', 'it signs on behind what is sealed');
ok(settled($honest, $plant2), 'which is sealed');
is($_->safe_psql('postgres', $outcomes), 'agrees', $_->name . ': with equal roots') for $hub, $plant2, $honest;

# what replication does not bring comes in blocks, however large packages are: 700 of them are more than an answer may have
my $link = $honest->safe_psql('postgres', 'SELECT subscription FROM ledger.peer');
$honest->safe_psql('postgres', "ALTER SUBSCRIPTION $link DISABLE");
my $seq = $hub->safe_psql('postgres', "SELECT max(seq) + 1 FROM ledger.package WHERE $energy");
@twin = split /\n/, $plant2->safe_psql('postgres', q{SELECT * FROM public.tell('2026-01-05', 1, 9)});
is($honest->safe_psql('postgres', "SELECT ecert.admit_from_peer('\\x$twin[0]', 'plant')"), 'admitted', 'another twin');
$plant2->safe_psql('postgres', <<'SQL');
SELECT ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(h, h + interval '1 minute')),
		'lines', (SELECT jsonb_agg(jsonb_build_object('point', repeat('m', 100) || n, 'source', 'electricity', 'unit', 'kWh', 'quantity', 1)) FROM generate_series(1, 200) AS n)))
  FROM generate_series(timestamptz '2026-01-05', '2026-01-05 11:39', interval '1 minute') AS h
SQL
is(Network::equal($hub, $plant2), '', '700 large packages of the other story come to the hub');
cmp_ok($hub->safe_psql('postgres', "SELECT sum(octet_length(package::text)) FROM ledger.package WHERE $energy AND seq >= $seq"), '>', 32 * 1024 * 1024, 'which are more than an answer may have');
cmp_ok($honest->safe_psql('postgres', q{SELECT ecert.compare_with('certifier')}), '>', 0, 'a node without them finds the difference');
is($honest->safe_psql('postgres', q{SELECT ecert.fetch_stories('certifier')}), '700', 'and fetches them all');
is($honest->safe_psql('postgres', "SELECT (SELECT count(*) FROM ledger.pending) || ' ' || (SELECT count(*) FROM ledger.quarantine WHERE $energy AND seq >= $seq)"), '698 2', 'they are judged as what replication brings');
$honest->safe_psql('postgres', "ALTER SUBSCRIPTION $link ENABLE");
done_testing();
