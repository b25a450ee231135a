# Single-package commits by several clients.
package Bench::Pgbench;
use strict;
use warnings FATAL => 'all';

use Bench;

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

1;
