# A node that joins late gets everything out of a heap in any order; one that was away catches up; transactions that are
# streamed while they run do not lock each other out.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run;
use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $feeds = 60;
my $hub = Network::hub('late.example', conf => "logical_decoding_work_mem = '64kB'\n");
# the hub signs for all of them
$hub->safe_psql('postgres', "\\i $FindBin::RealBin/../test/keys/keys.sql");
$hub->safe_psql('postgres', qq{
	SELECT ecert.enroll('plant-' || n, '{applicant}', test_keys.public('plant-' || n)) FROM generate_series(1, $feeds) AS n;
	CREATE SCHEMA test;
	-- the packages of days first .. last of every feed from .. to
	CREATE FUNCTION test.append(from_feed integer, to_feed integer, first_day integer, last_day integer) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
		day timestamptz;
	BEGIN
		FOR f IN from_feed..to_feed LOOP
			PERFORM test_keys.become('plant-' || f, true);
			FOR d IN first_day..last_day LOOP
				day := timestamptz '1990-01-01' + d * interval '1 day';
				PERFORM ecert.append('energy', jsonb_build_object('period', ecert.period_json(tstzrange(day, day + '1 day')),
					'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1.25}]'::jsonb));
			END LOOP;
		END LOOP;
	END \$\$;
	SELECT test.append(1, $feeds, 1, 1000);});
# heap order by hash: of each feed the packages lie in no order at all, and a node package behind what it introduces
$hub->safe_psql('postgres', 'CREATE INDEX by_hash ON ledger.package (hash)');
$hub->safe_psql('postgres', 'CLUSTER ledger.package USING by_hash');
is($hub->safe_psql('postgres', q{SELECT count(*) >= 60000, count(*) FILTER (WHERE seq < before) > 20000
	FROM (SELECT seq, lag(seq) OVER (PARTITION BY issuer, kind ORDER BY ctid) AS before FROM ledger.package) AS p}), 't|t', 'more than 60,000 packages lie in scrambled order');

# scans under way, so that the copy begins in the middle of the heap
my $output = '';
my $script = $hub->basedir . '/scan.sql';
append_to_file($script, "SELECT sum(length(package::text)) FROM ledger.package;\n");
my $scans = IPC::Run::start([ 'pgbench', '--no-vacuum', '--client=2', '--time=600', "--file=$script", $hub->connstr('postgres') ], '>', \$output, '2>&1');
my $late = Network::server('late');
Network::enroll($hub, $late, 'late', '{auditor}');
Network::link_node($hub, $late, 'late');
$late->poll_query_until('postgres', q{SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel}) or die 'the first copy does not end';
$scans->signal('INT');
$scans->finish;
is(Network::equal($hub, $late), '', 'the first copy of 60,000 packages brings all of them');
is(Network::problems($late), '', 'nothing waits any more, everything verifies');

# away for 10,000 packages
$late->stop;
# nobody is there to be asked
$hub->safe_psql('postgres', "SET ecert.sign_unconfirmed = on; SELECT test.append(1, 50, 1001, 1200)");
$late->start;
is(Network::equal($hub, $late), '', 'a node that was away for 10,000 packages catches up');
is(Network::problems($late), '', 'and everything verifies');

# transactions that overlap, each large enough to be streamed before it commits
SKIP:
{
	skip 'streaming = parallel needs PostgreSQL 16', 4 if $hub->pg_version < 16;
	is($late->safe_psql('postgres', 'SELECT DISTINCT substream FROM pg_subscription'), 'p', 'large transactions are applied in parallel');
	my @session = map { $hub->background_psql('postgres') } 1 .. 3;
	for my $part (0 .. 9)
	{
		# in turns, so that the transactions are interleaved in the WAL
		for my $n (0 .. 2)
		{
			$session[$n]->query_safe('BEGIN') if $part == 0;
			$session[$n]->query_safe(sprintf('SELECT test.append(%d, %d, %d, %d)', 10 * $n + 1, 10 * $n + 10, 1201 + 10 * $part, 1210 + 10 * $part));
		}
	}
	# the first one to begin commits last
	$session[$_]->query_safe('COMMIT') for 2, 1, 0;
	$_->quit for @session;
	is(Network::equal($hub, $late), '', 'three interleaved transactions of 1,000 packages each arrive');
	is(Network::problems($late), '', 'everything verifies');
	unlike(slurp_file($late->logfile), qr/deadlock detected/, 'without a deadlock');
}
$_->stop for $late, $hub;
done_testing();
