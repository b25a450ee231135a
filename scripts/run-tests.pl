#!/usr/bin/perl
# Run tests, several at a time, and tell what came of each as it ends.
#
#   perl scripts/run-tests.pl JOBS AT_ONCE LIMIT LOGS COUNTS
#
# JOBS is a file; a test in it is lines, and an empty line behind them: about how many seconds it takes, its name
# (that of its log), its title, how its output is read (tap, regress, or build: not at all), the file that says
# more about a failure, and the words of its command. At most AT_ONCE run at a time, the longest first; one that
# takes more than LIMIT seconds is stopped. Logs go into the folder LOGS, the numbers of passed, failed and skipped
# tests into the file COUNTS.
#
# Each test has a process group of its own, which is ended when the test is over, and when this program is stopped.
use strict;
use warnings;

use Fcntl;
use IO::Handle;
use IO::Select;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(time);

my ($job_file, $at_once, $limit, $logs, $counts) = @ARGV;
my %total = (passed => 0, failed => 0, skipped => 0);
my %running;
my $signal;
STDOUT->autoflush(1);

# The tests of the file, the longest first
sub read_jobs
{
	open my $file, '<', $job_file or die "$job_file: $!\n";
	local $/ = '';
	my @jobs;
	while (my $text = <$file>)
	{
		my ($seconds, $name, $title, $reader, $more, @command) = split /\n/, $text;
		push @jobs, { seconds => $seconds, name => $name, title => $title, reader => $reader, more => $more, command => \@command };
	}
	return sort { $b->{seconds} <=> $a->{seconds} || $a->{name} cmp $b->{name} } @jobs;
}

# Start a test: its output comes through a pipe
sub start_test
{
	my ($job) = @_;
	pipe(my $from, my $to) or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0)
	{
		setpgrp(0, 0);
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP CHLD);
		open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
		open STDOUT, '>&', $to or die "standard output: $!\n";
		open STDERR, '>&', $to or die "standard error: $!\n";
		{ no warnings 'exec'; exec { $job->{command}[0] } @{ $job->{command} }; }
		print STDERR "$job->{command}[0]: $!\n";
		POSIX::_exit(127);
	}
	close $to;
	fcntl($from, F_SETFL, O_NONBLOCK) or die "fcntl: $!\n";
	open $job->{log}, '>', "$logs/$job->{name}.log" or die "$logs/$job->{name}.log: $!\n";
	@$job{qw(pid pipe began part name_now)} = ($pid, $from, time, '', $job->{title});
	$job->{result} = { passed => 0, failed => 0, skipped => 0 };
	$job->{now} = { passed => 0, failed => 0, skipped => 0, lines => '' };
	$running{$pid} = $job;
	return;
}

