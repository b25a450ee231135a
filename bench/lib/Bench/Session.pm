# A session of psql whose statements are measured: time as psql sees it, memory of the backend and its parallel workers.
package Bench::Session;
use strict;
use warnings FATAL => 'all';

use IO::Select;
use IPC::Open2;

sub new
{
	my ($class, $database, @settings) = @_;
	my $self = bless { number => 0, log => "$ENV{BENCH_HOME}/session.log" }, $class;
	$self->{process} = open2($self->{out}, $self->{in}, "exec psql -XAtq -v ON_ERROR_STOP=1 -d $database 2>'$self->{log}'");
	$self->{in}->autoflush(1);
	$self->{pid} = $self->exchange("SELECT pg_backend_pid();\n");
	$self->exchange(join '', map { "SET $_;\n" } @settings);
	$self->exchange("\\timing on\n");
	return $self;
}

sub DESTROY
{
	my ($self) = @_;
	# the exit status of the program is not to be that of a psql
	local $? = 0;
	close $self->{in};
	waitpid $self->{process}, 0;
	return;
}

# A number in the status of a process; 0 when it is gone
sub status
{
	my ($pid, $field) = @_;
	open my $in, '<', "/proc/$pid/status" or return 0;
	while (my $line = <$in>)
	{
		return $1 if $line =~ /^$field:\s+(\d+)/;
	}
	return 0;
}

# The parallel workers of the backend that there are now
sub workers
{
	my ($self) = @_;
	my $postmaster = status($self->{pid}, 'PPid');
	open my $in, '<', "/proc/$postmaster/task/$postmaster/children" or return;
	my @found;
	for my $pid (split ' ', <$in> // '')
	{
		open my $command, '<', "/proc/$pid/cmdline" or next;
		push @found, $pid if (<$command> // '') =~ /worker for PID $self->{pid}\b/;
	}
	return @found;
}

# Look at the memory that only these processes have, and keep the most that was seen
sub sample
{
	my ($self) = @_;
	my $private = status($self->{pid}, 'RssAnon');
	$private += status($_, 'RssAnon') for $self->workers;
	$self->{private} = $private if $private > $self->{private};
	return;
}

# Send something and read what comes back until psql has done it
sub exchange
{
	my ($self, $text) = @_;
	my $mark = '-- done ' . ++$self->{number};
	my $select = IO::Select->new($self->{out});
	my $output = '';
	$self->{private} //= 0;
	print { $self->{in} } "$text\\echo '$mark'\n";
	while ($output !~ /^\Q$mark\E$/m)
	{
		if ($select->can_read(0.1))
		{
			sysread($self->{out}, $output, 65536, length $output) or die $self->error;
		}
		$self->sample if defined $self->{pid};
	}
	return $output =~ s/\n?\Q$mark\E\n\z//r;
}

sub error
{
	my ($self) = @_;
	open my $in, '<', $self->{log} or return 'psql has failed';
	local $/ = undef;
	return 'psql: ' . <$in>;
}

# Run SQL; milliseconds, kB of private memory at most, and its output
sub run
{
	my ($self, $sql) = @_;
	$self->{private} = 0;
	my $output = $self->exchange("$sql;\n");
	my $milliseconds = 0;
	$milliseconds += $1 while $output =~ s/^Time: ([\d.]+) ms.*\n?//m;
	return { milliseconds => $milliseconds, private => $self->{private}, output => $output };
}

1;
