# Sealing a ledger, and receipts of its packages.
package Bench::Sealing;
use strict;
use warnings FATAL => 'all';

use Bench;

# Milliseconds of single transactions of one client, as it sees them: their median and 99th percentile
sub latency
{
	my ($database, $case, $parameter, $repetition, $sql, $count) = @_;
	my $script = "$home/latency.sql";
	open my $out, '>', $script or die;
	print $out "\\set n random(1, $count)\n$sql;\n";
	close $out;
	unlink glob("'$home/latency_log'.*");
	run_command('pgbench', '-n', '-M', 'prepared', '-c', 1, '-T', $size{seconds}, '-l', "--log-prefix=$home/latency_log", '-f', $script, $database);
	my @milliseconds = map { (split / /)[2] / 1000 } map { split /\n/, slurp($_) } glob("'$home/latency_log'.*");
	my ($median, $p99) = map { percentile($_, @milliseconds) } 0.5, 0.99;
	record($case, $parameter, $repetition, $median, 'ms');
	record($case, $parameter, $repetition, $p99, 'ms p99');
	note(sprintf('%s, %s: median %.3f ms, 99th percentile %.3f ms (%d)', $parameter, $case, $median, $p99, $repetition));
	return;
}

# Receipts of packages drawn by chance
sub measure_receipts
{
	my ($database, $parameter) = @_;
	query($database, 'DROP TABLE IF EXISTS bench.drawn', "CREATE TABLE bench.drawn AS SELECT row_number() OVER () AS n, hash
		FROM (SELECT hash FROM ledger.package WHERE kind = 'energy' ORDER BY random() LIMIT 50000) AS p", 'CREATE UNIQUE INDEX ON bench.drawn (n)', 'ANALYZE bench.drawn');
	my $count = query($database, 'SELECT count(*) FROM bench.drawn');
	my $several = $count < 10_000 ? $count : 10_000;
	my $key = query($database, q{SELECT ecert.public_key('seal')});
	my $session = session($database);
	repeat_all($repeats,
		sub { latency($database, 'receipt', $parameter, $_[0], 'SELECT ecert.receipt(hash) FROM bench.drawn WHERE n = :n', $count) },
		sub { latency($database, 'look-up of the package', $parameter, $_[0], 'SELECT p.package FROM bench.drawn s JOIN ledger.package p ON p.hash = s.hash WHERE s.n = :n', $count) },
		sub { measure($session, 'receipts in one statement', $parameter, $_[0], $several, 'receipt', "SELECT count(ecert.receipt(hash)) FROM (SELECT hash FROM bench.drawn LIMIT $several) AS s") },
		sub { measure($session, 'receipts made and verified', $parameter, $_[0], $several, 'receipt', "SELECT count(*) FROM (SELECT p.package, ecert.receipt(s.hash) AS receipt
			FROM (SELECT hash FROM bench.drawn LIMIT $several) AS s JOIN ledger.package p ON p.hash = s.hash OFFSET 0) AS r WHERE ecert.verify_receipt(r.package, r.receipt, '$key')") });
	record('receipt', $parameter, 1, query($database, 'SELECT max(octet_length(ecert.receipt(hash))) FROM (SELECT hash FROM bench.drawn LIMIT 100) AS s'), 'bytes');
	return;
}

# A checkpoint over the whole ledger, and what it takes to make and to check its tree again
sub measure_tree
{
	my ($database, $parameter, $times) = @_;
	my $stored = query($database, 'SELECT count(*) FROM ledger.package');
	my $session = session($database);
	measure($session, 'checkpoint', $parameter, 1, $stored, 'package', 'SELECT ecert.checkpoint()');
	query($database, 'VACUUM ANALYZE ledger.tile, ledger.leaf_range, ledger.sealing');
	record('tiles', $parameter, 1, query($database, "SELECT pg_total_relation_size('ledger.tile')"), 'bytes');
	record('packages', $parameter, 1, query($database, "SELECT pg_total_relation_size('ledger.package')"), 'bytes');
	repeat_all($times,
		sub { measure($session, 'the tree made anew', $parameter, $_[0], $stored, 'package', 'SELECT ecert.rebuild_tree()') },
		sub { measure($session, 'roots from the bytes', $parameter, $_[0], $stored, 'package', 'SELECT ecert.verify_registry() UNION ALL SELECT ecert.verify_checkpoints(true)') });
	query($database, 'VACUUM ANALYZE ledger.tile, ledger.leaf_range, ledger.sealing', 'SELECT ecert.checkpoint() IS NOT NULL');
	return;
}

# Sealing among many feeds when nothing is new, and when five feeds have a package more
sub measure_feeds
{
	my $feeds = $size{feeds};
	my $parameter = grouped($feeds) . ' feeds';
	note("a ledger of $parameter");
	my $database = create_database('feeds');
	query($database, 'SET client_min_messages = warning', 'CREATE EXTENSION ecert', "SELECT ecert.create_ledger('feeds.example') IS NOT NULL",
		# each plant has a key of its own, whose seed is SHA-256 of its id
		q{CREATE FUNCTION key_of(node text) RETURNS text LANGUAGE sql AS $$ SELECT current_setting('data_directory') || '/' || node || '.pem' $$},
		q{CREATE FUNCTION make_key(node text) RETURNS text LANGUAGE plpgsql AS $$
			BEGIN
				EXECUTE format('COPY (VALUES (''-----BEGIN PRIVATE KEY-----''), (%L), (''-----END PRIVATE KEY-----'')) TO %L',
					encode(decode('302e020100300506032b657004220420', 'hex') || sha256(convert_to(node, 'UTF8')), 'base64'), key_of(node));
				PERFORM set_config('ecert.signing_key', key_of(node), true);
				RETURN ecert.public_key();
			END $$},
		"CREATE TABLE made AS SELECT 'plant-' || n AS node, make_key('plant-' || n) AS public_key FROM generate_series(1, $feeds / 2) AS n",
		q{SELECT count(ecert.enroll(node, '{applicant}', public_key)) FROM made},
		q{CREATE FUNCTION put(node text, kind text, hour bigint) RETURNS boolean LANGUAGE sql AS $$
			SELECT set_config('ecert.node', node, true), set_config('ecert.signing_key', key_of(node), true);
			SELECT ecert.append(kind, jsonb_build_object('period', jsonb_build_array(1704067200 + 3600 * hour, 1704067200 + 3600 * (hour + 1)), 'lines',
				CASE kind WHEN 'energy' THEN '[{"source": "electricity", "unit": "kWh", "quantity": 5}]'::jsonb ELSE '[{"product": "steel", "unit": "t", "output": 5, "qualified": 5}]' END)) IS NOT NULL $$},
		"SELECT count(put('plant-' || n, k, 0)) FROM generate_series(1, $feeds / 2) AS n CROSS JOIN unnest('{energy,product}'::text[]) AS k", 'SELECT ecert.checkpoint() IS NOT NULL', 'VACUUM ANALYZE');
	my $session = session($database);
	$session->run('SELECT ecert.checkpoint()');
	repeat_all(5 * $repeats,
		sub { measure($session, 'sealing, nothing new', $parameter, $_[0], 1, 'sealing', 'SELECT ecert.checkpoint()') },
		sub {
			query($database, "SELECT count(put('plant-' || n, 'energy', $_[0])) FROM generate_series(1, 5) AS n");
			measure($session, 'sealing, five new packages', $parameter, $_[0], 1, 'sealing', 'SELECT ecert.checkpoint()');
		});
	undef $session;
	drop_database($database);
	return;
}

sub measure_sealing
{
	measure_feeds();
	my $number = $size{sealed};
	packages("n$number", days => $number / 100 + 1);
	my $database = ledger_with("n$number");
	my $stored = query($database, 'SELECT count(*) FROM ledger.package');
	for my $repetition (2 .. $repeats)
	{
		query('postgres', 'DROP DATABASE IF EXISTS sealed', "CREATE DATABASE sealed TEMPLATE $database STRATEGY file_copy");
		measure(session('sealed'), 'checkpoint', "$number packages", $repetition, $stored, 'package', 'SELECT ecert.checkpoint()');
	}
	query('postgres', 'DROP DATABASE IF EXISTS sealed');
	measure_tree($database, "$number packages", $repeats);
	measure_receipts($database, "$number packages");
	return;
}

1;
