# A million packages under one checkpoint: receipts of leaves drawn by chance and of those at the edges of trees and tiles verify,
# proofs between any sizes too, and ecert-verify finds the whole of it right. Set ECERT_TEST_PACKAGES for another number;
# with ECERT_TEST_SHORT it is 50,000.
use strict;
use FindBin;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $tree = abs_path(dirname(__FILE__) . '/..');
my $key = "$tree/test/keys/certifier";
my $feeds = 50;
my $days = int(($ENV{ECERT_TEST_PACKAGES} // ($ENV{ECERT_TEST_SHORT} ? 50_000 : 1_000_000)) / $feeds);
my $jobs = 2;

my $server = PostgreSQL::Test::Cluster->new('million');
$server->init(extra => [ '-E', 'UTF8' ]);
$server->append_conf('postgresql.conf', "fsync = off\nfull_page_writes = off\nmax_wal_size = 4GB\nautovacuum = off\ntimezone = 'UTC'\nclient_min_messages = warning\necert.node = 'certifier'\necert.signing_key = '$key.pem'\necert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'\n");
$server->start;

sub sql { return $server->safe_psql('postgres', $_[0]) }

# A figure that check.sh shows
sub figure
{
	my ($format, @values) = @_;
	my $line = sprintf($format, @values);
	print { Test::More->builder->output } "# figure: $line";
	return;
}

my @nodes = map { sprintf('plant-%03d', $_) } 0 .. $feeds - 1;
sql(q{CREATE EXTENSION ecert});
sql(q{SELECT ecert.create_ledger('million.example')});
my $genesis = sql(q{SELECT encode(ecert.genesis_hash(), 'hex')});
my ($enrol, $error) = ('', '');
IPC::Run::run([ "$tree/tools/ecert-sign", 'enrol' ], '<', \join("\n", @nodes, ''), '>', \$enrol) or die;
append_to_file("$PostgreSQL::Test::Utils::tmp_check/enrol", $enrol);
sql("CREATE TABLE enrol (node text, key text); COPY enrol FROM '$PostgreSQL::Test::Utils::tmp_check/enrol'; SELECT count(ecert.enroll(node, '{applicant}', key)) FROM enrol");

# The books of some of the plants, one kind of energy a day, signed and copied in as they come
my $books = q{
	my ($first, $last, $days) = @ARGV;
	print "producer,period_start,period_end,source,unit,quantity\n";
	my @day = map { my @t = gmtime(86400 * $_); sprintf('%d-%02d-%02d', $t[5] + 1900, $t[4] + 1, $t[3]) } 0 .. $days;
	for my $n ($first .. $last) { printf("plant-%03d,%s,%s,electricity,kWh,%d\n", $n, $day[$_], $day[$_ + 1], 100 + $_ % 900) for 0 .. $days - 1 }
};
my $began = time;
my @loads;
for my $job (0 .. $jobs - 1)
{
	push @loads, IPC::Run::start(
		[ $^X, '-e', $books, $job * $feeds / $jobs, ($job + 1) * $feeds / $jobs - 1, $days ],
		'|', [ "$tree/tools/ecert-sign", 'energy', '--origin', 'million.example', '--genesis', $genesis ], '2>', \$error,
		'|', [ 'psql', '-X', '-q', '-d', $server->connstr('postgres'), '-v', 'ON_ERROR_STOP=1', '-c', 'COPY ledger.package (package) FROM STDIN' ]);
}
ok($_->finish, 'the packages of some plants are admitted') for @loads;
my $stored = sql('SELECT count(*) FROM ledger.package');
is($stored, $feeds * $days + $feeds + 1, "$stored packages are on the ledger");
figure("%d packages signed and admitted in %.0f s\n", $stored, time - $began);

$began = time;
sql('SELECT ecert.checkpoint()');
figure("sealed in %.1f s, %.0f packages/s\n", time - $began, $stored / (time - $began));
sql('ANALYZE ledger.package');
is(sql('SELECT tree_size, outcome FROM ledger.checkpoint'), "$stored|agrees", 'all of them are sealed');
is(sql('SELECT count(*) FROM ecert.verify_registry()') + sql('WITH r AS MATERIALIZED (SELECT count(*) FROM ecert.verify_registry()) SELECT count(c.problem) FROM r CROSS JOIN ecert.verify_checkpoints(true) AS c'), '0', 'the root is that of the bytes of the packages');

# leaves by chance, the first and the last, and those around powers of two and the ends of tiles
my $leaves = qq{
	WITH wanted AS (
		SELECT floor(random() * $stored)::bigint AS leaf FROM generate_series(1, 2000)
		UNION VALUES (0), ($stored - 1)
		UNION SELECT (2 ^ k)::bigint + d FROM generate_series(0, 19) AS k CROSS JOIN generate_series(-1, 1) AS d
		UNION SELECT 256 * t + d FROM unnest('{1,2,3,255,256,257,1000,3905,3906}'::bigint[]) AS t CROSS JOIN generate_series(-1, 1) AS d)
	SELECT w.leaf, p.hash, p.package FROM wanted w
	  JOIN ledger.leaf_range r ON w.leaf BETWEEN r.first_index AND r.first_index + r.last_seq - r.first_seq
	  JOIN ledger.package p ON p.issuer = r.issuer AND p.kind = r.kind AND p.seq = r.first_seq + w.leaf - r.first_index
	 WHERE w.leaf < $stored
	UNION ALL SELECT 0, p.hash, p.package FROM ledger.package p WHERE p.kind = 'genesis'};
my $counts = sql("SELECT count(*) >= 1500, count(*) = count(*) FILTER (WHERE ecert.verify_receipt(l.package, ecert.receipt(l.hash), ecert.public_key('seal'))) FROM ($leaves) AS l");
is($counts, 't|t', 'receipts of leaves drawn by chance and of those at edges verify');
is(sql(qq{SELECT count(*) FROM (SELECT b, l.package, l.receipt FROM (SELECT p.package, ecert.receipt(p.hash) AS receipt FROM ledger.package p WHERE p.issuer = 'plant-007' AND p.kind = 'energy' AND p.seq = $days / 2) AS l
	CROSS JOIN LATERAL generate_series(0, 8 * octet_length(l.receipt) - 1) AS b) AS c WHERE ecert.verify_receipt(c.package, set_bit(c.receipt, c.b, 1 - get_bit(c.receipt, c.b)), ecert.public_key('seal'))}),
	'0', 'no receipt with one bit turned does');
is(sql(qq{SELECT count(*) FROM (SELECT n FROM unnest('{1,2,255,256,257,65535,65536,65537,524288,777777}'::bigint[]) AS n WHERE n < $stored) AS o
	WHERE NOT ecert.verify_consistency(o.n, ecert.tree_root(o.n), $stored, ecert.tree_root($stored), ecert.consistency(o.n, $stored))
	   OR ecert.verify_consistency(o.n, ecert.tree_root(o.n + 1), $stored, ecert.tree_root($stored), ecert.consistency(o.n, $stored))}), '0', 'every smaller tree is shown to be its beginning, and no other is');

# without the server
my $dump = "$PostgreSQL::Test::Utils::tmp_check/million.copy";
my $statement = "$PostgreSQL::Test::Utils::tmp_check/million.statement";
sql("COPY ledger.package (package) TO '$dump' (FORMAT binary)");
append_to_file($statement, sql(qq{SELECT ecert.transparent(hash) FROM ledger.package WHERE issuer = 'plant-042' AND kind = 'energy' AND seq = $days - 1}));
my $output = '';
$began = time;
IPC::Run::run([ "$tree/src/verifier/ecert-verify", '--json', '--genesis', $genesis, '--receipt', $statement, $dump ], '<', \undef, '>', \$output, '2>', \$error);
is($? >> 8, 0, 'ecert-verify finds all of it right') or diag($output . $error);
figure("ecert-verify checked %d packages in %.1f s\n", $stored + 1, time - $began);
my $report = decode_json($output);
is_deeply([ @$report{qw(status packages tree_size receipts_checked)} ], [ 'valid', $stored + 1, $stored + 0, 1 ], 'the checkpoint, and the receipt beside it');
unlink $dump;

done_testing();