# Read what a test has written until now; lines are read whole
sub take_output
{
	my ($job) = @_;
	my $size;
	while ($size = sysread($job->{pipe}, my $bytes, 65536))
	{
		print { $job->{log} } $bytes;
		$job->{part} .= $bytes;
	}
	# at its end a pipe could be read for ever; the test itself may go on
	$job->{silent} = 1 if defined $size;
	while ($job->{part} =~ s/^([^\n]*)\n//)
	{
		read_tap($job, $1) if $job->{reader} eq 'tap';
		read_regress($job, $1) if $job->{reader} eq 'regress';
	}
	return;
}

sub count
{
	my ($job, $what, $now) = @_;
	$job->{result}{$what}++;
	$job->{now}{$what}++ if $now;
	return;
}

# TAP: 'ok N - name', 'not ok N - name', '# SKIP reason', '# test_x' before each program of several
sub read_tap
{
	my ($job, $line) = @_;
	my $now = $job->{now};
	if ($line =~ /^# (test_[a-z_]+)$/) { tell_program($job); $job->{name_now} = "$job->{title} $1"; }
	elsif ($line =~ /^# (figure: .*)/) { $now->{lines} .= "  $1\n"; }
	elsif ($line =~ /^1\.\.0 +# *skip\w* *(.*)/i) { count($job, 'skipped', 1); $now->{lines} .= "skip - $job->{name_now}: $1\n"; }
	elsif ($line =~ /^ok .*# *skip/i) { count($job, 'skipped', 1); $now->{lines} .= "skip - $job->{name_now}: $line\n"; }
	elsif ($line =~ /^not ok .*# *TODO/) { count($job, 'skipped', 1); }
	elsif ($line =~ /^ok( |$)/) { count($job, 'passed', 1); }
	elsif ($line =~ /^not ok( |$)/) { count($job, 'failed', 1); $now->{lines} .= "  $line\n"; }
	return;
}

# The line of a program that has ended, what it said of itself behind it
sub tell_program
{
	my ($job) = @_;
	my $now = $job->{now};
	my $seconds = time - $job->{began};
	if ($now->{passed} + $now->{failed} + $now->{skipped} > 0)
	{
		print(($now->{failed} ? 'not ok' : 'ok') . " - $job->{name_now}: $now->{passed} passed"
			  . join('', map { $now->{$_} ? ", $now->{$_} $_" : '' } qw(failed skipped))
			  . ($seconds >= 1 ? sprintf(', %.0f s', $seconds) : '') . "\n$now->{lines}");
	}
	$job->{now} = { passed => 0, failed => 0, skipped => 0, lines => '' };
	return;
}

# pg_regress: "test name ... ok 12 ms" up to PostgreSQL 15, "ok 1 - name 12 ms" from 16 on
sub read_regress
{
	my ($job, $line) = @_;
	my ($state, $name, $time);
	if ($line =~ /^((?:not )?ok) \d+ +[-+] +(\S+) +([\d.]+) ms/) { ($state, $name, $time) = ($1, $2, $3); }
	elsif ($line =~ /^(?:test)? +(\S+) +\.\.\. +(ok|\S+)(?:.* ([\d.]+) ms)?/) { ($state, $name, $time) = ($2 eq 'ok' ? 'ok' : 'not ok', $1, $3); }
	else { return; }
	count($job, $state eq 'ok' ? 'passed' : 'failed', 0);
	print "$state - $job->{title} $name", (defined $time ? ": $time ms" : ''), "\n";
	return;
}

# The lines of a file
sub lines_of
{
	my ($name) = @_;
	open my $file, '<', $name or return ();
	return <$file>;
}

# The first lines of a list, and the last ones indented
sub head { my ($most, @lines) = @_; return @lines > $most ? @lines[ 0 .. $most - 1 ] : @lines; }
sub tail { my ($most, @lines) = @_; return map { "    $_" } @lines > $most ? @lines[ -$most .. -1 ] : @lines; }

# What a failed test wrote: the differences of pg_regress, the beginning of what the compiler said, or the end of the log
sub show_failure
{
	my ($job) = @_;
	my @log = lines_of("$logs/$job->{name}.log");
	my @more = $job->{more} eq '-' ? () : lines_of($job->{more});
	if ($job->{reader} eq 'build') { print head(60, @log); }
	elsif ($job->{reader} eq 'tap') { print tail(40, @log), tail(40, @more); }
	elsif (!@more) { print tail(40, @log); }
	else
	{
		print head(300, @more);
		open my $copy, '>', "$logs/$job->{name}.diffs" or die "$logs/$job->{name}.diffs: $!\n";
		print {$copy} @more;
	}
	return;
}

# A test has ended: a command that fails without a failed test counts as one failure
sub end_test
{
	my ($job, $status) = @_;
	kill 'KILL', -$job->{pid};
	take_output($job);
	close $job->{pipe};
	close $job->{log};
	my $result = $job->{result};
	tell_program($job) if $job->{reader} eq 'tap';
	my $why = $job->{stopped} ? "stopped after $limit seconds"
	  : $status & 127 ? 'ended by signal ' . ($status & 127) : 'exit status ' . ($status >> 8);
	if ($job->{stopped} || ($status != 0 && $result->{failed} == 0))
	{
		print "not ok - $job->{title}: $why\n";
		$result->{failed}++;
	}
	elsif ($job->{reader} ne 'build' && $result->{passed} + $result->{failed} + $result->{skipped} == 0)
	{
		print "not ok - $job->{title}: it says nothing\n";
		$result->{failed}++;
	}
	show_failure($job) if $result->{failed} > 0;
	$total{$_} += $result->{$_} for keys %total;
	return;
}

# Take up every test that has ended
sub reap
{
	while ((my $pid = waitpid(-1, WNOHANG)) > 0)
	{
		my $status = $?;
		my $job = delete $running{$pid};
		end_test($job, $status) if $job;
	}
	return;
}

# End every test and this program
sub stop_all
{
	kill 'TERM', map { -$_ } keys %running;
	my $until = time + 5;
	while (%running && time < $until)
	{
		select(undef, undef, undef, 0.1);
		while ((my $pid = waitpid(-1, WNOHANG)) > 0) { kill 'KILL', -$pid; delete $running{$pid}; }
	}
	kill 'KILL', map { -$_ } keys %running;
	exit 130;
}

# A signal wakes the program up by a byte in a pipe, so that none is lost between looking and waiting
pipe(my $wake, my $waker) or die "pipe: $!\n";
fcntl($_, F_SETFL, O_NONBLOCK) for $wake, $waker;
$SIG{CHLD} = sub { syswrite($waker, 'c') };
$SIG{$_} = sub { $signal = 1; syswrite($waker, 's') } for qw(INT TERM HUP);

my @waiting = read_jobs();
while (@waiting || %running)
{
	start_test(shift @waiting) while @waiting && keys %running < $at_once;
	my $open = IO::Select->new($wake, map { $_->{pipe} } grep { !$_->{silent} } values %running);
	my ($first) = sort { $a <=> $b } map { $_->{began} + $limit - time } values %running;
	my @ready = $open->can_read($first > 0.01 ? $first : 0.01);
	stop_all() if $signal;
	1 while sysread($wake, my $bytes, 100);
	for my $job (values %running)
	{
		take_output($job);
		next if $job->{stopped} || time < $job->{began} + $limit;
		$job->{stopped} = 1;
		kill 'KILL', -$job->{pid};
	}
	reap();
}
open my $file, '>', $counts or die "$counts: $!\n";
print {$file} "$total{passed} $total{failed} $total{skipped}\n";
close $file or die "$counts: $!\n";
exit($total{failed} > 0 ? 1 : 0);
