# sqlsmith's random queries over everything that the extension and a full ledger show. For as long as ECERT_SMITH_SECONDS says,
# else not at all: make dev SANITIZE=1 T=tap:091, see docs/design.md.
use strict;
use warnings FATAL => 'all';

use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{ECERT_SMITH_SECONDS};
my $seed = $ENV{ECERT_SEED} // 1;
plan skip_all => 'ECERT_SMITH_SECONDS says for how long' unless $seconds;
plan skip_all => 'sqlsmith is not here' unless IPC::Run::run([ 'sqlsmith', '--version' ], '>', '/dev/null', '2>', '/dev/null');

my $server = PostgreSQL::Test::Cluster->new('smith');
$server->init(extra => [ '-E', 'UTF8' ]);
$server->append_conf('postgresql.conf', <<'CONF');
restart_after_crash = on
statement_timeout = '10s'
lock_timeout = '2s'
timezone = 'UTC'
log_statement = none
log_error_verbosity = verbose
log_min_error_statement = panic
max_connections = 20
CONF
$server->start;
my $keys = "$FindBin::RealBin/../test/keys";
system_or_bail('psql', '-X', '-q', '-d', $server->connstr('postgres'), '-v', "keys=$keys", '-f', "$FindBin::RealBin/../test/calls/ledger.sql");
# one that may read, and one that may do all: queries of either are rolled back
my @roles = ('ecert_reader', scalar getpwuid($<));
my $queries = 0;
for my $role (@roles)
{
	my ($output, $error) = ('', '');
	IPC::Run::run([ 'timeout', int($seconds / @roles), 'sqlsmith', '--target=' . $server->connstr('postgres') . " user=$role", '--exclude-catalog', "--seed=$seed", '--verbose' ],
		'<', \undef, '>', \$output, '2>', \$error);
	my ($count) = "$output$error" =~ /.*queries: (\d+)/s;
	cmp_ok($count // 0, '>', 0, "queries were asked as $role");
	$queries += $count // 0;
}
my $log = slurp_file($server->logfile);
my %internal;
$internal{ $2 // '' }++ while $log =~ /ERROR:  XX000: ([^\n]*)\n(?:[^\n]*LOCATION:  ([^\n]*))?/g;
is(() = $log =~ /was terminated by signal|AddressSanitizer|runtime error:|PANIC/g, 0, 'no crash');
is(scalar(grep { /ecert|src\// } keys %internal), 0, 'no internal error of ours') or diag(explain(\%internal));
note(explain(\%internal));
diag("figure: $queries queries of sqlsmith in $seconds s");
is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'the ledger is sound behind them');
$server->stop;
done_testing();
