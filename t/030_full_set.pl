# The full set of real plants, 29,728 producer-months with two packages each, signed outside the server and loaded by COPY.
# Skipped where the data is not there: ECERT_DATA_DIR, by default shared/data beside the checkout or above it.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $project = abs_path("$FindBin::RealBin/..");
my ($data) = map { abs_path($_) } grep { defined && -r "$_/eia923/plant_month.csv.gz" } $ENV{ECERT_DATA_DIR}, map { "$project/" . '../' x $_ . 'shared/data' } 1 .. 6;
my $signer = "$project/tools/ecert-sign";
plan skip_all => 'the full data set is not here (ECERT_DATA_DIR)' unless defined $data;
plan skip_all => 'tools/ecert-sign is not built' unless -x $signer;

my $server = PostgreSQL::Test::Cluster->new('certifier');
$server->init(extra => [ '-E', 'UTF8' ]);
my $dir = $server->basedir;
system_or_bail('sh', '-c', "'$signer' key certifier > '$dir/certifier.pem'");
$server->append_conf('postgresql.conf', "ecert.node = 'certifier'\necert.signing_key = '$dir/certifier.pem'\necert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'\nmax_wal_size = '2GB'\n");
$server->start;
$server->safe_psql('postgres', qq{
	CREATE EXTENSION ecert;
	CREATE TABLE coefficient (energy_source text, energy_unit text, kgce numeric, a text, b text, c text, d text, basis text);
	\\copy coefficient FROM '$data/eia923/coefficients.csv' CSV HEADER
	SELECT ecert.create_ledger('full.test', jsonb_set(ecert.default_policy(), '{coefficients}',
		(SELECT jsonb_agg(jsonb_build_object('source', energy_source, 'unit', energy_unit, 'kgce', kgce)) FROM coefficient)))});
my $genesis = $server->safe_psql('postgres', "SELECT encode(ecert.genesis_hash(), 'hex')");

# the same months from both files: plants report zero use where they burnt nothing
my %columns = (energy => 'plant_month', product => 'output');
system_or_bail('sh', '-c', "zcat '$data/eia923/output.csv.gz' | tail -n +2 | cut -d, -f1 | sort -u | '$signer' enrol > '$dir/enrol.copy'");
my $start = time;
is($server->safe_psql('postgres', qq{
	CREATE TABLE enrolled (node text, public_key text);
	\\copy enrolled FROM '$dir/enrol.copy'
	SELECT count(ecert.enroll(node, '{applicant}', public_key)) FROM enrolled}), '1361', 'all producers are enrolled');
diag(sprintf('figure: 1361 nodes enrolled in %.1f s', time - $start));
# a key counts from its enrolment on: only now can its packages be signed
for my $kind (sort keys %columns)
{
	$start = time;
	system_or_bail('sh', '-c', "zcat '$data/eia923/$columns{$kind}.csv.gz' | '$signer' $kind --origin full.test --genesis $genesis > '$dir/$kind.copy' 2> '$dir/$kind.log'");
	diag(sprintf('figure: %s: signed outside the server in %.1f s', $kind, time - $start));
}
for my $kind (sort keys %columns)
{
	$start = time;
	$server->safe_psql('postgres', "\\copy ledger.package (package) FROM '$dir/$kind.copy'");
	my $took = time - $start;
	is($server->safe_psql('postgres', "SELECT count(*) FROM ledger.package WHERE kind = '$kind'"), '29728', "every producer-month's $kind package is admitted");
	diag(sprintf('figure: %s: 29728 packages loaded by COPY in %.2f s, %.0f packages/s', $kind, $took, 29728 / $took));
}
$start = time;
is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'the ledger verifies');
diag(sprintf('figure: verified in %.1f s', time - $start));

# the sums of the views are those of the files
$server->safe_psql('postgres', qq{
	CREATE TABLE month (producer text, period_start date, period_end date, product text, product_unit text, output_qty numeric, qualified_qty numeric, output_value numeric,
		energy_source text, energy_unit text, energy_qty numeric, energy_qty_elec numeric, energy_mmbtu numeric, energy_mmbtu_elec numeric, netgen numeric);
	\\copy month FROM PROGRAM 'zcat "$data/eia923/plant_month.csv.gz"' CSV HEADER});
is($server->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT source, unit, sum(quantity) AS quantity FROM ledger.energy_use GROUP BY 1, 2) AS l
	  FULL JOIN (SELECT energy_source, energy_unit, sum(energy_qty) AS quantity FROM month GROUP BY 1, 2) AS f
	    ON f.energy_source = l.source AND f.energy_unit = l.unit WHERE l.quantity IS DISTINCT FROM f.quantity}), '0', 'energy by source is that of the file');
is($server->safe_psql('postgres', q{
	SELECT (SELECT sum(qualified_quantity) FROM ledger.product_output) = (SELECT sum(q) FROM (SELECT DISTINCT producer, period_start, qualified_qty AS q FROM month) AS m)}),
	't', 'output is that of the file');

# every producer, assessed as SQL would do it on plain rows
$start = time;
$server->safe_psql('postgres', q{
	CREATE TABLE assessed AS SELECT e.node, a.* FROM enrolled e CROSS JOIN LATERAL
		ecert.assess(e.node, '[2024-01-01 00:00+00,2024-12-01 00:00+00)', '[2020-01-01 00:00+00,2020-12-01 00:00+00)') AS a WHERE a.product IS NULL});
diag(sprintf('figure: 1361 producers assessed in %.1f s', time - $start));
# (of the CTEs the planner knows nothing, and joins by loops would take for ever)
is($server->safe_psql('postgres', q{
	SET enable_nestloop = off;
	WITH used AS (
		SELECT m.producer, extract(year FROM m.period_start) AS year, sum(m.energy_qty * c.kgce) AS kgce
		  FROM month m JOIN coefficient c USING (energy_source, energy_unit) WHERE m.period_start < '2020-12-01' OR m.period_start >= '2024-01-01' GROUP BY 1, 2),
	made AS (
		SELECT d.producer, extract(year FROM d.period_start) AS year, sum(d.q) AS output
		  FROM (SELECT DISTINCT producer, period_start, qualified_qty AS q FROM month WHERE period_start < '2020-12-01' OR period_start >= '2024-01-01') AS d GROUP BY 1, 2),
	expected AS (
		SELECT n.producer, round(b.kgce * n.output / o.output - k.kgce, 4) AS saving
		  FROM made n JOIN made o ON o.producer = n.producer AND o.year = 2020 AND o.output > 0 JOIN used b ON b.producer = n.producer AND b.year = 2020 AND b.kgce > 0
		  JOIN used k ON k.producer = n.producer AND k.year = 2024
		 WHERE n.year = 2024 AND n.output > 0)
	SELECT count(*) || ' ' || count(*) FILTER (WHERE a.saving_kgce = e.saving)
	  FROM expected e FULL JOIN (SELECT * FROM assessed WHERE status = 'ok') AS a ON a.node = e.producer}) =~ /^(\d+) \1$/ ? 1 : 0, 1,
	'each saving is what plain SQL computes from the file');
$server->stop;
done_testing();
