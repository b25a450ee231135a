# How fast linked servers replicate packages; section replication of run.sh. The environment says how much: PACKAGES, REPEATS, RATE, DURATION, FEEDS, CONF.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../t/lib";

use Network;
use IPC::Run ();
use List::Util qw(max min);
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More ();
use Time::HiRes qw(time);
use Time::Local qw(timegm);

my $package_count = $ENV{PACKAGES} // 50000;
my $repeats = $ENV{REPEATS} // 3;
my $rate = $ENV{RATE} // 500;
my $duration = $ENV{DURATION} // 20;
my $feed_count = $ENV{FEEDS} // 100;
my $project = "$FindBin::RealBin/..";
my $signer = "$project/tools/ecert-sign";
# writers in the second part; each has feeds of its own
my $writers = 4;

# PostgreSQL's test modules change some settings for tests: these are its defaults again, but for the WAL that is kept
my $conf = <<'CONF' . ($ENV{CONF} // '') =~ s/\\n/\n/gr . "\n";
fsync = on
shared_buffers = 128MB
max_connections = 100
max_wal_size = 1GB
wal_log_hints = off
log_statement = none
log_replication_commands = off
wal_keep_size = 1GB
CONF

# ---- what is printed ----

# to the terminal: the test modules keep STDOUT for their log
my $terminal = Test::More->builder->output;
my $step = '';

sub say_line
{
	print $terminal join('', @_), "\n";
	return;
}

# Keep a figure for bench/report.pl
sub record
{
	my ($case, $parameter, $repetition, $value, $unit) = @_;
	append_to_file($ENV{RESULTS}, "replication,\"$case\",\"$parameter\",$repetition,$value,$unit\n") if defined $ENV{RESULTS};
	return;
}

# What is being done, on the terminal's last line
sub progress
{
	print $terminal "\r\033[K", @_ if $ENV{ON_TERMINAL};
	return;
}

sub begin_step
{
	($step) = @_;
	progress("$step ...");
	return;
}

sub end_step
{
	progress();
	say_line("  $step: ", @_);
	return;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# The smallest value that is not below this part of all
sub percentile
{
	my ($part, @values) = @_;
	my @sorted = sort { $a <=> $b } @values;
	return $sorted[max(0, POSIX::ceil($part * @sorted) - 1)];
}

# A count of something, in groups of three digits
sub grouped
{
	my $text = sprintf('%.0f', $_[0]);
	1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
	return $text;
}

sub slurp_line
{
	my ($file, $pattern) = @_;
	my ($found) = -r $file ? slurp_file($file) =~ $pattern : ();
	return $found // 'unknown';
}

# ---- packages and servers ----

# Names of issuers; their feeds are of equal length
sub issuers
{
	my ($prefix) = @_;
	return map { sprintf('%s-%03d', $prefix, $_) } 1 .. $feed_count;
}

# Sign count packages of energy use, a day each of one issuer after the other, into a file of COPY lines
sub sign_packages
{
	my ($hub, $file, $count, @issuers) = @_;
	my $genesis = $hub->safe_psql('postgres', "SELECT encode(ecert.genesis_hash(), 'hex')");
	open my $csv, '>', "$file.csv" or die "$file.csv: $!";
	print $csv "producer,period_start,period_end,energy_source,energy_unit,energy_qty,product\n";
	for my $i (0 .. $count - 1)
	{
		my $day = int($i / @issuers);
		my ($from, $to) = map { POSIX::strftime('%Y-%m-%d', gmtime(86400 * $_)) } $day, $day + 1;
		my $start = "$issuers[$i % @issuers],$from,$to";
		printf $csv "%s,raw_coal,t,%d.%02d,steel\n%s,electricity,kWh,%d,steel\n%s,natural_gas,m3,%d,steel\n",
			$start, 100 + $i % 900, $i % 100, $start, 10000 + $i, $start, 5000 + $i % 1000;
	}
	close $csv;
	system_or_bail('sh', '-c', "'$signer' energy --origin bench.example --genesis $genesis < '$file.csv' > '$file' 2> '$file.log'");
	unlink "$file.csv";
	return;
}

sub enroll_issuers
{
	my ($hub, @issuers) = @_;
	my $file = $hub->basedir . '/enrol.copy';
	system_or_bail('sh', '-c', "printf '%s\\n' @issuers | '$signer' enrol > '$file'");
	$hub->safe_psql('postgres', qq{
		CREATE TEMP TABLE enrolled (node text, public_key text);
		\\copy enrolled FROM '$file'
		SELECT count(ecert.enroll(node, '{applicant}', public_key)) FROM enrolled});
	return;
}

# Put signed packages into a table beside the ledger, from where they can be inserted in order
sub stage
{
	my ($server, $file) = @_;
	$server->safe_psql('postgres', qq{
		CREATE SCHEMA bench;
		CREATE UNLOGGED TABLE bench.staged (n integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, package ecert.package NOT NULL);
		\\copy bench.staged (package) FROM '$file'
		ANALYZE bench.staged});
	return;
}

# Run SQL for every staged package p, each in a transaction of its own
sub one_by_one
{
	my ($server, $sql) = @_;
	my $part = max(1, int($package_count / 20));
	for (my $n = 0; $n < $package_count; $n += $part)
	{
		progress(sprintf('%s ... %d %%', $step, 100 * $n / $package_count));
		$server->safe_psql('postgres', qq{
			SET synchronous_commit = off;
			DO \$\$ DECLARE p record; BEGIN
				FOR p IN SELECT * FROM bench.staged WHERE n > $n AND n <= $n + $part ORDER BY n LOOP $sql; COMMIT; END LOOP;
			END \$\$});
	}
	return;
}

# The ledger's table, keys and indexes without its triggers, and with bytea, which is not checked
my $plain_table = q{
	CREATE SCHEMA plain;
	CREATE TABLE plain.package (
		issuer text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, seq bigint NOT NULL, subject text COLLATE "C" NOT NULL,
		period tstzrange, issued_at timestamptz NOT NULL, hash bytea NOT NULL, package bytea NOT NULL, recorded_at timestamptz NOT NULL,
		PRIMARY KEY (issuer, kind, seq));
	CREATE INDEX ON plain.package USING hash (hash);
	CREATE INDEX ON plain.package (subject, kind, lower(period));
	ALTER TABLE plain.package ALTER COLUMN package SET STORAGE EXTERNAL;};

# A database of the subscriber's server that has nothing yet; each is a node of its own
sub make_database
{
	my ($server, $name) = @_;
	$server->safe_psql('postgres', "CREATE DATABASE $name; ALTER DATABASE $name SET ecert.node = '$name'");
	$server->safe_psql($name, "CREATE EXTENSION ecert; $plain_table");
	return;
}

sub ledger_subscription
{
	my ($hub) = @_;
	return "SELECT ecert.join_ledger('" . Network::genesis($hub) . "', '" . Network::connection($hub) . "')";
}

sub plain_subscription
{
	my ($hub, $name) = @_;
	# with the options of ecert's own
	my $options = $hub->safe_psql('postgres', 'SHOW server_version_num') >= 160000 ? 'parallel' : 'true';
	return "CREATE SUBSCRIPTION plain_$name CONNECTION '" . Network::connection($hub)
		. "' PUBLICATION plain WITH (binary = true, disable_on_error = true, streaming = $options)";
}

# Run SQL and raise a notice every second, which is shown as progress; the result
sub run_sql
{
	my ($server, $database, $sql) = @_;
	my ($output, $error) = ('', '');
	my $notice = sub {
		my ($text) = @_;
		progress("$step ... $1 s") if $text =~ /NOTICE:\s+waited (\d+)/;
		$error .= $text if $text =~ /ERROR/;
	};
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $server->connstr($database) ], '<', \$sql, '>', \$output, '2>', $notice)
		or die "$error in: $sql";
	chomp $output;
	return $output;
}

