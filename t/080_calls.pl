# Everything that can be called is called with what should not be: by a role with USAGE alone, one that may read, and a superuser; no crash, no
# internal error, no address in a message. ECERT_CALLS says how many calls (100000 and SANITIZE=1: docs/design.md), ECERT_SEED which.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/../test/calls";
use Calls;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $calls = $ENV{ECERT_CALLS} // 3000;
my $seed = $ENV{ECERT_SEED} // 1;
my $server = PostgreSQL::Test::Cluster->new('calls');
$server->init(extra => [ '-E', 'UTF8' ]);
$server->append_conf('postgresql.conf', "restart_after_crash = on\nlog_statement = none\nlog_min_error_statement = panic\nlog_min_messages = warning\nlog_error_verbosity = terse\n");
$server->start;
my $keys = "$FindBin::RealBin/../test/keys";
system_or_bail('psql', '-X', '-q', '-d', $server->connstr('postgres'), '-v', "keys=$keys", '-f', "$FindBin::RealBin/../test/calls/ledger.sql");

my $generator = Calls->new(seed => $seed, setup => "SET statement_timeout = '20s'; SET lock_timeout = '5s'; SET TimeZone = 'UTC'",
	wait => sub { $server->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back' });
$generator->look(sub { $server->safe_psql('postgres', $_[0]) });
my %outcome;
my @faults;
my $began = time;
my @roles = qw(ecert_caller ecert_reader superuser);
my $each = int($calls / @roles);
my %setup = map { $_ => $generator->{setup} } @roles;
$setup{superuser} .= "; SET ecert.node = 'certifier'; SET ecert.signing_key = '$keys/certifier.pem'; SET ecert.seal_key = '$keys/seal.pem'";
for (my $done = 0; $done < $each; $done += 500)
{
	for my $role (@roles)
	{
		my $is_superuser = $role eq 'superuser';
		my @psql = ('psql', '-X', '-q', '-A', '-d', $server->connstr('postgres'), $is_superuser ? () : ('-U', $role));
		my @statements = map { $generator->statement(!$is_superuser) } 1 .. ($each - $done < 500 ? $each - $done : 500);
		local $generator->{setup} = $setup{$role};
		$generator->run(\@psql, \@statements, sub {
			my ($statement, $error) = @_;
			my ($state) = $error =~ /(?:ERROR|FATAL):  (\w{5})/;
			$outcome{ $state // 'none' }++;
			my $fault = Calls::fault($error) or return;
			push @faults, "$fault, as $role: " . substr($statement, 0, 1500) . "\n" . substr($error, 0, 500);
			note($faults[-1]);
		});
	}
	note(sprintf '%d calls of each role in %.0f s, %d faults', $done + 500, time - $began, scalar @faults);
}
# triggers are functions too: on tables of one's own, of the ledger's form and of another, for everything that fires one
$server->safe_psql('postgres', 'CREATE SCHEMA mine AUTHORIZATION ecert_caller');
my @triggers = split /\n/, $server->safe_psql('postgres', q{SELECT oid::regproc FROM pg_proc WHERE prorettype = 'trigger'::regtype AND pronamespace::regnamespace::text IN ('ecert', 'ecert_internal') ORDER BY 1});
for my $trigger (@triggers)
{
	my @statements = map {
		my ($when, $event, $each, $table) = @$_;
		my $column = $table =~ /issuer/ ? 'seq' : 'a';
		my $transition = $when eq 'AFTER' && $each eq 'STATEMENT' && $event ne 'TRUNCATE' && $trigger =~ /moved/ ? 'REFERENCING ' . ($event eq 'INSERT' ? 'NEW' : 'OLD') . ' TABLE AS gone' : '';
		"DROP TABLE IF EXISTS mine.t; CREATE TABLE mine.t $table; INSERT INTO mine.t DEFAULT VALUES; CREATE TRIGGER t $when $event ON mine.t $transition FOR EACH $each EXECUTE FUNCTION $trigger('x'); "
		  . "INSERT INTO mine.t DEFAULT VALUES; UPDATE mine.t SET $column = 1; DELETE FROM mine.t; TRUNCATE mine.t"
	} map { my ($when, $event, $table) = @$_; map { [ $when, $event, $_, $table ] } $event eq 'TRUNCATE' ? ('STATEMENT') : ('ROW', 'STATEMENT') }
	  map { my ($when, $event) = @$_; map { [ $when, $event, $_ ] } '(a integer)', '(issuer text, kind text, seq bigint, subject text, period tstzrange, issued_at timestamptz, hash bytea, package ecert.package, recorded_at timestamptz)' }
	  map { my $when = $_; map { [ $when, $_ ] } qw(INSERT UPDATE DELETE TRUNCATE) } qw(BEFORE AFTER);
	$generator->run([ 'psql', '-X', '-q', '-A', '-d', $server->connstr('postgres'), '-U', 'ecert_caller' ], \@statements, sub {
		my ($statement, $error) = @_;
		my $fault = Calls::fault($error) or return;
		push @faults, "$fault, as trigger: $statement\n" . substr($error, 0, 500);
	});
}
cmp_ok(scalar @triggers, '>', 2, 'triggers were tried on tables that are not the ledger\'s');
my ($ran, $count) = (0, scalar @faults);
$ran += $_ foreach values %outcome;
is($ran, $each * @roles, "$calls calls of seed $seed have an answer");
is($count, 0, 'none of them is an internal error, an address or a crash');
my %seen;
diag($_) foreach grep { !$seen{ join ' ', /^(.*?), as/, /(ecert\w*\.\w+)\(/, /LOCATION:\s+(.*)/ }++ } @faults;
cmp_ok(scalar(grep { /^EC/ } keys %outcome), '>', 10, 'calls get as far as the rules');
cmp_ok($outcome{none}, '>', $ran / 20, 'some calls succeed');
is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'the ledger is sound behind them');
note(join ', ', map { "$_ $outcome{$_}" } sort { $outcome{$b} <=> $outcome{$a} } keys %outcome);
diag(sprintf 'figure: %d calls in %.0f s, %d outcomes', $ran, time - $began, scalar keys %outcome);
$server->stop;
done_testing();
