# The worker is in its database only while it has rounds to do there, and finds another database without a restart.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = Network::hub('worker-database.example');
my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'ecert duties' AND datname = '%s'};

sub configure
{
	my ($database, %setting) = @_;
	$server->safe_psql($database, "ALTER SYSTEM SET ecert.$_ = '$setting{$_}'") for sort keys %setting;
	$server->reload;
	return;
}

sub wait_for
{
	my ($database, $count, $what) = @_;
	ok($server->poll_query_until('template1', sprintf($workers, $database), $count), $what);
	return;
}

is($server->safe_psql('postgres', sprintf($workers, 'postgres')), '0', 'no worker is in the database while ecert.worker_interval is 0');
$server->safe_psql('template1', 'CREATE DATABASE plain');
$server->safe_psql('template1', 'ALTER DATABASE plain RENAME TO renamed');
configure('postgres', worker_interval => 1, worker_database => 'postgres, renamed, nowhere');
wait_for('postgres', 2, 'with an interval there are two, for own duties and for links');
wait_for('renamed', 2, 'in each database that is named');
ok($server->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ledger.duty_log WHERE duty = 'round'}), 'which does rounds');
configure('postgres', worker_interval => 0);
wait_for($_, 0, "without one it leaves $_") for 'postgres', 'renamed';
$server->safe_psql('template1', 'DROP DATABASE renamed');
$server->safe_psql('template1', 'ALTER DATABASE postgres RENAME TO ledger');
is($server->safe_psql('ledger', 'SELECT count(*) FROM ecert.problems()'), '0', 'the database can be renamed, and another one dropped');

$server->safe_psql('ledger', q{DELETE FROM ledger.duty_log});
configure('ledger', worker_interval => 1);
ok($server->poll_query_until('template1', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'ecert duties'}), 'nothing runs in databases that are gone');
configure('ledger', worker_database => 'ledger');
wait_for('ledger', 2, 'a reload tells the workers the new name');
ok($server->poll_query_until('ledger', q{SELECT count(*) = 1 FROM ledger.duty_log WHERE duty = 'round'}), 'and rounds go on');
my $log = slurp_file($server->logfile);
is(scalar(() = $log =~ /there is no database "nowhere"/g), 1, 'a database that is not there is one line in the log');
unlike($log, qr/FATAL:/, 'and no worker fails for want of it');
configure('ledger', worker_interval => 0);
wait_for('ledger', 0, 'the worker ends');
is($server->safe_psql('template1', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'ecert launcher' AND datname IS NULL}), '1', 'what started it is in no database');
$server->safe_psql('template1', 'DROP DATABASE ledger');
$server->stop;
done_testing();