# Seconds from when a statement has let packages come until the one with this hash, the last of them, is there
sub seconds_until
{
	my ($server, $database, $statement, $table, $hash) = @_;
	my $result = run_sql($server, $database, qq{
		$statement;
		SELECT clock_timestamp() AS began \\gset
		DO \$\$
		DECLARE
			next timestamptz := clock_timestamp();
			began timestamptz := next;
		BEGIN
			WHILE NOT EXISTS (SELECT FROM $table WHERE hash = '$hash') LOOP
				PERFORM pg_sleep(0.01);
				IF clock_timestamp() >= next THEN
					RAISE NOTICE 'waited %', round(extract(epoch FROM clock_timestamp() - began));
					next := next + interval '1 second';
					IF NOT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database() AND s.subenabled) THEN
						RAISE EXCEPTION 'the subscription has been disabled: see the server log';
					END IF;
				END IF;
			END LOOP;
		END \$\$;
		SELECT extract(epoch FROM clock_timestamp() - :'began'::timestamptz)});
	return (split /\n/, $result)[-1];
}

# Subscribe, and go away when what is there has come; the statement that lets the rest come
sub subscribe_and_leave
{
	my ($server, $database, $statement) = @_;
	run_sql($server, $database, $statement);
	$server->poll_query_until($database, q{
		SELECT count(*) > 0 AND bool_and(r.srsubstate = 'r') FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid
		 JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()}) or die 'the first copy does not end';
	my $subscription = $server->safe_psql($database, 'SELECT quote_ident(s.subname) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()');
	$server->safe_psql($database, "ALTER SUBSCRIPTION $subscription DISABLE");
	return "ALTER SUBSCRIPTION $subscription ENABLE";
}

