# VerifierTest.pm - what the tests of ecert-verify share: making ledgers, running the verifier.
package VerifierTest;

use strict;
use warnings;
use Exporter 'import';
use File::Temp qw(tempdir);
use IPC::Open3;
use JSON::PP;
use Symbol qw(gensym);

our @EXPORT = qw($folder $verifier run_verifier report make_ledger spew slurp texts);

our $folder = tempdir(CLEANUP => 1);
our $verifier = $ENV{ECERT_VERIFY} or die "ECERT_VERIFY names the program\n";
my $maker = $ENV{MAKE_LEDGER} or die "MAKE_LEDGER names the maker of ledgers\n";
$ENV{TMPDIR} = $folder;

sub spew
{
	my ($name, $bytes) = @_;
	open my $file, '>:raw', $name or die "$name: $!";
	print $file $bytes;
	close $file or die "$name: $!";
	return $name;
}

sub slurp
{
	my ($name) = @_;
	open my $file, '<:raw', $name or die "$name: $!";
	local $/;
	return scalar <$file>;
}

# Run the verifier; (exit status, standard output, standard error). A signal dies: nothing may crash it.
sub run_verifier
{
	my ($input, @arguments) = @_;
	my $out = "$folder/out";
	my $err = "$folder/err";
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		open STDIN, '<', $input // '/dev/null' or die "$input: $!";
		open STDOUT, '>', $out or die;
		open STDERR, '>', $err or die;
		exec $verifier, @arguments or die "$verifier: $!";
	}
	waitpid $pid, 0;
	die "$verifier @arguments: signal " . ($? & 127) . "\n" . slurp($err) if $? & 127;
	die "$verifier @arguments: the sanitizer found something\n" . slurp($err) if slurp($err) =~ /Sanitizer|runtime error/;
	return ($? >> 8, slurp($out), slurp($err));
}

# The same with --json; (exit status, document)
sub report
{
	my ($input, @arguments) = @_;
	my ($status, $out) = run_verifier($input, '--json', @arguments);
	return ($status, JSON::PP->new->utf8->decode($out));
}

# Make a ledger; the name of the dump
sub make_ledger
{
	my ($name, @options) = @_;
	my $file = "$folder/$name";
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		open STDOUT, '>', $file or die "$file: $!";
		exec $maker, @options or die "$maker: $!";
	}
	waitpid $pid, 0;
	die "$maker @options failed" if $?;
	return $file;
}

# The problems of a document, in one piece
sub texts
{
	my ($document, $list) = @_;
	return join "\n", map { $_->{text} } @{ $document->{ $list // 'problems' } };
}

1;
