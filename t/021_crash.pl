# Killed in the middle of writing, the server comes up again with a ledger that verifies, and writers go on.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Writers;

# Wait until none of these processes is left
sub gone
{
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 unless kill 0, @_;
		select(undef, undef, undef, 0.1);
	}
	return 0;
}

my $server = Writers::ledger('certifier', 100, "fsync = on\n");
my $reached = $server->safe_psql('postgres', 'SELECT count(*) FROM ledger.package');

for my $round (1 .. 3)
{
	my ($handle, $output) = Writers::start($server, 8, $round == 1 ? 1 : 100, 600);
	$server->poll_query_until('postgres', "SELECT count(*) > $reached + 300 FROM ledger.package")
	  or die 'the writers do not write';
	# what a client has seen committed must be there afterwards
	my $seen = $server->safe_psql('postgres', "SELECT string_agg(issuer || kind || seq || encode(hash, 'hex'), ',' ORDER BY issuer, kind, seq) FROM ledger.package");
	my @processes = ($server->{_pid}, split /\n/, $server->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));
	$server->kill9;
	kill 9, @processes;
	$handle->finish;
	isnt($handle->result(0), 0, "round $round: the writers lost their server");
	gone(@processes) or die 'killed processes are still there';
	ok($server->start(fail_ok => 1), 'it starts again');
	my %now = map { $_ => 1 } split /,/, $server->safe_psql('postgres', "SELECT string_agg(issuer || kind || seq || encode(hash, 'hex'), ',') FROM ledger.package");
	is(scalar(grep { !$now{$_} } split /,/, $seen), 0, 'what had been seen committed is there');
	is(Writers::problems($server), '', 'no gap, no fork, everything verifies');
	$reached = $server->safe_psql('postgres', 'SELECT count(*) FROM ledger.package');
}
my ($handle, $output) = Writers::start($server, 8, 100, 2);
$handle->finish;
is($handle->result(0), 0, 'the writers go on') or diag($$output);
is(Writers::problems($server), '', 'and all of it verifies');
$server->stop;
done_testing();