# Nothing more is to come to a database
sub unsubscribe
{
	my ($server, $database) = @_;
	my $subscription = $server->safe_psql($database, 'SELECT quote_ident(s.subname) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()');
	$server->safe_psql($database, "ALTER SUBSCRIPTION $subscription DISABLE");
	$server->poll_query_until($database, "SELECT count(*) = 0 FROM pg_stat_subscription WHERE subname = '$subscription' AND pid IS NOT NULL");
	$server->safe_psql($database, "DROP SUBSCRIPTION $subscription");
	return;
}

sub check_held
{
	my ($hub, $server, $database, $table) = @_;
	my $query = "SELECT count(*) FROM $table";
	die "$database does not hold what the hub holds" if $server->safe_psql($database, $query) != $hub->safe_psql('postgres', $query);
	return unless $table eq 'ledger.package';
	die "$database has packages that wait or are in quarantine"
		if $server->safe_psql($database, 'SELECT (SELECT count(*) FROM ledger.pending) + (SELECT count(*) FROM ledger.quarantine)') != 0;
	return;
}

# ---- the first part: packages per second that one subscriber applies ----

# Let fresh or returning databases have the packages, one after the other; the rates
sub measure_rates
{
	my ($what, $hub, $server, $table, $hash, %let_come) = @_;
	my (@rates, @cpu);
	for my $database (sort keys %let_come)
	{
		begin_step(sprintf('%s, %d of %d', $what, @rates + 1, scalar keys %let_come));
		my $seconds = seconds_until($server, $database, $let_come{$database}, $table, $hash);
		push @rates, $package_count / $seconds;
		# a first copy is another worker's, which is gone
		push @cpu, 1000000 * worker_cpu($server, $database) / $package_count if $let_come{$database} =~ /ENABLE/;
		check_held($hub, $server, $database, $table);
		unsubscribe($server, $database);
		end_step(sprintf('%.2f s, %s packages/s', $seconds, grouped($rates[-1])));
	}
	return { what => $what, rates => \@rates, cpu => \@cpu };
}

