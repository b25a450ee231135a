# Single-package commits by several clients.
package Bench::Pgbench;
use strict;
use warnings FATAL => 'all';

use Bench;
use POSIX ();

my $from_staged = 'SELECT issuer, kind, seq, subject, period, issued_at, hash, bytes, now() FROM bench.staged WHERE n = :n';
our %insert = (
	ecert => 'INSERT INTO ledger.package (package) SELECT package FROM bench.staged WHERE n = :n',
	'plain table' => "INSERT INTO bench.plain ($columns) $from_staged",
	'usual recipe' => "INSERT INTO bench.chained ($columns) $from_staged",
	'recipe by issuer' => "INSERT INTO bench.chained_by_issuer ($columns) $from_staged",
);
# Over one feed the packages go in their order: whoever has the queue's row takes the next
my $from_queue = 'WITH next AS (UPDATE bench.queue SET n = n + 1 RETURNING n) INSERT INTO ledger.package (package) SELECT package FROM bench.staged WHERE n = (SELECT n FROM next)';
my %table = (ecert => 'ledger.package', 'plain table' => 'bench.plain', 'usual recipe' => 'bench.chained', 'recipe by issuer' => 'bench.chained_by_issuer');

# The script of a client: of 100 issuers it has those whose number leaves client_id when divided by the number of clients, k
sub script
{
	my ($case, $issuers) = @_;
	my $file = "$home/" . ($case =~ s/ /-/gr) . "-$issuers.sql";
	open my $out, '>', $file or die "$file: $!";
	if ($issuers == 1)
	{
		print $out $case eq 'ecert' ? "$from_queue;\n" : "\\set i :i + 1\n\\set n :client_id + :k * :i + 1\n$insert{$case};\n";
	}
	else
	{
		print $out "\\set i :i + 1\n\\set own (99 - :client_id) / :k + 1\n\\set n :i / :own * 100 + :client_id + :k * (:i % :own) + 1\n$insert{$case};\n";
	}
	close $out;
	return $file;
}

# Let clients commit for a while; every transaction has to have put one package there
sub commit_packages
{
	my ($database, $case, $parameter, $issuers, $clients, $repetition) = @_;
	query($database, 'CHECKPOINT');
	my ($rate, $done) = pgbench($database, script($case, $issuers), $clients, $size{seconds}, i => -1, k => $clients);
	my $put = query($database, "SELECT count(*) FROM bench.staged JOIN $table{$case} USING (issuer, kind, seq)");
	die "$case: $done transactions have put $put packages: there were too few\n" if $put != $done;
	record($case, $parameter, $repetition, $rate, 'packages/s');
	note(sprintf('%s, %s: %s packages/s (%d)', $parameter, $case, grouped($rate), $repetition));
	return;
}

sub measure_commits
{
	my %days = (100 => $size{days}, 1 => 100 * $size{days});
	for my $issuers (100, 1)
	{
		packages("commits$issuers", issuers => $issuers, days => $days{$issuers});
		fresh_ledger("commits$issuers");
		fill_staged("commits$issuers", "$home/commits$issuers.txt");
		forget("commits$issuers");
		for my $repetition (1 .. $repeats)
		{
			for my $clients (@{ $size{clients} })
			{
				create_database('committing', "commits$issuers");
				my $parameter = "$issuers issuer" . ($issuers > 1 ? 's' : '') . "; $clients client" . ($clients > 1 ? 's' : '');
				commit_packages('committing', $_, $parameter, $issuers, $clients, $repetition) for sort keys %table;
			}
		}
		drop_database("commits$issuers");
	}
	drop_database('committing');
	return;
}

# Seconds of processor that the server's sessions have used which are over by now
sub spent
{
	my ($postmaster) = split /\n/, slurp(query('postgres', 'SHOW data_directory') . '/postmaster.pid');
	my @fields = split ' ', slurp("/proc/$postmaster/stat") =~ s/.*\) //sr;
	return ($fields[13] + $fields[14]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Single-package commits by 8 clients over 100 issuers: with the library as it is, and with one that notes nothing in
# ecert_internal.moved (bench/unmoved.c), in turn, slice by slice. Each client commits as many packages in each slice
sub measure_moved
{
	my ($clients, $count, $slices) = (8, 400, $size{moved});
	my %database = ('ecert' => 'moved', 'ecert without ledger.moved' => 'unmoved');
	packages('moving', issuers => 100, days => $slices * $count / int(100 / $clients) + 1);
	fresh_ledger('moved');
	fill_staged('moved', "$home/moving.txt");
	forget('moving');
	create_database('unmoved', 'moved');
	query('unmoved', q{UPDATE pg_proc SET probin = '$libdir/ecert_unmoved' WHERE probin = '$libdir/ecert'});
	my $script = script('ecert', 100);
	for my $slice (1 .. $slices)
	{
		for my $case ($slice % 2 ? sort keys %database : reverse sort keys %database)
		{
			query($database{$case}, 'CHECKPOINT', 'DELETE FROM ecert_internal.moved');
			my $before = spent();
			my $output = run_command('pgbench', '-n', '-M', 'prepared', '-c', $clients, '-j', $ENV{CORES}, '-t', $count, '-f', $script,
				'-D', 'i=' . (($slice - 1) * $count - 1), '-D', "k=$clients", $database{$case});
			my ($rate) = $output =~ /tps = ([\d.]+)/;
			record($case, "$clients clients", $slice, $rate, 'packages/s');
			record($case, "$clients clients", $slice, sprintf('%.2f', 1e6 * (spent() - $before) / ($clients * $count)), 'us CPU/package');
			note(sprintf('%s: %s packages/s (%d)', $case, grouped($rate), $slice));
		}
	}
	my ($with, $without) = map { query($database{$_}, 'SELECT count(*) FROM ecert_internal.moved') } sort keys %database;
	die "ecert has noted $with feeds, the library that notes nothing $without\n" if $with == 0 || $without != 0;
	drop_database($_) for values %database;
	return;
}

1;
