# Eight writers at once, on one feed and on a hundred: no gap, no fork, and everything verifies.
# ECERT_WRITE_SECONDS says for how long (default 5).
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Writers;

my $seconds = $ENV{ECERT_WRITE_SECONDS} // 5;
my $server = Writers::ledger('certifier', 100);

for my $feeds (1, 100)
{
	my $before = $server->safe_psql('postgres', 'SELECT count(*) FROM ledger.package');
	my ($handle, $output) = Writers::start($server, 8, $feeds, $seconds);
	$handle->finish;
	is($handle->result(0), 0, "eight writers on $feeds feeds end without an error") or diag($$output);
	my ($done) = $$output =~ /number of transactions actually processed: (\d+)/;
	my $after = $server->safe_psql('postgres', 'SELECT count(*) FROM ledger.package');
	cmp_ok($done, '>', 0, 'they wrote');
	is($after - $before, $done, 'every package that was committed is on the ledger');
	is(Writers::problems($server), '', 'no gap, no fork, everything verifies');
	diag(sprintf('figure: %d packages by 8 writers on %d feeds in %d s', $done, $feeds, $seconds));
}
my ($status, $output, $error) = $server->psql('postgres', 'CALL ecert.verify_ledger(100)');
like($error, qr/the ledger verifies: \d+ packages checked, no problem/, 'verify_ledger, in steps of 100, finds nothing wrong');
is($server->safe_psql('postgres', 'SELECT package_count = checked_count AND problem_count = 0 AND finished_at IS NOT NULL FROM ledger.verification'),
	't', 'and has written that down');
$server->stop;
done_testing();
