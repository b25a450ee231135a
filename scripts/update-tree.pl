#!/usr/bin/perl
# Bring the copy of the sources OLD up to date with the newer copy NEW, which is used up; LIST remembers what OLD has.
#
#   perl scripts/update-tree.pl NEW OLD LIST
#
# A file whose bytes are the same stays as it is, whatever its time, so that make builds what has changed and
# nothing else; one that has changed is new now. When a file is gone, everything is made again: make does not see
# that an object has lost its source.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Compare qw(compare);
use File::Find qw(find);
use File::Path qw(make_path);

my ($new, $old, $list) = @ARGV;

# The names of a folder's files, without the folder's own
sub files_of
{
	my ($folder) = @_;
	my @names;
	find({ no_chdir => 1, wanted => sub { push @names, substr($_, length($folder) + 1) if -f $_ || -l $_ } }, $folder);
	return @names;
}

# The names that a list has, one a line
sub names_in
{
	open my $file, '<', $list or return ();
	chomp(my @names = <$file>);
	return @names;
}

my @now = files_of($new);
my %is_now = map { $_ => 1 } @now;
my @gone = grep { !$is_now{$_} } names_in();
for my $name (@now)
{
	next if -f "$old/$name" && compare("$new/$name", "$old/$name") == 0 && -x "$new/$name" == -x "$old/$name";
	make_path(dirname("$old/$name"));
	rename "$new/$name", "$old/$name" or die "$old/$name: $!\n";
	utime undef, undef, "$old/$name";
}
unlink map { "$old/$_" } @gone;
if (@gone)
{
	utime undef, undef, "$old/$_" for grep { m{(^|/)Makefile$} } @now;
}
open my $file, '>', $list or die "$list: $!\n";
print {$file} map { "$_\n" } @now;
close $file or die "$list: $!\n";
