# The assessment of real plants, from their signed packages and from normalised tables.
package Bench::Plants;
use strict;
use warnings FATAL => 'all';

use Bench;

my $made;

# A ledger of the real plants' packages, and what they say in normalised tables; made once
sub ledger
{
	return 'plants' if $made++;
	my $data = $ENV{DATA};
	note('loading the packages of 1,361 real plants');
	create_database('plants');
	query('plants', 'CREATE EXTENSION ecert', 'CREATE EXTENSION pgcrypto', 'CREATE TABLE coefficient (energy_source text, energy_unit text, kgce numeric, a text, b text, c text, d text, basis text)',
		"COPY coefficient FROM PROGRAM 'cat ''$data/eia923/coefficients.csv''' CSV HEADER",
		q{SELECT ecert.create_ledger('bench.plants', jsonb_set(ecert.default_policy(), '{coefficients}',
			(SELECT jsonb_agg(jsonb_build_object('source', energy_source, 'unit', energy_unit, 'kgce', kgce)) FROM coefficient))) IS NOT NULL});
	run_command('sh', '-c', "zcat '$data/eia923/output.csv.gz' | tail -n +2 | cut -d, -f1 | sort -u | '$project/tools/ecert-sign' enrol > '$home/plants'");
	query('plants', 'CREATE TABLE enrolled (node text, public_key text)', "COPY enrolled FROM '$home/plants'", q{SELECT count(ecert.enroll(node, '{applicant}', public_key)) FROM enrolled});
	my $genesis = query('plants', q{SELECT encode(ecert.genesis_hash(), 'hex')});
	my %file = (energy => 'plant_month', product => 'output');
	for my $kind (sort keys %file)
	{
		run_command('sh', '-c', "zcat '$data/eia923/$file{$kind}.csv.gz' | '$project/tools/ecert-sign' $kind --origin bench.plants --genesis $genesis > '$home/plants'");
		query('plants', copy_text("$home/plants"));
	}
	query('plants', "\\i $project/bench/peers/normalised.sql");
	unlink "$home/plants";
	return 'plants';
}

# Cases that have to give the same, in turn
sub compare
{
	my ($parameter, $number, $times, %sql) = @_;
	my %session = map { $_ => session('plants') } keys %sql;
	for my $repetition (0 .. $times)
	{
		my %found;
		for my $case (sort keys %sql)
		{
			# the first call in a session reads catalogues and plans
			my $took = $repetition == 0 ? $session{$case}->run($sql{$case}) : measure($session{$case}, $case, $parameter, $repetition, $number, 'plant', $sql{$case});
			$found{ $took->{output} } = 1;
		}
		die "assessments differ:\n", join "\n", sort keys %found if keys %found != 1;
	}
	return;
}

sub measure_assess
{
	if ($ENV{DATA} eq '')
	{
		note('skipped: the data of the real plants is not here (ECERT_DATA_DIR)');
		return;
	}
	ledger();
	my $figures = join ', ', 'count(*)', map { "sum($_)" } qw(base_kgce base_output base_unit_energy now_kgce now_output now_unit_energy saving_kgce saving_rate);
	die "assessments differ\n" if query('plants', 'SELECT count(*) FROM (TABLE normalised.assessment EXCEPT ALL TABLE normalised.ledger_assessment) AS d') ne '0';
	compare('all 1361 plants, every figure', 1361, 2 * $repeats + 1, 'ecert.assess()' => "SELECT $figures FROM normalised.ledger_assessment",
		'hand-written SQL' => "SELECT $figures FROM normalised.assessment");
	my $saving = q{SELECT count(*), sum(saving_kgce) FROM};
	my $ours = q{'[2024-01-01 00:00+00,2024-12-01 00:00+00)', '[2020-01-01 00:00+00,2020-12-01 00:00+00)') AS a WHERE product IS NULL AND status = 'ok'};
	my $bounds = q{'2024-01-01 00:00+00', '2024-12-01 00:00+00', '2020-01-01 00:00+00', '2020-12-01 00:00+00')};
	compare('all 1361 plants, the saving alone', 1361, 2 * $repeats + 1, 'ecert.assess()' => "$saving enrolled e CROSS JOIN LATERAL ecert.assess(e.node, $ours",
		'hand-written SQL' => "$saving normalised.savings(NULL, $bounds");
	compare('one plant, the saving alone', 1, 7, 'ecert.assess()' => "$saving ecert.assess('EIA-641', $ours", 'hand-written SQL' => "$saving normalised.savings('EIA-641', $bounds");
	return;
}

1;