# Seconds of CPU that a database's apply worker has taken
sub worker_cpu
{
	my ($server, $database) = @_;
	my $pid = $server->safe_psql($database, "SELECT w.pid FROM pg_stat_subscription w JOIN pg_subscription s ON s.oid = w.subid
		JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database() AND w.relid IS NULL AND w.pid IS NOT NULL");
	# user and system time are fields 14 and 15; the second, in parentheses, is dropped
	my @fields = split / /, slurp_file("/proc/$pid/stat") =~ s/^.*\) //sr;
	return ($fields[11] + $fields[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub measure_apply
{
	my $hub = Network::hub('bench.example', name => 'hub_of_rate', conf => $conf);
	my $subscriber = Network::server('subscriber', conf => $conf);
	my $file = $hub->basedir . '/packages.copy';
	my @issuers = issuers('plant');
	my %names = map { my $kind = $_; $kind => [ map { "${kind}_$_" } 1 .. $repeats ] } qw(away fresh plain_away plain_fresh);
	my @results;

	say_line("\nPackages that one subscriber applies, ", grouped($package_count), " in $feed_count feeds");
	begin_step('signing packages');
	enroll_issuers($hub, @issuers);
	sign_packages($hub, $file, $package_count, @issuers);
	stage($hub, $file);
	my $bytes = $hub->safe_psql('postgres', 'SELECT avg(length(package::bytea)) FROM bench.staged');
	my $last = $hub->safe_psql('postgres', 'SELECT ecert.hash(package) FROM bench.staged ORDER BY n DESC LIMIT 1');
	end_step(sprintf('%d bytes each on average', $bytes));

	begin_step('verifying their signatures alone');
	my ($versions, @verified) = split /\n/, run_to_end("$project/bench/verify-rate", $repeats, $file);
	@verified = map { [ split / / ] } @verified;
	push @results, { what => 'bare verification of the signatures, one core',
		rates => [ map { $_->[0] / $_->[1] } @verified ], cpu => [ map { 1000000 * $_->[2] / $_->[0] } @verified ] };
	end_step(grouped(median(@{ $results[0]{rates} })), ' packages/s');

	begin_step('making databases and linking them');
	my %let_come;
	for my $name (map { @$_ } values %names)
	{
		make_database($subscriber, $name);
		$let_come{$name} = $name =~ /^plain/ ? plain_subscription($hub, $name) : ledger_subscription($hub);
	}
	$let_come{$_} = subscribe_and_leave($subscriber, $_, $let_come{$_}) for @{ $names{away} };
	end_step('done');

	begin_step('packages come to the hub while they are away');
	my $start = time;
	one_by_one($hub, 'INSERT INTO ledger.package (package) VALUES (p.package)');
	end_step(sprintf('%s packages/s, a transaction each', grouped($package_count / (time - $start))));
	push @results, measure_rates('subscriber catches up by streaming', $hub, $subscriber, 'ledger.package', $last, map { $_ => $let_come{$_} } @{ $names{away} });
	push @results, measure_rates('subscriber joins, first copy', $hub, $subscriber, 'ledger.package', $last, map { $_ => $let_come{$_} } @{ $names{fresh} });

	begin_step('the same bytes come to a table without triggers');
	$hub->safe_psql('postgres', "$plain_table; CREATE PUBLICATION plain FOR TABLE plain.package WITH (publish = 'insert')");
	$let_come{$_} = subscribe_and_leave($subscriber, $_, $let_come{$_}) for @{ $names{plain_away} };
	$start = time;
	one_by_one($hub, q{INSERT INTO plain.package SELECT issuer, kind, seq, subject, period, issued_at, hash, package::bytea, recorded_at
		FROM ledger.package WHERE hash = ecert.hash(p.package)});
	end_step(sprintf('%s rows/s', grouped($package_count / (time - $start))));
	push @results, measure_rates('plain table catches up by streaming', $hub, $subscriber, 'plain.package', $last, map { $_ => $let_come{$_} } @{ $names{plain_away} });
	push @results, measure_rates('plain table, first copy', $hub, $subscriber, 'plain.package', $last, map { $_ => $let_come{$_} } @{ $names{plain_fresh} });
	$_->stop for $subscriber, $hub;
	return @results;
}

# Run a command on a file as its standard input; what it prints
sub run_to_end
{
	my ($command, $argument, $file) = @_;
	my $output;
	IPC::Run::run([ $command, $argument ], '<', $file, '>', \$output) or die "$command failed";
	return $output;
}

# ---- the second part: from commit at one node to visible at the others ----

# Commit times, by transaction, that the WAL of a server says between two places. The commit record has the server's
# own clock; pg_xact_commit_timestamp() of a replicated transaction would be the time at its origin
sub commit_times
{
	my ($server, $from, $to) = @_;
	my %times;
	local $ENV{TZ} = 'UTC';
	my ($output, $error) = run_command([ 'pg_waldump', '-r', 'Transaction', '-p', $server->data_dir . '/pg_wal', '-s', $from, '-e', $to ]);
	for (split /\n/, $output)
	{
		next unless /tx:\s+(\d+),.* COMMIT (\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+)(\.\d+)? UTC/;
		$times{$1} = timegm($7, $6, $5, $4, $3 - 1, $2) + ($8 // 0);
	}
	die "no commits in the WAL of " . $server->name . ": $error" unless %times;
	return \%times;
}

# When packages were committed on a server since a place in its WAL, by their hash
sub package_times
{
	my ($server, $from, $count) = @_;
	my $to = $server->safe_psql('postgres', 'SELECT pg_switch_wal()');
	my $times = commit_times($server, $from, $to);
	my %of;
	for (split /\n/, $server->safe_psql('postgres', q{SELECT encode(hash, 'hex') || ' ' || xmin FROM ledger.package WHERE issuer LIKE 'live-%'}))
	{
		my ($hash, $xid) = split / /;
		$of{$hash} = $times->{$xid} if exists $times->{$xid};
	}
	die $server->name . " has committed " . keys(%of) . " packages and not $count" if keys %of != $count;
	return \%of;
}

# Commit count packages at a node, from this staged one of each writer on
sub run_writers
{
	my ($node, $first, $count) = @_;
	my $script = $node->basedir . '/writer.sql';
	my $shown = 0;
	unlink $script;
	append_to_file($script, "\\set i :i + 1\nINSERT INTO ledger.package (package) SELECT package FROM bench.staged WHERE writer = :client_id AND i = :i;\n");
	IPC::Run::run([ 'pgbench', '-n', '-M', 'prepared', '-c', $writers, '-j', 1, '-R', $rate, '-P', 1, '-t', $count / $writers,
			'-D', "i=$first", '-f', $script, $node->connstr('postgres') ], '>', \my $output,
		'2>', sub { progress("$step ... ", ++$shown, ' s') if $_[0] =~ /progress:/; print STDERR $_[0]; })
		or die 'pgbench failed';
	return;
}

# Commit count packages at the node and wait for them elsewhere; milliseconds from commit there, by place, and the rate
sub measure_delays
{
	my ($node, $first, $count, %place) = @_;
	my %from = map { $_->name => $_->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()') } $node, values %place;
	my $held = $node->safe_psql('postgres', 'SELECT count(*) FROM ledger.package') + $count;
	run_writers($node, $first, $count);
	for my $server (values %place)
	{
		$server->poll_query_until('postgres', "SELECT count(*) = $held FROM ledger.package") or die 'packages do not come to ' . $server->name;
	}
	my $at_node = package_times($node, $from{ $node->name }, $count);
	my @times = values %$at_node;
	my %delays;
	for my $name (keys %place)
	{
		my $there = package_times($place{$name}, $from{ $place{$name}->name }, $count);
		$delays{$name} = [ map { 1000 * ($there->{$_} - $at_node->{$_}) } keys %$at_node ];
	}
	return \%delays, (@times - 1) / (max(@times) - min(@times));
}

sub measure_latency
{
	my $hub = Network::hub('bench.example', name => 'hub_of_latency', conf => $conf);
	my %node = map { $_ => Network::server($_, conf => $conf) } qw(plant other);
	my @issuers = issuers('live');
	my $file = $hub->basedir . '/live.copy';
	# what a hub has applied goes on when its WAL is on disk, and that is up to the WAL writer
	my @wal_writer_delays = ('200ms', '10ms');
	my $count = int($rate * $duration / $writers) * $writers;
	my @results;
	die "FEEDS has to be a multiple of $writers" if $feed_count % $writers != 0;

	say_line("\nFrom commit at a node to visible at the others, $rate packages a second for $duration s in $feed_count feeds");
	begin_step('linking three servers');
	for my $name (sort keys %node)
	{
		Network::enroll($hub, $node{$name}, $name, '{applicant,auditor}');
		Network::link_node($hub, $node{$name}, $name);
	}
	# the node is itself a hub, of the nodes whose packages it takes and sends up
	$node{plant}->safe_psql('postgres', "SELECT count(ecert.admit_node(n, NULL)) FROM unnest('{" . join(',', @issuers) . "}'::text[]) AS n");
	enroll_issuers($hub, @issuers);
	my $unequal = Network::equal($hub, values %node);
	die "the servers do not become equal: $unequal" if $unequal ne '';
	end_step('done');

	begin_step('signing packages');
	sign_packages($hub, $file, $count * @wal_writer_delays, @issuers);
	stage($node{plant}, $file);
	$node{plant}->safe_psql('postgres', qq{
		ALTER TABLE bench.staged ADD writer integer, ADD i integer;
		UPDATE bench.staged s SET writer = w.writer, i = w.i
		  FROM (SELECT n, writer, row_number() OVER (PARTITION BY writer ORDER BY n) AS i
				  FROM (SELECT n, (n - 1) % $feed_count % $writers AS writer FROM bench.staged) AS t) AS w WHERE w.n = s.n;
		ALTER TABLE bench.staged ADD UNIQUE (writer, i);
		VACUUM ANALYZE bench.staged});
	end_step('done');

	for my $i (0 .. $#wal_writer_delays)
	{
		my $setting = "wal_writer_delay = $wal_writer_delays[$i]";
		begin_step("committing packages at the node, the hub has $setting");
		$hub->safe_psql('postgres', "ALTER SYSTEM SET wal_writer_delay = '$wal_writer_delays[$i]'; SELECT pg_reload_conf()");
		my ($delays, $achieved) = measure_delays($node{plant}, $i * $count / $writers, $count, hub => $hub, other => $node{other});
		push @results, map { { what => $_->[1], setting => $wal_writer_delays[$i], milliseconds => $delays->{ $_->[0] }, achieved => $achieved } }
			[ hub => 'the hub' ], [ other => 'another node, through the hub' ];
		end_step(sprintf('%s packages, %.0f a second', grouped($count), $achieved));
	}
	$_->stop for values %node, $hub;
	return @results;
}

# ---- the tables ----

sub print_machine
{
	my ($postgres) = run_command([ 'postgres', '--version' ]);
	my ($libraries) = run_to_end("$project/bench/verify-rate", 0, '/dev/null') =~ /(.*)/;
	my ($cores) = run_command([ 'nproc' ]);
	chomp $cores;
	$postgres =~ s/^postgres \(PostgreSQL\) //;
	say_line("Machine: $cores cores, ", slurp_line('/proc/cpuinfo', qr/^model name\s*:\s*(.*)/m), ', load before ', slurp_line('/proc/loadavg', qr/^(\S+)/));
	say_line("PostgreSQL $postgres; $libraries");
	say_line('All servers are on this machine and reached by sockets. fsync is on.');
	return;
}

sub print_rates
{
	my ($bare, @others) = @_;
	say_line(sprintf("\n%-46s %8s %8s %8s %9s %10s", 'packages per second', 'median', 'least', 'most', 'of bare', 'CPU us'));
	for my $result ($bare, @others)
	{
		my @rates = @{ $result->{rates} };
		my @cpu = @{ $result->{cpu} };
		record($result->{what}, "$package_count packages", $_ + 1, $rates[$_], 'packages/s') for 0 .. $#rates;
		say_line(sprintf('%-46s %8s %8s %8s %8.2fx %10s', $result->{what}, (map { grouped($_) } median(@rates), min(@rates), max(@rates)),
			median(@rates) / median(@{ $bare->{rates} }), @cpu ? sprintf('%.0f', median(@cpu)) : ''));
	}
	say_line('CPU us: what the verification and the apply worker take of one core for a package.');
	return;
}

sub print_latency
{
	say_line(sprintf("\n%-34s %16s %10s %8s %8s %8s", 'ms from commit to visible at', 'wal_writer_delay', 'packages/s', 'median', 'p99', 'most'));
	for my $result (@_)
	{
		my @milliseconds = @{ $result->{milliseconds} };
		record("commit to visible at $result->{what}", "$rate commits/s; wal_writer_delay $result->{setting}", 1, percentile($_->[0], @milliseconds), $_->[1])
			for [ 0.5, 'ms' ], [ 0.99, 'ms p99' ];
		say_line(sprintf('%-34s %16s %10.0f %8.1f %8.1f %8.1f', $result->{what}, $result->{setting}, $result->{achieved},
			percentile(0.5, @milliseconds), percentile(0.99, @milliseconds), max(@milliseconds)));
	}
	return;
}

$SIG{INT} = $SIG{TERM} = sub { exit 130 };
my %wanted = map { $_ => 1 } @ARGV ? @ARGV : qw(rate latency);
my $done = eval {
	print_machine();
	my @rates = $wanted{rate} ? measure_apply() : ();
	my @latency = $wanted{latency} ? measure_latency() : ();
	print_rates(@rates) if @rates;
	print_latency(@latency) if @latency;
	say_line('');
	1;
};
if (!$done)
{
	say_line("$step: $@");
	exit 1;
}
