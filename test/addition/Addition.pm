# Additions to a copy of the sources, as files of edits say. A file of edits is
#
#   words about it
#   == FILE
#   -- before | after | behind | new
#   ANCHOR                        text that stands once in FILE, none with "new"
#   -- put                        not with "new", where the file's text follows at once
#   LINES
#
# "before" and "after" put lines before or after those that the anchor is in, "behind" puts text right behind the anchor.
# The empty line before the next "== " belongs to neither.
package Addition;
use strict;
use warnings FATAL => 'all';

sub slurp
{
	my ($name) = @_;
	open my $file, '<', $name or die "$name: $!\n";
	local $/;
	return <$file>;
}

sub spew
{
	my ($name, $text) = @_;
	open my $file, '>', $name or die "$name: $!\n";
	print {$file} $text;
	close $file or die "$name: $!\n";
	return;
}

# The edits of a file: [file, where, anchor, text]
sub read_edits
{
	my ($name) = @_;
	my (undef, @parts) = split /^== (\S+)\n/m, slurp($name);
	my @edits;
	while (my ($file, $part) = splice @parts, 0, 2)
	{
		$part =~ s/\n\n\z/\n/;
		if ($part =~ s/^-- new\n//)
		{
			push @edits, [ $file, 'new', undef, $part ];
			next;
		}
		while ($part =~ s/\A-- (before|after|behind)\n(.*?)\n-- put\n(.*?)\n(?=\z|-- (?:before|after|behind)\n)//s)
		{
			push @edits, [ $file, $1, $2, $3 ];
		}
		die "$name: what stands under == $file is no edit:\n$part" if $part ne '';
	}
	return @edits;
}

# Do an edit in the copy of the sources; dies with the anchor's name where it does not stand there once
sub apply
{
	my ($tree, $file, $where, $anchor, $text) = @_;
	if ($where eq 'new')
	{
		die "$file is there already\n" if -e "$tree/$file";
		return spew("$tree/$file", $text);
	}
	my $old = slurp("$tree/$file");
	my $count = () = $old =~ /\Q$anchor\E/g;
	die "$file has $count times the text that marks the place of an addition (test/addition):\n$anchor\n" if $count != 1;
	if ($where eq 'behind') { $old =~ s/\Q$anchor\E/$anchor$text/; }
	elsif ($where eq 'before') { $old =~ s/^([^\n]*\Q$anchor\E)/$text\n$1/m; }
	else { $old =~ s/(\Q$anchor\E[^\n]*)/$1\n$text/; }
	return spew("$tree/$file", $old);
}

# The files that a part of docs/design.md lists ("1. `src/x.c`: ..." or "- `test/y.c`: ..."), as [pattern, may be left out]
sub listed
{
	my ($design, $title) = @_;
	my ($part) = $design =~ /^### \Q$title\E\n(.*?)(?=^##)/ms or die "docs/design.md has no part \"$title\"\n";
	my @list;
	while ($part =~ /^(\d+\.|-) `([^`]+)`(.*(?:\n   .*|\n  .*)*)/mg)
	{
		my ($mark, $file, $words) = ($1, $2, $3);
		(my $pattern = quotemeta $file) =~ s/\\<\w+\\>/[a-z_]+/g;
		push @list, { is_place => $mark ne '-', file => $file, pattern => qr/^$pattern$/, optional => scalar($words =~ /only where/) };
	}
	return @list;
}

# What differs between the files that edits touch and those that are listed; '' where nothing does
sub differences
{
	my ($edits, @list) = @_;
	my %touched = map { $_->[0] => 1 } @$edits;
	my @wrong;
	for my $file (sort keys %touched)
	{
		push @wrong, "$file is touched and not listed" unless grep { $file =~ $_->{pattern} } @list;
	}
	for my $place (@list)
	{
		push @wrong, "$place->{file} is listed and not touched" unless $place->{optional} || grep { $_ =~ $place->{pattern} } keys %touched;
	}
	return join("\n", @wrong);
}

1;
